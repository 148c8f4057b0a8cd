//! Compares the fast path with the slow path, for the property test and the fuzz target.

use std::ops::Range;
use std::slice;

use super::fast_reader::{FastEvent, FastLine, FastReader};
use crate::event::Event;
use crate::event::capturing::mark_unreadable;
use crate::input::json::parse;
use crate::protocol::Protocol;
use crate::protocol::tables::EventType;
use crate::schema::captures::{Capture, Captures};
use crate::schema::{Wordings, explain, judge, unknown_names};

/// Judges one event on every path. Returns whether the fast path judged it.
///
/// # Errors
///
/// If the paths disagree, with a description of the difference: where the fast path judges, it must find the faults,
/// the fields and the unknown keys that the slow path finds.
pub fn paths_agree(protocol: &Protocol, text: &[u8]) -> Result<bool, String> {
    let mut fast = Captures::default();
    if std::str::from_utf8(text).is_err() {
        return Ok(false);
    }
    let fast_event = FastReader::new(protocol).read(text, &mut fast);
    if fast_event.is_none() && fast != Captures::default() {
        return Err("the fast path left captures of an event behind that it was not sure of".to_owned());
    }
    // A reader that knows how the event is written reads it by its template, and as a part of something else.
    let mut reader = reader_of(protocol, &[text, text]);
    let mut again = Captures::default();
    if reader.read(text, &mut again) != fast_event || again != fast {
        return Err(format!("without a template {fast:?}, with one {again:?}"));
    }
    as_a_line(protocol, text, fast_event.as_ref(), &fast)?;
    as_server_sent(protocol, text, fast_event.as_ref(), &fast)?;
    as_a_part(protocol, text, fast_event.as_ref(), &fast)?;
    let Some(fast_event) = fast_event else { return Ok(false) };
    let tree = parse(text).map_err(|fault| format!("the slow path cannot read it: {}", fault.message))?;
    let event = Event::find(&tree.root, text, protocol, false).map_err(|_| "the slow path found no event")?;
    if !tree.duplicate_keys.is_empty() || !tree.lone_surrogates.is_empty() {
        return Err("the slow path found repeated keys or lone surrogates".to_owned());
    }
    if event.event_type != Some(fast_event.event_type) || event.type_span != fast_event.type_span {
        return Err(format!("the slow path found the type {} at {:?}", event.name, event.type_span));
    }
    let event_type = &protocol.tables().events[fast_event.event_type];
    let program = event_type.plan().map_err(|why| format!("judged without a program: {why}"))?;
    let (mut fast_fields, mut slow) = (Captures::default(), Captures::default());
    fast_fields.copy(fast.all());
    event.capture(text, event_type, &mut slow);
    let (noun, mut wordings) = (event_type.schema.noun(), Wordings::default());
    let found = explain(noun, program, text, fast.all(), &mut wordings, &mut |fault| {
        mark_unreadable(event_type, slice::from_ref(fault), &mut fast_fields);
    });
    let again = explain(noun, program, text, fast.all(), &mut wordings, &mut |_| {});
    if found != again {
        return Err(format!("other words the second time: first {found:?}, then {again:?}"));
    }
    let expected = judge(&event_type.schema, event.node, text, &mut |fault| {
        mark_unreadable(event_type, slice::from_ref(fault), &mut slow);
    });
    if found != expected {
        return Err(format!("other faults: compiled {found:?}, by the crate {expected:?}"));
    }
    for captures in [&mut fast_fields, &mut slow] {
        mark_unreadable(event_type, &found.listed, captures);
    }
    same_captures(event_type, &fast_fields, &slow)?;
    let mut keys: Vec<_> = fast.unknown.iter().map(|key| key.start as usize).collect();
    let mut expected = Vec::new();
    unknown_names(&event_type.schema, event.node, text, &mut |_, name, _| expected.push(name.start + 1));
    keys.sort_unstable();
    expected.sort_unstable();
    if keys != expected {
        return Err(format!("other unknown names: fast at {keys:?}, slow at {expected:?}"));
    }
    if let Some(Capture::Text(start, end)) = event_type.time.map(|slot| fast_fields.fields[slot]) {
        let written = String::from_utf8_lossy(&text[start as usize..end as usize]);
        if event_type.usual_time && crate::schema::date_time::parse(&written).is_none() {
            return Err(format!("{written} passed as a timestamp"));
        }
    }
    Ok(true)
}

/// Returns whether a reader that has read other events before reads an event as one that has read none.
///
/// # Errors
///
/// If it does not, with a description of the difference.
pub fn reads_alike(protocol: &Protocol, before: &[&[u8]], text: &[u8]) -> Result<(), String> {
    if before.iter().chain([&text]).any(|text| std::str::from_utf8(text).is_err()) {
        return Ok(());
    }
    let (mut alone, mut behind) = (Captures::default(), Captures::default());
    let event = FastReader::new(protocol).read(text, &mut alone);
    if reader_of(protocol, before).read(text, &mut behind) != event || behind != alone {
        return Err(format!("alone {alone:?}, behind the others {behind:?}"));
    }
    as_a_line_of(reader_of(protocol, before), text, event.as_ref(), &alone)
}

/// Returns a reader that has read these events.
fn reader_of(protocol: &Protocol, events: &[&[u8]]) -> FastReader {
    let mut reader = FastReader::new(protocol);
    for event in events {
        reader.read(event, &mut Captures::default());
    }
    reader
}

/// Compares the event with its reading as one line of several, whose end is not known beforehand.
fn as_a_line(
    protocol: &Protocol,
    text: &[u8],
    fast_event: Option<&FastEvent>,
    captures: &Captures,
) -> Result<(), String> {
    as_a_line_of(reader_of(protocol, &[text, text]), text, fast_event, captures)
}

fn as_a_line_of(
    mut reader: FastReader,
    text: &[u8],
    fast_event: Option<&FastEvent>,
    captures: &Captures,
) -> Result<(), String> {
    // The next line continues the event in case the reader misses the end of the first one.
    let lines = [text, b"\n", text, b"}}\"\n"].concat();
    let mut ahead = Captures::default();
    let Some((line, event)) = first_line::<false>(&mut reader, &lines, text.len(), &mut ahead) else {
        return if ahead == Captures::default() {
            Ok(())
        } else {
            Err("captures of a line were left behind that was not taken ahead".to_owned())
        };
    };
    if line.span.len() < line.text.len() {
        // What is around the event is the judge's.
        return Ok(());
    }
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = first.strip_suffix(b"\r").unwrap_or(first);
    let same = fast_event.is_some_and(|fast_event| {
        (fast_event.event_type, &fast_event.type_span) == (event.event_type, &event.type_span)
    });
    if line.text != (0..first.len()) || first.len() == text.len() && !(same && ahead == *captures) {
        return Err(format!("ahead, {} bytes with {ahead:?}; alone {captures:?}", line.text.end));
    }
    Ok(())
}

/// Compares the event with its reading as the data of a server-sent event.
fn as_server_sent(
    protocol: &Protocol,
    text: &[u8],
    fast_event: Option<&FastEvent>,
    captures: &Captures,
) -> Result<(), String> {
    let mut ahead = Captures::default();
    let name = fast_event.map_or("", |event| &protocol.tables().events[event.event_type].name);
    let lines = [b"event: ", name.as_bytes(), b"\ndata: ", text, b"\n\n"].concat();
    let line = first_line::<true>(&mut reader_of(protocol, &[text, text]), &lines, text.len(), &mut ahead);
    let start = lines.len() - 2 - text.len();
    match line {
        None if ahead == Captures::default() => Ok(()),
        Some((line, _))
            if line.text == (start..start + text.len()) && line.whole == lines.len() && ahead == *captures =>
        {
            Ok(())
        }
        // A text with a line end in it is more than one line.
        _ if text.iter().any(|byte| matches!(byte, b'\n' | b'\r')) => Ok(()),
        _ => Err(format!("as a server-sent event {ahead:?}; alone {captures:?}")),
    }
}

/// Reads the event on the first line ahead; `None` if it must be read like any other.
fn first_line<const SERVER_SENT: bool>(
    reader: &mut FastReader,
    lines: &[u8],
    longest: usize,
    captures: &mut Captures,
) -> Option<(FastLine, FastEvent)> {
    let mut line = FastLine::default();
    if !reader.read_line::<SERVER_SENT>(lines, longest, &mut line) {
        return None;
    }
    let reading = reader.reading().expect("it was read by a template");
    reading.capture(captures);
    let event = line.event(&reading);
    Some((line, event))
}

/// Compares the event with its reading as a part of a message.
fn as_a_part(
    protocol: &Protocol,
    text: &[u8],
    fast_event: Option<&FastEvent>,
    captures: &Captures,
) -> Result<(), String> {
    let before: &[u8] = br#"{"jsonrpc":"2.0","method":"event","params":"#;
    let lines = [before, text, b"}\n"].concat();
    let mut ahead = Captures::default();
    let mut reader = reader_of(protocol, &[text, text]);
    let Some((line, event)) = first_line::<false>(&mut reader, &lines, lines.len(), &mut ahead) else {
        return if ahead == Captures::default() {
            Ok(())
        } else {
            Err("captures of a part were left behind".to_owned())
        };
    };
    let length = before.len() as u32;
    let fields: Vec<_> = captures.fields.iter().map(|field| field.moved(length)).collect();
    let keys = |captures: &Captures| captures.unknown.iter().map(|key| key.start).collect::<Vec<_>>();
    let same_keys = keys(&ahead) == keys(captures).into_iter().map(|start| start + length).collect::<Vec<_>>();
    if line.span != (before.len()..before.len() + text.len()) {
        // An event that is not all of the text has something around it, which is the judge's.
        return Ok(());
    }
    let same_type = fast_event.is_some_and(|alone| {
        let Range { start, end } = alone.type_span;
        event.type_span == (before.len() + start..before.len() + end)
    });
    // A part with faults is judged on the slow path.
    let same_captures = !ahead.violations.is_empty() || ahead.fields == fields && same_keys;
    if !(same_type && same_captures) {
        return Err(format!("as a part {ahead:?}; alone {captures:?}"));
    }
    Ok(())
}

/// Compares the captures of both paths.
fn same_captures(event_type: &EventType, fast: &Captures, slow: &Captures) -> Result<(), String> {
    let slots = event_type.slots.len();
    let items = |captures: &Captures, array: usize| {
        let (items, width) = (captures.items[array], event_type.arrays[array].slots.len());
        // The start of an empty array's items is arbitrary.
        let first = if items.count == 0 { 0 } else { items.first as usize };
        (items.readable, captures.fields[first..first + items.count as usize * width].to_vec())
    };
    let same_items = (0..event_type.arrays.len()).all(|array| items(fast, array) == items(slow, array));
    if fast.fields[..slots] != slow.fields[..slots] || !same_items {
        return Err(format!("other captures: fast {fast:?}, slow {slow:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
