//! The command-line program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    sessionlint::cli::run(std::env::args_os()).into()
}
