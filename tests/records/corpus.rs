//! Every valid case is clean, and every broken one gives exactly the findings written down for it by hand.

use sessionlint::{Protocol, Severity};

use super::{Case, cases, name, protocols};

/// The cases that need `--protocol session-records`: their beginning does not show that they hold records, and an input
/// that may be either is judged as a stream.
const DOES_NOT_TELL: [(&str, &str); 11] = [
    ("python-printed-it.ndjson", "what is no JSON has no keys"),
    (
        "event-empty-object.json",
        "an object without keys tells nothing, and its file's name goes with a timestamp alone",
    ),
    ("array-that-does-not-tell.json", "its fields are those of two kinds, and so is its name"),
    ("empty-object.json", "an object without keys"),
    ("events-fields-without-data.sse", "server-sent events are how streams are sent"),
    ("sessions-comments-alone.sse", "server-sent events are how streams are sent"),
    ("last-record-without-its-blank-line.sse", "server-sent events are how streams are sent"),
    ("last-record-without-a-line-feed.sse", "server-sent events are how streams are sent"),
    ("a-record-behind-the-marker.sse", "server-sent events are how streams are sent"),
    ("all-records-behind-the-marker.sse", "server-sent events are how streams are sent"),
    ("only-what-two-kinds-share.json", "its fields are those of two kinds, and so is its name"),
];

/// Returns the cases of the protocol whose records are found without `--protocol`.
fn session_records() -> Vec<Case> {
    cases(Protocol::builtin("session-records").expect("it is built in"))
}

/// Returns what is wrong with each case, judged with these arguments.
fn wrong(cases: &[Case], arguments: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases {
        let of_notes =
            |rule: &String| case.protocol.rule(rule).is_some_and(|rule| rule.severity == Some(Severity::Note));
        // A valid case has no notes either.
        let found = case.found(arguments, case.rule.as_ref().is_none_or(of_notes));
        let expected = case.expected();
        if found != expected {
            wrong.push(format!("{}\n  expected {expected:?}\n  found    {found:?}", case.path.display()));
        }
    }
    wrong
}

#[test]
fn every_case_gives_the_findings_that_were_written_down() {
    for protocol in protocols() {
        let wrong = wrong(&cases(protocol), &["--protocol", protocol.name()]);
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}

#[test]
fn the_corpus_of_session_records_is_here() {
    let cases = session_records();
    assert!(cases.len() > 130, "{}", cases.len());
    assert!(cases.iter().any(|case| case.path.is_dir()), "with its folders");
}

#[test]
fn records_are_known_without_being_told_where_their_beginning_tells() {
    let tells = |case: &Case| !DOES_NOT_TELL.iter().any(|(file, _)| *file == name(&case.path));
    let (telling, others): (Vec<_>, Vec<_>) = session_records().into_iter().partition(tells);
    assert_eq!(others.len(), DOES_NOT_TELL.len(), "each of them is a case");
    let wrong = wrong(&telling, &[]);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// An input whose beginning does not show what it is must not pass silently.
#[test]
fn what_does_not_tell_is_judged_as_a_stream() {
    for case in session_records().iter().filter(|case| DOES_NOT_TELL.iter().any(|(file, _)| *file == name(&case.path)))
    {
        let found = case.found(&[], true);
        assert!(!found.is_empty(), "{}", case.path.display());
        assert!(found.iter().all(|line| !line.ends_with("unknown-kind")), "{}: {found:?}", case.path.display());
    }
}
