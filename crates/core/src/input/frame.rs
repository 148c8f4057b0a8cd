//! Frames: each is one candidate for an event, and knows where each of its bytes is in the file.

use std::cell::OnceCell;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::MOST_BYTES;
use super::encoding::utf16_length;
use super::excerpt::{LONGEST_CHARACTER, REMEMBERED_BYTES, WINDOW_AFTER, WINDOW_BEFORE, beginning, window};
use crate::bytes::count_characters;
use crate::finding::{Excerpt, Place};

/// The distance between the landmarks of a frame, in bytes.
const LANDMARK_BYTES: usize = 4096;

/// The position of a byte in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The byte offset, 0-based, in the decompressed file.
    pub offset: u64,
    /// The line, 1-based.
    pub line: u64,
    /// The column, 1-based, in characters.
    pub column: u64,
}

impl Origin {
    /// The start of a file.
    pub const START: Origin = Origin { offset: 0, line: 1, column: 1 };

    /// Returns whether a byte of a real input can have this origin.
    pub(crate) fn is_sound(self) -> bool {
        [self.offset, self.line, self.column].iter().all(|number| *number < MOST_BYTES)
            && self.line.min(self.column) > 0
    }

    /// Returns the empty place at the start of this byte, without an excerpt.
    pub fn place(self) -> Place {
        let Origin { offset, line, column } = self;
        Place::new(line, column, offset..offset)
    }

    /// Returns the start of the next line, if a line of this many bytes starts here; its line end counts.
    #[inline]
    pub fn next_line(self, bytes: usize) -> Origin {
        Origin { offset: self.offset + bytes as u64, line: self.line + 1, column: 1 }
    }

    /// Returns the origin behind `text`, which starts here in the file as UTF-16 if `wide`, or else as it is.
    #[inline]
    pub(super) fn behind(self, text: &[u8], wide: bool) -> Origin {
        let after = self.after(text);
        if wide { Origin { offset: self.offset + utf16_length(text), ..after } } else { after }
    }

    /// Returns the origin behind `bytes`, if they start here. Invalid UTF-8 counts by the bytes that look like the
    /// start of a character.
    pub fn after(self, bytes: &[u8]) -> Origin {
        let offset = self.offset + bytes.len() as u64;
        match memchr::memrchr(b'\n', bytes) {
            None => Origin { offset, column: self.column + count_characters(bytes), ..self },
            Some(last) => {
                let line = self.line + memchr::memchr_iter(b'\n', &bytes[..=last]).count() as u64;
                Origin { offset, line, column: 1 + count_characters(&bytes[last + 1..]) }
            }
        }
    }
}

/// A part of a frame's text that is in the file unchanged and in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The byte offset of the part in the frame's text.
    pub at: usize,
    /// The origin of the part in the file.
    pub origin: Origin,
}

/// The origins of every 4096th byte of a frame, for callers that look up many places in one frame: without them, each
/// lookup would count from the start of the frame. They are computed on the first lookup behind 4096 bytes.
#[derive(Debug, Default)]
pub struct Landmarks(OnceCell<Vec<Origin>>);

/// One candidate for an event: a JSON text that has not been parsed yet.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The text. For server-sent events it may be put together from several lines.
    pub text: &'a [u8],
    /// The segments of the text, in its order; at least one, and the first is at 0.
    pub segments: &'a [Segment],
    /// Whether anything followed the text in the input, if only a line end.
    pub terminated: bool,
    /// Whether the text is known to be valid UTF-8. If `false`, it may still be valid.
    pub utf8: bool,
    /// The caller's row for the frame, if it is not a part of a file.
    pub row: Option<u64>,
    /// Whether the file has the text as UTF-16.
    pub wide: bool,
    /// Whether the text is the content of a string in the file, with its escapes decoded.
    pub decoded: bool,
    /// Whether it is the data of a server-sent event.
    pub server_sent: bool,
    /// The name that the `event` field of a server-sent event gives; `None` if there is no such field.
    pub label: Option<&'a Label>,
}

/// The name in the `event` field of a server-sent event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Label {
    /// The name.
    pub name: Vec<u8>,
    /// The origin of the name in the file.
    pub origin: Origin,
}

impl<'a> Frame<'a> {
    /// Returns a frame whose text is terminated, stands in the file as it is, and may be invalid UTF-8.
    pub fn new(text: &'a [u8], segments: &'a [Segment]) -> Frame<'a> {
        Frame {
            text,
            segments,
            terminated: true,
            utf8: false,
            row: None,
            wide: false,
            decoded: false,
            server_sent: false,
            label: None,
        }
    }
}

impl Frame<'_> {
    /// Returns the segment that has the byte at `at`, and the segment's text.
    fn segment(&self, at: usize) -> (Segment, &[u8]) {
        let after = self.segments.partition_point(|segment| segment.at <= at).max(1);
        let segment = self.segments[after - 1];
        let end = self.segments.get(after).map_or(self.text.len(), |next| next.at);
        (segment, &self.text[segment.at..end])
    }

    /// Returns the origin of a byte of the text. Takes time linear in the byte's distance from the start of its
    /// segment.
    #[inline]
    pub fn origin(&self, at: usize) -> Origin {
        if at == 0 { self.segments[0].origin } else { self.origin_inside(at) }
    }

    /// Returns the origin of a byte that is not the first.
    fn origin_inside(&self, at: usize) -> Origin {
        let (segment, _) = self.segment(at);
        segment.origin.behind(&self.text[segment.at..at], self.wide)
    }

    /// Returns the origin of a byte, counted from the landmark before it.
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

    /// Returns the origin of the byte at `at`, counted from `known`, the origin of an earlier byte at `before`.
    pub(super) fn origin_from(&self, before: usize, known: Origin, at: usize) -> Origin {
        let (segment, _) = self.segment(at);
        if segment.at > before {
            segment.origin.behind(&self.text[segment.at..at], self.wide)
        } else {
            known.behind(&self.text[before..at], self.wide)
        }
    }

    /// Returns the place in the file of a range of the text, with an excerpt. `event` is the number of the event.
    pub fn place(&self, span: Range<usize>, event: Option<u64>) -> Place {
        let place = self.bare_place(span.clone(), event);
        Place { excerpt: self.excerpt(span, place.column), ..place }
    }

    /// Returns the place like [`Frame::place`], with or without an excerpt. Faster for many places in one frame, which
    /// share the `landmarks`.
    pub fn place_by(&self, span: Range<usize>, event: Option<u64>, excerpt: bool, landmarks: &Landmarks) -> Place {
        let origin = self.origin_by(span.start, landmarks);
        let end = self.end(origin, &span, |at| self.origin_by(at, landmarks));
        let excerpt = if excerpt { self.excerpt(span, origin.column) } else { Excerpt::default() };
        Place { excerpt, end, event, row: self.row, ..origin.place() }
    }

    /// Returns the place like [`Frame::place`], without an excerpt.
    pub fn bare_place(&self, span: Range<usize>, event: Option<u64>) -> Place {
        let origin = self.origin(span.start);
        let end = self.end(origin, &span, |at| self.origin(at));
        Place { end, event, row: self.row, ..origin.place() }
    }

    /// Notes the place of an event for later findings that refer to it, and with `excerpts` its beginning; `mark` is the
    /// part of the event to point at. Allocates only on the first use of `noted`.
    pub fn note_event(
        &self,
        span: &Range<usize>,
        mark: &Range<usize>,
        event: Option<u64>,
        excerpts: bool,
        noted: &mut EventNote,
    ) {
        noted.origin = self.origin(span.start);
        noted.end = self.end(noted.origin, span, |at| self.origin(at));
        noted.event = event;
        noted.row = self.row;
        noted.mark = mark.start - span.start..mark.end - span.start;
        noted.lacks_text = false;
        if excerpts {
            noted.keep(self.head(span), span.len());
        }
    }

    /// Returns the beginning of an event, as far as it is kept and in the file in one piece.
    fn head(&self, span: &Range<usize>) -> &[u8] {
        let end = span.end.min(span.start + REMEMBERED_BYTES);
        // The segments of a decoded text are as short as the distance between two escapes.
        let (segment, text) = if self.decoded { (self.segments[0], self.text) } else { self.segment(span.start) };
        &self.text[span.start..end.min(segment.at + text.len())]
    }

    /// Returns the place of an event with an excerpt from its beginning, for later findings that refer to the event.
    /// `mark` is the part of the event to point at.
    pub fn remembered(&self, span: Range<usize>, mark: Range<usize>, event: Option<u64>) -> Place {
        let place = self.bare_place(span.clone(), event);
        let head = self.head(&span);
        let mark = mark.start - span.start..mark.end - span.start;
        Place { excerpt: beginning(head, head.len() == span.len(), place.column, mark), ..place }
    }

    /// Returns the byte offset in the file behind a range that starts at `origin`. `origin_of` looks up the origins of
    /// other bytes.
    #[inline]
    fn end(&self, origin: Origin, span: &Range<usize>, origin_of: impl Fn(usize) -> Origin) -> u64 {
        if self.segments.len() == 1 && !self.wide {
            origin.offset + span.len() as u64
        } else if self.wide {
            self.wide_end(origin, span, origin_of)
        } else if span.is_empty() {
            origin.offset
        } else {
            origin_of(span.end - 1).offset + 1
        }
    }

    /// Returns the same for a text that the file has as UTF-16.
    #[cold]
    fn wide_end(&self, origin: Origin, span: &Range<usize>, origin_of: impl Fn(usize) -> Origin) -> u64 {
        let (segment, _) = self.segment(span.end.max(span.start + 1) - 1);
        let (from, start) =
            if segment.at > span.start { (segment.at, origin_of(segment.at)) } else { (span.start, origin) };
        start.behind(&self.text[from..span.end], true).offset
    }

    /// Returns an excerpt around a range that starts in `column`. As a line may be long, only the bytes of the excerpt
    /// are examined.
    fn excerpt(&self, span: Range<usize>, column: u64) -> Excerpt {
        let (start, text) = match self.decoded {
            true => (0, self.text),
            false => {
                let (segment, text) = self.segment(span.start);
                (segment.at, text)
            }
        };
        let from = span.start - start;
        let first = from.saturating_sub(WINDOW_BEFORE + LONGEST_CHARACTER);
        let last = (from + WINDOW_AFTER + LONGEST_CHARACTER).min(text.len());
        let line_start = memchr::memrchr(b'\n', &text[first..from]).map_or(first, |at| first + at + 1);
        let line_end = memchr::memchr(b'\n', &text[from..last]).map_or(last, |at| from + at);
        let line = &text[line_start..line_end];
        let column = column.saturating_sub(count_characters(&text[line_start..from]));
        let mark_end = (span.end - start).min(line_end) - line_start;
        window(line, column, from - line_start..mark_end)
    }
}

/// A note of an event's place and beginning, for later findings that refer to the event. It is taken for nearly every
/// event and needed for few, so it is cheap to take, and turned into a [`Place`] on demand.
///
/// The serialised form has no text of the event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventNote {
    /// The origin of the event's first byte.
    origin: Origin,
    /// The byte offset in the file behind the event.
    end: u64,
    /// The number of the event.
    event: Option<u64>,
    /// The caller's row for the event, if it is not a part of a file.
    row: Option<u64>,
    /// The start of the event's text.
    #[serde(skip)]
    head: Vec<u8>,
    /// The byte range of the event's text to point at.
    #[serde(skip)]
    mark: Range<usize>,
    /// Whether `head` is all of the event's text.
    #[serde(skip)]
    whole: bool,
    /// Whether the event's text is still to be added.
    #[serde(skip)]
    lacks_text: bool,
}

/// The place of an event that stands in the file in one piece, as it is.
#[derive(Clone, Debug)]
pub struct EventAt {
    /// The origin of the event's first byte.
    pub origin: Origin,
    /// The length of the event, in bytes.
    pub length: usize,
    /// The byte range of the event's text to point at.
    pub mark: Range<usize>,
    /// The number of the event.
    pub number: u64,
    /// The caller's row for the event, if it is not a part of a file.
    pub row: Option<u64>,
}

impl Default for EventNote {
    fn default() -> Self {
        EventNote {
            origin: Origin::START,
            end: 0,
            event: None,
            row: None,
            head: Vec::new(),
            mark: 0..0,
            whole: false,
            lacks_text: false,
        }
    }
}

impl EventNote {
    /// Returns whether an event of a real input can have been noted like this.
    pub(crate) fn is_sound(&self) -> bool {
        self.origin.is_sound() && (self.origin.offset..MOST_BYTES).contains(&self.end)
    }

    /// Notes an event, and with `excerpts` that its beginning is lacking, which [`EventNote::add_text`] adds: only that of
    /// the last event of many is needed. Returns whether the note lacks it now and did not before.
    #[inline(always)]
    pub fn place_at(&mut self, at: EventAt, excerpts: bool) -> bool {
        let EventAt { origin, length, mark, number, row } = at;
        self.origin = origin;
        self.end = origin.offset + length as u64;
        (self.event, self.row, self.mark) = (Some(number), row, mark);
        !std::mem::replace(&mut self.lacks_text, excerpts) && excerpts
    }

    /// Adds the beginning of the event, if that is lacking. `text` is a part of the file that has it, from the byte at
    /// `offset` on.
    pub(crate) fn add_text(&mut self, text: &[u8], offset: u64) {
        if std::mem::take(&mut self.lacks_text) {
            let start = (self.origin.offset - offset) as usize;
            let length = (self.end - self.origin.offset) as usize;
            self.keep(text.get(start..start + length.min(REMEMBERED_BYTES)).unwrap_or_default(), length);
        }
    }

    /// Keeps the beginning of an event of this length.
    fn keep(&mut self, head: &[u8], length: usize) {
        self.head.clear();
        self.head.extend_from_slice(head);
        self.whole = head.len() == length;
    }

    /// Returns the note without the event's text.
    pub(crate) fn without_text(&self) -> EventNote {
        let EventNote { origin, end, event, row, .. } = *self;
        EventNote { origin, end, event, row, ..EventNote::default() }
    }

    /// Returns the place of the event, with the whole excerpt marked.
    pub fn whole(&self) -> Place {
        let mut place = self.place();
        place.excerpt.mark = 0..place.excerpt.text.len();
        place
    }

    /// Returns the place of the event, with an excerpt from its first line.
    pub fn place(&self) -> Place {
        let excerpt = beginning(&self.head, self.whole, self.origin.column, self.mark.clone());
        Place { end: self.end, event: self.event, row: self.row, excerpt, ..self.origin.place() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_offsets_count_bytes() {
        let segments = [Segment { at: 0, origin: Origin { offset: 100, line: 7, column: 3 } }];
        let frame = Frame::new("éa\nöx".as_bytes(), &segments);
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
        let frame = Frame::new(b"{\n \"x\"", &segments);
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
        // The third line is a segment of its own, as a `data:` line is.
        let third = text.rfind('\n').expect("there are three lines") + 1;
        let segment = Segment { at: third, origin: Origin { offset: 30_000, line: 3, column: 7 } };
        for segments in [vec![Segment { at: 0, origin: start }], vec![Segment { at: 0, origin: start }, segment]] {
            let frame = Frame::new(text.as_bytes(), &segments);
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
            let frame = Frame::new(text.as_bytes(), &segments);
            let excerpt = frame.place(6 + before..7 + before, None).excerpt;
            assert_eq!(&excerpt.text[excerpt.mark.clone()], "X");
            assert_eq!(excerpt.column as usize, 1 + before.saturating_sub(WINDOW_BEFORE));
            assert_eq!((excerpt.cut_before, excerpt.cut_after), (before > WINDOW_BEFORE, after + 1 > WINDOW_AFTER));
        }
    }
}
