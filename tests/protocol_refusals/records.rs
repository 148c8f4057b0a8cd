//! Mistakes in a protocol of stored records.

use crate::{Folder, Refusal};

/// Returns the refusal of the built-in protocol of records with one change in its tables.
fn refused(from: &str, to: &str) -> Refusal {
    Folder::copy_of("session-records").edit("protocol.toml", from, to).refusal("protocol.toml")
}

const RECORD: &str = "[record]\ntime      = \"/timestamp\"";

#[test]
fn the_built_in_protocol_is_right() {
    let folder = Folder::copy_of("session-records");
    let loaded = sessionlint::load_protocol(&folder.0).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(loaded.is_of_records());
}

#[test]
fn a_protocol_has_events_or_records_and_not_both() {
    let both = "[event]\ntype = \"/type\"\nunknown = \"unknown-event\"\n\n[record]\ntime      = \"/timestamp\"";
    let both = refused(RECORD, both);
    assert_eq!(both.problem("either events or records").span().start, 0);
    both.advises("either events or records", "[event] for streams of events, or [record] for stored records");
    let neither = Folder::copy().edit("protocol.toml", "[event]\ntype ", "[text-x]\ntype ");
    neither.refusal("protocol.toml").says("there is no key `text-x` here", "[▸text-x]");
    let folder = Folder::copy_of("session-records");
    folder.write("protocol.toml", "name = \"x\"\nversion = \"1\"\n");
    assert_eq!(folder.refusal("protocol.toml").problem("either events or records").span().start, 0);
}

#[test]
fn what_is_about_streams_is_refused_beside_records_and_the_other_way_round() {
    let time = "[[time]]\nrule = \"negative-duration\"\n\n[rule.invalid-json]";
    refused("[rule.invalid-json]", time)
        .says(
            "[[time]] goes with [event], which this protocol does not have",
            "[[time]]\nrule = ▸\"negative-duration\"",
        )
        .advises("[[time]] goes with [event]", "make two of them");
    Folder::copy()
        .edit(
            "protocol.toml",
            "[rule.time-goes-backwards]",
            "[[kind]]\nname = \"session.status\"\n\n[rule.time-goes-backwards]",
        )
        .refusal("protocol.toml")
        .says("[[kind]] goes with [record], which this protocol does not have", "[[kind]]\nname = ▸\"session.status\"")
        .and_nothing_else(1);
}

#[test]
fn a_kind_and_a_container_have_schemas() {
    refused("name    = \"event\"\nfiles", "name    = \"evnt\"\nfiles")
        .says("there is no schema of evnt", "name    = ▸\"evnt\"\nfiles")
        .advises("there is no schema of evnt", "did you mean event?");
    refused("name  = \"page\"", "name  = \"leaf-of-a-book\"")
        .says("there is no schema of leaf-of-a-book", "name  = ▸\"leaf-of-a-book\"")
        .advises("there is no schema of leaf-of-a-book", "add leaf-of-a-book.schema.json")
        .and_nothing_else(1);
    refused("lists = { actions = \"session-action\" }", "lists = { actions = \"action\" }")
        .says("there is no schema of action", "lists = { actions = ▸\"action\" }")
        .and_nothing_else(1);
}

#[test]
fn a_kind_exists_once_and_no_field_identifies_two() {
    let telling = "telling = [\"source_id\", \"category\", \"type\", \"user_id\", \"description\", \"attributes\"]";
    refused(telling, &telling.replace("\"source_id\"", "\"source_id\", \"user_name\""))
        .says("event has no field /user_name", "\"source_id\", ▸\"user_name\"")
        .and_nothing_else(1);
    let twice = "[[kind]]\nname    = \"event\"\n\n[[kind]]\nname    = \"event\"\nfiles";
    refused("[[kind]]\nname    = \"event\"\nfiles", twice)
        .says("there are two kinds event", "[[kind]]\nname    = ▸\"event\"\nfiles")
        .and_nothing_else(1);
    let both = "files   = [\"event*\"]\ntelling = [\"timestamp\", ";
    let folder = Folder::copy_of("session-records")
        .edit("protocol.toml", "files   = [\"event*\"]\ntelling = [", both)
        .edit("protocol.toml", "telling = [\"tool_name\",", "telling = [\"timestamp\", \"tool_name\",");
    folder
        .refusal("protocol.toml")
        .says(
            "timestamp is already a telling field of the kind session-action",
            "telling = [▸\"timestamp\", \"source_id\"",
        )
        .and_nothing_else(1);
}

#[test]
fn there_is_a_kind() {
    let folder = Folder::copy_of("session-records");
    let tables = "name = \"x\"\nversion = \"1\"\n[record]\nunknown = \"unknown-field\"\nbroken = \"wrong-type\"\n";
    folder.write("protocol.toml", tables);
    folder
        .refusal("protocol.toml")
        .says("there is no kind of record", "unknown = ▸\"unknown-field\"")
        .advises("there is no kind of record", "add a [[kind]]")
        .and_nothing_else(1);
}

#[test]
fn a_pattern_of_names_is_valid() {
    refused("files   = [\"event*\"]", "files   = [\"event[\"]")
        .says("this is not a valid pattern", "files   = [▸\"event[\"]")
        .advises("this is not a valid pattern", "session*")
        .and_nothing_else(1);
}

#[test]
fn a_container_is_told_by_keys_and_its_lists_are_in_its_schema() {
    refused("known = [[\"items\"], [\"page\", \"page_size\"]]", "known = [[\"items\"], []]")
        .says("anything would be a page: no key identifies it", "name  = ▸\"page\"")
        .and_nothing_else(1);
    refused("lists = { items = \"*\" }", "lists = { records = \"*\" }")
        .says("page has no field /records", "lists = { ▸records = \"*\" }")
        .and_nothing_else(1);
}

#[test]
fn pointers_lead_to_fields_of_the_kind() {
    refused("at   = \"/duration\"\nis ", "at   = \"/lasted\"\nis ")
        .says("session has no field /lasted", "at   = ▸\"/lasted\"")
        .and_nothing_else(1);
    refused("at   = \"/duration\"\nis ", "at   = \"duration\"\nis ")
        .says("duration is not a JSON Pointer", "at   = ▸\"duration\"");
    refused("is   = { same-as = \"/session_id\" }", "is   = { same-as = \"/session\" }")
        .says("session has no field /session", "same-as = ▸\"/session\"")
        .and_nothing_else(1);
    refused("is   = { after = [\"/timestamp\", \"/duration\"] }", "is   = { after = [\"/timestamp\", \"/length\"] }")
        .says("session has no field /length", "[\"/timestamp\", ▸\"/length\"]")
        .and_nothing_else(1);
    refused("key     = \"/session_id\"", "key     = \"/id\"").says("session has no field /id", "key     = ▸\"/id\"");
    refused(RECORD, "[record]\ntime      = \"/time\"")
        .says("none of the kinds of record has a field /time", "time      = ▸\"/time\"");
    refused("stream    = \"/session_id\"", "stream    = \"/sid\"")
        .says("no kind of record has a field /sid", "stream    = ▸\"/sid\"")
        .and_nothing_else(1);
}

#[test]
fn a_tolerance_is_a_length_of_time() {
    for (number, shown) in [("-0.5", "-0.5"), ("-1", "-1"), ("inf", "inf"), ("nan", "NaN")] {
        refused("tolerance = 1.0", &format!("tolerance = {number}"))
            .says(&format!("times cannot be {shown} seconds apart"), &format!("tolerance = ▸{number}"))
            .advises("times cannot be", "write 0 or a number above it")
            .and_nothing_else(1);
    }
    refused("tolerance = 1.0", "tolerance = \"1 s\"").says("`tolerance` must be a number", "tolerance = ▸\"1 s\"");
    let folder = Folder::copy_of("session-records").edit("protocol.toml", "tolerance = 1.0", "tolerance = 0");
    assert!(sessionlint::load_protocol(&folder.0).is_ok(), "whole numbers and 0 are fine");
}

#[test]
fn a_check_has_a_kind_and_exists() {
    refused("on   = \"session-action\"\nat", "on   = \"bundle\"\nat")
        .says("bundle is not a kind of record", "on   = ▸\"bundle\"")
        .advises("bundle is not a kind of record", "what a [[kind]] names");
    refused("is   = { below = 0.0 }", "is   = { above = 0.0 }")
        .says("there is no key `above` here", "is   = { ▸above = 0.0 }")
        .advises("there is no key `above` here", "there are says, same-as, below, beside")
        .and_nothing_else(1);
    refused("to      = \"session\"", "to      = \"page\"").says("page is not a kind of record", "to      = ▸\"page\"");
}

#[test]
fn a_kind_is_named_by_one_field() {
    refused("at   = \"/session_id\"\nis   = \"repeated\"", "at   = \"/conversation_id\"\nis   = \"repeated\"")
        .says("session is already named by /conversation_id", "key     = ▸\"/session_id\"")
        .advises("session is already named by", "named by one field")
        .and_nothing_else(1);
}

#[test]
fn rules_are_there_and_used() {
    refused("missing = \"orphan-event\"", "missing = \"orphan-evnt\"")
        .says("there is no rule orphan-evnt", "missing = ▸\"orphan-evnt\"")
        .advises("there is no rule orphan-evnt", "did you mean orphan-event?")
        // That the rule is used nowhere only follows from the misspelt name.
        .and_nothing_else(1);
    refused("unknown   = \"unknown-kind\"", "unknown   = \"no-kind\"").says("there is no rule no-kind", "▸\"no-kind\"");
    refused("broken    = \"broken-container\"\n", "").says("there is no `broken` here", "▸[record]");
}
