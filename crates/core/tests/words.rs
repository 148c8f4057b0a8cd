//! Tests of what findings say: one cause is said once, with the side that is to be mended.

use sessionlint_core::{Options, Protocol, Report, check};

/// A finding's line, rule, message and help; the help is empty if it is the rule's.
type Words = (u64, &'static str, &'static str, &'static str);

/// Returns the report on these events of one session, one a line.
fn judge(events: &[(&str, &str)]) -> Report {
    let line = |(second, (event_type, fields)): (usize, &(&str, &str))| {
        format!(
            r#"{{"type":"session.{event_type}","timestamp":"2026-01-01T00:00:{second:02}Z","payload":{{"session_id":"s"{fields}}}}}"#
        ) + "\n"
    };
    judge_text(&events.iter().enumerate().map(line).collect::<String>())
}

fn judge_text(text: &str) -> Report {
    check(Protocol::builtin("session-events").expect("it is built in"), text.as_bytes(), Options::default())
}

#[track_caller]
fn assert_words(report: &Report, expected: &[Words]) {
    let found = report.findings.iter().map(|finding| {
        (finding.place.line, &*finding.rule, &*finding.message, finding.help.as_deref().unwrap_or_default())
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

const THINKING: (&str, &str) = ("status", r#","pending":true,"status_label":"thinking""#);
const IDLE: (&str, &str) = ("status", r#","pending":false,"status_label":"idle""#);

/// Returns the report on a turn that streams these pieces and has this final message.
fn turn_with_text(pieces: &[&str], whole: &str) -> Report {
    let last = pieces.len() - 1;
    let chunk = |(index, piece): (usize, &&str)| format!(r#","text":"{piece}","done":{}"#, index == last);
    let chunks: Vec<_> = pieces.iter().enumerate().map(chunk).collect();
    let whole = format!(r#","final_message":"{whole}""#);
    let mut events = vec![THINKING];
    events.extend(chunks.iter().map(|chunk| ("stream.chunk", chunk.as_str())));
    events.extend([("completed", whole.as_str()), IDLE]);
    judge(&events)
}

#[test]
fn a_mismatch_says_how_it_came_about() {
    let rule = "final-message-mismatch";
    assert_words(
        &turn_with_text(&["The", "The answer", "The answer is 42."], "The answer is 42."),
        &[(
            5,
            rule,
            "final_message is not the text that was streamed: each piece repeats the whole text before it",
            "send only the new text in each piece",
        )],
    );
    assert_words(
        &turn_with_text(&["The answer", " is 42.", "The answer is 42."], "The answer is 42."),
        &[(
            5,
            rule,
            "final_message is not the text that was streamed: the whole text was streamed twice",
            "do not stream the whole text again when it is complete",
        )],
    );
    assert_words(
        &turn_with_text(&["42 ×", " 17 is ", " 17 is ", "714."], "42 × 17 is 714."),
        &[(
            6,
            rule,
            "final_message is not the text that was streamed: \" 17 is \" was streamed twice in a row",
            "send each piece once",
        )],
    );
    assert_words(
        &turn_with_text(&["one", "\\n\\n", "two\\n"], "one\\n\\ntwo"),
        &[(
            5,
            rule,
            "final_message is not the text that was streamed: it lacks \"\\n\" at the end (only white space differs)",
            "do not trim or reformat the text",
        )],
    );
    // What cannot be explained is said as it is found.
    assert_words(
        &turn_with_text(&["one", " two"], "one three"),
        &[(
            4,
            rule,
            "final_message is not the text that was streamed: after 4 characters, it has \"three\" instead of \"two\"",
            "",
        )],
    );
}

/// Nothing was streamed, so nothing is said of a stream.
#[test]
fn a_message_that_differs_is_not_called_a_stream() {
    let message = r#","message":{"role":"assistant","content":"It is raining."}"#;
    for (whole, parted) in [
        ("It is sunny.", "after 6 characters, it has \"sunny.\" instead of \"raining.\""),
        ("It is", "it lacks \" raining.\" at the end"),
        ("", "it is empty instead of \"It is raining.\""),
    ] {
        let whole = format!(r#","final_message":"{whole}""#);
        let report = judge(&[THINKING, ("message.appended", message), ("completed", &whole), IDLE]);
        let words = format!("final_message is not the assistant's last message: {parted}");
        let messages: Vec<_> = report.findings.iter().map(|finding| &*finding.message).collect();
        assert_eq!(messages, [words]);
    }
}

#[test]
fn a_status_that_is_sent_again_is_said_with_its_fields() {
    let report = judge(&[IDLE, IDLE]);
    let words = "the status is the same as before: pending = false, status_label = \"idle\"";
    assert_words(&report, &[(2, "status-unchanged", words, "")]);
}

/// A part that was written with escapes, and one behind a cut, are compared as the text that they are.
#[test]
fn the_cause_is_found_behind_a_cut_and_in_escapes() {
    let twice = r#","text":"\u0041nd ","done":false"#;
    let events = [
        THINKING,
        ("stream.chunk", r#","text":"First.","done":true"#),
        ("message.appended", r#","message":{"role":"assistant","content":"First."}"#),
        ("stream.chunk", r#","text":"And ","done":false"#),
        ("stream.chunk", twice),
        ("stream.chunk", r#","text":"then.","done":true"#),
        ("completed", r#","final_message":"And then.""#),
        IDLE,
    ];
    assert_words(
        &judge(&events),
        &[(
            7,
            "final-message-mismatch",
            "final_message is not the text that was streamed: \"And \" was streamed twice in a row",
            "send each piece once",
        )],
    );
}

const START: (&str, &str) = ("tool.call.started", r#","tool_call_id":"c1","tool_name":"bash","tool_input":{}"#);
const DONE: (&str, &str) =
    ("tool.call.completed", r#","tool_call_id":"c1","tool_name":"bash","ok":true,"duration_ms":1"#);
const RESULT: (&str, &str) =
    ("tool.results", r#","results":[{"tool_call_id":"c1","tool_name":"bash","ok":true,"output":{}}]"#);
const COMPLETED: (&str, &str) = ("completed", r#","final_message":"""#);

#[test]
fn a_wrong_id_is_laid_to_the_only_call_that_it_can_be_meant_for() {
    let wrong = (
        "unknown-tool-call",
        "no tool call with the id \"wrong\" was started, but the call \"c1\" is open",
        "use the id of the open call",
    );
    let of = |line: u64| (line, wrong.0, wrong.1, wrong.2);
    let wrong_done = DONE.1.replace("c1", "wrong");
    let report = judge(&[THINKING, START, (DONE.0, &wrong_done), RESULT, COMPLETED, IDLE]);
    assert_words(&report, &[of(3)]);
    let related = &report.findings[0].related;
    assert_eq!((related[0].place.line, &*related[0].message), (2, "the call was started here"));
    let wrong_result = RESULT.1.replace("c1", "wrong");
    assert_words(&judge(&[THINKING, START, DONE, (RESULT.0, &wrong_result), COMPLETED, IDLE]), &[of(4)]);
    // Both have the wrong id, and the start had no name.
    let no_name = START.1.replace("bash", "");
    let report =
        judge(&[THINKING, (START.0, &no_name), (DONE.0, &wrong_done), (RESULT.0, &wrong_result), COMPLETED, IDLE]);
    assert_words(&report, &[(2, "empty-tool-name", "tool_name is \"\" instead of the name of a tool", ""), of(3)]);
}

#[test]
fn a_wrong_id_is_laid_to_no_call_where_it_may_belong_to_several_or_to_none() {
    let unknown =
        |line: u64| (line, "unknown-tool-call", "no tool call with the id \"wrong\" was started in this session", "");
    let wrong_done = DONE.1.replace("c1", "wrong");
    let [start, done, result] =
        [START, DONE, RESULT].map(|(event_type, fields)| (event_type, fields.replace("c1", "c2")));
    let events = |events: &[(&str, &str)]| judge(events);
    // Two calls of the tool are open.
    let two = [
        THINKING,
        START,
        (start.0, &start.1),
        (DONE.0, &wrong_done),
        DONE,
        (done.0, &done.1),
        RESULT,
        (result.0, &result.1),
        COMPLETED,
        IDLE,
    ];
    assert_words(&events(&two), &[unknown(4)]);
    // The open call is one of another tool.
    let other_tool = wrong_done.replace("bash", "read_file");
    assert_words(&events(&[THINKING, START, (DONE.0, &other_tool), DONE, RESULT, COMPLETED, IDLE]), &[unknown(3)]);
    // No call is open any more.
    assert_words(&events(&[THINKING, START, DONE, RESULT, (DONE.0, &wrong_done), COMPLETED, IDLE]), &[unknown(5)]);
}

#[test]
fn a_call_that_is_started_again_is_told_from_an_id_that_is_used_again() {
    let again = START.1.replace("{}", r#"{"command":"ls"}"#);
    assert_words(
        &judge(&[THINKING, START, (START.0, &again), DONE, RESULT, COMPLETED, IDLE]),
        &[(
            3,
            "duplicate-tool-call",
            "the tool call \"c1\" was started again while it was still open",
            "start each tool call only once",
        )],
    );
    let used = ("duplicate-tool-call", "a tool call with the id \"c1\" was already started in this session", "");
    let other_tool = START.1.replace("bash", "read_file");
    assert_words(
        &judge(&[THINKING, START, (START.0, &other_tool), DONE, RESULT, COMPLETED, IDLE]),
        &[(3, used.0, used.1, used.2)],
    );
    let turn = [THINKING, START, DONE, RESULT, COMPLETED, IDLE];
    assert_words(&judge(&[turn, turn].concat()), &[(8, used.0, used.1, used.2)]);
}

/// Of two sessions, one of which has a single event, that one is probably named wrongly. What it broke at its place was said
/// before that was known.
#[test]
fn the_only_event_of_a_session_beside_another_one_is_named() {
    let line = |session: &str, event: &str| event.replace(r#""s""#, &format!("{session:?}")) + "\n";
    let [thinking, chunk, completed, idle] = EVENTS;
    let lines = [
        line("s", thinking),
        line("s", chunk).replace("true", "false"),
        line("other", chunk),
        line("s", chunk).replace(":01Z", ":01.5Z"),
        line("s", completed).replace(r#":"a""#, r#":"aa""#),
        line("s", idle),
    ];
    let report = judge_text(&lines.concat());
    let (last, rest) = report.findings.split_last().expect("there are some");
    assert_eq!(
        rest.iter().map(|finding| (finding.place.line, &*finding.rule)).collect::<Vec<_>>(),
        [(3, "turn-not-started")]
    );
    assert_eq!((last.place.line, &*last.rule), (3, "turn-unfinished"));
    assert_eq!(last.message, "only this event belongs to the session \"other\", while all others belong to \"s\"");
    assert_eq!(last.related.iter().map(|related| related.place.line).collect::<Vec<_>>(), [6]);
    // With a third session it is not clear to which one it belongs, and with a short one whether it is a mistake.
    let third = judge_text(&(lines.concat() + &line("third", idle)));
    assert!(third.findings.iter().all(|finding| !finding.message.contains("only this event")), "{third:?}");
    let short = judge_text(&(line("other", chunk) + &line("s", idle)));
    assert!(short.findings.iter().all(|finding| !finding.message.contains("only this event")), "{short:?}");
}

const EVENTS: [&str; 4] = [
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#,
    r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","text":"a","done":true}}"#,
    r#"{"type":"session.completed","timestamp":"2026-01-01T00:00:02Z","payload":{"session_id":"s","final_message":"a"}}"#,
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:03Z","payload":{"session_id":"s","pending":false,"status_label":"idle"}}"#,
];

/// Returns the events with one text in the place of another, as lines.
fn with(from: &str, to: &str) -> String {
    EVENTS.map(|event| event.replace(from, to) + "\n").concat()
}

#[test]
fn fields_without_the_object_around_them_are_one_finding_an_event() {
    let has = |line: u64, message: &'static str| (line, "missing-field", message, "put them into `payload`");
    let flat = with(r#""payload":{"#, "").replace("}}", "}");
    let report = judge_text(&flat);
    assert_words(
        &report,
        &[
            has(
                1,
                "the event has no `payload`, but has fields that belong in it: `session_id`, `pending`, `status_label`",
            ),
            has(2, "the event has no `payload`, but has fields that belong in it: `session_id`, `text`, `done`"),
            has(3, "the event has no `payload`, but has fields that belong in it: `session_id`, `final_message`"),
            has(
                4,
                "the event has no `payload`, but has fields that belong in it: `session_id`, `pending`, `status_label`",
            ),
        ],
    );
    assert!(report.repeats.is_empty(), "none of the fields is unknown: {:?}", report.repeats);
    assert!(report.findings.iter().all(|finding| finding.quote.is_none()), "no sentence is about `payload`");
    let camel = judge_text(&flat.replace("status_label", "statusLabel"));
    assert!(camel.findings[0].message.ends_with("`session_id`, `pending`, `statusLabel`"), "{camel:?}");
}

#[test]
fn an_object_of_another_name_is_renamed() {
    let renamed =
        |line| (line, "missing-field", "the event has no `payload`, but has `data`", "rename `data` to `payload`");
    assert_words(&judge_text(&with("payload", "data")), &[1, 2, 3, 4].map(renamed));
    // Something else beside it does not get in the way, and is still unknown.
    let other = with("payload", "data").replace("{\"type\"", "{\"meta\":{\"session_id\":\"s\"},\"type\"");
    let findings = judge_text(&other).findings;
    assert_eq!(findings.iter().filter(|finding| &*finding.rule == "unknown-field").count(), 3);
    // An object that lacks a required field is another one.
    let report = judge_text(&with("payload", "data").replace(r#""session_id":"s","#, ""));
    assert!(report.findings.iter().all(|finding| !finding.message.contains("but has")), "{report:?}");
}

#[test]
fn a_field_is_explained_by_its_own_sentence_alone() {
    let quotes = |text: &str| -> Vec<Option<String>> {
        judge_text(text).findings.iter().map(|finding| finding.quote.as_deref().map(str::to_owned)).collect()
    };
    assert_eq!(quotes(&with("00:03Z", "00:03")), [None], "a timestamp without a zone");
    assert_eq!(quotes(&with("true,", "\"yes\",")), [Some("Whether the session is actively processing".to_owned())]);
    // What an id is for does not explain that it is a string. The second time, the same is said from memory.
    let numbered = with("\"s\"", "1");
    assert_eq!(quotes(&format!("{numbered}{numbered}")), vec![None; 2 * EVENTS.len()]);
}
