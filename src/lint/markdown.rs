//! Finds the fenced code blocks of a Markdown file, and maps every byte of a block to its place in the file.
//!
//! The text of a block is the text that a reader of the rendered page would copy: without the markers of quotes and
//! lists in front of its lines, and with a line feed at the end of each.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use sessionlint_core::finding::Place;
use sessionlint_core::input::{BYTE_ORDER_MARK, Frame, Origin, Segment};

/// A fenced code block.
#[derive(Debug)]
pub struct Block {
    /// The info string: the text after the opening fence.
    pub info: String,
    /// The text between the fences.
    pub text: Vec<u8>,
    /// The opening line, from its fence on, and the place of the fence.
    opening: (Origin, Vec<u8>),
    /// One segment for each line; never empty, and the first is at 0.
    segments: Vec<Segment>,
}

impl Block {
    /// Returns the first word of the info string, in lower case.
    pub fn language(&self) -> String {
        self.info.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase()
    }

    /// Returns the place of a word of the info string; that of the whole opening line, if the word is written
    /// differently there, such as with an escape.
    pub fn place_of(&self, word: &str) -> Place {
        let (origin, line) = &self.opening;
        let segments = [Segment { at: 0, origin: *origin }];
        let frame = Frame::new(line, &segments);
        let at = memchr::memmem::find(line, word.as_bytes());
        frame.place(at.map_or(0..line.len(), |at| at..at + word.len()), None)
    }

    /// Converts a place in the block's text to the place in the file.
    pub fn shift(&self, place: &mut Place) {
        let frame = Frame::new(&self.text, &self.segments);
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(self.text.len());
        let start = within(place.start);
        let there = frame.bare_place(start..within(place.end).max(start), place.event);
        // An excerpt shows the line of its place.
        let shown = (place.excerpt.column + there.column).saturating_sub(place.column);
        let mut excerpt = std::mem::take(&mut place.excerpt);
        excerpt.column = shown;
        *place = there.with_excerpt(excerpt);
    }
}

impl Block {
    /// Returns the bytes of the block's lines in the file, and the lines that replace them if `new` becomes the text.
    /// Each new line gets the prefix that all lines of the block have, such as the marker of a quote. Returns `None` if
    /// the prefixes differ.
    pub fn with_text(&self, file: &[u8], new: &[u8]) -> Option<(Range<usize>, Vec<u8>)> {
        let frame = Frame::new(&self.text, &self.segments);
        let (mut at, mut prefix, mut range) = (0, None, None);
        for line in self.text.split_inclusive(|byte| *byte == b'\n') {
            let content = line.strip_suffix(b"\n").unwrap_or(line);
            let start = frame.origin(at).offset as usize;
            let line_start = memchr::memrchr(b'\n', file.get(..start)?).map_or(0, |at| at + 1);
            let (before, behind) = (&file[line_start..start], &file[start..]);
            if !behind.starts_with(content) || !content.is_empty() && prefix.is_some_and(|prefix| prefix != before) {
                return None;
            }
            if !content.is_empty() {
                prefix = Some(before);
            }
            let end = start + content.len();
            let line_end = memchr::memchr(b'\n', &file[end..]).map_or(file.len(), |length| end + length + 1);
            range = Some(range.map_or(line_start, |known: Range<usize>| known.start)..line_end);
            at += line.len();
        }
        let (prefix, range) = (prefix?, range?);
        let end: &[u8] = if file[range.clone()].ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        let mut lines = Vec::new();
        for line in new.split_inclusive(|byte| *byte == b'\n') {
            let content = line.strip_suffix(b"\n").unwrap_or(line);
            lines.extend_from_slice(if content.is_empty() { prefix.trim_ascii_end() } else { prefix });
            lines.extend_from_slice(content);
            lines.extend_from_slice(end);
        }
        Some((range, lines))
    }
}

/// Returns the blocks of a file, in their order. Bytes that are not UTF-8 do not keep blocks from being found.
pub fn blocks(file: &[u8]) -> Vec<Block> {
    let head = if file.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let file = &file[head..];
    let text = same_length(file);
    let mut cursor = Cursor { file, head: head as u64, at: 0, origin: Origin { offset: head as u64, ..Origin::START } };
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (event, range) in Parser::new_ext(&text, Options::empty()).into_offset_iter() {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))), _) => {
                // The place of an empty block is its opening fence.
                let origin = cursor.origin(range.start);
                let line = file[range.start..].split(|byte| *byte == b'\n').next().unwrap_or_default();
                let opening = (origin, line.trim_ascii_end().to_vec());
                let segments = vec![Segment { at: 0, origin }];
                open = Some(Block { info: info.into_string(), text: Vec::new(), opening, segments });
            }
            (Event::Text(piece), Some(block)) => {
                // Text that is not in the file, such as a part of a tab, has a place only for its beginning.
                let is_there = text.get(range.clone()) == Some(&*piece);
                block.add(&mut cursor, &range, if is_there { &file[range.clone()] } else { piece.as_bytes() });
            }
            (Event::End(TagEnd::CodeBlock), _) => blocks.extend(open.take()),
            _ => {}
        }
    }
    blocks
}

impl Block {
    fn add(&mut self, cursor: &mut Cursor<'_>, range: &Range<usize>, piece: &[u8]) {
        let mut at = range.start;
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            let begins = self.text.last().is_none_or(|last| *last == b'\n');
            // An empty line begins at its line end, from which the parser drops the carriage return.
            let left_out = begins && line == b"\n" && cursor.file[..at].ends_with(b"\r");
            let segment =
                Segment { at: self.text.len(), origin: cursor.origin(at.min(range.end) - usize::from(left_out)) };
            if self.text.is_empty() {
                self.segments.clear();
            }
            self.segments.push(segment);
            self.text.extend_from_slice(line);
            at += line.len();
        }
    }
}

/// Returns the bytes as text of the same length, with `?` for each byte that is not UTF-8, so that the parser's offsets
/// are those of the file.
fn same_length(file: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(file) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(file.len());
    for chunk in file.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Cow::Owned(text)
}

/// Converts offsets to places, counting lines and columns from the previous one.
struct Cursor<'f> {
    file: &'f [u8],
    /// Number of bytes before `file`.
    head: u64,
    at: usize,
    origin: Origin,
}

impl Cursor<'_> {
    fn origin(&mut self, at: usize) -> Origin {
        if at < self.at {
            (self.at, self.origin) = (0, Origin { offset: self.head, ..Origin::START });
        }
        self.origin = self.origin.after(&self.file[self.at..at]);
        self.at = at;
        self.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The language of a block, the line and column of each of its lines, and its text.
    type Found = (String, Vec<(u64, u64)>, String);

    fn found(file: &[u8]) -> Vec<Found> {
        let place = |segment: &Segment| (segment.origin.line, segment.origin.column);
        let shown = |block: Block| {
            let text = String::from_utf8_lossy(&block.text).into_owned();
            (block.language(), block.segments.iter().map(place).collect(), text)
        };
        blocks(file).into_iter().map(shown).collect()
    }

    #[test]
    fn blocks_are_found_wherever_they_stand() {
        let file = "é\n```JSON more\na\nb\n```\n> ~~~~ sse\n> é ```\n> ~~~\n> ~~~~\n- x\n\n  ```\n  c\n   d\n  ```\n";
        let expected = [
            ("json", vec![(3, 1), (4, 1)], "a\nb\n"),
            ("sse", vec![(7, 3), (8, 3)], "é ```\n~~~\n"),
            ("", vec![(13, 3), (14, 3)], "c\n d\n"),
        ];
        let expected = expected.map(|(language, lines, text)| (language.to_owned(), lines, text.to_owned()));
        assert_eq!(found(file.as_bytes()), expected);
        let file = "\u{FEFF}```json\r\na\r\n\r\nb";
        let expected = ("json".to_owned(), vec![(2, 1), (3, 1), (4, 1)], "a\n\nb".to_owned());
        let [(language, lines, text)] = &found(file.as_bytes())[..] else { panic!("one block") };
        assert_eq!((language, text), (&expected.0, &expected.2));
        // A line end may be a segment of its own.
        assert!(expected.1.iter().all(|line| lines.contains(line)), "{lines:?}");
    }

    #[test]
    fn places_are_those_of_the_file() {
        let file = b"\xFF\n> ```json\r\n> \xC3\xA9x\r\n> abc\r\n> ```\r\n";
        let block = blocks(file).remove(0);
        assert_eq!(block.text, "éx\nabc\n".as_bytes());
        let at = block.text.iter().position(|byte| *byte == b'b').expect("there") as u64;
        let mut place = Place::new(2, 2, at..at + 2);
        place.excerpt.column = 1;
        block.shift(&mut place);
        let there = file.iter().position(|byte| *byte == b'b').expect("there") as u64;
        assert_eq!((place.line, place.column, place.start, place.end), (4, 4, there, there + 2));
        assert_eq!(place.excerpt.column, 3);
    }

    #[test]
    fn a_word_behind_the_fence_has_its_place() {
        let block = blocks("é\n> ~~~json  é a=b\r\n> {}\r\n> ~~~\r\n".as_bytes()).remove(0);
        let place = block.place_of("a=b");
        assert_eq!((place.line, place.column, place.end - place.start), (2, 14, 3));
        let fence = block.place_of("c");
        assert_eq!((fence.line, fence.column, &*fence.excerpt.text), (2, 3, "~~~json  é a=b"));
    }

    #[test]
    fn an_empty_block_stands_at_its_fence() {
        let block = blocks(b"a\n\n```json\n```\n").remove(0);
        let mut place = Place::of_file();
        block.shift(&mut place);
        assert_eq!((block.text.len(), place.line, place.column), (0, 3, 1));
    }
}
