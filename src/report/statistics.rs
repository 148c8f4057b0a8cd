//! The counts of each rule, without the findings.

use std::io::{self, Write};

use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Rulebook;

use super::inert::Syntax;
use super::tally::Tally;
use super::{FileEnd, Format, Reporter, RunEnd, summary};

/// The report of `--statistics`. It is not among [`Format::ALL`], because it says nothing of any finding.
pub const FORMAT: Format = Format {
    name: "statistics",
    about: "The counts of each rule",
    syntax: Syntax::Plain,
    recognises: |_| false,
    reporter: |out, rules, options| {
        Box::new(Statistics { out, rules, is_quiet: options.is_quiet(), tally: Tally::default(), unread: 0 })
    },
};

/// Writes a table of the rules, the most frequent first, and the counts of the run.
struct Statistics<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    is_quiet: bool,
    tally: Tally,
    /// Number of files that could not be read.
    unread: usize,
}

impl<W: Write> Reporter for Statistics<'_, W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.tally.add(finding);
        Ok(())
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.unread += usize::from(end.unreadable.is_some());
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        write!(self.out, "{}", self.tally.table(end, &self.rules))?;
        if !self.is_quiet {
            write!(self.out, "{}", summary::text(end, self.unread + end.unfound.len()))?;
        }
        self.out.flush()
    }
}
