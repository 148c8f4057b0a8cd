//! The order of items in their layers, and their x coordinates.

use super::Item;
use super::ItemKind;

/// Number of sweeps that improve the order; for the coordinates, three times as many.
const SWEEPS: usize = 24;
/// Maximum number of items in a picture for which swaps of neighbours are tried, to stay quick.
const MOST_TO_SWAP: usize = 400;

/// The items of each layer in order, and their links.
pub struct Layering {
    pub layers: Vec<Vec<usize>>,
    /// Pairs of an item and one of the layer below.
    pub links: Vec<(usize, usize)>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

/// Orders the items of each layer so that few links cross.
pub fn order_layers(items: &[Item], layers: usize, links: Vec<(usize, usize)>) -> Layering {
    let mut layering = Layering {
        layers: vec![Vec::new(); layers],
        links,
        above: vec![Vec::new(); items.len()],
        below: vec![Vec::new(); items.len()],
    };
    for (index, item) in items.iter().enumerate() {
        layering.layers[item.layer].push(index);
    }
    for (upper, lower) in &layering.links {
        layering.below[*upper].push(*lower);
        layering.above[*lower].push(*upper);
    }
    let mut best = (layering.crossings(items.len()), layering.layers.clone());
    for sweep in 0..SWEEPS {
        let downward = sweep % 2 == 0;
        for step in 0..layers {
            layering.sort_by_links(if downward { step } else { layers - 1 - step }, downward, items.len());
        }
        if items.len() <= MOST_TO_SWAP {
            layering.swap_neighbours(items.len());
        }
        let crossings = layering.crossings(items.len());
        if crossings < best.0 {
            best = (crossings, layering.layers.clone());
        }
    }
    layering.layers = best.1;
    layering
}

impl Layering {
    /// Returns the position of each item in its layer.
    fn positions(&self, items: usize) -> Vec<usize> {
        let mut positions = vec![0; items];
        for layer in &self.layers {
            for (position, item) in layer.iter().enumerate() {
                positions[*item] = position;
            }
        }
        positions
    }

    /// Sorts a layer by the mean position of the items that each item is linked to in the layer above, or below in an
    /// upward sweep.
    fn sort_by_links(&mut self, layer: usize, downward: bool, items: usize) {
        let positions = self.positions(items);
        let neighbours = if downward { &self.above } else { &self.below };
        let mean = |item: usize| {
            let near = &neighbours[item];
            let sum: usize = near.iter().map(|other| positions[*other]).sum();
            if near.is_empty() { positions[item] as f64 } else { sum as f64 / near.len() as f64 }
        };
        self.layers[layer].sort_by(|a, b| f64::total_cmp(&mean(*a), &mean(*b)));
    }

    /// Swaps neighbours in a layer wherever that makes fewer links cross.
    fn swap_neighbours(&mut self, items: usize) {
        let mut positions = self.positions(items);
        for layer in &mut self.layers {
            for _ in 0..layer.len() {
                let mut swapped = false;
                for left in 1..layer.len() {
                    let (a, b) = (layer[left - 1], layer[left]);
                    let crossed = |a: usize, b: usize| {
                        let pairs = |near: &[Vec<usize>]| {
                            let of_a = near[a].iter().map(|item| positions[*item]);
                            let crosses = |at: usize| near[b].iter().filter(|item| positions[**item] < at).count();
                            of_a.map(crosses).sum::<usize>()
                        };
                        pairs(&self.above) + pairs(&self.below)
                    };
                    if crossed(b, a) < crossed(a, b) {
                        layer.swap(left - 1, left);
                        (positions[a], positions[b]) = (left, left - 1);
                        swapped = true;
                    }
                }
                if !swapped {
                    break;
                }
            }
        }
    }

    /// Returns the number of pairs of links that cross.
    fn crossings(&self, items: usize) -> usize {
        let positions = self.positions(items);
        let mut crossings = 0;
        for layer in &self.layers {
            // The lower ends, in the order of the upper ends; each pair in the wrong order is a crossing.
            let mut lower: Vec<usize> = Vec::new();
            for item in layer {
                let mut ends: Vec<_> = self.below[*item].iter().map(|end| positions[*end]).collect();
                ends.sort_unstable();
                for end in &ends {
                    crossings += lower.len() - lower.partition_point(|seen| seen <= end);
                }
                for end in ends {
                    let at = lower.partition_point(|seen| *seen <= end);
                    lower.insert(at, end);
                }
            }
        }
        crossings
    }
}

/// Returns the x coordinate of each item's middle: as close to the middles of its linked items as the order allows.
pub fn coordinates(items: &[Item], layering: &Layering, apart: f64) -> Vec<f64> {
    let mut xs = vec![0.0; items.len()];
    for layer in &layering.layers {
        let offsets = offsets(items, layer, apart);
        let middle = offsets.last().copied().unwrap_or_default() / 2.0;
        for (item, offset) in layer.iter().zip(&offsets) {
            xs[*item] = offset - middle;
        }
    }
    for sweep in 0..3 * SWEEPS {
        let layers = layering.layers.len();
        for step in 0..layers {
            let layer = &layering.layers[if sweep % 2 == 0 { step } else { layers - 1 - step }];
            let wanted: Vec<_> = layer.iter().map(|item| wanted(items, layering, &xs, *item)).collect();
            settle(layer, &wanted, &offsets(items, layer, apart), &mut xs);
        }
    }
    let left = |(item, x): (&Item, &f64)| x - item.size.width / 2.0;
    let leftmost = items.iter().zip(&xs).map(left).fold(f64::INFINITY, f64::min);
    if leftmost.is_finite() {
        xs.iter_mut().for_each(|x| *x = (*x - leftmost).round());
    }
    xs
}

/// Returns the minimum distance of each item of a layer from the first one.
fn offsets(items: &[Item], layer: &[usize], apart: f64) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(layer.len());
    let mut at = 0.0;
    for (position, item) in layer.iter().enumerate() {
        if position > 0 {
            let before = &items[layer[position - 1]];
            // Rounding moves each item by at most a half.
            at += before.size.width / 2.0 + before.beside + apart + items[*item].size.width / 2.0 + 1.0;
        }
        offsets.push(at);
    }
    offsets
}

/// Returns the coordinate that would be best for an item, and its weight.
fn wanted(items: &[Item], layering: &Layering, xs: &[f64], item: usize) -> (f64, f64) {
    let straight = |item: usize| match items[item].kind {
        ItemKind::Node(_) => 1.0,
        ItemKind::Label(_) => 2.0,
        ItemKind::Bend(_) => 6.0,
    };
    let near = layering.above[item].iter().chain(&layering.below[item]);
    let (sum, weight) = near.fold((0.0, 0.0), |(sum, weight), other| {
        let pull = straight(item) * straight(*other) * items[item].pull * items[*other].pull;
        (sum + pull * xs[*other], weight + pull)
    });
    if weight > 0.0 { (sum / weight, weight) } else { (xs[item], 1.0) }
}

/// Places the items of a layer with the least squares of distances to the wanted coordinates, keeping their order and
/// minimum distances: items that would overlap are moved as one block.
fn settle(layer: &[usize], wanted: &[(f64, f64)], offsets: &[f64], xs: &mut [f64]) {
    // Blocks of items: mean of the wanted coordinates less the offsets, weight, and number of items.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((x, weight), offset) in wanted.iter().zip(offsets) {
        let mut block = (x - offset, *weight, 1);
        while let Some((mean, heavy, count)) = blocks.pop() {
            if mean <= block.0 {
                blocks.push((mean, heavy, count));
                break;
            }
            let all = heavy + block.1;
            block = ((mean * heavy + block.0 * block.1) / all, all, count + block.2);
        }
        blocks.push(block);
    }
    let mut position = 0;
    for (mean, _, count) in blocks {
        for _ in 0..count {
            xs[layer[position]] = mean + offsets[position];
            position += 1;
        }
    }
}
