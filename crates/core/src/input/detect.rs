//! Finds the form of an input from its first lines.

use super::json::FaultKind;
use super::{Wire, json};
use serde::{Deserialize, Serialize};

pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The least that is looked at before a first line counts as too long, in bytes.
const LEAST_LOOKED_AT: usize = 64 * 1024;

/// How many lines behind an unfinished first one are looked at.
const LINES_LOOKED_AT: usize = 2;

/// The start of a file, held back until its form is known.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Head {
    wire: Option<Wire>,
    held: Vec<u8>,
    /// How much of `held` is known to hold no line end after the first character.
    scanned: usize,
}

impl Head {
    pub(crate) fn new(wire: Option<Wire>) -> Head {
        Head { wire, held: Vec::new(), scanned: 0 }
    }

    /// Whether a head may be in this state after a restart.
    pub(crate) fn is_sound(&self, wire: Option<Wire>) -> bool {
        self.wire == wire && self.scanned <= self.held.len()
    }

    /// Takes more bytes. Gives the form and all that was held once the form is known.
    pub(crate) fn feed(&mut self, bytes: &[u8], limit: usize) -> Option<(Wire, Vec<u8>)> {
        self.held.extend_from_slice(bytes);
        // However many bytes come at once, no more are looked at than would be if they came one by one.
        let most = limit.max(LEAST_LOOKED_AT);
        let wire = match self.decide(self.held.len().min(most), false) {
            Some(wire) => wire,
            // No form has a first line as long as this; lines are the form that says so.
            None if self.held.len() >= most => Wire::Ndjson,
            None => return None,
        };
        Some((wire, std::mem::take(&mut self.held)))
    }

    /// Decides with what there is.
    pub(crate) fn finish(&mut self) -> (Wire, Vec<u8>) {
        let wire = self.decide(self.held.len(), true).unwrap_or(Wire::Ndjson);
        (wire, std::mem::take(&mut self.held))
    }

    /// Decides by the first bytes; none if more must be seen.
    fn decide(&mut self, length: usize, at_end: bool) -> Option<Wire> {
        let held = &self.held[..length];
        if !at_end && held.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(held) {
            return None;
        }
        if self.wire.is_some() {
            return self.wire;
        }
        let text = held.strip_prefix(BYTE_ORDER_MARK).unwrap_or(held).trim_ascii_start();
        let start = held.len() - text.len();
        match text.first()? {
            b'[' => match text[1..].trim_ascii_start().first() {
                Some(b'{' | b'[' | b']') => Some(Wire::Json),
                Some(_) => Some(Wire::Ndjson),
                None => at_end.then_some(Wire::Json),
            },
            b'{' => {
                let from = self.scanned.max(start);
                let Some(end) = memchr::memchr(b'\n', &held[from..]) else {
                    self.scanned = length;
                    return at_end.then_some(Wire::Ndjson);
                };
                one_a_line(text, from + end - start, at_end)
            }
            _ => field_lines(text, at_end),
        }
    }
}

/// Whether an object that starts a file is the first of one a line, or is written over several lines. The first line has
/// this length.
fn one_a_line(text: &[u8], length: usize, at_end: bool) -> Option<Wire> {
    let (first, rest) = text.split_at(length);
    if std::str::from_utf8(first).is_err() || json::parse(first).is_ok() {
        return Some(Wire::Ndjson);
    }
    // A broken first line or the first of several: what starts like another event decides.
    match rest.trim_ascii_start().first() {
        Some(b' ' | b'\t' | b'"' | b'}') => Some(Wire::Json),
        Some(_) if matches!(first.trim_ascii_end().last(), Some(b'{' | b'[' | b',' | b':')) => {
            over_lines(text, length, at_end)
        }
        Some(_) => Some(Wire::Ndjson),
        None => at_end.then_some(Wire::Ndjson),
    }
}

/// Whether an object goes on behind its first line, which ends where a line may end. If that line was torn, what follows
/// are events, and two of them are not in one value without a comma.
fn over_lines(text: &[u8], first: usize, at_end: bool) -> Option<Wire> {
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
            Err(fault) if fault.kind != FaultKind::Incomplete => return Some(Wire::Ndjson),
            Err(_) if lines == LINES_LOOKED_AT => return Some(Wire::Json),
            Err(_) => {}
        }
    }
    at_end.then_some(Wire::Ndjson)
}

/// Whether the first line is one of server-sent events.
fn field_lines(text: &[u8], at_end: bool) -> Option<Wire> {
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
        let whole = Head::new(None).feed(text.as_bytes(), 1000).map(|(wire, _)| wire);
        let mut head = Head::new(None);
        let bytewise = text.bytes().find_map(|byte| head.feed(&[byte], 1000)).map(|(wire, _)| wire);
        let bytewise = bytewise.unwrap_or_else(|| head.finish().0);
        let mut head = Head::new(None);
        let whole = whole.unwrap_or_else(|| {
            let _ = head.feed(text.as_bytes(), 1000);
            head.finish().0
        });
        assert_eq!(whole, bytewise, "{text:?} must be seen alike however it is cut");
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
