//! The protocols that sessionlint has built in, as data: each is a folder of files, packaged as text.
//!
//! Nothing is compiled here. `sessionlint-core` compiles a protocol when it is first used.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

/// A protocol's folder.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Folder {
    /// The protocol's name, which is the folder's.
    pub name: &'static str,
    /// The files, each by its name in the folder and with its text.
    pub files: &'static [(&'static str, &'static str)],
}

/// Packages the named files of a folder.
macro_rules! folder {
    ($name:literal, [$($file:literal),* $(,)?]) => {
        Folder { name: $name, files: &[$(($file, include_str!(concat!($name, "/", $file)))),*] }
    };
}

/// Every built-in protocol.
pub static PROTOCOLS: &[Folder] = &[
    folder!(
        "session-events",
        [
            "document.md",
            "examples.toml",
            "protocol.toml",
            "session.completed.schema.json",
            "session.error.schema.json",
            "session.interrupted.schema.json",
            "session.message.appended.schema.json",
            "session.status.schema.json",
            "session.stream.chunk.schema.json",
            "session.tool.call.completed.schema.json",
            "session.tool.call.started.schema.json",
            "session.tool.results.schema.json",
        ]
    ),
    folder!(
        "session-records",
        [
            "bundle.schema.json",
            "document.md",
            "event.schema.json",
            "examples.toml",
            "page.schema.json",
            "protocol.toml",
            "session-action.schema.json",
            "session.schema.json",
            "transcript.schema.json",
        ]
    ),
    folder!(
        "anthropic-messages",
        [
            "content_block_delta.schema.json",
            "content_block_start.schema.json",
            "content_block_stop.schema.json",
            "document.md",
            "error.schema.json",
            "examples.toml",
            "message_delta.schema.json",
            "message_start.schema.json",
            "message_stop.schema.json",
            "ping.schema.json",
            "protocol.toml",
            "shared.json",
        ]
    ),
    folder!(
        "openai-chat",
        [
            "chat.completion.chunk.schema.json",
            "dialects/mistral/chat.completion.chunk.schema.json",
            "document.md",
            "error.schema.json",
            "examples.toml",
            "protocol.toml",
        ]
    ),
    folder!(
        "openai-responses",
        [
            "document.md",
            "error.schema.json",
            "examples.toml",
            "keepalive.schema.json",
            "protocol.toml",
            "response.apply_patch_call_operation_diff.delta.schema.json",
            "response.apply_patch_call_operation_diff.done.schema.json",
            "response.audio.delta.schema.json",
            "response.audio.done.schema.json",
            "response.audio.transcript.delta.schema.json",
            "response.audio.transcript.done.schema.json",
            "response.code_interpreter_call.completed.schema.json",
            "response.code_interpreter_call.in_progress.schema.json",
            "response.code_interpreter_call.interpreting.schema.json",
            "response.code_interpreter_call_code.delta.schema.json",
            "response.code_interpreter_call_code.done.schema.json",
            "response.compaction.compacting.schema.json",
            "response.completed.schema.json",
            "response.content_part.added.schema.json",
            "response.content_part.done.schema.json",
            "response.created.schema.json",
            "response.custom_tool_call_input.delta.schema.json",
            "response.custom_tool_call_input.done.schema.json",
            "response.failed.schema.json",
            "response.file_search_call.completed.schema.json",
            "response.file_search_call.in_progress.schema.json",
            "response.file_search_call.searching.schema.json",
            "response.function_call_arguments.delta.schema.json",
            "response.function_call_arguments.done.schema.json",
            "response.image_generation_call.completed.schema.json",
            "response.image_generation_call.generating.schema.json",
            "response.image_generation_call.in_progress.schema.json",
            "response.image_generation_call.partial_image.schema.json",
            "response.in_progress.schema.json",
            "response.incomplete.schema.json",
            "response.mcp_call.completed.schema.json",
            "response.mcp_call.failed.schema.json",
            "response.mcp_call.in_progress.schema.json",
            "response.mcp_call_arguments.delta.schema.json",
            "response.mcp_call_arguments.done.schema.json",
            "response.mcp_list_tools.completed.schema.json",
            "response.mcp_list_tools.failed.schema.json",
            "response.mcp_list_tools.in_progress.schema.json",
            "response.output_item.added.schema.json",
            "response.output_item.done.schema.json",
            "response.output_text.annotation.added.schema.json",
            "response.output_text.delta.schema.json",
            "response.output_text.done.schema.json",
            "response.queued.schema.json",
            "response.reasoning_summary_part.added.schema.json",
            "response.reasoning_summary_part.done.schema.json",
            "response.reasoning_summary_text.delta.schema.json",
            "response.reasoning_summary_text.done.schema.json",
            "response.reasoning_text.delta.schema.json",
            "response.reasoning_text.done.schema.json",
            "response.refusal.delta.schema.json",
            "response.refusal.done.schema.json",
            "response.shell_call_command.added.schema.json",
            "response.shell_call_command.delta.schema.json",
            "response.shell_call_command.done.schema.json",
            "response.shell_call_output_content.delta.schema.json",
            "response.shell_call_output_content.done.schema.json",
            "response.web_search_call.completed.schema.json",
            "response.web_search_call.in_progress.schema.json",
            "response.web_search_call.searching.schema.json",
            "shared.json",
        ]
    ),
];

/// The JSON Schema of `sessionlint.toml`, which configures the program.
pub static CONFIGURATION_SCHEMA: &str = include_str!("sessionlint.schema.json");

/// The JSON Schema of a report as one JSON document. Its name has the version of the form, which is in the document too.
pub static REPORT_SCHEMA: &str = include_str!("report-1.schema.json");

/// The JSON Schema of a line of a report that has a JSON object for each finding.
pub static REPORT_LINE_SCHEMA: &str = include_str!("report-line-1.schema.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::PROTOCOLS;

    /// The names of the entries of a folder that are folders, or that are files.
    fn entries(folder: &Path, folders: bool) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read"));
        let wanted = entries.filter(|entry| entry.path().is_dir() == folders);
        wanted.map(|entry| entry.file_name().into_string().expect("names are UTF-8")).collect()
    }

    #[test]
    fn every_folder_is_packaged_with_all_its_files() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let of_folder =
            |name: String| entries(&root.join(&name), false).into_iter().map(move |file| format!("{name}/{file}"));
        let with_dialects = entries(root, true).into_iter().flat_map(|name| {
            let dialects = root.join(&name).join("dialects");
            let own = if dialects.is_dir() { entries(&dialects, true) } else { BTreeSet::new() };
            own.into_iter().map(|own| format!("{name}/dialects/{own}")).chain([name.clone()]).collect::<Vec<_>>()
        });
        let there: BTreeSet<_> = with_dialects.flat_map(of_folder).collect();
        let packaged =
            PROTOCOLS.iter().flat_map(|folder| folder.files.iter().map(|(file, _)| format!("{}/{file}", folder.name)));
        let packaged: BTreeSet<_> = packaged.collect();
        let missing: Vec<_> = there.difference(&packaged).collect();
        assert!(missing.is_empty(), "PROTOCOLS in schemas/lib.rs lacks these files: {missing:?}");
        assert_eq!(packaged, there);
    }
}
