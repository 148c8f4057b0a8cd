//! The changes that the canonical form makes in a file: how many of each kind, and the first place.

use std::ops::Range;

/// A kind of deviation from the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    KeyOrder,
    DateTime,
    WhiteSpace,
    LineEnd,
}

/// All kinds of changes, each in the words of a summary.
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
    /// The message: what was found there, and what was expected.
    pub what: String,
}

/// The deviations of a file: the number of each kind, and the first one.
#[derive(Debug, Default)]
pub struct Changes {
    counts: [u64; CHANGES.len()],
    pub first: Option<Deviation>,
    /// Whether the file holds anything of a known type.
    pub has_known_type: bool,
}

impl Changes {
    /// Counts a change. `what` words it, and is called only if no earlier place is known.
    pub fn note(&mut self, change: Change, at: Range<usize>, what: impl FnOnce() -> String) {
        self.counts[change as usize] += 1;
        if self.first.as_ref().is_none_or(|first| at.start < first.at.start) {
            self.first = Some(Deviation { at, what: what() });
        }
    }

    /// Returns the number of changes of each kind that occurs.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CHANGES.iter().map(|(change, words)| (*words, self.counts[*change as usize])).filter(|(_, count)| *count > 0)
    }
}
