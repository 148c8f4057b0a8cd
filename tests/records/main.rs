//! Stored records: the corpus of every built-in protocol of them, as the README.md of `session-records` says, and the
//! catalogue of its rules.
//!
//! Records that belong together may be in several files, so they are judged by the program, not by a `Checker`.

#[path = "../built_program/mod.rs"]
mod built_program;
mod catalogue;
mod corpus;

use std::fs;
use std::path::{Path, PathBuf};

use built_program::built_program;
use serde_json::Value;
use sessionlint::Protocol;

/// A file or a folder that is checked on its own.
struct Case {
    protocol: &'static Protocol,
    path: PathBuf,
    /// The rule that the case's folder is named after, in the corpus's `invalid/`.
    rule: Option<String>,
}

/// A finding: the file's name, the line, the rule and the severity.
type Found = (String, u64, String, String);

/// Returns the built-in protocols of stored records; those of events are in tests/corpus.rs.
fn protocols() -> Vec<&'static Protocol> {
    let all = Protocol::builtin_names().map(|name| Protocol::builtin(name).expect("it is built in"));
    all.filter(|protocol| protocol.is_of_records()).collect()
}

fn root(protocol: &Protocol) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(protocol.name())
}

/// Returns the entries of a folder, in order.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().expect("it has a name").to_str().expect("UTF-8").to_owned()
}

/// Returns whether a folder holds a recorded stream; it is then for `sessionlint reconcile`, and tested with it.
fn is_reconciled(path: &Path) -> bool {
    path.is_dir() && entries(path).iter().any(|file| name(file).starts_with("stream."))
}

/// Returns whether a file has the expectations of the one beside it.
fn is_expectation(path: &Path) -> bool {
    name(path).ends_with(".expected")
}

/// Returns every case of a protocol that `check` judges, in the order of their paths.
fn cases(protocol: &'static Protocol) -> Vec<Case> {
    let in_folder = |folder: &Path, rule: Option<&str>| -> Vec<Case> {
        let is_case = |path: &PathBuf| !is_expectation(path) && !is_reconciled(path);
        let case = |path| Case { protocol, path, rule: rule.map(str::to_owned) };
        entries(folder).into_iter().filter(is_case).map(case).collect()
    };
    let mut cases = in_folder(&root(protocol).join("valid"), None);
    for folder in entries(&root(protocol).join("invalid")) {
        cases.extend(in_folder(&folder, Some(&name(&folder))));
    }
    cases
}

impl Case {
    /// Returns the expectations of the case's files: their names and the texts.
    fn expectations(&self) -> Vec<(String, String)> {
        let files = match self.path.is_dir() {
            true => entries(&self.path).into_iter().filter(|file| is_expectation(file)).collect(),
            false => vec![self.path.with_file_name(format!("{}.expected", name(&self.path)))],
        };
        let files = files.into_iter().filter(|file| file.exists());
        let read = |file: PathBuf| (name(&file).replace(".expected", ""), fs::read_to_string(file).expect("readable"));
        files.map(read).collect()
    }

    /// Returns the case's options, without the protocol, which the tests set themselves.
    fn options(&self) -> Vec<String> {
        let texts = self.expectations().into_iter().map(|(_, text)| text);
        let protocol = format!("--protocol {}", self.protocol.name());
        let args = texts.filter_map(|text| Some(text.strip_prefix("# args:")?.lines().next()?.to_owned()));
        let args: Vec<_> = args.map(|args| args.replace(&protocol, "")).collect();
        args.iter().flat_map(|args| args.split_whitespace()).map(str::to_owned).collect()
    }

    /// Returns the findings written down for the case; none if it is valid.
    fn expected(&self) -> Vec<String> {
        let expectations = self.expectations();
        assert!(self.rule.is_none() || !expectations.is_empty(), "{}: something is expected", self.path.display());
        let of_file = |(file, text): (String, String)| {
            let lines = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned);
            let in_folder = self.path.is_dir();
            lines.map(move |line| if in_folder { format!("{file}\t{line}") } else { line }).collect::<Vec<_>>()
        };
        let mut lines: Vec<_> = expectations.into_iter().flat_map(of_file).collect();
        assert!(
            self.rule.is_some() || lines.is_empty(),
            "{}: of what is valid nothing is expected",
            self.path.display()
        );
        lines.sort();
        lines
    }

    /// Returns the case's findings in the form of the expectations.
    fn found(&self, more: &[&str], with_notes: bool) -> Vec<String> {
        let options = self.options();
        let arguments: Vec<_> = options.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let found = check(&arguments, &self.path);
        let counts = |found: &&Found| with_notes || found.3 != "note";
        let line = |(file, line, rule, _): &Found| match self.path.is_dir() {
            true => format!("{file}\t{line}\t{rule}"),
            false => format!("{line}\t{rule}"),
        };
        let mut lines: Vec<_> = found.iter().filter(counts).map(line).collect();
        lines.sort();
        lines
    }
}

/// Returns the findings of `sessionlint check`.
fn check(arguments: &[&str], path: &Path) -> Vec<Found> {
    let output = built_program()
        .args(["check", "--no-config", "--format", "jsonl"])
        .args(arguments)
        .arg(path)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.is_empty() || said.starts_with("sessionlint: nothing was checked: "),
        "{} with {arguments:?}: {said}",
        path.display()
    );
    let found = |line: &str| {
        let finding: Value = serde_json::from_str(line).expect("JSON");
        let text = |key: &str| finding[key].as_str().expect("a string").to_owned();
        let file = name(Path::new(&text("file")));
        (file, finding["line"].as_u64().expect("a number"), text("rule"), text("severity"))
    };
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // The last line of a run that is not complete says so.
    text.lines().filter(|line| !line.starts_with("{\"complete\"")).map(found).collect()
}
