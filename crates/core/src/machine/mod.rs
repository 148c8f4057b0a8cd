//! The order of events: per-stream state, and one step over the tables for each event.
//!
//! It sees numbers and field values, never JSON text or files, and it knows no protocol by name. What
//! cannot be known (an unreadable field, a lost frame, a fragment) makes an instance *unsure*: its state is
//! then a set of possible states, and a rule speaks only where every possible state speaks it. A false
//! alarm is worse than a missed finding.

mod end;
mod field;
mod instance;
mod step;
mod still;
mod streams;
mod text;
mod witness;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::{Place, Related};
use crate::framing::Framing;
use crate::input::EventNote;
use crate::protocol::{Protocol, RuleId, Tables, framing};
use crate::schema::captures::{Capture, Items};
use crate::schema::date_time::{self, Stamp};
use field::Field;
use step::Scratch;
use streams::{Stream, Streams, StreamsState};
use text::TextState;
pub use witness::Taken;
pub(crate) use witness::{Nobody, Witness};

/// An event as the tables see it.
#[derive(Clone, Copy)]
pub struct Observed<'a> {
    /// The number of its type.
    pub event_type: usize,
    /// The text that the captures are ranges of.
    pub text: &'a [u8],
    /// Its timestamp, if that can be read.
    pub time: Option<Stamp<'a>>,
    /// By slot of its type, and behind them those of the arrays' items.
    pub fields: &'a [Capture],
    /// By array of its type.
    pub items: &'a [Items],
    /// Where it stands.
    pub places: &'a dyn Places,
}

impl<'a> Observed<'a> {
    /// A field of the event.
    #[inline]
    fn field(&self, slot: usize) -> Field<'a> {
        let inside = |start: u32, end: u32| &self.text[start as usize..end as usize];
        match self.fields[slot] {
            Capture::Absent => Field::Absent,
            Capture::Unreadable => Field::Unreadable,
            Capture::Null => Field::Null,
            Capture::Bool(value) => Field::Bool(value),
            Capture::Number(start, end) => Field::Number(inside(start, end)),
            Capture::Text(start, end) => Field::Text(inside(start, end)),
            Capture::Container => Field::Container,
        }
    }
}

/// Where an event stands, asked for only when it has to be known.
pub trait Places {
    /// The event's type.
    fn event_type(&self) -> &Arc<str>;
    /// Takes note of the event as a whole.
    fn note(&self, noted: &mut EventNote);
    /// A range of the event's text.
    fn part(&self, range: Range<usize>) -> Place;
    /// The event as a whole, to be remembered.
    fn event(&self) -> Place;
}

/// Where a rule speaks.
#[derive(Clone, Debug, PartialEq)]
pub enum At {
    /// The event as a whole: its type.
    Type,
    /// Its timestamp.
    Time,
    /// A field.
    Slot(usize),
    /// The rest of a text field, from this byte of what stands between its quotes.
    Part(usize, usize),
    /// A field of an array's item.
    Item { array: usize, index: usize, slot: usize },
    /// A place of this or an earlier event of this type.
    Earlier(Arc<Place>, Arc<str>),
}

/// What the words in braces of a rule stand for.
pub type Facts = Vec<(&'static str, String)>;

/// A rule that speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub rule: RuleId,
    pub stream: Arc<str>,
    pub at: At,
    pub related: Vec<Related>,
    pub facts: Facts,
}

/// What bounds the machine's memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of text kept for one turn.
    pub max_text_bytes: usize,
    /// Streams kept at once.
    pub max_streams: usize,
}

/// How far a machine has come, to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct MachineState {
    streams: StreamsState,
    losses: u64,
    forgotten: bool,
    opened: Vec<u64>,
}

/// The state of all streams of one file.
#[derive(Clone)]
pub struct Machine {
    protocol: Protocol,
    limits: Limits,
    fragment: bool,
    streams: Streams,
    /// Counts what was lost; a stream that has not seen the latest loss is unsure.
    losses: u64,
    forgotten: bool,
    scratch: Scratch,
}

impl Machine {
    pub fn new(protocol: &Protocol, limits: Limits, fragment: bool) -> Machine {
        Machine {
            protocol: protocol.clone(),
            limits,
            fragment,
            streams: Streams::default(),
            losses: 0,
            forgotten: false,
            scratch: Scratch::new(protocol.tables(), limits.max_text_bytes),
        }
    }

    pub(crate) fn state(&self) -> MachineState {
        MachineState {
            streams: self.streams.state(),
            losses: self.losses,
            forgotten: self.forgotten,
            opened: self.scratch.opened.clone(),
        }
    }

    /// Goes on where the state was taken. Returns `None` if no machine could be in that state.
    pub(crate) fn restore(mut self, state: MachineState) -> Option<Machine> {
        let MachineState { streams, losses, forgotten, opened } = state;
        let counts = opened.iter().chain([&losses]).all(|count| *count < MOST_BYTES);
        if !counts || opened.len() != self.scratch.opened.len() {
            return None;
        }
        self.streams = Streams::restored(streams, self.protocol.tables(), losses)?;
        (self.losses, self.forgotten, self.scratch.opened) = (losses, forgotten, opened);
        (self.streams.len() <= self.limits.max_streams.clamp(1, Streams::MOST)).then_some(self)
    }

    /// Something was lost that may have belonged to any stream: nothing is sure any more.
    pub fn lose(&mut self) {
        self.losses += 1;
    }

    /// How many streams there were.
    pub fn streams(&self) -> u64 {
        self.streams.seen()
    }

    /// How many instances each lifecycle opened, by its name.
    pub fn opened(&self) -> BTreeMap<String, u64> {
        let counted = self
            .protocol
            .tables()
            .lifecycles
            .iter()
            .zip(&self.scratch.opened)
            .filter(|(lifecycle, _)| lifecycle.opens.0 != 0);
        counted.map(|(lifecycle, opened)| (lifecycle.name.clone(), *opened)).collect()
    }

    /// The text that a stream has sent so far, by the tables' texts; none where nothing was sent, or that is not sure.
    pub fn streamed(&self, stream: &[u8]) -> Vec<Option<String>> {
        match self.streams.awake(stream) {
            Some(stream) => stream.texts.iter().map(TextState::streamed).collect(),
            None => self.protocol.tables().texts.iter().map(|_| None).collect(),
        }
    }

    /// Judges an event of a known type.
    pub fn step(&mut self, stream: &[u8], event: &Observed<'_>, witness: impl Witness, out: &mut Vec<Verdict>) {
        let index = self.enter(stream, event.places, out);
        let tables = self.protocol.tables();
        let stream = self.streams.get(index, tables);
        stream.notice(self.losses, tables);
        judge_time(tables, stream, event.time, out);
        step::apply(tables, stream, event, &mut self.scratch, witness, out);
        leave(stream, event.places, event.time);
        self.streams.touch(index, tables);
    }

    /// Judges an event in the short way: it is not before its stream's last event, and moves nothing. So are most. False:
    /// it is another event, and nothing was done. `raw_stream`: the name as it is written.
    #[inline]
    pub fn step_again(&mut self, raw_stream: &[u8], event: &Observed<'_>) -> bool {
        let Some(index) = self.streams.find(raw_stream) else { return false };
        let Some(stream) = self.streams.plain(index) else { return false };
        let Some(now) = event.time else { return false };
        let last = Stamp { written: &stream.last_time, usual: stream.last_time_is_usual };
        if stream.losses != self.losses
            || !(stream.last_is_timed && now.is_not_before_usual(last))
            || !still::apply_again(self.protocol.tables(), stream, event, &self.scratch)
        {
            return false;
        }
        stream.last_time.copy_from_slice(now.written);
        event.places.note(&mut stream.last);
        self.streams.touch(index, self.protocol.tables());
        true
    }

    /// Takes note of an event of an unknown type: it advances time, and moves nothing.
    pub fn pass(&mut self, stream: &[u8], time: Option<Stamp<'_>>, places: &dyn Places, out: &mut Vec<Verdict>) {
        let index = self.enter(stream, places, out);
        let tables = self.protocol.tables();
        let stream = self.streams.get(index, tables);
        stream.notice(self.losses, tables);
        judge_time(tables, stream, time, out);
        stream.still.end();
        leave(stream, places, time);
        self.streams.touch(index, tables);
    }

    /// Finds the stream, or opens it.
    fn enter(&mut self, name: &[u8], places: &dyn Places, out: &mut Vec<Verdict>) -> u32 {
        if let Some(index) = self.streams.find(name) {
            return index;
        }
        if self.streams.len() >= self.limits.max_streams.clamp(1, Streams::MOST)
            && let Some(name) = self.streams.forget_longest_idle()
            && !std::mem::replace(&mut self.forgotten, true)
        {
            let found = format!(
                "the limit of open streams is reached ({}): the longest idle ones are forgotten, first \"{name}\"; what they still lack is not reported, and streams that begin from here on are judged as if they had begun before",
                self.limits.max_streams
            );
            out.push(Verdict {
                rule: framing(Framing::CheckSkipped),
                stream: name,
                at: At::Earlier(Arc::new(places.event()), places.event_type().clone()),
                related: Vec::new(),
                facts: vec![("found", found)],
            });
        }
        let unsure = self.fragment || self.forgotten || self.losses > 0;
        self.streams.open(name, self.protocol.tables(), unsure, self.losses)
    }

    /// Judges the ends of all streams, in the order of their last events.
    pub fn finish<W: Witness>(&mut self, mut witness: W, out: &mut Vec<Verdict>) {
        if W::LOOKS && !self.fragment {
            for stream in self.streams.asleep(self.protocol.tables()).filter(|stream| stream.losses == self.losses) {
                witness::end(&mut witness, self.protocol.tables(), &stream);
            }
        }
        for index in self.streams.awake_by_last_event() {
            // What a fragment or a lost frame cut off may have gone on in any way.
            if self.fragment || self.streams.get(index, self.protocol.tables()).losses != self.losses {
                continue;
            }
            let stream = self.streams.get(index, self.protocol.tables());
            if W::LOOKS {
                witness::end(&mut witness, self.protocol.tables(), stream);
            }
            end::judge_end(self.protocol.tables(), stream, out);
            for text in &mut stream.texts {
                out.extend(text.release(&stream.name));
            }
        }
    }
}

fn leave(stream: &mut Stream, places: &dyn Places, time: Option<Stamp<'_>>) {
    places.note(&mut stream.last);
    if !Arc::ptr_eq(&stream.last_type, places.event_type()) {
        stream.last_type = places.event_type().clone();
    }
    stream.last_is_timed = time.is_some();
    if let Some(time) = time {
        stream.last_time.clear();
        stream.last_time.extend_from_slice(time.written);
        stream.last_time_is_usual = time.usual;
    }
}

fn judge_time(tables: &Tables, stream: &Stream, time: Option<Stamp<'_>>, out: &mut Vec<Verdict>) {
    let Some(now) = time else { return };
    let last = Stamp { written: &stream.last_time, usual: stream.last_time_is_usual };
    if last.written.is_empty() || !date_time::is_after(last, now) {
        return;
    }
    // An event whose time could not be read may stand between the two.
    let before =
        Related { message: "the session's event before it".into(), file: None, place: Arc::new(stream.last.place()) };
    let before = stream.last_is_timed.then_some(before);
    for rule in &tables.times {
        out.push(Verdict {
            rule: *rule,
            stream: stream.name.clone(),
            at: At::Time,
            related: before.clone().into_iter().collect(),
            facts: vec![("found", now.to_string()), ("kept", last.to_string())],
        });
    }
}
