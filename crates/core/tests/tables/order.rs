//! What was kept of the instances that an array names goes up in it.

use crate::Folder;

/// Items that are streamed with their indexes, and a list that has them in that order.
const LIST: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "item"
        keyed = "stream"
        states = ["absent", "streamed", "listed"]
        opens = "streamed"
        [[lifecycle.row]]
        on = "item"
        key = "/id"
        keep = { index = "/index" }
        cell.absent = "streamed"
        cell.else = { rule = "item-twice" }
        [[lifecycle.row]]
        on = "list"
        each = "/items"
        key = "/id"
        order = { kept = "index", rule = "reordered" }
        cell.absent = { rule = "not-streamed" }
        cell.else = "listed"
    "#,
    events: &[
        ("item", r#""id":{"type":"string"},"index":{"type":["integer","string","null"]}"#, &["id"]),
        ("list", r#""items":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"}}}}"#, &[]),
    ],
    rules: &["item-twice", "reordered", "not-streamed"],
};

/// Streams the items a to d, each with its index, and then lists some of them.
fn listed(indexes: [&str; 4], list: &str) -> Vec<(String, u64, String)> {
    let item = |(id, index): (char, &&str)| format!(r#"{{"type":"item","id":"{id}","index":{index}}}"#);
    let mut lines: Vec<_> = ('a'..).zip(&indexes).map(item).collect();
    let ids: Vec<_> = list.chars().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    lines.push(format!(r#"{{"type":"list","items":[{}]}}"#, ids.join(",")));
    LIST.judge(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The places in the list at which an item is reordered.
fn reordered(list: &str) -> Vec<String> {
    let found = listed(["0", "1", "2", "10"], list).into_iter().filter(|(rule, ..)| rule == "reordered");
    found.map(|(_, _, pointer)| pointer.replace("/items/", "").replace("/id", "")).collect()
}

#[test]
fn the_items_of_a_list_are_in_the_order_in_which_they_came() {
    assert_eq!(reordered("abcd"), [""; 0]);
    assert_eq!(reordered("bacd"), ["1"]);
    assert_eq!(reordered("abdc"), ["3"]);
    // The last one first is one mistake, and so is the first one last.
    assert_eq!(reordered("dabc"), ["1"]);
    assert_eq!(reordered("bcda"), ["3"]);
}

#[test]
fn one_missing_or_unknown_item_makes_no_others_wrong() {
    assert_eq!(reordered("acd"), [""; 0]);
    assert_eq!(reordered("d"), [""; 0]);
    assert_eq!(listed(["0", "1", "2", "3"], "axbcd"), [("not-streamed".to_owned(), 5, "/items/1/id".to_owned())]);
}

#[test]
fn only_whole_numbers_have_an_order() {
    assert_eq!(listed(["3", "\"2\"", "null", "4"], "abcd"), []);
    assert_eq!(listed(["3", "\"2\"", "null", "1"], "abcd"), [("reordered".to_owned(), 5, "/items/3/id".to_owned())]);
    // What cannot be read is not known.
    assert_eq!(listed(["3", "true", "2.5", "4"], "abcd"), []);
}

#[test]
fn an_order_that_cannot_be_is_refused() {
    let with = |from: &str, to: &str| Folder { tables: LIST.tables.replace(from, to).leak(), ..LIST }.mistakes();
    assert_eq!(with("kept = \"index\"", "kept = \"idnex\""), ["no row of this lifecycle keeps a idnex"]);
    assert_eq!(with("each = \"/items\"\n        key", "key")[..1], ["`order` is about the items of an array"]);
    let without_key = with("each = \"/items\"\n        key = \"/id\"", "each = \"/items\"");
    assert_eq!(without_key, ["this row does not say which instance it is about"]);
}
