//! Ranks of states, from the top of the picture down.

use std::collections::VecDeque;

/// A move from a state to another one.
#[derive(Clone, Copy, Debug)]
pub struct RankEdge {
    pub from: usize,
    pub to: usize,
    pub legal: bool,
}

/// Returns a rank for each state. The first state is at the top. A legal move leads downward unless it leads back
/// towards the first state; that is decided by the distance in legal moves, and by the protocol's order for states at
/// the same distance. States that are reached only by forbidden moves are below all states that lead to them.
pub fn ranks(states: usize, edges: &[RankEdge]) -> Vec<usize> {
    let distances = distances(states, edges);
    let mut ranks: Vec<_> = distances.iter().map(|distance| distance.unwrap_or_default()).collect();
    let mut sequence: Vec<_> = (0..states).filter(|state| distances[*state].is_some()).collect();
    sequence.sort_by_key(|state| (distances[*state], *state));
    for (position, state) in sequence.iter().enumerate() {
        let before = |edge: &&RankEdge| edge.legal && edge.to == *state && sequence[..position].contains(&edge.from);
        let above = edges.iter().filter(before).map(|edge| ranks[edge.from] + 1).max();
        ranks[*state] = above.unwrap_or(ranks[*state]).max(ranks[*state]);
    }
    // Such states may lead to each other; there are at most as many steps as states.
    let mut known: Vec<_> = distances.iter().map(Option::is_some).collect();
    for _ in 0..states {
        for state in 0..states {
            let above =
                edges.iter().filter(|edge| edge.to == state && known[edge.from]).map(|edge| ranks[edge.from] + 1);
            if let (false, Some(rank)) = (known[state], above.max()) {
                ranks[state] = rank;
                known[state] = true;
            }
        }
    }
    ranks
}

/// Returns the distance of each state from the first one, in legal moves; `None` if it cannot be reached by them.
fn distances(states: usize, edges: &[RankEdge]) -> Vec<Option<usize>> {
    let mut distances = vec![None; states];
    let mut open = VecDeque::new();
    if let Some(first) = distances.first_mut() {
        *first = Some(0);
        open.push_back((0, 0));
    }
    while let Some((from, distance)) = open.pop_front() {
        for edge in edges.iter().filter(|edge| edge.legal && edge.from == from) {
            if distances[edge.to].is_none() {
                distances[edge.to] = Some(distance + 1);
                open.push_back((edge.to, distance + 1));
            }
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::{RankEdge, ranks};

    #[test]
    fn the_way_through_a_lifecycle_leads_downward() {
        // The legal moves are 0 → 1 → 2 → 3 → 0, with a shortcut 1 → 3; 2 → 4 is forbidden.
        let legal = [(0, 1), (1, 2), (2, 3), (3, 0), (1, 3)];
        let mut edges: Vec<_> = legal.into_iter().map(|(from, to)| RankEdge { from, to, legal: true }).collect();
        edges.push(RankEdge { from: 2, to: 4, legal: false });
        assert_eq!(ranks(5, &edges), [0, 1, 2, 3, 3]);
    }

    #[test]
    fn a_state_that_nothing_leads_to_is_at_the_top() {
        assert_eq!(ranks(2, &[]), [0, 0]);
        assert_eq!(ranks(0, &[]), [0; 0]);
    }
}
