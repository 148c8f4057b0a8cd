//! `sessionlint tap`: the producer's output goes through unchanged, and findings are reported at once.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::hostile::{HOSTILE, assert_harmless, recordings};
use super::program::{CLEAN, ERROR, Folder, OPEN, Ran, WARNING, ran, statuses};
use super::running::Running;

/// Runs `tap` with a shell script.
fn tap(folder: &Folder, options: &str, script: &str) -> Command {
    let mut arguments = vec!["tap", "--color", "never"];
    arguments.extend(options.split_whitespace());
    folder.command(arguments.into_iter().chain(["--", "sh", "-c", script]))
}

#[test]
fn every_byte_goes_through_and_nothing_else() {
    let folder = Folder::new();
    // Random bytes, from a very simple generator.
    let mut state = 1u32;
    let mut noise = |length: usize| -> Vec<u8> {
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| byte()).collect()
    };
    let lines = [ERROR.as_bytes(), b"\r\n\xff\0\n", CLEAN.trim_end().as_bytes()].concat();
    for bytes in [noise(0), noise(1), noise(1000), noise(65_536), noise(300_001), lines] {
        folder.write("bytes", &bytes);
        for options in ["--max-findings 1", "-q --max-findings 0", "--format json=report.json"] {
            let output = tap(&folder, options, "cat bytes").output().expect("the program starts");
            assert!(output.stdout == bytes, "{} bytes with {options}", bytes.len());
        }
    }
}

#[test]
fn a_producer_that_writes_no_event_exits_2() {
    let folder = Folder::new();
    let said = "sessionlint: nothing was checked: there is no event of any of the protocols session-events, anthropic-messages, openai-chat and openai-responses in what was read\n";
    for (script, rule) in
        [("true", "empty-input"), ("echo ready", "no-events"), ("echo '{\"type\":\"x\"}'", "no-events")]
    {
        let ran = ran(tap(&folder, "", script));
        assert_eq!(ran.code, 2, "{script}: {}", ran.err);
        assert!(ran.err.contains(&format!("error[{rule}]")) && ran.err.ends_with(said), "{script}: {}", ran.err);
    }
}

#[test]
fn a_finding_is_told_before_the_producer_goes_on() {
    for options in ["", "--format jsonl", "--format github", "--format json"] {
        let folder = Folder::with(&[("error", ERROR), ("warning", WARNING)]);
        let mut command = tap(&folder, options, "cat error; read -r _; printf %s \"$(cat warning)\"; read -r _; echo");
        command.stdin(Stdio::piped());
        let mut running = Running::start(command);
        let mut input = running.child.stdin.take().expect("it was asked for");
        running.out.until(ERROR);
        running.err.until("wrong-type");
        input.write_all(b"\n").expect("the producer reads");
        // An incomplete line goes through at once too, and is judged when it is complete.
        running.out.until(WARNING.trim_end());
        input.write_all(b"\n").expect("the producer reads");
        running.err.until("label-contradicts-pending");
        let ran = running.end();
        assert_eq!((ran.code, ran.out), (1, format!("{ERROR}{WARNING}")), "{options}");
    }
}

#[test]
fn nothing_is_folded() {
    let folder = Folder::with(&[("errors", &ERROR.repeat(7))]);
    let ran = ran(tap(&folder, "", "cat errors"));
    assert_eq!(ran.err.matches("error[wrong-type]").count(), 7, "{}", ran.err);
    assert!(
        ran.err
            .ends_with("1 file, 7 events, 1 stream: 7 errors, 0 warnings, 0 notes; checked against session-events.\n"),
        "{}",
        ran.err
    );
}

#[test]
fn the_end_of_the_output_is_the_end_of_the_stream() {
    let folder = Folder::with(&[("open", OPEN)]);
    let whole = ran(tap(&folder, "", "cat open"));
    assert!(whole.code == 1 && whole.err.contains("error[turn-unfinished]"), "{}", whole.err);
    let fragment = ran(tap(&folder, "--fragment -q", "cat open"));
    assert_eq!((fragment.code, fragment.err.as_str()), (0, ""));
}

#[test]
fn the_producer_s_own_failure_wins_over_findings() {
    let folder = Folder::with(&[("clean", CLEAN), ("error", ERROR), ("warning", WARNING)]);
    for (options, script, code) in [
        ("", "cat clean", 0),
        ("", "cat error", 1),
        ("", "cat warning", 0),
        ("--fail-on warning", "cat warning", 1),
        ("--fail-on never", "cat error", 0),
        ("--rule wrong-type=off", "cat error", 0),
        ("", "cat clean; exit 3", 3),
        ("", "cat error; exit 255", 255),
        ("", "cat error; kill -s KILL $$", 137),
        ("", "cat clean; kill -s TERM $$", 143),
    ] {
        let quiet = ran(tap(&folder, &format!("-q {options}"), script));
        assert_eq!(quiet.code, code, "{options} {script}: {}", quiet.err);
        let loud = ran(tap(&folder, options, script));
        assert_eq!(loud.err.contains("sh failed"), code > 1, "it is said whose failure it is: {}", loud.err);
    }
}

#[test]
fn what_cannot_be_started_exits_2() {
    let folder = Folder::new();
    let ran = ran(folder.command(["tap", "--", "./no\u{1b}[2Jsuch"]));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.starts_with("sessionlint: ./no␛[2Jsuch cannot be started: "), "{}", ran.err);
    for arguments in ["tap", "tap --", "tap echo", "tap --protocol session-records -- echo"] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
    }
    let records = folder.run("tap --protocol session-records -- echo").err;
    assert!(records.contains("stored records cannot be tapped"), "{records}");
    let twice = folder.run("tap --format json --format sarif -- echo").err;
    assert!(twice.contains("only one report can go to standard error"), "{twice}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_producer() {
    let folder = Folder::new();
    // Two lines in turn, since the same status twice is a finding.
    let mut command = folder.command(["tap", "--", "yes", statuses(OPEN, 2).trim_end()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut first = vec![0; OPEN.len()];
    child.stdout.take().expect("it was asked for").read_exact(&mut first).expect("it comes");
    assert_eq!(first, OPEN.as_bytes());
    let ended = child.wait_with_output().expect("the program ends");
    let err = String::from_utf8(ended.stderr).expect("UTF-8");
    // As a shell reports for a producer whose reader is gone.
    assert_eq!(ended.status.code(), Some(141), "{err}");
    assert!(err.contains("standard output was closed"), "{err}");
    assert!(
        err.contains(": 0 errors, 0 warnings, 0 notes; checked against session-events."),
        "nobody knows how the turn went on: {err}"
    );
}

#[test]
fn output_goes_through_where_nobody_reads_the_report() {
    let folder = Folder::with(&[("errors", &ERROR.repeat(1000))]);
    let mut command = tap(&folder, "", "cat errors");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    drop(child.stderr.take());
    let ended = child.wait_with_output().expect("the program ends");
    assert!(ended.stdout == ERROR.repeat(1000).as_bytes());
    assert_eq!(ended.status.code(), Some(1), "findings count all the same");
}

#[test]
fn an_interrupt_of_the_terminal_leaves_the_producer_its_last_words() {
    let folder = Folder::with(&[("open", OPEN), ("clean", CLEAN)]);
    let script = "trap 'cat clean; exit 5' INT; cat open; while :; do sleep 0.1; done";
    let mut command = tap(&folder, "", script);
    command.process_group(0);
    let mut running = Running::start(command);
    running.out.until(OPEN);
    running.signal_group("INT");
    let ran = running.end();
    assert_eq!((ran.code, ran.out), (5, format!("{OPEN}{CLEAN}")), "{}", ran.err);
    assert!(ran.err.contains("warning[turn-empty]"), "{}", ran.err);
    assert!(
        ran.err.contains("1 file, 2 events, 1 stream: 0 errors, 1 warning, 0 notes; checked against session-events."),
        "{}",
        ran.err
    );
}

#[test]
fn a_request_to_end_is_passed_on_to_the_producer() {
    let folder = Folder::with(&[("clean", CLEAN)]);
    // A shell may lose a signal for a process that it has just started; nothing that it starts here lives long.
    let script = "trap 'cat clean; exit 6' TERM; cat clean; while :; do sleep 0.1; done";
    let mut running = Running::start(tap(&folder, "", script));
    running.out.until(CLEAN);
    running.signal("TERM");
    let ran = running.end();
    assert_eq!((ran.code, ran.out), (6, CLEAN.repeat(2)), "{}", ran.err);
    assert!(ran.err.contains("1 file, 2 events, 1 stream: 0 errors"), "{}", ran.err);
}

#[test]
fn a_report_goes_to_a_file_and_the_configuration_holds() {
    let folder = Folder::with(&[("warning", WARNING), ("sessionlint.toml", "version = 1\nfail-on = \"warning\"\n")]);
    let ran = ran(tap(&folder, "-q --format jsonl=report.jsonl", "cat warning"));
    assert_eq!((ran.code, ran.err.as_str(), ran.out.as_str()), (1, "", WARNING));
    let report = fs::read_to_string(folder.path().join("report.jsonl")).expect("the report is there");
    assert!(report.contains("label-contradicts-pending") && report.lines().count() == 1, "{report}");
    assert_eq!(folder.run("tap -q --no-config -- cat warning").code, 0);
}

#[test]
fn the_report_is_harmless_whatever_goes_through() {
    for (what, recording) in recordings(HOSTILE) {
        let folder = Folder::with(&[("a", &recording)]);
        for options in ["", "--format jsonl", "--format github"] {
            let mut command = tap(&folder, options, "cat a");
            command.env("CLICOLOR_FORCE", "1");
            let ran = ran(command);
            assert_eq!(ran.out, recording, "{what}");
            assert_harmless(&Ran { out: String::new(), ..ran }, what);
        }
    }
}
