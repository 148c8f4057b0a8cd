//! What the machine reports: broken rules, with what a finding needs to say of them.

use std::sync::Arc;

use crate::finding::{Place, Related};
use crate::protocol::RuleId;

/// The part of an event, or the earlier event, that a verdict points at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    /// The event's type, which stands for the whole event.
    Type,
    /// The event's timestamp.
    Time,
    /// A field of the event, by slot.
    Slot(usize),
    /// A field that the event does not have, by slot: the object that lacks it.
    Missing(usize),
    /// The rest of a text field: its slot, and the number of bytes between its opening quote and the rest.
    Part(usize, usize),
    /// A field of an array's item.
    Item {
        /// The number of the array in the event's type.
        array: usize,
        /// The index of the item.
        index: usize,
        /// The slot of the field among those of the item.
        slot: usize,
    },
    /// A field that an array's item does not have, like [`Target::Item`]: the object that lacks it.
    MissingInItem {
        /// The number of the array in the event's type.
        array: usize,
        /// The index of the item.
        index: usize,
        /// The slot of the field among those of the item.
        slot: usize,
    },
    /// The member with this name of an object that another target is.
    Member(Box<Target>, Box<str>),
    /// A place of this or an earlier event, with that event's type.
    Earlier(Arc<Place>, Arc<str>),
    /// A field of an earlier event: its place, the event's type, and the field's pointer.
    EarlierField(Arc<Place>, Arc<str>, Arc<str>),
}

/// The values of the placeholders (words in braces) of a rule's message.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// A broken rule, with what a finding needs to report it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The rule that is broken.
    pub rule: RuleId,
    /// The name of the stream.
    pub stream: Arc<str>,
    /// The part of the event that the finding points at.
    pub at: Target,
    /// The earlier events that explain the finding.
    pub related: Vec<Related>,
    /// The values of the placeholders in the rule's message.
    pub facts: Facts,
    /// The words that the finding has.
    pub wording: Wording,
}

/// The words of a finding, where its rule has several or more is known than the rule says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Wording {
    /// The rule's own.
    #[default]
    Usual,
    /// The rule's `likely`.
    Likely,
    /// The rule's `again`.
    Again,
    /// The rule's message, with this help.
    Help(&'static str),
}
