//! The keyword arguments that `check` and `Checker` have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use sessionlint::{Options, Protocol, Severity, Wire};

use crate::errors;

/// The word that switches a rule off.
const OFF: &str = "off";

/// Severities by rule; `off` and `None` switch a rule off.
pub type Rules = BTreeMap<String, Option<String>>;

/// The options of a check, as a caller passes them.
pub struct Keywords {
    pub file: Option<PathBuf>,
    pub wire: Option<String>,
    pub fragment: bool,
    pub rules: Option<Rules>,
    pub excerpts: bool,
}

impl Keywords {
    /// Returns the options that they mean for a protocol.
    pub fn options(self, protocol: &Protocol) -> PyResult<Options> {
        let mut options = Options::default().with_fragment(self.fragment).with_excerpts(self.excerpts);
        if let Some(file) = self.file {
            options = options.with_file(file.to_string_lossy());
        }
        if let Some(wire) = self.wire {
            options = options.with_wire(wire.parse::<Wire>().map_err(|error| errors::of_name(&error))?);
        }
        for (rule, severity) in self.rules.unwrap_or_default() {
            let severity = severity.as_deref().filter(|word| *word != OFF).map(|word| {
                let words = r#""error", "warning", "note" or "off""#;
                let refused = |_| PyValueError::new_err(format!("{rule}: {word:?} is not a severity: use {words}"));
                word.parse::<Severity>().map_err(refused)
            });
            let severity = severity.transpose()?;
            options = options.with_rule(protocol, &rule, severity).map_err(|error| errors::of_name(&error))?;
        }
        Ok(options)
    }
}

/// Returns the severity that a word means.
pub fn severity_of(word: &str) -> PyResult<Severity> {
    word.parse().map_err(|error| errors::of_name(&error))
}
