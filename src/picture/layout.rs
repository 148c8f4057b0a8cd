//! A layered layout: where boxes, labels and lines go.
//!
//! Every rank of nodes is a layer, and between two of them is a layer of labels. A line that crosses a layer has a place
//! of its own there, and lines bend only in the gaps between layers; so no two boxes or labels overlap, and no line
//! crosses one. The same input always gives the same layout.

mod order;
mod ranks;

use order::Ranked;
pub use ranks::{Arc, ranks};

/// Between neighbours in a layer.
const APART: f64 = 18.0;
/// Between a layer and the next, at least and at most.
const GAP: (f64, f64) = (38.0, 74.0);
/// How far a line is straight above and below a layer, so that its arrow points at the box.
const STRAIGHT: f64 = 10.0;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub x: f64,
    pub y: f64,
    pub size: Size,
}

impl Place {
    pub fn right(self) -> f64 {
        self.x + self.size.width
    }

    pub fn bottom(self) -> f64 {
        self.y + self.size.height
    }

    fn middle(self) -> f64 {
        self.x + self.size.width / 2.0
    }
}

/// A box of a rank. What hangs on its right side (loops) has room of its own.
#[derive(Clone, Copy, Debug)]
pub struct NodeShape {
    pub rank: usize,
    pub size: Size,
    pub beside: f64,
}

/// A line between two different nodes, with its label.
#[derive(Clone, Copy, Debug)]
pub struct EdgeShape {
    pub from: usize,
    pub to: usize,
    pub label: Size,
    /// How much it wants to be short, beside others.
    pub pull: f64,
}

#[derive(Debug)]
pub struct Layout {
    pub nodes: Vec<Place>,
    pub labels: Vec<Place>,
    /// By edge: the points that it goes through. It is straight from an even point to the next, and curved from an odd
    /// one, leaving and reaching both upright.
    pub lines: Vec<Vec<(f64, f64)>>,
    pub size: Size,
}

/// What takes room in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Node(usize),
    Label(usize),
    /// A line on its way.
    Bend(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Item {
    kind: Kind,
    layer: usize,
    size: Size,
    beside: f64,
    pull: f64,
}

/// The items that an edge goes through, from the upper end to the lower one. In a rank of its own it goes down to its
/// label and up again.
struct Way {
    items: Vec<usize>,
    /// Whether the arrow points up.
    upward: bool,
    level: bool,
}

/// Places everything.
pub fn layout(nodes: &[NodeShape], edges: &[EdgeShape]) -> Layout {
    let (items, ways, links) = items(nodes, edges);
    let layers = items.iter().map(|item| item.layer + 1).max().unwrap_or_default();
    let ranked = order::order(&items, layers, links);
    let xs = order::coordinates(&items, &ranked, APART);
    let mut places = vec![Place { x: 0.0, y: 0.0, size: Size::default() }; items.len()];
    let bounds = rows(&items, &ranked, &xs, &mut places);
    let ports = ports(&items, &ways, &places);
    let lines = ways.iter().zip(&ports).map(|(way, ports)| line(way, *ports, &items, &places, &bounds)).collect();
    let of = |wanted: fn(usize) -> Kind, count: usize| -> Vec<Place> {
        let mut found = vec![Place { x: 0.0, y: 0.0, size: Size::default() }; count];
        for (item, place) in items.iter().zip(&places) {
            let (Kind::Node(index) | Kind::Label(index) | Kind::Bend(index)) = item.kind;
            if item.kind == wanted(index) {
                found[index] = *place;
            }
        }
        found
    };
    let width = items.iter().zip(&places).map(|(item, place)| place.right() + item.beside).fold(0.0, f64::max);
    let height = bounds.last().map_or(0.0, |(_, bottom)| bottom - STRAIGHT);
    let (nodes, labels) = (of(Kind::Node, nodes.len()), of(Kind::Label, edges.len()));
    Layout { nodes, labels, lines, size: Size { width, height } }
}

/// Layers: rank r is layer 2r, and labels are in the odd ones.
fn items(nodes: &[NodeShape], edges: &[EdgeShape]) -> (Vec<Item>, Vec<Way>, Vec<(usize, usize)>) {
    let node = |(index, node): (usize, &NodeShape)| Item {
        kind: Kind::Node(index),
        layer: 2 * node.rank,
        size: node.size,
        beside: node.beside,
        pull: 1.0,
    };
    let mut items: Vec<_> = nodes.iter().enumerate().map(node).collect();
    let mut ways: Vec<Option<Way>> = edges.iter().map(|_| None).collect();
    let mut links = Vec::new();
    let mut widths = vec![0.0; 2 * nodes.iter().map(|node| node.rank + 1).max().unwrap_or_default()];
    // Short edges have no choice where their labels go; long ones then take the layer that has most room.
    let span = |edge: &EdgeShape| nodes[edge.from].rank.abs_diff(nodes[edge.to].rank);
    let mut sequence: Vec<_> = (0..edges.len()).collect();
    sequence.sort_by_key(|index| span(&edges[*index]));
    for index in sequence {
        let edge = &edges[index];
        let upward = nodes[edge.from].rank > nodes[edge.to].rank;
        let (upper, lower) = if upward { (edge.to, edge.from) } else { (edge.from, edge.to) };
        let (top, bottom) = (2 * nodes[upper].rank, 2 * nodes[lower].rank);
        let level = top == bottom;
        let layers = if level { top + 1..top + 2 } else { top + 1..bottom };
        let labelled = layers.clone().step_by(2).min_by(|a, b| f64::total_cmp(&widths[*a], &widths[*b]));
        let labelled = labelled.unwrap_or(top + 1);
        widths[labelled] += edge.label.width + APART;
        let mut way = vec![upper];
        for layer in layers {
            way.push(items.len());
            let (kind, size) =
                if layer == labelled { (Kind::Label(index), edge.label) } else { (Kind::Bend(index), Size::default()) };
            items.push(Item { kind, layer, size, beside: 0.0, pull: edge.pull });
        }
        way.push(lower);
        for (step, pair) in way.windows(2).enumerate() {
            let last = level && step == 1;
            links.push(if last { (pair[1], pair[0]) } else { (pair[0], pair[1]) });
        }
        ways[index] = Some(Way { items: way, upward, level });
    }
    (items, ways.into_iter().flatten().collect(), links)
}

/// Gives each layer its height; the top and bottom of each.
fn rows(items: &[Item], ranked: &Ranked, xs: &[f64], places: &mut [Place]) -> Vec<(f64, f64)> {
    let mut y = 0.0;
    let mut bounds = Vec::new();
    for (number, layer) in ranked.layers.iter().enumerate() {
        let height = layer.iter().map(|item| items[*item].size.height).fold(0.0, f64::max);
        for item in layer {
            let size = items[*item].size;
            places[*item] = Place { x: xs[*item] - size.width / 2.0, y: y + (height - size.height) / 2.0, size };
        }
        bounds.push((y - STRAIGHT, y + height + STRAIGHT));
        // The farther a line has to go sideways, the more room it gets to do so.
        let aside = ranked.links.iter().filter(|(upper, _)| items[*upper].layer == number);
        let aside = aside.map(|(upper, lower)| (xs[*upper] - xs[*lower]).abs()).fold(0.0, f64::max);
        y += height + (aside * 0.14).clamp(GAP.0, GAP.1);
    }
    bounds
}

/// Where each edge leaves its upper node and reaches its lower one, so that edges of one side are spread over it.
fn ports(items: &[Item], ways: &[Way], places: &[Place]) -> Vec<[f64; 2]> {
    let mut ports: Vec<_> = ways.iter().map(|_| [0.0; 2]).collect();
    let mut sides: Vec<(usize, bool, f64, usize, usize)> = Vec::new();
    for (edge, way) in ways.iter().enumerate() {
        let last = way.items.len() - 1;
        sides.push((way.items[0], false, places[way.items[1]].middle(), edge, 0));
        sides.push((way.items[last], !way.level, places[way.items[last - 1]].middle(), edge, 1));
    }
    sides.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(f64::total_cmp(&a.2, &b.2)));
    for side in sides.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        for (index, (item, _, _, edge, end)) in side.iter().enumerate() {
            let width = items[*item].size.width;
            ports[*edge][*end] = places[*item].x + width * (index + 1) as f64 / (side.len() + 1) as f64;
        }
    }
    ports
}

fn line(way: &Way, ports: [f64; 2], items: &[Item], places: &[Place], bounds: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let last = way.items.len() - 1;
    let (upper, lower) = (way.items[0], way.items[last]);
    let mut points = vec![(ports[0], places[upper].bottom()), (ports[0], bounds[items[upper].layer].1)];
    if way.level {
        let label = places[way.items[1]];
        let first_left = ports[0] <= ports[1];
        for left in [first_left, !first_left] {
            let x = label.x + label.size.width * if left { 1.0 / 3.0 } else { 2.0 / 3.0 };
            let landing = (x, bounds[items[way.items[1]].layer].0);
            // Behind the label.
            let middle = (x, label.y + label.size.height / 2.0);
            points.extend(if left == first_left { [landing, middle] } else { [middle, landing] });
        }
        points.extend([(ports[1], bounds[items[lower].layer].1), (ports[1], places[lower].bottom())]);
        return points;
    }
    for item in &way.items[1..last] {
        let (top, bottom) = bounds[items[*item].layer];
        points.extend([(places[*item].middle(), top), (places[*item].middle(), bottom)]);
    }
    points.extend([(ports[1], bounds[items[lower].layer].0), (ports[1], places[lower].y)]);
    if way.upward {
        points.reverse();
    }
    points
}
