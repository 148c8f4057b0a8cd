//! Findings: what is wrong with the input, as plain data.
//!
//! A finding is never an error of the program: broken input makes findings, and what prevents a run is an error of the
//! caller's. Lines and columns are 1-based and columns count characters; `start` and `end` are 0-based byte offsets into
//! the (decompressed) file; event numbers are 0-based.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::UnknownName;

/// How much a finding matters. Ordered: a note is less than a warning, a warning less than an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; breaks nothing.
    Note,
    /// Probably a mistake, or one that the document does not spell out.
    Warning,
    /// The document is broken.
    Error,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Error];

    /// The lower-case word that reports and the command line use.
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

/// A piece of source text kept for showing: one line of the file, cut to a window if it is long.
///
/// The text is as it stands in the recording: whoever shows it must escape it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The text, without its line end.
    pub text: String,
    /// The column (1-based, in characters) of the first character of `text`.
    pub column: u64,
    /// What to mark, as a byte range of `text`.
    pub mark: Range<usize>,
    /// Whether the line goes on before `text`.
    pub cut_before: bool,
    /// Whether the line goes on after `text`.
    pub cut_after: bool,
}

impl Excerpt {
    /// Returns a whole line of a file with a part of it marked, as a byte range of the line.
    pub fn of_line(line: impl Into<String>, mark: Range<usize>) -> Excerpt {
        Excerpt { text: line.into(), column: 1, mark, ..Excerpt::default() }
    }
}

/// More bytes, lines or events than any input has: sums of smaller numbers do not overflow.
pub(crate) const MOST_BYTES: u64 = 1 << 60;

/// A place in a file, or in an event that came by itself.
///
/// Serialized, it has no excerpt, and no row if that is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The line, 1-based.
    pub line: u64,
    /// The column, 1-based, in characters.
    pub column: u64,
    /// The first byte, 0-based, in the decompressed file.
    pub start: u64,
    /// The byte after the last one.
    pub end: u64,
    /// The number of the event that stands here, 0-based; none for a frame that is no event.
    pub event: Option<u64>,
    /// The row that the caller of [`Checker::event`](crate::Checker::event) gave for the event; `None` in a file. Lines,
    /// columns and bytes are then those within the event's own text.
    pub row: Option<u64>,
    /// The source text around the place.
    #[serde(skip)]
    pub excerpt: Excerpt,
}

impl Place {
    /// Returns a place of these bytes (0-based), which start at a line and a column (both 1-based).
    pub fn new(line: u64, column: u64, bytes: Range<u64>) -> Place {
        Place { line, column, start: bytes.start, end: bytes.end, ..Place::default() }
    }

    /// Returns the place of a file as a whole: its first byte.
    pub fn of_file() -> Place {
        Place::new(1, 1, 0..0)
    }

    /// Whether something of a real input may be here.
    pub(crate) fn is_sound(&self) -> bool {
        let is_number = |number: &u64| (1..MOST_BYTES).contains(number);
        is_number(&self.line) && is_number(&self.column) && (self.start..MOST_BYTES).contains(&self.end)
    }

    /// Returns the place with source text around it.
    #[must_use]
    pub fn with_excerpt(self, excerpt: Excerpt) -> Place {
        Place { excerpt, ..self }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Forms that do not name their fields must have all of them.
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

/// Another place that belongs to a finding, with what happened there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Related {
    /// What happened there, such as "the turn began here".
    pub message: Arc<str>,
    /// The name of the file; none: the finding's own.
    pub file: Option<Arc<str>>,
    /// Where.
    #[serde(flatten)]
    pub place: Arc<Place>,
}

impl Related {
    /// Returns a place in the finding's own file.
    pub fn new(message: impl Into<Arc<str>>, place: impl Into<Arc<Place>>) -> Related {
        Related { message: message.into(), file: None, place: place.into() }
    }

    /// Returns a place in a file of this name; `None` for the finding's own.
    pub fn in_file(file: Option<Arc<str>>, message: impl Into<Arc<str>>, place: impl Into<Arc<Place>>) -> Related {
        Related { file, ..Related::new(message, place) }
    }
}

/// One thing that is wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that speaks, such as `idle-missing`.
    pub rule: Arc<str>,
    /// How much it matters, after the caller's own settings.
    pub severity: Severity,
    /// What was found and what was expected, in one sentence.
    pub message: String,
    /// The file's name as the caller gave it.
    pub file: Option<Arc<str>>,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The event's type.
    #[serde(rename = "type")]
    pub event_type: Option<Arc<str>>,
    /// The stream (session) that the event belongs to.
    pub stream: Option<Arc<str>>,
    /// The JSON Pointer of the offending value, from the event's root.
    pub pointer: Option<Arc<str>>,
    /// What to do, where that is particular to this finding; the rule has its own help.
    pub help: Option<Cow<'static, str>>,
    /// The places that explain this one, in the order of the file.
    pub related: Vec<Related>,
    /// The document's words on the very field, where they are not the rule's own quotes.
    #[serde(skip)]
    pub quote: Option<Arc<str>>,
    /// The JSON text that the help proposes in the place of what stands there, for those who mend.
    #[serde(skip)]
    pub proposal: Option<Arc<str>>,
}

impl Finding {
    /// Returns a finding about a file, and not about an event in it.
    pub fn of_file(rule: &str, severity: Severity, message: String, file: &Arc<str>, place: Place) -> Finding {
        Finding {
            rule: rule.into(),
            severity,
            message,
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

    /// Returns the finding with this advice, in place of any that it had.
    #[must_use]
    pub fn with_help(self, help: Option<impl Into<Cow<'static, str>>>) -> Finding {
        Finding { help: help.map(Into::into), ..self }
    }

    /// What it has in common with others of its kind.
    pub fn kind(&self) -> Kind {
        let pointer = self.pointer.as_deref().map(without_indices);
        Kind { rule: self.rule.clone(), event_type: self.event_type.clone(), pointer }
    }
}

/// What findings of one kind have in common, wherever in a file they stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// The name of the rule that was broken.
    pub rule: Arc<str>,
    /// The event's type, if the finding is about one.
    pub event_type: Option<Arc<str>>,
    /// The JSON Pointer, with `*` for every array index.
    pub pointer: Option<String>,
}

/// A JSON Pointer with `*` for every array index: items of one array are of one kind.
pub fn without_indices(pointer: &str) -> String {
    pointer.split('/').map(without_index).collect::<Vec<_>>().join("/")
}

/// One segment of it.
pub fn without_index(segment: &str) -> &str {
    let is_index = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    if is_index { "*" } else { segment }
}

/// How often a finding was said again after its first time, when only the first is reported
/// (unknown event types and unknown fields).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Repeat {
    /// The rule.
    pub rule: Arc<str>,
    /// The event's type.
    #[serde(rename = "type")]
    pub event_type: Option<Arc<str>>,
    /// The JSON Pointer, with `*` for every array index.
    pub pointer: Option<String>,
    /// How often, the first time not counted.
    pub count: u64,
}

impl Repeat {
    /// Whether the finding that was said first is of this kind.
    pub fn is_of(&self, kind: &Kind) -> bool {
        // Unknown event types are told apart by their names alone.
        let same_pointer = self.pointer.is_none() || self.pointer == kind.pointer;
        self.rule == kind.rule && self.event_type == kind.event_type && same_pointer
    }
}

/// Counts over everything that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Files read.
    pub files: u64,
    /// Events, unknown types included.
    pub events: u64,
    /// Stored records.
    pub records: u64,
    /// Those of them that belong to a session and do not say to which.
    pub loose: u64,
    /// Distinct streams (sessions); the same id in two files counts twice.
    pub streams: u64,
    /// Messages that are no events and were passed over (JSON-RPC requests and responses).
    pub skipped: u64,
    /// Findings by severity; repeats of which only the first is reported count too.
    pub errors: u64,
    /// See `errors`.
    pub warnings: u64,
    /// See `errors`.
    pub notes: u64,
    /// Findings that a baseline holds back, counted likewise; none of the other numbers counts them.
    pub baselined: u64,
    /// Findings by rule, counted likewise.
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

    /// Counts `times` findings of `rule` as known, after they were counted.
    pub fn hold_back(&mut self, rule: &str, severity: Severity, times: u64) {
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
        self.baselined += times;
    }

    /// Adds what another file gave.
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

    /// How many findings are at or above `severity`.
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
    /// Events by type, unknown types under their own names.
    pub by_type: BTreeMap<String, u64>,
    /// What the protocol's lifecycles opened, by lifecycle: turns, tool calls.
    pub opened: BTreeMap<String, u64>,
    /// Bytes read, after decompression.
    pub bytes: u64,
}

impl Stats {
    /// Adds what another file gave.
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

/// What a whole input gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Report {
    /// The findings, in the order in which they were judged.
    pub findings: Vec<Finding>,
    /// How often those were said again of which only the first is among the findings.
    pub repeats: Vec<Repeat>,
    /// The counts.
    pub summary: Summary,
    /// More counts.
    pub stats: Stats,
}

impl Report {
    /// Returns a report of these findings, which the summary counts.
    pub fn new(findings: Vec<Finding>) -> Report {
        let mut summary = Summary::default();
        findings.iter().for_each(|finding| summary.count(&finding.rule, finding.severity, 1));
        Report { findings, summary, ..Report::default() }
    }
}
