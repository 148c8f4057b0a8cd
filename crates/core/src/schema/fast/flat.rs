//! A compiled schema → its flat program, for events that are written in the schema's order, without white space.

use super::program::{CaptureTarget, Leaf, ObjectEnd, RareNode, SchemaNode, Step, StringNode, TypeSet};
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

/// Returns the text that an event begins with if it has every declared property in order, and the steps that follow.
pub(crate) fn flatten(root: &SchemaNode) -> (Box<[u8]>, Vec<Step>) {
    let mut flat = FlatBuilder::default();
    flat.value(root, 0);
    flat.end();
    (flat.beginning.unwrap_or_default(), flat.steps)
}

/// The state of [`flatten`].
#[derive(Default)]
struct FlatBuilder {
    /// `None` until the first value.
    beginning: Option<Box<[u8]>>,
    steps: Vec<Step>,
    /// The last value; `written` is the text behind it.
    leaf: Option<(Leaf, Option<u16>)>,
    written: Vec<u8>,
    /// The objects that end in `written`.
    ends: Vec<ObjectEnd>,
}

impl FlatBuilder {
    /// Writes a value that is inside of `depth` objects.
    fn value(&mut self, node: &SchemaNode, depth: usize) {
        let only_object = node.types.0 == TypeSet::OBJECT && node.target == CaptureTarget::None;
        let (object, expects_more) = match node.rare.as_deref() {
            Some(RareNode::ExpectsMore(inner)) => (&inner.object, true),
            _ => (&node.object, false),
        };
        match (object, &node.string) {
            (Some(object), _) if only_object && !object.properties.is_empty() => {
                for (index, property) in object.properties.iter().enumerate() {
                    self.written.push(if index == 0 { b'{' } else { b',' });
                    self.written.push(b'"');
                    self.written.extend_from_slice(&property.key);
                    self.written.extend_from_slice(b"\":");
                    self.value(&property.node, depth + 1);
                }
                // Keys that are expected are read by the walker, which does not capture them.
                if object.open && !expects_more {
                    let declared = object.properties.iter().map(|property| &property.key);
                    let keys = declared.chain(&object.watched).cloned().collect();
                    self.ends.push(ObjectEnd { at: self.written.len(), object: node.id, keys, depth: depth + 1 });
                }
                self.written.push(b'}');
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

    /// Ends the text behind the last value, or the beginning if there was none.
    fn end(&mut self) {
        let written = std::mem::take(&mut self.written);
        let ends = std::mem::take(&mut self.ends).into();
        match self.leaf.take() {
            Some((leaf, slot)) => self.steps.push(Step { leaf, slot, behind: Literal::new(&written), ends }),
            None => self.beginning = Some(written.into()),
        }
    }
}
