//! Judging inputs and reporting the findings: the arguments and the workflow that `check` and `lint` share.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::sync::OnceLock;
use std::time::Instant;

use clap::builder::PossibleValuesParser;
use sessionlint_core::event::Options;
use sessionlint_core::finding::{Severity, Summary};
use sessionlint_core::protocol::{Protocol, Rulebook, Upkeep};
use sessionlint_core::records::RecordOptions;
use sessionlint_core::text::visible;

use super::bar::{self, Bar};
use super::baseline::{BaselineArguments, OpenBaseline};
use super::config::ProtocolChoice;
use super::input::{
    FoundSettings, InputArguments, SearchNotes, TargetSettings, cores, report_errors, report_nothing_judged,
    require_targets,
};
use super::output::{Color, Console, Output, OutputParser, Outputs, Style};
use super::view::PageSubject;
use super::{CliError, Exit, find_rule, lookup};
use crate::config::baseline::Baseline;
use crate::config::{Config, FAIL_ON, SEVERITIES};
use crate::error::display_path;
use crate::lint::LintSummary;
use crate::report::{LeftOut, MultiReporter, Reporter, RunEnd, Unread};
use crate::run::{FoundTargets, Outcome, Progress, RecordProtocol, RecordSettings, Run, Selection, Target};

/// The length of a file, in bytes, up to which it is checked sooner than the number of cores is known.
const SMALL_FILE: u64 = 16 * 1024;

#[derive(clap::Args)]
pub struct JudgingArguments {
    #[command(flatten)]
    pub input: InputArguments,

    /// Name of the file that standard input comes from, for reports
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,

    /// Format of the report, written to a file with =FILE; repeat for several reports [default: human, or agent where a
    /// coding agent runs the program] [env: SESSIONLINT_FORMAT]
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = OutputParser::default())]
    formats: Vec<Output>,

    /// Print a table of the rules with their counts, the most frequent first, and no findings
    #[arg(long)]
    statistics: bool,

    #[command(flatten)]
    failing: SeverityArguments,

    #[command(flatten)]
    baseline: BaselineArguments,

    /// Show every finding instead of folding many of one kind into one
    #[arg(long)]
    pub all: bool,

    #[command(flatten)]
    pub shown: DisplayArguments,

    #[command(flatten)]
    pub records: RecordArguments,

    /// Number of threads [default: number of cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    jobs: Option<NonZero<u16>>,
}

/// Arguments that define which findings fail a run.
#[derive(clap::Args)]
pub struct SeverityArguments {
    /// Lowest severity that makes the exit code 1 [default: error, or the one in sessionlint.toml]
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on_parser())]
    fail_on: Option<String>,

    /// Exit with code 1 if something was not checked: a file that was passed over, or something beyond a limit
    #[arg(long)]
    pub fail_on_incomplete: bool,

    /// Change the severity of a rule: error, warning, note or off
    #[arg(long = "rule", value_name = "NAME=SEVERITY")]
    rules: Vec<String>,
}

/// Arguments that define how findings are displayed.
#[derive(clap::Args)]
pub struct DisplayArguments {
    /// Show at most this many findings; all of them count
    #[arg(long, value_name = "N")]
    pub max_findings: Option<u64>,

    /// When to use colours; `auto` respects NO_COLOR
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,

    /// Omit the summary
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments about stored records.
#[derive(clap::Args)]
pub struct RecordArguments {
    /// Kind of the stored records whose container does not name it, such as session
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// Assume that all stored records are present, and report references to absent ones as missing
    #[arg(long)]
    pub complete: bool,
}

pub fn parse_threads(text: &str) -> Result<NonZero<u16>, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}", u16::MAX))
}

pub fn fail_on_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(FAIL_ON.map(|(name, _)| name))
}

impl SeverityArguments {
    /// Returns the lowest severity that fails the run; `None` if no finding does.
    pub fn fail_on(&self, config: Option<&Config>) -> Option<Severity> {
        let given = self.fail_on.as_deref().and_then(|word| lookup(&FAIL_ON, word));
        given.or(config.and_then(|config| config.fail_on)).unwrap_or(Some(Severity::Error))
    }

    /// Returns the changed severities, by rule.
    pub fn severities(&self, rules: Rulebook<'_>) -> Result<BTreeMap<String, Option<Severity>>, CliError> {
        severities(&self.rules, rules)
    }

    /// Returns the given arguments, as words of a command line.
    #[cfg(feature = "proptest")]
    pub fn as_given(&self) -> Vec<String> {
        let rules = self.rules.iter().flat_map(|rule| ["--rule".to_owned(), rule.clone()]);
        let incomplete = self.fail_on_incomplete.then(|| "--fail-on-incomplete".to_owned());
        let fail_on = self.fail_on.iter().flat_map(|least| ["--fail-on".to_owned(), least.clone()]);
        rules.chain(fail_on).chain(incomplete).collect()
    }
}

impl JudgingArguments {
    /// Returns the options that inputs are read and judged with.
    pub fn options(&self, rules: Rulebook<'_>) -> Result<Options, CliError> {
        Ok(self.input.reading.options().with_severities(self.failing.severities(rules)?))
    }

    /// Gives standard input the name that it is to have.
    ///
    /// # Errors
    ///
    /// Fails if there is a name and standard input is not read.
    pub fn name_standard_input(&self, found: &mut FoundTargets) -> Result<(), CliError> {
        match &self.stdin_name {
            Some(name) if !found.name_standard_input(name) => {
                Err(CliError::Message("--stdin-name goes with standard input: write `-` to read it".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the reports of the run, and its pages if it can make some.
    fn outputs(&self, is_live: bool, makes_pages: bool) -> Result<Vec<Output>, CliError> {
        let printed = self.statistics.then(Output::statistics);
        let given: Vec<_> = self.formats.iter().cloned().chain(printed).collect();
        if makes_pages { Output::chosen_or_page(&given, is_live) } else { Output::chosen(&given, is_live) }
    }

    /// Returns the number of threads for these targets.
    fn jobs(&self, targets: &[Target]) -> usize {
        let is_small = matches!(targets, [one] if one.length().is_some_and(|length| length <= SMALL_FILE));
        let default = || if is_small { 1 } else { cores() };
        self.jobs.map_or_else(default, |jobs| usize::from(jobs.get()))
    }
}

impl RecordArguments {
    /// Returns `true` if any of the arguments is given.
    pub fn are_given(&self) -> bool {
        self.kind.is_some() || self.complete
    }

    /// Returns each argument that is given, as words of a command line.
    pub fn as_given(&self) -> Vec<Vec<String>> {
        let kind = self.kind.iter().map(|kind| vec!["--kind".to_owned(), kind.clone()]);
        kind.chain(self.complete.then(|| vec!["--complete".to_owned()])).collect()
    }

    /// Returns the options for the records of a run.
    ///
    /// # Errors
    ///
    /// Fails if an argument is given and the run has no protocol of stored records, or not this kind of record.
    pub fn record_options(&self, records: Option<RecordProtocol<'_>>) -> Result<RecordOptions, CliError> {
        let none = || CliError::Message("--kind goes with stored records, but this protocol is for events".to_owned());
        if self.complete && records.is_none() {
            let message = "--complete goes with stored records, but this protocol is for events";
            return Err(CliError::Message(message.to_owned()));
        }
        let kind = match &self.kind {
            None => None,
            Some(kind) => find_kind(Some(kind), records.and_then(RecordProtocol::get).ok_or_else(none)?)?,
        };
        Ok(RecordOptions { kind, complete: self.complete })
    }
}

/// Parses the values of `--rule`: severities by rule.
pub fn severities(settings: &[String], rules: Rulebook<'_>) -> Result<BTreeMap<String, Option<Severity>>, CliError> {
    let mut severities = BTreeMap::new();
    for setting in settings {
        let (name, severity) = setting.split_once('=').ok_or_else(|| {
            CliError::Message(format!("--rule takes NAME=SEVERITY, such as {}=warning", visible(setting)))
        })?;
        let severity = lookup(&SEVERITIES, severity).ok_or_else(|| {
            let (setting, severity) = (visible(setting), visible(severity));
            CliError::Message(format!(
                "--rule {setting}: {severity} is not a severity; use error, warning, note or off"
            ))
        })?;
        severities.insert(find_rule(rules, name)?.1.name.to_string(), severity);
    }
    Ok(severities)
}

/// Returns the id of the kind of record that `--kind` names.
pub fn find_kind(kind: Option<&str>, protocol: &Protocol) -> Result<Option<usize>, CliError> {
    let Some(kind) = kind else { return Ok(None) };
    let kinds: Vec<_> = protocol.kinds().collect();
    let found = kinds.iter().find(|(_, name)| *name == kind).map(|(id, _)| *id);
    found.map(Some).ok_or_else(|| {
        let names: Vec<_> = kinds.iter().map(|(_, name)| *name).collect();
        CliError::Message(format!("{} is not a kind of record; there are {}", visible(kind), names.join(", ")))
    })
}

/// Returns the exit code of a run. `all_judged`: whether every path was found and could be read, and anything in them
/// was judged.
pub fn exit(fail_on: Option<Severity>, summary: &Summary, all_judged: bool) -> Exit {
    let failing = fail_on.map_or(0, |least| summary.at_least(least));
    match (all_judged, failing) {
        (false, _) => Exit::Usage,
        (true, 1..) => Exit::Findings,
        (true, 0) => Exit::Clean,
    }
}

impl SeverityArguments {
    /// Returns the exit code of a run. `all_read`: whether every path was found and could be read.
    pub fn exit(&self, config: Option<&Config>, outcome: &Outcome, all_read: bool) -> Exit {
        let incomplete = self.fail_on_incomplete && !outcome.completeness.is_complete();
        match exit(self.fail_on(config), &outcome.summary, all_read && outcome.has_judged) {
            Exit::Clean if incomplete => Exit::Findings,
            exit => exit,
        }
    }
}

/// The parameters of a run.
pub struct Job<'j> {
    pub judging: &'j JudgingArguments,
    pub protocol: &'j ProtocolChoice,
    pub config: Option<&'j Config>,
    pub options: Options,
    /// The findings that count.
    pub selection: Selection,
    /// Whether findings are to be seen as soon as they are judged.
    pub is_live: bool,
    /// Whether every finding is shown, without folding.
    pub all: bool,
    /// Whether a progress bar is shown, if there is a terminal.
    pub shows_progress: bool,
    /// The extensions of files that are read besides recordings.
    pub besides: &'static str,
    /// Whether files that are parts of one recording by their names are judged as one input.
    pub joins: bool,
    /// Whether a page of what was checked can be made.
    pub makes_pages: bool,
    pub unread: UnreadJob,
}

/// What a run does when nobody reads its report any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadJob {
    /// It ends, because it would never end otherwise.
    Ends,
    /// It ends once its exit code is certain.
    EndsWhenCertain,
    /// It goes on, because it changes files as well.
    GoesOn,
}

/// The context in which a subcommand does its part of a run.
pub struct JobContext<'w> {
    pub run: Run<'w>,
    pub targets: &'w [Target],
    pub options: &'w Options,
    /// The protocol of stored records, if there is one.
    pub records: Option<RecordProtocol<'w>>,
}

/// The result of a subcommand's part of a run.
pub struct JobResult {
    pub outcome: Outcome,
    pub linted: Option<LintSummary>,
    pub shows_stats: bool,
}

impl Job<'_> {
    /// Opens the reports and the baseline, does the work, and closes them.
    pub fn run(
        self,
        found: FoundTargets,
        work: impl FnOnce(
            &JobContext<'_>,
            Option<&mut Baseline>,
            &mut MultiReporter<'_>,
            Option<&Bar>,
        ) -> Result<JobResult, CliError>,
    ) -> Result<Exit, CliError> {
        let Job { judging, protocol, config, options, .. } = self;
        let JudgingArguments { input, shown, .. } = judging;
        let FoundTargets { mut targets, searched, errors, left_out } = found;
        report_errors(&errors);
        let mut baseline = OpenBaseline::open(&judging.baseline, input.paths(), config, &mut targets)?;
        let (console, config_file) = (Console::StandardOutput, config.map(Config::path));
        let outputs = Outputs::open(
            &judging.outputs(self.is_live, self.makes_pages)?,
            console,
            input.paths(),
            config_file,
            baseline.file.as_deref(),
            &mut targets,
        )?;
        let notes = SearchNotes { errors: &errors, left_out };
        require_targets(&targets, &notes, self.besides)?;
        if outputs.has_page() {
            require_readable_again(&targets, self.is_live || self.joins || judging.records.are_given())?;
        }
        let of_page = options.clone();
        let started = Instant::now();
        let bar = (!shown.quiet && self.shows_progress && bar::is_visible()).then(Bar::hidden);
        let style = Style { color: shown.color, all: self.all, quiet: shown.quiet };
        let mut reporter = outputs.reporter(protocol.rules_of_run(), style, bar.as_ref())?;
        let fail_on = judging.failing.fail_on(config);
        let unread = match (self.unread, fail_on) {
            _ if judging.baseline.is_recorded() => Unread::GoesOn,
            (UnreadJob::EndsWhenCertain, Some(least)) => Unread::EndsAt(least),
            (UnreadJob::EndsWhenCertain | UnreadJob::GoesOn, _) => Unread::GoesOn,
            (UnreadJob::Ends, _) => Unread::Ends,
        };
        reporter = reporter.with_unread(unread);
        let options = options.with_excerpts(reporter.shows_excerpts());
        let options = protocol.with_candidates(options);
        let found = FoundSettings::new(protocol, config, &options, &targets);
        let settings = found.usual();
        let records = protocol.records();
        let record_options = judging.records.record_options(records)?;
        let all = !protocol.is_found() && protocol.is_of_records() || record_options.kind.is_some();
        // Created lazily, because most runs have no stored records.
        let stored_alike = OnceLock::new();
        let of_target = |number: usize| {
            let of_records = || records.and_then(RecordProtocol::get).unwrap_or(protocol);
            let alike = stored_alike.get_or_init(|| TargetSettings::new(of_records(), config, &options, &targets));
            alike.per_target[number].clone()
        };
        let run = Run {
            protocol,
            settings: &settings.per_target,
            candidates: found.candidates(),
            stored: records.map(|protocol| RecordSettings {
                protocol,
                settings: &of_target,
                options: record_options,
                all,
            }),
            stale: settings.base.severity(protocol, Upkeep::StaleBaseline.name()).flatten(),
            split: settings.base.severity(protocol, Upkeep::SplitRecording.name()).flatten(),
            selection: &self.selection,
            max_findings: shown.max_findings,
            jobs: judging.jobs(&targets),
            progress: &Progress::default(),
            searched: &searched,
            exercises: false,
            joins: self.joins,
        };
        let context = JobContext { run, targets: &targets, options: &options, records };
        let outcome = run_and_report(&context, notes, started, &mut baseline, &mut reporter, bar.as_ref(), work);
        let worst = reporter.worst();
        // Some systems cannot rename a file that is open.
        drop(reporter);
        let outcome = match outcome {
            // The reader of the output has closed it. The findings that were reported count all the same.
            Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                let failed = fail_on.is_some_and(|least| worst >= Some(least));
                return Ok(match (errors.is_empty(), failed) {
                    (false, _) => Exit::Usage,
                    (true, true) => Exit::Findings,
                    (true, false) => Exit::Clean,
                });
            }
            other => other?,
        };
        report_errors(&outcome.unreadable);
        if !outcome.has_judged && outcome.unreadable.is_empty() {
            report_nothing_judged(protocol);
        }
        let has_dialect = protocol.note_dialect(&outcome.in_dialect);
        let pages = outputs.persist()?;
        baseline.persist()?;
        let is_read = errors.is_empty() && outcome.unreadable.is_empty();
        if !pages.is_empty() && has_dialect && outcome.has_judged {
            let choice = protocol.clone();
            let subject = PageSubject { choice, config, options: of_page, targets: &targets, searched: &searched };
            subject.write(pages)?;
        }
        Ok(judging.failing.exit(config, &outcome, is_read && has_dialect))
    }
}

/// Fails if a page cannot be made of the targets, which are read again for it. `as_one`: whether they are judged as something
/// that no page shows: a stream that is not over, one in several files, or a store of records.
fn require_readable_again(targets: &[Target], as_one: bool) -> Result<(), CliError> {
    if as_one {
        let message = "a page shows each file by itself, so --format html does not go with --follow, --join, --kind or \
                       --complete";
        return Err(CliError::Message(message.to_owned()));
    }
    let Some(once) = targets.iter().find(|target| !target.can_be_read_again()) else { return Ok(()) };
    let name = once.path().map_or("standard input".to_owned(), display_path);
    Err(CliError::Message(format!(
        "--format html reads recordings twice, and {name} can be read only once: keep the recording in a file, check it there, \
         or make the page of it with `sessionlint view FILE`"
    )))
}

/// Does the work between the beginning and the end of the report.
fn run_and_report(
    context: &JobContext<'_>,
    notes: SearchNotes<'_>,
    started: Instant,
    baseline: &mut OpenBaseline,
    reporter: &mut MultiReporter<'_>,
    bar: Option<&Bar>,
    work: impl FnOnce(
        &JobContext<'_>,
        Option<&mut Baseline>,
        &mut MultiReporter<'_>,
        Option<&Bar>,
    ) -> Result<JobResult, CliError>,
) -> Result<Outcome, CliError> {
    reporter.begin()?;
    let JobResult { mut outcome, linted, shows_stats } = work(context, baseline.baseline.as_mut(), reporter, bar)?;
    notes.errors.iter().for_each(|error| outcome.completeness.add_error(error));
    let left_out = LeftOut { without_events: outcome.passed_over, ..notes.left_out };
    let recorded = baseline.write()?;
    let end = RunEnd {
        summary: &outcome.summary,
        bodies: outcome.bodies,
        stats: shows_stats.then_some(&outcome.stats),
        hidden: outcome.hidden,
        unselected: outcome.unselected,
        recorded: recorded.as_deref(),
        found: Some(&outcome.found),
        reconciled: None,
        linted: linted.as_ref(),
        unfound: notes.errors,
        completeness: &outcome.completeness,
        left_out: Some(left_out),
        elapsed: started.elapsed(),
    };
    match reporter.end(&end) {
        // Everything was judged, so a reader that misses the end changes nothing.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(outcome),
        written => written.map(|()| outcome).map_err(CliError::Output),
    }
}
