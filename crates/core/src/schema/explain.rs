//! What is wrong with an event, in words and with its exact place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind as Kinds;
use serde_json::Value;

use super::captures::{Captured, UnknownKey, Violated, Violation};
use super::faults::{Collector, Fault, Faults};
use super::letters::Letters;
use super::pointer::Written;
use super::program::Program;
use super::unknown::unknown_fields;
use super::wrong::{Help, Wrong};
use super::{Pointer, Schema, Subschema, date_time};
use crate::bytes::lossy;
use crate::framing::Framing;
use crate::input::json::{Node, inner, unescaped_lossy};

/// What is wrong with an event by itself.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Explained {
    pub faults: Faults<'static>,
    /// The keys that the schema does not declare, in the order of the text: where each stands, and its pointer.
    pub unknown: Vec<(Range<usize>, Pointer)>,
}

/// Explains what the fast way found wrong with an event. `noun`: what messages call it; `unlisted` is told of each fault
/// beyond those that are listed.
pub(crate) fn explain<'p>(
    noun: &str,
    program: &'p Program,
    text: &[u8],
    captured: Captured<'_>,
    unlisted: &mut dyn FnMut(&Fault<'_>),
) -> Faults<'p> {
    let (mut faults, mut taken) = (Collector::new(captured.violations.len(), unlisted), HashSet::new());
    // An event may have as many unknown keys as faults: those of an object are found by where it stands.
    let mut unknown: Vec<_> = captured.unknown.iter().collect();
    unknown.sort_unstable_by_key(|key| key.start);
    for violation in captured.violations {
        let Violation { node, violated, start, end, items } = violation;
        let source = &program.sources[usize::from(*node)];
        let span = *start as usize..*end as usize;
        let explainer =
            Explainer { text, noun, pointer: source.pointer(items), span: span.clone(), quote: source.quote() };
        let missing = match violated {
            Violated::Keyword(keyword) => {
                source.wrong(keyword).into_iter().for_each(|wrong| faults.add(explainer.explain(wrong)));
                continue;
            }
            Violated::Required(missing) => missing,
        };
        let mine = |key: &&UnknownKey| key.object == *node;
        let inside = unknown.partition_point(|key| (key.start as usize) < span.start)
            ..unknown.partition_point(|key| (key.start as usize) < span.end);
        let undeclared =
            unknown[inside].iter().copied().filter(mine).map(|key| key.start as usize - 1..key.end as usize + 1);
        for property in source.required.iter().filter(|property| missing >> property.index & 1 == 1) {
            let own = &program.sources[usize::from(property.node)];
            let (name, pointer) = (&property.name, own.pointer(items));
            faults.add(explainer.missing(name, pointer, own.quote(), undeclared.clone(), &mut taken));
        }
    }
    faults.finish()
}

/// Judges an event by the `jsonschema` crate, and explains what is wrong with it, likewise.
pub(crate) fn judge(schema: &Schema, event: &Node, text: &[u8], unlisted: &mut dyn FnMut(&Fault<'_>)) -> Explained {
    let value = event.to_value(text);
    let (mut faults, mut taken) = (Collector::new(0, unlisted), HashSet::new());
    for error in schema.validator().into_iter().flat_map(|validator| validator.iter_errors(&value)) {
        let pointer = Pointer::parse(error.instance_path().as_str()).unwrap_or_default();
        let Some(node) = event.at(text, &pointer.0) else { continue };
        let declared = schema.at(&pointer.0);
        let quote = quoted_words(schema.words(&pointer.0));
        let explainer = Explainer {
            text,
            noun: schema.noun(),
            span: node.span.clone(),
            quote,
            pointer: Cow::Owned(pointer.into()),
        };
        match error.kind() {
            Kinds::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let pointer = explainer.pointer.child(name);
                let quote = quoted_words(schema.words(&pointer.0));
                let undeclared = |name: &str| match declared {
                    Subschema::Declared(declared) => schema.step(declared, name) == Subschema::Missing,
                    other => other == Subschema::Missing,
                };
                let keys = node.members().iter().map(|member| member.key.clone());
                let keys = keys.filter(|key| undeclared(&unescaped_lossy(inner(text, key))));
                faults.add(owned(explainer.missing(name, Cow::Owned(pointer.into()), quote, keys, &mut taken)));
            }
            Kinds::AdditionalProperties { unexpected } | Kinds::UnevaluatedProperties { unexpected } => {
                let key = |name: &str| node.member(text, name).map_or(node.span.clone(), |member| member.key.clone());
                unexpected.iter().for_each(|name| faults.add(owned(explainer.forbidden(name, key(name)))));
            }
            kind => faults.add(owned(match Wrong::by_error(kind, declared.schema()) {
                Some(wrong) => explainer.explain(&wrong),
                None => explainer.words(&error.to_string()),
            })),
        }
    }
    Explained { faults: faults.finish(), unknown: unknown_fields(schema, event, text) }
}

fn owned(fault: Fault<'_>) -> Fault<'static> {
    let quote = fault.quote.map(|quote| Cow::Owned(quote.into_owned()));
    Fault { pointer: Cow::Owned(fault.pointer.into_owned()), quote, ..fault }
}

fn quoted_words(words: Option<&str>) -> Option<Cow<'static, Arc<str>>> {
    words.map(|words| Cow::Owned(words.into()))
}

/// Puts into words what is wrong with a value.
struct Explainer<'e, 'p> {
    text: &'e [u8],
    /// What messages call the whole.
    noun: &'e str,
    pointer: Cow<'p, Written>,
    /// Where the value stands.
    span: Range<usize>,
    /// The document's words on it.
    quote: Option<Cow<'p, Arc<str>>>,
}

impl<'p> Explainer<'_, 'p> {
    fn explain(&self, wrong: &Wrong) -> Fault<'p> {
        let mut message = String::with_capacity(120);
        self.name(&mut message);
        message.extend([" must be ", &wrong.must, ", but is "]);
        show(&self.text[self.span.clone()], &mut message);
        let (help, proposal) = self.help(&wrong.help).unzip();
        Fault { proposal: proposal.flatten(), ..self.fault(wrong.rule, message, help) }
    }

    /// What to do, and the JSON text that it proposes.
    fn help(&self, help: &Help) -> Option<(Cow<'static, str>, Option<Arc<str>>)> {
        let raw = &self.text[self.span.clone()];
        match (help, raw.first()) {
            (Help::DateTime, _) => Some((date_time::help(&self.string()).into(), None)),
            (Help::Type { date_time: true, .. }, Some(b'-' | b'0'..=b'9')) => Some((date_time::help("0").into(), None)),
            (Help::Type { one: Some(one), .. }, Some(b'"')) => {
                let text = self.string();
                let value = serde_json::from_str::<Value>(&text).ok()?;
                let fits = match one.as_str() {
                    "boolean" => value.is_boolean(),
                    "number" | "integer" => value.is_number(),
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    _ => false,
                };
                fits.then(|| ("send the value itself, without quotes around it".into(), Some(text.trim().into())))
            }
            (Help::Nearest(options), _) => {
                self.nearest(options).map(|near| (format!("did you mean {near}?").into(), Some(near.into())))
            }
            (Help::Type { .. } | Help::None, _) => None,
        }
    }

    /// What is wrong in words of others.
    fn words(&self, words: &str) -> Fault<'p> {
        let mut message = String::new();
        self.name(&mut message);
        message.extend([" is not as documented: ", words]);
        self.fault(Framing::WrongValue, message, None)
    }

    fn fault(&self, rule: Framing, message: String, help: Option<Cow<'static, str>>) -> Fault<'p> {
        Fault {
            rule,
            pointer: self.pointer.clone(),
            span: self.span.clone(),
            message,
            help,
            quote: self.quote.clone(),
            misspelt: false,
            proposal: None,
        }
    }

    /// A property of this object that is not there. `undeclared`: the object's keys that the schema does not declare;
    /// `taken`: where the keys start that were taken for misspellings before. Each is one of one property alone.
    fn missing(
        &self,
        property: &str,
        pointer: Cow<'p, Written>,
        quote: Option<Cow<'p, Arc<str>>>,
        undeclared: impl Iterator<Item = Range<usize>>,
        taken: &mut HashSet<usize>,
    ) -> Fault<'p> {
        let mut message = String::with_capacity(80);
        self.name(&mut message);
        message.extend([" has no `", property, "`"]);
        let fault = Fault { pointer, quote, ..self.fault(Framing::MissingField, String::new(), None) };
        match self.misspelling(property, undeclared.filter(|key| !taken.contains(&key.start))) {
            None => Fault { message, ..fault },
            Some((span, found)) => {
                taken.insert(span.start);
                message.extend([", but has `", &found, "`"]);
                let help = Some(format!("rename `{found}` to `{property}`").into());
                let proposal = Some(Value::from(property).to_string().into());
                Fault { message, span, help, misspelt: true, proposal, ..fault }
            }
        }
    }

    /// `key`: where it stands.
    fn forbidden(&self, name: &str, key: Range<usize>) -> Fault<'p> {
        let pointer = self.pointer.child(name);
        let pointer = Written::from(pointer);
        let message = format!("`{}` is not allowed here", pointer.dotted);
        let help = Some(format!("leave `{name}` out").into());
        Fault { pointer: Cow::Owned(pointer), span: key, ..self.fault(Framing::WrongValue, message, help) }
    }

    /// The one of these keys that was probably meant to be `property`.
    fn misspelling(&self, property: &str, keys: impl Iterator<Item = Range<usize>>) -> Option<(Range<usize>, String)> {
        let mut keys = keys.peekable();
        keys.peek()?;
        let wanted = Letters::of(property);
        let allowed = if wanted.count() >= 5 { 2 } else { 1 };
        let candidate = |key: Range<usize>| {
            let name = unescaped_lossy(inner(self.text, &key)).into_owned();
            if name.len() > 4 * property.len() {
                return None;
            }
            let distance = wanted.distance(&Letters::of(&name), allowed)?;
            Some((distance, key, name))
        };
        // Of two that are as near, the name decides and not the order of the keys.
        let found = keys.filter_map(candidate).min_by(|(a, _, one), (b, _, other)| (a, one).cmp(&(b, other)));
        found.map(|(_, key, name)| (key, name))
    }

    fn name(&self, out: &mut String) {
        if self.pointer.0.is_empty() {
            out.extend(["the ", self.noun]);
        } else {
            out.extend(["`", &self.pointer.dotted, "`"]);
        }
    }

    /// The text of the value, if it is a string.
    fn string(&self) -> Cow<'_, str> {
        match self.text[self.span.clone()] {
            [b'"', ref raw @ .., b'"'] => unescaped_lossy(raw),
            _ => Cow::Borrowed(""),
        }
    }

    fn nearest<'o>(&self, options: &'o [(String, Letters)]) -> Option<&'o str> {
        let found = Letters::of(&self.string());
        let near = options.iter().filter_map(|(option, letters)| Some((letters.distance(&found, 2)?, option)));
        near.min_by_key(|(distance, _)| *distance).map(|(_, option)| &**option)
    }
}

/// A value as messages show it: what it is, and the thing itself if it is short. `raw` is its JSON.
pub(crate) fn shown(raw: &[u8]) -> String {
    let mut shown = String::new();
    show(raw, &mut shown);
    shown
}

fn show(raw: &[u8], out: &mut String) {
    let is_empty = |inside: &[u8]| inside.iter().all(u8::is_ascii_whitespace);
    match raw {
        b"\"\"" => out.push_str("an empty string"),
        [b'"', ..] => out.extend(["the string ", &shortened(&lossy(raw), 60)]),
        [b'[', inside @ .., b']'] if is_empty(inside) => out.push_str("an empty array"),
        [b'[', ..] => out.push_str("an array"),
        [b'{', inside @ .., b'}'] if is_empty(inside) => out.push_str("an empty object"),
        [b'{', ..] => out.push_str("an object"),
        [b't' | b'f' | b'n', ..] => out.push_str(&lossy(raw)),
        _ => out.extend(["the number ", &shortened(&lossy(raw), 40)]),
    }
}

/// A text cut to a number of characters.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}

/// A text as messages quote it: in JSON, and cut to a number of characters.
pub fn quoted(text: &str, most: usize) -> String {
    let text = shortened(text, most);
    serde_json::to_string(&text).unwrap_or_else(|_| text.into_owned())
}
