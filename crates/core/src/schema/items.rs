//! Arrays of events whose items the tables read one by one.

use std::borrow::Cow;

use super::Pointer;
use super::captures::Capture;
use crate::input::json::{Node, NodeKind};

/// An array of an event whose items are captured, or the arrays inside of the items of another one.
#[derive(Debug, PartialEq)]
pub struct ArrayShape {
    /// The pointer of the array in the event; a segment `*` is any item of the array around.
    pub at: Pointer,
    /// What is captured of each item.
    pub slots: Vec<ItemSlot>,
}

/// A field that is captured with an item of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemSlot {
    /// A field of the item itself.
    Inside(Pointer),
    /// A field of the event, by its slot there.
    Event(usize),
    /// The number of the item in its array.
    Number,
    /// A field of the item around.
    Around(Pointer),
    /// The number of the item around in its array.
    NumberAround,
}

impl ArrayShape {
    /// Creates the shape of an array.
    pub fn new(at: Pointer) -> ArrayShape {
        let mut shape = ArrayShape { at, slots: Vec::new() };
        if shape.is_nested() {
            // They make the pointer of an item; see `item`.
            shape.slots = vec![ItemSlot::NumberAround, ItemSlot::Number];
        }
        shape
    }

    /// Returns whether the arrays are inside of the items of another one.
    pub fn is_nested(&self) -> bool {
        self.at.0.iter().any(|segment| segment == "*")
    }

    /// Returns the pointers from the event to the array around, and from its items to the array; the first is empty if there
    /// is none around.
    pub fn parts(&self) -> (&[String], &[String]) {
        match self.at.0.iter().position(|segment| segment == "*") {
            Some(star) => (&self.at.0[..star], &self.at.0[star + 1..]),
            None => (&[], &self.at.0),
        }
    }

    /// Captures the fields of an array's items, and returns how many there are: what is no array has none. `around`: the item
    /// around the array, or the event, and its number.
    pub(crate) fn capture_items(
        &self,
        array: Option<&Node>,
        (around, around_number): (&Node, u32),
        text: &[u8],
        fields: &mut Vec<Capture>,
    ) -> u32 {
        let items = items_of(array);
        for (number, item) in items.iter().enumerate() {
            fields.extend(self.slots.iter().map(|slot| match slot {
                ItemSlot::Inside(at) => Capture::of(item, text, at),
                ItemSlot::Around(at) => Capture::of(around, text, at),
                ItemSlot::Number if self.is_nested() => Capture::Index(number as u32),
                ItemSlot::NumberAround => Capture::Index(around_number),
                // These are known without.
                ItemSlot::Number | ItemSlot::Event(_) => Capture::Absent,
            }));
        }
        items.len() as u32
    }

    /// Captures like [`ArrayShape::capture_items`] the items of the arrays in the items of another one.
    pub(crate) fn capture_nested(&self, outer: Option<&Node>, text: &[u8], fields: &mut Vec<Capture>) -> u32 {
        let (_, inside) = self.parts();
        let counts = items_of(outer)
            .iter()
            .zip(0..)
            .map(|(item, number)| self.capture_items(item.at(text, inside), (item, number), text, fields));
        counts.sum()
    }

    /// Returns the number of the item that a field of the event is in, and the pointer from there; `None` if it is in none, or
    /// the array is one of several.
    pub(crate) fn item_field(&self, at: &Pointer) -> Option<(usize, Pointer)> {
        let [number, inside @ ..] = at.0.strip_prefix(self.at.0.as_slice())? else { return None };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = is_number && (number == "0" || !number.starts_with('0')) && !self.is_nested();
        is_plain.then(|| Some((number.parse().ok()?, Pointer(inside.to_vec()))))?
    }

    /// Returns the pointer of an item, by its number and that of the item around.
    pub fn item(&self, number: u32, around: u32) -> Pointer {
        let known = self.at.0.iter().map(|segment| if segment == "*" { around.to_string() } else { segment.clone() });
        Pointer(known.chain([number.to_string()]).collect())
    }

    /// Returns the pointer of a field in the event, with `*` for the items of arrays. `slots`: those of the event.
    pub fn pointer<'p>(&self, slot: usize, slots: &'p [Pointer]) -> Cow<'p, Pointer> {
        let item = || self.at.child("*");
        let (around, _) = self.parts();
        match &self.slots[slot] {
            ItemSlot::Inside(at) => Cow::Owned(item().join(at)),
            ItemSlot::Event(slot) => Cow::Borrowed(&slots[*slot]),
            ItemSlot::Number => Cow::Owned(item()),
            ItemSlot::Around(at) => Cow::Owned(Pointer(around.to_vec()).child("*").join(at)),
            ItemSlot::NumberAround => Cow::Owned(Pointer(around.to_vec()).child("*")),
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
