//! What stored records keep of sessions: when they were, and which actions were taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Spot;
use super::reading::Reading;
use crate::event::Event;
use crate::event::Options;
use crate::input::json::Node;
use crate::input::{Frame, Input, Piece};
use crate::protocol::Protocol;
use crate::protocol::records::Reconciliation;
use crate::records::known::Value;
use crate::records::sort::{Cursor, Found, Sorter};
use crate::schema::Pointer;

/// The sessions of some files of records, by their ids.
#[derive(Debug, Default)]
pub struct Kept {
    /// Of several records of one session, the first.
    pub sessions: BTreeMap<Box<str>, Session>,
    /// The actions of each session of which there is a transcript.
    pub actions: BTreeMap<Box<str>, Vec<Action>>,
    /// How many records there were.
    pub records: u64,
    /// What could not be read: the first place in each file, and how many there are.
    pub unread: Vec<(Spot, u64)>,
}

/// A Session.
#[derive(Debug)]
pub struct Session {
    pub time: Option<(Value, Spot)>,
    pub duration: Option<(Value, Spot)>,
}

/// A SessionAction of a transcript.
#[derive(Debug)]
pub struct Action {
    pub name: (Value, Spot),
    pub time: Option<(Value, Spot)>,
    /// Where its result and its error stand, if it has them.
    pub result: Option<Spot>,
    pub error: Option<Spot>,
}

/// Reads one file of records.
pub struct Clerk<'r> {
    input: Input,
    hand: Hand<'r>,
}

struct Hand<'r> {
    protocol: &'r Protocol,
    reconcile: &'r Reconciliation,
    sorter: Sorter<'r>,
    reading: Reading,
    kept: &'r mut Kept,
}

impl<'r> Clerk<'r> {
    /// `kind`: of the records whose container does not tell it. None: the protocol says nothing of streams.
    pub fn new(
        protocol: &'r Protocol,
        options: &Options,
        kind: Option<usize>,
        file: Arc<str>,
        kept: &'r mut Kept,
    ) -> Option<Clerk<'r>> {
        let records = protocol.tables().records.as_ref()?;
        let hand = Hand {
            protocol,
            reconcile: records.reconcile.as_ref()?,
            sorter: Sorter::new(protocol, records, kind, Some(&file)),
            reading: Reading::new(file, options.excerpts()),
            kept,
        };
        Some(Clerk { input: Input::new(options.wire(), options.max_line_bytes()), hand })
    }

    /// Takes the next bytes, decompressed; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Clerk { input, hand } = self;
        input.feed(bytes, &mut |piece| hand.piece(piece));
    }

    /// Ends the file.
    pub fn finish(self) {
        let Clerk { mut input, mut hand } = self;
        input.finish(&mut |piece| hand.piece(piece));
        hand.kept.unread.extend(hand.reading.unread);
    }
}

impl Hand<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let Some((frame, tree)) = self.reading.frame(piece) else { return };
        let (frame, text) = (&frame, frame.text);
        let mut found = Vec::new();
        self.sorter.sort(&tree.root, text, &mut |one| found.push(one));
        let mut cursor = Cursor::new(frame);
        for one in found {
            match one {
                Found::Record { node, kind, within } => {
                    self.kept.records += 1;
                    let part = frame.subframe(&node.span, cursor.origin(node.span.start));
                    self.record(&part.frame(), node, text, kind, within);
                }
                Found::Container { within: Some(session), .. } => {
                    self.kept.actions.entry(session.as_ref().into()).or_default();
                }
                Found::UnknownKind { node, .. } | Found::NoRecord(node) => {
                    self.reading.not_read(frame.bare_place(node.span.clone(), None));
                }
                Found::Event | Found::Container { .. } => {}
            }
        }
    }

    /// `part`: the record as a frame of its own; `node` stands in `text`, which is the whole frame's.
    fn record(&mut self, part: &Frame<'_>, node: &Node, text: &[u8], kind: usize, within: Option<Arc<str>>) {
        let name = &self.protocol.tables().events[kind].name;
        let event = Event::of(node, name);
        let (file, excerpts) = (self.reading.file.clone(), self.reading.excerpts);
        let field = |at: &Pointer| {
            let value = Value::of(text, event.field(text, at))?;
            let span = node.at(text, &at.0)?.span.clone();
            let span = span.start - node.span.start..span.end - node.span.start;
            let place = if excerpts { part.place(span, None) } else { part.bare_place(span, None) };
            let spot =
                Spot { event_type: Some(name.clone()), pointer: Some(at.text().into()), ..Spot::at(&file, place) };
            Some((value, spot))
        };
        let shape = &self.protocol.tables().shape;
        let time = shape.time.as_ref().and_then(field);
        if kind == self.reconcile.session {
            let Some((id, _)) = shape.stream.as_ref().and_then(field) else { return };
            let session = Session { time, duration: field(&self.reconcile.duration) };
            self.kept.sessions.entry(id.id().into()).or_insert(session);
        } else if kind == self.reconcile.action
            && let (Some(session), Some(name)) = (within, field(&self.reconcile.name))
        {
            let spot = |at: &Pointer| field(at).map(|(_, spot)| spot);
            let (result, error) = (spot(&self.reconcile.result), spot(&self.reconcile.error));
            self.kept.actions.entry(session.as_ref().into()).or_default().push(Action { name, time, result, error });
        }
    }
}
