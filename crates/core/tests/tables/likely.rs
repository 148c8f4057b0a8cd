//! `likely`: the instance that was probably meant by an event whose key no instance has.

use sessionlint_core::{Options, check};

use super::Folder;

const EVENTS: &[(&str, &str, &[&str])] = &[
    ("opened", r#""job":{"type":"string"}"#, &["job"]),
    ("output", r#""job":{"type":"string"},"step":{"type":"string"},"at":{"type":"integer"}"#, &["job"]),
    ("closed", r#""job":{"type":"string"}"#, &["job"]),
    ("step", r#""job":{"type":"string"},"step":{"type":"string"}"#, &["job", "step"]),
    ("ended", "", &[]),
];
const RULES: &[&str] = &["reused", "closed-already", "left-open", "no-step", "gap"];

/// Jobs, with this cell for output of a job that was never opened, and what is within a job.
fn jobs(cell: &str, inner: &str) -> Folder {
    let tables = format!(
        r#"
        [[lifecycle]]
        name = "session"
        states = ["open"]
        [[lifecycle.row]]
        on = "*"
        cell.open = "="

        [[lifecycle]]
        name = "job"
        within = "session"
        keyed = "parent"
        states = ["absent", "open", "closed"]
        opens = "open"
        [[lifecycle.row]]
        on = "opened"
        key = "/job"
        cell.absent = "open"
        cell.else = {{ rule = "reused" }}
        [[lifecycle.row]]
        on = ["output", "step"]
        key = "/job"
        cell.absent = {cell}
        cell.open = "="
        cell.closed = {{ rule = "closed-already" }}
        [[lifecycle.row]]
        on = "closed"
        key = "/job"
        cell.absent = {{ rule = "unknown-job", to = "closed" }}
        cell.open = "closed"
        cell.closed = {{ rule = "closed-already" }}
        [[lifecycle.row]]
        on = "ended"
        cell.open = {{ rule = "left-open", to = "closed" }}
        cell.else = "="
        {inner}
        [rule.unknown-job]
        severity = "error"
        basis = "framing"
        says = "{{key}} was never opened"
        help = "open it"
        likely = {{ says = "{{other}} was meant, not {{key}}", help = "write its name" }}
        "#
    );
    // The rules of what is within are there only if it is.
    let rules = if inner.is_empty() { &RULES[..3] } else { RULES };
    Folder { tables: tables.leak(), events: EVENTS, rules }
}

const INNER: &str = r#"
    [[lifecycle]]
    name = "step"
    within = "job"
    keyed = "parent"
    states = ["absent", "begun"]
    [[lifecycle.row]]
    on = "step"
    key = ["/job", "/step"]
    cell.else = "begun"
    [[lifecycle.row]]
    on = "output"
    key = ["/job", "/step"]
    cell.absent = { rule = "no-step" }
    cell.begun = "="

    [[series]]
    values = [{ on = "output", at = "/at" }]
    key = "/job"
    within = "job"
    step = 1
    from = 0
    rule = "gap"
"#;

const CELLS: &[&str] = &[
    r#"{ rule = "unknown-job" }"#,
    r#"{ rule = "unknown-job", to = "open" }"#,
    r#"{ rule = "unknown-job", to = "closed" }"#,
];

#[track_caller]
fn said(folder: &Folder, lines: &[&str]) -> Vec<(u64, String)> {
    let report = check(&folder.load(), lines.join("\n").as_bytes(), Options::default());
    report.findings.into_iter().map(|found| (found.place.line, found.message.to_string())).collect()
}

#[track_caller]
fn says(folder: &Folder, lines: &[&str], expected: &[(u64, &str)]) {
    let found = said(folder, lines);
    let found: Vec<_> = found.iter().map(|(line, message)| (*line, message.as_str())).collect();
    assert_eq!(found, expected, "{lines:#?}");
}

#[test]
fn the_instance_that_the_event_itself_opens_is_not_the_one_that_was_meant() {
    let folder = jobs(r#"{ rule = "unknown-job", to = "open" }"#, "");
    says(&folder, &[r#"{"type":"output","job":"A"}"#], &[(1, "\"A\" was never opened")]);
    let lines = [r#"{"type":"opened","job":"a"}"#, r#"{"type":"output","job":"A"}"#];
    says(&folder, &lines, &[(2, "\"a\" was meant, not \"A\"")]);
}

#[test]
fn of_two_instances_that_may_be_meant_none_is() {
    let opened = [r#"{"type":"opened","job":"a"}"#, r#"{"type":"opened","job":"b"}"#];
    for cell in CELLS {
        let lines = [opened[0], opened[1], r#"{"type":"output","job":"A"}"#];
        says(&jobs(cell, ""), &lines, &[(3, "\"A\" was never opened")]);
    }
}

/// Wherever the cell leads, the instance that was probably meant has done nothing wrong.
#[test]
fn what_follows_about_the_instance_that_was_meant_is_no_mistake() {
    let begins = [r#"{"type":"opened","job":"a"}"#, r#"{"type":"output","job":"A"}"#];
    for cell in CELLS {
        for next in ["output", "closed"] {
            let next = format!(r#"{{"type":"{next}","job":"a"}}"#);
            says(&jobs(cell, ""), &[begins[0], begins[1], &next], &[(2, "\"a\" was meant, not \"A\"")]);
        }
        // That its own end is missing may be because of the wrong key, too.
        let lines = [begins[0], begins[1], r#"{"type":"closed","job":"A"}"#, r#"{"type":"ended"}"#];
        let found = said(&jobs(cell, ""), &lines);
        assert!(found.iter().all(|(line, _)| *line < 4), "{cell}: {found:?}");
    }
}

/// An instance is judged again once it has opened for certain, and so are all others at all times.
#[test]
fn only_the_instance_that_was_meant_is_unsure() {
    let lines = [
        r#"{"type":"opened","job":"a"}"#,
        r#"{"type":"output","job":"A"}"#,
        r#"{"type":"opened","job":"b"}"#,
        r#"{"type":"closed","job":"b"}"#,
        r#"{"type":"output","job":"b"}"#,
    ];
    for cell in [CELLS[0], CELLS[2]] {
        says(&jobs(cell, ""), &lines, &[(2, "\"a\" was meant, not \"A\""), (5, "closed-already")]);
    }
}

/// The event may have begun something in the instance, and had its next number.
#[test]
fn what_is_within_the_instance_that_was_meant_is_unsure() {
    for cell in CELLS {
        let folder = jobs(cell, INNER);
        let lines = [
            r#"{"type":"opened","job":"a"}"#,
            r#"{"type":"step","job":"A","step":"s"}"#,
            r#"{"type":"output","job":"a","step":"s"}"#,
        ];
        says(&folder, &lines, &[(2, "\"a\" was meant, not \"A\"")]);
        let lines = [
            r#"{"type":"opened","job":"a"}"#,
            r#"{"type":"output","job":"a","at":0}"#,
            r#"{"type":"output","job":"A","at":1}"#,
            r#"{"type":"output","job":"a","at":2}"#,
        ];
        says(&folder, &lines, &[(3, "\"a\" was meant, not \"A\"")]);
        // Without a mistake before it, each is one.
        let lines = [
            r#"{"type":"opened","job":"a"}"#,
            r#"{"type":"output","job":"a","step":"s","at":0}"#,
            r#"{"type":"output","job":"a","at":2}"#,
        ];
        says(&folder, &lines, &[(2, "no-step"), (3, "gap")]);
    }
}
