//! A failing case → the least input that fails in the same way, and how often it does.
//!
//! First by the tree that the input was made by, which `proptest` makes simpler, then by leaving out parts of what that
//! gave. Both are bounded in how often the producer is asked, and more so in how often it hangs.

use std::collections::HashMap;
use std::hash::BuildHasher;

use sessionlint_core::finding::Kind;

use super::inputs::Inputs;
use super::judge::Judge;
use super::producer::{Ending, Played, Producer, Stop};
use super::reduce::{Spent, reduce};

/// How often the producer is asked for one failure, and how often it may hang meanwhile.
const MOST_PLAYS: u64 = 1000;
const MOST_HUNG: u64 = 30;
/// How much of both is the tree's; how many simpler values are looked at, which may be the same input.
const MOST_PLAYS_OF_TREE: u64 = 300;
const MOST_HUNG_OF_TREE: u64 = 6;
const MOST_TRIES_OF_TREE: u64 = 5000;
/// How many inputs are looked at in all: most were tried before.
const MOST_TRIES: u64 = 100_000;
/// How often an input is played again: at first until it fails again, in the end each time.
const MOST_AGAIN: u32 = 3;

/// How often an input failed of the times it was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub failed: u32,
    pub played: u32,
}

impl Times {
    /// Whether it fails each time, as far as one knows.
    pub fn is_always(self) -> bool {
        self.failed == self.played
    }
}

/// The least that was found.
#[derive(Debug)]
pub struct Least {
    pub input: Vec<u8>,
    /// What the producer answered to it; none: it did not fail again.
    pub played: Option<Played>,
    pub times: Times,
    /// How often the producer was asked.
    pub plays: u64,
}

/// What plays cases and judges them.
#[derive(Clone, Copy)]
pub struct Bench<'b> {
    pub producer: &'b dyn Producer,
    pub judge: &'b Judge<'b>,
    pub stop: &'b Stop,
}

impl Bench<'_> {
    /// Plays an input; what came of it if it fails in this way.
    pub fn fails_by(&self, kind: &Kind, input: &[u8]) -> Result<Option<Played>, Spent> {
        let played = self.producer.play(input, self.stop).map_err(|_| Spent)?;
        if self.stop.is_said() || played.end == Ending::Stopped {
            return Err(Spent);
        }
        Ok(self.judge.fails_by(kind, &played).then_some(played))
    }
}

/// Looks for the least input that fails in this way. `input` is what failed first, the one of this number.
pub fn shrink(bench: Bench<'_>, kind: &Kind, inputs: &Inputs, number: u64, input: &[u8]) -> Least {
    let once = Times { failed: 1, played: 1 };
    let (times, again) = self::again(bench, kind, input, once, Times::is_always);
    let mut plays = u64::from(times.played - once.played);
    if !times.is_always() {
        return Least { input: input.to_vec(), played: again, times, plays };
    }
    let mut shrinking = Shrinking::new(bench, kind, inputs, input);
    let done = shrinking.by_tree(number).and_then(|()| {
        let start = shrinking.least.clone();
        reduce(&start, inputs.are_lined(), &mut |input| shrinking.fails(input))
    });
    plays += shrinking.plays;
    let Shrinking { least, played, .. } = shrinking;
    let found = Least { input: least, played: played.or(again), times, plays };
    if done == Err(Spent) && bench.stop.is_said() {
        return found;
    }
    // Whether it fails each time is what a person asks next.
    let so_far = if found.input == input { times } else { once };
    let (times, again) = self::again(bench, kind, &found.input, so_far, |_| false);
    let plays = plays + u64::from(times.played - so_far.played);
    Least { played: again.or(found.played), times, plays, input: found.input }
}

/// Plays an input a few times more, until that is enough: how often it failed, and what was answered when it last did.
fn again(
    bench: Bench<'_>,
    kind: &Kind,
    input: &[u8],
    so_far: Times,
    is_enough: fn(Times) -> bool,
) -> (Times, Option<Played>) {
    let (mut times, mut played) = (so_far, None);
    for _ in 0..MOST_AGAIN {
        let Ok(failed) = bench.fails_by(kind, input) else { break };
        times.played += 1;
        times.failed += u32::from(failed.is_some());
        played = failed.or(played);
        if is_enough(times) {
            break;
        }
    }
    (times, played)
}

struct Shrinking<'s> {
    bench: Bench<'s>,
    kind: &'s Kind,
    inputs: &'s Inputs,
    /// What was tried, by hash, and whether it failed.
    tried: HashMap<u64, bool>,
    tries: u64,
    plays: u64,
    hung: u64,
    /// What failed last, and what was answered.
    least: Vec<u8>,
    played: Option<Played>,
}

impl<'s> Shrinking<'s> {
    fn new(bench: Bench<'s>, kind: &'s Kind, inputs: &'s Inputs, first: &[u8]) -> Shrinking<'s> {
        let mut shrinking = Shrinking {
            bench,
            kind,
            inputs,
            tried: HashMap::new(),
            tries: 0,
            plays: 0,
            hung: 0,
            least: first.to_vec(),
            played: None,
        };
        shrinking.tried.insert(hash(first), true);
        shrinking
    }

    /// Whether an input fails; it becomes the least if so.
    fn fails(&mut self, input: &[u8]) -> Result<bool, Spent> {
        self.tries += 1;
        let key = hash(input);
        if let Some(failed) = self.tried.get(&key).copied() {
            if failed {
                self.least = input.to_vec();
            }
            return if self.tries < MOST_TRIES { Ok(failed) } else { Err(Spent) };
        }
        if self.bench.stop.is_said() || self.plays >= MOST_PLAYS || self.hung >= MOST_HUNG || self.tries >= MOST_TRIES {
            return Err(Spent);
        }
        if !self.inputs.allows(input) {
            return Ok(false);
        }
        self.plays += 1;
        let played = self.bench.fails_by(self.kind, input)?;
        self.tried.insert(key, played.is_some());
        let Some(played) = played else { return Ok(false) };
        self.hung += u64::from(matches!(played.end, Ending::Hung(_)));
        (self.least, self.played) = (input.to_vec(), Some(played));
        Ok(true)
    }

    /// Makes it simpler as it was made.
    fn by_tree(&mut self, number: u64) -> Result<(), Spent> {
        let Some(mut tree) = self.inputs.tree(number) else { return Ok(()) };
        let mut goes_on = tree.simplify();
        while goes_on {
            let is_spent = self.plays >= MOST_PLAYS_OF_TREE || self.hung >= MOST_HUNG_OF_TREE;
            if is_spent || self.tries >= MOST_TRIES_OF_TREE {
                break;
            }
            goes_on = if self.fails(&tree.current())? { tree.simplify() } else { tree.complicate() };
        }
        Ok(())
    }
}

/// Made of what is the same in each run, so that runs are too.
fn hash(input: &[u8]) -> u64 {
    foldhash::fast::FixedState::with_seed(0).hash_one(input)
}
