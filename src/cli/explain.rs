//! `sessionlint explain`: explains a rule, with quotes and an example.

use std::io::Write;

use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::{list, visible};

use super::config::{ProtocolArgument, ProtocolChoice};
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
    // A finding may come from another folder, where other protocols are named.
    let built_in = (!arguments.protocol.is_given()).then(ProtocolChoice::built_in);
    let found = [Some(&chosen), built_in.as_ref()].into_iter().flatten().find_map(|one| one.find_rule(&arguments.rule));
    let (protocol, rule) = found.map_or_else(|| find_rule(chosen.rules_of_run(), &arguments.rule), Ok)?;
    let here = config.as_ref().and_then(|config| config.rule(&rule.name)).map(|said| {
        let severity = said.severity.map_or("off", |severity| severity.as_str());
        let reason = said.reason.as_deref().map(|reason| format!(": {}", visible(reason))).unwrap_or_default();
        format!("{severity}, by {NAME}{reason}")
    });
    let here = Here { configured: here.as_deref(), protocol: arguments.protocol.needed_for(protocol) };
    let mut out = standard_output(Syntax::Plain);
    write_explanation(&mut out, protocol, rule, here)?;
    let book = built_in.as_ref().map(ProtocolChoice::rules_of_run);
    let others: Vec<_> = book.iter().flat_map(|book| book.others_named(rule)).map(Protocol::name).collect();
    match &others[..] {
        [] => {}
        [one] => writeln!(out, "\n{one} has another rule of this name, which --protocol {one} explains.")?,
        several => {
            writeln!(out, "\n{} have other rules of this name, which --protocol NAME explains.", list(several))?;
        }
    }
    // A dialect of sessionlint.toml is for its recordings; who names one here asks what the rule is in it.
    let holds = !arguments.protocol.names_dialect() || chosen.note_dialect_for(protocol);
    Ok(if holds { Exit::Clean } else { Exit::Usage })
}
