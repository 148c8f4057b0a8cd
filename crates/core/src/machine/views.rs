//! What callers that choose the next event may ask: how an instance, a text or a series stands.

use serde_json::Value;

use super::Machine;
use super::content::Kept;
use super::instance::{Instance, only_state};
use super::key::key_of;
use super::lifecycle_state::LifecycleState;
use super::series::LastValue;
use crate::protocol::tables::Certainty;

/// How an instance of a lifecycle stands.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceView {
    /// The state that the instance certainly is in.
    pub state: u8,
    /// Whether the open instance of the lifecycle around owns it.
    pub is_open: bool,
    /// The values that were kept, by their numbers in the lifecycle; of objects, the members that are short.
    pub kept: Vec<Option<Value>>,
}

impl InstanceView {
    fn of(instance: &Instance) -> Option<InstanceView> {
        Some(InstanceView {
            state: only_state(instance.possible)?,
            is_open: instance.open == Certainty::Yes,
            kept: instance.kept.iter().map(|kept| kept.as_ref().and_then(Kept::value)).collect(),
        })
    }
}

impl Machine {
    /// Returns how an instance of a lifecycle stands: that of a key with these parts, of which a lifecycle without keys has
    /// none. `None` if its state is not certain, or if a part cannot be one.
    pub(crate) fn instance(&self, stream: &[u8], lifecycle: usize, key: &[Value]) -> Option<InstanceView> {
        let table = self.protocol.tables().lifecycles.get(lifecycle)?;
        let key = key_of(key)?;
        let unseen = InstanceView { state: 0, is_open: false, kept: Vec::new() };
        let Some(stream) = self.streams.live(stream) else { return Some(unseen) };
        match stream.lifecycles.get(lifecycle)? {
            LifecycleState::Single(single) => Some(InstanceView { state: only_state(single.possible)?, ..unseen }),
            LifecycleState::Keyed(keyed) => InstanceView::of(&keyed.peek(&key, table)),
            LifecycleState::Nested(nested) => InstanceView::of(&nested.peek(&key, table)?),
        }
    }

    /// Returns what a stream has sent so far of the text of a table with keys that has this one; `None` if no piece came, or
    /// one may be missing.
    pub(crate) fn text(&self, stream: &[u8], table: usize, key: &[Value]) -> Option<String> {
        self.streams.live(stream)?.texts.of_key(table, &key_of(key)?)?.streamed()
    }

    /// Returns the value of a series, with this key, that the next one follows; `None` if there is none, or if it is not
    /// known.
    pub(crate) fn last_value(&self, stream: &[u8], series: usize, key: &[Value]) -> Option<Value> {
        match self.streams.live(stream)?.series.get(series)?.peek(&key_of(key)?)? {
            LastValue::Known(value, _) | LastValue::Off { value, .. } => Some(value.value()),
            LastValue::None | LastValue::Unknown => None,
        }
    }
}
