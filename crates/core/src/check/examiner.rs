//! Examines blocks of lines before they are judged.
//!
//! An examination needs no state of any stream, so any thread can examine any block; only judging must follow the order
//! of the blocks.

use std::fmt;
use std::sync::Arc;

use super::fast_reader::{FastEvent, FastLine, FastReader};
use crate::event::event_checker::explain_violations;
use crate::input::lines::Lines;
use crate::input::{Frame, LineForm, Origin, Piece, PieceSink, Segment};
use crate::protocol::Protocol;
use crate::schema::captures::{CaptureMark, Captures, EventCaptures};
use crate::schema::template::{EDGES, Layout, Reading};
use crate::schema::{Faults, Wordings};

/// Examines blocks on the fast path.
pub struct Examiner<'p> {
    protocol: &'p Protocol,
    reader: FastReader,
    /// By event type: the wordings of the last faults.
    wordings: Vec<Wordings>,
    max_line_bytes: usize,
}

/// The frames of a block of whole lines, with the events and faults that the fast path found.
#[derive(Default)]
pub struct ExaminedBlock<'p> {
    captures: Captures,
    /// The layouts of the events that were read by templates.
    layouts: Vec<Arc<Layout>>,
    /// The edges of the values of these events, one event behind the other.
    edges: Vec<u32>,
    frames: Vec<ExaminedFrame>,
    /// The faults of each frame that has any, in order; `None` for a frame with more faults than a report lists.
    faults: Vec<Option<Faults<'p>>>,
    /// The place after the block, relative to its start.
    end: Option<Origin>,
    /// Whether the block holds nothing but whole frames.
    only_frames: bool,
}

/// A frame of an examined block.
struct ExaminedFrame {
    /// The place of the frame, relative to the start of the block.
    origin: Origin,
    /// The length of the frame, in bytes.
    length: u32,
    /// Whether the frame is known to be valid UTF-8.
    utf8: bool,
    /// The event; `None` if the fast path is not sure.
    event: Option<FastEvent>,
    /// The start of the frame's captures.
    mark: CaptureMark,
    /// If the event was read by a template: the index of its layout, and where its edges start.
    reading: Option<(u32, u32)>,
}

/// An event as the fast path examined it.
pub(crate) enum Examined<'e, 'p> {
    /// By a template. It has no faults, or something around it.
    Reading(&'e FastEvent, Reading<'e>),
    /// In any other way; `None` if the fast path is not sure. With its faults, if they are already in words.
    Captured(Option<&'e FastEvent>, EventCaptures<'e>, Option<Faults<'p>>),
}

impl fmt::Debug for Examiner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examiner").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl<'p> Examiner<'p> {
    /// Returns an examiner. `max_line_bytes`: the maximum length of an event, in bytes.
    pub fn new(protocol: &'p Protocol, max_line_bytes: usize) -> Examiner<'p> {
        let wordings = vec![Wordings::default(); protocol.tables().events.len()];
        Examiner { protocol, reader: FastReader::new(protocol), wordings, max_line_bytes }
    }

    /// Examines a block, which must start at the start of a line and end with a newline. `examined` is overwritten; its
    /// memory is reused.
    pub fn examine(&mut self, block: &[u8], examined: &mut ExaminedBlock<'p>) {
        examined.captures.clear();
        examined.layouts.clear();
        examined.edges.clear();
        examined.frames.clear();
        examined.faults.clear();
        examined.only_frames = block.last() == Some(&b'\n');
        let mut lines = Lines::new(Origin::START, self.max_line_bytes);
        let Examiner { protocol, reader, wordings, .. } = self;
        lines.feed(block, &mut Examination { protocol, reader, wordings, examined });
        examined.end = Some(lines.position());
        // Those of the last event are read as an array of the full length, too.
        let edges = examined.edges.len() + EDGES;
        examined.edges.resize(edges, 0);
    }
}

/// An examination of a block in progress.
struct Examination<'e, 'p> {
    protocol: &'p Protocol,
    reader: &'e mut FastReader,
    wordings: &'e mut [Wordings],
    examined: &'e mut ExaminedBlock<'p>,
}

impl PieceSink for Examination<'_, '_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let ExaminedBlock { captures, frames, faults, only_frames, .. } = &mut *self.examined;
        match piece {
            Piece::Frame(frame) => {
                let mark = captures.mark();
                let fast_event = self.reader.read_frame(&frame, captures);
                if let Some(fast_event) = &fast_event {
                    let captured = captures.between(mark, captures.mark());
                    faults.extend(explain_faults(self.protocol, fast_event, frame.text, captured, self.wordings));
                }
                let (origin, length) = (frame.origin(0), frame.text.len() as u32);
                let (event, utf8) = (fast_event, frame.utf8);
                frames.push(ExaminedFrame { origin, length, utf8, event, mark, reading: None });
            }
            Piece::Fault(_) | Piece::Stray(_) | Piece::Odd(..) => *only_frames = false,
        }
    }

    fn ahead(&mut self, lines: &[u8], origin: Origin, longest: usize, _form: LineForm) -> Origin {
        let (mut rest, mut origin) = (lines, origin);
        let mut line = FastLine::default();
        loop {
            if !self.reader.read_line::<false>(rest, longest, &mut line) {
                return origin;
            }
            let Some(reading) = self.reader.reading() else { return origin };
            let (length, next) = (line.text.len() as u32, line.next_origin(origin));
            let event = line.event(&reading);
            let mark = self.examined.captures.mark();
            let is_whole = line.span.len() == line.text.len();
            let reading = if reading.has_violations() && is_whole {
                let Examination { protocol, wordings, examined, .. } = self;
                let ExaminedBlock { captures, faults, .. } = &mut **examined;
                reading.capture(captures);
                let (text, captured) = (&rest[line.text.clone()], captures.between(mark, captures.mark()));
                faults.extend(explain_faults(protocol, &event, text, captured, wordings));
                None
            } else {
                Some(self.examined.keep(reading, self.reader.edges()))
            };
            let event = Some(event);
            let ExaminedBlock { frames, .. } = &mut *self.examined;
            frames.push(ExaminedFrame { origin, length, utf8: true, event, mark, reading });
            rest = &rest[line.whole..];
            origin = next;
        }
    }
}

/// Returns the faults of an event: `None` if it has none, `Some(None)` if it has more than a report lists.
#[inline]
fn explain_faults<'p>(
    protocol: &'p Protocol,
    fast_event: &FastEvent,
    text: &[u8],
    captured: EventCaptures<'_>,
    wordings: &mut [Wordings],
) -> Option<Option<Faults<'p>>> {
    if captured.violations.is_empty() {
        return None;
    }
    let mut all_listed = true;
    let event_type = &protocol.tables().events[fast_event.event_type];
    let wordings = &mut wordings[fast_event.event_type];
    let faults = explain_violations(event_type, text, captured, wordings, &mut |_| all_listed = false);
    Some(faults.filter(|_| all_listed))
}

impl fmt::Debug for ExaminedBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExaminedBlock").field("frames", &self.frames.len()).finish_non_exhaustive()
    }
}

impl<'p> ExaminedBlock<'p> {
    /// Returns whether any event of the block has a fault by itself.
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Keeps the reading of an event, which has so many edges. Returns the index of its layout, and where its edges start.
    #[inline]
    fn keep(&mut self, Reading { layout, edges }: Reading<'_>, count: usize) -> (u32, u32) {
        let start = self.edges.len();
        self.edges.extend_from_slice(edges.get(..count).unwrap_or_default());
        // Few ways of writing take turns.
        let known = self.layouts.iter().rposition(|known| Arc::ptr_eq(known, layout));
        let index = known.unwrap_or_else(|| {
            self.layouts.push(layout.clone());
            self.layouts.len() - 1
        });
        (index as u32, start as u32)
    }

    /// Passes the frames of the block to `out` in order, with places for a block at `start`. Returns the place after
    /// the block, or `None` if the block must be read again; then `out` received nothing.
    #[must_use]
    pub(crate) fn frames(
        &mut self,
        block: &[u8],
        start: Origin,
        mut out: impl FnMut(&Frame<'_>, Examined<'_, 'p>),
    ) -> Option<Origin> {
        let end = self.end.filter(|_| self.only_frames)?;
        let shifted = |origin: Origin| Origin {
            offset: start.offset + origin.offset,
            line: start.line + origin.line - 1,
            column: origin.column,
        };
        let last = self.captures.mark();
        let mut faults = self.faults.drain(..);
        let ends = self.frames.iter().skip(1).map(|examined| examined.mark).chain([last]);
        for (examined, end) in self.frames.iter().zip(ends) {
            let at = examined.origin.offset as usize;
            let frame = Frame {
                text: &block[at..at + examined.length as usize],
                segments: &[Segment { at: 0, origin: shifted(examined.origin) }],
                terminated: true,
                utf8: examined.utf8,
                row: None,
                wide: false,
                decoded: false,
                server_sent: false,
                label: None,
            };
            if let (Some(event), Some((layout, edges))) = (&examined.event, examined.reading)
                && let (Some(layout), Some(edges)) =
                    (self.layouts.get(layout as usize), self.edges[edges as usize..].first_chunk())
            {
                out(&frame, Examined::Reading(event, Reading { layout, edges }));
                continue;
            }
            let (event, captured) = (examined.event.as_ref(), self.captures.between(examined.mark, end));
            let is_faulty = event.is_some() && !captured.violations.is_empty();
            let faults = if is_faulty { faults.next().flatten() } else { None };
            out(&frame, Examined::Captured(event, captured, faults));
        }
        Some(shifted(end))
    }
}
