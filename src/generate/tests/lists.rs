//! The words for what a list leaves out, and for objects that are kept.

use serde_json::json;
use sessionlint_core::check;
use sessionlint_core::event::Options;

use super::super::*;
use super::words::protocol;

/// Items with parts, which are listed when they are done, all of them at the end.
const LISTS: &str = r##"
[[lifecycle]]
name   = "response"
states = ["none", "open", "done"]
opens  = "open"
end.open = "response-left-open"
row = [
  { on = "begin", cell = { open = { rule = "begun-twice" }, else = "open" } },
  { on = "end", cell = { open = "done", else = { rule = "not-begun" } } },
  { on = "*", cell = { open = "=", else = { rule = "not-begun" } } },
]
[[lifecycle]]
name   = "item"
within = "response"
states = ["absent", "open", "done", "listed", "gone"]
keyed  = "parent"
opens  = "open"
[[lifecycle.row]]
on   = "item"
key  = "/item/id"
keep = { added = "/item" }
cell = { absent = "open", else = { rule = "item-twice" } }
[[lifecycle.row]]
on   = "item-end"
key  = "/item/id"
same = [{ kept = "added", at = "/item", except = ["/status", "/parts"], rule = "item-changed" }]
keep = { item = "/item" }
cell = { open = "done", else = { rule = "no-item" } }
[[lifecycle.row]]
on   = "end"
each = { at = "/items", when = { "/kind" = "call" } }
key  = "/id"
same = [{ kept = "item", at = "", rule = "list-differs" }]
cell = { done = "listed", else = { rule = "not-done" } }
others.done = { rule = "item-missing", to = "gone" }
others.open = "gone"
[[lifecycle.row]]
on   = "end"
each = { at = "/items", when = "else" }
key  = "/id"
cell.else = "="
[[lifecycle]]
name   = "part"
within = "item"
states = ["absent", "streamed", "listed", "gone"]
keyed  = "parent"
opens  = "streamed"
[[lifecycle.row]]
on   = "part"
key  = ["/id", "/part"]
cell = { absent = "streamed", else = { rule = "part-twice" } }
[[lifecycle.row]]
on   = "item-end"
each = "/item/parts"
key  = ["$/item/id", "#"]
cell = { absent = { rule = "part-not-streamed", to = "listed" }, streamed = "listed", else = "=" }
others.streamed = { rule = "part-missing", to = "gone" }
"##;

fn lists() -> (Protocol, Vec<String>) {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer", "minimum": 0}));
    let item = |status: &[&str]| {
        json!({"type": "object", "required": ["id", "kind", "status", "parts"], "properties": {
            "id": text,
            "kind": {"enum": ["call", "note"]},
            "status": {"enum": status},
            "name": text,
            "count": number,
            "parts": {"type": "array", "items": text},
        }})
    };
    let events = [
        ("begin", json!({})),
        ("item", json!({"item": item(&["open"])})),
        ("item-end", json!({"item": item(&["done"])})),
        ("part", json!({"id": text, "part": number})),
        ("end", json!({"items": {"type": "array", "items": item(&["open", "done"])}})),
    ];
    protocol(LISTS, &events)
}

#[test]
fn what_a_list_must_have_is_left_out_and_what_must_be_the_same_is_changed() {
    let (protocol, rules) = lists();
    assert_eq!(rules.len(), 12);
    for rule in rules {
        for seed in 0..3 {
            let made = illegal(&protocol, &rule, &StreamOptions::default(), &tape(seed, 1000));
            let made = made.unwrap_or_else(|| panic!("no stream breaks {rule} alone (seed {seed})"));
            let findings = check(&protocol, &made.ndjson(), Options::default()).findings;
            let found: Vec<_> = findings.iter().map(|finding| &*finding.rule).collect();
            assert_eq!(found, [rule.as_str()], "{}", String::from_utf8_lossy(&made.ndjson()));
        }
    }
}

#[test]
fn legal_lists_are_complete() {
    let (protocol, _) = lists();
    let (mut ends, mut listed) = (0, 0);
    for seed in 0..20 {
        let stream = legal(&protocol, &StreamOptions::default(), &tape(seed, 4000));
        let text = String::from_utf8_lossy(&stream.ndjson()).into_owned();
        let findings = check(&protocol, text.as_bytes(), Options::default()).findings;
        assert_eq!(findings, [], "{seed}: {text}");
        ends += text.matches("\"type\":\"item-end\"").count();
        listed += text.matches("\"type\":\"end\"").count();
    }
    assert!(ends > 3 && listed > 10, "{ends} {listed}");
    let stream = plain_from_seed(&protocol, &StreamOptions::default(), 1).expect("a stream");
    let text = String::from_utf8_lossy(&stream.ndjson()).into_owned();
    let order = ["begin", "item", "item-end", "end"].map(|name| text.find(&format!("\"type\":\"{name}\"")));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{text}");
}
