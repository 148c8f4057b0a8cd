//! What other records may name: remembered the first time that what belongs together is read.

use std::collections::HashMap;
use std::sync::Arc;

use crate::bytes::lossy;
use crate::event::Settings;
use crate::event::{Event, stream_name};
use crate::finding::Place;
use crate::input::json::{Node, parse};
use crate::input::{Frame, Input, Piece};
use crate::protocol::Protocol;
use crate::protocol::records::Records;
use crate::schema::captures::Capture;
use crate::schema::date_time::{self, Time};

use super::sort::{Cursor, Found, Sorter};

/// A field that can be compared: as it is written, without escapes.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(Box<str>),
    Number(Box<str>),
}

impl Value {
    /// A field of a record; none where it is not there, null, empty, or of another type.
    pub fn of(text: &[u8], field: Capture) -> Option<Value> {
        let written = lossy(&stream_name(text, field)?).into();
        Some(if let Capture::Text(..) = field { Value::Text(written) } else { Value::Number(written) })
    }

    /// As an id: some services write integers where others write strings.
    pub fn id(&self) -> &str {
        match self {
            Value::Text(text) | Value::Number(text) => text,
        }
    }

    pub fn time(&self) -> Option<Time> {
        match self {
            Value::Text(text) => date_time::parse(text),
            Value::Number(_) => None,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Text(_) => None,
            Value::Number(text) => text.parse().ok(),
        }
    }
}

/// A record that others may name.
#[derive(Debug)]
pub struct Remembered {
    pub file: Option<Arc<str>>,
    pub place: Arc<Place>,
    /// The fields that others are compared with, in the order of the protocol's list.
    pub values: Vec<Option<Value>>,
}

/// The records that others may name, by their kinds and names; of several with one name, the first.
#[derive(Debug, Default)]
pub struct Known {
    by_kind: Vec<HashMap<Box<str>, Remembered>>,
}

impl Known {
    pub fn find(&self, kind: usize, name: &str) -> Option<&Remembered> {
        self.by_kind.get(kind)?.get(name)
    }
}

/// Remembers the records of one file after the other.
pub struct Collector<'p> {
    protocol: &'p Protocol,
    records: &'p Records,
    known: Known,
}

impl<'p> Collector<'p> {
    /// None: the protocol is not one of records.
    pub fn new(protocol: &'p Protocol) -> Option<Collector<'p>> {
        let records = protocol.tables().records.as_ref()?;
        let by_kind = records.indexed.iter().map(|_| HashMap::new()).collect();
        Some(Collector { protocol, records, known: Known { by_kind } })
    }

    /// Begins the next file.
    pub fn file(&mut self, settings: &Settings, said: Option<usize>, file: Option<Arc<str>>) -> CollectedFile<'_, 'p> {
        let options = settings.options();
        let sorter = Sorter::new(self.protocol, self.records, said, file.as_deref());
        let input = Input::new(options.wire(), options.max_line_bytes());
        CollectedFile { input, sorter, file, excerpts: options.excerpts(), number: 0, collector: self }
    }

    pub fn known(self) -> Known {
        self.known
    }
}

/// One file, while it is read for the first time.
pub struct CollectedFile<'c, 'p> {
    input: Input,
    sorter: Sorter<'p>,
    file: Option<Arc<str>>,
    excerpts: bool,
    /// Of the next record.
    number: u64,
    collector: &'c mut Collector<'p>,
}

impl CollectedFile<'_, '_> {
    /// Takes the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        let CollectedFile { input, sorter, file, excerpts, number, collector } = self;
        input.feed(bytes, &mut |piece| collector.piece(sorter, file, *excerpts, number, piece));
    }

    /// Takes bytes that are one record, or a container of records; `row` is the caller's number of it.
    pub fn event(&mut self, bytes: &[u8], row: u64) {
        let CollectedFile { input, sorter, file, excerpts, number, collector } = self;
        input.event(bytes, row, &mut |piece| collector.piece(sorter, file, *excerpts, number, piece));
    }

    /// Ends the file.
    pub fn finish(self) {
        let CollectedFile { mut input, sorter, file, excerpts, mut number, collector } = self;
        input.finish(&mut |piece| collector.piece(&sorter, &file, excerpts, &mut number, piece));
    }
}

impl Collector<'_> {
    fn piece(
        &mut self,
        sorter: &Sorter<'_>,
        file: &Option<Arc<str>>,
        excerpts: bool,
        number: &mut u64,
        piece: Piece<'_>,
    ) {
        let Piece::Frame(frame) = piece else { return };
        if std::str::from_utf8(frame.text).is_err() {
            return;
        }
        // What cannot be read is reported when it is judged.
        let Ok(tree) = parse(frame.text) else { return };
        let mut cursor = Cursor::new(&frame);
        sorter.sort(&tree.root, frame.text, &mut |found| {
            if let Found::Record { node, kind, .. } = found {
                self.remember(&frame, &mut cursor, node, kind, file, (*number, excerpts));
            }
            *number += u64::from(matches!(found, Found::Record { .. } | Found::UnknownKind { .. }));
        });
    }

    fn remember(
        &mut self,
        frame: &Frame<'_>,
        cursor: &mut Cursor<'_>,
        node: &Node,
        kind: usize,
        file: &Option<Arc<str>>,
        (number, excerpts): (u64, bool),
    ) {
        let Some(remembered) = &self.records.indexed[kind] else { return };
        let event_type = &self.protocol.tables().events[kind];
        let event = Event::of(node, &event_type.name);
        let value = |slot: usize| Value::of(frame.text, event.field(frame.text, &event_type.slots[slot]));
        let Some(name) = value(remembered.key) else { return };
        if self.known.by_kind[kind].contains_key(name.id()) {
            return;
        }
        let origin = cursor.origin(node.span.start);
        let own = frame.subframe(&node.span, origin);
        let (span, mark) = (0..own.text.len(), 0..own.text.len());
        let place = match excerpts {
            true => own.frame().remembered(span, mark, Some(number)),
            false => own.frame().bare_place(span, Some(number)),
        };
        let values = remembered.slots.iter().map(|slot| value(*slot)).collect();
        let entry = Remembered { file: file.clone(), place: place.into(), values };
        self.known.by_kind[kind].insert(name.id().into(), entry);
    }
}
