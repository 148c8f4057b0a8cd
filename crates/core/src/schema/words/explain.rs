//! Explains what is wrong with an event, with the exact place of each fault.
//!
//! [`explain`] takes the violations that the fast path found; [`judge`] is the slow path as a whole. Both report equal
//! faults for equal events.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind as Kinds;
use serde_json::Value;

use super::faults::{Fault, FaultCollector, Faults};
use super::missing::MissingProperty;
use super::requirement::{Help, Requirement};
use super::wordings::{Wording, Wordings};
use crate::bytes::lossy;
use crate::framing::Framing;
use crate::input::json::{Node, inner, unescaped_lossy};
use crate::schema::captures::{Constraint, EventCaptures, MOST_VIOLATIONS, UnknownKey, Violation};
use crate::schema::pointer::RenderedPointer;
use crate::schema::program::Program;
use crate::schema::{Pointer, Schema, Subschema, date_time, expects_more, property_names, required_names};
use crate::text::{FoldedName, did_you_mean};

/// The most values of an event that the `jsonschema` crate is asked for all faults of: it keeps hundreds of bytes for
/// each of them.
const MOST_VALUES: usize = 1 << 17;
/// The most copies of values that the `jsonschema` crate may keep to explain why no alternative of a schema fits: one of the
/// value for each alternative.
const MOST_COPIES: usize = 1 << 22;

/// Explains the violations that the fast path captured from an event. Messages call the event `noun`; `wordings` are those
/// of the last faults of its type; `unlisted` is called with each fault beyond [`MOST_LISTED`](super::MOST_LISTED).
pub(crate) fn explain<'p>(
    noun: &str,
    program: &'p Program,
    text: &[u8],
    captured: EventCaptures<'_>,
    wordings: &mut Wordings,
    unlisted: &mut dyn FnMut(&Fault<'_>),
) -> Faults<'p> {
    let (mut faults, mut taken) = (FaultCollector::new(captured.violations.len(), unlisted), BTreeSet::new());
    // An event may have as many unknown keys as faults: sorted, those of one object are found by its byte range.
    let mut unknown: Vec<_> = captured.unknown.iter().collect();
    unknown.sort_unstable_by_key(|key| key.start);
    for violation in captured.violations {
        let Violation { node, constraint, start, end, items } = violation;
        let source = &program.sources[usize::from(*node)];
        let span = *start as usize..*end as usize;
        let explainer =
            Explainer { text, noun, pointer: source.pointer(items), span: span.clone(), quote: source.quote() };
        let missing = match constraint {
            Constraint::Keyword(keyword) => {
                let value = &text[explainer.span.clone()];
                let known = wordings.of(violation, value).map(|wording| explainer.say(wording));
                let fault = known.or_else(|| {
                    let fault = explainer.explain(source.requirement(keyword)?);
                    wordings.keep(violation, value, &fault);
                    Some(fault)
                });
                fault.into_iter().for_each(|fault| faults.add(fault));
                continue;
            }
            Constraint::Required(missing) => missing,
        };
        let same_object = |key: &&UnknownKey| key.object == *node;
        let inside = unknown.partition_point(|key| (key.start as usize) < span.start)
            ..unknown.partition_point(|key| (key.start as usize) < span.end);
        let undeclared =
            unknown[inside].iter().copied().filter(same_object).map(|key| key.start as usize - 1..key.end as usize + 1);
        for property in source.required.iter().filter(|property| missing >> property.index & 1 == 1) {
            let own = &program.sources[usize::from(property.node)];
            let property = MissingProperty {
                name: &property.name,
                pointer: own.pointer(items),
                quote: own.quote(),
                declared: own.properties.iter().map(String::as_str).collect(),
                required: own.required.iter().map(|property| &*property.name).collect(),
            };
            faults.add(explainer.missing(property, undeclared.clone(), &mut taken));
        }
    }
    faults.finish(captured.violations.len() >= MOST_VIOLATIONS)
}

/// Judges an event by the `jsonschema` crate and returns what is wrong with it; of a very large event, only one fault.
/// `unlisted` is called with each fault beyond [`MOST_LISTED`](super::MOST_LISTED).
pub(crate) fn judge(
    schema: &Schema,
    event: &Node,
    text: &[u8],
    unlisted: &mut dyn FnMut(&Fault<'_>),
) -> Faults<'static> {
    let value = event.to_value(text);
    let schema = schema.judged();
    let (mut faults, mut taken) = (FaultCollector::new(0, unlisted), BTreeSet::new());
    if event.has_more_values(MOST_COPIES / schema.alternatives().max(1)) {
        // Valid or not is all that can be said without copies of the event.
        let is_valid = schema.validator().is_none_or(|validator| validator.is_valid(&value));
        let explainer = Explainer {
            text,
            noun: schema.noun(),
            span: event.span.clone(),
            quote: None,
            pointer: Cow::Owned(Pointer::default().into()),
        };
        if !is_valid {
            faults.add(owned(explainer.unexplained()));
        }
        return faults.finish(!is_valid);
    }
    let is_large = event.has_more_values(MOST_VALUES);
    let first = schema.validator().filter(|_| is_large).and_then(|validator| validator.validate(&value).err());
    let more = first.is_some();
    let all = schema.validator().filter(|_| !is_large).map(|validator| validator.iter_errors(&value));
    for error in first.into_iter().chain(all.into_iter().flatten()) {
        let pointer = Pointer::parse(error.instance_path().as_str()).unwrap_or_default();
        let Some(node) = event.at(text, &pointer.0) else { continue };
        let declared = schema.within(event, text, &pointer.0);
        let quote = quote_of(declared.description());
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
                let own = schema.within(event, text, &pointer.0);
                let property = MissingProperty {
                    name,
                    quote: quote_of(own.description()),
                    pointer: Cow::Owned(pointer.into()),
                    declared: own.schema().map_or_else(Vec::new, property_names),
                    required: own.schema().map_or_else(Vec::new, required_names),
                };
                let undeclared = |name: &str| match declared {
                    Subschema::Declared(declared) => {
                        !expects_more(declared) && schema.step(declared, name) == Subschema::Missing
                    }
                    other => other == Subschema::Missing,
                };
                let keys = node.members().iter().map(|member| member.key.clone());
                let keys = keys.filter(|key| undeclared(&unescaped_lossy(inner(text, key))));
                faults.add(owned(explainer.missing(property, keys, &mut taken)));
            }
            Kinds::AdditionalProperties { unexpected } | Kinds::UnevaluatedProperties { unexpected } => {
                let key = |name: &str| node.member(text, name).map_or(node.span.clone(), |member| member.key.clone());
                unexpected.iter().for_each(|name| faults.add(owned(explainer.forbidden(name, key(name)))));
            }
            Kinds::BacktrackLimitExceeded { .. } | Kinds::RegexEngineFailure { .. } => {
                faults.add(owned(explainer.undecided()));
            }
            kind => faults.add(owned(match Requirement::of_error(kind, declared.schema()) {
                Some(requirement) => explainer.explain(&requirement),
                None => explainer.relay(&error.to_string()),
            })),
        }
    }
    faults.finish(more)
}

/// Makes a fault independent of the program it borrows from.
fn owned(fault: Fault<'_>) -> Fault<'static> {
    let quote = fault.quote.map(|quote| Cow::Owned(quote.into_owned()));
    Fault { pointer: Cow::Owned(fault.pointer.into_owned()), quote, ..fault }
}

/// Returns whether a description says of which type a value is; one that only says what the value is for explains nothing
/// to those who sent another type.
fn names_a_type(description: &str) -> bool {
    let types =
        ["array", "list", "boolean", "true", "false", "whether", "integer", "number", "object", "string", "null"];
    let mut words = description.split(|c: char| !c.is_alphanumeric());
    words.any(|word| types.iter().any(|name| word.eq_ignore_ascii_case(name)))
}

/// Returns a schema's description in the form that a [`Fault`] quotes.
fn quote_of(description: Option<&str>) -> Option<Cow<'static, Arc<str>>> {
    description.map(|description| Cow::Owned(description.into()))
}

/// Writes the faults of one value of an event.
pub(super) struct Explainer<'e, 'p> {
    /// The text of the whole event.
    pub text: &'e [u8],
    /// The noun for the whole event in messages.
    noun: &'e str,
    /// The pointer of the value.
    pointer: Cow<'p, RenderedPointer>,
    /// The byte range of the value in `text`.
    span: Range<usize>,
    /// The schema's description of the value.
    quote: Option<Cow<'p, Arc<str>>>,
}

impl<'p> Explainer<'_, 'p> {
    /// Returns the fault of a value that was already put into words.
    fn say(&self, wording: &Wording) -> Fault<'p> {
        let Wording { rule, message, help, proposal, is_quoted, .. } = wording;
        let fault = self.fault(*rule, message.clone(), help.clone());
        Fault { proposal: proposal.clone(), quote: fault.quote.filter(|_| *is_quoted), ..fault }
    }

    /// Returns the fault of a value that does not meet a requirement.
    fn explain(&self, requirement: &Requirement) -> Fault<'p> {
        let mut message = String::with_capacity(120);
        self.name(&mut message);
        message.extend([" must be ", &requirement.must, ", but is "]);
        describe_into(&self.text[self.span.clone()], &mut message);
        let (help, proposal) = self.help(&requirement.help).unzip();
        let fault = self.fault(requirement.rule, message, help);
        let quote = fault.quote.filter(|quote| requirement.rule != Framing::WrongType || names_a_type(quote));
        Fault { proposal: proposal.flatten(), quote, ..fault }
    }

    /// Returns what to do about the value, and the JSON text that the advice proposes; `None` if there is no advice.
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
                self.nearest(options).map(|near| (did_you_mean(near.to_owned()).into(), Some(near.into())))
            }
            (Help::Type { .. } | Help::None, _) => None,
        }
    }

    /// Returns a fault with the message of an error that has no requirement of its own.
    fn relay(&self, error: &str) -> Fault<'p> {
        let mut message = String::new();
        self.name(&mut message);
        message.extend([" is not as the protocol requires: ", error]);
        self.fault(Framing::WrongValue, message, None)
    }

    /// Returns the fault of an event that is too large to say what is wrong with it.
    fn unexplained(&self) -> Fault<'p> {
        let message = format!("the {} does not match its schema, and is too large to say where", self.noun);
        self.fault(Framing::WrongValue, message, None)
    }

    /// Returns the fault of a value that a pattern of the schema takes too long to match.
    fn undecided(&self) -> Fault<'p> {
        let mut message = String::new();
        self.name(&mut message);
        message.push_str(" was not checked, because the pattern in its schema takes too long to match");
        let help = "simplify the pattern in the schema";
        self.fault(Framing::CheckSkipped, message, Some(help.into()))
    }

    /// Returns a fault at the value itself.
    pub(super) fn fault(&self, rule: Framing, message: String, help: Option<Cow<'static, str>>) -> Fault<'p> {
        Fault {
            rule,
            pointer: self.pointer.clone(),
            span: self.span.clone(),
            message,
            help,
            quote: self.quote.clone(),
            named: Vec::new(),
            proposal: None,
        }
    }

    /// Returns the fault of an object that has a member that is not allowed; `key` is the byte range of the member's
    /// key.
    fn forbidden(&self, name: &str, key: Range<usize>) -> Fault<'p> {
        let pointer = self.pointer.child(name);
        let pointer = RenderedPointer::from(pointer);
        let message = format!("`{}` is not allowed here", pointer.dotted);
        let help = Some(format!("leave `{name}` out").into());
        Fault { pointer: Cow::Owned(pointer), span: key, ..self.fault(Framing::WrongValue, message, help) }
    }

    /// Appends the name of the value as messages call it: its dotted pointer, or the noun for the whole event.
    pub(super) fn name(&self, out: &mut String) {
        if self.pointer.0.is_empty() {
            out.extend(["the ", self.noun]);
        } else {
            out.extend(["`", &self.pointer.dotted, "`"]);
        }
    }

    /// Returns the unescaped text of the value if it is a string, or else an empty text.
    fn string(&self) -> Cow<'_, str> {
        match self.text[self.span.clone()] {
            [b'"', ref raw @ .., b'"'] => unescaped_lossy(raw),
            _ => Cow::Borrowed(""),
        }
    }

    /// Returns the option that the value probably misspells; of several that are as near, the first in the schema.
    fn nearest<'o>(&self, options: &'o [(String, FoldedName)]) -> Option<&'o str> {
        let candidates = options.iter().enumerate().map(|(index, (_, letters))| (index, letters));
        FoldedName::letters(&self.string()).nearest(candidates, 2).map(|index| &*options[index].0)
    }
}

/// Describes a value for a message, as in `the string "x"` or `an empty array`. `raw` is the value's JSON text; long
/// strings and numbers are shortened.
pub(crate) fn describe_value(raw: &[u8]) -> String {
    let mut description = String::new();
    describe_into(raw, &mut description);
    description
}

/// Appends the description of a value, as [`describe_value`] returns it.
fn describe_into(raw: &[u8], out: &mut String) {
    let is_empty = |inside: &[u8]| inside.iter().all(u8::is_ascii_whitespace);
    match raw {
        b"\"\"" => out.push_str("an empty string"),
        [b'"', ..] => out.extend(["the string ", &shortened(&lossy(raw), SHOWN_CHARS)]),
        [b'[', inside @ .., b']'] if is_empty(inside) => out.push_str("an empty array"),
        [b'[', ..] => out.push_str("an array"),
        [b'{', inside @ .., b'}'] if is_empty(inside) => out.push_str("an empty object"),
        [b'{', ..] => out.push_str("an object"),
        // "but is true" would be read as a sentence by itself.
        [b't' | b'f', ..] => out.extend(["the boolean ", &lossy(raw)]),
        [b'n', ..] => out.push_str(&lossy(raw)),
        _ => out.extend(["the number ", &shortened(&lossy(raw), 40)]),
    }
}

/// Cuts a text to at most `most` characters, with an ellipsis in place of the rest.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}

/// The maximum number of characters of a name or a value that a message quotes.
pub(crate) const SHOWN_CHARS: usize = 60;

/// Quotes a text for a message: as a JSON string, cut to at most `most` characters.
pub fn quoted(text: &str, most: usize) -> String {
    let text = shortened(text, most);
    serde_json::to_string(&text).unwrap_or_else(|_| text.into_owned())
}
