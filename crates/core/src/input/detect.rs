//! Detects the form of an input from its first lines.

use serde::{Deserialize, Serialize};

use super::json::ParseErrorKind;
use super::{Wire, json};

/// The byte-order mark in UTF-8, which a file may start with.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The number of bytes that are examined, even if the longest frame is shorter, before the first line counts as too
/// long.
const LEAST_EXAMINED: usize = 64 * 1024;

/// The number of lines that are examined behind an unfinished first line.
const LINES_EXAMINED: usize = 2;

/// A buffer for the start of a file until its form is known.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FormDetector {
    /// The form, if the caller knows it.
    wire: Option<Wire>,
    buffer: Vec<u8>,
    /// The number of bytes of `buffer` that are known to have no line end behind the first character.
    scanned: usize,
}

impl FormDetector {
    /// Creates a detector; if `wire` is given, it only waits for a whole byte-order mark.
    pub(crate) fn new(wire: Option<Wire>) -> FormDetector {
        FormDetector { wire, buffer: Vec::new(), scanned: 0 }
    }

    /// Returns whether a detector can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self, wire: Option<Wire>) -> bool {
        self.wire == wire && self.scanned <= self.buffer.len()
    }

    /// Reads the next bytes. Returns the form and all bytes so far as soon as the form is known. `limit` is the length
    /// of the longest frame, in bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], limit: usize) -> Option<(Wire, Vec<u8>)> {
        self.buffer.extend_from_slice(bytes);
        // The result must not depend on the chunks: no more bytes are examined than if they came one by one.
        let most = limit.max(LEAST_EXAMINED);
        let wire = match self.decide(self.buffer.len().min(most), false) {
            Some(wire) => wire,
            // The first line is too long in any form; lines are the form that reports it.
            None if self.buffer.len() >= most => Wire::Ndjson,
            None => return None,
        };
        Some((wire, std::mem::take(&mut self.buffer)))
    }

    /// Decides on the form at the end of the file.
    pub(crate) fn finish(&mut self) -> (Wire, Vec<u8>) {
        let wire = self.decide(self.buffer.len(), true).unwrap_or(Wire::Ndjson);
        (wire, std::mem::take(&mut self.buffer))
    }

    /// Decides on the form by the first `length` bytes; `None` if more bytes are needed.
    fn decide(&mut self, length: usize, at_end: bool) -> Option<Wire> {
        let buffer = &self.buffer[..length];
        if !at_end && buffer.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(buffer) {
            return None;
        }
        if self.wire.is_some() {
            return self.wire;
        }
        let text = buffer.strip_prefix(BYTE_ORDER_MARK).unwrap_or(buffer).trim_ascii_start();
        let start = buffer.len() - text.len();
        match text.first()? {
            b'[' => match text[1..].trim_ascii_start().first() {
                Some(b'{' | b'[' | b']') => Some(Wire::Json),
                Some(_) => Some(Wire::Ndjson),
                None => at_end.then_some(Wire::Json),
            },
            b'{' => {
                let from = self.scanned.max(start);
                let Some(end) = memchr::memchr(b'\n', &buffer[from..]) else {
                    self.scanned = length;
                    return at_end.then_some(Wire::Ndjson);
                };
                object_form(text, from + end - start, at_end)
            }
            _ => field_form(text, at_end),
        }
    }
}

/// Decides whether the object that starts a file is on one line, as all events then are, or on several lines. `length`
/// is that of the first line. `None` if more bytes are needed.
fn object_form(text: &[u8], length: usize, at_end: bool) -> Option<Wire> {
    let (first, rest) = text.split_at(length);
    if std::str::from_utf8(first).is_err() || json::parse(first).is_ok() {
        return Some(Wire::Ndjson);
    }
    // The first line is broken, or the first of several: the next line decides, by whether it starts like another
    // event.
    match rest.trim_ascii_start().first() {
        Some(b' ' | b'\t' | b'"' | b'}') => Some(Wire::Json),
        Some(_) if matches!(first.trim_ascii_end().last(), Some(b'{' | b'[' | b',' | b':')) => {
            unfinished_form(text, length, at_end)
        }
        Some(_) => Some(Wire::Ndjson),
        None => at_end.then_some(Wire::Ndjson),
    }
}

/// Decides whether an object goes on behind its first line, whose last character allows that. If instead the first line
/// was torn, events follow it, and two of them cannot be part of one value without a comma between them. `None` if more
/// bytes are needed.
fn unfinished_form(text: &[u8], first: usize, at_end: bool) -> Option<Wire> {
    let (mut end, mut lines) = (first, 0);
    for line in text[first..].split_inclusive(|byte| *byte == b'\n') {
        if !line.ends_with(b"\n") && !at_end {
            break;
        }
        end += line.len();
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines += 1;
        match json::parse(&text[..end]) {
            Ok(_) => return Some(Wire::Json),
            Err(fault) if fault.kind != ParseErrorKind::Incomplete => return Some(Wire::Ndjson),
            Err(_) if lines == LINES_EXAMINED => return Some(Wire::Json),
            Err(_) => {}
        }
    }
    at_end.then_some(Wire::Ndjson)
}

/// Decides whether the first line is a field or a comment of server-sent events; `None` if more bytes are needed.
fn field_form(text: &[u8], at_end: bool) -> Option<Wire> {
    const FIELDS: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];
    if FIELDS.iter().any(|field| text.starts_with(field)) {
        return Some(Wire::Sse);
    }
    let undecided = !at_end && FIELDS.iter().any(|field| field.starts_with(text));
    (!undecided).then_some(Wire::Ndjson)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(text: &str) -> Wire {
        let whole = FormDetector::new(None).feed(text.as_bytes(), 1000).map(|(wire, _)| wire);
        let mut head = FormDetector::new(None);
        let bytewise = text.bytes().find_map(|byte| head.feed(&[byte], 1000)).map(|(wire, _)| wire);
        let bytewise = bytewise.unwrap_or_else(|| head.finish().0);
        let mut head = FormDetector::new(None);
        let whole = whole.unwrap_or_else(|| {
            let _ = head.feed(text.as_bytes(), 1000);
            head.finish().0
        });
        assert_eq!(whole, bytewise, "{text:?} has one form, however it is cut");
        whole
    }

    #[test]
    fn the_form_is_found_from_the_first_lines() {
        assert_eq!(detect("{\"type\":\"x\"}\n{}\n"), Wire::Ndjson);
        assert_eq!(detect("\u{FEFF}\r\n{\"type\":\"x\"}"), Wire::Ndjson);
        assert_eq!(detect("{\n  \"type\": \"x\"\n}\n"), Wire::Json);
        assert_eq!(detect("{\"type\":\n\"x\"}\n"), Wire::Json);
        assert_eq!(detect("{\"type\":\"x\",\"payload\":\n{\"a\":1}}\n"), Wire::Json);
        assert_eq!(detect("{\"payload\":\n{\"a\":1}}"), Wire::Json);
        assert_eq!(detect("{\"events\":[\r\n{\"a\":1},\r\n\r\n{\"a\":2},\r\n{\"a\":3}"), Wire::Json);
        assert_eq!(detect("{\"events\":[\n{\"a\":1},\n{\"a\":2}\n]}{\"b\":1}"), Wire::Json);
        assert_eq!(detect("{\"a\":[\n[1],\n[2]]}\n{\"a\":[]}\n"), Wire::Json);
        assert_eq!(detect("[\n {}]"), Wire::Json);
        assert_eq!(detect("[]"), Wire::Json);
        assert_eq!(detect("[2026-01-01] starting\n{}"), Wire::Ndjson);
        for torn in ["{\"type\":\"to", "{\"payload\":", "{\"results\":[", "{\"a\":1,", "{", "{\"text\":\"a,"] {
            assert_eq!(detect(&format!("{torn}\n{{\"type\":\"x\"}}\n")), Wire::Ndjson, "{torn}");
            assert_eq!(
                detect(&format!("{torn}\n{{\"type\":\"x\"}}\n{{\"type\":\"x\"}}\n{{}}")),
                Wire::Ndjson,
                "{torn}"
            );
        }
        assert_eq!(detect("data: {}\n\n"), Wire::Sse);
        assert_eq!(detect(": hello\n\ndata: {}"), Wire::Sse);
        assert_eq!(detect("dat"), Wire::Ndjson);
        assert_eq!(detect("Starting\n{}\n"), Wire::Ndjson);
        assert_eq!(detect(""), Wire::Ndjson);
    }
}
