//! What is found in objects of several forms, word for word. That both paths find the same, the property tests say; here
//! each input is judged as it is, and once more with escapes that only the slow path reads.

use std::fs;
use std::sync::LazyLock;

use sessionlint_core::{Options, Protocol, Report, Severity, check};

static UNIONS: LazyLock<Protocol> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/unions");
    let files = fs::read_dir(folder).expect("the folder is there").map(|entry| {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
        (name, fs::read_to_string(&path).expect("it can be read"))
    });
    Protocol::from_files(folder, files).expect("it is right")
});

fn judge(text: &str) -> Report {
    check(&UNIONS, text.as_bytes(), Options::default())
}

/// What a finding says: its rule, pointer and message.
type Words = (&'static str, &'static str, &'static str);

/// Compares what is found on either path.
#[track_caller]
fn assert_words(events: &str, expected: &[Words]) {
    let escaped = events.replace("\"type\":", "\"typ\\u0065\":");
    for text in [events, &escaped] {
        let report = judge(text);
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|found| (&*found.rule, found.pointer.as_deref().unwrap_or_default(), found.message.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}

fn message(content: &str) -> String {
    format!("{{\"type\":\"message\",\"id\":\"m\",\"content\":{content}}}\n")
}

#[test]
fn a_fault_is_reported_at_its_place_inside_of_the_form() {
    assert_words(
        &message(r#"[{"type":"text","text":"a"},{"type":"text","text":7}]"#),
        &[("wrong-type", "/content/1/text", "`content[1].text` must be a string, but is the number 7")],
    );
    assert_words(
        &message(r#"[{"type":"image","source":{"kind":"url"}}]"#),
        &[("missing-field", "/content/0/source/url", "`content[0].source` has no `url`")],
    );
    assert_words(
        &message(r#"[{"type":"tool_use","id":"","name":"n","input":[]}]"#),
        &[
            (
                "wrong-value",
                "/content/0/id",
                "`content[0].id` must be a string that is not empty, but is an empty string",
            ),
            ("wrong-type", "/content/0/input", "`content[0].input` must be an object, but is an empty array"),
        ],
    );
    let report = judge(&message(r#"[{"type":"tool_use","id":"","name":"n","input":{}}]"#));
    assert_eq!(report.findings[0].quote.as_deref(), Some("The id of the call."));
}

#[test]
fn a_value_of_several_types_must_be_one_of_them() {
    assert_words(
        &message("7"),
        &[("wrong-type", "/content", "`content` must be an array or null or a string, but is the number 7")],
    );
    assert_words(
        r#"{"type":"message","id":"m","content":null,"usage":{"input":-1}}"#,
        &[("wrong-value", "/usage/input", "`usage.input` must be at least 0, but is the number -1")],
    );
}

#[test]
fn the_member_that_tells_the_form_must_be_a_string_that_is_there() {
    assert_words(
        &message(r#"[{"type":7},{"text":"a"},"b"]"#),
        &[
            ("wrong-type", "/content/0/type", "`content[0].type` must be a string, but is the number 7"),
            ("missing-field", "/content/1/type", "`content[1]` has no `type`"),
            ("wrong-type", "/content/2", "`content[2]` must be an object, but is the string \"b\""),
        ],
    );
}

#[test]
fn conditions_demand_what_they_say() {
    assert_words(
        r#"{"type":"item","item":{"id":"i","kind":"speech"}}"#,
        &[("missing-field", "/item/text", "`item` has no `text`")],
    );
    // A value that no condition names is none that is unknown: the schema lists the values.
    assert_words(
        r#"{"type":"item","item":{"id":"i","kind":"todos"}}"#,
        &[(
            "wrong-value",
            "/item/kind",
            r#"`item.kind` must be one of "speech", "command", "change", "todo", but is the string "todos""#,
        )],
    );
    assert_words(r#"{"type":"end","outcome":"success"}"#, &[("missing-field", "/result", "the event has no `result`")]);
    assert_words(r#"{"type":"end","outcome":"failure"}"#, &[]);
}

#[test]
fn an_unknown_value_is_a_warning_and_is_counted() {
    let sticker = message(r#"[{"type":"sticker","text":7,"size":1},{"type":"text","text":"a"}]"#);
    let emoji = message(r#"[{"type":"text","text":"a"},{"type":"emoji"},{"type":"emoji"}]"#);
    let says = |value: &str, pointer: &str| {
        (
            "unknown-value".to_owned(),
            pointer.to_owned(),
            format!("`{}` is \"{value}\", which this protocol does not have", pointer_name(pointer)),
        )
    };
    for escape in [false, true] {
        let text = [&*sticker, &sticker, &emoji, &sticker, &emoji].concat();
        let text = if escape { text.replace("\"type\":\"m", "\"typ\\u0065\":\"m") } else { text };
        let report = judge(&text);
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|found| {
                (found.rule.to_string(), found.pointer.as_deref().unwrap_or_default().to_owned(), found.message.clone())
            })
            .collect();
        // Each value once, the rest counted; nothing is said of what is inside of such an object.
        assert_eq!(found, [says("sticker", "/content/0/type"), says("emoji", "/content/1/type")], "{text}");
        assert!(report.findings.iter().all(|found| found.severity == Severity::Warning));
        let repeats: Vec<_> =
            report.repeats.iter().map(|repeat| (&*repeat.rule, repeat.pointer.as_deref(), repeat.count)).collect();
        assert_eq!(repeats, [("unknown-value", Some("/content/*/type"), 2 + 3)]);
        assert_eq!(report.summary.warnings, 7);
    }
}

/// Returns a pointer as messages name it.
fn pointer_name(pointer: &str) -> String {
    pointer.replacen("/content/", "content[", 1).replacen("/type", "].type", 1)
}

/// The other fields of the event stay readable, and the order is judged as if nothing had been found.
#[test]
fn an_unknown_value_does_not_blind_what_follows() {
    let end = "{\"type\":\"end\",\"outcome\":\"failure\"}\n";
    let text = [end, &message(r#"[{"type":"sticker","id":"s"}]"#)].concat();
    let rules: Vec<_> = judge(&text).findings.iter().map(|found| found.rule.to_string()).collect();
    assert_eq!(rules, ["unknown-value", "message-after-end"]);
}

#[test]
fn unknown_fields_are_those_of_the_form() {
    assert_words(
        &message(r#"[{"type":"text","text":"a","name":"b"},{"type":"image","source":{"kind":"url","url":"u","x":1}}]"#),
        &[("unknown-field", "/content/0/name", "the protocol has no field `content[0].name`")],
    );
    assert_words(
        &message(r#"[{"type":"tool_use","id":"t","name":"n","input":{"x":1},"x":1}]"#),
        &[("wrong-value", "/content/0/x", "`content[0].x` is not allowed here")],
    );
}

/// A pointer of a table may lead to one item of an array.
#[test]
fn a_field_of_one_item_is_read() {
    let item = |changes: &str| {
        format!(
            "{{\"type\":\"item\",\"item\":{{\"id\":\"i\",\"kind\":\"change\",\"done\":true,\"changes\":{changes}}}}}\n"
        )
    };
    let twice = [item(r#"[{"path":"a"},{"path":"b"}]"#), item(r#"[{"path":"b"}]"#), item(r#"[{"path":"a"}]"#)].concat();
    assert_words(&twice, &[("change-twice", "/item/changes/0/path", "the change of \"a\" comes a second time")]);
}
