//! `sessionlint reconcile`: compares recorded streams with stored records.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sessionlint_core::event::Options;
use sessionlint_core::finding::{Severity, Summary};
use sessionlint_core::protocol::{Protocol, Rulebook};
use sessionlint_core::records::reconcile::{
    ReconcileOptions, RecordReader, StoredSessions, StreamReader, StreamedSessions, reconcile,
};

use super::config::{ProtocolArgument, record_protocol};
use super::input::{TargetSettings, report_errors};
use super::judging::{exit, fail_on_parser, find_kind, severities};
use super::output::{Color, Console, Output, OutputParser, Outputs, Style};
use super::{CliError, Exit, lookup};
use crate::config::{Config, FAIL_ON};
use crate::report::{Completeness, FileEnd, Reporter, RunEnd, Unread};
use crate::run::{ExcludeFilter, FoundTargets, PathSearch, Target, is_cassette_name, is_recording, read};

#[derive(clap::Args)]
#[command(override_usage = "sessionlint reconcile [OPTIONS] <STREAM>... --records <PATH>...")]
pub struct Arguments {
    /// Recorded streams: files, folders or glob patterns
    #[arg(value_name = "STREAM", required = true)]
    streams: Vec<PathBuf>,

    /// Stored records of the same sessions: files, folders or glob patterns
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    records: Vec<PathBuf>,

    #[command(flatten)]
    protocol: ProtocolArgument,

    /// Assume that all records are present, and report a streamed session without a record as missing
    #[arg(long)]
    complete: bool,

    /// Maximum difference between times, in seconds [default: 1, the tolerance of the protocol]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    tolerance: Option<f64>,

    /// Kind of the stored records whose container does not name it, such as session
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// Format of the report, written to a file with =FILE; repeat for several reports [default: human, or agent where a
    /// coding agent runs the program] [env: SESSIONLINT_FORMAT]
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser::default())]
    formats: Vec<Output>,

    /// Lowest severity that makes the exit code 1 [default: warning, the severity of all these rules]
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on_parser())]
    fail_on: Option<String>,

    /// Change the severity of a rule: error, warning, note or off
    #[arg(long = "rule", value_name = "NAME=SEVERITY")]
    rules: Vec<String>,

    /// Show every finding instead of folding many of one kind into one
    #[arg(long)]
    all: bool,

    /// When to use colours; `auto` respects NO_COLOR
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,

    /// Omit the summary
    #[arg(short, long)]
    quiet: bool,
}

/// Parses a number of seconds, which must be finite and not negative.
fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds >= 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("a number of seconds, such as 0.5".to_owned()),
    }
}

/// Runs `sessionlint reconcile`, and returns its exit code.
///
/// # Errors
///
/// Fails if there is no protocol of stored records that relates them to streams, if an argument is invalid, if a report
/// cannot be written, or if nothing was compared.
pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let started = Instant::now();
    let (chosen, config) = arguments.protocol.load(&arguments.streams)?;
    let chosen = chosen.only(0).with_its_dialect()?;
    let events: &Protocol = &chosen;
    let none = || CliError::Message("there is no protocol of stored records to compare streams with".to_owned());
    let protocol = record_protocol().ok_or_else(none)?;
    let tables = protocol.tables().records.as_ref().ok_or_else(none)?;
    let mapping = tables.reconcile.as_ref().ok_or_else(none)?;
    if events.is_of_records() {
        let message = format!("{} is a protocol of stored records, but streams consist of events", events.name());
        return Err(CliError::Message(message));
    }
    let rules = Rulebook::of(protocol);
    let kind = find_kind(arguments.kind.as_deref(), protocol)?;
    let config = config.map(Arc::new);
    let excluding = config.clone();
    let excluded: ExcludeFilter =
        Arc::new(move |path, is_folder| excluding.as_ref().is_some_and(|config| config.excludes(path, is_folder)));
    let is_wanted = |path: &Path| is_recording(path) && !is_cassette_name(path);
    let search = PathSearch { excluded, wanted: &is_wanted, ignores: true };
    let FoundTargets { targets: streams, mut errors, .. } = search.expand(&arguments.streams);
    let FoundTargets { targets: mut records, errors: missing, .. } = search.expand(&arguments.records);
    errors.extend(missing);
    // A folder may contain both; a file that was given as a stream is not also read as records.
    records.retain(|record| !streams.contains(record));
    report_errors(&errors);
    let mut targets: Vec<Target> = streams.iter().chain(&records).cloned().collect();
    let inputs: Vec<PathBuf> = arguments.streams.iter().chain(&arguments.records).cloned().collect();
    let config_file = config.as_deref().map(Config::path);
    let console = Console::StandardOutput;
    let outputs =
        Outputs::open(&Output::chosen(&arguments.formats, false)?, console, &inputs, config_file, None, &mut targets)?;
    let style = Style { color: arguments.color, all: arguments.all, quiet: arguments.quiet };
    // All files are compared before any finding is reported.
    let mut reporter = outputs.reporter(rules, style, None)?.with_unread(Unread::GoesOn);
    let severities = severities(&arguments.rules, rules)?;
    let options = Options::default().with_severities(severities).with_excerpts(reporter.shows_excerpts());
    let settings = TargetSettings::new(protocol, config.as_deref(), &options, &[]).base;
    let (mut streamed, mut stored) = (StreamedSessions::default(), StoredSessions::default());
    let mut unreadable = Vec::new();
    for target in &streams {
        let mut reader = StreamReader::new(events, mapping, &options, target.name(), &mut streamed);
        unreadable.extend(read(target, |piece| reader.feed(piece)).err());
        reader.finish();
    }
    for target in &records {
        let reader = RecordReader::new(protocol, &options, kind, target.name(), &mut stored);
        let Some(mut reader) = reader else { continue };
        unreadable.extend(read(target, |piece| reader.feed(piece)).err());
        reader.finish();
    }
    report_errors(&unreadable);
    let files: Vec<_> = targets.iter().map(Target::name).collect();
    let tolerance = arguments.tolerance.unwrap_or(tables.tolerance);
    let options = ReconcileOptions { tolerance, complete: arguments.complete };
    let report = reconcile(protocol, &settings, &streamed, &stored, options, &files);
    let mut summary = Summary::default();
    (summary.files, summary.events, summary.records) = (files.len() as u64, streamed.events, stored.records);
    summary.streams = streamed.sessions.len() as u64;
    reporter.begin()?;
    let mut completeness = Completeness::default();
    errors.iter().chain(&unreadable).for_each(|error| completeness.add_error(error));
    report.findings.iter().for_each(|finding| completeness.add_finding(finding));
    let mut findings = report.findings.into_iter().peekable();
    for file in &files {
        while let Some(finding) = findings.next_if(|finding| finding.file.as_ref() == Some(file)) {
            summary.count(&finding.rule, finding.severity, 1);
            reporter.finding(&finding)?;
        }
        reporter.file_end(&FileEnd::of(file))?;
    }
    let reconciled = Some(&*report.sessions);
    let end = RunEnd { reconciled, unfound: &errors, ..RunEnd::of(&summary, &completeness, started.elapsed()) };
    reporter.end(&end)?;
    drop(reporter);
    outputs.persist()?;
    if !report.compared && !arguments.complete {
        let message = "nothing was compared: no session is both in the streams and in the records";
        return Err(CliError::Message(message.to_owned()));
    }
    let given = arguments.fail_on.as_deref().and_then(|word| lookup(&FAIL_ON, word));
    Ok(exit(given.unwrap_or(Some(Severity::Warning)), &summary, errors.is_empty() && unreadable.is_empty()))
}
