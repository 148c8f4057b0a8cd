//! Protocols about instances of keys that the open turn owns, and what they keep.

use crate::comparison::Case;

/// Keys of one part and of two, rows without a key, what is kept and compared.
pub const KEYED: Case = Case {
    name: "keyed",
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
cell.else = "idle"

[[lifecycle.row]]
on = "*"
cell.idle = { rule = "outside", to = "idle" }
cell.open = "="

[[lifecycle]]
name = "call"
within = "turn"
states = ["absent", "started", "done"]
keyed = "stream"
opens = "started"

[[lifecycle.row]]
on = "start"
key = "/k"
keep = { who = "/w" }
cell.absent = "started"
cell.started = { rule = "started-twice" }
cell.done = "started"

[[lifecycle.row]]
on = "done"
key = "/k"
same = [{ kept = "who", at = "/w", rule = "other-who" }]
cell.absent = { rule = "not-started", to = "done" }
cell.started = "done"
cell.done = "="

[[lifecycle.row]]
on = "close"
cell.started = { rule = "not-done", to = "done" }
cell.else = "="

[lifecycle.end]
started = "never-done"
"#,
    schemas: r#"{"begin":{},"close":{},
        "start":{"required":["k"],"properties":{"k":{"type":"string"},"w":{"type":"string"}}},
        "done":{"properties":{"k":{"type":["string","null"]},"w":{"type":"string"}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"close"}"#,
        r#"{"type":"start","k":"a","w":"x"}"#,
        r#"{"type":"start","k":"a","w":"y"}"#,
        r#"{"type":"start","k":"a","w":7}"#,
        r#"{"type":"start","k":"b"}"#,
        r#"{"type":"start","k":7}"#,
        r#"{"type":"done","k":"a","w":"x"}"#,
        r#"{"type":"done","k":"a","w":"y"}"#,
        r#"{"type":"done","k":7}"#,
        r#"{"type":"done","k":null}"#,
        r#"{"type":"done"}"#,
        r#"{"type":"begin""#,
    ],
    depth: 4,
};

/// Instances that are owned, perhaps or for certain, and values that are kept in some states alone.
pub const OWNED: Case = Case {
    name: "owned",
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
cell.else = "idle"

[[lifecycle.row]]
on = "*"
cell.else = "="

[[lifecycle]]
name = "call"
within = "turn"
states = ["absent", "started", "renamed", "done"]
keyed = "stream"
opens = "started"

[[lifecycle.row]]
on = "start"
key = "/k"
keep = { who = "/w" }
cell.else = "started"

[[lifecycle.row]]
on = "rename"
key = "/k"
keep = { who = "/w" }
cell.absent = { rule = "renamed-absent" }
cell.started = "renamed"
cell.renamed = "="
cell.done = { rule = "renamed-done" }

[[lifecycle.row]]
on = "again"
key = "/k"
keep = { who = "/w" }
cell.started = "="
cell.renamed = "="
cell.else = "started"

[[lifecycle.row]]
on = "sweep"
cell.started = "done"
cell.else = "="

[[lifecycle.row]]
on = "judge"
cell.else = { rule = "judged" }

[[lifecycle.row]]
on = "use"
key = "/k"
same = [{ kept = "who", at = "/w", rule = "other-who" }]
cell.absent = { rule = "not-running" }
cell.done = { rule = "not-running" }
cell.started = "done"
cell.renamed = "done"

[lifecycle.end]
started = "never-done"
done = "end-done"
"#,
    schemas: r#"{"begin":{},"close":{},"sweep":{},"judge":{},
        "start":{"required":["k"],"properties":{"k":{"type":"string"},"w":{"type":"string"}}},
        "again":{"properties":{"k":{"type":"string"},"w":{"type":"string"}}},
        "rename":{"properties":{"k":{"type":"string"},"w":{"type":"string"}}},
        "use":{"properties":{"k":{"type":"string"},"w":{"type":"string"}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"close"}"#,
        r#"{"type":"sweep"}"#,
        r#"{"type":"judge"}"#,
        r#"{"type":"start","k":"a","w":"x"}"#,
        r#"{"type":"again","k":"a","w":"x"}"#,
        r#"{"type":"rename","k":"a","w":"z"}"#,
        r#"{"type":"use","k":"a","w":"x"}"#,
        r#"{"type":"use","k":"a","w":"z"}"#,
        r#"{"type":"use","k":7,"w":"z"}"#,
        r#"{"type":"begin""#,
    ],
    depth: 4,
};
