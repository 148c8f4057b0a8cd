//! The faults of an event: the first of them in words, and the number of the others.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use crate::framing::Framing;
use crate::schema::Pointer;
use crate::schema::pointer::RenderedPointer;

/// The most faults of an event that are listed with their messages; the others are only counted.
pub(crate) const MOST_LISTED: usize = 1000;

/// One fault of an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault<'p> {
    /// `missing-field`, `wrong-type` or `wrong-value`; `check-skipped` if a pattern takes too long to match.
    pub rule: Framing,
    /// The field at fault; for a missing field, the place where it should be.
    pub pointer: Cow<'p, RenderedPointer>,
    /// The byte range of the text to point at: the value, the misspelt key, or the object that lacks the key.
    pub span: Range<usize>,
    /// What was found and what was expected, as one sentence without its period.
    pub message: String,
    /// What to do, if there is advice for this very fault.
    pub help: Option<Cow<'static, str>>,
    /// The schema's description of the field, if it has one of its own.
    pub quote: Option<Cow<'p, Arc<str>>>,
    /// The offsets of the undeclared keys that the message names, which must not be reported as unknown fields too.
    pub named: Vec<usize>,
    /// The JSON text that the help proposes in place of `span`.
    pub proposal: Option<Arc<str>>,
}

/// The faults of an event, one for each pointer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Faults<'p> {
    /// The first [`MOST_LISTED`] faults, in the order of their pointers.
    pub listed: Vec<Fault<'p>>,
    /// The number of the other faults, by rule.
    pub unlisted: BTreeMap<Framing, u64>,
    /// Whether the event may have further faults, because it has more than are looked for.
    pub more: bool,
}

/// Collects the faults of an event in any order. An event may have as many faults as it has bytes: of each fault that
/// is not listed, only a hash and a rule are kept.
pub(crate) struct FaultCollector<'p, 'u> {
    /// At most twice [`MOST_LISTED`].
    faults: Vec<Fault<'p>>,
    /// `None` if all faults are listed, as nearly always.
    unlisted: Option<Unlisted>,
    /// Called with each fault that is not listed.
    on_unlisted: &'u mut dyn FnMut(&Fault<'_>),
}

/// The faults that are not listed.
#[derive(Default)]
struct Unlisted {
    /// The rule of each, by the hash of its pointer.
    rules: HashMap<u64, Framing>,
    hasher: RandomState,
}

impl<'p, 'u> FaultCollector<'p, 'u> {
    /// Creates a collector for about `expected` faults. `on_unlisted` is called with each fault that is not listed,
    /// perhaps more than once for one pointer.
    pub(crate) fn new(expected: usize, on_unlisted: &'u mut dyn FnMut(&Fault<'_>)) -> FaultCollector<'p, 'u> {
        let faults = Vec::with_capacity(expected.min(2 * MOST_LISTED));
        FaultCollector { faults, unlisted: None, on_unlisted }
    }

    /// Adds a fault.
    pub(crate) fn add(&mut self, fault: Fault<'p>) {
        if self.faults.len() == 2 * MOST_LISTED {
            self.compact();
        }
        self.faults.push(fault);
    }

    /// Returns the faults that are listed, and counts the others. `more`: see [`Faults`].
    pub(crate) fn finish(mut self, more: bool) -> Faults<'p> {
        self.compact();
        let mut unlisted = BTreeMap::new();
        for rule in self.unlisted.into_iter().flat_map(|unlisted| unlisted.rules.into_values()) {
            *unlisted.entry(rule).or_default() += 1;
        }
        Faults { listed: self.faults, unlisted, more }
    }

    /// Reduces the faults to the first [`MOST_LISTED`], one for each pointer. The result does not depend on the order
    /// in which they were added. Of several at one pointer, a missing field is kept before a wrong type, and a wrong
    /// type before any other: a value of the wrong type has no other fault worth reading.
    fn compact(&mut self) {
        if self.faults.len() < 2 {
            return;
        }
        /// Returns the key by which faults are sorted.
        fn order<'f>(fault: &'f Fault<'_>) -> (&'f Pointer, u8, &'f str) {
            (&fault.pointer, rank(fault.rule), &fault.message)
        }
        self.faults.sort_by(|a, b| order(a).cmp(&order(b)));
        self.faults.dedup_by(|later, earlier| **later.pointer == **earlier.pointer);
        for fault in self.faults.drain(self.faults.len().min(MOST_LISTED)..) {
            let Unlisted { rules, hasher } = self.unlisted.get_or_insert_default();
            let rule = rules.entry(hasher.hash_one(&**fault.pointer)).or_insert(fault.rule);
            *rule = std::cmp::min_by_key(*rule, fault.rule, |rule| rank(*rule));
            (self.on_unlisted)(&fault);
        }
    }
}

/// Returns the rank of a rule among the faults at one pointer; the smallest is kept.
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
        Fault {
            rule,
            pointer,
            span: number..number,
            message,
            help: None,
            quote: None,
            named: Vec::new(),
            proposal: None,
        }
    }

    /// The two paths find faults in different orders, and must list and count equal ones.
    #[test]
    fn the_first_places_are_listed_and_the_others_counted_in_any_order() {
        let places = 5 * MOST_LISTED;
        // 7 and the number of pointers have no common divisor, so that each pointer occurs once.
        let shuffled: Vec<_> = (0..places).map(|number| number * 7 % places).collect();
        let orders = [(0..places).collect(), (0..places).rev().collect(), shuffled];
        for order in orders {
            let mut passed = vec![false; places];
            let mut pass = |fault: &Fault<'_>| passed[fault.span.start] = true;
            let mut collector = FaultCollector::new(0, &mut pass);
            for number in &order {
                collector.add(fault(*number, Framing::WrongValue));
            }
            // A pointer has one fault, and a missing field outranks the others.
            for number in order.iter().filter(|number| *number % 2 == 0) {
                collector.add(fault(*number, Framing::MissingField));
            }
            let Faults { listed, unlisted, .. } = collector.finish(false);
            assert!(listed.iter().map(|fault| fault.span.start).eq(0..MOST_LISTED));
            assert!(listed.iter().all(|fault| (fault.rule == Framing::MissingField) == (fault.span.start % 2 == 0)));
            let half = 2 * MOST_LISTED as u64;
            assert_eq!(unlisted, [(Framing::MissingField, half), (Framing::WrongValue, half)].into());
            assert!(passed[MOST_LISTED..].iter().all(|passed| *passed), "every fault that is not listed is passed on");
        }
    }
}
