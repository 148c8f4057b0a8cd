//! Coverage of a protocol by recordings: each item of the protocol, with the number of its occurrences.
//!
//! Items are event types; fields, and the values that the schema lists for a field; cells of the tables, including those
//! of the end of the stream, in two groups: the moves that a stream without findings can make, and the others; and rules.
//! This module sees only counts, no streams.

mod json;
mod text;

use std::collections::BTreeSet;

use serde_json::Value;
use sessionlint_core::check::CoverageCounts;
use sessionlint_core::finding::{Stats, Summary};
use sessionlint_core::framing::Framing;
use sessionlint_core::machine::CellId;
use sessionlint_core::protocol::tables::{Cell, Lifecycle, Row, States};
use sessionlint_core::protocol::{Basis, Protocol, Rule, RuleId, Tables, framing};
use sessionlint_core::schema::Pointer;
use sessionlint_core::text::alternatives;

use super::labels::{Labels, RowRef, printable};
use super::sound_states;

pub use json::json;
pub use text::text;

/// The share of items that occurred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Number of items that occurred at least once.
    pub covered: u64,
    /// Number of all items.
    pub items: u64,
}

impl Share {
    fn of(counts: impl Iterator<Item = u64>) -> Share {
        counts.fold(Share::default(), |share, count| Share {
            covered: share.covered + u64::from(count > 0),
            items: share.items + 1,
        })
    }

    /// Returns the percentage, rounded down to one decimal, so that 100 means all items. Without items, it is 100.
    pub fn percent(self) -> f64 {
        let thousandths = (self.covered * 1000).checked_div(self.items).unwrap_or(1000);
        thousandths as f64 / 10.0
    }

    /// Returns the number of further items that would have to occur to reach a percentage.
    pub fn missing_for(self, percent: f64) -> u64 {
        let wanted = (percent * self.items as f64 / 100.0).ceil() as u64;
        wanted.saturating_sub(self.covered)
    }
}

/// A group of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    EventTypes,
    Fields,
    /// The cells that streams without findings can take.
    LegalMoves,
    /// The cells that break a rule, or that only follow a broken rule.
    BrokenMoves,
    /// The rules; one that was asked counts as covered, whether it spoke or not.
    Rules,
}

impl Group {
    pub const ALL: [Group; 5] = [Group::EventTypes, Group::Fields, Group::LegalMoves, Group::BrokenMoves, Group::Rules];

    /// Returns the group's name.
    pub fn name(self) -> &'static str {
        match self {
            Group::EventTypes => "event types",
            Group::Fields => "fields",
            Group::LegalMoves => "legal moves",
            Group::BrokenMoves => "broken moves",
            Group::Rules => "rules",
        }
    }
}

/// A field that the schema of an event type declares, or one of the values that it lists for a field.
#[derive(Debug)]
pub struct FieldItem<'c> {
    pub event: usize,
    pub pointer: &'c Pointer,
    pub value: Option<&'c Value>,
    pub count: u64,
}

/// A cell of a lifecycle's table.
#[derive(Debug)]
pub struct CellItem {
    pub cell: CellId,
    /// Whether the cell can be taken at all; if not, it counts neither as covered nor as missing.
    pub reachable: bool,
    /// Whether a stream without findings can take the cell.
    pub legal: bool,
    pub count: u64,
}

/// A rule.
#[derive(Debug)]
pub struct RuleItem {
    /// How often the rule reported something.
    pub count: u64,
    /// How often it was asked: how often something came that it judges, or how often it reported something if that is
    /// more.
    pub asked: u64,
}

/// All items of a protocol, with their counts.
pub struct Coverage<'c> {
    pub protocol: &'c Protocol,
    pub summary: &'c Summary,
    /// The count of each event type.
    pub event_types: Vec<u64>,
    pub fields: Vec<FieldItem<'c>>,
    pub cells: Vec<CellItem>,
    /// The counts of each rule, without the rules of the program itself: these are at the end of the list, and no recording
    /// can break them.
    pub rules: Vec<RuleItem>,
    exercised: &'c CoverageCounts,
}

impl<'c> Coverage<'c> {
    /// Returns the coverage from the counts of a run. Rules that were off count as not covered.
    pub fn new(
        protocol: &'c Protocol,
        summary: &'c Summary,
        stats: &Stats,
        exercised: &'c CoverageCounts,
    ) -> Coverage<'c> {
        let tables = protocol.tables();
        let count = |counts: &std::collections::BTreeMap<String, u64>, name: &str| {
            counts.get(name).copied().unwrap_or_default()
        };
        let mut fields = Vec::new();
        for (event, (of_event, presences)) in tables.events.iter().zip(&exercised.fields).enumerate() {
            for (field, presence) in of_event.schema.fields().iter().zip(presences) {
                let item = |value, count| FieldItem { event, pointer: &field.pointer, value, count };
                fields.push(item(None, presence.count));
                let values = field.values.iter().zip(&presence.values);
                fields.extend(values.map(|(value, count)| item(Some(value), *count)));
            }
        }
        let cells = tables.lifecycles.iter().enumerate();
        let sound: Vec<_> = tables.lifecycles.iter().map(sound_states).collect();
        let cells = cells.flat_map(|(number, lifecycle)| cells_of(number, lifecycle, &sound));
        let rules = tables.rules.iter().filter(|rule| rule.basis != Basis::Upkeep);
        let counted =
            |(cell, reachable, legal)| CellItem { cell, reachable, legal, count: exercised.cell_count(&cell) };
        let asked = asked(tables, exercised, summary.events);
        let item = |(rule, asked): (&Rule, u64)| {
            let count = count(&summary.by_rule, &rule.name);
            RuleItem { count, asked: asked.max(count) }
        };
        Coverage {
            protocol,
            summary,
            event_types: tables.events.iter().map(|event| count(&stats.by_type, &event.name)).collect(),
            fields,
            cells: cells.map(counted).collect(),
            rules: rules.zip(asked).map(item).collect(),
            exercised,
        }
    }

    /// Returns the share of one group.
    pub fn share(&self, group: Group) -> Share {
        match group {
            Group::EventTypes => Share::of(self.event_types.iter().copied()),
            Group::Fields => Share::of(self.fields.iter().map(|item| item.count)),
            Group::LegalMoves | Group::BrokenMoves => Share::of(self.moves(group).map(|item| item.count)),
            Group::Rules => Share::of(self.rules.iter().map(|rule| rule.asked)),
        }
    }

    /// Returns the cells of a group of moves, without those that cannot be taken.
    fn moves(&self, group: Group) -> impl Iterator<Item = &CellItem> {
        self.cells.iter().filter(move |item| item.reachable && item.legal == (group == Group::LegalMoves))
    }

    /// Returns how often rows were taken in some states.
    pub fn taken(&self, lifecycle: usize, rows: &[RowRef], states: std::ops::Range<usize>) -> u64 {
        let cells = rows.iter().flat_map(|row| states.clone().map(move |state| (row, state)));
        let cells = cells.map(|(row, state)| CellId { lifecycle, row: Some((row.event, row.row)), state });
        cells.map(|cell| self.exercised.cell_count(&cell)).sum()
    }

    /// Returns how often a stream ended in a state.
    pub fn ended(&self, lifecycle: usize, state: usize) -> u64 {
        self.exercised.cell_count(&CellId { lifecycle, row: None, state })
    }

    /// Returns whether an instance was ever in a state.
    pub fn reached(&self, lifecycle: usize, state: usize) -> bool {
        let leads_here = |cell: &CellId| {
            cell.state == state
                || cell.row.is_some_and(|(event, row)| self.row(cell, event, row).cells[cell.state].to == state as u8)
        };
        self.exercised.cells.keys().any(|cell| cell.lifecycle == lifecycle && leads_here(cell))
    }

    fn row(&self, cell: &CellId, event: usize, row: usize) -> &'c Row {
        &self.lifecycle(cell).rows[event][row]
    }

    fn lifecycle(&self, cell: &CellId) -> &'c Lifecycle {
        &self.protocol.tables().lifecycles[cell.lifecycle]
    }

    /// Returns the rule that a cell breaks, and the state that it leads to, if any; the end of the stream leads nowhere.
    fn effect(&self, cell: &CellId) -> (Option<&'c Rule>, Option<&'c str>) {
        let lifecycle = self.lifecycle(cell);
        let rule = |id: RuleId| &self.protocol.rules()[usize::from(id.0)];
        match cell.row {
            None => (lifecycle.end[cell.state].map(rule), None),
            Some((event, row)) => {
                let cell = lifecycle.rows[event][row].cells[cell.state];
                (cell.rule.map(rule), Some(&lifecycle.states[usize::from(cell.to)]))
            }
        }
    }

    /// Returns the label of cells of one row in different states, such as `turn: active × session.interrupted`.
    fn cells_in_words(&self, cells: &[&CellItem]) -> String {
        let Some(CellItem { cell, .. }) = cells.first() else { return String::new() };
        let lifecycle = self.lifecycle(cell);
        let row = match cell.row {
            None => "end of the stream".to_owned(),
            Some((event, row)) => Labels::unabridged(self.protocol.tables()).row(event, self.row(cell, event, row)),
        };
        let states: Vec<_> = cells.iter().map(|item| printable(&lifecycle.states[item.cell.state])).collect();
        format!("{}: {} × {row}", printable(&lifecycle.name), alternatives(&states))
    }

    /// Returns the label of the first item of a group that is missing; `None` if nothing is.
    pub fn first_missing(&self, group: Group) -> Option<String> {
        text::missing(self, group).into_iter().next()
    }
}

/// Returns how often each rule was asked, in the order of the rules.
fn asked(tables: &Tables, exercised: &CoverageCounts, events: u64) -> Vec<u64> {
    let mut asked = vec![0; tables.rules.len()];
    // Every event is asked about these. Whether the others could have spoken is not known: they are about one form of input.
    let of_a_form =
        [Framing::UndispatchedMessage, Framing::MessageAfterDone, Framing::EventNameMismatch, Framing::TruncatedInput];
    let of_events = Framing::ALL.into_iter().filter(|rule| !of_a_form.contains(rule)).map(framing);
    for rule in of_events.chain([tables.unknown]) {
        asked[usize::from(rule.0)] = events;
    }
    for (rule, count) in &exercised.asked {
        asked[usize::from(rule.0)] += count;
    }
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        let taken = |row: Option<(usize, usize)>| -> u64 {
            let cells = (0..lifecycle.states.len()).map(|state| CellId { lifecycle: number, row, state });
            cells.map(|cell| exercised.cell_count(&cell)).sum()
        };
        for (event, row) in
            lifecycle.rows.iter().enumerate().flat_map(|(event, rows)| rows.iter().map(move |row| (event, row)))
        {
            let rules: BTreeSet<RuleId> = row.cells.iter().filter_map(|cell| cell.rule).collect();
            let times = taken(Some((event, row.number)));
            rules.into_iter().for_each(|rule| asked[usize::from(rule.0)] += times);
        }
        let rules: BTreeSet<RuleId> = lifecycle.end.iter().copied().flatten().collect();
        rules.into_iter().for_each(|rule| asked[usize::from(rule.0)] += taken(None));
    }
    asked
}

/// Returns the cells of a lifecycle, each with whether it can be taken, and whether a stream without findings can take it.
///
/// The loader has already checked that every state can be reached. It has not checked rows without a key and the end of
/// the stream: these apply only to the instances that the open turn owns, which are only in states that follow an
/// opening one. Whether other lifecycles let a row apply in each state is not known; it is assumed that they do.
fn cells_of(number: usize, lifecycle: &Lifecycle, sound: &[BTreeSet<usize>]) -> Vec<(CellId, bool, bool)> {
    let is_sound = |state: usize| sound[number].contains(&state);
    // A row that asks for states in which only a broken rule can leave another lifecycle is no row of a healthy stream.
    let opens =
        |(other, states): &(usize, States)| states.iter().any(|state| sound[*other].contains(&usize::from(state)));
    let owned = match lifecycle.keyed {
        None => States::all(lifecycle.states.len()),
        Some(_) => lifecycle.reached_from(lifecycle.opens),
    };
    let mut cells = Vec::new();
    for (event, rows) in lifecycle.rows.iter().enumerate() {
        for row in rows {
            let may_apply = row.before.iter().chain(&row.after).all(opens);
            for state in 0..lifecycle.states.len() {
                let cell = CellId { lifecycle: number, row: Some((event, row.number)), state };
                let reachable = owned.has(state as u8) && !row.unless.has(state as u8);
                let Cell { rule, to, .. } = row.cells[state];
                let legal = may_apply && rule.is_none() && is_sound(state) && is_sound(usize::from(to));
                cells.push((cell, !row.key.is_empty() || reachable, legal));
            }
        }
    }
    if lifecycle.end.iter().any(Option::is_some) {
        // A stream has an event, which an outermost lifecycle sees: the start is no end unless a legal move leads there.
        let is_entered = |state: usize| {
            let mut rows = lifecycle.rows.iter().flatten().filter(|row| row.before.iter().chain(&row.after).all(opens));
            let leads =
                |from: usize, cell: &Cell| cell.rule.is_none() && usize::from(cell.to) == state && is_sound(from);
            rows.any(|row| row.cells.iter().enumerate().any(|(from, cell)| leads(from, cell)))
        };
        let end = |state: usize| {
            let seen = lifecycle.within.is_some() || lifecycle.keyed.is_some() || is_entered(state);
            let legal = lifecycle.end[state].is_none() && is_sound(state) && seen;
            (CellId { lifecycle: number, row: None, state }, owned.has(state as u8), legal)
        };
        cells.extend((0..lifecycle.states.len()).map(end));
    }
    cells
}

#[cfg(test)]
mod tests;
