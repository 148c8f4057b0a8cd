//! Every rule has a folder in the corpus and an example that breaks it alone, and quotes the document literally.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sessionlint::{Basis, Protocol, Rule};

use super::{cases, check, entries, name, root};

/// Rules of the framing that are about streams, or about something that only streams can have.
const OF_STREAMS: [(&str, &str); 3] = [
    ("not-an-event", "what is no object is of the wrong type"),
    ("unknown-event", "records have kinds, and unknown-kind for what is of none"),
    ("check-skipped", "a thousand unknown fields are too long for an example; tests/cli/records.rs has one"),
];

/// Rules of `sessionlint reconcile`, which are tested with it.
const RECONCILED: [&str; 6] = [
    "action-missing",
    "action-unexpected",
    "action-outcome-mismatch",
    "action-time-mismatch",
    "session-time-mismatch",
    "record-missing",
];

fn protocol() -> &'static Protocol {
    Protocol::builtin("session-records").expect("it is built in")
}

/// The rules that `check` can report of records.
fn rules() -> Vec<&'static Rule> {
    let left_out = |name: &str| RECONCILED.contains(&name) || OF_STREAMS.iter().any(|(rule, _)| *rule == name);
    protocol().rules().iter().filter(|rule| rule.basis != Basis::Upkeep && !left_out(&rule.name)).collect()
}

#[test]
fn every_rule_has_a_folder_with_two_cases() {
    let of_folders: BTreeSet<_> = entries(&root().join("invalid")).iter().map(|folder| name(folder)).collect();
    let of_folders: BTreeSet<_> =
        of_folders.iter().map(String::as_str).filter(|rule| !RECONCILED.contains(rule)).collect();
    let of_protocol: BTreeSet<_> = rules().iter().map(|rule| &*rule.name).collect();
    assert_eq!(of_protocol, of_folders, "one folder a rule, one rule a folder");
    let cases = cases();
    for rule in of_protocol {
        let count = cases.iter().filter(|case| case.rule.as_deref() == Some(rule)).count();
        assert!(count >= 2, "{rule} has at least two cases, and not {count}");
    }
}

/// The examples that `explain` shows: the first must break its rule and no other, the second none.
#[test]
fn every_example_does_what_it_says() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for rule in rules() {
        let example = protocol().example(&rule.name).unwrap_or_else(|| panic!("{} has an example", rule.name));
        let arguments: Vec<_> =
            ["--protocol", "session-records"].into_iter().chain(example.args.split_whitespace()).collect();
        let said = |text: &str| -> Vec<String> {
            // A name that reveals nothing, as a user who tries it may choose.
            let file = folder.path().join("example");
            fs::write(&file, example.bytes(text)).expect("writable");
            check(&arguments, &file).into_iter().map(|(_, _, rule, _)| rule).collect()
        };
        assert_eq!(said(&example.breaks), [rule.name.to_string()], "{} alone speaks", rule.name);
        assert_eq!(said(&example.keeps), [""; 0], "{} is kept", rule.name);
    }
}

/// The document's own examples are records of their kinds.
#[test]
fn the_documents_examples_are_valid() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut tried = 0;
    for (kind, schema) in protocol().schemas() {
        for example in schema["examples"].as_array().expect("there are examples") {
            let file = folder.path().join("example.json");
            fs::write(&file, example.to_string()).expect("writable");
            // A container without records in it has no kind.
            let kind = if ["session", "event", "session-action"].contains(&kind) { kind } else { "event" };
            assert_eq!(check(&["--kind", kind], &file), [], "{kind}: {example}");
            tried += 1;
        }
    }
    assert!(tried >= 6, "three kinds and three containers");
}

#[test]
fn what_is_left_out_here_is_a_rule_with_a_reason() {
    for (rule, reason) in OF_STREAMS {
        assert!(protocol().rule(rule).is_some() && !reason.is_empty(), "{rule}");
        assert!(!Path::new(&root().join("invalid").join(rule)).exists(), "{rule} has no folder");
    }
}

/// The library's checker judges records too, by their own rules.
#[test]
fn a_checker_judges_a_record_as_one() {
    let record = br#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"s1","agent_name":7}"#;
    let report = sessionlint::check(protocol(), record, sessionlint::Options::default());
    let rules: Vec<_> = report.findings.iter().map(|finding| &*finding.rule).collect();
    assert_eq!((rules, report.summary.records), (vec!["wrong-type"], 1));
}
