//! What the fields of an event must be for a row or an entry of a table to apply.

use std::borrow::Cow;

use serde_json::Value;

use super::file::Scalar;

/// A field and what it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The field's slot.
    pub slot: usize,
    /// What it must be.
    pub wanted: Wanted,
}

/// An array whose items a row or an entry of a table is about, one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    /// The number of the array in its event type.
    pub array: usize,
    /// What an item must be, by slots of the item.
    pub when: Vec<Condition>,
    /// Whether the row is for the items that no other row over the same array takes.
    pub otherwise: bool,
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// One of these values.
    Values(Vec<Scalar>),
    /// A text that, as [`plain_words`] returns it, says one of these; see [`says_words`].
    Says(Vec<String>),
    /// There and not null, or else not there or null.
    Present(bool),
    /// Not there, null, `""`, `[]` or `{}`; or else there, and something else than these.
    Empty(bool),
}

impl Wanted {
    /// Returns the values that are named, and the empty text where emptiness is asked for.
    pub(crate) fn listed(&self) -> Vec<Scalar> {
        match self {
            Wanted::Values(values) => values.clone(),
            Wanted::Says(says) => says.iter().cloned().map(Scalar::Text).collect(),
            Wanted::Empty(_) => vec![Scalar::Text(String::new())],
            Wanted::Present(_) => Vec::new(),
        }
    }

    /// Returns whether some value can be what both want.
    fn meets(&self, other: &Wanted) -> bool {
        match (self, other) {
            (Wanted::Values(one), Wanted::Values(two)) => one.iter().any(|value| two.contains(value)),
            (Wanted::Says(one), Wanted::Says(two)) => one.iter().any(|one| two.iter().any(|two| may_agree(one, two))),
            (Wanted::Says(words), Wanted::Values(values)) | (Wanted::Values(values), Wanted::Says(words)) => {
                values.iter().any(|value| match value {
                    Scalar::Text(text) => words.iter().any(|words| says_words(&plain_words(text), words)),
                    Scalar::Bool(_) | Scalar::Integer(_) => false,
                })
            }
            (Wanted::Present(one), Wanted::Present(two)) => one == two,
            (Wanted::Empty(one), Wanted::Empty(two)) => one == two,
            (Wanted::Present(is_present), Wanted::Empty(is_empty))
            | (Wanted::Empty(is_empty), Wanted::Present(is_present)) => *is_present || *is_empty,
            (Wanted::Present(is_present), _) | (_, Wanted::Present(is_present)) => *is_present,
            (Wanted::Empty(is_empty), Wanted::Values(values)) | (Wanted::Values(values), Wanted::Empty(is_empty)) => {
                let empty = |value: &Scalar| matches!(value, Scalar::Text(text) if text.is_empty());
                values.iter().any(|value| empty(value) == *is_empty)
            }
            (Wanted::Empty(is_empty), Wanted::Says(words)) | (Wanted::Says(words), Wanted::Empty(is_empty)) => {
                !is_empty || words.iter().any(|words| says_words("", words))
            }
        }
    }
}

/// Returns whether an event can meet both sets of conditions: no field is required to be two different things.
pub fn overlap(a: &[Condition], b: &[Condition]) -> bool {
    !a.iter().any(|one| b.iter().any(|other| one.slot == other.slot && !one.wanted.meets(&other.wanted)))
}

/// Returns whether a label can say what both patterns want. Of two with a `*` it is not worth finding out.
fn may_agree(one: &str, two: &str) -> bool {
    match (one.contains('*'), two.contains('*')) {
        (true, true) => true,
        (true, false) => says_words(two, one),
        (false, _) => says_words(one, two),
    }
}

/// Returns whether a label, in plain words, says what is wanted: the same, where `*` stands for any text.
pub fn says_words(label: &str, wanted: &str) -> bool {
    let mut parts = wanted.split('*');
    let Some(mut rest) = parts.next().and_then(|first| label.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        // Labels are short: `str::find` would take longer to prepare its search than this takes to search.
        let found = |at: &usize| rest.as_bytes()[*at..].starts_with(part.as_bytes());
        let Some(at) = (0..=rest.len()).find(found) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Returns whether `{ empty = true }` fits a value: it is null, `""`, `[]` or `{}`.
pub fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns a label in the form in which labels are compared: in lower case, without surrounding space or a trailing
/// ellipsis.
pub fn plain_words(label: &str) -> Cow<'_, str> {
    let label = label.trim();
    let label = label.strip_suffix("...").or_else(|| label.strip_suffix('…')).unwrap_or(label).trim_end();
    let is_plain = label.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_plain { Cow::Borrowed(label) } else { Cow::Owned(label.to_lowercase()) }
}
