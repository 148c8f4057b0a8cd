//! Unified diffs of files, for terminals.

use std::fmt::Write;
use std::time::Duration;

use sessionlint_core::bytes::lossy;
use sessionlint_core::text::visible;
use similar::{ChangeTag, TextDiff};

/// The number of unchanged lines that are shown around a change.
const CONTEXT_LINES: usize = 3;
/// The time limit for finding the smallest diff; after it, a larger one is used.
const TIMEOUT: Duration = Duration::from_secs(2);

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// Returns the unified diff of a file with terminal colours, which the caller strips where they are not wanted. Control
/// characters of the file are made visible, so that they cannot act on a terminal. `old`: `None` if the file is new.
pub fn difference(name: &str, old: Option<&[u8]>, new: &[u8]) -> String {
    let name = visible(name);
    let from = if old.is_some() { &name } else { "/dev/null" };
    let (old, new) = (lossy(old.unwrap_or_default()), lossy(new));
    let compared = TextDiff::configure().timeout(TIMEOUT).diff_lines(&*old, &*new);
    let mut shown = format!("{BOLD}--- {from}{PLAIN}\n{BOLD}+++ {name}{PLAIN}\n");
    for hunk in compared.unified_diff().context_radius(CONTEXT_LINES).iter_hunks() {
        // Writing to a text cannot fail.
        let _ = writeln!(shown, "{CYAN}{}{PLAIN}", hunk.header());
        for change in hunk.iter_changes() {
            let (sign, color) = match change.tag() {
                ChangeTag::Delete => ('-', RED),
                ChangeTag::Insert => ('+', GREEN),
                ChangeTag::Equal => (' ', ""),
            };
            let line = change.value();
            let end = if color.is_empty() { "" } else { PLAIN };
            let _ = writeln!(shown, "{color}{sign}{}{end}", visible(line.strip_suffix('\n').unwrap_or(line)));
            if !line.ends_with('\n') {
                shown.push_str("\\ No newline at end of file\n");
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn lines_are_shown_with_what_is_around_them_and_nothing_of_them_acts() {
        let shown = difference("a\x1b.ndjson", Some(b"1\n2\n3\n4\nfive\x1b[2J\n6"), b"1\n2\n3\n4\n5\n6\n");
        let plain: String = shown
            .replace("\x1b[0m", "")
            .split("\x1b[")
            .map(|part| part.split_once('m').map_or(part, |(_, rest)| rest))
            .collect();
        assert_eq!(
            plain,
            "--- a␛.ndjson\n+++ a␛.ndjson\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-five␛[2J\n-6\n\\ No newline at end of file\n+5\n+6\n"
        );
    }
}
