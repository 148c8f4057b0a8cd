//! A trace of an input: its events one by one, with the moves that each made. It grows with the input, so callers take
//! the events as they come.

use std::sync::Arc;

use crate::event::finding_log::EventContext;
use crate::finding::{Excerpt, Place};
use crate::machine::{CellId, CellObserver, EventLocator, Move};
use crate::protocol::RuleId;

/// An event of an input, with the moves that it made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TracedEvent {
    /// The place of the event, without an excerpt. Its number in the file is there.
    pub place: Place,
    /// The event's JSON text, decoded, without what is around it.
    pub text: String,
    /// The name of the event's type.
    pub event_type: Arc<str>,
    /// The number of the type; `None` if the protocol does not have it.
    pub known_type: Option<usize>,
    /// The event's timestamp as it is written; `None` if it has none, or none that can be read.
    pub time: Option<String>,
    /// The name of the stream; empty if a file is one stream. `None` if the event has none that can be read.
    pub stream: Option<String>,
    /// The moves of instances, in the order in which they were made.
    pub moves: Vec<Move>,
}

/// Collects the events of an input until they are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) events: Vec<TracedEvent>,
}

impl Trace {
    /// Adds an event; the moves that are observed from here on are its own.
    pub(crate) fn begin_event(
        &mut self,
        here: &EventContext<'_>,
        known_type: Option<usize>,
        time: Option<&[u8]>,
        stream: Option<&[u8]>,
    ) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.events.push(TracedEvent {
            place: Place { excerpt: Excerpt::default(), ..here.event() },
            text: text(&here.frame.text[here.span.clone()]),
            event_type: here.event_type.clone(),
            known_type,
            time: time.map(text),
            stream: stream.map(text),
            moves: Vec::new(),
        });
    }
}

impl CellObserver for Trace {
    const ACTIVE: bool = true;
    const TRACES: bool = true;

    fn observe(&mut self, _: CellId) {}

    fn ask(&mut self, _: RuleId) {}

    fn note_move(&mut self, one: Move) {
        if let Some(event) = self.events.last_mut() {
            event.moves.push(one);
        }
    }
}
