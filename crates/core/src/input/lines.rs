//! One JSON text a line.

use super::{Frame, KEPT_OF_TOO_LONG, Origin, Piece, Recipient, Segment, too_long};

#[derive(Clone)]
pub(crate) struct Lines {
    /// Where the next line starts.
    origin: Origin,
    limit: usize,
    /// The start of a line whose end has not come yet; no more than `limit` bytes are held.
    held: Vec<u8>,
    /// How long that line is so far.
    length: u64,
    /// Whether its last byte so far is a carriage return.
    after_return: bool,
}

impl Lines {
    pub(crate) fn new(origin: Origin, limit: usize) -> Lines {
        Lines { origin, limit, held: Vec::new(), length: 0, after_return: false }
    }

    pub(crate) fn position(&self) -> Origin {
        Origin { offset: self.origin.offset + self.length, ..self.origin }
    }

    /// Whether the next byte starts a line.
    pub(crate) fn at_line_start(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut dyn Recipient) {
        let mut rest = bytes;
        if self.length > 0 {
            // The line that was begun before.
            let end = memchr::memchr(b'\n', rest);
            self.hold(&rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else { return };
            let held = std::mem::take(&mut self.held);
            self.line(&held, self.length, true, false, &mut |piece| out.piece(piece));
            self.held = held;
            self.held.clear();
            self.length = 0;
            rest = &rest[end + 1..];
        }
        // All whole lines at once are validated faster than one by one.
        let whole = memchr::memrchr(b'\n', rest).map_or(0, |end| end + 1);
        let (lines, tail) = rest.split_at(whole);
        let utf8 = simdutf8::basic::from_utf8(lines).is_ok();
        let mut lines = lines;
        loop {
            if utf8 {
                let behind = out.ahead(lines, self.origin, self.limit);
                lines = &lines[(behind.offset - self.origin.offset) as usize..];
                self.origin = behind;
            }
            let Some(end) = memchr::memchr(b'\n', lines) else { break };
            self.line(&lines[..end], end as u64, true, utf8, &mut |piece| out.piece(piece));
            lines = &lines[end + 1..];
        }
        if !tail.is_empty() {
            self.hold(tail);
        }
    }

    pub(crate) fn finish(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        if self.length > 0 {
            let held = std::mem::take(&mut self.held);
            self.line(&held, self.length, false, false, out);
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.after_return = *last == b'\r';
        self.length += bytes.len() as u64;
        let room = (self.limit + 1).saturating_sub(self.held.len());
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn line(&mut self, held: &[u8], length: u64, terminated: bool, utf8: bool, out: &mut dyn FnMut(Piece<'_>)) {
        let start = self.origin;
        self.origin = Origin { offset: start.offset + length + u64::from(terminated), line: start.line + 1, column: 1 };
        let text = held.strip_suffix(b"\r").unwrap_or(held);
        // Of a line that is too long, the end is not held.
        let held_whole = held.len() as u64 == length;
        let ends_with_return = if held_whole { text.len() < held.len() } else { self.after_return };
        let length = length - u64::from(ends_with_return);
        if length > self.limit as u64 {
            out(too_long(start, length, &held[..held.len().min(KEPT_OF_TOO_LONG)], self.limit));
            return;
        }
        let trimmed = text.trim_ascii_start();
        let origin = if trimmed.len() == text.len() { start } else { start.after(&text[..text.len() - trimmed.len()]) };
        let trimmed = trimmed.trim_ascii_end();
        if !trimmed.is_empty() {
            out(Piece::Frame(Frame {
                text: trimmed,
                segments: &[Segment { at: 0, origin }],
                terminated,
                utf8,
                row: None,
            }));
        }
    }
}
