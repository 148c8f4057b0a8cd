//! What a recorded stream tells of its sessions: when, and which tools were called.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Spot;
use super::reading::Reading;
use crate::event::Event;
use crate::event::Options;
use crate::input::json::NodeKind;
use crate::input::{Input, Piece};
use crate::protocol::Protocol;
use crate::protocol::records::Reconciliation;
use crate::records::known::Value;
use crate::schema::captures::Capture;
use crate::schema::date_time::Time;

/// The sessions of some streams, by their ids.
#[derive(Debug, Default)]
pub struct Told {
    pub sessions: BTreeMap<Box<str>, Session>,
    /// How many events there were.
    pub events: u64,
    /// What could not be read: the first place in each file, and how many there are.
    pub unread: Vec<(Spot, u64)>,
}

/// A session of a stream.
#[derive(Debug)]
pub struct Session {
    pub first: Moment,
    pub last: Moment,
    /// In the order in which they were started.
    pub calls: Vec<Call>,
    /// The newest call of each id.
    by_id: HashMap<Box<str>, usize>,
}

/// An event and its time, if it could be read.
#[derive(Clone, Debug)]
pub struct Moment {
    pub time: Option<Time>,
    pub spot: Spot,
}

/// A tool call.
#[derive(Debug)]
pub struct Call {
    pub name: Box<str>,
    pub started: Moment,
    pub completed: Option<Moment>,
    /// Its result was reported, and whether the call went well.
    pub result: Option<(Moment, Option<bool>)>,
}

/// Reads one file of a stream.
pub struct Listener<'r> {
    input: Input,
    ear: Ear<'r>,
}

struct Ear<'r> {
    events: &'r Protocol,
    reconcile: &'r Reconciliation,
    reading: Reading,
    number: u64,
    told: &'r mut Told,
}

impl<'r> Listener<'r> {
    /// `options`: how the file is read.
    pub fn new(
        events: &'r Protocol,
        reconcile: &'r Reconciliation,
        options: &Options,
        file: Arc<str>,
        told: &'r mut Told,
    ) -> Listener<'r> {
        let input = Input::new(options.wire(), options.max_line_bytes());
        let ear = Ear { events, reconcile, reading: Reading::new(file, options.excerpts()), number: 0, told };
        Listener { input, ear }
    }

    /// Takes the next bytes, decompressed; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Listener { input, ear } = self;
        input.feed(bytes, &mut |piece| ear.piece(piece));
    }

    /// Ends the file.
    pub fn finish(self) {
        let Listener { mut input, mut ear } = self;
        input.finish(&mut |piece| ear.piece(piece));
        ear.told.events += ear.number;
        ear.told.unread.extend(ear.reading.unread);
    }
}

impl Ear<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let Some((frame, tree)) = self.reading.frame(piece) else { return };
        let (frame, text) = (&frame, frame.text);
        let Ok(event) = Event::find(&tree.root, text, self.events, false) else { return };
        let shape = &self.events.tables().shape;
        let number = self.number;
        self.number += 1;
        let value = |at: &crate::schema::Pointer| Value::of(text, event.field(text, at));
        let Some(session) = shape.stream.as_ref().and_then(value) else { return };
        let (span, mark) = (event.node.span.clone(), event.type_span.clone());
        let place = match self.reading.excerpts {
            true => frame.remembered(span, mark, Some(number)),
            false => frame.bare_place(span, Some(number)),
        };
        let spot = Spot { event_type: Some((&*event.name).into()), ..Spot::at(&self.reading.file, place) };
        let moment = Moment { time: shape.time.as_ref().and_then(value).and_then(|time| time.time()), spot };
        let session = self.told.sessions.entry(session.id().into()).or_insert_with(|| Session::new(&moment));
        session.note(&moment);
        let Reconciliation { started, completed, results, each, .. } = self.reconcile;
        if *event.name == *started.0 {
            if let (Some(id), Some(name)) = (value(&started.1), value(&started.2)) {
                session.by_id.insert(id.id().into(), session.calls.len());
                session.calls.push(Call { name: name.id().into(), started: moment, completed: None, result: None });
            }
        } else if *event.name == *completed.0 {
            if let Some(call) = value(&completed.1).and_then(|id| session.call(id.id())) {
                call.completed = Some(moment);
            }
        } else if *event.name == **results
            && let Some(NodeKind::Array(items)) = event.node.at(text, &each.0.0).map(|array| &array.kind)
        {
            for item in items {
                let item = Event::of(item, "");
                let ok = match item.field(text, &each.2) {
                    Capture::Bool(ok) => Some(ok),
                    _ => None,
                };
                if let Some(call) = Value::of(text, item.field(text, &each.1)).and_then(|id| session.call(id.id())) {
                    call.result = Some((moment.clone(), ok));
                }
            }
        }
    }
}

impl Session {
    fn new(moment: &Moment) -> Session {
        Session { first: moment.clone(), last: moment.clone(), calls: Vec::new(), by_id: HashMap::new() }
    }

    /// Takes note of the time of an event.
    fn note(&mut self, moment: &Moment) {
        if moment.time.is_some() {
            if self.first.time.is_none_or(|first| moment.time < Some(first)) {
                self.first = moment.clone();
            }
            if self.last.time.is_none_or(|last| moment.time >= Some(last)) {
                self.last = moment.clone();
            }
        }
    }

    fn call(&mut self, id: &str) -> Option<&mut Call> {
        self.by_id.get(id).and_then(|call| self.calls.get_mut(*call))
    }
}
