//! The output of `--format json` and `--format jsonl`, key by key, and what happens when its reader is gone.

use std::process::Stdio;

use serde_json::{Value, json};

use super::every_format::every_format;
use super::program::{CLEAN, ERROR, Folder, NOTE, OPEN, Ran, WARNING, event, keys, rules, statuses, text};

const FINDING_KEYS: [&str; 14] = [
    "column", "end", "event", "file", "help", "line", "message", "pointer", "related", "rule", "severity", "start",
    "stream", "type",
];
const RELATED_KEYS: [&str; 7] = ["column", "end", "event", "file", "line", "message", "start"];

/// Findings of every shape: of a field, of the order, of a broken frame, of an unknown type, of a stream's end.
fn all_shapes() -> String {
    let misspelt = event("session.stats", "{}");
    let unknown = event("session.state", "{}");
    let completed = event("session.completed", r#"{"session_id":"s","final_message":"Hi"}"#);
    [CLEAN, ERROR, WARNING, NOTE, "{broken\n", "[]\n", &misspelt, &unknown, OPEN, CLEAN, OPEN, &completed].concat()
}

#[test]
fn a_document_has_these_keys_and_no_others() {
    let folder = Folder::with(&[("a", &all_shapes())]);
    let document = folder.json("a");
    assert_eq!(
        keys(&document),
        ["complete", "findings", "format", "incomplete", "left_out", "protocols", "summary", "tool"]
    );
    // One of the shapes is a line that may have been an event.
    assert_eq!((&document["complete"], &document["incomplete"][0]["reason"]), (&json!(false), &json!("check-skipped")));
    let reasons = ["endings", "excluded", "hidden", "ignored", "links", "without_events"];
    assert_eq!(keys(&document["left_out"]), reasons);
    assert_eq!(document["format"], 1);
    assert_eq!(document["tool"], json!({"name": "sessionlint", "version": env!("CARGO_PKG_VERSION")}));
    let summary = &document["summary"];
    assert_eq!(
        keys(summary),
        [
            "baselined",
            "by_rule",
            "errors",
            "events",
            "files",
            "loose",
            "notes",
            "records",
            "skipped",
            "streams",
            "warnings"
        ],
        "{summary}"
    );
    let with_stats = folder.json("--stats a");
    assert_eq!(
        keys(&with_stats),
        ["complete", "findings", "format", "incomplete", "left_out", "protocols", "stats", "summary", "tool"]
    );
    assert_eq!(keys(&with_stats["stats"]), ["by_type", "bytes", "opened", "seconds", "streams"]);
}

#[test]
fn every_finding_has_all_keys_and_null_where_one_says_nothing() {
    let folder = Folder::with(&[("a", &all_shapes()), ("empty", "")]);
    let document = folder.json("a empty");
    let mut related = 0;
    for finding in document["findings"].as_array().expect("findings") {
        assert_eq!(keys(finding), FINDING_KEYS, "{finding}");
        for place in finding["related"].as_array().expect("always a list") {
            assert_eq!(keys(place), RELATED_KEYS, "{finding}");
            related += 1;
        }
    }
    assert!(related > 0, "some finding has a related place");

    let finding = |rule: &str| {
        let findings = document["findings"].as_array().expect("findings");
        findings.iter().find(|finding| finding["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {document}"))
    };
    // A broken frame is no event: it has no number, no type, no stream and no pointer.
    for name in ["event", "type", "stream", "pointer", "help"] {
        assert_eq!(finding("invalid-json")[name], Value::Null, "{name}");
        assert_eq!(finding("not-an-event")[name], Value::Null, "{name}");
        assert_eq!(finding("empty-input")[name], Value::Null, "{name}");
    }
    assert_eq!(finding("empty-input")["file"], "empty");
    // An event without a session has no stream.
    assert_eq!(finding("unknown-event")["type"], "session.state");
    assert_eq!(finding("unknown-event")["stream"], Value::Null);
    assert_eq!(finding("unknown-event")["help"], "did you mean session.status?");
    assert_eq!(finding("misspelt-event")["type"], "session.stats");
    assert_eq!(
        finding("misspelt-event")["message"],
        "\"session.stats\" is not an event type of this protocol, but is close to session.status"
    );
    // A finding about a field points at it.
    let field = finding("wrong-type");
    assert_eq!((&field["type"], &field["stream"]), (&json!("session.status"), &json!("s")));
    assert_eq!(field["pointer"], "/payload/pending");
    assert_eq!(field["severity"], "error");
    assert_eq!(field["message"], "`payload.pending` must be a boolean, but is the string \"no\"");
    assert_eq!(field["related"], json!([]));
}

#[test]
fn places_are_counted_in_lines_and_characters_from_1_and_in_bytes_from_0() {
    // CLEAN is 128 bytes long: the second line starts at byte 128. It has 100 characters before the
    // value, of which é has 2 bytes and 🙂 4, so 104 bytes; the value "no" has 4.
    assert_eq!(CLEAN.len(), 128);
    let second = ERROR.replace(r#""session_id":"s""#, r#""session_id":"sé🙂""#);
    let folder = Folder::with(&[("a", &format!("{CLEAN}{second}"))]);
    let finding = &folder.json("a")["findings"][0];
    assert_eq!(finding["rule"], "wrong-type");
    assert_eq!((&finding["line"], &finding["column"]), (&json!(2), &json!(101)));
    assert_eq!((&finding["start"], &finding["end"]), (&json!(232), &json!(236)));
    assert_eq!((&finding["event"], &finding["stream"]), (&json!(1), &json!("sé🙂")));
}

#[test]
fn related_places_are_counted_likewise() {
    // The turn is announced by the first event. Compared with CLEAN, "true" is shorter than "false", and "thinking" is
    // longer than "idle": 128 - 1 + 4. The second event ends the turn too early.
    let chunk = event("session.stream.chunk", r#"{"session_id":"s","text":"Hi","done":true}"#);
    assert_eq!(OPEN.len(), 131);
    let folder = Folder::with(&[("a", &format!("{OPEN}{chunk}{CLEAN}"))]);
    let finding = &folder.json("a")["findings"][0];
    assert_eq!(finding["rule"], "turn-not-ended");
    assert_eq!((&finding["line"], &finding["event"]), (&json!(3), &json!(2)));
    let related = &finding["related"][0];
    assert_eq!(related["message"], "the turn began here");
    assert_eq!(related["file"], Value::Null, "the finding's own");
    // The whole event, without its line end.
    assert_eq!((&related["line"], &related["column"], &related["event"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!((&related["start"], &related["end"]), (&json!(0), &json!(130)));
}

#[test]
fn unknown_events_have_numbers_and_skipped_messages_and_broken_frames_have_none() {
    let event_of = |line: &str| format!(r#"{{"jsonrpc":"2.0","method":"event","params":{}}}"#, line.trim_end()) + "\n";
    let recording = [
        event_of(CLEAN),                                             // event 0
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n".to_owned(), // skipped
        event_of(&event("custom.tick", "{}")),                       // event 1, of an unknown type
        "{broken\n".to_owned(),                                      // no event
        "\n".to_owned(),                                             // nothing
        event_of(ERROR),                                             // event 2
    ];
    let folder = Folder::with(&[("a", &recording.concat())]);
    let document = folder.json("a");
    let found: Vec<_> = document["findings"].as_array().expect("findings").iter().collect();
    let numbers: Vec<_> =
        found.iter().map(|finding| (text(&finding["rule"]), &finding["line"], &finding["event"])).collect();
    assert_eq!(
        numbers,
        [
            ("unknown-event", &json!(3), &json!(1)),
            ("invalid-json", &json!(4), &Value::Null),
            ("wrong-type", &json!(6), &json!(2)),
            ("check-skipped", &json!(4), &Value::Null),
        ]
    );
    let summary = &document["summary"];
    assert_eq!((&summary["events"], &summary["skipped"]), (&json!(3), &json!(1)));
}

#[test]
fn the_summary_counts_what_is_said_once_but_found_often() {
    // Of an unknown type or field only the first is reported; the counts include all.
    let folder = Folder::with(&[("a", &[statuses(NOTE, 3), event("custom.tick", "{}").repeat(4)].concat())]);
    let document = folder.json("a");
    assert_eq!(rules(&document), ["unknown-field", "unknown-event"]);
    let summary = json!({
        "files": 1, "events": 7, "records": 0, "loose": 0, "streams": 1, "skipped": 0,
        "errors": 0, "warnings": 4, "notes": 3, "baselined": 0,
        "by_rule": {"unknown-field": 3, "unknown-event": 4},
    });
    assert_eq!(document["summary"], summary);
}

#[test]
fn a_document_without_findings_is_a_document() {
    let folder = Folder::with(&[("a", CLEAN)]);
    let document = folder.json("a");
    assert_eq!(document["findings"], json!([]));
    assert_eq!(document["summary"]["by_rule"], json!({}));
    // The document is complete even if nothing was found in the only readable file.
    let ran = folder.run("check --format json a missing");
    assert_eq!(ran.code, 2);
    assert!(serde_json::from_str::<Value>(&ran.out).is_ok(), "{}", ran.out);
}

#[test]
fn jsonl_is_the_findings_of_the_document_one_a_line() {
    let folder = Folder::with(&[("a", &all_shapes()), ("b", &ERROR.repeat(7))]);
    let ran = folder.run("check --format jsonl a b");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert!(ran.out.ends_with("}\n"), "the last line ends like the others");
    let mut lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).expect("one object")).collect();
    assert_eq!(lines.pop().expect("a last line")["complete"], false, "it says that the run was not complete");
    assert_eq!(Value::from(lines), folder.json("a b")["findings"], "nothing folds, and there is no summary");
    assert_eq!(folder.run("check --format jsonl").code, 2, "no recording has an ending here");

    let folder = Folder::with(&[("clean", CLEAN)]);
    assert_eq!(folder.run("check --format jsonl clean").out, "");
    folder.write("below/a.ndjson", CLEAN);
    folder.write("below/evals.jsonl", "{\"input\":1}\n");
    let ran = folder.run("check --format jsonl below");
    let line: Value = serde_json::from_str(&ran.out).expect("one object");
    assert_eq!(keys(&line), ["complete", "incomplete"], "a run that is not complete says so in a last line");
    assert_eq!(line["incomplete"], folder.json("below")["incomplete"]);
}

#[test]
fn a_document_says_what_was_not_checked() {
    let folder = Folder::with(&[
        ("r/a.ndjson", CLEAN),
        ("r/evals.jsonl", "{\"input\":1}\n"),
        ("r/package.json", "{}"),
        ("r/notes.txt", ""),
        ("r/.hidden.json", CLEAN),
        ("long", &format!("{CLEAN}{}", CLEAN.replace("idle", &"x".repeat(200)))),
    ]);
    let document = folder.json("--max-line-bytes 150 r long missing");
    assert_eq!(document["complete"], false);
    let gap = |gap: &Value| (text(&gap["reason"]).to_owned(), gap["file"].clone(), gap["line"].clone());
    let gaps: Vec<_> = document["incomplete"].as_array().expect("a list").iter().map(gap).collect();
    let expected = [
        ("passed-over", json!("r/evals.jsonl"), Value::Null),
        ("line-too-long", json!("long"), json!(2)),
        ("unreadable", Value::Null, Value::Null),
    ];
    assert_eq!(gaps, expected.map(|(reason, file, line)| (reason.to_owned(), file, line)));
    for gap in document["incomplete"].as_array().expect("a list") {
        assert_eq!(keys(gap), ["file", "line", "message", "reason", "stream"]);
        assert!(!text(&gap["message"]).is_empty());
    }
    let left_out = json!({
        "endings": 1, "ignored": 0, "excluded": 0, "hidden": 1, "links": 0, "without_events": 2,
    });
    assert_eq!(document["left_out"], left_out);
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let recording = ERROR.repeat(3000);
    let folder = Folder::with(&[("a", &recording)]);
    let reports = every_format().into_iter().map(|format| format!("check --format {format} a"));
    let others = [
        "check --all a",
        "rules",
        "rules --format json",
        "schema",
        "schema session.status",
        "explain idle-missing",
        "--help",
        "check --help",
    ];
    for arguments in reports.chain(others.map(str::to_owned)) {
        // The reading end is closed before the program starts, so that every write fails.
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        drop(reader);
        let mut command = folder.command(arguments.split_whitespace());
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("the program starts");
        // Our own copy of the writing end is dropped with the command.
        drop(command);
        let ran = Ran::from(child.wait_with_output().expect("the program ends"));
        assert_eq!(ran.err, "", "sessionlint {arguments}");
        let found = arguments.starts_with("check") && !arguments.contains("--help");
        assert_eq!(
            ran.code,
            i32::from(found),
            "what was found counts although nobody reads it: sessionlint {arguments}"
        );
    }
}
