//! Message templates. Placeholders are replaced in the tree of a message before it is serialized, so that the message
//! is valid JSON whatever they are replaced with.

use serde_json::{Map, Value};

/// A template of a message, or of a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// A value without placeholders.
    Value(Value),
    Text(Vec<Part>),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

/// A part of a string.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Literal(String),
    Placeholder(Placeholder),
}

/// A placeholder, by the value that replaces it.
#[derive(Clone, Debug, PartialEq)]
pub enum Placeholder {
    /// The id of the message.
    Id,
    /// The prompt with this index, from 0.
    Prompt(usize),
    /// A value that was captured from an earlier message.
    Captured(String),
}

/// A mistake in a template string.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateError {
    /// A placeholder is not closed.
    Unclosed,
    /// No placeholder has this name.
    Unknown(String),
}

impl Template {
    /// Parses a string. `hole` resolves the names of placeholders.
    pub fn text(text: &str, hole: impl Fn(&str) -> Option<Placeholder>) -> Result<Template, TemplateError> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((words, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            let name = name.trim();
            if !words.is_empty() {
                parts.push(Part::Literal(words.to_owned()));
            }
            parts.push(Part::Placeholder(hole(name).ok_or_else(|| TemplateError::Unknown(name.to_owned()))?));
            rest = after;
        }
        if parts.is_empty() {
            return Ok(Template::Value(text.into()));
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Template::Text(parts))
    }

    /// Returns a member of an object.
    pub fn member(&self, key: &str) -> Option<&Template> {
        let Template::Object(members) = self else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns `true` if the template has this placeholder anywhere.
    pub fn contains_placeholder(&self, hole: &Placeholder) -> bool {
        match self {
            Template::Value(_) => false,
            Template::Text(parts) => parts.iter().any(|part| matches!(part, Part::Placeholder(other) if other == hole)),
            Template::Array(items) => items.iter().any(|item| item.contains_placeholder(hole)),
            Template::Object(members) => members.iter().any(|(_, value)| value.contains_placeholder(hole)),
        }
    }

    /// Replaces the placeholders. A string that consists of one placeholder becomes the value, with its own type.
    /// Within a longer string, a string is inserted unchanged and any other value as its JSON text.
    pub fn fill(&self, value_of: &impl Fn(&Placeholder) -> Value) -> Value {
        match self {
            Template::Value(value) => value.clone(),
            Template::Text(parts) => match parts.as_slice() {
                [Part::Placeholder(hole)] => value_of(hole),
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
    fn fill(&self, value_of: &impl Fn(&Placeholder) -> Value) -> String {
        match self {
            Part::Literal(words) => words.clone(),
            Part::Placeholder(hole) => match value_of(hole) {
                Value::String(text) => text,
                other => other.to_string(),
            },
        }
    }
}
