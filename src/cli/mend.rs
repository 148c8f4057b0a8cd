//! What becomes of files that are mended: written, shown or listed, and summed up.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sessionlint_core::text::count;

use super::place::{Trees, replace, shown};
use super::{Exit, Failure};
use crate::difference::difference;
use crate::run::{FileChange, FixedFile};

/// What to do with a file that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Write,
    /// Shows the differences.
    Show,
    /// Says its name.
    List,
}

/// Where differences and names are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    StandardOutput,
    /// Where standard output is a report's.
    StandardError,
}

/// Writes, shows or lists files, and keeps count.
pub struct Hand {
    deed: Deed,
    screen: Screen,
    trees: Trees,
    done: Mutex<Done>,
}

#[derive(Default)]
struct Done {
    changed: u64,
    applied: BTreeMap<Arc<str>, u64>,
    left: Vec<(PathBuf, &'static str)>,
    failed: bool,
    /// Why nothing could be printed any more.
    unprinted: Option<io::Error>,
}

impl Hand {
    /// `paths`: what the caller named.
    pub fn new(deed: Deed, screen: Screen, paths: &[PathBuf]) -> Hand {
        Hand { deed, screen, trees: Trees::of(paths), done: Mutex::default() }
    }

    /// Whether a file is in what the caller named, wherever links lead.
    pub fn may_follow(&self, file: &Path) -> bool {
        self.trees.hold(file)
    }

    /// Whether files become what they are mended to.
    pub fn writes(&self) -> bool {
        self.deed == Deed::Write
    }

    /// Does it to a file.
    pub fn take(&self, mended: FixedFile) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let FileChange { before, after, applied } = match mended.result {
            Ok(change) => change,
            Err(why) => return done.left.push((mended.path, why)),
        };
        let path = &mended.path;
        let told = match self.deed {
            Deed::Write => match replace(path, &before, &after) {
                Ok(()) => Ok(()),
                Err(why) => {
                    anstream::eprintln!("sessionlint: {} {why}", shown(path));
                    done.failed = true;
                    return;
                }
            },
            Deed::Show => self.print(&difference(&path.to_string_lossy(), Some(&before), &after)),
            Deed::List => self.print(&format!("{}\n", shown(path))),
        };
        if let Err(error) = told {
            done.unprinted.get_or_insert(error);
        }
        done.changed += 1;
        for (what, count) in applied {
            *done.applied.entry(what).or_default() += count;
        }
    }

    fn print(&self, text: &str) -> io::Result<()> {
        match self.screen {
            Screen::StandardOutput => anstream::stdout().lock().write_all(text.as_bytes()),
            Screen::StandardError => anstream::stderr().lock().write_all(text.as_bytes()),
        }
    }

    /// Says what was done, and what it means for the exit code. `lists`: also what was left alone, and why.
    pub fn end(self, quiet: bool, lists: bool) -> Result<Exit, Failure> {
        let Done { changed, applied, left, failed, unprinted } =
            self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        if lists {
            for (path, why) in &left {
                anstream::eprintln!("sessionlint: {} is left as it is: {why}", shown(path));
            }
        }
        if changed > 0 && !quiet {
            let applied: Vec<_> = applied.iter().map(|(what, count)| format!("{count} × {what}")).collect();
            let (files, applied) = (count(changed, "file"), applied.join(", "));
            match self.deed {
                Deed::Write => anstream::eprintln!("sessionlint: fixed {files}: {applied}"),
                Deed::Show | Deed::List => anstream::eprintln!("sessionlint: {files} would be fixed: {applied}"),
            }
        }
        match unprinted {
            Some(error) => Err(Failure::Output(error)),
            None if failed => Ok(Exit::Usage),
            None if changed > 0 && self.deed != Deed::Write => Ok(Exit::Findings),
            None => Ok(Exit::Clean),
        }
    }
}
