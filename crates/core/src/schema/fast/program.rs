//! A compiled schema: nodes for the walker.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::nested::{CopiedSlot, NestedArray};
use crate::bytes::equal;
use crate::schema::Pointer;
use crate::schema::date_time::LastMinute;
use crate::schema::pointer::RenderedPointer;
use crate::schema::validator;
use crate::schema::words::Requirement;

/// The most properties of one object: each is one bit of a `u64`.
pub(crate) const MAX_PROPERTIES: usize = 64;

/// The types that a value may have, one bit each. The two booleans are types of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeSet(pub u8);

impl TypeSet {
    /// The bit of `null`.
    pub const NULL: u8 = 1;
    /// The bit of `true`.
    pub const TRUE: u8 = 2;
    /// The bit of `false`.
    pub const FALSE: u8 = 64;
    /// The bits of `true` and `false`.
    pub const BOOL: u8 = TypeSet::TRUE | TypeSet::FALSE;
    /// The bit of numbers, integers among them.
    pub const NUMBER: u8 = 4;
    /// The bit of strings.
    pub const STRING: u8 = 8;
    /// The bit of arrays.
    pub const ARRAY: u8 = 16;
    /// The bit of objects.
    pub const OBJECT: u8 = 32;
    /// All types.
    pub const ALL: TypeSet = TypeSet(127);

    /// Returns whether the set has one of these types, given by their bits.
    pub fn has(self, one: u8) -> bool {
        self.0 & one != 0
    }
}

/// The slot that the value of a node is captured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureTarget {
    /// The value is not captured.
    None,
    /// The slot with this number among those of the event.
    Slot(u16),
    /// The slot with this number among those of the array's item.
    ItemSlot(u16),
}

/// The schema of one value in a compiled schema.
#[derive(Clone, Debug)]
pub struct SchemaNode {
    /// The types that the value may have by all keywords together.
    pub types: TypeSet,
    /// The types that the keyword `type` lists.
    pub declared: TypeSet,
    /// The slot that the value is captured in.
    pub target: CaptureTarget,
    /// The constraint on the value if it is a string.
    pub string: StringNode,
    /// The constraint on the value if it is a number; `None` if all numbers are allowed.
    pub number: Option<NumberNode>,
    /// The constraint on the value if it is an object; `None` if all objects are allowed.
    pub object: Option<Box<ObjectNode>>,
    /// The constraint on the value if it is an array; `None` if all arrays are allowed and none is captured.
    pub array: Option<Box<ArrayNode>>,
    /// What else there is to say of the value, where `object` and `array` are `None` or no type is allowed; mostly nothing.
    pub rare: Option<Box<RareNode>>,
    /// The number of the node in the program.
    pub id: u16,
}

/// What only some schemas say of a value.
#[derive(Clone, Debug)]
pub enum RareNode {
    /// The value, if it is an object, has one of several forms.
    Union(UnionNode),
    /// The value, if it is an object, is expected to have more properties than are declared: they are not unknown.
    ExpectsMore(SchemaNode),
    /// Fields inside of the value, if it is an object or an array, are captured, but not found by its schema.
    Hides,
    /// The value is judged by the `jsonschema` crate, because its schema cannot be compiled. No type is allowed by the node
    /// itself, so that every value of it is one that the node does not allow.
    Foreign(Option<Arc<ForeignSchema>>),
}

/// The forms of an object, which are told apart by the string in one of its members.
#[derive(Clone, Debug)]
pub struct UnionNode {
    /// The key of the member, without quotes; it needs no escapes.
    pub key: Box<[u8]>,
    /// The number of the member's node in the program.
    pub member: u16,
    /// The strings, without quotes, and the index of the arm that each chooses.
    pub words: Vec<(Box<[u8]>, usize)>,
    /// The schemas of the arms.
    pub arms: Vec<SchemaNode>,
    /// The schema of an object that has no arm.
    pub otherwise: SchemaNode,
    /// Whether a string that chooses no arm is an unknown value. Of such an object, only the member is judged.
    pub is_closed: bool,
}

impl UnionNode {
    /// Returns the schema of the arm that a string, given without quotes, chooses as it is written.
    #[inline]
    pub fn arm(&self, raw: &[u8]) -> Option<&SchemaNode> {
        self.words.iter().find(|(word, _)| equal(word, raw)).map(|(_, arm)| &self.arms[*arm])
    }
}

/// A schema of one value, for the `jsonschema` crate.
#[derive(Debug)]
pub struct ForeignSchema {
    document: Value,
    /// Built on first use; `None` if the document is not a schema.
    validator: OnceLock<Option<jsonschema::Validator>>,
}

impl ForeignSchema {
    /// Creates a schema from a document, which must contain what it refers to.
    pub fn new(document: Value) -> ForeignSchema {
        ForeignSchema { document, validator: OnceLock::new() }
    }

    /// Returns whether a value is known to be valid.
    pub fn allows(&self, value: &Value) -> bool {
        let validator = self.validator.get_or_init(|| validator(&self.document).ok()).as_ref();
        validator.is_some_and(|validator| validator.is_valid(value))
    }
}

/// The part of the schema that a node was compiled from, kept to explain violations.
#[derive(Debug, Default)]
pub struct NodeSource {
    /// The pointer of the value in an event, with `*` for an item of an array.
    pub(crate) pointer: RenderedPointer,
    /// The indices of the pointer's segments that are items of arrays, in ascending order.
    pub(crate) items: Vec<usize>,
    /// The names of the declared properties.
    pub(crate) properties: Vec<String>,
    /// The required properties, in the schema's order.
    pub required: Vec<RequiredProperty>,
    /// The schema's description of the value.
    pub(crate) quote: Option<Arc<str>>,
    /// The requirements on the value, by keyword.
    pub(crate) requirements: Vec<(String, Requirement)>,
}

/// A property that an object must have.
#[derive(Debug)]
pub struct RequiredProperty {
    /// The name of the property.
    pub name: String,
    /// The index of the property in [`ObjectNode::properties`].
    pub index: usize,
    /// The number of the property's node in the program.
    pub node: u16,
}

impl NodeSource {
    /// Returns the pointer of a value in an event. `items` are the indices of the items of arrays that the value is
    /// inside of, from the outermost; indices beyond the last such array are ignored.
    pub fn pointer(&self, items: &[u32]) -> Cow<'_, RenderedPointer> {
        if self.items.is_empty() {
            return Cow::Borrowed(&self.pointer);
        }
        let mut pointer = (*self.pointer).clone();
        for (at, item) in self.items.iter().zip(items) {
            pointer.0[*at] = item.to_string();
        }
        Cow::Owned(pointer.into())
    }

    /// Returns the schema's description of the value.
    pub fn quote(&self) -> Option<Cow<'_, Arc<str>>> {
        self.quote.as_ref().map(Cow::Borrowed)
    }

    /// Returns the requirement of a keyword; `None` if the schema has no such keyword.
    pub fn requirement(&self, keyword: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|(known, _)| known == keyword).map(|(_, requirement)| requirement)
    }
}

/// The constraint on a string.
#[derive(Clone, Debug, PartialEq)]
pub enum StringNode {
    /// Any string.
    Any,
    /// Any string that is not empty.
    NotEmpty,
    /// An RFC 3339 date-time.
    DateTime,
    /// A string whose length is within these bounds, both inclusive, in characters.
    Length {
        /// The least number of characters.
        least: u64,
        /// The greatest number of characters.
        most: u64,
    },
    /// One of these strings, none of which needs escapes. The keyword is `const` or `enum`, and may list other values too.
    OneOf(Vec<Box<[u8]>>, &'static str),
}

/// The longest number that is certainly compared exactly, in bytes.
pub(crate) const LONGEST_BOUNDED_NUMBER: usize = 15;

/// The constraint on a number. A bound that the schema does not set is an infinity.
#[derive(Clone, Debug)]
pub struct NumberNode {
    /// Whether it must be an integer.
    pub integer: bool,
    /// The inclusive lower bound.
    pub least: f64,
    /// The inclusive upper bound.
    pub most: f64,
    /// The exclusive lower bound.
    pub more_than: f64,
    /// The exclusive upper bound.
    pub less_than: f64,
    /// The numbers that `const` or `enum` lists; `None` if there is no such keyword.
    pub listed: Option<Vec<f64>>,
}

impl NumberNode {
    /// Returns whether a number certainly meets the constraint: `false` if it does not, and for numbers that are long or
    /// written in an unusual way. It must be a number of JSON.
    #[inline]
    pub fn is_met(&self, raw: &[u8]) -> bool {
        let number = match raw {
            _ if raw.len() > LONGEST_BOUNDED_NUMBER => None,
            _ if raw.iter().all(u8::is_ascii_digit) => {
                Some(raw.iter().fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0')) as f64)
            }
            _ if self.integer || self.listed.is_some() => None,
            _ => std::str::from_utf8(raw).ok().and_then(|text| text.parse().ok()),
        };
        number.is_some_and(|number| {
            self.violated_bounds(number).next().is_none()
                && self.listed.as_ref().is_none_or(|listed| listed.contains(&number))
        })
    }

    /// Returns whether every whole number from 0 to one of [`LONGEST_BOUNDED_NUMBER`] digits meets the constraint.
    pub fn allows_counts(&self) -> bool {
        let greatest = 10f64.powi(LONGEST_BOUNDED_NUMBER as i32) - 1.0;
        self.listed.is_none() && [0.0, greatest].into_iter().all(|number| self.violated_bounds(number).next().is_none())
    }

    /// Returns the keywords of the bounds that a number violates.
    #[inline]
    pub fn violated_bounds(&self, number: f64) -> impl Iterator<Item = &'static str> {
        // A bound that the schema does not set is an infinity, which no number violates.
        let violated = [
            (number < self.least, "minimum"),
            (number > self.most, "maximum"),
            (number <= self.more_than, "exclusiveMinimum"),
            (number >= self.less_than, "exclusiveMaximum"),
        ];
        violated.into_iter().filter(|(violated, _)| *violated).map(|(_, keyword)| keyword)
    }
}

impl Default for NumberNode {
    /// Returns the constraint that all numbers meet.
    fn default() -> NumberNode {
        NumberNode {
            integer: false,
            least: f64::NEG_INFINITY,
            most: f64::INFINITY,
            more_than: f64::NEG_INFINITY,
            less_than: f64::INFINITY,
            listed: None,
        }
    }
}

/// The constraint on an object.
#[derive(Clone, Debug)]
pub struct ObjectNode {
    /// The declared properties, in the schema's order; at most [`MAX_PROPERTIES`].
    pub properties: Vec<Property>,
    /// The required properties, as bits: bit `n` is the property with index `n`.
    pub required: u64,
    /// Whether keys that are not declared are allowed.
    pub open: bool,
    /// Keys that are not declared, but lead to fields that are captured.
    pub watched: Box<[Box<[u8]>]>,
    /// Properties that demand others: the index of each, and the demanded ones as bits.
    pub dependent: Box<[(usize, u64)]>,
    /// The start of the object's entries in [`Program::order`].
    pub first_order: usize,
}

impl ObjectNode {
    /// Returns the index of the property with this name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.properties.iter().position(|property| equal(&property.key, name))
    }

    /// Returns whether an object with these properties, as bits, lacks one that another one demands.
    #[inline]
    pub fn lacks_dependent(&self, seen: u64) -> bool {
        self.dependent.iter().any(|(index, demanded)| seen >> index & 1 == 1 && demanded & !seen != 0)
    }
}

/// A declared property of an object.
#[derive(Clone, Debug)]
pub struct Property {
    /// The key, without quotes; it needs no escapes.
    pub key: Box<[u8]>,
    /// The key as it is mostly written, with its quotes and the colon.
    pub written: Box<[u8]>,
    /// The schema of the value.
    pub node: SchemaNode,
}

/// The constraint on an array.
#[derive(Clone, Debug)]
pub struct ArrayNode {
    /// The least number of items.
    pub least: u64,
    /// The greatest number of items.
    pub most: u64,
    /// The schema of each item; `None` if any value is allowed.
    pub items: Option<SchemaNode>,
    /// The schemas of single items, by their index, where a captured field is in just this item.
    pub single: Vec<(u64, SchemaNode)>,
    /// If fields of the items are captured: the index of the array in [`Captures::items`], and the number of fields for
    /// each item.
    ///
    /// [`Captures::items`]: crate::schema::captures::Captures::items
    pub captured: Option<(u16, u16)>,
}

impl ArrayNode {
    /// Returns the schema of the item with an index; `None` if any value is allowed.
    #[inline]
    pub fn item(&self, index: u64) -> Option<&SchemaNode> {
        let single = self.single.iter().find(|(single, _)| *single == index).map(|(_, item)| item);
        single.or(self.items.as_ref())
    }
}

/// A compiled schema.
#[derive(Debug)]
pub struct Program {
    /// The schema of the event itself.
    pub root: SchemaNode,
    /// The number of slots of the event.
    pub slots: usize,
    /// The number of arrays whose items are captured.
    pub arrays: usize,
    /// Those of them that stand in the items of others.
    pub nested: Vec<NestedArray>,
    /// The slots of the event that are fields of single items of captured arrays.
    pub copied: Vec<CopiedSlot>,
    /// The source of each node, by the number of the node.
    pub sources: Vec<NodeSource>,
    /// For each object with declared properties, the index of the property that is expected at its start, and behind
    /// each of its properties, in the schema's order. An index that no property has stands for the end of the object.
    pub order: Box<[u8]>,
    /// The parts that are left to another validator.
    pub left: Vec<LeftPart>,
}

/// A part of a schema that cannot be judged in one pass: a value there is judged as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftPart {
    /// The pointer of the value, with `*` for each item of an array.
    pub at: Pointer,
    /// Why, in words.
    pub reason: String,
}

/// Where an object ends, in [`Memory::order`].
pub(crate) const END_OF_OBJECT: u8 = u8::MAX;

/// What a reader remembers of the events of a type, to read the next one faster. It changes no finding.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// The last minute of a timestamp.
    pub last_minute: LastMinute,
    /// The entries of [`Program::order`] as the last events had them: producers keep to an order, whichever it is. Empty
    /// until the memory is [prepared](Memory::prepare).
    pub order: Box<[u8]>,
}

impl Memory {
    /// Prepares an empty memory for the events of a program. Does nothing to one that was used before.
    pub(crate) fn prepare(&mut self, program: &Program) {
        if self.order.is_empty() {
            self.order = program.order.clone();
        }
    }
}
