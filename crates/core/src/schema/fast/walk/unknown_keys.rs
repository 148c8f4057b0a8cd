//! Undeclared keys where producers mostly write them: behind all declared keys of an object.

use super::Walker;
use crate::bytes::{equal, starts_with};
use crate::schema::captures::{CaptureMark, Captures};
use crate::schema::program::{Memory, Step};
use crate::schema::tokens::{End, Fallback, key};

/// Returns the end of the text behind a step's value if objects that end in it have undeclared keys before their ends,
/// without white space around the keys. Captures these keys. `outer`: the number of objects and arrays around the event.
#[inline(never)]
pub(crate) fn read_unknown_keys(
    step: &Step,
    text: &[u8],
    at: usize,
    outer: usize,
    captures: &mut Captures,
    memory: &mut Memory,
) -> End {
    let mut walker = Walker::new(text, captures, CaptureMark::default(), memory);
    let (mut at, mut written) = (at, 0);
    let part = |at: usize, part: &[u8]| match text.get(at..) {
        Some(rest) if starts_with(rest, part) => Ok(at + part.len()),
        _ => Err(Fallback),
    };
    for end in &step.ends {
        at = part(at, &step.behind.bytes()[written..end.at])?;
        written = end.at;
        let first = walker.captures.unknown.len();
        walker.depth = outer + end.depth;
        while text.get(at) == Some(&b',') {
            let (start, behind) = key(text, at + 1)?;
            let name = &text[start..behind - 1];
            if end.keys.iter().any(|declared| equal(declared, name)) || text.get(behind) != Some(&b':') {
                return Err(Fallback);
            }
            walker.capture_unknown_key(end.object, first, start..behind - 1)?;
            at = walker.free(behind + 1)?;
            // White space may contain line ends, and a caller that reads lines must not read across one.
            if memchr::memchr2(b'\n', b'\r', &text[behind..at]).is_some() {
                return Err(Fallback);
            }
        }
    }
    part(at, &step.behind.bytes()[written..])
}
