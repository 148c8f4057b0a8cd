//! The shape of `protocol.toml`: what may be written, with the place of everything that a mistake can
//! be in. What it means is decided in `compile.rs`; the words are explained in
//! `docs/protocol-language.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::finding::Severity;

type Name = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub name: String,
    pub title: Option<String>,
    pub version: String,
    pub source: Option<String>,
    pub event: Option<Event>,
    pub record: Option<Record>,
    #[serde(default)]
    pub kind: Vec<Kind>,
    #[serde(default)]
    pub container: Vec<Container>,
    #[serde(default)]
    pub check: Vec<Check>,
    #[serde(default)]
    pub link: Vec<Link>,
    pub reconcile: Option<Reconcile>,
    #[serde(default)]
    pub lifecycle: Vec<Spanned<Lifecycle>>,
    #[serde(default)]
    pub text: Vec<Text>,
    #[serde(default)]
    pub time: Vec<Time>,
    #[serde(default)]
    pub contradiction: Vec<Contradiction>,
    #[serde(default)]
    pub rule: BTreeMap<Name, RuleWords>,
}

/// Rules that no protocol has to say: those of the framing, and those of upkeep. Their files hold nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RulesFile {
    pub rule: BTreeMap<Name, RuleWords>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    #[serde(rename = "type")]
    pub event_type: Name,
    pub time: Option<Name>,
    pub stream: Option<Name>,
    #[serde(default)]
    pub unwrap: Vec<Name>,
    pub unknown: Name,
}

/// What makes a protocol one of stored records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub time: Option<Name>,
    pub stream: Option<Name>,
    /// An object that has an object here is the event of a stream.
    pub event: Option<Name>,
    /// The rule that speaks where nothing tells the kind of a record.
    pub unknown: Name,
    /// The rule that speaks where a container is not as its schema says.
    pub broken: Name,
}

/// A kind of record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    pub name: Name,
    /// Patterns for the names of files, without their endings.
    #[serde(default)]
    pub files: Vec<Name>,
    /// The fields that no other kind has.
    #[serde(default)]
    pub telling: Vec<Name>,
}

/// What holds records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Container {
    pub name: Name,
    /// It is known by any of these, each of which is some keys together.
    pub known: Vec<Vec<String>>,
    /// Key → the kind of the records in the list there; `*` is any one kind.
    pub lists: BTreeMap<Name, Name>,
    /// Whether a folder with files of the lists' names is such a container too.
    #[serde(default)]
    pub folder: bool,
}

/// What a rule has to say of one record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub on: Name,
    pub at: Name,
    pub is: Test,
    pub rule: Name,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Test {
    /// The same text as another field.
    SameAs(Name),
    /// A number less than this.
    Below(f64),
    /// There, and another field is there too.
    Beside(Name),
    /// No name of the IANA time zone database.
    NoTimeZone,
    /// What an earlier record of the kind has there.
    Repeated,
}

/// A field of a record that names another record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    pub on: Name,
    pub at: Name,
    pub to: Name,
    pub key: Name,
    /// What the other record is to a finding.
    pub label: String,
    /// The rule that speaks where there is no such record, if all records are there.
    pub missing: Option<Name>,
    #[serde(default)]
    pub check: Vec<LinkCheck>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkCheck {
    pub at: Name,
    pub is: LinkTest,
    pub rule: Name,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LinkTest {
    /// Another text than the field of the other record.
    Not(Name),
    /// A time before that of the other record.
    Before(Name),
    /// A time after that of the other record and so many seconds more.
    After(Name, Name),
}

/// What a recorded stream and the records of its sessions have in common. The events and their fields are those of
/// another protocol.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reconcile {
    pub started: CallStarted,
    pub completed: CallCompleted,
    pub results: CallResults,
    pub session: SessionFields,
    pub action: ActionFields,
    pub rules: ReconcileRules,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallStarted {
    pub on: String,
    pub key: Name,
    pub name: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallCompleted {
    pub on: String,
    pub key: Name,
}

/// `key` and `ok` are fields of each item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallResults {
    pub on: String,
    pub each: Name,
    pub key: Name,
    pub ok: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionFields {
    pub kind: Name,
    pub duration: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionFields {
    pub kind: Name,
    pub name: Name,
    pub result: Name,
    pub error: Name,
}

/// The rule for each way in which they may not fit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ReconcileRules {
    /// A completed call has no action.
    pub action_missing: Name,
    /// An action has no call.
    pub action_unexpected: Name,
    /// The call went well and the action did not, or the other way round.
    pub outcome: Name,
    /// The action's time is not the call's.
    pub action_time: Name,
    /// The session's time is not the stream's.
    pub session_time: Name,
    /// The session has no record, if all records are there.
    pub record_missing: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifecycle {
    pub name: Name,
    pub within: Option<Name>,
    pub states: Vec<Name>,
    #[serde(default)]
    pub opens: OneOrMany,
    #[serde(default)]
    pub resumes: OneOrMany,
    pub keyed: Option<Spanned<Keyed>>,
    /// What happened at the event that led into a state, for findings that refer to that event.
    #[serde(default)]
    pub entered: BTreeMap<Name, String>,
    #[serde(default)]
    pub row: Vec<Spanned<Row>>,
    #[serde(default)]
    pub end: BTreeMap<Name, Name>,
}

/// How long a key of a lifecycle is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keyed {
    /// A key is known for the whole stream.
    Stream,
    /// A key is known while the outer lifecycle's one is open.
    Turn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub on: OneOrMany,
    #[serde(default)]
    pub when: When,
    #[serde(default)]
    pub before: Gate,
    #[serde(default)]
    pub after: Gate,
    pub each: Option<Name>,
    #[serde(default)]
    pub key: OneOrMany,
    #[serde(default)]
    pub same: Vec<Same>,
    #[serde(default)]
    pub keep: BTreeMap<String, Name>,
    pub cell: BTreeMap<Name, Spanned<Cell>>,
}

/// Field → the values that it may have.
pub(crate) type When = BTreeMap<Name, Scalars>;
/// Lifecycle → the states that it may be in.
pub(crate) type Gate = BTreeMap<Name, OneOrMany>;

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a state, \"=\", or { rule = …, to = … }")]
pub(crate) enum Cell {
    To(String),
    Speak(Speak),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Speak {
    pub rule: String,
    pub to: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Same {
    pub kept: Name,
    pub at: Name,
    pub rule: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    /// For the reader of the file; nothing refers to a text.
    #[serde(rename = "name")]
    pub _name: String,
    pub within: Option<Name>,
    pub began: String,
    pub append: Append,
    #[serde(default)]
    pub cut: Vec<Cut>,
    pub whole: Whole,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Append {
    pub on: OneOrMany,
    pub at: Name,
    #[serde(default)]
    pub after: Gate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cut {
    pub on: OneOrMany,
    #[serde(default)]
    pub when: When,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whole {
    pub on: OneOrMany,
    pub at: Name,
    #[serde(default)]
    pub before: Gate,
    pub rule: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Time {
    pub rule: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contradiction {
    pub on: OneOrMany,
    #[serde(default)]
    pub when: When,
    pub at: Name,
    pub says: Vec<String>,
    pub rule: Name,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleWords {
    pub severity: SeverityOrOff,
    pub basis: Basis,
    /// What the rule is about, where `says` alone does not tell.
    pub means: Option<String>,
    pub says: Spanned<String>,
    pub help: Spanned<String>,
    #[serde(default)]
    pub quotes: Vec<Name>,
    pub fix: Option<Spanned<Fix>>,
}

/// The edit that does what the rule's help says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Fix {
    /// The boolean that the finding stands at becomes the other one.
    Negate,
    /// A field of the stream's last event of a type before the finding gets a value.
    Set { on: Name, at: Name, to: Scalar },
    /// An event is put in behind the last one that explains the finding; without its time and its stream, which it has
    /// from that one.
    Insert(Spanned<serde_json::Map<String, serde_json::Value>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SeverityOrOff {
    Error,
    Warning,
    Note,
    Off,
}

impl SeverityOrOff {
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            SeverityOrOff::Error => Some(Severity::Error),
            SeverityOrOff::Warning => Some(Severity::Warning),
            SeverityOrOff::Note => Some(Severity::Note),
            SeverityOrOff::Off => None,
        }
    }
}

/// What a rule rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The protocol's document, which is quoted.
    Document,
    /// The schema of the event, whose descriptions are the document's words on each field.
    Schema,
    /// What the project infers; no document says so.
    Inference,
    /// What every stream of JSON owes its reader; no protocol has to say it.
    Framing,
    /// What is kept beside recordings; these rules are the program's own.
    Upkeep,
}

/// One name, or several.
#[derive(Debug, Default)]
pub(crate) struct OneOrMany(pub Vec<Name>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a name or a list of names")]
        enum Names {
            One(String),
            Many(Vec<String>),
        }
        // Spans do not pass through an untagged value: each name gets the span of the whole.
        let names = Spanned::<Names>::deserialize(deserializer)?;
        let span = names.span();
        Ok(OneOrMany(match names.into_inner() {
            Names::One(name) => vec![Spanned::new(span, name)],
            Names::Many(names) => names.into_iter().map(|name| Spanned::new(span.clone(), name)).collect(),
        }))
    }
}

/// A value that a field may have.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged, expecting = "a boolean, a whole number or a string")]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A string.
    Text(String),
}

/// One value, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a value or a list of values")]
pub(crate) enum Scalars {
    One(Scalar),
    Many(Vec<Scalar>),
}

impl Scalars {
    pub(crate) fn values(&self) -> &[Scalar] {
        match self {
            Scalars::One(one) => std::slice::from_ref(one),
            Scalars::Many(many) => many,
        }
    }
}
