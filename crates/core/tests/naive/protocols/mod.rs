//! The protocols, one for each group of words of the language.

mod chat;
mod choices;
mod fields;
mod grid;
mod instances;
mod keyed;
mod lists;
mod messages;
mod nameless;
mod nested;
mod second;
mod session_events;

pub use chat::CHAT;
pub use choices::{CHOICES, ENTRIES};
pub use fields::{FIELDS, TEXTS};
pub use grid::GRID;
pub use instances::{ITEMS, PARTS, STREAMS};
pub use keyed::{KEYED, OWNED};
pub use lists::{LISTS, OTHERS};
pub use messages::MESSAGES;
pub use nameless::NAMELESS;
pub use nested::{NESTED, UNSURE};
pub use second::{CONDITIONS, PARENTS, SERIES, WHOLES};
pub use session_events::SESSION_EVENTS;

use crate::comparison::Case;

/// States, rules with and without `to`, at the event and at the entry; `opens` and `resumes` without anything inside.
pub const PLAIN: Case = Case {
    name: "plain",
    tables: r#"
[event]

[[lifecycle]]
name = "turn"
states = ["idle", "busy", "early", "over"]
opens = "busy"
resumes = "early"

[[lifecycle.row]]
on = "start"
cell.busy = { rule = "started-twice" }
cell.early = { rule = "went-on", at = "entry", to = "busy" }
cell.else = "busy"

[[lifecycle.row]]
on = "pause"
cell.busy = "early"
cell.early = { rule = "paused-twice", at = "entry" }
cell.else = "="

[[lifecycle.row]]
on = "stop"
cell.idle = { rule = "not-started", to = "over" }
cell.early = { rule = "went-on", at = "entry", to = "over" }
cell.else = "over"

[[lifecycle.row]]
on = "*"
cell.over = { rule = "after-end", to = "idle" }
cell.else = "="

[lifecycle.end]
busy = "unfinished"
early = { rule = "went-on", at = "entry" }
"#,
    schemas: r#"{"start":{},"pause":{},"stop":{},"other":{}}"#,
    alphabet: &[
        r#"{"type":"start"}"#,
        r#"{"type":"pause"}"#,
        r#"{"type":"stop"}"#,
        r#"{"type":"other"}"#,
        r#"{"type":"start""#,
        r#"{"type":"stranger"}"#,
    ],
    depth: 6,
};

/// What is inside: muting, also by a rule that is switched off and not handed on; starting afresh.
pub const WITHIN: Case = Case {
    name: "within",
    tables: r#"
[event]

[[lifecycle]]
name = "outer"
states = ["idle", "open"]
opens = "open"

[[lifecycle.row]]
on = "begin"
cell.idle = "open"
cell.open = { rule = "begun-twice" }

[[lifecycle.row]]
on = "close"
cell.idle = { rule = "off-not-open" }
cell.open = "idle"

[[lifecycle.row]]
on = "*"
cell.idle = { rule = "outside" }
cell.open = "="

[[lifecycle]]
name = "inner"
within = "outer"
states = ["none", "some", "more"]
opens = "more"

[[lifecycle.row]]
on = ["begin", "close"]
cell.none = "="
cell.some = { rule = "inner-some", to = "more" }
cell.more = { rule = "inner-more", to = "none" }

[[lifecycle.row]]
on = "step"
cell.none = "some"
cell.some = "more"
cell.more = { rule = "inner-much" }

[[lifecycle]]
name = "core"
within = "inner"
states = ["zero", "one", "two"]

[[lifecycle.row]]
on = ["step", "close", "begin"]
cell.zero = "one"
cell.one = { rule = "core-one", to = "two" }
cell.two = { rule = "core-two" }

[[lifecycle]]
name = "watch"
states = ["dark", "lit"]

[[lifecycle.row]]
on = "step"
before = { inner = ["none", "some"] }
after = { outer = "open" }
cell.dark = "lit"
cell.lit = { rule = "lit-twice" }

[[lifecycle.row]]
on = "close"
before = { inner = "more" }
cell.else = { rule = "closed-with-more", to = "dark" }

[[lifecycle.row]]
on = "begin"
before = { core = "two", inner = "some" }
cell.else = { rule = "begun-at-two" }

[lifecycle.end]
lit = "end-lit"
"#,
    schemas: r#"{"begin":{},"close":{},"step":{}}"#,
    alphabet: &[r#"{"type":"begin"}"#, r#"{"type":"close"}"#, r#"{"type":"step"}"#, r#"{"type":"step""#],
    depth: 7,
};

/// Values, lists, labels and `"else"`, where the fields can be read and where not.
pub const WHEN: Case = Case {
    name: "when",
    tables: r#"
[event]

[[lifecycle]]
name = "light"
states = ["red", "green", "blue"]

[[lifecycle.row]]
on = "set"
when = { "/x" = true }
cell.red = "green"
cell.green = { rule = "green-again" }
cell.blue = { rule = "blue-to-green", to = "green" }

[[lifecycle.row]]
on = "set"
when = { "/x" = false, "/label" = { says = ["done", "wait*"] } }
cell.red = { rule = "red-done" }
cell.green = "red"
cell.blue = { rule = "blue-to-green", to = "red" }

[[lifecycle.row]]
on = "set"
when = "else"
cell.red = "blue"
cell.green = "blue"
cell.blue = { rule = "blue-again", at = "entry" }

[[lifecycle.row]]
on = "num"
when = { "/n1" = [1, 2], "/n2" = 3 }
cell.else = "red"

[[lifecycle.row]]
on = "num"
when = "else"
cell.red = { rule = "num-red" }
cell.else = "="

[lifecycle.end]
blue = { rule = "end-blue", at = "entry" }
green = "end-green"
"#,
    schemas: r#"{"set":{"required":["x"],"properties":{"x":{"type":"boolean"},"label":{"type":"string"}}},
        "num":{"properties":{"n1":{"type":"number"},"n2":{"type":"number"}}}}"#,
    alphabet: &[
        r#"{"type":"set","x":true}"#,
        r#"{"type":"set","x":false,"label":" Done… "}"#,
        r#"{"type":"set","x":false,"label":"other"}"#,
        r#"{"type":"set","x":false}"#,
        r#"{"type":"set","x":false,"label":7}"#,
        r#"{"type":"set","x":"no","label":"waiting"}"#,
        r#"{"type":"set","label":"other"}"#,
        r#"{"type":"num","n1":1.0,"n2":3}"#,
        r#"{"type":"num","n1":"one","n2":4}"#,
        r#"{"type":"num","n2":"three","n1":2}"#,
        r#"{"type":"num"}"#,
        r#"{"type":"set""#,
    ],
    depth: 4,
};

/// Pieces, cuts, and wholes.
pub const TEXT: Case = Case {
    name: "text",
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
on = "end"
cell.idle = { rule = "not-open" }
cell.open = "idle"

[[lifecycle.row]]
on = "*"
cell.else = "="

[[text]]
name = "reply"
within = "turn"
began = "it began here"
append = { on = "piece", at = "/t", after = { turn = "open" } }
cut = [{ on = "cut", when = { "/x" = true } }]
whole = { on = "end", at = "/t", rule = "mismatch", empty = "empty-whole" }
"#,
    schemas: r#"{"begin":{},"piece":{"properties":{"t":{"type":"string"}}},"cut":{"properties":{"x":{"type":"boolean"}}},
        "end":{"properties":{"t":{"type":"string"}}}}"#,
    alphabet: &[
        r#"{"type":"begin"}"#,
        r#"{"type":"piece","t":"a"}"#,
        r#"{"type":"piece","t":""}"#,
        r#"{"type":"piece","t":7}"#,
        r#"{"type":"piece"}"#,
        r#"{"type":"cut","x":true}"#,
        r#"{"type":"cut","x":7}"#,
        r#"{"type":"end","t":"a"}"#,
        r#"{"type":"end","t":""}"#,
        r#"{"type":"end"}"#,
        r#"{"type":"end","t":7}"#,
        r#"{"type":"end""#,
    ],
    depth: 4,
};
