//! `sessionlint check`.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::time::Instant;

use clap::builder::PossibleValuesParser;

use super::bar::{self, Bar};
use super::baseline::{Known, KnownArguments};
use super::input::{self, Alike, InputArguments, refuse_nothing, say};
use super::output::{Color, Output, OutputParser, Outputs, Style};
use super::{Exit, Failure, known_rule, meaning};
use crate::check::Options;
use crate::config::{Config, FAIL_ON, SEVERITIES};
use crate::error::RunError;
use crate::finding::Severity;
use crate::protocol::{Protocol, Upkeep};
use crate::report::{End, Reporter, visible};
use crate::run::{Outcome, Progress, Run, Target};

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

    /// How many threads may work; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<u16>>,
}

fn fail_on_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(FAIL_ON.map(|(name, _)| name))
}

pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let (protocol, config) = arguments.input.load()?;
    let options = options(&arguments, &protocol)?;
    let (mut targets, errors) = arguments.input.expand(config.as_ref());
    say(&errors);
    let mut known = Known::open(&arguments.known, &arguments.input.paths, config.as_deref())?;
    let (inputs, config_file) = (&arguments.input.paths, config.as_deref().map(Config::path));
    let outputs = Outputs::open(&arguments.formats, inputs, config_file, known.file.as_deref(), &mut targets)?;
    refuse_nothing(&targets)?;
    let started = Instant::now();
    let bar = (!arguments.quiet && bar::is_seen()).then(Bar::hidden);
    let style = Style { color: arguments.color, all: arguments.all, quiet: arguments.quiet };
    let mut reporter = outputs.reporter(&protocol, style, bar.as_ref())?;
    let options = Options { excerpts: reporter.shows_excerpts(), ..options };
    let settings = Alike::new(&protocol, config.as_deref(), &options, &targets);
    let work =
        Work { arguments: &arguments, protocol: &protocol, settings, targets: &targets, unfound: &errors, started };
    let outcome = work.report(&mut known, &mut reporter, bar.as_ref());
    // Some systems rename no file that is still open.
    drop(reporter);
    let outcome = match outcome {
        // The reader of our output has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Clean),
        other => other?,
    };
    say(&outcome.unreadable);
    outputs.keep()?;
    known.keep()?;
    let given = arguments.fail_on.as_deref().and_then(|word| meaning(&FAIL_ON, word));
    let fail_on = given.or(config.and_then(|config| config.fail_on)).unwrap_or(Some(Severity::Error));
    Ok(exit(fail_on, &outcome, errors.is_empty()))
}

/// What there is to do.
struct Work<'w> {
    arguments: &'w Arguments,
    protocol: &'w Protocol,
    settings: Alike,
    targets: &'w [Target],
    /// What was to be checked, and was not found.
    unfound: &'w [RunError],
    started: Instant,
}

impl Work<'_> {
    fn report(
        &self,
        known: &mut Known,
        reporter: &mut (dyn Reporter + Send),
        bar: Option<&Bar>,
    ) -> Result<Outcome, Failure> {
        let Work { arguments, protocol, ref settings, targets, unfound, started } = *self;
        reporter.begin()?;
        let run = Run {
            protocol,
            settings: &settings.of_targets,
            stale: settings.usual.severity(protocol, Upkeep::StaleBaseline.name()).flatten(),
            max_findings: arguments.max_findings,
            jobs: arguments.jobs.map_or_else(input::cores, |jobs| usize::from(jobs.get())),
            progress: &Progress::default(),
            exercises: false,
        };
        let mut check = || run.check(targets, known.baseline.as_mut(), reporter);
        let outcome = match bar {
            Some(bar) => bar.during(run.progress, targets, check)?,
            None => check()?,
        };
        let recorded = known.write()?;
        let stats = arguments.stats.then_some(&outcome.stats);
        let Outcome { summary, hidden, .. } = &outcome;
        let end =
            End { summary, stats, hidden: *hidden, recorded: recorded.as_deref(), unfound, elapsed: started.elapsed() };
        reporter.end(&end)?;
        Ok(outcome)
    }
}

fn exit(fail_on: Option<Severity>, outcome: &Outcome, found_all: bool) -> Exit {
    let failing = fail_on.map_or(0, |least| outcome.summary.at_least(least));
    if !found_all || !outcome.unreadable.is_empty() {
        Exit::Usage
    } else if failing > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

fn options(arguments: &Arguments, protocol: &Protocol) -> Result<Options, Failure> {
    let mut severities = BTreeMap::new();
    for setting in &arguments.rules {
        let (name, severity) = setting.split_once('=').ok_or_else(|| {
            Failure::Message(format!("--rule takes NAME=SEVERITY, such as {}=warning", visible(setting)))
        })?;
        let severity = meaning(&SEVERITIES, severity).ok_or_else(|| {
            let (setting, severity) = (visible(setting), visible(severity));
            Failure::Message(format!(
                "--rule {setting}: {severity} is no severity; there are error, warning, note and off"
            ))
        })?;
        severities.insert(known_rule(protocol, name)?.name.to_string(), severity);
    }
    Ok(Options { severities, ..arguments.input.options() })
}
