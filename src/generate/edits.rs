//! Edits a line of a stream so that it breaks a rule of the framing or of the schemas.

use serde_json::Value;
use sessionlint_core::framing::Framing;

use sessionlint_core::protocol::Protocol;

use super::choices::Choices;

/// Edits one of the lines so that it may break a rule of the framing. Returns whether the last line ends with a line
/// feed; `None` if the edit was not possible.
pub fn edit(protocol: &Protocol, lines: &mut Vec<Vec<u8>>, rule: Framing, choices: &mut Choices<'_>) -> Option<bool> {
    let number = choices.below(lines.len());
    let line = String::from_utf8(lines.get(number)?.clone()).ok()?;
    let at = choices.below(line.len());
    let new = match rule {
        Framing::InvalidJson => [&line[..line.len() - 1], ",}"].concat().into_bytes(),
        Framing::ForeignFraming => ["INFO ", line.as_str()].concat().into_bytes(),
        Framing::InvalidUtf8 => {
            let quote = string_after(&line, at)?;
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
            *event.pointer_mut(&protocol.tables().shape.event_type.text())? = "not.an.event".into();
            lines.insert(number + 1, event.to_string().into_bytes());
            return Some(true);
        }
        Framing::MisspeltEvent => {
            let mut event: Value = serde_json::from_str(&line).ok()?;
            let name = event.pointer_mut(&protocol.tables().shape.event_type.text())?;
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
            let quote = string_after(&line, at)?;
            [&line[..quote], "\\ud800", &line[quote..]].concat().into_bytes()
        }
        Framing::ReplacementCharacter => {
            let quote = string_after(&line, at)?;
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

/// Returns where the first value of a member after the offset `at` starts.
fn value_after(line: &str, at: usize) -> Option<usize> {
    let colon = line.get(at..)?.find("\":")? + at + 2;
    Some(line.len() - line[colon..].trim_start().len())
}

/// Returns where the text of the first string of a member after the offset `at` starts, behind its quotation mark.
fn string_after(line: &str, at: usize) -> Option<usize> {
    let colons = line.get(at..)?.match_indices("\":").map(|(colon, _)| colon + at);
    let mut starts = colons.filter_map(|colon| value_after(line, colon));
    starts.find(|start| line[*start..].starts_with('"')).map(|start| start + 1)
}

/// Returns the line with `new` in place of the first scalar member value after the offset `at`; `None` if there is
/// none.
fn replace_scalar(line: &str, at: usize, new: &str) -> Option<Vec<u8>> {
    let start = value_after(line, at)?;
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
    let commas = line.get(at..)?.match_indices(',').map(|(comma, _)| comma + at);
    let start = commas.filter(|comma| line[comma + 1..].trim_start().starts_with('"')).min()?;
    let colon = value_after(line, start)?;
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
