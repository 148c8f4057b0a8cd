//! A schema → its program, or the reason why there is none.
//!
//! Only schemas that can be judged in one pass are compiled. With any other (alternatives, patterns, cyclic references
//! …), all events of its type take the slow path.

use std::sync::Arc;

use serde_json::Value;

use super::flat::{Writing, flatten};
use super::program::{
    ArrayNode, ArrayShape, CaptureTarget, MAX_PROPERTIES, NodeSource, NumberNode, ObjectNode, Program, Property,
    RequiredProperty, SchemaNode, StringNode, TypeSet,
};
use crate::schema::words::Requirement;
use crate::schema::{Pointer, property_names};

/// The most `$ref`s inside one another; more count as a cycle.
const MAX_REFERENCES: usize = 16;

/// The largest integer up to which a number holds every integer: 2⁵³−1.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_991.0;

impl Program {
    /// Compiles a schema. `slots` are the pointers of the fields to capture, and `arrays` the arrays whose items have
    /// fields to capture; the captures of an event are in the same order.
    ///
    /// # Errors
    ///
    /// Returns the reason why the schema cannot be judged in one pass.
    pub fn compile(document: &Value, slots: &[Pointer], arrays: &[ArrayShape]) -> Result<Program, String> {
        let mut compiler =
            Compiler { document, slots, arrays, sources: Vec::new(), order: Vec::new(), found: 0, references: 0 };
        let root = compiler.node(document, &Location::default(), None)?;
        let wanted = slots.len() + arrays.iter().map(|array| 1 + array.slots.len()).sum::<usize>();
        if compiler.found != wanted {
            return Err("a field that the tables read is not declared by the schema".to_owned());
        }
        // The schema's order has all keys, so none is missing.
        let flat = flatten(&root, Writing { order: &compiler.order, spaced: false, type_key: b"" }).unwrap_or_default();
        Ok(Program {
            root,
            flat,
            slots: slots.len(),
            arrays: arrays.len(),
            sources: compiler.sources,
            order: compiler.order.into(),
        })
    }
}

/// The state of [`Program::compile`].
struct Compiler<'c> {
    document: &'c Value,
    slots: &'c [Pointer],
    arrays: &'c [ArrayShape],
    sources: Vec<NodeSource>,
    /// See [`Program::order`].
    order: Vec<u8>,
    /// The number of fields and arrays to capture that the schema was found to declare.
    found: usize,
    /// The number of `$ref`s that the current schema is inside of.
    references: usize,
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

    /// Returns the location of the items of an array at this location.
    fn item(&self) -> Location {
        let items = self.items.iter().copied().chain([self.pointer.0.len()]).collect();
        Location { pointer: self.pointer.child("*"), items }
    }
}

impl Compiler<'_> {
    /// Compiles the schema of one value. `item` is the index of the captured array that the value is inside of.
    fn node(&mut self, schema: &Value, at: &Location, item: Option<usize>) -> Result<SchemaNode, String> {
        if let Some(reference) = schema.get("$ref") {
            return self.reference(reference, schema, at, item);
        }
        let target = self.target(&at.pointer, item);
        let id = u16::try_from(self.sources.len()).map_err(|_| "too many values")?;
        let source = self.source(schema, at);
        self.sources.push(source);
        let mut node = SchemaNode {
            types: TypeSet::ALL,
            declared: TypeSet::ALL,
            target,
            string: StringNode::Any,
            number: None,
            object: None,
            array: None,
            id,
        };
        let keywords = match schema {
            Value::Bool(true) => return Ok(node),
            Value::Object(keywords) => keywords,
            _ => return Err("a schema that nothing fits".to_owned()),
        };
        for (keyword, value) in keywords {
            self.keyword(&mut node, keyword, value)?;
        }
        self.strings(&mut node, schema)?;
        self.numbers(&mut node, schema)?;
        self.object(&mut node, schema, at, item)?;
        self.array(&mut node, schema, at, item)?;
        Ok(node)
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

    /// Returns the slot that the value at a pointer is captured in.
    fn target(&mut self, at: &Pointer, item: Option<usize>) -> CaptureTarget {
        let target = match item {
            None => self.slots.iter().position(|slot| slot == at).map(|slot| CaptureTarget::Slot(slot as u16)),
            Some(array) => {
                let array = &self.arrays[array];
                let inside = Pointer(at.0[array.at.0.len() + 1..].to_vec());
                array.slots.iter().position(|slot| *slot == inside).map(|slot| CaptureTarget::ItemSlot(slot as u16))
            }
        };
        self.found += usize::from(target.is_some());
        target.unwrap_or(CaptureTarget::None)
    }

    /// Compiles the schema that a `$ref` leads to.
    fn reference(
        &mut self,
        reference: &Value,
        schema: &Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<SchemaNode, String> {
        let target =
            reference.as_str().and_then(|text| text.strip_prefix('#')).and_then(|at| self.document.pointer(at));
        let Some(target) = target else { return Err(format!("$ref {reference}")) };
        if schema.as_object().is_some_and(|keywords| keywords.len() > 1) {
            return Err("$ref beside other keywords".to_owned());
        }
        self.references += 1;
        if self.references > MAX_REFERENCES {
            return Err("circular $ref, or too many nested ones".to_owned());
        }
        let node = self.node(target, at, item);
        self.references -= 1;
        node
    }

    /// Applies a keyword that needs no other one, and refuses a keyword that is unknown.
    fn keyword(&mut self, node: &mut SchemaNode, keyword: &str, value: &Value) -> Result<(), String> {
        match keyword {
            "$schema" | "$id" | "$comment" | "$defs" | "title" | "description" | "examples" | "default"
            | "deprecated" | "readOnly" | "writeOnly" => {}
            "const"
            | "enum"
            | "minLength"
            | "maxLength"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "properties"
            | "required"
            | "additionalProperties"
            | "items"
            | "minItems"
            | "maxItems" => {}
            "format" if value == "date-time" => node.string = StringNode::DateTime,
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
            _ => return Err(format!("the keyword {keyword}")),
        }
        Ok(())
    }

    /// Applies the keywords for strings.
    fn strings(&self, node: &mut SchemaNode, schema: &Value) -> Result<(), String> {
        let options = match (schema.get("const"), schema.get("enum")) {
            (None, None) => None,
            (Some(one), None) => Some(vec![one]),
            (None, Some(Value::Array(several))) => Some(several.iter().collect()),
            _ => return Err("const and enum at once".to_owned()),
        };
        let (least, most) = (schema.get("minLength"), schema.get("maxLength"));
        if let Some(options) = options {
            let plain =
                |option: &&Value| option.as_str().filter(|text| is_plain(text)).map(|text| text.as_bytes().into());
            let words: Option<Vec<Box<[u8]>>> = options.iter().map(plain).collect();
            let Some(words) = words else {
                return Err("const or enum with other values than plain strings".to_owned());
            };
            if node.string != StringNode::Any || least.is_some() || most.is_some() {
                return Err("const or enum beside other keywords for strings".to_owned());
            }
            node.types = TypeSet(node.types.0 & TypeSet::STRING);
            node.string = StringNode::OneOf(words, if schema.get("const").is_some() { "const" } else { "enum" });
        } else if least.is_some() || most.is_some() {
            if node.string != StringNode::Any {
                return Err("a length beside a format".to_owned());
            }
            let least = least.map_or(Some(0), Value::as_u64).ok_or("minLength")?;
            let most = most.map_or(Some(u64::MAX), Value::as_u64).ok_or("maxLength")?;
            node.string = match (least, most) {
                (0, u64::MAX) => StringNode::Any,
                (1, u64::MAX) => StringNode::NotEmpty,
                _ => StringNode::Length { least, most },
            };
        }
        Ok(())
    }

    /// Applies the keywords for numbers.
    fn numbers(&self, node: &mut SchemaNode, schema: &Value) -> Result<(), String> {
        let bound = |keyword: &str, none: f64| match schema.get(keyword) {
            None => Ok(none),
            Some(value) => {
                value.as_f64().filter(|bound| bound.abs() <= LARGEST_INTEGER).ok_or(format!("{keyword} {value}"))
            }
        };
        let number = NumberNode {
            integer: names(schema).contains(&"integer") && !names(schema).contains(&"number"),
            least: bound("minimum", f64::NEG_INFINITY)?,
            most: bound("maximum", f64::INFINITY)?,
            more_than: bound("exclusiveMinimum", f64::NEG_INFINITY)?,
            less_than: bound("exclusiveMaximum", f64::INFINITY)?,
        };
        let bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
        if number.integer || bounds.iter().any(|keyword| schema.get(keyword).is_some()) {
            node.number = Some(number);
        }
        Ok(())
    }

    /// Applies the keywords for objects.
    fn object(
        &mut self,
        node: &mut SchemaNode,
        schema: &Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<(), String> {
        let (declared, required) = (schema.get("properties"), schema.get("required"));
        let open = match schema.get("additionalProperties") {
            None | Some(Value::Bool(true)) => true,
            Some(Value::Bool(false)) => false,
            Some(_) => return Err("additionalProperties with a schema".to_owned()),
        };
        let empty = serde_json::Map::new();
        let declared = match declared {
            None if required.is_none() && open => return Ok(()),
            None => &empty,
            Some(Value::Object(declared)) => declared,
            Some(_) => return Err("properties".to_owned()),
        };
        if declared.len() > MAX_PROPERTIES {
            return Err(format!("more than {MAX_PROPERTIES} properties"));
        }
        let mut properties = Vec::new();
        for (key, schema) in declared {
            if !is_plain(key) {
                return Err("a key that needs escapes".to_owned());
            }
            let node = self.node(schema, &at.property(key), item)?;
            let written = format!("\"{key}\":").into_bytes().into();
            properties.push(Property { key: key.as_bytes().into(), written, node });
        }
        let mut bits = 0;
        for name in required.and_then(Value::as_array).into_iter().flatten() {
            let undeclared = || format!("{name} is required but not declared");
            let name = name.as_str().ok_or_else(undeclared)?;
            let index = properties.iter().position(|p| *p.key == *name.as_bytes()).ok_or_else(undeclared)?;
            bits |= 1 << index;
            let required = RequiredProperty { name: name.to_owned(), index, node: properties[index].node.id };
            self.sources[usize::from(node.id)].required.push(required);
        }
        let first_order = self.order.len();
        self.order.extend(0..=properties.len() as u8);
        node.object = Some(Box::new(ObjectNode { properties, required: bits, open, first_order }));
        Ok(())
    }

    /// Applies the keywords for arrays.
    fn array(
        &mut self,
        node: &mut SchemaNode,
        schema: &Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<(), String> {
        let array = self.arrays.iter().position(|array| array.at == at.pointer).filter(|_| item.is_none());
        let bound =
            |keyword: &str, none| schema.get(keyword).map_or(Some(none), Value::as_u64).ok_or(keyword.to_owned());
        let (least, most) = (bound("minItems", 0)?, bound("maxItems", u64::MAX)?);
        if array.is_some() && node.types.0 & !TypeSet::ARRAY != 0 {
            return Err("an array that the tables read may be something else".to_owned());
        }
        let captured = array.map(|array| (array as u16, self.arrays[array].slots.len() as u16));
        self.found += usize::from(captured.is_some());
        let items = match schema.get("items") {
            None => None,
            Some(items) => Some(self.node(items, &at.item(), item.or(array))?),
        };
        if items.is_some() || captured.is_some() || (least, most) != (0, u64::MAX) {
            node.array = Some(Box::new(ArrayNode { least, most, items, captured }));
        }
        Ok(())
    }
}

/// Returns the bit of [`TypeSet`] for a type's name.
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

/// Returns the names that the keyword `type` lists.
fn names(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    }
}

/// Returns whether a text needs no escapes in JSON.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
}
