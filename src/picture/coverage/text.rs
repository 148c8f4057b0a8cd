//! The coverage report for people: a table of the groups, then the items that never occurred.

use std::fmt::{self, Write};

use sessionlint_core::text::count;

use super::{Coverage, FieldItem, Group, Share};
use crate::picture::labels::{lines, printable};

/// Maximum number of lines shown of each group, without `--all`.
const MOST_LINES: usize = 20;
/// Maximum length of a line of names, in characters.
const WIDTH: usize = 96;

/// Writes the report. `all` shows every line of every group.
///
/// # Errors
///
/// Returns only errors of the writer.
pub fn text(out: &mut String, coverage: &Coverage<'_>, all: bool) -> fmt::Result {
    let summary = coverage.summary;
    let read = [(summary.files, "file"), (summary.events, "event"), (summary.streams, "stream")];
    let read = read.map(|(number, noun)| count(number, noun)).join(", ");
    writeln!(out, "{}: {read}\n", printable(coverage.protocol.name()))?;
    writeln!(out, "  {:12}  {:>7}  {:>6}  {:>6}", "", "covered", "of", "%")?;
    for group in Group::ALL {
        line(out, group.name(), coverage.share(group))?;
    }
    let silent = ("rules that were asked and never found anything", silent_rules(coverage));
    let lists = Group::ALL.map(|group| (heading(group), missing(coverage, group))).into_iter().chain([silent]);
    for (heading, missing) in lists {
        if missing.is_empty() {
            continue;
        }
        writeln!(out, "\n{heading}")?;
        let missing = if heading.starts_with("rules") { lines(&missing, WIDTH) } else { missing };
        let most = if all { missing.len() } else { MOST_LINES };
        for line in missing.iter().take(most) {
            writeln!(out, "  {line}")?;
        }
        if let Some(more @ 1..) = missing.len().checked_sub(most) {
            writeln!(out, "  … and {} (--all shows them)", count(more as u64, "more line"))?;
        }
    }
    Ok(())
}

fn line(out: &mut String, name: &str, share: Share) -> fmt::Result {
    writeln!(out, "  {name:12}  {:>7}  {:>6}  {:>6.1}", share.covered, share.items, share.percent())
}

fn heading(group: Group) -> &'static str {
    match group {
        Group::EventTypes => "event types that never occur",
        Group::Fields => "fields that are never there, and values that they never have",
        Group::LegalMoves => "legal moves that are never made",
        Group::BrokenMoves => "moves that break a rule, or follow a broken one, and are never made",
        Group::Rules => "rules that were never asked: finding nothing is then not a pass",
    }
}

/// Returns the labels of the items of a group that never occurred.
pub fn missing(coverage: &Coverage<'_>, group: Group) -> Vec<String> {
    let tables = coverage.protocol.tables();
    match group {
        Group::EventTypes => {
            let events = tables.events.iter().zip(&coverage.event_types);
            events.filter(|(_, count)| **count == 0).map(|(event, _)| printable(&event.name)).collect()
        }
        Group::Fields => missing_fields(coverage),
        Group::LegalMoves | Group::BrokenMoves => {
            let missing: Vec<_> = coverage.moves(group).filter(|item| item.count == 0).collect();
            let of_one_row = missing.chunk_by(|a, b| (a.cell.lifecycle, a.cell.row) == (b.cell.lifecycle, b.cell.row));
            of_one_row.map(|cells| coverage.cells_in_words(cells)).collect()
        }
        Group::Rules => {
            let rules = tables.rules.iter().zip(&coverage.rules);
            rules.filter(|(_, item)| item.asked == 0).map(|(rule, _)| printable(&rule.name)).collect()
        }
    }
}

/// Returns the rules that were asked, each with how often, and never spoke.
pub fn silent_rules(coverage: &Coverage<'_>) -> Vec<String> {
    let rules = coverage.protocol.tables().rules.iter().zip(&coverage.rules);
    let silent = rules.filter(|(_, item)| item.asked > 0 && item.count == 0);
    silent.map(|(rule, item)| format!("{} ×{}", printable(&rule.name), item.asked)).collect()
}

/// Returns the labels of the fields and values that never occurred. The fields of an event type that never occurred are
/// one label, and the values of a field that never occurred are left out.
fn missing_fields(coverage: &Coverage<'_>) -> Vec<String> {
    let tables = coverage.protocol.tables();
    let mut words = Vec::new();
    for of_event in coverage.fields.chunk_by(|a, b| a.event == b.event) {
        let Some(event) = of_event.first().map(|item| item.event) else { continue };
        let name = printable(&tables.events[event].name);
        if coverage.event_types[event] == 0 {
            words.push(format!("{name}: all {}", of_event.len()));
            continue;
        }
        for of_field in of_event.chunk_by(|a, b| a.pointer == b.pointer) {
            let absent = |item: &&FieldItem<'_>| item.count == 0;
            let most = if of_field.first().is_some_and(|field| field.count == 0) { 1 } else { of_field.len() };
            for item in of_field.iter().take(most).filter(absent) {
                let value = item.value.map(|value| format!(" = {}", printable(&value.to_string())));
                words.push(format!("{name} {}{}", printable(&item.pointer.to_string()), value.unwrap_or_default()));
            }
        }
    }
    words
}
