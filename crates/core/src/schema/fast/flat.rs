//! A compiled schema → the flat program for events that are written in one way: with these keys, in this order.

use super::program::{
    CaptureTarget, Flat, Leaf, ObjectEnd, ObjectNode, RareNode, SchemaNode, Step, StringNode, TypePlace, TypeSet,
};
use crate::bytes::Literal;

impl Leaf {
    /// Returns the leaf for a value, and the slot that the flat program captures it in. Frequent kinds of value have
    /// leaves of their own, which need no walker.
    fn of(node: &SchemaNode, depth: usize) -> (Leaf, Option<u16>) {
        let slot = match node.target {
            CaptureTarget::None => None,
            CaptureTarget::Slot(slot) => Some(slot),
            CaptureTarget::ItemSlot(_) => return (Leaf::Value(Box::new(node.clone()), depth), None),
        };
        match (node.types.0, &node.string) {
            (TypeSet::STRING, StringNode::Any) => (Leaf::Text { not_empty: false }, slot),
            (TypeSet::STRING, StringNode::NotEmpty) => (Leaf::Text { not_empty: true }, slot),
            (TypeSet::STRING, StringNode::DateTime) => (Leaf::Time, slot),
            (TypeSet::BOOL, _) => (Leaf::Bool, slot),
            _ => (Leaf::Value(Box::new(node.clone()), depth), None),
        }
    }
}

/// How events are written.
#[derive(Clone, Copy)]
pub(crate) struct Writing<'w> {
    /// The order of the keys, as [`Memory::order`](super::program::Memory::order) has it.
    pub order: &'w [u8],
    /// Whether a space stands behind each colon and comma, as Python's `json.dumps` writes it.
    pub spaced: bool,
    /// The key of the event's type, which is a member of the event itself.
    pub type_key: &'w [u8],
}

/// Returns the flat program for events that are written like this; `None` if they lack a required key.
pub(crate) fn flatten(root: &SchemaNode, writing: Writing<'_>) -> Option<Flat> {
    let mut builder = FlatBuilder {
        writing,
        flat: Flat::default(),
        lacks_required: false,
        leaf: None,
        written: Vec::new(),
        ends: Vec::new(),
        type_at: None,
    };
    builder.value(root, 0);
    builder.end();
    (!builder.lacks_required).then_some(builder.flat)
}

/// The state of [`flatten`].
struct FlatBuilder<'w> {
    writing: Writing<'w>,
    flat: Flat,
    lacks_required: bool,
    /// The last value; `written` is the text behind it. `None` in the beginning.
    leaf: Option<(Leaf, Option<u16>)>,
    written: Vec<u8>,
    /// The objects that end in `written`.
    ends: Vec<ObjectEnd>,
    /// The byte offset of the event's type in `written`.
    type_at: Option<usize>,
}

impl FlatBuilder<'_> {
    /// Writes a value that is inside of `depth` objects.
    fn value(&mut self, node: &SchemaNode, depth: usize) {
        let only_object = node.types.0 == TypeSet::OBJECT && node.target == CaptureTarget::None;
        let (object, expects_more) = match node.rare.as_deref() {
            Some(RareNode::ExpectsMore(inner)) => (&inner.object, true),
            _ => (&node.object, false),
        };
        match (object, &node.string) {
            (Some(object), _) if only_object && !object.properties.is_empty() => {
                self.object(node, object, expects_more, depth);
            }
            (_, StringNode::OneOf(words, _))
                if words.len() == 1 && node.types.0 == TypeSet::STRING && node.target == CaptureTarget::None =>
            {
                self.written.push(b'"');
                self.written.extend_from_slice(&words[0]);
                self.written.push(b'"');
            }
            _ => {
                let leaf = Leaf::of(node, depth);
                let quotes: &[u8] = if matches!(leaf.0, Leaf::Text { .. } | Leaf::Time) { b"\"" } else { b"" };
                self.written.extend_from_slice(quotes);
                self.end();
                self.written.extend_from_slice(quotes);
                self.leaf = Some(leaf);
            }
        }
    }

    /// Writes an object that is inside of `depth` objects. `expects_more`: see [`RareNode::ExpectsMore`].
    fn object(&mut self, node: &SchemaNode, object: &ObjectNode, expects_more: bool, depth: usize) {
        let Writing { order, spaced, type_key } = self.writing;
        let mut missing = object.required;
        let mut entry = object.first_order;
        self.written.push(b'{');
        for number in 0..object.properties.len() {
            let index = usize::from(order[entry]);
            let Some(property) = object.properties.get(index) else { break };
            if number > 0 {
                self.written.extend_from_slice(if spaced { b", " } else { b"," });
            }
            self.written.push(b'"');
            self.written.extend_from_slice(&property.key);
            self.written.extend_from_slice(if spaced { b"\": " } else { b"\":" });
            let (before, is_type) = (self.written.len(), depth == 0 && *property.key == *type_key);
            self.value(&property.node, depth + 1);
            // A type that is no literal leaves the text behind it, which is shorter.
            if is_type && self.written.len() > before {
                self.type_at = Some(before);
            }
            missing &= !(1 << index);
            entry = object.first_order + index + 1;
        }
        self.lacks_required |= missing != 0;
        // Keys that are expected are read by the walker, which does not capture them.
        if object.open && !expects_more {
            let declared = object.properties.iter().map(|property| &property.key);
            let keys = declared.chain(&object.watched).cloned().collect();
            self.ends.push(ObjectEnd { at: self.written.len(), object: node.id, keys, depth: depth + 1 });
        }
        self.written.push(b'}');
    }

    /// Ends the text behind the last value, or the beginning if there was none.
    fn end(&mut self) {
        let written = std::mem::take(&mut self.written);
        let ends = std::mem::take(&mut self.ends).into();
        let step = self.leaf.as_ref().map(|_| self.flat.steps.len());
        if let Some(at) = self.type_at.take() {
            self.flat.type_place = Some(TypePlace { step, at, to_end: written.len() - at });
        }
        match self.leaf.take() {
            Some((leaf, slot)) => {
                self.flat.walks |= matches!(leaf, Leaf::Value(..));
                self.flat.steps.push(Step { leaf, slot, behind: Literal::new(&written), ends });
            }
            None => self.flat.beginning = written.into(),
        }
    }
}
