//! Workers that take turns.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a worker looks whether its turn has come before it goes to sleep. To sleep and be woken takes as long.
const AWAKE: Duration = Duration::from_micros(30);
/// How many go to sleep at once after one looked in vain: those before them may not have a processor for themselves.
const ASLEEP_AT_ONCE: usize = 16;

/// Does pieces of work, several at once, each of which may wait for its turn: that of its number. `begin` makes what a
/// worker keeps from one to the next. False of `work`: there is nothing more to do.
pub fn in_turns<S>(
    workers: usize,
    pieces: usize,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &Turns, usize) -> bool + Sync,
) {
    let (next, turns) = (AtomicUsize::new(0), Turns::default());
    let worker = || {
        let _watch = Watch(&turns);
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
        for _ in 0..workers {
            scope.spawn(worker);
        }
    });
}

/// Lets workers do something one after the other, in the order of the numbers that they hold.
#[derive(Default)]
pub struct Turns {
    state: Mutex<State>,
    changed: Condvar,
    /// The number whose turn it is. It changes with the state locked; those who look again and again do not lock it.
    current: AtomicUsize,
    /// How many of the next to wait go to sleep at once.
    asleep_at_once: AtomicUsize,
}

#[derive(Default)]
struct State {
    waiting: usize,
    /// Somebody gave up, and no turn will come any more.
    over: bool,
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_current(&self, number: usize) -> bool {
        self.current.load(Ordering::Relaxed) == number
    }

    /// Whether it is this number's turn.
    pub fn is_up(&self, number: usize) -> bool {
        let state = self.state();
        self.is_current(number) && !state.over
    }

    /// Waits for this number's turn. False: it will not come.
    pub fn wait(&self, number: usize) -> bool {
        self.look_for(number);
        let mut state = self.state();
        while !self.is_current(number) && !state.over {
            state.waiting += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        !state.over
    }

    /// Waits a little for this number's turn, awake.
    fn look_for(&self, number: usize) {
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
        // Who is woken needs it.
        drop(state);
        // To wake nobody costs a call of the system all the same.
        if is_awaited {
            self.changed.notify_all();
        }
    }

    /// Lets nobody wait any longer.
    pub fn give_up(&self) {
        self.state().over = true;
        self.changed.notify_all();
    }

    /// Whether somebody gave up.
    pub fn is_over(&self) -> bool {
        self.state().over
    }
}

/// Gives up for a worker that panics, so that the others do not wait for it for ever.
struct Watch<'t>(&'t Turns);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}
