//! Applies the fixes of `lint` and `fmt`: writes, shows or lists the changed files, and sums them up.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sessionlint_core::text::count;

use super::console::{complain_colored, print_colored};
use super::output_file::{NamedRoots, replace};
use super::{CliError, Exit};
use crate::difference::difference;
use crate::error::display_path;
use crate::run::{FileChange, FixedFile};

/// The treatment of a file that would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixMode {
    Write,
    /// Shows the differences instead of writing the file.
    Diff,
    /// Prints the name instead of writing the file.
    List,
}

/// The destination of differences and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    StandardOutput,
    /// Used where standard output belongs to a report.
    StandardError,
}

/// Receives fixed files; writes, shows or lists them, and counts them.
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
    /// The first error of printing.
    unprinted: Option<io::Error>,
}

impl FixSink {
    /// Creates a sink for the files in `paths`, which the user named.
    pub fn new(mode: FixMode, destination: Destination, paths: &[PathBuf]) -> FixSink {
        FixSink { mode, destination, roots: NamedRoots::of(paths), tally: Mutex::default() }
    }

    /// Returns `true` if a file is inside the paths that the user named, after symbolic links are resolved.
    pub fn covers(&self, file: &Path) -> bool {
        self.roots.contains(file)
    }

    /// Returns `true` if fixes are written to the files.
    pub fn writes(&self) -> bool {
        self.mode == FixMode::Write
    }

    /// Writes, shows or lists one file.
    pub fn apply(&self, mended: FixedFile) {
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
                    complain!("sessionlint: {} {why}", display_path(path));
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
            Destination::StandardOutput => print_colored(text),
            Destination::StandardError => {
                complain_colored(text);
                Ok(())
            }
        }
    }

    /// Prints the summary, and returns the exit code. `lists` also prints the files that are left unchanged, with the
    /// reason.
    pub fn finish(self, quiet: bool, lists: bool) -> Result<Exit, CliError> {
        let FixTally { changed, applied, left, failed, unprinted } =
            self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        if lists {
            for (path, why) in &left {
                complain!("sessionlint: {} is left as it is: {why}", display_path(path));
            }
        }
        if changed > 0 && !quiet {
            let applied: Vec<_> = applied.iter().map(|(what, count)| format!("{count} × {what}")).collect();
            let (files, applied) = (count(changed, "file"), applied.join(", "));
            match self.mode {
                FixMode::Write => complain!("sessionlint: fixed {files}: {applied}"),
                FixMode::Diff | FixMode::List => complain!("sessionlint: {files} would be fixed: {applied}"),
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
