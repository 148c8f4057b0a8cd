//! TOML that people write, key by key: every mistake is kept with its place, so that all are told at once.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{FileError, Problem};
use crate::protocol::nearest;

/// A value with its place.
pub type Value<'t> = Spanned<DeValue<'t>>;

/// What reads a file, and the mistakes that it found so far.
#[derive(Default)]
pub struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    pub fn problem(&mut self, span: Range<usize>, message: String, help: impl Into<String>) {
        self.problems.push(Problem { message, label: "here".to_owned(), span, help: help.into() });
    }

    pub fn unknown(&mut self, key: &str, span: Range<usize>, known: &[&str]) {
        let near = nearest(key, known.iter().copied());
        let help =
            near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
        self.problem(span, format!("there is no key `{key}` here"), help);
    }

    pub fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str, help: impl Into<String>) {
        let found = value.get_ref().type_str();
        self.problem(value.span(), format!("`{key}` must be {expected}, but is of the type {found}"), help);
    }

    /// Whether the file's form is the one that is read: its `version` must say so.
    pub fn version(&mut self, table: &DeTable<'_>, known: u64) {
        let Some(value) = table.get("version") else {
            let message = "the file does not say which version of its form it has".to_owned();
            return self.problem(0..0, message, format!("write `version = {known}` at its top"));
        };
        let found = value.get_ref().as_integer().map(ToString::to_string);
        let help = format!("this program reads version {known}");
        match found {
            None => self.wrong_type("version", value, "a whole number", help),
            Some(found) if found == known.to_string() => {}
            Some(found) => self.problem(value.span(), format!("there is no version {found} of this file"), help),
        }
    }

    pub fn boolean(&mut self, key: &str, value: &Value<'_>) -> Option<bool> {
        let known = value.get_ref().as_bool();
        if known.is_none() {
            self.wrong_type(key, value, "a boolean", "write true or false");
        }
        known
    }

    pub fn text(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str() {
            Some("") => self.problem(value.span(), format!("`{key}` is empty"), "take the key out, or give it a value"),
            Some(text) => return Some(text.to_owned()),
            None => self.wrong_type(key, value, "a string", "put it in quotation marks"),
        }
        None
    }

    pub fn one_of<T: Copy>(&mut self, key: &str, value: &Value<'_>, words: &[(&str, T)]) -> Option<T> {
        let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let there_are = format!("there are {}", known.join(", "));
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, "a string", there_are);
            return None;
        };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let help = nearest(text, known.into_iter()).map_or(there_are, |near| format!("did you mean {near}?"));
            self.problem(value.span(), format!("`{key}` cannot be {text:?}"), help);
        }
        found
    }

    /// Whether no mistake was found so far.
    #[cfg(feature = "proptest")]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// What was read, if there is no mistake in it.
    pub fn finish<T>(self, path: &Path, text: &str, read: T) -> Result<T, FileError> {
        if self.problems.is_empty() { Ok(read) } else { Err(FileError::new(path, text, self.problems)) }
    }
}
