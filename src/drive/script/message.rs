//! Converts the TOML and JSON values of a script to message templates and constants.

use std::ops::Range;

use sessionlint_core::schema::Pointer;
use sessionlint_core::toml_reader::{Reader, Value};
use toml::de::DeValue;

use super::template::{Placeholder, Template, TemplateError};

/// Parses a JSON Pointer, and reports a malformed one.
pub fn pointer(reader: &mut Reader, text: &str, span: Range<usize>) -> Option<String> {
    if Pointer::parse(text).is_none() {
        let message = format!("{text:?} is not a JSON Pointer");
        reader.problem(span, message, "begin it with a slash, such as \"/payload/session_id\"");
        return None;
    }
    Some(text.to_owned())
}

/// Converts a TOML value to JSON, without placeholders.
pub fn constant(reader: &mut Reader, value: &Value<'_>) -> serde_json::Value {
    reader.json(value).unwrap_or_default()
}

/// Parses a string with placeholders. `known` resolves their names.
pub fn string_template(
    reader: &mut Reader,
    text: &str,
    span: Range<usize>,
    known: &impl Fn(&str) -> Option<Placeholder>,
) -> Template {
    Template::text(text, known).unwrap_or_else(|fault| {
        let (message, help) = match fault {
            TemplateError::Unclosed => ("the two braces are not closed".to_owned(), "write {{NAME}}".to_owned()),
            TemplateError::Unknown(name) => (format!("there is no {{{{{name}}}}} here"), PLACEHOLDERS_HELP.to_owned()),
        };
        reader.problem(span, message, help);
        Template::Value(text.into())
    })
}

const PLACEHOLDERS_HELP: &str =
    "there are {{id}}, {{prompt}}, {{prompt:2}} and so on up to `prompts`, and what an earlier step takes";

/// Converts a string to a template.
type StringReader<'s> = dyn Fn(&str, &mut Reader, Range<usize>) -> Template + 's;

/// Converts a TOML value to a JSON template.
pub fn toml_template(reader: &mut Reader, value: &Value<'_>, strings: &StringReader<'_>) -> Template {
    match value.get_ref() {
        DeValue::String(text) => strings(text, reader, value.span()),
        DeValue::Array(items) => {
            Template::Array(items.iter().map(|item| toml_template(reader, item, strings)).collect())
        }
        DeValue::Table(table) => {
            let members =
                table.iter().map(|(key, value)| (key.get_ref().to_string(), toml_template(reader, value, strings)));
            Template::Object(members.collect())
        }
        _ => Template::Value(constant(reader, value)),
    }
}

/// Converts a JSON value to a template. Mistakes are reported at `span`, whichever part of the value has them.
pub fn json_template(
    reader: &mut Reader,
    value: serde_json::Value,
    span: &Range<usize>,
    strings: &StringReader<'_>,
) -> Template {
    match value {
        serde_json::Value::String(text) => strings(&text, reader, span.clone()),
        serde_json::Value::Array(items) => {
            Template::Array(items.into_iter().map(|item| json_template(reader, item, span, strings)).collect())
        }
        serde_json::Value::Object(members) => Template::Object(
            members.into_iter().map(|(key, value)| (key, json_template(reader, value, span, strings))).collect(),
        ),
        other => Template::Value(other),
    }
}
