//! An event that is put in behind another: in the same framing, with the time and the stream of that one.

use std::ops::Range;

use serde_json::Value;
use sessionlint_core::input::Wire;
use sessionlint_core::input::json::Node;
use sessionlint_core::protocol::put;

use super::proposal::Site;
use crate::lint::canonical::{Layout, Reading, in_order, line_end, text_start};

/// The member of a JSON-RPC message that asks for an answer; no two messages have the same.
const ID: &[u8] = b"\"id\"";

/// The place behind an event, and what to put there; none where it cannot be framed like its neighbour.
pub fn inserted(reading: &Reading<'_>, bytes: &[u8], site: &Site, template: &Value) -> Option<(Range<usize>, Vec<u8>)> {
    let text = &bytes[site.frame.clone()];
    let message = message(reading, text, site, template)?;
    let (end, behind) = (line_end(bytes), &bytes[site.frame.end..]);
    let at = |length: usize| site.frame.end + length..site.frame.end + length;
    match reading.wire_of(bytes) {
        Wire::Ndjson | Wire::JsonRpc if reading.layout != Some(Layout::Kept) || is_line(bytes, &site.frame) => {
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
            // Other fields, such as an id, are not made up.
            let alone = start == text_start(bytes) || bytes[..start].ends_with(&blank);
            let framed = [&bytes[start..site.frame.start], &message, &blank].concat();
            (alone && behind.starts_with(&blank)).then(|| (at(blank.len()), framed))
        }
    }
}

/// Whether nothing else stands on its line.
fn is_line(bytes: &[u8], frame: &Range<usize>) -> bool {
    let start = memchr::memrchr(b'\n', &bytes[..frame.start]).map_or(text_start(bytes), |at| at + 1);
    let end = memchr::memchr(b'\n', &bytes[frame.end..]).map_or(bytes.len(), |at| frame.end + at);
    [start..frame.start, frame.end..end].into_iter().all(|range| bytes[range].trim_ascii().is_empty())
}

/// The event in the wrapper of its neighbour.
fn message(reading: &Reading<'_>, text: &[u8], site: &Site, template: &Value) -> Option<Vec<u8>> {
    let shape = &reading.protocol.tables().shape;
    let mut event = template.clone();
    for at in [&shape.time, &shape.stream].into_iter().flatten() {
        put(&mut event, at, copied(text, site.event.at(text, &at.0)?)?);
    }
    let name = event.pointer(&shape.event_type.text())?.as_str()?;
    let event = in_order(reading.protocol, reading.protocol.event_id(name)?, &event);
    let (before, behind) = (&text[..site.event.span.start], &text[site.event.span.end..]);
    let neighbour = reading.protocol.tables().events[site.event_type].name.as_bytes();
    let holds = |what: &[u8]| [before, behind].iter().any(|part| memchr::memmem::find(part, what).is_some());
    // A wrapper that speaks of the event that it holds is not copied.
    if holds(ID) || holds(neighbour) {
        return None;
    }
    Some([before, &event, behind].concat())
}

/// A value that will be written as it stands here, byte for byte.
fn copied(text: &[u8], node: &Node) -> Option<Value> {
    let value = node.to_value(text);
    (value.to_string().as_bytes() == &text[node.span.clone()]).then_some(value)
}
