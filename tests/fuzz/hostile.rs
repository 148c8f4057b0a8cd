//! Producers that do whatever they like.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::built_program::{VARIABLES, built_program};
use super::program::{CLEAN, ERROR, Folder, WARNING, ran};
use super::running::Running;
use super::unwrapped;

#[test]
fn nothing_of_a_producer_or_an_input_reaches_the_terminal_as_it_is() {
    let folder = Folder::with(&[("seeds/one", "a \u{1b}[31m\u{202e} b"), ("clean.ndjson", CLEAN)]);
    let script = r#"cat >/dev/null; printf '{"type":"\033[2J","x":1}\n\033]0;title\007\n'
        printf 'Oops \033[31m: it fell\n' >&2; exit 3"#;
    let options = ["--inputs", "seeds", "--cases", "20"];
    for format in ["human", "github", "markdown"] {
        let ran = folder.fuzz_shell(&[&options[..], &["--format", format]].concat(), script);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        let wild = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!ran.out.contains(wild) && !ran.err.contains(wild), "{format}: {:?}", ran.out + &ran.err);
        let out = unwrapped(&ran.out);
        for words in ["Oops ␛[31m: it fell", "it ended with exit code 3"] {
            assert!(out.contains(words) || out.contains(&words.replace('[', "\\[")), "{format}: {}", ran.out);
        }
    }
}

#[test]
fn two_ways_of_failing_by_one_rule_are_two_failures() {
    let folder = Folder::with(&[
        ("one.ndjson", ERROR),
        ("other.ndjson", &ERROR.replace("\"no\"", "false").replace("\"s\"", "7")),
    ]);
    let script = "if grep -q two; then cat other.ndjson; else cat one.ndjson; fi";
    folder.write("seeds/a", "one");
    folder.write("seeds/b", "two");
    let ran = folder.fuzz_shell(&["--inputs", "seeds", "--cases", "40"], script);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let failures = folder.failures();
    let failures: Vec<_> = failures.iter().map(|(rule, input)| (rule.as_str(), input.as_str())).collect();
    assert!(failures.contains(&("wrong-type", "")) && failures.contains(&("wrong-type", "two")), "{failures:?}");
    assert_eq!(failures.len(), 2);
}

#[test]
fn a_dialect_that_holds_for_no_answer_is_said() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN), ("seeds/a", "one")]);
    let options = ["--inputs", "seeds", "--cases", "2"];
    let ran = folder.fuzz_shell(&[&options[..], &["--dialect", "xai"]].concat(), "cat >/dev/null; cat clean.ndjson");
    let words = "the dialect xai does not hold here: all that was read is of session-events, which has no such dialect";
    assert!(ran.code == 2 && ran.err.contains(words), "{} {}", ran.code, ran.err);
    assert_eq!(folder.fuzz_shell(&options, "cat >/dev/null; cat clean.ndjson").code, 0);
}

#[test]
fn a_producer_that_fails_sometimes_is_said_to() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN), ("seeds/a", "one")]);
    // Only the first time.
    let script = "cat >/dev/null; cat clean.ndjson; if mkdir once 2>/dev/null; then exit 3; fi";
    let ran = folder.fuzz_shell(&["--inputs", "seeds", "--cases", "10", "--jobs", "1"], script);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("this input shows it (1 of 4 times)"), "{}", ran.out);
    assert!(ran.err.contains("(failed 1 of 4 times)"), "{}", ran.err);
    assert_eq!(folder.failures(), [("producer-crash".to_owned(), "one".to_owned())]);
    let again = folder.run("fuzz --replay sessionlint-failures");
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("  did not fail in 8 runs: "), "{}", again.err);
    assert!(again.err.contains("; when it was found, it failed 1 of 4 times\n"), "{}", again.err);
    assert!(again.err.ends_with("0 fixed, 0 fail, 1 did not fail this time\n"), "{}", again.err);
}

#[test]
fn a_producer_that_fails_only_at_first_is_run_again_in_the_end() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN), ("seeds/a", "")]);
    // The first time, and once more.
    let script = "cat clean.ndjson; if mkdir once 2>/dev/null || mkdir twice 2>/dev/null; then exit 3; fi";
    let ran = folder.fuzz_shell(&["--inputs", "seeds", "--cases", "1", "--jobs", "1"], script);
    assert!(ran.code == 1 && ran.err.contains("(failed 2 of 5 times)"), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(": 1 failed; shrinking took 4 more runs\n"), "{}", ran.err);
}

#[test]
fn what_fails_nothing_is_counted() {
    let folder = Folder::with(&[("warning.ndjson", WARNING), ("seeds/a", "one")]);
    let options = ["--inputs", "seeds", "--cases", "5"];
    let ran = folder.fuzz_shell(&options, "cat warning.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.ends_with(": none failed; 5 findings stayed below --fail-on error\n"), "{}", ran.err);
    let never = folder.fuzz_shell(&[&options[..], &["--fail-on", "never"]].concat(), "exit 3");
    assert!(never.err.ends_with(": none failed; 5 findings stayed below --fail-on never\n"), "{}", never.err);
}

#[test]
fn an_answer_without_end_is_a_failure_and_is_not_kept_whole() {
    let folder = Folder::with(&[("seeds/a", "one")]);
    let options = ["--inputs", "seeds", "--cases", "1", "--max-bytes", "100000"];
    let ran = folder.fuzz_shell(&options, "yes ''");
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("answered with more than 100000 bytes"), "{}", ran.out);
    let kept = folder.kept().remove(0);
    assert!(fs::metadata(kept.join("stream.ndjson")).expect("it is kept").len() <= 100_000);
}

#[test]
fn an_interrupt_ends_the_producers_and_what_was_found_is_told() {
    let folder = Folder::with(&[("error.ndjson", ERROR), ("seeds/a", "one")]);
    let script =
        "echo $$ >>started; cat >/dev/null; cat error.ndjson; if test $(wc -l <started) -gt 5; then sleep 600; fi";
    let mut command =
        folder.command(["fuzz", "--inputs", "seeds", "--timeout", "10m", "--jobs", "2", "--", "sh", "-c", script]);
    command.stdin(Stdio::null());
    let running = Running::start(command);
    let started = || fs::read_to_string(folder.path().join("started")).unwrap_or_default();
    while started().lines().count() < 6 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    running.signal("INT");
    // Like `timeout`, which signals its child and then its group.
    running.signal("TERM");
    let ran = running.end();
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.starts_with("interrupted: ") && ran.out.contains("[wrong-type]"), "{}{}", ran.out, ran.err);
    let lives = |process: &str| {
        let mut kill = Command::new("kill");
        kill.args(["-0", "--", &format!("-{process}")]).stderr(Stdio::null());
        kill.status().expect("there is a kill command").success()
    };
    // They have been killed by now, but that may take a moment.
    for process in started().lines() {
        let mut looks = 0..600;
        while lives(process) {
            looks.next().unwrap_or_else(|| panic!("{process} lives"));
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

#[test]
fn an_interrupt_before_the_first_case_is_done_is_said() {
    let folder = Folder::new();
    let running = Running::start(folder.command(["fuzz", "--", "sh", "-c", "touch started; sleep 600"]));
    while !folder.path().join("started").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    running.signal("TERM");
    let ran = running.end();
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (130, "", "interrupted: 0 cases\n"));
}

#[test]
fn of_very_many_findings_the_first_are_kept_and_the_rest_is_said() {
    let folder = Folder::new();
    // Every line is a finding.
    let ran = folder.fuzz_shell(&["--cases", "1", "--stop-after", "1", "--max-bytes", "200000"], "yes");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let kept = folder.kept();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let findings = fs::read_to_string(kept[0].join("findings.jsonl")).expect("it is there");
    let lines: Vec<_> = findings.lines().collect();
    assert_eq!(lines.len(), 1001, "1000 findings, and a line that says that there are more");
    let last: serde_json::Value = serde_json::from_str(lines[1000]).expect("JSON");
    assert_eq!(last["complete"], false, "{last}");
    assert!(lines[999].starts_with("{\"rule\":"), "{}", lines[999]);
}

#[test]
fn a_run_that_is_killed_has_kept_what_it_found() {
    let folder = Folder::new();
    // Fails at once, and afterwards takes its time.
    let script = "if mkdir first 2>/dev/null; then echo no event; else exec sleep 30; fi";
    let mut command = folder.command(["fuzz", "--jobs", "1", "--timeout", "10m", "--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let begun = Instant::now();
    let is_kept = || folder.kept().iter().any(|kept| !kept.to_string_lossy().ends_with(".tmp"));
    while !is_kept() {
        assert!(begun.elapsed().as_secs() < 60 && child.try_wait().expect("it runs").is_none(), "nothing is kept");
        thread::sleep(Duration::from_millis(10));
    }
    // Nothing can be done about this signal.
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    // It may be writing the failure again, as what it was shrunk to.
    let is_whole = |kept: &PathBuf| !kept.to_string_lossy().ends_with(".tmp");
    let kept: Vec<_> = folder.kept().into_iter().filter(is_whole).collect();
    let has = |name: &str| kept.iter().all(|kept| kept.join(name).is_file());
    assert!(has("case.toml") && has("input") && has("stream.ndjson") && has("findings.jsonl"), "{kept:?}");
    let case: toml::Table = fs::read_to_string(kept[0].join("case.toml")).expect("there").parse().expect("TOML");
    assert_eq!((case["failed"].as_integer(), case["played"].as_integer()), (Some(1), Some(1)));
}

/// A process that leaves its producer's group, and holds an end of a pipe: no case takes a descriptor with it.
#[test]
fn what_leaves_the_group_costs_no_descriptors() {
    let folder = Folder::with(&[("clean.ndjson", CLEAN), ("seeds/large", &"x".repeat(1 << 20))]);
    for (holds, script) in [
        ("standard output", "setsid sleep 3 & cat clean.ndjson"),
        ("standard error", "setsid sleep 3 >/dev/null & cat clean.ndjson"),
        ("standard input", "setsid sleep 3 <&0 >/dev/null 2>&1 & cat clean.ndjson"),
    ] {
        let built = built_program();
        let program = built.get_program().to_string_lossy();
        let options = "fuzz --inputs seeds --cases 25 --jobs 1 --timeout 150ms";
        // Enough for the program and a few cases, and not for one more with each case.
        let limited = format!("ulimit -n 40; exec {program} {options} -- sh -c '{script}'");
        let mut command = Command::new("sh");
        command.current_dir(folder.path()).args(["-c", &limited]).stdin(Stdio::null());
        VARIABLES.iter().for_each(|name| {
            command.env_remove(name);
        });
        let ran = ran(command);
        assert!(!ran.err.contains("Too many open files"), "{holds}: {}", ran.err);
        assert!(ran.err.starts_with("25 cases"), "{holds}: {}", ran.err);
    }
}
