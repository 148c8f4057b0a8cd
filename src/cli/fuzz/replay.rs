//! `sessionlint fuzz --replay`: what was kept is played again.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use sessionlint_core::finding::Kind;
use sessionlint_core::text::{count, visible};

use super::super::config::refused;
use super::super::output::Outputs;
use super::super::place::shown;
use super::super::{Exit, Failure, tell};
use super::told::{self, Told, place_of};
use super::way::Way;
use super::{Arguments, interrupts};
use crate::drive::judge::Judge;
use crate::drive::kept::Kept;
use crate::drive::producer::{Ending, Played, Producer, Stop, Unplayable};
use crate::drive::shrink::Times;

/// How often what failed each time is played, until it fails, and what failed sometimes.
const PLAYS: u32 = 3;
const PLAYS_OF_FLAKY: u32 = 8;

/// A kept failure that was played, and how it fails now.
struct Again<'k> {
    kept: &'k Kept,
    /// None: it does not.
    kind: Option<Kind>,
    played: Played,
    /// How often it failed now.
    times: Times,
}

pub fn run(
    arguments: &Arguments,
    folder: &Path,
    judge: &Judge<'_>,
    told: &Told<'_>,
    outputs: Outputs,
) -> Result<Exit, Failure> {
    let started = Instant::now();
    let (mut all, mut unplayed) = (Vec::new(), 0);
    for kept in Kept::read_all(folder).map_err(refused)? {
        match kept {
            Ok(kept) => all.push(kept),
            Err(damaged) => {
                refused(damaged);
                unplayed += 1;
            }
        }
    }
    let (stop, _interrupts) = interrupts()?;
    let (mut played, mut said) = (Vec::new(), BTreeSet::new());
    let total = all.len() + unplayed;
    for kept in &all {
        match play_as_kept(arguments, kept, judge, told, &stop) {
            Ok(Some(again)) => played.push(again),
            Ok(None) => break,
            Err(why) => {
                unplayed += 1;
                // What all of them lack is said once.
                if !matches!(&why, Failure::Message(words) if !said.insert(words.clone())) {
                    tell(why);
                }
            }
        }
    }
    if unplayed == total {
        return Ok(Exit::Usage);
    }
    let failing = |again: &&Again<'_>| again.kind.is_some();
    let shown_failures = played.iter().filter(failing).filter_map(|played| {
        Some(told::Shown {
            kind: played.kind.as_ref()?,
            input: &played.kept.input,
            played: &played.played,
            times: played.times,
            folder: &played.kept.folder,
        })
    });
    told.report(judge, &shown_failures.collect::<Vec<_>>(), started.elapsed(), outputs)?;
    if !arguments.quiet {
        say(&played, total, stop.is_said());
    }
    Ok(match (played.iter().any(|again| failing(&again)), stop.is_said()) {
        _ if unplayed > 0 => Exit::Usage,
        (true, _) => Exit::Findings,
        (false, true) => Exit::Interrupted,
        (false, false) => Exit::Clean,
    })
}

/// Plays a failure in the way in which it was found; none: the run was stopped.
fn play_as_kept<'k>(
    arguments: &Arguments,
    kept: &'k Kept,
    judge: &Judge<'_>,
    told: &Told<'_>,
    stop: &Stop,
) -> Result<Option<Again<'k>>, Failure> {
    let rule = kept.kind().rule;
    if told.rules.find(&rule).is_none() {
        let (folder, help) = (shown(&kept.folder), told.rules.help_for(&rule));
        return Err(Failure::Message(format!("{folder} names a rule that is not there, {}; {help}", visible(&rule))));
    }
    let way = Way::kept(&kept.case.producer, &kept.folder, &arguments.way, &arguments.command)?;
    let (producer, _) = way.open()?;
    let again = play(kept, &*producer, judge, stop);
    again.map_err(|why| Failure::Message(format!("{why} (for {}: {})", shown(&kept.folder), way.shown())))
}

/// Plays a kept input; none: the run was stopped.
fn play<'k>(
    kept: &'k Kept,
    producer: &dyn Producer,
    judge: &Judge<'_>,
    stop: &Stop,
) -> Result<Option<Again<'k>>, Unplayable> {
    let kind = kept.kind();
    let most = if kept.case.times().is_always() { PLAYS } else { PLAYS_OF_FLAKY };
    let (mut times, mut otherwise) = (Times::default(), None);
    loop {
        let played = producer.play(&kept.input, stop)?;
        if played.end == Ending::Stopped || stop.is_said() {
            return Ok(None);
        }
        let kinds = judge.kinds(&played);
        times.played += 1;
        if kinds.contains(&kind) {
            times.failed += 1;
            return Ok(Some(Again { kept, kind: Some(kind), played, times }));
        }
        if let Some(other) = kinds.into_iter().next() {
            otherwise = Some((other, played.clone()));
        }
        if times.played >= most {
            let (kind, played) = otherwise.map_or((None, played), |(other, played)| (Some(other), played));
            // How often it fails in another way is not counted.
            let times = if kind.is_some() { Times::default() } else { times };
            return Ok(Some(Again { kept, kind, played, times }));
        }
    }
}

/// Says what became of each.
fn say(played: &[Again<'_>], all: usize, is_interrupted: bool) {
    let (mut fixed, mut failing, mut unsure) = (0, 0, 0);
    for Again { kept, kind, times, .. } in played {
        let (folder, found) = (shown(&kept.folder), kept.case.times());
        match kind {
            None if !found.is_always() => {
                unsure += 1;
                let (plays, Times { failed, played }) = (times.played, found);
                let found = format!("when it was found it failed {failed} of {played} times");
                anstream::eprintln!("  did not fail in {plays} plays: {folder}; {found}");
            }
            None => {
                fixed += 1;
                anstream::eprintln!("  fixed: {folder}, which may be deleted");
            }
            Some(kind) => {
                failing += 1;
                let otherwise = if *kind == kept.kind() { "still fails" } else { "fails otherwise" };
                anstream::eprintln!("  {otherwise}: {folder}, by {}{}", visible(&kind.rule), place_of(kind));
            }
        }
    }
    let interrupted = if is_interrupted { "interrupted: " } else { "" };
    let again = count(played.len() as u64, "failure");
    let left = match all - played.len() {
        0 => String::new(),
        left => format!(", {left} not played"),
    };
    let fails = if failing == 1 { "fails" } else { "fail" };
    let unsure = if unsure > 0 { format!(", {unsure} did not fail this time") } else { String::new() };
    anstream::eprintln!("{interrupted}{again} played again: {fixed} fixed, {failing} {fails}{unsure}{left}");
}
