//! Rows and entries over the items of arrays: which items, their numbers, what is around them.

use crate::Folder;

/// Chunks with choices, each of which may have calls in pieces; a final event lists all calls of all choices.
const CHOICES: Folder = Folder {
    tables: r##"
        [[lifecycle]]
        name = "all"
        states = ["only"]
        [[lifecycle.row]]
        on = "*"
        cell.only = "="

        [[lifecycle]]
        name = "choice"
        within = "all"
        keyed = "stream"
        states = ["absent", "open", "finished"]
        opens = "open"
        [[lifecycle.row]]
        on = "chunk"
        each = { at = "/choices", when = { "/finish" = { present = false } } }
        key = "/index"
        cell.absent = "open"
        cell.open = "="
        cell.finished = { rule = "late" }
        [[lifecycle.row]]
        on = "chunk"
        each = { at = "/choices", when = { "/finish" = ["stop", "calls"] } }
        key = "/index"
        cell.finished = { rule = "finished-twice" }
        cell.else = "finished"
        [[lifecycle.row]]
        on = "chunk"
        each = { at = "/choices", when = "else" }
        key = "/index"
        cell.else = { rule = "odd-finish" }

        [[lifecycle]]
        name = "call"
        within = "choice"
        keyed = "parent"
        states = ["absent", "open"]
        opens = "open"
        [[lifecycle.row]]
        on = "chunk"
        each = { at = "/choices/*/calls", when = { "/id" = { empty = false } } }
        key = ["^/index", "/index"]
        before = { choice = ["absent", "open"] }
        cell.absent = "open"
        cell.open = { rule = "id-again" }
        [[lifecycle.row]]
        on = "chunk"
        each = { at = "/choices/*/calls", when = "else" }
        key = ["^/index", "/index"]
        cell.absent = { rule = "no-id", to = "open" }
        cell.open = "="

        [[series]]
        within = "choice"
        values = [{ on = "chunk", each = { at = "/choices/*/calls", when = { "/id" = { empty = false } } }, key = "^/index", at = "/index" }]
        step = 1
        from = 0
        rule = "call-gap"

        [[series]]
        values = [{ on = "list", each = "/items", key = "$/name", at = "#" }]
        step = "not-down"
        from = "any"
        rule = "never"

        [[text]]
        name = "arguments"
        within = "choice"
        key = ["^/index", "/index"]
        append = { on = "chunk", each = "/choices/*/calls", at = "/arguments" }
        json = { on = "chunk", each = { at = "/choices", when = { "/finish" = "calls" } }, key = "/index", is = "object", empty = true, rule = "not-json" }

        [[lifecycle]]
        name = "place"
        within = "all"
        keyed = "stream"
        states = ["absent", "seen"]
        [[lifecycle.row]]
        on = "list"
        each = "/items"
        key = ["$/name", "#"]
        keep = { item = "/id" }
        cell.absent = "seen"
        cell.seen = "="
        [[lifecycle.row]]
        on = "check"
        each = "/items"
        key = ["$/name", "#"]
        same = [{ kept = "item", at = "/id", rule = "reordered", in = "seen" }]
        cell.absent = { rule = "not-listed" }
        cell.seen = "="
    "##,
    events: &[
        (
            "chunk",
            r#""n":{},"choices":{"type":"array","items":{"type":"object","properties":{"index":{"type":"integer"},"finish":{"type":["string","null"]},"calls":{"type":["array","null"],"items":{"type":"object","properties":{"index":{"type":"integer"},"id":{"type":["string","null"]},"arguments":{"type":"string"}}}}}}}"#,
            &[],
        ),
        (
            "list",
            r#""n":{},"name":{"type":"string"},"items":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"}}}}"#,
            &[],
        ),
        (
            "check",
            r#""n":{},"name":{"type":"string"},"items":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"}}}}"#,
            &[],
        ),
    ],
    rules: &[
        "late",
        "finished-twice",
        "odd-finish",
        "id-again",
        "no-id",
        "call-gap",
        "never",
        "not-json",
        "reordered",
        "not-listed",
    ],
};

/// Writes a chunk from its choices.
fn chunk(n: usize, choices: &str) -> String {
    format!(r#"{{"type":"chunk","n":{n},"choices":[{choices}]}}"#)
}

#[track_caller]
fn says(choices: &[&str], expected: &[(&str, u64)]) {
    let lines: Vec<_> = choices.iter().enumerate().map(|(n, choices)| chunk(n, choices)).collect();
    CHOICES.says(&lines.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn each_item_has_the_row_that_takes_it() {
    says(
        &[
            r#"{"index":0},{"index":1}"#,
            r#"{"index":0,"finish":"stop"},{"index":1,"finish":null}"#,
            r#"{"index":1},{"index":0}"#,
            r#"{"index":1,"finish":"who knows"},{"index":0,"finish":"calls"}"#,
        ],
        &[("late", 3), ("odd-finish", 4), ("finished-twice", 4)],
    );
    // Of one item it is not known which row takes it: the choice is open or finished. The other is as it was.
    says(
        &[
            r#"{"index":0},{"index":1}"#,
            r#"{"index":0,"finish":7},{"index":1,"finish":"stop"}"#,
            r#"{"index":0},{"index":1}"#,
        ],
        &[("late", 3)],
    );
}

#[test]
fn items_of_items_have_the_key_of_the_item_around() {
    says(
        &[
            r#"{"index":0,"calls":[{"index":0,"id":"a"}]},{"index":1,"calls":[{"index":0,"id":"b"}]}"#,
            r#"{"index":0,"calls":[{"index":0},{"index":1,"id":"c"}]},{"index":1,"calls":[{"index":0,"id":"b"},{"index":1,"id":""}]}"#,
        ],
        &[("id-again", 2), ("no-id", 2), ("call-gap", 2)],
    );
    let found =
        CHOICES.judge(&[&chunk(0, r#"{"index":4,"calls":[]},{"index":5,"calls":[{"index":0,"id":"a"},{"index":1}]}"#)]);
    assert_eq!(found, [("no-id".to_owned(), 1, "/choices/1/calls/1/index".to_owned())]);
}

#[test]
fn a_series_and_a_text_go_over_items_of_items() {
    says(
        &[
            r#"{"index":0,"calls":[{"index":0,"id":"a","arguments":"{"}]},{"index":1,"calls":[{"index":1,"id":"b","arguments":"["}]}"#,
            r#"{"index":0,"calls":[{"index":0,"arguments":"}"}]},{"index":1,"calls":[{"index":1,"arguments":"]"}]}"#,
            r#"{"index":0,"finish":"calls"},{"index":1,"finish":"calls"}"#,
        ],
        &[("call-gap", 1), ("not-json", 3)],
    );
    // What has no array there has no calls, and what is none neither.
    says(&[r#"{"index":0,"calls":null},{"index":1}"#], &[]);
}

#[test]
fn what_cannot_be_read_in_one_item_says_nothing_of_another() {
    // The key around cannot be read: any call may be the one.
    says(
        &[
            r#"{"index":0,"calls":[{"index":0,"id":"a"}]}"#,
            r#"{"index":"?","calls":[{"index":0,"id":"x"}]}"#,
            r#"{"index":0,"calls":[{"index":3}]}"#,
        ],
        &[],
    );
    // The arguments of one call cannot be read: those of the other are.
    says(
        &[
            r#"{"index":0,"calls":[{"index":0,"id":"a","arguments":7},{"index":1,"id":"b","arguments":"["}]}"#,
            r#"{"index":0,"finish":"calls"}"#,
        ],
        &[("not-json", 2)],
    );
    // Nor is a whole array of calls.
    says(
        &[
            r#"{"index":0,"calls":[{"index":0,"id":"a","arguments":"["}]},{"index":1,"calls":7}"#,
            r#"{"index":0,"finish":"calls"}"#,
        ],
        &[],
    );
}

#[test]
fn the_number_of_an_item_and_a_field_of_the_event_are_part_of_a_key() {
    CHOICES.says(
        &[
            r#"{"type":"list","n":1,"name":"x","items":[{"id":"a"},{"id":"b"}]}"#,
            r#"{"type":"check","n":2,"name":"x","items":[{"id":"b"},{"id":"b"},{"id":"c"}]}"#,
            r#"{"type":"check","n":3,"name":"y","items":[{"id":"a"}]}"#,
        ],
        &[("reordered", 2), ("not-listed", 2), ("not-listed", 3)],
    );
    let found = CHOICES.judge(&[r#"{"type":"check","n":3,"name":"y","items":[{"id":"a"}]}"#]);
    assert_eq!(found, [("not-listed".to_owned(), 1, "/name".to_owned())]);
}

#[test]
fn rows_over_one_array_are_told_apart_by_its_items() {
    let with = |from: &str, to: &str| {
        assert!(CHOICES.tables.contains(from), "{from}");
        Folder { tables: CHOICES.tables.replacen(from, to, 1).leak(), ..CHOICES }.mistakes()
    };
    assert_eq!(
        with(r#"{ "/finish" = ["stop", "calls"] }"#, r#"{ "/n" = { present = true } }"#)[0],
        "chunk has no field /choices/*/n"
    );
    assert_eq!(
        with(r#"{ "/finish" = ["stop", "calls"] }"#, r#"{ "/index" = 1 }"#),
        ["two rows of choice match the same chunk"]
    );
    assert_eq!(with(r#"key = ["^/index", "/index"]"#, r#"key = ["$/index", "/index"]"#), ["chunk has no field /index"]);
    assert_eq!(with(r#"key = "/index""#, r##"key = "^#""##)[0], "there is no item around an item of this array");
    assert_eq!(
        with(r#"each = "/choices/*/calls", at"#, r#"each = "/choices/*/calls/*/id", at"#)[0],
        "items of items of items are not read"
    );
    assert_eq!(
        with(
            r##"each = "/items", key = "$/name", at = "#""##,
            r##"each = { at = "/items", when = "else" }, key = "$/name", at = "#""##
        ),
        ["there are no other entries for the items of this array"]
    );
}
