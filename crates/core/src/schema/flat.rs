//! A compiled schema → its flat program, for events that are written in the schema's order, without white space.

use super::program::{Leaf, Node, ObjectEnd, Step, StringNode, Taken, Types};
use crate::bytes::Literal;

impl Leaf {
    /// The leaf for a value, and the slot that it fills by itself. The frequent ones have a short way of their own.
    fn of(node: &Node, depth: usize) -> (Leaf, Option<u16>) {
        let slot = match node.taken {
            Taken::Nothing => None,
            Taken::Slot(slot) => Some(slot),
            Taken::ItemSlot(_) => return (Leaf::Value(Box::new(node.clone()), depth), None),
        };
        match (node.types.0, &node.string) {
            (Types::STRING, StringNode::Any) => (Leaf::Text { not_empty: false }, slot),
            (Types::STRING, StringNode::NotEmpty) => (Leaf::Text { not_empty: true }, slot),
            (Types::STRING, StringNode::DateTime) => (Leaf::Time, slot),
            (Types::BOOL, _) => (Leaf::Bool, slot),
            _ => (Leaf::Value(Box::new(node.clone()), depth), None),
        }
    }
}

/// Every declared property in order: how an event begins, and the steps that follow.
pub(crate) fn flatten(root: &Node) -> (Box<[u8]>, Vec<Step>) {
    let mut flat = Flat::default();
    flat.value(root, 0);
    flat.end();
    (flat.beginning.unwrap_or_default(), flat.steps)
}

/// A flat program that is being written.
#[derive(Default)]
struct Flat {
    beginning: Option<Box<[u8]>>,
    steps: Vec<Step>,
    /// The value that what is written now stands behind.
    leaf: Option<(Leaf, Option<u16>)>,
    written: Vec<u8>,
    /// The objects that end in it.
    ends: Vec<ObjectEnd>,
}

impl Flat {
    fn value(&mut self, node: &Node, depth: usize) {
        let only_object = node.types.0 == Types::OBJECT && node.taken == Taken::Nothing;
        match (&node.object, &node.string) {
            (Some(object), _) if only_object && !object.properties.is_empty() => {
                for (index, property) in object.properties.iter().enumerate() {
                    self.written.push(if index == 0 { b'{' } else { b',' });
                    self.written.push(b'"');
                    self.written.extend_from_slice(&property.key);
                    self.written.extend_from_slice(b"\":");
                    self.value(&property.node, depth + 1);
                }
                if object.open {
                    let keys = object.properties.iter().map(|property| property.key.clone()).collect();
                    self.ends.push(ObjectEnd { at: self.written.len(), object: node.id, keys, depth: depth + 1 });
                }
                self.written.push(b'}');
            }
            (_, StringNode::OneOf(words, _)) if words.len() == 1 && node.taken == Taken::Nothing => {
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

    /// Ends what is written, before the next value.
    fn end(&mut self) {
        let written = std::mem::take(&mut self.written);
        let ends = std::mem::take(&mut self.ends).into();
        match self.leaf.take() {
            Some((leaf, slot)) => self.steps.push(Step { leaf, slot, behind: Literal::new(&written), ends }),
            None => self.beginning = Some(written.into()),
        }
    }
}
