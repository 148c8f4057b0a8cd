//! The output of `--format short`: one line per finding, and the counts.

use super::program::{CLEAN, ERROR, Folder, NOTE, event};

#[test]
fn a_finding_is_one_line_with_its_place_first() {
    // Before the value of `pending` there are 98 characters, and a note is about the key behind the label.
    let folder = Folder::with(&[("a.ndjson", &[CLEAN, ERROR, "{broken\n"].concat()), ("b.ndjson", NOTE)]);
    let ran = folder.run("check --format short a.ndjson b.ndjson");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let lines: Vec<_> = ran.out.lines().collect();
    let wrong_type = "`payload.pending` must be a boolean, but is the string \"no\"";
    assert_eq!(lines[0], format!("a.ndjson:2:99: error[wrong-type]: {wrong_type} (stream s)"));
    // What is no event belongs to no stream.
    assert!(lines[1].starts_with("a.ndjson:3:2: error[invalid-json]: "), "{}", ran.out);
    assert!(!lines[1].contains("(stream"), "{}", ran.out);
    assert!(lines[2].starts_with("b.ndjson:1:127: note[unknown-field]: "), "{}", ran.out);
    assert_eq!(lines[3], "2 files, 3 events, 2 streams: 2 errors, 0 warnings, 1 note; checked against session-events.");
}

#[test]
fn nothing_folds_and_quiet_leaves_only_the_lines() {
    let folder = Folder::with(&[("a", &ERROR.repeat(30)), ("clean", CLEAN)]);
    let quiet = folder.run("check --format short -q a").out;
    assert_eq!(quiet.lines().filter(|line| line.contains(": error[wrong-type]: ")).count(), 30);
    assert_eq!(quiet.lines().count(), 30);
    assert_eq!(folder.run("check --format short -q clean").out, "");
    assert_eq!(
        folder.run("check --format short clean").out,
        "1 file, 1 event, 1 stream: 0 errors, 0 warnings, 0 notes; checked against session-events.\n"
    );
}

#[test]
fn the_counts_say_what_is_not_shown_and_what_was_not_checked() {
    let folder = Folder::with(&[("r/a.ndjson", &ERROR.repeat(3)), ("r/evals.jsonl", "{\"input\":1}\n")]);
    let ran = folder.run("check --format short --max-findings 1 r missing");
    let (first, rest) = ran.out.split_once('\n').expect("several lines");
    assert!(first.starts_with("r/a.ndjson:1:99: error[wrong-type]: "), "{first}");
    assert!(rest.starts_with("2 more findings not shown (--max-findings).\n1 file, "), "{rest}");
    assert!(rest.contains("; 1 input could not be checked.\n"), "{rest}");
    assert!(rest.contains("Not everything was checked: ") && rest.contains("\n  r/evals.jsonl: "), "{rest}");
}

#[test]
fn an_id_of_many_lines_stays_on_the_line() {
    let folder = Folder::with(&[("a", &ERROR.replace(r#""session_id":"s""#, r#""session_id":"s\n\u001b[31m""#))]);
    let out = folder.run("check -q --format short a").out;
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.ends_with("(stream s␊␛[31m)\n"), "{out}");
    folder.write("b", CLEAN.to_owned() + &event("session.\u{202e}x\\n", "{}"));
    let out = folder.run("check -q --format short b").out;
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(!out.contains('\u{202e}'), "{out}");
}
