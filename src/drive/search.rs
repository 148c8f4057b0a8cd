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
use super::judge::Judged;
use super::producer::{Ending, Played, Unplayable};
use super::shrink::{Bench, Least, Times, shrink};

/// How far cases may run ahead of one that takes long.
const MOST_AHEAD: u64 = 512;
/// How many bytes of answers may wait to be told.
const MOST_WAITING: usize = 64 << 20;
/// How many failures are kept, and how many bytes of their answers and inputs; what comes after that is counted.
const MOST_FAILURES: usize = 100;
const MOST_KEPT: usize = 256 << 20;

/// How many ways of failing are counted.
const MOST_KINDS: usize = 10_000;

/// What to do.
pub struct Search<'s> {
    pub bench: Bench<'s>,
    pub inputs: &'s Inputs,
    /// How many cases; none: until the time is over.
    pub cases: Option<u64>,
    pub until: Option<Instant>,
    /// How many different failures are enough.
    pub stop_after: Option<usize>,
    /// How many cases are played at once, at least one.
    pub jobs: usize,
    pub progress: &'s Progress,
}

/// How far a run has come, for whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    pub cases: AtomicU64,
    /// Different failures, and how many of them are shrunk.
    pub failures: AtomicU64,
    pub shrunk: AtomicU64,
    /// Whether the search is over.
    pub shrinks: AtomicBool,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Found {
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
    pub plays: u64,
    /// Why no more cases could be played.
    pub unplayable: Option<Unplayable>,
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
    pub played: Played,
    pub times: Times,
}

/// What became of a case.
enum Outcome {
    Played { judged: Judged, answer: Option<Played> },
    Stopped,
    Unplayable(Unplayable),
}

/// What the threads share.
#[derive(Default)]
struct Shared {
    /// The next case that is played, and the next that is told.
    next: u64,
    told: u64,
    /// Played, and not told yet; and how many bytes that holds.
    waiting: BTreeMap<u64, Outcome>,
    bytes: usize,
    /// The ways of failing that were told, whose answers need not be kept.
    known: BTreeSet<Kind>,
    is_over: bool,
    /// How many threads still play.
    playing: usize,
}

struct Desk {
    shared: Mutex<Shared>,
    changed: Condvar,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'d>(&self, shared: MutexGuard<'d, Shared>) -> MutexGuard<'d, Shared> {
        self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a thread plays no more. What one that panics has not done, nobody waits for.
struct Playing<'d>(&'d Desk);

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        shared.playing -= 1;
        shared.is_over |= thread::panicking();
        self.0.changed.notify_all();
    }
}

impl Search<'_> {
    /// Looks for failures, and shrinks them.
    pub fn run(&self) -> Found {
        let started = Instant::now();
        let shared = Shared { playing: self.jobs, ..Shared::default() };
        let desk = Desk { shared: Mutex::new(shared), changed: Condvar::new() };
        let mut found = thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| self.play(&desk));
            }
            self.tell(&desk)
        });
        found.elapsed = started.elapsed();
        self.progress.shrinks.store(true, Ordering::Relaxed);
        self.shrink(&mut found);
        found
    }

    /// Plays cases as long as there are any.
    fn play(&self, desk: &Desk) {
        let _playing = Playing(desk);
        while let Some(number) = self.next(desk) {
            let outcome = self.case(desk, number);
            let mut shared = desk.lock();
            shared.bytes += outcome.bytes();
            shared.waiting.insert(number, outcome);
            desk.changed.notify_all();
        }
    }

    /// The next case, as soon as there is room for what becomes of it.
    fn next(&self, desk: &Desk) -> Option<u64> {
        let mut shared = desk.lock();
        while !shared.is_over && (shared.next >= shared.told + MOST_AHEAD || shared.bytes > MOST_WAITING) {
            shared = desk.wait(shared);
        }
        let is_late = self.until.is_some_and(|until| Instant::now() >= until);
        let is_last = self.cases.is_some_and(|cases| shared.next >= cases);
        if shared.is_over || is_late || is_last || self.bench.stop.is_said() {
            return None;
        }
        shared.next += 1;
        Some(shared.next - 1)
    }

    fn case(&self, desk: &Desk, number: u64) -> Outcome {
        let played = match self.bench.producer.play(&self.inputs.input(number), self.bench.stop) {
            Ok(played) if played.end == Ending::Stopped => return Outcome::Stopped,
            Ok(played) => played,
            Err(why) => return Outcome::Unplayable(why),
        };
        let judged = self.bench.judge.judged(&played);
        let is_new = !judged.kinds.is_empty() && {
            let shared = desk.lock();
            judged.kinds.iter().any(|kind| !shared.known.contains(kind))
        };
        Outcome::Played { judged, answer: is_new.then_some(played) }
    }

    /// Takes what becomes of the cases, in their order.
    fn tell(&self, desk: &Desk) -> Found {
        let (mut found, mut kept) = (Found::default(), 0);
        loop {
            let mut shared = desk.lock();
            let number = shared.told;
            let outcome = loop {
                if let Some(outcome) = shared.waiting.remove(&number) {
                    break outcome;
                }
                if shared.playing == 0 {
                    return found;
                }
                shared = desk.wait(shared);
            };
            shared.bytes -= outcome.bytes();
            shared.told += 1;
            let is_enough = match outcome {
                Outcome::Stopped => false,
                Outcome::Unplayable(why) => {
                    found.unplayable = Some(why);
                    true
                }
                Outcome::Played { judged: Judged { kinds, below }, answer } => {
                    drop(shared);
                    found.below += below;
                    let new = self.count(&mut found, &mut kept, number, kinds, answer);
                    shared = desk.lock();
                    shared.known.extend(new);
                    self.stop_after.is_some_and(|enough| found.failures.len() >= enough)
                }
            };
            shared.is_over |= is_enough;
            desk.changed.notify_all();
            if is_enough {
                return found;
            }
        }
    }

    /// Counts a case, and keeps what is new in it; the ways of failing that are. `kept`: how many bytes are kept so far.
    fn count(
        &self,
        found: &mut Found,
        kept: &mut usize,
        number: u64,
        kinds: Vec<Kind>,
        answer: Option<Played>,
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
            if found.kinds.len() >= MOST_KINDS || *kept > MOST_KEPT {
                continue;
            }
            found.kinds.insert(kind.clone(), 1);
            new.push(kind.clone());
            let is_enough = self.stop_after.is_some_and(|enough| found.failures.len() >= enough);
            let Some(answer) = answer.as_ref().filter(|_| !is_enough && found.failures.len() < MOST_FAILURES) else {
                continue;
            };
            let first = self.inputs.input(number);
            *kept += first.len() + answer.stream.len();
            if *kept > MOST_KEPT {
                continue;
            }
            let (input, played) = (first.clone(), answer.clone());
            found.failures.push(Failure { kind, number, first, input, played, times: Times::default() });
        }
        self.progress.cases.fetch_add(1, Ordering::Relaxed);
        self.progress.failures.store(found.failures.len() as u64, Ordering::Relaxed);
        new
    }

    /// Shrinks every failure, several at a time.
    fn shrink(&self, found: &mut Found) {
        let next = AtomicUsize::new(0);
        let failures = &found.failures;
        let work = || {
            let mut shrunk = Vec::new();
            while !self.bench.stop.is_said() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(failure) = failures.get(number) else { break };
                let least = shrink(self.bench, &failure.kind, self.inputs, failure.number, &failure.first);
                self.progress.shrunk.fetch_add(1, Ordering::Relaxed);
                shrunk.push((number, least));
            }
            shrunk
        };
        let shrunk: Vec<(usize, Least)> = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.jobs.min(failures.len())).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.flatten().collect()
        });
        for (number, least) in shrunk {
            let failure = &mut found.failures[number];
            found.plays += least.plays;
            (failure.input, failure.times) = (least.input, least.times);
            if let Some(played) = least.played {
                failure.played = played;
            }
        }
    }
}

impl Outcome {
    fn bytes(&self) -> usize {
        match self {
            Outcome::Played { judged, answer } => {
                judged.kinds.iter().map(size).sum::<usize>() + answer.as_ref().map_or(0, |answer| answer.stream.len())
            }
            Outcome::Stopped | Outcome::Unplayable(_) => 0,
        }
    }
}

/// How many bytes the text of a kind takes: a producer may name types and fields as long as it likes.
fn size(kind: &Kind) -> usize {
    kind.event_type.as_deref().map_or(0, str::len) + kind.pointer.as_deref().map_or(0, str::len)
}
