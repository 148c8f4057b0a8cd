//! What becomes of files that are mended: written, shown or listed, and summed up.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sessionlint_core::text::count;

use super::output_file::{NamedRoots, display_path, replace};
use super::{CliError, Exit};
use crate::difference::difference;
use crate::run::{FileChange, Mended};

/// What to do with a file that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixMode {
    Write,
    /// Shows the differences.
    Diff,
    /// Says its name.
    List,
}

/// Where differences and names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    StandardOutput,
    /// Where standard output is a report's.
    StandardError,
}

/// Writes, shows or lists files, and keeps count.
pub struct FixSink {
    mode: FixMode,
    destination: Destination,
    roots: NamedRoots,
    tally: Mutex<FixTally>,
}

#[derive(Default)]
struct FixTally {
    changed: u64,
    applied: BTreeMap<Arc<str>, u64>,
    left: Vec<(PathBuf, &'static str)>,
    failed: bool,
    /// Why nothing could be printed any more.
    unprinted: Option<io::Error>,
}

impl FixSink {
    /// `paths`: what the caller named.
    pub fn new(mode: FixMode, destination: Destination, paths: &[PathBuf]) -> FixSink {
        FixSink { mode, destination, roots: NamedRoots::of(paths), tally: Mutex::default() }
    }

    /// Whether a file is in what the caller named, wherever links lead.
    pub fn covers(&self, file: &Path) -> bool {
        self.roots.contains(file)
    }

    /// Whether files become what they are mended to.
    pub fn writes(&self) -> bool {
        self.mode == FixMode::Write
    }

    /// Does it to a file.
    pub fn apply(&self, mended: Mended) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let FileChange { before, after, applied } = match mended.result {
            Ok(change) => change,
            Err(why) => return tally.left.push((mended.path, why)),
        };
        let path = &mended.path;
        let printed = match self.mode {
            FixMode::Write => match replace(path, &before, &after) {
                Ok(()) => Ok(()),
                Err(why) => {
                    anstream::eprintln!("sessionlint: {} {why}", display_path(path));
                    tally.failed = true;
                    return;
                }
            },
            FixMode::Diff => self.print(&difference(&path.to_string_lossy(), Some(&before), &after)),
            FixMode::List => self.print(&format!("{}\n", display_path(path))),
        };
        if let Err(error) = printed {
            tally.unprinted.get_or_insert(error);
        }
        tally.changed += 1;
        for (what, count) in applied {
            *tally.applied.entry(what).or_default() += count;
        }
    }

    fn print(&self, text: &str) -> io::Result<()> {
        match self.destination {
            Destination::StandardOutput => anstream::stdout().lock().write_all(text.as_bytes()),
            Destination::StandardError => anstream::stderr().lock().write_all(text.as_bytes()),
        }
    }

    /// Says what was done, and what it means for the exit code. `lists`: also what was left alone, and why.
    pub fn finish(self, quiet: bool, lists: bool) -> Result<Exit, CliError> {
        let FixTally { changed, applied, left, failed, unprinted } =
            self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        if lists {
            for (path, why) in &left {
                anstream::eprintln!("sessionlint: {} is left as it is: {why}", display_path(path));
            }
        }
        if changed > 0 && !quiet {
            let applied: Vec<_> = applied.iter().map(|(what, count)| format!("{count} × {what}")).collect();
            let (files, applied) = (count(changed, "file"), applied.join(", "));
            match self.mode {
                FixMode::Write => anstream::eprintln!("sessionlint: fixed {files}: {applied}"),
                FixMode::Diff | FixMode::List => anstream::eprintln!("sessionlint: {files} would be fixed: {applied}"),
            }
        }
        match unprinted {
            Some(error) => Err(CliError::Output(error)),
            None if failed => Ok(Exit::Usage),
            None if changed > 0 && self.mode != FixMode::Write => Ok(Exit::Findings),
            None => Ok(Exit::Clean),
        }
    }
}
