//! The built-in protocol.

use crate::comparison::Case;

/// Events of one session, also such as cannot be read.
pub const SESSION_EVENTS: Case = Case {
    name: "session-events",
    tables: "",
    schemas: "",
    alphabet: &[
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#,
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","pending":false,"status_label":"idle"}}"#,
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","pending":false,"status_label":"Complete"}}"#,
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","pending":false,"status_label":"waiting for you"}}"#,
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","pending":7,"status_label":"idle"}}"#,
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","pending":false,"status_label":7}}"#,
        r#"{"type":"session.message.appended","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","message":{"role":"assistant","content":"a"}}}"#,
        r#"{"type":"session.message.appended","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","message":{"role":"user","content":"b"}}}"#,
        r#"{"type":"session.message.appended","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","message":{"role":"other","content":"b"}}}"#,
        r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","text":"a","done":false}}"#,
        r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","text":"b","done":true}}"#,
        r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","text":"a","done":7}}"#,
        r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","text":7,"done":true}}"#,
        r#"{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","tool_call_id":"c","tool_name":"t","tool_input":{}}}"#,
        r#"{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","tool_call_id":"d","tool_name":"u","tool_input":{}}}"#,
        r#"{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","tool_call_id":"","tool_name":"t","tool_input":{}}}"#,
        r#"{"type":"session.tool.call.completed","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","tool_call_id":"c","tool_name":"t","ok":true,"duration_ms":1}}"#,
        r#"{"type":"session.tool.call.completed","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","tool_call_id":"d","tool_name":"t","ok":true,"duration_ms":-1}}"#,
        r#"{"type":"session.tool.call.completed","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","tool_call_id":7,"tool_name":"t","ok":true,"duration_ms":1}}"#,
        r#"{"type":"session.tool.results","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","results":[{"tool_call_id":"c","tool_name":"t","ok":false,"output":{}},{"tool_call_id":"d","tool_name":"u","ok":true,"output":{}}]}}"#,
        r#"{"type":"session.tool.results","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","results":[{"tool_call_id":"d","tool_name":" ","ok":true,"output":{}}]}}"#,
        r#"{"type":"session.tool.results","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","results":7}}"#,
        r#"{"type":"session.completed","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","final_message":"a"}}"#,
        r#"{"type":"session.completed","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","final_message":""}}"#,
        r#"{"type":"session.completed","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","final_message":7}}"#,
        r#"{"type":"session.interrupted","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s","reason":"x"}}"#,
        r#"{"type":"session.interrupted","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"s"}}"#,
        r#"{"type":"session.error","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","error":"x","code":"y"}}"#,
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"","pending":true,"status_label":"thinking"}}"#,
        r#"{"type":"session.status","#,
    ],
    depth: 3,
};
