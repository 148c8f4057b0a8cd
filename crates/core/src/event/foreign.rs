//! Tells frames that cannot have been events from those that may have been.
//!
//! A banner, or the record of a logger, that stands between two events takes nothing from what is known of the streams.
//! Whatever may have been an event does.

use memchr::memmem;

use crate::input::json::{Node, NodeKind, Tree, inner, unescaped_lossy};
use crate::protocol::Protocol;
use crate::schema::Pointer;
use crate::text::{FoldedName, is_near_any};

/// The most strings of an object that are compared with the names of event types. An object with more may be an event.
const MOST_STRINGS: usize = 10_000;

/// Tells frames that cannot have been events of a protocol from those that may have been.
#[derive(Clone, Debug)]
pub(crate) struct ForeignFrames {
    /// The members of a frame that an event of the protocol has: the first segments of the pointers to its type, its
    /// stream and its time.
    envelope: Vec<String>,
    /// The fields in which a wrapper may hold the event.
    wrappers: Vec<Pointer>,
    /// The event types, by name, and folded for comparisons.
    types: Vec<(String, FoldedName)>,
}

impl ForeignFrames {
    /// Returns the test for a protocol.
    pub(crate) fn new(protocol: &Protocol) -> ForeignFrames {
        let shape = &protocol.tables().shape;
        let pointers = [Some(&shape.event_type), shape.time.as_ref(), shape.stream.as_ref()];
        let mut envelope: Vec<_> =
            pointers.into_iter().flatten().filter_map(|pointer| pointer.0.first().cloned()).collect();
        envelope.dedup();
        let types = protocol.tables().events.iter();
        let types = types.map(|event| (event.name.to_string(), FoldedName::lower_case(&event.name))).collect();
        ForeignFrames { envelope, wrappers: shape.unwrap.clone(), types }
    }

    /// Returns the names of the members that an event has.
    pub(crate) fn envelope(&self) -> &[String] {
        &self.envelope
    }

    /// Returns whether an object has every member that an event has.
    pub(crate) fn has_whole_envelope(&self, node: &Node, text: &[u8]) -> bool {
        self.envelope.iter().all(|name| node.member(text, name).is_some())
    }

    /// Returns whether a name is that of an event type, exactly or nearly.
    pub(crate) fn is_near_type(&self, name: &[u8]) -> bool {
        is_near_any(&String::from_utf8_lossy(name), self.types.iter().map(|(_, folded)| folded))
    }

    /// Returns whether a text that is not JSON cannot have been an event, nor a piece of one: it has no brace that could
    /// have opened one.
    pub(crate) fn is_foreign_text(text: &[u8]) -> bool {
        memchr::memchr(b'{', text).is_none()
    }

    /// Returns whether a frame that is JSON cannot have been an event: it has none of the members of one, and no string
    /// that is nearly the name of an event type or holds an event as text.
    pub(crate) fn is_foreign(&self, tree: &Tree, text: &[u8]) -> bool {
        if !matches!(tree.root.kind, NodeKind::Object(_)) {
            return ForeignFrames::is_foreign_text(text);
        }
        let mut strings = 0;
        let wrapped = self.wrappers.iter().filter_map(|wrapper| tree.root.at(text, &wrapper.0));
        let has_envelope = |node: &Node| self.envelope.iter().any(|name| node.member(text, name).is_some());
        !has_envelope(&tree.root)
            && !wrapped.into_iter().any(has_envelope)
            && !self.names_type(&tree.root, text, &mut strings)
    }

    /// Returns whether a string of a value names an event type, exactly or nearly. `strings` counts those seen.
    fn names_type(&self, node: &Node, text: &[u8], strings: &mut usize) -> bool {
        match &node.kind {
            NodeKind::String => self.is_name(inner(text, &node.span), strings),
            NodeKind::Array(items) => items.iter().any(|item| self.names_type(item, text, strings)),
            NodeKind::Object(members) => members.iter().any(|member| {
                self.is_name(inner(text, &member.key), strings) || self.names_type(&member.value, text, strings)
            }),
            _ => false,
        }
    }

    /// Returns whether a string, as written, is the name of an event type, exactly or nearly, or holds an event as text.
    fn is_name(&self, written: &[u8], strings: &mut usize) -> bool {
        *strings += 1;
        if *strings > MOST_STRINGS {
            return true;
        }
        let longest = self.types.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        // An escape has up to six times the bytes of its character, and a name up to twice the length of a near one.
        if written.len() <= 12 * longest
            && is_near_any(&unescaped_lossy(written), self.types.iter().map(|(_, folded)| folded))
        {
            return true;
        }
        !ForeignFrames::is_foreign_text(written)
            && self.types.iter().any(|(name, _)| memmem::find(written, name.as_bytes()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::ForeignFrames;
    use crate::input::json::parse;
    use crate::protocol::Protocol;

    #[test]
    fn what_may_have_been_an_event_is_not_foreign() {
        let foreign = ForeignFrames::new(Protocol::builtin("session-events").expect("it is built in"));
        let is_foreign = |text: &str| foreign.is_foreign(&parse(text.as_bytes()).expect("it is JSON"), text.as_bytes());
        for text in [
            r#"{"level":"info","msg":"listening on port 8080"}"#,
            r#"{"level":"info","msg":"sent session.status to 3 clients"}"#,
            r#"{"status":"ok","nested":{"type":"text","timestamp":1}}"#,
            "{}",
            "[1,2]",
            "42",
            "\"Done.\"",
        ] {
            assert!(is_foreign(text), "{text}");
        }
        for text in [
            r#"{"type":1}"#,
            r#"{"timestamp":"2026-01-01T00:00:00Z","msg":"listening"}"#,
            r#"{"payload":{}}"#,
            r#"{"method":"event","params":{"payload":{}}}"#,
            r#"{"kind":"session.status"}"#,
            r#"{"kind":"SESSION.STATU"}"#,
            r#"{"kind":"session\u002estatus"}"#,
            r#"{"events":[{"kind":"session.completed"}]}"#,
            r#"{"log":"{\"type\":\"session.status\",\"payload\":{}}\n"}"#,
            r#"{"session.status":{"pending":true}}"#,
            r#"[{"a":1}]"#,
            "\"{}\"",
        ] {
            assert!(!is_foreign(text), "{text}");
        }
    }
}
