//! Messages with holes in them. A hole is filled in the tree of the message, before that is written: whatever is put
//! into it, the message stays JSON.

use serde_json::{Map, Value};

/// A message, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// A value without a hole.
    Value(Value),
    Text(Vec<Part>),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

/// A part of a string.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Words(String),
    Hole(Hole),
}

/// What is put in.
#[derive(Clone, Debug, PartialEq)]
pub enum Hole {
    /// The number of the message.
    Id,
    /// A prompt of the input, from 0.
    Prompt(usize),
    /// What was taken from an earlier message.
    Taken(String),
}

/// Why a string is no template.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Two braces are not closed.
    Open,
    /// There is nothing of this name.
    Unknown(String),
}

impl Template {
    /// Reads a string; `hole` knows the names.
    pub fn text(text: &str, hole: impl Fn(&str) -> Option<Hole>) -> Result<Template, Fault> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((words, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(Fault::Open)?;
            let name = name.trim();
            if !words.is_empty() {
                parts.push(Part::Words(words.to_owned()));
            }
            parts.push(Part::Hole(hole(name).ok_or_else(|| Fault::Unknown(name.to_owned()))?));
            rest = after;
        }
        if parts.is_empty() {
            return Ok(Template::Value(text.into()));
        }
        if !rest.is_empty() {
            parts.push(Part::Words(rest.to_owned()));
        }
        Ok(Template::Text(parts))
    }

    /// A member of an object.
    pub fn member(&self, key: &str) -> Option<&Template> {
        let Template::Object(members) = self else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Whether this hole is somewhere in it.
    pub fn holds(&self, hole: &Hole) -> bool {
        match self {
            Template::Value(_) => false,
            Template::Text(parts) => parts.iter().any(|part| matches!(part, Part::Hole(other) if other == hole)),
            Template::Array(items) => items.iter().any(|item| item.holds(hole)),
            Template::Object(members) => members.iter().any(|(_, value)| value.holds(hole)),
        }
    }

    /// Fills the holes. A string that is nothing but a hole becomes the value with its own type; within a longer one a
    /// string is put in as it is, and anything else as its JSON text.
    pub fn fill(&self, value_of: &impl Fn(&Hole) -> Value) -> Value {
        match self {
            Template::Value(value) => value.clone(),
            Template::Text(parts) => match parts.as_slice() {
                [Part::Hole(hole)] => value_of(hole),
                parts => parts.iter().map(|part| part.fill(value_of)).collect::<String>().into(),
            },
            Template::Array(items) => items.iter().map(|item| item.fill(value_of)).collect(),
            Template::Object(members) => {
                let members = members.iter().map(|(key, value)| (key.clone(), value.fill(value_of)));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

impl Part {
    fn fill(&self, value_of: &impl Fn(&Hole) -> Value) -> String {
        match self {
            Part::Words(words) => words.clone(),
            Part::Hole(hole) => match value_of(hole) {
                Value::String(text) => text,
                other => other.to_string(),
            },
        }
    }
}
