//! What the slots of the tables read in an event that was made.

use serde_json::{Value, json};
use sessionlint_core::protocol::tables::{Condition, Each, EventType};
use sessionlint_core::schema::Pointer;
use sessionlint_core::schema::items::ItemSlot;

use super::wishes::meets;

/// What slots refer to: an event, or an item of one of its arrays.
pub struct MadeScope<'e> {
    kind: &'e EventType,
    event: &'e Value,
    item: Option<Item<'e>>,
}

/// An item of an array.
struct Item<'e> {
    array: usize,
    number: usize,
    value: &'e Value,
    /// The item around, and its number; those of the event if there is none.
    around: &'e Value,
    around_number: usize,
}

impl<'e> MadeScope<'e> {
    /// Returns the event, or the items of its array that meet the conditions.
    pub fn all(kind: &'e EventType, event: &'e Value, each: Option<&Each>) -> Vec<MadeScope<'e>> {
        let Some(each) = each else { return vec![MadeScope { kind, event, item: None }] };
        let shape = &kind.arrays[each.array];
        let items = |holder: &'e Value, at: &[String]| {
            let items = holder.pointer(&Pointer(at.to_vec()).text()).and_then(Value::as_array);
            items.into_iter().flatten().enumerate()
        };
        let (outer, inner) = shape.parts();
        let around: Vec<(usize, &Value)> =
            if shape.is_nested() { items(event, outer).collect() } else { vec![(0, event)] };
        let mut scopes = Vec::new();
        for (around_number, around) in around {
            for (number, value) in items(around, inner) {
                let item = Item { array: each.array, number, value, around, around_number };
                scopes.push(MadeScope { kind, event, item: Some(item) });
            }
        }
        scopes.retain(|scope| scope.meets(&each.when));
        scopes
    }

    /// Returns the value of a field, which is not null.
    pub fn field(&self, slot: usize) -> Option<Value> {
        let inside = |holder: &Value, at: &Pointer| holder.pointer(&at.text()).cloned();
        let field = match &self.item {
            None => inside(self.event, &self.kind.slots[slot]),
            Some(item) => match &self.kind.arrays[item.array].slots[slot] {
                ItemSlot::Inside(at) => inside(item.value, at),
                ItemSlot::Event(slot) => inside(self.event, &self.kind.slots[*slot]),
                ItemSlot::Around(at) => inside(item.around, at),
                ItemSlot::Number => Some(json!(item.number)),
                ItemSlot::NumberAround => Some(json!(item.around_number)),
            },
        };
        field.filter(|value| !value.is_null())
    }

    /// Returns whether conditions are met.
    pub fn meets(&self, when: &[Condition]) -> bool {
        when.iter().all(|condition| meets(self.field(condition.slot).as_ref(), &condition.wanted))
    }

    /// Returns a key; `None` if a part is missing.
    pub fn key(&self, slots: &[usize]) -> Option<Vec<Value>> {
        slots.iter().map(|slot| self.field(*slot)).collect()
    }
}
