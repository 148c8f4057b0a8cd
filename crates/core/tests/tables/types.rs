//! Events that no name tells: `[[type]]`; what `wire` says of the end, and `event-field` of server-sent events.

use sessionlint_core::{Finding, Options, Protocol, Wire, check};

use crate::Folder;

/// Chunks of an answer, an error without a name, and a marker that is no JSON.
const CHUNKS: Folder = Folder {
    tables: r#"
        [[type]]
        name = "done"
        text = "[DONE]"
        [[type]]
        name = "error"
        has = "/error"

        [[lifecycle]]
        name = "answer"
        states = ["none", "open", "done"]
        opens = "open"
        [[lifecycle.row]]
        on = "chunk"
        cell.done = { rule = "after-done" }
        cell.else = "open"
        [[lifecycle.row]]
        on = "error"
        cell.done = { rule = "after-done" }
        cell.else = { rule = "failed" }
        [[lifecycle.row]]
        on = "done"
        cell.done = { rule = "after-done" }
        cell.else = "done"
        [lifecycle.end]
        open = { rule = "no-done", wire = "sse" }
    "#,
    events: &[("chunk", r#""n":{"type":"integer"}"#, &[]), ("error", r#""error":{"type":"object"}"#, &["error"])],
    rules: &["after-done", "failed", "no-done"],
};

/// The folder, where the schema of an error needs no type.
fn protocol(change: impl Fn(&str) -> String) -> Protocol {
    let mut files = CHUNKS.files();
    for (name, text) in &mut files {
        match name.as_str() {
            "protocol.toml" => *text = change(text),
            "error.schema.json" => *text = text.replace(r#"["type", "error"]"#, r#"["error"]"#),
            _ => {}
        }
    }
    Protocol::from_files("small", files).unwrap_or_else(|error| panic!("{error}"))
}

/// Judges frames as lines, or as server-sent events, and returns the rules that speak and the numbers of the frames.
fn said(frames: &[&str], wire: Wire) -> Vec<(String, u64)> {
    let (text, lines) = match wire {
        Wire::Sse => (frames.iter().map(|frame| format!("data: {frame}\n\n")).collect::<String>(), 2),
        _ => (frames.iter().map(|frame| format!("{frame}\n")).collect::<String>(), 1),
    };
    let report = check(&protocol(str::to_owned), text.as_bytes(), Options::default());
    let number = |found: &Finding| (found.rule.to_string(), (found.place.line - 1) / lines + 1);
    report.findings.iter().map(number).collect()
}

#[track_caller]
fn says(frames: &[&str], expected: &[(&str, u64)]) {
    for wire in [Wire::Ndjson, Wire::Sse] {
        let found = said(frames, wire);
        let found: Vec<_> = found.iter().map(|(rule, number)| (rule.as_str(), *number)).collect();
        assert_eq!(found, expected, "{wire:?} {frames:#?}");
    }
}

const CHUNK: &str = r#"{"type":"chunk","n":1}"#;
const DONE: &str = "[DONE]";

#[test]
fn a_text_that_is_no_json_is_an_event() {
    says(&[CHUNK, DONE], &[]);
    says(&[CHUNK, DONE, CHUNK], &[("after-done", 3)]);
    says(&[CHUNK, DONE, DONE], &[("after-done", 3)]);
    says(&[CHUNK, "  [DONE] "], &[]);
    // Nothing else is one, not even what has its name.
    says(&[CHUNK, "[DONE!]", DONE], &[("invalid-json", 2)]);
    says(&[CHUNK, r#"{"type":"done"}"#, DONE], &[("unknown-event", 2)]);
    says(&[CHUNK, r#""[DONE]""#, DONE], &[("not-an-event", 2)]);
}

#[test]
fn an_object_without_a_name_is_told_by_a_member() {
    says(&[r#"{"error":{"code":1}}"#, CHUNK, DONE], &[("failed", 1)]);
    // With a name it is what the name says.
    says(&[r#"{"type":"error","error":{}}"#, CHUNK, DONE], &[("failed", 1)]);
    says(&[r#"{"type":"chunk","error":{}}"#, DONE], &[("unknown-field", 1)]);
    says(&[r#"{"type":7,"error":{}}"#, CHUNK, DONE], &[("wrong-value", 1), ("failed", 1)]);
    says(&[r#"{"error":null}"#, CHUNK, DONE], &[("not-an-event", 1), ("check-skipped", 1)]);
    // Its schema judges it.
    says(&[r#"{"error":"no"}"#, CHUNK, DONE], &[("wrong-type", 1), ("failed", 1)]);
}

#[test]
fn a_rule_of_the_end_may_speak_of_server_sent_events_alone() {
    assert_eq!(said(&[CHUNK], Wire::Ndjson), []);
    assert_eq!(said(&[CHUNK], Wire::Sse), [("no-done".to_owned(), 1)]);
    assert_eq!(said(&[CHUNK, DONE], Wire::Sse), []);
}

#[test]
fn a_marker_is_passed_over_where_no_type_is_for_it() {
    let without = |toml: &str| {
        let toml = toml.replace("        [[type]]\n        name = \"done\"\n        text = \"[DONE]\"\n", "");
        let row = "        [[lifecycle.row]]\n        on = \"done\"\n        cell.done = { rule = \"after-done\" }\n";
        let toml = toml.replace(&format!("{row}        cell.else = \"done\"\n"), "");
        toml.replace("cell.else = { rule = \"failed\" }", "cell.else = { rule = \"failed\", to = \"done\" }")
    };
    let protocol = protocol(without);
    let found = |text: &str| {
        let report = check(&protocol, text.as_bytes(), Options::default());
        report.findings.iter().map(|found| found.rule.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(&format!("data: {CHUNK}\n\ndata: [DONE]\n\n")), ["no-done"]);
    assert_eq!(found(&format!("{CHUNK}\n[DONE]\n")), ["invalid-json"]);
}

#[test]
fn clients_may_go_by_the_event_field_alone() {
    let protocol =
        protocol(|toml| toml.replace("unknown = \"unknown-event\"", "unknown = \"unknown-event\"\nevent-field = true"));
    let found = |name: &str| {
        let text = format!("{name}data: {CHUNK}\n\ndata: [DONE]\n\n");
        let report = check(&protocol, text.as_bytes(), Options::default());
        report.findings.iter().map(|found| (found.rule.to_string(), found.message.clone())).collect::<Vec<_>>()
    };
    assert_eq!(found("event: chunk\n"), []);
    let says = |words: &str| vec![("event-name-mismatch".to_owned(), words.to_owned())];
    assert_eq!(found(""), says("this server-sent event has no `event` field"));
    assert_eq!(found("event: message\n"), says("the `event` field does not match the type in the data"));
    // Other forms have no such field.
    assert_eq!(check(&protocol, format!("{CHUNK}\n").as_bytes(), Options::default()).findings, []);
}

#[test]
fn a_type_that_nothing_can_be_is_refused() {
    let with = |from: &str, to: &str| {
        assert!(CHUNKS.tables.contains(from), "{from}");
        Folder { tables: CHUNKS.tables.replace(from, to).leak(), ..CHUNKS }.mistakes()
    };
    assert_eq!(with("text = \"[DONE]\"", "text = \"[]\""), ["this text is JSON"]);
    let one_line = ["a text that is an event has one line, and no space around it"];
    assert_eq!(with("text = \"[DONE]\"", "text = \" [DONE]\""), one_line);
    assert_eq!(with("text = \"[DONE]\"", "text = \"\""), one_line);
    let told = ["a `[[type]]` needs either `text` or `has`"];
    assert_eq!(with("text = \"[DONE]\"", ""), told);
    assert_eq!(with("text = \"[DONE]\"", "text = \"[DONE]\"\n        has = \"/done\""), told);
    assert_eq!(with("name = \"done\"", "name = \"chunk\"")[..1], ["chunk is a text, but has a schema"]);
    assert_eq!(with("has = \"/error\"", "has = \"/eror\""), ["error has no field /eror"]);
    assert_eq!(with("has = \"/error\"", "has = \"\""), ["`has` points at the whole event"]);
    assert_eq!(with("has = \"/error\"", "has = \"error\""), ["error is not a JSON Pointer"]);
    assert_eq!(with("name = \"error\"", "name = \"fault\"")[..1], ["there is no schema for the type fault"]);
    let twice = "name = \"error\"\n        has = \"/error\"\n        [[type]]\n        name = \"error\"";
    assert_eq!(with("name = \"error\"", twice), ["there are two types error"]);
    assert_eq!(with("wire = \"sse\"", "wire = \"json\""), ["`wire` cannot be \"json\""]);
    let mut files = CHUNKS.files();
    files[0].1 = files[0].1.replace("unknown = \"unknown-event\"", "unknown = \"unknown-event\"\nstream = \"/n\"");
    let error = Protocol::from_files("small", files).expect_err("a text has no stream");
    let problems: Vec<_> = error.problems().iter().map(|problem| problem.message().to_owned()).collect();
    assert!(problems.contains(&"a text has no stream, so it could move nothing".to_owned()), "{problems:?}");
}

#[test]
fn a_check_may_be_said_by_its_conditions_alone() {
    const CHECKED: Folder = Folder {
        tables: r#"
            [[lifecycle]]
            name = "run"
            states = ["open"]
            [[lifecycle.row]]
            on = "*"
            cell.open = "="
            [[check]]
            on = "stop"
            when = { "/reason" = { present = false }, "/ok" = false }
            at = "/reason"
            rule = "no-reason"
            [[check]]
            on = "stop"
            each = { at = "/calls", when = { "/id" = { empty = true } } }
            at = "/name"
            rule = "no-id"
        "#,
        events: &[(
            "stop",
            r#""ok":{"type":"boolean"},"reason":{"type":["string","null"]},"calls":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"name":{"type":"string"}}}}"#,
            &[],
        )],
        rules: &["no-reason", "no-id"],
    };
    CHECKED.says(&[r#"{"type":"stop","ok":false,"reason":"x"}"#, r#"{"type":"stop","ok":true}"#], &[]);
    let found = |line: &str| CHECKED.judge(&[line]);
    let at = |rule: &str, pointer: &str| vec![(rule.to_owned(), 1, pointer.to_owned())];
    assert_eq!(found(r#"{"type":"stop","ok":false}"#), at("no-reason", "/reason"));
    assert_eq!(found(r#"{"type":"stop","ok":false,"reason":null}"#), at("no-reason", "/reason"));
    assert_eq!(found(r#"{"type":"stop","calls":[{"id":"a"},{"id":"","name":"n"}]}"#), at("no-id", "/calls/1/name"));
    // What cannot be read is said elsewhere.
    assert_eq!(found(r#"{"type":"stop","ok":false,"reason":7}"#), []);
    let bare = Folder {
        tables: CHECKED.tables.replace("when = { \"/reason\" = { present = false }, \"/ok\" = false }", "").leak(),
        ..CHECKED
    };
    assert_eq!(bare.mistakes(), ["this check speaks of every event of the type"]);
}

#[test]
fn schemas_share_definitions() {
    let files = |schema: &str, shared: &str| {
        let mut files = CHUNKS.files();
        for (name, text) in &mut files {
            if name == "chunk.schema.json" {
                *text = text.replace(r#"{"type":"integer"}"#, schema);
            }
        }
        files.push(("shared.json".to_owned(), shared.to_owned()));
        files
    };
    let shared = r##"{"$defs":{"count":{"allOf":[{"$ref":"#/$defs/positive"}],"type":"integer"},"positive":{"minimum":1},"tree":{"type":"object","properties":{"left":{"$ref":"#/$defs/tree"},"n":{"$ref":"#/$defs/count"}}}}}"##;
    let load =
        |schema: &str| Protocol::from_files("small", files(schema, shared)).unwrap_or_else(|error| panic!("{error}"));
    let found = |protocol: &Protocol, line: &str| {
        let report = check(protocol, line.as_bytes(), Options::default());
        let pointers = report.findings.iter().map(|found| found.pointer.as_deref().unwrap_or_default().to_owned());
        pointers.collect::<Vec<_>>()
    };
    let count = load(r##"{"$ref":"shared.json#/$defs/count"}"##);
    assert_eq!(found(&count, CHUNK), [""; 0]);
    assert_eq!(found(&count, r#"{"type":"chunk","n":0}"#), ["/n"]);
    // Definitions may refer to each other, and to themselves.
    let tree = load(r##"{"$ref":"shared.json#/$defs/tree"}"##);
    assert_eq!(found(&tree, r#"{"type":"chunk","n":{"left":{"left":{"n":1}}}}"#), [""; 0]);
    assert_eq!(found(&tree, r#"{"type":"chunk","n":{"left":{"left":{"n":"1"}}}}"#), ["/n/left/left/n"]);
    let mistakes = |schema: &str, shared: &str| {
        let error = Protocol::from_files("small", files(schema, shared)).expect_err("it is wrong");
        error.problems().iter().map(|problem| format!("{}: {}", problem.file(), problem.message())).collect::<Vec<_>>()
    };
    assert_eq!(
        mistakes(r##"{"$ref":"shared.json#/$defs/cuont"}"##, shared),
        ["small/chunk.schema.json: shared.json has no definition \"cuont\""]
    );
    assert_eq!(
        mistakes(r##"{"$ref":"shared.json"}"##, shared),
        ["small/chunk.schema.json: shared.json is no definition of shared.json"]
    );
    assert_eq!(
        mistakes(r##"{"$ref":"shared.json#/$defs/count"}"##, r##"{"$defs":{"count":{"$ref":"#"}}}"##),
        ["small/shared.json: a shared definition refers to #"]
    );
    assert_eq!(
        mistakes(r##"{"$ref":"shared.json#/$defs/count"}"##, r##"{"$defs":{"count":{"tpye":"integer"}}}"##),
        ["small/shared.json: JSON Schema (draft 2020-12) has no keyword `tpye`"]
    );
}
