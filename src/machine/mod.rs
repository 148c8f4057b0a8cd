//! The order of events: per-stream state, and one step over the tables for each event.
//!
//! It sees numbers and field values, never JSON text or files, and it knows no protocol by name. What
//! cannot be known (an unreadable field, a lost frame, a fragment) makes an instance *unsure*: its state is
//! then a set of possible states, and a rule speaks only where every possible state speaks it. A false
//! alarm is worse than a missed finding.

mod instance;
mod step;
mod streams;
mod text;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::finding::{Place, Related};
use crate::protocol::{Framing, RuleId, Tables};
use crate::schema::date_time::Time;
use streams::Streams;

/// A field of an event, as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a> {
    /// It is not there, and need not be.
    Absent,
    /// It is missing or wrong.
    Unreadable,
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a [u8]),
    /// What stands between the quotes, still escaped.
    Text(&'a [u8]),
    /// An array or an object.
    Container,
}

/// The items of an array, each with its fields; none if the array cannot be read.
pub type Items<'a> = Option<Vec<Vec<Field<'a>>>>;

/// An event as the tables see it.
pub struct Observed<'a> {
    /// The number of its type.
    pub event_type: usize,
    /// Its number in the file.
    pub number: u64,
    /// Its timestamp, read and as it is written.
    pub time: Option<(Time, &'a str)>,
    /// By slot of its type.
    pub slots: &'a [Field<'a>],
    /// By array of its type.
    pub arrays: &'a [Items<'a>],
    /// Where it stands.
    pub places: &'a dyn Places,
}

/// Where an event stands, asked for only when it has to be known.
pub trait Places {
    /// The event's type.
    fn event_type(&self) -> Arc<str>;
    /// The event as a whole, to be remembered.
    fn event(&self) -> Place;
    /// A part of a text field: a byte range of what stands between its quotes.
    fn part(&self, slot: usize, range: Range<usize>) -> Place;
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

/// The state of all streams of one file.
pub struct Machine<'p> {
    tables: &'p Tables,
    limits: Limits,
    fragment: bool,
    streams: Streams,
    /// Counts what was lost; a stream that has not seen the latest loss is unsure.
    losses: u64,
    forgotten: bool,
    /// How many instances were opened, by lifecycle.
    opened: Vec<u64>,
    verdicts: Vec<Verdict>,
}

impl<'p> Machine<'p> {
    pub fn new(tables: &'p Tables, limits: Limits, fragment: bool) -> Machine<'p> {
        Machine {
            tables,
            limits,
            fragment,
            streams: Streams::default(),
            losses: 0,
            forgotten: false,
            opened: vec![0; tables.lifecycles.len()],
            verdicts: Vec::new(),
        }
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
        let counted = self.tables.lifecycles.iter().zip(&self.opened).filter(|(lifecycle, _)| lifecycle.opens.0 != 0);
        counted.map(|(lifecycle, opened)| (lifecycle.name.clone(), *opened)).collect()
    }

    /// Judges an event of a known type.
    pub fn step(&mut self, stream: &[u8], event: &Observed<'_>, out: &mut Vec<Verdict>) {
        let index = self.enter(stream, event.places);
        self.judge_time(index, event.time);
        self.apply(index, event);
        self.leave(index, event.number, event.places, event.time);
        out.append(&mut self.verdicts);
    }

    /// Takes note of an event of an unknown type: it advances time, and moves nothing.
    pub fn pass(
        &mut self,
        stream: &[u8],
        number: u64,
        time: Option<(Time, &str)>,
        places: &dyn Places,
        out: &mut Vec<Verdict>,
    ) {
        let index = self.enter(stream, places);
        self.judge_time(index, time);
        self.leave(index, number, places, time);
        out.append(&mut self.verdicts);
    }

    /// Finds the stream, or opens it.
    fn enter(&mut self, name: &[u8], places: &dyn Places) -> usize {
        if let Some(index) = self.streams.find(name) {
            let losses = self.losses;
            let stream = self.streams.get_mut(index);
            if stream.losses != losses {
                stream.losses = losses;
                stream.lose(self.tables);
            }
            return index;
        }
        if self.streams.len() >= self.limits.max_streams.max(1)
            && let Some(name) = self.streams.forget_longest_idle()
            && !std::mem::replace(&mut self.forgotten, true)
        {
            let found = format!(
                "more than {} streams are open: the longest idle ones are forgotten, first \"{name}\"; what they still lack is not reported, and streams that begin from here on are judged as if they had begun before",
                self.limits.max_streams
            );
            self.verdicts.push(Verdict {
                rule: framing(Framing::CheckSkipped),
                stream: name,
                at: At::Earlier(Arc::new(places.event()), places.event_type()),
                related: Vec::new(),
                facts: vec![("found", found)],
            });
        }
        let unsure = self.fragment || self.forgotten || self.losses > 0;
        self.streams.open(name, self.tables, unsure, self.losses)
    }

    fn leave(&mut self, index: usize, number: u64, places: &dyn Places, time: Option<(Time, &str)>) {
        let stream = self.streams.get_mut(index);
        stream.last_event = number;
        stream.last_place = Arc::new(places.event());
        stream.last_type = places.event_type();
        if let Some((time, written)) = time {
            let (last, text) = stream.last_time.get_or_insert_with(|| (time, String::new()));
            *last = time;
            text.clear();
            text.push_str(written);
        }
        self.streams.touch(index);
    }

    fn judge_time(&mut self, index: usize, time: Option<(Time, &str)>) {
        let stream = self.streams.get(index);
        let (Some((now, written)), Some((before, before_written))) = (time, &stream.last_time) else {
            return;
        };
        if now >= *before {
            return;
        }
        for rule in &self.tables.times {
            self.verdicts.push(Verdict {
                rule: *rule,
                stream: stream.name.clone(),
                at: At::Time,
                related: vec![Related {
                    message: "the session's event before it".into(),
                    place: stream.last_place.clone(),
                }],
                facts: vec![("found", written.to_owned()), ("kept", before_written.clone())],
            });
        }
    }

    /// Judges the ends of all streams, in the order of their last events.
    pub fn finish(&mut self, out: &mut Vec<Verdict>) {
        for index in self.streams.by_last_event() {
            if !self.fragment && self.streams.get(index).losses == self.losses {
                self.judge_end(index);
            }
            let stream = self.streams.get_mut(index);
            let name = stream.name.clone();
            for text in &mut stream.texts {
                self.verdicts.extend(text.release(&name));
            }
        }
        out.append(&mut self.verdicts);
    }
}

/// The number of a rule of the framing.
pub fn framing(rule: Framing) -> RuleId {
    RuleId(rule as u16)
}
