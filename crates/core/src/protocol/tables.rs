//! The tables of a compiled protocol, in which names are numbers and pointers are slots. The compiler has checked them.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::conditions::{Condition, Each, Wanted, overlap};
pub use super::effects::{Effects, MovedLifecycle};
use super::file::{Basis, Scalar};
use super::trusted;
use crate::finding::Severity;
use crate::framing::Framing;
use crate::schema::items::ArrayShape;
use crate::schema::program::Program;
use crate::schema::{Pointer, Schema, Subschema};

/// A rule's number in its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleId(pub u16);

/// Returns the number of a framing rule.
pub fn framing(rule: Framing) -> RuleId {
    RuleId(rule as u16)
}

/// A rule and its words, which are read when they are first asked for: most inputs break no rule, or few.
#[derive(Debug)]
pub struct Rule {
    /// The rule's name, which says what is wrong.
    pub name: Arc<str>,
    words: OnceLock<RuleWords>,
    /// The text that has the words, if they were not read at once.
    text: &'static str,
}

impl Rule {
    /// Creates a rule with these words.
    pub(crate) fn new(name: &str, words: RuleWords) -> Rule {
        Rule { name: name.into(), words: words.into(), text: "" }
    }

    /// Creates a rule whose words are in a text that is known to be valid.
    pub(crate) fn trusted(name: &str, text: &'static str) -> Rule {
        Rule { name: name.into(), words: OnceLock::new(), text }
    }
}

impl Deref for Rule {
    type Target = RuleWords;

    fn deref(&self) -> &RuleWords {
        self.words.get_or_init(|| trusted::words(self.text))
    }
}

/// The severity of a rule, and its texts.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleWords {
    /// The severity of its findings; `None` if the rule is off unless the caller turns it on.
    pub severity: Option<Severity>,
    /// The source that the rule is derived from.
    pub basis: Basis,
    /// The rule's meaning, in one sentence without placeholders.
    pub means: String,
    /// The message of its findings, in one sentence. Placeholders (words in braces) stand for values of the stream.
    pub says: String,
    /// The advice of its findings: what to do.
    pub help: String,
    /// The words where an open instance was probably meant.
    pub likely: Option<OtherWords>,
    /// The words where an event opens once more what it opened, and says the same of it.
    pub again: Option<OtherWords>,
    /// The words of findings about certain events. No event type is in two of them.
    pub cases: Vec<RuleCase>,
    /// Quotes from the document, verbatim, each [in one line](crate::text::in_one_line).
    pub quotes: Vec<String>,
    /// The edit that follows the advice, if there is one.
    pub fix: Option<Fix>,
}

impl RuleWords {
    /// Returns the words for findings about events of this type; `None` if they are the rule's own.
    pub fn case(&self, event_type: &str) -> Option<&RuleCase> {
        self.cases.iter().find(|case| case.on.iter().any(|name| name == event_type))
    }
}

/// Words of a rule for findings about certain events. Those that are left out are the rule's own.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleCase {
    /// The names of the event types.
    pub on: Vec<String>,
    /// The message, like [`RuleWords::says`].
    pub says: Option<String>,
    /// The advice.
    pub help: Option<String>,
    /// Quotes from the document, verbatim, each [in one line](crate::text::in_one_line).
    pub quotes: Vec<String>,
}

/// Other words for a rule: a message and an advice.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherWords {
    /// The message, like [`RuleWords::says`].
    pub says: String,
    /// The advice.
    pub help: String,
}

/// An edit that follows a rule's advice.
#[derive(Clone, Debug, PartialEq)]
pub enum Fix {
    /// Negates the boolean that the finding points at.
    Negate,
    /// Sets a field of the stream's last event of a type before the finding.
    Set {
        /// The name of the event type.
        event_type: String,
        /// The field.
        at: Pointer,
        /// The field's new value.
        to: Scalar,
    },
    /// Inserts this event, which lacks its time and stream, after the last event that explains the finding.
    Insert(Value),
}

/// A set of states: bit n is state n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct States(pub u32);

impl States {
    /// The most states that a lifecycle may have.
    pub const MOST: usize = 32;

    /// Returns the set of this state alone.
    pub fn one(state: u8) -> States {
        States(1u32.checked_shl(u32::from(state)).unwrap_or_default())
    }

    /// Returns the set of the first `count` states.
    pub fn all(count: usize) -> States {
        States(if count >= Self::MOST { u32::MAX } else { (1 << count) - 1 })
    }

    /// Returns the union of two sets.
    pub fn or(self, other: States) -> States {
        States(self.0 | other.0)
    }

    /// Returns whether the set contains a state.
    pub fn has(self, state: u8) -> bool {
        self.0 & States::one(state).0 != 0
    }

    /// Returns whether the one of these states that something is in is among others.
    pub fn are_in(self, others: States) -> Certainty {
        match self.0 & others.0 {
            0 => Certainty::No,
            some if some == self.0 => Certainty::Yes,
            _ => Certainty::Perhaps,
        }
    }

    /// Returns the states of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let state = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (state < u32::BITS).then_some(state as u8)
        })
    }
}

/// Whether a condition is met, given that not everything can be known: from no to yes, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Certainty {
    /// Certainly not met.
    No,
    /// Met in some of the possible states, or not known.
    Perhaps,
    /// Certainly met.
    Yes,
}

impl Certainty {
    /// Returns whether a condition is not met.
    pub fn negated(self) -> Certainty {
        match self {
            Certainty::No => Certainty::Yes,
            Certainty::Perhaps => Certainty::Perhaps,
            Certainty::Yes => Certainty::No,
        }
    }

    /// Returns whether both conditions are met.
    pub fn and(self, other: Certainty) -> Certainty {
        self.min(other)
    }
}

/// The pointers by which an event is recognised and read.
#[derive(Debug, Default)]
pub struct EventShape {
    /// The field with the name of the event's type.
    pub event_type: Pointer,
    /// The field with the timestamp.
    pub time: Option<Pointer>,
    /// The field with the stream's name; `None` if a file is one stream.
    pub stream: Option<Pointer>,
    /// The fields in which a wrapper may hold the event, in the order in which they are tried.
    pub unwrap: Vec<Pointer>,
    /// Whether the `event` field of a server-sent event must be there, and name the type.
    pub event_field: bool,
    /// The types that are texts.
    pub texts: Vec<usize>,
    /// The types that a member tells, each with that member, in the order in which they are tried.
    pub members: Vec<(Pointer, usize)>,
}

/// What tells that an event is of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ToldBy {
    /// The type's name in the event.
    Name,
    /// The event is this text, and no JSON.
    Text(Arc<str>),
    /// The event has something here, if it has no name.
    Member(Pointer),
}

/// An event type: its schema, and the fields that the tables read.
pub struct EventType {
    /// The type's name, as events have it if it is told by the name.
    pub name: Arc<str>,
    /// What tells that an event is of the type.
    pub told_by: ToldBy,
    /// The schema that judges each event of the type.
    pub schema: Schema,
    /// The fields that the tables read; a slot is an index into this.
    pub slots: Vec<Pointer>,
    /// The arrays whose items the tables read.
    pub arrays: Vec<ArrayShape>,
    /// The slot of the stream's name.
    pub stream: Option<usize>,
    /// The slot of the timestamp.
    pub time: Option<usize>,
    /// Whether the schema asserts that the timestamp is a date-time.
    pub usual_time: bool,
    /// Compiled on first use: most inputs have events of a few types only. See [`EventType::plan`].
    pub(crate) plan: OnceLock<Result<Program, String>>,
}

impl EventType {
    /// Returns whether an event of the type is a text that is no JSON, and so has no fields.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.told_by, ToldBy::Text(_))
    }

    /// Returns the program that judges an event in one pass.
    ///
    /// # Errors
    ///
    /// Returns the reason if there is none.
    pub fn plan(&self) -> Result<&Program, &str> {
        let compile = || Program::compile(&self.schema, &self.slots, &self.arrays);
        self.plan.get_or_init(compile).as_ref().map_err(String::as_str)
    }

    /// Returns the pointer of the field in a slot: of the event, or of the items of one of its arrays, with `*` for each
    /// item.
    pub fn pointer(&self, array: Option<usize>, slot: usize) -> Cow<'_, Pointer> {
        match array {
            None => Cow::Borrowed(&self.slots[slot]),
            Some(array) => self.arrays[array].pointer(slot, &self.slots),
        }
    }

    /// Returns the values that the schema allows for the field in a slot; empty if they cannot be listed.
    pub fn values_of(&self, slot: usize) -> Vec<Scalar> {
        self.values_at(&self.slots[slot])
    }

    /// Returns the values that the schema allows for a field; empty if they cannot be listed.
    pub fn values_at(&self, at: &Pointer) -> Vec<Scalar> {
        let Subschema::Declared(schema) = self.schema.at(&at.0) else {
            return Vec::new();
        };
        if schema.get("type").and_then(Value::as_str) == Some("boolean") {
            return vec![Scalar::Bool(true), Scalar::Bool(false)];
        }
        let options = schema.get("enum").and_then(Value::as_array);
        options.into_iter().flatten().filter_map(Scalar::from_json).collect()
    }
}

/// A compiled lifecycle: for each event and each state the next state, and the rule to report, if any.
#[derive(Debug)]
pub struct Lifecycle {
    /// The lifecycle's name.
    pub name: String,
    /// The number of the surrounding lifecycle.
    pub within: Option<usize>,
    /// The names of the states. The first one is the start.
    pub states: Vec<String>,
    /// The states that open a new instance when they are entered from another state …
    pub opens: States,
    /// … except from one of these.
    pub resumes: States,
    /// The lifetime of keys; `None` if there is one instance, without a key.
    pub keyed: Option<super::file::Keyed>,
    /// The number of parts of a key; 0 if there are none.
    pub key_parts: usize,
    /// The number of first parts that are the key of the surrounding instance; 0 if that has none.
    pub parent_parts: usize,
    /// Whether an instance can open.
    pub can_open: bool,
    /// What is within this one.
    pub inner: Inner,
    /// Whether a row asks for the state of one of its instances, by key, before the event.
    pub is_asked_before: bool,
    /// By state: the message for the event that led into it, for findings that refer to that event.
    pub entered: Vec<Option<Arc<str>>>,
    /// By event type: the rows for it.
    pub rows: Vec<Vec<Row>>,
    /// By state: the rule to report if the stream ends there.
    pub end: Vec<Option<RuleId>>,
    /// The states with a rule whose finding stands at the event that led into the state, if the stream ends there.
    pub end_at_entry: States,
    /// The states with a rule that speaks only of server-sent events.
    pub end_in_sse: States,
    /// The states with a rule whose finding stands at the event that led into the state, in a cell or at the end.
    pub keeps_entry: States,
}

/// The tables that are within a lifecycle, by their numbers: what they know starts afresh when an instance opens.
#[derive(Debug, Default)]
pub struct Inner {
    /// The lifecycles.
    pub lifecycles: Vec<usize>,
    /// The texts.
    pub texts: Vec<usize>,
    /// The series.
    pub series: Vec<usize>,
}

impl Lifecycle {
    /// The most lifecycles that a protocol may have: a step keeps a set of them in the bits of a `u64`.
    pub const MOST: usize = u64::BITS as usize;

    /// Returns whether another lifecycle, a text or a series is within this one.
    pub fn is_parent(&self) -> bool {
        let Inner { lifecycles, texts, series } = &self.inner;
        !(lifecycles.is_empty() && texts.is_empty() && series.is_empty())
    }

    /// Returns the row for the instances that an event of this type did not name, if a row over an array has one.
    pub fn others_of(&self, event: usize, row: &Row) -> Option<&Row> {
        self.rows[event].get(row.number + 1).filter(|next| next.of_others)
    }

    /// Returns the states that can be reached from a set of states, including the set itself.
    pub fn reached_from(&self, states: States) -> States {
        let mut reached = states;
        loop {
            let rows = self.rows.iter().flatten();
            let next = rows.fold(reached, |set, row| {
                set.iter().fold(set, |set, from| {
                    set.or(row.cells.get(usize::from(from)).map_or(set, |cell| States::one(cell.to)))
                })
            });
            if next == reached {
                return reached;
            }
            reached = next;
        }
    }
}

/// A row of a table, for one event type.
#[derive(Clone, Debug)]
pub struct Row {
    /// The row's index among the rows of its lifecycle for this event type.
    pub number: usize,
    /// The fields of the event and what they must be.
    pub when: Vec<Condition>,
    /// The slot of the field that its findings point at, in a lifecycle without keys or in a row for others; `None`: the
    /// event's type.
    pub points_at: Option<usize>,
    /// Whether the row is for the events that no other row of the lifecycle takes; it is then the last one.
    pub otherwise: bool,
    /// The lifecycles, each with the states that it must have been in before the event.
    pub before: Vec<(usize, States)>,
    /// The lifecycles, each with the states that it must be in after its own move.
    pub after: Vec<(usize, States)>,
    /// The lifecycles with keys, further out, each with the states that its instance must have been in before the event, or
    /// must be in after its own move. The instance's key is the first parts of the key of the one that moves.
    pub of_parents: Vec<ParentGate>,
    /// The slots of the key of the instance whose children the row applies to, if it has no key of its own; empty if it is
    /// for those of all.
    pub parent: Vec<usize>,
    /// The row, which has no key, does not apply while an instance that the open turn opened is in one of these states.
    pub unless: States,
    /// Whether the row is for the instances that the event did not name: none of the items over which the row before it is,
    /// which has the same conditions. It has no key, and points at the array.
    pub of_others: bool,
    /// The array whose items the row applies to one by one; then `key`, `same` and `keep` are slots of an item.
    pub each: Option<Each>,
    /// If it is for the items that no other row over the array takes, of those with the same conditions on the event: the
    /// indices of these rows.
    pub siblings: Box<[usize]>,
    /// The slots that make up the instance's key.
    pub key: Vec<usize>,
    /// The fields that must equal kept values.
    pub same: Vec<SameCheck>,
    /// What must go up from item to item, with the rule that speaks where it does not.
    pub order: Option<(usize, RuleId)>,
    /// The numbers of the kept values to set, each with the slot of its new value.
    pub keep: Vec<(usize, usize)>,
    /// The cell for each state.
    pub cells: Vec<Cell>,
    /// The states whose cells do anything.
    pub acts: States,
}

impl Row {
    /// Returns the array that the row is over.
    pub fn array(&self) -> Option<usize> {
        self.each.as_ref().map(|each| each.array)
    }
}

/// The states that an instance further out must be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentGate {
    /// The number of the lifecycle, which has keys.
    pub lifecycle: usize,
    /// The states.
    pub states: States,
    /// Whether the state before the event is meant.
    pub before: bool,
}

/// A kept value and the field that must equal it.
#[derive(Clone, Debug)]
pub struct SameCheck {
    /// The number of the kept value in its lifecycle.
    pub kept: usize,
    /// The field's slot.
    pub slot: usize,
    /// The rule to report if they differ.
    pub rule: RuleId,
    /// The members of an object that are not compared.
    pub except: Vec<Box<str>>,
    /// The states before the event in which they are compared; `None`: those that a legal move leaves.
    pub within: Option<States>,
}

/// A cell of a row: the effect of the event in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The rule to report, if any.
    pub rule: Option<RuleId>,
    /// The next state.
    pub to: u8,
    /// Whether the finding stands at the event that led into the state, not at the one that the row is for.
    pub at_entry: bool,
    /// Whether the instance opens anew, from whatever state.
    pub anew: bool,
}

impl Cell {
    /// Returns whether the cell of a state does anything.
    pub(crate) fn acts(&self, state: u8) -> bool {
        self.rule.is_some() || self.to != state || self.anew
    }

    /// Returns whether the cell of a state leads into another one without a rule.
    pub(crate) fn leaves_quietly(&self, state: u8) -> bool {
        self.rule.is_none() && (self.to != state || self.anew)
    }
}

/// A test of a field of one event type.
#[derive(Clone, Debug)]
pub struct FieldCheck {
    /// The conditions under which the field is tested.
    pub when: Vec<Condition>,
    /// The array in whose items the field is; the slot is then one of an item.
    pub each: Option<Each>,
    /// The field's slot.
    pub slot: usize,
    /// The test.
    pub test: FieldTest,
    /// The rule to report if the field is as the test says.
    pub rule: RuleId,
}

/// What a field must not be.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldTest {
    /// One of these texts, as [`plain_words`](super::conditions::plain_words) returns them.
    Says(Vec<String>),
    /// A number less than this.
    Below(f64),
    /// Anything, also nothing: the conditions say all.
    Any,
}

/// The fields that a page shows of the events of one type. Of several fields, the first that an event has counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventLabels {
    /// The fields with the name of what the event opens, such as a tool.
    pub label: Vec<Pointer>,
    /// The fields with what the event says.
    pub text: Vec<Pointer>,
    /// The fields with the name of the event's lane within its stream.
    pub lane: Vec<Pointer>,
}

/// Fields of which at least one must differ from those of the stream's event of the same type before.
#[derive(Clone, Debug)]
pub struct Unchanged {
    /// The number of the event type.
    pub event: usize,
    /// The fields' slots.
    pub slots: Vec<usize>,
    /// The number of the lifecycle that forgets the event before, when it opens and where it reports a rule.
    pub within: Option<usize>,
    /// The rule to report if all fields are the same.
    pub rule: RuleId,
}
