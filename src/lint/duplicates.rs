//! Finds fixtures that occur twice in a tree.
//!
//! Two fixtures are duplicates if they hold the same values in the same order, in any wire form. White space and
//! escapes do not matter; the order of keys does, because a fixture may exist to test it.

use std::collections::HashMap;
use std::sync::Arc;

use sessionlint_core::finding::{Finding, Place, Related, Severity};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::text::visible;

/// The first fixture with each digest of contents.
#[derive(Default)]
pub struct Duplicates {
    first: HashMap<u64, (Arc<str>, Place)>,
}

impl Duplicates {
    /// Adds a fixture that begins at `place`; returns a finding if an earlier fixture has the same contents. Fixtures
    /// must be added in the order of their files.
    pub fn add(&mut self, digest: u64, file: &Arc<str>, place: Place, severity: Option<Severity>) -> Option<Finding> {
        let Some((first, there)) = self.first.get(&digest) else {
            self.first.insert(digest, (file.clone(), place));
            return None;
        };
        let message = format!("the same events are in {}:{}", visible(first), there.line);
        let other = (first != file).then(|| first.clone());
        let mut found = Finding::of_file(Upkeep::DuplicateFixture.name(), severity?, message, file, place);
        found.related.push(Related::in_file(other, "they first occur here", there.clone()));
        Some(found)
    }
}
