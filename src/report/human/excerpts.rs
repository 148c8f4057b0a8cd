//! Source lines as miette shows them: cut to a width, and without control characters.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use sessionlint_core::finding::{Excerpt, Place};
use sessionlint_core::text::visible;

/// Single source lines from anywhere in a file, combined into one source code for miette: each line has its own range
/// of offsets and its own line number.
#[derive(Debug, Default)]
pub struct Excerpts {
    lines: Vec<ExcerptLine>,
}

#[derive(Debug)]
struct ExcerptLine {
    offset: usize,
    text: String,
    /// Line number, from 0 as miette counts.
    line: usize,
    /// Column of the marked part, from 0.
    column: usize,
    /// Offset of the marked part in `text`, in bytes.
    mark: usize,
    /// The name of the line's file, if it is to be shown.
    named: Option<String>,
}

impl Excerpts {
    /// Adds the line of a place, cut to `width` columns, and returns the span to label. Returns `None` for a primary
    /// place without text.
    pub fn add(&mut self, place: &Place, primary: bool, named: Option<String>, width: usize) -> Option<SourceSpan> {
        let (text, mark) = match place.excerpt.text.is_empty() {
            false => fitted(&place.excerpt, width.max(20)),
            true if primary => return None,
            // The text is not kept any more, but the line number is still useful.
            true => ("…".to_owned(), 0..'…'.len_utf8()),
        };
        // One byte is left out between two lines, so that no span can reach from one into the other.
        let offset = self.lines.last().map_or(0, |last| last.offset + last.text.len() + 1);
        let span = SourceSpan::new((offset + mark.start).into(), mark.len());
        self.lines.push(ExcerptLine {
            offset,
            text,
            line: place.line.saturating_sub(1) as usize,
            column: place.column.saturating_sub(1) as usize,
            mark: mark.start,
            named,
        });
        Some(span)
    }
}

impl SourceCode for Excerpts {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let holds = |line: &&ExcerptLine| {
            line.offset <= span.offset() && span.offset() + span.len() <= line.offset + line.text.len()
        };
        let line = self.lines.iter().find(holds).ok_or(MietteError::OutOfBounds)?;
        let (skip, column) = if before == 0 { (line.mark, line.column) } else { (0, 0) };
        let whole = SourceSpan::new((line.offset + skip).into(), line.text.len() - skip);
        let data = &line.text.as_bytes()[skip..];
        Ok(Box::new(match &line.named {
            Some(file) => MietteSpanContents::new_named(file.clone(), data, whole, line.line, column, 1),
            None => MietteSpanContents::new(data, whole, line.line, column, 1),
        }))
    }
}

/// Returns a line cut to a width around its mark, without control characters, with `…` where it was cut; and the range
/// of the mark in it, in bytes.
fn fitted(excerpt: &Excerpt, width: usize) -> (String, std::ops::Range<usize>) {
    let before: Vec<char> = excerpt.text[..excerpt.mark.start].chars().collect();
    let mut marked: Vec<char> = excerpt.text[excerpt.mark.clone()].chars().collect();
    let mut after: Vec<char> = excerpt.text[excerpt.mark.end..].chars().collect();
    if marked.is_empty() {
        // An empty place is shown under the next character, or after the end of the line.
        marked.push(if after.is_empty() { ' ' } else { after.remove(0) });
    }
    let room = width.saturating_sub(marked.len().min(width * 2 / 3));
    let kept_after = after.len().min(room.saturating_sub(before.len().min(room * 2 / 3)));
    let kept_before = before.len().min(room - kept_after);
    let kept_marked = marked.len().min(width - kept_before.min(width));
    let mut text = String::new();
    if excerpt.cut_before || kept_before < before.len() {
        text.push('…');
    }
    text.push_str(&visible(&before[before.len() - kept_before..].iter().collect::<String>()));
    let start = text.len();
    text.push_str(&visible(&marked[..kept_marked].iter().collect::<String>()));
    let end = text.len();
    if kept_marked == marked.len() {
        text.push_str(&visible(&after[..kept_after].iter().collect::<String>()));
    }
    if excerpt.cut_after || kept_marked < marked.len() || kept_after < after.len() {
        text.push('…');
    }
    (text, start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_around_its_mark() {
        let text = format!("{}MARK{}", "a".repeat(200), "b".repeat(200));
        let excerpt = Excerpt::of_line(text, 200..204);
        let (text, mark) = fitted(&excerpt, 60);
        assert_eq!(&text[mark], "MARK");
        assert!(text.starts_with('…') && text.ends_with('…'));
        assert_eq!(text.chars().count(), 62);
    }

    #[test]
    fn what_is_shown_is_harmless() {
        let excerpt = Excerpt::of_line("a\x1b[2Jb", 1..5);
        assert_eq!(fitted(&excerpt, 60).0, "a␛[2Jb");
    }
}
