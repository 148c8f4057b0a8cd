//! Files → fixtures, linted by several threads and told in the order of the files.
//!
//! What depends on other files, such as whether a fixture is there twice, is decided in a file's turn, so that it does not
//! depend on the number of threads.

mod found;
mod look;
mod mend;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use found::{is_looked_at, with_fixtures};
pub use mend::{Change, Mended, Mending};

use look::{Content, Looked};
use sessionlint_core::event::Options;
use sessionlint_core::finding::{Finding, Place, Report, Severity, Summary};
use sessionlint_core::protocol::{Rulebook, Upkeep};
use sessionlint_core::records::{Asked, Known};

use super::turns::{Turns, in_turns};
use super::{Outcome, Run, Sink, Target, lock, records};
use crate::config::baseline::Baseline;
use crate::lint::expected::{self, Updates};
use crate::lint::{
    self, Duplicates, Expectation, Fixture, Judged, Linted, Linter, Listed, Manner, Mending as OfFixture, Skipped,
    Taken,
};
use crate::report::Reporter;

/// What is to be linted, and how, beside what holds for every run.
pub struct Lint<'l> {
    pub rules: Rulebook<'l>,
    /// The files that the caller named: they are fixtures, whatever is in them.
    pub named: &'l HashSet<PathBuf>,
    /// Whether a file is in what the caller named, wherever links lead.
    pub within: &'l (dyn Fn(&Path) -> bool + Sync),
    /// Whether it is said of a target that it is a cut-out, or that it is whole.
    pub decided: &'l (dyn Fn(usize) -> Option<bool> + Sync),
    /// What the options of an expectation mean for a target, or what is wrong with them.
    pub told: &'l (dyn Fn(usize, &str) -> Result<Told, String> + Sync),
    /// Whether everything that was looked at is listed.
    pub lists: bool,
    /// Whether expectations are written again.
    pub updates: bool,
    /// The options that say how targets are read, which what is expected of them depends on.
    pub given: &'l [String],
    /// How files are mended, if they are.
    pub mending: Option<Mending<'l>>,
}

/// How a fixture is to be judged.
pub struct Told {
    pub options: Options,
    pub asked: Asked,
    /// It is stored records, whatever it looks like.
    pub all_records: bool,
}

/// What linting came to.
#[derive(Default)]
struct State {
    linted: Linted,
    duplicates: Duplicates,
    updates: Updates,
}

impl Run<'_> {
    /// Lints all targets. What is to be written is not written yet.
    ///
    /// # Errors
    ///
    /// Only when the report cannot be written.
    pub fn lint(
        &self,
        lint: &Lint<'_>,
        targets: &[Target],
        baseline: Option<&mut Baseline>,
        reporter: &mut (dyn Reporter + Send),
    ) -> io::Result<(Outcome, Linted, Updates)> {
        let sink = Mutex::new(self.sink(baseline, reporter));
        let state = Mutex::new(State::default());
        let records = || self.stored.and_then(|stored| stored.protocol.get());
        let linter = Linter::new(self.protocol, &records);
        let worker = Worker { run: self, lint, linter: &linter, targets, sink: &sink, state: &state };
        let units = records::units(self.stored.as_ref(), targets);
        in_turns(self.jobs, units.len(), || (), |(), turns, number| worker.unit(turns, number, &units[number]));
        let State { linted, updates, .. } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.outcome(sink)?;
        Ok((outcome, linted, updates))
    }
}

/// Lints files; shared by the threads.
struct Worker<'w, 's> {
    run: &'w Run<'w>,
    lint: &'w Lint<'w>,
    linter: &'w Linter<'w>,
    targets: &'w [Target],
    sink: &'w Mutex<Sink<'s>>,
    state: &'w Mutex<State>,
}

/// A file, linted.
struct File {
    number: usize,
    content: Box<Content>,
    /// What was looked at, each with where it begins; what was skipped, and why.
    all: Vec<(Place, Result<Judged, Skipped>)>,
}

impl Worker<'_, '_> {
    /// Lints the files of a unit and tells of them. False: the report cannot be written, or the turn will not come.
    fn unit(&self, turns: &Turns, turn: usize, unit: &[usize]) -> bool {
        let looked: Vec<_> = unit.iter().map(|number| (*number, self.look(*number))).collect();
        let mut known = self.known_of(&looked);
        let looked = match &self.lint.mending {
            None => looked,
            Some(mending) => {
                let mend = |(number, looked)| match looked {
                    Looked::File(content) => (number, Looked::File(self.mend(mending, number, content, &known))),
                    other => (number, other),
                };
                let mended: Vec<_> = looked.into_iter().map(mend).collect();
                known = self.known_of(&mended);
                mended
            }
        };
        let linted: Vec<_> = looked
            .into_iter()
            .map(|(number, looked)| match looked {
                Looked::File(content) => {
                    let all = self.judge(number, &content, &known);
                    Ok(File { number, content, all })
                }
                other => Err((number, other)),
            })
            .collect();
        turns.wait(turn) && linted.into_iter().all(|one| self.tell(one))
    }

    /// What the records of the files of a unit hold that may be named.
    fn known_of(&self, unit: &[(usize, Looked)]) -> Known {
        self.known(unit.iter().filter_map(|(_, looked)| match looked {
            Looked::File(content) if !content.is_markdown => Some(&**content),
            _ => None,
        }))
    }

    /// The same of the records of a block, which belong to no other's.
    fn own(&self, fixture: &Fixture<'_>, manner: &Manner) -> Option<Known> {
        let is_own = fixture.block.is_some() && fixture.taken == Taken::Records;
        is_own.then(|| self.linter.known([(fixture, manner)].into_iter()))
    }

    /// What the records of several files, or of one block, hold that may be named.
    fn known<'c>(&self, contents: impl Iterator<Item = &'c Content>) -> Known {
        let of = |content: &'c Content| {
            let fixtures = content.all().into_iter().filter_map(|one| one.fixture.ok());
            fixtures.filter(|fixture| fixture.taken == Taken::Records).map(move |fixture| (fixture, &content.manner))
        };
        let records: Vec<_> = contents.flat_map(of).collect();
        if records.is_empty() {
            return Known::default();
        }
        self.linter.known(records.iter().map(|(fixture, manner)| (fixture, *manner)))
    }

    fn judge(&self, number: usize, content: &Content, known: &Known) -> Vec<(Place, Result<Judged, Skipped>)> {
        let canonical = self.severity(number, Upkeep::NotCanonical);
        let all = content.all().into_iter().map(|one| {
            let mut place = Place { line: 1, column: 1, ..Place::default() };
            if let Some(block) = one.block {
                block.shift(&mut place);
            }
            let judged = one.fixture.map(|fixture| {
                let (own, manner) = (self.own(&fixture, &content.manner), &content.manner);
                let known = own.as_ref().unwrap_or(known);
                let mut judged = self.linter.judge(&fixture, manner, known);
                let of_fixture = OfFixture { fixture: &fixture, manner, known, taken: judged.taken };
                let severity = canonical.filter(|_| content.may_be_mended());
                let fits = |new| mend::edit(content, &fixture, new).is_some();
                let deviation = severity.and_then(|severity| self.linter.not_canonical(&of_fixture, severity, &fits));
                push(&mut judged.report, deviation);
                judged
            });
            (place, judged)
        });
        all.collect()
    }

    /// Tells of a file in its turn.
    fn tell(&self, one: Result<File, (usize, Looked)>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |number: usize| self.targets[number].name();
        match one {
            Ok(file) => self.tell_file(file, &mut state),
            Err((number, Looked::Unreadable(cause))) => lock(self.sink).unreadable(&name(number), cause),
            Err((number, Looked::Alone(finding))) => {
                self.tell_own(number, &name(number), finding.into_iter().map(|finding| *finding).collect())
            }
            Err((number, _)) => {
                state.linted.too_large.push(name(number));
                self.note(&mut state.linted, name(number), None, Err(Skipped::TooLarge));
                true
            }
        }
    }

    fn tell_file(&self, file: File, state: &mut State) -> bool {
        let File { number, mut content, all } = file;
        if let (Some(mending), Some(mended)) = (&self.lint.mending, content.mended.take()) {
            (mending.tell)(mended);
        }
        let (mut report, taken) = self.gather(number, &content, all, state);
        let own = match &content.expectation {
            Some(expectation) => self.hold(number, expectation, &content, &mut report, state),
            None => {
                let may_begin = self.lint.updates && content.is_named && content.unread.is_none();
                if let Some(taken) = taken.filter(|_| may_begin) {
                    self.begin(number, taken, &content, &mut report, state);
                }
                Vec::new()
            }
        };
        let is_off = |rule: &str| self.run.is_off(number, rule);
        if (taken.is_some() || !report.findings.is_empty()) && !lock(self.sink).end(&content.name, report, is_off) {
            return false;
        }
        let beside: Arc<str> = format!("{}{}", content.name, expected::ENDING).into();
        match content.unread {
            Some(Err(cause)) => lock(self.sink).unreadable(&beside, cause),
            Some(Ok(finding)) => self.tell_own(number, &beside, vec![finding]),
            None => self.tell_own(number, &beside, own),
        }
    }

    /// The report of all fixtures of a file, and what the last one was taken for.
    fn gather(
        &self,
        number: usize,
        content: &Content,
        all: Vec<(Place, Result<Judged, Skipped>)>,
        state: &mut State,
    ) -> (Report, Option<Taken>) {
        let (mut report, mut taken) = (Report::default(), None);
        if all.is_empty() {
            self.note(&mut state.linted, content.name.clone(), None, Err(Skipped::NoBlock));
        }
        let severity = self.severity(number, Upkeep::DuplicateFixture);
        let of_words = self.severity(number, Upkeep::UnknownBlockWord);
        for ((block, _), (place, judged)) in content.sorted.iter().zip(all) {
            let word = |number: usize| lint::unknown_word(&content.blocks[number], &content.name, of_words?);
            push(&mut report, block.and_then(word));
            let line = content.is_markdown.then_some(place.line);
            self.note(
                &mut state.linted,
                content.name.clone(),
                line,
                judged.as_ref().map(|judged| judged.taken).map_err(|why| *why),
            );
            let Ok(judged) = judged else { continue };
            taken = Some(judged.taken);
            add(&mut report, judged.report);
            let again = judged.digest.and_then(|digest| state.duplicates.add(digest, &content.name, place, severity));
            push(&mut report, again);
        }
        report.summary.files = u64::from(taken.is_some());
        (report, taken)
    }

    /// Takes out of a report what is expected; what there is to say of the expectation itself.
    fn hold(
        &self,
        number: usize,
        expectation: &Expectation,
        content: &Content,
        report: &mut Report,
        state: &mut State,
    ) -> Vec<Finding> {
        let mut own = expectation.faults(self.severity(number, Upkeep::BrokenExpectation));
        if self.lint.updates && !expectation.is_whole() {
            state.updates.broken.push(expectation.name.clone());
        }
        if expectation.is_refused() {
            // Nobody knows how the fixture is to be judged.
            clear(report);
            return own;
        }
        let updated =
            (self.lint.updates && expectation.is_whole()).then(|| expectation.updated(report, self.lint.given));
        let updated = updated.filter(|updated| !updated.is_like(expectation));
        let missing = self.severity(number, Upkeep::ExpectedFindingMissing);
        let compared = updated.as_ref().unwrap_or(expectation).compare(report, &content.name, missing);
        state.linted.expected += compared.expected;
        own.extend(compared.missing);
        if let (Some(updated), Target::File(path)) = (updated, &self.targets[number]) {
            state.updates.new.push(updated.instead_of(Some(expectation), expected::beside(path)));
        }
        own
    }

    /// Begins an expectation of what is found now.
    fn begin(&self, number: usize, taken: Taken, content: &Content, report: &mut Report, state: &mut State) {
        let Target::File(path) = &self.targets[number] else { return };
        // What is judged by what it is without an expectation must not be judged otherwise with one.
        let is_cut_out = matches!(taken, Taken::Fragment | Taken::Event) && !content.is_markdown;
        let cut_out = is_cut_out.then(|| expected::CUT_OUT.to_owned());
        let args: Vec<_> = cut_out.into_iter().chain(self.lint.given.iter().cloned()).collect();
        let path = expected::beside(path);
        let new = Expectation::new(path.to_string_lossy().into()).updated(report, &args);
        let compared = new.compare(report, &content.name, None);
        state.linted.expected += compared.expected;
        if compared.expected > 0 {
            state.updates.new.push(new.instead_of(None, path));
        }
    }

    /// Tells what is wrong with a file of the program's own, if anything is.
    fn tell_own(&self, number: usize, file: &Arc<str>, findings: Vec<Finding>) -> bool {
        if findings.is_empty() {
            return true;
        }
        let mut summary = Summary::default();
        findings.iter().for_each(|finding| summary.count(&finding.rule, finding.severity, 1));
        let report = Report { findings, summary, ..Report::default() };
        lock(self.sink).end(file, report, |rule| self.run.is_off(number, rule))
    }

    fn note(&self, linted: &mut Linted, file: Arc<str>, line: Option<u64>, taken: Result<Taken, Skipped>) {
        let one = Listed { file, line, taken: taken.ok(), why: taken.err().map(Skipped::words) };
        linted.count(&one);
        if self.lint.lists {
            linted.listed.push(one);
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

/// Leaves nothing of what was found.
fn clear(report: &mut Report) {
    let Summary { files, events, records, loose, streams, skipped, .. } = report.summary;
    report.summary = Summary { files, events, records, loose, streams, skipped, ..Summary::default() };
    report.findings.clear();
    report.repeats.clear();
}
