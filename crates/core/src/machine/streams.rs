//! The streams of a file: found by name, forgotten by age, and written down small while nothing happens in them.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::end;
use super::instance::{Keyed, Single};
use super::still::Still;
use super::text::TextState;
use crate::bytes::{contains, equal};
use crate::input::EventNote;
use crate::protocol::Tables;
use crate::protocol::tables::Lifecycle;
use crate::schema::date_time::{self, LastMinute, usual_length};

/// How many streams, those touched last, are always kept as they are.
const MOST_FRESH: usize = 1000;

/// The state of one lifecycle in a stream.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Slot {
    Single(Single),
    Keyed(Keyed),
}

/// One stream. Serialised, it is without the text of the events that it remembers.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stream {
    #[serde(skip)]
    pub name: Arc<str>,
    /// By lifecycle.
    pub slots: Vec<Slot>,
    /// By text.
    pub texts: Vec<TextState>,
    pub last: EventNote,
    pub last_type: Arc<str>,
    /// The last timestamp, as it was written; empty before the first.
    pub last_time: Vec<u8>,
    pub last_time_is_usual: bool,
    /// Whether it is the last event's.
    pub last_is_timed: bool,
    /// The losses of the file that this stream knows of.
    pub losses: u64,
    #[serde(skip)]
    pub still: Still,
}

impl Stream {
    fn new(name: &[u8], tables: &Tables, losses: u64) -> Stream {
        let slots = tables.lifecycles.iter().map(|lifecycle| match lifecycle.keyed {
            None => Slot::Single(Single::default()),
            Some(_) => Slot::Keyed(Keyed::default()),
        });
        Stream {
            name: String::from_utf8_lossy(name).into(),
            slots: slots.collect(),
            texts: tables.texts.iter().map(|_| TextState::default()).collect(),
            last: EventNote::default(),
            last_type: Arc::default(),
            last_time: Vec::new(),
            last_time_is_usual: false,
            last_is_timed: false,
            losses,
            still: Still::default(),
        }
    }

    /// Takes note of how much the file has lost by now.
    pub(crate) fn notice(&mut self, losses: u64, tables: &Tables) {
        if self.losses != losses {
            self.losses = losses;
            self.lose(tables);
        }
    }

    /// Something of this stream may have been lost: every instance is unsure, and no text is whole.
    pub(crate) fn lose(&mut self, tables: &Tables) {
        self.still.end();
        for (slot, lifecycle) in self.slots.iter_mut().zip(&tables.lifecycles) {
            match slot {
                Slot::Single(single) => single.make_unsure(lifecycle),
                Slot::Keyed(keyed) => keyed.make_unsure(lifecycle, true),
            }
        }
        for text in &mut self.texts {
            text.lose();
        }
    }

    /// Whether nothing would be said if the stream ended here, and little would be written down.
    fn is_at_rest(&self, tables: &Tables) -> bool {
        let mut slots = self.slots.iter().zip(&tables.lifecycles);
        self.texts.iter().all(TextState::is_at_rest)
            && slots.all(|(slot, lifecycle)| match slot {
                Slot::Single(single) => end::rule(single.possible, lifecycle).is_none(),
                Slot::Keyed(keyed) => keyed.is_at_rest(lifecycle),
            })
    }

    /// Whether it may be in this state after a restart.
    fn is_sound(&self, tables: &Tables, losses: u64) -> bool {
        let sound_slot = |(slot, lifecycle): (&Slot, &Lifecycle)| match (slot, lifecycle.keyed) {
            (Slot::Single(single), None) => single.is_sound(lifecycle),
            (Slot::Keyed(keyed), Some(_)) => keyed.is_sound(lifecycle),
            _ => false,
        };
        let time = &self.last_time;
        let is_time = match self.last_time_is_usual {
            true => usual_length(time, &mut LastMinute::default()) == Some(time.len()),
            false => time.is_empty() || std::str::from_utf8(time).is_ok_and(|time| date_time::parse(time).is_some()),
        };
        self.slots.len() == tables.lifecycles.len()
            && self.slots.iter().zip(&tables.lifecycles).all(sound_slot)
            && self.texts.len() == tables.texts.len()
            && self.texts.iter().all(TextState::is_sound)
            && self.last.is_sound()
            && (is_time && (!self.last_is_timed || !time.is_empty()))
            && self.losses <= losses
    }

    fn write_down(&self) -> Option<Box<[u8]>> {
        postcard::to_allocvec(self).ok().map(Vec::into_boxed_slice)
    }

    fn read(name: &[u8], written: &[u8], tables: &Tables) -> Stream {
        let mut stream = postcard::from_bytes(written).unwrap_or_else(|_| {
            // What cannot be read back is not known; it has not happened.
            let mut unsure = Stream::new(name, tables, 0);
            unsure.lose(tables);
            unsure
        });
        stream.name = String::from_utf8_lossy(name).into();
        stream
    }
}

/// All streams, in the order in which they were last touched.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    by_name: HashTable<u32>,
    hasher: RandomState,
    entries: Vec<Entry>,
    oldest: Option<u32>,
    newest: Option<u32>,
    /// The oldest of the fresh ones.
    oldest_fresh: Option<u32>,
    fresh: usize,
    /// A place that a forgotten stream left.
    free: Option<u32>,
    seen: u64,
}

#[derive(Clone)]
struct Entry {
    name: Box<[u8]>,
    /// Whether the name stands in JSON as it is.
    plain: bool,
    state: State,
    /// The streams touched just before and after this one.
    older: Option<u32>,
    newer: Option<u32>,
    /// Whether it is one of those touched last.
    fresh: bool,
}

/// All streams, to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StreamsState {
    streams: Vec<WrittenStream>,
    seen: u64,
}

#[derive(Serialize, Deserialize)]
struct WrittenStream {
    name: Box<[u8]>,
    written: Box<[u8]>,
    awake: bool,
}

#[derive(Clone)]
enum State {
    Awake(Box<Stream>),
    /// Written down: it was long at rest.
    Asleep(Box<[u8]>),
}

impl Streams {
    /// The most streams that can be kept at once.
    pub(crate) const MOST: usize = u32::MAX as usize;

    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// How many were opened in all.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        // Most often the next event is of the same stream.
        if let Some(newest) = self.newest
            && equal(&self.entries[newest as usize].name, name)
        {
            return Some(newest);
        }
        self.by_name.find(self.hasher.hash_one(name), |index| equal(&self.entries[*index as usize].name, name)).copied()
    }

    /// A stream that is not asleep and whose name stands in JSON as it is.
    #[inline]
    pub(crate) fn plain(&mut self, index: u32) -> Option<&mut Stream> {
        let entry = &mut self.entries[index as usize];
        match &mut entry.state {
            State::Awake(stream) if entry.plain => Some(stream),
            _ => None,
        }
    }

    /// A stream that is not asleep.
    pub(crate) fn awake(&self, name: &[u8]) -> Option<&Stream> {
        match &self.entries[self.find(name)? as usize].state {
            State::Awake(stream) => Some(stream),
            State::Asleep(_) => None,
        }
    }

    /// A stream, which wakes up if it was asleep.
    pub(crate) fn get(&mut self, index: u32, tables: &Tables) -> &mut Stream {
        let Entry { name, state, .. } = &mut self.entries[index as usize];
        if let State::Asleep(written) = state {
            *state = State::Awake(Box::new(Stream::read(name, written, tables)));
        }
        match state {
            State::Awake(stream) => stream,
            State::Asleep(_) => unreachable!("it was woken up just now"),
        }
    }

    /// Opens a stream. An unsure one may have begun before.
    pub(crate) fn open(&mut self, name: &[u8], tables: &Tables, unsure: bool, losses: u64) -> u32 {
        self.seen += 1;
        let mut stream = Stream::new(name, tables, losses);
        if unsure {
            stream.lose(tables);
        }
        let state = State::Awake(Box::new(stream));
        let plain = !contains(name, b'\\');
        let entry = Entry { name: name.into(), plain, state, older: None, newer: None, fresh: false };
        let index = match self.free.take() {
            Some(index) => {
                self.entries[index as usize] = entry;
                index
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        let Streams { by_name, hasher, entries, .. } = self;
        let hash = |index: &u32| hasher.hash_one(&*entries[*index as usize].name);
        by_name.insert_unique(hash(&index), index, hash);
        self.append(index);
        index
    }

    /// Makes this the stream that was touched last.
    #[inline]
    pub(crate) fn touch(&mut self, index: u32, tables: &Tables) {
        if self.newest != Some(index) {
            self.renew(index, tables);
        }
    }

    fn renew(&mut self, index: u32, tables: &Tables) {
        self.detach(index);
        self.append(index);
        while self.fresh > MOST_FRESH
            && let Some(oldest) = self.oldest_fresh
        {
            let entry = &mut self.entries[oldest as usize];
            self.oldest_fresh = entry.newer;
            self.fresh -= 1;
            entry.fresh = false;
            if let State::Awake(stream) = &mut entry.state
                && stream.is_at_rest(tables)
                && let Some(written) = stream.write_down()
            {
                entry.state = State::Asleep(written);
            }
        }
    }

    /// Returns all streams to be stored, those that were touched longest ago first.
    pub(crate) fn state(&self) -> StreamsState {
        let written = |entry: &Entry| {
            let (written, awake) = match &entry.state {
                State::Awake(stream) => (stream.write_down()?, true),
                State::Asleep(written) => (written.clone(), false),
            };
            Some(WrittenStream { name: entry.name.clone(), written, awake })
        };
        let streams = self.by_last_event().filter_map(|index| written(&self.entries[index as usize]));
        StreamsState { streams: streams.collect(), seen: self.seen }
    }

    /// Returns streams that go on where the state was taken; `None` if none could be in that state.
    pub(crate) fn restored(state: StreamsState, tables: &Tables, losses: u64) -> Option<Streams> {
        let mut streams = Streams::default();
        for WrittenStream { name, written, awake } in state.streams {
            let mut stream: Stream = postcard::from_bytes(&written).ok()?;
            // Only what is at rest was asleep: nothing would be said at its end.
            let is_sound = stream.is_sound(tables, losses) && (awake || stream.is_at_rest(tables));
            if !is_sound || streams.find(&name).is_some() {
                return None;
            }
            stream.name = String::from_utf8_lossy(&name).into();
            let index = streams.open(&name, tables, false, losses);
            streams.entries[index as usize].state =
                if awake { State::Awake(Box::new(stream)) } else { State::Asleep(written) };
            streams.touch(index, tables);
        }
        streams.seen = (state.seen >= streams.seen && state.seen < MOST_BYTES).then_some(state.seen)?;
        Some(streams)
    }

    /// Forgets the stream that was touched longest ago, and gives its name.
    pub(crate) fn forget_longest_idle(&mut self) -> Option<Arc<str>> {
        let index = self.oldest?;
        self.detach(index);
        self.free = Some(index);
        let hash = self.hasher.hash_one(&*self.entries[index as usize].name);
        if let Ok(entry) = self.by_name.find_entry(hash, |known| *known == index) {
            entry.remove();
        }
        Some(String::from_utf8_lossy(&self.entries[index as usize].name).into())
    }

    /// The streams that are awake, by their last events; at the end of those asleep nothing is to be said.
    pub(crate) fn awake_by_last_event(&self) -> Vec<u32> {
        self.by_last_event().filter(|index| matches!(self.entries[*index as usize].state, State::Awake(_))).collect()
    }

    /// The streams that are asleep, by their last events. They stay so: each is read when its turn comes.
    pub(crate) fn asleep(&self, tables: &Tables) -> impl Iterator<Item = Stream> {
        self.by_last_event().filter_map(|index| match &self.entries[index as usize] {
            Entry { name, state: State::Asleep(written), .. } => Some(Stream::read(name, written, tables)),
            _ => None,
        })
    }

    fn by_last_event(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.oldest, |index| self.entries[*index as usize].newer)
    }

    fn append(&mut self, index: u32) {
        let newest = self.newest.replace(index);
        match newest {
            Some(newest) => self.entries[newest as usize].newer = Some(index),
            None => self.oldest = Some(index),
        }
        let entry = &mut self.entries[index as usize];
        (entry.older, entry.newer, entry.fresh) = (newest, None, true);
        self.oldest_fresh = self.oldest_fresh.or(Some(index));
        self.fresh += 1;
    }

    fn detach(&mut self, index: u32) {
        let Entry { older, newer, fresh, .. } = self.entries[index as usize];
        match older {
            Some(older) => self.entries[older as usize].newer = newer,
            None => self.oldest = newer,
        }
        match newer {
            Some(newer) => self.entries[newer as usize].older = older,
            None => self.newest = older,
        }
        if fresh {
            self.fresh -= 1;
            if self.oldest_fresh == Some(index) {
                self.oldest_fresh = newer;
            }
        }
    }
}
