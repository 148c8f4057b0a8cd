//! `sessionlint view`: makes a page that shows recordings.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::ArgAction;

use super::console::standard_output;
use super::input::{
    InputArguments, SearchNotes, TargetSettings, report_errors, report_nothing_judged, require_targets,
};
use super::output_file::{OutputFile, resolve};
use super::{CliError, Exit};
use crate::error::display_path;
use crate::report::Syntax;
use crate::run::FoundTargets;
use crate::view::{Page, ViewOptions, page};

/// The file for the page if none is named.
const DEFAULT: &str = "sessionlint.html";

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
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = most_events)]
    max_events: usize,
}

fn most_events(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "it must be a number from 1 to 1000000".to_owned())
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (protocol, config) = arguments.input.load()?;
    let to_console = arguments.out.as_os_str() == "-";
    if to_console && arguments.open {
        return Err(CliError::Message("--open needs a file: name one with --out".to_owned()));
    }
    let FoundTargets { targets, errors, left_out, .. } = arguments.input.expand(config.as_ref());
    report_errors(&errors);
    require_targets(&targets, &SearchNotes { errors: &errors, left_out }, "")?;
    let options = arguments.input.reading.options();
    let settings = TargetSettings::new(&protocol, config.as_deref(), &options, &targets);
    let options = ViewOptions { max_events: arguments.max_events };
    let Page { html, summary, unreadable } = page(&protocol, &targets, &settings.per_target, options)?;
    report_errors(&unreadable);
    if unreadable.len() == targets.len() {
        return Ok(Exit::Usage);
    }
    if to_console {
        let mut out = standard_output(Syntax::Json);
        out.write_all(html.as_bytes()).and_then(|()| out.flush())?;
    } else {
        write(&arguments.out, &html)?;
    }
    let is_empty = summary.events + summary.records == 0;
    if is_empty {
        report_nothing_judged(&protocol);
    }
    if arguments.open {
        open(&arguments.out)?;
    }
    Ok(if !errors.is_empty() || !unreadable.is_empty() || is_empty { Exit::Usage } else { Exit::Clean })
}

/// Writes the page to a file.
fn write(path: &std::path::Path, html: &str) -> Result<(), CliError> {
    let file = OutputFile::open(resolve(path))?;
    file.writer().and_then(|mut writer| writer.write_all(html.as_bytes()))?;
    file.persist()?;
    complain!("sessionlint: the page is {}", display_path(path));
    Ok(())
}

/// Opens a file by the program that the system has for it.
fn open(path: &std::path::Path) -> Result<(), CliError> {
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
