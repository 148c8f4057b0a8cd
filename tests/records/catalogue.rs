//! Every rule has a folder in the corpus and an example that breaks it alone, and quotes the document literally.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sessionlint::{Basis, Protocol, Rule};

use super::{cases, check, entries, name, protocols, root};

/// Rules of the framing that are about streams, or about something that only streams can have.
const OF_STREAMS: [(&str, &str); 9] = [
    ("not-an-event", "what is no object is of the wrong type"),
    ("repeated-events", "records have duplicate-session, and no order"),
    ("wrapped-events", "records stand in containers, which a protocol of records names"),
    ("misspelt-event", "records have kinds, and not types"),
    ("event-name-mismatch", "records have no event types"),
    ("mixed-protocols", "records have kinds, and no event type tells their protocol"),
    ("unknown-event", "records have kinds, and unknown-kind for what is of none"),
    ("unknown-value", "no record has one of several forms that a member tells apart"),
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

/// Returns the rules of a protocol that `check` can report of records.
fn rules(protocol: &'static Protocol) -> Vec<&'static Rule> {
    let left_out = |name: &str| RECONCILED.contains(&name) || OF_STREAMS.iter().any(|(rule, _)| *rule == name);
    protocol.rules().iter().filter(|rule| rule.basis != Basis::Upkeep && !left_out(&rule.name)).collect()
}

#[test]
fn every_rule_has_a_folder_with_two_cases() {
    for protocol in protocols() {
        let of = protocol.name();
        let folders = entries(&root(protocol).join("invalid")).into_iter().map(|folder| name(&folder));
        let folders: BTreeSet<_> = folders.filter(|rule| !RECONCILED.contains(&rule.as_str())).collect();
        let rules: BTreeSet<_> = rules(protocol).iter().map(|rule| rule.name.to_string()).collect();
        let missing: Vec<_> = rules.difference(&folders).collect();
        assert!(missing.is_empty(), "corpus/{of}/invalid/ has no folder for the rules {missing:?}");
        let unknown: Vec<_> = folders.difference(&rules).collect();
        assert!(unknown.is_empty(), "corpus/{of}/invalid/ has folders for which there is no rule: {unknown:?}");
        let cases = cases(protocol);
        for rule in rules {
            let count = cases.iter().filter(|case| case.rule.as_ref() == Some(&rule)).count();
            assert!(count >= 2, "corpus/{of}/invalid/{rule}/ has {count} cases, and needs two");
        }
    }
}

/// The examples that `explain` shows: the first must break its rule and no other, the second none.
#[test]
fn every_example_does_what_it_says() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (protocol, rule) in protocols().into_iter().flat_map(|one| rules(one).into_iter().map(move |rule| (one, rule)))
    {
        let of = protocol.name();
        let example = protocol.example(&rule.name);
        let example = example.unwrap_or_else(|| panic!("{of}/examples.toml has no example of {}", rule.name));
        let arguments: Vec<_> = ["--protocol", of].into_iter().chain(example.args.split_whitespace()).collect();
        let said = |text: &str| -> Vec<String> {
            // A name that reveals nothing, as a user who tries it may choose.
            let file = folder.path().join("example");
            fs::write(&file, example.bytes(text)).expect("writable");
            check(&arguments, &file).into_iter().map(|(_, _, rule, _)| rule).collect()
        };
        assert_eq!(said(&example.breaks), [rule.name.to_string()], "{of}: `breaks` of {}", rule.name);
        assert_eq!(said(&example.keeps), [""; 0], "{of}: `keeps` of {}", rule.name);
    }
}

/// The document's own examples are records of their kinds.
#[test]
fn the_documents_examples_are_valid() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for protocol in protocols() {
        let of = protocol.name();
        let kinds: Vec<_> = protocol.kinds().map(|(_, name)| name).collect();
        for (name, schema) in protocol.schemas() {
            let examples = schema["examples"].as_array().map_or(&[][..], Vec::as_slice);
            assert!(!examples.is_empty(), "{of}/{name}.schema.json has no `examples`");
            for example in examples {
                let file = folder.path().join("example.json");
                fs::write(&file, example.to_string()).expect("writable");
                // A container without records in it has no kind.
                let kind = if kinds.contains(&name) { name } else { kinds[0] };
                assert_eq!(check(&["--protocol", of, "--kind", kind], &file), [], "{of}/{name}: {example}");
            }
        }
    }
}

#[test]
fn what_is_left_out_here_is_a_rule_with_a_reason() {
    for (protocol, (rule, reason)) in protocols().into_iter().flat_map(|one| OF_STREAMS.map(|rule| (one, rule))) {
        assert!(protocol.rule(rule).is_some() && !reason.is_empty(), "{rule}");
        assert!(!root(protocol).join("invalid").join(rule).exists(), "{rule} has no folder");
    }
}

/// A field that one kind alone has tells the kind, and no other field does.
#[test]
fn the_fields_that_tell_a_kind_are_those_that_it_alone_has() {
    for protocol in protocols() {
        let schemas: BTreeMap<_, _> = protocol.schemas().collect();
        let fields = |kind: &str| -> BTreeSet<&str> {
            schemas[kind]["properties"].as_object().expect("fields").keys().map(String::as_str).collect()
        };
        let kinds = &protocol.tables().records.as_ref().expect("kinds").kinds;
        let name = |id: usize| &*protocol.tables().events[id].name;
        for kind in kinds {
            let others = kinds.iter().filter(|other| other.id != kind.id);
            let others: BTreeSet<_> = others.flat_map(|other| fields(name(other.id))).collect();
            let own: BTreeSet<_> = fields(name(kind.id)).difference(&others).copied().collect();
            let telling: BTreeSet<_> = kind.telling.iter().map(String::as_str).collect();
            assert_eq!(telling, own, "{}: `telling` of {}", protocol.name(), name(kind.id));
        }
    }
}

/// The library's checker judges records too, by their own rules.
#[test]
fn a_checker_judges_a_record_as_one() {
    let record = br#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"s1","agent_name":7}"#;
    let protocol = Protocol::builtin("session-records").expect("it is built in");
    let report = sessionlint::check(protocol, record, sessionlint::Options::default());
    let rules: Vec<_> = report.findings.iter().map(|finding| &*finding.rule).collect();
    assert_eq!((rules, report.summary.records), (vec!["wrong-type"], 1));
}
