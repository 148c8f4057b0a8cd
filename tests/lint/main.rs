//! `sessionlint lint` from outside: which files are fixtures, where their findings are, and what is expected of them.
//!
//! Every expectation is written by hand from the program's documented behaviour.

#[path = "../built_program/mod.rs"]
mod built_program;
#[path = "../every_format/mod.rs"]
mod every_format;
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

/// Returns the document of `lint --format json`, and the exit code. Canonical form is tested with `fmt`.
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

/// Returns how many of each kind were linted: streams, fragments, single events, records, and skipped ones.
fn kinds(document: &Value) -> [u64; 5] {
    let linted = &document["linted"];
    ["streams", "fragments", "single_events", "records", "skipped"].map(|kind| linted[kind].as_u64().expect("a number"))
}

/// Returns the number of findings that were expected.
fn as_expected(document: &Value) -> u64 {
    document["linted"]["expected"].as_u64().expect("a number")
}
