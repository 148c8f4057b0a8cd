//! Paths → checked files. This module knows no format and no rule by name.
//!
//! Findings are reported in the order of the files and of their lines, whatever the number of threads.

mod blocks;
mod bodies;
mod files;
mod follow;
mod judged_by;
mod lint;
mod live;
mod parts;
mod paths;
mod progress;
mod records;
mod retry;
mod selection;
mod split;
mod tap;
mod told;
mod traces;
mod turns;
mod walk;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use bodies::HeldBodies;
pub use follow::{FollowChange, FollowedFile};
pub use judged_by::{Candidates, Choice, JudgedBy, TargetProtocols};
pub use lint::{
    ExpectationArgs, FileChange, FixOptions, FixedFile, HOLDS_RESPONSES, LintOptions, is_lint_candidate, with_fixtures,
};
pub use paths::{ExcludeFilter, FoundTargets, PathSearch, Target, is_cassette_name, is_recording, start_folder};
pub use progress::Progress;
pub use records::{RecordProtocol, RecordSettings, holds_records};
pub use retry::RetryWriter;
pub use selection::Selection;
pub use tap::{Tap, exit_code};
pub use told::{Held, Told};

use parts::Parts;
use paths::is_stream_name;
use records::OpenedInput;
use selection::Selector;
use sessionlint_core::check::CoverageCounts;
use sessionlint_core::event::Settings;
use sessionlint_core::finding::{Finding, Repeat, Report, Severity, Stats, Summary};
use sessionlint_core::protocol::{Protocol, Upkeep};
use split::SplitWatch;

use crate::compressed::{Decompressor, ReadError};
use crate::config::baseline::Baseline;
use crate::error::RunError;
use crate::report::{BodyCounts, Completeness, FileEnd, GapReason, Reporter, Unselected};

/// Number of bytes that one thread reads at once: small enough to stay in a core's cache.
const BLOCK: usize = 64 * 1024;

/// Number of bytes that are read at once after a block with more than [`MANY_FINDINGS`]: the findings too must stay in a
/// core's cache until they are written.
const SMALL_BLOCK: usize = 16 * 1024;
const MANY_FINDINGS: usize = 50;
/// Target for the number of findings in a block if there are very many, and the smallest block size, in bytes.
const MOST_FINDINGS: usize = 2000;
const SMALLEST_BLOCK: usize = 8 * 1024;

/// Returns the number of bytes to read at once after a block of `bytes` bytes gave `findings` findings: `usual`, or less.
fn next_size(bytes: usize, findings: usize, usual: usize) -> usize {
    if findings <= MANY_FINDINGS {
        return usual;
    }
    (bytes.saturating_mul(MOST_FINDINGS) / findings).clamp(SMALLEST_BLOCK, SMALL_BLOCK)
}

/// A run: the protocol and settings by which targets are checked.
pub struct Run<'r> {
    /// The protocol by which targets are judged, unless their content tells another one.
    pub protocol: &'r Protocol,
    /// The settings of each target for that protocol, in their order. Targets that are judged alike share them.
    pub settings: &'r [Arc<Settings>],
    /// The protocols among which that of each target is found; `None` if one was named for all.
    pub candidates: Option<Candidates<'r>>,
    /// The settings for stored records; `None` if every file is judged as a stream.
    pub stored: Option<RecordSettings<'r>>,
    /// The severity of an entry of the baseline that has no finding any more; `None` if it is not reported.
    pub stale: Option<Severity>,
    /// The severity of the finding that files which are judged apart are parts of one recording; `None` if it is not
    /// reported.
    pub split: Option<Severity>,
    /// The findings that count. Everything is judged all the same.
    pub selection: &'r Selection,
    /// Maximum number of findings that are shown; those beyond it still count.
    pub max_findings: Option<u64>,
    /// Maximum number of threads, at least one.
    pub jobs: usize,
    /// Counters that the run updates as it proceeds.
    pub progress: &'r Progress,
    /// The files of folders: those that have nothing of the protocol in them are passed over.
    pub searched: &'r HashSet<PathBuf>,
    /// Whether to count which parts of the protocol are exercised. Each file is then checked by one thread.
    pub exercises: bool,
    /// Whether files that are parts of one recording by their names are judged as one input.
    pub joins: bool,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    pub summary: Summary,
    pub stats: Stats,
    /// Number of findings that were not shown.
    pub hidden: u64,
    /// The findings that were not selected; `None` if all are.
    pub unselected: Option<Unselected>,
    /// Files that could not be read.
    pub unreadable: Vec<RunError>,
    /// What was not checked.
    pub completeness: Completeness,
    /// Number of bodies of responses, if files held some.
    pub bodies: BodyCounts,
    /// Number of files of folders that were passed over because they have nothing of the protocol in them.
    pub passed_over: u64,
    /// Whether any event or record was judged, or at least a list without records.
    pub has_judged: bool,
    /// Which parts of the protocol were exercised, if that was counted.
    pub exercised: Option<Box<CoverageCounts>>,
    /// By protocol: the number of files that were judged by it, because it was found by their content.
    pub found: BTreeMap<String, u64>,
    /// By protocol: whether events were judged by it in a dialect. Several dialects of one protocol count as one.
    pub in_dialect: BTreeMap<String, bool>,
}

impl Outcome {
    /// Notes that events were judged by a protocol.
    fn note_dialect(&mut self, protocol: &Protocol) {
        *self.in_dialect.entry(protocol.name().to_owned()).or_default() |= protocol.dialect().is_some();
    }
}

impl Run<'_> {
    /// Checks all targets. A file that cannot be read does not keep the others from being checked.
    ///
    /// # Errors
    ///
    /// Returns an error only if the report cannot be written.
    pub fn check(
        &self,
        targets: &[Target],
        baseline: Option<&mut Baseline>,
        reporter: &mut (dyn Reporter + Send),
    ) -> io::Result<Outcome> {
        let mut sink = self.sink(baseline, reporter);
        if let Some(severity) = self.split.filter(|_| targets.len() > 1 && !self.joins) {
            sink.split = SplitWatch::new(self.protocol, severity, targets, &self.parts_of(targets));
        }
        let sink = Mutex::new(sink);
        match targets {
            [one] if self.jobs > 1 && !self.exercises => match (one.name(), records::open(self, 0, one)) {
                (name, Ok(OpenedInput::Stream(reader, by))) => blocks::check(self, &by, &name, reader, &sink),
                (name, opened) => files::check_one(self, name, opened, &sink),
            },
            _ => files::check(self, targets, &sink),
        }
        self.outcome(sink)
    }

    /// Ends the run after all files were reported, and returns its outcome.
    fn outcome(&self, sink: Mutex<Sink<'_>>) -> io::Result<Outcome> {
        let mut sink = sink.into_inner().unwrap_or_else(PoisonError::into_inner);
        if sink.failed.is_none() {
            sink.end_of_run(self.stale);
        }
        sink.outcome.unselected = sink.selector.as_ref().map(Selector::end);
        match sink.failed {
            Some(error) => Err(error),
            None => Ok(sink.outcome),
        }
    }

    fn sink<'s>(&'s self, baseline: Option<&'s mut Baseline>, reporter: &'s mut (dyn Reporter + Send)) -> Sink<'s> {
        Sink {
            finds: self.candidates.is_some(),
            reporter,
            baseline,
            held: BTreeMap::new(),
            selector: Selector::new(self.selection),
            progress: self.progress,
            max_findings: self.max_findings,
            shown: 0,
            hidden_before: 0,
            outcome: Outcome::default(),
            failed: None,
            split: None,
            split_notes: 0,
        }
    }

    /// Returns whether some of the targets are parts of one recording by their names.
    pub fn has_parts(&self, targets: &[Target]) -> bool {
        !self.parts_of(targets).is_empty()
    }

    /// Returns the recordings of which targets are parts by their names. Targets with different settings are not.
    fn parts_of(&self, targets: &[Target]) -> Vec<Parts> {
        parts::group(targets, |one, other| Arc::ptr_eq(&self.settings[one], &self.settings[other]))
    }

    /// Returns whether a rule of stored records is off for a target.
    fn is_off_stored(&self, target: usize, rule: &str) -> bool {
        self.stored.is_some_and(|stored| {
            let severity =
                stored.protocol.get().and_then(|protocol| (stored.settings)(target).severity(protocol, rule));
            severity == Some(None)
        })
    }
}

/// Reads an input, decompressed, and passes each piece to `piece`.
///
/// # Errors
///
/// Returns an error if the input cannot be read to its end.
pub fn read(target: &Target, mut piece: impl FnMut(&[u8])) -> Result<(), RunError> {
    let unreadable = |cause| RunError::Unreadable { path: target.name().as_ref().into(), cause };
    let mut reader = Decompressor::new(target.open().map_err(unreadable)?).map_err(unreadable)?;
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

/// Passes findings to the baseline, the report and the counts, one file after another.
struct Sink<'s> {
    /// Whether the protocols of inputs are found by their content.
    finds: bool,
    reporter: &'s mut (dyn Reporter + Send),
    baseline: Option<&'s mut Baseline>,
    /// By rule, the findings of the current file that the baseline holds back: their severity and number.
    held: BTreeMap<Arc<str>, (Severity, u64)>,
    /// What selects findings, after the baseline was asked.
    selector: Option<Selector<'s>>,
    progress: &'s Progress,
    max_findings: Option<u64>,
    shown: u64,
    /// Number of findings in the files before the current one that were not shown.
    hidden_before: u64,
    outcome: Outcome,
    /// Why the report could not be written, if it could not.
    failed: Option<io::Error>,
    /// Notices that files are parts of one recording.
    split: Option<SplitWatch>,
    /// Number of findings in the current file that say so.
    split_notes: u64,
}

fn lock<'l, 's>(sink: &'l Mutex<Sink<'s>>) -> MutexGuard<'l, Sink<'s>> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink<'_> {
    /// Reports findings, except those that the baseline knows. Returns `false` if the report cannot be written.
    fn findings(&mut self, findings: &[Finding]) -> bool {
        if self.failed.is_some() {
            return false;
        }
        let mut new = 0;
        for finding in findings {
            if let Some(note) = self.split.as_mut().and_then(|split| split.look(finding)) {
                self.split_notes += 1;
                new += usize::from(self.finding(&note));
            }
            new += usize::from(self.finding(finding));
            if self.failed.is_some() {
                return false;
            }
        }
        self.progress.add_findings(new);
        true
    }

    /// Reports a finding. Returns whether it counts: whether the baseline does not know it, and it is selected.
    fn finding(&mut self, finding: &Finding) -> bool {
        if self.failed.is_some() {
            return false;
        }
        self.outcome.completeness.add_finding(finding);
        if self.baseline.as_mut().is_some_and(|baseline| baseline.covers(finding)) {
            self.held.entry(finding.rule.clone()).or_insert((finding.severity, 0)).1 += 1;
            return false;
        }
        if self.selector.as_mut().is_some_and(|selector| !selector.admits(finding)) {
            return false;
        }
        if self.max_findings.is_some_and(|most| self.shown >= most) {
            self.outcome.hidden += 1;
            return true;
        }
        self.shown += 1;
        self.failed = self.reporter.finding(finding).err();
        true
    }

    /// Flushes the findings reported so far.
    fn show_now(&mut self) {
        self.failed = self.reporter.show_now().err();
    }

    /// Begins another file with the name of the one that ended.
    fn restart_file(&mut self, file: &Arc<str>) {
        if let Some(baseline) = &mut self.baseline {
            baseline.restart_file(file);
        }
    }

    /// Adds the parts of the protocol that a file exercised.
    fn add_exercised(&mut self, exercised: Option<Box<CoverageCounts>>) {
        match (&mut self.outcome.exercised, exercised) {
            (Some(sum), Some(more)) => sum.add(&more),
            (sum, more) => *sum = sum.take().or(more),
        }
    }

    /// Ends an input of events that was read to its end: a file, or several that were judged as one, by this protocol.
    /// Returns `false` if the report cannot be written.
    fn end_by(&mut self, by: &JudgedBy<'_>, files: &[Arc<str>], report: Report) -> bool {
        self.count_judged(by, &report.stats, files.len() as u64);
        self.end(files, report, |rule| by.is_off(rule))
    }

    /// Counts files that were judged by this protocol, if they had events of it.
    fn count_judged(&mut self, by: &JudgedBy<'_>, stats: &Stats, files: u64) {
        if by.has_events(stats) {
            self.outcome.has_judged = true;
            self.count_protocol(by.protocol, files);
        }
    }

    /// Counts files that have events of a protocol.
    fn count_protocol(&mut self, protocol: &Protocol, files: u64) {
        self.outcome.note_dialect(protocol);
        if self.finds {
            *self.outcome.found.entry(protocol.name().to_owned()).or_default() += files;
        }
    }

    /// Ends an input that was read to its end: a file, or several that were judged as one. `is_off` returns whether a rule
    /// was off for the files. Returns `false` if the report cannot be written.
    fn end(&mut self, files: &[Arc<str>], report: Report, is_off: impl Fn(&str) -> bool) -> bool {
        let Report { findings, mut repeats, mut summary, stats, .. } = report;
        let shown = self.findings(&findings);
        if let Some(split) = self.split.as_ref().filter(|_| self.split_notes > 0) {
            summary.count(Upkeep::SplitRecording.name(), split.severity(), std::mem::take(&mut self.split_notes));
        }
        if let Some(baseline) = &mut self.baseline {
            repeats.retain(|repeat| {
                let held = self
                    .held
                    .get_mut(&repeat.rule)
                    .filter(|_| files.iter().any(|file| baseline.covers_repeat(file, repeat)));
                held.is_none_or(|(_, count)| {
                    *count += repeat.count;
                    false
                })
            });
            for (rule, (severity, count)) in std::mem::take(&mut self.held) {
                summary.move_to_baselined(&rule, severity, count);
            }
            files.iter().for_each(|file| baseline.mark_judged(file, &is_off));
        }
        let unselected = self.take_out_unselected(&mut summary, &mut repeats);
        self.outcome.has_judged |= summary.records > 0;
        self.outcome.summary.add(&summary);
        self.outcome.stats.add(&stats);
        let last = files.last().map_or("", |file| file);
        shown && self.file_end(FileEnd { summary: Some(&summary), repeats: &repeats, unselected, ..FileEnd::of(last) })
    }

    fn take_out_unselected(&mut self, summary: &mut Summary, repeats: &mut Vec<Repeat>) -> Option<Unselected> {
        self.selector.as_mut().map(|selector| selector.end_file(summary, repeats))
    }

    /// Reports entries of the baseline that have no finding any more, as findings in the baseline itself.
    fn end_of_run(&mut self, stale: Option<Severity>) {
        let Some(baseline) = self.baseline.take_if(|baseline| !baseline.is_recording()) else { return };
        let Some(severity) = stale else { return };
        let found = baseline.stale_findings(severity);
        let Some(first) = found.first() else { return };
        let mut summary = Summary::default();
        summary.count(&first.rule, severity, found.len() as u64);
        let shown = self.findings(&found);
        let unselected = self.take_out_unselected(&mut summary, &mut Vec::new());
        self.outcome.summary.add(&summary);
        if shown {
            self.file_end(FileEnd { summary: Some(&summary), unselected, ..FileEnd::of(&baseline.name()) });
        }
    }

    /// Ends a file whose reading failed; findings up to there stay reported. Returns `false` if the report cannot be
    /// written.
    fn unreadable(&mut self, path: &str, cause: io::Error) -> bool {
        // The file is not counted, and so its known findings are not either.
        self.held.clear();
        self.selector.iter_mut().for_each(Selector::forget_file);
        self.split_notes = 0;
        let error = RunError::Unreadable { path: path.into(), cause };
        let end = FileEnd { unreadable: Some(&error), ..FileEnd::of(path) };
        let reported = self.file_end(end);
        self.outcome.completeness.add_error(&error);
        self.outcome.unreadable.push(error);
        reported
    }

    /// Passes over a file of a folder that has nothing of the protocol in it. `looks`: what it looks like.
    fn passed_over(&mut self, file: &Arc<str>, looks: String) -> bool {
        self.outcome.passed_over += 1;
        if is_stream_name(Path::new(&**file)) {
            self.outcome.completeness.add_file(GapReason::PassedOver, file, looks);
        }
        true
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
