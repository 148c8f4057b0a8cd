//! `sessionlint lint` from outside: what is a fixture, where its findings stand, and what is expected of it.
//!
//! Every expectation is written by hand from what the program promises.

mod expectations;
mod hostile;
mod hygiene;
mod markdown;
#[path = "../cli/program.rs"]
#[allow(dead_code)]
mod program;
mod project;
mod sorting;
mod updates;
mod whatever;

use program::{Folder, text};
use serde_json::Value;

/// The document of `lint --format json`, and the exit code. The form of fixtures is tried by the tests of `fmt`.
fn linted(folder: &Folder, arguments: &str) -> (Value, i32) {
    let ran = folder.run(&format!("lint --rule not-canonical=off --format json {arguments}"));
    let document = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}{}", ran.out, ran.err));
    (document, ran.code)
}

/// The findings of a document: the file, the line, the column and the rule.
fn told(document: &Value) -> Vec<String> {
    let told = |finding: &Value| {
        let Value::Object(finding) = finding else { panic!("{finding} is a finding") };
        format!("{}:{}:{} {}", text(&finding["file"]), finding["line"], finding["column"], text(&finding["rule"]))
    };
    document["findings"].as_array().expect("findings").iter().map(told).collect()
}

/// How many of each kind were linted: streams, fragments, single events, records, and what was skipped.
fn kinds(document: &Value) -> [u64; 5] {
    let linted = &document["linted"];
    ["streams", "fragments", "single_events", "records", "skipped"].map(|kind| linted[kind].as_u64().expect("a number"))
}

/// How many findings were as expected.
fn as_expected(document: &Value) -> u64 {
    document["linted"]["expected"].as_u64().expect("a number")
}
