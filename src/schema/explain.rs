//! What is wrong with an event, in words and with its exact place.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind as Kinds;
use serde_json::Value;

use super::judge::{Violated, Violation, judge};
use super::program::Program;
use super::unknown::unknown_fields;
use super::wrong::{Help, Wrong};
use super::{Pointer, Schema, Subschema, date_time};
use crate::input::json::{Kind, Member, Node, Tree, inner, unescaped_lossy};
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
    pub quote: Option<Arc<str>>,
    /// Whether `span` is a misspelt key, which is then no unknown field.
    pub misspelt: bool,
}

/// What is wrong with an event by itself.
#[derive(Debug, Default, PartialEq)]
pub struct Explained {
    /// One fault a place, in the order of the pointers.
    pub faults: Vec<Fault>,
    /// The keys that the schema does not declare, in the order of the text: where each stands, and its pointer.
    pub unknown: Vec<(Range<usize>, Pointer)>,
}

/// Judges an event of a tree and explains what is wrong with it. A schema that was compiled judges by its program.
pub fn explain(schema: &Schema, program: Option<&Program>, tree: &Tree, event: &Node, text: &[u8]) -> Explained {
    let Some(judged) = program.and_then(|program| judge(program, tree, event, text)) else {
        return explain_slowly(schema, event, text);
    };
    let mut faults = Vec::new();
    for Violation { pointer, node, schema, violated } in judged.violations {
        let source = &schema.source;
        let explainer = Explainer { text, pointer, node, quote: source.quote.clone() };
        match violated {
            Violated::Forbidden(name) => faults.push(explainer.forbidden(&name)),
            Violated::Keyword(keyword) => {
                faults.extend(source.wrong(keyword).map(|wrong| explainer.explain(wrong)));
            }
            Violated::Required => {
                let property = |name: &str| {
                    let object = schema.object.as_ref()?;
                    Some(&object.properties[object.find(name.as_bytes(), 0)?])
                };
                for name in source.required.iter().filter(|name| node.member(text, name).is_none()) {
                    let quote = property(name).and_then(|property| property.node.source.quote.clone());
                    let undeclared = |name: &str| property(name).is_none();
                    faults.push(explainer.missing(name, quote, undeclared, &faults));
                }
            }
        }
    }
    Explained { faults: one_a_place(faults), unknown: judged.unknown }
}

/// The same by the `jsonschema` crate, for any schema.
pub fn explain_slowly(schema: &Schema, event: &Node, text: &[u8]) -> Explained {
    let value = event.to_value(text);
    let mut faults: Vec<Fault> = Vec::new();
    for error in schema.validator().into_iter().flat_map(|validator| validator.iter_errors(&value)) {
        let pointer = Pointer::parse(error.instance_path().as_str()).unwrap_or_default();
        let Some(node) = event.at(text, &pointer.0) else { continue };
        let declared = schema.at(&pointer.0);
        let quote = schema.words(&pointer.0).map(Arc::from);
        let explainer = Explainer { text, node, quote, pointer };
        match error.kind() {
            Kinds::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let quote = schema.words(&explainer.pointer.child(name).0).map(Arc::from);
                let undeclared = |name: &str| match declared {
                    Subschema::Declared(declared) => schema.step(declared, name) == Subschema::Missing,
                    other => other == Subschema::Missing,
                };
                faults.push(explainer.missing(name, quote, undeclared, &faults));
            }
            Kinds::AdditionalProperties { unexpected } | Kinds::UnevaluatedProperties { unexpected } => {
                faults.extend(unexpected.iter().map(|name| explainer.forbidden(name)));
            }
            kind => faults.push(match Wrong::by_error(kind, declared.schema()) {
                Some(wrong) => explainer.explain(&wrong),
                None => explainer.words(&error.to_string()),
            }),
        }
    }
    Explained { faults: one_a_place(faults), unknown: unknown_fields(schema, event, text) }
}

/// One fault a place, whatever order the schema or the event has its keys in; a wrong type says it all.
fn one_a_place(mut faults: Vec<Fault>) -> Vec<Fault> {
    if faults.len() < 2 {
        return faults;
    }
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
    text: &'e [u8],
    pointer: Pointer,
    node: &'e Node,
    /// The document's words on it.
    quote: Option<Arc<str>>,
}

impl Explainer<'_> {
    fn explain(&self, wrong: &Wrong) -> Fault {
        let mut message = String::with_capacity(120);
        self.name(&mut message);
        message.extend([" must be ", &wrong.must, ", but is "]);
        show(self.node, self.text, &mut message);
        self.fault(wrong.rule, message, self.help(&wrong.help))
    }

    fn help(&self, help: &Help) -> Option<String> {
        match (help, &self.node.kind) {
            (Help::DateTime, _) => Some(date_time::help(&self.string()).to_owned()),
            (Help::Type { date_time: true, .. }, Kind::Number) => Some(date_time::help("0").to_owned()),
            (Help::Type { one: Some(one), .. }, Kind::String) => {
                let text = self.string();
                let value = serde_json::from_str::<Value>(&text).ok()?;
                let fits = match one.as_str() {
                    "boolean" => value.is_boolean(),
                    "number" | "integer" => value.is_number(),
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    _ => false,
                };
                fits.then(|| "send the value itself, without quotes around it".to_owned())
            }
            (Help::Nearest(options), _) => self.nearest(options).map(|near| format!("did you mean {near}?")),
            (Help::Type { .. } | Help::None, _) => None,
        }
    }

    /// What is wrong in words of others.
    fn words(&self, words: &str) -> Fault {
        let mut message = String::new();
        self.name(&mut message);
        message.extend([" is not as documented: ", words]);
        self.fault(Framing::WrongValue, message, None)
    }

    fn fault(&self, rule: Framing, message: String, help: Option<String>) -> Fault {
        Fault {
            rule,
            pointer: self.pointer.clone(),
            span: self.node.span.clone(),
            message,
            help,
            quote: self.quote.clone(),
            misspelt: false,
        }
    }

    /// `quote`: the words on the property; `before`: the faults found before. A key that one of them takes for a
    /// misspelling is no other's.
    fn missing(
        &self,
        property: &str,
        quote: Option<Arc<str>>,
        undeclared: impl Fn(&str) -> bool,
        before: &[Fault],
    ) -> Fault {
        let mut holder = String::with_capacity(80);
        self.name(&mut holder);
        let pointer = self.pointer.child(property);
        let base = Fault {
            rule: Framing::MissingField,
            quote,
            pointer,
            span: self.node.span.clone(),
            message: format!("{holder} has no `{property}`"),
            help: None,
            misspelt: false,
        };
        let Some((key, found)) = self.misspelling(property, undeclared, before) else {
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
    fn misspelling(
        &self,
        property: &str,
        undeclared: impl Fn(&str) -> bool,
        before: &[Fault],
    ) -> Option<(Range<usize>, String)> {
        let Kind::Object(members) = &self.node.kind else { return None };
        let wanted = letters(property);
        let candidate = |member: &Member| {
            let name = unescaped_lossy(inner(self.text, &member.key)).into_owned();
            let taken = before.iter().any(|fault| fault.misspelt && fault.span == member.key);
            if taken || name.len() > 4 * property.len() || !undeclared(&name) {
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

    fn name(&self, out: &mut String) {
        if self.pointer.0.is_empty() {
            out.push_str("the event");
        } else {
            out.extend(["`", &self.pointer.dotted(), "`"]);
        }
    }

    fn string(&self) -> String {
        match self.node.kind {
            Kind::String => unescaped_lossy(inner(self.text, &self.node.span)).into_owned(),
            _ => String::new(),
        }
    }

    fn nearest(&self, options: &[Value]) -> Option<String> {
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
    let mut shown = String::new();
    show(node, text, &mut shown);
    shown
}

fn show(node: &Node, text: &[u8], out: &mut String) {
    let raw = &text[node.span.clone()];
    let raw = || std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed);
    match &node.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number => out.extend(["the number ", &shortened(&raw(), 40)]),
        Kind::String if node.span.len() == 2 => out.push_str("an empty string"),
        Kind::String => out.extend(["the string ", &shortened(&raw(), 60)]),
        Kind::Array(items) if items.is_empty() => out.push_str("an empty array"),
        Kind::Object(members) if members.is_empty() => out.push_str("an empty object"),
        _ => out.push_str(node.article()),
    }
}

/// A text cut to a number of characters.
pub fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
