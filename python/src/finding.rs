//! Findings, as Python objects that cannot be changed.

use std::hash::{Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionlint::{Place, Protocol, ReportExt as _, TextOptions};

/// One mistake in an input.
///
/// Lines and columns count from 1, and columns count characters. `start` and `end` are offsets in bytes, and `event`
/// and `row` are numbers, that count from 0. For an event that was passed by itself (an item of an iterable, or
/// `Checker.event`), `row` is its number there, and lines, columns and offsets are those of the event's own JSON text.
///
/// Findings of equal contents are equal.
#[pyclass(frozen, eq, hash, module = "sessionlint")]
#[derive(Clone)]
pub struct Finding {
    finding: sessionlint::Finding,
    protocol: Protocol,
}

impl Finding {
    pub fn new(finding: sessionlint::Finding, protocol: &Protocol) -> Finding {
        Finding { finding, protocol: protocol.clone() }
    }

    fn rule_of_protocol(&self) -> Option<&sessionlint::Rule> {
        self.protocol.rule(&self.finding.rule)
    }
}

impl PartialEq for Finding {
    fn eq(&self, other: &Finding) -> bool {
        self.finding == other.finding
    }
}

impl Hash for Finding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let place = &self.finding.place;
        (&self.finding.rule, &self.finding.file, &self.finding.message).hash(state);
        (place.start, place.end, place.event, place.row).hash(state);
    }
}

#[pymethods]
impl Finding {
    /// The name of the rule that was broken, such as "idle-missing".
    #[getter]
    fn rule(&self) -> &str {
        &self.finding.rule
    }

    /// The severity: "error", "warning" or "note".
    #[getter]
    fn severity(&self) -> &'static str {
        self.finding.severity.as_str()
    }

    /// What was found and what was expected, in one sentence.
    #[getter]
    fn message(&self) -> &str {
        &self.finding.message
    }

    /// The name of the file, or None if the input has none.
    #[getter]
    fn file(&self) -> Option<&str> {
        self.finding.file.as_deref()
    }

    /// The line, from 1.
    #[getter]
    fn line(&self) -> u64 {
        self.finding.place.line
    }

    /// The column, from 1, in characters.
    #[getter]
    fn column(&self) -> u64 {
        self.finding.place.column
    }

    /// The offset of the first byte at the place, from 0, after decompression.
    #[getter]
    fn start(&self) -> u64 {
        self.finding.place.start
    }

    /// The offset of the byte after the last one at the place.
    #[getter]
    fn end(&self) -> u64 {
        self.finding.place.end
    }

    /// The number of the event, from 0, or None if the place is not an event.
    #[getter]
    fn event(&self) -> Option<u64> {
        self.finding.place.event
    }

    /// The number of the item of the iterable, from 0, or the row that was passed to `Checker.event`; None for files
    /// and texts.
    #[getter]
    fn row(&self) -> Option<u64> {
        self.finding.place.row
    }

    /// The type of the event, or None.
    #[getter(r#type)]
    fn event_type(&self) -> Option<&str> {
        self.finding.event_type.as_deref()
    }

    /// The stream (session) to which the event belongs, or None.
    #[getter]
    fn stream(&self) -> Option<&str> {
        self.finding.stream.as_deref()
    }

    /// The JSON Pointer of the value with the mistake, from the root of the event, or None.
    #[getter]
    fn pointer(&self) -> Option<&str> {
        self.finding.pointer.as_deref()
    }

    /// What to do about it.
    #[getter]
    fn help(&self) -> &str {
        let of_rule = || self.rule_of_protocol().map_or("", |rule| rule.help.as_str());
        self.finding.help.as_deref().unwrap_or_else(of_rule)
    }

    /// The sentences of the protocol's document that the finding rests on, word for word.
    #[getter]
    fn quotes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let of_rule = self.rule_of_protocol().into_iter().flat_map(|rule| rule.quotes.iter().map(String::as_str));
        PyTuple::new(py, self.finding.quote.as_deref().into_iter().chain(of_rule).collect::<Vec<_>>())
    }

    /// The other places that explain the finding, such as the beginning of a turn that does not end.
    #[getter]
    fn related<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.finding.related.iter().cloned().map(Related))
    }

    /// The source text at the place, or None if there is none, as with `excerpts=False`.
    #[getter]
    fn excerpt(&self) -> Option<Excerpt> {
        Excerpt::of(&self.finding.place)
    }

    /// Return the finding as the program shows it to people: the message, the source lines with marks, and what to do.
    ///
    /// `color` turns on ANSI escape sequences; `width` is that of the text, in columns. What comes from the input is safe
    /// to show on a terminal.
    #[pyo3(signature = (color = false, width = 100))]
    fn text(&self, color: bool, width: usize) -> String {
        let report = sessionlint::Report::new(vec![self.finding.clone()]);
        report.text(&self.protocol, TextOptions::default().with_color(color).with_width(width).with_quiet(true))
    }

    /// Return the finding as one line of JSON, as `sessionlint check --format jsonl` prints it.
    fn json(&self) -> String {
        sessionlint::to_json(&self.finding)
    }

    fn __str__(&self) -> String {
        self.text(false, 100)
    }

    fn __repr__(&self) -> String {
        let Place { line, column, row, .. } = &self.finding.place;
        let place = row.map_or_else(|| format!("{line}:{column}"), |row| format!("event {row}"));
        format!("<sessionlint.Finding {}[{}] at {place}>", self.finding.severity, self.finding.rule)
    }
}

/// Another place that explains a finding.
#[pyclass(frozen, module = "sessionlint")]
pub struct Related(sessionlint::Related);

#[pymethods]
impl Related {
    /// What is at the place, such as "the turn began here".
    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }

    /// The name of the file, or None if it is the finding's own.
    #[getter]
    fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The line, from 1.
    #[getter]
    fn line(&self) -> u64 {
        self.0.place.line
    }

    /// The column, from 1, in characters.
    #[getter]
    fn column(&self) -> u64 {
        self.0.place.column
    }

    /// The offset of the first byte at the place, from 0.
    #[getter]
    fn start(&self) -> u64 {
        self.0.place.start
    }

    /// The offset of the byte after the last one at the place.
    #[getter]
    fn end(&self) -> u64 {
        self.0.place.end
    }

    /// The number of the event, from 0, or None if the place is not an event.
    #[getter]
    fn event(&self) -> Option<u64> {
        self.0.place.event
    }

    /// The number of the item of the iterable, from 0, or the row that was passed to `Checker.event`; None for files
    /// and texts.
    #[getter]
    fn row(&self) -> Option<u64> {
        self.0.place.row
    }

    /// The source text at the place, or None if it is no longer kept.
    #[getter]
    fn excerpt(&self) -> Option<Excerpt> {
        Excerpt::of(&self.0.place)
    }

    fn __repr__(&self) -> String {
        let Place { line, column, row, .. } = &*self.0.place;
        let place = row.map_or_else(|| format!("{line}:{column}"), |row| format!("event {row}"));
        format!("<sessionlint.Related {:?} at {place}>", self.0.message)
    }
}

/// A line of the source text, cut to a window if it is long. Its text is unchanged: escape control characters before
/// you show it.
#[pyclass(frozen, get_all, module = "sessionlint")]
pub struct Excerpt {
    /// The text, without its line end.
    text: String,
    /// The column of the first character of the text, from 1.
    column: u64,
    /// The part to mark, as a range of characters: `text[mark[0]:mark[1]]`.
    mark: (usize, usize),
    /// Whether the line has more text before this.
    cut_before: bool,
    /// Whether the line has more text after this.
    cut_after: bool,
}

impl Excerpt {
    /// Returns the excerpt of a place, if there is one.
    fn of(place: &Place) -> Option<Excerpt> {
        let excerpt = &place.excerpt;
        if excerpt.text.is_empty() {
            return None;
        }
        let characters = |end: usize| excerpt.text.get(..end).unwrap_or(&excerpt.text).chars().count();
        Some(Excerpt {
            text: excerpt.text.clone(),
            column: excerpt.column,
            mark: (characters(excerpt.mark.start), characters(excerpt.mark.end)),
            cut_before: excerpt.cut_before,
            cut_after: excerpt.cut_after,
        })
    }
}

#[pymethods]
impl Excerpt {
    fn __repr__(&self) -> String {
        format!("<sessionlint.Excerpt {:?}, marked from {} to {}>", self.text, self.mark.0, self.mark.1)
    }
}
