//! The arms of a union: schemas of one object that are told apart by the string in one of its members.

use serde_json::{Value, json};

use super::Keywords;
use crate::input::json::{Node, NodeKind, inner, unescaped_lossy};

/// The keyword of the arms in a lowered schema. No file that people write has it.
pub(crate) const ARMS: &str = "#arms";

/// The arms of a lowered schema.
#[derive(Clone, Copy)]
pub(crate) struct Arms<'s> {
    /// The name of the member that tells which arm an object has.
    pub at: &'s str,
    /// The arms: for each the strings that choose it, and its schema.
    arms: &'s [Value],
    /// The schema of an object that has no arm. `None` if such an object is not judged any further.
    pub otherwise: Option<&'s Value>,
}

impl<'s> Arms<'s> {
    /// Returns the arms of a schema of a lowered document; `None` if it has none.
    pub(crate) fn of(schema: &'s Value) -> Option<Arms<'s>> {
        let arms = schema.get(ARMS)?;
        Some(Arms {
            at: arms.get("at")?.as_str()?,
            arms: arms.get("arms")?.as_array()?,
            otherwise: arms.get("otherwise"),
        })
    }

    /// Returns each arm: the strings that choose it, and its schema.
    pub(crate) fn each(self) -> impl Iterator<Item = (Vec<&'s str>, &'s Value)> {
        self.arms.iter().map(|arm| {
            let values = arm["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
            (values.collect(), &arm["schema"])
        })
    }

    /// Returns the schema of the arm that a string chooses.
    pub(crate) fn chosen(self, value: &str) -> Option<&'s Value> {
        self.each().find(|(values, _)| values.contains(&value)).map(|(_, schema)| schema)
    }

    /// Returns the schema of the arm that an object has; `None` if it has none.
    pub(crate) fn chosen_by(self, object: &Node, text: &[u8]) -> Option<&'s Value> {
        self.chosen(&unescaped_lossy(inner(text, &self.member_of(object, text)?.span)))
    }

    /// Returns the string that tells which arm an object has; `None` if it has no such string.
    pub(crate) fn member_of<'n>(self, object: &'n Node, text: &[u8]) -> Option<&'n Node> {
        object.member(text, self.at).map(|member| &member.value).filter(|value| value.kind == NodeKind::String)
    }
}

/// Returns the keyword for arms, with its value.
pub(super) fn arms(at: &str, arms: Vec<(Vec<String>, Keywords)>, otherwise: Option<Keywords>) -> (String, Value) {
    let arms: Vec<_> = arms.into_iter().map(|(values, schema)| json!({ "values": values, "schema": schema })).collect();
    let mut value = json!({ "at": at, "arms": arms });
    if let Some(otherwise) = otherwise {
        value["otherwise"] = Value::Object(otherwise);
    }
    (ARMS.to_owned(), value)
}

/// Returns the schema of each arm, and of what has none, from the value of the keyword.
pub(super) fn schemas_of(arms: &Value) -> impl Iterator<Item = &Value> {
    let each = arms.get("arms").and_then(Value::as_array).into_iter().flatten();
    each.filter_map(|arm| arm.get("schema")).chain(arms.get("otherwise"))
}

/// Changes the schema of each arm, and of what has none; `None` if one of the changes fails.
pub(super) fn map_arms(mut arms: Value, change: &mut impl FnMut(Keywords) -> Option<Keywords>) -> Option<Value> {
    let mut changed = |schema: &mut Value| {
        let Value::Object(keywords) = schema.take() else { return None };
        *schema = Value::Object(change(keywords)?);
        Some(())
    };
    for arm in arms.get_mut("arms").and_then(Value::as_array_mut).into_iter().flatten() {
        changed(arm.get_mut("schema")?)?;
    }
    if let Some(otherwise) = arms.get_mut("otherwise") {
        changed(otherwise)?;
    }
    Some(arms)
}

/// Returns a lowered schema in the keywords of JSON Schema, for the `jsonschema` crate: each arm is a condition.
pub(crate) fn written_out(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let mut written = Keywords::new();
    for (key, value) in keywords {
        let value = match (key.as_str(), value) {
            (ARMS, _) => continue,
            ("properties" | "$defs" | "definitions", Value::Object(members)) => {
                members.iter().map(|(name, schema)| (name.clone(), written_out(schema))).collect()
            }
            ("items" | "additionalProperties", schema) => written_out(schema),
            _ => value.clone(),
        };
        written.insert(key.clone(), value);
    }
    if let Some(arms) = Arms::of(schema) {
        let chooses = |values: &[&str]| json!({ "type": "object", "required": [arms.at], "properties": { arms.at: { "enum": values } } });
        let each = arms.each().map(|(values, schema)| json!({ "if": chooses(&values), "then": written_out(schema) }));
        let mut conditions: Vec<_> = each.collect();
        if let Some(otherwise) = arms.otherwise {
            let all: Vec<_> = arms.each().flat_map(|(values, _)| values).collect();
            // What is no object has neither an arm nor this.
            let has_another = json!([chooses(&all), { "not": { "type": "object" } }]);
            conditions.push(json!({ "if": { "anyOf": has_another }, "else": written_out(otherwise) }));
        }
        written.insert("allOf".to_owned(), Value::Array(conditions));
    }
    Value::Object(written)
}
