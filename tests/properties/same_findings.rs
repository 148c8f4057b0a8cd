//! Differences that change no finding: other sessions in the same file, the form of the file, and the ways of writing
//! the same JSON.

use proptest::prelude::*;
use sessionlint::{Options, Wire};

use crate::json::{Json, Writing, units};
use crate::streams::{ALL, Said, ndjson, path, recording, said};

// ---- other sessions -----------------------------------------------------------------------------------

/// Returns the events with `prefix` before every session id; `None` if an event has no readable one.
fn renamed(events: &[Json], prefix: &str) -> Option<Vec<Json>> {
    let rename = |event: &Json| {
        let mut payload = event.at(&path("/payload"))?.clone();
        let Json::Object(members) = &mut payload else { return None };
        for (_, id) in members.iter_mut().filter(|(name, _)| name == "session_id") {
            let Json::Text(raw) = id else { return None };
            raw.insert_str(0, prefix);
        }
        payload.at(&path("/session_id"))?;
        Some(event.with(&path("/payload"), Some(payload)))
    };
    events.iter().map(rename).collect()
}

/// Returns the findings of one of two recordings that share a file, with its events numbered as if it were alone.
/// Of an unknown name only the first in a file is reported, whichever session has it.
fn said_of(events: &[Json], mine: impl Fn(u64) -> Option<u64>) -> Vec<Said> {
    let mut found = said(ndjson(events).as_bytes(), &Options::default());
    found.retain(|said| said.rule != "unknown-event" && said.rule != "unknown-field");
    found.retain_mut(|said| {
        let number = said.event.and_then(&mine);
        for (_, event) in &mut said.related {
            *event = event.and_then(&mine);
        }
        said.event = number;
        // What the end of a session lacks may be worded by the only other one.
        if ["turn-unfinished", "idle-missing"].contains(&said.rule.as_str()) {
            said.message.clear();
            said.related.clear();
        }
        number.is_some()
    });
    found
}

fn interleaving_changes_nothing(left: &[Json], right: &[Json], order: &[bool]) -> Result<(), TestCaseError> {
    let (Some(left), Some(right)) = (renamed(left, "left-"), renamed(right, "right-")) else {
        return Err(TestCaseError::reject("an event has no session"));
    };
    let (mut file, mut numbers) = (Vec::new(), Vec::new());
    let (mut of_left, mut of_right) = (left.iter().enumerate().peekable(), right.iter().enumerate().peekable());
    let mut order = order.iter().cycle();
    while of_left.peek().is_some() || of_right.peek().is_some() {
        let is_left = of_right.peek().is_none() || of_left.peek().is_some() && order.next() == Some(&true);
        let next = if is_left { of_left.next() } else { of_right.next() };
        if let Some((number, event)) = next {
            file.push(event.clone());
            numbers.push((is_left, number as u64));
        }
    }
    for (side, events) in [(true, &left), (false, &right)] {
        let together = said_of(&file, |event| {
            let (found, number) = numbers[event as usize];
            (found == side).then_some(number)
        });
        prop_assert_eq!(together, said_of(events, Some), "in\n{}", ndjson(&file));
    }
    Ok(())
}

/// More sessions than are kept in full: when one returns after all of them, it has been compacted.
const MANY_SESSIONS: usize = 1100;

fn rest_changes_nothing(events: &[Json]) -> Result<(), TestCaseError> {
    let Some(events) = renamed(events, "mine-") else {
        return Err(TestCaseError::reject("an event has no session"));
    };
    let other = |number| {
        let idle = format!(
            r#"{{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"other-{number}","pending":false,"status_label":"idle"}}}}"#
        );
        Json::parse(&idle).expect("it is JSON")
    };
    let others: Vec<_> = (0..MANY_SESSIONS).map(other).collect();
    let file: Vec<_> = events.iter().flat_map(|event| std::iter::once(event).chain(&others)).cloned().collect();
    let block = MANY_SESSIONS as u64 + 1;
    let among_others = said_of(&file, |event| (event % block == 0).then_some(event / block));
    let alone = said_of(&events, Some);
    // What comes again after more events than are kept is judged.
    prop_assume!(!alone.iter().any(|said| said.rule == "repeated-events"));
    prop_assert_eq!(among_others, alone);
    Ok(())
}

// ---- ways of writing ------------------------------------------------------------------------------------

/// Writes JSON in a style that nobody would use, but that is valid.
#[derive(Debug)]
struct Odd {
    random: u64,
    escapes: bool,
}

impl Odd {
    /// SplitMix64: enough to vary, and the same for the same seed.
    fn below(&mut self, end: usize) -> usize {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn escape(&mut self, unit: u16) -> String {
        if self.below(2) == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") }
    }
}

impl Writing for Odd {
    fn space(&mut self) -> &'static str {
        ["", "", "", " ", "\t", "  \t "][self.below(6)]
    }

    fn text(&mut self, raw: &str) -> String {
        if !self.escapes {
            return raw.to_owned();
        }
        let mut text = String::new();
        for c in char::decode_utf16(units(raw)) {
            let c = match c {
                Ok(c) => c,
                // Half of a surrogate pair can be written in no other way.
                Err(half) => {
                    text.push_str(&self.escape(half.unpaired_surrogate()));
                    continue;
                }
            };
            let short = match c {
                '"' => Some("\\\""),
                '\\' => Some("\\\\"),
                '/' => Some("\\/"),
                '\n' => Some("\\n"),
                '\t' => Some("\\t"),
                '\r' => Some("\\r"),
                '\u{8}' => Some("\\b"),
                '\u{C}' => Some("\\f"),
                _ => None,
            };
            match (self.below(4), short) {
                (0, _) => text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| self.escape(*unit))),
                (1, Some(short)) => text.push_str(short),
                (_, Some(short)) if c != '/' => text.push_str(short),
                _ if c < ' ' => text.push_str(&self.escape(c as u16)),
                _ => text.push(c),
            }
        }
        text
    }

    fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

fn writing_changes_nothing(events: &[Json], seed: u64, escapes: bool) -> Result<(), TestCaseError> {
    // Of two members with one key the last one counts, so the order matters there.
    prop_assume!(!events.iter().any(Json::has_duplicate_keys));
    let mut odd = Odd { random: seed, escapes };
    let written: String = events.iter().map(|event| event.write(&mut odd) + "\n").collect();
    let compared = |text: &str| {
        let mut found = said(text.as_bytes(), &Options::default());
        for said in &mut found {
            // A finding about a value quotes it as written.
            let shown = ["wrong-type", "wrong-value", "lone-surrogate"].contains(&said.rule.as_str());
            if escapes && shown {
                said.message.clear();
            }
        }
        found.sort();
        found
    };
    let (plain, written_otherwise) = (compared(&ndjson(events)), compared(&written));
    // Events that come again are told by their bytes.
    prop_assume!(!plain.iter().any(|said| said.rule == "repeated-events"));
    prop_assert_eq!(written_otherwise, plain, "in\n{}", written);
    Ok(())
}

// ---- forms --------------------------------------------------------------------------------------------

/// Returns the events in every form of a file, each with its wire and a name for it.
fn forms(events: &[Json]) -> Vec<(&'static str, Wire, String)> {
    let lines = |event: &Json, start: &str, end: &str| -> String {
        let text = event.pretty(0);
        let lines = text.lines().map(|line| format!("{start}{line}{end}"));
        lines.collect::<String>() + end
    };
    let array = Json::Array(events.to_vec());
    let each = |write: &dyn Fn(&Json) -> String| events.iter().map(write).collect::<String>();
    vec![
        ("one a line", Wire::Ndjson, ndjson(events)),
        ("one a line with CRLF", Wire::Ndjson, ndjson(events).replace('\n', "\r\n")),
        ("one a line and no line end at the end", Wire::Ndjson, ndjson(events).trim_end().to_owned()),
        ("minified array", Wire::Json, array.minified()),
        ("pretty array", Wire::Json, array.pretty(0) + "\n"),
        ("pretty, one after the other", Wire::Json, each(&|event| event.pretty(0) + "\n")),
        ("server-sent events", Wire::Sse, each(&|event| format!("data: {}\n\n", event.minified()))),
        ("pretty server-sent events", Wire::Sse, each(&|event| lines(event, "data: ", "\n"))),
        ("server-sent events with CRLF", Wire::Sse, each(&|event| lines(event, "data:", "\r\n"))),
    ]
}

fn in_a_message(event: &Json) -> Json {
    let member = |name: &str, value| (name.to_owned(), value);
    Json::Object(vec![
        member("jsonrpc", Json::text("2.0")),
        member("method", Json::text("event")),
        member("params", event.clone()),
    ])
}

fn the_form_changes_nothing(events: &[Json]) -> Result<(), TestCaseError> {
    let plain = said(ndjson(events).as_bytes(), &Options::default());
    // Where events stand is named from the root of the frame, which a message is.
    if plain.iter().any(|said| said.rule == "wrapped-events") {
        return Ok(());
    }
    let messages: Vec<_> = events.iter().map(in_a_message).collect();
    // A message is one level deeper than its event, which may be one too many.
    let fit = messages.iter().all(|message| message.depth() <= 127);
    let in_messages = forms(if fit { &messages } else { &[] });
    let json_rpc = in_messages.iter().filter(|(_, wire, text)| *wire == Wire::Ndjson && fit && !text.is_empty());
    let json_rpc = json_rpc.map(|(name, _, text)| (*name, Wire::JsonRpc, text.clone())).collect::<Vec<_>>();
    let in_messages = if fit { in_messages } else { Vec::new() };
    for (name, wire, text) in forms(events).into_iter().chain(in_messages).chain(json_rpc) {
        for wire in [Some(wire), None] {
            let found = said(text.as_bytes(), &Options::default().with_wire(wire));
            prop_assert_eq!(&found, &plain, "{} ({:?})\n{}", name, wire, text);
        }
    }
    Ok(())
}

/// Two keys that may have been meant as the missing one are too rare at random.
#[test]
fn the_key_that_was_meant_does_not_depend_on_key_order() {
    let started = |keys: &str| {
        let event = format!(
            r#"{{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:00Z","payload":{{{keys},"session_id":"s","tool_name":"bash","tool_input":{{}}}}}}"#
        );
        let mut found = said(event.as_bytes(), &Options::default().with_fragment(true));
        found.sort();
        found
    };
    let either = started(r#""toolCallId":"a","tool-call-id":"b""#);
    assert_eq!(either, started(r#""tool-call-id":"b","toolCallId":"a""#));
    assert_eq!(either.len(), 2, "one key is missing, one is unknown: {either:?}");
}

#[test]
fn corpus_files_give_the_same_findings_in_every_form() {
    for recording in ALL.iter() {
        the_form_changes_nothing(&recording.events).unwrap_or_else(|error| panic!("{}: {error}", recording.name));
    }
}

proptest! {
    #![proptest_config(crate::cases(500))]

    #[test]
    fn other_sessions_in_the_file_change_nothing(
        left in recording(),
        right in recording(),
        order in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        interleaving_changes_nothing(&left, &right, &order)?;
    }

    #[test]
    fn key_order_and_white_space_change_nothing(events in recording(), seed: u64) {
        writing_changes_nothing(&events, seed, false)?;
    }

    #[test]
    fn escapes_in_strings_change_nothing_but_what_is_shown(events in recording(), seed: u64) {
        writing_changes_nothing(&events, seed, true)?;
    }

}

proptest! {
    // Each case is checked in some fifty ways.
    #![proptest_config(crate::cases(40))]

    #[test]
    fn sessions_give_the_same_findings_in_every_form(events in recording()) {
        the_form_changes_nothing(&events)?;
    }
}

proptest! {
    #![proptest_config(crate::cases(40))]

    #[test]
    fn long_rests_among_many_sessions_change_nothing(events in recording()) {
        rest_changes_nothing(&events)?;
    }
}
