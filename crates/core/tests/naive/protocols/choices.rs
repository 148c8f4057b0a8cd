//! Protocols about rows over one array that its items tell apart.

use crate::comparison::Case;

/// Each item has a row of its own; conditions of items and of events that cannot be read; what the items leave out.
pub const CHOICES: Case = Case {
    name: "choices",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "begin"
cell.idle = "open"
cell.open = { rule = "begun-twice" }

[[lifecycle.row]]
on = "*"
cell.else = "="

[[lifecycle]]
name = "choice"
within = "turn"
states = ["absent", "begun", "some", "over"]
keyed = "parent"
opens = "begun"

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices", when = { "/end" = true } }
key = "/k"
same = [{ kept = "who", at = "/w", rule = "other-who" }]
cell.absent = { rule = "end-of-none", to = "over" }
cell.over = { rule = "over-twice" }
cell.else = "over"
others.begun = { rule = "left-begun", to = "some" }
others.some = "over"

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices", when = { "/end" = false, "/w" = { present = true } } }
key = "/k"
keep = { who = "/w" }
cell.absent = "begun"
cell.over = "begun"
cell.else = { rule = "begun-before", to = "begun", anew = true }

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices", when = "else" }
key = "/k"
cell.absent = { rule = "none-yet" }
cell.begun = "some"
cell.some = "="
cell.over = { rule = "over-already" }

[[lifecycle.row]]
on = "list"
when = { "/x" = true }
each = { at = "/choices", when = { "/end" = true, "$/y" = true } }
key = "/k"
cell.over = "="
cell.else = { rule = "not-over", to = "over" }

[[lifecycle.row]]
on = "list"
when = { "/x" = true }
each = { at = "/choices", when = "else" }
key = "/k"
# Without `others`: whom the first row names for certain where this one applies, the engine does not know for certain.
cell.over = { rule = "listed-over" }
cell.else = "some"

[[lifecycle.row]]
on = "list"
when = { "/x" = false }
each = { at = "/choices", when = { "/end" = false } }
key = "/k"
cell.begun = "over"
cell.else = "="

[[lifecycle.row]]
on = "list"
when = "else"
each = "/choices"
key = "/k"
cell.else = "absent"

[lifecycle.end]
begun = "end-begun"
some = "end-some"
"#,
    schemas: r#"{"begin":{},
        "chunk":{"properties":{"choices":{"type":["array","null"],"items":{"type":"object","properties":{
            "k":{"type":["string","null"]},"w":{"type":"string"},"end":{"type":"boolean"}}}}}},
        "list":{"properties":{"x":{"type":"boolean"},"y":{"type":"boolean"},"choices":{"type":"array","items":{"type":"object","properties":{
            "k":{"type":"string"},"end":{"type":"boolean"}}}}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"chunk","choices":[{"k":"a","end":false,"w":"x"}]}"#,
        r#"{"type":"chunk","choices":[{"k":"a"},{"k":"b","end":false,"w":"x"},{"k":"a","end":true,"w":"y"}]}"#,
        r#"{"type":"chunk","choices":[{"k":"a","end":7},{"k":"b","end":true}]}"#,
        r#"{"type":"chunk","choices":[{"k":"a","end":7,"w":"x"},{"k":"a","end":true,"w":"x"}]}"#,
        r#"{"type":"chunk","choices":[{"k":"b","end":false,"w":7}]}"#,
        r#"{"type":"chunk","choices":[{"k":7,"end":true},{"k":"b"}]}"#,
        r#"{"type":"chunk","choices":[{"k":7},{"k":null,"end":true}]}"#,
        r#"{"type":"chunk","choices":[7]}"#,
        r#"{"type":"chunk","choices":[]}"#,
        r#"{"type":"chunk","choices":7}"#,
        r#"{"type":"chunk","choices":null}"#,
        r#"{"type":"chunk"}"#,
        r#"{"type":"list","x":true,"y":true,"choices":[{"k":"a","end":true},{"k":"b"}]}"#,
        r#"{"type":"list","x":true,"y":7,"choices":[{"k":"a","end":true},{"k":"b","end":false}]}"#,
        r#"{"type":"list","x":false,"choices":[{"k":"a","end":false},{"k":"b","end":true},{"k":7,"end":true}]}"#,
        r#"{"type":"list","x":7,"y":true,"choices":[{"k":"a","end":true},{"k":"a","end":false}]}"#,
        r#"{"type":"list","choices":[{"k":"b"}]}"#,
        r#"{"type":"begin""#,
    ],
    depth: 3,
};

/// Pieces, wholes, values and fields of items whose fields fit.
pub const ENTRIES: Case = Case {
    name: "entries",
    tables: r##"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "begin"
cell.else = { to = "open", anew = true }

[[lifecycle.row]]
on = "*"
cell.else = "="

[[text]]
name = "words"
within = "turn"
key = "/k"
append = [
  { on = "chunk", each = { at = "/parts", when = { "/v" = 1 } }, at = "/t" },
  { on = "chunk", when = { "/x" = true }, each = { at = "/parts", when = { "/v" = 2, "$/x" = true } }, at = "/t", anew = true },
]
whole = [
  { on = "list", each = { at = "/parts", when = { "/v" = 1 } }, at = "/t", rule = "part-misfit" },
  { on = "list", each = { at = "/parts", when = { "/v" = [2, 3] } }, at = "/t", rule = "later-misfit", ends = true },
]
json = { on = "chunk", each = { at = "/parts", when = { "/v" = 3 } }, is = "any", rule = "no-json" }
no-pieces = "no-pieces"

[[series]]
values = [
  { on = "chunk", when = { "/x" = true }, each = { at = "/parts", when = { "/k" = ["a", "b"] } }, at = "/v" },
  { on = "list", each = { at = "/parts", when = { "/v" = { present = true }, "/t" = { empty = false } } }, at = "/v" },
]
key = "/k"
step = 1
from = "any"
within = "turn"
rule = "gap"

[[series]]
values = [{ on = ["chunk", "list"], each = { at = "/parts", when = { "/v" = [1, 2] } }, key = "/k", at = "/t" }]
step = "same"
rule = "not-same"

[[series]]
values = [{ on = "list", when = { "/x" = { present = false } }, each = { at = "/parts", when = { "$/y" = true } }, at = "#" }]
step = "up"
from = "any"
rule = "not-up"

[[check]]
on = "list"
each = { at = "/parts", when = { "/v" = 3, "$/y" = { empty = true } } }
at = "/t"
rule = "three"

[[check]]
on = ["list", "chunk"]
when = { "/x" = true }
each = { at = "/parts", when = { "/k" = { present = false } } }
at = "/v"
is = { below = 2.0 }
rule = "low"
"##,
    schemas: r#"{"begin":{},
        "chunk":{"properties":{"x":{"type":"boolean"},"parts":{"type":"array","items":{"type":"object","properties":{
            "k":{"type":"string"},"t":{"type":["string","null"]},"v":{"type":["number","null"]}}}}}},
        "list":{"properties":{"x":{"type":"boolean"},"y":{"type":"boolean"},"parts":{"type":["array","null"],"items":{"type":"object","properties":{
            "k":{"type":"string"},"t":{"type":"string"},"v":{"type":"number"}}}}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"chunk","parts":[{"k":"a","v":1,"t":"x"},{"k":"b","v":1,"t":"1"}]}"#,
        r#"{"type":"chunk","x":true,"parts":[{"k":"a","v":1,"t":"x"},{"k":"a","v":2,"t":"y"}]}"#,
        r#"{"type":"chunk","x":true,"parts":[{"k":"b","v":3,"t":"y"},{"v":1}]}"#,
        r#"{"type":"chunk","x":7,"parts":[{"k":"a","v":2,"t":"x"},{"k":"b","v":3,"t":"x"}]}"#,
        r#"{"type":"chunk","x":true,"parts":[{"k":"a","v":"no","t":"x"},{"k":"b","v":2,"t":7}]}"#,
        r#"{"type":"chunk","x":true,"parts":[{"k":7,"v":1,"t":"x"},{"k":"b","v":1,"t":null}]}"#,
        r#"{"type":"chunk","x":true,"parts":[{"k":7,"v":4},7]}"#,
        r#"{"type":"chunk","x":true,"parts":7}"#,
        r#"{"type":"list","parts":[{"k":"a","v":1,"t":"x"},{"k":"a","v":2,"t":"xy"}]}"#,
        r#"{"type":"list","y":true,"parts":[{"k":"a","v":3,"t":"y"},{"k":"b","v":2,"t":"1"}]}"#,
        r#"{"type":"list","x":true,"y":7,"parts":[{"k":"b","v":3},{"v":0,"t":""}]}"#,
        r#"{"type":"list","y":7,"parts":[{"k":"b","v":"no","t":"z"},{"k":"a","v":1,"t":7}]}"#,
        r#"{"type":"list","x":true,"parts":[{"k":7,"v":1,"t":"x"}]}"#,
        r#"{"type":"list","x":7,"y":true,"parts":[{"v":3},{"k":"b","v":3,"t":"1"}]}"#,
        r#"{"type":"list","parts":null}"#,
        r#"{"type":"list","parts":7}"#,
        r#"{"type":"list""#,
    ],
    depth: 3,
};
