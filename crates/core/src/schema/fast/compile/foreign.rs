//! What cannot be compiled, for the `jsonschema` crate.

use std::sync::Arc;

use serde_json::Value;

use super::super::program::{ForeignSchema, RareNode, SchemaNode, TypeSet};
use super::{Compiler, Location};
use crate::schema::ALTERNATIVES;
use crate::schema::lowered::{ARMS, WRITTEN, without_id};

impl<'c> Compiler<'c> {
    /// Returns the node of a value whose schema cannot be compiled.
    pub(super) fn foreign(
        &mut self,
        schema: &'c Value,
        at: &Location,
        item: Option<usize>,
    ) -> Result<SchemaNode, String> {
        let is_captured = !self.captured_inside(&at.pointer, item).is_empty()
            || item.is_none() && self.arrays.iter().any(|array| array.at == at.pointer);
        let judges = !is_captured
            && knows_every_name(schema)
            && self.schema.document().as_object().is_some_and(|document| refers_to_definitions(&without_id(document)));
        let document = judges.then(|| self.schema.written_out(schema));
        let foreign = document.map(|document| Arc::new(ForeignSchema::new(document)));
        let node = self.any_value(schema, at, item)?;
        let none = TypeSet(0);
        Ok(SchemaNode { types: none, declared: none, rare: Some(Box::new(RareNode::Foreign(foreign))), ..node })
    }
}

/// Returns whether no name in a value of a schema is reported as unknown, whatever it is.
fn knows_every_name(schema: &Value) -> bool {
    let has = |keyword: &str| schema.get(keyword).is_some();
    let asks_for_names = !ALTERNATIVES.iter().any(|keyword| has(keyword));
    !(asks_for_names && ["$ref", "properties", "items", "allOf"].into_iter().any(has) || may_have_arms(schema))
}

/// Returns whether a schema, or one inside of it, has arms, as far as that is known: what it refers to may have some.
fn may_have_arms(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(may_have_arms),
        Value::Object(members) => members.iter().any(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(reference)) => !is_written(reference),
            (ARMS, _) => true,
            _ => may_have_arms(value),
        }),
        _ => false,
    }
}

/// Returns whether a reference leads to something that stays as it is written.
fn is_written(reference: &str) -> bool {
    reference.strip_prefix("#/").is_some_and(|path| path.starts_with(WRITTEN))
}

/// Returns whether every reference of a document leads to one of its definitions.
fn refers_to_definitions(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(refers_to_definitions),
        Value::Object(members) => members.iter().all(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                reference.starts_with("#/$defs/") || reference.starts_with("#/definitions/") || is_written(reference)
            }
            ("$id" | "$anchor" | "$dynamicAnchor" | "$dynamicRef", _) => false,
            _ => refers_to_definitions(value),
        }),
        _ => true,
    }
}
