//! The content of JSON strings: escapes and halves of surrogate pairs. Raw content is the text between the quotes, with
//! its escapes.

use std::borrow::Cow;
use std::ops::Range;

use crate::bytes::{contains, lossy};

/// Returns the raw content of the string at `span`, which includes the quotes.
pub fn inner<'t>(text: &'t [u8], span: &Range<usize>) -> &'t [u8] {
    &text[span.start + 1..span.end - 1]
}

/// Resolves the escapes of raw content. A lone surrogate becomes three bytes, as WTF-8 encodes it, so that the halves
/// of a pair can be compared.
pub fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    if !contains(raw, b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(run) = memchr::memchr(b'\\', &raw[at..]) {
        out.extend_from_slice(&raw[at..at + run]);
        at += run;
        at += unescape_one(raw, at, &mut out);
    }
    out.extend_from_slice(&raw[at..]);
    Cow::Owned(out)
}

/// Appends the byte or the unescaped character at `at` of raw content to `out`, and returns its length in raw bytes.
pub fn unescape_one(raw: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    if raw[at] != b'\\' {
        out.push(raw[at]);
        return 1;
    }
    let simple = match raw.get(at + 1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'u') => {
            let Some(unit) = code_unit(raw, at) else {
                out.push(b'\\');
                return 1;
            };
            if is_high(unit)
                && let Some(low) = code_unit(raw, at + 6)
                && is_low(low)
            {
                let code = 0x10000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                push_code(out, code);
                return 12;
            }
            push_code(out, u32::from(unit));
            return 6;
        }
        Some(other) => *other,
        None => b'\\',
    };
    out.push(simple);
    2
}

/// Appends a code point in UTF-8, or a lone surrogate in WTF-8.
fn push_code(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        // A lone surrogate, encoded as UTF-8 encodes other code points of its size.
        None => out.extend_from_slice(&[
            0xE0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3F) as u8,
            0x80 | (code & 0x3F) as u8,
        ]),
    }
}

/// Resolves the escapes of raw content. Lone surrogates and invalid UTF-8 become U+FFFD.
pub fn unescaped_lossy(raw: &[u8]) -> Cow<'_, str> {
    match unescaped(raw) {
        Cow::Borrowed(bytes) => lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            // UTF-8 decoding replaces each of the three bytes of a lone surrogate, which are one character here.
            Err(error) => String::from_utf8_lossy(error.as_bytes()).replace("\u{FFFD}\u{FFFD}\u{FFFD}", "\u{FFFD}"),
        }),
    }
}

/// Returns whether a JSON string can have this content between its quotes.
pub(crate) fn is_string_content(raw: &[u8]) -> bool {
    let text = [b"\"", raw, b"\""].concat();
    super::parse(&text)
        .is_ok_and(|tree| tree.root.kind == super::NodeKind::String && tree.root.span.len() == text.len())
}

/// Returns the UTF-16 code unit of the `\uXXXX` escape at `at`; `None` if there is no such escape.
pub(crate) fn code_unit(raw: &[u8], at: usize) -> Option<u16> {
    let digits = raw.get(at..at + 6)?;
    if digits[0] != b'\\' || digits[1] != b'u' || !digits[2..].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
}

/// Returns whether a UTF-16 code unit is the first half of a surrogate pair.
pub(crate) fn is_high(unit: u16) -> bool {
    (0xD800..0xDC00).contains(&unit)
}

/// Returns whether a UTF-16 code unit is the second half of a surrogate pair.
pub(crate) fn is_low(unit: u16) -> bool {
    (0xDC00..0xE000).contains(&unit)
}

/// Returns whether raw content starts with the escape of a low surrogate, the second half of a pair.
#[inline]
pub fn starts_with_low(raw: &[u8]) -> bool {
    raw.first() == Some(&b'\\') && code_unit(raw, 0).is_some_and(is_low)
}

/// Returns whether raw content ends with the escape of a high surrogate, the first half of a pair.
#[inline]
pub fn ends_with_high(raw: &[u8]) -> bool {
    let Some(at) = raw.len().checked_sub(6) else {
        return false;
    };
    // The escape's own backslash is not escaped itself if the run of backslashes before it is even.
    let unescaped = || raw[..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 0;
    raw[at] == b'\\' && code_unit(raw, at).is_some_and(is_high) && unescaped()
}
