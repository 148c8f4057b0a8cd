//! What is known by key and starts afresh when a parent opens: the series and texts of the instances of a lifecycle.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::key::prefixes;

/// Something of which nothing may be known.
pub(crate) trait Known: Default {
    /// Returns one of which nothing is known.
    fn unknown() -> Self;
}

/// Values by key. A key that begins with that of a parent belongs to it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ByKey<V> {
    values: BTreeMap<Box<[u8]>, V>,
    /// Whether nothing is known of a key that has no value here, because events were lost.
    is_lossy: bool,
    /// The parents that have certainly opened since: of their keys everything is known again.
    opened: BTreeSet<Box<[u8]>>,
}

impl<V: Known> ByKey<V> {
    /// Returns the value of a key.
    pub(crate) fn get(&mut self, key: &[u8]) -> &mut V {
        if !self.values.contains_key(key) {
            let value = if self.is_lossy && !self.has_opened(key) { V::unknown() } else { V::default() };
            self.values.insert(key.into(), value);
        }
        self.values.entry(key.into()).or_default()
    }

    /// Returns the value of a key if it has one.
    pub(crate) fn peek(&self, key: &[u8]) -> Option<&V> {
        self.values.get(key)
    }

    /// Returns whether a parent of a key has opened since events were lost.
    fn has_opened(&self, key: &[u8]) -> bool {
        prefixes(key).any(|parent| self.opened.contains(parent))
    }

    /// Removes the values of a parent, or of all within one further out, which has certainly opened, and returns them.
    pub(crate) fn reset(&mut self, parent: &[u8]) -> Vec<V> {
        let keys = self.keys(parent);
        if self.is_lossy && parent.is_empty() {
            self.is_lossy = false;
            self.opened.clear();
        } else if self.is_lossy {
            self.opened.insert(parent.into());
        }
        keys.iter().filter_map(|key| self.values.remove(key)).collect()
    }

    /// Forgets the values of a parent, or of all within one further out, which may have opened.
    pub(crate) fn doubt(&mut self, parent: &[u8]) {
        for key in self.keys(parent) {
            self.values.insert(key, V::unknown());
        }
    }

    /// Forgets all values, because events were lost.
    pub(crate) fn lose(&mut self) {
        self.values.clear();
        self.opened.clear();
        self.is_lossy = true;
    }

    /// Returns the keys that begin with that of a parent.
    pub(crate) fn keys(&self, parent: &[u8]) -> Vec<Box<[u8]>> {
        let from = self.values.range::<[u8], _>((Bound::Included(parent), Bound::Unbounded));
        from.take_while(|(key, _)| key.starts_with(parent)).map(|(key, _)| key.clone()).collect()
    }

    /// Returns all values, to change them.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.values_mut()
    }

    /// Returns all values.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.values()
    }
}
