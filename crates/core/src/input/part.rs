//! Parts of frames that are judged like frames of their own.

use std::ops::Range;

use super::escapes::between_escapes;
use super::{Frame, Origin, Segment};

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

/// The text of a frame without some of its bytes, judged in the frame's place.
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

impl<'a> Frame<'a> {
    /// Returns the value at `span` as a subframe. It must be valid UTF-8 and in the file in one piece, from `origin`
    /// on.
    pub(crate) fn subframe(&self, span: &Range<usize>, origin: Origin) -> Subframe<'_> {
        let segment = [Segment { at: 0, origin }];
        Subframe { text: &self.text[span.clone()], segment, row: self.row, wide: self.wide }
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
