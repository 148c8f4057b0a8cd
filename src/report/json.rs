//! JSON: one document.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use sessionlint_core::bytes::skip_printable;
use sessionlint_core::finding::{Finding, Place, Related, Severity};
use sessionlint_core::text::is_control;

use super::inert::Syntax;
use super::{BodyCounts, Format, Reporter, RunEnd};

/// The format of a single JSON document.
pub const FORMAT: Format = Format {
    name: "json",
    about: "A single JSON document",
    syntax: Syntax::Json,
    recognises: |beginning| beginning.starts_with(r#"{"format":1,"tool":{"name":"sessionlint","#),
    reporter: |out, _, _| Box::new(Json::new(out)),
};

/// Writes one document: `format`, `tool`, `findings`, then `summary` (and `stats`). The counts come last because
/// findings are written as they are judged.
pub struct Json<W> {
    out: W,
    any: bool,
    text: Vec<u8>,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Json<W> {
        Json { out, any: false, text: Vec::new() }
    }
}

impl<W: Write> Reporter for Json<W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn begin(&mut self) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        write!(self.out, r#"{{"format":1,"tool":{{"name":"sessionlint","version":"{version}"}},"findings":["#)
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let separator: &[u8] = if std::mem::replace(&mut self.any, true) { b",\n" } else { b"\n" };
        self.text.extend_from_slice(separator);
        write_finding(&mut self.text, finding);
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        self.out.write_all(b"\n],\"summary\":")?;
        write(&mut self.text, end.summary)?;
        write_completeness(&mut self.text, end)?;
        if let Some(found) = end.found {
            self.text.extend_from_slice(b",\"protocols\":");
            write(&mut self.text, found)?;
        }
        if let Some(unselected) = end.unselected {
            self.text.extend_from_slice(format!(",\"unselected\":{}", unselected.findings).as_bytes());
        }
        if end.bodies != BodyCounts::default() {
            self.text.extend_from_slice(b",\"bodies\":");
            write(&mut self.text, &end.bodies)?;
        }
        if let Some(reconciled) = end.reconciled {
            self.text.extend_from_slice(b",\"reconciled\":");
            write(&mut self.text, &reconciled)?;
        }
        if let Some(linted) = end.linted {
            self.text.extend_from_slice(b",\"linted\":");
            write(&mut self.text, linted)?;
        }
        if let Some(stats) = end.stats {
            self.text.extend_from_slice(b",\"stats\":");
            let seconds = end.elapsed.as_secs_f64();
            write(
                &mut self.text,
                &serde_json::json!({
                    "by_type": stats.by_type,
                    "streams": end.summary.streams,
                    "opened": stats.opened,
                    "bytes": stats.bytes,
                    "seconds": seconds,
                }),
            )?;
        }
        self.text.extend_from_slice(b"}\n");
        self.out.write_all(&self.text)?;
        self.out.flush()
    }
}

/// Appends the keys `complete` and `incomplete`, and `left_out` if folders may have been searched, behind another key.
fn write_completeness(out: &mut Vec<u8>, end: &RunEnd<'_>) -> io::Result<()> {
    let completeness = end.completeness;
    out.extend_from_slice(format!(",\n\"complete\":{},\"incomplete\":[", completeness.is_complete()).as_bytes());
    for (number, gap) in completeness.gaps().iter().enumerate() {
        out.extend_from_slice(if number == 0 { b"\n" } else { b",\n" });
        write(out, gap)?;
    }
    out.push(b']');
    if completeness.unlisted() > 0 {
        out.extend_from_slice(format!(",\"incomplete_unlisted\":{}", completeness.unlisted()).as_bytes());
    }
    if let Some(left_out) = end.left_out {
        out.extend_from_slice(b",\"left_out\":");
        write(out, &left_out)?;
    }
    Ok(())
}

/// Appends a value on one line, with every character escaped that a terminal could act on.
pub fn write(out: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, TerminalSafe)).map_err(io::Error::from)
}

/// Appends a finding exactly as [`write()`] would, but faster: with millions of findings, writing them dominates the
/// run time.
pub(super) fn write_finding(out: &mut Vec<u8>, finding: &Finding) {
    let Finding {
        rule,
        severity,
        message,
        file,
        place,
        event_type,
        stream,
        pointer,
        help,
        related,
        quote: _,
        proposal: _,
        ..
    } = finding;
    out.extend_from_slice(b"{\"rule\":\"");
    content(out, rule);
    // In one piece, because appending takes a time of its own, however short the piece.
    let severity: &[u8] = match severity {
        Severity::Error => b"\",\"severity\":\"error\",\"message\":\"",
        Severity::Warning => b"\",\"severity\":\"warning\",\"message\":\"",
        Severity::Note => b"\",\"severity\":\"note\",\"message\":\"",
    };
    out.extend_from_slice(severity);
    content(out, message);
    out.push(b'"');
    optional(out, b",\"file\":\"", file.as_deref());
    write_place(out, place);
    optional(out, b",\"type\":\"", event_type.as_deref());
    optional(out, b",\"stream\":\"", stream.as_deref());
    optional(out, b",\"pointer\":\"", pointer.as_deref());
    optional(out, b",\"help\":\"", help.as_deref());
    if related.is_empty() {
        return out.extend_from_slice(b",\"related\":[]}");
    }
    out.extend_from_slice(b",\"related\":[");
    for (index, Related { message, file, place, .. }) in related.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"message\":\"" } else { b",{\"message\":\"" });
        content(out, message);
        out.push(b'"');
        optional(out, b",\"file\":\"", file.as_deref());
        write_place(out, place);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn write_place(out: &mut Vec<u8>, place: &Place) {
    let Place { line, column, start, end, event, row, excerpt: _, .. } = place;
    let mut members = Numbers { text: [0; Numbers::LONGEST], length: 0 };
    members.add(b",\"line\":", *line);
    members.add(b",\"column\":", *column);
    members.add(b",\"start\":", *start);
    members.add(b",\"end\":", *end);
    match event {
        Some(event) => members.add(b",\"event\":", *event),
        None => members.append(b",\"event\":null"),
    }
    if let Some(row) = row {
        members.add(b",\"row\":", *row);
    }
    out.extend_from_slice(&members.text[..members.length]);
}

/// The members of a place, which are put together before they are appended to a text that may have to grow.
struct Numbers {
    text: [u8; Numbers::LONGEST],
    length: usize,
}

impl Numbers {
    /// The length of all keys of a place, and of as many numbers with up to twenty digits.
    const LONGEST: usize = 50 + 6 * 20;

    /// Adds a key and a number.
    fn add(&mut self, key: &[u8], number: u64) {
        self.append(key);
        self.append(itoa::Buffer::new().format(number).as_bytes());
    }

    #[inline(always)]
    fn append(&mut self, text: &[u8]) {
        self.text[self.length..][..text.len()].copy_from_slice(text);
        self.length += text.len();
    }
}

/// Appends a key and a string, or null in its place. `key` has the quote with which the string begins.
#[inline]
fn optional(out: &mut Vec<u8>, key: &[u8], text: Option<&str>) {
    match text {
        Some(text) => {
            out.extend_from_slice(key);
            content(out, text);
            out.push(b'"');
        }
        None => {
            out.extend_from_slice(&key[..key.len() - 1]);
            out.extend_from_slice(b"null");
        }
    }
}

/// Appends the content of a string, without its quotes.
fn content(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let end = skip_printable(bytes, at);
        out.extend_from_slice(&bytes[at..end]);
        let Some(special) = bytes.get(end) else { break };
        at = end + 1;
        match special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            // `end` is at an ASCII character or at the first byte of another one.
            _ => {
                let Some(c) = text[end..].chars().next() else { break };
                character(out, c);
                at = end + c.len_utf8();
            }
        }
    }
}

/// Appends a character, escaped if a terminal could act on it.
fn character(out: &mut Vec<u8>, c: char) {
    if is_control(c) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            escape(out, *unit);
        }
    } else {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn escape(out: &mut Vec<u8>, unit: u16) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\u");
    out.extend([12, 8, 4, 0].map(|shift| DIGITS[usize::from(unit >> shift & 0xF)]));
}

struct TerminalSafe;

impl Formatter for TerminalSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut safe = Vec::with_capacity(text.len());
        text.chars().for_each(|c| character(&mut safe, c));
        out.write_all(&safe)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use sessionlint_core::finding::Severity;

    use super::*;

    proptest! {
        #[test]
        fn a_finding_is_written_as_its_type_says(
            texts in prop::collection::vec(r#"(?s)([ -~]|[\x00-\x1f"\\]|é|🙂|\x7f|\u{9b}|\u{202e}|\u{e0001}){0,30}"#, 6),
            numbers in any::<[u64; 5]>(),
            some in any::<[bool; 6]>(),
        ) {
            let text = |index: usize| texts[index].as_str();
            let shared = |index: usize| some[index].then(|| text(index).into());
            let mut place = Place::new(numbers[0], numbers[1], numbers[2]..numbers[3]);
            place.event = some[5].then_some(numbers[4]);
            place.row = some[4].then_some(numbers[3]);
            let related = Related::in_file(shared(4), text(5), place.clone());
            let mut finding =
                Finding::of_file(text(0), Severity::Warning, text(1).to_owned(), &Arc::default(), place);
            finding.file = shared(0);
            finding.event_type = shared(1);
            finding.stream = shared(2);
            finding.pointer = some[3].then(|| text(3).into());
            finding.help = some[4].then(|| text(4).to_owned().into());
            finding.related = vec![related; usize::from(some[0]) + usize::from(some[1])];
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            write_finding(&mut fast, &finding);
            write(&mut slow, &finding).expect("to memory");
            prop_assert_eq!(String::from_utf8_lossy(&fast), String::from_utf8_lossy(&slow));
        }
    }
}
