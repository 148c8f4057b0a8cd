//! The baseline: known findings, so that a run fails only on new ones.
//!
//! A finding is identified by its file, its rule, its event's type and its pointer without array indices, and not by
//! its line. The baseline keeps only a count of each such kind; so the memory that a run needs for it grows with the
//! baseline, and not with the number of findings.

mod file;

use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use file::KnownFindings;
use sessionlint_core::finding::{Excerpt, Finding, FindingKind, Place, Repeat, Severity};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::text::count;

use super::paths::{Root, folder_of};
use super::{MOST_BYTES, read};
use crate::error::FileError;

/// The name of standard input in the baseline.
const STANDARD_INPUT: &str = "-";

/// Known findings, and how many of them the run has found.
pub struct Baseline {
    /// The baseline's path, relative to the current folder.
    path: PathBuf,
    /// The baseline's folder, which the names of recordings are relative to.
    root: Root,
    text: String,
    known: KnownFindings,
    /// Number of bytes that may still be recorded; `None` if nothing is recorded.
    bytes_left: Option<usize>,
    /// Whether there was more to record than the file may hold.
    is_full: bool,
    /// The file whose findings are being looked up: its name in findings, and its name in the baseline.
    current: Option<(Arc<str>, String)>,
    /// The folders that are checked: a recording that is gone from one of them has no findings any more.
    pub folders: Vec<PathBuf>,
}

/// A kind of finding in a file.
#[derive(Debug, Default)]
struct Entry {
    /// Number of known findings.
    count: u64,
    /// Number of findings in this run.
    found: u64,
    /// Whether this run has judged the whole file by this rule, so that `found` is complete.
    judged: bool,
    /// The range of the entry in the baseline's text, in bytes.
    span: Range<usize>,
}

impl Baseline {
    /// Reads a baseline, to hold back the findings that it knows.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or is not a baseline.
    pub fn read(path: &Path) -> Result<Baseline, FileError> {
        let help = "sessionlint check PATHS --write-baseline FILE writes a baseline";
        let text = read(path).map_err(|cause| FileError::Unreadable { path: path.to_owned(), cause, help })?;
        let root = Root::new(folder_of(path));
        // Somebody may have edited the file and written a name in another way.
        let is_odd =
            |name: &str| Path::new(name).has_root() || name.split('/').any(|part| matches!(part, "" | "." | ".."));
        let written = |name: String| if is_odd(&name) { root.portable_path_to(&root.resolve(&name)) } else { name };
        let known = file::read(path, &text, written)?;
        let (path, current, folders) = (path.to_owned(), None, Vec::new());
        Ok(Baseline { path, root, text, known, bytes_left: None, is_full: false, current, folders })
    }

    /// Returns a baseline that records every finding. If the file exists, its entries are kept for files that this run
    /// does not judge.
    ///
    /// # Errors
    ///
    /// Returns an error if the file exists but cannot be read or is not a baseline.
    pub fn record(path: &Path) -> Result<Baseline, FileError> {
        let mut baseline = if path.is_file() {
            Baseline::read(path)?
        } else {
            let (path, root) = (path.to_owned(), Root::new(folder_of(path)));
            let (text, known, folders) = (String::new(), KnownFindings::new(), Vec::new());
            Baseline { path, root, text, known, bytes_left: None, is_full: false, current: None, folders }
        };
        baseline.bytes_left =
            Some(usize::try_from(MOST_BYTES).unwrap_or(usize::MAX).saturating_sub(baseline.text.len()));
        Ok(baseline)
    }

    /// Returns the baseline's path as text.
    pub fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Returns whether findings are recorded.
    pub fn is_recording(&self) -> bool {
        self.bytes_left.is_some()
    }

    /// Returns whether a finding is known, and counts it; records it if the baseline is being written. The findings of
    /// a file must come in the order of the file: if there are more than are known, the last ones are the new ones.
    pub fn covers(&mut self, finding: &Finding) -> bool {
        let kind = finding.kind();
        self.select_file(finding.file.as_ref());
        let Some((_, file)) = &self.current else { return false };
        if let Some(entry) = self.known.get_mut(file).and_then(|kinds| kinds.get_mut(&kind)) {
            entry.found += 1;
            return self.bytes_left.is_some() || entry.found <= entry.count;
        }
        let Some(bytes_left) = self.bytes_left else { return false };
        // The count may grow to this number of digits.
        let length = file::line(file, &kind, u64::MAX).len();
        if length > bytes_left {
            self.is_full = true;
            return false;
        }
        self.bytes_left = Some(bytes_left - length);
        self.known.entry(file.clone()).or_default().insert(kind, Entry { found: 1, ..Entry::default() });
        true
    }

    /// Returns whether a repeat is known, that is, a finding that is reported once in a file, however often it occurs.
    pub fn covers_repeat(&mut self, file: &Arc<str>, repeat: &Repeat) -> bool {
        self.select_file(Some(file));
        let kinds = self.current.as_ref().and_then(|(_, file)| self.known.get(file));
        kinds.into_iter().flatten().any(|(kind, entry)| entry.found > 0 && repeat.is_of(kind))
    }

    /// Marks a file as read to its end. Entries of rules that are off are not marked: whether their findings still
    /// exist is not known.
    pub fn mark_judged(&mut self, file: &Arc<str>, is_off: impl Fn(&str) -> bool) {
        self.select_file(Some(file));
        let kinds = self.current.as_ref().and_then(|(_, file)| self.known.get_mut(file));
        for (kind, entry) in kinds.into_iter().flatten() {
            entry.judged = !is_off(&kind.rule);
        }
    }

    /// Resets the counts of a file, because another file of the same name comes now. If the baseline is being written,
    /// the recorded findings stay.
    pub fn restart_file(&mut self, file: &Arc<str>) {
        if self.is_recording() {
            return;
        }
        self.select_file(Some(file));
        let kinds = self.current.as_ref().and_then(|(_, file)| self.known.get_mut(file));
        for entry in kinds.into_iter().flat_map(|kinds| kinds.values_mut()) {
            (entry.found, entry.judged) = (0, false);
        }
    }

    /// Returns a finding for each entry that the run has found fewer of than are recorded, in the order of the
    /// baseline.
    pub fn stale_findings(&mut self, severity: Severity) -> Vec<Finding> {
        self.mark_missing_files();
        let entries = self.known.iter().flat_map(|(file, kinds)| kinds.iter().map(move |entry| (file, entry)));
        let mut stale: Vec<_> = entries.filter(|(_, (_, entry))| entry.judged && entry.found < entry.count).collect();
        stale.sort_by_key(|(_, (_, entry))| entry.span.start);
        let name: Arc<str> = self.name().into();
        let mut lines = PlaceCursor { text: &self.text, line: 1, start: 0 };
        stale
            .into_iter()
            .map(|(file, (kind, entry))| {
                let rule = Upkeep::StaleBaseline.name();
                let place = lines.place(&entry.span);
                let help = format!("update the baseline with --write-baseline {name}");
                Finding::of_file(rule, severity, message(file, kind, entry), &name, place).with_help(Some(help))
            })
            .collect()
    }

    /// Returns the text of the recorded baseline; `None` if it would be too large to be read again.
    pub fn recorded_text(&mut self) -> Option<String> {
        self.mark_missing_files();
        let mut text = String::from(file::HEAD);
        for (file, kinds) in &self.known {
            let mut kinds: Vec<_> = kinds.iter().collect();
            kinds.sort_unstable_by_key(|(kind, _)| *kind);
            for (kind, entry) in kinds {
                // A file that was not read to its end may have more findings than were found.
                let count = if entry.judged { entry.found } else { entry.found.max(entry.count) };
                if count > 0 {
                    text.push_str(&file::line(file, kind, count));
                }
            }
        }
        text.push_str(file::FOOT);
        (!self.is_full).then_some(text)
    }

    /// Makes a file the current one; `None` is standard input.
    fn select_file(&mut self, file: Option<&Arc<str>>) {
        if self.current.as_ref().map(|(named, _)| named) == file && file.is_some() {
            return;
        }
        let named = file.cloned().unwrap_or_else(|| STANDARD_INPUT.into());
        let here = match &*named {
            STANDARD_INPUT => STANDARD_INPUT.to_owned(),
            name => match self.root.portable_path_to(Path::new(name)) {
                // This is a file that is named like standard input.
                way if way == STANDARD_INPUT => format!("./{way}"),
                way => way,
            },
        };
        self.current = Some((named, here));
    }

    /// Marks the entries of files that are gone from a checked folder as judged.
    fn mark_missing_files(&mut self) {
        let folders: Vec<_> = self.folders.iter().map(|folder| Root::new(folder)).collect();
        for (file, kinds) in &mut self.known {
            let path = self.root.resolve(file);
            let is_gone = || path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
            if file != STANDARD_INPUT && folders.iter().any(|folder| folder.contains(&path)) && is_gone() {
                kinds.values_mut().for_each(|entry| entry.judged = true);
            }
        }
    }
}

fn message(file: &str, kind: &FindingKind, entry: &Entry) -> String {
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

/// Computes the places of spans in a text; the spans must come in order.
struct PlaceCursor<'t> {
    text: &'t str,
    /// The line of the last place, from 1.
    line: u64,
    /// The offset of that line, in bytes.
    start: usize,
}

impl PlaceCursor<'_> {
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
