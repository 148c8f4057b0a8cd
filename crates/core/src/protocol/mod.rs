//! Protocols: folders of JSON Schemas and a `protocol.toml`, compiled to tables once.
//!
//! No code here knows an event by its name. The built-in protocols are folders like any other, embedded in the program.

#[cfg(feature = "builtin")]
mod builtin;
mod compile;
pub mod conditions;
mod dialects;
mod effects;
mod file;
mod folder;
mod lazy;
mod listed;
mod near_types;
pub mod records;
pub mod repeat_plan;
mod rulebook;
mod schemas;
pub mod series;
pub mod tables;
pub mod texts;
mod trusted;
mod type_names;
mod upkeep;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;

pub use compile::put;
pub use dialects::Dialect;
pub use file::{Basis, Keyed, Scalar};
use folder::Folder;
pub use lazy::LazyProtocol;
pub(crate) use near_types::{NearTypes, word_count};
pub use rulebook::Rulebook;
pub use tables::{Rule, RuleCase, RuleId, RuleWords, framing};
pub(crate) use type_names::Recognition;
pub use upkeep::Upkeep;

use crate::bytes::Digest;
use crate::error::{Mistakes, Problem, ProtocolError, UnknownName};
use crate::framing::Framing;
use crate::schema::Pointer;
use crate::text::{did_you_mean, nearest};
use crate::toml_reader;
use records::Records;
use series::Series;
use tables::{Effects, EventLabels, EventShape, EventType, FieldCheck, Lifecycle, ToldBy, Unchanged};
use texts::Text;
use trusted::TrustedText;

/// The help for a mistake in a protocol's TOML that has no help of its own.
const HELP: &str = "docs/protocol-language.md explains every word of the file";
/// The suffix of the name of every schema file, after the event's type.
const SCHEMA_ENDING: &str = ".schema.json";

/// A compiled protocol, against which inputs are checked. Clones are cheap: they share the tables.
///
/// ```
/// let protocol = sessionlint_core::Protocol::builtin("session-events").expect("it is built in");
/// assert_eq!(protocol.title(), "AI session events");
/// assert!(protocol.rule("idle-missing").is_some());
/// ```
#[derive(Clone)]
pub struct Protocol(Arc<Compiled>);

/// The shared contents of a [`Protocol`].
struct Compiled {
    name: String,
    title: String,
    version: String,
    source: Option<String>,
    rule_pages: Option<String>,
    document: Option<String>,
    examples_text: Option<String>,
    /// The examples by rule; those of a trusted protocol are parsed on first use.
    examples: OnceLock<Examples>,
    tables: Tables,
    event_ids: HashMap<Arc<str>, usize, RandomState>,
    digest: Digest,
    dialects: Vec<Dialect>,
    /// The number of the dialect in which events are judged.
    dialect: Option<usize>,
    /// The files, from which the protocol is compiled in its dialects.
    folder: Folder,
    /// The text of `protocol.toml` if it is trusted.
    trusted: Option<&'static str>,
}

/// A function that loads a protocol when it is first needed; `None` if it is not available.
pub type ProtocolLoader = fn() -> Option<&'static Protocol>;

/// The tables of a protocol, compiled for the engine.
pub struct Tables {
    /// The fields that every event has: its type, time and stream.
    pub shape: EventShape,
    /// The tables of stored records; `None` if the protocol is one of streams.
    pub records: Option<Records>,
    /// The rule that an event of an unknown type breaks.
    pub unknown: RuleId,
    /// The event types, or the kinds of stored records, in the order of their names.
    pub events: Vec<EventType>,
    /// The lifecycles, in the order of `protocol.toml`.
    pub lifecycles: Vec<Lifecycle>,
    /// The texts that streams send in pieces.
    pub texts: Vec<Text>,
    /// The rules that an event with an earlier timestamp than the event before it breaks.
    pub times: Vec<RuleId>,
    /// By event type: the checks of its fields.
    pub checks: Vec<Vec<FieldCheck>>,
    /// The fields that must not stay the same from one event of a type to the next.
    pub unchanged: Vec<Unchanged>,
    /// By event type: what a page shows of its events.
    pub view: Vec<EventLabels>,
    /// The series.
    pub series: Vec<Series>,
    /// By event type: the effects on lifecycles and texts.
    pub effects: Vec<Effects>,
    /// The rules, in the order of their ids.
    pub rules: Vec<Rule>,
}

toml_tables! {
    /// An example of a rule: a file that breaks the rule, and one that keeps it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Example {
        /// The text of a file that breaks the rule; see `escapes`.
        pub breaks: String = required,
        /// The text of the file after the mistake is corrected.
        pub keeps: String = required,
        /// The options of `sessionlint check` that both files require.
        pub args: String = optional,
        /// Whether `\xNN` in the texts denotes a byte.
        pub escapes: bool = optional,
    }
}

/// The examples of a protocol, by rule.
type Examples = BTreeMap<file::Name, Example>;

impl Protocol {
    /// Returns the built-in protocol of this name, compiled on first use; `None` if there is none.
    ///
    /// # Panics
    ///
    /// If the embedded protocol has mistakes, which the tests of this crate rule out.
    #[cfg(feature = "builtin")]
    pub fn builtin(name: &str) -> Option<&'static Protocol> {
        builtin::number(name).map(builtin::at)
    }

    /// Returns the names of the built-in protocols.
    #[cfg(feature = "builtin")]
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        builtin::names()
    }

    /// Compiles a protocol from the texts of its files: `protocol.toml`, a `<event type>.schema.json` for every event
    /// type, and optionally `shared.json` (with what several schemas refer to), `document.md` (which must then contain the
    /// quotes), `examples.toml`, and for dialects `dialects/<dialect>/<event type>.schema.json`. Other files are ignored. `folder`: the name of the folder in messages.
    ///
    /// # Errors
    ///
    /// If a file is missing, or if files have mistakes: all of them are returned, each with its place.
    pub fn from_files<N: AsRef<str>, T: Into<String>>(
        folder: &str,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Protocol, ProtocolError> {
        Protocol::compile(&Folder::new(folder, files)?, None, None)
    }

    /// Compiles a protocol. `text`: the text of `protocol.toml` if the schemas, examples, words and quotes are known to be
    /// valid and are not checked. `dialect`: the number of the dialect whose schemas the folder has, which then are all
    /// that is checked of dialects.
    fn compile(
        folder: &Folder,
        given: Option<&'static str>,
        dialect: Option<usize>,
    ) -> Result<Protocol, ProtocolError> {
        let text = given.map(TrustedText::of);
        let trusted = text.is_some();
        let tables = text.as_ref().map_or(&*folder.protocol, |text| text.tables);
        let file = toml_reader::read::<file::File>(tables, HELP);
        let type_at = file.as_ref().ok().and_then(|file| Pointer::parse(file.event.as_ref()?.event_type.get_ref()));
        let mut mistakes = Mistakes::new(&folder.name);
        let is_named = |name: &str| {
            let types = file.as_ref().ok().into_iter().flat_map(|file| &file.types);
            types.map(|one| one.get_ref()).all(|one| one.name.get_ref() != name)
        };
        let (schemas, wrong_schemas) = schemas::read(folder, type_at.as_ref(), &is_named, trusted);
        // Without the document, quotes are not looked up: those of a trusted protocol are known to be in it.
        let document = folder.document.as_deref().filter(|_| !trusted);
        let compiled = file.and_then(|file| {
            let tables = compile::Compiler::compile(&file, schemas, document, text.as_ref())?;
            let dialects = dialects::compile(&file, &tables.rules, folder)?;
            Ok((file, tables, dialects))
        });
        let compiled = compiled.map_err(|problems| mistakes.add("protocol.toml", &folder.protocol, problems)).ok();
        for (file, text, problems) in wrong_schemas {
            mistakes.add(&file, text, problems);
        }
        let examples = OnceLock::new();
        if !trusted {
            let text = folder.examples.as_deref().unwrap_or_default();
            let rules = compiled.as_ref().map(|(_, tables, _)| tables.rules.as_slice());
            match read_examples(text, rules) {
                Ok(read) => drop(examples.set(read)),
                Err(problems) => mistakes.add("examples.toml", text, problems),
            }
        }
        let (file, tables, dialects) = mistakes.finish(compiled)?;
        if !trusted && dialect.is_none() {
            for (number, one) in dialects.iter().enumerate().filter(|(_, one)| one.event_types().next().is_some()) {
                Protocol::compile(&folder.in_dialect(&one.name), None, Some(number))?;
            }
        }
        let digest = folder.digest(&tables.rules);
        let event_ids = tables.events.iter().enumerate().map(|(id, event)| (event.name.clone(), id)).collect();
        Ok(Protocol(Arc::new(Compiled {
            title: file.title.unwrap_or_else(|| file.name.get_ref().clone()),
            name: file.name.into_inner(),
            version: file.version,
            source: file.source,
            rule_pages: file.rule_pages.map(|pages| pages.into_inner()),
            document: folder.document.clone(),
            examples_text: folder.examples.clone(),
            examples,
            tables,
            event_ids,
            digest,
            dialects,
            dialect,
            folder: folder.clone(),
            trusted: given,
        })))
    }

    /// Returns a digest of the protocol's tables and schemas.
    pub(crate) fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Returns the protocol's name, as `--protocol` accepts it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the protocol's title.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// Returns the version of the tables.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Returns the title of the document from which the rules were read.
    pub fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// Returns the beginning of the address of a page about each rule: the rule's name makes it whole. It has none but
    /// plain ASCII characters of addresses.
    pub fn rule_pages(&self) -> Option<&str> {
        self.0.rule_pages.as_deref()
    }

    /// Returns the text of the document from which the rules were read, word for word.
    pub fn document(&self) -> Option<&str> {
        self.0.document.as_deref()
    }

    /// Returns the rules: those of the framing first, those of upkeep last.
    pub fn rules(&self) -> &[Rule] {
        &self.0.tables.rules
    }

    /// Returns the rule of this name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.0.tables.rules.iter().find(|rule| &*rule.name == name)
    }

    /// Returns whether only the first finding of a kind is listed for the rule of this name, and the others are counted
    /// in [`Report::repeats`](crate::Report::repeats).
    pub fn lists_first_only(&self, rule: &str) -> bool {
        let once =
            [Framing::UnknownField, Framing::UnknownValue, Framing::MisspeltEvent, Framing::ReplacementCharacter];
        let rules = once.map(framing).into_iter().chain([self.0.tables.unknown]);
        rules.into_iter().any(|id| *self.0.tables.rules[usize::from(id.0)].name == *rule)
    }

    /// Returns the rule of this name, for callers to whom the name was given.
    ///
    /// # Errors
    ///
    /// If there is no such rule: the error proposes the nearest name.
    pub fn find_rule(&self, name: &str) -> Result<&Rule, UnknownName> {
        let names = self.rules().iter().map(|rule| &*rule.name);
        self.rule(name).ok_or_else(|| UnknownName::new("rule", name, names))
    }

    /// Returns the example of a rule.
    pub fn example(&self, rule: &str) -> Option<&Example> {
        let text = self.0.examples_text.as_deref().unwrap_or_default();
        let read = || toml_reader::read(text, HELP).unwrap_or_default();
        self.0.examples.get_or_init(read).get(rule)
    }

    /// Returns the event types that have a schema, in the order of their names, with it.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        let of_json = self.0.tables.events.iter().filter(|event| !event.is_text());
        of_json.map(|event| (&*event.name, event.schema.document()))
    }

    /// Returns the reason why events of a type cannot take the fast path; `None` if they can, or if there is no such
    /// type.
    pub fn plan(&self, event_type: &str) -> Option<&str> {
        let event = &self.0.tables.events[self.event_id(event_type)?];
        event.plan().err()
    }

    /// Returns the fields of an event type that the fast path leaves to another validator, which judges each as a whole: the
    /// pointer, with `*` for each item of an array, and the reason.
    pub fn left_out_of_plan(&self, event_type: &str) -> impl Iterator<Item = (String, &str)> {
        let program = self.event_id(event_type).and_then(|id| self.0.tables.events[id].plan().ok());
        program.into_iter().flat_map(|program| &program.left).map(|part| (part.at.to_string(), &*part.reason))
    }

    /// Returns whether the protocol is one of stored records rather than of streams of events.
    pub fn is_of_records(&self) -> bool {
        self.0.tables.records.is_some()
    }

    /// Returns the kinds of stored records, each with its number and its name.
    pub fn kinds(&self) -> impl Iterator<Item = (usize, &str)> {
        let kinds = self.0.tables.records.iter().flat_map(|records| &records.kinds);
        kinds.map(|kind| (kind.id, &*self.0.tables.events[kind.id].name))
    }

    /// Returns the compiled tables.
    pub fn tables(&self) -> &Tables {
        &self.0.tables
    }

    /// Returns the number of an event type, as an index into [`Tables::events`].
    pub fn event_id(&self, name: &str) -> Option<usize> {
        self.0.event_ids.get(name).copied()
    }

    /// Returns the number of the type of events that have this name. No text has one.
    pub(crate) fn named_type(&self, name: &str) -> Option<usize> {
        self.event_id(name).filter(|id| !self.0.tables.events[*id].is_text())
    }

    /// Returns the texts that are events although they are no JSON.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let Tables { shape, events, .. } = &self.0.tables;
        shape.texts.iter().filter_map(|id| match &events[*id].told_by {
            ToldBy::Text(text) => Some(&**text),
            ToldBy::Name | ToldBy::Member(_) => None,
        })
    }

    /// Returns the number of the type that a text is, with white space around it, although it is no JSON.
    pub(crate) fn text_type(&self, text: &[u8]) -> Option<usize> {
        let Tables { shape, events, .. } = &self.0.tables;
        let is_text = |told: &ToldBy| matches!(told, ToldBy::Text(known) if known.as_bytes() == text.trim_ascii());
        shape.texts.iter().copied().find(|id| is_text(&events[*id].told_by))
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables")
            .field("events", &self.events.len())
            .field("lifecycles", &self.lifecycles.len())
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protocol").field("name", &self.name()).field("version", &self.version()).finish_non_exhaustive()
    }
}

impl Example {
    /// Returns the bytes of one of the example's texts.
    pub fn bytes(&self, text: &str) -> Vec<u8> {
        if !self.escapes {
            return text.as_bytes().to_vec();
        }
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\\x") {
            bytes.extend_from_slice(before.as_bytes());
            match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                None => {
                    bytes.extend_from_slice(b"\\x");
                    rest = after;
                }
            }
        }
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    }
}

/// Parses the examples, each of which must be one of the `rules`, if these are known.
fn read_examples(text: &str, rules: Option<&[Rule]>) -> Result<Examples, Vec<Problem>> {
    let examples: Examples = toml_reader::read(text, HELP)?;
    let Some(rules) = rules else { return Ok(examples) };
    let mut problems = Vec::new();
    for name in examples.keys() {
        if rules.iter().all(|rule| *rule.name != **name.get_ref()) {
            let near = nearest(name.get_ref(), rules.iter().map(|rule| &*rule.name));
            let help = near.map_or_else(|| "name a table after a rule that the protocol has".to_owned(), did_you_mean);
            problems.push(Problem::new(name.span(), format!("there is no rule {}", name.get_ref()), help));
        }
    }
    if problems.is_empty() { Ok(examples) } else { Err(problems) }
}
