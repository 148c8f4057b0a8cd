//! The streams of a file: found by name, and forgotten by age.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::instance::{Keyed, Single};
use super::text::TextState;
use crate::input::Noted;
use crate::protocol::Tables;

/// The state of one lifecycle in a stream.
pub enum Slot {
    Single(Single),
    Keyed(Keyed),
}

/// One stream.
pub struct Stream {
    pub name: Arc<str>,
    key: Box<[u8]>,
    /// By lifecycle.
    pub slots: Vec<Slot>,
    /// By text.
    pub texts: Vec<TextState>,
    pub last: Noted,
    pub last_type: Arc<str>,
    /// The last timestamp, as it was written; empty before the first.
    pub last_time: Vec<u8>,
    pub last_time_is_usual: bool,
    /// Whether it is the last event's.
    pub last_is_timed: bool,
    /// The losses of the file that this stream knows of.
    pub losses: u64,
    /// The streams touched just before and after this one.
    older: Option<usize>,
    newer: Option<usize>,
}

impl Stream {
    /// Something of this stream may have been lost: every instance is unsure, and no text is whole.
    pub fn lose(&mut self, tables: &Tables) {
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
}

/// All streams, in the order in which they were last touched.
#[derive(Default)]
pub struct Streams {
    by_name: HashMap<Box<[u8]>, usize, RandomState>,
    streams: Vec<Stream>,
    oldest: Option<usize>,
    newest: Option<usize>,
    /// A place that a forgotten stream left.
    free: Option<usize>,
    seen: u64,
}

impl Streams {
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// How many were opened in all.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub fn get(&self, index: usize) -> &Stream {
        &self.streams[index]
    }

    pub fn get_mut(&mut self, index: usize) -> &mut Stream {
        &mut self.streams[index]
    }

    /// Opens a stream. An unsure one may have begun before.
    pub fn open(&mut self, name: &[u8], tables: &Tables, unsure: bool, losses: u64) -> usize {
        self.seen += 1;
        let slots = tables.lifecycles.iter().map(|lifecycle| match lifecycle.keyed {
            None => Slot::Single(Single::default()),
            Some(_) => Slot::Keyed(Keyed::default()),
        });
        let mut stream = Stream {
            name: String::from_utf8_lossy(name).into(),
            key: name.into(),
            slots: slots.collect(),
            texts: tables.texts.iter().map(|_| TextState::default()).collect(),
            last: Noted::default(),
            last_type: Arc::default(),
            last_time: Vec::new(),
            last_time_is_usual: false,
            last_is_timed: false,
            losses,
            older: None,
            newer: None,
        };
        if unsure {
            stream.lose(tables);
        }
        let index = match self.free.take() {
            Some(index) => {
                self.streams[index] = stream;
                index
            }
            None => {
                self.streams.push(stream);
                self.streams.len() - 1
            }
        };
        self.by_name.insert(name.into(), index);
        self.append(index);
        index
    }

    /// Makes this the stream that was touched last.
    pub fn touch(&mut self, index: usize) {
        if self.newest != Some(index) {
            self.detach(index);
            self.append(index);
        }
    }

    /// Forgets the stream that was touched longest ago, and gives its name.
    pub fn forget_longest_idle(&mut self) -> Option<Arc<str>> {
        let index = self.oldest?;
        self.detach(index);
        self.free = Some(index);
        let stream = &self.streams[index];
        self.by_name.remove(&stream.key);
        Some(stream.name.clone())
    }

    /// All streams, by their last events.
    pub fn by_last_event(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.len());
        let mut next = self.oldest;
        while let Some(index) = next {
            order.push(index);
            next = self.streams[index].newer;
        }
        order
    }

    fn append(&mut self, index: usize) {
        self.streams[index].older = self.newest;
        self.streams[index].newer = None;
        match self.newest {
            Some(newest) => self.streams[newest].newer = Some(index),
            None => self.oldest = Some(index),
        }
        self.newest = Some(index);
    }

    fn detach(&mut self, index: usize) {
        let (older, newer) = (self.streams[index].older, self.streams[index].newer);
        match older {
            Some(older) => self.streams[older].newer = newer,
            None => self.oldest = newer,
        }
        match newer {
            Some(newer) => self.streams[newer].older = older,
            None => self.newest = older,
        }
    }
}
