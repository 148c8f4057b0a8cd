//! The lines of an event that is read before their end is known.

use std::num::NonZeroU64;
use std::ops::Range;

use super::FastEvent;
use crate::input::Origin;
use crate::schema::template::Reading;

/// The beginning of the line of a server-sent event that has its data.
const DATA: &[u8] = b"data: ";
/// The beginning of the line that has its name.
const EVENT: &[u8] = b"event: ";
/// The length of the longest name that is read ahead, in bytes.
const LONGEST_NAME: usize = 100;

/// A line whose event was read before the end of the line was known.
#[derive(Default)]
pub(crate) struct FastLine {
    /// The number of the event's type.
    pub event_type: usize,
    /// The place in the lines of the text that the event stands in, in bytes: the line, or the data of a server-sent event.
    pub text: Range<usize>,
    /// The place of the event in that text, in bytes.
    pub span: Range<usize>,
    /// The length of the line, including its end, in bytes; of a server-sent event, that of all its lines.
    pub whole: usize,
    /// The number of what is around the event in its text, if that is known: the same number means the same bytes.
    pub surroundings: Option<NonZeroU64>,
    /// The number of characters in the text before the event.
    pub(super) characters_before: u64,
    /// The number of lines before the one with the event.
    pub(super) lines_before: u64,
    /// The number of those lines, of the one with the event and of the blank one behind it, if there is one.
    pub(super) lines: u64,
}

impl FastLine {
    /// Fills the line in, part by part: to move it would take as long as half of the rest. `span`: the place of the event,
    /// which is all of its text, behind its lead; `whole`: the length of the lines from there.
    #[inline(always)]
    pub(super) fn fill<const SERVER_SENT: bool>(
        &mut self,
        lead: &Lead<'_>,
        event_type: usize,
        length: usize,
        whole: usize,
    ) {
        self.event_type = event_type;
        self.text = lead.start..lead.start + length;
        self.span = 0..length;
        self.whole = lead.start + whole;
        self.surroundings = None;
        self.characters_before = 0;
        self.lines_before = u64::from(lead.name.is_some());
        self.lines = self.lines_before + 1 + u64::from(SERVER_SENT);
    }

    /// Returns the event, of which this is the reading.
    pub(crate) fn event(&self, reading: &Reading<'_>) -> FastEvent {
        FastEvent { event_type: self.event_type, span: self.span.clone(), type_span: reading.type_span() }
    }

    /// Returns the origin of the event, if the lines start at this one.
    #[inline]
    pub(crate) fn origin(&self, start: Origin) -> Origin {
        let at = self.text.start as u64;
        let column = if at == 0 { 1 } else { 1 + DATA.len() as u64 };
        Origin { offset: start.offset + at, line: start.line + self.lines_before, column }
    }

    /// Returns the origin of the event itself, which may stand inside of a message; `line` is that of the message.
    #[inline]
    pub(crate) fn event_origin(&self, line: Origin) -> Origin {
        let Origin { offset, column, .. } = line;
        Origin { offset: offset + self.span.start as u64, column: column + self.characters_before, ..line }
    }

    /// Returns the origin of the next line, if the lines start at this one.
    #[inline]
    pub(crate) fn next_origin(&self, start: Origin) -> Origin {
        Origin { offset: start.offset + self.whole as u64, line: start.line + self.lines, column: 1 }
    }
}

/// The lines of a server-sent event before its data.
pub(super) struct Lead<'t> {
    /// The start of the data.
    pub start: usize,
    /// The name of the event, if it has one.
    pub name: Option<&'t [u8]>,
}

impl<'t> Lead<'t> {
    /// Returns what is before the data of a server-sent event; `None` if it is anything else than a name.
    #[inline]
    pub(super) fn of(lines: &'t [u8]) -> Option<Lead<'t>> {
        let (mut name, mut rest) = (None, lines);
        if let Some(line) = lines.strip_prefix(EVENT) {
            let end = memchr::memchr(b'\n', &line[..line.len().min(LONGEST_NAME)])?;
            name = Some(line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]));
            rest = &line[end + 1..];
        }
        let data = rest.strip_prefix(DATA)?;
        Some(Lead { start: lines.len() - data.len(), name })
    }

    /// Returns whether the event may be of this type: nothing else is its name.
    #[inline]
    pub(super) fn may_name(&self, event_type: &str) -> bool {
        self.name.is_none_or(|name| *name == *event_type.as_bytes())
    }
}

/// Returns the position behind the line end at this position; `None` if there is none.
#[inline]
fn behind_line_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}

/// Returns the position behind the lines of an event that ends at this position; `None` if they go on.
#[inline]
pub(super) fn behind_event<const SERVER_SENT: bool>(text: &[u8], at: usize) -> Option<usize> {
    let behind = behind_line_end(text, at)?;
    if SERVER_SENT { behind_line_end(text, behind) } else { Some(behind) }
}
