//! The engine against a second reading of docs/session-events.md: every sequence over the alphabets
//! below, up to the given length, is judged by both, and they must agree, line by line and
//! in the same order. Of the longest sequences only a sample is judged, unless `SESSIONLINT_SLOW=1` asks for all.
//! The second reading (`tables.rs`, `reading.rs`) is naive on purpose and shares
//! nothing with the engine, so that a mistake has to be made twice to go unnoticed.

mod by_hand;
mod enumeration;
mod events;
mod reading;
#[path = "../slow/mod.rs"]
mod slow;
mod tables;
mod wire;

use std::collections::BTreeSet;

use sessionlint::{Basis, Protocol};

use enumeration::{Saying, chunk, completed_with, is, judge_all};
use events::{
    CALL_A, CALL_B, appended, call_done, completed, error, idle, interrupted, result, results, said, started, thinking,
};
use reading::{Role, What};

/// The rules that some sequence of `the_tables` breaks.
const RULES_OF_THE_TABLES: [&str; 26] = [
    "turn-not-started",
    "turn-not-ended",
    "ended-after-idle",
    "interrupted-outside-turn",
    "status-unchanged",
    "turn-unfinished",
    "turn-empty",
    "turn-ended-twice",
    "event-after-turn",
    "event-after-interruption",
    "idle-missing",
    "error-outside-turn",
    "chunk-after-done",
    "stream-not-done",
    "stream-abandoned",
    "empty-final-message",
    "final-message-not-appended",
    "text-before-results",
    "tool-call-abandoned",
    "duplicate-tool-call",
    "unknown-tool-call",
    "tool-completed-twice",
    "duplicate-result",
    "result-before-completion",
    "tool-call-unfinished",
    "tool-result-missing",
];

/// The rules that some sequence of `the_fields` breaks.
const RULES_OF_THE_FIELDS: [&str; 7] = [
    "final-message-mismatch",
    "tool-name-mismatch",
    "ok-mismatch",
    "time-goes-backwards",
    "label-contradicts-pending",
    "complete-before-completed",
    "waiting-not-pending",
];

/// The rules that one field of one event breaks, whatever came before: the order is not asked, so there is nothing to read
/// twice. The corpus holds them.
const RULES_OF_ONE_EVENT: [&str; 3] = ["empty-tool-name", "negative-tool-duration", "reason-missing"];

/// A rule that rests on the document, or follows from it, and is not read here a second time would be held by nothing but the
/// engine.
#[test]
fn every_rule_of_the_document_is_in_one_of_the_lists() {
    let listed = [&RULES_OF_THE_TABLES[..], &RULES_OF_THE_FIELDS, &RULES_OF_ONE_EVENT].concat();
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let rules = protocol.rules().iter().filter(|rule| matches!(rule.basis, Basis::Document | Basis::Inference));
    let rules: BTreeSet<_> = rules.map(|rule| &*rule.name).collect();
    let missing: Vec<_> = rules.iter().filter(|rule| !listed.contains(rule)).collect();
    assert!(
        missing.is_empty(),
        "nothing reads these rules a second time: {missing:?}; add each to tables.rs or reading.rs, and to the list of \
         the enumeration that breaks it, in main.rs"
    );
    let unknown: Vec<_> = listed.iter().filter(|rule| !rules.contains(*rule)).collect();
    assert!(unknown.is_empty(), "session-events has no such rules: {unknown:?}");
    assert_eq!(listed.len(), rules.len(), "each is in one list: {listed:?}");
}

/// Everything in the three tables: all states of all of them, and two calls at once.
#[test]
fn the_tables() {
    let alphabet = [
        is(thinking()),
        is(idle()),
        is(appended(Role::Assistant)),
        is(appended(Role::User)),
        chunk(false),
        chunk(true),
        is(started(CALL_A, "bash")),
        is(started(CALL_B, "bash")),
        is(call_done(CALL_A, "bash", true)),
        is(call_done(CALL_B, "bash", true)),
        is(results(&[result(CALL_A, "bash", true)])),
        is(results(&[result(CALL_B, "bash", true)])),
        completed_with(Saying::WholeOrSinceLastCut),
        is(interrupted()),
        is(error()),
    ];
    judge_all("the tables", &alphabet, 5, &RULES_OF_THE_TABLES);
}

/// The comparisons besides the tables: names, `ok`, texts, timestamps and labels.
#[test]
fn the_fields() {
    let labelled = |pending, label| is(What::Status { pending, label });
    let alphabet = [
        is(thinking()),
        is(thinking()).off(-3),
        labelled(true, "Complete"),
        labelled(false, "complete..."),
        labelled(false, "Waiting for approval"),
        is(idle()),
        labelled(false, " running tool… "),
        is(appended(Role::System)),
        chunk(false),
        chunk(false).off(-3),
        chunk(true),
        is(said("")),
        is(started(CALL_A, "bash")),
        is(started(CALL_A, "read_file")),
        is(started(CALL_B, "bash")),
        is(call_done(CALL_A, "bash", true)),
        is(call_done(CALL_A, "bash", false)),
        is(call_done(CALL_A, "read_file", true)),
        is(call_done(CALL_B, "bash", true)),
        is(results(&[])),
        is(results(&[result(CALL_A, "bash", true)])),
        is(results(&[result(CALL_A, "bash", false)])),
        is(results(&[result(CALL_A, "read_file", false)])),
        is(results(&[result(CALL_A, "bash", true), result(CALL_B, "bash", true)])),
        is(results(&[result(CALL_A, "bash", true), result(CALL_A, "bash", true)])),
        is(results(&[result(CALL_A, "read_file", true), result(CALL_B, "bash", false)])),
        completed_with(Saying::Whole),
        completed_with(Saying::LastChunk),
        is(completed("wrong")),
        // A second earlier is the time of the event before, and so not earlier than that.
        is(interrupted()).off(-1),
        is(error()),
    ];
    judge_all("the fields", &alphabet, 4, &RULES_OF_THE_FIELDS);
}

/// A longer enumeration for the text and its cuts.
#[test]
fn the_text() {
    let alphabet = [
        is(thinking()),
        is(idle()),
        is(appended(Role::User)),
        chunk(false),
        chunk(true),
        completed_with(Saying::SinceFirstCut),
        completed_with(Saying::SinceLastCut),
        completed_with(Saying::LastChunk),
        is(error()),
    ];
    let reached = ["chunk-after-done", "stream-not-done"];
    judge_all("the text", &alphabet, 6, &reached);
}

/// A longer enumeration for one call, through several turns.
#[test]
fn the_tool_call() {
    let alphabet = [
        is(thinking()),
        is(idle()),
        is(started(CALL_A, "bash")),
        is(call_done(CALL_A, "bash", true)),
        is(results(&[result(CALL_A, "bash", true)])),
        completed_with(Saying::Whole),
        is(interrupted()),
        is(error()),
    ];
    let reached = ["duplicate-tool-call", "tool-result-missing"];
    judge_all("the tool call", &alphabet, 6, &reached);
}

/// Lines that cannot have been events, anywhere in a turn: they take nothing from what is known of it.
#[test]
fn foreign_lines() {
    let alphabet = [
        is(What::Foreign("Reading the prompt from standard input...")),
        is(What::Foreign(r#"{"level":"info","msg":"listening on port 8080"}"#)),
        is(thinking()),
        is(idle()),
        chunk(false),
        is(started(CALL_A, "bash")),
        is(call_done(CALL_A, "bash", true)),
        completed_with(Saying::Whole),
        is(error()),
    ];
    let reached = ["invalid-json", "not-an-event", "turn-not-started", "unknown-tool-call", "turn-unfinished"];
    judge_all("foreign lines", &alphabet, 5, &reached);
}

/// Two sessions in one file, with the same call ids; the second one's clock is an hour behind.
#[test]
fn two_sessions() {
    let one = [
        is(thinking()),
        is(idle()),
        chunk(false),
        is(started(CALL_A, "bash")),
        is(call_done(CALL_A, "bash", true)),
        completed_with(Saying::Whole),
        is(interrupted()),
    ];
    let two = one.clone().map(|symbol| symbol.of("ses_two").off(-3600));
    let alphabet = [one, two].concat();
    let reached = ["turn-unfinished", "idle-missing", "tool-call-unfinished"];
    judge_all("two sessions", &alphabet, 5, &reached);
}
