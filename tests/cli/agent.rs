//! The report for coding agents, and when it is taken by itself.

use super::program::{CLEAN, ERROR, Folder, NOTE, OPEN, Ran, WARNING, event, ran, statuses};

const WRONG_TYPE: &str = "`payload.pending` must be a boolean, but is the string \"no\"";

/// Returns the blocks of a report, which empty lines separate.
fn blocks(report: &str) -> Vec<&str> {
    report.trim_end().split("\n\n").collect()
}

#[test]
fn counts_come_first_then_places_then_help_once_for_each_rule() {
    let folder = Folder::with(&[("a", &[ERROR, ERROR, WARNING].concat()), ("b", &statuses(NOTE, 4))]);
    let ran = folder.run("check --format agent a b");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let [counts, findings, help, summary] = blocks(&ran.out)[..] else { panic!("{}", ran.out) };
    // Of an unknown field only the first is a finding.
    assert_eq!(
        counts,
        "sessionlint found, by rule:\n  4 unknown-field (note)\n  2 wrong-type (error)\n  \
         1 label-contradicts-pending (warning)"
    );
    let findings: Vec<_> = findings.lines().collect();
    assert_eq!(findings.len(), 4, "{}", ran.out);
    assert_eq!(findings[0], format!("a:1:99: error[wrong-type]: {WRONG_TYPE} (stream s)"));
    assert_eq!(findings[1], format!("a:2:99: error[wrong-type]: {WRONG_TYPE} (stream s)"));
    assert!(findings[2].starts_with("a:3:120: warning[label-contradicts-pending]: "), "{}", findings[2]);
    assert!(findings[3].starts_with("b:1:127: note[unknown-field]: "), "{}", findings[3]);
    assert!(findings[3].ends_with(" (4 times in this file)"), "{}", findings[3]);
    for rule in ["wrong-type", "label-contradicts-pending", "unknown-field"] {
        let lines: Vec<_> = help.lines().filter(|line| line.starts_with(&format!("  {rule}: "))).collect();
        assert_eq!(lines.len(), 1, "{help}");
        let explained = folder.run(&format!("explain {rule}")).out;
        let (_, text) = lines[0].split_once(": ").expect("the help");
        assert!(explained.contains(&format!("What to do:  {text}\n")), "{text}");
    }
    assert_eq!(summary, "2 files, 7 events, 2 streams: 2 errors, 1 warning, 4 notes; checked against session-events.");
}

#[test]
fn the_places_that_explain_a_finding_stand_beside_it() {
    let chunk = event("session.stream.chunk", r#"{"session_id":"s","text":"Hi","done":true}"#);
    let folder = Folder::with(&[("a", &format!("{OPEN}{chunk}{CLEAN}"))]);
    let out = folder.run("check --format agent a").out;
    let line = out.lines().find(|line| line.starts_with("a:3:99: error[turn-not-ended]: ")).expect("the finding");
    assert!(line.ends_with(" (stream s); line 1: the turn began here"), "{line}");
}

#[test]
fn help_that_is_particular_to_a_finding_stands_beside_it() {
    let folder = Folder::with(&[("a", &event("session.state", "{}"))]);
    let out = folder.run("check --format agent a").out;
    let line = out.lines().find(|line| line.contains("[unknown-event]: ")).expect("the finding");
    assert!(line.ends_with("; did you mean session.status?"), "{line}");
}

#[test]
fn the_first_fifty_are_listed_and_each_rule_has_its_share() {
    // The one warning comes last.
    let folder = Folder::with(&[("a", &ERROR.repeat(900)), ("b", WARNING)]);
    let out = folder.run("check --format agent a b").out;
    let blocks = blocks(&out);
    let findings: Vec<_> = blocks[1].lines().collect();
    assert_eq!(findings.len(), 51, "fifty, and what is left out");
    assert!(findings[48].starts_with("a:49:99: error[wrong-type]: "), "{}", findings[48]);
    assert!(findings[49].starts_with("b:1:120: warning[label-contradicts-pending]: "), "{}", findings[49]);
    assert_eq!(findings[50], "… and 851 more findings: 851 wrong-type; --format jsonl has all");
    assert!(out.len() < 12_000, "{} bytes", out.len());
    let cut = folder.run("check --format agent --max-findings 3 a b").out;
    assert!(cut.contains("  900 wrong-type (error)\n  1 label-contradicts-pending (warning)\n"), "{cut}");
    assert!(cut.contains("\n898 more findings not shown (--max-findings).\n"), "{cut}");
}

#[test]
fn a_clean_run_is_one_line() {
    let folder = Folder::with(&[("clean", CLEAN)]);
    let line = "1 file, 1 event, 1 stream: 0 errors, 0 warnings, 0 notes; checked against session-events.\n";
    assert_eq!(folder.run("check --format agent clean").out, line);
    assert_eq!(folder.run("check --format agent -q clean").out, "");
}

fn with(folder: &Folder, variables: &[(&str, &str)], arguments: &str) -> Ran {
    let mut command = folder.command(arguments.split_whitespace());
    command.envs(variables.iter().copied());
    ran(command)
}

#[test]
fn a_coding_agent_gets_its_format_unless_another_is_asked_for() {
    let folder = Folder::with(&[("a", ERROR)]);
    let [human, agent, short] =
        ["human", "agent", "short"].map(|name| folder.run(&format!("check --format {name} a")).out);
    assert_eq!(folder.run("check a").out, human, "no variable is set");
    for name in ["AI_AGENT", "CLAUDECODE", "CODEX_SANDBOX", "CURSOR_AGENT", "GEMINI_CLI"] {
        assert_eq!(with(&folder, &[(name, "1")], "check a").out, agent, "{name}");
        assert_eq!(with(&folder, &[(name, "")], "check a").out, human, "{name} is set to nothing");
        assert_eq!(with(&folder, &[(name, "1")], "check --format human a").out, human, "{name}");
        assert_eq!(with(&folder, &[(name, "1"), ("SESSIONLINT_FORMAT", "short")], "check a").out, short, "{name}");
        assert_eq!(with(&folder, &[(name, "1"), ("SESSIONLINT_FORMAT", "")], "check a").out, agent, "{name}");
        // Where only files are asked for, nothing is printed.
        assert_eq!(with(&folder, &[(name, "1")], "check --format json=report.json a").out, "", "{name}");
    }
}

#[test]
fn each_command_that_reports_findings_takes_it() {
    let folder = Folder::with(&[("a.ndjson", &ERROR.repeat(2))]);
    for arguments in ["check a.ndjson", "lint a.ndjson"] {
        let out = with(&folder, &[("AI_AGENT", "1")], arguments).out;
        assert!(out.starts_with("sessionlint found, by rule:\n"), "{arguments}: {out}");
    }
    let tapped = with(&folder, &[("AI_AGENT", "1")], "tap -- cat a.ndjson");
    assert_eq!(tapped.out, ERROR.repeat(2), "the producer's output is passed on as it is");
    assert!(tapped.err.starts_with("sessionlint found, by rule:\n"), "{}", tapped.err);
}
