//! Fixes a fixture: brings it into its canonical form and, on request, applies what the help of findings proposes.
//!
//! Every change is verified by judging the fixture again: an edit is kept if it leaves fewer findings and no new one,
//! and the canonical form if it leaves the findings unchanged. So a fix that does more harm than good is never made.

mod edit;
mod insert;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use edit::Edit;
use sessionlint_core::finding::Report;

use super::canonical::{CanonicalForm, FixtureReader, canonical_form};
pub use tally::Tally;

/// The most rounds of looking for further fixes.
const MOST_ROUNDS: usize = 8;
/// The most edits or groups of edits that are tried on a file: fewer on a large file, so that no more than
/// `MOST_JUDGED` bytes are judged, but never fewer than `LEAST_TRIALS`.
const MOST_TRIALS: usize = 400;
const LEAST_TRIALS: usize = 10;
const MOST_JUDGED: usize = 1 << 30;

/// The changes that a fix may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Changes that cannot alter the meaning: the canonical form.
    Safe,
    /// Also the changes that the help of findings proposes.
    Unsafe,
}

/// Judges the bytes of a fixture. Must give the same report for the same bytes.
pub type Judge<'j> = &'j dyn Fn(&[u8]) -> Report;

/// The result of fixing a fixture.
#[derive(Debug, Default)]
pub struct FixOutcome {
    /// The new bytes; `None` if nothing can be improved.
    pub bytes: Option<Vec<u8>>,
    /// Number of changes of each kind: formatting changes by their name, edits by the rule that they fix.
    pub applied: BTreeMap<Arc<str>, u64>,
    /// Number of edits that were rejected, because they left as many findings as before, or new ones.
    pub refused: u64,
}

/// Returns the canonical form of a fixture; `None` if it is in that form already, or if that form changes the findings.
pub fn safe_canonical_form(reader: &FixtureReader<'_>, judge: Judge<'_>, bytes: &[u8]) -> Option<CanonicalForm> {
    let canonical = canonical_form(reader, bytes)?;
    // Nearly all fixtures are in that form already and need not be judged here.
    (Tally::of(&judge(bytes)) == Tally::of(&judge(&canonical.bytes))).then_some(canonical)
}

/// Fixes a fixture as far as `level` allows.
pub fn fix(reader: &FixtureReader<'_>, judge: Judge<'_>, bytes: &[u8], level: Level) -> FixOutcome {
    let mut fixed = FixOutcome::default();
    if level == Level::Unsafe {
        apply_proposals(reader, judge, bytes, &mut fixed);
    }
    let before = fixed.bytes.as_deref().unwrap_or(bytes);
    if let Some(canonical) = safe_canonical_form(reader, judge, before) {
        for (change, count) in canonical.changes.counts() {
            *fixed.applied.entry(change.into()).or_default() += count;
        }
        fixed.bytes = Some(canonical.bytes);
    }
    fixed
}

/// Applies the edits that findings propose, until a round keeps none.
fn apply_proposals(reader: &FixtureReader<'_>, judge: Judge<'_>, bytes: &[u8], fixed: &mut FixOutcome) {
    let mut trials = Trials { judge, left: most_trials(bytes.len()) };
    for _ in 0..MOST_ROUNDS {
        let base = fixed.bytes.as_deref().unwrap_or(bytes);
        let report = judge(base);
        let edits = edit::propose(reader, base, &report.findings);
        let kept = trials.select(base, Tally::of(&report), &edits);
        fixed.refused = (edits.len() - kept.len()) as u64;
        if kept.is_empty() {
            return;
        }
        for edit in &kept {
            *fixed.applied.entry(edit.rule.clone()).or_default() += 1;
        }
        fixed.bytes = Some(edit::apply(base, &kept));
    }
}

fn most_trials(length: usize) -> usize {
    (MOST_JUDGED / length.max(1)).clamp(LEAST_TRIALS, MOST_TRIALS)
}

struct Trials<'j> {
    judge: Judge<'j>,
    left: usize,
}

impl Trials<'_> {
    /// Returns the edits that reduce the findings. Tries all of them at once; if that does not help, tries each half,
    /// and so on down to single edits.
    fn select<'a>(&mut self, base: &[u8], before: Tally, edits: &'a [Edit]) -> Vec<&'a Edit> {
        let (mut kept, mut best) = (Vec::new(), before);
        let mut groups = vec![edits];
        while let Some(group) = groups.pop() {
            if group.is_empty() || self.left == 0 {
                continue;
            }
            self.left -= 1;
            let tried: Vec<_> = kept.iter().copied().chain(group).collect();
            let after = Tally::of(&(self.judge)(&edit::apply(base, &tried)));
            if after.is_better_than(&best) {
                (kept, best) = (tried, after);
            } else if group.len() > 1 {
                let (first, second) = group.split_at(group.len() / 2);
                groups.extend([second, first]);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests;
