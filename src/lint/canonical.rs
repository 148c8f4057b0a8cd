//! The canonical form of a fixture: one event per line, keys in the order of the schema, date-times in one spelling.
//!
//! The form is assembled from byte ranges of the source text and never from parsed values: numbers, strings with their
//! escapes and unknown fields are copied byte for byte. Text that cannot be read is left unchanged. Before the form is
//! written, `fix.rs` checks that it changes no finding: the layout of broken text can matter to whoever reads it.

mod change;
mod event;
mod lines;

use std::ops::Range;

pub use change::{Change, Changes, Deviation};
pub use event::canonical_event;

use event::TypedValue;
use sessionlint_core::event::Event;
use sessionlint_core::event::Options;
use sessionlint_core::event::parse_frame;
use sessionlint_core::input::json::{Node, Tree};
use sessionlint_core::input::{BYTE_ORDER_MARK, Frame, Input, Piece, Wire, wire_of};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::records::{Classifier, FrameItem};

/// The layout of the events in a file, as the file's name decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One event a line.
    Lines,
    /// The existing layout, which is up to the formatter of the user's JSON.
    Kept,
}

impl Layout {
    /// Returns the layout for the extension of a file's name; `None` if the content decides.
    pub fn of_name(name: &str) -> Option<Layout> {
        Layout::of_ending(&name.rsplit_once('.')?.1.to_ascii_lowercase())
    }

    /// Returns the layout for a lower-case file extension, or for the language of a block.
    pub fn of_ending(ending: &str) -> Option<Layout> {
        match ending {
            "ndjson" | "jsonl" => Some(Layout::Lines),
            "json" => Some(Layout::Kept),
            _ => None,
        }
    }
}

/// Reads the frames and events of a fixture, for formatting and fixing.
pub struct FixtureReader<'p> {
    pub protocol: &'p Protocol,
    pub wire: Option<Wire>,
    pub max_line_bytes: usize,
    /// `None`: one event per line if each line holds one JSON text; otherwise the existing layout.
    pub layout: Option<Layout>,
    /// Finds the kinds of records; `None` unless the protocol is one of records.
    classifier: Option<Classifier<'p>>,
}

/// The canonical form of a fixture that is not in that form yet.
#[derive(Debug)]
pub struct CanonicalForm {
    /// The canonical form of the whole fixture.
    pub bytes: Vec<u8>,
    /// The first place that deviates.
    pub first: Deviation,
    pub changes: Changes,
}

impl<'p> FixtureReader<'p> {
    /// Returns a reader for the fixture `name`, whose extension decides its layout and may decide the kind of its
    /// records. `kind`: the kind of records that the caller named.
    pub fn of(protocol: &'p Protocol, options: &Options, name: &str, kind: Option<usize>) -> FixtureReader<'p> {
        let records = protocol.tables().records.as_ref();
        FixtureReader {
            protocol,
            wire: options.wire(),
            max_line_bytes: options.max_line_bytes(),
            layout: Layout::of_name(name),
            classifier: records.map(|records| Classifier::new(protocol, records, kind, Some(name))),
        }
    }

    /// Passes each frame of a fixture to `out`, and each piece that cannot be a frame.
    pub fn pieces(&self, bytes: &[u8], wire: Wire, out: &mut dyn FnMut(Piece<'_>)) {
        let mut input = Input::new(Some(wire), self.max_line_bytes);
        input.feed(bytes, out);
        input.finish(out);
    }

    /// Returns the wire form of the fixture.
    pub fn wire_of(&self, bytes: &[u8]) -> Wire {
        wire_of(bytes, self.wire, self.max_line_bytes)
    }

    /// Returns the event of a frame, if it holds one.
    pub fn event<'t>(&self, tree: &'t Tree, text: &'t [u8]) -> Option<Event<'t>> {
        Event::find(&tree.root, text, self.protocol, self.wire == Some(Wire::JsonRpc)).ok()
    }

    /// Returns the values of a frame that are of a known type, each with its schema.
    fn typed_values(&self, tree: &Tree, text: &[u8]) -> Vec<TypedValue<'p>> {
        let schema = |id: usize| &self.protocol.tables().events[id].schema;
        let (mut typed, time) = (Vec::new(), self.protocol.tables().shape.time.as_ref());
        match &self.classifier {
            None => {
                let event = self.event(tree, text);
                let known = event.and_then(|event| Some((event.node.span.start, event.event_type?)));
                typed.extend(known.map(|(start, id)| TypedValue { start, schema: schema(id) }));
            }
            Some(classifier) => classifier.classify(&tree.root, text, &mut |item| {
                // Other JSON may share field names with records; without a record's time, it is left alone.
                let has_time = |node: &Node| time.is_none_or(|time| node.at(text, &time.0).is_some());
                if let FrameItem::Record { node, kind, .. } = item
                    && has_time(node)
                {
                    typed.push(TypedValue { start: node.span.start, schema: schema(kind) });
                }
            }),
        }
        typed
    }

    /// Returns the text of a frame in its canonical form; `None` if it cannot be read, so that nothing in it may be
    /// moved. `at`: the offset of the text in the file.
    fn canonical_frame(&self, frame: &Frame<'_>, at: usize, compact: bool, changes: &mut Changes) -> Option<Vec<u8>> {
        // An event that is no JSON has one form.
        if self.classifier.is_none() && self.protocol.texts().any(|text| text.as_bytes() == frame.text.trim_ascii()) {
            changes.has_known_type = true;
            return Some(frame.text.trim_ascii().to_vec());
        }
        let tree = parse_frame(frame).ok().filter(|tree| tree.lone_surrogates.is_empty())?;
        let typed = self.typed_values(&tree, frame.text);
        changes.has_known_type |= !typed.is_empty();
        Some(event::write_canonical(frame.text, at, &tree, &typed, compact, changes))
    }
}

/// A frame, or a piece that cannot be read, with its bytes in the file.
struct Part {
    range: Range<usize>,
    /// The canonical form; `None` if it cannot be read.
    text: Option<Vec<u8>>,
}

/// Returns the canonical form of a fixture; `None` if it is in that form already.
pub fn canonical_form(reader: &FixtureReader<'_>, bytes: &[u8]) -> Option<CanonicalForm> {
    let wire = reader.wire_of(bytes);
    let usual = if matches!(wire, Wire::Ndjson | Wire::JsonRpc) { Layout::Lines } else { Layout::Kept };
    let layout = if wire == Wire::Sse { Layout::Kept } else { reader.layout.unwrap_or(usual) };
    if layout == Layout::Lines {
        let mut changes = Changes::default();
        let parts = parts(reader, bytes, wire, true, &mut changes);
        if let Some(new) = lines::write_lines(bytes, &parts, &mut changes) {
            let lines = if wire == Wire::Json && reader.wire.is_none() { Wire::Ndjson } else { wire };
            return changed_form(reader, bytes, new, lines, changes);
        }
        // A file that cannot be read entirely may be prose with some events in it: its layout is not ours to change.
    }
    let mut changes = Changes::default();
    let parts = parts(reader, bytes, wire, false, &mut changes);
    let new = replace_parts(bytes, wire, &parts, &mut changes);
    changed_form(reader, bytes, new, wire, changes)
}

/// Returns the new bytes as the canonical form, unless they change nothing or would be read differently. `wire`: the
/// wire form that must be detected in the new bytes. Detection goes by the first line, in which members may have moved.
fn changed_form(
    reader: &FixtureReader<'_>,
    old: &[u8],
    new: Vec<u8>,
    wire: Wire,
    changes: Changes,
) -> Option<CanonicalForm> {
    // Nor may the new first bytes look like a byte-order mark. A file without a known type is not ours to format.
    if new == old || !changes.has_known_type || reader.wire_of(&new) != wire || text_start(&new) != text_start(old) {
        return None;
    }
    let first = changes.first.clone()?;
    Some(CanonicalForm { bytes: new, first, changes })
}

fn parts(reader: &FixtureReader<'_>, bytes: &[u8], wire: Wire, compact: bool, changes: &mut Changes) -> Vec<Part> {
    let mut parts = Vec::new();
    reader.pieces(bytes, wire, &mut |piece| match piece {
        Piece::Frame(frame) => {
            let last = frame.segments[frame.segments.len() - 1];
            let start = frame.segments[0].origin.offset as usize;
            let end = last.origin.offset as usize + frame.text.len() - last.at;
            // An event in several `data:` lines has no single range of bytes to rewrite, and one in UTF-16 is no text.
            let whole = frame.segments.len() == 1 && !frame.wide;
            let text = if whole { reader.canonical_frame(&frame, start, compact, changes) } else { None };
            parts.push(Part { range: start..end, text });
        }
        Piece::Stray(frame) => {
            let place = frame.bare_place(0..frame.text.len(), None);
            parts.push(Part { range: place.start as usize..place.end as usize, text: None });
        }
        Piece::Odd(..) => {}
        Piece::Fault(broken) => {
            parts.push(Part { range: broken.place.start as usize..broken.place.end as usize, text: None });
        }
    });
    parts
}

/// Returns the file with the text of each readable part replaced by its canonical form.
fn replace_parts(bytes: &[u8], wire: Wire, parts: &[Part], changes: &mut Changes) -> Vec<u8> {
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

/// Returns the line end that a file uses: that of its first line.
pub fn line_end(bytes: &[u8]) -> &'static [u8] {
    let end = memchr::memchr(b'\n', bytes);
    if end.is_some_and(|end| bytes[..end].ends_with(b"\r")) { b"\r\n" } else { b"\n" }
}

/// Returns the offset at which the text of a file starts, after a byte-order mark.
pub fn text_start(bytes: &[u8]) -> usize {
    if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

#[cfg(test)]
mod tests;
