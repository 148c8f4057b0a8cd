//! Extracts the sessions and their tool calls from recorded streams, for comparison with stored records.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Location;
use super::frame_reader::FrameReader;
use crate::event::Event;
use crate::event::Options;
use crate::input::json::NodeKind;
use crate::input::{Input, Piece};
use crate::protocol::Protocol;
use crate::protocol::records::Reconciliation;
use crate::records::index::FieldValue;
use crate::schema::captures::Capture;
use crate::schema::date_time::Time;

/// The sessions in recorded streams, by id.
#[derive(Debug, Default)]
pub struct StreamedSessions {
    /// The sessions.
    pub sessions: BTreeMap<Box<str>, StreamedSession>,
    /// Number of events.
    pub events: u64,
    /// The location of the first part of each file that cannot be read, and the number of such parts in the file.
    pub unreadable: Vec<(Location, u64)>,
}

/// A session in a recorded stream.
#[derive(Debug)]
pub struct StreamedSession {
    /// The earliest event that has a time, or the first event if none has.
    pub first: TimedEvent,
    /// The latest event that has a time, or the first event if none has.
    pub last: TimedEvent,
    /// The tool calls, in the order of their starts in the stream.
    pub calls: Vec<ToolCall>,
    /// The newest call of each call id, as an index into `calls`.
    by_id: HashMap<Box<str>, usize>,
}

/// The time and the location of an event.
#[derive(Clone, Debug)]
pub struct TimedEvent {
    /// The event's time; `None` if it is missing or cannot be read.
    pub time: Option<Time>,
    /// The location of the event.
    pub location: Location,
}

/// A tool call.
#[derive(Debug)]
pub struct ToolCall {
    /// The tool's name.
    pub name: Box<str>,
    /// The event that started the call.
    pub started: TimedEvent,
    /// The event that completed the call, if there is one.
    pub completed: Option<TimedEvent>,
    /// The event that reported the call's result, if there is one, and whether the call succeeded, if
    /// the result has that field.
    pub result: Option<(TimedEvent, Option<bool>)>,
}

/// Reads the sessions and tool calls in one file of a recorded stream.
pub struct StreamReader<'r> {
    input: Input,
    extractor: StreamExtractor<'r>,
}

/// Extracts sessions and tool calls from the frames of one file.
struct StreamExtractor<'r> {
    events: &'r Protocol,
    reconcile: &'r Reconciliation,
    frames: FrameReader,
    /// The number of the next event.
    number: u64,
    streamed: &'r mut StreamedSessions,
}

impl<'r> StreamReader<'r> {
    /// Returns a reader that adds the sessions of a file to `streamed`. `events`: the protocol of the stream.
    /// `reconcile`: the mapping between its events and records.
    pub fn new(
        events: &'r Protocol,
        reconcile: &'r Reconciliation,
        options: &Options,
        file: Arc<str>,
        streamed: &'r mut StreamedSessions,
    ) -> StreamReader<'r> {
        let input = Input::new(options.wire(), options.max_line_bytes());
        let frames = FrameReader::new(file, options.excerpts());
        StreamReader { input, extractor: StreamExtractor { events, reconcile, frames, number: 0, streamed } }
    }

    /// Reads the next bytes of the decompressed file; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let StreamReader { input, extractor } = self;
        input.feed(bytes, &mut |piece| extractor.piece(piece));
    }

    /// Ends the file.
    pub fn finish(self) {
        let StreamReader { mut input, mut extractor } = self;
        input.finish(&mut |piece| extractor.piece(piece));
        extractor.streamed.events += extractor.number;
        extractor.streamed.unreadable.extend(extractor.frames.unreadable);
    }
}

impl StreamExtractor<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let Some((frame, tree)) = self.frames.frame(piece) else { return };
        let (frame, text) = (&frame, frame.text);
        let Ok(event) = Event::find(&tree.root, text, self.events, false) else { return };
        let shape = &self.events.tables().shape;
        let number = self.number;
        self.number += 1;
        let value = |at: &crate::schema::Pointer| FieldValue::of(text, event.field(text, at));
        let Some(session) = shape.stream.as_ref().and_then(value) else { return };
        let (span, mark) = (event.node.span.clone(), event.type_span.clone());
        let place = match self.frames.excerpts {
            true => frame.remembered(span, mark, Some(number)),
            false => frame.bare_place(span, Some(number)),
        };
        let event_type = Some((&*event.name).into());
        let location = Location { event_type, ..Location::new(&self.frames.file, place) };
        let timed = TimedEvent { time: shape.time.as_ref().and_then(value).and_then(|time| time.time()), location };
        let session = self.streamed.sessions.entry(session.id().into()).or_insert_with(|| StreamedSession::new(&timed));
        session.extend_to(&timed);
        let Reconciliation { started, completed, results, each, .. } = self.reconcile;
        if *event.name == *started.0 {
            if let (Some(id), Some(name)) = (value(&started.1), value(&started.2)) {
                session.by_id.insert(id.id().into(), session.calls.len());
                session.calls.push(ToolCall { name: name.id().into(), started: timed, completed: None, result: None });
            }
        } else if *event.name == *completed.0 {
            if let Some(call) = value(&completed.1).and_then(|id| session.call(id.id())) {
                call.completed = Some(timed);
            }
        } else if *event.name == **results
            && let Some(NodeKind::Array(items)) = event.node.at(text, &each.0.0).map(|array| &array.kind)
        {
            for item in items {
                let item = Event::of(item, "");
                let ok = match item.field(text, &each.2) {
                    Capture::Bool(ok) => Some(ok),
                    _ => None,
                };
                if let Some(call) = FieldValue::of(text, item.field(text, &each.1)).and_then(|id| session.call(id.id()))
                {
                    call.result = Some((timed.clone(), ok));
                }
            }
        }
    }
}

impl StreamedSession {
    /// Returns a session that has only this event.
    fn new(event: &TimedEvent) -> StreamedSession {
        StreamedSession { first: event.clone(), last: event.clone(), calls: Vec::new(), by_id: HashMap::new() }
    }

    /// Extends the session's range of time to an event that has a time.
    fn extend_to(&mut self, event: &TimedEvent) {
        if event.time.is_some() {
            if self.first.time.is_none_or(|first| event.time < Some(first)) {
                self.first = event.clone();
            }
            if self.last.time.is_none_or(|last| event.time >= Some(last)) {
                self.last = event.clone();
            }
        }
    }

    /// Returns the newest call that has this id.
    fn call(&mut self, id: &str) -> Option<&mut ToolCall> {
        self.by_id.get(id).and_then(|call| self.calls.get_mut(*call))
    }
}
