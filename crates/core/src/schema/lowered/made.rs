//! Schemas and values made for property tests: few names and words, so that values often fit.

use proptest::prelude::*;
use serde_json::{Value, json};

/// The names of members.
const NAMES: [&str; 4] = ["k", "x", "y", "z"];
/// The strings.
const WORDS: [&str; 4] = ["a", "b", "c", ""];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&WORDS[..])
}

/// Makes a schema of a plain value.
fn plain() -> impl Strategy<Value = Value> {
    let fixed = [
        json!(true),
        json!({}),
        json!({ "type": "string" }),
        json!({ "type": "string", "minLength": 1, "description": "Words." }),
        json!({ "type": ["string", "null"] }),
        json!({ "type": "null" }),
        json!({ "type": "boolean" }),
        json!({ "const": true }),
        json!({ "const": 1 }),
        json!({ "enum": ["a", null] }),
        json!({ "enum": ["a", 1, false] }),
        json!({ "type": "integer", "minimum": 0 }),
        json!({ "type": "number" }),
        json!({ "type": "string", "pattern": "^[ab]" }),
        json!({ "$ref": "#/$defs/one" }),
        json!({ "$ref": "#/$defs/two", "description": "Another." }),
        json!({ "$ref": "#/$defs/union" }),
        json!({ "$ref": "#/$defs/union", "required": ["x"] }),
        json!({ "not": { "$ref": "#/$defs/union" } }),
    ];
    prop_oneof![
        6 => prop::sample::select(fixed.to_vec()),
        1 => word().prop_map(|word| json!({ "const": word })),
        1 => (word(), word()).prop_map(|(one, two)| json!({ "type": "string", "enum": [one, two] })),
    ]
}

/// Makes a schema of an object with a few properties.
fn object(inner: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Value> {
    let more = prop_oneof![
        5 => Just(json!({})),
        1 => inner.clone().prop_map(|others| json!({ "additionalProperties": others })),
        1 => Just(json!({ "additionalProperties": true })),
        1 => Just(json!({ "additionalProperties": false })),
        1 => Just(json!({ "dependentRequired": { "k": ["x"] } })),
        1 => Just(json!({ "additionalProperties": { "type": "string" } })),
    ];
    let properties = prop::collection::vec((name(), inner), 0..3);
    (properties, prop::collection::vec(name(), 0..2), more).prop_map(|(properties, required, more)| {
        let mut schema = json!({ "type": "object" });
        let declared: serde_json::Map<_, _> =
            properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
        let mut required: Vec<_> = required.into_iter().filter(|name| declared.contains_key(*name)).collect();
        required.dedup();
        schema["properties"] = declared.into();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            schema[key] = value.clone();
        }
        schema
    })
}

/// Gives an object a member by which it is told apart.
fn told_apart(mut object: Value, at: &str, words: &[&str]) -> Value {
    object["properties"][at] = if words.len() == 1 { json!({ "const": words[0] }) } else { json!({ "enum": words }) };
    let mut required: Vec<Value> = object["required"].as_array().cloned().unwrap_or_default();
    if !required.iter().any(|name| name == at) {
        required.push(at.into());
    }
    object["required"] = required.into();
    object
}

/// Makes a schema.
pub(crate) fn schema() -> impl Strategy<Value = Value> {
    plain().prop_recursive(4, 24, 4, |inner| {
        let arms = (object(inner.clone()), object(inner.clone()), object(inner.clone()), name(), any::<bool>(), any::<bool>());
        let union = arms.prop_map(|(one, two, three, at, has_two, is_exact)| {
            let mut arms = vec![told_apart(one, at, &["a"])];
            arms.push(told_apart(two, at, if has_two { &["b", "c"] } else { &["b"] }));
            if !has_two {
                arms.push(json!({ "allOf": [three], "properties": { at: { "const": "c" } }, "required": [at], "type": "object" }));
            }
            json!({ if is_exact { "oneOf" } else { "anyOf" }: arms })
        });
        let union = union.boxed();
        let condition = (object(inner.clone()), object(inner.clone()), object(inner.clone()), name(), word());
        let conditional = condition.prop_map(|(base, then, otherwise, at, word)| {
            let mut base = told_apart(base, at, &WORDS);
            base["if"] = json!({ "required": [at], "properties": { at: { "const": word } } });
            base["then"] = then;
            base["else"] = otherwise;
            base
        });
        let alternatives = (prop::collection::vec(inner.clone(), 1..4), any::<bool>());
        prop_oneof![
            2 => object(inner.clone()),
            1 => inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            3 => union.clone(),
            2 => conditional,
            2 => union.prop_map(|one| json!({ "anyOf": [one, { "type": "null" }] })),
            2 => alternatives.prop_map(|(each, is_exact)| json!({ if is_exact { "oneOf" } else { "anyOf" }: each })),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| json!({ "allOf": parts })),
            1 => (object(inner.clone()), object(inner)).prop_map(|(mut base, part)| {
                base["allOf"] = json!([part]);
                base
            }),
        ]
    })
}

/// Makes a document that has what the schemas refer to.
pub(crate) fn document(schema: Value) -> Value {
    json!({
        "type": "object",
        "required": ["type"],
        "properties": { "type": { "const": "made" }, "v": schema },
        "$defs": {
            "one": { "description": "One.", "type": "object", "required": ["x"], "properties": { "x": { "type": "string" } } },
            "two": { "anyOf": [{ "$ref": "#/$defs/one" }, { "type": "null" }] },
            "union": { "oneOf": [
                { "type": "object", "required": ["k"], "properties": { "k": { "const": "a" }, "z": { "$ref": "#/$defs/union" } } },
                { "type": "object", "required": ["k"], "properties": { "k": { "const": "b" }, "x": { "$ref": "#/$defs/two" } } },
            ] },
        },
    })
}

/// Makes a value.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        4 => word().prop_map(Value::from),
        1 => prop::sample::select(vec![json!(null), json!(true), json!(false), json!(0), json!(1), json!(-3), json!(1.5)]),
    ];
    plain.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec((name(), inner.clone()), 0..4).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}
