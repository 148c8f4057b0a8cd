//! The report for people: a block for each cause, with the place, the source lines, what to do and the sentence of the
//! protocol's document.

mod block;
pub(super) mod causes;
mod excerpts;
mod summary;

use std::collections::HashMap;
use std::io::{self, Write};

use block::{Block, Palette, place_name, wrapped};
use causes::{Cause, Fold, Folds};
use sessionlint_core::finding::{Finding, Place, Repeat, Severity};
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::{Basis, Rulebook};
use sessionlint_core::text::{alternatives, list, visible};

use super::inert::Syntax;
use super::tally::Tally;
use super::{FileEnd, Format, Reporter, RunEnd, needed_protocol};

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
    let line = plain.trim_start().lines().next().unwrap_or_default();
    let names_a_rule = ["error[", "warning[", "note["].iter().any(|severity| {
        let name = line.strip_prefix(severity).and_then(|rest| rest.split_once(']'));
        name.is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
    });
    let counted = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let counts =
        [" file, ", " files, ", " stream, ", " streams, ", " more finding not shown", " more findings not shown"];
    names_a_rule || counted != line && counts.iter().any(|words| counted.starts_with(words))
}

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

    /// Sets whether to show every finding by itself; those of one cause are one block otherwise [default: `false`].
    #[must_use]
    pub fn with_all(self, all: bool) -> TextOptions {
        TextOptions { all, ..self }
    }

    /// Returns whether to leave out the summary.
    pub(super) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Sets whether to leave out the summary [default: `false`].
    #[must_use]
    pub fn with_quiet(self, quiet: bool) -> TextOptions {
        TextOptions { quiet, ..self }
    }
}

/// The most files in which a cause is shown; of more files, only the names are listed.
const MOST_FILES: u32 = 3;
/// The most causes that are remembered from file to file.
const MOST_CAUSES: usize = 10_000;

/// The report for people.
pub struct Human<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    options: TextOptions,
    palette: Palette,
    /// The findings of the file that is being checked.
    folds: Folds,
    /// The number of files in which each cause was shown.
    shown: HashMap<Cause, u32>,
    totals: Totals,
}

/// What the end of the report says of all files.
#[derive(Debug, Default)]
struct Totals {
    /// The number of blocks that were shown, notes apart.
    blocks: u64,
    /// The rule of the first block, as `sessionlint explain` takes it.
    first_rule: Option<String>,
    /// The number of findings that are like those shown of earlier files.
    unshown: u64,
    /// The number of files with such findings, and the names of the first of them.
    alike: (u64, Vec<String>),
    /// The number of files that could not be read.
    unread: usize,
    /// The findings of each rule.
    tally: Tally,
}

/// One entry of the report: a finding, or several of one cause.
struct Entry {
    fold: Fold,
    /// Further messages about the same place.
    more: Vec<String>,
}

impl Entry {
    fn finding(&self) -> &Finding {
        &self.fold.first
    }
}

impl<'p, W: Write> Human<'p, W> {
    /// Writes to `out`.
    pub fn new(out: W, rules: Rulebook<'p>, options: TextOptions) -> Human<'p, W> {
        let palette = Palette::new(options.color);
        let (folds, shown, totals) = (Folds::default(), HashMap::new(), Totals::default());
        Human { out, rules, options, palette, folds, shown, totals }
    }

    /// Writes a block. `names_stream`: whether the finding may be in one of several streams.
    fn show(&mut self, entry: &Entry, repeats: &[Repeat], names_stream: bool) -> io::Result<()> {
        let finding = entry.finding();
        let (protocol, rule) = self.rules.of_finding(finding);
        let said = join_messages(&finding.message, &entry.more);
        // The message of a schema finding names a field, but not its event type.
        let of_schema = rule.is_some_and(|rule| rule.basis == Basis::Schema);
        let event_type = finding.event_type.as_deref().filter(|_| of_schema && entry.fold.types.values.len() == 1);
        let event_type = event_type.map(of_type).unwrap_or_default();
        // A sentence about one field does not explain what is wrong with several.
        let is_about_one = entry.more.is_empty() && entry.fold.has_one_help();
        let rule_quote = rule.and_then(|rule| rule.quotes.first().map(String::as_str));
        let quote = finding.quote.as_deref().or(rule_quote).filter(|_| is_about_one);
        let source = protocol.source().unwrap_or(protocol.title());
        let block = Block {
            finding,
            message: format!("{event_type}{said}{}", times(entry, repeats)),
            names_stream,
            help: entry.fold.help().or(rule.map(|rule| rule.help.clone())).unwrap_or_default(),
            quote: quote.map(|quote| (quote.to_owned(), source.to_owned())),
            also: entry.fold.others(protocol.is_of_records()),
        };
        self.totals.blocks += 1;
        self.totals.first_rule.get_or_insert_with(|| match needed_protocol(protocol) {
            Some(name) => format!("{} --protocol {name}", finding.rule),
            None => finding.rule.to_string(),
        });
        writeln!(self.out, "{}", block.render(self.options.width, self.palette))
    }

    /// Returns the entries that are to be shown of the file that has ended. A cause that was shown of several files is
    /// counted.
    fn entries(&mut self, file: &str) -> Vec<Entry> {
        let mut unshown = 0;
        let mut entries = Vec::new();
        let mut folds = self.folds.take();
        if !self.options.all {
            leave_out_consequences(&mut folds);
        }
        for fold in folds {
            let is_known = self.shown.len() < MOST_CAUSES || self.shown.contains_key(&fold.cause);
            if is_known && fold.first.severity > Severity::Note {
                let files = self.shown.entry(fold.cause.clone()).or_default();
                if *files == MOST_FILES && !self.options.all {
                    unshown += fold.count;
                    continue;
                }
                *files += 1;
            }
            entries.extend(fold.into_entries());
        }
        if unshown > 0 {
            self.totals.unshown += unshown;
            self.totals.alike.0 += 1;
            if self.totals.alike.1.len() < summary::MOST_NAMES {
                self.totals.alike.1.push(file.to_owned());
            }
        }
        entries.sort_by_key(|fold| (!is_about_input(&fold.first), fold.number));
        merge_same_place(entries)
    }
}

impl<W: Write> Reporter for Human<'_, W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.totals.tally.add(finding);
        self.folds.add(finding);
        if !self.options.all {
            return Ok(());
        }
        for fold in self.folds.take() {
            self.show(&Entry { fold, more: Vec::new() }, &[], true)?;
        }
        Ok(())
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.totals.unread += usize::from(end.unreadable.is_some());
        let is_note = |entry: &Entry| entry.finding().severity == Severity::Note;
        let (notes, entries): (Vec<_>, Vec<_>) = self.entries(end.file).into_iter().partition(is_note);
        if self.options.all {
            // Their first findings were shown as they came, when nobody knew of the others.
            for repeat in end.repeats {
                let words = repeat_words(end.file, repeat);
                write!(self.out, "{}", wrapped(&words, self.options.width, "  ", "    "))?;
            }
        }
        let names_stream = end.summary.is_none_or(|summary| summary.streams > 1);
        for entry in entries {
            self.show(&entry, end.repeats, names_stream)?;
        }
        // Notes break nothing: one line for all of one rule and event type, after the errors and warnings.
        for (entry, more) in group_notes(&notes) {
            let words = note(entry, &more, end.repeats);
            write!(self.out, "{}", wrapped(&words, self.options.width, "  ", "    "))?;
        }
        if !notes.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        if !self.options.quiet {
            write!(self.out, "{}", summary::render(end, &self.totals, &self.rules, self.options.width))?;
        }
        self.out.flush()
    }
}

/// Takes out what is said of single events where it is said that none of them is an event of the protocol.
fn leave_out_consequences(folds: &mut Vec<Fold>) {
    let is = |fold: &Fold, rule: Framing| *fold.first.rule == *rule.name();
    let Some(cause) = folds.iter().position(|fold| is(fold, Framing::NoEvents)) else { return };
    let file = folds[cause].first.file.clone();
    let mut named = Vec::new();
    for rule in [Framing::UnknownEvent, Framing::NotAnEvent] {
        let follows = |fold: &Fold| is(fold, rule) && fold.first.file == file;
        if folds.iter().any(follows) {
            folds.retain(|fold| !follows(fold));
            named.push(rule.name());
        }
    }
    let cause = folds.iter_mut().find(|fold| is(fold, Framing::NoEvents));
    if let Some(cause) = cause.filter(|_| !named.is_empty()) {
        let verb = if named.len() == 1 { "follows from this and is" } else { "follow from this and are" };
        cause.consequences = Some(format!("{} {verb} not shown without --all", list(&named)));
    }
}

/// Groups notes by rule and event type; each group has its first note and the others.
fn group_notes(notes: &[Entry]) -> Vec<(&Entry, Vec<&Entry>)> {
    let mut groups: Vec<(&Entry, Vec<&Entry>)> = Vec::new();
    for entry in notes {
        let kind = |entry: &Entry| {
            let Finding { rule, event_type, file, .. } = entry.finding();
            (rule.clone(), event_type.clone(), file.clone())
        };
        match groups.iter_mut().find(|(first, _)| kind(first) == kind(entry)) {
            Some((_, more)) => more.push(entry),
            None => groups.push((entry, Vec::new())),
        }
    }
    groups
}

/// Returns the words for a group of notes, with the place of the first.
fn note(entry: &Entry, more: &[&Entry], repeats: &[Repeat]) -> String {
    let finding = entry.finding();
    let Finding { rule, severity, message, event_type, .. } = finding;
    let event_type = event_type.as_deref().map(|name| of_type(&visible(name))).unwrap_or_default();
    let start = format!("{severity}[{rule}] {}", place_name(finding));
    let total: u64 = more.iter().chain([&entry]).map(|entry| entry.fold.times(repeats)).sum();
    let times = match more.len() as u64 {
        0 => times(entry, repeats),
        others if total > others + 1 => format!(" (in {total} places)"),
        _ => String::new(),
    };
    if !more.is_empty() && more.iter().all(|entry| entry.finding().message == *message) {
        // The notes differ in their places only.
        let places: String = more.iter().map(|entry| format!(", {}", place_name(entry.finding()))).collect();
        return format!("{start}{places}: {event_type}{}{times}", visible(message));
    }
    let more: Vec<_> = more.iter().map(|entry| entry.finding().message.clone()).collect();
    format!("{start}: {event_type}{}{times}", visible(&join_messages(message, &more)))
}

/// Returns what stands before a message about an event of this type. Alone, a type called `error` would be taken for the
/// finding's severity.
fn of_type(name: &str) -> String {
    match name {
        "error" | "warning" | "note" => format!("{name} event: "),
        _ => format!("{name}: "),
    }
}

/// Returns a sentence on a finding of which only the first occurrence was reported.
fn repeat_words(file: &str, Repeat { rule, event_type, pointer, count: number, .. }: &Repeat) -> String {
    let what = event_type.as_deref().into_iter().chain(pointer.as_deref()).collect::<Vec<_>>().join(" ");
    let times = if *number == 1 { "once more".to_owned() } else { format!("{number} more times") };
    format!("{}: {rule}: {} occurs {times}", visible(file), visible(&what))
}

/// Returns how many times an entry's finding occurs in its file, if more than once.
fn times(entry: &Entry, repeats: &[Repeat]) -> String {
    match entry.fold.times(repeats) {
        1 => String::new(),
        times if entry.fold.has_one_message => format!(" (in {times} places)"),
        2 => " (and 1 similar finding)".to_owned(),
        times => format!(" (and {} similar findings)", times - 1),
    }
}

/// Merges neighbouring findings of one rule at the same place.
fn merge_same_place(folds: Vec<Fold>) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::new();
    for fold in folds {
        if let Some(last) = merged.last_mut() {
            let (a, b) = (last.finding(), &fold.first);
            let place = |finding: &Finding| {
                let Place { row, start, end, .. } = finding.place;
                (row, start, end, finding.file.clone())
            };
            let are_plain = a.related.is_empty() && b.related.is_empty();
            if a.rule == b.rule
                && place(a) == place(b)
                && last.fold.count == fold.count
                && are_plain
                && a.help == b.help
            {
                last.more.push(b.message.clone());
                continue;
            }
        }
        merged.push(Entry { fold, more: Vec::new() });
    }
    merged
}

/// Joins several messages into one. If each says that something else is missing, what misses it is not repeated: ``has
/// no `a` or `b` ``.
fn join_messages(first: &str, more: &[String]) -> String {
    let nouns = [(" has no field ", " has no fields "), (" has no ", " has no ")];
    let parted = nouns.iter().find_map(|(one, several)| Some((first.split_once(one)?, *one, *several)));
    let joined = parted.filter(|_| !more.is_empty()).and_then(|((who, what), one, several)| {
        let others = more.iter().map(|message| message.strip_prefix(who)?.strip_prefix(one));
        let missing: Vec<&str> = std::iter::once(Some(what)).chain(others).collect::<Option<_>>()?;
        let are_names = missing.iter().all(|name| !name.contains(' '));
        are_names.then(|| format!("{who}{several}{}", alternatives(&missing)))
    });
    joined.unwrap_or_else(|| [&[first.to_owned()], more].concat().join("; "))
}

/// Returns whether a finding is about the input as a whole, which explains the others: it is shown first, though it is
/// known only at the end.
fn is_about_input(finding: &Finding) -> bool {
    let about_input = [Framing::NoEvents, Framing::EmptyInput, Framing::ForeignFraming];
    about_input.iter().any(|rule| *finding.rule == *rule.name())
}

#[cfg(test)]
mod tests {
    use super::join_messages;

    #[test]
    fn messages_are_joined_into_one_sentence() {
        for (messages, joined) in [
            (&["the protocol has no field `a`"][..], "the protocol has no field `a`"),
            (
                &["the protocol has no field `a`", "the protocol has no field `b`", "the protocol has no field `c`"],
                "the protocol has no fields `a`, `b` or `c`",
            ),
            (&["`payload` has no `done`", "`payload` has no `text`"], "`payload` has no `done` or `text`"),
            // What is no list of names stays apart.
            (&["the value is 1", "the value is 2"], "the value is 1; the value is 2"),
            (&["`a` has no `b`", "`c` has no `d`"], "`a` has no `b`; `c` has no `d`"),
            (
                &["`a` has no `b`, but has `B`", "`a` has no `c`, but has `C`"],
                "`a` has no `b`, but has `B`; `a` has no `c`, but has `C`",
            ),
        ] {
            let [first, more @ ..] = messages else { panic!("there is a first message") };
            let more: Vec<_> = more.iter().map(|message| (*message).to_owned()).collect();
            assert_eq!(join_messages(first, &more), joined);
        }
    }
}
