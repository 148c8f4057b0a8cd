//! How what was read is judged and reported: what `check` and `lint` have in common.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::sync::OnceLock;
use std::time::Instant;

use clap::builder::PossibleValuesParser;
use sessionlint_core::event::Options;
use sessionlint_core::finding::{Severity, Summary};
use sessionlint_core::protocol::{Protocol, Rulebook, Upkeep};
use sessionlint_core::records::Asked;
use sessionlint_core::text::visible;

use super::bar::{self, Bar};
use super::baseline::{Known, KnownArguments};
use super::config::Chosen;
use super::input::{Alike, InputArguments, cores, refuse_nothing, say};
use super::output::{Color, Console, Output, OutputParser, Outputs, Style};
use super::{Exit, Failure, known_rule, meaning};
use crate::config::baseline::Baseline;
use crate::config::{Config, FAIL_ON, SEVERITIES};
use crate::error::RunError;
use crate::lint::LintSummary;
use crate::report::{MultiReporter, Reporter, RunEnd};
use crate::run::{Outcome, Progress, RecordProtocol, RecordSettings, Run, Target};

#[derive(clap::Args)]
pub struct JudgingArguments {
    #[command(flatten)]
    pub input: InputArguments,

    /// What to print, or with =FILE to write to a file; several times for several reports
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    formats: Vec<Output>,

    #[command(flatten)]
    failing: FailingArguments,

    #[command(flatten)]
    known: KnownArguments,

    /// Show every finding; many of one kind fold into one otherwise
    #[arg(long)]
    pub all: bool,

    #[command(flatten)]
    pub shown: ShownArguments,

    #[command(flatten)]
    pub records: RecordArguments,

    /// How many threads may work; as many as there are cores if not given
    #[arg(long, value_name = "N", value_parser = threads)]
    jobs: Option<NonZero<u16>>,
}

/// What fails a run.
#[derive(clap::Args)]
pub struct FailingArguments {
    /// The least severity that makes the exit code 1; error if neither this nor sessionlint.toml says
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on_parser())]
    fail_on: Option<String>,

    /// Change a rule's severity: error, warning, note or off
    #[arg(long = "rule", value_name = "NAME=SEVERITY")]
    rules: Vec<String>,
}

/// How much of what was found is shown, wherever that is.
#[derive(clap::Args)]
pub struct ShownArguments {
    /// Show no more findings than this; all of them count
    #[arg(long, value_name = "N")]
    pub max_findings: Option<u64>,

    /// When to use colours; NO_COLOR is respected
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,

    /// Leave the summary out
    #[arg(short, long)]
    pub quiet: bool,
}

/// What is said of stored records.
#[derive(clap::Args)]
pub struct RecordArguments {
    /// The kind of the stored records whose container does not tell it, such as session
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// All stored records are there: what one names and is not there is missing
    #[arg(long)]
    pub complete: bool,
}

pub fn threads(text: &str) -> Result<NonZero<u16>, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}", u16::MAX))
}

pub fn fail_on_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(FAIL_ON.map(|(name, _)| name))
}

impl FailingArguments {
    /// The least severity that fails the run; none: nothing does.
    pub fn fail_on(&self, config: Option<&Config>) -> Option<Severity> {
        let given = self.fail_on.as_deref().and_then(|word| meaning(&FAIL_ON, word));
        given.or(config.and_then(|config| config.fail_on)).unwrap_or(Some(Severity::Error))
    }

    /// The severities that are changed.
    pub fn severities(&self, rules: Rulebook<'_>) -> Result<BTreeMap<String, Option<Severity>>, Failure> {
        severities(&self.rules, rules)
    }

    /// The same words again.
    #[cfg(feature = "proptest")]
    pub fn as_given(&self) -> Vec<String> {
        let rules = self.rules.iter().flat_map(|rule| ["--rule".to_owned(), rule.clone()]);
        rules.chain(self.fail_on.iter().flat_map(|least| ["--fail-on".to_owned(), least.clone()])).collect()
    }
}

impl JudgingArguments {
    /// How inputs are read and judged.
    pub fn options(&self, rules: Rulebook<'_>) -> Result<Options, Failure> {
        Ok(self.input.reading.options().with_severities(self.failing.severities(rules)?))
    }

    /// How many threads may work.
    fn jobs(&self) -> usize {
        self.jobs.map_or_else(cores, |jobs| usize::from(jobs.get()))
    }
}

impl RecordArguments {
    /// Whether anything is said.
    pub fn are_said(&self) -> bool {
        self.kind.is_some() || self.complete
    }

    /// The words of each that is said.
    pub fn as_given(&self) -> Vec<Vec<String>> {
        let kind = self.kind.iter().map(|kind| vec!["--kind".to_owned(), kind.clone()]);
        kind.chain(self.complete.then(|| vec!["--complete".to_owned()])).collect()
    }

    /// What they say of the records of a run.
    pub fn asked(&self, records: Option<RecordProtocol<'_>>) -> Result<Asked, Failure> {
        let none =
            || Failure::Message("--kind goes with stored records, and this protocol is one of events".to_owned());
        if self.complete && records.is_none() {
            let message = "--complete goes with stored records, and this protocol is one of events";
            return Err(Failure::Message(message.to_owned()));
        }
        let kind = match &self.kind {
            None => None,
            Some(kind) => kind_of(Some(kind), records.and_then(RecordProtocol::get).ok_or_else(none)?)?,
        };
        Ok(Asked { kind, complete: self.complete })
    }
}

/// What `--rule` says.
pub fn severities(settings: &[String], rules: Rulebook<'_>) -> Result<BTreeMap<String, Option<Severity>>, Failure> {
    let mut severities = BTreeMap::new();
    for setting in settings {
        let (name, severity) = setting.split_once('=').ok_or_else(|| {
            Failure::Message(format!("--rule takes NAME=SEVERITY, such as {}=warning", visible(setting)))
        })?;
        let severity = meaning(&SEVERITIES, severity).ok_or_else(|| {
            let (setting, severity) = (visible(setting), visible(severity));
            Failure::Message(format!(
                "--rule {setting}: {severity} is no severity; there are error, warning, note and off"
            ))
        })?;
        severities.insert(known_rule(rules, name)?.1.name.to_string(), severity);
    }
    Ok(severities)
}

/// The kind of record that `--kind` says.
pub fn kind_of(kind: Option<&str>, protocol: &Protocol) -> Result<Option<usize>, Failure> {
    let Some(kind) = kind else { return Ok(None) };
    let kinds: Vec<_> = protocol.kinds().collect();
    let found = kinds.iter().find(|(_, name)| *name == kind).map(|(id, _)| *id);
    found.map(Some).ok_or_else(|| {
        let names: Vec<_> = kinds.iter().map(|(_, name)| *name).collect();
        Failure::Message(format!("{} is no kind of record; there are {}", visible(kind), names.join(", ")))
    })
}

/// `all_read`: whether everything was found that was named, and could be read.
pub fn exit(fail_on: Option<Severity>, summary: &Summary, all_read: bool) -> Exit {
    let failing = fail_on.map_or(0, |least| summary.at_least(least));
    match (all_read, failing) {
        (false, _) => Exit::Usage,
        (true, 1..) => Exit::Findings,
        (true, 0) => Exit::Clean,
    }
}

/// A run, as the command line asks for it.
pub struct Job<'j> {
    pub judging: &'j JudgingArguments,
    pub protocol: &'j Chosen,
    pub config: Option<&'j Config>,
    pub options: Options,
    /// Whether every finding is shown by itself.
    pub all: bool,
    /// Whether it shows how far it has come, where somebody sees that.
    pub shows_progress: bool,
    /// What of a folder is looked at besides recordings.
    pub besides: &'static str,
}

/// What a run has found to do.
pub struct Work<'w> {
    pub run: Run<'w>,
    pub targets: &'w [Target],
    pub options: &'w Options,
    /// The protocol of records, if there is one.
    pub records: Option<RecordProtocol<'w>>,
}

/// What was done.
pub struct Done {
    pub outcome: Outcome,
    pub linted: Option<LintSummary>,
    pub shows_stats: bool,
}

impl Job<'_> {
    /// Opens what is written, does the work, and closes it. `found`: what the paths name, and what was not found.
    pub fn run(
        self,
        (mut targets, errors): (Vec<Target>, Vec<RunError>),
        work: impl FnOnce(&Work<'_>, Option<&mut Baseline>, &mut MultiReporter<'_>, Option<&Bar>) -> Result<Done, Failure>,
    ) -> Result<Exit, Failure> {
        let Job { judging, protocol, config, options, .. } = self;
        let JudgingArguments { input, shown, .. } = judging;
        say(&errors);
        let mut known = Known::open(&judging.known, &input.paths, config, &mut targets)?;
        let (console, config_file) = (Console::StandardOutput, config.map(Config::path));
        let outputs =
            Outputs::open(&judging.formats, console, &input.paths, config_file, known.file.as_deref(), &mut targets)?;
        refuse_nothing(&targets, &errors, self.besides)?;
        let started = Instant::now();
        let bar = (!shown.quiet && self.shows_progress && bar::is_seen()).then(Bar::hidden);
        let style = Style { color: shown.color, all: self.all, quiet: shown.quiet };
        let mut reporter = outputs.reporter(protocol.rules_of_run(), style, bar.as_ref())?;
        if judging.known.records() {
            reporter.ignore_closed_readers();
        }
        let options = options.with_excerpts(reporter.shows_excerpts());
        let settings = Alike::new(protocol, config, &options, &targets);
        let records = protocol.records();
        let asked = judging.records.asked(records)?;
        let all = protocol.is_of_records() || asked.kind.is_some();
        // Most runs have no stored records, and do not wait for what these would need.
        let stored_alike = OnceLock::new();
        let of_target = |number: usize| {
            let of_records = || records.and_then(RecordProtocol::get).unwrap_or(protocol);
            let alike = stored_alike.get_or_init(|| Alike::new(of_records(), config, &options, &targets));
            alike.of_targets[number].clone()
        };
        let run = Run {
            protocol,
            settings: &settings.of_targets,
            stored: records.map(|protocol| RecordSettings { protocol, settings: &of_target, asked, all }),
            stale: settings.usual.severity(protocol, Upkeep::StaleBaseline.name()).flatten(),
            max_findings: shown.max_findings,
            jobs: judging.jobs(),
            progress: &Progress::default(),
            exercises: false,
        };
        let found = Work { run, targets: &targets, options: &options, records };
        let outcome = reported(&found, &errors, started, &mut known, &mut reporter, bar.as_ref(), work);
        let worst = reporter.worst();
        // Some systems rename no file that is still open.
        drop(reporter);
        let fail_on = judging.failing.fail_on(config);
        let outcome = match outcome {
            // The reader of our output has seen enough. What it was told counts all the same.
            Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                let failed = fail_on.is_some_and(|least| worst >= Some(least));
                return Ok(match (errors.is_empty(), failed) {
                    (false, _) => Exit::Usage,
                    (true, true) => Exit::Findings,
                    (true, false) => Exit::Clean,
                });
            }
            other => other?,
        };
        say(&outcome.unreadable);
        outputs.keep()?;
        known.keep()?;
        Ok(exit(fail_on, &outcome.summary, errors.is_empty() && outcome.unreadable.is_empty()))
    }
}

/// Does the work and tells its end.
fn reported(
    found: &Work<'_>,
    unfound: &[RunError],
    started: Instant,
    known: &mut Known,
    reporter: &mut MultiReporter<'_>,
    bar: Option<&Bar>,
    work: impl FnOnce(&Work<'_>, Option<&mut Baseline>, &mut MultiReporter<'_>, Option<&Bar>) -> Result<Done, Failure>,
) -> Result<Outcome, Failure> {
    reporter.begin()?;
    let Done { outcome, linted, shows_stats } = work(found, known.baseline.as_mut(), reporter, bar)?;
    let recorded = known.write()?;
    let end = RunEnd {
        summary: &outcome.summary,
        stats: shows_stats.then_some(&outcome.stats),
        hidden: outcome.hidden,
        recorded: recorded.as_deref(),
        reconciled: None,
        linted: linted.as_ref(),
        unfound,
        elapsed: started.elapsed(),
    };
    match reporter.end(&end) {
        // All was judged: that nobody reads the end changes nothing.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(outcome),
        told => told.map(|()| outcome).map_err(Failure::Output),
    }
}
