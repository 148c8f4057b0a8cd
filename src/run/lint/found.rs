//! Which files are looked at: recordings, Markdown, and what is expected of fixtures.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::config::read;
use crate::lint::{expected, is_markdown};
use crate::run::paths::{Target, is_recording};

/// Whether a file of a folder is looked at, by its name.
pub fn is_looked_at(path: &Path) -> bool {
    is_fixture_name(path) || expected::fixture_of(path).is_some()
}

/// Whether fixtures have such names.
pub fn is_fixture_name(path: &Path) -> bool {
    is_recording(path) || is_markdown(path)
}

/// Puts fixtures in the place of what is expected of them. An expectation whose fixture is not there stays, unless it
/// belongs to another program. `named`: what the caller named.
pub fn with_fixtures(targets: Vec<Target>, named: &HashSet<PathBuf>) -> Vec<Target> {
    let file = |target: &Target| match target {
        Target::File(path) => Some(path.clone()),
        Target::StandardInput => None,
    };
    let mut there: HashSet<PathBuf> = targets.iter().filter_map(file).collect();
    let instead = |target: Target| {
        let Target::File(path) = &target else { return Some(target) };
        let Some(fixture) = expected::fixture_of(path) else { return Some(target) };
        let is_ours = || {
            is_fixture_name(&fixture)
                || named.contains(path)
                || read(path).is_ok_and(|text| expected::is_expectation(&text))
        };
        if !fixture.exists() {
            return is_ours().then_some(target);
        }
        // What has the name of a fixture and was not found is left out.
        let is_left_out = is_fixture_name(&fixture) && !named.contains(path);
        let is_wanted = !is_left_out && !there.contains(&fixture) && is_ours();
        is_wanted.then(|| {
            there.insert(fixture.clone());
            Target::File(fixture)
        })
    };
    targets.into_iter().filter_map(instead).collect()
}
