//! The canonical form of a fixture: one event a line, keys in the order of the schema, date-times in one spelling.
//!
//! It is made from byte ranges of the source text and never through values: numbers, strings with their escapes and
//! unknown fields come through byte for byte. What cannot be read stays as it is. Whoever writes the form checks first
//! that it leaves the findings as they are (`fix.rs`): the form of broken text can matter to its reader.

mod change;
mod event;
mod lines;

use std::ops::Range;

pub use change::{Change, Changes, Deviation};
pub use event::in_order;

use event::Judged;
use sessionlint_core::event::Event;
use sessionlint_core::event::Options;
use sessionlint_core::event::read;
use sessionlint_core::input::json::{Node, Tree};
use sessionlint_core::input::{BYTE_ORDER_MARK, Frame, Input, Piece, Wire, wire_of};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::records::{Found, Sorter};

/// How events stand in a file, as its name says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One event a line.
    Lines,
    /// As it is: it belongs to whoever formats the user's JSON.
    Kept,
}

impl Layout {
    /// By the ending of a file's name; none: its content decides.
    pub fn of_name(name: &str) -> Option<Layout> {
        Layout::of_ending(&name.rsplit_once('.')?.1.to_ascii_lowercase())
    }

    /// By an ending in small letters, or by the language of a block.
    pub fn of_ending(ending: &str) -> Option<Layout> {
        match ending {
            "ndjson" | "jsonl" => Some(Layout::Lines),
            "json" => Some(Layout::Kept),
            _ => None,
        }
    }
}

/// How a fixture is read for its form.
pub struct Reading<'p> {
    pub protocol: &'p Protocol,
    pub wire: Option<Wire>,
    pub max_line_bytes: usize,
    /// None: lines where each holds one JSON text, and as it is otherwise.
    pub layout: Option<Layout>,
    /// Finds the kinds of records, where the protocol is one of records.
    sorter: Option<Sorter<'p>>,
}

/// A fixture that is not in its canonical form.
#[derive(Debug)]
pub struct Canonical {
    /// How it would be.
    pub bytes: Vec<u8>,
    /// The first place that deviates.
    pub first: Deviation,
    pub changes: Changes,
}

impl<'p> Reading<'p> {
    /// `name`: the fixture's, whose ending decides on its layout, and may tell the kind of records. `kind`: the kind that
    /// the caller says.
    pub fn of(protocol: &'p Protocol, options: &Options, name: &str, kind: Option<usize>) -> Reading<'p> {
        let records = protocol.tables().records.as_ref();
        Reading {
            protocol,
            wire: options.wire,
            max_line_bytes: options.max_line_bytes,
            layout: Layout::of_name(name),
            sorter: records.map(|records| Sorter::new(protocol, records, kind, Some(name))),
        }
    }

    /// Gives the frames of a fixture, and what cannot be one.
    pub fn pieces(&self, bytes: &[u8], wire: Wire, out: &mut dyn FnMut(Piece<'_>)) {
        let mut input = Input::new(Some(wire), self.max_line_bytes);
        input.feed(bytes, out);
        input.finish(out);
    }

    /// The form that the fixture is in.
    pub fn wire_of(&self, bytes: &[u8]) -> Wire {
        wire_of(bytes, self.wire, self.max_line_bytes)
    }

    /// The event of a frame, if it has one.
    pub fn event<'t>(&self, tree: &'t Tree, text: &'t [u8]) -> Option<Event<'t>> {
        Event::find(&tree.root, text, self.protocol, self.wire == Some(Wire::JsonRpc)).ok()
    }

    /// Where the values of a frame stand that are of a known type, and their types.
    fn judged(&self, tree: &Tree, text: &[u8]) -> Vec<Judged<'p>> {
        let schema = |id: usize| &self.protocol.tables().events[id].schema;
        let (mut judged, time) = (Vec::new(), self.protocol.tables().shape.time.as_ref());
        match &self.sorter {
            None => {
                let event = self.event(tree, text);
                let known = event.and_then(|event| Some((event.node.span.start, self.protocol.event_id(&event.name)?)));
                judged.extend(known.map(|(start, id)| Judged { start, schema: schema(id) }));
            }
            Some(sorter) => sorter.sort(&tree.root, text, &mut |found| {
                // Other JSON may have names in common with records; without what every record has, it stays.
                let has_time = |node: &Node| time.is_none_or(|time| node.at(text, &time.0).is_some());
                if let Found::Record { node, kind, .. } = found
                    && has_time(node)
                {
                    judged.push(Judged { start: node.span.start, schema: schema(kind) });
                }
            }),
        }
        judged
    }

    /// The text of a frame in its canonical form; none if it cannot be read, so that nothing of it may move. `at`: where
    /// the text starts in the file.
    fn frame(&self, frame: &Frame<'_>, at: usize, compact: bool, changes: &mut Changes) -> Option<Vec<u8>> {
        let tree = read(frame).ok().filter(|tree| tree.lone_surrogates.is_empty())?;
        let judged = self.judged(&tree, frame.text);
        changes.known |= !judged.is_empty();
        Some(event::written(frame.text, at, &tree, &judged, compact, changes))
    }
}

/// A frame or something that cannot be read, where it stands in the file.
struct Part {
    range: Range<usize>,
    /// Its canonical form, if it can be read.
    text: Option<Vec<u8>>,
}

/// The canonical form of a fixture; none if it is in that form.
pub fn canonical(reading: &Reading<'_>, bytes: &[u8]) -> Option<Canonical> {
    let wire = reading.wire_of(bytes);
    let usual = if matches!(wire, Wire::Ndjson | Wire::JsonRpc) { Layout::Lines } else { Layout::Kept };
    let layout = if wire == Wire::Sse { Layout::Kept } else { reading.layout.unwrap_or(usual) };
    if layout == Layout::Lines {
        let mut changes = Changes::default();
        let parts = parts(reading, bytes, wire, true, &mut changes);
        if let Some(new) = lines::written(bytes, &parts, &mut changes) {
            let lines = if wire == Wire::Json && reading.wire.is_none() { Wire::Ndjson } else { wire };
            return deviating(reading, bytes, new, lines, changes);
        }
        // Where anything cannot be read, it may be a text that has some events in it: its layout is somebody else's.
    }
    let mut changes = Changes::default();
    let parts = parts(reading, bytes, wire, false, &mut changes);
    let new = kept(bytes, wire, &parts, &mut changes);
    deviating(reading, bytes, new, wire, changes)
}

/// `wire`: the form that a reader must find in the new bytes. It goes by the first line, in which members may have moved.
fn deviating(reading: &Reading<'_>, old: &[u8], new: Vec<u8>, wire: Wire, changes: Changes) -> Option<Canonical> {
    // Nor may what is left of the beginning become a byte-order mark.
    // What holds nothing of the protocol has its form from somebody else.
    if new == old || !changes.known || reading.wire_of(&new) != wire || text_start(&new) != text_start(old) {
        return None;
    }
    let first = changes.first.clone()?;
    Some(Canonical { bytes: new, first, changes })
}

fn parts(reading: &Reading<'_>, bytes: &[u8], wire: Wire, compact: bool, changes: &mut Changes) -> Vec<Part> {
    let mut parts = Vec::new();
    reading.pieces(bytes, wire, &mut |piece| match piece {
        Piece::Frame(frame) => {
            let last = frame.segments[frame.segments.len() - 1];
            let start = frame.segments[0].origin.offset as usize;
            let end = last.origin.offset as usize + frame.text.len() - last.at;
            // The lines of one event are put together by its reader alone.
            let whole = frame.segments.len() == 1;
            let text = if whole { reading.frame(&frame, start, compact, changes) } else { None };
            parts.push(Part { range: start..end, text });
        }
        Piece::Fault(broken) => {
            parts.push(Part { range: broken.place.start as usize..broken.place.end as usize, text: None });
        }
    });
    parts
}

/// The file with each part in its place.
fn kept(bytes: &[u8], wire: Wire, parts: &[Part], changes: &mut Changes) -> Vec<u8> {
    let (mut new, mut at) = (Vec::with_capacity(bytes.len() + 2), 0);
    for Part { range, text } in parts {
        if let Some(text) = text {
            new.extend_from_slice(&bytes[at..range.start]);
            new.extend_from_slice(text);
            at = range.end;
        }
    }
    new.extend_from_slice(&bytes[at..]);
    let readable = parts.iter().all(|part| part.text.is_some());
    if readable && wire != Wire::Sse && !bytes.ends_with(b"\n") {
        changes.note(Change::LineEnd, bytes.len()..bytes.len(), || "the last line has no line end".to_owned());
        new.extend_from_slice(line_end(bytes));
    }
    new
}

/// The line end that a file uses: that of its first line.
pub fn line_end(bytes: &[u8]) -> &'static [u8] {
    let end = memchr::memchr(b'\n', bytes);
    if end.is_some_and(|end| bytes[..end].ends_with(b"\r")) { b"\r\n" } else { b"\n" }
}

/// Where the text of a file starts.
pub fn text_start(bytes: &[u8]) -> usize {
    if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

#[cfg(test)]
mod tests;
