//! What the end of a stream means.

use std::sync::Arc;

use super::field::shown_text;
use super::instance::{Marks, related};
use super::streams::{Slot, Stream};
use super::{At, Verdict};
use crate::protocol::Tables;
use crate::protocol::tables::States;

/// Says what a stream lacks that ends here.
pub fn judge_end(tables: &Tables, stream: &Stream, out: &mut Vec<Verdict>) {
    let mut spoken = 0u64;
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        let muted = lifecycle.within.is_some_and(|outer| spoken >> outer & 1 == 1);
        let mut speak = |possible: States, marks: &Marks, key: Option<&[u8]>| {
            let mut rules = possible.iter().map(|state| lifecycle.end[usize::from(state)]);
            let first = rules.next().flatten();
            let Some(rule) = first.filter(|_| rules.all(|rule| rule == first)) else { return };
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
