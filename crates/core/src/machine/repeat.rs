//! The short path through a step, for the events that most streams consist of: pieces of text that follow one another.

use super::EventView;
use super::field::Field;
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
    /// The values of [`Effects::condition_slots`], all of them booleans.
    fields: Vec<bool>,
}

impl RepeatPattern {
    /// Forgets the last event, because a lifecycle may have moved.
    pub(crate) fn clear(&mut self) {
        self.event_type = None;
    }

    /// Returns whether an event repeats the last one.
    fn matches(&self, event: &EventView<'_>, effects: &Effects) -> bool {
        self.event_type == Some(event.event_type)
            && effects
                .condition_slots
                .iter()
                .zip(&self.fields)
                .all(|(slot, value)| event.fields[*slot] == Capture::Bool(*value))
    }

    /// Records an event that moved no lifecycle.
    pub(crate) fn record(&mut self, event: &EventView<'_>, effects: &Effects) {
        self.fields.clear();
        for slot in &effects.condition_slots {
            let Capture::Bool(value) = event.fields[*slot] else { return self.clear() };
            self.fields.push(value);
        }
        self.event_type = Some(event.event_type);
    }
}

/// Applies an event that repeats the stream's last one and appends to a text. Returns `false`, and changes nothing, for
/// any other event.
#[inline]
pub(crate) fn apply_repeat(tables: &Tables, stream: &mut Stream, event: &EventView<'_>, scratch: &Scratch) -> bool {
    let effects = &tables.effects[event.event_type];
    if let Some((text, slot)) = effects.appends
        && stream.repeat.matches(event, effects)
        && let Field::Text(piece) = event.field(slot)
    {
        return stream.texts[text].append_simple(piece, scratch.max_text_bytes);
    }
    false
}
