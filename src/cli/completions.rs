//! `sessionlint completions`.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, CliError, Exit};

#[derive(clap::Args)]
pub struct Arguments {
    /// The shell to complete for
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "sessionlint", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Exit::Clean)
}
