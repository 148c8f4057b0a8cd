//! A compiled schema: nodes for the walker, and a flat program of literals and leaves for events that are written in the
//! schema's own order of keys.

use super::Pointer;
use std::borrow::Cow;
use std::sync::Arc;

use super::pointer::Written;
use super::wrong::Wrong;
use crate::bytes::{Literal, same};

/// The most properties of one object: a bit each.
pub(crate) const MAX_PROPERTIES: usize = 64;

/// The types that a value may have, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(pub u8);

impl Types {
    pub const NULL: u8 = 1;
    pub const BOOL: u8 = 2;
    pub const NUMBER: u8 = 4;
    pub const STRING: u8 = 8;
    pub const ARRAY: u8 = 16;
    pub const OBJECT: u8 = 32;
    pub const ALL: Types = Types(63);

    pub fn has(self, one: u8) -> bool {
        self.0 & one != 0
    }
}

/// What is captured at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Nothing,
    /// The field with this slot of the event.
    Slot(u16),
    /// The field with this slot of an array's item.
    ItemSlot(u16),
}

/// What a value must be.
#[derive(Clone, Debug)]
pub struct Node {
    pub types: Types,
    /// The types that the schema names; fewer may be left by its other keywords.
    pub declared: Types,
    pub taken: Taken,
    pub string: StringNode,
    pub number: Option<NumberNode>,
    pub object: Option<Box<ObjectNode>>,
    pub array: Option<Box<ArrayNode>>,
    /// Its number in the program.
    pub id: u16,
}

/// What a node was compiled from, for explaining.
#[derive(Debug, Default)]
pub struct Source {
    /// Where the value stands in an event, with `*` for the item of an array.
    pub(crate) pointer: Written,
    /// Which segments of the pointer are such items.
    pub(crate) items: Vec<usize>,
    /// The properties that must be there, in the schema's order.
    pub required: Vec<Required>,
    /// The document's words on the value, or else on the whole event.
    pub(crate) quote: Option<Arc<str>>,
    /// How a value can be wrong, by keyword.
    pub(crate) wrongs: Vec<(String, Wrong)>,
}

/// A property that must be there.
#[derive(Debug)]
pub struct Required {
    pub name: String,
    /// Which one of the properties of its object it is.
    pub index: usize,
    /// The number of its node.
    pub node: u16,
}

impl Source {
    /// Where a value stands. `items`: which items of arrays it is inside of, from the outermost.
    pub fn pointer(&self, items: &[u32]) -> Cow<'_, Written> {
        if self.items.is_empty() {
            return Cow::Borrowed(&self.pointer);
        }
        let mut pointer = (*self.pointer).clone();
        for (at, item) in self.items.iter().zip(items) {
            pointer.0[*at] = item.to_string();
        }
        Cow::Owned(pointer.into())
    }

    /// The document's words on a value.
    pub fn quote(&self) -> Option<Cow<'_, Arc<str>>> {
        self.quote.as_ref().map(Cow::Borrowed)
    }

    /// How a value is wrong that does not keep a keyword.
    pub fn wrong(&self, keyword: &str) -> Option<&Wrong> {
        self.wrongs.iter().find(|(known, _)| known == keyword).map(|(_, wrong)| wrong)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum StringNode {
    Any,
    NotEmpty,
    DateTime,
    /// In characters.
    Length {
        least: u64,
        most: u64,
    },
    /// One of these, none of which needs escapes. The keyword is `const` or `enum`.
    OneOf(Vec<Box<[u8]>>, &'static str),
}

#[derive(Clone, Debug)]
pub struct NumberNode {
    pub integer: bool,
    pub least: f64,
    pub most: f64,
    pub more_than: f64,
    pub less_than: f64,
}

#[derive(Clone, Debug)]
pub struct ObjectNode {
    /// In the schema's order.
    pub properties: Vec<Property>,
    /// The properties that must be there, as bits.
    pub required: u64,
    /// Whether other keys are allowed.
    pub open: bool,
}

impl ObjectNode {
    /// The property of this name; the one after the last found is tried first.
    #[inline]
    pub fn find(&self, name: &[u8], next: usize) -> Option<usize> {
        if self.properties.get(next).is_some_and(|property| same(&property.key, name)) {
            return Some(next);
        }
        self.properties.iter().position(|property| same(&property.key, name))
    }
}

#[derive(Clone, Debug)]
pub struct Property {
    /// The key, without quotes; it needs no escapes.
    pub key: Box<[u8]>,
    /// The key as it is mostly written, with quotes and colon.
    pub written: Box<[u8]>,
    pub node: Node,
}

#[derive(Clone, Debug)]
pub struct ArrayNode {
    pub least: u64,
    pub most: u64,
    pub items: Option<Node>,
    /// The array whose items' fields are captured, and how many those are.
    pub captured: Option<(u16, u16)>,
}

/// A step of the flat program: a value, and what is written behind it up to the next one.
#[derive(Debug)]
pub struct Step {
    pub leaf: Leaf,
    pub slot: Option<u16>,
    /// Of a string it starts with the closing quote.
    pub behind: Literal,
    /// The objects that end in it and may have keys which are not declared, in their order.
    pub ends: Box<[ObjectEnd]>,
}

/// The end of an object in what is written behind a value.
#[derive(Debug)]
pub struct ObjectEnd {
    /// Where its brace is written, in bytes.
    pub at: usize,
    /// The number of its node.
    pub object: u16,
    /// The keys that it declares, without quotes.
    pub keys: Box<[Box<[u8]>]>,
    /// How many objects its members are inside of, itself among them.
    pub depth: usize,
}

/// A value of the flat program. Strings are read from behind their opening quote.
#[derive(Debug)]
pub enum Leaf {
    /// A string, of any content or any but none.
    Text { not_empty: bool },
    /// A date-time.
    Time,
    /// `true` or `false`.
    Bool,
    /// Any other value, inside of so many objects.
    Value(Box<Node>, usize),
}

/// A compiled schema.
#[derive(Debug)]
pub struct Program {
    pub root: Node,
    /// How an event begins that is written in the schema's order; empty if it has no such order.
    pub beginning: Box<[u8]>,
    pub steps: Vec<Step>,
    /// Whether one of the steps is for the walker.
    pub walks: bool,
    pub slots: usize,
    pub arrays: usize,
    /// By the number of the node.
    pub sources: Vec<Source>,
}

/// An array of an event, and the fields of each of its items that the tables read.
#[derive(Debug, PartialEq)]
pub struct ArrayShape {
    pub at: Pointer,
    pub slots: Vec<Pointer>,
}
