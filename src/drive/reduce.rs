//! A failing input → the smallest part of it that still fails, found by leaving out parts: lines, words and characters
//! of text; members and items of JSON. Characters that cannot be left out are replaced by a placeholder.
//!
//! Parts are left out in runs that get shorter (delta debugging), so that few attempts remove much.

use std::ops::Range;

use serde_json::{Map, Value, json};

/// The error of a search that has no attempts left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSpent;

/// A test of whether a candidate still fails.
pub type StillFails<'f, T> = dyn FnMut(&T) -> Result<bool, BudgetSpent> + 'f;

/// Up to this many parts, runs are left out at every offset; beyond it, only side by side.
const MAX_OVERLAPPING: usize = 32;
/// The number of passes over the whole input: leaving out one part may make another one superfluous.
const MAX_ROUNDS: usize = 4;
/// The replacement for a character that cannot be left out.
const PLACEHOLDER: &[u8] = b"a";

/// Tries smaller and smaller variants of an input. The last variant for which `fails` returned `true` is the smallest.
/// `lined` means that the number of lines must not change.
///
/// # Errors
///
/// Fails as soon as `fails` does.
pub fn reduce(input: &[u8], lined: bool, fails: &mut StillFails<'_, [u8]>) -> Result<(), BudgetSpent> {
    let mut input = input.to_vec();
    for _ in 0..MAX_ROUNDS {
        let before = input.clone();
        let parsed: Option<Value> = serde_json::from_slice(&input).ok();
        input = match parsed.filter(|value| value.is_object() || value.is_array()) {
            Some(tree) => {
                reduce_value(&tree, &mut |value| fails(value.to_string().as_bytes()))?.to_string().into_bytes()
            }
            None => reduce_text(&input, lined, fails)?,
        };
        if input == before {
            break;
        }
    }
    Ok(())
}

/// Reduces a text: first its lines, then the words of each line, then the characters of each word.
fn reduce_text(text: &[u8], lined: bool, fails: &mut StillFails<'_, [u8]>) -> Result<Vec<u8>, BudgetSpent> {
    let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if !lined {
        lines = drop_parts(lines, &mut |lines| fails(&lines.join(&b'\n')))?;
    }
    for number in 0..lines.len() {
        let whole = |line: Vec<u8>| {
            let (before, after) = (&lines[..number], &lines[number + 1..]);
            [before, &[line], after].concat().join(&b'\n')
        };
        lines[number] = reduce_line(&lines[number], &mut |line| fails(&whole(line.to_vec())))?;
    }
    Ok(lines.join(&b'\n'))
}

fn reduce_line(line: &[u8], fails: &mut StillFails<'_, [u8]>) -> Result<Vec<u8>, BudgetSpent> {
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut words: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
    let spaced = words.join(&b' ');
    // The failure may depend on the white space itself.
    if spaced != line && !fails(&spaced)? {
        return reduce_word(line, fails);
    }
    words = drop_parts(words, &mut |words| fails(&words.join(&b' ')))?;
    for number in 0..words.len() {
        let same = (0..words.len()).filter(|other| words[*other] == words[number]).collect::<Vec<_>>();
        // The failure may depend on two words being equal.
        for some in [same.as_slice(), &[number]] {
            let with = |word: &[u8]| {
                let mut words = words.clone();
                some.iter().for_each(|number| words[*number] = word.to_vec());
                words
            };
            let mut is_less = |word: &[u8]| if word.is_empty() { Ok(false) } else { fails(&with(word).join(&b' ')) };
            words = with(&reduce_word(&words[number], &mut is_less)?);
        }
    }
    // Or on the length alone.
    let spaced = words.join(&b' ');
    let much = PLACEHOLDER.repeat(spaced.len());
    Ok(if words.len() > 1 && fails(&much)? { much } else { spaced })
}

fn reduce_word(word: &[u8], fails: &mut StillFails<'_, [u8]>) -> Result<Vec<u8>, BudgetSpent> {
    let characters: Vec<&[u8]> = match std::str::from_utf8(word) {
        Ok(text) => text.char_indices().map(|(at, c)| &word[at..at + c.len_utf8()]).collect(),
        Err(_) => word.chunks(1).collect(),
    };
    let mut characters = drop_parts(characters, &mut |characters| fails(&characters.concat()))?;
    // All characters at once, or else one by one.
    simplify(&mut characters, 0..usize::MAX, fails)?;
    for number in 0..characters.len() {
        simplify(&mut characters, number..number + 1, fails)?;
    }
    Ok(characters.concat())
}

/// Replaces some characters by the placeholder, if the result still fails.
fn simplify(
    characters: &mut Vec<&[u8]>,
    some: Range<usize>,
    fails: &mut StillFails<'_, [u8]>,
) -> Result<(), BudgetSpent> {
    let made = characters.iter().enumerate().map(|(number, c)| if some.contains(&number) { PLACEHOLDER } else { *c });
    let made: Vec<&[u8]> = made.collect();
    if made != *characters && fails(&made.concat())? {
        *characters = made;
    }
    Ok(())
}

/// Reduces a JSON value.
fn reduce_value(now: &Value, fails: &mut StillFails<'_, Value>) -> Result<Value, BudgetSpent> {
    let least = match now {
        Value::Null => Value::Null,
        Value::Bool(_) => json!(false),
        Value::Number(_) => json!(0),
        Value::String(_) => json!(""),
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
    };
    if *now == least || fails(&least)? {
        return Ok(least);
    }
    match now {
        Value::String(now) => {
            let text = reduce_text(now.as_bytes(), false, &mut |text| match std::str::from_utf8(text) {
                Ok(text) => fails(&json!(text)),
                Err(_) => Ok(false),
            })?;
            Ok(json!(String::from_utf8_lossy(&text)))
        }
        Value::Number(_) => Ok(if fails(&json!(1))? { json!(1) } else { now.clone() }),
        Value::Array(items) => Ok(reduce_parts(items.clone(), |item| item, Value::Array, fails)?),
        Value::Object(members) => {
            let members: Vec<(String, Value)> = members.clone().into_iter().collect();
            let whole = |members: Vec<(String, Value)>| Value::Object(members.into_iter().collect::<Map<_, _>>());
            reduce_parts(members, |member| &mut member.1, whole, fails)
        }
        _ => Ok(now.clone()),
    }
}

/// Reduces the number of parts of a value, then each part. `of` returns the value of a part; `whole` builds a value
/// from parts.
fn reduce_parts<P: Clone>(
    parts: Vec<P>,
    of: impl Fn(&mut P) -> &mut Value,
    whole: impl Fn(Vec<P>) -> Value,
    fails: &mut StillFails<'_, Value>,
) -> Result<Value, BudgetSpent> {
    let mut parts = drop_parts(parts, &mut |parts| fails(&whole(parts.to_vec())))?;
    for number in 0..parts.len() {
        let now = of(&mut parts[number]).clone();
        let least = reduce_value(&now, &mut |value| {
            let mut parts = parts.clone();
            *of(&mut parts[number]) = value.clone();
            fails(&whole(parts))
        })?;
        *of(&mut parts[number]) = least;
    }
    Ok(whole(parts))
}

/// Leaves out as many parts as possible, and keeps the order of the rest.
fn drop_parts<P: Clone>(mut parts: Vec<P>, fails: &mut StillFails<'_, [P]>) -> Result<Vec<P>, BudgetSpent> {
    let mut length = parts.len();
    while length > 0 {
        let (mut at, mut gone) = (0, false);
        while at < parts.len() {
            let end = (at + length).min(parts.len());
            let rest = [&parts[..at], &parts[end..]].concat();
            if fails(&rest)? {
                (parts, gone) = (rest, true);
            } else {
                at += if parts.len() <= MAX_OVERLAPPING { 1 } else { length };
            }
        }
        if length == 1 && gone {
            continue;
        }
        length = (length / 2).min(parts.len());
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the smallest variant of an input, and the number of attempts.
    fn least(input: &str, lined: bool, fails: impl Fn(&str) -> bool) -> (String, usize) {
        let (mut least, mut tries) = (input.to_owned(), 0);
        let done = reduce(input.as_bytes(), lined, &mut |input| {
            tries += 1;
            let input = String::from_utf8(input.to_vec()).expect("characters are whole");
            let fails = fails(&input);
            if fails {
                least = input;
            }
            Ok(fails)
        });
        assert_eq!(done, Ok(()));
        (least, tries)
    }

    #[test]
    fn a_long_prompt_becomes_its_few_words() {
        let prompt = "Look at !read:notes and then !bash:ls !web:fail, is it there? And so on.";
        let tool = |word: &str| word.starts_with('!') && word.len() > 1;
        let pair = |text: &str| {
            let words: Vec<_> = text.split(' ').collect();
            words.windows(2).any(|pair| tool(pair[0]) && tool(pair[1]))
        };
        assert_eq!(least(prompt, false, pair).0, "!a !a");
        let twice = |text: &str| {
            let words: Vec<_> = text.split(' ').filter_map(|word| word.strip_prefix('!')).collect();
            let tools: Vec<_> = words.iter().filter_map(|word| word.split(':').next()).collect();
            (1..tools.len()).any(|at| !tools[at].is_empty() && tools[..at].contains(&tools[at]))
        };
        assert_eq!(least("Look !web:news and !web:weather there", false, twice).0, "!a !a");
        assert_eq!(least(prompt, false, |text| text.contains("fail")).0, "fail");
        assert_eq!(least(prompt, false, |text| text.contains('?')).0, "?");
        assert_eq!(least("crash", false, |_| true).0, "");
    }

    #[test]
    fn few_attempts_remove_much() {
        let prompt = "word ".repeat(300) + "crash" + &" word".repeat(300);
        let (least, tries) = least(&prompt, false, |text| text.split(' ').any(|word| word == "crash"));
        assert_eq!(least, "crash");
        assert!(tries < 300, "{tries}");
    }

    #[test]
    fn an_input_stays_as_long_as_it_must() {
        let prompt = "An answer of which the last full stop comes only after it was said to be complete, surely.";
        let (least, _) = least(prompt, false, |text| text.chars().count() > 80);
        assert_eq!(least, "a".repeat(81));
    }

    #[test]
    fn lines_go_unless_their_number_is_given() {
        let fails = |text: &str| text.contains("two");
        assert_eq!(least("one\ntwo words\nthree", false, fails).0, "two");
        assert_eq!(least("one\ntwo words\nthree", true, fails).0, "\ntwo\n");
    }

    #[test]
    fn a_tree_stays_a_tree_and_its_texts_are_reduced() {
        let input = r#"{"id":17,"text":"Look !read:a there","more":[1,{"deep":[true,null]}]}"#;
        let fails = |text: &str| {
            let value: Value = serde_json::from_str(text).expect("JSON");
            value["text"].as_str().is_some_and(|text| text.contains("!r"))
        };
        assert_eq!(least(input, false, fails).0, r#"{"text":"!r"}"#);
        let deep = |text: &str| text.contains("deep");
        assert_eq!(least(input, false, deep).0, r#"{"more":[{"deep":[]}]}"#);
    }

    #[test]
    fn it_stops_when_no_tries_are_left() {
        let mut left = 3;
        let done = reduce(b"one two three four five", false, &mut |_| {
            left -= 1;
            if left == 0 { Err(BudgetSpent) } else { Ok(false) }
        });
        assert_eq!((done, left), (Err(BudgetSpent), 0));
    }
}
