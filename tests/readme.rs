//! The README is correct: its example shows the program's output, and everything it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const README: &str = include_str!("../README.md");

/// Returns the fenced blocks of a language, in their order.
fn blocks(language: &str) -> Vec<&'static str> {
    let block = |block: &'static str| {
        let (info, text) = block.split_once('\n').expect("a block has lines");
        (info.split(' ').next() == Some(language)).then_some(text)
    };
    README.split("```").skip(1).step_by(2).filter_map(block).collect()
}

/// Returns the texts between backquotes outside of blocks.
fn quoted() -> BTreeSet<&'static str> {
    let outside = README.split("```").step_by(2);
    outside.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

fn run(folder: &Path, arguments: &str) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_sessionlint"))
        .current_dir(folder)
        .args(arguments.split_whitespace())
        .output()
        .expect("the program starts");
    assert!(output.stderr.is_empty(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code().expect("an exit code"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns a temporary folder with the example's recording.
struct Example(PathBuf);

impl Example {
    fn new(name: &str) -> Example {
        let folder = std::env::temp_dir().join(format!("sessionlint-readme-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        fs::write(folder.join("session.ndjson"), blocks("json")[0]).expect("writable");
        Example(folder)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_example_is_what_the_program_prints() {
    let example = Example::new("example");
    let (command, expected) = blocks("console")[0].split_once('\n').expect("a command and its output");
    let arguments = command.strip_prefix("$ sessionlint ").expect("a command of this program");
    assert_eq!(run(&example.0, arguments), (expected.to_owned(), 1));
}

#[test]
fn the_quick_start_has_two_commands_and_they_work() {
    let commands: Vec<_> = blocks("sh")[0].lines().collect();
    // The second one runs this very test.
    assert_eq!(commands, ["cargo run --release -- check corpus/session-events/valid", "cargo test"]);
    let (report, code) = run(root(), "check corpus/session-events/valid");
    assert_eq!(code, 0, "{report}");
    assert!(report.ends_with('\n') && report.lines().count() == 1, "the summary alone: {report}");
}

#[test]
fn the_options_are_those_of_the_program() {
    let help = ["check", "coverage", "fmt", "fuzz", "generate", "graph", "lint", "reconcile"]
        .map(|command| run(root(), &format!("{command} --help")).0)
        .concat();
    let known: BTreeSet<_> = help.split(|c: char| c.is_whitespace() || c == ',').collect();
    let options = quoted().into_iter().filter(|words| words.starts_with('-') && words.len() > 1);
    let options: Vec<_> = options.filter_map(|words| words.split_whitespace().next()).collect();
    assert!(options.len() > 10, "{options:?}");
    for option in options {
        assert!(known.contains(option), "{option}");
    }
    for value in [
        "ndjson", "json", "sse", "json-rpc", "error", "warning", "note", "never", "human", "jsonl", "sarif", "junit",
        "github", "gitlab", "markdown", "mermaid", "dot", "svg",
    ] {
        assert!(quoted().contains(value) && help.contains(value), "{value}");
    }
}

#[test]
fn the_configuration_is_one_and_has_its_keys() {
    let example = Example::new("configuration");
    let configurations: Vec<_> = blocks("toml").into_iter().filter(|block| block.contains("version = 1")).collect();
    assert_eq!(configurations.len(), 1);
    fs::write(example.0.join("sessionlint.toml"), configurations[0]).expect("writable");
    let (rules, code) = run(&example.0, "rules");
    assert_eq!(code, 0, "{rules}");
    assert!(rules.contains("our consumers refuse fields"), "{rules}");
}

#[test]
fn the_graph_is_what_the_program_draws() {
    assert_eq!(blocks("mermaid"), [run(root(), "graph --lifecycle turn").0]);
}

#[test]
fn every_command_works() {
    let example = Example::new("commands");
    let commands = quoted().into_iter().filter_map(|words| words.strip_prefix("sessionlint "));
    let commands: Vec<_> = commands.filter(|command| !command.contains('[')).collect();
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let (output, code) = run(&example.0, command);
        assert_eq!((code, output.is_empty()), (0, false), "sessionlint {command}");
    }
}

#[test]
fn the_json_keys_are_those_of_the_document() {
    let example = Example::new("keys");
    let (document, _) = run(&example.0, "check --format json --stats session.ndjson");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let finding = &document["findings"][0];
    for (what, value) in [
        ("the document", &document),
        ("the summary", &document["summary"]),
        ("a finding", finding),
        ("a related place", &finding["related"][0]),
    ] {
        for key in value.as_object().expect("an object").keys() {
            assert!(quoted().contains(key.as_str()), "{what} has `{key}`");
        }
    }
}

#[test]
fn the_pages_that_it_links_to_are_there() {
    let links = README.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let links: Vec<_> = links.collect();
    assert!(links.len() >= 6, "{links:?}");
    for link in links {
        assert!(root().join(link).is_file(), "{link}");
    }
}

#[test]
fn the_library_s_examples_compile_and_run() {
    let events = concat!(
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
        r#""payload":{"session_id":"s","pending":false,"status_label":"idle"}}"#,
    );
    let pieces = [&events.as_bytes()[..20], &events.as_bytes()[20..]];
    sessionlint::assert_conforms!(events);

    use sessionlint::{Checker, Options, Protocol};

    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let mut checker = Checker::new(protocol, Options::default());
    for piece in pieces {
        checker.feed(piece);
        for finding in checker.take_findings() {
            println!("{}: {}: {}", finding.place.line, finding.rule, finding.message);
        }
    }
    let report = checker.finish();
    println!("{} errors", report.summary.errors);
    assert_eq!(report.summary.errors, 0);

    // The code that runs here is the code of the README, line by line.
    let here: Vec<_> = include_str!("readme.rs").lines().map(str::trim).collect();
    for block in blocks("rust") {
        for line in block.lines().map(str::trim) {
            assert!(here.contains(&line), "{line}");
        }
    }
}
