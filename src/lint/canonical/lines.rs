//! One event a line.

use std::ops::Range;

use super::change::{Change, Changes};
use super::{Part, line_end, text_start};
use crate::input::Wire;

/// The file with a line for each part; what cannot be read keeps its line as it is. None where that may stand over several
/// lines, or where more than white space stands between the parts.
pub fn written(bytes: &[u8], wire: Wire, parts: &[Part], changes: &mut Changes) -> Option<Vec<u8>> {
    let mut at = text_start(bytes);
    let mut lines = Lines { bytes, new: bytes[..at].to_vec(), open: false, changes };
    for Part { range, text } in parts {
        let whole = match text {
            Some(_) => range.clone(),
            None if wire == Wire::Json => return None,
            None => line_of(bytes, range, at),
        };
        lines.between(at..whole.start)?;
        at = whole.end;
        lines.open = text.is_some();
        lines.new.extend_from_slice(text.as_deref().unwrap_or(&bytes[whole]));
    }
    lines.between(at..bytes.len())?;
    Some(lines.new)
}

/// The whole line around a range, with its end; no earlier than `from`.
fn line_of(bytes: &[u8], range: &Range<usize>, from: usize) -> Range<usize> {
    let start = memchr::memrchr(b'\n', &bytes[from..range.start]).map_or(from, |at| from + at + 1);
    let end = memchr::memchr(b'\n', &bytes[range.end..]).map_or(bytes.len(), |at| range.end + at + 1);
    start..end
}

struct Lines<'l> {
    bytes: &'l [u8],
    new: Vec<u8>,
    /// Whether the last line that was written lacks its end.
    open: bool,
    changes: &'l mut Changes,
}

impl Lines<'_> {
    /// Ends the line, if it has no end yet. `range` stands there in the file; none if that is more than white space.
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
                    (Change::LineEnd, "this line ends in another way than the first line of the file")
                }
                (_, 0) if self.open && !is_end => (Change::LineEnd, "two events stand on one line"),
                (_, count) if count > usize::from(self.open) => (Change::WhiteSpace, "there is an empty line"),
                _ => (Change::WhiteSpace, "there is white space around this line"),
            };
            // Of an empty line, the line itself.
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
