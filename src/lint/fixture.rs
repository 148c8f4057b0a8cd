//! Judges a fixture.
//!
//! Also the interface for code that fixes fixtures: the input is a text in memory, its kind and its settings; the
//! output is a report with places in the file.

use std::sync::Arc;

use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::finding::{Finding, Related, Report, Severity};
use sessionlint_core::framing::Framing;
use sessionlint_core::input::Wire;
use sessionlint_core::protocol::{Protocol, Upkeep};
use sessionlint_core::records::{
    Classifier, DETECTION_BYTES, IndexBuilder, RecordChecker, RecordIndex, RecordOptions, looks_like_records,
};
use sessionlint_core::text::count;

use super::FixtureKind;
use super::survey::{Survey, Surveyor};
use crate::bodies::{Body, Source};
use crate::compressed::beginning;
use crate::lint::markdown::Block;

/// The number of bytes that are judged before the findings are collected.
const PIECE: usize = 256 * 1024;

/// Classifies and judges fixtures by one protocol of streams and one of records.
pub struct Linter<'p> {
    /// The protocol of streams; that of records if everything is stored records.
    pub protocol: &'p Protocol,
    /// Returns the protocol of records. Called only if there are records: most trees have none.
    records: &'p (dyn Fn() -> Option<&'p Protocol> + Sync),
    surveyor: Surveyor<'p>,
}

/// The settings that the fixtures of a file are judged by.
#[derive(Clone)]
pub struct FixtureSettings {
    /// Settings for the protocol of streams.
    pub streams: Arc<Settings>,
    /// Settings for the protocol of records; those of `streams` if there is no such protocol.
    pub records: Arc<Settings>,
    /// The options for stored records.
    pub record_options: RecordOptions,
    /// Whether everything is stored records.
    pub all_records: bool,
    /// Whether streams are declared to be fragments or to be whole; `None` if the content decides.
    pub fragment: Option<bool>,
    /// The most findings of a fixture that are listed; further ones are only counted.
    pub most_findings: usize,
}

impl FixtureSettings {
    fn of_kind(&self, kind: FixtureKind) -> &Arc<Settings> {
        if kind == FixtureKind::Records { &self.records } else { &self.streams }
    }

    /// Returns the options that an input of this kind is read with.
    pub fn options(&self, kind: FixtureKind) -> &Options {
        self.of_kind(kind).options()
    }
}

/// A fixture: a text in memory, and its kind.
pub struct Fixture<'f> {
    /// The file that it is in.
    pub file: &'f Arc<str>,
    /// The decompressed text.
    pub text: &'f [u8],
    /// The damage of the compressed form at the end of the text, if any.
    pub damaged: Option<&'f str>,
    /// The Markdown block that holds it, if any.
    pub block: Option<&'f Block>,
    /// The body of a response whose text it is, if it is one, and the file that holds the body.
    pub body: Option<(&'f Body, &'f Source)>,
    pub kind: FixtureKind,
    /// Whether the kind was declared; otherwise the content decides whether several events are a whole stream.
    pub is_declared: bool,
    pub survey: &'f Survey,
}

/// The findings of a fixture.
pub struct FixtureReport {
    /// The kind that it was judged as.
    pub kind: FixtureKind,
    /// The report, with places in the file.
    pub report: Report,
    /// A fingerprint of the contents; `None` if there are none.
    pub digest: Option<u64>,
}

impl<'p> Linter<'p> {
    /// `records`: returns the protocol of records; called only if there are records.
    pub fn new(protocol: &'p Protocol, records: &'p (dyn Fn() -> Option<&'p Protocol> + Sync)) -> Linter<'p> {
        Linter { protocol, records, surveyor: Surveyor::new(protocol) }
    }

    /// Returns the protocol that judges fixtures of this kind.
    pub fn protocol_of(&self, kind: FixtureKind) -> &'p Protocol {
        let records = (kind == FixtureKind::Records).then(|| (self.records)()).flatten();
        records.unwrap_or(self.protocol)
    }

    /// Returns whether a text holds stored records, judging by its beginning.
    pub fn looks_like_records(&self, text: &[u8], name: &str) -> bool {
        looks_like_records(&beginning(text, DETECTION_BYTES), name, self.protocol, self.records)
    }

    /// Surveys a text as a fixture of this kind.
    pub fn survey(&self, text: &[u8], name: &str, settings: &FixtureSettings, kind: FixtureKind) -> Survey {
        let protocol = if kind == FixtureKind::Records { (self.records)() } else { None };
        let records = protocol.and_then(|protocol| Some((protocol, protocol.tables().records.as_ref()?)));
        let classifier = records
            .map(|(protocol, records)| Classifier::new(protocol, records, settings.record_options.kind, Some(name)));
        self.surveyor.survey(text, settings.options(kind), classifier.as_ref())
    }

    /// Indexes the records that others may refer to in fixtures that belong together.
    pub fn index_records<'f>(
        &self,
        records: impl Iterator<Item = (&'f Fixture<'f>, &'f FixtureSettings)>,
    ) -> RecordIndex {
        let Some(mut builder) = (self.records)().and_then(IndexBuilder::new) else { return RecordIndex::default() };
        for (fixture, settings) in records {
            let mut indexer =
                builder.begin_file(&settings.records, settings.record_options.kind, Some(fixture.file.clone()));
            indexer.feed(fixture.text);
            indexer.finish();
        }
        builder.build()
    }

    /// Judges a fixture. `index`: the referable records in it and in the fixtures that belong to it.
    pub fn judge(&self, fixture: &Fixture<'_>, settings: &FixtureSettings, index: &RecordIndex) -> FixtureReport {
        let (kind, mut report) = match fixture.kind {
            FixtureKind::Records => (FixtureKind::Records, self.records(fixture, settings, index)),
            FixtureKind::Stream if !fixture.is_declared => self.by_content(fixture, settings),
            FixtureKind::Stream => (FixtureKind::Stream, self.stream(fixture, settings, false)),
            other => (other, self.stream(fixture, settings, true)),
        };
        if kind == FixtureKind::Stream {
            self.frozen_time(fixture, settings, &mut report);
        }
        if let Some(block) = fixture.block {
            report.findings.iter_mut().for_each(|finding| shift(finding, block, fixture.file));
        }
        if let Some((body, source)) = fixture.body {
            report.findings.iter_mut().for_each(|finding| body.shift(source, finding));
        }
        // Whoever records the same request twice has not written a fixture twice.
        FixtureReport { kind, report, digest: fixture.survey.digest.filter(|_| fixture.body.is_none()) }
    }

    /// Judges several events as a whole stream, or as a fragment if the first of them cannot begin a stream.
    fn by_content(&self, fixture: &Fixture<'_>, settings: &FixtureSettings) -> (FixtureKind, Report) {
        let whole = self.stream(fixture, settings, false);
        let of_first = |finding: &Finding| finding.place.event == Some(0);
        if whole.findings.iter().any(of_first) && !self.may_begin(fixture, settings) {
            return (FixtureKind::Fragment, self.stream(fixture, settings, true));
        }
        (FixtureKind::Stream, whole)
    }

    /// Returns whether the first event may begin a whole stream: whether it has no more findings there than in the
    /// middle of a stream.
    fn may_begin(&self, fixture: &Fixture<'_>, settings: &FixtureSettings) -> bool {
        let Some(first) = &fixture.survey.first else { return true };
        let finding_count = |fragment: bool| {
            let options = settings.streams.options().clone().with_wire(Some(Wire::Json)).with_fragment(fragment);
            let mut checker = StreamChecker::new(self.protocol, &Settings::new(self.protocol, options), None);
            checker.feed(first);
            checker.finish_early().findings.len()
        };
        finding_count(false) <= finding_count(true)
    }

    fn stream(&self, fixture: &Fixture<'_>, settings: &FixtureSettings, fragment: bool) -> Report {
        let mut list = FindingList::of(settings.most_findings);
        let settings = settings.streams.with_fragment(fragment);
        let mut checker = StreamChecker::new(self.protocol, &settings, Some(fixture.file.clone()));
        for piece in fixture.text.chunks(PIECE) {
            checker.feed(piece);
            list.add(checker.findings().drain(..));
        }
        if fixture.block.is_some_and(|block| block.language() == "sse") {
            // The end of the block ends its last event: nobody writes a blank line before a fence.
            checker.feed(b"\n");
        }
        list.into_report(checker.end(fixture.damaged).0, self.protocol, &settings, fixture.file)
    }

    fn records(&self, fixture: &Fixture<'_>, settings: &FixtureSettings, index: &RecordIndex) -> Report {
        let of_records = &settings.records;
        let file = Some(fixture.file.clone());
        let protocol = self.protocol_of(FixtureKind::Records);
        let Some(mut checker) = RecordChecker::new(protocol, of_records, settings.record_options, file, index) else {
            return self.stream(fixture, settings, false);
        };
        let mut list = FindingList::of(settings.most_findings);
        for piece in fixture.text.chunks(PIECE) {
            checker.feed(piece);
            list.add(checker.findings().drain(..));
        }
        list.into_report(checker.end(fixture.damaged), protocol, of_records, fixture.file)
    }

    /// Adds a finding if a whole stream has the same time in all its events, and at least three of them.
    fn frozen_time(&self, fixture: &Fixture<'_>, settings: &FixtureSettings, report: &mut Report) {
        let survey = fixture.survey;
        let Some(instant) = survey.instant.as_ref().filter(|_| survey.events >= 3) else { return };
        let rule = Upkeep::FrozenTime;
        let severity = settings.streams.severity(self.protocol, rule.name()).flatten();
        if let (Some(severity), Some(second)) = (severity, &instant.second) {
            let message = format!("all {} events of this stream are at {}", survey.events, instant.written);
            report.summary.count(rule.name(), severity, 1);
            report.findings.push(Finding::of_file(rule.name(), severity, message, fixture.file, second.clone()));
        }
    }
}

/// Converts the places of a finding from places in a block to places in the block's file.
pub(super) fn shift(finding: &mut Finding, block: &Block, file: &Arc<str>) {
    block.shift(&mut finding.place);
    let own = |related: &&mut Related| related.file.as_ref().is_none_or(|name| name == file);
    for related in finding.related.iter_mut().filter(own) {
        block.shift(Arc::make_mut(&mut related.place));
    }
}

/// The findings of a fixture that are listed, and the number of further ones.
struct FindingList {
    findings: Vec<Finding>,
    /// The most notes that are listed, and the most other findings: one kind must not keep the other out.
    most: usize,
    notes: usize,
    others: usize,
    unlisted: u64,
}

impl FindingList {
    fn of(most: usize) -> FindingList {
        FindingList { findings: Vec::new(), most, notes: 0, others: 0, unlisted: 0 }
    }

    fn add(&mut self, findings: impl Iterator<Item = Finding>) {
        for finding in findings {
            let listed = if finding.severity == Severity::Note { &mut self.notes } else { &mut self.others };
            if *listed < self.most {
                *listed += 1;
                self.findings.push(finding);
            } else {
                self.unlisted += 1;
            }
        }
    }

    /// Returns the report with the listed findings, and with a note on the number of unlisted ones.
    fn into_report(mut self, mut report: Report, protocol: &Protocol, settings: &Settings, file: &Arc<str>) -> Report {
        self.add(std::mem::take(&mut report.findings).into_iter());
        let rule = Framing::CheckSkipped.name();
        let severity: Option<Severity> = settings.severity(protocol, rule).flatten();
        if let (1.., Some(severity), Some(last)) = (self.unlisted, severity, self.findings.last()) {
            let message =
                format!("{} in this fixture, which are counted but not listed", count(self.unlisted, "more finding"));
            let note = Finding::of_file(rule, severity, message, file, last.place.clone());
            report.summary.count(rule, severity, 1);
            self.findings.push(note);
        }
        report.findings = self.findings;
        report
    }
}
