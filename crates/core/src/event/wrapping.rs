//! Where events stand in what a logger, a gateway or an export wrote around them.

use serde::{Deserialize, Serialize};

use super::traces::Enclosure;
use crate::input::json::{Node, NodeKind, inner, unescape_one, unescaped};
use crate::protocol::Protocol;
use crate::schema::Pointer;

/// Stands for each item of an array in the path of a wrapping.
const EACH: &str = "*";

/// The way from the root of a frame to the events in it: objects, the texts of strings, or the items of an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wrapping {
    /// The keys on the way; `*` is each item of an array.
    path: Vec<String>,
}

impl Wrapping {
    /// Returns the wrapping of a pointer, in which `*` may stand for each item of an array.
    pub(crate) fn new(pointer: &Pointer) -> Wrapping {
        Wrapping { path: pointer.0.clone() }
    }

    /// Returns the wrapping of events that were found inside of something else.
    pub(crate) fn of(enclosure: &Enclosure) -> Wrapping {
        let segment = |key: &Option<String>| key.clone().unwrap_or_else(|| EACH.to_owned());
        Wrapping { path: enclosure.path.iter().map(segment).collect() }
    }

    /// Returns whether a member of a frame with this name leads to the events.
    pub(crate) fn begins_with(&self, name: &str) -> bool {
        self.path.first().is_some_and(|first| first == name)
    }

    /// Returns what a frame has where its events should stand.
    pub(crate) fn contents<'n>(&self, protocol: &Protocol, root: &'n Node, text: &[u8]) -> Contents<'n> {
        let mut values = Vec::new();
        self.collect(root, text, &self.path, &mut values);
        let at = &protocol.tables().shape.event_type.0;
        let looks_like_event = |node: &&Node| match &node.kind {
            NodeKind::Object(_) => node.at(text, at).is_some_and(|name| name.kind == NodeKind::String),
            _ => is_event_text(protocol, node, text),
        };
        let has_brace = |node: &Node| unescaped(inner(text, &node.span)).contains(&b'{');
        let is_plain = |node: &&Node| node.kind == NodeKind::String && !has_brace(node);
        match values.as_slice() {
            all if all.iter().any(looks_like_event) => Contents::Events(values),
            [] => Contents::Nothing,
            all if all.iter().all(is_plain) => Contents::PlainText,
            _ => Contents::Others(values),
        }
    }

    /// Adds the values at the end of the path.
    fn collect<'n>(&self, node: &'n Node, text: &[u8], path: &[String], out: &mut Vec<&'n Node>) {
        match (&node.kind, path) {
            (NodeKind::Array(items), [first, rest @ ..]) if first == EACH => {
                items.iter().for_each(|item| self.collect(item, text, rest, out));
            }
            // A pointer to an array means its items.
            (NodeKind::Array(items), []) => items.iter().for_each(|item| self.collect(item, text, &[], out)),
            (_, [first, rest @ ..]) => {
                // Of a key that stands twice, the last one counts, as in events.
                if let Some(member) = node.member(text, first) {
                    self.collect(&member.value, text, rest, out);
                }
            }
            (NodeKind::Object(_) | NodeKind::String, []) => out.push(node),
            _ => {}
        }
    }
}

/// What a frame has where its events should stand.
#[derive(Debug, PartialEq)]
pub(crate) enum Contents<'n> {
    /// Objects and strings, in their order, at least one of which looks like an event.
    Events(Vec<&'n Node>),
    /// Text in which no event can be, such as a line that was logged beside the events.
    PlainText,
    /// Objects and strings, none of which has the type of an event: events without one may be among them.
    Others(Vec<&'n Node>),
    /// Nothing, or something else.
    Nothing,
}

/// Returns whether a value is a string whose text begins as an object does, or is an event of the protocol as it is.
pub(crate) fn is_event_text(protocol: &Protocol, node: &Node, text: &[u8]) -> bool {
    let is_event = |raw: &[u8]| begins_object(raw) || protocol.text_type(&unescaped(raw)).is_some();
    node.kind == NodeKind::String && is_event(inner(text, &node.span))
}

/// Returns whether the raw content of a string begins as an object does, in whatever way that is written.
pub(crate) fn begins_object(raw: &[u8]) -> bool {
    let (mut at, mut first) = (0, Vec::new());
    while at < raw.len() {
        at += unescape_one(raw, at, &mut first);
        match first.as_slice() {
            [byte] if byte.is_ascii_whitespace() => first.clear(),
            first => return first == b"{",
        }
    }
    false
}
