//! Blocks of lines, examined ahead of their turn: what needs no state of any stream can be done by any thread.

use super::fast_reader::{FastEvent, FastReader};
use crate::event::event_checker::explained;
use crate::input::lines::Lines;
use crate::input::{Frame, Origin, Piece, PieceSink, Segment};
use crate::protocol::Protocol;
use crate::schema::Faults;
use crate::schema::captures::{CaptureMark, Captures, EventCaptures};

/// Examines blocks, again and again.
pub struct Examiner<'p> {
    protocol: &'p Protocol,
    reader: FastReader,
    max_line_bytes: usize,
}

/// What the fast way found in a block of whole lines.
#[derive(Default)]
pub struct ExaminedBlock<'p> {
    captures: Captures,
    frames: Vec<ExaminedFrame>,
    /// Of each frame that has faults, what they are; none where they are more than are listed.
    faults: Vec<Option<Faults<'p>>>,
    /// The place behind the block, from its start.
    end: Option<Origin>,
    /// Whether all of it is frames.
    sound: bool,
}

struct ExaminedFrame {
    /// Where the frame stands, from the start of the block.
    origin: Origin,
    length: u32,
    utf8: bool,
    judged: Option<FastEvent>,
    /// Where its captures start.
    mark: CaptureMark,
}

impl<'p> Examiner<'p> {
    /// Creates an examiner for lines of at most this many bytes.
    pub fn new(protocol: &'p Protocol, max_line_bytes: usize) -> Examiner<'p> {
        Examiner { protocol, reader: FastReader::new(protocol), max_line_bytes }
    }

    /// Reads a block, which starts with a line and ends with a line's end, into buffers that are used again.
    pub fn examine(&mut self, block: &[u8], examined: &mut ExaminedBlock<'p>) {
        examined.captures.clear();
        examined.frames.clear();
        examined.faults.clear();
        examined.sound = block.last() == Some(&b'\n');
        let mut lines = Lines::new(Origin::START, self.max_line_bytes);
        lines.feed(block, &mut Examination { protocol: self.protocol, reader: &mut self.reader, examined });
        examined.end = Some(lines.position());
    }
}

/// An examination of a block that is under way.
struct Examination<'e, 'p> {
    protocol: &'p Protocol,
    reader: &'e mut FastReader,
    examined: &'e mut ExaminedBlock<'p>,
}

impl PieceSink for Examination<'_, '_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let ExaminedBlock { captures, frames, faults, sound, .. } = &mut *self.examined;
        match piece {
            Piece::Frame(frame) => {
                let mark = captures.mark();
                let judged = self.reader.read_frame(&frame, captures);
                if let Some(judged) = &judged {
                    faults.extend(in_words(self.protocol, judged, frame.text, captures, mark));
                }
                let (origin, length) = (frame.origin(0), frame.text.len() as u32);
                frames.push(ExaminedFrame { origin, length, utf8: frame.utf8, judged, mark });
            }
            Piece::Fault(_) => *sound = false,
        }
    }

    fn ahead(&mut self, lines: &[u8], origin: Origin, longest: usize) -> Origin {
        let ExaminedBlock { captures, frames, faults, .. } = &mut *self.examined;
        let (mut rest, mut origin) = (lines, origin);
        loop {
            let mark = captures.mark();
            let Some(line) = self.reader.read_line(rest, longest, captures) else { return origin };
            faults.extend(in_words(self.protocol, &line.judged, &rest[..line.length], captures, mark));
            frames.push(ExaminedFrame {
                origin,
                length: line.length as u32,
                utf8: true,
                judged: Some(line.judged),
                mark,
            });
            rest = &rest[line.whole..];
            origin = origin.next_line(line.whole);
        }
    }
}

/// What is wrong with an event whose captures start at the mark, if anything is: faults, or nothing, where these are
/// more than are listed.
#[inline]
fn in_words<'p>(
    protocol: &'p Protocol,
    judged: &FastEvent,
    text: &[u8],
    captures: &Captures,
    mark: CaptureMark,
) -> Option<Option<Faults<'p>>> {
    if captures.violations.len() == mark.violation {
        return None;
    }
    let mut all_listed = true;
    let event_type = &protocol.tables().events[judged.event_type];
    let captured = captures.between(mark, captures.mark());
    let faults = explained(event_type, text, captured, &mut |_| all_listed = false);
    Some(faults.filter(|_| all_listed))
}

impl<'p> ExaminedBlock<'p> {
    /// Whether something is wrong with an event by itself.
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Gives the frames of the block in order, as they stand behind `start`, and the place behind the block; or
    /// nothing, if the block must be read again.
    pub fn frames(
        &mut self,
        block: &[u8],
        start: Origin,
        mut out: impl FnMut(&Frame<'_>, Option<&FastEvent>, EventCaptures<'_>, Option<Faults<'p>>),
    ) -> Option<Origin> {
        let end = self.end.filter(|_| self.sound)?;
        let behind = |origin: Origin| Origin {
            offset: start.offset + origin.offset,
            line: start.line + origin.line - 1,
            column: origin.column,
        };
        let last = self.captures.mark();
        let mut faults = self.faults.drain(..);
        let ends = self.frames.iter().skip(1).map(|found| found.mark).chain([last]);
        for (found, end) in self.frames.iter().zip(ends) {
            let at = found.origin.offset as usize;
            let frame = Frame {
                text: &block[at..at + found.length as usize],
                segments: &[Segment { at: 0, origin: behind(found.origin) }],
                terminated: true,
                utf8: found.utf8,
                row: None,
            };
            let (judged, captured) = (found.judged.as_ref(), self.captures.between(found.mark, end));
            let is_faulty = judged.is_some() && !captured.violations.is_empty();
            out(&frame, judged, captured, if is_faulty { faults.next().flatten() } else { None });
        }
        Some(behind(end))
    }
}
