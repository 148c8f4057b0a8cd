//! The options of `check` that change the report.

use super::program::{CLEAN, ERROR, Folder, NOTE, OPEN, WARNING, counts, event, ran, rules, statuses};

#[test]
fn a_fragment_is_not_judged_by_what_is_outside_of_it() {
    // The start of the call and the end of the turn are cut off.
    let middle = event(
        "session.tool.call.completed",
        r#"{"session_id":"s","tool_call_id":"c","tool_name":"t","ok":true,"duration_ms":1}"#,
    );
    let folder = Folder::with(&[("cut", &format!("{middle}{OPEN}"))]);
    assert_eq!(rules(&folder.json("cut")), ["unknown-tool-call", "turn-unfinished"]);
    assert_eq!(rules(&folder.json("--fragment cut")), [""; 0]);
}

#[test]
fn a_fragment_is_judged_by_what_is_in_it() {
    let completed = event("session.completed", r#"{"session_id":"s","final_message":"Hi"}"#);
    let chunk = event("session.stream.chunk", r#"{"session_id":"s","text":"Hi","done":true}"#);
    let folder = Folder::with(&[("cut", &[ERROR, CLEAN, OPEN, &completed, CLEAN, &chunk].concat())]);
    // Whatever came before the cut-out, its turn is over when the last chunk comes.
    assert_eq!(rules(&folder.json("--fragment cut")), ["wrong-type", "turn-not-started"]);
}

#[test]
fn a_rule_can_be_given_any_severity() {
    let folder = Folder::with(&[("warning", WARNING)]);
    let rule = "label-contradicts-pending";
    for (severity, code, expected) in [("error", 1, [1, 0, 0]), ("warning", 0, [0, 1, 0]), ("note", 0, [0, 0, 1])] {
        let setting = format!("--rule {rule}={severity} warning");
        let document = folder.json(&setting);
        assert_eq!(document["findings"][0]["severity"], severity);
        assert_eq!(counts(&document), expected, "{severity}");
        assert_eq!(folder.run(&format!("check {setting}")).code, code, "{severity}");
    }
}

#[test]
fn a_rule_that_is_off_is_neither_shown_nor_counted() {
    let folder = Folder::with(&[("a", &format!("{ERROR}{WARNING}{NOTE}"))]);
    let document = folder.json("--rule wrong-type=off --rule unknown-field=off a");
    assert_eq!(rules(&document), ["label-contradicts-pending"]);
    assert_eq!(counts(&document), [0, 1, 0]);
    assert_eq!(document["summary"]["by_rule"], serde_json::json!({"label-contradicts-pending": 1}));
    assert_eq!(folder.run("check --rule wrong-type=off a").code, 0);
}

#[test]
fn the_last_setting_of_a_rule_counts() {
    let folder = Folder::with(&[("warning", WARNING)]);
    let setting = "--rule label-contradicts-pending=off --rule label-contradicts-pending=error warning";
    assert_eq!(folder.run(&format!("check {setting}")).code, 1);
}

#[test]
fn max_findings_cuts_what_is_shown_and_nothing_else() {
    // There are five errors; the first two findings that are shown are warnings.
    let folder = Folder::with(&[("a", &statuses(WARNING, 2)), ("b", &ERROR.repeat(5))]);
    let whole = folder.json("a b");
    let cut = folder.json("--max-findings 2 a b");
    assert_eq!(rules(&cut), ["label-contradicts-pending"; 2]);
    assert_eq!(cut["summary"], whole["summary"]);
    assert_eq!(counts(&cut), [5, 2, 0]);

    let ran = folder.run("check --max-findings 2 a b");
    assert_eq!(ran.code, 1, "what is not shown fails the run all the same");
    assert!(!ran.out.contains("wrong-type"), "{}", ran.out);
    assert!(ran.out.contains("5 more findings not shown (--max-findings)."), "{}", ran.out);
    assert!(
        ran.out.ends_with(
            "2 files, 7 events, 2 streams: 5 errors, 2 warnings, 0 notes; checked against session-events.\n"
        ),
        "{}",
        ran.out
    );

    let ran = folder.run("check --max-findings 6 a b");
    assert!(ran.out.contains("1 more finding not shown"), "{}", ran.out);
    let ran = folder.run("check --max-findings 0 a b");
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("7 more findings not shown"), "{}", ran.out);
}

/// Returns a report with its words on one line.
fn words(report: &str) -> String {
    report.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the number of findings of a rule that are shown as blocks of their own.
fn blocks(report: &str, rule: &str) -> usize {
    report.matches(&format!("[{rule}]")).count()
}

#[test]
fn findings_of_one_cause_are_one_block() {
    let folder = Folder::with(&[("one", ERROR), ("two", &ERROR.repeat(2)), ("six", &ERROR.repeat(6))]);
    let one = words(&folder.run("check one").out);
    assert_eq!(blocks(&one, "wrong-type"), 1);
    assert!(!one.contains(" places)") && !one.contains("also in"), "{one}");

    let two = words(&folder.run("check two").out);
    assert_eq!(blocks(&two, "wrong-type"), 1);
    assert!(two.contains("(in 2 places)") && two.contains("also in line 2 "), "{two}");

    let six = words(&folder.run("check six").out);
    assert_eq!(blocks(&six, "wrong-type"), 1);
    assert!(six.contains("(in 6 places)") && six.contains("also in lines 2 to 6"), "{six}");
    assert!(six.contains("6 errors"), "the summary counts each: {six}");

    let all = words(&folder.run("check --all six").out);
    assert_eq!(blocks(&all, "wrong-type"), 6);
    assert!(!all.contains(" places)"), "{all}");
}

#[test]
fn a_block_names_a_line_once_and_not_that_of_the_finding_it_shows() {
    let twice = |line: &str, count: usize| {
        line.replace("\"payload\":{", &format!("\"payload\":{{{}", r#""k":1,"#.repeat(count)))
    };
    let folder = Folder::with(&[("one", &twice(CLEAN, 20)), ("two", &twice(CLEAN, 20).repeat(2))]);
    let one = words(&folder.run("check one").out);
    assert!(one.contains("(in 19 places)") && !one.contains("also in line"), "{one}");
    let two = words(&folder.run("check two").out);
    assert!(two.contains("(in 38 places)") && two.contains("also in line 2 "), "{two}");
}

#[test]
fn a_cause_is_shown_of_three_files_and_others_are_named() {
    let names: Vec<_> = (0..20).map(|number| format!("{number:02}.ndjson")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), ERROR)).collect();
    let folder = Folder::with(&files);
    let ran = folder.run("check .");
    assert_eq!(blocks(&ran.out, "wrong-type"), 3, "{}", ran.out);
    let words = words(&ran.out);
    assert!(
        words.contains("17 findings like those above are in 17 more files, and not shown without --all:"),
        "{words}"
    );
    assert!(words.contains("./03.ndjson, ./04.ndjson,") && words.contains("./12.ndjson, …"), "{words}");
    assert!(words.contains("20 error wrong-type"), "a table of the rules: {words}");
    assert!(
        ran.out.ends_with(
            "20 files, 20 events, 20 streams: 20 errors, 0 warnings, 0 notes; checked against session-events.\n"
        ),
        "{}",
        ran.out
    );
    assert_eq!(blocks(&folder.run("check --all .").out, "wrong-type"), 20);
}

#[test]
fn what_follows_from_a_file_without_events_is_named_and_not_shown() {
    let other = "{\"type\":\"order.paid\",\"amount\":7}\n";
    let folder = Folder::with(&[("a", &[other, "[1]\n"].concat())]);
    let ran = folder.run("check a");
    assert_eq!((blocks(&ran.out, "no-events"), blocks(&ran.out, "unknown-event")), (1, 0), "{}", ran.out);
    let names = "unknown-event and not-an-event follow from this and are not shown without --all";
    assert!(words(&ran.out).contains(names), "{}", ran.out);
    let all = folder.run("check --all a");
    assert_eq!((blocks(&all.out, "unknown-event"), blocks(&all.out, "not-an-event")), (1, 1), "{}", all.out);
}

#[test]
fn all_counts_what_is_reported_once_a_file() {
    let folder = Folder::with(&[("a", &[&event("my.tick", "{}").repeat(3), CLEAN].concat())]);
    let ran = folder.run("check --all --rule repeated-events=off a");
    assert_eq!(blocks(&ran.out, "unknown-event"), 1, "{}", ran.out);
    assert!(ran.out.contains("  a: unknown-event: my.tick occurs 2 more times\n"), "{}", ran.out);
}

#[test]
fn a_report_fits_the_width_and_breaks_no_word() {
    let folder = Folder::with(&[("a", &ERROR.replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000"))]);
    let protocol = sessionlint::Protocol::builtin("session-events").expect("it is built in");
    let text = std::fs::read(folder.path().join("a")).expect("readable");
    let report = sessionlint::check(protocol, &text, sessionlint::Options::default());
    for width in 60..=200 {
        let text =
            sessionlint::ReportExt::text(&report, protocol, sessionlint::TextOptions::default().with_width(width));
        for line in text.lines() {
            assert!(line.chars().count() <= width || !line.trim().contains(' '), "{width}: {line}");
        }
        assert!(text.contains("\"2026-01-01T00:00:00.000000\""), "{width}: {text}");
    }
}

#[test]
fn events_that_come_again_are_judged_where_that_is_no_finding() {
    let call = r#"{"session_id":"s","tool_call_id":"c","tool_name":"t","tool_input":{}}"#;
    let folder = Folder::with(&[("a", &[OPEN, &event("session.tool.call.started", call).repeat(2)].concat())]);
    let repeated = folder.json("a");
    assert!(rules(&repeated).contains(&"repeated-events") && !rules(&repeated).contains(&"duplicate-tool-call"));
    let judged = folder.json("a --rule repeated-events=off");
    assert!(rules(&judged).contains(&"duplicate-tool-call"), "{judged}");
}

#[test]
fn an_invalid_severity_is_reported_with_its_option() {
    let folder = Folder::with(&[("a", CLEAN)]);
    let ran = folder.run("check --rule idle-missing=of a");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--rule idle-missing=of: of is not a severity"), "{}", ran.err);
    let ran = folder.run("check --format =json a");
    assert!(ran.err.contains("an empty name is not a format"), "{}", ran.err);
}

#[test]
fn one_message_that_is_skipped_is_counted_as_one() {
    let folder = Folder::with(&[("a", &format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{}}}}\n{CLEAN}"))]);
    let ran = folder.run("check a");
    assert!(
        ran.out.ends_with("; 1 message skipped that carries no event; checked against session-events.\n"),
        "{}",
        ran.out
    );
}

#[test]
fn a_long_fold_names_the_first_lines() {
    let folder = Folder::with(&[("many", &ERROR.repeat(1000))]);
    let ran = folder.run("check many");
    assert_eq!(blocks(&ran.out, "wrong-type"), 1);
    assert!(words(&ran.out).contains("(in 1000 places)"), "{}", ran.out);
    assert!(ran.out.contains("also in lines 2 to 1000\n"), "{}", ran.out);

    let apart = [ERROR, CLEAN].concat().repeat(40);
    let folder = Folder::with(&[("apart", &apart)]);
    let ran = folder.run("check --rule repeated-events=off apart");
    assert!(ran.out.contains("also in lines 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, …"), "{}", ran.out);
}

#[test]
fn findings_of_another_file_or_field_have_causes_of_their_own() {
    let label = ERROR.replace(r#""no""#, "false").replace(r#""idle""#, "7");
    let folder = Folder::with(&[
        ("a", &format!("{}{}", ERROR.repeat(3), label.repeat(3))),
        ("b", &ERROR.repeat(3)),
        ("c", &event("session.error", r#"{"session_id":"s","error":1,"code":2}"#).repeat(3)),
    ]);
    let ran = folder.run("check --rule error-outside-turn=off a b c");
    assert_eq!(blocks(&ran.out, "wrong-type"), 2 + 1 + 2, "{}", ran.out);
}

#[test]
fn quiet_leaves_the_summary_out_and_nothing_else() {
    let folder = Folder::with(&[("error", ERROR), ("clean", CLEAN)]);
    for option in ["-q", "--quiet"] {
        let ran = folder.run(&format!("check {option} clean"));
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
        let ran = folder.run(&format!("check {option} error"));
        assert_eq!(ran.code, 1);
        assert!(ran.out.contains("error[wrong-type]") && !ran.out.contains("1 file"), "{}", ran.out);
    }
}

/// A whole turn with one tool call, then the same session idle, then an event of an unknown type.
fn turn_with_a_call() -> String {
    let call = r#""session_id":"s","tool_call_id":"c","tool_name":"t""#;
    [
        OPEN.to_owned(),
        event("session.tool.call.started", &format!(r#"{{{call},"tool_input":{{}}}}"#)),
        event("session.tool.call.completed", &format!(r#"{{{call},"ok":true,"duration_ms":1}}"#)),
        event(
            "session.tool.results",
            r#"{"session_id":"s","results":[{"tool_call_id":"c","tool_name":"t","ok":true,"output":{}}]}"#,
        ),
        event("session.completed", r#"{"session_id":"s","final_message":"Hi"}"#),
        CLEAN.to_owned(),
        event("custom.tick", r#"{"session_id":"s"}"#),
    ]
    .concat()
}

#[test]
fn stats_count_events_turns_calls_bytes_and_time() {
    let recording = turn_with_a_call();
    let folder = Folder::with(&[("a", &recording), ("b", &recording)]);
    let document = folder.json("--stats a b");
    let stats = &document["stats"];
    let by_type = serde_json::json!({
        "custom.tick": 2,
        "session.completed": 2,
        "session.status": 4,
        "session.tool.call.completed": 2,
        "session.tool.call.started": 2,
        "session.tool.results": 2,
    });
    assert_eq!(stats["by_type"], by_type);
    assert_eq!(stats["opened"]["turn"], 2);
    assert_eq!(stats["opened"]["tool-call"], 2);
    assert_eq!(stats["streams"], 2);
    assert_eq!(stats["bytes"], 2 * recording.len());
    assert!(stats["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{stats}");

    let shown = folder.run("check --stats a b").out;
    let words: Vec<_> = shown.split_whitespace().collect();
    let says = |wanted: &[&str]| words.windows(wanted.len()).any(|found| found == wanted);
    assert!(says(&["4", "session.status"]) && says(&["2", "custom.tick"]), "{shown}");
    assert!(says(&["2", "opened:", "turn"]) && says(&["2", "opened:", "tool-call"]), "{shown}");
    assert!(says(&[&(2 * recording.len()).to_string(), "bytes", "in"]), "{shown}");
}

#[test]
fn limits_are_said_and_not_silent() {
    let folder = Folder::with(&[("a", &format!("{CLEAN}{}", CLEAN.replace("idle", &"x".repeat(200))))]);
    assert_eq!(rules(&folder.json("--max-line-bytes 200 a")), ["line-too-long"]);

    let two = format!("{CLEAN}{}", CLEAN.replace(r#""session_id":"s""#, r#""session_id":"other""#));
    folder.write("b", two);
    let document = folder.json("--max-streams 1 b");
    assert_eq!(rules(&document), ["check-skipped"]);

    let chunk = event("session.stream.chunk", r#"{"session_id":"s","text":"Hello","done":true}"#);
    let completed = event("session.completed", r#"{"session_id":"s","final_message":"Bye"}"#);
    folder.write("c", [OPEN, &chunk, &completed, CLEAN].concat());
    assert_eq!(rules(&folder.json("c")), ["final-message-mismatch"]);
    assert_eq!(rules(&folder.json("--max-text-bytes 4 c")), ["check-skipped"]);
}

const ESCAPE: char = '\u{1b}';

#[test]
fn colours_are_for_terminals_unless_the_caller_asks_for_them() {
    let folder = Folder::with(&[("a", &format!("{ERROR}{NOTE}"))]);
    // Standard output is not a terminal here.
    for arguments in ["check a", "check --color auto a", "check --color never a"] {
        assert!(!folder.run(arguments).out.contains(ESCAPE), "{arguments}");
    }
    assert!(folder.run("check --color always a").out.contains(ESCAPE));

    let with = |name: &str, arguments: &str| {
        let mut command = folder.command(arguments.split_whitespace());
        command.env(name, "1");
        ran(command)
    };
    assert!(with("CLICOLOR_FORCE", "check a").out.contains(ESCAPE), "so that NO_COLOR has something to win over");
    let mut command = folder.command(["check", "a"]);
    command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    assert!(!ran(command).out.contains(ESCAPE), "NO_COLOR is respected");
    assert!(!with("CLICOLOR_FORCE", "check --color never a").out.contains(ESCAPE), "an option wins over the variable");
    assert!(with("NO_COLOR", "check --color always a").out.contains(ESCAPE), "an option wins over the variable");
    assert!(!folder.run("check --color always --format json a").out.contains(ESCAPE), "JSON has no colours");
    assert!(!folder.run("check --color always --format jsonl a").out.contains(ESCAPE), "JSON has no colours");
}
