//! Words of the language that are used where they mean nothing, or with values that they cannot have.

use sessionlint::Protocol;

use crate::{Folder, Refusal, refused};

/// Returns the refusal of the built-in protocol of records with one change in its tables.
fn refused_of_records(from: &str, to: &str) -> Refusal {
    Folder::copy_of("session-records").edit("protocol.toml", from, to).refusal("protocol.toml")
}

// ---- values ---------------------------------------------------------------------------------------

#[test]
fn pages_about_rules_have_an_address_and_nothing_more() {
    for address in [
        "",
        "https://",
        "example.com/rules#",
        "javascript:alert(1)",
        "https://example.com/\\\"><script>",
        "https://example.com/ x",
        "https://example.com/)[x](y",
        "https://example.com/é",
        "https://example.com/\\u001b[31m",
    ] {
        let line = format!("rule-pages = \"{address}\"");
        refused("version = \"1\"", &format!("version = \"1\"\n{line}"))
            .says("`rule-pages` is not the beginning of an address", &line.replace("= ", "= ▸"))
            .advises("`rule-pages` is not", "such as https://example.com/rules#")
            .and_nothing_else(1);
    }
}

#[test]
fn each_word_has_its_values() {
    refused("when = \"else\"", "when = \"other\"")
        .says("`when` cannot be \"other\"", "when = ▸\"other\"")
        .advises("`when` cannot be", "there are else")
        .and_nothing_else(1);
    let end = "ended-early = { rule = \"turn-not-ended\", at = \"entry\" }";
    refused(end, &end.replace("entry", "exit"))
        .says("`at` cannot be \"exit\"", "ended-early = { rule = \"turn-not-ended\", at = ▸\"exit\" }")
        .advises("`at` cannot be", "there are entry")
        .and_nothing_else(1);
    let cell = "cell.else      = { rule = \"duplicate-tool-call\"";
    refused(cell, &format!("{cell}, at = 3"))
        .says("`at` must be a string, but is of the type integer", &format!("{cell}, at = ▸3"))
        .and_nothing_else(1);
    let test = "is   = { says = [\"thinking\", \"processing\", \"running tool\"] }";
    refused(test, "is   = \"no-time-zon\"")
        .says("`is` cannot be \"no-time-zon\"", "is   = ▸\"no-time-zon\"")
        .advises("`is` cannot be", "did you mean no-time-zone?")
        .and_nothing_else(1);
    refused("anew = true", "anew = \"yes\"")
        .says("`anew` must be a boolean, but is of the type string", "anew = ▸\"yes\"")
        .and_nothing_else(1);
    refused("trailing    = \"idle-missing\"", "trailing    = 7")
        .says("`trailing` must be a rule, or { rule = …, at = \"entry\", wire = \"sse\" }", "trailing    = ▸7")
        .and_nothing_else(1);
}

#[test]
fn a_word_that_is_not_near_any_lists_them_with_their_meanings() {
    refused("keyed  = \"stream\" ", "keyed  = \"always\" ")
        .advises(
            "`keyed` cannot be \"always\"",
            "there are stream (a key is known for the whole stream), parent (until",
        )
        .and_nothing_else(1);
    let basis = "[rule.time-goes-backwards]\nseverity = \"warning\"\nbasis    = ";
    refused(&format!("{basis}\"inference\""), &format!("{basis}\"book\""))
        .advises("`basis` cannot be \"book\"", "framing (no quotes are needed)")
        .and_nothing_else(1);
    refused(basis, &basis.replace("warning", "bad"))
        .advises("`severity` cannot be \"bad\"", "there are error (it is wrong), warning (it is improbable)")
        .and_nothing_else(1);
}

#[test]
fn a_test_of_a_label_lists_what_it_may_say() {
    let says = "{ says = [\"complete\"] }";
    refused(says, "{ say = [\"complete\"] }")
        .says("there is no key `say` here", "{ ▸say = [\"complete\"] }")
        .advises("there is no key `say` here", "did you mean says?")
        .and_nothing_else(1);
    refused(says, "{}").says("exactly one of the keys says", "\"/payload/status_label\" = ▸{}").and_nothing_else(1);
    refused(says, "{ says = [7] }")
        .says("`says` must be a string, but is of the type integer", "{ says = [▸7] }")
        .and_nothing_else(1);
}

// ---- rows -----------------------------------------------------------------------------------------

#[test]
fn one_row_is_for_all_other_events() {
    let complete = "when = { \"/payload/pending\" = false, \"/payload/status_label\" = { says = [\"complete\"] } }";
    refused(complete, "when = \"else\"  ")
        .says(
            "two rows of turn match the same session.status",
            "▸[[lifecycle.row]]                           # pending",
        )
        .and_nothing_else(1);
}

#[test]
fn a_row_that_asks_for_nothing_leaves_no_other_events() {
    let whole = "on = \"session.interrupted\"\n";
    let asks = "on = \"session.interrupted\"\nwhen = \"else\"\ncell.else = \"=\"\n\n[[lifecycle.row]]\n";
    let before = Folder::copy().edit("protocol.toml", whole, &format!("{asks}{whole}"));
    let place = "interrupted\"\nwhen = \"else\"\ncell.else = \"=\"\n\n▸[[lifecycle.row]]\non = \"session.interrupted\"";
    before
        .refusal("protocol.toml")
        .says("two rows of turn match the same session.interrupted", place)
        .advises("two rows of turn match", "tell them apart by `when`")
        .and_nothing_else(1);
}

#[test]
fn an_outermost_lifecycle_says_what_all_other_labels_mean() {
    let idle = "when = { \"/payload/pending\" = false, \"/payload/status_label\" = { says = [\"idle\"] } }";
    refused("when = \"else\"", idle)
        .says(
            "no row of turn matches session.status with /payload/pending = false and any other /payload/status_label",
            "\"/payload/pending\" = false, ▸\"/payload/status_label\" = { says = [\"complete\"] } }\ncell",
        )
        .advises("no row of turn matches", "add a row with when = \"else\"")
        .and_nothing_else(1);
}

#[test]
fn an_entry_is_known_where_there_are_no_keys() {
    let cell = "cell.else      = { rule = \"duplicate-tool-call\",";
    refused(cell, &format!("{cell} at = \"entry\","))
        .says(
            "this lifecycle has keys, and therefore no single event that led into a state",
            &format!("{cell} at = ▸\"entry\""),
        )
        .advises("this lifecycle has keys", "remove `at`")
        .and_nothing_else(1);
    let end = "[lifecycle.end]\nstarted = { rule = \"tool-call-unfinished\", at = \"entry\" }\n\n[[time]]";
    refused("[[time]]", end)
        .says("this lifecycle has keys", "[lifecycle.end]\nstarted = ▸{ rule = \"tool-call-unfinished\", at")
        .and_nothing_else(1);
}

#[test]
fn a_row_waits_for_instances_that_it_has() {
    let keyed = "on   = \"session.tool.call.started\"\n";
    refused(keyed, &format!("{keyed}unless = \"started\"\n"))
        .says("`unless` is for rows without `key`", "▸[[lifecycle.row]]\non   = \"session.tool.call.started\"\nunless")
        .and_nothing_else(1);
    let keyless = "on = \"session.interrupted\"\n";
    refused(keyless, &format!("{keyless}unless = \"active\"\n"))
        .says("`unless` is for rows without `key`", "▸[[lifecycle.row]]\non = \"session.interrupted\"\nunless")
        .advises("`unless` is for rows without `key`", "use `before`")
        .and_nothing_else(1);
    refused("unless = [\"started\"", "unless = [\"startd\"")
        .says("the lifecycle tool-call has no state startd", "unless = [▸\"startd\"")
        .advises("has no state startd", "did you mean started?")
        .and_nothing_else(1);
}

#[test]
fn a_comparison_is_made_in_states_that_are_there() {
    let same = "rule = \"ok-mismatch\", in = [\"completed\"";
    refused(same, &same.replace("completed", "complete"))
        .says("the lifecycle tool-call has no state complete", "rule = \"ok-mismatch\", in = [▸\"complete\"")
        .advises("has no state complete", "did you mean completed?")
        .and_nothing_else(1);
}

// ---- fields ---------------------------------------------------------------------------------------

#[test]
fn an_event_is_not_tested_like_a_record_nor_a_record_like_an_event() {
    for test in ["\"repeated\"", "\"no-time-zone\"", "{ same-as = \"/type\" }", "{ beside = \"/type\" }"] {
        refused("is   = { says = [\"thinking\", \"processing\", \"running tool\"] }", &format!("is   = {test}"))
            .says("this test is for stored records", &format!("at   = ▸\"/payload/status_label\"\nis   = {test}"))
            .advises("this test is for stored records", "says or below, or by `when` alone")
            .and_nothing_else(1);
    }
    let below = "at   = \"/duration\"\nis   = { below = 0.0 }";
    refused_of_records(below, &below.replace("{ below = 0.0 }", "{ says = [\"never\"] }"))
        .says("this test is for the events of streams", "at   = ▸\"/duration\"\nis   = ")
        .advises("this test is for the events of streams", "same-as, below, beside")
        .and_nothing_else(1);
    refused_of_records(below, "at   = \"/duration\"")
        .says("this check has no `is`", "at   = ▸\"/duration\"")
        .advises("this check has no `is`", "same-as, below, beside")
        .and_nothing_else(1);
    for more in ["when = { \"/duration\" = 1 }", "each = \"/events\""] {
        refused_of_records(below, &format!("{more}\n{below}"))
            .says("`when` and `each` are for the events of streams", "at   = ▸\"/duration\"\nis   = ")
            .and_nothing_else(1);
    }
}

#[test]
fn what_must_change_is_named() {
    let fields = "at     = [\"/payload/pending\", \"/payload/status_label\"]";
    refused(fields, "at     = []")
        .says("no field is compared: `at` is empty", "on     = ▸\"session.status\"\nat     = []")
        .advises("no field is compared", "name the fields")
        .and_nothing_else(1);
    refused("on     = \"session.status\"\nat ", "on     = \"session.statu\"\nat ")
        .says("there is no event type session.statu", "on     = ▸\"session.statu\"\nat")
        .advises("there is no event type session.statu", "did you mean session.status?")
        .and_nothing_else(1);
    refused("status_label\"]\nwithin = \"turn\"", "status_label\"]\nwithin = \"turns\"")
        .says("there is no lifecycle turns before this one", "within = ▸\"turns\"")
        .and_nothing_else(1);
    let unchanged = "[[unchanged]]\non = \"session\"\nat = \"/timestamp\"\nrule = \"negative-duration\"\n\n";
    refused_of_records("[rule.invalid-json]", &format!("{unchanged}[rule.invalid-json]"))
        .says(
            "[[unchanged]] goes with [event], which this protocol does not have",
            "rule = ▸\"negative-duration\"\n\n[rule.",
        )
        .advises("[[unchanged]] goes with [event]", "make two of them");
}

#[test]
fn an_empty_whole_has_a_rule_that_is_there() {
    refused("empty = \"empty-final-message\"", "empty = \"empty-message\"")
        .says("there is no rule empty-message", "empty = ▸\"empty-message\"")
        .says("no table uses the rule empty-final-message", "[rule.▸empty-final-message]")
        .and_nothing_else(2);
}

// ---- words in braces ------------------------------------------------------------------------------

/// Returns the refusal of the built-in protocol with other words for a rule.
fn refused_words(from: &str, to: &str) -> Refusal {
    refused(&format!("says     = \"{from}"), &format!("says     = \"{to}"))
}

#[test]
fn a_word_in_braces_has_a_value_wherever_its_rule_speaks() {
    // A cell of a lifecycle without keys knows no key, one with keys does.
    refused_words("{event} was emitted after the turn", "{event} of {key} was emitted after the turn")
        .says(
            "{key} stands for nothing: a cell of a lifecycle without keys names the rule turn-ended-twice",
            "says     = ▸\"{event} of {key} was",
        )
        .advises("{key} stands for nothing", "the words in braces are here {event} (the event's type)")
        .and_nothing_else(1);
    refused_words("the tool call {key} was already completed", "{kept} was completed")
        .says("{kept} stands for nothing: a cell of a lifecycle with keys names", "says     = ▸\"{kept} was")
        .advises("{kept} stands for nothing", "{event} (the event's type) and {key} (the instance's key)")
        .and_nothing_else(1);
    refused_words("status_label {found} contradicts", "status_label {parted} contradicts")
        .says("{parted} stands for nothing: [[check]] names", "says     = ▸\"status_label {parted}")
        .and_nothing_else(1);
    let words = "says     = \"`duration` is negative: {found}";
    refused_of_records(words, "says     = \"{event} is negative: {found}")
        .says("{event} stands for nothing: [[check]] names the rule negative-duration", "says     = ▸\"{event} is")
        .advises("{event} stands for nothing", "are here {found} (")
        .and_nothing_else(1);
    // Words for a rule of the framing have what the framing's own words have.
    refused_of_records("says     = \"the protocol has no field {key}\"", "says     = \"there is no {found}\"")
        .says("{found} stands for nothing", "says     = ▸\"there is no {found}\"")
        .advises("{found} stands for nothing", "are here {key} (")
        .and_nothing_else(1);
}

#[test]
fn a_word_in_braces_that_is_misspelt_gets_the_nearest_name() {
    refused_words("{event} was emitted after the turn", "{evnt} was emitted after the turn")
        .says("{evnt} stands for nothing", "says     = ▸\"{evnt} was")
        .advises("{evnt} stands for nothing", "did you mean {event}?")
        .and_nothing_else(1);
    refused_words("{event} was emitted after the turn", "{{event}} was emitted after the turn")
        .says("{{event} stands for nothing", "says     = ▸\"{{event}} was")
        .advises("{{event} stands for nothing", "did you mean {event}?")
        .and_nothing_else(1);
    refused_words("{event} was emitted after the turn", "{event was emitted after the turn")
        .says("`{` is not closed", "says     = ▸\"{event was")
        .and_nothing_else(1);
    refused_words("{event} was emitted after the turn", "<event> was emitted after the turn")
        .says("`says` is shown as it is written, with <event>", "says     = ▸\"<event> was")
        .advises("with <event>", "write {event}")
        .and_nothing_else(1);
}

#[test]
fn a_text_in_which_nothing_is_replaced_has_no_words_in_braces() {
    refused("help     = \"measure the duration with", "help     = \"{event} measures the duration with")
        .says("`help` is shown as it is written, with {event}", "help     = ▸\"{event} measures the duration with")
        .advises("`help` is shown", "only `says` has words in braces")
        .and_nothing_else(1);
    refused("means    = \"a turn was interrupted, or", "means    = \"{event} was interrupted, or")
        .says("`means` is shown as it is written, with {event}", "means    = ▸\"{event} was interrupted")
        .and_nothing_else(1);
    refused("completed   = \"the turn was", "completed   = \"{key} was")
        .says("`entered` is shown as it is written, with {key}", "completed   = ▸\"{key} was")
        .and_nothing_else(1);
    let began = "began  = \"the assistant's last message";
    refused(began, "began  = \"{found}, the last message")
        .says("`began` is shown as it is written, with {found}", "began  = ▸\"{found}, the last")
        .and_nothing_else(1);
    refused_of_records("label   = \"the session's record\"", "label   = \"the record of {key}\"")
        .says("`label` is shown as it is written, with {key}", "label   = ▸\"the record of {key}\"")
        .and_nothing_else(1);
    // An example of JSON is no word in braces.
    let help = "help     = \"begin every turn with session.status (pending = true";
    Folder::copy().edit("protocol.toml", help, &help.replace("session.status", "{ \\\"type\\\": 1 }")).loads();
}

#[test]
fn other_words_for_a_rule_of_the_framing_may_name_the_event() {
    let own = "[rule.unknown-event]\nseverity = \"error\"\nbasis = \"framing\"\nsays = \"{event} is new\"\nhelp = \"ask\"\n\n";
    let folder =
        Folder::copy().edit("protocol.toml", "[rule.turn-not-started]", &format!("{own}[rule.turn-not-started]"));
    folder.loads();
    folder
        .edit("protocol.toml", "{event} is new", "{key} is new")
        .refusal("protocol.toml")
        .says("{key} stands for nothing", "says = ▸\"{key} is new\"")
        .and_nothing_else(1);
}

/// Reports list rules by what they mean, also those without a finding that would give their words values.
#[test]
fn what_a_rule_means_has_no_placeholder() {
    for name in Protocol::builtin_names() {
        for rule in Protocol::builtin(name).expect("it is built in").rules() {
            let has = |c| rule.means.contains(c);
            assert!(!has('{') && !has('}') && !has('<'), "{}: {}", rule.name, rule.means);
        }
    }
    // Without `means`, it is what its findings say, without their values.
    let edited = Folder::copy().edit(
        "protocol.toml",
        "means    = \"an event of a turn was emitted after the turn was completed\"\n",
        "",
    );
    let protocol = edited.loads();
    let rule = protocol.rule("event-after-turn");
    assert_eq!(rule.map(|rule| &*rule.means), Some("… was emitted after session.completed"));
}
