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
    depth: 3,
};

/// What an array in which items have rows of their own leaves out, of one parent; rows over one array and another one, of
/// which it is not known which is meant.
pub const OTHERS: Case = Case {
    name: "others",
    tables: r##"
[event]

[[lifecycle]]
name = "item"
states = ["absent", "open", "over"]
keyed = "stream"
opens = "open"

[[lifecycle.row]]
on = "item"
key = "/i"
cell.over = { rule = "over-again", to = "open", anew = true }
cell.else = { to = "open", anew = true }

[[lifecycle.row]]
on = "shut"
key = "/i"
cell.absent = { rule = "shut-absent" }
cell.else = "over"

[[lifecycle.row]]
on = ["list", "pick"]
cell.else = "="

[[lifecycle]]
name = "part"
within = "item"
states = ["absent", "made", "told", "gone"]
keyed = "parent"
opens = "made"

[[lifecycle.row]]
on = "list"
each = { at = "/parts", when = { "/new" = true } }
key = ["$/i", "/j"]
cell.absent = "made"
cell.gone = "made"
cell.else = { rule = "made-before", to = "made", anew = true }
others.made = "told"
others.told = { rule = "left-told", to = "gone" }
others.gone = { rule = "left-gone" }

[[lifecycle.row]]
on = "list"
each = { at = "/parts", when = "else" }
key = ["$/i", "/l"]
cell.absent = { rule = "told-absent", to = "gone" }
cell.made = "told"
cell.else = "="

[[lifecycle.row]]
on = "pick"
when = { "/x" = 1 }
each = { at = "/parts", when = { "/new" = true } }
key = ["$/i", "/j"]
cell.absent = { rule = "picked-absent" }
cell.made = "told"
cell.told = "gone"
cell.gone = "made"

[[lifecycle.row]]
on = "pick"
when = { "/x" = 2 }
each = "/more"
key = ["$/i", "/j"]
cell.made = "gone"
cell.told = "made"
cell.else = "="

[[lifecycle.row]]
on = "pick"
when = { "/x" = 3 }
key = ["/i", "/j"]
cell.told = { rule = "picked-told" }
cell.else = "told"

[[lifecycle.row]]
on = "pick"
when = "else"
parent = "/i"
cell.made = { rule = "picked-made", to = "gone" }
cell.else = "="

[lifecycle.end]
made = "end-made"
told = "end-told"
gone = "end-gone"
"##,
    schemas: r#"{
        "item":{"properties":{"i":{"type":"string"}}},"shut":{"required":["i"],"properties":{"i":{"type":"string"}}},
        "list":{"properties":{"i":{"type":["string","null"]},"parts":{"type":["array","null"],"items":{"type":"object","properties":{
            "j":{"type":"number"},"l":{"type":"number"},"new":{"type":"boolean"}}}}}},
        "pick":{"properties":{"x":{"type":"number"},"i":{"type":"string"},"j":{"type":"number"},
            "parts":{"type":"array","items":{"type":"object","properties":{"j":{"type":"number"},"new":{"type":"boolean"}}}},
            "more":{"type":"array","items":{"type":"object","properties":{"j":{"type":"number"}}}}}}}"#,
    alphabet: &[
        r#"{"type":"item","i":"a"}"#,
        r#"{"type":"item","i":7}"#,
        r#"{"type":"shut","i":"a"}"#,
        r#"{"type":"shut"}"#,
        r#"{"type":"list","i":"a","parts":[{"j":1,"new":true},{"j":2,"new":true}]}"#,
        r#"{"type":"list","i":"a","parts":[{"j":1,"l":2}]}"#,
        r#"{"type":"list","i":"a","parts":[{"j":1,"l":2,"new":7}]}"#,
        r#"{"type":"list","i":"a","parts":[{"j":1,"l":"no","new":true},{"l":"no"}]}"#,
        r#"{"type":"list","i":"b","parts":[{"j":1,"new":true},{"l":1}]}"#,
        r#"{"type":"list","i":"a","parts":[]}"#,
        r#"{"type":"list","i":"a","parts":null}"#,
        r#"{"type":"list","i":"a","parts":7}"#,
        r#"{"type":"list","i":7,"parts":[]}"#,
        r#"{"type":"list","i":7,"parts":[{"j":1,"new":true}]}"#,
        r#"{"type":"list","i":null,"parts":[{"j":1,"new":true}]}"#,
        r#"{"type":"pick","x":1,"i":"a","j":1,"parts":[{"j":1,"new":true},{"j":2}],"more":[{"j":2}]}"#,
        r#"{"type":"pick","x":2,"i":"a","j":1,"parts":[{"j":2,"new":true}],"more":[{"j":1},{"j":1}]}"#,
        r#"{"type":"pick","x":3,"i":"a","j":1}"#,
        r#"{"type":"pick","i":"a"}"#,
        // Not one that names a part twice: the engine takes a row only once where it is not known which one applies.
        r#"{"type":"pick","x":"?","i":"a","j":1,"more":[{"j":1}]}"#,
        r#"{"type":"pick","x":"?","i":"a","parts":[{"j":1,"new":7}],"more":[{"j":2}]}"#,
        r#"{"type":"list","#,
    ],
    depth: 3,
};
