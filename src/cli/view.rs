//! `sessionlint view`: makes a page that shows recordings.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ArgAction;

use super::console::standard_output;
use super::input::{
    InputArguments, SearchNotes, TargetSettings, copied, only_protocol, report_errors, report_nothing_judged,
    require_targets,
};
use super::output::is_file;
use super::output_file::{OutputFile, is_plain, resolve};
use super::{CliError, Exit};
use crate::error::display_path;
use crate::report::Syntax;
use crate::run::{FoundTargets, Progress, Run, Selection};
use crate::view::{Page, ViewOptions, page};

/// The file for the page if none is named.
const DEFAULT: &str = "sessionlint.html";

/// The number of bytes of an earlier page in which its title stands.
const MOST_HEAD: u64 = 4096;

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
    let (choice, config) = arguments.input.load()?;
    let to_console = arguments.out.as_os_str() == "-";
    if to_console && arguments.open {
        return Err(CliError::Message("--open needs a file: name one with --out".to_owned()));
    }
    let FoundTargets { mut targets, searched, errors, left_out } = arguments.input.expand(config.as_ref());
    report_errors(&errors);
    if !to_console {
        check_place(&arguments.out, arguments.input.paths())?;
        let place = resolve(&arguments.out);
        targets.retain(|target| !is_file(target, &place));
    }
    require_targets(&targets, &SearchNotes { errors: &errors, left_out }, "")?;
    let (targets, _copies) = copied(targets)?;
    let options = arguments.input.reading.options();
    let protocol = only_protocol(choice, config.as_deref(), &options, &targets, &searched)?;
    let settings = TargetSettings::new(&protocol, config.as_deref(), &options, &targets);
    let usual = (Selection::default(), Progress::default());
    let run = Run::of_streams(&protocol, &settings.per_target, None, &searched, &usual);
    let options = ViewOptions { max_events: arguments.max_events };
    let Page { html, recordings, summary, unreadable } = page(&run, &targets, options)?;
    report_errors(&unreadable);
    if recordings == 0 {
        if unreadable.is_empty() {
            report_nothing_judged(&protocol);
        }
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

/// Checks that the page would replace nothing but a page of an earlier run.
fn check_place(file: &Path, inputs: &[PathBuf]) -> Result<(), CliError> {
    let refused = |why: &str| Err(CliError::Message(format!("{} {why}", display_path(file))));
    let path = resolve(file);
    if path.is_dir() {
        return refused("is a folder; the page needs a file");
    }
    if inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == path)) && is_plain(&path) {
        return refused("is a recording that is to be shown, so the page cannot go there");
    }
    let is_there = is_plain(&path) && fs::metadata(&path).is_ok_and(|old| old.len() > 0);
    if is_there && !is_page(&path).unwrap_or_default() {
        let help = "it is not an earlier page; name another file, or remove that one";
        return Err(CliError::Message(format!("refusing to overwrite {}: {help}", display_path(file))));
    }
    Ok(())
}

/// Returns whether a file begins like a page.
fn is_page(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    fs::File::open(path)?.take(MOST_HEAD).read_to_end(&mut beginning)?;
    let beginning = String::from_utf8_lossy(&beginning);
    Ok(beginning.starts_with("<!doctype html>") && beginning.contains("— sessionlint</title>"))
}

/// Writes the page to a file.
fn write(path: &Path, html: &str) -> Result<(), CliError> {
    let file = OutputFile::open(resolve(path))?;
    file.writer().and_then(|mut writer| writer.write_all(html.as_bytes()))?;
    file.persist()?;
    complain!("sessionlint: the page is {}", display_path(path));
    Ok(())
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
