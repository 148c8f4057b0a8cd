//! Changes JSON text so that most of it stays JSON, and much of it stays a valid event.
//!
//! It works on tokens and not on a tree, because what is no JSON must be changed too, and because a tree would lose
//! what the parsers are tested by: white space, escapes, repeated keys, the forms of numbers.

use std::ops::Range;

/// Strings as they stand in JSON text, without their quotes.
const STRINGS: [&str; 32] = [
    "",
    "a",
    "ses_abc123",
    "call_xyz789",
    "idle",
    "user",
    "assistant",
    "system",
    "session.status",
    "session.stream.chunk",
    "session.message.appended",
    "session.tool.call.started",
    "session.tool.call.completed",
    "session.tool.results",
    "session.completed",
    "session.error",
    "session.interrupted",
    "session.nothing",
    "message",
    "item",
    "text",
    "image",
    "tool_use",
    "url",
    "change",
    "success",
    "s\\u0065ssion.status",
    "\u{1f642}",
    "\\ud83d\\ude42",
    "\\ud83d",
    "\\u0000",
    "a long text, longer than a machine word or a vector register: 0123456789abcdef",
];
/// Timestamps, most of them right.
const TIMES: [&str; 16] = [
    "2026-01-01T00:00:00Z",
    "2026-12-31T23:59:59.999Z",
    "2024-02-29T12:00:00.123456789Z",
    "2026-01-01T00:00:00.1234567890123Z",
    "2026-01-01T00:00:00+05:30",
    "2026-01-01t00:00:00z",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-02-29T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00",
];
/// Numbers, and what only looks like one.
const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "1",
    "-1",
    "150",
    "0.0",
    "-0.0",
    "1.5",
    "1e3",
    "1E+3",
    "1e-3",
    "-1e-400",
    "1e400",
    "0e0",
    "123456789012345678",
    "12345678901234567890",
    "0.1234567890123456789",
    "9007199254740993",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
];
const KEYS: [&str; 24] = [
    "type",
    "timestamp",
    "payload",
    "session_id",
    "text",
    "done",
    "pending",
    "status_label",
    "tool_call_id",
    "tool_name",
    "tool_input",
    "ok",
    "output",
    "results",
    "duration_ms",
    "message",
    "role",
    "content",
    "extra",
    "id",
    "kind",
    "source",
    "changes",
    "typ\\u0065",
];
/// Pieces of a string's content: escapes, characters of every length, and what must not stand there.
const PIECES: [&str; 24] = [
    "a",
    " ",
    "\\n",
    "\\\"",
    "\\\\",
    "\\/",
    "\\b",
    "\\f",
    "\\r",
    "\\t",
    "\\u0041",
    "\\u00e9",
    "\\u65e5",
    "\\uD83D\\uDE00",
    "\\ud83d",
    "\\ude00",
    "\\u12",
    "\\x",
    "\u{e9}",
    "\u{65e5}",
    "\u{1f642}",
    "\u{7f}",
    "\u{1}",
    "\t",
];
const SPACES: [&str; 6] = [" ", "\n", "\t", "\r\n", "  ", "          "];
/// What stands for a value and is none.
const BROKEN: [&str; 6] = ["nul", "True", "{", "]", "\"", ","];

/// Longer mutants teach nothing new.
const MOST: usize = 4096;

/// A mutant of a text; the same for the same seed.
pub fn mutant(text: &[u8], seed: u32) -> Vec<u8> {
    let mut random = Random(u64::from(seed));
    let mut text = text.to_vec();
    for _ in 0..1 + random.below(3) {
        change(&mut text, &mut random);
    }
    text.truncate(MOST);
    text
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.of(words).copied().unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => self.word(&["true", "false"]).to_owned(),
            1 => "null".to_owned(),
            2 => self.word(&NUMBERS).to_owned(),
            3 => format!("\"{}\"", self.word(&TIMES)),
            4 | 5 => format!("\"{}\"", self.word(&STRINGS)),
            6 => format!("[{}]", self.several(|random| random.value(depth - 1))),
            7 => format!("{{{}}}", self.several(|random| random.member(depth - 1))),
            _ if self.below(4) == 0 => self.word(&BROKEN).to_owned(),
            _ => self.word(&["{}", "[]"]).to_owned(),
        }
    }

    fn member(&mut self, depth: usize) -> String {
        format!("\"{}\":{}", self.word(&KEYS), self.value(depth))
    }

    fn several(&mut self, one: impl Fn(&mut Random) -> String) -> String {
        (0..self.below(4)).map(|_| one(self)).collect::<Vec<_>>().join(",")
    }
}

/// The tokens of a text, without its white space.
fn tokens(text: &[u8]) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        at += 1;
        match text[start] {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'{' | b'}' | b'[' | b']' | b',' | b':' => {}
            b'"' => {
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(text.len());
            }
            _ => {
                while at < text.len() && !b" \t\r\n{}[],:\"".contains(&text[at]) {
                    at += 1;
                }
            }
        }
        tokens.push(start..at);
    }
    tokens
}

/// A member of an object or an item of an array.
struct Part {
    /// The token that opens the object or array.
    inside: usize,
    bytes: Range<usize>,
}

/// The members and items that end with a comma or a bracket.
fn parts(text: &[u8], tokens: &[Range<usize>]) -> Vec<Part> {
    let mut parts = Vec::new();
    // The opening token, and where the part begins that is being read.
    let mut open: Vec<(usize, Option<usize>)> = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        let first = text[token.start];
        if matches!(first, b',' | b'}' | b']')
            && let Some((inside, start)) = open.last_mut()
        {
            if let Some(start) = start.take() {
                parts.push(Part { inside: *inside, bytes: start..tokens[number - 1].end });
            }
            if first != b',' {
                open.pop();
            }
            continue;
        }
        if let Some((_, start)) = open.last_mut() {
            start.get_or_insert(token.start);
        }
        if matches!(first, b'{' | b'[') {
            open.push((number, None));
        }
    }
    parts
}

fn change(text: &mut Vec<u8>, random: &mut Random) {
    let tokens = tokens(text);
    match random.below(10) {
        0 => space(text, &tokens, random),
        1 | 2 => scalar(text, &tokens, random),
        3 | 4 => content(text, &tokens, random),
        5 | 6 => swap(text, &tokens, random),
        7 => copy(text, &tokens, random),
        8 => insert(text, &tokens, random),
        _ => remove(text, &tokens, random),
    }
}

/// White space before a token or at the end.
fn space(text: &mut Vec<u8>, tokens: &[Range<usize>], random: &mut Random) {
    let at = tokens.get(random.below(tokens.len() + 1)).map_or(text.len(), |token| token.start);
    let space = random.word(&SPACES);
    text.splice(at..at, space.bytes());
}

/// Another value for a scalar, most often one of its kind.
fn scalar(text: &mut Vec<u8>, tokens: &[Range<usize>], random: &mut Random) {
    let is_key = |number: usize| tokens.get(number + 1).is_some_and(|next| text[next.start] == b':');
    let numbers = (0..tokens.len()).filter(|number| !b"{}[],:".contains(&text[tokens[*number].start]));
    let scalars: Vec<_> = numbers.filter(|number| !is_key(*number)).collect();
    let Some(number) = random.of(&scalars) else { return };
    let token = tokens[*number].clone();
    let old = &text[token.clone()];
    let looks_like_a_time = old.len() > 15 && old[1].is_ascii_digit() && old[5] == b'-';
    let new = match old[0] {
        _ if random.below(4) == 0 => random.value(2),
        b't' | b'f' => random.word(&["true", "false"]).to_owned(),
        b'0'..=b'9' | b'-' => random.word(&NUMBERS).to_owned(),
        b'"' if looks_like_a_time => format!("\"{}\"", random.word(&TIMES)),
        b'"' => format!("\"{}\"", random.word(&STRINGS)),
        _ => random.value(2),
    };
    text.splice(token, new.bytes());
}

/// A piece more in a string, or one of its characters written as an escape.
fn content(text: &mut Vec<u8>, tokens: &[Range<usize>], random: &mut Random) {
    let strings: Vec<_> = tokens.iter().filter(|token| text[token.start] == b'"' && token.len() > 1).collect();
    let Some(token) = random.of(&strings) else { return };
    let mut at = token.start + 1 + random.below(token.len() - 1);
    while text.get(at).is_some_and(|byte| *byte & 0xC0 == 0x80) {
        at += 1;
    }
    let escaped = text.get(at).filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| format!("\\u{byte:04x}"));
    match escaped {
        Some(escaped) if random.below(3) == 0 => drop(text.splice(at..at + 1, escaped.bytes())),
        _ => drop(text.splice(at..at, random.word(&PIECES).bytes())),
    }
}

/// Two members of an object, or two items, the other way round.
fn swap(text: &mut Vec<u8>, tokens: &[Range<usize>], random: &mut Random) {
    let parts = parts(text, tokens);
    let Some(one) = random.of(&parts) else { return };
    let others: Vec<_> = parts.iter().filter(|other| other.inside == one.inside).collect();
    let Some(other) = random.of(&others) else { return };
    let (first, second) = if one.bytes.start <= other.bytes.start { (one, *other) } else { (*other, one) };
    if first.bytes.end > second.bytes.start {
        return;
    }
    let between = &text[first.bytes.end..second.bytes.start];
    let turned = [&text[second.bytes.clone()], between, &text[first.bytes.clone()]].concat();
    text.splice(first.bytes.start..second.bytes.end, turned);
}

/// A part once more, before some other part: repeated keys, known keys in the wrong object, longer arrays.
fn copy(text: &mut Vec<u8>, tokens: &[Range<usize>], random: &mut Random) {
    let parts = parts(text, tokens);
    let (Some(from), Some(to)) = (random.of(&parts), random.of(&parts)) else { return };
    let mut copy = text[from.bytes.clone()].to_vec();
    copy.push(b',');
    text.splice(to.bytes.start..to.bytes.start, copy);
}

/// A new member or item.
fn insert(text: &mut Vec<u8>, tokens: &[Range<usize>], random: &mut Random) {
    let openings: Vec<_> = (0..tokens.len()).filter(|number| b"{[".contains(&text[tokens[*number].start])).collect();
    let Some(number) = random.of(&openings) else { return };
    let opening = &tokens[*number];
    let mut new = if text[opening.start] == b'{' { random.member(2) } else { random.value(2) };
    let is_empty = tokens.get(number + 1).is_some_and(|next| b"}]".contains(&text[next.start]));
    if !is_empty {
        new.push(',');
    }
    text.splice(opening.end..opening.end, new.bytes());
}

/// A part less, with the comma that it does not need any more.
fn remove(text: &mut Vec<u8>, tokens: &[Range<usize>], random: &mut Random) {
    let parts = parts(text, tokens);
    let Some(part) = random.of(&parts) else { return };
    let mut bytes = part.bytes.clone();
    let next = tokens.iter().find(|token| token.start >= bytes.end);
    let before = tokens.iter().rfind(|token| token.end <= bytes.start);
    match (before, next) {
        (_, Some(next)) if text[next.start] == b',' => bytes.end = next.end,
        (Some(before), _) if text[before.start] == b',' => bytes.start = before.start,
        _ => {}
    }
    text.drain(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","text":"a \"b\"","done":false},"more":[1,[2]]}"#;

    #[test]
    fn members_and_items_are_found() {
        let tokens = tokens(EVENT.as_bytes());
        let parts = parts(EVENT.as_bytes(), &tokens);
        let texts: Vec<_> = parts.iter().map(|part| &EVENT[part.bytes.clone()]).collect();
        assert_eq!(texts[2], r#""session_id":"s""#);
        assert_eq!(texts[3], r#""text":"a \"b\"""#);
        assert_eq!(texts[5], r#""payload":{"session_id":"s","text":"a \"b\"","done":false}"#);
        assert_eq!(texts[6..], ["1", "2", "[2]", r#""more":[1,[2]]"#]);
    }

    #[test]
    fn any_text_can_be_changed_again_and_again() {
        for seed in 0..200 {
            let mut text = EVENT.as_bytes().to_vec();
            for step in 0..200 {
                text = mutant(&text, seed * 1000 + step);
            }
        }
        assert!(mutant(b"", 1).len() < 100);
        assert!(mutant(b"\"\\", 2).len() < 100);
    }
}
