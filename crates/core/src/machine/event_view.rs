//! What the tables see of an event, and how they ask for places in it.

use std::ops::Range;
use std::sync::Arc;

use super::field::{Container, Field};
use crate::finding::Place;
use crate::input::EventNote;
use crate::schema::Pointer;
use crate::schema::captures::{Capture, EventFields, Items};
use crate::schema::date_time::Stamp;
use crate::schema::items::ArrayShape;
use crate::schema::template::Reading;

/// The parts of an event that the tables read.
#[derive(Clone, Copy)]
pub(crate) struct EventView<'a> {
    /// The number of the event's type.
    pub event_type: usize,
    /// The text that the captures point into.
    pub text: &'a [u8],
    /// The event's timestamp; `None` if it cannot be read.
    pub time: Option<Stamp<'a>>,
    /// The captured fields: first the slots of the event's type, then those of its arrays' items.
    pub fields: &'a [Capture],
    /// The captured items of each array of the event's type.
    pub items: &'a [Items],
    /// What is captured of the items of these arrays.
    pub arrays: &'a [ArrayShape],
    /// Locates the event in its file.
    pub locator: &'a dyn EventLocator,
}

impl<'a> EventView<'a> {
    /// Returns a field of the event.
    #[inline]
    pub(super) fn field(&self, slot: usize) -> Field<'a> {
        let inside = |start: u32, end: u32| &self.text[start as usize..end as usize];
        match self.fields[slot] {
            Capture::Absent => Field::Absent,
            Capture::Unreadable => Field::Unreadable,
            Capture::Null => Field::Null,
            Capture::Bool(value) => Field::Bool(value),
            Capture::Number(start, end) => Field::Number(inside(start, end)),
            Capture::Index(number) => Field::Index(number),
            Capture::Text(start, end) => Field::Text(inside(start, end)),
            Capture::Container { start, end, is_whole } => {
                Field::Container(Container { raw: inside(start, end), is_whole })
            }
        }
    }
}

impl EventFields for EventView<'_> {
    fn field(&self, at: usize) -> Option<Capture> {
        self.fields.get(at).copied()
    }

    fn items(&self) -> &[Items] {
        self.items
    }

    fn reading(&self) -> Option<Reading<'_>> {
        None
    }
}

/// Locates an event in its file. Called only when a place is needed, because computing one costs time.
pub(crate) trait EventLocator {
    /// Returns the event's type.
    fn event_type(&self) -> &Arc<str>;
    /// Notes the place of the whole event, reusing the memory of `noted`.
    fn note(&self, noted: &mut EventNote);
    /// Returns the event's text.
    fn text(&self) -> &[u8];
    /// Returns the place of a range of the event's text.
    fn part(&self, range: Range<usize>) -> Place;
    /// Returns the place of the whole event, for a finding that may come later.
    fn event(&self) -> Place;
    /// Returns the place of a field of the event; `None` if the field is not there.
    fn field(&self, pointer: &Pointer) -> Option<Place>;
}
