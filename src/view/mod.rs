//! Recordings → one page that shows them: a timeline of their streams, with the findings at their places.
//!
//! A recording is read twice: once by plain checking, for the findings, and once with a trace, for the events and the
//! moves of lifecycles. Nothing here knows a protocol by name: lifecycles are lanes, and states are colours.

mod document;
mod events;
mod fewest;
mod findings;
mod lanes;
mod missing;
mod pictures;
mod records;
mod selection;
mod source;

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use sessionlint_core::event::Settings;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::{count, visible};
use sessionlint_core::{Finding, Severity, Summary};

use crate::error::RunError;
use crate::report::{BodyCounts, counts_of_input};
use crate::run::{Held, Run, Target};
pub use document::is_page;
use events::{Gathered, gather};
use source::Source;

/// The most findings of all recordings that a page lists.
const MOST_FINDINGS: usize = 5_000;

/// What a page is to show.
#[derive(Clone, Copy, Debug)]
pub struct ViewOptions {
    /// The most events that are shown one by one, at least one.
    pub max_events: usize,
}

/// A page, and what was read for it.
#[derive(Debug)]
pub struct Page {
    /// The page, as HTML in UTF-8.
    pub html: String,
    /// The number of recordings that it shows: bodies of responses are recordings by themselves.
    pub recordings: usize,
    /// The counts of all recordings, as a check has them.
    pub summary: Summary,
    /// The recordings that could not be read, and the bodies of responses that could not be.
    pub unreadable: Vec<RunError>,
}

/// Makes the page of the recordings of a run, which must be ones that can be read again.
///
/// # Errors
///
/// Returns an error only if the body of a response cannot be copied. A recording that cannot be read is listed with the
/// page that is returned, and the others are shown.
pub fn page(run: &Run<'_>, targets: &[Target], options: ViewOptions) -> io::Result<Page> {
    let protocol = run.protocol;
    let mut recordings = Vec::new();
    let mut read = Read::default();
    for (number, target) in targets.iter().enumerate() {
        let before = recordings.len();
        for source in sources(run, number, target, &mut read)? {
            match check(protocol, &run.settings[number], source) {
                Ok(recording) => recordings.push(recording),
                Err(error) => read.unreadable.push(error),
            }
        }
        read.files += u64::from(recordings.len() > before);
    }
    let mut summary = Summary::default();
    recordings.iter().for_each(|recording| summary.add(&recording.summary));
    // A file counts once, however many bodies are in it.
    summary.files = read.files;
    let mut gathered = gather(protocol, &recordings, options, &mut read.unreadable);
    gathered.left_out.extend(read.left_out());
    let data = data(protocol, &recordings, &gathered, &counts_of_input(&summary, read.bodies), &summary);
    let html = document::html(&title(&recordings), &data);
    Ok(Page { html, recordings: recordings.len(), summary, unreadable: read.unreadable })
}

/// What was read for a page.
#[derive(Default)]
struct Read {
    /// The number of files with recordings.
    files: u64,
    bodies: BodyCounts,
    /// The number of files of stored records, which no page of streams shows.
    of_records: u64,
    unreadable: Vec<RunError>,
}

impl Read {
    /// Returns sentences on what the page does not show.
    fn left_out(&self) -> impl Iterator<Item = String> {
        let records = (self.of_records > 0).then(|| {
            let files = count(self.of_records, "file");
            format!("{files} of stored records cannot be shown beside streams")
        });
        let unreadable = self.unreadable.iter().map(|error| visible(&error.to_string()));
        records.into_iter().chain(unreadable.collect::<Vec<_>>())
    }
}

/// Opens the recordings in a target: the target itself, or each body of a response in it that is a stream.
fn sources(run: &Run<'_>, number: usize, target: &Target, read: &mut Read) -> io::Result<Vec<Source>> {
    let Read { bodies, of_records, unreadable, .. } = read;
    let mut cannot_read = |cause| unreadable.push(RunError::Unreadable { path: target.name().as_ref().into(), cause });
    // Stored records are not looked for in responses.
    let held = if run.protocol.is_of_records() { Ok(Held::Recording) } else { run.held(number, target) };
    match held {
        Ok(Held::Recording) => return Ok(vec![Source::open(target)]),
        Ok(Held::Nothing) => {}
        Ok(Held::Records) => *of_records += 1,
        Ok(Held::Bodies(held)) => {
            bodies.add(held.counts);
            if held.is_without_streams() {
                cannot_read(io::Error::other(held.words()));
            }
            held.unread_words().for_each(|words| cannot_read(io::Error::other(words)));
            return held.streams.iter().map(|body| Source::of_body(target, body)).collect();
        }
        Err(cause) => cannot_read(cause),
    }
    Ok(Vec::new())
}

/// A recording that was checked.
struct Recording {
    source: Source,
    settings: Arc<Settings>,
    findings: Vec<Finding>,
    /// The number of findings that were not kept.
    dropped: u64,
    summary: Summary,
}

/// Checks a recording.
fn check(protocol: &Protocol, settings: &Arc<Settings>, source: Source) -> Result<Recording, RunError> {
    let (mut findings, mut dropped) = (Vec::new(), 0);
    let keep = |new: Vec<Finding>, findings: &mut Vec<Finding>, dropped: &mut u64| {
        let room = MOST_FINDINGS - findings.len();
        *dropped += new.len().saturating_sub(room) as u64;
        findings.extend(new.into_iter().take(room));
    };
    let report = source.check(protocol, settings, |new| keep(new, &mut findings, &mut dropped))?;
    keep(report.findings, &mut findings, &mut dropped);
    Ok(Recording { source, settings: settings.clone(), findings, dropped, summary: report.summary })
}

/// Returns the title of the page: the files that it shows.
fn title(recordings: &[Recording]) -> String {
    let mut targets: Vec<_> = recordings.iter().map(|recording| &*recording.source.target).collect();
    targets.dedup();
    let first = match targets.first() {
        None => "no recording",
        Some(&"-") => "standard input",
        Some(first) => first,
    };
    match targets.len() {
        0 | 1 => first.to_owned(),
        number => format!("{first} and {} more", number - 1),
    }
}

/// Returns the severities of rules that are no errors, by the settings of the recordings.
fn severities_of(protocol: &Protocol, recordings: &[Recording]) -> Value {
    let of = |rule: &str| recordings.iter().find_map(|one| one.settings.severity(protocol, rule).flatten());
    let mild = |severity: &Severity| *severity != Severity::Error;
    let rules = protocol.rules().iter().filter_map(|rule| Some((rule.name.to_string(), of(&rule.name).filter(mild)?)));
    rules.map(|(name, severity)| (name, Value::from(severity.as_str()))).collect::<serde_json::Map<_, _>>().into()
}

/// Returns all that the page shows, as JSON.
fn data(
    protocol: &Protocol,
    recordings: &[Recording],
    gathered: &Gathered,
    counts_of_input: &str,
    summary: &Summary,
) -> Value {
    let found = findings::write(protocol, recordings, gathered);
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let counts = [summary.errors, summary.warnings, summary.notes];
    let dropped: u64 = recordings.iter().map(|recording| recording.dropped).sum();
    let mut left_out = gathered.left_out.clone();
    if dropped > 0 {
        left_out.push(format!("{dropped} findings after the first {MOST_FINDINGS} of a recording are not listed"));
    }
    json!({
        "program": concat!("sessionlint ", env!("CARGO_PKG_VERSION")),
        "title": title(recordings),
        "protocol": {"name": protocol.name(), "title": protocol.title(), "records": protocol.is_of_records()},
        "total": {
            "words": counts_of_input,
            "events": summary.events.max(summary.records),
            "findings": severities.map(Severity::as_str).into_iter().zip(counts).collect::<std::collections::BTreeMap<_, _>>(),
        },
        "leftOut": left_out,
        "files": recordings.iter().map(|recording| &*recording.source.name).collect::<Vec<_>>(),
        "types": gathered.types,
        "streams": gathered.lanes.streams(),
        "lifecycles": pictures::lifecycles(protocol, &gathered.lanes),
        "lanes": gathered.lanes.lanes(),
        "instances": gathered.lanes.instances(),
        "bars": gathered.lanes.bars(),
        "events": gathered.events.iter().map(events::PageEvent::json).collect::<Vec<_>>(),
        "rules": found.rules,
        "ruleNames": protocol.rules().iter().map(|rule| &*rule.name).collect::<Vec<_>>(),
        "severities": severities_of(protocol, recordings),
        "findings": found.findings,
        "causes": found.causes,
    })
}
