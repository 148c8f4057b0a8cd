//! The built program, which no test starts in any other way.

use std::process::Command;

/// The environment variables that change what the program prints.
///
/// Whoever runs the tests may have set any of them: a coding agent, a CI service, a person who likes colours.
pub const VARIABLES: [&str; 13] = [
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "SESSIONLINT_CONFIG",
    "SESSIONLINT_FORMAT",
    "SESSIONLINT_PROTOCOL",
    "SESSIONLINT_DIALECT",
    "AI_AGENT",
    "CLAUDECODE",
    "CODEX_SANDBOX",
    "CURSOR_AGENT",
    "GEMINI_CLI",
];

/// Returns a command for the program that depends on none of [`VARIABLES`].
pub fn built_program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionlint"));
    VARIABLES.iter().for_each(|name| {
        command.env_remove(name);
    });
    command
}
