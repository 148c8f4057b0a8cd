//! Our failures: what is wrong with the run, never with the recording.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, NamedSource};
use thiserror::Error;

use crate::report::{count, visible};

/// A mistake in a file that is written for the program, with its place.
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
    #[error("{} cannot be read", visible(&path.to_string_lossy()))]
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
    #[error("{} is no protocol that can be used: {}", visible(file), mistakes(problems))]
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
    /// The same place in the file as it is; the source that is shown may be longer.
    offset: usize,
    label: String,
    #[help]
    help: String,
}

impl SourceProblem {
    /// The place, as a byte offset of the file.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Mistakes with the text of their file, made fit to be shown: a control character in it must not reach a terminal.
    fn all(file: &str, text: &str, problems: Vec<Problem>) -> Vec<SourceProblem> {
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
        let problem = |Problem { message, label, span, help }: Problem| SourceProblem {
            message: visible(&message),
            source_code: source_code.clone(),
            span: (length(span.start)..length(span.end)).into(),
            offset: span.start,
            label: visible(&label),
            help: visible(&help),
        };
        problems.into_iter().map(problem).collect()
    }
}

fn mistakes(problems: &[SourceProblem]) -> String {
    count(problems.len() as u64, "mistake")
}

impl ProtocolError {
    pub(crate) fn new(file: &str, text: &str, problems: Vec<Problem>) -> ProtocolError {
        let problems = SourceProblem::all(file, text, problems);
        ProtocolError::Wrong { file: file.to_owned(), problems }
    }

    pub(crate) fn unreadable(path: &Path, cause: std::io::Error) -> ProtocolError {
        ProtocolError::Unreadable { path: path.to_owned(), cause }
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
    #[error("{} cannot be used: {}", visible(file), mistakes(problems))]
    Wrong {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[related]
        problems: Vec<SourceProblem>,
    },
}

impl FileError {
    pub(crate) fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> FileError {
        problems.sort_by_key(|problem| problem.span.start);
        let file = file.to_string_lossy().into_owned();
        FileError::Wrong { problems: SourceProblem::all(&file, text, problems), file }
    }

    /// A text that is no TOML, or not the TOML that it should be.
    pub(crate) fn toml(file: &Path, text: &str, error: &toml::de::Error, help: &str) -> FileError {
        let span = error.span().unwrap_or(0..0);
        let (message, label) = (toml_words(error), "here".to_owned());
        FileError::new(file, text, vec![Problem { message, label, span, help: help.to_owned() }])
    }
}

/// What is wrong with a TOML text: in the words of its author's reader where the library's are those of its types.
pub(crate) fn toml_words(error: &toml::de::Error) -> String {
    let message = error.message();
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("there is no {key} here");
    }
    if let Some((key, known)) = message.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected ")) {
        let known = known.strip_prefix("one of ").unwrap_or(known).replace(" or ", ", ");
        return format!("there is no key {key} here; there are {known}");
    }
    let wrong = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, expected)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "a table",
        "a borrowed string" => "a string",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = found.replacen("sequence", "a list", 1).replacen("map", "a table", 1);
    format!("this must be {expected}, but is {found}")
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
