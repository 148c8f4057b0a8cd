//! Instances of lifecycles: their sets of possible states, and the events that led into these.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize, Serializer};

use super::field::{KeptValue, Scope};
use super::{Target, end};
use crate::finding::{Place, Related};
use crate::protocol::RuleId;
use crate::protocol::tables::{Cell, Certainty, Lifecycle, Row, States};

/// The most instances in a stream that may be packed. Each packing of the stream writes all of them again.
const MOST_PACKED_AGAIN: usize = 64;

/// The events that led an instance into its states: each state with the place of the event.
pub(crate) type History = Vec<(u8, Arc<Place>)>;

/// The event that led into the state of an instance.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The place of the field that led into the state, or else of the event.
    pub place: Arc<Place>,
    /// The pointer of that field.
    pub pointer: Option<Arc<str>>,
    /// The event's type.
    pub event_type: Arc<str>,
}

impl Entry {
    /// Returns the target of a verdict about the event.
    pub(crate) fn target(&self) -> Target {
        let (place, event_type) = (self.place.clone(), self.event_type.clone());
        match &self.pointer {
            Some(pointer) => Target::EarlierField(place, event_type, pointer.clone()),
            None => Target::Earlier(place, event_type),
        }
    }
}

/// The instance of a lifecycle without keys.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SingleInstance {
    pub possible: States,
    pub history: History,
    /// The event that led into the possible states, if findings in each of them stand at it.
    pub entry: Option<Box<Entry>>,
}

impl Default for SingleInstance {
    fn default() -> Self {
        SingleInstance { possible: States::one(0), history: Vec::new(), entry: None }
    }
}

/// More doubts than there can be.
const MOST_DOUBTS: u64 = 1 << 60;

/// Returns whether these are states of a lifecycle, and events that led into such.
fn are_of(lifecycle: &Lifecycle, possible: States, history: &History) -> bool {
    let count = lifecycle.states.len();
    possible.or(States::all(count)) == States::all(count)
        && history.iter().all(|(state, place)| usize::from(*state) < count && place.is_sound())
}

impl SingleInstance {
    /// Returns whether an instance can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        are_of(lifecycle, self.possible, &self.history)
            && self.entry.as_ref().is_none_or(|entry| entry.place.is_sound())
    }

    /// Makes every state possible.
    pub(crate) fn make_unsure(&mut self, lifecycle: &Lifecycle) {
        self.possible = States::all(lifecycle.states.len());
        self.history.clear();
        self.entry = None;
    }
}

type KeyMap<V> = HashMap<Box<[u8]>, V, RandomState>;

/// The instances of a lifecycle with keys. Packed (serialised) instances take a tenth of the memory; all instances are
/// packed whenever the surrounding turn opens anew.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyedInstances {
    /// The instances used since the turn opened.
    #[serde(serialize_with = "in_order")]
    known: KeyMap<Instance>,
    /// The other instances, serialised.
    #[serde(serialize_with = "in_order")]
    packed: KeyMap<Box<[u8]>>,
    /// The possible states of a key that has not been seen yet.
    unseen: States,
    /// Whether keys that have not been seen yet stay unsure until the stream ends.
    unseen_for_good: bool,
    /// Number of times that all instances became unsure.
    doubts: u64,
    /// Number of times that the surrounding turn may have opened anew.
    open_doubts: u64,
    /// The keys that the open turn opened, in the order of their opening.
    pub open: Vec<Box<[u8]>>,
    /// By state: the number of instances that the open turn opened; `None` if one of them is unsure.
    #[serde(skip)]
    counts: Option<Vec<u32>>,
}

/// Writes a map in the order of its keys: the same state is written as the same bytes.
fn in_order<V: Serialize, S: Serializer>(map: &KeyMap<V>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    serializer.collect_map(entries)
}

/// The instance of one key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub possible: States,
    pub history: History,
    /// The kept values, by their numbers in the lifecycle.
    pub kept: Vec<Option<KeptValue>>,
    /// Whether the open turn opened this instance.
    pub open: Certainty,
    /// Number of doubts that this instance has applied. Doubts are applied lazily, on lookup: updating every instance
    /// on every doubt would be quadratic.
    doubts: u64,
    /// Likewise for the doubts about the turn.
    open_doubts: u64,
}

impl Default for KeyedInstances {
    fn default() -> Self {
        KeyedInstances {
            known: HashMap::default(),
            packed: HashMap::default(),
            unseen: States::one(0),
            unseen_for_good: false,
            doubts: 0,
            open_doubts: 0,
            open: Vec::new(),
            counts: Some(Vec::new()),
        }
    }
}

impl Instance {
    fn new(possible: States, doubts: u64) -> Instance {
        Instance { possible, history: Vec::new(), kept: Vec::new(), open: Certainty::No, doubts, open_doubts: 0 }
    }
}

impl Instance {
    /// Returns whether an event says of the instance what was kept of it, in the fields that the row keeps.
    pub(crate) fn keeps_what_is_in(&self, scope: Scope<'_>, row: &Row) -> bool {
        let kept = |name: usize| self.kept.get(name).and_then(Option::as_ref);
        row.keep.iter().all(|(name, slot)| kept(*name).is_some_and(|kept| kept.equals(scope.field(*slot))))
    }

    fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        are_of(lifecycle, self.possible, &self.history)
            && self.kept.iter().flatten().all(KeptValue::is_sound)
            && self.doubts.max(self.open_doubts) < MOST_DOUBTS
    }
}

impl KeyedInstances {
    /// Returns whether instances can be in this state; those that were stored may be made up.
    pub(crate) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        let unpacked = |packed: &[u8]| postcard::from_bytes::<Instance>(packed).ok();
        are_of(lifecycle, self.unseen, &Vec::new())
            && self.known.values().all(|instance| instance.is_sound(lifecycle))
            && self.packed.values().all(|packed| unpacked(packed).is_some_and(|one| one.is_sound(lifecycle)))
            && self.doubts.max(self.open_doubts) < MOST_DOUBTS
    }

    /// Makes every state possible for every key, seen or not. `for_good`: an event that opens an instance may be lost.
    pub(crate) fn make_unsure(&mut self, lifecycle: &Lifecycle, for_good: bool) {
        self.doubts += 1;
        self.counts = None;
        self.unseen = States::all(lifecycle.states.len());
        self.unseen_for_good |= for_good;
    }

    /// Returns the instance of a key, creating it if the key is new.
    pub(crate) fn instance(&mut self, key: &[u8], lifecycle: &Lifecycle) -> Option<&mut Instance> {
        let any = States::all(lifecycle.states.len());
        // Looked up twice, so that a known key costs no allocation.
        if !self.known.contains_key(key) {
            let instance = match self.packed.remove(key) {
                // Should not happen. If it does, nothing is known of the instance.
                Some(packed) => postcard::from_bytes(&packed).unwrap_or_else(|_| Instance::new(any, self.doubts)),
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
            // An instance that the last turn did not open is not one that the turn that may have begun opened.
            instance.open = instance.open.and(Certainty::Perhaps);
        }
        Some(instance)
    }

    /// Returns the instances that the open turn certainly opened, with their keys, in the order of their opening.
    pub(crate) fn certainly_open(&self, lifecycle: &Lifecycle) -> impl Iterator<Item = (&[u8], States, &History)> {
        self.open.iter().filter_map(move |key| {
            let is_open =
                |instance: &&Instance| instance.open == Certainty::Yes && instance.open_doubts == self.open_doubts;
            let instance = self.known.get(key).filter(is_open)?;
            let sure = instance.doubts == self.doubts;
            let possible = if sure { instance.possible } else { States::all(lifecycle.states.len()) };
            Some((&**key, possible, &instance.history))
        })
    }

    /// Releases or forgets the open instances, because the surrounding turn opened anew. `forget`: keys are known for one
    /// turn only.
    pub(crate) fn reset(&mut self, forget: bool) {
        for key in std::mem::take(&mut self.open) {
            if let Some(instance) = self.known.get_mut(&key) {
                instance.open = Certainty::No;
            }
        }
        self.counts = Some(Vec::new());
        if forget {
            self.known.clear();
        } else {
            self.pack();
        }
        if !self.unseen_for_good {
            self.unseen = States::one(0);
        }
    }

    /// Notes that the surrounding turn may have opened anew.
    pub(crate) fn doubt_open(&mut self) {
        self.open_doubts += 1;
        self.counts = None;
    }

    /// Counts an instance in its new state, and no longer in its old one. Each comes with whether the open turn opened the
    /// instance.
    pub(crate) fn recount(&mut self, (was_open, from): (Certainty, States), (is_open, to): (Certainty, States)) {
        let Some(counts) = &mut self.counts else { return };
        for (open, states, more) in [(was_open, from, false), (is_open, to, true)] {
            match (open, only_state(states)) {
                (Certainty::No, _) => {}
                (Certainty::Yes, Some(state)) => {
                    let state = usize::from(state);
                    if counts.len() <= state {
                        counts.resize(state + 1, 0);
                    }
                    counts[state] = if more { counts[state] + 1 } else { counts[state].saturating_sub(1) };
                }
                _ => return self.counts = None,
            }
        }
    }

    /// Returns whether an instance that the open turn opened may be in one of these states. A turn may have many
    /// instances, and most events are of no concern to them.
    pub(crate) fn may_have_open(&self, states: States) -> bool {
        self.counts
            .as_ref()
            .is_none_or(|counts| counts.iter().enumerate().any(|(state, count)| *count > 0 && states.has(state as u8)))
    }

    /// Returns whether an instance that the open turn opened is in one of these states.
    pub(crate) fn has_open(&mut self, states: States, lifecycle: &Lifecycle) -> Certainty {
        if states == States::default() || !self.may_have_open(states) {
            return Certainty::No;
        }
        if self.counts.is_some() {
            return Certainty::Yes;
        }
        // One whose start was lost may be in any state.
        let mut found = if self.unseen == States::one(0) { Certainty::No } else { Certainty::Perhaps };
        let keys = std::mem::take(&mut self.open);
        for key in &keys {
            let Some(instance) = self.instance(key, lifecycle) else { continue };
            let certainly = instance.possible.or(states) == states && instance.open == Certainty::Yes;
            match (certainly, instance.possible.0 & states.0) {
                (true, _) => found = Certainty::Yes,
                (false, 0) => {}
                (false, _) if found == Certainty::No => found = Certainty::Perhaps,
                (false, _) => {}
            }
            if found == Certainty::Yes {
                break;
            }
        }
        self.open = keys;
        found
    }

    /// Returns whether the end of the stream would report nothing, and few enough instances would be packed.
    pub(crate) fn is_at_rest(&self, lifecycle: &Lifecycle) -> bool {
        self.packed.len() + self.known.len() <= MOST_PACKED_AGAIN
            && self.certainly_open(lifecycle).all(|(_, possible, _)| end::end_rule(possible, lifecycle).is_none())
    }

    /// Serialises all instances, without the text of the events in their histories.
    fn pack(&mut self) {
        for (key, instance) in self.known.drain() {
            if let Ok(packed) = postcard::to_allocvec(&instance) {
                self.packed.insert(key, packed.into());
            }
        }
    }
}

/// The effect of a row on a set of possible states.
pub(crate) struct Transition {
    /// The possible states afterwards.
    pub to: States,
    /// The rule that every possible state reports, if there is one.
    pub rule: Option<RuleId>,
    /// Whether the transition opens a new instance.
    pub opens: Certainty,
}

impl Transition {
    /// Computes the effect of a row's cells. `meets`: whether the row's conditions are met.
    pub(crate) fn new(from: States, cells: &[Cell], lifecycle: &Lifecycle, meets: Certainty) -> Transition {
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
                Some(other) if other == cell.rule => Some(other),
                Some(_) => Some(None),
            };
        }
        let certain = meets == Certainty::Yes;
        let opens = match (all_open, some_open) {
            (true, true) if certain => Certainty::Yes,
            (_, true) => Certainty::Perhaps,
            _ => Certainty::No,
        };
        Transition { to: if certain { to } else { to.or(from) }, rule: rule.flatten().filter(|_| certain), opens }
    }

    /// Returns the rules that some of several possible states report, where not all of them do.
    #[cold]
    pub(crate) fn silent<'c>(&self, from: States, cells: &'c [Cell]) -> impl Iterator<Item = RuleId> + use<'c> {
        let from = if self.rule.is_none() { from } else { States::default() };
        from.iter().filter_map(|state| cells.get(usize::from(state))?.rule)
    }

    /// Returns whether the old state was certainly left.
    pub(crate) fn left(&self, from: States) -> bool {
        self.to.0 & from.0 == 0
    }
}

/// Returns the only state of a set; `None` if there are several or none.
pub(crate) fn only_state(states: States) -> Option<u8> {
    (states.0.count_ones() == 1).then(|| states.0.trailing_zeros() as u8)
}

/// Returns the events that led an instance here, in the order of the file, one for each message.
pub(crate) fn related_places(history: &History, lifecycle: &Lifecycle) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for (state, place) in history {
        if let Some(words) = &lifecycle.entered[usize::from(*state)]
            && !related.iter().any(|known| known.message == *words)
        {
            related.push(Related { message: words.clone(), file: None, place: place.clone() });
        }
    }
    related
}
