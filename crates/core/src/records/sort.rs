//! A frame → the records in it, and which kind each is.

use std::path::Path;
use std::sync::Arc;

use super::known::Value;
use crate::event::Event;
use crate::input::json::{Member, Node, NodeKind, inner, unescaped_lossy};
use crate::input::{Frame, Origin};
use crate::protocol::Protocol;
use crate::protocol::records::{Container, Records};
use crate::schema::Pointer;

/// The member that a record has and a container has not.
fn time(protocol: &Protocol) -> Option<&Pointer> {
    protocol.tables().shape.time.as_ref()
}

/// The kind that the name of a file tells, if it tells one.
pub fn kind_of_name(records: &Records, file: &str) -> Option<usize> {
    let name = Path::new(file).file_name()?.to_str()?.to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    records.kinds.iter().find(|kind| kind.files.iter().any(|pattern| pattern.is_match(stem))).map(|kind| kind.id)
}

/// Something in a frame, in the order of the text.
pub enum Found<'n> {
    /// A record and its kind; the session that it is in, if its container says that.
    Record { node: &'n Node, kind: usize, within: Option<Arc<str>> },
    /// A record of a kind that nothing tells, and why not.
    UnknownKind { node: &'n Node, why: String },
    /// No object, where a record should be.
    NoRecord(&'n Node),
    /// An event of a stream.
    Event,
    /// A container; what is in it comes after it. The session that it is of, if it says that.
    Container { node: &'n Node, id: usize, within: Option<Arc<str>> },
}

/// Sorts what is in the frames of a file.
pub struct Sorter<'p> {
    protocol: &'p Protocol,
    records: &'p Records,
    /// The kind that the caller says.
    said: Option<usize>,
    /// The kind that the file's name tells.
    named: Option<usize>,
}

impl<'p> Sorter<'p> {
    pub fn new(protocol: &'p Protocol, records: &'p Records, said: Option<usize>, file: Option<&str>) -> Sorter<'p> {
        Sorter { protocol, records, said, named: file.and_then(|file| kind_of_name(records, file)) }
    }

    /// Gives what is in a frame.
    pub fn sort<'n>(&self, root: &'n Node, text: &[u8], out: &mut dyn FnMut(Found<'n>)) {
        if let NodeKind::Array(items) = &root.kind {
            return items.iter().for_each(|item| self.item(item, text, out));
        }
        self.item(root, text, out);
    }

    /// Whether a frame holds a record that has every field that its kind requires: other texts may have fields of the
    /// same names.
    pub fn holds_whole(&self, root: &Node, text: &[u8]) -> bool {
        let mut holds = false;
        self.sort(root, text, &mut |found| {
            let Found::Record { node, kind, .. } = found else { return };
            let required = self.protocol.tables().events[kind].schema.required();
            holds |= required.iter().all(|name| node.member(text, name).is_some());
        });
        holds
    }

    fn item<'n>(&self, node: &'n Node, text: &[u8], out: &mut dyn FnMut(Found<'n>)) {
        let NodeKind::Object(members) = &node.kind else { return out(Found::NoRecord(node)) };
        match self.container(node, members, text) {
            Some(container) => self.inside(container, node, text, out),
            None => self.record(node, None, None, text, out),
        }
    }

    /// The container that an object is, if it is one.
    fn container(&self, node: &Node, members: &[Member], text: &[u8]) -> Option<&'p Container> {
        if time(self.protocol).is_some_and(|time| node.at(text, &time.0).is_some()) {
            return None;
        }
        let has = |key: &String| members.iter().any(|member| *unescaped_lossy(inner(text, &member.key)) == **key);
        self.records.containers.iter().find(|container| container.known.iter().any(|keys| keys.iter().all(has)))
    }

    fn inside<'n>(&self, container: &Container, node: &'n Node, text: &[u8], out: &mut dyn FnMut(Found<'n>)) {
        let shape = &self.protocol.tables().events[container.id];
        let session = self.protocol.tables().shape.stream.as_ref().filter(|_| shape.stream.is_some());
        let session = session.and_then(|at| Value::of(text, Event::of(node, &shape.name).field(text, at)));
        let session: Option<Arc<str>> = session.map(|session| session.id().into());
        out(Found::Container { node, id: container.id, within: session.clone() });
        for member in node.members() {
            let key = unescaped_lossy(inner(text, &member.key));
            let Some(list) = container.lists.iter().find(|list| list.key == key) else { continue };
            let NodeKind::Array(items) = &member.value.kind else { continue };
            // In a list of one kind, the first item that tells tells of all.
            let told = || items.iter().find_map(|item| self.tell(item, text).ok());
            let kind = list.kind.or(self.said).or(self.named).or_else(told);
            for item in items {
                match &item.kind {
                    NodeKind::Object(_) => self.record(item, kind, session.clone(), text, out),
                    _ => out(Found::NoRecord(item)),
                }
            }
        }
    }

    fn record<'n>(
        &self,
        node: &'n Node,
        kind: Option<usize>,
        within: Option<Arc<str>>,
        text: &[u8],
        out: &mut dyn FnMut(Found<'n>),
    ) {
        let is_event = || {
            let payload = self.records.event.as_ref().and_then(|at| node.at(text, &at.0));
            payload.is_some_and(|payload| matches!(payload.kind, NodeKind::Object(_)))
        };
        if kind.is_none() && self.said.is_none() && is_event() {
            return out(Found::Event);
        }
        match kind.or(self.said).or(self.named).map_or_else(|| self.tell(node, text), Ok) {
            Ok(kind) => out(Found::Record { node, kind, within }),
            Err(why) => out(Found::UnknownKind { node, why }),
        }
    }

    /// The kind that a record's own fields tell, or why they tell none.
    fn tell(&self, node: &Node, text: &[u8]) -> Result<usize, String> {
        let mut told: Option<(usize, String)> = None;
        for member in node.members() {
            let key = unescaped_lossy(inner(text, &member.key));
            let Some(kind) = self.records.kinds.iter().find(|kind| kind.telling.iter().any(|field| **field == *key))
            else {
                continue;
            };
            match &told {
                Some((before, field)) if *before != kind.id => {
                    return Err(format!(
                        "`{field}` is a field of the kind {}, but `{key}` of the kind {}: which one is this record?",
                        self.name(*before),
                        self.name(kind.id)
                    ));
                }
                _ => told = Some((kind.id, key.into_owned())),
            }
        }
        told.map(|(kind, _)| kind).ok_or_else(|| {
            let kinds: Vec<_> = self.records.kinds.iter().map(|kind| self.name(kind.id)).collect();
            format!("nothing tells of which kind this record is ({})", kinds.join(", "))
        })
    }

    fn name(&self, kind: usize) -> &'p str {
        &self.protocol.tables().events[kind].name
    }
}

/// Finds where the records of a frame stand, one after the other, without counting its lines again for each.
pub(crate) struct Cursor<'f> {
    frame: &'f Frame<'f>,
    at: usize,
    origin: Origin,
}

impl<'f> Cursor<'f> {
    pub(crate) fn new(frame: &'f Frame<'f>) -> Cursor<'f> {
        Cursor { frame, at: 0, origin: frame.origin(0) }
    }

    /// Where a byte of the frame stands; no later one was asked for before.
    pub(crate) fn origin(&mut self, at: usize) -> Origin {
        if self.frame.segments.len() > 1 || at < self.at {
            return self.frame.origin(at);
        }
        self.origin = self.origin.after(&self.frame.text[self.at..at]);
        self.at = at;
        self.origin
    }
}
