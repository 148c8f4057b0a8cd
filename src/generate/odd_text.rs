//! Generates texts of the kinds that have broken parsers before.

use super::choices::Choices;

/// The texts, plain ones first.
const TEXTS: [&str; 28] = [
    "ok",
    "Hello there",
    "a b",
    " ",
    "",
    "line\nbreak",
    "carriage\r\nreturn",
    "tab\there",
    "\"quoted\"",
    "back\\slash",
    "{\"type\":\"session.error\"}",
    "[1,2",
    "data: {}\n\n",
    "event: done\ndata: [DONE]\n\n",
    "null",
    "true",
    "-0",
    "\u{0}",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{7f}\u{9b}",
    "caf\u{e9}",
    "e\u{301}",
    "\u{65e5}\u{672c}\u{8a9e}",
    "\u{202e}right to left",
    "\u{feff}mark",
    "\u{2028}\u{2029}",
    "\u{1f642}\u{1f469}\u{200d}\u{1f4bb}",
    "\u{10fffd}\u{e0001}",
];

/// Generates a text of at least `least` characters.
pub fn odd_text(choices: &mut Choices<'_>, least: usize) -> String {
    let mut text = choices.one_of(&TEXTS).copied().unwrap_or_default().to_owned();
    match choices.below(16) {
        15 => text = text.repeat(200),
        12..15 => text.push_str(choices.one_of(&TEXTS).copied().unwrap_or_default()),
        11 => text.extend(char::from_u32(choices.below(0x11_0000) as u32)),
        _ => {}
    }
    let missing = least.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('x', missing));
    text
}
