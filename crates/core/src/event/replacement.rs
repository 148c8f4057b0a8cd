//! Finds U+FFFD in the strings of an event: the character that decoders write in place of bytes that they cannot read.

use std::ops::Range;

use memchr::memmem;

use crate::bytes::{REPLACEMENT, has_replacement};
use crate::input::json::{Node, NodeKind, inner, unescaped_lossy};
use crate::schema::Pointer;

/// The length of the character's escape.
const ESCAPE_LENGTH: usize = 6;

/// Which of the strings of an event has the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// The value at the pointer.
    Value,
    /// The key that is the pointer's last part.
    Key,
}

/// Calls `found` with each string or key of an event that has the character: its pointer from the event's root, and the
/// byte range of the first such character in it.
pub(crate) fn find_in(event: &Node, text: &[u8], found: &mut dyn FnMut(Replaced, &Pointer, Range<usize>)) {
    let inside = &text[event.span.clone()];
    let may_be_escaped = memmem::find_iter(inside, b"\\u").any(|at| is_escape(&inside[at..]));
    if may_be_escaped || has_replacement(inside) {
        search(event, text, &mut Pointer::default(), found);
    }
}

fn search(node: &Node, text: &[u8], path: &mut Pointer, found: &mut dyn FnMut(Replaced, &Pointer, Range<usize>)) {
    match &node.kind {
        NodeKind::String => {
            if let Some(at) = first_in(inner(text, &node.span)) {
                found(Replaced::Value, path, node.span.start + 1 + at.start..node.span.start + 1 + at.end);
            }
        }
        NodeKind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.0.push(index.to_string());
                search(item, text, path, found);
                path.0.pop();
            }
        }
        NodeKind::Object(members) => {
            for member in members {
                path.0.push(unescaped_lossy(inner(text, &member.key)).into_owned());
                if let Some(at) = first_in(inner(text, &member.key)) {
                    found(Replaced::Key, path, member.key.start + 1 + at.start..member.key.start + 1 + at.end);
                }
                search(&member.value, text, path, found);
                path.0.pop();
            }
        }
        _ => {}
    }
}

/// Returns the byte range of the first such character in a string's content, which is still escaped.
fn first_in(raw: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(REPLACEMENT[0], b'\\', &raw[at..])?;
        let rest = &raw[at..];
        let length = match rest {
            _ if rest.starts_with(REPLACEMENT) => return Some(at..at + REPLACEMENT.len()),
            _ if is_escape(rest) => return Some(at..at + ESCAPE_LENGTH),
            // Of two backslashes, the second one begins no escape.
            [b'\\', ..] => 2,
            _ => 1,
        };
        at = (at + length).min(raw.len());
    }
}

/// Returns whether a text begins with the escape of the character.
fn is_escape(text: &[u8]) -> bool {
    text.get(..ESCAPE_LENGTH).is_some_and(|escape| escape.eq_ignore_ascii_case(b"\\ufffd") && escape[1] == b'u')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::json::parse;

    fn found(text: &str) -> Vec<(Replaced, String, String)> {
        let tree = parse(text.as_bytes()).expect("it is JSON");
        let mut all = Vec::new();
        find_in(&tree.root, text.as_bytes(), &mut |replaced, path, at| {
            all.push((replaced, path.to_string(), text[at].to_owned()));
        });
        all
    }

    #[test]
    fn the_first_such_character_of_each_string_is_found() {
        let text = "{\"a\":[\"x\u{FFFD}y\u{FFFD}\",\"\\ufffd\"],\"b\\uFfFd\":{\"c\":\"\u{FF0C}\\\\ufffd\",\"d\":1}}";
        let expected = [
            (Replaced::Value, "/a/0", "\u{FFFD}"),
            (Replaced::Value, "/a/1", "\\ufffd"),
            (Replaced::Key, "/b\u{FFFD}", "\\uFfFd"),
        ];
        assert_eq!(found(text), expected.map(|(replaced, path, at)| (replaced, path.to_owned(), at.to_owned())));
        for text in ["{}", "\"\\\\ufffd\"", "[\"\u{FFFC}\u{FFFE}\u{FF0C}\u{EFFD}\"]", "\"\\\\\\\\ufffd\""] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
