//! How a stream stands: the states of its instances, as the checker has them.

use serde_json::Value;
use sessionlint_core::check::StreamChecker;
use sessionlint_core::machine::InstanceView;
use sessionlint_core::protocol::Tables;
use sessionlint_core::protocol::tables::{Cell, Lifecycle, Row, States};

use super::goals::{BAD, CUT, SEEN};
use super::propose::Session;

/// An instance that events may refer to.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The parts of its key; empty in a lifecycle without keys.
    pub key: Vec<Value>,
    pub view: InstanceView,
}

/// The instances of one stream, by lifecycle: of one with keys, those whose keys came. Behind the lifecycles stand the
/// texts, the fields that must not stay the same, and the series, as if they were lifecycles; see [`Need`].
///
/// [`Need`]: super::goals::Need
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub instances: Vec<Vec<Known>>,
}

impl Standing {
    /// Asks the checker.
    pub fn of(tables: &Tables, checker: &StreamChecker, session: &Session) -> Standing {
        let stream = session.id.as_str();
        let keys = |number: usize, is_keyed: bool| match is_keyed {
            true => session.keys[number].clone(),
            false => vec![Vec::new()],
        };
        let mut instances = Vec::new();
        for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
            let known = |key: Vec<Value>| checker.instance(stream, number, &key).map(|view| Known { key, view });
            instances.push(keys(number, lifecycle.keyed.is_some()).into_iter().filter_map(known).collect());
        }
        let seen =
            |key: Vec<Value>, state: u8| Known { key, view: InstanceView { state, is_open: true, kept: Vec::new() } };
        let streamed = checker.streamed(stream);
        for (number, text) in tables.texts.iter().enumerate() {
            let said = |key: &[Value]| match key {
                [] => streamed[number].clone(),
                key => checker.text(stream, number, key),
            };
            let state = |key: &[Value]| match said(key) {
                None => 0,
                Some(said) if text.json_entries > 0 && !is_json_object(&said) => BAD,
                Some(_) if session.cut[number] => CUT,
                Some(_) => SEEN,
            };
            let keys = keys(instances.len(), text.key_parts > 0);
            instances.push(keys.into_iter().map(|key| seen(key.clone(), state(&key))).collect());
        }
        for number in 0..tables.unchanged.len() {
            let state = if session.last.contains_key(&number) { SEEN } else { 0 };
            instances.push(vec![seen(Vec::new(), state)]);
        }
        for (number, series) in tables.series.iter().enumerate() {
            let state = |key: &[Value]| if checker.last_value(stream, number, key).is_some() { SEEN } else { 0 };
            let keys = keys(instances.len(), series.key_parts > 0);
            instances.push(keys.into_iter().map(|key| seen(key.clone(), state(&key))).collect());
        }
        Standing { instances }
    }

    /// Returns the state of a lifecycle without keys.
    pub fn single(&self, lifecycle: usize) -> Option<u8> {
        self.instances[lifecycle].first().map(|known| known.view.state)
    }

    /// Returns the state of an instance: the first one of a key that was not seen yet.
    pub fn state(&self, lifecycle: usize, key: &[Value]) -> u8 {
        let known = self.instances[lifecycle].iter().find(|known| known.key == key);
        known.map_or(0, |known| known.view.state)
    }

    /// Returns whether lifecycles without keys are in the states of a gate.
    pub fn is_in(&self, gates: &[(usize, States)]) -> bool {
        gates.iter().all(|(lifecycle, states)| self.single(*lifecycle).is_some_and(|state| states.has(state)))
    }

    /// Returns whether there are instances further out in the states that a row demands of them before the event.
    pub fn has_parents(&self, row: &Row) -> bool {
        row.of_parents
            .iter()
            .filter(|gate| gate.before)
            .all(|gate| self.instances[gate.lifecycle].iter().any(|known| gate.states.has(known.view.state)))
    }

    /// Returns the instances that the open instance of the lifecycle around owns; of a lifecycle without keys, the only
    /// one.
    pub fn owned<'s>(&'s self, number: usize, lifecycle: &Lifecycle) -> impl Iterator<Item = &'s Known> + use<'s> {
        let is_single = lifecycle.keyed.is_none();
        self.instances[number].iter().filter(move |known| is_single || known.view.is_open)
    }

    /// Returns the cells that a row without a key, or of a lifecycle without keys, takes: none while `unless` closes it.
    pub fn cells<'r>(&self, number: usize, lifecycle: &Lifecycle, row: &'r Row) -> Vec<(u8, &'r Cell)> {
        let owned: Vec<u8> = self.owned(number, lifecycle).map(|known| known.view.state).collect();
        if owned.iter().any(|state| row.unless.has(*state)) {
            return Vec::new();
        }
        owned.into_iter().filter_map(|state| Some((state, row.cells.get(usize::from(state))?))).collect()
    }
}

/// Returns whether a text is a JSON object.
pub fn is_json_object(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
}

/// Returns what something is within, by its number: the number of the lifecycle around, and that of the first parts of a key
/// that are the key of its instance.
pub fn parent_of(tables: &Tables, number: usize) -> Option<(usize, usize)> {
    let (lifecycles, texts) = (tables.lifecycles.len(), tables.texts.len());
    let outer = match number.checked_sub(lifecycles) {
        None => tables.lifecycles[number].within,
        Some(text) if text < texts => tables.texts[text].within,
        Some(other) => tables.series.get(other.checked_sub(texts + tables.unchanged.len())?)?.within,
    }?;
    Some((outer, tables.lifecycles[outer].key_parts))
}
