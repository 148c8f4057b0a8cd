//! Source lines: cut to a width around a mark, and without control characters.

use std::ops::Range;

use sessionlint_core::finding::Excerpt;
use sessionlint_core::text::visible;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A source line as it is shown.
#[derive(Debug)]
pub struct ShownLine {
    /// The text, with `…` where it was cut.
    pub text: String,
    /// The columns of the mark, 0-based.
    pub mark: Range<usize>,
}

/// Cuts a line to a width, in columns, around its mark. At most two thirds of the width are for what stands before the
/// mark, or for the mark itself.
pub fn fit(excerpt: &Excerpt, width: usize) -> ShownLine {
    // The signs that something was left out need a column each.
    let width = width.saturating_sub(2);
    let before = visible(&excerpt.text[..excerpt.mark.start]);
    let mut marked = visible(&excerpt.text[excerpt.mark.clone()]);
    let mut after = visible(&excerpt.text[excerpt.mark.end..]);
    if marked.is_empty() {
        // An empty place is shown under the next character, or after the end of the line.
        marked.push(if after.is_empty() { ' ' } else { after.remove(0) });
    }
    let room = width.saturating_sub(marked.width().min(width * 2 / 3));
    let after_room = room.saturating_sub(before.width().min(room * 2 / 3));
    let shown_after = &after[..beginning(&after, after_room)];
    let before_room = room - shown_after.width();
    let shown_before = &before[before.len() - end(&before, before_room)..];
    let shown_marked = &marked[..beginning(&marked, width - shown_before.width().min(width))];

    let mut text = String::new();
    if excerpt.cut_before || shown_before.len() < before.len() {
        text.push('…');
    }
    text.push_str(shown_before);
    let start = text.width();
    text.push_str(shown_marked);
    let mark = start..text.width().max(start + 1);
    let is_marked_whole = shown_marked.len() == marked.len();
    if is_marked_whole {
        text.push_str(shown_after);
    }
    if excerpt.cut_after || !is_marked_whole || shown_after.len() < after.len() {
        text.push('…');
    }
    ShownLine { text, mark }
}

/// Returns the length, in bytes, of the longest beginning that fits into a width.
fn beginning(text: &str, width: usize) -> usize {
    fitting(text.chars(), width)
}

/// Returns the length, in bytes, of the longest end that fits into a width.
fn end(text: &str, width: usize) -> usize {
    fitting(text.chars().rev(), width)
}

fn fitting(characters: impl Iterator<Item = char>, width: usize) -> usize {
    let mut columns = 0;
    let fits = |c: &char| {
        columns += c.width().unwrap_or_default();
        columns <= width
    };
    characters.take_while(fits).map(char::len_utf8).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_around_its_mark() {
        let text = format!("{}MARK{}", "a".repeat(200), "b".repeat(200));
        let line = fit(&Excerpt::of_line(text, 200..204), 60);
        assert_eq!(
            &line.text.chars().collect::<String>().chars().skip(line.mark.start).take(4).collect::<String>(),
            "MARK"
        );
        assert!(line.text.starts_with('…') && line.text.ends_with('…'));
        assert_eq!(line.text.width(), 60);
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        let text = format!("{}印{}", "日".repeat(200), "本".repeat(200));
        let line = fit(&Excerpt::of_line(text, 600..603), 60);
        assert!((57..=60).contains(&line.text.width()), "{line:?}");
        assert_eq!(line.mark.len(), 2);
    }

    #[test]
    fn what_is_shown_is_harmless() {
        let excerpt = Excerpt::of_line("a\x1b[2Jb", 1..5);
        assert_eq!(fit(&excerpt, 60).text, "a␛[2Jb");
    }

    #[test]
    fn the_end_of_a_line_can_be_marked() {
        let line = fit(&Excerpt::of_line("{}", 2..2), 60);
        assert_eq!((line.text.as_str(), line.mark), ("{} ", 2..3));
    }
}
