//! `--only`, `--stream` and `--statistics`: what counts, and what is said of the rest.

use serde_json::{Value, json};

use super::program::{CLEAN, ERROR, Folder, NOTE, WARNING, counts, rules, statuses};

fn of(line: &str, stream: &str) -> String {
    line.replace(r#""session_id":"s""#, &format!(r#""session_id":"{stream}""#))
}

#[test]
fn only_findings_of_the_rule_count_and_the_rest_is_said() {
    let folder = Folder::with(&[("a", &[ERROR, WARNING, NOTE].concat()), ("b", &statuses(NOTE, 3))]);
    let ran = folder.run("check --format short --only label-contradicts-pending a b");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "the error does not count");
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.out);
    assert!(lines[0].starts_with("a:2:120: warning[label-contradicts-pending]: "), "{}", lines[0]);
    // One error, and four notes, of which two repeat another one.
    let summary = "2 files, 6 events, 2 streams: 0 errors, 1 warning, 0 notes; checked against session-events; 5 other findings are not counted (--only).";
    assert_eq!(lines[1], summary);
    assert!(folder.run("check --only label-contradicts-pending a b").out.ends_with(&format!("{summary}\n")));

    let several = folder.json("--only wrong-type --only unknown-field a b");
    assert_eq!(rules(&several), ["wrong-type", "unknown-field", "unknown-field"]);
    assert_eq!((counts(&several), &several["unselected"]), ([1, 0, 4], &json!(1)));
    assert_eq!(several["summary"]["by_rule"], json!({"wrong-type": 1, "unknown-field": 4}));
    assert_eq!(folder.json("--only wrong-type,unknown-field a b"), several, "a list says the same");
    assert_eq!(folder.json("a b")["unselected"], Value::Null, "there is no such key without the option");
    assert_eq!(folder.run("check --only wrong-type a b").code, 1);
    assert_eq!(folder.run("check --only unknown-field --fail-on note a b").code, 1);
}

#[test]
fn only_refuses_a_rule_that_does_not_exist() {
    let folder = Folder::with(&[("a", CLEAN)]);
    let ran = folder.run("check --only wrong-typ a");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: there is no rule wrong-typ; did you mean wrong-type?\n");
}

#[test]
fn only_findings_of_the_stream_count_and_everything_is_judged() {
    let folder = Folder::with(&[("a", &[of(ERROR, "one"), of(WARNING, "two"), "{broken\n".to_owned()].concat())]);
    let two = folder.json("--stream two a");
    assert_eq!(rules(&two), ["label-contradicts-pending"]);
    assert_eq!((counts(&two), &two["unselected"]), ([0, 1, 0], &json!(2)), "what belongs to no stream is left out too");
    assert_eq!((&two["summary"]["events"], &two["summary"]["streams"]), (&json!(2), &json!(2)));
    assert_eq!(folder.run("check --stream two a").code, 0);
    assert_eq!(folder.run("check --stream one a").code, 1);
    let both = folder.run("check --format short --stream one --only unknown-field a");
    let says = "; 3 other findings are not counted (--only, --stream).\n";
    assert!(both.code == 0 && both.out.ends_with(says), "{}", both.out);
}

#[test]
fn a_stream_of_which_nothing_is_found_is_said() {
    let folder = Folder::with(&[("a", &of(ERROR, "one"))]);
    let ran = folder.run("check --stream \u{1b}on a");
    assert_eq!((ran.code, ran.err.as_str()), (0, "sessionlint: no finding belongs to the stream ␛on\n"));
    assert!(ran.out.contains("; 1 other finding is not counted (--stream).\n"), "{}", ran.out);
}

#[test]
fn what_was_not_checked_is_said_whatever_counts() {
    let folder = Folder::with(&[("a", &format!("{CLEAN}{}", CLEAN.replace("idle", &"x".repeat(200))))]);
    let options = "--max-line-bytes 200 --only wrong-type";
    let document = folder.json(&format!("{options} a"));
    assert_eq!((rules(&document), &document["complete"]), (vec![], &json!(false)));
    assert_eq!(folder.run(&format!("check {options} --fail-on-incomplete a")).code, 1);
}

#[test]
fn no_format_takes_an_unselected_finding_for_a_good_stream() {
    let folder = Folder::with(&[("a", &[of(ERROR, "one"), of(WARNING, "two")].concat())]);
    let report = |format: &str| folder.run(&format!("check --format {format} --stream two a")).out;
    let words = "1 other finding is not counted (--stream)";
    for format in ["human", "short", "agent", "markdown", "sarif", "github", "junit"] {
        // Markdown escapes nothing of it.
        assert!(report(format).contains(words), "{format}: {}", report(format));
    }
    assert!(report("junit").contains("(findings not selected)") && !report("junit").contains("every other stream"));
}

#[test]
fn the_baseline_is_asked_first_and_is_not_written_from_a_selection() {
    let folder = Folder::with(&[("a", &[ERROR, WARNING].concat())]);
    assert_eq!(folder.run("check --write-baseline known.toml a").code, 0);
    let document = folder.json("--baseline known.toml --only wrong-type a");
    assert_eq!((counts(&document), &document["unselected"]), ([0, 0, 0], &json!(0)));
    assert_eq!(document["summary"]["baselined"], 2);
    // Both entries have lost their finding.
    folder.write("a", CLEAN);
    let stale = folder.json("--baseline known.toml --only wrong-type a");
    assert_eq!((rules(&stale), &stale["unselected"]), (vec![], &json!(2)));
    assert_eq!(rules(&folder.json("--baseline known.toml --only stale-baseline a")), ["stale-baseline"; 2]);
    let refused = folder.run("check --write-baseline other.toml --only wrong-type a");
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("cannot be used with"), "{}", refused.err);
}

#[test]
fn statistics_are_counts_alone_the_most_frequent_first() {
    let folder = Folder::with(&[("a", &[&ERROR.repeat(12), WARNING].concat()), ("b", &statuses(NOTE, 3))]);
    let ran = folder.run("check --statistics a b");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.out);
    for (line, start) in lines.iter().zip([
        "12  error    wrong-type                 ",
        " 3  note     unknown-field              ",
        " 1  warning  label-contradicts-pending  ",
        "2 files, 16 events, 2 streams: 12 errors, 1 warning, 3 notes; checked against session-events.",
    ]) {
        assert!(line.starts_with(start), "{}", ran.out);
    }
    let listed = folder.run("rules").out;
    let means = lines[0].rsplit("  ").next().expect("what it means");
    assert!(listed.lines().any(|line| line.starts_with("wrong-type ") && line.ends_with(means)), "{means}");
    assert_eq!(folder.run("check -q --statistics a b").out.lines().count(), 3);

    // A limit hides findings, and not counts; a report to a file goes with it, and another printed one does not.
    assert!(folder.run("check --statistics --max-findings 0 a b").out.contains("12  error    wrong-type "));
    let only = folder.run("check --statistics --only unknown-field a b").out;
    assert_eq!(only.lines().count(), 2, "{only}");
    let both = folder.run("check --statistics --format jsonl=all.jsonl a b");
    assert_eq!(both.out, ran.out);
    let all = std::fs::read_to_string(folder.path().join("all.jsonl")).expect("it was written");
    assert_eq!(all.lines().count(), 14);
    let refused = folder.run("check --statistics --format json a");
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("only one report can go to standard output"), "{}", refused.err);
}
