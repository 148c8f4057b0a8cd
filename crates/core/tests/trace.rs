//! A trace has each event of an input with the moves that it made.

use std::sync::Arc;

use sessionlint_core::Options;
use sessionlint_core::Protocol;
use sessionlint_core::check::{StreamChecker, TracedEvent};
use sessionlint_core::event::Settings;
use sessionlint_core::machine::Move;
use sessionlint_core::protocol::tables::{Certainty, States};

fn protocol() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

fn event(kind: &str, payload: &str) -> String {
    format!(r#"{{"type":"{kind}","timestamp":"2026-01-01T00:00:00Z","payload":{payload}}}"#)
}

fn status(pending: bool, label: &str) -> String {
    let payload = format!(r#"{{"session_id":"s","pending":{pending},"status_label":"{label}"}}"#);
    event("session.status", &payload)
}

fn traced(input: &str) -> Vec<TracedEvent> {
    let settings = Settings::new(protocol(), Options::default());
    let mut checker = StreamChecker::new(protocol(), &settings, Some(Arc::from("a.ndjson")));
    checker.trace();
    // In pieces, as a caller may read it.
    let mut events = Vec::new();
    for piece in input.as_bytes().chunks(100) {
        checker.feed(piece);
        events.extend(checker.traced());
    }
    let (_, rest) = checker.end_traced(None);
    events.extend(rest);
    events
}

/// Returns the moves of an event in a lifecycle, as the key and the names of the states before and after.
fn moves<'e>(event: &'e TracedEvent, lifecycle: &str) -> Vec<(&'e [String], String, String, &'e Move)> {
    let lifecycles = &protocol().tables().lifecycles;
    let number = lifecycles.iter().position(|one| one.name == lifecycle).expect("there is such a lifecycle");
    let name = |states: States| {
        let names: Vec<_> = states.iter().map(|state| lifecycles[number].states[usize::from(state)].as_str()).collect();
        names.join("|")
    };
    let of_lifecycle = event.moves.iter().filter(|one| one.lifecycle == number);
    of_lifecycle.map(|one| (one.key.as_slice(), name(one.from), name(one.to), one)).collect()
}

#[test]
fn an_event_has_its_place_its_time_its_stream_and_its_moves() {
    let call = event(
        "session.tool.call.started",
        r#"{"session_id":"s","tool_call_id":"c","tool_name":"bash","tool_input":{}}"#,
    );
    let events = traced(&format!("{}\n\n{{\"params\":{call}}}\n", status(true, "thinking")));
    let [first, second] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((first.place.line, first.place.start, first.place.event), (1, 0, Some(0)));
    assert_eq!((second.place.line, second.place.column, second.place.event), (3, 11, Some(1)));
    assert_eq!((second.text.as_str(), &*second.event_type), (call.as_str(), "session.tool.call.started"));
    assert_eq!((second.time.as_deref(), second.stream.as_deref()), (Some("2026-01-01T00:00:00Z"), Some("s")));
    let turn = moves(first, "turn");
    assert_eq!((turn[0].1.as_str(), turn[0].2.as_str()), ("idle", "announced"));
    assert_eq!((turn[0].3.opens, turn[0].3.rule), (Certainty::Yes, None));
    let calls = moves(second, "tool-call");
    assert_eq!(
        (calls[0].0, calls[0].1.as_str(), calls[0].2.as_str()),
        (["c".to_owned()].as_slice(), "absent", "started")
    );
}

#[test]
fn a_cell_that_reports_a_rule_is_a_move_with_that_rule() {
    let end = event("session.completed", r#"{"session_id":"s","final_message":"Done."}"#);
    let events = traced(&format!("{end}\n"));
    let turn = moves(&events[0], "turn");
    let rule = turn[0].3.rule.map(|rule| &*protocol().rules()[usize::from(rule.0)].name);
    assert_eq!(rule, Some("turn-not-started"));
}

#[test]
fn what_moves_nothing_and_what_is_unknown_are_events_without_moves() {
    let events = traced(&format!("{}\n{}\n", status(false, "idle"), event("nobody.knows", r#"{"session_id":"s"}"#)));
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.moves.is_empty()), "{events:?}");
    assert_eq!((events[0].known_type.is_some(), events[1].known_type), (true, None));
    assert_eq!(events[1].stream.as_deref(), Some("s"));
}

#[test]
fn after_a_lost_event_the_states_before_are_sets() {
    let events = traced(&format!("not JSON, but perhaps an event: {{\"type\"\n{}\n", status(true, "thinking")));
    let turn = moves(&events[0], "turn");
    assert!(turn[0].1.contains('|'), "{turn:?}");
}
