//! The form of an event: as a line of the file, and in words for the reader of a disagreement.
//! No text used here needs escaping in JSON.

use std::fmt::Write as _;

use crate::reading::{Event, Role, What};

/// Every documented field is present and valid, so that there are no findings about shapes.
pub fn write_line(event: &Event, file: &mut String) {
    let Event { session, stamp, what } = event;
    let noon = 12 * 3600;
    let (hour, minute, second) = ((noon + stamp) / 3600, (noon + stamp) / 60 % 60, (noon + stamp) % 60);
    let (name, fields) = match what {
        What::Status { pending, label } => {
            ("session.status", format!(r#""pending":{pending},"status_label":"{label}""#))
        }
        What::MessageAppended { role, content } => {
            let role = role_name(*role);
            ("session.message.appended", format!(r#""message":{{"role":"{role}","content":"{content}"}}"#))
        }
        What::StreamChunk { text, done } => ("session.stream.chunk", format!(r#""text":"{text}","done":{done}"#)),
        What::ToolCallStarted { id, tool } => {
            ("session.tool.call.started", format!(r#""tool_call_id":"{id}","tool_name":"{tool}","tool_input":{{}}"#))
        }
        What::ToolCallCompleted { id, tool, ok } => (
            "session.tool.call.completed",
            format!(r#""tool_call_id":"{id}","tool_name":"{tool}","ok":{ok},"duration_ms":150"#),
        ),
        What::ToolResults { results } => {
            let mut items = String::new();
            for result in results {
                let (id, tool, ok) = (result.id, result.tool, result.ok);
                if !items.is_empty() {
                    items.push(',');
                }
                write!(items, r#"{{"tool_call_id":"{id}","tool_name":"{tool}","ok":{ok},"output":{{}}}}"#)
                    .expect("a string takes everything");
            }
            ("session.tool.results", format!(r#""results":[{items}]"#))
        }
        What::Completed { final_message } => ("session.completed", format!(r#""final_message":"{final_message}""#)),
        What::Interrupted => ("session.interrupted", r#""reason":"user_requested""#.to_owned()),
        What::Foreign(text) => return writeln!(file, "{text}").expect("a string takes everything"),
        What::Error => ("session.error", r#""error":"Rate limit exceeded","code":"rate_limit""#.to_owned()),
    };
    writeln!(
        file,
        r#"{{"type":"{name}","timestamp":"2026-01-01T{hour:02}:{minute:02}:{second:02}.000Z","payload":{{"session_id":"{session}",{fields}}}}}"#
    )
    .expect("a string takes everything");
}

pub fn in_words(event: &Event) -> String {
    let what = match &event.what {
        What::Status { pending, label } => format!("session.status pending {pending}, {label:?}"),
        What::MessageAppended { role, content } => {
            format!("session.message.appended {} {content:?}", role_name(*role))
        }
        What::StreamChunk { text, done } => format!("session.stream.chunk {text:?}, done {done}"),
        What::ToolCallStarted { id, tool } => format!("session.tool.call.started {id} {tool}"),
        What::ToolCallCompleted { id, tool, ok } => {
            format!("session.tool.call.completed {id} {tool}, ok {ok}")
        }
        What::ToolResults { results } => {
            let mut words = "session.tool.results".to_owned();
            for result in results {
                let (id, tool, ok) = (result.id, result.tool, result.ok);
                write!(words, " [{id} {tool}, ok {ok}]").expect("a string takes everything");
            }
            words
        }
        What::Completed { final_message } => format!("session.completed {final_message:?}"),
        What::Interrupted => "session.interrupted".to_owned(),
        What::Error => "session.error".to_owned(),
        What::Foreign(text) => format!("{text:?}, no event"),
    };
    format!("{} at {:+} s: {what}", event.session, event.stamp)
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
    }
}
