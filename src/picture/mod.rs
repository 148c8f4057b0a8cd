//! Pictures of a protocol's lifecycles, from its compiled tables: what moves a lifecycle on, and what a rule speaks of;
//! and how much of all that recordings exercise.
//!
//! A [`Graph`] is what every format draws. Names come from a protocol's folder, which is its writer's data: each format
//! escapes all of them, and control characters are gone before.

pub mod coverage;
mod dot;
mod layout;
mod mermaid;
mod svg;
pub mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use coverage::Coverage;
use sessionlint_core::protocol::tables::Lifecycle;
use sessionlint_core::protocol::{Protocol, RuleId, Tables};
use words::{Applied, Words};

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// What the two kinds of lines stand for, and the two kinds of boxes.
const LEGEND: [&str; 3] = [
    "solid line: a legal move",
    "dashed line: forbidden; the rule after ✗ speaks, and judging carries on where the line leads",
    "dashed box: only reached after a rule has spoken",
];
/// What counts mean, where there are any.
const COUNTS: &str = "dotted, grey: never in these recordings; ×3: three times";

/// One lifecycle, as it is drawn.
#[derive(Debug, PartialEq)]
pub struct Graph {
    pub name: String,
    /// What it is in, and what there is one of it for.
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// What no box or line says.
    pub notes: Vec<String>,
    /// Whether events say how often they were taken.
    pub counted: bool,
}

/// A state.
#[derive(Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub initial: bool,
    /// Whether only a rule leads here. Its own moves are lines of text, for they are not what a reader looks for.
    pub recovery: bool,
    /// Whether recordings were counted, and none was ever in it.
    pub never: bool,
    /// The rule that speaks if the stream ends here.
    pub end: Option<String>,
    /// The events that change nothing here.
    pub stays: Vec<String>,
    /// The moves from here that are not drawn as edges.
    pub moves: Vec<Move>,
}

/// A move that is a line of text.
#[derive(Debug, PartialEq)]
pub struct Move {
    pub to: String,
    pub rule: Option<String>,
    pub events: Vec<String>,
}

/// Moves from one state to another, or back to the same one, with one rule or none.
#[derive(Debug, PartialEq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub rule: Option<String>,
    pub events: Vec<String>,
    /// Whether recordings were counted, and none has taken it.
    pub never: bool,
}

/// All lifecycles of a protocol, or the one of this name; with counts, if there are any.
pub fn graphs(protocol: &Protocol, name: Option<&str>, coverage: Option<&Coverage<'_>>) -> Vec<Graph> {
    let tables = protocol.tables();
    let wanted = |(_, lifecycle): &(usize, &Lifecycle)| name.is_none_or(|name| lifecycle.name == name);
    let lifecycles = tables.lifecycles.iter().enumerate().filter(wanted);
    lifecycles.map(|(number, lifecycle)| graph(tables, lifecycle, Counts { number, coverage })).collect()
}

/// How often what is drawn of one lifecycle was taken, if that was counted.
#[derive(Clone, Copy)]
struct Counts<'c> {
    /// The lifecycle's.
    number: usize,
    coverage: Option<&'c Coverage<'c>>,
}

impl Counts<'_> {
    /// Words with the count behind them.
    fn with(words: String, count: Option<u64>) -> String {
        match count {
            None => words,
            Some(0) => words + " never",
            Some(count) => format!("{words} ×{count}"),
        }
    }

    fn taken(self, rows: &[Applied], states: Range<usize>) -> Option<u64> {
        self.coverage.map(|coverage| coverage.taken(self.number, rows, states))
    }

    /// The events of these rows, each with how often it came in these states.
    fn events(
        self,
        words: &mut Words<'_>,
        lifecycle: &Lifecycle,
        rows: &[Applied],
        states: Range<usize>,
    ) -> Vec<String> {
        let events = words.events_of_rows(lifecycle, rows).into_iter();
        events.map(|(words, rows)| Counts::with(words, self.taken(&rows, states.clone()))).collect()
    }
}

/// What is said once under the picture.
fn legend(tables: &Tables, graphs: &[Graph]) -> Vec<String> {
    let mut legend: Vec<_> = LEGEND.map(str::to_owned).to_vec();
    legend.extend(graphs.iter().any(|graph| graph.counted).then(|| COUNTS.to_owned()));
    legend.extend(Words::of(tables).prefix_note());
    legend
}

fn graph(tables: &Tables, lifecycle: &Lifecycle, counts: Counts<'_>) -> Graph {
    let mut words = Words::of(tables);
    let rule_name = |rule: RuleId| words::shown(&tables.rules[usize::from(rule.0)].name);
    let still = words::still(lifecycle);
    let legal = legally_reached(lifecycle);
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    for (from, name) in lifecycle.states.iter().enumerate() {
        let mut node = Node {
            name: words::shown(name),
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
            // What moves all that are open says nothing of those that never were.
            let keyless =
                |one: &Applied| lifecycle.keyed.is_some() && lifecycle.rows[one.event][one.row].key.is_empty();
            if from == 0 && to == from && rule.is_none() && applied.iter().all(keyless) {
                continue;
            }
            let events = counts.events(&mut words, lifecycle, &applied, from..from + 1);
            match rule.map(rule_name) {
                None if to == from => node.stays = events,
                rule if node.recovery => {
                    node.moves.push(Move { to: words::shown(&lifecycle.states[to]), rule, events });
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
    let (name, title) = (words::shown(&lifecycle.name), words.title(lifecycle));
    Graph { name, title, nodes, edges, notes, counted: counts.coverage.is_some() }
}

/// The moves from a state by where they lead and the rule that speaks, without those that change no state ever.
pub fn moves(lifecycle: &Lifecycle, from: usize, still: &[Applied]) -> BTreeMap<(usize, Option<RuleId>), Vec<Applied>> {
    let mut moves: BTreeMap<_, Vec<Applied>> = BTreeMap::new();
    for (event, rows) in lifecycle.rows.iter().enumerate() {
        for (row, cells) in rows.iter().map(|row| &row.cells).enumerate() {
            let cell = cells[from];
            if !still.contains(&Applied { event, row }) {
                moves.entry((usize::from(cell.to), cell.rule)).or_default().push(Applied { event, row });
            }
        }
    }
    moves
}

/// The states that a stream can be in without a rule having spoken.
fn legally_reached(lifecycle: &Lifecycle) -> BTreeSet<usize> {
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
