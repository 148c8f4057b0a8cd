//! `sessionlint.toml`: settings for a folder of recordings, and the baseline of known findings. This module knows no
//! streams, and no protocol by name.
//!
//! The command line takes precedence over the file.

pub mod baseline;
mod file;
mod paths;
mod patterns;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use paths::Root;
use sessionlint_core::Problem;
use sessionlint_core::event::Options;
use sessionlint_core::finding::Severity;
use sessionlint_core::input::Wire;
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::schema::Pointer;
use toml::Spanned;

use crate::error::FileError;
pub use paths::{absolute, folder_of};
use patterns::Patterns;

/// The name of the configuration file.
pub const NAME: &str = "sessionlint.toml";
/// The version of the file's format.
pub const VERSION: u64 = 1;
/// The file that `sessionlint init` writes: every key, explained. A line with a key begins with `#` and no space.
pub const TEMPLATE: &str = include_str!("template.toml");
/// The JSON Schema of the file, for editors.
pub use sessionlint_schemas::CONFIGURATION_SCHEMA as SCHEMA;

/// The severities of a rule, by their names in the file and on the command line; `None` is off.
pub const SEVERITIES: [(&str, Option<Severity>); 4] = [
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Note)),
    ("off", None),
];

/// The lowest severity that fails a run, by its name in the file and on the command line; `None` if no finding does.
pub const FAIL_ON: [(&str, Option<Severity>); 4] = [
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Note)),
    ("never", None),
];

/// Maximum size of a file that is read, in bytes; a larger one was not written by hand, nor by this program.
const MOST_BYTES: u64 = 16 << 20;

/// The settings of a `sessionlint.toml`.
#[derive(Debug)]
pub struct Config {
    /// The file's path, relative to the current folder.
    path: PathBuf,
    text: String,
    root: Root,
    /// The protocols by which files are judged; empty if the file names none.
    protocols: Vec<Spanned<String>>,
    dialect: Option<Spanned<String>>,
    /// The value of `fail-on`, if it is set; see [`FAIL_ON`].
    pub fail_on: Option<Option<Severity>>,
    rules: Vec<RuleSetting>,
    exclude: Patterns,
    baseline: Option<Spanned<String>>,
    overrides: Vec<Override>,
}

/// The settings of a rule.
#[derive(Debug)]
pub struct RuleSetting {
    name: String,
    span: Range<usize>,
    /// The severity; `None` if the rule is off.
    pub severity: Option<Severity>,
    /// The reason for the setting, shown in the list of rules.
    pub reason: Option<String>,
}

/// An `[[override]]`: settings for some of the files.
#[derive(Debug)]
struct Override {
    files: Patterns,
    protocol: Option<Spanned<String>>,
    dialect: Option<Spanned<String>>,
    fragment: Option<bool>,
    wire: Option<Wire>,
    unwrap: Option<Vec<Pointer>>,
    rules: Vec<RuleSetting>,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or has mistakes. The names of rules are checked later, by
    /// [`Config::check_rules`], because the protocol is not known yet.
    pub fn read(path: &Path) -> Result<Config, FileError> {
        let help = "name another file with --config, or use none with --no-config";
        let text = read(path).map_err(|cause| FileError::Unreadable { path: path.to_owned(), cause, help })?;
        file::read(path, &text)
    }

    /// Finds the configuration file for a path: that of the nearest folder above it that has one.
    pub fn find(path: &Path) -> Option<PathBuf> {
        // A dangling link counts as a file that cannot be read, not as a missing one.
        // A pipe or a device is no configuration: reading it may never end.
        let is_special = |file: &PathBuf| fs::metadata(file).is_ok_and(|found| !found.is_file());
        let is_there = |file: &PathBuf| fs::symlink_metadata(file).is_ok_and(|_| !is_special(file));
        let found = absolute(path).ancestors().map(|folder| folder.join(NAME)).find(is_there)?;
        Some(Root::new(Path::new("")).relative_path_to(&found))
    }

    /// Returns the file's path, relative to the current folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the protocols of the file: those by which every file is judged, and then those of overrides, each with the
    /// number of its override.
    pub fn protocols(&self) -> impl Iterator<Item = (Option<usize>, &Spanned<String>)> {
        let of_overrides = self.overrides.iter().enumerate();
        let of_overrides = of_overrides.filter_map(|(number, one)| Some((Some(number), one.protocol.as_ref()?)));
        self.protocols.iter().map(|name| (None, name)).chain(of_overrides)
    }

    /// Returns the dialect in which every file is judged, if the file names one.
    pub fn dialect(&self) -> Option<&Spanned<String>> {
        self.dialect.as_ref()
    }

    /// Returns the dialects of overrides, each with the number of its override.
    pub fn dialects_of_overrides(&self) -> impl Iterator<Item = (usize, &Spanned<String>)> {
        self.overrides.iter().enumerate().filter_map(|(number, one)| Some((number, one.dialect.as_ref()?)))
    }

    /// Returns the error for a dialect that does not exist, at its place in the file: with this message and help.
    pub fn refused_dialect(&self, name: &Spanned<String>, (message, help): (String, String)) -> FileError {
        let problem = Problem { message, label: "here".to_owned(), span: name.span(), help };
        FileError::new(&self.path, &self.text, vec![problem])
    }

    /// Returns the folder of a protocol that is not built in; its name is relative to the file's folder.
    pub fn protocol_folder(&self, name: &str) -> PathBuf {
        folder_of(&self.path).join(name)
    }

    /// Returns the error for a protocol that does not exist, at its place in the file.
    pub fn unknown_protocol(&self, name: &Spanned<String>, help: String) -> FileError {
        let message = format!("there is no protocol and no folder {}", name.get_ref());
        let problem = Problem { message, label: "here".to_owned(), span: name.span(), help };
        FileError::new(&self.path, &self.text, vec![problem])
    }

    /// Returns the error for a protocol of stored records beside one of streams, at its place in the file.
    pub fn protocol_of_records(&self, name: &Spanned<String>) -> FileError {
        let message = format!("{} is for stored records, which have no events to be found by", name.get_ref());
        let help = "name only protocols of streams here; `sessionlint check --protocol` takes one of stored records"
            .to_owned();
        let problem = Problem { message, label: "here".to_owned(), span: name.span(), help };
        FileError::new(&self.path, &self.text, vec![problem])
    }

    /// Returns the baseline's path, relative to the current folder.
    pub fn baseline(&self) -> Option<PathBuf> {
        Some(folder_of(&self.path).join(self.baseline.as_ref()?.get_ref()))
    }

    /// Returns the error for a baseline that cannot be read, at its place in the file.
    pub fn unreadable_baseline(&self, error: FileError) -> FileError {
        let (FileError::Unreadable { cause, help, .. }, Some(name)) = (&error, &self.baseline) else { return error };
        let message = format!("the baseline {} cannot be read: {cause}", name.get_ref());
        let problem = Problem { message, label: "here".to_owned(), span: name.span(), help: (*help).to_owned() };
        FileError::new(&self.path, &self.text, vec![problem])
    }

    /// Checks the names of the rules in the file.
    ///
    /// # Errors
    ///
    /// Returns an error for all rules that the protocol does not have.
    pub fn check_rules(&self, rules: Rulebook<'_>) -> Result<(), FileError> {
        let all = self.overrides.iter().flat_map(|one| &one.rules).chain(&self.rules);
        let problem = |rule: &RuleSetting| {
            let message = match rules.others {
                [] => format!("the protocol {} has no rule {}", rules.protocol.name(), rule.name),
                _ => format!("no protocol has a rule {}", rule.name),
            };
            Problem { message, label: "here".to_owned(), span: rule.span.clone(), help: rules.help_for(&rule.name) }
        };
        let problems: Vec<_> = all.filter(|rule| rules.rule(&rule.name).is_none()).map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(FileError::new(&self.path, &self.text, problems)) }
    }

    /// Returns the settings of a rule, without overrides.
    pub fn rule(&self, name: &str) -> Option<&RuleSetting> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// Returns whether a file or folder that was found in a folder is excluded.
    pub fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        self.root.inside(path).is_some_and(|path| self.exclude.matches_itself(&path, is_folder))
    }

    /// Returns the indices of the overrides that apply to a file.
    pub fn overrides_for(&self, file: &Path) -> Vec<usize> {
        if self.overrides.is_empty() {
            return Vec::new();
        }
        let Some(inside) = self.root.inside(file) else { return Vec::new() };
        (0..self.overrides.len()).filter(|number| self.overrides[*number].files.matches(&inside)).collect()
    }

    /// Returns whether these overrides declare their files to be cut-outs; `None` if they do not say.
    pub fn fragment(&self, overrides: &[usize]) -> Option<bool> {
        overrides.iter().rev().find_map(|number| self.overrides[*number].fragment)
    }

    /// Merges options: those of the command line take precedence over these overrides, later overrides over earlier
    /// ones, and overrides over the rest of the file.
    pub fn merge(&self, given: &Options, overrides: &[usize]) -> Options {
        let fragment = self.fragment(overrides);
        let overrides: Vec<_> = overrides.iter().map(|number| &self.overrides[*number]).collect();
        let rules = self.rules.iter().chain(overrides.iter().flat_map(|one| &one.rules));
        let mut severities: BTreeMap<_, _> = rules.map(|rule| (rule.name.clone(), rule.severity)).collect();
        severities.extend(given.severities().clone());
        let wire = given.wire().or_else(|| overrides.iter().rev().find_map(|one| one.wire));
        let unwrap = overrides.iter().rev().find_map(|one| one.unwrap.as_deref()).unwrap_or_default();
        let unwrap = if given.unwrap().is_empty() { unwrap } else { given.unwrap() };
        let fragment = given.fragment() || fragment.unwrap_or_default();
        let options = given.clone().with_wire(wire).with_fragment(fragment).with_severities(severities);
        options.with_unwrap(unwrap.iter().cloned())
    }
}

/// Reads a text file of at most [`MOST_BYTES`].
///
/// # Errors
///
/// Returns an error if the file cannot be read or is larger; if it is not UTF-8, one of the kind
/// [`InvalidData`](io::ErrorKind::InvalidData).
pub fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
    })
}
