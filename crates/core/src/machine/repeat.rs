//! The short path through a step, for the events that most streams consist of: pieces of text that follow one another.

use super::EventView;
use super::step::Scratch;
use super::streams::Stream;
use crate::protocol::Tables;
use crate::protocol::tables::Effects;
use crate::schema::captures::Capture;

/// The event type and the fields of a stream's last event, if that event moved no lifecycle and reported nothing. Nor
/// does another event with the same ones. Nearly all events of a stream are such repeats: the pieces of its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct RepeatPattern {
    /// The type of the last event; `None` if it moved a lifecycle or reported something.
    event_type: Option<usize>,
    /// The values of [`Effects::condition_slots`], all of them booleans, as bits.
    conditions: u64,
}

/// An event that may repeat its stream's last one.
pub(crate) struct Repeat<'a> {
    /// The number of the event's type.
    pub event_type: usize,
    /// The text that the captures point into.
    pub text: &'a [u8],
    /// The captured fields: the slots of the event's type.
    pub fields: &'a [Capture],
}

impl RepeatPattern {
    /// Forgets the last event, because a lifecycle may have moved.
    pub(crate) fn clear(&mut self) {
        self.event_type = None;
    }

    /// Returns whether an event repeats the last one.
    #[inline]
    fn matches(&self, event: &Repeat<'_>, effects: &Effects) -> bool {
        self.event_type == Some(event.event_type) && conditions(event.fields, effects) == Some(self.conditions)
    }

    /// Records an event that moved no lifecycle.
    pub(crate) fn record(&mut self, event: &EventView<'_>, effects: &Effects) {
        let conditions = conditions(event.fields, effects);
        self.event_type = conditions.map(|_| event.event_type);
        self.conditions = conditions.unwrap_or_default();
    }
}

/// Returns the values of the fields that conditions read, as bits; `None` if they are more than bits, or other values than
/// booleans.
#[inline]
fn conditions(fields: &[Capture], effects: &Effects) -> Option<u64> {
    let slots = &effects.condition_slots;
    let mut bits = slots.iter().map(|slot| match fields[*slot] {
        Capture::Bool(value) => Some(u64::from(value)),
        _ => None,
    });
    if slots.len() > u64::BITS as usize { None } else { bits.try_fold(0, |all, bit| Some(all << 1 | bit?)) }
}

/// Applies an event that repeats the stream's last one and appends to a text. Returns `false`, and changes nothing, for
/// any other event.
#[inline]
pub(crate) fn apply_repeat(tables: &Tables, stream: &mut Stream, event: &Repeat<'_>, scratch: &Scratch) -> bool {
    let effects = &tables.effects[event.event_type];
    if let Some((text, slot)) = effects.appends
        && stream.repeat.matches(event, effects)
        && let Capture::Text(start, end) = event.fields[slot]
    {
        let piece = &event.text[start as usize..end as usize];
        let text = stream.texts.single(text);
        return text.is_some_and(|text| text.append_simple(piece, scratch.max_text_bytes));
    }
    false
}
