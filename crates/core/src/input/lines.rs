//! Splits an input that has one JSON text a line.

use serde::{Deserialize, Serialize};

use crate::bytes::has_replacement;

use super::encoding::utf16_length;
use super::json::{trim_end, trim_start};
use super::{Frame, KEPT_OF_TOO_LONG, LineForm, MOST_BYTES, Origin, Piece, PieceSink, Segment, too_long};

/// A splitter into lines.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Lines {
    /// The origin of the next line.
    origin: Origin,
    /// The length of the longest frame, in bytes.
    limit: usize,
    /// The start of a line whose end has not arrived yet, at most `limit + 1` bytes of it.
    buffer: Vec<u8>,
    /// The length of that line so far, in bytes.
    length: u64,
    /// Whether the last byte of that line so far is a carriage return.
    after_return: bool,
    /// If the file is in UTF-16, the length that the line has there so far, in bytes.
    wide: Option<u64>,
}

impl Lines {
    /// Creates a splitter for lines from `origin` on.
    pub(crate) fn new(origin: Origin, limit: usize) -> Lines {
        Lines { origin, limit, buffer: Vec::new(), length: 0, after_return: false, wide: None }
    }

    /// Creates a splitter for lines from `origin` on, which the file has as UTF-16 if `wide`.
    pub(crate) fn of(origin: Origin, limit: usize, wide: bool) -> Lines {
        Lines { wide: wide.then_some(0), ..Lines::new(origin, limit) }
    }

    /// Returns whether the file has the lines as UTF-16.
    pub(crate) fn is_wide(&self) -> bool {
        self.wide.is_some()
    }

    /// Returns whether a splitter can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self, limit: usize) -> bool {
        self.origin.is_sound()
            && self.limit == limit
            && self.length.max(self.wide.unwrap_or(0)) < MOST_BYTES
            && self.buffer.len() as u64 <= self.length
            && self.buffer.len() <= limit.saturating_add(1)
    }

    /// Returns the position of the next byte: its offset, with the line and the column of the line's start.
    pub(crate) fn position(&self) -> Origin {
        Origin { offset: self.origin.offset + self.wide.unwrap_or(self.length), ..self.origin }
    }

    /// Returns whether the next byte starts a line.
    pub(crate) fn at_line_start(&self) -> bool {
        self.length == 0
    }

    /// Reads the next bytes, and passes on each piece that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut dyn PieceSink) {
        let mut rest = bytes;
        if self.is_wide() {
            return self.feed_wide(bytes, out);
        }
        if self.length > 0 {
            // The line that an earlier chunk began.
            let end = memchr::memchr(b'\n', rest);
            self.push(&rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else { return };
            let buffer = std::mem::take(&mut self.buffer);
            self.line(&buffer, self.length, true, false, &mut |piece| out.piece(piece));
            self.buffer = buffer;
            self.buffer.clear();
            self.length = 0;
            rest = &rest[end + 1..];
        }
        // Validating all whole lines at once is faster than line by line.
        let whole = memchr::memrchr(b'\n', rest).map_or(0, |end| end + 1);
        let (lines, tail) = rest.split_at(whole);
        let utf8 = simdutf8::basic::from_utf8(lines).is_ok();
        // The slow path reports what was decoded wrongly.
        let is_ahead = utf8 && !has_replacement(lines);
        let mut lines = lines;
        loop {
            if is_ahead {
                let behind = out.ahead(lines, self.origin, self.limit, LineForm::Bare);
                lines = &lines[(behind.offset - self.origin.offset) as usize..];
                self.origin = behind;
            }
            let Some(end) = memchr::memchr(b'\n', lines) else { break };
            self.line(&lines[..end], end as u64, true, utf8, &mut |piece| out.piece(piece));
            lines = &lines[end + 1..];
        }
        if !tail.is_empty() {
            self.push(tail);
        }
    }

    /// Reads the next bytes of a file that has them as UTF-16.
    #[cold]
    fn feed_wide(&mut self, bytes: &[u8], out: &mut dyn PieceSink) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.push(line);
            if line.len() < piece.len() {
                let buffer = std::mem::take(&mut self.buffer);
                self.line(&buffer, self.length, true, false, &mut |piece| out.piece(piece));
                self.buffer = buffer;
                self.buffer.clear();
                self.length = 0;
            }
        }
    }

    /// Passes on the last line, if it has no line end.
    pub(crate) fn finish(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        if self.length > 0 {
            let buffer = std::mem::take(&mut self.buffer);
            self.line(&buffer, self.length, false, false, out);
        }
    }

    /// Returns the last line, as it stands in the file, and its origin; `None` if it has a line end, is longer than a
    /// frame may be, or stands in the file as UTF-16.
    pub(crate) fn open_line(&self) -> Option<(&[u8], Origin)> {
        let is_whole = self.buffer.len() as u64 == self.length && self.buffer.len() <= self.limit;
        (self.length > 0 && is_whole && !self.is_wide()).then_some((&self.buffer[..], self.origin))
    }

    /// Appends bytes to the unfinished line.
    fn push(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.after_return = *last == b'\r';
        if let Some(wide) = &mut self.wide {
            *wide += utf16_length(bytes);
        }
        self.length += bytes.len() as u64;
        let room = self.limit.saturating_add(1).saturating_sub(self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Passes on a line, given without its line feed. `length` is that of the whole line, of which `kept` may be only
    /// the start.
    fn line(&mut self, kept: &[u8], length: u64, terminated: bool, utf8: bool, out: &mut dyn FnMut(Piece<'_>)) {
        let start = self.origin;
        let is_wide = self.is_wide();
        // The length of the whole line in the file, and that of one of its ASCII characters.
        let (whole, unit) = self.wide.as_mut().map_or((length, 1), |wide| (std::mem::take(wide), 2));
        let offset = start.offset + whole + unit * u64::from(terminated);
        self.origin = Origin { offset, line: start.line + 1, column: 1 };
        let text = kept.strip_suffix(b"\r").unwrap_or(kept);
        // The end of a line that is too long has not been kept.
        let is_whole = kept.len() as u64 == length;
        let ends_with_return = if is_whole { text.len() < kept.len() } else { self.after_return };
        let length = length - u64::from(ends_with_return);
        if length > self.limit as u64 {
            let in_file = whole - unit * u64::from(ends_with_return);
            out(too_long(start, length, in_file, &kept[..kept.len().min(KEPT_OF_TOO_LONG)], self.limit));
            return;
        }
        let trimmed = trim_start(text);
        let origin = match text.len() - trimmed.len() {
            0 => start,
            space => start.behind(&text[..space], is_wide),
        };
        let trimmed = trim_end(trimmed);
        if !trimmed.is_empty() {
            out(Piece::Frame(Frame {
                text: trimmed,
                segments: &[Segment { at: 0, origin }],
                terminated,
                utf8,
                row: None,
                wide: is_wide,
                decoded: false,
                server_sent: false,
                label: None,
            }));
        }
    }
}
