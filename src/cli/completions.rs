//! `sessionlint completions`: prints a script for shell completion.

use std::io::Write;

use clap_complete::Shell;

use super::help::whole_command;
use super::{CliError, Exit};

#[derive(clap::Args)]
pub struct Arguments {
    /// Shell to generate the script for
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    // Generated in memory first, because the generator panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut whole_command(), "sessionlint", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Exit::Clean)
}
