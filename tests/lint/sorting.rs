//! Which files are fixtures, and of which kind.

use super::program::{CLEAN, ERROR, Folder, OPEN, event};
use super::{kinds, linted, told};

/// The end of a turn, cut out of a stream.
fn cut_out() -> String {
    [
        event("session.stream.chunk", r#"{"session_id":"s","text":"a","done":true}"#),
        event("session.completed", r#"{"session_id":"s","final_message":"a"}"#),
        CLEAN.to_owned(),
    ]
    .concat()
}

/// A stored record.
const RECORD: &str = r#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"s","agent_name":"a"}"#;

#[test]
fn each_file_is_taken_for_what_it_holds() {
    let broken = ERROR.replace("\"pending\":", "\"pending\"");
    for (name, content, expected) in [
        ("one.json", OPEN, [0, 0, 1, 0, 0]),
        ("pretty.json", "[\n {\"type\": \"session.status\"}\n]", [0, 0, 1, 0, 0]),
        ("whole.ndjson", &[OPEN, OPEN].concat(), [1, 0, 0, 0, 0]),
        ("cut.log", &cut_out(), [0, 1, 0, 0, 0]),
        ("sent.sse", &format!("data: {CLEAN}\n"), [0, 0, 1, 0, 0]),
        ("message.json", r#"{"jsonrpc":"2.0","method":"x","params":{"type":"session.status"}}"#, [0, 0, 1, 0, 0]),
        ("nearly.json", r#"{"type":"session.statsu"}"#, [0, 0, 1, 0, 0]),
        ("fields.json", r#"{"type":"x","timestamp":"","payload":{}}"#, [0, 0, 1, 0, 0]),
        ("broken.json", &broken, [0, 0, 1, 0, 0]),
        ("records.json", RECORD, [0, 0, 0, 1, 0]),
        ("page.json", &format!("{{\"items\":[{RECORD}]}}"), [0, 0, 0, 1, 0]),
        ("package.json", r#"{"name":"x","type":"module","description":"session.status"}"#, [0, 0, 0, 0, 1]),
        ("tsconfig.json", "{\n  // comment\n  \"a\": 1\n}", [0, 0, 0, 0, 1]),
        ("items.json", r#"{"items":[{"a":1}]}"#, [0, 0, 0, 0, 1]),
        ("empty.json", "", [0, 0, 0, 0, 1]),
        ("log.log", "2026-01-01 started\n", [0, 0, 0, 0, 1]),
    ] {
        let folder = Folder::with(&[(name, content)]);
        let (document, _) = linted(&folder, ".");
        assert_eq!(kinds(&document), expected, "{name}: {document}");
    }
}

#[test]
fn a_cut_out_is_judged_as_one_unless_it_is_said_to_be_whole() {
    let folder = Folder::with(&[("cut.ndjson", &cut_out())]);
    assert_eq!(told(&linted(&folder, ".").0), [""; 0]);
    folder.write("sessionlint.toml", "version = 1\n[[override]]\nfiles = [\"cut.*\"]\nfragment = false\n");
    let (document, code) = linted(&folder, ".");
    assert_eq!((kinds(&document), code), ([1, 0, 0, 0, 0], 1), "{document}");
    assert_eq!(document["findings"][0]["event"], 0, "{document}");
}

#[test]
fn what_is_whole_can_be_said_to_be_a_cut_out() {
    let folder = Folder::with(&[("open.ndjson", &[CLEAN, OPEN].concat())]);
    let (document, code) = linted(&folder, ".");
    assert_eq!((told(&document), code), (vec!["./open.ndjson:2:1 turn-unfinished".to_owned()], 1));
    let (document, code) = linted(&folder, "--fragment .");
    assert_eq!((kinds(&document), code), ([0, 1, 0, 0, 0], 0), "{document}");
    folder.write("sessionlint.toml", "version = 1\n[[override]]\nfiles = [\"open.*\"]\nfragment = true\n");
    assert_eq!(linted(&folder, ".").1, 0);
}

#[test]
fn what_is_named_is_a_fixture_whatever_it_holds() {
    let folder = Folder::with(&[("package.json", "{}"), ("a.txt", ERROR)]);
    let (document, code) = linted(&folder, "package.json a.txt");
    assert_eq!((kinds(&document), code), ([0, 0, 2, 0, 0], 1), "{document}");
    assert_eq!(
        told(&document),
        ["package.json:1:1 not-an-event", "package.json:1:1 no-events", "a.txt:1:99 wrong-type"]
    );
    assert_eq!(kinds(&linted(&folder, ".").0), [0, 0, 0, 0, 1], "in a folder, other endings are not looked at");
}

#[test]
fn standard_input_is_a_fixture() {
    let folder = Folder::new();
    let ran = folder.run_with_input("lint --format jsonl -", ERROR.as_bytes());
    assert_eq!((ran.code, ran.out.lines().count()), (1, 1), "{}", ran.out);
}

#[test]
fn records_of_a_folder_belong_together() {
    let event = r#"{"timestamp":"2025-01-01T00:00:00Z","session_id":"s","category":"x"}"#;
    let folder = Folder::with(&[("a/sessions.json", RECORD), ("a/events.json", event), ("b/events.json", event)]);
    let (document, _) = linted(&folder, "--rule duplicate-fixture=off .");
    assert_eq!(kinds(&document), [0, 0, 0, 3, 0], "{document}");
    let [only] = &told(&document)[..] else { panic!("{document}") };
    assert!(only.starts_with("./a/events.json:1:") && only.ends_with(" event-before-session"), "{only}");
}

#[test]
fn hidden_ignored_and_excluded_files_are_not_looked_at() {
    let folder = Folder::with(&[
        ("sessionlint.toml", "version = 1\nexclude = [\"out/\"]\n"),
        (".gitignore", "*.tmp.json\n"),
        (".hidden.json", ERROR),
        ("a.tmp.json", ERROR),
        ("out/a.json", ERROR),
        ("b.json", CLEAN),
    ]);
    let (document, code) = linted(&folder, ".");
    assert_eq!((kinds(&document), code), ([0, 0, 1, 0, 0], 0), "{document}");
}
