//! The run: one case after the other, several at a time, until there are enough; then each failure is shrunk.
//!
//! Cases are handed out by number and told in the order of their numbers, so that what is found, and by which input first,
//! does not depend on how many are played at once. What waits to be told is bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sessionlint_core::finding::Kind;

use super::inputs::Inputs;
use super::producer::{Ending, Execution, ProducerError};
use super::shrink::{FailureRate, Harness, ShrinkResult, shrink};
use super::verdict::Verdict;

/// How far cases may run ahead of one that takes long.
const MAX_AHEAD: u64 = 512;
/// How many bytes of answers may wait to be told.
const MAX_PENDING_BYTES: usize = 64 << 20;
/// How many failures are kept, and how many bytes of their answers and inputs; what comes after that is counted.
const MAX_FAILURES: usize = 100;
const MAX_KEPT_BYTES: usize = 256 << 20;

/// How many ways of failing are counted.
const MAX_KINDS: usize = 10_000;

/// What to do.
pub struct Search<'s> {
    pub harness: Harness<'s>,
    pub inputs: &'s Inputs,
    /// How many cases; none: until the time is over.
    pub cases: Option<u64>,
    pub until: Option<Instant>,
    /// How many different failures are enough.
    pub stop_after: Option<usize>,
    /// How many cases are played at once, at least one.
    pub jobs: usize,
    pub progress: &'s SearchProgress,
}

/// How far a run has come, for whoever shows it.
#[derive(Debug, Default)]
pub struct SearchProgress {
    pub cases: AtomicU64,
    /// Different failures, and how many of them are shrunk.
    pub failures: AtomicU64,
    pub shrunk: AtomicU64,
    /// Whether the search is over.
    pub shrinks: AtomicBool,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct SearchResult {
    pub cases: u64,
    /// Cases with any failure.
    pub failing: u64,
    /// How many findings failed no case.
    pub below: u64,
    /// How many cases failed in each way.
    pub kinds: BTreeMap<Kind, u64>,
    /// The different failures, in the order in which they were found.
    pub failures: Vec<Failure>,
    /// How long the search took, without shrinking.
    pub elapsed: Duration,
    /// How often the producer was asked for shrinking.
    pub shrink_runs: u64,
    /// Why no more cases could be played.
    pub producer_error: Option<ProducerError>,
}

/// One way in which the producer fails.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    /// The number of the case that showed it first.
    pub number: u64,
    /// The input of that case.
    pub first: Vec<u8>,
    /// The least input.
    pub input: Vec<u8>,
    /// What was answered to it.
    pub execution: Execution,
    pub times: FailureRate,
}

/// What became of a case.
enum CaseOutcome {
    Judged { verdict: Verdict, answer: Option<Execution> },
    Stopped,
    Failed(ProducerError),
}

/// What the threads share.
#[derive(Default)]
struct QueueState {
    /// The next case that is played, and the next that is told.
    next_case: u64,
    next_outcome: u64,
    /// Played, and not told yet; and how many bytes that holds.
    finished: BTreeMap<u64, CaseOutcome>,
    bytes: usize,
    /// The ways of failing that were told, whose answers need not be kept.
    known_kinds: BTreeSet<Kind>,
    is_over: bool,
    /// How many threads still play.
    workers: usize,
}

struct Queue {
    shared: Mutex<QueueState>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'q>(&self, shared: MutexGuard<'q, QueueState>) -> MutexGuard<'q, QueueState> {
        self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a thread plays no more. What one that panics has not done, nobody waits for.
struct WorkerGuard<'q>(&'q Queue);

impl Drop for WorkerGuard<'_> {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        shared.workers -= 1;
        shared.is_over |= thread::panicking();
        self.0.changed.notify_all();
    }
}

impl Search<'_> {
    /// Looks for failures, and shrinks them.
    pub fn run(&self) -> SearchResult {
        let started = Instant::now();
        let shared = QueueState { workers: self.jobs, ..QueueState::default() };
        let queue = Queue { shared: Mutex::new(shared), changed: Condvar::new() };
        let mut found = thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| self.work(&queue));
            }
            self.collect(&queue)
        });
        found.elapsed = started.elapsed();
        self.progress.shrinks.store(true, Ordering::Relaxed);
        self.shrink_all(&mut found);
        found
    }

    /// Plays cases as long as there are any.
    fn work(&self, queue: &Queue) {
        let _guard = WorkerGuard(queue);
        while let Some(number) = self.next_case(queue) {
            let outcome = self.run_case(queue, number);
            let mut shared = queue.lock();
            shared.bytes += outcome.bytes();
            shared.finished.insert(number, outcome);
            queue.changed.notify_all();
        }
    }

    /// The next case, as soon as there is room for what becomes of it.
    fn next_case(&self, queue: &Queue) -> Option<u64> {
        let mut shared = queue.lock();
        while !shared.is_over
            && (shared.next_case >= shared.next_outcome + MAX_AHEAD || shared.bytes > MAX_PENDING_BYTES)
        {
            shared = queue.wait(shared);
        }
        let is_late = self.until.is_some_and(|until| Instant::now() >= until);
        let is_last = self.cases.is_some_and(|cases| shared.next_case >= cases);
        if shared.is_over || is_late || is_last || self.harness.stop.is_set() {
            return None;
        }
        shared.next_case += 1;
        Some(shared.next_case - 1)
    }

    fn run_case(&self, queue: &Queue, number: u64) -> CaseOutcome {
        let execution = match self.harness.producer.run(&self.inputs.input(number), self.harness.stop) {
            Ok(execution) if execution.end == Ending::Stopped => return CaseOutcome::Stopped,
            Ok(execution) => execution,
            Err(why) => return CaseOutcome::Failed(why),
        };
        let verdict = self.harness.judge.verdict(&execution);
        let is_new = !verdict.kinds.is_empty() && {
            let shared = queue.lock();
            verdict.kinds.iter().any(|kind| !shared.known_kinds.contains(kind))
        };
        CaseOutcome::Judged { verdict, answer: is_new.then_some(execution) }
    }

    /// Takes what becomes of the cases, in their order.
    fn collect(&self, queue: &Queue) -> SearchResult {
        let (mut found, mut kept) = (SearchResult::default(), 0);
        loop {
            let mut shared = queue.lock();
            let number = shared.next_outcome;
            let outcome = loop {
                if let Some(outcome) = shared.finished.remove(&number) {
                    break outcome;
                }
                if shared.workers == 0 {
                    return found;
                }
                shared = queue.wait(shared);
            };
            shared.bytes -= outcome.bytes();
            shared.next_outcome += 1;
            let is_enough = match outcome {
                CaseOutcome::Stopped => false,
                CaseOutcome::Failed(why) => {
                    found.producer_error = Some(why);
                    true
                }
                CaseOutcome::Judged { verdict: Verdict { kinds, below }, answer } => {
                    drop(shared);
                    found.below += below;
                    let new = self.record(&mut found, &mut kept, number, kinds, answer);
                    shared = queue.lock();
                    shared.known_kinds.extend(new);
                    self.stop_after.is_some_and(|enough| found.failures.len() >= enough)
                }
            };
            shared.is_over |= is_enough;
            queue.changed.notify_all();
            if is_enough {
                return found;
            }
        }
    }

    /// Counts a case, and keeps what is new in it; the ways of failing that are. `kept`: how many bytes are kept so far.
    fn record(
        &self,
        found: &mut SearchResult,
        kept: &mut usize,
        number: u64,
        kinds: Vec<Kind>,
        answer: Option<Execution>,
    ) -> Vec<Kind> {
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
            found.failures.push(Failure { kind, number, first, input, execution, times: FailureRate::default() });
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
            let threads: Vec<_> = (0..self.jobs.min(failures.len())).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.flatten().collect()
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

/// How many bytes the text of a kind takes: a producer may name types and fields as long as it likes.
fn size(kind: &Kind) -> usize {
    kind.event_type.as_deref().map_or(0, str::len) + kind.pointer.as_deref().map_or(0, str::len)
}
