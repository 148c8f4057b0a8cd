//! Protocols for the words of the language's second edition.

use crate::comparison::Case;

/// Whether fields are there and empty, and rows that `before` and `after` tell apart.
pub const CONDITIONS: Case = Case {
    name: "conditions",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open", "done"]
opens = "open"

[[lifecycle.row]]
on = "set"
when = { "/a" = { empty = false } }
cell.idle = "open"
cell.open = { rule = "open-again" }
cell.done = "open"

[[lifecycle.row]]
on = "set"
when = { "/a" = { empty = true }, "/b" = { present = true } }
cell.idle = { rule = "idle-done" }
cell.else = "done"

[[lifecycle.row]]
on = "set"
when = "else"
cell.open = "idle"
cell.else = "="

[[lifecycle.row]]
on = "call"
cell.else = "="

[[lifecycle]]
name = "call"
within = "turn"
states = ["absent", "made", "used"]
keyed = "stream"
opens = "made"

[[lifecycle.row]]
on = "call"
before = { turn = "open" }
when = { "/b" = { present = false } }
key = "/k"
keep = { b = "/a" }
cell.absent = "made"
cell.made = "used"
cell.used = { rule = "used-up" }

[[lifecycle.row]]
on = "call"
before = { turn = ["idle", "done"] }
key = "/k"
same = [{ kept = "b", at = "/a", rule = "other-b" }]
cell.absent = { rule = "absent-call" }
cell.made = "used"
cell.used = "made"

[[lifecycle.row]]
on = "set"
after = { turn = ["open"] }
cell.used = { rule = "used-at-set" }
cell.else = "="

[[lifecycle.row]]
on = "set"
after = { turn = ["done"] }
cell.made = "used"
cell.else = "="

[lifecycle.end]
made = "end-made"
"#,
    schemas: r#"{"set":{"properties":{"a":{"type":["string","array","null"]},"b":{"type":["number","null"]}}},
        "call":{"properties":{"k":{"type":"string"},"a":{"type":["string","null"]},"b":{"type":["number","null"]}}}}"#,
    alphabet: &[
        r#"{"type":"set","a":"x"}"#,
        r#"{"type":"set","a":[],"b":0}"#,
        r#"{"type":"set","b":null}"#,
        r#"{"type":"set","a":7,"b":1}"#,
        r#"{"type":"set","a":7}"#,
        r#"{"type":"set","b":"no"}"#,
        r#"{"type":"call","k":"a","a":"x"}"#,
        r#"{"type":"call","k":"a","a":"y","b":1}"#,
        r#"{"type":"call","k":"a","a":null,"b":"no"}"#,
        r#"{"type":"call","k":7,"b":null}"#,
        r#"{"type":"set""#,
    ],
    depth: 4,
};

/// Instances within instances: what they own, mute, and start afresh.
pub const PARENTS: Case = Case {
    name: "parents",
    tables: r#"
[event]

[[lifecycle]]
name = "item"
states = ["absent", "open", "shut"]
keyed = "stream"
opens = "open"

[[lifecycle.row]]
on = "item"
key = "/i"
cell.open = { rule = "item-open", to = "open" }
cell.else = "open"

[[lifecycle.row]]
on = "anew"
key = "/i"
cell.shut = { rule = "item-shut", to = "open", anew = true }
cell.else = { to = "open", anew = true }

[[lifecycle.row]]
on = "shut"
key = "/i"
cell.absent = { rule = "item-absent" }
cell.open = "shut"
cell.shut = { rule = "off-item-shut" }

[[lifecycle.row]]
on = ["part", "all"]
cell.else = "="

[lifecycle.end]
open = "item-left-open"

[[lifecycle]]
name = "part"
within = "item"
states = ["absent", "open", "done"]
keyed = "parent"
opens = "open"

[[lifecycle.row]]
on = "part"
when = { "/x" = { present = false } }
key = ["/i", "/j"]
before = { item = "open" }
keep = { w = "/w" }
cell.absent = "open"
cell.open = { rule = "part-twice", to = "open", anew = true }
cell.done = { to = "open", anew = true }

[[lifecycle.row]]
on = "part"
when = { "/x" = { present = true } }
key = ["/i", "/j"]
after = { item = ["absent", "shut"] }
same = [{ kept = "w", at = "/w", rule = "other-w" }]
cell.absent = { rule = "part-outside" }
cell.else = "done"

[[lifecycle.row]]
on = "shut"
parent = "/i"
cell.open = { rule = "part-open", to = "done" }
cell.else = "="

[[lifecycle.row]]
on = "all"
cell.open = "done"
cell.else = "="

[lifecycle.end]
open = "part-left-open"
done = "part-done"

[[lifecycle]]
name = "leaf"
within = "part"
states = ["absent", "seen"]
keyed = "stream"
opens = "seen"

[[lifecycle.row]]
on = "part"
key = ["/i", "/j"]
cell.absent = "seen"
cell.seen = { rule = "leaf-twice" }

[[lifecycle.row]]
on = "shut"
cell.seen = { rule = "leaf-seen", to = "absent" }
cell.absent = "="

[lifecycle.end]
seen = "leaf-left"
"#,
    schemas: r#"{"item":{"required":["i"],"properties":{"i":{"type":"string"}}},"anew":{"required":["i"],"properties":{"i":{"type":"string"}}},
        "shut":{"properties":{"i":{"type":"string"}}},"all":{},
        "part":{"required":["i","j"],"properties":{"i":{"type":"string"},"j":{"type":"number"},"w":{"type":"string"},"x":{"type":"boolean"}}}}"#,
    alphabet: &[
        r#"{"type":"item","i":"a"}"#,
        r#"{"type":"item","i":"b"}"#,
        r#"{"type":"item","i":7}"#,
        r#"{"type":"anew","i":"a"}"#,
        r#"{"type":"anew"}"#,
        r#"{"type":"shut","i":"a"}"#,
        r#"{"type":"shut","i":7}"#,
        r#"{"type":"shut"}"#,
        r#"{"type":"all"}"#,
        r#"{"type":"part","i":"a","j":1,"w":"x"}"#,
        r#"{"type":"part","i":"a","j":1,"w":"y"}"#,
        r#"{"type":"part","i":"a","j":1,"w":"y","x":true}"#,
        r#"{"type":"part","i":"a","j":1,"w":"x","x":7}"#,
        r#"{"type":"part","i":"b","j":1}"#,
        r#"{"type":"part","i":"a","j":"no"}"#,
        r#"{"type":"item""#,
    ],
    depth: 4,
};

/// Numbers that count, rise or stay, by key and within instances; gaps that say that events were lost.
pub const SERIES: Case = Case {
    name: "series",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "begin"
cell.idle = "open"
cell.open = { rule = "open-twice" }

[[lifecycle.row]]
on = "close"
cell.idle = { rule = "not-open" }
cell.open = "idle"

[[lifecycle.row]]
on = "*"
cell.else = "="

[lifecycle.end]
open = "left-open"

[[series]]
values = [{ on = "*", at = "/q" }]
step = 1
from = 0
lost = true
restarts = "close"
rule = "gap"

[[series]]
values = [{ on = ["step", "begin"], at = "/v" }]
step = "up"
from = "any"
within = "turn"
rule = "not-up"

[[series]]
values = [{ on = "step", each = "/items", key = "/k", at = "/v" }, { on = "begin", key = "/k", at = "/v" }]
step = "same"
rule = "not-same"

[[series]]
values = [{ on = "step", when = { "/x" = true }, at = "/v" }]
step = "not-down"
from = 1
rule = "down"
"#,
    schemas: r#"{"begin":{"properties":{"v":{"type":"number"},"k":{"type":"string"},"q":{"type":"number"}}},"close":{"properties":{"q":{"type":"number"}}},
        "step":{"properties":{"v":{"type":"number"},"x":{"type":"boolean"},
            "items":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string"},"v":{"type":["number","string","null"]}}}}}}}"#,
    alphabet: &[
        r#"{"type":"begin","v":1,"q":0}"#,
        r#"{"type":"begin","k":"a","v":2,"q":1}"#,
        r#"{"type":"begin","q":3}"#,
        r#"{"type":"close","q":1}"#,
        r#"{"type":"close","q":0}"#,
        r#"{"type":"close","q":"no"}"#,
        r#"{"type":"close","q":2}"#,
        r#"{"type":"step","v":1,"x":true}"#,
        r#"{"type":"step","v":2,"x":7}"#,
        r#"{"type":"step","v":"no","x":true}"#,
        r#"{"type":"step","v":0,"x":true,"items":[{"k":"a","v":1},{"k":"b","v":"s"},{"k":"a","v":null}]}"#,
        r#"{"type":"step","items":[{"k":"a","v":2.0},{"k":7,"v":1},{"v":1}]}"#,
        r#"{"type":"begin""#,
    ],
    depth: 4,
};

/// Texts by key, several wholes, and texts that are JSON.
pub const WHOLES: Case = Case {
    name: "wholes",
    tables: r#"
[event]

[[lifecycle]]
name = "item"
states = ["absent", "open", "shut"]
keyed = "stream"
opens = "open"

[[lifecycle.row]]
on = "item"
key = "/i"
cell.open = { rule = "item-open" }
cell.else = "open"

[[lifecycle.row]]
on = "done"
key = "/i"
cell.open = "shut"
cell.shut = { rule = "item-shut" }
cell.absent = "="

[[lifecycle.row]]
on = ["piece", "part"]
cell.else = "="

[[text]]
name = "words"
within = "item"
key = ["/i", "/j"]
append = { on = "piece", at = "/t" }
whole = [
  { on = "part", at = "/t", rule = "part-misfit" },
  { on = "done", each = "/parts", key = ["/i", "/j"], at = "/t", rule = "done-misfit", ends = true },
]
no-pieces = "no-pieces"

[[text]]
name = "data"
within = "item"
key = "/i"
append = [{ on = "piece", at = "/d" }, { on = "item", when = { "/d" = { present = true } }, at = "/d", anew = true }]
json = [
  { on = "part", is = "object", rule = "no-object" },
  { on = "done", key = [], is = "any", empty = true, rule = "no-json" },
]
"#,
    schemas: r#"{"item":{"required":["i"],"properties":{"i":{"type":"string"},"d":{"type":"string"}}},
        "piece":{"properties":{"i":{"type":"string"},"j":{"type":"number"},"t":{"type":["string","null"]},"d":{"type":"string"}}},
        "part":{"properties":{"i":{"type":"string"},"j":{"type":"number"},"t":{"type":"string"}}},
        "done":{"properties":{"i":{"type":"string"},"parts":{"type":"array","items":{"type":"object",
            "properties":{"i":{"type":"string"},"j":{"type":"number"},"t":{"type":"string"}}}}}}}"#,
    alphabet: &[
        r#"{"type":"item","i":"a"}"#,
        r#"{"type":"item","i":"b","d":"{}"}"#,
        r#"{"type":"piece","i":"a","j":1,"t":"x","d":"["}"#,
        r#"{"type":"piece","i":"a","j":1,"t":"","d":"]"}"#,
        r#"{"type":"piece","i":"b","j":1,"t":null,"d":""}"#,
        r#"{"type":"piece","i":"a","j":1,"t":7}"#,
        r#"{"type":"piece","i":"a","j":"no","t":"x"}"#,
        r#"{"type":"part","i":"a","j":1,"t":"x"}"#,
        r#"{"type":"part","i":"a","j":1,"t":"xx"}"#,
        r#"{"type":"part","i":"b","j":1}"#,
        r#"{"type":"part","i":"a","j":1,"t":7}"#,
        r#"{"type":"done","i":"a","parts":[{"i":"a","j":1,"t":"x"},{"i":"b","j":1,"t":""}]}"#,
        r#"{"type":"done","i":7}"#,
        r#"{"type":"item""#,
    ],
    depth: 4,
};
