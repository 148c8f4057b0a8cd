//! Fixes, by hand-written examples: what is fixed, and what is left alone. `lint/properties.rs` tests the properties of
//! every input.

use sessionlint_core::check;
use sessionlint_core::event::Options;
use sessionlint_core::protocol::Protocol;

use super::*;

fn protocol() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

fn tried(name: &str, text: &str, level: Level) -> (Option<String>, FixOutcome) {
    let reader = FixtureReader::of(protocol(), &Options::default(), name, None);
    let judge = |bytes: &[u8]| check(protocol(), bytes, Options::default());
    let mut fixed = fix(&reader, &judge, text.as_bytes(), level);
    let new = fixed.bytes.take().map(|bytes| String::from_utf8(bytes).expect("text"));
    (new, fixed)
}

/// Asserts that the unsafe fixes make exactly these edits. The text before each edit must occur once.
fn mends(name: &str, text: &str, rule: &str, edits: &[(&str, &str)]) {
    let mut wanted = text.to_owned();
    for (from, to) in edits {
        assert_eq!(wanted.matches(from).count(), 1, "{from} in {wanted}");
        wanted = wanted.replace(from, to);
    }
    let (new, fixed) = tried(name, text, Level::Unsafe);
    assert_eq!(new.as_deref(), Some(wanted.as_str()));
    assert_eq!(fixed.applied.get(rule), Some(&1), "{:?}", fixed.applied);
    assert_eq!(tried(name, &wanted, Level::Unsafe).0, None, "once is enough");
    assert_ne!(tried(name, text, Level::Safe).0.as_deref(), Some(wanted.as_str()), "that is not safe");
}

fn leaves_alone(name: &str, text: &str) -> FixOutcome {
    let (new, fixed) = tried(name, text, Level::Unsafe);
    assert_eq!(new, None);
    fixed
}

const BUSY: &str = r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#;
const DONE: &str = r#"{"type":"session.completed","timestamp":"2026-01-01T00:00:07.5+02:00","payload":{"session_id":"s","final_message":"Hi"}}"#;
const IDLE: &str = r#"{"type":"session.status","timestamp":"2026-01-01T00:00:07.5+02:00","payload":{"session_id":"s","pending":false,"status_label":"idle"}}"#;
const CHUNK: &str = r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","text":"H","done":false}}"#;
const LAST: &str = r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:02Z","payload":{"session_id":"s","text":"i","done":false}}"#;

fn busy(day: u8) -> String {
    BUSY.replace("2026-01-01", &format!("2026-01-{day:02}"))
}

fn done() -> String {
    DONE.replace("+02:00", "Z")
}

fn idle() -> String {
    IDLE.replace("+02:00", "Z")
}

#[test]
fn the_idle_status_comes_behind_the_completion_with_its_time() {
    let (done, idle) = (done(), idle());
    mends(
        "a.ndjson",
        &format!("{BUSY}\n{done}\n"),
        "idle-missing",
        &[(&format!("{done}\n"), &format!("{done}\n{idle}\n"))],
    );
    mends(
        "a.ndjson",
        &format!("{BUSY}\r\n{done}\r\n"),
        "idle-missing",
        &[(&format!("{done}\r\n"), &format!("{done}\r\n{idle}\r\n"))],
    );
    // Another turn follows, and a person spoke in between.
    let spoke = r#"{"type":"session.message.appended","timestamp":"2026-01-02T00:00:00Z","payload":{"session_id":"s","message":{"role":"user","content":"And?"}}}"#;
    let next = format!("{}\n{}\n{}\n", busy(2), done.replace("-01-01", "-01-02"), idle.replace("-01-01", "-01-02"));
    mends(
        "a.ndjson",
        &format!("{BUSY}\n{done}\n{spoke}\n{next}"),
        "idle-missing",
        &[(spoke, &format!("{idle}\n{spoke}"))],
    );
}

#[test]
fn an_event_is_inserted_in_the_framing_of_its_neighbour() {
    let (done, idle) = (done(), idle());
    mends("a.json", &format!("[\n  {BUSY},\n  {done}\n]\n"), "idle-missing", &[(&done, &format!("{done},\n  {idle}"))]);
    mends("a.json", &format!("[{BUSY},{done}]\n"), "idle-missing", &[(&done, &format!("{done},{idle}"))]);
    mends(
        "a.sse",
        &format!("data: {BUSY}\n\ndata: {done}\n\ndata: [DONE]\n\n"),
        "idle-missing",
        &[("data: [DONE]", &format!("data: {idle}\n\ndata: [DONE]"))],
    );
    let wrapped = |event: &str| format!("{{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{event}}}\n");
    mends(
        "a.jsonl",
        &format!("{}{}", wrapped(BUSY), wrapped(&done)),
        "idle-missing",
        &[(&wrapped(&done), &format!("{}{}", wrapped(&done), wrapped(&idle)))],
    );
}

#[test]
fn no_event_is_inserted_where_the_framing_tells_more_of_it() {
    let done = done();
    leaves_alone("a.sse", &format!("id: 1\ndata: {BUSY}\n\nid: 2\ndata: {done}\n\n"));
    let request =
        |id: u8, event: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"event\",\"params\":{event}}}\n");
    leaves_alone("a.jsonl", &format!("{}{}", request(1, BUSY), request(2, &done)));
    let named = |name: &str, event: &str| format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{name}\",\"params\":{event}}}\n");
    leaves_alone("a.jsonl", &format!("{}{}", named("session.status", BUSY), named("session.completed", &done)));
}

#[test]
fn the_last_chunk_of_the_text_is_marked() {
    mends(
        "a.ndjson",
        &format!("{BUSY}\n{CHUNK}\n{LAST}\n{}\n{}\n", done(), idle()),
        "stream-not-done",
        &[(LAST, &LAST.replace("false", "true"))],
    );
    // The last chunk of another session is left alone.
    let other = |event: &str| event.replace("\"s\"", "\"other\"");
    mends(
        "a.ndjson",
        &format!("{BUSY}\n{}\n{CHUNK}\n{LAST}\n{}\n{}\n{}\n", other(BUSY), other(CHUNK), done(), idle()).replace(
            &format!("{}\n", other(CHUNK)),
            &format!(
                "{}\n{}\n{}\n",
                other(&LAST.replace("\"i\"", "\"Hi\"").replace("false", "true")),
                other(&done()),
                other(&idle())
            ),
        ),
        "stream-not-done",
        &[(LAST, &LAST.replace("false", "true"))],
    );
}

#[test]
fn a_result_says_what_the_completion_said() {
    let example = protocol().example("ok-mismatch").expect("it has one");
    let (new, fixed) = tried("a.ndjson", &example.breaks, Level::Unsafe);
    assert_eq!(new.as_deref(), Some(example.keeps.as_str()));
    assert_eq!(fixed.applied.into_iter().collect::<Vec<_>>(), [("ok-mismatch".into(), 1)]);
}

#[test]
fn a_misspelt_key_gets_its_name_and_keeps_its_place() {
    let chunk = CHUNK.replace("false", "true").replace("\"H\"", "\"Hi\"");
    let stream = |chunk: &str| format!("{BUSY}\n{chunk}\n{}\n{}\n", done(), idle());
    mends("a.ndjson", &stream(&chunk.replace("\"text\"", "\"Text\"")), "missing-field", &[("\"Text\"", "\"text\"")]);
    mends(
        "a.ndjson",
        &stream(&chunk.replace("session_id", "sessionId")),
        "missing-field",
        &[("sessionId", "session_id")],
    );
}

#[test]
fn a_value_becomes_the_one_that_was_probably_meant() {
    let stream = |label: &str, busy: &str| {
        let message = format!(
            r#"{{"type":"session.message.appended","timestamp":"2026-01-01T00:00:01Z","payload":{{"session_id":"s","message":{{"role":{label},"content":"Hi"}}}}}}"#
        );
        format!("{busy}\n{message}\n{}\n{}\n", done(), idle())
    };
    mends("a.ndjson", &stream("\"Assistant\"", BUSY), "wrong-value", &[("\"Assistant\"", "\"assistant\"")]);
    mends(
        "a.ndjson",
        &stream("\"assistant\"", &BUSY.replace("true", "\"true\"")),
        "wrong-type",
        &[("\"true\"", "true")],
    );
    mends(
        "a.ndjson",
        &stream("\"assistant\"", BUSY).replace("message.appended", "message.apended"),
        "misspelt-event",
        &[("apended", "appended")],
    );
}

#[test]
fn several_are_mended_at_once_and_what_cannot_be_mended_stays() {
    let text = format!("{BUSY}\n{}\n{LAST}\n{}\n", CHUNK.replace("\"text\"", "\"texts\""), done());
    let (new, fixed) = tried("a.ndjson", &text, Level::Unsafe);
    let wanted = format!("{BUSY}\n{CHUNK}\n{}\n{}\n{}\n", LAST.replace("false", "true"), done(), idle());
    assert_eq!(new.as_deref(), Some(wanted.as_str()));
    let applied: Vec<_> = fixed.applied.iter().map(|(what, count)| (&**what, *count)).collect();
    assert_eq!(applied, [("idle-missing", 1), ("missing-field", 1), ("stream-not-done", 1)]);
}

#[test]
fn what_would_only_move_the_trouble_is_not_done() {
    // An idle status behind the completion would leave the chunk without a turn.
    let text = format!("{BUSY}\n{}\n{CHUNK}\n", done());
    let fixed = leaves_alone("a.ndjson", &text);
    assert_eq!(fixed.refused, 1);
}

#[test]
fn a_form_that_changes_what_is_found_is_not_written() {
    // On one line the second event would be the rest of the first, which is broken.
    let text = format!("{BUSY}\n{{\n \"type\":\n\"session.status\"\n}}\n");
    assert_eq!(tried("a.ndjson", &text, Level::Safe).0, None);
}
