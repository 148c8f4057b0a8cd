//! Lifecycles within lifecycles with keys: what belongs to one instance stays with it.

use sessionlint_core::{Options, check};

use crate::Folder;

/// A run has items, and an item has parts.
const RUNS: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "run"
        states = ["none", "open"]
        opens = "open"
        [[lifecycle.row]]
        on = "run"
        cell.none = "open"
        cell.open = { to = "open", anew = true }
        [[lifecycle.row]]
        on = "*"
        cell.none = { rule = "no-run", to = "open" }
        cell.open = "="

        [[lifecycle]]
        name = "item"
        within = "run"
        keyed = "parent"
        states = ["absent", "open", "done"]
        opens = "open"
        [[lifecycle.row]]
        on = "item"
        key = "/i"
        cell.absent = "open"
        cell.open = { rule = "item-twice", to = "open", anew = true }
        cell.done = { to = "open", anew = true }
        [[lifecycle.row]]
        on = "item-end"
        key = "/i"
        cell.open = "done"
        cell.else = { rule = "item-not-open" }
        [[lifecycle.row]]
        on = ["part", "part-end"]
        key = "/i"
        cell.open = "="
        cell.else = { rule = "item-not-open" }

        [[lifecycle]]
        name = "part"
        within = "item"
        keyed = "parent"
        states = ["absent", "open", "done", "told"]
        opens = "open"
        [[lifecycle.row]]
        on = "part"
        key = ["/i", "/p"]
        cell.absent = "open"
        cell.else = { rule = "part-twice" }
        [[lifecycle.row]]
        on = "part-end"
        key = ["/i", "/p"]
        before = { item = "open" }
        cell.open = "done"
        cell.else = { rule = "part-not-open" }
        [[lifecycle.row]]
        on = "item-end"
        parent = "/i"
        cell.open = { rule = "part-unfinished", to = "told" }
        cell.else = "="
        [lifecycle.end]
        open = "part-at-end"
    "#,
    events: &[
        ("run", r#""n":{}"#, &[]),
        ("item", r#""n":{},"i":{"type":["integer","string"]}"#, &["i"]),
        ("item-end", r#""n":{},"i":{"type":["integer","string"]}"#, &["i"]),
        ("part", r#""n":{},"i":{"type":["integer","string"]},"p":{"type":"integer"}"#, &["i", "p"]),
        ("part-end", r#""n":{},"i":{"type":["integer","string"]},"p":{"type":"integer"}"#, &["i", "p"]),
    ],
    rules: &["no-run", "item-twice", "item-not-open", "part-twice", "part-not-open", "part-unfinished", "part-at-end"],
};

/// Writes events from short words: `part 0 1` is of item 0 and part 1. `?` cannot be read.
fn lines(words: &[&str]) -> Vec<String> {
    let line = |(n, words): (usize, &&str)| {
        let mut words = words.split(' ');
        let mut line = format!("{{\"type\":\"{}\",\"n\":{n}", words.next().unwrap_or_default());
        for (name, value) in ["i", "p"].iter().zip(words) {
            line += &format!(",\"{name}\":{}", value.replace('?', "true"));
        }
        line + "}"
    };
    words.iter().enumerate().map(line).collect()
}

#[track_caller]
fn says(words: &[&str], expected: &[(&str, u64)]) {
    let lines = lines(words);
    RUNS.says(&lines.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn parts_with_the_same_number_belong_to_different_items() {
    says(
        &["run", "item 0", "item 1", "part 0 0", "part 1 0", "part-end 1 0", "item-end 1", "item-end 0"],
        &[("part-unfinished", 8)],
    );
    says(&["run", "item 0", "part 0 0", "part 0 0", "part-end 0 0"], &[("part-twice", 4)]);
}

#[test]
fn an_item_that_opens_again_has_no_parts_and_the_others_keep_theirs() {
    says(
        &[
            "run",
            "item 0",
            "item 1",
            "part 0 0",
            "part 1 0",
            "part-end 0 0",
            "item-end 0",
            "item 0",
            "part 0 0",
            "part 1 0",
            "part-end 0 0",
            "part-end 1 0",
        ],
        &[("part-twice", 10)],
    );
    // An opener that speaks opens anew, too.
    says(&["run", "item 0", "part 0 0", "item 0", "part 0 0", "part-end 0 0", "item-end 0"], &[("item-twice", 4)]);
}

#[test]
fn a_run_that_opens_again_has_nothing() {
    says(&["run", "item 0", "part 0 0", "part-end 0 0", "run", "item 0", "part 0 0", "part-end 0 0"], &[]);
    says(
        &["run", "item 0", "part 0 0", "run", "part 0 0", "part-end 0 0"],
        &[("item-not-open", 5), ("item-not-open", 6), ("part-at-end", 6)],
    );
}

#[test]
fn an_item_that_speaks_mutes_its_own_parts_alone() {
    // Item 1 was never opened: of the end of its part nothing more is said.
    says(&["run", "item 0", "part-end 1 0", "part-end 0 5"], &[("item-not-open", 3), ("part-not-open", 4)]);
    // A run that speaks mutes both.
    says(&["part-end 0 0", "part-end 0 1"], &[("no-run", 1), ("item-not-open", 2)]);
}

#[test]
fn before_asks_for_the_item_of_the_part() {
    // Item 0 is done, so its part's end is closed on purpose; that of item 1 is not.
    says(
        &["run", "item 0", "item 1", "item-end 0", "part-end 0 0", "part-end 1 0"],
        &[("item-not-open", 5), ("part-not-open", 6)],
    );
}

#[test]
fn parts_that_are_open_at_the_end_are_said() {
    says(&["run", "item 0", "item 1", "part 0 0", "part 1 3"], &[("part-at-end", 5), ("part-at-end", 5)]);
}

#[test]
fn an_item_that_opens_after_a_loss_is_sure_again() {
    // Without the loss: two findings.
    says(
        &["run", "item 0", "part-end 0 0", "part 0 0", "part 0 0"],
        &[("part-not-open", 3), ("part-twice", 5), ("part-at-end", 5)],
    );
    // With it nothing is sure of item 0, nor of item 1, until it opens for certain.
    says(&["run", "item 0", "lost\"", "part-end 0 0", "part-end 1 0"], &[]);
    says(&["run", "item 0", "lost\"", "item 1", "part-end 1 0", "part-end 0 0"], &[("part-not-open", 5)]);
    says(
        &["run", "item 0", "lost\"", "run", "item 1", "part-end 1 0", "item 0", "part-end 0 0"],
        &[("part-not-open", 6), ("part-not-open", 8)],
    );
}

#[test]
fn an_item_that_cannot_be_read_makes_all_unsure() {
    says(&["run", "item 0", "item 1", "part 0 0", "item-end ?", "part 0 0", "part 1 0"], &[]);
    says(&["run", "item 0", "part 0 0", "part ? 0", "part 0 0", "item-end 0"], &[]);
}

#[test]
fn a_key_names_the_lifecycles_that_its_parts_come_from() {
    let words = |rule: &str, says: &str| {
        format!("[rule.{rule}]\nseverity = \"error\"\nbasis = \"framing\"\nsays = \"{says}\"\nhelp = \"mend it\"\n")
    };
    let word = [
        words("item-twice", "item {key} was added twice"),
        words("part-twice", "{key} was added twice"),
        words("part-at-end", "{key} is open"),
        words("other-n", "{key} has another n"),
    ];
    let series = r#"
        [[series]]
        within = "item"
        key = ["/i", "/p"]
        values = [{ on = "part", at = "/n" }]
        step = "same"
        rule = "other-n"
    "#;
    let tables: &str = [RUNS.tables, series, &word.concat()].join("\n").leak();
    let folder = Folder { tables, rules: &["no-run", "item-not-open", "part-not-open", "part-unfinished"], ..RUNS };
    let lines = lines(&["run", "item 0", "part 0 1", "part 0 1", "item 0", "item \"a\"", "part \"a\" 2"]);
    let report = check(&folder.load(), lines.join("\n").as_bytes(), Options::default());
    let messages: Vec<_> = report.findings.iter().map(|found| found.message.as_str()).collect();
    let expected = [
        "part 1 in item 0 was added twice",
        "1 in item 0 has another n",
        "item 0 was added twice",
        "part 2 in item \"a\" is open",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let with = |from: &str, to: &str| {
        assert!(RUNS.tables.contains(from), "{from}");
        Folder { tables: RUNS.tables.replace(from, to).leak(), ..RUNS }.mistakes()
    };
    assert_eq!(
        with("on = \"part-end\"\n        key = [\"/i\", \"/p\"]", "on = \"part-end\"\n        key = \"/i\""),
        ["this key has 1 part, but the first one of the lifecycle has 2"]
    );
    assert_eq!(
        with("key = [\"/i\", \"/p\"]\n        cell.absent = \"open\"", "key = []\n        cell.absent = \"open\""),
        ["this row does not say which instance it is about"; 0]
    );
    assert_eq!(
        with("parent = \"/i\"", "parent = [\"/i\", \"/n\"]"),
        ["`parent` has 2 parts, but the key of the lifecycle around has 1"]
    );
    assert_eq!(
        with("parent = \"/i\"", "parent = \"/i\"\n        key = [\"/i\", \"/n\"]"),
        ["this row has a `key` and a `parent`"]
    );
    assert_eq!(
        with("on = \"item-end\"\n        key = \"/i\"", "on = \"item-end\"\n        parent = \"/i\""),
        ["the lifecycle around item has no keys"]
    );
    assert_eq!(
        with("before = { item = \"open\" }", "before = { part = \"open\" }"),
        ["there is no lifecycle part before this one"]
    );
    assert_eq!(
        with(
            "keyed = \"parent\"\n        states = [\"absent\", \"open\", \"done\", \"told\"]",
            "states = [\"absent\", \"open\", \"done\", \"told\"]"
        )
        .first()
        .map(String::as_str),
        Some("this lifecycle has no keys")
    );
    assert_eq!(
        with("cell.done = { to = \"open\", anew = true }", "cell.done = { to = \"open\" }"),
        ["this cell has no rule"]
    );
}
