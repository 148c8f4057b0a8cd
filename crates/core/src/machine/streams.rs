//! The streams of a file: finds them by name, packs those that are idle, and forgets the longest idle one.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::field::KeptValue;
use super::lifecycle_state::LifecycleState;
use super::repeat::RepeatPattern;
use super::repetition::Repetition;
use super::series::{self, SeriesState};
use super::text_store::Texts;
use crate::bytes::{contains, equal};
use crate::finding::Place;
use crate::input::{EventNote, MOST_BYTES};
use crate::protocol::Tables;
use crate::protocol::tables::Lifecycle;
use crate::schema::date_time::{self, LastMinute, Stamp, usual_length};

/// Number of streams, counted from the one touched last, that are never packed.
const MOST_FRESH: usize = 128;

/// What the last event of a type had in the fields of an [`Unchanged`](crate::protocol::tables::Unchanged).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LastValues {
    /// The value of each field.
    pub values: Vec<KeptValue>,
    /// The event's place.
    pub place: Arc<Place>,
}

impl LastValues {
    /// Returns whether an event can have had these; those that were stored may be made up.
    fn is_sound(&self, fields: usize) -> bool {
        self.values.len() == fields && self.values.iter().all(KeptValue::is_sound) && self.place.is_sound()
    }
}

/// The state of one stream. Serialising it leaves out the text of the events that it refers to.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stream {
    #[serde(skip)]
    pub name: Arc<str>,
    /// The state of each lifecycle.
    pub lifecycles: Vec<LifecycleState>,
    /// The state of each text.
    pub texts: Texts,
    /// For each of the tables' fields that must not stay the same, what the last event of the type had.
    pub unchanged: Vec<Option<LastValues>>,
    /// The last values of each series.
    pub series: Vec<SeriesState>,
    /// The place of the last event.
    pub last: EventNote,
    /// The type of the last event.
    pub last_type: Arc<str>,
    /// The last readable timestamp, as written; empty before the first.
    pub last_time: Vec<u8>,
    /// Whether the last timestamp has the usual form; see [`Stamp::usual`].
    pub last_time_is_usual: bool,
    /// Whether the last timestamp is that of the last event.
    pub last_is_timed: bool,
    /// Number of the file's losses that this stream has noted.
    pub losses: u64,
    /// The number of the stream in the file.
    pub serial: u64,
    /// The number of events so far.
    pub number: u64,
    /// The digest of the last event; zero if that was a piece of text.
    pub digest: u64,
    /// The events that come a second time, up to the last one.
    pub repetition: Option<Box<Repetition>>,
    /// What an event has that does the same as the last one. Packing forgets it.
    #[serde(skip)]
    pub repeat: RepeatPattern,
    /// The series whose last number came in the last event, and does not have its place yet.
    #[serde(skip)]
    pub unplaced: Option<usize>,
}

impl Stream {
    fn new(name: &[u8], tables: &Tables, losses: u64) -> Stream {
        let lifecycles = tables.lifecycles.iter().map(LifecycleState::new);
        Stream {
            name: String::from_utf8_lossy(name).into(),
            lifecycles: lifecycles.collect(),
            texts: Texts::new(&tables.texts),
            unchanged: vec![None; tables.unchanged.len()],
            series: tables.series.iter().map(|_| SeriesState::default()).collect(),
            last: EventNote::default(),
            last_type: Arc::default(),
            last_time: Vec::new(),
            last_time_is_usual: false,
            last_is_timed: false,
            losses,
            serial: 0,
            number: 0,
            digest: 0,
            repetition: None,
            repeat: RepeatPattern::default(),
            unplaced: None,
        }
    }

    /// Makes the stream unsure if the file had losses since the last call.
    pub(crate) fn note_losses(&mut self, losses: u64, tables: &Tables) {
        if self.losses != losses {
            self.losses = losses;
            self.make_unsure(tables);
        }
    }

    /// Makes every instance unsure and every text incomplete, because an event of the stream may be lost.
    pub(crate) fn make_unsure(&mut self, tables: &Tables) {
        self.repeat.clear();
        for (state, lifecycle) in self.lifecycles.iter_mut().zip(&tables.lifecycles) {
            state.lose(lifecycle);
        }
        self.texts.lose_all();
        self.series.iter_mut().for_each(SeriesState::lose);
        self.unchanged.fill(None);
    }

    /// Forgets the last values that do not outlive an instance of a lifecycle.
    pub(crate) fn forget_last_values(&mut self, tables: &Tables, outer: usize) {
        for (unchanged, last) in tables.unchanged.iter().zip(&mut self.unchanged) {
            if unchanged.within == Some(outer) {
                *last = None;
            }
        }
    }

    /// Returns the timestamp of the last event that had one; its text is empty if none had.
    pub(crate) fn last_stamp(&self) -> Stamp<'_> {
        Stamp { written: &self.last_time, usual: self.last_time_is_usual }
    }

    /// Returns whether the end of the stream would report nothing, and packing it would be cheap.
    fn is_at_rest(&self, tables: &Tables) -> bool {
        let mut lifecycles = self.lifecycles.iter().zip(&tables.lifecycles);
        self.repetition.is_none()
            && self.texts.is_at_rest()
            && lifecycles.all(|(state, lifecycle)| state.is_at_rest(lifecycle))
    }

    /// Returns whether a stream can be in this state; one that was stored may be made up.
    fn is_sound(&self, tables: &Tables, losses: u64) -> bool {
        let is_sound = |(state, lifecycle): (&LifecycleState, &Lifecycle)| state.is_sound(lifecycle);
        let time = &self.last_time;
        let is_time = match self.last_time_is_usual {
            true => usual_length(time, &mut LastMinute::default()) == Some(time.len()),
            false => time.is_empty() || std::str::from_utf8(time).is_ok_and(|time| date_time::parse(time).is_some()),
        };
        self.lifecycles.len() == tables.lifecycles.len()
            && self.lifecycles.iter().zip(&tables.lifecycles).all(is_sound)
            && self.texts.is_sound(&tables.texts)
            && self.unchanged.len() == tables.unchanged.len()
            && self
                .unchanged
                .iter()
                .zip(&tables.unchanged)
                .all(|(last, table)| last.as_ref().is_none_or(|last| last.is_sound(table.slots.len())))
            && self.series.len() == tables.series.len()
            && self.series.iter().all(series::is_sound)
            && self.last.is_sound()
            && (is_time && (!self.last_is_timed || !time.is_empty()))
            && self.losses <= losses
            && self.number.max(self.serial) < MOST_BYTES
            && self.repetition.as_ref().is_none_or(|repetition| repetition.is_sound())
    }

    /// Serialises the stream. `buffer` is scratch space.
    fn pack(&self, buffer: &mut Vec<u8>) -> Option<Box<[u8]>> {
        if self.unplaced.is_some() {
            let mut placed = self.clone();
            placed.place_last_number();
            return placed.pack(buffer);
        }
        buffer.clear();
        *buffer = postcard::to_extend(self, std::mem::take(buffer)).ok()?;
        Some(buffer.as_slice().into())
    }

    /// Reads back what [`Stream::pack`] wrote.
    fn unpack(name: &[u8], packed: &[u8], tables: &Tables) -> Stream {
        let mut stream = postcard::from_bytes(packed).unwrap_or_else(|_| {
            // Should not happen. If it does, nothing is known of the stream.
            let mut unsure = Stream::new(name, tables, 0);
            unsure.make_unsure(tables);
            unsure
        });
        stream.name = String::from_utf8_lossy(name).into();
        stream
    }
}

/// All streams, in the order in which they were last touched: a linked list in `entries`, and an index by name.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    by_name: HashTable<u32>,
    hasher: RandomState,
    entries: Vec<Entry>,
    oldest: Option<u32>,
    newest: Option<u32>,
    /// The oldest of the fresh entries.
    oldest_fresh: Option<u32>,
    /// Number of fresh entries.
    fresh: usize,
    /// The index of a forgotten stream's entry, to be reused.
    free: Option<u32>,
    /// Number of streams opened so far.
    seen: u64,
    /// Scratch space for packing.
    buffer: Vec<u8>,
}

/// A stream in the list.
#[derive(Clone)]
struct Entry {
    name: Box<[u8]>,
    /// Whether the name in JSON has no escapes.
    plain: bool,
    storage: Storage,
    /// The stream touched just before this one.
    older: Option<u32>,
    /// The stream touched just after this one.
    newer: Option<u32>,
    /// Whether the stream is one of those touched last, which are not packed.
    fresh: bool,
}

/// All streams, to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StreamsState {
    streams: Vec<StoredStream>,
    seen: u64,
}

/// A stream, to be stored.
#[derive(Serialize, Deserialize)]
struct StoredStream {
    name: Box<[u8]>,
    packed: Box<[u8]>,
    /// Whether it was live.
    live: bool,
}

/// The form in which a stream is kept.
#[derive(Clone)]
enum Storage {
    /// Ready for the next event.
    Live(Box<Stream>),
    /// Serialised, because nothing happened in the stream for long.
    Packed(Box<[u8]>),
}

impl Streams {
    /// The most streams that can be kept at once.
    pub(crate) const MOST: usize = u32::MAX as usize;

    /// Returns the number of streams kept.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Returns the number of streams opened so far.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Returns the index of a stream.
    #[inline(always)]
    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        // Most often the next event is of the same stream.
        match self.newest {
            Some(newest) if equal(&self.entries[newest as usize].name, name) => Some(newest),
            _ => self.look_up(name),
        }
    }

    #[inline(never)]
    fn look_up(&self, name: &[u8]) -> Option<u32> {
        self.by_name.find(self.hasher.hash_one(name), |index| equal(&self.entries[*index as usize].name, name)).copied()
    }

    /// Returns a stream that is not packed and whose name in JSON has no escapes.
    #[inline]
    pub(crate) fn plain(&mut self, index: u32) -> Option<&mut Stream> {
        let entry = &mut self.entries[index as usize];
        match &mut entry.storage {
            Storage::Live(stream) if entry.plain => Some(stream),
            _ => None,
        }
    }

    /// Returns a stream that is not packed.
    pub(crate) fn live(&self, name: &[u8]) -> Option<&Stream> {
        match &self.entries[self.find(name)? as usize].storage {
            Storage::Live(stream) => Some(stream),
            Storage::Packed(_) => None,
        }
    }

    /// Returns a stream, unpacking it if need be.
    pub(crate) fn get(&mut self, index: u32, tables: &Tables) -> &mut Stream {
        let Entry { name, storage, .. } = &mut self.entries[index as usize];
        if let Storage::Packed(packed) = storage {
            *storage = Storage::Live(Box::new(Stream::unpack(name, packed, tables)));
        }
        match storage {
            Storage::Live(stream) => stream,
            Storage::Packed(_) => unreachable!("it was unpacked just now"),
        }
    }

    /// Opens a stream. `unsure`: the stream may have begun earlier.
    pub(crate) fn open(&mut self, name: &[u8], tables: &Tables, unsure: bool, losses: u64) -> u32 {
        self.seen += 1;
        let mut stream = Stream::new(name, tables, losses);
        stream.serial = self.seen;
        if unsure {
            stream.make_unsure(tables);
        }
        let storage = Storage::Live(Box::new(stream));
        let plain = !contains(name, b'\\');
        let entry = Entry { name: name.into(), plain, storage, older: None, newer: None, fresh: false };
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
        self.pack_idle(tables);
        index
    }

    /// Makes a stream the one that was touched last.
    #[inline(always)]
    pub(crate) fn touch(&mut self, index: u32, tables: &Tables) {
        if self.newest != Some(index) {
            self.move_to_newest(index, tables);
        }
    }

    /// Moves a stream to the end of the list.
    fn move_to_newest(&mut self, index: u32, tables: &Tables) {
        self.detach(index);
        self.append(index);
        self.pack_idle(tables);
    }

    /// Packs streams that are no longer fresh.
    fn pack_idle(&mut self, tables: &Tables) {
        while self.fresh > MOST_FRESH
            && let Some(oldest) = self.oldest_fresh
        {
            let entry = &mut self.entries[oldest as usize];
            self.oldest_fresh = entry.newer;
            self.fresh -= 1;
            entry.fresh = false;
            if let Storage::Live(stream) = &mut entry.storage {
                stream.repeat = RepeatPattern::default();
                if let Some(packed) = stream.is_at_rest(tables).then(|| stream.pack(&mut self.buffer)).flatten() {
                    entry.storage = Storage::Packed(packed);
                }
            }
        }
    }

    /// Returns all streams to be stored, the longest idle one first.
    pub(crate) fn state(&self) -> StreamsState {
        let mut buffer = Vec::new();
        let mut stored = |entry: &Entry| {
            let (packed, live) = match &entry.storage {
                Storage::Live(stream) => (stream.pack(&mut buffer)?, true),
                Storage::Packed(packed) => (packed.clone(), false),
            };
            Some(StoredStream { name: entry.name.clone(), packed, live })
        };
        let streams = self.by_last_event().filter_map(|index| stored(&self.entries[index as usize]));
        StreamsState { streams: streams.collect(), seen: self.seen }
    }

    /// Returns streams that continue from a stored state; `None` if no streams can be in that state.
    pub(crate) fn restored(state: StreamsState, tables: &Tables, losses: u64) -> Option<Streams> {
        let mut streams = Streams::default();
        for StoredStream { name, packed, live } in state.streams {
            let mut stream: Stream = postcard::from_bytes(&packed).ok()?;
            // Only streams at rest are packed: the end of the file reports nothing of them.
            let is_sound = stream.is_sound(tables, losses) && (live || stream.is_at_rest(tables));
            if !is_sound || streams.find(&name).is_some() {
                return None;
            }
            stream.name = String::from_utf8_lossy(&name).into();
            let index = streams.open(&name, tables, false, losses);
            streams.entries[index as usize].storage =
                if live { Storage::Live(Box::new(stream)) } else { Storage::Packed(packed) };
            streams.touch(index, tables);
        }
        streams.seen = (state.seen >= streams.seen && state.seen < MOST_BYTES).then_some(state.seen)?;
        Some(streams)
    }

    /// Forgets the stream that was touched longest ago, and returns its name.
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

    /// Returns the streams that are not packed, in the order of their last events. The end of a packed stream never reports
    /// anything.
    pub(crate) fn live_by_last_event(&self) -> Vec<u32> {
        self.by_last_event().filter(|index| matches!(self.entries[*index as usize].storage, Storage::Live(_))).collect()
    }

    /// Returns the streams if there were two, and none was forgotten.
    pub(crate) fn both(&self) -> Option<[u32; 2]> {
        let streams = || self.by_last_event().collect::<Vec<_>>().try_into().ok();
        if self.seen == 2 { streams() } else { None }
    }

    /// Returns the packed streams, in the order of their last events. They stay packed; a copy of each is unpacked in turn.
    pub(crate) fn packed(&self, tables: &Tables) -> impl Iterator<Item = Stream> {
        self.by_last_event().filter_map(|index| match &self.entries[index as usize] {
            Entry { name, storage: Storage::Packed(packed), .. } => Some(Stream::unpack(name, packed, tables)),
            _ => None,
        })
    }

    /// Returns the indices of all streams, in the order of their last events.
    fn by_last_event(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.oldest, |index| self.entries[*index as usize].newer)
    }

    /// Adds an entry to the end of the list.
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

    /// Takes an entry out of the list.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol;

    #[test]
    fn streams_that_follow_one_another_are_packed() {
        let tables = Protocol::builtin("session-events").expect("it is built in").tables();
        let mut streams = Streams::default();
        for number in 0..5 * MOST_FRESH {
            let index = streams.open(number.to_string().as_bytes(), tables, false, 0);
            // The next events of a stream find it the newest.
            streams.touch(index, tables);
        }
        assert_eq!(streams.live_by_last_event().len(), MOST_FRESH);
        assert_eq!(streams.packed(tables).count(), 4 * MOST_FRESH);
    }
}
