//! What a text looks like: whether a file may hold bodies, and whether a text is a stream.

use sessionlint_core::input::{BYTE_ORDER_MARK, in_utf8};

/// The notation of a file that may hold bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    Json,
    Yaml,
}

/// A guess at a file from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    pub notation: Notation,
    /// Whether nothing else looks like this.
    pub is_sure: bool,
}

impl Guess {
    /// Returns whether the file would be JSON.
    pub fn is_json(self) -> bool {
        self.notation == Notation::Json
    }
}

/// Keys of JSON files that hold responses.
const KEYS: [&str; 8] =
    ["response", "responses", "request", "requests", "entries", "interactions", "http_interactions", "chunks"];
/// Keys that are at the beginning of such files, and of nothing else.
const SURE_KEYS: [&str; 2] = ["\"http_interactions\"", "\"entries\""];
/// Beginnings of lines of server-sent events, as they stand in a JSON string.
const FIELDS: [&str; 4] = ["\"data:", "\"event:", "\\ndata:", "\\nevent:"];
/// The ends of lines of JSON, with the beginnings of the next, as they stand in a JSON string.
const LINE_ENDS: [&str; 2] = ["}\\n{", "}\\r\\n{"];
/// The length of a text in base64 that may hold a stream, in characters.
const SHORTEST_CODED: usize = 64;
/// The most lines that are looked at to recognise server-sent events.
const MOST_LINES: usize = 40;

/// Returns what a file may be that begins with `start`; `None` if it holds no bodies.
pub fn guess(start: &[u8]) -> Option<Guess> {
    let start = &*in_utf8(start);
    let text = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start).trim_ascii_start();
    match text.first()? {
        b'{' | b'[' => guess_json(text),
        _ => is_yaml(text).then_some(Guess { notation: Notation::Yaml, is_sure: true }),
    }
}

fn guess_json(text: &[u8]) -> Option<Guess> {
    let mut scan = JsonScan::default();
    let (mut has_key, mut is_sure) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        if scan.is_over() {
            // More values: lines of JSON, or JSON texts in sequence.
            if !byte.is_ascii_whitespace() {
                return None;
            }
            continue;
        }
        if let Some(string) = scan.next(at, *byte) {
            let string = &text[string];
            has_key |= is_one_of(string, &KEYS) || looks_coded(string);
            is_sure |= SURE_KEYS.iter().any(|key| key.as_bytes() == string);
        }
    }
    let has = |words: &[&str]| words.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some());
    // A text of which the beginning alone is there, such as a long one in base64.
    let is_coded = scan.open_string().is_some_and(|start| looks_coded(&text[start..]));
    (has_key || is_coded || has(&FIELDS) || has(&LINE_ENDS)).then_some(Guess { notation: Notation::Json, is_sure })
}

/// Returns whether a string, with its quotes, is one of these words.
fn is_one_of(string: &[u8], words: &[&str]) -> bool {
    let inner = string.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(string);
    words.iter().any(|word| word.as_bytes() == inner)
}

/// Returns whether a string, with the quote before it, may be a long text in base64.
fn looks_coded(string: &[u8]) -> bool {
    let inner = string.strip_prefix(b"\"").unwrap_or(string);
    inner.len() >= SHORTEST_CODED && inner[..SHORTEST_CODED].iter().all(|byte| is_coded(*byte) || *byte == b'\\')
}

/// Returns whether a byte is of the alphabet of base64.
pub fn is_coded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)
}

/// Reads JSON for the end of the first value and for its strings, without judging it.
#[derive(Default)]
struct JsonScan {
    depth: usize,
    /// Where the string that is being read began.
    string: Option<usize>,
    is_escaped: bool,
    has_ended: bool,
}

impl JsonScan {
    /// Reads a byte. Returns the range of the string that it ends.
    fn next(&mut self, at: usize, byte: u8) -> Option<std::ops::Range<usize>> {
        if let Some(start) = self.string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => {
                    self.string = None;
                    return Some(start..at + 1);
                }
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' => self.string = Some(at),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.has_ended = self.depth == 0;
            }
            _ => {}
        }
        None
    }

    fn is_over(&self) -> bool {
        self.has_ended
    }

    fn open_string(&self) -> Option<usize> {
        self.string
    }
}

/// Returns whether a text begins like a cassette in YAML: a mapping with the list of interactions, or a list of requests
/// with their responses.
fn is_yaml(text: &[u8]) -> bool {
    let is_marker = |line: &[u8]| {
        line.is_empty() || line.starts_with(b"#") || line.starts_with(b"%YAML") || line.trim_ascii_end() == b"---"
    };
    let lines = || text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let Some(first) = lines().find(|line| !is_marker(line)) else { return false };
    let first = first.strip_prefix(b"--- ").unwrap_or(first);
    let is_key = |line: &[u8], words: &[&str]| {
        let key = line.split(|byte| *byte == b':').next().unwrap_or_default();
        key.len() < line.len() && words.iter().any(|word| word.as_bytes() == key)
    };
    if first.starts_with(b"-") {
        // The list may hang on a line of its own, and each of its items on the next.
        let inside = |line: &[u8]| line.strip_prefix(b"-").unwrap_or(line).trim_ascii_start().to_vec();
        return lines().take(MOST_LINES).any(|line| {
            let is_outer = line.starts_with(b"-") || line.starts_with(b" ");
            is_outer && is_key(&inside(line), &["request", "response"])
        });
    }
    let is_plain_key = memchr::memchr(b':', first).is_some_and(|at| {
        at > 0 && first[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-\"'".contains(byte))
    });
    is_plain_key && lines().any(|line| is_key(line, &["interactions", "http_interactions", "requests", "responses"]))
}

/// Returns whether a text looks like server-sent events: one of its first lines is a `data` or `event` field.
pub fn is_server_sent(text: &[u8]) -> bool {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if matches!(text.trim_ascii_start().first(), None | Some(b'{' | b'[' | b'<')) {
        return false;
    }
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).take(MOST_LINES);
    lines.into_iter().any(|line| line.starts_with(b"data:") || line.starts_with(b"event:"))
}

/// Returns whether a text has several lines that begin like JSON objects: it may be a stream with one event a line.
pub fn has_json_lines(text: &[u8]) -> bool {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let is_object = |line: &[u8]| line.starts_with(b"{\"") && (line.ends_with(b"}") || line.len() > 60);
    lines.take(3).filter(|line| is_object(line)).count() > 1
}

/// Returns whether a text is one JSON object or string, as a plain response is, rather than several.
pub fn is_one_object(text: &[u8]) -> bool {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii();
    let mut scan = JsonScan::default();
    if !text.starts_with(b"{") {
        return false;
    }
    for (at, byte) in text.iter().enumerate() {
        if scan.is_over() {
            return false;
        }
        scan.next(at, *byte);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notation(text: &str) -> Option<Notation> {
        guess(text.as_bytes()).map(|guess| guess.notation)
    }

    #[test]
    fn files_with_bodies_are_recognised_from_their_beginning() {
        for text in [
            "interactions:\n- request:\n    body: x",
            "---\nhttp_interactions:\n- request:\n",
            "version: 2\ninteractions:\n    - id: 0\n",
            "\u{FEFF}# a comment\n\nversion: 1\r\ninteractions: []\r\n",
            "requests:\n- body: x\nresponses:\n",
            "-\n    request:\n        method: GET\n",
            "- request:\n    method: GET\n",
        ] {
            assert_eq!(notation(text), Some(Notation::Yaml), "{text}");
        }
        for text in [
            r#"{"log": {"version": "1.2", "entries": ["#,
            r#"[{"request": {}, "response": {"body": "x"}}]"#,
            r#"{"sse": "event: a\ndata: {}\n\n"}"#,
            &format!(r#"{{"b": "{}"#, "QUJD".repeat(20)),
        ] {
            assert_eq!(notation(text), Some(Notation::Json), "{text}");
        }
    }

    #[test]
    fn recordings_and_other_files_hold_no_bodies() {
        for text in [
            "",
            "event: a\ndata: {}\n\n",
            "id: 1\ndata: {\"interactions\": 1}\n\n",
            "{\"type\":\"a\",\"response\":{}}\n{\"type\":\"b\",\"response\":{}}\n",
            "{\"type\":\"a\"}",
            "on: push\njobs:\n  a:\n    interactions: 1\n",
            "Dear all,\ninteractions: none\n",
            "- a\n- b\n",
            "data: interactions:\n",
        ] {
            assert_eq!(notation(text), None, "{text}");
        }
    }

    #[test]
    fn a_stream_is_told_from_other_texts() {
        for text in [
            "data: 1\n",
            "\u{FEFF}\n\nevent: a",
            "id: 1\r\nretry: 2\r\ndata:x",
            ": ping\n\ndata: 1",
            "rest\"}\n\ndata: 1",
        ] {
            assert!(is_server_sent(text.as_bytes()), "{text}");
        }
        for text in ["", "<p>\ndata: 1", "{\"a\":\n\"b\"}", "Hello, world", "metadata: 1"] {
            assert!(!is_server_sent(text.as_bytes()), "{text}");
        }
        assert!(has_json_lines(b"{\"a\":1}\n\n{\"b\":1}\n"));
        assert!(!has_json_lines(b"{\"a\":1}\n") && !has_json_lines(b"{\n\"a\": {\n}}"));
        assert!(is_one_object(b" {\"a\": \"}{\"}\n") && is_one_object(b"{\"a\": "));
        assert!(!is_one_object(b"{}{}") && !is_one_object(b"[{}]") && !is_one_object(b"data: {}"));
    }
}
