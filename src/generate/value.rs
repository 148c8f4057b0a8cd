//! Generates values that are valid by a JSON Schema, with what is wished for inside of them.

use serde_json::{Map, Value, json};
use sessionlint_core::schema::Pointer;

use super::choices::Choices;
use super::parts::Parts;
use super::texts::{Style, named_text, odd_text};
use super::wishes::{Wish, Wishes};
use super::written::put;

/// The depth from which optional values are left out.
const MOST_DEPTH: usize = 6;
/// The greatest depth of values that the schema requires: an endlessly recursive schema has no valid value.
const DEEPEST: usize = 64;
/// The size limit of one value, in bytes, approximately: longer values are too long for inputs.
const MOST_MADE: usize = 1 << 20;
/// The part of that limit that every value uses, whatever it holds.
const LEAST_MADE: usize = 8;
/// The most values that are made where one should be something else than some.
const MOST_OTHERS: usize = 8;

/// Generates a value for a schema within `document`. The value may be invalid if the schema uses keywords that are not
/// supported here, or requires endless or very large values: callers that need a valid value must check it.
#[cfg(feature = "proptest")]
pub fn value(document: &Value, schema: &Value, choices: &mut Choices<'_>, depth: usize) -> Value {
    let mut generator = ValueGenerator::new(document, choices, Style::Odd);
    generator.value(vec![schema], &Wishes::default(), None, depth)
}

/// Generates an event for the schema that is `document`, with these wishes. In the plain style it looks like the first
/// example in the schema, if that has one. What the schema leaves unclear is set all the same, but no member that only
/// another form of its object has.
pub fn event(document: &Value, wishes: &Wishes, style: Style, choices: &mut Choices<'_>) -> Value {
    let example = document.pointer("/examples/0").filter(|_| style == Style::Plain);
    let mut generator = ValueGenerator::new(document, choices, style);
    let mut made = generator.value(vec![document], wishes, example, 0);
    let left_out = generator.left_out;
    wishes.each_value(&mut Vec::new(), &mut |at, value| {
        if !left_out.iter().any(|member| at.starts_with(member)) {
            put(&mut made, at, value);
        }
    });
    made
}

/// The generator of one value.
struct ValueGenerator<'m, 't> {
    document: &'m Value,
    choices: &'m mut Choices<'t>,
    style: Style,
    /// The name of the member that is made.
    name: &'m str,
    /// The part of the size limit that is left, in bytes.
    room: usize,
    /// The place of the value that is made.
    at: Vec<String>,
    /// The members that were wished for, but that only another form of their object has.
    left_out: Vec<Vec<String>>,
}

impl<'m, 't> ValueGenerator<'m, 't> {
    fn new(document: &'m Value, choices: &'m mut Choices<'t>, style: Style) -> ValueGenerator<'m, 't> {
        let (at, left_out) = (Vec::new(), Vec::new());
        ValueGenerator { document, choices, style, name: "", room: MOST_MADE, at, left_out }
    }

    /// Generates the value of a member or an item.
    fn inside(
        &mut self,
        segment: String,
        schemas: Vec<&'m Value>,
        wishes: &Wishes,
        example: Option<&'m Value>,
        depth: usize,
    ) -> Value {
        self.at.push(segment);
        let made = self.value(schemas, wishes, example, depth + 1);
        self.at.pop();
        made
    }

    /// Generates a value that is valid by all of these schemas. `example`: a valid value, to look like.
    fn value(&mut self, schemas: Vec<&'m Value>, wishes: &Wishes, example: Option<&'m Value>, depth: usize) -> Value {
        if let Some(Wish::Be(value)) = &wishes.here {
            return value.clone();
        }
        if depth > DEEPEST || self.room < LEAST_MADE {
            self.room = 0;
            return Value::Null;
        }
        let parts = Parts::of(self.document, schemas, wishes, example, self.choices);
        let made = self.of_parts(&parts, wishes, example, depth);
        if wishes.are_met_by(&made) {
            return made;
        }
        let mut others = (0..MOST_OTHERS).map(|_| self.of_parts(&parts, wishes, None, depth));
        others.find(|other| wishes.are_met_by(other)).unwrap_or(made)
    }

    fn of_parts(&mut self, parts: &Parts<'m>, wishes: &Wishes, example: Option<&'m Value>, depth: usize) -> Value {
        self.room = self.room.saturating_sub(LEAST_MADE);
        let listed = parts.listed();
        if let Some(listed) = listed {
            let wanted: Vec<&Value> = listed.into_iter().filter(|value| wishes.are_met_by(value)).collect();
            let example = example.filter(|example| wanted.contains(example));
            return match (example, self.style) {
                (Some(example), _) => example.clone(),
                (None, Style::Plain) => wanted.first().map_or(Value::Null, |first| (*first).clone()),
                (None, Style::Odd) => self.choices.one_of(&wanted).map_or(Value::Null, |one| (*one).clone()),
            };
        }
        let mut types = parts.types();
        match &wishes.here {
            Some(Wish::Absent) if types.contains(&"null") => return Value::Null,
            Some(Wish::Present | Wish::Full) => types.retain(|name| *name != "null"),
            Some(Wish::Length(_)) => types.retain(|name| *name == "array"),
            Some(Wish::Empty) => return self.empty(&types),
            _ => {}
        }
        if types.is_empty() {
            return match (self.style, example) {
                (Style::Plain, Some(example)) => example.clone(),
                (Style::Plain, None) => json!(named_text(self.name, self.choices, 0)),
                (Style::Odd, _) => any_value(self.choices, depth),
            };
        }
        let is_wanted = |name: &str| !wishes.inside.is_empty() && matches!(name, "object" | "array");
        let like = |name: &str| example.is_some_and(|example| type_of(example) == name);
        let chosen = match self.style {
            _ if types.iter().any(|name| is_wanted(name)) => types.iter().find(|name| is_wanted(name)),
            Style::Plain => types.iter().find(|name| like(name)).or(types.first()),
            Style::Odd => self.choices.one_of(&types),
        };
        match chosen.copied() {
            Some("object") => self.object(parts, wishes, example, depth),
            Some("array") => self.array(parts, wishes, example, depth),
            Some("string") => self.string(parts, example),
            Some("boolean") => match self.style {
                Style::Plain => example.cloned().unwrap_or(Value::Bool(true)),
                Style::Odd => Value::Bool(self.choices.below(2) == 1),
            },
            Some("integer") => json!(self.number(parts, example).round() as i64),
            Some("number") => match self.number(parts, example) {
                whole if whole.fract() == 0.0 => json!(whole as i64),
                other => json!(other),
            },
            _ => Value::Null,
        }
    }

    /// Returns an empty value of one of these types.
    fn empty(&mut self, types: &[&str]) -> Value {
        let empty = |name: &&str| match *name {
            "string" => Some(json!("")),
            "array" => Some(json!([])),
            "object" => Some(json!({})),
            "null" => Some(Value::Null),
            _ => None,
        };
        let empty: Vec<Value> = types.iter().filter_map(empty).collect();
        self.choices.one_of(&empty).cloned().unwrap_or_default()
    }

    fn object(&mut self, parts: &Parts<'m>, wishes: &Wishes, example: Option<&'m Value>, depth: usize) -> Value {
        let mut members = Map::new();
        let declared = parts.properties();
        for (name, schemas) in &declared {
            let nothing = Wishes::default();
            let wishes = wishes.inside.get(*name).unwrap_or(&nothing);
            let example = example.and_then(|example| example.get(*name));
            // A schema that is `false` allows no value.
            let is_allowed = !schemas.contains(&&Value::Bool(false));
            let is_there = match (&wishes.here, parts.requires(name)) {
                _ if !is_allowed => false,
                (_, true) => true,
                (Some(Wish::Absent), _) => false,
                _ if wishes.is_wanted() || !wishes.are_met_by(&Value::Null) => true,
                (Some(Wish::Empty | Wish::Other(_)), _) => self.style == Style::Odd && self.choices.below(2) == 1,
                _ => match self.style {
                    Style::Plain => example.is_some(),
                    Style::Odd => depth < MOST_DEPTH && self.choices.below(2) == 1,
                },
            };
            if is_there {
                self.name = name;
                let made = self.inside((*name).to_owned(), schemas.clone(), wishes, example, depth);
                members.insert((*name).to_owned(), made);
            }
        }
        // Members that the schema does not declare are there if they are wished for.
        let undeclared = |name: &&String| !declared.iter().any(|(known, _)| known == name);
        for name in wishes.inside.keys().filter(undeclared) {
            let wishes = &wishes.inside[name];
            if parts.is_of_another(name) {
                self.left_out.push([&self.at[..], std::slice::from_ref(name)].concat());
            } else if wishes.is_wanted() {
                let made = self.inside(name.clone(), parts.additional(), wishes, None, depth);
                members.insert(name.clone(), made);
            }
        }
        // An object without declared properties may have any members.
        if declared.is_empty() && members.is_empty() && self.style == Style::Plain {
            return example.cloned().unwrap_or_else(|| json!({}));
        }
        if declared.is_empty() && depth < MOST_DEPTH && self.style == Style::Odd {
            for number in 0..self.choices.below(3) {
                members.insert(format!("{}{number}", odd_text(self.choices, 0)), any_value(self.choices, depth + 1));
            }
        }
        Value::Object(members)
    }

    fn array(&mut self, parts: &Parts<'m>, wishes: &Wishes, example: Option<&'m Value>, depth: usize) -> Value {
        let least = parts.greatest("minItems").unwrap_or_default() as usize;
        let most = parts.least("maxItems").map_or(least.saturating_add(3), |most| most as usize).max(least);
        let wanted = wishes.items(&Pointer::default());
        let items = example.and_then(Value::as_array);
        let count = match (&wishes.here, self.style) {
            (Some(Wish::Length(length)), _) => *length,
            (_, Style::Plain) => items.map_or(least, |items| items.len()).max(wanted),
            (_, Style::Odd) => (least + self.choices.below((most - least).min(3) + 1)).max(wanted),
        };
        let schemas = parts.items();
        let nothing = Wishes::default();
        let made = |index: usize| {
            let wishes = wishes.inside.get(&index.to_string()).unwrap_or(&nothing);
            let example = items.and_then(|items| items.get(index).or(items.last()));
            (self.room > 0).then(|| self.inside(index.to_string(), schemas.clone(), wishes, example, depth))
        };
        Value::Array((0..count.max(usize::from(wishes.here == Some(Wish::Full)))).map_while(made).collect())
    }

    fn string(&mut self, parts: &Parts<'m>, example: Option<&Value>) -> Value {
        if let Some(format) = parts.text("format") {
            return json!(of_format(format));
        }
        if let (Style::Plain, Some(Value::String(example))) = (self.style, example) {
            return json!(example);
        }
        let least = (parts.greatest("minLength").unwrap_or_default() as usize).min(self.room);
        let text = match self.style {
            Style::Plain => named_text(self.name, self.choices, least),
            Style::Odd => odd_text(self.choices, least),
        };
        self.room = self.room.saturating_sub(text.len());
        match parts.least("maxLength") {
            Some(most) => text.chars().take(most as usize).collect::<String>().into(),
            None => text.into(),
        }
    }

    fn number(&mut self, parts: &Parts<'m>, example: Option<&Value>) -> f64 {
        if let (Style::Plain, Some(example)) = (self.style, example.and_then(Value::as_f64)) {
            return example;
        }
        let above = parts.greatest("exclusiveMinimum").map(|bound| bound + 1.0);
        let below = parts.least("exclusiveMaximum").map(|bound| bound - 1.0);
        let least = parts.greatest("minimum").or(above);
        let most = parts.least("maximum").or(below);
        if self.style == Style::Plain {
            return 1.0f64.max(least.unwrap_or(1.0)).min(most.unwrap_or(f64::MAX));
        }
        let steps = [0.0, 1.0, 2.0, 10.0, 999.0, 0.5];
        let step = steps[self.choices.below(steps.len())];
        // Numbers about zero are likelier to matter than those about a very small least one.
        let least = least.unwrap_or(0.0);
        let from = if least < -1e6 { 0.0 } else { least };
        (from + step).min(most.unwrap_or(f64::MAX))
    }
}

/// Returns the name that JSON Schema has for the type of a value.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Returns a text of a format.
fn of_format(format: &str) -> &'static str {
    match format {
        "date-time" => "2026-01-01T00:00:00Z",
        "date" => "2026-01-01",
        "time" => "00:00:00Z",
        "duration" => "PT5M",
        "email" | "idn-email" => "a@example.org",
        "hostname" | "idn-hostname" => "example.org",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uuid" => "123e4567-e89b-12d3-a456-426614174000",
        "json-pointer" => "/a/0",
        "relative-json-pointer" => "1/a",
        "regex" => "^[a-z]+$",
        "uri-reference" | "iri-reference" | "uri-template" => "/a",
        _ => "https://example.org/a",
    }
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
