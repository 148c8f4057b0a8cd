//! A failing input → the least of it that still fails, by leaving out parts: lines, words, characters; of JSON, members
//! and items. What no part can be left out of is made plain.
//!
//! Parts are left out in runs that get shorter (delta debugging), so that much goes with few tries.

use std::ops::Range;

use serde_json::{Map, Value, json};

/// No more tries are to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent;

/// Whether something still fails.
pub type Fails<'f, T> = dyn FnMut(&T) -> Result<bool, Spent> + 'f;

/// So many parts are tried at every offset, more of them only side by side.
const FEW: usize = 32;
/// How often all is gone over, because one part may go once another has gone.
const MOST_ROUNDS: usize = 4;
/// What anything is made plain by.
const PLAIN: &[u8] = b"a";

/// Tries what is less than this input, as long as that fails. The last that failed is the least. `lined`: the number of
/// lines must stay.
pub fn reduce(input: &[u8], lined: bool, fails: &mut Fails<'_, [u8]>) -> Result<(), Spent> {
    let mut input = input.to_vec();
    for _ in 0..MOST_ROUNDS {
        let before = input.clone();
        let parsed: Option<Value> = serde_json::from_slice(&input).ok();
        input = match parsed.filter(|value| value.is_object() || value.is_array()) {
            Some(tree) => value(&tree, &mut |value| fails(value.to_string().as_bytes()))?.to_string().into_bytes(),
            None => text(&input, lined, fails)?,
        };
        if input == before {
            break;
        }
    }
    Ok(())
}

/// The least of a text: of its lines, then of the words of each, then of the characters of each word.
fn text(text: &[u8], lined: bool, fails: &mut Fails<'_, [u8]>) -> Result<Vec<u8>, Spent> {
    let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if !lined {
        lines = fewer(lines, &mut |lines| fails(&lines.join(&b'\n')))?;
    }
    for number in 0..lines.len() {
        let whole = |line: Vec<u8>| {
            let (before, after) = (&lines[..number], &lines[number + 1..]);
            [before, &[line], after].concat().join(&b'\n')
        };
        lines[number] = line(&lines[number], &mut |line| fails(&whole(line.to_vec())))?;
    }
    Ok(lines.join(&b'\n'))
}

fn line(line: &[u8], fails: &mut Fails<'_, [u8]>) -> Result<Vec<u8>, Spent> {
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut words: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
    let spaced = words.join(&b' ');
    // What matters may be the white space itself.
    if spaced != line && !fails(&spaced)? {
        return word(line, fails);
    }
    words = fewer(words, &mut |words| fails(&words.join(&b' ')))?;
    for number in 0..words.len() {
        let same = (0..words.len()).filter(|other| words[*other] == words[number]).collect::<Vec<_>>();
        // Perhaps what matters is that two words are the same.
        for some in [same.as_slice(), &[number]] {
            let with = |word: &[u8]| {
                let mut words = words.clone();
                some.iter().for_each(|number| words[*number] = word.to_vec());
                words
            };
            let mut is_less = |word: &[u8]| if word.is_empty() { Ok(false) } else { fails(&with(word).join(&b' ')) };
            words = with(&word(&words[number], &mut is_less)?);
        }
    }
    // Or that there is much of it.
    let spaced = words.join(&b' ');
    let much = PLAIN.repeat(spaced.len());
    Ok(if words.len() > 1 && fails(&much)? { much } else { spaced })
}

fn word(word: &[u8], fails: &mut Fails<'_, [u8]>) -> Result<Vec<u8>, Spent> {
    let characters: Vec<&[u8]> = match std::str::from_utf8(word) {
        Ok(text) => text.char_indices().map(|(at, c)| &word[at..at + c.len_utf8()]).collect(),
        Err(_) => word.chunks(1).collect(),
    };
    let mut characters = fewer(characters, &mut |characters| fails(&characters.concat()))?;
    // All of it at once, or else one by one.
    plain(&mut characters, 0..usize::MAX, fails)?;
    for number in 0..characters.len() {
        plain(&mut characters, number..number + 1, fails)?;
    }
    Ok(characters.concat())
}

/// Makes some characters plain, if that still fails.
fn plain(characters: &mut Vec<&[u8]>, some: Range<usize>, fails: &mut Fails<'_, [u8]>) -> Result<(), Spent> {
    let made = characters.iter().enumerate().map(|(number, c)| if some.contains(&number) { PLAIN } else { *c });
    let made: Vec<&[u8]> = made.collect();
    if made != *characters && fails(&made.concat())? {
        *characters = made;
    }
    Ok(())
}

/// The least of a JSON value.
fn value(now: &Value, fails: &mut Fails<'_, Value>) -> Result<Value, Spent> {
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
            let text = text(now.as_bytes(), false, &mut |text| match std::str::from_utf8(text) {
                Ok(text) => fails(&json!(text)),
                Err(_) => Ok(false),
            })?;
            Ok(json!(String::from_utf8_lossy(&text)))
        }
        Value::Number(_) => Ok(if fails(&json!(1))? { json!(1) } else { now.clone() }),
        Value::Array(items) => Ok(parts(items.clone(), |item| item, Value::Array, fails)?),
        Value::Object(members) => {
            let members: Vec<(String, Value)> = members.clone().into_iter().collect();
            let whole = |members: Vec<(String, Value)>| Value::Object(members.into_iter().collect::<Map<_, _>>());
            parts(members, |member| &mut member.1, whole, fails)
        }
        _ => Ok(now.clone()),
    }
}

/// The fewest parts of a value, each the least. `of`: the value of a part; `whole`: what has such parts.
fn parts<P: Clone>(
    parts: Vec<P>,
    of: impl Fn(&mut P) -> &mut Value,
    whole: impl Fn(Vec<P>) -> Value,
    fails: &mut Fails<'_, Value>,
) -> Result<Value, Spent> {
    let mut parts = fewer(parts, &mut |parts| fails(&whole(parts.to_vec())))?;
    for number in 0..parts.len() {
        let now = of(&mut parts[number]).clone();
        let least = value(&now, &mut |value| {
            let mut parts = parts.clone();
            *of(&mut parts[number]) = value.clone();
            fails(&whole(parts))
        })?;
        *of(&mut parts[number]) = least;
    }
    Ok(whole(parts))
}

/// The fewest of some parts, in their order.
fn fewer<P: Clone>(mut parts: Vec<P>, fails: &mut Fails<'_, [P]>) -> Result<Vec<P>, Spent> {
    let mut length = parts.len();
    while length > 0 {
        let (mut at, mut gone) = (0, false);
        while at < parts.len() {
            let end = (at + length).min(parts.len());
            let rest = [&parts[..at], &parts[end..]].concat();
            if fails(&rest)? {
                (parts, gone) = (rest, true);
            } else {
                at += if parts.len() <= FEW { 1 } else { length };
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

    /// The least of an input, and how many tries it took.
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
    fn little_is_tried_for_much() {
        let prompt = "word ".repeat(300) + "crash" + &" word".repeat(300);
        let (least, tries) = least(&prompt, false, |text| text.split(' ').any(|word| word == "crash"));
        assert_eq!(least, "crash");
        assert!(tries < 300, "{tries}");
    }

    #[test]
    fn what_is_long_stays_as_long_as_it_must() {
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
    fn a_tree_stays_one_and_its_texts_are_made_less() {
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
            if left == 0 { Err(Spent) } else { Ok(false) }
        });
        assert_eq!((done, left), (Err(Spent), 0));
    }
}
