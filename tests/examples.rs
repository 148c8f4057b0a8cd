//! The protocol in `examples/` does what its page says, and the program in it what it says of itself.

#[path = "built/mod.rs"]
mod built;
#[path = "built_program/mod.rs"]
mod built_program;

use std::path::{Path, PathBuf};
use std::process::Command;

use built_program::built_program;
use sessionlint::{Options, Protocol, check, load_protocol};

const PAGE: &str = include_str!("../docs/protocols.md");
const RECORDING: &str = include_str!("../examples/agent-over-stdio/recording.ndjson");

/// Returns the findings in the recording, as line and rule.
fn findings(lines: &[&str]) -> Vec<(u64, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/agent-over-stdio");
    let protocol = load_protocol(&folder).unwrap_or_else(|error| panic!("{error:?}"));
    let report = check(&protocol, lines.join("\n").as_bytes(), Options::default());
    report.findings.iter().map(|finding| (finding.place.line, finding.rule.to_string())).collect()
}

fn without(line: usize) -> Vec<(u64, String)> {
    let mut lines: Vec<_> = RECORDING.lines().collect();
    lines.remove(line - 1);
    findings(&lines)
}

fn one(line: u64, rule: &str) -> Vec<(u64, String)> {
    vec![(line, rule.to_owned())]
}

#[test]
fn the_recording_conforms() {
    assert_eq!(findings(&RECORDING.lines().collect::<Vec<_>>()), []);
}

#[test]
fn what_is_left_out_is_missed() {
    // Line 3 is the status that begins the turn, 5 to 7 are the tool's events, 13 and 14 end the turn.
    assert_eq!(without(6), one(6, "tool-unfinished"));
    assert_eq!(without(7), one(12, "results-missing"));
    assert_eq!(without(13), one(13, "turn-not-ended"));
    assert_eq!(without(14), one(13, "turn-not-closed"));
    // The status on line 8 begins the turn late.
    let events: Vec<_> = (4..=6).map(|line| (line, "event-outside-turn".to_owned())).collect();
    assert_eq!(without(3), events);
}

#[test]
fn an_event_that_names_no_session_belongs_to_none() {
    let elsewhere = RECORDING.lines().nth(1).expect("the program's state changed");
    assert!(!elsewhere.contains("session_id"));
    let mut lines: Vec<_> = RECORDING.lines().collect();
    lines.insert(9, elsewhere);
    // Timestamps stay in order: the event is earlier than its neighbours, but they belong to another stream.
    assert_eq!(findings(&lines), []);
    // The event does not make up for what a session lacks.
    lines.pop();
    assert_eq!(findings(&lines), one(14, "turn-not-closed"));
}

/// The page quotes the protocol that it explains.
#[test]
fn the_page_quotes_the_folder() {
    let page = PAGE.split("## A recipe").next().unwrap_or_default();
    let protocol = include_str!("../examples/agent-over-stdio/protocol.toml");
    let quoted: Vec<_> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).collect();
    assert!(quoted.len() > 4);
    for part in quoted.iter().flat_map(|(block, _)| block.trim().split("\n\n")) {
        let plain = |text: &str| {
            text.lines()
                .map(|line| line.split('#').next().unwrap_or_default().trim_end().to_owned())
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert!(plain(protocol).contains(&plain(part)), "{part}");
    }
}

/// Returns the protocol of the page's recipe: its tables, the schema that it shows, and those that it leaves out.
fn recipe() -> Protocol {
    let (_, recipe) = PAGE.split_once("## A recipe").expect("the page has one");
    let block = |language: &str| {
        let (_, rest) = recipe.split_once(&format!("```{language}\n")).expect("a block");
        rest.split_once("```").expect("its end").0.to_owned()
    };
    let mut files =
        vec![("protocol.toml".to_owned(), block("toml")), ("task.report.schema.json".to_owned(), block("json"))];
    for (name, fields) in [
        ("task.started", &["task"][..]),
        ("task.log", &["task", "text"]),
        ("task.finished", &["task", "log"]),
        ("run.finished", &[]),
    ] {
        let mut properties = serde_json::json!({"type": {"const": name}, "n": {"type": "integer"}});
        for field in fields.iter().chain(&["run"]) {
            properties[*field] = serde_json::json!({"type": "string"});
        }
        let required: Vec<_> = properties.as_object().expect("it is one").keys().collect();
        let schema = serde_json::json!({"type": "object", "required": required, "properties": properties});
        files.push((format!("{name}.schema.json"), schema.to_string()));
    }
    Protocol::from_files("task-wire", files).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_recipe_of_the_page_does_what_it_is_for() {
    const CLEAN: [&str; 9] = [
        r#"{"type":"task.started","run":"r","n":1,"task":"a"}"#,
        r#"{"type":"task.log","run":"r","n":2,"task":"a","text":"one "}"#,
        r#"{"type":"task.started","run":"r","n":3,"task":"b"}"#,
        r#"{"type":"task.log","run":"r","n":4,"task":"a","text":"two"}"#,
        r#"{"type":"task.report","run":"r","n":5,"task":"b","body":{"kind":"progress","percent":50}}"#,
        r#"{"type":"task.finished","run":"r","n":6,"task":"a","log":"one two"}"#,
        r#"{"type":"task.report","run":"r","n":7,"task":"b","body":{"kind":"link","url":"x"}}"#,
        r#"{"type":"task.finished","run":"r","n":8,"task":"b","log":""}"#,
        r#"{"type":"run.finished","run":"r","n":9}"#,
    ];
    let protocol = recipe();
    let judged = |lines: &[String]| {
        let report = check(&protocol, lines.join("\n").as_bytes(), Options::default());
        report.findings.iter().map(|found| (found.place.line, found.rule.to_string())).collect::<Vec<_>>()
    };
    let lines = CLEAN.map(str::to_owned);
    assert_eq!(judged(&lines), []);
    for (line, from, to, rule) in [
        (4, "\"n\":4", "\"n\":3", "count-wrong"),
        (4, "\"a\"", "\"A\"", "no-task"),
        (3, "\"b\"", "\"a\"", "task-twice"),
        (6, "one two", "one too", "log-differs"),
        (8, "\"log\":\"\"", "\"log\":\"x\"", "log-not-sent"),
        (7, "link", "progress", "missing-field"),
        (5, "50", "500", "wrong-value"),
        (9, "run.finished", "task.log\",\"task\":\"c\",\"text\":\"", "no-task"),
    ] {
        let mut lines = lines.clone();
        assert!(lines[line - 1].contains(from), "{line}");
        lines[line - 1] = lines[line - 1].replace(from, to);
        let found = judged(&lines);
        assert!(found.contains(&(line as u64, rule.to_owned())), "{rule}: {found:?}");
    }
    assert_eq!(judged(&lines[..8]), one(8, "run-unfinished"));
    let left: Vec<_> = CLEAN[..7].iter().map(|line| (*line).to_owned()).collect();
    let left = [left, vec![CLEAN[8].replace("9}", "8}")]].concat();
    assert_eq!(judged(&left), one(8, "task-left"));
    let late = [lines.to_vec(), vec![CLEAN[8].replace("9}", "10}")]].concat();
    assert_eq!(judged(&late), one(10, "after-the-end"));
    let twice = CLEAN[5].replace("\"n\":6", "\"n\":7");
    let twice = [lines[..6].to_vec(), vec![twice]].concat();
    assert_eq!(judged(&twice), [one(7, "task-over"), one(7, "run-unfinished")].concat());
}

/// Every file of the corpus of session-events, and the page of its document.
fn corpus() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("the folder is there");
        entries.map(|entry| entry.expect("it can be read").path()).collect()
    };
    let invalid = entries(&root.join("invalid")).into_iter().flat_map(|rule| entries(&rule));
    let mut files: Vec<_> = entries(&root.join("valid")).into_iter().chain(invalid).collect();
    files.retain(|file| file.extension().is_none_or(|ending| ending != "expected"));
    files.sort();
    files
}

#[test]
fn the_public_api_prints_what_the_program_prints() {
    let corpus = corpus();
    assert!(corpus.len() > 300, "{} files", corpus.len());
    let by_api = Command::new(built::example("check_jsonl")).args(&corpus).output().expect("the example starts");
    let by_program = built_program()
        .args(["check", "--no-config", "--protocol", "session-events", "--format", "jsonl", "--jobs", "1"])
        .args(&corpus)
        .output()
        .expect("the program starts");
    assert_eq!(by_api.status.code(), by_program.status.code(), "{}", String::from_utf8_lossy(&by_api.stderr));
    let lines = |output: &[u8]| String::from_utf8_lossy(output).lines().map(str::to_owned).collect::<Vec<_>>();
    let (by_api, mut by_program) = (lines(&by_api.stdout), lines(&by_program.stdout));
    // Limits are reached in the corpus; that the run is not complete is said after the last finding.
    let last = by_program.pop().expect("a line");
    assert!(last.starts_with(r#"{"complete":false,"#), "{last}");
    assert!(by_api.len() > 300, "{} findings", by_api.len());
    for (api, program) in by_api.iter().zip(&by_program) {
        assert_eq!(api, program);
    }
    assert_eq!(by_api.len(), by_program.len());
}
