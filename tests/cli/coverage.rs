//! `coverage`: which parts of a protocol recordings exercise, and which never.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sessionlint::{Basis, Protocol};

use super::program::{CLEAN, Folder, OPEN, event, keys, text};

fn corpus() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events").display().to_string()
}

fn json(folder: &Folder, arguments: &str) -> Value {
    let ran = folder.run(&format!("coverage --format json {arguments}"));
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}{}", ran.out, ran.err))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn list<'v>(document: &'v Value, name: &str) -> &'v [Value] {
    document[name].as_array().unwrap_or_else(|| panic!("{name} is a list"))
}

/// Returns the cells of a lifecycle that were taken: state, event type (or the end), and count.
fn taken<'d>(document: &'d Value, lifecycle: &str) -> Vec<(&'d str, &'d str, u64)> {
    let cells = list(document, "cells").iter().filter(|cell| cell["lifecycle"] == lifecycle);
    let cells =
        cells.map(|cell| (text(&cell["state"]), cell["type"].as_str().unwrap_or("end"), number(&cell["count"])));
    cells.filter(|(_, _, count)| *count > 0).collect()
}

/// Returns the number of event types, fields, legal and broken moves, and rules that session-events has.
///
/// The fields and cells were counted by hand. Whoever adds a field to a schema, or a row or a state to a lifecycle,
/// counts again.
fn items() -> [u64; 5] {
    const FIELDS: u64 = 71;
    const LEGAL: u64 = 137;
    const BROKEN: u64 = 131;
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let rules = protocol.rules().iter().filter(|rule| rule.basis != Basis::Upkeep);
    [protocol.schemas().count() as u64, FIELDS, LEGAL, BROKEN, rules.count() as u64]
}

/// Returns a percentage, rounded down to tenths.
fn tenths(covered: u64, items: u64) -> String {
    format!("{:.1}", (covered * 1000 / items) as f64 / 10.0)
}

fn status(session: &str, pending: bool) -> String {
    let label = if pending { "thinking" } else { "idle" };
    let payload = format!(r#"{{"session_id":"{session}","pending":{pending},"status_label":"{label}"}}"#);
    event("session.status", &payload)
}

fn started(call: &str) -> String {
    let payload = format!(r#"{{"session_id":"s","tool_call_id":"{call}","tool_name":"bash","tool_input":{{}}}}"#);
    event("session.tool.call.started", &payload)
}

/// A turn with two calls: the first is completed, and an interruption discards the second.
fn two_calls() -> String {
    let completed = r#"{"session_id":"s","tool_call_id":"a","tool_name":"bash","ok":true,"duration_ms":1}"#;
    [
        status("s", true),
        started("a"),
        started("b"),
        event("session.tool.call.completed", completed),
        event("session.interrupted", r#"{"session_id":"s","reason":"user"}"#),
        status("s", false),
    ]
    .concat()
}

#[test]
fn the_table_and_what_is_missing_are_printed() {
    let ran = Folder::with(&[("clean.ndjson", CLEAN)]).run("coverage clean.ndjson");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines[0], "session-events: 1 file, 1 event, 1 stream");
    // One type; of session.status: type, timestamp, payload, its three fields and one of two values of `pending`; the cells
    // of the status and the end when idle. Of the 28 rules of the framing and the schemas, all were asked but the four of
    // server-sent events and compressed data; turn-empty by the row of the status; turn-unfinished, turn-not-ended and
    // idle-missing by the end; and label-contradicts-pending.
    let [types, fields, legal, broken, rules] = items();
    let asked = 24 + 5;
    let expected = [
        ("event types", 1, types),
        ("fields", 7, fields),
        ("legal moves", 2, legal),
        ("broken moves", 0, broken),
        ("rules", asked, rules),
    ];
    for (line, (group, covered, items)) in lines[3..].iter().zip(expected) {
        let percent = tenths(covered, items);
        assert_eq!(*line, format!("  {group:12}  {covered:>7}  {items:>6}  {percent:>6}"));
    }
    for line in [
        "event types that never occur",
        "  session.completed",
        "  session.status /payload/pending = true",
        "  turn: interrupted or failed × end of the stream",
        "  turn: announced, active, completed, resumed, trailing, drained, closing, ended-early or emptied × end of the stream",
        "rules that were never asked: finding nothing is then not a pass",
    ] {
        assert_eq!(lines.iter().filter(|printed| **printed == line).count(), 1, "{line}\n{}", ran.out);
    }
}

/// A rule that nothing could break was not passed.
#[test]
fn a_rule_is_asked_where_it_could_have_spoken() {
    let calls = two_calls();
    let document = json(&Folder::with(&[("calls.ndjson", &calls)]), "calls.ndjson");
    let asked = |name: &str| {
        let rule = list(&document, "rules").iter().find(|rule| rule["rule"] == name).expect("it is listed");
        (number(&rule["asked"]), number(&rule["count"]))
    };
    // Two calls were started, one was completed, no result was reported.
    assert_eq!(asked("duplicate-tool-call"), (2, 0));
    assert_eq!((asked("tool-completed-twice"), asked("tool-name-mismatch")), ((1, 0), (1, 0)));
    assert_eq!((asked("duplicate-result"), asked("ok-mismatch")), ((0, 0), (0, 0)));
    // Three tool names; one reason; one duration.
    assert_eq!(
        (asked("empty-tool-name"), asked("reason-missing"), asked("negative-tool-duration")),
        ((3, 0), (1, 0), (1, 0))
    );
    // Five of the six events come after another one.
    assert_eq!(asked("time-goes-backwards"), (5, 0));
    assert_eq!(asked("missing-field"), (6, 0));
    assert_eq!((asked("final-message-mismatch"), asked("turn-unfinished")), ((0, 0), (1, 0)));
}

/// Recordings without a finding can make every legal move, and no other.
#[test]
fn a_healthy_set_makes_every_legal_move_and_no_other() {
    let completed = |call: &str| {
        let payload =
            format!(r#"{{"session_id":"s","tool_call_id":"{call}","tool_name":"bash","ok":true,"duration_ms":1}}"#);
        event("session.tool.call.completed", &payload)
    };
    let result = |call: &str| {
        let result = format!(r#"{{"tool_call_id":"{call}","tool_name":"bash","ok":true,"output":{{}}}}"#);
        event("session.tool.results", &format!(r#"{{"session_id":"s","results":[{result}]}}"#))
    };
    let said = |role: &str| {
        let message = format!(r#"{{"role":"{role}","content":"text"}}"#);
        event("session.message.appended", &format!(r#"{{"session_id":"s","message":{message}}}"#))
    };
    let interrupted = event("session.interrupted", r#"{"session_id":"s","reason":"user"}"#);
    let is_complete = r#"{"session_id":"s","pending":false,"status_label":"complete"}"#;
    // What the corpus has no valid recording of: calls that an interruption left open and that end in the next turn, messages
    // behind a turn, and an error behind a result.
    let rest = [
        [status("s", true), started("a"), started("b"), interrupted.clone(), event("session.status", is_complete)]
            .concat(),
        [status("s", true), completed("a"), event("session.completed", r#"{"session_id":"s","final_message":"text"}"#)]
            .concat(),
        [completed("b"), result("b"), said("assistant"), said("user"), status("s", false)].concat(),
        [status("s", true), started("c"), completed("c"), result("c")].concat(),
        [event("session.error", r#"{"session_id":"s","error":"a","code":"b"}"#), interrupted, status("s", false)]
            .concat(),
    ];
    let folder = Folder::with(&[("rest.ndjson", &rest.concat())]);
    assert_eq!(
        folder.run("check rest.ndjson").out.matches("rest.ndjson:").count(),
        0,
        "{}",
        folder.run("check rest.ndjson").out
    );
    let document = json(&folder, &format!("--no-config {}/valid rest.ndjson", corpus()));
    assert_eq!(document["coverage"]["broken_moves"]["covered"], 0);
    let untaken = list(&document, "cells").iter();
    let untaken = untaken.filter(|cell| cell["legal"] == true && cell["reachable"] == true && cell["count"] == 0);
    let name = |cell: &Value| format!("{}: {} × {} {}", cell["lifecycle"], cell["state"], cell["type"], cell["when"]);
    let untaken: Vec<_> = untaken.map(name).collect();
    assert!(untaken.is_empty(), "{}", untaken.join("\n"));
    assert_eq!(document["coverage"]["legal_moves"]["percent"], 100.0);
    let least = folder.run(&format!("coverage --no-config --fail-under 100 {}/valid rest.ndjson", corpus()));
    assert_eq!((least.code, least.err.as_str()), (0, ""));
}

#[test]
fn a_long_list_is_cut_short_unless_all_is_asked_for() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN)]);
    let (short, all) = (folder.run("coverage clean.ndjson").out, folder.run("coverage --all clean.ndjson").out);
    // The lifecycles have 30 rows and an end. All but that of a status of a call have legal moves that were not made, and 24
    // have broken ones.
    assert_eq!(short.lines().filter(|line| line.contains(" × ")).count(), 20 + 20, "{short}");
    assert!(short.contains("\n  … and 10 more lines (--all shows them)\n"), "{short}");
    assert!(short.contains("\n  … and 4 more lines (--all shows them)\n"), "{short}");
    assert_eq!(all.lines().filter(|line| line.contains(" × ")).count(), 30 + 24, "{all}");
}

#[test]
fn each_call_has_cells_of_its_own() {
    let document = json(&Folder::with(&[("calls.ndjson", &two_calls())]), "calls.ndjson");
    let mut calls = taken(&document, "tool-call");
    calls.sort_unstable();
    let expected = [
        ("absent", "session.tool.call.started", 2),
        ("completed", "session.interrupted", 1),
        ("started", "session.interrupted", 1),
        ("started", "session.tool.call.completed", 1),
    ];
    // Going idle affects neither call: the turn was not active any more.
    assert_eq!(calls, expected);
    let unreachable = list(&document, "cells").iter().filter(|cell| cell["reachable"] == false);
    let unreachable: Vec<_> = unreachable.map(|cell| (text(&cell["lifecycle"]), text(&cell["state"]))).collect();
    // Rows without a key apply to calls that were started: completed, error, interrupted, status, chunk. That of chunks
    // applies to none while a call is in one of the last four states.
    let states = ["absent", "absent", "absent", "absent", "absent", "started", "failed", "abandoned", "untracked"];
    assert_eq!(unreachable, states.map(|state| ("tool-call", state)));
}

#[test]
fn what_is_unsure_is_not_counted() {
    let folder = Folder::with(&[("open.ndjson", OPEN)]);
    folder.write("lost.ndjson", [&status("s", true), "{garbage\n", &status("s", true)].concat());
    assert_eq!(taken(&json(&folder, "lost.ndjson"), "turn"), [("idle", "session.status", 1)]);
    assert_eq!(taken(&json(&folder, "--fragment open.ndjson"), "turn"), []);
    let whole = json(&folder, "open.ndjson");
    assert_eq!(taken(&whole, "turn"), [("idle", "session.status", 1), ("announced", "end", 1)]);
}

#[test]
fn sessionlint_toml_says_what_is_read_and_how() {
    let config = "version = 1\nexclude = [\"old/\"]\nrules.turn-unfinished = \"off\"\n\
                  [[override]]\nfiles = [\"cut/\"]\nfragment = true\n";
    let folder = Folder::with(&[
        ("in/sessionlint.toml", config),
        ("in/a.ndjson", OPEN),
        ("in/cut/b.ndjson", OPEN),
        ("in/old/c.ndjson", OPEN),
    ]);
    let read = |document: &Value| (number(&document["summary"]["files"]), number(&document["summary"]["events"]));
    let unfinished = |document: &Value| {
        let rule = list(document, "rules").iter().find(|rule| rule["rule"] == "turn-unfinished");
        number(&rule.expect("it is listed")["count"])
    };
    let document = json(&folder, "in");
    assert_eq!(read(&document), (2, 2), "without what is excluded");
    // Of the cut-out nothing is certain, and its end is not an end of the stream.
    assert_eq!(taken(&document, "turn"), [("idle", "session.status", 1), ("announced", "end", 1)]);
    assert_eq!(unfinished(&document), 1, "a rule that is off counts as if it were on");
    assert_eq!(document, json(&folder, "in --config in/sessionlint.toml"));

    let document = json(&folder, "in --no-config");
    assert_eq!(read(&document), (3, 3));
    assert_eq!(taken(&document, "turn"), [("idle", "session.status", 3), ("announced", "end", 3)]);
    assert_eq!(unfinished(&document), 3);

    folder.write("in/sessionlint.toml", "version = 1\nprotocol = \"mine\"\n");
    let ran = folder.run("coverage in");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("there is no protocol and no folder mine"), "{}", ran.err);
    assert_eq!(folder.run("coverage in --protocol session-events").code, 0, "the command line wins");
}

#[test]
fn no_recording_can_make_the_program_s_own_rules_speak() {
    let document = json(&Folder::with(&[("clean.ndjson", CLEAN)]), "clean.ndjson");
    let rules: Vec<_> = list(&document, "rules").iter().map(|rule| text(&rule["rule"])).collect();
    assert!(rules.contains(&"turn-unfinished") && !rules.contains(&"stale-baseline"), "{rules:?}");
}

#[test]
fn streams_that_rest_have_an_end_too() {
    let many: String = (0..1500).map(|number| status(&number.to_string(), false)).collect();
    let document = json(&Folder::with(&[("many.ndjson", &many)]), "many.ndjson");
    assert_eq!(taken(&document, "turn"), [("idle", "session.status", 1500), ("idle", "end", 1500)]);
}

#[test]
fn fields_are_counted_by_item_and_by_value() {
    let result = |ok: bool| format!(r#"{{"tool_call_id":"a","tool_name":"bash","ok":{ok},"output":{{}}}}"#);
    let results = format!(r#"{{"session_id":"s","results":[{},{},{{"ok":3}}]}}"#, result(true), result(true));
    let recording = event("session.tool.results", &results);
    let document = json(&Folder::with(&[("results.ndjson", &recording)]), "results.ndjson");
    let field = |pointer: &str| {
        let found = list(&document, "fields")
            .iter()
            .find(|field| field["type"] == "session.tool.results" && field["pointer"] == pointer);
        found.unwrap_or_else(|| panic!("{pointer}"))
    };
    assert_eq!(field("/payload/results")["count"], 1);
    assert_eq!(field("/payload/results/*")["count"], 3);
    assert_eq!(field("/payload/results/*/output")["count"], 2);
    let ok = field("/payload/results/*/ok");
    assert_eq!(ok["count"], 3, "a wrong value is there all the same");
    assert_eq!(ok["values"], serde_json::json!([{"value": true, "count": 2}, {"value": false, "count": 0}]));
}

#[test]
fn files_and_forms_add_up() {
    let calls = two_calls();
    let folder = Folder::with(&[("a.ndjson", &calls), ("b/open.ndjson", OPEN)]);
    let events: Vec<_> = calls.lines().map(str::to_owned).collect();
    folder.write("c.json", format!("[{}]", events.join(",\n")));
    folder.write("d.sse", events.iter().map(|event| format!("data: {event}\n\n")).collect::<String>());
    let counts = |paths: &str| {
        let document = json(&folder, paths);
        ["event_types", "fields", "cells", "rules"].map(|group| document[group].clone())
    };
    assert_eq!(counts("a.ndjson"), counts("c.json"));
    assert_eq!(counts("a.ndjson"), counts("d.sse"));
    let sum = |document: &Value| list(document, "cells").iter().map(|cell| number(&cell["count"])).sum::<u64>();
    let (one, other) = (json(&folder, "a.ndjson"), json(&folder, "b"));
    let all = json(&folder, ".");
    assert_eq!(sum(&all), 3 * sum(&one) + sum(&other));
    assert_eq!(all["summary"], serde_json::json!({ "files": 4, "events": 19, "streams": 4 }));
    assert_eq!(folder.run("coverage --format json .").out, folder.run("coverage --format json .").out);
}

#[test]
fn the_corpus_takes_every_cell_and_the_findings_are_those_of_check() {
    let (folder, corpus) = (Folder::new(), corpus());
    let document = json(&folder, &corpus);
    let untaken = list(&document, "cells").iter().filter(|cell| cell["count"] == 0 && cell["reachable"] != false);
    let untaken: Vec<_> = untaken
        .map(|cell| {
            let on = cell["type"].as_str().unwrap_or("the end of the stream");
            format!("{}: {} × {on}, when {}", text(&cell["lifecycle"]), text(&cell["state"]), cell["when"])
        })
        .collect();
    assert!(untaken.is_empty(), "no recording of the corpus reaches these cells:\n{}", untaken.join("\n"));
    for group in ["event_types", "fields", "legal_moves", "broken_moves", "rules"] {
        let share = &document["coverage"][group];
        assert_eq!(share["covered"], share["items"], "{group}: `sessionlint coverage {corpus}` says which");
    }
    let checked = folder.json(&corpus);
    let spoken = list(&document, "rules").iter().filter(|rule| number(&rule["count"]) > 0);
    let spoken: BTreeMap<_, _> = spoken.map(|rule| (text(&rule["rule"]), number(&rule["count"]))).collect();
    let by_rule = checked["summary"]["by_rule"].as_object().expect("counts");
    assert_eq!(spoken, by_rule.iter().map(|(rule, count)| (rule.as_str(), number(count))).collect());
    // The first needs a limit that the corpus sets by options, the second objects of several forms.
    let silent = list(&document, "rules").iter().filter(|rule| rule["count"] == 0);
    let silent: Vec<_> = silent.map(|rule| text(&rule["rule"])).collect();
    assert_eq!(
        silent,
        ["line-too-long", "unknown-value"],
        "the other rules are broken by a file in corpus/session-events/"
    );
    assert_eq!(document["summary"]["events"], checked["summary"]["events"]);
}

#[test]
fn every_item_has_the_same_keys() {
    let document = json(&Folder::with(&[("calls.ndjson", &two_calls())]), "calls.ndjson");
    let groups = ["cells", "event_types", "fields", "rules"];
    let all = ["cells", "coverage", "event_types", "fields", "format", "protocol", "rules", "summary", "tool"];
    assert_eq!(keys(&document), all);
    assert_eq!(keys(&document["coverage"]), ["broken_moves", "event_types", "fields", "legal_moves", "rules"]);
    assert_eq!(keys(&document["coverage"]["legal_moves"]), ["covered", "items", "percent"]);
    let of_each: [&[&str]; 4] = [
        &["count", "legal", "lifecycle", "reachable", "rule", "state", "to", "type", "when"],
        &["count", "type"],
        &["count", "pointer", "type", "values"],
        &["asked", "count", "rule"],
    ];
    for (group, expected) in groups.into_iter().zip(of_each) {
        assert!(!list(&document, group).is_empty());
        for item in list(&document, group) {
            assert_eq!(keys(item), expected, "{group}");
        }
    }
    let cell =
        list(&document, "cells").iter().find(|cell| cell["type"] == "session.status" && cell["state"] == "active");
    let expected = serde_json::json!({
        "lifecycle": "turn", "state": "active", "type": "session.status", "when": { "/payload/pending": [true] },
        "to": "active", "rule": null, "reachable": true, "legal": true, "count": 0,
    });
    assert_eq!(cell, Some(&expected));
    let end = list(&document, "cells").iter().find(|cell| cell["type"].is_null() && cell["state"] == "active");
    let expected = serde_json::json!({
        "lifecycle": "turn", "state": "active", "type": null, "when": null,
        "to": null, "rule": "turn-unfinished", "reachable": true, "legal": false, "count": 0,
    });
    assert_eq!(end, Some(&expected));
}

/// The turn's table names every event, so that each event of a stream without unsure states takes just one cell of it.
#[test]
fn a_turn_takes_a_cell_for_each_event_and_one_at_the_end() {
    let document = json(&Folder::new(), &format!("{}/valid", corpus()));
    let mut by_type: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, event_type, count) in taken(&document, "turn") {
        *by_type.entry(event_type).or_default() += count;
    }
    assert_eq!(by_type.remove("end"), Some(number(&document["summary"]["streams"])));
    let types = list(&document, "event_types").iter();
    assert_eq!(by_type, types.map(|one| (text(&one["type"]), number(&one["count"]))).collect());
}

#[test]
fn a_rule_that_is_off_can_be_exercised() {
    let folder = Folder::with(&[("turn.ndjson", &[status("s", true), status("s", false)].concat())]);
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/session-events");
    for entry in fs::read_dir(&original).expect("the protocol is here") {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = fs::read_to_string(&path).expect("readable");
        let off = text.replace("[rule.turn-empty]\nseverity = \"warning\"", "[rule.turn-empty]\nseverity = \"off\"");
        folder.write(Path::new("mine").join(&name), off);
    }
    assert_eq!(folder.run("check --protocol mine turn.ndjson").out.matches("turn-empty").count(), 0);
    let document = json(&folder, "--protocol mine turn.ndjson");
    let rule = list(&document, "rules").iter().find(|rule| rule["rule"] == "turn-empty").expect("it is there");
    assert_eq!(rule["count"], 1);
}

#[test]
fn the_graph_is_drawn_with_counts() {
    let folder = Folder::with(&[("calls.ndjson", &two_calls())]);
    for (format, line) in [
        ("mermaid", r#"    s0_2 -->|"interrupted ×1"| s0_4"#),
        ("dot", r#"    s0_2 -> s0_4 [label="interrupted ×1"];"#),
        ("svg", "interrupted ×1</text>"),
    ] {
        let ran = folder.run(&format!("coverage --format {format} --lifecycle turn calls.ndjson"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(ran.out.lines().any(|drawn| drawn.ends_with(line)), "{format}: {line}\n{}", ran.out);
        assert!(ran.out.contains("completed never") && !ran.out.contains("duplicate-tool-call"), "{}", ran.out);
    }
    let dot = folder.run("coverage --format dot --lifecycle turn calls.ndjson").out;
    let never = r##"    s0_2 -> s0_3 [label="completed never", style=dotted, color="#768390", fontcolor="#768390"];"##;
    assert!(dot.lines().any(|line| line == never), "{dot}");
    let ran = folder.run("coverage --format svg --lifecycle trun calls.ndjson");
    assert_eq!((ran.code, ran.err.as_str()), (2, "sessionlint: there is no lifecycle trun; did you mean turn?\n"));
    let ran = folder.run("coverage --lifecycle turn calls.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: --lifecycle goes with --format mermaid, dot or svg\n");
}

#[test]
fn too_little_exits_1_and_says_what_to_look_at() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN)]);
    let document = json(&folder, "clean.ndjson");
    let legal = &document["coverage"]["legal_moves"];
    // The status, and the end.
    let [_, _, sum, ..] = items();
    assert_eq!((number(&legal["covered"]), number(&legal["items"])), (2, sum));
    let (percent, least) = (tenths(2, sum), format!("{:.1}", (2_000 / sum + 1) as f64 / 10.0));
    let ran = folder.run(&format!("coverage --fail-under {least} clean.ndjson"));
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("session-events: 1 file"), "it is shown all the same");
    let expected = format!(
        "sessionlint: {percent} % of the legal moves are taken, 0.1 points below --fail-under {least}: 1 more would do, \
         such as turn: announced, active, failed or resumed × session.completed"
    );
    assert!(ran.err.starts_with(&expected), "{}", ran.err);
    let exact = 200.0 / sum as f64;
    let (below, above) = (format!("{:.4}", exact - 0.001), format!("{:.4}", exact + 0.001));
    for (least, code) in [("0", 0), (&*percent, 0), (&*below, 0), (&*above, 1), ("100", 1)] {
        assert_eq!(folder.run(&format!("coverage --fail-under {least} clean.ndjson")).code, code, "{least}");
    }
    for wrong in ["101", "-1", "NaN", "most"] {
        let ran = folder.run(&format!("coverage --fail-under={wrong} clean.ndjson"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{wrong}");
        assert!(ran.err.contains("it must be a number from 0 to 100"), "{}", ran.err);
    }
}

#[test]
fn what_cannot_be_read_exits_2() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN)]);
    let ran = folder.run("coverage --fail-under 99 clean.ndjson missing.ndjson");
    assert_eq!(ran.code, 2);
    assert!(ran.out.starts_with("session-events: 1 file, 1 event, 1 stream\n"), "{}", ran.out);
    assert!(ran.err.starts_with("sessionlint: missing.ndjson: "), "{}", ran.err);
    let ran = folder.run("coverage missing.ndjson");
    assert_eq!(
        (ran.code, json(&folder, "missing.ndjson")["coverage"]["fields"]["items"].as_u64()),
        (2, Some(items()[1]))
    );
    let ran = Folder::new().run("coverage");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("there is nothing to check"), "{}", ran.err);
}
