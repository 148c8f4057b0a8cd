//! `sessionlint fmt`.

use std::collections::HashSet;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sessionlint_core::event::{Options, Settings};
use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::records::{Asked, Known};
use sessionlint_core::text::visible;

use super::config::Chosen;
use super::input::{Alike, InputArguments, ReadingArguments, cores, refuse_nothing, say};
use super::mend::{Deed, Hand, Screen};
use super::{Exit, Failure};
use crate::config::Config;
use crate::difference::difference;
use crate::error::RunError;
use crate::lint::expectation;
use crate::lint::fix::Level;
use crate::lint::{
    Classification, Fixture, FixtureContext, FixtureSettings, Linter, MEANT_TO_BE_BROKEN, classify, is_markdown,
};
use crate::report::{Reporter, RunEnd};
use crate::run::{
    FixOptions, LintOptions, Progress, RecordProtocol, RecordSettings, Run, Target, is_lint_candidate, with_fixtures,
};

#[derive(clap::Args)]
pub struct Arguments {
    /// Files, folders, patterns; `-`, or nothing where something is piped in: standard input to standard output
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    reading: ReadingArguments,

    /// List the files that would change, and change nothing; exit code 1 if there are any
    #[arg(long, conflicts_with = "diff")]
    check: bool,

    /// Show what would change, and change nothing; exit code 1 if anything would
    #[arg(long)]
    diff: bool,

    /// The name of the file that standard input is the content of; its ending says how events stand in it
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,

    /// Say also what was left as it is, and why
    #[arg(short, long)]
    verbose: bool,

    /// Say nothing of what was done
    #[arg(short, long)]
    quiet: bool,

    /// How many threads may work; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<u16>>,
}

pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { mut paths, reading, check, diff, stdin_name, verbose, quiet, jobs } = arguments;
    let is_filter = match paths.as_slice() {
        [] => stdin_name.is_some() || is_piped(),
        [one] => is_standard_input(one),
        several if several.iter().any(|path| is_standard_input(path)) => {
            return Err(Failure::Message("`-` stands alone: standard input goes to standard output".to_owned()));
        }
        _ => false,
    };
    if stdin_name.is_some() && !is_filter {
        return Err(Failure::Message("--stdin-name goes with standard input".to_owned()));
    }
    if paths.is_empty() {
        paths.push(if is_filter { "-" } else { "." }.into());
    }
    let deed = match (check, diff) {
        (true, _) => Deed::List,
        (_, true) => Deed::Show,
        _ => Deed::Write,
    };
    let input = InputArguments { paths, reading };
    let (protocol, config) = input.load()?;
    let options = input.reading.form.options().with_excerpts(false);
    if is_filter {
        let filter = Filter { protocol: &protocol, options: &options, name: stdin_name, verbose, quiet };
        return filter.run(deed);
    }
    let named: HashSet<PathBuf> = input.paths.iter().filter(|path| !path.is_dir()).cloned().collect();
    let (found, errors) = input.expand_to(config.as_ref(), is_lint_candidate);
    let targets = with_fixtures(found, &named);
    say(&errors);
    refuse_nothing(&targets, &errors, " .md .markdown")?;
    let hand = Hand::new(deed, Screen::StandardOutput, &input.paths);
    let jobs = jobs.map_or_else(cores, |jobs| usize::from(jobs.get()));
    let unreadable = format(&protocol, config.as_deref(), &options, &targets, &named, &hand, jobs)?;
    say(&unreadable);
    let exit = hand.end(quiet, verbose)?;
    Ok(if errors.is_empty() && unreadable.is_empty() { exit } else { Exit::Usage })
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether standard input is a pipe or a file: what runs without a terminal has something else there.
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

/// Formats all fixtures; what could not be read.
fn format(
    protocol: &Chosen,
    config: Option<&Config>,
    options: &Options,
    targets: &[Target],
    named: &HashSet<PathBuf>,
    hand: &Hand,
    jobs: usize,
) -> Result<Vec<RunError>, Failure> {
    let settings = Alike::new(protocol, config, options, targets);
    let records = protocol.records();
    let of_records = records.and_then(RecordProtocol::get).unwrap_or(protocol);
    let stored = Alike::new(of_records, config, options, targets);
    let of_target = |number: usize| stored.of_targets[number].clone();
    let run = Run {
        protocol,
        settings: &settings.of_targets,
        stored: records.map(|records| RecordSettings {
            protocol: records,
            settings: &of_target,
            asked: Asked::default(),
            all: protocol.is_of_records(),
        }),
        stale: None,
        max_findings: None,
        jobs,
        progress: &Progress::default(),
        exercises: false,
    };
    let lint = LintOptions {
        rules: protocol.rules_of_run(),
        named,
        is_within: &|file| hand.may_follow(file),
        fragment: &|_| None,
        // What is expected of a fixture keeps it from being written.
        parse_args: &|_, _| Err(String::new()),
        lists_all: false,
        updates: false,
        given_args: &[],
        fix: Some(FixOptions { level: Level::Safe, in_place: hand.writes(), report: &|mended| hand.take(mended) }),
    };
    Ok(run.lint(&lint, targets, None, &mut Silent)?.0.unreadable)
}

/// Says nothing of what is found: that is for `lint`.
struct Silent;

impl Reporter for Silent {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, _: &Finding) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _: &RunEnd<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Formats standard input, which is held in memory as a whole. What cannot be formatted goes through as it is.
struct Filter<'f> {
    protocol: &'f Chosen,
    options: &'f Options,
    /// The name of the file that it is the content of.
    name: Option<String>,
    verbose: bool,
    quiet: bool,
}

impl Filter<'_> {
    fn run(&self, deed: Deed) -> Result<Exit, Failure> {
        let name: Arc<str> = self.name.as_deref().unwrap_or("-").into();
        if is_markdown(Path::new(&*name)) {
            let message = "Markdown is formatted in its file: name that, and not standard input";
            return Err(Failure::Message(message.to_owned()));
        }
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Failure::Message(visible(&format!("standard input cannot be read: {error}"))))?;
        let new = self.formatted(&name, &bytes);
        match (&new, deed) {
            (_, Deed::Write) => {
                let mut out = io::stdout().lock();
                out.write_all(new.as_ref().unwrap_or(&bytes))?;
                out.flush()?;
                return Ok(Exit::Clean);
            }
            (None, _) => return Ok(Exit::Clean),
            (Some(new), Deed::Show) => {
                write!(anstream::stdout().lock(), "{}", difference(&name, Some(&bytes), new))?;
            }
            (Some(_), Deed::List) => writeln!(anstream::stdout().lock(), "{}", visible(&name))?,
        }
        Ok(Exit::Findings)
    }

    /// The canonical form of a text; none if it is in that form, or is to stay as it is.
    fn formatted(&self, name: &Arc<str>, text: &[u8]) -> Option<Vec<u8>> {
        if self.name.is_some() && expectation::path_for(Path::new(&**name)).symlink_metadata().is_ok() {
            if self.verbose {
                anstream::eprintln!("sessionlint: {} is left as it is: {MEANT_TO_BE_BROKEN}", visible(name));
            }
            return None;
        }
        let protocol = self.protocol;
        let records = || protocol.records().and_then(RecordProtocol::get);
        let linter = Linter::new(protocol, &records);
        let settings = |protocol: &Protocol| Arc::new(Settings::new(protocol, self.options.clone()));
        let holds_records = protocol.is_of_records() || linter.looks_like_records(text, name);
        let settings = FixtureSettings {
            streams: settings(protocol),
            records: settings(records().filter(|_| holds_records).unwrap_or(protocol)),
            asked: Asked::default(),
            all_records: protocol.is_of_records(),
            fragment: Some(self.options.fragment()),
        };
        let Classification { kind, survey, is_declared } = classify(&linter, text, name, &settings, true);
        let (kind, survey) = (kind.ok()?, &survey);
        let fixture = Fixture { file: name, text, damaged: None, block: None, kind, is_declared, survey };
        let of_records = Some((&fixture, &settings)).filter(|_| holds_records);
        let known = of_records.map_or_else(Known::default, |one| linter.known([one].into_iter()));
        let context = FixtureContext { fixture: &fixture, settings: &settings, known: &known, kind: fixture.kind };
        let new = linter.fix(&context, Level::Safe).bytes;
        if new.is_none() && survey.pieces > 0 && !survey.of_protocol && !self.quiet {
            anstream::eprintln!("sessionlint: nothing of the protocol is in this text, and it stays as it is");
        }
        new
    }
}
