//! Reads the TOML that people write. Every mistake is kept with its place, so that all mistakes of a file are reported at
//! once.
//!
//! The tables of a file are declared by [`toml_tables!`](crate::toml_tables); [`FromToml`] is what a key may hold.

mod values;

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{MOST_PROBLEMS, Problem};
use crate::text::{did_you_mean, nearest};
pub use values::OneOrMany;

/// A value with its place.
pub type Value<'t> = Spanned<DeValue<'t>>;

/// What can be read from a TOML value.
pub trait FromToml: Sized {
    /// What such a value is called in messages about lists of them, without its article.
    const NOUN: &'static str = "value";

    /// Reads the value of a key. Returns `None` if it has mistakes, which the reader then has.
    fn from_toml(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Self>;
}

/// Declares structs that are read from tables. The key of a field is `required`, or it is `optional`, and without it the
/// field has the default of its type. The key is the field's name unless it is given; all other keys are mistakes.
///
/// ```
/// sessionlint_core::toml_tables! {
///     #[derive(Debug, PartialEq)]
///     pub struct Link {
///         pub at: String = required,
///         pub kind: Option<String> = optional("type"),
///     }
/// }
/// let link = sessionlint_core::toml_reader::read("at = \"/id\"", "see the manual");
/// assert_eq!(link, Ok(Link { at: "/id".to_owned(), kind: None }));
/// ```
#[macro_export]
macro_rules! toml_tables {
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    ($(
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[$field_attribute:meta])*
                $field_visibility:vis $field:ident: $type:ty = $presence:ident $(($key:literal))?,
            )*
        }
    )*) => {$(
        $(#[$attribute])*
        $visibility struct $name {
            $($(#[$field_attribute])* $field_visibility $field: $type,)*
        }

        impl $crate::toml_reader::FromToml for $name {
            const NOUN: &'static str = "table";

            fn from_toml(
                key: &str,
                value: &$crate::toml_reader::Value<'_>,
                reader: &mut $crate::toml_reader::Reader,
            ) -> Option<Self> {
                let mut table = reader.table(key, value, &[$($crate::toml_tables!(@key $field $($key)?)),*])?;
                // All fields are read before the first mistake ends the reading.
                $(let $field = table.$presence($crate::toml_tables!(@key $field $($key)?));)*
                Some($name { $($field: $field?),* })
            }
        }
    )*};
}

/// Reads a file. `help` is what to do about mistakes that have no help of their own.
///
/// # Errors
///
/// Returns the mistakes, if there are any; only the first one if the text is no TOML.
pub fn read<T: FromToml>(text: &str, help: &'static str) -> Result<T, Vec<Problem>> {
    let table = parse(text, help)?;
    let file = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    let mut reader = Reader::new(help);
    let read = T::from_toml("", &file, &mut reader);
    reader.finish(read)
}

/// Parses a text as TOML.
///
/// # Errors
///
/// Returns the parser's words if it is no TOML.
pub fn parse<'t>(text: &'t str, help: &str) -> Result<Spanned<DeTable<'t>>, Vec<Problem>> {
    DeTable::parse(text).map_err(|error| vec![Problem::new(error.span().unwrap_or(0..0), error.message(), help)])
}

/// The mistakes found in a file so far.
pub struct Reader {
    help: &'static str,
    problems: Vec<Problem>,
}

impl Reader {
    /// Creates a reader. `help` is what to do about mistakes that have no help of their own.
    pub fn new(help: &'static str) -> Reader {
        Reader { help, problems: Vec::new() }
    }

    /// Records a mistake, unless there are too many already.
    pub fn problem(&mut self, span: Range<usize>, message: String, help: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem::new(span, message, help));
        }
    }

    /// Records a key that does not exist.
    pub fn unknown(&mut self, key: &str, span: Range<usize>, known: &[&str]) {
        let help = nearest(key, known.iter().copied()).map_or_else(|| there_are(known.iter()), did_you_mean);
        self.problem(span, format!("there is no key `{key}` here"), help);
    }

    /// Records a value of another type than the key's.
    pub fn wrong_type(&mut self, key: &str, value: &Value<'_>, expected: &str, help: impl Into<String>) {
        let found = value.get_ref().type_str();
        self.problem(value.span(), format!("`{key}` must be {expected}, but is of the type {found}"), help);
    }

    /// Checks that a file has the version that is read.
    pub fn version(&mut self, table: &DeTable<'_>, known: u64) {
        let Some(value) = table.get("version") else {
            let message = "the file does not state the version of its format".to_owned();
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

    /// Reads a string that is not empty.
    pub fn text(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        let text = String::from_toml(key, value, self)?;
        if text.is_empty() {
            self.problem(value.span(), format!("`{key}` is empty"), "take the key out, or give it a value");
            return None;
        }
        Some(text)
    }

    /// Reads one of several words.
    pub fn one_of<T: Clone>(&mut self, key: &str, value: &Value<'_>, words: &[(&str, T)]) -> Option<T> {
        self.one_of_listed(key, value, words, || there_are(words.iter().map(|(word, _)| word)))
    }

    /// Reads one of several words, each of which comes with what it means.
    pub fn one_of_explained<T: Clone>(&mut self, key: &str, value: &Value<'_>, words: &[(&str, &str, T)]) -> Option<T> {
        let plain: Vec<_> = words.iter().map(|(word, _, read)| (*word, read.clone())).collect();
        let explained = || words.iter().map(|(word, meaning, _)| format!("{word} ({meaning})")).collect::<Vec<_>>();
        self.one_of_listed(key, value, &plain, || there_are(explained().iter()))
    }

    /// Reads one of several words. `listed`: the help that lists all of them.
    fn one_of_listed<T: Clone>(
        &mut self,
        key: &str,
        value: &Value<'_>,
        words: &[(&str, T)],
        listed: impl Fn() -> String,
    ) -> Option<T> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, "a string", listed());
            return None;
        };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, read)| read.clone());
        if found.is_none() {
            let help = nearest(text, words.iter().map(|(word, _)| *word)).map_or_else(listed, did_you_mean);
            self.problem(value.span(), format!("`{key}` cannot be {text:?}"), help);
        }
        found
    }

    /// Starts to read a table. Records the keys that are not known.
    pub fn table<'r, 't>(
        &'r mut self,
        key: &str,
        value: &'r Value<'t>,
        known: &'static [&'static str],
    ) -> Option<Table<'r, 't>> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table", self.help);
            return None;
        };
        Some(self.keys(table, value.span(), known))
    }

    /// Starts to read the keys of a table. Records those that are not known.
    pub fn keys<'r, 't>(
        &'r mut self,
        table: &'r DeTable<'t>,
        span: Range<usize>,
        known: &'static [&'static str],
    ) -> Table<'r, 't> {
        for key in table.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            self.unknown(key.get_ref(), key.span(), known);
        }
        Table { reader: self, table, span, known }
    }

    /// Reads one of several words, or a table with one of several keys.
    pub fn word_or_table<T: Clone>(
        &mut self,
        key: &str,
        value: &Value<'_>,
        words: &[(&str, T)],
        keys: &'static [&'static str],
        read: impl FnOnce(Table<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        match value.get_ref() {
            DeValue::String(_) => self.one_of(key, value, words),
            DeValue::Table(_) => read(self.table(key, value, keys)?),
            _ => {
                let help = there_are(words.iter().map(|(word, _)| word).chain(keys));
                self.wrong_type(key, value, "a string or a table", help);
                None
            }
        }
    }

    /// Returns whether no mistake was found so far.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns what was read. `None` is for something with a mistake.
    ///
    /// # Errors
    ///
    /// Returns the mistakes in the order of their places, if there are any.
    pub fn finish<T>(mut self, read: Option<T>) -> Result<T, Vec<Problem>> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => {
                self.problems.sort_by_key(|problem| problem.span.start);
                Err(self.problems)
            }
        }
    }
}

/// A table whose keys are read.
pub struct Table<'r, 't> {
    reader: &'r mut Reader,
    table: &'r DeTable<'t>,
    span: Range<usize>,
    known: &'static [&'static str],
}

impl Table<'_, '_> {
    /// Reads the value of a key. Returns `None` if there are mistakes in it, or if the key is missing, which is one.
    pub fn required<T: FromToml>(&mut self, key: &str) -> Option<T> {
        let Some(value) = self.table.get(key) else {
            if !self.is_misspelt(key) {
                self.reader.problem(self.span.clone(), format!("there is no `{key}` here"), self.reader.help);
            }
            return None;
        };
        T::from_toml(key, value, self.reader)
    }

    /// Returns whether a key of the table that does not exist probably meant this one. It is a mistake already.
    fn is_misspelt(&self, key: &str) -> bool {
        let mut unknown = self.table.keys().map(|name| &**name.get_ref()).filter(|name| !self.known.contains(name));
        unknown.any(|name| nearest(name, self.known.iter().copied()).as_deref() == Some(key))
    }

    /// Reads the value of a key that may be missing. Returns `None` if there are mistakes in the value.
    pub fn optional<T: FromToml + Default>(&mut self, key: &str) -> Option<T> {
        self.table.get(key).map_or_else(|| Some(T::default()), |value| T::from_toml(key, value, self.reader))
    }

    /// Reads the value of a key by a function. Returns `None` if the key is missing, or if there are mistakes in its value.
    pub fn read<T>(&mut self, key: &str, read: impl FnOnce(&str, &Value<'_>, &mut Reader) -> Option<T>) -> Option<T> {
        read(key, self.table.get(key)?, self.reader)
    }

    /// Reads the value of a key that excludes the table's other keys; see [`Table::only`].
    pub fn alternative<T: FromToml, A>(&mut self, key: &str, alternative: impl FnOnce(T) -> A) -> Option<A> {
        self.read(key, T::from_toml).map(alternative)
    }

    /// Returns the one alternative that the table has. Without one, or with several, the table is a mistake.
    pub fn only<A, const N: usize>(self, alternatives: [Option<A>; N]) -> Option<A> {
        let Table { reader, table, span, known } = self;
        match known.iter().filter(|key| table.contains_key(**key)).count() {
            1 => alternatives.into_iter().flatten().next(),
            // A key that does not exist is a mistake already.
            0 if !table.is_empty() => None,
            _ => {
                let message = format!("there must be exactly one of the keys {} here", known.join(", "));
                reader.problem(span, message, reader.help);
                None
            }
        }
    }
}

/// Formats the help that lists all names.
fn there_are<'n, N: AsRef<str> + 'n + ?Sized>(known: impl Iterator<Item = &'n N>) -> String {
    let known: Vec<_> = known.map(AsRef::as_ref).collect();
    format!("there are {}", known.join(", "))
}
