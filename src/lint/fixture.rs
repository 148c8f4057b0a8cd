//! One fixture → what is wrong with it.
//!
//! This is the seam for whoever mends fixtures: what goes in is a text in memory, what it was taken for, and how it is
//! judged; what comes out is its report, with places in the file.

use std::sync::Arc;

use sessionlint_core::check::Checker;
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::finding::{Finding, Related, Report, Severity};
use sessionlint_core::framing::Framing;
use sessionlint_core::input::Wire;
use sessionlint_core::protocol::{Protocol, Upkeep};
use sessionlint_core::records::{Asked, BEGINNING, Collector, Known, RecordChecker, Sorter, looks_like_records};
use sessionlint_core::text::count;

use super::survey::{Survey, Surveyor};
use super::{MOST_FINDINGS, Taken};
use crate::compressed::beginning;
use crate::lint::markdown::Block;

/// How much of a text is judged before its findings are taken, in bytes.
const PIECE: usize = 256 * 1024;

/// Judges fixtures, by one protocol of streams and one of records.
pub struct Linter<'p> {
    /// That of streams, unless all is records.
    pub protocol: &'p Protocol,
    /// Asked for when there are records: most trees have none.
    records: &'p (dyn Fn() -> Option<&'p Protocol> + Sync),
    surveyor: Surveyor<'p>,
}

/// How the fixtures of a file are judged.
#[derive(Clone)]
pub struct Manner {
    /// By the protocol of streams.
    pub settings: Arc<Settings>,
    /// By that of records; the first protocol's where there is none.
    pub of_records: Arc<Settings>,
    /// What is said of stored records.
    pub asked: Asked,
    /// Everything is stored records.
    pub all_records: bool,
    /// Whether it is said that streams are cut-outs, or that they are whole.
    pub decided: Option<bool>,
}

impl Manner {
    fn settings(&self, taken: Taken) -> &Arc<Settings> {
        if taken == Taken::Records { &self.of_records } else { &self.settings }
    }

    /// How an input is read.
    pub fn options(&self, taken: Taken) -> &Options {
        self.settings(taken).options()
    }
}

/// A fixture: a text in memory, and what it was taken for.
pub struct Fixture<'f> {
    /// The file that it is in.
    pub file: &'f Arc<str>,
    /// Its text, decompressed.
    pub text: &'f [u8],
    /// How its compressed form is damaged at the end of the text, if it is.
    pub damaged: Option<&'f str>,
    /// The block of Markdown that it is, if it is one.
    pub block: Option<&'f Block>,
    pub taken: Taken,
    /// Whether that was said; otherwise its content decides whether several events are a whole stream.
    pub is_said: bool,
    pub survey: &'f Survey,
}

/// What is wrong with a fixture.
pub struct Judged {
    /// As it turned out to be.
    pub taken: Taken,
    /// With places in the file.
    pub report: Report,
    /// What tells whether two fixtures are the same.
    pub digest: Option<u64>,
}

impl<'p> Linter<'p> {
    /// `records`: the protocol of records, asked for if it matters.
    pub fn new(protocol: &'p Protocol, records: &'p (dyn Fn() -> Option<&'p Protocol> + Sync)) -> Linter<'p> {
        Linter { protocol, records, surveyor: Surveyor::new(protocol) }
    }

    /// The protocol that judges what is taken for this.
    pub fn protocol_of(&self, taken: Taken) -> &'p Protocol {
        let records = (taken == Taken::Records).then(|| (self.records)()).flatten();
        records.unwrap_or(self.protocol)
    }

    /// Whether a text holds stored records, from how it begins.
    pub fn looks_like_records(&self, text: &[u8], name: &str) -> bool {
        looks_like_records(&beginning(text, BEGINNING), name, self.protocol, self.records)
    }

    /// Looks at what is in a text, if it is to be taken for this.
    pub fn survey(&self, text: &[u8], name: &str, manner: &Manner, taken: Taken) -> Survey {
        let protocol = if taken == Taken::Records { (self.records)() } else { None };
        let records = protocol.and_then(|protocol| Some((protocol, protocol.tables().records.as_ref()?)));
        let sorter = records.map(|(protocol, records)| Sorter::new(protocol, records, manner.asked.kind, Some(name)));
        self.surveyor.survey(text, manner.options(taken), sorter.as_ref())
    }

    /// What fixtures that belong together hold that may be named.
    pub fn known<'f>(&self, records: impl Iterator<Item = (&'f Fixture<'f>, &'f Manner)>) -> Known {
        let Some(mut collector) = (self.records)().and_then(Collector::new) else { return Known::default() };
        for (fixture, manner) in records {
            let mut reading = collector.file(&manner.of_records, manner.asked.kind, Some(fixture.file.clone()));
            reading.feed(fixture.text);
            reading.finish();
        }
        collector.known()
    }

    /// Judges a fixture. `known`: what it and those that belong to it hold that may be named.
    pub fn judge(&self, fixture: &Fixture<'_>, manner: &Manner, known: &Known) -> Judged {
        let (taken, mut report) = match fixture.taken {
            Taken::Records => (Taken::Records, self.records(fixture, manner, known)),
            Taken::Stream if !fixture.is_said => self.by_content(fixture, manner),
            Taken::Stream => (Taken::Stream, self.stream(fixture, &manner.settings, false)),
            cut_out => (cut_out, self.stream(fixture, &manner.settings, true)),
        };
        if taken == Taken::Stream {
            self.frozen_time(fixture, manner, &mut report);
        }
        if let Some(block) = fixture.block {
            report.findings.iter_mut().for_each(|finding| shift(finding, block, fixture.file));
        }
        Judged { taken, report, digest: fixture.survey.digest }
    }

    /// Several events are a whole stream, unless the first of them could not begin one.
    fn by_content(&self, fixture: &Fixture<'_>, manner: &Manner) -> (Taken, Report) {
        let whole = self.stream(fixture, &manner.settings, false);
        let of_first = |finding: &Finding| finding.place.event == Some(0);
        if whole.findings.iter().any(of_first) && !self.may_begin(fixture, manner) {
            return (Taken::Fragment, self.stream(fixture, &manner.settings, true));
        }
        (Taken::Stream, whole)
    }

    /// Whether the first event may begin a whole stream: the checker says of it no more than of one in the middle.
    fn may_begin(&self, fixture: &Fixture<'_>, manner: &Manner) -> bool {
        let Some(first) = &fixture.survey.first else { return true };
        let said = |fragment: bool| {
            let options = manner.settings.options().clone().with_wire(Some(Wire::Json)).with_fragment(fragment);
            let mut checker = Checker::new(self.protocol, options);
            checker.feed(first);
            checker.cut().findings.len()
        };
        said(false) <= said(true)
    }

    fn stream(&self, fixture: &Fixture<'_>, settings: &Settings, fragment: bool) -> Report {
        let settings = settings.with_fragment(fragment);
        let mut checker = Checker::of(self.protocol, &settings, Some(fixture.file.clone()));
        let mut held = Held::default();
        for piece in fixture.text.chunks(PIECE) {
            checker.feed(piece);
            held.add(checker.findings().drain(..));
        }
        held.end(checker.end(fixture.damaged).0, self.protocol, &settings, fixture.file)
    }

    fn records(&self, fixture: &Fixture<'_>, manner: &Manner, known: &Known) -> Report {
        let settings = &manner.of_records;
        let file = Some(fixture.file.clone());
        let protocol = self.protocol_of(Taken::Records);
        let Some(mut checker) = RecordChecker::new(protocol, settings, manner.asked, file, known) else {
            return self.stream(fixture, &manner.settings, false);
        };
        let mut held = Held::default();
        for piece in fixture.text.chunks(PIECE) {
            checker.feed(piece);
            held.add(checker.findings().drain(..));
        }
        held.end(checker.end(fixture.damaged), protocol, settings, fixture.file)
    }

    /// Says of a whole stream that no time passes in it.
    fn frozen_time(&self, fixture: &Fixture<'_>, manner: &Manner, report: &mut Report) {
        let survey = fixture.survey;
        let Some(instant) = survey.instant.as_ref().filter(|_| survey.events >= 3) else { return };
        let rule = Upkeep::FrozenTime;
        let severity = manner.settings.severity(self.protocol, rule.name()).flatten();
        if let (Some(severity), Some(second)) = (severity, &instant.second) {
            let message = format!("all {} events of this stream are at {}", survey.events, instant.written);
            report.summary.count(rule.name(), severity, 1);
            report.findings.push(Finding::of_file(rule.name(), severity, message, fixture.file, second.clone()));
        }
    }
}

/// Makes the places of a finding those of the file that the block is in.
pub(super) fn shift(finding: &mut Finding, block: &Block, file: &Arc<str>) {
    block.shift(&mut finding.place);
    let own = |related: &&mut Related| related.file.as_ref().is_none_or(|name| name == file);
    for related in finding.related.iter_mut().filter(own) {
        block.shift(Arc::make_mut(&mut related.place));
    }
}

/// The findings of a fixture, as many as are listed.
#[derive(Default)]
struct Held {
    findings: Vec<Finding>,
    unlisted: u64,
}

impl Held {
    fn add(&mut self, findings: impl Iterator<Item = Finding>) {
        for finding in findings {
            if self.findings.len() < MOST_FINDINGS {
                self.findings.push(finding);
            } else {
                self.unlisted += 1;
            }
        }
    }

    /// The whole report. What is not listed is counted there, and said.
    fn end(mut self, mut report: Report, protocol: &Protocol, settings: &Settings, file: &Arc<str>) -> Report {
        self.add(std::mem::take(&mut report.findings).into_iter());
        let rule = Framing::CheckSkipped.name();
        let severity: Option<Severity> = settings.severity(protocol, rule).flatten();
        if let (1.., Some(severity), Some(last)) = (self.unlisted, severity, self.findings.last()) {
            let message =
                format!("{} in this fixture, which are counted and not listed", count(self.unlisted, "more finding"));
            let said = Finding::of_file(rule, severity, message, file, last.place.clone());
            report.summary.count(rule, severity, 1);
            self.findings.push(said);
        }
        Report { findings: self.findings, ..report }
    }
}
