//! The usual way through a lifecycle's states: that of the mended example of a rule (`keeps`) that shows the most of the
//! protocol, which takes the most different cells, and of several such the shortest.
//!
//! For a lifecycle that no example moves, and a protocol without examples, it is the way that generated streams take most
//! often.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sessionlint_core::Example;
use sessionlint_core::check::{CoverageCounts, StreamChecker};
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::protocol::Protocol;

use super::sound_states;
use crate::generate::{StreamOptions, legal, tape};

/// The number of generated streams.
const GENERATED: u64 = 64;
/// The number of decisions in each of them.
const DECISIONS: usize = 400;

/// The usual way through each lifecycle of a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsualMoves {
    /// By lifecycle: the states in the order in which they are passed, from the start until one comes again, or until no
    /// move goes further. Empty if nothing moves the lifecycle.
    pub ways: Vec<Vec<usize>>,
}

impl UsualMoves {
    /// Finds the usual way through each lifecycle.
    pub fn of(protocol: &Protocol) -> UsualMoves {
        let lifecycles = 0..protocol.tables().lifecycles.len();
        let plain = |example: &Example| example.args.is_empty().then(|| example.bytes(&example.keeps));
        let examples = protocol.rules().iter().filter_map(|rule| plain(protocol.example(&rule.name)?));
        let mut examples: Vec<_> = counts(protocol, examples).collect();
        examples.sort_by_key(|counts| (Reverse(counts.cells.len()), counts.cells.values().sum::<u64>()));
        let of_examples =
            |number: usize| examples.iter().map(|counts| way(protocol, number, counts)).find(|way| !way.is_empty());
        let mut ways: Vec<_> = lifecycles.map(|number| of_examples(number).unwrap_or_default()).collect();
        if ways.iter().any(Vec::is_empty) {
            let options = StreamOptions { turns: 2, ..StreamOptions::default() };
            let streams = (0..GENERATED).map(|seed| legal(protocol, &options, &tape(seed, DECISIONS)).ndjson());
            let mut generated = CoverageCounts::new(protocol.tables());
            counts(protocol, streams).for_each(|counts| generated.add(&counts));
            for (number, known) in ways.iter_mut().enumerate().filter(|(_, known)| known.is_empty()) {
                *known = way(protocol, number, &generated);
            }
        }
        UsualMoves { ways }
    }
}

/// Counts the cells that each stream takes. A stream with findings is left out.
fn counts(protocol: &Protocol, streams: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = Box<CoverageCounts>> {
    let settings = Settings::new(protocol, Options::default().with_excerpts(false));
    streams.filter_map(move |stream| {
        let mut checker = StreamChecker::new(protocol, &settings, None);
        checker.count_coverage();
        checker.feed(&stream);
        let (report, exercised) = checker.end(None);
        exercised.filter(|_| report.findings.is_empty())
    })
}

/// Follows the move that was taken most often from each state.
fn way(protocol: &Protocol, number: usize, counts: &CoverageCounts) -> Vec<usize> {
    let lifecycle = &protocol.tables().lifecycles[number];
    let sound = sound_states(lifecycle);
    let mut taken: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for (cell, count) in counts.cells.iter().filter(|(cell, _)| cell.lifecycle == number) {
        let Some((event, row)) = cell.row else { continue };
        let written = lifecycle.rows[event].iter().find(|written| written.number == row);
        let Some(to) = written.map(|row| row.cells[cell.state]).filter(|to| to.rule.is_none()) else { continue };
        let to = usize::from(to.to);
        if to != cell.state && sound.contains(&to) && sound.contains(&cell.state) {
            *taken.entry((cell.state, to)).or_default() += count;
        }
    }
    let mut way = vec![0];
    while let Some(from) = way.last().copied() {
        let moves = taken.iter().filter(|((start, _), _)| *start == from);
        let Some(((_, to), _)) = moves.max_by_key(|((_, to), count)| (**count, Reverse(*to))) else { break };
        let again = way.contains(to);
        way.push(*to);
        if again {
            break;
        }
    }
    if way.len() > 1 { way } else { Vec::new() }
}
