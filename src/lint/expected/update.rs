//! An expectation, written again after what is found now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use sessionlint_core::finding::{Report, Severity};

use super::{Expectation, Key, Line};
use crate::difference::difference;

/// A file of expectations that is to be written.
pub struct Update {
    /// Where.
    pub path: PathBuf,
    /// What stands there; nothing: it is a new file.
    pub before: Option<String>,
    pub after: String,
}

/// What becomes of the expectations of a run.
#[derive(Default)]
pub struct Updates {
    /// Those that are to be written.
    pub new: Vec<Update>,
    /// The names of those that cannot be written again, because something in them cannot be understood.
    pub broken: Vec<Arc<str>>,
}

impl Update {
    /// What changes, for a terminal.
    pub fn difference(&self) -> String {
        difference(&self.path.to_string_lossy(), self.before.as_deref().map(str::as_bytes), self.after.as_bytes())
    }

    /// Whether nothing is expected any more.
    pub fn is_empty(&self) -> bool {
        self.after.lines().all(|line| line.is_empty() || line.starts_with('#'))
    }
}

impl Expectation {
    /// The expectation of what a report says. Its options and comments stay; a comment keeps its place before the finding
    /// that it stands before, as long as that is there. `given`: options that the report depends on; the file's own win.
    pub fn updated(&self, report: &Report, given: &[String]) -> Expectation {
        let listed: BTreeSet<&str> = self.keys().map(|(_, (_, rule))| &**rule).collect();
        let mut found: BTreeMap<Key, u64> = BTreeMap::new();
        for finding in &report.findings {
            if finding.severity > Severity::Note || listed.contains(&*finding.rule) {
                *found.entry((finding.place.line, finding.rule.clone())).or_default() += 1;
            }
        }
        // What stands before the first finding is of the whole file.
        let head = self.lines.iter().take_while(|line| line.key.is_none()).count();
        let mut lines: Vec<String> = self.lines[..head].iter().map(|line| self.written(line)).collect();
        if let Some(options) = self.options_with(given) {
            lines.splice(..usize::from(self.options().is_some()), [options]);
        }
        let (mut comments, mut kept) = (Vec::new(), Vec::<(Key, Vec<String>)>::new());
        for line in &self.lines[head..] {
            match &line.key {
                None => comments.push(self.written(line)),
                Some(key) => {
                    if let Some(count) = found.get_mut(key).filter(|count| **count > 0) {
                        *count -= 1;
                        kept.push((key.clone(), std::mem::take(&mut comments)));
                    }
                }
            }
        }
        for (key, count) in found {
            kept.extend((0..count).map(|_| (key.clone(), Vec::new())));
        }
        kept.sort_by(|(a, _), (b, _)| a.cmp(b));
        for ((line, rule), before) in kept {
            lines.extend(before);
            lines.push(format!("{line}\t{rule}"));
        }
        lines.extend(comments);
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        let mut at = 0;
        let line = |whole: &str| {
            let span = at..at + whole.len() - 1;
            at += whole.len();
            let text = &whole[..whole.len() - 1];
            Line { span, key: super::parsed(text).ok().filter(|_| !text.starts_with('#')) }
        };
        let lines = text.split_inclusive('\n').map(line).collect();
        Expectation { name: Arc::clone(&self.name), lines, text, faults: Vec::new(), refused: false }
    }

    /// The update that makes this one of another.
    pub fn instead_of(self, old: Option<&Expectation>, path: PathBuf) -> Update {
        Update { path, before: old.map(|old| old.text.clone()), after: self.text }
    }

    /// Whether two expect the same.
    pub fn is_like(&self, other: &Expectation) -> bool {
        let sorted = |one: &Expectation| {
            let mut keys: Vec<_> = one.keys().map(|(_, key)| key.clone()).collect();
            keys.sort();
            keys
        };
        sorted(self) == sorted(other)
    }

    /// The first line, with more options; none if it has them.
    fn options_with(&self, given: &[String]) -> Option<String> {
        let mut options: Vec<&str> = self.args().split_ascii_whitespace().collect();
        let own = options.len();
        for option in given {
            let name = option.split(' ').next().unwrap_or_default();
            let is_it =
                |word: &&str| *word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
            if !options.iter().any(is_it) {
                options.push(option);
            }
        }
        (options.len() > own).then(|| format!("{} {}", super::ARGS, options.join(" ")))
    }

    fn written(&self, line: &Line) -> String {
        self.text[line.span.clone()].to_owned()
    }
}
