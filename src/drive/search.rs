//! The search for failures: runs cases, several at a time, until the limits are reached, and then shrinks each failure.
//!
//! Cases are started and recorded in the order of their numbers, so that the failures, and the input that each is found
//! with, do not depend on how many cases run at once. The memory of outcomes that wait to be recorded is bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use sessionlint_core::finding::FindingKind;

use super::inputs::Inputs;
use super::producer::{Ending, Execution, ProducerError};
use super::shrink::{FailureRate, Harness, ShrinkResult, shrink};
use super::verdict::Verdict;

/// The number of cases that may run ahead of the slowest one.
const MAX_AHEAD: u64 = 512;
/// The size of the answers that may wait to be recorded, in bytes.
const MAX_PENDING_BYTES: usize = 64 << 20;
/// The number of failures that are kept, and the total size of their answers and inputs. Further failures are only
/// counted.
const MAX_FAILURES: usize = 100;
const MAX_KEPT_BYTES: usize = 256 << 20;

/// The number of kinds of failures that are counted.
const MAX_KINDS: usize = 10_000;

/// The parameters of a search.
pub struct Search<'s> {
    pub harness: Harness<'s>,
    pub inputs: &'s Inputs,
    /// Number of cases; `None` to run until the deadline.
    pub cases: Option<u64>,
    /// The deadline, after which no case is started.
    pub until: Option<Instant>,
    /// Number of different failures to stop after.
    pub stop_after: Option<usize>,
    /// Number of cases that run at once, at least one.
    pub jobs: usize,
    pub progress: &'s SearchProgress,
    /// Called for each failure as soon as it is found, long before it is shrunk.
    pub on_failure: &'s (dyn Fn(&Failure) + Sync),
}

/// The progress of a search, for display.
#[derive(Debug, Default)]
pub struct SearchProgress {
    pub cases: AtomicU64,
    /// Number of different failures, and how many of them have been shrunk.
    pub failures: AtomicU64,
    pub shrunk: AtomicU64,
    /// Whether all cases have run, and failures are being shrunk.
    pub is_shrinking: AtomicBool,
}

/// The result of a search.
#[derive(Debug, Default)]
pub struct SearchResult {
    pub cases: u64,
    /// Number of cases with at least one failure.
    pub failing: u64,
    /// Number of findings below the severity that fails a case.
    pub below: u64,
    /// Number of cases by kind of failure.
    pub kinds: BTreeMap<FindingKind, u64>,
    /// The different failures, in the order in which they were found.
    pub failures: Vec<Failure>,
    /// The duration of the search, without shrinking.
    pub elapsed: Duration,
    /// Number of times that the producer was run for shrinking.
    pub shrink_runs: u64,
    /// The error that ended the search, if the producer could not be run any more.
    pub producer_error: Option<ProducerError>,
}

/// A failure of the producer, and the smallest input that shows it.
#[derive(Debug)]
pub struct Failure {
    pub kind: FindingKind,
    /// The number of the first case that had it.
    pub number: u64,
    /// The input of that case.
    pub first: Vec<u8>,
    /// The smallest input that was found to show it.
    pub input: Vec<u8>,
    /// The execution of that input.
    pub execution: Execution,
    pub times: FailureRate,
}

/// The outcome of a case. `answer` is kept if the case may have a new kind of failure.
enum CaseOutcome {
    Judged { verdict: Verdict, answer: Option<Execution> },
    Stopped,
    Failed(ProducerError),
}

/// The state that the threads share.
#[derive(Default)]
struct QueueState {
    /// The next case to run, and the next outcome to record.
    next_case: u64,
    next_outcome: u64,
    /// The outcomes that wait to be recorded, and their size in bytes.
    finished: BTreeMap<u64, CaseOutcome>,
    bytes: usize,
    /// The kinds of failures that are recorded, whose answers need not be kept again.
    known_kinds: BTreeSet<FindingKind>,
    is_over: bool,
    /// Number of threads that still run cases.
    workers: usize,
}

/// Hands out cases to the threads, and collects their outcomes.
struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'q>(&self, state: MutexGuard<'q, QueueState>) -> MutexGuard<'q, QueueState> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signs a thread off when it goes out of scope. If the thread panics, the search ends, because its case would be
/// awaited for ever.
struct WorkerGuard<'q>(&'q Queue);

impl Drop for WorkerGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.workers -= 1;
        state.is_over |= thread::panicking();
        self.0.changed.notify_all();
    }
}

impl Search<'_> {
    /// Searches for failures, and shrinks them.
    pub fn run(&self) -> SearchResult {
        let started = Instant::now();
        let queue = Queue { state: Mutex::default(), changed: Condvar::new() };
        let mut found = thread::scope(|scope| {
            for number in 0..self.jobs {
                queue.lock().workers += 1;
                if let Err(cause) = Builder::new().spawn_scoped(scope, || self.work(&queue)) {
                    queue.lock().workers -= 1;
                    // Fewer threads do the same; none does nothing.
                    if number == 0 {
                        let producer_error = Some(ProducerError::NoThread { cause });
                        return SearchResult { producer_error, ..SearchResult::default() };
                    }
                    break;
                }
            }
            self.collect(&queue)
        });
        found.elapsed = started.elapsed();
        self.progress.is_shrinking.store(true, Ordering::Relaxed);
        self.shrink_all(&mut found);
        found
    }

    /// Runs cases until there are no more.
    fn work(&self, queue: &Queue) {
        let _guard = WorkerGuard(queue);
        while let Some(number) = self.next_case(queue) {
            let outcome = self.run_case(queue, number);
            let mut state = queue.lock();
            state.bytes += outcome.bytes();
            state.finished.insert(number, outcome);
            queue.changed.notify_all();
        }
    }

    /// Returns the number of the next case, as soon as there is room for its outcome; `None` if the search is over.
    fn next_case(&self, queue: &Queue) -> Option<u64> {
        let mut state = queue.lock();
        while !state.is_over && (state.next_case >= state.next_outcome + MAX_AHEAD || state.bytes > MAX_PENDING_BYTES) {
            state = queue.wait(state);
        }
        let is_last = self.cases.is_some_and(|cases| state.next_case >= cases);
        if state.is_over || self.is_late() || is_last || self.harness.stop.is_set() {
            return None;
        }
        state.next_case += 1;
        Some(state.next_case - 1)
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    fn run_case(&self, queue: &Queue, number: u64) -> CaseOutcome {
        let execution = match self.harness.producer.run(&self.inputs.input(number), self.harness.stop) {
            Ok(execution) if execution.end == Ending::Stopped => return CaseOutcome::Stopped,
            Ok(execution) => execution,
            Err(why) => return CaseOutcome::Failed(why),
        };
        let is_stopped = || self.harness.stop.is_set() || self.is_late();
        let Some(verdict) = self.harness.judge.verdict(&execution, &is_stopped) else { return CaseOutcome::Stopped };
        let is_new = !verdict.kinds.is_empty() && {
            let state = queue.lock();
            verdict.kinds.iter().any(|kind| !state.known_kinds.contains(kind))
        };
        CaseOutcome::Judged { verdict, answer: is_new.then_some(execution) }
    }

    /// Records the outcomes of the cases, in the order of their numbers.
    fn collect(&self, queue: &Queue) -> SearchResult {
        let (mut found, mut kept) = (SearchResult::default(), 0);
        loop {
            let mut state = queue.lock();
            let number = state.next_outcome;
            let outcome = loop {
                if let Some(outcome) = state.finished.remove(&number) {
                    break outcome;
                }
                if state.workers == 0 {
                    return found;
                }
                state = queue.wait(state);
            };
            state.bytes -= outcome.bytes();
            state.next_outcome += 1;
            let is_enough = match outcome {
                CaseOutcome::Stopped => false,
                CaseOutcome::Failed(why) => {
                    found.producer_error = Some(why);
                    true
                }
                CaseOutcome::Judged { verdict: Verdict { kinds, below }, answer } => {
                    drop(state);
                    found.below += below;
                    let new = self.record(&mut found, &mut kept, number, kinds, answer);
                    state = queue.lock();
                    state.known_kinds.extend(new);
                    self.stop_after.is_some_and(|enough| found.failures.len() >= enough)
                }
            };
            state.is_over |= is_enough;
            queue.changed.notify_all();
            if is_enough {
                return found;
            }
        }
    }

    /// Counts a case and keeps its new failures, whose kinds it returns. `kept` is the size of everything kept so far,
    /// in bytes.
    fn record(
        &self,
        found: &mut SearchResult,
        kept: &mut usize,
        number: u64,
        kinds: Vec<FindingKind>,
        answer: Option<Execution>,
    ) -> Vec<FindingKind> {
        let mut new = Vec::new();
        found.cases += 1;
        found.failing += u64::from(!kinds.is_empty());
        for kind in kinds {
            if let Some(count) = found.kinds.get_mut(&kind) {
                *count += 1;
                continue;
            }
            *kept += size(&kind);
            if found.kinds.len() >= MAX_KINDS || *kept > MAX_KEPT_BYTES {
                continue;
            }
            found.kinds.insert(kind.clone(), 1);
            new.push(kind.clone());
            let is_enough = self.stop_after.is_some_and(|enough| found.failures.len() >= enough);
            let Some(answer) = answer.as_ref().filter(|_| !is_enough && found.failures.len() < MAX_FAILURES) else {
                continue;
            };
            let first = self.inputs.input(number);
            *kept += first.len() + answer.stream.len();
            if *kept > MAX_KEPT_BYTES {
                continue;
            }
            let (input, execution) = (first.clone(), answer.clone());
            let times = FailureRate { failed: 1, runs: 1 };
            let failure = Failure { kind, number, first, input, execution, times };
            (self.on_failure)(&failure);
            found.failures.push(failure);
        }
        self.progress.cases.fetch_add(1, Ordering::Relaxed);
        self.progress.failures.store(found.failures.len() as u64, Ordering::Relaxed);
        new
    }

    /// Shrinks every failure, several at a time.
    fn shrink_all(&self, found: &mut SearchResult) {
        let next = AtomicUsize::new(0);
        let failures = &found.failures;
        let work = || {
            let mut shrunk = Vec::new();
            while !self.harness.stop.is_set() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(failure) = failures.get(number) else { break };
                let least = shrink(self.harness, &failure.kind, self.inputs, failure.number, &failure.first);
                self.progress.shrunk.fetch_add(1, Ordering::Relaxed);
                shrunk.push((number, least));
            }
            shrunk
        };
        let shrunk: Vec<(usize, ShrinkResult)> = thread::scope(|scope| {
            // This thread works too, whether others can be had or not.
            let begin = |_| Builder::new().spawn_scoped(scope, work).ok();
            let threads: Vec<_> = (1..self.jobs.min(failures.len())).map_while(begin).collect();
            let own = work();
            let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.flatten().chain(own).collect()
        });
        for (number, least) in shrunk {
            let failure = &mut found.failures[number];
            found.shrink_runs += least.runs;
            (failure.input, failure.times) = (least.input, least.times);
            if let Some(execution) = least.execution {
                failure.execution = execution;
            }
        }
    }
}

impl CaseOutcome {
    fn bytes(&self) -> usize {
        match self {
            CaseOutcome::Judged { verdict, answer } => {
                verdict.kinds.iter().map(size).sum::<usize>() + answer.as_ref().map_or(0, |answer| answer.stream.len())
            }
            CaseOutcome::Stopped | CaseOutcome::Failed(_) => 0,
        }
    }
}

/// Returns the size of the texts in a kind of failure: a producer may make the names of types and fields as long as it
/// likes.
fn size(kind: &FindingKind) -> usize {
    kind.event_type.as_deref().map_or(0, str::len) + kind.pointer.as_deref().map_or(0, str::len)
}
