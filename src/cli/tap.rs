//! `sessionlint tap`.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::time::Instant;

use sessionlint_core::text::visible;

use super::input::{Alike, ReadingArguments, say};
use super::judging::{FailingArguments, ShownArguments, exit};
use super::output::{Console, Output, OutputParser, Outputs, Style};
use super::{Exit, Failure};
use crate::config::Config;
use crate::report::{Reporter, RunEnd};
use crate::run::{Progress, Run, Tap, Target, exit_code};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: ReadingArguments,

    /// What to print on standard error, or with =FILE to write to a file; several times for several reports
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    formats: Vec<Output>,

    #[command(flatten)]
    failing: FailingArguments,

    #[command(flatten)]
    shown: ShownArguments,

    /// The producer and its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (protocol, config) = arguments.reading.protocol.load_here()?;
    if protocol.is_of_records() {
        let message = "stored records cannot be tapped: they are no stream; `sessionlint check` judges their files";
        return Err(Failure::Message(message.to_owned()));
    }
    let rules = protocol.rules_of_run();
    let severities = arguments.failing.severities(rules)?;
    let config_file = config.as_ref().map(Config::path);
    let (console, inputs) = (Console::StandardError, &mut Vec::new());
    let outputs = Outputs::open(&arguments.formats, console, &[], config_file, None, inputs)?;
    // Nothing is folded: what comes later may be long in coming.
    let style = Style { color: arguments.shown.color, all: true, quiet: arguments.shown.quiet };
    let mut reporter = outputs.reporter(rules, style, None)?;
    let options = arguments.reading.options().with_severities(severities).with_excerpts(reporter.shows_excerpts());
    let settings = [Alike::new(&protocol, config.as_ref(), &options, &[]).usual];
    let run = Run {
        protocol: &protocol,
        settings: &settings,
        stored: None,
        stale: None,
        max_findings: arguments.shown.max_findings,
        jobs: 1,
        progress: &Progress::default(),
        exercises: false,
    };
    reporter.begin()?;
    let started = Instant::now();
    let program = arguments.command.first().map(|program| visible(&program.to_string_lossy())).unwrap_or_default();
    let failed = |what: &str, error: io::Error| Failure::Message(format!("{program} cannot be {what}: {error}"));
    let mut tap = Tap::start(&arguments.command).map_err(|error| failed("started", error))?;
    // The name that it would have in a pipe of the shell.
    let (outcome, told) = run.check_live(&Target::StandardInput.name(), &mut tap, None, &mut reporter);
    let (status, passed_on) = tap.wait().map_err(|error| failed("waited for", error))?;
    let end = RunEnd { hidden: outcome.hidden, ..RunEnd::of(&outcome.summary, started.elapsed()) };
    let told = told.and_then(|()| reporter.end(&end));
    drop(reporter);
    say(&outcome.unreadable);
    let exit = exit(arguments.failing.fail_on(config.as_ref()), &outcome.summary, outcome.unreadable.is_empty());
    let own = as_written(told, passed_on, arguments.shown.quiet).and_then(|()| outputs.keep()).map(|()| exit);
    if status.success() {
        return own;
    }
    own.unwrap_or_else(super::tell);
    if !arguments.shown.quiet {
        anstream::eprintln!("sessionlint: {program} failed ({status}); its exit code is passed on");
    }
    Ok(Exit::Producer(exit_code(status)))
}

/// Whether report and output could be written; it is no failure that nobody wants to read them.
fn as_written(report: io::Result<()>, output: io::Result<()>, quiet: bool) -> Result<(), Failure> {
    match output {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            if !quiet {
                anstream::eprintln!("sessionlint: standard output was closed; what came after that was not checked");
            }
        }
        Err(error) => return Err(Failure::Message(format!("what comes cannot be passed on: {error}"))),
        Ok(()) => {}
    }
    match report {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Message(format!("the report cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
