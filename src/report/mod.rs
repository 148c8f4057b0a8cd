//! Findings → text. One file per format, behind one trait and in one table (`format.rs`); a format collects nothing
//! that it can write at once.
//!
//! Text from a recording is shown through [`visible`] (or escaped by the format), because recordings may be hostile:
//! their control characters must not reach a terminal.

mod agent;
mod completeness;
mod detect;
mod fingerprint;
mod format;
mod github;
mod gitlab;
mod human;
mod inert;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod multi;
mod rdjson;
mod sarif;
mod short;
mod statistics;
mod summary;
mod tally;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

pub use completeness::{Completeness, GapReason, LeftOut};
pub use detect::is_report;
#[cfg(feature = "proptest")]
pub use fingerprint::kind_fingerprint;
pub use format::Format;
pub use human::causes::Cause;
pub use human::{Human, TextOptions};
pub use inert::{InertWriter, Syntax};
pub use json::{Json, write as write_json};
#[cfg(feature = "proptest")]
pub use jsonl::Jsonl;
pub use markdown::escaped as escape_markdown;
pub use multi::{MultiReporter, Unread};

use sessionlint_core::finding::{Finding, Place, Repeat, Stats, Summary};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::records::reconcile::SessionMatches;
use sessionlint_core::text::{count, visible};

use crate::error::RunError;
use crate::lint::{LintSummary, TOO_LARGE, TOO_LARGE_HELP};

/// The findings of a run, or of a file, that the caller did not select. No other count includes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unselected {
    /// The options that select findings.
    pub options: &'static str,
    /// Number of findings.
    pub findings: u64,
}

impl Unselected {
    /// Returns a sentence without a full stop on the findings; `None` if there are none.
    pub fn words(&self) -> Option<String> {
        let is = if self.findings == 1 { "is" } else { "are" };
        let findings = count(self.findings, "other finding");
        (self.findings > 0).then(|| format!("{findings} {is} not counted ({})", self.options))
    }
}

/// The number of bodies of responses in the files that hold such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BodyCounts {
    /// Bodies that are streams, and were judged.
    pub judged: u64,
    /// Responses that have no stream in them.
    pub others: u64,
}

impl BodyCounts {
    /// Adds those of another file.
    pub fn add(&mut self, other: BodyCounts) {
        self.judged += other.judged;
        self.others += other.others;
    }

    /// Returns words on the bodies; `None` if there are none.
    pub fn words(&self) -> Option<String> {
        let of_bodies = |number| if number == 1 { "1 body".to_owned() } else { format!("{number} bodies") };
        match (self.judged, self.others) {
            (0, 0) => None,
            (judged, 0) => Some(of_bodies(judged)),
            (0, others) => Some(format!("{} without a stream", of_bodies(others))),
            (judged, others) => Some(format!("{} with a stream and {others} without", of_bodies(judged))),
        }
    }
}

/// The end of a file, for a [`Reporter`].
pub struct FileEnd<'f> {
    /// The file's name, as in its findings.
    pub file: &'f str,
    /// The file's own counts; `None` if it could not be read to its end.
    pub summary: Option<&'f Summary>,
    /// Number of the file's findings that were not shown because of a limit.
    pub hidden: u64,
    /// The file's findings that were not selected; `None` if all are.
    pub unselected: Option<Unselected>,
    /// Findings of which only the first was reported.
    pub repeats: &'f [Repeat],
    /// Why the file could not be read to its end.
    pub unreadable: Option<&'f RunError>,
}

impl FileEnd<'_> {
    /// Returns the end of a file with its name alone; the other fields are empty.
    pub fn of(file: &str) -> FileEnd<'_> {
        FileEnd { file, summary: None, hidden: 0, unselected: None, repeats: &[], unreadable: None }
    }
}

/// The end of a run, for a [`Reporter`].
pub struct RunEnd<'f> {
    /// The counts of all files.
    pub summary: &'f Summary,
    /// The bodies of responses in the files.
    pub bodies: BodyCounts,
    /// More counts, if `--stats` was given.
    pub stats: Option<&'f Stats>,
    /// Number of findings that were not shown because of a limit.
    pub hidden: u64,
    /// The findings that were not selected; `None` if all are.
    pub unselected: Option<Unselected>,
    /// The baseline that the findings were written to, if any.
    pub recorded: Option<&'f str>,
    /// By protocol: the number of inputs that were judged by it because their content told it.
    pub found: Option<&'f BTreeMap<String, u64>>,
    /// The counts of matched, missing and unexpected tool calls of each session, if streams were reconciled with records.
    pub reconciled: Option<&'f [SessionMatches]>,
    /// The counts of fixtures, if the run linted.
    pub linted: Option<&'f LintSummary>,
    /// Inputs that were not found.
    pub unfound: &'f [RunError],
    /// What was not checked; it includes the inputs that were not found.
    pub completeness: &'f Completeness,
    /// What the search of folders left out; `None` if the run searches none.
    pub left_out: Option<LeftOut>,
    /// Duration of the run.
    pub elapsed: std::time::Duration,
}

impl<'f> RunEnd<'f> {
    /// Returns the end of a run with its counts, its gaps and its duration; the other fields are empty.
    pub fn of(summary: &'f Summary, completeness: &'f Completeness, elapsed: std::time::Duration) -> RunEnd<'f> {
        RunEnd {
            completeness,
            left_out: None,
            summary,
            bodies: BodyCounts::default(),
            stats: None,
            hidden: 0,
            unselected: None,
            recorded: None,
            found: None,
            reconciled: None,
            linted: None,
            unfound: &[],
            elapsed,
        }
    }
}

/// A writer of reports in one format.
pub trait Reporter {
    /// Returns whether the format shows the source text around places.
    fn shows_excerpts(&self) -> bool {
        true
    }
    /// Begins the report, before the first file.
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Reports one finding, as soon as it is judged.
    fn finding(&mut self, finding: &Finding) -> io::Result<()>;
    /// Flushes the findings reported so far, if the format shows any before the end.
    fn show_now(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Ends a file, after its last finding.
    fn file_end(&mut self, _end: &FileEnd<'_>) -> io::Result<()> {
        Ok(())
    }
    /// Ends the report, after the last file.
    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()>;
}

/// Returns sentences on the findings that a baseline holds back, and on those that were not selected.
fn uncounted_notes(end: &RunEnd<'_>) -> impl Iterator<Item = String> {
    let known = end.summary.baselined;
    let (is, was) = if known == 1 { ("is", "was") } else { ("are", "were") };
    let of_baseline = match end.recorded {
        Some(name) => Some(format!("{} {was} recorded in {}", count(known, "finding"), visible(name))),
        None => (known > 0).then(|| format!("{} {is} in the baseline", count(known, "known finding"))),
    };
    of_baseline.into_iter().chain(end.unselected.and_then(|unselected| unselected.words()))
}

/// Returns sentences on the fixtures, and on files that were too large to be linted.
fn lint_notes(end: &RunEnd<'_>) -> Vec<String> {
    let Some(linted) = end.linted else { return Vec::new() };
    let too_large = |file| format!("{} is {TOO_LARGE} and was not linted; {TOO_LARGE_HELP}", visible(file));
    let too_large = linted.too_large.iter().map(|file| too_large(file));
    linted.rest().into_iter().chain(too_large).collect()
}

/// Returns a sentence that begins with a capital.
fn capitalized(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Returns where a finding is, safe for a terminal: `FILE:LINE:COLUMN`.
fn place_of(finding: &Finding) -> String {
    let Place { line, column, .. } = finding.place;
    format!("{}:{line}:{column}", visible(finding.file.as_deref().unwrap_or("-")))
}

/// Returns the address of the page about a rule, if the rules of its protocol have pages.
pub fn rule_page(protocol: &Protocol, rule: &str) -> Option<String> {
    let mut page = protocol.rule_pages()?.to_owned();
    for byte in rule.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => page.push(char::from(byte)),
            _ => page.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(page)
}

/// The built-in protocol that stored records complement, and by which an input is judged of which nothing is known.
pub const DEFAULT_PROTOCOL: &str = "session-events";

/// Returns what `--protocol` has to be in a command about a rule of a protocol. `None` if the rule is found without it, or if
/// the protocol is a folder, which the file or the environment that named it names there too.
pub fn needed_protocol(protocol: &Protocol) -> Option<&str> {
    let is_needed = |name: &&str| *name != DEFAULT_PROTOCOL && Protocol::builtin_names().any(|known| known == *name);
    Some(protocol.name()).filter(is_needed)
}

/// Returns a text of at most so many characters; what is cut off becomes an ellipsis.
fn shortened(mut text: String, most: usize) -> String {
    if let Some((cut, _)) = text.char_indices().nth(most) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// Returns a file's name without a leading `./`, for tools that compare it with the paths of a repository.
fn plain_path(file: &str) -> &str {
    file.strip_prefix("./").unwrap_or(file)
}

/// Returns the counts of files, events, streams and records that were read, for a summary.
fn input_counts(end: &RunEnd<'_>) -> String {
    if let Some(linted) = end.linted {
        return [linted.words()].into_iter().chain(end.bodies.words()).collect::<Vec<_>>().join(", ");
    }
    counts_of_input(end.summary, end.bodies)
}

/// Returns the counts of files, bodies, events, streams and records, in words.
pub fn counts_of_input(summary: &Summary, bodies: BodyCounts) -> String {
    let streams = [(summary.events, "event"), (summary.streams, "stream")];
    let streams = streams.into_iter().filter(|_| summary.events > 0 || summary.records == 0);
    let records = [(summary.records, "record")].into_iter().filter(|(number, _)| *number > 0);
    let read = streams.chain(records).map(|(number, noun)| count(number, noun));
    [count(summary.files, "file")].into_iter().chain(bodies.words()).chain(read).collect::<Vec<_>>().join(", ")
}
