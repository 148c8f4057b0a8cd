//! What stands in a script for JSON → messages with holes, and values without.

use std::ops::Range;

use sessionlint_core::keys::{Reader, Value};
use sessionlint_core::schema::Pointer;
use toml::de::DeValue;

use super::template::{Fault, Hole, Template};

/// A JSON Pointer.
pub fn pointer(reader: &mut Reader, text: &str, span: Range<usize>) -> Option<String> {
    if Pointer::parse(text).is_none() {
        let message = format!("{text:?} is no JSON Pointer");
        reader.problem(span, message, "begin it with a slash, such as \"/payload/session_id\"");
        return None;
    }
    Some(text.to_owned())
}

/// A value of TOML as JSON, in which nothing is put in.
pub fn plain(reader: &mut Reader, value: &Value<'_>) -> serde_json::Value {
    template(reader, value, &|text, _, _| Template::Value(text.into())).fill(&|_| serde_json::Value::Null)
}

/// A string with holes, whose names `known` knows.
pub fn string(reader: &mut Reader, text: &str, span: Range<usize>, known: &impl Fn(&str) -> Option<Hole>) -> Template {
    Template::text(text, known).unwrap_or_else(|fault| {
        let (message, help) = match fault {
            Fault::Open => ("the two braces are not closed".to_owned(), "write {{NAME}}".to_owned()),
            Fault::Unknown(name) => (format!("there is no {{{{{name}}}}} here"), HOLES.to_owned()),
        };
        reader.problem(span, message, help);
        Template::Value(text.into())
    })
}

const HOLES: &str =
    "there are {{id}}, {{prompt}}, {{prompt:2}} and so on up to `prompts`, and what an earlier step takes";

/// Reads strings.
type Strings<'s> = dyn Fn(&str, &mut Reader, Range<usize>) -> Template + 's;

/// A value of TOML as JSON with holes.
pub fn template(reader: &mut Reader, value: &Value<'_>, strings: &Strings<'_>) -> Template {
    Template::Value(match value.get_ref() {
        DeValue::String(text) => return strings(text, reader, value.span()),
        DeValue::Array(items) => {
            return Template::Array(items.iter().map(|item| template(reader, item, strings)).collect());
        }
        DeValue::Table(table) => {
            let members =
                table.iter().map(|(key, value)| (key.get_ref().to_string(), template(reader, value, strings)));
            return Template::Object(members.collect());
        }
        DeValue::Boolean(known) => (*known).into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.into(),
            Err(_) => no_number(reader, value),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => number.into(),
            _ => no_number(reader, value),
        },
    })
}

fn no_number(reader: &mut Reader, value: &Value<'_>) -> serde_json::Value {
    let message = "JSON has no such number".to_owned();
    reader.problem(value.span(), message, "write a finite number of 64 bits, or a string");
    serde_json::Value::Null
}

/// The same for what is JSON already, all of it at one place.
pub fn json(reader: &mut Reader, value: serde_json::Value, span: &Range<usize>, strings: &Strings<'_>) -> Template {
    match value {
        serde_json::Value::String(text) => strings(&text, reader, span.clone()),
        serde_json::Value::Array(items) => {
            Template::Array(items.into_iter().map(|item| json(reader, item, span, strings)).collect())
        }
        serde_json::Value::Object(members) => Template::Object(
            members.into_iter().map(|(key, value)| (key, json(reader, value, span, strings))).collect(),
        ),
        other => Template::Value(other),
    }
}
