//! `sessionlint fuzz`: runs a producer with many inputs, and saves and reports its failures.

mod replay;
mod report;
mod setup;

use std::ffi::OsString;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use report::FuzzReport;
use serde_json::Value;
use sessionlint_core::text::{count, visible};
use setup::{ProducerArguments, ProducerSetup};

use super::bar::{self, Bar, ProgressSource};
use super::config::{ProtocolChoice, report_file_error};
use super::input::{ReadingArguments, cores};
use super::judging::{SeverityArguments, parse_threads};
use super::output::{Color, Console, Output, OutputParser, Outputs};
use super::output_file::NamedRoots;
use super::{CliError, Exit};
use crate::config::{self, Config};
use crate::drive::duration;
use crate::drive::failure_folder::{self, FailureWriter, SavedFailure, failure_folder};
use crate::drive::inputs::{Inputs, read_seeds};
use crate::drive::interrupts::InterruptHandler;
use crate::drive::producer::StopFlag;
use crate::drive::search::{Failure, Search, SearchProgress, SearchResult};
use crate::drive::shrink::Harness;
use crate::drive::verdict::{CaseSettings, Judge};
use crate::error::{FileError, display_path};

/// The number of cases if neither `--cases` nor `--time` is given.
const CASES: u64 = 500;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    producer: ProducerArguments,

    /// JSON Schema of the inputs, each of which is a value that it allows, on one line
    #[arg(long, value_name = "FILE", conflicts_with = "inputs")]
    input_schema: Option<PathBuf>,

    /// Folder with one input per file: these are run first, and then mutations of them
    #[arg(long, value_name = "DIR")]
    inputs: Option<PathBuf>,

    /// Number of cases [default: 500 unless --time is given]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cases: Option<u64>,

    /// Time for running cases, such as 30s or 5m; failures are shrunk afterwards
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    time: Option<Duration>,

    /// Stop after this number of different failures
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    stop_after: Option<NonZero<usize>>,

    /// Seed of the inputs; the same seed gives the same inputs
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// Number of cases to run at once [default: number of cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    jobs: Option<NonZero<u16>>,

    /// Folder in which failures are saved, each in a folder of its own
    #[arg(long, value_name = "DIR", default_value = "sessionlint-failures")]
    failures: PathBuf,

    /// Replay one saved failure, or a folder of them, and report which are fixed
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["input_schema", "inputs", "cases", "time", "stop_after", "seed", "failures"]
    )]
    replay: Option<PathBuf>,

    #[command(flatten)]
    reading: ReadingArguments,

    /// Format of the report, written to a file with =FILE; repeat for several reports [default: human, or agent where a
    /// coding agent runs the program] [env: SESSIONLINT_FORMAT]
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser::default())]
    formats: Vec<Output>,

    #[command(flatten)]
    failing: SeverityArguments,

    /// When to use colours; `auto` respects NO_COLOR
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,

    /// Omit the summary and the progress bar
    #[arg(short, long)]
    quiet: bool,

    /// The producer and its arguments, started once for each case
    #[arg(value_name = "COMMAND", last = true)]
    command: Vec<OsString>,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| duration::HELP.to_owned())
}

fn parse_positive(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| "it must be a whole number, at least 1".to_owned())
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (protocol, config) = arguments.reading.protocol.load_here()?;
    if protocol.is_of_records() {
        let message = "producers emit events, but this protocol is for stored records";
        return Err(CliError::Message(message.to_owned()));
    }
    let judge = build_judge(arguments, &protocol, config.as_ref())?;
    let config_file = config.as_ref().map(Config::path);
    let wanted = Output::chosen(&arguments.formats, false)?;
    let outputs = Outputs::open(&wanted, Console::StandardOutput, &[], config_file, None, &mut Vec::new())?;
    let report = FuzzReport { rules: protocol.rules_of_run(), color: arguments.color };
    let exit = match &arguments.replay {
        Some(folder) => replay::run(arguments, folder, &judge, &report, outputs)?,
        None => search(arguments, &judge, &report, outputs)?,
    };
    let in_dialect = judge.in_dialect.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(if protocol.note_dialect(&in_dialect) { exit } else { Exit::Usage })
}

/// Installs the interrupt handler: from here on, an interrupt ends the run in an orderly way instead of killing the
/// program.
fn catch_interrupts() -> Result<(Arc<StopFlag>, InterruptHandler), CliError> {
    let stop = Arc::new(StopFlag::default());
    let handler = InterruptHandler::install(Arc::clone(&stop));
    let handler = handler.map_err(|error| CliError::Message(format!("interrupts cannot be handled: {error}")))?;
    Ok((stop, handler))
}

fn build_judge<'p>(
    arguments: &Arguments,
    protocol: &'p ProtocolChoice,
    config: Option<&Config>,
) -> Result<Judge<'p>, CliError> {
    let severities = arguments.failing.severities(protocol.rules_of_run())?;
    let options = protocol.with_candidates(arguments.reading.options().with_severities(severities));
    let options = config.map_or(options.clone(), |config| config.merge(&options, &[]));
    let candidates = protocol.candidates();
    let settings = |excerpts| CaseSettings::new(options.clone().with_excerpts(excerpts), candidates.len());
    let fail_on = arguments.failing.fail_on(config);
    Ok(Judge { candidates, quick: settings(false), reported: settings(true), fail_on, in_dialect: Mutex::default() })
}

/// Returns the command that replays the failure in a folder with the same options for judging.
fn replay_command(arguments: &Arguments, folder: &Path) -> String {
    let mut words: Vec<String> = ["sessionlint", "fuzz", "--replay"].map(str::to_owned).to_vec();
    words.push(folder.to_string_lossy().into_owned());
    words.extend(arguments.reading.as_given());
    words.extend(arguments.failing.as_given());
    words.extend(arguments.producer.replay_words());
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

fn search(
    arguments: &Arguments,
    judge: &Judge<'_>,
    report: &FuzzReport<'_>,
    outputs: Outputs,
) -> Result<Exit, CliError> {
    let setup = ProducerSetup::from_arguments(&arguments.producer, &arguments.command)?;
    let (producer, lines) = setup.open()?;
    check_failures_folder(arguments)?;
    let inputs = build_inputs(arguments, lines)?;
    let (stop, _interrupts) = catch_interrupts()?;
    let progress = SearchProgress::default();
    let harness = Harness { producer: &*producer, judge, stop: &stop };
    let record = setup.record();
    let writer = FailureWriter { judge, producer: &record, seed: arguments.seed, stop: &stop };
    let folder_of = |failure: &Failure| failure_folder(&arguments.failures, &failure.kind);
    let keep = |failure: &Failure| {
        let folder = folder_of(failure);
        keep_at_once(&writer, failure, &folder, replay_command(arguments, &folder));
    };
    let search = Search {
        harness,
        inputs: &inputs,
        cases: arguments.cases.or(arguments.time.is_none().then_some(CASES)),
        until: arguments.time.map(|time| Instant::now() + time),
        stop_after: arguments.stop_after.map(NonZero::get),
        jobs: arguments.jobs.map_or_else(cores, |jobs| usize::from(jobs.get())),
        progress: &progress,
        on_failure: &keep,
    };
    let mut found = match !arguments.quiet && bar::is_visible() {
        true => Bar::hidden().show_during(&CaseProgress { search: &search, progress: &progress }, || search.run()),
        false => search.run(),
    };
    let (mut folders, mut commands, mut unsaved) = (Vec::new(), Vec::new(), Vec::new());
    for failure in &mut found.failures {
        let folder = folder_of(failure);
        let again = replay_command(arguments, &folder);
        let kept = save(harness, &writer, failure, &folder, &again);
        commands.push(kept.is_ok().then_some(again));
        unsaved.extend(kept.err().map(|error| format!("{} cannot be saved: {error}", folder.to_string_lossy())));
        folders.push(folder);
    }
    let shown = found.failures.iter().zip(&folders).map(|(failure, folder)| report::ReportedFailure {
        kind: &failure.kind,
        input: &failure.input,
        execution: &failure.execution,
        times: failure.times,
        folder,
    });
    report.report(judge, &shown.collect::<Vec<_>>(), found.elapsed, outputs)?;
    match arguments.quiet {
        true => commands.iter().flatten().for_each(|again| complain!("again: {}", visible(again))),
        false => report.print_summary(&found, &commands, judge.fail_on, stop.is_set()),
    }
    unsaved.iter().for_each(|why| complain!("sessionlint: {}", visible(why)));
    Ok(if unsaved.is_empty() { exit_of(&found, &stop) } else { Exit::Usage })
}

/// Checks, before the search, that failures can be saved and will not be read as inputs later.
fn check_failures_folder(arguments: &Arguments) -> Result<(), CliError> {
    let root = &arguments.failures;
    failure_folder::check_writable(root).map_err(|error| {
        let (root, error) = (display_path(root), visible(&error.to_string()));
        CliError::Message(format!("failures cannot be saved in {root}: {error}; name another folder with --failures"))
    })?;
    match &arguments.inputs {
        Some(inputs)
            if NamedRoots::of(std::slice::from_ref(inputs)).contains(failure_folder::nearest_existing(root)) =>
        {
            let (root, inputs) = (display_path(root), display_path(inputs));
            let message = format!("failures would be saved in {root}, which is in the folder of inputs, {inputs}");
            Err(CliError::Message(format!("{message}; name another one with --failures")))
        }
        _ => Ok(()),
    }
}

/// Saves a failure that was just found, before it is shrunk, so that a run that is killed has it. A smaller one of the
/// same kind stays.
fn keep_at_once(writer: &FailureWriter<'_>, failure: &Failure, folder: &Path, again: String) {
    let kept = SavedFailure::read(folder).ok().filter(|kept| kept.kind() == failure.kind);
    if kept.is_none_or(|kept| kept.input.len() >= failure.input.len()) {
        // What cannot be kept is said at the end, when it is saved as it is then.
        let _ = writer.write(folder, failure, again);
    }
}

/// Saves a failure in its folder. The failure of an earlier run stays if its input is smaller and still fails.
fn save(
    harness: Harness<'_>,
    writer: &FailureWriter<'_>,
    failure: &mut Failure,
    folder: &Path,
    again: &str,
) -> io::Result<()> {
    let kept = SavedFailure::read(folder).ok().filter(|kept| kept.kind() == failure.kind);
    let smaller = kept.filter(|kept| kept.input.len() < failure.input.len());
    let still = smaller.and_then(|kept| Some((harness.fails_with(&failure.kind, &kept.input).ok()??, kept)));
    match still {
        Some((execution, kept)) => {
            (failure.execution, failure.input) = (execution, kept.input);
            Ok(())
        }
        None => writer.write(folder, failure, again.to_owned()),
    }
}

fn exit_of(found: &SearchResult, stop: &StopFlag) -> Exit {
    if let Some(why) = &found.producer_error {
        // Failures found before the error are reported, but the run is incomplete.
        complain!("sessionlint: {why}");
        return Exit::Usage;
    }
    match (found.failing, stop.is_set()) {
        (0, false) => Exit::Clean,
        (0, true) => Exit::Interrupted,
        _ => Exit::Findings,
    }
}

fn build_inputs(arguments: &Arguments, lines: Option<NonZero<usize>>) -> Result<Inputs, CliError> {
    let seed = arguments.seed;
    match (&arguments.input_schema, &arguments.inputs) {
        (Some(file), _) => {
            let wrong = |why: String| {
                CliError::Message(format!("{} cannot be used as a schema: {}", display_path(file), visible(&why)))
            };
            let help = "--input-schema names a file with a JSON Schema";
            let text = config::read(file)
                .map_err(|cause| report_file_error(FileError::Unreadable { path: file.clone(), cause, help }))?;
            let document: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            Inputs::by_schema(seed, &document, lines).map_err(wrong)
        }
        (None, Some(folder)) => Ok(Inputs::seeds(seed, &read_seeds(folder).map_err(report_file_error)?, lines)),
        (None, None) => Ok(Inputs::prompts(seed, lines)),
    }
}

/// The progress of a search, for the progress bar.
struct CaseProgress<'c> {
    search: &'c Search<'c>,
    progress: &'c SearchProgress,
}

impl ProgressSource for CaseProgress<'_> {
    fn total(&self) -> Option<u64> {
        self.search.cases
    }

    fn position(&self) -> u64 {
        self.progress.cases.load(Ordering::Relaxed)
    }

    fn message(&self) -> String {
        let failures = self.progress.failures.load(Ordering::Relaxed);
        match self.progress.is_shrinking.load(Ordering::Relaxed) {
            true => {
                format!("{} of {} shrunk", self.progress.shrunk.load(Ordering::Relaxed), count(failures, "failure"))
            }
            false => count(failures, "failure"),
        }
    }

    fn template(&self, is_of_total: bool) -> &'static str {
        match is_of_total {
            true => "{spinner} {bar:24} {human_pos} of {human_len} cases in {elapsed}, {msg}",
            false => "{spinner} {human_pos} cases in {elapsed}, {msg}",
        }
    }
}
