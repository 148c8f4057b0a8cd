//! Errors of a run, as opposed to findings in a recording: files that cannot be read or used. The core reports the
//! errors of protocols; this module turns them into diagnostics for a terminal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, NamedSource};
use sessionlint_core::text::{count, visible};
use sessionlint_core::{Problem, ProtocolError, SourceProblem};
use thiserror::Error;

/// Formats a path for a message, safe for a terminal.
pub fn display_path(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

/// A mistake in a file, with the file's text made safe for a terminal.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct ProblemDiagnostic {
    message: String,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label("{label}")]
    span: miette::SourceSpan,
    /// Where the mistake begins in the original text, in bytes. `span` refers to the text that is shown, which may be
    /// longer.
    #[cfg(test)]
    pub offset: usize,
    label: String,
    #[help]
    help: String,
}

impl ProblemDiagnostic {
    /// Returns the diagnostics for the mistakes of one file. Control characters in its text are replaced.
    fn all(file: &str, text: &str, problems: impl IntoIterator<Item = Problem>) -> Vec<ProblemDiagnostic> {
        let shown = |text: &str| -> String {
            let line = |line: &str| match line.strip_suffix('\n') {
                Some(line) => visible(line.strip_suffix('\r').unwrap_or(line)) + "\n",
                None => visible(line),
            };
            text.replace('\t', " ").split_inclusive('\n').map(line).collect()
        };
        // Offsets are expected on character boundaries, but one that is not must not panic.
        let length = |end: usize| shown(text.get(..end).unwrap_or(text)).len();
        let source_code = Arc::new(NamedSource::new(visible(file), shown(text)));
        let problem = |Problem { message, label, span, help }: Problem| ProblemDiagnostic {
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

/// A protocol that cannot be used, as a diagnostic for a terminal.
#[derive(Debug, Error, Diagnostic)]
#[error("{headline}")]
pub struct ProtocolErrorDiagnostic {
    headline: String,
    #[source]
    cause: Option<Cause>,
    #[help]
    help: Option<String>,
    #[related]
    problems: Vec<ProblemDiagnostic>,
}

/// The message of the operating system.
#[derive(Debug, Error)]
#[error("{0}")]
struct Cause(String);

impl From<&ProtocolError> for ProtocolErrorDiagnostic {
    fn from(error: &ProtocolError) -> ProtocolErrorDiagnostic {
        let owned = |problem: &SourceProblem| Problem {
            message: problem.message().to_owned(),
            label: problem.label().to_owned(),
            span: problem.span(),
            help: problem.help().to_owned(),
        };
        let by_file = error.problems().chunk_by(|one, next| one.file() == next.file());
        let problems = by_file.flat_map(|of_file| {
            let [first, ..] = of_file else { return Vec::new() };
            ProblemDiagnostic::all(first.file(), first.text(), of_file.iter().map(owned))
        });
        ProtocolErrorDiagnostic {
            headline: error.headline(),
            cause: std::error::Error::source(error).map(|cause| Cause(cause.to_string())),
            help: error.help().map(str::to_owned),
            problems: problems.collect(),
        }
    }
}

/// A file other than a recording that cannot be used: `sessionlint.toml` or a baseline.
#[derive(Debug, Error, Diagnostic)]
pub enum FileError {
    /// The file cannot be read.
    #[error("{} cannot be read: {cause}", display_path(path))]
    Unreadable {
        /// The file's path.
        path: PathBuf,
        /// Why it cannot be read.
        cause: std::io::Error,
        /// What the user can do about it.
        #[help]
        help: &'static str,
    },
    /// The file has mistakes.
    #[error("{} cannot be used: {}", visible(file), count(problems.len() as u64, "mistake"))]
    Wrong {
        /// The file's path.
        file: String,
        /// The mistakes in it.
        #[related]
        problems: Vec<ProblemDiagnostic>,
    },
}

impl FileError {
    /// Returns the error for a file with these mistakes, sorted by their position.
    pub fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> FileError {
        problems.sort_by_key(|problem| problem.span.start);
        let file = file.to_string_lossy().into_owned();
        FileError::Wrong { problems: ProblemDiagnostic::all(&file, text, problems), file }
    }
}

/// An input that could not be checked at all.
#[derive(Debug, Error)]
pub enum RunError {
    /// A file that cannot be read.
    #[error("{}: {cause}", display_path(path))]
    Unreadable {
        /// The file's path.
        path: PathBuf,
        /// Why it cannot be read.
        cause: std::io::Error,
    },
    /// A folder or pattern without any recording.
    #[error("{}: there is nothing to check", display_path(path))]
    Nothing {
        /// The folder or pattern.
        path: PathBuf,
    },
    /// A folder that cannot be walked.
    #[error("{}: {cause}", display_path(path))]
    Walk {
        /// The folder.
        path: PathBuf,
        /// Why it cannot be walked.
        cause: ignore::Error,
    },
    /// An invalid glob pattern.
    #[error("{}: {cause}", visible(pattern))]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why it is invalid.
        cause: globset::Error,
    },
}
