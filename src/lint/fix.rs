//! Mends a fixture: its form, and on request what the help of a finding proposes.
//!
//! Nothing is believed to be better until it was judged again: an edit is kept if the findings are fewer and none is new,
//! and the canonical form if they are the same. So a fix that does more harm than good is not made, whoever proposed it.

mod insert;
mod proposal;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use proposal::Proposal;
use sessionlint_core::finding::Report;

use super::canonical::{Canonical, Reading, canonical};
pub use tally::Tally;

/// How often it is looked for more to mend.
const MOST_ROUNDS: usize = 8;
/// How many edits or groups of edits are tried on a file: fewer on a large one, so that no more bytes are judged than these.
const MOST_TRIALS: usize = 400;
const LEAST_TRIALS: usize = 10;
const MOST_JUDGED: usize = 1 << 30;

/// How far a fix may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What cannot change the meaning: the canonical form.
    Safe,
    /// What the help of findings proposes, too.
    Unsafe,
}

/// Judges the bytes of a fixture, each time in the same way.
pub type Judging<'j> = &'j dyn Fn(&[u8]) -> Report;

/// What became of a fixture.
#[derive(Debug, Default)]
pub struct Fixed {
    /// Its new bytes; none if it is as it should be, as far as it can be mended.
    pub bytes: Option<Vec<u8>>,
    /// What was done, and how often: changes of the form by name, edits by the rule that they mend.
    pub applied: BTreeMap<Arc<str>, u64>,
    /// How many proposals were not kept, because the findings would not have been fewer, or others.
    pub refused: u64,
}

/// The canonical form of a fixture; none if it is in that form, or if that would change what is found.
pub fn formatted(reading: &Reading<'_>, judge: Judging<'_>, bytes: &[u8]) -> Option<Canonical> {
    let canonical = canonical(reading, bytes)?;
    // Nearly all fixtures are in that form, and are not judged for it.
    (Tally::of(&judge(bytes)) == Tally::of(&judge(&canonical.bytes))).then_some(canonical)
}

/// Mends a fixture. The fixture `name` is the one that the judge's findings are of.
pub fn fixed(reading: &Reading<'_>, judge: Judging<'_>, bytes: &[u8], level: Level) -> Fixed {
    let mut fixed = Fixed::default();
    if level == Level::Unsafe {
        mend(reading, judge, bytes, &mut fixed);
    }
    let before = fixed.bytes.as_deref().unwrap_or(bytes);
    if let Some(canonical) = formatted(reading, judge, before) {
        for (change, count) in canonical.changes.counts() {
            *fixed.applied.entry(change.into()).or_default() += count;
        }
        fixed.bytes = Some(canonical.bytes);
    }
    fixed
}

/// Tries what findings propose until nothing more is kept.
fn mend(reading: &Reading<'_>, judge: Judging<'_>, bytes: &[u8], fixed: &mut Fixed) {
    let mut trials = Trials { judge, left: most_trials(bytes.len()) };
    for _ in 0..MOST_ROUNDS {
        let base = fixed.bytes.as_deref().unwrap_or(bytes);
        let report = judge(base);
        let proposals = proposal::of_findings(reading, base, &report.findings);
        let kept = trials.kept(base, Tally::of(&report), &proposals);
        fixed.refused = (proposals.len() - kept.len()) as u64;
        if kept.is_empty() {
            return;
        }
        for proposal in &kept {
            *fixed.applied.entry(proposal.rule.clone()).or_default() += 1;
        }
        fixed.bytes = Some(proposal::applied(base, &kept));
    }
}

fn most_trials(length: usize) -> usize {
    (MOST_JUDGED / length.max(1)).clamp(LEAST_TRIALS, MOST_TRIALS)
}

struct Trials<'j> {
    judge: Judging<'j>,
    left: usize,
}

impl Trials<'_> {
    /// The proposals that are worth keeping: all of them if that is so, else half of them, and so on down to each.
    fn kept<'a>(&mut self, base: &[u8], before: Tally, proposals: &'a [Proposal]) -> Vec<&'a Proposal> {
        let (mut kept, mut best) = (Vec::new(), before);
        let mut groups = vec![proposals];
        while let Some(group) = groups.pop() {
            if group.is_empty() || self.left == 0 {
                continue;
            }
            self.left -= 1;
            let tried: Vec<_> = kept.iter().copied().chain(group).collect();
            let after = Tally::of(&(self.judge)(&proposal::applied(base, &tried)));
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
