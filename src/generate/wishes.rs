//! What a value should be like inside: wishes for fields, by their place in it.

use std::collections::BTreeMap;

use serde_json::Value;
use sessionlint_core::protocol::Scalar;
use sessionlint_core::protocol::conditions::{is_empty_value, plain_words, says_words};
use sessionlint_core::protocol::tables::Wanted;
use sessionlint_core::schema::Pointer;

/// What a field should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// This value.
    Be(Value),
    /// Not there, or null.
    Absent,
    /// There, and not null.
    Present,
    /// `""`, `[]` or `{}`, or not there, or null.
    Empty,
    /// There, and not empty.
    Full,
    /// None of what these want.
    Other(Vec<Wanted>),
    /// An array of so many items.
    Length(usize),
}

/// The wishes for a value and for what is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// The wish for the value itself.
    pub here: Option<Wish>,
    /// Those for its members, by name, and for its items, by index.
    pub inside: BTreeMap<String, Wishes>,
}

impl Wishes {
    /// Adds a wish, unless there is one for the field already. Two sets of values that are not wanted become one.
    pub fn add(&mut self, at: &Pointer, wish: Wish) {
        let field = at.0.iter().fold(self, |field, segment| field.inside.entry(segment.clone()).or_default());
        match (&mut field.here, wish) {
            (Some(Wish::Other(known)), Wish::Other(more)) => known.extend(more),
            // A field that should be something else than these, and has a value that is, is content.
            (Some(Wish::Other(unwanted)), Wish::Be(value)) => {
                if !unwanted.iter().any(|wanted| meets(Some(&value), wanted)) {
                    field.here = Some(Wish::Be(value));
                }
            }
            (Some(Wish::Present), wish @ (Wish::Be(_) | Wish::Full | Wish::Length(_))) => field.here = Some(wish),
            (Some(Wish::Full), Wish::Be(value)) if !is_empty_value(&value) => field.here = Some(Wish::Be(value)),
            (Some(_), _) => {}
            (none, wish) => *none = Some(wish),
        }
    }

    /// Returns the wish for a field.
    pub fn at(&self, at: &Pointer) -> Option<&Wish> {
        let field = at.0.iter().try_fold(self, |field, segment| field.inside.get(segment))?;
        field.here.as_ref()
    }

    /// Returns the number of items that an array at least has, by what is wished for its items.
    pub fn items(&self, at: &Pointer) -> usize {
        let Some(array) = at.0.iter().try_fold(self, |field, segment| field.inside.get(segment)) else { return 0 };
        let wanted = array.inside.iter().filter(|(_, inside)| inside.is_wanted());
        wanted.filter_map(|(index, _)| index.parse::<usize>().ok()).max().map_or(0, |index| index + 1)
    }

    /// Returns whether what was wished for so far leaves it open that a condition is met.
    pub fn may_meet(&self, at: &Pointer, wanted: &Wanted) -> bool {
        match self.at(at) {
            None | Some(Wish::Length(_)) => true,
            Some(Wish::Be(value)) => meets(Some(value), wanted),
            Some(Wish::Absent) => meets(None, wanted),
            Some(Wish::Present) => *wanted != Wanted::Present(false),
            Some(Wish::Empty) => !matches!(wanted, Wanted::Empty(false)),
            Some(Wish::Full) => !matches!(wanted, Wanted::Empty(true) | Wanted::Present(false)),
            Some(Wish::Other(unwanted)) => !unwanted.contains(wanted),
        }
    }

    /// Returns whether what was wished for so far meets a condition for certain.
    pub fn must_meet(&self, at: &Pointer, wanted: &Wanted) -> bool {
        match self.at(at) {
            Some(Wish::Be(value)) => meets(Some(value), wanted),
            Some(Wish::Absent) => meets(None, wanted),
            Some(Wish::Present) => *wanted == Wanted::Present(true),
            Some(Wish::Empty) => *wanted == Wanted::Empty(true),
            Some(Wish::Full) => matches!(wanted, Wanted::Present(true) | Wanted::Empty(false)),
            Some(Wish::Length(length)) => *wanted == Wanted::Present(true) || *wanted == Wanted::Empty(*length == 0),
            Some(Wish::Other(_)) | None => false,
        }
    }

    /// Returns whether a value with these wishes has something inside that should be there.
    pub fn is_wanted(&self) -> bool {
        match &self.here {
            Some(Wish::Absent) => false,
            Some(Wish::Be(_) | Wish::Present | Wish::Full | Wish::Length(_)) => true,
            Some(Wish::Empty | Wish::Other(_)) | None => self.inside.values().any(Wishes::is_wanted),
        }
    }

    /// Returns whether a value is what was wished for it, whatever is inside.
    pub fn are_met_by(&self, value: &Value) -> bool {
        match &self.here {
            None => true,
            Some(Wish::Be(wanted)) => value == wanted,
            Some(Wish::Absent) => value.is_null(),
            Some(Wish::Present) => !value.is_null(),
            Some(Wish::Empty) => is_empty_value(value),
            Some(Wish::Full) => !is_empty_value(value),
            Some(Wish::Other(unwanted)) => !unwanted.iter().any(|wanted| meets(Some(value), wanted)),
            Some(Wish::Length(length)) => value.as_array().is_some_and(|items| items.len() == *length),
        }
    }

    /// Calls `visit` with every value that is wished for, and its place.
    pub fn each_value(&self, at: &mut Vec<String>, visit: &mut impl FnMut(&[String], &Value)) {
        if let Some(Wish::Be(value)) = &self.here {
            visit(at, value);
        }
        for (segment, inside) in &self.inside {
            at.push(segment.clone());
            inside.each_value(at, visit);
            at.pop();
        }
    }
}

/// Returns whether a field, which is there or not, is what a condition wants.
pub fn meets(value: Option<&Value>, wanted: &Wanted) -> bool {
    let value = value.filter(|value| !value.is_null());
    match (wanted, value) {
        (Wanted::Present(is_present), value) => *is_present == value.is_some(),
        (Wanted::Empty(wants_empty), value) => *wants_empty == value.is_none_or(is_empty_value),
        (Wanted::Values(values), Some(value)) => values.iter().any(|wanted| match (wanted, value) {
            (Scalar::Integer(wanted), Value::Number(found)) => found.as_f64() == Some(*wanted as f64),
            (Scalar::Bool(wanted), Value::Bool(found)) => wanted == found,
            (Scalar::Text(wanted), Value::String(found)) => wanted == found,
            _ => false,
        }),
        (Wanted::Says(says), Some(Value::String(label))) => {
            says.iter().any(|words| says_words(&plain_words(label), words))
        }
        (Wanted::Values(_) | Wanted::Says(_), _) => false,
    }
}
