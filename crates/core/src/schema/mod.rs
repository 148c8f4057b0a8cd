//! JSON Schemas: what is wrong with one event by itself.
//!
//! There are two ways. The fast one (`program`, `walk`) judges an event in one pass, or is not sure. The slow one lets
//! the `jsonschema` crate judge. Both come from the same schema files, capture the same fields, and say in the same words
//! what is wrong, and where exactly. Order and streams are not known here.

pub(crate) mod captures;
mod compile;
pub mod date_time;
mod explain;
mod faults;
mod fields;
mod flat;
mod letters;
mod pointer;
pub(crate) mod program;
pub(crate) mod tokens;
mod unknown;
pub(crate) mod walk;
mod wrong;

pub use explain::quoted;
pub(crate) use explain::{Explained, explain, judge, shown};
pub(crate) use faults::{Fault, Faults, MOST_LISTED};
pub use fields::Field;
pub use pointer::Pointer;

use std::sync::OnceLock;

use serde_json::Value;

/// One compiled schema (draft 2020-12, formats asserted).
pub struct Schema {
    document: Value,
    /// What messages call a value of it.
    noun: String,
    /// Made when it is first asked for: nearly all events are judged without it, and it takes longer to make than a
    /// small file to check.
    validator: OnceLock<Option<jsonschema::Validator>>,
    /// Likewise.
    fields: OnceLock<Vec<Field>>,
}

/// What a schema says of the value at a pointer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subschema<'s> {
    /// It has a schema of its own.
    Declared(&'s Value),
    /// The schema is too clever for a plain answer (alternatives, patterns): the value may be there.
    Unclear,
    /// It is not mentioned.
    Missing,
}

impl<'s> Subschema<'s> {
    /// The schema, if there is one.
    pub fn schema(self) -> Option<&'s Value> {
        match self {
            Subschema::Declared(schema) => Some(schema),
            Subschema::Unclear | Subschema::Missing => None,
        }
    }
}

/// What messages call a value, if nothing else is said.
const EVENT: &str = "event";

/// Keywords that make what an object may hold depend on what it holds.
const ALTERNATIVES: [&str; 10] = [
    "anyOf",
    "oneOf",
    "not",
    "if",
    "patternProperties",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "prefixItems",
    "$dynamicRef",
];

/// How many `$ref`s are followed in a row before they count as a circle.
const MAX_REFERENCES: usize = 16;

impl Schema {
    /// The fields that a value must have.
    pub fn required(&self) -> Vec<&str> {
        let names = self.document.get("required").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).collect()
    }

    /// A schema that is known to be one.
    pub fn trusted(document: Value) -> Schema {
        Schema { document, noun: EVENT.to_owned(), validator: OnceLock::new(), fields: OnceLock::new() }
    }

    /// A schema, after a look at whether it is one.
    ///
    /// # Errors
    ///
    /// Says what is wrong with a document that is no schema.
    pub fn new(document: Value) -> Result<Schema, String> {
        let validator = validator(&document)?;
        Ok(Schema { document, noun: EVENT.to_owned(), validator: Some(validator).into(), fields: OnceLock::new() })
    }

    /// A schema whose values messages call by another word.
    pub fn called(self, noun: String) -> Schema {
        Schema { noun, ..self }
    }

    /// What messages call a value of it.
    pub fn noun(&self) -> &str {
        &self.noun
    }

    /// The judge of the `jsonschema` crate.
    fn validator(&self) -> Option<&jsonschema::Validator> {
        self.validator.get_or_init(|| validator(&self.document).ok()).as_ref()
    }

    /// The fields that it declares.
    pub fn fields(&self) -> &[Field] {
        self.fields.get_or_init(|| fields::fields(self))
    }

    /// Whether a value is known to be invalid: nobody asks a schema that is trusted.
    pub fn refuses(&self, value: &Value) -> bool {
        self.validator.get().and_then(Option::as_ref).is_some_and(|validator| !validator.is_valid(value))
    }

    /// Whether a value is valid, by the `jsonschema` crate.
    pub fn allows(&self, value: &Value) -> bool {
        self.validator().is_some_and(|validator| validator.is_valid(value))
    }

    /// The document it was made from.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The `description` of the schema as a whole.
    pub fn description(&self) -> Option<&str> {
        self.document.get("description")?.as_str()
    }

    /// What it says of the value at a pointer. A segment `*` is any item of an array.
    pub fn at<S: AsRef<str>>(&self, segments: &[S]) -> Subschema<'_> {
        let mut here = &self.document;
        for segment in segments {
            match self.step(here, segment.as_ref()) {
                Subschema::Declared(next) => here = next,
                other => return other,
            }
        }
        self.resolved(here).map_or(Subschema::Unclear, Subschema::Declared)
    }

    /// The document's own words on the value at a pointer, or else on the whole event.
    pub fn words<S: AsRef<str>>(&self, segments: &[S]) -> Option<&str> {
        let own = match self.at(segments) {
            Subschema::Declared(schema) => schema.get("description").and_then(Value::as_str),
            _ => None,
        };
        own.or_else(|| self.description())
    }

    fn step<'s>(&'s self, schema: &'s Value, segment: &str) -> Subschema<'s> {
        let Some(schema) = self.resolved(schema) else {
            return Subschema::Unclear;
        };
        if let Some(next) = schema.get("properties").and_then(|properties| properties.get(segment)) {
            return Subschema::Declared(next);
        }
        if (segment == "*" || segment.bytes().all(|byte| byte.is_ascii_digit()))
            && let Some(items) = schema.get("items")
        {
            return Subschema::Declared(items);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            match self.step(part, segment) {
                Subschema::Missing => {}
                found => return found,
            }
        }
        let clever = ALTERNATIVES.iter().any(|keyword| schema.get(*keyword).is_some())
            || schema.get("additionalProperties").is_some_and(Value::is_object);
        if clever { Subschema::Unclear } else { Subschema::Missing }
    }

    /// What it declares at an object, in its order: name → schema. None where that depends on what the object holds.
    pub fn declared<'s>(&'s self, here: &'s Value) -> Option<Vec<(&'s str, &'s Value)>> {
        self.declared_within(here, 0)
    }

    fn declared_within<'s>(&'s self, here: &'s Value, depth: usize) -> Option<Vec<(&'s str, &'s Value)>> {
        let here = self.resolved(here)?;
        if depth > MAX_REFERENCES || ALTERNATIVES.iter().any(|keyword| here.get(*keyword).is_some()) {
            return None;
        }
        let own = here.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut declared: Vec<_> = own.map(|(name, schema)| (name.as_str(), schema)).collect();
        for part in here.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            declared.extend(self.declared_within(part, depth + 1)?);
        }
        Some(declared)
    }

    /// What it says of the items of an array. None where that depends on what the array holds.
    pub fn items<'s>(&'s self, here: &'s Value) -> Option<&'s Value> {
        let here = self.resolved(here)?;
        let clever = ALTERNATIVES.iter().any(|keyword| here.get(*keyword).is_some());
        here.get("items").filter(|_| !clever)
    }

    /// Whether a value here is a date-time.
    pub fn is_date_time(&self, here: &Value) -> bool {
        self.resolved(here).and_then(|here| here.get("format")).is_some_and(|format| format == "date-time")
    }

    /// Follows `$ref`s inside of the document.
    fn resolved<'s>(&'s self, schema: &'s Value) -> Option<&'s Value> {
        let mut schema = schema;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                return Some(schema);
            };
            schema = self.document.pointer(reference.strip_prefix('#')?)?;
        }
        None
    }
}

fn validator(document: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("date-time", |text: &str| date_time::parse(text).is_some())
        .build(document)
        .map_err(|error| error.to_string())
}
