//! A protocol about what a list leaves out, and about objects that are kept.

use crate::comparison::Case;

/// Items that are listed, rows that are perhaps meant, and objects with members that may differ.
pub const LISTS: Case = Case {
    name: "lists",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "begin"
cell.else = { to = "open", anew = true }

[[lifecycle.row]]
on = ["item", "list"]
cell.else = "="

[[lifecycle]]
name = "item"
within = "turn"
states = ["absent", "made", "listed", "gone"]
keyed = "stream"
opens = "made"

[[lifecycle.row]]
on = "item"
key = "/item/k"
same = [{ kept = "item", at = "/item", rule = "item-changed", in = ["made", "listed", "gone"] }]
keep = { item = "/item", w = "/item/w" }
cell.absent = "made"
cell.made = "="
cell.else = "made"

[[lifecycle.row]]
on = "list"
when = { "/x" = true }
each = "/items"
key = "/k"
same = [{ kept = "item", at = "", rule = "list-differs", except = ["/w"] }]
order = { kept = "w", rule = "out-of-order" }
cell.absent = { rule = "not-made", to = "listed" }
cell.made = "listed"
cell.else = "="
others.made = { rule = "left-out", to = "gone" }
others.gone = { rule = "still-gone" }

[[lifecycle.row]]
on = "list"
when = "else"
each = "/items"
key = "/k"
cell.else = "="
others.listed = "gone"
others.gone = { to = "made", anew = true }

[[lifecycle]]
name = "inner"
within = "turn"
states = ["none", "some"]
opens = "some"

[[lifecycle.row]]
on = "list"
cell.none = "some"
cell.some = { rule = "again" }
"#,
    schemas: r#"{"begin":{},
        "item":{"required":["item"],"properties":{"item":{"type":"object","required":["k"],"properties":{
            "k":{"type":"string"},"w":{"type":"number"},"o":{"type":"object"}}}}},
        "list":{"properties":{"x":{"type":"boolean"},"items":{"type":["array","null"],"items":{"type":"object","properties":{
            "k":{"type":"string"},"w":{"type":"number"},"o":{"type":"object"}}}}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"item","item":{"k":"a","w":1}}"#,
        r#"{"type":"item","item":{"k":"a","w":2,"o":{"p":1}}}"#,
        r#"{"type":"item","item":{"k":"b","w":2,"o":{"p":[1]}}}"#,
        r#"{"type":"item","item":{"k":"b","w":"?","o":{}}}"#,
        r#"{"type":"item","item":{"k":7}}"#,
        r#"{"type":"list","x":true,"items":[]}"#,
        r#"{"type":"list","x":true,"items":[{"k":"a","w":3,"o":{"p":1}}]}"#,
        r#"{"type":"list","x":true,"items":[{"k":"b","o":{"p":[1]}},{"k":"c"}]}"#,
        r#"{"type":"list","x":true,"items":[{"k":"b"},{"k":"a"},{"k":"b"}]}"#,
        r#"{"type":"list","x":true,"items":[{"k":7},{"k":"a"}]}"#,
        r#"{"type":"list","x":true,"items":[{"o":{"p":1},"w":"?","k":"a"},{}]}"#,
        r#"{"type":"list","x":true,"items":7}"#,
        r#"{"type":"list","x":true,"items":null}"#,
        r#"{"type":"list","x":false,"items":[{"k":"b"}]}"#,
        r#"{"type":"list","x":7,"items":[{"k":"a"}]}"#,
        r#"{"type":"list","x":7}"#,
        r#"{"type":"list","items":[]}"#,
        r#"{"type":"list","#,
    ],
    depth: 4,
};
