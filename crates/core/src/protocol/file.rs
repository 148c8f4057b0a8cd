//! The tables of `protocol.toml`: what may be written, with the place of everything that a mistake can be in. What it
//! means is decided in `compile.rs`; the words are explained in `docs/protocol-language.md`.

mod words;

use std::collections::BTreeMap;

use toml::Spanned;

use super::compile::without_values;
use super::series::SeriesStep;
use super::tables;
use super::texts::JsonKind;
use crate::text::in_one_line;
use crate::toml_reader::OneOrMany;
pub use words::{Basis, Keyed, Scalar};
pub(crate) use words::{
    Cell, Each, EndRule, EndWire, Fix, From, LinkTest, On, RowWhen, SeverityOrOff, SpeaksAt, Test, WhenTest, Wholes,
};

pub(crate) type Name = Spanned<String>;
pub(crate) type Names = OneOrMany<Name>;
/// Field → what it must be.
pub(crate) type When = BTreeMap<Name, WhenTest>;
/// Lifecycle → the states that it may be in.
pub(crate) type Gate = BTreeMap<Name, Names>;

toml_tables! {
    #[derive(Debug)]
    pub(crate) struct File {
        pub name: Name = required,
        pub title: Option<String> = optional,
        pub version: String = required,
        pub source: Option<String> = optional,
        /// What the addresses of the pages about rules begin with.
        pub rule_pages: Option<Name> = optional("rule-pages"),
        pub event: Option<Event> = optional,
        /// The types that no name tells.
        pub types: Vec<Spanned<Type>> = optional("type"),
        pub record: Option<Record> = optional,
        pub kind: Vec<Kind> = optional,
        pub container: Vec<Container> = optional,
        pub check: Vec<Check> = optional,
        pub link: Vec<Link> = optional,
        pub reconcile: Option<Spanned<Reconcile>> = optional,
        pub lifecycle: Vec<Spanned<Lifecycle>> = optional,
        pub text: Vec<Text> = optional,
        pub time: Vec<Time> = optional,
        pub unchanged: Vec<Unchanged> = optional,
        pub series: Vec<Spanned<Series>> = optional,
        pub dialect: BTreeMap<Name, Dialect> = optional,
        pub view: Option<View> = optional,
        pub rule: BTreeMap<Name, RuleWords> = optional,
    }

    /// What somebody does otherwise who writes events of the protocol.
    #[derive(Debug)]
    pub(crate) struct Dialect {
        /// Who that is.
        pub title: String = required,
        /// Rule → its severity there.
        pub rules: BTreeMap<Name, SeverityOrOff> = optional,
    }

    #[derive(Debug)]
    pub(crate) struct Event {
        pub event_type: Name = required("type"),
        pub time: Option<Name> = optional,
        pub stream: Option<Name> = optional,
        pub unwrap: Vec<Name> = optional,
        /// Whether the `event` field of a server-sent event must be there, and name the type.
        pub event_field: bool = optional("event-field"),
        pub unknown: Name = required,
    }

    /// A type of events that have no name, or are no JSON.
    #[derive(Debug)]
    pub(crate) struct Type {
        pub name: Name = required,
        /// The text that is such an event.
        pub text: Option<Name> = optional,
        /// The member that such an event has.
        pub has: Option<Name> = optional,
    }

    /// What makes a protocol one of stored records.
    #[derive(Debug)]
    pub(crate) struct Record {
        pub time: Option<Name> = optional,
        pub stream: Option<Name> = optional,
        /// How far two times may be apart, in seconds.
        pub tolerance: Option<Spanned<f64>> = optional,
        /// An object that has an object here is the event of a stream.
        pub event: Option<Name> = optional,
        /// The rule that speaks where nothing tells the kind of a record.
        pub unknown: Name = required,
        /// The rule that speaks where a container is not as its schema says.
        pub broken: Name = required,
    }

    /// A kind of record.
    #[derive(Debug)]
    pub(crate) struct Kind {
        pub name: Name = required,
        /// Patterns for the names of files, without their endings.
        pub files: Vec<Name> = optional,
        /// The fields that no other kind has.
        pub telling: Vec<Name> = optional,
    }

    /// What holds records.
    #[derive(Debug)]
    pub(crate) struct Container {
        pub name: Name = required,
        /// It is known by any of these, each of which is some keys together.
        pub known: Vec<Vec<String>> = required,
        /// Key → the kind of the records in the list there; `*` is any one kind.
        pub lists: BTreeMap<Name, Name> = required,
        /// Whether a folder with files of the lists' names is such a container too.
        pub folder: bool = optional,
    }

    /// What a rule has to say of one field of an event or record.
    #[derive(Debug)]
    pub(crate) struct Check {
        pub on: On = required,
        pub when: When = optional,
        /// The array in whose items the field is.
        pub each: Option<Each> = optional,
        pub at: Name = required,
        /// Left out, in a protocol of streams: the rule speaks wherever the conditions are met.
        pub is: Option<Test> = optional,
        pub rule: Name = required,
    }

    /// A field of a record that names another record.
    #[derive(Debug)]
    pub(crate) struct Link {
        pub on: Name = required,
        pub at: Name = required,
        pub to: Name = required,
        pub key: Name = required,
        /// What the other record is to a finding.
        pub label: Name = required,
        /// The rule that speaks where there is no such record, if all records are there.
        pub missing: Option<Name> = optional,
        pub check: Vec<LinkCheck> = optional,
    }

    #[derive(Debug)]
    pub(crate) struct LinkCheck {
        pub at: Name = required,
        pub is: LinkTest = required,
        pub rule: Name = required,
    }

    /// What a recorded stream and the records of its sessions have in common. The events and their fields are those of
    /// another protocol.
    #[derive(Debug)]
    pub(crate) struct Reconcile {
        pub started: CallStarted = required,
        pub completed: CallCompleted = required,
        pub results: CallResults = required,
        pub session: SessionFields = required,
        pub action: ActionFields = required,
        pub rules: ReconcileRules = required,
    }

    #[derive(Debug)]
    pub(crate) struct CallStarted {
        pub on: String = required,
        pub key: Name = required,
        pub name: Name = required,
    }

    #[derive(Debug)]
    pub(crate) struct CallCompleted {
        pub on: String = required,
        pub key: Name = required,
    }

    /// `key` and `ok` are fields of each item.
    #[derive(Debug)]
    pub(crate) struct CallResults {
        pub on: String = required,
        pub each: Name = required,
        pub key: Name = required,
        pub ok: Name = required,
    }

    #[derive(Debug)]
    pub(crate) struct SessionFields {
        pub kind: Name = required,
        pub duration: Name = required,
    }

    #[derive(Debug)]
    pub(crate) struct ActionFields {
        pub kind: Name = required,
        pub name: Name = required,
        pub result: Name = required,
        pub error: Name = required,
    }

    /// The rule for each way in which they may not fit.
    #[derive(Debug)]
    pub(crate) struct ReconcileRules {
        /// A completed call has no action.
        pub action_missing: Name = required("action-missing"),
        /// An action has no call.
        pub action_unexpected: Name = required("action-unexpected"),
        /// The call went well and the action did not, or the other way round.
        pub outcome: Name = required,
        /// The action's time is not the call's.
        pub action_time: Name = required("action-time"),
        /// The session's time is not the stream's.
        pub session_time: Name = required("session-time"),
        /// The session has no record, if all records are there.
        pub record_missing: Name = required("record-missing"),
    }

    #[derive(Debug)]
    pub(crate) struct Lifecycle {
        pub name: Name = required,
        pub within: Option<Name> = optional,
        pub states: Vec<Name> = required,
        pub opens: Names = optional,
        pub resumes: Names = optional,
        pub keyed: Option<Spanned<Keyed>> = optional,
        /// What happened at the event that led into a state, for findings that refer to that event.
        pub entered: BTreeMap<Name, Name> = optional,
        pub row: Vec<Spanned<Row>> = optional,
        pub end: BTreeMap<Name, Spanned<EndRule>> = optional,
    }

    #[derive(Debug)]
    pub(crate) struct Row {
        pub on: On = required,
        pub when: RowWhen = optional,
        pub before: Gate = optional,
        pub after: Gate = optional,
        /// States of the lifecycle itself: the row does not apply while an open instance is in one of them.
        pub unless: Names = optional,
        pub each: Option<Each> = optional,
        pub key: Names = optional,
        /// The key of the instance of the lifecycle around whose instances the row is for.
        pub parent: Names = optional,
        pub same: Vec<Same> = optional,
        /// What was kept of the items' instances must go up in the array.
        pub order: Option<Order> = optional,
        pub keep: BTreeMap<Name, Name> = optional,
        pub cell: BTreeMap<Name, Spanned<Cell>> = required,
        /// The cells for the instances that none of the array's items names.
        pub others: BTreeMap<Name, Spanned<Cell>> = optional,
    }

    /// Some of the items of an array.
    #[derive(Debug)]
    pub(crate) struct SomeItems {
        pub at: Name = required,
        pub when: RowWhen = optional,
    }

    #[derive(Debug)]
    pub(crate) struct Speak {
        /// Left out only where the instance opens anew.
        pub rule: Option<Name> = optional,
        pub to: Option<Name> = optional,
        pub at: Option<Spanned<SpeaksAt>> = optional,
        /// Whether the instance opens, whatever its state was.
        pub anew: bool = optional,
    }

    /// The rule that speaks where a stream ends, with the event that its finding stands at.
    #[derive(Debug)]
    pub(crate) struct SpeakAtEnd {
        pub rule: Name = required,
        pub at: Option<Spanned<SpeaksAt>> = optional,
        /// The form of input in which the rule speaks, if not in all.
        pub wire: Option<EndWire> = optional,
    }

    #[derive(Debug)]
    pub(crate) struct Same {
        pub kept: Name = required,
        pub at: Name = required,
        pub rule: Name = required,
        /// The members of an object that are not compared.
        pub except: Vec<Name> = optional,
        /// The states before the event in which the fields are compared.
        pub within: Names = optional("in"),
    }

    #[derive(Debug)]
    pub(crate) struct Order {
        pub kept: Name = required,
        pub rule: Name = required,
    }

    #[derive(Debug)]
    pub(crate) struct Text {
        /// What findings call the text if it is not put together from pieces; nothing else refers to it.
        pub name: Name = required,
        pub within: Option<Name> = optional,
        /// Where it is another text for each value of these fields.
        pub key: Names = optional,
        pub began: Option<Name> = optional,
        pub append: OneOrMany<Append> = required,
        pub cut: Vec<Cut> = optional,
        pub whole: Wholes = optional,
        pub json: OneOrMany<TextJson> = optional,
        /// The rule that speaks where a whole comes without a piece.
        pub no_pieces: Option<Name> = optional("no-pieces"),
    }

    #[derive(Debug)]
    pub(crate) struct Append {
        pub on: On = required,
        pub when: When = optional,
        pub each: Option<Each> = optional,
        /// The key in these events, if its fields are others than the text's own.
        pub key: Names = optional,
        pub at: Name = required,
        pub after: Gate = optional,
        /// Whether each piece takes the place of the ones before it.
        pub anew: bool = optional,
    }

    #[derive(Debug)]
    pub(crate) struct Cut {
        pub on: On = required,
        pub when: When = optional,
    }

    #[derive(Debug)]
    pub(crate) struct Whole {
        pub on: On = required,
        pub when: When = optional,
        pub each: Option<Each> = optional,
        pub key: Names = optional,
        pub at: Name = required,
        pub before: Gate = optional,
        pub rule: Name = required,
        /// The rule that speaks where the whole is empty, and fits because nothing followed the last cut.
        pub empty: Option<Name> = optional,
        /// Whether the text is empty afterwards.
        pub ends: Option<Spanned<bool>> = optional,
    }

    /// When a text must be JSON.
    #[derive(Clone, Debug)]
    pub(crate) struct TextJson {
        pub on: On = required,
        pub when: When = optional,
        pub each: Option<Each> = optional,
        /// The first parts of a key, or an empty list: the entry is about all texts whose keys begin so.
        pub key: Option<Names> = optional,
        pub is: JsonKind = required,
        /// Whether a text without content is fine, too.
        pub empty: bool = optional,
        pub rule: Name = required,
    }

    #[derive(Debug)]
    pub(crate) struct Time {
        pub rule: Name = required,
    }

    /// Fields of which at least one must differ from those of the stream's event of the type before.
    #[derive(Debug)]
    pub(crate) struct Unchanged {
        pub on: Name = required,
        pub at: Names = required,
        /// The lifecycle that forgets the event before, when it opens and where it speaks.
        pub within: Option<Name> = optional,
        pub rule: Name = required,
    }

    /// Values of which each follows from the one before.
    #[derive(Debug)]
    pub(crate) struct Series {
        pub values: Vec<SeriesValue> = required,
        /// Where it is another series for each value of these fields.
        pub key: Names = optional,
        /// The lifecycle whose instances have a series each.
        pub within: Option<Name> = optional,
        pub step: Spanned<SeriesStep> = required,
        /// The first value, or `any`.
        pub from: Option<Spanned<From>> = optional,
        /// Whether a value that is too far ahead says that events were lost.
        pub lost: Option<Spanned<bool>> = optional,
        /// The events with which the series starts afresh.
        pub restarts: Names = optional,
        pub rule: Name = required,
    }

    #[derive(Debug)]
    pub(crate) struct SeriesValue {
        pub on: On = required,
        pub when: When = optional,
        pub each: Option<Each> = optional,
        /// The key in these events, if its fields are others than the series' own.
        pub key: Names = optional,
        pub at: Name = required,
    }

    /// What a page shows of events: event type → field, or several, of which the first that an event has counts.
    #[derive(Debug)]
    pub(crate) struct View {
        /// The name of what the event opens.
        pub label: BTreeMap<Name, Names> = optional,
        /// What the event says.
        pub text: BTreeMap<Name, Names> = optional,
        /// The lane of the event within its stream.
        pub lane: BTreeMap<Name, Names> = optional,
    }

    #[derive(Debug)]
    pub(crate) struct RuleWords {
        pub severity: SeverityOrOff = required,
        pub basis: Basis = required,
        /// What the rule is about, where `says` alone does not tell.
        pub means: Option<Name> = optional,
        pub says: Spanned<String> = required,
        pub help: Spanned<String> = required,
        /// The words where an open instance was probably meant, and its key is `{other}`.
        pub likely: Option<OtherWords> = optional,
        /// The words where the event opens once more what it opened, and says the same of it.
        pub again: Option<OtherWords> = optional,
        /// The words where the finding is about certain events.
        pub case: Vec<RuleCase> = optional,
        pub quotes: Vec<Name> = optional,
        pub fix: Option<Spanned<Fix>> = optional,
    }

    /// Words of a rule for findings about certain events. Those that are left out are the rule's own.
    #[derive(Debug)]
    pub(crate) struct RuleCase {
        pub on: On = required,
        pub says: Option<Spanned<String>> = optional,
        pub help: Option<Spanned<String>> = optional,
        pub quotes: Vec<Name> = optional,
    }

    /// Other words for a rule, where more is known than the rule says.
    #[derive(Debug)]
    pub(crate) struct OtherWords {
        pub says: Spanned<String> = required,
        pub help: Spanned<String> = required,
    }

    /// A field of the stream's last event of a type before the finding, and the value that it gets.
    #[derive(Clone, Debug)]
    pub(crate) struct SetField {
        pub on: Name = required,
        pub at: Name = required,
        pub to: Scalar = required,
    }
}

impl RuleWords {
    /// Returns the words for the engine.
    pub(crate) fn compile(&self) -> tables::RuleWords {
        let texts = |list: &[Name]| list.iter().map(|text| text.get_ref().clone()).collect();
        let quotes = |list: &[Name]| list.iter().map(|quote| in_one_line(quote.get_ref())).collect();
        let case = |case: &RuleCase| tables::RuleCase {
            on: texts(&case.on.0),
            says: case.says.as_ref().map(|says| says.get_ref().clone()),
            help: case.help.as_ref().map(|help| help.get_ref().clone()),
            quotes: quotes(&case.quotes),
        };
        let other = |words: &OtherWords| tables::OtherWords {
            says: words.says.get_ref().clone(),
            help: words.help.get_ref().clone(),
        };
        tables::RuleWords {
            severity: self.severity.severity(),
            basis: self.basis,
            means: match &self.means {
                Some(means) => means.get_ref().clone(),
                None => without_values(self.says.get_ref()),
            },
            says: self.says.get_ref().clone(),
            help: self.help.get_ref().clone(),
            likely: self.likely.as_ref().map(other),
            again: self.again.as_ref().map(other),
            cases: self.case.iter().map(case).collect(),
            quotes: quotes(&self.quotes),
            fix: self.fix.as_ref().map(|fix| fix.get_ref().compile()),
        }
    }
}
