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
    assert_eq!(judge(&[idle(), appended(Role::User), idle()]), [(3, "status-unchanged")]);
    let file = [thinking(), appended(Role::Assistant), completed("Hello.")];
    assert_eq!(judge(&file), [(3, "final-message-not-appended"), (3, "idle-missing")]);
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
    assert_eq!(judge(&file), [(3, "turn-not-ended"), (5, "stream-not-done")]);
}

#[test]
fn whether_an_early_idle_was_wrong_the_next_events_tell() {
    // Nothing follows: the turn has no end.
    assert_eq!(judge(&[thinking(), said("a"), idle()]), [(3, "turn-not-ended")]);
    // A new turn.
    let file = [thinking(), said("a"), idle(), thinking(), interrupted()];
    assert_eq!(judge(&file), [(3, "turn-not-ended")]);
    // The two whose order against idle no document gives.
    assert_eq!(judge(&[thinking(), said("a"), idle(), interrupted()]), [(4, "ended-after-idle")]);
    assert_eq!(judge(&[thinking(), said("a"), idle(), appended(Role::User), error()]), [(5, "ended-after-idle")]);
    assert_eq!(judge(&[interrupted()]), [(1, "interrupted-outside-turn")]);
    // A status may say “complete” before the turn is.
    let complete = What::Status { pending: false, label: "Complete" };
    let file = [thinking(), said_last("a"), complete.clone(), completed("a"), idle()];
    assert_eq!(judge(&file), [(3, "complete-before-completed")]);
    // The session went idle already, so nothing is missing behind the turn's end.
    let file = [thinking(), said("a"), complete.clone(), completed("b"), thinking(), interrupted()];
    assert_eq!(judge(&file), [(3, "complete-before-completed"), (4, "stream-not-done"), (4, "final-message-mismatch")]);
    assert_eq!(judge(&[thinking(), complete, idle()]), [(2, "turn-empty")]);
}

#[test]
fn an_error_leaves_calls_and_text_open() {
    let file = [thinking(), started(CALL_A, "bash"), error(), completed("a"), idle()];
    assert_eq!(judge(&file), [(4, "tool-call-abandoned")]);
    let without_result = [&file[..2], &[call_done(CALL_A, "bash", true)], &file[2..]].concat();
    assert_eq!(judge(&without_result), [(5, "tool-call-abandoned")]);
    let late = [&file[..3], &[call_done(CALL_A, "bash", true), results(&[A_OK])], &file[3..]].concat();
    assert_eq!(judge(&late), []);
    let text = [thinking(), said("a"), error(), completed("a"), idle()];
    assert_eq!(judge(&text), [(4, "stream-abandoned")]);
    let again = [&text[..3], &[said_last("b")], &[completed("b"), idle()]].concat();
    assert_eq!(judge(&again), []);
    // An interruption completes nothing.
    assert_eq!(judge(&[&file[..3], &[interrupted()]].concat()), []);
}

#[test]
fn results_come_before_the_text_that_builds_on_them() {
    let call = [thinking(), started(CALL_A, "bash"), call_done(CALL_A, "bash", true), said_last("a")];
    let end = [results(&[A_OK]), completed("a"), idle()];
    assert_eq!(judge(&[&call[..], &end[..]].concat()), [(5, "text-before-results")]);
    // The text may be about the other call, which runs.
    let both = [&call[..1], &[started(CALL_B, "bash")], &call[1..], &end[..1]].concat();
    assert_eq!(judge(&both), [(6, "turn-unfinished")]);
    // A finding about the order does not hide one about the name.
    let other = results(&[result(CALL_A, "read_file", true)]);
    let file = [&call[..], &[other], &end[1..]].concat();
    assert_eq!(judge(&file), [(5, "text-before-results"), (5, "tool-name-mismatch")]);
}

#[test]
fn the_final_message_says_what_the_turn_said() {
    let file = [thinking(), said_last("a"), appended(Role::User), completed(""), idle()];
    assert_eq!(judge(&file), [(4, "empty-final-message")]);
    assert_eq!(judge(&[thinking(), said_last("a"), completed(""), idle()]), [(3, "final-message-mismatch")]);
    assert_eq!(judge(&[thinking(), completed(""), idle()]), []);
    // Where nothing was streamed, the assistant's last message is the text.
    let file = [thinking(), appended(Role::Assistant), completed("hello"), idle()];
    assert_eq!(judge(&file), []);
    let file = [thinking(), appended(Role::Assistant), completed("goodbye"), idle()];
    assert_eq!(judge(&file), [(3, "final-message-not-appended")]);
    let streamed = [thinking(), appended(Role::Assistant), said_last("a"), completed("a"), idle()];
    assert_eq!(judge(&streamed), []);
    // A call's completion begins a new text too.
    let file = [
        thinking(),
        started(CALL_A, "bash"),
        said_last("a"),
        call_done(CALL_A, "bash", true),
        results(&[A_OK]),
        said_last("b"),
        completed("b"),
        idle(),
    ];
    assert_eq!(judge(&file), []);
}

#[test]
fn a_status_is_news() {
    let file = [thinking(), said_last("a"), thinking(), completed("a"), idle()];
    assert_eq!(judge(&file), [(3, "status-unchanged")]);
    // A new turn says anew what the last one said.
    assert_eq!(judge(&[thinking(), interrupted(), thinking(), interrupted()]), []);
    // What follows from another mistake is not said again.
    assert_eq!(judge(&[idle(), completed("a"), idle()]), [(2, "turn-not-started")]);
}

#[test]
fn after_an_interruption_streaming_and_another_end_are_news() {
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
    assert_eq!(judge(&file), [(6, "event-after-interruption"), (7, "turn-ended-twice")]);
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
    assert_eq!(
        reading.findings_at_end(),
        [(4, "time-goes-backwards"), (6, "status-unchanged"), (5, "idle-missing"), (6, "turn-unfinished")]
    );
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
            (4, "label-contradicts-pending"),
            (4, "turn-empty"),
        ]
    );
}
