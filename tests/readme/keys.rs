//! Every key of the JSON documents is documented, and every documented key exists.

use std::collections::BTreeSet;

use serde_json::Value;

use super::page::{first_column, page};
use super::program::{Example, run};

fn document(command: &str) -> Value {
    let example = Example::both();
    // A file without anything of the protocol, and a stored record of the session in the recordings.
    example.write("evals.jsonl", "{\"input\": 1}");
    example
        .write("bodies.har", r#"{"log":{"entries":[{"request":{},"response":{"content":{"text":"data: {\"type\":\"session.status\"}\n\n"}}}]}}"#);
    example.write("records.jsonl", r#"{"session_id":"s1","transcription":[],"actions":[]}"#);
    let (document, _) = run(example.path(), command);
    serde_json::from_str(&document).unwrap_or_else(|error| panic!("{command}: {error}\n{document}"))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().cloned().collect()
}

fn assert_all_documented(of: &str, value: &Value, documented: &BTreeSet<String>) {
    for key in keys(value) {
        assert!(documented.contains(&key), "{of} has `{key}`");
    }
}

#[test]
fn the_keys_of_findings_and_summary_are_those_of_the_document() {
    let formats = page("docs/formats.md");
    let document = document("check --format json --stats session.ndjson");
    let finding = &document["findings"][0];
    assert_eq!(first_column(&formats.section("Findings")), keys(finding));
    assert_eq!(first_column(&formats.section("Summary")), keys(&document["summary"]));

    let sentence = formats.section("Findings");
    let (_, sentence) = sentence.split_once("Each of the `related` places has").expect("what related places have");
    let named = sentence.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(named, keys(&finding["related"][0]));
}

#[test]
fn the_keys_of_what_was_not_checked_are_those_of_the_document() {
    let formats = page("docs/formats.md");
    let document = document("check --format json .");
    let documented = first_column(&formats.section("What was not checked"));
    assert_eq!(documented, keys(&document["incomplete"][0]), "{document}");
    assert!(formats.quoted().is_superset(&keys(&document)), "{document}");
}

#[test]
fn what_some_runs_add_is_documented() {
    let formats = page("docs/formats.md");
    let added = formats.section("What some runs add");
    let mut expected = BTreeSet::new();
    for (command, key) in [
        ("check --format json .", "left_out"),
        ("check --format json --stats session.ndjson", "stats"),
        ("check --format json --only unknown-field session.ndjson", "unselected"),
        ("check --format json bodies.har", "bodies"),
        ("check --format json session.ndjson", "protocols"),
        ("lint --format json good.ndjson", "linted"),
        ("reconcile session.ndjson --records records.jsonl --format json", "reconciled"),
    ] {
        let document = document(command);
        assert_all_documented(command, &document, &formats.quoted());
        assert_all_documented("tool", &document["tool"], &formats.quoted());
        let row = added.lines().find(|line| line.starts_with(&format!("| `{key}`")));
        let row = row.unwrap_or_else(|| panic!("{key} is not documented"));
        let named: BTreeSet<_> = row.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let value = &document[key];
        let value = value.as_array().map_or(value, |each| &each[0]);
        if !value.is_number() {
            assert_all_documented(key, value, &named);
        }
        expected.insert(key.to_owned());
    }
    assert_eq!(first_column(&added), expected);
}

#[test]
fn the_keys_of_coverage_are_those_of_the_document() {
    let coverage = page("docs/coverage.md");
    let section = coverage.section("The JSON document");
    let named: BTreeSet<_> = section.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let document = document("coverage --format json session.ndjson");
    assert_all_documented("the document", &document, &named);
    let groups = first_column(&section);
    for group in &groups {
        assert_all_documented(group, &document[group][0], &named);
    }
    // The cells are in two groups.
    let moves = ["legal_moves", "broken_moves"].map(str::to_owned);
    let all = groups.into_iter().filter(|group| group != "cells").chain(moves).collect();
    assert_eq!(keys(&document["coverage"]), all);
    assert_all_documented("coverage", &document["coverage"], &named);
    assert_all_documented("coverage", &document["coverage"]["legal_moves"], &named);
    let fields = document["fields"].as_array().expect("a list");
    let value = fields.iter().find_map(|field| field["values"].get(0)).expect("a field with values");
    assert_all_documented("values", value, &named);
}
