//! Counts the parts of a protocol that an input exercises, by field and by cell. The counts do not grow with the input.
//!
//! Every checker counts event types and rules anyway, in its [`Stats`](crate::Stats) and [`Summary`](crate::Summary).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::input::json::{Node, NodeKind};
use crate::machine::{CellId, CellObserver};
use crate::protocol::{RuleId, Tables};
use crate::schema::Schema;

/// The number of times that an input exercised each field and each cell of a protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoverageCounts {
    /// By event type, then by field of its schema.
    pub fields: Vec<Vec<Presence>>,
    /// The cells that were certainly taken, with the number of times.
    pub cells: BTreeMap<CellId, u64>,
    /// The rules outside of the cells that were asked, with the number of times: those of `same`, texts, times, checks and
    /// fields that must not stay the same.
    pub asked: BTreeMap<RuleId, u64>,
}

/// The number of events in which a field was present, whatever its value. A field of an array's items counts once for
/// each item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// The number of times that the field was present.
    pub count: u64,
    /// By value that the schema lists: the number of times that the field had this value.
    pub values: Vec<u64>,
}

impl CoverageCounts {
    /// Returns counts of zero for every field of a protocol.
    pub fn new(tables: &Tables) -> CoverageCounts {
        let fields = |schema: &Schema| {
            let presence = |values: usize| Presence { count: 0, values: vec![0; values] };
            schema.fields().iter().map(|field| presence(field.values.len())).collect()
        };
        let fields = tables.events.iter().map(|event| fields(&event.schema)).collect();
        CoverageCounts { fields, cells: BTreeMap::new(), asked: BTreeMap::new() }
    }

    /// Counts the fields of an event of this type, including those with a fault.
    pub fn count_event(&mut self, event_type: usize, schema: &Schema, event: &Node, text: &[u8]) {
        for (field, presence) in schema.fields().iter().zip(&mut self.fields[event_type]) {
            count_at(event, text, &field.pointer.0, &field.values, presence);
        }
    }

    /// Returns the number of times that a cell was taken.
    pub fn cell_count(&self, cell: &CellId) -> u64 {
        self.cells.get(cell).copied().unwrap_or_default()
    }

    /// Adds the counts of another input.
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
        for (rule, more) in &other.asked {
            *self.asked.entry(*rule).or_default() += more;
        }
    }
}

impl CellObserver for CoverageCounts {
    const ACTIVE: bool = true;

    fn observe(&mut self, cell: CellId) {
        *self.cells.entry(cell).or_default() += 1;
    }

    fn ask(&mut self, rule: RuleId) {
        *self.asked.entry(rule).or_default() += 1;
    }
}

/// Counts the values at a pointer, in which `*` is every item of an array.
fn count_at(node: &Node, text: &[u8], pointer: &[String], values: &[Value], presence: &mut Presence) {
    let Some((segment, rest)) = pointer.split_first() else {
        presence.count += 1;
        if !values.is_empty() {
            let found = node.to_value(text);
            let counts = presence.values.iter_mut().zip(values).filter(|(_, value)| is_same(&found, value));
            counts.for_each(|(count, _)| *count += 1);
        }
        return;
    };
    match &node.kind {
        NodeKind::Array(items) if segment == "*" => {
            items.iter().for_each(|item| count_at(item, text, rest, values, presence));
        }
        _ => {
            if let Some(member) = node.member(text, segment) {
                count_at(&member.value, text, rest, values, presence);
            }
        }
    }
}

/// Returns whether two values are equal, where 1 equals 1.0.
fn is_same(found: &Value, listed: &Value) -> bool {
    match (found, listed) {
        (Value::Number(found), Value::Number(listed)) => found.as_f64() == listed.as_f64(),
        _ => found == listed,
    }
}
