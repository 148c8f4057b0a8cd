//! The corpus: every valid stream is clean, and every broken one gives exactly the findings
//! written down for it by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sessionlint::{Basis, Checker, Options, Protocol, Report, Rule, Severity, Wire};

/// Returns the names of the built-in protocols of events; those of stored records are in tests/records.
fn of_events() -> impl Iterator<Item = &'static str> {
    Protocol::builtin_names().filter(|name| !protocol(name).is_of_records())
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn root(protocol: &str) -> PathBuf {
    corpus().join(protocol)
}

fn protocol(name: &str) -> &'static Protocol {
    Protocol::builtin(name).expect("the protocol is built in")
}

/// The rules that need recordings: the protocol's own, and those of the framing, which speak of every protocol alike, in the
/// first one alone. The rules of upkeep are about other files, and no schema of that one has objects of several forms, whose
/// member could have an unknown value (crates/core/tests/unions.rs has).
fn of_streams(protocol: &Protocol) -> impl Iterator<Item = &Rule> {
    let is_first = Protocol::builtin_names().next() == Some(protocol.name());
    let is_of_all = |name: &str| Protocol::builtin_names().all(|other| self::protocol(other).rule(name).is_some());
    let is_needed = move |rule: &&Rule| match rule.basis {
        Basis::Upkeep => false,
        _ if is_of_all(&rule.name) => is_first && &*rule.name != "unknown-value",
        _ => true,
    };
    protocol.rules().iter().filter(is_needed)
}

/// The rules that a recording can break.
fn of_recordings(protocol: &Protocol) -> impl Iterator<Item = &Rule> {
    protocol.rules().iter().filter(|rule| rule.basis != Basis::Upkeep)
}

/// Returns the files of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

/// Parses options such as `--max-line-bytes 200 --fragment`.
fn options(protocol: &Protocol, args: &str) -> Options {
    let mut options = Options::default();
    let mut words = args.split_whitespace();
    while let Some(word) = words.next() {
        if word == "--fragment" {
            options = options.with_fragment(true);
            continue;
        }
        let value = words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        let number = || value.parse().unwrap_or_else(|_| panic!("{value} is no number"));
        match word {
            "--max-line-bytes" => options = options.with_max_line_bytes(number()),
            "--max-text-bytes" => options = options.with_max_text_bytes(number()),
            "--max-streams" => options = options.with_max_streams(number()),
            "--wire" => {
                let wire = Wire::ALL.iter().find(|(name, _)| *name == value);
                options = options.with_wire(wire.unwrap_or_else(|| panic!("no wire {value}")).1);
            }
            "--rule" => {
                let (rule, severity) = value.split_once('=').unwrap_or_else(|| panic!("{value} is no setting"));
                let severity = match severity {
                    "error" => Some(Severity::Error),
                    "warning" => Some(Severity::Warning),
                    "note" => Some(Severity::Note),
                    "off" => None,
                    _ => panic!("no severity {severity}"),
                };
                options = options.with_rule(protocol, rule, severity).unwrap_or_else(|error| panic!("{error}"));
            }
            _ => panic!("unknown option {word}"),
        }
    }
    options
}

/// Checks a file as the program does, compressed or not.
fn check(protocol: &Protocol, bytes: &[u8], options: Options) -> Report {
    let mut checker = Checker::new(protocol, options);
    let mut reader = sessionlint::Decompressor::new(bytes).expect("memory can be read");
    let mut buffer = vec![0; 1000];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return checker.finish(),
            Ok(count) => checker.feed(&buffer[..count]),
            Err(sessionlint::ReadError::Damaged(cause)) => return checker.finish_damaged(&cause),
            Err(sessionlint::ReadError::Unreadable(error)) => panic!("{error}"),
        }
    }
}

/// Returns the findings that count, in the form of the expectations.
fn found(report: &Report, with_notes: bool) -> Vec<String> {
    let counts = |severity| with_notes || severity > Severity::Note;
    let findings = report.findings.iter().filter(|finding| counts(finding.severity));
    let mut lines: Vec<_> = findings.map(|finding| format!("{}\t{}", finding.place.line, finding.rule)).collect();
    lines.sort();
    lines
}

#[test]
fn every_built_in_protocol_has_a_folder_in_the_corpus_and_every_folder_a_protocol() {
    let known: BTreeSet<_> = Protocol::builtin_names().map(str::to_owned).collect();
    let name = |folder: &PathBuf| folder.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
    let folders: BTreeSet<_> = files(&corpus()).iter().map(name).collect();
    let protocols: Vec<_> = folders.difference(&known).collect();
    assert!(protocols.is_empty(), "corpus/ has folders for which no protocol is built in: {protocols:?}");
    let parts = ["README.md", "valid", "invalid"].map(Path::new);
    let needed = known.iter().flat_map(|protocol| parts.map(|part| Path::new("corpus").join(protocol).join(part)));
    let missing: Vec<_> = needed.filter(|part| !Path::new(env!("CARGO_MANIFEST_DIR")).join(part).exists()).collect();
    assert!(missing.is_empty(), "built-in protocols lack these parts of their corpus: {missing:?}");
}

#[test]
fn valid_streams_are_clean() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for name in of_events() {
        for file in files(&root(name).join("valid")) {
            let report = check(protocol(name), &fs::read(&file).expect("readable"), Options::default());
            checked += 1;
            for finding in &report.findings {
                wrong.push(format!("{}:{} {}: {}", file.display(), finding.place.line, finding.rule, finding.message));
            }
        }
    }
    // The number when this was written: none of them may get lost.
    assert!(checked >= 58, "the corpus has only {checked} valid streams");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn broken_streams_give_the_findings_that_were_written_down() {
    let mut wrong = Vec::new();
    for name in of_events() {
        for folder in files(&root(name).join("invalid")) {
            let rule = folder.file_name().and_then(|name| name.to_str()).expect("a rule's name").to_owned();
            let notes = protocol(name).rule(&rule).is_some_and(|rule| rule.severity == Some(Severity::Note));
            for file in files(&folder).iter().filter(|file| !ends_with(file, ".expected")) {
                let beside = format!("{}.expected", file.display());
                let expected = fs::read_to_string(&beside).unwrap_or_else(|error| panic!("{beside}: {error}"));
                let (args, expected) = match expected.strip_prefix("# args:") {
                    Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
                    None => ("", expected.as_str()),
                };
                let report = check(protocol(name), &fs::read(file).expect("readable"), options(protocol(name), args));
                let lines = expected.lines().filter(|line| !line.starts_with('#'));
                let mut expected: Vec<_> = lines.map(str::to_owned).collect();
                expected.sort();
                let found = found(&report, notes);
                if found != expected {
                    wrong.push(format!("{}\n  expected {expected:?}\n  found    {found:?}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Rules about containers of records are in no document.
const CONTAINERS: [&str; 3] = ["page", "transcript", "bundle"];

#[test]
fn every_rule_has_words_and_the_document_s_are_letter_by_letter() {
    for name in Protocol::builtin_names() {
        let protocol = protocol(name);
        let document = protocol.document().unwrap_or_else(|| panic!("schemas/{name}/document.md is missing"));
        let in_lines = document.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ");
        for rule in protocol.rules() {
            // A rule that is off must say that it can be switched on.
            assert!(rule.severity.is_some() || rule.means.contains("only on request"), "{} has a severity", rule.name);
            assert!(
                !rule.says.is_empty() && !rule.help.is_empty() && !rule.means.is_empty(),
                "{} has words",
                rule.name
            );
            let quoted = !rule.quotes.is_empty();
            assert_eq!(quoted, rule.basis == Basis::Document, "{} quotes if it rests on the document", rule.name);
            for quote in &rule.quotes {
                assert!(in_lines.contains(quote.as_str()), "{}: the document does not say {quote:?}", rule.name);
            }
        }
        for (event, schema) in protocol.schemas().filter(|(event, _)| !CONTAINERS.contains(event)) {
            for words in descriptions(schema) {
                assert!(document.contains(words), "{event}: the document does not say {words:?}");
            }
        }
    }
}

/// A finding about a field quotes its description, which must not be that of a field of the same name in another object.
#[test]
fn what_a_schema_says_of_a_field_is_said_of_the_object_that_has_it() {
    let mut compared = 0;
    for name in Protocol::builtin_names() {
        let document = protocol(name).document().expect("it has a document");
        let mut schemas: Vec<serde_json::Value> = protocol(name).schemas().map(|(_, schema)| schema.clone()).collect();
        while let Some(schema) = schemas.pop() {
            let fields = schema.get("properties").and_then(|fields| fields.as_object());
            let kind = schema.pointer("/properties/type/const").and_then(|kind| kind.as_str()).unwrap_or_default();
            let section = document.split_once(&format!("\n## {kind}\n")).map(|(_, rest)| rest);
            let section = section.and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
            for (field, of_field) in fields.into_iter().flatten() {
                let Some((_, words)) = section.split_once(&format!("\n- `{field}`: ")) else { continue };
                if let Some(description) = of_field.get("description").and_then(|words| words.as_str()) {
                    assert_eq!(words.lines().next(), Some(description), "{name}: {kind} {field}");
                    compared += 1;
                }
            }
            match schema {
                serde_json::Value::Object(inner) => schemas.extend(inner.into_iter().map(|(_, inner)| inner)),
                serde_json::Value::Array(inner) => schemas.extend(inner),
                _ => {}
            }
        }
    }
    assert!(compared > 100, "{compared} descriptions were compared");
}

/// `--rule`, `sessionlint.toml` and `explain` know a rule by its name alone, and a run has streams and stored records.
#[test]
fn a_name_stands_for_one_rule_in_a_run() {
    let own = |name: &'static str| {
        let rules = protocol(name).rules().iter();
        rules.filter(|rule| ![Basis::Framing, Basis::Schema, Basis::Upkeep].contains(&rule.basis))
    };
    for records in Protocol::builtin_names().filter(|name| protocol(name).is_of_records()) {
        for events in of_events() {
            for rule in own(events) {
                let other = own(records).find(|other| other.name == rule.name);
                assert!(other.is_none(), "{} is a rule of {events} ({}) and of {records}", rule.name, rule.means);
            }
        }
    }
}

#[test]
fn every_rule_has_a_folder_with_two_recordings() {
    for name in of_events() {
        let protocol = protocol(name);
        let folders: BTreeSet<_> = files(&root(name).join("invalid"))
            .iter()
            .filter_map(|folder| folder.file_name()?.to_str().map(str::to_owned))
            .collect();
        let rules: BTreeSet<_> = of_streams(protocol).map(|rule| rule.name.to_string()).collect();
        let all: BTreeSet<_> = of_recordings(protocol).map(|rule| rule.name.to_string()).collect();
        let (missing, unknown): (Vec<_>, Vec<_>) =
            (rules.difference(&folders).collect(), folders.difference(&all).collect());
        assert!(missing.is_empty(), "corpus/{name}/invalid/ has no folder for the rules {missing:?}");
        assert!(unknown.is_empty(), "corpus/{name}/invalid/ has folders for which there is no rule: {unknown:?}");
        for rule in folders {
            let inputs = files(&root(name).join("invalid").join(&rule));
            let inputs = inputs.iter().filter(|file| !ends_with(file, ".expected")).count();
            assert!(inputs >= 2, "corpus/{name}/invalid/{rule}/ has {inputs} inputs, and needs two");
        }
    }
}

/// The examples that `explain` shows: the first must break its rule and no other, the second none.
#[test]
fn every_example_does_what_it_says() {
    for name in of_events() {
        let protocol = protocol(name);
        let lacks = of_streams(protocol).filter(|rule| protocol.example(&rule.name).is_none());
        let missing: Vec<_> = lacks.map(|rule| &*rule.name).collect();
        assert!(missing.is_empty(), "schemas/{name}/examples.toml has no examples of {missing:?}");
        for (rule, example) in of_recordings(protocol).filter_map(|rule| Some((rule, protocol.example(&rule.name)?))) {
            let said = |text: &str| {
                let report = check(protocol, &example.bytes(text), options(protocol, &example.args));
                report.findings.iter().map(|finding| finding.rule.to_string()).collect::<Vec<_>>()
            };
            assert_eq!(said(&example.breaks), [rule.name.to_string()], "{name}: `breaks` of {}", rule.name);
            assert_eq!(said(&example.keeps), [""; 0], "{name}: `keeps` of {}", rule.name);
        }
    }
}

/// The document's own examples are valid events.
#[test]
fn the_documents_examples_fit_the_schemas() {
    for name in of_events() {
        for (event, schema) in protocol(name).schemas() {
            let examples = schema["examples"].as_array().map_or(&[][..], Vec::as_slice);
            assert!(!examples.is_empty(), "{name}/{event}.schema.json has no `examples`");
            for example in examples {
                let options = Options::default().with_fragment(true);
                let report = sessionlint::check(protocol(name), example.to_string().as_bytes(), options);
                assert_eq!(report.findings, [], "{event}");
            }
        }
    }
}

fn descriptions(schema: &serde_json::Value) -> Vec<&str> {
    let mut found: Vec<&str> = schema.get("description").and_then(|words| words.as_str()).into_iter().collect();
    for key in ["properties", "items"] {
        match (key, schema.get(key)) {
            ("properties", Some(fields)) => {
                found.extend(fields.as_object().into_iter().flatten().flat_map(|(_, field)| descriptions(field)));
            }
            (_, Some(items)) => found.extend(descriptions(items)),
            _ => {}
        }
    }
    found
}

fn ends_with(file: &Path, ending: &str) -> bool {
    file.to_string_lossy().ends_with(ending)
}
