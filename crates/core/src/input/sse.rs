//! Splits server-sent events, as the HTML standard defines them: the `data:` lines up to a blank line are one text.
//! Other fields and comments carry no events.

use serde::{Deserialize, Serialize};

use super::{Frame, InputFault, KEPT_OF_TOO_LONG, MOST_BYTES, Origin, Piece, Segment, too_long};
use crate::framing::Framing;

/// The last message of many producers, which is not an event.
const DONE: &[u8] = b"[DONE]";

/// A splitter into messages.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sse {
    /// The origin of the line that is being read.
    origin: Origin,
    /// The length of the longest frame, in bytes.
    limit: usize,
    /// The start of the line that is being read, at most `limit + 7` bytes of it.
    line: Vec<u8>,
    /// The length of that line so far, in bytes.
    length: u64,
    /// Whether the last byte was a carriage return, which ends a line with or without a line feed behind it.
    after_return: bool,
    /// The text of the message so far.
    data: Vec<u8>,
    /// The origins of the lines of `data`.
    segments: Vec<Segment>,
    /// The origin of a message that is too long, and the length of its text so far, in bytes.
    oversized: Option<(Origin, u64)>,
}

impl Sse {
    /// Creates a splitter for messages from `origin` on.
    pub(crate) fn new(origin: Origin, limit: usize) -> Sse {
        Sse {
            origin,
            limit,
            line: Vec::new(),
            length: 0,
            after_return: false,
            data: Vec::new(),
            segments: Vec::new(),
            oversized: None,
        }
    }

    /// Returns whether a splitter can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self, limit: usize) -> bool {
        let Sse { origin, line, length, data, segments, oversized, .. } = self;
        let in_order = segments.is_sorted_by(|one, next| one.at < next.at);
        let inside = segments.iter().all(|segment| segment.at <= data.len() && segment.origin.is_sound());
        let starts = segments.first().map_or(data.is_empty() || oversized.is_some(), |first| first.at == 0);
        origin.is_sound()
            && self.limit == limit
            && *length < MOST_BYTES
            && line.len() as u64 <= *length
            && (in_order && inside && starts)
            && oversized.is_none_or(|(start, total)| start.is_sound() && total < MOST_BYTES)
    }

    /// Returns the position of the next byte: its offset, with the line and the column of the line's start.
    pub(crate) fn position(&self) -> Origin {
        Origin { offset: self.origin.offset + self.length, ..self.origin }
    }

    /// Reads the next bytes, and passes on each piece that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        let mut rest = bytes;
        if self.after_return && rest.first() == Some(&b'\n') {
            self.origin.offset += 1;
            rest = &rest[1..];
        }
        self.after_return = false;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            self.push(&rest[..end]);
            let mut next = end + 1;
            if rest[end] == b'\r' {
                match rest.get(next) {
                    Some(b'\n') => next += 1,
                    Some(_) => {}
                    None => self.after_return = true,
                }
            }
            self.end_line((next - end) as u64, true, out);
            rest = &rest[next..];
        }
        self.push(rest);
    }

    /// Passes on the last message, if no blank line ended it.
    pub(crate) fn finish(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        let terminated = self.length == 0;
        if !terminated {
            self.end_line(0, false, out);
        }
        self.dispatch(terminated, out);
    }

    /// Appends bytes to the line that is being read.
    fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        // The limit is for the value: `data: ` does not count, and one more byte shows that the value is too long.
        let room = (self.limit + 7).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Ends the line that is being read. `line_end` is the length of its line end.
    fn end_line(&mut self, line_end: u64, terminated: bool, out: &mut dyn FnMut(Piece<'_>)) {
        let line = std::mem::take(&mut self.line);
        let (start, length) = (self.origin, self.length);
        self.origin = Origin { offset: start.offset + length + line_end, line: start.line + 1, column: 1 };
        self.length = 0;
        let colon = memchr::memchr(b':', &line);
        match &line[..colon.unwrap_or(line.len())] {
            _ if line.is_empty() => self.dispatch(terminated, out),
            b"" | b"event" | b"id" | b"retry" => {}
            b"data" => {
                let name = colon.map_or(line.len(), |at| at + 1);
                let name = name + usize::from(line.get(name) == Some(&b' '));
                let origin = start.after(&line[..name]);
                self.append(&line[name..], origin, length - name as u64);
            }
            _ if (line.len() as u64) < length => out(too_long(start, length, &line, self.limit)),
            _ => {
                let segments = [Segment { at: 0, origin: start }];
                let frame =
                    Frame { text: &line, segments: &segments, terminated, utf8: false, row: None, decoded: false };
                out(Piece::Fault(InputFault {
                    rule: Framing::NotAnEvent,
                    place: frame.place(0..line.len(), None),
                    message: "this line is no field of a server-sent event: clients pass over it in silence".to_owned(),
                    help: Some("begin each line of an event with `data: `; a comment begins with a colon".into()),
                    lost: true,
                }));
            }
        }
        self.line = line;
        self.line.clear();
    }

    /// Appends the value of a `data` field to the message. `length` is that of the whole value, of which `value` may be
    /// only the start.
    fn append(&mut self, value: &[u8], origin: Origin, length: u64) {
        if let Some((_, total)) = &mut self.oversized {
            *total += length + 1;
            return;
        }
        if self.data.len() as u64 + length + 1 > self.limit as u64 + 1 {
            let start = self.segments.first().map_or(origin, |first| first.origin);
            self.oversized = Some((start, self.data.len() as u64 + length));
            if self.segments.is_empty() {
                self.data.extend_from_slice(&value[..value.len().min(KEPT_OF_TOO_LONG)]);
            }
            self.data.truncate(KEPT_OF_TOO_LONG);
            return;
        }
        if !self.segments.is_empty() {
            self.data.push(b'\n');
        }
        self.segments.push(Segment { at: self.data.len(), origin });
        self.data.extend_from_slice(value);
    }

    /// Passes on the message, if it has a text.
    fn dispatch(&mut self, terminated: bool, out: &mut dyn FnMut(Piece<'_>)) {
        if let Some((start, length)) = self.oversized.take() {
            out(too_long(start, length, &self.data, self.limit));
        } else {
            let text = self.data.trim_ascii();
            if !text.is_empty() && text != DONE {
                out(Piece::Frame(Frame {
                    text: &self.data,
                    segments: &self.segments,
                    terminated,
                    utf8: false,
                    row: None,
                    decoded: false,
                }));
            }
        }
        self.data.clear();
        self.segments.clear();
    }
}
