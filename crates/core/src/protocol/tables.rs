//! A protocol, compiled: names are numbers, pointers are slots. Nothing here is checked any more.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{Basis, Scalar};
use crate::finding::Severity;
use crate::framing::Framing;
use crate::schema::program::{ArrayShape, Program};
use crate::schema::{Pointer, Schema, Subschema};

/// A rule's number in its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u16);

/// The number of a rule of the framing.
pub fn framing(rule: Framing) -> RuleId {
    RuleId(rule as u16)
}

/// A rule and its words.
#[derive(Debug)]
pub struct Rule {
    /// Its name, which says what is wrong.
    pub name: Arc<str>,
    /// How much it matters; none: switched off unless the caller wants it.
    pub severity: Option<Severity>,
    /// What it rests on.
    pub basis: Basis,
    /// What it is about, in one sentence without words in braces.
    pub means: String,
    /// What was found, in one sentence; words in braces stand for what the stream had.
    pub says: String,
    /// What to do.
    pub help: String,
    /// The document's words, verbatim.
    pub quotes: Vec<String>,
    /// The edit that does what the help says, if there is one.
    pub fix: Option<Fix>,
}

/// An edit that does what a rule's help says.
#[derive(Clone, Debug, PartialEq)]
pub enum Fix {
    /// The boolean that the finding stands at becomes the other one.
    Negate,
    /// A field of the stream's last event of this type before the finding gets a value.
    Set { event_type: usize, at: Pointer, to: Scalar },
    /// This event, which lacks its time and its stream, comes behind the last one that explains the finding.
    Insert(Value),
}

/// A set of states: bit n is state n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct States(pub u32);

impl States {
    /// The most states that a lifecycle may have.
    pub const MOST: usize = 32;

    /// This state alone.
    pub fn one(state: u8) -> States {
        States(1u32.checked_shl(u32::from(state)).unwrap_or_default())
    }

    /// The first `count` states.
    pub fn all(count: usize) -> States {
        States(if count >= Self::MOST { u32::MAX } else { (1 << count) - 1 })
    }

    /// The states in either.
    pub fn or(self, other: States) -> States {
        States(self.0 | other.0)
    }

    /// Whether the state is in it.
    pub fn has(self, state: u8) -> bool {
        self.0 & States::one(state).0 != 0
    }

    /// The states, in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let state = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (state < u32::BITS).then_some(state as u8)
        })
    }
}

/// How much of a set of possible states meets a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Meets {
    No,
    Perhaps,
    Yes,
}

impl Meets {
    /// Both conditions together.
    pub fn and(self, other: Meets) -> Meets {
        match (self, other) {
            (Meets::No, _) | (_, Meets::No) => Meets::No,
            (Meets::Yes, Meets::Yes) => Meets::Yes,
            _ => Meets::Perhaps,
        }
    }
}

/// How an event is recognised and read.
#[derive(Debug, Default)]
pub struct EventShape {
    pub event_type: Pointer,
    pub time: Option<Pointer>,
    pub stream: Option<Pointer>,
    pub unwrap: Vec<Pointer>,
}

/// One type of event: its schema, and the fields that the tables read.
pub struct EventType {
    pub name: Arc<str>,
    pub schema: Schema,
    /// The fields that the tables read; a slot is an index into this.
    pub slots: Vec<Pointer>,
    /// The arrays whose items the tables read.
    pub arrays: Vec<ArrayShape>,
    /// The slot of the stream's name.
    pub stream: Option<usize>,
    /// The slot of the timestamp.
    pub time: Option<usize>,
    /// Whether its schema asserts that it is a date-time.
    pub usual_time: bool,
    /// The fast way, or why there is none.
    pub plan: Result<Program, String>,
}

impl EventType {
    /// The values that the schema allows for a field, if they can be listed.
    pub fn values_of(&self, slot: usize) -> Vec<Scalar> {
        self.values_at(&self.slots[slot])
    }

    /// The same for any field.
    pub fn values_at(&self, at: &Pointer) -> Vec<Scalar> {
        let Subschema::Declared(schema) = self.schema.at(&at.0) else {
            return Vec::new();
        };
        if schema.get("type").and_then(Value::as_str) == Some("boolean") {
            return vec![Scalar::Bool(true), Scalar::Bool(false)];
        }
        let options = schema.get("enum").and_then(Value::as_array);
        options.into_iter().flatten().filter_map(|value| serde_json::from_value(value.clone()).ok()).collect()
    }
}

/// One table.
#[derive(Debug)]
pub struct Lifecycle {
    pub name: String,
    pub within: Option<usize>,
    pub states: Vec<String>,
    pub opens: States,
    pub resumes: States,
    pub keyed: Option<super::file::Keyed>,
    /// By state: what happened at the event that led into it.
    pub entered: Vec<Option<Arc<str>>>,
    /// By event type: its rows.
    pub rows: Vec<Vec<Row>>,
    /// By state: the rule that speaks at the end of the stream.
    pub end: Vec<Option<RuleId>>,
}

impl Lifecycle {
    /// The most lifecycles that a protocol may have: a step keeps a set of them as the bits of a `u64`.
    pub const MOST: usize = u64::BITS as usize;

    /// The states that moves lead to from these, themselves among them.
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
    /// Among the rows of its lifecycle for this event type.
    pub number: usize,
    /// The fields and the values that they must have. Slots are of the event.
    pub when: Vec<Condition>,
    pub before: Vec<(usize, States)>,
    pub after: Vec<(usize, States)>,
    /// The array that the row applies to each item of; then `key`, `same` and `keep` are slots of the item.
    pub each: Option<usize>,
    pub key: Vec<usize>,
    pub same: Vec<Same>,
    /// Slots to keep, each under a number of the lifecycle's kept values.
    pub keep: Vec<(usize, usize)>,
    /// By state.
    pub cells: Vec<Cell>,
}

/// What an event type can move, so that a step looks at nothing else.
#[derive(Debug, Default)]
pub struct Effects {
    /// The lifecycles that have rows for it, in order.
    pub lifecycles: Vec<usize>,
    /// The texts that it adds to, cuts or is the whole of.
    pub texts: Vec<usize>,
    /// Whether any of them asks where a lifecycle was before the event.
    pub looks_back: bool,
    /// The slots that its rows look at.
    pub looks_at: Vec<usize>,
    /// Whether those and the states are all that it depends on: no keys, no words.
    pub may_be_still: bool,
    /// The text that it adds to and the slot that holds the piece, if that is all that it does to texts.
    pub appends: Option<(usize, usize)>,
}

impl Effects {
    /// Those of one event type.
    pub fn of(event: usize, lifecycles: &[Lifecycle], texts: &[Text], contradictions: &[Contradiction]) -> Effects {
        let rows = lifecycles.iter().flat_map(|lifecycle| &lifecycle.rows[event]);
        let mut looks_at: Vec<_> = rows.clone().flat_map(|row| &row.when).map(|condition| condition.slot).collect();
        looks_at.sort_unstable();
        looks_at.dedup();
        let mut keyed = lifecycles.iter().filter(|lifecycle| lifecycle.keyed.is_some());
        let wholes = texts.iter().filter_map(|text| text.whole[event].as_ref());
        let looks_back =
            rows.map(|row| &row.before).chain(wholes.map(|whole| &whole.before)).any(|gate| !gate.is_empty());
        let touches =
            |text: &Text| text.append[event].is_some() || !text.cut[event].is_empty() || text.whole[event].is_some();
        let texts_touched: Vec<_> = (0..texts.len()).filter(|index| touches(&texts[*index])).collect();
        let appends = match texts_touched.as_slice() {
            [one] if texts[*one].cut[event].is_empty() && texts[*one].whole[event].is_none() => {
                texts[*one].append[event].as_ref().map(|append| (*one, append.slot))
            }
            _ => None,
        };
        Effects {
            lifecycles: (0..lifecycles.len()).filter(|index| !lifecycles[*index].rows[event].is_empty()).collect(),
            texts: texts_touched,
            appends,
            looks_back,
            looks_at,
            may_be_still: contradictions.is_empty() && keyed.all(|lifecycle| lifecycle.rows[event].is_empty()),
        }
    }
}

/// A field and the values that it must have.
#[derive(Clone, Debug)]
pub struct Condition {
    pub slot: usize,
    pub values: Vec<Scalar>,
}

/// A kept value and the field that must equal it.
#[derive(Clone, Debug)]
pub struct Same {
    pub kept: usize,
    pub slot: usize,
    pub rule: RuleId,
}

/// A cell: the rule that speaks, if any, and the state to carry on in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub rule: Option<RuleId>,
    pub to: u8,
}

/// A text that arrives in pieces.
#[derive(Debug)]
pub struct Text {
    pub within: Option<usize>,
    pub began: Arc<str>,
    /// By event type.
    pub append: Vec<Option<Append>>,
    /// By event type: any of these.
    pub cut: Vec<Vec<Vec<Condition>>>,
    /// By event type.
    pub whole: Vec<Option<Whole>>,
}

#[derive(Clone, Debug)]
pub struct Append {
    pub slot: usize,
    pub after: Vec<(usize, States)>,
}

#[derive(Clone, Debug)]
pub struct Whole {
    pub slot: usize,
    pub before: Vec<(usize, States)>,
    pub rule: RuleId,
}

/// Words that a field cannot honestly say, for one event type.
#[derive(Clone, Debug)]
pub struct Contradiction {
    pub when: Vec<Condition>,
    pub slot: usize,
    /// In the form that [`plain_words`] gives.
    pub says: Vec<String>,
    pub rule: RuleId,
}

/// A label as it is compared: letter case, surrounding space and a trailing ellipsis aside.
pub fn plain_words(label: &str) -> String {
    let label = label.trim();
    let label = label.strip_suffix("...").or_else(|| label.strip_suffix('…')).unwrap_or(label);
    label.trim_end().to_lowercase()
}
