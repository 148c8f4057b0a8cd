//! A failing case → the smallest input with the same kind of failure, and how often it fails.
//!
//! The input is first simplified by its `proptest` value tree, and then by leaving out parts of the result. In both,
//! the number of runs is bounded, and more tightly the number of runs that hang.

use std::collections::HashMap;
use std::hash::BuildHasher;

use sessionlint_core::finding::FindingKind;

use super::inputs::Inputs;
use super::producer::{Ending, Execution, Producer, StopFlag};
use super::reduce::{BudgetSpent, reduce};
use super::verdict::Judge;

/// The number of runs to shrink one failure, and the number of them that may hang.
const MAX_RUNS: u64 = 1000;
const MAX_HANGS: u64 = 30;
/// The share of both for the value tree, and the number of its values that are looked at, some of which are the same
/// input.
const MAX_RUNS_OF_TREE: u64 = 300;
const MAX_HANGS_OF_TREE: u64 = 6;
const MAX_TRIES_OF_TREE: u64 = 5000;
/// The number of inputs that are looked at in all, most of which have been run before.
const MAX_TRIES: u64 = 100_000;
/// The number of times that an input is run again: before shrinking until it fails again, after shrinking every time.
const MAX_RERUNS: u32 = 3;

/// Number of runs of an input, and of those that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureRate {
    pub failed: u32,
    pub runs: u32,
}

impl FailureRate {
    /// Returns `true` if every run so far has failed.
    pub fn is_always(self) -> bool {
        self.failed == self.runs
    }
}

/// The result of shrinking a failure.
#[derive(Debug)]
pub struct ShrinkResult {
    pub input: Vec<u8>,
    /// The last failing execution of the input; `None` if it did not fail again.
    pub execution: Option<Execution>,
    pub times: FailureRate,
    /// Number of times that the producer was run.
    pub runs: u64,
}

/// Runs inputs and judges them.
#[derive(Clone, Copy)]
pub struct Harness<'b> {
    pub producer: &'b dyn Producer,
    pub judge: &'b Judge<'b>,
    pub stop: &'b StopFlag,
}

impl Harness<'_> {
    /// Runs an input, and returns the execution if it has a failure of this kind.
    pub fn fails_with(&self, kind: &FindingKind, input: &[u8]) -> Result<Option<Execution>, BudgetSpent> {
        let execution = self.producer.run(input, self.stop).map_err(|_| BudgetSpent)?;
        if self.stop.is_set() || execution.end == Ending::Stopped {
            return Err(BudgetSpent);
        }
        let fails = self.judge.fails_with(kind, &execution, self.stop).ok_or(BudgetSpent)?;
        Ok(fails.then_some(execution))
    }
}

/// Searches for the smallest input with a failure of this kind. `input` is the one that failed first, and `number` is
/// its number.
pub fn shrink(harness: Harness<'_>, kind: &FindingKind, inputs: &Inputs, number: u64, input: &[u8]) -> ShrinkResult {
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
    // The next question of the reader is whether it fails every time.
    let so_far = if found.input == input { times } else { once };
    let (times, again) = self::rerun(harness, kind, &found.input, so_far, |_| false);
    let runs = runs + u64::from(times.runs - so_far.runs);
    ShrinkResult { execution: again.or(found.execution), times, runs, input: found.input }
}

/// Runs an input a few more times, until `is_enough`. Returns how often it failed in all, and the last failing
/// execution.
fn rerun(
    harness: Harness<'_>,
    kind: &FindingKind,
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

/// The state of shrinking one failure.
struct Shrinker<'s> {
    harness: Harness<'s>,
    kind: &'s FindingKind,
    inputs: &'s Inputs,
    /// The inputs that were run, by hash, and whether they failed.
    tried: HashMap<u64, bool>,
    tries: u64,
    runs: u64,
    hangs: u64,
    /// The last input that failed, and its execution.
    least: Vec<u8>,
    execution: Option<Execution>,
}

impl<'s> Shrinker<'s> {
    fn new(harness: Harness<'s>, kind: &'s FindingKind, inputs: &'s Inputs, first: &[u8]) -> Shrinker<'s> {
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

    /// Returns `true` if an input fails, and makes it the smallest one.
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

    /// Simplifies the input by its value tree.
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

/// Hashes an input with a fixed seed, so that the search is reproducible.
fn hash(input: &[u8]) -> u64 {
    foldhash::fast::FixedState::with_seed(0).hash_one(input)
}
