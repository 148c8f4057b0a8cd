//! Pictures of a protocol's lifecycles, from its compiled tables: what moves a lifecycle on, and what a rule speaks of.
//!
//! A [`Graph`] is what every format draws. Names come from a protocol's folder, which is its writer's data: each format
//! escapes all of them, and control characters are gone before.

mod dot;
mod layout;
mod mermaid;
mod svg;
pub mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::protocol::tables::Lifecycle;
use crate::protocol::{Protocol, RuleId, Tables};
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
}

/// A state.
#[derive(Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub initial: bool,
    /// Whether only a rule leads here. Its own moves are lines of text, for they are not what a reader looks for.
    pub recovery: bool,
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
}

/// All lifecycles of a protocol, or the one of this name.
pub fn graphs(protocol: &Protocol, name: Option<&str>) -> Vec<Graph> {
    let tables = protocol.tables();
    let wanted = |lifecycle: &&Lifecycle| name.is_none_or(|name| lifecycle.name == name);
    tables.lifecycles.iter().filter(wanted).map(|lifecycle| graph(tables, lifecycle)).collect()
}

/// What is said once under the picture.
fn legend(tables: &Tables) -> Vec<String> {
    let mut legend: Vec<_> = LEGEND.map(str::to_owned).to_vec();
    legend.extend(Words::of(tables).prefix_note());
    legend
}

fn graph(tables: &Tables, lifecycle: &Lifecycle) -> Graph {
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
            end: lifecycle.end[from].map(rule_name),
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
            let events = words.events(lifecycle, &applied);
            match rule.map(rule_name) {
                None if to == from => node.stays = events,
                rule if node.recovery => {
                    node.moves.push(Move { to: words::shown(&lifecycle.states[to]), rule, events });
                }
                rule => edges.push(Edge { from, to, rule, events }),
            }
        }
        nodes.push(node);
    }
    let mut notes = Vec::new();
    if !still.is_empty() {
        let still = words.events(lifecycle, &still);
        notes.push(format!("in any state allowed, and changing none: {}", still.join(", ")));
    }
    notes.extend(words.notes(lifecycle));
    Graph { name: words::shown(&lifecycle.name), title: words.title(lifecycle), nodes, edges, notes }
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
