//! Our failures: what is wrong with the run, never with the recording.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, NamedSource};
use thiserror::Error;

/// A mistake in a protocol's file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to write at the place.
    pub label: String,
    /// The place, as a byte range of the file.
    pub span: Range<usize>,
    /// What to do.
    pub help: String,
}

/// A protocol that cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum ProtocolError {
    /// A file of the folder cannot be read.
    #[error("{} cannot be read", path.display())]
    #[diagnostic(help(
        "a protocol is a folder with a protocol.toml and a <event type>.schema.json for every event type"
    ))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file of the folder is wrong.
    #[error("{file} is no protocol that can be used: {} {}", problems.len(), if problems.len() == 1 { "mistake" } else { "mistakes" })]
    Wrong {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[related]
        problems: Vec<SourceProblem>,
    },
}

/// A mistake with the text that it is in.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct SourceProblem {
    message: String,
    #[source_code]
    source_code: Arc<NamedSource<String>>,
    #[label("{label}")]
    span: miette::SourceSpan,
    label: String,
    #[help]
    help: String,
}

impl SourceProblem {
    /// The place, as a byte offset of the file.
    pub fn offset(&self) -> usize {
        self.span.offset()
    }
}

impl ProtocolError {
    pub(crate) fn new(file: &str, text: &str, problems: Vec<Problem>) -> ProtocolError {
        let source_code = Arc::new(NamedSource::new(file, text.to_owned()));
        let problems = problems
            .into_iter()
            .map(|problem| SourceProblem {
                message: problem.message,
                source_code: source_code.clone(),
                span: problem.span.into(),
                label: problem.label,
                help: problem.help,
            })
            .collect();
        ProtocolError::Wrong { file: file.to_owned(), problems }
    }

    pub(crate) fn unreadable(path: &Path, cause: std::io::Error) -> ProtocolError {
        ProtocolError::Unreadable { path: path.to_owned(), cause }
    }
}

/// Something that could not be checked at all.
#[derive(Debug, Error)]
pub enum RunError {
    /// A file that cannot be read.
    #[error("{}: {cause}", crate::report::visible(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A folder or pattern that names no recording.
    #[error("{}: there is nothing to check", crate::report::visible(&path.to_string_lossy()))]
    Nothing {
        /// The folder or pattern.
        path: PathBuf,
    },
    /// A folder that cannot be walked.
    #[error("{}: {cause}", crate::report::visible(&path.to_string_lossy()))]
    Walk {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: ignore::Error,
    },
    /// A pattern that is none.
    #[error("{}: {cause}", crate::report::visible(pattern))]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        cause: globset::Error,
    },
}
