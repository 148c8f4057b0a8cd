//! Takes the escape sequences of a terminal out of a text: colours, window titles and the like.

use std::ops::Range;

const ESCAPE: u8 = 0x1B;
const BELL: u8 = 0x07;

/// Returns the ranges of a text between the escape sequences that stand outside of JSON strings; `None` if there are
/// no such sequences.
pub(super) fn between_escapes(text: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut kept = Vec::new();
    let (mut start, mut at) = (0, 0);
    // Quotes count from the first brace on: what stands before it is no JSON.
    let (mut in_object, mut in_string) = (false, false);
    memchr::memchr(ESCAPE, text)?;
    while at < text.len() {
        match text[at] {
            ESCAPE if !in_string => {
                kept.push(start..at);
                at = sequence_end(text, at);
                start = at;
                continue;
            }
            b'{' => in_object = true,
            b'"' if in_object => in_string = !in_string,
            b'\\' if in_string => at += 1,
            _ => {}
        }
        at += 1;
    }
    if kept.is_empty() {
        return None;
    }
    kept.push(start..text.len());
    kept.retain(|range| !range.is_empty());
    Some(kept)
}

/// Returns the end of the escape sequence that starts at `start`.
fn sequence_end(text: &[u8], start: usize) -> usize {
    let rest = &text[start + 1..];
    let after = |count: usize| (start + 1 + count).min(text.len());
    match rest.first() {
        // A control sequence ends with a letter or the like.
        Some(b'[') => after(2 + rest[1..].iter().take_while(|byte| matches!(byte, b' '..=b'?')).count()),
        // A string, such as a title, ends with a bell or with an escape and a backslash.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => match memchr::memchr2(BELL, ESCAPE, rest) {
            Some(end) if rest[end] == ESCAPE && rest.get(end + 1) == Some(&b'\\') => after(end + 2),
            Some(end) if rest[end] == ESCAPE => after(end),
            Some(end) => after(end + 1),
            None => text.len(),
        },
        Some(b' '..=b'/') => after(1 + rest.iter().take_while(|byte| matches!(byte, b' '..=b'/')).count()),
        Some(byte) if byte.is_ascii() => after(1),
        _ => after(0),
    }
}

#[cfg(test)]
mod tests {
    use super::between_escapes;

    #[test]
    fn sequences_outside_of_strings_are_taken_out() {
        let stripped = |text: &str| {
            let kept = between_escapes(text.as_bytes())?;
            Some(kept.into_iter().map(|range| &text[range]).collect::<String>())
        };
        assert_eq!(stripped(r#"{"a":1}"#), None);
        assert_eq!(stripped("\x1b[32mINFO\x1b[0m {}").as_deref(), Some("INFO {}"));
        assert_eq!(stripped("\x1b]0;a title\x07\x1b]2;b\x1b\\{}").as_deref(), Some("{}"));
        assert_eq!(stripped("\x1b(B\x1b7{\x1b[1;39m\"a\"\x1b[0m:1}\x1b[?25h").as_deref(), Some("{\"a\":1}"));
        assert_eq!(stripped("{\"a\":\"\\\"\x1b[0m\"}"), None);
        assert_eq!(stripped("\x1b").as_deref(), Some(""));
        assert_eq!(stripped("\x1b]0;{").as_deref(), Some(""));
        assert_eq!(stripped("\x1bé").as_deref(), Some("é"));
    }
}
