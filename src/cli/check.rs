//! `sessionlint check`.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;

use super::bar::{self, Bar};
use super::input::{self, InputArguments, refuse_nothing, say};
use super::output::{Color, Output, OutputParser, Outputs, Style};
use super::{Exit, Failure, ProtocolArgument, known_rule};
use crate::check::Options;
use crate::error::RunError;
use crate::finding::Severity;
use crate::protocol::Protocol;
use crate::report::{End, Reporter, visible};
use crate::run::{Outcome, Progress, Run, Target, expand};

#[derive(clap::Args)]
pub struct Arguments {
    /// Files, folders, patterns; `-` is standard input
    #[arg(value_name = "PATHS", default_value = ".")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    protocol: ProtocolArgument,

    #[command(flatten)]
    input: InputArguments,

    /// What to print, or with =FILE to write to a file; several times for several reports
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    formats: Vec<Output>,

    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    fail_on: FailOn,

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let protocol = arguments.protocol.load()?;
    let options = options(&arguments, &protocol)?;
    let (mut targets, errors) = expand(&arguments.paths);
    say(&errors);
    let outputs = Outputs::open(&arguments.formats, &arguments.paths, &mut targets)?;
    refuse_nothing(&targets)?;
    let started = Instant::now();
    let bar = (!arguments.quiet && bar::is_seen()).then(Bar::hidden);
    let style = Style { color: arguments.color, all: arguments.all, quiet: arguments.quiet };
    let mut reporter = outputs.reporter(&protocol, style, bar.as_ref())?;
    let work = Work { arguments: &arguments, protocol: &protocol, targets: &targets, unfound: &errors, started };
    let outcome = work.report(options, &mut reporter, bar.as_ref());
    // Some systems rename no file that is still open.
    drop(reporter);
    let outcome = match outcome {
        // The reader of our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Clean),
        other => other?,
    };
    say(&outcome.unreadable);
    outputs.keep()?;
    Ok(exit(&arguments, &outcome, errors.is_empty()))
}

/// What there is to do.
struct Work<'w> {
    arguments: &'w Arguments,
    protocol: &'w Protocol,
    targets: &'w [Target],
    /// What was to be checked, and was not found.
    unfound: &'w [RunError],
    started: Instant,
}

impl Work<'_> {
    fn report(&self, options: Options, reporter: &mut (dyn Reporter + Send), bar: Option<&Bar>) -> io::Result<Outcome> {
        let Work { arguments, protocol, targets, unfound, started } = *self;
        let options = Options { excerpts: reporter.shows_excerpts(), ..options };
        reporter.begin()?;
        let jobs = arguments.jobs.map_or_else(input::cores, |jobs| usize::from(jobs.get()));
        let progress = Progress::default();
        let run = Run {
            protocol,
            options,
            max_findings: arguments.max_findings,
            jobs,
            progress: &progress,
            exercises: false,
        };
        let mut check = || run.check(targets, reporter);
        let outcome = match bar {
            Some(bar) => bar.during(&progress, targets, check)?,
            None => check()?,
        };
        let stats = arguments.stats.then_some(&outcome.stats);
        let Outcome { summary, hidden, .. } = &outcome;
        let end = End { summary, stats, hidden: *hidden, unfound, elapsed: started.elapsed() };
        reporter.end(&end)?;
        Ok(outcome)
    }
}
fn exit(arguments: &Arguments, outcome: &Outcome, found_all: bool) -> Exit {
    let failing = match arguments.fail_on {
        FailOn::Error => outcome.summary.at_least(Severity::Error),
        FailOn::Warning => outcome.summary.at_least(Severity::Warning),
        FailOn::Note => outcome.summary.at_least(Severity::Note),
        FailOn::Never => 0,
    };
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
        let severity = match severity {
            "error" => Some(Severity::Error),
            "warning" => Some(Severity::Warning),
            "note" => Some(Severity::Note),
            "off" => None,
            other => {
                let other = visible(other);
                return Err(Failure::Message(format!(
                    "{other} is no severity; there are error, warning, note and off"
                )));
            }
        };
        severities.insert(known_rule(protocol, name)?.name.to_string(), severity);
    }
    Ok(Options { severities, ..arguments.input.options() })
}
