//! The first stream is a conversation as it usually goes.

use serde_json::Value;
use sessionlint_core::check;
use sessionlint_core::event::Options;

use super::super::*;

/// The number of seeds.
const SEEDS: u64 = 12;

/// Makes the first stream of a built-in protocol from several seeds. Each must have no finding, hold these events in this
/// order, others between them, and end with the last of them; it must not hold those of `never`. An event is its type, or
/// the text that is one.
#[track_caller]
fn goes(name: &str, at: &str, events: &[&str], never: &[&str]) {
    let protocol = Protocol::builtin(name).expect("it is built in");
    for seed in 0..SEEDS {
        let stream = plain_from_seed(protocol, &StreamOptions::default(), seed).expect("there is a plain stream");
        let shown = String::from_utf8_lossy(&stream.ndjson()).into_owned();
        let written = if speaks_of_sse(protocol) { stream.server_sent(protocol) } else { stream.ndjson() };
        assert_eq!(check(protocol, &written, Options::default()).findings, [], "{name}, {seed}: {shown}");
        let types: Vec<String> = stream.lines.iter().map(|line| type_at(line, at)).collect();
        let mut rest = types.iter();
        assert!(events.iter().all(|event| rest.any(|found| found == event)), "{name}, {seed}: {shown}");
        assert_eq!(types.last().map(String::as_str), events.last().copied(), "{name}, {seed}: {shown}");
        assert!(!types.iter().any(|found| never.contains(&found.as_str())), "{name}, {seed}: {shown}");
    }
}

/// Returns what an event has at a place, as a text; the event itself if it is no JSON, or has nothing there.
fn type_at(line: &[u8], at: &str) -> String {
    let event: Option<Value> = serde_json::from_slice(line).ok();
    let found = event.as_ref().and_then(|event| event.pointer(at)).and_then(Value::as_str);
    found.map_or_else(|| String::from_utf8_lossy(line).into_owned(), str::to_owned)
}

#[test]
fn a_session_is_completed_and_goes_idle() {
    let events = [
        "session.status",
        "session.tool.call.started",
        "session.tool.call.completed",
        "session.tool.results",
        "session.completed",
        "session.status",
    ];
    goes("session-events", "/type", &events, &["session.error", "session.interrupted"]);
}

#[test]
fn a_message_stops() {
    let events = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    goes("anthropic-messages", "/type", &events, &["error"]);
}

#[test]
fn a_completion_finishes_and_is_done() {
    goes("openai-chat", "/choices/0/delta/role", &["assistant", "[DONE]"], &[]);
    goes("openai-chat", "/choices/0/finish_reason", &["[DONE]"], &["length", "content_filter"]);
    goes("openai-chat", "/error/type", &["[DONE]"], &["server_error"]);
}

#[test]
fn a_response_is_completed() {
    let events = [
        "response.created",
        "response.output_item.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_item.done",
        "response.completed",
    ];
    goes("openai-responses", "/type", &events, &["error", "response.failed", "response.incomplete"]);
}

/// A protocol of streams that is built in needs such a test, too.
#[test]
fn each_protocol_of_streams_is_here() {
    let streams =
        Protocol::builtin_names().filter(|name| Protocol::builtin(name).is_some_and(|it| !it.is_of_records()));
    let streams: std::collections::BTreeSet<_> = streams.collect();
    assert_eq!(streams, ["anthropic-messages", "openai-chat", "openai-responses", "session-events"].into());
}
