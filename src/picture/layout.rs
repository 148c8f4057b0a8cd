//! A layered layout: the positions of boxes, labels and lines.
//!
//! Every rank of nodes is a layer, and between two ranks is a layer of labels. A line that crosses a layer has a place
//! of its own there, and lines bend only in the gaps between layers; so no two boxes or labels overlap, and no line
//! crosses one. The same input always gives the same layout.

mod order;
mod ranks;

use order::Layering;
pub use ranks::{RankEdge, ranks};

/// Distance between neighbours in a layer.
const APART: f64 = 18.0;
/// Minimum and maximum distance between a layer and the next.
const GAP: (f64, f64) = (38.0, 74.0);
/// Length for which a line is straight above and below a layer, so that its arrow points at the box.
const STRAIGHT: f64 = 10.0;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

/// A rectangle, by its upper left corner and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub size: Size,
}

impl Rect {
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

/// The box of a node in a rank.
#[derive(Clone, Copy, Debug)]
pub struct NodeShape {
    pub rank: usize,
    pub size: Size,
    /// Width of the space to the right of the box, for loops and their labels.
    pub beside: f64,
}

/// A line between two different nodes, with its label.
#[derive(Clone, Copy, Debug)]
pub struct EdgeShape {
    pub from: usize,
    pub to: usize,
    pub label: Size,
    /// Weight of this edge against others when edges are made short.
    pub pull: f64,
}

/// The positions of everything in a picture.
#[derive(Debug)]
pub struct Layout {
    pub nodes: Vec<Rect>,
    pub labels: Vec<Rect>,
    /// By edge, the points that its line goes through. The line is straight from an even point to the next, and curved
    /// from an odd one to the next, with vertical tangents at both.
    pub lines: Vec<Vec<(f64, f64)>>,
    pub size: Size,
}

/// The kind of an item in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Node(usize),
    Label(usize),
    /// The place where the line of an edge crosses the layer.
    Bend(usize),
}

/// Something that takes space in a layer.

#[derive(Clone, Copy, Debug)]
pub struct Item {
    kind: ItemKind,
    layer: usize,
    size: Size,
    beside: f64,
    pull: f64,
}

/// The items that an edge goes through, from the upper end to the lower one. An edge between nodes of one rank goes down
/// to its label and up again.
struct Route {
    items: Vec<usize>,
    /// Whether the arrow points up.
    upward: bool,
    /// Whether both nodes are in one rank.
    level: bool,
}

/// Computes the layout of nodes and edges.
pub fn layout(nodes: &[NodeShape], edges: &[EdgeShape]) -> Layout {
    let (items, routes, links) = items(nodes, edges);
    let layers = items.iter().map(|item| item.layer + 1).max().unwrap_or_default();
    let layering = order::order_layers(&items, layers, links);
    let xs = order::coordinates(&items, &layering, APART);
    let mut places = vec![Rect { x: 0.0, y: 0.0, size: Size::default() }; items.len()];
    let bounds = rows(&items, &layering, &xs, &mut places);
    let ports = ports(&items, &routes, &places);
    let lines = routes.iter().zip(&ports).map(|(route, ports)| line(route, *ports, &items, &places, &bounds)).collect();
    let of = |wanted: fn(usize) -> ItemKind, count: usize| -> Vec<Rect> {
        let mut found = vec![Rect { x: 0.0, y: 0.0, size: Size::default() }; count];
        for (item, place) in items.iter().zip(&places) {
            let (ItemKind::Node(index) | ItemKind::Label(index) | ItemKind::Bend(index)) = item.kind;
            if item.kind == wanted(index) {
                found[index] = *place;
            }
        }
        found
    };
    let width = items.iter().zip(&places).map(|(item, place)| place.right() + item.beside).fold(0.0, f64::max);
    let height = bounds.last().map_or(0.0, |(_, bottom)| bottom - STRAIGHT);
    let (nodes, labels) = (of(ItemKind::Node, nodes.len()), of(ItemKind::Label, edges.len()));
    Layout { nodes, labels, lines, size: Size { width, height } }
}

/// Returns the items of all layers, the routes of edges, and the links between items, upper one first. Rank `r` is layer
/// `2r`, and labels are in odd layers.
fn items(nodes: &[NodeShape], edges: &[EdgeShape]) -> (Vec<Item>, Vec<Route>, Vec<(usize, usize)>) {
    let node = |(index, node): (usize, &NodeShape)| Item {
        kind: ItemKind::Node(index),
        layer: 2 * node.rank,
        size: node.size,
        beside: node.beside,
        pull: 1.0,
    };
    let mut items: Vec<_> = nodes.iter().enumerate().map(node).collect();
    let mut routes: Vec<Option<Route>> = edges.iter().map(|_| None).collect();
    let mut links = Vec::new();
    let mut widths = vec![0.0; 2 * nodes.iter().map(|node| node.rank + 1).max().unwrap_or_default()];
    // The label of a short edge can only be in one layer; labels of long edges then take the layer with the most room.
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
        let mut route = vec![upper];
        for layer in layers {
            route.push(items.len());
            let (kind, size) = if layer == labelled {
                (ItemKind::Label(index), edge.label)
            } else {
                (ItemKind::Bend(index), Size::default())
            };
            items.push(Item { kind, layer, size, beside: 0.0, pull: edge.pull });
        }
        route.push(lower);
        for (step, pair) in route.windows(2).enumerate() {
            let last = level && step == 1;
            links.push(if last { (pair[1], pair[0]) } else { (pair[0], pair[1]) });
        }
        routes[index] = Some(Route { items: route, upward, level });
    }
    (items, routes.into_iter().flatten().collect(), links)
}

/// Sets the positions of items from the heights of the layers, and returns the top and bottom of each layer.
fn rows(items: &[Item], layering: &Layering, xs: &[f64], places: &mut [Rect]) -> Vec<(f64, f64)> {
    let mut y = 0.0;
    let mut bounds = Vec::new();
    for (number, layer) in layering.layers.iter().enumerate() {
        let height = layer.iter().map(|item| items[*item].size.height).fold(0.0, f64::max);
        for item in layer {
            let size = items[*item].size;
            places[*item] = Rect { x: xs[*item] - size.width / 2.0, y: y + (height - size.height) / 2.0, size };
        }
        bounds.push((y - STRAIGHT, y + height + STRAIGHT));
        // The farther a line has to go sideways, the larger the gap.
        let aside = layering.links.iter().filter(|(upper, _)| items[*upper].layer == number);
        let aside = aside.map(|(upper, lower)| (xs[*upper] - xs[*lower]).abs()).fold(0.0, f64::max);
        y += height + (aside * 0.14).clamp(GAP.0, GAP.1);
    }
    bounds
}

/// Returns the x coordinates at which each edge meets its upper and its lower node; edges at one side of a node are
/// spread over that side.
fn ports(items: &[Item], routes: &[Route], places: &[Rect]) -> Vec<[f64; 2]> {
    let mut ports: Vec<_> = routes.iter().map(|_| [0.0; 2]).collect();
    let mut sides: Vec<(usize, bool, f64, usize, usize)> = Vec::new();
    for (edge, route) in routes.iter().enumerate() {
        let last = route.items.len() - 1;
        sides.push((route.items[0], false, places[route.items[1]].middle(), edge, 0));
        sides.push((route.items[last], !route.level, places[route.items[last - 1]].middle(), edge, 1));
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

/// Returns the points of an edge's line.
fn line(route: &Route, ports: [f64; 2], items: &[Item], places: &[Rect], bounds: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let last = route.items.len() - 1;
    let (upper, lower) = (route.items[0], route.items[last]);
    let mut points = vec![(ports[0], places[upper].bottom()), (ports[0], bounds[items[upper].layer].1)];
    if route.level {
        let label = places[route.items[1]];
        let first_left = ports[0] <= ports[1];
        for left in [first_left, !first_left] {
            let x = label.x + label.size.width * if left { 1.0 / 3.0 } else { 2.0 / 3.0 };
            let landing = (x, bounds[items[route.items[1]].layer].0);
            // This point is hidden by the label.
            let middle = (x, label.y + label.size.height / 2.0);
            points.extend(if left == first_left { [landing, middle] } else { [middle, landing] });
        }
        points.extend([(ports[1], bounds[items[lower].layer].1), (ports[1], places[lower].bottom())]);
        return points;
    }
    for item in &route.items[1..last] {
        let (top, bottom) = bounds[items[*item].layer];
        points.extend([(places[*item].middle(), top), (places[*item].middle(), bottom)]);
    }
    points.extend([(ports[1], bounds[items[lower].layer].0), (ports[1], places[lower].y)]);
    if route.upward {
        points.reverse();
    }
    points
}
