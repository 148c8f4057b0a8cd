//! The instances of a lifecycle whose parent has keys, too: for each instance of the parent those that belong to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::end;
use super::instance::{History, Instance, KeyedInstances};
use super::key::{first_parts, from_key, keys_under, prefixes};
use crate::protocol::Keyed;
use crate::protocol::tables::{Lifecycle, States};

/// The instances of a lifecycle whose parent has keys. Each parent's are as if it were the only one.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct NestedInstances {
    /// The instances by the key of their parent.
    families: BTreeMap<Box<[u8]>, Family>,
    /// Number of times that all instances became unsure.
    losses: u64,
    /// Whether, in one of these, an event may have been lost that opened an instance.
    may_have_opened: bool,
    /// Number of events that were lost, and may have opened a parent.
    lost: u64,
    /// The parents that certainly opened after a loss, with the number of losses until then. A key is that of a parent, or
    /// of one further out, for all parents within it.
    opened: BTreeMap<Box<[u8]>, u64>,
}

/// The instances of one parent.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Family {
    instances: KeyedInstances,
    /// Number of losses that these instances have noted.
    losses: u64,
    /// Number of lost events that they have noted.
    lost: u64,
}

impl NestedInstances {
    /// Returns the instances of a parent. `key`: that of the parent, or of one of its children.
    pub(crate) fn of_parent(&mut self, key: &[u8], lifecycle: &Lifecycle) -> &mut KeyedInstances {
        let key = first_parts(key, lifecycle.parent_parts);
        if !self.families.contains_key(key) {
            let losses = self.losses_until_open(key);
            self.families.insert(key.into(), Family { losses, lost: self.lost, ..Family::default() });
        }
        let news = (self.losses, self.lost, self.may_have_opened);
        let family = self.families.entry(key.into()).or_default();
        catch_up(family, news, lifecycle);
        &mut family.instances
    }

    /// Returns the instance of a key as it is, without creating it; `None` if that is not certain because of losses.
    pub(crate) fn peek(&self, key: &[u8], lifecycle: &Lifecycle) -> Option<Instance> {
        let parent = first_parts(key, lifecycle.parent_parts);
        match self.families.get(parent) {
            Some(family) => {
                let is_up_to_date = (family.losses, family.lost) == (self.losses, self.lost);
                is_up_to_date.then(|| family.instances.peek(key, lifecycle))
            }
            None if self.losses_until_open(parent) < self.losses => None,
            None => Some(KeyedInstances::default().peek(key, lifecycle)),
        }
    }

    /// Returns the number of losses until a parent, or one further out, last opened.
    fn losses_until_open(&self, key: &[u8]) -> u64 {
        prefixes(key).filter_map(|parent| self.opened.get(parent)).copied().max().unwrap_or_default()
    }

    /// Returns the keys of the parents that have instances.
    pub(crate) fn parents(&self) -> Vec<Box<[u8]>> {
        self.families.keys().cloned().collect()
    }

    /// Returns the instances that are certainly owned by their parent, with their keys, parent by parent.
    pub(crate) fn certainly_open(&self, lifecycle: &Lifecycle) -> impl Iterator<Item = (&[u8], States, &History)> {
        let any = States::all(lifecycle.states.len());
        // After a lost event none is certainly owned any more.
        let families = self.families.values().filter(|family| family.lost == self.lost);
        families.flat_map(move |Family { instances, losses, .. }| {
            let is_noted = *losses == self.losses;
            let open = instances.certainly_open(lifecycle);
            open.map(move |(key, possible, history)| (key, if is_noted { possible } else { any }, history))
        })
    }

    /// Returns whether the end of the stream would report nothing, and few enough instances would be packed.
    pub(crate) fn is_at_rest(&self, lifecycle: &Lifecycle) -> bool {
        self.families.values().map(|family| family.instances.len()).sum::<usize>() <= KeyedInstances::MOST_PACKED_AGAIN
            && self.certainly_open(lifecycle).all(|(_, possible, _)| end::end_rule(possible, lifecycle, true).is_none())
    }

    /// Makes every state possible for every key of every parent, seen or not. `for_good`: an event that opens an instance
    /// may be lost.
    pub(crate) fn make_unsure(&mut self, for_good: bool) {
        self.losses += 1;
        self.may_have_opened |= for_good;
    }

    /// Makes everything unsure, because an event was lost, which may have opened a parent, too.
    pub(crate) fn lose(&mut self) {
        self.make_unsure(true);
        self.lost += 1;
    }

    /// Starts afresh for a parent that opened, or for all parents within one further out.
    pub(crate) fn reset(&mut self, prefix: &[u8], lifecycle: &Lifecycle) {
        if lifecycle.keyed == Some(Keyed::Parent) {
            let from = self.families.range::<[u8], _>(from_key(prefix));
            for key in keys_under(prefix, from.map(|(key, _)| key)) {
                self.families.remove(&key);
            }
        } else {
            self.all_within(prefix, lifecycle).for_each(|instances| instances.reset(false));
        }
        if prefix.is_empty() && lifecycle.keyed == Some(Keyed::Parent) {
            (self.losses, self.lost, self.may_have_opened) = (0, 0, false);
            self.opened.clear();
        } else if self.losses > 0 && (lifecycle.keyed == Some(Keyed::Parent) || !self.may_have_opened) {
            self.opened.insert(prefix.into(), self.losses);
        }
    }

    /// Notes that a parent, or one further out, may have opened anew.
    pub(crate) fn doubt_open(&mut self, prefix: &[u8], lifecycle: &Lifecycle) {
        if prefix.is_empty() {
            // Noted by each parent's instances when they are next looked at: there may be many.
            self.lost += 1;
            return;
        }
        self.all_within(prefix, lifecycle).for_each(|instances| instances.doubt_open(lifecycle));
    }

    /// Returns the instances of a parent, or of all parents within one further out, which have noted all losses.
    fn all_within(&mut self, prefix: &[u8], lifecycle: &Lifecycle) -> impl Iterator<Item = &mut KeyedInstances> {
        let NestedInstances { families, losses, lost, may_have_opened, .. } = self;
        let news = (*losses, *lost, *may_have_opened);
        let from = families.range_mut::<[u8], _>(from_key(prefix));
        from.take_while(move |(key, _)| key.starts_with(prefix)).map(move |(_, family)| {
            catch_up(family, news, lifecycle);
            &mut family.instances
        })
    }

    /// Returns whether instances can be in this state; those that were stored may be made up.
    pub(crate) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        self.families.values().all(|family| {
            family.losses <= self.losses && family.lost <= self.lost && family.instances.is_sound(lifecycle)
        }) && self.opened.values().all(|losses| *losses <= self.losses)
            && self.losses < KeyedInstances::MOST_DOUBTS
    }
}

/// Makes instances unsure that have not noted the last losses. `news`: the number of losses and of lost events so far, and
/// whether one of them may have opened an instance.
fn catch_up(family: &mut Family, news: (u64, u64, bool), lifecycle: &Lifecycle) {
    let (losses, lost, may_have_opened) = news;
    if family.losses != losses {
        family.losses = losses;
        family.instances.make_unsure(lifecycle, may_have_opened);
    }
    if family.lost != lost {
        family.lost = lost;
        family.instances.doubt_open(lifecycle);
    }
}
