//! Paths → checked files. No format and no rule is known here by name.
//!
//! Findings come out in the order of the files and of their lines, whatever the number of threads.

mod blocks;
mod files;
mod follow;
mod lint;
mod live;
mod paths;
mod patient;
mod progress;
mod stored;
mod tap;
mod turns;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use follow::{Change, Growing};
pub use lint::{Change as FileChange, Lint, Mended, Mending, Told, is_looked_at, with_fixtures};
pub use paths::{Excluded, Target, expand, is_recording, start};
pub use patient::Patient;
pub use progress::Progress;
pub use stored::{RecordProtocol, Stored, holds_records};
pub use tap::{Tap, exit_code};

use sessionlint_core::check::Exercised;
use sessionlint_core::event::Settings;
use sessionlint_core::finding::{Finding, Report, Severity, Stats, Summary};
use sessionlint_core::protocol::Protocol;
use stored::Opened;

use crate::compressed::{Decompressed, ReadError};
use crate::config::baseline::Baseline;
use crate::error::RunError;
use crate::report::{FileEnd, Reporter};

/// How much one thread reads at once, in bytes: no more than stays in a core's cache.
const BLOCK: usize = 64 * 1024;

/// How much is read at once after a piece that gave many findings: these too must stay in a core's cache until they are
/// written.
const SMALL_BLOCK: usize = 16 * 1024;
const MANY_FINDINGS: usize = 50;
/// About how many findings a piece may give where nearly every byte gives one, and how small it gets at most, in bytes.
const MOST_FINDINGS: usize = 2000;
const SMALLEST_BLOCK: usize = 8 * 1024;

/// How much to read at once after a piece of so many bytes gave so many findings: `usual`, or less.
fn next_size(bytes: usize, findings: usize, usual: usize) -> usize {
    if findings <= MANY_FINDINGS {
        return usual;
    }
    (bytes.saturating_mul(MOST_FINDINGS) / findings).clamp(SMALLEST_BLOCK, SMALL_BLOCK)
}

/// What to check, and how.
pub struct Run<'r> {
    pub protocol: &'r Protocol,
    /// Of each target, in their order. Targets that are judged alike share theirs.
    pub settings: &'r [Arc<Settings>],
    /// How files of stored records are judged, if any are.
    pub stored: Option<Stored<'r>>,
    /// The severity of an entry of the baseline that has no finding any more; none: it is not reported.
    pub stale: Option<Severity>,
    /// The most findings that are shown; all count.
    pub max_findings: Option<u64>,
    /// How many threads may work, at least one.
    pub jobs: usize,
    /// Is told how far the run has come.
    pub progress: &'r Progress,
    /// Whether it is counted what of the protocol is exercised. Each file is then the work of one thread.
    pub exercises: bool,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub summary: Summary,
    pub stats: Stats,
    /// How many findings were not shown.
    pub hidden: u64,
    /// What could not be read.
    pub unreadable: Vec<RunError>,
    /// What of the protocol was exercised, if that was counted.
    pub exercised: Option<Box<Exercised>>,
}

impl Run<'_> {
    /// Checks all targets. A file that cannot be read does not keep the others from being checked.
    ///
    /// # Errors
    ///
    /// Only when the report cannot be written.
    pub fn check(
        &self,
        targets: &[Target],
        baseline: Option<&mut Baseline>,
        reporter: &mut (dyn Reporter + Send),
    ) -> io::Result<Outcome> {
        let sink = Mutex::new(self.sink(baseline, reporter));
        match targets {
            [one] if self.jobs > 1 && !self.exercises => {
                match (one.name(), stored::open(self.stored.as_ref(), self.protocol, one)) {
                    (name, Ok(Opened::Stream(reader))) => blocks::check(self, &name, reader, &sink),
                    (name, opened) => files::one(self, name, opened, &sink),
                }
            }
            _ => files::check(self, targets, &sink),
        }
        self.outcome(sink)
    }

    /// What the run came to, when all files were told of.
    fn outcome(&self, sink: Mutex<Sink<'_>>) -> io::Result<Outcome> {
        let mut sink = sink.into_inner().unwrap_or_else(PoisonError::into_inner);
        if sink.failed.is_none() {
            sink.end_of_run(self.stale);
        }
        match sink.failed {
            Some(error) => Err(error),
            None => Ok(sink.outcome),
        }
    }

    fn sink<'s>(&'s self, baseline: Option<&'s mut Baseline>, reporter: &'s mut (dyn Reporter + Send)) -> Sink<'s> {
        Sink {
            reporter,
            baseline,
            held: BTreeMap::new(),
            progress: self.progress,
            max_findings: self.max_findings,
            shown: 0,
            hidden_before: 0,
            outcome: Outcome::default(),
            failed: None,
        }
    }

    /// Whether a rule is off for a target.
    fn is_off(&self, target: usize, rule: &str) -> bool {
        self.settings[target].severity(self.protocol, rule) == Some(None)
    }

    /// The same for a target that holds stored records.
    fn is_off_stored(&self, target: usize, rule: &str) -> bool {
        self.stored.is_some_and(|stored| {
            let severity =
                stored.protocol.get().and_then(|protocol| (stored.settings)(target).severity(protocol, rule));
            severity == Some(None)
        })
    }
}

/// Reads an input, decompressed, in pieces.
///
/// # Errors
///
/// When it cannot be read, or not to its end.
pub fn read(target: &Target, mut piece: impl FnMut(&[u8])) -> Result<(), RunError> {
    let unreadable = |cause| RunError::Unreadable { path: target.name().as_ref().into(), cause };
    let reader: Box<dyn Read> = match target {
        Target::StandardInput => Box::new(io::stdin()),
        Target::File(path) => Box::new(File::open(path).map_err(unreadable)?),
    };
    let mut reader = Decompressed::new(reader).map_err(unreadable)?;
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => piece(&block[..count]),
            Err(ReadError::Unreadable(cause)) => return Err(unreadable(cause)),
            Err(ReadError::Damaged(cause)) => return Err(unreadable(io::Error::other(cause))),
        }
    }
}

/// Where findings go, one file's after the other's.
struct Sink<'s> {
    reporter: &'s mut (dyn Reporter + Send),
    baseline: Option<&'s mut Baseline>,
    /// By rule: how many findings of this file the baseline holds back, and of which severity.
    held: BTreeMap<Arc<str>, (Severity, u64)>,
    progress: &'s Progress,
    max_findings: Option<u64>,
    shown: u64,
    /// How many findings of the files before this one were not shown.
    hidden_before: u64,
    outcome: Outcome,
    /// The report could not be written.
    failed: Option<io::Error>,
}

fn lock<'l, 's>(sink: &'l Mutex<Sink<'s>>) -> MutexGuard<'l, Sink<'s>> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink<'_> {
    /// Shows findings, except those that are known. False: the report cannot be written.
    fn findings(&mut self, findings: &[Finding]) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let mut new = findings.len();
        for finding in findings {
            if self.baseline.as_mut().is_some_and(|baseline| baseline.covers(finding)) {
                self.held.entry(finding.rule.clone()).or_insert((finding.severity, 0)).1 += 1;
                new -= 1;
                continue;
            }
            if self.max_findings.is_some_and(|most| self.shown >= most) {
                self.outcome.hidden += 1;
                continue;
            }
            self.shown += 1;
            if let Err(error) = self.reporter.finding(finding) {
                self.failed = Some(error);
                return false;
            }
        }
        self.progress.found(new);
        true
    }

    /// Lets everybody see what was told so far.
    fn show_now(&mut self) {
        self.failed = self.reporter.show_now().err();
    }

    /// Another file of the same name comes after the one that ended.
    fn anew(&mut self, file: &Arc<str>) {
        if let Some(baseline) = &mut self.baseline {
            baseline.restart_file(file);
        }
    }

    /// Adds what a file exercised that was read to its end.
    fn exercised(&mut self, exercised: Option<Box<Exercised>>) {
        match (&mut self.outcome.exercised, exercised) {
            (Some(sum), Some(more)) => sum.add(&more),
            (sum, more) => *sum = sum.take().or(more),
        }
    }

    /// Ends a file that was read to its end. `is_off`: whether a rule was off for it.
    fn end(&mut self, file: &Arc<str>, report: Report, is_off: impl Fn(&str) -> bool) -> bool {
        let Report { findings, mut repeats, mut summary, stats } = report;
        let shown = self.findings(&findings);
        if let Some(baseline) = &mut self.baseline {
            repeats.retain(|repeat| {
                let held = self.held.get_mut(&repeat.rule).filter(|_| baseline.covers_repeat(repeat));
                held.is_none_or(|(_, count)| {
                    *count += repeat.count;
                    false
                })
            });
            for (rule, (severity, count)) in std::mem::take(&mut self.held) {
                summary.hold_back(&rule, severity, count);
            }
            baseline.mark_judged(file, is_off);
        }
        self.outcome.summary.add(&summary);
        self.outcome.stats.add(&stats);
        shown && self.file_end(FileEnd { summary: Some(&summary), repeats: &repeats, ..FileEnd::of(file) })
    }

    /// Says what the baseline knows and was not found, as findings in the baseline itself.
    fn end_of_run(&mut self, stale: Option<Severity>) {
        let Some(baseline) = self.baseline.take_if(|baseline| !baseline.is_recording()) else { return };
        let Some(severity) = stale else { return };
        let found = baseline.stale_findings(severity);
        let Some(first) = found.first() else { return };
        let mut summary = Summary::default();
        summary.count(&first.rule, severity, found.len() as u64);
        self.outcome.summary.add(&summary);
        if self.findings(&found) {
            self.file_end(FileEnd { summary: Some(&summary), ..FileEnd::of(&baseline.name()) });
        }
    }

    /// Ends a file whose reading failed. What was found before is true all the same.
    fn unreadable(&mut self, path: &str, cause: io::Error) -> bool {
        // Of a file that is not counted, neither are its known findings.
        self.held.clear();
        let error = RunError::Unreadable { path: path.into(), cause };
        let end = FileEnd { unreadable: Some(&error), ..FileEnd::of(path) };
        let told = self.file_end(end);
        self.outcome.unreadable.push(error);
        told
    }

    fn file_end(&mut self, end: FileEnd<'_>) -> bool {
        let hidden = self.outcome.hidden - self.hidden_before;
        self.hidden_before = self.outcome.hidden;
        if let Err(error) = self.reporter.file_end(&FileEnd { hidden, ..end }) {
            self.failed = Some(error);
        }
        self.failed.is_none()
    }
}
