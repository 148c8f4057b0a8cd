//! The findings of each rule, counted.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use sessionlint_core::finding::{Finding, Severity};
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::visible;

use super::RunEnd;

/// What was reported of each rule.
#[derive(Debug, Default)]
pub struct Tally {
    reported: HashMap<Arc<str>, (Severity, u64)>,
}

/// A rule that was broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Row<'e> {
    pub rule: &'e str,
    /// The highest severity of its findings: an override may give those of some files another one.
    pub severity: Severity,
    /// The number of findings, with the repeats and the ones that are not shown.
    pub count: u64,
}

impl Tally {
    /// Counts a finding. Returns the number of earlier findings of its rule.
    pub fn add(&mut self, finding: &Finding) -> u64 {
        if let Some((severity, count)) = self.reported.get_mut(&finding.rule) {
            (*severity, *count) = ((*severity).max(finding.severity), *count + 1);
            return *count - 1;
        }
        self.reported.insert(finding.rule.clone(), (finding.severity, 1));
        0
    }

    /// Returns the number of findings of a rule that were reported.
    pub fn reported(&self, rule: &str) -> u64 {
        self.reported.get(rule).map_or(0, |(_, count)| *count)
    }

    /// Returns the rules that a run counts, the most frequent first.
    pub fn rows<'e>(&self, end: &RunEnd<'e>, rules: &Rulebook<'_>) -> Vec<Row<'e>> {
        let row = |(rule, count): (&'e String, &u64)| {
            let seen = self.reported.get(rule.as_str()).map(|(severity, _)| *severity);
            // Of a rule whose findings are all hidden by a limit, no severity was seen.
            let usual = || rules.rule(rule).and_then(|rule| rule.severity).unwrap_or(Severity::Error);
            Row { rule, severity: seen.unwrap_or_else(usual), count: *count }
        };
        let mut rows: Vec<_> = end.summary.by_rule.iter().map(row).collect();
        rows.sort_by_key(|row| (Reverse(row.count), Reverse(row.severity), row.rule));
        rows
    }

    /// Returns a table of these rules: the number of findings, the severity, the name, and what the rule is about.
    pub fn table(&self, end: &RunEnd<'_>, rules: &Rulebook<'_>) -> String {
        let rows = self.rows(end, rules);
        let numbers = rows.iter().map(|row| row.count.to_string().len()).max().unwrap_or_default();
        let names = rows.iter().map(|row| row.rule.len()).max().unwrap_or_default();
        let line = |row: &Row<'_>| {
            let means = rules.rule(row.rule).map_or("", |rule| rule.means.as_str());
            let line = format!("{:numbers$}  {:7}  {:names$}  {means}", row.count, row.severity.as_str(), row.rule);
            visible(line.trim_end()) + "\n"
        };
        rows.iter().map(line).collect()
    }
}
