//! The tables of docs/session-events.md, to be compared with that page: one function per table, one
//! `match` arm per row, one arm inside it per column, in the page's order.

use crate::reading::{Role, What};

/// The rule that is broken, if any.
pub type Says = Option<&'static str>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Idle,
    Announced,
    Active,
    Completed,
    Interrupted,
    Failed,
    Trailing,
    Drained,
    EndedEarly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    None,
    Open,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolCall {
    Absent,
    Started,
    Completed,
    Reported,
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
            Turn::Failed => (None, Turn::Active),
            Turn::Trailing => (Some("idle-missing"), Turn::Announced),
            Turn::Drained => (None, Turn::Announced),
            Turn::EndedEarly => (None, Turn::Active),
        },
        What::Status { pending: false, .. } => match state {
            Turn::Idle => (None, Turn::Idle),
            Turn::Announced => (Some("turn-empty"), Turn::Idle),
            Turn::Active => (Some("turn-not-ended"), Turn::EndedEarly),
            Turn::Completed => (None, Turn::Idle),
            Turn::Interrupted => (None, Turn::Idle),
            Turn::Failed => (None, Turn::Idle),
            Turn::Trailing => (None, Turn::Idle),
            Turn::Drained => (None, Turn::Idle),
            Turn::EndedEarly => (None, Turn::EndedEarly),
        },
        What::StreamChunk { .. } | What::ToolCallStarted { .. } => match state {
            Turn::Idle => (Some("turn-not-started"), Turn::Active),
            Turn::Announced => (None, Turn::Active),
            Turn::Active => (None, Turn::Active),
            Turn::Completed => (Some("event-after-turn"), Turn::Trailing),
            Turn::Interrupted => (Some("event-after-interruption"), Turn::Drained),
            Turn::Failed => (None, Turn::Failed),
            Turn::Trailing => (None, Turn::Trailing),
            Turn::Drained => (None, Turn::Drained),
            Turn::EndedEarly => (None, Turn::Active),
        },
        What::MessageAppended { role: Role::Assistant } => match state {
            Turn::Announced => (None, Turn::Active),
            same => (None, same),
        },
        What::MessageAppended { .. } | What::ToolCallCompleted { .. } | What::ToolResults { .. } => (None, state),
        What::Completed { .. } => match state {
            Turn::Idle => (Some("turn-not-started"), Turn::Completed),
            Turn::Announced => (None, Turn::Completed),
            Turn::Active => (None, Turn::Completed),
            Turn::Completed => (Some("turn-ended-twice"), Turn::Completed),
            Turn::Interrupted => (Some("event-after-interruption"), Turn::Drained),
            Turn::Failed => (None, Turn::Completed),
            Turn::Trailing => (None, Turn::Completed),
            Turn::Drained => (None, Turn::Drained),
            Turn::EndedEarly => (None, Turn::Idle),
        },
        What::Interrupted => match state {
            Turn::Idle => (Some("turn-not-started"), Turn::Interrupted),
            Turn::Announced => (None, Turn::Interrupted),
            Turn::Active => (None, Turn::Interrupted),
            Turn::Completed => (Some("turn-ended-twice"), Turn::Completed),
            Turn::Interrupted => (Some("event-after-interruption"), Turn::Drained),
            Turn::Failed => (None, Turn::Interrupted),
            Turn::Trailing => (None, Turn::Trailing),
            Turn::Drained => (None, Turn::Drained),
            Turn::EndedEarly => (None, Turn::Idle),
        },
        What::Foreign(_) => (None, state),
        What::Error => match state {
            Turn::Idle => (Some("error-outside-turn"), Turn::Idle),
            Turn::Announced => (None, Turn::Failed),
            Turn::Active => (None, Turn::Failed),
            Turn::Completed => (Some("error-outside-turn"), Turn::Completed),
            Turn::Interrupted => (None, Turn::Interrupted),
            Turn::Failed => (None, Turn::Failed),
            Turn::Trailing => (None, Turn::Trailing),
            Turn::Drained => (None, Turn::Drained),
            Turn::EndedEarly => (None, Turn::Idle),
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
        Turn::Trailing => Some("idle-missing"),
        Turn::Drained => None,
        Turn::EndedEarly => None,
    }
}

/// "A turn opens on a move into `announced` or `active` from ..."
pub fn opens(before: Turn, now: Turn) -> bool {
    matches!(now, Turn::Announced | Turn::Active)
        && matches!(before, Turn::Idle | Turn::Completed | Turn::Interrupted | Turn::Trailing | Turn::Drained)
}

/// "turn before announced, active or failed"
pub fn in_turn(before: Turn) -> bool {
    matches!(before, Turn::Announced | Turn::Active | Turn::Failed)
}

/// The table "reply".
pub fn reply(what: &What, before: Turn, now: Turn, state: Reply) -> (Says, Reply) {
    match what {
        What::StreamChunk { done: false, .. } if matches!(now, Turn::Active | Turn::Failed) => match state {
            Reply::None => (None, Reply::Open),
            Reply::Open => (None, Reply::Open),
            Reply::Done => (Some("chunk-after-done"), Reply::Open),
        },
        What::StreamChunk { done: true, .. } if matches!(now, Turn::Active | Turn::Failed) => match state {
            Reply::None => (None, Reply::Done),
            Reply::Open => (None, Reply::Done),
            Reply::Done => (Some("chunk-after-done"), Reply::Done),
        },
        What::MessageAppended { .. }
        | What::ToolCallStarted { .. }
        | What::ToolResults { .. }
        | What::Status { pending: true, .. } => match state {
            Reply::None => (None, Reply::None),
            Reply::Open => (None, Reply::Open),
            Reply::Done => (None, Reply::None),
        },
        What::Error if in_turn(before) => (None, Reply::None),
        What::Completed { .. } if in_turn(before) => match state {
            Reply::None => (None, Reply::None),
            Reply::Open => (Some("stream-not-done"), Reply::Open),
            Reply::Done => (None, Reply::Done),
        },
        _ => (None, state),
    }
}

/// "messages, tool calls, results, errors and pending statuses cut it": the rows of the table
/// "reply" that lead out of `done`. A tool that finishes is none of them.
pub fn cuts_the_text(what: &What) -> bool {
    match what {
        What::MessageAppended { .. } => true,
        What::ToolCallStarted { .. } => true,
        What::ToolResults { .. } => true,
        What::Error => true,
        What::Status { pending, .. } => *pending,
        What::StreamChunk { .. } => false,
        What::ToolCallCompleted { .. } => false,
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
        ToolCall::Reported => (Some("duplicate-tool-call"), ToolCall::Untracked),
        ToolCall::Abandoned => (None, ToolCall::Started),
        ToolCall::Untracked => (None, ToolCall::Untracked),
    }
}

pub fn call_completed(state: ToolCall) -> (Says, ToolCall) {
    match state {
        ToolCall::Absent => (Some("unknown-tool-call"), ToolCall::Untracked),
        ToolCall::Started => (None, ToolCall::Completed),
        ToolCall::Completed => (Some("tool-completed-twice"), ToolCall::Completed),
        ToolCall::Reported => (Some("tool-completed-twice"), ToolCall::Reported),
        ToolCall::Abandoned => (None, ToolCall::Abandoned),
        ToolCall::Untracked => (None, ToolCall::Untracked),
    }
}

pub fn call_result(state: ToolCall) -> (Says, ToolCall) {
    match state {
        ToolCall::Absent => (Some("unknown-tool-call"), ToolCall::Untracked),
        ToolCall::Started => (Some("result-before-completion"), ToolCall::Untracked),
        ToolCall::Completed => (None, ToolCall::Reported),
        ToolCall::Reported => (Some("duplicate-result"), ToolCall::Reported),
        ToolCall::Abandoned => (None, ToolCall::Abandoned),
        ToolCall::Untracked => (None, ToolCall::Untracked),
    }
}

/// ... and the two about all calls of this turn.
pub fn call_of_this_turn(what: &What, before: Turn, state: ToolCall) -> (Says, ToolCall) {
    match what {
        What::Completed { .. } if in_turn(before) => match state {
            ToolCall::Started => (Some("tool-call-unfinished"), ToolCall::Untracked),
            ToolCall::Completed => (Some("tool-result-missing"), ToolCall::Untracked),
            same => (None, same),
        },
        What::Interrupted | What::Error if in_turn(before) => abandon(state),
        What::Status { pending: false, .. } if before == Turn::Active => abandon(state),
        _ => (None, state),
    }
}

fn abandon(state: ToolCall) -> (Says, ToolCall) {
    match state {
        ToolCall::Started => (None, ToolCall::Abandoned),
        ToolCall::Completed => (None, ToolCall::Abandoned),
        same => (None, same),
    }
}

/// `label-contradicts-pending`
pub fn label_contradicts(pending: bool, label: &str) -> bool {
    let label = label.trim().to_lowercase();
    let label = label.trim_end_matches("...").trim_end_matches('…').trim();
    match pending {
        true => matches!(label, "idle" | "complete"),
        false => matches!(label, "thinking" | "processing" | "running tool"),
    }
}
