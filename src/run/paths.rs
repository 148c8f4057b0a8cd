//! The arguments of the command line → the files to check.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobBuilder;
use tempfile::NamedTempFile;

use super::parts::is_part_name;
use super::walk::FolderSearch;
use crate::error::RunError;
use crate::report::LeftOut;
use crate::temporary::{Temporary, builder, file_in};

/// The extensions of recordings; other files in a folder are ignored.
const ENDINGS: [&str; 8] = ["ndjson", "jsonl", "json", "sse", "log", "har", "yaml", "yml"];
/// The extensions of files in which no recording is but as the body of a response.
const CASSETTE_ENDINGS: [&str; 3] = ["har", "yaml", "yml"];
/// The extensions of recordings that much else does not have.
const STREAM_ENDINGS: [&str; 3] = ["ndjson", "jsonl", "sse"];
/// The extensions of compressed files, which may follow those of recordings.
const COMPRESSED: [&str; 2] = ["gz", "zst"];

/// An input to check.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Standard input, by its name in findings.
    StandardInput(Arc<str>),
    File(PathBuf),
    /// What can be read only once, and the file that it was copied to.
    Copy(Box<Target>, PathBuf),
}

impl Target {
    /// Returns standard input, by its usual name.
    pub fn standard_input() -> Target {
        Target::StandardInput("-".into())
    }

    /// Returns the target's name in findings.
    pub fn name(&self) -> Arc<str> {
        match self {
            Target::StandardInput(name) => name.clone(),
            Target::File(path) => path.to_string_lossy().into(),
            Target::Copy(of, _) => of.name(),
        }
    }

    /// Returns the path that names the target; `None` for standard input.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Target::StandardInput(_) => None,
            Target::File(path) => Some(path),
            Target::Copy(of, _) => of.path(),
        }
    }

    /// Opens the target for reading.
    ///
    /// # Errors
    ///
    /// Returns an error if its file cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Target::StandardInput(_) => Box::new(io::stdin()),
            Target::File(path) | Target::Copy(_, path) => Box::new(File::open(path)?),
        })
    }

    /// Returns whether the target can be read more than once.
    pub fn can_be_read_again(&self) -> bool {
        let is_file = |path: &Path| path.metadata().map_or(true, |metadata| metadata.is_file());
        matches!(self, Target::Copy(..)) || self.path().is_some_and(is_file)
    }

    /// Copies what can be read only once to a file, which is there as long as what is returned with it.
    ///
    /// # Errors
    ///
    /// Returns an error if the input cannot be read, or if there is no room for the copy.
    pub fn copied(self) -> io::Result<(Target, Option<Temporary<NamedTempFile>>)> {
        if self.can_be_read_again() {
            return Ok((self, None));
        }
        let mut input = self.open()?;
        let copy = file_in(&env::temp_dir(), &builder())?;
        io::copy(&mut input, &mut copy.as_file())?;
        Ok((Target::Copy(Box::new(self), copy.path().to_owned()), Some(copy)))
    }

    /// Returns the number of bytes to read, after decompression; `None` if that is not known beforehand.
    pub fn length(&self) -> Option<u64> {
        match self {
            Target::StandardInput(_) | Target::Copy(..) => None,
            Target::File(path) if is_compressed(path) => None,
            Target::File(path) => match fs::metadata(path) {
                Ok(metadata) => metadata.is_file().then_some(metadata.len()),
                // The file cannot be read either.
                Err(_) => Some(0),
            },
        }
    }
}

/// Returns whether a file is compressed, by its name alone.
pub fn is_compressed(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    COMPRESSED.contains(&ending.to_ascii_lowercase().as_str())
}

/// Returns whether a file or folder is excluded; the flag is `true` for a folder.
pub type ExcludeFilter = Arc<dyn Fn(&Path, bool) -> bool + Send + Sync>;

/// How arguments become targets.
pub struct PathSearch<'s> {
    /// Excludes files and folders of folders and patterns.
    pub excluded: ExcludeFilter,
    /// Selects the files of a folder by their names.
    pub wanted: &'s dyn Fn(&Path) -> bool,
    /// Whether the `.gitignore` files of a folder count.
    pub ignores: bool,
}

/// The targets that arguments become.
#[derive(Debug, Default)]
pub struct FoundTargets {
    /// Each file once, those of a folder or pattern in the order of their names.
    pub targets: Vec<Target>,
    /// The files that were found in a folder and were not named.
    pub searched: HashSet<PathBuf>,
    /// An error for each argument or folder that could not be expanded.
    pub errors: Vec<RunError>,
    /// What was left out in folders.
    pub left_out: LeftOut,
}

impl PathSearch<'_> {
    /// Expands `arguments` (files, folders, patterns, `-`) to targets. What `.gitignore` files say holds for the files
    /// of a folder alone: a file that is named, by a pattern or in full, is never ignored.
    pub fn expand(&self, arguments: &[PathBuf]) -> FoundTargets {
        let mut found = FoundTargets::default();
        for argument in arguments {
            let before = (found.targets.len(), found.errors.len());
            if argument.as_os_str() == "-" {
                found.targets.push(Target::standard_input());
            } else if argument.is_dir() {
                let search = FolderSearch {
                    folder: argument,
                    wanted: self.wanted,
                    excluded: &self.excluded,
                    ignores: self.ignores,
                };
                let (files, left_out) = search.files(&mut found.errors);
                found.left_out.add(left_out);
                found.searched.extend(files.iter().cloned());
                found.targets.extend(files.into_iter().map(Target::File));
            } else if let Some(pattern) = argument.to_str().filter(|text| !argument.exists() && is_pattern(text)) {
                self.expand_pattern(pattern, &mut found);
            } else {
                found.targets.push(Target::File(argument.clone()));
            }
            if before == (found.targets.len(), found.errors.len()) {
                found.errors.push(RunError::Nothing { path: argument.clone() });
            }
        }
        if arguments.len() > 1 {
            found.remove_repeats();
        }
        found
    }

    fn expand_pattern(&self, pattern: &str, found: &mut FoundTargets) {
        let matcher = match GlobBuilder::new(pattern).literal_separator(true).build() {
            Ok(glob) => glob.compile_matcher(),
            Err(cause) => return found.errors.push(RunError::Pattern { pattern: pattern.to_owned(), cause }),
        };
        let start = base_folder(pattern);
        if !start.exists() {
            return;
        }
        let wanted = |path: &Path| matcher.is_match(path.strip_prefix("./").unwrap_or(path));
        let search = FolderSearch { folder: &start, wanted: &wanted, excluded: &self.excluded, ignores: false };
        let (files, left_out) = search.files(&mut found.errors);
        // What a pattern does not match was not asked for.
        found.left_out.excluded += left_out.excluded;
        let relative = |path: PathBuf| path.strip_prefix("./").map_or(path.clone(), Path::to_owned);
        found.targets.extend(files.into_iter().map(relative).map(Target::File));
    }
}

impl FoundTargets {
    /// Gives standard input a name of its own. Returns whether it is among the targets.
    pub fn name_standard_input(&mut self, name: &str) -> bool {
        let of_input = self.targets.iter_mut().find(|target| matches!(target, Target::StandardInput(_)));
        of_input.map(|target| *target = Target::StandardInput(name.into())).is_some()
    }

    /// Keeps the first of several paths to one file: `a` and `./a` are one. The file is named if one of them names it.
    fn remove_repeats(&mut self) {
        let mut seen: HashMap<Option<PathBuf>, PathBuf> = HashMap::new();
        let searched = &mut self.searched;
        self.targets.retain(|target| {
            let path = target.path().map(Path::to_owned);
            let key = path.as_ref().map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
            let path = path.unwrap_or_default();
            match seen.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(path);
                    true
                }
                Entry::Occupied(first) => {
                    if !searched.contains(&path) {
                        searched.remove(first.get());
                    }
                    false
                }
            }
        });
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Returns whether a file is a recording by its name: it has the extension of one, or is named like a part of one.
pub fn is_recording(path: &Path) -> bool {
    has_ending(path) || path.file_name().is_some_and(|name| is_part_name(&name.to_string_lossy()))
}

/// Returns whether a file has the extension of a recording.
pub fn has_ending(path: &Path) -> bool {
    has_one_of(path, &ENDINGS)
}

/// Returns a file's name without the extension of compressed files.
pub fn plain_name(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((plain, ending)) if COMPRESSED.contains(&ending.to_ascii_lowercase().as_str()) => plain,
        _ => name,
    }
}

/// Returns whether a file has an extension that only streams of events have.
pub fn is_stream_name(path: &Path) -> bool {
    has_one_of(path, &STREAM_ENDINGS)
}

/// Returns whether a file has an extension of files in which recordings are bodies of responses.
pub fn is_cassette_name(path: &Path) -> bool {
    has_one_of(path, &CASSETTE_ENDINGS)
}

fn has_one_of(path: &Path, endings: &[&str]) -> bool {
    // The extension can be read even if the name is not valid UTF-8.
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    let ending = plain_name(&name).rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| endings.contains(&ending.as_str()))
}

/// Returns the deepest folder that a pattern names in full, where the walk starts.
fn base_folder(pattern: &str) -> PathBuf {
    let parts = Path::new(pattern).components();
    let base: PathBuf =
        parts.take_while(|part| part.as_os_str().to_str().is_some_and(|text| !is_pattern(text))).collect();
    if base.as_os_str().is_empty() { PathBuf::from(".") } else { base }
}

/// Returns the folder that an argument names, or the folder of the file that it names; for a pattern, the folder where
/// the walk starts.
pub fn start_folder(argument: &Path) -> PathBuf {
    let folder = || argument.parent().map_or_else(PathBuf::new, Path::to_owned);
    match argument.to_str() {
        Some("-") => PathBuf::new(),
        _ if argument.is_dir() => argument.to_owned(),
        Some(pattern) if !argument.exists() && is_pattern(pattern) => base_folder(pattern),
        _ => folder(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_what_is_compressed_or_no_file_is_not_known() {
        let manifest = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let length = fs::metadata(&manifest).expect("it is there").len();
        assert_eq!(Target::File(manifest).length(), Some(length));
        assert_eq!(Target::File("no such file".into()).length(), Some(0));
        for unknown in [Target::standard_input(), Target::File("a.ndjson.GZ".into()), Target::File(".".into())] {
            assert_eq!(unknown.length(), None, "{unknown:?}");
        }
    }

    #[test]
    fn recordings_are_known_by_their_endings() {
        for name in ["a.ndjson", "a.b.jsonl", "A.JSON", "a.sse.gz", "a.log.zst", "a.har", "a.yaml.gz", "a.yml"] {
            assert!(is_recording(Path::new(name)), "{name}");
        }
        for name in ["app.log.1", "app.log.2.gz", "app.log-20260101", "a.ndjson.2026-01-01", "part-0000", "part-1.zst"]
        {
            assert!(is_recording(Path::new(name)), "{name}");
        }
        for name in ["a.txt", "json", "a.gz", "a.json.bz2", "a.expected", "ndjson.gz", "a.log.old", "part-a", "a-1"] {
            assert!(!is_recording(Path::new(name)), "{name}");
        }
    }
}
