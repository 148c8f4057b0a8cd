//! The rules of a protocol that is known to have no mistakes. Each has its words in a table of `protocol.toml`, which is
//! found without reading it, and read when the words are first asked for.

use std::collections::BTreeMap;

use super::file::{self, Name};
use super::tables::RuleWords;
use crate::toml_reader;

/// What is before the name of a rule where its table begins.
const HEADER: &str = "\n[rule.";

toml_tables! {
    #[derive(Debug)]
    struct RuleFile {
        rule: BTreeMap<Name, file::RuleWords> = required,
    }
}

/// The text of a trusted `protocol.toml`, in which the tables of rules come last.
pub(crate) struct TrustedText {
    /// What is before the rules.
    pub tables: &'static str,
    /// By name: the text of each rule's table.
    pub rules: BTreeMap<&'static str, &'static str>,
}

impl TrustedText {
    /// Divides the text of a trusted `protocol.toml`.
    pub(crate) fn of(text: &'static str) -> TrustedText {
        let starts: Vec<_> = memchr::memmem::find_iter(text.as_bytes(), HEADER).collect();
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        let table = |(start, end): (&usize, usize)| {
            let table = &text[*start..end];
            let name = table[HEADER.len()..].split(']').next().unwrap_or_default();
            (name, table)
        };
        TrustedText {
            tables: &text[..starts.first().copied().unwrap_or(text.len())],
            rules: starts.iter().zip(ends).map(table).collect(),
        }
    }
}

/// Reads the words of the rule whose table is in a text.
///
/// # Panics
///
/// If there is no such table, which the tests of this crate rule out for the built-in protocols.
pub(crate) fn words(text: &str) -> RuleWords {
    let read = toml_reader::read::<RuleFile>(text, super::HELP);
    let words = read.ok().and_then(|file| file.rule.into_values().next());
    words.map_or_else(|| panic!("this is no rule: {text}"), |words| words.compile())
}
