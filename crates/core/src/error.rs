//! Errors in the files that people write for the program, such as `protocol.toml`, and in the names that callers pass.
//!
//! A mistake in a recording is never an error: it is a [`Finding`](crate::Finding).

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::text::{count, did_you_mean, nearest, visible};

/// The largest number of mistakes that are reported of a file or folder. To place each of them takes time in proportion to
/// its file, and what has more was not written by hand.
pub(crate) const MOST_PROBLEMS: usize = 100;

/// A mistake in a file that was written for the program, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The mistake, in one sentence.
    pub message: String,
    /// The note to show at the place.
    pub label: String,
    /// The place, as a byte range of the file.
    pub span: Range<usize>,
    /// The advice on what to do.
    pub help: String,
}

impl Problem {
    /// Returns a mistake whose place needs no note but "here".
    pub fn new(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem { message: message.into(), label: "here".to_owned(), span, help: help.into() }
    }
}

/// A mistake in a file of a protocol, with its line and column.
///
/// Its texts are safe to show on a terminal, except [`SourceProblem::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProblem {
    file: Arc<str>,
    text: Arc<str>,
    message: String,
    label: String,
    span: Range<usize>,
    line: u64,
    column: u64,
    help: String,
}

impl SourceProblem {
    fn new(file: &Arc<str>, text: &Arc<str>, problem: Problem) -> SourceProblem {
        let Problem { message, label, span, help } = problem;
        // Places are always between characters; one that is not must not cause a panic.
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        SourceProblem {
            message: visible(&message),
            label: visible(&label),
            line: before.matches('\n').count() as u64 + 1,
            column: before[line_start..].chars().count() as u64 + 1,
            span,
            help: visible(&help),
            file: file.clone(),
            text: text.clone(),
        }
    }

    /// Returns the name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the text of the file, as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the mistake, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the note to show at the place.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the place, as a byte range of the file.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the line at which the place starts, 1-based.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Returns the column at which the place starts, 1-based, in characters.
    pub fn column(&self) -> u64 {
        self.column
    }

    /// Returns the advice on what to do.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for SourceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The error of a protocol that cannot be used.
///
/// Its `Display` names the folder and every mistake in its files, one per line.
#[derive(Clone, Debug)]
pub struct ProtocolError(Arc<Refusal>);

#[derive(Debug)]
enum Refusal {
    Unreadable { file: PathBuf, cause: std::io::Error },
    Invalid { folder: String, problems: Vec<SourceProblem> },
}

/// The reason why a protocol cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolErrorKind {
    /// A file of the protocol cannot be read.
    Unreadable,
    /// Files of the protocol have mistakes.
    Invalid,
}

/// Collects the mistakes in the files of a protocol, in the order in which the files are read.
pub(crate) struct Mistakes {
    folder: String,
    problems: Vec<SourceProblem>,
}

impl Mistakes {
    /// Starts to collect. `folder`: the name of the protocol's folder.
    pub(crate) fn new(folder: &str) -> Mistakes {
        Mistakes { folder: folder.to_owned(), problems: Vec::new() }
    }

    /// Adds the mistakes in one file of the folder, unless there are too many already.
    pub(crate) fn add(&mut self, file: &str, text: &str, problems: Vec<Problem>) {
        let room = MOST_PROBLEMS.saturating_sub(self.problems.len());
        if problems.is_empty() || room == 0 {
            return;
        }
        let (file, text) = (format!("{}/{file}", self.folder).into(), text.into());
        let placed = problems.into_iter().take(room).map(|problem| SourceProblem::new(&file, &text, problem));
        self.problems.extend(placed);
    }

    /// Returns what was made of the files, or the mistakes in them.
    pub(crate) fn finish<T>(self, made: Option<T>) -> Result<T, ProtocolError> {
        let Mistakes { folder, problems } = self;
        let made = made.filter(|_| problems.is_empty());
        made.ok_or_else(|| ProtocolError(Arc::new(Refusal::Invalid { folder, problems })))
    }
}

impl ProtocolError {
    /// Returns the error of a file that cannot be read, for callers that read a protocol's files themselves.
    pub fn unreadable(file: &Path, cause: std::io::Error) -> ProtocolError {
        ProtocolError(Arc::new(Refusal::Unreadable { file: file.to_owned(), cause }))
    }

    /// Returns the reason why the protocol cannot be used.
    pub fn kind(&self) -> ProtocolErrorKind {
        match &*self.0 {
            Refusal::Unreadable { .. } => ProtocolErrorKind::Unreadable,
            Refusal::Invalid { .. } => ProtocolErrorKind::Invalid,
        }
    }

    /// Returns every mistake in the files of the protocol, up to 100 of them; empty if a file is unreadable.
    pub fn problems(&self) -> &[SourceProblem] {
        match &*self.0 {
            Refusal::Unreadable { .. } => &[],
            Refusal::Invalid { problems, .. } => problems,
        }
    }

    /// Returns the error in one line, without the mistakes.
    pub fn headline(&self) -> String {
        match &*self.0 {
            Refusal::Unreadable { file, .. } => format!("{} cannot be read", visible(&file.to_string_lossy())),
            Refusal::Invalid { folder, problems } => {
                let mistakes = count(problems.len() as u64, "mistake");
                format!("{} is not a valid protocol: {mistakes}", visible(folder))
            }
        }
    }

    /// Returns the advice on what to do; `None` if each mistake has its own.
    pub fn help(&self) -> Option<&str> {
        match &*self.0 {
            Refusal::Unreadable { .. } => {
                Some("a protocol is a folder with a protocol.toml and a <event type>.schema.json for every event type")
            }
            Refusal::Invalid { .. } => None,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        for SourceProblem { file, message, line, column, help, .. } in self.problems() {
            write!(f, "\n{}:{line}:{column}: {message} ({help})", visible(file))?;
        }
        Ok(())
    }
}

impl std::error::Error for ProtocolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Refusal::Unreadable { cause, .. } => Some(cause),
            Refusal::Invalid { .. } => None,
        }
    }
}

/// The error of a name that does not exist, such as that of a rule, a severity or a form of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    what: &'static str,
    name: String,
    help: String,
}

impl UnknownName {
    /// Returns the error of a name that is not one of `known`. `what`: the noun for the thing that has no such name.
    pub(crate) fn new<'n>(what: &'static str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> UnknownName {
        let there_are = || format!("there are {}", known.clone().collect::<Vec<_>>().join(", "));
        let help = nearest(name, known.clone()).map_or_else(there_are, did_you_mean);
        UnknownName { what, name: name.to_owned(), help }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the advice on what to do: the name that was probably meant, or all names that exist.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no {} {:?}; {}", self.what, self.name, self.help)
    }
}

impl std::error::Error for UnknownName {}
