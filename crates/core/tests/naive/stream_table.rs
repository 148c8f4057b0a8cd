//! The instances of a lifecycle in one stream, and what is known of keys that were not seen.

use std::collections::BTreeMap;

use crate::instance::Instance;
use crate::reading::{Key, Sure};
use crate::tables::Lifecycle;

/// What is known of keys that were not seen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unseen {
    /// They are in the first state.
    Absent,
    /// Unsure until the lifecycle around opens.
    Unsure,
    /// Unsure, and their start may have been lost.
    Lost,
}

/// The same, and whether the parent may own some of them.
pub type Mark = (Unseen, Sure);

/// A lifecycle of one stream. One without keys has one instance, whose key has no parts.
#[derive(Clone)]
pub struct Table {
    pub instances: BTreeMap<Key, Instance>,
    /// By the first parts of keys; the longest ones count.
    pub marks: BTreeMap<Key, Mark>,
}

impl Table {
    pub fn new(lifecycle: &Lifecycle) -> Table {
        let mut instances = BTreeMap::new();
        if lifecycle.keyed.is_none() {
            instances.insert(Key::new(), Instance::new());
        }
        Table { instances, marks: BTreeMap::from([(Key::new(), (Unseen::Absent, Sure::No))]) }
    }

    pub fn mark(&self, key: &[String]) -> Mark {
        let found = (0..=key.len()).rev().find_map(|parts| self.marks.get(&key[..parts]));
        *found.expect("there is one for all keys")
    }

    /// Returns the instance of a key, seen or not.
    pub fn instance(&self, lifecycle: &Lifecycle, key: &[String]) -> Instance {
        self.instances.get(key).cloned().unwrap_or_else(|| match self.mark(key) {
            (Unseen::Absent, _) => Instance::new(),
            (_, owned) => Instance::unsure(lifecycle, owned),
        })
    }

    /// An event may have been lost.
    pub fn lose(&mut self, lifecycle: &Lifecycle) {
        for instance in self.instances.values_mut() {
            instance.lose(lifecycle);
            // Without a lifecycle around nothing ends the owning.
            let is_owned = instance.owned == Sure::Yes && lifecycle.within.is_none();
            if !is_owned {
                instance.owned = Sure::Perhaps;
            }
        }
        self.marks = BTreeMap::from([(Key::new(), (Unseen::Lost, Sure::Perhaps))]);
    }

    /// An instance around has opened whose key is the first parts of these.
    pub fn start_afresh(&mut self, lifecycle: &Lifecycle, around: &[String], opened: Sure) {
        let is_forgotten = lifecycle.keyed.as_deref() == Some("parent");
        let inside = self.instances.iter_mut().filter(|(key, _)| key.starts_with(around));
        if opened == Sure::Perhaps {
            for (key, instance) in inside {
                instance.owned = instance.owned.min(Sure::Perhaps);
                if key.is_empty() && lifecycle.keyed.is_none() || is_forgotten {
                    instance.add(0, None);
                }
            }
        } else if opened == Sure::Yes {
            inside.for_each(|(_, instance)| instance.owned = Sure::No);
            if lifecycle.keyed.is_none() {
                self.instances.insert(Key::new(), Instance::new());
            } else if is_forgotten {
                self.instances.retain(|key, _| !key.starts_with(around));
            }
            let mark = self.mark(around);
            self.marks.entry(around.to_vec()).or_insert(mark);
            for (_, mark) in self.marks.iter_mut().filter(|(key, _)| key.starts_with(around)) {
                mark.1 = Sure::No;
                if is_forgotten || mark.0 == Unseen::Unsure {
                    mark.0 = Unseen::Absent;
                }
            }
        }
    }

    /// Merges what may have become of it.
    pub fn merge(worlds: &[Table], lifecycle: &Lifecycle) -> Table {
        let mut merged = worlds[0].clone();
        for key in worlds.iter().flat_map(|world| world.instances.keys()) {
            let mut all = worlds.iter().map(|world| world.instance(lifecycle, key));
            let mut instance = all.next().expect("there is a world");
            for other in all {
                instance.merge(other);
            }
            merged.instances.insert(key.clone(), instance);
        }
        for (key, mark) in worlds.iter().flat_map(|world| &world.marks) {
            let before = merged.mark(key);
            merged.marks.insert(key.clone(), (before.0.max(mark.0), before.1.max(mark.1)));
        }
        merged
    }
}
