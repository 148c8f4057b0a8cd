//! The entrance to the fast path: reads an event by a template that was learned, or finds its type and runs the type's
//! program.

mod line;
mod templates;

use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{count_characters, has_replacement, starts_with};
use crate::input::Frame;
use crate::protocol::Protocol;
use crate::schema::captures::Captures;
use crate::schema::program::Memory;
use crate::schema::template::{EventStart, Reading};
use crate::schema::walk::{any_value, read, string_member};
pub(crate) use line::FastLine;
use line::{Lead, behind_event};
use templates::{Fitting, Templates};

/// Finds the type of an event without parsing the event, and reads the event on the fast path.
#[derive(Clone)]
pub(crate) struct FastReader {
    protocol: Protocol,
    /// The name of the member that holds the event's type.
    key: Arc<[u8]>,
    /// What most events begin with: a brace, this name, and the quote with which the type begins.
    opening: Arc<[u8]>,
    /// Whether server-sent events must have their names.
    needs_name: bool,
    /// By event type: what is remembered of its last events.
    memories: Vec<Memory>,
    templates: Templates,
    /// The maximum length of a text that is tried, in bytes.
    longest: usize,
    /// Whether the next event has been tried by the templates already, and fits none.
    fits_none: bool,
    /// What the last line had before an event inside of something else.
    before: Vec<u8>,
    /// What it had behind the event, with its line end.
    behind: Vec<u8>,
    /// The number of those two: another one whenever they change.
    surroundings: NonZeroU64,
    /// The number of characters before the event.
    characters_before: u64,
    /// The number of objects and arrays that it opens.
    depth_before: usize,
}

/// An event that the fast path judged. It is valid if no violations were captured.
#[derive(Debug, PartialEq)]
pub(crate) struct FastEvent {
    /// The event's type, as an index of the protocol's event types.
    pub event_type: usize,
    /// The place of the event, as a byte range of the frame's text. If it is not all of it, what is around the event was
    /// not read.
    pub span: Range<usize>,
    /// The place of the type, as a byte range of the frame's text, with its quotes.
    pub type_span: Range<usize>,
}

/// The most violations of an event of which a template is learned.
const MOST_VIOLATIONS: usize = 8;
/// The length of what may be around an event, on either side, in bytes.
const LONGEST_AROUND: usize = 512;

impl FastReader {
    /// Returns a reader that has learned nothing yet.
    pub(crate) fn new(protocol: &Protocol) -> FastReader {
        let tables = protocol.tables();
        let key = tables.shape.event_type.0.last().map_or(&b""[..], String::as_bytes);
        FastReader {
            protocol: protocol.clone(),
            key: key.into(),
            opening: [b"{\"", key, b"\":\""].concat().into(),
            needs_name: tables.shape.event_field,
            memories: vec![Memory::default(); tables.events.len()],
            templates: Templates::new(tables.events.len()),
            longest: u32::MAX as usize,
            fits_none: false,
            before: Vec::new(),
            behind: Vec::new(),
            surroundings: NonZeroU64::MIN,
            characters_before: 0,
            depth_before: 0,
        }
    }

    /// Declines every event from now on, so that every one takes the slow path.
    pub(crate) fn decline_all(&mut self) {
        self.longest = 0;
    }

    /// Reads a frame that may be an event; returns `None` if the fast path is not sure.
    #[inline]
    pub(crate) fn read_frame(&mut self, frame: &Frame<'_>, captures: &mut Captures) -> Option<FastEvent> {
        let utf8 = frame.utf8 || simdutf8::basic::from_utf8(frame.text).is_ok();
        if !utf8 || has_replacement(frame.text) {
            return None;
        }
        self.read(frame.text, captures).or_else(|| self.read_inside(frame.text, captures))
    }

    /// Reads a valid event inside of a message, if the message begins like the last one that was read ahead: of a file that
    /// comes in pieces, one line of each is not. What is around the event is not read.
    fn read_inside(&mut self, text: &[u8], captures: &mut Captures) -> Option<FastEvent> {
        let start = self.before.len();
        if start == 0 || text.len() > self.longest || !starts_with(text, &self.before) || !text.ends_with(b"}") {
            return None;
        }
        let Fitting { event_type, end } = self.read_behind(text)?;
        let reading = self.reading().filter(|reading| !reading.has_violations())?;
        reading.capture(captures);
        Some(FastEvent { event_type, span: start..end, type_span: reading.type_span() })
    }

    /// Returns what the last event has, if that was read by a template.
    #[inline(always)]
    pub(crate) fn reading(&self) -> Option<Reading<'_>> {
        self.templates.reading()
    }

    /// Returns the number of edges in that reading.
    pub(crate) fn edges(&self) -> usize {
        self.templates.edges()
    }

    /// Reads the event on the first of these lines into `line`, if it fits a template: the line then ends with the event,
    /// so there is no search for its end, and what the event has is in its [reading](FastReader::reading). Returns `false`
    /// if the line must be read like any other. `longest`: the maximum length of an event, in bytes. The text must be valid
    /// UTF-8.
    ///
    /// `SERVER_SENT`: the event is the data of a server-sent event, all of whose lines are read.
    #[inline(always)]
    pub(crate) fn read_line<const SERVER_SENT: bool>(
        &mut self,
        lines: &[u8],
        longest: usize,
        line: &mut FastLine,
    ) -> bool {
        let lead = if SERVER_SENT { Lead::of(lines) } else { Some(Lead { start: 0, name: None }) };
        let Some(lead) = lead.filter(|lead| !(SERVER_SENT && lead.name.is_none() && self.needs_name)) else {
            return false;
        };
        let lines = &lines[lead.start..];
        if lines.len() > self.longest {
            return false;
        }
        // Most messages around events begin like the last one; no event does.
        let is_message = !SERVER_SENT && !self.before.is_empty() && starts_with(lines, &self.before);
        if is_message {
            return self.read_surrounded_line(lines, true, longest, line);
        }
        let Some(fitting) = self.templates.read(EventStart { text: lines, at: 0, outer: 0 }, &mut self.memories) else {
            self.fits_none = SERVER_SENT || !self.read_surrounded_line(lines, false, longest, line);
            return !self.fits_none;
        };
        // The slow way says whether another name contradicts the type.
        let may_be = fitting.end <= longest && lead.may_name(&self.protocol.tables().events[fitting.event_type].name);
        let Some(whole) = behind_event::<SERVER_SENT>(lines, fitting.end).filter(|_| may_be) else { return false };
        line.fill::<SERVER_SENT>(&lead, fitting.event_type, fitting.end, whole);
        true
    }

    /// Reads the event inside of the message on the first of these lines, like [`FastReader::read_line`]. What is around
    /// the event is not read: the caller must know it. `is_like_last`: whether the line begins like the last one with an
    /// event inside.
    #[inline(never)]
    fn read_surrounded_line(&mut self, lines: &[u8], is_like_last: bool, longest: usize, line: &mut FastLine) -> bool {
        if !is_like_last && !self.find_inside(lines) {
            return false;
        }
        let start = self.before.len();
        let Some(fitting) = self.read_behind(lines) else {
            self.learn_inside(&lines[start..]);
            return false;
        };
        let end = fitting.end;
        let rest = &lines[end..lines.len().min(end + LONGEST_AROUND)];
        // Most end like the last one, too.
        if self.behind.is_empty() || !starts_with(rest, &self.behind) {
            let Some(length) = memchr::memchr(b'\n', rest) else { return false };
            self.behind = rest[..=length].to_vec();
            self.surroundings = self.surroundings.saturating_add(1);
        }
        let line_end = end + self.behind.len() - 1;
        let text = lines[..line_end].strip_suffix(b"\r").unwrap_or(&lines[..line_end]);
        if text.len() > longest || text.len() < end || text.last() != Some(&b'}') {
            return false;
        }
        *line = FastLine {
            event_type: fitting.event_type,
            text: 0..text.len(),
            span: start..end,
            whole: line_end + 1,
            surroundings: Some(self.surroundings),
            characters_before: self.characters_before,
            lines_before: 0,
            lines: 1,
        };
        true
    }

    /// Reads the event in a text that begins like the last line before its event.
    #[inline(always)]
    fn read_behind(&mut self, text: &[u8]) -> Option<Fitting> {
        let event = EventStart { text, at: self.before.len(), outer: self.depth_before };
        self.templates.read(event, &mut self.memories)
    }

    /// Finds out where an event probably starts on a line that does not begin with one, and keeps what is before it.
    /// Returns `false` if there is none.
    fn find_inside(&mut self, lines: &[u8]) -> bool {
        // Most lines that no template fits are events all the same, and begin with one.
        if lines.first() != Some(&b'{') || starts_with(lines, &self.opening) {
            return false;
        }
        let head = &lines[..lines.len().min(LONGEST_AROUND)];
        let head = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
        let Some(at) = memchr::memmem::find(head, &self.opening) else { return false };
        self.before.clear();
        self.before.extend_from_slice(&head[..at]);
        self.surroundings = self.surroundings.saturating_add(1);
        self.characters_before = count_characters(&head[..at]);
        // Braces inside of strings make it too large, so that deep events are left to the slow path.
        self.depth_before = head[..at].iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
        true
    }

    /// Learns the template of an event inside of a message, which the slow path judges. `text` begins with the event.
    #[cold]
    fn learn_inside(&mut self, text: &[u8]) {
        if let Ok(end) = any_value(text, 0) {
            self.fits_none = true;
            self.read(&text[..end], &mut Captures::default());
        }
    }

    /// Reads an event that fits a template; what it has is in its [reading](FastReader::reading). The text must be valid
    /// UTF-8.
    #[inline]
    pub(crate) fn read_by_template(&mut self, text: &[u8]) -> Option<FastEvent> {
        if text.len() > self.longest || std::mem::take(&mut self.fits_none) {
            return None;
        }
        let fitting = self.templates.read(EventStart { text, at: 0, outer: 0 }, &mut self.memories);
        let Some(Fitting { event_type, .. }) = fitting.filter(|fitting| fitting.end == text.len()) else {
            self.fits_none = true;
            return None;
        };
        Some(FastEvent { event_type, span: 0..text.len(), type_span: self.templates.type_span() })
    }

    /// Reads an event; returns `None` if the fast path is not sure. The text must be valid UTF-8.
    pub(crate) fn read(&mut self, text: &[u8], captures: &mut Captures) -> Option<FastEvent> {
        if let Some(event) = self.read_by_template(text) {
            self.reading()?.capture(captures);
            return Some(event);
        }
        self.fits_none = false;
        if text.len() > self.longest {
            return None;
        }
        let mark = captures.mark();
        let inner = string_member(text, &self.key)?;
        let name = std::str::from_utf8(&text[inner.clone()]).ok()?;
        let event_type = self.protocol.named_type(name)?;
        let program = self.protocol.tables().events[event_type].plan().ok()?;
        let (memory, type_span) = (&mut self.memories[event_type], inner.start - 1..inner.end + 1);
        memory.prepare(program);
        read(program, text, memory, captures).ok()?;
        if captures.violations.len() - mark.violation <= MOST_VIOLATIONS {
            self.templates.learn((event_type, program), text, type_span.clone(), captures, mark);
        }
        Some(FastEvent { event_type, span: 0..text.len(), type_span })
    }
}

#[cfg(all(test, feature = "builtin"))]
mod tests {
    use super::*;

    /// Programs that take turns in one file each have a way of writing: what differs early tells most of them apart.
    #[test]
    fn events_of_many_ways_of_writing_are_found_again() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let mut reader = FastReader::new(protocol);
        let event = |way: usize, round: usize| {
            let own = format!("\"own_{}\":{round}", way / 4);
            let text = format!("\"text\":\"round {round}\"");
            let payload = match way % 4 {
                0 => format!("{own},\"session_id\":\"s{round}\",{text},\"done\":false"),
                1 => format!("\"session_id\":\"s{round}\",{own},{text},\"done\":false"),
                2 => format!("\"session_id\":\"s{round}\",{text},\"done\":false,{own}"),
                _ => format!("\"done\":false,{text},\"session_id\":\"s{round}\",{own}"),
            };
            format!(
                "{{\"type\":\"session.stream.chunk\",\"timestamp\":\"2026-01-01T00:00:0{round}Z\",\"payload\":{{{payload}}}}}"
            )
        };
        for round in 0..2 {
            for way in 0..160 {
                assert!(reader.read(event(way, round).as_bytes(), &mut Captures::default()).is_some());
            }
        }
        for way in (0..160).rev() {
            let text = event(way, 2);
            let found = reader.read_by_template(text.as_bytes());
            assert_eq!(found.map(|event| event.span), Some(0..text.len()), "{text}");
            assert!(reader.read_by_template(text.replace("own", "new").as_bytes()).is_none());
            reader.fits_none = false;
        }
    }
}
