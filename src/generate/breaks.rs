//! Generates streams that break one rule: by an event that the tables forbid, by ending too early, or by an edit.

use serde_json::Value;
use sessionlint_core::check;
use sessionlint_core::event::Options;
use sessionlint_core::finding::Finding;
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::Protocol;

use super::choices::{Choices, mix};
use super::walk::{Stream, StreamOptions, Walk};

/// The most walks that are tried.
const MOST_WALKS: u32 = 200;
/// The number of events that may follow the forbidden one, before those that end the stream.
const MOST_BEHIND: usize = 6;
/// The number of events that are proposed at each step of a walk.
const MOST_TRIES: usize = 60;

/// Generates a stream with exactly one finding, of this rule.
pub fn broken(protocol: &Protocol, rule: &str, options: &StreamOptions, tape: &[u32]) -> Option<Stream> {
    let framing = Framing::ALL.into_iter().find(|framing| framing.name() == rule);
    (0..MOST_WALKS).find_map(|number| {
        let tape: Vec<u32> =
            tape.iter().map(|choice| mix(u64::from(*choice) << 32 | u64::from(number)) as u32).collect();
        let mut choices = Choices::new(&tape);
        match framing {
            Some(framing) => break_by_edit(protocol, framing, options, &mut choices),
            None => break_by_event(protocol, rule, options, &mut choices),
        }
    })
}

/// Returns whether there is exactly one finding, and it is of this rule.
pub fn is_only_finding(findings: &[Finding], rule: &str) -> bool {
    matches!(findings, [one] if *one.rule == *rule)
}

/// Returns the stream if it breaks the rule and nothing else.
fn if_only_finding(protocol: &Protocol, rule: &str, stream: Stream) -> Option<Stream> {
    let options = Options::default().with_excerpts(false);
    let findings = check(protocol, &stream.ndjson(), options).findings;
    let line = findings.first().map(|finding| finding.place.line)?;
    is_only_finding(&findings, rule).then(|| Stream { breaks: Some((line, rule.to_owned())), ..stream })
}

/// Breaks a rule by a forbidden event or by the end of the stream.
fn break_by_event(
    protocol: &Protocol,
    rule: &str,
    options: &StreamOptions,
    choices: &mut Choices<'_>,
) -> Option<Stream> {
    let mut walk = Walk::new(protocol, options);
    let mut is_late = false;
    for _ in 0..options.events {
        if is_only_finding(&walk.checker.clone().finish().findings, rule) {
            return if_only_finding(protocol, rule, Stream { lines: walk.lines, ..Stream::default() });
        }
        for _ in 0..MOST_TRIES {
            let Some((proposal, trial, findings)) = walk.wild_proposal(choices) else { continue };
            if is_only_finding(&findings, rule) {
                walk.take(proposal, trial);
                // Some events after it also test how judging continues.
                for _ in 0..choices.below(MOST_BEHIND) {
                    walk.step(choices);
                }
                if !walk.close(choices) {
                    return None;
                }
                return if_only_finding(protocol, rule, Stream { lines: walk.lines, ..Stream::default() });
            }
        }
        // Where a rule is broken already, and is reported later, no other step is legal.
        if is_late {
            return None;
        }
        is_late = choices.once_in(8) && walk.late_step(choices);
        if !is_late && !walk.step(choices) {
            return None;
        }
    }
    None
}

/// Breaks a rule by an edit of a legal stream.
fn break_by_edit(
    protocol: &Protocol,
    rule: Framing,
    options: &StreamOptions,
    choices: &mut Choices<'_>,
) -> Option<Stream> {
    let mut walk = Walk::new(protocol, options);
    for _ in 0..choices.below(12) {
        walk.step(choices);
    }
    if !walk.close(choices) {
        return None;
    }
    (0..MOST_TRIES).find_map(|_| {
        let mut lines = walk.lines.clone();
        let cut_off = !edit(&mut lines, rule, choices)?;
        if_only_finding(protocol, rule.name(), Stream { lines, cut_off, breaks: None })
    })
}

/// Edits one of the lines so that it may break a rule of the framing. Returns whether the last line ends with a line
/// feed; `None` if the edit was not possible.
pub fn edit(lines: &mut Vec<Vec<u8>>, rule: Framing, choices: &mut Choices<'_>) -> Option<bool> {
    let number = choices.below(lines.len());
    let line = String::from_utf8(lines.get(number)?.clone()).ok()?;
    let at = choices.below(line.len());
    let new = match rule {
        Framing::InvalidJson => [&line[..line.len() - 1], ",}"].concat().into_bytes(),
        Framing::ForeignFraming => ["INFO ", line.as_str()].concat().into_bytes(),
        Framing::InvalidUtf8 => {
            let quote = line.get(at..)?.find("\":\"")? + at + 3;
            [&line.as_bytes()[..quote], b"\xFF", &line.as_bytes()[quote..]].concat()
        }
        Framing::TruncatedLine => {
            let last = lines.pop()?;
            lines.push(last[..last.len() - 1].to_vec());
            return Some(false);
        }
        Framing::WrappedEvents => {
            for line in lines.iter_mut() {
                *line = [b"{\"event\":", line.as_slice(), b"}"].concat();
            }
            return Some(true);
        }
        Framing::NotAnEvent => {
            lines.insert(number, b"7".to_vec());
            return Some(true);
        }
        Framing::UnknownEvent => {
            let mut event: Value = serde_json::from_str(&line).ok()?;
            event.as_object_mut()?.values_mut().find(|value| value.is_string())?.clone_from(&"not.an.event".into());
            lines.insert(number + 1, event.to_string().into_bytes());
            return Some(true);
        }
        Framing::MisspeltEvent => {
            let mut event: Value = serde_json::from_str(&line).ok()?;
            let name = event.as_object_mut()?.values_mut().find(|value| value.is_string())?;
            let (lower, upper) = (name.as_str()?.to_lowercase(), name.as_str()?.to_uppercase());
            let new = if name.as_str()? == upper { lower } else { upper };
            *name = new.into();
            lines.insert(number + 1, event.to_string().into_bytes());
            return Some(true);
        }
        Framing::RepeatedEvents => {
            let behind = number + 1 + choices.below(lines.len() - number);
            lines.insert(behind, line.into_bytes());
            return Some(true);
        }
        Framing::NumberOutOfRange => replace_scalar(&line, at, "1e999")?,
        Framing::TooDeep => replace_scalar(&line, at, &format!("{}{}", "[".repeat(200), "]".repeat(200)))?,
        Framing::LoneSurrogate => {
            let quote = line.get(at..)?.find("\":\"")? + at + 3;
            [&line[..quote], "\\ud800", &line[quote..]].concat().into_bytes()
        }
        Framing::ReplacementCharacter => {
            let quote = line.get(at..)?.find("\":\"")? + at + 3;
            [&line[..quote], "\u{FFFD}", &line[quote..]].concat().into_bytes()
        }
        Framing::DuplicateKey | Framing::MissingField | Framing::UnknownField => edit_member(&line, rule, at)?,
        Framing::WrongType => {
            let replacements = ["17", "\"17\"", "null", "[]", "{}", "true"];
            replace_scalar(&line, at, choices.one_of(&replacements)?)?
        }
        Framing::WrongValue => {
            let replacements = ["\"\"", "\"nobody\"", "-1", "\"2026-01-01\""];
            replace_scalar(&line, at, choices.one_of(&replacements)?)?
        }
        _ => return None,
    };
    lines[number] = new;
    Some(true)
}

/// Returns the line with `new` in place of the first scalar member value after the offset `at`; `None` if there is
/// none.
fn replace_scalar(line: &str, at: usize, new: &str) -> Option<Vec<u8>> {
    let start = line.get(at..)?.find("\":")? + at + 2;
    let rest = &line[start..];
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let length = values.byte_offset();
    if value.is_object() || value.is_array() {
        return None;
    }
    Some([&line[..start], new, &rest[length..]].concat().into_bytes())
}

/// Returns the line with the first member after the offset `at` doubled, removed, or preceded by an unknown member.
fn edit_member(line: &str, rule: Framing, at: usize) -> Option<Vec<u8>> {
    let start = line.get(at..)?.find(",\"")? + at;
    let colon = line[start..].find("\":")? + start + 2;
    let mut values = serde_json::Deserializer::from_str(&line[colon..]).into_iter::<Value>();
    values.next()?.ok()?;
    let end = colon + values.byte_offset();
    let member = &line[start..end];
    let new = match rule {
        Framing::DuplicateKey => [member, member].concat(),
        Framing::MissingField => String::new(),
        _ => [",\"not_a_field\":1", member].concat(),
    };
    Some([&line[..start], &new, &line[end..]].concat().into_bytes())
}
