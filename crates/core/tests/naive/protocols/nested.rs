//! Protocols about what is inside of what is inside, and about conditions that are not sure.

use crate::comparison::Case;

/// Instances and texts within an inner lifecycle, rows of instances that `when` tells apart, and a rule that is off.
pub const NESTED: Case = Case {
    name: "nested",
    tables: r#"
[event]

[[lifecycle]]
name = "run"
states = ["idle", "open", "odd"]
opens = ["open", "odd"]
resumes = ["odd"]

[[lifecycle.row]]
on = "begin"
cell.idle = "open"
cell.open = { rule = "off-begun", to = "odd" }
cell.odd = "open"

[[lifecycle.row]]
on = "close"
cell.idle = { rule = "not-open" }
cell.else = "idle"

[[lifecycle.row]]
on = "*"
cell.else = "="

[lifecycle.end]
odd = "end-odd"

[[lifecycle]]
name = "step"
within = "run"
states = ["none", "in", "out"]
opens = "in"

[[lifecycle.row]]
on = "step"
when = { "/x" = true }
cell.none = "in"
cell.in = { rule = "in-twice" }
cell.out = "in"

[[lifecycle.row]]
on = "step"
when = { "/x" = false }
before = { run = ["open", "odd"] }
cell.none = { rule = "none-out", to = "out" }
cell.in = "out"
cell.out = { rule = "out-twice", at = "entry" }

[lifecycle.end]
in = { rule = "end-in", at = "entry" }
out = "end-out"

[[lifecycle]]
name = "call"
within = "step"
states = ["absent", "made", "done"]
keyed = "stream"
opens = "made"

[[lifecycle.row]]
on = "call"
when = { "/x" = true }
key = "/k"
after = { step = ["in", "out"] }
keep = { v = "/v" }
cell.absent = "made"
cell.made = { rule = "made-twice" }
cell.done = { rule = "done-before", to = "made" }

[[lifecycle.row]]
on = "call"
when = "else"
key = "/k"
same = [{ kept = "v", at = "/v", rule = "other-v" }]
cell.absent = { rule = "not-made" }
cell.made = "done"
cell.done = "="

[[lifecycle.row]]
on = ["step", "close"]
before = { step = "in" }
cell.made = { rule = "left-made", to = "done" }
cell.else = "="

[lifecycle.end]
made = "end-made"

[[text]]
name = "words"
within = "step"
began = "it began here"
append = { on = "call", when = { "/x" = true }, at = "/v" }
whole = { on = "step", at = "/v", rule = "other-words", before = { step = ["in", "out"] } }
"#,
    schemas: r#"{"begin":{},"close":{},
        "step":{"required":["x"],"properties":{"x":{"type":"boolean"},"v":{"type":"string"}}},
        "call":{"required":["k"],"properties":{"x":{"type":"boolean"},"k":{"type":"string"},"v":{"type":"string"}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"close"}"#,
        r#"{"type":"step","x":true}"#,
        r#"{"type":"step","x":false,"v":"p"}"#,
        r#"{"type":"step","x":7}"#,
        r#"{"type":"call","x":true,"k":"a","v":"p"}"#,
        r#"{"type":"call","x":true,"k":"b","v":"q"}"#,
        r#"{"type":"call","k":"a","v":"q"}"#,
        r#"{"type":"call","x":false,"k":"b","v":"q"}"#,
        r#"{"type":"call","x":7,"k":"a","v":"p"}"#,
        r#"{"type":"call","x":true,"v":"p"}"#,
        r#"{"type":"begin""#,
    ],
    depth: 4,
};

/// States that cannot be told apart, and which become sure again.
pub const UNSURE: Case = Case {
    name: "unsure",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "open", "late", "bad"]
opens = ["open", "late"]
resumes = ["bad"]

[[lifecycle.row]]
on = "go"
when = { "/x" = "a", "/y" = true }
cell.idle = "open"
cell.open = { rule = "open-again" }
cell.late = { rule = "open-again", to = "open" }
cell.bad = "late"

[[lifecycle.row]]
on = "go"
when = { "/x" = "a", "/y" = false }
cell.idle = "late"
cell.late = { rule = "late-again", at = "entry", to = "bad" }
cell.else = "bad"

[[lifecycle.row]]
on = "go"
when = { "/x" = ["b", "c"] }
cell.late = { rule = "late-again", at = "entry" }
cell.else = "idle"

[[lifecycle.row]]
on = "go"
when = "else"
cell.idle = { rule = "idle-again" }
cell.else = "idle"

[[lifecycle.row]]
on = "look"
cell.open = { rule = "seen" }
cell.late = { rule = "seen" }
cell.else = "="

[lifecycle.end]
open = "end-open"
late = { rule = "end-late", at = "entry" }
bad = "end-late"

[[lifecycle]]
name = "inner"
within = "turn"
states = ["zero", "one"]

[[lifecycle.row]]
on = "look"
before = { turn = ["open", "bad"] }
cell.zero = "one"
cell.one = { rule = "one-again" }

[[lifecycle.row]]
on = "go"
when = { "/y" = true }
after = { turn = ["open", "late"] }
cell.zero = { rule = "zero-still" }
cell.one = "zero"

[[text]]
name = "words"
within = "turn"
began = "it began here"
append = { on = "look", at = "/t", after = { inner = "one" } }
cut = [{ on = "go", when = { "/y" = true } }]
whole = { on = "go", at = "/x", rule = "other-words", before = { turn = ["open", "late"] } }

[[unchanged]]
on = "look"
at = "/t"
within = "inner"
rule = "same-look"
"#,
    schemas: r#"{"go":{"properties":{"x":{"type":"string"},"y":{"type":"boolean"}}},"look":{"properties":{"t":{"type":"string"}}}}"#,
    alphabet: &[
        r#"{"type":"go","x":"a","y":true}"#,
        r#"{"type":"go","x":"a","y":false}"#,
        r#"{"type":"go","x":"a","y":7}"#,
        r#"{"type":"go","x":7,"y":true}"#,
        r#"{"type":"go","x":"b"}"#,
        r#"{"type":"go","x":"d","y":7}"#,
        r#"{"type":"go","y":true}"#,
        r#"{"type":"look","t":"a"}"#,
        r#"{"type":"look"}"#,
        r#"{"type":"look","t":7}"#,
        r#"{"type":"look""#,
    ],
    depth: 4,
};
