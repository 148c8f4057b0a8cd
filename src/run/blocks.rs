//! One file by several threads.
//!
//! A block of lines goes through three steps: it is examined, which needs no state of any stream; it is judged by the
//! tables; and what was found is told. Any thread does any step. Blocks are examined side by side, judged one at a time
//! in their order, and told so as well, which keeps findings in order by itself.
//!
//! No thread waits for another as long as there is room for one more block. Therefore a thread that the system put
//! aside in the middle of its step, because others have work too, does not stop the rest.

mod source;
mod work;

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sessionlint_core::check::{Checker, Examined, Examiner};
use sessionlint_core::finding::Finding;

use self::source::{Piece, Source};
use self::work::{Item, Step};
use super::{Run, SMALL_BLOCK, Sink, lock, next_size};
use crate::compressed::{Decompressor, ReadError};

/// How large a block is, in bytes. It may go from core to core between its steps, which must be little beside these;
/// and all that are under way are best kept in the cores' caches.
const BLOCK: usize = 128 * 1024;

/// How many threads share a file at most. Judging is about half of the work, so that a third one has little to do, and
/// each has its memory.
const MOST_THREADS: usize = 4;

/// Checks one file.
pub fn check(run: &Run<'_>, name: &str, reader: impl Read + Send, sink: &Mutex<Sink<'_>>) {
    let reader = match Decompressor::new(reader) {
        Ok(reader) => reader,
        Err(cause) => {
            lock(sink).unreadable(name, cause);
            return;
        }
    };
    let file: Arc<str> = name.into();
    let checker = Box::new(Checker::of(run.protocol, &run.settings[0], Some(file.clone())));
    let threads = run.jobs.min(MOST_THREADS);
    let shared = Shared {
        run,
        file,
        source: Mutex::new(Source::new(reader, run.progress)),
        // Nobody knows yet what the first one gives.
        size: AtomicUsize::new(SMALL_BLOCK),
        work: Mutex::new(Work::new(checker, threads)),
        changed: Condvar::new(),
        sink,
    };
    // The first block tells whether there are lines to share; without them, one thread does it all. The second is the
    // end of a small file, which is not worth a thread.
    if !shared.work(0, 2) {
        return;
    }
    if !shared.lock().judge().is_some_and(|checker| checker.at_line_start()) {
        shared.work(0, u64::MAX);
        return;
    }
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let shared = &shared;
            scope.spawn(move || shared.work(thread, u64::MAX));
        }
    });
}

type Work<'p> = work::Work<Block<'p>, Box<Checker>>;

struct Shared<'s, 'k, 'p, R: Read> {
    run: &'s Run<'p>,
    /// The input's name.
    file: Arc<str>,
    source: Mutex<Source<'s, R>>,
    /// How much is read at once now, in bytes.
    size: AtomicUsize,
    work: Mutex<Work<'p>>,
    /// There is something to do for a thread that waits.
    changed: Condvar,
    sink: &'s Mutex<Sink<'k>>,
}

#[derive(Default)]
struct Block<'p> {
    piece: Piece,
    /// What was seen in it ahead, if it was examined.
    examined: Examined<'p>,
    is_examined: bool,
    found: Vec<Finding>,
    /// Behind the last block.
    checker: Option<Box<Checker>>,
}

impl<'p, R: Read> Shared<'_, '_, 'p, R> {
    fn lock(&self) -> MutexGuard<'_, Work<'p>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads so many blocks, or all there are, and does what is to be done. False: there is nothing more to do.
    fn work(&self, thread: usize, most: u64) -> bool {
        let _watch = Watch(self);
        let (mut count, mut examiner) = (0, None);
        let mut work = self.lock();
        while !work.is_over {
            let Some(step) = work.step(thread, count < most) else {
                if count == most {
                    return true;
                }
                work.sleep(thread);
                let woken = self.changed.wait_while(work, |work| !work.wake(thread));
                work = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let is_to_wake = work.is_to_wake();
            drop(work);
            if is_to_wake {
                self.changed.notify_all();
            }
            match step {
                Step::Read(mut item) => {
                    count += 1;
                    self.read(&mut item, &mut examiner);
                    work = self.lock();
                    work.examined(item);
                }
                Step::Judge(mut item, mut checker) => {
                    self.judge(&mut item.block, &mut checker);
                    let checker = match item.block.piece.is_last() {
                        true => {
                            item.block.checker = Some(checker);
                            None
                        }
                        false => Some(checker),
                    };
                    work = self.lock();
                    work.judged(item, checker, thread);
                }
                Step::Tell(mut item) => {
                    let is_over = !self.tell(&mut item.block);
                    work = self.lock();
                    work.told(item);
                    work.is_over |= is_over;
                }
            }
        }
        drop(work);
        self.changed.notify_all();
        false
    }

    /// Reads a block, and examines it, unless it can be judged at once. It is then judged in one pass.
    fn read(&self, item: &mut Item<Block<'p>>, examiner: &mut Option<Examiner<'p>>) {
        let size = self.size.load(Ordering::Relaxed);
        item.number = self.source.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut item.block.piece, size);
        let is_next = self.lock().has_read(item);
        let block = &mut item.block;
        block.is_examined = !is_next;
        if block.is_examined {
            let longest = self.run.settings[0].options().max_line_bytes();
            let examiner = examiner.get_or_insert_with(|| Examiner::new(self.run.protocol, longest));
            examiner.examine(block.piece.bytes(), &mut block.examined);
        }
        item.is_bound = block.is_examined && block.examined.has_faults();
    }

    /// Moves the tables by a block, and keeps what was found.
    fn judge(&self, block: &mut Block<'p>, checker: &mut Checker) {
        // Findings share their names. To count who holds them in two threads at once costs more than all the rest, so that
        // they are dropped where they are made.
        block.found.clear();
        let bytes = block.piece.bytes();
        match block.is_examined {
            true => checker.feed_examined(bytes, &mut block.examined),
            false => checker.feed(bytes),
        }
        std::mem::swap(&mut block.found, checker.findings());
        self.size.store(next_size(bytes.len(), block.found.len(), BLOCK), Ordering::Relaxed);
    }

    /// Tells what was found in a block. False: there is nothing more to tell.
    fn tell(&self, block: &mut Block<'p>) -> bool {
        let told = block.found.is_empty() || lock(self.sink).findings(&block.found);
        let Some(checker) = block.checker.take() else { return told };
        if told {
            let mut sink = lock(self.sink);
            let is_off = |rule: &str| self.run.is_off(0, rule);
            match block.piece.failed.take() {
                None => sink.end(&self.file, checker.finish(), is_off),
                Some(ReadError::Damaged(cause)) => sink.end(&self.file, checker.finish_damaged(&cause), is_off),
                Some(ReadError::Unreadable(cause)) => sink.unreadable(&self.file, cause),
            };
        }
        false
    }
}

/// Ends the work for all if a thread panics, so that the others do not wait for it for ever.
struct Watch<'w, 's, 'k, 'p, R: Read>(&'w Shared<'s, 'k, 'p, R>);

impl<R: Read> Drop for Watch<'_, '_, '_, '_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_over = true;
            self.0.changed.notify_all();
        }
    }
}
