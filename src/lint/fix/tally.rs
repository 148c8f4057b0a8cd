//! Counts the findings of a fixture without their places, to compare them before and after a change.

use std::collections::BTreeMap;
use std::sync::Arc;

use sessionlint_core::finding::{FindingKind, Report};

/// Number of findings of each kind and stream.
#[derive(Debug, Default, PartialEq)]
pub struct Tally(BTreeMap<(FindingKind, Option<Arc<str>>), u64>);

impl Tally {
    /// Counts the findings of a report, including repeats and those that are not listed.
    pub fn of(report: &Report) -> Tally {
        let mut tally = Tally::default();
        for finding in &report.findings {
            *tally.0.entry((finding.kind(), finding.stream.clone())).or_default() += 1;
        }
        for repeat in &report.repeats {
            let kind = FindingKind {
                rule: repeat.rule.clone(),
                event_type: repeat.event_type.clone(),
                pointer: repeat.pointer.clone(),
            };
            *tally.0.entry((kind, None)).or_default() += repeat.count;
        }
        let mut unlisted = report.summary.by_rule.clone();
        for ((kind, _), count) in &tally.0 {
            if let Some(left) = unlisted.get_mut(&*kind.rule) {
                *left = left.saturating_sub(*count);
            }
        }
        for (rule, count) in unlisted.into_iter().filter(|(_, count)| *count > 0) {
            *tally.0.entry((of_any_kind(&rule.into()), None)).or_default() += count;
        }
        tally
    }

    /// Returns the total number of findings.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Returns whether there are fewer findings than before, and none that is new.
    pub fn is_better_than(&self, before: &Tally) -> bool {
        if self.total() >= before.total() {
            return false;
        }
        let mut known = before.0.clone();
        let mut take = |key: (FindingKind, Option<Arc<str>>), count: u64| {
            let left = known.get_mut(&key);
            let taken = left.as_ref().map_or(0, |left| count.min(**left));
            if let Some(left) = left {
                *left -= taken;
            }
            count - taken
        };
        self.0.iter().all(|((kind, stream), count)| {
            let rest = take((kind.clone(), stream.clone()), *count);
            // An event whose stream could not be read belongs to one once it is fixed; and of findings that are
            // reported only once, a different one may be the first.
            let rest = if rest == 0 { 0 } else { take((kind.clone(), None), rest) };
            // One that was not listed is listed once there are fewer.
            rest == 0 || take((of_any_kind(&kind.rule), None), rest) == 0
        })
    }
}

/// Returns the kind under which findings of a rule are counted that are not listed.
fn of_any_kind(rule: &Arc<str>) -> FindingKind {
    FindingKind { rule: rule.clone(), event_type: None, pointer: None }
}
