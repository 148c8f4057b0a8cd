//! Files with several mistakes: all of them are reported at once, each at its place.

use crate::{Folder, Refusal};

/// Returns the places of the problems, in the order in which they are reported.
fn places(refusal: &Refusal) -> Vec<usize> {
    refusal.problems.iter().map(|problem| problem.span().start).collect()
}

#[test]
fn all_mistakes_of_the_tables_are_reported_at_once() {
    let set = r#"{ set = { on = "session.stream.chunk", at = "/payload/done", to = true } }"#;
    let refusal = Folder::copy()
        .edit("protocol.toml", "title   = ", "titel   = ")
        .edit("protocol.toml", "unknown = \"unknown-event\"\n", "")
        .edit("protocol.toml", "states  = [\"idle\", \"announced\"", "states  = [\"idle\", 7")
        .edit(
            "protocol.toml",
            "-before-completed\", to = \"closing\" }\ncell.resumed",
            "-before-completed\", to = 5 }\ncell.resumed",
        )
        .edit("protocol.toml", "cell.trailing    = \"=\"\ncell.drained", "cell.trailing    = true\ncell.drained")
        .edit("protocol.toml", "states = [\"none\", \"open\", \"done\", \"cut\", \"broken-off\"]\n", "")
        .edit("protocol.toml", "keyed  = \"stream\" ", "keyed  = \"steam\" ")
        .edit("protocol.toml", set, &set.replace("at =", "att ="))
        .edit("protocol.toml", "payload = { pending = false, status", "payload = { pending = nan, status")
        .refusal("protocol.toml");
    refusal
        .says("there is no key `titel` here", "▸titel   = ")
        .advises("there is no key `titel` here", "did you mean title?")
        .says("there is no `unknown` here", "▸[event]")
        .says("`states` must be a string, but is of the type integer", "[\"idle\", ▸7")
        .says("`to` must be a string, but is of the type integer", "{ rule = \"complete-before-completed\", to = ▸5 }")
        .says("`trailing` must be a state, \"=\", or { rule = …, to = … }", "cell.trailing    = ▸true")
        .says("there is no `states` here", "▸[[lifecycle]]\nname   = \"reply\"")
        .says("`keyed` cannot be \"steam\"", "keyed  = ▸\"steam\" ")
        .advises("`keyed` cannot be \"steam\"", "did you mean stream?")
        .says("there is no key `att` here", "▸att = \"/payload/done\"")
        .says("JSON has no such number", "payload = { pending = ▸nan, status")
        .and_nothing_else(9);
    assert!(places(&refusal).is_sorted(), "{:?}", places(&refusal));
}

#[test]
fn all_mistakes_of_the_tables_of_records_are_reported_at_once() {
    Folder::copy_of("session-records")
        .edit(
            "protocol.toml",
            "is   = { same-as = \"/session_id\" }",
            "is   = { same-as = \"/session_id\", below = 1 }",
        )
        .edit("protocol.toml", "is   = { below = 0.0 }", "is   = { below = \"0\" }")
        .edit("protocol.toml", "{ after = [\"/timestamp\", \"/duration\"] }", "{ after = [\"/timestamp\"] }")
        .edit("protocol.toml", "known = [[\"items\"], ", "known = [\"items\", ")
        .edit("protocol.toml", "is   = \"repeated\"", "is   = 2026-01-01")
        .refusal("protocol.toml")
        .says("exactly one of the keys says, same-as, below, beside", "is   = ▸{ same-as = \"/session_id\", below")
        .says("`below` must be a number, but is of the type string", "{ below = ▸\"0\" }")
        .says("`after` must have 2 items, but has 1", "{ after = ▸[\"/timestamp\"] }")
        .says("`known` must be a list of strings, but is of the type string", "known = [▸\"items\", ")
        .says("`is` must be a string or a table, but is of the type datetime", "is   = ▸2026-01-01")
        .and_nothing_else(5);
}

#[test]
fn a_table_in_place_of_a_list_of_tables_is_refused() {
    Folder::copy()
        .edit("protocol.toml", "[[time]]", "[time]")
        .refusal("protocol.toml")
        .says("`time` must be a list of tables, but is of the type table", "▸[time]")
        .and_nothing_else(1);
}

#[test]
fn all_mistakes_of_the_examples_are_reported_at_once() {
    let folder = Folder::copy();
    folder.write("examples.toml", "[a]\nbreaks = 'x'\nkeps = 'y'\n[b]\nbreaks = 1\nkeeps = ''\nescapes = 'no'\n");
    folder
        .refusal("examples.toml")
        .says("there is no key `keps` here", "▸keps")
        .advises("there is no key `keps` here", "did you mean keeps?")
        .says("`breaks` must be a string, but is of the type integer", "breaks = ▸1")
        .says("`escapes` must be a boolean, but is of the type string", "escapes = ▸'no'")
        .and_nothing_else(3);
}

#[test]
fn mistakes_in_several_files_are_reported_at_once() {
    let folder = Folder::copy()
        .edit("protocol.toml", "on = \"session.interrupted\"\n", "on = \"session.interupted\"\n")
        .edit("session.error.schema.json", "\"session.error\" }", "\"session.eror\" }")
        .edit("session.status.schema.json", "\"required\": [\"session_id\"", "\"requried\": [\"session_id\"")
        .edit("examples.toml", "[turn-not-started]", "[turn-not-startd]");
    let [tables, error, status] =
        folder.refusals(["protocol.toml", "session.error.schema.json", "session.status.schema.json"]);
    tables.says("there is no event type session.interupted", "on = ▸\"session.interupted\"");
    error.says("is for the event type session.error", "\"const\": ▸\"session.eror\"").and_nothing_else(1);
    status.says("no keyword `requried`", "▸\"requried\"").and_nothing_else(1);
}

/// What only follows from a schema that cannot be read is not said: its fields may be there.
#[test]
fn a_wrong_schema_has_no_consequences() {
    let status = "session.status.schema.json";
    for (from, to, said) in [
        ("\"properties\": {\n    \"type\"", "\"propertys\": {\n    \"type\"", "no keyword `propertys`"),
        ("\"type\": \"object\",\n  \"required\"", "\"type\": \"object\"\n  \"required\"", "this is not JSON"),
    ] {
        let refusal = Folder::copy().edit(status, from, to).refusal(status);
        assert!(refusal.problem(said).line() > 1);
        refusal.and_nothing_else(1);
    }
}

/// A misspelt name is one mistake: what was meant is neither unused nor out of reach.
#[test]
fn a_misspelt_name_has_no_consequences() {
    for (from, to, said) in [
        ("cell.else        = \"announced\"", "cell.else        = \"anounced\"", "has no state anounced"),
        ("on = \"session.interrupted\"\n", "on = \"session.interupted\"\n", "no event type session.interupted"),
        (
            "rule = \"label-contradicts-pending\"\n\n[[check]]\non   = \"session.interrupted\"",
            "rule = \"label-contradict-pending\"\n\n[[check]]\non   = \"session.interrupted\"",
            "there is no rule label-contradict-pending",
        ),
        ("rule = \"reason-missing\"\n", "rule = \"reason-mising\"\n", "there is no rule reason-mising"),
        (
            "when = { \"/payload/message/role\" = \"assistant\" }\ncell",
            "when = { \"/payload/message/role\" = \"asistant\" }\ncell",
            "never has /payload/message/role",
        ),
        (
            "when = { \"/payload/message/role\" = \"assistant\" }\ncell",
            "when = { \"/payload/message/rol\" = \"assistant\" }\ncell",
            "has no field /payload/message/rol",
        ),
        (
            "when = { \"/payload/message/role\" = \"assistant\" }\ncell",
            "when = { \"payload/message/role\" = \"assistant\" }\ncell",
            "is not a JSON Pointer",
        ),
    ] {
        let refusal = Folder::copy().edit("protocol.toml", from, to).refusal("protocol.toml");
        refusal.problem(said);
        refusal.and_nothing_else(1);
    }
}

#[test]
fn an_example_is_of_a_rule_that_is_there() {
    Folder::copy()
        .edit("examples.toml", "[turn-not-started]", "[turn-not-startd]")
        .refusal("examples.toml")
        .says("there is no rule turn-not-startd", "[▸turn-not-startd]")
        .advises("there is no rule turn-not-startd", "did you mean turn-not-started?")
        .and_nothing_else(1);
}
