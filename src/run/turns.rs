//! Threads that work in parallel and take turns to report.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// Time for which a worker spins before it goes to sleep. Sleeping and being woken takes about as long.
const AWAKE: Duration = Duration::from_micros(30);
/// Number of waits that go to sleep at once after a worker has spun in vain: the workers before may share its processor.
const ASLEEP_AT_ONCE: usize = 16;

/// Does numbered pieces of work in parallel; each may wait for the turn of its number. `begin` makes the state that a
/// worker keeps from one piece to the next. If `work` returns `false`, no more pieces are begun.
pub fn in_turns<S>(
    workers: usize,
    pieces: usize,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &Turns, usize) -> bool + Sync,
) {
    let (next, turns) = (AtomicUsize::new(0), Turns::default());
    let worker = || {
        let _guard = PanicGuard(&turns);
        let mut kept = begin();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= pieces || turns.is_over() {
                return;
            }
            if work(&mut kept, &turns, number) {
                turns.pass();
            } else {
                return turns.give_up();
            }
        }
    };
    let workers = workers.min(pieces);
    if workers <= 1 {
        return worker();
    }
    std::thread::scope(|scope| {
        // This thread works too: where no other can be had, the work is done all the same.
        let more = (1..workers).map_while(|_| Builder::new().spawn_scoped(scope, worker).ok());
        more.for_each(drop);
        worker();
    });
}

/// Lets workers do something one after another, in the order of their numbers.
#[derive(Default)]
pub struct Turns {
    state: Mutex<State>,
    changed: Condvar,
    /// The number whose turn it is. It is changed with the state locked, and read without the lock by spinning workers.
    current: AtomicUsize,
    /// Number of the next waits that go to sleep at once.
    asleep_at_once: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// Number of workers that sleep.
    waiting: usize,
    /// Whether a worker gave up, so that no turn will come any more.
    over: bool,
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_current(&self, number: usize) -> bool {
        self.current.load(Ordering::Relaxed) == number
    }

    /// Returns whether it is this number's turn.
    pub fn is_up(&self, number: usize) -> bool {
        let state = self.state();
        self.is_current(number) && !state.over
    }

    /// Waits for this number's turn. Returns `false` if it will not come.
    pub fn wait(&self, number: usize) -> bool {
        self.spin(number);
        let mut state = self.state();
        while !self.is_current(number) && !state.over {
            state.waiting += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        !state.over
    }

    /// Spins for a short time until it is this number's turn.
    fn spin(&self, number: usize) {
        let asleep = self.asleep_at_once.load(Ordering::Relaxed);
        if self.is_current(number) || asleep > 0 {
            self.asleep_at_once.store(asleep.saturating_sub(1), Ordering::Relaxed);
            return;
        }
        let began = Instant::now();
        while !self.is_current(number) {
            if began.elapsed() > AWAKE {
                self.asleep_at_once.store(ASLEEP_AT_ONCE, Ordering::Relaxed);
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Gives the turn to the next number.
    pub fn pass(&self) {
        let state = self.state();
        self.current.fetch_add(1, Ordering::Relaxed);
        let is_awaited = state.waiting > 0;
        // The woken worker needs the lock.
        drop(state);
        // Notifying costs a system call even if nobody waits.
        if is_awaited {
            self.changed.notify_all();
        }
    }

    /// Gives up: nobody waits for a turn any longer.
    pub fn give_up(&self) {
        self.state().over = true;
        self.changed.notify_all();
    }

    /// Returns whether a worker gave up.
    pub fn is_over(&self) -> bool {
        self.state().over
    }
}

/// Gives up on behalf of a worker that panics, so that the others do not wait for it for ever.
struct PanicGuard<'t>(&'t Turns);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}
