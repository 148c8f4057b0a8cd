//! A failing case → the least input that fails in the same way, and how often it does.
//!
//! First by the tree that the input was made by, which `proptest` makes simpler, then by leaving out parts of what that
//! gave. Both are bounded in how often the producer is asked, and more so in how often it hangs.

use std::collections::HashMap;
use std::hash::BuildHasher;

use sessionlint_core::finding::Kind;

use super::inputs::Inputs;
use super::producer::{Ending, Execution, Producer, StopFlag};
use super::reduce::{BudgetSpent, reduce};
use super::verdict::Judge;

/// How often the producer is asked for one failure, and how often it may hang meanwhile.
const MAX_RUNS: u64 = 1000;
const MAX_HANGS: u64 = 30;
/// How much of both is the tree's; how many simpler values are looked at, which may be the same input.
const MAX_RUNS_OF_TREE: u64 = 300;
const MAX_HANGS_OF_TREE: u64 = 6;
const MAX_TRIES_OF_TREE: u64 = 5000;
/// How many inputs are looked at in all: most were tried before.
const MAX_TRIES: u64 = 100_000;
/// How often an input is played again: at first until it fails again, in the end each time.
const MAX_RERUNS: u32 = 3;

/// How often an input failed of the times it was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureRate {
    pub failed: u32,
    pub runs: u32,
}

impl FailureRate {
    /// Whether it fails each time, as far as one knows.
    pub fn is_always(self) -> bool {
        self.failed == self.runs
    }
}

/// The least that was found.
#[derive(Debug)]
pub struct ShrinkResult {
    pub input: Vec<u8>,
    /// What the producer answered to it; none: it did not fail again.
    pub execution: Option<Execution>,
    pub times: FailureRate,
    /// How often the producer was asked.
    pub runs: u64,
}

/// What plays cases and judges them.
#[derive(Clone, Copy)]
pub struct Harness<'b> {
    pub producer: &'b dyn Producer,
    pub judge: &'b Judge<'b>,
    pub stop: &'b StopFlag,
}

impl Harness<'_> {
    /// Plays an input; what came of it if it fails in this way.
    pub fn fails_with(&self, kind: &Kind, input: &[u8]) -> Result<Option<Execution>, BudgetSpent> {
        let execution = self.producer.run(input, self.stop).map_err(|_| BudgetSpent)?;
        if self.stop.is_set() || execution.end == Ending::Stopped {
            return Err(BudgetSpent);
        }
        Ok(self.judge.fails_with(kind, &execution).then_some(execution))
    }
}

/// Looks for the least input that fails in this way. `input` is what failed first, the one of this number.
pub fn shrink(harness: Harness<'_>, kind: &Kind, inputs: &Inputs, number: u64, input: &[u8]) -> ShrinkResult {
    let once = FailureRate { failed: 1, runs: 1 };
    let (times, again) = self::rerun(harness, kind, input, once, FailureRate::is_always);
    let mut runs = u64::from(times.runs - once.runs);
    if !times.is_always() {
        return ShrinkResult { input: input.to_vec(), execution: again, times, runs };
    }
    let mut shrinking = Shrinker::new(harness, kind, inputs, input);
    let done = shrinking.simplify_tree(number).and_then(|()| {
        let start = shrinking.least.clone();
        reduce(&start, inputs.has_fixed_lines(), &mut |input| shrinking.fails(input))
    });
    runs += shrinking.runs;
    let Shrinker { least, execution, .. } = shrinking;
    let found = ShrinkResult { input: least, execution: execution.or(again), times, runs };
    if done == Err(BudgetSpent) && harness.stop.is_set() {
        return found;
    }
    // Whether it fails each time is what a person asks next.
    let so_far = if found.input == input { times } else { once };
    let (times, again) = self::rerun(harness, kind, &found.input, so_far, |_| false);
    let runs = runs + u64::from(times.runs - so_far.runs);
    ShrinkResult { execution: again.or(found.execution), times, runs, input: found.input }
}

/// Plays an input a few times more, until that is enough: how often it failed, and what was answered when it last did.
fn rerun(
    harness: Harness<'_>,
    kind: &Kind,
    input: &[u8],
    so_far: FailureRate,
    is_enough: fn(FailureRate) -> bool,
) -> (FailureRate, Option<Execution>) {
    let (mut times, mut execution) = (so_far, None);
    for _ in 0..MAX_RERUNS {
        let Ok(failed) = harness.fails_with(kind, input) else { break };
        times.runs += 1;
        times.failed += u32::from(failed.is_some());
        execution = failed.or(execution);
        if is_enough(times) {
            break;
        }
    }
    (times, execution)
}

struct Shrinker<'s> {
    harness: Harness<'s>,
    kind: &'s Kind,
    inputs: &'s Inputs,
    /// What was tried, by hash, and whether it failed.
    tried: HashMap<u64, bool>,
    tries: u64,
    runs: u64,
    hangs: u64,
    /// What failed last, and what was answered.
    least: Vec<u8>,
    execution: Option<Execution>,
}

impl<'s> Shrinker<'s> {
    fn new(harness: Harness<'s>, kind: &'s Kind, inputs: &'s Inputs, first: &[u8]) -> Shrinker<'s> {
        let mut shrinking = Shrinker {
            harness,
            kind,
            inputs,
            tried: HashMap::new(),
            tries: 0,
            runs: 0,
            hangs: 0,
            least: first.to_vec(),
            execution: None,
        };
        shrinking.tried.insert(hash(first), true);
        shrinking
    }

    /// Whether an input fails; it becomes the least if so.
    fn fails(&mut self, input: &[u8]) -> Result<bool, BudgetSpent> {
        self.tries += 1;
        let key = hash(input);
        if let Some(failed) = self.tried.get(&key).copied() {
            if failed {
                self.least = input.to_vec();
            }
            return if self.tries < MAX_TRIES { Ok(failed) } else { Err(BudgetSpent) };
        }
        if self.harness.stop.is_set() || self.runs >= MAX_RUNS || self.hangs >= MAX_HANGS || self.tries >= MAX_TRIES {
            return Err(BudgetSpent);
        }
        if !self.inputs.allows(input) {
            return Ok(false);
        }
        self.runs += 1;
        let execution = self.harness.fails_with(self.kind, input)?;
        self.tried.insert(key, execution.is_some());
        let Some(execution) = execution else { return Ok(false) };
        self.hangs += u64::from(matches!(execution.end, Ending::Hung(_)));
        (self.least, self.execution) = (input.to_vec(), Some(execution));
        Ok(true)
    }

    /// Makes it simpler as it was made.
    fn simplify_tree(&mut self, number: u64) -> Result<(), BudgetSpent> {
        let Some(mut tree) = self.inputs.tree(number) else { return Ok(()) };
        let mut goes_on = tree.simplify();
        while goes_on {
            let is_spent = self.runs >= MAX_RUNS_OF_TREE || self.hangs >= MAX_HANGS_OF_TREE;
            if is_spent || self.tries >= MAX_TRIES_OF_TREE {
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
