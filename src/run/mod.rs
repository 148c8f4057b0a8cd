//! Paths → checked files. No format and no rule is known here by name.

mod paths;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

pub use paths::{Target, expand};

use crate::check::{Checker, Options};
use crate::error::RunError;
use crate::finding::{Finding, Stats, Summary};
use crate::input::compressed::{Decompressed, ReadError};
use crate::protocol::Protocol;
use crate::report::{FileEnd, Reporter};

/// How much is read at once, in bytes.
const BLOCK: usize = 256 * 1024;

/// Checks files one after the other, and tells a report.
pub struct Run<'r> {
    pub protocol: &'r Protocol,
    pub options: Options,
    /// The most findings that are shown; all count.
    pub max_findings: Option<u64>,
    pub reporter: &'r mut dyn Reporter,
    outcome: Outcome,
    shown: u64,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub summary: Summary,
    pub stats: Stats,
    /// How many findings were not shown.
    pub hidden: u64,
    /// What could not be read.
    pub unreadable: Vec<RunError>,
}

impl<'r> Run<'r> {
    pub fn new(
        protocol: &'r Protocol,
        options: Options,
        max_findings: Option<u64>,
        reporter: &'r mut dyn Reporter,
    ) -> Run<'r> {
        Run { protocol, options, max_findings, reporter, outcome: Outcome::default(), shown: 0 }
    }

    /// Checks all of them. A file that cannot be read does not keep the others from being checked.
    ///
    /// # Errors
    ///
    /// Only when the report cannot be written.
    pub fn check(mut self, targets: &[Target]) -> io::Result<Outcome> {
        for target in targets {
            match target {
                Target::StandardInput => self.stream("-", io::stdin().lock())?,
                Target::File(path) => self.file(path)?,
            }
        }
        Ok(self.outcome)
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        match File::open(path) {
            Ok(file) => self.stream(&path.to_string_lossy(), file),
            Err(cause) => {
                self.outcome.unreadable.push(RunError::Unreadable { path: path.to_owned(), cause });
                Ok(())
            }
        }
    }

    fn stream(&mut self, name: &str, reader: impl Read) -> io::Result<()> {
        let name: Arc<str> = name.into();
        let options = Options { file: Some(name.clone()), ..self.options.clone() };
        let mut checker = Checker::new(self.protocol, options);
        let mut block = vec![0; BLOCK];
        let mut reader = match Decompressed::new(reader) {
            Ok(reader) => reader,
            Err(cause) => return self.give_up(&name, cause),
        };
        let report = loop {
            match reader.read(&mut block) {
                Ok(0) => break checker.finish(),
                Ok(count) => checker.feed(&block[..count]),
                Err(ReadError::Damaged(cause)) => break checker.finish_damaged(&cause),
                Err(ReadError::Unreadable(cause)) => return self.give_up(&name, cause),
            }
            self.report(checker.take_findings())?;
        };
        self.report(report.findings)?;
        self.outcome.summary.add(&report.summary);
        self.outcome.stats.add(&report.stats);
        self.reporter.file_end(&FileEnd { repeats: &report.repeats })
    }

    /// A file whose reading fails. What was found before is true all the same.
    fn give_up(&mut self, name: &str, cause: io::Error) -> io::Result<()> {
        self.outcome.unreadable.push(RunError::Unreadable { path: name.into(), cause });
        self.reporter.file_end(&FileEnd { repeats: &[] })
    }

    fn report(&mut self, findings: Vec<Finding>) -> io::Result<()> {
        for finding in findings {
            if self.max_findings.is_some_and(|most| self.shown >= most) {
                self.outcome.hidden += 1;
            } else {
                self.shown += 1;
                self.reporter.finding(finding)?;
            }
        }
        Ok(())
    }
}
