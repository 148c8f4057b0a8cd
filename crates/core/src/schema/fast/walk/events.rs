//! Reads whole events: by the program of their schema, or by a flat one, where they are written in an order that is known.

use super::unknown_keys::read_unknown_keys;
use super::{Walker, nested};
use crate::schema::captures::{Capture, CaptureMark, Captures, Items};
use crate::schema::date_time;
use crate::schema::program::{Flat, Leaf, Memory, Program, Step};
use crate::schema::tokens::{End, Fallback, space, string_rest, word};

/// Reads one event, and appends its captures and its violations to `captures`.
///
/// # Errors
///
/// Returns [`Fallback`] if the slow path has to judge the event. `captures` is then unchanged.
pub(crate) fn read(
    program: &Program,
    text: &[u8],
    memory: &mut Memory,
    captures: &mut Captures,
) -> Result<(), Fallback> {
    let mark = captures.mark();
    begin(program, captures);
    let mut walker = Walker::new(text, captures, mark, memory);
    let start = space(text, 0);
    let end = walker.value(&program.root, start).map(|end| space(text, end));
    match end.and_then(|end| finish(program, text, captures, mark).map(|()| end)) {
        Ok(end) if end == text.len() => Ok(()),
        _ => {
            captures.truncate(mark);
            Err(Fallback)
        }
    }
}

/// The start of an event in a text.
#[derive(Clone, Copy, Default)]
pub(crate) struct Start {
    /// The position, in bytes.
    pub at: usize,
    /// The number of objects and arrays around the event.
    pub depth: usize,
}

/// Reads an event at a place of a longer text by the program's flat program alone: its keys must be in the schema's
/// order, and it must be on one line. The text is known to have the beginning of the flat program there. Returns the
/// event's end.
///
/// # Errors
///
/// Returns [`Fallback`] if the event is written otherwise. `captures` may then have captures of a part of it.
#[inline(always)]
pub(crate) fn read_start(
    program: &Program,
    text: &[u8],
    start: Start,
    memory: &mut Memory,
    captures: &mut Captures,
) -> End {
    let mark = captures.mark();
    begin(program, captures);
    let Flat { beginning, steps, walks, .. } = &program.flat;
    let end = take_steps(steps, text, start.at + beginning.len(), start.depth, captures, mark, memory)?;
    finish(program, text, captures, mark)?;
    if is_one_line(*walks, &text[start.at..end]) { Ok(end) } else { Err(Fallback) }
}

/// Returns whether an event that was read by a flat program is on one line.
#[inline(always)]
fn is_one_line(walks: bool, event: &[u8]) -> bool {
    // To the walker, white space may have line ends in it. A carriage return alone ends a line of server-sent events.
    !walks || memchr::memchr2(b'\n', b'\r', event).is_none()
}

/// Reads an event at the start of a longer text like [`read_start`], by a flat program that was learned from an event that
/// is written like this one. Returns the byte offset of the event's type, with its quotes, and the event's end.
///
/// # Errors
///
/// Returns [`Fallback`] if the event is written otherwise. `captures` is then unchanged.
pub(crate) fn read_learned(
    program: &Program,
    flat: &Flat,
    text: &[u8],
    memory: &mut Memory,
    captures: &mut Captures,
) -> Result<(usize, usize), Fallback> {
    let mark = captures.mark();
    begin(program, captures);
    let mut read = || {
        let Flat { beginning, steps, walks, type_place } = flat;
        let place = type_place.ok_or(Fallback)?;
        let (before, behind) = steps.split_at(place.step.map_or(0, |step| step + 1));
        let at = take_steps(before, text, beginning.len(), 0, captures, mark, memory)?;
        let end = take_steps(behind, text, at, 0, captures, mark, memory)?;
        finish(program, text, captures, mark)?;
        let is_one_line = is_one_line(*walks, &text[..end]);
        if is_one_line { Ok((at - place.to_end, end)) } else { Err(Fallback) }
    };
    let result = read();
    if result.is_err() {
        captures.truncate(mark);
    }
    result
}

/// As many absent captures as most events have slots, to be copied at once.
const ABSENT: [Capture; 16] = [Capture::Absent; 16];

/// Appends the slots and arrays of one event, all absent.
#[inline(always)]
fn begin(program: &Program, captures: &mut Captures) {
    let (fields, items) = (captures.fields.len(), captures.items.len());
    match ABSENT.get(..program.slots) {
        Some(absent) => captures.fields.extend_from_slice(absent),
        None => captures.fields.resize(fields + program.slots, Capture::Absent),
    }
    if program.arrays > 0 {
        captures.items.resize(items + program.arrays, Items { readable: true, first: 0, count: 0 });
    }
}

/// Captures what is read once the whole event was.
#[inline(always)]
fn finish(program: &Program, text: &[u8], captures: &mut Captures, mark: CaptureMark) -> Result<(), Fallback> {
    if program.nested.is_empty() && program.copied.is_empty() {
        return Ok(());
    }
    nested::capture(program, text, captures, mark)
}

/// Reads the values of a flat program, the first of which starts at `at`, and the literals behind them. `outer` is the
/// number of objects and arrays around the event. Most events are read here alone, so anything rare is in functions that
/// are not inlined.
#[inline(always)]
fn take_steps(
    steps: &[Step],
    text: &[u8],
    mut at: usize,
    outer: usize,
    captures: &mut Captures,
    mark: CaptureMark,
    memory: &mut Memory,
) -> End {
    for step in steps {
        let (end, capture) = match &step.leaf {
            Leaf::Text { not_empty } => {
                let end = string_rest(text, at)? - 1;
                if *not_empty && end == at {
                    return Err(Fallback);
                }
                (end, Capture::Text(at as u32, end as u32))
            }
            Leaf::Time => {
                let rest = text.get(at..).ok_or(Fallback)?;
                let end = at + date_time::usual_length(rest, &mut memory.last_minute).ok_or(Fallback)?;
                (end, Capture::Text(at as u32, end as u32))
            }
            Leaf::Bool => {
                let value = text.get(at) == Some(&b't');
                (word(text, if value { b"true" } else { b"false" }, at)?, Capture::Bool(value))
            }
            Leaf::Value(node, depth) => {
                let mut walker = Walker::new(text, captures, mark, memory);
                walker.depth = outer + *depth;
                let end = walker.value(node, at)?;
                at = match step.behind.end_in(text, end) {
                    Some(at) => at,
                    None => read_unknown_keys(step, text, end, outer, captures, memory)?,
                };
                continue;
            }
        };
        if let Some(slot) = step.slot {
            captures.fields[mark.field + usize::from(slot)] = capture;
        }
        at = match step.behind.end_in(text, end) {
            Some(at) => at,
            None => read_unknown_keys(step, text, end, outer, captures, memory)?,
        };
    }
    Ok(at)
}
