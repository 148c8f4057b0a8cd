//! Captures the fields of an event that the tables read, from its tree, and marks those that cannot be read.

use std::collections::HashMap;

use crate::input::json::Node;
use crate::protocol::tables::EventType;
use crate::schema::captures::{Capture, Captures, Items};
use crate::schema::items::{ArrayShape, ItemSlot};
use crate::schema::{Fault, Pointer};

/// Captures the fields of an event of a known type, which is this node.
pub(crate) fn capture_event(event: &Node, text: &[u8], event_type: &EventType, captures: &mut Captures) {
    let base = captures.fields.len();
    captures.fields.extend(event_type.slots.iter().map(|slot| Capture::of(event, text, slot)));
    for array in &event_type.arrays {
        let first = (captures.fields.len() - base) as u32;
        let (around, inside) = array.parts();
        let count = match array.is_nested() {
            true => array.capture_nested(event.at(text, around), text, &mut captures.fields),
            false => array.capture_items(event.at(text, inside), (event, 0), text, &mut captures.fields),
        };
        captures.items.push(Items { readable: true, first, count });
    }
}

/// Marks the fields of an event that have a fault, or are inside a value with a fault, as unreadable, and those with a fault
/// inside as not whole.
pub(crate) fn mark_unreadable(event_type: &EventType, faults: &[Fault<'_>], captures: &mut Captures) {
    let Captures { fields, items, .. } = captures;
    let faulty = |at: &Pointer| faults.iter().any(|fault| fault.pointer.contains(at));
    for (slot, field) in event_type.slots.iter().zip(&mut *fields) {
        if faulty(slot) {
            *field = Capture::Unreadable;
        } else if let Capture::Container { is_whole, .. } = field {
            *is_whole &= !faults.iter().any(|fault| slot.contains(&fault.pointer));
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
    for fault in faults {
        let path = &fault.pointer.0;
        let Some(item) = item_of(path).filter(|item| *item < count) else { continue };
        // The pointer of an item has one segment more than that of its array.
        let inside = &path[array.at.0.len() + 1..];
        for (slot, at) in array.slots.iter().enumerate() {
            if let ItemSlot::Inside(at) = at
                && let Some(harm) = harm_of(at, inside)
            {
                do_harm(&mut fields[first + item * width + slot], harm);
            }
        }
    }
}

/// What a fault does to a captured field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Harm {
    /// Something inside of it cannot be read.
    Inside,
    /// It cannot be read.
    Whole,
}

/// Returns what a fault in an item does to a field of it, by the pointers of both in the item.
fn harm_of(at: &Pointer, fault: &[String]) -> Option<Harm> {
    match at.0.starts_with(fault) {
        true => Some(Harm::Whole),
        false => fault.starts_with(&at.0).then_some(Harm::Inside),
    }
}

fn do_harm(field: &mut Capture, harm: Harm) {
    match (harm, field) {
        (Harm::Whole, field) => *field = Capture::Unreadable,
        (Harm::Inside, Capture::Container { is_whole, .. }) => *is_whole = false,
        (Harm::Inside, _) => {}
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
    // By the number of an item around, and by slot.
    let mut harmed: HashMap<(u32, usize), Harm> = HashMap::new();
    for fault in faults {
        let Some([outer, inside @ ..]) = fault.pointer.0.strip_prefix(around) else { continue };
        let Ok(outer) = outer.parse::<u32>() else { continue };
        for (number, slot) in array.slots.iter().enumerate() {
            if let ItemSlot::Around(at) = slot
                && let Some(harm) = harm_of(at, inside)
            {
                let known = harmed.entry((outer, number)).or_insert(harm);
                *known = harm.max(*known);
            }
        }
    }
    let width = array.slots.len();
    for item in 0..if harmed.is_empty() { 0 } else { items.count as usize } {
        let first = items.first as usize + item * width;
        let Some(Capture::Index(outer)) = fields.get(first).copied() else { continue };
        for slot in 0..width {
            if let Some(harm) = harmed.get(&(outer, slot)) {
                do_harm(&mut fields[first + slot], *harm);
            }
        }
    }
}
