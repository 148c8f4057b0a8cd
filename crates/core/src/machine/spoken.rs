//! Which instances have reported a rule about an event: what has one of them among its parents is silent about it.

use crate::protocol::Tables;

/// The instances that have reported a rule about one event, or at the end of a stream.
#[derive(Default)]
pub(crate) struct Spoken {
    /// The lifecycles with such an instance, as bits; [`Lifecycle::MOST`](crate::protocol::tables::Lifecycle::MOST) keeps
    /// their numbers in range.
    lifecycles: u64,
    /// The keys of those instances that have one, with the number of their lifecycle.
    keys: Vec<(usize, Box<[u8]>)>,
}

impl Spoken {
    /// Notes that an instance has reported a rule. `key`: empty if it has none.
    pub(crate) fn add(&mut self, lifecycle: usize, key: &[u8]) {
        self.lifecycles |= 1 << lifecycle;
        if !key.is_empty() {
            self.keys.push((lifecycle, key.into()));
        }
    }

    /// Returns whether an instance of a lifecycle has reported a rule.
    pub(crate) fn has(&self, lifecycle: usize) -> bool {
        self.lifecycles >> lifecycle & 1 == 1
    }

    /// Returns whether one of the parents of an instance, at any depth, has reported a rule. `parent`: the lifecycle of the
    /// nearest one, and `key` the key of the instance.
    pub(crate) fn mutes(&self, tables: &Tables, mut parent: Option<usize>, key: &[u8]) -> bool {
        if self.lifecycles == 0 {
            return false;
        }
        while let Some(lifecycle) = parent {
            let of_key = |(speaker, spoken): &(usize, Box<[u8]>)| *speaker == lifecycle && key.starts_with(spoken);
            let has_keys = tables.lifecycles[lifecycle].keyed.is_some();
            if self.has(lifecycle) && (!has_keys || self.keys.iter().any(of_key)) {
                return true;
            }
            parent = tables.lifecycles[lifecycle].within;
        }
        false
    }
}
