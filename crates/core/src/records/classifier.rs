//! Finds the records and containers in a frame, and the kind of each record.

use std::path::Path;
use std::sync::Arc;

use super::index::FieldValue;
use crate::event::Event;
use crate::input::json::{Member, Node, NodeKind, inner, unescaped_lossy};
use crate::input::{Frame, Origin};
use crate::protocol::Protocol;
use crate::protocol::records::{Container, Records};
use crate::schema::Pointer;

/// Returns the field of a record's time, which no container has.
fn time(protocol: &Protocol) -> Option<&Pointer> {
    protocol.tables().shape.time.as_ref()
}

/// Returns the kind whose file patterns match the name of a file, such as `sessions.json`; `None` if no kind's do.
pub fn kind_from_file_name(records: &Records, file: &str) -> Option<usize> {
    let name = Path::new(file).file_name()?.to_str()?.to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    records.kinds.iter().find(|kind| kind.files.iter().any(|pattern| pattern.is_match(stem))).map(|kind| kind.id)
}

/// An item of a frame of stored records.
pub enum FrameItem<'n> {
    /// A record of a known kind.
    Record {
        /// The record's object.
        node: &'n Node,
        /// The number of the record's kind among the event types.
        kind: usize,
        /// The id of the record's session, if its container has one.
        session: Option<Arc<str>>,
    },
    /// A record whose kind cannot be determined.
    UnknownKind {
        /// The record's object.
        node: &'n Node,
        /// The reason, as text for a message.
        cause: String,
    },
    /// A value that should be a record but is not an object.
    NotAnObject(&'n Node),
    /// An event of a stream.
    Event,
    /// A container. Its items follow it.
    Container {
        /// The container's object.
        node: &'n Node,
        /// The number of the container among the event types.
        id: usize,
        /// The id of the container's session, if it has one.
        session: Option<Arc<str>>,
    },
}

/// Finds the items in the frames of a file, and the kinds of the records among them.
pub struct Classifier<'p> {
    protocol: &'p Protocol,
    records: &'p Records,
    /// The kind that the caller gave.
    given_kind: Option<usize>,
    /// The kind that the name of the file implies.
    kind_from_name: Option<usize>,
}

impl<'p> Classifier<'p> {
    /// Returns a classifier for a file. The kind of a record is that of its list in the container; otherwise
    /// `given_kind`; otherwise the one that the name `file` implies; otherwise the one that its own fields imply.
    pub fn new(
        protocol: &'p Protocol,
        records: &'p Records,
        given_kind: Option<usize>,
        file: Option<&str>,
    ) -> Classifier<'p> {
        let kind_from_name = file.and_then(|file| kind_from_file_name(records, file));
        Classifier { protocol, records, given_kind, kind_from_name }
    }

    /// Passes the items of a frame to `out`, in the order of the text. `root`: the tree of the frame's `text`.
    pub fn classify<'n>(&self, root: &'n Node, text: &[u8], out: &mut dyn FnMut(FrameItem<'n>)) {
        if let NodeKind::Array(items) = &root.kind {
            return items.iter().for_each(|item| self.item(item, text, out));
        }
        self.item(root, text, out);
    }

    /// Returns whether a frame has a record with every field that its kind requires. A record with only some of them
    /// may be other JSON with fields of the same names.
    pub fn has_complete_record(&self, root: &Node, text: &[u8]) -> bool {
        let mut has_one = false;
        self.classify(root, text, &mut |item| {
            let FrameItem::Record { node, kind, .. } = item else { return };
            let required = self.protocol.tables().events[kind].schema.required();
            has_one |= required.iter().all(|name| node.member(text, name).is_some());
        });
        has_one
    }

    /// Passes an object of a frame to `out`: a record, or a container and its items.
    fn item<'n>(&self, node: &'n Node, text: &[u8], out: &mut dyn FnMut(FrameItem<'n>)) {
        let NodeKind::Object(members) = &node.kind else { return out(FrameItem::NotAnObject(node)) };
        match self.container(node, members, text) {
            Some(container) => self.container_items(container, node, text, out),
            None => self.record(node, None, None, text, out),
        }
    }

    /// Returns the container by whose keys an object is recognised, if it is a container.
    fn container(&self, node: &Node, members: &[Member], text: &[u8]) -> Option<&'p Container> {
        if time(self.protocol).is_some_and(|time| node.at(text, &time.0).is_some()) {
            return None;
        }
        let has = |key: &String| members.iter().any(|member| *unescaped_lossy(inner(text, &member.key)) == **key);
        self.records.containers.iter().find(|container| container.known.iter().any(|keys| keys.iter().all(has)))
    }

    /// Passes a container and its items to `out`.
    fn container_items<'n>(
        &self,
        container: &Container,
        node: &'n Node,
        text: &[u8],
        out: &mut dyn FnMut(FrameItem<'n>),
    ) {
        let shape = &self.protocol.tables().events[container.id];
        let session = self.protocol.tables().shape.stream.as_ref().filter(|_| shape.stream.is_some());
        let session = session.and_then(|at| FieldValue::of(text, Event::of(node, &shape.name).field(text, at)));
        let session: Option<Arc<str>> = session.map(|session| session.id().into());
        out(FrameItem::Container { node, id: container.id, session: session.clone() });
        for member in node.members() {
            let key = unescaped_lossy(inner(text, &member.key));
            let Some(list) = container.lists.iter().find(|list| list.key == key) else { continue };
            let NodeKind::Array(items) = &member.value.kind else { continue };
            // All records of a list are of one kind, so the first one whose fields imply a kind decides for all.
            let by_fields = || items.iter().find_map(|item| self.kind_by_fields(item, text).ok());
            let kind = list.kind.or(self.given_kind).or(self.kind_from_name).or_else(by_fields);
            for item in items {
                match &item.kind {
                    NodeKind::Object(_) => self.record(item, kind, session.clone(), text, out),
                    _ => out(FrameItem::NotAnObject(item)),
                }
            }
        }
    }

    /// Passes a record or an event to `out`. `kind`: the record's kind, if its container implies one.
    fn record<'n>(
        &self,
        node: &'n Node,
        kind: Option<usize>,
        session: Option<Arc<str>>,
        text: &[u8],
        out: &mut dyn FnMut(FrameItem<'n>),
    ) {
        let is_event = || {
            let payload = self.records.event.as_ref().and_then(|at| node.at(text, &at.0));
            payload.is_some_and(|payload| matches!(payload.kind, NodeKind::Object(_)))
        };
        if kind.is_none() && self.given_kind.is_none() && is_event() {
            return out(FrameItem::Event);
        }
        match kind.or(self.given_kind).or(self.kind_from_name).map_or_else(|| self.kind_by_fields(node, text), Ok) {
            Ok(kind) => out(FrameItem::Record { node, kind, session }),
            Err(cause) => out(FrameItem::UnknownKind { node, cause }),
        }
    }

    /// Returns the kind that a record's own fields imply.
    ///
    /// # Errors
    ///
    /// If the fields imply no kind, or several. The error is the text for a message.
    fn kind_by_fields(&self, node: &Node, text: &[u8]) -> Result<usize, String> {
        let mut found: Option<(usize, String)> = None;
        for member in node.members() {
            let key = unescaped_lossy(inner(text, &member.key));
            let Some(kind) = self.records.kinds.iter().find(|kind| kind.telling.iter().any(|field| **field == *key))
            else {
                continue;
            };
            match &found {
                Some((before, field)) if *before != kind.id => {
                    return Err(format!(
                        "`{field}` is a field of {}s, but `{key}` is a field of {}s",
                        self.name(*before),
                        self.name(kind.id)
                    ));
                }
                _ => found = Some((kind.id, key.into_owned())),
            }
        }
        found.map(|(kind, _)| kind).ok_or_else(|| {
            let kinds: Vec<_> = self.records.kinds.iter().map(|kind| self.name(kind.id)).collect();
            format!("this could be one of several kinds of record: {}", kinds.join(", "))
        })
    }

    /// Returns the name of a kind.
    fn name(&self, kind: usize) -> &'p str {
        &self.protocol.tables().events[kind].name
    }
}

/// Finds the origins of the records of a frame, one after the other, without counting the frame's lines again for each.
pub(crate) struct OriginCursor<'f> {
    frame: &'f Frame<'f>,
    at: usize,
    origin: Origin,
}

impl<'f> OriginCursor<'f> {
    /// Returns a cursor at the start of a frame.
    pub(crate) fn new(frame: &'f Frame<'f>) -> OriginCursor<'f> {
        OriginCursor { frame, at: 0, origin: frame.origin(0) }
    }

    /// Returns the origin of a byte of the frame. Fast if the bytes are asked for in ascending order.
    pub(crate) fn origin(&mut self, at: usize) -> Origin {
        if self.frame.segments.len() > 1 || at < self.at {
            return self.frame.origin(at);
        }
        self.origin = self.origin.after(&self.frame.text[self.at..at]);
        self.at = at;
        self.origin
    }
}
