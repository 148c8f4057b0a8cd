//! Where reports go, and in which format: standard output, and files.
//!
//! A file is written beside its place and renamed when the report is complete. So there is the old one or the new one,
//! never half of one, and nothing new where the run failed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};
use tempfile::NamedTempFile;

use super::Failure;
use super::bar::Bar;
use crate::protocol::{Protocol, nearest};
use crate::report::{GitHub, GitLab, Human, JUnit, Json, Jsonl, Look, Markdown, Reporter, Sarif, Several, visible};
use crate::run::Target;

/// How wide the report is where no terminal says so, in columns.
const WIDTH: usize = 100;
/// How much is written at once, in bytes.
const BUFFER: usize = 1 << 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people (the default)
    Human,
    /// One JSON document
    Json,
    /// One JSON object a finding, one a line
    Jsonl,
    /// SARIF 2.1.0, for code scanning services and editors
    Sarif,
    /// JUnit XML: a test suite a file, a test case a stream
    #[value(name = "junit")]
    JUnit,
    /// Workflow commands of GitHub Actions
    #[value(name = "github")]
    GitHub,
    /// The code quality report of GitLab
    #[value(name = "gitlab")]
    GitLab,
    /// A summary of the run
    Markdown,
}

/// A format, and where the report goes: `FORMAT` or `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    format: Format,
    /// None: standard output.
    file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
        let Ok(format) = Format::from_str(name, false) else {
            let values: Vec<_> = Format::value_variants().iter().filter_map(Format::to_possible_value).collect();
            let names: Vec<_> = values.iter().map(|value| value.get_name()).collect();
            let near = nearest(name, names.iter().copied());
            let help =
                near.map_or_else(|| format!("there are {}", names.join(", ")), |near| format!("did you mean {near}?"));
            return Err(format!("{} is no format; {help}", visible(name)));
        };
        match file {
            Some("") => Err("after the = there must be the name of a file".to_owned()),
            _ => Ok(Output { format, file: file.map(PathBuf::from) }),
        }
    }
}

/// Reads an [`Output`]. Help and completion are told the formats, which alone are right too.
#[derive(Clone, Copy, Debug)]
pub struct OutputParser;

impl TypedValueParser for OutputParser {
    type Value = Output;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Output, clap::Error> {
        StringValueParser::new().try_map(|text| Output::from_str(&text)).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Format::value_variants().iter().filter_map(Format::to_possible_value)))
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// How a report for people looks, wherever it goes.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub color: Color,
    pub all: bool,
    pub quiet: bool,
}

/// All reports of a run.
pub struct Outputs {
    /// At most one of them goes to standard output.
    outputs: Vec<(Format, Option<Place>)>,
}

/// Where a file is to be.
struct Place {
    path: PathBuf,
    /// What is renamed in the end; none for a device or a pipe, which nothing may take the place of.
    temporary: Option<NamedTempFile>,
}

impl Outputs {
    /// Opens what was asked for, and leaves those files out of `targets` that a report goes to: a folder may well hold
    /// the report of the last run.
    pub fn open(wanted: &[Output], inputs: &[PathBuf], targets: &mut Vec<Target>) -> Result<Outputs, Failure> {
        let human = [Output { format: Format::Human, file: None }];
        let wanted = if wanted.is_empty() { &human } else { wanted };
        if wanted.iter().filter(|output| output.file.is_none()).count() > 1 {
            return Err(Failure::Message("only one --format can go to standard output; write FORMAT=FILE".to_owned()));
        }
        // Nothing is opened before all is known to be right.
        let mut paths: Vec<PathBuf> = Vec::new();
        for file in wanted.iter().filter_map(|output| output.file.as_ref()) {
            let path = place(file);
            let refused = |why: &str| Err(Failure::Message(format!("{} {why}", shown(file))));
            if path.is_dir() {
                return refused("is a folder; a report needs a file");
            }
            if inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == path)) && is_plain(&path) {
                return refused("is to be checked, so no report can go there");
            }
            if paths.contains(&path) {
                return refused("can hold one report only");
            }
            paths.push(path);
        }
        if !paths.is_empty() {
            targets.retain(|target| match target {
                Target::File(path) => !fs::canonicalize(path).is_ok_and(|path| paths.contains(&path)),
                Target::StandardInput => true,
            });
        }
        let mut paths = paths.into_iter();
        let mut outputs = Vec::new();
        for output in wanted {
            let place = match &output.file {
                None => None,
                Some(file) => {
                    let opened = paths.next().map_or(Err(io::ErrorKind::NotFound.into()), Place::open);
                    let cannot = |error| Failure::Message(format!("{} cannot be written: {error}", shown(file)));
                    Some(opened.map_err(cannot)?)
                }
            };
            outputs.push((output.format, place));
        }
        Ok(Outputs { outputs })
    }

    /// What writes all of them.
    pub fn reporter<'p>(
        &self,
        protocol: &'p Protocol,
        style: Style,
        bar: Option<&Bar>,
    ) -> Result<Several<'p>, Failure> {
        let mut reporters: Vec<Box<dyn Reporter + Send + 'p>> = Vec::new();
        for (format, place) in &self.outputs {
            let (out, color, width): (Box<dyn Write + Send>, bool, usize) = match (place, bar) {
                (Some(place), _) => (Box::new(place.writer()?), style.color == Color::Always, WIDTH),
                (None, Some(bar)) => (Box::new(bar.standard_output()), color(style.color), width()),
                (None, None) => (Box::new(io::stdout()), color(style.color), width()),
            };
            let out = BufWriter::with_capacity(BUFFER, out);
            let look = Look { color, width, all: style.all, quiet: style.quiet };
            reporters.push(match format {
                Format::Human => Box::new(Human::new(out, protocol, look)),
                Format::Json => Box::new(Json::new(out)),
                Format::Jsonl => Box::new(Jsonl::new(out)),
                Format::Sarif => Box::new(Sarif::new(out, protocol)),
                Format::JUnit => Box::new(JUnit::new(out)),
                Format::GitHub => Box::new(GitHub::new(out, protocol)),
                Format::GitLab => Box::new(GitLab::new(out)),
                Format::Markdown => Box::new(Markdown::new(out, protocol)),
            });
        }
        Ok(Several::new(reporters))
    }

    /// Puts the files into their places. The reports must be complete.
    pub fn keep(self) -> Result<(), Failure> {
        for (_, place) in self.outputs {
            let Some(Place { path, temporary: Some(temporary) }) = place else { continue };
            temporary
                .persist(&path)
                .map_err(|error| Failure::Message(format!("{} cannot be written: {}", shown(&path), error.error)))?;
        }
        Ok(())
    }
}

impl Place {
    fn open(path: PathBuf) -> io::Result<Place> {
        if !is_plain(&path) {
            return Ok(Place { path, temporary: None });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".sessionlint-").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder)?;
        Ok(Place { path, temporary: Some(temporary) })
    }

    fn writer(&self) -> io::Result<File> {
        match &self.temporary {
            Some(temporary) => temporary.as_file().try_clone(),
            None => File::options().write(true).open(&self.path),
        }
    }
}

/// The file that a name stands for; of a link, what it leads to, so that the link stays.
fn place(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match (fs::canonicalize(folder), file.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => file.to_owned(),
        }
    })
}

/// Whether there is a file of the usual kind, or nothing yet.
fn is_plain(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

fn color(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

fn width() -> usize {
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = if io::stdout().is_terminal() { terminal() } else { None };
    width.unwrap_or(WIDTH).clamp(60, 160)
}
