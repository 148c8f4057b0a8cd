//! A frame's tree → the event in it, and the fields that the tables read.

use std::borrow::Cow;
use std::ops::Range;

use crate::input::json::{Kind, Node, inner, unescaped, unescaped_lossy};
use crate::machine::{Field, Items};
use crate::protocol::Protocol;
use crate::schema::date_time::{self, Time};
use crate::schema::{Fault, Pointer, shown};

/// The member that every JSON-RPC 2.0 message has.
const JSON_RPC: &str = "jsonrpc";
/// Members that only messages have, when the caller says that the input is JSON-RPC.
const MESSAGE_MEMBERS: [&str; 4] = ["method", "result", "error", "id"];

/// An event in a frame.
pub struct Event<'t> {
    pub node: &'t Node,
    pub name: Cow<'t, str>,
    pub type_span: Range<usize>,
    /// Where it sits in its frame.
    pub wrapper: Pointer,
    /// By slot: where the content of a string starts.
    pub text_starts: Vec<Option<usize>>,
}

/// Why a frame holds no event.
pub enum NotAnEvent {
    /// A JSON-RPC message of another kind.
    Message,
    /// Anything else: where, and what was found.
    Other(Range<usize>, String),
}

impl<'t> Event<'t> {
    /// Finds the event: the frame itself, or what its wrapper holds.
    pub fn find(
        root: &'t Node,
        text: &'t [u8],
        protocol: &Protocol,
        only_messages: bool,
    ) -> Result<Event<'t>, NotAnEvent> {
        let shape = &protocol.tables().shape;
        let wrappers = std::iter::once(&Pointer(Vec::new())).chain(&shape.unwrap).cloned().collect::<Vec<_>>();
        for wrapper in wrappers {
            let Some(node) = root.at(text, &wrapper.0).filter(|node| matches!(node.kind, Kind::Object(_))) else {
                continue;
            };
            let Some(name) = node.at(text, &shape.event_type.0).filter(|name| name.kind == Kind::String) else {
                continue;
            };
            let mut event = Event {
                node,
                name: unescaped_lossy(inner(text, &name.span)),
                type_span: name.span.clone(),
                wrapper,
                text_starts: Vec::new(),
            };
            event.find_texts(text, protocol);
            return Ok(event);
        }
        let has = |name: &str| root.member(text, name).is_some();
        if has(JSON_RPC) || only_messages && MESSAGE_MEMBERS.iter().any(|name| has(name)) {
            return Err(NotAnEvent::Message);
        }
        let name = shape.event_type.dotted();
        Err(match (root.at(text, &shape.event_type.0), &root.kind) {
            (Some(found), _) => NotAnEvent::Other(
                found.span.clone(),
                format!("its `{name}` must be a string, but is {}", shown(found, text)),
            ),
            (None, Kind::Object(_)) => NotAnEvent::Other(root.span.clone(), format!("it has no `{name}`")),
            (None, _) => NotAnEvent::Other(root.span.clone(), format!("it is {}", root.article())),
        })
    }

    fn find_texts(&mut self, text: &[u8], protocol: &Protocol) {
        let Some(id) = protocol.event_id(&self.name) else { return };
        let start = |slot: &Pointer| {
            let node = self.node.at(text, &slot.0)?;
            (node.kind == Kind::String).then_some(node.span.start + 1)
        };
        self.text_starts = protocol.tables().events[id].slots.iter().map(start).collect();
    }
}

/// The fields that the tables read.
pub struct Reading<'t> {
    /// The stream's name; none if it cannot be read.
    pub stream: Option<Cow<'t, [u8]>>,
    time: Option<(Time, Cow<'t, str>)>,
    /// By slot.
    pub slots: Vec<Field<'t>>,
    /// By array.
    pub arrays: Vec<Items<'t>>,
}

impl<'t> Reading<'t> {
    /// Reads an event of a known type. A field with a fault cannot be read.
    pub fn known(event: &Event<'t>, text: &'t [u8], protocol: &Protocol, id: usize, faults: &[Fault]) -> Reading<'t> {
        let tables = protocol.tables();
        let event_type = &tables.events[id];
        let read = |pointer: &Pointer| field(event.node, text, pointer, pointer, faults);
        let arrays =
            event_type.arrays.iter().map(|array| match event.node.at(text, &array.at.0).map(|node| &node.kind) {
                Some(Kind::Array(items)) => {
                    let item = |(index, item): (usize, &'t Node)| {
                        let at = array.at.child(&index.to_string());
                        array.slots.iter().map(|slot| field(item, text, slot, &at.join(slot), faults)).collect()
                    };
                    Some(items.iter().enumerate().map(item).collect())
                }
                None if read(&array.at) == Field::Absent => Some(Vec::new()),
                _ => None,
            });
        let stream = match &tables.shape.stream {
            None => Some(Cow::Borrowed(&b""[..])),
            Some(pointer) => stream_name(read(pointer)),
        };
        let time = tables.shape.time.as_ref().and_then(|pointer| time(read(pointer)));
        Reading { stream, time, slots: event_type.slots.iter().map(read).collect(), arrays: arrays.collect() }
    }

    /// Reads of an event of an unknown type what every event has.
    pub fn unknown(event: &Event<'t>, text: &'t [u8], protocol: &Protocol) -> Reading<'t> {
        let shape = &protocol.tables().shape;
        let read = |pointer: &Pointer| field(event.node, text, pointer, pointer, &[]);
        Reading {
            stream: shape.stream.as_ref().and_then(|pointer| stream_name(read(pointer))),
            time: shape.time.as_ref().and_then(|pointer| time(read(pointer))),
            slots: Vec::new(),
            arrays: Vec::new(),
        }
    }

    /// The timestamp, read and as it is written.
    pub fn time(&self) -> Option<(Time, &str)> {
        self.time.as_ref().map(|(time, written)| (*time, &**written))
    }
}

fn stream_name(field: Field<'_>) -> Option<Cow<'_, [u8]>> {
    match field {
        Field::Text(raw) if !raw.is_empty() => Some(unescaped(raw)),
        Field::Number(raw) => Some(raw.into()),
        _ => None,
    }
}

fn time(field: Field<'_>) -> Option<(Time, Cow<'_, str>)> {
    let Field::Text(raw) = field else { return None };
    let written = unescaped_lossy(raw);
    Some((date_time::parse(&written)?, written))
}

/// A field at `pointer` of `node`, which is `whole` in the event.
fn field<'t>(node: &'t Node, text: &'t [u8], pointer: &Pointer, whole: &Pointer, faults: &[Fault]) -> Field<'t> {
    if faults.iter().any(|fault| fault.pointer.holds(whole)) {
        return Field::Unreadable;
    }
    let Some(node) = node.at(text, &pointer.0) else { return Field::Absent };
    match node.kind {
        Kind::Null => Field::Null,
        Kind::Bool(value) => Field::Bool(value),
        Kind::Number => Field::Number(&text[node.span.clone()]),
        Kind::String => Field::Text(inner(text, &node.span)),
        Kind::Array(_) | Kind::Object(_) => Field::Container,
    }
}
