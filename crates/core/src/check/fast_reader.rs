//! The entrance to the fast path: finds the type of an event by its first bytes, and runs the type's program.

mod learned;
mod line;

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{count_characters, has_replacement, starts_with};
use crate::input::Frame;
use crate::protocol::Protocol;
use crate::schema::captures::Captures;
use crate::schema::program::Memory;
use crate::schema::walk::{Start, read, read_start, string_member};
use learned::Shape;
pub(crate) use line::FastLine;
use line::{Lead, behind_event};

/// Finds the type of an event without parsing the event, and reads the event on the fast path.
#[derive(Clone)]
pub(crate) struct FastReader {
    protocol: Protocol,
    /// The name of the member that holds the event's type.
    key: Arc<[u8]>,
    /// Whether server-sent events must have their names.
    needs_name: bool,
    /// The beginnings that name their type, of the types that have come.
    beginnings: Vec<Beginning>,
    /// The event types whose first event that names its type first has not come.
    awaited: Vec<usize>,
    /// The beginning of the last event, as an index: most often also that of the next.
    last: usize,
    /// By event type: what is remembered of its last events.
    memories: Vec<Memory>,
    /// By event type: the number of events still to come that are not tried in the schema's order, because the last
    /// ones were in another order, had more keys, or had faults.
    backoff: Vec<u8>,
    /// By event type: the number of failed tries in the schema's order since the last one that succeeded.
    failed_tries: Vec<u8>,
    /// The maximum length of a text that is tried, in bytes.
    longest: usize,
    /// Whether the next event has already been tried in the schema's order and failed.
    tried_in_order: bool,
    /// The ends of events that name the type last.
    endings: Vec<Ending>,
    /// The ending of the last event that was found by its ending, as an index.
    last_ending: usize,
    /// Shapes of events that are not the schema's own.
    shapes: Vec<Shape>,
    /// The shape of the last event, as an index, if it had one of these.
    last_shape: Option<usize>,
    /// What the last line had before an event inside of something else.
    before: Vec<u8>,
    /// The number of characters of it.
    characters_before: u64,
    /// The number of objects and arrays that it opens.
    depth_before: usize,
}

/// The number of events that are not tried in the schema's order after too many failed tries.
const BACKOFF: u8 = 32;
/// The number of failed tries in a row after which [`BACKOFF`] events are not tried.
const TRIES_BEFORE_BACKOFF: u8 = 3;

/// The first bytes of the events of a type that are written in the schema's order. The type's program is compiled.
#[derive(Clone)]
struct Beginning {
    event_type: usize,
    bytes: Box<[u8]>,
    /// The place of the type in `bytes`, with its quotes.
    type_span: Range<usize>,
}

/// The last bytes of events of a type that name it in their last member.
#[derive(Clone)]
struct Ending {
    event_type: usize,
    /// The bytes from the member's key to the end.
    bytes: Box<[u8]>,
    /// The place of the type in `bytes`, with its quotes.
    type_span: Range<usize>,
}

/// An event that the fast path judged. It is valid if no violations were captured.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct FastEvent {
    /// The event's type, as an index of the protocol's event types.
    pub event_type: usize,
    /// The place of the event, as a byte range of the frame's text. If it is not all of it, what is around the event was
    /// not read.
    pub span: Range<usize>,
    /// The place of the type, as a byte range of the frame's text, with its quotes.
    pub type_span: Range<usize>,
}

/// The length of what may be around an event, on either side, in bytes.
const LONGEST_AROUND: usize = 512;
/// The number of endings that are remembered.
const MOST_ENDINGS: usize = 64;
/// Returns what follows `{"type":"` in a text that begins with this.
fn behind_type_key<'t>(text: &'t [u8], key: &[u8]) -> Option<&'t [u8]> {
    text.strip_prefix(b"{\"")?.strip_prefix(key)?.strip_prefix(b"\":\"")
}

/// Returns whether a text begins with a name and the quotation mark behind it.
fn is_name(text: &[u8], name: &str) -> bool {
    text.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'"'))
}

impl FastReader {
    /// Returns a reader that tries every event type in the schema's order first.
    pub(crate) fn new(protocol: &Protocol) -> FastReader {
        let tables = protocol.tables();
        let key = tables.shape.event_type.0.last().map_or(&b""[..], String::as_bytes);
        FastReader {
            protocol: protocol.clone(),
            key: key.into(),
            needs_name: tables.shape.event_field,
            beginnings: Vec::new(),
            awaited: (0..tables.events.len()).collect(),
            last: 0,
            memories: vec![Memory::default(); tables.events.len()],
            backoff: vec![0; tables.events.len()],
            failed_tries: vec![0; tables.events.len()],
            longest: u32::MAX as usize,
            tried_in_order: false,
            endings: Vec::new(),
            last_ending: 0,
            shapes: Vec::new(),
            last_shape: None,
            before: Vec::new(),
            characters_before: 0,
            depth_before: 0,
        }
    }

    /// Returns a reader that does not try the schema's order first.
    #[cfg(any(test, feature = "two-paths"))]
    pub(crate) fn for_any_order(protocol: &Protocol) -> FastReader {
        let mut reader = FastReader::new(protocol);
        reader.backoff.fill(BACKOFF);
        reader
    }

    /// Declines every event from now on, so that every one takes the slow path.
    pub(crate) fn decline_all(&mut self) {
        self.longest = 0;
    }

    /// Reads a frame that may be an event; returns `None` if the fast path is not sure.
    #[inline]
    pub(crate) fn read_frame(&mut self, frame: &Frame<'_>, captures: &mut Captures) -> Option<FastEvent> {
        let utf8 = frame.utf8 || simdutf8::basic::from_utf8(frame.text).is_ok();
        if utf8 && !has_replacement(frame.text) { self.read(frame.text, captures) } else { None }
    }

    /// Reads the event on the first of these lines into `line`, if it is written in the schema's order: the line then ends
    /// with the event, so there is no search for its end. Returns `false`, with `captures` as before, if the line must be
    /// read like any other. `longest`: the maximum length of an event, in bytes. The text must be valid UTF-8.
    ///
    /// `SERVER_SENT`: the event is the data of a server-sent event, all of whose lines are read.
    #[inline(always)]
    pub(crate) fn read_line<const SERVER_SENT: bool>(
        &mut self,
        lines: &[u8],
        longest: usize,
        captures: &mut Captures,
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
        if self.last_shape.is_some() && self.read_learned_line::<SERVER_SENT>(&lead, lines, longest, captures, line) {
            return true;
        }
        // Most messages around events begin like the last one; no event does.
        let is_message = !SERVER_SENT && !self.before.is_empty() && starts_with(lines, &self.before);
        let beginning = if is_message { None } else { self.beginning(lines) };
        let Some(beginning) = beginning else {
            return !SERVER_SENT && self.read_surrounded_line(lines, is_message, longest, captures, line);
        };
        let Beginning { event_type, ref type_span, .. } = self.beginnings[beginning];
        let event = &self.protocol.tables().events[event_type];
        let Some(program) = event.compiled() else { return false };
        // The slow way says whether another name contradicts the type.
        if self.backoff[event_type] > 0 || !lead.may_name(&event.name) {
            return false;
        }
        let mark = captures.mark();
        let length = read_start(program, lines, Start::default(), &mut self.memories[event_type], captures)
            .ok()
            .filter(|end| *end <= longest);
        let whole = length.and_then(|length| behind_event::<SERVER_SENT>(lines, length));
        let (Some(length), Some(whole)) = (length, whole) else {
            captures.truncate(mark);
            self.tried_in_order = true;
            return false;
        };
        self.failed_tries[event_type] = 0;
        self.last_shape = None;
        line.fill::<SERVER_SENT>(&lead, event_type, 0..length, type_span.clone(), whole);
        true
    }

    /// Reads the event inside of the message on the first of these lines, like [`FastReader::read_line`]. What is around
    /// the event is not read: the caller must know it. `is_like_last`: whether the line begins like the last one with an
    /// event inside.
    #[inline(never)]
    fn read_surrounded_line(
        &mut self,
        lines: &[u8],
        is_like_last: bool,
        longest: usize,
        captures: &mut Captures,
        line: &mut FastLine,
    ) -> bool {
        let Some(start) = self.start_inside(lines, is_like_last) else { return false };
        let Some(beginning) = self.beginning(&lines[start.at..]) else { return false };
        let Beginning { event_type, ref type_span, .. } = self.beginnings[beginning];
        let Some(program) = self.protocol.tables().events[event_type].compiled() else { return false };
        let mark = captures.mark();
        let end = read_start(program, lines, start, &mut self.memories[event_type], captures);
        let message = end.ok().and_then(|end| {
            let rest = &lines[end..lines.len().min(end + LONGEST_AROUND)];
            let line_end = end + memchr::memchr(b'\n', rest)?;
            let text = lines[..line_end].strip_suffix(b"\r").unwrap_or(&lines[..line_end]);
            let is_read = text.len() <= longest && text.len() >= end && text.last() == Some(&b'}');
            is_read.then_some((end, text.len(), line_end + 1))
        });
        let Some((end, length, whole)) = message else {
            captures.truncate(mark);
            return false;
        };
        let type_span = start.at + type_span.start..start.at + type_span.end;
        line.fill::<false>(&Lead { start: 0, name: None }, event_type, start.at..end, type_span, whole);
        line.span = 0..length;
        line.characters_before = self.characters_before;
        true
    }

    /// Returns where an event probably starts on a line that does not begin with one.
    fn start_inside(&mut self, lines: &[u8], is_like_last: bool) -> Option<Start> {
        if !is_like_last {
            let head = &lines[..lines.len().min(LONGEST_AROUND)];
            let head = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
            let key = [b"{\"", &*self.key, b"\":\""].concat();
            let at = memchr::memmem::find(head, &key).filter(|at| *at > 0 && head[0] == b'{')?;
            self.before.clear();
            self.before.extend_from_slice(&head[..at]);
            self.characters_before = count_characters(&head[..at]);
            // Braces inside of strings make it too large, so that deep events are left to the slow path.
            self.depth_before = head[..at].iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
        }
        Some(Start { at: self.before.len(), depth: self.depth_before })
    }

    /// Reads an event like [`FastReader::read`], and faster if it is written in the schema's order.
    #[inline(always)]
    pub(crate) fn read_whole(&mut self, text: &[u8], captures: &mut Captures) -> Option<FastEvent> {
        if let Some(beginning) = self.beginning(text)
            && text.len() <= self.longest
        {
            let Beginning { event_type, ref type_span, .. } = self.beginnings[beginning];
            if let Some(program) = self.protocol.tables().events[event_type].compiled()
                && self.backoff[event_type] == 0
            {
                let mark = captures.mark();
                let end = read_start(program, text, Start::default(), &mut self.memories[event_type], captures);
                if end == Ok(text.len()) {
                    self.failed_tries[event_type] = 0;
                    return Some(FastEvent { event_type, span: 0..text.len(), type_span: type_span.clone() });
                }
                captures.truncate(mark);
                self.tried_in_order = true;
            }
        }
        self.read(text, captures)
    }

    /// Reads an event; returns `None` if the fast path is not sure. The text must be valid UTF-8.
    pub(crate) fn read(&mut self, text: &[u8], captures: &mut Captures) -> Option<FastEvent> {
        if text.len() > self.longest {
            self.tried_in_order = false;
            return None;
        }
        if self.last_shape.is_some() {
            let mark = captures.mark();
            match self.read_by_last_shape(text, captures) {
                Some(event) if event.span.end == text.len() => return Some(event),
                _ => captures.truncate(mark),
            }
        }
        let (fast_event, begins) = self.find(text)?;
        let event_type = fast_event.event_type;
        let program = self.protocol.tables().events[event_type].compiled()?;
        let in_order = begins && self.backoff[event_type] == 0;
        let tried_in_order = std::mem::take(&mut self.tried_in_order);
        let (memory, mark) = (&mut self.memories[event_type], captures.mark());
        if in_order && !tried_in_order {
            if read_start(program, text, Start::default(), memory, captures) == Ok(text.len()) {
                self.failed_tries[event_type] = 0;
                return Some(fast_event);
            }
            captures.truncate(mark);
        }
        if let Some(event) = self.read_by_shapes(event_type, text, captures) {
            return Some(event);
        }
        let program = self.protocol.tables().events[event_type].compiled()?;
        read(program, text, &mut self.memories[event_type], captures).ok()?;
        let (backoff, failed_tries) = (&mut self.backoff[event_type], &mut self.failed_tries[event_type]);
        if in_order {
            *failed_tries = (*failed_tries + 1).min(TRIES_BEFORE_BACKOFF);
            *backoff = if *failed_tries == TRIES_BEFORE_BACKOFF { BACKOFF } else { 0 };
        } else {
            *backoff = backoff.saturating_sub(1);
        }
        if captures.violations.len() == mark.violation && captures.unknown.len() == mark.unknown {
            self.learn_shape(event_type, text);
        }
        Some(fast_event)
    }

    /// Finds the beginning of a text, as an index. Tries that of the previous event first.
    #[inline(always)]
    fn beginning(&mut self, text: &[u8]) -> Option<usize> {
        let last = self.beginnings.get(self.last);
        if last.is_some_and(|last| starts_with(text, &last.bytes)) {
            Some(self.last)
        } else {
            self.other_beginning(text)
        }
    }

    /// Finds the beginning of a text that does not begin like the previous event.
    #[cold]
    fn other_beginning(&mut self, text: &[u8]) -> Option<usize> {
        let known = self.beginnings.iter().position(|beginning| starts_with(text, &beginning.bytes));
        self.last = known.or_else(|| self.first_beginning(text))?;
        Some(self.last)
    }

    /// Finds the beginning of a text that may be the first event of its type.
    fn first_beginning(&mut self, text: &[u8]) -> Option<usize> {
        let events = &self.protocol.tables().events;
        let rest = behind_type_key(text, &self.key)?;
        let awaited = self.awaited.iter().position(|awaited| is_name(rest, &events[*awaited].name))?;
        let event_type = self.awaited.swap_remove(awaited);
        let event = &events[event_type];
        let program = event.plan().ok()?;
        // A beginning without the whole of `{"type":"name"` may fit another type, too.
        behind_type_key(&program.flat.beginning, &self.key).filter(|rest| is_name(rest, &event.name))?;
        self.memories[event_type].prepare(program);
        let type_start = self.key.len() + 4;
        let type_span = type_start..type_start + event.name.len() + 2;
        self.beginnings.push(Beginning { event_type, bytes: program.flat.beginning.clone(), type_span });
        starts_with(text, &program.flat.beginning).then(|| self.beginnings.len() - 1)
    }

    /// Finds the type of an event, whose program is compiled then. Also returns whether the event begins in the schema's
    /// order.
    fn find(&mut self, text: &[u8]) -> Option<(FastEvent, bool)> {
        if let Some(index) = self.beginning(text) {
            let Beginning { event_type, type_span, .. } = &self.beginnings[index];
            return Some((
                FastEvent { event_type: *event_type, span: 0..text.len(), type_span: type_span.clone() },
                true,
            ));
        }
        if let Some(found) = self.by_ending(text) {
            return Some((found, false));
        }
        let inner = string_member(text, &self.key)?;
        let name = std::str::from_utf8(&text[inner.clone()]).ok()?;
        let event_type = self.protocol.named_type(name)?;
        if let Ok(program) = self.protocol.tables().events[event_type].plan() {
            self.memories[event_type].prepare(program);
        }
        self.learn_ending(text, event_type, &inner);
        let type_span = inner.start - 1..inner.end + 1;
        Some((FastEvent { event_type, span: 0..text.len(), type_span }, false))
    }

    /// Finds the type of an event by its last bytes. In valid JSON, a member right before the last brace is one of the
    /// outermost object.
    fn by_ending(&mut self, text: &[u8]) -> Option<FastEvent> {
        let is_last = |ending: &Ending| text.ends_with(&ending.bytes);
        if !self.endings.get(self.last_ending).is_some_and(is_last) {
            self.last_ending = self.endings.iter().position(is_last)?;
        }
        let Ending { event_type, bytes, type_span } = &self.endings[self.last_ending];
        let start = text.len() - bytes.len();
        let type_span = start + type_span.start..start + type_span.end;
        Some(FastEvent { event_type: *event_type, span: 0..text.len(), type_span })
    }

    /// Remembers how an event ends, if its type is its last member. `name`: the place of the type, without quotes.
    fn learn_ending(&mut self, text: &[u8], event_type: usize, name: &Range<usize>) {
        let key = [b"\"", &*self.key, b"\""].concat();
        let is_last = text[name.end + 1..].trim_ascii_start() == b"}";
        if let Some(start) = memchr::memmem::rfind(&text[..name.start - 1], &key)
            && is_last
            && self.endings.len() < MOST_ENDINGS
        {
            let type_span = name.start - 1 - start..name.end + 1 - start;
            self.endings.push(Ending { event_type, bytes: text[start..].into(), type_span });
            self.last_ending = self.endings.len() - 1;
        }
    }
}
