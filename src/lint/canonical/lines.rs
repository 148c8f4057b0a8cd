//! Writes a file with one event per line.

use std::ops::Range;

use super::change::{Change, Changes};
use super::{Part, line_end, text_start};

/// Returns the file with one line for each part; `None` if a part cannot be read, or if more than white space is
/// between two parts.
pub fn write_lines(bytes: &[u8], parts: &[Part], changes: &mut Changes) -> Option<Vec<u8>> {
    let mut at = text_start(bytes);
    let mut lines = Lines { bytes, new: bytes[..at].to_vec(), open: false, changes };
    for Part { range, text } in parts {
        let text = text.as_deref()?;
        lines.between(at..range.start)?;
        at = range.end;
        lines.open = true;
        lines.new.extend_from_slice(text);
    }
    lines.between(at..bytes.len())?;
    Some(lines.new)
}

struct Lines<'l> {
    bytes: &'l [u8],
    new: Vec<u8>,
    /// Whether the last line that was written still lacks its end.
    open: bool,
    changes: &'l mut Changes,
}

impl Lines<'_> {
    /// Ends the line, if it has no end yet. Returns `None` if `range`, the text between two parts of the file, is more
    /// than white space.
    fn between(&mut self, range: Range<usize>) -> Option<()> {
        let found = self.bytes.get(range.clone())?;
        if !found.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            return None;
        }
        let wanted = if self.open { line_end(self.bytes) } else { b"" };
        self.new.extend_from_slice(wanted);
        if found != wanted {
            let is_end = range.end == self.bytes.len();
            let ends = memchr::memchr_iter(b'\n', found).count();
            let (change, what) = match (found, ends) {
                (b"", _) if is_end => (Change::LineEnd, "the last line has no line end"),
                (b"\n" | b"\r\n", _) if self.open => {
                    (Change::LineEnd, "this line ends differently from the first line of the file")
                }
                (_, 0) if self.open && !is_end => (Change::LineEnd, "two events are on one line"),
                (_, count) if count > usize::from(self.open) => (Change::WhiteSpace, "there is an empty line"),
                _ => (Change::WhiteSpace, "there is white space around this line"),
            };
            // An empty line is reported at its own place.
            let before = if change == Change::WhiteSpace && self.open && ends > 1 {
                memchr::memchr(b'\n', found).map_or(0, |at| at + 1)
            } else {
                0
            };
            self.changes.note(change, range.start + before..range.start + before, || what.to_owned());
        }
        Some(())
    }
}
