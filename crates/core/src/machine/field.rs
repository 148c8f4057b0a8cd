//! Reads, keeps and compares the fields of events.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EventView, Target};
use crate::bytes::{contains, equal};
use crate::input::json::{foreign_space_at, is_string_content, trim_start, unescaped, unescaped_lossy};
use crate::protocol::Scalar;
use crate::protocol::conditions::Wanted;
use crate::protocol::conditions::{plain_words, says_words};
use crate::schema::items::ItemSlot;
use crate::schema::{SHOWN_CHARS, quoted};

/// The value of an event's field, as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    /// Missing, and not required.
    Absent,
    /// Required but missing, or not valid by the schema.
    Unreadable,
    Null,
    Bool(bool),
    /// The digits as written.
    Number(&'a [u8]),
    /// The number of an item in its array.
    Index(u32),
    /// The text between the quotes, still escaped.
    Text(&'a [u8]),
    /// An array or an object.
    Container(Container<'a>),
}

/// An array or an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Container<'a> {
    /// Its text, with the brackets.
    pub raw: &'a [u8],
    /// Whether all that is in it can be read.
    pub is_whole: bool,
}

impl Container<'_> {
    /// Returns whether it has no items or members.
    pub(crate) fn is_empty(self) -> bool {
        let mut inside = self.raw.get(1..self.raw.len() - 1).unwrap_or_default();
        if inside.first().is_none_or(u8::is_ascii_graphic) {
            return inside.is_empty();
        }
        loop {
            inside = trim_start(inside);
            match foreign_space_at(inside, 0) {
                Some(space) => inside = &inside[space.len_utf8()..],
                None => return inside.is_empty(),
            }
        }
    }

    /// Returns whether it is an array.
    pub(crate) fn is_array(self) -> bool {
        self.raw.first() == Some(&b'[')
    }
}

/// The value that a row's slots refer to: the event, or an item of one of its arrays.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The event.
    pub event: &'a EventView<'a>,
    /// The item, if the row applies to each item of an array.
    pub item: Option<ArrayItem>,
}

/// An item of an event's array.
#[derive(Clone, Copy)]
pub(crate) struct ArrayItem {
    /// The number of the array in the event's type.
    pub array: usize,
    /// The index of the item.
    pub index: usize,
    /// The index of the item's first field among the captures.
    pub first: usize,
}

impl<'a> Scope<'a> {
    /// Returns the field in this slot.
    pub(crate) fn field(self, slot: usize) -> Field<'a> {
        match (self.field_index(slot), self.item) {
            (Some(index), _) => self.event.field(index),
            (None, item) => Field::Index(item.map_or(0, |item| item.index as u32)),
        }
    }

    /// Returns the index of the captured field in this slot; `None` if it is a number of an item that needs no capture.
    pub(super) fn field_index(self, slot: usize) -> Option<usize> {
        let Some(item) = self.item else { return Some(slot) };
        match self.event.arrays[item.array].slots[slot] {
            ItemSlot::Event(slot) => Some(slot),
            ItemSlot::Number if !self.event.arrays[item.array].is_nested() => None,
            _ => Some(item.first + slot),
        }
    }

    /// Returns the target of a verdict about the field in this slot.
    pub(crate) fn at(self, slot: usize) -> Target {
        match self.item {
            None => Target::Slot(slot),
            Some(ArrayItem { array, index, .. }) => Target::Item { array, index, slot },
        }
    }

    /// Returns the byte range of the field in this slot, if it is a number or, between its quotes, a string.
    pub(crate) fn range(self, slot: usize) -> Option<Range<usize>> {
        self.event.fields[self.field_index(slot)?].range()
    }

    /// Returns the target of a verdict about the rest of the text in this slot, from an offset on.
    pub(crate) fn part(self, slot: usize, at: usize) -> Target {
        match self.item {
            None => Target::Part(slot, at),
            Some(_) => self.at(slot),
        }
    }

    /// Returns the target of a verdict that the field in this slot is missing.
    pub(crate) fn holder_of(self, slot: usize) -> Target {
        match self.item {
            None => Target::Missing(slot),
            Some(ArrayItem { array, index, .. }) => Target::MissingInItem { array, index, slot },
        }
    }
}

/// A value kept to compare later fields with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum KeptValue {
    Null,
    Bool(bool),
    Number(Box<[u8]>),
    /// The text, still escaped.
    Text(Box<[u8]>),
}

/// Returns whether a field, which can be read, is what a condition wants.
pub(crate) fn is_wanted(field: Field<'_>, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Values(values) => match field {
            Field::Text(raw) => {
                let is_one = |text: &[u8]| {
                    values.iter().any(|value| matches!(value, Scalar::Text(wanted) if equal(wanted.as_bytes(), text)))
                };
                if contains(raw, b'\\') { is_one(&unescaped(raw)) } else { is_one(raw) }
            }
            field => values.iter().any(|value| equals(field, value)),
        },
        Wanted::Says(says) => matches!(field, Field::Text(raw) if says_any(raw, says.iter().map(String::as_str))),
        Wanted::Present(is_present) => *is_present != matches!(field, Field::Absent | Field::Null),
        Wanted::Empty(is_empty) => {
            let found = match field {
                Field::Absent | Field::Null | Field::Text(b"") => true,
                Field::Container(container) => container.is_empty(),
                _ => false,
            };
            *is_empty == found
        }
    }
}

/// Returns whether a field other than a text has a value; numbers are compared by value.
fn equals(field: Field<'_>, value: &Scalar) -> bool {
    match (field, value) {
        (Field::Bool(found), Scalar::Bool(wanted)) => found == *wanted,
        (Field::Number(raw), Scalar::Integer(wanted)) => match whole_number(raw) {
            Some(found) => found == *wanted,
            None => number(raw) == Some(*wanted as f64),
        },
        (Field::Index(found), Scalar::Integer(wanted)) => i64::from(found) == *wanted,
        _ => false,
    }
}

/// Returns whether a text, still escaped, says any of these plain words; see [`says_words`].
pub(crate) fn says_any<'w>(raw: &[u8], mut wanted: impl Iterator<Item = &'w str>) -> bool {
    let label = unescaped_lossy(raw);
    let label = plain_words(&label);
    wanted.any(|words| says_words(&label, words))
}

/// Returns the number that some plain digits stand for; `None` if they are not plain, or too many.
#[inline]
pub(super) fn plain_number(digits: &[u8]) -> Option<u64> {
    // With one digit more, it might be too large.
    let is_short = digits.len() < 19;
    let add = |number: u64, digit: &u8| digit.is_ascii_digit().then(|| 10 * number + u64::from(digit - b'0'));
    if is_short { digits.iter().try_fold(0, add) } else { None }
}

/// Returns the number that some plain digits stand for, behind a minus or not; `None` if they are not plain, or too many.
#[inline]
pub(super) fn whole_number(raw: &[u8]) -> Option<i64> {
    let (digits, sign) = raw.strip_prefix(b"-").map_or((raw, 1), |digits| (digits, -1));
    Some(sign * i64::try_from(plain_number(digits)?).ok()?)
}

/// Returns whether two numbers have the same value. Whole ones are compared as such, which floating-point numbers cannot tell
/// apart if they are large.
fn is_same_number(one: &[u8], other: &[u8]) -> bool {
    match (whole_number(one), whole_number(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other || number(one) == number(other),
    }
}

/// Returns the value of a number; `None` if it is written as none.
pub(super) fn number(raw: &[u8]) -> Option<f64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

impl KeptValue {
    /// Copies a field's value; `None` if there is none to compare.
    pub(crate) fn of(field: Field<'_>) -> Option<KeptValue> {
        match field {
            Field::Null => Some(KeptValue::Null),
            Field::Bool(value) => Some(KeptValue::Bool(value)),
            Field::Number(raw) => Some(KeptValue::Number(raw.into())),
            Field::Index(number) => Some(KeptValue::Number(number.to_string().into_bytes().into())),
            Field::Text(raw) => Some(KeptValue::Text(raw.into())),
            Field::Absent | Field::Unreadable | Field::Container(_) => None,
        }
    }

    /// Returns the value as JSON.
    pub(crate) fn value(&self) -> Value {
        match self {
            KeptValue::Null => Value::Null,
            KeptValue::Bool(value) => Value::Bool(*value),
            KeptValue::Number(raw) => serde_json::from_slice(raw).unwrap_or_default(),
            KeptValue::Text(raw) => Value::String(unescaped_lossy(raw).into_owned()),
        }
    }

    /// Returns whether a field of an event can have been kept like this.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            KeptValue::Text(raw) => is_string_content(raw),
            KeptValue::Null | KeptValue::Bool(_) | KeptValue::Number(_) => true,
        }
    }

    pub(crate) fn field(&self) -> Field<'_> {
        match self {
            KeptValue::Null => Field::Null,
            KeptValue::Bool(value) => Field::Bool(*value),
            KeptValue::Number(raw) => Field::Number(raw),
            KeptValue::Text(raw) => Field::Text(raw),
        }
    }

    /// Returns whether a field has this value. `true` for a field that is missing or cannot be read, as it contradicts
    /// nothing.
    pub(crate) fn equals(&self, field: Field<'_>) -> bool {
        match (self.field(), field) {
            (_, Field::Absent | Field::Unreadable | Field::Container(_)) => true,
            (Field::Text(a), Field::Text(b)) => a == b || unescaped(a) == unescaped(b),
            (Field::Number(a), Field::Number(b)) => is_same_number(a, b),
            (Field::Number(a), Field::Index(b)) => number(a) == Some(f64::from(b)),
            (a, b) => a == b,
        }
    }

    /// Formats the value for a message.
    pub(crate) fn display(&self) -> String {
        display_field(self.field())
    }
}

/// Formats a field's value for a message.
pub(crate) fn display_field(field: Field<'_>) -> String {
    match field {
        Field::Null => "null".to_owned(),
        Field::Bool(value) => value.to_string(),
        Field::Number(raw) => String::from_utf8_lossy(raw).into_owned(),
        Field::Index(number) => number.to_string(),
        Field::Text(raw) => display_text(&unescaped(raw)),
        Field::Absent | Field::Unreadable | Field::Container(_) => "something else".to_owned(),
    }
}

/// Quotes and shortens a text for a message.
pub(crate) fn display_text(text: &[u8]) -> String {
    quoted(&String::from_utf8_lossy(text), SHOWN_CHARS)
}
