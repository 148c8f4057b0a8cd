//! What was found in a fixture, wherever it stands: the same before and after, or less.

use std::collections::BTreeMap;
use std::sync::Arc;

use sessionlint_core::finding::{Kind, Report};

/// Findings by kind and stream, and how often there is each.
#[derive(Debug, Default, PartialEq)]
pub struct Tally(BTreeMap<(Kind, Option<Arc<str>>), u64>);

impl Tally {
    /// Those of a report, repeats too.
    pub fn of(report: &Report) -> Tally {
        let mut tally = Tally::default();
        for finding in &report.findings {
            *tally.0.entry((finding.kind(), finding.stream.clone())).or_default() += 1;
        }
        for repeat in &report.repeats {
            let kind = Kind {
                rule: repeat.rule.clone(),
                event_type: repeat.event_type.clone(),
                pointer: repeat.pointer.clone(),
            };
            *tally.0.entry((kind, None)).or_default() += repeat.count;
        }
        tally
    }

    /// How many findings there are.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether there are fewer findings than before, and none that was not there.
    pub fn is_better_than(&self, before: &Tally) -> bool {
        if self.total() >= before.total() {
            return false;
        }
        let mut known = before.0.clone();
        let mut take = |key: (Kind, Option<Arc<str>>), count: u64| {
            let left = known.get_mut(&key);
            let taken = left.as_ref().map_or(0, |left| count.min(**left));
            if let Some(left) = left {
                *left -= taken;
            }
            count - taken
        };
        self.0.iter().all(|((kind, stream), count)| {
            let rest = take((kind.clone(), stream.clone()), *count);
            // An event whose stream could not be read belongs to one once it is mended; and of what is told once, any
            // one may be the first.
            rest == 0 || take((kind.clone(), None), rest) == 0
        })
    }
}
