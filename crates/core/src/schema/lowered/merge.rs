//! Two schemas of one value → one schema that demands what both demand.

use serde_json::Value;

use super::arms::{ARMS, map_arms, schemas_of};
use super::{COMBINERS, Keywords, Lowering, NOTES, listed_values};

/// Keywords for objects that are merged, or are left alone if only one of the schemas has them.
const OF_OBJECTS: [&str; 7] = [
    "properties",
    "required",
    "additionalProperties",
    "dependentRequired",
    "minProperties",
    "maxProperties",
    "propertyNames",
];

/// Keywords whose meaning depends on the keywords beside them, apart from `additionalProperties`.
const DEPENDENT: [&str; 8] = [
    "patternProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "additionalItems",
];

/// Returns whether a keyword is for objects.
pub(super) fn is_of_objects(keyword: &str) -> bool {
    OF_OBJECTS.contains(&keyword) || keyword == ARMS
}

impl Lowering<'_> {
    /// Returns the schema that demands what both demand; `None` if it cannot be said in one. Notes of the first count
    /// before those of the second.
    pub(super) fn both(&mut self, first: Keywords, second: Keywords) -> Option<Keywords> {
        if first.is_empty() {
            return Some(second);
        }
        if second.is_empty() {
            return Some(first);
        }
        match (first.contains_key(ARMS), second.contains_key(ARMS)) {
            (false, false) => self.both_plain(first, second),
            (true, true) => None,
            (true, false) => self.both_with_arms(first, second, false),
            (false, true) => self.both_with_arms(second, first, true),
        }
    }

    /// Adds what a schema demands to one with arms. `before`: whether its notes count before those of the latter.
    fn both_with_arms(&mut self, mut with_arms: Keywords, other: Keywords, before: bool) -> Option<Keywords> {
        let arms = with_arms.remove(ARMS)?;
        let (of_objects, rest): (Keywords, Keywords) = other.into_iter().partition(|(key, _)| is_of_objects(key));
        self.spend(of_objects.values(), schemas_of(&arms).count())?;
        let arms = map_arms(arms, &mut |arm| self.both(arm, of_objects.clone()))?;
        let mut form = if before { self.both_plain(rest, with_arms)? } else { self.both_plain(with_arms, rest)? };
        // No object with arms is among values that are listed.
        if listed_values(&form).is_some() {
            return None;
        }
        form.insert(ARMS.to_owned(), arms);
        Some(form)
    }

    fn both_plain(&mut self, first: Keywords, second: Keywords) -> Option<Keywords> {
        self.spend([], 1)?;
        let depends = |keywords: &Keywords| keywords.keys().any(|key| DEPENDENT.contains(&key.as_str()));
        if depends(&first) || depends(&second) || !speak_of_the_same(&first, &second) {
            return None;
        }
        let is_value = |key: &str| key == "const" || key == "enum";
        let values = match (listed_values(&first), listed_values(&second)) {
            (Some(first), Some(second)) => {
                // Equal numbers may be written differently.
                let is_plain = |value: &&Value| matches!(value, Value::Null | Value::Bool(_) | Value::String(_));
                if first != second && !first.iter().chain(&second).all(is_plain) {
                    return None;
                }
                let both: Vec<_> = first.into_iter().filter(|value| second.contains(value)).cloned().collect();
                Some(if both.is_empty() { return None } else { both })
            }
            _ => None,
        };
        let is_constant = first.contains_key("const") || second.contains_key("const");
        let mut form = first;
        for (key, value) in second {
            let Some(own) = form.get(&key) else {
                form.insert(key, value);
                continue;
            };
            if *own == value || NOTES.contains(&key.as_str()) || is_value(&key) {
                continue;
            }
            let merged = self.both_values(&key, own.clone(), value)?;
            form.insert(key, merged);
        }
        if let Some(mut values) = values {
            form.retain(|key, _| !is_value(key));
            let (key, value) = match values.len() {
                1 if is_constant => ("const", values.remove(0)),
                _ => ("enum", Value::Array(values)),
            };
            form.insert(key.to_owned(), value);
        }
        Some(form)
    }

    /// Returns the value of a keyword that demands what both values demand.
    fn both_values(&mut self, keyword: &str, first: Value, second: Value) -> Option<Value> {
        match (keyword, first, second) {
            ("type", first, second) => both_types(&first, &second),
            ("required", Value::Array(first), Value::Array(second)) => {
                let more: Vec<_> = second.into_iter().filter(|name| !first.contains(name)).collect();
                Some(first.into_iter().chain(more).collect())
            }
            ("properties", Value::Object(mut first), Value::Object(second)) => {
                for (name, schema) in second {
                    let schema = match first.get(&name) {
                        Some(own) => self.both_schemas(own.clone(), schema)?,
                        None => schema,
                    };
                    first.insert(name, schema);
                }
                Some(Value::Object(first))
            }
            ("items", first, second) => self.both_schemas(first, second),
            ("additionalProperties", Value::Bool(true), other) | ("additionalProperties", other, Value::Bool(true)) => {
                Some(other)
            }
            ("minLength" | "minItems" | "minimum" | "exclusiveMinimum" | "minProperties", first, second) => {
                Some(if first.as_f64()? >= second.as_f64()? { first } else { second })
            }
            ("maxLength" | "maxItems" | "maximum" | "exclusiveMaximum" | "maxProperties", first, second) => {
                Some(if first.as_f64()? <= second.as_f64()? { first } else { second })
            }
            _ => None,
        }
    }

    /// Returns the schema that demands what both demand, which are lowered.
    fn both_schemas(&mut self, first: Value, second: Value) -> Option<Value> {
        if first == second {
            return Some(first);
        }
        let (first, second) = (self.lowered_form(first)?, self.lowered_form(second)?);
        self.both(first, second).map(Value::Object)
    }

    /// Returns the keywords of a lowered schema; `None` if there are combiners among them.
    fn lowered_form(&mut self, schema: Value) -> Option<Keywords> {
        match schema {
            Value::Bool(true) => Some(Keywords::new()),
            Value::Object(keywords) if keywords.len() == 1 && keywords.contains_key("$ref") => {
                self.referred(&keywords["$ref"])
            }
            Value::Object(keywords) if !keywords.keys().any(|key| COMBINERS.contains(&key.as_str())) => Some(keywords),
            _ => None,
        }
    }
}

/// Returns whether `additionalProperties` of each of two schemas means the same in one schema that has the properties
/// of both.
fn speak_of_the_same(first: &Keywords, second: &Keywords) -> bool {
    let speaks = |one: &Keywords, other: &Keywords| {
        if one.get("additionalProperties").is_none_or(|more| *more == Value::Bool(true)) {
            return true;
        }
        let own = one.get("properties").and_then(Value::as_object);
        let others = other.get("properties").and_then(Value::as_object).into_iter().flatten();
        others.into_iter().all(|(name, _)| own.is_some_and(|own| own.contains_key(name)))
    };
    speaks(first, second) && speaks(second, first)
}

/// Returns the types that both `type` keywords allow.
fn both_types(first: &Value, second: &Value) -> Option<Value> {
    let (first, second) = (type_names(first), type_names(second));
    let has = |names: &[&str], name: &str| names.contains(&name) || name == "integer" && names.contains(&"number");
    let mut both: Vec<&str> = first.iter().copied().filter(|name| has(&second, name)).collect();
    let more = second.iter().copied().filter(|name| has(&first, name) && !both.contains(name)).collect::<Vec<_>>();
    both.extend(more);
    type_keyword(&both)
}

/// Returns the names that a `type` keyword lists.
pub(super) fn type_names(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// Returns the value of a `type` keyword; `None` if no type is allowed.
pub(super) fn type_keyword(names: &[&str]) -> Option<Value> {
    match names {
        [] => None,
        [one] => Some(Value::from(*one)),
        several => Some(several.iter().copied().map(Value::from).collect()),
    }
}
