//! Protocols and their rules.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use sessionlint::{Basis, LazyProtocol, ProtocolSearch};

use crate::errors;

/// The protocol that judges where a caller names none.
const DEFAULT: &str = "session-events";

/// A compiled protocol, against which events are checked. It cannot be changed, and threads may share it.
///
/// A protocol is one of those that are built in (`Protocol.builtin`), a folder (`Protocol.load`), or files in memory
/// (`Protocol.from_files`). Wherever a `protocol` is expected, the name of a built-in protocol or the path of a folder
/// will also do; loading a folder once is faster than naming it for each check.
#[pyclass(frozen, module = "sessionlint")]
pub struct Protocol {
    protocol: sessionlint::Protocol,
    /// The name of the folder and the texts of the files by name; `None` if it is built in.
    source: Option<(String, BTreeMap<String, String>)>,
}

#[pymethods]
impl Protocol {
    /// Return the built-in protocol of this name; without a name, the one that judges where none is named.
    ///
    /// Raises ValueError if there is none; `Protocol.builtin_names()` lists them.
    #[staticmethod]
    #[pyo3(signature = (name = None))]
    fn builtin(name: Option<&str>) -> PyResult<Protocol> {
        builtin(name.unwrap_or(DEFAULT)).map(|protocol| Protocol { protocol, source: None })
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
        let files =
            py.detach(|| sessionlint::read_protocol(&folder)).map_err(|error| errors::of_protocol(py, &error))?;
        Protocol::from_files(py, files.into_iter().collect(), &folder.to_string_lossy())
    }

    /// Compile a protocol from the texts of its files, by name. `folder` is the name of the folder in messages.
    ///
    /// Raises ProtocolError with every mistake in the files.
    #[staticmethod]
    #[pyo3(signature = (files, *, folder = "."))]
    fn from_files(py: Python<'_>, files: BTreeMap<String, String>, folder: &str) -> PyResult<Protocol> {
        let texts = files.iter().map(|(name, text)| (name.clone(), text.clone())).collect::<Vec<_>>();
        let compiled = py.detach(|| sessionlint::Protocol::from_files(folder, texts));
        let protocol = compiled.map_err(|error| errors::of_protocol(py, &error))?;
        Ok(Protocol { protocol, source: Some((folder.to_owned(), files)) })
    }

    /// The name, as `protocol` accepts it.
    #[getter]
    fn name(&self) -> &str {
        self.protocol.name()
    }

    /// The title, for people.
    #[getter]
    fn title(&self) -> &str {
        self.protocol.title()
    }

    /// The version of the protocol's tables.
    #[getter]
    fn version(&self) -> &str {
        self.protocol.version()
    }

    /// The title of the document from which the rules were read, or None.
    #[getter]
    fn source(&self) -> Option<&str> {
        self.protocol.source()
    }

    /// Whether the protocol is one of stored records rather than of streams of events.
    #[getter]
    fn is_of_records(&self) -> bool {
        self.protocol.is_of_records()
    }

    /// The rules, those of the framing first.
    #[getter]
    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let rules = self
            .protocol
            .rules()
            .iter()
            .map(|rule| Rule::of(py, &self.protocol, rule))
            .collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, rules)
    }

    /// Return the rule of this name.
    ///
    /// Raises ValueError if there is none, and proposes the nearest name.
    fn rule(&self, py: Python<'_>, name: &str) -> PyResult<Rule> {
        Rule::of(py, &self.protocol, self.protocol.find_rule(name).map_err(|error| errors::of_name(&error))?)
    }

    /// The types of its events (or the kinds of its records), in alphabetical order.
    #[getter]
    fn event_types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.protocol.schemas().map(|(name, _)| name).collect::<Vec<_>>())
    }

    /// Return the JSON Schema of an event type, as JSON text.
    ///
    /// Raises ValueError if there is no such type.
    fn schema(&self, event_type: &str) -> PyResult<String> {
        let found = self.protocol.schemas().find(|(name, _)| *name == event_type);
        let (_, schema) =
            found.ok_or_else(|| PyValueError::new_err(format!("there is no event type {event_type:?}")))?;
        Ok(sessionlint::to_json(schema))
    }

    /// Pickles the files, so that other processes need no folder.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let of = |method| py.get_type::<Protocol>().getattr(method);
        let Some((folder, files)) = &self.source else {
            return Ok((of("builtin")?, PyTuple::new(py, [self.name()])?));
        };
        let keywords = PyDict::new(py);
        keywords.set_item("folder", folder)?;
        let partial = py.import("functools")?.getattr("partial")?.call((of("from_files")?,), Some(&keywords))?;
        Ok((partial, PyTuple::new(py, [files])?))
    }

    fn __repr__(&self) -> String {
        format!("<sessionlint.Protocol {:?}, version {:?}>", self.protocol.name(), self.protocol.version())
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
    /// Whether only the first finding of a kind (an event type or field) is listed, and the others are counted.
    first_only: bool,
    /// What it means, in one sentence.
    means: String,
    /// What to do about it.
    help: String,
    /// The sentences of the document that it rests on, word for word.
    quotes: Py<PyTuple>,
}

impl Rule {
    fn of(py: Python<'_>, protocol: &sessionlint::Protocol, rule: &sessionlint::Rule) -> PyResult<Rule> {
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
            first_only: protocol.lists_first_only(&rule.name),
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
        return Ok(protocol.get().protocol.clone());
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

/// Returns the built-in protocol that the beginning of an input tells, or the default one.
pub fn of_beginning(beginning: &[u8], wire: Option<sessionlint::Wire>) -> PyResult<sessionlint::Protocol> {
    let candidates = LazyProtocol::builtin_streams();
    let options = sessionlint::Options::default().with_wire(wire);
    match ProtocolSearch::of_beginning(&candidates, &options, beginning).one() {
        Some(number) => Ok(candidates[number].get().clone()),
        None => builtin(DEFAULT),
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
