//! Dialects: what those do otherwise who write a protocol's events without being its author, as severities and schemas.

use std::collections::BTreeMap;

use serde_json::Value;

use super::file::File;
use super::tables::{Rule, RuleId};
use super::{Folder, Protocol};
use crate::error::{Problem, ProtocolError};
use crate::finding::Severity;
use crate::framing::Framing;
use crate::schema::Schema;
use crate::text::{alternatives, did_you_mean, nearest};

/// The most dialects that a finding names.
const MOST_NAMED: usize = 3;

/// A dialect of a protocol: what somebody does otherwise than the protocol says.
pub struct Dialect {
    /// The name, as `--dialect` accepts it.
    pub name: String,
    /// Who writes so.
    pub title: String,
    /// The severities of rules that replace the protocol's; `None` switches a rule off.
    severities: BTreeMap<RuleId, Option<Severity>>,
    /// The schemas that replace the protocol's, or are added to them, by event type.
    schemas: BTreeMap<String, Schema>,
}

impl Dialect {
    /// Returns the severity of a rule, if the dialect replaces it.
    pub(crate) fn severity(&self, rule: RuleId) -> Option<Option<Severity>> {
        self.severities.get(&rule).copied()
    }

    /// Returns the rules whose severity the dialect replaces, with the severity; `None` switches a rule off.
    pub fn severities(&self) -> impl Iterator<Item = (RuleId, Option<Severity>)> {
        self.severities.iter().map(|(rule, severity)| (*rule, *severity))
    }

    /// Returns the event types for which the dialect has a schema of its own.
    pub fn event_types(&self) -> impl Iterator<Item = &str> {
        self.schemas.keys().map(String::as_str)
    }

    /// Returns whether the schema of an event type says something else of the value at a pointer, or, where the value
    /// `is_missing`, of whether there must be one.
    fn says_otherwise(&self, schema: &Schema, event_type: &str, pointer: &str, is_missing: bool) -> bool {
        let Some(own) = self.schemas.get(event_type) else { return false };
        let path: Vec<_> = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let differs = || !agree(own.at(&path).schema(), schema.at(&path).schema());
        let requires = |schema: &Schema| {
            let (name, object) = path.split_last()?;
            let required = schema.at(object).schema()?.get("required")?.as_array()?.clone();
            Some(required.iter().any(|one| one == name))
        };
        !path.is_empty() && if is_missing { requires(own) != requires(schema) } else { differs() }
    }
}

/// The keywords that say something of what is inside of a value, or nothing of what it may be.
const NOT_OF_ITSELF: [&str; 6] = ["properties", "additionalProperties", "items", "required", "title", "description"];

/// Returns whether two schemas say the same of a value itself, whatever they say of what is inside of it.
fn agree(one: Option<&Value>, other: Option<&Value>) -> bool {
    let (Some(Value::Object(one)), Some(Value::Object(other))) = (one, other) else { return one == other };
    let is_of_itself = |(keyword, _): &(&String, &Value)| !NOT_OF_ITSELF.contains(&keyword.as_str());
    one.iter().filter(is_of_itself).all(|(keyword, value)| other.get(keyword) == Some(value))
        && one.iter().filter(is_of_itself).count() == other.iter().filter(is_of_itself).count()
}

/// Compiles the dialects of a file.
///
/// # Errors
///
/// Returns the mistakes in them.
pub(super) fn compile(file: &File, rules: &[Rule], folder: &Folder) -> Result<Vec<Dialect>, Vec<Problem>> {
    let (mut dialects, mut problems) = (Vec::new(), Vec::new());
    for (name, written) in &file.dialect {
        let text = name.get_ref();
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') || text.is_empty() {
            let help = "name it in letters, digits and hyphens, such as openrouter";
            problems.push(Problem::new(name.span(), format!("{text:?} cannot be the name of a dialect"), help));
        }
        let mut severities = BTreeMap::new();
        for (rule, severity) in &written.rules {
            match rules.iter().position(|known| *known.name == **rule.get_ref()) {
                Some(number) => drop(severities.insert(RuleId(number as u16), severity.severity())),
                None => {
                    let near = nearest(rule.get_ref(), rules.iter().map(|rule| &*rule.name));
                    let help = near.map_or_else(|| "name rules that the protocol has".to_owned(), did_you_mean);
                    problems.push(Problem::new(rule.span(), format!("there is no rule {}", rule.get_ref()), help));
                }
            }
        }
        let schemas: BTreeMap<_, _> = folder.schemas_of(text).map(|(name, schema)| (name.to_owned(), schema)).collect();
        if written.rules.is_empty() && schemas.is_empty() {
            let help =
                format!("give rules other severities in `rules`, or put schemas into the folder dialects/{text}");
            problems.push(Problem::new(name.span(), format!("the dialect {text} changes nothing"), help));
        }
        dialects.push(Dialect { name: text.clone(), title: written.title.clone(), severities, schemas });
    }
    let is_known = |name: &str| file.dialect.keys().any(|known| known.get_ref() == name);
    for one in folder.dialects.iter().filter(|one| !is_known(&one.dialect)) {
        let message = format!("the folder dialects/{} has schemas, but there is no dialect of that name", one.dialect);
        let help = format!("write [dialect.{}] with a title, or remove the folder", one.dialect);
        let problem = Problem::new(0..0, message, help);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    if problems.is_empty() { Ok(dialects) } else { Err(problems) }
}

/// The rules that schemas break, whose findings a dialect with schemas of its own may explain.
const OF_SCHEMAS: [Framing; 5] =
    [Framing::MissingField, Framing::WrongType, Framing::WrongValue, Framing::UnknownField, Framing::UnknownValue];

impl Protocol {
    /// Returns the dialects of the protocol, in the order of their names.
    pub fn dialects(&self) -> &[Dialect] {
        &self.0.dialects
    }

    /// Returns the dialect in which events are judged; `None` if that is the protocol itself.
    pub fn dialect(&self) -> Option<&Dialect> {
        self.0.dialects.get(self.0.dialect?)
    }

    /// Returns the protocol with the severities and schemas of a dialect; `None` if it has no dialect of this name.
    ///
    /// ```
    /// use sessionlint_core::Protocol;
    ///
    /// let protocol = Protocol::builtin("openai-chat").expect("it is built in");
    /// let own = protocol.in_dialect("openrouter").expect("there is such a dialect").expect("it has no mistakes");
    /// assert_eq!(own.dialect().map(|dialect| dialect.title.as_str()), Some("OpenRouter"));
    /// ```
    ///
    /// # Errors
    ///
    /// If the tables have mistakes together with the dialect's schemas, which loading a folder has ruled out.
    pub fn in_dialect(&self, name: &str) -> Option<Result<Protocol, ProtocolError>> {
        let number = self.0.dialects.iter().position(|dialect| dialect.name == name)?;
        Some(Protocol::compile(&self.0.folder.in_dialect(name), self.0.trusted, Some(number)))
    }

    /// Returns the severity that the dialect gives a rule in place of the protocol's; `None` if it leaves it alone, or if the
    /// protocol is in no dialect. The inner `None` switches the rule off.
    pub fn severity_by_dialect(&self, rule: &str) -> Option<Option<Severity>> {
        let number = self.rules().iter().position(|known| *known.name == *rule)?;
        self.dialect()?.severity(RuleId(number as u16))
    }

    /// Returns the severity of a rule unless the caller sets another.
    pub(crate) fn severity_of(&self, rule: RuleId) -> Option<Severity> {
        let own = || self.rules()[usize::from(rule.0)].severity;
        self.dialect().and_then(|dialect| dialect.severity(rule)).unwrap_or_else(own)
    }

    /// Returns the words that name the dialects in which something is no finding, or less of one; `None` if there are none,
    /// or if the events are judged in a dialect already.
    pub(crate) fn dialects_of_finding(
        &self,
        rule: RuleId,
        event_type: Option<&str>,
        pointer: Option<&str>,
    ) -> Option<String> {
        if self.dialects().is_empty() || self.dialect().is_some() {
            return None;
        }
        let known = &self.rules()[usize::from(rule.0)];
        let is_of_schemas = OF_SCHEMAS.iter().any(|one| one.name() == &*known.name);
        let is_missing = *known.name == *Framing::MissingField.name();
        let event =
            event_type.filter(|_| is_of_schemas).and_then(|name| self.tables().events.get(self.event_id(name)?));
        let explains = |dialect: &&Dialect| {
            dialect.severity(rule).is_some_and(|severity| severity < known.severity)
                || event
                    .zip(pointer)
                    .is_some_and(|(event, at)| dialect.says_otherwise(&event.schema, &event.name, at, is_missing))
        };
        let found: Vec<_> = self.dialects().iter().filter(explains).collect();
        let named = &found[..found.len().min(MOST_NAMED)];
        if named.is_empty() {
            return None;
        }
        let titles = alternatives(&named.iter().map(|dialect| &dialect.title).collect::<Vec<_>>());
        let names = alternatives(&named.iter().map(|dialect| &dialect.name).collect::<Vec<_>>());
        Some(match found.len() > MOST_NAMED {
            true => {
                format!("If the stream comes from a known provider, such as {titles}, name the provider with --dialect")
            }
            false => format!("If the stream comes from {titles}, use --dialect {names}"),
        })
    }
}
