//! Checks the form of a fixture and fixes it, while its kind and its settings stay the same.

use std::sync::Arc;

use sessionlint_core::finding::{Finding, Report, Severity};
use sessionlint_core::input::{Frame, Origin, Segment};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::records::RecordIndex;

use super::canonical::{FixtureReader, Layout, text_start};
use super::fix::{FixOutcome, Level, fix, safe_canonical_form};
use super::fixture::shift;
use super::{Fixture, FixtureKind, FixtureSettings, Linter};

/// A fixture, with all that is needed to judge other bytes in its place.
pub struct FixtureContext<'m> {
    pub fixture: &'m Fixture<'m>,
    pub settings: &'m FixtureSettings,
    /// The referable records in it and in the fixtures that belong to it.
    pub index: &'m RecordIndex,
    /// The kind that it was judged as.
    pub kind: FixtureKind,
}

impl<'p> Linter<'p> {
    /// Judges other bytes in the fixture's place. The report has places in these bytes.
    fn judge_as(&self, context: &FixtureContext<'_>, text: &[u8]) -> Report {
        let FixtureContext { fixture, settings, index, kind } = context;
        let Fixture { file, survey, .. } = fixture;
        let fixture =
            Fixture { file, text, damaged: None, block: None, body: None, kind: *kind, is_declared: true, survey };
        self.judge(&fixture, settings, index).report
    }

    fn reader(&self, context: &FixtureContext<'_>) -> FixtureReader<'p> {
        let FixtureContext { fixture, settings, kind, .. } = context;
        let (protocol, options) = (self.protocol_of(*kind), settings.options(*kind));
        let mut reader = FixtureReader::of(protocol, options, fixture.file, settings.record_options.kind);
        if let Some(block) = fixture.block {
            reader.layout = Layout::of_ending(&block.language());
        }
        reader
    }

    /// Fixes a fixture as far as `level` allows.
    pub fn fix(&self, context: &FixtureContext<'_>, level: Level) -> FixOutcome {
        fix(&self.reader(context), &|text| self.judge_as(context, text), context.fixture.text, level)
    }

    /// Returns a finding at the first deviation of a fixture from its canonical form. `fits`: returns whether a text
    /// can replace the fixture in its file.
    pub fn not_canonical(
        &self,
        context: &FixtureContext<'_>,
        severity: Severity,
        fits: &dyn Fn(Vec<u8>) -> bool,
    ) -> Option<Finding> {
        let Fixture { file, text, block, .. } = context.fixture;
        let canonical = safe_canonical_form(&self.reader(context), &|text| self.judge_as(context, text), text)?;
        let deviation = Some(canonical.first).filter(|_| fits(canonical.bytes))?;
        let start = text_start(text);
        let origin = Origin { offset: start as u64, ..Origin::START };
        let segments = [Segment { at: 0, origin }];
        let frame = Frame::new(&text[start..], &segments);
        let at = deviation.at.start.saturating_sub(start)..deviation.at.end.saturating_sub(start);
        let mut finding =
            Finding::of_file(Upkeep::NotCanonical.name(), severity, deviation.what, file, frame.place(at, None));
        if let Some(block) = block {
            shift(&mut finding, block, &Arc::clone(file));
        }
        Some(finding)
    }
}
