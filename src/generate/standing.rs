//! How a stream stands: the states of its instances, as the checker has them.

use serde_json::Value;
use sessionlint_core::check::StreamChecker;
use sessionlint_core::machine::{InstanceView, key_text};
use sessionlint_core::protocol::Tables;
use sessionlint_core::protocol::tables::{Cell, Lifecycle, Row, States};

/// An instance that events may refer to.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The parts of its key; empty in a lifecycle without keys.
    pub key: Vec<Value>,
    pub view: InstanceView,
}

/// The instances of one stream, by lifecycle: of one with keys, those whose keys came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub instances: Vec<Vec<Known>>,
}

impl Standing {
    /// Asks the checker. `keys`: the keys that came, by lifecycle.
    pub fn of(tables: &Tables, checker: &StreamChecker, stream: &str, keys: &[Vec<Vec<Value>>]) -> Standing {
        let instances = tables.lifecycles.iter().zip(keys).enumerate().map(|(number, (lifecycle, keys))| {
            let ask = |key: &Vec<Value>, text: &str| {
                let view = checker.instance(stream, number, text)?;
                Some(Known { key: key.clone(), view })
            };
            match lifecycle.keyed {
                None => ask(&Vec::new(), "").into_iter().collect(),
                Some(_) => keys.iter().filter_map(|key| ask(key, &key_text(key)?)).collect(),
            }
        });
        Standing { instances: instances.collect() }
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
