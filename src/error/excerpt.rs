//! The part of a file's text that a mistake stands in, as a terminal shows it: the lines around it, safe and not too wide.

use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use sessionlint_core::text::visible;

/// The most characters of a line that are shown before a mistake, of the mistake itself, and behind it.
const WIDEST: usize = 100;

/// The lines around a mistake.
#[derive(Debug)]
pub struct Excerpt {
    file: String,
    text: String,
    /// The number of the first of the lines, from 0 as miette counts.
    line: usize,
    /// The column of the mistake in its line, from 0.
    column: usize,
}

/// Returns the starts of a text's lines, in bytes.
pub fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1))
}

impl Excerpt {
    /// Returns the lines around a mistake, and the bytes of the mistake in them. `starts`: those of the text's lines.
    pub fn of(file: &str, text: &str, starts: &[usize], span: Range<usize>) -> (Excerpt, SourceSpan) {
        // Offsets are expected on character boundaries, but one that is not must not panic.
        let start = boundary(text, span.start);
        let end = boundary(text, span.end.max(start));
        let line_of = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
        let line = line_of(start);
        let line_end = |line: usize| {
            let whole = &text[starts[line]..starts.get(line + 1).copied().unwrap_or(text.len())];
            starts[line] + whole.strip_suffix('\n').unwrap_or(whole).len()
        };
        // A mistake of several lines is marked in the first of them.
        let end = end.min(line_end(line)).max(start);
        let mut shown = String::new();
        if let Some(before) = line.checked_sub(1) {
            shown = head(&text[starts[before]..line_end(before)]) + "\n";
        }
        shown += &tail(&text[starts[line]..start]);
        let from = shown.len();
        shown += &head(&text[start..end]);
        let length = shown.len() - from;
        shown += &head(&text[end..line_end(line).max(end)]);
        if line + 1 < starts.len() {
            shown = shown + "\n" + &head(&text[starts[line + 1]..line_end(line + 1)]);
        }
        let column = text[starts[line]..start].chars().count();
        let excerpt = Excerpt { file: file.to_owned(), text: shown, line: line.saturating_sub(1), column };
        (excerpt, SourceSpan::new(from.into(), length))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Without the lines around it, it is the mistake's place that is asked for.
        let column = if before == 0 { self.column } else { inner.column() };
        let (line, lines) = (self.line + inner.line(), inner.line_count());
        Ok(Box::new(MietteSpanContents::new_named(self.file.clone(), inner.data(), *inner.span(), line, column, lines)))
    }
}

/// Returns the last boundary of a character that is not behind `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// Returns a part of a line as a terminal shows it.
fn shown(text: &str) -> String {
    visible(text.strip_suffix('\r').unwrap_or(text).replace('\t', " ").as_str())
}

/// Returns the beginning of a part of a line, as a terminal shows it.
fn head(text: &str) -> String {
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => shown(&text[..end]) + "…",
        None => shown(text),
    }
}

/// Returns the end of a part of a line, as a terminal shows it.
fn tail(text: &str) -> String {
    match text.char_indices().rev().nth(WIDEST) {
        Some((start, character)) => format!("…{}", shown(&text[start + character.len_utf8()..])),
        None => shown(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, span: Range<usize>) -> (String, usize, usize, String) {
        let starts: Vec<_> = line_starts(text).collect();
        let (excerpt, span) = Excerpt::of("f", text, &starts, span);
        let contents = excerpt.read_span(&span, 0, 0).expect("it is there");
        let marked = excerpt.text[span.offset()..span.offset() + span.len()].to_owned();
        let (line, column) = (contents.line() + 1, contents.column() + 1);
        drop(contents);
        (excerpt.text, line, column, marked)
    }

    #[test]
    fn the_lines_around_a_mistake_are_shown() {
        let text = "a = 1\r\nbé\t= 2\u{1b}\nc = 3\nd = 4\n";
        let (shown, line, column, marked) = excerpt(text, 13..14);
        assert_eq!((shown.as_str(), line, column, marked.as_str()), ("a = 1\nbé = 2␛\nc = 3", 2, 6, "2"));
        assert_eq!(excerpt(text, 0..5), ("a = 1\nbé = 2␛".to_owned(), 1, 1, "a = 1".to_owned()));
        assert_eq!(excerpt("", 0..0), (String::new(), 1, 1, String::new()));
        assert_eq!(excerpt("a\n", 2..2), ("a\n".to_owned(), 2, 1, String::new()));
        assert_eq!(excerpt("a\nb", 0..3).3, "a", "of several lines the first");
        assert_eq!(excerpt("é", 1..9), ("é".to_owned(), 1, 1, "é".to_owned()), "offsets that are wrong");
    }

    #[test]
    fn a_mistake_far_along_a_line_is_shown_with_its_true_column() {
        let text = format!("{}here{}", "x".repeat(100_000), "y".repeat(100_000));
        let (shown, line, column, marked) = excerpt(&text, 100_000..100_004);
        assert_eq!((line, column, marked.as_str()), (1, 100_001, "here"));
        assert_eq!(shown, format!("…{}here{}…", "x".repeat(WIDEST), "y".repeat(WIDEST)));
        assert!(excerpt(&text, 0..200_004).3.len() < 2 * WIDEST, "a long mistake is cut too");
    }
}
