//! The checker for inputs that come piece by piece.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sessionlint::Protocol;

use crate::errors;
use crate::feeding::{feed_bytes, feed_text, feed_view, view_of, write_event};
use crate::finding::Finding;
use crate::options::{Keywords, Rules};
use crate::protocol;
use crate::report::Report;

/// A checker that threads may share; `None` when it has finished.
///
/// It is locked only while the interpreter's own lock is released, so that neither waits for the other.
pub struct SharedChecker(Mutex<Option<sessionlint::Checker>>);

impl SharedChecker {
    pub fn new(checker: sessionlint::Checker) -> SharedChecker {
        SharedChecker(Mutex::new(Some(checker)))
    }

    /// Calls a function with the checker, while other threads of Python run.
    pub fn with<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&mut sessionlint::Checker) -> T + Send,
    ) -> PyResult<T> {
        let result = py.detach(|| {
            let mut checker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            checker.as_mut().map(call)
        });
        result.ok_or_else(finished)
    }

    /// Ends the input. `damage`: that of its compressed form.
    pub fn finish(&self, py: Python<'_>, damage: Option<&str>) -> PyResult<sessionlint::Report> {
        let report = py.detach(|| {
            let checker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            Some(match damage {
                Some(cause) => checker.finish_damaged(cause),
                None => checker.finish(),
            })
        });
        report.ok_or_else(finished)
    }
}

fn finished() -> PyErr {
    PyValueError::new_err("the checker has finished; make another one for another input")
}

/// Checks one input that comes piece by piece.
///
/// The keyword arguments are those of `check`. Memory does not grow with the length of the input. Threads may share a
/// checker; each call waits for the one before it.
#[pyclass(frozen, module = "sessionlint")]
pub struct Checker {
    protocol: Protocol,
    checker: SharedChecker,
}

#[pymethods]
impl Checker {
    #[new]
    #[pyo3(signature = (*, protocol = None, file = None, wire = None, fragment = false, rules = None, excerpts = true))]
    fn new(
        protocol: Option<&Bound<'_, PyAny>>,
        file: Option<PathBuf>,
        wire: Option<String>,
        fragment: bool,
        rules: Option<Rules>,
        excerpts: bool,
    ) -> PyResult<Checker> {
        let protocol = protocol::of_argument(protocol)?;
        let options = Keywords { file, wire, fragment, rules, excerpts, finds: false }.options(&protocol)?;
        let checker = SharedChecker::new(sessionlint::Checker::new(&protocol, options));
        Ok(Checker { protocol, checker })
    }

    /// Judge the next bytes of the input, which may be cut anywhere: bytes (or another object that gives its bytes), or a
    /// str. They must not be compressed.
    ///
    /// Raises TypeError for anything else, and ValueError if the checker has finished.
    fn feed(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = data.py();
        if let Ok(bytes) = data.cast::<PyBytes>() {
            return feed_bytes(py, &self.checker, bytes.as_bytes());
        }
        if let Ok(text) = data.cast::<PyString>() {
            return feed_text(&self.checker, text);
        }
        match view_of(data)? {
            Some(view) => feed_view(py, &self.checker, &view),
            None => Err(PyTypeError::new_err(format!("data must be bytes or a str, not {}", data.get_type().name()?))),
        }
    }

    /// Judge one event, whatever line ends its text contains: bytes, a str, or a dict, which is written as
    /// `json.dumps(event, ensure_ascii=False)` writes it.
    ///
    /// `row` is your own number for the event, from 0 to 2**64 - 1, such as the row of a table. Findings have it at each
    /// of their places; lines, columns and offsets are then those of the event's own text.
    ///
    /// Raises TypeError for anything else and for what cannot be written as JSON, and ValueError if the checker has
    /// finished.
    fn event(&self, event: &Bound<'_, PyAny>, row: u64) -> PyResult<()> {
        let py = event.py();
        if let Ok(bytes) = event.cast::<PyBytes>() {
            let bytes = bytes.as_bytes();
            return self.checker.with(py, |checker| checker.event(bytes, row));
        }
        let mut text = Vec::new();
        write_event(event, row, &mut text)?;
        self.checker.with(py, |checker| checker.event(&text, row))
    }

    /// Return the findings since the last call. Those of stored records come only from `finish`.
    ///
    /// Raises ValueError if the checker has finished.
    fn take_findings(&self, py: Python<'_>) -> PyResult<Vec<Finding>> {
        let findings = self.checker.with(py, |checker| checker.take_findings())?;
        Ok(findings.into_iter().map(|finding| Finding::new(finding, &self.protocol)).collect())
    }

    /// End the input, and return the findings that were not taken, and the counts.
    ///
    /// Raises ValueError if the checker has finished already.
    fn finish(&self, py: Python<'_>) -> PyResult<Report> {
        Ok(Report::new(self.checker.finish(py, None)?, &self.protocol))
    }

    /// Return the state of the checker, for `Checker.restore` in this process or another one, with the same version of
    /// sessionlint. Take the findings first: they are not in it.
    ///
    /// Raises ValueError if the checker has finished.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = self.checker.with(py, |checker| checker.snapshot())?;
        Ok(PyBytes::new(py, &state))
    }

    /// Return a checker that continues where `snapshot` was called. The protocol and the options must equal those of that
    /// checker, except for `file` and `excerpts`.
    ///
    /// Raises SnapshotError if the bytes are no snapshot, or one of another version, protocol or options.
    #[staticmethod]
    #[pyo3(signature = (state, *, protocol = None, file = None, wire = None, fragment = false, rules = None, excerpts = true))]
    #[allow(clippy::too_many_arguments)] // They are Python's keyword arguments.
    fn restore(
        state: &Bound<'_, PyBytes>,
        protocol: Option<&Bound<'_, PyAny>>,
        file: Option<PathBuf>,
        wire: Option<String>,
        fragment: bool,
        rules: Option<Rules>,
        excerpts: bool,
    ) -> PyResult<Checker> {
        let (py, bytes) = (state.py(), state.as_bytes());
        let protocol = protocol::of_argument(protocol)?;
        let options = Keywords { file, wire, fragment, rules, excerpts, finds: false }.options(&protocol)?;
        let restored = py.detach(|| sessionlint::Checker::restore(&protocol, options, bytes));
        let checker = SharedChecker::new(restored.map_err(|error| errors::of_snapshot(py, &error))?);
        Ok(Checker { protocol, checker })
    }
}
