//! Protocols and their rules.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use sessionlint::Basis;

use crate::errors;

/// The protocol that judges where a caller names none.
const DEFAULT: &str = "session-events";

/// A compiled protocol, against which events are checked. It cannot be changed, and threads may share it.
///
/// A protocol is one of those that are built in (`Protocol.builtin`), a folder (`Protocol.load`), or files in memory
/// (`Protocol.from_files`). Wherever a `protocol` is expected, the name of a built-in protocol or the path of a folder
/// will also do; loading a folder once is faster than naming it for each check.
#[pyclass(frozen, module = "sessionlint")]
pub struct Protocol(sessionlint::Protocol);

#[pymethods]
impl Protocol {
    /// Return the built-in protocol of this name, such as "session-events".
    ///
    /// Raises ValueError if there is none; `Protocol.builtin_names()` lists them.
    #[staticmethod]
    fn builtin(name: &str) -> PyResult<Protocol> {
        builtin(name).map(Protocol)
    }

    /// Return the names of the built-in protocols.
    #[staticmethod]
    fn builtin_names(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, sessionlint::Protocol::builtin_names().collect::<Vec<_>>())
    }

    /// Load a protocol from a folder: `protocol.toml`, a `<event type>.schema.json` for each event type, and perhaps
    /// `document.md` and `examples.toml`.
    ///
    /// Raises ProtocolError with every mistake in the files, or if a file cannot be read.
    #[staticmethod]
    fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Protocol> {
        load(py, folder).map(Protocol)
    }

    /// Compile a protocol from the texts of its files, by name. `folder` is the name of the folder in messages.
    ///
    /// Raises ProtocolError with every mistake in the files.
    #[staticmethod]
    #[pyo3(signature = (files, *, folder = "."))]
    fn from_files(py: Python<'_>, files: BTreeMap<String, String>, folder: &str) -> PyResult<Protocol> {
        let compiled = py.detach(|| sessionlint::Protocol::from_files(folder, files));
        compiled.map(Protocol).map_err(|error| errors::of_protocol(py, &error))
    }

    /// The name, as `protocol` accepts it.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The title, for people.
    #[getter]
    fn title(&self) -> &str {
        self.0.title()
    }

    /// The version of the protocol's tables.
    #[getter]
    fn version(&self) -> &str {
        self.0.version()
    }

    /// The title of the document from which the rules were read, or None.
    #[getter]
    fn source(&self) -> Option<&str> {
        self.0.source()
    }

    /// Whether the protocol is one of stored records rather than of streams of events.
    #[getter]
    fn is_of_records(&self) -> bool {
        self.0.is_of_records()
    }

    /// The rules, those of the framing first.
    #[getter]
    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let rules = self.0.rules().iter().map(|rule| Rule::of(py, rule)).collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, rules)
    }

    /// Return the rule of this name.
    ///
    /// Raises ValueError if there is none, and proposes the nearest name.
    fn rule(&self, py: Python<'_>, name: &str) -> PyResult<Rule> {
        Rule::of(py, self.0.find_rule(name).map_err(|error| errors::of_name(&error))?)
    }

    /// The types of its events (or the kinds of its records), in alphabetical order.
    #[getter]
    fn event_types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.schemas().map(|(name, _)| name).collect::<Vec<_>>())
    }

    /// Return the JSON Schema of an event type, as JSON text.
    ///
    /// Raises ValueError if there is no such type.
    fn schema(&self, event_type: &str) -> PyResult<String> {
        let found = self.0.schemas().find(|(name, _)| *name == event_type);
        let (_, schema) =
            found.ok_or_else(|| PyValueError::new_err(format!("there is no event type {event_type:?}")))?;
        Ok(sessionlint::to_json(schema))
    }

    fn __repr__(&self) -> String {
        format!("<sessionlint.Protocol {:?}, version {:?}>", self.0.name(), self.0.version())
    }
}

/// A rule of a protocol.
#[pyclass(frozen, get_all, module = "sessionlint")]
pub struct Rule {
    /// The name, such as "idle-missing".
    name: String,
    /// The severity of its findings, or None if the rule is off unless `rules` turns it on.
    severity: Option<&'static str>,
    /// What the rule rests on: "document", "schema", "framing", "inference" or "upkeep".
    basis: &'static str,
    /// What it means, in one sentence.
    means: String,
    /// What to do about it.
    help: String,
    /// The sentences of the document that it rests on, word for word.
    quotes: Py<PyTuple>,
}

impl Rule {
    fn of(py: Python<'_>, rule: &sessionlint::Rule) -> PyResult<Rule> {
        let basis = match rule.basis {
            Basis::Document => "document",
            Basis::Schema => "schema",
            Basis::Inference => "inference",
            Basis::Framing => "framing",
            Basis::Upkeep => "upkeep",
        };
        Ok(Rule {
            name: rule.name.to_string(),
            severity: rule.severity.map(|severity| severity.as_str()),
            basis,
            means: rule.means.clone(),
            help: rule.help.clone(),
            quotes: PyTuple::new(py, &rule.quotes)?.unbind(),
        })
    }
}

#[pymethods]
impl Rule {
    fn __repr__(&self) -> String {
        format!("<sessionlint.Rule {:?}, {}>", self.name, self.severity.unwrap_or("off"))
    }
}

/// Explain a rule as `sessionlint explain` does: what it means, what to do, the words of the document, and an example
/// that breaks it and one that keeps it.
///
/// Without a `protocol`, the rule may be of any built-in one.
///
/// Raises ValueError if there is no such rule, and proposes the nearest name.
#[pyfunction]
#[pyo3(signature = (rule, *, protocol = None))]
pub fn explain(rule: &str, protocol: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
    let named = protocol.is_some();
    let protocol = of_argument(protocol)?;
    let mut others = sessionlint::Protocol::builtin_names().filter_map(sessionlint::Protocol::builtin);
    let other = others.find(|other| !named && protocol.rule(rule).is_none() && other.rule(rule).is_some());
    sessionlint::explain(other.unwrap_or(&protocol), rule).map_err(|error| errors::of_name(&error))
}

/// Returns the protocol that an argument means: a `Protocol`, the name of a built-in one, the path of a folder, or
/// `None` for the default.
pub fn of_argument(argument: Option<&Bound<'_, PyAny>>) -> PyResult<sessionlint::Protocol> {
    let Some(argument) = argument else { return builtin(DEFAULT) };
    if let Ok(protocol) = argument.cast::<Protocol>() {
        return Ok(protocol.get().0.clone());
    }
    if let Ok(name) = argument.cast::<PyString>() {
        let name = name.to_string_lossy();
        let is_path = name.contains(['/', std::path::MAIN_SEPARATOR]);
        return if is_path { load(argument.py(), PathBuf::from(&*name)) } else { builtin(&name) };
    }
    match argument.extract::<PathBuf>() {
        Ok(folder) => load(argument.py(), folder),
        Err(_) => {
            let kind = argument.get_type().name()?;
            Err(PyTypeError::new_err(format!("protocol must be a Protocol, a str or a path, not {kind}")))
        }
    }
}

fn builtin(name: &str) -> PyResult<sessionlint::Protocol> {
    let found = sessionlint::Protocol::builtin(name).cloned();
    found.ok_or_else(|| {
        let names = sessionlint::Protocol::builtin_names().collect::<Vec<_>>().join(" and ");
        PyValueError::new_err(format!(
            "there is no built-in protocol {name:?}, only {names}; a folder is named with a slash, or as a pathlib.Path"
        ))
    })
}

fn load(py: Python<'_>, folder: PathBuf) -> PyResult<sessionlint::Protocol> {
    py.detach(|| sessionlint::load_protocol(&folder)).map_err(|error| errors::of_protocol(py, &error))
}
