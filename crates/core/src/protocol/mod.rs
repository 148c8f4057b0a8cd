//! Protocols: a folder of JSON Schemas and a `protocol.toml`, compiled to tables once.
//!
//! No event is known here by its name. The built-in protocols are folders like any other, compiled into
//! the program.

#[cfg(feature = "builtin")]
mod builtin;
mod compile;
mod file;
pub mod records;
mod rulebook;
pub mod tables;
mod upkeep;

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, OnceLock};

pub use compile::put;
pub use file::{Basis, Keyed, Scalar};
pub use rulebook::Rulebook;
pub use tables::{Rule, RuleId, framing};
pub use upkeep::Upkeep;

use crate::bytes::Digest;
use crate::error::{Problem, ProtocolError};
use crate::schema::Schema;
use crate::toml_reader;
use records::Records;
use tables::{Contradiction, Effects, EventShape, EventType, Lifecycle, Text};

/// What to do about a mistake in `protocol.toml` that has no help of its own.
const HELP: &str = "docs/protocol-language.md explains every word of the file";
/// The end of the name of every schema file; what stands before it is the event's type.
const SCHEMA_ENDING: &str = ".schema.json";

/// A protocol, ready to judge streams by. Clones share what was compiled.
///
/// ```
/// let protocol = sessionlint_core::Protocol::builtin("session-events").expect("it is built in");
/// assert_eq!(protocol.title(), "AI session events");
/// assert!(protocol.rule("idle-missing").is_some());
/// ```
#[derive(Clone)]
pub struct Protocol(Arc<Compiled>);

struct Compiled {
    name: String,
    title: String,
    version: String,
    source: Option<String>,
    document: Option<String>,
    examples_text: Option<String>,
    /// Those of a trusted protocol are read when they are first asked for.
    examples: OnceLock<Examples>,
    tables: Tables,
    event_ids: HashMap<Arc<str>, usize>,
    digest: Digest,
}

/// The protocol that judges what is not of the usual one's kind, loaded when it is needed.
pub type Beside = fn() -> Option<&'static Protocol>;

/// What the engine works with.
pub struct Tables {
    /// Where the fields are that every event has.
    pub shape: EventShape,
    /// How stored records are found and checked, if the protocol is one of records.
    pub records: Option<Records>,
    /// What an event type without a schema means.
    pub unknown: RuleId,
    /// The event types, by their ids.
    pub events: Vec<EventType>,
    /// The lifecycles; each may depend on those before it.
    pub lifecycles: Vec<Lifecycle>,
    /// The texts that are streamed in pieces and then given whole.
    pub texts: Vec<Text>,
    /// The rules that an event breaks whose timestamp is before that of its stream's last event.
    pub times: Vec<RuleId>,
    /// By event type.
    pub contradictions: Vec<Vec<Contradiction>>,
    /// By event type.
    pub effects: Vec<Effects>,
    /// Every rule, by its [`RuleId`].
    pub rules: Vec<Rule>,
}

toml_tables! {
    /// A stream that breaks a rule, and one that keeps it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Example {
        /// The bytes of a file that breaks the rule; see `escapes`.
        pub breaks: String = required,
        /// The same, mended.
        pub keeps: String = required,
        /// Options of `sessionlint check` that both need.
        pub args: String = optional,
        /// Whether `\xNN` stands for a byte in them.
        pub escapes: bool = optional,
    }
}

/// By rule.
type Examples = BTreeMap<file::Name, Example>;

/// The files of a protocol, by name.
struct Folder {
    /// What to call the folder in messages.
    name: String,
    protocol: String,
    schemas: Vec<(String, String)>,
    document: Option<String>,
    examples: Option<String>,
}

impl Protocol {
    /// Returns the built-in protocol of this name, or `None` if there is none. It is compiled when it is first asked for.
    ///
    /// # Panics
    ///
    /// If the protocol that this crate was built with has mistakes.
    #[cfg(feature = "builtin")]
    pub fn builtin(name: &str) -> Option<&'static Protocol> {
        builtin::find(name)
    }

    /// Returns the names of the built-in protocols.
    #[cfg(feature = "builtin")]
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        builtin::names()
    }

    /// Compiles a protocol from the texts of its files: `protocol.toml`, a `<event type>.schema.json` for every event
    /// type, and optionally `document.md` (which the quotes are then looked up in) and `examples.toml`. Other files are
    /// passed over. `folder` is what messages call the folder.
    ///
    /// # Errors
    ///
    /// When a file is missing or is not what it should be. Mistakes in `protocol.toml` come with their places in it.
    pub fn from_files<N: AsRef<str>, T: Into<String>>(
        folder: &str,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Protocol, ProtocolError> {
        Protocol::compile(&Folder::new(folder, files)?, false)
    }

    /// `trusted`: the schemas are known to be schemas, the examples to be examples, and the quotes to be quotes.
    fn compile(folder: &Folder, trusted: bool) -> Result<Protocol, ProtocolError> {
        let refuse =
            |problems| ProtocolError::new(&format!("{}/protocol.toml", folder.name), &folder.protocol, problems);
        let file: file::File = toml_reader::read(&folder.protocol, HELP).map_err(refuse)?;
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
            let text = folder.examples.as_deref().unwrap_or_default();
            let read = toml_reader::read(text, HELP)
                .map_err(|problems| ProtocolError::new(&format!("{}/examples.toml", folder.name), text, problems))?;
            let _ = examples.set(read);
        }
        // The quotes of a trusted protocol are known to be in its document.
        let document = folder.document.as_deref().filter(|_| !trusted);
        let tables = compile::Compiler::compile(&file, [&framing, &upkeep], schemas, document).map_err(refuse)?;
        let digest = folder.digest(&tables.rules);
        let event_ids = tables.events.iter().enumerate().map(|(id, event)| (event.name.clone(), id)).collect();
        Ok(Protocol(Arc::new(Compiled {
            title: file.title.unwrap_or_else(|| file.name.clone()),
            name: file.name,
            version: file.version,
            source: file.source,
            document: folder.document.clone(),
            examples_text: folder.examples.clone(),
            examples,
            tables,
            event_ids,
            digest,
        })))
    }

    /// Returns a digest of its tables and schemas.
    pub(crate) fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Its name, as `--protocol` takes it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is, in a few words.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// The version of the tables.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The title of the document that it was read from.
    pub fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// That document, word for word.
    pub fn document(&self) -> Option<&str> {
        self.0.document.as_deref()
    }

    /// The rules: those of the framing first, those of upkeep last.
    pub fn rules(&self) -> &[Rule] {
        &self.0.tables.rules
    }

    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.0.tables.rules.iter().find(|rule| &*rule.name == name)
    }

    /// The example of a rule.
    pub fn example(&self, rule: &str) -> Option<&Example> {
        let text = self.0.examples_text.as_deref().unwrap_or_default();
        let read = || toml_reader::read(text, HELP).unwrap_or_default();
        self.0.examples.get_or_init(read).get(rule)
    }

    /// The event types and their schemas, in the order of their names.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        self.0.tables.events.iter().map(|event| (&*event.name, event.schema.document()))
    }

    /// Why events of a type are not judged in one pass; none if they are.
    pub fn plan(&self, event_type: &str) -> Option<&str> {
        let event = &self.0.tables.events[self.event_id(event_type)?];
        event.plan.as_ref().err().map(String::as_str)
    }

    /// Whether it is one of stored records, and not of streams of events.
    pub fn is_of_records(&self) -> bool {
        self.0.tables.records.is_some()
    }

    /// The kinds of stored records: their numbers, and their names.
    pub fn kinds(&self) -> impl Iterator<Item = (usize, &str)> {
        let kinds = self.0.tables.records.iter().flat_map(|records| &records.kinds);
        kinds.map(|kind| (kind.id, &*self.0.tables.events[kind.id].name))
    }

    /// Returns what the engine works with.
    pub fn tables(&self) -> &Tables {
        &self.0.tables
    }

    /// Returns the id of the event type of this name, or `None` if the protocol has no such type.
    pub fn event_id(&self, name: &str) -> Option<usize> {
        self.0.event_ids.get(name).copied()
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
    /// A digest of everything that decides how events are judged. The rules of the framing are in no file of the folder.
    fn digest(&self, rules: &[Rule]) -> Digest {
        let mut digest = Digest::default();
        rules.iter().for_each(|rule| digest.add(rule.name.as_bytes()));
        digest.add(self.protocol.as_bytes());
        for (name, text) in &self.schemas {
            digest.add(name.as_bytes());
            digest.add(text.as_bytes());
        }
        digest
    }

    fn new<N: AsRef<str>, T: Into<String>>(
        name: &str,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Folder, ProtocolError> {
        let (mut protocol, mut schemas, mut document, mut examples) = (None, Vec::new(), None, None);
        for (file, text) in files {
            match file.as_ref() {
                "protocol.toml" => protocol = Some(text.into()),
                "document.md" => document = Some(text.into()),
                "examples.toml" => examples = Some(text.into()),
                other => {
                    let event = other.strip_suffix(SCHEMA_ENDING);
                    schemas.extend(event.map(|event| (event.to_owned(), text.into())));
                }
            }
        }
        schemas.sort();
        let missing = || ProtocolError::unreadable(&Path::new(name).join("protocol.toml"), ErrorKind::NotFound.into());
        Ok(Folder { name: name.to_owned(), protocol: protocol.ok_or_else(missing)?, schemas, document, examples })
    }
}

/// Rules that are compiled into the program.
fn rules_file(name: &str, text: &str) -> Result<file::RulesFile, ProtocolError> {
    toml_reader::read(text, HELP).map_err(|problems| ProtocolError::new(name, text, problems))
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
