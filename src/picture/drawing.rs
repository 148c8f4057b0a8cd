//! The parts of a picture with their positions, for a caller that draws them itself.

use super::labels::LineStyle;
use super::layout::{Rect, Size};
use super::svg::{self, Panel};
use super::{Graph, Node};

/// The picture of one lifecycle. Lengths are in pixels of small text of 11 pixels.
#[derive(Debug)]
pub struct Drawing {
    pub title: String,
    pub size: Size,
    /// By state: its box.
    pub boxes: Vec<DrawnState>,
    pub lines: Vec<DrawnMove>,
}

/// The box of a state.
#[derive(Debug)]
pub struct DrawnState {
    pub name: String,
    pub place: Rect,
    /// Lines of text below the name, each with whether it names a rule.
    pub words: Vec<(bool, String)>,
    pub initial: bool,
    /// Whether the state is reached only after a rule was broken.
    pub recovery: bool,
}

/// The line of a move.
#[derive(Debug)]
pub struct DrawnMove {
    /// The numbers of the boxes.
    pub from: usize,
    pub to: usize,
    /// The rule that the move breaks.
    pub rule: Option<String>,
    /// The path of the line, as SVG writes it.
    pub path: String,
    pub label: Rect,
    pub words: Vec<String>,
}

/// Returns the parts of a graph's picture, the start mark above the first box included.
pub fn drawing(graph: &Graph) -> Drawing {
    let panel = Panel::new(graph);
    let boxes = panel.layout.nodes.iter().enumerate().map(|(state, place)| {
        let Node { name, initial, recovery, .. } = &graph.nodes[state];
        let words = panel.boxes[state].iter().map(|(style, line)| (*style == LineStyle::Rule, line.clone()));
        DrawnState { name: name.clone(), place: *place, words: words.collect(), initial: *initial, recovery: *recovery }
    });
    let between = panel.edges.iter().zip(&panel.layout.lines).zip(&panel.layout.labels);
    let between = between.map(|((edge, points), label)| DrawnMove {
        from: edge.from,
        to: edge.to,
        rule: edge.rule.clone(),
        path: svg::path(points),
        label: *label,
        words: svg::label_lines(edge),
    });
    let loops = (0..graph.nodes.len()).flat_map(|state| {
        panel.loops_of(state).into_iter().map(move |(edge, path, label)| DrawnMove {
            from: state,
            to: state,
            rule: edge.rule.clone(),
            path,
            label,
            words: svg::label_lines(edge),
        })
    });
    let lines = between.chain(loops).collect();
    Drawing { title: graph.title.clone(), size: panel.layout.size, boxes: boxes.collect(), lines }
}

/// Keeps of a graph what a session can do, and what this one did: the legal moves, the states that they lead to, and of
/// the others those that `is_taken`, by the states before and after and the rule. Returns the number of each state that is
/// kept.
pub fn keep_taken(graph: &mut Graph, is_taken: impl Fn(usize, usize, Option<&str>) -> bool) -> Vec<usize> {
    graph.edges.retain(|edge| edge.rule.is_none() || is_taken(edge.from, edge.to, edge.rule.as_deref()));
    let count = graph.nodes.len();
    let visited = |state: usize| {
        (0..count).any(|other| {
            let rules = graph.edges.iter().filter_map(|edge| edge.rule.as_deref()).map(Some).chain([None]);
            rules.into_iter().any(|rule| is_taken(other, state, rule) || is_taken(state, other, rule))
        })
    };
    let kept = (0..count).filter(|state| !graph.nodes[*state].recovery || visited(*state)).collect();
    keep_states(graph, kept)
}

/// Keeps of a graph the moves that `is_taken`, like [`keep_taken`], and the legal ones out of each state in which something
/// `went_wrong`: what could have come instead. Returns the number of each state that is kept.
pub fn keep_near(
    graph: &mut Graph,
    is_taken: impl Fn(usize, usize, Option<&str>) -> bool,
    went_wrong: impl Fn(usize) -> bool,
) -> Vec<usize> {
    graph.edges.retain(|edge| {
        is_taken(edge.from, edge.to, edge.rule.as_deref()) || edge.rule.is_none() && went_wrong(edge.from)
    });
    let is_end = |state: usize| graph.edges.iter().any(|edge| edge.from == state || edge.to == state);
    let kept = (0..graph.nodes.len()).filter(|state| graph.nodes[*state].initial || is_end(*state)).collect();
    graph.nodes.iter_mut().for_each(|node| node.stays.clear());
    keep_states(graph, kept)
}

/// Keeps these states, and the moves between them.
fn keep_states(graph: &mut Graph, kept: Vec<usize>) -> Vec<usize> {
    let place = |state: usize| kept.iter().position(|one| *one == state);
    graph.edges.retain_mut(|edge| match (place(edge.from), place(edge.to)) {
        (Some(from), Some(to)) => {
            (edge.from, edge.to) = (from, to);
            true
        }
        _ => false,
    });
    let mut number = 0;
    graph.nodes.retain_mut(|node| {
        node.moves.clear();
        number += 1;
        kept.contains(&(number - 1))
    });
    kept
}
