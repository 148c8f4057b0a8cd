//! One line per finding, as compilers write them: for editors, `grep` and terminals.

use std::io::{self, Write};

use sessionlint_core::finding::Finding;
use sessionlint_core::text::visible;

use super::inert::Syntax;
use super::{FileEnd, Format, Reporter, RunEnd, place_of, summary};

/// The format of single lines.
pub const FORMAT: Format = Format {
    name: "short",
    about: "One line per finding: FILE:LINE:COLUMN: SEVERITY[RULE]: MESSAGE",
    syntax: Syntax::Plain,
    recognises: |beginning| beginning.lines().next().is_some_and(is_line),
    reporter: |out, _, options| Box::new(Short { out, is_quiet: options.is_quiet(), unread: 0 }),
};

/// Returns whether a line is that of a finding, or the counts at the end. Compilers write such lines too, with codes in
/// capitals instead of rules.
fn is_line(line: &str) -> bool {
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_rule = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_of_finding = [": error[", ": warning[", ": note["].iter().any(|severity| {
        line.split_once(severity).is_some_and(|(place, rest)| {
            let parts: Vec<_> = place.rsplitn(3, ':').collect();
            let has_place = parts.len() == 3 && parts[..2].iter().all(is_number);
            has_place && rest.split_once("]: ").is_some_and(|(rule, _)| is_rule(rule))
        })
    });
    let is_json = line.starts_with(['{', '[']);
    is_of_finding && !is_json || (super::human::FORMAT.recognises)(line)
}

/// Writes one line per finding, as it is judged, and the counts at the end.
struct Short<W> {
    out: W,
    is_quiet: bool,
    /// Number of files that could not be read.
    unread: usize,
}

impl<W: Write> Reporter for Short<W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        writeln!(self.out, "{}", line(finding))
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.unread += usize::from(end.unreadable.is_some());
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        if !self.is_quiet {
            write!(self.out, "{}", summary::text(end, self.unread + end.unfound.len()))?;
        }
        self.out.flush()
    }
}

/// Returns a finding in one line, safe for a terminal.
pub fn line(finding: &Finding) -> String {
    let Finding { rule, severity, message, stream, .. } = finding;
    let stream = stream.as_deref().map(|stream| format!(" (stream {})", visible(stream))).unwrap_or_default();
    format!("{}: {severity}[{}]: {}{stream}", place_of(finding), visible(rule), visible(message))
}
