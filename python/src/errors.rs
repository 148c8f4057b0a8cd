//! The exceptions of the package, which are written in Python, and how errors of the crates become exceptions.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use sessionlint::{ProtocolError, SnapshotError, UnknownName};

/// The module with the classes of the exceptions.
const MODULE: &str = "sessionlint._errors";

static PROTOCOL_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static PROBLEM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static SNAPSHOT_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Returns the exception of a protocol that cannot be used, with every mistake in its files.
pub fn of_protocol(py: Python<'_>, error: &ProtocolError) -> PyErr {
    protocol_error(py, error).unwrap_or_else(|failure| failure)
}

fn protocol_error(py: Python<'_>, error: &ProtocolError) -> PyResult<PyErr> {
    let class = PROBLEM.import(py, MODULE, "Problem")?;
    let problem = |problem: &sessionlint::SourceProblem| {
        let (place, words) = ((problem.line(), problem.column()), (problem.message(), problem.label(), problem.help()));
        class.call1((problem.file(), place.0, place.1, words.0, words.1, words.2))
    };
    let problems = error.problems().iter().map(problem).collect::<PyResult<Vec<_>>>()?;
    let problems = pyo3::types::PyTuple::new(py, problems)?;
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let message = format!("{}{cause}", error.headline());
    let value = PROTOCOL_ERROR.import(py, MODULE, "ProtocolError")?.call1((message, problems, error.help()))?;
    Ok(PyErr::from_value(value))
}

/// Returns the exception of bytes that are not the state of a checker.
pub fn of_snapshot(py: Python<'_>, error: &SnapshotError) -> PyErr {
    let value = SNAPSHOT_ERROR.import(py, MODULE, "SnapshotError").and_then(|class| class.call1((error.to_string(),)));
    value.map_or_else(|failure| failure, PyErr::from_value)
}

/// Returns the exception of a name that does not exist.
pub fn of_name(error: &UnknownName) -> PyErr {
    PyValueError::new_err(error.to_string())
}
