//! Counts what is odd about the framing of an input, and reports each oddity once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::finding_log::{Details, FindingLog};
use crate::finding::{MOST_BYTES, Place};
use crate::input::{Oddity, line_in_file};
use crate::protocol::framing;

/// The oddities of one input so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Oddities(BTreeMap<Oddity, (Arc<Place>, u64)>);

impl Oddities {
    /// Counts one more line or message that has this oddity.
    #[cold]
    pub(crate) fn note(&mut self, oddity: Oddity, place: impl FnOnce() -> Place) {
        self.0.entry(oddity).or_insert_with(|| (Arc::new(place()), 0)).1 += 1;
    }

    /// Returns how many oddities were counted.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().map(|(_, count)| count).sum()
    }

    /// Returns whether a line had this oddity before.
    pub(crate) fn has(&self, oddity: Oddity) -> bool {
        self.0.contains_key(&oddity)
    }

    /// Returns whether an input can lead to this state.
    pub(crate) fn is_sound(&self) -> bool {
        self.0.values().all(|(place, count)| place.is_sound() && *count < MOST_BYTES)
    }

    /// Reports each oddity, with the number of its lines, at the first of them, in the order of the input.
    pub(crate) fn report(self, log: &mut FindingLog) {
        let mut found: Vec<_> = self.0.into_iter().collect();
        found.sort_by_key(|(oddity, (place, _))| (place.start, *oddity));
        for (oddity, (place, count)) in found {
            let rule = framing(oddity.rule());
            let message = log.message(rule, &mut [("found", oddity.found(count, line_in_file(place.line)))]);
            let help = Some(oddity.help().into());
            log.report(rule, (*place).clone(), Details { message, help, ..Details::default() });
        }
    }
}
