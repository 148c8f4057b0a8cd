//! Instances of lifecycles: sets of possible states, and the events that led into them.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::field::Kept;
use crate::finding::{Place, Related};
use crate::protocol::RuleId;
use crate::protocol::tables::{Cell, Lifecycle, Meets, States};

/// The events that led an instance into its states, each with the state.
pub type Marks = Vec<(u8, Arc<Place>)>;

/// The instance of a lifecycle without keys.
pub struct Single {
    pub possible: States,
    pub marks: Marks,
}

impl Default for Single {
    fn default() -> Self {
        Single { possible: States::one(0), marks: Vec::new() }
    }
}

impl Single {
    /// Any state is possible from here on.
    pub fn make_unsure(&mut self, lifecycle: &Lifecycle) {
        self.possible = States::all(lifecycle.states.len());
        self.marks.clear();
    }
}

/// The instances of a lifecycle with keys.
pub struct Keyed {
    pub known: HashMap<Box<[u8]>, Instance, RandomState>,
    /// The possible states of keys not seen yet.
    pub unseen: States,
    /// Whether keys not seen yet stay unsure to the end of the stream.
    unseen_for_good: bool,
    /// The keys that the open turn opened, in that order.
    pub open: Vec<Box<[u8]>>,
}

/// The instance of one key.
#[derive(Clone)]
pub struct Instance {
    pub possible: States,
    pub marks: Marks,
    /// By number of the lifecycle's kept values.
    pub kept: Vec<Option<Kept>>,
    /// Whether the open turn opened it.
    pub open: Meets,
}

impl Default for Keyed {
    fn default() -> Self {
        Keyed { known: HashMap::default(), unseen: States::one(0), unseen_for_good: false, open: Vec::new() }
    }
}

impl Keyed {
    /// Any state is possible for every key, seen or not. `for_good`: an opening may be lost.
    pub fn make_unsure(&mut self, lifecycle: &Lifecycle, for_good: bool) {
        let all = States::all(lifecycle.states.len());
        for instance in self.known.values_mut() {
            instance.possible = all;
        }
        self.unseen = all;
        self.unseen_for_good |= for_good;
    }

    /// The instance of a key.
    pub fn instance(&mut self, key: &[u8]) -> Option<&mut Instance> {
        // Looked up twice, so that a known key costs no allocation.
        if !self.known.contains_key(key) {
            let new = Instance { possible: self.unseen, marks: Vec::new(), kept: Vec::new(), open: Meets::No };
            self.known.insert(key.into(), new);
        }
        self.known.get_mut(key)
    }

    /// The turn around it opened afresh.
    pub fn start_afresh(&mut self, forget: bool) {
        for key in std::mem::take(&mut self.open) {
            if let Some(instance) = self.known.get_mut(&key) {
                instance.open = Meets::No;
            }
        }
        if forget {
            self.known.clear();
        }
        if !self.unseen_for_good {
            self.unseen = States::one(0);
        }
    }

    /// The turn around it may have opened afresh.
    pub fn doubt_open(&mut self) {
        for key in &self.open {
            if let Some(instance) = self.known.get_mut(key) {
                instance.open = Meets::Perhaps;
            }
        }
    }
}

/// What a row does to a set of possible states.
pub struct Move {
    pub to: States,
    /// The rule that every possible state speaks.
    pub rule: Option<RuleId>,
    /// Whether it opens a new instance.
    pub opens: Meets,
}

impl Move {
    /// Applies a row's cells. `meets`: whether the row's conditions are met at all.
    #[inline]
    pub fn new(from: States, cells: &[Cell], lifecycle: &Lifecycle, meets: Meets) -> Move {
        // One state that stays: most moves, while all is well.
        if let Some(state) = only(from)
            && cells.get(usize::from(state)) == Some(&Cell { rule: None, to: state })
        {
            return Move { to: from, rule: None, opens: Meets::No };
        }
        Move::of_set(from, cells, lifecycle, meets)
    }

    fn of_set(from: States, cells: &[Cell], lifecycle: &Lifecycle, meets: Meets) -> Move {
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
    pub fn left(&self, from: States) -> bool {
        self.to.0 & from.0 == 0
    }
}

/// The one state of a set, if there is just one.
pub fn only(states: States) -> Option<u8> {
    (states.0.count_ones() == 1).then(|| states.0.trailing_zeros() as u8)
}

/// What the events that led here were, in the order of the file, each kind once.
pub fn related(marks: &Marks, lifecycle: &Lifecycle) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for (state, place) in marks {
        if let Some(words) = &lifecycle.entered[usize::from(*state)]
            && !related.iter().any(|known| known.message == *words)
        {
            related.push(Related { message: words.clone(), place: place.clone() });
        }
    }
    related
}
