//! Reads whole events by the program of their schema.

use super::{Walker, nested};
use crate::schema::captures::{Capture, CaptureMark, Captures, Items};
use crate::schema::program::{Memory, Program};
use crate::schema::tokens::{Fallback, space};

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
    captures.fields.resize(mark.field + program.slots, Capture::Absent);
    captures.items.resize(mark.item + program.arrays, Items { readable: true, first: 0, count: 0 });
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

/// Captures what is read once the whole event was.
fn finish(program: &Program, text: &[u8], captures: &mut Captures, mark: CaptureMark) -> Result<(), Fallback> {
    if program.nested.is_empty() && program.copied.is_empty() {
        return Ok(());
    }
    nested::capture(program, text, captures, mark)
}
