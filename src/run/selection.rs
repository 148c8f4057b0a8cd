//! The selection of findings: everything is judged, and only some of what was found counts.

use std::collections::{BTreeMap, BTreeSet};

use sessionlint_core::finding::{Finding, FindingKind, Repeat, Severity, Summary};

use crate::report::Unselected;

/// The findings that count: those of some rules, of one stream, or both.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The names of the rules; empty for all.
    pub rules: BTreeSet<String>,
    /// The stream; `None` for all, and for findings of none.
    pub stream: Option<String>,
}

impl Selection {
    fn admits(&self, finding: &Finding) -> bool {
        let is_of_rule = self.rules.is_empty() || self.rules.contains(&*finding.rule);
        is_of_rule
            && self.stream.as_ref().is_none_or(|stream| finding.stream.as_ref().is_some_and(|it| **it == **stream))
    }

    /// Returns whether every finding counts.
    pub fn is_of_all(&self) -> bool {
        self.rules.is_empty() && self.stream.is_none()
    }

    /// Returns the options of the command line that say so.
    fn options(&self) -> &'static str {
        match (self.rules.is_empty(), self.stream.is_some()) {
            (true, _) => "--stream",
            (false, false) => "--only",
            (false, true) => "--only, --stream",
        }
    }
}

/// Takes the findings that are not selected out of a run.
#[derive(Debug)]
pub struct Selector<'s> {
    selection: &'s Selection,
    /// The findings of the current file that were not selected: their severity and number.
    of_file: BTreeMap<FindingKind, (Severity, u64)>,
    /// Number of findings in all files before.
    before: u64,
}

impl<'s> Selector<'s> {
    /// Returns a selector at the beginning of a run; `None` if all findings count.
    pub fn new(selection: &'s Selection) -> Option<Selector<'s>> {
        (!selection.is_of_all()).then(|| Selector { selection, of_file: BTreeMap::new(), before: 0 })
    }

    /// Returns whether a finding is selected, and counts it if it is not.
    pub fn admits(&mut self, finding: &Finding) -> bool {
        let admits = self.selection.admits(finding);
        if !admits {
            self.of_file.entry(finding.kind()).or_insert((finding.severity, 0)).1 += 1;
        }
        admits
    }

    /// Ends a file: takes what was not selected out of its counts and its repeats. Repeats go with the finding that they
    /// repeat. Returns what was taken out.
    pub fn end_file(&mut self, summary: &mut Summary, repeats: &mut Vec<Repeat>) -> Unselected {
        let mut findings = 0;
        repeats.retain(|repeat| {
            let repeated = self.of_file.iter_mut().find(|(kind, _)| repeat.is_of(kind));
            repeated.is_none_or(|(_, (_, count))| {
                *count += repeat.count;
                false
            })
        });
        for (kind, (severity, count)) in std::mem::take(&mut self.of_file) {
            summary.remove(&kind.rule, severity, count);
            findings += count;
        }
        self.before += findings;
        Unselected { options: self.selection.options(), findings }
    }

    /// Forgets the findings of a file that could not be read to its end, and is not counted.
    pub fn forget_file(&mut self) {
        self.of_file.clear();
    }

    /// Returns what was taken out of all files.
    pub fn end(&self) -> Unselected {
        Unselected { options: self.selection.options(), findings: self.before }
    }
}
