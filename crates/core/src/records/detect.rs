//! Whether an input holds stored records, from its beginning.

use crate::protocol::Protocol;
use crate::protocol::records::Records;
use crate::schema::Pointer;
use crate::schema::tokens::{colon, key, space};
use crate::schema::walk::any_value;

/// How much of an input is looked at, in bytes.
pub const BEGINNING: usize = 64 * 1024;

/// The keys of the first object of an input, as far as they can be read: each with where its value starts.
fn keys(text: &[u8]) -> Vec<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut at = space(text, 0);
    // An array of them, or of arrays of them.
    while text.get(at) == Some(&b'[') {
        at = space(text, at + 1);
    }
    let mut keys = Vec::new();
    if text.get(at) != Some(&b'{') {
        return keys;
    }
    at = space(text, at + 1);
    while let Ok((start, end)) = key(text, at) {
        let Ok(value) = colon(text, end) else { break };
        keys.push((&text[start..end - 1], &text[value..]));
        let Ok(end) = any_value(text, value) else { break };
        at = space(text, end);
        if text.get(at) != Some(&b',') {
            break;
        }
        at = space(text, at + 1);
    }
    keys
}

/// The text from where the value of a key starts.
fn value_of<'t>(keys: &[(&[u8], &'t [u8])], name: &str) -> Option<&'t [u8]> {
    keys.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| *value)
}

/// Whether what begins so is stored records and no stream of events. Where it may be either, it is a stream.
///
/// `text`: the beginning of the file, decompressed; no more than [`BEGINNING`] bytes of it are looked at. `beside`: the protocol of records, asked for if it matters.
pub fn looks_like_records<'p>(
    text: &[u8],
    file: &str,
    events: &Protocol,
    beside: impl Fn() -> Option<&'p Protocol>,
) -> bool {
    let text = &text[..text.len().min(BEGINNING)];
    let keys = keys(text);
    let named = |records: &Records| super::kind_of_name(records, file).is_some();
    // A list of nothing is told by the file's name.
    if text.trim_ascii().strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii() == b"]") {
        return beside().and_then(|protocol| protocol.tables().records.as_ref()).is_some_and(named);
    }
    let has = |name: &str| value_of(&keys, name);
    let first = |pointer: &Pointer| pointer.0.first().cloned().unwrap_or_default();
    let event_type = first(&events.tables().shape.event_type);
    let is_event = |keys: &[(&[u8], &[u8])]| {
        let value = value_of(keys, &event_type).and_then(|value| value.strip_prefix(b"\""));
        let is =
            |name: &str, value: &[u8]| value.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"\""));
        value.is_some_and(|value| events.tables().events.iter().any(|event| is(&event.name, value)))
    };
    if keys.is_empty() || is_event(&keys) || has("jsonrpc").is_some() {
        return false;
    }
    let Some(protocol) = beside() else { return false };
    let Some(records) = &protocol.tables().records else { return false };
    let is_object = |value: &[u8]| value.first() == Some(&b'{');
    if records.event.as_ref().is_some_and(|at| has(&first(at)).is_some_and(is_object)) {
        return false;
    }
    let time = protocol.tables().shape.time.as_ref().is_some_and(|at| has(&first(at)).is_some());
    // An event that lost its other fields has its type still.
    let mut telling = records.kinds.iter().flat_map(|kind| &kind.telling).filter(|field| **field != event_type);
    let told = telling.any(|field| has(field).is_some());
    // What is called like a list of records may hold a stream.
    let no_events = |value: &[u8]| !is_event(&self::keys(value));
    let container = || {
        let mut known = records.containers.iter().flat_map(|container| &container.known);
        known.any(|keys| keys.iter().all(|key| has(key).is_some_and(no_events)))
    };
    told || if time { named(records) } else { container() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_from_streams_by_their_beginning() {
        let events = Protocol::builtin("session-events").expect("it is built in");
        let looks = |text: &str, file: &str| {
            looks_like_records(text.as_bytes(), file, events, || Protocol::builtin("session-records"))
        };
        assert!(looks(r#"{"timestamp":"2026-01-01T00:00:00Z","agent_name":"a"}"#, "x.json"));
        assert!(looks(r#" [ {"timestamp":"2026-01-01T00:00:00Z","session_id":"a"} ]"#, "sessions.json"));
        assert!(looks(r#"{"items":[{"timestamp":"2026-"#, "x.json"), "as far as it goes");
        assert!(looks("\u{feff}{\"session_id\":1,\"actions\":[]}", "x.json"));
        assert!(!looks(
            r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","session_id":"a"}"#,
            "sessions.json"
        ));
        assert!(!looks(r#"{"timestamp":"2026-01-01T00:00:00Z","description":"","payload":{}}"#, "x.json"));
        assert!(!looks(r#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"a"}"#, "x.json"), "nothing tells");
        assert!(!looks(r#"{"type":"session.custom","timestamp":"2026-01-01T00:00:00Z"}"#, "x.json"));
        assert!(looks(r#"{"session_id":"a","agent_name":"b"}"#, "x.json"), "a record without a timestamp");
        assert!(!looks(r#"{"events":[{"type":"session.status","payload":{}}]}"#, "x.json"), "a stream in an object");
        assert!(looks(r#"{"events":[{"timestamp":"2026-01-01T00:00:00Z","type":"sms"}]}"#, "x.json"));
        assert!(!looks(r#"{"jsonrpc":"2.0","items":[]}"#, "x.json"));
        assert!(!looks("data: {}", "sessions.json") && !looks("", "sessions.json") && !looks("{", "sessions.json"));
    }
}
