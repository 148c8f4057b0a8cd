//! Tests of the public checker: events passed one by one with rows, large buffers, and stored records.

use sessionlint_core::{Checker, Finding, Options, Protocol, Report, check};

fn protocol(name: &str) -> &'static Protocol {
    Protocol::builtin(name).expect("it is built in")
}

fn status(pending: bool, second: u32) -> String {
    let label = if pending { "thinking" } else { "idle" };
    format!(
        r#"{{"type":"session.status","timestamp":"2026-01-01T00:00:{second:02}Z","payload":{{"session_id":"s","pending":{pending},"status_label":"{label}"}}}}"#
    )
}

fn call(second: u32) -> String {
    format!(
        r#"{{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:{second:02}Z","payload":{{"session_id":"s","tool_call_id":"c","tool_name":"t","tool_input":{{}}}}}}"#
    )
}

fn completed(second: u32) -> String {
    format!(
        r#"{{"type":"session.completed","timestamp":"2026-01-01T00:00:{second:02}Z","payload":{{"session_id":"s","final_message":""}}}}"#
    )
}

/// A finding's rule, row, line and column, and the rows of its related places.
type Summary<'r> = (&'r str, Option<u64>, u64, u64, Vec<Option<u64>>);

/// Returns the summary of each finding.
fn summaries(report: &Report) -> Vec<Summary<'_>> {
    fn of(finding: &Finding) -> Summary<'_> {
        let Finding { rule, place, related, .. } = finding;
        (rule, place.row, place.line, place.column, related.iter().map(|related| related.place.row).collect())
    }
    report.findings.iter().map(of).collect()
}

#[test]
fn events_passed_by_themselves_are_judged_in_order_and_found_by_their_rows() {
    let mut checker = Checker::new(protocol("session-events"), Options::default());
    for (event, row) in [(status(true, 0), 70), (call(1), 80), (completed(2), 90), (status(false, 3), 100)] {
        checker.event(event.as_bytes(), row);
    }
    let report = checker.finish();
    assert_eq!(summaries(&report), [("tool-call-unfinished", Some(90), 1, 9, vec![Some(80)])]);
    assert_eq!((report.summary.events, report.summary.streams), (4, 1));
}

/// U+FFFD is found on every way that an event can take, and is said once for each field.
#[test]
fn what_was_decoded_wrongly_is_found_however_the_event_is_read() {
    for written in ["\u{FFFD}", "\\ufffd", "\\uFFFD"] {
        let message = completed(1).replace(r#":""}"#, &format!(r#":"a{written}"}}"#));
        let lines = [status(true, 0), message.clone(), status(false, 2), status(true, 3), message, status(false, 4)];
        let text = lines.join("\n") + "\n";
        let mut by_pieces = Checker::new(protocol("session-events"), Options::default());
        text.as_bytes().chunks(7).for_each(|piece| by_pieces.feed(piece));
        let mut by_events = Checker::new(protocol("session-events"), Options::default());
        lines.iter().zip(0..).for_each(|(event, row)| by_events.event(event.as_bytes(), row));
        let whole = check(protocol("session-events"), text.as_bytes(), Options::default());
        for (report, line) in [(whole, 2), (by_pieces.finish(), 2), (by_events.finish(), 1)] {
            let found = report.findings.iter().filter(|finding| &*finding.rule == "replacement-character");
            let places: Vec<_> = found.map(|finding| (finding.place.line, finding.pointer.as_deref())).collect();
            assert_eq!(places, [(line, Some("/payload/final_message"))], "{written}");
            assert_eq!(report.summary.by_rule["replacement-character"], 2, "{written}");
        }
    }
}

/// The value at such a key may be faultless, so the finding speaks of the key.
#[test]
fn a_key_that_was_decoded_wrongly_is_called_a_key() {
    for (event, message) in [
        (
            status(true, 0).replace("\"payload\":{", "\"payload\":{\"\u{FFFD}\":1,"),
            "a key of `payload` contains U+FFFD in place of bytes that could not be decoded",
        ),
        (
            status(true, 0).replacen('{', "{\"\\ufffd\":1,", 1),
            "a key contains U+FFFD in place of bytes that could not be decoded",
        ),
    ] {
        let report = check(protocol("session-events"), event.as_bytes(), Options::default());
        let found = report.findings.iter().find(|finding| &*finding.rule == "replacement-character");
        assert_eq!(found.map(|finding| &*finding.message), Some(message), "{event}");
    }
}

#[test]
fn line_ends_and_blanks_do_not_split_an_event() {
    let pretty = status(true, 0).replace(',', ",\n\t").replace('{', "{\r\n");
    let mut checker = Checker::new(protocol("session-events"), Options::default());
    checker.event(format!("\n  {pretty}\n").as_bytes(), 7);
    checker.event(completed(1).replace(r#""final_message":"""#, "\"final_message\":\n17").as_bytes(), 8);
    checker.event(status(false, 2).as_bytes(), 9);
    let report = checker.finish();
    assert_eq!(summaries(&report), [("wrong-type", Some(8), 2, 1, vec![])]);
}

#[test]
fn bytes_that_are_not_an_event_are_one_finding_at_their_row() {
    let options = Options::default().with_max_line_bytes(200);
    let of = |bytes: &[u8]| {
        let mut checker = Checker::new(protocol("session-events"), options.clone());
        checker.event(bytes, 3);
        let report = checker.finish();
        let found = summaries(&report).into_iter().map(|(rule, row, ..)| (rule.to_owned(), row));
        found.collect::<Vec<_>>()
    };
    // What is too long or names a type may have been an event; of the others it is said that there was none.
    let alone = |rule: &str| vec![(rule.to_owned(), Some(3))];
    let at_row = |rule: &str| [alone(rule), vec![("no-events".to_owned(), None)]].concat();
    assert_eq!(of(b"{\"type\":\"session.status\""), alone("invalid-json"));
    assert_eq!(of(b"{\"type\":"), at_row("invalid-json"));
    assert_eq!(of(b"{} {}"), at_row("invalid-json"));
    assert_eq!(of(b"[]"), at_row("not-an-event"));
    assert_eq!(of(b"\"\xff\""), at_row("invalid-utf8"));
    assert_eq!(of(b" "), alone("invalid-json"));
    assert_eq!(of(format!("\"{}\"", "x".repeat(200)).as_bytes()), alone("line-too-long"));
}

#[test]
fn an_event_without_text_is_said_to_be_empty() {
    let mut checker = Checker::new(protocol("session-events"), Options::default());
    checker.events(b"", [(0..0, 7)]);
    let finding = &checker.take_findings()[0];
    assert_eq!((&*finding.rule, finding.place.row), ("invalid-json", Some(7)));
    assert_eq!(finding.message, "this is not JSON: it is empty");
}

/// What is around events of messages is read once, and a fault there is found in each message that has it.
#[test]
fn faults_around_events_are_found_in_every_message() {
    let message = |around: &str, second| {
        format!("{{\"jsonrpc\":\"2.0\",{around}\"params\":{}}}\n", status(second % 2 == 1, second))
    };
    let lines = ["", "", "\"id\":1,\"id\":2,", "", "\"id\":1,\"id\":2,", ""];
    let input: String = lines.iter().zip(1..).map(|(around, second)| message(around, second)).collect();
    let options =
        Options::default().with_rule(protocol("session-events"), "turn-empty", None).expect("there is such a rule");
    let report = check(protocol("session-events"), input.as_bytes(), options);
    let found: Vec<_> = report.findings.iter().map(|finding| (&*finding.rule, finding.place.line)).collect();
    assert_eq!(found, [("duplicate-key", 3), ("duplicate-key", 5)]);
    assert_eq!(report.summary.events, 6);
}

#[test]
fn large_buffers_have_the_findings_of_small_ones() {
    let mut recording = String::new();
    for turn in 0..3000 {
        let second = turn % 60;
        let call = call(second).replace(r#""c""#, &format!(r#""c{turn}""#));
        recording += &[status(true, second), call, completed(second), status(false, second), String::new()].join("\n");
    }
    assert!(recording.len() > 1 << 20);
    let whole = check(protocol("session-events"), recording.as_bytes(), Options::default());
    let mut checker = Checker::new(protocol("session-events"), Options::default());
    recording.as_bytes().chunks(1000).for_each(|piece| checker.feed(piece));
    assert_eq!(whole, checker.finish());
    assert!(whole.summary.errors >= 3000, "{:?}", whole.summary);
}

/// The text of a stream's last event is not copied before something needs it.
#[test]
fn a_finding_shows_the_event_before_it_however_the_events_were_read() {
    let chunk = |stream: &str, number: u32, second: u32| {
        format!(
            r#"{{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:{second:02}Z","payload":{{"session_id":"{stream}","text":"{stream}{number}","done":false}}}}"#
        )
    };
    let opened = |stream: &str| status(true, 0).replace(r#""s""#, &format!(r#""{stream}""#));
    let mut events = vec![opened("a"), opened("b")];
    events.extend((10..50).map(|number| chunk(if number % 3 == 0 { "b" } else { "a" }, number, number)));
    // It is earlier than the last one of its stream, which another stream has followed.
    events.extend([chunk("b", 50, 50), chunk("a", 51, 9)]);
    let last = chunk("a", 49, 49);
    let check = |feed: &dyn Fn(&mut Checker)| {
        let options = Options::default().with_fragment(true);
        let mut checker = Checker::new(protocol("session-events"), options);
        feed(&mut checker);
        let report = checker.finish();
        let shown = report.findings.iter().flat_map(|finding| &finding.related).map(|one| &one.place.excerpt.text);
        assert_eq!(shown.collect::<Vec<_>>(), [&last]);
    };
    let lines = events.join("\n") + "\n";
    check(&|checker| checker.feed(lines.as_bytes()));
    check(&|checker| lines.as_bytes().chunks(700).for_each(|piece| checker.feed(piece)));
    check(&|checker| events.iter().zip(0..).for_each(|(event, row)| checker.event(event.as_bytes(), row)));
    let server_sent: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    check(&|checker| checker.feed(server_sent.as_bytes()));
}

#[test]
fn stored_records_are_judged_in_any_order() {
    let session = r#"{"timestamp":"2026-01-01T00:00:10Z","session_id":"s1","conversation_id":"k","agent_name":"a"}"#;
    let event = r#"{"timestamp":"2026-01-01T00:00:05Z","session_id":"s1","type":"sms"}"#;
    let records = format!(r#"{{"events":[{event}],"sessions":[{session}],"actions":[]}}"#);
    let whole = check(protocol("session-records"), records.as_bytes(), Options::default());
    assert_eq!(whole.summary.records, 2);
    let early: Vec<_> = whole.findings.iter().map(|finding| (&*finding.rule, finding.related.len())).collect();
    assert!(early.contains(&("event-before-session", 1)), "{early:?}");

    let mut checker = Checker::new(protocol("session-records"), Options::default());
    checker.event(event.as_bytes(), 1);
    checker.event(session.as_bytes(), 2);
    let report = checker.finish();
    let early = summaries(&report).into_iter().find(|(rule, ..)| *rule == "event-before-session").expect("it is early");
    assert_eq!((early.1, early.4), (Some(1), vec![Some(2)]));
}
