//! A fixture as it was taken → where it deviates from its canonical form, and what mends it.

use std::sync::Arc;

use sessionlint_core::finding::{Finding, Report, Severity};
use sessionlint_core::input::{Frame, Origin, Segment};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::records::Known;

use super::canonical::{Layout, Reading, text_start};
use super::fix::{Fixed, Level, fixed, formatted};
use super::fixture::shift;
use super::{Fixture, Linter, Manner, Taken};

/// A fixture, and how it is judged whatever its bytes become.
pub struct Mending<'m> {
    pub fixture: &'m Fixture<'m>,
    pub manner: &'m Manner,
    /// What it and those that belong to it hold that may be named.
    pub known: &'m Known,
    /// What it turned out to be.
    pub taken: Taken,
}

impl<'p> Linter<'p> {
    /// What is wrong with these bytes in the fixture's place, with places in them.
    fn judge_as(&self, mending: &Mending<'_>, text: &[u8]) -> Report {
        let Mending { fixture, manner, known, taken } = mending;
        let Fixture { file, survey, .. } = fixture;
        let fixture = Fixture { file, text, damaged: None, block: None, taken: *taken, is_said: true, survey };
        self.judge(&fixture, manner, known).report
    }

    fn reading(&self, mending: &Mending<'_>) -> Reading<'p> {
        let Mending { fixture, manner, taken, .. } = mending;
        let (protocol, options) = (self.protocol_of(*taken), manner.options(*taken));
        let mut reading = Reading::of(protocol, options, fixture.file, manner.asked.kind);
        if let Some(block) = fixture.block {
            reading.layout = Layout::of_ending(&block.language());
        }
        reading
    }

    /// Mends a fixture.
    pub fn mended(&self, mending: &Mending<'_>, level: Level) -> Fixed {
        fixed(&self.reading(mending), &|text| self.judge_as(mending, text), mending.fixture.text, level)
    }

    /// Says where a fixture first deviates from its canonical form. `fits`: whether a text can take its place.
    pub fn not_canonical(
        &self,
        mending: &Mending<'_>,
        severity: Severity,
        fits: &dyn Fn(Vec<u8>) -> bool,
    ) -> Option<Finding> {
        let Fixture { file, text, block, .. } = mending.fixture;
        let canonical = formatted(&self.reading(mending), &|text| self.judge_as(mending, text), text)?;
        let deviation = Some(canonical.first).filter(|_| fits(canonical.bytes))?;
        let start = text_start(text);
        let origin = Origin { offset: start as u64, ..Origin::START };
        let segments = [Segment { at: 0, origin }];
        let frame = Frame { text: &text[start..], segments: &segments, terminated: true, utf8: false };
        let at = deviation.at.start.saturating_sub(start)..deviation.at.end.saturating_sub(start);
        let mut finding =
            Finding::of_file(Upkeep::NotCanonical.name(), severity, deviation.what, file, frame.place(at, None));
        if let Some(block) = block {
            shift(&mut finding, block, &Arc::clone(file));
        }
        Some(finding)
    }
}
