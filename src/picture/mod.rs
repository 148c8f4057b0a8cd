//! Pictures of a protocol's lifecycles, from its compiled tables: the legal moves, and the forbidden ones with their
//! rules; and how much of them recordings exercise.
//!
//! Every format draws a [`Graph`]. Names come from a protocol's folder and are not trusted: control characters are
//! replaced when the graph is made, and each format escapes all names.

pub mod coverage;
mod dot;
pub mod labels;
mod layout;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use coverage::Coverage;
use labels::{Labels, RowRef};
use sessionlint_core::protocol::tables::Lifecycle;
use sessionlint_core::protocol::{Protocol, RuleId, Tables};

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// The legend of lines and boxes.
const LEGEND: [&str; 3] = [
    "solid line: a legal move",
    "dashed line: forbidden; the rule after ✗ speaks, and judging carries on where the line leads",
    "dashed box: only reached after a rule has spoken",
];
/// The legend of counts, for graphs with coverage.
const COUNTS: &str = "dotted, grey: never in these recordings; ×3: three times";

/// The graph of one lifecycle.
#[derive(Debug, PartialEq)]
pub struct Graph {
    pub name: String,
    /// The name, what each instance is keyed by, and the lifecycle that it is within.
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// Facts that boxes and lines do not show.
    pub notes: Vec<String>,
    /// Whether events are shown with counts from recordings.
    pub counted: bool,
}

/// A state.
#[derive(Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub initial: bool,
    /// Whether the state is reached only after a finding. Its moves are lines of text, not edges, because few readers
    /// look for them.
    pub recovery: bool,
    /// Whether the graph has counts, and no recording was ever in this state.
    pub never: bool,
    /// The rule that is broken if the stream ends here.
    pub end: Option<String>,
    /// The events that change nothing here.
    pub stays: Vec<String>,
    /// The moves from here that are not drawn as edges.
    pub moves: Vec<Move>,
}

/// A move that is shown as a line of text.
#[derive(Debug, PartialEq)]
pub struct Move {
    pub to: String,
    pub rule: Option<String>,
    pub events: Vec<String>,
}

/// An edge: the moves from one state to another, or back to the same one, that break the same rule, or none.
#[derive(Debug, PartialEq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub rule: Option<String>,
    pub events: Vec<String>,
    /// Whether the graph has counts, and no recording has taken this edge.
    pub never: bool,
}

/// Returns the graphs of all lifecycles of a protocol, or of the one with this name; with counts, if there are any.
pub fn graphs(protocol: &Protocol, name: Option<&str>, coverage: Option<&Coverage<'_>>) -> Vec<Graph> {
    let tables = protocol.tables();
    let wanted = |(_, lifecycle): &(usize, &Lifecycle)| name.is_none_or(|name| lifecycle.name == name);
    let lifecycles = tables.lifecycles.iter().enumerate().filter(wanted);
    lifecycles.map(|(number, lifecycle)| graph(tables, lifecycle, Counts { number, coverage })).collect()
}

/// The counts of one lifecycle from recordings, if there are any.
#[derive(Clone, Copy)]
struct Counts<'c> {
    /// The index of the lifecycle.
    number: usize,
    coverage: Option<&'c Coverage<'c>>,
}

impl Counts<'_> {
    /// Appends a count to a label.
    fn with(words: String, count: Option<u64>) -> String {
        match count {
            None => words,
            Some(0) => words + " never",
            Some(count) => format!("{words} ×{count}"),
        }
    }

    /// Returns how often rows were taken in some states, if that was counted.
    fn taken(self, rows: &[RowRef], states: Range<usize>) -> Option<u64> {
        self.coverage.map(|coverage| coverage.taken(self.number, rows, states))
    }

    /// Returns the labels of the events of some rows, each with its count in some states.
    fn events(
        self,
        words: &mut Labels<'_>,
        lifecycle: &Lifecycle,
        rows: &[RowRef],
        states: Range<usize>,
    ) -> Vec<String> {
        let events = words.events_of_rows(lifecycle, rows).into_iter();
        events.map(|(words, rows)| Counts::with(words, self.taken(&rows, states.clone()))).collect()
    }
}

/// Returns the lines of the legend.
fn legend(tables: &Tables, graphs: &[Graph]) -> Vec<String> {
    let mut legend: Vec<_> = LEGEND.map(str::to_owned).to_vec();
    legend.extend(graphs.iter().any(|graph| graph.counted).then(|| COUNTS.to_owned()));
    legend.extend(Labels::of(tables).prefix_note());
    legend
}

/// Returns the graph of one lifecycle.
fn graph(tables: &Tables, lifecycle: &Lifecycle, counts: Counts<'_>) -> Graph {
    let mut words = Labels::of(tables);
    let rule_name = |rule: RuleId| labels::printable(&tables.rules[usize::from(rule.0)].name);
    let still = labels::stationary_rows(lifecycle);
    let legal = legal_states(lifecycle);
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    for (from, name) in lifecycle.states.iter().enumerate() {
        let mut node = Node {
            name: labels::printable(name),
            initial: from == 0,
            recovery: !legal.contains(&from),
            never: counts.coverage.is_some_and(|coverage| !coverage.reached(counts.number, from)),
            end: lifecycle.end[from].map(|rule| {
                let ended = counts.coverage.map(|coverage| coverage.ended(counts.number, from));
                Counts::with(rule_name(rule), ended)
            }),
            stays: Vec::new(),
            moves: Vec::new(),
        };
        for ((to, rule), applied) in moves(lifecycle, from, &still) {
            // A row without a key applies to open instances; in the first state, an instance does not exist yet.
            let keyless = |one: &RowRef| lifecycle.keyed.is_some() && lifecycle.rows[one.event][one.row].key.is_empty();
            if from == 0 && to == from && rule.is_none() && applied.iter().all(keyless) {
                continue;
            }
            let events = counts.events(&mut words, lifecycle, &applied, from..from + 1);
            match rule.map(rule_name) {
                None if to == from => node.stays = events,
                rule if node.recovery => {
                    node.moves.push(Move { to: labels::printable(&lifecycle.states[to]), rule, events });
                }
                rule => {
                    let never = counts.taken(&applied, from..from + 1) == Some(0);
                    edges.push(Edge { from, to, rule, events, never });
                }
            }
        }
        nodes.push(node);
    }
    let mut notes = Vec::new();
    if !still.is_empty() {
        let still = counts.events(&mut words, lifecycle, &still, 0..lifecycle.states.len());
        notes.push(format!("in any state allowed, and changing none: {}", still.join(", ")));
    }
    notes.extend(words.notes(lifecycle));
    let (name, title) = (labels::printable(&lifecycle.name), words.title(lifecycle));
    Graph { name, title, nodes, edges, notes, counted: counts.coverage.is_some() }
}

/// Returns the moves from a state, by the state that they lead to and the rule that they break, without the stationary
/// rows in `still`.
pub fn moves(lifecycle: &Lifecycle, from: usize, still: &[RowRef]) -> BTreeMap<(usize, Option<RuleId>), Vec<RowRef>> {
    let mut moves: BTreeMap<_, Vec<RowRef>> = BTreeMap::new();
    for (event, rows) in lifecycle.rows.iter().enumerate() {
        for (row, cells) in rows.iter().map(|row| &row.cells).enumerate() {
            let cell = cells[from];
            if !still.contains(&RowRef { event, row }) {
                moves.entry((usize::from(cell.to), cell.rule)).or_default().push(RowRef { event, row });
            }
        }
    }
    moves
}

/// Returns the states that can be reached without breaking a rule.
fn legal_states(lifecycle: &Lifecycle) -> BTreeSet<usize> {
    let mut reached = BTreeSet::from([0]);
    let mut open = VecDeque::from([0]);
    while let Some(from) = open.pop_front() {
        for cell in lifecycle.rows.iter().flatten().map(|row| row.cells[from]) {
            let to = usize::from(cell.to);
            if cell.rule.is_none() && reached.insert(to) {
                open.push_back(to);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests;
