//! A schema → its program, or the reason why there is none.
//!
//! Only schemas that can be judged in one pass are compiled. A part of a schema that cannot (patterns, alternatives that
//! nothing tells apart, cyclic references …) is left to the `jsonschema` crate (`foreign`): where an event has a value
//! there, the crate judges this one value, or the event takes the slow path.

mod foreign;
mod objects;
mod scalars;

use std::sync::Arc;

use serde_json::Value;

use super::super::items::{ArrayShape, ItemSlot};
use super::nested::{CopiedSlot, NestedArray};
use super::program::{
    ArrayNode, CaptureTarget, LeftPart, MAX_PROPERTIES, NodeSource, Program, RareNode, SchemaNode, StringNode, TypeSet,
};
use crate::schema::lowered::{ARMS, WRITTEN};
use crate::schema::words::Requirement;
use crate::schema::{Pointer, Schema, property_names};

/// The most nodes of a program. References that lead to others again and again, and arms that repeat what they have in
/// common, multiply.
const MOST_NODES: usize = 1 << 14;

/// The schema of any value.
static ANYTHING: Value = Value::Bool(true);

impl Program {
    /// Compiles a schema. `slots` are the pointers of the fields to capture, and `arrays` the arrays whose items have
    /// fields to capture; the captures of an event are in the same order.
    ///
    /// # Errors
    ///
    /// Returns the reason why the schema cannot be judged in one pass.
    pub fn compile(schema: &Schema, slots: &[Pointer], arrays: &[ArrayShape]) -> Result<Program, String> {
        let schema = schema.judged();
        let nested = NestedArray::of(arrays, |outer| slots.iter().position(|slot| slot.0 == outer))?;
        let copied: Vec<_> =
            slots.iter().enumerate().filter_map(|(slot, at)| CopiedSlot::of(slot, at, arrays)).collect();
        let mut compiler = Compiler {
            schema,
            slots,
            copied,
            arrays,
            sources: Vec::new(),
            order: Vec::new(),
            inside: Vec::new(),
            nodes: 0,
            left: Vec::new(),
        };
        let root = compiler.compiled(schema.document(), &Location::default(), None)?;
        Ok(Program {
            root,
            slots: slots.len(),
            arrays: arrays.len(),
            nested,
            copied: compiler.copied,
            sources: compiler.sources,
            order: compiler.order.into(),
            left: compiler.left,
        })
    }
}

/// The state of [`Program::compile`].
struct Compiler<'c> {
    /// The schema in its lowered form.
    schema: &'c Schema,
    slots: &'c [Pointer],
    /// Those that are fields of single items of captured arrays.
    copied: Vec<CopiedSlot>,
    arrays: &'c [ArrayShape],
    sources: Vec<NodeSource>,
    /// See [`Program::order`].
    order: Vec<u8>,
    /// The `$ref`s that the current schema is inside of.
    inside: Vec<&'c str>,
    /// The number of nodes so far, those that were given up included.
    nodes: usize,
    /// See [`Program::left`].
    left: Vec<LeftPart>,
}

/// The location of a node: its pointer, and the indices of the pointer's segments that are items of arrays.
#[derive(Clone, Default)]
struct Location {
    pointer: Pointer,
    items: Vec<usize>,
}

impl Location {
    /// Returns the location of a property of an object at this location.
    fn property(&self, key: &str) -> Location {
        Location { pointer: self.pointer.child(key), items: self.items.clone() }
    }

    /// Returns the location of the items of an array at this location: of all, if `index` is `*`.
    fn item(&self, index: &str) -> Location {
        let items = self.items.iter().copied().chain([self.pointer.0.len()]).collect();
        Location { pointer: self.pointer.child(index), items }
    }
}

impl<'c> Compiler<'c> {
    /// Compiles the schema of one value, or leaves it to the `jsonschema` crate. `item` is the index of the captured array
    /// that the value is inside of.
    fn node(&mut self, schema: &'c Value, at: &Location, item: Option<usize>) -> Result<SchemaNode, String> {
        let (sources, order, left) = (self.sources.len(), self.order.len(), self.left.len());
        match self.compiled(schema, at, item) {
            Err(reason) if self.nodes < MOST_NODES => {
                self.sources.truncate(sources);
                self.order.truncate(order);
                self.left.truncate(left);
                self.left.push(LeftPart { at: at.pointer.clone(), reason });
                self.foreign(schema, at, item)
            }
            compiled => compiled,
        }
    }

    /// Compiles the schema of one value.
    fn compiled(&mut self, schema: &'c Value, at: &Location, item: Option<usize>) -> Result<SchemaNode, String> {
        if let Some(reference) = schema.get("$ref") {
            return self.reference(reference, schema, at, item);
        }
        let mut node = self.any_value(schema, at, item)?;
        let keywords = match schema {
            Value::Bool(true) => {
                self.array(&mut node, schema, at, item)?;
                self.hidden(&mut node, at, item)?;
                return Ok(node);
            }
            Value::Object(keywords) => keywords,
            _ => return Err("a schema that nothing fits".to_owned()),
        };
        for (keyword, value) in keywords {
            self.keyword(&mut node, keyword, value)?;
        }
        scalars::format(&mut node, schema)?;
        scalars::strings(&mut node, schema)?;
        scalars::numbers(&mut node, schema)?;
        self.object(&mut node, schema, at, item)?;
        self.array(&mut node, schema, at, item)?;
        self.union(&mut node, schema, at, item)?;
        self.hidden(&mut node, at, item)?;
        Ok(node)
    }

    /// Returns the node of a value that may be anything.
    fn any_value(&mut self, schema: &Value, at: &Location, item: Option<usize>) -> Result<SchemaNode, String> {
        self.nodes += 1;
        if self.nodes >= MOST_NODES {
            return Err("too many values".to_owned());
        }
        let id = self.sources.len() as u16;
        let source = self.source(schema, at);
        self.sources.push(source);
        Ok(SchemaNode {
            types: TypeSet::ALL,
            declared: TypeSet::ALL,
            target: self.target(&at.pointer, item),
            string: StringNode::Any,
            number: None,
            object: None,
            array: None,
            rare: None,
            id,
        })
    }

    /// Returns the source of a node, without its required properties.
    fn source(&self, schema: &Value, at: &Location) -> NodeSource {
        let requirement =
            |(keyword, _): (&String, &Value)| Some((keyword.clone(), Requirement::of_keyword(keyword, schema)?));
        NodeSource {
            pointer: at.pointer.clone().into(),
            items: at.items.clone(),
            properties: property_names(schema).into_iter().map(str::to_owned).collect(),
            required: Vec::new(),
            quote: schema.get("description").and_then(Value::as_str).map(Arc::from),
            requirements: schema.as_object().into_iter().flatten().filter_map(requirement).collect(),
        }
    }

    /// Returns the arrays whose items are captured as they are read.
    fn read_arrays(&self) -> impl Iterator<Item = &'c ArrayShape> + use<'c> {
        self.arrays.iter().filter(|array| !array.is_nested())
    }

    /// Returns the event's slots that are captured as they are read.
    fn read_slots(&self) -> impl Iterator<Item = &'c Pointer> {
        let slots = self.slots;
        let is_read = |slot: &usize| self.copied.iter().all(|copied| copied.slot != *slot);
        (0..slots.len()).filter(is_read).map(move |slot| &slots[slot])
    }

    /// Returns the slot that the value at a pointer is captured in.
    fn target(&self, at: &Pointer, item: Option<usize>) -> CaptureTarget {
        let target = match item {
            None => self.slots.iter().position(|slot| slot == at).map(|slot| CaptureTarget::Slot(slot as u16)),
            Some(array) => {
                let array = &self.arrays[array];
                let inside = &at.0[array.at.0.len() + 1..];
                let is_it = |slot: &ItemSlot| matches!(slot, ItemSlot::Inside(at) if at.0 == inside);
                array.slots.iter().position(is_it).map(|slot| CaptureTarget::ItemSlot(slot as u16))
            }
        };
        target.unwrap_or(CaptureTarget::None)
    }

    /// Returns the names and indices by which fields that are captured are reached from a value, each once.
    fn captured_inside(&self, at: &Pointer, item: Option<usize>) -> Vec<&'c str> {
        let (inside, pointers): (_, Vec<&Pointer>) = match item {
            None => (at.0.as_slice(), self.read_slots().chain(self.read_arrays().map(|array| &array.at)).collect()),
            Some(array) => {
                let of_item = |slot: &'c ItemSlot| match slot {
                    ItemSlot::Inside(at) => Some(at),
                    _ => None,
                };
                let slots = self.arrays[array].slots.iter().filter_map(of_item);
                (&at.0[self.arrays[array].at.0.len() + 1..], slots.collect())
            }
        };
        let mut names: Vec<&str> = Vec::new();
        for name in pointers.into_iter().filter_map(|pointer| pointer.0.strip_prefix(inside)?.first()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Lets captured fields be found that are inside of a value whose schema does not declare them, or marks a node that hides
    /// some.
    fn hidden(&mut self, node: &mut SchemaNode, at: &Location, item: Option<usize>) -> Result<(), String> {
        let names = self.captured_inside(&at.pointer, item);
        let in_object = !names.is_empty() && node.types.has(TypeSet::OBJECT) && node.object.is_none();
        let in_array = names.iter().any(|name| is_index(name))
            && node.types.has(TypeSet::ARRAY)
            && node.array.as_ref().is_none_or(|array| array.items.is_none());
        match node.rare.as_deref() {
            Some(RareNode::Union(_) | RareNode::ExpectsMore(_)) if !in_array => Ok(()),
            None if !in_object && !in_array => Ok(()),
            None if !in_array && names.len() <= MAX_PROPERTIES && names.iter().all(|name| is_plain(name)) => {
                self.undeclared(node, &names, at, item)
            }
            None if node.array.is_none() || !in_array => {
                node.rare = Some(Box::new(RareNode::Hides));
                Ok(())
            }
            _ => Err("fields that the tables read, but the schema does not declare".to_owned()),
        }
    }

    /// Compiles the schema that a `$ref` leads to.
    fn reference(
        &mut self,
        reference: &'c Value,
        schema: &Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<SchemaNode, String> {
        let name = reference.as_str().unwrap_or_default();
        let target = name.strip_prefix('#').and_then(|at| self.schema.document().pointer(at));
        let Some(target) = target else { return Err(format!("$ref {reference}")) };
        if schema.as_object().is_some_and(|keywords| keywords.len() > 1) {
            return Err("$ref beside other keywords".to_owned());
        }
        if self.inside.contains(&name) {
            return Err("circular $ref".to_owned());
        }
        self.inside.push(name);
        let node = self.compiled(target, at, item);
        self.inside.pop();
        node
    }

    /// Applies a keyword that needs no other one, and refuses a keyword that is unknown.
    fn keyword(&mut self, node: &mut SchemaNode, keyword: &str, value: &Value) -> Result<(), String> {
        match keyword {
            "$schema" | "$id" | "$comment" | "$defs" | "definitions" | WRITTEN | "title" | "description"
            | "examples" | "default" | "deprecated" | "readOnly" | "writeOnly" => {}
            "const"
            | "enum"
            | "format"
            | "minLength"
            | "maxLength"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "properties"
            | "required"
            | "dependentRequired"
            | "additionalProperties"
            | "items"
            | "minItems"
            | "maxItems" => {}
            "type" => {
                let names: Vec<_> = match value {
                    Value::Array(names) => names.iter().collect(),
                    one => vec![one],
                };
                node.types = TypeSet(0);
                for name in names {
                    node.types.0 |= type_bit(name)?;
                }
                node.declared = node.types;
            }
            ARMS if self.schema.has_arms() => {}
            keyword if keyword.starts_with("x-") => {}
            "oneOf" | "anyOf" => {
                let why = "they must all require one member, each with a const or enum of its own";
                return Err(format!("{keyword} of forms that nothing tells apart: {why}"));
            }
            _ => return Err(format!("the keyword {keyword}")),
        }
        Ok(())
    }

    /// Applies the keywords for arrays.
    fn array(
        &mut self,
        node: &mut SchemaNode,
        schema: &'c Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<(), String> {
        let is_read = |array: &ArrayShape| !array.is_nested() && array.at == at.pointer;
        let array = self.arrays.iter().position(is_read).filter(|_| item.is_none());
        let bound =
            |keyword: &str, none| schema.get(keyword).map_or(Some(none), Value::as_u64).ok_or(keyword.to_owned());
        let (least, most) = (bound("minItems", 0)?, bound("maxItems", u64::MAX)?);
        let captured = array.map(|array| (array as u16, self.arrays[array].slots.len() as u16));
        if captured.is_some() {
            if matches!(node.string, StringNode::OneOf(..)) {
                return Err("an array that the tables read, beside const or enum".to_owned());
            }
            // Values of other types may be allowed, but have no items to read.
            node.types.0 &= TypeSet::ARRAY;
        }
        let (mut items, mut single) = (None, Vec::new());
        if let Some(schema) = schema.get("items").or(captured.map(|_| &ANYTHING)) {
            items = Some(self.node(schema, &at.item("*"), item.or(array))?);
            for index in self.captured_inside(&at.pointer, item).into_iter().filter(|name| is_index(name)) {
                let number = index.parse().map_err(|_| "an index that is too large".to_owned())?;
                single.push((number, self.node(schema, &at.item(index), item)?));
            }
        }
        if captured.is_some() && !single.is_empty() {
            return Err("an array of which both all items and single ones are read".to_owned());
        }
        if items.is_some() || captured.is_some() || (least, most) != (0, u64::MAX) {
            node.array = Some(Box::new(ArrayNode { least, most, items, single, captured }));
        }
        Ok(())
    }
}

/// Returns the bits of [`TypeSet`] for a type's name.
fn type_bit(name: &Value) -> Result<u8, String> {
    Ok(match name.as_str() {
        Some("null") => TypeSet::NULL,
        Some("boolean") => TypeSet::BOOL,
        Some("number" | "integer") => TypeSet::NUMBER,
        Some("string") => TypeSet::STRING,
        Some("array") => TypeSet::ARRAY,
        Some("object") => TypeSet::OBJECT,
        _ => return Err(format!("the type {name}")),
    })
}

/// Returns whether a segment of a pointer is the index of an item.
fn is_index(segment: &str) -> bool {
    segment == "0"
        || !segment.starts_with('0') && !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a text needs no escapes in JSON.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
}
