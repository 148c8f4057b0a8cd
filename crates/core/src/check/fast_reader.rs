//! The fast way to an event: from its first bytes to its program.

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::starts_with;
use crate::input::Frame;
use crate::protocol::Protocol;
use crate::schema::captures::Captures;
use crate::schema::date_time::LastMinute;
use crate::schema::walk::{read, read_start, string_member};

/// Finds the type of an event without reading it, and reads it the fast way.
#[derive(Clone)]
pub(crate) struct FastReader {
    protocol: Protocol,
    /// The member that holds the event's type.
    key: Arc<[u8]>,
    beginnings: Arc<[Beginning]>,
    /// The type of the last event: most often also that of the next.
    last: usize,
    last_minute: LastMinute,
    /// By event type: how many of the next ones are not tried in the schema's order, because the last ones were in
    /// another, had more keys, or something was wrong with them.
    other_order: Vec<u8>,
    /// By event type: how many of the last ones, in a row, were tried in the schema's order in vain.
    in_vain: Vec<u8>,
    /// The longest text that it tries, in bytes.
    longest: usize,
    /// Whether the next event was tried in the schema's order already, in vain.
    tried: bool,
}

/// After so many events it is tried again whether they come in the schema's order.
const TRY_AGAIN: u8 = 32;
/// After so many in vain it is not tried for a while.
const MOST_IN_VAIN: u8 = 3;

/// How events of a type begin when they are written in the schema's order.
struct Beginning {
    event_type: usize,
    bytes: Box<[u8]>,
    /// Where the type stands in it, with its quotes.
    type_span: Range<usize>,
}

/// An event that was judged: valid, if nothing wrong was captured.
pub struct FastEvent {
    pub event_type: usize,
    pub type_span: Range<usize>,
}

/// A line whose event was judged before its end was known.
pub(crate) struct FastLine {
    pub judged: FastEvent,
    /// How long the event is, in bytes.
    pub length: usize,
    /// How long the line is, its end among it.
    pub whole: usize,
}

impl FastReader {
    pub(crate) fn new(protocol: &Protocol) -> FastReader {
        let tables = protocol.tables();
        let key = tables.shape.event_type.0.last().map_or(&b""[..], String::as_bytes);
        let mut beginnings = Vec::new();
        for (event_type, event) in tables.events.iter().enumerate() {
            let Ok(program) = &event.plan else { continue };
            let bytes = &program.beginning;
            // It must hold the whole of `{"type":"name"`, or it could be the beginning of another type too.
            let type_start = key.len() + 4;
            let type_end = type_start + event.name.len() + 2;
            let whole = format!("{{\"{}\":\"{}\"", String::from_utf8_lossy(key), event.name);
            if bytes.starts_with(whole.as_bytes()) {
                beginnings.push(Beginning { event_type, bytes: bytes.clone(), type_span: type_start..type_end });
            }
        }
        FastReader {
            protocol: protocol.clone(),
            key: key.into(),
            beginnings: beginnings.into(),
            last: 0,
            last_minute: LastMinute::default(),
            other_order: vec![0; tables.events.len()],
            in_vain: vec![0; tables.events.len()],
            longest: u32::MAX as usize,
            tried: false,
        }
    }

    /// A reader that does not try the schema's order first.
    #[cfg(any(test, feature = "two-paths"))]
    pub(crate) fn of_any_order(protocol: &Protocol) -> FastReader {
        let mut reader = FastReader::new(protocol);
        reader.other_order.fill(TRY_AGAIN);
        reader
    }

    /// Is not sure of any event from here on, so that every one goes the slow way.
    pub(crate) fn be_unsure(&mut self) {
        self.longest = 0;
    }

    /// Reads what may be an event; none if the fast way is not sure.
    #[inline]
    pub(crate) fn read_frame(&mut self, frame: &Frame<'_>, captures: &mut Captures) -> Option<FastEvent> {
        let utf8 = frame.utf8 || simdutf8::basic::from_utf8(frame.text).is_ok();
        if utf8 { self.read(frame.text, captures) } else { None }
    }

    /// Reads the event that stands on the first of these lines, if it is written in the schema's order: the end of the
    /// line is then where the event ends, and need not be looked for. None: it must be read as any other is, and what was
    /// captured is taken back. `longest`: how long an event may be, in bytes. The text is valid UTF-8.
    #[inline(always)]
    pub(crate) fn read_line(&mut self, lines: &[u8], longest: usize, captures: &mut Captures) -> Option<FastLine> {
        if lines.len() > self.longest {
            return None;
        }
        let beginning = self.beginning(lines)?;
        let Beginning { event_type, ref type_span, .. } = self.beginnings[beginning];
        let Ok(program) = &self.protocol.tables().events[event_type].plan else { return None };
        if self.other_order[event_type] > 0 {
            return None;
        }
        let mark = captures.mark();
        let length = read_start(program, lines, &mut self.last_minute, captures).ok().filter(|end| *end <= longest);
        let whole = length.and_then(|length| match lines.get(length..) {
            Some([b'\n', ..]) => Some(length + 1),
            Some([b'\r', b'\n', ..]) => Some(length + 2),
            _ => None,
        });
        let (Some(length), Some(whole)) = (length, whole) else {
            captures.truncate(mark);
            self.tried = true;
            return None;
        };
        self.in_vain[event_type] = 0;
        Some(FastLine { judged: FastEvent { event_type, type_span: type_span.clone() }, length, whole })
    }

    /// Reads an event; none if the fast way is not sure. The text is valid UTF-8.
    pub(crate) fn read(&mut self, text: &[u8], captures: &mut Captures) -> Option<FastEvent> {
        if text.len() > self.longest {
            self.tried = false;
            return None;
        }
        let (judged, begins) = self.find(text)?;
        let Ok(program) = &self.protocol.tables().events[judged.event_type].plan else { return None };
        let (other_order, in_vain) = (&mut self.other_order[judged.event_type], &mut self.in_vain[judged.event_type]);
        let in_order = begins && *other_order == 0;
        let tried = std::mem::take(&mut self.tried);
        let was_in_order = read(program, text, in_order && !tried, &mut self.last_minute, captures).ok()?;
        match (was_in_order, in_order) {
            (true, _) => *in_vain = 0,
            (false, true) => {
                *in_vain = (*in_vain + 1).min(MOST_IN_VAIN);
                *other_order = if *in_vain == MOST_IN_VAIN { TRY_AGAIN } else { 0 };
            }
            (false, false) => *other_order = other_order.saturating_sub(1),
        }
        Some(judged)
    }

    /// The way of beginning that a text has: most often that of the event before it.
    #[inline(always)]
    fn beginning(&mut self, text: &[u8]) -> Option<usize> {
        let last = self.beginnings.get(self.last);
        if last.is_some_and(|last| starts_with(text, &last.bytes)) {
            Some(self.last)
        } else {
            self.other_beginning(text)
        }
    }

    #[cold]
    fn other_beginning(&mut self, text: &[u8]) -> Option<usize> {
        self.last = self.beginnings.iter().position(|beginning| starts_with(text, &beginning.bytes))?;
        Some(self.last)
    }

    /// What the event will be if it is valid, and whether it begins as its flat program does.
    fn find(&mut self, text: &[u8]) -> Option<(FastEvent, bool)> {
        if let Some(index) = self.beginning(text) {
            let Beginning { event_type, type_span, .. } = &self.beginnings[index];
            return Some((FastEvent { event_type: *event_type, type_span: type_span.clone() }, true));
        }
        let inner = string_member(text, &self.key)?;
        let name = std::str::from_utf8(&text[inner.clone()]).ok()?;
        let event_type = self.protocol.event_id(name)?;
        Some((FastEvent { event_type, type_span: inner.start - 1..inner.end + 1 }, false))
    }
}
