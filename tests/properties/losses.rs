//! Missing data never causes a false alarm: a cut-out, a frame that cannot be read, a broken field.

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::{Options, Severity};

use crate::json::Json;
use crate::streams::{Recording, Said, VALID, check, ndjson, path, protocol, said, session};

fn fragment() -> Options {
    Options::default().with_fragment(true)
}

#[test]
fn no_cut_out_of_a_valid_stream_has_a_finding() {
    for Recording { name, events } in VALID.iter() {
        for start in 0..events.len() {
            for end in start + 1..=events.len() {
                let found = said(ndjson(&events[start..end]).as_bytes(), &fragment());
                assert_eq!(found, [], "{name}, events {start}..{end}");
            }
        }
    }
}

#[test]
fn a_lost_frame_of_a_valid_stream_gives_one_finding() {
    for Recording { name, events } in VALID.iter() {
        for lost in 0..events.len() {
            let (before, after) = (ndjson(&events[..lost]), ndjson(&events[lost + 1..]));
            let found = check(format!("{before}{{garbage\n{after}").as_bytes(), &Options::default()).findings;
            let found = found.iter().filter(|finding| finding.severity > Severity::Note);
            let rules: Vec<_> = found.map(|finding| (&*finding.rule, finding.place.line)).collect();
            let expected = [("invalid-json", lost as u64 + 1), ("no-events", 1)];
            // If it was the only event, none is left.
            let expected = if events.len() == 1 { &expected[..] } else { &expected[..1] };
            assert_eq!(rules, expected, "{name}, event {lost}");
        }
    }
}

/// Returns the fields of a value that its schema requires.
fn required_fields(schema: &serde_json::Value, value: &Json, at: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let below = |segment: &str| [at, &[segment.to_owned()]].concat();
    for name in schema["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
        found.push(below(name));
    }
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                found.extend(required_fields(&schema["properties"][name], value, &below(name)));
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                found.extend(required_fields(&schema["items"], item, &below(&index.to_string())));
            }
        }
        _ => {}
    }
    found
}

/// Returns the schema of an event; for an unknown type, one that requires nothing.
fn schema_of(event: &Json) -> &'static serde_json::Value {
    let found = protocol().schemas().find(|(name, _)| event.at(&path("/type")) == Some(&Json::text(name)));
    found.map_or(&serde_json::Value::Null, |(_, schema)| schema)
}

#[test]
fn a_broken_field_of_a_valid_stream_gives_one_finding() {
    for Recording { name, events } in VALID.iter() {
        for (number, event) in events.iter().enumerate() {
            for field in required_fields(schema_of(event), event, &[]) {
                // A field whose key is written with escapes cannot be removed here.
                if event.at(&field).is_none() {
                    continue;
                }
                for value in [None, Some(Json::Bare("null".to_owned()))] {
                    let broken = event.with(&field, value.clone());
                    let text = ndjson(&[&events[..number], &[broken], &events[number + 1..]].concat());
                    let found = check(text.as_bytes(), &Options::default()).findings;
                    let found = found.iter().filter(|finding| finding.severity > Severity::Note);
                    let found: Vec<_> = found.map(|f| (&*f.rule, f.place.line, f.pointer.as_deref())).collect();
                    let line = number as u64 + 1;
                    let pointer = format!("/{}", field.join("/"));
                    let expected = match (pointer.as_str(), &value) {
                        ("/type", _) => ("not-an-event", line, None),
                        (_, None) => ("missing-field", line, Some(pointer.as_str())),
                        (_, Some(_)) => ("wrong-type", line, Some(pointer.as_str())),
                    };
                    assert_eq!(found, [expected], "{name}, event {number}\n{text}");
                }
            }
        }
    }
}

/// Returns the rule, the event and the field of each finding.
fn rules(said: Vec<Said>, first: u64) -> Vec<Found> {
    let event = |said: &Said| said.event.map(|event| event + first);
    said.into_iter().filter_map(|said| Some((event(&said)?, said.rule, said.pointer))).collect()
}

/// The rules that are reported at the event that led into a state, and not at the one that shows what is wrong.
const AT_ENTRY: [&str; 2] = ["turn-not-ended", "turn-empty"];

/// A finding: the number of its event, the rule, and the pointer.
type Found = (u64, String, Option<String>);

/// Returns whether a finding is one of the whole's that is reported there at the event where it began. If it may have begun
/// at several events, it is reported at the one that shows what is wrong.
fn is_at_entry((event, rule, _): &Found, whole: &[Found]) -> bool {
    AT_ENTRY.contains(&rule.as_str()) && whole.iter().any(|(at, other, _)| other == rule && at <= event)
}

proptest! {
    #![proptest_config(crate::cases(500))]

    /// Whatever is wrong with a session: a finding in a cut-out is also one in the whole.
    #[test]
    fn a_cut_out_has_no_finding_that_the_whole_does_not(events in session(), a: Index, b: Index) {
        let (a, b) = (a.index(events.len()), b.index(events.len()));
        let (start, end) = (a.min(b), a.max(b) + 1);
        let whole = rules(said(ndjson(&events).as_bytes(), &Options::default()), 0);
        // Events that come again are judged where the first ones are missing.
        prop_assume!(!whole.iter().any(|(_, rule, _)| rule == "repeated-events"));
        let part = said(ndjson(&events[start..end]).as_bytes(), &fragment());
        for said in rules(part, start as u64) {
            prop_assert!(whole.contains(&said) || is_at_entry(&said, &whole), "{:?} is not in {:?}\n{}", said, whole, ndjson(&events));
        }
    }

    /// Whatever is wrong with a session: a finding after a frame that cannot be read is also one in the whole.
    #[test]
    fn a_lost_frame_adds_no_finding(events in session(), lost: Index) {
        let lost = lost.index(events.len());
        let whole = rules(said(ndjson(&events).as_bytes(), &Options::default()), 0);
        prop_assume!(!whole.iter().any(|(_, rule, _)| rule == "repeated-events"));
        let text = format!("{}{{garbage\n{}", ndjson(&events[..lost]), ndjson(&events[lost + 1..]));
        for (event, rule, pointer) in rules(said(text.as_bytes(), &Options::default()), 0) {
            let said = (if event < lost as u64 { event } else { event + 1 }, rule, pointer);
            // Without the lost event, the one before it may be later than the one after it, which may then be a repetition.
            if !["time-goes-backwards", "repeated-events"].contains(&said.1.as_str()) {
                prop_assert!(whole.contains(&said) || is_at_entry(&said, &whole), "{:?} is not in {:?}\n{}", said, whole, text);
            }
        }
    }
}
