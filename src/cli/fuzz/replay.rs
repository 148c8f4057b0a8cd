//! `sessionlint fuzz --replay`: what was kept is played again.

use std::path::Path;
use std::time::Instant;

use super::super::config::refused;
use super::super::output::Outputs;
use super::super::place::shown;
use super::super::{Exit, Failure};
use super::told::{self, Told, place_of};
use super::way::Way;
use super::{Arguments, again};
use crate::finding::Kind;
use crate::fuzz::judge::Judge;
use crate::fuzz::kept::Kept;
use crate::fuzz::producer::{Ending, Played, Producer, Stop, Unplayable};
use crate::fuzz::shrink::Times;
use crate::report::{count, visible};

/// How often what failed sometimes is played, until it fails.
const MOST_PLAYS: u32 = 8;

/// A kept failure that was played, and how it fails now.
struct Again<'k> {
    kept: &'k Kept,
    /// None: it does not.
    kind: Option<Kind>,
    played: Played,
    times: Times,
}

pub fn run(
    arguments: &Arguments,
    folder: &Path,
    judge: &Judge<'_>,
    stop: &Stop,
    told: &Told<'_>,
    outputs: Outputs,
) -> Result<Exit, Failure> {
    let started = Instant::now();
    let all = Kept::read_all(folder).map_err(refused)?;
    let mut played = Vec::new();
    for kept in &all {
        let way = Way::kept(&kept.case.producer, &arguments.way, &arguments.command)?;
        let (producer, _) = way.open()?;
        let again = play(kept, &*producer, judge, stop);
        match again.map_err(|why| Failure::Message(format!("{why} (for {}: {})", shown(&kept.folder), way.shown())))? {
            Some(again) => played.push(again),
            None => break,
        }
    }
    let failing = |again: &&Again<'_>| again.kind.is_some();
    let shown_failures = played.iter().filter(failing).filter_map(|played| {
        Some(told::Shown {
            kind: played.kind.as_ref()?,
            input: &played.kept.input,
            played: &played.played,
            times: played.times,
            again: again(arguments, &played.kept.folder),
            folder: &played.kept.folder,
        })
    });
    told.report(judge, &shown_failures.collect::<Vec<_>>(), started.elapsed(), outputs)?;
    if !arguments.quiet {
        say(&played, all.len(), stop.is_said());
    }
    Ok(match (played.iter().any(|again| failing(&again)), stop.is_said()) {
        (true, _) => Exit::Findings,
        (false, true) => Exit::Interrupted,
        (false, false) => Exit::Clean,
    })
}

/// Plays a kept input; none: the run was stopped.
fn play<'k>(
    kept: &'k Kept,
    producer: &dyn Producer,
    judge: &Judge<'_>,
    stop: &Stop,
) -> Result<Option<Again<'k>>, Unplayable> {
    let kind = kept.kind();
    let most = if kept.case.is_flaky() { MOST_PLAYS } else { 1 };
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
            return Ok(Some(Again { kept, kind, played, times: Times::default() }));
        }
    }
}

/// Says what became of each.
fn say(played: &[Again<'_>], all: usize, is_interrupted: bool) {
    let (mut fixed, mut failing) = (0, 0);
    for Again { kept, kind, .. } in played {
        let folder = shown(&kept.folder);
        match kind {
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
    anstream::eprintln!("{interrupted}{again} played again: {fixed} fixed, {failing} {fails}{left}");
}
