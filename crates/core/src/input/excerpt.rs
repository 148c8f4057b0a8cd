//! Excerpts: the part of a line that a report shows, and how much of an event is kept to be shown later.

use std::ops::Range;

use crate::bytes::{count_characters, lossy};
use crate::finding::Excerpt;

/// The number of characters of an event that are kept for later findings that refer to it.
const REMEMBERED_CHARS: usize = 200;
/// The number of bytes that have at least [`REMEMBERED_CHARS`] characters.
pub(super) const REMEMBERED_BYTES: usize = LONGEST_CHARACTER * REMEMBERED_CHARS;
/// The length of an excerpt before the start of the marked range, in bytes.
pub(super) const WINDOW_BEFORE: usize = 120;
/// The length of an excerpt from the start of the marked range on, in bytes.
pub(super) const WINDOW_AFTER: usize = 240;
/// The length of the longest character in UTF-8, in bytes.
pub(super) const LONGEST_CHARACTER: usize = 4;

/// Returns an excerpt from the first line of an event. `head` is the start of the event, or all of it if `whole`.
pub(super) fn beginning(head: &[u8], whole: bool, column: u64, mark: Range<usize>) -> Excerpt {
    let kept = first_characters(head, REMEMBERED_CHARS);
    let kept = &kept[..memchr::memchr(b'\n', kept).unwrap_or(kept.len())];
    let goes_on = head.get(kept.len()).is_some_and(|next| *next != b'\n');
    Excerpt {
        text: lossy(kept).into_owned(),
        column,
        mark: if mark.end <= kept.len() { mark } else { 0..kept.len() },
        cut_before: column > 1,
        cut_after: !whole || goes_on,
    }
}

/// Returns an excerpt from a line that starts in `column`, cut around the range `mark` if the line is long.
pub fn window(line: &[u8], column: u64, mark: Range<usize>) -> Excerpt {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mark = mark.start.min(line.len())..mark.end.min(line.len());
    let start = boundary(line, mark.start.saturating_sub(WINDOW_BEFORE));
    // Invalid UTF-8 may look like the middle of a character that began before the mark.
    let end = boundary(line, (mark.start + WINDOW_AFTER).min(line.len())).max(mark.start);
    let before = lossy(&line[start..mark.start]);
    let marked = lossy(&line[mark.start..mark.end.clamp(mark.start, end)]);
    let after = lossy(&line[mark.end.clamp(mark.start, end)..end]);
    Excerpt {
        mark: before.len()..before.len() + marked.len(),
        text: [before, marked, after].concat(),
        column: column + count_characters(&line[..start]),
        cut_before: start > 0,
        cut_after: end < line.len(),
    }
}

/// Returns the start of the character that the byte at `at` belongs to.
fn boundary(line: &[u8], at: usize) -> usize {
    let mut at = at;
    while at > 0 && at < line.len() && line[at] & 0xC0 == 0x80 {
        at -= 1;
    }
    at
}

/// Returns the first `count` characters of a line, or all of it if it has fewer.
fn first_characters(line: &[u8], count: usize) -> &[u8] {
    let head = &line[..line.len().min(count)];
    if head.len() == line.len() || head.is_ascii() {
        return head;
    }
    let (mut seen, mut start) = (0, 0);
    // Most is counted in blocks.
    for block in line.as_chunks::<16>().0 {
        let inside = count_characters(block) as usize;
        if seen + inside > count {
            break;
        }
        (seen, start) = (seen + inside, start + block.len());
    }
    for (at, byte) in line.iter().enumerate().skip(start) {
        if byte & 0xC0 != 0x80 {
            if seen == count {
                return &line[..at];
            }
            seen += 1;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_characters_are_counted_as_one_by_one() {
        for text in ["plain text ".repeat(30), "日本 ".repeat(90), "a🙂é".repeat(100), "é\u{301}x".repeat(5)] {
            for count in [1, 15, 16, 17, 63, 199, 200] {
                let expected: String = text.chars().take(count).collect();
                assert_eq!(first_characters(text.as_bytes(), count), expected.as_bytes(), "{count} of {text}");
            }
        }
    }

    #[test]
    fn the_beginning_of_an_event_ends_with_its_first_line() {
        let shown = |head: &str, whole| {
            let Excerpt { text, cut_after, .. } = beginning(head.as_bytes(), whole, 1, 0..1);
            (text, cut_after)
        };
        let long = "é".repeat(REMEMBERED_CHARS);
        assert_eq!(shown("{}\n[]", true), ("{}".to_owned(), false));
        assert_eq!(shown("{}", false), ("{}".to_owned(), true));
        assert_eq!(shown(&format!("{long}\nmore"), true), (long.clone(), false));
        assert_eq!(shown(&format!("{long}x\nmore"), true), (long.clone(), true));
        assert_eq!(shown(&long, true), (long.clone(), false));
    }

    #[test]
    fn invalid_utf8_is_shown_too() {
        let excerpt = window(b"ab\x80\x80", 1, 3..4);
        assert_eq!((excerpt.column, excerpt.mark.start), (1, 5));
        assert_eq!(window(b"\x80\x80\x80", 1, 2..3).mark.start, 6);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let line = [&b"a".repeat(1000)[..], b"X", &b"b".repeat(1000)[..]].concat();
        let excerpt = window(&line, 1, 1000..1001);
        assert_eq!(&excerpt.text[excerpt.mark.clone()], "X");
        assert!(excerpt.cut_before && excerpt.cut_after && excerpt.text.len() < 400);
        assert_eq!(excerpt.column, 1001 - WINDOW_BEFORE as u64);
    }
}
