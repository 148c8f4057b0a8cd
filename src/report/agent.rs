//! The report for coding agents: what is wrong and how often, then places, then what to do, once for each rule.
//!
//! Whoever reads it pays for each word, and has to hear of each rule. So the findings that are listed are limited, each
//! rule has its share of them, and what is left out is said.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use sessionlint_core::finding::{Finding, FindingKind, Repeat, Severity};
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::{count, visible};

use super::inert::Syntax;
use super::tally::{Row, Tally};
use super::{FileEnd, Format, Reporter, RunEnd, TextOptions, short, shortened, summary};

/// The format for coding agents.
pub const FORMAT: Format = Format {
    name: "agent",
    about: "For coding agents: counts by rule, the first 50 findings, and help once for each rule",
    syntax: Syntax::Plain,
    recognises: |beginning| beginning.starts_with(HEADING),
    reporter: |out, rules, options| Box::new(Agent::new(out, rules, options)),
};

/// The first line.
const HEADING: &str = "sessionlint found, by rule:\n";
/// Maximum number of findings that are listed.
const MOST_FINDINGS: usize = 50;
/// Maximum number of related places of a finding that are named.
const MOST_RELATED: usize = 3;
/// Maximum length of a line, in characters.
const MOST_CHARACTERS: usize = 500;

/// Writes everything at the end, because the counts come first.
///
/// Memory does not grow with the findings: of each rule, no more are kept than could be listed.
struct Agent<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    is_quiet: bool,
    tally: Tally,
    kept: Vec<Kept>,
    /// The rules with a finding that has no help of its own.
    helpless: BTreeSet<Arc<str>>,
    /// Number of findings so far.
    number: u64,
    /// The length of `kept` when the current file began.
    of_earlier_files: usize,
    /// Number of files that could not be read.
    unread: usize,
}

/// Returns a finding in one line: with the places that explain it, and the help that is particular to it.
fn line(finding: &Finding) -> String {
    let mut line = short::line(finding);
    for related in finding.related.iter().take(MOST_RELATED) {
        let file = related.file.as_deref().map(|file| format!("{}, ", visible(file))).unwrap_or_default();
        line.push_str(&format!("; {file}line {}: {}", related.place.line, visible(&related.message)));
    }
    if let Some(help) = &finding.help {
        line.push_str(&format!("; {}", visible(help)));
    }
    line
}

/// A finding that may be listed.
struct Kept {
    /// The number of findings before it, and of those the ones of its rule.
    number: u64,
    of_rule: u64,
    kind: FindingKind,
    severity: Severity,
    line: String,
}

impl<'p, W: Write> Agent<'p, W> {
    fn new(out: W, rules: Rulebook<'p>, options: TextOptions) -> Agent<'p, W> {
        let (tally, kept, helpless) = (Tally::default(), Vec::new(), BTreeSet::new());
        let is_quiet = options.is_quiet();
        Agent { out, rules, is_quiet, tally, kept, helpless, number: 0, of_earlier_files: 0, unread: 0 }
    }

    /// Returns the findings to list, in their order. Each rule has its first one among them before any has its second,
    /// and errors come before notes.
    fn listed(&mut self) -> Vec<Kept> {
        let mut listed = std::mem::take(&mut self.kept);
        listed.sort_by_key(|kept| (kept.of_rule, Reverse(kept.severity), kept.number));
        listed.truncate(MOST_FINDINGS);
        listed.sort_by_key(|kept| kept.number);
        listed
    }

    /// Returns the number of findings of each rule that are not listed, the most frequent first.
    fn unlisted<'r>(&self, listed: &[Kept], rows: &[Row<'r>]) -> Vec<(&'r str, u64)> {
        let mut shown: BTreeMap<&str, u64> = BTreeMap::new();
        listed.iter().for_each(|kept| *shown.entry(&kept.kind.rule).or_default() += 1);
        let left = |row: &Row<'r>| {
            (row.rule, self.tally.reported(row.rule) - shown.get(row.rule).copied().unwrap_or_default())
        };
        let mut unlisted: Vec<_> = rows.iter().map(left).filter(|(_, left)| *left > 0).collect();
        unlisted.sort_by_key(|(_, left)| Reverse(*left));
        unlisted
    }
}

impl<W: Write> Reporter for Agent<'_, W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let of_rule = self.tally.add(finding);
        if finding.help.is_none() && !self.helpless.contains(&finding.rule) {
            self.helpless.insert(finding.rule.clone());
        }
        if of_rule < MOST_FINDINGS as u64 {
            let line = shortened(line(finding), MOST_CHARACTERS);
            let (number, kind, severity) = (self.number, finding.kind(), finding.severity);
            self.kept.push(Kept { number, of_rule, kind, severity, line });
        }
        self.number += 1;
        Ok(())
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.unread += usize::from(end.unreadable.is_some());
        for kept in &mut self.kept[self.of_earlier_files..] {
            if let Some(Repeat { count, .. }) = end.repeats.iter().find(|repeat| repeat.is_of(&kept.kind)) {
                kept.line.push_str(&format!(" ({} times in this file)", count + 1));
            }
        }
        self.of_earlier_files = self.kept.len();
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        let rows = self.tally.rows(end, &self.rules);
        let listed = self.listed();
        let unlisted = self.unlisted(&listed, &rows);
        if !rows.is_empty() {
            write!(self.out, "{HEADING}")?;
        }
        for row in &rows {
            writeln!(self.out, "  {} {} ({})", row.count, visible(row.rule), row.severity)?;
        }
        if !listed.is_empty() {
            writeln!(self.out)?;
            listed.iter().try_for_each(|kept| writeln!(self.out, "{}", kept.line))?;
        }
        if !unlisted.is_empty() {
            let all = unlisted.iter().map(|(_, left)| left).sum();
            let each: Vec<_> = unlisted.iter().map(|(rule, left)| format!("{left} {}", visible(rule))).collect();
            let more = count(all, "more finding");
            writeln!(self.out, "… and {more}: {}; --format jsonl has all", each.join(", "))?;
        }
        let needed = rows.iter().filter(|row| self.helpless.contains(row.rule));
        let helped = needed.filter_map(|row| self.rules.rule(row.rule)).filter(|rule| !rule.help.is_empty());
        let helps: String =
            helped.map(|rule| format!("  {}: {}\n", visible(&rule.name), visible(&rule.help))).collect();
        if !helps.is_empty() {
            write!(
                self.out,
                "\nWhat to do (`sessionlint explain RULE` has the document's words and an example):\n{helps}"
            )?;
        }
        if !self.is_quiet {
            let space = if rows.is_empty() { "" } else { "\n" };
            write!(self.out, "{space}{}", summary::text(end, self.unread + end.unfound.len()))?;
        }
        self.out.flush()
    }
}
