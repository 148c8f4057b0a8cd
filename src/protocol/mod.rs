//! Protocols: a folder of JSON Schemas and a `protocol.toml`, compiled to tables once.
//!
//! No event is known here by its name. The built-in protocols are folders like any other, compiled into
//! the program.

mod builtin;
mod compile;
mod file;
mod framing;
pub(crate) mod records;
mod rulebook;
pub(crate) mod tables;
mod upkeep;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

pub use compile::{nearest, put};
pub use file::{Basis, Keyed, Scalar};
pub use framing::Framing;
pub use rulebook::Rulebook;
pub use tables::{Rule, RuleId};
pub use upkeep::Upkeep;

use crate::error::{Problem, ProtocolError, toml_words};
use crate::schema::Schema;
use records::Records;
use tables::{Contradiction, Effects, EventShape, EventType, Lifecycle, Text};

/// The end of the name of every schema file; what stands before it is the event's type.
const SCHEMA_ENDING: &str = ".schema.json";

/// A protocol, ready to judge streams by.
///
/// ```
/// let protocol = sessionlint::Protocol::builtin("session-events").expect("it is built in");
/// assert_eq!(protocol.title(), "AI session events");
/// assert!(protocol.rule("idle-missing").is_some());
/// ```
pub struct Protocol {
    name: String,
    title: String,
    version: String,
    source: Option<String>,
    document: Option<String>,
    examples_text: Option<String>,
    /// Those of a trusted protocol are read when they are first asked for.
    examples: OnceLock<BTreeMap<String, Example>>,
    tables: Tables,
    event_ids: HashMap<Arc<str>, usize>,
}

/// The protocol that judges what is not of the usual one's kind, loaded when it is needed.
pub type Beside = fn() -> Option<&'static Protocol>;

/// What the engine works with.
pub(crate) struct Tables {
    pub shape: EventShape,
    /// How stored records are found and checked, if the protocol is one of records.
    pub records: Option<Records>,
    /// What an event type without a schema means.
    pub unknown: RuleId,
    pub events: Vec<EventType>,
    pub lifecycles: Vec<Lifecycle>,
    pub texts: Vec<Text>,
    pub times: Vec<RuleId>,
    /// By event type.
    pub contradictions: Vec<Vec<Contradiction>>,
    /// By event type.
    pub effects: Vec<Effects>,
    pub rules: Vec<Rule>,
}

/// A stream that breaks a rule, and one that keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The bytes of a file that breaks the rule; see `escapes`.
    pub breaks: String,
    /// The same, mended.
    pub keeps: String,
    /// Options of `sessionlint check` that both need.
    #[serde(default)]
    pub args: String,
    /// Whether `\xNN` stands for a byte in them.
    #[serde(default)]
    pub escapes: bool,
}

/// The files of a protocol, by name.
pub(crate) struct Folder {
    /// What to call the folder in messages.
    pub name: String,
    pub protocol: String,
    pub schemas: Vec<(String, String)>,
    pub document: Option<String>,
    pub examples: Option<String>,
}

impl Protocol {
    /// A protocol that is compiled into the program; none if there is none of this name.
    pub fn builtin(name: &str) -> Option<&'static Protocol> {
        builtin::find(name)
    }

    /// The names of the protocols that are compiled into the program.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        builtin::names()
    }

    /// The built-in protocol of stored records.
    pub(crate) fn of_records() -> Option<&'static Protocol> {
        builtin::of_records()
    }

    /// Reads a protocol from a folder: `protocol.toml`, a `<event type>.schema.json` for every event type,
    /// and optionally `document.md` (which the quotes are then looked up in) and `examples.toml`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or is not what it should be. Mistakes in `protocol.toml` come with their
    /// places in it.
    pub fn load(folder: &Path) -> Result<Protocol, ProtocolError> {
        Protocol::compile(&Folder::read(folder)?, false)
    }

    /// `trusted`: the schemas are known to be schemas, the examples to be examples, and the quotes to be quotes.
    pub(crate) fn compile(folder: &Folder, trusted: bool) -> Result<Protocol, ProtocolError> {
        let refuse =
            |problems| ProtocolError::new(&format!("{}/protocol.toml", folder.name), &folder.protocol, problems);
        let file: file::File = toml::from_str(&folder.protocol).map_err(|error| refuse(vec![toml_problem(&error)]))?;
        let framing = rules_file("framing.toml", include_str!("framing.toml"))?;
        let upkeep = rules_file("upkeep.toml", include_str!("upkeep.toml"))?;
        let mut schemas = BTreeMap::new();
        for (name, text) in &folder.schemas {
            let path = format!("{}/{name}{SCHEMA_ENDING}", folder.name);
            let document = serde_json::from_str(text).map_err(|error| json_problem(&path, text, &error))?;
            let schema = if trusted { Ok(Schema::trusted(document)) } else { Schema::new(document) };
            let schema = schema.map_err(|message| {
                let help = "write a JSON Schema of draft 2020-12".to_owned();
                let problem = Problem { message, label: "this schema".to_owned(), span: 0..0, help };
                ProtocolError::new(&path, text, vec![problem])
            })?;
            schemas.insert(name.clone(), schema);
        }
        let examples = OnceLock::new();
        if !trusted {
            let read = read_examples(folder.examples.as_deref()).map_err(|error| {
                let text = folder.examples.as_deref().unwrap_or_default();
                ProtocolError::new(&format!("{}/examples.toml", folder.name), text, vec![toml_problem(&error)])
            })?;
            let _ = examples.set(read);
        }
        // The quotes of a trusted protocol are known to be in its document.
        let document = folder.document.as_deref().filter(|_| !trusted);
        let tables = compile::Compiler::compile(&file, [&framing, &upkeep], schemas, document).map_err(refuse)?;
        let event_ids = tables.events.iter().enumerate().map(|(id, event)| (event.name.clone(), id)).collect();
        Ok(Protocol {
            title: file.title.unwrap_or_else(|| file.name.clone()),
            name: file.name,
            version: file.version,
            source: file.source,
            document: folder.document.clone(),
            examples_text: folder.examples.clone(),
            examples,
            tables,
            event_ids,
        })
    }

    /// Its name, as `--protocol` takes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a few words.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The version of the tables.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The title of the document that it was read from.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// That document, word for word.
    pub fn document(&self) -> Option<&str> {
        self.document.as_deref()
    }

    /// The rules: those of the framing first, those of upkeep last.
    pub fn rules(&self) -> &[Rule] {
        &self.tables.rules
    }

    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.tables.rules.iter().find(|rule| &*rule.name == name)
    }

    /// The example of a rule.
    pub fn example(&self, rule: &str) -> Option<&Example> {
        let read = || read_examples(self.examples_text.as_deref()).unwrap_or_default();
        self.examples.get_or_init(read).get(rule)
    }

    /// The event types and their schemas, in the order of their names.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        self.tables.events.iter().map(|event| (&*event.name, event.schema.document()))
    }

    /// Why events of a type are not judged in one pass; none if they are.
    pub fn plan(&self, event_type: &str) -> Option<&str> {
        let event = &self.tables.events[self.event_id(event_type)?];
        event.plan.as_ref().err().map(String::as_str)
    }

    /// Whether it is one of stored records, and not of streams of events.
    pub fn is_of_records(&self) -> bool {
        self.tables.records.is_some()
    }

    /// The kinds of stored records: their numbers, and their names.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (usize, &str)> {
        let kinds = self.tables.records.iter().flat_map(|records| &records.kinds);
        kinds.map(|kind| (kind.id, &*self.tables.events[kind.id].name))
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) fn event_id(&self, name: &str) -> Option<usize> {
        self.event_ids.get(name).copied()
    }
}

impl Example {
    /// The bytes of one of its texts.
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

impl Folder {
    fn read(path: &Path) -> Result<Folder, ProtocolError> {
        let name = path.display().to_string();
        let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| ProtocolError::unreadable(path, error));
        let optional = |file: &str| match path.join(file) {
            found if found.exists() => read(&found).map(Some),
            _ => Ok(None),
        };
        let protocol = read(&path.join("protocol.toml"))?;
        let mut schemas = Vec::new();
        let entries = std::fs::read_dir(path).map_err(|error| ProtocolError::unreadable(path, error))?;
        for entry in entries {
            let file = entry.map_err(|error| ProtocolError::unreadable(path, error))?.path();
            let event =
                file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SCHEMA_ENDING));
            if let Some(event) = event {
                schemas.push((event.to_owned(), read(&file)?));
            }
        }
        schemas.sort();
        let (document, examples) = (optional("document.md")?, optional("examples.toml")?);
        Ok(Folder { name, protocol, schemas, document, examples })
    }
}

/// Rules that are compiled into the program.
fn rules_file(name: &str, text: &str) -> Result<file::RulesFile, ProtocolError> {
    toml::from_str(text).map_err(|error| ProtocolError::new(name, text, vec![toml_problem(&error)]))
}

fn read_examples(text: Option<&str>) -> Result<BTreeMap<String, Example>, toml::de::Error> {
    text.map_or_else(|| Ok(BTreeMap::new()), toml::from_str)
}

fn toml_problem(error: &toml::de::Error) -> Problem {
    Problem {
        message: toml_words(error),
        label: "here".to_owned(),
        span: error.span().unwrap_or(0..0),
        help: "docs/protocol-language.md explains every word of the file".to_owned(),
    }
}

fn json_problem(path: &str, text: &str, error: &serde_json::Error) -> ProtocolError {
    let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let problem = Problem {
        message: format!("this is not JSON: {error}"),
        label: "here".to_owned(),
        span: at..at,
        help: "write a JSON Schema of draft 2020-12".to_owned(),
    };
    ProtocolError::new(path, text, vec![problem])
}
