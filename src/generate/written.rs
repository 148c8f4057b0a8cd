//! How events are written: times, halves of characters, and lines.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::choices::Choices;
use super::texts::Style;

/// Stand-ins for the surrogates of a character that is cut in two, the high and the low one: JSON can escape them, but a
/// Rust string cannot hold them.
pub const HALVES: [(char, &str); 2] = [('\u{F8FE}', "\\ud83d"), ('\u{F8FF}', "\\ude42")];

/// Returns a time as a timestamp; in the plain style in the usual form.
pub fn time(milliseconds: i64, style: Style, choices: &mut Choices<'_>) -> Value {
    let Some(time) = DateTime::from_timestamp_millis(milliseconds) else { return Value::Null };
    if style == Style::Plain {
        return json!(time.to_rfc3339_opts(SecondsFormat::Secs, true));
    }
    json!(match choices.below(8) {
        7 => time.to_rfc3339_opts(SecondsFormat::Millis, false),
        6 => time.to_rfc3339_opts(SecondsFormat::Nanos, true),
        _ => time.to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}

/// Sets the value at the segments of a pointer, if the event has an object, or an item of an array, there.
pub fn put(event: &mut Value, at: &[String], value: &Value) {
    let Some((last, holders)) = at.split_last() else { return };
    let mut holder = event;
    for segment in holders {
        let next = match holder {
            Value::Object(members) => Some(members.entry(segment.clone()).or_insert_with(|| json!({}))),
            Value::Array(items) => segment.parse().ok().and_then(|index: usize| items.get_mut(index)),
            _ => None,
        };
        let Some(next) = next else { return };
        holder = next;
    }
    match holder {
        Value::Object(members) => drop(members.insert(last.clone(), value.clone())),
        Value::Array(items) => {
            if let Some(item) = last.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                item.clone_from(value);
            }
        }
        _ => {}
    }
}

/// Returns an event as a line, without its end. An event that is no JSON is made as a string.
pub fn line_of(event: &Value) -> Vec<u8> {
    if let Value::String(text) = event {
        return text.clone().into_bytes();
    }
    let line = event.to_string();
    HALVES.iter().fold(line, |line, (stand_in, escape)| line.replace(*stand_in, escape)).into_bytes()
}
