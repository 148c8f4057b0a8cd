//! The fewest lines of a stream that still show a finding, found by leaving out lines and checking again.

use sessionlint_core::event::Options;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::{Checker, Finding, FindingKind};

/// The numbers of lines before the finding that a search begins with, one after another, until they show it.
const WINDOWS: [usize; 4] = [30, 120, 500, 3_000];
/// The most checks of one search.
const MOST_CHECKS: u32 = 250;
/// The most bytes that all searches of a page check.
pub(super) const MOST_BYTES: usize = 96 << 20;

/// Searches for lines, for the findings of one recording.
pub(super) struct Search<'p> {
    protocol: &'p Protocol,
    options: Options,
    /// The number of bytes that may still be checked.
    bytes: usize,
}

impl<'p> Search<'p> {
    /// Returns a search that may check so many bytes, at most those of all searches of a page.
    pub(super) fn new(protocol: &'p Protocol, options: &Options, bytes: usize) -> Search<'p> {
        Search { protocol, options: options.clone().with_excerpts(false), bytes }
    }

    /// Returns the number of bytes that may still be checked.
    pub(super) fn bytes_left(&self) -> usize {
        self.bytes
    }

    /// Returns the fewest lines of a stream that have a finding like this one; `None` if the search found none, or would
    /// take too long. `lines` are the events of the stream, in their order. `near`: the indices of those that the finding
    /// names, which are tried first.
    pub(super) fn fewest(&mut self, finding: &Finding, lines: &[&str], near: &[usize]) -> Option<Vec<usize>> {
        let kind = finding.kind();
        let mut checks = MOST_CHECKS;
        let mut shows = |kept: &[usize]| self.shows(&kind, lines, kept, &mut checks);
        let last = near.iter().max().map_or(lines.len(), |last| last + 1);
        let windows = WINDOWS.iter().map(|size| {
            let from = last.saturating_sub(*size);
            near.iter().copied().filter(|line| *line < from).chain(from..last).collect::<Vec<_>>()
        });
        let mut starts = std::iter::once(near.to_vec()).chain(windows);
        let kept = loop {
            let start = starts.next()?;
            if shows(&start)? {
                break start;
            }
        };
        leave_out(kept, &mut shows)
    }

    /// Returns whether these lines have a finding of a kind; `None` if nothing may be checked any more.
    fn shows(&mut self, kind: &FindingKind, lines: &[&str], kept: &[usize], checks: &mut u32) -> Option<bool> {
        let length: usize = kept.iter().map(|line| lines[*line].len() + 1).sum();
        let Some(bytes) = self.bytes.checked_sub(length) else {
            self.bytes = 0;
            return None;
        };
        self.bytes = bytes;
        *checks = checks.checked_sub(1)?;
        let mut checker = Checker::new(self.protocol, self.options.clone());
        for line in kept {
            checker.feed(lines[*line].as_bytes());
            checker.feed(b"\n");
        }
        Some(checker.finish().findings.iter().any(|found| found.kind() == *kind))
    }
}

/// Leaves out parts of what shows something, in runs that get shorter, as long as the rest still shows it. Returns `None`
/// if it cannot be tried to the end.
fn leave_out(mut kept: Vec<usize>, shows: &mut impl FnMut(&[usize]) -> Option<bool>) -> Option<Vec<usize>> {
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < kept.len() {
            let rest = [&kept[..at], &kept[(at + size).min(kept.len())..]].concat();
            if !rest.is_empty() && shows(&rest)? { kept = rest } else { at += size }
        }
        size /= 2;
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_is_left_out() {
        let needed = [3, 41];
        let mut shows = |kept: &[usize]| Some(needed.iter().all(|line| kept.contains(line)));
        assert_eq!(leave_out((0..100).collect(), &mut shows), Some(needed.to_vec()));
    }

    #[test]
    fn the_fewest_lines_of_a_call_without_a_turn_are_one() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let event = |kind: &str, payload: &str| {
            format!(r#"{{"type":"{kind}","timestamp":"2026-01-01T00:00:00Z","payload":{payload}}}"#)
        };
        let idle = event("session.status", r#"{"session_id":"s","pending":false,"status_label":"idle"}"#);
        let chunk = event("session.stream.chunk", r#"{"session_id":"s","text":"Hello","done":true}"#);
        let lines = [idle.as_str(), idle.as_str(), chunk.as_str(), idle.as_str()];
        let mut checker = Checker::new(protocol, Options::default());
        lines.iter().for_each(|line| checker.feed(format!("{line}\n").as_bytes()));
        let findings = checker.finish().findings;
        let finding = findings.iter().find(|one| &*one.rule == "turn-not-started").expect("no turn was begun");
        let mut search = Search::new(protocol, &Options::default(), MOST_BYTES);
        assert_eq!(search.fewest(finding, &lines, &[2]), Some(vec![2]));
        assert_eq!(search.fewest(finding, &lines, &[3]), Some(vec![2]));
    }
}
