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
            let segments = fault.pointer.0.iter().zip(&array.at.0);
            fault.pointer.0.len() <= array.at.0.len() && { segments }.all(|(one, two)| one == two || two == "*")
        };
        if faults.iter().any(holds) {
            (items.readable, items.count) = (false, 0);
        }
        let width = array.slots.len();
        // There may be as many faults as items: a loop over both would be quadratic.
        let numbers = |item: usize| {
            let number = |slot: usize| match fields.get(items.first as usize + item * width + slot) {
                Some(Capture::Index(number)) if array.is_nested() => *number,
                _ => item as u32,
            };
            (number(0), number(1))
        };
        let by_number: HashMap<(u32, u32), usize> = match array.is_nested() && !faults.is_empty() {
            true => (0..items.count as usize).map(|item| (numbers(item), item)).collect(),
            false => HashMap::new(),
        };
        for fault in faults {
            let path = &fault.pointer.0;
            let index = |segment: &String| segment.parse::<u32>().ok();
            let (around, inner) = array.parts();
            let (item, inside) = if array.is_nested() {
                let Some([outer, rest @ ..]) = path.strip_prefix(around) else { continue };
                let Some(outer) = index(outer) else { continue };
                match rest.strip_prefix(inner) {
                    Some([number, inside @ ..]) => {
                        let item = index(number).and_then(|number| by_number.get(&(outer, number)).copied());
                        (item, inside)
                    }
                    _ => continue,
                }
            } else {
                let Some([number, inside @ ..]) = path.strip_prefix(inner) else { continue };
                (index(number).map(|number| number as usize), inside)
            };
            let Some(item) = item.filter(|item| *item < items.count as usize) else { continue };
            for (number, slot) in array.slots.iter().enumerate() {
                if matches!(slot, ItemSlot::Inside(at) if at.0.starts_with(inside)) {
                    fields[items.first as usize + item * width + number] = Capture::Unreadable;
                }
            }
        }
        if array.is_nested() {
            mark_around(array, *items, faults, fields);
        }
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
