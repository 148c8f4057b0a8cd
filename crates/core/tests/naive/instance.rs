//! An instance of a lifecycle: the states that are possible, and how rows move them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::items::Item;
use crate::reading::{Event, Field, Sure, TYPE, equal};
use crate::tables::{Lifecycle, Row};

/// The place of a finding: the number of the event, and the pointer, which is empty for the whole event.
pub type Spot = (usize, String);

#[derive(Clone, Debug)]
pub struct Instance {
    /// The possible states, each with the event that led into it, where that is known.
    pub states: BTreeMap<usize, Option<Spot>>,
    /// Whether the open instance of the lifecycle around owns this one.
    pub owned: Sure,
    /// Owned instances are gone through in this order.
    pub opened: usize,
    /// What was kept; `None` where something was, but what is not known.
    pub kept: BTreeMap<String, Option<Value>>,
}

/// What came of an event.
#[derive(Debug)]
pub struct Moved {
    /// The rule that speaks, and where.
    pub finding: Option<(String, Spot)>,
    pub speaks: Sure,
    pub opened: Sure,
}

impl Instance {
    pub fn new() -> Instance {
        Instance { states: BTreeMap::from([(0, None)]), owned: Sure::No, opened: 0, kept: BTreeMap::new() }
    }

    /// Returns an instance of which no more is known than whether it is owned.
    pub fn unsure(lifecycle: &Lifecycle, owned: Sure) -> Instance {
        let mut instance = Instance { owned, ..Instance::new() };
        instance.lose(lifecycle);
        instance
    }

    /// Forgets what state it is in, and what was kept.
    pub fn lose(&mut self, lifecycle: &Lifecycle) {
        self.states = (0..lifecycle.states.len()).map(|state| (state, None)).collect();
        self.kept.values_mut().for_each(|value| *value = None);
    }

    pub fn is_in(&self, lifecycle: &Lifecycle, among: impl Fn(&str) -> bool) -> Sure {
        Sure::in_worlds(self.states.keys().map(|state| among(&lifecycle.states[*state])))
    }

    /// Makes a state possible, besides the others.
    pub fn add(&mut self, state: usize, entry: Option<Spot>) {
        add(&mut self.states, state, entry);
    }

    /// Takes what is possible in another world, besides what is in this one.
    pub fn merge(&mut self, other: Instance) {
        other.states.into_iter().for_each(|(state, entry)| add(&mut self.states, state, entry));
        if self.owned != other.owned {
            self.owned = Sure::Perhaps;
        }
        self.opened = self.opened.max(other.opened);
        let names: BTreeSet<_> = self.kept.keys().chain(other.kept.keys()).cloned().collect();
        for name in names {
            if self.kept.get(&name) != other.kept.get(&name) {
                self.kept.insert(name, None);
            }
        }
    }

    /// Moves by a row that applies for certain, or by some that perhaps apply.
    pub fn go(&mut self, lifecycle: &Lifecycle, rows: &[(Sure, &Row)], here: &Spot) -> Moved {
        if let Some((_, row)) = rows.iter().find(|(sure, _)| *sure == Sure::Yes) {
            return self.go_by(lifecycle, row, here);
        }
        let mut states = self.states.clone();
        let (mut opened, mut speaks) = (Sure::No, Sure::No);
        for (_, row) in rows.iter().filter(|(sure, _)| *sure == Sure::Perhaps) {
            let mut world = self.clone();
            let moved = world.go_by(lifecycle, row, here);
            opened = opened.max(moved.opened.min(Sure::Perhaps));
            speaks = speaks.max(moved.speaks.min(Sure::Perhaps));
            world.states.into_iter().for_each(|(state, entry)| add(&mut states, state, entry));
        }
        self.states = states;
        Moved { finding: None, speaks, opened }
    }

    fn go_by(&mut self, lifecycle: &Lifecycle, row: &Row, here: &Spot) -> Moved {
        let mut states = BTreeMap::new();
        let mut said = BTreeSet::new();
        let mut opens = Vec::new();
        for (&from, entry) in &self.states {
            let step = lifecycle.cell(row, from);
            add(&mut states, step.to, if step.moves { Some(here.clone()) } else { entry.clone() });
            opens.push(step.opens);
            said.insert(step.rule.map(|rule| {
                let mut spot = entry.as_ref().filter(|_| step.at_entry).unwrap_or(here).clone();
                // Of an earlier event without `when`, the whole is meant.
                if step.at_entry && entry.is_some() && spot.1 == TYPE {
                    spot.1.clear();
                }
                (rule.to_owned(), spot)
            }));
        }
        self.states = states;
        let speaks = Sure::in_worlds(said.iter().map(Option::is_some));
        let rules: BTreeSet<_> = said.iter().map(|said| said.as_ref().map(|(rule, _)| rule)).collect();
        let finding = match rules.first() {
            // Where the possible states do not agree on the place, it is the event itself.
            Some(Some(rule)) if rules.len() == 1 => {
                let spot = if said.len() == 1 { said.first().cloned().flatten() } else { None };
                Some(spot.unwrap_or_else(|| ((*rule).clone(), here.clone())))
            }
            _ => None,
        };
        Moved { finding, speaks, opened: Sure::in_worlds(opens) }
    }

    /// Returns the findings of `same`, and keeps what the row keeps; both before the instance moves.
    pub fn compare(
        &mut self,
        lifecycle: &Lifecycle,
        (sure, row): (Sure, &Row),
        event: &Event,
        item: &Item,
    ) -> Vec<(String, String)> {
        let legal = |from: usize| {
            let step = lifecycle.cell(row, from);
            step.rule.is_none() && step.moves
        };
        let mut findings = Vec::new();
        for same in &row.same {
            let acts = |from: usize| match &same.states {
                Some(states) => states.has(&lifecycle.states[from]),
                None => legal(from),
            };
            let acts = Sure::in_worlds(self.states.keys().map(|from| acts(*from))).min(sure);
            if let (Sure::Yes, Some(Some(kept)), Field::There(found)) =
                (acts, self.kept.get(&same.kept), item.whole_field(event, &same.at))
                && let Some(member) = difference(kept, found, &same.except)
            {
                findings.push((same.rule.clone(), item.pointer(&same.at) + &member));
            }
        }
        let acts = Sure::in_worlds(self.states.keys().map(|from| legal(*from))).min(sure);
        for (name, at) in &row.keep {
            let value = match (acts, item.whole_field(event, at)) {
                // A value that is not there takes the place of nothing that was kept.
                (Sure::No, _) | (_, Field::Absent) => continue,
                (Sure::Yes, Field::There(value)) => Some(value.clone()),
                _ => None,
            };
            self.kept.insert(name.clone(), value);
        }
        findings
    }
}

/// Returns the pointer in a value of what differs from what was kept.
fn difference(kept: &Value, found: &Value, except: &[String]) -> Option<String> {
    let (Value::Object(kept), Value::Object(found)) = (kept, found) else {
        return (!equal(kept, found)).then(String::new);
    };
    let differs = |name: &String| found.get(name).is_some_and(|found| !equal(&kept[name], found));
    let differing = kept.keys().filter(|name| differs(name)).map(|name| format!("/{name}"));
    differing.filter(|at| !except.contains(at)).min()
}

fn add(states: &mut BTreeMap<usize, Option<Spot>>, state: usize, entry: Option<Spot>) {
    let entry = match states.remove(&state) {
        Some(other) if other != entry => None,
        _ => entry,
    };
    states.insert(state, entry);
}
