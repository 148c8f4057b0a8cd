//! Prompts: requests as people type them, and text as they paste it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::generate::text;

/// Words that occur in prompts, the plainest first.
const WORDS: [&str; 48] = [
    "a",
    "the",
    "it",
    "is",
    "in",
    "to",
    "and",
    "of",
    "file",
    "list",
    "read",
    "write",
    "run",
    "test",
    "find",
    "fix",
    "show",
    "why",
    "what",
    "where",
    "please",
    "again",
    "then",
    "not",
    "all",
    "error",
    "crash",
    "fail",
    "folder",
    "notes",
    "README.md",
    "src/main.rs",
    "--help",
    "2026-02-30",
    "100000",
    "-1",
    "0.1",
    "C:\\temp",
    "~/notes",
    "café",
    "naïve",
    "Straße",
    "мир",
    "世界",
    "🎉",
    "e\u{301}",
    "שלום",
    "I'm",
];

/// Generates a word.
pub fn word() -> impl Strategy<Value = String> {
    select(&WORDS[..]).prop_map(str::to_owned)
}

/// Generates a prompt, which may be empty.
pub fn prompt() -> impl Strategy<Value = String> {
    let end = || select(&["", ".", "?", "!", "…"][..]);
    let sentence = || (vec(word(), 0..12), end()).prop_map(|(words, end)| words.join(" ") + end);
    prop_oneof![
        6 => sentence(),
        2 => vec(prop_oneof![3 => word(), 1 => text()], 0..6).prop_map(|words| words.join(" ")),
        1 => vec(sentence(), 2..5).prop_map(|lines| lines.join("\n")),
        1 => vec(word(), 60..300).prop_map(|words| words.join(" ")),
        1 => text(),
    ]
}
