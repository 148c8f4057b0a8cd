//! The tokens of an event's text, read the fast way: where each ends, or that it is not sure.

use super::date_time::{self, LastMinute};
use crate::bytes::{short_plain, skip_plain};

/// The longest number that is surely in range and surely exact, in bytes.
const LONGEST_NUMBER: usize = 17;

/// The fast way was not sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsure;

/// A place in the text behind what was read.
pub(crate) type At = Result<usize, Unsure>;

/// The end of white space.
#[inline]
pub(crate) fn space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// The end of `true`, `false` or `null`.
#[inline]
pub(crate) fn word(text: &[u8], word: &[u8], at: usize) -> At {
    if text[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Unsure) }
}

/// The end of a string, behind its closing quote, from behind its opening quote. Most strings are short and plain: those
/// are not worth a call.
#[inline]
pub(crate) fn string_rest(text: &[u8], at: usize) -> At {
    match short_plain(text, at) {
        Some(end) if text.get(end) == Some(&b'"') => Ok(end + 1),
        _ => long_string_rest(text, at),
    }
}

fn long_string_rest(text: &[u8], at: usize) -> At {
    let mut at = skip_plain(text, at);
    loop {
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            // Escapes come in rows, and what comes between them is short.
            Some(b'\\') => at = escape(text, at)?,
            Some(0x20..) => at = skip_plain(text, at + 1),
            Some(..0x20) | None => return Err(Unsure),
        }
    }
}

/// The end of a string that is a date-time in the usual form.
#[inline]
pub(crate) fn usual_time(text: &[u8], at: usize, last: &mut LastMinute) -> At {
    let Some([b'"', rest @ ..]) = text.get(at..) else { return Err(Unsure) };
    let length = date_time::usual_length(rest, last).ok_or(Unsure)?;
    if rest.get(length) == Some(&b'"') { Ok(at + length + 2) } else { Err(Unsure) }
}

#[inline]
fn escape(text: &[u8], at: usize) -> At {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => unicode_escape(text, at),
        _ => Err(Unsure),
    }
}

fn unicode_escape(text: &[u8], at: usize) -> At {
    match unit(text, at + 2)? {
        0xD800..0xDC00 => {
            let low = match text.get(at + 6..at + 8) {
                Some(b"\\u") => unit(text, at + 8)?,
                _ => return Err(Unsure),
            };
            if (0xDC00..0xE000).contains(&low) { Ok(at + 12) } else { Err(Unsure) }
        }
        0xDC00..0xE000 => Err(Unsure),
        _ => Ok(at + 6),
    }
}

fn unit(text: &[u8], at: usize) -> Result<u32, Unsure> {
    let digits = text.get(at..at + 4).ok_or(Unsure)?;
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Unsure)?;
        Ok(unit << 4 | digit)
    })
}

/// The end of a number. Exponents and long numbers are for the slow way.
#[inline]
pub(crate) fn number(text: &[u8], start: usize) -> At {
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
        return Err(Unsure);
    }
    if text.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(fraction);
        if at == fraction {
            return Err(Unsure);
        }
    }
    let exponent = matches!(text.get(at), Some(b'e' | b'E'));
    if exponent || at - start > LONGEST_NUMBER { Err(Unsure) } else { Ok(at) }
}

/// A key: where its name starts, and the end behind its closing quote. It has no escapes.
#[inline]
pub(crate) fn key(text: &[u8], at: usize) -> Result<(usize, usize), Unsure> {
    if text.get(at) != Some(&b'"') {
        return Err(Unsure);
    }
    let end = skip_plain(text, at + 1);
    if text.get(end) == Some(&b'"') { Ok((at + 1, end + 1)) } else { Err(Unsure) }
}

#[inline]
pub(crate) fn colon(text: &[u8], at: usize) -> At {
    let at = space(text, at);
    if text.get(at) == Some(&b':') { Ok(space(text, at + 1)) } else { Err(Unsure) }
}
