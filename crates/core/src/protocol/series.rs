//! Compiled series: values of events of which each follows from the one before.

use super::conditions::{Condition, Each};
use super::tables::RuleId;
use crate::schema::Pointer;

/// Values of which each follows from the one before: numbers that count up, or a value that stays the same.
#[derive(Debug)]
pub struct Series {
    /// The number of the lifecycle whose instances each have a series of their own; it starts afresh when they open, and is
    /// silent where they report a rule.
    pub within: Option<usize>,
    /// The number of parts of a key; 0 if there is one series.
    pub key_parts: usize,
    /// By event type: the values in the event, in order.
    pub values: Vec<Vec<SeriesValue>>,
    /// How the values follow one another.
    pub step: SeriesStep,
    /// The first value; `None` if it may be any.
    pub from: Option<i64>,
    /// Whether a value that is too far ahead says that events were lost.
    pub is_of_losses: bool,
    /// Where events of a type that is not known may have a value, as all events do that declare the field.
    pub open_at: Option<Pointer>,
    /// The event types that `*` passes over, because their schema does not declare the field or the key.
    pub passed_over: Vec<usize>,
    /// By event type: whether the series starts afresh with the event.
    pub restarts: Vec<bool>,
    /// The rule to report where a value does not follow.
    pub rule: RuleId,
}

/// How the values of a series follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesStep {
    /// Each is so much more than the one before.
    By {
        /// At least so much.
        least: u32,
        /// At most so much; 1 or more.
        most: u32,
    },
    /// Each is greater than the one before.
    Up,
    /// None is less than the one before.
    NotDown,
    /// All are the same as the first.
    Same,
}

/// A value of a series in the events of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesValue {
    /// The conditions under which it is one.
    pub when: Vec<Condition>,
    /// The array in whose items it is; the slots are then those of an item.
    pub each: Option<Each>,
    /// The slots of the key.
    pub key: Vec<usize>,
    /// The slot of the value.
    pub slot: usize,
}

impl SeriesValue {
    /// Returns whether the value is a field of the event itself, and of a series without a key.
    pub(crate) fn is_of_event(&self) -> bool {
        self.each.is_none() && self.key.is_empty()
    }
}
