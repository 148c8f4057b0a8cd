//! Exit codes.

use super::program::{CLEAN, ERROR, Folder, NOTE, WARNING, event};

#[test]
fn a_clean_recording_exits_0() {
    let ran = Folder::with(&[("clean.ndjson", CLEAN)]).run("check clean.ndjson");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, "1 file, 1 event, 1 stream: 0 errors, 0 warnings, 0 notes; checked against session-events.\n");
}

#[test]
fn fail_on_is_the_least_severity_that_exits_1() {
    let folder = Folder::with(&[("error", ERROR), ("warning", WARNING), ("note", NOTE), ("clean", CLEAN)]);
    // By file, the exit codes with --fail-on error, warning, note and never.
    for (file, codes) in
        [("error", [1, 1, 1, 0]), ("warning", [0, 1, 1, 0]), ("note", [0, 0, 1, 0]), ("clean", [0, 0, 0, 0])]
    {
        for (least, code) in ["error", "warning", "note", "never"].into_iter().zip(codes) {
            let ran = folder.run(&format!("check --fail-on {least} {file}"));
            assert_eq!(ran.code, code, "{file} with --fail-on {least}\n{}{}", ran.out, ran.err);
        }
        assert_eq!(folder.run(&format!("check {file}")).code, codes[0], "error is the default");
    }
}

#[test]
fn an_unknown_option_exits_2_and_names_the_nearest() {
    let ran = Folder::with(&[("clean.ndjson", CLEAN)]).run("check --fial-on error clean.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("--fial-on") && ran.err.contains("--fail-on"), "{}", ran.err);
}

#[test]
fn an_unknown_subcommand_or_value_exits_2() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN)]);
    for arguments in ["", "chekc clean.ndjson", "check --format xml clean.ndjson", "check --wire morse clean.ndjson"] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "sessionlint {arguments}");
        assert!(!ran.err.is_empty(), "sessionlint {arguments} says why");
    }
}

#[test]
fn help_and_version_are_no_mistakes() {
    let folder = Folder::new();
    for arguments in ["--help", "--version", "check --help", "help check"] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "sessionlint {arguments}");
        assert!(!ran.out.is_empty(), "sessionlint {arguments} prints something");
    }
    assert_eq!(folder.run("--version").out, format!("sessionlint {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_rule_exits_2_and_names_the_nearest() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN)]);
    let ran = folder.run("check --rule idle-mising=off clean.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: there is no rule idle-mising; did you mean idle-missing?\n");

    let ran = folder.run("check --rule quite-something-else=off clean.ndjson");
    assert_eq!(ran.code, 2);
    assert_eq!(ran.err, "sessionlint: there is no rule quite-something-else; `sessionlint rules` lists them\n");
}

#[test]
fn a_rule_setting_of_another_shape_exits_2() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN)]);
    for (setting, word) in [("idle-missing", "NAME=SEVERITY"), ("idle-missing=loud", "loud")] {
        let ran = folder.run(&format!("check --rule {setting} clean.ndjson"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{setting}");
        assert!(ran.err.contains(word), "{}", ran.err);
    }
}

#[test]
fn a_missing_file_exits_2_and_the_others_are_checked_all_the_same() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("c.ndjson", WARNING)]);
    let ran = folder.run("check a.ndjson b.ndjson c.ndjson");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("b.ndjson"), "{}", ran.err);
    assert!(ran.out.contains("warning[label-contradicts-pending]"), "{}", ran.out);
    assert!(
        ran.out.contains(
            "2 streams: 0 errors, 1 warning, 0 notes; checked against session-events; 1 input could not be checked."
        ),
        "{}",
        ran.out
    );
}

#[test]
fn exit_code_2_wins_over_1() {
    let folder = Folder::with(&[("error.ndjson", ERROR)]);
    let ran = folder.run("check error.ndjson missing.ndjson");
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("error[wrong-type]"), "{}", ran.out);
    assert_eq!(folder.run("check missing.ndjson error.ndjson").code, 2);
    assert_eq!(folder.run("check --fail-on never error.ndjson missing.ndjson").code, 2);
}

#[test]
fn nothing_to_check_exits_2() {
    let folder = Folder::with(&[("empty/readme.txt", "no recording")]);
    for arguments in ["check empty", "check *.ndjson", "check"] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "sessionlint {arguments}");
        assert!(ran.err.contains("there is nothing to check"), "{}", ran.err);
    }
}

#[test]
fn a_run_that_judged_no_event_exits_2_whatever_was_found() {
    let folder = Folder::with(&[
        ("empty.ndjson", ""),
        ("text.log", "ready\n"),
        ("other.ndjson", &event("run.started", "{}")),
        ("capitals.ndjson", &event("SESSION_STATUS", r#"{"session_id":"s","pending":false,"status_label":"idle"}"#)),
        ("package.json", "{\"name\": \"app\"}\n"),
    ]);
    let err = "sessionlint: nothing was checked: there is no event of any of the protocols session-events, anthropic-messages, openai-chat and openai-responses in what was read\n";
    for (file, rule) in [
        ("empty.ndjson", "empty-input"),
        ("text.log", "no-events"),
        ("other.ndjson", "no-events"),
        ("capitals.ndjson", "no-events"),
        ("package.json", "no-events"),
    ] {
        for options in ["", "--fail-on never", "--rule no-events=off"] {
            let ran = folder.run(&format!("check {options} {file}"));
            assert_eq!((ran.code, ran.err.as_str()), (2, err), "{file} {options}");
            let is_off = options.contains(rule);
            assert_eq!(ran.out.contains(&format!("error[{rule}]")), !is_off, "{file} {options}: {}", ran.out);
        }
    }
    folder.write("clean.ndjson", CLEAN);
    let ran = folder.run("check clean.ndjson text.log");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""), "something was judged: {}", ran.out);
    assert!(ran.out.contains("error[no-events]"), "a file that is named is an error all the same: {}", ran.out);
}

#[test]
fn every_subcommand_that_judges_exits_2_if_it_judged_nothing() {
    let folder = Folder::with(&[("below/package.json", "{}"), ("below/page.md", "# Nothing\n")]);
    for command in
        ["check below", "check below/package.json", "lint below", "lint below/package.json", "coverage below"]
    {
        let ran = folder.run(command);
        assert_eq!(ran.code, 2, "{command}: {}{}", ran.out, ran.err);
        assert!(
            ran.err
                .ends_with("nothing was checked: there is no event of any of the protocols session-events, anthropic-messages, openai-chat and openai-responses in what was read\n"),
            "{command}"
        );
    }
    assert_eq!(folder.run("fmt below").code, 0, "there is nothing to format, and nothing is claimed");
}

#[test]
fn an_incomplete_run_fails_on_request() {
    let folder = Folder::with(&[("a/a.ndjson", CLEAN), ("a/evals.jsonl", "{\"input\": 1}\n"), ("clean", CLEAN)]);
    for (arguments, code) in [("a", 0), ("--fail-on-incomplete a", 1), ("--fail-on-incomplete clean", 0)] {
        let ran = folder.run(&format!("check {arguments}"));
        assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{arguments}: {}", ran.out);
    }
    let limited = format!("{CLEAN}{}", CLEAN.replace("idle", &"x".repeat(200)));
    folder.write("limited", limited);
    let ran = folder.run("check --fail-on never --fail-on-incomplete --max-line-bytes 150 limited");
    assert_eq!(ran.code, 1, "a limit makes it so: {}", ran.out);
}

#[test]
fn what_is_wrong_with_the_command_is_said_in_the_words_of_its_reader() {
    let folder = Folder::with(&[("a", CLEAN), ("empty/x", ""), ("own/protocol.toml", "")]);
    for jobs in ["0", "-1", "many", "70000"] {
        let ran = folder.run(&format!("check a --jobs={jobs}"));
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("it must be a whole number from 1 to 65535"), "{}", ran.err);
    }
    let ran = folder.run("check empty");
    assert_eq!((ran.code, ran.err.matches("there is nothing to check").count()), (2, 1), "{}", ran.err);
    let ran = folder.run("protocol own/protocol.toml");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("a protocol is named by its folder: own"), "{}", ran.err);
}

#[test]
fn what_is_no_field_of_a_server_sent_event_is_helped_as_such() {
    let folder = Folder::with(&[("a", "hello\n\n")]);
    let report = folder.json("a --wire sse");
    let help = report["findings"][0]["help"].as_str().expect("there is one");
    assert!(help.starts_with("begin each line of an event with `data: `"), "{help}");
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_no_success() {
    let folder = Folder::new();
    let mut command = folder.command(["--help"]);
    command.stdout(std::fs::File::options().write(true).open("/dev/full").expect("Linux has it"));
    assert_eq!(command.status().expect("the program starts").code(), Some(2));
}

/// Commands with a verdict other than 0, for the files of [`judged`].
const VERDICTS: [(&str, i32); 12] = [
    ("check error.ndjson", 1),
    ("check late.ndjson error.ndjson", 1),
    ("check error.ndjson missing.ndjson", 2),
    ("check --fail-on warning warning.ndjson", 1),
    ("lint error.ndjson", 1),
    ("lint --fix --diff late.ndjson", 1),
    ("fmt --check late.ndjson", 1),
    ("fmt --diff late.ndjson", 1),
    ("coverage --fail-under 99 clean.ndjson", 1),
    ("reconcile clean.ndjson --records none.json", 2),
    ("rules --protocol missing", 2),
    ("fuzz --cases 3 --jobs 1 -- cat error.ndjson", 1),
];

/// A folder with recordings that are judged differently.
fn judged() -> Folder {
    let late = CLEAN.replace("{\"type\"", "{ \"type\"");
    let files = [("error.ndjson", ERROR), ("warning.ndjson", WARNING), ("clean.ndjson", CLEAN), ("none.json", "[]")];
    let folder = Folder::with(&files);
    folder.write("late.ndjson", late);
    folder
}

/// Returns the exit codes of the commands with their outputs as given.
fn verdicts(outputs: impl Fn(&mut std::process::Command)) -> Vec<(&'static str, Option<i32>)> {
    let codes = VERDICTS.into_iter().map(|(arguments, _)| {
        let folder = judged();
        let mut command = folder.command(arguments.split_whitespace());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        outputs(&mut command);
        (arguments, command.status().expect("the program starts").code())
    });
    codes.collect()
}

fn expected() -> Vec<(&'static str, Option<i32>)> {
    VERDICTS.into_iter().map(|(arguments, code)| (arguments, Some(code))).collect()
}

#[test]
fn the_verdict_stands_whoever_reads_it() {
    let unread = || {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        drop(reader);
        writer
    };
    assert_eq!(verdicts(|_| ()), expected());
    assert_eq!(verdicts(|command| _ = command.stdout(unread())), expected(), "nobody reads standard output");
    assert_eq!(verdicts(|command| _ = command.stderr(unread())), expected(), "nobody reads standard error");
}

#[test]
fn a_run_that_nobody_reads_goes_on_until_its_verdict_is_certain() {
    let folder = Folder::with(&[("a.ndjson", WARNING), ("b.ndjson", ERROR), ("c.ndjson", WARNING)]);
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = folder.command(["check", "--format", "jsonl", "a.ndjson", "b.ndjson"]);
    assert_eq!(command.stdout(writer).status().expect("the program starts").code(), Some(1));
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = folder.command(["check", "--format", "jsonl", "a.ndjson", "c.ndjson"]);
    assert_eq!(command.stdout(writer).status().expect("the program starts").code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_verdict_on_standard_output_and_none_of_it_on_standard_error() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    assert_eq!(verdicts(|command| _ = command.stderr(full())), expected());
    for (arguments, code) in verdicts(|command| _ = command.stdout(full())) {
        // What goes to standard error, and what has nothing to say on standard output, is as it was.
        let prints = !arguments.contains("missing.ndjson") || arguments.starts_with("check");
        assert!(code == Some(2) || !prints, "{arguments}: {code:?}");
    }
}

/// A stack that no address space has room for: no thread can be had.
#[cfg(target_os = "linux")]
#[test]
fn one_thread_is_enough_and_without_any_the_program_says_so() {
    for (arguments, code) in [
        ("check --jobs 4 error.ndjson clean.ndjson", 1),
        ("check --jobs 4 large.ndjson", 0),
        ("check --jobs 4 clean.ndjson warning.ndjson", 0),
        ("lint --jobs 4 error.ndjson clean.ndjson", 1),
        ("fmt --check --jobs 4 late.ndjson clean.ndjson", 1),
        ("coverage clean.ndjson warning.ndjson", 0),
    ] {
        let folder = judged();
        folder.write("large.ndjson", super::program::statuses(CLEAN, 20_000));
        let mut command = folder.command(arguments.split_whitespace());
        let ran = super::program::ran({
            command.env("RUST_MIN_STACK", (1_u64 << 47).to_string());
            command
        });
        assert_eq!(ran.code, code, "{arguments}: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{arguments}: {}", ran.err);
    }
    for arguments in ["fuzz --cases 3 -- cat clean.ndjson", "tap -- cat clean.ndjson"] {
        let folder = judged();
        let mut command = folder.command(arguments.split_whitespace());
        command.env("RUST_MIN_STACK", (1_u64 << 47).to_string());
        let ran = super::program::ran(command);
        assert_eq!(ran.code, 2, "{arguments}: {}", ran.err);
        assert!(ran.err.starts_with("sessionlint: ") && !ran.err.contains("panicked"), "{arguments}: {}", ran.err);
    }
}

#[test]
fn limits_may_be_as_large_as_numbers_are() {
    let folder = Folder::with(&[("a", CLEAN), ("b", CLEAN)]);
    let most = usize::MAX.to_string();
    for option in ["--max-line-bytes", "--max-text-bytes", "--max-streams", "--max-findings"] {
        for value in [&most, "9223372036854775808", "9223372036854775807"] {
            for command in ["check a", "check a b", "lint a"] {
                let ran = folder.run(&format!("{command} {option} {value}"));
                assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command} {option} {value}");
            }
            let ran = folder.run_with_input(&format!("check - {option} {value}"), CLEAN.as_bytes());
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "check - {option} {value}");
        }
    }
    assert_eq!(folder.run("check --jobs 65535 a b").code, 0);
}
