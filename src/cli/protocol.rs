//! `sessionlint protocol`: validates a protocol and prints its tables, as text or as a page of documentation has them.

mod markdown;
mod records;

use std::fmt::{self, Write as _};
use std::io::Write as _;

use clap::ValueEnum;
use sessionlint_core::protocol::series::{Series, SeriesStep};
use sessionlint_core::protocol::tables::{Cell, Condition, Each, FieldTest, Lifecycle, States};
use sessionlint_core::protocol::texts::{JsonKind, Text};
use sessionlint_core::protocol::{Protocol, RuleId, Tables};
use sessionlint_core::text::alternatives;

use super::config::ProtocolChoice;
use super::console::standard_output;
use super::{CliError, Exit};
use crate::picture::labels::{Labels, RowRef, printable};
use crate::report::Syntax;

/// The width of a table, in columns. Wider tables are split into blocks of states, of at least one state each.
const WIDTH: usize = 116;
const COLUMN_GAP: usize = 2;

#[derive(clap::Args)]
pub struct Arguments {
    /// Built-in protocol, or folder with a protocol.toml
    #[arg(value_name = "NAME|DIR", default_value = "session-events")]
    protocol: String,

    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The tables and the rules, as text
    Text,
    /// The tables of the lifecycles and of the rules, as Markdown
    Markdown,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let protocol = ProtocolChoice::named(&arguments.protocol)?;
    let mut page = String::new();
    let written = match arguments.format {
        Format::Text => write_protocol(&mut page, &protocol),
        Format::Markdown => markdown::write_page(&mut page, &protocol),
    };
    written.map_err(|error| CliError::Output(std::io::Error::other(error)))?;
    let mut out = standard_output(Syntax::Plain);
    out.write_all(page.as_bytes()).and_then(|()| out.flush())?;
    Ok(Exit::Clean)
}

fn write_protocol(out: &mut String, protocol: &Protocol) -> fmt::Result {
    let tables = protocol.tables();
    writeln!(
        out,
        "{}: {}, version {}",
        printable(protocol.name()),
        printable(protocol.title()),
        printable(protocol.version())
    )?;
    if let Some(source) = protocol.source() {
        writeln!(out, "read from: {}", printable(source))?;
    }
    if let Some(of_records) = &tables.records {
        records::write_records(out, tables, of_records)?;
    } else {
        write_fields(out, tables)?;
        writeln!(out, "\nevent types")?;
        for event in &tables.events {
            writeln!(out, "  {}", printable(&event.name))?;
        }
    }
    for lifecycle in &tables.lifecycles {
        write_lifecycle(out, tables, lifecycle)?;
    }
    for text in &tables.texts {
        write_text(out, tables, text)?;
    }
    write_words(out, tables)?;
    writeln!(out, "\nrules")?;
    let width = tables.rules.iter().map(|rule| columns(&printable(&rule.name))).max().unwrap_or_default();
    // A name may have any length.
    let width = width.min(MOST_COLUMNS);
    for rule in &tables.rules {
        let severity = rule.severity.map_or("off", |severity| severity.as_str());
        writeln!(out, "  {:width$}  {severity:7}  {}", printable(&rule.name), printable(&rule.means))?;
    }
    Ok(())
}

/// The most columns that names are filled up to.
const MOST_COLUMNS: usize = 60;

fn write_fields(out: &mut String, tables: &Tables) -> fmt::Result {
    let shape = &tables.shape;
    let fields = [("type", Some(&shape.event_type)), ("time", shape.time.as_ref()), ("stream", shape.stream.as_ref())];
    writeln!(out, "\nfields of every event")?;
    for (name, pointer) in fields {
        if let Some(pointer) = pointer {
            writeln!(out, "  {name:7} {}", printable(&pointer.to_string()))?;
        }
    }
    for pointer in &shape.unwrap {
        writeln!(out, "  an event may be wrapped at {}", printable(&pointer.to_string()))?;
    }
    writeln!(out, "  an event of any other type: {}", rule_mark(tables, tables.unknown))
}

/// Writes the table of a lifecycle, with events as rows and states as columns.
fn write_lifecycle(out: &mut String, tables: &Tables, lifecycle: &Lifecycle) -> fmt::Result {
    let mut words = Labels::unabridged(tables);
    let mut head: Vec<String> = lifecycle.states.iter().map(|state| printable(state)).collect();
    head.insert(0, String::new());
    let mut rows = vec![vec![head]];
    for (event, of_event) in lifecycle.rows.iter().enumerate() {
        for (row, table) in of_event.iter().enumerate() {
            let name = words.events(lifecycle, &[RowRef { event, row }]).concat();
            let mut lines = vec![vec![name], vec![String::new()]];
            for (state, cell) in table.cells.iter().enumerate() {
                let [first, second] = cell_words(tables, lifecycle, state, *cell);
                lines[0].push(first);
                lines[1].push(second);
            }
            rows.push(lines);
        }
    }
    if lifecycle.end.iter().any(Option::is_some) {
        let mut end = vec!["end of the stream".to_owned()];
        end.extend(lifecycle.end.iter().map(|rule| rule.map_or("·".to_owned(), |rule| rule_mark(tables, rule))));
        rows.push(vec![end]);
    }
    writeln!(out, "\nlifecycle {}", words.title(lifecycle))?;
    for note in notes(&words, lifecycle) {
        writeln!(out, "  {note}")?;
    }
    write_table(out, &rows)
}

/// Returns what the table of a lifecycle does not show: where it opens, and the notes of its labels.
fn notes(words: &Labels<'_>, lifecycle: &Lifecycle) -> Vec<String> {
    let states = |set: States| {
        let names: Vec<_> = set.iter().map(|state| printable(&lifecycle.states[usize::from(state)])).collect();
        alternatives(&names)
    };
    let mut notes = Vec::new();
    if lifecycle.opens != States::default() {
        let resumes = states(lifecycle.resumes);
        let except = if resumes.is_empty() { resumes } else { format!(", except from {resumes}") };
        notes.push(format!("opens anew in {}{except}", states(lifecycle.opens)));
    }
    notes.extend(words.notes(lifecycle));
    notes
}

/// Returns the two lines of a cell: the rule that an event breaks in a state, and the state in which judging continues.
fn cell_words(tables: &Tables, lifecycle: &Lifecycle, state: usize, cell: Cell) -> [String; 2] {
    let to = usize::from(cell.to);
    let moved = if to == state { String::new() } else { format!("→ {}", printable(&lifecycle.states[to])) };
    match cell.rule {
        Some(rule) if cell.at_entry => [format!("{} (at its entry)", rule_mark(tables, rule)), moved],
        Some(rule) => [rule_mark(tables, rule), moved],
        None if to == state => ["·".to_owned(), moved],
        None => [moved, String::new()],
    }
}

/// Writes a table of rows, each of which has lines of cells. The first row and the first cell of each line are headers.
fn write_table(out: &mut String, rows: &[Vec<Vec<String>>]) -> fmt::Result {
    let cells = rows.first().and_then(|row| row.first()).map_or(0, Vec::len);
    let widest = |cell: usize| rows.iter().flatten().map(|line| columns(&line[cell])).max().unwrap_or_default();
    let widths: Vec<usize> = (0..cells).map(widest).collect();
    let mut first = 1;
    while first < cells {
        let mut last = first + 1;
        let mut used = widths[0] + COLUMN_GAP + widths[first];
        while last < cells && used + COLUMN_GAP + widths[last] <= WIDTH {
            used += COLUMN_GAP + widths[last];
            last += 1;
        }
        writeln!(out)?;
        for line in rows.iter().flatten() {
            let mut text = String::from("  ");
            for cell in std::iter::once(0).chain(first..last) {
                let padding = widths[cell] + COLUMN_GAP - columns(&line[cell]);
                text.push_str(&line[cell]);
                text.push_str(&" ".repeat(padding));
            }
            // The second line of most rows is empty.
            if !text.trim().is_empty() {
                writeln!(out, "{}", text.trim_end())?;
            }
        }
        first = last;
    }
    Ok(())
}

fn write_text(out: &mut String, tables: &Tables, text: &Text) -> fmt::Result {
    let words = Labels::unabridged(tables);
    writeln!(out, "\ntext {}{}", printable(&text.name), within(tables, text.within))?;
    for (event, append) in by_event(&text.append) {
        let when = only_when(&words, event, &append.when, append.each.as_ref());
        let anew = if append.anew { ", in place of the ones before it" } else { "" };
        let gates = only_where(&words.gates(&[], &append.after));
        let field = field(tables, event, append.each.as_ref(), append.slot);
        let keys = keys(tables, event, append.each.as_ref(), &append.key);
        writeln!(out, "  a piece: {} {field}{keys}{when}{anew}{gates}", printable(&tables.events[event].name))?;
    }
    for (event, when) in by_event(&text.cut) {
        let when = in_parentheses(words.conditions(event, when));
        writeln!(out, "  the whole may begin anew after: {}{when}", printable(&tables.events[event].name))?;
    }
    for (event, whole) in by_event(&text.whole) {
        let when = only_when(&words, event, &whole.when, whole.each.as_ref());
        let gates = only_where(&words.gates(&whole.before, &[]));
        let field = field(tables, event, whole.each.as_ref(), whole.slot);
        let (name, rule) = (printable(&tables.events[event].name), rule_mark(tables, whole.rule));
        let keys = keys(tables, event, whole.each.as_ref(), &whole.key);
        let ends = if whole.ends { ", which ends it" } else { "" };
        writeln!(out, "  the whole: {name} {field}{keys}{when}{gates}{ends}: {rule}")?;
        if let Some(rule) = whole.empty {
            writeln!(out, "  an empty whole, where only the text since then is empty: {}", rule_mark(tables, rule))?;
        }
    }
    for (event, (_, json)) in by_event(&text.json) {
        let when = only_when(&words, event, &json.when, json.each.as_ref());
        let is = match (json.is, json.allows_empty) {
            (JsonKind::Any, false) => "JSON",
            (JsonKind::Any, true) => "JSON or empty",
            (JsonKind::Object, false) => "a JSON object",
            (JsonKind::Object, true) => "a JSON object or empty",
        };
        let (name, rule) = (printable(&tables.events[event].name), rule_mark(tables, json.rule));
        let keys = keys(tables, event, json.each.as_ref(), &json.key);
        writeln!(out, "  {is} with: {name}{keys}{when}, or: {rule}")?;
    }
    if let Some(rule) = text.no_pieces {
        writeln!(out, "  a whole that is not empty, without a piece: {}", rule_mark(tables, rule))?;
    }
    Ok(())
}

/// Returns the words on the lifecycle around, such as `, within turn`; empty if there is none.
fn within(tables: &Tables, outer: Option<usize>) -> String {
    outer.map(|outer| format!(", within {}", printable(&tables.lifecycles[outer].name))).unwrap_or_default()
}

/// Returns what a table has for each event type, with the number of the type.
fn by_event<T>(table: &[Vec<T>]) -> impl Iterator<Item = (usize, &T)> {
    table.iter().enumerate().flat_map(|(event, all)| all.iter().map(move |one| (event, one)))
}

/// Returns the pointer of a field, which may be one of the items of an array.
fn field(tables: &Tables, event: usize, each: Option<&Each>, slot: usize) -> String {
    printable(&tables.events[event].pointer(each.map(|each| each.array), slot).to_string())
}

/// Returns the conditions of an entry on its event and on the items of its array, in parentheses; empty if there are none.
fn only_when(words: &Labels<'_>, event: usize, when: &[Condition], each: Option<&Each>) -> String {
    let of_items = each.map(|each| words.items(event, each)).filter(|words| !words.is_empty());
    let of_event = Some(words.conditions(event, when)).filter(|words| !words.is_empty());
    in_parentheses([of_event, of_items].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// Returns the fields of a key, such as `, by /output_index + /content_index`; empty if there are none.
fn keys(tables: &Tables, event: usize, each: Option<&Each>, slots: &[usize]) -> String {
    let fields: Vec<_> = slots.iter().map(|slot| field(tables, event, each, *slot)).collect();
    if fields.is_empty() { String::new() } else { format!(", by {}", fields.join(" + ")) }
}

fn only_where(gates: &str) -> String {
    if gates.is_empty() { String::new() } else { format!(", only where {gates}") }
}

/// Writes the rules about time, the checks of fields, and the fields that must not stay the same.
fn write_words(out: &mut String, tables: &Tables) -> fmt::Result {
    let words = Labels::unabridged(tables);
    for rule in &tables.times {
        writeln!(out, "\ntime\n  earlier than the stream's event before it: {}", rule_mark(tables, *rule))?;
    }
    if tables.checks.iter().any(|of_event| !of_event.is_empty()) {
        writeln!(out, "\nchecks")?;
    }
    for (event, one) in by_event(&tables.checks) {
        let kind = &tables.events[event];
        let when = only_when(&words, event, &one.when, one.each.as_ref());
        let field = field(tables, event, one.each.as_ref(), one.slot);
        let test = match &one.test {
            FieldTest::Says(says) => {
                alternatives(&says.iter().map(|says| format!("“{}”", printable(says))).collect::<Vec<_>>())
            }
            FieldTest::Below(number) => format!("less than {number}"),
            FieldTest::Any => String::new(),
        };
        let test = if test.is_empty() { format!("at {field}") } else { format!("{field} is {test}") };
        let rule = rule_mark(tables, one.rule);
        writeln!(out, "  {}{when}: {test}: {rule}", printable(&kind.name))?;
    }
    for series in &tables.series {
        write_series(out, tables, series)?;
    }
    for one in &tables.unchanged {
        let kind = &tables.events[one.event];
        let fields: Vec<_> = one.slots.iter().map(|slot| printable(&kind.slots[*slot].to_string())).collect();
        let (name, within, rule) = (printable(&kind.name), within(tables, one.within), rule_mark(tables, one.rule));
        let fields = fields.join(" and ");
        writeln!(out, "\nunchanged{within}\n  {name}: {fields} as in the event of the type before: {rule}")?;
    }
    Ok(())
}

/// Writes a series: what it is, and the fields with its values.
fn write_series(out: &mut String, tables: &Tables, series: &Series) -> fmt::Result {
    let words = Labels::unabridged(tables);
    let from = series.from.map(|from| format!(", from {from}")).unwrap_or_default();
    let step = match series.step {
        SeriesStep::By { least, most } if least == most => format!("each {most} more than the one before{from}"),
        SeriesStep::By { least, most } => format!("each {least} to {most} more than the one before{from}"),
        SeriesStep::Up => format!("each greater than the one before{from}"),
        SeriesStep::NotDown => format!("none less than the one before{from}"),
        SeriesStep::Same => "all the same".to_owned(),
    };
    writeln!(out, "\nseries{}\n  {step}: {}", within(tables, series.within), rule_mark(tables, series.rule))?;
    for (event, value) in by_event(&series.values) {
        let when = only_when(&words, event, &value.when, value.each.as_ref());
        let field = field(tables, event, value.each.as_ref(), value.slot);
        let keys = keys(tables, event, value.each.as_ref(), &value.key);
        writeln!(out, "  {} {field}{keys}{when}", printable(&tables.events[event].name))?;
    }
    if !series.passed_over.is_empty() {
        let names: Vec<_> = series.passed_over.iter().map(|event| printable(&tables.events[*event].name)).collect();
        writeln!(out, "  not declared, and passed over, in: {}", names.join(", "))?;
    }
    if series.is_of_losses {
        writeln!(out, "  a value too far ahead: events were lost")?;
    }
    for (event, _) in series.restarts.iter().enumerate().filter(|(_, restarts)| **restarts) {
        writeln!(out, "  starts afresh with: {}", printable(&tables.events[event].name))?;
    }
    Ok(())
}

fn in_parentheses(words: String) -> String {
    if words.is_empty() { words } else { format!(" ({words})") }
}

fn rule_mark(tables: &Tables, rule: RuleId) -> String {
    format!("✗ {}", printable(&tables.rules[usize::from(rule.0)].name))
}

fn columns(text: &str) -> usize {
    text.chars().count()
}
