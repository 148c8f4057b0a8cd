//! Inserts an event after another one: in the same framing, with the time and the stream of its neighbour.

use std::ops::Range;

use serde_json::Value;
use sessionlint_core::input::Wire;
use sessionlint_core::input::json::Node;
use sessionlint_core::protocol::put;

use super::edit::Site;
use crate::lint::canonical::{FixtureReader, Layout, canonical_event, line_end, text_start};

/// The member that makes a JSON-RPC message a request; its value must be unique, so it is not copied.
const ID: &[u8] = b"\"id\"";

/// Returns the place after an event and the bytes to insert there; `None` if they cannot be framed like the neighbour.
pub fn insertion(
    reader: &FixtureReader<'_>,
    bytes: &[u8],
    site: &Site,
    template: &Value,
) -> Option<(Range<usize>, Vec<u8>)> {
    let text = &bytes[site.frame.clone()];
    let message = message(reader, text, site, template)?;
    let (end, behind) = (line_end(bytes), &bytes[site.frame.end..]);
    let at = |length: usize| site.frame.end + length..site.frame.end + length;
    match reader.wire_of(bytes) {
        Wire::Ndjson | Wire::JsonRpc if reader.layout != Some(Layout::Kept) || is_line(bytes, &site.frame) => {
            Some(match memchr::memchr(b'\n', behind) {
                Some(length) => (at(length + 1), [&message, end].concat()),
                None => (at(behind.len()), [end, &message].concat()),
            })
        }
        Wire::Ndjson | Wire::JsonRpc => None,
        Wire::Json => {
            let before = &bytes[text_start(bytes)..site.frame.start];
            let space = &before[before.trim_ascii_end().len()..];
            let in_array = before.trim_ascii_start().first() == Some(&b'[');
            let space = if space.is_empty() && !in_array { end } else { space };
            Some((at(0), [if in_array { b"," } else { &b""[..] }, space, &message].concat()))
        }
        Wire::Sse => {
            let start = memchr::memrchr(b'\n', &bytes[..site.frame.start]).map_or(text_start(bytes), |at| at + 1);
            let blank = [end, end].concat();
            // If there are other fields, such as an id, nothing is inserted: their values cannot be invented.
            let alone = start == text_start(bytes) || bytes[..start].ends_with(&blank);
            let framed = [&bytes[start..site.frame.start], &message, &blank].concat();
            (alone && behind.starts_with(&blank)).then(|| (at(blank.len()), framed))
        }
    }
}

/// Returns whether a frame has its line to itself, apart from white space.
fn is_line(bytes: &[u8], frame: &Range<usize>) -> bool {
    let start = memchr::memrchr(b'\n', &bytes[..frame.start]).map_or(text_start(bytes), |at| at + 1);
    let end = memchr::memchr(b'\n', &bytes[frame.end..]).map_or(bytes.len(), |at| frame.end + at);
    [start..frame.start, frame.end..end].into_iter().all(|range| bytes[range].trim_ascii().is_empty())
}

/// Returns the event from the template, in the wrapper of its neighbour.
fn message(reader: &FixtureReader<'_>, text: &[u8], site: &Site, template: &Value) -> Option<Vec<u8>> {
    let shape = &reader.protocol.tables().shape;
    let mut event = template.clone();
    for at in [&shape.time, &shape.stream].into_iter().flatten() {
        put(&mut event, at, verbatim_value(text, site.event.at(text, &at.0)?)?);
    }
    let name = event.pointer(&shape.event_type.text())?.as_str()?;
    let event = canonical_event(reader.protocol, reader.protocol.event_id(name)?, &event);
    let (before, behind) = (&text[..site.event.span.start], &text[site.event.span.end..]);
    let neighbour = reader.protocol.tables().events[site.event_type].name.as_bytes();
    let holds = |what: &[u8]| [before, behind].iter().any(|part| memchr::memmem::find(part, what).is_some());
    // A wrapper that names the event it holds is not copied.
    if holds(ID) || holds(neighbour) {
        return None;
    }
    Some([before, &event, behind].concat())
}

/// Returns a value if it serialises to exactly the bytes of the source text.
fn verbatim_value(text: &[u8], node: &Node) -> Option<Value> {
    let value = node.to_value(text);
    (value.to_string().as_bytes() == &text[node.span.clone()]).then_some(value)
}
