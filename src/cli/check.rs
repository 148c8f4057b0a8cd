//! `sessionlint check`.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::sync::OnceLock;
use std::time::Instant;

use clap::builder::PossibleValuesParser;

use super::bar::{self, Bar};
use super::baseline::{Known, KnownArguments};
use super::input::{self, Alike, InputArguments, refuse_nothing, say};
use super::output::{Color, Console, Output, OutputParser, Outputs, Style};
use super::{Exit, Failure, follow, known_rule, meaning};
use crate::check::Options;
use crate::config::{Config, FAIL_ON, SEVERITIES};
use crate::error::RunError;
use crate::finding::{Severity, Summary};
use crate::protocol::{Protocol, Rulebook, Upkeep};
use crate::records::Asked;
use crate::report::{End, Reporter, visible};
use crate::run::{Growing, Outcome, Progress, RecordProtocol, Run, Stored, Target};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    input: InputArguments,

    /// What to print, or with =FILE to write to a file; several times for several reports
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    formats: Vec<Output>,

    /// The least severity that makes the exit code 1; error if neither this nor sessionlint.toml says
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on_parser())]
    fail_on: Option<String>,

    #[command(flatten)]
    known: KnownArguments,

    /// Change a rule's severity: error, warning, note or off
    #[arg(long = "rule", value_name = "NAME=SEVERITY")]
    rules: Vec<String>,

    /// Show every finding; many of one kind fold into one otherwise
    #[arg(long)]
    all: bool,

    /// Show no more findings than this; all of them count
    #[arg(long, value_name = "N")]
    max_findings: Option<u64>,

    /// Count events by type, turns, tool calls, bytes and time
    #[arg(long)]
    stats: bool,

    /// When to use colours; NO_COLOR is respected
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,

    /// Leave the summary out
    #[arg(short, long)]
    quiet: bool,

    /// The kind of the stored records whose container does not tell it, such as session
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// All stored records are there: what one names and is not there is missing
    #[arg(long)]
    complete: bool,

    /// Watch one file that grows and tell findings at once, until an interrupt (Ctrl-C)
    #[arg(long)]
    follow: bool,

    /// How many threads may work; as many as there are cores if not given
    #[arg(long, value_name = "N", value_parser = threads)]
    jobs: Option<NonZero<u16>>,
}

pub fn threads(text: &str) -> Result<NonZero<u16>, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}", u16::MAX))
}

/// What fails a run that watches or drives a producer.
#[derive(clap::Args)]
pub struct FailingArguments {
    /// The least severity that fails; error if neither this nor sessionlint.toml says
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on_parser())]
    fail_on: Option<String>,

    /// Change a rule's severity: error, warning, note or off
    #[arg(long = "rule", value_name = "NAME=SEVERITY")]
    rules: Vec<String>,
}

impl FailingArguments {
    /// The least severity that fails; none: nothing does.
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

pub fn fail_on_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(FAIL_ON.map(|(name, _)| name))
}

pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let (protocol, config) = arguments.input.load()?;
    let options = options(&arguments, protocol.rules_of_run())?;
    let growing = match arguments.follow {
        true if arguments.kind.is_some() || arguments.complete => return Err(follow::not_of_records()),
        true => Some(follow::open(&arguments.input.paths, &protocol)?),
        false => None,
    };
    let (mut targets, errors) = arguments.input.expand(config.as_ref());
    say(&errors);
    let mut known = Known::open(&arguments.known, &arguments.input.paths, config.as_deref(), &mut targets)?;
    let outputs = Outputs::open(
        &arguments.formats,
        Console::StandardOutput,
        &arguments.input.paths,
        config.as_deref().map(Config::path),
        known.file.as_deref(),
        &mut targets,
    )?;
    refuse_nothing(&targets, &errors)?;
    let started = Instant::now();
    let given = arguments.fail_on.as_deref().and_then(|word| meaning(&FAIL_ON, word));
    let fail_on = given.or(config.as_ref().and_then(|config| config.fail_on)).unwrap_or(Some(Severity::Error));
    let bar = (!arguments.quiet && growing.is_none() && bar::is_seen()).then(Bar::hidden);
    let style = Style { color: arguments.color, all: arguments.all || arguments.follow, quiet: arguments.quiet };
    let mut reporter = outputs.reporter(protocol.rules_of_run(), style, bar.as_ref())?;
    if arguments.known.records() {
        reporter.go_on_unread();
    }
    let options = Options { excerpts: reporter.shows_excerpts(), ..options };
    let settings = Alike::new(&protocol, config.as_deref(), &options, &targets);
    let records = match protocol.is_of_records() {
        true => Some(RecordProtocol::Loaded(&protocol)),
        false => protocol.beside().map(RecordProtocol::Later),
    };
    let asked = asked(&arguments, records)?;
    let all = protocol.is_of_records() || asked.kind.is_some();
    // Most runs have no stored records, and do not wait for what these would need.
    let stored_alike = OnceLock::new();
    let of_target = |number: usize| {
        let judging = || records.and_then(RecordProtocol::get).unwrap_or(&protocol);
        let alike = stored_alike.get_or_init(|| Alike::new(judging(), config.as_deref(), &options, &targets));
        alike.of_targets[number].clone()
    };
    let stored = records.map(|protocol| Stored { protocol, settings: &of_target, asked, all });
    let work = Work {
        arguments: &arguments,
        protocol: &protocol,
        settings,
        stored,
        targets: &targets,
        unfound: &errors,
        started,
    };
    let outcome = work.report(growing, &mut known, &mut reporter, bar.as_ref());
    let worst = reporter.worst();
    // Some systems rename no file that is still open.
    drop(reporter);
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

/// What there is to do.
struct Work<'w> {
    arguments: &'w Arguments,
    protocol: &'w Protocol,
    settings: Alike,
    stored: Option<Stored<'w>>,
    targets: &'w [Target],
    /// What was to be checked, and was not found.
    unfound: &'w [RunError],
    started: Instant,
}

impl Work<'_> {
    fn report(
        &self,
        growing: Option<Growing>,
        known: &mut Known,
        reporter: &mut (dyn Reporter + Send),
        bar: Option<&Bar>,
    ) -> Result<Outcome, Failure> {
        let Work { arguments, protocol, ref settings, stored, targets, unfound, started } = *self;
        reporter.begin()?;
        let run = Run {
            protocol,
            settings: &settings.of_targets,
            stored,
            stale: settings.usual.severity(protocol, Upkeep::StaleBaseline.name()).flatten(),
            max_findings: arguments.max_findings,
            jobs: arguments.jobs.map_or_else(input::cores, |jobs| usize::from(jobs.get())),
            progress: &Progress::default(),
            exercises: false,
        };
        let baseline = known.baseline.as_mut();
        let outcome = match (growing, bar) {
            (Some(mut growing), _) => {
                let (outcome, told) = run.watch(&growing.name(), &mut growing, baseline, reporter);
                told.map(|()| outcome)?
            }
            (None, Some(bar)) => bar.during(run.progress, targets, || run.check(targets, baseline, reporter))?,
            (None, None) => run.check(targets, baseline, reporter)?,
        };
        let recorded = known.write()?;
        let stats = arguments.stats.then_some(&outcome.stats);
        let Outcome { summary, hidden, .. } = &outcome;
        let end = End {
            summary,
            stats,
            hidden: *hidden,
            recorded: recorded.as_deref(),
            reconciled: None,
            unfound,
            elapsed: started.elapsed(),
        };
        match reporter.end(&end) {
            // All was judged: that nobody reads the end changes nothing.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(outcome),
            told => told.map(|()| outcome).map_err(Failure::Output),
        }
    }
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

fn options(arguments: &Arguments, rules: Rulebook<'_>) -> Result<Options, Failure> {
    Ok(Options { severities: severities(&arguments.rules, rules)?, ..arguments.input.reading.options() })
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

/// What the caller says of stored records.
fn asked(arguments: &Arguments, records: Option<RecordProtocol<'_>>) -> Result<Asked, Failure> {
    let none = || Failure::Message("--kind goes with stored records, and this protocol is one of events".to_owned());
    if arguments.complete && records.is_none() {
        let message = "--complete goes with stored records, and this protocol is one of events";
        return Err(Failure::Message(message.to_owned()));
    }
    let kind = match &arguments.kind {
        None => None,
        Some(kind) => kind_of(Some(kind), records.and_then(RecordProtocol::get).ok_or_else(none)?)?,
    };
    Ok(Asked { kind, complete: arguments.complete })
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
