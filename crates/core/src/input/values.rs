//! JSON texts one after the other, over any number of lines; the items of an outer array one by one.
//!
//! Only brackets and quotes are looked at here, to find where a value ends: whether it is JSON is for its
//! reader to say. A line end inside a string ends the string, so that a torn string does not swallow the file.

use super::{Broken, Frame, KEPT_OF_TOO_LONG, Origin, Piece, Segment, too_long};
use crate::framing::Framing;

#[derive(Clone)]
pub(crate) struct Values {
    /// Where the next byte stands.
    here: Origin,
    limit: usize,
    /// The outer array, with where it began.
    array: Option<Origin>,
    expect: Expect,
    state: State,
    /// The value that is being read; no more than the limit is held.
    held: Vec<u8>,
    length: u64,
    start: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// Before the first item of an array.
    ValueOrEnd,
    /// After a comma, or outside of an array.
    Value,
    /// After an item.
    CommaOrEnd,
}

#[derive(Clone, Copy)]
enum State {
    Between,
    /// Inside of brackets (or of a string at depth 0).
    Nested {
        depth: u64,
        string: bool,
        escaped: bool,
    },
    /// A bare word or number, or what nobody can read: up to a comma, a bracket or the line's end.
    Word,
}

impl Values {
    pub(crate) fn new(origin: Origin, limit: usize) -> Values {
        Values {
            here: origin,
            limit,
            array: None,
            expect: Expect::Value,
            state: State::Between,
            held: Vec::new(),
            length: 0,
            start: origin,
        }
    }

    pub(crate) fn position(&self) -> Origin {
        self.here
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        for &byte in bytes {
            self.byte(byte, out);
            self.here.offset += 1;
            if byte == b'\n' {
                self.here.line += 1;
                self.here.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.here.column += 1;
            }
        }
    }

    pub(crate) fn finish(&mut self, ends_with_newline: bool, out: &mut dyn FnMut(Piece<'_>)) {
        if !matches!(self.state, State::Between) {
            let whole = matches!(self.state, State::Word);
            self.emit(ends_with_newline, out);
            if !whole {
                return;
            }
        }
        if let Some(start) = self.array {
            let rule = if ends_with_newline { Framing::InvalidJson } else { Framing::TruncatedLine };
            let message = format!("the input ends, but the array that began in line {} was never closed", start.line);
            out(self.broken(rule, message, true));
        }
    }

    fn byte(&mut self, byte: u8, out: &mut dyn FnMut(Piece<'_>)) {
        match &mut self.state {
            State::Between => self.between(byte, out),
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
                self.hold(byte);
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
                _ => self.hold(byte),
            },
        }
    }

    fn between(&mut self, byte: u8, out: &mut dyn FnMut(Piece<'_>)) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b',' if self.expect == Expect::CommaOrEnd => self.expect = Expect::Value,
            b']' if self.array.is_some() => {
                if self.expect == Expect::Value {
                    out(self.broken(
                        Framing::InvalidJson,
                        "a value is expected after the last comma".to_owned(),
                        false,
                    ));
                }
                self.array = None;
                self.expect = Expect::Value;
            }
            b'[' if self.array.is_none() => {
                self.array = Some(self.here);
                self.expect = Expect::ValueOrEnd;
            }
            b',' => {
                let message = "a comma stands here, where a value is expected".to_owned();
                out(self.broken(Framing::InvalidJson, message, false));
            }
            _ => {
                if self.expect == Expect::CommaOrEnd {
                    let message = "a comma is missing between this value and the one before".to_owned();
                    out(self.broken(Framing::InvalidJson, message, false));
                }
                self.start = self.here;
                self.state = match byte {
                    b'{' | b'[' => State::Nested { depth: 1, string: false, escaped: false },
                    b'"' => State::Nested { depth: 0, string: true, escaped: false },
                    _ => State::Word,
                };
                self.hold(byte);
            }
        }
    }

    fn hold(&mut self, byte: u8) {
        self.length += 1;
        if self.held.len() <= self.limit {
            self.held.push(byte);
        }
    }

    fn emit(&mut self, terminated: bool, out: &mut dyn FnMut(Piece<'_>)) {
        if self.length > self.limit as u64 {
            let kept = &self.held[..self.held.len().min(KEPT_OF_TOO_LONG)];
            out(too_long(self.start, self.length, kept, self.limit));
        } else {
            let segments = [Segment { at: 0, origin: self.start }];
            out(Piece::Frame(Frame {
                text: self.held.trim_ascii_end(),
                segments: &segments,
                terminated,
                utf8: false,
                row: None,
            }));
        }
        self.held.clear();
        self.length = 0;
        self.state = State::Between;
        self.expect = if self.array.is_some() { Expect::CommaOrEnd } else { Expect::Value };
    }

    /// Something wrong between the values, where the next byte stands.
    fn broken(&self, rule: Framing, message: String, lost: bool) -> Piece<'static> {
        let place = self.here.place();
        Piece::Broken(Broken { rule, place, message, help: None, lost })
    }
}
