//! What an event brought that later events refer to.

use serde_json::Value;
use sessionlint_core::protocol::Tables;
use sessionlint_core::protocol::tables::{Condition, Row, Text, Unchanged};
use sessionlint_core::schema::Pointer;

use super::wishes::meets;

/// Returns the keys that an event has, each with its lifecycle.
pub fn offered_keys(tables: &Tables, event_type: usize, event: &Value) -> Vec<(usize, Vec<Value>)> {
    let kind = &tables.events[event_type];
    let mut keys = Vec::new();
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        let is_met = |one: &Condition| meets(event.pointer(&kind.slots[one.slot].text()), &one.wanted);
        let applies = |row: &&Row| !row.key.is_empty() && row.when.iter().all(is_met);
        for row in lifecycle.rows[event_type].iter().filter(applies) {
            let (scopes, slots): (Vec<&Value>, &[Pointer]) = match row.each {
                None => (vec![event], &kind.slots),
                Some(array) => {
                    let array = &kind.arrays[array];
                    let items = event.pointer(&array.at.text()).and_then(Value::as_array);
                    (items.into_iter().flatten().collect(), &array.slots)
                }
            };
            for scope in scopes {
                let part = |slot: &usize| scope.pointer(&slots[*slot].text()).filter(|value| !value.is_null()).cloned();
                if let Some(key) = row.key.iter().map(part).collect::<Option<Vec<_>>>()
                    && !keys.contains(&(number, key.clone()))
                {
                    keys.push((number, key));
                }
            }
        }
    }
    keys
}

/// Returns what an event does to each text: `Some(false)` if it has a piece, `Some(true)` if it cuts the text.
pub fn cuts(tables: &Tables, event_type: usize, event: &Value) -> Vec<Option<bool>> {
    let slots = &tables.events[event_type].slots;
    let field = |slot: usize| event.pointer(&slots[slot].text());
    let is_met = |when: &Vec<Condition>| when.iter().all(|condition| meets(field(condition.slot), &condition.wanted));
    let of_text = |text: &Text| {
        let piece = text.append[event_type].as_ref().filter(|append| is_met(&append.when));
        let has_piece = piece.and_then(|append| field(append.slot)?.as_str()).is_some_and(|piece| !piece.is_empty());
        let is_cut = text.cut[event_type].iter().any(is_met);
        if has_piece { Some(false) } else { is_cut.then_some(true) }
    };
    tables.texts.iter().map(of_text).collect()
}

/// Returns what an event has in fields that must not stay the same, by the number of their table.
pub fn last_values(tables: &Tables, event_type: usize, event: &Value) -> Vec<(usize, Vec<Value>)> {
    let slots = &tables.events[event_type].slots;
    let of_type = tables.unchanged.iter().enumerate().filter(|(_, unchanged)| unchanged.event == event_type);
    let values = |unchanged: &Unchanged| {
        let value = |slot: &usize| event.pointer(&slots[*slot].text()).cloned();
        unchanged.slots.iter().map(value).collect::<Option<Vec<_>>>()
    };
    of_type.filter_map(|(number, unchanged)| Some((number, values(unchanged)?))).collect()
}
