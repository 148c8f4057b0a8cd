//! `sessionlint fuzz --replay`: runs saved failures again.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use sessionlint_core::finding::FindingKind;
use sessionlint_core::text::{count, visible};

use super::super::config::report_file_error;
use super::super::output::Outputs;
use super::super::{CliError, Exit, report_error};
use super::report::{FuzzReport, ReportedFailure, place_of};
use super::setup::ProducerSetup;
use super::{Arguments, catch_interrupts};
use crate::drive::failure_folder::SavedFailure;
use crate::drive::producer::{Ending, Execution, Producer, ProducerError, StopFlag};
use crate::drive::shrink::FailureRate;
use crate::drive::verdict::{Judge, Verdict};
use crate::error::display_path;

/// The number of runs within which a failure must show again: if it failed every time before, and if only sometimes.
const MAX_RUNS: u32 = 3;
const MAX_RUNS_IF_FLAKY: u32 = 8;

/// A saved failure that was replayed.
struct Replay<'k> {
    saved: &'k SavedFailure,
    /// The kind of failure that it has now; `None` if it did not fail.
    kind: Option<FindingKind>,
    execution: Execution,
    /// Number of runs in this replay, and of those that failed.
    times: FailureRate,
}

pub fn run(
    arguments: &Arguments,
    folder: &Path,
    judge: &Judge<'_>,
    report: &FuzzReport<'_>,
    outputs: Outputs,
) -> Result<Exit, CliError> {
    let started = Instant::now();
    let (mut all, mut unplayed) = (Vec::new(), 0);
    for saved in SavedFailure::read_all(folder).map_err(report_file_error)? {
        match saved {
            Ok(saved) => all.push(saved),
            Err(damaged) => {
                report_file_error(damaged);
                unplayed += 1;
            }
        }
    }
    let (stop, _interrupts) = catch_interrupts()?;
    let (mut replays, mut reported) = (Vec::new(), BTreeSet::new());
    let total = all.len() + unplayed;
    for saved in &all {
        match replay_saved(arguments, saved, judge, report, &stop) {
            Ok(Some(replay)) => replays.push(replay),
            Ok(None) => break,
            Err(why) => {
                unplayed += 1;
                // A message that applies to all of them is printed once.
                if !matches!(&why, CliError::Message(words) if !reported.insert(words.clone())) {
                    report_error(why);
                }
            }
        }
    }
    if unplayed == total {
        return Ok(Exit::Usage);
    }
    let failing = |replay: &&Replay<'_>| replay.kind.is_some();
    let shown_failures = replays.iter().filter(failing).filter_map(|replay| {
        Some(ReportedFailure {
            kind: replay.kind.as_ref()?,
            input: &replay.saved.input,
            execution: &replay.execution,
            times: replay.times,
            folder: &replay.saved.folder,
        })
    });
    report.report(judge, &shown_failures.collect::<Vec<_>>(), started.elapsed(), outputs)?;
    if !arguments.quiet {
        print_summary(&replays, total, stop.is_set());
    }
    Ok(match (replays.iter().any(|replay| failing(&replay)), stop.is_set()) {
        _ if unplayed > 0 => Exit::Usage,
        (true, _) => Exit::Findings,
        (false, true) => Exit::Interrupted,
        (false, false) => Exit::Clean,
    })
}

/// Replays a failure with the producer that it was found with; `None` if the run was stopped.
fn replay_saved<'k>(
    arguments: &Arguments,
    saved: &'k SavedFailure,
    judge: &Judge<'_>,
    report: &FuzzReport<'_>,
    stop: &StopFlag,
) -> Result<Option<Replay<'k>>, CliError> {
    let rule = saved.kind().rule;
    if report.rules.find(&rule).is_none() {
        let (folder, help) = (display_path(&saved.folder), report.rules.help_for(&rule));
        return Err(CliError::Message(format!(
            "{folder} names a rule that does not exist, {}; {help}",
            visible(&rule)
        )));
    }
    let setup =
        ProducerSetup::from_saved(&saved.case.producer, &saved.folder, &arguments.producer, &arguments.command)?;
    let (producer, _) = setup.open()?;
    let result = replay(saved, &*producer, judge, stop);
    result.map_err(|why| CliError::Message(format!("{why} (for {}: {})", display_path(&saved.folder), setup.display())))
}

/// Runs a saved input until it fails in the same way, or the runs are used up; `None` if the run was stopped.
fn replay<'k>(
    saved: &'k SavedFailure,
    producer: &dyn Producer,
    judge: &Judge<'_>,
    stop: &StopFlag,
) -> Result<Option<Replay<'k>>, ProducerError> {
    let kind = saved.kind();
    let most = if saved.case.times().is_always() { MAX_RUNS } else { MAX_RUNS_IF_FLAKY };
    let (mut times, mut otherwise) = (FailureRate::default(), None);
    loop {
        let execution = producer.run(&saved.input, stop)?;
        if execution.end == Ending::Stopped || stop.is_set() {
            return Ok(None);
        }
        let Some(Verdict { kinds, .. }) = judge.verdict(&execution, &|| stop.is_set()) else { return Ok(None) };
        times.runs += 1;
        if kinds.contains(&kind) {
            times.failed += 1;
            return Ok(Some(Replay { saved, kind: Some(kind), execution, times }));
        }
        if let Some(other) = kinds.into_iter().next() {
            otherwise = Some((other, execution.clone()));
        }
        if times.runs >= most {
            let (kind, execution) = otherwise.map_or((None, execution), |(other, execution)| (Some(other), execution));
            // Failures of another kind are not counted.
            let times = if kind.is_some() { FailureRate::default() } else { times };
            return Ok(Some(Replay { saved, kind, execution, times }));
        }
    }
}

/// Prints the result of each replay, and a summary.
fn print_summary(played: &[Replay<'_>], all: usize, is_interrupted: bool) {
    let (mut fixed, mut failing, mut unsure) = (0, 0, 0);
    for Replay { saved, kind, times, .. } in played {
        let (folder, found) = (display_path(&saved.folder), saved.case.times());
        match kind {
            None if !found.is_always() => {
                unsure += 1;
                let (plays, FailureRate { failed, runs: played }) = (times.runs, found);
                let found = format!("when it was found, it failed {failed} of {played} times");
                complain!("  did not fail in {plays} runs: {folder}; {found}");
            }
            None => {
                fixed += 1;
                complain!("  fixed: {folder}, which may be deleted");
            }
            Some(kind) => {
                failing += 1;
                let otherwise = if *kind == saved.kind() { "still fails" } else { "fails differently" };
                complain!("  {otherwise}: {folder}, by {}{}", visible(&kind.rule), place_of(kind));
            }
        }
    }
    let interrupted = if is_interrupted { "interrupted: " } else { "" };
    let again = count(played.len() as u64, "failure");
    let left = match all - played.len() {
        0 => String::new(),
        left => format!(", {left} not replayed"),
    };
    let fails = if failing == 1 { "fails" } else { "fail" };
    let unsure = if unsure > 0 { format!(", {unsure} did not fail this time") } else { String::new() };
    complain!("{interrupted}{again} replayed: {fixed} fixed, {failing} {fails}{unsure}{left}");
}
