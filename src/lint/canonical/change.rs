//! What the canonical form changes in a file: how often, and where first.

use std::ops::Range;

/// A way in which a file may deviate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    KeyOrder,
    DateTime,
    WhiteSpace,
    LineEnd,
}

/// All of them, in the words of a summary.
pub const CHANGES: [(Change, &str); 4] = [
    (Change::KeyOrder, "key order"),
    (Change::DateTime, "date-time"),
    (Change::WhiteSpace, "white space"),
    (Change::LineEnd, "line end"),
];

/// A place that deviates.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviation {
    /// Its bytes in the file.
    pub at: Range<usize>,
    /// What stands there, and what should.
    pub what: String,
}

/// Everything that deviates.
#[derive(Debug, Default)]
pub struct Changes {
    counts: [u64; CHANGES.len()],
    pub first: Option<Deviation>,
    /// Whether anything of a known type is in the file.
    pub known: bool,
}

impl Changes {
    /// Counts a change; its words are asked for if no earlier place is known.
    pub fn note(&mut self, change: Change, at: Range<usize>, what: impl FnOnce() -> String) {
        self.counts[change as usize] += 1;
        if self.first.as_ref().is_none_or(|first| at.start < first.at.start) {
            self.first = Some(Deviation { at, what: what() });
        }
    }

    /// How often there is each.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CHANGES.iter().map(|(change, words)| (*words, self.counts[*change as usize])).filter(|(_, count)| *count > 0)
    }
}
