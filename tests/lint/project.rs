//! This repository's own fixtures: its corpora, the blocks of its pages, its examples.

use std::path::Path;

use super::built_program::built_program;
use super::program::{Ran, ran};

fn lint(arguments: &[&str]) -> Ran {
    let mut command = built_program();
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("lint").args(arguments);
    ran(command)
}

/// Each corpus of another protocol than the default one, which a run has one of.
#[test]
fn the_corpora_of_other_protocols_lint_clean() {
    for protocol in ["anthropic-messages", "openai-chat", "openai-responses"] {
        let corpus = format!("corpus/{protocol}");
        let ran = lint(&["--no-config", "--fail-on", "warning", "--protocol", protocol, "--format", "json", &corpus]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
        let document: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        assert!(document["linted"]["streams"].as_u64() >= Some(100), "{}", document["linted"]);
    }
}

#[test]
fn the_repository_lints_clean() {
    let ran = lint(&["--fail-on", "warning", "--format", "json", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let linted = &document["linted"];
    for (kind, least) in [("streams", 500), ("records", 150), ("single_events", 9), ("expected", 500)] {
        assert!(linted[kind].as_u64() >= Some(least), "the corpora are here: {linted}");
    }
}

#[test]
fn the_document_is_nine_single_events() {
    let document = "corpus/session-events/document.md";
    let ran = lint(&["--fail-on", "note", "--no-config", document]);
    let counts = "0 streams, 0 fragments, 9 single events, 0 fixtures of records: 0 errors, 0 warnings, 0 notes; checked against session-events.\n";
    assert_eq!((ran.code, ran.out.as_str()), (0, counts));
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(document).is_file());
}
