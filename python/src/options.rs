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
    /// Whether the protocol is found by the content.
    pub finds: bool,
}

/// Returns whether a built-in protocol has a rule of this name.
fn is_of_another(rule: &str) -> bool {
    Protocol::builtin_names().filter_map(Protocol::builtin).any(|protocol| protocol.rule(rule).is_some())
}

impl Keywords {
    /// Returns the form of the input; `None` if it is found from the content.
    pub fn wire(&self) -> PyResult<Option<Wire>> {
        let wire = self.wire.as_deref().map(|wire| wire.parse::<Wire>().map_err(|error| errors::of_name(&error)));
        wire.transpose()
    }

    /// Returns the options that they mean for a protocol.
    pub fn options(&self, protocol: &Protocol) -> PyResult<Options> {
        let mut options = Options::default().with_fragment(self.fragment).with_excerpts(self.excerpts);
        if let Some(file) = &self.file {
            options = options.with_file(file.to_string_lossy());
        }
        options = options.with_wire(self.wire()?);
        for (rule, severity) in self.rules.clone().unwrap_or_default() {
            let severity = severity.as_deref().filter(|word| *word != OFF).map(|word| {
                let words = r#""error", "warning", "note" or "off""#;
                let refused = |_| PyValueError::new_err(format!("{rule}: {word:?} is not a severity: use {words}"));
                word.parse::<Severity>().map_err(refused)
            });
            let severity = severity.transpose()?;
            options = match options.clone().with_rule(protocol, &rule, severity) {
                Ok(options) => options,
                // It may be meant for inputs of another protocol than the one that was found.
                Err(_) if self.finds && is_of_another(&rule) => options,
                Err(error) => return Err(errors::of_name(&error)),
            };
        }
        Ok(options)
    }
}

/// Returns the severity that a word means.
pub fn severity_of(word: &str) -> PyResult<Severity> {
    word.parse().map_err(|error| errors::of_name(&error))
}
