//! A schema → values that are valid by it.

use serde_json::{Map, Value, json};

use super::choices::Choices;
use super::text::text;

/// How deep values stand in each other at most, where the schema sets no end.
const MOST_DEPTH: usize = 6;

/// A value of a schema, which stands in `document`. Of keywords that are not understood here nothing is promised:
/// whoever needs a valid value checks it.
pub fn value(document: &Value, schema: &Value, choices: &mut Choices<'_>, depth: usize) -> Value {
    let schema = resolved(document, schema);
    let keyword = |name: &str| schema.get(name);
    if let Some(one) = keyword("const") {
        return one.clone();
    }
    if let Some(one) = keyword("enum").and_then(Value::as_array).and_then(|several| choices.one_of(several)) {
        return one.clone();
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(one) = keyword(several).and_then(Value::as_array).and_then(|several| choices.one_of(several)) {
            return value(document, one, choices, depth);
        }
    }
    let types: Vec<&str> = match keyword("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ if keyword("properties").is_some() => vec!["object"],
        _ if keyword("items").is_some() => vec!["array"],
        _ => return anything(choices, depth),
    };
    match choices.one_of(&types).copied() {
        Some("object") => object(document, schema, choices, depth),
        Some("array") => array(document, schema, choices, depth),
        Some("string") => string(schema, choices),
        Some("integer") => json!(number(schema, choices).round() as i64),
        Some("number") => match number(schema, choices) {
            whole if whole.fract() == 0.0 => json!(whole as i64),
            other => json!(other),
        },
        Some("boolean") => Value::Bool(choices.below(2) == 1),
        _ => Value::Null,
    }
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let mut schema = schema;
    for _ in 0..MOST_DEPTH {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        match target.and_then(|target| document.pointer(target)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

fn object(document: &Value, schema: &Value, choices: &mut Choices<'_>, depth: usize) -> Value {
    let mut members = Map::new();
    let required = |name: &str| {
        let mut names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        names.any(|required| required == name)
    };
    let declared = schema.get("properties").and_then(Value::as_object);
    for (name, property) in declared.into_iter().flatten() {
        if required(name) || depth < MOST_DEPTH && choices.below(2) == 1 {
            members.insert(name.clone(), value(document, property, choices, depth + 1));
        }
    }
    // An object of which nothing is declared is free.
    if declared.is_none() && depth < MOST_DEPTH {
        for number in 0..choices.below(3) {
            members.insert(format!("{}{number}", text(choices, 0)), anything(choices, depth + 1));
        }
    }
    Value::Object(members)
}

fn array(document: &Value, schema: &Value, choices: &mut Choices<'_>, depth: usize) -> Value {
    let bound = |name: &str, none: usize| schema.get(name).and_then(Value::as_u64).map_or(none, |bound| bound as usize);
    let least = bound("minItems", 0);
    let most = bound("maxItems", least + 3).max(least);
    let count = least + choices.below((most - least).min(3) + 1);
    let item = |choices: &mut Choices<'_>| match schema.get("items") {
        Some(items) => value(document, items, choices, depth + 1),
        None => anything(choices, depth + 1),
    };
    Value::Array((0..count).map(|_| item(choices)).collect())
}

fn string(schema: &Value, choices: &mut Choices<'_>) -> Value {
    if schema.get("format").is_some_and(|format| format == "date-time") {
        return json!("2026-01-01T00:00:00Z");
    }
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64).map(|bound| bound as usize);
    let text = text(choices, bound("minLength").unwrap_or_default());
    match bound("maxLength") {
        Some(most) => text.chars().take(most).collect::<String>().into(),
        None => text.into(),
    }
}

fn number(schema: &Value, choices: &mut Choices<'_>) -> f64 {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|bound| bound + 1.0)).unwrap_or(0.0);
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|bound| bound - 1.0)).unwrap_or(least + 100_000.0);
    let steps = [0.0, 1.0, 2.0, 10.0, 999.0, 0.5];
    (least + steps[choices.below(steps.len())]).min(most)
}

/// A value that nothing is said of.
fn anything(choices: &mut Choices<'_>, depth: usize) -> Value {
    match choices.below(if depth < MOST_DEPTH { 8 } else { 5 }) {
        0 => text(choices, 0).into(),
        1 => Value::Null,
        2 => Value::Bool(choices.below(2) == 1),
        3 => json!(choices.below(1_000_000)),
        4 => json!(choices.below(1000) as f64 / 8.0 - 50.0),
        5 | 6 => (0..choices.below(3)).map(|_| anything(choices, depth + 1)).collect(),
        _ => {
            let member = |choices: &mut Choices<'_>, number| {
                (format!("{}{number}", text(choices, 0)), anything(choices, depth + 1))
            };
            Value::Object((0..choices.below(3)).map(|number| member(choices, number)).collect())
        }
    }
}
