//! Splits server-sent events, as the HTML standard defines them: the `data:` lines up to a blank line are one text.
//! Other fields and comments carry no events, and a text without a blank line behind it is dropped.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::encoding::utf16_length;
use super::json::parse_leniently;
use super::{
    Frame, KEPT_OF_TOO_LONG, Label, LineForm, MOST_BYTES, Oddity, Origin, Piece, PieceSink, Segment, too_long,
};
use crate::bytes::has_replacement;
use crate::finding::Place;

/// The last message of many producers, which is not an event of most protocols.
pub(super) const DONE: &[u8] = b"[DONE]";

/// The longest name of a message that is kept, in bytes.
const LONGEST_NAME: usize = 200;

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
    /// If the file is in UTF-16, the length that the line has there so far, in bytes.
    wide: Option<u64>,
    /// Whether the last byte was a carriage return, which ends a line with or without a line feed behind it.
    after_return: bool,
    /// The text of the message so far.
    data: Vec<u8>,
    /// The origins of the lines of `data`.
    segments: Vec<Segment>,
    /// The origin of a message that is too long, and the length of its text so far, in bytes.
    oversized: Option<(Origin, u64)>,
    /// The name of the message, by its `event` field.
    label: Option<Label>,
    /// The name before an `event` field that came behind the text: the field may belong to the next message.
    label_before: Option<Option<Label>>,
    /// Whether [`DONE`] is a message like any other.
    #[serde(skip)]
    pub(super) reads_done: bool,
    /// Whether the marker that ends the stream has come.
    done: bool,
    /// Whether a message had no blank line behind it.
    unseparated: bool,
}

impl Sse {
    /// Creates a splitter for messages from `origin` on, which the file has as UTF-16 if `wide`.
    pub(crate) fn new(origin: Origin, limit: usize, wide: bool) -> Sse {
        Sse {
            origin,
            limit,
            line: Vec::new(),
            length: 0,
            wide: wide.then_some(0),
            after_return: false,
            data: Vec::new(),
            segments: Vec::new(),
            oversized: None,
            label: None,
            label_before: None,
            reads_done: false,
            done: false,
            unseparated: false,
        }
    }

    /// Returns whether a splitter can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self, limit: usize) -> bool {
        let Sse { origin, line, length, wide, data, segments, oversized, label, label_before, .. } = self;
        let mut labels = label.iter().chain(label_before.iter().flatten());
        let in_order = segments.is_sorted_by(|one, next| one.at < next.at);
        let inside = segments.iter().all(|segment| segment.at <= data.len() && segment.origin.is_sound());
        let starts = segments.first().map_or(data.is_empty() || oversized.is_some(), |first| first.at == 0);
        origin.is_sound()
            && self.limit == limit
            && wide.unwrap_or(*length).max(*length) < MOST_BYTES
            && labels.all(|label| label.origin.is_sound())
            && line.len() as u64 <= *length
            && (in_order && inside && starts)
            && oversized.is_none_or(|(start, total)| start.is_sound() && total < MOST_BYTES)
    }

    /// Returns the position of the next byte: its offset, with the line and the column of the line's start.
    pub(crate) fn position(&self) -> Origin {
        Origin { offset: self.origin.offset + self.wide.unwrap_or(self.length), ..self.origin }
    }

    /// Returns the length of a line end of this many characters in the file, in bytes.
    fn in_file(&self, line_end: u64) -> u64 {
        if self.wide.is_some() { 2 * line_end } else { line_end }
    }

    /// Returns whether the next byte begins a message, and nothing is known of it that a message read ahead lacks.
    fn is_between_messages(&self) -> bool {
        self.length == 0
            && !(self.after_return || self.done)
            && self.segments.is_empty()
            && self.oversized.is_none()
            && self.label.is_none()
    }

    /// Returns the whole lines of the next bytes in which events can be read ahead, as a range.
    fn readable_ahead(&self, bytes: &[u8]) -> Range<usize> {
        // The line that an earlier chunk began may begin here in the middle of a character.
        let begun = if self.length == 0 { Some(0) } else { memchr::memchr(b'\n', bytes).map(|end| end + 1) };
        let end = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let Some(lines) =
            begun.filter(|start| *start < end && self.wide.is_none() && !self.done).map(|start| start..end)
        else {
            return 0..0;
        };
        // The slow path reports what was decoded wrongly.
        let is_readable =
            simdutf8::basic::from_utf8(&bytes[lines.clone()]).is_ok() && !has_replacement(&bytes[lines.clone()]);
        if is_readable { lines } else { 0..0 }
    }

    /// Reads the next bytes, and passes on each piece that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut dyn PieceSink) {
        let mut rest = bytes;
        let ahead = self.readable_ahead(bytes);
        if self.after_return && rest.first() == Some(&b'\n') {
            self.origin.offset += self.in_file(1);
            rest = &rest[1..];
        }
        self.after_return = false;
        loop {
            let at = bytes.len() - rest.len();
            if ahead.contains(&at) && self.is_between_messages() {
                let behind = out.ahead(&bytes[at..ahead.end], self.origin, self.limit, LineForm::ServerSent);
                rest = &rest[(behind.offset - self.origin.offset) as usize..];
                self.origin = behind;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else { break };
            self.push(&rest[..end]);
            let mut next = end + 1;
            if rest[end] == b'\r' {
                match rest.get(next) {
                    Some(b'\n') => next += 1,
                    Some(_) => {}
                    None => self.after_return = true,
                }
            }
            self.end_line((next - end) as u64, true, &mut |piece| out.piece(piece));
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
        let text = self.data.trim_ascii();
        let is_whole = text == DONE || std::str::from_utf8(text).is_ok() && parse_leniently(text).is_ok();
        if let Some(start) = self.segments.first()
            && is_whole
            && self.oversized.is_none()
            && !self.unseparated
        {
            // Clients drop it. It is read all the same: that it is missing to them is said once.
            out(Piece::Odd(Oddity::Undispatched, self.place(start.origin)));
        }
        self.dispatch(terminated, out);
    }

    /// Returns the place of the first line of the text, which starts at `origin`.
    fn place(&self, origin: Origin) -> Place {
        let segments = [Segment { at: 0, origin }];
        let end = self.segments.get(1).map_or(self.data.len(), |next| next.at - 1);
        let frame = Frame { wide: self.wide.is_some(), ..Frame::new(&self.data[..end], &segments) };
        frame.place(0..end, None)
    }

    /// Appends bytes to the line that is being read.
    fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if let Some(wide) = &mut self.wide {
            *wide += utf16_length(bytes);
        }
        // The limit is for the value: `data: ` does not count, and one more byte shows that the value is too long.
        let room = self.limit.saturating_add(7).saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Ends the line that is being read. `line_end` is the length of its line end.
    fn end_line(&mut self, line_end: u64, terminated: bool, out: &mut dyn FnMut(Piece<'_>)) {
        let line = std::mem::take(&mut self.line);
        let (start, length) = (self.origin, self.length);
        let whole = self.wide.unwrap_or(length);
        let offset = start.offset + whole + self.in_file(line_end);
        self.origin = Origin { offset, line: start.line + 1, column: 1 };
        self.length = 0;
        self.wide = self.wide.map(|_| 0);
        let is_wide = self.wide.is_some();
        let colon = memchr::memchr(b':', &line);
        match &line[..colon.unwrap_or(line.len())] {
            _ if line.is_empty() => self.dispatch(terminated, out),
            b"" | b"id" | b"retry" => {}
            field @ (b"data" | b"event") => {
                let name = colon.map_or(line.len(), |at| at + 1);
                let name = name + usize::from(line.get(name) == Some(&b' '));
                let origin = start.behind(&line[..name], is_wide);
                match field {
                    b"data" => self.append(&line[name..], origin, length - name as u64, out),
                    _ => self.name(&line[name..], origin),
                }
            }
            _ if (line.len() as u64) < length => out(too_long(start, length, whole, &line, self.limit)),
            _ => {
                let segments = [Segment { at: 0, origin: start }];
                out(Piece::Stray(Frame { terminated, wide: is_wide, ..Frame::new(&line, &segments) }));
            }
        }
        self.line = line;
        self.line.clear();
    }

    /// Names the message.
    fn name(&mut self, name: &[u8], origin: Origin) {
        let label = Label { name: name[..name.len().min(LONGEST_NAME)].to_vec(), origin };
        let before = self.label.replace(label);
        if !self.segments.is_empty() {
            self.label_before = Some(before);
        }
    }

    /// Returns whether the text so far is a whole message and the value of a `data` field begins another one, so that
    /// a blank line is missing between them.
    fn is_complete_before(&self, value: &[u8]) -> bool {
        let (text, value) = (self.data.trim_ascii(), value.trim_ascii());
        let begins = value.first() == Some(&b'{') || value == DONE;
        begins
            && (text == DONE
                || text.last() == Some(&b'}') && std::str::from_utf8(text).is_ok() && parse_leniently(text).is_ok())
    }

    /// Appends the value of a `data` field to the message. `length` is that of the whole value, of which `value` may be
    /// only the start.
    fn append(&mut self, value: &[u8], origin: Origin, length: u64, out: &mut dyn FnMut(Piece<'_>)) {
        if !self.segments.is_empty() && self.oversized.is_none() && self.is_complete_before(value) {
            let next = self.label_before.take().map(|before| std::mem::replace(&mut self.label, before));
            self.dispatch(true, out);
            self.label = next.flatten();
            let segments = [Segment { at: 0, origin }];
            let frame = Frame { wide: self.wide.is_some(), ..Frame::new(value, &segments) };
            self.unseparated = true;
            if value.trim_ascii() != DONE {
                out(Piece::Odd(Oddity::NoBlankLine, frame.place(0..value.len(), None)));
            }
        }
        if let Some((_, total)) = &mut self.oversized {
            *total += length + 1;
            return;
        }
        if self.data.len() as u64 + length > self.limit as u64 {
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
            // UTF-16 has at least two bytes for three of UTF-8.
            let in_file = if self.wide.is_some() { length * 2 / 3 } else { length };
            out(too_long(start, length, in_file, &self.data, self.limit));
        } else if let Some(first) = self.segments.first() {
            let text = self.data.trim_ascii();
            if text == DONE && !self.reads_done {
                self.done = true;
            } else if !text.is_empty() {
                if self.done {
                    out(Piece::Odd(Oddity::AfterDone, self.place(first.origin)));
                }
                let frame = Frame::new(&self.data, &self.segments);
                let (wide, label) = (self.wide.is_some(), self.label.as_ref());
                out(Piece::Frame(Frame { terminated, wide, server_sent: true, label, ..frame }));
            }
        }
        self.data.clear();
        self.segments.clear();
        self.label = None;
        self.label_before = None;
    }
}
