//! The end of the report: counts, what was not shown, and what was not checked.

use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::{count, visible};

use super::Totals;
use super::block::wrapped;
use crate::lint::SkipReason;
use crate::report::{RunEnd, summary};

/// The most names of files that are listed.
pub const MOST_NAMES: usize = 10;
/// The number of blocks from which on the report ends with a table of its rules.
const MANY_BLOCKS: u64 = 10;

/// Returns the end of the report.
pub fn render(end: &RunEnd<'_>, totals: &Totals, rules: &Rulebook<'_>, width: usize) -> String {
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
    if totals.blocks > MANY_BLOCKS || totals.unshown > 0 {
        text.push_str("Findings by rule:\n");
        text.push_str(&totals.tally.table(end, rules));
        text.push('\n');
    }
    if let Some(rule) = &totals.first_rule {
        text.push_str(&format!("For more about a rule: sessionlint explain {}\n", visible(rule)));
    }
    // The names of inputs that were not found or could not be read are on standard error.
    text.push_str(&summary::text(end, totals.unread + end.unfound.len()));
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
