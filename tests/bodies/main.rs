//! Bodies of responses in cassettes, HAR files and other JSON are judged like the streams themselves.

#[path = "../built_program/mod.rs"]
mod built_program;
mod forms;
mod hostile;
mod places;
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use forms::{FORMS, Form};
use run::{Folder, Stream, streams};
use serde_json::Value;

/// What is said of a finding wherever it stands.
fn said(finding: &Value) -> String {
    let words = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        // Where in a body that does not stand plainly in its file.
        let ends = [" (line ", ""];
        let end = text.find(ends[0]).filter(|at| text[*at..].contains("body")).unwrap_or(text.len());
        text[..end].to_owned()
    };
    let related: Vec<_> =
        finding["related"].as_array().into_iter().flatten().map(|one| words(&one["message"])).collect();
    let event = &finding["event"];
    format!(
        "{} {} {} {} {} {} {event} {related:?}",
        finding["rule"],
        finding["severity"],
        words(&finding["message"]),
        finding["type"],
        finding["pointer"],
        finding["help"],
    )
}

/// Returns what is said of each file that a pattern names, by the file's name without its endings.
fn findings(folder: &Folder, names: &str) -> BTreeMap<String, Vec<String>> {
    let output = folder.run(&["check", "--protocol", "anthropic-messages", "--format", "jsonl", "--all", names]);
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in output.out.lines() {
        let finding: Value = serde_json::from_str(line).expect("JSON");
        // The last line may say that something was not checked.
        let Some(file) = finding["file"].as_str().filter(|_| finding["rule"].is_string()) else { continue };
        let name = Path::new(file).file_name().expect("a name").to_string_lossy().into_owned();
        all.entry(name.split('.').next().unwrap_or_default().to_owned()).or_default().push(said(&finding));
    }
    all
}

#[test]
fn a_body_has_the_findings_of_its_text() {
    let streams = streams();
    assert!(streams.len() > 100, "{}", streams.len());
    let folder = Folder::new();
    for stream in &streams {
        folder.write(&format!("plain/{}.{}", stream.name, stream.ending), &stream.bytes);
    }
    let plain = findings(&folder, "plain/*");
    assert!(plain.len() > 60, "many of them are broken");
    for Form { name, ending, wrap } in FORMS {
        let mut expected = BTreeMap::new();
        for stream in &streams {
            if let Some(file) = wrap(stream) {
                folder.write(&format!("{name}/{}.{ending}", stream.name), file);
                expected.extend(plain.get(&stream.name).map(|said| (stream.name.clone(), said.clone())));
            }
        }
        let count = fs::read_dir(folder.path().join(name)).expect("the folder is there").count();
        assert!(count > 80, "{name}: {count} files are in this form");
        let wrapped = findings(&folder, &format!("{name}/*"));
        for (stream, said) in &expected {
            assert_eq!(wrapped.get(stream), Some(said), "{name}: {stream}");
        }
        let more: Vec<_> = wrapped.keys().filter(|stream| !expected.contains_key(*stream)).collect();
        assert!(more.is_empty(), "{name}: {more:?}");
    }
}

#[test]
fn every_body_of_a_file_is_judged_by_itself() {
    let folder = Folder::new();
    let Stream { bytes, .. } =
        streams().into_iter().find(|one| one.name.starts_with("valid-a-plain-answer")).expect("it");
    let text = String::from_utf8(bytes).expect("UTF-8");
    // Together they would be a message that starts twice; with the page and the plain answer between them, they would be
    // something else altogether.
    let interaction = |body: &str| {
        let body = serde_json::to_string(body).expect("a string");
        format!(
            r#"{{"request": {{"method": "POST", "uri": "https://api.example/v1/messages?key=secret"}},
                "response": {{"body": {{"string": {body}}}}}}}"#
        )
    };
    let all = [text.as_str(), "<html>no</html>", r#"{"type": "message", "content": []}"#, text.as_str(), ""];
    let all: Vec<_> = all.into_iter().map(interaction).collect();
    folder.write("all.json", format!(r#"{{"interactions": [{}], "version": 1}}"#, all.join(",\n")));
    let output = folder.run(&["check", "--protocol", "anthropic-messages", "all.json"]);
    assert_eq!(output.code, 0, "{}{}", output.out, output.err);
    let counts = "1 file, 2 bodies with a stream and 3 without, ";
    assert!(output.out.contains(counts), "{}", output.out);
    let document = folder.run(&["check", "--protocol", "anthropic-messages", "--format", "json", "all.json"]).out;
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["bodies"], serde_json::json!({"judged": 2, "others": 3}));
    assert_eq!((&document["summary"]["files"], &document["summary"]["streams"]), (&1.into(), &2.into()));
}

#[test]
fn lines_of_json_in_a_string_are_a_stream() {
    let stop = r#"{"type":"content_block_stop","index":"0"}"#;
    let folder = Folder::new();
    for end in ["\n", "\r\n"] {
        let answer = [stop, stop].join(end);
        folder.write("case.json", serde_json::json!({"name": "a case", "answer": answer}).to_string());
        let output = folder.run(&["check", "--fragment", "--format", "short", "case.json"]);
        let faults = output.out.lines().filter(|line| line.contains("error[wrong-type]"));
        assert!(faults.count() == 2 && output.out.contains("1 file, 1 body, 2 events"), "{}", output.out);
    }
}

/// The file's encoding is nothing of the stream's.
#[test]
fn a_cassette_may_be_utf_16() {
    let stop = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":\"😀\"}\n\n";
    let folder = Folder::new();
    let yaml = format!(
        "interactions:\n- request: {{method: POST, uri: https://a/v1}}\n  response:\n    body:\n      string: |+\n{}",
        stop.lines().map(|line| format!("        {line}\n")).collect::<String>()
    );
    for (name, text) in [("json", cassette(&["<p>é", stop])), ("yaml", yaml)] {
        let wide: Vec<u8> = format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        folder.write(&format!("plain.{name}"), &text);
        folder.write(&format!("wide.{name}"), wide);
        let findings = |file: &str| -> Vec<Value> {
            let output = folder.run(&["check", "--fragment", "--format", "json", file]);
            let document: Value = serde_json::from_str(&output.out).expect("JSON");
            document["findings"].as_array().expect("findings").clone()
        };
        let (plain, wide) = (findings(&format!("plain.{name}")), findings(&format!("wide.{name}")));
        assert_eq!((plain.len(), wide.len()), (1, 1), "{name}: {wide:?}");
        for key in ["rule", "message", "line", "column", "pointer"] {
            assert_eq!(plain[0][key], wide[0][key], "{name}: {key}");
        }
        for key in ["start", "end"] {
            let at = plain[0][key].as_u64().expect("an offset") as usize;
            let before = 2 + 2 * text[..at].encode_utf16().count() as u64;
            assert_eq!(wide[0][key], before, "{name}: {key}");
        }
    }
}

/// A file counts once for each protocol, whatever the number of its bodies.
#[test]
fn files_are_counted_as_files() {
    let valid = streams().into_iter().find(|one| one.name.starts_with("valid-a-plain-answer")).expect("it");
    let text = valid.text().expect("it is text");
    let chunk =
        "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[]}\n\n";
    let folder = Folder::new();
    folder.write("one.json", cassette(&[text, text, text]));
    folder.write("two.json", cassette(&[text, chunk, chunk]));
    let output = folder.run(&["check", "--fragment", "one.json", "two.json"]);
    let words = "checked against anthropic-messages (2 files) and openai-chat (1 file)";
    assert!(output.out.contains("2 files, 6 bodies, ") && output.out.contains(words), "{}", output.out);
}

#[test]
fn a_file_without_a_stream_is_said_to_be_so() {
    let folder = Folder::new();
    let exchange = |body: &str| format!("- request:\n    method: GET\n  response:\n    body:\n      string: {body}\n");
    folder.write("none.yaml", format!("interactions:\n{}{}", exchange("<p>"), exchange("'{}'")));
    let named = folder.run(&["check", "--protocol", "anthropic-messages", "--format", "short", "none.yaml"]);
    assert_eq!(named.code, 2, "nothing was judged: {}", named.err);
    let expected = "none.yaml:1:1: error[no-events]: there is no event in this file: it holds 2 responses, none of them a \
                    stream of events";
    assert!(named.out.starts_with(expected), "{}", named.out);
    folder.write("good.sse", "event: ping\ndata: {\"type\": \"ping\"}\n\n");
    folder.write("other.yaml", "on: push\njobs: {}\n");
    let searched = folder.run(&["check", "--protocol", "anthropic-messages", "."]);
    assert!(searched.out.contains("Left out in folders: 2 without an event"), "{}", searched.out);
    // Nothing in them is an event.
    folder.write("lone.har", r#"{"log": {"entries": []}}"#);
    let named = folder.run(&["check", "--protocol", "anthropic-messages", "--format", "short", "lone.har"]);
    assert!(named.out.contains("error[no-events]"), "{}", named.out);
}

#[test]
fn coverage_and_lint_read_bodies_too() {
    let folder = Folder::new();
    let valid = streams().into_iter().find(|one| one.name.starts_with("valid-a-plain-answer")).expect("it");
    folder.write("plain.sse", &valid.bytes);
    let wrapped = (FORMS[0].wrap)(&valid).expect("it can be in this form");
    folder.write(&format!("cassette.{}", FORMS[0].ending), wrapped);
    let of = |name: &str| folder.run(&["coverage", "--protocol", "anthropic-messages", name]);
    let (plain, cassette) = (of("plain.sse"), of("cassette.yaml"));
    assert_eq!(plain.out.replace("plain.sse", ""), cassette.out.replace("cassette.yaml", ""), "{}", cassette.err);
}

/// A file with responses is no fixture of its own, whatever its bodies are.
#[test]
fn fmt_leaves_files_with_responses_alone() {
    let valid = streams().into_iter().find(|one| one.name.starts_with("valid-a-plain-answer")).expect("it");
    let (text, nothing) = (valid.text().expect("it is text"), "data: {\"a\":1}\n\ndata: {\"a\":2}\n\n");
    let entry = |body: &str| {
        let content = serde_json::json!({"mimeType": "text/event-stream", "text": body});
        serde_json::json!({"request": {"method": "POST", "url": "https://api.example/v1"}, "response": {"content": content}})
    };
    let har = serde_json::json!({"log": {"entries": [entry(text), entry(nothing)]}}).to_string();
    let folder = Folder::new();
    folder.write("cassette.json", cassette(&[text, nothing]));
    folder.write("only.json", cassette(&[nothing]));
    folder.write("page.har", &har);
    for options in [&[][..], &["--check"], &["--protocol", "anthropic-messages"]] {
        let searched = folder.run(&[&["fmt"], options, &["."]].concat());
        assert_eq!((searched.code, searched.out.as_str(), searched.err.as_str()), (0, "", ""), "{options:?}");
        let named = folder.run(&[&["fmt"], options, &["page.har", "cassette.json"]].concat());
        assert_eq!((named.code, named.out.as_str()), (0, ""), "{options:?}: {}", named.err);
        let words =
            "is left as it is: it holds responses, and what stands around them is not for this program to write";
        for file in ["page.har", "cassette.json"] {
            assert!(named.err.contains(&format!("sessionlint: {file} {words}\n")), "{}", named.err);
        }
    }
    assert_eq!(fs::read(folder.path().join("page.har")).expect("it is there"), har.as_bytes());
}

/// The protocol is searched in the bodies, as `check` does.
#[test]
fn coverage_and_view_find_the_protocol_of_bodies() {
    let folder = Folder::new();
    let valid = streams().into_iter().find(|one| one.name.starts_with("valid-a-plain-answer")).expect("it");
    let text = valid.text().expect("it is text");
    let chunk =
        "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[]}\n\n";
    folder.write("a/two.json", cassette(&[text, "<p>", text]));
    folder.write("mixed.json", cassette(&[text, chunk]));
    folder.write("none.json", cassette(&["<p>"]));
    folder.write(
        "packed.yaml",
        "interactions:\n- request: {method: POST, uri: https://a/v1}\n  response:\n    headers: {Content-Encoding: [br]}\n    \
         body:\n      string: !!binary CwWA//4D\n",
    );
    for given in ["a/two.json", "a"] {
        let coverage = folder.run(&["coverage", given]);
        let named = folder.run(&["coverage", "--protocol", "anthropic-messages", given]);
        assert_eq!((coverage.code, &coverage.out), (0, &named.out), "{}", coverage.err);
        let view = folder.run(&["view", "--out", "-", given]);
        assert_eq!((view.code, view.err.as_str()), (0, ""));
        let files = r#""files":["a/two.json: the body of response 1, POST /v1","a/two.json: the body of response 3, POST /v1"]"#;
        assert!(view.out.contains(files), "{}", view.out);
        assert!(view.out.contains(r#""protocol":{"name":"anthropic-messages""#), "{}", view.out);
    }
    for command in ["coverage", "view"] {
        let mixed = folder.run(&[command, "mixed.json"]);
        let words =
            "mixed.json holds streams of anthropic-messages and of openai-chat; choose one of the two with --protocol";
        assert!(mixed.code == 2 && mixed.err.contains(words), "{}", mixed.err);
        assert_eq!(folder.run(&[command, "none.json"]).code, 2);
    }
    let none = folder.run(&["view", "none.json"]);
    let words = "it holds the body of a response, which is no stream of events";
    assert!(none.err.contains(words) && !none.err.contains("the page is"), "{}", none.err);
    let packed = folder.run(&["view", "packed.yaml", "a/two.json"]);
    let words = "the body of response 1, POST /v1 is compressed with br, which is not read";
    assert!(packed.code == 2 && packed.err.contains(words) && packed.err.contains("packed.yaml"), "{}", packed.err);
}

#[test]
fn lint_judges_bodies_and_rewrites_none_of_them() {
    let folder = Folder::new();
    for stream in
        streams().iter().filter(|one| one.name.contains("duplicate-key") || one.name.contains("valid-a-plain"))
    {
        for Form { name, ending, wrap } in FORMS {
            if let Some(file) = wrap(stream) {
                folder.write(&format!("{name}-{}.{ending}", stream.name), file);
            }
        }
    }
    let files = || -> BTreeMap<_, _> {
        let all =
            fs::read_dir(folder.path()).expect("the folder is there").map(|entry| entry.expect("readable").path());
        all.map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
    };
    let before = files();
    for command in [&["lint", "--fix"][..], &["fmt"]] {
        let output = folder.run(&[command, &["--protocol", "anthropic-messages", "."]].concat());
        assert_eq!(output.err, "", "{command:?}");
    }
    assert!(files() == before, "nothing is rewritten");
    let output =
        folder.run(&["lint", "--protocol", "anthropic-messages", "--format", "short", "--fail-on", "warning", "."]);
    assert_eq!(output.code, 1, "{}", output.err);
    assert!(output.out.contains("[duplicate-key]") && output.out.contains("bodies"), "{}", output.out);
}

/// Returns a cassette with these bodies.
fn cassette(bodies: &[&str]) -> String {
    let interaction = |body: &&str| serde_json::json!({"request": {"method": "POST", "uri": "https://api.example/v1"}, "response": {"body": {"string": body}}});
    serde_json::json!({"interactions": bodies.iter().map(interaction).collect::<Vec<_>>(), "version": 1}).to_string()
}

#[test]
fn lint_judges_each_body_by_the_protocol_that_it_tells() {
    let stop = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":\"0\"}\n\n";
    let chunk =
        "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":7,\"choices\":[]}\n\n";
    let folder = Folder::new();
    folder.write("both.json", cassette(&[stop, chunk, stop]));
    for command in ["lint", "check"] {
        let output = folder.run(&[command, "--fragment", "--format", "short", "both.json"]);
        let faults: Vec<_> = output.out.lines().filter(|line| line.contains("wrong-type")).collect();
        let fields: Vec<_> = faults.iter().filter_map(|line| line.split('`').nth(1)).collect();
        assert_eq!(fields, ["index", "model", "index"], "{command}: {}{}", output.out, output.err);
        assert!(!output.out.contains("unknown-event"), "{command}: {}", output.out);
    }
}

#[test]
fn the_example_of_the_page_is_true() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checking.md")).expect("the page is there");
    let section = page.split("## Bodies of responses").nth(1).expect("the section is there");
    let block = |language: &str| {
        let rest = section.split(&format!("```{language}\n")).nth(1).expect("there is a block");
        rest.split("```").next().unwrap_or_default().to_owned()
    };
    let folder = Folder::new();
    folder.write("cassette.yaml", block("yaml"));
    let shown = block("text");
    let (command, expected) = shown.split_once('\n').expect("a command and its output");
    let arguments: Vec<_> = command.strip_prefix("$ sessionlint ").expect("a command").split(' ').collect();
    let output = folder.run(&arguments);
    assert_eq!(output.out, expected, "{}", output.err);
}
