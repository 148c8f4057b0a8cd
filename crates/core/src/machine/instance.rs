//! Instances of lifecycles: their sets of possible states, and the events that led into these.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;
use serde::{Deserialize, Serialize, Serializer};

use super::content::Kept;
use super::field::{Field, Scope};
use super::history::History;
use super::open_groups::{Group, OpenGroups, Standing};
use super::{Target, end};
use crate::finding::Place;
use crate::protocol::Keyed;
use crate::protocol::tables::{Certainty, Lifecycle, Row, States};

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

    /// Starts afresh, and keeps the memory of the history.
    pub(crate) fn reset(&mut self) {
        self.possible = States::one(0);
        self.history.clear();
        self.entry = None;
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
    /// Number of times that an event may have been lost, or not understood, that opened an instance.
    openings: u64,
    /// That number when the parent last opened: instances that opened before are not owned.
    openings_before: u64,
    /// Number of times that all instances became unsure.
    doubts: u64,
    /// Number of times that the surrounding turn may have opened anew.
    open_doubts: u64,
    /// The keys that the open turn opened, in the order of their opening.
    open: Vec<Box<[u8]>>,
    /// Those instances, by their numbers in `open`; `None` if they have not been grouped since the stream was unpacked.
    #[serde(skip)]
    groups: Option<OpenGroups>,
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
    pub kept: Vec<Option<Kept>>,
    /// Whether the open turn opened this instance.
    pub open: Certainty,
    /// The number of the instance among those that the open turn opened, if it did.
    #[serde(skip)]
    number: u32,
    /// Number of doubts that this instance has applied. Doubts are applied lazily, on lookup: updating every instance
    /// on every doubt would be quadratic.
    doubts: u64,
    /// Likewise for the doubts about the parent.
    open_doubts: u64,
    /// Likewise for the events that may have opened the instance.
    openings: u64,
}

impl Default for KeyedInstances {
    fn default() -> Self {
        KeyedInstances {
            known: HashMap::default(),
            packed: HashMap::default(),
            unseen: States::one(0),
            unseen_for_good: false,
            openings: 0,
            openings_before: 0,
            doubts: 0,
            open_doubts: 0,
            open: Vec::new(),
            groups: Some(OpenGroups::default()),
        }
    }
}

impl Instance {
    fn new(possible: States, doubts: u64) -> Instance {
        let (history, kept) = (Vec::new(), Vec::new());
        Instance { possible, history, kept, open: Certainty::No, number: 0, doubts, open_doubts: 0, openings: 0 }
    }
}

/// Returns the states that an instance may besides be in if its parent may have opened anew: the first one, where that
/// forgets instances.
fn first_if_forgotten(lifecycle: &Lifecycle) -> States {
    if lifecycle.keyed == Some(Keyed::Parent) { States::one(0) } else { States::default() }
}

/// Number of doubts about the instances of a lifecycle.
#[derive(Clone, Copy)]
struct Doubts {
    /// Number of times that all instances became unsure.
    states: u64,
    /// Number of times that the surrounding turn may have opened anew.
    open: u64,
}

/// Returns whether the instance of a number has a standing.
fn has(
    known: &KeyMap<Instance>,
    open: &[Box<[u8]>],
    now: Doubts,
    lifecycle: &Lifecycle,
    number: u32,
    standing: Standing,
) -> bool {
    let instance = open.get(number as usize).and_then(|key| known.get(key));
    instance.is_some_and(|instance| instance.standing(now, lifecycle) == standing)
}

impl Instance {
    /// Returns whether an event says of the instance what was kept of it, in the fields that the row keeps.
    pub(crate) fn keeps_what_is_in(&self, scope: Scope<'_>, row: &Row) -> bool {
        let kept = |name: usize| self.kept.get(name).and_then(Option::as_ref);
        row.keep
            .iter()
            .all(|(name, slot)| kept(*name).is_some_and(|kept| kept.difference(scope.field(*slot), &[]).is_none()))
    }

    /// Keeps the value of a field. One that is not there leaves what was kept; where it is only perhaps kept, or cannot be
    /// read, what was kept is not known any more.
    pub(crate) fn keep(&mut self, name: usize, field: Field<'_>, keeps: Certainty) {
        if matches!(field, Field::Absent) {
            return;
        }
        if self.kept.len() <= name {
            self.kept.resize(name + 1, None);
        }
        self.kept[name] = Kept::of(field).filter(|_| keeps == Certainty::Yes);
    }

    /// Returns what is known of the instance, all doubts applied.
    fn standing(&self, now: Doubts, lifecycle: &Lifecycle) -> Standing {
        let possible = if self.doubts == now.states { self.possible } else { States::all(lifecycle.states.len()) };
        if self.open_doubts == now.open {
            return Standing { open: self.open, possible };
        }
        let possible = possible.or(first_if_forgotten(lifecycle));
        Standing { open: self.open.and(Certainty::Perhaps), possible }
    }

    fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        are_of(lifecycle, self.possible, &self.history)
            && self.kept.iter().flatten().all(Kept::is_sound)
            && self.doubts.max(self.open_doubts) < KeyedInstances::MOST_DOUBTS
    }
}

impl KeyedInstances {
    /// The most instances in a stream that may be packed. Each packing of the stream writes all of them again.
    pub(crate) const MOST_PACKED_AGAIN: usize = 64;
    /// More doubts than there can be.
    pub(crate) const MOST_DOUBTS: u64 = 1 << 60;

    /// Returns the number of instances.
    pub(crate) fn len(&self) -> usize {
        self.packed.len() + self.known.len()
    }

    /// Returns whether instances can be in this state; those that were stored may be made up.
    pub(crate) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        let unpacked = |packed: &[u8]| postcard::from_bytes::<Instance>(packed).ok();
        are_of(lifecycle, self.unseen, &Vec::new())
            && self.known.values().all(|instance| instance.is_sound(lifecycle))
            && self.packed.values().all(|packed| unpacked(packed).is_some_and(|one| one.is_sound(lifecycle)))
            && self.doubts.max(self.open_doubts).max(self.openings) < KeyedInstances::MOST_DOUBTS
            && self.openings_before <= self.openings
    }

    /// Makes every state possible for every key, seen or not. `for_good`: an event that opens an instance may be lost.
    pub(crate) fn make_unsure(&mut self, lifecycle: &Lifecycle, for_good: bool) {
        let any = States::all(lifecycle.states.len());
        self.doubts += 1;
        if let Some(groups) = &mut self.groups {
            groups.change(|standing| Standing { possible: any, ..standing });
        }
        self.unseen = any;
        self.unseen_for_good |= for_good;
        self.openings += u64::from(for_good && lifecycle.can_open);
    }

    /// Returns the instance of a key, creating it if the key is new.
    pub(crate) fn instance(&mut self, key: &[u8], lifecycle: &Lifecycle) -> &mut Instance {
        if self.openings > self.openings_before {
            self.doubt_opening(key, lifecycle);
        }
        self.known(key, lifecycle)
    }

    /// Returns the instance of a key, with what is known of its states.
    fn known(&mut self, key: &[u8], lifecycle: &Lifecycle) -> &mut Instance {
        let any = States::all(lifecycle.states.len());
        let instance = match self.known.entry_ref(key) {
            EntryRef::Occupied(known) => known.into_mut(),
            EntryRef::Vacant(new) => {
                let instance = match self.packed.remove(key) {
                    // Should not happen. If it does, nothing is known of the instance.
                    Some(packed) => postcard::from_bytes(&packed).unwrap_or_else(|_| Instance::new(any, self.doubts)),
                    None => Instance::new(self.unseen, self.doubts),
                };
                new.insert_with_key(key.into(), instance)
            }
        };
        if instance.doubts != self.doubts {
            instance.doubts = self.doubts;
            instance.possible = any;
            // What was lost, or of which the key could not be read, may have kept something else.
            instance.kept.clear();
        }
        if instance.open_doubts != self.open_doubts {
            instance.open_doubts = self.open_doubts;
            // An instance that the last turn did not open is not one that the turn that may have begun opened.
            instance.open = instance.open.and(Certainty::Perhaps);
            instance.possible = instance.possible.or(first_if_forgotten(lifecycle));
        }
        instance
    }

    /// Returns the instance of a key as it is, without creating it; a new one if the key is new.
    pub(crate) fn peek(&self, key: &[u8], lifecycle: &Lifecycle) -> Instance {
        let unpacked = || self.packed.get(key).and_then(|packed| postcard::from_bytes(packed).ok());
        let instance = self.known.get(key).cloned().or_else(unpacked);
        let mut instance = instance.unwrap_or_else(|| Instance::new(self.unseen, self.doubts));
        if instance.doubts != self.doubts {
            instance.possible = States::all(lifecycle.states.len());
            instance.kept.clear();
        }
        instance
    }

    /// Notes that an instance may have opened in an event that was lost, or whose key could not be read: then it is perhaps
    /// owned.
    #[cold]
    fn doubt_opening(&mut self, key: &[u8], lifecycle: &Lifecycle) {
        let openings = self.openings;
        let instance = self.known(key, lifecycle);
        if instance.openings != openings {
            instance.openings = openings;
            if instance.open == Certainty::No {
                instance.open = Certainty::Perhaps;
                let before = Standing { open: Certainty::No, possible: instance.possible };
                self.note_move(key, before, lifecycle);
            }
        }
    }

    /// Returns the keys that the open turn opened, in the order of their opening.
    pub(crate) fn open_keys(&self) -> &[Box<[u8]>] {
        &self.open
    }

    /// Returns the instances that the open turn certainly opened, with their keys, in the order of their opening.
    pub(crate) fn certainly_open(&self, lifecycle: &Lifecycle) -> impl Iterator<Item = (&[u8], States, &History)> {
        self.open.iter().filter_map(move |key| {
            let instance = self.known.get(key)?;
            let Standing { open, possible } = instance.standing(self.now(), lifecycle);
            (open == Certainty::Yes).then_some((&**key, possible, &instance.history))
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
        self.openings_before = self.openings;
        match &mut self.groups {
            Some(groups) => groups.clear(),
            groups => *groups = Some(OpenGroups::default()),
        }
        if forget {
            self.known.clear();
            self.unseen_for_good = false;
        } else {
            self.pack();
        }
        if !self.unseen_for_good {
            self.unseen = States::one(0);
        }
    }

    /// Notes that the surrounding turn may have opened anew.
    pub(crate) fn doubt_open(&mut self, lifecycle: &Lifecycle) {
        self.open_doubts += 1;
        if let Some(groups) = &mut self.groups {
            groups.change(|standing| Standing {
                open: standing.open.and(Certainty::Perhaps),
                possible: standing.possible.or(first_if_forgotten(lifecycle)),
            });
        }
    }

    /// Returns the number of doubts of each kind so far.
    fn now(&self) -> Doubts {
        Doubts { states: self.doubts, open: self.open_doubts }
    }

    /// Notes that the instance of a key has moved from one standing to another.
    pub(crate) fn note_move(&mut self, key: &[u8], before: Standing, lifecycle: &Lifecycle) {
        let now = self.now();
        let KeyedInstances { known, open, groups, .. } = self;
        let Some(instance) = known.get_mut(key) else { return };
        let standing = instance.standing(now, lifecycle);
        if before.open == Certainty::No && standing.open != Certainty::No {
            instance.number = open.len() as u32;
            open.push(key.into());
        }
        let number = instance.number;
        let Some(groups) = groups else { return };
        if before.open != Certainty::No {
            groups.remove(before);
        }
        if standing.open != Certainty::No {
            groups.add(number, standing, |number, standing| has(known, open, now, lifecycle, number, standing));
        }
    }

    /// Groups the instances that the open turn opened, if they are not.
    fn grouped(&mut self, lifecycle: &Lifecycle) -> &mut OpenGroups {
        if self.groups.is_none() {
            let mut groups = OpenGroups::default();
            let (now, open) = (self.now(), std::mem::take(&mut self.open));
            for (number, key) in open.iter().enumerate() {
                let instance = self.instance(key, lifecycle);
                instance.number = number as u32;
                groups.add(number as u32, instance.standing(now, lifecycle), |_, _| true);
            }
            self.open = open;
            self.groups = Some(groups);
        }
        self.groups.get_or_insert_default()
    }

    /// Returns the keys of the instances that the open turn may have opened and whose group `is_wanted`, in the order of
    /// their opening. A turn may have many instances, and most events are of no concern to them.
    pub(crate) fn open_where(
        &mut self,
        lifecycle: &Lifecycle,
        is_wanted: impl FnMut(&Group) -> bool,
    ) -> Vec<Box<[u8]>> {
        self.grouped(lifecycle);
        let now = self.now();
        let KeyedInstances { known, open, groups, .. } = self;
        let has = |number, standing| has(known, open, now, lifecycle, number, standing);
        let numbers = groups.get_or_insert_default().members(is_wanted, has);
        numbers.into_iter().filter_map(|number| open.get(number as usize).cloned()).collect()
    }

    /// Returns whether an instance that the open turn may have opened may be in one of these states.
    pub(crate) fn may_have_open(&mut self, states: States, lifecycle: &Lifecycle) -> bool {
        self.grouped(lifecycle).iter().any(|group| group.standing.possible.0 & states.0 != 0)
    }

    /// Returns whether an instance that the open turn opened is in one of these states.
    pub(crate) fn has_open(&mut self, states: States, lifecycle: &Lifecycle) -> Certainty {
        if states == States::default() {
            return Certainty::No;
        }
        // One whose start was lost may be in any state.
        let is_lost = self.openings > self.openings_before && self.unseen != States::one(0);
        let found = self.grouped(lifecycle).iter().map(|Group { standing: Standing { open, possible }, .. }| {
            match (possible.0 & states.0, possible.or(states) == states) {
                (0, _) => Certainty::No,
                (_, true) => *open,
                (_, false) => Certainty::Perhaps,
            }
        });
        found.max().unwrap_or(Certainty::No).max(if is_lost { Certainty::Perhaps } else { Certainty::No })
    }

    /// Returns whether the end of the stream would report nothing, and few enough instances would be packed.
    pub(crate) fn is_at_rest(&self, lifecycle: &Lifecycle) -> bool {
        self.len() <= KeyedInstances::MOST_PACKED_AGAIN
            && self.certainly_open(lifecycle).all(|(_, possible, _)| end::end_rule(possible, lifecycle, true).is_none())
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

/// Returns the only state of a set; `None` if there are several or none.
pub(crate) fn only_state(states: States) -> Option<u8> {
    (states.0.count_ones() == 1).then(|| states.0.trailing_zeros() as u8)
}
