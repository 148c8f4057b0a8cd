//! `when`: what a field must be, and which of several rows applies.

use crate::Folder;

const CHUNKS: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "reply"
        states = ["open", "ended"]
        [[lifecycle.row]]
        on = "chunk"
        when = { "/finish" = { present = false } }
        cell.open = "="
        cell.ended = { rule = "late" }
        [[lifecycle.row]]
        on = "chunk"
        when = { "/finish" = { present = true } }
        cell.open = "ended"
        cell.ended = { rule = "twice" }

        [[lifecycle]]
        name = "calls"
        states = ["none", "called"]
        [[lifecycle.row]]
        on = "chunk"
        when = { "/calls" = { empty = false } }
        cell.else = "called"
        [[lifecycle.row]]
        on = "chunk"
        when = { "/calls" = { empty = true }, "/finish" = "calls" }
        cell.none = { rule = "no-call" }
        cell.called = "="
        [[lifecycle.row]]
        on = "chunk"
        when = "else"
        cell.else = "="
    "#,
    events: &[(
        "chunk",
        r#""n":{},"finish":{"type":["string","null"]},"calls":{"type":["array","string","object","null"]}"#,
        &[],
    )],
    rules: &["late", "twice", "no-call"],
};

#[test]
fn a_field_is_present_where_it_is_not_null() {
    CHUNKS.says(
        &[
            r#"{"type":"chunk","n":1}"#,
            r#"{"type":"chunk","n":2,"finish":null}"#,
            r#"{"type":"chunk","n":3,"finish":"stop"}"#,
            r#"{"type":"chunk","n":4,"finish":null}"#,
            r#"{"type":"chunk","n":5}"#,
            r#"{"type":"chunk","n":6,"finish":""}"#,
        ],
        &[("late", 4), ("late", 5), ("twice", 6)],
    );
}

/// A finding points at the first field of `when`, but at the event where that is null: a null is not what is wrong.
#[test]
fn a_finding_points_at_the_field_of_its_row_unless_that_is_null() {
    CHUNKS.points(
        &[
            r#"{"type":"chunk","n":1,"finish":"stop"}"#,
            r#"{"type":"chunk","n":2,"finish":"stop"}"#,
            r#"{"type":"chunk","n":3,"finish":null}"#,
        ],
        &[("twice", 2, "/finish"), ("late", 3, "")],
    );
}

/// Two rows that tell events of one type apart by a field, and say the same of both once the work is over.
const STEPS: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "work"
        states = ["open", "over"]
        [[lifecycle.row]]
        on = "step"
        when = { "/last" = { present = true } }
        cell.open = "over"
        cell.over = { rule = "late" }
        [[lifecycle.row]]
        on = "step"
        when = "else"
        cell.open = "="
        cell.over = { rule = "late" }
    "#,
    events: &[("step", r#""last":{"type":["boolean","null"]}"#, &[])],
    rules: &["late"],
};

#[test]
fn a_finding_points_at_the_event_where_all_rows_say_the_same() {
    STEPS.points(
        &[r#"{"type":"step","last":true}"#, r#"{"type":"step","last":false}"#, r#"{"type":"step"}"#],
        &[("late", 2, ""), ("late", 3, "")],
    );
}

#[test]
fn nothing_null_and_what_has_no_content_is_empty() {
    for empty in ["", r#","calls":null"#, r#","calls":"""#, r#","calls":[]"#, r#","calls":[ ]"#, r#","calls":{ }"#] {
        CHUNKS.says(&[&format!(r#"{{"type":"chunk","finish":"calls"{empty}}}"#)], &[("no-call", 1)]);
        // The slow path, which alone reads escapes, agrees.
        CHUNKS.says(&[&format!(r#"{{"typ\u0065":"chunk","finish":"calls"{empty}}}"#)], &[("no-call", 1)]);
    }
    for full in [r#","calls":"a""#, r#","calls":[0]"#, r#","calls":[[]]"#, r#","calls":{"a":null}"#] {
        CHUNKS.says(&[&format!(r#"{{"type":"chunk","finish":"calls"{full}}}"#)], &[]);
    }
}

#[test]
fn what_cannot_be_read_is_perhaps_present() {
    // The second chunk may have ended the reply, or not.
    CHUNKS.says(
        &[
            r#"{"type":"chunk","n":1}"#,
            r#"{"type":"chunk","n":2,"finish":7}"#,
            r#"{"type":"chunk","n":3}"#,
            r#"{"type":"chunk","n":4,"finish":"stop"}"#,
            r#"{"type":"chunk","n":5}"#,
        ],
        &[("late", 5)],
    );
}

/// Two events of one type, told apart by the state of a lifecycle before them.
const DOORS: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "door"
        states = ["shut", "open"]
        [[lifecycle.row]]
        on = "open"
        cell.else = "open"
        [[lifecycle.row]]
        on = "shut"
        cell.else = "shut"
        [[lifecycle.row]]
        on = "walk"
        cell.else = "="

        [[lifecycle]]
        name = "walker"
        states = ["out", "in"]
        [[lifecycle.row]]
        on = "walk"
        before = { door = "open" }
        cell.out = "in"
        cell.in = "out"
        [[lifecycle.row]]
        on = "walk"
        before = { door = "shut" }
        cell.out = { rule = "into-a-door" }
        cell.in = { rule = "out-of-a-wall" }
        [[lifecycle.row]]
        on = ["open", "shut"]
        cell.else = "="
    "#,
    events: &[("open", r#""n":{}"#, &[]), ("shut", r#""n":{}"#, &[]), ("walk", r#""n":{}"#, &[])],
    rules: &["into-a-door", "out-of-a-wall"],
};

#[test]
fn rows_are_told_apart_by_the_state_before() {
    DOORS.says(
        &[
            r#"{"type":"walk","n":1}"#,
            r#"{"type":"open","n":2}"#,
            r#"{"type":"walk","n":3}"#,
            r#"{"type":"shut","n":4}"#,
            r#"{"type":"walk","n":5}"#,
        ],
        &[("into-a-door", 1), ("out-of-a-wall", 5)],
    );
    // After a lost line the door is open or shut, and the walker is in or out; the door's being opened says nothing of him.
    DOORS.says(
        &[r#"{"type":"walk""#, r#"{"type":"walk","n":2}"#, r#"{"type":"shut","n":3}"#, r#"{"type":"walk","n":4}"#],
        &[],
    );
}

#[test]
fn rows_that_nothing_tells_apart_are_refused() {
    for (one, two) in [
        (r#"{ "/a" = { present = true } }"#, r#"{ "/a" = "x" }"#),
        (r#"{ "/a" = { present = true } }"#, r#"{ "/a" = { empty = true } }"#),
        (r#"{ "/a" = { empty = true } }"#, r#"{ "/a" = ["x", ""] }"#),
        (r#"{ "/a" = { empty = false } }"#, r#"{ "/a" = { says = ["x"] } }"#),
    ] {
        assert_eq!(told_apart(one, two), ["two rows of l match the same e"], "{one} {two}");
    }
    for (one, two) in [
        (r#"{ "/a" = { present = true } }"#, r#"{ "/a" = { present = false } }"#),
        (r#"{ "/a" = { present = false } }"#, r#"{ "/a" = "x" }"#),
        (r#"{ "/a" = { present = false } }"#, r#"{ "/a" = { empty = false } }"#),
        (r#"{ "/a" = { empty = true } }"#, r#"{ "/a" = { empty = false } }"#),
        (r#"{ "/a" = { empty = true } }"#, r#"{ "/a" = ["x", "y"] }"#),
        (r#"{ "/a" = { empty = false } }"#, r#"{ "/a" = "" }"#),
        (r#"{ "/a" = { empty = true } }"#, r#"{ "/a" = { says = ["x*"] } }"#),
    ] {
        assert_eq!(told_apart(one, two), [""; 0], "{one} {two}");
    }
}

/// Returns what is refused of a lifecycle with two rows that have these conditions, and a row for all else.
fn told_apart(one: &str, two: &str) -> Vec<String> {
    let rows = [one, two, r#""else""#]
        .map(|when| format!("[[lifecycle.row]]\non = \"e\"\nwhen = {when}\ncell.else = {{ rule = \"r\" }}\n"));
    let tables = format!("[[lifecycle]]\nname = \"l\"\nstates = [\"s\"]\n{}", rows.concat());
    refusals(tables, r#""a":{"type":["string","null"]}"#)
}

fn refusals(tables: String, properties: &'static str) -> Vec<String> {
    let events = vec![("e", properties, &[][..])].leak();
    let folder = Folder { tables: tables.leak(), events, rules: &["r"] };
    folder.mistakes()
}

#[test]
fn in_an_outermost_lifecycle_every_value_has_a_row() {
    let with = |rows: &[&str], properties| {
        let rows = rows
            .iter()
            .map(|when| format!("[[lifecycle.row]]\non = \"e\"\nwhen = {when}\ncell.else = {{ rule = \"r\" }}\n"));
        let tables = format!("[[lifecycle]]\nname = \"l\"\nstates = [\"s\"]\n{}", rows.collect::<String>());
        refusals(tables, properties)
    };
    const PRESENT: &str = r#"{ "/a" = { present = true } }"#;
    const ABSENT: &str = r#"{ "/a" = { present = false } }"#;
    const FULL: &str = r#"{ "/a" = { empty = false } }"#;
    const EMPTY: &str = r#"{ "/a" = { empty = true } }"#;
    assert_eq!(with(&[PRESENT, ABSENT], r#""a":{}"#), [""; 0]);
    assert_eq!(with(&[FULL, EMPTY], r#""a":{}"#), [""; 0]);
    assert_eq!(
        with(&[PRESENT], r#""a":{"type":"string"}"#),
        ["no row of l matches e with no /a, or with null there: it would move nothing"]
    );
    assert_eq!(
        with(&[FULL, ABSENT], r#""a":{"type":"string"}"#),
        ["no row of l matches e with /a = \"\": it would move nothing"]
    );
    assert_eq!(
        with(&[EMPTY], r#""a":{"type":"string"}"#),
        ["no row of l matches e with any other /a: it would move nothing"]
    );
    // What the schema lists is known.
    assert_eq!(with(&[ABSENT, r#"{ "/a" = ["x", "y"] }"#], r#""a":{"enum":["x","y",null]}"#), [""; 0]);
    assert_eq!(
        with(&[ABSENT, r#"{ "/a" = "x" }"#], r#""a":{"enum":["x","y",null]}"#),
        ["no row of l matches e with /a = \"y\": it would move nothing"]
    );
}

#[test]
fn a_test_that_the_language_lacks_is_refused() {
    let with = |test: &str| {
        let tables = format!(
            "[[lifecycle]]\nname = \"l\"\nstates = [\"s\"]\n[[lifecycle.row]]\non = \"e\"\nwhen = {{ \"/a\" = {test} }}\ncell.else = {{ rule = \"r\" }}\n"
        );
        refusals(tables, r#""a":{}"#)
    };
    assert_eq!(with("{ there = true }"), ["there is no key `there` here"]);
    assert_eq!(
        with("{ present = true, empty = false }"),
        ["there must be exactly one of the keys says, present, empty here"]
    );
    assert_eq!(with("{ present = \"yes\" }"), ["`present` must be a boolean, but is of the type string"]);
    assert_eq!(with("{ }"), ["there must be exactly one of the keys says, present, empty here"]);
}

// ---- values that are not there, or cannot be read --------------------------------------------------

#[test]
fn what_is_no_array_has_no_items() {
    const LIST: Folder = Folder {
        tables: r#"
            [[lifecycle]]
            name = "all"
            states = ["only"]
            [[lifecycle.row]]
            on = "*"
            cell.only = "="
            [[lifecycle]]
            name = "item"
            states = ["absent", "seen"]
            keyed = "stream"
            [[lifecycle.row]]
            on = "list"
            each = "/items"
            key = "/id"
            cell.absent = "seen"
            cell.seen = { rule = "twice" }
        "#,
        events: &[(
            "list",
            r#""n":{},"items":{"type":["array","string","null"],"items":{"type":"object","properties":{"id":{"type":"string"}}}}"#,
            &[],
        )],
        rules: &["twice"],
    };
    for nothing in [r#""none""#, "null", "[]"] {
        LIST.says(
            &[
                r#"{"type":"list","n":1,"items":[{"id":"a"}]}"#,
                &format!(r#"{{"type":"list","n":2,"items":{nothing}}}"#),
                r#"{"type":"list","n":3,"items":[{"id":"a"}]}"#,
            ],
            &[("twice", 3)],
        );
    }
    // What cannot be read may have any items.
    LIST.says(
        &[
            r#"{"type":"list","n":1,"items":[{"id":"a"}]}"#,
            r#"{"type":"list","n":2,"items":7}"#,
            r#"{"type":"list","n":3,"items":[{"id":"b"}]}"#,
        ],
        &[],
    );
}

/// Calls with an owner, and a text in pieces.
const KEPT: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "all"
        states = ["only"]
        [[lifecycle.row]]
        on = "*"
        cell.only = "="
        [[lifecycle]]
        name = "call"
        states = ["absent", "begun", "done"]
        keyed = "stream"
        [[lifecycle.row]]
        on = "begin"
        key = "/id"
        keep = { owner = "/owner" }
        cell.absent = "begun"
        cell.else = "="
        [[lifecycle.row]]
        on = "end"
        key = "/id"
        same = [{ kept = "owner", at = "/owner", rule = "other-owner" }]
        cell.begun = "done"
        cell.else = "="
        [[text]]
        name = "text"
        began = "here"
        append = { on = "begin", at = "/piece" }
        whole = { on = "end", at = "/whole", rule = "other-text" }
    "#,
    events: &[
        ("begin", r#""id":{"type":"string"},"owner":{"type":"string"},"piece":{"type":["string","null"]}"#, &[]),
        ("end", r#""id":{"type":"string"},"owner":{"type":"string"},"whole":{"type":"string"}"#, &[]),
    ],
    rules: &["other-owner", "other-text"],
};

#[test]
fn a_piece_that_is_not_there_loses_nothing() {
    for piece in ["", r#","piece":null"#] {
        KEPT.says(
            &[
                r#"{"type":"begin","piece":"a"}"#,
                &format!(r#"{{"type":"begin","id":"1"{piece}}}"#),
                r#"{"type":"end","whole":"b"}"#,
            ],
            &[("other-text", 3)],
        );
    }
    KEPT.says(
        &[r#"{"type":"begin","piece":"a"}"#, r#"{"type":"begin","id":"1","piece":7}"#, r#"{"type":"end","whole":"b"}"#],
        &[],
    );
}

#[test]
fn what_is_perhaps_kept_is_compared_with_nothing() {
    KEPT.says(
        &[r#"{"type":"begin","id":"1","owner":"a"}"#, r#"{"type":"end","id":"1","owner":"b"}"#],
        &[("other-owner", 2)],
    );
    // After the lost line the call was begun already, by nobody knows whom, or is begun here.
    KEPT.says(&["{", r#"{"type":"begin","id":"1","owner":"a"}"#, r#"{"type":"end","id":"1","owner":"b"}"#], &[]);
}

#[test]
fn what_is_never_compared_or_kept_is_refused() {
    let folder = |row: &'static str| Folder { tables: row, ..KEPT }.mistakes();
    const HEAD: &str = "[[lifecycle]]\nname = \"l\"\nstates = [\"a\"]\nkeyed = \"stream\"\n[[lifecycle.row]]\non = \"begin\"\nkey = \"/id\"\n";
    let with = |more: &str| {
        let mistakes = folder(format!("{HEAD}{more}").leak());
        mistakes.into_iter().filter(|mistake| mistake.contains("never")).collect::<Vec<_>>()
    };
    const SAYS: &str = "owner is never compared or kept: no cell leads to another state without a rule";
    assert_eq!(with("keep = { owner = \"/owner\" }\ncell.a = \"=\"\n"), [SAYS]);
    assert_eq!(
        with(
            "same = [{ kept = \"owner\", at = \"/owner\", rule = \"other-owner\" }]\ncell.a = { rule = \"other-owner\" }\n"
        ),
        [SAYS]
    );
    assert_eq!(
        with("same = [{ kept = \"owner\", at = \"/owner\", rule = \"other-owner\", in = \"a\" }]\ncell.a = \"=\"\n"),
        [""; 0]
    );
}
