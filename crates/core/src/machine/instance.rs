//! Instances of lifecycles: sets of possible states, and the events that led into them.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize, Serializer};

use super::end;
use super::field::Kept;
use crate::finding::{Place, Related};
use crate::protocol::RuleId;
use crate::protocol::tables::{Cell, Lifecycle, Meets, States};

/// The most instances of a stream that goes to sleep: all of them are written down again whenever it does.
const MOST_WRITTEN_DOWN_AGAIN: usize = 64;

/// The events that led an instance into its states, each with the state.
pub(crate) type Marks = Vec<(u8, Arc<Place>)>;

/// The instance of a lifecycle without keys.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Single {
    pub possible: States,
    pub marks: Marks,
}

impl Default for Single {
    fn default() -> Self {
        Single { possible: States::one(0), marks: Vec::new() }
    }
}

/// More doubts than there can be.
const MOST_DOUBTS: u64 = 1 << 60;

/// Whether these are states of a lifecycle, and marks of such.
fn are_of(lifecycle: &Lifecycle, possible: States, marks: &Marks) -> bool {
    let count = lifecycle.states.len();
    possible.or(States::all(count)) == States::all(count)
        && marks.iter().all(|(state, place)| usize::from(*state) < count && place.is_sound())
}

impl Single {
    /// Whether it may be in this state after a restart.
    pub(crate) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        are_of(lifecycle, self.possible, &self.marks)
    }

    /// Any state is possible from here on.
    pub(crate) fn make_unsure(&mut self, lifecycle: &Lifecycle) {
        self.possible = States::all(lifecycle.states.len());
        self.marks.clear();
    }
}

type ByKey<V> = HashMap<Box<[u8]>, V, RandomState>;

/// The instances of a lifecycle with keys. Written down they take a tenth of the room; that is done with what was
/// known when the turn around them opened afresh.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Keyed {
    /// Those of the open turn, and of what came since.
    #[serde(serialize_with = "in_order")]
    known: ByKey<Instance>,
    #[serde(serialize_with = "in_order")]
    written_down: ByKey<Box<[u8]>>,
    /// The possible states of keys not seen yet.
    unseen: States,
    /// Whether keys not seen yet stay unsure to the end of the stream.
    unseen_for_good: bool,
    /// How often all instances became unsure.
    doubts: u64,
    /// How often the turn around them may have opened afresh.
    open_doubts: u64,
    /// The keys that the open turn opened, in that order.
    pub open: Vec<Box<[u8]>>,
}

/// Writes a map in the order of its keys: the same state is written as the same bytes.
fn in_order<V: Serialize, S: Serializer>(map: &ByKey<V>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    serializer.collect_map(entries)
}

/// The instance of one key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub possible: States,
    pub marks: Marks,
    /// By number of the lifecycle's kept values.
    pub kept: Vec<Option<Kept>>,
    /// Whether the open turn opened it.
    pub open: Meets,
    /// The doubts that it knows of. There may be as many as instances, so that none is told to all of them: each hears of
    /// them when it is asked for.
    doubts: u64,
    open_doubts: u64,
}

impl Default for Keyed {
    fn default() -> Self {
        Keyed {
            known: HashMap::default(),
            written_down: HashMap::default(),
            unseen: States::one(0),
            unseen_for_good: false,
            doubts: 0,
            open_doubts: 0,
            open: Vec::new(),
        }
    }
}

impl Instance {
    fn new(possible: States, doubts: u64) -> Instance {
        Instance { possible, marks: Vec::new(), kept: Vec::new(), open: Meets::No, doubts, open_doubts: 0 }
    }
}

impl Instance {
    fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        are_of(lifecycle, self.possible, &self.marks)
            && self.kept.iter().flatten().all(Kept::is_sound)
            && self.doubts.max(self.open_doubts) < MOST_DOUBTS
    }
}

impl Keyed {
    /// Whether it may be in this state after a restart.
    pub(crate) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        let read = |written: &[u8]| postcard::from_bytes::<Instance>(written).ok();
        are_of(lifecycle, self.unseen, &Vec::new())
            && self.known.values().all(|instance| instance.is_sound(lifecycle))
            && self.written_down.values().all(|written| read(written).is_some_and(|one| one.is_sound(lifecycle)))
            && self.doubts.max(self.open_doubts) < MOST_DOUBTS
    }

    /// Any state is possible for every key, seen or not. `for_good`: an opening may be lost.
    pub(crate) fn make_unsure(&mut self, lifecycle: &Lifecycle, for_good: bool) {
        self.doubts += 1;
        self.unseen = States::all(lifecycle.states.len());
        self.unseen_for_good |= for_good;
    }

    /// The instance of a key.
    pub(crate) fn instance(&mut self, key: &[u8], lifecycle: &Lifecycle) -> Option<&mut Instance> {
        let any = States::all(lifecycle.states.len());
        // Looked up twice, so that a known key costs no allocation.
        if !self.known.contains_key(key) {
            let instance = match self.written_down.remove(key) {
                // What cannot be read back is not known; it has not happened.
                Some(written) => postcard::from_bytes(&written).unwrap_or_else(|_| Instance::new(any, self.doubts)),
                None => Instance::new(self.unseen, self.doubts),
            };
            self.known.insert(key.into(), instance);
        }
        let instance = self.known.get_mut(key)?;
        if instance.doubts != self.doubts {
            instance.doubts = self.doubts;
            instance.possible = any;
        }
        if instance.open_doubts != self.open_doubts {
            instance.open_doubts = self.open_doubts;
            // What was not opened by the last turn is not opened by the one that may have begun.
            instance.open = instance.open.and(Meets::Perhaps);
        }
        Some(instance)
    }

    /// The instances that the open turn certainly opened, in that order, with their keys.
    pub(crate) fn certainly_open(&self, lifecycle: &Lifecycle) -> impl Iterator<Item = (&[u8], States, &Marks)> {
        self.open.iter().filter_map(move |key| {
            let is_open =
                |instance: &&Instance| instance.open == Meets::Yes && instance.open_doubts == self.open_doubts;
            let instance = self.known.get(key).filter(is_open)?;
            let sure = instance.doubts == self.doubts;
            let possible = if sure { instance.possible } else { States::all(lifecycle.states.len()) };
            Some((&**key, possible, &instance.marks))
        })
    }

    /// The turn around it opened afresh.
    pub(crate) fn start_afresh(&mut self, forget: bool) {
        for key in std::mem::take(&mut self.open) {
            if let Some(instance) = self.known.get_mut(&key) {
                instance.open = Meets::No;
            }
        }
        if forget {
            self.known.clear();
        } else {
            self.write_down();
        }
        if !self.unseen_for_good {
            self.unseen = States::one(0);
        }
    }

    /// The turn around it may have opened afresh.
    pub(crate) fn doubt_open(&mut self) {
        self.open_doubts += 1;
    }

    /// Whether nothing would be said if the stream ended here, and little would be written down.
    pub(crate) fn is_at_rest(&self, lifecycle: &Lifecycle) -> bool {
        self.written_down.len() + self.known.len() <= MOST_WRITTEN_DOWN_AGAIN
            && self.certainly_open(lifecycle).all(|(_, possible, _)| end::rule(possible, lifecycle).is_none())
    }

    /// Writes all instances down, without the text of the events that they remember.
    fn write_down(&mut self) {
        for (key, instance) in self.known.drain() {
            if let Ok(written) = postcard::to_allocvec(&instance) {
                self.written_down.insert(key, written.into());
            }
        }
    }
}

/// What a row does to a set of possible states.
pub(crate) struct Move {
    pub to: States,
    /// The rule that every possible state speaks.
    pub rule: Option<RuleId>,
    /// Whether it opens a new instance.
    pub opens: Meets,
}

impl Move {
    /// Applies a row's cells. `meets`: whether the row's conditions are met at all.
    pub(crate) fn new(from: States, cells: &[Cell], lifecycle: &Lifecycle, meets: Meets) -> Move {
        let mut to = States::default();
        let (mut all_open, mut some_open) = (true, false);
        let mut rule: Option<Option<RuleId>> = None;
        for state in from.iter() {
            let Some(cell) = cells.get(usize::from(state)) else { continue };
            to = to.or(States::one(cell.to));
            let opens = cell.to != state && lifecycle.opens.has(cell.to) && !lifecycle.resumes.has(state);
            all_open &= opens;
            some_open |= opens;
            rule = match rule {
                None => Some(cell.rule),
                Some(said) if said == cell.rule => Some(said),
                Some(_) => Some(None),
            };
        }
        let certain = meets == Meets::Yes;
        let opens = match (all_open, some_open) {
            (true, true) if certain => Meets::Yes,
            (_, true) => Meets::Perhaps,
            _ => Meets::No,
        };
        Move { to: if certain { to } else { to.or(from) }, rule: rule.flatten().filter(|_| certain), opens }
    }

    /// Whether it is certain that a state was left.
    pub(crate) fn left(&self, from: States) -> bool {
        self.to.0 & from.0 == 0
    }
}

/// The one state of a set, if there is just one.
pub(crate) fn only(states: States) -> Option<u8> {
    (states.0.count_ones() == 1).then(|| states.0.trailing_zeros() as u8)
}

/// What the events that led here were, in the order of the file, each kind once.
pub(crate) fn related(marks: &Marks, lifecycle: &Lifecycle) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for (state, place) in marks {
        if let Some(words) = &lifecycle.entered[usize::from(*state)]
            && !related.iter().any(|known| known.message == *words)
        {
            related.push(Related { message: words.clone(), file: None, place: place.clone() });
        }
    }
    related
}
