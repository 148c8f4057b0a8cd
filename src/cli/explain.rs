//! `sessionlint explain`: explains a rule, with quotes and an example.

use std::io::Write;

use sessionlint_core::protocol::{Basis, Example, Protocol};
use sessionlint_core::text::visible;

use super::config::ProtocolArgument;
use super::console::standard_output;
use super::{CliError, Exit, find_rule};
use crate::config::NAME;
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
    let severity = rule.severity.map_or("off", |severity| severity.as_str());
    let mut out = standard_output(Syntax::Plain);
    writeln!(out, "{} ({severity})\n", visible(&rule.name))?;
    writeln!(out, "It means:    {}", visible(&rule.means))?;
    writeln!(out, "What to do:  {}", visible(&rule.help))?;
    if let Some(said) = config.as_ref().and_then(|config| config.rule(&rule.name)) {
        let severity = said.severity.map_or("off", |severity| severity.as_str());
        let reason = said.reason.as_deref().map(|reason| format!(": {}", visible(reason))).unwrap_or_default();
        writeln!(out, "Configured:  {severity}, by {NAME}{reason}")?;
    }
    match rule.basis {
        Basis::Framing => {
            writeln!(out, "It is about how streams are written and read; the document has no words for it.")?
        }
        Basis::Inference => writeln!(out, "It is an inference of this project: no document says so.")?,
        Basis::Upkeep => writeln!(
            out,
            "It is a rule of sessionlint itself, about what surrounds a stream: files, or the producer. No event breaks it."
        )?,
        Basis::Schema => writeln!(
            out,
            "It is based on the event's schema; a finding quotes what the document says about its field."
        )?,
        Basis::Document => {
            writeln!(out, "The document ({}) says:", visible(protocol.source().unwrap_or(protocol.title())))?;
            for quote in &rule.quotes {
                writeln!(out, "  “{}”", visible(quote))?;
            }
        }
    }
    if let Some(example) = protocol.example(&rule.name) {
        write_example(&mut out, protocol, &rule.name, example)?;
    }
    Ok(Exit::Clean)
}

fn write_example(out: &mut impl Write, protocol: &Protocol, rule: &str, example: &Example) -> std::io::Result<()> {
    let options = if example.args.is_empty() { String::new() } else { format!(", with {}", visible(&example.args)) };
    let escapes = if example.escapes { ", where \\xNN is a byte" } else { "" };
    for (words, text) in [("breaks it", &example.breaks), ("keeps it", &example.keeps)] {
        writeln!(out, "\nThis {words}{options}{escapes}:")?;
        match text.as_str() {
            "" => writeln!(out, "  (nothing at all)")?,
            _ => text.lines().try_for_each(|line| writeln!(out, "  {}", visible(line)))?,
        }
    }
    if example.escapes || !example.breaks.is_empty() && !example.breaks.ends_with('\n') {
        // An editor could not write these bytes.
        return Ok(());
    }
    if protocol.rule(rule).is_some_and(|rule| rule.basis == Basis::Inference) {
        // The example is two files: a stream, and records.
        return writeln!(
            out,
            "\nTry it: put the lines whose payload is an object into stream.ndjson and the others into records.ndjson, and \
             run `sessionlint reconcile stream.ndjson --records records.ndjson{}`.",
            if example.args.is_empty() { String::new() } else { format!(" {}", example.args) }
        );
    }
    let name = protocol.name();
    let mut options = if name == "session-events" { String::new() } else { format!(" --protocol {name}") };
    if !example.args.is_empty() {
        options.push_str(&format!(" {}", example.args));
    }
    writeln!(out, "\nTry it: put the lines into a file and run `sessionlint check{options} FILE`.")
}
