//! The tokens of an event's text on the fast path: each function returns where its token ends, or falls back.

use crate::bytes::{find_special, leading_digits, skip_plain, skip_short_plain};
use crate::schema::date_time::{self, LastMinute};

/// The longest number that is certainly in range, in bytes, with an exponent of so many digits.
const LONGEST_NUMBER: usize = 64;
const LONGEST_EXPONENT: usize = 2;

/// The fast path cannot decide; the slow path has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fallback;

/// The byte offset behind what was read.
pub(crate) type End = Result<usize, Fallback>;

/// Returns the end of white space, which may be empty.
#[inline]
pub(crate) fn space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// Returns the end of `word`: `true`, `false` or `null`.
#[inline]
pub(crate) fn word(text: &[u8], word: &[u8], at: usize) -> End {
    if text[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Fallback) }
}

/// Returns the end of a string, behind its closing quote. `at` is the offset behind its opening quote. Inlined for
/// short strings without escapes, as most are.
#[inline]
pub(crate) fn string_rest(text: &[u8], at: usize) -> End {
    match skip_short_plain(text, at) {
        Some(end) if text.get(end) == Some(&b'"') => Ok(end + 1),
        _ => long_string_rest(text, at),
    }
}

/// The number of blocks of a string that are examined one by one.
const SHORT_BLOCKS: usize = 4;

/// Returns the end of any string, like [`string_rest`].
#[inline(never)]
fn long_string_rest(text: &[u8], mut at: usize) -> End {
    for _ in 0..SHORT_BLOCKS {
        match skip_short_plain(text, at) {
            None if text.len() < at + 16 => break,
            None => at += 16,
            Some(end) => match text.get(end) {
                Some(b'"') => return Ok(end + 1),
                Some(b'\\') => at = escape(text, end)?,
                _ => return Err(Fallback),
            },
        }
    }
    very_long_string_rest(text, at)
}

/// Returns the end of a string that was examined up to `at`. Made for long strings, and for runs of escapes.
fn very_long_string_rest(text: &[u8], mut at: usize) -> End {
    // Escapes come in runs: a block is examined once, however many it has.
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        let mut special = find_special(block);
        let mut next = 64;
        while special != 0 {
            let offset = special.trailing_zeros() as usize;
            match block[offset] {
                b'"' => return Ok(at + offset + 1),
                b'\\' => next = escape(text, at + offset)? - at,
                _ => return Err(Fallback),
            }
            special &= u64::MAX.checked_shl(next as u32).unwrap_or(0);
        }
        at += next.max(64);
    }
    at = skip_plain(text, at);
    loop {
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = skip_plain(text, escape(text, at)?),
            Some(_) | None => return Err(Fallback),
        }
    }
}

/// Returns the end of a string that is a date-time in the [usual form](date_time::usual_length).
#[inline]
pub(crate) fn usual_time(text: &[u8], at: usize, last: &mut LastMinute) -> End {
    let Some([b'"', rest @ ..]) = text.get(at..) else { return Err(Fallback) };
    let length = date_time::usual_length(rest, last).ok_or(Fallback)?;
    if rest.get(length) == Some(&b'"') { Ok(at + length + 2) } else { Err(Fallback) }
}

/// Returns the end of an escape.
#[inline]
fn escape(text: &[u8], at: usize) -> End {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => unicode_escape(text, at),
        _ => Err(Fallback),
    }
}

/// Returns the end of a `\uXXXX` escape, or of the two that make a surrogate pair; falls back on a lone surrogate
/// and on U+FFFD.
fn unicode_escape(text: &[u8], at: usize) -> End {
    match unit(text, at + 2)? {
        0xD800..0xDC00 => {
            let low = match text.get(at + 6..at + 8) {
                Some(b"\\u") => unit(text, at + 8)?,
                _ => return Err(Fallback),
            };
            if (0xDC00..0xE000).contains(&low) { Ok(at + 12) } else { Err(Fallback) }
        }
        // The slow path reports what was decoded wrongly.
        0xDC00..0xE000 | 0xFFFD => Err(Fallback),
        _ => Ok(at + 6),
    }
}

/// Returns the UTF-16 code unit that four hexadecimal digits encode.
fn unit(text: &[u8], at: usize) -> Result<u32, Fallback> {
    let digits = text.get(at..at + 4).ok_or(Fallback)?;
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Fallback)?;
        Ok(unit << 4 | digit)
    })
}

/// Returns the end of a whole number without a sign, of up to 15 digits, with which the text begins; `None` if the text has
/// something else, or ends soon.
#[inline]
pub(crate) fn count(text: &[u8]) -> Option<usize> {
    let block = text.first_chunk::<16>()?;
    let end = leading_digits(block);
    let is_whole = end == 1 || (2..16).contains(&end) && block[0] != b'0';
    (is_whole && !matches!(block[end], b'.' | b'e' | b'E')).then_some(end)
}

/// Returns the end of a number. Falls back on long ones, which may be out of range.
#[inline]
pub(crate) fn number(text: &[u8], start: usize) -> End {
    let mut at = start + usize::from(text[start] == b'-');
    let digits = |mut at: usize| {
        while let Some(b'0'..=b'9') = text.get(at) {
            at += 1;
        }
        at
    };
    let whole = at;
    at = digits(at);
    if at == whole || at - whole > 1 && text[whole] == b'0' {
        return Err(Fallback);
    }
    if text.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(fraction);
        if at == fraction {
            return Err(Fallback);
        }
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let exponent = at + 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = digits(exponent);
        if !(1..=LONGEST_EXPONENT).contains(&(at - exponent)) {
            return Err(Fallback);
        }
    }
    if at - start > LONGEST_NUMBER { Err(Fallback) } else { Ok(at) }
}

/// Returns where the name of a key starts, and the end behind its closing quote. Falls back on escapes.
#[inline]
pub(crate) fn key(text: &[u8], at: usize) -> Result<(usize, usize), Fallback> {
    if text.get(at) != Some(&b'"') {
        return Err(Fallback);
    }
    let end = skip_plain(text, at + 1);
    if text.get(end) == Some(&b'"') { Ok((at + 1, end + 1)) } else { Err(Fallback) }
}

/// Returns the end of a colon, with the white space around it.
#[inline]
pub(crate) fn colon(text: &[u8], at: usize) -> End {
    let at = space(text, at);
    if text.get(at) == Some(&b':') { Ok(space(text, at + 1)) } else { Err(Fallback) }
}
