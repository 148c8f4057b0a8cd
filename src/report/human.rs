//! The report for people: each finding with its source line, related places, help, and the quotes of the protocol's
//! document. Many findings of one kind fold into one.

mod excerpts;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use excerpts::Excerpts;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use sessionlint_core::finding::{Finding, FindingKind, Place, Related, Repeat, Severity};
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::{Basis, Rulebook};
use sessionlint_core::text::{count, visible};

use super::inert::Syntax;
use super::{FileEnd, Format, GapReason, Reporter, RunEnd, baseline_note, capitalized, input_counts, lint_notes};
use crate::lint::SkipReason;

/// The format for people.
pub const FORMAT: Format = Format {
    name: "human",
    about: "Human-readable text (the default)",
    syntax: Syntax::Colored,
    recognises,
    reporter: |out, rules, options| Box::new(Human::new(out, rules, options)),
};

/// Returns whether a text begins with a finding or with the counts, coloured or not.
fn recognises(beginning: &str) -> bool {
    let plain = anstream::adapter::strip_str(beginning).to_string();
    let line = plain.trim_start_matches(|c: char| c.is_whitespace() || "×⚠☞".contains(c));
    let line = line.lines().next().unwrap_or_default();
    let names_a_rule = ["error[", "warning[", "note["].iter().any(|severity| {
        let name = line.strip_prefix(severity).and_then(|rest| rest.split_once(']'));
        name.is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
    });
    let counted = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let counts =
        [" file, ", " files, ", " stream, ", " streams, ", " more finding not shown", " more findings not shown"];
    names_a_rule || counted != line && counts.iter().any(|words| counted.starts_with(words))
}

/// Number of findings of one kind in a file that are shown one by one; more of them fold into one.
const MOST_OF_A_KIND: usize = 5;
/// Number of line numbers that a fold lists.
const NAMED_LINES: usize = 5;
/// Width of the frame around a source line, in columns.
const FRAME_COLUMNS: usize = 12;

/// Options of the report for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    color: bool,
    width: usize,
    all: bool,
    quiet: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        TextOptions { color: false, width: 100, all: false, quiet: false }
    }
}

impl TextOptions {
    /// Sets whether to use colours, as ANSI escape sequences [default: `false`].
    #[must_use]
    pub fn with_color(self, color: bool) -> TextOptions {
        TextOptions { color, ..self }
    }

    /// Sets the width of the text, in columns [default: 100].
    #[must_use]
    pub fn with_width(self, width: usize) -> TextOptions {
        TextOptions { width, ..self }
    }

    /// Sets whether to show every finding by itself; more than five alike are folded into one otherwise [default:
    /// `false`].
    #[must_use]
    pub fn with_all(self, all: bool) -> TextOptions {
        TextOptions { all, ..self }
    }

    /// Sets whether to leave out the summary [default: `false`].
    #[must_use]
    pub fn with_quiet(self, quiet: bool) -> TextOptions {
        TextOptions { quiet, ..self }
    }
}

/// The report for people.
pub struct Human<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    options: TextOptions,
    handler: GraphicalReportHandler,
    kinds: Vec<KindGroup>,
    /// The index in `kinds` of each kind. Files that were judged as one input have kinds of their own.
    index: HashMap<(FindingKind, Option<Arc<str>>), usize>,
    /// The number of the next finding in this file, from 0.
    next_number: usize,
    /// Number of files that could not be read.
    unread: usize,
}

/// Findings of one kind in a file.
struct KindGroup {
    /// The first findings, each with its number in the file.
    kept: Vec<(usize, Finding)>,
    /// The line numbers of the first findings that are not kept.
    lines: Vec<u64>,
    count: u64,
}

/// One entry of the report: a finding, or several that are shown as one.
struct Entry {
    number: usize,
    finding: Finding,
    /// Further messages about the same place.
    more: Vec<String>,
    /// Number of findings folded into this entry, and some of their line numbers.
    count: u64,
    lines: Vec<u64>,
}

impl<'p, W: Write> Human<'p, W> {
    /// Writes to `out`.
    pub fn new(out: W, rules: Rulebook<'p>, options: TextOptions) -> Human<'p, W> {
        let theme = if options.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(options.width)
            .with_context_lines(1)
            .without_syntax_highlighting()
            .without_cause_chain();
        Human { out, rules, options, handler, kinds: Vec::new(), index: HashMap::new(), next_number: 0, unread: 0 }
    }

    fn entries(&mut self) -> Vec<Entry> {
        self.index.clear();
        self.next_number = 0;
        let mut entries = Vec::new();
        for kind in std::mem::take(&mut self.kinds) {
            let folded = kind.count as usize > MOST_OF_A_KIND;
            let shown = if folded { 1 } else { kind.kept.len() };
            let mut lines: Vec<_> = kind.kept.iter().map(|(_, finding)| finding.place.line).collect();
            lines.extend(kind.lines);
            // One line may have many findings, and the line of the first one is shown anyway.
            lines.dedup();
            lines.remove(0);
            for (number, finding) in kind.kept.into_iter().take(shown) {
                let (count, lines) = if folded { (kind.count, lines.clone()) } else { (1, Vec::new()) };
                entries.push(Entry { number, finding, more: Vec::new(), count, lines });
            }
        }
        entries.sort_by_key(|entry| (!is_about_input(&entry.finding), entry.number));
        merge_same_place(entries)
    }

    fn show(&mut self, entry: &Entry, repeats: &[Repeat]) -> io::Result<()> {
        let shown = FindingDiagnostic::new(entry, &self.rules, &self.options, repeats);
        let mut text = String::new();
        self.handler
            .render_report(&mut text, &shown)
            .map_err(|_| io::Error::other("a finding could not be laid out"))?;
        writeln!(self.out, "{}\n", text.trim_end())
    }
}

impl<W: Write> Reporter for Human<'_, W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if self.options.all {
            let finding = finding.clone();
            return self.show(&Entry { number: 0, finding, more: Vec::new(), count: 1, lines: Vec::new() }, &[]);
        }
        let number = *self.index.entry((finding.kind(), finding.file.clone())).or_insert_with(|| {
            self.kinds.push(KindGroup { kept: Vec::new(), lines: Vec::new(), count: 0 });
            self.kinds.len() - 1
        });
        let kind = &mut self.kinds[number];
        kind.count += 1;
        if kind.kept.len() < MOST_OF_A_KIND {
            kind.kept.push((self.next_number, finding.clone()));
        } else if kind.lines.len() < NAMED_LINES && kind.lines.last() != Some(&finding.place.line) {
            kind.lines.push(finding.place.line);
        }
        self.next_number += 1;
        Ok(())
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.unread += usize::from(end.unreadable.is_some());
        let (notes, entries): (Vec<_>, Vec<_>) =
            self.entries().into_iter().partition(|entry| entry.finding.severity == Severity::Note);
        for entry in entries {
            self.show(&entry, end.repeats)?;
        }
        // Notes break nothing: one line for all of one rule and event type, after the errors and warnings.
        for (entry, more) in group_notes(&notes) {
            writeln!(self.out, "{}", note(entry, &more, end.repeats))?;
        }
        if !notes.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        if !self.options.quiet {
            write!(self.out, "{}", summary(end, self.unread + end.unfound.len()))?;
        }
        self.out.flush()
    }
}

/// Groups notes by rule and event type; each group has its first note and the others.
fn group_notes(notes: &[Entry]) -> Vec<(&Entry, Vec<&Entry>)> {
    let mut groups: Vec<(&Entry, Vec<&Entry>)> = Vec::new();
    for entry in notes {
        let kind =
            |Entry { finding, .. }: &Entry| (finding.rule.clone(), finding.event_type.clone(), finding.file.clone());
        match groups.iter_mut().find(|(first, _)| kind(first) == kind(entry)) {
            Some((_, more)) => more.push(entry),
            None => groups.push((entry, Vec::new())),
        }
    }
    groups
}

/// Returns one line for a group of notes, with the place of the first.
fn note(entry: &Entry, more: &[&Entry], repeats: &[Repeat]) -> String {
    let Finding { rule, severity, message, place, event_type, .. } = &entry.finding;
    let file = file_name(&entry.finding);
    let place = format!("{file}:{}:{}", place.line, place.column);
    let event_type = event_type.as_deref().map(|name| format!("{}: ", visible(name))).unwrap_or_default();
    let of_more = || more.iter().map(|entry| &entry.finding);
    if !more.is_empty() && of_more().all(|finding| finding.message == *message) {
        // The notes differ in their places only.
        let places = of_more().map(|finding| format!(", {file}:{}:{}", finding.place.line, finding.place.column));
        return format!("  {severity}[{rule}] {place}{}: {event_type}{}", places.collect::<String>(), visible(message));
    }
    let more: Vec<_> = more.iter().map(|entry| entry.finding.message.clone()).collect();
    let times = if more.is_empty() { times(entry, repeats) } else { String::new() };
    format!("  {severity}[{rule}] {place}: {event_type}{}{times}", visible(&join_messages(message, &more)))
}

fn file_name(finding: &Finding) -> String {
    visible(finding.file.as_deref().unwrap_or("-"))
}

/// Returns how many times an entry's finding occurs in its file, if more than once.
fn times(entry: &Entry, repeats: &[Repeat]) -> String {
    let kind = entry.finding.kind();
    let repeated = repeats.iter().find(|repeat| repeat.is_of(&kind)).map_or(0, |repeat| repeat.count);
    match entry.count + repeated {
        1 => String::new(),
        times => format!(" ({times} times in this file)"),
    }
}

/// Merges neighbouring entries of one rule at the same place.
fn merge_same_place(entries: Vec<Entry>) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::new();
    for entry in entries {
        if let Some(last) = merged.last_mut() {
            let (a, b) = (&last.finding, &entry.finding);
            let same_place = (a.place.start, a.place.end, &a.file) == (b.place.start, b.place.end, &b.file);
            if a.rule == b.rule
                && same_place
                && last.count == entry.count
                && a.related.is_empty()
                && b.related.is_empty()
            {
                last.more.push(entry.finding.message);
                continue;
            }
        }
        merged.push(entry);
    }
    merged
}

/// Joins several messages into one. If they differ only in their last word, the rest is not repeated.
fn join_messages(first: &str, more: &[String]) -> String {
    let Some((start, _)) = first.rsplit_once(' ') else { return first.to_owned() };
    let last_words: Option<Vec<_>> = more.iter().map(|message| message.strip_prefix(start)).collect();
    match last_words {
        Some(words) if words.iter().all(|word| word.matches(' ').count() == 1) => {
            [&[first], words.iter().map(|word| word.trim_start()).collect::<Vec<_>>().as_slice()].concat().join(", ")
        }
        _ => format!("{first}; {}", more.join("; ")),
    }
}

/// Returns the summary. `unchecked`: the number of inputs that were not found or could not be read; their names are on
/// standard error.
fn summary(end: &RunEnd<'_>, unchecked: usize) -> String {
    let summary = end.summary;
    let mut text = String::new();
    if end.hidden > 0 {
        text.push_str(&format!("{} not shown (--max-findings).\n", count(end.hidden, "more finding")));
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

/// An entry as a diagnostic that miette can render.
#[derive(Debug)]
struct FindingDiagnostic {
    message: String,
    help: String,
    severity: miette::Severity,
    source: Excerpts,
    labels: Vec<LabeledSpan>,
}

impl FindingDiagnostic {
    fn new(entry: &Entry, rules: &Rulebook<'_>, options: &TextOptions, repeats: &[Repeat]) -> FindingDiagnostic {
        let finding = &entry.finding;
        let file = file_name(finding);
        let said = join_messages(&finding.message, &entry.more);
        // The message of a schema finding names a field, but not its event type.
        let of_schema = rules.of_finding(finding).1.is_some_and(|rule| rule.basis == Basis::Schema);
        let event_type = finding.event_type.as_deref().filter(|_| of_schema).map(|name| format!(" {name}"));
        let head = format!("{}[{}]{}", finding.severity, finding.rule, event_type.unwrap_or_default());
        let mut message = visible(&format!("{head}: {said}"));
        message.push_str(&times(entry, repeats));
        // A related place in the finding's own event needs no line of its own.
        let here = |related: &&Related| related.file.is_none() && related.place.event == finding.place.event;
        let elsewhere = finding.related.iter().filter(|related| !here(related));
        let mut places: Vec<(Option<String>, &Place, Option<&str>)> = elsewhere
            .map(|related| (related.file.as_deref().map(visible), &*related.place, Some(&*related.message)))
            .collect();
        places.push((None, &finding.place, None));
        // Places in other files come first.
        places.sort_by_key(|(other, place, words)| (other.is_none(), place.start, words.is_none()));
        let mut source = Excerpts::default();
        let mut labels = Vec::new();
        for (other, place, words) in places {
            let named = other.or_else(|| words.is_none().then(|| file.clone()));
            if let Some(span) = source.add(place, words.is_none(), named, options.width.saturating_sub(FRAME_COLUMNS)) {
                labels.push(match words {
                    Some(words) => LabeledSpan::new_with_span(Some(words.to_owned()), span),
                    None => LabeledSpan::new_primary_with_span(None, span),
                });
            }
        }
        if !labels.iter().any(LabeledSpan::primary) {
            message.push_str(&format!("\nat {file}:{}:{}", finding.place.line, finding.place.column));
        }
        let help = help(entry, rules);
        let severity = match finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        };
        FindingDiagnostic { message, help, severity, source, labels }
    }
}

/// Returns whether a finding is about the input as a whole, which explains the others: it is shown first, though it is
/// known only at the end.
fn is_about_input(finding: &Finding) -> bool {
    let about_input = [Framing::NoEvents, Framing::EmptyInput, Framing::ForeignFraming];
    about_input.iter().any(|rule| *finding.rule == *rule.name())
}

/// Returns the help text of an entry, with the quotes of the document and the lines of a fold.
fn help(entry: &Entry, rules: &Rulebook<'_>) -> String {
    let finding = &entry.finding;
    let (protocol, rule) = rules.of_finding(finding);
    let own = finding.help.as_deref().filter(|_| entry.more.is_empty());
    let mut help = visible(own.or(rule.map(|rule| rule.help.as_str())).unwrap_or_default());
    let rule_quotes = rule.into_iter().flat_map(|rule| rule.quotes.iter().map(String::as_str));
    let quotes: Vec<_> = match &finding.quote {
        Some(quote) if entry.more.is_empty() => vec![&**quote],
        Some(_) => Vec::new(),
        None => rule_quotes.collect(),
    };
    for quote in quotes {
        help.push_str(&format!("\n“{quote}” — {}", protocol.source().unwrap_or(protocol.title())));
    }
    if !entry.lines.is_empty() {
        let lines: Vec<_> = entry.lines.iter().take(NAMED_LINES).map(u64::to_string).collect();
        let more = entry.lines.len() > NAMED_LINES;
        help.push_str(&format!("\nalso in lines {}{}", lines.join(", "), if more { ", …" } else { "" }));
    }
    help
}

impl fmt::Display for FindingDiagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FindingDiagnostic {}

impl Diagnostic for FindingDiagnostic {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
