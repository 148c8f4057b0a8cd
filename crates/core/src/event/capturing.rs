//! Captures the fields of an event that the tables read, from its tree, and marks those that cannot be read.

use std::collections::{HashMap, HashSet};

use crate::input::json::{Node, NodeKind};
use crate::protocol::tables::EventType;
use crate::schema::captures::{Capture, Captures, Items};
use crate::schema::items::{ArrayShape, ItemSlot};
use crate::schema::{Fault, Pointer};

/// Captures the fields of an event of a known type, which is this node.
pub(crate) fn capture_event(event: &Node, text: &[u8], event_type: &EventType, captures: &mut Captures) {
    let base = captures.fields.len();
    captures.fields.extend(event_type.slots.iter().map(|slot| capture(event, text, slot)));
    for array in &event_type.arrays {
        let first = (captures.fields.len() - base) as u32;
        let (around, inside) = array.parts();
        let mut count = 0;
        let mut capture_items = |outer: &Node, outer_number: u32, array_node: Option<&Node>| {
            for (number, item) in items_of(array_node).iter().enumerate() {
                count += 1;
                captures.fields.extend(array.slots.iter().map(|slot| match slot {
                    ItemSlot::Inside(at) => capture(item, text, at),
                    ItemSlot::Around(at) => capture(outer, text, at),
                    ItemSlot::Number if array.is_nested() => Capture::Index(number as u32),
                    ItemSlot::NumberAround => Capture::Index(outer_number),
                    // These are known without: see `Scope::field`.
                    ItemSlot::Number | ItemSlot::Event(_) => Capture::Absent,
                }));
            }
        };
        if array.is_nested() {
            for (number, outer) in items_of(event.at(text, around)).iter().enumerate() {
                capture_items(outer, number as u32, outer.at(text, inside));
            }
        } else {
            capture_items(event, 0, event.at(text, inside));
        }
        captures.items.push(Items { readable: true, first, count });
    }
}

/// Marks the fields of an event that have a fault, or are inside a value with a fault, as unreadable.
pub(crate) fn mark_unreadable(event_type: &EventType, faults: &[Fault<'_>], captures: &mut Captures) {
    let Captures { fields, items, .. } = captures;
    let faulty = |at: &Pointer| faults.iter().any(|fault| fault.pointer.contains(at));
    for (slot, field) in event_type.slots.iter().zip(&mut *fields) {
        if faulty(slot) {
            *field = Capture::Unreadable;
        }
    }
    for (array, items) in event_type.arrays.iter().zip(items) {
        let holds = |fault: &Fault<'_>| {
            let mut segments = fault.pointer.0.iter().zip(&array.at.0);
            fault.pointer.0.len() <= array.at.0.len() && segments.all(|(one, two)| one == two || two == "*")
        };
        if faults.iter().any(holds) {
            (items.readable, items.count) = (false, 0);
        }
        if !faults.is_empty() {
            mark_items(array, *items, faults, fields);
        }
        if array.is_nested() {
            mark_around(array, *items, faults, fields);
        }
    }
}

/// Marks the fields of an array's items that have a fault, or are inside a value with a fault.
fn mark_items(array: &ArrayShape, items: Items, faults: &[Fault<'_>], fields: &mut [Capture]) {
    let (first, width, count) = (items.first as usize, array.slots.len(), items.count as usize);
    let (around, inner) = array.parts();
    // There may be as many faults as items: a loop over both would be quadratic.
    let by_numbers: HashMap<(u32, u32), usize> = match array.is_nested() {
        true => (0..count).filter_map(|item| Some((numbers(fields, first + item * width)?, item))).collect(),
        false => HashMap::new(),
    };
    let index = |segment: &String| segment.parse::<u32>().ok();
    let item_of = |path: &[String]| {
        if !array.is_nested() {
            return index(path.strip_prefix(inner)?.first()?).map(|number| number as usize);
        }
        let [outer, rest @ ..] = path.strip_prefix(around)? else { return None };
        by_numbers.get(&(index(outer)?, index(rest.strip_prefix(inner)?.first()?)?)).copied()
    };
    let mut faulty = Vec::new();
    for fault in faults {
        let path = &fault.pointer.0;
        let Some(item) = item_of(path).filter(|item| *item < count) else { continue };
        // The pointer of an item has one segment more than that of its array.
        let inside = &path[array.at.0.len() + 1..];
        let is_faulty = |slot: &ItemSlot| matches!(slot, ItemSlot::Inside(at) if at.0.starts_with(inside));
        let slots = array.slots.iter().enumerate().filter(|(_, slot)| is_faulty(slot));
        faulty.extend(slots.map(|(slot, _)| first + item * width + slot));
    }
    for field in faulty {
        fields[field] = Capture::Unreadable;
    }
}

/// Returns the number of the item around, and the item's own, of an item of an array inside of another one, whose fields
/// begin here.
fn numbers(fields: &[Capture], first: usize) -> Option<(u32, u32)> {
    match fields.get(first..first + 2)? {
        [Capture::Index(around), Capture::Index(number)] => Some((*around, *number)),
        _ => None,
    }
}

/// Marks the fields of the items around those of an array that have a fault, or are inside a value with a fault.
fn mark_around(array: &ArrayShape, items: Items, faults: &[Fault<'_>], fields: &mut [Capture]) {
    let (around, _) = array.parts();
    let mut faulty: HashSet<(u32, usize)> = HashSet::new();
    for fault in faults {
        let Some([outer, inside @ ..]) = fault.pointer.0.strip_prefix(around) else { continue };
        let Ok(outer) = outer.parse::<u32>() else { continue };
        let of_slot = |slot: &ItemSlot| matches!(slot, ItemSlot::Around(at) if at.0.starts_with(inside));
        let slots = array.slots.iter().enumerate().filter(|(_, slot)| of_slot(slot));
        faulty.extend(slots.map(|(number, _)| (outer, number)));
    }
    let width = array.slots.len();
    for item in 0..if faulty.is_empty() { 0 } else { items.count as usize } {
        let first = items.first as usize + item * width;
        let Some(Capture::Index(outer)) = fields.get(first).copied() else { continue };
        for slot in (0..width).filter(|slot| faulty.contains(&(outer, *slot))) {
            fields[first + slot] = Capture::Unreadable;
        }
    }
}

/// Returns the items of an array; what is no array has none.
fn items_of(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.kind) {
        Some(NodeKind::Array(items)) => items,
        _ => &[],
    }
}

/// Captures the field at `pointer` of `node`.
pub(crate) fn capture(node: &Node, text: &[u8], pointer: &Pointer) -> Capture {
    let Some(node) = node.at(text, &pointer.0) else { return Capture::Absent };
    let (start, end) = (node.span.start as u32, node.span.end as u32);
    match node.kind {
        NodeKind::Null => Capture::Null,
        NodeKind::Bool(value) => Capture::Bool(value),
        NodeKind::Number => Capture::Number(start, end),
        NodeKind::String => Capture::Text(start + 1, end - 1),
        NodeKind::Array(ref items) => Capture::Container { is_empty: items.is_empty() },
        NodeKind::Object(ref members) => Capture::Container { is_empty: members.is_empty() },
    }
}
