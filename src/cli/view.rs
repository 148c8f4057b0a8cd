//! `sessionlint view`: makes a page that shows recordings.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clap::ArgAction;
use sessionlint_core::event::Options;

use super::config::ProtocolChoice;
use super::input::{
    InputArguments, SearchNotes, TargetSettings, copied, only_protocol, report_errors, report_nothing_judged,
    require_targets, stored,
};
use super::output::{Console, Output, Outputs, PagePlace};
use super::{CliError, Exit};
use crate::config::Config;
use crate::error::display_path;
use crate::run::{FoundTargets, Progress, Run, Selection, Target};
use crate::view::{Page, ViewOptions, page};

/// The file for the page if none is named.
const DEFAULT: &str = "sessionlint.html";

/// The most events that are shown one by one unless the caller says otherwise.
const MOST_EVENTS: usize = 50_000;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    input: InputArguments,

    /// File for the page; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    out: PathBuf,

    /// Open the page in the browser
    #[arg(long, action = ArgAction::SetTrue)]
    open: bool,

    /// Maximum number of events that are shown one by one; of more, those around findings and samples of the rest
    #[arg(long, value_name = "N", default_value_t = MOST_EVENTS, value_parser = most_events)]
    max_events: usize,
}

fn most_events(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "it must be a number from 1 to 1000000".to_owned())
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (choice, config) = arguments.input.load()?;
    let file = Some(&arguments.out).filter(|out| out.as_os_str() != "-");
    if file.is_none() && arguments.open {
        return Err(CliError::Message("--open needs a file: name one with --out".to_owned()));
    }
    let FoundTargets { mut targets, searched, errors, left_out } = arguments.input.expand(config.as_ref());
    report_errors(&errors);
    let (wanted, paths) = ([Output::page(file.cloned())], arguments.input.paths());
    let config_file = config.as_deref().map(Config::path);
    let outputs = Outputs::open(&wanted, Console::StandardOutput, paths, config_file, None, &mut targets)?;
    require_targets(&targets, &SearchNotes { errors: &errors, left_out }, "")?;
    let (targets, _copies) = copied(targets)?;
    let subject = PageSubject {
        choice,
        config: config.as_deref(),
        options: arguments.input.reading.options(),
        targets: &targets,
        searched: &searched,
    };
    let (Page { html, recordings, summary, unreadable }, protocol) = subject.page(arguments.max_events)?;
    report_errors(&unreadable);
    if summary.events + summary.records == 0 {
        if recordings > 0 || unreadable.is_empty() {
            report_nothing_judged(&protocol);
        }
        return Ok(Exit::Usage);
    }
    outputs.persist()?.into_iter().try_for_each(|place| place.write(&html))?;
    if let Some(file) = file {
        complain!("sessionlint: the page is {}", display_path(file));
        if arguments.open {
            open(file)?;
        }
    }
    Ok(if errors.is_empty() && unreadable.is_empty() { Exit::Clean } else { Exit::Usage })
}

/// What a page shows.
pub struct PageSubject<'p> {
    pub choice: ProtocolChoice,
    pub config: Option<&'p Config>,
    pub options: Options,
    /// The targets, which must be ones that can be read again.
    pub targets: &'p [Target],
    /// The files of folders.
    pub searched: &'p HashSet<PathBuf>,
}

impl PageSubject<'_> {
    /// Writes the page of what was checked. Nothing that the check has said already is said again.
    ///
    /// # Errors
    ///
    /// Fails if there is no one protocol of all targets, or if the page cannot be written.
    pub fn write(self, places: Vec<PagePlace>) -> Result<(), CliError> {
        let page = self.page(MOST_EVENTS);
        let written =
            page.and_then(|(Page { html, .. }, _)| places.into_iter().try_for_each(|place| place.write(&html)));
        written.map_err(|failure| match failure {
            CliError::Message(why) => CliError::Message(format!("no page was made: {why}")),
            other => other,
        })
    }

    /// Makes the page, and returns it with the protocol of what it shows.
    fn page(self, max_events: usize) -> Result<(Page, ProtocolChoice), CliError> {
        let PageSubject { choice, config, options, targets, searched } = self;
        let protocol = only_protocol(choice.clone(), config, &options, targets, searched)?;
        let settings = TargetSettings::new(&protocol, config, &options, targets);
        let usual = (Selection::default(), Progress::default());
        // Files of stored records are told from streams as the check does.
        let of_records = |target: usize| Arc::clone(&settings.per_target[target]);
        let run = Run {
            stored: stored(&choice, &of_records).filter(|_| !protocol.is_of_records()),
            ..Run::of_streams(&protocol, &settings.per_target, None, searched, &usual)
        };
        let page = page(&run, targets, ViewOptions { max_events })?;
        Ok((page, protocol))
    }
}

/// Opens a file by the program that the system has for it.
fn open(path: &Path) -> Result<(), CliError> {
    let path = std::path::absolute(path).map_err(CliError::Output)?;
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let started =
        Command::new(program).arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let reason = |error: io::Error| CliError::Message(format!("the page cannot be opened: {program}: {error}"));
    started.map(drop).map_err(reason)
}
