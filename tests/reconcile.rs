//! Streams against stored records: the expectations of the corpus, and the command's own behaviour.

#[path = "built_program/mod.rs"]
mod built_program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use built_program::built_program;
use serde_json::Value;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-records")
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

fn is_stream(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("stream."))
}

/// The cases that are folders with a stream in them.
fn cases() -> Vec<PathBuf> {
    let rules = sorted(&corpus().join("invalid"));
    let folders = rules.into_iter().chain([corpus().join("valid")]);
    let cases = folders.flat_map(|folder| sorted(&folder)).filter(|case| case.is_dir());
    cases.filter(|case| sorted(case).iter().any(|path| is_stream(path))).collect()
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Runs `sessionlint reconcile` in a case's folder, so that file names are short.
fn reconcile(case: &Path, options: &[&str]) -> Output {
    let files = sorted(case).into_iter().filter(|path| !path.ends_with("expected") && !path.ends_with("options"));
    let (streams, records): (Vec<_>, Vec<_>) = files.partition(|path| is_stream(path));
    let name = |path: &PathBuf| path.file_name().expect("a file").to_owned();
    built_program()
        .current_dir(case)
        .args(["reconcile", "--no-config", "--color", "never"])
        .args(lines(&case.join("options")))
        .args(options)
        .args(streams.iter().map(name))
        .arg("--records")
        .args(records.iter().map(name))
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_corpus_is_reported_as_expected() {
    let cases = cases();
    assert!(cases.len() > 25, "there are cases");
    for case in cases {
        let output = reconcile(&case, &["--format", "jsonl"]);
        // If no session is on both sides, there is nothing to compare, and the report says so.
        let said = text(&output.stderr);
        let compared = !said.contains("nothing was compared: no session is both");
        assert!(!compared || said.is_empty(), "{case:?}: {said}");
        let found = |line: &str| {
            let finding: Value = serde_json::from_str(line).expect("JSON");
            let part = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            format!("{}\t{}\t{}", part("file"), finding["line"], part("rule"))
        };
        let mut found: Vec<_> = text(&output.stdout).lines().map(found).collect();
        let mut expected = lines(&case.join("expected"));
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{case:?}");
        let exit = if !compared {
            2
        } else if expected.is_empty() {
            0
        } else {
            1
        };
        assert_eq!(output.status.code(), Some(exit), "a warning is enough to fail: {case:?}");
    }
}

#[test]
fn a_finding_shows_both_places_and_the_summary_tells_of_each_session() {
    let case = corpus().join("invalid/action-outcome-mismatch/swapped-between-two-calls-of-one-tool");
    let report = text(&reconcile(&case, &[]).stdout);
    assert!(report.contains("] transcript.json:10:21 "), "{report}");
    assert!(report.contains("┌ stream.ndjson\n   6 │"), "{report}");
    assert!(report.contains("its result was reported here"), "{report}");
    assert!(report.contains("s1: 2 calls matched, 0 missing, 0 unexpected"), "{report}");
    let document: Value = serde_json::from_slice(&reconcile(&case, &["--format", "json"]).stdout).expect("JSON");
    let expected = serde_json::json!([{"session": "s1", "matched": 2, "missing": 0, "unexpected": 0}]);
    assert_eq!(document["reconciled"], expected);
    assert_eq!(document["findings"][0]["related"][0]["file"], "stream.ndjson");
}

#[test]
fn a_dialect_that_holds_for_nothing_is_said() {
    let case = corpus().join("invalid/action-time-mismatch/after-its-result");
    let output = reconcile(&case, &["--dialect", "xai"]);
    let words = "the dialect xai does not hold here: all that was read is of session-events, which has no such dialect";
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains(words), "{}", text(&output.stderr));
}

#[test]
fn times_may_be_apart_as_far_as_the_caller_says() {
    // The action is at 10:00:14, and its result was reported at 10:00:08.
    let case = corpus().join("invalid/action-time-mismatch/after-its-result");
    let of = |tolerance: &str| reconcile(&case, &["--tolerance", tolerance, "-q"]).status.code();
    assert_eq!((of("0"), of("3600")), (Some(1), Some(0)));
    let tables = fs::read_to_string(corpus().join("../../schemas/session-records/protocol.toml")).expect("a file");
    let tables: toml::Table = toml::from_str(&tables).expect("TOML");
    let tolerance = tables["record"]["tolerance"].as_float().expect("a number");
    let help = reconcile(&case, &["--help"]);
    assert!(text(&help.stdout).contains(&format!("[default: {tolerance}, ")), "{}", text(&help.stdout));
    let refused = reconcile(&case, &["--tolerance=-1"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("a number of seconds"), "{}", text(&refused.stderr));
}

#[test]
fn what_cannot_be_read_takes_no_part_and_is_not_overlooked() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("stream.ndjson", "{\"type\":\n{broken\n");
    write("transcript.json", "{\"session_id\":\"s1\",\"transcription\":[],\"actions\":[{\"timestamp\":1},7]}");
    let output = reconcile(folder.path(), &["--format", "jsonl"]);
    assert_eq!(output.status.code(), Some(2), "nothing was compared");
    let mut notes: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let last = notes.pop().expect("a line");
    assert_eq!((&last["complete"], last["incomplete"].as_array().map(Vec::len)), (&Value::Bool(false), Some(2)));
    let said: Vec<_> = notes.iter().map(|note| (note["file"].as_str(), note["rule"].as_str())).collect();
    let skipped = Some("check-skipped");
    assert_eq!(said, [(Some("stream.ndjson"), skipped), (Some("transcript.json"), skipped)]);
    assert!(notes[0]["message"].as_str().is_some_and(|words| words.contains("and 1 more")), "{notes:?}");
    let missing = built_program()
        .current_dir(folder.path())
        .args(["reconcile", "stream.ndjson", "--records", "nothing.json"])
        .output()
        .expect("the program starts");
    assert_eq!(missing.status.code(), Some(2), "{}", text(&missing.stderr));
}

#[test]
fn a_session_without_a_record_is_missing_only_if_all_records_are_there() {
    let case = corpus().join("valid/reconciled-where-no-record-is-asked-for");
    let nothing = reconcile(&case, &["-q"]);
    assert_eq!((nothing.status.code(), nothing.stdout.is_empty()), (Some(2), true), "nothing was compared");
    let complete = reconcile(&case, &["--complete", "--format", "jsonl"]);
    assert!(text(&complete.stdout).contains("\"record-missing\""), "{}", text(&complete.stdout));
}

#[test]
fn the_events_that_records_are_held_against_are_those_of_the_stream_protocol() {
    let text = fs::read_to_string(corpus().join("../../schemas/session-records/protocol.toml")).expect("a file");
    let table: toml::Table = toml::from_str(&text).expect("TOML");
    let events = sessionlint::Protocol::builtin("session-events").expect("it is built in");
    for (part, fields) in [("started", &["key", "name"][..]), ("completed", &["key"]), ("results", &["each"])] {
        let words = &table["reconcile"][part];
        let name = words["on"].as_str().expect("an event type");
        let (_, schema) = events.schemas().find(|(known, _)| *known == name).expect("a known event type");
        for field in fields {
            let pointer = words[field].as_str().expect("a pointer").replace('/', "/properties/");
            assert!(schema.pointer(&pointer).is_some(), "{name} has {pointer}");
        }
    }
}

#[test]
fn a_stream_stays_a_stream_though_its_folder_holds_the_records() {
    let case = corpus().join("invalid/action-missing/one-of-two");
    let run = |arguments: &[&str]| {
        let mut command = built_program();
        command.current_dir(&case).args(["reconcile", "--format", "jsonl"]).args(arguments).output().expect("it starts")
    };
    let output = run(&["stream.ndjson", "--records", "."]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("\"action-missing\""), "{}", text(&output.stdout));
    let refused = run(&["stream.ndjson", "--records", ".", "--protocol", "session-records"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("streams consist of events"), "{}", text(&refused.stderr));
}
