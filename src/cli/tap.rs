//! `sessionlint tap`: runs a producer, and checks its output while passing it on.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::time::Instant;

use super::input::{FoundSettings, ReadingArguments, report_errors, report_nothing_judged};
use super::judging::{DisplayArguments, SeverityArguments};
use super::output::{Console, Output, OutputParser, Outputs, Style};
use super::{CliError, Exit};
use crate::config::Config;
use crate::error::display_path;
use crate::report::{Reporter, RunEnd};
use crate::run::{Progress, Run, Selection, Tap, Target, exit_code};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: ReadingArguments,

    /// Format of the report on standard error, written to a file with =FILE; repeat for several reports [default: human,
    /// or agent where a coding agent runs the program] [env: SESSIONLINT_FORMAT]
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser::default())]
    formats: Vec<Output>,

    #[command(flatten)]
    failing: SeverityArguments,

    #[command(flatten)]
    shown: DisplayArguments,

    /// The producer and its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (protocol, config) = arguments.reading.protocol.load_here()?;
    if protocol.is_of_records() {
        let message =
            "stored records cannot be tapped, because they are not a stream; use `sessionlint check` for their files";
        return Err(CliError::Message(message.to_owned()));
    }
    let rules = protocol.rules_of_run();
    let severities = arguments.failing.severities(rules)?;
    let config_file = config.as_ref().map(Config::path);
    let (console, inputs) = (Console::StandardError, &mut Vec::new());
    let outputs = Outputs::open(&Output::chosen(&arguments.formats, false)?, console, &[], config_file, None, inputs)?;
    // Nothing is folded, because the rest of the stream may take long to arrive.
    let style = Style { color: arguments.shown.color, all: true, quiet: arguments.shown.quiet };
    let mut reporter = outputs.reporter(rules, style, None)?;
    let options = arguments.reading.options().with_severities(severities).with_excerpts(reporter.shows_excerpts());
    let options = protocol.with_candidates(options);
    let found = FoundSettings::new(&protocol, config.as_ref(), &options, &[]);
    let settings = [found.usual().base.clone()];
    let run = Run {
        protocol: &protocol,
        settings: &settings,
        candidates: found.candidates(),
        stored: None,
        stale: None,
        selection: &Selection::default(),
        max_findings: arguments.shown.max_findings,
        jobs: 1,
        progress: &Progress::default(),
        searched: &HashSet::new(),
        exercises: false,
        joins: false,
        split: None,
    };
    reporter.begin()?;
    let started = Instant::now();
    let program = arguments.command.first().map(|program| display_path(program.as_ref())).unwrap_or_default();
    let failed = |what: &str, error: io::Error| CliError::Message(format!("{program} cannot be {what}: {error}"));
    let mut tap = Tap::start(&arguments.command).map_err(|error| failed("started", error))?;
    // The name that the stream would have in a shell pipeline.
    let (outcome, told) = run.check_live(&Target::standard_input().name(), &mut tap, None, &mut reporter);
    let (status, passed_on) = tap.wait().map_err(|error| failed("waited for", error))?;
    let end = RunEnd {
        hidden: outcome.hidden,
        found: Some(&outcome.found),
        ..RunEnd::of(&outcome.summary, &outcome.completeness, started.elapsed())
    };
    let told = told.and_then(|()| reporter.end(&end));
    drop(reporter);
    report_errors(&outcome.unreadable);
    if !outcome.has_judged && !arguments.shown.quiet {
        report_nothing_judged(&protocol);
    }
    let has_dialect = protocol.note_dialect(&outcome.in_dialect);
    let exit = arguments.failing.exit(config.as_ref(), &outcome, outcome.unreadable.is_empty() && has_dialect);
    let own = check_written(told, passed_on, arguments.shown.quiet).and_then(|()| outputs.persist()).map(|_| exit);
    if status.success() {
        return own;
    }
    own.unwrap_or_else(super::report_error);
    if !arguments.shown.quiet {
        complain!("sessionlint: {program} failed ({status}); its exit code is passed on");
    }
    Ok(Exit::Producer(exit_code(status)))
}

/// Checks that the report and the output could be written. A reader that closed either is not an error.
fn check_written(report: io::Result<()>, output: io::Result<()>, quiet: bool) -> Result<(), CliError> {
    match output {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            if !quiet {
                complain!("sessionlint: standard output was closed; the rest of the output was not checked");
            }
        }
        Err(error) => return Err(CliError::Message(format!("the output cannot be passed on: {error}"))),
        Ok(()) => {}
    }
    match report {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::Message(format!("the report cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
