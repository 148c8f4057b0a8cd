//! What is known by key and starts afresh when a parent opens: the series and texts of the instances of a lifecycle.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::key::{from_key, keys_under, prefixes, take_under};

/// Something of which nothing may be known.
pub(crate) trait Known: Default {
    /// Returns one of which nothing is known.
    fn unknown() -> Self;
}

/// Values by key. A key that begins with that of a parent belongs to it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ByKey<V> {
    values: BTreeMap<Box<[u8]>, Dated<V>>,
    /// What keys without a value here begin with if nothing is known of them, because events were lost or misunderstood.
    unknown: BTreeSet<Box<[u8]>>,
    /// The parents among these keys that have certainly opened since: of their keys everything is known again.
    opened: BTreeSet<Box<[u8]>>,
    /// The parents that may have opened, with the number of such doubts until then: a value that has not been looked at since
    /// is unknown. To change all values at once would be quadratic.
    doubted: BTreeMap<Box<[u8]>, u64>,
    /// Number of doubts so far.
    doubts: u64,
}

/// A value, and the number of doubts when it was last looked at.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Dated<V> {
    value: V,
    doubts: u64,
}

impl<V: Known> ByKey<V> {
    /// Returns the value of a key.
    pub(crate) fn get(&mut self, key: &[u8]) -> &mut V {
        let (doubts, doubted) = (self.doubts, self.doubted(key));
        // What has no keys has one value, whose key is empty, and before all others.
        let is_known = match key {
            [] => self.values.first_key_value().is_some_and(|(first, _)| first.is_empty()),
            _ => self.values.contains_key(key),
        };
        if !is_known {
            let value = if self.is_unknown(key) { V::unknown() } else { V::default() };
            self.values.insert(key.into(), Dated { value, doubts });
        }
        let dated = if key.is_empty() { self.values.values_mut().next() } else { self.values.get_mut(key) };
        let Some(dated) = dated else { unreachable!("it was inserted just now") };
        if doubted > dated.doubts {
            dated.value = V::unknown();
        }
        dated.doubts = doubts;
        &mut dated.value
    }

    /// Returns the number of doubts until a parent of a key last may have opened.
    fn doubted(&self, key: &[u8]) -> u64 {
        if self.doubted.is_empty() {
            return 0;
        }
        prefixes(key).filter_map(|parent| self.doubted.get(parent)).copied().max().unwrap_or_default()
    }

    /// Returns the value of a key if it has one, and no parent may have opened since.
    pub(crate) fn peek(&self, key: &[u8]) -> Option<&V> {
        let dated = self.values.get(key)?;
        (self.doubted(key) <= dated.doubts).then_some(&dated.value)
    }

    /// Returns the value of a key to change it, if it has one and no parent may have opened since.
    pub(crate) fn peek_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let doubted = self.doubted(key);
        let dated = self.values.get_mut(key)?;
        (doubted <= dated.doubts).then_some(&mut dated.value)
    }

    /// Returns the value of a key as it was when it was last looked at.
    pub(crate) fn last(&self, key: &[u8]) -> Option<&V> {
        self.values.get(key).map(|dated| &dated.value)
    }

    /// Returns whether nothing is known of a key, if it has no value.
    fn is_unknown(&self, key: &[u8]) -> bool {
        // What a longer beginning of the key says, counts.
        !self.unknown.is_empty()
            && prefixes(key).fold(false, |is_unknown, parent| {
                !self.opened.contains(parent) && (is_unknown || self.unknown.contains(parent))
            })
    }

    /// Removes the values of the keys that begin with this one, and returns them.
    fn take_values(&mut self, key: &[u8]) -> Vec<V> {
        if self.values.is_empty() {
            return Vec::new();
        }
        if key.is_empty() {
            return std::mem::take(&mut self.values).into_values().map(|dated| dated.value).collect();
        }
        let keys = keys_under(key, self.values.range::<[u8], _>(from_key(key)).map(|(key, _)| key));
        keys.iter().filter_map(|key| self.values.remove(key)).map(|dated| dated.value).collect()
    }

    /// Removes the values of a parent, or of all within one further out, which has certainly opened, and returns them.
    pub(crate) fn reset(&mut self, parent: &[u8]) -> Vec<V> {
        if !self.doubted.is_empty() {
            for doubted in keys_under(parent, self.doubted.range::<[u8], _>(from_key(parent)).map(|(key, _)| key)) {
                self.doubted.remove(&doubted);
            }
        }
        if !self.unknown.is_empty() {
            take_under(&mut self.unknown, parent);
            take_under(&mut self.opened, parent);
            if self.is_unknown(parent) {
                self.opened.insert(parent.into());
            }
        }
        self.take_values(parent)
    }

    /// Forgets the values of keys that begin with this one, and returns them: nothing is known of these keys until a parent
    /// opens.
    pub(crate) fn give_up(&mut self, key: &[u8]) -> Vec<V> {
        take_under(&mut self.unknown, key);
        take_under(&mut self.opened, key);
        if !self.is_unknown(key) {
            self.unknown.insert(key.into());
        }
        self.take_values(key)
    }

    /// Forgets the values of a parent, or of all within one further out, which may have opened.
    pub(crate) fn doubt(&mut self, parent: &[u8]) {
        self.doubts += 1;
        self.doubted.insert(parent.into(), self.doubts);
    }

    /// Forgets all values, because events were lost.
    pub(crate) fn lose(&mut self) {
        self.values.clear();
        self.opened.clear();
        self.doubted.clear();
        self.unknown = BTreeSet::from([Box::default()]);
    }

    /// Returns all values, to change them.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.values_mut().map(|dated| &mut dated.value)
    }

    /// Returns all values.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.values().map(|dated| &dated.value)
    }
}
