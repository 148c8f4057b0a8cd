//! Short names for the events that the enumerations and the files judged by hand are made of.

use crate::reading::{Role, ToolResult, What};

pub const CALL_A: &str = "call_a";
pub const CALL_B: &str = "call_b";

pub fn thinking() -> What {
    What::Status { pending: true, label: "thinking..." }
}

pub fn idle() -> What {
    What::Status { pending: false, label: "idle" }
}

pub fn appended(role: Role) -> What {
    What::MessageAppended { role, content: "hello" }
}

pub fn said(text: &'static str) -> What {
    What::StreamChunk { text, done: false }
}

pub fn said_last(text: &'static str) -> What {
    What::StreamChunk { text, done: true }
}

pub fn started(id: &'static str, tool: &'static str) -> What {
    What::ToolCallStarted { id, tool }
}

pub fn call_done(id: &'static str, tool: &'static str, ok: bool) -> What {
    What::ToolCallCompleted { id, tool, ok }
}

pub fn results(results: &[ToolResult]) -> What {
    let results = results.to_vec();
    What::ToolResults { results }
}

pub const fn result(id: &'static str, tool: &'static str, ok: bool) -> ToolResult {
    ToolResult { id, tool, ok }
}

pub fn completed(final_message: &str) -> What {
    What::Completed { final_message: final_message.to_owned() }
}

pub fn interrupted() -> What {
    What::Interrupted
}

pub fn error() -> What {
    What::Error
}
