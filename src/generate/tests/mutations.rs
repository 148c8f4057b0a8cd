//! Recordings that are broken: by what the tables name, and however they are written.

use serde_json::json;
use sessionlint_core::check;
use sessionlint_core::event::Options;

use super::super::*;
use super::words::protocol;

const TABLES: &str = r##"
[[type]]
name = "done"
text = "[DONE]"
[[lifecycle]]
name   = "stream"
states = ["open", "done"]
end.open = "done-missing"
row = [
  { on = "done", cell = { open = "done", done = { rule = "done-twice" } } },
  { on = "*", cell = { open = "=", done = { rule = "after-done" } } },
]
[[lifecycle]]
name   = "call"
within = "stream"
states = ["absent", "made", "listed"]
keyed  = "stream"
opens  = "made"
row = [
  { on = "call", key = "/id", cell = { absent = "made", else = { rule = "call-twice" } } },
  { on = "list", each = "/calls", key = "/id", cell = { absent = { rule = "no-call" }, made = "listed", listed = { rule = "listed-twice" } }, others.made = { rule = "call-missing", to = "listed" } },
]
[[text]]
name   = "message"
append = { on = "delta", at = "/text" }
whole  = [{ on = "message", at = "/text", rule = "other-text", ends = true }]
no-pieces = "text-not-streamed"
[[series]]
values = [{ on = "count", at = "/n" }]
step   = 1
from   = "any"
rule   = "number-gap"
"##;

/// A recording as Python writes it, with spaces behind colons.
const RECORDING: [&str; 10] = [
    r#"{"type": "call", "id": "a"}"#,
    r#"{"type": "call", "id": "b"}"#,
    r#"{"type": "delta", "text": "Hel"}"#,
    r#"{"type": "delta", "text": "lo"}"#,
    r#"{"type": "message", "text": "Hello"}"#,
    r#"{"type": "count", "n": 1}"#,
    r#"{"type": "count", "n": 2}"#,
    r#"{"type": "count", "n": 3}"#,
    r#"{"type": "list", "calls": [{"id": "a"}, {"id": "b"}]}"#,
    "[DONE]",
];

#[test]
fn a_recording_is_broken_in_each_rule_of_its_words() {
    let (text, n) = (json!({"type": "string"}), json!({"type": "integer"}));
    let call = json!({"type": "object", "required": ["id"], "properties": {"id": text}});
    let events = [
        ("call", json!({"id": text})),
        ("delta", json!({"text": text})),
        ("message", json!({"text": text})),
        ("count", json!({"n": n})),
        ("list", json!({"calls": {"type": "array", "items": call}})),
    ];
    let (protocol, rules) = protocol(TABLES, &events);
    let lines: Vec<Vec<u8>> = RECORDING.iter().map(|line| line.as_bytes().to_vec()).collect();
    let clean = check(&protocol, &[lines.join(&b'\n'), b"\n".to_vec()].concat(), Options::default());
    assert_eq!(clean.findings, []);
    let of_framing = ["missing-field", "duplicate-key", "wrong-type", "unknown-field"].map(str::to_owned);
    for rule in rules.into_iter().chain(of_framing) {
        for seed in 0..3 {
            let made = mutated(&protocol, &rule, &lines, &tape(seed, 1000));
            let made = made.unwrap_or_else(|| panic!("no mutation breaks {rule} alone (seed {seed})"));
            let findings = check(&protocol, &made.ndjson(), Options::default()).findings;
            let found: Vec<_> = findings.iter().map(|finding| (finding.place.line, &*finding.rule)).collect();
            let (line, name) = made.breaks.expect("it breaks a rule");
            assert_eq!((found, &name), (vec![(line, rule.as_str())], &rule));
        }
    }
}

/// What only server-sent events show cannot be expected of lines.
#[test]
fn a_recording_of_lines_is_broken_as_lines() {
    let protocol = Protocol::builtin("openai-chat").expect("it is built in");
    let chunk = |delta: &str, end: &str| {
        format!(
            r#"{{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{end}}}]}}"#
        )
    };
    let lines =
        [chunk(r#"{"role":"assistant","content":"Hi"}"#, "null"), chunk("{}", r#""stop""#), "[DONE]".to_owned()];
    let lines = lines.map(String::into_bytes);
    let mut broken = 0;
    for rule in breakable(protocol) {
        let Some(made) = mutated(protocol, &rule.name, &lines, &tape(0, 1000)) else { continue };
        let findings = check(protocol, &made.ndjson(), Options::default()).findings;
        let found: Vec<_> = findings.iter().map(|finding| (finding.place.line, finding.rule.to_string())).collect();
        assert_eq!(found, Vec::from_iter(made.breaks), "{}", rule.name);
        assert_ne!(&*rule.name, "done-missing");
        broken += 1;
    }
    assert!(broken > 10, "{broken}");
}

/// A session with a counter that tells of lost events, and jobs that must be closed before it ends.
const COUNTED: &str = r##"
[[series]]
values = [{ on = "*", at = "/seq" }]
step   = 1
from   = 0
lost   = true
rule   = "seq-wrong"
[[lifecycle]]
name   = "session"
states = ["open", "ended"]
end.open = "unfinished"
row = [
  { on = "ended", cell = { open = "ended", ended = { rule = "after-end" } } },
  { on = "*", cell = { open = "=", ended = { rule = "after-end" } } },
]
[[lifecycle]]
name   = "job"
within = "session"
states = ["absent", "open", "closed"]
keyed  = "parent"
opens  = "open"
row = [
  { on = "opened", key = "/job", cell = { absent = "open", else = { rule = "job-reused" } } },
  { on = "note", key = "/job", cell = { absent = { rule = "job-unknown" }, open = "=", closed = { rule = "note-late" } } },
  { on = "closed", key = "/job", cell = { absent = { rule = "job-unknown" }, open = "closed", closed = { rule = "closed-twice" } } },
  { on = "ended", cell = { open = { rule = "left-open", to = "closed" }, else = "=" } },
]
"##;

fn counted() -> (Protocol, Vec<String>) {
    let of_job = json!({"seq": {"type": "integer"}, "job": {"type": "string"}});
    let ended = json!({"seq": {"type": "integer"}});
    protocol(COUNTED, &[("opened", of_job.clone()), ("note", of_job.clone()), ("closed", of_job), ("ended", ended)])
}

/// Returns the rules of what is found, but for notes of what was not judged.
fn rules_of(protocol: &Protocol, stream: &Stream) -> Vec<String> {
    let findings = check(protocol, &stream.ndjson(), Options::default()).findings;
    findings.iter().map(|one| one.rule.to_string()).filter(|rule| rule != "check-skipped").collect()
}

/// What follows a gap is not judged, and a note says so, which is no other rule.
#[test]
fn a_series_that_tells_of_losses_is_broken_alone() {
    let (protocol, rules) = counted();
    for rule in rules {
        let made = illegal(&protocol, &rule, &StreamOptions::default(), &tape(1, 2000));
        let made = made.unwrap_or_else(|| panic!("no stream breaks {rule} alone"));
        assert_eq!(rules_of(&protocol, &made), [&*rule]);
    }
}

/// A counter does not stand in the way of the other rules: events that follow a change are numbered anew.
#[test]
fn a_recording_with_a_counter_is_broken_in_every_other_rule_too() {
    let (protocol, rules) = counted();
    let recording = [
        r#"{"type": "opened", "seq": 0, "job": "a"}"#,
        r#"{"type": "note", "seq": 1, "job": "a"}"#,
        r#"{"type": "opened", "seq": 2, "job": "b"}"#,
        r#"{"type": "closed", "seq": 3, "job": "a"}"#,
        r#"{"type": "note", "seq": 4, "job": "b"}"#,
        r#"{"type": "closed", "seq": 5, "job": "b"}"#,
        r#"{"type": "ended", "seq": 6}"#,
    ];
    let lines: Vec<Vec<u8>> = recording.iter().map(|line| line.as_bytes().to_vec()).collect();
    for rule in rules {
        let made = mutated(&protocol, &rule, &lines, &tape(0, 4000));
        let made = made.unwrap_or_else(|| panic!("no mutation breaks {rule} alone"));
        assert_eq!(rules_of(&protocol, &made), [&*rule]);
        let numbers = made.lines.iter().filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
        let numbers: Vec<_> = numbers.filter_map(|event| event["seq"].as_u64()).collect();
        let follow = (0..numbers.len() as u64).collect::<Vec<_>>();
        assert_eq!(numbers == follow, rule != "seq-wrong", "{rule}: {numbers:?}");
        // But for their numbers, lines keep their bytes; a mutation may change one of them.
        let without_number = |line: &Vec<u8>| {
            let text = String::from_utf8_lossy(line).into_owned();
            text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>()
        };
        let known: Vec<_> = lines.iter().map(without_number).collect();
        let changed = made.lines.iter().filter(|line| !known.contains(&without_number(line))).count();
        assert!(changed <= 1, "{rule}: {:?}", String::from_utf8_lossy(&made.ndjson()));
    }
}

/// Each instance has a series of its own, which starts afresh when it opens; other sessions have theirs.
#[test]
fn the_numbers_of_each_instance_are_its_own() {
    const TABLES: &str = r##"
[[lifecycle]]
name   = "run"
states = ["idle", "on"]
opens  = "on"
row = [
  { on = "begun", cell = { idle = "on", on = { rule = "begun-twice" } } },
  { on = "tick", cell = { idle = { rule = "tick-outside" }, on = "=" } },
  { on = "over", cell = { idle = { rule = "over-outside" }, on = "idle" } },
]
[[series]]
values = [{ on = "*", at = "/n" }]
within = "run"
step   = 1
from   = 1
rule   = "number-wrong"
"##;
    let n = json!({"n": {"type": "integer"}});
    let (protocol, _) = protocol(TABLES, &[("begun", n.clone()), ("tick", n.clone()), ("over", n)]);
    let event = |name: &str, n: u32| format!(r#"{{"type":"{name}","n":{n}}}"#).into_bytes();
    let lines = [("begun", 1), ("tick", 2), ("tick", 3), ("over", 4), ("begun", 1), ("tick", 2), ("over", 3)]
        .map(|(name, n)| event(name, n));
    let settings = sessionlint_core::event::Settings::new(&protocol, Options::default());
    let mut without = lines.to_vec();
    without.remove(1);
    renumber::Counters::beside(&protocol, "begun-twice").renumber(&mut without, &settings);
    let expected = [("begun", 1), ("tick", 2), ("over", 3), ("begun", 1), ("tick", 2), ("over", 3)]
        .map(|(name, n)| event(name, n));
    assert_eq!(without, expected);
}
