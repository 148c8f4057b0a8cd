//! `sessionlint.toml`: how a folder of recordings is to be judged, and what is known of it already. No stream is known
//! here, and no protocol by name.
//!
//! Whatever the command line says wins over the file.

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
use toml::Spanned;

use crate::error::FileError;
pub use paths::{absolute, folder_of};
use patterns::Patterns;

/// The file's name.
pub const NAME: &str = "sessionlint.toml";
/// The version of its form.
pub const VERSION: u64 = 1;
/// What `sessionlint init` writes: every key, explained. A key's line begins with `#` and no space.
pub const TEMPLATE: &str = include_str!("template.toml");
/// Its JSON Schema, for editors.
pub const SCHEMA: &str = include_str!("../../schemas/sessionlint.schema.json");

/// The severities that a rule can be given, by the words that the file and the command line use.
pub const SEVERITIES: [(&str, Option<Severity>); 4] = [
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Note)),
    ("off", None),
];

/// The least severity that fails a run, likewise; none: nothing does.
pub const FAIL_ON: [(&str, Option<Severity>); 4] = [
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Note)),
    ("never", None),
];

/// The largest file that is read, in bytes: more was not written by hand, nor by this program.
const MOST_BYTES: u64 = 16 << 20;

/// A `sessionlint.toml`.
#[derive(Debug)]
pub struct Config {
    /// Its name, from the current folder.
    path: PathBuf,
    text: String,
    root: Root,
    protocol: Option<Spanned<String>>,
    /// See [`FAIL_ON`].
    pub fail_on: Option<Option<Severity>>,
    rules: Vec<RuleSetting>,
    exclude: Patterns,
    baseline: Option<Spanned<String>>,
    overrides: Vec<Override>,
}

/// What is said of a rule.
#[derive(Debug)]
pub struct RuleSetting {
    name: String,
    span: Range<usize>,
    /// None: it is off.
    pub severity: Option<Severity>,
    /// Why, for those who read the file or the list of rules.
    pub reason: Option<String>,
}

/// What is said of some files.
#[derive(Debug)]
struct Override {
    files: Patterns,
    fragment: Option<bool>,
    wire: Option<Wire>,
    rules: Vec<RuleSetting>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what it should be. Its rules are looked at when the protocol is known.
    pub fn read(path: &Path) -> Result<Config, FileError> {
        let help = "name another file with --config, or have none with --no-config";
        let text = read(path).map_err(|cause| FileError::Unreadable { path: path.to_owned(), cause, help })?;
        file::read(path, &text)
    }

    /// The file that holds for a path: that of the nearest folder above it that has one.
    pub fn find(path: &Path) -> Option<PathBuf> {
        // A link that leads nowhere is a file that cannot be read, and not none.
        let is_there = |file: &PathBuf| fs::symlink_metadata(file).is_ok_and(|_| !file.is_dir());
        let found = absolute(path).ancestors().map(|folder| folder.join(NAME)).find(is_there)?;
        Some(Root::new(Path::new("")).way_to(&found))
    }

    /// Its name, from the current folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The protocol's name, as it is written.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_ref().map(|name| name.get_ref().as_str())
    }

    /// The folder of a protocol that has no built-in name.
    pub fn protocol_folder(&self) -> Option<PathBuf> {
        Some(folder_of(&self.path).join(self.protocol()?))
    }

    /// That there is no such protocol.
    pub fn no_protocol(&self, help: String) -> FileError {
        let span = self.protocol.as_ref().map_or(0..0, Spanned::span);
        let message = format!("there is no protocol and no folder {}", self.protocol().unwrap_or_default());
        FileError::new(&self.path, &self.text, vec![Problem { message, label: "here".to_owned(), span, help }])
    }

    /// The baseline's name, from the current folder.
    pub fn baseline(&self) -> Option<PathBuf> {
        Some(folder_of(&self.path).join(self.baseline.as_ref()?.get_ref()))
    }

    /// That the baseline cannot be read: shown where it is named.
    pub fn no_baseline(&self, error: FileError) -> FileError {
        let (FileError::Unreadable { cause, help, .. }, Some(name)) = (&error, &self.baseline) else { return error };
        let message = format!("the baseline {} cannot be read: {cause}", name.get_ref());
        let problem = Problem { message, label: "here".to_owned(), span: name.span(), help: (*help).to_owned() };
        FileError::new(&self.path, &self.text, vec![problem])
    }

    /// Looks at the names of its rules.
    ///
    /// # Errors
    ///
    /// When the protocol has no such rules.
    pub fn check_rules(&self, rules: Rulebook<'_>) -> Result<(), FileError> {
        let all = self.overrides.iter().flat_map(|one| &one.rules).chain(&self.rules);
        let problem = |rule: &RuleSetting| {
            let message = format!("the protocol {} has no rule {}", rules.protocol.name(), rule.name);
            Problem { message, label: "here".to_owned(), span: rule.span.clone(), help: rules.help_for(&rule.name) }
        };
        let problems: Vec<_> = all.filter(|rule| rules.rule(&rule.name).is_none()).map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(FileError::new(&self.path, &self.text, problems)) }
    }

    /// What is said of a rule, overrides aside.
    pub fn rule(&self, name: &str) -> Option<&RuleSetting> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// Whether a file or folder that was found in a folder is left out.
    pub fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        self.root.inside(path).is_some_and(|path| self.exclude.mean_itself(&path, is_folder))
    }

    /// The numbers of the overrides for a file.
    pub fn overrides_for(&self, file: &Path) -> Vec<usize> {
        if self.overrides.is_empty() {
            return Vec::new();
        }
        let Some(inside) = self.root.inside(file) else { return Vec::new() };
        (0..self.overrides.len()).filter(|number| self.overrides[*number].files.mean(&inside)).collect()
    }

    /// Whether these overrides say that files are cut-outs, or that they are whole.
    pub fn fragment(&self, overrides: &[usize]) -> Option<bool> {
        overrides.iter().rev().find_map(|number| self.overrides[*number].fragment)
    }

    /// What was given on the command line, and under it what these overrides say, the later ones first, and under
    /// those the file itself.
    pub fn under(&self, given: &Options, overrides: &[usize]) -> Options {
        let fragment = self.fragment(overrides);
        let overrides: Vec<_> = overrides.iter().map(|number| &self.overrides[*number]).collect();
        let rules = self.rules.iter().chain(overrides.iter().flat_map(|one| &one.rules));
        let mut severities: BTreeMap<_, _> = rules.map(|rule| (rule.name.clone(), rule.severity)).collect();
        severities.extend(given.severities().clone());
        let wire = given.wire().or_else(|| overrides.iter().rev().find_map(|one| one.wire));
        let fragment = given.fragment() || fragment.unwrap_or_default();
        given.clone().with_wire(wire).with_fragment(fragment).with_severities(severities)
    }
}

/// Reads a text file that is of a sensible size.
///
/// # Errors
///
/// When it cannot be read, or is larger, or no UTF-8, which is invalid data.
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
