//! The lowered form says what the document says.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{lowered, made, written_out};
use crate::input::json::parse;
use crate::schema::{Schema, UnknownName, judge, unknown_names};

fn schema_with(v: Value) -> Value {
    json!({ "properties": { "v": v }, "$defs": { "cost": { "type": "object", "properties": { "n": { "type": "number" } } } } })
}

/// Returns the lowered form of a schema, in which arms are written out.
fn form(v: Value) -> Value {
    let document = schema_with(v);
    written_out(&lowered(&document).unwrap_or(document))["properties"]["v"].clone()
}

#[test]
fn alternatives_of_different_types_are_one_schema() {
    assert_eq!(
        form(json!({ "anyOf": [{ "$ref": "#/$defs/cost" }, { "type": "null" }] })),
        json!({ "type": ["object", "null"], "properties": { "n": { "type": "number" } } })
    );
    assert_eq!(
        form(
            json!({ "description": "d", "oneOf": [{ "type": "string", "minLength": 1 }, { "type": "array", "items": { "type": "string" } }] })
        ),
        json!({ "description": "d", "type": ["string", "array"], "minLength": 1, "items": { "type": "string" } })
    );
    assert_eq!(
        form(json!({ "anyOf": [{ "const": "a" }, { "enum": ["b"] }, { "type": "null" }] })),
        json!({ "enum": ["a", "b", null], "type": ["string", "null"] })
    );
    assert_eq!(
        form(json!({ "anyOf": [{ "type": "string", "const": "a" }, { "title": "other", "type": "string" }] })),
        json!({ "type": "string" })
    );
}

#[test]
fn what_one_member_does_not_tell_apart_stays_as_it_is_written() {
    for as_written in [
        // No member that each of them has.
        json!({ "anyOf": [{ "type": "object", "required": ["a"] }, { "type": "object", "required": ["b"] }] }),
        // It may be missing.
        json!({ "oneOf": [
            { "type": "object", "properties": { "t": { "const": "a" } }, "required": ["t"] },
            { "type": "object", "properties": { "t": { "const": "b" } } }
        ] }),
        // Both have one value.
        json!({ "oneOf": [
            { "type": "object", "properties": { "t": { "const": "a" } }, "required": ["t"] },
            { "type": "object", "properties": { "t": { "enum": ["b", "a"] } }, "required": ["t"] }
        ] }),
        json!({ "oneOf": [{ "type": "string", "minLength": 1 }, { "type": "string", "maxLength": 3 }] }),
        json!({ "not": { "type": "string" } }),
    ] {
        assert_eq!(form(as_written.clone()), as_written);
    }
}

#[test]
fn a_document_may_have_a_name() {
    let mut document = schema_with(json!({ "anyOf": [{ "$ref": "#/$defs/cost" }, { "type": "null" }] }));
    document["$id"] = "https://example.org/a".into();
    let lowered = lowered(&document).expect("it has another form");
    assert_eq!(lowered["properties"]["v"]["type"], json!(["object", "null"]));
    assert_eq!(lowered["$id"], "https://example.org/a");
}

#[test]
fn references_that_are_no_definitions_or_lead_to_themselves_have_an_end() {
    let elsewhere =
        json!({ "properties": { "a": { "anyOf": [{ "type": "null" }, { "$ref": "#/properties/b" }] }, "b": {} } });
    assert_eq!(lowered(&elsewhere), None);
    let tree = json!({
        "$ref": "#/$defs/tree",
        "$defs": { "tree": { "type": "object", "properties": { "next": { "anyOf": [{ "$ref": "#/$defs/tree" }, { "type": "null" }] } } } }
    });
    let schema = Schema::trusted(tree);
    assert!(schema.judged().allows(&json!({ "next": { "next": null } })));
    assert!(!schema.judged().allows(&json!({ "next": { "next": 1 } })));
    // Each doubles the next.
    let mut definitions = serde_json::Map::new();
    for n in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/{}", n + 1) });
        definitions.insert(n.to_string(), json!({ "type": "object", "allOf": [next], "properties": { "a": next, "b": { "anyOf": [next, { "type": "null" }] } } }));
    }
    definitions.insert("40".to_owned(), json!({ "type": "object" }));
    assert_eq!(lowered(&json!({ "$ref": "#/$defs/0", "$defs": definitions })), None);
}

#[test]
fn conditions_on_an_object_ask_nothing_of_other_types() {
    let object = json!({
        "type": "object",
        "required": ["k"],
        "if": { "properties": { "k": { "const": "a" } } },
        "then": { "required": ["b"], "properties": { "b": {} } }
    });
    let schema = Schema::trusted(schema_with(json!({ "anyOf": [object, { "type": "string" }] })));
    for (value, is_valid) in [
        (json!("a"), true),
        (json!({ "k": "a", "b": 1 }), true),
        (json!({ "k": "c" }), true),
        (json!({ "k": "a" }), false),
        (json!({}), false),
        (json!(null), false),
    ] {
        assert_eq!(schema.judged().allows(&json!({ "v": value })), is_valid, "{value}");
        assert_eq!(schema.allows(&json!({ "v": value })), is_valid, "{value}");
    }
}

/// Returns whether a value has faults, and the pointers of its unknown names, each with whether it is a value.
fn found(schema: &Schema, value: &Value) -> (bool, Vec<(String, bool)>) {
    let text = json!({ "v": value }).to_string();
    let tree = parse(text.as_bytes()).expect("it is JSON");
    let mut unknown = Vec::new();
    unknown_names(schema, &tree.root, text.as_bytes(), &mut |kind, _, pointer| {
        unknown.push((pointer.text(), kind == UnknownName::Value));
    });
    (!judge(schema, &tree.root, text.as_bytes(), &mut |_| {}).listed.is_empty(), unknown)
}

fn arms_of(words: [&str; 2]) -> Value {
    let arm = |word| json!({ "type": "object", "required": ["k"], "properties": { "k": { "const": word }, "n": { "type": "number" } } });
    json!({ "anyOf": words.map(arm) })
}

/// A part of a schema may have arms although the schema itself stays as it is written.
#[test]
fn an_unknown_value_is_found_beside_what_stays_as_it_is_written() {
    let unknown = |pointer: &str| (false, vec![(pointer.to_owned(), true)]);
    // No schema is both: what `then` forbids is declared beside it.
    let beside = json!({
        "type": "object",
        "required": ["k"],
        "properties": { "k": { "enum": ["a", "b"] }, "z": arms_of(["a", "b"]) },
        "if": { "required": ["k"], "properties": { "k": { "const": "a" } } },
        "then": { "properties": {}, "additionalProperties": false },
        "else": { "properties": {} }
    });
    let schema = Schema::trusted(schema_with(beside));
    assert_eq!(found(&schema, &json!({ "k": "b", "z": { "k": "" } })), unknown("/v/z/k"));
    assert_eq!(found(&schema, &json!({ "k": "b", "z": { "k": "a", "n": 1 } })), (false, vec![]));
    assert!(found(&schema, &json!({ "k": "b", "z": { "k": "a", "n": "1" } })).0);
    let others = Schema::trusted(schema_with(json!({ "type": "object", "additionalProperties": arms_of(["a", "b"]) })));
    assert_eq!(found(&others, &json!({ "m": { "k": "c" } })), unknown("/v/m/k"));
    assert_eq!(found(&others, &json!({ "m": { "k": "b" } })), (false, vec![]));
    let referred = json!({
        "$ref": "#/$defs/cost",
        "properties": { "z": arms_of(["a", "b"]) },
        "additionalProperties": false
    });
    let schema = Schema::trusted(schema_with(referred));
    assert_eq!(found(&schema, &json!({ "z": { "k": "c" } })), unknown("/v/z/k"));
}

/// What has none of the arms is valid by a schema with arms, but not by the document.
#[test]
fn what_stays_as_it_is_written_refers_to_what_is_written() {
    let with_union = |v: Value| {
        let mut document = schema_with(v);
        document["$defs"]["union"] = arms_of(["a", "b"]);
        document["$defs"]["around"] = json!({ "$ref": "#/$defs/union" });
        Schema::trusted(document)
    };
    for name in ["union", "around"] {
        let union = json!({ "$ref": format!("#/$defs/{name}") });
        let has_x = json!({ "type": "object", "required": ["x"] });
        for (schema, value, is_valid) in [
            (json!({ "not": union }), json!({ "k": "c" }), true),
            (json!({ "not": union }), json!({ "k": "a" }), false),
            (json!({ "oneOf": [union, has_x] }), json!({ "k": "c", "x": 1 }), true),
            (json!({ "oneOf": [union, has_x] }), json!({ "k": "a", "x": 1 }), false),
            (json!({ "anyOf": [union, has_x] }), json!({ "k": "c" }), false),
            (json!({ "type": "array", "contains": union }), json!([{ "k": "c" }]), false),
        ] {
            assert_eq!(found(&with_union(schema.clone()), &value), (!is_valid, vec![]), "{value} by {schema}");
        }
    }
}

/// Many alternatives with much in common would be many copies.
#[test]
fn what_would_take_very_much_memory_stays_as_it_is_written() {
    let common: serde_json::Map<_, _> = (0..2000).map(|n| (format!("p{n}"), json!({ "type": "string" }))).collect();
    let arm = |n: usize| json!({ "required": ["t"], "properties": { "t": { "const": n.to_string() } } });
    let arms: Vec<_> = (0..2000).map(arm).collect();
    let base = json!({ "type": "object", "properties": common, "oneOf": arms });
    assert_eq!(lowered(&schema_with(base)), None);
    let test = |n: usize| json!({ "if": arm(n), "then": { "required": ["p1"] } });
    let tests: Vec<_> = (0..2000).map(test).collect();
    let conditions = json!({ "type": "object", "properties": common, "allOf": tests });
    assert!(lowered(&schema_with(conditions)).is_none_or(|form| form.to_string().len() < 1 << 20));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_value_is_valid_by_both_or_has_an_unknown_value(
        schema in made::schema(),
        values in prop::collection::vec(made::value(), 1..8),
    ) {
        let schema = Schema::trusted(made::document(schema));
        for value in values {
            let event = json!({ "type": "made", "v": value });
            let text = event.to_string();
            let tree = parse(text.as_bytes()).expect("it is JSON");
            let faults = judge(&schema, &tree.root, text.as_bytes(), &mut |_| {});
            let mut has_unknown_value = false;
            unknown_names(&schema, &tree.root, text.as_bytes(), &mut |kind, _, _| {
                has_unknown_value |= kind == UnknownName::Value;
            });
            let is_valid = faults.listed.is_empty() && !has_unknown_value;
            prop_assert_eq!(schema.allows(&event), is_valid, "{} by {}", event, schema.document());
        }
    }
}
