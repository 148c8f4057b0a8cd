//! `sessionlint view`: the page that it makes, as far as a program can tell without a browser.

use std::path::Path;

use serde_json::Value;

use super::program::{CLEAN, Folder, OPEN, event, statuses};

/// Returns the data of a page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"<script type="application/json" id="data">"#).expect("a page has data");
    let (json, _) = rest.split_once("</script>").expect("the data ends");
    serde_json::from_str(json).expect("the data is JSON")
}

/// Makes the page of a recording by these arguments, and returns its data.
fn data_of(recording: &str, arguments: &str) -> Value {
    let folder = Folder::with(&[("a.ndjson", recording)]);
    let ran = folder.run(&format!("view a.ndjson --out - {arguments}"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    data(&ran.out)
}

fn call(number: u32) -> String {
    let call = format!(r#""session_id":"s","tool_call_id":"c{number}","tool_name":"bash""#);
    event("session.tool.call.started", &format!(r#"{{{call},"tool_input":{{}}}}"#))
}

/// Returns the bars of a page as the lifecycle, the label, the state, and the first and last event.
fn bars(data: &Value) -> Vec<(String, String, String, u64, u64)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let bars = data["bars"].as_array().expect("bars").iter().map(|bar| {
        let instance = &data["instances"][bar[0].as_u64().expect("an instance") as usize];
        let lifecycle = &data["lifecycles"][instance[0].as_u64().expect("a lifecycle") as usize];
        let state = &lifecycle["states"][bar[1].as_u64().expect("a certain state") as usize];
        let number = |value: &Value| value.as_u64().expect("a number");
        (text(&lifecycle["name"]), text(&instance[3]), text(&state["name"]), number(&bar[2]), number(&bar[3]))
    });
    bars.collect()
}

#[test]
fn the_page_is_written_to_a_file_and_its_name_is_told() {
    let folder = Folder::with(&[("a.ndjson", OPEN)]);
    let ran = folder.run("view a.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert_eq!(ran.err, "sessionlint: the page is sessionlint.html\n");
    let page = std::fs::read_to_string(folder.path().join("sessionlint.html")).expect("it was written");
    assert!(page.starts_with("<!doctype html>"));
    assert_eq!(data(&page)["findings"][0]["rule"], "turn-unfinished");
}

#[test]
fn what_cannot_be_shown_makes_no_page() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("notes.html", "my own notes")]);
    for (arguments, says) in [
        ("view gone.ndjson --out gone.html", "gone.ndjson"),
        ("view a.ndjson --out notes.html", "refusing to overwrite notes.html: it is not an earlier page"),
        ("view a.ndjson --out a.ndjson", "a.ndjson is a recording that is to be shown"),
        ("view a.ndjson --out .", "is a folder; the page needs a file"),
        ("view a.ndjson --out - --open", "--open needs a file"),
        ("view a.ndjson --max-events 0", "from 1 to 1000000"),
    ] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, 2, "{arguments}");
        assert!(ran.err.contains(says), "{arguments}: {}", ran.err);
    }
    assert!(!folder.path().join("gone.html").exists());
    assert_eq!(std::fs::read_to_string(folder.path().join("notes.html")).expect("it is there"), "my own notes");
}

#[test]
fn a_page_takes_the_place_of_an_earlier_one() {
    let folder = Folder::with(&[("a.ndjson", OPEN)]);
    assert_eq!(folder.run("view a.ndjson").code, 0);
    folder.write("a.ndjson", CLEAN);
    assert_eq!(folder.run("view a.ndjson").code, 0);
    let page = std::fs::read_to_string(folder.path().join("sessionlint.html")).expect("it was written");
    assert_eq!(data(&page)["findings"], Value::Array(Vec::new()));
}

#[test]
fn instances_of_lifecycles_are_bars_in_lanes() {
    let data = data_of(&[OPEN, &call(1), &call(2), CLEAN].concat(), "");
    let bars = bars(&data);
    let has = |name: &str, label: &str, state: &str, from, to| {
        assert!(bars.contains(&(name.into(), label.into(), state.into(), from, to)), "{name} {state}: {bars:?}");
    };
    has("turn", "thinking", "announced", 0, 1);
    has("tool-call", "bash", "started", 1, 3);
    has("tool-call", "bash", "started", 2, 3);
    // Two calls at once are in two lanes.
    let lanes = data["lanes"].as_array().expect("lanes");
    assert_eq!(lanes.iter().filter(|lane| lane["label"] == "tool-call").count(), 2);
}

#[test]
fn a_finding_has_its_event_its_cell_what_explains_it_and_the_fewest_lines() {
    let end = event("session.completed", r#"{"session_id":"s","final_message":"Done."}"#);
    let data = data_of(&[OPEN, &call(1), &end, CLEAN].concat(), "");
    let findings = data["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|one| one["rule"] == "tool-call-unfinished").expect("the call is not finished");
    let (event, cell) = (&data["events"][finding["event"].as_u64().expect("an event") as usize], &finding["cell"]);
    assert_eq!((&event[2], &finding["line"]), (&Value::from(3), &Value::from(3)));
    let lifecycle = &data["lifecycles"][cell["lifecycle"].as_u64().expect("a lifecycle") as usize];
    assert_eq!(lifecycle["name"], "tool-call");
    assert_eq!(lifecycle["states"][cell["from"].as_u64().expect("a state") as usize]["name"], "started");
    let related = finding["related"].as_array().expect("related places");
    assert!(related.iter().any(|one| one["message"] == "the call was started here" && one["line"] == 2), "{related:?}");
    let lines = finding["lines"].as_array().expect("lines");
    assert_eq!((lines.len(), &finding["fewest"]), (2, &Value::from(true)), "{lines:?}");
    let rule = &data["rules"]["tool-call-unfinished"];
    assert!(!rule["quotes"].as_array().expect("quotes").is_empty() && rule["help"].is_string(), "{rule}");
}

#[test]
fn of_many_events_those_around_findings_are_shown_and_the_rest_is_counted() {
    let late = event("session.stream.chunk", r#"{"session_id":"s","text":"Hello","done":true}"#);
    let data = data_of(&[statuses(CLEAN, 1_000), late, statuses(CLEAN, 1_000)].concat(), "--max-events 500");
    let events = data["events"].as_array().expect("events");
    assert!(events.len() <= 500, "{}", events.len());
    let shown = |number: u64| events.iter().any(|event| event[0].as_f64() == Some(number as f64));
    assert!((800..=1_200).all(shown));
    assert!(data["leftOut"][0].as_str().expect("a sentence").contains("of 2001 events are not shown one by one"));
}

/// A stream that names its session in every way that could end an element, turn text around or steer a terminal.
#[test]
fn no_text_of_a_recording_stands_in_the_page_as_it_is() {
    let attack = "</script><img src=x onerror=alert(1)>\u{202E}\u{2028}\u{7f}&amp;";
    let hostile = serde_json::json!({"type": attack, "timestamp": attack, "payload": {"session_id": attack}});
    let folder = Folder::with(&[("a.ndjson", &format!("{CLEAN}{hostile}\n{attack}\n"))]);
    let ran = folder.run("view a.ndjson --out -");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for piece in ["<img", "onerror=alert(1)>", "\u{202E}", "\u{2028}", "\u{7f}", "&amp;\""] {
        assert!(!ran.out.contains(piece), "{piece:?}");
    }
    let findings = data(&ran.out)["findings"].to_string();
    assert!(findings.contains("</script>"), "{findings}");
}

#[test]
fn a_protocol_of_records_has_a_plain_list() {
    let data = data_of("{\"session_id\":\"s\"}\n[{\"session_id\":\"t\"}]\n", "--protocol session-records");
    assert_eq!(data["protocol"]["records"], true);
    assert_eq!(data["events"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["lanes"], Value::Array(Vec::new()));
}

#[test]
fn a_folder_of_ones_own_says_what_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/agent-over-stdio");
    let recording = std::fs::read_to_string(root.join("recording.ndjson")).expect("the example is there");
    let data = data_of(&recording, &format!("--protocol {}", root.display()));
    let bars = bars(&data);
    assert!(bars.contains(&("tool-round".into(), "bash".into(), "running".into(), 3, 4)), "{bars:?}");
    let said: Vec<_> =
        data["events"].as_array().expect("events").iter().filter_map(|event| event[6].as_str()).collect();
    assert!(said.contains(&"What is in this folder?"), "{said:?}");
}

#[test]
fn several_recordings_are_one_page() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("b.ndjson", OPEN), ("c/d.ndjson.gz", "no gzip")]);
    let ran = folder.run("view a.ndjson b.ndjson --out -");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let data = data(&ran.out);
    assert_eq!(data["files"], serde_json::json!(["a.ndjson", "b.ndjson"]));
    assert_eq!((&data["findings"][0]["file"], &data["findings"][0]["event"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(data["streams"].as_array().map(Vec::len), Some(2));
}

#[test]
fn who_asks_for_html_is_told_of_the_page() {
    let ran = Folder::with(&[("a.ndjson", CLEAN)]).run("check a.ndjson --format html");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("html is not a format; `sessionlint view` makes a page of recordings"), "{}", ran.err);
}
