//! Fixtures that are in the tree twice.
//!
//! Two fixtures are the same if they hold the same values in the same order, whatever form they are written in. White
//! space and escapes do not matter; the order of keys does, because a fixture may be there for it.

use std::collections::HashMap;
use std::sync::Arc;

use sessionlint_core::finding::{Finding, Place, Related, Severity};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::text::visible;

/// The fixtures so far, by what is in them.
#[derive(Default)]
pub struct Duplicates {
    first: HashMap<u64, (Arc<str>, Place)>,
}

impl Duplicates {
    /// Notes a fixture that begins at a place; what there is to say if it was there before. Fixtures come in the order of
    /// their files.
    pub fn add(&mut self, digest: u64, file: &Arc<str>, place: Place, severity: Option<Severity>) -> Option<Finding> {
        let Some((first, there)) = self.first.get(&digest) else {
            self.first.insert(digest, (file.clone(), place));
            return None;
        };
        let message = format!("the same events are in {}:{}", visible(first), there.line);
        let other = (first != file).then(|| first.clone());
        let related = Related { message: "they stand here first".into(), file: other, place: there.clone().into() };
        Some(Finding {
            related: vec![related],
            ..Finding::of_file(Upkeep::DuplicateFixture.name(), severity?, message, file, place)
        })
    }
}
