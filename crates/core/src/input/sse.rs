//! Server-sent events, as the HTML standard describes them: the `data:` lines up to a blank line are one
//! text. Other fields and comments carry no events.

use super::{Broken, Frame, KEPT_OF_TOO_LONG, Origin, Piece, Segment, too_long};
use crate::framing::Framing;

/// What many producers send as the last message; no event.
const DONE: &[u8] = b"[DONE]";

#[derive(Clone)]
pub(crate) struct Sse {
    /// Where the line that is being read starts.
    origin: Origin,
    limit: usize,
    /// The line so far, without its field name once `in_data`; never more than `limit` bytes.
    line: Vec<u8>,
    length: u64,
    /// Whether the byte before was a carriage return, which ends a line alone or with a line feed.
    after_return: bool,
    data: Vec<u8>,
    segments: Vec<Segment>,
    /// Where a message that is too long started, and how long it is.
    oversized: Option<(Origin, u64)>,
}

impl Sse {
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

    pub(crate) fn position(&self) -> Origin {
        Origin { offset: self.origin.offset + self.length, ..self.origin }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        let mut rest = bytes;
        if self.after_return && rest.first() == Some(&b'\n') {
            self.origin.offset += 1;
            rest = &rest[1..];
        }
        self.after_return = false;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            self.hold(&rest[..end]);
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
        self.hold(rest);
    }

    pub(crate) fn finish(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        let terminated = self.length == 0;
        if !terminated {
            self.end_line(0, false, out);
        }
        self.dispatch(terminated, out);
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        // The field's name and the space behind it are no part of the text that is limited.
        let room = (self.limit + 7).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

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
                let frame = Frame { text: &line, segments: &segments, terminated, utf8: false, row: None };
                out(Piece::Broken(Broken {
                    rule: Framing::NotAnEvent,
                    place: frame.place(0..line.len(), None),
                    message: "this line is no field of a server-sent event: clients pass over it in silence".to_owned(),
                    help: Some("begin each line of an event with `data: `; a comment begins with a colon"),
                    lost: true,
                }));
            }
        }
        self.line = line;
        self.line.clear();
    }

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
                }));
            }
        }
        self.data.clear();
        self.segments.clear();
    }
}
