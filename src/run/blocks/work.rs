//! Schedules the steps of blocks among several threads.
//!
//! This module does not know what blocks hold, nor how threads wait: it only knows which steps are open.

use std::collections::VecDeque;

/// Approximate number of blocks: about as many as one thread processes while the system has suspended another one.
const BLOCKS: usize = 16;

/// Minimum and maximum number of blocks to be judged before a thread that made no progress is woken again.
const PAUSES: [u64; 2] = [16, 256];

/// The blocks between their steps. `J` is the checker, which judges one block at a time.
pub struct Work<B, J> {
    /// The checker; `None` while a block is judged, and after the last one.
    judge: Option<J>,
    /// The number of the next block to judge.
    next: u64,
    /// The blocks to judge, in no order.
    examined: Vec<Item<B>>,
    /// The blocks to report, in order.
    judged: VecDeque<Item<B>>,
    /// Whether a thread is reporting a block.
    is_reporting: bool,
    threads: Vec<Thread<B>>,
    /// Whether the work has ended: there is nothing more to do, or a thread has panicked.
    pub is_over: bool,
}

/// A block, or room for one.
#[derive(Default)]
pub struct Item<B> {
    /// The number of the block in the input, from 0.
    pub number: u64,
    /// The thread that reads and examines this block, and refills it.
    owner: usize,
    /// Whether the block has memory allocated by its owner, and is best judged by that thread: memory that one thread
    /// allocates and another frees has to be locked by both.
    pub is_bound: bool,
    pub block: B,
}

/// The next step for a thread, with the block it works on.
pub enum Step<B, J> {
    /// Read a block into this one, and examine it.
    Read(Item<B>),
    Judge(Item<B>, J),
    Report(Item<B>),
}

/// The state of a thread.
struct Thread<B> {
    /// The thread's blocks that can be refilled, the most recently used last.
    idle: Vec<Item<B>>,
    /// Number of blocks that the thread may still allocate.
    more: usize,
    is_asleep: bool,
    /// Whether the thread waits for input, perhaps for long.
    is_reading: bool,
    /// Number of blocks that the thread has read since the last check in [`Work::sleep`].
    read: usize,
    /// Number of blocks that others have judged since then while the thread was awake.
    judged: usize,
    /// The thread is not woken before this block is the next to be judged.
    paused: u64,
    /// Length of the next pause, in blocks.
    pause: u64,
}

impl<B: Default, J> Work<B, J> {
    /// Returns the work for a number of threads, before anything is read.
    pub fn new(judge: J, threads: usize) -> Work<B, J> {
        let thread = |_| Thread {
            idle: Vec::new(),
            more: BLOCKS / threads,
            is_asleep: false,
            is_reading: false,
            read: 0,
            judged: 0,
            paused: 0,
            pause: PAUSES[0],
        };
        Work {
            judge: Some(judge),
            next: 0,
            examined: Vec::new(),
            judged: VecDeque::new(),
            is_reporting: false,
            threads: (0..threads).map(thread).collect(),
            is_over: false,
        }
    }

    /// Returns the checker, unless it is in use or gone.
    pub fn judge(&self) -> Option<&J> {
        self.judge.as_ref()
    }

    /// Returns the most urgent step that a thread can do. Judging comes first because only one block is judged at a time,
    /// then reporting because a reported block can be refilled. Each step ends with [`Work::examined`], [`Work::judged`]
    /// or [`Work::reported`].
    pub fn step(&mut self, thread: usize, may_read: bool) -> Option<Step<B, J>> {
        if let Some(at) = self.examined.iter().position(|item| self.is_next(item) && self.is_for(item, thread))
            && let Some(judge) = self.judge.take()
        {
            return Some(Step::Judge(self.examined.swap_remove(at), judge));
        }
        if !self.is_reporting
            && let Some(item) = self.judged.pop_front()
        {
            self.is_reporting = true;
            return Some(Step::Report(item));
        }
        if !may_read {
            return None;
        }
        let state = &mut self.threads[thread];
        let item = match state.idle.pop() {
            Some(item) => item,
            None => {
                state.more = state.more.checked_sub(1)?;
                Item { owner: thread, ..Item::default() }
            }
        };
        state.read += 1;
        state.is_reading = true;
        Some(Step::Read(item))
    }

    /// Notes that a block's owner has read it. Returns whether the block can be judged at once.
    pub fn has_read(&mut self, item: &Item<B>) -> bool {
        self.threads[item.owner].is_reading = false;
        self.is_next(item)
    }

    /// Returns whether a block can be judged at once.
    fn is_next(&self, item: &Item<B>) -> bool {
        self.judge.is_some() && self.next == item.number
    }

    /// Returns whether a thread may judge a block.
    fn is_for(&self, item: &Item<B>, thread: usize) -> bool {
        let owner = &self.threads[item.owner];
        item.owner == thread || !item.is_bound || owner.is_asleep || owner.is_reading
    }

    /// Adds a block that can be judged when it is the next.
    pub fn examined(&mut self, item: Item<B>) {
        self.examined.push(item);
    }

    /// Adds a block that a thread has judged, and takes back the checker; `judge` is `None` after the last block.
    pub fn judged(&mut self, item: Item<B>, judge: Option<J>, thread: usize) {
        self.next = item.number + 1;
        self.judge = judge;
        self.judged.push_back(item);
        for (number, other) in self.threads.iter_mut().enumerate() {
            other.judged += usize::from(number != thread && !other.is_asleep);
        }
    }

    /// Takes back a block that was reported.
    pub fn reported(&mut self, item: Item<B>) {
        self.is_reporting = false;
        self.threads[item.owner].idle.push(item);
    }

    /// Puts a thread to sleep that found no step.
    pub fn sleep(&mut self, thread: usize) {
        let (next, share) = (self.next, self.share());
        let thread = &mut self.threads[thread];
        thread.is_asleep = true;
        if thread.read < share {
            return;
        }
        // If next to nothing was judged while the thread read this much, the threads share one processor. Dividing the
        // work is then only a loss.
        match thread.judged * 4 < thread.read {
            true => (thread.paused, thread.pause) = (next + thread.pause, PAUSES[1].min(2 * thread.pause)),
            false => thread.pause = PAUSES[0],
        }
        (thread.read, thread.judged) = (0, 0);
    }

    /// Returns whether a sleeping thread is to be woken.
    pub fn is_to_wake(&self) -> bool {
        self.threads.iter().any(|thread| thread.is_asleep && self.is_worth_waking(thread))
    }

    /// Wakes a thread, unless it has too little to do. Returns whether it is awake.
    pub fn wake(&mut self, thread: usize) -> bool {
        let wakes = self.is_over || self.is_worth_waking(&self.threads[thread]);
        self.threads[thread].is_asleep = !wakes;
        wakes
    }

    /// Returns whether a sleeping thread has enough to do.
    fn is_worth_waking(&self, thread: &Thread<B>) -> bool {
        let steps = thread.more + thread.idle.len() + if self.is_reporting { 0 } else { self.judged.len() };
        thread.paused <= self.next && steps >= self.share() / 2
    }

    /// Number of blocks for each thread.
    fn share(&self) -> usize {
        BLOCKS / self.threads.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The activity of a thread.
    enum Doing {
        Nothing,
        Step(Step<(), ()>),
        Sleeping,
    }

    proptest! {
        /// Whichever threads the system runs, and for how long: blocks are judged and reported in order, and at least one
        /// thread is always awake.
        #[test]
        fn all_blocks_are_judged_and_reported_in_order(
            threads in 1..=4_usize,
            last in 0..200_u64,
            bound in prop::collection::vec(any::<bool>(), 200),
            turns in prop::collection::vec((0..4_usize, 1..40_usize), 0..200),
        ) {
            let mut work = Work::<(), ()>::new((), threads);
            let mut doing: Vec<_> = (0..threads).map(|_| Doing::Nothing).collect();
            let (mut read, mut judged, mut reported) = (0, 0, 0);
            let mut turns = turns.into_iter();
            let mut fair = 0;
            while !work.is_over {
                // When all turns are used up, the threads take turns.
                let (thread, steps) = turns.next().unwrap_or_else(|| {
                    fair += 1;
                    (fair, 1)
                });
                let thread = thread % threads;
                for _ in 0..steps {
                    match std::mem::replace(&mut doing[thread], Doing::Nothing) {
                        Doing::Sleeping => {
                            doing[thread] = Doing::Sleeping;
                            break;
                        }
                        Doing::Nothing => {}
                        Doing::Step(Step::Read(mut item)) => {
                            work.has_read(&item);
                            item.is_bound = bound[item.number.min(last) as usize];
                            work.examined(item);
                        }
                        Doing::Step(Step::Judge(item, ())) => {
                            prop_assert_eq!(item.number, judged);
                            judged += 1;
                            let judge = (item.number < last).then_some(());
                            work.judged(item, judge, thread);
                        }
                        Doing::Step(Step::Report(item)) => {
                            prop_assert_eq!(item.number, reported);
                            reported += 1;
                            work.is_over = item.number == last;
                            work.reported(item);
                        }
                    }
                    match work.step(thread, true) {
                        Some(Step::Read(mut item)) => {
                            item.number = read;
                            read += 1;
                            prop_assert!(read <= reported + BLOCKS as u64);
                            doing[thread] = Doing::Step(Step::Read(item));
                        }
                        Some(step) => doing[thread] = Doing::Step(step),
                        None => {
                            work.sleep(thread);
                            prop_assert!(work.is_over || !work.wake(thread), "it would look for a step again and again");
                            doing[thread] = Doing::Sleeping;
                            break;
                        }
                    }
                    if work.is_to_wake() {
                        for (thread, doing) in doing.iter_mut().enumerate() {
                            if matches!(doing, Doing::Sleeping) && work.wake(thread) {
                                *doing = Doing::Nothing;
                            }
                        }
                    }
                }
                prop_assert!(work.is_over || doing.iter().any(|doing| !matches!(doing, Doing::Sleeping)));
            }
            prop_assert_eq!(reported, last + 1);
        }
    }

    /// Lets a thread read as much as it may and go to sleep.
    fn read_all(work: &mut Work<(), ()>, thread: usize, first: u64) -> u64 {
        let mut number = first;
        while let Some(step) = work.step(thread, true) {
            let Step::Read(mut item) = step else { panic!("there is nothing to judge or to tell") };
            item.number = number;
            number += 1;
            work.has_read(&item);
            work.examined(item);
        }
        work.sleep(thread);
        number
    }

    #[test]
    fn a_thread_that_waits_for_input_keeps_no_block_back() {
        let mut work = Work::<(), ()>::new((), 2);
        let read = |work: &mut Work<(), ()>, thread, number| {
            let Some(Step::Read(mut item)) = work.step(thread, true) else { panic!("it can read") };
            item.number = number;
            work.has_read(&item);
            item.is_bound = true;
            item
        };
        let (first, second) = (read(&mut work, 0, 0), read(&mut work, 1, 1));
        work.examined(first);
        let Some(Step::Judge(first, ())) = work.step(0, true) else { panic!("it is the next") };
        // The other thread finds nothing to judge, and reads on.
        work.examined(second);
        assert!(matches!(work.step(1, true), Some(Step::Read(_))));
        work.judged(first, Some(()), 0);
        assert!(matches!(work.step(0, true), Some(Step::Judge(item, ())) if item.number == 1));
    }

    #[test]
    fn a_thread_that_reads_while_nothing_is_judged_is_paused() {
        let mut work = Work::<(), ()>::new((), 2);
        // The first thread has a block, and is suspended by the system.
        let Some(Step::Read(mut first)) = work.step(0, true) else { panic!("it can read") };
        first.number = 0;
        work.has_read(&first);
        assert_eq!(read_all(&mut work, 1, 1), 9);
        // The first thread goes on, and has much to do before the other one is woken again.
        work.examined(first);
        let mut number = 9;
        while !work.is_to_wake() {
            match work.step(0, true).expect("there is something to do") {
                Step::Read(mut item) => {
                    item.number = number;
                    number += 1;
                    work.has_read(&item);
                    work.examined(item);
                }
                Step::Judge(item, ()) => work.judged(item, Some(()), 0),
                Step::Report(item) => work.reported(item),
            }
        }
        assert_eq!(work.next, PAUSES[0]);
    }
}
