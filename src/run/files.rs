//! Several files: each by one thread, several at once.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::turns::{Turns, Watch};
use super::{BLOCK, MANY_FINDINGS, Run, SMALL_BLOCK, Sink, Target, lock};
use crate::check::Checker;
use crate::finding::Finding;
use crate::input::compressed::{Decompressed, ReadError};

/// How many findings of a file are held back until the files before it are through; with more, its thread waits.
const MOST_HELD: usize = 1000;

/// Checks files, and tells of each in its turn.
pub fn check(run: &Run<'_>, targets: &[Target], sink: &Mutex<Sink<'_>>) {
    let (next, turns) = (AtomicUsize::new(0), Turns::default());
    let work = || {
        let _watch = Watch(&turns);
        let mut block = vec![0; BLOCK];
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(target) = targets.get(number) else { return };
            if turns.is_over() {
                return;
            }
            let mut file = OneFile { run, sink, turns: &turns, number, held: Vec::new(), block: &mut block };
            if file.check(target) {
                turns.pass();
            } else {
                return turns.give_up();
            }
        }
    };
    let jobs = run.jobs.min(targets.len());
    if jobs <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
}

struct OneFile<'f, 's> {
    run: &'f Run<'f>,
    sink: &'f Mutex<Sink<'s>>,
    turns: &'f Turns,
    number: usize,
    /// Findings that wait for the file's turn.
    held: Vec<Finding>,
    /// What is read into, of one file after the other.
    block: &'f mut [u8],
}

impl OneFile<'_, '_> {
    /// Checks one file. False: the report cannot be written, or the turn will not come.
    fn check(&mut self, target: &Target) -> bool {
        match target {
            Target::StandardInput => self.read("-", io::stdin().lock()),
            Target::File(path) => match File::open(path) {
                Ok(file) => self.read(&path.to_string_lossy(), file),
                Err(cause) => self.turn(|sink| sink.unreadable(&path.to_string_lossy(), cause)),
            },
        }
    }

    fn read(&mut self, name: &str, reader: impl Read) -> bool {
        let (run, number) = (self.run, self.number);
        let file: Arc<str> = name.into();
        let mut checker = Checker::of(run.protocol, &run.settings[number], Some(file.clone()));
        if run.exercises {
            checker.exercise();
        }
        let mut reader = match Decompressed::new(reader) {
            Ok(reader) => reader,
            Err(cause) => return self.turn(|sink| sink.unreadable(name, cause)),
        };
        let mut size = BLOCK;
        let (report, exercised) = loop {
            match reader.read(&mut self.block[..size]) {
                Ok(0) => break checker.end(None),
                Ok(count) => {
                    run.progress.read(count);
                    checker.feed(&self.block[..count]);
                }
                Err(ReadError::Damaged(cause)) => break checker.end(Some(&cause)),
                Err(ReadError::Unreadable(cause)) => {
                    self.held.extend(checker.findings());
                    return self.turn(|sink| sink.unreadable(name, cause));
                }
            }
            let found = checker.findings();
            size = if found.len() > MANY_FINDINGS { SMALL_BLOCK } else { BLOCK };
            self.held.extend(found);
            let now = !self.held.is_empty() && (self.held.len() > MOST_HELD || self.turns.is_up(self.number as u64));
            if now && !self.turn(|_| true) {
                return false;
            }
        };
        self.turn(|sink| {
            sink.exercised(exercised);
            sink.end(&file, report, |rule| run.is_off(number, rule))
        })
    }

    /// Waits for the file's turn and tells what was held back, then does one thing more.
    fn turn(&mut self, then: impl FnOnce(&mut Sink<'_>) -> bool) -> bool {
        if !self.turns.wait(self.number as u64) {
            return false;
        }
        let mut sink = lock(self.sink);
        sink.findings(self.held.drain(..)) && then(&mut sink)
    }
}
