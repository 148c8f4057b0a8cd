//! The environment variables that the program reads.
//!
//! An option wins over a variable, and a variable over `sessionlint.toml`. A variable that is set to nothing is not set:
//! CI services have no other way to take one back.

use std::env;
use std::ffi::OsString;

/// The format of the report, as `--format` takes it.
pub const FORMAT: &str = "SESSIONLINT_FORMAT";
/// The protocol, as `--protocol` takes it.
pub const PROTOCOL: &str = "SESSIONLINT_PROTOCOL";
/// The dialect of the protocol, as `--dialect` takes it.
pub const DIALECT: &str = "SESSIONLINT_DIALECT";
/// The `sessionlint.toml` to use, as `--config` takes it.
pub const CONFIG: &str = "SESSIONLINT_CONFIG";

/// The variables by which coding agents say that they run a program.
const AGENTS: [&str; 5] = ["AI_AGENT", "CLAUDECODE", "CODEX_SANDBOX", "CURSOR_AGENT", "GEMINI_CLI"];

/// Returns the value of a variable that is set and not empty.
pub fn value(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns whether a coding agent runs the program.
pub fn is_of_agent() -> bool {
    AGENTS.iter().any(|name| value(name).is_some())
}
