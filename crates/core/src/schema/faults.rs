//! The faults of an event: the first of them in words, and how many there are besides.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use super::Pointer;
use super::pointer::Written;
use crate::framing::Framing;

/// The most faults of an event that are kept with their words.
pub(crate) const MOST_LISTED: usize = 1000;

/// One fault of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault<'p> {
    /// `missing-field`, `wrong-type` or `wrong-value`.
    pub rule: Framing,
    /// The field that is at fault; for a missing field, where it should be.
    pub pointer: Cow<'p, Written>,
    /// What to point at, as a byte range of the text: the value, the misspelt key, or the object that
    /// lacks the key.
    pub span: Range<usize>,
    /// What was found and what was expected.
    pub message: String,
    /// What to do, where it is particular to this fault.
    pub help: Option<Cow<'static, str>>,
    /// The document's words on the field.
    pub quote: Option<Cow<'p, Arc<str>>>,
    /// Whether `span` is a misspelt key, which is then no unknown field.
    pub misspelt: bool,
    /// The JSON text that the help proposes in the place of what stands there.
    pub proposal: Option<Arc<str>>,
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
pub(crate) struct Collector<'p, 'u> {
    /// No more than twice as many as are listed.
    faults: Vec<Fault<'p>>,
    /// By the hash of its pointer: the rule of each place that is not listed.
    unlisted: HashMap<u64, Framing>,
    hasher: RandomState,
    /// Is told of each fault that is not listed.
    tell: &'u mut dyn FnMut(&Fault<'_>),
}

impl<'p, 'u> Collector<'p, 'u> {
    pub(crate) fn new(expected: usize, tell: &'u mut dyn FnMut(&Fault<'_>)) -> Collector<'p, 'u> {
        let faults = Vec::with_capacity(expected.min(2 * MOST_LISTED));
        Collector { faults, unlisted: HashMap::new(), hasher: RandomState::new(), tell }
    }

    pub(crate) fn add(&mut self, fault: Fault<'p>) {
        if self.faults.len() == 2 * MOST_LISTED {
            self.settle();
        }
        self.faults.push(fault);
    }

    pub(crate) fn finish(mut self) -> Faults<'p> {
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
        fn order<'f>(fault: &'f Fault<'_>) -> (&'f Pointer, u8, &'f str) {
            (&fault.pointer, rank(fault.rule), &fault.message)
        }
        self.faults.sort_by(|a, b| order(a).cmp(&order(b)));
        self.faults.dedup_by(|later, earlier| **later.pointer == **earlier.pointer);
        for fault in self.faults.drain(self.faults.len().min(MOST_LISTED)..) {
            let place = self.hasher.hash_one(&**fault.pointer);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(number: usize, rule: Framing) -> Fault<'static> {
        let pointer = Cow::Owned(Pointer(vec![format!("{number:05}")]).into());
        let message = String::new();
        Fault { rule, pointer, span: number..number, message, help: None, quote: None, misspelt: false, proposal: None }
    }

    /// Whichever way finds the faults, in whatever order: the same are listed, and the same are counted.
    #[test]
    fn the_first_places_are_listed_and_the_others_counted_in_any_order() {
        let places = 5 * MOST_LISTED;
        // 7 and the number of places have no divisor in common, so that each place comes once a round.
        let shuffled: Vec<_> = (0..places).map(|number| number * 7 % places).collect();
        let orders = [(0..places).collect(), (0..places).rev().collect(), shuffled];
        for order in orders {
            let mut told = vec![false; places];
            let mut tell = |fault: &Fault<'_>| told[fault.span.start] = true;
            let mut collector = Collector::new(0, &mut tell);
            for number in &order {
                collector.add(fault(*number, Framing::WrongValue));
            }
            // A place has one fault, and what is missing says it all.
            for number in order.iter().filter(|number| *number % 2 == 0) {
                collector.add(fault(*number, Framing::MissingField));
            }
            let Faults { listed, unlisted } = collector.finish();
            assert!(listed.iter().map(|fault| fault.span.start).eq(0..MOST_LISTED));
            assert!(listed.iter().all(|fault| (fault.rule == Framing::MissingField) == (fault.span.start % 2 == 0)));
            let half = 2 * MOST_LISTED as u64;
            assert_eq!(unlisted, [(Framing::MissingField, half), (Framing::WrongValue, half)].into());
            assert!(told[MOST_LISTED..].iter().all(|told| *told), "of none of the others nothing is known");
        }
    }
}
