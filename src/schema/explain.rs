//! What is wrong with an event, in words and with its exact place.

use std::ops::Range;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::{Pointer, Schema, Subschema, date_time};
use crate::input::json::{Kind, Member, Node, inner, unescaped_lossy};
use crate::protocol::Framing;

/// One fault of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// `missing-field`, `wrong-type` or `wrong-value`.
    pub rule: Framing,
    /// The field that is at fault; for a missing field, where it should be.
    pub pointer: Pointer,
    /// What to point at, as a byte range of the text: the value, the misspelt key, or the object that
    /// lacks the key.
    pub span: Range<usize>,
    /// What was found and what was expected.
    pub message: String,
    /// What to do, where it is particular to this fault.
    pub help: Option<String>,
    /// The document's words on the field.
    pub quote: Option<String>,
    /// Whether `span` is a misspelt key, which is then no unknown field.
    pub misspelt: bool,
}

/// Judges an event and explains what is wrong with it: one fault a place, in the order of the pointers.
pub fn faults(schema: &Schema, event: &Node, text: &[u8]) -> Vec<Fault> {
    let value = event.to_value(text);
    let mut faults: Vec<Fault> = Vec::new();
    for error in schema.validator.iter_errors(&value) {
        let pointer = Pointer::parse(error.instance_path().as_str()).unwrap_or_default();
        let Some(node) = event.at(text, &pointer.0) else { continue };
        let explainer = Explainer { schema, text, pointer, node };
        explainer.explain(error.kind(), || error.to_string(), &mut faults);
    }
    // One fault a place, whatever order the schema or the event has its keys in; a wrong type says it all.
    faults.sort_by(|a, b| (&a.pointer, rank(a.rule), &a.message).cmp(&(&b.pointer, rank(b.rule), &b.message)));
    faults.dedup_by(|later, earlier| later.pointer == earlier.pointer);
    faults
}

fn rank(rule: Framing) -> u8 {
    match rule {
        Framing::MissingField => 0,
        Framing::WrongType => 1,
        _ => 2,
    }
}

struct Explainer<'e> {
    schema: &'e Schema,
    text: &'e [u8],
    pointer: Pointer,
    node: &'e Node,
}

impl Explainer<'_> {
    fn explain(&self, kind: &ValidationErrorKind, words: impl Fn() -> String, faults: &mut Vec<Fault>) {
        use ValidationErrorKind as K;
        let must = match kind {
            K::Required { property } => {
                let taken: Vec<_> = faults.iter().filter(|f| f.misspelt).map(|f| f.span.clone()).collect();
                return faults.push(self.missing(property.as_str().unwrap_or_default(), &taken));
            }
            K::AdditionalProperties { unexpected } | K::UnevaluatedProperties { unexpected } => {
                return faults.extend(unexpected.iter().map(|name| self.forbidden(name)));
            }
            K::Type { kind } => {
                let message = format!("{} must be {}, but is {}", self.name(), types(kind), self.shown());
                return faults.push(self.fault(Framing::WrongType, message, self.type_help()));
            }
            K::Format { format } if format == "date-time" => {
                let help = date_time::help(&self.string()).to_owned();
                let message = format!("{} must be an RFC 3339 date-time, but is {}", self.name(), self.shown());
                return faults.push(self.fault(Framing::WrongValue, message, Some(help)));
            }
            K::Enum { options } => {
                let options: Vec<_> = options.as_array().into_iter().flatten().collect();
                let help = self.nearest(&options).map(|near| format!("did you mean {near}?"));
                let message = format!("{} must be {}, but is {}", self.name(), choice(&options), self.shown());
                return faults.push(self.fault(Framing::WrongValue, message, help));
            }
            K::Constant { expected_value } => expected_value.to_string(),
            K::MinLength { limit: 1 } => "a string that is not empty".to_owned(),
            K::MinLength { limit } => format!("at least {limit} characters long"),
            K::MaxLength { limit } => format!("at most {limit} characters long"),
            K::Minimum { limit } => format!("at least {limit}"),
            K::Maximum { limit } => format!("at most {limit}"),
            K::ExclusiveMinimum { limit } => format!("more than {limit}"),
            K::ExclusiveMaximum { limit } => format!("less than {limit}"),
            K::MinItems { limit } => format!("an array of at least {limit} items"),
            K::MaxItems { limit } => format!("an array of at most {limit} items"),
            K::Pattern { pattern } => format!("a string that matches the pattern {pattern}"),
            K::Format { format } => format!("a {format}"),
            K::AnyOf { .. } | K::OneOfNotValid { .. } => "one of the documented forms".to_owned(),
            K::OneOfMultipleValid { .. } => "one of the documented forms and no other".to_owned(),
            _ => {
                let message = format!("{} is not as documented: {}", self.name(), words());
                return faults.push(self.fault(Framing::WrongValue, message, None));
            }
        };
        let message = format!("{} must be {must}, but is {}", self.name(), self.shown());
        faults.push(self.fault(Framing::WrongValue, message, None));
    }

    fn fault(&self, rule: Framing, message: String, help: Option<String>) -> Fault {
        Fault {
            rule,
            pointer: self.pointer.clone(),
            span: self.node.span.clone(),
            message,
            help,
            quote: self.schema.words(&self.pointer.0).map(str::to_owned),
            misspelt: false,
        }
    }

    fn missing(&self, property: &str, taken: &[Range<usize>]) -> Fault {
        let holder = if self.pointer.0.is_empty() { "the event".to_owned() } else { self.name() };
        let pointer = self.pointer.child(property);
        let quote = self.schema.words(&pointer.0).map(str::to_owned);
        let base = Fault {
            rule: Framing::MissingField,
            quote,
            pointer,
            span: self.node.span.clone(),
            message: format!("{holder} has no `{property}`"),
            help: None,
            misspelt: false,
        };
        let Some((key, found)) = self.misspelling(property, taken) else {
            return base;
        };
        Fault {
            span: key,
            message: format!("{holder} has no `{property}`, but a `{found}`"),
            help: Some(format!("rename `{found}` to `{property}`")),
            misspelt: true,
            ..base
        }
    }

    fn forbidden(&self, name: &str) -> Fault {
        let pointer = self.pointer.child(name);
        let span = self.node.member(self.text, name).map_or(self.node.span.clone(), |member| member.key.clone());
        let message = format!("`{}` is not allowed here", pointer.dotted());
        Fault { pointer, span, ..self.fault(Framing::WrongValue, message, Some(format!("leave `{name}` out"))) }
    }

    /// A key of this object that is no documented one and was probably meant to be `property`.
    fn misspelling(&self, property: &str, taken: &[Range<usize>]) -> Option<(Range<usize>, String)> {
        let Kind::Object(members) = &self.node.kind else { return None };
        let wanted = letters(property);
        let candidate = |member: &Member| {
            let name = unescaped_lossy(inner(self.text, &member.key)).into_owned();
            let here = match self.schema.at(&self.pointer.0) {
                Subschema::Declared(schema) => self.schema.step(schema, &name),
                other => other,
            };
            if here != Subschema::Missing || taken.contains(&member.key) || name.len() > 4 * property.len() {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&wanted, &letters(&name));
            let allowed = if wanted.chars().count() >= 5 { 2 } else { 1 };
            (distance <= allowed).then_some((distance, member.key.clone(), name))
        };
        // Of two that are as near, the name decides and not the order of the keys.
        let found = members.iter().filter_map(candidate).min_by(|(a, _, one), (b, _, other)| (a, one).cmp(&(b, other)));
        found.map(|(_, key, name)| (key, name))
    }

    fn name(&self) -> String {
        if self.pointer.0.is_empty() { "the event".to_owned() } else { format!("`{}`", self.pointer.dotted()) }
    }

    fn shown(&self) -> String {
        shown(self.node, self.text)
    }

    fn string(&self) -> String {
        match self.node.kind {
            Kind::String => unescaped_lossy(inner(self.text, &self.node.span)).into_owned(),
            _ => String::new(),
        }
    }

    fn type_help(&self) -> Option<String> {
        let schema = match self.schema.at(&self.pointer.0) {
            Subschema::Declared(schema) => schema,
            _ => return None,
        };
        let format = schema.get("format").and_then(Value::as_str);
        match (format, &self.node.kind) {
            (Some("date-time"), Kind::Number) => Some(date_time::help("0").to_owned()),
            (_, Kind::String) => {
                let text = self.string();
                let value = serde_json::from_str::<Value>(&text).ok()?;
                let fits = match schema.get("type").and_then(Value::as_str)? {
                    "boolean" => value.is_boolean(),
                    "number" | "integer" => value.is_number(),
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    _ => false,
                };
                fits.then(|| "send the value itself, without quotes around it".to_owned())
            }
            _ => None,
        }
    }

    fn nearest(&self, options: &[&Value]) -> Option<String> {
        let found = letters(&self.string());
        options
            .iter()
            .filter_map(|option| Some((strsim::damerau_levenshtein(&letters(option.as_str()?), &found), option)))
            .filter(|(distance, _)| *distance <= 2)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, option)| option.to_string())
    }
}

/// Letters and digits alone, in lower case: `toolCallId` and `tool-call-id` are `tool_call_id`.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(200).collect()
}

/// A value as messages show it: what it is, and the thing itself if it is short.
pub fn shown(node: &Node, text: &[u8]) -> String {
    let raw = String::from_utf8_lossy(&text[node.span.clone()]);
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number => format!("the number {}", shortened(&raw, 40)),
        Kind::String => match raw.len() {
            2 => "an empty string".to_owned(),
            _ => format!("the string {}", shortened(&raw, 60)),
        },
        Kind::Array(items) if items.is_empty() => "an empty array".to_owned(),
        Kind::Object(members) if members.is_empty() => "an empty object".to_owned(),
        _ => node.article().to_owned(),
    }
}

/// A text cut to a number of characters.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn choice(options: &[&Value]) -> String {
    let words: Vec<_> = options.iter().map(|option| option.to_string()).collect();
    match words.as_slice() {
        [one] => one.clone(),
        _ => format!("one of {}", words.join(", ")),
    }
}

fn types(kind: &TypeKind) -> String {
    let article = |name: &str| match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(one) => article(&one.to_string()),
        TypeKind::Multiple(several) => {
            let names: Vec<_> = several.iter().map(|one| article(&one.to_string())).collect();
            names.join(" or ")
        }
    }
}
