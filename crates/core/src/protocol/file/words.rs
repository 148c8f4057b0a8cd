//! The values of `protocol.toml` that are one of several forms: a word of a list, or a table with one of several keys.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::DeValue;

use super::{Name, SetField, SomeItems, Speak, SpeakAtEnd, When, Whole};
use crate::finding::Severity;
use crate::protocol::series::SeriesStep;
use crate::protocol::tables;
use crate::protocol::texts::JsonKind;
use crate::schema::Pointer;
use crate::toml_reader::{FromToml, OneOrMany, Reader, Value};

/// The event types that a table is for, at least one.
#[derive(Clone, Debug)]
pub(crate) struct On(pub Vec<Name>);

impl FromToml for On {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<On> {
        let OneOrMany(names) = OneOrMany::from_toml(key, value, reader)?;
        if names.is_empty() {
            reader.problem(value.span(), format!("`{key}` names no event type"), "name one, or a list of them");
            return None;
        }
        Some(On(names))
    }
}

/// How long a key of a lifecycle is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// A key is known for the whole stream.
    Stream,
    /// A key is known until the instance of the lifecycle around opens.
    Parent,
}

impl FromToml for Keyed {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Keyed> {
        let words = [
            ("stream", "a key is known for the whole stream", Keyed::Stream),
            ("parent", "until the instance of the lifecycle around opens", Keyed::Parent),
        ];
        reader.one_of_explained(key, value, &words)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeverityOrOff {
    Error,
    Warning,
    Note,
    Off,
}

impl SeverityOrOff {
    const WORDS: [(&str, &str, SeverityOrOff); 4] = [
        ("error", "it is wrong", SeverityOrOff::Error),
        ("warning", "it is improbable", SeverityOrOff::Warning),
        ("note", "it may be of interest", SeverityOrOff::Note),
        ("off", "not reported unless it is enabled", SeverityOrOff::Off),
    ];

    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            SeverityOrOff::Error => Some(Severity::Error),
            SeverityOrOff::Warning => Some(Severity::Warning),
            SeverityOrOff::Note => Some(Severity::Note),
            SeverityOrOff::Off => None,
        }
    }
}

impl FromToml for SeverityOrOff {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<SeverityOrOff> {
        reader.one_of_explained(key, value, &SeverityOrOff::WORDS)
    }
}

/// What a rule rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

impl Basis {
    const WORDS: [(&str, &str, Basis); 5] = [
        ("document", "it quotes document.md", Basis::Document),
        ("schema", "it rests on the descriptions in the schemas", Basis::Schema),
        ("inference", "no document says so", Basis::Inference),
        ("framing", "no quotes are needed", Basis::Framing),
        ("upkeep", "for the program's own rules", Basis::Upkeep),
    ];
}

impl FromToml for Basis {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Basis> {
        reader.one_of_explained(key, value, &Basis::WORDS)
    }
}

/// A value that a field may have.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A string.
    Text(String),
}

impl Scalar {
    /// Returns the scalar of a JSON value; `None` if it is something else.
    pub fn from_json(value: &Json) -> Option<Scalar> {
        match value {
            Json::Bool(known) => Some(Scalar::Bool(*known)),
            Json::Number(number) => number.as_i64().map(Scalar::Integer),
            Json::String(text) => Some(Scalar::Text(text.clone())),
            _ => None,
        }
    }
}

impl FromToml for Scalar {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Scalar> {
        match value.get_ref() {
            DeValue::Boolean(known) => Some(Scalar::Bool(*known)),
            DeValue::Integer(_) => i64::from_toml(key, value, reader).map(Scalar::Integer),
            DeValue::String(text) => Some(Scalar::Text(text.to_string())),
            _ => {
                let help = "these are the values that can be compared";
                reader.wrong_type(key, value, "a boolean, a whole number or a string", help);
                None
            }
        }
    }
}

/// What a field in `when` must be.
#[derive(Clone, Debug)]
pub(crate) enum WhenTest {
    /// One of these values.
    Values(Vec<Scalar>),
    /// One of these texts, in the form in which labels are compared.
    Says(Vec<String>),
    /// There and not null, or not.
    Present(bool),
    /// Not there, null, or without content; or not so.
    Empty(bool),
}

impl FromToml for WhenTest {
    const NOUN: &'static str = "test";

    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<WhenTest> {
        match value.get_ref() {
            DeValue::Table(_) => {
                let mut table = reader.table(key, value, &["says", "present", "empty"])?;
                let says = table.alternative("says", WhenTest::Says);
                let present = table.alternative("present", WhenTest::Present);
                let empty = table.alternative("empty", WhenTest::Empty);
                table.only([says, present, empty])
            }
            _ => OneOrMany::from_toml(key, value, reader).map(|values| WhenTest::Values(values.0)),
        }
    }
}

/// The events that a row is for, among those of its type.
#[derive(Clone, Debug)]
pub(crate) enum RowWhen {
    /// Those whose fields fit.
    Fields(When),
    /// Those for which no other row of the lifecycle is.
    Else,
}

impl Default for RowWhen {
    fn default() -> RowWhen {
        RowWhen::Fields(When::new())
    }
}

impl FromToml for RowWhen {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<RowWhen> {
        match value.get_ref() {
            DeValue::String(_) => reader.one_of(key, value, &[("else", ())]).map(|()| RowWhen::Else),
            _ => When::from_toml(key, value, reader).map(RowWhen::Fields),
        }
    }
}

/// The event that the finding of a cell stands at, if it is not the event that the row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpeaksAt {
    /// The event that led into the state.
    Entry,
}

impl FromToml for SpeaksAt {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<SpeaksAt> {
        reader.one_of(key, value, &[("entry", SpeaksAt::Entry)])
    }
}

/// What a `[[check]]` looks for.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// One of these texts, in the form in which labels are compared.
    Says(Vec<String>),
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

impl FromToml for Test {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Test> {
        let words = [("no-time-zone", Test::NoTimeZone), ("repeated", Test::Repeated)];
        reader.word_or_table(key, value, &words, &["says", "same-as", "below", "beside"], |mut table| {
            let (says, same) = (table.alternative("says", Test::Says), table.alternative("same-as", Test::SameAs));
            let (below, beside) = (table.alternative("below", Test::Below), table.alternative("beside", Test::Beside));
            table.only([says, same, below, beside])
        })
    }
}

/// An array whose items a row or an entry is about, and which of them.
#[derive(Clone, Debug)]
pub(crate) struct Each {
    pub at: Name,
    /// What the items must be.
    pub when: RowWhen,
}

impl FromToml for Each {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Each> {
        match value.get_ref() {
            DeValue::Table(_) => {
                let SomeItems { at, when } = SomeItems::from_toml(key, value, reader)?;
                Some(Each { at, when })
            }
            _ => Name::from_toml(key, value, reader).map(|at| Each { at, when: RowWhen::default() }),
        }
    }
}

/// The wholes of a text.
#[derive(Debug, Default)]
pub(crate) enum Wholes {
    /// None: the text is only looked at as JSON.
    #[default]
    None,
    /// One table: each ends the text.
    Ending(Box<Whole>),
    /// A list: each is compared with what came before it.
    Kept(Vec<Whole>),
}

impl Wholes {
    /// Returns all wholes.
    pub(crate) fn all(&self) -> &[Whole] {
        match self {
            Wholes::None => &[],
            Wholes::Ending(whole) => std::slice::from_ref(whole),
            Wholes::Kept(wholes) => wholes,
        }
    }
}

impl FromToml for Wholes {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Wholes> {
        match value.get_ref() {
            DeValue::Array(_) => Vec::from_toml(key, value, reader).map(Wholes::Kept),
            _ => Whole::from_toml(key, value, reader).map(|whole| Wholes::Ending(Box::new(whole))),
        }
    }
}

impl FromToml for JsonKind {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<JsonKind> {
        let words = [("any", "any JSON value", JsonKind::Any), ("object", "a JSON object", JsonKind::Object)];
        reader.one_of_explained(key, value, &words)
    }
}

impl FromToml for SeriesStep {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<SeriesStep> {
        let words = [
            ("up", "each value is greater than the one before", SeriesStep::Up),
            ("not-down", "none is less than the one before", SeriesStep::NotDown),
            ("same", "all are the same as the first", SeriesStep::Same),
        ];
        match value.get_ref() {
            DeValue::Integer(_) => {
                u32::from_toml(key, value, reader).map(|step| SeriesStep::By { least: step, most: step })
            }
            DeValue::Array(bounds) if bounds.len() == 2 => match &*Vec::<u32>::from_toml(key, value, reader)? {
                [least, most] if least < most => Some(SeriesStep::By { least: *least, most: *most }),
                _ => {
                    let help = "write the least first: [0, 1] is no more, or one more, than the value before";
                    reader.problem(value.span(), format!("`{key}` has no least and most"), help);
                    None
                }
            },
            DeValue::String(text) if words.iter().any(|(word, ..)| *word == &**text) => {
                reader.one_of_explained(key, value, &words)
            }
            _ => {
                let help = "write a whole number, the least and the most such as [0, 1], or one of \"up\" (each greater than the one before), \"not-down\" (none \
                            less) and \"same\"";
                reader.problem(value.span(), format!("`{key}` is no step of a series"), help);
                None
            }
        }
    }
}

/// The first value of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// Whatever it is.
    Any,
    /// This number.
    Number(i64),
}

impl FromToml for From {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<From> {
        match value.get_ref() {
            DeValue::Integer(_) => i64::from_toml(key, value, reader).map(From::Number),
            DeValue::String(text) if text == "any" => Some(From::Any),
            _ => {
                let help = "write a whole number without quotation marks, or \"any\"";
                reader.problem(value.span(), format!("`{key}` is no first value of a series"), help);
                None
            }
        }
    }
}

/// What a check of a `[[link]]` looks for.
#[derive(Debug)]
pub(crate) enum LinkTest {
    /// Another text than the field of the other record.
    Not(Name),
    /// A time before that of the other record.
    Before(Name),
    /// A time after that of the other record and so many seconds more.
    After([Name; 2]),
}

impl FromToml for LinkTest {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<LinkTest> {
        let mut table = reader.table(key, value, &["not", "before", "after"])?;
        let not = table.alternative("not", LinkTest::Not);
        let before = table.alternative("before", LinkTest::Before);
        let after = table.alternative("after", LinkTest::After);
        table.only([not, before, after])
    }
}

/// Where a row leads from a state.
#[derive(Debug)]
pub(crate) enum Cell {
    To(String),
    Speak(Speak),
}

impl FromToml for Cell {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Cell> {
        match value.get_ref() {
            DeValue::String(state) => Some(Cell::To(state.to_string())),
            DeValue::Table(_) => Speak::from_toml(key, value, reader).map(Cell::Speak),
            _ => {
                let expected = "a state, \"=\", or { rule = …, to = … }";
                reader.wrong_type(key, value, expected, "\"=\" leads to no other state");
                None
            }
        }
    }
}

/// The form of input in which a rule about the end speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndWire {
    /// Server-sent events.
    Sse,
}

impl FromToml for EndWire {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<EndWire> {
        reader.one_of(key, value, &[("sse", EndWire::Sse)])
    }
}

/// What is wrong with a stream that ends in a state.
#[derive(Debug)]
pub(crate) struct EndRule {
    pub rule: Name,
    pub at: Option<SpeaksAt>,
    pub wire: Option<EndWire>,
}

impl FromToml for EndRule {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<EndRule> {
        match value.get_ref() {
            DeValue::String(rule) => {
                Some(EndRule { rule: Spanned::new(value.span(), rule.to_string()), at: None, wire: None })
            }
            DeValue::Table(_) => {
                let SpeakAtEnd { rule, at, wire } = SpeakAtEnd::from_toml(key, value, reader)?;
                Some(EndRule { rule, at: at.map(|at| *at.get_ref()), wire })
            }
            _ => {
                let help = "the rule is broken if the stream ends in the state";
                reader.wrong_type(key, value, "a rule, or { rule = …, at = \"entry\", wire = \"sse\" }", help);
                None
            }
        }
    }
}

/// The edit that does what the rule's help says.
#[derive(Clone, Debug)]
pub(crate) enum Fix {
    /// The boolean that the finding stands at becomes the other one.
    Negate,
    /// A field gets a value.
    Set(SetField),
    /// An event is put in behind the last one that explains the finding; without its time and its stream, which it has
    /// from that one.
    Insert(Spanned<Map<String, Json>>),
}

impl Fix {
    /// Returns the fix for the engine.
    pub(crate) fn compile(&self) -> tables::Fix {
        match self {
            Fix::Negate => tables::Fix::Negate,
            Fix::Set(SetField { on, at, to }) => tables::Fix::Set {
                event_type: on.get_ref().clone(),
                at: Pointer::parse(at.get_ref()).unwrap_or_default(),
                to: to.clone(),
            },
            Fix::Insert(event) => tables::Fix::Insert(Json::Object(event.get_ref().clone())),
        }
    }
}

impl FromToml for Fix {
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Fix> {
        reader.word_or_table(key, value, &[("negate", Fix::Negate)], &["set", "insert"], |mut table| {
            let (set, insert) = (table.alternative("set", Fix::Set), table.alternative("insert", Fix::Insert));
            table.only([set, insert])
        })
    }
}
