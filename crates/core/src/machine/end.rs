//! What the end of a stream means.

use std::sync::Arc;

use super::field::shown_text;
use super::instance::{Marks, related};
use super::streams::{Slot, Stream};
use super::{At, Verdict};
use crate::protocol::tables::{Lifecycle, States};
use crate::protocol::{RuleId, Tables};

/// The rule that speaks if a stream ends in one of these states: one that all of them speak.
pub(crate) fn rule(possible: States, lifecycle: &Lifecycle) -> Option<RuleId> {
    let mut rules = possible.iter().map(|state| lifecycle.end[usize::from(state)]);
    let first = rules.next().flatten();
    first.filter(|_| rules.all(|rule| rule == first))
}

/// Says what a stream lacks that ends here.
pub(crate) fn judge_end(tables: &Tables, stream: &Stream, out: &mut Vec<Verdict>) {
    let mut spoken = 0u64;
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        let muted = lifecycle.within.is_some_and(|outer| spoken >> outer & 1 == 1);
        let mut speak = |possible: States, marks: &Marks, key: Option<&[u8]>| {
            let Some(rule) = rule(possible, lifecycle) else { return };
            spoken |= 1 << number;
            if !muted {
                let facts = key.map(|key| ("key", shown_text(key)));
                out.push(Verdict {
                    rule,
                    stream: stream.name.clone(),
                    at: At::Earlier(Arc::new(stream.last.whole()), stream.last_type.clone()),
                    related: related(marks, lifecycle),
                    facts: facts.into_iter().collect(),
                });
            }
        };
        match &stream.slots[number] {
            Slot::Single(single) => speak(single.possible, &single.marks, None),
            Slot::Keyed(keyed) => {
                for (key, possible, marks) in keyed.certainly_open(lifecycle) {
                    speak(possible, marks, Some(key));
                }
            }
        }
    }
}
