//! Keys of instances: the values of one or more fields, as bytes.
//!
//! Each part ends with a zero byte, so that the key of a parent, whose parts are the first ones of its children's keys, is
//! how these begin. Zero bytes in a part, which are rare, are written as two bytes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::Value;

use super::field::{Field, Scope, display_text, number};
use crate::bytes::contains;
use crate::input::json::unescaped;
use crate::protocol::tables::Lifecycle;

/// The end of a part.
const END: u8 = 0;
/// What stands before a byte of a part that would be read as `END` or as this one.
const ESCAPE: u8 = 1;

/// A floating-point number below this, if it is whole, is the one that was written.
const MOST_EXACT: f64 = (1u64 << 53) as f64;

/// The result of reading a key.
pub(crate) enum Key {
    Read(Vec<u8>),
    /// A part is absent or null: the event names no instance.
    Absent,
    Unreadable,
}

/// Reads a key from these slots.
pub(crate) fn read_key(slots: &[usize], scope: Scope<'_>) -> Key {
    let mut key = Vec::with_capacity(if slots.is_empty() { 0 } else { 32 });
    let mut is_readable = true;
    for slot in slots {
        match scope.field(*slot) {
            Field::Text(raw) => add_part(&mut key, &unescaped(raw)),
            Field::Number(raw) => add_part(&mut key, &number_part(raw)),
            Field::Index(number) => add_part(&mut key, number.to_string().as_bytes()),
            Field::Null | Field::Absent => return Key::Absent,
            Field::Bool(_) | Field::Container(_) | Field::Unreadable => is_readable = false,
        }
    }
    if is_readable { Key::Read(key) } else { Key::Unreadable }
}

/// Returns the key with these parts; `None` if one of them cannot be a part.
pub(crate) fn key_of(parts: &[Value]) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    for part in parts {
        match part {
            Value::String(text) => add_part(&mut key, text.as_bytes()),
            Value::Number(number) => add_part(&mut key, &number_part(number.to_string().as_bytes())),
            _ => return None,
        }
    }
    Some(key)
}

/// Returns a number as a part of a key. A whole number is the same however it is written, as long as it is exact.
fn number_part(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.iter().all(u8::is_ascii_digit) {
        return Cow::Borrowed(raw);
    }
    match number(raw).filter(|number| number.fract() == 0.0 && number.abs() < MOST_EXACT) {
        Some(whole) => Cow::Owned((whole as i64).to_string().into_bytes()),
        None => Cow::Borrowed(raw),
    }
}

fn add_part(key: &mut Vec<u8>, part: &[u8]) {
    if !contains(part, END) && !contains(part, ESCAPE) {
        key.extend_from_slice(part);
    } else {
        for byte in part {
            match *byte {
                END => key.extend([ESCAPE, b'0']),
                ESCAPE => key.extend([ESCAPE, b'1']),
                other => key.push(other),
            }
        }
    }
    key.push(END);
}

/// Returns the keys that a key begins with: of no parts, of its first one, and so on to all.
pub(crate) fn prefixes(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = key.iter().enumerate().filter(|(_, byte)| **byte == END).map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).map(|end| &key[..end])
}

/// Returns the range of an ordered map or set that begins with the keys that begin with this one.
pub(crate) fn from_key(key: &[u8]) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(key), Bound::Unbounded)
}

/// Copies those of ordered keys, from a parent's on, that begin with it.
pub(crate) fn keys_under<'k>(parent: &[u8], from: impl Iterator<Item = &'k Box<[u8]>>) -> Vec<Box<[u8]>> {
    from.take_while(|key| key.starts_with(parent)).cloned().collect()
}

/// Removes from a set the keys that begin with a parent's, and returns them.
pub(crate) fn take_under(set: &mut BTreeSet<Box<[u8]>>, parent: &[u8]) -> Vec<Box<[u8]>> {
    if set.is_empty() {
        return Vec::new();
    }
    let keys = keys_under(parent, set.range::<[u8], _>(from_key(parent)));
    for key in &keys {
        set.remove(key);
    }
    keys
}

/// Returns the first parts of a key.
pub(crate) fn first_parts(key: &[u8], count: usize) -> &[u8] {
    prefixes(key).nth(count).unwrap_or(key)
}

/// Returns the parts of a key as text. Bytes that are no UTF-8 become replacement characters.
pub(crate) fn key_parts(key: &[u8]) -> Vec<String> {
    let Some(parts) = key.strip_suffix(&[END]) else { return Vec::new() };
    parts.split(|byte| *byte == END).map(|written| String::from_utf8_lossy(&part(written)).into_owned()).collect()
}

/// Formats the key of an instance for a message. A part that comes from a lifecycle around has that one's name, as has
/// then the part of its own: `part 1 in item 0`. A key that is all the lifecycle's own has no names: the message says what
/// it is the key of.
pub(crate) fn display_key(key: &[u8], lifecycle: usize, lifecycles: &[Lifecycle]) -> String {
    let around = lifecycles[lifecycle].parent_parts > 0;
    display_key_within(key, around.then_some(lifecycle), lifecycles)
}

/// Formats the key of a text or a series within a lifecycle: the parts that are of that lifecycle, or of one around it, have
/// its name. Digits are shown as the number that they mostly are.
pub(crate) fn display_key_within(key: &[u8], innermost: Option<usize>, lifecycles: &[Lifecycle]) -> String {
    let key = key.strip_suffix(&[END]).unwrap_or(key);
    // Most keys have one part.
    if innermost.is_none() && !contains(key, END) {
        return display_part(&part(key));
    }
    let parts = key.split(|byte| *byte == END);
    let parts: Vec<String> = parts.map(|written| display_part(&part(written))).collect();
    name_parts(&parts, innermost, lifecycles)
}

/// Writes the parts of a key with the names of the lifecycles that they come from, from the inside out: `part 1 in item 0`. Those
/// of no lifecycle are before them, without a name.
pub fn name_parts(parts: &[String], innermost: Option<usize>, lifecycles: &[Lifecycle]) -> String {
    let named = innermost.map_or(0, |innermost| lifecycles[innermost].key_parts).min(parts.len());
    let (mut rest, nameless) = parts.split_at(named);
    let mut words: Vec<String> = (!nameless.is_empty()).then(|| nameless.join(", ")).into_iter().collect();
    for lifecycle in std::iter::successors(innermost, |number| lifecycles[*number].within) {
        let lifecycle = &lifecycles[lifecycle];
        let (outer, own) = rest.split_at(lifecycle.parent_parts.min(rest.len()));
        if !own.is_empty() {
            words.push(format!("{} {}", lifecycle.name.replace('-', " "), own.join(", ")));
        }
        rest = outer;
    }
    words.join(" in ")
}

fn display_part(part: &[u8]) -> String {
    match std::str::from_utf8(part) {
        Ok(digits) if !digits.is_empty() && digits.len() < 16 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.to_owned()
        }
        _ => display_text(part),
    }
}

/// Returns a part as it was read.
fn part(written: &[u8]) -> Cow<'_, [u8]> {
    if !contains(written, ESCAPE) {
        return Cow::Borrowed(written);
    }
    let mut bytes = written.iter();
    let read = std::iter::from_fn(|| match *bytes.next()? {
        ESCAPE => bytes.next().map(|escaped| if *escaped == b'0' { END } else { ESCAPE }),
        other => Some(other),
    });
    Cow::Owned(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> Vec<u8> {
        let mut key = Vec::new();
        parts.iter().for_each(|part| add_part(&mut key, part.as_bytes()));
        key
    }

    #[test]
    fn no_two_keys_look_alike() {
        let parts = ["", "a", "\0", "\u{1}", "\u{1}0", "a\0", "0"];
        let mut keys: Vec<_> = parts.iter().map(|one| key(&[one])).collect();
        keys.extend(parts.iter().flat_map(|one| parts.iter().map(|two| key(&[one, two]))));
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count);
        for one in parts {
            for two in parts {
                assert_eq!(first_parts(&key(&[one, two]), 1), key(&[one]));
                assert_eq!(first_parts(&key(&[one, two]), 2), key(&[one, two]));
                assert_eq!(first_parts(&key(&[one]), 0), b"");
            }
        }
    }

    #[test]
    fn the_parts_of_a_key_are_those_that_were_read() {
        assert_eq!(key_parts(&key(&["7", "", "a\0\u{1}"])), ["7", "", "a\0\u{1}"]);
        assert_eq!(key_parts(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_whole_number_is_one_part_however_it_is_written() {
        for (written, part) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.0", "0"),
            ("0e0", "0"),
            ("1.2e1", "12"),
            ("-3.0", "-3"),
            ("1.5", "1.5"),
            ("9007199254740993", "9007199254740993"),
            ("9007199254740993.0", "9007199254740993.0"),
        ] {
            assert_eq!(number_part(written.as_bytes()), part.as_bytes(), "{written}");
        }
    }

    #[test]
    fn a_key_is_shown_as_its_parts() {
        let display = |parts: &[&str]| display_key_within(&key(parts), None, &[]);
        assert_eq!(display(&["7"]), "7");
        assert_eq!(display(&["0", "msg_1"]), "0, \"msg_1\"");
        assert_eq!(display(&["", "\u{1}0"]), "\"\", \"\\u00010\"");
    }
}
