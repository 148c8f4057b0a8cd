//! Generates texts: ordinary ones, as a conversation has them, and those of the kinds that have broken parsers before.

use super::choices::Choices;

/// Ordinary texts.
const PLAIN_TEXTS: [&str; 8] = [
    "Hello there. ",
    "Let me look at the files. ",
    "There are two of them. ",
    "The first one is a list of names. ",
    "The second one is empty. ",
    "That should do. ",
    "I have changed one line. ",
    "All tests pass. ",
];

/// The texts, plain ones first.
const ODD_TEXTS: [&str; 28] = [
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

/// What texts are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Ordinary: as the schema's example has it, or as short as it may be.
    Plain,
    /// Anything that is valid.
    Odd,
}

/// Generates an ordinary text of at least `least` characters.
pub fn plain_text(choices: &mut Choices<'_>, least: usize) -> String {
    let text = choices.one_of(&PLAIN_TEXTS).copied().unwrap_or_default();
    at_least(text.to_owned(), least)
}

/// Members of these names hold what people read.
const READ: [&str; 10] =
    ["text", "delta", "content", "message", "output", "thinking", "summary", "description", "reason", "final_message"];

/// Generates an ordinary text for a member of this name, of at least `least` characters: a sentence where people read it,
/// the name itself elsewhere.
pub fn named_text(name: &str, choices: &mut Choices<'_>, least: usize) -> String {
    if name.is_empty() || READ.contains(&name) { plain_text(choices, least) } else { at_least(name.to_owned(), least) }
}

/// Generates a text of at least `least` characters.
pub fn odd_text(choices: &mut Choices<'_>, least: usize) -> String {
    let mut text = choices.one_of(&ODD_TEXTS).copied().unwrap_or_default().to_owned();
    match choices.below(16) {
        15 => text = text.repeat(200),
        12..15 => text.push_str(choices.one_of(&ODD_TEXTS).copied().unwrap_or_default()),
        11 => text.extend(char::from_u32(choices.below(0x11_0000) as u32)),
        _ => {}
    }
    at_least(text, least)
}

fn at_least(mut text: String, least: usize) -> String {
    let missing = least.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('x', missing));
    text
}
