//! The instances of a lifecycle whose parent has keys, too: for each instance of the parent those that belong to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::end;
use super::history::History;
use super::instance::{Instance, KeyedInstances};
use super::key::{first_parts, from_key, keys_under, prefixes};
use crate::protocol::Keyed;
use crate::protocol::tables::{Lifecycle, States};

/// The instances of a lifecycle whose parent has keys. Each parent's are as if it were the only one.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct NestedInstances {
    /// The instances by the key of their parent.
    families: BTreeMap<Box<[u8]>, Family>,
    /// What happened to all instances so far.
    losses: Losses,
    /// Number of events that were lost, and may have opened a parent.
    lost: u64,
    /// The parents that certainly opened after a loss, with the losses until then. A key is that of a parent, or of one
    /// further out, for all parents within it.
    opened: BTreeMap<Box<[u8]>, Losses>,
}

/// How often all instances became unsure.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Losses {
    /// Number of times.
    all: u64,
    /// Number of those in which an event may have been lost that opened an instance.
    openings: u64,
}

/// The instances of one parent.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Family {
    instances: KeyedInstances,
    /// The losses that these instances have noted.
    losses: Losses,
    /// Number of lost events that they have noted.
    lost: u64,
}

impl NestedInstances {
    /// Returns the instances of a parent. `key`: that of the parent, or of one of its children.
    pub(crate) fn of_parent(&mut self, key: &[u8], lifecycle: &Lifecycle) -> &mut KeyedInstances {
        let key = first_parts(key, lifecycle.parent_parts);
        if !self.families.contains_key(key) {
            let family = self.new_family(key, lifecycle);
            self.families.insert(key.into(), family);
        }
        let Some(family) = self.families.get_mut(key) else { unreachable!("it was inserted just now") };
        family.catch_up((self.losses, self.lost), lifecycle);
        &mut family.instances
    }

    /// Returns the instance of a key as it is, without creating it; `None` if that is not certain because of losses.
    pub(crate) fn peek(&self, key: &[u8], lifecycle: &Lifecycle) -> Option<Instance> {
        let parent = first_parts(key, lifecycle.parent_parts);
        let peek = |family: &Family| {
            let is_up_to_date = (family.losses, family.lost) == (self.losses, self.lost);
            is_up_to_date.then(|| family.instances.peek(key, lifecycle))
        };
        match self.families.get(parent) {
            Some(family) => peek(family),
            None => peek(&self.new_family(parent, lifecycle)),
        }
    }

    /// Returns the instances of a parent of which none was seen, as they were when the parent last opened.
    fn new_family(&self, parent: &[u8], lifecycle: &Lifecycle) -> Family {
        // That a parent may have opened changes nothing where there is no instance yet.
        let mut family = Family { lost: self.lost, ..Family::default() };
        let opened = prefixes(parent).filter_map(|outer| self.opened.get(outer)).max();
        if let Some(losses) = opened {
            family.catch_up((*losses, self.lost), lifecycle);
            family.instances.reset(lifecycle.keyed == Some(Keyed::Parent));
        }
        family
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
        self.losses.all += 1;
        self.losses.openings += u64::from(for_good);
    }

    /// Makes everything unsure, because an event was lost, which may have opened a parent, too.
    pub(crate) fn lose(&mut self) {
        self.make_unsure(true);
        self.lost += 1;
    }

    /// Makes every state possible for every key within a parent, or one further out, seen or not.
    pub(crate) fn lose_within(&mut self, prefix: &[u8], lifecycle: &Lifecycle) {
        if prefixes(prefix).count() > lifecycle.parent_parts {
            self.of_parent(prefix, lifecycle).make_unsure(lifecycle, true);
        } else {
            // Parents further in, which may not have been seen yet, are not told apart.
            self.make_unsure(true);
        }
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
            (self.losses, self.lost) = (Losses::default(), 0);
            self.opened.clear();
        } else if self.losses.all > 0 {
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
        let NestedInstances { families, losses, lost, .. } = self;
        let news = (*losses, *lost);
        let from = families.range_mut::<[u8], _>(from_key(prefix));
        from.take_while(move |(key, _)| key.starts_with(prefix)).map(move |(_, family)| {
            family.catch_up(news, lifecycle);
            &mut family.instances
        })
    }

    /// Returns whether instances can be in this state; those that were stored may be made up.
    pub(crate) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        let is_past = |losses: &Losses| losses.all <= self.losses.all && losses.openings <= self.losses.openings;
        self.families
            .values()
            .all(|family| is_past(&family.losses) && family.lost <= self.lost && family.instances.is_sound(lifecycle))
            && self.opened.values().all(is_past)
            && self.losses.openings <= self.losses.all
            && self.losses.all < KeyedInstances::MOST_DOUBTS
    }
}

impl Family {
    /// Makes the instances unsure if they have not noted the last losses and lost events.
    fn catch_up(&mut self, (losses, lost): (Losses, u64), lifecycle: &Lifecycle) {
        if self.losses != losses {
            let for_good = self.losses.openings != losses.openings;
            self.losses = losses;
            self.instances.make_unsure(lifecycle, for_good);
        }
        if self.lost != lost {
            self.lost = lost;
            self.instances.doubt_open(lifecycle);
        }
    }
}
