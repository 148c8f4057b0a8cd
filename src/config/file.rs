//! The text of `sessionlint.toml` → [`Config`]. Finds every mistake that the text alone shows, all at once, each with
//! its place.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use sessionlint_core::input::Wire;
use sessionlint_core::keys::{self, Value};
use toml::Spanned;
use toml::de::DeTable;

use super::paths::{Root, folder_of};
use super::patterns::Patterns;
use super::{Config, FAIL_ON, Override, RuleSetting, SEVERITIES, VERSION};
use crate::error::FileError;

/// The keys of the file, of an override, and of a rule's table.
pub const KEYS: [&str; 7] = ["version", "protocol", "fail-on", "rules", "exclude", "baseline", "override"];
pub const OVERRIDE_KEYS: [&str; 4] = ["files", "fragment", "wire", "rules"];
pub const RULE_KEYS: [&str; 2] = ["severity", "reason"];

/// Reads the text of the file at `path`.
pub fn read(path: &Path, text: &str) -> Result<Config, FileError> {
    let help = "`sessionlint init` writes a file with every key in it, explained";
    let table = DeTable::parse(text).map_err(|error| FileError::toml(path, text, &error, help))?;
    let mut reader = Reader::default();
    let mut config = Config {
        path: path.to_owned(),
        text: text.to_owned(),
        root: Root::new(folder_of(path)),
        protocol: None,
        fail_on: None,
        rules: Vec::new(),
        exclude: Patterns::none(),
        baseline: None,
        overrides: Vec::new(),
    };
    reader.version(table.get_ref(), VERSION);
    for (key, value) in table.get_ref() {
        match &**key.get_ref() {
            "version" => {}
            "protocol" => config.protocol = reader.text("protocol", value).map(|name| Spanned::new(value.span(), name)),
            "fail-on" => config.fail_on = reader.one_of("fail-on", value, &FAIL_ON),
            "rules" => config.rules = reader.rules(value),
            "exclude" => config.exclude = reader.patterns("exclude", value).unwrap_or_else(Patterns::none),
            "baseline" => {
                config.baseline = reader.text("baseline", value).map(|name| Spanned::new(value.span(), name));
            }
            "override" => config.overrides = reader.overrides(value),
            other => reader.unknown(other, key.span(), &KEYS),
        }
    }
    reader.0.finish(config).map_err(|problems| FileError::new(path, text, problems))
}

/// Reads the values that only this file has, on top of the core's reader.
#[derive(Default)]
struct Reader(keys::Reader);

impl Deref for Reader {
    type Target = keys::Reader;

    fn deref(&self) -> &keys::Reader {
        &self.0
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut keys::Reader {
        &mut self.0
    }
}

impl Reader {
    fn patterns(&mut self, key: &str, value: &Value<'_>) -> Option<Patterns> {
        let help = "write it as in .gitignore: [\"logs/**/*.sse\", \"drafts/\"]";
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of patterns", help);
            return None;
        };
        let (mut patterns, mut spans) = (Vec::new(), Vec::new());
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(pattern) => patterns.push(pattern),
                None => self.wrong_type(key, item, "a list of patterns", help),
            }
            spans.push(item.span());
        }
        if patterns.len() < spans.len() {
            return None;
        }
        if let Some((first, span)) = patterns.first().zip(spans.first())
            && first.starts_with('!')
        {
            let message = format!("{first:?} takes nothing back: no pattern stands before it");
            self.problem(span.clone(), message, "write first what it is an exception from, such as \"*.log\"");
        }
        let read = Patterns::new(patterns.iter().copied());
        for (number, why) in read.as_ref().err().into_iter().flatten() {
            let message = format!("{:?} is no pattern: {why}", patterns[*number]);
            self.problem(spans[*number].clone(), message, help);
        }
        read.ok()
    }

    fn rules(&mut self, value: &Value<'_>) -> Vec<RuleSetting> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type("rules", value, "a table", "write [rules], and under it NAME = \"off\"");
            return Vec::new();
        };
        let mut rules = Vec::new();
        for (name, value) in table {
            let (mut severity, mut reason) = (None, None);
            match value.get_ref().as_table() {
                None => severity = self.one_of(name.get_ref(), value, &SEVERITIES),
                Some(table) => {
                    for (key, value) in table {
                        match &**key.get_ref() {
                            "severity" => severity = self.one_of("severity", value, &SEVERITIES),
                            "reason" => reason = self.text("reason", value),
                            other => self.unknown(other, key.span(), &RULE_KEYS),
                        }
                    }
                    if !table.contains_key("severity") {
                        let message = format!("the rule {} is given no severity", name.get_ref());
                        self.problem(name.span(), message, "write { severity = \"note\", reason = \"…\" }");
                    }
                }
            }
            let (name, span) = (name.get_ref().to_string(), name.span());
            rules.extend(severity.map(|severity| RuleSetting { name, span, severity, reason }));
        }
        rules
    }

    fn overrides(&mut self, value: &Value<'_>) -> Vec<Override> {
        let help = "write [[override]], and under it files = [\"logs/*.sse\"]";
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type("override", value, "a list of tables", help);
            return Vec::new();
        };
        array.iter().filter_map(|one| self.one_override(one, help)).collect()
    }

    fn one_override(&mut self, value: &Value<'_>, help: &str) -> Option<Override> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type("override", value, "a list of tables", help);
            return None;
        };
        let mut files = None;
        let (mut fragment, mut wire, mut rules) = (None, None, Vec::new());
        for (key, value) in table {
            match &**key.get_ref() {
                "files" if value.get_ref().as_array().is_some_and(|array| array.is_empty()) => {
                    self.problem(value.span(), "this override is for no file".to_owned(), help);
                }
                "files" => files = self.patterns("files", value),
                "fragment" => fragment = self.boolean("fragment", value),
                "wire" => wire = self.one_of("wire", value, &Wire::ALL),
                "rules" => rules = self.rules(value),
                other => self.unknown(other, key.span(), &OVERRIDE_KEYS),
            }
        }
        if table.contains_key("files") && table.len() == 1 {
            let message = "this override changes nothing".to_owned();
            self.problem(value.span(), message, "say what holds for its files: fragment, wire or rules");
        }
        if !table.contains_key("files") {
            self.problem(value.span(), "this override does not say which files it is for".to_owned(), help);
        }
        Some(Override { files: files?, fragment, wire, rules })
    }
}
