//! One file by several threads: each takes a block of lines, examines it, and then moves the tables by it in its
//! turn.
//!
//! What needs the state of streams is done by one thread at a time, in the order of the blocks: that is the smaller
//! part of the work, it keeps findings in order by itself, and no thread ever waits for another phase to be over. What
//! was found is told in a turn of its own, so that one thread writes findings while another makes the next.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::turns::{Turns, Watch};
use super::{Progress, Run, SMALL_BLOCK, Sink, lock, next_size};
use crate::check::{Checker, Examined, Examiner};
use crate::finding::Finding;
use crate::input::compressed::{Decompressed, ReadError};

/// How much a thread takes at once, in bytes. The state of the streams goes from core to core with every turn; that
/// must be little beside the work of the turn.
const BLOCK: usize = 256 * 1024;

/// The same after a block that gave many findings, which take more room than what they are about.
const BLOCK_OF_MANY: usize = 64 * 1024;

/// How many threads share a file at most. What one of them does at a time is about half of the work, so that a third one
/// has little to do, and each has its memory.
const MOST_THREADS: usize = 4;

/// Checks one file.
pub fn check(run: &Run<'_>, name: &str, reader: impl Read + Send, sink: &Mutex<Sink<'_>>) {
    let reader = match Decompressed::new(reader) {
        Ok(reader) => reader,
        Err(cause) => {
            lock(sink).unreadable(name, cause);
            return;
        }
    };
    let (file, settings): (Arc<str>, _) = (name.into(), &run.settings[0]);
    let checker = Checker::of(run.protocol, settings, Some(file.clone()));
    let shared = Shared {
        run,
        file,
        source: Mutex::new(Source { reader, progress: run.progress, rest: Vec::new(), next: 0, ended: false }),
        checker: Mutex::new(Some(checker)),
        judging: Turns::default(),
        telling: Turns::default(),
        // Nobody knows yet what the first one gives.
        size: AtomicUsize::new(SMALL_BLOCK),
        sink,
    };
    // The first block tells whether there are lines to share; without them, one thread does it all. The second is the
    // end of a small file, which is not worth a thread.
    if !shared.work(None, 2) {
        return;
    }
    let checker = shared.checker.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = checker.as_ref().is_some_and(Checker::at_line_start);
    drop(checker);
    if !lines {
        shared.work(None, u64::MAX);
        return;
    }
    std::thread::scope(|scope| {
        for _ in 0..run.jobs.min(MOST_THREADS) {
            scope.spawn(|| shared.work(Some(Examiner::new(run.protocol, settings.options().max_line_bytes)), u64::MAX));
        }
    });
}

struct Shared<'s, 'k, 'p, R: Read> {
    run: &'s Run<'p>,
    /// The input's name.
    file: Arc<str>,
    source: Mutex<Source<'s, R>>,
    /// None once the input has ended.
    checker: Mutex<Option<Checker<'p>>>,
    /// The turns in which blocks move the tables.
    judging: Turns,
    /// Those in which it is told what was found in them.
    telling: Turns,
    sink: &'s Mutex<Sink<'k>>,
    /// How much a thread takes at once now, in bytes.
    size: AtomicUsize,
}

struct Source<'s, R: Read> {
    reader: Decompressed<R>,
    progress: &'s Progress,
    /// The start of a line that the last block did not hold the end of; shorter than a block.
    rest: Vec<u8>,
    next: u64,
    ended: bool,
}

/// A piece of the input, in a buffer that is used again.
struct Block {
    number: u64,
    buffer: Vec<u8>,
    /// How much of the buffer it takes: whole lines, if the block before it ended with a line. Nothing at the end.
    length: usize,
    result: Result<(), ReadError>,
}

impl<R: Read> Source<'_, R> {
    /// The next block, up to the end of its last line; about so large.
    fn block(&mut self, mut buffer: Vec<u8>, size: usize) -> Block {
        if buffer.len() < 2 * BLOCK {
            buffer.resize(2 * BLOCK, 0);
        }
        let mut length = self.rest.len();
        buffer[..length].copy_from_slice(&self.rest);
        self.rest.clear();
        let mut result = Ok(());
        while !self.ended && length < size {
            match self.reader.read(&mut buffer[length..length + size]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.progress.read(count);
                    let came = &buffer[length..length + count];
                    length += count;
                    // What a pipe has to give is judged at once. What is decompressed comes in pieces too small to share.
                    if self.reader.is_plain() && memchr::memchr(b'\n', came).is_some() {
                        break;
                    }
                }
                Err(error) => {
                    self.ended = true;
                    result = Err(error);
                }
            }
        }
        if result.is_ok()
            && let Some(end) = memchr::memrchr(b'\n', &buffer[..length])
        {
            self.rest.extend_from_slice(&buffer[end + 1..length]);
            length = end + 1;
        }
        self.next += 1;
        Block { number: self.next - 1, buffer, length, result }
    }
}

impl<'p, R: Read> Shared<'_, '_, 'p, R> {
    /// Takes so many blocks, or all there are. Without an examiner, all is done in the block's turn. False: there is
    /// nothing more to do.
    fn work(&self, mut examiner: Option<Examiner<'p>>, most: u64) -> bool {
        let _watch = [Watch(&self.judging), Watch(&self.telling)];
        let (mut examined, mut found) = (Examined::default(), Vec::new());
        let mut buffer = Vec::new();
        for _ in 0..most {
            let block = self
                .source
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .block(buffer, self.size.load(Ordering::Relaxed));
            if let Some(examiner) = &mut examiner {
                examiner.examine(&block.buffer[..block.length], &mut examined);
            }
            if !self.judging.wait(block.number) {
                return false;
            }
            let is_last = block.length == 0 || block.result.is_err();
            let ended = self.judge(&block, examiner.is_some().then_some(&mut examined), is_last, &mut found);
            if is_last {
                self.judging.give_up();
            } else {
                self.judging.pass();
            }
            if !self.telling.wait(block.number) {
                return false;
            }
            let told = found.is_empty() || lock(self.sink).findings(&found);
            if is_last || !told {
                if let Some(checker) = ended.filter(|_| told) {
                    self.end(checker, block.result);
                }
                self.judging.give_up();
                self.telling.give_up();
                return false;
            }
            self.telling.pass();
            buffer = block.buffer;
        }
        true
    }

    /// Moves the tables by a block, and gives what was found in the place of what was told. The checker itself, if this is
    /// the last one.
    fn judge(
        &self,
        block: &Block,
        examined: Option<&mut Examined<'p>>,
        is_last: bool,
        found: &mut Vec<Finding>,
    ) -> Option<Checker<'p>> {
        let mut shared = self.checker.lock().unwrap_or_else(PoisonError::into_inner);
        let checker = shared.as_mut()?;
        // Findings share their names. To count who holds them in two threads at once costs more than all the rest, so that
        // they are dropped where they are made.
        found.clear();
        let bytes = &block.buffer[..block.length];
        match examined {
            Some(examined) => checker.feed_examined(bytes, examined),
            None => checker.feed(bytes),
        }
        std::mem::swap(found, checker.findings());
        self.size.store(next_size(bytes.len(), found.len(), BLOCK, BLOCK_OF_MANY), Ordering::Relaxed);
        shared.take_if(|_| is_last)
    }

    fn end(&self, checker: Checker<'_>, result: Result<(), ReadError>) {
        let mut sink = lock(self.sink);
        let is_off = |rule: &str| self.run.is_off(0, rule);
        match result {
            Ok(()) => sink.end(&self.file, checker.finish(), is_off),
            Err(ReadError::Damaged(cause)) => sink.end(&self.file, checker.finish_damaged(&cause), is_off),
            Err(ReadError::Unreadable(cause)) => sink.unreadable(&self.file, cause),
        };
    }
}
