//! Checks several files: several at once, each by one thread.

mod joined;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::slice;
use std::sync::{Arc, Mutex};

use sessionlint_core::check::StreamChecker;
use sessionlint_core::finding::{Finding, Report};
use sessionlint_core::framing::Framing;
use sessionlint_core::records::{RecordChecker, RecordIndex};

use super::parts::Parts;
use super::records::{self, OpenedInput};
use super::turns::{Turns, in_turns};
use super::{BLOCK, JudgedBy, Run, Sink, Target, lock, next_size};
use crate::compressed::{Decompressor, ReadError};

/// Maximum number of findings that are held back until the files before are reported; with more, the thread waits.
const MOST_HELD: usize = 1000;

/// Checks files, and reports each in its turn.
pub fn check(run: &Run<'_>, targets: &[Target], sink: &Mutex<Sink<'_>>) {
    let units = units(run, targets);
    let begin = || vec![0; BLOCK];
    in_turns(run.jobs, units.len(), begin, |block: &mut Vec<u8>, turns, number| {
        let mut file = Unit { run, sink, turns, number, held: Vec::new(), block };
        match &units[number] {
            UnitFiles::Apart(members) => file.check(members.iter().map(|number| open(run, targets, *number)).collect()),
            UnitFiles::Joined(parts) => file.check_joined(targets, parts),
        }
    });
}

/// The files of a unit of work.
enum UnitFiles {
    /// One file by itself, or the files of records that belong together.
    Apart(Vec<usize>),
    /// The parts of one recording.
    Joined(Parts),
}

impl UnitFiles {
    fn first(&self) -> Option<usize> {
        match self {
            UnitFiles::Apart(members) => members.iter().min().copied(),
            UnitFiles::Joined(parts) => parts.members.iter().min().copied(),
        }
    }
}

/// Groups targets into units of work, in the order of their first targets.
fn units(run: &Run<'_>, targets: &[Target]) -> Vec<UnitFiles> {
    let mut units = records::units(run.stored.as_ref(), targets);
    if !run.joins {
        return units.into_iter().map(UnitFiles::Apart).collect();
    }
    // Only a regular file can be read twice.
    let is_file = |number: &usize| matches!(&targets[*number], Target::File(path) if path.is_file());
    let mut joined = run.parts_of(targets);
    joined.retain(|parts| parts.members.iter().all(is_file));
    let members: HashSet<_> = joined.iter().flat_map(|parts| &parts.members).copied().collect();
    units.iter_mut().for_each(|unit| unit.retain(|number| !members.contains(number)));
    units.retain(|unit| !unit.is_empty());
    let mut units: Vec<_> =
        units.into_iter().map(UnitFiles::Apart).chain(joined.into_iter().map(UnitFiles::Joined)).collect();
    units.sort_by_key(UnitFiles::first);
    units
}

/// A target that was opened: its number, its name, and what it holds.
type Opened<'r> = (usize, Arc<str>, io::Result<OpenedInput<'r>>);

fn open<'r>(run: &Run<'r>, targets: &[Target], number: usize) -> Opened<'r> {
    let target = &targets[number];
    (number, target.name(), records::open(run, number, target))
}

/// Checks one file that is already open.
pub fn check_one<'r>(run: &Run<'r>, name: Arc<str>, opened: io::Result<OpenedInput<'r>>, sink: &Mutex<Sink<'_>>) {
    let turns = Turns::default();
    let mut block = vec![0; BLOCK];
    Unit { run, sink, turns: &turns, number: 0, held: Vec::new(), block: &mut block }.check(vec![(0, name, opened)]);
}

/// Files that are judged together: one stream, or the files of records that belong together.
pub(super) struct Unit<'f, 'r, 's> {
    pub(super) run: &'f Run<'r>,
    sink: &'f Mutex<Sink<'s>>,
    turns: &'f Turns,
    number: usize,
    /// Findings that wait for the unit's turn.
    held: Vec<Finding>,
    /// The buffer for reading, reused for each file.
    pub(super) block: &'f mut [u8],
}

impl<'r> Unit<'_, 'r, '_> {
    /// Checks files. Returns `false` if the report cannot be written, or the turn will not come.
    fn check(&mut self, mut files: Vec<Opened<'r>>) -> bool {
        let records = files.iter_mut().filter_map(|(number, name, opened)| match opened {
            Ok(OpenedInput::Records(file)) => Some((*number, &*name, file)),
            _ => None,
        });
        let mut records = records.peekable();
        let index = match (records.peek().is_some(), &self.run.stored) {
            (true, Some(stored)) => records::index_records(stored, records),
            _ => None,
        };
        files.into_iter().all(|(number, name, opened)| match opened {
            Ok(OpenedInput::Stream(reader, by)) => self.stream(&by, name, reader),
            Ok(OpenedInput::Ambiguous(finding, by)) => self.turn(|sink| {
                let mut report = Report::new(vec![*finding]);
                report.summary.files = 1;
                sink.end_by(&by, &[name], report)
            }),
            Ok(OpenedInput::Records(file)) => self.records(number, name, file, index.as_ref()),
            Ok(OpenedInput::Bodies(held)) => self.bodies(number, name, *held),
            Ok(OpenedInput::PassedOver(looks)) => self.turn(|sink| sink.passed_over(&name, looks)),
            Err(cause) => self.turn(|sink| sink.unreadable(&name, cause)),
        })
    }

    /// Judges a file of stored records. `index` has the records of the whole unit that others may refer to.
    fn records(&mut self, number: usize, file: Arc<str>, reader: File, index: Option<&RecordIndex>) -> bool {
        let run = self.run;
        let checker = run.stored.as_ref().zip(index).and_then(|(stored, index)| {
            let settings = (stored.settings)(number);
            RecordChecker::new(stored.protocol.get()?, &settings, stored.options, Some(file.clone()), index)
        });
        let Some(mut checker) = checker else {
            let cause = io::Error::other("it cannot be read a second time");
            return self.turn(|sink| sink.unreadable(&file, cause));
        };
        let mut reader = match Decompressor::new(reader) {
            Ok(reader) => reader,
            Err(cause) => return self.turn(|sink| sink.unreadable(&file, cause)),
        };
        let report = loop {
            match reader.read(self.block) {
                Ok(0) => break checker.end(None),
                Ok(count) => {
                    run.progress.add_bytes(count);
                    checker.feed(&self.block[..count]);
                }
                Err(ReadError::Damaged(cause)) => break checker.end(Some(&cause)),
                Err(ReadError::Unreadable(cause)) => {
                    self.hold_back(checker.findings());
                    return self.turn(|sink| sink.unreadable(&file, cause));
                }
            }
            self.hold_back(checker.findings());
            if !self.report_if_due() {
                return false;
            }
        };
        self.turn(|sink| {
            // An empty list of records is one, and so is a broken one.
            let by_rule = &report.summary.by_rule;
            let is_nothing = |rule: &Framing| by_rule.contains_key(rule.name());
            sink.outcome.has_judged |= ![Framing::NoEvents, Framing::EmptyInput].iter().any(is_nothing);
            sink.end(slice::from_ref(&file), report, |rule| run.is_off_stored(number, rule))
        })
    }

    /// Returns a checker for a stream in a file.
    pub(super) fn checker(&self, by: &JudgedBy<'_>, file: &Arc<str>) -> StreamChecker {
        let mut checker = StreamChecker::new(by.protocol, &by.settings, Some(file.clone()));
        if self.run.exercises {
            checker.count_coverage();
        }
        checker
    }

    /// Judges a file that holds a stream of events.
    fn stream(&mut self, by: &JudgedBy<'_>, file: Arc<str>, reader: impl Read) -> bool {
        let run = self.run;
        let name = &*file;
        let mut checker = self.checker(by, &file);
        let mut reader = match Decompressor::new(reader) {
            Ok(reader) => reader,
            Err(cause) => return self.turn(|sink| sink.unreadable(name, cause)),
        };
        let mut size = BLOCK;
        let (report, exercised) = loop {
            match reader.read(&mut self.block[..size]) {
                Ok(0) => break checker.end(None),
                Ok(count) => {
                    run.progress.add_bytes(count);
                    checker.feed(&self.block[..count]);
                }
                Err(ReadError::Damaged(cause)) => break checker.end(Some(&cause)),
                Err(ReadError::Unreadable(cause)) => {
                    self.hold_back(checker.findings());
                    return self.turn(|sink| sink.unreadable(name, cause));
                }
            }
            size = next_size(size, checker.findings().len(), BLOCK);
            self.hold_back(checker.findings());
            if !self.report_if_due() {
                return false;
            }
        };
        self.turn(|sink| {
            sink.add_exercised(exercised);
            sink.end_by(by, slice::from_ref(&file), report)
        })
    }

    /// Holds findings back until the unit's turn.
    pub(super) fn hold_back(&mut self, findings: &mut Vec<Finding>) {
        if self.held.is_empty() {
            std::mem::swap(&mut self.held, findings);
        } else {
            self.held.append(findings);
        }
    }

    /// Reports the findings held back if it is the unit's turn, or waits for the turn if there are too many.
    pub(super) fn report_if_due(&mut self) -> bool {
        let now = !self.held.is_empty() && (self.held.len() > MOST_HELD || self.turns.is_up(self.number));
        !now || self.turn(|_| true)
    }

    /// Waits for the unit's turn, reports the findings held back, and then calls `then`.
    pub(super) fn turn(&mut self, then: impl FnOnce(&mut Sink<'_>) -> bool) -> bool {
        if !self.turns.wait(self.number) {
            return false;
        }
        let mut sink = lock(self.sink);
        let is_written = sink.findings(&self.held);
        self.held.clear();
        is_written && then(&mut sink)
    }
}
