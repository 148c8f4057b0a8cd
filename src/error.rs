//! Failures of a run, which are never the recording's: files that cannot be read or used. Those of protocols are the
//! engine's; here they become diagnostics for a terminal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, NamedSource};
use sessionlint_core::keys::toml_problem;
use sessionlint_core::text::{count, visible};
use sessionlint_core::{Problem, ProtocolError};
use thiserror::Error;

/// A mistake in a file, with the file's text as a terminal may show it.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct ShownProblem {
    message: String,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label("{label}")]
    span: miette::SourceSpan,
    /// The same place in the file as it is; the source that is shown may be longer.
    #[cfg(test)]
    pub offset: usize,
    label: String,
    #[help]
    help: String,
}

impl ShownProblem {
    /// Returns the mistakes of one file. Control characters in its text are replaced.
    fn all(file: &str, text: &str, problems: impl IntoIterator<Item = Problem>) -> Vec<ShownProblem> {
        let shown = |text: &str| -> String {
            let line = |line: &str| match line.strip_suffix('\n') {
                Some(line) => visible(line.strip_suffix('\r').unwrap_or(line)) + "\n",
                None => visible(line),
            };
            text.replace('\t', " ").split_inclusive('\n').map(line).collect()
        };
        // Places of a file are between characters, but a place that is not must not end the program.
        let length = |end: usize| shown(text.get(..end).unwrap_or(text)).len();
        let source_code = Arc::new(NamedSource::new(visible(file), shown(text)));
        let problem = |Problem { message, label, span, help }: Problem| ShownProblem {
            message: visible(&message),
            source_code: source_code.clone(),
            span: (length(span.start)..length(span.end)).into(),
            #[cfg(test)]
            offset: span.start,
            label: visible(&label),
            help: visible(&help),
        };
        problems.into_iter().map(problem).collect()
    }
}

/// A protocol that cannot be used, for a terminal.
#[derive(Debug, Error, Diagnostic)]
#[error("{headline}")]
pub struct ShownProtocolError {
    headline: String,
    #[source]
    cause: Option<Cause>,
    #[help]
    help: Option<String>,
    #[related]
    problems: Vec<ShownProblem>,
}

/// The system's own words.
#[derive(Debug, Error)]
#[error("{0}")]
struct Cause(String);

impl From<&ProtocolError> for ShownProtocolError {
    fn from(error: &ProtocolError) -> ShownProtocolError {
        let problems = error.problems().iter().map(|problem| Problem {
            message: problem.message().to_owned(),
            label: problem.label().to_owned(),
            span: problem.span(),
            help: problem.help().to_owned(),
        });
        ShownProtocolError {
            headline: error.headline(),
            cause: std::error::Error::source(error).map(|cause| Cause(cause.to_string())),
            help: error.help().map(str::to_owned),
            problems: ShownProblem::all(&error.file(), error.text(), problems),
        }
    }
}

/// A file beside the recordings that cannot be used: `sessionlint.toml`, a baseline.
#[derive(Debug, Error, Diagnostic)]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read: {cause}", visible(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
        /// What to do.
        #[help]
        help: &'static str,
    },
    /// It is wrong.
    #[error("{} cannot be used: {}", visible(file), count(problems.len() as u64, "mistake"))]
    Wrong {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[related]
        problems: Vec<ShownProblem>,
    },
}

impl FileError {
    pub fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> FileError {
        problems.sort_by_key(|problem| problem.span.start);
        let file = file.to_string_lossy().into_owned();
        FileError::Wrong { problems: ShownProblem::all(&file, text, problems), file }
    }

    /// A text that is no TOML, or not the TOML that it should be.
    pub fn toml(file: &Path, text: &str, error: &toml::de::Error, help: &str) -> FileError {
        FileError::new(file, text, vec![toml_problem(error, help)])
    }
}

/// Something that could not be checked at all.
#[derive(Debug, Error)]
pub enum RunError {
    /// A file that cannot be read.
    #[error("{}: {cause}", visible(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A folder or pattern that names no recording.
    #[error("{}: there is nothing to check", visible(&path.to_string_lossy()))]
    Nothing {
        /// The folder or pattern.
        path: PathBuf,
    },
    /// A folder that cannot be walked.
    #[error("{}: {cause}", visible(&path.to_string_lossy()))]
    Walk {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: ignore::Error,
    },
    /// A pattern that is none.
    #[error("{}: {cause}", visible(pattern))]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        cause: globset::Error,
    },
}
