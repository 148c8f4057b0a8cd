//! Bytes → frames, each with its place in the file.
//!
//! The form of the input is detected from its content, and a part that cannot be read is a value, not an error. Memory
//! does not grow with the length of the input: one frame is buffered at a time, and no frame is longer than the limit.

mod detect;
mod encoding;
mod escapes;
mod excerpt;
mod files;
mod frame;
pub mod json;
pub(crate) mod lines;
mod oddity;
mod part;
pub(crate) mod shards;
mod sse;
mod values;

pub use detect::BYTE_ORDER_MARK;
pub use encoding::in_utf8;
pub use excerpt::window;
pub use files::MOST_FILES;
pub(crate) use files::{FileNumber, line_in_file, offset_in_file, place_in_file};
pub(crate) use frame::{EventAt, EventNote, Landmarks};
pub use frame::{Frame, Label, Origin, Segment};
pub use oddity::Oddity;
pub(crate) use part::HeldFrame;

use std::borrow::Cow;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::UnknownName;
pub(crate) use crate::finding::MOST_BYTES;
use crate::finding::Place;
use crate::framing::Framing;
use encoding::{Encoding, Utf16Decoder};

/// The form of an input: how its events are separated. In each form, the events may be bare or inside JSON-RPC
/// messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
// Exhaustive on purpose: whoever matches on it must decide about a new form.
pub enum Wire {
    /// One JSON text a line.
    Ndjson,
    /// JSON texts in sequence, each over any number of lines; each item of an outer array is a text of its own.
    Json,
    /// Server-sent events: the text is in `data:` lines.
    Sse,
    /// One JSON-RPC 2.0 message a line; those that carry no event are skipped.
    JsonRpc,
}

impl Wire {
    /// All forms, with their names on the command line.
    pub const ALL: [(&'static str, Wire); 4] =
        [("ndjson", Wire::Ndjson), ("json", Wire::Json), ("sse", Wire::Sse), ("json-rpc", Wire::JsonRpc)];
}

impl FromStr for Wire {
    type Err = UnknownName;

    fn from_str(word: &str) -> Result<Wire, UnknownName> {
        let known = Wire::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, wire)| wire);
        known.ok_or_else(|| UnknownName::new("form of input", word, Wire::ALL.iter().map(|(name, _)| *name)))
    }
}

/// A piece of an input.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A text that is read as an event.
    Frame(Frame<'a>),
    /// A line of server-sent events that is no field of one, so that clients pass over it.
    Stray(Frame<'a>),
    /// Something about the framing that is reported once a file, with the place of the line that has it.
    Odd(Oddity, Place),
    /// A part that cannot be read.
    Fault(InputFault),
}

/// A receiver of the pieces of an input.
pub trait PieceSink {
    /// Receives the next piece.
    fn piece(&mut self, piece: Piece<'_>);

    /// Reads events from the start of `lines` before the input searches for the ends of the lines, up to the first line
    /// that needs a frame of its own. `lines` are whole lines of valid UTF-8 that start at `origin`, and have events in
    /// this form; a frame must not be longer than `longest` bytes. Returns the origin of the first line that was not
    /// read.
    ///
    /// By default, no line is read ahead.
    fn ahead(&mut self, _lines: &[u8], origin: Origin, _longest: usize, _form: LineForm) -> Origin {
        origin
    }
}

/// How lines that are read ahead have their events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineForm {
    /// Each line is an event.
    Bare,
    /// Each event is the only `data` field of a server-sent event.
    ServerSent,
}

/// A sink that calls a function with each piece.
struct FnSink<F>(F);

impl<F: FnMut(Piece<'_>)> PieceSink for FnSink<F> {
    fn piece(&mut self, piece: Piece<'_>) {
        (self.0)(piece);
    }
}

/// A part of the input that cannot be read.
#[derive(Debug)]
pub struct InputFault {
    /// The rule that the part breaks.
    pub rule: Framing,
    /// The place of the part in the file.
    pub place: Place,
    /// What was found and what was expected.
    pub message: String,
    /// What to do, if the help of the rule is not enough.
    pub help: Option<Cow<'static, str>>,
    /// Whether an event may have been lost with the part.
    pub lost: bool,
}

/// A splitter of one file into pieces. The file's bytes may arrive in chunks of any size.
#[derive(Clone)]
pub struct Input {
    /// The origin of the first byte.
    first: Origin,
    /// The first bytes, until they tell how the characters are encoded.
    start: Option<Vec<u8>>,
    /// The decoder of an input in UTF-16.
    decoder: Option<Utf16Decoder>,
    splitter: Splitter,
    /// The length of the longest frame that is read, in bytes.
    max_frame: usize,
    /// Whether the `[DONE]` of server-sent events is read, instead of passed over.
    reads_done: bool,
    /// The number of bytes so far.
    bytes: u64,
    /// Whether there was anything but white space and a byte-order mark so far.
    has_content: bool,
    /// Whether the last byte so far was a line feed.
    ends_with_newline: bool,
}

/// The splitter for the form of the input.
#[derive(Clone, Serialize, Deserialize)]
enum Splitter {
    /// The form is not known yet.
    Unknown(detect::FormDetector),
    Lines(lines::Lines),
    Values(values::Values),
    Sse(sse::Sse),
    /// The input cannot be read.
    Unreadable,
}

impl Input {
    /// Creates an input for one file. Without `wire`, the form is detected from the content. Frames longer than
    /// `max_frame` bytes are reported as faults and not read.
    pub fn new(wire: Option<Wire>, max_frame: usize) -> Input {
        Input::from(Origin::START, wire, max_frame)
    }

    /// Creates an input like [`Input::new`] whose first byte has this origin.
    pub(crate) fn from(first: Origin, wire: Option<Wire>, max_frame: usize) -> Input {
        let head = detect::FormDetector::new(wire);
        Input {
            first,
            start: Some(Vec::new()),
            decoder: None,
            splitter: Splitter::Unknown(head),
            max_frame,
            reads_done: false,
            bytes: 0,
            has_content: false,
            ends_with_newline: false,
        }
    }

    /// Reads these texts too, in server-sent events, if they are `[DONE]`: otherwise that is passed over.
    #[must_use]
    pub fn reading<'t>(mut self, mut texts: impl Iterator<Item = &'t str>) -> Input {
        self.reads_done = texts.any(|text| text.as_bytes() == sse::DONE);
        if let Splitter::Sse(sse) = &mut self.splitter {
            sse.reads_done = self.reads_done;
        }
        self
    }

    /// Returns the number of bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the length of the longest frame that is read, in bytes.
    pub(crate) fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// Returns whether there was anything but white space and a byte-order mark so far.
    pub fn has_content(&self) -> bool {
        self.has_content
    }

    /// Returns whether the input is server-sent events: only these may have content that carries no events, as fields
    /// and comments without data.
    pub fn is_server_sent(&self) -> bool {
        matches!(self.splitter, Splitter::Sse(_))
    }

    /// Reads the next bytes, and calls `out` with each piece that they complete.
    pub fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        self.feed_to(bytes, &mut FnSink(out));
    }

    /// Reads the next bytes like [`Input::feed`], for a sink that may [read ahead](PieceSink::ahead).
    pub fn feed_to(&mut self, bytes: &[u8], out: &mut dyn PieceSink) {
        let Some(last) = bytes.last() else { return };
        self.bytes += bytes.len() as u64;
        if self.decoder.is_some() || self.start.is_some() {
            return self.feed_encoded(bytes, out);
        }
        self.ends_with_newline = *last == b'\n';
        self.feed_utf8(bytes, out);
    }

    /// Reads the next bytes of an input whose encoding is not known yet, or is UTF-16.
    #[cold]
    fn feed_encoded(&mut self, bytes: &[u8], out: &mut dyn PieceSink) {
        if let Some(start) = &mut self.start {
            start.extend_from_slice(bytes);
            if start.len() >= encoding::EXAMINED {
                self.begin(out);
            }
            return;
        }
        let mut text = Vec::new();
        if let Some(decoder) = &mut self.decoder {
            decoder.decode(bytes, &mut text);
        }
        self.feed_decoded(&text, out);
    }

    /// Begins with the bytes by which the encoding is told.
    fn begin(&mut self, out: &mut dyn PieceSink) {
        let Some(start) = self.start.take() else { return };
        match Encoding::of(&start[..start.len().min(encoding::EXAMINED)]) {
            Encoding::Utf8 => self.feed_decoded(&start, out),
            Encoding::Utf16(order) => {
                out.piece(Piece::Odd(Oddity::Utf16, self.first.place()));
                self.decoder = Some(Utf16Decoder::new(order));
                self.feed_encoded(&start, out);
            }
            Encoding::Utf32 => {
                self.has_content = true;
                self.splitter = Splitter::Unreadable;
                out.piece(Piece::Odd(Oddity::Utf32, self.first.place()));
            }
        }
    }

    /// Reads the next bytes in UTF-8, of which there may be none.
    fn feed_decoded(&mut self, text: &[u8], out: &mut dyn PieceSink) {
        if let Some(last) = text.last() {
            self.ends_with_newline = *last == b'\n';
            self.feed_utf8(text, out);
        }
    }

    /// Reads the next bytes in UTF-8.
    fn feed_utf8(&mut self, bytes: &[u8], out: &mut dyn PieceSink) {
        if let Splitter::Unknown(head) = &mut self.splitter {
            if let Some((wire, buffered)) = head.feed(bytes, self.max_frame) {
                self.start(wire, &buffered, out);
            }
        } else {
            self.split(bytes, out);
        }
    }

    /// Reads bytes that are one frame by themselves, apart from the bytes that are fed. `row` is the caller's number
    /// for the frame.
    pub fn event(&mut self, bytes: &[u8], row: u64, out: &mut dyn FnMut(Piece<'_>)) {
        let (text, origin) = self.count_event(bytes);
        let row = Some(row);
        if text.len() > self.max_frame {
            let length = text.len() as u64;
            let Piece::Fault(mut fault) = too_long(origin, length, length, text, self.max_frame) else { return };
            fault.place.row = row;
            return out(Piece::Fault(fault));
        }
        out(Piece::Frame(Frame { row, ..Frame::new(text, &[Segment { at: 0, origin }]) }));
    }

    /// Counts the bytes of an event that is apart from what is fed. Returns its text and the text's origin.
    #[inline]
    pub(crate) fn count_event<'b>(&mut self, bytes: &'b [u8]) -> (&'b [u8], Origin) {
        self.bytes += bytes.len() as u64;
        let start = bytes.len() - json::trim_start(bytes).len();
        let text = json::trim_end(&bytes[start..]);
        self.has_content |= !text.is_empty();
        (text, if start == 0 { Origin::START } else { Origin::START.after(&bytes[..start]) })
    }

    /// Returns the origin of the next byte if the form is one text a line and the byte starts a line.
    pub fn line_start(&self) -> Option<Origin> {
        match &self.splitter {
            Splitter::Lines(lines) if lines.at_line_start() && !lines.is_wide() => Some(lines.position()),
            _ => None,
        }
    }

    /// Skips whole lines that have been read elsewhere; the next line starts at `end`.
    pub fn skip(&mut self, lines: &[u8], end: Origin) {
        self.bytes += lines.len() as u64;
        self.ends_with_newline = true;
        self.has_content |= lines.iter().any(|byte| !json::is_space(byte));
        self.splitter = Splitter::Lines(lines::Lines::new(end, self.max_frame));
    }

    /// Ends the input, and calls `out` with each piece that its end completes.
    pub fn finish(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        self.finish_detection(out);
        match &mut self.splitter {
            Splitter::Unknown(_) | Splitter::Unreadable => {}
            Splitter::Lines(lines) => lines.finish(out),
            Splitter::Values(values) => values.finish(self.ends_with_newline, out),
            Splitter::Sse(sse) => sse.finish(out),
        }
    }

    /// Decides about the encoding and the form of an input that has no further bytes, and reads what was buffered until
    /// then.
    fn finish_detection(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        self.begin(&mut FnSink(&mut *out));
        if let Some(decoder) = &mut self.decoder {
            let mut rest = Vec::new();
            decoder.finish(&mut rest);
            self.feed_decoded(&rest, &mut FnSink(&mut *out));
        }
        if let Splitter::Unknown(head) = &mut self.splitter {
            let (wire, buffered) = head.finish();
            self.start(wire, &buffered, &mut FnSink(&mut *out));
        }
    }

    /// Ends the input except for its last line, which may go on in another file: returns that line and its origin if it
    /// has no line end. [`Input::finish`] must be called unless the line is read elsewhere.
    pub(crate) fn open_line(&mut self, out: &mut dyn FnMut(Piece<'_>)) -> Option<(&[u8], Origin)> {
        self.finish_detection(out);
        match &self.splitter {
            Splitter::Lines(lines) => lines.open_line(),
            _ => None,
        }
    }

    /// Starts splitting with the detected form and the bytes that were buffered until then.
    fn start(&mut self, wire: Wire, buffered: &[u8], out: &mut dyn PieceSink) {
        let mut origin = self.first;
        let (mut buffered, wide) = (buffered, self.decoder.is_some());
        if let Some(rest) = buffered.strip_prefix(detect::BYTE_ORDER_MARK) {
            origin.offset += if wide { 2 } else { detect::BYTE_ORDER_MARK.len() as u64 };
            buffered = rest;
        }
        self.splitter = match wire {
            Wire::Ndjson | Wire::JsonRpc => Splitter::Lines(lines::Lines::of(origin, self.max_frame, wide)),
            Wire::Json => Splitter::Values(values::Values::new(origin, self.max_frame, wide)),
            Wire::Sse => {
                let mut sse = sse::Sse::new(origin, self.max_frame, wide);
                sse.reads_done = self.reads_done;
                Splitter::Sse(sse)
            }
        };
        self.split(buffered, out);
    }

    /// Reads the next bytes in the form that is known by now.
    fn split(&mut self, bytes: &[u8], out: &mut dyn PieceSink) {
        if !self.has_content {
            self.has_content = bytes.iter().any(|byte| !json::is_space(byte));
        }
        match &mut self.splitter {
            Splitter::Unknown(_) | Splitter::Unreadable => {}
            Splitter::Lines(lines) => lines.feed(bytes, out),
            Splitter::Values(values) => values.feed(bytes, &mut |piece| out.piece(piece)),
            Splitter::Sse(sse) => sse.feed(bytes, out),
        }
    }

    /// Returns the origin of the next byte, to report what is wrong with the end of the input.
    pub fn position(&self) -> Origin {
        match &self.splitter {
            Splitter::Unknown(_) | Splitter::Unreadable => self.first,
            Splitter::Lines(lines) => lines.position(),
            Splitter::Values(values) => values.position(),
            Splitter::Sse(sse) => sse.position(),
        }
    }
}

/// The state of an [`Input`], to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct InputState {
    start: Option<Vec<u8>>,
    decoder: Option<Utf16Decoder>,
    splitter: Splitter,
    bytes: u64,
    has_content: bool,
    ends_with_newline: bool,
}

impl Input {
    /// Returns the state, to be stored.
    pub(crate) fn state(&self) -> InputState {
        let Input { start, decoder, splitter, bytes, has_content, ends_with_newline, .. } = self.clone();
        InputState { start, decoder, splitter, bytes, has_content, ends_with_newline }
    }

    /// Returns an input that continues from a stored state; `None` if no input can be in that state. `wire` and
    /// `max_frame` must be those of the stored input.
    pub(crate) fn restored(state: InputState, wire: Option<Wire>, max_frame: usize) -> Option<Input> {
        let InputState { start, decoder, splitter, bytes, has_content, ends_with_newline } = state;
        let is_sound = match &splitter {
            Splitter::Unreadable => true,
            Splitter::Unknown(detector) => detector.is_sound(wire),
            Splitter::Lines(lines) => lines.is_sound(max_frame),
            Splitter::Values(values) => values.is_sound(max_frame),
            Splitter::Sse(sse) => sse.is_sound(max_frame),
        };
        let is_start = start.as_ref().is_none_or(|start| start.len() < encoding::EXAMINED);
        let is_decoder = decoder.as_ref().is_none_or(Utf16Decoder::is_sound);
        let first = Origin::START;
        let reads_done = false;
        let input =
            Input { first, start, decoder, splitter, max_frame, reads_done, bytes, has_content, ends_with_newline };
        (is_sound && is_start && is_decoder && bytes < MOST_BYTES).then_some(input)
    }
}

/// Returns the form in which [`Input`] reads these bytes: `wire` if it is given, or else the form that is detected.
pub fn wire_of(bytes: &[u8], wire: Option<Wire>, max_frame: usize) -> Wire {
    let mut head = detect::FormDetector::new(wire);
    head.feed(bytes, max_frame).unwrap_or_else(|| head.finish()).0
}

/// Returns the fault of a frame that is longer than the limit. `kept` is the start of the frame's text, and `in_file` the
/// length that the text has in the file, in bytes.
fn too_long(start: Origin, length: u64, in_file: u64, kept: &[u8], limit: usize) -> Piece<'static> {
    // The excerpt must not depend on the chunks in which the bytes arrived: no more than the limit, and one line.
    let kept = &kept[..kept.len().min(limit).min(KEPT_OF_TOO_LONG)];
    let kept = &kept[..memchr::memchr(b'\n', kept).unwrap_or(kept.len())];
    let kept = match std::str::from_utf8(kept) {
        // The cut is within the last character.
        Err(error) if error.error_len().is_none() => &kept[..error.valid_up_to()],
        _ => kept,
    };
    let excerpt = crate::finding::Excerpt { cut_after: true, ..window(kept, start.column, 0..kept.len()) };
    Piece::Fault(InputFault {
        rule: Framing::LineTooLong,
        place: Place::new(start.line, start.column, start.offset..start.offset + in_file).with_excerpt(excerpt),
        message: format!("this was not read, because its {length} bytes exceed the limit of {limit}"),
        help: None,
        lost: true,
    })
}

/// The length of the excerpt from a frame that is too long, in bytes.
const KEPT_OF_TOO_LONG: usize = 200;
