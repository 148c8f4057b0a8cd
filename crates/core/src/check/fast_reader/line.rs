//! The lines of an event that is read before their end is known.

use std::ops::Range;

use super::FastEvent;
use crate::input::Origin;

/// The beginning of the line of a server-sent event that has its data.
const DATA: &[u8] = b"data: ";
/// The beginning of the line that has its name.
const EVENT: &[u8] = b"event: ";
/// The length of the longest name that is read ahead, in bytes.
const LONGEST_NAME: usize = 100;

/// A line whose event was judged before the end of the line was known.
#[derive(Default)]
pub(crate) struct FastLine {
    pub event: FastEvent,
    /// The place of the event in the lines, in bytes.
    pub span: Range<usize>,
    /// The length of the line, including its end, in bytes; of a server-sent event, that of all its lines.
    pub whole: usize,
    /// The number of characters on the line before the event, if it stands inside of a message.
    pub(super) characters_before: u64,
    /// The number of lines before the one with the event.
    lines_before: u64,
    /// The number of those lines, of the one with the event and of the blank one behind it, if there is one.
    lines: u64,
}

impl FastLine {
    /// Fills the line in, part by part. `span`: the place of the event behind its lead; `whole`: the length of the lines
    /// from there.
    #[inline(always)]
    pub(super) fn fill<const SERVER_SENT: bool>(
        &mut self,
        lead: &Lead<'_>,
        event_type: usize,
        span: Range<usize>,
        type_span: Range<usize>,
        whole: usize,
    ) {
        self.span = lead.start + span.start..lead.start + span.end;
        self.characters_before = 0;
        self.whole = lead.start + whole;
        self.lines_before = u64::from(lead.name.is_some());
        self.lines = self.lines_before + 1 + u64::from(SERVER_SENT);
        self.event.event_type = event_type;
        self.event.span = span;
        self.event.type_span = type_span;
    }

    /// Returns the origin of the event, if the lines start at this one.
    #[inline]
    pub(crate) fn origin(&self, start: Origin) -> Origin {
        let at = self.span.start as u64;
        let column = if at == 0 { 1 } else { 1 + DATA.len() as u64 };
        Origin { offset: start.offset + at, line: start.line + self.lines_before, column }
    }

    /// Returns the origin of the event itself, which may stand inside of a message; `line` is that of the message.
    #[inline]
    pub(crate) fn event_origin(&self, line: Origin) -> Origin {
        let Origin { offset, column, .. } = line;
        Origin { offset: offset + self.event.span.start as u64, column: column + self.characters_before, ..line }
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
