//! Selects the files to lint: recordings, Markdown, and expectations.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::config::read;
use crate::lint::{expectation, is_markdown};
use crate::run::paths::{Target, has_ending};

/// Returns whether a file of a folder is to be linted, judging by its name.
pub fn is_lint_candidate(path: &Path) -> bool {
    is_fixture_name(path) || expectation::fixture_path(path).is_some()
}

/// Returns whether a file has the name of a fixture.
pub fn is_fixture_name(path: &Path) -> bool {
    has_ending(path) || is_markdown(path)
}

/// Replaces expectations by their fixtures. An expectation whose fixture does not exist is kept, unless the file
/// belongs to another program. `named`: the files that the caller named.
pub fn with_fixtures(targets: Vec<Target>, named: &HashSet<PathBuf>) -> Vec<Target> {
    let file = |target: &Target| match target {
        Target::File(path) => Some(path.clone()),
        Target::StandardInput(_) | Target::Copy(..) => None,
    };
    let mut there: HashSet<PathBuf> = targets.iter().filter_map(file).collect();
    let instead = |target: Target| {
        let Target::File(path) = &target else { return Some(target) };
        let Some(fixture) = expectation::fixture_path(path) else { return Some(target) };
        let is_ours = || {
            is_fixture_name(&fixture)
                || named.contains(path)
                || read(path).is_ok_and(|text| expectation::is_expectation(&text))
        };
        if !fixture.exists() {
            return is_ours().then_some(target);
        }
        // A fixture by name that the search did not find was excluded.
        let is_left_out = is_fixture_name(&fixture) && !named.contains(path);
        let is_wanted = !is_left_out && !there.contains(&fixture) && is_ours();
        is_wanted.then(|| {
            there.insert(fixture.clone());
            Target::File(fixture)
        })
    };
    targets.into_iter().filter_map(instead).collect()
}
