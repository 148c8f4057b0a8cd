//! The text of `sessionlint.toml` → [`Config`]. Finds every mistake that the text alone shows, all at once, each with
//! its place.

use std::path::Path;

use sessionlint_core::input::Wire;
use sessionlint_core::schema::Pointer;
use sessionlint_core::toml_reader::{self, FromToml, OneOrMany, Reader, Value};
use toml::Spanned;

use super::paths::{Root, folder_of};
use super::patterns::Patterns;
use super::{Config, FAIL_ON, Override, RuleSetting, SEVERITIES, VERSION};
use crate::error::FileError;

/// The keys of the file, of an override, and of a rule's table.
pub const KEYS: [&str; 8] = ["version", "protocol", "dialect", "fail-on", "rules", "exclude", "baseline", "override"];
pub const OVERRIDE_KEYS: [&str; 7] = ["files", "protocol", "dialect", "fragment", "wire", "unwrap", "rules"];
pub const RULE_KEYS: [&str; 2] = ["severity", "reason"];

const HELP: &str = "`sessionlint init` writes a file with every key in it, explained";
const RULES_HELP: &str = "write [rules], and under it NAME = \"off\"";
const OVERRIDE_HELP: &str = "write [[override]], and under it files = [\"logs/*.sse\"]";
const PATTERNS_HELP: &str = "write it as in .gitignore: [\"logs/**/*.sse\", \"drafts/\"]";

/// Reads the text of the file at `path`.
pub fn read(path: &Path, text: &str) -> Result<Config, FileError> {
    let refuse = |problems| FileError::new(path, text, problems);
    let file = toml_reader::parse(text, HELP).map_err(refuse)?;
    let mut reader = Reader::new(HELP);
    reader.version(file.get_ref(), VERSION);
    let mut table = reader.keys(file.get_ref(), file.span(), &KEYS);
    let config = Config {
        path: path.to_owned(),
        text: text.to_owned(),
        root: Root::new(folder_of(path)),
        protocols: table.read("protocol", protocols).unwrap_or_default(),
        dialect: table.read("dialect", placed_text),
        fail_on: table.read("fail-on", |key, value, reader| reader.one_of(key, value, &FAIL_ON)),
        rules: table.read("rules", rules).unwrap_or_default(),
        exclude: table.read("exclude", patterns).unwrap_or_else(Patterns::none),
        baseline: table.read("baseline", placed_text),
        overrides: table.read("override", overrides).unwrap_or_default(),
    };
    reader.finish(Some(config)).map_err(refuse)
}

fn placed_text(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Spanned<String>> {
    reader.text(key, value).map(|text| Spanned::new(value.span(), text))
}

/// Reads the name of a protocol, or a list of them.
fn protocols(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Vec<Spanned<String>>> {
    let Some(array) = value.get_ref().as_array() else { return placed_text(key, value, reader).map(|name| vec![name]) };
    let names: Vec<_> = array.iter().filter_map(|name| placed_text(key, name, reader)).collect();
    if array.is_empty() {
        let help = "name one or several, or leave the key out: then an input's protocol is found among those built in";
        reader.problem(value.span(), "this list names no protocol".to_owned(), help);
    }
    Some(names)
}

fn patterns(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Patterns> {
    let Some(array) = value.get_ref().as_array() else {
        reader.wrong_type(key, value, "a list of patterns", PATTERNS_HELP);
        return None;
    };
    let (mut patterns, mut spans) = (Vec::new(), Vec::new());
    for item in array.iter() {
        match item.get_ref().as_str() {
            Some(pattern) => patterns.push(pattern),
            None => reader.wrong_type(key, item, "a list of patterns", PATTERNS_HELP),
        }
        spans.push(item.span());
    }
    if patterns.len() < spans.len() {
        return None;
    }
    if let Some((first, span)) = patterns.first().zip(spans.first())
        && first.starts_with('!')
    {
        let message = format!("{first:?} is an exception to nothing: there is no pattern before it");
        reader.problem(span.clone(), message, "first write the pattern that it is an exception to, such as \"*.log\"");
    }
    let read = Patterns::new(patterns.iter().copied());
    for (number, why) in read.as_ref().err().into_iter().flatten() {
        let message = format!("{:?} is not a valid pattern: {why}", patterns[*number]);
        reader.problem(spans[*number].clone(), message, PATTERNS_HELP);
    }
    read.ok()
}

fn rules(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Vec<RuleSetting>> {
    let Some(table) = value.get_ref().as_table() else {
        reader.wrong_type(key, value, "a table", RULES_HELP);
        return None;
    };
    let mut rules = Vec::new();
    for (name, value) in table {
        let (severity, reason) = if let Some(keys) = value.get_ref().as_table() {
            let mut table = reader.keys(keys, value.span(), &RULE_KEYS);
            let severity = table.read("severity", |key, value, reader| reader.one_of(key, value, &SEVERITIES));
            let reason = table.read("reason", |key, value, reader| reader.text(key, value));
            if !keys.contains_key("severity") {
                let message = format!("the rule {} is given no severity", name.get_ref());
                reader.problem(name.span(), message, "write { severity = \"note\", reason = \"…\" }");
            }
            (severity, reason)
        } else {
            (reader.one_of(name.get_ref(), value, &SEVERITIES), None)
        };
        let (name, span) = (name.get_ref().to_string(), name.span());
        rules.extend(severity.map(|severity| RuleSetting { name, span, severity, reason }));
    }
    Some(rules)
}

fn overrides(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Vec<Override>> {
    let Some(array) = value.get_ref().as_array() else {
        reader.wrong_type(key, value, "a list of tables", OVERRIDE_HELP);
        return None;
    };
    Some(array.iter().filter_map(|one| one_override(key, one, reader)).collect())
}

fn one_override(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Override> {
    let Some(keys) = value.get_ref().as_table() else {
        reader.wrong_type(key, value, "a list of tables", OVERRIDE_HELP);
        return None;
    };
    let mut table = reader.keys(keys, value.span(), &OVERRIDE_KEYS);
    let files = table.read("files", files_of_override);
    let protocol = table.read("protocol", placed_text);
    let dialect = table.read("dialect", placed_text);
    let fragment = table.optional("fragment");
    let wire = table.read("wire", |key, value, reader| reader.one_of(key, value, &Wire::ALL));
    let unwrap = table.read("unwrap", pointers);
    let rules = table.read("rules", rules).unwrap_or_default();
    if keys.contains_key("files") && keys.len() == 1 {
        let message = "this override changes nothing".to_owned();
        reader.problem(
            value.span(),
            message,
            "say what applies to its files: protocol, dialect, fragment, wire, unwrap or rules",
        );
    }
    if !keys.contains_key("files") {
        reader.problem(value.span(), "this override does not say which files it is for".to_owned(), OVERRIDE_HELP);
    }
    Some(Override { files: files?, protocol, dialect, fragment: fragment?, wire, unwrap, rules })
}

fn pointers(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Vec<Pointer>> {
    let texts = OneOrMany::<Spanned<String>>::from_toml(key, value, reader)?.0;
    let mut pointers = Vec::new();
    for text in texts {
        match Pointer::parse(text.get_ref()).filter(|pointer| !pointer.0.is_empty()) {
            Some(pointer) => pointers.push(pointer),
            None => reader.problem(
                text.span(),
                format!("{:?} is not a JSON Pointer", text.get_ref()),
                "a JSON Pointer starts with `/`, such as /log or /data/events",
            ),
        }
    }
    Some(pointers)
}

fn files_of_override(key: &str, value: &Value<'_>, reader: &mut Reader) -> Option<Patterns> {
    if value.get_ref().as_array().is_some_and(|array| array.is_empty()) {
        reader.problem(value.span(), "this override applies to no file".to_owned(), OVERRIDE_HELP);
        return None;
    }
    patterns(key, value, reader)
}
