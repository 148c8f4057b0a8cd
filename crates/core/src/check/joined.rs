//! Checks several files as one input: rotated logs, or the parts that several writers wrote at the same time.
//!
//! Each file is split into frames by itself, so its compression, encoding and form are its own. The judge sees one
//! sequence of events. The files come one after another, or event by event in the order of the events' times.

use std::collections::VecDeque;
use std::sync::Arc;

use super::times::EventTimes;
use super::{EventSink, FastPath, InputFacts, PIECE, StreamJudge};
use crate::event::Settings;
use crate::finding::{Finding, Place, Report};
use crate::input::json::parse;
use crate::input::{
    FileNumber, Frame, HeldFrame, Input, InputFault, MOST_FILES, Oddity, Origin, Piece, PieceSink, Segment, Wire,
};
use crate::protocol::Protocol;
use crate::schema::date_time::Time;

/// Checks several files as one input of streams of events.
pub struct JoinedChecker {
    protocol: Protocol,
    wire: Option<Wire>,
    max_frame: usize,
    fast: FastPath,
    judge: StreamJudge,
    /// The file that is being read.
    reading: Option<Reading>,
    /// An earlier file whose last line may go on in the file that is being read.
    torn: Option<Reading>,
    /// The start of the file that is being read, up to the end of its first line, as long as there is such a file.
    head: Vec<u8>,
    /// What is known of the files that have ended.
    facts: InputFacts,
}

/// A file that is being read.
struct Reading {
    number: FileNumber,
    input: Input,
    /// The number of bytes that were read apart from the input.
    bytes_before: u64,
}

impl Reading {
    fn length(&self) -> u64 {
        self.bytes_before + self.input.bytes()
    }
}

impl JoinedChecker {
    /// Returns a checker for files of these names, of which there may be at most [`MOST_FILES`]. The settings must be
    /// those of this protocol, and hold for all files.
    pub fn new(protocol: &Protocol, settings: &Settings, names: &[Arc<str>]) -> JoinedChecker {
        let options = settings.options();
        let names = &names[..names.len().min(MOST_FILES)];
        let mut judge = StreamJudge::new(protocol, settings, names.first().cloned());
        judge.join(names);
        JoinedChecker {
            protocol: protocol.clone(),
            wire: options.wire(),
            max_frame: options.max_line_bytes(),
            fast: FastPath::new(protocol),
            judge,
            reading: None,
            torn: None,
            head: Vec::new(),
            facts: InputFacts::default(),
        }
    }

    /// Begins the file of this number, from 0. The one before must have ended.
    pub fn begin(&mut self, number: usize) {
        self.judge.go_on();
        let number = FileNumber(number);
        let input = Input::from(number.origin(Origin::START), self.wire, self.max_frame).reading(self.protocol.texts());
        self.reading = Some(Reading { number, input, bytes_before: 0 });
    }

    /// Judges the next bytes of the file, decompressed; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.torn.is_none() {
            return self.feed_input(bytes);
        }
        let searched = self.head.len();
        self.head.extend_from_slice(bytes);
        if memchr::memchr(b'\n', &self.head[searched..]).is_some() || self.head.len() > self.max_frame {
            self.resolve_torn();
        }
    }

    fn feed_input(&mut self, bytes: &[u8]) {
        let JoinedChecker { protocol, fast, judge, reading, .. } = self;
        let Some(reading) = reading else { return };
        let mut sink = EventSink { protocol, fast, judge };
        bytes.chunks(PIECE).for_each(|piece| reading.input.feed_to(piece, &mut sink));
    }

    /// Ends the file. `damaged`: the damage of its compressed form at this point, if any.
    pub fn end(&mut self, damaged: Option<&str>) {
        if !self.head.is_empty() {
            self.resolve_torn();
        }
        let Some(mut reading) = self.reading.take() else { return };
        if let Some(cause) = damaged {
            self.judge.report_damage(reading.input.position(), cause);
            return self.add_length(&reading);
        }
        let JoinedChecker { protocol, fast, judge, .. } = self;
        let open = reading.input.open_line(&mut |piece| {
            EventSink { protocol, fast: &mut *fast, judge: &mut *judge }.piece(piece);
        });
        let is_torn = open.is_some_and(|(line, _)| !line.trim_ascii().is_empty() && !is_json(line));
        match (is_torn, &self.torn) {
            (true, None) => self.torn = Some(reading),
            _ => self.finish_input(reading),
        }
    }

    /// Reads the end of a file as it stands there.
    fn finish_input(&mut self, mut reading: Reading) {
        let JoinedChecker { protocol, fast, judge, .. } = self;
        reading.input.finish(&mut |piece| {
            EventSink { protocol, fast: &mut *fast, judge: &mut *judge }.piece(piece);
        });
        self.add_length(&reading);
    }

    fn add_length(&mut self, reading: &Reading) {
        self.facts.bytes += reading.length();
        self.facts.has_content |= reading.input.has_content();
        self.facts.server_sent |= reading.input.is_server_sent();
        self.judge.end_file(reading.number, reading.length());
    }

    /// Judges the last line of an earlier file: together with the first line of this one if both are one JSON text, or
    /// else as it stands there.
    fn resolve_torn(&mut self) {
        let head = std::mem::take(&mut self.head);
        let Some(mut torn) = self.torn.take() else { return };
        let first_line = memchr::memchr(b'\n', &head).unwrap_or(head.len());
        // The form is known, so there are no more pieces before the line.
        let open = torn.input.open_line(&mut |_| {});
        let whole = open.map(|(line, origin)| ([line, &head[..first_line]].concat(), line.len(), origin));
        let mut used = 0;
        match (whole, self.reading.take()) {
            (Some((text, cut, origin)), Some(reading)) if text.len() <= self.max_frame && is_json(&text) => {
                self.add_length(&torn);
                self.judge_cut_line(&text, Segment { at: 0, origin }, cut, reading.number);
                used = head.len().min(first_line + 1);
                let next = reading.number.origin(Origin::START.next_line(used));
                let input = Input::from(next, self.wire, self.max_frame).reading(self.protocol.texts());
                self.facts.has_content = true;
                self.reading = Some(Reading { number: reading.number, input, bytes_before: used as u64 });
            }
            (_, reading) => {
                self.finish_input(torn);
                self.judge.go_on();
                self.reading = reading;
            }
        }
        self.feed_input(&head[used..]);
    }

    /// Judges a line whose bytes from `cut` on are the start of another file.
    fn judge_cut_line(&mut self, text: &[u8], start: Segment, cut: usize, next: FileNumber) {
        // What stands before the cut is more than white space.
        let space = text.len() - text.trim_ascii_start().len();
        let trimmed = text.trim_ascii();
        let segments = [
            Segment { at: 0, origin: start.origin.after(&text[..space]) },
            Segment { at: cut - space, origin: next.origin(Origin::START) },
        ];
        let JoinedChecker { protocol, fast, judge, .. } = self;
        EventSink { protocol, fast, judge }.piece(Piece::Frame(Frame::new(trimmed, &segments)));
    }

    /// Notes that files are missing before the one of this number, which has not begun. `message`: which.
    pub fn note_missing(&mut self, number: usize, message: String) {
        if let Some(torn) = self.torn.take() {
            self.finish_input(torn);
        }
        self.judge.report_missing(FileNumber(number).origin(Origin::START), message);
    }

    /// Judges the first piece of a file whose events are merged with those of others.
    pub fn take(&mut self, queue: &mut FileQueue) {
        let JoinedChecker { protocol, fast, judge, .. } = self;
        let Some((_, piece)) = queue.pieces.pop_front() else { return };
        let mut sink = EventSink { protocol, fast, judge };
        match piece {
            HeldPiece::Frame(held, terminated) => sink.piece(Piece::Frame(Frame { terminated, ..held.frame() })),
            HeldPiece::Stray(held) => sink.piece(Piece::Stray(held.frame())),
            HeldPiece::Odd(oddity, place) => sink.piece(Piece::Odd(oddity, place)),
            HeldPiece::Fault(fault) => sink.piece(Piece::Fault(fault)),
            HeldPiece::Damage(at, cause) => judge.report_damage(at, &cause),
        }
    }

    /// Ends a file whose events were merged with those of others.
    pub fn end_queue(&mut self, queue: FileQueue) {
        self.add_length(&queue.reading);
    }

    /// Returns the findings that were not taken yet, for the caller to drain.
    pub fn findings(&mut self) -> &mut Vec<Finding> {
        self.judge.findings()
    }

    /// Ends the input, and returns the report.
    pub fn finish(mut self) -> Report {
        if let Some(torn) = self.torn.take() {
            self.finish_input(torn);
        }
        self.judge.finish(&self.protocol, self.facts).report
    }
}

/// Returns whether a line is one JSON text.
fn is_json(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|text| parse(text.trim_ascii().as_bytes()).is_ok())
}

/// The events of one of several files that are merged by their times, read as far as they are needed.
pub struct FileQueue {
    reading: Reading,
    times: EventTimes,
    /// The pieces that were read and not judged, each with the time of its event. What has no time of its own has that of
    /// the event before it.
    pieces: VecDeque<(Option<Time>, HeldPiece)>,
    last: Option<Time>,
}

/// A copy of a [`Piece`].
enum HeldPiece {
    /// A frame, and whether it is terminated.
    Frame(HeldFrame, bool),
    Stray(HeldFrame),
    Odd(Oddity, Place),
    Fault(InputFault),
    /// Damage of the compressed form.
    Damage(Origin, String),
}

impl FileQueue {
    /// Returns a queue at the start of a checker's file of this number.
    pub fn new(checker: &JoinedChecker, number: usize) -> FileQueue {
        let number = FileNumber(number);
        let input = Input::from(number.origin(Origin::START), checker.wire, checker.max_frame)
            .reading(checker.protocol.texts());
        FileQueue {
            reading: Reading { number, input, bytes_before: 0 },
            times: EventTimes::new(&checker.protocol),
            pieces: VecDeque::new(),
            last: None,
        }
    }

    /// Reads the next bytes of the file, decompressed.
    pub fn feed(&mut self, bytes: &[u8]) {
        let FileQueue { reading, times, pieces, last } = self;
        reading.input.feed(bytes, &mut |piece| hold(piece, times, pieces, last));
    }

    /// Reads the end of the file. `damaged`: the damage of its compressed form at this point, if any.
    pub fn end(&mut self, damaged: Option<String>) {
        let FileQueue { reading, times, pieces, last } = self;
        match damaged {
            Some(cause) => pieces.push_back((*last, HeldPiece::Damage(reading.input.position(), cause))),
            None => reading.input.finish(&mut |piece| hold(piece, times, pieces, last)),
        }
    }

    /// Returns the time of the next piece, before which there is nothing in the file; `None` if no piece has been read.
    pub fn next_time(&self) -> Option<Option<Time>> {
        self.pieces.front().map(|(time, _)| *time)
    }
}

/// Copies a piece to the end of a queue.
fn hold(
    piece: Piece<'_>,
    times: &mut EventTimes,
    pieces: &mut VecDeque<(Option<Time>, HeldPiece)>,
    last: &mut Option<Time>,
) {
    let held = match piece {
        Piece::Frame(frame) => {
            if let Some((_, time)) = times.of(&frame) {
                // A clock that goes back does not put an event before the one that stands before it.
                *last = (*last).max(Some(time));
            }
            HeldPiece::Frame(frame.held(), frame.terminated)
        }
        Piece::Stray(frame) => HeldPiece::Stray(frame.held()),
        Piece::Odd(oddity, place) => HeldPiece::Odd(oddity, place),
        Piece::Fault(fault) => HeldPiece::Fault(fault),
    };
    pieces.push_back((*last, held));
}
