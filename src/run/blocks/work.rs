//! Who of several threads does what next.
//!
//! Nothing is known here of what blocks hold, nor of how threads wait: only of the steps that are open.

use std::collections::VecDeque;

/// How many blocks there are, about: what one thread gets through while the system has put another one aside.
const BLOCKS: usize = 16;

/// How many blocks go by, at least and at most, before a thread that got nowhere is woken again.
const PAUSES: [u64; 2] = [16, 256];

/// The blocks between their steps. `J` is what judges; it can do so for one block at a time.
pub struct Work<B, J> {
    /// None while a block is judged, and after the last one.
    judge: Option<J>,
    /// The number of the block that is judged next.
    next: u64,
    /// What is to be judged, in no order.
    examined: Vec<Item<B>>,
    /// What is to be told, in order.
    judged: VecDeque<Item<B>>,
    is_telling: bool,
    threads: Vec<Thread<B>>,
    /// There is nothing more to do, or nobody who could.
    pub is_over: bool,
}

/// A block, or room for one.
#[derive(Default)]
pub struct Item<B> {
    /// Its place in the input; from 0.
    pub number: u64,
    /// The thread that reads and examines it, again and again.
    owner: usize,
    /// Whether it holds memory of the thread that examined it. What one thread takes and another gives back, both have
    /// to lock, so that it is best judged by that thread.
    pub is_bound: bool,
    pub block: B,
}

/// What a thread does next, with what it takes for it.
pub enum Step<B, J> {
    /// To read a block into this one, and to examine it.
    Read(Item<B>),
    Judge(Item<B>, J),
    Tell(Item<B>),
}

/// What the others know of a thread.
struct Thread<B> {
    /// Its blocks that can be filled again, the warmest last, and how many more it may make.
    idle: Vec<Item<B>>,
    more: usize,
    is_asleep: bool,
    /// It waits for input, perhaps for long.
    is_reading: bool,
    /// How many blocks it has read, and others judged while it was awake, since that was looked at.
    read: usize,
    judged: usize,
    /// It is not woken before this block is the next to be judged.
    paused: u64,
    /// For how many blocks it is paused next time.
    pause: u64,
}

impl<B: Default, J> Work<B, J> {
    /// Nothing is read yet.
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
            is_telling: false,
            threads: (0..threads).map(thread).collect(),
            is_over: false,
        }
    }

    /// What judges, unless it is at work or gone.
    pub fn judge(&self) -> Option<&J> {
        self.judge.as_ref()
    }

    /// What a thread can do, the most urgent first: only one block at a time is judged, and a block that was told can be
    /// filled again. Each step ends with [`Work::examined`], [`Work::judged`] or [`Work::told`].
    pub fn step(&mut self, thread: usize, may_read: bool) -> Option<Step<B, J>> {
        if let Some(at) = self.examined.iter().position(|item| self.is_next(item) && self.is_for(item, thread))
            && let Some(judge) = self.judge.take()
        {
            return Some(Step::Judge(self.examined.swap_remove(at), judge));
        }
        if !self.is_telling
            && let Some(item) = self.judged.pop_front()
        {
            self.is_telling = true;
            return Some(Step::Tell(item));
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

    /// A thread has read the input of a block. Whether the block can be judged at once.
    pub fn has_read(&mut self, item: &Item<B>) -> bool {
        self.threads[item.owner].is_reading = false;
        self.is_next(item)
    }

    /// Whether a block can be judged at once.
    fn is_next(&self, item: &Item<B>) -> bool {
        self.judge.is_some() && self.next == item.number
    }

    /// Whether a thread is to judge a block.
    fn is_for(&self, item: &Item<B>, thread: usize) -> bool {
        let owner = &self.threads[item.owner];
        item.owner == thread || !item.is_bound || owner.is_asleep || owner.is_reading
    }

    /// Puts down a block that can be judged when it is the next.
    pub fn examined(&mut self, item: Item<B>) {
        self.examined.push(item);
    }

    /// Puts down a block that a thread judged. `judge`: none, if it was the last one.
    pub fn judged(&mut self, item: Item<B>, judge: Option<J>, thread: usize) {
        self.next = item.number + 1;
        self.judge = judge;
        self.judged.push_back(item);
        for (number, other) in self.threads.iter_mut().enumerate() {
            other.judged += usize::from(number != thread && !other.is_asleep);
        }
    }

    /// Puts down a block that was told.
    pub fn told(&mut self, item: Item<B>) {
        self.is_telling = false;
        self.threads[item.owner].idle.push(item);
    }

    /// A thread that found no step goes to sleep.
    pub fn sleep(&mut self, thread: usize) {
        let (next, share) = (self.next, self.share());
        let thread = &mut self.threads[thread];
        thread.is_asleep = true;
        if thread.read < share {
            return;
        }
        // If next to nothing was judged while it read so much, the system lets no two threads work at once. To divide the
        // work is then only a loss.
        match thread.judged * 4 < thread.read {
            true => (thread.paused, thread.pause) = (next + thread.pause, PAUSES[1].min(2 * thread.pause)),
            false => thread.pause = PAUSES[0],
        }
        (thread.read, thread.judged) = (0, 0);
    }

    /// Whether a thread sleeps that is to be woken.
    pub fn is_to_wake(&self) -> bool {
        self.threads.iter().any(|thread| thread.is_asleep && self.is_worth_waking(thread))
    }

    /// Wakes a thread, unless it is better asleep.
    pub fn wake(&mut self, thread: usize) -> bool {
        let wakes = self.is_over || self.is_worth_waking(&self.threads[thread]);
        self.threads[thread].is_asleep = !wakes;
        wakes
    }

    /// Whether a thread that sleeps has enough to do.
    fn is_worth_waking(&self, thread: &Thread<B>) -> bool {
        let steps = thread.more + thread.idle.len() + if self.is_telling { 0 } else { self.judged.len() };
        thread.paused <= self.next && steps >= self.share() / 2
    }

    /// How many blocks each thread has.
    fn share(&self) -> usize {
        BLOCKS / self.threads.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A thread in the middle of what it does.
    enum Doing {
        Nothing,
        Step(Step<(), ()>),
        Sleeping,
    }

    proptest! {
        /// Whatever the system lets run, and for how long: blocks are judged and told one after the other, and there is
        /// always a thread that is awake.
        #[test]
        fn all_blocks_are_judged_and_told_in_order(
            threads in 1..=4_usize,
            last in 0..200_u64,
            bound in prop::collection::vec(any::<bool>(), 200),
            turns in prop::collection::vec((0..4_usize, 1..40_usize), 0..200),
        ) {
            let mut work = Work::<(), ()>::new((), threads);
            let mut doing: Vec<_> = (0..threads).map(|_| Doing::Nothing).collect();
            let (mut read, mut judged, mut told) = (0, 0, 0);
            let mut turns = turns.into_iter();
            let mut fair = 0;
            while !work.is_over {
                // When all turns are gone, each thread in its turn.
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
                        Doing::Step(Step::Tell(item)) => {
                            prop_assert_eq!(item.number, told);
                            told += 1;
                            work.is_over = item.number == last;
                            work.told(item);
                        }
                    }
                    match work.step(thread, true) {
                        Some(Step::Read(mut item)) => {
                            item.number = read;
                            read += 1;
                            prop_assert!(read <= told + BLOCKS as u64);
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
            prop_assert_eq!(told, last + 1);
        }
    }

    /// Reads all that a thread may, and goes to sleep.
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
        // The other one finds nothing to judge, and reads on.
        work.examined(second);
        assert!(matches!(work.step(1, true), Some(Step::Read(_))));
        work.judged(first, Some(()), 0);
        assert!(matches!(work.step(0, true), Some(Step::Judge(item, ())) if item.number == 1));
    }

    #[test]
    fn a_thread_that_reads_while_nothing_is_judged_is_paused() {
        let mut work = Work::<(), ()>::new((), 2);
        // The first thread has a block in hand, and the system put it aside.
        let Some(Step::Read(mut first)) = work.step(0, true) else { panic!("it can read") };
        first.number = 0;
        work.has_read(&first);
        assert_eq!(read_all(&mut work, 1, 1), 9);
        // It goes on, and has much to do before the other one is woken again.
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
                Step::Tell(item) => work.told(item),
            }
        }
        assert_eq!(work.next, PAUSES[0]);
    }
}
