//! The checker: bytes in, findings out.
//!
//! It does no I/O, reads no clock and starts no threads. Nothing that it keeps grows with the length of
//! the input: it grows with distinct streams, call ids and the text of open turns, each with a limit.

mod coverage;
mod examiner;
mod fast_reader;
mod judge;
#[cfg(any(test, feature = "two-paths"))]
mod paths_agree;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::Settings;
use crate::finding::{Finding, Report};
use crate::input::{Frame, Input, InputState, Origin, Piece, PieceSink, Segment};
use crate::protocol::Protocol;
use crate::schema::captures::Captures;
pub use coverage::CoverageCounts;
pub use examiner::{ExaminedBlock, Examiner};
use fast_reader::FastReader;
use judge::{StreamJudge, StreamJudgeState};
#[cfg(any(test, feature = "two-paths"))]
pub use paths_agree::paths_agree;

/// How much of what is fed is examined at once, in bytes: no more than stays in a core's cache.
const PIECE: usize = 64 * 1024;

/// Checks one input that holds streams of events.
#[derive(Clone)]
pub struct StreamChecker {
    protocol: Protocol,
    input: Input,
    fast: FastPath,
    judge: StreamJudge,
}

/// How far a checker has come, to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StreamState {
    input: InputState,
    judge: StreamJudgeState,
}

/// The fast way, which stands before the judge.
#[derive(Clone)]
struct FastPath {
    reader: FastReader,
    /// The captures of one event; kept for their memory.
    captures: Captures,
}

/// The way of an input through both.
struct EventSink<'w> {
    protocol: &'w Protocol,
    fast: &'w mut FastPath,
    judge: &'w mut StreamJudge,
}

impl PieceSink for EventSink<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let FastPath { reader, captures } = &mut *self.fast;
        match piece {
            Piece::Frame(frame) => {
                captures.clear();
                let judged = reader.read_frame(&frame, captures);
                self.judge.examined(self.protocol, &frame, judged.as_ref(), captures.all(), None);
            }
            Piece::Fault(broken) => self.judge.broken(broken),
        }
    }

    fn ahead(&mut self, lines: &[u8], origin: Origin, longest: usize) -> Origin {
        let FastPath { reader, captures } = &mut *self.fast;
        let (mut rest, mut origin) = (lines, origin);
        loop {
            captures.clear();
            let Some(line) = reader.read_line(rest, longest, captures) else { return origin };
            let frame = Frame {
                text: &rest[..line.length],
                segments: &[Segment { at: 0, origin }],
                terminated: true,
                utf8: true,
                row: None,
            };
            self.judge.examined(self.protocol, &frame, Some(&line.judged), captures.all(), None);
            rest = &rest[line.whole..];
            origin = origin.next_line(line.whole);
        }
    }
}

impl StreamChecker {
    /// Returns a checker for an input of this name. The settings must be those of the same protocol.
    pub fn new(protocol: &Protocol, settings: &Settings, file: Option<Arc<str>>) -> StreamChecker {
        let input = Input::new(settings.options().wire(), settings.options().max_line_bytes());
        let fast = FastPath { reader: FastReader::new(protocol), captures: Captures::default() };
        StreamChecker { protocol: protocol.clone(), input, fast, judge: StreamJudge::new(protocol, settings, file) }
    }

    /// Counts from here on what of the protocol the input exercises. It takes several times as long.
    pub fn count_coverage(&mut self) {
        // Every event then goes the slow way, which has a tree.
        self.fast.reader.be_unsure();
        self.judge.count_coverage(&self.protocol);
    }

    /// Returns how far the checker has come, to be stored. Findings that were not taken are not in it.
    pub(crate) fn state(&self) -> StreamState {
        StreamState { input: self.input.state(), judge: self.judge.state() }
    }

    /// Returns a checker that goes on where the state was taken; `None` if none could be in that state.
    pub(crate) fn restored(
        protocol: &Protocol,
        settings: &Settings,
        file: Option<Arc<str>>,
        state: StreamState,
    ) -> Option<StreamChecker> {
        let StreamChecker { protocol, fast, judge, .. } = StreamChecker::new(protocol, settings, file);
        let options = settings.options();
        let input = Input::restored(state.input, options.wire(), options.max_line_bytes())?;
        let judge = judge.restore(&protocol, state.judge)?;
        Some(StreamChecker { protocol, input, fast, judge })
    }

    /// Judges the next bytes of the input, decompressed; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let StreamChecker { protocol, input, fast, judge } = self;
        let mut way = EventSink { protocol, fast, judge };
        bytes.chunks(PIECE).for_each(|piece| input.feed_to(piece, &mut way));
    }

    /// Judges bytes that are one event, whatever line ends are in them. `row` is the caller's number of it: the places of
    /// its findings, and those that refer to it later, have it, and are counted from the first of these bytes.
    pub fn event(&mut self, bytes: &[u8], row: u64) {
        let StreamChecker { protocol, input, fast, judge } = self;
        input.event(bytes, row, &mut |piece| EventSink { protocol, fast: &mut *fast, judge: &mut *judge }.piece(piece));
    }

    /// The text that a stream has sent so far, by the tables' texts; none where nothing was sent, or that is not sure.
    pub fn streamed(&self, stream: &str) -> Vec<Option<String>> {
        self.judge.streamed(stream)
    }

    /// How many instances each lifecycle opened, by its name.
    pub fn opened(&self) -> BTreeMap<String, u64> {
        self.judge.opened()
    }

    /// Whether the input is one event a line and the next byte starts a line, so that blocks of whole lines may be
    /// examined ahead.
    pub fn at_line_start(&self) -> bool {
        self.input.line_start().is_some()
    }

    /// Judges a block that was examined ahead.
    pub fn feed_examined(&mut self, block: &[u8], examined: &mut ExaminedBlock<'_>) {
        let StreamChecker { protocol, judge, .. } = self;
        let start = self.input.line_start();
        let end = start.and_then(|start| {
            examined.frames(block, start, |frame, judged, captured, faults| {
                judge.examined(protocol, frame, judged, captured, faults);
            })
        });
        match end {
            Some(end) => self.input.skip(block, end),
            None => self.feed(block),
        }
    }

    /// The findings that were not taken yet.
    pub fn findings(&mut self) -> &mut Vec<Finding> {
        self.judge.findings()
    }

    /// Ends the input.
    pub fn finish(self) -> Report {
        self.end(None).0
    }

    /// Ends an input that goes on where nobody reads it: what was begun and its end mean nothing.
    pub fn cut(mut self) -> Report {
        self.judge.cut();
        self.judge.finish(&self.protocol, &self.input).0
    }

    /// Ends the input; `damaged` says how its compressed form is damaged here. What the input exercised, if that was
    /// counted.
    pub fn end(mut self, damaged: Option<&str>) -> (Report, Option<Box<CoverageCounts>>) {
        let StreamChecker { protocol, input, fast, judge } = &mut self;
        match damaged {
            None => {
                input.finish(&mut |piece| EventSink { protocol, fast: &mut *fast, judge: &mut *judge }.piece(piece))
            }
            Some(cause) => judge.damaged(input.position(), cause),
        }
        self.judge.finish(&self.protocol, &self.input)
    }
}
