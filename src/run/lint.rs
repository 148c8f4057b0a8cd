//! Lints files on several threads, and reports them in the order of the files.
//!
//! Findings that depend on other files, such as duplicate fixtures, are made in a file's turn, so that they do not
//! depend on the number of threads.

mod content;
mod rewrite;
mod selection;

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use rewrite::{FileChange, FixOptions, FixedFile, HOLDS_RESPONSES};
pub use selection::{is_lint_candidate, with_fixtures};

use content::{Content, LoadOutcome, Part};
use sessionlint_core::event::Options;
use sessionlint_core::finding::{Finding, Place, Report, Severity, Summary};
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::{LazyProtocol, Protocol, Rulebook, Upkeep};
use sessionlint_core::records::{RecordIndex, RecordOptions};

use super::paths::is_stream_name;
use super::turns::{Turns, in_turns};
use super::{Outcome, Run, Sink, Target, lock, records};
use crate::config::baseline::Baseline;
use crate::lint::expectation::{self, Updates};
use crate::lint::{
    self, Duplicates, Expectation, Fixture, FixtureContext, FixtureKind, FixtureReport, FixtureSettings, LintEntry,
    LintSummary, Linter, SkipReason,
};
use crate::report::{GapReason, Reporter};

/// The settings of a lint run, in addition to those of every run.
pub struct LintOptions<'l> {
    pub rules: Rulebook<'l>,
    /// The files that the caller named: they are fixtures whatever their content.
    pub named: &'l HashSet<PathBuf>,
    /// Returns whether a file is within the paths that the caller named, with links resolved.
    pub is_within: &'l (dyn Fn(&Path) -> bool + Sync),
    /// Returns whether a target is declared to be a fragment or to be whole; `None` if its content decides.
    pub fragment: &'l (dyn Fn(usize) -> Option<bool> + Sync),
    /// Parses the `# args:` of an expectation for a target; the error is the message of a finding.
    pub parse_args: &'l (dyn Fn(usize, &str) -> Result<ExpectationArgs, String> + Sync),
    /// Whether every input is listed.
    pub lists_all: bool,
    /// Whether expectations are updated.
    pub updates: bool,
    /// The options for reading targets, which new expectations record because their findings depend on them.
    pub given_args: &'l [String],
    /// The options for fixing files; `None` if files are not fixed.
    pub fix: Option<FixOptions<'l>>,
}

/// The parsed `# args:` of an expectation: how its fixture is judged.
pub struct ExpectationArgs {
    pub options: Options,
    /// The number of the protocol that they name among those of the run.
    pub protocol: Option<usize>,
    pub record_options: RecordOptions,
    /// Whether the fixture holds stored records whatever its content.
    pub all_records: bool,
}

/// The results of a run so far.
#[derive(Default)]
struct State {
    summary: LintSummary,
    duplicates: Duplicates,
    updates: Updates,
}

impl Run<'_> {
    /// Lints all targets, and returns the expectation files that are to be written.
    ///
    /// # Errors
    ///
    /// If the report cannot be written.
    pub fn lint(
        &self,
        lint: &LintOptions<'_>,
        targets: &[Target],
        baseline: Option<&mut Baseline>,
        reporter: &mut (dyn Reporter + Send),
    ) -> io::Result<(Outcome, LintSummary, Updates)> {
        let sink = Mutex::new(self.sink(baseline, reporter));
        let state = Mutex::new(State::default());
        let records = || self.stored.and_then(|stored| stored.protocol.get());
        let linters = Linters::new(self, &records);
        let worker = Worker { run: self, lint, linters: &linters, targets, sink: &sink, state: &state };
        let units = records::units(self.stored.as_ref(), targets);
        in_turns(self.jobs, units.len(), || (), |(), turns, number| worker.unit(turns, number, &units[number]));
        let State { summary, updates, .. } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.outcome(sink)?;
        Ok((outcome, summary, updates))
    }
}

/// A linter for each protocol of a run, made when it is first needed.
struct Linters<'w> {
    usual: &'w Protocol,
    /// Every protocol of the run, by its number; empty if there is only the usual one.
    all: &'w [LazyProtocol],
    records: &'w (dyn Fn() -> Option<&'w Protocol> + Sync),
    made: Vec<OnceLock<Linter<'w>>>,
}

impl<'w> Linters<'w> {
    fn new(run: &Run<'w>, records: &'w (dyn Fn() -> Option<&'w Protocol> + Sync)) -> Linters<'w> {
        let all = run.candidates.map(|candidates| candidates.all).unwrap_or_default();
        let made = (0..all.len().max(1)).map(|_| OnceLock::new()).collect();
        Linters { usual: run.protocol, all, records, made }
    }

    /// Returns the linter of the protocol of this number.
    fn at(&self, number: usize) -> &Linter<'w> {
        let protocol = || self.all.get(number).map_or(self.usual, LazyProtocol::get);
        self.made[number].get_or_init(|| Linter::new(protocol(), self.records))
    }
}

/// Lints files. Shared by the threads.
struct Worker<'w, 's> {
    run: &'w Run<'w>,
    lint: &'w LintOptions<'w>,
    linters: &'w Linters<'w>,
    targets: &'w [Target],
    sink: &'w Mutex<Sink<'s>>,
    state: &'w Mutex<State>,
}

/// A linted file, waiting for its turn.
struct LintedFile {
    number: usize,
    content: Box<Content>,
    /// The report of each fixture, or the reason why it was skipped, each with the place where it begins.
    all: Vec<(Place, Result<FixtureReport, SkipReason>)>,
}

impl Worker<'_, '_> {
    /// Lints the files of a unit and reports them. Returns `false` if the report cannot be written, or if the turn will
    /// not come.
    fn unit(&self, turns: &Turns, turn: usize, unit: &[usize]) -> bool {
        let loaded: Vec<_> = unit.iter().map(|number| (*number, self.load(*number))).collect();
        let mut index = self.index_of(&loaded);
        let loaded = match &self.lint.fix {
            None => loaded,
            Some(fix) => {
                let fix_one = |(number, loaded)| match loaded {
                    LoadOutcome::File(content) => (number, LoadOutcome::File(self.fix(fix, number, content, &index))),
                    other => (number, other),
                };
                let fixed: Vec<_> = loaded.into_iter().map(fix_one).collect();
                index = self.index_of(&fixed);
                fixed
            }
        };
        let linted: Vec<_> = loaded
            .into_iter()
            .map(|(number, loaded)| match loaded {
                LoadOutcome::File(content) => {
                    let all = self.judge(number, &content, &index);
                    Ok(LintedFile { number, content, all })
                }
                other => Err((number, other)),
            })
            .collect();
        turns.wait(turn) && linted.into_iter().all(|one| self.report(one))
    }

    /// Indexes the referable records of the files of a unit.
    fn index_of(&self, unit: &[(usize, LoadOutcome)]) -> RecordIndex {
        self.index_records(unit.iter().filter_map(|(_, loaded)| match loaded {
            LoadOutcome::File(content) if !content.is_markdown => Some(&**content),
            _ => None,
        }))
    }

    /// Indexes the referable records of a block, which are separate from those of all other blocks; `None` unless the
    /// fixture is a block of records.
    fn block_index(&self, fixture: &Fixture<'_>, settings: &FixtureSettings) -> Option<RecordIndex> {
        let is_own = fixture.block.is_some() && fixture.kind == FixtureKind::Records;
        is_own.then(|| self.linters.at(0).index_records([(fixture, settings)].into_iter()))
    }

    /// Indexes the referable records of several files.
    fn index_records<'c>(&self, contents: impl Iterator<Item = &'c Content>) -> RecordIndex {
        let of = |content: &'c Content| {
            let fixtures =
                content.candidates().into_iter().filter_map(|one| Some((one.fixture.ok()?, &one.part.settings)));
            fixtures.filter(|(fixture, _)| fixture.kind == FixtureKind::Records)
        };
        let records: Vec<_> = contents.flat_map(of).collect();
        if records.is_empty() {
            return RecordIndex::default();
        }
        self.linters.at(0).index_records(records.iter().map(|(fixture, settings)| (fixture, *settings)))
    }

    fn judge(
        &self,
        number: usize,
        content: &Content,
        index: &RecordIndex,
    ) -> Vec<(Place, Result<FixtureReport, SkipReason>)> {
        let canonical = self.severity(number, Upkeep::NotCanonical);
        let all = content.candidates().into_iter().map(|one| {
            let mut place = Place::of_file();
            if let Some(block) = one.block {
                block.shift(&mut place);
            }
            if let Some((body, source)) = one.body {
                body.point_at(source, &mut place);
            }
            let judged = one.fixture.map(|fixture| {
                let (linter, settings) = (self.linters.at(one.part.protocol), &one.part.settings);
                let own = self.block_index(&fixture, settings);
                let index = own.as_ref().unwrap_or(index);
                let mut judged = linter.judge(&fixture, settings, index);
                let context = FixtureContext { fixture: &fixture, settings, index, kind: judged.kind };
                let severity = canonical.filter(|_| content.may_be_rewritten());
                let fits = |new| rewrite::replacement(content, &fixture, new).is_some();
                let deviation = severity.and_then(|severity| linter.not_canonical(&context, severity, &fits));
                push(&mut judged.report, deviation);
                judged
            });
            (place, judged)
        });
        all.collect()
    }

    /// Reports a file in its turn. Returns `false` if the report cannot be written.
    fn report(&self, one: Result<LintedFile, (usize, LoadOutcome)>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |number: usize| self.targets[number].name();
        match one {
            Ok(file) => self.report_file(file, &mut state),
            Err((number, LoadOutcome::Unreadable(cause))) => lock(self.sink).unreadable(&name(number), cause),
            Err((number, LoadOutcome::OrphanExpectation(finding))) => {
                self.report_own(number, &name(number), finding.into_iter().map(|finding| *finding).collect())
            }
            Err((number, _)) => {
                state.summary.too_large.push(name(number));
                self.record(&mut state.summary, name(number), None, Err(SkipReason::TooLarge));
                true
            }
        }
    }

    fn report_file(&self, file: LintedFile, state: &mut State) -> bool {
        let LintedFile { number, mut content, all } = file;
        if let (Some(fix), Some(fixed)) = (&self.lint.fix, content.fix_result.take()) {
            (fix.report)(fixed);
        }
        let (mut report, kind) = self.collect_report(number, &content, all, state);
        if let Some(bodies) = &content.bodies {
            lock(self.sink).outcome.bodies.add(bodies.held.counts);
        }
        let own = match &content.expectation {
            Some(expectation) => self.apply_expectation(number, expectation, &content, &mut report, state),
            None => {
                let may_begin = self.lint.updates && content.is_named && content.expectation_problem.is_none();
                if let Some(kind) = kind.filter(|_| may_begin) {
                    self.start_expectation(number, kind, &content, &mut report, state);
                }
                Vec::new()
            }
        };
        let is_off = |rule: &str| {
            let of_part = |part: &Part| {
                let protocol = self.linters.at(part.protocol).protocol;
                part.settings.streams.severity(protocol, rule) == Some(None)
            };
            content.parts.iter().any(of_part)
        };
        let is_of_stream = |part: &&Part| {
            part.class.kind.is_ok_and(|kind| kind != FixtureKind::Records) && part.class.survey.of_protocol
        };
        let met: BTreeSet<_> = content.parts.iter().filter(is_of_stream).map(|part| part.protocol).collect();
        for number in met {
            lock(self.sink).count_protocol(self.linters.at(number).protocol, 1);
        }
        // A fixture that is so broken that it has no event was judged, one that holds something else was not.
        let is_nothing = |rule: &Framing| report.summary.by_rule.contains_key(rule.name());
        let has_nothing = [Framing::NoEvents, Framing::EmptyInput].iter().any(is_nothing);
        lock(self.sink).outcome.has_judged |= !has_nothing && (kind.is_some() || !report.findings.is_empty());
        if (kind.is_some() || !report.findings.is_empty())
            && !lock(self.sink).end(slice::from_ref(&content.name), report, is_off)
        {
            return false;
        }
        let expectation_name: Arc<str> = format!("{}{}", content.name, expectation::ENDING).into();
        match content.expectation_problem {
            Some(Err(cause)) => lock(self.sink).unreadable(&expectation_name, cause),
            Some(Ok(finding)) => self.report_own(number, &expectation_name, vec![finding]),
            None => self.report_own(number, &expectation_name, own),
        }
    }

    /// Returns the report of all fixtures of a file, and the kind of the last one.
    fn collect_report(
        &self,
        number: usize,
        content: &Content,
        all: Vec<(Place, Result<FixtureReport, SkipReason>)>,
        state: &mut State,
    ) -> (Report, Option<FixtureKind>) {
        let (mut report, mut kind) = (Report::default(), None);
        if all.is_empty() {
            self.record(&mut state.summary, content.name.clone(), None, Err(SkipReason::NoBlock));
        }
        let severity = self.severity(number, Upkeep::DuplicateFixture);
        let of_words = self.severity(number, Upkeep::UnknownBlockWord);
        for (part, (place, judged)) in content.parts.iter().zip(all) {
            let word = |number: usize| lint::unknown_directive(&content.blocks[number], &content.name, of_words?);
            push(&mut report, part.number.filter(|_| content.is_markdown).and_then(word));
            let line = (content.is_markdown || content.bodies.is_some()).then_some(place.line);
            self.record(
                &mut state.summary,
                content.name.clone(),
                line,
                judged.as_ref().map(|judged| judged.kind).map_err(|why| *why),
            );
            let Ok(judged) = judged else { continue };
            kind = Some(judged.kind);
            add(&mut report, judged.report);
            let again = judged.digest.and_then(|digest| state.duplicates.add(digest, &content.name, place, severity));
            push(&mut report, again);
        }
        report.summary.files = u64::from(kind.is_some());
        (report, kind)
    }

    /// Removes the expected findings from a report. Returns the findings about the expectation itself.
    fn apply_expectation(
        &self,
        number: usize,
        expectation: &Expectation,
        content: &Content,
        report: &mut Report,
        state: &mut State,
    ) -> Vec<Finding> {
        let mut own = expectation.faults(self.severity(number, Upkeep::BrokenExpectation));
        if self.lint.updates && !expectation.is_valid() {
            state.updates.broken.push(expectation.name.clone());
        }
        if expectation.has_rejected_args() {
            // It is unknown how the fixture is to be judged.
            clear(report);
            return own;
        }
        let updated =
            (self.lint.updates && expectation.is_valid()).then(|| expectation.updated(report, self.lint.given_args));
        let updated = updated.filter(|updated| !updated.expects_same_as(expectation));
        let missing = self.severity(number, Upkeep::ExpectedFindingMissing);
        let compared = updated.as_ref().unwrap_or(expectation).compare(report, &content.name, missing);
        state.summary.expected += compared.expected;
        own.extend(compared.missing);
        if let (Some(updated), Target::File(path)) = (updated, &self.targets[number]) {
            state.updates.new.push(updated.into_update(Some(expectation), expectation::path_for(path)));
        }
        own
    }

    /// Creates an expectation of the current findings.
    fn start_expectation(
        &self,
        number: usize,
        kind: FixtureKind,
        content: &Content,
        report: &mut Report,
        state: &mut State,
    ) {
        let Target::File(path) = &self.targets[number] else { return };
        // A file that is a fragment without an expectation must be judged as one with it, too.
        let is_fragment = matches!(kind, FixtureKind::Fragment | FixtureKind::Event) && !content.is_markdown;
        let fragment = is_fragment.then(|| expectation::FRAGMENT_OPTION.to_owned());
        let args: Vec<_> = fragment.into_iter().chain(self.lint.given_args.iter().cloned()).collect();
        let path = expectation::path_for(path);
        let new = Expectation::new(path.to_string_lossy().into()).updated(report, &args);
        let compared = new.compare(report, &content.name, None);
        state.summary.expected += compared.expected;
        if compared.expected > 0 {
            state.updates.new.push(new.into_update(None, path));
        }
    }

    /// Reports the findings of a file of the program's own, if there are any.
    fn report_own(&self, number: usize, file: &Arc<str>, findings: Vec<Finding>) -> bool {
        if findings.is_empty() {
            return true;
        }
        let mut sink = lock(self.sink);
        sink.outcome.has_judged = true;
        sink.end(slice::from_ref(file), Report::new(findings), |rule| self.run.usual(number).is_off(rule))
    }

    fn record(
        &self,
        summary: &mut LintSummary,
        file: Arc<str>,
        line: Option<u64>,
        kind: Result<FixtureKind, SkipReason>,
    ) {
        if let (Err(why), None) = (kind, line)
            && (matches!(why, SkipReason::TooLarge | SkipReason::Empty) || is_stream_name(Path::new(&*file)))
        {
            let reason = if why == SkipReason::TooLarge { GapReason::Unreadable } else { GapReason::PassedOver };
            lock(self.sink).outcome.completeness.add_file(reason, &file, why.label().to_owned());
        }
        let one = LintEntry { file, line, kind: kind.ok(), why: kind.err() };
        summary.count(&one);
        if self.lint.lists_all {
            summary.listed.push(one);
        }
    }

    fn severity(&self, number: usize, rule: Upkeep) -> Option<Severity> {
        self.run.settings[number].severity(self.run.protocol, rule.name()).flatten()
    }
}

/// Adds a finding, if there is one.
fn push(report: &mut Report, finding: Option<Finding>) {
    if let Some(finding) = finding {
        report.summary.count(&finding.rule, finding.severity, 1);
        report.findings.push(finding);
    }
}

/// Adds the report of another fixture of the same file.
fn add(report: &mut Report, more: Report) {
    report.findings.extend(more.findings);
    report.repeats.extend(more.repeats);
    report.summary.add(&more.summary);
    report.stats.add(&more.stats);
}

/// Removes all findings from a report.
fn clear(report: &mut Report) {
    let Summary { errors, warnings, notes, baselined, by_rule, .. } = &mut report.summary;
    (*errors, *warnings, *notes, *baselined) = (0, 0, 0, 0);
    by_rule.clear();
    report.findings.clear();
    report.repeats.clear();
}
