//! A schema → its program, or why there is none.
//!
//! Only schemas that can be judged in one pass are compiled. Everything else (alternatives, patterns,
//! circles …) sends its event type the slow way, and says why.

use std::sync::Arc;

use serde_json::Value;

use super::Pointer;
use super::flat::flatten;
use super::program::ArrayShape;
use super::program::{
    ArrayNode, Leaf, MAX_PROPERTIES, Node, NumberNode, ObjectNode, Program, Property, Required, Source, StringNode,
    Taken, Types,
};
use super::wrong::Wrong;

/// How deep `$ref`s may lead before they count as a circle.
const MAX_REFERENCES: usize = 16;

impl Program {
    /// Compiles a schema, with the fields to capture.
    ///
    /// # Errors
    ///
    /// The reason why the schema cannot be judged in one pass.
    pub fn compile(document: &Value, slots: &[Pointer], arrays: &[ArrayShape]) -> Result<Program, String> {
        let mut compiler = Compiler { document, slots, arrays, sources: Vec::new(), found: 0, references: 0 };
        let root = compiler.node(document, &Place::default(), None)?;
        let wanted = slots.len() + arrays.iter().map(|array| 1 + array.slots.len()).sum::<usize>();
        if compiler.found != wanted {
            return Err("a field that the tables read stands where the schema does not declare it".to_owned());
        }
        let (beginning, steps) = flatten(&root);
        let walks = steps.iter().any(|step| matches!(step.leaf, Leaf::Value(..)));
        Ok(Program {
            root,
            beginning,
            steps,
            walks,
            slots: slots.len(),
            arrays: arrays.len(),
            sources: compiler.sources,
        })
    }
}

struct Compiler<'c> {
    document: &'c Value,
    slots: &'c [Pointer],
    arrays: &'c [ArrayShape],
    sources: Vec<Source>,
    /// How many of the fields to capture were met.
    found: usize,
    references: usize,
}

/// Where a node stands: its pointer, and which segments of it are the items of arrays.
#[derive(Clone, Default)]
struct Place {
    pointer: Pointer,
    items: Vec<usize>,
}

impl Place {
    fn property(&self, key: &str) -> Place {
        Place { pointer: self.pointer.child(key), items: self.items.clone() }
    }

    fn item(&self) -> Place {
        let items = self.items.iter().copied().chain([self.pointer.0.len()]).collect();
        Place { pointer: self.pointer.child("*"), items }
    }
}

impl Compiler<'_> {
    /// `item`: the array that this is inside an item of.
    fn node(&mut self, schema: &Value, at: &Place, item: Option<usize>) -> Result<Node, String> {
        if let Some(reference) = schema.get("$ref") {
            return self.reference(reference, schema, at, item);
        }
        let taken = self.taken(&at.pointer, item);
        let id = u16::try_from(self.sources.len()).map_err(|_| "too many values")?;
        let source = self.source(schema, at);
        self.sources.push(source);
        let mut node = Node {
            types: Types::ALL,
            declared: Types::ALL,
            taken,
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

    fn source(&self, schema: &Value, at: &Place) -> Source {
        let words = |schema: &Value| schema.get("description").and_then(Value::as_str).map(Arc::from);
        let wrong = |(keyword, _): (&String, &Value)| Some((keyword.clone(), Wrong::by_keyword(keyword, schema)?));
        Source {
            pointer: at.pointer.clone().into(),
            items: at.items.clone(),
            required: Vec::new(),
            quote: words(schema).or_else(|| words(self.document)),
            wrongs: schema.as_object().into_iter().flatten().filter_map(wrong).collect(),
        }
    }

    fn taken(&mut self, at: &Pointer, item: Option<usize>) -> Taken {
        let taken = match item {
            None => self.slots.iter().position(|slot| slot == at).map(|slot| Taken::Slot(slot as u16)),
            Some(array) => {
                let array = &self.arrays[array];
                let inside = Pointer(at.0[array.at.0.len() + 1..].to_vec());
                array.slots.iter().position(|slot| *slot == inside).map(|slot| Taken::ItemSlot(slot as u16))
            }
        };
        self.found += usize::from(taken.is_some());
        taken.unwrap_or(Taken::Nothing)
    }

    fn reference(
        &mut self,
        reference: &Value,
        schema: &Value,
        at: &Place,
        item: Option<usize>,
    ) -> Result<Node, String> {
        let target =
            reference.as_str().and_then(|text| text.strip_prefix('#')).and_then(|at| self.document.pointer(at));
        let Some(target) = target else { return Err(format!("$ref {reference}")) };
        if schema.as_object().is_some_and(|keywords| keywords.len() > 1) {
            return Err("$ref beside other keywords".to_owned());
        }
        self.references += 1;
        if self.references > MAX_REFERENCES {
            return Err("$ref in a circle, or too many of them in each other".to_owned());
        }
        let node = self.node(target, at, item);
        self.references -= 1;
        node
    }

    /// Looks at a keyword by itself; refuses those that are not known here.
    fn keyword(&mut self, node: &mut Node, keyword: &str, value: &Value) -> Result<(), String> {
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
                node.types = Types(0);
                for name in names {
                    node.types.0 |= type_bit(name)?;
                }
                node.declared = node.types;
            }
            _ => return Err(format!("the keyword {keyword}")),
        }
        Ok(())
    }

    fn strings(&self, node: &mut Node, schema: &Value) -> Result<(), String> {
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
            node.types = Types(node.types.0 & Types::STRING);
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

    fn numbers(&self, node: &mut Node, schema: &Value) -> Result<(), String> {
        let bound = |keyword: &str, none: f64| match schema.get(keyword) {
            None => Ok(none),
            Some(value) => value.as_f64().filter(|bound| bound.abs() < 1e15).ok_or(format!("{keyword} {value}")),
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

    fn object(&mut self, node: &mut Node, schema: &Value, at: &Place, item: Option<usize>) -> Result<(), String> {
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
            let required = Required { name: name.to_owned(), index, node: properties[index].node.id };
            self.sources[usize::from(node.id)].required.push(required);
        }
        node.object = Some(Box::new(ObjectNode { properties, required: bits, open }));
        Ok(())
    }

    fn array(&mut self, node: &mut Node, schema: &Value, at: &Place, item: Option<usize>) -> Result<(), String> {
        let array = self.arrays.iter().position(|array| array.at == at.pointer).filter(|_| item.is_none());
        let bound =
            |keyword: &str, none| schema.get(keyword).map_or(Some(none), Value::as_u64).ok_or(keyword.to_owned());
        let (least, most) = (bound("minItems", 0)?, bound("maxItems", u64::MAX)?);
        if array.is_some() && node.types.0 & !Types::ARRAY != 0 {
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

fn type_bit(name: &Value) -> Result<u8, String> {
    Ok(match name.as_str() {
        Some("null") => Types::NULL,
        Some("boolean") => Types::BOOL,
        Some("number" | "integer") => Types::NUMBER,
        Some("string") => Types::STRING,
        Some("array") => Types::ARRAY,
        Some("object") => Types::OBJECT,
        _ => return Err(format!("the type {name}")),
    })
}

fn names(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    }
}

/// Whether a text stands in JSON as it is.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
}
