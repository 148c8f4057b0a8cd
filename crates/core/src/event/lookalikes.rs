//! Recognises by their looks the lines of what is often found in the place of events: the head of an HTTP response, what
//! curl prints, a page of HTML, a stack trace, YAML, the objects of other languages.

use serde::{Deserialize, Serialize};

use super::oddities::Oddities;
use crate::input::{Frame, Oddity};

/// The words with which curl begins its remarks on a connection.
const REMARKS: [&str; 17] = [
    "* Trying",
    "* Connected",
    "* Connection",
    "* Host ",
    "* IPv",
    "* Using ",
    "* using ",
    "* ALPN",
    "* TLS",
    "* SSL",
    "* Server certificate",
    "* upload completely",
    "* Request completely",
    "* Mark bundle",
    "* Closing",
    "* HTTP",
    "* [HTTP",
];

/// The beginnings of files that are no text.
const MAGIC: [&[u8]; 9] = [
    b"\x89PNG",
    b"\xFF\xD8\xFF",
    b"GIF8",
    b"%PDF-",
    b"PK\x03\x04",
    b"\x7FELF",
    b"SQLite format 3",
    b"PAR1",
    b"\xCF\xFA\xED\xFE",
];

/// The lines of something that goes on until the next event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lookalikes {
    /// What the last line belonged to, and the number of events before it.
    block: Option<(Oddity, u64)>,
}

impl Lookalikes {
    /// Returns what a line that is no event belongs to; `None` if that is not known. `events`: the number of events
    /// before it. `keys`: the names of the members that events have. `seen`: what lines before it belonged to.
    pub(crate) fn recognise(
        &mut self,
        frame: &Frame<'_>,
        events: u64,
        keys: &[String],
        seen: &Oddities,
    ) -> Option<Oddity> {
        let text = frame.text.trim_ascii();
        let block = self.block.take().filter(|(_, before)| *before == events).map(|(oddity, _)| oddity);
        let begun = begun(text, keys, seen).or_else(|| is_binary(text).then_some(Oddity::Binary));
        let (found, goes_on) = match (block, begun) {
            (Some(Oddity::Html | Oddity::Binary), _) => (block, true),
            (Some(Oddity::StackTrace), None) => {
                // The lines of a trace are indented; the one behind them names the error.
                (block, frame.origin(0).column > 1 || text.starts_with(b"at "))
            }
            (Some(Oddity::HttpHead), None) if is_header(text) => (block, true),
            (Some(Oddity::ContentLength), None) if is_header(text) => (block, true),
            (Some(Oddity::Yaml), None) if is_yaml(text) => (block, true),
            (_, begun) => (begun, true),
        };
        self.block = found.filter(|_| goes_on).map(|oddity| (oddity, events));
        found
    }
}

/// Returns what a line begins, or is by itself.
fn begun(text: &[u8], keys: &[String], seen: &Oddities) -> Option<Oddity> {
    let starts = |words: &[&str]| words.iter().any(|word| text.starts_with(word.as_bytes()));
    let lower: Vec<u8> = text.iter().take(16).map(u8::to_ascii_lowercase).collect();
    let starts_lower = |words: &[&str]| words.iter().any(|word| lower.starts_with(word.as_bytes()));
    let by_curl = seen.has(Oddity::CurlTrace);
    let request = |line: &[u8]| memchr::memmem::find(line, b" HTTP/").is_some();
    if starts(&["HTTP/1", "HTTP/2", "HTTP/3"]) {
        Some(Oddity::HttpHead)
    } else if starts(&REMARKS)
        || starts(&["< HTTP/", "{ [", "} ["])
        || text.starts_with(b"> ") && request(text)
        || text.starts_with(b"% Total")
        || by_curl && (matches!(text, b"<" | b">") || starts(&["* ", "< ", "> ", "Dload"]) || is_progress(text))
    {
        Some(Oddity::CurlTrace)
    } else if starts_lower(&["content-length:"]) {
        Some(Oddity::ContentLength)
    } else if starts_lower(&["<!doctype html", "<html", "<head>", "<body"]) {
        Some(Oddity::Html)
    } else if starts(&["Traceback (most recent call last)", "Exception in thread ", "goroutine ", "Uncaught "])
        || text.starts_with(b"thread '") && memchr::memmem::find(text, b"' panicked at ").is_some()
    {
        Some(Oddity::StackTrace)
    } else if starts(&["{'", "{\"", "[{'"]) && is_python(text) {
        Some(Oddity::PythonDict)
    } else if is_javascript(text) {
        Some(Oddity::JavaScriptObject)
    } else if starts(&["data:", "event:", "id:", "retry:"]) || text.starts_with(b":") {
        Some(Oddity::SseField)
    } else if is_chunk_size(text, seen.has(Oddity::ChunkSize) || seen.has(Oddity::HttpHead)) {
        Some(Oddity::ChunkSize)
    } else if text == b"---" || yaml_key(text).is_some_and(|key| keys.iter().any(|known| known.as_bytes() == key)) {
        Some(Oddity::Yaml)
    } else if MAGIC.iter().any(|magic| text.starts_with(magic)) {
        Some(Oddity::Binary)
    } else {
        None
    }
}

/// Returns the name before the colon of `name: value`; `None` if the line is something else.
fn name_before_colon(text: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', text)?;
    let (name, value) = (&text[..colon], &text[colon + 1..]);
    let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    (is_name && matches!(value.first(), None | Some(b' ' | b'\t'))).then_some(name)
}

fn is_header(text: &[u8]) -> bool {
    name_before_colon(text).is_some()
}

/// Returns the key of a line of YAML.
fn yaml_key(text: &[u8]) -> Option<&[u8]> {
    name_before_colon(text.strip_prefix(b"- ").unwrap_or(text))
}

fn is_yaml(text: &[u8]) -> bool {
    yaml_key(text).is_some() || text == b"---" || text.starts_with(b"- ")
}

/// Returns whether a text looks like a Python dict: keys in single quotes, or Python's words for values.
fn is_python(text: &[u8]) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some());
    let quoted = text.strip_prefix(b"[").unwrap_or(text).starts_with(b"{'") && has(&["': "]);
    quoted || has(&["\": True", "\": False", "\": None"])
}

/// Returns whether a text looks like what console.log prints of an object: keys without quotes.
fn is_javascript(text: &[u8]) -> bool {
    let Some(inside) = text.strip_prefix(b"{") else { return false };
    let Some(key) = name_before_colon(inside.trim_ascii_start()) else { return false };
    !key[0].is_ascii_digit() && memchr::memchr(b'\'', text).is_some()
}

/// Returns whether a line is the size of a chunk, in hexadecimal. Without a reason to expect one, it must have both
/// digits and letters.
fn is_chunk_size(text: &[u8], expected: bool) -> bool {
    let has = |test: fn(&u8) -> bool| text.iter().any(test);
    (1..=8).contains(&text.len())
        && text.iter().all(u8::is_ascii_hexdigit)
        && (expected || has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic))
}

/// Returns whether a line is one of curl's progress table.
fn is_progress(text: &[u8]) -> bool {
    let is_cell = |byte: &u8| byte.is_ascii_digit() || b" :.-kMG".contains(byte);
    text.len() > 20 && text.iter().all(is_cell)
}

/// Returns whether bytes are no text: they are no UTF-8, and have control characters that text does not have.
fn is_binary(text: &[u8]) -> bool {
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0E..=0x1A | 0x1C..=0x1F);
    std::str::from_utf8(text).is_err() && text.iter().any(is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;
    use crate::input::{Origin, Segment};

    /// Returns what each line belongs to, if no event stands between them.
    fn recognised(lines: &[&str]) -> Vec<Option<Oddity>> {
        let (mut lookalikes, mut seen) = (Lookalikes::default(), Oddities::default());
        let keys = ["type", "timestamp", "payload"].map(str::to_owned);
        let mut recognise = |line: &&str| {
            let text = line.trim_start();
            let column = 1 + (line.len() - text.len()) as u64;
            let segments = [Segment { at: 0, origin: Origin { column, ..Origin::START } }];
            let found = lookalikes.recognise(&Frame::new(text.as_bytes(), &segments), 0, &keys, &seen);
            found.inspect(|oddity| seen.note(*oddity, Place::of_file))
        };
        lines.iter().map(&mut recognise).collect()
    }

    #[test]
    fn lines_of_other_formats_are_recognised() {
        for (lines, oddity) in [
            (&["HTTP/1.1 200 OK", "content-type: text/event-stream", "nel: {\"a\":1}"][..], Oddity::HttpHead),
            (
                &["* Trying 127.0.0.1:80...", "> GET / HTTP/1.1", "> Accept: */*", ">", "< a: b", "{ [5 bytes data]"],
                Oddity::CurlTrace,
            ),
            (&["Content-Length: 17", "Content-Type: application/json"], Oddity::ContentLength),
            (&["<!DOCTYPE html>", "<p>502", "body { color: red }"], Oddity::Html),
            (
                &["Traceback (most recent call last):", "  File \"a.py\", line 1", "    f()", "ValueError: no"],
                Oddity::StackTrace,
            ),
            (&["{'type': 'x', 'a': None}", "{\"type\": \"x\", \"a\": True}"], Oddity::PythonDict),
            (&["{ type: 'x', payload: [Object] }"], Oddity::JavaScriptObject),
            (&["---", "type: x", "payload:", "  a: 1", "- b"], Oddity::Yaml),
            (&["1a4", "12", "0"], Oddity::ChunkSize),
            (&["event: x", "data: [DONE]"], Oddity::SseField),
        ] {
            assert_eq!(recognised(lines), vec![Some(oddity); lines.len()], "{lines:?}");
        }
    }

    #[test]
    fn plain_text_is_not_taken_for_something_else() {
        for line in [
            "Reading the prompt from standard input...",
            "> npm run start",
            "* a point of a list",
            "WARN cache is cold",
            "42",
            "cafe",
            "note: a name before a colon",
            "{\"type\":\"x\",oops}",
            "{garbage",
            "Grüße",
        ] {
            assert_eq!(recognised(&[line]), [None], "{line}");
        }
        // A trace ends with the line that names the error.
        assert_eq!(recognised(&["Traceback (most recent call last):", "KeyError: 1", "Bye."])[2], None);
    }
}
