//! What a run did not check: the gaps that make it incomplete, and what the search of folders left out.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use sessionlint_core::finding::Finding;
use sessionlint_core::framing::Framing;
use sessionlint_core::text::{count, visible};

use crate::error::RunError;

/// Maximum number of gaps that are listed; further ones are only counted.
const MOST_GAPS: usize = 1000;
/// The findings that say that something was not checked.
const FINDINGS: [Framing; 5] =
    [Framing::CheckSkipped, Framing::LineTooLong, Framing::TruncatedInput, Framing::MixedProtocols, Framing::NoEvents];

/// The reason for a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// The rule of a finding that says that something was not checked.
    Rule(Arc<str>),
    /// An input that was not found, or could not be read.
    Unreadable,
    /// A file of a folder that has the ending of a recording, and nothing of the protocol in it.
    PassedOver,
}

impl GapReason {
    fn name(&self) -> &str {
        match self {
            GapReason::Rule(rule) => rule,
            GapReason::Unreadable => "unreadable",
            GapReason::PassedOver => "passed-over",
        }
    }
}

impl Serialize for GapReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Something that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    pub reason: GapReason,
    /// The file; `None` if the message names it.
    pub file: Option<Arc<str>>,
    /// The line from which on something was not checked, 1-based; `None` for all of the file.
    pub line: Option<u64>,
    /// The stream, if it is a single one.
    pub stream: Option<Arc<str>>,
    /// What was not checked, and why.
    pub message: String,
}

/// Whether a run has checked all that it was to check, and what it has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    gaps: Vec<Gap>,
    /// Number of gaps that are not listed.
    unlisted: u64,
}

impl Completeness {
    /// Returns whether everything was checked.
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Returns the first gaps.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Returns the number of gaps that are not among [`Completeness::gaps`].
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// Adds a gap, if a finding reports one.
    pub fn add_finding(&mut self, finding: &Finding) {
        if !FINDINGS.iter().any(|rule| rule.name() == &*finding.rule) {
            return;
        }
        self.add(Gap {
            reason: GapReason::Rule(finding.rule.clone()),
            file: finding.file.clone(),
            line: Some(finding.place.line),
            stream: finding.stream.clone(),
            message: finding.message.clone(),
        });
    }

    /// Adds an input that could not be read.
    pub fn add_error(&mut self, error: &RunError) {
        let reason = GapReason::Unreadable;
        self.add(Gap { reason, file: None, line: None, stream: None, message: error.to_string() });
    }

    /// Adds a file that was not checked.
    pub fn add_file(&mut self, reason: GapReason, file: &Arc<str>, message: String) {
        self.add(Gap { reason, file: Some(file.clone()), line: None, stream: None, message });
    }

    fn add(&mut self, gap: Gap) {
        if self.gaps.len() < MOST_GAPS {
            self.gaps.push(gap);
        } else {
            self.unlisted += 1;
        }
    }

    /// Returns a sentence without a full stop on the number of gaps of each kind; `None` if there are none.
    pub fn words(&self) -> Option<String> {
        let mut kinds: Vec<(&GapReason, u64)> = Vec::new();
        for gap in &self.gaps {
            match kinds.iter_mut().find(|(reason, _)| **reason == gap.reason) {
                Some((_, number)) => *number += 1,
                None => kinds.push((&gap.reason, 1)),
            }
        }
        let kinds = kinds.into_iter().map(|(reason, number)| match reason {
            GapReason::Unreadable => format!("{} not read", count(number, "input")),
            GapReason::PassedOver => format!("{} passed over", count(number, "file")),
            GapReason::Rule(rule) => format!("{} of {}", count(number, "finding"), visible(rule)),
        });
        let more = (self.unlisted > 0).then(|| format!("{} more", self.unlisted));
        let all: Vec<_> = kinds.chain(more).collect();
        (!all.is_empty()).then(|| format!("not everything was checked: {}", all.join(", ")))
    }
}

impl Gap {
    /// Returns the gap in one line, safe for a terminal.
    pub fn line(&self) -> String {
        let file = self.file.as_deref().map(visible);
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = file.map(|file| format!("{file}{line}: ")).unwrap_or_default();
        format!("{place}{}", visible(&self.message))
    }
}

/// The number of files and folders that the search of folders left out, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Files that do not have the ending of what is searched for.
    pub endings: u64,
    /// Files and folders that `.gitignore` ignores.
    pub ignored: u64,
    /// Files and folders that `exclude` in `sessionlint.toml` excludes.
    pub excluded: u64,
    /// Hidden files and folders.
    pub hidden: u64,
    /// Links, which are not followed.
    pub links: u64,
    /// Files that have nothing of the protocol in them.
    pub without_events: u64,
}

impl LeftOut {
    /// Adds what another search left out.
    pub fn add(&mut self, other: LeftOut) {
        self.endings += other.endings;
        self.ignored += other.ignored;
        self.excluded += other.excluded;
        self.hidden += other.hidden;
        self.links += other.links;
        self.without_events += other.without_events;
    }

    /// Returns a sentence without a full stop on what was left out; `None` if that is nothing.
    pub fn words(&self) -> Option<String> {
        let LeftOut { endings, ignored, excluded, hidden, links, without_events } = *self;
        let by = [
            (without_events, "without an event"),
            (endings, "by their endings"),
            (ignored, "by .gitignore"),
            (excluded, "by exclude"),
            (hidden, "hidden"),
        ];
        let by = by.into_iter().filter(|(number, _)| *number > 0).map(|(number, why)| format!("{number} {why}"));
        let links = (links > 0).then(|| count(links, "link"));
        let all: Vec<_> = by.chain(links).collect();
        (!all.is_empty()).then(|| format!("left out in folders: {}", all.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use sessionlint_core::finding::{Place, Severity};

    use super::*;

    fn finding(rule: &str) -> Finding {
        let place = Place::new(7, 1, 0..1);
        Finding::of_file(rule, Severity::Note, "m\u{1b}".to_owned(), &"a\u{1b}".into(), place)
    }

    #[test]
    fn a_gap_is_listed_or_counted() {
        let mut completeness = Completeness::default();
        completeness.add_finding(&finding("unknown-field"));
        assert!(completeness.is_complete() && completeness.words().is_none());
        (0..MOST_GAPS + 2).for_each(|_| completeness.add_finding(&finding("check-skipped")));
        assert_eq!((completeness.gaps().len(), completeness.unlisted()), (MOST_GAPS, 2));
        assert_eq!(
            completeness.words().as_deref(),
            Some("not everything was checked: 1000 findings of check-skipped, 2 more")
        );
        assert_eq!(completeness.gaps()[0].line(), "a␛:7: m␛", "a terminal is safe from it");
    }

    #[test]
    fn each_kind_of_gap_is_counted_by_itself() {
        let mut completeness = Completeness::default();
        completeness.add_file(GapReason::PassedOver, &"a".into(), "it is text".to_owned());
        completeness.add_error(&RunError::Nothing { path: "b".into() });
        completeness.add_file(GapReason::PassedOver, &"c".into(), String::new());
        let words = completeness.words();
        assert_eq!(words.as_deref(), Some("not everything was checked: 2 files passed over, 1 input not read"));
        assert_eq!(completeness.gaps()[0].line(), "a: it is text");
    }

    #[test]
    fn only_what_was_left_out_is_said() {
        assert_eq!(LeftOut::default().words(), None);
        let left_out = LeftOut { endings: 2, links: 1, ..LeftOut::default() };
        assert_eq!(left_out.words().as_deref(), Some("left out in folders: 2 by their endings, 1 link"));
    }
}
