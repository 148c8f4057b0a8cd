//! `sessionlint check`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::builder::PossibleValuesParser;

use super::bar::{self, Bar};
use super::baseline::{Known, KnownArguments};
use super::config::ProtocolArgument;
use super::output::{Color, Output, OutputParser, Outputs, Style};
use super::{Exit, Failure, known_rule};
use crate::check::{Options, Settings};
use crate::config::{Config, FAIL_ON, SEVERITIES};
use crate::error::RunError;
use crate::finding::Severity;
use crate::input::Wire;
use crate::protocol::{Protocol, Upkeep};
use crate::report::{End, Reporter, visible};
use crate::run::{Excluded, Outcome, Progress, Run, Target, expand};

#[derive(clap::Args)]
pub struct Arguments {
    /// Files, folders, patterns; `-` is standard input
    #[arg(value_name = "PATHS", default_value = ".")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    protocol: ProtocolArgument,

    /// The form of the input; found from its content if not given
    #[arg(long, value_name = "FORM", value_parser = wire_parser())]
    wire: Option<String>,

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

    /// The input is a cut-out: nothing is known of what came before, and its end means nothing
    #[arg(long)]
    fragment: bool,

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

    /// The longest event that is read, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_line_bytes)]
    max_line_bytes: usize,

    /// The most text that is kept of a turn to compare with its final message, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_text_bytes)]
    max_text_bytes: usize,

    /// The most streams that are kept at once
    #[arg(long, value_name = "N", default_value_t = Options::default().max_streams)]
    max_streams: usize,
}

fn wire_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(Wire::ALL.map(|(name, _)| name))
}

fn fail_on_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(FAIL_ON.map(|(name, _)| name))
}

pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let (protocol, config) = arguments.protocol.load(&arguments.paths)?;
    let config = config.map(Arc::new);
    let options = options(&arguments, &protocol)?;
    let excluding = config.clone();
    let excluded: Excluded =
        Arc::new(move |path, is_folder| excluding.as_ref().is_some_and(|config| config.excludes(path, is_folder)));
    let (mut targets, errors) = expand(&arguments.paths, &excluded);
    say(&errors);
    let mut known = Known::open(&arguments.known, &arguments.paths, config.as_deref())?;
    let outputs = Outputs::open(&arguments.formats, &arguments.paths, known.file.as_deref(), &mut targets)?;
    if targets.is_empty() {
        let help = "a folder is searched for .ndjson .jsonl .json .sse .log, also with .gz or .zst; \
                    what is hidden or left out by .gitignore, or by exclude in sessionlint.toml, is passed over";
        return Err(Failure::Message(format!("there is nothing to check; {help}")));
    }
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

/// The settings of each target, made once for all that are judged alike.
struct Alike {
    of_targets: Vec<Arc<Settings>>,
    /// What holds where no override does.
    usual: Arc<Settings>,
}

impl Alike {
    fn new(protocol: &Protocol, config: Option<&Config>, given: &Options, targets: &[Target]) -> Alike {
        let mut made: HashMap<Vec<usize>, Arc<Settings>> = HashMap::new();
        let mut make = |overrides: Vec<usize>| {
            let new = |overrides: &Vec<usize>| {
                let options = config.map_or_else(|| given.clone(), |config| config.under(given, overrides));
                Arc::new(Settings::new(protocol, options))
            };
            made.entry(overrides).or_insert_with_key(new).clone()
        };
        let overrides = |target: &Target| match (config, target) {
            (Some(config), Target::File(file)) => config.overrides_for(file),
            _ => Vec::new(),
        };
        let of_targets = targets.iter().map(|target| make(overrides(target))).collect();
        Alike { of_targets, usual: make(Vec::new()) }
    }
}

/// Says what could not be checked. What causes it may hold names from the disk.
fn say(errors: &[RunError]) {
    for error in errors {
        anstream::eprintln!("sessionlint: {}", visible(&error.to_string()));
    }
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
            jobs: arguments.jobs.map_or_else(cores, |jobs| usize::from(jobs.get())),
            progress: &Progress::default(),
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

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// What a word means in a list of words.
fn meaning<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
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
            let severity = visible(severity);
            Failure::Message(format!("{severity} is no severity; there are error, warning, note and off"))
        })?;
        severities.insert(known_rule(protocol, name)?.name.to_string(), severity);
    }
    Ok(Options {
        file: None,
        wire: arguments.wire.as_deref().and_then(|word| meaning(&Wire::ALL, word)),
        fragment: arguments.fragment,
        severities,
        max_line_bytes: arguments.max_line_bytes,
        max_text_bytes: arguments.max_text_bytes,
        max_streams: arguments.max_streams,
        excerpts: true,
    })
}
