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

/// Returns the data of a page that is in a file.
fn data_in(folder: &Folder, name: &str) -> Value {
    data(&std::fs::read_to_string(folder.path().join(name)).expect("the page was written"))
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
        ("view a.ndjson --out a.ndjson", "a.ndjson is to be checked, so no page can go there"),
        ("view a.ndjson --out .", "is a folder; a page needs a file"),
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
    // The page says what `explain` says of a rule.
    let without = recording.lines().filter(|line| !line.contains("session.tool.results"));
    let broken: String = without.map(|line| format!("{line}\n")).collect();
    let data = data_of(&broken, &format!("--protocol {}", root.display()));
    let words = "It quotes no document: the tables of An agent over standard output say so.";
    assert_eq!(data["rules"]["results-missing"]["basis"], words);
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

/// A stream of OpenAI Responses whose events have these numbers, and which is not over.
fn responses(numbers: &[u64]) -> String {
    let event = |number: &u64| {
        let kind = if *number == 0 { "response.created" } else { "response.in_progress" };
        let response = r#"{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}"#;
        format!("data: {{\"type\":\"{kind}\",\"sequence_number\":{number},\"response\":{response}}}\n\n")
    };
    numbers.iter().map(event).collect()
}

/// The beginning of a stream of Anthropic's Messages.
const MESSAGE: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\nevent: content_block_stop\ndata: \
                       {\"type\":\"content_block_stop\",\"index\":0}\n\n";

/// Returns a cassette with these bodies of responses.
fn cassette(bodies: &[&str]) -> String {
    let interaction = |body: &&str| {
        let request = serde_json::json!({"method": "POST", "uri": "https://api.example/v1"});
        let media_type = if body.contains("data: ") { "text/event-stream" } else { "text/plain" };
        let headers = serde_json::json!({"content-type": [media_type]});
        serde_json::json!({"request": request, "response": {"headers": headers, "body": {"string": body}}})
    };
    serde_json::json!({"interactions": bodies.iter().map(interaction).collect::<Vec<_>>()}).to_string()
}

#[test]
fn a_check_makes_the_page_that_view_makes() {
    let bodies = cassette(&[&responses(&[0, 1]), &responses(&[0, 2])]);
    let folder = Folder::with(&[("in/a.ndjson", OPEN), ("in/b/c.ndjson", CLEAN), ("bodies.json", &bodies)]);
    for (paths, code) in [("in", 1), ("in/a.ndjson", 1), ("in/b", 0), ("bodies.json", 1)] {
        let checked = folder.run(&format!("check {paths} --format short --format html=checked.html"));
        assert_eq!((checked.code, checked.err.as_str()), (code, ""), "{paths}");
        assert_eq!(
            checked.out,
            folder.run(&format!("check {paths} --format short")).out,
            "the report stays what it is"
        );
        assert_eq!(folder.run(&format!("view {paths} --out viewed.html")).code, 0);
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it was written");
        assert!(read("checked.html") == read("viewed.html"), "{paths}");
        // The counts are those of the report.
        let words = data(&read("checked.html"))["total"]["words"].as_str().expect("words").to_owned();
        assert!(checked.out.contains(&format!("{words}: ")), "{paths}: {words}: {}", checked.out);
        assert!(folder.run(&format!("check {paths} --format html")).out == read("checked.html"), "{paths}");
    }
}

#[test]
fn a_page_has_the_severities_and_the_protocol_of_its_check() {
    let folder = Folder::with(&[("a.ndjson", OPEN)]);
    let severity = |arguments: &str| {
        let ran = folder.run(&format!("check a.ndjson --format html=a.html {arguments}"));
        assert_eq!(ran.out, "");
        (ran.code, data_in(&folder, "a.html")["findings"][0]["severity"].as_str().map(str::to_owned))
    };
    assert_eq!(severity(""), (1, Some("error".into())));
    assert_eq!(severity("--rule turn-unfinished=note"), (0, Some("note".into())));
    assert_eq!(severity("--rule turn-unfinished=off"), (0, None));
    assert_eq!(severity("--fragment"), (0, None));
    folder.write("sessionlint.toml", "version = 1\n[rules]\nturn-unfinished = \"warning\"\n");
    assert_eq!(severity(""), (0, Some("warning".into())));
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/agent-over-stdio");
    let example = example.display();
    assert_eq!(folder.run(&format!("check a.ndjson --format html=a.html --no-config --protocol {example}")).code, 1);
    assert_eq!(data_in(&folder, "a.html")["protocol"]["name"], "agent-over-stdio");
}

#[test]
fn a_check_that_cannot_make_its_page_says_so() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("notes.html", "my own notes"), ("report.sarif", "{}")]);
    for (arguments, says) in [
        ("check a.ndjson --format html=notes.html", "refusing to overwrite notes.html: it is not an earlier page"),
        ("check a.ndjson --format html=report.sarif", "it is not an earlier page"),
        ("check a.ndjson --format html=a.ndjson", "a.ndjson is to be checked, so no page can go there"),
        ("check a.ndjson --format html=.", ". is a folder; a page needs a file"),
        ("check a.ndjson --format html=gone/a.html", "gone/a.html cannot be written: its folder does not exist"),
        ("check a.ndjson --format html --format json", "only one report can go to standard output"),
        ("check a.ndjson --format html=b.html --join", "--format html does not go with --follow, --join"),
        ("check a.ndjson --format html=b.html --follow", "--format html does not go with --follow, --join"),
        ("check a.ndjson --format html=b.html --complete", "--format html does not go with --follow, --join"),
        ("lint a.ndjson --format html=b.html", "html is no report but a page of recordings"),
        ("tap --format html=b.html -- true", "html is no report but a page of recordings"),
    ] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.contains(says), "{arguments}: {}", ran.err);
    }
    if cfg!(unix) {
        let ran = folder.run("check /dev/null --format html=b.html");
        assert!(ran.code == 2 && ran.err.contains("/dev/null can be read only once"), "{}", ran.err);
    }
    let ran = folder.run_with_input("check - --format human --format html=b.html", CLEAN.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let says = "standard input can be read only once: keep the recording in a file, check it there, or make the page of it \
                with `sessionlint view FILE`";
    assert!(ran.err.contains(says), "{}", ran.err);
    assert!(!folder.path().join("b.html").exists());
}

#[test]
fn recordings_of_several_protocols_have_their_report_and_no_page() {
    let folder = Folder::with(&[
        ("a.ndjson", CLEAN),
        ("b.sse", &responses(&[0, 1])),
        ("both.json", &cassette(&[&responses(&[0, 1]), MESSAGE])),
    ]);
    let ran = folder.run("check a.ndjson b.sse --format short --format html=p.html");
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("b.sse:3:"), "{}", ran.out);
    let says = "sessionlint: no page was made: a.ndjson has a recording of session-events, and b.sse one of openai-responses; \
                take the recordings of each protocol by themselves, or name one with --protocol\n";
    assert_eq!(ran.err, says);
    // A file cannot be taken apart, so nobody is told to.
    for command in ["view both.json --out p.html", "coverage both.json"] {
        let ran = folder.run(command);
        assert_eq!(ran.code, 2);
        let says = "sessionlint: both.json holds streams of openai-responses and of anthropic-messages; choose one of the two \
                    with --protocol\n";
        assert_eq!(ran.err, says, "{command}");
    }
    assert!(!folder.path().join("p.html").exists());
    assert_eq!(folder.run("view both.json --out p.html --protocol openai-responses").code, 0);
}

#[test]
fn stored_records_have_a_page_of_their_own() {
    let records = r#"{"sessions":[{"session_id":"s"}]}"#;
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("records.json", records)]);
    let code = folder.run("check records.json").code;
    assert_eq!(folder.run("check records.json --format html=r.html").code, code);
    let page = data_in(&folder, "r.html");
    assert_eq!(
        (&page["protocol"]["name"], &page["total"]["words"]),
        (&"session-records".into(), &"1 file, 1 record".into())
    );
    assert_eq!(folder.run("view a.ndjson records.json --out a.html").code, 0);
    let page = data_in(&folder, "a.html");
    assert_eq!(page["files"], serde_json::json!(["a.ndjson"]));
    assert_eq!(page["leftOut"], serde_json::json!(["1 file of stored records cannot be shown beside streams"]));
}

#[test]
fn a_file_with_several_bodies_counts_once() {
    let both = cassette(&[&responses(&[0, 1]), &responses(&[0, 1]), "a page"]);
    let folder = Folder::with(&[("a.json", &both), ("b.sse", &responses(&[0]))]);
    assert_eq!(folder.run("view a.json --out a.html").code, 0);
    let page = data_in(&folder, "a.html");
    assert_eq!(page["title"], "a.json");
    let words = "1 file, 2 bodies with a stream and 1 without, 4 events, 2 streams";
    assert_eq!(page["total"]["words"], words);
    assert_eq!(folder.run("view a.json b.sse --out a.html").code, 0);
    assert_eq!(data_in(&folder, "a.html")["title"], "a.json and 1 more");
}

#[test]
fn what_has_no_events_has_no_page() {
    let folder = Folder::with(&[("a.ndjson", "{\"a\": 1}\n")]);
    for (arguments, input) in
        [("view - --out p.html", "{\"a\": 1}\n"), ("view a.ndjson --out p.html", ""), ("view - --out p.html", "")]
    {
        let ran = folder.run_with_input(arguments, input.as_bytes());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.starts_with("sessionlint: nothing was checked: there is no event"), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    assert_eq!(folder.run("check a.ndjson --format html=p.html").code, 2);
    assert!(!folder.path().join("p.html").exists());
}

#[test]
fn the_page_of_standard_input_says_so() {
    let folder = Folder::new();
    let ran = folder.run_with_input("view - --out -", CLEAN.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("<title>standard input — sessionlint</title>"));
    assert_eq!(data(&ran.out)["title"], "standard input");
}

/// Returns what is missing before or after which line, by the findings of a page.
fn missing(page: &Value) -> Vec<(String, u64, String)> {
    let findings = page["findings"].as_array().expect("findings").iter();
    let gap = |one: &Value| {
        let (rule, words) = (one["rule"].as_str()?, one["missing"].as_str()?);
        Some((rule.to_owned(), one["line"].as_u64()?, words.to_owned()))
    };
    findings.filter_map(gap).collect()
}

#[test]
fn what_is_missing_is_named_where_the_advice_names_it() {
    let started = &call(1);
    let done = event(
        "session.tool.call.completed",
        r#"{"session_id":"s","tool_call_id":"c1","tool_name":"bash","ok":true,"duration_ms":1}"#,
    );
    let end = event("session.completed", r#"{"session_id":"s","final_message":"Done."}"#);
    let gaps = |events: &[&str]| missing(&data_of(&events.concat(), ""));
    let results = |line, words: &str| vec![("tool-result-missing".to_owned(), line, words.to_owned())];
    assert_eq!(gaps(&[OPEN, started, &done, &end, CLEAN]), results(4, "session.tool.results"));
    let unfinished = "session.tool.call.completed, then session.tool.results";
    let expected = vec![("tool-call-unfinished".to_owned(), 3, unfinished.to_owned())];
    assert_eq!(gaps(&[OPEN, started, &end, CLEAN]), expected);
    // Before the end of a stream: any of several would do.
    let ends = "session.completed or session.error or session.interrupted";
    assert_eq!(gaps(&[OPEN, started, &done]).first().map(|(_, _, words)| words.as_str()), Some(ends));
    // What comes twice is not missing.
    assert_eq!(gaps(&[OPEN, &end, &end, CLEAN]), []);
}

#[test]
fn numbers_that_a_series_passed_over_are_missing() {
    let gaps = |numbers: &[u64]| missing(&data_of(&responses(numbers), "--protocol openai-responses"));
    let gap = |line: u64, words: &str| ("sequence-gap".to_owned(), line, words.to_owned());
    assert_eq!(gaps(&[0, 1, 3]).first(), Some(&gap(5, "sequence_number 2")));
    assert_eq!(gaps(&[0, 1, 5]).first(), Some(&gap(5, "sequence_number 2 to 4")));
    // One that comes again is not.
    assert!(gaps(&[0, 1, 1]).iter().all(|(rule, ..)| rule != "sequence-gap"));
}

#[test]
fn a_key_has_the_words_that_messages_have_for_it() {
    let lines = [
        r#"{"type":"response.created","sequence_number":0,"response":{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}}"#,
        r#"{"type":"response.output_item.added","sequence_number":1,"output_index":1,"item":{"id":"i","type":"message","role":"assistant","status":"in_progress","content":[]}}"#,
        r#"{"type":"response.content_part.added","sequence_number":2,"item_id":"i","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}"#,
    ];
    let page = data_of(&(lines.join("\n") + "\n"), "--protocol openai-responses");
    let keys = |name: &str| -> Vec<String> {
        let of = |one: &&Value| page["lifecycles"][one[0].as_u64().expect("a number") as usize]["name"] == name;
        let instances = page["instances"].as_array().expect("instances").iter();
        instances.filter(of).map(|one| one[4].as_str().expect("a key").to_owned()).collect()
    };
    assert_eq!(keys("part"), ["part 0 in item 1"]);
    assert_eq!(keys("item"), ["item 1"]);
    let page = data_of(&[OPEN, &call(1)].concat(), "");
    assert!(page["instances"].as_array().expect("instances").iter().any(|one| one[4] == "c1"), "an id needs no name");
}

#[test]
fn a_lifecycle_has_a_picture_of_what_was_done_and_one_of_everything() {
    let page = data_of(&[OPEN, &call(1)].concat(), "");
    let lifecycle = page["lifecycles"].as_array().expect("lifecycles").iter().find(|one| one["name"] == "tool-call");
    let lifecycle = lifecycle.expect("it is there");
    let names = |picture: &str| -> Vec<&str> {
        lifecycle[picture]["boxes"].as_array().expect("boxes").iter().filter_map(|one| one["name"].as_str()).collect()
    };
    assert!(names("near").starts_with(&["absent", "started"]), "{:?}", names("near"));
    assert!(names("near").len() < names("whole").len());
    // What nothing has moved is shown as a whole.
    assert!(data_of(CLEAN, "")["lifecycles"].as_array().expect("lifecycles").iter().any(|one| one["near"].is_null()));
}
