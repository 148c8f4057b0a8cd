//! The baseline: findings that are known, so that a run fails on new ones alone.
//!
//! A finding is known by its file, its rule, its event's type and its pointer without array indices, and not by its
//! line. Of each such kind the baseline keeps a number and no more; so what a run needs for it grows with the baseline,
//! and not with what is found.

mod file;

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use file::Known;
use sessionlint_core::finding::{Excerpt, Finding, Kind, Place, Repeat, Severity};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::text::count;

use super::paths::{Root, folder_of};
use super::{MOST_BYTES, read};
use crate::error::FileError;

/// The file's name of standard input.
const STANDARD_INPUT: &str = "-";

/// Known findings, and how many of them a run has met.
pub struct Baseline {
    /// Its name, from the current folder.
    path: PathBuf,
    root: Root,
    text: String,
    known: Known,
    /// How many bytes more may be recorded; none: nothing is recorded.
    room: Option<usize>,
    /// There was more to record than there is room for.
    full: bool,
    /// The file whose findings come, by its name in findings and by its name here.
    current: Option<(Arc<str>, String)>,
    /// The folders that are checked: a recording that is not there any more has no findings.
    pub folders: Vec<PathBuf>,
}

/// A kind of finding in a file.
#[derive(Debug, Default)]
struct Entry {
    /// How many are known.
    count: u64,
    /// How many this run has met.
    found: u64,
    /// Whether this run would have met them all.
    judged: bool,
    /// Where the entry stands in the baseline's text.
    span: Range<usize>,
}

impl Baseline {
    /// Reads a baseline, to hold back what it knows.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no baseline.
    pub fn read(path: &Path) -> Result<Baseline, FileError> {
        let help = "sessionlint check PATHS --write-baseline FILE writes a baseline";
        let text = read(path).map_err(|cause| FileError::Unreadable { path: path.to_owned(), cause, help })?;
        let root = Root::new(folder_of(path));
        // By hand, a name may be written otherwise.
        let is_odd =
            |name: &str| Path::new(name).has_root() || name.split('/').any(|part| matches!(part, "" | "." | ".."));
        let written = |name: String| if is_odd(&name) { root.written_way_to(&root.follow(&name)) } else { name };
        let known = file::read(path, &text, written)?;
        let (path, current, folders) = (path.to_owned(), None, Vec::new());
        Ok(Baseline { path, root, text, known, room: None, full: false, current, folders })
    }

    /// A baseline that records whatever it is asked about. An earlier one of this name keeps what it knows of files
    /// that are not judged now.
    ///
    /// # Errors
    ///
    /// When there is something of this name that is no baseline.
    pub fn record(path: &Path) -> Result<Baseline, FileError> {
        let mut baseline = if path.is_file() {
            Baseline::read(path)?
        } else {
            let (path, root) = (path.to_owned(), Root::new(folder_of(path)));
            let (text, known, folders) = (String::new(), Known::new(), Vec::new());
            Baseline { path, root, text, known, room: None, full: false, current: None, folders }
        };
        baseline.room = Some(usize::try_from(MOST_BYTES).unwrap_or(usize::MAX).saturating_sub(baseline.text.len()));
        Ok(baseline)
    }

    /// The baseline's name.
    pub fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Whether findings are recorded.
    pub fn records(&self) -> bool {
        self.room.is_some()
    }

    /// Whether a finding is known. Those of a file come in the order of the file, so that what is beyond the number of
    /// known ones are the last.
    pub fn holds(&mut self, finding: &Finding) -> bool {
        let kind = finding.kind();
        self.enter(finding.file.as_ref());
        let Some((_, file)) = &self.current else { return false };
        if let Some(entry) = self.known.get_mut(file).and_then(|kinds| kinds.get_mut(&kind)) {
            entry.found += 1;
            return self.room.is_some() || entry.found <= entry.count;
        }
        let Some(room) = self.room else { return false };
        // The longest number that the line can come to have.
        let length = file::line(file, &kind, u64::MAX).len();
        if length > room {
            self.full = true;
            return false;
        }
        self.room = Some(room - length);
        self.known.entry(file.clone()).or_default().insert(kind, Entry { found: 1, ..Entry::default() });
        true
    }

    /// Whether something is known that is a finding only once in a file, however often it is met.
    pub fn holds_repeat(&self, repeat: &Repeat) -> bool {
        let kinds = self.current.as_ref().and_then(|(_, file)| self.known.get(file));
        kinds.into_iter().flatten().any(|(kind, entry)| entry.found > 0 && repeat.is_of(kind))
    }

    /// Notes that a file was read to its end. Nothing is known now of rules that are off.
    pub fn judged(&mut self, file: &Arc<str>, is_off: impl Fn(&str) -> bool) {
        self.enter(Some(file));
        let kinds = self.current.as_ref().and_then(|(_, file)| self.known.get_mut(file));
        for (kind, entry) in kinds.into_iter().flatten() {
            entry.judged = !is_off(&kind.rule);
        }
    }

    /// Another file of the same name comes now: it has met nothing yet. What is recorded stays recorded.
    pub fn anew(&mut self, file: &Arc<str>) {
        if self.records() {
            return;
        }
        self.enter(Some(file));
        let kinds = self.current.as_ref().and_then(|(_, file)| self.known.get_mut(file));
        for entry in kinds.into_iter().flat_map(|kinds| kinds.values_mut()) {
            (entry.found, entry.judged) = (0, false);
        }
    }

    /// What the baseline knows and the run has not met, in the order of the baseline.
    pub fn stale(&mut self, severity: Severity) -> Vec<Finding> {
        self.look_for_files();
        let entries = self.known.iter().flat_map(|(file, kinds)| kinds.iter().map(move |entry| (file, entry)));
        let mut stale: Vec<_> = entries.filter(|(_, (_, entry))| entry.judged && entry.found < entry.count).collect();
        stale.sort_by_key(|(_, (_, entry))| entry.span.start);
        let name: Arc<str> = self.name().into();
        let mut lines = Lines { text: &self.text, line: 1, start: 0 };
        stale
            .into_iter()
            .map(|(file, (kind, entry))| {
                let rule = Upkeep::StaleBaseline.name();
                let place = lines.place(&entry.span);
                let help =
                    format!("run the same check with --write-baseline {name}, and the baseline will be true again");
                Finding::of_file(rule, severity, message(file, kind, entry), &name, place).with_help(Some(help))
            })
            .collect()
    }

    /// The text of the baseline that was recorded; none if it would be larger than one may be.
    pub fn recorded(&mut self) -> Option<String> {
        self.look_for_files();
        let mut text = String::from(file::HEAD);
        for (file, kinds) in &self.known {
            let mut kinds: Vec<_> = kinds.iter().collect();
            kinds.sort_unstable_by_key(|(kind, _)| *kind);
            for (kind, entry) in kinds {
                // What was read in part has more than was found, perhaps.
                let count = if entry.judged { entry.found } else { entry.found.max(entry.count) };
                if count > 0 {
                    text.push_str(&file::line(file, kind, count));
                }
            }
        }
        text.push_str(file::FOOT);
        (!self.full).then_some(text)
    }

    /// The file whose findings come now.
    fn enter(&mut self, file: Option<&Arc<str>>) {
        if self.current.as_ref().map(|(named, _)| named) == file && file.is_some() {
            return;
        }
        let named = file.cloned().unwrap_or_else(|| STANDARD_INPUT.into());
        let here = match &*named {
            STANDARD_INPUT => STANDARD_INPUT.to_owned(),
            name => match self.root.written_way_to(Path::new(name)) {
                // A file of this name.
                way if way == STANDARD_INPUT => format!("./{way}"),
                way => way,
            },
        };
        self.current = Some((named, here));
    }

    /// A file that is gone from a folder that is checked was judged too.
    fn look_for_files(&mut self) {
        let folders: Vec<_> = self.folders.iter().map(|folder| Root::new(folder)).collect();
        for (file, kinds) in &mut self.known {
            let path = self.root.follow(file);
            let is_gone = || path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
            if file != STANDARD_INPUT && folders.iter().any(|folder| folder.holds(&path)) && is_gone() {
                kinds.values_mut().for_each(|entry| entry.judged = true);
            }
        }
    }
}

fn message(file: &str, kind: &Kind, entry: &Entry) -> String {
    let were = if entry.count == 1 { "was" } else { "were" };
    let found = match entry.found {
        0 => "none".to_owned(),
        some => format!("only {some}"),
    };
    let of: Vec<_> = kind.event_type.as_deref().into_iter().chain(kind.pointer.as_deref()).collect();
    let of = if of.is_empty() { String::new() } else { format!(" ({})", of.join(" ")) };
    let known = count(entry.count, &format!("{} finding", kind.rule));
    format!(
        "{known} in {file}{of} {were} recorded here, but {found} {} left",
        if entry.found > 1 { "are" } else { "is" }
    )
}

/// Tells places of a text, which come in their order.
struct Lines<'t> {
    text: &'t str,
    /// Of the last place.
    line: u64,
    /// Where that line starts.
    start: usize,
}

impl Lines<'_> {
    fn place(&mut self, span: &Range<usize>) -> Place {
        let passed = &self.text[self.start..span.start];
        self.line += passed.matches('\n').count() as u64;
        self.start += passed.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[self.start..].lines().next().unwrap_or_default();
        let mark = span.start - self.start..(span.end - self.start).min(line.len());
        let column = self.text[self.start..span.start].chars().count() as u64 + 1;
        Place::new(self.line, column, span.start as u64..span.end as u64).with_excerpt(Excerpt::of_line(line, mark))
    }
}
