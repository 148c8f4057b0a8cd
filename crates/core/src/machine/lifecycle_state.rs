//! The state of a lifecycle in a stream: its instance, its instances by key, or these for each instance of its parent.

use serde::{Deserialize, Serialize};

use super::end;
use super::history::History;
use super::instance::{KeyedInstances, SingleInstance};
use super::nested::NestedInstances;
use crate::protocol::Keyed;
use crate::protocol::tables::{Lifecycle, States};

/// The state of one lifecycle in a stream.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum LifecycleState {
    /// Of a lifecycle without keys.
    Single(SingleInstance),
    /// Of a lifecycle with keys whose parent has none.
    Keyed(KeyedInstances),
    /// Of a lifecycle with keys whose parent has keys, too.
    Nested(NestedInstances),
}

impl LifecycleState {
    pub(super) fn new(lifecycle: &Lifecycle) -> LifecycleState {
        match (lifecycle.keyed, lifecycle.parent_parts) {
            (None, _) => LifecycleState::Single(SingleInstance::default()),
            (Some(_), 0) => LifecycleState::Keyed(KeyedInstances::default()),
            (Some(_), _) => LifecycleState::Nested(NestedInstances::default()),
        }
    }

    /// Returns the possible states of a lifecycle without keys; of one with keys, the empty set.
    pub(crate) fn possible(&self) -> States {
        match self {
            LifecycleState::Single(single) => single.possible,
            LifecycleState::Keyed(_) | LifecycleState::Nested(_) => States::default(),
        }
    }

    /// Returns the instances among which the one of a key is, or those of the parent that has the key; `None` if the
    /// lifecycle has no keys.
    pub(crate) fn keyed(&mut self, key: &[u8], lifecycle: &Lifecycle) -> Option<&mut KeyedInstances> {
        match self {
            LifecycleState::Single(_) => None,
            LifecycleState::Keyed(keyed) => Some(keyed),
            LifecycleState::Nested(nested) => Some(nested.of_parent(key, lifecycle)),
        }
    }

    /// Makes every state possible. `for_good`: an event that opens an instance may be lost.
    pub(crate) fn make_unsure(&mut self, lifecycle: &Lifecycle, for_good: bool) {
        match self {
            LifecycleState::Single(single) => single.make_unsure(lifecycle),
            LifecycleState::Keyed(keyed) => keyed.make_unsure(lifecycle, for_good),
            LifecycleState::Nested(nested) => nested.make_unsure(for_good),
        }
    }

    /// Makes everything unsure, because an event was lost, which may have opened the parent, too.
    pub(super) fn lose(&mut self, lifecycle: &Lifecycle) {
        match self {
            LifecycleState::Single(single) => single.make_unsure(lifecycle),
            LifecycleState::Keyed(keyed) => {
                keyed.make_unsure(lifecycle, true);
                if lifecycle.within.is_some() {
                    keyed.doubt_open(lifecycle);
                }
            }
            LifecycleState::Nested(nested) => nested.lose(),
        }
    }

    /// Makes every state possible within an instance with a key, of which events may have come with another key.
    pub(crate) fn lose_within(&mut self, parent: &[u8], lifecycle: &Lifecycle) {
        // What is within an instance with a key has keys, too.
        if let LifecycleState::Nested(nested) = self {
            nested.lose_within(parent, lifecycle);
        }
    }

    /// Starts afresh because the parent opened. `prefix`: the key of the parent, or of the instance further out, that did.
    pub(crate) fn reset(&mut self, prefix: &[u8], lifecycle: &Lifecycle) {
        match self {
            LifecycleState::Single(single) => single.reset(),
            LifecycleState::Keyed(keyed) => keyed.reset(lifecycle.keyed == Some(Keyed::Parent)),
            LifecycleState::Nested(nested) => nested.reset(prefix, lifecycle),
        }
    }

    /// Notes that the parent may have opened anew. `prefix`: see [`LifecycleState::reset`].
    pub(crate) fn doubt_open(&mut self, prefix: &[u8], lifecycle: &Lifecycle) {
        match self {
            LifecycleState::Single(single) => single.possible = single.possible.or(States::one(0)),
            LifecycleState::Keyed(keyed) => keyed.doubt_open(lifecycle),
            LifecycleState::Nested(nested) => nested.doubt_open(prefix, lifecycle),
        }
    }

    /// Calls `judge` with each instance that is judged at the end of the stream: its possible states, the events that led
    /// there, and its key if it has one.
    pub(crate) fn for_each_at_end(
        &self,
        lifecycle: &Lifecycle,
        mut judge: impl FnMut(States, &History, Option<&[u8]>),
    ) {
        match self {
            LifecycleState::Single(single) => judge(single.possible, &single.history, None),
            LifecycleState::Keyed(keyed) => {
                keyed.certainly_open(lifecycle).for_each(|(key, possible, history)| judge(possible, history, Some(key)))
            }
            LifecycleState::Nested(nested) => nested
                .certainly_open(lifecycle)
                .for_each(|(key, possible, history)| judge(possible, history, Some(key))),
        }
    }

    /// Returns whether the end of the stream would report nothing, and packing it would be cheap.
    pub(super) fn is_at_rest(&self, lifecycle: &Lifecycle) -> bool {
        match self {
            LifecycleState::Single(single) => end::end_rule(single.possible, lifecycle, true).is_none(),
            LifecycleState::Keyed(keyed) => keyed.is_at_rest(lifecycle),
            LifecycleState::Nested(nested) => nested.is_at_rest(lifecycle),
        }
    }

    /// Returns whether a lifecycle can be in this state; one that was stored may be made up.
    pub(super) fn is_sound(&self, lifecycle: &Lifecycle) -> bool {
        match (self, lifecycle.keyed, lifecycle.parent_parts) {
            (LifecycleState::Single(single), None, _) => single.is_sound(lifecycle),
            (LifecycleState::Keyed(keyed), Some(_), 0) => keyed.is_sound(lifecycle),
            (LifecycleState::Nested(nested), Some(_), 1..) => nested.is_sound(lifecycle),
            _ => false,
        }
    }
}
