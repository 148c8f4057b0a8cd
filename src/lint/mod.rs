//! Fixtures: what a file or a block of Markdown is, whether that is right, and whether it is what was expected.
//!
//! A fixture is in memory as a whole. What is wrong with its events is said by the checkers; here it is decided what
//! they are asked, and what their findings count for. No thread, no folder and no format is known here.

pub mod canonical;
mod duplicates;
pub mod expected;
pub mod fix;
mod fixture;
pub mod markdown;
mod mend;
#[cfg(test)]
mod properties;
mod sort;
mod survey;

use std::sync::Arc;

use serde::Serialize;

pub use duplicates::Duplicates;
pub use expected::Expectation;
pub use fixture::{Fixture, Judged, Linter, Manner};
pub use mend::Mending;
pub use sort::{Skipped, Sorted, is_looked_at, is_markdown, sorted, sorted_block, unknown_word};

use sessionlint_core::text::count;

/// Why a fixture of which something is expected is not mended.
pub const MEANT_TO_BE_BROKEN: &str = "it is meant to be broken, and what is expected counts its lines";
/// What is said of files that are too large to be held in memory.
pub const TOO_LARGE: &str = "larger than 16 MiB";
/// Where to turn with them.
pub const TOO_LARGE_HELP: &str = "`sessionlint check` judges recordings of any size";
/// The most findings of a fixture that are listed; further ones count.
pub const MOST_FINDINGS: usize = 10_000;

/// What a fixture is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// A whole stream.
    Stream,
    /// A cut-out of a stream: nothing is known of what came before, and its end means nothing.
    Fragment,
    /// One event by itself.
    Event,
    /// Stored records.
    Records,
}

impl Taken {
    /// What lists call it.
    pub fn words(self) -> &'static str {
        match self {
            Taken::Stream => "stream",
            Taken::Fragment => "fragment",
            Taken::Event => "single event",
            Taken::Records => "records",
        }
    }
}

/// What a run looked at, and what each of it was taken for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Linted {
    /// Whole streams.
    pub streams: u64,
    /// Cut-outs of streams.
    pub fragments: u64,
    /// Events by themselves.
    pub single_events: u64,
    /// Files and blocks of stored records.
    pub records: u64,
    /// What was looked at and is no fixture, or is not to be linted.
    pub skipped: u64,
    /// Of these, what has event types inside of something that is not read.
    pub enclosed: u64,
    /// Findings that were expected.
    pub expected: u64,
    /// Files that are larger than what is read here.
    pub too_large: Vec<Arc<str>>,
    /// Everything that was looked at, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<Listed>,
}

/// A file or a block that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// The file.
    pub file: Arc<str>,
    /// The line in which a block's text begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What it was taken for; none: it was skipped.
    pub taken: Option<Taken>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
}

impl Linted {
    /// Counts a fixture, or what is none.
    pub fn count(&mut self, one: &Listed) {
        match one.taken {
            Some(Taken::Stream) => self.streams += 1,
            Some(Taken::Fragment) => self.fragments += 1,
            Some(Taken::Event) => self.single_events += 1,
            Some(Taken::Records) => self.records += 1,
            None => {
                self.skipped += 1;
                self.enclosed += u64::from(one.why == Some(Skipped::Enclosed.words()));
            }
        }
    }

    /// What was linted, as summaries say it.
    pub fn words(&self) -> String {
        let streams = [(self.streams, "stream"), (self.fragments, "fragment"), (self.single_events, "single event")];
        let streams = streams.map(|(number, noun)| count(number, noun)).join(", ");
        // The word is the same for one file of them and for many.
        format!("{streams}, {} of records", count(self.records, "fixture"))
    }

    /// What else there is to say, as summaries say it.
    pub fn rest(&self) -> Option<String> {
        let enclosed = match self.enclosed {
            0 => String::new(),
            some => format!(", {some} of them with event types inside of something else, which is not read"),
        };
        let skipped = (self.skipped > 0).then(|| format!("{} skipped{enclosed}", self.skipped));
        let expected = (self.expected > 0).then(|| format!("{} as expected", count(self.expected, "finding")));
        let rest: Vec<_> = skipped.into_iter().chain(expected).collect();
        (!rest.is_empty()).then(|| rest.join("; "))
    }
}
