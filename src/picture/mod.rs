//! Pictures of a protocol's lifecycles, from its compiled tables: the legal moves, and the forbidden ones with their
//! rules; and how much of them recordings exercise.
//!
//! Every format draws a [`Graph`]. Names come from a protocol's folder and are not trusted: control characters are
//! replaced when the graph is made, and each format escapes all names.

pub mod coverage;
mod dot;
mod drawing;
pub mod labels;
mod layout;
mod mermaid;
mod svg;
mod usual;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use coverage::Coverage;
use labels::{Labels, RowRef};
use sessionlint_core::protocol::tables::Lifecycle;
use sessionlint_core::protocol::{Protocol, RuleId, Tables};

pub use dot::dot;
pub use drawing::{Drawing, drawing, keep_near, keep_taken};
pub use layout::Rect;
pub use mermaid::mermaid;
pub use svg::svg;
pub use usual::UsualMoves;

/// The legend of lines and boxes, if everything is drawn.
const LEGEND: [&str; 3] = [
    "solid line: a legal move",
    "dashed line: forbidden; the rule after ✗ is broken, and checking continues where the line leads",
    "dashed box: only reached after a rule was broken",
];
/// The legend if only legal moves are drawn.
const LEGEND_OF_LEGAL: [&str; 2] = [
    "solid line: a legal move; what breaks a rule, and where that leads, is left out (--all draws it)",
    "thick line: the usual way",
];
/// The legend of counts, for graphs with coverage.
const COUNTS: &str = "dotted, grey: never in these recordings; ×3: three times";

/// The graph of one lifecycle.
#[derive(Clone, Debug, PartialEq)]
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
    /// Whether what breaks a rule is left out.
    pub only_legal: bool,
}

/// A state.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    pub to: String,
    pub rule: Option<String>,
    pub events: Vec<String>,
}

/// An edge: the moves from one state to another, or back to the same one, that break the same rule, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub rule: Option<String>,
    pub events: Vec<String>,
    /// Whether the graph has counts, and no recording has taken this edge.
    pub never: bool,
    /// Whether the edge is on the usual way through the states.
    pub usual: bool,
}

/// The parts of a protocol that are drawn.
#[derive(Clone, Copy)]
pub enum View<'c> {
    /// The legal moves, with the usual way.
    Legal(&'c UsualMoves),
    /// Everything.
    All,
    /// Everything, with the counts of recordings.
    Counted(&'c Coverage<'c>),
}

/// Returns the graphs of all lifecycles of a protocol, or of the one with this name.
pub fn graphs(protocol: &Protocol, name: Option<&str>, view: View<'_>) -> Vec<Graph> {
    let tables = protocol.tables();
    let wanted = |(_, lifecycle): &(usize, &Lifecycle)| name.is_none_or(|name| lifecycle.name == name);
    let lifecycles = tables.lifecycles.iter().enumerate().filter(wanted);
    let coverage = match view {
        View::Counted(coverage) => Some(coverage),
        View::Legal(_) | View::All => None,
    };
    let drawn = lifecycles.map(|(number, lifecycle)| {
        let whole = graph(tables, lifecycle, Counts { number, coverage });
        match view {
            View::Legal(usual) => only_legal(tables, lifecycle, whole, &usual.ways[number]),
            View::All | View::Counted(_) => whole,
        }
    });
    drawn.collect()
}

/// Takes everything out of a graph that breaks a rule, or that only a broken rule leads to. `way`: the states of the usual
/// way, in its order.
fn only_legal(tables: &Tables, lifecycle: &Lifecycle, whole: Graph, way: &[usize]) -> Graph {
    let kept: Vec<usize> = sound_states(lifecycle).into_iter().collect();
    let is_usual = |edge: &Edge| way.windows(2).any(|step| step == [edge.from, edge.to]);
    let place = |state: usize| kept.iter().position(|kept| *kept == state);
    let edges = whole.edges.into_iter().filter(|edge| edge.rule.is_none()).filter_map(|edge| {
        let usual = is_usual(&edge);
        Some(Edge { from: place(edge.from)?, to: place(edge.to)?, usual, ..edge })
    });
    let edges = edges.collect();
    let nodes = whole.nodes.into_iter().enumerate().filter(|(state, _)| kept.contains(state));
    let nodes = nodes.map(|(_, node)| Node { end: None, ..node }).collect();
    let notes = Labels::of(tables).notes_of_legal(lifecycle, whole.notes);
    Graph { nodes, edges, notes, only_legal: true, ..whole }
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
    let is_legal = graphs.iter().any(|graph| graph.only_legal);
    let is_usual = graphs.iter().flat_map(|graph| &graph.edges).any(|edge| edge.usual);
    let lines: &[&str] = if is_legal { &LEGEND_OF_LEGAL[..1 + usize::from(is_usual)] } else { &LEGEND };
    let mut legend: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
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
                    edges.push(Edge { from, to, rule, events, never, usual: false });
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
    Graph { name, title, nodes, edges, notes, counted: counts.coverage.is_some(), only_legal: false }
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
    reached(BTreeSet::from([0]), |from| {
        let legal = lifecycle.rows.iter().flatten().map(move |row| row.cells[from]).filter(|cell| cell.rule.is_none());
        legal.map(|cell| usize::from(cell.to)).collect()
    })
}

/// Returns the states that a stream without findings can be in: those that can be reached without breaking a rule, and from
/// which a state can be reached in the same way in which a stream may end.
pub fn sound_states(lifecycle: &Lifecycle) -> BTreeSet<usize> {
    let ends = (0..lifecycle.states.len()).filter(|state| lifecycle.end[*state].is_none()).collect();
    let leads_to = reached(ends, |to| {
        let leads = |from: &usize| {
            let mut cells = lifecycle.rows.iter().flatten().map(|row| row.cells[*from]);
            cells.any(|cell| cell.rule.is_none() && usize::from(cell.to) == to)
        };
        (0..lifecycle.states.len()).filter(leads).collect()
    });
    legal_states(lifecycle).intersection(&leads_to).copied().collect()
}

/// Returns some states and all that can be reached from them. `next`: the states to which one leads.
fn reached(mut known: BTreeSet<usize>, next: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut open: VecDeque<usize> = known.iter().copied().collect();
    while let Some(state) = open.pop_front() {
        for to in next(state) {
            if known.insert(to) {
                open.push_back(to);
            }
        }
    }
    known
}

#[cfg(test)]
mod tests;
