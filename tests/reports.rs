//! The report for people: its words, their order, and the text under its marks.
//!
//! The expectations were written by hand from the recordings, not copied from a run. Line breaks and frames
//! are up to the report.

#[path = "built_program/mod.rs"]
mod built_program;

use std::fs;
use std::path::{Path, PathBuf};

use built_program::built_program;
use sessionlint::{Checker, Options, Protocol, ReportExt, Severity, TextOptions, check};

/// Something that must appear after the previous item of the list.
enum Part {
    /// These words, wherever lines break.
    Words(&'static str),
    /// This line of the recording, with a mark under this part of it.
    Source(u64, &'static str),
}

use Part::{Source, Words};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the report on a file of the corpus's broken streams, and the exit code.
fn report(file: &Path) -> (String, i32) {
    let output = built_program()
        .current_dir(root().join("corpus/session-events/invalid"))
        .args(["check", "--color", "never"])
        .arg(file)
        .output()
        .expect("the program starts");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code().expect("an exit code"))
}

/// Returns the report with all words of a block on one line, between its source lines.
fn unwrapped(report: &str) -> String {
    let mut text = String::new();
    for line in report.lines() {
        let is_wrapped = line.starts_with(' ') && !line.contains(" │") && !line.starts_with("  note[");
        text.push(if is_wrapped { ' ' } else { '\n' });
        text.push_str(if is_wrapped { line.trim_start() } else { line });
    }
    text
}

/// Returns the end of the recording's line in the report, and the text that is marked.
fn marked(report: &str, line: u64) -> Option<(usize, String)> {
    let start = format!("{line} │ ");
    let mut end = 0;
    let mut lines = report.split_inclusive('\n').peekable();
    while let Some(source) = lines.next() {
        end += source.len();
        if !source.trim_start().starts_with(&start) {
            continue;
        }
        let marks = lines.peek().filter(|marks| marks.trim_start().starts_with('│'))?;
        let under = source.chars().zip(marks.chars()).skip_while(|(_, mark)| !matches!(mark, '^' | '-'));
        let under = under.take_while(|(_, mark)| matches!(mark, '^' | '-'));
        return Some((end, under.map(|(c, _)| c).collect()));
    }
    None
}

/// Asserts that the report on a file has these items in order, this many findings, and this summary at its end.
fn assert_reads(file: &str, findings: usize, parts: &[Part], summary: &str) {
    let (report, _) = report(Path::new(file));
    let text = unwrapped(&report);
    let heads = text.lines().filter(|line| ["error[", "warning[", "  note["].iter().any(|head| line.starts_with(head)));
    assert_eq!(heads.count(), findings, "{report}");
    let mut rest = text.as_str();
    for part in parts {
        let missing = |what: String| format!("no {what} in what follows\n{rest}\nof\n{report}");
        let end = match part {
            Words(words) => {
                let at = rest.find(words).unwrap_or_else(|| panic!("{}", missing(format!("“{words}”"))));
                at + words.len()
            }
            Source(line, expected) => {
                let found = marked(rest, *line);
                let (end, found) = found.unwrap_or_else(|| panic!("{}", missing(format!("marked line {line}"))));
                assert_eq!(found, *expected, "the mark in line {line}\n{report}");
                end
            }
        };
        rest = &rest[end..];
    }
    assert_eq!(rest.trim_end().lines().last(), Some(summary), "{report}");
}

#[test]
fn a_finding_of_the_order_shows_the_event_that_it_goes_back_to() {
    assert_reads(
        "turn-not-ended/idle-between-a-tool-and-the-answer.ndjson",
        1,
        &[
            Words("error[turn-not-ended] turn-not-ended/idle-between-a-tool-and-the-answer.ndjson:4:114"),
            Words("the session went idle before its turn ended"),
            Source(1, "\"session.status\""),
            Words("the turn began here"),
            Source(4, "false"),
            Words("help: end every turn with session.completed, session.interrupted or session.error before"),
            Words("the session goes idle"),
            Words("“7. session.completed - Turn is complete” — Session events"),
        ],
        "1 file, 8 events, 1 stream: 1 error, 0 warnings, 0 notes; checked against session-events.",
    );
}

/// The label of a line stands beneath it even if its text is not kept, and never in place of the text.
#[test]
fn a_line_that_cannot_be_shown_is_named_and_explained() {
    let (report, _) = report(Path::new("repeated-events/a-message-sent-late-and-again.ndjson"));
    assert!(report.contains("\n  1 │ …\n    │ the event was first sent here\n  4 │ {"), "{report}");
}

#[test]
fn related_events_stand_in_the_order_of_the_file_and_the_finding_last() {
    assert_reads(
        "tool-completed-twice/after-its-result.ndjson",
        1,
        &[
            Words("error[tool-completed-twice] tool-completed-twice/after-its-result.ndjson:5:132"),
            Words("the tool call \"toolu_784255c0c5\" was already completed"),
            Source(2, "\"session.tool.call.started\""),
            Words("the call was started here"),
            Source(3, "\"session.tool.call.completed\""),
            Words("session.tool.call.completed was emitted here"),
            Source(5, "\"toolu_784255c0c5\""),
            Words("help: emit session.tool.call.completed only once for each call"),
            Words("“session.tool.call.completed / Emitted when a tool finishes executing.” — Session events"),
        ],
        "1 file, 7 events, 1 stream: 1 error, 0 warnings, 0 notes; checked against session-events.",
    );
}

#[test]
fn findings_stand_in_the_order_in_which_they_were_judged() {
    assert_reads(
        "invalid-json/the-next-turn-is-judged-again.ndjson",
        3,
        &[
            Words("error[invalid-json] invalid-json/the-next-turn-is-judged-again.ndjson:2:32"),
            Words("this is not JSON: expected a key in double quotes, found `o`"),
            Source(2, "o"),
            Words("help: serialize each event with a JSON library"),
            Words("error[chunk-after-done] invalid-json/the-next-turn-is-judged-again.ndjson:8:"),
            Words("a chunk was emitted after the one with done = true"),
            Source(7, "\"session.stream.chunk\""),
            Words("a text ended here, with done = true"),
            Source(8, "\"session.stream.chunk\""),
            Words("help: set done = true only on the last chunk of a text"),
            Words("“payload.done / boolean / Whether this is the final chunk in the stream” — Session events"),
            Words("note[check-skipped] invalid-json/the-next-turn-is-judged-again.ndjson:2:32: this line could not be"),
            Words("1 file, 9 events, 1 stream: 2 errors, 0 warnings, 1 note; checked against session-events."),
        ],
        "Not everything was checked: 1 finding of check-skipped.",
    );
}

#[test]
fn one_repair_is_one_block_whatever_event_it_is_in() {
    assert_reads(
        "missing-field/camel-case-keys.ndjson",
        1,
        &[
            Words("error[missing-field] missing-field/camel-case-keys.ndjson:1:"),
            Words("`payload` has no `status_label`, but has `statusLabel` (and 4 similar findings)"),
            Source(1, "\"statusLabel\""),
            Words("help: rename `statusLabel` to `status_label`, `toolCallId` to `tool_call_id`,"),
            Words("`durationMs` to `duration_ms`, `toolName` to `tool_name`, `finalMessage` to `final_message`"),
            Words("also in lines 4 to 6, 9"),
            Words("in events of the types session.status, session.tool.call.started,"),
        ],
        "1 file, 10 events, 1 stream: 5 errors, 0 warnings, 0 notes; checked against session-events.",
    );
}

#[test]
fn a_finding_of_a_field_names_its_event_and_quotes_the_document_on_it() {
    assert_reads(
        "missing-field/error-code.ndjson",
        1,
        &[
            Words("error[missing-field] missing-field/error-code.ndjson:2:79"),
            Words("session.error: `payload` has no `code`"),
            Source(2, "{\"session_id\":\"ses_0f7731be\",\"error\":\"Upstream returned 529\"}"),
            Words("help: add the missing field"),
            Words("“Error code for programmatic handling” — Session events"),
        ],
        "1 file, 6 events, 1 stream: 1 error, 0 warnings, 0 notes; checked against session-events.",
    );
}

#[test]
fn unknown_types_with_the_same_help_are_reported_together() {
    assert_reads(
        "unknown-event/first-of-each-type-only.ndjson",
        1,
        &[
            Words("warning[unknown-event] unknown-event/first-of-each-type-only.ndjson:3:"),
            Words("\"session.tool.call.progress\" is not an event type of this protocol (and 4 similar findings)"),
            Source(3, "\"session.tool.call.progress\""),
            Words("help: check the spelling. If the type is your own, allow it with --rule unknown-event=off"),
            Words("line 5: \"session.usage\" is not an event type of this protocol"),
        ],
        "1 file, 11 events, 1 stream: 0 errors, 5 warnings, 0 notes; checked against session-events.",
    );
}

#[test]
fn a_finding_of_the_end_stands_at_the_last_event_of_its_stream() {
    assert_reads(
        "idle-missing/ends-after-completed.sse",
        1,
        &[
            Words("error[idle-missing] idle-missing/ends-after-completed.sse:3:7"),
            Words("the turn was completed, but the session did not go back to idle"),
            Source(1, "\"session.status\""),
            Words("the turn began here"),
            Source(
                3,
                "{\"type\":\"session.completed\",\"timestamp\":\"2026-08-14T08:12:07.212Z\",\"payload\":{\"session_id\":\"",
            ),
            Words("help: emit session.status (pending = false, status_label = “idle”) after session.completed"),
            Words("“8. session.status - Status changes to ‘idle’” — Session events"),
        ],
        "1 file, 2 events, 1 stream: 1 error, 0 warnings, 0 notes; checked against session-events.",
    );
}

#[test]
fn a_text_that_differs_is_shown_where_it_parts() {
    assert_reads(
        "final-message-mismatch/one-element-a-line.json",
        1,
        &[
            Words("error[final-message-mismatch] final-message-mismatch/one-element-a-line.json:4:"),
            Words("final_message is not the text that was streamed"),
            Words("it is \"No.\" instead of \"Yes.\""),
            Source(3, "\"session.stream.chunk\""),
            Words("the streamed text began here"),
            Source(4, "No.\""),
            Words("help: set final_message to the joined chunks of the turn"),
            Words("“payload.final_message / string / The complete final message from the AI” — Session events"),
        ],
        "1 file, 4 events, 1 stream: 1 error, 0 warnings, 0 notes; checked against session-events.",
    );
}

#[test]
fn a_note_takes_one_line() {
    assert_reads(
        "unknown-field/in-a-message.ndjson",
        1,
        &[Words(
            "note[unknown-field] unknown-field/in-a-message.ndjson:3:173: session.message.appended: the protocol has \
             no field `payload.message.id`\n",
        )],
        "1 file, 5 events, 1 stream: 0 errors, 0 warnings, 1 note; checked against session-events.",
    );
}

/// The summary counts each of them.
#[test]
fn a_note_on_several_fields_says_in_how_many_places_they_are() {
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let text = |payloads: &[&str]| {
        let event = |more: &&str| {
            format!(
                r#"{{"type":"session.error","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"s","error":"e"{more}}}}}"#
            )
        };
        let lines: Vec<_> = payloads.iter().map(event).collect();
        let options = Options::default().with_severities([("repeated-events".to_owned(), None)]).with_fragment(true);
        let report = check(protocol, lines.join("\n").as_bytes(), options);
        let unknown = report.summary.by_rule["unknown-field"];
        (report.text(protocol, TextOptions::default()), unknown)
    };
    let (text_of_two, unknown) = text(&[r#","a":1,"b":1"#]);
    assert_eq!(unknown, 2);
    assert!(text_of_two.contains("`payload.a` or `payload.b`\n"), "{text_of_two}");
    let (text_of_more, unknown) = text(&[r#","a":1,"b":1"#, r#","a":2"#, r#","a":3"#]);
    assert_eq!(unknown, 4);
    assert!(unwrapped(&text_of_more).contains("`payload.a` or `payload.b` (in 4 places)"), "{text_of_more}");
}

#[test]
fn events_passed_one_by_one_go_by_their_numbers() {
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let event = |name: &str, payload: &str| {
        format!(
            r#"{{"type":"session.{name}","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"s",{payload}}}}}"#
        )
    };
    let mut checker = Checker::new(protocol, Options::default());
    checker.event(event("status", r#""pending":true,"status_label":"thinking""#).as_bytes(), 40);
    checker.event(event("completed", r#""final_message":"Hi""#).as_bytes(), 41);
    let text = checker.finish().text(protocol, TextOptions::default());
    assert!(text.starts_with("error[idle-missing] event 41\n"), "{text}");
    assert!(
        text.contains("  event 40 │ {\"type\":\"session.status\"") && text.contains("the turn began here"),
        "{text}"
    );
    assert!(text.contains("  event 41 │ {\"type\":\"session.completed\""), "{text}");
}

/// A recording of a producer that has the document's events with other payloads, in JSON-RPC messages.
fn other_payloads() -> PathBuf {
    root().join("tests/data/other-payloads.ndjson")
}

#[test]
fn other_payloads_are_read_to_the_end_and_judged_by_field_and_not_by_order() {
    let recording = fs::read(other_payloads()).expect("readable");
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let report = check(protocol, &recording, Options::default());

    // There are 55 lines: 48 events, 6 replies and a log message of the wire.
    assert_eq!(recording.iter().filter(|byte| **byte == b'\n').count(), 55);
    assert_eq!((report.summary.events, report.summary.skipped, report.summary.streams), (48, 7, 1));

    // 25 chunks lack text and done; 2 messages lack role and content; the call's start lacks its id, name and
    // input, and its completion id, name, ok and duration_ms; the completed turn lacks final_message. The results are
    // an object instead of an array.
    let errors: Vec<_> = report.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    let of = |rule: &str| errors.iter().filter(|finding| &*finding.rule == rule).count();
    assert_eq!(of("missing-field"), 2 * 25 + 2 * 2 + 3 + 4 + 1);
    assert_eq!(of("wrong-type"), 1);
    assert_eq!(errors.len(), of("missing-field") + of("wrong-type"), "no finding of the order follows");

    // The interrupted turn lacks its reason, which is no error. Everything else is about names that the document does not
    // have: two types, with 6 events in all.
    let others: Vec<_> = report.findings.iter().filter(|finding| finding.severity < Severity::Error).collect();
    let known = ["unknown-event", "unknown-field", "reason-missing"];
    assert!(others.iter().all(|finding| known.contains(&&*finding.rule)));
    assert_eq!((report.summary.warnings, report.summary.by_rule["unknown-event"]), (6 + 1, 6));
    assert_eq!(report.summary.by_rule["reason-missing"], 1);
}

#[test]
fn the_report_on_a_long_recording_that_differs_in_nearly_every_event_is_short() {
    let text = fs::read_to_string(other_payloads()).expect("readable");
    // Make it as long as a real recording: repeat every chunk 400 times.
    let long: String = text
        .lines()
        .map(|line| format!("{line}\n").repeat(if line.contains("session.stream.chunk") { 400 } else { 1 }))
        .collect();
    let file = std::env::temp_dir().join(format!("sessionlint-reports-{}.ndjson", std::process::id()));
    fs::write(&file, long).expect("writable");
    let reports = [report(&other_payloads()), report(&file)];
    fs::remove_file(&file).expect("it is there");
    for (report, code) in &reports {
        assert_eq!(*code, 1);
        assert!(report.lines().count() <= 100, "{} lines\n{report}", report.lines().count());
        // The report is short, and leaves nothing out.
        for name in [
            "session.message.appended",
            "session.stream.chunk",
            "session.tool.call.started",
            "session.tool.call.completed",
            "session.tool.results",
            "session.completed",
        ] {
            assert!(report.contains(name), "nothing on {name}\n{report}");
        }
        assert!(report.contains("session.interrupted has no reason"), "{report}");
    }
    let [(short, _), (long, _)] = &reports;
    assert!(unwrapped(short).contains("`payload` has no `done` or `text` (in 25 places)"), "{short}");
    assert!(unwrapped(long).contains("`payload` has no `done` or `text` (in 10000 places)"), "{long}");
    assert!(long.ends_with("7 messages skipped that carry no event; checked against session-events.\n"), "{long}");
}

/// Returns the report on events that are passed by themselves, each with a row.
fn report_on_events(events: &[(u64, &str)]) -> String {
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let mut checker = Checker::new(protocol, Options::default());
    events.iter().for_each(|(row, event)| checker.event(event.as_bytes(), *row));
    checker.finish().text(protocol, TextOptions::default().with_width(120))
}

#[test]
fn an_event_that_is_passed_by_itself_is_named_by_its_row_in_place_of_a_line() {
    let begin = r#"{"type":"session.status","timestamp":"2026-01-01T09:00:00Z","payload":{"session_id":"a","pending":true,"status_label":"thinking"}}"#;
    let call = r#"{"type":"session.tool.call.started","timestamp":"2026-01-01T09:00:01Z","payload":{"session_id":"a","tool_call_id":"c1","tool_name":"t","tool_input":{}}}"#;
    let end = r#"{"type":"session.completed","timestamp":"2026-01-01T09:00:02Z","payload":{"session_id":"a","final_message":"x"}}"#;
    let report = report_on_events(&[(2, begin), (7, call), (12, end)]);
    let of_call = report.split("\n\n").find(|block| block.contains("[tool-call-unfinished]")).expect("a block");
    let lines: Vec<&str> = of_call.lines().collect();
    assert_eq!(lines[0], "error[tool-call-unfinished] event 12", "{of_call}");
    // Both have the offset 0 in their own texts: rows decide the order.
    assert!(lines[2].starts_with("   event 7 │ {\"type\":\"session.tool.call.started\""), "{of_call}");
    assert!(lines[4].starts_with("  event 12 │ {\"type\":\"session.completed\""), "{of_call}");
    assert!(lines.len() > 5 && !report.contains("-:"), "{report}");
}

#[test]
fn events_with_mistakes_at_the_same_offsets_stay_apart() {
    let broken = r#"{"type":"session.status","timestamp":"2026-01-01T09:00:01Z","payload":{"session_id":"a","pending":"no","status_label":"idle"}}"#;
    let report = report_on_events(&[(0, broken), (4, broken), (u64::MAX, broken)]);
    assert!(report.contains("error[wrong-type] event 0\n"), "{report}");
    assert!(report.contains("also in events 4, 18446744073709551615"), "{report}");

    // An event that has none of its own is named by its row all the same.
    let begin = r#"{"type":"session.status","timestamp":"2026-01-01T09:00:00Z","payload":{"session_id":"a","pending":true,"status_label":"thinking"}}"#;
    let odd = report_on_events(&[(0, begin), (3, "{}"), (5, "[]")]);
    assert!(odd.contains("error[not-an-event] event 3\n") && odd.contains("event 5"), "{odd}");
}

/// A rule that speaks about parts, summaries and commands says of each what must come first, and quotes what the document says
/// of that.
#[test]
fn a_finding_has_the_words_of_its_case() {
    let cases = [
        (
            "a-text-without-a-part.ndjson",
            "emit response.content_part.added before all other events of the part",
            "“`response.content_part.added`: Emitted when a new content part is added.”",
        ),
        (
            "a-summary-is-done-that-was-not-added.ndjson",
            "emit response.reasoning_summary_part.added before all other events of the part",
            "“`response.reasoning_summary_part.added`: Emitted when a new reasoning summary part is added.”",
        ),
        (
            "a-command-that-was-not-added.ndjson",
            "emit response.shell_call_command.added before all other events of the command",
            "“`response.shell_call_command.added`: A streaming event that indicated a shell command was added to a tool call.”",
        ),
    ];
    for (file, help, quote) in cases {
        let (report, _) = report(&root().join("corpus/openai-responses/invalid/part-not-added").join(file));
        let report = unwrapped(&report);
        assert!(report.contains(&format!("help: {help}")) && report.contains(quote), "{report}");
    }
    let (report, _) =
        report(&root().join("corpus/openai-responses/invalid/failure-unexplained/failed-without-an-error.ndjson"));
    assert!(unwrapped(&report).contains("the response failed, but has no `error`"), "{report}");
}

/// What fits all cases of a rule is no more to be read where each finding has what fits it, and `explain` has all of it.
#[test]
fn what_a_case_says_takes_the_place_of_what_its_rule_says() {
    let general = "emit the event that adds a part before all its other events";
    let case = "emit response.reasoning_summary_part.added before all other events of the part";
    let run = |args: &[&str]| {
        let output = built_program().current_dir(root()).args(args).output().expect("the program starts");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let file = "corpus/openai-responses/invalid/part-not-added/a-summary-is-done-that-was-not-added.ndjson";
    let report = run(&["check", "--format", "agent", file]);
    assert!(report.contains(case) && !report.contains(general), "{report}");
    let explained = run(&["explain", "--protocol", "openai-responses", "part-not-added"]);
    let shown = format!("  of response.reasoning_summary_part.done and 2 others: {case}");
    assert!(explained.contains(general) && explained.contains(&shown), "{explained}");
}

/// The stream `7` of a recording must not look like a part of the place before it.
#[test]
fn a_stream_whose_name_is_a_number_is_called_one() {
    let broken = r#"{"type":"session.status","timestamp":"2026-01-01T09:00:01Z","payload":{"session_id":"ID","pending":"no","status_label":"idle"}}"#;
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    for (name, shown) in [("7", "-:1:99 in stream 7\n"), ("s7", "-:1:100 in s7\n")] {
        let line = broken.replace("ID", name) + "\n";
        let other = broken.replace("ID", "another").replace("\"no\"", "true") + "\n";
        let text =
            check(protocol, (line + &other).as_bytes(), Options::default()).text(protocol, TextOptions::default());
        assert!(text.contains(shown), "{text}");
    }
}
