//! Findings name the place in the file that holds the body, where the text stands there plainly.

use serde_json::Value;

use super::forms::{FORMS, literal};
use super::run::{Folder, Stream, streams};

fn findings(folder: &Folder, file: &str) -> Vec<Value> {
    let output = folder.run(&["check", "--protocol", "anthropic-messages", "--format", "jsonl", "--all", file]);
    let all = output.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    // The last line may say that something was not checked.
    all.filter(|line| line["rule"].is_string()).collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).expect("a number")
}

fn wrapped(name: &str, stream: &Stream) -> Option<Vec<u8>> {
    (FORMS.iter().find(|form| form.name == name).expect("there is such a form").wrap)(stream)
}

/// The streams for which a person has written down what is wrong on which line.
fn broken() -> Vec<Stream> {
    streams().into_iter().filter(|stream| !stream.expected.is_empty()).collect()
}

#[test]
fn a_line_of_a_block_is_a_line_of_the_file() {
    let folder = Folder::new();
    let mut seen = 0;
    for stream in broken() {
        let Some(file) = wrapped("vcrpy-literal", &stream) else { continue };
        let text = String::from_utf8(file.clone()).expect("UTF-8");
        let header = 1 + text.lines().position(|line| line.contains("string: |")).expect("there is a block");
        folder.write("a.yaml", &file);
        folder.write("a.txt", &stream.bytes);
        let (there, plain) = (findings(&folder, "a.yaml"), findings(&folder, "a.txt"));
        let of = |finding: &Value| (number(&finding["line"]), finding["rule"].as_str().expect("a rule").to_owned());
        let mut found: Vec<_> = there.iter().map(of).map(|(line, rule)| (line - header, rule)).collect();
        let mut expected = stream.expected.clone();
        // What follows from a lost event is not written down, nor where events stand.
        let is_noted = |rule: &str| {
            !["check-skipped", "wrapped-events"].contains(&rule)
                || stream.expected.iter().any(|(_, other)| other == rule)
        };
        found.retain(|(_, rule)| is_noted(rule));
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{}", stream.name);
        for (finding, plain) in there.iter().zip(&plain) {
            assert_eq!(number(&finding["column"]), number(&plain["column"]) + 8, "{}: {finding}", stream.name);
            let span = |finding: &Value| number(&finding["start"])..number(&finding["end"]);
            let (one, other) = (&file[span(finding)], &stream.bytes[span(plain)]);
            // A line break within has the indentation of the next line behind it.
            let one = String::from_utf8_lossy(one).replace("\n        ", "\n");
            assert_eq!(one, String::from_utf8_lossy(other), "{}: {finding}", stream.name);
            for (one, other) in finding["related"]
                .as_array()
                .into_iter()
                .flatten()
                .zip(plain["related"].as_array().into_iter().flatten())
            {
                assert_eq!(number(&one["line"]), number(&other["line"]) + header, "{}: {finding}", stream.name);
            }
        }
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn a_place_in_a_json_string_has_the_same_text() {
    let folder = Folder::new();
    let mut seen = 0;
    for stream in broken() {
        for (form, name) in [("har", "a.har"), ("nock", "a.json"), ("vcrpy-quoted", "a.yaml"), ("go", "b.yaml")] {
            let Some(file) = wrapped(form, &stream) else { continue };
            folder.write(name, &file);
            folder.write("a.txt", &stream.bytes);
            let (there, plain) = (findings(&folder, name), findings(&folder, "a.txt"));
            assert_eq!(there.len(), plain.len(), "{form}: {}", stream.name);
            let text = String::from_utf8(file).expect("UTF-8");
            for (finding, plain) in there.iter().zip(&plain) {
                let span = number(&finding["start"])..number(&finding["end"]);
                let other = &stream.bytes[number(&plain["start"])..number(&plain["end"])];
                let written = &text[span.clone()];
                let read = match form {
                    "har" | "nock" => serde_json::from_str(&format!("\"{written}\"")).expect("a part of a string"),
                    "vcrpy-quoted" => written.replace("''", "'"),
                    _ => written.replace("\\\"", "\"").replace("\\\\", "\\"),
                };
                let is_simple = form != "go" && form != "vcrpy-quoted"
                    || !other.iter().any(|byte| b"\n\\\x80".contains(byte) || *byte > 127);
                if is_simple {
                    assert_eq!(read, String::from_utf8_lossy(other), "{form}: {}: {finding}", stream.name);
                }
                let before = &text[..span.start];
                let line = 1 + before.matches('\n').count();
                let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
                assert_eq!((number(&finding["line"]), number(&finding["column"])), (line, column), "{form}: {finding}");
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

/// A message whose block is never ended: the sixth line begins the event that ends the message.
const UNFINISHED: &str = "event: message_start
data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}

event: content_block_start
data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}

event: content_block_delta
data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}

event: content_block_stop
data: {\"type\":\"content_block_stop\",\"index\":0}

event: message_delta
data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":2}}

event: message_stop
data: {\"type\":\"message_stop\"}

";

fn unfinished() -> Stream {
    Stream { name: "u".to_owned(), ending: "sse".to_owned(), bytes: UNFINISHED.into(), expected: Vec::new() }
}

#[test]
fn a_body_that_does_not_stand_plainly_is_named_with_the_line_in_it() {
    let folder = Folder::new();
    for (form, name, line, named) in [
        ("vcrpy-gzip", "a.yaml", 23, "the body of response 2, POST /v1/messages"),
        ("har-base64", "a.har", 43, "the body of response 2, POST /v1/messages"),
        ("nock-gzip", "a.json", 11, "the body of response 1, POST /v1/messages"),
    ] {
        let file = wrapped(form, &unfinished()).expect("it can be in this form");
        folder.write(name, &file);
        let output = folder.run(&["check", "--protocol", "anthropic-messages", "--format", "short", name]);
        let first = output.out.lines().next().unwrap_or_default();
        assert!(first.starts_with(&format!("{name}:{line}:")), "{form}: {}", output.out);
        assert!(first.contains("error[delta-outside-block]"), "{form}: {first}");
        assert!(first.contains(&format!("(line 8, column 45 of {named})")), "{form}: {first}");
    }
}

#[test]
fn an_excerpt_shows_the_line_of_the_body_with_its_place_in_the_file() {
    let folder = Folder::new();
    let body = literal(UNFINISHED).expect("it can be a block");
    folder.write("a.yaml", format!("interactions:\n- request: {{}}\n  response:\n    body:\n      string: {body}\n"));
    let output = folder.run(&["check", "--protocol", "anthropic-messages", "a.yaml"]);
    // Five lines before the body, eight in it; the index stands in the 45th column of its line, behind the indentation.
    assert!(output.out.contains("a.yaml:13:53"), "{}", output.out);
    assert!(output.out.contains("13 │ {\"type\":\"content_block_delta\",\"index\":1"), "{}", output.out);
}

#[test]
fn every_format_has_the_place_and_none_a_secret() {
    let folder = Folder::new();
    for form in &FORMS {
        let file = wrapped(form.name, &unfinished()).expect("it can be in this form");
        folder.write(&format!("a.{}", form.ending), &file);
        for format in
            ["human", "short", "json", "jsonl", "github", "gitlab", "junit", "sarif", "rdjson", "markdown", "agent"]
        {
            let output = folder.run(&[
                "check",
                "--protocol",
                "anthropic-messages",
                "--format",
                format,
                &format!("a.{}", form.ending),
            ]);
            assert_eq!(output.code, 1, "{}: {format}: {}", form.name, output.err);
            assert!(output.out.contains("delta-outside-block"), "{}: {format}: {}", form.name, output.out);
            assert!(!output.out.contains("sk-secret") && !output.err.contains("sk-secret"), "{}: {format}", form.name);
        }
    }
}
