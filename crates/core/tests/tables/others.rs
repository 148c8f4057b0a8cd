//! What becomes of the instances that none of the items of an array names.

use sessionlint_core::{Options, check};

use crate::Folder;

/// Items that are streamed one by one, and a list at the end that has all of them.
const LIST: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "response"
        states = ["none", "open"]
        opens = "open"
        [[lifecycle.row]]
        on = "begin"
        cell.else = { to = "open", anew = true }
        [[lifecycle.row]]
        on = "*"
        cell.none = { rule = "no-response", to = "open" }
        cell.open = "="

        [[lifecycle]]
        name = "item"
        within = "response"
        keyed = "stream"
        states = ["absent", "streamed", "confirmed", "gone"]
        opens = "streamed"
        [[lifecycle.row]]
        on = "item"
        key = "/id"
        cell.absent = "streamed"
        cell.else = { rule = "item-twice" }
        [[lifecycle.row]]
        on = "list"
        each = { at = "/output", when = { "/kind" = "call" } }
        key = "/id"
        cell.absent = { rule = "not-streamed", to = "confirmed" }
        cell.streamed = "confirmed"
        cell.else = "="
        others.streamed = { rule = "item-missing", to = "gone" }
        others.gone = "confirmed"
        [[lifecycle.row]]
        on = "list"
        each = { at = "/output", when = { "/kind" = "note" } }
        key = "/id"
        cell.else = "="
    "#,
    events: &[
        ("begin", r#""n":{}"#, &[]),
        ("item", r#""n":{},"id":{"type":["string","null"]}"#, &["id"]),
        (
            "list",
            r#""n":{},"output":{"type":["array","null"],"items":{"type":"object","properties":{"kind":{"enum":["call","note"]},"id":{"type":["string","null"]}}}}"#,
            &[],
        ),
    ],
    rules: &["no-response", "item-twice", "not-streamed", "item-missing"],
};

/// Writes events from short words: `list a note:b` names an item, and another one in a note. `?` cannot be read.
fn lines(words: &[&str]) -> Vec<String> {
    let line = |(n, words): (usize, &&str)| {
        let mut words = words.split(' ');
        let kind = words.next().unwrap_or_default();
        let id = |id: &str| if id == "?" { "7".to_owned() } else { format!("\"{id}\"") };
        let item = |word: &str| {
            let (kind, key) = word.split_once(':').unwrap_or(("call", word));
            match key {
                "" => format!("{{\"kind\":\"{kind}\"}}"),
                key => format!("{{\"kind\":{},\"id\":{}}}", id(kind), id(key)),
            }
        };
        match kind {
            "item" => format!("{{\"type\":\"item\",\"n\":{n},\"id\":{}}}", id(words.next().unwrap_or_default())),
            "list" => {
                let items: Vec<_> = words.map(item).collect();
                format!("{{\"type\":\"list\",\"n\":{n},\"output\":[{}]}}", items.join(","))
            }
            "no-list" => format!("{{\"type\":\"list\",\"n\":{n}}}"),
            "null-list" => format!("{{\"type\":\"list\",\"n\":{n},\"output\":null}}"),
            "bad-list" => format!("{{\"type\":\"list\",\"n\":{n},\"output\":7}}"),
            "lost" => "{\"type\":\"item\",".to_owned(),
            kind => format!("{{\"type\":\"{kind}\",\"n\":{n}}}"),
        }
    };
    words.iter().enumerate().map(line).collect()
}

#[track_caller]
fn says(words: &[&str], expected: &[(&str, u64)]) {
    let lines = lines(words);
    LIST.says(&lines.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn what_a_list_does_not_name_moves_by_the_cells_for_others() {
    says(&["begin", "item a", "item b", "list a b"], &[]);
    says(&["begin", "item a", "item b", "item c", "list b"], &[("item-missing", 4 + 1), ("item-missing", 5)]);
    // They moved: the next list does not miss them again.
    says(&["begin", "item a", "item b", "list b", "list b", "item a"], &[("item-missing", 4), ("item-twice", 6)]);
    // Whether an item moves its instance does not matter: it names it.
    says(&["begin", "item a", "list a", "list a", "list"], &[]);
    says(&["begin", "item a", "list b"], &[("not-streamed", 3), ("item-missing", 3)]);
}

#[test]
fn an_empty_list_leaves_out_all_and_a_missing_one_none() {
    says(&["begin", "item a", "list"], &[("item-missing", 3)]);
    says(&["begin", "item a", "no-list", "null-list", "list"], &[("item-missing", 5)]);
    let lines = lines(&["begin", "item a", "list"]);
    let found = LIST.judge(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(found, [("item-missing".to_owned(), 3, "/output".to_owned())]);
}

#[test]
fn only_owned_instances_are_left_out() {
    // Not what no event opened, nor what an earlier response opened.
    says(&["begin", "item a", "begin", "item b", "list b"], &[]);
}

#[test]
fn an_item_that_another_row_takes_is_named_too() {
    says(&["begin", "item a", "item b", "list a note:b", "list b"], &[]);
    says(&["begin", "item a", "item b", "list note:b", "list"], &[("item-missing", 4), ("item-missing", 5)]);
    // An item without a key names nothing.
    says(&["begin", "item a", "list call:"], &[("item-missing", 3)]);
}

#[test]
fn what_is_perhaps_named_is_taken_both_ways() {
    for perhaps in ["list ?", "bad-list", "list call:?"] {
        says(&["begin", "item a", perhaps, "list"], &[]);
    }
    // Of an item whose kind cannot be read, the key is known: only that one is perhaps named.
    says(&["begin", "item a", "item b", "list ?:a", "list"], &[("item-missing", 4)]);
    // What is certainly named stays so, whatever the other items are.
    says(&["begin", "item a", "list a ?", "list"], &[]);
}

/// A rule that is silent about an instance is not said to be silent where an item names that instance.
#[test]
fn a_lost_line_makes_no_rule_silent_about_what_is_named() {
    let silent = |words: &[&str]| {
        let report = check(&LIST.load(), lines(words).join("\n").as_bytes(), Options::default());
        let skipped = report.findings.into_iter().find(|found| &*found.rule == "check-skipped");
        skipped.is_some_and(|found| found.message.contains("item-missing"))
    };
    assert!(silent(&["begin", "item a", "lost", "list"]));
    assert!(!silent(&["begin", "item a", "lost", "list note:a"]));
}

#[test]
fn a_lost_line_makes_others_silent_until_the_parent_opens() {
    says(&["begin", "item a", "lost", "list"], &[]);
    let begin = [
        r#"{"type":"item","i":0}"#,
        r#"{"type":"part","i":0,"p":0}"#,
        r#"{"type":"part","i":0,"#,
        r#"{"type":"item-end","i":0,"kept":true,"parts":[]}"#,
    ];
    PARTS.says(&begin, &[]);
    let again = [r#"{"type":"item","i":0}"#, r#"{"type":"part","i":0,"p":0}"#, begin[3]];
    PARTS.says(&[&begin[..], &again].concat(), &[("part-missing", 7)]);
}

/// Parts of items, which an event of the item lists by their numbers.
const PARTS: Folder = Folder {
    tables: r##"
        [[lifecycle]]
        name = "item"
        keyed = "stream"
        states = ["absent", "open"]
        opens = "open"
        [[lifecycle.row]]
        on = "item"
        key = "/i"
        cell.else = { to = "open", anew = true }
        [[lifecycle.row]]
        on = ["part", "item-end"]
        key = "/i"
        cell.absent = { rule = "no-item" }
        cell.open = "="

        [[lifecycle]]
        name = "part"
        within = "item"
        keyed = "parent"
        states = ["absent", "streamed", "confirmed"]
        opens = "streamed"
        [[lifecycle.row]]
        on = "part"
        key = ["/i", "/p"]
        cell.absent = "streamed"
        cell.else = { rule = "part-twice" }
        [[lifecycle.row]]
        on = "item-end"
        when = { "/kept" = true }
        each = "/parts"
        key = ["$/i", "#"]
        cell.absent = { rule = "not-streamed" }
        cell.streamed = "confirmed"
        cell.confirmed = "="
        others.else = { rule = "part-missing", to = "confirmed" }
        others.confirmed = "="
    "##,
    events: &[
        ("item", r#""n":{},"i":{"type":"integer"}"#, &["i"]),
        ("part", r#""n":{},"i":{"type":"integer"},"p":{"type":"integer"}"#, &["i", "p"]),
        (
            "item-end",
            r#""n":{},"i":{"type":["integer","string"]},"kept":{"type":"boolean"},"parts":{"type":"array","items":{}}"#,
            &["i"],
        ),
    ],
    rules: &["no-item", "part-twice", "not-streamed", "part-missing"],
};

#[test]
fn others_are_those_of_the_same_parent() {
    let begin = [
        r#"{"type":"item","i":0}"#,
        r#"{"type":"item","i":1}"#,
        r#"{"type":"part","i":0,"p":0}"#,
        r#"{"type":"part","i":0,"p":1}"#,
        r#"{"type":"part","i":1,"p":0}"#,
    ];
    let with = |last: &[&'static str], expected: &[(&str, u64)]| {
        PARTS.says(&[&begin, last].concat(), expected);
    };
    with(&[r#"{"type":"item-end","i":0,"kept":true,"parts":["x"]}"#], &[("part-missing", 6)]);
    with(
        &[
            r#"{"type":"item-end","i":0,"kept":true,"parts":[]}"#,
            r#"{"type":"item-end","i":1,"kept":true,"parts":["x"]}"#,
        ],
        &[("part-missing", 6), ("part-missing", 6)],
    );
    // The row does not apply, or perhaps.
    with(
        &[r#"{"type":"item-end","i":0,"kept":false,"parts":[]}"#, r#"{"type":"part","i":0,"p":0}"#],
        &[("part-twice", 7)],
    );
    with(
        &[r#"{"type":"item-end","i":0,"kept":0,"parts":[]}"#, r#"{"type":"item-end","i":0,"kept":true,"parts":[]}"#],
        &[],
    );
    // The parent cannot be read: any part may be another one, or not.
    with(&[r#"{"type":"item-end","i":0.5,"kept":true,"parts":[]}"#, r#"{"type":"part","i":0,"p":0}"#], &[]);
    // An item that speaks mutes its own parts alone.
    with(&[r#"{"type":"item-end","i":7,"kept":true,"parts":["x"]}"#], &[("no-item", 6)]);
}

#[test]
fn others_that_cannot_be_are_refused() {
    let with = |folder: Folder, from: &str, to: &str| {
        assert!(folder.tables.contains(from), "{from}");
        Folder { tables: folder.tables.replacen(from, to, 1).leak(), ..folder }.mistakes()
    };
    let row = "others.streamed = { rule = \"item-missing\", to = \"gone\" }";
    assert_eq!(with(LIST, row, &format!("{row}\nothers.lost = \"gone\"")), ["the lifecycle item has no state lost"]);
    assert_eq!(
        with(LIST, &format!("{row}\n        others.gone = \"confirmed\""), "others.streamed = \"=\""),
        [
            "`others` does nothing: each of its cells stays without a rule",
            "nothing leads into the state gone",
            "no table uses the rule item-missing"
        ]
    );
    assert_eq!(
        with(
            LIST,
            "cell.else = { rule = \"item-twice\" }",
            "cell.else = { rule = \"item-twice\" }\nothers.gone = \"=\""
        ),
        ["`others` is for what the items of an array do not name, and this row is over none"]
    );
    assert_eq!(
        with(LIST, "{ \"/kind\" = \"note\" } }", "{ \"/kind\" = \"note\" } }\nothers.else = \"gone\""),
        ["another row of the same events says what becomes of the others"]
    );
    assert_eq!(
        with(LIST, "opens = \"streamed\"", ""),
        ["this never speaks: it is for instances that opened, and none does"]
    );
    assert_eq!(
        with(PARTS, "[\"$/i\", \"#\"]", "[\"\", \"#\"]"),
        ["with `others`, the parent must be known even if the array is empty"]
    );
    let nested = with(LIST, "at = \"/output\", when = { \"/kind\" = \"call\" }", "at = \"/output/*/more\"");
    let why = "`others` of items of items: it would not be known which arrays were there";
    assert!(nested.iter().any(|mistake| mistake == why), "{nested:#?}");
}

/// Parts that are told without being made, so that no item owns them. `KEYED` stands for how long they are known.
const TOLD: Folder = Folder {
    tables: r##"
        [[lifecycle]]
        name = "item"
        keyed = "stream"
        states = ["absent", "open"]
        opens = "open"
        [[lifecycle.row]]
        on = "item"
        key = "/i"
        cell.else = { to = "open", anew = true }
        [[lifecycle.row]]
        on = ["list", "tell"]
        cell.else = "="

        [[lifecycle]]
        name = "part"
        within = "item"
        keyed = "KEYED"
        states = ["absent", "made", "told", "gone"]
        opens = "made"
        [[lifecycle.row]]
        on = "list"
        each = "/parts"
        key = ["$/i", "/j"]
        cell.absent = "made"
        cell.else = "="
        others.told = { rule = "left-told", to = "gone" }
        [[lifecycle.row]]
        on = "tell"
        key = ["/i", "/j"]
        cell.told = { rule = "told-twice" }
        cell.else = "told"
    "##,
    events: &[
        ("item", r#""i":{"type":"integer"}"#, &["i"]),
        (
            "list",
            r#""i":{"type":"integer"},"parts":{"type":"array","items":{"type":"object","properties":{"j":{"type":"integer"}}}}"#,
            &["i", "parts"],
        ),
        ("tell", r#""i":{"type":"integer"},"j":{"type":"integer"}"#, &["i", "j"]),
    ],
    rules: &["left-told", "told-twice"],
};

#[test]
fn a_list_that_makes_nothing_makes_nothing_owned() {
    let (item, tell) = (r#"{"type":"item","i":0}"#, r#"{"type":"tell","i":0,"j":1}"#);
    let (empty, unread) = (r#"{"type":"list","i":0,"parts":[]}"#, r#"{"type":"list","i":0,"parts":7}"#);
    let of_unread = r#"{"type":"list","i":"?","parts":[]}"#;
    for keyed in ["parent", "stream"] {
        let folder = Folder { tables: TOLD.tables.replace("KEYED", keyed).leak(), ..TOLD };
        // What cannot be read may have made the part, and then the list leaves it out.
        folder.says(&[item, unread, tell, empty, tell], &[]);
        // What was made before the item opened is not the item's: the list does not leave it out.
        folder.says(&[unread, item, tell, empty, tell], &[("told-twice", 5)]);
        // Nor does a list of which only the item cannot be read make a part, seen or not, if it is empty.
        folder.says(&[unread, item, tell, of_unread, tell, empty, tell], &[("told-twice", 7)]);
        folder.says(&[unread, item, of_unread, tell, empty, tell], &[("told-twice", 6)]);
    }
}
