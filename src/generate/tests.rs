//! The promises of generated streams.

mod lists;
mod mutations;
mod plain;
mod words;

use sessionlint_core::check;
use sessionlint_core::event::Options;

use super::*;

fn events() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

#[test]
fn legal_streams_have_no_finding() {
    for seed in 0..60 {
        let options = StreamOptions { sessions: 1 + seed as usize % 3, ..StreamOptions::default() };
        let stream = legal(events(), &options, &tape(seed, 4000));
        assert!(!stream.lines.is_empty(), "{seed}");
        let report = check(events(), &stream.ndjson(), Options::default());
        assert_eq!(report.findings, [], "{seed}: {}", String::from_utf8_lossy(&stream.ndjson()));
    }
}

#[test]
fn the_same_tape_makes_the_same_stream() {
    let make = || legal(events(), &StreamOptions::default(), &tape(7, 1000));
    assert_eq!(make(), make());
}

#[test]
fn each_rule_is_broken_alone() {
    for rule in breakable(events()) {
        let stream = illegal(events(), &rule.name, &StreamOptions::default(), &tape(1, 2000));
        let stream = stream.unwrap_or_else(|| panic!("no stream breaks {} and no other rule", rule.name));
        let findings = check(events(), &stream.ndjson(), Options::default()).findings;
        let found: Vec<_> = findings.iter().map(|finding| (finding.place.line, &*finding.rule)).collect();
        let (line, name) = stream.breaks.expect("it breaks a rule");
        assert_eq!(found, [(line, &*name)]);
        assert_eq!(name, *rule.name);
    }
}

/// Returns the event that is made of a schema with these wishes.
fn wished(schema: &serde_json::Value, wishes: &[(&str, wishes::Wish)], style: texts::Style) -> serde_json::Value {
    let mut all = wishes::Wishes::default();
    for (at, wish) in wishes {
        all.add(&sessionlint_core::schema::Pointer::parse(at).expect("a pointer"), wish.clone());
    }
    value::event(schema, &all, style, &mut choices::Choices::new(&tape(3, 50)))
}

#[test]
fn the_form_of_an_object_is_the_one_that_allows_what_is_wished_for() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["outcome"],
        "properties": {"outcome": {"oneOf": [
            {"type": "object", "required": ["type"], "properties": {"type": {"const": "done"}, "asks": false}},
            {"type": "object", "required": ["type"], "properties": {
                "type": {"const": "asked"},
                "asks": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
            }},
        ]}},
    });
    let id = wishes::Wish::Be("a".into());
    for style in [texts::Style::Plain, texts::Style::Odd] {
        let asked = wished(&schema, &[("/outcome/asks/0/id", id.clone())], style);
        assert_eq!((&asked["outcome"]["type"], &asked["outcome"]["asks"][0]["id"]), (&"asked".into(), &"a".into()));
        let done = wished(&schema, &[("/outcome/type", wishes::Wish::Be("done".into()))], style);
        assert_eq!(done, serde_json::json!({"outcome": {"type": "done"}}));
    }
}

#[test]
fn a_plain_event_looks_like_the_example_of_its_schema() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "count": {"type": "integer"}, "more": {"type": "string"}},
        "examples": [{"name": "bash", "count": 3}],
    });
    assert_eq!(wished(&schema, &[], texts::Style::Plain), serde_json::json!({"name": "bash", "count": 3}));
    let without = wished(&schema, &[("/count", wishes::Wish::Absent)], texts::Style::Plain);
    assert_eq!(without, serde_json::json!({"name": "bash"}));
}

#[test]
fn the_checker_says_how_an_instance_stands() {
    let settings = sessionlint_core::event::Settings::new(events(), Options::default());
    let mut checker = sessionlint_core::check::StreamChecker::new(events(), &settings, None);
    let calls = events().tables().lifecycles.iter().position(|it| it.name == "tool-call").expect("a lifecycle");
    let state = |name: &str| events().tables().lifecycles[calls].states.iter().position(|it| it == name);
    for line in [
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#,
        r#"{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","tool_call_id":"c","tool_name":"bash","tool_input":{}}}"#,
    ] {
        checker.feed(line.as_bytes());
        checker.feed(b"\n");
    }
    let view = checker.instance("s", calls, &["c".into()]).expect("it is certain");
    assert_eq!((Some(usize::from(view.state)), view.is_open), (state("started"), true));
    assert!(view.kept.contains(&Some("bash".into())), "{view:?}");
    assert_eq!(checker.instance("s", calls, &["another".into()]).map(|view| view.state), Some(0));
}
