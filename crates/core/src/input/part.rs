//! Parts of frames that are judged like frames of their own.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::escapes::between_escapes;
use super::json::unescape_one;
use super::{Frame, Label, Origin, Segment};

/// A value in a frame that is judged like a frame of its own.
pub(crate) struct Subframe<'a> {
    /// The JSON text of the value.
    pub text: &'a [u8],
    segment: [Segment; 1],
    row: Option<u64>,
    wide: bool,
}

impl Subframe<'_> {
    /// Returns the value as a frame.
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame { utf8: true, row: self.row, wide: self.wide, ..Frame::new(self.text, &self.segment) }
    }
}

/// A part of a frame's text that is judged like a frame of its own.
pub(crate) struct Part<'a> {
    text: &'a [u8],
    segments: Vec<Segment>,
    whole: Frame<'a>,
}

impl Part<'_> {
    /// Returns the part as a frame.
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame { text: self.text, segments: &self.segments, terminated: true, ..self.whole }
    }
}

/// The text of a frame without some of its bytes, or the content of one of its strings, judged in the frame's place.
pub(crate) struct Stripped<'a> {
    text: Vec<u8>,
    segments: Vec<Segment>,
    whole: Frame<'a>,
}

impl Stripped<'_> {
    /// Returns the text as a frame.
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame { text: &self.text, segments: &self.segments, utf8: false, ..self.whole }
    }
}

/// A copy of a frame, for later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HeldFrame {
    text: Vec<u8>,
    segments: Vec<Segment>,
    utf8: bool,
    row: Option<u64>,
    wide: bool,
    label: Option<Label>,
}

impl HeldFrame {
    /// Returns the length of the text, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// Returns whether a frame of a real input can be held like this.
    pub(crate) fn is_sound(&self) -> bool {
        let segments = &self.segments;
        segments.first().is_some_and(|first| first.at == 0)
            && segments.is_sorted_by_key(|segment| segment.at)
            && segments.iter().all(|segment| segment.at <= self.text.len() && segment.origin.is_sound())
            && self.label.as_ref().is_none_or(|label| label.origin.is_sound())
            && (!self.utf8 || std::str::from_utf8(&self.text).is_ok())
    }

    /// Returns the frame.
    pub(crate) fn frame(&self) -> Frame<'_> {
        let HeldFrame { text, segments, utf8, row, wide, label } = self;
        Frame { utf8: *utf8, row: *row, wide: *wide, label: label.as_ref(), ..Frame::new(text, segments) }
    }
}

impl<'a> Frame<'a> {
    /// Returns the value at `span` as a subframe. It must be valid UTF-8 and in the file in one piece, from `origin`
    /// on.
    pub(crate) fn subframe(&self, span: &Range<usize>, origin: Origin) -> Subframe<'_> {
        let segment = [Segment { at: 0, origin }];
        Subframe { text: &self.text[span.clone()], segment, row: self.row, wide: self.wide }
    }

    /// Returns a copy of the frame, which must not be a decoded one.
    pub(crate) fn held(&self) -> HeldFrame {
        let Frame { text, segments, utf8, row, wide, label, .. } = *self;
        HeldFrame { text: text.to_vec(), segments: segments.to_vec(), utf8, row, wide, label: label.cloned() }
    }

    /// Returns the content of the string at `span`, which has its quotation marks. Each of its bytes has the place of the
    /// character or escape that it stands for.
    #[cold]
    pub(crate) fn content(&self, span: &Range<usize>) -> Stripped<'a> {
        let start = span.start + 1;
        let raw = &self.text[start..span.end - 1];
        let (mut text, mut segments) = (Vec::with_capacity(raw.len()), Vec::new());
        let (mut known, mut origin) = (start, self.origin(start));
        let mut begin = |at: usize, from: usize| {
            origin = self.origin_from(known, origin, from);
            known = from;
            let segment = Segment { at, origin };
            match segments.last_mut() {
                Some(last @ Segment { .. }) if last.at == at => *last = segment,
                _ => segments.push(segment),
            }
        };
        begin(0, start);
        let mut at = 0;
        while let Some(plain) = memchr::memchr(b'\\', &raw[at..]) {
            text.extend_from_slice(&raw[at..at + plain]);
            at += plain;
            let begins = text.len();
            let length = unescape_one(raw, at, &mut text);
            // The character behind most backslashes is in the file as it is, and what follows joins on.
            let is_itself = length == 2 && text.last() == raw.get(at + 1);
            begin(begins, start + at + usize::from(is_itself));
            at += length;
            if !is_itself {
                begin(text.len(), start + at);
            }
        }
        text.extend_from_slice(&raw[at..]);
        Stripped { text, segments, whole: Frame { terminated: true, decoded: true, label: None, ..*self } }
    }

    /// Returns the text without the escape sequences of a terminal that stand outside of its strings; `None` if there
    /// are none, or there is nothing else.
    #[cold]
    pub(crate) fn without_escapes(&self) -> Option<Stripped<'a>> {
        let kept = between_escapes(self.text)?;
        let (mut text, mut segments) = (Vec::with_capacity(self.text.len()), Vec::new());
        let mut known = (0, self.origin(0));
        for span in kept {
            let part = self.part(span.clone(), known);
            known = (span.start, part.segments[0].origin);
            segments.extend(part.segments.iter().map(|one| Segment { at: text.len() + one.at, origin: one.origin }));
            text.extend_from_slice(&self.text[span]);
        }
        (!text.is_empty()).then_some(Stripped { text, segments, whole: *self })
    }

    /// Returns the part of the text at `span`, which must not be empty. `known`: a byte before it with its origin, from
    /// which the part's origin is counted.
    pub(crate) fn part(&self, span: Range<usize>, known: (usize, Origin)) -> Part<'a> {
        let inside = |segment: &&Segment| span.start < segment.at && segment.at < span.end;
        let first = Segment { at: 0, origin: self.origin_from(known.0, known.1, span.start) };
        let rest = self.segments.iter().filter(inside);
        let rest = rest.map(|segment| Segment { at: segment.at - span.start, origin: segment.origin });
        Part { text: &self.text[span.clone()], segments: std::iter::once(first).chain(rest).collect(), whole: *self }
    }
}
