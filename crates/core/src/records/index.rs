//! The index of the records that others may refer to, built in the first reading of files that belong together.

use std::collections::HashMap;
use std::sync::Arc;

use crate::bytes::lossy;
use crate::event::{Event, Settings, parse_frame, stream_name};
use crate::finding::Place;
use crate::input::json::Node;
use crate::input::{Frame, Input, Piece};
use crate::protocol::Protocol;
use crate::protocol::records::Records;
use crate::schema::captures::Capture;
use crate::schema::date_time::{self, Time};

use super::classifier::{Classifier, FrameItem, OriginCursor};

/// The value of a field that can be compared: its text in the file, unescaped.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// The contents of a string.
    Text(Box<str>),
    /// A number as it is written.
    Number(Box<str>),
}

impl FieldValue {
    /// Returns the value of a captured field; `None` if the field is missing, `null`, empty, or of another type.
    pub fn of(text: &[u8], field: Capture) -> Option<FieldValue> {
        let written = lossy(&stream_name(text, field)?).into();
        Some(if let Capture::Text(..) = field { FieldValue::Text(written) } else { FieldValue::Number(written) })
    }

    /// Returns the value as an id, whatever its type: some services write integers where others write strings.
    pub fn id(&self) -> &str {
        match self {
            FieldValue::Text(text) | FieldValue::Number(text) => text,
        }
    }

    /// Returns the value as a time; `None` unless it is a string with a date-time.
    pub fn time(&self) -> Option<Time> {
        match self {
            FieldValue::Text(text) => date_time::parse(text),
            FieldValue::Number(_) => None,
        }
    }

    /// Returns the value as a number; `None` if it is a string.
    pub fn number(&self) -> Option<f64> {
        match self {
            FieldValue::Text(_) => None,
            FieldValue::Number(text) => text.parse().ok(),
        }
    }
}

/// A record that others may refer to.
#[derive(Debug)]
pub struct IndexedRecord {
    /// The name of the record's file, if it has one.
    pub file: Option<Arc<str>>,
    /// The place of the record in its file.
    pub place: Arc<Place>,
    /// The values of the fields that other records are compared with, in the order of the protocol's list of slots.
    pub values: Vec<Option<FieldValue>>,
}

/// The records that others may refer to, by kind and id. Of several records with one id, the index has the first.
#[derive(Debug, Default)]
pub struct RecordIndex {
    by_kind: Vec<HashMap<Box<str>, IndexedRecord>>,
}

impl RecordIndex {
    /// Returns the record of this kind that has this id.
    pub fn find(&self, kind: usize, id: &str) -> Option<&IndexedRecord> {
        self.by_kind.get(kind)?.get(id)
    }
}

/// Builds a [`RecordIndex`] from one file after the other.
pub struct IndexBuilder<'p> {
    protocol: &'p Protocol,
    records: &'p Records,
    index: RecordIndex,
}

impl<'p> IndexBuilder<'p> {
    /// Returns a builder of an empty index; `None` if the protocol is not one of records.
    pub fn new(protocol: &'p Protocol) -> Option<IndexBuilder<'p>> {
        let records = protocol.tables().records.as_ref()?;
        let by_kind = records.indexed.iter().map(|_| HashMap::new()).collect();
        Some(IndexBuilder { protocol, records, index: RecordIndex { by_kind } })
    }

    /// Begins the next file. `given_kind`: the kind that the caller gave for records whose container does not name it.
    pub fn begin_file(
        &mut self,
        settings: &Settings,
        given_kind: Option<usize>,
        file: Option<Arc<str>>,
    ) -> FileIndexer<'_, 'p> {
        let options = settings.options();
        let classifier = Classifier::new(self.protocol, self.records, given_kind, file.as_deref());
        let input = Input::new(options.wire(), options.max_line_bytes());
        FileIndexer { input, classifier, file, excerpts: options.excerpts(), number: 0, builder: self }
    }

    /// Returns the index.
    pub fn build(self) -> RecordIndex {
        self.index
    }
}

/// Reads a file for the first time and indexes its records.
pub struct FileIndexer<'b, 'p> {
    input: Input,
    classifier: Classifier<'p>,
    file: Option<Arc<str>>,
    excerpts: bool,
    /// The number of the next record.
    number: u64,
    builder: &'b mut IndexBuilder<'p>,
}

impl FileIndexer<'_, '_> {
    /// Reads the next bytes of the decompressed file; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let FileIndexer { input, classifier, file, excerpts, number, builder } = self;
        input.feed(bytes, &mut |piece| builder.piece(classifier, file, *excerpts, number, piece));
    }

    /// Reads bytes that are one record or one container of records. `row`: the caller's number for it.
    pub fn event(&mut self, bytes: &[u8], row: u64) {
        let FileIndexer { input, classifier, file, excerpts, number, builder } = self;
        input.event(bytes, row, &mut |piece| builder.piece(classifier, file, *excerpts, number, piece));
    }

    /// Ends the file.
    pub fn finish(self) {
        let FileIndexer { mut input, classifier, file, excerpts, mut number, builder } = self;
        input.finish(&mut |piece| builder.piece(&classifier, &file, excerpts, &mut number, piece));
    }
}

impl IndexBuilder<'_> {
    /// Indexes the records in a piece of a file. `number`: the number of the next record.
    fn piece(
        &mut self,
        classifier: &Classifier<'_>,
        file: &Option<Arc<str>>,
        excerpts: bool,
        number: &mut u64,
        piece: Piece<'_>,
    ) {
        let Piece::Frame(frame) = piece else { return };
        // The second reading reports frames that cannot be read.
        let Ok(tree) = parse_frame(&frame) else { return };
        let mut cursor = OriginCursor::new(&frame);
        classifier.classify(&tree.root, frame.text, &mut |item| {
            if let FrameItem::Record { node, kind, .. } = item {
                self.index_record(&frame, &mut cursor, node, kind, file, (*number, excerpts));
            }
            *number += u64::from(matches!(item, FrameItem::Record { .. } | FrameItem::UnknownKind { .. }));
        });
    }

    /// Indexes a record, unless other records cannot refer to its kind or an earlier record has its id.
    fn index_record(
        &mut self,
        frame: &Frame<'_>,
        cursor: &mut OriginCursor<'_>,
        node: &Node,
        kind: usize,
        file: &Option<Arc<str>>,
        (number, excerpts): (u64, bool),
    ) {
        let Some(fields) = &self.records.indexed[kind] else { return };
        let event_type = &self.protocol.tables().events[kind];
        let event = Event::of(node, &event_type.name);
        let value = |slot: usize| FieldValue::of(frame.text, event.field(frame.text, &event_type.slots[slot]));
        let Some(id) = value(fields.key) else { return };
        if self.index.by_kind[kind].contains_key(id.id()) {
            return;
        }
        let origin = cursor.origin(node.span.start);
        let own = frame.subframe(&node.span, origin);
        let (span, mark) = (0..own.text.len(), 0..own.text.len());
        let place = match excerpts {
            true => own.frame().remembered(span, mark, Some(number)),
            false => own.frame().bare_place(span, Some(number)),
        };
        let values = fields.slots.iter().map(|slot| value(*slot)).collect();
        let entry = IndexedRecord { file: file.clone(), place: place.into(), values };
        self.index.by_kind[kind].insert(id.id().into(), entry);
    }
}
