//! TOML that people write, key by key: every mistake is kept with its place, so that all are told at once.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Problem;
use crate::text::nearest;

/// A value with its place.
pub type Value<'t> = Spanned<DeValue<'t>>;

/// What reads a file, and the mistakes that it found so far.
#[derive(Default)]
pub struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    /// Keeps a mistake with its place and what to do about it.
    pub fn problem(&mut self, span: Range<usize>, message: String, help: impl Into<String>) {
        self.problems.push(Problem { message, label: "here".to_owned(), span, help: help.into() });
    }

    /// Keeps the mistake that a key is none of those known here.
    pub fn unknown(&mut self, key: &str, span: Range<usize>, known: &[&str]) {
        let near = nearest(key, known.iter().copied());
        let help =
            near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
        self.problem(span, format!("there is no key `{key}` here"), help);
    }

    /// Keeps the mistake that a key's value is not of the expected type.
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

    /// Reads a boolean. Returns `None` after a mistake, as the other readers of values do.
    pub fn boolean(&mut self, key: &str, value: &Value<'_>) -> Option<bool> {
        let known = value.get_ref().as_bool();
        if known.is_none() {
            self.wrong_type(key, value, "a boolean", "write true or false");
        }
        known
    }

    /// Reads a string that is not empty.
    pub fn text(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str() {
            Some("") => self.problem(value.span(), format!("`{key}` is empty"), "take the key out, or give it a value"),
            Some(text) => return Some(text.to_owned()),
            None => self.wrong_type(key, value, "a string", "put it in quotation marks"),
        }
        None
    }

    /// Reads one of these words, and returns what it stands for.
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
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns what was read.
    ///
    /// # Errors
    ///
    /// All mistakes, if there is one.
    pub fn finish<T>(self, read: T) -> Result<T, Vec<Problem>> {
        if self.problems.is_empty() { Ok(read) } else { Err(self.problems) }
    }
}

/// A text that is no TOML, or not the TOML that it should be.
pub fn toml_problem(error: &toml::de::Error, help: &str) -> Problem {
    Problem::new(error.span().unwrap_or(0..0), toml_words(error), help)
}

/// What is wrong with a TOML text: in the words of its author's reader where the library's are those of its types.
fn toml_words(error: &toml::de::Error) -> String {
    let message = error.message();
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("there is no {key} here");
    }
    if let Some((key, known)) = message.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected ")) {
        let known = known.strip_prefix("one of ").unwrap_or(known).replace(" or ", ", ");
        return format!("there is no key {key} here; there are {known}");
    }
    let wrong = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, expected)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "a table",
        "a borrowed string" => "a string",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = found.replacen("sequence", "a list", 1).replacen("map", "a table", 1);
    format!("this must be {expected}, but is {found}")
}
