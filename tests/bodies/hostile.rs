//! Files that are made to hurt: nothing hangs, grows or is lost, and nothing raw is printed.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::forms::gzip;
use super::run::{Folder, Ran};

/// What a slow machine may take at most for a file of a few megabytes.
const LONG: Duration = Duration::from_secs(60);

fn check(name: &str, file: &[u8]) -> Ran {
    let folder = Folder::new();
    folder.write(name, file);
    let began = Instant::now();
    let output = folder.run(&["check", "--protocol", "anthropic-messages", name]);
    assert!(began.elapsed() < LONG, "{name} took {:?}", began.elapsed());
    assert!(!output.err.contains("panicked"), "{}", output.err);
    assert!(!output.out.contains('\u{1B}') && !output.err.contains('\u{1B}'), "{name}");
    output
}

const HEAD: &str = "interactions:\n- request: {method: POST, uri: https://a/b}\n  response:\n    body:\n";

#[test]
fn aliases_are_not_followed() {
    let mut text = format!("{HEAD}      string: &s0 'data: {{}}'\na0: &a0 [*s0, *s0]\n");
    for level in 1..64 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", ")));
    }
    let output = check("aliases.yaml", text.as_bytes());
    assert!(output.out.contains("1 file, 1 body, "), "{}", output.out);
}

#[test]
fn a_body_that_is_written_once_is_judged_once() {
    let text = "interactions:\n- request: {}\n  response: &r\n    body: &b {string: \"data: {\\\"type\\\":\\\"ping\\\"}\\n\\n\"}\n\
                - request: {}\n  response: *r\n- request: {}\n  response: {body: *b}\n";
    let output = check("aliases.yaml", text.as_bytes());
    assert!(output.out.contains("1 file, 1 body, 1 event, "), "{}", output.out);
}

#[test]
fn deep_documents_are_no_cassettes() {
    for (name, text) in [
        ("flow.yaml", format!("{HEAD}      string: {}", "[".repeat(100_000))),
        ("block.yaml", format!("{HEAD}      string: {}a", "- ".repeat(100_000))),
        ("deep.json", format!(r#"{{"response": {}"#, "[".repeat(100_000))),
        ("deep.har", format!(r#"{{"log": {{"entries": {}1{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000))),
    ] {
        let output = check(name, text.as_bytes());
        assert_ne!(output.code, 0, "{name}: {}", output.out);
    }
}

#[test]
fn a_cassette_that_cannot_be_read_is_said_to_be_so_with_the_place() {
    let broken = check("broken.yaml", format!("{HEAD}      string: 'never ended\n").as_bytes());
    assert_eq!(
        (broken.code, broken.out.as_str().contains("1 input could not be checked")),
        (2, true),
        "{}",
        broken.out
    );
    let words = broken.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("it looks like a cassette, but is not YAML at line "), "{words}");
}

#[test]
fn a_bomb_of_gzip_is_read_piece_by_piece() {
    let line = b": a comment that says nothing, and again and again and again\n".repeat(16);
    let many = line.repeat(100_000);
    let coded = STANDARD.encode(gzip(&[b"event: ping\ndata: {\"type\":\"ping\"}\n\n", &many[..]].concat()));
    assert!(coded.len() < 1_000_000 && many.len() > 90_000_000);
    let output = check("bomb.yaml", format!("{HEAD}      string: !!binary {coded}\n").as_bytes());
    assert!(output.out.contains("1 body"), "{}", output.out);
}

#[test]
fn many_interactions_are_judged_each_by_itself() {
    let one = "- request: {method: POST, uri: https://a/b}\n  response:\n    body:\n      string: \"event: ping\\ndata: \
               {\\\"type\\\":\\\"ping\\\"}\\n\\n\"\n";
    let output = check("many.yaml", format!("interactions:\n{}", one.repeat(10_000)).as_bytes());
    assert!(output.out.contains("10000 bodies"), "{}", output.out);
}

#[test]
fn damaged_codings_are_findings_in_what_came_before() {
    let stream = b"event: ping\ndata: {\"type\":\"ping\"}\n\n".repeat(50);
    let mut coded = STANDARD.encode(&stream);
    coded.replace_range(600..601, "*");
    let output = check("damaged.yaml", format!("{HEAD}      string: !!binary {coded}\n").as_bytes());
    assert!(output.out.contains("truncated-input"), "{}", output.out);
    let compressed = gzip(&stream);
    let coded = STANDARD.encode(&compressed[..compressed.len() - 9]);
    let output = check("cut.yaml", format!("{HEAD}      string: !!binary {coded}\n").as_bytes());
    assert!(output.out.contains("truncated-input"), "{}", output.out);
}

#[test]
fn names_from_the_file_are_shown_safely() {
    let text = "interactions:\n- request: {method: POST, uri: \"https://a/\\e[31m\\n::error::x\"}\n  response:\n    body:\n      \
                string: !!binary ZXZlbnQ6IGEKZGF0YTogewoK\n";
    let output = check("names.yaml", text.as_bytes());
    assert!(output.out.contains("response 1, POST /"), "{}", output.out);
    assert!(!output.out.contains("\n::error"), "{}", output.out);
}

#[test]
fn a_recording_with_responses_in_its_events_stays_a_recording() {
    let event = r#"{"type":"ping","request":{"method":"GET","url":"/a"},"response":{"body":"data: {}\n\n"}}"#;
    for text in [format!("[{event},\n{event}]"), format!("{event}\n{event}\n"), event.to_owned()] {
        let output = check("events.json", text.as_bytes());
        assert!(!output.out.contains("bod"), "{}", output.out);
        assert!(output.out.contains(" event"), "{}", output.out);
    }
}

#[test]
fn a_compression_that_is_not_read_is_said() {
    let body = STANDARD.encode(b"\x0b\x05\x80\xff\xfe\x03");
    let text = format!(
        "interactions:\n- request: {{method: GET, uri: https://a/b}}\n  response:\n    headers: {{Content-Encoding: [br]}}\n    \
         body:\n      string: !!binary {body}\n"
    );
    let output = check("br.yaml", text.as_bytes());
    let words = output.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("the body of response 1, GET /b is compressed with br, which is not read"), "{words}");
}
