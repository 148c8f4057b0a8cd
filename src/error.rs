//! Errors of a run, as opposed to findings in a recording: files that cannot be read or used. The core reports the
//! errors of protocols; this module turns them into diagnostics for a terminal.

mod excerpt;

use std::path::{Path, PathBuf};

use excerpt::Excerpt;
use miette::Diagnostic;
use sessionlint_core::text::{count, visible};
use sessionlint_core::{Problem, ProtocolError, SourceProblem};
use thiserror::Error;

/// Formats a path for a message, safe for a terminal.
pub fn display_path(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

/// The most mistakes of a file that are shown.
const MOST_SHOWN: usize = 100;

/// A mistake in a file, with the part of the file's text that it stands in, made safe for a terminal.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct ProblemDiagnostic {
    message: String,
    #[source_code]
    source_code: Excerpt,
    #[label("{label}")]
    span: miette::SourceSpan,
    /// Where the mistake begins in the original text, in bytes. `span` refers to the part of the text that is shown.
    #[cfg(test)]
    pub offset: usize,
    label: String,
    #[help]
    help: String,
}

impl ProblemDiagnostic {
    /// Returns the diagnostics for the first mistakes of one file. Control characters in its text are replaced.
    fn all(file: &str, text: &str, problems: impl IntoIterator<Item = Problem>) -> Vec<ProblemDiagnostic> {
        let file = visible(file);
        let starts: Vec<_> = excerpt::line_starts(text).collect();
        let problem = |Problem { message, label, span, help }: Problem| {
            #[cfg(test)]
            let offset = span.start;
            let (source_code, span) = Excerpt::of(&file, text, &starts, span);
            ProblemDiagnostic {
                message: visible(&message),
                source_code,
                span,
                #[cfg(test)]
                offset,
                label: visible(&label),
                help: visible(&help),
            }
        };
        problems.into_iter().take(MOST_SHOWN).map(problem).collect()
    }
}

/// Returns the words that follow the number of mistakes: how many of them are shown, if that is not all.
fn first_ones(mistakes: usize) -> String {
    if mistakes > MOST_SHOWN { format!(", the first {MOST_SHOWN} of which are shown") } else { String::new() }
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
            headline: error.headline() + &first_ones(error.problems().len()),
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
    #[error("{} cannot be used: {}{}", visible(file), count(*mistakes as u64, "mistake"), first_ones(*mistakes))]
    Wrong {
        /// The file's path.
        file: String,
        /// The number of mistakes in it.
        mistakes: usize,
        /// The first of them.
        #[related]
        problems: Vec<ProblemDiagnostic>,
    },
}

impl FileError {
    /// Returns the error for a file with these mistakes, sorted by their position.
    pub fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> FileError {
        problems.sort_by_key(|problem| problem.span.start);
        let file = file.to_string_lossy().into_owned();
        let mistakes = problems.len();
        FileError::Wrong { problems: ProblemDiagnostic::all(&file, text, problems), mistakes, file }
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
