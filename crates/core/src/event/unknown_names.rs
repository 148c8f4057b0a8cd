//! Counts the event types, fields and values that a protocol does not know: the first of each is reported, the rest are
//! counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bytes::equal;
use crate::finding::MOST_BYTES;
use crate::protocol::RuleId;
use crate::schema::captures::UnknownKey;
use crate::schema::template::{Layout, Reading};

/// The maximum number of different unknown names that are counted separately in one file.
pub(crate) const MOST_UNKNOWN: usize = 1000;

/// The identity of an unknown name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct NameId {
    pub rule: RuleId,
    pub event_type: Arc<str>,
    /// The pointer, with `*` for array indices.
    pub pointer: Option<String>,
    /// An unknown value, as messages show it.
    pub value: Option<String>,
}

/// The unknown names of one file so far.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct UnknownNames {
    /// The number under which each name is counted.
    numbers: BTreeMap<NameId, usize>,
    /// By number: the repeats of the name after its first occurrence.
    counts: Vec<u64>,
    /// By event type: the keys and values that the fast path can count by itself.
    learned: Vec<Vec<LearnedKey>>,
    learned_count: usize,
    /// The last layouts of events all of whose names have been learned.
    #[serde(skip)]
    layouts: Vec<LearnedLayout>,
    /// Whether the limit has been reported.
    limit_reported: bool,
}

/// An unknown key, or an unknown value, that the fast path can count by itself.
#[derive(Clone, Serialize, Deserialize)]
struct LearnedKey {
    /// The number of the object's node in the program, or of the value's.
    object: u16,
    /// The key or value as written, without quotation marks.
    key: Box<[u8]>,
    /// The number under which the key is counted.
    number: usize,
}

/// The maximum number of layouts of which the numbers of their names are kept.
const MOST_LAYOUTS: usize = 16;

/// The unknown names of all events of a layout, which have the same ones.
#[derive(Clone)]
struct LearnedLayout {
    layout: Arc<Layout>,
    /// The number under which each of them is counted.
    numbers: Box<[usize]>,
}

/// The occurrence of an unknown name, with the number under which the name is counted.
pub(crate) enum Occurrence {
    First(usize),
    Again(usize),
    /// There are too many names to count this one separately. `reported`: whether that has been reported before.
    TooMany {
        reported: bool,
    },
}

impl UnknownNames {
    /// Returns the state before the first event.
    pub(crate) fn new(event_types: usize) -> UnknownNames {
        UnknownNames { learned: (0..event_types).map(|_| Vec::new()).collect(), ..UnknownNames::default() }
    }

    /// Returns whether an input can lead to this state, for a protocol with these numbers of event types and rules.
    pub(crate) fn is_sound(&self, event_types: usize, rules: usize) -> bool {
        let is_number = |number: &usize| *number < self.counts.len();
        let learned = || self.learned.iter().flatten();
        self.numbers.len() == self.counts.len()
            && self.counts.len() <= MOST_UNKNOWN
            && self.numbers.iter().all(|(id, number)| usize::from(id.rule.0) < rules && is_number(number))
            && self.counts.iter().all(|count| *count < MOST_BYTES)
            && (self.learned.len() == event_types && learned().count() == self.learned_count)
            && learned().all(|learned| is_number(&learned.number))
    }

    /// Counts an unknown name.
    pub(crate) fn count(&mut self, id: NameId) -> Occurrence {
        if let Some(number) = self.numbers.get(&id) {
            self.counts[*number] += 1;
            return Occurrence::Again(*number);
        }
        if self.numbers.len() >= MOST_UNKNOWN {
            return Occurrence::TooMany { reported: std::mem::replace(&mut self.limit_reported, true) };
        }
        self.numbers.insert(id, self.counts.len());
        self.counts.push(0);
        Occurrence::First(self.counts.len() - 1)
    }

    /// Lets the fast path count a key from now on. `fast_key`: the key as the fast path found it.
    pub(crate) fn learn(
        &mut self,
        event_type: usize,
        fast_key: Option<&UnknownKey>,
        key: &[u8],
        number: Option<usize>,
    ) {
        if let (Some(fast_key), Some(number)) = (fast_key, number)
            && self.learned_count < MOST_UNKNOWN
        {
            self.learned_count += 1;
            self.learned[event_type].push(LearnedKey { object: fast_key.object, key: key.into(), number });
        }
    }

    /// Counts the unknown keys of an event and returns `true` if all of them have been learned; otherwise counts
    /// nothing and returns `false`.
    #[must_use]
    pub(crate) fn count_learned(&mut self, event_type: usize, text: &[u8], keys: &[UnknownKey]) -> bool {
        let are_learned = keys.iter().all(|key| self.number_of(event_type, text, key).is_some());
        if are_learned {
            for key in keys {
                if let Some(number) = self.number_of(event_type, text, key) {
                    self.counts[number] += 1;
                }
            }
        }
        are_learned
    }

    /// Returns whether all unknown names of an event that was read by a template have been learned, so that
    /// [`UnknownNames::count_layout`] can count them.
    #[inline]
    pub(crate) fn know_layout(&mut self, event_type: usize, text: &[u8], reading: &Reading<'_>) -> bool {
        let is_last = self.layouts.first().is_some_and(|last| Arc::ptr_eq(&last.layout, reading.layout));
        is_last || self.find_layout(event_type, text, reading)
    }

    /// Finds a layout, and puts it first.
    #[inline(never)]
    fn find_layout(&mut self, event_type: usize, text: &[u8], reading: &Reading<'_>) -> bool {
        let known = self.layouts.iter().position(|known| Arc::ptr_eq(&known.layout, reading.layout));
        if let Some(index) = known {
            self.layouts[..=index].rotate_right(1);
            return true;
        }
        let numbers = reading.unknown().map(|name| self.number_of(event_type, text, &name));
        let Some(numbers) = numbers.collect() else { return false };
        self.layouts.truncate(MOST_LAYOUTS - 1);
        self.layouts.insert(0, LearnedLayout { layout: reading.layout.clone(), numbers });
        true
    }

    /// Counts the names of an event of the layout that [was found](UnknownNames::know_layout) last.
    pub(crate) fn count_layout(&mut self) {
        for number in self.layouts.first().map_or(&[][..], |last| &last.numbers) {
            self.counts[*number] += 1;
        }
    }

    /// Returns the number under which a key is counted; `None` if it has not been learned.
    fn number_of(&self, event_type: usize, text: &[u8], key: &UnknownKey) -> Option<usize> {
        let name = &text[key.start as usize..key.end as usize];
        let is_it = |learned: &&LearnedKey| learned.object == key.object && equal(&learned.key, name);
        self.learned[event_type].iter().find(is_it).map(|learned| learned.number)
    }

    /// Returns the names that were repeated since the last call, each with the number of its repeats.
    pub(crate) fn take_repeats(&mut self) -> impl Iterator<Item = (&NameId, u64)> {
        let counts = &mut self.counts;
        let repeats = self.numbers.iter().map(|(id, number)| (id, std::mem::take(&mut counts[*number])));
        repeats.filter(|(_, count)| *count > 0)
    }
}
