//! Compiled texts: fields that arrive in pieces, the wholes that must equal them, and what they must be.

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::conditions::{Condition, Each};
use super::tables::{RuleId, States};

/// A text that arrives in pieces, and the wholes that must equal it.
#[derive(Debug)]
pub struct Text {
    /// What it is called in messages, unless it was put together from pieces.
    pub name: Arc<str>,
    /// The number of the lifecycle whose opening empties the text.
    pub within: Option<usize>,
    /// The number of parts of a key; 0 if there is one text.
    pub key_parts: usize,
    /// The message for the event with the first piece, for findings that refer to it.
    pub began: Arc<str>,
    /// The message for the event with the last whole, for findings that refer to it.
    pub given: Arc<str>,
    /// By event type: the pieces in the event.
    pub append: Vec<Vec<Append>>,
    /// By event type: alternatives of conditions, any of which lets the whole begin after the event.
    pub cut: Vec<Vec<Vec<Condition>>>,
    /// By event type: the wholes in the event, in order.
    pub whole: Vec<Vec<Whole>>,
    /// Whether a whole takes the place of the pieces, and the next one is compared with it; else it ends the text.
    pub keeps_wholes: bool,
    /// By event type: when the text must be JSON, each with the number of its entry in the table.
    pub json: Vec<Vec<(usize, TextJson)>>,
    /// Number of these entries.
    pub json_entries: usize,
    /// The rule to report where a whole that is not empty comes without a piece.
    pub no_pieces: Option<RuleId>,
}

impl Text {
    /// Returns whether a whole takes the place of the pieces, be it only until the event is judged.
    pub(crate) fn takes_wholes(&self) -> bool {
        self.keeps_wholes || self.json_entries > 0
    }

    /// Returns whether events of a type may change the text.
    pub(crate) fn is_touched_by(&self, event: usize) -> bool {
        !(self.append[event].is_empty()
            && self.cut[event].is_empty()
            && self.whole[event].is_empty()
            && self.json[event].is_empty())
    }
}

/// A field that is the next piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// The conditions under which the field is a piece.
    pub when: Vec<Condition>,
    /// The array in whose items the field is; the slots are then those of an item.
    pub each: Option<Each>,
    /// The slots of the text's key.
    pub key: Vec<usize>,
    /// The field's slot.
    pub slot: usize,
    /// The lifecycles, each with the states that it must be in after its own move.
    pub after: Vec<(usize, States)>,
    /// Whether the piece takes the place of all pieces before it.
    pub anew: bool,
}

/// A field that must equal the pieces of a text put together, or the whole before it.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The conditions under which the field is a whole.
    pub when: Vec<Condition>,
    /// The array in whose items the field is; the slots are then those of an item.
    pub each: Option<Each>,
    /// The slots of the text's key.
    pub key: Vec<usize>,
    /// The field's slot.
    pub slot: usize,
    /// The lifecycles, each with the states that it must have been in before the event.
    pub before: Vec<(usize, States)>,
    /// The rule to report if they differ.
    pub rule: RuleId,
    /// The rule to report if the whole is empty and only the text since the last cut is.
    pub empty: Option<RuleId>,
    /// Whether the text is empty afterwards.
    pub ends: bool,
}

/// Events after which a text must be JSON.
#[derive(Clone, Debug)]
pub struct TextJson {
    /// The conditions under which it must be.
    pub when: Vec<Condition>,
    /// The array for whose items it must be; the slots are then those of an item.
    pub each: Option<Each>,
    /// The slots of the first parts of the key.
    pub key: Vec<usize>,
    /// What it must be.
    pub is: JsonKind,
    /// Whether it may be empty.
    pub allows_empty: bool,
    /// The rule to report if it is not.
    pub rule: RuleId,
}

/// What a text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// Any JSON value.
    Any,
    /// A JSON object.
    Object,
}

impl JsonKind {
    /// Returns whether a text is such a value.
    pub(crate) fn holds(self, text: &str) -> bool {
        let is_object = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
        (self == JsonKind::Any || is_object) && serde_json::from_str::<IgnoredAny>(text).is_ok()
    }
}
