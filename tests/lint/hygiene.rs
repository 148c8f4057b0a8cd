//! Rules about fixtures as files.

use serde_json::json;

use super::program::{CLEAN, Folder, OPEN, statuses, text};
use super::{kinds, linted, told};

#[test]
fn a_stream_in_which_no_time_passes_is_noted() {
    let two = [OPEN, CLEAN].concat();
    let three = statuses(CLEAN, 3);
    let (document, code) = linted(&Folder::with(&[("a.ndjson", &three)]), ".");
    assert_eq!((told(&document), code), (vec!["./a.ndjson:2:38 frozen-time".to_owned()], 0));
    assert_eq!(text(&document["findings"][0]["message"]), "all 3 events of this stream are at 2026-01-01T00:00:00Z");
    let elsewhere = CLEAN.replace("00:00:00Z", "01:00:00+01:00").replace("idle", "ready");
    let other = [CLEAN, &elsewhere, CLEAN].concat();
    assert_eq!(told(&linted(&Folder::with(&[("a.ndjson", &other)]), ".").0), ["./a.ndjson:2:38 frozen-time"]);
    let passing = statuses(CLEAN, 2) + &CLEAN.replace("00:00:00Z", "00:00:01Z");
    for lasting in [&two, &passing] {
        let (document, _) = linted(&Folder::with(&[("a.ndjson", lasting)]), ".");
        assert!(told(&document).iter().all(|told| !told.ends_with("frozen-time")), "{document}");
    }
    assert_eq!(told(&linted(&Folder::with(&[("a.ndjson", &three)]), "--rule frozen-time=off .").0), [""; 0]);
    assert_eq!(told(&linted(&Folder::with(&[("a.ndjson", &three)]), "--fragment .").0), [""; 0]);
}

#[test]
fn the_same_events_in_two_places_are_noted() {
    let page = format!("# A\n\n```json\n{}```\n", CLEAN.replace(':', " : ").replace("00 : 00 : 00", "00:00:00"));
    let folder = Folder::with(&[("a.json", CLEAN), ("b/page.md", &page), ("c.sse", &format!("data: {CLEAN}\n"))]);
    let (document, _) = linted(&folder, ".");
    assert_eq!(told(&document), ["./b/page.md:4:1 duplicate-fixture", "./c.sse:1:1 duplicate-fixture"]);
    assert_eq!(text(&document["findings"][0]["message"]), "the same events are in ./a.json:1");
    assert_eq!(document["findings"][1]["related"][0]["file"], json!("./a.json"));
}

#[test]
fn copies_in_one_file_are_named_one_by_one() {
    let block = format!("```json\n{CLEAN}```\n\n");
    let folder = Folder::with(&[("page.md", &block.repeat(3))]);
    let said = folder.run("lint --color never .").out;
    let note = "note[duplicate-fixture] ./page.md:6:1, ./page.md:10:1: the same events are in ./page.md:2\n";
    assert!(said.contains(note), "{said}");
}

#[test]
fn other_order_of_keys_and_empty_files_are_no_duplicates() {
    let swapped = CLEAN.replace(r#""session_id":"s","pending":false"#, r#""pending":false,"session_id":"s""#);
    let folder = Folder::with(&[("a.json", CLEAN), ("b.json", &swapped), ("c.json", ""), ("d.json", "")]);
    let (document, _) = linted(&folder, "a.json b.json c.json d.json");
    assert!(told(&document).iter().all(|told| told.ends_with("empty-input")), "{document}");
}

#[test]
fn the_report_is_the_same_for_any_number_of_threads() {
    let folder = Folder::new();
    for number in 0..60 {
        let label = format!("\"{}\"", number % 7);
        let event = CLEAN.replace("\"idle\"", &label);
        folder.write(format!("{number:02}.json"), &event);
        folder.write(format!("{number:02}.md"), format!("```json\n{event}```\n```json\n{{}}\n```\n"));
    }
    for format in ["json", "human --all -v", "sarif"] {
        let one = folder.run(&format!("lint --jobs 1 --format {format} ."));
        assert!(one.out.contains("duplicate-fixture"), "{}", one.out);
        for jobs in [2, 7] {
            assert_eq!(folder.run(&format!("lint --jobs {jobs} --format {format} .")).out, one.out, "{jobs} {format}");
        }
    }
}

#[test]
fn an_emptied_fixture_is_not_skipped_in_silence() {
    for empty in ["", "\n \n", "\u{feff}"] {
        let folder = Folder::with(&[("a.ndjson", CLEAN), ("b.ndjson", empty), ("c.sse", empty)]);
        let (document, code) = linted(&folder, ".");
        let expected = ["./b.ndjson:1:1 empty-input", "./c.sse:1:1 empty-input"];
        assert_eq!((told(&document).as_slice(), code), (&expected.map(str::to_owned)[..], 1), "{empty:?}");
    }
    // Nobody can tell what a file with this ending held.
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("b.json", "")]);
    let ran = folder.run("lint .");
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out.contains("Not everything was checked: 1 file passed over.\n  ./b.json: nothing in it\n"),
        "{}",
        ran.out
    );
    assert_eq!(folder.run("lint --fail-on-incomplete .").code, 1);
}

/// A chunk of the chat protocol, whose streams end with a text that is no JSON, and the last one.
const CHAT: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1767225600,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Tea"},"finish_reason":null}]}
{"id":"c","object":"chat.completion.chunk","created":1767225600,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
"#;

#[test]
fn an_event_that_is_no_json_is_part_of_a_fixture() {
    let done = format!("{CHAT}[DONE]\n");
    let folder = Folder::with(&[("done.ndjson", &done), ("open.ndjson", CHAT)]);
    let (document, code) = linted(&folder, "--protocol openai-chat done.ndjson open.ndjson");
    // With the text and without it, they are two streams.
    assert_eq!((told(&document), code), (Vec::new(), 0));
    assert_eq!(kinds(&document), [2, 0, 0, 0, 0]);
    let late = done
        .replace(r#"{"id":"c","object":"chat.completion.chunk","#, r#"{"object":"chat.completion.chunk", "id":"c","#);
    folder.write("done.ndjson", late.replace("[DONE]\n", "  [DONE]"));
    assert_eq!(folder.run("fmt --protocol openai-chat done.ndjson").code, 0);
    let formatted = std::fs::read_to_string(folder.path().join("done.ndjson")).expect("readable");
    assert_eq!(formatted, done);
}
