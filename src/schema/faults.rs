//! The faults of an event: the first of them in words, and how many there are besides.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use super::Pointer;
use crate::protocol::Framing;

/// The most faults of an event that are kept with their words.
pub const MOST_LISTED: usize = 1000;

/// One fault of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault<'p> {
    /// `missing-field`, `wrong-type` or `wrong-value`.
    pub rule: Framing,
    /// The field that is at fault; for a missing field, where it should be.
    pub pointer: Cow<'p, Pointer>,
    /// What to point at, as a byte range of the text: the value, the misspelt key, or the object that
    /// lacks the key.
    pub span: Range<usize>,
    /// What was found and what was expected.
    pub message: String,
    /// What to do, where it is particular to this fault.
    pub help: Option<String>,
    /// The document's words on the field.
    pub quote: Option<Arc<str>>,
    /// Whether `span` is a misspelt key, which is then no unknown field.
    pub misspelt: bool,
}

/// One fault a place.
#[derive(Debug, Default, PartialEq)]
pub struct Faults<'p> {
    /// The first ones, in the order of the pointers.
    pub listed: Vec<Fault<'p>>,
    /// How many others there are, by rule.
    pub unlisted: BTreeMap<Framing, u64>,
}

/// Collects faults in any order. An event may have as many as it has bytes: what is kept of those that are not listed
/// is a number each.
pub struct Collector<'p, 'u> {
    /// No more than twice as many as are listed.
    faults: Vec<Fault<'p>>,
    /// By the hash of its pointer: the rule of each place that is not listed.
    unlisted: HashMap<u64, Framing>,
    hasher: RandomState,
    /// Is told of each fault that is not listed.
    tell: &'u mut dyn FnMut(&Fault<'_>),
}

impl<'p, 'u> Collector<'p, 'u> {
    pub fn new(expected: usize, tell: &'u mut dyn FnMut(&Fault<'_>)) -> Collector<'p, 'u> {
        let faults = Vec::with_capacity(expected.min(2 * MOST_LISTED));
        Collector { faults, unlisted: HashMap::new(), hasher: RandomState::new(), tell }
    }

    pub fn add(&mut self, fault: Fault<'p>) {
        if self.faults.len() == 2 * MOST_LISTED {
            self.settle();
        }
        self.faults.push(fault);
    }

    pub fn finish(mut self) -> Faults<'p> {
        self.settle();
        let mut unlisted = BTreeMap::new();
        for rule in self.unlisted.into_values() {
            *unlisted.entry(rule).or_default() += 1;
        }
        Faults { listed: self.faults, unlisted }
    }

    /// Leaves one fault a place, and the first places: whatever order the schema or the event has its keys in. A wrong
    /// type says it all.
    fn settle(&mut self) {
        if self.faults.len() < 2 {
            return;
        }
        self.faults.sort_by(|a, b| (&a.pointer, rank(a.rule), &a.message).cmp(&(&b.pointer, rank(b.rule), &b.message)));
        self.faults.dedup_by(|later, earlier| later.pointer == earlier.pointer);
        for fault in self.faults.drain(self.faults.len().min(MOST_LISTED)..) {
            let place = self.hasher.hash_one(&*fault.pointer);
            let rule = self.unlisted.entry(place).or_insert(fault.rule);
            *rule = std::cmp::min_by_key(*rule, fault.rule, |rule| rank(*rule));
            (self.tell)(&fault);
        }
    }
}

fn rank(rule: Framing) -> u8 {
    match rule {
        Framing::MissingField => 0,
        Framing::WrongType => 1,
        _ => 2,
    }
}
