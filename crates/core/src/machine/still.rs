//! The short way through a step, for the events that most streams are made of.

use super::Observed;
use super::field::Field;
use super::step::Scratch;
use super::streams::Stream;
use crate::protocol::Tables;
use crate::protocol::tables::Effects;
use crate::schema::captures::Capture;

/// The last event of a stream, if it moved nothing but added to a text: the same again moves nothing either. So it is
/// with nearly all events of a stream, which are the pieces of its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Still {
    /// None: the last event moved something.
    event_type: Option<usize>,
    /// The fields that its rows look at.
    fields: Vec<bool>,
}

impl Still {
    /// Something may have moved.
    pub(crate) fn end(&mut self) {
        self.event_type = None;
    }

    fn is_again(&self, event: &Observed<'_>, effects: &Effects) -> bool {
        self.event_type == Some(event.event_type)
            && effects
                .looks_at
                .iter()
                .zip(&self.fields)
                .all(|(slot, value)| event.fields[*slot] == Capture::Bool(*value))
    }

    /// The event moved nothing.
    pub(crate) fn set(&mut self, event: &Observed<'_>, effects: &Effects) {
        self.fields.clear();
        for slot in &effects.looks_at {
            let Capture::Bool(value) = event.fields[*slot] else { return self.end() };
            self.fields.push(value);
        }
        self.event_type = Some(event.event_type);
    }
}

/// Moves a stream by an event that moves nothing and adds to a text. False: it is another event, and nothing was done.
#[inline]
pub(crate) fn apply_again(tables: &Tables, stream: &mut Stream, event: &Observed<'_>, scratch: &Scratch) -> bool {
    let effects = &tables.effects[event.event_type];
    if let Some((text, slot)) = effects.appends
        && stream.still.is_again(event, effects)
        && let Field::Text(piece) = event.field(slot)
    {
        return stream.texts[text].append_plainly(piece, scratch.max_text_bytes);
    }
    false
}
