//! White space: the four characters that JSON allows between its tokens, and those that only look like them.

/// Returns whether a byte is white space to JSON: a space, a tab, a line feed or a carriage return.
#[inline]
pub(crate) fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Returns the text without JSON's white space at its start.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    &text[text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len())..]
}

/// Returns the text without JSON's white space at its end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    &text[..text.iter().rposition(|byte| !is_space(byte)).map_or(0, |last| last + 1)]
}

/// Returns the character at `at` of a text that may be cut off behind it; `None` if there is no whole one.
pub(crate) fn character_at(text: &[u8], at: usize) -> Option<char> {
    let rest = text.get(at..)?;
    rest[..rest.len().min(4)].utf8_chunks().next()?.valid().chars().next()
}

/// Returns the character at `at` if readers may see white space in it, but JSON does not: a form feed, a no-break space,
/// a byte-order mark.
pub(crate) fn foreign_space_at(text: &[u8], at: usize) -> Option<char> {
    match text.get(at)? {
        0x0B | 0x0C | 0xC2.. => character_at(text, at).filter(|character| is_foreign_space(*character)),
        _ => None,
    }
}

/// Returns whether readers may see white space in a character, but JSON does not.
pub(crate) fn is_foreign_space(character: char) -> bool {
    let is_json = u8::try_from(character).is_ok_and(|byte| is_space(&byte));
    !is_json && character.is_whitespace() || matches!(character, '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// Returns what a character is called that [`is_foreign_space`], with its article and its code point.
pub(crate) fn space_name(character: char) -> String {
    let name = match character {
        '\u{0B}' => "a vertical tab",
        '\u{0C}' => "a form feed",
        '\u{85}' => "a next-line character",
        '\u{A0}' => "a no-break space",
        '\u{200B}' => "a zero-width space",
        '\u{2028}' => "a line separator",
        '\u{2029}' => "a paragraph separator",
        '\u{202F}' => "a narrow no-break space",
        '\u{3000}' => "an ideographic space",
        '\u{FEFF}' => "a byte-order mark",
        _ => "a space of another width",
    };
    format!("{name} (U+{:04X})", u32::from(character))
}
