//! Patterns of files in the syntax of `.gitignore`, relative to the folder of `sessionlint.toml`.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// A list of patterns; the last one that matches decides.
#[derive(Clone, Debug)]
pub struct Patterns(Gitignore);

impl Patterns {
    /// Returns an empty list, which matches nothing.
    pub fn none() -> Patterns {
        Patterns(Gitignore::empty())
    }

    /// Compiles patterns.
    ///
    /// # Errors
    ///
    /// Returns the indices of the invalid patterns, each with the reason.
    pub fn new<'p>(patterns: impl Iterator<Item = &'p str>) -> Result<Patterns, Vec<(usize, String)>> {
        // The paths to match are relative.
        let mut builder = GitignoreBuilder::new("");
        builder.allow_unclosed_class(false);
        let mut refused = Vec::new();
        for (number, pattern) in patterns.enumerate() {
            let added = match reason_without_effect(pattern) {
                Some(why) => Err(why.to_owned()),
                None => builder.add_line(None, pattern).map(|_| ()).map_err(glob_message),
            };
            refused.extend(added.err().map(|why| (number, why)));
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        builder.build().map(Patterns).map_err(|error| vec![(0, glob_message(error))])
    }

    /// Returns whether a file matches, by its own path or by that of a folder that it is in. The path is relative.
    pub fn matches(&self, file: &Path) -> bool {
        !file.has_root() && self.0.matched_path_or_any_parents(file, false).is_ignore()
    }

    /// Returns whether a file or folder itself matches, without the folders that it is in. The path is relative.
    pub fn matches_itself(&self, path: &Path, is_folder: bool) -> bool {
        self.0.matched(path, is_folder).is_ignore()
    }
}

/// Returns an error's message without the pattern, which is shown anyway.
fn glob_message(error: ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err,
        other => other.to_string(),
    }
}

/// Returns why a pattern can match nothing, if that is so. A `.gitignore` may have such lines; in a list of patterns
/// they are mistakes.
fn reason_without_effect(pattern: &str) -> Option<&'static str> {
    match pattern {
        _ if pattern.trim().is_empty() => Some("it is empty"),
        _ if pattern.starts_with('#') => Some("# makes it a comment; write \\\\# for a name that begins with it"),
        _ if pattern.starts_with("./") => Some("leave ./ out: patterns are relative to this file's folder"),
        _ if pattern.split('/').any(|part| part == "..") => Some("nothing outside of this file's folder is matched"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_gitignore() {
        let patterns = Patterns::new(["*.sse", "/old/", "logs/**/tmp-*", "!keep.sse"].into_iter()).expect("patterns");
        for meant in ["a.sse", "x/y/a.sse", "old/a.json", "old/x/a.json", "logs/tmp-1.json", "logs/x/tmp-2.json"] {
            assert!(patterns.matches(Path::new(meant)), "{meant}");
        }
        for other in ["a.json", "x/old/a.json", "keep.sse", "x/keep.sse", "tmp-1.json"] {
            assert!(!patterns.matches(Path::new(other)), "{other}");
        }
        assert!(patterns.matches_itself(Path::new("old"), true) && !patterns.matches_itself(Path::new("old"), false));
    }

    #[test]
    fn what_can_match_nothing_is_refused() {
        for pattern in ["", "  ", "# note", "./a", "../a", "a/../b", "a[", "{a"] {
            assert!(Patterns::new([pattern].into_iter()).is_err(), "{pattern:?}");
        }
        let refused = Patterns::new(["a", "[", "b", "{"].into_iter()).expect_err("two of them");
        assert_eq!(refused.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3]);
    }
}
