//! The part of a step that finds the row of a lifecycle that applies to an event, or to each item of one of its arrays.

use std::collections::HashMap;

use super::field::Scope;
use super::key::{Key, read_key};
use super::lifecycle_state::LifecycleState;
use super::observer::CellObserver;
use super::step::Step;
use crate::protocol::tables::{Certainty, Effects, Lifecycle, MovedLifecycle, Row};

impl<W: CellObserver> Step<'_, W> {
    /// Applies the event to one lifecycle.
    pub(super) fn apply_lifecycle(&mut self, effects: &Effects, moved: &MovedLifecycle) {
        let (tables, number, event_type) = (self.tables, moved.number, self.event.event_type);
        // Whether the event is left to the row for all others, which is the last one.
        let mut is_left = Certainty::Yes;
        let mut candidates = Vec::new();
        let choices = effects.choices(moved);
        let most = choices.len();
        for (choice, conditions) in choices {
            let when = if choice.otherwise { is_left } else { self.evaluate_when(conditions) };
            is_left = is_left.and(when.negated());
            if when == Certainty::No {
                continue;
            }
            let lifecycle = &tables.lifecycles[number];
            let row = &lifecycle.rows[event_type][choice.row];
            let gate = self.evaluate_gate(&row.before, true).and(self.evaluate_gate(&row.after, false));
            match when.and(gate) {
                Certainty::Yes if row.each.is_none() => return self.apply_row(number, lifecycle, row, Certainty::Yes),
                Certainty::No => {}
                guard => {
                    if candidates.is_empty() {
                        candidates.reserve_exact(most);
                    }
                    candidates.push((row, guard));
                }
            }
        }
        if candidates.is_empty() {
            return;
        }
        let lifecycle = &tables.lifecycles[number];
        // Where one is certainly meant, only rows over the same array may be, besides: for other items.
        let certain = candidates.iter().find(|(_, guard)| *guard == Certainty::Yes).map(|(row, _)| row.array());
        candidates.retain(|(row, _)| certain.is_none_or(|array| row.array() == array));
        match candidates.as_slice() {
            [(row, guard), others @ ..] if others.iter().all(|(other, _)| other.array() == row.array()) => {
                match row.array() {
                    Some(array) => {
                        self.apply_to_items(number, lifecycle, array, &candidates);
                        if moved.has_others {
                            self.apply_to_others(number, lifecycle, &candidates);
                        }
                    }
                    None if others.is_empty() => self.apply_row(number, lifecycle, row, *guard),
                    None => self.apply_perhaps(number, lifecycle, &candidates),
                }
            }
            several => self.apply_perhaps(number, lifecycle, several),
        }
    }

    /// Applies rows over one array to its items, to each the row that takes it.
    fn apply_to_items(&mut self, number: usize, lifecycle: &Lifecycle, array: usize, candidates: &[(&Row, Certainty)]) {
        let event = self.event;
        let Some(items) = self.items(array) else {
            return candidates.iter().for_each(|(row, _)| self.make_unsure(number, lifecycle, row));
        };
        // Mostly there is no item, and nothing to allocate for.
        let mut taken: Vec<(usize, Certainty)> = Vec::new();
        for item in items {
            let scope = Scope { event, item: Some(item) };
            let mut perhaps: Vec<&Row> = Vec::new();
            let mut certain = None;
            taken.clear();
            taken.reserve(candidates.len());
            for (row, guard) in candidates {
                let takes = self.takes_item(lifecycle, row, scope, &taken);
                taken.push((row.number, takes));
                match guard.and(takes) {
                    // No other row takes the item, for those of one event exclude each other.
                    Certainty::Yes => {
                        certain = Some(*row);
                        break;
                    }
                    Certainty::Perhaps => perhaps.push(row),
                    Certainty::No => {}
                }
            }
            match (certain, perhaps.as_slice()) {
                (Some(row), _) => self.move_keyed(number, lifecycle, row, Certainty::Yes, scope),
                (None, [row]) => self.move_keyed(number, lifecycle, row, Certainty::Perhaps, scope),
                (None, several) => self.move_one_perhaps(number, lifecycle, several, scope),
            }
        }
    }

    /// Returns whether a row over an array takes an item. `known`: the rows of which that is known, by their numbers.
    pub(super) fn takes_item(
        &self,
        lifecycle: &Lifecycle,
        row: &Row,
        scope: Scope<'_>,
        known: &[(usize, Certainty)],
    ) -> Certainty {
        let Some(each) = &row.each else { return Certainty::No };
        if !each.otherwise {
            return self.evaluate_conditions(&each.when, scope);
        }
        let rows = &lifecycle.rows[self.event.event_type];
        let takes = |number: usize| match known.iter().find(|(known, _)| *known == number) {
            Some((_, takes)) => Some(*takes),
            None => Some(self.evaluate_conditions(&rows.get(number)?.each.as_ref()?.when, scope)),
        };
        row.siblings
            .iter()
            .filter_map(|other| takes(*other))
            .fold(Certainty::Yes, |is_left, takes| is_left.and(takes.negated()))
    }

    /// Applies several rows of which one may be meant: every state that one of them leads to becomes possible, and none of
    /// them reports a rule.
    #[cold]
    fn apply_perhaps(&mut self, number: usize, lifecycle: &Lifecycle, candidates: &[(&Row, Certainty)]) {
        let rows = candidates.iter().map(|(row, _)| *row);
        if let LifecycleState::Single(single) = &self.stream.lifecycles[number] {
            let from = single.possible;
            return self.move_single_perhaps(number, lifecycle, rows, from);
        }
        let mut rows: Vec<&Row> = rows.collect();
        let others = rows.iter().filter_map(|row| lifecycle.others_of(self.event.event_type, row));
        let others: Vec<&Row> = others.filter(|row| self.lists_instances(row) != Certainty::No).collect();
        rows.extend(others);
        let named = rows.iter().map(|row| (*row, self.named_by(number, lifecycle, row))).collect();
        self.move_named_perhaps(number, lifecycle, named, true);
    }

    /// Moves the instances that rows name for one item, of which one may be meant.
    #[cold]
    fn move_one_perhaps(&mut self, number: usize, lifecycle: &Lifecycle, rows: &[&Row], scope: Scope<'_>) {
        let mut named = Vec::new();
        for row in rows {
            match read_key(&row.key, scope) {
                Key::Unreadable => self.make_unsure(number, lifecycle, row),
                Key::Absent => {}
                Key::Read(key) => named.push((*row, vec![key.into()])),
            }
        }
        self.move_named_perhaps(number, lifecycle, named, false);
    }

    /// Moves instances, each of which one of the rows that name it may move. `is_of_items`: whether several items may be
    /// meant, and not one alone.
    fn move_named_perhaps(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        named: Vec<(&Row, Vec<Box<[u8]>>)>,
        is_of_items: bool,
    ) {
        // The instances, each with the rows that name it, and how many items do.
        struct Meant<'r> {
            key: Box<[u8]>,
            rows: Vec<&'r Row>,
            items: usize,
        }
        let mut instances: Vec<Meant<'_>> = Vec::new();
        let mut known: HashMap<Box<[u8]>, usize> = HashMap::new();
        for (row, keys) in named {
            for key in keys {
                let index = *known.entry(key).or_insert_with_key(|key| {
                    instances.push(Meant { key: key.clone(), rows: Vec::new(), items: 0 });
                    instances.len() - 1
                });
                let Meant { rows, items, .. } = &mut instances[index];
                *items += usize::from(row.each.is_some());
                if rows.iter().all(|known| known.number != row.number) {
                    rows.push(row);
                }
            }
        }
        for Meant { key, rows, items } in instances {
            self.move_keyed_perhaps(number, lifecycle, &rows, &key, is_of_items && items > 1);
        }
    }

    /// Returns the keys of the instances that a row is about, for each item that names one.
    fn named_by(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) -> Vec<Box<[u8]>> {
        let event = self.event;
        let mut keys: Vec<Box<[u8]>> = Vec::new();
        let scopes: Vec<Scope<'_>> = match &row.each {
            None if row.key.is_empty() => {
                for parent in self.parents(number, lifecycle, row) {
                    if let Some(keyed) = self.stream.lifecycles[number].keyed(&parent, lifecycle) {
                        keys.extend(keyed.open_keys().iter().cloned());
                    }
                }
                return keys;
            }
            None => vec![Scope { event, item: None }],
            Some(_) => match row.array().and_then(|array| self.items(array)) {
                Some(items) => {
                    let scopes = items.map(|item| Scope { event, item: Some(item) });
                    scopes.filter(|scope| self.takes_item(lifecycle, row, *scope, &[]) != Certainty::No).collect()
                }
                None => {
                    self.make_unsure(number, lifecycle, row);
                    return keys;
                }
            },
        };
        for scope in scopes {
            match read_key(&row.key, scope) {
                Key::Unreadable => self.make_unsure(number, lifecycle, row),
                Key::Absent => {}
                Key::Read(key) => keys.push(key.into()),
            }
        }
        keys
    }

    /// Returns the keys of the parents whose instances a row without a key is about; the empty key if parents have none.
    pub(super) fn parents(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) -> Vec<Box<[u8]>> {
        match &self.stream.lifecycles[number] {
            LifecycleState::Single(_) => Vec::new(),
            LifecycleState::Keyed(_) => vec![Box::default()],
            LifecycleState::Nested(nested) if row.parent.is_empty() => nested.parents(),
            LifecycleState::Nested(_) => match read_key(&row.parent, Scope { event: self.event, item: None }) {
                Key::Read(key) => vec![key.into()],
                Key::Absent => Vec::new(),
                Key::Unreadable => {
                    self.make_unsure(number, lifecycle, row);
                    Vec::new()
                }
            },
        }
    }

    /// Applies a row that is not over an array to the instances that it is about.
    fn apply_row(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        if lifecycle.keyed.is_none() {
            self.move_single(number, lifecycle, row, gate);
        } else if row.key.is_empty() {
            self.move_all_open(number, lifecycle, row, gate);
        } else {
            self.move_keyed(number, lifecycle, row, gate, Scope { event: self.event, item: None });
        }
    }
}
