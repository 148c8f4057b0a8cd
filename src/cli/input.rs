//! How recordings are read: what `check` and `coverage` have in common.

use std::num::NonZero;

use super::Failure;
use crate::check::Options;
use crate::error::RunError;
use crate::input::Wire;
use crate::report::visible;
use crate::run::Target;

#[derive(clap::Args)]
pub struct InputArguments {
    /// The form of the input; found from its content if not given
    #[arg(long, value_name = "FORM", value_parser = wire_parser())]
    wire: Option<String>,

    /// The input is a cut-out: nothing is known of what came before, and its end means nothing
    #[arg(long)]
    fragment: bool,

    /// The longest event that is read, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_line_bytes)]
    max_line_bytes: usize,

    /// The most text that is kept of a turn to compare with its final message, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_text_bytes)]
    max_text_bytes: usize,

    /// The most streams that are kept at once
    #[arg(long, value_name = "N", default_value_t = Options::default().max_streams)]
    max_streams: usize,
}

fn wire_parser() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Wire::ALL.map(|(name, _)| name))
}

impl InputArguments {
    /// With every rule as the protocol has it.
    pub fn options(&self) -> Options {
        let wire = self.wire.as_deref();
        Options {
            wire: Wire::ALL.iter().find(|(name, _)| Some(*name) == wire).map(|(_, wire)| *wire),
            fragment: self.fragment,
            max_line_bytes: self.max_line_bytes,
            max_text_bytes: self.max_text_bytes,
            max_streams: self.max_streams,
            ..Options::default()
        }
    }
}

/// Refuses to work on nothing.
pub fn refuse_nothing(targets: &[Target]) -> Result<(), Failure> {
    if targets.is_empty() {
        let help = "a folder is searched for .ndjson .jsonl .json .sse .log, also with .gz or .zst; \
                    what is hidden or left out by .gitignore is passed over";
        return Err(Failure::Message(format!("there is nothing to check; {help}")));
    }
    Ok(())
}

/// Says what could not be read. What causes it may hold names from the disk.
pub fn say(errors: &[RunError]) {
    for error in errors {
        anstream::eprintln!("sessionlint: {}", visible(&error.to_string()));
    }
}

/// How many threads may work where the caller does not say.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
