//! The destinations and formats of reports, and of the page of `view`: standard output, standard error, and files, which
//! are written completely or not at all.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::{nearest, visible};
use terminal_size::terminal_size_of;

use super::bar::Bar;
use super::console::standard_output;
use super::output_file::{OutputFile, is_plain, resolve};
use super::{CliError, environment};
use crate::error::display_path;
use crate::report::{Format, InertWriter, MultiReporter, Reporter, Syntax, TextOptions, is_report};
use crate::run::{RetryWriter, Target};
use crate::view::is_page;

/// The width of a report that does not go to a terminal, in columns.
const WIDTH: usize = 100;
/// The size of the output buffer, in bytes.
const BUFFER: usize = 1 << 16;

/// The name by which `--format` takes a page of the recordings. It is no [`Format`], because a report of findings has no
/// recordings.
const PAGE: &str = "html";
const ABOUT_PAGE: &str = "A page of the recordings, as `view` makes it";

/// A format and the destination of the report: `FORMAT` or `FORMAT=FILE`.
#[derive(Clone, Debug)]
pub struct Output {
    /// The format of the report; `None` for a page.
    format: Option<&'static Format>,
    /// The file; `None` if the report is printed.
    file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
        let format = Format::named(name);
        if format.is_none() && name != PAGE {
            let names: Vec<_> = Format::ALL.iter().map(|format| format.name).chain([PAGE]).collect();
            let near = nearest(name, names.iter().copied());
            let help =
                near.map_or_else(|| format!("there are {}", names.join(", ")), |near| format!("did you mean {near}?"));
            let found = if name.is_empty() { "an empty name".to_owned() } else { visible(name) };
            return Err(format!("{found} is not a format; {help}"));
        }
        match file {
            Some("-") => Err(format!("for standard output, write {name} alone; for a file of this name, {name}=./-")),
            Some("") => Err("after the = there must be the name of a file".to_owned()),
            _ => Ok(Output { format, file: file.map(PathBuf::from) }),
        }
    }
}

impl Output {
    /// Returns the report that shows counts alone, printed.
    pub fn statistics() -> Output {
        Output { format: Some(Format::STATISTICS), file: None }
    }

    /// Returns a page, in a file or printed.
    pub fn page(file: Option<PathBuf>) -> Output {
        Output { format: None, file }
    }

    /// Returns whether this is a page.
    pub fn is_page(&self) -> bool {
        self.format.is_none()
    }

    /// Returns the reports that a command line asks for, like [`Output::chosen_or_page`].
    ///
    /// # Errors
    ///
    /// Fails too if it asks for a page, which only `check` makes beside its reports.
    pub fn chosen(given: &[Output], is_live: bool) -> Result<Vec<Output>, CliError> {
        let chosen = Output::chosen_or_page(given, is_live)?;
        match chosen.iter().any(Output::is_page) {
            true => Err(CliError::Message(format!(
                "{PAGE} is no report but a page of recordings: `sessionlint check --format {PAGE}=FILE` makes one, and so \
                 does `sessionlint view`"
            ))),
            false => Ok(chosen),
        }
    }

    /// Returns the reports and pages that a command line asks for, or else what the environment asks for.
    ///
    /// `is_live`: whether findings are to be seen before the end, so that no format that begins with counts is taken
    /// unasked.
    pub fn chosen_or_page(given: &[Output], is_live: bool) -> Result<Vec<Output>, CliError> {
        if !given.is_empty() {
            return Ok(given.to_vec());
        }
        if let Some(text) = environment::value(environment::FORMAT) {
            let output = Output::from_str(&text.to_string_lossy());
            return output
                .map(|output| vec![output])
                .map_err(|why| CliError::Message(format!("{}: {why}", environment::FORMAT)));
        }
        let format = if environment::is_of_agent() && !is_live { Format::FOR_AGENTS } else { Format::DEFAULT };
        Ok(vec![Output { format: Some(format), file: None }])
    }
}

/// Parses an [`Output`]. Lists the bare format names so that help and completion can offer them.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputParser {
    /// Whether a page is offered too.
    pub offers_page: bool,
}

impl TypedValueParser for OutputParser {
    type Value = Output;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Output, clap::Error> {
        StringValueParser::new().try_map(|text| Output::from_str(&text)).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let page = self.offers_page.then_some((PAGE, ABOUT_PAGE));
        let all = Format::ALL.iter().map(|format| (format.name, format.about)).chain(page);
        Some(Box::new(all.map(|(name, about)| PossibleValue::new(name).help(about))))
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The destination of a report that does not go to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    StandardOutput,
    /// Used where standard output belongs to the output of another program.
    StandardError,
}

impl Console {
    fn name(self) -> &'static str {
        match self {
            Console::StandardOutput => "standard output",
            Console::StandardError => "standard error",
        }
    }

    fn writer(self, bar: Option<&Bar>) -> Box<dyn Write + Send> {
        match (self, bar) {
            (Console::StandardOutput, Some(bar)) => Box::new(bar.standard_output()),
            (Console::StandardOutput, None) => Box::new(io::stdout()),
            (Console::StandardError, _) => Box::new(RetryWriter(io::stderr())),
        }
    }

    fn color(self, color: Color) -> bool {
        let choice = || match self {
            Console::StandardOutput => anstream::AutoStream::choice(&io::stdout()),
            Console::StandardError => anstream::AutoStream::choice(&io::stderr()),
        };
        match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => choice() != anstream::ColorChoice::Never,
        }
    }

    fn width(self) -> usize {
        let terminal = match self {
            Console::StandardOutput => terminal_size_of(io::stdout()),
            Console::StandardError => terminal_size_of(io::stderr()),
        };
        terminal.map_or(WIDTH, |(width, _)| usize::from(width.0)).clamp(60, 200)
    }
}

/// The appearance of a human-readable report, whatever its destination.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub color: Color,
    pub all: bool,
    pub quiet: bool,
}

/// The reports and pages of a run.
pub struct Outputs {
    console: Console,
    /// The format of each, `None` for a page, and its file. At most one of them is printed.
    outputs: Vec<(Option<&'static Format>, Option<OutputFile>)>,
}

impl Outputs {
    /// Opens the `wanted` reports and pages, of which there is at least one, and removes their files from `targets`, because a
    /// folder may have the report of the last run.
    ///
    /// # Errors
    ///
    /// Fails if a report would go to a recording, to `sessionlint.toml`, to the baseline or to any other file that is no
    /// report of an earlier run, or cannot be opened, or if a page would go to a terminal. A page replaces only a page.
    pub fn open(
        wanted: &[Output],
        console: Console,
        inputs: &[PathBuf],
        config: Option<&Path>,
        baseline: Option<&Path>,
        targets: &mut Vec<Target>,
    ) -> Result<Outputs, CliError> {
        if wanted.iter().filter(|output| output.file.is_none()).count() > 1 {
            let message = format!("only one report can go to {}; write --format FORMAT=FILE", console.name());
            return Err(CliError::Message(message));
        }
        if wanted.iter().any(|output| output.is_page() && output.file.is_none()) && io::stdout().is_terminal() {
            return Err(CliError::Message("a page is not for a terminal; name a file for it".to_owned()));
        }
        // Nothing is opened until everything has been checked.
        let mut paths: Vec<PathBuf> = Vec::new();
        for output in wanted {
            let Some(file) = &output.file else { continue };
            let noun = if output.is_page() { "page" } else { "report" };
            let path = resolve(file);
            let refused = |why: &str| Err(CliError::Message(format!("{} {why}", display_path(file))));
            if path.is_dir() {
                return refused(&format!("is a folder; a {noun} needs a file"));
            }
            if inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == path)) && is_plain(&path) {
                return refused(&format!("is to be checked, so no {noun} can go there"));
            }
            if config.is_some_and(|config| resolve(config) == path) {
                return refused(&format!("is a configuration file, so no {noun} can go there"));
            }
            if baseline.is_some_and(|baseline| resolve(baseline) == path) {
                return refused(&format!("is the baseline, so no {noun} can go there"));
            }
            if paths.contains(&path) {
                return refused("can hold one report only");
            }
            // A report of an earlier run may be among what was found to be checked.
            targets.retain(|target| !is_file(target, &path));
            let is_earlier: fn(&Path) -> io::Result<bool> = if output.is_page() { is_page } else { is_report };
            if path.is_file() && !is_earlier(&path).unwrap_or(false) {
                let help = format!("it is not an earlier {noun}; name another file, or remove that one");
                return Err(CliError::Message(format!("refusing to overwrite {}: {help}", display_path(file))));
            }
            paths.push(path);
        }
        let mut paths = paths.into_iter();
        let mut outputs = Vec::new();
        for output in wanted {
            let place = match &output.file {
                None => None,
                Some(_) => paths.next().map(OutputFile::open).transpose()?,
            };
            outputs.push((output.format, place));
        }
        Ok(Outputs { console, outputs })
    }

    /// Returns whether a page is wanted.
    pub fn has_page(&self) -> bool {
        self.outputs.iter().any(|(format, _)| format.is_none())
    }

    /// Creates a reporter that writes all reports.
    pub fn reporter<'p>(
        &self,
        rules: Rulebook<'p>,
        style: Style,
        bar: Option<&Bar>,
    ) -> Result<MultiReporter<'p>, CliError> {
        let mut reporters: Vec<Box<dyn Reporter + Send + 'p>> = Vec::new();
        for (format, place) in &self.outputs {
            let Some(format) = format else { continue };
            let console = self.console;
            let (out, color, width): (Box<dyn Write + Send>, bool, usize) = match place {
                Some(place) => (Box::new(place.writer()?), style.color == Color::Always, WIDTH),
                None => (console.writer(bar), console.color(style.color), console.width()),
            };
            let syntax = match format.syntax {
                Syntax::Colored if !color => Syntax::Plain,
                syntax => syntax,
            };
            let out: Box<dyn Write + Send> = Box::new(InertWriter::new(out, syntax));
            let out = BufWriter::with_capacity(BUFFER, out);
            let look =
                TextOptions::default().with_color(color).with_width(width).with_all(style.all).with_quiet(style.quiet);
            reporters.push((format.reporter)(out, rules, look));
        }
        Ok(MultiReporter::new(reporters))
    }

    /// Moves the files of reports to their final paths, which must be complete. Returns the places of pages.
    pub fn persist(self) -> Result<Vec<PagePlace>, CliError> {
        let (reports, pages): (Vec<_>, Vec<_>) = self.outputs.into_iter().partition(|(format, _)| format.is_some());
        reports.into_iter().filter_map(|(_, place)| place).try_for_each(OutputFile::persist)?;
        Ok(pages.into_iter().map(|(_, place)| PagePlace(place)).collect())
    }
}

/// Where a page goes: a file, or standard output.
pub struct PagePlace(Option<OutputFile>);

impl PagePlace {
    /// Writes the page.
    pub fn write(self, html: &str) -> Result<(), CliError> {
        match self.0 {
            None => {
                let mut out = standard_output(Syntax::Json);
                out.write_all(html.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Output)
            }
            Some(file) => {
                file.writer().and_then(|mut writer| writer.write_all(html.as_bytes()))?;
                file.persist()
            }
        }
    }
}

/// Returns `true` if a target is this file, whatever path leads to it.
pub fn is_file(target: &Target, file: &Path) -> bool {
    match target {
        Target::File(path) => fs::canonicalize(path).is_ok_and(|path| path == file),
        Target::StandardInput(_) | Target::Copy(..) => false,
    }
}
