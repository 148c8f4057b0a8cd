//! Keys that no schema declares, where producers mostly write them: behind all that are declared.

use super::Walker;
use crate::bytes::{same, starts_with};
use crate::schema::captures::{Captures, Mark};
use crate::schema::date_time::LastMinute;
use crate::schema::program::Step;
use crate::schema::tokens::{At, Unsure, key};

/// The end of what is written behind a value, if there are further keys in it before the ends of objects, without white
/// space around them.
#[inline(never)]
pub(crate) fn behind_further_keys(
    step: &Step,
    text: &[u8],
    at: usize,
    captures: &mut Captures,
    last_minute: &mut LastMinute,
) -> At {
    let mut walker = Walker::new(text, captures, Mark::default(), last_minute);
    let (mut at, mut written) = (at, 0);
    let part = |at: usize, part: &[u8]| match text.get(at..) {
        Some(rest) if starts_with(rest, part) => Ok(at + part.len()),
        _ => Err(Unsure),
    };
    for end in &step.ends {
        at = part(at, &step.behind.bytes()[written..end.at])?;
        written = end.at;
        let first = walker.captures.unknown.len();
        walker.depth = end.depth;
        while text.get(at) == Some(&b',') {
            let (start, behind) = key(text, at + 1)?;
            let name = &text[start..behind - 1];
            if end.keys.iter().any(|declared| same(declared, name)) || text.get(behind) != Some(&b':') {
                return Err(Unsure);
            }
            walker.unknown_key(end.object, first, start..behind - 1)?;
            at = walker.free(behind + 1)?;
            // White space may have line ends in it, and whoever reads lines must not be led across one.
            if memchr::memchr(b'\n', &text[behind..at]).is_some() {
                return Err(Unsure);
            }
        }
    }
    part(at, &step.behind.bytes()[written..])
}
