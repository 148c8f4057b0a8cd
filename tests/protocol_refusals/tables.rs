//! Mistakes in the tables and in the texts of the rules.

use sessionlint::load_protocol;

use crate::{Folder, LIFT, refused};

// ---- cells and states -----------------------------------------------------------------------------

#[test]
fn a_row_needs_a_cell_for_every_state() {
    refused("to = \"idle\" }\ncell.else        = \"=\"\n\n[lifecycle.end]", "to = \"idle\" }\n\n[lifecycle.end]")
        .says(
            "this row has no cell for the states interrupted, failed, trailing and drained",
            "▸[[lifecycle.row]]\non = \"session.error\"\ncell.idle",
        )
        .advises("no cell for the states interrupted", "add cell.interrupted and so on, or cell.else");
}

#[test]
fn a_state_must_be_reached() {
    refused(r#""cut", "broken-off"]"#, r#""cut", "broken-off", "lost"]"#)
        .says("nothing leads into the state lost", r#""broken-off", ▸"lost"]"#)
        .and_nothing_else(1);
}

#[test]
fn a_cell_names_a_rule_that_is_there() {
    let cell = r#"cell.trailing    = { rule = "idle-missing", to = "announced" }"#;
    refused(cell, &cell.replace("missing", "mising"))
        .says("there is no rule idle-mising", r#"cell.trailing    = { rule = ▸"idle-mising""#)
        .advises(
            "there is no rule idle-mising",
            "add [rule.idle-mising] with its severity and words, or did you mean idle-m",
        )
        .and_nothing_else(1);
}

#[test]
fn a_cell_leads_into_a_state_that_is_there() {
    refused("cell.else        = \"completed\"", "cell.else        = \"complete\"")
        .says("the lifecycle turn has no state complete", "cell.else        = ▸\"complete\"")
        .advises("has no state complete", "did you mean completed?")
        .and_nothing_else(1);
}

#[test]
fn a_cell_is_for_a_state_that_is_there() {
    refused("cell.announced   = \"failed\"\n", "cell.anounced    = \"failed\"\n")
        .says("the lifecycle turn has no state anounced", "cell.▸anounced  ")
        .advises("has no state anounced", "did you mean announced?")
        .and_nothing_else(1);
}

#[test]
fn an_end_and_an_opening_are_states_that_are_there() {
    refused("trailing    = \"idle-missing\"", "late        = \"idle-missing\"")
        .says("the lifecycle turn has no state late", "\n▸late        =")
        .advises("has no state late", "its states are idle, announced")
        .and_nothing_else(1);
    refused("opens  = \"started\"", "opens  = \"begun\"")
        .says("the lifecycle tool-call has no state begun", "opens  = ▸\"begun\"")
        .and_nothing_else(1);
}

#[test]
fn a_lifecycle_has_states_but_not_too_many() {
    let states = (0..40).map(|state| format!("\"s{state}\"")).collect::<Vec<_>>().join(", ");
    refused(r#""none", "open", "done", "cut", "broken-off"]"#, &format!("{states}]"))
        .says("has 1 to 32 states, and this one has 40", "▸[[lifecycle]]\nname   = \"reply\"");
    refused(r#""none", "open", "done", "cut", "broken-off"]"#, "]")
        .says("this one has 0", "▸[[lifecycle]]\nname   = \"reply\"");
}

#[test]
fn a_protocol_has_lifecycles_but_not_too_many() {
    let with = |more: usize| {
        let more: String = (0..more)
            .map(|n| format!("[[lifecycle]]\nname   = \"more-{n}\"\nwithin = \"turn\"\nstates = [\"only\"]\n\n"))
            .collect();
        Folder::copy().edit("protocol.toml", "[[text]]\n", &format!("{more}[[text]]\n"))
    };
    // The protocol has two lifecycles before these, and one after them.
    load_protocol(&with(61).0).expect("64 lifecycles are not too many");
    with(63)
        .refusal("protocol.toml")
        .says("a protocol has at most 64 lifecycles, and this one has 66", "name   = ▸\"more-62\"")
        .advises("at most 64 lifecycles", "take some out")
        .and_nothing_else(1);
}

// ---- rows -----------------------------------------------------------------------------------------

#[test]
fn two_rows_must_not_match_the_same_event() {
    let label = "\"/payload/status_label\" = { says = [\"complete\"] }";
    let complete = "▸[[lifecycle.row]]                           # \"(thinking, processing, complete)\"";
    refused(&format!("= false, {label}"), &format!("= true, {label}"))
        .says("two rows of turn match the same session.status", complete)
        .advises("two rows of turn", "tell them apart by `when`");
}

#[test]
fn a_row_is_on_an_event_that_has_a_schema() {
    refused("on = \"session.interrupted\"", "on = \"session.interupted\"")
        .says("there is no event type session.interupted", "on = ▸\"session.interupted\"")
        .advises("there is no event type", "did you mean session.interrupted?");
    refused("on = \"session.interrupted\"", "on = \"session.paused.for.the.night\"")
        .advises("there is no event type", "add session.paused.for.the.night.schema.json");
}

#[test]
fn the_outermost_lifecycle_forgets_no_event() {
    refused(r#"on = ["session.tool.call.completed", "session.tool.results"]"#, r#"on = "session.tool.call.completed""#)
        .says("the lifecycle turn has no row for session.tool.results", "name    = ▸\"turn\"")
        .advises("has no row for session.tool.results", "on = \"*\"")
        .and_nothing_else(1);
}

#[test]
fn rows_cover_every_value_of_a_boolean() {
    let shut = "[[lifecycle.row]]\non   = \"door\"\nwhen = { \"/open\" = false }\ncell = { else = \"shut\" }\n";
    Folder::lift(r#""required": ["kind", "at", "run", "open"]"#, r#"{ "type": "boolean" }"#)
        .edit("protocol.toml", shut, "")
        .refusal("protocol.toml")
        .says("no row of door matches door with /open = false", "when = { ▸\"/open\" = true }")
        .and_nothing_else(1);
}

#[test]
fn rows_cover_every_value_of_an_enum() {
    refused(r#"["user", "system"]"#, r#""user""#)
        .says(
            "no row of turn matches session.message.appended with /payload/message/role = \"system\"",
            "when = { ▸\"/payload/message/role\" = \"assistant\" }\ncell",
        )
        .and_nothing_else(1);
}

/// Events of a type that rows tell apart by an optional field: one without it would move nothing.
#[test]
fn rows_cover_an_optional_field_that_is_not_there() {
    let status = "session.status.schema.json";
    let required = r#""required": ["session_id", "pending", "status_label"]"#;
    let two = "on   = \"session.status\"\nwhen = \"else\"\n";
    let optional = Folder::copy().edit(status, required, r#""required": ["session_id", "status_label"]"#);
    // The row for all others takes it.
    optional.loads();
    let refusal =
        optional.edit("protocol.toml", two, "on   = \"session.status\"\nwhen = { \"/payload/pending\" = false, \"/payload/status_label\" = { says = [\"idle\"] } }\n");
    refusal.refusal("protocol.toml").says(
        "and any other /payload/status_label: it would move nothing",
        "{ \"/payload/pending\" = false, ▸\"/payload/status_label\" = { says = [\"complete\"] } }\ncell",
    );
    let door = Folder::lift(r#""required": ["kind", "at", "run"]"#, r#"{ "type": "boolean" }"#);
    door.refusal("protocol.toml")
        .says(
            "no row of door matches door with no /open, which its schema does not require: it would move nothing",
            "when = { ▸\"/open\" = true }",
        )
        .advises("no row of door matches door with no /open", "when = \"else\", or require the field in the schema")
        .and_nothing_else(1);
    for open in [r#"{ "type": ["boolean", "null"] }"#, r#"{ "enum": [true, false, "ajar"] }"#, "{}"] {
        let door = Folder::lift(r#""required": ["kind", "at", "run", "open"]"#, open);
        let said = if open.contains("ajar") { "with /open = \"ajar\"" } else { "with any other /open" };
        door.refusal("protocol.toml")
            .says(&format!("no row of door matches door {said}: it would move nothing"), "when = { ▸\"/open\" = true }")
            .and_nothing_else(1);
    }
}

#[test]
fn rows_cover_every_combination_of_values() {
    let values = r#"{ "type": "boolean" }, "fast": { "type": "boolean" }"#;
    let door = Folder::lift(r#""required": ["kind", "at", "run", "open", "fast"]"#, values);
    // Each value is named by a row, but not both together.
    let rows = LIFT
        .replace("{ \"/open\" = true }", "{ \"/open\" = true, \"/fast\" = true }")
        .replace("{ \"/open\" = false }", "{ \"/open\" = false, \"/fast\" = false }");
    door.write("protocol.toml", &rows);
    door.refusal("protocol.toml")
        .says("no row of door matches door with /fast = true and /open = false", "when = { ▸\"/open\" = true, ")
        .and_nothing_else(1);
}

/// The alternatives of a schema may require and list what the schema itself does not.
#[test]
fn rows_that_cover_the_alternatives_of_a_schema_are_enough() {
    let required = r#""required": ["kind", "at", "run"], "oneOf": [
        { "required": ["open"], "properties": { "open": { "const": true } } },
        { "required": ["open"], "properties": { "open": { "const": false } } }
    ]"#;
    Folder::lift(required, "{}").loads();
}

#[test]
fn a_pointer_leads_to_a_field_of_the_schema() {
    refused("key  = \"/payload/tool_call_id\"\nkeep = { name", "key  = \"/payload/call_id\"\nkeep = { name")
        .says("session.tool.call.started has no field /payload/call_id", "key  = ▸\"/payload/call_id\"")
        .and_nothing_else(1);
    refused("key  = \"/tool_call_id\"", "key  = \"/id\"")
        .says("session.tool.results has no field /payload/results/*/id", "key  = ▸\"/id\"")
        .and_nothing_else(1);
    refused("time    = \"/timestamp\"", "time    = \"/time\"")
        .says("none of the event types has a field /time", "time    = ▸\"/time\"");
    refused("type    = \"/type\"", "type    = \"/kind\"")
        .says("none of the event types has a field /kind", "type    = ▸\"/kind\"");
    refused("\"/payload/status_label\"\nis   = { says = [\"idle\"", "\"status_label\"\nis   = { says = [\"idle\"")
        .says("status_label is not a JSON Pointer", "at   = ▸\"status_label\"");
}

#[test]
fn a_lifecycle_without_keys_has_no_row_with_a_key() {
    refused("on = \"session.interrupted\"", "on = \"session.interrupted\"\nkey = \"/payload/reason\"")
        .says("this lifecycle has no keys", "▸[[lifecycle.row]]\non = \"session.interrupted\"")
        .and_nothing_else(1);
}

#[test]
fn what_is_compared_was_kept() {
    refused("keep = { ok = \"/payload/ok\" }\n", "")
        .says("no row of this lifecycle keeps a ok", "{ kept = ▸\"ok\"")
        .and_nothing_else(1);
}

// ---- lifecycles -----------------------------------------------------------------------------------

#[test]
fn a_lifecycle_is_within_an_earlier_one() {
    refused("name   = \"reply\"\nwithin = \"turn\"\n#", "name   = \"reply\"\nwithin = \"turns\"\n#")
        .says("there is no lifecycle turns before this one", "within = ▸\"turns\"");
    refused("name    = \"turn\"\n", "name    = \"turn\"\nwithin  = \"reply\"\n")
        .says("there is no lifecycle reply before this one", "within  = ▸\"reply\"")
        .and_nothing_else(1);
}

#[test]
fn a_row_looks_at_earlier_lifecycles() {
    refused("on = \"session.interrupted\"", "on = \"session.interrupted\"\nbefore = { reply = \"open\" }")
        .says("there is no lifecycle reply before this one", "before = { ▸reply = ")
        .and_nothing_else(1);
    let two = "before = { turn = [\"active\", \"resumed\", \"closing\"] }";
    refused(two, "before = { trun = [\"active\", \"resumed\", \"closing\"] }")
        .says("there is no lifecycle trun before this one", "before = { ▸trun = ")
        .and_nothing_else(1);
    refused(two, "before = { turn = [\"activ\", \"resumed\", \"closing\"] }")
        .says("the lifecycle turn has no state activ", "before = { turn = [▸\"activ\"")
        .advises("has no state activ", "did you mean active?")
        .and_nothing_else(1);
}

// ---- rules ----------------------------------------------------------------------------------------

#[test]
fn a_rule_has_words() {
    let words = "no event of a turn came between pending = true and pending = false";
    refused(words, " ")
        .says("the rule turn-empty has no words: `says` is empty", "says     = ▸\" \"")
        .and_nothing_else(1);
    refused(words, "{who} became idle")
        .says("{who} stands for nothing", "says     = ▸\"{who} became idle\"")
        .advises("{who} stands for nothing", "{event}")
        .and_nothing_else(1);
    refused("\"the tool call {key} was started again", "\"the tool call {who} was started again")
        .says("{who} stands for nothing", "again    = { says = ▸\"the tool call {who}")
        .and_nothing_else(1);
    refused("\"use the id of the open call\"", "\" \"")
        .says("the rule unknown-tool-call has no words: `help` is empty", "help = ▸\" \" }")
        .and_nothing_else(1);
}

#[test]
fn a_rule_that_is_used_is_there_and_a_rule_that_is_there_is_used() {
    refused("[rule.turn-empty]", "[rule.turn-void]")
        .says("there is no rule turn-empty", "at = \"entry\" }\nemptied     = { rule = ▸\"turn-empty\"")
        .advises("there is no rule turn-empty", "add [rule.turn-empty]")
        .says("no table uses the rule turn-void", "[rule.▸turn-void]")
        // A cell and the end of the stream name the rule.
        .and_nothing_else(3);
}

#[test]
fn a_rule_of_the_program_itself_is_no_protocol_s() {
    refused("[rule.turn-empty]", "[rule.stale-baseline]")
        .says("stale-baseline is a rule of the program itself", "[rule.▸stale-baseline]")
        .advises("stale-baseline is a rule of the program itself", "a name of its own");
    refused(
        "cell.active      = { rule = \"complete-before-completed\"",
        "cell.active      = { rule = \"stale-baseline\"",
    )
    .says("there is no rule stale-baseline", "cell.active      = { rule = ▸\"stale-baseline\"");
}

#[test]
fn a_rule_quotes_what_the_document_says() {
    refused(
        "quotes   = [\"session.status\\nEmitted when the session status changes\"]",
        "quotes   = [\"whenever its status changes\"]",
    )
    .says("the document does not say this", "quotes   = [▸\"whenever its status changes\"]")
    .and_nothing_else(1);
}

#[test]
fn a_rule_that_rests_on_the_document_quotes_it() {
    refused("quotes   = [\"session.status\\nEmitted when the session status changes\"]\n", "")
        .says("status-unchanged rests on the document but does not quote it", "[rule.▸status-unchanged]")
        .and_nothing_else(1);
}

#[test]
fn a_row_asks_for_values_that_the_schema_allows() {
    refused("when  = { \"/payload/done\" = true }", "when  = { \"/payload/done\" = \"true\" }")
        .says("session.stream.chunk never has /payload/done = \"true\"", "when  = { ▸\"/payload/done\" = \"true\"");
    refused(
        "\"/payload/message/role\" = [\"user\", \"system\"]",
        "\"/payload/message/role\" = [\"user\", \"system\", \"tool\"]",
    )
    .says(
        "session.message.appended never has /payload/message/role = \"tool\"",
        "▸\"/payload/message/role\" = [\"user\"",
    );
}

// ---- fixes ----------------------------------------------------------------------------------------

#[test]
fn a_fix_that_would_break_an_event_is_refused() {
    let idle = r#"payload = { pending = false, status_label = "idle" }"#;
    refused(idle, r#"payload = { pending = "no", status_label = "idle" }"#)
        .says("this is not a valid session.status by its schema", "insert = ▸{ type = \"session.status\"")
        .and_nothing_else(1);
    refused("insert = { type = \"session.status\"", "insert = { type = \"session.statu\"")
        .says("has no known type: \"session.statu\"", "insert = ▸{ type = \"session.statu\"")
        .advises("has no known type", "did you mean session.status?")
        .and_nothing_else(1);
    let set = r#"{ on = "session.stream.chunk", at = "/payload/done", to = true }"#;
    refused(set, r#"{ on = "session.stream.chunk", at = "/payload/done", to = "yes" }"#)
        .says("session.stream.chunk never has /payload/done = \"yes\"", "at = ▸\"/payload/done\", to = \"yes\"")
        .and_nothing_else(1);
    refused(set, r#"{ on = "session.stream.chunk", at = "/payload/dun", to = true }"#)
        .says("session.stream.chunk has no field /payload/dun", "at = ▸\"/payload/dun\"")
        .and_nothing_else(1);
    refused(set, r#"{ on = "session.stream.chunks", at = "/payload/done", to = true }"#)
        .says("there is no event type session.stream.chunks", "set = { on = ▸\"session.stream.chunks\"")
        .and_nothing_else(1);
}

#[test]
fn a_fix_is_a_known_one() {
    refused("fix      = \"negate\"", "fix      = \"negated\"")
        .says("negated", "fix      = ▸\"negated\"")
        .and_nothing_else(1);
}

// ---- what a page shows ----------------------------------------------------------------------------

#[test]
fn what_a_page_shows_is_a_field_of_an_event_that_is_there() {
    let said = r#""session.interrupted"         = "/payload/reason""#;
    refused(said, &said.replace("reason", "cause"))
        .says("session.interrupted has no field /payload/cause", r#"= ▸"/payload/cause""#)
        .and_nothing_else(1);
    refused(said, &said.replace("/payload", "payload"))
        .says("payload/reason is not a JSON Pointer", r#"= ▸"payload/reason""#)
        .and_nothing_else(1);
    refused(said, &said.replace("interrupted\"", "interupted\""))
        .says("there is no event type session.interupted", r#"▸"session.interupted""#)
        .and_nothing_else(1);
    refused("[view.lane]", "[view.lanes]").says("there is no key `lanes` here", "[view.▸lanes]").and_nothing_else(1);
}
