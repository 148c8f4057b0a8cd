//! `sessionlint explain`: explains a rule, with quotes and an example.

use sessionlint_core::text::visible;

use super::config::ProtocolArgument;
use super::console::standard_output;
use super::{CliError, Exit, find_rule};
use crate::config::NAME;
use crate::render::{Here, write_explanation};
use crate::report::Syntax;

#[derive(clap::Args)]
pub struct Arguments {
    /// Name of the rule, such as idle-missing
    rule: String,

    #[command(flatten)]
    protocol: ProtocolArgument,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (chosen, config) = arguments.protocol.load_here()?;
    let (protocol, rule) = find_rule(chosen.rules_of_run(), &arguments.rule)?;
    let here = config.as_ref().and_then(|config| config.rule(&rule.name)).map(|said| {
        let severity = said.severity.map_or("off", |severity| severity.as_str());
        let reason = said.reason.as_deref().map(|reason| format!(": {}", visible(reason))).unwrap_or_default();
        format!("{severity}, by {NAME}{reason}")
    });
    let here = Here { configured: here.as_deref(), protocol: arguments.protocol.needed_for(protocol) };
    write_explanation(&mut standard_output(Syntax::Plain), protocol, rule, here)?;
    Ok(Exit::Clean)
}
