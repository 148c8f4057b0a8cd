//! A protocol about the items of an array in each item of another one, and about what pointers start at.

use crate::comparison::Case;

/// Fields of the item, of the item around and of the event, numbers of items, and items that are no objects.
pub const GRID: Case = Case {
    name: "grid",
    tables: r##"
[event]

[[lifecycle]]
name = "answer"
states = ["absent", "open", "over"]
keyed = "stream"
opens = "open"

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices", when = { "/end" = false } }
key = "/i"
cell.absent = "open"
cell.open = "="
cell.over = { rule = "answer-over" }

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices", when = "else" }
key = "/i"
cell.absent = "open"
cell.else = "="

[[lifecycle.row]]
on = "done"
key = "/i"
cell.absent = { rule = "no-answer", to = "over" }
cell.open = "over"
cell.over = "open"

[[lifecycle]]
name = "call"
within = "answer"
states = ["absent", "made", "told", "done"]
keyed = "parent"
opens = "made"

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices/*/calls", when = { "/t" = { empty = false }, "^/end" = true } }
key = ["^/i", "/j"]
same = [{ kept = "of", at = "$/of", rule = "other-of" }, { kept = "place", at = "#", rule = "other-place" }]
cell.absent = { rule = "not-made" }
cell.made = "told"
cell.told = "="
cell.done = { rule = "done-before" }

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices/*/calls", when = { "/t" = { empty = true } } }
key = ["^/i", "/j"]
keep = { of = "$/of", place = "#", all = "" }
same = [{ kept = "all", at = "", rule = "other-all", in = "told" }]
cell.absent = "made"
cell.made = { rule = "made-twice", to = "made", anew = true }
cell.else = "="

[[lifecycle.row]]
on = "chunk"
each = { at = "/choices/*/calls", when = "else" }
key = ["^/i", "/j"]
keep = { place = "^#" }
cell.absent = "="
cell.else = "told"

[[lifecycle.row]]
on = "done"
each = "/all"
key = ["$/i", "#"]
cell.absent = { rule = "done-unmade" }
cell.else = "done"

[lifecycle.end]
made = "end-made"

[[lifecycle]]
name = "word"
states = ["unheard", "heard"]
keyed = "stream"

[[lifecycle.row]]
on = "done"
each = "/all"
key = ""
cell.unheard = "heard"
cell.heard = { rule = "heard-twice", to = "unheard" }

[[lifecycle.row]]
on = "chunk"
key = "/of"
cell.else = "="

[[text]]
name = "words"
within = "call"
key = ["^/i", "/j"]
append = { on = "chunk", each = "/choices/*/calls", at = "/t" }
whole = [{ on = "done", each = "/all", key = ["$/i", "#"], at = "", rule = "other-words" }]
json = { on = "chunk", each = { at = "/choices", when = { "/end" = true } }, key = "/i", is = "any", empty = true, rule = "no-json" }

[[series]]
values = [
  { on = "chunk", each = { at = "/choices/*/calls", when = { "/t" = { empty = true } } }, key = "^/i", at = "/j" },
  { on = "done", when = { "/of" = 1 }, each = "/all", key = "$/i", at = "#" },
]
step = "up"
from = "any"
within = "answer"
rule = "not-up"

[[series]]
values = [{ on = "chunk", each = { at = "/choices/*/calls", when = { "/t" = { present = true } } }, key = ["#", "^#"], at = "^/i" }]
step = "same"
rule = "not-same"

[[check]]
on = "chunk"
each = { at = "/choices/*/calls", when = { "$/of" = 2 } }
at = "^/i"
is = { below = 0.0 }
rule = "below-zero"

[[check]]
on = "done"
each = { at = "/all", when = { "#" = 1 } }
at = ""
is = { says = ["x"] }
rule = "x-at-one"
"##,
    schemas: r#"{
        "chunk":{"properties":{"of":{"type":"number"},"choices":{"type":["array","null"],"items":{"type":"object","properties":{
            "i":{"type":"number"},"end":{"type":"boolean"},"calls":{"type":["array","null"],"items":{"type":"object","properties":{
                "j":{"type":"number"},"t":{"type":"string"},"w":{"type":"number"}}}}}}}}},
        "done":{"properties":{"of":{"type":"number"},"i":{"type":"number"},"all":{"type":"array","items":{"type":"string"}}}}}"#,
    alphabet: &[
        r#"{"type":"chunk","of":1,"choices":[{"i":0,"calls":[{"j":0,"w":1},{"j":1}]},{"i":1,"calls":[{"j":0}]}]}"#,
        r#"{"type":"chunk","of":2,"choices":[{"i":0,"end":true,"calls":[{"j":0,"t":"x"}]}]}"#,
        r#"{"type":"chunk","choices":[{"i":1,"end":false,"calls":[{"j":1,"t":"x"},{"j":0,"t":""}]}]}"#,
        r#"{"type":"chunk","of":1,"choices":[{"i":1},{"i":0,"end":true,"calls":[{"j":0,"t":"1"},{"j":0,"t":"x"}]}]}"#,
        r#"{"type":"chunk","of":7,"choices":[{"i":0,"end":7,"calls":[{"j":0,"t":"x"}]},{"i":-1,"calls":[{"j":0,"t":7}]}]}"#,
        r#"{"type":"chunk","of":"no","choices":[{"i":0,"calls":[{"j":0}]},{"i":0,"end":true,"calls":null}]}"#,
        // Alone: of items of items, one array that cannot be read makes the engine lose those of all others.
        r#"{"type":"chunk","of":2,"choices":[{"i":-1,"calls":7}]}"#,
        r#"{"type":"chunk","of":2,"choices":[{"i":"no","end":true,"calls":[{"j":0,"t":"x"}]}]}"#,
        r#"{"type":"chunk","of":2,"choices":[{"i":0,"calls":[{"j":"no"},7]}]}"#,
        r#"{"type":"chunk","choices":[7,{"i":0,"calls":[]}]}"#,
        r#"{"type":"chunk","choices":7}"#,
        r#"{"type":"chunk","choices":null}"#,
        r#"{"type":"chunk","of":1,"choices":[{"i":0,"end":true,"calls":[{"j":1,"t":"x"},{"j":0,"t":"x","w":1}]}]}"#,
        r#"{"type":"chunk","of":2,"choices":[{"i":0,"calls":[{"j":0,"w":2},{"w":3,"j":1}]},{"i":-1,"calls":[{"j":0,"w":1}]}]}"#,
        r#"{"type":"done","of":1,"i":0,"all":["x","1"]}"#,
        r#"{"type":"done","i":1,"all":["xx","x"]}"#,
        r#"{"type":"done","of":1,"i":0,"all":["x",7]}"#,
        r#"{"type":"done","i":"no","all":[]}"#,
        r#"{"type":"done","i":"no","all":["1"]}"#,
        r#"{"type":"done","i":1,"all":7}"#,
        r#"{"type":"done","#,
    ],
    depth: 2,
};
