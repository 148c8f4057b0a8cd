//! Detects by the beginning of an input whether it holds stored records.

use crate::input::in_utf8;
use crate::protocol::Protocol;
use crate::protocol::records::Records;
use crate::schema::Pointer;
use crate::schema::tokens::{colon, key, space};
use crate::schema::walk::any_value;

/// Maximum number of bytes that detection reads, from the beginning of the decompressed input.
pub const DETECTION_BYTES: usize = 64 * 1024;

/// Returns the keys of the first object of a text that may be cut, each with the rest of the text from its value on.
/// Stops at the first key that cannot be read.
fn keys(text: &[u8]) -> Vec<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut at = space(text, 0);
    // The object may be in an array, or in nested ones.
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

/// Returns the text from the value of the key `name` on, if there is such a key.
fn value_of<'t>(keys: &[(&[u8], &'t [u8])], name: &str) -> Option<&'t [u8]> {
    keys.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| *value)
}

/// Returns whether an input holds stored records. An input that may be either records or a stream is a stream.
///
/// `text`: the beginning of the decompressed input, of which at most [`DETECTION_BYTES`] are read. `file`: its name.
/// `events`: the protocol of streams. `beside`: returns the protocol of records; called only if the text alone does not
/// decide.
pub fn looks_like_records<'p>(
    text: &[u8],
    file: &str,
    events: &Protocol,
    beside: impl Fn() -> Option<&'p Protocol>,
) -> bool {
    let text = &*in_utf8(&text[..text.len().min(DETECTION_BYTES)]);
    let keys = keys(text);
    let named = |records: &Records| super::kind_from_file_name(records, file).is_some();
    // An empty list is one of records only if the name of the file says so.
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
    // An event that lacks its other fields still has its type, so a field of that name is no evidence of a record.
    let mut telling_fields = records.kinds.iter().flat_map(|kind| &kind.telling).filter(|field| **field != event_type);
    let has_telling_field = telling_fields.any(|field| has(field).is_some());
    // A list with the key of a list of records may hold a stream.
    let no_events = |value: &[u8]| !is_event(&self::keys(value));
    let container = || {
        let mut known = records.containers.iter().flat_map(|container| &container.known);
        known.any(|keys| keys.iter().all(|key| has(key).is_some_and(no_events)))
    };
    has_telling_field || if time { named(records) } else { container() }
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
        let records = Protocol::builtin("session-records").and_then(|records| records.tables().records.as_ref());
        for field in records.expect("it is of records").kinds.iter().flat_map(|kind| &kind.telling) {
            let text = format!(r#"{{"timestamp":"2026-01-01T00:00:00Z","session_id":"a","{field}":null}}"#);
            assert_eq!(looks(&text, "x.json"), field != "type", "{field} tells, unless an event has it too");
        }
    }
}
