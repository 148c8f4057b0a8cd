//! A protocol about event types that no name tells, and ends that are one form's own.

use crate::comparison::Case;

/// A line that is no JSON, objects that a member tells, also beside a name, and lines that are none of these.
pub const NAMELESS: Case = Case {
    name: "nameless",
    tables: r#"
[event]

[[type]]
name = "done"
text = "[DONE]"

[[type]]
name = "error"
has = "/error"

[[type]]
name = "note"
has = "/note/text"

[[type]]
name = "mark"
text = "--"

[[lifecycle]]
name = "turn"
states = ["idle", "open", "over", "bad"]
opens = "open"

[[lifecycle.row]]
on = "piece"
cell.over = { rule = "over-before", at = "entry", to = "open" }
cell.bad = { rule = "piece-in-bad" }
cell.else = "open"

[[lifecycle.row]]
on = "done"
cell.idle = { rule = "done-idle" }
cell.open = "over"
cell.over = { rule = "done-twice", at = "entry" }
cell.bad = "="

[[lifecycle.row]]
on = "error"
when = { "/error" = { empty = true } }
cell.over = { rule = "empty-over" }
cell.else = "="

[[lifecycle.row]]
on = "error"
when = "else"
cell.over = { rule = "error-over" }
cell.bad = { rule = "error-twice", at = "entry" }
cell.else = "bad"

[[lifecycle.row]]
on = "*"
cell.bad = { rule = "in-bad" }
cell.else = "="

[lifecycle.end]
open = { rule = "end-open", wire = "sse" }
bad = { rule = "end-bad", at = "entry" }
over = { rule = "end-over", at = "entry" }

[[lifecycle]]
name = "inner"
within = "turn"
states = ["zero", "one", "two"]

[[lifecycle.row]]
on = ["mark", "note"]
cell.zero = "one"
cell.one = "two"
cell.two = { rule = "two-still" }

[[lifecycle.row]]
on = "done"
cell.two = { rule = "two-done", to = "zero" }
cell.else = "zero"

[lifecycle.end]
one = "end-one"
two = { rule = "end-two", wire = "sse", at = "entry" }

[[lifecycle]]
name = "item"
within = "turn"
states = ["absent", "made", "gone"]
keyed = "parent"
opens = "made"

[[lifecycle.row]]
on = "piece"
key = "/t"
cell.absent = "made"
cell.made = "gone"
cell.gone = { rule = "gone-before" }

[[lifecycle.row]]
on = ["mark", "error"]
cell.made = { rule = "made-still", to = "gone" }
cell.else = "="

[lifecycle.end]
gone = { rule = "end-gone", wire = "sse" }
made = "end-made"

[[text]]
name = "keyed"
within = "item"
key = "/t"
append = { on = "piece", at = "/t" }
json = { on = ["done", "note"], key = [], is = "any", rule = "no-keyed-json" }

[[text]]
name = "words"
within = "turn"
append = [{ on = "piece", at = "/t" }, { on = "note", at = "/note/text" }]
cut = [{ on = "mark" }, { on = "error", when = { "/error" = { empty = true } } }]
whole = { on = "error", at = "/error/t", rule = "other-words" }

[[text]]
name = "data"
within = "turn"
append = [{ on = "piece", at = "/t" }, { on = "note", at = "/note/text" }]
# Never one that cannot be read: the text is empty then, but the engine knows nothing of it.
whole = { on = "piece", at = "/u", rule = "other-data" }
json = { on = ["done", "mark"], is = "any", rule = "no-json" }

[[series]]
values = [{ on = "*", at = "/q" }]
step = 1
from = "any"
restarts = "done"
rule = "gap"

[[check]]
on = "error"
when = { "/error" = { present = false } }
at = "/error"
rule = "no-error"

[[unchanged]]
on = "note"
at = "/note/text"
rule = "same-note"
"#,
    schemas: r#"{"piece":{"properties":{"t":{"type":"string"},"u":{"type":"string"},"q":{"type":"number"}}},
        "error":{"properties":{"error":{"type":["object","string","null"],"properties":{"t":{"type":"string"}}},"q":{"type":"number"}}},
        "note":{"properties":{"note":{"type":"object","properties":{"text":{"type":["string","null"]}}}}}}"#,
    alphabet: &[
        r#"{"type":"piece","t":"1","q":1}"#,
        r#"{"type":"piece","t":"x","q":2}"#,
        r#"{"type":"piece","t":"x","u":"1x"}"#,
        r#"[DONE]"#,
        r#"--"#,
        r#"{"error":{}"#,
        r#"{"error":{},"q":3}"#,
        r#"{"error":{"t":"1"}}"#,
        r#"{"error":7}"#,
        r#"{"error":null}"#,
        r#"{"type":"error","error":{"t":"1x"}}"#,
        r#"{"type":"error"}"#,
        r#"{"type":7,"error":{"t":"x"}}"#,
        r#"{"error":{"t":7},"note":{"text":"x"}}"#,
        r#"{"note":{"text":"x"}}"#,
        r#"{"note":{"text":7}}"#,
        r#"{"note":{}}"#,
        r#"{"type":"stranger","error":{}}"#,
    ],
    depth: 3,
};
