//! `sessionlint fmt`: formats fixtures or standard input in their canonical form.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sessionlint_core::event::{Options, Settings};
use sessionlint_core::finding::Finding;
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::records::{RecordIndex, RecordOptions};
use sessionlint_core::text::visible;

use super::config::ProtocolChoice;
use super::console::print_colored;
use super::fixes::{Destination, FixMode, FixSink};
use super::input::{
    FoundSettings, InputArguments, ReadingArguments, SearchNotes, TargetSettings, cores, report_errors, require_targets,
};
use super::{CliError, Exit};
use crate::config::Config;
use crate::difference::difference;
use crate::error::{RunError, display_path};
use crate::lint::expectation;
use crate::lint::fix::Level;
use crate::lint::{
    Classification, Fixture, FixtureContext, FixtureSettings, Linter, MEANT_TO_BE_BROKEN, MOST_FINDINGS, classify,
    is_markdown,
};
use crate::report::{Reporter, RunEnd};
use crate::run::{
    FixOptions, FixedFile, FoundTargets, HOLDS_RESPONSES, LintOptions, Outcome, Progress, RecordProtocol,
    RecordSettings, Run, Selection, Target, is_lint_candidate, with_fixtures,
};

#[derive(clap::Args)]
pub struct Arguments {
    /// Files, folders or glob patterns; `-`, or no path if input is piped in, formats standard input to standard output
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,

    /// Read files in folders regardless of .gitignore
    #[arg(long)]
    no_ignore: bool,

    #[command(flatten)]
    reading: ReadingArguments,

    /// List the files that would change, without changing them; exit code 1 if there are any
    #[arg(long, conflicts_with = "diff")]
    check: bool,

    /// Show the changes without making them; exit code 1 if there are any
    #[arg(long)]
    diff: bool,

    /// Name of the file that standard input comes from; its extension defines the form of the events
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,

    /// Also list the files that are left unchanged, with the reason
    #[arg(short, long)]
    verbose: bool,

    /// Print no summary of the changes
    #[arg(short, long)]
    quiet: bool,

    /// Number of threads [default: number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<u16>>,
}

pub fn run(arguments: Arguments) -> Result<Exit, CliError> {
    let Arguments { mut paths, no_ignore, reading, check, diff, stdin_name, verbose, quiet, jobs } = arguments;
    let is_filter = match paths.as_slice() {
        [] => stdin_name.is_some() || is_piped(),
        [one] => is_standard_input(one),
        several if several.iter().any(|path| is_standard_input(path)) => {
            return Err(CliError::Message(
                "`-` cannot be combined with other paths: standard input goes to standard output".to_owned(),
            ));
        }
        _ => false,
    };
    if stdin_name.is_some() && !is_filter {
        return Err(CliError::Message("--stdin-name goes with standard input".to_owned()));
    }
    if paths.is_empty() {
        paths.push(if is_filter { "-" } else { "." }.into());
    }
    let mode = match (check, diff) {
        (true, _) => FixMode::List,
        (_, true) => FixMode::Diff,
        _ => FixMode::Write,
    };
    let input = InputArguments { given: paths, no_ignore, reading };
    let (protocol, config) = input.load()?;
    let options = input.reading.form.options().with_excerpts(false);
    if is_filter {
        let filter = StdinFilter { protocol: &protocol, options: &options, name: stdin_name, verbose, quiet };
        return filter.run(mode);
    }
    let named: HashSet<PathBuf> = input.paths().iter().filter(|path| !path.is_dir()).cloned().collect();
    let FoundTargets { targets, errors, left_out, .. } = input.expand_to(config.as_ref(), &is_lint_candidate);
    let targets = with_fixtures(targets, &named);
    report_errors(&errors);
    require_targets(&targets, &SearchNotes { errors: &errors, left_out }, " .md .markdown")?;
    let fixes = FixSink::new(mode, Destination::StandardOutput, input.paths());
    let jobs = jobs.map_or_else(cores, |jobs| usize::from(jobs.get()));
    let Formatted { unreadable, foreign, of_responses, in_dialect } =
        format(&protocol, config.as_deref(), &options, &targets, &named, &fixes, jobs)?;
    report_errors(&unreadable);
    for file in &foreign {
        complain!("sessionlint: {} {NOTHING_OF_PROTOCOL}", visible(file));
    }
    for file in of_responses.iter().filter(|file| !verbose && named.contains(*file)) {
        complain!("sessionlint: {} is left as it is: {HOLDS_RESPONSES}", display_path(file));
    }
    let has_dialect = protocol.note_dialect(&in_dialect);
    let exit = fixes.finish(quiet, verbose)?;
    let is_read = errors.is_empty() && unreadable.is_empty() && foreign.is_empty();
    Ok(if is_read && has_dialect { exit } else { Exit::Usage })
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns `true` if standard input is a pipe or a file. Without a terminal it may also be a device such as
/// `/dev/null`.
fn is_piped() -> bool {
    let is_device = fs::metadata("/dev/stdin").is_ok_and(|metadata| {
        #[cfg(unix)]
        let is_device = std::os::unix::fs::FileTypeExt::is_char_device(&metadata.file_type());
        #[cfg(not(unix))]
        let is_device = !metadata.is_file();
        is_device
    });
    !is_device && !io::stdin().is_terminal()
}

/// The message about a text that has nothing to format.
const NOTHING_OF_PROTOCOL: &str = "has nothing of the protocol, and is left as it is";

/// The files that were not formatted.
struct Formatted {
    /// The errors of reading.
    unreadable: Vec<RunError>,
    /// The names of those that were named, and have no event of the protocol.
    foreign: Vec<Arc<str>>,
    /// The files that hold bodies of responses.
    of_responses: Vec<PathBuf>,
    /// By protocol, whether events were judged by it in a dialect.
    in_dialect: BTreeMap<String, bool>,
}

/// Formats all fixtures.
fn format(
    protocol: &ProtocolChoice,
    config: Option<&Config>,
    options: &Options,
    targets: &[Target],
    named: &HashSet<PathBuf>,
    fixes: &FixSink,
    jobs: usize,
) -> Result<Formatted, CliError> {
    let options = &protocol.with_candidates(options.clone());
    let found = FoundSettings::new(protocol, config, options, targets);
    let settings = found.usual();
    let records = protocol.records();
    let of_records = records.and_then(RecordProtocol::get).unwrap_or(protocol);
    let stored = TargetSettings::new(of_records, config, options, targets);
    let of_target = |number: usize| stored.per_target[number].clone();
    let run = Run {
        protocol,
        settings: &settings.per_target,
        candidates: found.candidates(),
        stored: records.map(|records| RecordSettings {
            protocol: records,
            settings: &of_target,
            options: RecordOptions::default(),
            all: !protocol.is_found() && protocol.is_of_records(),
        }),
        stale: None,
        selection: &Selection::default(),
        max_findings: None,
        jobs,
        progress: &Progress::default(),
        searched: &HashSet::new(),
        exercises: false,
        joins: false,
        split: None,
    };
    let of_responses = Mutex::new(Vec::new());
    let keep = |mended: FixedFile| {
        if mended.result.as_ref().err() == Some(&HOLDS_RESPONSES) {
            of_responses.lock().unwrap_or_else(PoisonError::into_inner).push(mended.path.clone());
        }
        fixes.apply(mended);
    };
    let lint = LintOptions {
        rules: protocol.rules_of_run(),
        named,
        is_within: &|file| fixes.covers(file),
        fragment: &|_| None,
        // A fixture with expected findings is not formatted.
        parse_args: &|_, _| Err(String::new()),
        lists_all: false,
        updates: false,
        given_args: &[],
        fix: Some(FixOptions { level: Level::Safe, in_place: fixes.writes(), report: &keep }),
    };
    let mut foreign = ForeignFiles(Vec::new());
    let Outcome { unreadable, in_dialect, .. } = run.lint(&lint, targets, None, &mut foreign)?.0;
    let (mut foreign, of_responses) = (foreign.0, of_responses.into_inner().unwrap_or_else(PoisonError::into_inner));
    foreign.retain(|file| of_responses.iter().all(|other| other.to_string_lossy() != **file));
    Ok(Formatted { unreadable, foreign, of_responses, in_dialect })
}

/// A reporter that keeps the names of the files without events, and discards all other findings, which are for `lint` to
/// report.
struct ForeignFiles(Vec<Arc<str>>);

impl Reporter for ForeignFiles {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if *finding.rule == *Framing::NoEvents.name() {
            self.0.extend(finding.file.clone());
        }
        Ok(())
    }

    fn end(&mut self, _: &RunEnd<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Formats standard input, which is read into memory as a whole. Text that cannot be formatted is passed on unchanged.
struct StdinFilter<'f> {
    protocol: &'f ProtocolChoice,
    options: &'f Options,
    /// The name of the file that the text comes from, if it is given.
    name: Option<String>,
    verbose: bool,
    quiet: bool,
}

impl StdinFilter<'_> {
    fn run(&self, mode: FixMode) -> Result<Exit, CliError> {
        let name: Arc<str> = self.name.as_deref().unwrap_or("-").into();
        if is_markdown(Path::new(&*name)) {
            let message = "Markdown is formatted in its file: name that, and not standard input";
            return Err(CliError::Message(message.to_owned()));
        }
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| CliError::Message(visible(&format!("standard input cannot be read: {error}"))))?;
        let new = self.canonical_form(&name, &bytes);
        match (&new, mode) {
            (_, FixMode::Write) => {
                let mut out = io::stdout().lock();
                out.write_all(new.as_ref().unwrap_or(&bytes))?;
                out.flush()?;
                return Ok(Exit::Clean);
            }
            (None, _) => return Ok(Exit::Clean),
            (Some(new), FixMode::Diff) => {
                print_colored(&difference(&name, Some(&bytes), new))?;
            }
            (Some(_), FixMode::List) => print_colored(&format!("{}\n", visible(&name)))?,
        }
        Ok(Exit::Findings)
    }

    /// Returns the canonical form of a text; `None` if the text has that form already, or must not be changed.
    fn canonical_form(&self, name: &Arc<str>, text: &[u8]) -> Option<Vec<u8>> {
        if self.name.is_some() && expectation::path_for(Path::new(&**name)).symlink_metadata().is_ok() {
            if self.verbose {
                complain!("sessionlint: {} is left as it is: {MEANT_TO_BE_BROKEN}", visible(name));
            }
            return None;
        }
        let number = self.protocol.find(text, self.options).unwrap_or_default();
        let (choice, protocol) = (self.protocol, self.protocol.all()[number].get());
        let records = || choice.records().and_then(RecordProtocol::get);
        let linter = Linter::new(protocol, &records);
        let settings = |protocol: &Protocol| Arc::new(Settings::new(protocol, self.options.clone()));
        let holds_records = protocol.is_of_records() || linter.looks_like_records(text, name);
        let settings = FixtureSettings {
            streams: settings(protocol),
            records: settings(records().filter(|_| holds_records).unwrap_or(protocol)),
            record_options: RecordOptions::default(),
            all_records: protocol.is_of_records(),
            fragment: Some(self.options.fragment()),
            most_findings: MOST_FINDINGS,
        };
        let Classification { kind, survey, is_declared } = classify(&linter, text, name, &settings, true);
        let (kind, survey) = (kind.ok()?, &survey);
        let fixture = Fixture { file: name, text, damaged: None, block: None, body: None, kind, is_declared, survey };
        let of_records = Some((&fixture, &settings)).filter(|_| holds_records);
        let index = of_records.map_or_else(RecordIndex::default, |one| linter.index_records([one].into_iter()));
        let context = FixtureContext { fixture: &fixture, settings: &settings, index: &index, kind: fixture.kind };
        let new = linter.fix(&context, Level::Safe).bytes;
        if new.is_none() && survey.pieces > 0 && !survey.of_protocol && !self.quiet {
            complain!("sessionlint: this text {NOTHING_OF_PROTOCOL}");
        }
        new
    }
}
