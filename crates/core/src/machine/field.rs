//! Fields of events: reading, keeping and comparing them.

use serde::{Deserialize, Serialize};

use super::{At, Observed};
use crate::input::json::{is_string_content, unescaped};
use crate::protocol::Scalar;
use crate::protocol::tables::Row;
use crate::schema::quoted;

/// A field of an event, as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// It is not there, and need not be.
    Absent,
    /// It is missing or wrong.
    Unreadable,
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a [u8]),
    /// What stands between the quotes, still escaped.
    Text(&'a [u8]),
    /// An array or an object.
    Container,
}

/// Where the fields of a row stand: in the event, or in an item of an array.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub event: &'a Observed<'a>,
    pub item: Option<Item>,
}

#[derive(Clone, Copy)]
pub(crate) struct Item {
    pub array: usize,
    pub index: usize,
    /// Where its fields start.
    pub first: usize,
}

impl<'a> Scope<'a> {
    pub(crate) fn field(self, slot: usize) -> Field<'a> {
        self.event.field(self.item.map_or(0, |item| item.first) + slot)
    }

    pub(crate) fn at(self, slot: usize) -> At {
        match self.item {
            None => At::Slot(slot),
            Some(Item { array, index, .. }) => At::Item { array, index, slot },
        }
    }
}

/// The key of a row, read.
pub(crate) enum Key {
    Read(Vec<u8>),
    Absent,
    Unreadable,
}

/// A value to compare with later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kept {
    Null,
    Bool(bool),
    Number(Box<[u8]>),
    /// Still escaped.
    Text(Box<[u8]>),
}

/// Reads a row's key. A composite key is a list of JSON strings, which keeps its parts apart.
pub(crate) fn key(row: &Row, scope: Scope<'_>) -> Key {
    let mut key = Vec::new();
    for slot in &row.key {
        let part = match scope.field(*slot) {
            Field::Text(raw) => unescaped(raw),
            Field::Number(raw) => raw.into(),
            Field::Null | Field::Absent => return Key::Absent,
            _ => return Key::Unreadable,
        };
        if row.key.len() == 1 {
            return Key::Read(part.into_owned());
        }
        if !key.is_empty() {
            key.extend_from_slice(b", ");
        }
        key.extend_from_slice(serde_json::json!(String::from_utf8_lossy(&part)).to_string().as_bytes());
    }
    Key::Read(key)
}

pub(crate) fn equals(field: Field<'_>, value: &Scalar) -> bool {
    match (field, value) {
        (Field::Bool(found), Scalar::Bool(wanted)) => found == *wanted,
        (Field::Text(raw), Scalar::Text(wanted)) => *unescaped(raw) == *wanted.as_bytes(),
        (Field::Number(raw), Scalar::Integer(wanted)) => number(raw) == Some(*wanted as f64),
        _ => false,
    }
}

fn number(raw: &[u8]) -> Option<f64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

impl Kept {
    pub(crate) fn of(field: Field<'_>) -> Option<Kept> {
        match field {
            Field::Null => Some(Kept::Null),
            Field::Bool(value) => Some(Kept::Bool(value)),
            Field::Number(raw) => Some(Kept::Number(raw.into())),
            Field::Text(raw) => Some(Kept::Text(raw.into())),
            Field::Absent | Field::Unreadable | Field::Container => None,
        }
    }

    /// Whether a field of an event can have been kept so.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Kept::Text(raw) => is_string_content(raw),
            Kept::Null | Kept::Bool(_) | Kept::Number(_) => true,
        }
    }

    fn field(&self) -> Field<'_> {
        match self {
            Kept::Null => Field::Null,
            Kept::Bool(value) => Field::Bool(*value),
            Kept::Number(raw) => Field::Number(raw),
            Kept::Text(raw) => Field::Text(raw),
        }
    }

    /// Whether a field has this value; one that is not there or cannot be read contradicts nothing.
    pub(crate) fn equals(&self, field: Field<'_>) -> bool {
        match (self.field(), field) {
            (_, Field::Absent | Field::Unreadable | Field::Container) => true,
            (Field::Text(a), Field::Text(b)) => a == b || unescaped(a) == unescaped(b),
            (Field::Number(a), Field::Number(b)) => a == b || number(a) == number(b),
            (a, b) => a == b,
        }
    }

    pub(crate) fn shown(&self) -> String {
        shown(self.field())
    }
}

/// A value as messages show it.
pub(crate) fn shown(field: Field<'_>) -> String {
    match field {
        Field::Null => "null".to_owned(),
        Field::Bool(value) => value.to_string(),
        Field::Number(raw) => String::from_utf8_lossy(raw).into_owned(),
        Field::Text(raw) => shown_text(&unescaped(raw)),
        Field::Absent | Field::Unreadable | Field::Container => "something else".to_owned(),
    }
}

pub(crate) fn shown_text(text: &[u8]) -> String {
    quoted(&String::from_utf8_lossy(text), 60)
}
