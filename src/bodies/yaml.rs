//! Bodies in YAML.
//!
//! The parser gives events; nothing is built of them, and an alias is never followed, so that no document grows when it is
//! read.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};
use sessionlint_core::text::visible;

use super::source::{Runs, Source};
use super::walk::{Found, MOST_DEPTH, Walker};

/// The most events that are read from one file.
const MOST_EVENTS: usize = 1 << 20;

/// A scalar that may be a body.
#[derive(Debug)]
pub struct Scalar {
    /// The scalar in the file, with its tag and its quotes.
    pub span: Range<usize>,
    style: ScalarStyle,
    value: String,
}

/// Walks a document. Returns what was found.
///
/// # Errors
///
/// Returns in words why the text cannot be read: it is not YAML, or has more than is read.
pub fn walk(source: &Source) -> Result<Walker<Scalar>, String> {
    let (text, head) = source.content();
    let mut walker = Walker::new(false);
    let mut cursor = Cursor { text, characters: 0, bytes: 0 };
    // Whether a key comes next, for each mapping, and `None` for each list.
    let mut open: Vec<Option<bool>> = Vec::new();
    for (number, event) in Parser::new_from_str(text).enumerate() {
        let (event, span) = event.map_err(|error| {
            let (place, info) = (error.marker(), visible(error.info()));
            format!("is not YAML at line {}, column {}: {info}", place.line(), place.col() + 1)
        })?;
        if number >= MOST_EVENTS {
            return Err(format!("has more than {MOST_EVENTS} values, of which no more are read"));
        }
        let is_key = matches!(open.last(), Some(Some(true)));
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let is_list = matches!(event, Event::SequenceStart(..));
                if is_key {
                    walker.key("");
                }
                if !walker.begin(is_list) {
                    return Err(format!("has more than {MOST_DEPTH} lists and mappings inside one another"));
                }
                turn(&mut open);
                open.push((!is_list).then_some(true));
            }
            Event::MappingEnd | Event::SequenceEnd => {
                walker.end();
                open.pop();
            }
            Event::Scalar(value, _, _, _) if is_key => {
                walker.key(&value);
                turn(&mut open);
            }
            Event::Scalar(value, style, _, tag) => {
                let span = head + cursor.at(span.start.index())..head + cursor.at(span.end.index());
                let is_tagged = tag.is_some_and(|tag| tag.suffix == "binary");
                walker.string(|| value.to_string(), is_tagged, Scalar { span, style, value: value.to_string() });
                turn(&mut open);
            }
            Event::Alias(_) => {
                if is_key {
                    walker.key("");
                } else {
                    walker.alias();
                }
                turn(&mut open);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }
    Ok(walker)
}

/// Notes that a key or a value of the innermost mapping was read.
fn turn(open: &mut [Option<bool>]) {
    if let Some(Some(is_key)) = open.last_mut() {
        *is_key = !*is_key;
    }
}

/// Converts numbers of characters, nearly all of them ascending, to numbers of bytes.
struct Cursor<'t> {
    text: &'t str,
    characters: usize,
    bytes: usize,
}

impl Cursor<'_> {
    fn at(&mut self, characters: usize) -> usize {
        if characters < self.characters {
            let fewer = self.text[..self.bytes].char_indices().nth_back(self.characters - characters - 1);
            self.bytes = fewer.map_or(0, |(at, _)| at);
            self.characters = characters;
        }
        let more = self.text[self.bytes..].char_indices().nth(characters - self.characters);
        self.bytes = more.map_or(self.text.len(), |(at, _)| self.bytes + at);
        self.characters = characters;
        self.bytes
    }
}

/// Returns the text of scalars, one after another, and where each of its bytes stands; no places, if it stands there
/// in a way that is not traced.
pub fn text(source: &Source, found: &Found<Scalar>) -> (Vec<u8>, Option<Runs>) {
    let mut runs = Some(Runs::default());
    let mut text = Vec::new();
    for scalar in &found.pieces {
        text.extend_from_slice(scalar.value.as_bytes());
        runs = runs.filter(|_| !found.is_coded).and_then(|runs| trace(source, scalar, runs));
    }
    (text, runs)
}

/// Adds the places of a scalar's bytes. Whether they are right is decided by the parser: reading the scalar once more must
/// give the parser's value.
fn trace(source: &Source, scalar: &Scalar, runs: Runs) -> Option<Runs> {
    let mut trace = Trace { text: source.bytes(), at: scalar.span.start, end: scalar.span.end, out: Vec::new(), runs };
    let value = scalar.value.as_bytes();
    match scalar.style {
        ScalarStyle::Literal => trace.literal(value)?,
        ScalarStyle::Folded => return None,
        ScalarStyle::Plain => trace.flow(None)?,
        ScalarStyle::SingleQuoted => trace.flow(Some(b'\''))?,
        ScalarStyle::DoubleQuoted => trace.flow(Some(b'"'))?,
    }
    (trace.out == value).then_some(trace.runs)
}

/// Reads a scalar once more, byte for byte.
struct Trace<'s> {
    text: &'s [u8],
    at: usize,
    end: usize,
    out: Vec<u8>,
    runs: Runs,
}

impl Trace<'_> {
    /// Adds bytes that stand there as they are.
    fn copy(&mut self, length: usize) {
        self.out.extend_from_slice(&self.text[self.at..self.at + length]);
        self.runs.add(length, self.at);
        self.at += length;
    }

    /// Adds bytes that are written as so many others.
    fn add(&mut self, bytes: &[u8], length: usize) {
        self.out.extend_from_slice(bytes);
        self.runs.add_written(bytes.len(), self.at, length);
        self.at += length;
    }

    /// Moves behind the line that the scalar begins on.
    fn next_line(&mut self) -> Option<()> {
        self.at += memchr::memchr(b'\n', &self.text[self.at..self.end])? + 1;
        Some(())
    }

    /// Reads a block, of which each line stands there behind its indentation. A tag or an anchor stands before it.
    fn literal(&mut self, value: &[u8]) -> Option<()> {
        if self.line() != value.split(|byte| *byte == b'\n').next()? {
            self.next_line()?;
        }
        let mut indentation = None;
        for line in value.split_inclusive(|byte| *byte == b'\n') {
            let content = line.strip_suffix(b"\n").unwrap_or(line);
            if !content.is_empty() {
                let there = self.line();
                let spaces = *indentation.get_or_insert_with(|| there.len().saturating_sub(content.len()));
                // The first line may begin behind its indentation.
                let is_behind = there == content;
                if !is_behind {
                    if there.get(spaces..) != Some(content) || there[..spaces].iter().any(|byte| *byte != b' ') {
                        return None;
                    }
                    self.at += spaces;
                } else {
                    indentation = None;
                }
                self.copy(content.len());
            } else {
                // The spaces of a blank line are no more than the indentation.
                self.at += self.line().len();
            }
            if line.len() > content.len() {
                let length = if self.text[self.at..].starts_with(b"\r\n") { 2 } else { 1 };
                if self.at + length > self.text.len() {
                    return None;
                }
                self.add(b"\n", length);
            }
        }
        Some(())
    }

    /// Returns the rest of the line, without its end.
    fn line(&self) -> &[u8] {
        let rest = &self.text[self.at..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Reads a scalar whose lines are folded, between quotes or without any.
    fn flow(&mut self, quote: Option<u8>) -> Option<()> {
        if let Some(quote) = quote {
            // A tag or an anchor stands before it.
            self.at += memchr::memchr(quote, &self.text[self.at..self.end])? + 1;
            self.end = memchr::memrchr(quote, &self.text[self.at..self.end]).map(|length| self.at + length)?;
        } else {
            while self.text[self.at..self.end].starts_with(b"!") || self.text[self.at..self.end].starts_with(b"&") {
                self.at += self.text[self.at..self.end].iter().position(|byte| byte.is_ascii_whitespace())?;
                self.skip_blanks();
            }
        }
        while self.at < self.end {
            let rest = &self.text[self.at..self.end];
            match rest[0] {
                b'\'' if quote == Some(b'\'') => {
                    if rest.get(1) != Some(&b'\'') {
                        return None;
                    }
                    self.add(b"'", 2);
                }
                b'\\' if quote == Some(b'"') => self.escape()?,
                b' ' | b'\t' => {
                    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    match rest.get(blanks) {
                        Some(b'\n' | b'\r') => self.at += blanks,
                        None if quote.is_none() => self.at += blanks,
                        _ => self.copy(blanks),
                    }
                }
                b'\n' | b'\r' => self.fold(),
                _ => {
                    let special = |byte: &u8| matches!(byte, b'\'' | b'\\' | b' ' | b'\t' | b'\n' | b'\r');
                    let length = rest.iter().position(special).unwrap_or(rest.len());
                    self.copy(length.max(1));
                }
            }
        }
        Some(())
    }

    fn skip_blanks(&mut self) {
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
        self.at += self.text[self.at..self.end].iter().take_while(is_blank).count();
    }

    /// Moves behind a line break. Returns its length; 0 if there is none.
    fn line_break(&self) -> usize {
        match &self.text[self.at..self.end] {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        }
    }

    /// Reads line breaks: one is a space, and of several each but the first is a line feed.
    fn fold(&mut self) {
        let (start, length) = (self.at, self.line_break());
        self.at += length;
        self.skip_blanks();
        if self.line_break() == 0 {
            let behind = self.at;
            self.at = start;
            // At the end of a plain scalar there is nothing to fold.
            if behind < self.end {
                self.add(b" ", length);
            }
            self.at = behind;
        }
        self.blank_lines();
    }

    /// Reads the line breaks of blank lines, each a line feed.
    fn blank_lines(&mut self) {
        loop {
            self.skip_blanks();
            match self.line_break() {
                0 => return,
                length => self.add(b"\n", length),
            }
        }
    }

    /// Reads an escape in double quotes.
    fn escape(&mut self) -> Option<()> {
        let (digits, plain): (usize, &[u8]) = match *self.text.get(self.at + 1)? {
            b'x' => (2, b""),
            b'u' => (4, b""),
            b'U' => (8, b""),
            b'0' => (0, b"\0"),
            b'a' => (0, b"\x07"),
            b'b' => (0, b"\x08"),
            b't' | b'\t' => (0, b"\t"),
            b'n' => (0, b"\n"),
            b'v' => (0, b"\x0B"),
            b'f' => (0, b"\x0C"),
            b'r' => (0, b"\r"),
            b'e' => (0, b"\x1B"),
            b' ' => (0, b" "),
            b'"' => (0, b"\""),
            b'/' => (0, b"/"),
            b'\\' => (0, b"\\"),
            b'N' => (0, "\u{85}".as_bytes()),
            b'_' => (0, "\u{A0}".as_bytes()),
            b'L' => (0, "\u{2028}".as_bytes()),
            b'P' => (0, "\u{2029}".as_bytes()),
            b'\n' | b'\r' => {
                self.at += 1;
                self.at += self.line_break();
                self.blank_lines();
                return Some(());
            }
            _ => return None,
        };
        if digits == 0 {
            self.add(plain, 2);
            return Some(());
        }
        let written = self.text.get(self.at + 2..self.at + 2 + digits)?;
        let code = u32::from_str_radix(std::str::from_utf8(written).ok()?, 16).ok()?;
        let character = char::from_u32(code)?;
        self.add(character.encode_utf8(&mut [0; 4]).as_bytes(), 2 + digits);
        Some(())
    }
}

impl Scalar {
    /// Returns the value.
    pub fn value(&self) -> &str {
        &self.value
    }
}
