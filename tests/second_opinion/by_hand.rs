//! The naive reading itself, on files judged by hand from the page: if it were wrong in the same way
//! as the engine, the two would agree and the mistake would go unnoticed.

use crate::events::{
    CALL_A, CALL_B, appended, call_done, completed, error, idle, interrupted, result, results, said, said_last,
    started, thinking,
};
use crate::reading::{Event, Finding, Reading, Role, ToolResult, What};

const SESSION: &str = "ses_one";

fn judge(whats: &[What]) -> Vec<Finding> {
    let mut reading = Reading::default();
    for (stamp, what) in (0..).zip(whats) {
        reading.judge(&Event { session: SESSION, stamp, what: what.clone() });
    }
    reading.findings_at_end()
}

const A_OK: ToolResult = result(CALL_A, "bash", true);

#[test]
fn the_typical_sequence_is_clean() {
    let file = [
        thinking(),
        said("I'll look. "),
        said_last("Wait."),
        started(CALL_A, "bash"),
        call_done(CALL_A, "bash", true),
        results(&[A_OK]),
        said("I've listed "),
        said_last("it."),
        completed("I've listed it."),
        idle(),
    ];
    assert_eq!(judge(&file), []);
    // Again with the whole turn's text, and with a text that is neither.
    let mut whole = file.clone();
    whole[8] = completed("I'll look. Wait.I've listed it.");
    assert_eq!(judge(&whole), []);
    let mut wrong = file.clone();
    wrong[8] = completed("it.");
    assert_eq!(judge(&wrong), [(9, "final-message-mismatch")]);
    // If the file is cut here, the end of the turn is missing.
    assert_eq!(judge(&file[..9]), [(9, "idle-missing")]);
    assert_eq!(judge(&file[..8]), [(8, "turn-unfinished")]);
}

#[test]
fn a_busy_spell_without_a_turn_is_a_warning_only() {
    assert_eq!(judge(&[thinking(), idle()]), [(2, "turn-empty")]);
    assert_eq!(judge(&[idle(), appended(Role::User), idle()]), []);
    let file = [thinking(), appended(Role::Assistant), completed("Hello.")];
    assert_eq!(judge(&file), [(3, "idle-missing")]);
}

#[test]
fn a_turn_nobody_announced_is_reported_once() {
    let file = [said_last("a"), completed("a"), idle()];
    assert_eq!(judge(&file), [(1, "turn-not-started")]);
    let file = [started(CALL_A, "bash"), completed("a"), idle()];
    assert_eq!(judge(&file), [(1, "turn-not-started"), (2, "tool-call-unfinished")]);
    assert_eq!(
        judge(&[completed("a"), completed("a"), said("b"), error(), thinking()]),
        [
            (1, "turn-not-started"),
            (2, "turn-ended-twice"),
            (3, "event-after-turn"),
            (5, "idle-missing"),
            (5, "turn-unfinished"),
        ]
    );
}

#[test]
fn idle_before_the_end_is_reported_and_the_late_end_absorbed() {
    let file = [thinking(), said("a"), idle(), completed("wrong"), idle()];
    assert_eq!(judge(&file), [(3, "turn-not-ended")]);
    let file = [thinking(), said("a"), idle(), said("b"), completed("ab")];
    assert_eq!(judge(&file), [(3, "turn-not-ended"), (5, "stream-not-done"), (5, "idle-missing")]);
}

#[test]
fn after_an_interruption_only_streaming_is_news() {
    let file = [
        thinking(),
        started(CALL_A, "bash"),
        interrupted(),
        call_done(CALL_A, "read_file", false),
        results(&[A_OK]),
        said("a"),
        completed("b"),
        interrupted(),
    ];
    assert_eq!(judge(&file), [(6, "event-after-interruption")]);
}

#[test]
fn an_error_may_be_final_or_retried() {
    let file = [
        thinking(),
        said("a"),
        started(CALL_A, "bash"),
        error(),
        started(CALL_A, "bash"),
        call_done(CALL_A, "bash", true),
        results(&[A_OK]),
        said_last("b"),
        completed("b"),
        idle(),
    ];
    assert_eq!(judge(&file), []);
    assert_eq!(judge(&file[..4]), []);
    assert_eq!(judge(&[error()]), [(1, "error-outside-turn")]);
}

#[test]
fn a_reply_is_done_once_a_segment() {
    let file = [thinking(), said_last("a"), said_last("b"), said("c")];
    assert_eq!(judge(&file), [(3, "chunk-after-done"), (4, "chunk-after-done"), (4, "turn-unfinished")]);
    let file = [thinking(), said_last("a"), appended(Role::User), said_last("b")];
    assert_eq!(judge(&file), [(4, "turn-unfinished")]);
}

#[test]
fn calls_are_judged_in_the_order_in_which_they_started() {
    let file = [
        thinking(),
        started(CALL_B, "bash"),
        started(CALL_A, "bash"),
        call_done(CALL_B, "bash", true),
        said("a"),
        completed("b"),
        idle(),
        started(CALL_A, "bash"),
    ];
    assert_eq!(
        judge(&file),
        [
            (6, "stream-not-done"),
            (6, "tool-result-missing"),
            (6, "tool-call-unfinished"),
            (6, "final-message-mismatch"),
            (8, "turn-not-started"),
            (8, "turn-unfinished"),
        ]
    );
}

#[test]
fn calls_and_results_belong_together() {
    let unlike = result(CALL_A, "read_file", false);
    let of_b = result(CALL_B, "bash", true);
    let file = [
        thinking(),
        started(CALL_A, "bash"),
        call_done(CALL_A, "bash", true),
        results(&[unlike, A_OK, of_b, of_b]),
        call_done(CALL_A, "read_file", true),
        started(CALL_A, "bash"),
        started(CALL_A, "bash"),
        completed("nothing was streamed"),
        idle(),
    ];
    assert_eq!(
        judge(&file),
        [
            (4, "tool-name-mismatch"),
            (4, "ok-mismatch"),
            (4, "duplicate-result"),
            (4, "unknown-tool-call"),
            (5, "tool-completed-twice"),
            (6, "duplicate-tool-call"),
        ]
    );
    let early = [
        thinking(),
        started(CALL_A, "bash"),
        results(&[A_OK]),
        call_done(CALL_A, "bash", true),
        call_done(CALL_B, "bash", true),
        interrupted(),
    ];
    assert_eq!(judge(&early), [(3, "result-before-completion"), (5, "unknown-tool-call")]);
}

#[test]
fn sessions_do_not_meet() {
    let mut reading = Reading::default();
    let mut judge = |session, stamp, what| {
        reading.judge(&Event { session, stamp, what });
    };
    judge("ses_one", 100, thinking());
    judge("ses_two", 10, thinking());
    judge("ses_two", 11, said_last("a"));
    judge("ses_one", 99, said_last("b"));
    judge("ses_two", 12, completed("a"));
    judge("ses_one", 100, thinking());
    assert_eq!(reading.findings_at_end(), [(4, "time-goes-backwards"), (5, "idle-missing"), (6, "turn-unfinished")]);
}

#[test]
fn time_comes_first_and_labels_last() {
    let mut reading = Reading::default();
    let labelled = |pending, label| What::Status { pending, label };
    for (stamp, what) in [
        (5, said_last("a")),
        (5, completed("a")),
        (4, labelled(true, " Complete ")),
        (6, labelled(false, "Running tool…")),
        (7, labelled(false, "waiting for a person")),
    ] {
        reading.judge(&Event { session: SESSION, stamp, what });
    }
    assert_eq!(
        reading.findings_at_end(),
        [
            (1, "turn-not-started"),
            (3, "time-goes-backwards"),
            (3, "idle-missing"),
            (3, "label-contradicts-pending"),
            (4, "turn-empty"),
            (4, "label-contradicts-pending"),
        ]
    );
}
