//! Objects that are kept, and compared member by member.

use crate::Folder;

/// An item is added, done, and listed at the end: each time it is the same, but for what an event may change.
const ITEMS: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "all"
        states = ["only"]
        [[lifecycle.row]]
        on = "*"
        cell.only = "="

        [[lifecycle]]
        name = "item"
        within = "all"
        keyed = "stream"
        states = ["absent", "open", "done", "listed"]
        opens = "open"
        [[lifecycle.row]]
        on = "added"
        key = "/item/id"
        keep = { added = "/item" }
        cell.absent = "open"
        cell.else = "="
        [[lifecycle.row]]
        on = "done"
        key = "/item/id"
        same = [{ kept = "added", at = "/item", except = ["/status", "/secret~1key"], rule = "changed" }]
        keep = { item = "/item", output = "/item/output" }
        cell.open = "done"
        cell.else = "="
        [[lifecycle.row]]
        on = "list"
        each = "/output"
        key = "/id"
        same = [
          { kept = "item", at = "", rule = "output-differs" },
          { kept = "output", at = "/output", in = ["done", "listed"], rule = "array-differs" },
        ]
        cell.done = "listed"
        cell.else = "="
    "#,
    events: &[
        ("added", ITEM, &["item"]),
        ("done", ITEM, &["item"]),
        (
            "list",
            r#""n":{},"output":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"status":{"type":"string"},"output":{},"text":{"type":"string"},"more":{"type":"object","properties":{"x":{"type":"number"}}}}}}"#,
            &["output"],
        ),
    ],
    rules: &["changed", "output-differs", "array-differs"],
};

const ITEM: &str = r#""n":{},"item":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"status":{"enum":["open","done"]},"secret/key":{},"output":{},"text":{"type":"string"},"more":{"type":"object","properties":{"x":{"type":"number"}}}}}"#;

fn added(members: &str) -> String {
    format!(r#"{{"type":"added","n":1,"item":{{"id":"a"{members}}}}}"#)
}

fn done(members: &str) -> String {
    format!(r#"{{"type":"done","n":2,"item":{{"id":"a"{members}}}}}"#)
}

fn list(members: &str) -> String {
    format!(r#"{{"type":"list","n":3,"output":[{{"id":"b"}},{{"id":"a"{members}}}]}}"#)
}

/// Compares what is found, with its pointers, when the events are judged on the fast path and on the slow one: of repeated
/// keys, only the slow one can say anything.
#[track_caller]
fn finds(lines: &[String], expected: &[(&str, u64, &str)]) {
    let slow: Vec<String> = lines.iter().map(|line| line.replacen("\"n\":", "\"n\":0,\"n\":", 1)).collect();
    for lines in [lines, &slow] {
        let found = ITEMS.judge(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let found: Vec<_> = found.iter().map(|(rule, line, at)| (rule.as_str(), *line, at.as_str())).collect();
        assert_eq!(found, expected, "{lines:#?}");
    }
}

#[test]
fn an_object_is_compared_by_the_content_of_its_members() {
    finds(
        &[added(r#","text":"x","output":[1, {"k":null}]"#), done(r#","output":[1.0,{"k":null}],"text":"\u0078""#)],
        &[],
    );
    finds(
        &[added(r#","text":"x","output":[1]"#), done(r#","text":"y","output":[2]"#)],
        &[("changed", 2, "/item/output")],
    );
    // What only one of them has is not compared.
    finds(&[added(r#","text":"x""#), done(r#","output":7"#)], &[]);
    // Nor what is excepted.
    finds(&[added(r#","status":"open","secret/key":1"#), done(r#","status":"done","secret/key":2"#)], &[]);
}

#[test]
fn an_item_of_an_array_is_compared_as_a_whole() {
    let kept = [added(""), done(r#","status":"done","more":{"x":1},"output":[1,2]"#)];
    let with = |last: String| [&kept[..], &[last]].concat();
    finds(&with(list(r#","more":{"x":1e0},"output":[1,2],"status":"done""#)), &[]);
    finds(&with(list(r#","more":{"x":2}"#)), &[("output-differs", 3, "/output/1/more")]);
    finds(
        &with(list(r#","output":[1]"#)),
        &[("output-differs", 3, "/output/1/output"), ("array-differs", 3, "/output/1/output")],
    );
    finds(
        &with(list(r#","output":{}"#)),
        &[("output-differs", 3, "/output/1/output"), ("array-differs", 3, "/output/1/output")],
    );
    // After it only the array is still compared.
    finds(
        &[&with(list(""))[..], &[list(r#","status":"open","output":[2,1]"#)]].concat(),
        &[("array-differs", 4, "/output/1/output")],
    );
}

#[test]
fn an_object_with_something_unreadable_inside_contradicts_nothing() {
    finds(&[added(r#","text":"x""#), done(r#","text":"y","more":{"x":"?"}"#)], &[]);
    finds(&[added(r#","text":"x","more":{"x":"?"}"#), done(r#","text":"y""#)], &[]);
    let kept = [added(""), done(r#","status":"done","text":"x""#)];
    finds(&[&kept[..], &[list(r#","text":"y","more":{"x":"?"}"#)]].concat(), &[]);
    // Another item of the array, and another field of the event, do not matter.
    let other = list(r#","text":"y""#).replace(r#"{"id":"b"}"#, r#"{"id":"b","text":7}"#);
    finds(&[&kept[..], &[other]].concat(), &[("output-differs", 3, "/output/1/text")]);
}

#[test]
fn the_words_show_the_member() {
    let mut files = ITEMS.files();
    files[0].1 = files[0].1.replace("says = \"changed\"", "says = \"{key} had {kept}, and has {found}\"");
    let protocol = sessionlint_core::Protocol::from_files("small", files).expect("valid");
    let text = [added(r#","text":"x\ty""#), done(r#","text":"z""#)].join("\n");
    let report = sessionlint_core::check(&protocol, text.as_bytes(), sessionlint_core::Options::default());
    let found: Vec<_> = report.findings.iter().map(|finding| finding.message.to_string()).collect();
    assert_eq!(found, [r#""a" had text = "x\ty", and has text = "z""#]);
}

#[test]
fn members_that_are_not_compared_are_those_of_an_object() {
    let with = |from: &str, to: &str| {
        assert!(ITEMS.tables.contains(from), "{from}");
        Folder { tables: ITEMS.tables.replacen(from, to, 1).leak(), ..ITEMS }.mistakes()
    };
    assert_eq!(with("\"/status\"", "\"/state\""), ["done has no field /item/state"]);
    assert_eq!(with("\"/status\"", "\"/more/x\""), ["`/more/x` is no member of the object itself"]);
    assert_eq!(with("\"/status\"", "\"\"")[0], "`` is no member of the object itself");
    assert_eq!(with("\"/status\"", "\"status\""), ["status is not a JSON Pointer"]);
    assert_eq!(
        with("at = \"/item\", except = [\"/status\", \"/secret~1key\"]", "at = \"/item/text\", except = [\"/x\"]")[0],
        "/item/text of done is never an object: its schema allows string"
    );
}
