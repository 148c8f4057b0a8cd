//! Finds the event in a frame's tree, and captures the fields that the tables read.

use std::borrow::Cow;
use std::ops::Range;

use super::capturing::capture_event;
use crate::input::json::{Node, NodeKind, inner, unescaped, unescaped_lossy};
use crate::protocol::Protocol;
use crate::protocol::tables::EventType;
use crate::schema::captures::{Capture, Captures};
use crate::schema::{Pointer, date_time, describe_value};
use crate::text::is_spelt_alike;

/// The member that every JSON-RPC 2.0 message has.
const JSON_RPC: &str = "jsonrpc";
/// Members that only messages have, when the caller says that the input is JSON-RPC.
const MESSAGE_MEMBERS: [&str; 4] = ["method", "result", "error", "id"];

/// An event in a frame.
#[derive(Debug)]
pub struct Event<'t> {
    /// The event's object.
    pub node: &'t Node,
    /// The name of the event's type.
    pub name: Cow<'t, str>,
    /// The number of the type; `None` if the protocol does not have it, or if it is not asked for.
    pub event_type: Option<usize>,
    /// The place of the type, or of what tells it, as a byte range of the frame's text.
    pub type_span: Range<usize>,
    /// The event's place in its frame, from the frame's root.
    pub wrapper: Pointer,
}

/// The reason why a frame holds no event.
#[derive(Debug)]
pub enum NotAnEvent {
    /// A JSON-RPC message of another kind.
    Message,
    /// An object without the field that has an event's type.
    Untyped,
    /// Anything else: the place in the frame's text, and what was found there.
    Other(Range<usize>, String),
}

impl NotAnEvent {
    /// Returns the place in the frame's text, and what was found there; `None` for a message. `root`: the frame's tree.
    pub(crate) fn explain(self, root: &Node, text: &[u8], protocol: &Protocol) -> Option<(Range<usize>, String)> {
        match self {
            NotAnEvent::Message => None,
            NotAnEvent::Untyped => {
                let field = &protocol.tables().shape.event_type;
                let name = field.dotted();
                Some(match misspelt(root, text, field) {
                    Some((key, found)) => (key, format!("it has no field `{name}`, but has `{found}`")),
                    None => (root.span.clone(), format!("it has no field `{name}`")),
                })
            }
            NotAnEvent::Other(span, found) => Some((span, found)),
        }
    }

    /// Returns the reason that the type, which stands under this name, is no string.
    fn not_a_string(name: &str, found: &Node, text: &[u8]) -> NotAnEvent {
        let value = describe_value(&text[found.span.clone()]);
        NotAnEvent::Other(found.span.clone(), format!("its `{name}` must be a string, but is {value}"))
    }
}

impl<'t> Event<'t> {
    /// Returns the event or record of a node that is known to be one of this type.
    pub fn of(node: &'t Node, name: &'t str) -> Event<'t> {
        let type_span = node.span.start..node.span.start;
        Event { node, name: Cow::Borrowed(name), event_type: None, type_span, wrapper: Pointer::default() }
    }

    /// Finds the event in a frame: the frame itself, or the content of a wrapper. `only_messages`: whether every frame
    /// is a JSON-RPC message.
    ///
    /// # Errors
    ///
    /// If the frame holds no event.
    pub fn find(
        root: &'t Node,
        text: &'t [u8],
        protocol: &Protocol,
        only_messages: bool,
    ) -> Result<Event<'t>, NotAnEvent> {
        let shape = &protocol.tables().shape;
        let bare = Pointer::default();
        for wrapper in std::iter::once(&bare).chain(&shape.unwrap) {
            let Some(node) = root.at(text, &wrapper.0).filter(|node| matches!(node.kind, NodeKind::Object(_))) else {
                continue;
            };
            let wrapper = wrapper.clone();
            if let Some(name) = node.at(text, &shape.event_type.0).filter(|name| name.kind == NodeKind::String) {
                let (type_span, name) = (name.span.clone(), unescaped_lossy(inner(text, &name.span)));
                let event_type = protocol.named_type(&name);
                return Ok(Event { node, name, event_type, type_span, wrapper });
            }
            let told = shape.members.iter().find_map(|(at, id)| Some((node.at(text, &at.0)?, *id)));
            if let Some((member, id)) = told.filter(|(member, _)| member.kind != NodeKind::Null) {
                let name = Cow::Owned(protocol.tables().events[id].name.to_string());
                return Ok(Event { node, name, event_type: Some(id), type_span: member.span.clone(), wrapper });
            }
        }
        let has = |name: &str| root.member(text, name).is_some();
        if has(JSON_RPC) || only_messages && MESSAGE_MEMBERS.iter().any(|name| has(name)) {
            return Err(Event::find_untyped(root, text, protocol).unwrap_or(NotAnEvent::Message));
        }
        let name = shape.event_type.dotted();
        Err(match (root.at(text, &shape.event_type.0), &root.kind) {
            (Some(found), _) => NotAnEvent::not_a_string(&name, found, text),
            (None, NodeKind::Object(_)) => NotAnEvent::Untyped,
            (None, _) => NotAnEvent::Other(root.span.clone(), format!("it is {}", root.article())),
        })
    }

    /// Returns the reason that a message is no event although it has an event's other members: its type is missing, or no
    /// string. The type alone does not make it one: many messages have a `type` of their own.
    fn find_untyped(root: &Node, text: &[u8], protocol: &Protocol) -> Option<NotAnEvent> {
        let shape = &protocol.tables().shape;
        let first = |pointer: &'_ Pointer| pointer.0.first().cloned();
        let type_member = first(&shape.event_type);
        let others: Vec<_> = [&shape.time, &shape.stream].into_iter().flatten().filter_map(first).collect();
        let others: Vec<_> = others.iter().filter(|name| Some(*name) != type_member.as_ref()).collect();
        shape.unwrap.iter().find_map(|wrapper| {
            let node = root.at(text, &wrapper.0)?;
            let mut found = others.iter().filter(|name| node.member(text, name).is_some());
            match node.at(text, &shape.event_type.0) {
                Some(kind) if others.is_empty() || found.next().is_some() => {
                    let name = wrapper.join(&shape.event_type).dotted();
                    Some(NotAnEvent::not_a_string(&name, kind, text))
                }
                None if !others.is_empty() && found.count() == others.len() => {
                    let (wrapper, name) = (wrapper.dotted(), shape.event_type.dotted());
                    Some(NotAnEvent::Other(node.span.clone(), format!("its `{wrapper}` has no `{name}`")))
                }
                _ => None,
            }
        })
    }

    /// Captures the fields of an event of a known type.
    pub fn capture(&self, text: &[u8], event_type: &EventType, captures: &mut Captures) {
        capture_event(self.node, text, event_type, captures);
    }

    /// Captures one field of an event of any type.
    pub fn field(&self, text: &[u8], at: &Pointer) -> Capture {
        Capture::of(self.node, text, at)
    }
}

/// Returns the key that is a field's name in another case, or with other separators, as its byte range and its name.
fn misspelt(root: &Node, text: &[u8], field: &Pointer) -> Option<(Range<usize>, String)> {
    let (name, around) = field.0.split_last()?;
    root.at(text, around)?.members().iter().find_map(|member| {
        let found = unescaped_lossy(inner(text, &member.key));
        is_spelt_alike(&found, name).then(|| (member.key.clone(), found.into_owned()))
    })
}

/// Returns the name of a stream from a captured field; `None` if it cannot be read.
pub(crate) fn stream_name(text: &[u8], field: Capture) -> Option<Cow<'_, [u8]>> {
    match field {
        Capture::Text(start, end) if start < end => Some(unescaped(&text[start as usize..end as usize])),
        Capture::Number(start, end) => Some(Cow::Borrowed(&text[start as usize..end as usize])),
        _ => None,
    }
}

/// Returns the timestamp in a captured field, as written; `None` if the field is not a valid timestamp.
pub fn timestamp(text: &[u8], field: Capture) -> Option<Cow<'_, [u8]>> {
    let Capture::Text(start, end) = field else { return None };
    let written = unescaped(&text[start as usize..end as usize]);
    date_time::parse(std::str::from_utf8(&written).ok()?).is_some().then_some(written)
}

#[cfg(test)]
mod tests {
    use super::{Event, NotAnEvent};
    use crate::input::json::parse;
    use crate::protocol::Protocol;

    #[test]
    fn the_key_that_was_probably_meant_for_the_type_is_named() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let found = |text: &str| {
            let tree = parse(text.as_bytes()).expect("it is JSON");
            let reason = Event::find(&tree.root, text.as_bytes(), protocol, false).expect_err("it is no event");
            let (span, found) = reason.explain(&tree.root, text.as_bytes(), protocol).expect("it is no message");
            (text[span].to_owned(), found)
        };
        let pair = |place: &str, found: &str| (place.to_owned(), found.to_owned());
        let other = r#"{"kind":"session.status","types":1}"#;
        assert_eq!(found(other), pair(other, "it has no field `type`"));
        assert_eq!(found(r#"{"a":1,"Type":"x"}"#), pair("\"Type\"", "it has no field `type`, but has `Type`"));
    }

    #[test]
    fn a_message_with_a_type_of_its_own_is_no_event_without_one() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let found = |params: &str| {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{params}}}"#);
            let tree = parse(text.as_bytes()).expect("it is JSON");
            match Event::find(&tree.root, text.as_bytes(), protocol, false) {
                Err(NotAnEvent::Other(_, found)) => Some(found),
                Err(NotAnEvent::Message) => None,
                Err(NotAnEvent::Untyped) => panic!("it is judged as one without a type"),
                Ok(event) => panic!("{} is an event", event.name),
            }
        };
        for params in [
            r#"{"type":3,"message":"Indexing"}"#,
            r#"{"type":{"id":1},"token":"x"}"#,
            r#"{"timestamp":"2026-01-01T12:00:00Z","level":"info"}"#,
            r#"{"payload":{}}"#,
            r#"[{"type":3,"payload":{}}]"#,
            "null",
        ] {
            assert_eq!(found(params), None, "{params}");
        }
        let no_string = |value: &str| Some(format!("its `params.type` must be a string, but is {value}"));
        assert_eq!(found(r#"{"type":7,"payload":{}}"#), no_string("the number 7"));
        assert_eq!(found(r#"{"timestamp":1,"type":null}"#), no_string("null"));
        assert_eq!(found(r#"{"timestamp":1,"payload":1}"#).as_deref(), Some("its `params` has no `type`"));
    }
}
