//! Reports, as Python objects that cannot be changed.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use sessionlint::{Protocol, ReportExt as _, Severity, TextOptions};

use crate::finding::Finding;
use crate::options::severity_of;

/// The result of checking one input.
///
/// A report is true if the input conforms, which means that it has neither errors nor warnings, so that tests can say
/// `assert report, report.text()`.
#[pyclass(frozen, module = "sessionlint")]
pub struct Report {
    report: sessionlint::Report,
    protocol: Protocol,
    /// The findings as Python objects, made when they are first asked for.
    findings: PyOnceLock<Py<PyTuple>>,
}

impl Report {
    pub fn new(report: sessionlint::Report, protocol: &Protocol) -> Report {
        Report { report, protocol: protocol.clone(), findings: PyOnceLock::new() }
    }

    pub fn inner(&self) -> &sessionlint::Report {
        &self.report
    }
}

#[pymethods]
impl Report {
    /// The findings, in the order in which they were found.
    #[getter]
    fn findings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let findings = self.findings.get_or_try_init(py, || {
            let findings = self.report.findings.iter().map(|finding| Finding::new(finding.clone(), &self.protocol));
            PyTuple::new(py, findings.collect::<Vec<_>>()).map(Bound::unbind)
        });
        findings.map(|findings| findings.bind(py).clone())
    }

    /// The repeats of findings of which only the first is reported: unknown event types, fields and values.
    #[getter]
    fn repeats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let repeats = self.report.repeats.iter().map(|repeat| Repeat {
            rule: repeat.rule.to_string(),
            r#type: repeat.event_type.as_deref().map(str::to_owned),
            pointer: repeat.pointer.clone(),
            count: repeat.count,
        });
        PyTuple::new(py, repeats.collect::<Vec<_>>())
    }

    /// The number of errors, including repeats that are not reported.
    #[getter]
    fn errors(&self) -> u64 {
        self.report.summary.errors
    }

    /// The number of warnings, including repeats that are not reported.
    #[getter]
    fn warnings(&self) -> u64 {
        self.report.summary.warnings
    }

    /// The number of notes, including repeats that are not reported.
    #[getter]
    fn notes(&self) -> u64 {
        self.report.summary.notes
    }

    /// The number of events, including those of unknown types.
    #[getter]
    fn events(&self) -> u64 {
        self.report.summary.events
    }

    /// The number of streams (sessions).
    #[getter]
    fn streams(&self) -> u64 {
        self.report.summary.streams
    }

    /// The number of stored records.
    #[getter]
    fn records(&self) -> u64 {
        self.report.summary.records
    }

    /// The number of JSON-RPC messages that are not events and were ignored.
    #[getter]
    fn skipped(&self) -> u64 {
        self.report.summary.skipped
    }

    /// The number of bytes, after decompression.
    #[getter]
    fn bytes(&self) -> u64 {
        self.report.stats.bytes
    }

    /// The number of findings of each rule, including repeats that are not reported.
    #[getter]
    fn by_rule(&self) -> BTreeMap<String, u64> {
        self.report.summary.by_rule.clone()
    }

    /// The number of events of each type.
    #[getter]
    fn by_type(&self) -> BTreeMap<String, u64> {
        self.report.stats.by_type.clone()
    }

    /// Return the number of findings of this severity ("note", "warning" or "error") or of a higher one, including
    /// repeats that are not reported.
    ///
    /// Raises ValueError if there is no such severity.
    fn at_least(&self, severity: &str) -> PyResult<u64> {
        Ok(self.report.summary.at_least(severity_of(severity)?))
    }

    /// Return the report as the program shows it to people.
    ///
    /// `color` turns on ANSI escape sequences; `width` is that of the text, in columns. Findings of one cause are one
    /// block unless `all` is true. What comes from the input is safe to show on a terminal.
    #[pyo3(signature = (color = false, width = 100, *, all = false))]
    fn text(&self, py: Python<'_>, color: bool, width: usize, all: bool) -> String {
        let options = TextOptions::default().with_color(color).with_width(width).with_all(all);
        py.detach(|| self.report.text(&self.protocol, options))
    }

    /// Return the report as a JSON document, as `sessionlint check --format json` prints it.
    fn json(&self, py: Python<'_>) -> String {
        py.detach(|| self.report.json())
    }

    fn __bool__(&self) -> bool {
        self.report.summary.at_least(Severity::Warning) == 0
    }

    fn __eq__(&self, other: &Report) -> bool {
        self.report == other.report
    }

    fn __str__(&self, py: Python<'_>) -> String {
        self.text(py, false, 100, false)
    }

    fn __repr__(&self) -> String {
        let sessionlint::Summary { events, errors, warnings, notes, .. } = &self.report.summary;
        format!("<sessionlint.Report events={events} errors={errors} warnings={warnings} notes={notes}>")
    }
}

/// The number of repeats of a finding of which only the first is reported.
#[pyclass(frozen, get_all, module = "sessionlint")]
pub struct Repeat {
    /// The name of the rule.
    rule: String,
    /// The type of the event, or None.
    r#type: Option<String>,
    /// The JSON Pointer, with `*` for every index of an array, or None.
    pointer: Option<String>,
    /// The number of repeats, without the first.
    count: u64,
}

#[pymethods]
impl Repeat {
    fn __repr__(&self) -> String {
        format!("<sessionlint.Repeat {:?}, {} times>", self.rule, self.count)
    }
}
