//! Splits JSON texts in sequence, each over any number of lines; each item of an outer array is a text of its own.
//!
//! Only brackets and quotes are examined here, to find where a value ends: its reader decides whether it is JSON. A
//! line end inside a string ends the string, so that an unterminated string does not swallow the rest of the file.

use serde::{Deserialize, Serialize};

use super::encoding::utf16_length;
use super::json::{foreign_space_at, trim_end};
use super::oddity::Oddity;
use super::{Frame, InputFault, KEPT_OF_TOO_LONG, MOST_BYTES, Origin, Piece, Segment, line_in_file, too_long};
use crate::framing::Framing;

/// A splitter into JSON values.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Values {
    /// The origin of the next byte.
    here: Origin,
    /// The length of the longest frame, in bytes.
    limit: usize,
    /// The origin of the outer array, if the next byte is inside one.
    array: Option<Origin>,
    expect: Expectation,
    state: State,
    /// The value that is being read, at most `limit + 1` bytes of it.
    buffer: Vec<u8>,
    /// The length of that value so far, in bytes.
    length: u64,
    /// The origin of that value.
    start: Origin,
    /// Whether the file has the values as UTF-16.
    wide: bool,
}

/// The token that is expected next between values.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Expectation {
    /// At the start of an array: an item or the array's end.
    ValueOrEnd,
    /// Behind a comma, or outside of an array: a value.
    Value,
    /// Behind an item: a comma or the array's end.
    CommaOrEnd,
}

/// The part of a value that the next byte is in.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum State {
    /// Between two values.
    Between,
    /// Between two values, inside a character that may be white space which JSON does not have.
    Character,
    /// Inside brackets, or inside a string at depth 0.
    Nested {
        /// The number of brackets that are open.
        depth: u64,
        /// Whether the byte is inside a string.
        string: bool,
        /// Whether the byte is behind a backslash.
        escaped: bool,
    },
    /// Inside a bare word, a number or unreadable text: up to a comma, a bracket or the end of the line.
    Word,
}

impl Values {
    /// Creates a splitter for values from `origin` on, which the file has as UTF-16 if `wide`.
    pub(crate) fn new(origin: Origin, limit: usize, wide: bool) -> Values {
        Values {
            here: origin,
            limit,
            array: None,
            expect: Expectation::Value,
            state: State::Between,
            buffer: Vec::new(),
            length: 0,
            start: origin,
            wide,
        }
    }

    /// Returns whether a splitter can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self, limit: usize) -> bool {
        let depth = match self.state {
            State::Nested { depth, .. } => depth,
            State::Between | State::Character | State::Word => 0,
        };
        let origins = [Some(self.here), Some(self.start), self.array];
        origins.into_iter().flatten().all(Origin::is_sound)
            && self.limit == limit
            && self.length.max(depth) < MOST_BYTES
            && self.buffer.len() as u64 <= self.length
    }

    /// Returns the origin of the next byte.
    pub(crate) fn position(&self) -> Origin {
        self.here
    }

    /// Reads the next bytes, and passes on each piece that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        for &byte in bytes {
            self.byte(byte, out);
            self.here.offset += if self.wide { utf16_length(&[byte]) } else { 1 };
            if byte == b'\n' {
                self.here.line += 1;
                self.here.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.here.column += 1;
            }
        }
    }

    /// Passes on an unfinished value, and reports an array that was never closed.
    pub(crate) fn finish(&mut self, ends_with_newline: bool, out: &mut dyn FnMut(Piece<'_>)) {
        if matches!(self.state, State::Character) {
            self.begin(State::Word, out);
        }
        if !matches!(self.state, State::Between) {
            let whole = matches!(self.state, State::Word);
            self.emit(ends_with_newline, out);
            if !whole {
                return;
            }
        }
        if let Some(start) = self.array {
            let rule = if ends_with_newline { Framing::InvalidJson } else { Framing::TruncatedLine };
            let message = format!(
                "the input ends, but the array that began on line {} was never closed",
                line_in_file(start.line)
            );
            out(self.fault(rule, message, true));
        }
    }

    /// Reads one byte.
    fn byte(&mut self, byte: u8, out: &mut dyn FnMut(Piece<'_>)) {
        match &mut self.state {
            State::Between => self.between(byte, out),
            State::Character if byte & 0xC0 == 0x80 => {
                self.push(byte);
                self.character(out);
            }
            State::Character => {
                self.begin(State::Word, out);
                self.byte(byte, out);
            }
            State::Nested { depth, string, escaped } => {
                match (byte, *string) {
                    _ if *escaped => *escaped = false,
                    (b'\\', true) => *escaped = true,
                    (b'"', _) => *string = !*string,
                    (b'\n', true) => *string = false,
                    (b'{' | b'[', false) => *depth += 1,
                    (b'}' | b']', false) => *depth = depth.saturating_sub(1),
                    _ => {}
                }
                let done = *depth == 0 && !*string;
                self.push(byte);
                if done {
                    self.emit(true, out);
                }
            }
            State::Word => match byte {
                b'\n' => self.emit(true, out),
                b',' | b']' if self.array.is_some() => {
                    self.emit(true, out);
                    self.between(byte, out);
                }
                _ => self.push(byte),
            },
        }
    }

    /// Reads one byte between two values.
    fn between(&mut self, byte: u8, out: &mut dyn FnMut(Piece<'_>)) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b',' if self.expect == Expectation::CommaOrEnd => self.expect = Expectation::Value,
            b']' if self.array.is_some() => {
                if self.expect == Expectation::Value {
                    out(self.fault(Framing::InvalidJson, "expected a value after the last comma".to_owned(), false));
                }
                self.array = None;
                self.expect = Expectation::Value;
            }
            b'[' if self.array.is_none() => {
                self.array = Some(self.here);
                self.expect = Expectation::ValueOrEnd;
            }
            b',' => {
                let message = "expected a value, found a comma".to_owned();
                out(self.fault(Framing::InvalidJson, message, false));
            }
            _ => {
                self.start = self.here;
                self.push(byte);
                match byte {
                    b'{' | b'[' => self.begin(State::Nested { depth: 1, string: false, escaped: false }, out),
                    b'"' => self.begin(State::Nested { depth: 0, string: true, escaped: false }, out),
                    0x0B | 0x0C | 0xC2.. => {
                        self.state = State::Character;
                        self.character(out);
                    }
                    _ => self.begin(State::Word, out),
                }
            }
        }
    }

    /// Goes on with the value that starts with the bytes pushed so far.
    fn begin(&mut self, state: State, out: &mut dyn FnMut(Piece<'_>)) {
        if self.expect == Expectation::CommaOrEnd {
            let message = "a comma is missing between this value and the previous one".to_owned();
            let (rule, place) = (Framing::InvalidJson, self.start.place());
            out(Piece::Fault(InputFault { rule, place, message, help: None, lost: false }));
        }
        self.state = state;
    }

    /// Decides what a character between two values is, as soon as it is whole: white space, or the start of a value.
    #[cold]
    fn character(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        let length = match self.buffer[0] {
            ..0xC2 => 1,
            0xC2..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        match foreign_space_at(&self.buffer, 0) {
            Some(space) => {
                let segments = [Segment { at: 0, origin: self.start }];
                let frame = Frame { wide: self.wide, ..Frame::new(&self.buffer, &segments) };
                out(Piece::Odd(Oddity::Space(space), frame.place(0..self.buffer.len(), None)));
                self.buffer.clear();
                self.length = 0;
                self.state = State::Between;
            }
            None if self.length >= length => self.begin(State::Word, out),
            None => {}
        }
    }

    /// Appends a byte to the value that is being read.
    fn push(&mut self, byte: u8) {
        self.length += 1;
        if self.buffer.len() <= self.limit {
            self.buffer.push(byte);
        }
    }

    /// Passes on the value that is being read.
    fn emit(&mut self, terminated: bool, out: &mut dyn FnMut(Piece<'_>)) {
        if self.length > self.limit as u64 {
            let kept = &self.buffer[..self.buffer.len().min(KEPT_OF_TOO_LONG)];
            let in_file = if self.wide { self.here.offset - self.start.offset } else { self.length };
            out(too_long(self.start, self.length, in_file, kept, self.limit));
        } else {
            let segments = [Segment { at: 0, origin: self.start }];
            let frame = Frame::new(trim_end(&self.buffer), &segments);
            out(Piece::Frame(Frame { terminated, wide: self.wide, ..frame }));
        }
        self.buffer.clear();
        self.length = 0;
        self.state = State::Between;
        self.expect = if self.array.is_some() { Expectation::CommaOrEnd } else { Expectation::Value };
    }

    /// Returns a fault between two values, at the next byte.
    fn fault(&self, rule: Framing, message: String, lost: bool) -> Piece<'static> {
        let place = self.here.place();
        Piece::Fault(InputFault { rule, place, message, help: None, lost })
    }
}
