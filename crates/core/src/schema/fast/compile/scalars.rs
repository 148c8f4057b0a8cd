//! The keywords for strings and numbers, and those that list values.

use serde_json::Value;

use super::super::program::{NumberNode, SchemaNode, StringNode, TypeSet};
use super::is_plain;

/// The largest integer up to which a number holds every integer: 2⁵³−1.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Applies `format`, which speaks of strings only.
pub(super) fn format(node: &mut SchemaNode, schema: &Value) -> Result<(), String> {
    match schema.get("format") {
        None => {}
        Some(format) if format == "date-time" => node.string = StringNode::DateTime,
        Some(_) if !node.types.has(TypeSet::STRING) => {}
        Some(format) => return Err(format!("the format {format}")),
    }
    Ok(())
}

/// Applies the keywords for strings, and those that list values.
pub(super) fn strings(node: &mut SchemaNode, schema: &Value) -> Result<(), String> {
    let options = match (schema.get("const"), schema.get("enum")) {
        (None, None) => None,
        (Some(one), None) => Some(vec![one]),
        (None, Some(Value::Array(several))) => Some(several.iter().collect()),
        _ => return Err("const and enum at once".to_owned()),
    };
    let (least, most) = (schema.get("minLength"), schema.get("maxLength"));
    if let Some(options) = options {
        if node.string != StringNode::Any || least.is_some() || most.is_some() {
            return Err("const or enum beside other keywords for strings".to_owned());
        }
        listed(node, &options, if schema.get("const").is_some() { "const" } else { "enum" })?;
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

/// Applies a list of values; `keyword` lists them.
fn listed(node: &mut SchemaNode, options: &[&Value], keyword: &'static str) -> Result<(), String> {
    let (mut types, mut words, mut numbers) = (0, Vec::new(), Vec::new());
    for option in options {
        types |= match option {
            Value::Null => TypeSet::NULL,
            Value::Bool(true) => TypeSet::TRUE,
            Value::Bool(false) => TypeSet::FALSE,
            Value::Number(number) => {
                let number = number.as_f64().filter(|number| number.abs() <= LARGEST_INTEGER && number.fract() == 0.0);
                numbers.push(number.ok_or("const or enum with numbers that are no safe integers")?);
                TypeSet::NUMBER
            }
            Value::String(word) if is_plain(word) => {
                words.push(word.as_bytes().into());
                TypeSet::STRING
            }
            _ => return Err("const or enum with arrays, objects, or strings that need escapes".to_owned()),
        };
    }
    node.types.0 &= types;
    node.string = StringNode::OneOf(words, keyword);
    if !numbers.is_empty() {
        node.number = Some(NumberNode { listed: Some(numbers), ..NumberNode::default() });
    }
    Ok(())
}

/// Applies the keywords for numbers.
pub(super) fn numbers(node: &mut SchemaNode, schema: &Value) -> Result<(), String> {
    let bound = |keyword: &str, none: f64| match schema.get(keyword) {
        None => Ok(none),
        Some(value) => {
            value.as_f64().filter(|bound| bound.abs() <= LARGEST_INTEGER).ok_or(format!("{keyword} {value}"))
        }
    };
    let number = NumberNode {
        integer: names(schema).contains(&"integer") && !names(schema).contains(&"number"),
        least: bound("minimum", f64::NEG_INFINITY)?,
        most: bound("maximum", f64::INFINITY)?,
        more_than: bound("exclusiveMinimum", f64::NEG_INFINITY)?,
        less_than: bound("exclusiveMaximum", f64::INFINITY)?,
        listed: node.number.take().and_then(|number| number.listed),
    };
    let bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    if number.integer || number.listed.is_some() || bounds.iter().any(|keyword| schema.get(keyword).is_some()) {
        node.number = Some(number);
    }
    Ok(())
}

/// Returns the names that the keyword `type` lists.
fn names(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    }
}
