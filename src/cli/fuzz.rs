//! `sessionlint fuzz`.

mod replay;
mod told;
mod way;

use std::ffi::OsString;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use sessionlint_core::event::Settings;
use sessionlint_core::text::{count, visible};
use told::Told;
use way::{Way, WayArguments};

use super::bar::{self, Bar, Course};
use super::config::{Chosen, refused};
use super::input::{Alike, ReadingArguments, cores};
use super::judging::{FailingArguments, threads};
use super::output::{Color, Console, Output, OutputParser, Outputs};
use super::place::{Trees, shown};
use super::{Exit, Failure};
use crate::config::{self, Config};
use crate::drive::duration;
use crate::drive::inputs::{Inputs, read_seeds};
use crate::drive::interrupts::Interrupts;
use crate::drive::judge::Judge;
use crate::drive::kept::{self, Keeping, Kept, folder_of};
use crate::drive::producer::Stop;
use crate::drive::search::{self, Found, Progress, Search};
use crate::drive::shrink::Bench;
use crate::error::FileError;

/// How many cases there are where neither their number nor the time is given.
const CASES: u64 = 500;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    way: WayArguments,

    /// A JSON Schema of the inputs; each is a value that it allows, on one line
    #[arg(long, value_name = "FILE", conflicts_with = "inputs")]
    input_schema: Option<PathBuf>,

    /// A folder with an input in each file: these are taken first, and then mutations of them
    #[arg(long, value_name = "DIR")]
    inputs: Option<PathBuf>,

    /// How many cases, if neither this nor --time is given 500
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cases: Option<u64>,

    /// For how long cases are played, such as 30s or 5m; failures are shrunk after that
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,

    /// Stop after so many different failures
    #[arg(long, value_name = "N", value_parser = several)]
    stop_after: Option<NonZero<usize>>,

    /// The same seed gives the same inputs
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// How many cases are played at once; as many as there are cores if not given
    #[arg(long, value_name = "N", value_parser = threads)]
    jobs: Option<NonZero<u16>>,

    /// Where failures are kept, a folder each
    #[arg(long, value_name = "DIR", default_value = "sessionlint-failures")]
    failures: PathBuf,

    /// Play kept failures again, one or a folder of them, and tell which are fixed
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["input_schema", "inputs", "cases", "time", "stop_after", "seed", "failures"]
    )]
    replay: Option<PathBuf>,

    #[command(flatten)]
    reading: ReadingArguments,

    /// What to print, or with =FILE to write to a file; several times for several reports
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    formats: Vec<Output>,

    #[command(flatten)]
    failing: FailingArguments,

    /// When to use colours; NO_COLOR is respected
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,

    /// Leave the summary and the progress bar out
    #[arg(short, long)]
    quiet: bool,

    /// The producer and its arguments: a process for each case
    #[arg(value_name = "COMMAND", last = true)]
    command: Vec<OsString>,
}

fn time(text: &str) -> Result<Duration, String> {
    duration::read(text).ok_or_else(|| duration::HELP.to_owned())
}

fn several(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| "it must be a whole number, at least 1".to_owned())
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (protocol, config) = arguments.reading.protocol.load_here()?;
    if protocol.is_of_records() {
        let message = "producers emit events, and this protocol is one of stored records";
        return Err(Failure::Message(message.to_owned()));
    }
    let judge = judge(arguments, &protocol, config.as_ref())?;
    let config_file = config.as_ref().map(Config::path);
    let outputs = Outputs::open(&arguments.formats, Console::StandardOutput, &[], config_file, None, &mut Vec::new())?;
    let told = Told { rules: protocol.rules_of_run(), color: arguments.color };
    match &arguments.replay {
        Some(folder) => replay::run(arguments, folder, &judge, &told, outputs),
        None => search(arguments, &judge, &told, outputs),
    }
}

/// From here on an interrupt lets the run come to its end. Before, it ends the program as ever.
fn interrupts() -> Result<(Arc<Stop>, Interrupts), Failure> {
    let stop = Arc::new(Stop::default());
    let heard = Interrupts::hear(Arc::clone(&stop));
    let heard = heard.map_err(|error| Failure::Message(format!("interrupts cannot be heard: {error}")))?;
    Ok((stop, heard))
}

fn judge<'p>(arguments: &Arguments, protocol: &'p Chosen, config: Option<&Config>) -> Result<Judge<'p>, Failure> {
    let severities = arguments.failing.severities(protocol.rules_of_run())?;
    let options = arguments.reading.options().with_severities(severities);
    let settings = |excerpts| -> Arc<Settings> {
        Alike::new(protocol, config, &options.clone().with_excerpts(excerpts), &[]).usual
    };
    let fail_on = arguments.failing.fail_on(config);
    Ok(Judge { protocol, quick: settings(false), shown: settings(true), fail_on })
}

/// The command that plays what is kept in a folder again, judged as it was.
fn again(arguments: &Arguments, folder: &Path) -> String {
    let mut words: Vec<String> = ["sessionlint", "fuzz", "--replay"].map(str::to_owned).to_vec();
    words.push(folder.to_string_lossy().into_owned());
    words.extend(arguments.reading.as_given());
    words.extend(arguments.failing.as_given());
    words.extend(arguments.way.again());
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

fn search(arguments: &Arguments, judge: &Judge<'_>, told: &Told<'_>, outputs: Outputs) -> Result<Exit, Failure> {
    let way = Way::given(&arguments.way, &arguments.command)?;
    let (producer, lines) = way.open()?;
    look_at_failures(arguments)?;
    let inputs = inputs(arguments, lines)?;
    let (stop, _interrupts) = interrupts()?;
    let progress = Progress::default();
    let bench = Bench { producer: &*producer, judge, stop: &stop };
    let search = Search {
        bench,
        inputs: &inputs,
        cases: arguments.cases.or(arguments.time.is_none().then_some(CASES)),
        until: arguments.time.map(|time| Instant::now() + time),
        stop_after: arguments.stop_after.map(NonZero::get),
        jobs: arguments.jobs.map_or_else(cores, |jobs| usize::from(jobs.get())),
        progress: &progress,
    };
    let mut found = match !arguments.quiet && bar::is_seen() {
        true => Bar::hidden().along(&Cases { search: &search, progress: &progress }, || search.run()),
        false => search.run(),
    };
    let driven = way.driven();
    let keeping = Keeping { judge, driven: &driven, seed: arguments.seed };
    let (mut folders, mut commands, mut unkept) = (Vec::new(), Vec::new(), Vec::new());
    for failure in &mut found.failures {
        let folder = folder_of(&arguments.failures, &failure.kind);
        let again = again(arguments, &folder);
        let kept = keep(bench, &keeping, failure, &folder, &again);
        commands.push(kept.is_ok().then_some(again));
        unkept.extend(kept.err().map(|error| format!("{} cannot be kept: {error}", folder.to_string_lossy())));
        folders.push(folder);
    }
    let shown = found.failures.iter().zip(&folders).map(|(failure, folder)| told::Shown {
        kind: &failure.kind,
        input: &failure.input,
        played: &failure.played,
        times: failure.times,
        folder,
    });
    told.report(judge, &shown.collect::<Vec<_>>(), found.elapsed, outputs)?;
    match arguments.quiet {
        true => commands.iter().flatten().for_each(|again| anstream::eprintln!("again: {}", visible(again))),
        false => told.summary(&found, &commands, judge.fail_on, stop.is_said()),
    }
    unkept.iter().for_each(|why| anstream::eprintln!("sessionlint: {}", visible(why)));
    Ok(if unkept.is_empty() { exit(&found, &stop) } else { Exit::Usage })
}

/// Looks whether failures can be kept, before there are any, and will not be taken for inputs.
fn look_at_failures(arguments: &Arguments) -> Result<(), Failure> {
    let root = &arguments.failures;
    kept::look(root).map_err(|error| {
        let (root, error) = (shown(root), visible(&error.to_string()));
        Failure::Message(format!("failures cannot be kept in {root}: {error}; name another folder with --failures"))
    })?;
    match &arguments.inputs {
        Some(inputs) if Trees::of(std::slice::from_ref(inputs)).hold(kept::nearest_of(root)) => {
            let (root, inputs) = (shown(root), shown(inputs));
            let message = format!("failures would be kept in {root}, which is in the folder of inputs, {inputs}");
            Err(Failure::Message(format!("{message}; name another one with --failures")))
        }
        _ => Ok(()),
    }
}

/// Keeps a failure in its folder; what was kept of an earlier run stays if it is smaller and still fails.
fn keep(
    bench: Bench<'_>,
    keeping: &Keeping<'_>,
    failure: &mut search::Failure,
    folder: &Path,
    again: &str,
) -> io::Result<()> {
    let kept = Kept::read(folder).ok().filter(|kept| kept.kind() == failure.kind);
    let smaller = kept.filter(|kept| kept.input.len() < failure.input.len());
    let still = smaller.and_then(|kept| Some((bench.fails_by(&failure.kind, &kept.input).ok()??, kept)));
    match still {
        Some((played, kept)) => {
            (failure.played, failure.input) = (played, kept.input);
            Ok(())
        }
        None => keeping.write(folder, failure, again.to_owned()),
    }
}

fn exit(found: &Found, stop: &Stop) -> Exit {
    if let Some(why) = &found.unplayable {
        // What was found before that counts, but not as a whole run.
        anstream::eprintln!("sessionlint: {why}");
        return Exit::Usage;
    }
    match (found.failing, stop.is_said()) {
        (0, false) => Exit::Clean,
        (0, true) => Exit::Interrupted,
        _ => Exit::Findings,
    }
}

fn inputs(arguments: &Arguments, lines: Option<NonZero<usize>>) -> Result<Inputs, Failure> {
    let seed = arguments.seed;
    match (&arguments.input_schema, &arguments.inputs) {
        (Some(file), _) => {
            let wrong = |why: String| {
                Failure::Message(format!("{} cannot be used as a schema: {}", shown(file), visible(&why)))
            };
            let help = "--input-schema names a file with a JSON Schema";
            let text = config::read(file)
                .map_err(|cause| refused(FileError::Unreadable { path: file.clone(), cause, help }))?;
            let document: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            Inputs::by_schema(seed, &document, lines).map_err(wrong)
        }
        (None, Some(folder)) => Ok(Inputs::seeds(seed, &read_seeds(folder).map_err(refused)?, lines)),
        (None, None) => Ok(Inputs::prompts(seed, lines)),
    }
}

/// How far a search has come, as the bar shows it.
struct Cases<'c> {
    search: &'c Search<'c>,
    progress: &'c Progress,
}

impl Course for Cases<'_> {
    fn total(&self) -> Option<u64> {
        self.search.cases
    }

    fn position(&self) -> u64 {
        self.progress.cases.load(Ordering::Relaxed)
    }

    fn message(&self) -> String {
        let failures = self.progress.failures.load(Ordering::Relaxed);
        match self.progress.shrinks.load(Ordering::Relaxed) {
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
