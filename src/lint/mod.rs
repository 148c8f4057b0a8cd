//! Fixtures: classifies files and Markdown blocks, judges them, and compares the findings with the expected ones.
//!
//! A fixture is held in memory as a whole. The checkers find what is wrong with its events; this room decides which
//! checker runs with which settings, and which of the findings count. It knows no threads, folders or report formats.

pub mod canonical;
mod classify;
mod context;
mod duplicates;
pub mod expectation;
pub mod fix;
mod fixture;
pub mod markdown;
#[cfg(test)]
mod properties;
mod survey;

use std::sync::Arc;

use serde::Serialize;

pub use classify::{
    Classification, SkipReason, classify, classify_block, has_fixture_language, is_blank, is_markdown,
    unknown_directive,
};
pub use context::FixtureContext;
pub use duplicates::Duplicates;
pub use expectation::Expectation;
pub use fixture::{Fixture, FixtureReport, FixtureSettings, Linter};

use sessionlint_core::text::count;

/// The reason why a fixture that has an expectation is not fixed.
pub const MEANT_TO_BE_BROKEN: &str = "it is meant to be broken, and what is expected counts its lines";
/// Describes a file that is too large to be held in memory.
pub const TOO_LARGE: &str = "larger than 16 MiB";
/// Help for a file that is too large.
pub const TOO_LARGE_HELP: &str = "`sessionlint check` takes recordings of any size";
/// The most findings of a fixture that are listed, beside those that are expected; further ones are only counted.
pub const MOST_FINDINGS: usize = 10_000;

/// The kind of a fixture: how much of a stream it holds, or that it holds stored records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixtureKind {
    /// A whole stream.
    Stream,
    /// A part of a stream: nothing is known of what came before, and its end means nothing.
    Fragment,
    /// A single event.
    Event,
    /// Stored records.
    Records,
}

impl FixtureKind {
    /// Returns the name that listings use.
    pub fn label(self) -> &'static str {
        match self {
            FixtureKind::Stream => "stream",
            FixtureKind::Fragment => "fragment",
            FixtureKind::Event => "single event",
            FixtureKind::Records => "records",
        }
    }
}

/// Counts of the inputs of a lint run, by the kind of fixture that each was classified as.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LintSummary {
    /// Whole streams.
    pub streams: u64,
    /// Parts of streams.
    pub fragments: u64,
    /// Single events.
    pub single_events: u64,
    /// Files and blocks that hold stored records.
    pub records: u64,
    /// Inputs that are no fixtures, or are not to be linted.
    pub skipped: u64,
    /// Number of skipped inputs in which event types occur inside other JSON, which is not read.
    pub enclosed: u64,
    /// Number of findings that were expected.
    pub expected: u64,
    /// Names of the files that are too large to be linted.
    pub too_large: Vec<Arc<str>>,
    /// Every input, if a listing was requested.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<LintEntry>,
}

/// A file or a block in a listing.
#[derive(Clone, Debug, Serialize)]
pub struct LintEntry {
    /// The file.
    pub file: Arc<str>,
    /// The line on which the text of a block begins, 1-based; `None` for a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The kind of fixture; `None` if the input was skipped.
    #[serde(rename = "taken")]
    pub kind: Option<FixtureKind>,
    /// The reason why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<SkipReason>,
}

impl LintSummary {
    /// Counts a fixture or a skipped input.
    pub fn count(&mut self, one: &LintEntry) {
        match one.kind {
            Some(FixtureKind::Stream) => self.streams += 1,
            Some(FixtureKind::Fragment) => self.fragments += 1,
            Some(FixtureKind::Event) => self.single_events += 1,
            Some(FixtureKind::Records) => self.records += 1,
            None => {
                self.skipped += 1;
                self.enclosed += u64::from(one.why == Some(SkipReason::Enclosed));
            }
        }
    }

    /// Returns the counts of fixtures, in the words of a report's summary.
    pub fn words(&self) -> String {
        let streams = [(self.streams, "stream"), (self.fragments, "fragment"), (self.single_events, "single event")];
        let streams = streams.map(|(number, noun)| count(number, noun)).join(", ");
        // "Of records" reads the same for one fixture and for many.
        format!("{streams}, {} of records", count(self.records, "fixture"))
    }

    /// Returns the counts of skipped inputs and expected findings for a report's summary; `None` if both are 0.
    pub fn rest(&self) -> Option<String> {
        let enclosed = match self.enclosed {
            0 => String::new(),
            some => format!(", {some} of them with event types inside something else, which is not read"),
        };
        let skipped = (self.skipped > 0).then(|| format!("{} skipped{enclosed}", self.skipped));
        let expected = (self.expected > 0).then(|| format!("{} as expected", count(self.expected, "finding")));
        let rest: Vec<_> = skipped.into_iter().chain(expected).collect();
        (!rest.is_empty()).then(|| rest.join("; "))
    }
}
