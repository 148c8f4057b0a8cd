//! Prints the lifecycles and the rules of a protocol as Markdown tables, for pages about the protocol.

use std::fmt::{self, Write as _};

use sessionlint_core::protocol::tables::{Cell, Lifecycle};
use sessionlint_core::protocol::{Basis, Protocol, Rule, Tables};
use sessionlint_core::text::in_quotes;

use super::{cell_words, notes, rule_mark};
use crate::picture::labels::{Labels, RowRef, printable};
use crate::report::escape_markdown;

/// Writes a section for each lifecycle, and one for the rules.
pub fn write_page(out: &mut String, protocol: &Protocol) -> fmt::Result {
    let tables = protocol.tables();
    for lifecycle in &tables.lifecycles {
        write_lifecycle(out, tables, lifecycle)?;
    }
    writeln!(out, "### rules\n")?;
    write_rules(out, protocol)
}

/// Writes the table of a lifecycle, with events as rows and states as columns. Rows with the same cells are one row.
fn write_lifecycle(out: &mut String, tables: &Tables, lifecycle: &Lifecycle) -> fmt::Result {
    let mut labels = Labels::unabridged(tables);
    let mut rows: Vec<(&[Cell], Vec<RowRef>)> = Vec::new();
    for (event, of_event) in lifecycle.rows.iter().enumerate() {
        for (row, table) in of_event.iter().enumerate() {
            match rows.iter_mut().find(|(cells, _)| *cells == table.cells) {
                Some((_, same)) => same.push(RowRef { event, row }),
                None => rows.push((&table.cells, vec![RowRef { event, row }])),
            }
        }
    }
    let states: Vec<_> = lifecycle.states.iter().map(|state| escape_markdown(&printable(state))).collect();
    writeln!(out, "### {}\n", escape_markdown(&labels.title(lifecycle)))?;
    writeln!(out, "| event | {} |\n|---{}|", states.join(" | "), "|---".repeat(states.len()))?;
    for (cells, same) in rows {
        let event = labels.events(lifecycle, &same).join("; ");
        write!(out, "| {} |", escape_markdown(&event))?;
        for (state, cell) in cells.iter().enumerate() {
            let words = cell_words(tables, lifecycle, state, *cell).join(" ");
            write!(out, " {} |", escape_markdown(words.trim_end()))?;
        }
        writeln!(out)?;
    }
    if lifecycle.end.iter().any(Option::is_some) {
        write!(out, "| end of the stream |")?;
        for rule in &lifecycle.end {
            let words = rule.map_or("·".to_owned(), |rule| rule_mark(tables, rule));
            write!(out, " {} |", escape_markdown(&words))?;
        }
        writeln!(out)?;
    }
    let notes = notes(&labels, lifecycle);
    if !notes.is_empty() {
        writeln!(out)?;
    }
    for note in notes {
        writeln!(out, "- {}", escape_markdown(&note))?;
    }
    writeln!(out)
}

/// Writes the rules that an input can break. The rules of the program itself are the same for every protocol, and about
/// other files.
fn write_rules(out: &mut String, protocol: &Protocol) -> fmt::Result {
    writeln!(out, "| rule | severity | what is wrong | rests on |\n|---|---|---|---|")?;
    for rule in protocol.rules().iter().filter(|rule| rule.basis != Basis::Upkeep) {
        let severity = rule.severity.map_or("off", |severity| severity.as_str());
        let (name, means) = (escape_markdown(&rule.name), escape_markdown(&rule.means));
        writeln!(out, "| {name} | {severity} | {means} | {} |", foundation(rule))?;
    }
    Ok(())
}

/// Returns what a rule rests on: the quotes from the document if there are any.
fn foundation(rule: &Rule) -> String {
    match rule.basis {
        Basis::Document => {
            let quotes: Vec<_> = rule.quotes.iter().map(|quote| in_quotes(&escape_markdown(quote))).collect();
            quotes.join(" · ")
        }
        Basis::Schema => "the schema".to_owned(),
        Basis::Inference => "inference".to_owned(),
        Basis::Framing => "framing".to_owned(),
        Basis::Upkeep => "upkeep".to_owned(),
    }
}
