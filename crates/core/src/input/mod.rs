//! Bytes → frames, each with its place in the file.
//!
//! The form of the input is found from its content, a frame that cannot be read is a value, and nothing
//! here grows with the length of the input: one frame is held at a time, and no frame is longer than
//! the limit.

mod detect;
mod frame;
pub mod json;
pub(crate) mod lines;
mod sse;
mod values;

pub use detect::BYTE_ORDER_MARK;
pub use frame::window;
pub use frame::{Frame, Origin, Segment};
pub(crate) use frame::{Landmarks, Noted};

use crate::finding::Place;
use crate::framing::Framing;

/// How events stand in the input. Each of them may hold its events bare or in JSON-RPC messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// One JSON text a line.
    Ndjson,
    /// JSON texts one after the other, over any number of lines; the items of an outer array are taken
    /// one by one.
    Json,
    /// Server-sent events: `data:` lines.
    Sse,
    /// One JSON-RPC 2.0 message a line; those that carry no event are skipped.
    JsonRpc,
}

impl Wire {
    /// All of them, by the names that the command line uses.
    pub const ALL: [(&'static str, Wire); 4] =
        [("ndjson", Wire::Ndjson), ("json", Wire::Json), ("sse", Wire::Sse), ("json-rpc", Wire::JsonRpc)];
}

/// What comes out of the input.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A text to read as an event.
    Frame(Frame<'a>),
    /// Something that is no such text.
    Broken(Broken),
}

/// Where pieces go.
pub trait Recipient {
    /// Takes the next piece.
    fn piece(&mut self, piece: Piece<'_>);

    /// Takes events ahead of the search for the ends of their lines: those at the start of `lines`, as far as it is sure
    /// of them. `lines` are whole lines, valid UTF-8, and stand at `origin`; no frame may be longer than `longest`, in
    /// bytes. Gives the place behind the last line that was taken.
    fn ahead(&mut self, _lines: &[u8], origin: Origin, _longest: usize) -> Origin {
        origin
    }
}

/// A recipient that looks at pieces alone.
struct Pieces<F>(F);

impl<F: FnMut(Piece<'_>)> Recipient for Pieces<F> {
    fn piece(&mut self, piece: Piece<'_>) {
        (self.0)(piece);
    }
}

/// A part of the input that cannot be read.
#[derive(Debug)]
pub struct Broken {
    /// The rule that it breaks.
    pub rule: Framing,
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do, where that is particular.
    pub help: Option<&'static str>,
    /// Whether an event may have been lost with it.
    pub lost: bool,
}

/// Takes the bytes of one file, in any cut, and gives its frames.
#[derive(Clone)]
pub struct Input {
    splitter: Splitter,
    /// The longest frame, in bytes.
    max_frame: usize,
    bytes: u64,
    anything: bool,
    ends_with_newline: bool,
}

#[derive(Clone)]
enum Splitter {
    Unknown(detect::Head),
    Lines(lines::Lines),
    Values(values::Values),
    Sse(sse::Sse),
}

impl Input {
    /// Input of one file. Without `wire` the form is found from the content.
    pub fn new(wire: Option<Wire>, max_frame: usize) -> Input {
        let head = detect::Head::new(wire);
        Input { splitter: Splitter::Unknown(head), max_frame, bytes: 0, anything: false, ends_with_newline: false }
    }

    /// How many bytes came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether anything but white space and a byte-order mark came so far.
    pub fn has_content(&self) -> bool {
        self.anything
    }

    /// Whether the form is one in which there can be text that carries nothing: fields and comments without data.
    pub fn is_server_sent(&self) -> bool {
        matches!(self.splitter, Splitter::Sse(_))
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        self.feed_to(bytes, &mut Pieces(out));
    }

    /// The same for a recipient that may take events ahead.
    pub fn feed_to(&mut self, bytes: &[u8], out: &mut dyn Recipient) {
        let Some(last) = bytes.last() else { return };
        self.bytes += bytes.len() as u64;
        self.ends_with_newline = *last == b'\n';
        if let Splitter::Unknown(head) = &mut self.splitter {
            if let Some((wire, held)) = head.feed(bytes, self.max_frame) {
                self.start(wire, &held, out);
            }
        } else {
            self.split(bytes, out);
        }
    }

    /// Takes bytes that are one frame, beside whatever is fed. `row` is the caller's number of it.
    pub fn event(&mut self, bytes: &[u8], row: u64, out: &mut dyn FnMut(Piece<'_>)) {
        self.bytes += bytes.len() as u64;
        let start = bytes.len() - bytes.trim_ascii_start().len();
        let text = bytes[start..].trim_ascii_end();
        self.anything |= !text.is_empty();
        let origin = Origin::START.after(&bytes[..start]);
        let row = Some(row);
        if text.len() > self.max_frame {
            let Piece::Broken(mut broken) = too_long(origin, text.len() as u64, text, self.max_frame) else { return };
            broken.place.row = row;
            return out(Piece::Broken(broken));
        }
        out(Piece::Frame(Frame { text, segments: &[Segment { at: 0, origin }], terminated: true, utf8: false, row }));
    }

    /// Where the next byte stands, if the input is one event a line and it starts a line.
    pub fn line_start(&self) -> Option<Origin> {
        match &self.splitter {
            Splitter::Lines(lines) if lines.at_line_start() => Some(lines.position()),
            _ => None,
        }
    }

    /// Passes over whole lines that were read already; the next one starts at `end`.
    pub fn skip(&mut self, lines: &[u8], end: Origin) {
        self.bytes += lines.len() as u64;
        self.ends_with_newline = true;
        self.anything |= lines.iter().any(|byte| !byte.is_ascii_whitespace());
        self.splitter = Splitter::Lines(lines::Lines::new(end, self.max_frame));
    }

    /// Ends the input.
    pub fn finish(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        if let Splitter::Unknown(head) = &mut self.splitter {
            let (wire, held) = head.finish();
            self.start(wire, &held, &mut Pieces(&mut *out));
        }
        match &mut self.splitter {
            Splitter::Unknown(_) => {}
            Splitter::Lines(lines) => lines.finish(out),
            Splitter::Values(values) => values.finish(self.ends_with_newline, out),
            Splitter::Sse(sse) => sse.finish(out),
        }
    }

    fn start(&mut self, wire: Wire, held: &[u8], out: &mut dyn Recipient) {
        let mut origin = Origin::START;
        let mut held = held;
        if let Some(rest) = held.strip_prefix(detect::BYTE_ORDER_MARK) {
            origin.offset = detect::BYTE_ORDER_MARK.len() as u64;
            held = rest;
        }
        self.splitter = match wire {
            Wire::Ndjson | Wire::JsonRpc => Splitter::Lines(lines::Lines::new(origin, self.max_frame)),
            Wire::Json => Splitter::Values(values::Values::new(origin, self.max_frame)),
            Wire::Sse => Splitter::Sse(sse::Sse::new(origin, self.max_frame)),
        };
        self.split(held, out);
    }

    fn split(&mut self, bytes: &[u8], out: &mut dyn Recipient) {
        if !self.anything {
            self.anything = bytes.iter().any(|byte| !byte.is_ascii_whitespace());
        }
        match &mut self.splitter {
            Splitter::Unknown(_) => {}
            Splitter::Lines(lines) => lines.feed(bytes, out),
            Splitter::Values(values) => values.feed(bytes, &mut |piece| out.piece(piece)),
            Splitter::Sse(sse) => sse.feed(bytes, &mut |piece| out.piece(piece)),
        }
    }

    /// Where the input stands now, for what is wrong with its end.
    pub fn position(&self) -> Origin {
        match &self.splitter {
            Splitter::Unknown(_) => Origin::START,
            Splitter::Lines(lines) => lines.position(),
            Splitter::Values(values) => values.position(),
            Splitter::Sse(sse) => sse.position(),
        }
    }
}

/// The form that an input is read in: what the caller says, or what is found from its content.
pub fn wire_of(bytes: &[u8], wire: Option<Wire>, max_frame: usize) -> Wire {
    let mut head = detect::Head::new(wire);
    head.feed(bytes, max_frame).unwrap_or_else(|| head.finish()).0
}

/// A frame that is longer than the limit.
fn too_long(start: Origin, length: u64, kept: &[u8], limit: usize) -> Piece<'static> {
    // What is kept must not depend on how the bytes came: no more than the limit, and one line.
    let kept = &kept[..kept.len().min(limit).min(KEPT_OF_TOO_LONG)];
    let kept = &kept[..memchr::memchr(b'\n', kept).unwrap_or(kept.len())];
    let kept = match std::str::from_utf8(kept) {
        // The last character is cut in two.
        Err(error) if error.error_len().is_none() => &kept[..error.valid_up_to()],
        _ => kept,
    };
    let excerpt = crate::finding::Excerpt { cut_after: true, ..frame::window(kept, start.column, 0..kept.len()) };
    Piece::Broken(Broken {
        rule: Framing::LineTooLong,
        place: Place::new(start.line, start.column, start.offset..start.offset + length).with_excerpt(excerpt),
        message: format!("this is {length} bytes long, and the limit is {limit}: it was not read"),
        help: None,
        lost: true,
    })
}

/// How much of a frame that is too long is kept for showing, in bytes.
const KEPT_OF_TOO_LONG: usize = 200;
