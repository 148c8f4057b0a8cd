//! A built-in protocol whose objects have forms.

use crate::comparison::Case;

/// Blocks of messages, also such as cannot be read.
pub const MESSAGES: Case = Case {
    name: "anthropic-messages",
    tables: "",
    schemas: "",
    alphabet: &[
        r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#,
        r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[7],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":3}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"s","name":"f","input":{}}}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result","tool_use_id":"s","content":[]}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"","name":"f","input":{}}}"#,
        r#"{"type":"content_block_start","index":"no","content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":7}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"x"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"}"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":7}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"x"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"text":"x"}}"#,
        // Not one of a text, which is no piece of the input: the engine loses the input by its key all the same.
        r#"{"type":"content_block_delta","index":"no","delta":{"type":"input_json_delta","partial_json":"x"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_stop","index":"no"}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":0}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence"},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_delta","delta":{},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":7},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"eos"},"usage":{"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
        r#"{"type":"error","error":{"type":"x","message":"x"}}"#,
        r#"{"error":{"type":"x","message":"x"}}"#,
        r#"{"type":"ping"}"#,
        r#"[DONE]"#,
        r#"{"type":"ping""#,
    ],
    depth: 2,
};
