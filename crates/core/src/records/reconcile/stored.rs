//! Extracts the sessions and their actions from stored records, for comparison with streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Location;
use super::frame_reader::FrameReader;
use crate::event::Event;
use crate::event::Options;
use crate::input::json::Node;
use crate::input::{Frame, Input, Piece};
use crate::protocol::Protocol;
use crate::protocol::records::Reconciliation;
use crate::records::classifier::{Classifier, FrameItem, OriginCursor};
use crate::records::index::FieldValue;
use crate::schema::Pointer;

/// The sessions in files of stored records, by id.
#[derive(Debug, Default)]
pub struct StoredSessions {
    /// The records of sessions; of several records of one session, the first.
    pub sessions: BTreeMap<Box<str>, StoredSession>,
    /// The actions of each session that has a transcript.
    pub actions: BTreeMap<Box<str>, Vec<StoredAction>>,
    /// Number of records of all kinds.
    pub records: u64,
    /// The location of the first part of each file that cannot be read, and the number of such parts in the file.
    pub unreadable: Vec<(Location, u64)>,
}

/// The fields of a session's record that are compared with its stream.
#[derive(Debug)]
pub struct StoredSession {
    /// The session's timestamp.
    pub time: Option<(FieldValue, Location)>,
    /// The session's duration in seconds.
    pub duration: Option<(FieldValue, Location)>,
}

/// The fields of an action in a transcript that are compared with a tool call.
#[derive(Debug)]
pub struct StoredAction {
    /// The tool's name.
    pub name: (FieldValue, Location),
    /// The time of the action.
    pub time: Option<(FieldValue, Location)>,
    /// The location of the action's result, if it has one.
    pub result: Option<Location>,
    /// The location of the action's error, if it has one.
    pub error: Option<Location>,
}

/// Reads the sessions and actions in one file of stored records.
pub struct RecordReader<'r> {
    input: Input,
    extractor: RecordExtractor<'r>,
}

/// Extracts sessions and actions from the frames of one file.
struct RecordExtractor<'r> {
    protocol: &'r Protocol,
    reconcile: &'r Reconciliation,
    classifier: Classifier<'r>,
    frames: FrameReader,
    stored: &'r mut StoredSessions,
}

impl<'r> RecordReader<'r> {
    /// Returns a reader that adds the sessions of a file to `stored`; `None` if the protocol does not relate records to
    /// streams. `kind`: the kind of the records whose container does not name it.
    pub fn new(
        protocol: &'r Protocol,
        options: &Options,
        kind: Option<usize>,
        file: Arc<str>,
        stored: &'r mut StoredSessions,
    ) -> Option<RecordReader<'r>> {
        let records = protocol.tables().records.as_ref()?;
        let extractor = RecordExtractor {
            protocol,
            reconcile: records.reconcile.as_ref()?,
            classifier: Classifier::new(protocol, records, kind, Some(&file)),
            frames: FrameReader::new(file, options.excerpts()),
            stored,
        };
        Some(RecordReader { input: Input::new(options.wire(), options.max_line_bytes()), extractor })
    }

    /// Reads the next bytes of the decompressed file; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let RecordReader { input, extractor } = self;
        input.feed(bytes, &mut |piece| extractor.piece(piece));
    }

    /// Ends the file.
    pub fn finish(self) {
        let RecordReader { mut input, mut extractor } = self;
        input.finish(&mut |piece| extractor.piece(piece));
        extractor.stored.unreadable.extend(extractor.frames.unreadable);
    }
}

impl RecordExtractor<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let Some((frame, tree)) = self.frames.frame(piece) else { return };
        let (frame, text) = (&frame, frame.text);
        let mut items = Vec::new();
        self.classifier.classify(&tree.root, text, &mut |item| items.push(item));
        let mut cursor = OriginCursor::new(frame);
        for item in items {
            match item {
                FrameItem::Record { node, kind, session } => {
                    self.stored.records += 1;
                    let part = frame.subframe(&node.span, cursor.origin(node.span.start));
                    self.record(&part.frame(), node, text, kind, session);
                }
                FrameItem::Container { session: Some(session), .. } => {
                    self.stored.actions.entry(session.as_ref().into()).or_default();
                }
                FrameItem::UnknownKind { node, .. } | FrameItem::NotAnObject(node) => {
                    self.frames.add_unreadable(frame.bare_place(node.span.clone(), None));
                }
                FrameItem::Event | FrameItem::Container { .. } => {}
            }
        }
    }

    /// Extracts a session or an action. `part`: the record as a frame by itself. `node`: the record in the tree of the
    /// whole frame, whose text is `text`.
    fn record(&mut self, part: &Frame<'_>, node: &Node, text: &[u8], kind: usize, session: Option<Arc<str>>) {
        let name = &self.protocol.tables().events[kind].name;
        let event = Event::of(node, name);
        let (file, excerpts) = (self.frames.file.clone(), self.frames.excerpts);
        let field = |at: &Pointer| {
            let value = FieldValue::of(text, event.field(text, at))?;
            let span = node.at(text, &at.0)?.span.clone();
            let span = span.start - node.span.start..span.end - node.span.start;
            let place = if excerpts { part.place(span, None) } else { part.bare_place(span, None) };
            let (event_type, pointer) = (Some(name.clone()), Some(at.text().into()));
            Some((value, Location { event_type, pointer, ..Location::new(&file, place) }))
        };
        let shape = &self.protocol.tables().shape;
        let time = shape.time.as_ref().and_then(field);
        if kind == self.reconcile.session {
            let Some((id, _)) = shape.stream.as_ref().and_then(field) else { return };
            let session = StoredSession { time, duration: field(&self.reconcile.duration) };
            self.stored.sessions.entry(id.id().into()).or_insert(session);
        } else if kind == self.reconcile.action
            && let (Some(session), Some(name)) = (session, field(&self.reconcile.name))
        {
            let location = |at: &Pointer| field(at).map(|(_, location)| location);
            let (result, error) = (location(&self.reconcile.result), location(&self.reconcile.error));
            self.stored.actions.entry(session.as_ref().into()).or_default().push(StoredAction {
                name,
                time,
                result,
                error,
            });
        }
    }
}
