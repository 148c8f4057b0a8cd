//! Protocols about texts and single fields.

use crate::comparison::Case;

/// A text that the last piece replaces, one without a lifecycle around, and one inside of an inner lifecycle.
pub const TEXTS: Case = Case {
    name: "texts",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "begin"
when = { "/x" = true }
cell.else = "open"

[[lifecycle.row]]
on = "begin"
when = "else"
cell.idle = "="
cell.open = { rule = "off-open", to = "idle" }

[[lifecycle.row]]
on = "*"
cell.else = "="

[[lifecycle]]
name = "part"
within = "turn"
states = ["none", "in"]
opens = "in"

[[lifecycle.row]]
on = "cut"
cell.none = "in"
cell.in = "none"

[[lifecycle.row]]
on = "end"
before = { turn = "open" }
cell.none = { rule = "none-ended" }
cell.in = "none"

[[text]]
name = "last"
within = "turn"
began = "it began here"
append = { on = "piece", when = { "/y" = [1, 2] }, at = "/t", anew = true, after = { turn = ["open"] } }
cut = [{ on = ["cut", "begin"] }]
whole = { on = "end", at = "/t", before = { turn = "open" }, rule = "not-last", empty = "last-empty" }

[[text]]
name = "free"
began = "it began here"
append = { on = ["piece", "end"], at = "/t" }
cut = [{ on = "end" }, { on = "piece", when = { "/y" = 2 } }]
whole = { on = "end", at = "/u", rule = "not-free", empty = "free-empty" }

[[text]]
name = "inner"
within = "part"
began = "it began here"
append = { on = "piece", at = "/t", after = { part = "in" } }
whole = { on = "end", at = "/t", before = { turn = "open", part = "in" }, rule = "not-inner" }
"#,
    schemas: r#"{"begin":{"properties":{"x":{"type":"boolean"}}},"cut":{},
        "piece":{"properties":{"t":{"type":"string"},"y":{"type":"number"}}},
        "end":{"properties":{"t":{"type":"string"},"u":{"type":["string","null"]}}}}"#,
    alphabet: &[
        r#"{"type":"begin","x":true}"#,
        r#"{"type":"begin","x":7}"#,
        r#"{"type":"begin"}"#,
        r#"{"type":"cut"}"#,
        r#"{"type":"piece","t":"a","y":1}"#,
        r#"{"type":"piece","t":"b","y":2}"#,
        r#"{"type":"piece","t":"a","y":"no"}"#,
        r#"{"type":"piece","t":7,"y":1}"#,
        r#"{"type":"piece","t":"","y":3}"#,
        r#"{"type":"end","t":"a","u":"a"}"#,
        r#"{"type":"end","t":"","u":""}"#,
        r#"{"type":"end","t":"ab"}"#,
        r#"{"type":"end","t":7,"u":null}"#,
        r#"{"type":"cut""#,
    ],
    depth: 4,
};

/// Checks, fields that stay the same, and times, also of unknown events in a protocol without streams.
pub const FIELDS: Case = Case {
    name: "fields",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "status"
when = { "/x" = true }
cell.idle = "open"
cell.open = "="

[[lifecycle.row]]
on = "status"
when = "else"
cell.idle = { rule = "idle-again" }
cell.open = "idle"

[[lifecycle.row]]
on = "list"
cell.else = "="

[lifecycle.end]
open = "end-open"

[[time]]
rule = "back-in-time"

[[check]]
on = "status"
when = { "/x" = true }
at = "/label"
is = { says = ["idle", "*done"] }
rule = "says-idle"

[[check]]
on = "list"
each = "/items"
at = "/v"
is = { below = 0.0 }
rule = "below-zero"

[[check]]
on = ["list", "status"]
when = { "/label" = { present = false } }
at = "/label"
rule = "no-label"

[[check]]
on = "list"
when = { "/w" = { present = false } }
at = "/w"
rule = "no-w"

[[unchanged]]
on = "status"
at = ["/x", "/label"]
within = "turn"
rule = "same-status"

[[unchanged]]
on = "status"
at = "/label"
rule = "same-label"
"#,
    schemas: r#"{"status":{"properties":{"x":{"type":"boolean"},"label":{"type":["string","null"]},"time":{"type":"string","format":"date-time"}}},
        "list":{"properties":{"label":{"type":"string"},"w":{"type":"string"},"time":{"type":"string","format":"date-time"},"items":{"type":"array","items":{"type":"object","properties":{"v":{"type":"number"},"w":{"type":"string"}}}}}}}"#,
    alphabet: &[
        r#"{"type":"status","x":true,"label":" IDLE... ","time":"2026-01-01T00:00:01Z"}"#,
        r#"{"type":"status","x":true,"label":"all done"}"#,
        r#"{"type":"status","x":false,"label":"all done","time":"2026-01-01T00:00:00Z"}"#,
        r#"{"type":"status","x":false,"label":null}"#,
        r#"{"type":"status","x":false}"#,
        r#"{"type":"status","x":7,"label":"all done"}"#,
        r#"{"type":"status","x":true,"label":7,"time":"2026"}"#,
        r#"{"type":"list","time":"2026-01-01T00:00:00Z","w":"w","items":[{"v":-1},{"v":0,"w":"w"},7,{"v":"no","w":7}]}"#,
        r#"{"type":"list","items":7,"label":7}"#,
        r#"{"type":"stranger","time":"2026-01-01T00:00:02Z"}"#,
        r#"{"type":"status""#,
    ],
    depth: 4,
};
