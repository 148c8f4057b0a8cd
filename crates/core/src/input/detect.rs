//! Detects the form of an input from its first lines. Lines that no event begins, such as a banner or the head of an HTTP
//! response, are passed over.

use serde::{Deserialize, Serialize};

use super::json::ParseErrorKind;
use super::{Wire, json};

/// The byte-order mark in UTF-8, which a file may start with.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The number of bytes that are examined, even if the longest frame is shorter, before the first line counts as too
/// long. No line is passed over that starts behind them.
const LEAST_EXAMINED: usize = 64 * 1024;

/// The part of a long start, as its divisor, that must come anew before the start is examined again. Examining it for
/// every read would be quadratic.
const PART_ANEW: usize = 8;

/// The number of lines that are examined behind an unfinished first line.
const LINES_EXAMINED: usize = 2;

/// A buffer for the start of a file until its form is known.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FormDetector {
    /// The form, if the caller knows it.
    wire: Option<Wire>,
    buffer: Vec<u8>,
    /// The start of the first line of `buffer` that has not been passed over.
    line: usize,
    /// The number of bytes of `buffer` that are known to have no line end behind the first character of that line.
    scanned: usize,
    /// The length of the buffer at which its form is examined again.
    next: usize,
    /// Whether the form is examined again as soon as a line feed comes.
    awaits_feed: bool,
    /// Whether the form is examined again as soon as a carriage return comes.
    awaits_return: bool,
    /// Whether a line that was passed over is a field or a comment of server-sent events.
    has_field: bool,
    /// Whether the line is in the head of an HTTP response.
    in_head: bool,
}

impl FormDetector {
    /// Creates a detector; if `wire` is given, it only waits for a whole byte-order mark.
    pub(crate) fn new(wire: Option<Wire>) -> FormDetector {
        FormDetector {
            wire,
            buffer: Vec::new(),
            line: 0,
            scanned: 0,
            next: 0,
            awaits_feed: false,
            awaits_return: false,
            has_field: false,
            in_head: false,
        }
    }

    /// Returns whether a detector can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self, wire: Option<Wire>) -> bool {
        self.wire == wire && self.scanned.max(self.line) <= self.buffer.len()
    }

    /// Reads the next bytes. Returns the form and all bytes so far as soon as the form is known. `limit` is the length
    /// of the longest frame, in bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], limit: usize) -> Option<(Wire, Vec<u8>)> {
        self.buffer.extend_from_slice(bytes);
        // The result must not depend on the chunks: no more bytes are examined than if they came one by one.
        let most = limit.max(LEAST_EXAMINED);
        let length = self.buffer.len();
        let comes = |awaited: bool, end: u8| awaited && memchr::memchr(end, bytes).is_some();
        let ends_line = || comes(self.awaits_feed, b'\n') || comes(self.awaits_return, b'\r');
        if length < self.next.min(most) && !ends_line() {
            return None;
        }
        (self.awaits_feed, self.awaits_return) = (false, false);
        let wire = match self.decide(length.min(most), false) {
            Some(wire) => wire,
            // If it is one line, it is too long in any form; lines are the form that reports it.
            None if length >= most => self.presumed(),
            None => {
                self.next = if length < LEAST_EXAMINED { 0 } else { length + length / PART_ANEW };
                return None;
            }
        };
        Some((wire, std::mem::take(&mut self.buffer)))
    }

    /// Decides on the form at the end of the file.
    pub(crate) fn finish(&mut self) -> (Wire, Vec<u8>) {
        let wire = self.decide(self.buffer.len(), true).unwrap_or_else(|| self.presumed());
        (wire, std::mem::take(&mut self.buffer))
    }

    /// Returns the form that the lines which were passed over have, if no other line decides.
    fn presumed(&self) -> Wire {
        if self.has_field { Wire::Sse } else { Wire::Ndjson }
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
        if self.line == 0 && buffer.starts_with(BYTE_ORDER_MARK) {
            self.line = BYTE_ORDER_MARK.len();
        }
        loop {
            let buffer = &self.buffer[..length];
            let rest = &buffer[self.line..];
            let text = rest.trim_ascii_start();
            if self.in_head && ends_head(&rest[..rest.len() - text.len()]) {
                self.in_head = false;
            }
            let start = length - text.len();
            if self.line > LEAST_EXAMINED {
                return Some(self.presumed());
            }
            let array = text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
            match (text.first()?, array.map(<[u8]>::first)) {
                (b'[', Some(Some(b'{' | b'[' | b']'))) => return Some(Wire::Json),
                (b'[', Some(None)) => return at_end.then_some(Wire::Json),
                (b'{', _) => {
                    let from = self.scanned.max(start);
                    let Some(end) = memchr::memchr(b'\n', &buffer[from..]) else {
                        self.scanned = length;
                        self.awaits_feed = true;
                        return at_end.then_some(Wire::Ndjson);
                    };
                    if !is_from_curl(text) {
                        return object_form(text, from + end - start, at_end);
                    }
                }
                _ => {
                    let end = memchr::memchr2(b'\n', b'\r', text);
                    (self.awaits_feed, self.awaits_return) = (end.is_none(), end.is_none());
                    let line = Line::of(&text[..end.unwrap_or(text.len())], end.is_some() || at_end, self.in_head)?;
                    match line {
                        Line::Data => return Some(Wire::Sse),
                        Line::Other => return Some(Wire::Ndjson),
                        Line::Field => self.has_field = true,
                        Line::Head => self.in_head = true,
                        Line::Passed => {}
                    }
                    if end.is_none() && !at_end {
                        return None;
                    }
                }
            }
            let end = memchr::memchr2(b'\n', b'\r', text)?;
            self.line = start + end;
            self.scanned = self.line;
        }
    }
}

/// Returns whether white space that starts with a line's end has a blank line, which ends the head of a response.
fn ends_head(space: &[u8]) -> bool {
    let feeds = memchr::memchr_iter(b'\n', space).count();
    feeds > 1 || feeds == 0 && memchr::memchr_iter(b'\r', space).count() > 1
}

/// Returns whether a line with a brace is curl's report on some bytes: `{ [5 bytes data]`.
fn is_from_curl(line: &[u8]) -> bool {
    let count = line.strip_prefix(b"{ [").unwrap_or_default();
    let digits = count.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && count[digits..].starts_with(b" bytes data")
}

/// What a line that starts with neither a brace nor a bracket says of the form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    /// It is the `data` field of a server-sent event.
    Data,
    /// It is another field or a comment of server-sent events, or data without a brace.
    Field,
    /// It begins the head of an HTTP response.
    Head,
    /// It is text in which no event begins.
    Passed,
    /// It is text in which an event may begin.
    Other,
}

impl Line {
    /// Tells what a line says of the form. `None` if more bytes are needed; `is_whole`: whether all are here.
    fn of(line: &[u8], is_whole: bool, in_head: bool) -> Option<Line> {
        const STARTS: [(&[u8], Line); 7] = [
            (b"data:", Line::Data),
            (b"event:", Line::Field),
            (b"id:", Line::Field),
            (b"retry:", Line::Field),
            (b":", Line::Field),
            (b"HTTP/", Line::Head),
            (b"< HTTP/", Line::Head),
        ];
        if !is_whole && STARTS.iter().any(|(start, _)| start.starts_with(line)) {
            return None;
        }
        let has_brace = memchr::memchr(b'{', line).is_some();
        match STARTS.iter().find(|(start, _)| line.starts_with(start)).map(|(_, kind)| *kind) {
            Some(Line::Data) if has_brace => Some(Line::Data),
            Some(Line::Data) => is_whole.then_some(Line::Field),
            Some(Line::Head) => Some(Line::Head),
            _ if in_head => Some(Line::Passed),
            Some(kind) => Some(kind),
            None if has_brace => Some(Line::Other),
            None => is_whole.then_some(Line::Passed),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(text: &str) -> Wire {
        let whole = FormDetector::new(None).feed(text.as_bytes(), 1 << 20).map(|(wire, _)| wire);
        let mut head = FormDetector::new(None);
        let bytewise = text.bytes().find_map(|byte| head.feed(&[byte], 1 << 20)).map(|(wire, _)| wire);
        let bytewise = bytewise.unwrap_or_else(|| head.finish().0);
        let mut head = FormDetector::new(None);
        let whole = whole.unwrap_or_else(|| {
            let _ = head.feed(text.as_bytes(), 1 << 20);
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
        assert_eq!(detect(""), Wire::Ndjson);
    }

    #[test]
    fn lines_in_which_no_event_begins_are_passed_over() {
        for foreign in
            ["Starting", "[2026-01-01] INFO starting", "\u{1b}[2K", "# a", "}", "42", "HTTP/1.1 200 OK\r\n\r"]
        {
            assert_eq!(detect(&format!("{foreign}\n{{\"type\":\"x\"}}\n")), Wire::Ndjson, "{foreign}");
            assert_eq!(detect(&format!("{foreign}\n{{\n  \"type\": \"x\"\n}}\n")), Wire::Json, "{foreign}");
            assert_eq!(detect(&format!("{foreign}\ndata: {{}}\n\n")), Wire::Sse, "{foreign}");
            assert_eq!(detect(&format!("{foreign}\nevent: x\ndata: {{}}\n\n")), Wire::Sse, "{foreign}");
        }
        for field in [": keep-alive", "id: 7", "event: ping", "data: ping", "retry: 10"] {
            assert_eq!(detect(&format!("{field}\n{{\"type\":\"x\"}}\n")), Wire::Ndjson, "{field}");
            assert_eq!(detect(&format!("{field}\r\rdata: {{}}\r\r")), Wire::Sse, "{field}");
            assert_eq!(detect(&format!("{field}\n")), Wire::Sse, "{field}");
        }
        let head = "HTTP/2 200\r\ncontent-type: text/event-stream\r\nnel: {\"success_fraction\":0}\r\nid: 3\r\n\r\n";
        assert_eq!(detect(&format!("{head}data: {{}}\n\n")), Wire::Sse);
        assert_eq!(detect(&format!("{head}{{\"type\":\"x\"}}\n")), Wire::Ndjson);
        let trace = "* Connected to localhost\n> GET / HTTP/1.1\n< HTTP/1.1 200 OK\n< a: b\n<\n{ [5 bytes data]\n";
        assert_eq!(detect(&format!("{trace}data: {{}}\n\n")), Wire::Sse);
        assert_eq!(detect("12:00 INFO {\"type\":\"x\"}\ndata: {}\n"), Wire::Ndjson);
        assert_eq!(detect(&format!("{}data: {{}}\n", "a\n".repeat(32_000))), Wire::Sse);
        assert_eq!(detect(&format!("{}data: {{}}\n", "a\n".repeat(33_000))), Wire::Ndjson);
        let text = "a\n".repeat(33_000);
        assert!(
            FormDetector::new(None).feed(text.as_bytes(), 1 << 20).is_some(),
            "text alone is not held back for long"
        );
    }

    #[test]
    fn a_long_start_is_not_examined_again_for_every_read() {
        let broken = format!("{{\"a\":x{}\n", " ".repeat(100_000));
        let head = format!("HTTP/1.1 200 OK\n{}x", " ".repeat(100_000));
        for (start, rest) in [("", " "), ("", "\n"), ("", "x"), ("[", " "), ("{", "\r"), (&broken, "\n"), (&head, "x")]
        {
            let mut detector = FormDetector::new(None);
            assert!(detector.feed(start.as_bytes(), usize::MAX).is_none(), "{start:.20}");
            let (mut examined, read) = (0, rest.repeat(1024));
            for _ in 0..8 * 1024 {
                let next = detector.next;
                assert!(detector.feed(read.as_bytes(), usize::MAX).is_none(), "{start:.20}");
                examined += usize::from(detector.next != next);
            }
            // In the first 64 KiB each time, then as often as 8 MiB are an eighth longer than that.
            assert!(examined <= 50, "{start:.20}, then {rest:?}: {examined} times");
        }
    }

    #[test]
    fn a_long_first_line_is_examined_as_soon_as_it_ends() {
        for text in [format!("{{\"a\":\"{}\"}}", "x".repeat(100_000)), format!("{{{} x", " ".repeat(300_000))] {
            let mut detector = FormDetector::new(None);
            for part in text.as_bytes().chunks(10) {
                assert!(detector.feed(part, usize::MAX).is_none());
            }
            assert_eq!(detector.feed(b"\n{}", usize::MAX).map(|(wire, _)| wire), Some(Wire::Ndjson));
        }
    }
}
