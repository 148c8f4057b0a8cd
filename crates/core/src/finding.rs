//! Findings and reports: the mistakes in an input, as plain data that can be serialized.
//!
//! A finding is never an error of the program: a mistake in the input is a finding, a run that fails is an error. Lines
//! and columns are 1-based, and columns count characters; `start` and `end` are 0-based byte offsets into the
//! decompressed file; event numbers are 0-based.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::UnknownName;

/// The severity of a finding. A note is less than a warning, and a warning less than an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; breaks nothing.
    Note,
    /// Probably a mistake, or a mistake that the document does not spell out.
    Warning,
    /// A violation of the protocol's document.
    Error,
}

impl Severity {
    /// Every severity, in ascending order.
    pub const ALL: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Error];

    /// Returns the lower-case word for the severity that reports and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl FromStr for Severity {
    type Err = UnknownName;

    fn from_str(word: &str) -> Result<Severity, UnknownName> {
        let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
        known.ok_or_else(|| UnknownName::new("severity", word, Severity::ALL.iter().map(|severity| severity.as_str())))
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An excerpt of the source text to show with a place: one line of the file, cut to a window if the line is long.
///
/// The text is unchanged: before it is shown, control characters must be escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The text, without its line end.
    pub text: String,
    /// The column (1-based, in characters) of the first character of `text`.
    pub column: u64,
    /// The part to mark, as a byte range of `text`.
    pub mark: Range<usize>,
    /// Whether the line has more text before `text`.
    pub cut_before: bool,
    /// Whether the line has more text after `text`.
    pub cut_after: bool,
}

impl Excerpt {
    /// Returns the excerpt of a whole line. `mark`: the part to mark, as a byte range of the line.
    pub fn of_line(line: impl Into<String>, mark: Range<usize>) -> Excerpt {
        Excerpt { text: line.into(), column: 1, mark, ..Excerpt::default() }
    }
}

/// A bound that no real number of bytes, lines or events reaches: sums of smaller numbers do not overflow.
pub(crate) const MOST_BYTES: u64 = 1 << 60;

/// A place in a file, or in an event that was passed by itself.
///
/// The serialized form has no excerpt, and no row if that is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The line, 1-based.
    pub line: u64,
    /// The column, 1-based, in characters.
    pub column: u64,
    /// The first byte, 0-based, in the decompressed file.
    pub start: u64,
    /// The end, as the offset of the byte after the last one.
    pub end: u64,
    /// The number of the event at the place, 0-based; `None` for a frame that is not an event.
    pub event: Option<u64>,
    /// The row that the caller of [`Checker::event`](crate::Checker::event) passed; `None` in a file. With a row,
    /// lines, columns and bytes count from the start of the event's own text.
    pub row: Option<u64>,
    /// The source text around the place.
    #[serde(skip)]
    pub excerpt: Excerpt,
}

impl Place {
    /// Returns the place of a range of bytes (0-based) that starts at a line and a column (both 1-based).
    pub fn new(line: u64, column: u64, bytes: Range<u64>) -> Place {
        Place { line, column, start: bytes.start, end: bytes.end, ..Place::default() }
    }

    /// Returns the place of a file as a whole: its first byte.
    pub fn of_file() -> Place {
        Place::new(1, 1, 0..0)
    }

    /// Returns whether a real input can have such a place.
    pub(crate) fn is_sound(&self) -> bool {
        let is_number = |number: &u64| (1..MOST_BYTES).contains(number);
        is_number(&self.line) && is_number(&self.column) && (self.start..MOST_BYTES).contains(&self.end)
    }

    /// Returns the place with an excerpt of the source text.
    #[must_use]
    pub fn with_excerpt(self, excerpt: Excerpt) -> Place {
        Place { excerpt, ..self }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A format without field names requires all fields.
        let has_row = self.row.is_some() || !serializer.is_human_readable();
        let mut place = serializer.serialize_struct("Place", 5 + usize::from(has_row))?;
        place.serialize_field("line", &self.line)?;
        place.serialize_field("column", &self.column)?;
        place.serialize_field("start", &self.start)?;
        place.serialize_field("end", &self.end)?;
        place.serialize_field("event", &self.event)?;
        if has_row {
            place.serialize_field("row", &self.row)?;
        }
        place.end()
    }
}

/// Another place that explains a finding, with a message about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Related {
    /// The message, such as "the turn began here".
    pub message: Arc<str>,
    /// The name of the file; `None` for the finding's own.
    pub file: Option<Arc<str>>,
    /// The place.
    #[serde(flatten)]
    pub place: Arc<Place>,
}

impl Related {
    /// Returns a related place in the finding's own file.
    pub fn new(message: impl Into<Arc<str>>, place: impl Into<Arc<Place>>) -> Related {
        Related { message: message.into(), file: None, place: place.into() }
    }

    /// Returns a related place in a file of this name; `None` for the finding's own.
    pub fn in_file(file: Option<Arc<str>>, message: impl Into<Arc<str>>, place: impl Into<Arc<Place>>) -> Related {
        Related { file, ..Related::new(message, place) }
    }
}

/// One mistake in the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the rule that was broken, such as `idle-missing`.
    pub rule: Arc<str>,
    /// The severity, after the caller's settings.
    pub severity: Severity,
    /// The message: what was found and what was expected, in one sentence.
    pub message: String,
    /// The name of the protocol by which the input was judged; `None` if the finding is not about an input's content. Reports
    /// name it once for each file.
    #[serde(skip)]
    pub protocol: Option<Arc<str>>,
    /// The name of the file, as the caller passed it.
    pub file: Option<Arc<str>>,
    /// The place of the mistake.
    #[serde(flatten)]
    pub place: Place,
    /// The type of the event.
    #[serde(rename = "type")]
    pub event_type: Option<Arc<str>>,
    /// The stream (session) that the event belongs to.
    pub stream: Option<Arc<str>>,
    /// The JSON Pointer of the offending value, from the event's root.
    pub pointer: Option<Arc<str>>,
    /// The advice that is particular to this finding; `None` if that of the rule applies.
    pub help: Option<Cow<'static, str>>,
    /// The places that explain the finding, in the order of the file.
    pub related: Vec<Related>,
    /// The sentence of the document on the field, where it is not one of the rule's own quotes.
    #[serde(skip)]
    pub quote: Option<Arc<str>>,
    /// The JSON text that the help proposes as a replacement at the place, for automatic fixes.
    #[serde(skip)]
    pub proposal: Option<Arc<str>>,
}

impl Finding {
    /// Returns a finding about a file rather than about an event in the file.
    pub fn of_file(rule: &str, severity: Severity, message: String, file: &Arc<str>, place: Place) -> Finding {
        Finding {
            rule: rule.into(),
            severity,
            message,
            protocol: None,
            file: Some(file.clone()),
            place,
            event_type: None,
            stream: None,
            pointer: None,
            help: None,
            related: Vec::new(),
            quote: None,
            proposal: None,
        }
    }

    /// Returns the finding with this help, in place of any that it had.
    #[must_use]
    pub fn with_help(self, help: Option<impl Into<Cow<'static, str>>>) -> Finding {
        Finding { help: help.map(Into::into), ..self }
    }

    /// Returns the finding's kind.
    pub fn kind(&self) -> FindingKind {
        let pointer = self.pointer.as_deref().map(without_indices);
        FindingKind { rule: self.rule.clone(), event_type: self.event_type.clone(), pointer }
    }
}

/// The kind of a finding: what findings have in common wherever in a file they occur.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingKind {
    /// The name of the rule.
    pub rule: Arc<str>,
    /// The type of the event.
    pub event_type: Option<Arc<str>>,
    /// The JSON Pointer, with `*` for every array index.
    pub pointer: Option<String>,
}

/// Returns a JSON Pointer with `*` for every array index: findings in items of one array are of one kind.
pub fn without_indices(pointer: &str) -> String {
    pointer.split('/').map(without_index).collect::<Vec<_>>().join("/")
}

/// Returns one segment of a JSON Pointer, or `*` if the segment is an array index.
pub fn without_index(segment: &str) -> &str {
    let is_index = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    if is_index { "*" } else { segment }
}

/// The number of repeats of a finding of which only the first occurrence is reported (unknown event types, fields and
/// values).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Repeat {
    /// The name of the rule.
    pub rule: Arc<str>,
    /// The type of the event.
    #[serde(rename = "type")]
    pub event_type: Option<Arc<str>>,
    /// The JSON Pointer, with `*` for every array index.
    pub pointer: Option<String>,
    /// The number of repeats, without the first occurrence.
    pub count: u64,
}

impl Repeat {
    /// Returns whether the finding that is repeated is of this kind.
    pub fn is_of(&self, kind: &FindingKind) -> bool {
        // The repeats of an unknown event type have no pointer: the name alone identifies them.
        let same_pointer = self.pointer.is_none() || self.pointer == kind.pointer;
        self.rule == kind.rule && self.event_type == kind.event_type && same_pointer
    }
}

/// The counts of everything that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The number of files.
    pub files: u64,
    /// The number of events, including those of unknown types.
    pub events: u64,
    /// The number of stored records.
    pub records: u64,
    /// The number of stored records that belong to a session but do not name it.
    pub loose: u64,
    /// The number of distinct streams (sessions); an id that occurs in two files counts twice.
    pub streams: u64,
    /// The number of messages that are not events and were ignored (JSON-RPC requests and responses).
    pub skipped: u64,
    /// The number of errors, including repeats that are not reported.
    pub errors: u64,
    /// The number of warnings, including repeats that are not reported.
    pub warnings: u64,
    /// The number of notes, including repeats that are not reported.
    pub notes: u64,
    /// The number of findings that a baseline suppresses, including repeats. No other count includes these findings.
    pub baselined: u64,
    /// The number of findings by rule, including repeats that are not reported.
    pub by_rule: BTreeMap<String, u64>,
}

impl Summary {
    /// Counts `times` findings of `rule`.
    pub fn count(&mut self, rule: &str, severity: Severity, times: u64) {
        match severity {
            Severity::Error => self.errors += times,
            Severity::Warning => self.warnings += times,
            Severity::Note => self.notes += times,
        }
        if let Some(count) = self.by_rule.get_mut(rule) {
            *count += times;
        } else {
            self.by_rule.insert(rule.to_owned(), times);
        }
    }

    /// Moves `times` findings of `rule`, which must have been counted, to those that a baseline suppresses.
    pub fn move_to_baselined(&mut self, rule: &str, severity: Severity, times: u64) {
        self.remove(rule, severity, times);
        self.baselined += times;
    }

    /// Removes `times` findings of `rule`, which must have been counted.
    pub fn remove(&mut self, rule: &str, severity: Severity, times: u64) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        *count = count.saturating_sub(times);
        if let Some(count) = self.by_rule.get_mut(rule) {
            *count = count.saturating_sub(times);
            if *count == 0 {
                self.by_rule.remove(rule);
            }
        }
    }

    /// Adds the counts of another input.
    pub fn add(&mut self, other: &Summary) {
        self.files += other.files;
        self.events += other.events;
        self.records += other.records;
        self.loose += other.loose;
        self.streams += other.streams;
        self.skipped += other.skipped;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
        for (rule, count) in &other.by_rule {
            *self.by_rule.entry(rule.clone()).or_default() += count;
        }
        self.baselined += other.baselined;
    }

    /// Returns the number of findings at or above `severity`.
    pub fn at_least(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.errors + self.warnings,
            Severity::Note => self.errors + self.warnings + self.notes,
        }
    }
}

/// More counts, for `--stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// The number of events by type; unknown types have their own names.
    pub by_type: BTreeMap<String, u64>,
    /// The number of instances that each lifecycle opened, such as turns and tool calls, by the lifecycle's name.
    pub opened: BTreeMap<String, u64>,
    /// The number of bytes, after decompression.
    pub bytes: u64,
}

impl Stats {
    /// Adds the counts of another input.
    pub fn add(&mut self, other: &Stats) {
        for (name, count) in &other.by_type {
            *self.by_type.entry(name.clone()).or_default() += count;
        }
        for (name, count) in &other.opened {
            *self.opened.entry(name.clone()).or_default() += count;
        }
        self.bytes += other.bytes;
    }
}

/// The result of checking a whole input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Report {
    /// The findings, in the order in which they were found.
    pub findings: Vec<Finding>,
    /// The repeats of findings of which only the first occurrence is among `findings`.
    pub repeats: Vec<Repeat>,
    /// The counts of everything that was checked.
    pub summary: Summary,
    /// More counts, for `--stats`.
    pub stats: Stats,
}

impl Report {
    /// Returns a report of these findings, with a summary that counts them.
    pub fn new(findings: Vec<Finding>) -> Report {
        let mut summary = Summary::default();
        findings.iter().for_each(|finding| summary.count(&finding.rule, finding.severity, 1));
        Report { findings, summary, ..Report::default() }
    }
}
