//! A frame: one candidate for an event, and where each of its bytes stands in the file.

use std::cell::OnceCell;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::bytes::{characters, lossy};
use crate::finding::{Excerpt, Place};

/// How many characters of an event are kept for findings that later refer to it.
pub(crate) const REMEMBERED_CHARS: usize = 200;
/// Bytes that hold as many characters, whatever they are.
const REMEMBERED_BYTES: usize = 4 * REMEMBERED_CHARS;
/// How far the landmarks of a frame are apart, in bytes.
const LANDMARK_BYTES: usize = 4096;
/// How much of a long line is kept before and after what a finding marks, in bytes.
const WINDOW_BEFORE: usize = 120;
const WINDOW_AFTER: usize = 240;
/// In bytes of UTF-8.
const LONGEST_CHARACTER: usize = 4;

/// Where a byte stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// 0-based, in the decompressed file.
    pub offset: u64,
    /// 1-based.
    pub line: u64,
    /// 1-based, in characters.
    pub column: u64,
}

impl Origin {
    /// The start of a file.
    pub const START: Origin = Origin { offset: 0, line: 1, column: 1 };

    /// The place of nothing but this byte's start, without text around it.
    pub fn place(self) -> Place {
        let Origin { offset, line, column } = self;
        Place::new(line, column, offset..offset)
    }

    /// The start of the next line, if this is the start of one of so many bytes, its end among them.
    #[inline]
    pub fn next_line(self, bytes: usize) -> Origin {
        Origin { offset: self.offset + bytes as u64, line: self.line + 1, column: 1 }
    }

    /// The place behind `bytes`, if they start here. Bytes that are no UTF-8 count as far as they look
    /// like characters.
    pub fn after(self, bytes: &[u8]) -> Origin {
        let offset = self.offset + bytes.len() as u64;
        match memchr::memrchr(b'\n', bytes) {
            None => Origin { offset, column: self.column + characters(bytes), ..self },
            Some(last) => {
                let line = self.line + memchr::memchr_iter(b'\n', &bytes[..=last]).count() as u64;
                Origin { offset, line, column: 1 + characters(&bytes[last + 1..]) }
            }
        }
    }
}

/// A piece of a frame that stands in the file as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it starts in the frame's text.
    pub at: usize,
    /// Where it starts in the file.
    pub origin: Origin,
}

/// Where every so many bytes of a frame stand, for those who ask for many places of one: without, each would be counted
/// from the frame's start. They are found when a place behind the first is asked for.
#[derive(Debug, Default)]
pub struct Landmarks(OnceCell<Vec<Origin>>);

/// One candidate for an event: JSON text, not yet read.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The text, which may have been put together from several lines (server-sent events).
    pub text: &'a [u8],
    /// Where it comes from: never empty, the first segment at 0.
    pub segments: &'a [Segment],
    /// Whether the input went on after it, at least with a line end.
    pub terminated: bool,
    /// Whether the text is known to be valid UTF-8; it may be all the same if this is false.
    pub utf8: bool,
    /// The caller's row, if the frame is no part of a file.
    pub row: Option<u64>,
}

/// A value in a frame, which is judged like a frame of its own.
pub struct Part<'a> {
    pub text: &'a [u8],
    segment: [Segment; 1],
    row: Option<u64>,
}

impl Part<'_> {
    pub fn frame(&self) -> Frame<'_> {
        Frame { text: self.text, segments: &self.segment, terminated: true, utf8: true, row: self.row }
    }
}

impl Frame<'_> {
    /// A value of the frame, which is known to be valid UTF-8 and stands in the file as it is, from `origin` on.
    pub fn part(&self, span: &Range<usize>, origin: Origin) -> Part<'_> {
        Part { text: &self.text[span.clone()], segment: [Segment { at: 0, origin }], row: self.row }
    }

    fn segment(&self, at: usize) -> (Segment, &[u8]) {
        let after = self.segments.partition_point(|segment| segment.at <= at).max(1);
        let segment = self.segments[after - 1];
        let end = self.segments.get(after).map_or(self.text.len(), |next| next.at);
        (segment, &self.text[segment.at..end])
    }

    /// Where a byte of the text stands in the file.
    #[inline]
    pub fn origin(&self, at: usize) -> Origin {
        if at == 0 {
            return self.segments[0].origin;
        }
        let (segment, _) = self.segment(at);
        segment.origin.after(&self.text[segment.at..at])
    }

    /// The same, counted from the landmark before it.
    fn origin_by(&self, at: usize, landmarks: &Landmarks) -> Origin {
        let number = at / LANDMARK_BYTES;
        if number == 0 {
            return self.origin(at);
        }
        let origins = landmarks.0.get_or_init(|| {
            let mut origins = vec![self.origin(0)];
            for at in (LANDMARK_BYTES..=self.text.len()).step_by(LANDMARK_BYTES) {
                origins.push(self.origin_from(at - LANDMARK_BYTES, origins[origins.len() - 1], at));
            }
            origins
        });
        origins
            .get(number)
            .map_or_else(|| self.origin(at), |known| self.origin_from(number * LANDMARK_BYTES, *known, at))
    }

    /// Where a byte stands, from where one before it does.
    fn origin_from(&self, before: usize, known: Origin, at: usize) -> Origin {
        let (segment, _) = self.segment(at);
        if segment.at > before {
            segment.origin.after(&self.text[segment.at..at])
        } else {
            known.after(&self.text[before..at])
        }
    }

    /// A range of the text as a place in the file, with the line around it.
    pub fn place(&self, span: Range<usize>, event: Option<u64>) -> Place {
        let place = self.bare_place(span.clone(), event);
        Place { excerpt: self.excerpt(span, place.column), ..place }
    }

    /// The same, with or without the line, for those who ask for many.
    pub fn place_by(&self, span: Range<usize>, event: Option<u64>, excerpt: bool, landmarks: &Landmarks) -> Place {
        let origin = self.origin_by(span.start, landmarks);
        let end = self.end(origin, &span, |at| self.origin_by(at, landmarks));
        let excerpt = if excerpt { self.excerpt(span, origin.column) } else { Excerpt::default() };
        Place { excerpt, end, event, row: self.row, ..origin.place() }
    }

    /// The same without the line around it.
    pub fn bare_place(&self, span: Range<usize>, event: Option<u64>) -> Place {
        let origin = self.origin(span.start);
        let end = self.end(origin, &span, |at| self.origin(at));
        Place { end, event, row: self.row, ..origin.place() }
    }

    /// Takes note of where an event stands, for findings that may refer to it later.
    #[inline]
    pub fn note(&self, span: &Range<usize>, event: Option<u64>, noted: &mut Noted) {
        noted.origin = self.origin(span.start);
        noted.end = self.end(noted.origin, span, |at| self.origin(at));
        noted.event = event;
        noted.row = self.row;
    }

    /// Takes note of how an event begins; `mark` is the part of it to point at. Nothing is allocated once `noted` has
    /// been used.
    #[inline]
    pub fn note_text(&self, span: &Range<usize>, mark: &Range<usize>, noted: &mut Noted) {
        noted.head.clear();
        noted.head.extend_from_slice(&self.text[span.start..span.end.min(span.start + REMEMBERED_BYTES)]);
        noted.mark = mark.start - span.start..mark.end - span.start;
        noted.whole = span.len() <= REMEMBERED_BYTES;
    }

    /// The place of an event, as it is remembered for findings that may refer to it later.
    pub fn remembered(&self, span: Range<usize>, mark: Range<usize>, event: Option<u64>) -> Place {
        let place = self.bare_place(span.clone(), event);
        let head = &self.text[span.start..span.end.min(span.start + REMEMBERED_BYTES)];
        let mark = mark.start - span.start..mark.end - span.start;
        Place { excerpt: beginning(head, span.len() <= REMEMBERED_BYTES, place.column, mark), ..place }
    }

    /// The byte of the file behind a range that starts at `origin`; `origin_of` says where another byte stands.
    #[inline]
    fn end(&self, origin: Origin, span: &Range<usize>, origin_of: impl Fn(usize) -> Origin) -> u64 {
        if self.segments.len() == 1 || span.is_empty() {
            origin.offset + span.len() as u64
        } else {
            origin_of(span.end - 1).offset + 1
        }
    }

    /// The line around a range that starts in this column. A line may be long: it is not looked at further than it is shown.
    fn excerpt(&self, span: Range<usize>, column: u64) -> Excerpt {
        let (segment, text) = self.segment(span.start);
        let from = span.start - segment.at;
        let first = from.saturating_sub(WINDOW_BEFORE + LONGEST_CHARACTER);
        let last = (from + WINDOW_AFTER + LONGEST_CHARACTER).min(text.len());
        let line_start = memchr::memrchr(b'\n', &text[first..from]).map_or(first, |at| first + at + 1);
        let line_end = memchr::memchr(b'\n', &text[from..last]).map_or(last, |at| from + at);
        let line = &text[line_start..line_end];
        let column = column - characters(&text[line_start..from]);
        let mark_end = (span.end - segment.at).min(line_end) - line_start;
        window(line, column, from - line_start..mark_end)
    }
}

/// An event that a finding may refer to later, noted without much ado.
///
/// Written down for later (serialised) it is without the event's text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Noted {
    origin: Origin,
    end: u64,
    event: Option<u64>,
    row: Option<u64>,
    #[serde(skip)]
    head: Vec<u8>,
    #[serde(skip)]
    mark: Range<usize>,
    #[serde(skip)]
    whole: bool,
}

impl Default for Noted {
    fn default() -> Self {
        Noted { origin: Origin::START, end: 0, event: None, row: None, head: Vec::new(), mark: 0..0, whole: false }
    }
}

impl Noted {
    /// Its place, with all of it marked.
    pub fn whole(&self) -> Place {
        let mut place = self.place();
        place.excerpt.mark = 0..place.excerpt.text.len();
        place
    }

    /// Its place, with its first line as far as that was noted.
    pub fn place(&self) -> Place {
        let excerpt = beginning(&self.head, self.whole, self.origin.column, self.mark.clone());
        Place { end: self.end, event: self.event, row: self.row, excerpt, ..self.origin.place() }
    }
}

/// The first line of an event as it is remembered. `whole`: whether the event goes no further than `head`.
fn beginning(head: &[u8], whole: bool, column: u64, mark: Range<usize>) -> Excerpt {
    let line = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
    let kept = first_characters(line, REMEMBERED_CHARS);
    Excerpt {
        text: lossy(kept).into_owned(),
        column,
        mark: if mark.end <= kept.len() { mark } else { 0..kept.len() },
        cut_before: column > 1,
        cut_after: !whole || kept.len() < line.len(),
    }
}

/// Cuts a long line around what is marked in it.
pub fn window(line: &[u8], column: u64, mark: Range<usize>) -> Excerpt {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mark = mark.start.min(line.len())..mark.end.min(line.len());
    let start = boundary(line, mark.start.saturating_sub(WINDOW_BEFORE));
    // Bytes that are no UTF-8 may look like the middle of a character that began before the mark.
    let end = boundary(line, (mark.start + WINDOW_AFTER).min(line.len())).max(mark.start);
    let before = lossy(&line[start..mark.start]);
    let marked = lossy(&line[mark.start..mark.end.clamp(mark.start, end)]);
    let after = lossy(&line[mark.end.clamp(mark.start, end)..end]);
    Excerpt {
        mark: before.len()..before.len() + marked.len(),
        text: [before, marked, after].concat(),
        column: column + characters(&line[..start]),
        cut_before: start > 0,
        cut_after: end < line.len(),
    }
}

/// The start of the character that holds the byte at `at`.
fn boundary(line: &[u8], at: usize) -> usize {
    let mut at = at;
    while at > 0 && at < line.len() && line[at] & 0xC0 == 0x80 {
        at -= 1;
    }
    at
}

fn first_characters(line: &[u8], count: usize) -> &[u8] {
    let head = &line[..line.len().min(count)];
    if head.len() == line.len() || head.is_ascii() {
        return head;
    }
    let mut seen = 0;
    for (at, byte) in line.iter().enumerate() {
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
    fn columns_count_characters_and_offsets_count_bytes() {
        let segments = [Segment { at: 0, origin: Origin { offset: 100, line: 7, column: 3 } }];
        let frame = Frame { text: "éa\nöx".as_bytes(), segments: &segments, terminated: true, utf8: true, row: None };
        assert_eq!(frame.origin(2), Origin { offset: 102, line: 7, column: 4 });
        assert_eq!(frame.origin(6), Origin { offset: 106, line: 8, column: 2 });
    }

    #[test]
    fn text_of_several_lines_is_found_in_its_own_lines() {
        // `data: {` and `data:  "x"`: the second segment starts behind "data: ".
        let segments = [
            Segment { at: 0, origin: Origin { offset: 6, line: 1, column: 7 } },
            Segment { at: 2, origin: Origin { offset: 14, line: 2, column: 7 } },
        ];
        let frame = Frame { text: b"{\n \"x\"", segments: &segments, terminated: true, utf8: true, row: None };
        let place = frame.place(3..6, Some(0));
        assert_eq!((place.line, place.column, place.start, place.end), (2, 8, 15, 18));
        assert_eq!(place.excerpt.text, " \"x\"");
        assert_eq!(place.excerpt.mark, 1..4);
    }

    #[test]
    fn landmarks_change_no_place() {
        let long = |character: &str| character.repeat(3 * LANDMARK_BYTES / character.len());
        let text = [long("é"), "\n".to_owned(), long("a"), "\n".to_owned(), long("🙂")].concat();
        let start = Origin { offset: 6, line: 1, column: 7 };
        // The third line is a segment of its own, such as a `data:` line is.
        let third = text.rfind('\n').expect("there are three lines") + 1;
        let segment = Segment { at: third, origin: Origin { offset: 30_000, line: 3, column: 7 } };
        for segments in [vec![Segment { at: 0, origin: start }], vec![Segment { at: 0, origin: start }, segment]] {
            let frame = Frame { text: text.as_bytes(), segments: &segments, terminated: true, utf8: true, row: None };
            let landmarks = Landmarks::default();
            for at in (0..text.len()).step_by(97).chain([third - 1, third, text.len() - 1]) {
                assert_eq!(frame.origin_by(at, &landmarks), frame.origin(at), "{at}");
            }
        }
    }

    #[test]
    fn a_line_is_cut_where_it_goes_on_and_nowhere_else() {
        for (before, after) in [(0, 0), (120, 239), (121, 240), (124, 243), (125, 244), (5000, 5000)] {
            let text = format!("first\n{}X{}\nlast", "b".repeat(before), "a".repeat(after));
            let segments = [Segment { at: 0, origin: Origin::START }];
            let frame = Frame { text: text.as_bytes(), segments: &segments, terminated: true, utf8: true, row: None };
            let excerpt = frame.place(6 + before..7 + before, None).excerpt;
            assert_eq!(&excerpt.text[excerpt.mark.clone()], "X");
            assert_eq!(excerpt.column as usize, 1 + before.saturating_sub(WINDOW_BEFORE));
            assert_eq!((excerpt.cut_before, excerpt.cut_after), (before > WINDOW_BEFORE, after + 1 > WINDOW_AFTER));
        }
    }

    #[test]
    fn bytes_that_are_no_characters_are_shown_too() {
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
