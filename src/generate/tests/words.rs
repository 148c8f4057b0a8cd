//! The words for instances within instances, texts by key, texts that are JSON, items of arrays, and series.

use serde_json::{Value, json};
use sessionlint_core::check;
use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, Settings};

use super::super::*;

/// Items with parts, whose texts interleave; calls in the blocks of messages; and numbers of events.
const PARTS: &str = r##"
[[lifecycle]]
name   = "run"
states = ["none", "open", "shut"]
opens  = "open"
end.open = "run-left-open"
row = [
  { on = "run", cell = { open = { rule = "run-twice" }, else = "open" } },
  { on = "run-end", cell = { open = "shut", else = { rule = "no-run" } } },
  { on = "*", cell = { open = "=", else = { rule = "no-run" } } },
]
[[lifecycle]]
name   = "item"
within = "run"
states = ["absent", "open", "shut"]
keyed  = "parent"
opens  = "open"
end.open = "item-left-open"
row = [
  { on = "item", key = "/item", cell = { absent = "open", else = { rule = "item-twice" } } },
  { on = "item-end", key = "/item", cell = { open = "shut", else = { rule = "no-item" } } },
  { on = "run-end", cell = { open = { rule = "item-left-open" }, else = "=" } },
]
[[lifecycle]]
name   = "part"
within = "item"
states = ["absent", "open", "shut"]
keyed  = "parent"
opens  = "open"
row = [
  { on = "part", before = { item = "open" }, key = ["/item", "/part"], cell = { absent = "open", else = { rule = "part-twice" } } },
  { on = "delta", key = ["/item", "/part"], cell = { open = "=", else = { rule = "no-part" } } },
  { on = "part-end", key = ["/item", "/part"], cell = { open = "shut", else = { rule = "no-part" } } },
  { on = "item-end", parent = "/item", cell = { open = { rule = "part-left-open" }, else = "=" } },
]
[[lifecycle]]
name   = "call"
within = "run"
states = ["absent", "made", "used"]
keyed  = "stream"
opens  = "made"
row = [
  { on = "message", each = { at = "/blocks", when = { "/kind" = "use" } }, key = "/call", cell = { absent = "made", else = { rule = "call-twice" } } },
  { on = "message", each = { at = "/blocks", when = { "/kind" = "result" } }, key = "/call", cell = { made = "used", else = { rule = "no-call" } } },
]
[[text]]
name   = "part text"
within = "part"
key    = ["/item", "/part"]
append = { on = "delta", at = "/text" }
whole  = [{ on = "part-end", at = "/text", rule = "other-text", ends = true }]
no-pieces = "text-not-streamed"
[[text]]
name   = "arguments"
within = "run"
key    = "/call"
append = { on = "argument", at = "/json" }
json   = { on = "argument-end", is = "object", rule = "not-json" }
[[series]]
values = [{ on = "*", at = "/n" }]
step   = 1
from   = 0
rule   = "number-gap"
[[series]]
values = [{ on = "delta", key = ["/item", "/part"], at = "/who" }]
step   = "same"
within = "part"
rule   = "other-who"
"##;

/// Choices with calls, arrays in the items of another one, and names that are known by their number.
const CHUNKS: &str = r##"
[[lifecycle]]
name   = "run"
states = ["none", "open"]
opens  = "open"
row = [{ on = "*", cell = { none = "open", open = "=" } }]
[[lifecycle]]
name   = "choice"
within = "run"
states = ["absent", "open", "shut"]
keyed  = "stream"
opens  = "open"
end.open = "choice-left-open"
row = [
  { on = "chunk", each = { at = "/choices", when = { "/finish" = "stop" } }, key = "/index", cell = { shut = { rule = "chunk-after-end" }, else = "shut" } },
  { on = "chunk", each = { at = "/choices", when = "else" }, key = "/index", cell = { shut = { rule = "chunk-after-end" }, else = "open" } },
]
[[lifecycle]]
name   = "call"
within = "run"
states = ["absent", "open"]
keyed  = "stream"
opens  = "open"
row = [
  { on = "chunk", each = { at = "/choices/*/calls", when = { "/id" = { present = true } } }, key = ["^/index", "/index"], keep = { id = "/id" }, cell = { absent = "open", open = { rule = "call-twice" } } },
  { on = "chunk", each = { at = "/choices/*/calls", when = "else" }, key = ["^/index", "/index"], cell = { absent = { rule = "call-without-id" }, else = "=" } },
]
[[lifecycle]]
name   = "place"
within = "run"
states = ["absent", "known"]
keyed  = "stream"
opens  = "known"
row = [
  { on = "list", each = "/names", key = "#", keep = { name = "" }, cell.else = "known" },
  { on = "again", each = "/names", key = "#", same = [{ kept = "name", at = "", rule = "other-name", in = ["known"] }], cell = { absent = { rule = "no-name" }, known = "=" } },
]
[[text]]
name   = "arguments"
key    = ["^/index", "/index"]
append = { on = "chunk", each = "/choices/*/calls", at = "/arguments" }
whole  = [{ on = "whole", key = ["/choice", "/call"], at = "/text", rule = "other-text" }]
[[series]]
values = [{ on = "chunk", each = "/choices", key = "/index", at = "/count" }]
step   = "up"
from   = "any"
rule   = "count-down"
"##;

const HEAD: &str = "name = \"words\"\nversion = \"1\"\n[event]\ntype = \"/type\"\nunknown = \"unknown-event\"\n";

/// Loads a protocol whose rules are all that the tables name. `events`: the properties of each event type, all required.
pub(super) fn protocol(tables: &str, events: &[(&str, Value)]) -> (Protocol, Vec<String>) {
    let named = tables.split("rule = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut rules: Vec<String> = named.map(str::to_owned).collect();
    for line in tables.lines().filter(|line| ["end.", "rule ", "no-pieces"].iter().any(|name| line.starts_with(name))) {
        rules.extend(line.split('"').nth(1).map(str::to_owned));
    }
    rules.sort();
    rules.dedup();
    let words = |rule: &String| {
        format!("[rule.{rule}]\nseverity = \"error\"\nbasis = \"framing\"\nsays = \"it is so\"\nhelp = \"leave it\"\n")
    };
    let rule_words: String = rules.iter().map(words).collect();
    let mut files = vec![("protocol.toml".to_owned(), format!("{HEAD}{tables}{rule_words}"))];
    for (name, fields) in events {
        let mut properties = fields.as_object().cloned().unwrap_or_default();
        properties.insert("type".to_owned(), json!({"const": name}));
        let required: Vec<&String> = properties.keys().collect();
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": required,
            "properties": properties,
        });
        files.push((format!("{name}.schema.json"), schema.to_string()));
    }
    let protocol = Protocol::from_files("words", files).unwrap_or_else(|error| panic!("{error}"));
    (protocol, rules)
}

fn parts() -> (Protocol, Vec<String>) {
    let (n, text) = (json!({"type": "integer", "minimum": 0}), json!({"type": "string"}));
    let block = json!({"type": "object", "required": ["kind", "call"], "properties": {
        "kind": {"enum": ["use", "result", "text"]},
        "call": text,
    }});
    let events = [
        ("run", json!({"n": n})),
        ("run-end", json!({"n": n})),
        ("item", json!({"n": n, "item": n})),
        ("item-end", json!({"n": n, "item": n})),
        ("part", json!({"n": n, "item": n, "part": n})),
        ("delta", json!({"n": n, "item": n, "part": n, "text": text, "who": text})),
        ("part-end", json!({"n": n, "item": n, "part": n, "text": text})),
        ("message", json!({"n": n, "blocks": {"type": "array", "items": block}})),
        ("argument", json!({"n": n, "call": text, "json": text})),
        ("argument-end", json!({"n": n, "call": text})),
    ];
    protocol(PARTS, &events)
}

fn chunks() -> (Protocol, Vec<String>) {
    let (n, text) = (json!({"type": "integer", "minimum": 0}), json!({"type": "string"}));
    let call = json!({"type": "object", "required": ["index", "arguments"], "properties": {
        "index": n,
        "id": {"type": ["string", "null"]},
        "arguments": text,
    }});
    let choice = json!({"type": "object", "required": ["index", "count"], "properties": {
        "index": n,
        "count": n,
        "finish": {"enum": ["stop", null]},
        "calls": {"type": "array", "items": call},
    }});
    let names = json!({"names": {"type": "array", "items": text}});
    let events = [
        ("chunk", json!({"choices": {"type": "array", "items": choice}})),
        ("whole", json!({"choice": n, "call": n, "text": text})),
        ("list", names.clone()),
        ("again", names),
    ];
    protocol(CHUNKS, &events)
}

#[test]
fn every_rule_of_the_words_is_broken_alone() {
    for (protocol, rules) in [parts(), chunks()] {
        for rule in rules {
            for seed in 0..2 {
                let made = illegal(&protocol, &rule, &StreamOptions::default(), &tape(seed, 1000));
                let made = made.unwrap_or_else(|| panic!("no stream breaks {rule} alone (seed {seed})"));
                let findings = check(&protocol, &made.ndjson(), Options::default()).findings;
                let found: Vec<_> = findings.iter().map(|finding| &*finding.rule).collect();
                assert_eq!(found, [rule.as_str()], "{}", String::from_utf8_lossy(&made.ndjson()));
            }
        }
    }
}

#[test]
fn legal_streams_of_the_words_have_no_finding_and_all_events() {
    for (protocol, _) in [parts(), chunks()] {
        let mut all = String::new();
        for seed in 0..20 {
            let stream = legal(&protocol, &StreamOptions::default(), &tape(seed, 4000));
            let text = String::from_utf8_lossy(&stream.ndjson()).into_owned();
            let findings = check(&protocol, text.as_bytes(), Options::default()).findings;
            assert_eq!(findings, [], "{seed}: {text}");
            all.push_str(&text);
        }
        for event in &protocol.tables().events {
            assert!(all.contains(&format!("\"type\":\"{}\"", event.name)), "no {}", event.name);
        }
    }
}

#[test]
fn a_plain_stream_puts_parts_into_their_items() {
    let (protocol, _) = parts();
    let stream = plain_from_seed(&protocol, &StreamOptions::default(), 1).expect("a stream");
    let text = String::from_utf8_lossy(&stream.ndjson()).into_owned();
    let at = |name: &str| text.find(&format!("\"type\":\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {text}"));
    let order = ["item", "part", "delta", "part-end", "item-end"].map(at);
    assert!(order.is_sorted(), "{text}");
}

#[test]
fn the_checker_says_how_texts_and_series_with_keys_stand() {
    let (protocol, _) = parts();
    let settings = Settings::new(&protocol, Options::default());
    let mut checker = StreamChecker::new(&protocol, &settings, None);
    for line in [
        r#"{"type":"run","n":0}"#,
        r#"{"type":"item","n":1,"item":4}"#,
        r#"{"type":"part","n":2,"item":4,"part":7}"#,
        r#"{"type":"delta","n":3,"item":4,"part":7,"text":"a","who":"x"}"#,
        r#"{"type":"delta","n":4,"item":4,"part":7,"text":"b","who":"x"}"#,
    ] {
        checker.feed(line.as_bytes());
        checker.feed(b"\n");
    }
    let key = [json!(4), json!(7)];
    assert_eq!(checker.text("", 0, &key).as_deref(), Some("ab"));
    assert_eq!(checker.text("", 0, &[json!(4), json!(8)]), None);
    assert_eq!(checker.last_value("", 0, &[]), Some(json!(4)));
    assert_eq!(checker.last_value("", 1, &key), Some(json!("x")));
    let part = protocol.tables().lifecycles.iter().position(|lifecycle| lifecycle.name == "part").expect("a lifecycle");
    let view = checker.instance("", part, &key).expect("it is certain");
    assert_eq!((view.state, view.is_open), (1, true));
    assert_eq!(checker.instance("", part, &[json!(5), json!(7)]).map(|view| view.state), Some(0));
}
