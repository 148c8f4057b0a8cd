//! A schema → the form by which both paths judge events.
//!
//! A document may say one thing in many ways. In its lowered form, what a schema demands of one value stands in one
//! object, as far as that can be said: `allOf`, and `$ref` beside other keywords, are merged (`merge`); alternatives of
//! different types become one schema of several types; and alternatives that are told apart by the value of one member
//! become [`Arms`] (`unions`). What cannot be said so stays as it is written. A value is valid by the lowered form if,
//! and only if, it is valid by the document, but for one case: an object whose member has a value that no arm has is not
//! judged, because that value is an unknown name.

mod arms;
mod conditions;
#[cfg(test)]
pub(crate) mod made;
mod merge;
#[cfg(test)]
mod tests;
mod unions;
mod written;

use serde_json::{Map, Value};

pub(crate) use arms::{ARMS, Arms, written_out};
pub(crate) use written::WRITTEN;

/// The most JSON values that are made for one document. Schemas that refer to others again and again, and many alternatives
/// with much in common, are left as they are written.
const MOST_VALUES: usize = 400_000;

/// Keywords that apply further schemas to the value itself.
const COMBINERS: [&str; 7] = ["$ref", "allOf", "anyOf", "oneOf", "if", "then", "else"];

/// Keywords that say nothing of the value. Of several, the one nearest to the value counts.
const NOTES: [&str; 12] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Keywords that belong to the document as a whole.
const OF_DOCUMENT: [&str; 4] = ["$schema", "$id", "$defs", "definitions"];

/// Keywords that change what a reference leads to. The document itself may have an `$id`.
const NAMES: [&str; 7] = ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$vocabulary", ARMS, WRITTEN];

/// Returns the lowered form of a document; `None` if that is the document itself.
pub(super) fn lowered(document: &Value) -> Option<Value> {
    let mut combines = false;
    let members = document.as_object()?;
    let bare = members.contains_key("$id").then(|| without_id(members));
    if !can_be_lowered(bare.as_ref().unwrap_or(document), &mut combines) || !combines {
        return None;
    }
    let mut lowering = Lowering { document, inside: Vec::new(), left: MOST_VALUES, refers_to_written: false };
    let mut lowered = lowering.schema(document);
    if lowering.refers_to_written {
        lowered[WRITTEN] = lowering.as_written(document);
    }
    (lowering.left > 0 && lowered != *document).then_some(lowered)
}

/// Returns a document without its own `$id`.
pub(crate) fn without_id(document: &Keywords) -> Value {
    document.iter().filter(|(key, _)| *key != "$id").map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Returns whether all references of a document lead to its definitions, which keep their places. Sets `combines` if it
/// has a schema that may have another lowered form.
fn can_be_lowered(value: &Value, combines: &mut bool) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| can_be_lowered(item, combines)),
        Value::Object(members) => members.iter().all(|(key, value)| {
            *combines |= match key.as_str() {
                "$ref" => members.len() > 1,
                key => COMBINERS.contains(&key),
            };
            let is_definition = |reference: &str| {
                let name = reference.strip_prefix("#/$defs/").or_else(|| reference.strip_prefix("#/definitions/"));
                reference == "#" || name.is_some_and(|name| !name.contains(['/', '%']))
            };
            match (key.as_str(), value) {
                ("$ref", Value::String(reference)) if !is_definition(reference) => false,
                (name, _) if NAMES.contains(&name) => false,
                _ => can_be_lowered(value, combines),
            }
        }),
        _ => true,
    }
}

/// The keywords of one schema.
type Keywords = Map<String, Value>;

/// The state of [`lowered`].
struct Lowering<'d> {
    document: &'d Value,
    /// The references that are followed.
    inside: Vec<String>,
    /// The number of values that may still be made.
    left: usize,
    /// Whether something that stays as it is written refers to something else.
    refers_to_written: bool,
}

impl Lowering<'_> {
    /// Counts the values of `times` copies; `None` if they are too many.
    fn spend<'v>(&mut self, copied: impl IntoIterator<Item = &'v Value>, times: usize) -> Option<()> {
        let values: usize = copied.into_iter().map(values_in).sum();
        self.left = self.left.saturating_sub(values.saturating_add(1).saturating_mul(times));
        (self.left > 0).then_some(())
    }

    /// Returns the lowered form of a schema, which is the schema as written if it cannot be lowered.
    fn schema(&mut self, schema: &Value) -> Value {
        let Value::Object(keywords) = schema else { return schema.clone() };
        if keywords.len() == 1 && keywords.contains_key("$ref") {
            return schema.clone();
        }
        let own = self.own(keywords);
        if !COMBINERS.iter().any(|combiner| keywords.contains_key(*combiner)) {
            return Value::Object(own);
        }
        match self.combined(own.clone(), keywords) {
            Some(form) => Value::Object(form),
            None => Value::Object(self.with_combiners(own, keywords)),
        }
    }

    /// Returns all keywords of a schema but the combiners, with lowered schemas inside of them.
    fn own(&mut self, keywords: &Keywords) -> Keywords {
        self.left = self.left.saturating_sub(1);
        let own = keywords.iter().filter(|(key, _)| !COMBINERS.contains(&key.as_str()));
        own.map(|(key, value)| {
            let value = match (key.as_str(), value) {
                _ if self.left == 0 => value.clone(),
                ("properties" | "$defs" | "definitions", Value::Object(members)) => {
                    members.iter().map(|(name, schema)| (name.clone(), self.schema(schema))).collect()
                }
                // Which values these are for is told by the keyword beside them.
                ("items", _) if keywords.contains_key("prefixItems") => self.as_written(value),
                ("additionalProperties", _) if keywords.contains_key("patternProperties") => self.as_written(value),
                ("items" | "additionalProperties", schema) => self.schema(schema),
                (key, _) => self.keyword_as_written(key, value),
            };
            (key.clone(), value)
        })
        .collect()
    }

    /// Returns what a schema demands in one set of keywords, without combiners; `None` if it cannot be said so.
    fn form(&mut self, schema: &Value) -> Option<Keywords> {
        match schema {
            _ if self.left == 0 => None,
            Value::Bool(true) => Some(Keywords::new()),
            Value::Object(keywords) => {
                let own = self.own(keywords);
                self.combined(own, keywords)
            }
            _ => None,
        }
    }

    /// Returns the form of the schema that a reference leads to.
    fn referred(&mut self, reference: &Value) -> Option<Keywords> {
        let reference = reference.as_str()?;
        if self.inside.iter().any(|known| known == reference) {
            return None;
        }
        let document = self.document;
        let target = document.pointer(reference.strip_prefix('#')?)?;
        self.inside.push(reference.to_owned());
        let form = self.form(target);
        self.inside.pop();
        let mut form = form?;
        form.retain(|key, _| !OF_DOCUMENT.contains(&key.as_str()));
        Some(form)
    }

    /// Adds what the combiners of a schema demand to its own keywords.
    fn combined(&mut self, own: Keywords, keywords: &Keywords) -> Option<Keywords> {
        let mut form = own;
        if let Some(reference) = keywords.get("$ref") {
            let referred = self.referred(reference)?;
            form = self.both(form, referred)?;
        }
        let mut conditions: Vec<&Keywords> = Vec::new();
        if keywords.contains_key("if") {
            conditions.push(keywords);
        }
        for part in keywords.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            match part.as_object() {
                Some(condition) if conditions::is_condition(condition) => conditions.push(condition),
                _ => {
                    let part = self.form(part)?;
                    form = self.both(form, part)?;
                }
            }
        }
        let alternatives = ["oneOf", "anyOf"].map(|keyword| keywords.get(keyword).and_then(Value::as_array));
        match (conditions.is_empty(), alternatives) {
            (true, [None, None]) => Some(form),
            (false, [None, None]) => self.conditional(form, &conditions),
            (true, [Some(one), None]) => self.union(form, one, true),
            (true, [None, Some(any)]) => self.union(form, any, false),
            _ => None,
        }
    }
}

/// Returns the strings that a schema lists, by `const` or `enum`; `None` if it lists none, or other values too.
fn listed_words(schema: &Value) -> Option<Vec<&str>> {
    listed_values(schema.as_object()?)?.into_iter().map(Value::as_str).collect()
}

/// Returns the values that a schema lists, by `const` or `enum`; `None` if it lists none.
fn listed_values(keywords: &Keywords) -> Option<Vec<&Value>> {
    match (keywords.get("const"), keywords.get("enum")) {
        (Some(one), None) => Some(vec![one]),
        (None, Some(Value::Array(several))) => Some(several.iter().collect()),
        _ => None,
    }
}

/// Returns the names that `required` lists.
fn required_names_of(keywords: &Keywords) -> impl Iterator<Item = &Value> {
    keywords.get("required").and_then(Value::as_array).into_iter().flatten()
}

/// Returns the number of values in a value, itself included.
fn values_in(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values_in).sum(),
        Value::Object(members) => members.values().map(values_in).sum(),
        _ => 0,
    }
}
