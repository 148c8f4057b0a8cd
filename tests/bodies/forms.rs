//! The forms in which libraries write bodies of responses, written here once more.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::run::Stream;

pub struct Form {
    pub name: &'static str,
    pub ending: &'static str,
    /// Returns a file with a stream in it; `None` if the form cannot have it.
    pub wrap: fn(&Stream) -> Option<Vec<u8>>,
}

pub const FORMS: [Form; 14] = [
    Form { name: "vcrpy-quoted", ending: "yaml", wrap: |stream| cassette(stream, &single_quoted(stream.text()?)?) },
    Form { name: "vcrpy-escaped", ending: "yaml", wrap: |stream| cassette(stream, &double_quoted(stream.text()?)) },
    Form { name: "vcrpy-literal", ending: "yaml", wrap: |stream| cassette(stream, &literal(stream.text()?)?) },
    Form { name: "vcrpy-binary", ending: "yml", wrap: |stream| cassette(stream, &binary(&stream.bytes)) },
    Form { name: "vcrpy-gzip", ending: "yaml", wrap: |stream| cassette(stream, &binary(&gzip(&stream.bytes))) },
    Form { name: "two-lists", ending: "yaml.gz", wrap: two_lists },
    Form { name: "ruby", ending: "json", wrap: ruby },
    Form { name: "har", ending: "har", wrap: |stream| har(stream, json!({"text": stream.text()?})) },
    Form { name: "har-base64", ending: "har", wrap: har_base64 },
    Form { name: "har-pieces", ending: "har", wrap: har_pieces },
    Form { name: "nock", ending: "json", wrap: |stream| nock(stream, json!(stream.text()?)) },
    Form { name: "nock-gzip", ending: "json", wrap: nock_gzip },
    Form { name: "go", ending: "yaml", wrap: go },
    Form { name: "chunks", ending: "json", wrap: chunks },
];

/// A page that comes before the stream, and is none.
const BEFORE: &str = "- request:\n    body: null\n    method: GET\n    uri: https://api.example/docs\n  response:\n    body:\n      \
                      string: <p>no stream</p>\n    status:\n      code: 200\n";

/// A cassette as vcrpy writes it, with the body of its second response in some notation.
fn cassette(stream: &Stream, body: &str) -> Option<Vec<u8>> {
    let request = "- request:\n    body: '{\"stream\":true}'\n    headers:\n      authorization:\n      - Bearer sk-secret\n    \
                   method: POST\n    uri: https://user:sk-secret@api.example/v1/messages?key=sk-secret\n";
    let headers = format!("    headers:\n      Content-Type:\n      - {}; charset=utf-8\n", stream.media_type());
    let response = format!("  response:\n{headers}    body:\n      string: {body}\n    status:\n      code: 200\n");
    Some(format!("interactions:\n{BEFORE}{request}{response}version: 1\n").into_bytes())
}

/// Returns whether a character stands in a YAML scalar as it is.
fn is_printable(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{10000}'..))
        && !text.contains(['\u{2028}', '\u{2029}'])
}

/// A scalar in single quotes: a line feed is a blank line.
fn single_quoted(text: &str) -> Option<String> {
    let has_loose_space = text.split('\n').any(|line| line.trim_matches(' ') != line);
    if !is_printable(text) || has_loose_space {
        return None;
    }
    let mut out = String::from("'");
    let mut rest = text;
    while let Some(at) = rest.find('\n') {
        out.push_str(&rest[..at].replace('\'', "''"));
        let feeds = rest[at..].len() - rest[at..].trim_start_matches('\n').len();
        // One break more than there are line feeds in a row.
        out.push_str(&"\n".repeat(feeds + 1));
        out.push_str("        ");
        rest = &rest[at + feeds..];
    }
    out.push_str(&rest.replace('\'', "''"));
    Some(out + "'")
}

/// A scalar in double quotes, with escaped line breaks behind line feeds.
fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n\\\n        \\\n        "),
            ' ' if out.ends_with("        ") => out.push_str("\\ "),
            ' '..='~' => out.push(c),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            c if u32::from(c) < 0x10000 => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out + "\""
}

/// A block whose lines stand there as they are.
pub fn literal(text: &str) -> Option<String> {
    if !is_printable(text) || text.starts_with(['\n', ' ']) || text.trim().is_empty() {
        return None;
    }
    let chomping = if text.ends_with('\n') { "+" } else { "-" };
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let lines: Vec<_> =
        lines.map(|line| if line.is_empty() { String::new() } else { format!("        {line}") }).collect();
    Some(format!("|{chomping}\n{}", lines.join("\n")))
}

fn binary(bytes: &[u8]) -> String {
    let coded = STANDARD.encode(bytes);
    let lines: Vec<_> = coded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    if coded.is_empty() {
        "!!binary ''".to_owned()
    } else {
        format!("!!binary |\n        {}", lines.join("\n        "))
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

/// A list of requests and one of responses, compressed.
fn two_lists(stream: &Stream) -> Option<Vec<u8>> {
    let body = binary(&stream.bytes);
    let headers = format!("  headers:\n    content-type: [{}]\n", stream.media_type());
    let text =
        format!("requests:\n- method: POST\n  uri: '**REDACTED**'\nresponses:\n- body:\n    string: {body}\n{headers}");
    Some(gzip(text.as_bytes()))
}

fn written(value: &Value) -> Option<Vec<u8>> {
    serde_json::to_vec_pretty(value).ok()
}

/// JSON as Ruby's VCR writes it.
fn ruby(stream: &Stream) -> Option<Vec<u8>> {
    let interaction = json!({
        "request": {"method": "post", "uri": "https://api.example/v1/messages", "headers": {"Authorization": ["sk-secret"]}},
        "response": {
            "headers": {"Content-Type": [stream.media_type()]},
            "body": {"encoding": "ASCII-8BIT", "base64_string": format!("{}\n", STANDARD.encode(&stream.bytes))},
        },
    });
    written(&json!({"http_interactions": [interaction], "recorded_with": "VCR 6.2.0"}))
}

fn har(stream: &Stream, content: Value) -> Option<Vec<u8>> {
    let mut content = content;
    content["mimeType"] = format!("{}; charset=utf-8", stream.media_type()).into();
    let secret = json!([{"name": "authorization", "value": "Bearer sk-secret"}]);
    let page = json!({
        "request": {"method": "GET", "url": "https://api.example/docs", "headers": secret},
        "response": {"status": 200, "content": {"size": 3, "mimeType": "text/html", "text": "<p>"}},
    });
    let entry = json!({
        "request": {"method": "POST", "url": "https://api.example/v1/messages?key=sk-secret", "headers": secret},
        "response": {"status": 200, "headers": [], "content": content},
    });
    written(&json!({"log": {"version": "1.2", "creator": {"name": "a browser"}, "entries": [page, entry]}}))
}

fn har_base64(stream: &Stream) -> Option<Vec<u8>> {
    har(stream, json!({"text": STANDARD.encode(&stream.bytes), "encoding": "base64"}))
}

/// Polly.js writes the pieces of a compressed body as an array, and the array as a text.
fn har_pieces(stream: &Stream) -> Option<Vec<u8>> {
    let bytes = gzip(&stream.bytes);
    let pieces: Vec<_> = bytes.chunks(99).map(|piece| STANDARD.encode(piece)).collect();
    let text = serde_json::to_string(&pieces).ok()?;
    har(stream, json!({"text": text, "encoding": "base64", "_isBinary": true}))
}

fn nock(stream: &Stream, response: Value) -> Option<Vec<u8>> {
    written(&json!([{
        "scope": "https://api.example:443", "method": "POST", "path": "/v1/messages", "body": {"stream": true},
        "status": 200, "response": response, "rawHeaders": ["Content-Type", stream.media_type(), "Server", "x"],
    }]))
}

fn nock_gzip(stream: &Stream) -> Option<Vec<u8>> {
    let bytes = gzip(&stream.bytes);
    let hexadecimal = |piece: &[u8]| piece.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let pieces: Vec<_> = bytes.chunks(64).map(hexadecimal).collect();
    nock(stream, json!(pieces))
}

/// A cassette of go-vcr, whose bodies are strings.
fn go(stream: &Stream) -> Option<Vec<u8>> {
    let body = double_quoted(stream.text()?).replace("\n        ", "\n            ");
    let headers = format!("        headers:\n            Content-Type:\n                - {}\n", stream.media_type());
    let request =
        "      request:\n        body: ''\n        url: https://api.example/v1/messages\n        method: POST\n";
    let text = format!(
        "---\nversion: 2\ninteractions:\n    - id: 0\n{request}      response:\n{headers}        body: {body}\n"
    );
    Some(text.into_bytes())
}

/// The pieces of a body in base64, and beside each its text.
fn chunks(stream: &Stream) -> Option<Vec<u8>> {
    let text = stream.text()?;
    let middle = (text.len() / 2..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (one, other) = text.split_at(middle);
    let chunk = |text: &str| json!({"b64": STANDARD.encode(text), "decoded": text});
    written(&json!({
        "chunks": [chunk(one), chunk(other)],
        "request": {"method": "POST", "url": "https://api.example/v1/messages", "body": {"b64": "e30="}},
        "response": {"body": null, "headers": {"content-type": stream.media_type()}},
    }))
}
