//! What streams are made for: the places of the tables where a rule speaks, and the cells that a caller names.

mod fields;

use serde_json::Value;
use sessionlint_core::machine::CellId;
use sessionlint_core::protocol::tables::{Cell, Each, Row, States};
use sessionlint_core::protocol::{Protocol, RuleId, Tables};

/// What one event is made for.
#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    /// The number of the event type.
    pub event: usize,
    pub purpose: Purpose,
    /// Keys that the event is to have.
    pub keys: Vec<BoundKey>,
}

impl Aim {
    pub fn new(event: usize, purpose: Purpose) -> Aim {
        Aim { event, purpose, keys: Vec::new() }
    }
}

/// The slots of an event, or of an item of one of its arrays, that make up a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeySlots {
    /// The number of the array, if the slots are those of its items.
    pub each: Option<usize>,
    pub slots: Vec<usize>,
}

impl KeySlots {
    /// Returns the slots of a row's key; `None` if it has none.
    pub fn of(row: &Row) -> Option<KeySlots> {
        KeySlots::new(row.each.as_ref(), &row.key)
    }

    /// Returns the slots of a key; `None` if there are none.
    pub fn new(each: Option<&Each>, slots: &[usize]) -> Option<KeySlots> {
        (!slots.is_empty()).then(|| KeySlots { each: each.map(|each| each.array), slots: slots.to_vec() })
    }

    /// Returns whether these are the first slots of another key, or all of them.
    pub fn begin(&self, other: &KeySlots) -> bool {
        self.each == other.each && other.slots.starts_with(&self.slots)
    }
}

/// A key that an event is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundKey {
    pub at: KeySlots,
    pub key: Vec<Value>,
}

/// What an event does, besides being valid.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// Whatever the tables allow.
    Any,
    /// Anything, whether the tables allow it or not.
    Wild,
    /// A row applies.
    Row(RowAim),
    /// A field differs from what was kept: that of the row's check of this number.
    Differ(RowAim, usize),
    /// It has the next piece of a text: that of this entry for the event type. A bad one makes a text that is to be JSON
    /// something else.
    Piece { text: usize, entry: usize, is_bad: bool },
    /// It cuts a text, by the alternative of this number.
    Cut { text: usize, alternative: usize },
    /// It has a whole that is not the text, or an empty one: that of this entry for the event type.
    Whole { text: usize, entry: usize, is_empty: bool },
    /// A text must be JSON with it, by the entry of this index for the event type.
    Json { text: usize, entry: usize },
    /// It has a value of a series: that of this entry for the event type. A wrong one does not follow the one before.
    Value { series: usize, entry: usize, is_wrong: bool },
    /// A check of the event type finds what it forbids.
    Check(usize),
    /// Fields are as in the event of the type before.
    Unchanged(usize),
    /// The time is earlier than that of the event before.
    Earlier,
}

/// A row that is to apply to an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct RowAim {
    pub lifecycle: usize,
    /// The row's index among those of its lifecycle for the event type.
    pub row: usize,
    /// The state that the instance is in before the event.
    pub state: u8,
    /// Whether two items of the row's array name the instance: the first moves it, the second is what counts.
    pub twice: bool,
}

/// What must be so before an event can do what it is made for: an instance of a lifecycle, or the one of a key, is in one
/// of these states. Texts, fields that must not stay the same, and series count as lifecycles behind those of the tables, in
/// the state [`SEEN`] once a piece of the text, an event with the fields, or a value of the series came.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    pub lifecycle: usize,
    pub states: States,
    /// The key of the instance, if it must be a certain one.
    pub key: Option<Vec<Value>>,
    /// Where the event that has the need reads the key. Needs that agree in this are about one key.
    pub at: Option<KeySlots>,
}

/// The state of a text, or of fields, of which something came.
pub const SEEN: u8 = 1;
/// The state of a text that was cut since its last piece.
pub const CUT: u8 = 2;
/// The state of a text that is to be JSON, and is something else so far.
pub const BAD: u8 = 3;

/// Returns the number of a text behind the lifecycles.
pub fn text_number(tables: &Tables, text: usize) -> usize {
    tables.lifecycles.len() + text
}

/// Returns the number of a set of fields that must not stay the same, behind the lifecycles and texts.
pub fn unchanged_number(tables: &Tables, unchanged: usize) -> usize {
    text_number(tables, tables.texts.len()) + unchanged
}

/// Returns the number of a series, behind all of these.
pub fn series_number(tables: &Tables, series: usize) -> usize {
    unchanged_number(tables, tables.unchanged.len()) + series
}

impl Need {
    /// Returns the need for any instance in one of these states.
    pub fn new(lifecycle: usize, states: States) -> Need {
        Need { lifecycle, states, key: None, at: None }
    }
}

/// What a stream is to come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// What must be so before the last event, or at the end.
    pub needs: Vec<Need>,
    /// The last event; `None` if the end of the stream is what counts.
    pub last: Option<Aim>,
}

impl Goal {
    /// Returns the goal that the stream ends with an instance in a state.
    fn end(lifecycle: usize, state: usize) -> Goal {
        Goal { needs: vec![Need::new(lifecycle, States::one(state as u8))], last: None }
    }

    /// Returns the goal that a row applies to an instance in a state.
    fn row(tables: &Tables, event: usize, lifecycle: usize, row: &Row, state: usize) -> Goal {
        let aim = RowAim { lifecycle, row: row.number, state: state as u8, twice: false };
        Goal {
            needs: needs_of_row(tables, lifecycle, row, state as u8),
            last: Some(Aim::new(event, Purpose::Row(aim))),
        }
    }

    /// Returns the goal that a cell is taken.
    pub fn cell(tables: &Tables, cell: CellId) -> Option<Goal> {
        match cell.row {
            None => Some(Goal::end(cell.lifecycle, cell.state)),
            Some((event, number)) => {
                let rows = tables.lifecycles.get(cell.lifecycle)?.rows.get(event)?;
                let row = rows.iter().find(|row| row.number == number)?;
                Some(Goal::row(tables, event, cell.lifecycle, row, cell.state))
            }
        }
    }
}

/// Returns what must be so before a row applies to an instance in a state.
pub fn needs_of_row(tables: &Tables, lifecycle: usize, row: &Row, state: u8) -> Vec<Need> {
    let own = Need { at: KeySlots::of(row), ..Need::new(lifecycle, States::one(state)) };
    let gates = row.before.iter().map(|(outer, states)| Need::new(*outer, *states));
    let parents = row.of_parents.iter().filter(|gate| gate.before).map(|gate| {
        let parts = tables.lifecycles[gate.lifecycle].key_parts.min(row.key.len());
        let at = KeySlots::new(row.each.as_ref(), &row.key[..parts]);
        Need { at, ..Need::new(gate.lifecycle, gate.states) }
    });
    std::iter::once(own).chain(gates).chain(parents).collect()
}

/// Returns the goals of which each breaks a rule. Empty for a rule that the tables do not name.
pub fn goals_of(protocol: &Protocol, rule: &str) -> Vec<Goal> {
    let tables = protocol.tables();
    let Some(number) = tables.rules.iter().position(|known| &*known.name == rule) else { return Vec::new() };
    let rule = RuleId(number as u16);
    let mut goals = Vec::new();
    for (lifecycle, table) in tables.lifecycles.iter().enumerate() {
        for (event, row) in
            table.rows.iter().enumerate().flat_map(|(event, rows)| rows.iter().map(move |row| (event, row)))
        {
            let speaking = row.cells.iter().enumerate().filter(|(_, cell)| cell.rule == Some(rule));
            goals.extend(speaking.clone().map(|(state, _)| Goal::row(tables, event, lifecycle, row, state)));
            let first = row.cells[0];
            if row.each.is_some()
                && first.rule.is_none()
                && speaking.clone().any(|(state, _)| state == usize::from(first.to))
            {
                let aim = RowAim { lifecycle, row: row.number, state: 0, twice: true };
                let last = Some(Aim::new(event, Purpose::Row(aim)));
                goals.push(Goal { needs: needs_of_row(tables, lifecycle, row, 0), last });
            }
            for (check, same) in row.same.iter().enumerate().filter(|(_, same)| same.rule == rule) {
                let acts = |(state, cell): &(usize, &Cell)| match same.within {
                    Some(states) => states.has(*state as u8),
                    None => cell.rule.is_none() && usize::from(cell.to) != *state,
                };
                // Nothing is kept of an instance that was never moved.
                for (state, _) in row.cells.iter().enumerate().filter(acts).filter(|(state, _)| *state > 0) {
                    let aim = RowAim { lifecycle, row: row.number, state: state as u8, twice: false };
                    let last = Some(Aim::new(event, Purpose::Differ(aim, check)));
                    goals.push(Goal { needs: needs_of_row(tables, lifecycle, row, state as u8), last });
                }
            }
        }
        let ends = table.end.iter().enumerate().filter(|(_, end)| **end == Some(rule));
        goals.extend(ends.map(|(state, _)| Goal::end(lifecycle, state)));
    }
    goals.extend(fields::goals_of_fields(tables, rule));
    goals
}
