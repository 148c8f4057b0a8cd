//! The end of the report: counts, what was not shown, and what was not checked.

use sessionlint_core::text::{count, visible};

use super::Totals;
use super::block::wrapped;
use crate::lint::SkipReason;
use crate::report::{GapReason, RunEnd, baseline_note, capitalized, input_counts, lint_notes};

/// The most names of files that are listed.
pub const MOST_NAMES: usize = 10;
/// The number of blocks from which on the report ends with a table of its rules.
const MANY_BLOCKS: u64 = 10;

/// Returns the end of the report.
pub fn render(end: &RunEnd<'_>, totals: &Totals, width: usize) -> String {
    // The names of inputs that were not found or could not be read are on standard error.
    let unchecked = totals.unread + end.unfound.len();
    let summary = end.summary;
    let mut text = String::new();
    if totals.unshown > 0 {
        let (files, names) = &totals.alike;
        let names: Vec<_> = names.iter().map(|name| visible(name)).collect();
        let more = if *files > names.len() as u64 { ", …" } else { "" };
        let found = if totals.unshown == 1 { "is" } else { "are" };
        let words = format!(
            "{} like those above {found} in {}, and not shown without --all: {}{more}",
            count(totals.unshown, "finding"),
            count(*files, "more file"),
            names.join(", "),
        );
        text.push_str(&wrapped(&words, width, "", "  "));
    }
    if end.hidden > 0 {
        text.push_str(&format!("{} not shown (--max-findings).\n", count(end.hidden, "more finding")));
    }
    if totals.blocks > MANY_BLOCKS || totals.unshown > 0 {
        text.push_str(&rule_table(end, totals));
    }
    if let Some(rule) = &totals.first_rule {
        text.push_str(&format!("For more about a rule: sessionlint explain {}\n", visible(rule)));
    }
    text.push_str(&format!(
        "{}: {}, {}, {}",
        input_counts(end),
        count(summary.errors, "error"),
        count(summary.warnings, "warning"),
        count(summary.notes, "note"),
    ));
    if summary.loose > 0 {
        text.push_str(&format!("; {} of no known session", count(summary.loose, "record")));
    }
    if summary.skipped > 0 {
        let words = match (summary.records == 0, summary.skipped == 1) {
            (true, true) => "message skipped that carries no event",
            (true, false) => "messages skipped that carry no event",
            (false, true) => "event or message skipped that carries no record",
            (false, false) => "events or messages skipped that carry no record",
        };
        text.push_str(&format!("; {} {words}", summary.skipped));
    }
    for more in lint_notes(end).into_iter().chain(baseline_note(end)) {
        text.push_str(&format!("; {more}"));
    }
    if unchecked > 0 {
        text.push_str(&format!("; {} could not be checked", count(unchecked as u64, "input")));
    }
    text.push_str(".\n");
    if let Some(words) = end.left_out.and_then(|left_out| left_out.words()) {
        text.push_str(&format!("{}.\n", capitalized(&words)));
    }
    if let Some(words) = end.completeness.words() {
        text.push_str(&format!("{}.\n", capitalized(&words)));
        // Findings and inputs that were not read have been shown.
        let passed_over = end.completeness.gaps().iter().filter(|gap| gap.reason == GapReason::PassedOver);
        passed_over.for_each(|gap| text.push_str(&format!("  {}\n", gap.line())));
    }
    for one in end.linted.into_iter().flat_map(|linted| &linted.listed) {
        let line = one.line.map(|line| format!(":{line}")).unwrap_or_default();
        let skipped = || format!("skipped, {}", one.why.map_or("", SkipReason::label));
        let words = one.kind.map_or_else(skipped, |kind| kind.label().to_owned());
        text.push_str(&format!("  {}{line}: {words}\n", visible(&one.file)));
    }
    for session in end.reconciled.into_iter().flatten() {
        text.push_str(&format!(
            "  {}: {} matched, {} missing, {} unexpected\n",
            visible(&session.session),
            count(session.matched, "call"),
            session.missing,
            session.unexpected
        ));
    }
    if let Some(stats) = end.stats {
        for (name, number) in &stats.by_type {
            text.push_str(&format!("  {number:>10} {}\n", visible(name)));
        }
        for (name, number) in &stats.opened {
            text.push_str(&format!("  {number:>10} opened: {name}\n"));
        }
        text.push_str(&format!("  {:>10} bytes in {:.3} s\n", stats.bytes, end.elapsed.as_secs_f64()));
    }
    text
}

/// Returns the number of findings of each rule, most first.
fn rule_table(end: &RunEnd<'_>, totals: &Totals) -> String {
    let mut rules: Vec<_> = end.summary.by_rule.iter().filter(|(_, number)| **number > 0).collect();
    rules.sort_by_key(|(name, number)| (std::cmp::Reverse(**number), *name));
    let row = |(name, number): &(&String, &u64)| {
        let severity = totals.severities.get(name.as_str()).map_or("", |severity| severity.as_str());
        format!("{number:>8}  {severity:7}  {}\n", visible(name))
    };
    rules.iter().map(row).collect::<String>() + "\n"
}
