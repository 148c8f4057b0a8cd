//! What an event brought that later events refer to.

use serde_json::Value;
use sessionlint_core::protocol::Tables;
use sessionlint_core::protocol::tables::{Condition, Each, Unchanged};
use sessionlint_core::protocol::texts::{Append, Text};

use super::goals::{series_number, text_number};
use super::made::MadeScope;

/// Returns the keys that an event has, each with the number of its lifecycle, or of its text or series behind them.
pub fn offered_keys(tables: &Tables, event_type: usize, event: &Value) -> Vec<(usize, Vec<Value>)> {
    let kind = &tables.events[event_type];
    let mut keys = Vec::new();
    let mut offer = |number: usize, when: &[Condition], each: Option<&Each>, slots: &[usize]| {
        let is_meant = MadeScope::all(kind, event, None).iter().all(|event| event.meets(when));
        if slots.is_empty() || !is_meant {
            return;
        }
        for key in MadeScope::all(kind, event, each).iter().filter_map(|scope| scope.key(slots)) {
            if !keys.contains(&(number, key.clone())) {
                keys.push((number, key));
            }
        }
    };
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        for row in &lifecycle.rows[event_type] {
            offer(number, &row.when, row.each.as_ref(), &row.key);
        }
    }
    for (number, text) in tables.texts.iter().enumerate() {
        let number = text_number(tables, number);
        for append in &text.append[event_type] {
            offer(number, &append.when, append.each.as_ref(), &append.key);
        }
        for whole in &text.whole[event_type] {
            offer(number, &whole.when, whole.each.as_ref(), &whole.key);
        }
    }
    for (number, series) in tables.series.iter().enumerate() {
        for value in &series.values[event_type] {
            offer(series_number(tables, number), &value.when, value.each.as_ref(), &value.key);
        }
    }
    keys
}

/// Returns what an event does to each text: `Some(false)` if it has a piece, `Some(true)` if it cuts the text.
pub fn cuts(tables: &Tables, event_type: usize, event: &Value) -> Vec<Option<bool>> {
    let kind = &tables.events[event_type];
    let is_met = |when: &Vec<Condition>| MadeScope::all(kind, event, None).iter().all(|event| event.meets(when));
    let is_piece = |append: &Append| {
        let pieces = MadeScope::all(kind, event, append.each.as_ref()).into_iter();
        let mut pieces = pieces.filter_map(|scope| scope.field(append.slot));
        is_met(&append.when) && pieces.any(|piece| piece.as_str().is_some_and(|piece| !piece.is_empty()))
    };
    let of_text = |text: &Text| {
        let is_cut = text.cut[event_type].iter().any(is_met);
        if text.append[event_type].iter().any(is_piece) { Some(false) } else { is_cut.then_some(true) }
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
