//! JSON Schemas: what is wrong with one event by itself.
//!
//! There are two paths. The fast path (`fast`) judges an event in one pass, or leaves it to the slow path. The slow
//! path lets the `jsonschema` crate judge. Both use the same schema files, capture the same fields, and report the same
//! faults in the same words at the same places (`words`). The order of events, and streams, are not known here.

pub(crate) mod captures;
pub mod date_time;
mod domain;
mod fast;
mod fields;
pub(crate) mod in_place;
pub mod items;
pub(crate) mod lowered;
mod pointer;
mod unknown;
mod words;
pub(crate) mod written;

pub use domain::{Domain, domain};
pub(crate) use fast::{program, template, tokens, walk};
pub use fields::Field;
pub(crate) use lowered::Arms;
pub use pointer::Pointer;
pub(crate) use unknown::{UnknownName, unknown_names};
pub(crate) use words::SHOWN_CHARS;
pub use words::quoted;
pub(crate) use words::{Fault, Faults, MOST_LISTED, Wordings, describe_value, explain, judge, shortened};

use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::input::json::{Node, NodeKind};

/// One compiled schema (draft 2020-12, formats asserted).
pub struct Schema {
    document: Value,
    /// The noun for a value of this schema in messages.
    noun: String,
    /// Built on first use: nearly all events are judged without a validator, and building one takes longer than
    /// checking a small file. `None` if the document is not a schema.
    validator: OnceLock<Option<jsonschema::Validator>>,
    /// Collected on first use.
    fields: OnceLock<Vec<Field>>,
    /// Counted on first use.
    alternatives: OnceLock<usize>,
    /// The schema in the form by which events are judged, found on first use; `None` if that is this one.
    judged: OnceLock<Option<Box<Schema>>>,
    /// Whether the document is a lowered form itself.
    is_lowered: bool,
}

/// The part of a schema that applies to the value at a pointer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subschema<'s> {
    /// The schema that the document declares for the value.
    Declared(&'s Value),
    /// Unknown, because the schema has alternatives or patterns: the value may be allowed.
    Unclear,
    /// The document declares no such value.
    Missing,
}

impl<'s> Subschema<'s> {
    /// Returns the declared schema; `None` if it is unclear or missing.
    pub fn schema(self) -> Option<&'s Value> {
        match self {
            Subschema::Declared(schema) => Some(schema),
            Subschema::Unclear | Subschema::Missing => None,
        }
    }

    /// Returns the `description` of the declared schema.
    fn description(self) -> Option<&'s str> {
        self.schema()?.get("description")?.as_str()
    }
}

/// The noun for a value in messages, unless [`Schema::with_noun`] sets another.
const EVENT: &str = "event";

/// Keywords by which the contents of an object decide which other contents it may have.
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

/// The most `$ref`s that are followed in a row; more count as a cycle.
const MAX_REFERENCES: usize = 16;

impl Schema {
    /// Returns the names that the document lists in `required`, at its top level.
    pub fn required(&self) -> Vec<&str> {
        required_names(&self.document)
    }

    /// Creates a schema from a document that is known to be a valid schema. If it is not one, [`Schema::allows`]
    /// returns `false` for every value.
    pub fn trusted(document: Value) -> Schema {
        Schema {
            document,
            noun: EVENT.to_owned(),
            validator: OnceLock::new(),
            fields: OnceLock::new(),
            alternatives: OnceLock::new(),
            judged: OnceLock::new(),
            is_lowered: false,
        }
    }

    /// Returns the schema in the form by which both paths judge events. Only [`Schema::validator`] and what looks up a
    /// value of an event may be asked about it.
    pub(crate) fn judged(&self) -> &Schema {
        let lower = || {
            let document = lowered::lowered(&self.document)?;
            let noun = self.noun.clone();
            Some(Box::new(Schema { is_lowered: true, noun, ..Schema::trusted(document) }))
        };
        self.judged.get_or_init(lower).as_deref().unwrap_or(self)
    }

    /// Returns whether schemas of the document may have arms: only those of lowered forms may.
    pub(crate) fn has_arms(&self) -> bool {
        self.is_lowered
    }

    /// Returns a schema of the document as a document of its own, in the keywords of JSON Schema. It has the definitions of
    /// the document.
    fn written_out(&self, schema: &Value) -> Value {
        let mut own = schema.clone();
        if let Value::Object(own) = &mut own {
            for definitions in ["$defs", "definitions", lowered::WRITTEN] {
                if let Some(value) = self.document.get(definitions) {
                    own.insert(definitions.to_owned(), value.clone());
                }
            }
        }
        if self.is_lowered { lowered::written_out(&own) } else { own }
    }

    /// Returns the arms of a schema of the document; `None` if it has none. Only lowered forms have arms.
    pub(crate) fn arms<'s>(&self, here: &'s Value) -> Option<Arms<'s>> {
        if self.is_lowered { Arms::of(here) } else { None }
    }

    /// Creates a schema that stands for one that could not be read: nothing is known of its fields.
    pub(crate) fn unknown() -> Schema {
        Schema::trusted(serde_json::json!({ "not": false }))
    }

    /// Creates a schema from a document, after validating the document itself.
    ///
    /// # Errors
    ///
    /// Returns the reason why the document is not a valid schema.
    pub fn new(document: Value) -> Result<Schema, String> {
        Schema::build(document).map_err(|error| error.to_string())
    }

    /// Creates a schema like [`Schema::new`]. The error has the place in the document.
    fn build(document: Value) -> Result<Schema, jsonschema::ValidationError<'static>> {
        let validator = validator(&document)?;
        Ok(Schema { validator: Some(validator).into(), ..Schema::trusted(document) })
    }

    /// Sets the noun for a value of this schema in messages [default: event].
    pub fn with_noun(self, noun: String) -> Schema {
        Schema { noun, ..self }
    }

    /// Returns the noun for a value of this schema in messages.
    pub fn noun(&self) -> &str {
        &self.noun
    }

    /// Returns the validator of the `jsonschema` crate; `None` if the document is not a schema.
    fn validator(&self) -> Option<&jsonschema::Validator> {
        self.validator.get_or_init(|| validator(&self.written_out(&self.document)).ok()).as_ref()
    }

    /// Returns the number of schemas in `anyOf` and `oneOf`, wherever in the document they are.
    fn alternatives(&self) -> usize {
        fn count(document: &Value) -> usize {
            let own = |key: &String, value: &Value| match key.as_str() {
                "anyOf" | "oneOf" => value.as_array().map_or(0, Vec::len),
                _ => 0,
            };
            match document {
                Value::Array(items) => items.iter().map(count).sum(),
                Value::Object(members) => members.iter().map(|(key, value)| own(key, value) + count(value)).sum(),
                _ => 0,
            }
        }
        *self.alternatives.get_or_init(|| count(&self.document))
    }

    /// Returns all fields that the schema declares, those of its alternatives too, each once.
    pub fn fields(&self) -> &[Field] {
        self.fields.get_or_init(|| fields::fields(self))
    }

    /// Returns whether a value is known to be invalid. Always `false` if no validator has been built yet, as for a
    /// [trusted](Schema::trusted) schema.
    pub fn refuses(&self, value: &Value) -> bool {
        self.validator.get().and_then(Option::as_ref).is_some_and(|validator| !validator.is_valid(value))
    }

    /// Returns the path of the keyword by which the schema refuses what a value has at a pointer, and the keyword's value
    /// if it is `const`. `None` if nothing is wrong there, whatever else is wrong with the value.
    fn refusal_at(&self, value: &Value, at: &Pointer) -> Option<(Pointer, Option<Value>)> {
        let at = at.text();
        let error = self.validator()?.iter_errors(value).find(|error| error.instance_path().as_str() == at)?;
        let expected = match error.kind() {
            ValidationErrorKind::Constant { expected_value } => Some((**expected_value).clone()),
            _ => None,
        };
        Some((Pointer::parse(error.schema_path().as_str())?, expected))
    }

    /// Returns whether a value is valid, judged by the `jsonschema` crate.
    pub fn allows(&self, value: &Value) -> bool {
        self.validator().is_some_and(|validator| validator.is_valid(value))
    }

    /// Returns the JSON document of the schema.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns the top-level `description` of the schema.
    pub fn description(&self) -> Option<&str> {
        self.document.get("description")?.as_str()
    }

    /// Looks up the subschema for the value at the segments of a JSON Pointer. A segment `*` is any item of an array.
    pub fn at<S: AsRef<str>>(&self, segments: &[S]) -> Subschema<'_> {
        let mut here = &self.document;
        for segment in segments {
            match self.step(here, segment.as_ref()) {
                Subschema::Declared(next) => here = next,
                other => return other,
            }
        }
        self.resolve(here).map_or(Subschema::Unclear, Subschema::Declared)
    }

    /// Returns the `description` of the value at the segments of a JSON Pointer.
    pub fn description_at<S: AsRef<str>>(&self, segments: &[S]) -> Option<&str> {
        self.at(segments).description()
    }

    /// Looks up the subschema for a value of an event, at the segments of a JSON Pointer. Of schemas with arms, those
    /// count that the event has.
    fn within<'s>(&'s self, event: &Node, text: &[u8], segments: &[String]) -> Subschema<'s> {
        let (mut here, mut node) = (&self.document, Some(event));
        for segment in segments {
            let Some(schema) = self.arm(here, node, text) else { return Subschema::Unclear };
            here = match self.step(schema, segment) {
                Subschema::Declared(next) => next,
                other => return other,
            };
            node = node.and_then(|node| node.at(text, &[segment]));
        }
        self.arm(here, node, text).map_or(Subschema::Unclear, Subschema::Declared)
    }

    /// Returns the schema that `schema`, or what it refers to, demands of a value: if it has arms, the one that the value
    /// has. `None` if it cannot be resolved.
    fn arm<'s>(&'s self, schema: &'s Value, value: Option<&Node>, text: &[u8]) -> Option<&'s Value> {
        let mut here = self.resolve(schema)?;
        while let (Some(arms), Some(value)) = (self.arms(here), value)
            && matches!(value.kind, NodeKind::Object(_))
        {
            match arms.chosen_by(value, text).or(arms.otherwise) {
                Some(arm) => here = self.resolve(arm)?,
                None => break,
            }
        }
        Some(here)
    }

    /// Looks up the subschema for a member or an item (`*` or an index) of a value of `schema`.
    fn step<'s>(&'s self, schema: &'s Value, segment: &str) -> Subschema<'s> {
        let Some(schema) = self.resolve(schema) else {
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
            || schema.get("additionalProperties").is_some_and(Value::is_object)
            || self.arms(schema).is_some();
        if clever { Subschema::Unclear } else { Subschema::Missing }
    }

    /// Returns the properties that an object schema of this document declares, in their order, as names and schemas.
    /// `None` if they depend on the contents of the object.
    pub fn declared<'s>(&'s self, here: &'s Value) -> Option<Vec<(&'s str, &'s Value)>> {
        self.declared_within(here, 0)
    }

    /// Returns the declared properties like [`Schema::declared`], for a schema inside `depth` others.
    fn declared_within<'s>(&'s self, here: &'s Value, depth: usize) -> Option<Vec<(&'s str, &'s Value)>> {
        let here = self.resolve(here)?;
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

    /// Returns the schema for the items of an array schema of this document. `None` if it declares none, or if the
    /// schema depends on the contents of the array.
    pub fn items<'s>(&'s self, here: &'s Value) -> Option<&'s Value> {
        let here = self.resolve(here)?;
        let clever = ALTERNATIVES.iter().any(|keyword| here.get(*keyword).is_some());
        here.get("items").filter(|_| !clever)
    }

    /// Returns whether a schema of this document asserts the format `date-time`.
    pub fn is_date_time(&self, here: &Value) -> bool {
        self.resolve(here).and_then(|here| here.get("format")).is_some_and(|format| format == "date-time")
    }

    /// Follows the `$ref`s of a schema within the document; `None` if one leads outside or they form a cycle.
    fn resolve<'s>(&'s self, schema: &'s Value) -> Option<&'s Value> {
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

/// Returns the names that a schema lists in `required`.
pub(crate) fn required_names(schema: &Value) -> Vec<&str> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

/// Returns the names of the `properties` of a schema.
pub(crate) fn property_names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties.map(|(name, _)| name.as_str()).collect()
}

/// Builds a validator for a document, or returns the reason why the document is not a schema.
fn validator(document: &Value) -> Result<jsonschema::Validator, jsonschema::ValidationError<'static>> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("date-time", |text: &str| date_time::parse(text).is_some())
        .build(document)
}

/// Returns whether a schema expects properties that it does not declare, by `additionalProperties` with `true` or `{}`:
/// they are then no unknown fields.
pub(crate) fn expects_more(schema: &Value) -> bool {
    match schema.get("additionalProperties") {
        Some(Value::Object(keywords)) => keywords.is_empty(),
        more => more == Some(&Value::Bool(true)),
    }
}
