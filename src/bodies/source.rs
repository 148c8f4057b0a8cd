//! The text of a whole file, and where each of its bytes is.

use std::borrow::Cow;
use std::ops::Range;

use sessionlint_core::bytes::count_characters;
use sessionlint_core::input::{BYTE_ORDER_MARK, Origin, in_utf8};

/// The distance between the bytes before which the characters are counted beforehand. A column is found by counting
/// those of one such part, however long the line is.
const PART: usize = 4096;

/// The text of a file that holds bodies, decompressed, in UTF-8.
#[derive(Debug)]
pub struct Source {
    text: Vec<u8>,
    /// The file as it is, if it is UTF-16.
    wide: Option<Box<Wide>>,
    /// The offset of the first byte of each line.
    lines: Vec<usize>,
    /// The number of characters before each part.
    characters: Vec<u64>,
}

/// A file in UTF-16.
#[derive(Debug)]
struct Wide {
    bytes: Vec<u8>,
    /// The length of its byte-order mark.
    mark: u64,
    /// The number of characters of two code units before each part of the text in UTF-8.
    pairs: Vec<u64>,
}

/// Returns the number of characters in a text that are two code units of UTF-16.
fn count_pairs(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte >= 0xF0).count() as u64
}

/// Returns the sums of a count over the parts of a text before each part.
fn sums(text: &[u8], count: impl Fn(&[u8]) -> u64) -> Vec<u64> {
    let before = text.chunks(PART).scan(0, |before, part| {
        let here = *before;
        *before += count(part);
        Some(here)
    });
    before.collect()
}

impl Source {
    /// Takes the bytes of a file. Returns them unchanged if they are neither UTF-8 nor UTF-16.
    pub fn new(bytes: Vec<u8>) -> Result<Source, Vec<u8>> {
        let (text, wide) = match in_utf8(&bytes) {
            Cow::Owned(text) => {
                let mark = if matches!(bytes[..], [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) { 2 } else { 0 };
                let pairs = sums(&text, count_pairs);
                (text, Some(Box::new(Wide { bytes, mark, pairs })))
            }
            Cow::Borrowed(_) => (bytes, None),
        };
        if std::str::from_utf8(&text).is_err() {
            return Err(wide.map_or(text, |wide| wide.bytes));
        }
        let lines = std::iter::once(0).chain(memchr::memchr_iter(b'\n', &text).map(|at| at + 1)).collect();
        Ok(Source { lines, characters: sums(&text, count_characters), text, wide })
    }

    /// Returns the text behind a byte-order mark, and the mark's length in bytes.
    pub fn content(&self) -> (&str, usize) {
        let head = if self.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        (std::str::from_utf8(&self.text[head..]).unwrap_or_default(), head)
    }

    /// Returns the whole text, with a byte-order mark if there is one.
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Gives the bytes of the file back.
    pub fn into_bytes(self) -> Vec<u8> {
        self.wide.map_or(self.text, |wide| wide.bytes)
    }

    /// Returns the offset in the file of a byte of the text.
    pub fn offset(&self, at: usize) -> u64 {
        let Some(wide) = &self.wide else { return at as u64 };
        let at = at.min(self.text.len());
        let part = (at / PART).min(wide.pairs.len().saturating_sub(1));
        let pairs = wide.pairs.get(part).map_or(0, |before| before + count_pairs(&self.text[part * PART..at]));
        wide.mark + 2 * (self.characters_before(at) + pairs)
    }

    /// Returns the number of characters before a byte.
    fn characters_before(&self, at: usize) -> u64 {
        let Some(last) = self.characters.len().checked_sub(1) else { return 0 };
        let part = (at / PART).min(last);
        self.characters[part] + count_characters(&self.text[part * PART..at])
    }

    /// Returns the origin of the byte at an offset, which may be the end of the text.
    pub fn origin(&self, at: usize) -> Origin {
        let at = at.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        let mut column = 1 + self.characters_before(at) - self.characters_before(start);
        if line == 1 && at > 0 && self.text.starts_with(BYTE_ORDER_MARK) {
            // The mark is no character of the first line.
            column = column.saturating_sub(1).max(1);
        }
        Origin { offset: self.offset(at), line: line as u64, column }
    }
}

/// Where the bytes of a text that was put together, with escapes resolved, stand in a file: parts that are there
/// unchanged and in one piece.
#[derive(Debug, Default)]
pub struct Runs {
    /// The offset in the text of the first byte of a part, and its offset in the file.
    starts: Vec<(usize, usize)>,
    /// The end of the last part in the text and in the file.
    end: (usize, usize),
}

impl Runs {
    /// Notes that so many bytes, the next of the text, stand in the file at this offset.
    pub fn add(&mut self, bytes: usize, at: usize) {
        // Behind an escape, the text is as far on as its character, and the file as far as the escape.
        let goes_on = |(start, origin): &(usize, usize)| self.end.1 == at && at - origin == self.end.0 - start;
        if !self.starts.last().is_some_and(goes_on) {
            self.starts.push((self.end.0, at));
        }
        self.end = (self.end.0 + bytes, at + bytes);
    }

    /// Notes that so many bytes, the next of the text, are written as so many bytes of the file at this offset.
    pub fn add_written(&mut self, bytes: usize, at: usize, length: usize) {
        self.add(bytes, at);
        self.end.1 = at + length;
    }

    /// Returns the range of the file that has a range of the text. `length` returns the length in the file of the character
    /// that starts there.
    pub fn range(&self, span: Range<usize>, length: impl Fn(usize) -> usize) -> Range<usize> {
        let start = self.at(span.start);
        if span.is_empty() {
            return start..start;
        }
        let last = self.at(span.end - 1);
        start..last + length(last)
    }

    fn at(&self, at: usize) -> usize {
        if at >= self.end.0 {
            return self.end.1;
        }
        let after = self.starts.partition_point(|(start, _)| *start <= at);
        let Some((start, origin)) = after.checked_sub(1).and_then(|index| self.starts.get(index)) else {
            return 0;
        };
        origin + (at - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_has_the_line_and_column_that_counting_gives() {
        let text = format!("\u{FEFF}é\n{}\r\nü{}\n\nend", "aé".repeat(5000), "€".repeat(3000));
        let source = Source::new(text.clone().into_bytes()).expect("UTF-8");
        let head = BYTE_ORDER_MARK.len();
        let (content, _) = source.content();
        for at in content.char_indices().map(|(at, _)| at).step_by(97).chain([content.len()]) {
            let expected = Origin { offset: head as u64, ..Origin::START }.after(&content.as_bytes()[..at]);
            assert_eq!(source.origin(head + at), expected, "{at}");
        }
        assert!(Source::new(b"\xFF".to_vec()).is_err());
        assert_eq!(Source::new(Vec::new()).expect("empty").origin(5), Origin::START);
    }

    #[test]
    fn a_byte_of_utf_16_has_its_place_in_the_file() {
        let text = format!("é\n{}😀€ end", "a😀é".repeat(3000));
        for (mark, order) in [(2, u16::to_le_bytes as fn(u16) -> [u8; 2]), (2, u16::to_be_bytes), (0, u16::to_le_bytes)]
        {
            // Without a mark, the first characters tell the encoding.
            let text = if mark == 0 { format!("ab{text}") } else { text.clone() };
            let marked = if mark == 0 { text.clone() } else { format!("\u{FEFF}{text}") };
            let bytes: Vec<u8> = marked.encode_utf16().flat_map(order).collect();
            let source = Source::new(bytes.clone()).expect("UTF-16");
            assert_eq!(source.content(), (text.as_str(), 0));
            for (at, _) in text.char_indices().step_by(97) {
                let before = 2 * text[..at].encode_utf16().count() as u64;
                assert_eq!(source.offset(at), mark + before);
                assert_eq!(source.origin(at).column, Origin::START.after(&text.as_bytes()[..at]).column);
            }
            assert_eq!(source.into_bytes(), bytes);
        }
    }

    #[test]
    fn runs_lead_from_the_text_to_the_file() {
        // In the file: ab\ncd, with the line feed as two characters.
        let mut runs = Runs::default();
        runs.add(2, 10);
        runs.add_written(1, 12, 2);
        runs.add(2, 14);
        let length = |at| if at == 12 { 2 } else { 1 };
        for (span, expected) in [(0..2, 10..12), (1..3, 11..14), (2..3, 12..14), (3..5, 14..16), (5..5, 16..16)] {
            assert_eq!(runs.range(span.clone(), length), expected, "{span:?}");
        }
        assert_eq!(Runs::default().range(3..4, length), 0..1);
    }
}
