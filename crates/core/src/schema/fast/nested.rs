//! What is captured once an event was read: fields of single items of arrays, and the items of arrays in the items of another
//! array. Few events have any of the latter, so they are read from a tree, of the other array alone.

use super::program::Program;
use super::tokens::Fallback;
use crate::input::json::parse;
use crate::schema::Pointer;
use crate::schema::captures::{Capture, CaptureMark, Captures, Items};
use crate::schema::items::{ArrayShape, ItemSlot};

/// An array in the items of another one whose items are captured.
#[derive(Debug)]
pub struct NestedArray {
    /// The index of the array in [`Captures::items`].
    array: usize,
    /// The slot of the other array.
    around: usize,
    /// The key of the array, with its quotation marks: without it in the text, there are no items.
    pub(super) key: Box<[u8]>,
    shape: ArrayShape,
}

/// A slot of the event that is a field of one item of a captured array: `/choices/0/index`.
#[derive(Debug)]
pub struct CopiedSlot {
    /// The slot of the event.
    pub(super) slot: usize,
    /// The index of the array in [`Captures::items`].
    array: usize,
    /// The number of the item.
    item: usize,
    /// The number of fields of each item, and that of the field among them.
    width: usize,
    field: usize,
}

impl CopiedSlot {
    /// Returns how a slot of the event is copied; `None` if it is not one of an item whose fields are captured.
    pub(super) fn of(slot: usize, at: &Pointer, arrays: &[ArrayShape]) -> Option<CopiedSlot> {
        let (array, shape, item, inside) = arrays.iter().enumerate().find_map(|(array, shape)| {
            let (item, inside) = shape.item_field(at)?;
            Some((array, shape, item, inside))
        })?;
        let field = shape.slots.iter().position(|slot| *slot == ItemSlot::Inside(inside.clone()))?;
        Some(CopiedSlot { slot, array, item, width: shape.slots.len(), field })
    }
}

impl NestedArray {
    /// Returns those of the arrays that stand in the items of others. `around`: returns the slot of an array.
    ///
    /// # Errors
    ///
    /// Returns the reason why one cannot be read so.
    pub(super) fn of(
        arrays: &[ArrayShape],
        around: impl Fn(&[String]) -> Option<usize>,
    ) -> Result<Vec<NestedArray>, String> {
        let nested = arrays.iter().enumerate().filter(|(_, shape)| shape.is_nested());
        let compiled = nested.map(|(array, shape)| {
            let (outer, inside) = shape.parts();
            let around = around(outer).ok_or("items of an array that is not read itself")?;
            let key = inside.last().ok_or("items of an array without a name")?;
            let key = serde_json::Value::from(key.as_str()).to_string().into_bytes().into();
            let (at, slots) = (shape.at.clone(), shape.slots.clone());
            Ok(NestedArray { array, around, key, shape: ArrayShape { at, slots } })
        });
        compiled.collect()
    }
}

/// Captures the items of the arrays in the items of others, once the event was read.
///
/// # Errors
///
/// Returns [`Fallback`] if they cannot be read.
#[inline(never)]
pub(super) fn capture(
    program: &Program,
    text: &[u8],
    captures: &mut Captures,
    mark: CaptureMark,
) -> Result<(), Fallback> {
    for copied in &program.copied {
        let items = captures.items[mark.item + copied.array];
        let at = mark.field + items.first as usize + copied.item * copied.width + copied.field;
        if copied.item < items.count as usize
            && let Some(field) = captures.fields.get(at)
        {
            captures.fields[mark.field + copied.slot] = *field;
        }
    }
    for nested in &program.nested {
        let Capture::Container { start, end, .. } = captures.fields[mark.field + nested.around] else { continue };
        let part = &text[start as usize..end as usize];
        if memchr::memmem::find(part, &nested.key).is_none() {
            continue;
        }
        let tree = parse(part).map_err(|_| Fallback)?;
        let first = captures.fields.len();
        let count = nested.shape.capture_nested(Some(&tree.root), part, &mut captures.fields);
        captures.fields[first..].iter_mut().for_each(|field| *field = field.moved(start));
        captures.items[mark.item + nested.array] = Items { readable: true, first: (first - mark.field) as u32, count };
    }
    Ok(())
}
