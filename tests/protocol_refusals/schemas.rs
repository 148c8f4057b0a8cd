//! Schemas with mistakes that a JSON Schema may have: every validator ignores a keyword that it does not know.

use crate::{Folder, Refusal};

const STATUS: &str = "session.status.schema.json";

/// Returns the refusal of the schema of `session.status` with one change.
fn refused(from: &str, to: &str) -> Refusal {
    Folder::copy().edit(STATUS, from, to).refusal(STATUS)
}

/// Returns the refusal of the schema of `session.status` whose label has this schema.
fn refused_label(schema: &str) -> Refusal {
    let text = std::fs::read_to_string(crate::schemas().join("session-events").join(STATUS)).expect("readable");
    let label = text.split("\"status_label\": ").nth(1).and_then(|rest| rest.lines().next()).expect("it is there");
    refused(label, schema)
}

#[test]
fn a_misspelt_keyword_is_refused_with_the_nearest_one() {
    for (misspelt, meant) in [
        ("requried", "required"),
        ("additionalPropertys", "additionalProperties"),
        ("minlength", "minLength"),
        ("maxlenght", "maxLength"),
        ("patern", "pattern"),
        ("enums", "enum"),
        ("discription", "description"),
        ("anyof", "anyOf"),
        ("Type", "type"),
        ("example", "examples"),
    ] {
        let said = format!("JSON Schema (draft 2020-12) has no keyword `{misspelt}`");
        refused_label(&format!("{{ \"{misspelt}\": 1 }}"))
            .says(&said, &format!("\"status_label\": {{ ▸\"{misspelt}\": 1 }}"))
            .advises(&said, &format!("did you mean {meant}?"))
            .and_nothing_else(1);
    }
}

#[test]
fn a_keyword_of_another_draft_or_of_none_says_what_to_write() {
    let advice = |schema: &str, keyword: &str, help: &str| {
        let said = format!("has no keyword `{keyword}`");
        refused_label(schema).advises(&said, help).and_nothing_else(1);
    };
    advice(r#"{ "type": "string", "nullable": true }"#, "nullable", r#"["string", "null"]"#);
    advice(r##"{ "$recursiveRef": "#" }"##, "$recursiveRef", "$dynamicRef");
    // A field that is not in `properties`.
    advice(r#"{ "type": "object", "colour": { "type": "string" } }"#, "colour", "a field is declared in `properties`");
    advice(r#"{ "owner": "me" }"#, "owner", "starts with x-");
}

#[test]
fn keywords_are_looked_for_wherever_a_schema_is() {
    for schema in [
        r#"{ "properties": { "a": { "tpye": 1 } } }"#,
        r#"{ "items": { "tpye": 1 } }"#,
        r#"{ "anyOf": [true, { "tpye": 1 }] }"#,
        r#"{ "not": { "tpye": 1 } }"#,
        r#"{ "additionalProperties": { "tpye": 1 } }"#,
        r#"{ "patternProperties": { "a": { "tpye": 1 } } }"#,
        r#"{ "prefixItems": [{ "tpye": 1 }] }"#,
        r#"{ "if": true, "then": { "tpye": 1 } }"#,
        r#"{ "$defs": { "unused": { "tpye": 1 } } }"#,
        r#"{ "dependentSchemas": { "a": { "tpye": 1 } } }"#,
        r#"{ "dependencies": { "a": { "tpye": 1 }, "b": ["c"] } }"#,
    ] {
        refused_label(schema).says("no keyword `tpye`", "▸\"tpye\"").and_nothing_else(1);
    }
}

#[test]
fn notes_and_values_are_no_keywords() {
    for schema in [
        r#"{ "title": "a", "$comment": "b", "deprecated": true, "readOnly": true, "default": "c", "x-owner": { "tpye": 1 } }"#,
        r#"{ "const": { "tpye": 1 } }"#,
        r#"{ "enum": [{ "tpye": 1 }], "examples": [{ "tpye": 1 }], "default": { "tpye": 1 } }"#,
        r#"{ "properties": { "tpye": { "type": "string" } } }"#,
        r#"{ "contentMediaType": "application/json", "contentEncoding": "base64", "contentSchema": {} }"#,
        r##"{ "$ref": "#/$defs/a", "$defs": { "a": { "$anchor": "here" } } }"##,
    ] {
        let folder = Folder::copy();
        let extra = schema.replace("#/$defs", "#/properties/extra/$defs");
        folder
            .edit(
                STATUS,
                "  \"properties\": {\n    \"type\"",
                &format!("  \"properties\": {{ \"extra\": {extra},\n    \"type\""),
            )
            .loads();
    }
}

#[test]
fn an_unknown_format_is_refused() {
    refused_label(r#"{ "format": "datetime" }"#)
        .says("there is no format \"datetime\", so it would not be checked", r#"{ "format": ▸"datetime" }"#)
        .advises("there is no format", "did you mean date-time?")
        .and_nothing_else(1);
    refused_label(r#"{ "format": "int64" }"#)
        .advises("there is no format \"int64\"", "date-time (2026-01-01T00:00:00Z), date (2026-01-01)")
        .and_nothing_else(1);
}

#[test]
fn a_value_that_a_keyword_cannot_have_is_refused_at_its_place() {
    for (schema, said, help) in [
        (r#"{ "type": ▸"strng" }"#, "there is no type \"strng\" in JSON", "did you mean string?"),
        (r#"{ "type": ["null", ▸"text"] }"#, "there is no type \"text\"", "there are array, boolean"),
        (r#"{ "type": ▸3 }"#, "`type` must be a type, or a list of types, but is a number", "there are array"),
        (r#"{ "required": ▸true }"#, "`required` must be a list of names, but is a boolean", "beside `properties`"),
        (r#"{ "minLength": ▸"1" }"#, "`minLength` must be a whole number, 0 or more, but is a string", "without quot"),
        (r#"{ "minLength": ▸-1 }"#, "`minLength` must be a whole number, 0 or more, but is -1", ""),
        (r#"{ "enum": ▸"a" }"#, "`enum` must be a list, but is a string", "between [ and ]"),
        (r#"{ "items": ▸[{}] }"#, "a schema is an object, true or false, and not an array", "{}"),
        (r#"{ "properties": { "a": ▸"string" } }"#, "a schema is an object, true or false, and not a string", "type"),
        (r#"{ "anyOf": ▸[] }"#, "`anyOf` must be a list of schemas, but is empty", "at least one"),
        (
            r#"{ "exclusiveMinimum": ▸true }"#,
            "`exclusiveMinimum` must be a number, but is a boolean",
            "the limit itself",
        ),
        (r##"{ "$ref": ▸"#/$defs/lable" }"##, "there is nothing at #/$defs/lable in this file", "$defs"),
        (r#"{ "pattern": ▸"(" }"#, "", "draft 2020-12"),
        (r#"{ "title": "a", ▸"title": "b" }"#, "`title` occurs twice in this object", "only the last one"),
    ] {
        let place = format!("\"status_label\": {schema}");
        refused_label(&schema.replace('▸', "")).says(said, &place).advises(said, help).and_nothing_else(1);
    }
}

#[test]
fn a_required_field_is_declared() {
    let required = "\"required\": [\"session_id\", \"pending\", \"status_label\"],\n      \"properties\": {";
    let misspelt = required.replace("\"status_label\"", "\"status_lable\"");
    refused(required, &misspelt)
        .says("the required field `status_lable` is not in `properties`", "\"pending\", ▸\"status_lable\"]")
        .advises("`status_lable` is not in", "did you mean status_label?")
        .and_nothing_else(1);
    let closed = required.replace("\"required\": [", "\"additionalProperties\": false, \"required\": [\"other\", ");
    refused(required, &closed)
        .says("the required field `other` is not in `properties`", "\"required\": [▸\"other\"")
        .advises("`other` is not in", "no event could be valid")
        .and_nothing_else(1);
    // Something else may be required that any reader of the schema knows.
    let error = "\"required\": [\"session_id\", \"error\", \"code\"]";
    Folder::copy().edit("session.error.schema.json", error, &error.replace("[", "[\"other\", ")).loads();
}

#[test]
fn a_schema_is_of_the_event_type_that_its_file_is_named_after() {
    let said = "this file is for the event type session.status, but its schema does not allow session.status at /type";
    refused(r#"{ "const": "session.status" }"#, r#"{ "const": "session.state" }"#)
        .says(said, r#"{ "const": ▸"session.state" }"#)
        .advises(said, "write \"session.status\" here, or rename the file to session.state.schema.json")
        .and_nothing_else(1);
    refused(r#"{ "const": "session.status" }"#, r#"{ "enum": ["session.state", "status"] }"#)
        .says(said, r#"{ "enum": ▸["session.state", "status"] }"#)
        .and_nothing_else(1);
    refused(r#"{ "const": "session.status" }"#, r#"{ "type": "integer" }"#)
        .says(said, r#"{ "type": ▸"integer" }"#)
        .and_nothing_else(1);
    let shared = r##"{ "$ref": "#/$defs/name" }"##;
    Folder::copy()
        .edit(STATUS, r#"{ "const": "session.status" }"#, shared)
        .edit(
            STATUS,
            "  \"type\": \"object\",\n  \"req",
            "  \"$defs\": { \"name\": { \"const\": \"other\" } },\n  \"type\": \"object\",\n  \"req",
        )
        .refusal(STATUS)
        .says(said, "\"name\": { \"const\": ▸\"other\" }")
        .and_nothing_else(1);
    Folder::copy().edit(STATUS, r#"{ "const": "session.status" }"#, r#"{ "enum": ["session.status", "b"] }"#).loads();
}
