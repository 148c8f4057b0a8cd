//! What the caller named → the files to check.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use ignore::WalkBuilder;

use crate::error::RunError;

/// The endings of recordings; what a folder holds besides is not looked at.
const ENDINGS: [&str; 5] = ["ndjson", "jsonl", "json", "sse", "log"];
/// The endings that may follow them.
const COMPRESSED: [&str; 2] = ["gz", "zst"];

/// Something to check.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    StandardInput,
    File(PathBuf),
}

/// Finds what `arguments` name: files, folders, patterns, `-`. Each file once, those of a folder or pattern
/// in the order of their names. What cannot be found is told beside it.
pub fn expand(arguments: &[PathBuf]) -> (Vec<Target>, Vec<RunError>) {
    let mut targets = Vec::new();
    let mut errors = Vec::new();
    for argument in arguments {
        let found = if argument.as_os_str() == "-" {
            Ok(vec![Target::StandardInput])
        } else if argument.is_dir() {
            walk(argument, is_recording)
        } else if let Some(pattern) = argument.to_str().filter(|text| !argument.exists() && is_pattern(text)) {
            expand_pattern(pattern)
        } else {
            Ok(vec![Target::File(argument.clone())])
        };
        match found {
            Ok(found) => targets.extend(found),
            Err(error) => errors.push(error),
        }
    }
    let mut seen = HashSet::new();
    targets.retain(|target| seen.insert(target.clone()));
    (targets, errors)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn is_recording(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let mut parts = name.rsplit('.');
    let mut ending = parts.next().unwrap_or_default().to_ascii_lowercase();
    if COMPRESSED.contains(&ending.as_str()) {
        ending = parts.next().unwrap_or_default().to_ascii_lowercase();
    }
    ENDINGS.contains(&ending.as_str()) && parts.next().is_some()
}

/// The files below a folder that are wanted, without those that `.gitignore` files leave out.
fn walk(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<Target>, RunError> {
    let mut files = Vec::new();
    for entry in WalkBuilder::new(folder).require_git(false).sort_by_file_path(Path::cmp).build() {
        let entry = entry.map_err(|error| RunError::Walk { path: folder.to_owned(), cause: error })?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && wanted(entry.path()) {
            files.push(Target::File(entry.into_path()));
        }
    }
    Ok(files)
}

fn expand_pattern(pattern: &str) -> Result<Vec<Target>, RunError> {
    let wrong = |cause| RunError::Pattern { pattern: pattern.to_owned(), cause };
    let matcher = GlobBuilder::new(pattern).literal_separator(true).build().map_err(wrong)?.compile_matcher();
    // The walk starts at the deepest folder that the pattern names in full.
    let parts: Vec<_> = Path::new(pattern).components().collect();
    let fixed = parts.iter().take_while(|part| part.as_os_str().to_str().is_some_and(|text| !is_pattern(text)));
    let base: PathBuf = fixed.collect();
    let start = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    if !start.exists() {
        return Ok(Vec::new());
    }
    let files = walk(&start, |path| matcher.is_match(path.strip_prefix("./").unwrap_or(path)))?;
    let relative = |target| match target {
        Target::File(path) => Target::File(path.strip_prefix("./").map_or(path.clone(), Path::to_owned)),
        other => other,
    };
    Ok(files.into_iter().map(relative).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
