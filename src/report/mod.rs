//! Findings → text. One file a format, behind one trait; nothing is collected that need not be.
//!
//! What comes from a recording is shown through [`visible`] (or escaped by the format), because
//! recordings are hostile: their control characters must not reach a terminal.

mod fingerprint;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod recognised;
mod sarif;
mod several;

use std::io;

#[cfg(feature = "proptest")]
pub use fingerprint::of_kind;
pub use github::GitHub;
pub use gitlab::GitLab;
pub use human::{Human, Look};
pub use json::{Json, Jsonl, write as write_json};
pub use junit::JUnit;
pub use markdown::Markdown;
pub use recognised::is_report;
pub use sarif::Sarif;
pub use several::Several;

use sessionlint_core::finding::{Finding, Repeat, Stats, Summary};
use sessionlint_core::records::reconcile::Reconciled;
use sessionlint_core::text::{count, visible};

use crate::error::RunError;
use crate::lint::{LintSummary, TOO_LARGE, TOO_LARGE_HELP};

/// What a report is told at the end of a file.
pub struct FileEnd<'f> {
    /// Its name, as its findings have it.
    pub file: &'f str,
    /// The file's own counts; none if it could not be read to its end.
    pub summary: Option<&'f Summary>,
    /// How many of its findings were not shown because of a limit.
    pub hidden: u64,
    /// Findings of which only the first was reported.
    pub repeats: &'f [Repeat],
    /// Why it could not be read to its end.
    pub unreadable: Option<&'f RunError>,
}

impl FileEnd<'_> {
    /// The end of a file of which nothing else is known.
    pub fn of(file: &str) -> FileEnd<'_> {
        FileEnd { file, summary: None, hidden: 0, repeats: &[], unreadable: None }
    }
}

/// What a report is told at the end.
pub struct End<'f> {
    /// The counts.
    pub summary: &'f Summary,
    /// More counts, if they were asked for.
    pub stats: Option<&'f Stats>,
    /// How many findings were not shown because of a limit.
    pub hidden: u64,
    /// The baseline that the findings were recorded in, if they were.
    pub recorded: Option<&'f str>,
    /// What became of the tool calls of each session, if streams were held against records.
    pub reconciled: Option<&'f [Reconciled]>,
    /// What was linted, if fixtures were.
    pub linted: Option<&'f LintSummary>,
    /// What was to be checked, and was not found.
    pub unfound: &'f [RunError],
    /// How long it took.
    pub elapsed: std::time::Duration,
}

impl<'f> End<'f> {
    /// The end of a run of which nothing else is to be said.
    pub fn of(summary: &'f Summary, elapsed: std::time::Duration) -> End<'f> {
        End { summary, stats: None, hidden: 0, recorded: None, reconciled: None, linted: None, unfound: &[], elapsed }
    }
}

/// A format.
pub trait Reporter {
    /// Whether it shows the source text around places.
    fn shows_excerpts(&self) -> bool {
        true
    }
    /// Before the first file.
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// A finding, as it is judged.
    fn finding(&mut self, finding: &Finding) -> io::Result<()>;
    /// Lets everybody see what was told so far, as far as the format shows anything before the end.
    fn show_now(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// After the last finding of a file.
    fn file_end(&mut self, _end: &FileEnd<'_>) -> io::Result<()> {
        Ok(())
    }
    /// After the last file.
    fn end(&mut self, end: &End<'_>) -> io::Result<()>;
}

/// What there is to say of findings that a baseline holds back.
fn baselined(end: &End<'_>) -> Option<String> {
    let known = end.summary.baselined;
    let (is, was) = if known == 1 { ("is", "was") } else { ("are", "were") };
    match end.recorded {
        Some(name) => Some(format!("{} {was} recorded in {}", count(known, "finding"), visible(name))),
        None => (known > 0).then(|| format!("{} {is} in the baseline", count(known, "known finding"))),
    }
}

/// What there is to say of fixtures, and of files that were too large to be one.
fn linted(end: &End<'_>) -> Vec<String> {
    let Some(linted) = end.linted else { return Vec::new() };
    let too_large = |file| format!("{} is {TOO_LARGE} and was not linted; {TOO_LARGE_HELP}", visible(file));
    let too_large = linted.too_large.iter().map(|file| too_large(file));
    linted.rest().into_iter().chain(too_large).collect()
}

/// A file's name as tools know it that compare it with the paths of a repository.
fn plain_path(file: &str) -> &str {
    file.strip_prefix("./").unwrap_or(file)
}

/// What was read, as summaries say it.
fn read(end: &End<'_>) -> String {
    if let Some(linted) = end.linted {
        return linted.words();
    }
    let summary = end.summary;
    let streams = [(summary.events, "event"), (summary.streams, "stream")];
    let streams = streams.into_iter().filter(|_| summary.events > 0 || summary.records == 0);
    let records = [(summary.records, "record")].into_iter().filter(|(number, _)| *number > 0);
    let read = [(summary.files, "file")].into_iter().chain(streams).chain(records);
    read.map(|(number, noun)| count(number, noun)).collect::<Vec<_>>().join(", ")
}
