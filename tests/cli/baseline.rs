//! `--write-baseline` and `--baseline`: a run that fails only on new findings.

use std::fs;

use serde_json::{Value, json};

use super::program::{CLEAN, ERROR, Folder, NOTE, WARNING, counts, event, files, rules, statuses};

const BASELINE: &str = "sessionlint-baseline.toml";

fn read(folder: &Folder) -> String {
    fs::read_to_string(folder.path().join(BASELINE)).expect("the baseline is there")
}

fn record(folder: &Folder, paths: &str) {
    let ran = folder.run(&format!("check {paths} --write-baseline {BASELINE}"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
}

/// The place of a finding.
fn place(finding: &Value) -> (&str, u64) {
    (finding["file"].as_str().expect("a file"), finding["line"].as_u64().expect("a line"))
}

#[test]
fn a_repository_with_a_thousand_findings_adopts_the_tool_with_two_commands() {
    // There are ten files with a hundred findings each, of two kinds.
    let recording = [ERROR.repeat(60), statuses(WARNING, 40)].concat();
    let folder = Folder::new();
    for number in 0..10 {
        folder.write(format!("logs/{number}.ndjson"), &recording);
    }
    assert_eq!(folder.run("check logs").code, 1);

    let ran = folder.run(&format!("check logs --write-baseline {BASELINE}"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        ran.out,
        "10 files, 1000 events, 10 streams: 0 errors, 0 warnings, 0 notes; checked against session-events; \
         1000 findings were recorded in sessionlint-baseline.toml.\n"
    );
    let check = format!("check logs --fail-on note --baseline {BASELINE}");
    let ran = folder.run(&check);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        ran.out,
        "10 files, 1000 events, 10 streams: 0 errors, 0 warnings, 0 notes; checked against session-events; \
         1000 known findings are in the baseline.\n"
    );

    // The lines move.
    folder.write("logs/3.ndjson", statuses(CLEAN, 7) + &recording);
    assert_eq!(folder.run(&check).code, 0);

    // Something new is found: only it is shown.
    let new = event("session.error", r#"{"session_id":"s","error":1,"code":"c"}"#);
    folder.write("logs/5.ndjson", new + &recording);
    assert_eq!(folder.run(&check).code, 1);
    let document = folder.json(&format!("logs --rule error-outside-turn=off --baseline {BASELINE}"));
    assert_eq!(rules(&document), ["wrong-type"]);
    assert_eq!(place(&document["findings"][0]), ("logs/5.ndjson", 1));
    assert_eq!(counts(&document), [1, 0, 0]);
    assert_eq!(document["summary"]["baselined"], 1000);
    folder.write("logs/5.ndjson", &recording);

    // There is one more of a known kind: the last one is shown.
    folder.write("logs/6.ndjson", [&recording, ERROR].concat());
    let document = folder.json(&format!("logs --baseline {BASELINE}"));
    assert_eq!(document["findings"].as_array().map(Vec::len), Some(1));
    assert_eq!(place(&document["findings"][0]), ("logs/6.ndjson", 101));
    folder.write("logs/6.ndjson", &recording);

    // An old finding is fixed.
    folder.write("logs/7.ndjson", [ERROR.repeat(59), statuses(WARNING, 40)].concat());
    let ran = folder.run(&check);
    assert_eq!(ran.code, 1);
    let line = read(&folder).lines().position(|line| line.contains("7.ndjson") && line.contains("wrong-type"));
    let line = line.expect("it is recorded") + 1;
    let document = folder.json(&format!("logs --baseline {BASELINE}"));
    assert_eq!(rules(&document), ["stale-baseline"]);
    assert_eq!(place(&document["findings"][0]), (BASELINE, line as u64));
    assert_eq!(
        document["findings"][0]["message"],
        "60 wrong-type findings in logs/7.ndjson (session.status /payload/pending) were recorded here, \
         but only 59 are left"
    );
    assert_eq!(document["summary"]["baselined"], 999);

    // The original command updates the baseline.
    record(&folder, "logs");
    let ran = folder.run(&check);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("999 known findings are in the baseline"), "{}", ran.out);
}

#[test]
fn a_baseline_is_an_entry_a_line_sorted_and_without_this_machine_s_paths() {
    let folder = Folder::with(&[
        ("in/b.ndjson", &[NOTE, ERROR, WARNING, ERROR].concat()),
        ("in/a\u{1b}\".ndjson", ERROR),
        ("kept/readme", ""),
    ]);
    let elsewhere = "check ../in --write-baseline sessionlint-baseline.toml";
    let mut command = folder.command(elsewhere.split(' '));
    command.current_dir(folder.path().join("kept"));
    assert!(command.status().expect("it runs").success());
    let expected = "\
# Known findings, which sessionlint does not report; it reports all others.
# Written by: sessionlint check PATHS --write-baseline FILE
version = 1
findings = [
    { file = \"../in/a\\U0000001B\\\".ndjson\", rule = \"wrong-type\", type = \"session.status\", pointer = \"/payload/pending\", count = 1 },
    { file = \"../in/b.ndjson\", rule = \"label-contradicts-pending\", type = \"session.status\", pointer = \"/payload/status_label\", count = 1 },
    { file = \"../in/b.ndjson\", rule = \"unknown-field\", type = \"session.status\", pointer = \"/payload/shade\", count = 1 },
    { file = \"../in/b.ndjson\", rule = \"wrong-type\", type = \"session.status\", pointer = \"/payload/pending\", count = 2 },
]
";
    let baseline = folder.path().join("kept").join(BASELINE);
    assert_eq!(fs::read_to_string(baseline).expect("it is there"), expected);
    // Run from another folder, with other names for the files.
    let ran = folder
        .run(&format!("check {}/in ./in/b.ndjson --fail-on note --baseline kept/{BASELINE}", folder.path().display()));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
}

#[test]
fn a_finding_that_moves_within_an_array_stays_known() {
    let good = r#"{"tool_call_id":"c","tool_name":"t","ok":true,"output":{}}"#;
    let bad = r#"{"tool_call_id":"c","tool_name":"t","ok":"yes","output":{}}"#;
    let results = |items: &[&str]| {
        event("session.tool.results", &format!(r#"{{"session_id":"s","results":[{}]}}"#, items.join(",")))
    };
    let folder = Folder::with(&[("a.ndjson", &results(&[bad, good]))]);
    record(&folder, "a.ndjson --fragment");
    assert!(read(&folder).contains("pointer = \"/payload/results/*/ok\""), "{}", read(&folder));
    folder.write("a.ndjson", results(&[good, good, bad]));
    let document = folder.json(&format!("a.ndjson --fragment --baseline {BASELINE}"));
    assert!(!rules(&document).contains(&"wrong-type"), "{document}");
}

#[test]
fn the_reports_say_how_many_findings_are_held_back() {
    let folder =
        Folder::with(&[("a.ndjson", &[ERROR, WARNING, NOTE, &NOTE.replace("\"idle\"", "\"ready\"")].concat())]);
    let all = folder.json("a.ndjson");
    assert_eq!(counts(&all), [1, 1, 2], "a repeated note counts too");
    assert_eq!(all["summary"]["baselined"], 0);
    record(&folder, "a.ndjson");
    let document = folder.json(&format!("a.ndjson --baseline {BASELINE}"));
    assert_eq!(document["findings"], json!([]));
    assert_eq!((counts(&document), &document["summary"]["by_rule"]), ([0, 0, 0], &json!({})));
    assert_eq!(document["summary"]["baselined"], 4);
    let printed = |format: &str| folder.run(&format!("check a.ndjson --format {format} --baseline {BASELINE}")).out;
    for format in ["human", "markdown", "sarif"] {
        assert!(printed(format).contains("4 known findings are in the baseline"), "{}", printed(format));
    }
    assert!(printed("junit").contains("without findings that the baseline does not know"), "{}", printed("junit"));
    folder.write("a.ndjson", ERROR);
    record(&folder, "a.ndjson");
    assert!(printed("human").contains("1 known finding is in the baseline"), "{}", printed("human"));
}

#[test]
fn known_findings_do_not_use_up_max_findings() {
    let folder = Folder::with(&[("a.ndjson", ERROR), ("b.ndjson", CLEAN)]);
    record(&folder, ".");
    folder.write("b.ndjson", statuses(WARNING, 3));
    let document = folder.json(&format!("a.ndjson b.ndjson --max-findings 1 --baseline {BASELINE}"));
    assert_eq!(files(&document), ["b.ndjson"]);
    assert_eq!(counts(&document), [0, 3, 0]);
    let ran = folder.run(&format!("check a.ndjson b.ndjson --max-findings 1 --baseline {BASELINE}"));
    assert!(ran.out.starts_with("warning[") && ran.out.contains("2 more findings not shown"), "{}", ran.out);
}

#[test]
fn what_was_not_judged_is_neither_stale_nor_forgotten() {
    let folder = Folder::with(&[("x/a.ndjson", ERROR), ("y/b.ndjson", &[ERROR, WARNING].concat())]);
    record(&folder, "x y");
    let baseline = read(&folder);
    // Other paths, a rule that is off, and standard input.
    for arguments in ["x", "y/b.ndjson", "x y --rule wrong-type=off"] {
        assert_eq!(rules(&folder.json(&format!("{arguments} --baseline {BASELINE}"))), [""; 0], "{arguments}");
        record(&folder, arguments);
        assert_eq!(read(&folder), baseline, "{arguments}");
    }
    // A file that cannot be read.
    fs::rename(folder.path().join("x/a.ndjson"), folder.path().join("a")).expect("renamed");
    let ran = folder.run(&format!("check x/a.ndjson y --baseline {BASELINE}"));
    assert_eq!((ran.code, ran.out.contains("stale-baseline")), (2, false), "{}", ran.out);
    // A file that is gone from a folder that is checked, and one from a folder that is not.
    assert_eq!(rules(&folder.json(&format!("y --baseline {BASELINE}"))), [""; 0]);
    let document = folder.json(&format!(". --baseline {BASELINE}"));
    assert_eq!(rules(&document), ["stale-baseline"]);
    let message = document["findings"][0]["message"].as_str().expect("a message");
    assert!(message.ends_with("was recorded here, but none is left"), "{message}");
    record(&folder, ".");
    assert!(!read(&folder).contains("x/a.ndjson") && read(&folder).contains("y/b.ndjson"), "{}", read(&folder));
}

#[test]
fn a_baseline_is_no_recording_and_no_recording_becomes_a_baseline() {
    let folder = Folder::with(&[("rec/a.ndjson", ERROR)]);
    for arguments in ["--write-baseline rec/known.json", "--write-baseline rec/known.json", "--baseline rec/known.json"]
    {
        let ran = folder.run(&format!("check rec {arguments}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments}");
        assert!(ran.out.starts_with("1 file, 1 event,"), "{arguments}: {}", ran.out);
    }
    for (arguments, says) in [
        ("rec rec/known.json --write-baseline rec/../rec/known.json", "is to be checked, so no baseline"),
        ("rec --write-baseline rec/a.ndjson", "rec/a.ndjson"),
    ] {
        let ran = folder.run(&format!("check {arguments}"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.contains(says), "{arguments}: {}", ran.err);
    }
    assert_eq!(fs::read_to_string(folder.path().join("rec/a.ndjson")).expect("it is there"), ERROR);
}

#[test]
fn standard_input_has_a_baseline_too() {
    let folder = Folder::new();
    assert_eq!(folder.run_with_input(&format!("check - --write-baseline {BASELINE}"), ERROR.as_bytes()).code, 0);
    let check = format!("check - --baseline {BASELINE}");
    assert_eq!(folder.run_with_input(&check, ERROR.as_bytes()).code, 0);
    assert_eq!(folder.run_with_input(&check, ERROR.repeat(2).as_bytes()).code, 1);
    assert_eq!(folder.run_with_input(&check, CLEAN.as_bytes()).code, 1, "it is stale");
    folder.write("a.ndjson", CLEAN);
    assert_eq!(folder.run(&format!("check . --baseline {BASELINE}")).code, 0, "but only where it is checked");
}

#[test]
fn stale_entries_are_findings_of_a_rule_like_any_other() {
    let folder = Folder::with(&[("a.ndjson", &[ERROR, WARNING].concat())]);
    record(&folder, "a.ndjson");
    folder.write("a.ndjson", CLEAN);
    let check = format!("check a.ndjson --baseline {BASELINE}");
    let ran = folder.run(&check);
    assert_eq!(ran.code, 1);
    for words in
        ["error[stale-baseline] sessionlint-baseline.toml:5:5", "line 6: 1 wrong-type finding in a.ndjson", "help:"]
    {
        assert!(ran.out.contains(words), "{words}\n{}", ran.out);
    }
    assert!(ran.out.contains("--write-baseline sessionlint-baseline.toml"), "{}", ran.out);
    assert!(
        ran.out
            .ends_with("1 file, 1 event, 1 stream: 2 errors, 0 warnings, 0 notes; checked against session-events.\n"),
        "{}",
        ran.out
    );
    assert_eq!(folder.run(&format!("{check} --rule stale-baseline=warning")).code, 0);
    assert_eq!(folder.run(&format!("{check} --rule stale-baseline=off --fail-on note")).code, 0);

    assert!(folder.run("rules").out.contains("stale-baseline"));
    assert!(folder.run("explain stale-baseline").out.contains("--write-baseline"));
    let sarif: Value = serde_json::from_str(&folder.run(&format!("{check} --format sarif")).out).expect("JSON");
    let (run, result) = (&sarif["runs"][0], &sarif["runs"][0]["results"][0]);
    let index = result["ruleIndex"].as_u64().expect("the rule is in the list") as usize;
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "stale-baseline");
}

#[test]
fn the_report_with_a_baseline_is_the_same_for_any_number_of_threads() {
    let folder = Folder::new();
    for number in 0..20 {
        folder
            .write(format!("{number}.ndjson"), [ERROR.repeat(number + 1), WARNING.repeat(3), NOTE.repeat(2)].concat());
    }
    folder.write("long.ndjson", [ERROR, WARNING, CLEAN].concat().repeat(4000));
    let record = |jobs: u32| {
        record(&folder, &format!(". --jobs {jobs}"));
        read(&folder)
    };
    let baseline = record(1);
    assert_eq!(record(4), baseline);
    folder.write("3.ndjson", ERROR);
    folder.write("4.ndjson", ERROR.repeat(30));
    folder.write("long.ndjson", [ERROR, WARNING, CLEAN].concat().repeat(4001));
    for paths in [".", "long.ndjson"] {
        let report = |jobs: u32| folder.run(&format!("check {paths} --all --jobs {jobs} --baseline {BASELINE}")).out;
        assert_eq!(report(1), report(4), "{paths}");
    }
}

#[test]
fn a_recording_s_name_may_be_written_by_hand_in_other_ways() {
    let folder = Folder::with(&[("x/a.ndjson", ERROR)]);
    record(&folder, "x");
    let written = read(&folder);
    let absolute = folder.path().join("x/a.ndjson");
    for name in ["./x/a.ndjson", "x//a.ndjson", "y/../x/./a.ndjson", &absolute.to_string_lossy()] {
        let name = name.replace('\\', "/");
        folder.write(BASELINE, written.replace("\"x/a.ndjson\"", &format!("\"{name}\"")));
        let ran = folder.run(&format!("check x --baseline {BASELINE} --fail-on note"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}: {}", ran.out);
    }
}

#[test]
fn a_baseline_is_recorded_although_the_reader_of_the_report_goes_away() {
    let folder = Folder::with(&[("a", &ERROR.repeat(3000)), ("b", &WARNING.repeat(3000))]);
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let status = folder.command(["check", "a", "b", "--write-baseline", BASELINE]).stdout(writer).status();
    assert_eq!(status.expect("the program starts").code(), Some(0));
    assert_eq!(folder.run(&format!("check a b --fail-on note --baseline {BASELINE}")).code, 0);
}

#[test]
fn the_configuration_may_name_the_baseline() {
    let folder = Folder::with(&[
        ("in/sessionlint.toml", "version = 1\nbaseline = \"known.toml\"\n"),
        ("in/a.ndjson", ERROR),
        ("in/b.ndjson", CLEAN),
    ]);
    let ran = folder.run("check in");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "a baseline that is not there is no empty one");
    assert!(ran.err.contains("in/sessionlint.toml:2:12"), "it is shown where it is named: {}", ran.err);
    assert!(
        ran.err.contains("the baseline known.toml cannot be read") && ran.err.contains("--write-baseline"),
        "{}",
        ran.err
    );
    assert_eq!(folder.run("check in --write-baseline in/known.toml").code, 0);
    assert_eq!(folder.run("check in").code, 0);
    assert_eq!(folder.run("check in --no-config").code, 1);
    folder.write("other.toml", "version = 1\nfindings = []\n");
    assert_eq!(folder.run("check in --baseline other.toml").code, 1, "the command line wins");
}

#[test]
fn a_baseline_that_cannot_be_used_exits_2_and_stays_as_it_is() {
    let folder = Folder::with(&[("a.ndjson", ERROR), ("folder/x", "")]);
    let entry = "{ file = \"a\", rule = \"r\", count = 1 }";
    for (text, words) in [
        ("version = 2\nfindings = []\n".to_owned(), "reads version 1"),
        ("version = 1\n".to_owned(), "there is no `findings` here"),
        (format!("version = 1\nfindings = [{entry}, {entry}]\n"), "records the same"),
        (format!("version = 1\nfindings = [{}]\n", entry.replace('1', "0")), "records no finding"),
        (format!("version = 1\nfindings = [{}]\n", entry.replace("rule", "rlue")), "there is no key `rlue` here"),
        ("version = \"1\"\nfindings = []\n".to_owned(), "`version` must be a whole number, but is of the type string"),
        (
            format!("version = 1\nfindings = [{entry}, {}]\n", entry.replace("\"a\"", "\"./x/../a\"")),
            "records the same",
        ),
        ("version = = 1 \x1b".to_owned(), "sessionlint-baseline.toml:1:11"),
    ] {
        folder.write(BASELINE, &text);
        for option in ["--baseline", "--write-baseline"] {
            let ran = folder.run(&format!("check a.ndjson {option} {BASELINE}"));
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text}");
            assert!(ran.err.contains(words) && !ran.err.contains('\x1b'), "{words}\n{}", ran.err);
            assert_eq!(read(&folder), text);
        }
    }
    for arguments in [
        "--baseline missing.toml",
        "--write-baseline folder",
        "--write-baseline missing/b.toml",
        "--baseline x --write-baseline x",
        "--write-baseline new.toml --format json=new.toml",
    ] {
        let ran = folder.run(&format!("check a.ndjson {arguments}"));
        assert_eq!((ran.code, ran.out.as_str(), ran.err.is_empty()), (2, "", false), "{arguments}");
    }
    assert!(!folder.path().join("new.toml").exists());
}

#[test]
fn what_is_too_much_to_record_is_not_recorded() {
    // Every line has a finding of its own kind, with a long name of its own.
    let line = |number: u32| {
        let key = format!("{number}{}", "k".repeat(60_000));
        CLEAN.replacen("\"session_id\"", &format!("\"{key}\":1,\"{key}\":1,\"session_id\""), 1)
    };
    let folder = Folder::with(&[
        ("a.ndjson", &(0..300).map(line).collect::<String>()),
        (BASELINE, "version = 1\nfindings = []\n"),
    ]);
    let ran = folder.run(&format!("check a.ndjson --format json=report --write-baseline {BASELINE}"));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("would be larger than 16 MiB and was not written"), "{}", ran.err);
    assert_eq!(read(&folder), "version = 1\nfindings = []\n", "it stays as it was");
}
