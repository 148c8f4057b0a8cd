//! Generates values that are valid by a JSON Schema.

use serde_json::{Map, Value, json};

use super::choices::Choices;
use super::odd_text::odd_text;

/// The depth from which optional values are left out.
const MOST_DEPTH: usize = 6;
/// The greatest depth of values that the schema requires: an endlessly recursive schema has no valid value.
const DEEPEST: usize = 64;
/// The size limit of one value, in bytes, approximately: longer values are too long for inputs.
const MOST_MADE: usize = 1 << 20;
/// The part of that limit that every value uses, whatever it holds.
const LEAST_MADE: usize = 8;

/// Generates a value for a schema within `document`. The value may be invalid if the schema uses keywords that are not
/// supported here, or requires endless or very large values: callers that need a valid value must check it.
pub fn value(document: &Value, schema: &Value, choices: &mut Choices<'_>, depth: usize) -> Value {
    ValueGenerator { document, choices, room: MOST_MADE }.value(schema, depth)
}

/// The generator of one value.
struct ValueGenerator<'m, 't> {
    document: &'m Value,
    choices: &'m mut Choices<'t>,
    /// The part of the size limit that is left, in bytes.
    room: usize,
}

impl ValueGenerator<'_, '_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST || self.room < LEAST_MADE {
            self.room = 0;
            return Value::Null;
        }
        self.room -= LEAST_MADE;
        let document = self.document;
        let schema = resolve(document, schema);
        let keyword = |name: &str| schema.get(name);
        if let Some(one) = keyword("const") {
            return one.clone();
        }
        let several = |name: &str| keyword(name).and_then(Value::as_array);
        if let Some(one) = several("enum").and_then(|several| self.choices.one_of(several)) {
            return one.clone();
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(one) = several(name).and_then(|several| self.choices.one_of(several)) {
                return self.value(one, depth + 1);
            }
        }
        let types: Vec<&str> = match keyword("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ if keyword("properties").is_some() => vec!["object"],
            _ if keyword("items").is_some() => vec!["array"],
            _ => return any_value(self.choices, depth),
        };
        match self.choices.one_of(&types).copied() {
            Some("object") => self.object(schema, depth),
            Some("array") => self.array(schema, depth),
            Some("string") => self.string(schema),
            Some("integer") => json!(number(schema, self.choices).round() as i64),
            Some("number") => match number(schema, self.choices) {
                whole if whole.fract() == 0.0 => json!(whole as i64),
                other => json!(other),
            },
            Some("boolean") => Value::Bool(self.choices.below(2) == 1),
            _ => Value::Null,
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut members = Map::new();
        let required = |name: &str| {
            let mut names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            names.any(|required| required == name)
        };
        let declared = schema.get("properties").and_then(Value::as_object);
        for (name, property) in declared.into_iter().flatten() {
            if required(name) || depth < MOST_DEPTH && self.choices.below(2) == 1 {
                members.insert(name.clone(), self.value(property, depth + 1));
            }
        }
        // An object without declared properties may have any members.
        if declared.is_none() && depth < MOST_DEPTH {
            for number in 0..self.choices.below(3) {
                members.insert(format!("{}{number}", odd_text(self.choices, 0)), any_value(self.choices, depth + 1));
            }
        }
        Value::Object(members)
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let least = bound(schema, "minItems").unwrap_or_default();
        let most = bound(schema, "maxItems").unwrap_or(least.saturating_add(3)).max(least);
        let count = least + self.choices.below((most - least).min(3) + 1);
        let any = Value::Bool(true);
        let item = schema.get("items").unwrap_or(&any);
        let made = |_| (self.room > 0).then(|| self.value(item, depth + 1));
        Value::Array((0..count).map_while(made).collect())
    }

    fn string(&mut self, schema: &Value) -> Value {
        if schema.get("format").is_some_and(|format| format == "date-time") {
            return json!("2026-01-01T00:00:00Z");
        }
        let least = bound(schema, "minLength").unwrap_or_default();
        let text = odd_text(self.choices, least.min(self.room));
        self.room = self.room.saturating_sub(text.len());
        match bound(schema, "maxLength") {
            Some(most) => text.chars().take(most).collect::<String>().into(),
            None => text.into(),
        }
    }
}

fn bound(schema: &Value, name: &str) -> Option<usize> {
    schema.get(name).and_then(Value::as_u64).map(|bound| bound as usize)
}

fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
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

fn number(schema: &Value, choices: &mut Choices<'_>) -> f64 {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|bound| bound + 1.0)).unwrap_or(0.0);
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|bound| bound - 1.0)).unwrap_or(least + 100_000.0);
    let steps = [0.0, 1.0, 2.0, 10.0, 999.0, 0.5];
    (least + steps[choices.below(steps.len())]).min(most)
}

/// Generates a value without a schema.
fn any_value(choices: &mut Choices<'_>, depth: usize) -> Value {
    match choices.below(if depth < MOST_DEPTH { 8 } else { 5 }) {
        0 => odd_text(choices, 0).into(),
        1 => Value::Null,
        2 => Value::Bool(choices.below(2) == 1),
        3 => json!(choices.below(1_000_000)),
        4 => json!(choices.below(1000) as f64 / 8.0 - 50.0),
        5 | 6 => (0..choices.below(3)).map(|_| any_value(choices, depth + 1)).collect(),
        _ => {
            let member = |choices: &mut Choices<'_>, number| {
                (format!("{}{number}", odd_text(choices, 0)), any_value(choices, depth + 1))
            };
            Value::Object((0..choices.below(3)).map(|number| member(choices, number)).collect())
        }
    }
}
