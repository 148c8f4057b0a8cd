//! The part of a step that moves the instances which an event did not name, although its array lists others.

use std::collections::HashMap;

use super::field::{Field, Scope};
use super::key::{Key, read_key};
use super::observer::CellObserver;
use super::step::Step;
use crate::protocol::tables::{Certainty, Lifecycle, Row};

/// The instances that the items of an array name.
pub(super) struct Named {
    /// The keys of the items, each with whether an item certainly names it.
    keys: HashMap<Box<[u8]>, Certainty>,
    /// Whether all items could be read; else any instance may be one of theirs.
    is_readable: bool,
}

impl Named {
    /// Returns whether no item names an instance.
    pub(super) fn leaves_out(&self, key: &[u8]) -> Certainty {
        match self.keys.get(key) {
            Some(is_named) => is_named.negated(),
            None if self.is_readable => Certainty::Yes,
            None => Certainty::Perhaps,
        }
    }
}

impl<W: CellObserver> Step<'_, W> {
    /// Applies the rows for what the event did not name. `candidates`: the rows over the items of one array that may apply,
    /// each with whether it does.
    pub(super) fn apply_to_others(&mut self, number: usize, lifecycle: &Lifecycle, candidates: &[(&Row, Certainty)]) {
        for (row, guard) in candidates {
            let Some(others) = lifecycle.others_of(self.event.event_type, row) else { continue };
            let gate = guard.and(self.lists_instances(others));
            if gate == Certainty::No {
                continue;
            }
            let mut named = None;
            for parent in self.parents(number, lifecycle, others) {
                let keyed = self.stream.lifecycles[number].keyed(&parent, lifecycle);
                // An observer wants the cells that do nothing, too.
                if W::ACTIVE || keyed.is_some_and(|keyed| keyed.may_have_open(others.acts, lifecycle)) {
                    let named = named.get_or_insert_with(|| self.named_by_items(lifecycle, row, candidates));
                    self.move_open_of(number, lifecycle, others, gate, (&parent, Some(named)));
                }
            }
        }
    }

    /// Returns whether the array of a row for others is there: then it lists all instances that the event is about.
    pub(super) fn lists_instances(&self, others: &Row) -> Certainty {
        match others.points_at.map(|slot| self.event.field(slot)) {
            Some(Field::Container(container)) if container.is_array() => Certainty::Yes,
            Some(Field::Unreadable) => Certainty::Perhaps,
            _ => Certainty::No,
        }
    }

    /// Returns the instances that the items name which one of the candidates takes, given that `row`, one of them, applies.
    fn named_by_items(&self, lifecycle: &Lifecycle, row: &Row, candidates: &[(&Row, Certainty)]) -> Named {
        let mut named = Named { keys: HashMap::new(), is_readable: true };
        let Some(items) = row.array().and_then(|array| self.items(array)) else {
            return Named { is_readable: false, ..named };
        };
        for item in items {
            let scope = Scope { event: self.event, item: Some(item) };
            for (candidate, guard) in candidates {
                // What applies wherever the row does, does too.
                let has_same_guard = (&candidate.when, candidate.otherwise, &candidate.before, &candidate.after)
                    == (&row.when, row.otherwise, &row.before, &row.after);
                let guard = if has_same_guard { Certainty::Yes } else { *guard };
                let takes = guard.and(self.takes_item(lifecycle, candidate, scope, &[]));
                if takes == Certainty::No {
                    continue;
                }
                match read_key(&candidate.key, scope) {
                    Key::Read(key) => {
                        let known = named.keys.entry(key.into()).or_insert(takes);
                        *known = takes.max(*known);
                    }
                    Key::Unreadable => named.is_readable = false,
                    Key::Absent => {}
                }
            }
        }
        named
    }
}
