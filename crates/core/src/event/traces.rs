//! Traces of a protocol in JSON that holds no event of it: a name that is nearly one of its types, an event inside of
//! something else, a type under another key.
//!
//! Looking for them costs a walk over the whole value, so it is done only where no event was found.

use memchr::memmem::find_iter;

use super::finder::Event;
use super::wrapping::begins_object;
use crate::input::json::{Node, NodeKind, inner, parse, unescaped, unescaped_lossy};
use crate::protocol::tables::EventType;
use crate::protocol::{NearTypes, Protocol, Tables, word_count};
use crate::schema::{Fault, Pointer, judge};
use crate::text::is_spelt_alike;

/// The fewest words in the names of the fields by which a part of an event is known.
const PART_WORDS: usize = 4;

/// A trace of the protocol in a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// An event of a known type.
    Event,
    /// An event of a type that is nearly a known one: its name, and the known one.
    Near(String, String),
    /// An event inside of something else.
    Enclosed(Enclosure),
    /// An event whose type stands under another key.
    OtherKey(String),
    /// An object that has all other fields that every event must have.
    Fields,
    /// An object that has the fields of a part of an event, without the event: the key of the part.
    Part(String),
}

/// The place of events inside of something else.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Enclosure {
    /// The keys on the way to the event; `None` for the items of an array.
    pub path: Vec<Option<String>>,
    /// Whether a string has the event as its text.
    pub is_text: bool,
}

/// Finds traces of a protocol.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceFinder {
    near_types: NearTypes,
    /// The fields by which events and parts of them are known; `None` before the first use.
    telling: Option<TellingFields>,
}

/// The fields by which an object is known as an event or a part of one, as folded names.
#[derive(Clone, Debug)]
struct TellingFields {
    /// The fields that every event type requires besides its type.
    event: Vec<String>,
    /// The key of a part, and the fields that it requires in an event of some type.
    parts: Vec<(String, Vec<String>)>,
}

impl TraceFinder {
    /// Returns the event type that a name nearly is, like [`Protocol::near_event_type`].
    pub(crate) fn near_type<'p>(&mut self, protocol: &'p Protocol, name: &str) -> Option<&'p str> {
        self.near_types.find(protocol, name)
    }

    /// Returns the first trace of the protocol in a frame. `only_messages`: whether every frame is a JSON-RPC message.
    pub(crate) fn find(&mut self, protocol: &Protocol, root: &Node, text: &[u8], only_messages: bool) -> Option<Trace> {
        let event = Event::find(root, text, protocol, only_messages).ok();
        if let Some(event) = &event {
            if event.event_type.is_some() {
                return Some(Trace::Event);
            }
            if let Some(near) = self.near_type(protocol, &event.name) {
                return Some(Trace::Near(event.name.to_string(), near.to_owned()));
            }
            if let Some(told) = told_by_member(protocol, event.node, text) {
                return Some(Trace::Near(event.name.to_string(), told.to_owned()));
            }
        }
        let own = event.as_ref().map_or(root, |event| event.node);
        let mut path = Vec::new();
        if let Some(is_text) = self.enclosed(protocol, root, text, &mut path) {
            return Some(Trace::Enclosed(Enclosure { path, is_text }));
        }
        if let Some(key) = self.other_key(protocol, own, text) {
            return Some(Trace::OtherKey(key));
        }
        self.fields(protocol, own, text)
    }

    /// Returns the key under which an object has the name of a known type.
    fn other_key(&mut self, protocol: &Protocol, node: &Node, text: &[u8]) -> Option<String> {
        let key = protocol.tables().shape.event_type.0.last()?;
        let found = node.members().iter().find(|member| {
            let Some(name) = string(&member.value, text) else { return false };
            let is_spelt_so = || is_spelt_alike(&unescaped_lossy(inner(text, &member.key)), key);
            protocol.named_type(&name).is_some() || self.near_type(protocol, &name).is_some() && is_spelt_so()
        });
        found.map(|member| unescaped_lossy(inner(text, &member.key)).into_owned())
    }

    /// Finds an event inside of a value, and leaves the way to it in `path`. Returns whether it is a text.
    fn enclosed(
        &mut self,
        protocol: &Protocol,
        node: &Node,
        text: &[u8],
        path: &mut Vec<Option<String>>,
    ) -> Option<bool> {
        if !path.is_empty() && self.is_event(protocol, node, text) {
            return Some(false);
        }
        match &node.kind {
            NodeKind::String => {
                let raw = inner(text, &node.span);
                // Nothing else can be the text of an event, and nearly no other text is parsed.
                if !begins_object(raw) {
                    return None;
                }
                let event = unescaped(raw);
                let tree = parse(event.trim_ascii()).ok()?;
                self.is_event(protocol, &tree.root, event.trim_ascii()).then_some(true)
            }
            NodeKind::Array(items) => {
                path.push(None);
                let found = items.iter().find_map(|item| self.enclosed(protocol, item, text, path));
                if found.is_none() {
                    path.pop();
                }
                found
            }
            NodeKind::Object(members) => members.iter().find_map(|member| {
                path.push(Some(unescaped_lossy(inner(text, &member.key)).into_owned()));
                let found = self.enclosed(protocol, &member.value, text, path);
                if found.is_none() {
                    path.pop();
                }
                found
            }),
            _ => None,
        }
    }

    /// Returns whether an object has a known type as its own, or nearly one.
    fn is_event(&mut self, protocol: &Protocol, node: &Node, text: &[u8]) -> bool {
        let name = node.at(text, &protocol.tables().shape.event_type.0).and_then(|name| string(name, text));
        name.is_some_and(|name| protocol.named_type(&name).is_some() || self.near_type(protocol, &name).is_some())
    }

    /// Returns the trace that the keys of an object are.
    fn fields(&mut self, protocol: &Protocol, node: &Node, text: &[u8]) -> Option<Trace> {
        let TellingFields { event, parts } = self.telling.get_or_insert_with(|| TellingFields::of(protocol));
        let keys: Vec<_> =
            node.members().iter().map(|member| folded(&unescaped_lossy(inner(text, &member.key)))).collect();
        let has_all = |fields: &[String]| !fields.is_empty() && fields.iter().all(|field| keys.contains(field));
        if has_all(event) {
            return Some(Trace::Fields);
        }
        parts.iter().find(|(_, fields)| has_all(fields)).map(|(key, _)| Trace::Part(key.clone()))
    }
}

impl TellingFields {
    /// Returns the telling fields of a protocol. A key such as `type` stands in much other JSON too, and so do a few
    /// short keys together.
    fn of(protocol: &Protocol) -> TellingFields {
        let tables = protocol.tables();
        let is_type = |name: &str| Pointer(vec![name.to_owned()]).contains(&tables.shape.event_type);
        let required = |event: &EventType| -> Vec<String> {
            event.schema.required().into_iter().filter(|name| !is_type(name)).map(str::to_owned).collect()
        };
        let all: Vec<_> = tables.events.iter().map(required).collect();
        let of_all = |name: &&String| all.iter().all(|names| names.contains(name));
        let event = all.first().into_iter().flatten().filter(of_all).map(|name| folded(name)).collect();
        let mut parts: Vec<(String, Vec<String>)> = Vec::new();
        for (event, names) in tables.events.iter().zip(&all) {
            for key in names {
                let schema = event.schema.at(&[key]).schema();
                let fields = schema.and_then(|part| part.get("required")?.as_array());
                let fields: Vec<&str> = fields.into_iter().flatten().filter_map(|name| name.as_str()).collect();
                if fields.iter().map(|name| word_count(name)).sum::<usize>() >= PART_WORDS {
                    parts.push((key.clone(), fields.into_iter().map(folded).collect()));
                }
            }
        }
        TellingFields { event, parts }
    }
}

/// Returns the letters of a key, in lower case.
fn folded(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn string<'t>(node: &Node, text: &'t [u8]) -> Option<std::borrow::Cow<'t, str>> {
    (node.kind == NodeKind::String).then(|| unescaped_lossy(inner(text, &node.span)))
}

/// Returns whether a text that cannot be read has the name of an event type, as a string of its own.
pub(crate) fn names_event_type(protocol: &Protocol, text: &[u8]) -> bool {
    named_event_types(protocol, text).next().is_some()
}

/// Returns the event types whose names a text that cannot be read has, each as a string of its own.
pub(crate) fn named_event_types<'p>(protocol: &'p Protocol, text: &[u8]) -> impl Iterator<Item = &'p str> {
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\'' | b'\\'));
    let names = protocol.tables().events.iter().map(|event| &*event.name);
    names.filter(move |name| {
        let is_string = |at: usize| is_quote(text[..at].last()) && is_quote(text.get(at + name.len()));
        !name.is_empty() && find_iter(text, name.as_bytes()).any(is_string)
    })
}

/// Returns the type that a member tells of an object, of which nothing is wrong but the name of its type.
fn told_by_member<'p>(protocol: &'p Protocol, node: &Node, text: &[u8]) -> Option<&'p str> {
    let Tables { shape, events, .. } = protocol.tables();
    let is_there = |at: &Pointer| node.at(text, &at.0).is_some_and(|member| member.kind != NodeKind::Null);
    let (_, id) = shape.members.iter().find(|(at, _)| is_there(at))?;
    let event_type = &events[*id];
    let faults = judge(&event_type.schema, node, text, &mut |_| {});
    let is_of_type = |fault: &Fault<'_>| **fault.pointer == shape.event_type;
    let is_told = faults.unlisted.is_empty() && faults.listed.iter().all(is_of_type);
    is_told.then_some(&*event_type.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol() -> &'static Protocol {
        Protocol::builtin("session-events").expect("it is built in")
    }

    fn found(text: &str) -> Option<Trace> {
        let tree = parse(text.as_bytes()).expect("it is JSON");
        TraceFinder::default().find(protocol(), &tree.root, text.as_bytes(), false)
    }

    fn enclosed(path: &[Option<&str>], is_text: bool) -> Option<Trace> {
        let path = path.iter().map(|key| key.map(str::to_owned)).collect();
        Some(Trace::Enclosed(Enclosure { path, is_text }))
    }

    #[test]
    fn each_trace_is_told_from_the_others() {
        assert_eq!(found(r#"{"type":"session.status"}"#), Some(Trace::Event));
        assert_eq!(found(r#"{"jsonrpc":"2.0","method":"m","params":{"type":"session.status"}}"#), Some(Trace::Event));
        let near = Trace::Near("SESSION_STATUS".to_owned(), "session.status".to_owned());
        assert_eq!(found(r#"{"type":"SESSION_STATUS"}"#), Some(near));
        assert_eq!(found(r#"{"kind":"session.status"}"#), Some(Trace::OtherKey("kind".to_owned())));
        assert_eq!(found(r#"{"Type":"sessionStatus"}"#), Some(Trace::OtherKey("Type".to_owned())));
        assert_eq!(found(r#"{"type":"tick","timestamp":"","payload":{}}"#), Some(Trace::Fields));
        assert_eq!(found(r#"{"Timestamp":"","payLoad":{}}"#), Some(Trace::Fields));
        let part = Some(Trace::Part("payload".to_owned()));
        assert_eq!(found(r#"{"session_id":"s","pending":true,"status_label":"idle"}"#), part);
        assert_eq!(found(r#"{"sessionId":"s","text":"Hi","done":true}"#), part);
    }

    #[test]
    fn events_are_found_inside_of_objects_arrays_and_texts() {
        assert_eq!(found(r#"{"event":{"type":"session.status"}}"#), enclosed(&[Some("event")], false));
        assert_eq!(
            found(r#"{"a":[1],"data":{"events":[7,{"type":"session.status"}]}}"#),
            enclosed(&[Some("data"), Some("events"), None], false)
        );
        assert_eq!(found(r#"{"log":"{\"type\":\"session.status\"}\n","stream":"x"}"#), enclosed(&[Some("log")], true));
        assert_eq!(found(r#"["{\"type\":\"session_status\"}"]"#), enclosed(&[None], true));
        assert_eq!(
            found(r#"{"type":"receive","data":"{\"type\":\"session.status\"}"}"#),
            enclosed(&[Some("data")], true),
            "a wrapper may have a type of its own"
        );
        assert_eq!(
            found(r#"{"event":"session.status","data":"{\"type\":\"session.status\"}"}"#),
            enclosed(&[Some("data")], true),
            "and the type of its event"
        );
    }

    #[test]
    fn other_json_has_no_trace() {
        for text in [
            r#"{"name":"app","type":"module","scripts":{"test":"vitest"}}"#,
            r#"{"compilerOptions":{"types":["session.status"]},"include":["src"]}"#,
            r#"{"type":"object","properties":{"type":{"const":"session.status"}}}"#,
            r#"{"id":1,"input":"{","output":"{\"a\":1}","messages":[{"role":"user","content":"Hi"}]}"#,
            r#"{"timestamp":"2026-01-01T00:00:00Z","level":"info","msg":"ready"}"#,
            r#"{"type":"message_start","message":{"type":"message"}}"#,
            r#"{"session_id":"s","level":"info","message":"ready","duration_ms":3}"#,
            r#""session.status""#,
            "[]",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_in_torn_text_must_be_a_string() {
        for text in [
            r#"{"type":"session.status","#,
            r#"{'type': 'session.idle', 'b': 'session.error'"#,
            r#""{\"type\":\"session.error\"#,
        ] {
            assert!(names_event_type(protocol(), text.as_bytes()), "{text}");
        }
        for text in ["emitted session.status", r#"{"type":"session.statusbar"#, "", r#"{"type":"session.st"#] {
            assert!(!names_event_type(protocol(), text.as_bytes()), "{text}");
        }
    }
}
