//! Blocks of lines, examined ahead of their turn: what needs no state of any stream can be done by any thread.

use super::reader::{Judged, Reader};
use crate::input::lines::Lines;
use crate::input::{Frame, Origin, Piece, Recipient, Segment};
use crate::protocol::Protocol;
use crate::schema::captures::{Captured, Captures, Mark};

/// Examines blocks, again and again.
pub struct Examiner<'p> {
    reader: Reader<'p>,
    max_line_bytes: usize,
}

/// What the fast way found in a block of whole lines.
#[derive(Default)]
pub struct Examined {
    captures: Captures,
    frames: Vec<Found>,
    /// The place behind the block, from its start.
    end: Option<Origin>,
    /// Whether all of it is frames.
    sound: bool,
}

struct Found {
    /// Where the frame stands, from the start of the block.
    origin: Origin,
    length: u32,
    utf8: bool,
    judged: Option<Judged>,
    /// Where its captures start.
    mark: Mark,
}

impl<'p> Examiner<'p> {
    pub fn new(protocol: &'p Protocol, max_line_bytes: usize) -> Examiner<'p> {
        Examiner { reader: Reader::new(protocol), max_line_bytes }
    }

    /// Reads a block, which starts with a line and ends with a line's end, into buffers that are used again.
    pub fn examine(&mut self, block: &[u8], examined: &mut Examined) {
        examined.captures.clear();
        examined.frames.clear();
        examined.sound = block.last() == Some(&b'\n');
        let mut lines = Lines::new(Origin::START, self.max_line_bytes);
        lines.feed(block, &mut Examination { reader: &mut self.reader, examined });
        examined.end = Some(lines.position());
    }
}

/// An examination of a block that is under way.
struct Examination<'e, 'p> {
    reader: &'e mut Reader<'p>,
    examined: &'e mut Examined,
}

impl Recipient for Examination<'_, '_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let Examined { captures, frames, sound, .. } = &mut *self.examined;
        match piece {
            Piece::Frame(frame) => {
                let mark = captures.mark();
                let judged = self.reader.read_frame(&frame, captures);
                let (origin, length) = (frame.origin(0), frame.text.len() as u32);
                frames.push(Found { origin, length, utf8: frame.utf8, judged, mark });
            }
            Piece::Broken(_) => *sound = false,
        }
    }

    fn ahead(&mut self, lines: &[u8], origin: Origin, longest: usize) -> Origin {
        let Examined { captures, frames, .. } = &mut *self.examined;
        let (mut rest, mut origin) = (lines, origin);
        loop {
            let mark = captures.mark();
            let Some(line) = self.reader.read_line(rest, longest, captures) else { return origin };
            frames.push(Found { origin, length: line.length as u32, utf8: true, judged: Some(line.judged), mark });
            rest = &rest[line.whole..];
            origin = origin.next_line(line.whole);
        }
    }
}

impl Examined {
    /// Gives the frames of the block in order, as they stand behind `start`, and the place behind the block; or
    /// nothing, if the block must be read again.
    pub fn frames(
        &self,
        block: &[u8],
        start: Origin,
        mut out: impl FnMut(&Frame<'_>, Option<&Judged>, Captured<'_>),
    ) -> Option<Origin> {
        let end = self.end.filter(|_| self.sound)?;
        let behind = |origin: Origin| Origin {
            offset: start.offset + origin.offset,
            line: start.line + origin.line - 1,
            column: origin.column,
        };
        let last = self.captures.mark();
        let ends = self.frames.iter().skip(1).map(|found| found.mark).chain([last]);
        for (found, end) in self.frames.iter().zip(ends) {
            let at = found.origin.offset as usize;
            let frame = Frame {
                text: &block[at..at + found.length as usize],
                segments: &[Segment { at: 0, origin: behind(found.origin) }],
                terminated: true,
                utf8: found.utf8,
            };
            out(&frame, found.judged.as_ref(), self.captures.between(found.mark, end));
        }
        Some(behind(end))
    }
}
