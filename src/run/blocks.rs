//! Checks one file with several threads.
//!
//! A block of lines goes through three steps: it is examined, which needs no state of any stream; it is judged by the
//! tables; and its findings are reported. Any thread does any step. Blocks are examined in parallel, but judged and
//! reported one at a time and in order, so that findings need no sorting.
//!
//! No thread waits for another as long as there is room for one more block. Therefore a thread that the system
//! suspends in the middle of a step does not stop the rest.

mod lines;
mod work;

use std::io::Read;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use sessionlint_core::check::{ExaminedBlock, Examiner, StreamChecker};
use sessionlint_core::finding::Finding;

use self::lines::{LineBlock, LineReader};
use self::work::{Item, Step};
use super::{JudgedBy, Run, SMALL_BLOCK, Sink, lock, next_size};
use crate::compressed::{Decompressor, ReadError};

/// Size of a block, in bytes. Large enough that moving a block from core to core between its steps costs little compared
/// to the steps; small enough that all blocks in flight stay in the cores' caches.
const BLOCK: usize = 128 * 1024;

/// Maximum number of threads that share a file. Judging is about half of the work, so that a third thread has little to
/// do already, and each thread needs memory.
const MOST_THREADS: usize = 4;

/// Checks one file, the only target of the run.
pub fn check<'r>(run: &Run<'r>, by: &JudgedBy<'r>, name: &str, reader: impl Read + Send, sink: &Mutex<Sink<'_>>) {
    let reader = match Decompressor::new(reader) {
        Ok(reader) => reader,
        Err(cause) => {
            lock(sink).unreadable(name, cause);
            return;
        }
    };
    let file: Arc<str> = name.into();
    let checker = Box::new(StreamChecker::new(by.protocol, &by.settings, Some(file.clone())));
    let threads = run.jobs.min(MOST_THREADS);
    let shared = Shared {
        by,
        file,
        source: Mutex::new(LineReader::new(reader, run.progress)),
        // How many findings the first block gives is not known yet.
        size: AtomicUsize::new(SMALL_BLOCK),
        work: Mutex::new(Work::new(checker, threads)),
        changed: Condvar::new(),
        sink,
    };
    // The first block shows whether there are lines to share; without them, one thread does everything. The second block
    // is the end of a small file, which is not worth another thread.
    if !shared.work(0, 2) {
        return;
    }
    if !shared.lock().judge().is_some_and(|checker| checker.at_line_start()) {
        shared.work(0, u64::MAX);
        return;
    }
    std::thread::scope(|scope| {
        let shared = &shared;
        let begin = |thread| Builder::new().spawn_scoped(scope, move || shared.work(thread, u64::MAX)).ok();
        // This thread works too: where no other can be had, it does everything.
        (1..threads).map_while(begin).for_each(drop);
        shared.work(0, u64::MAX);
    });
}

type Work<'p> = work::Work<Block<'p>, Box<StreamChecker>>;

/// The state that the threads share.
struct Shared<'s, 'k, 'p, R: Read> {
    by: &'s JudgedBy<'p>,
    /// The input's name.
    file: Arc<str>,
    source: Mutex<LineReader<'s, R>>,
    /// Size of the next block to read, in bytes.
    size: AtomicUsize,
    work: Mutex<Work<'p>>,
    /// Notified when there is something to do for a waiting thread.
    changed: Condvar,
    sink: &'s Mutex<Sink<'k>>,
}

/// A block of lines, and what its steps have produced.
#[derive(Default)]
struct Block<'p> {
    lines: LineBlock,
    /// The result of examining the block; unused unless `is_examined`.
    examined: ExaminedBlock<'p>,
    is_examined: bool,
    found: Vec<Finding>,
    /// The checker, after the last block of the input.
    checker: Option<Box<StreamChecker>>,
}

impl<'p, R: Read> Shared<'_, '_, 'p, R> {
    fn lock(&self) -> MutexGuard<'_, Work<'p>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads at most `most` blocks and does the open steps. Returns `false` if there is nothing more to do.
    fn work(&self, thread: usize, most: u64) -> bool {
        let _guard = PanicGuard(self);
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
                    let checker = match item.block.lines.is_last() {
                        true => {
                            item.block.checker = Some(checker);
                            None
                        }
                        false => Some(checker),
                    };
                    work = self.lock();
                    work.judged(item, checker, thread);
                }
                Step::Report(mut item) => {
                    let is_over = !self.report(&mut item.block);
                    work = self.lock();
                    work.reported(item);
                    work.is_over |= is_over;
                }
            }
        }
        drop(work);
        self.changed.notify_all();
        false
    }

    /// Reads a block, and examines it unless it can be judged at once; then it is judged in one pass instead.
    fn read(&self, item: &mut Item<Block<'p>>, examiner: &mut Option<Examiner<'p>>) {
        let size = self.size.load(Ordering::Relaxed);
        item.number = self.source.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut item.block.lines, size);
        let is_next = self.lock().has_read(item);
        let block = &mut item.block;
        block.is_examined = !is_next;
        if block.is_examined {
            let longest = self.by.settings.options().max_line_bytes();
            let examiner = examiner.get_or_insert_with(|| Examiner::new(self.by.protocol, longest));
            examiner.examine(block.lines.bytes(), &mut block.examined);
        }
        item.is_bound = block.is_examined && block.examined.has_faults();
    }

    /// Applies a block to the tables, and keeps its findings.
    fn judge(&self, block: &mut Block<'p>, checker: &mut StreamChecker) {
        // Findings share names by reference counts. Updating the counts from two threads at once costs more than all the
        // rest, so that findings are dropped by the thread that made them.
        block.found.clear();
        let bytes = block.lines.bytes();
        match block.is_examined {
            true => checker.feed_examined(bytes, &mut block.examined),
            false => checker.feed(bytes),
        }
        std::mem::swap(&mut block.found, checker.findings());
        self.size.store(next_size(bytes.len(), block.found.len(), BLOCK), Ordering::Relaxed);
    }

    /// Reports the findings of a block. Returns `false` if there is nothing more to report.
    fn report(&self, block: &mut Block<'p>) -> bool {
        let is_written = block.found.is_empty() || lock(self.sink).findings(&block.found);
        let Some(checker) = block.checker.take() else { return is_written };
        if is_written {
            let mut sink = lock(self.sink);
            let file = slice::from_ref(&self.file);
            match block.lines.failed.take() {
                None => sink.end_by(self.by, file, checker.finish()),
                Some(ReadError::Damaged(cause)) => sink.end_by(self.by, file, checker.end(Some(&cause)).0),
                Some(ReadError::Unreadable(cause)) => sink.unreadable(&self.file, cause),
            };
        }
        false
    }
}

/// Ends the work of all threads if one panics, so that the others do not wait for it for ever.
struct PanicGuard<'w, 's, 'k, 'p, R: Read>(&'w Shared<'s, 'k, 'p, R>);

impl<R: Read> Drop for PanicGuard<'_, '_, '_, '_, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_over = true;
            self.0.changed.notify_all();
        }
    }
}
