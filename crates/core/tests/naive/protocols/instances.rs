//! Protocols about instances of keys: what is known of them, and of keys that were not seen.

use crate::comparison::Case;

/// Instances that are forgotten with the turn, named in arrays, by keys of one and two parts; `unless`.
pub const ITEMS: Case = Case {
    name: "items",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "begin"
cell.else = "open"

[[lifecycle.row]]
on = "close"
cell.idle = { rule = "not-open" }
cell.open = "idle"

[[lifecycle.row]]
on = "*"
cell.else = "="

[[lifecycle]]
name = "call"
within = "turn"
states = ["absent", "listed", "run", "over"]
keyed = "parent"
opens = "listed"

[[lifecycle.row]]
on = "list"
each = "/calls"
key = "/k"
keep = { who = "/w" }
cell.absent = "listed"
cell.over = "listed"
cell.else = { rule = "listed-twice" }

[[lifecycle.row]]
on = "run"
each = "/calls"
key = "/k"
same = [{ kept = "who", at = "/w", rule = "other-who", in = ["listed", "over"] }]
keep = { who = "/w" }
cell.absent = { rule = "not-listed", to = "run" }
cell.listed = "run"
cell.run = "over"
cell.over = { rule = "run-over" }

[[lifecycle.row]]
on = "tick"
unless = ["run"]
after = { turn = "open" }
cell.listed = { rule = "still-listed", to = "over" }
cell.over = "listed"
cell.else = "="

[lifecycle.end]
listed = "never-run"
run = "never-over"
"#,
    schemas: r#"{"begin":{},"close":{},"tick":{},
        "list":{"properties":{"calls":{"type":"array","items":{"type":"object","required":["k"],
            "properties":{"k":{"type":"string","minLength":1},"w":{"type":"string"}}}}}},
        "run":{"required":["calls"],"properties":{"calls":{"type":"array","items":{"type":"object",
            "properties":{"k":{"type":["string","null"]},"w":{"type":"string"}}}}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"close"}"#,
        r#"{"type":"tick"}"#,
        r#"{"type":"list","calls":[{"k":"a","w":"x"},{"k":"b"}]}"#,
        r#"{"type":"list","calls":[{"k":"a","w":"y"},{"k":""}]}"#,
        r#"{"type":"list"}"#,
        r#"{"type":"run","calls":[{"k":"b"},{"k":"a","w":"x"},{"k":null}]}"#,
        r#"{"type":"run","calls":[{"k":"a","w":"y"},{"k":"a","w":"x"}]}"#,
        r#"{"type":"run","calls":[{"k":"c"}]}"#,
        r#"{"type":"run","calls":[{"k":"a","w":"x"}]}"#,
        r#"{"type":"run","calls":[{"k":"a","w":"y"}]}"#,
        r#"{"type":"run","calls":[7,{"k":"b"}]}"#,
        r#"{"type":"run","calls":7}"#,
        r#"{"type":"tick""#,
    ],
    depth: 4,
};

/// Instances without a lifecycle around, keys of two parts, and conditions that cannot be read.
pub const PARTS: Case = Case {
    name: "parts",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open"]

[[lifecycle.row]]
on = "flip"
cell.idle = "open"
cell.open = "idle"

[[lifecycle.row]]
on = "*"
cell.else = "="

[[lifecycle]]
name = "part"
states = ["absent", "some", "more", "gone"]
keyed = "stream"
opens = ["some", "more"]
resumes = ["some", "more"]

[[lifecycle.row]]
on = "add"
when = { "/x" = true }
key = ["/i", "/j"]
cell.absent = "some"
cell.some = "more"
cell.more = { rule = "too-much" }
cell.gone = "more"

[[lifecycle.row]]
on = "add"
when = { "/x" = false }
key = ["/i", "/j"]
before = { turn = "open" }
cell.absent = { rule = "absent-part", to = "gone" }
cell.else = "gone"

[[lifecycle.row]]
on = "flip"
after = { turn = "idle" }
cell.some = { rule = "some-left" }
cell.more = { rule = "more-left", to = "gone" }
cell.else = "="

[lifecycle.end]
more = "end-more"
gone = "end-gone"
"#,
    schemas: r#"{"flip":{},
        "add":{"required":["x"],"properties":{"x":{"type":"boolean"},"i":{"type":["string","number"]},"j":{"type":["number","null"]}}}}"#,
    alphabet: &[
        r#"{"type":"flip"}"#,
        r#"{"type":"add","x":true,"i":"a","j":1}"#,
        r#"{"type":"add","x":true,"i":"a","j":1.0}"#,
        r#"{"type":"add","x":true,"i":1,"j":null}"#,
        r#"{"type":"add","x":true,"i":1,"j":2}"#,
        r#"{"type":"add","x":true,"i":"a","j":"no"}"#,
        r#"{"type":"add","x":false,"i":"a","j":1}"#,
        r#"{"type":"add","x":false,"i":1,"j":2}"#,
        r#"{"type":"add","x":false,"i":true,"j":2}"#,
        r#"{"type":"add","x":7,"i":1,"j":2}"#,
        r#"{"type":"add""#,
    ],
    depth: 4,
};

/// Streams that interleave, that cannot be read, and events that belong to none.
pub const STREAMS: Case = Case {
    name: "streams",
    tables: r#"
[event]
stream = "/s"

[[lifecycle]]
name = "turn"
states = ["idle", "open", "shut"]
opens = "open"

[[lifecycle.row]]
on = "begin"
cell.open = { rule = "open-twice" }
cell.shut = { rule = "shut-before", at = "entry", to = "open" }
cell.else = "open"

[[lifecycle.row]]
on = "close"
cell.idle = { rule = "not-open" }
cell.else = "shut"

[lifecycle.end]
open = "left-open"
shut = { rule = "left-shut", at = "entry" }

[[lifecycle]]
name = "call"
within = "turn"
states = ["absent", "run"]
keyed = "stream"
opens = "run"

[[lifecycle.row]]
on = "begin"
key = "/k"
cell.absent = "run"
cell.run = { rule = "run-twice" }

[lifecycle.end]
run = "left-running"

[[time]]
rule = "back-in-time"
"#,
    schemas: r#"{"begin":{"required":["s"],"properties":{"s":{"type":"string","minLength":1},"k":{"type":"string"},"time":{"type":"string","format":"date-time"}}},
        "close":{"properties":{"s":{"type":["string","number"],"minLength":1},"time":{"type":"string","format":"date-time"}}}}"#,
    alphabet: &[
        r#"{"type":"begin","s":"a","time":"2026-01-01T00:00:01Z"}"#,
        r#"{"type":"begin","s":"b","k":"x","time":"2026-01-01T00:00:01Z"}"#,
        r#"{"type":"begin","s":"","time":"2026-01-01T00:00:01Z"}"#,
        r#"{"type":"close","s":"a","time":"2026-01-01T00:00:02Z"}"#,
        r#"{"type":"close","s":"b","time":"2026-01-01T00:00:00Z"}"#,
        r#"{"type":"close","s":"b","time":"no"}"#,
        r#"{"type":"close","s":7}"#,
        r#"{"type":"close","s":7.0}"#,
        r#"{"type":"close","time":"2026-01-01T00:00:00Z"}"#,
        r#"{"type":"stranger","s":"a","time":"2026-01-01T00:00:03Z"}"#,
        r#"{"type":"stranger","s":{},"time":"2026-01-01T00:00:03Z"}"#,
        r#"{"type":"begin""#,
    ],
    depth: 4,
};
