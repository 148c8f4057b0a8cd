//! Event types and fields that a protocol does not know: the first of each is reported, the rest are counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bytes::equal;
use crate::finding::MOST_BYTES;
use crate::protocol::RuleId;
use crate::schema::captures::UnknownKey;

/// How many different ones are told apart in one file.
pub(crate) const MOST_UNKNOWN: usize = 1000;

/// Rule, event type and pointer (with `*` for array indices).
pub(crate) type Kind = (RuleId, Arc<str>, Option<String>);

/// What was seen so far.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct UnknownNames {
    numbers: BTreeMap<Kind, usize>,
    /// By number: how often it came again.
    counts: Vec<u64>,
    /// By event type: the keys that the fast way can count by itself.
    learned: Vec<Vec<LearnedKey>>,
    learned_count: usize,
    too_many: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct LearnedKey {
    object: u16,
    key: Box<[u8]>,
    number: usize,
}

/// What an unknown name is.
pub(crate) enum Occurrence {
    First(usize),
    Again(usize),
    /// There are too many to tell apart; `said`: not for the first time.
    TooMany {
        said: bool,
    },
}

impl UnknownNames {
    pub(crate) fn new(event_types: usize) -> UnknownNames {
        UnknownNames { learned: (0..event_types).map(|_| Vec::new()).collect(), ..UnknownNames::default() }
    }

    /// Whether it may be in this state after a restart, with so many event types and rules.
    pub(crate) fn is_sound(&self, event_types: usize, rules: usize) -> bool {
        let is_number = |number: &usize| *number < self.counts.len();
        let learned = || self.learned.iter().flatten();
        self.numbers.len() == self.counts.len()
            && self.counts.len() <= MOST_UNKNOWN
            && self.numbers.iter().all(|((rule, ..), number)| usize::from(rule.0) < rules && is_number(number))
            && self.counts.iter().all(|count| *count < MOST_BYTES)
            && (self.learned.len() == event_types && learned().count() == self.learned_count)
            && learned().all(|learned| is_number(&learned.number))
    }

    /// Counts an unknown name.
    pub(crate) fn count(&mut self, kind: Kind) -> Occurrence {
        if let Some(number) = self.numbers.get(&kind) {
            self.counts[*number] += 1;
            return Occurrence::Again(*number);
        }
        if self.numbers.len() >= MOST_UNKNOWN {
            return Occurrence::TooMany { said: std::mem::replace(&mut self.too_many, true) };
        }
        self.numbers.insert(kind, self.counts.len());
        self.counts.push(0);
        Occurrence::First(self.counts.len() - 1)
    }

    /// Lets the fast way count a key from now on.
    pub(crate) fn learn(&mut self, event_type: usize, found: Option<&UnknownKey>, key: &[u8], number: Option<usize>) {
        if let (Some(found), Some(number)) = (found, number)
            && self.learned_count < MOST_UNKNOWN
        {
            self.learned_count += 1;
            self.learned[event_type].push(LearnedKey { object: found.object, key: key.into(), number });
        }
    }

    /// Counts the unknown keys of an event, if all of them are known to be unknown; counts none otherwise.
    pub(crate) fn count_known(&mut self, event_type: usize, text: &[u8], keys: &[UnknownKey]) -> bool {
        let learned = &self.learned[event_type];
        let find = |key: &UnknownKey| {
            let name = &text[key.start as usize..key.end as usize];
            learned.iter().find(|learned| learned.object == key.object && equal(&learned.key, name))
        };
        if !keys.iter().all(|key| find(key).is_some()) {
            return false;
        }
        for learned in keys.iter().filter_map(find) {
            self.counts[learned.number] += 1;
        }
        true
    }

    /// What came more than once, and how often besides the first time.
    pub(crate) fn repeats(self) -> impl Iterator<Item = (Kind, u64)> {
        let counts = self.counts;
        self.numbers.into_iter().map(move |(kind, number)| (kind, counts[number])).filter(|(_, count)| *count > 0)
    }
}
