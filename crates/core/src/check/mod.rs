//! Checks streams of events: bytes in, findings out.
//!
//! The fast path reads nearly every event in one pass; the judge takes over the events of which the fast path is not
//! sure, and judges the order of all. This room does no I/O, reads no clock and starts no threads. Its memory does not
//! grow with the length of the input, but with distinct streams, call ids and the text of open turns, each with a
//! limit.

mod coverage;
mod examiner;
mod fast_reader;
mod joined;
mod judge;
#[cfg(any(test, feature = "two-paths"))]
mod paths_agree;
mod times;
mod trace;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bytes::has_replacement;
use crate::event::Settings;
use crate::finding::{Finding, Report};
use crate::input::{Input, InputState, LineForm, Origin, Piece, PieceSink};
use crate::machine::InstanceView;
use crate::protocol::Protocol;
use crate::schema::captures::Captures;
pub use coverage::CoverageCounts;
use examiner::Examined;
pub use examiner::{ExaminedBlock, Examiner};
use fast_reader::{FastLine, FastReader};
pub use joined::{FileQueue, JoinedChecker};
use judge::{EventLine, InputFacts, Judged, StreamJudge, StreamJudgeState};
#[cfg(any(test, feature = "two-paths"))]
pub use paths_agree::{paths_agree, reads_alike};
pub use times::TimeSurvey;
pub use trace::TracedEvent;

/// The number of bytes that are read at once: few enough to stay in a core's cache.
const PIECE: usize = 64 * 1024;

/// Checks one input of streams of events.
#[derive(Clone)]
pub struct StreamChecker {
    protocol: Protocol,
    input: Input,
    fast: FastPath,
    judge: StreamJudge,
}

/// The state of a [`StreamChecker`], for a snapshot.
#[derive(Serialize, Deserialize)]
pub(crate) struct StreamState {
    input: InputState,
    judge: StreamJudgeState,
}

/// The fast path, which every frame takes before the judge.
#[derive(Clone)]
struct FastPath {
    reader: FastReader,
    /// The captures of one event; kept to reuse their memory.
    captures: Captures,
}

impl FastPath {
    fn new(protocol: &Protocol) -> FastPath {
        FastPath { reader: FastReader::new(protocol), captures: Captures::default() }
    }
}

/// Passes the pieces of an input to the fast path and then to the judge.
struct EventSink<'s> {
    protocol: &'s Protocol,
    fast: &'s mut FastPath,
    judge: &'s mut StreamJudge,
}

impl PieceSink for EventSink<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        let FastPath { reader, captures } = &mut *self.fast;
        if !matches!(piece, Piece::Frame(_)) {
            self.judge.release(self.protocol);
        }
        match piece {
            Piece::Frame(frame) => {
                captures.clear();
                let fast_event = reader.read_frame(&frame, captures);
                if frame.server_sent {
                    self.judge.check_label(self.protocol, &frame, frame.label, fast_event.as_ref());
                }
                self.judge.judge_frame(self.protocol, &frame, fast_event.as_ref(), captures.all(), None);
            }
            Piece::Stray(frame) => self.judge.judge_stray(&frame),
            Piece::Odd(oddity, place) => self.judge.note_oddity(oddity, place),
            Piece::Fault(fault) => self.judge.report_unread(fault),
        }
    }

    fn ahead(&mut self, lines: &[u8], origin: Origin, longest: usize, form: LineForm) -> Origin {
        match form {
            LineForm::Bare => self.read_ahead::<false>(lines, origin, longest),
            LineForm::ServerSent => self.read_ahead::<true>(lines, origin, longest),
        }
    }
}

impl EventSink<'_> {
    #[inline(always)]
    fn read_ahead<const SERVER_SENT: bool>(&mut self, lines: &[u8], origin: Origin, longest: usize) -> Origin {
        let FastPath { reader, captures } = &mut *self.fast;
        let source = (lines, origin.offset);
        let (mut rest, mut origin) = (lines, origin);
        let mut line = FastLine::default();
        while reader.read_line::<SERVER_SENT>(rest, longest, &mut line)
            && let Some(reading) = reader.reading()
        {
            let start = line.origin(origin);
            let found = EventLine {
                text: &rest[line.text.clone()],
                origin: start,
                span: line.span.clone(),
                at: line.event_origin(start),
                surroundings: line.surroundings,
                row: None,
                server_sent: SERVER_SENT,
            };
            self.judge.judge_reading(self.protocol, &found, (line.event_type, reading), source, captures);
            rest = &rest[line.whole..];
            origin = line.next_origin(origin);
        }
        self.judge.leave_source(source);
        origin
    }
}

/// Returns the input of a checker.
fn new_input(protocol: &Protocol, settings: &Settings) -> Input {
    let options = settings.options();
    Input::new(options.wire(), options.max_line_bytes()).reading(protocol.texts())
}

impl fmt::Debug for StreamChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamChecker").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl StreamChecker {
    /// Returns a checker for an input of this name. The settings must be those of this protocol.
    pub fn new(protocol: &Protocol, settings: &Settings, file: Option<Arc<str>>) -> StreamChecker {
        let input = new_input(protocol, settings);
        let fast = FastPath::new(protocol);
        StreamChecker { protocol: protocol.clone(), input, fast, judge: StreamJudge::new(protocol, settings, file) }
    }

    /// Counts from now on the parts of the protocol that the input exercises. Checking then takes several times as
    /// long.
    pub fn count_coverage(&mut self) {
        // Fields are counted in a tree, which only the slow path has.
        self.fast.reader.decline_all();
        self.judge.count_coverage(&self.protocol);
    }

    /// Keeps from now on each event, with the moves that it makes, for [`StreamChecker::traced`]. Checking then takes
    /// several times as long.
    pub fn trace(&mut self) {
        self.fast.reader.decline_all();
        self.judge.trace();
    }

    /// Takes the events that were judged since the last call, in their order; none unless [`StreamChecker::trace`] was
    /// called. The last events of an input may be held back until [`StreamChecker::end_traced`].
    pub fn traced(&mut self) -> Vec<TracedEvent> {
        self.judge.traced()
    }

    /// Ends the input like [`StreamChecker::end`]. Returns the report, and the events that were not taken yet.
    pub fn end_traced(mut self, damaged: Option<&str>) -> (Report, Vec<TracedEvent>) {
        self.read_end(damaged);
        self.judge.release(&self.protocol);
        let events = self.judge.traced();
        (self.judge.finish(&self.protocol, InputFacts::of(&self.input)).report, events)
    }

    /// Returns the checker's state, for a snapshot. It does not include the findings.
    pub(crate) fn state(&self) -> StreamState {
        StreamState { input: self.input.state(), judge: self.judge.state() }
    }

    /// Returns a checker that continues from a state; `None` if no input leads to that state.
    #[must_use]
    pub(crate) fn restored(
        protocol: &Protocol,
        settings: &Settings,
        file: Option<Arc<str>>,
        state: StreamState,
    ) -> Option<StreamChecker> {
        let StreamChecker { protocol, fast, judge, .. } = StreamChecker::new(protocol, settings, file);
        let options = settings.options();
        let input = Input::restored(state.input, options.wire(), options.max_line_bytes())?.reading(protocol.texts());
        let judge = judge.restore(&protocol, state.judge)?;
        Some(StreamChecker { protocol, input, fast, judge })
    }

    /// Judges the next bytes of the input, decompressed; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let StreamChecker { protocol, input, fast, judge } = self;
        let mut sink = EventSink { protocol, fast, judge };
        bytes.chunks(PIECE).for_each(|piece| input.feed_to(piece, &mut sink));
    }

    /// Judges bytes that are one event, whatever line ends they contain. `row` is the caller's number for the event:
    /// its places have it, including the related places of later findings, and count from the first of these bytes.
    pub fn event(&mut self, bytes: &[u8], row: u64) {
        let StreamChecker { protocol, input, fast, judge } = self;
        input.event(bytes, row, &mut |piece| EventSink { protocol, fast: &mut *fast, judge: &mut *judge }.piece(piece));
    }

    /// Judges several events like [`StreamChecker::event`]. `text` has the events, each at the range of a row.
    pub(crate) fn events(&mut self, text: &[u8], rows: impl IntoIterator<Item = (Range<usize>, u64)>) {
        let mut rows = rows.into_iter().peekable();
        let mut piece = Vec::new();
        while let Some((first, _)) = rows.peek() {
            let (start, mut end) = (first.start, first.start);
            while let Some((span, row)) = rows.next_if(|(span, _)| piece.is_empty() || span.end - start <= PIECE) {
                end = span.end;
                piece.push((span, row));
            }
            // Validating the events of a piece at once is faster than one by one.
            let valid =
                simdutf8::basic::from_utf8(&text[start..end]).ok().filter(|valid| !has_replacement(valid.as_bytes()));
            for (span, row) in piece.drain(..) {
                let is_read = valid
                    .and_then(|valid| valid.get(span.start - start..span.end - start))
                    .is_some_and(|event| self.read_valid_event(event, row));
                if !is_read {
                    self.event(&text[span], row);
                }
            }
        }
    }

    /// Judges an event on the fast path. Returns `false`, and judges nothing, if the fast path is not sure.
    fn read_valid_event(&mut self, event: &str, row: u64) -> bool {
        let StreamChecker { protocol, input, fast: FastPath { reader, captures }, judge } = self;
        let length = event.len();
        if length > input.max_frame() || !event.starts_with('{') || !event.ends_with('}') {
            return false;
        }
        let Some(fast_event) = reader.read_by_template(event.as_bytes()) else { return false };
        let Some(reading) = reader.reading() else { return false };
        let (text, origin) = input.count_event(event.as_bytes());
        let line = EventLine {
            text,
            origin,
            span: 0..text.len(),
            at: origin,
            surroundings: None,
            row: Some(row),
            server_sent: false,
        };
        let source = (text, origin.offset);
        judge.judge_reading(protocol, &line, (fast_event.event_type, reading), source, captures);
        judge.leave_source(source);
        true
    }

    /// Returns the text that a stream has sent so far, by the protocol's texts; `None` for a text that was not sent or
    /// is uncertain.
    pub fn streamed(&self, stream: &str) -> Vec<Option<String>> {
        self.judge.streamed(stream)
    }

    /// Returns how an instance of a lifecycle stands in a stream: that of a key with these parts, or the only one of a
    /// lifecycle without keys, whose key has none. `None` if its state is not certain, or if a part cannot be one.
    pub fn instance(&self, stream: &str, lifecycle: usize, key: &[Value]) -> Option<InstanceView> {
        self.judge.instance(stream, lifecycle, key)
    }

    /// Returns what a stream has sent so far of one of the texts of a table with keys, by the table's number and the parts of
    /// the key; `None` if no piece came, or one may be missing.
    pub fn text(&self, stream: &str, table: usize, key: &[Value]) -> Option<String> {
        self.judge.text(stream, table, key)
    }

    /// Returns the value of a series, by its number and the parts of the key, that the next one follows; `None` if there is
    /// none yet, or if it is not known.
    pub fn last_value(&self, stream: &str, series: usize, key: &[Value]) -> Option<Value> {
        self.judge.last_value(stream, series, key)
    }

    /// Returns the number of instances that each lifecycle opened, by the lifecycle's name.
    pub fn opened(&self) -> BTreeMap<String, u64> {
        self.judge.opened()
    }

    /// Returns whether the input has one event per line and the next byte starts a line, so that blocks of whole lines
    /// can be examined ahead.
    pub fn at_line_start(&self) -> bool {
        self.input.line_start().is_some()
    }

    /// Judges a block that was examined ahead.
    pub fn feed_examined(&mut self, block: &[u8], examined: &mut ExaminedBlock<'_>) {
        let StreamChecker { protocol, fast: FastPath { captures, .. }, judge, .. } = self;
        let start = self.input.line_start();
        let end = start.and_then(|start| {
            let source = (block, start.offset);
            let end = examined.frames(block, start, |frame, examined| match examined {
                Examined::Reading(event, reading) => {
                    let line = EventLine {
                        text: frame.text,
                        origin: frame.origin(0),
                        span: event.span.clone(),
                        at: frame.origin(event.span.start),
                        surroundings: None,
                        row: None,
                        server_sent: false,
                    };
                    judge.judge_reading(protocol, &line, (event.event_type, reading), source, captures);
                }
                Examined::Captured(event, captured, faults) => {
                    judge.leave_source(source);
                    judge.judge_frame(protocol, frame, event, captured, faults);
                }
            });
            judge.leave_source(source);
            end
        });
        match end {
            Some(end) => self.input.skip(block, end),
            None => self.feed(block),
        }
    }

    /// Returns the findings that were not taken yet, for the caller to drain.
    pub fn findings(&mut self) -> &mut Vec<Finding> {
        self.judge.findings()
    }

    /// Ends the input, and returns the report.
    pub fn finish(self) -> Report {
        self.end(None).0
    }

    /// Ends an input whose rest is not read: nothing is reported about streams that are unfinished here.
    pub fn finish_early(mut self) -> Report {
        self.judge.ignore_end();
        self.judge.finish(&self.protocol, InputFacts::of(&self.input)).report
    }

    /// Ends the input. `damaged`: the damage of its compressed form at this point, if any. Returns the report, and the
    /// coverage if it was counted.
    pub fn end(self, damaged: Option<&str>) -> (Report, Option<Box<CoverageCounts>>) {
        let Judged { report, coverage, .. } = self.judged(damaged);
        (report, coverage)
    }

    /// Ends the input, and begins another one of the same set with these settings: its report does not list the unknown
    /// names again that this input had. Returns the report.
    pub(crate) fn next_input(&mut self, settings: &Settings) -> Report {
        self.read_end(None);
        let input = std::mem::replace(&mut self.input, new_input(&self.protocol, settings));
        let next = self.judge.for_next_input(&self.protocol, settings);
        let judge = std::mem::replace(&mut self.judge, next);
        let Judged { report, unknown, .. } = judge.finish(&self.protocol, InputFacts::of(&input));
        self.judge.know_names(unknown);
        report
    }

    fn judged(mut self, damaged: Option<&str>) -> Judged {
        self.read_end(damaged);
        self.judge.finish(&self.protocol, InputFacts::of(&self.input))
    }

    /// Judges what the end of the input completes.
    fn read_end(&mut self, damaged: Option<&str>) {
        let StreamChecker { protocol, input, fast, judge } = self;
        match damaged {
            None => {
                input.finish(&mut |piece| EventSink { protocol, fast: &mut *fast, judge: &mut *judge }.piece(piece))
            }
            Some(cause) => judge.report_damage(input.position(), cause),
        }
    }
}
