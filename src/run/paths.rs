//! The arguments of the command line → the files to check.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobBuilder;
use ignore::WalkBuilder;

use crate::error::RunError;

/// The extensions of recordings; other files in a folder are ignored.
const ENDINGS: [&str; 5] = ["ndjson", "jsonl", "json", "sse", "log"];
/// The extensions of compressed files, which may follow those of recordings.
const COMPRESSED: [&str; 2] = ["gz", "zst"];

/// An input to check.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    StandardInput,
    File(PathBuf),
}

impl Target {
    /// Returns the target's name in findings.
    pub fn name(&self) -> Arc<str> {
        match self {
            Target::StandardInput => "-".into(),
            Target::File(path) => path.to_string_lossy().into(),
        }
    }

    /// Returns the number of bytes to read, after decompression; `None` if that is not known beforehand.
    pub fn length(&self) -> Option<u64> {
        match self {
            Target::StandardInput => None,
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

/// Expands `arguments` (files, folders, patterns, `-`) to targets: each file once, those of a folder or pattern in the
/// order of their names, without the excluded ones. `wanted` selects the files of a folder by their names. Also returns
/// an error for each argument or folder that could not be expanded.
pub fn expand(
    arguments: &[PathBuf],
    excluded: &ExcludeFilter,
    wanted: impl Fn(&Path) -> bool,
) -> (Vec<Target>, Vec<RunError>) {
    let mut targets = Vec::new();
    let mut errors = Vec::new();
    for argument in arguments {
        let before = (targets.len(), errors.len());
        if argument.as_os_str() == "-" {
            targets.push(Target::StandardInput);
        } else if argument.is_dir() {
            targets.extend(walk(argument, &wanted, excluded, &mut errors));
        } else if let Some(pattern) = argument.to_str().filter(|text| !argument.exists() && is_pattern(text)) {
            targets.extend(expand_pattern(pattern, excluded, &mut errors));
        } else {
            targets.push(Target::File(argument.clone()));
        }
        if before == (targets.len(), errors.len()) {
            errors.push(RunError::Nothing { path: argument.clone() });
        }
    }
    if arguments.len() < 2 {
        return (targets, errors);
    }
    // `a` and `./a` are one file.
    let mut seen = HashSet::new();
    targets.retain(|target| match target {
        Target::StandardInput => seen.insert(None),
        Target::File(path) => seen.insert(Some(fs::canonicalize(path).unwrap_or_else(|_| path.clone()))),
    });
    (targets, errors)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// Returns whether a file has the extension of a recording.
pub fn is_recording(path: &Path) -> bool {
    // The extension can be read even if the name is not valid UTF-8.
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    let mut parts = name.rsplit('.');
    let mut ending = parts.next().unwrap_or_default().to_ascii_lowercase();
    if COMPRESSED.contains(&ending.as_str()) {
        ending = parts.next().unwrap_or_default().to_ascii_lowercase();
    }
    ENDINGS.contains(&ending.as_str()) && parts.next().is_some()
}

/// Returns the wanted files below a folder, without those that `.gitignore` files or the caller exclude. A subfolder
/// that cannot be read does not keep the others from being found.
fn walk(
    folder: &Path,
    wanted: impl Fn(&Path) -> bool,
    excluded: &ExcludeFilter,
    errors: &mut Vec<RunError>,
) -> Vec<Target> {
    let mut files = Vec::new();
    let mut walk = WalkBuilder::new(folder);
    let excluded = Arc::clone(excluded);
    walk.filter_entry(move |entry| {
        // The folder that the caller named is never excluded.
        entry.depth() == 0 || !excluded(entry.path(), entry.file_type().is_some_and(|kind| kind.is_dir()))
    });
    for entry in walk.require_git(false).sort_by_file_path(Path::cmp).build() {
        match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                if is_file && wanted(entry.path()) {
                    files.push(Target::File(entry.into_path()));
                }
            }
            Err(cause) => errors.push(walk_error(folder, cause)),
        }
    }
    files
}

/// Returns the error for a folder that cannot be walked, without the walker's own words, which repeat the path.
fn walk_error(folder: &Path, cause: ignore::Error) -> RunError {
    match cause {
        ignore::Error::WithDepth { err, .. } => walk_error(folder, *err),
        ignore::Error::WithPath { path, err } => match err.io_error() {
            Some(error) => {
                let own = error.get_ref().and_then(|error| error.source());
                let cause =
                    own.map_or_else(|| error.kind().into(), |own| io::Error::new(error.kind(), own.to_string()));
                RunError::Unreadable { path, cause }
            }
            None => RunError::Walk { path, cause: *err },
        },
        cause => RunError::Walk { path: folder.to_owned(), cause },
    }
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

fn expand_pattern(pattern: &str, excluded: &ExcludeFilter, errors: &mut Vec<RunError>) -> Vec<Target> {
    let matcher = match GlobBuilder::new(pattern).literal_separator(true).build() {
        Ok(glob) => glob.compile_matcher(),
        Err(cause) => {
            errors.push(RunError::Pattern { pattern: pattern.to_owned(), cause });
            return Vec::new();
        }
    };
    let start = base_folder(pattern);
    if !start.exists() {
        return Vec::new();
    }
    let files = walk(&start, |path| matcher.is_match(path.strip_prefix("./").unwrap_or(path)), excluded, errors);
    let relative = |target| match target {
        Target::File(path) => Target::File(path.strip_prefix("./").map_or(path.clone(), Path::to_owned)),
        other => other,
    };
    files.into_iter().map(relative).collect()
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
        for unknown in [Target::StandardInput, Target::File("a.ndjson.GZ".into()), Target::File(".".into())] {
            assert_eq!(unknown.length(), None, "{unknown:?}");
        }
    }

    #[test]
    fn recordings_are_known_by_their_endings() {
        for name in ["a.ndjson", "a.b.jsonl", "A.JSON", "a.sse.gz", "a.log.zst"] {
            assert!(is_recording(Path::new(name)), "{name}");
        }
        for name in ["a.txt", "json", "a.gz", "a.json.bz2", "a.expected", "ndjson.gz"] {
            assert!(!is_recording(Path::new(name)), "{name}");
        }
    }
}
