//! Ranks: how far down a state stands.

use std::collections::VecDeque;

/// A move from a state to another one.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    pub from: usize,
    pub to: usize,
    pub legal: bool,
}

/// A rank for each state. The first state is at the top; a legal move leads downward unless it leads back towards the
/// first state, which the distance by legal moves decides, and the protocol's own order among states as far away.
/// States that only a rule leads to are below all that lead to them.
pub fn ranks(states: usize, arcs: &[Arc]) -> Vec<usize> {
    let distances = distances(states, arcs);
    let mut ranks: Vec<_> = distances.iter().map(|distance| distance.unwrap_or_default()).collect();
    let mut sequence: Vec<_> = (0..states).filter(|state| distances[*state].is_some()).collect();
    sequence.sort_by_key(|state| (distances[*state], *state));
    for (position, state) in sequence.iter().enumerate() {
        let before = |arc: &&Arc| arc.legal && arc.to == *state && sequence[..position].contains(&arc.from);
        let above = arcs.iter().filter(before).map(|arc| ranks[arc.from] + 1).max();
        ranks[*state] = above.unwrap_or(ranks[*state]).max(ranks[*state]);
    }
    // One of them may lead to another; there are no more such steps than states.
    let mut known: Vec<_> = distances.iter().map(Option::is_some).collect();
    for _ in 0..states {
        for state in 0..states {
            let above = arcs.iter().filter(|arc| arc.to == state && known[arc.from]).map(|arc| ranks[arc.from] + 1);
            if let (false, Some(rank)) = (known[state], above.max()) {
                ranks[state] = rank;
                known[state] = true;
            }
        }
    }
    ranks
}

/// The fewest legal moves from the first state; none where none lead.
fn distances(states: usize, arcs: &[Arc]) -> Vec<Option<usize>> {
    let mut distances = vec![None; states];
    let mut open = VecDeque::new();
    if let Some(first) = distances.first_mut() {
        *first = Some(0);
        open.push_back((0, 0));
    }
    while let Some((from, distance)) = open.pop_front() {
        for arc in arcs.iter().filter(|arc| arc.legal && arc.from == from) {
            if distances[arc.to].is_none() {
                distances[arc.to] = Some(distance + 1);
                open.push_back((arc.to, distance + 1));
            }
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::{Arc, ranks};

    #[test]
    fn the_way_through_a_lifecycle_leads_downward() {
        // 0 → 1 → 2 → 3 → 0, with a short cut 1 → 3 and a forbidden 2 → 4.
        let legal = [(0, 1), (1, 2), (2, 3), (3, 0), (1, 3)];
        let mut arcs: Vec<_> = legal.into_iter().map(|(from, to)| Arc { from, to, legal: true }).collect();
        arcs.push(Arc { from: 2, to: 4, legal: false });
        assert_eq!(ranks(5, &arcs), [0, 1, 2, 3, 3]);
    }

    #[test]
    fn a_state_that_nothing_leads_to_is_at_the_top() {
        assert_eq!(ranks(2, &[]), [0, 0]);
        assert_eq!(ranks(0, &[]), [0; 0]);
    }
}
