//! How much of a protocol an input exercises: counts by field and by cell, which do not grow with the input.
//!
//! Event types and rules are counted by every checker, in its [`Stats`](crate::Stats) and [`Summary`](crate::Summary).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::input::json::{Node, NodeKind};
use crate::machine::{CellId, CellObserver};
use crate::protocol::Tables;
use crate::schema::Schema;

/// What was exercised, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoverageCounts {
    /// By event type, and by field of its schema.
    pub fields: Vec<Vec<Presence>>,
    /// The cells that were certainly taken.
    pub cells: BTreeMap<CellId, u64>,
}

/// How often a field was there, whatever its value; that of an array's items, once an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    pub count: u64,
    /// By value that the schema lists: how often it had this one.
    pub values: Vec<u64>,
}

impl CoverageCounts {
    /// Nothing yet.
    pub fn new(tables: &Tables) -> CoverageCounts {
        let fields = |schema: &Schema| {
            let presence = |values: usize| Presence { count: 0, values: vec![0; values] };
            schema.fields().iter().map(|field| presence(field.values.len())).collect()
        };
        let fields = tables.events.iter().map(|event| fields(&event.schema)).collect();
        CoverageCounts { fields, cells: BTreeMap::new() }
    }

    /// Counts the fields of an event of this type, those at fault too.
    pub fn event(&mut self, event_type: usize, schema: &Schema, event: &Node, text: &[u8]) {
        for (field, presence) in schema.fields().iter().zip(&mut self.fields[event_type]) {
            count(event, text, &field.pointer.0, &field.values, presence);
        }
    }

    /// Returns how often a cell was taken.
    pub fn cell(&self, cell: &CellId) -> u64 {
        self.cells.get(cell).copied().unwrap_or_default()
    }

    /// Adds what another input exercised.
    pub fn add(&mut self, other: &CoverageCounts) {
        for (presence, more) in self.fields.iter_mut().flatten().zip(other.fields.iter().flatten()) {
            presence.count += more.count;
            for (count, more) in presence.values.iter_mut().zip(&more.values) {
                *count += more;
            }
        }
        for (cell, more) in &other.cells {
            *self.cells.entry(*cell).or_default() += more;
        }
    }
}

impl CellObserver for CoverageCounts {
    const ACTIVE: bool = true;

    fn observe(&mut self, cell: CellId) {
        *self.cells.entry(cell).or_default() += 1;
    }
}

/// Counts what stands at a pointer, in which `*` is every item of an array.
fn count(node: &Node, text: &[u8], pointer: &[String], values: &[Value], presence: &mut Presence) {
    let Some((segment, rest)) = pointer.split_first() else {
        presence.count += 1;
        if !values.is_empty() {
            let found = node.to_value(text);
            let counts = presence.values.iter_mut().zip(values).filter(|(_, value)| same(&found, value));
            counts.for_each(|(count, _)| *count += 1);
        }
        return;
    };
    match &node.kind {
        NodeKind::Array(items) if segment == "*" => {
            items.iter().for_each(|item| count(item, text, rest, values, presence));
        }
        _ => {
            if let Some(member) = node.member(text, segment) {
                count(&member.value, text, rest, values, presence);
            }
        }
    }
}

/// Whether two values are the same; 1 and 1.0 are.
fn same(found: &Value, listed: &Value) -> bool {
    match (found, listed) {
        (Value::Number(found), Value::Number(listed)) => found.as_f64() == listed.as_f64(),
        _ => found == listed,
    }
}
