//! Collects the fields that a schema declares.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Pointer, Schema};

/// The most subschemas of one schema that are visited, far more than any event has fields. Schemas that refer to others
/// again and again end here.
const MOST_SCHEMAS: usize = 4096;
/// The depth of the deepest subschema that is visited.
const MAX_DEPTH: usize = 64;

/// A field that a schema declares: a property, or the items of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The pointer of the field, with `*` for any item of an array.
    pub pointer: Pointer,
    /// The values that the schema lists for the field: its `enum`, the booleans, or a `const` in each of several
    /// alternatives. Empty if the schema lists fewer than two.
    pub values: Vec<Value>,
}

/// Returns all fields in the order of the schema, those of alternatives (`allOf`, `anyOf`, `oneOf`) included, each
/// once. A field whose schema refers to a schema around it is returned, but not the fields inside it again.
pub(crate) fn fields(schema: &Schema) -> Vec<Field> {
    let mut collector =
        FieldCollector { schema, fields: Vec::new(), known: BTreeMap::new(), inside: Vec::new(), visited: 0 };
    collector.visit(schema.document(), &Pointer::default(), 0);
    for field in &mut collector.fields {
        if field.values.len() < 2 {
            field.values.clear();
        }
    }
    collector.fields
}

/// The state of [`fields`].
struct FieldCollector<'s> {
    schema: &'s Schema,
    fields: Vec<Field>,
    /// The indices of the fields in `fields`.
    known: BTreeMap<Pointer, usize>,
    /// The references that the current schema is inside of.
    inside: Vec<&'s str>,
    /// The number of schemas visited so far.
    visited: usize,
}

impl<'s> FieldCollector<'s> {
    /// Collects the fields of a schema for the value at a pointer, and of all schemas inside it.
    fn visit(&mut self, here: &'s Value, at: &Pointer, depth: usize) {
        self.visited += 1;
        if self.visited > MOST_SCHEMAS || depth > MAX_DEPTH {
            return;
        }
        if !at.0.is_empty() {
            self.field(here, at);
        }
        if let Some(reference) = here.get("$ref").and_then(Value::as_str)
            && !self.inside.contains(&reference)
            && let Some(target) = reference.strip_prefix('#').and_then(|target| self.schema.document().pointer(target))
        {
            self.inside.push(reference);
            self.visit(target, at, depth + 1);
            self.inside.pop();
        }
        for (name, property) in here.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.visit(property, &at.child(name), depth + 1);
        }
        if let Some(items) = here.get("items") {
            self.visit(items, &at.child("*"), depth + 1);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in here.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.visit(part, at, depth + 1);
            }
        }
    }

    /// Collects one field, or adds values to it.
    fn field(&mut self, here: &Value, at: &Pointer) {
        let number = *self.known.entry(at.clone()).or_insert_with(|| {
            self.fields.push(Field { pointer: at.clone(), values: Vec::new() });
            self.fields.len() - 1
        });
        let values = match (here.get("const"), here.get("enum"), here.get("type")) {
            (Some(value), ..) => vec![value.clone()],
            (None, Some(Value::Array(values)), _) => values.clone(),
            (None, None, Some(Value::String(kind))) if kind == "boolean" => vec![Value::Bool(true), Value::Bool(false)],
            _ => Vec::new(),
        };
        let known = &mut self.fields[number].values;
        for value in values {
            if !known.contains(&value) {
                known.push(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields_of(document: Value) -> Vec<(String, Vec<Value>)> {
        let schema = Schema::trusted(document);
        fields(&schema).into_iter().map(|field| (field.pointer.to_string(), field.values)).collect()
    }

    #[test]
    fn nested_objects_items_and_alternatives_declare_fields() {
        let schema = json!({
            "properties": {
                "type": { "const": "x" },
                "ok": { "type": "boolean" },
                "list": { "items": { "properties": { "mode": { "enum": ["r", "w"] } } } }
            },
            "anyOf": [
                { "properties": { "a": { "const": 1 }, "ok": true } },
                { "properties": { "a": { "const": 2 } } }
            ]
        });
        let expected = [
            ("/type", vec![]),
            ("/ok", vec![json!(true), json!(false)]),
            ("/list", vec![]),
            ("/list/*", vec![]),
            ("/list/*/mode", vec![json!("r"), json!("w")]),
            ("/a", vec![json!(1), json!(2)]),
        ];
        assert_eq!(fields_of(schema), expected.map(|(pointer, values)| (pointer.to_owned(), values)));
    }

    #[test]
    fn a_schema_that_refers_to_itself_has_an_end() {
        let tree = json!({ "properties": { "child": { "$ref": "#" }, "name": {} } });
        let names: Vec<_> = fields_of(tree).into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(names, ["/child", "/child/child", "/child/name", "/name"]);
        // Each refers to the next twice: followed to the end, these would be 2^30.
        let mut definitions = serde_json::Map::new();
        for n in 0..30 {
            let next = json!({ "$ref": format!("#/$defs/{}", n + 1) });
            definitions.insert(n.to_string(), json!({ "properties": { "a": next, "b": next } }));
        }
        definitions.insert("30".to_owned(), json!(true));
        assert!(fields_of(json!({ "$ref": "#/$defs/0", "$defs": definitions })).len() <= MOST_SCHEMAS);
    }
}
