//! Rewrites an expectation to match the current findings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use sessionlint_core::finding::{Report, Severity};

use super::{Expectation, Key, Line};
use crate::difference::difference;

/// An expectation file that is to be written.
pub struct Update {
    /// The file to write.
    pub path: PathBuf,
    /// The current content; `None` for a new file.
    pub before: Option<String>,
    pub after: String,
}

/// The expectation files that a run changes, and those that it cannot change.
#[derive(Default)]
pub struct Updates {
    /// The files to write.
    pub new: Vec<Update>,
    /// The names of the files that cannot be updated, because they have mistakes.
    pub broken: Vec<Arc<str>>,
}

impl Update {
    /// Returns the unified diff of the file, with terminal colours.
    pub fn difference(&self) -> String {
        difference(&self.path.to_string_lossy(), self.before.as_deref().map(str::as_bytes), self.after.as_bytes())
    }

    /// Returns whether no finding is expected any more.
    pub fn is_empty(&self) -> bool {
        self.after.lines().all(|line| line.is_empty() || line.starts_with('#'))
    }
}

impl Expectation {
    /// Returns the expectation of exactly the findings in `report`. Options and comments are kept; a comment stays in
    /// front of its finding as long as that finding is there. `given`: the options that the report depends on; those in
    /// the file take precedence.
    pub fn updated(&self, report: &Report, given: &[String]) -> Expectation {
        let listed: BTreeSet<&str> = self.keys().map(|(_, (_, rule))| &**rule).collect();
        let mut found: BTreeMap<Key, u64> = BTreeMap::new();
        for finding in &report.findings {
            if finding.severity > Severity::Note || listed.contains(&*finding.rule) {
                *found.entry((finding.place.line, finding.rule.clone())).or_default() += 1;
            }
        }
        // Lines before the first finding are about the whole file.
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
            Line { span, key: super::parse_line(text).ok().filter(|_| !text.starts_with('#')) }
        };
        let lines = text.split_inclusive('\n').map(line).collect();
        Expectation { name: Arc::clone(&self.name), lines, text, faults: Vec::new(), args_rejected: false }
    }

    /// Returns the update that replaces `old` with this expectation.
    pub fn into_update(self, old: Option<&Expectation>, path: PathBuf) -> Update {
        Update { path, before: old.map(|old| old.text.clone()), after: self.text }
    }

    /// Returns whether two expectations have the same findings.
    pub fn expects_same_as(&self, other: &Expectation) -> bool {
        let sorted = |one: &Expectation| {
            let mut keys: Vec<_> = one.keys().map(|(_, key)| key.clone()).collect();
            keys.sort();
            keys
        };
        sorted(self) == sorted(other)
    }

    /// Returns the first line with the `given` options added; `None` if it has all of them already.
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
