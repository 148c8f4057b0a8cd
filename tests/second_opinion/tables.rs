//! The tables of docs/session-events.md, to be compared with that page: one function per table, one
//! `match` arm per row, one arm inside it per column, in the page's order.

use crate::reading::{Role, What};

/// The rule that is broken, if any.
pub type Says = Option<&'static str>;

/// The rules that stand where their state was entered: at the status that said idle.
pub const TURN_NOT_ENDED: &str = "turn-not-ended";
pub const TURN_EMPTY: &str = "turn-empty";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Idle,
    Announced,
    Active,
    Completed,
    Interrupted,
    Failed,
    Resumed,
    Trailing,
    Drained,
    Closing,
    EndedEarly,
    Emptied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    None,
    Open,
    Done,
    Cut,
    BrokenOff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolCall {
    Absent,
    Started,
    Completed,
    Overtaken,
    Reported,
    Failed,
    Abandoned,
    Untracked,
}

/// The table "turn".
pub fn turn(what: &What, state: Turn) -> (Says, Turn) {
    match what {
        What::Status { pending: true, .. } => match state {
            Turn::Idle => (None, Turn::Announced),
            Turn::Announced => (None, Turn::Announced),
            Turn::Active => (None, Turn::Active),
            Turn::Completed => (Some("idle-missing"), Turn::Announced),
            Turn::Interrupted => (None, Turn::Announced),
            Turn::Failed => (None, Turn::Resumed),
            Turn::Resumed => (None, Turn::Resumed),
            Turn::Trailing => (Some("idle-missing"), Turn::Announced),
            Turn::Drained => (None, Turn::Announced),
            Turn::Closing => (None, Turn::Active),
            Turn::EndedEarly => (Some(TURN_NOT_ENDED), Turn::Active),
            Turn::Emptied => (Some(TURN_EMPTY), Turn::Announced),
        },
        What::Status { pending: false, label }
            if plain(label) == "complete" && matches!(state, Turn::Active | Turn::Resumed | Turn::Closing) =>
        {
            match state {
                Turn::Closing => (None, Turn::Closing),
                _ => (Some("complete-before-completed"), Turn::Closing),
            }
        }
        What::Status { pending: false, label }
            if waits(label) && matches!(state, Turn::Active | Turn::Announced | Turn::Resumed | Turn::Closing) =>
        {
            match state {
                Turn::Closing => (Some("waiting-not-pending"), Turn::Active),
                same => (Some("waiting-not-pending"), same),
            }
        }
        What::Status { pending: false, .. } => match state {
            Turn::Idle => (None, Turn::Idle),
            Turn::Announced => (None, Turn::Emptied),
            Turn::Active => (None, Turn::EndedEarly),
            Turn::Completed => (None, Turn::Idle),
            Turn::Interrupted => (None, Turn::Idle),
            Turn::Failed => (None, Turn::Idle),
            Turn::Resumed => (None, Turn::EndedEarly),
            Turn::Trailing => (None, Turn::Idle),
            Turn::Drained => (None, Turn::Idle),
            Turn::Closing => (None, Turn::EndedEarly),
            Turn::EndedEarly => (None, Turn::EndedEarly),
            Turn::Emptied => (None, Turn::Emptied),
        },
        What::StreamChunk { .. } | What::ToolCallStarted { .. } => match state {
            Turn::Idle => (Some("turn-not-started"), Turn::Active),
            Turn::Announced => (None, Turn::Active),
            Turn::Active => (None, Turn::Active),
            Turn::Completed => (Some("event-after-turn"), Turn::Trailing),
            Turn::Interrupted => (Some("event-after-interruption"), Turn::Drained),
            Turn::Failed => (None, Turn::Resumed),
            Turn::Resumed => (None, Turn::Resumed),
            Turn::Trailing => (None, Turn::Trailing),
            Turn::Drained => (None, Turn::Drained),
            Turn::Closing => (None, Turn::Closing),
            Turn::EndedEarly => (Some(TURN_NOT_ENDED), Turn::Closing),
            Turn::Emptied => (Some(TURN_NOT_ENDED), Turn::Closing),
        },
        What::MessageAppended { role: Role::Assistant, .. } => match state {
            Turn::Announced => (None, Turn::Active),
            same => (None, same),
        },
        What::MessageAppended { .. } | What::ToolCallCompleted { .. } | What::ToolResults { .. } => (None, state),
        What::Completed { .. } => match state {
            Turn::Idle => (Some("turn-not-started"), Turn::Completed),
            Turn::Announced => (None, Turn::Completed),
            Turn::Active => (None, Turn::Completed),
            Turn::Completed => (Some("turn-ended-twice"), Turn::Completed),
            Turn::Interrupted => (Some("turn-ended-twice"), Turn::Drained),
            Turn::Failed => (None, Turn::Completed),
            Turn::Resumed => (None, Turn::Completed),
            Turn::Trailing => (None, Turn::Completed),
            Turn::Drained => (Some("turn-ended-twice"), Turn::Drained),
            Turn::Closing => (None, Turn::Idle),
            Turn::EndedEarly => (Some(TURN_NOT_ENDED), Turn::Idle),
            Turn::Emptied => (Some(TURN_NOT_ENDED), Turn::Idle),
        },
        What::Interrupted => match state {
            Turn::Idle => (Some("interrupted-outside-turn"), Turn::Interrupted),
            Turn::Announced => (None, Turn::Interrupted),
            Turn::Active => (None, Turn::Interrupted),
            Turn::Completed => (Some("turn-ended-twice"), Turn::Completed),
            Turn::Interrupted => (Some("event-after-interruption"), Turn::Drained),
            Turn::Failed => (None, Turn::Interrupted),
            Turn::Resumed => (None, Turn::Interrupted),
            Turn::Trailing => (None, Turn::Trailing),
            Turn::Drained => (None, Turn::Drained),
            Turn::Closing => (None, Turn::Interrupted),
            Turn::EndedEarly => (Some("ended-after-idle"), Turn::Idle),
            Turn::Emptied => (Some("ended-after-idle"), Turn::Idle),
        },
        What::Foreign(_) => (None, state),
        What::Error => match state {
            Turn::Idle => (Some("error-outside-turn"), Turn::Idle),
            Turn::Announced => (None, Turn::Failed),
            Turn::Active => (None, Turn::Failed),
            Turn::Completed => (Some("turn-ended-twice"), Turn::Completed),
            Turn::Interrupted => (None, Turn::Interrupted),
            Turn::Failed => (None, Turn::Failed),
            Turn::Resumed => (None, Turn::Failed),
            Turn::Trailing => (None, Turn::Trailing),
            Turn::Drained => (None, Turn::Drained),
            Turn::Closing => (None, Turn::Failed),
            Turn::EndedEarly => (Some("ended-after-idle"), Turn::Idle),
            Turn::Emptied => (Some("ended-after-idle"), Turn::Idle),
        },
    }
}

/// The last row of the table "turn": the end of the stream.
pub fn turn_at_end(state: Turn) -> Says {
    match state {
        Turn::Idle => None,
        Turn::Announced => Some("turn-unfinished"),
        Turn::Active => Some("turn-unfinished"),
        Turn::Completed => Some("idle-missing"),
        Turn::Interrupted => None,
        Turn::Failed => None,
        Turn::Resumed => Some("turn-unfinished"),
        Turn::Trailing => Some("idle-missing"),
        Turn::Drained => None,
        Turn::Closing => Some("turn-unfinished"),
        Turn::EndedEarly => Some(TURN_NOT_ENDED),
        Turn::Emptied => Some(TURN_EMPTY),
    }
}

/// "A turn opens on a move into `announced` or `active` from ..."
pub fn opens(before: Turn, now: Turn) -> bool {
    matches!(now, Turn::Announced | Turn::Active)
        && matches!(
            before,
            Turn::Idle | Turn::Completed | Turn::Interrupted | Turn::Trailing | Turn::Drained | Turn::Emptied
        )
}

/// "turn before announced, active, failed, resumed or closing"
pub fn in_turn(before: Turn) -> bool {
    matches!(before, Turn::Announced | Turn::Active | Turn::Failed | Turn::Resumed | Turn::Closing)
}

/// "turn is then active, failed, resumed or closing"
pub fn goes_on(now: Turn) -> bool {
    matches!(now, Turn::Active | Turn::Failed | Turn::Resumed | Turn::Closing)
}

/// The table "reply".
pub fn reply(what: &What, before: Turn, now: Turn, state: Reply) -> (Says, Reply) {
    match what {
        What::StreamChunk { done: false, .. } if goes_on(now) => match state {
            Reply::None => (None, Reply::Open),
            Reply::Open => (None, Reply::Open),
            Reply::Done => (Some("chunk-after-done"), Reply::Open),
            Reply::Cut => (None, Reply::Open),
            Reply::BrokenOff => (None, Reply::Open),
        },
        What::StreamChunk { done: true, .. } if goes_on(now) => match state {
            Reply::None => (None, Reply::Done),
            Reply::Open => (None, Reply::Done),
            Reply::Done => (Some("chunk-after-done"), Reply::Done),
            Reply::Cut => (None, Reply::Done),
            Reply::BrokenOff => (None, Reply::Done),
        },
        What::MessageAppended { .. }
        | What::ToolCallStarted { .. }
        | What::ToolCallCompleted { .. }
        | What::ToolResults { .. }
        | What::Status { pending: true, .. } => match state {
            Reply::None => (None, Reply::None),
            Reply::Open => (None, Reply::Open),
            Reply::Done => (None, Reply::Cut),
            Reply::Cut => (None, Reply::Cut),
            Reply::BrokenOff => (None, Reply::BrokenOff),
        },
        What::Error if in_turn(before) => match state {
            Reply::None => (None, Reply::None),
            Reply::Open => (None, Reply::BrokenOff),
            Reply::Done => (None, Reply::Cut),
            Reply::Cut => (None, Reply::Cut),
            Reply::BrokenOff => (None, Reply::BrokenOff),
        },
        What::Completed { .. } if in_turn(before) => match state {
            Reply::None => (None, Reply::None),
            Reply::Open => (Some("stream-not-done"), Reply::Open),
            Reply::Done => (None, Reply::Done),
            Reply::Cut => (None, Reply::Cut),
            Reply::BrokenOff => (Some("stream-abandoned"), Reply::BrokenOff),
        },
        _ => (None, state),
    }
}

/// "messages, tool calls, completions, results, errors and pending statuses cut it": the rows of the table
/// "reply" that lead out of `done`.
pub fn cuts_the_text(what: &What) -> bool {
    match what {
        What::MessageAppended { .. } => true,
        What::ToolCallStarted { .. } => true,
        What::ToolResults { .. } => true,
        What::Error => true,
        What::Status { pending, .. } => *pending,
        What::StreamChunk { .. } => false,
        What::ToolCallCompleted { .. } => true,
        What::Completed { .. } => false,
        What::Interrupted => false,
        What::Foreign(_) => false,
    }
}

/// The table "tool-call", row by row: the three rows about one call ...
pub fn call_started(state: ToolCall) -> (Says, ToolCall) {
    match state {
        ToolCall::Absent => (None, ToolCall::Started),
        ToolCall::Started => (Some("duplicate-tool-call"), ToolCall::Untracked),
        ToolCall::Completed => (Some("duplicate-tool-call"), ToolCall::Untracked),
        ToolCall::Overtaken => (Some("duplicate-tool-call"), ToolCall::Untracked),
        ToolCall::Reported => (Some("duplicate-tool-call"), ToolCall::Untracked),
        ToolCall::Failed => (None, ToolCall::Started),
        ToolCall::Abandoned => (None, ToolCall::Started),
        ToolCall::Untracked => (None, ToolCall::Untracked),
    }
}

pub fn call_completed(state: ToolCall) -> (Says, ToolCall) {
    match state {
        ToolCall::Absent => (Some("unknown-tool-call"), ToolCall::Untracked),
        ToolCall::Started => (None, ToolCall::Completed),
        ToolCall::Completed => (Some("tool-completed-twice"), ToolCall::Completed),
        ToolCall::Overtaken => (Some("tool-completed-twice"), ToolCall::Overtaken),
        ToolCall::Reported => (Some("tool-completed-twice"), ToolCall::Reported),
        ToolCall::Failed => (None, ToolCall::Failed),
        ToolCall::Abandoned => (None, ToolCall::Abandoned),
        ToolCall::Untracked => (None, ToolCall::Untracked),
    }
}

pub fn call_result(state: ToolCall) -> (Says, ToolCall) {
    match state {
        ToolCall::Absent => (Some("unknown-tool-call"), ToolCall::Untracked),
        ToolCall::Started => (Some("result-before-completion"), ToolCall::Untracked),
        ToolCall::Completed => (None, ToolCall::Reported),
        ToolCall::Overtaken => (Some("text-before-results"), ToolCall::Reported),
        ToolCall::Reported => (Some("duplicate-result"), ToolCall::Reported),
        ToolCall::Failed => (None, ToolCall::Abandoned),
        ToolCall::Abandoned => (None, ToolCall::Abandoned),
        ToolCall::Untracked => (None, ToolCall::Untracked),
    }
}

/// ... and those about all calls of this turn. `others_run`: whether a call of this turn runs, or may still run.
pub fn call_of_this_turn(
    what: &What,
    (before, now): (Turn, Turn),
    others_run: bool,
    state: ToolCall,
) -> (Says, ToolCall) {
    match what {
        What::StreamChunk { .. } if goes_on(now) && !others_run => match state {
            ToolCall::Completed => (None, ToolCall::Overtaken),
            same => (None, same),
        },
        What::Completed { .. } if in_turn(before) => match state {
            ToolCall::Started => (Some("tool-call-unfinished"), ToolCall::Untracked),
            ToolCall::Completed => (Some("tool-result-missing"), ToolCall::Untracked),
            ToolCall::Overtaken => (Some("tool-result-missing"), ToolCall::Untracked),
            ToolCall::Failed => (Some("tool-call-abandoned"), ToolCall::Untracked),
            same => (None, same),
        },
        What::Error if in_turn(before) => match state {
            ToolCall::Started | ToolCall::Completed | ToolCall::Overtaken => (None, ToolCall::Failed),
            same => (None, same),
        },
        What::Interrupted if in_turn(before) => abandon(state),
        What::Status { pending: false, .. }
            if matches!(before, Turn::Active | Turn::Resumed | Turn::Closing) && now == Turn::EndedEarly =>
        {
            abandon(state)
        }
        _ => (None, state),
    }
}

fn abandon(state: ToolCall) -> (Says, ToolCall) {
    match state {
        ToolCall::Started => (None, ToolCall::Abandoned),
        ToolCall::Completed => (None, ToolCall::Abandoned),
        ToolCall::Overtaken => (None, ToolCall::Abandoned),
        ToolCall::Failed => (None, ToolCall::Abandoned),
        same => (None, same),
    }
}

/// "a call that still runs": no text is late because of it.
pub fn may_run(state: ToolCall) -> bool {
    matches!(state, ToolCall::Started | ToolCall::Failed | ToolCall::Abandoned | ToolCall::Untracked)
}

/// `label-contradicts-pending`
pub fn label_contradicts(pending: bool, label: &str) -> bool {
    match pending {
        true => matches!(&*plain(label), "idle" | "complete"),
        false => matches!(&*plain(label), "thinking" | "processing" | "running tool"),
    }
}

/// "a label that says that it waits for a person"
fn waits(label: &str) -> bool {
    let label = plain(label);
    label.starts_with("waiting")
        || label.starts_with("awaiting")
        || ["approval", "permission", "confirmation"].iter().any(|word| label.contains(word))
}

/// "Letter case, surrounding space and a trailing ellipsis do not count."
fn plain(label: &str) -> String {
    let label = label.trim().to_lowercase();
    label.trim_end_matches("...").trim_end_matches('…').trim().to_owned()
}
