//! `sessionlint schema`: prints the JSON Schema of an event type.

use std::io::Write;

use sessionlint_core::text::{nearest, visible};

use super::config::ProtocolArgument;
use super::console::standard_output;
use super::{CliError, Exit};
use crate::report::Syntax;

#[derive(clap::Args)]
pub struct Arguments {
    /// Event type, such as session.status [default: list the types]
    #[arg(value_name = "TYPE")]
    event_type: Option<String>,

    /// Print whether events of the type are judged in one pass, and if not, why
    #[arg(long, requires = "event_type")]
    plan: bool,

    #[command(flatten)]
    protocol: ProtocolArgument,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (protocol, _) = arguments.protocol.load_here()?;
    // A list and a plan are text, a schema is JSON.
    let is_schema = arguments.event_type.is_some() && !arguments.plan;
    let mut out = standard_output(if is_schema { Syntax::Json } else { Syntax::Plain });
    let Some(wanted) = &arguments.event_type else {
        for (name, schema) in protocol.schemas() {
            let words = schema.get("description").and_then(|words| words.as_str()).unwrap_or_default();
            writeln!(out, "{:30} {}", visible(name), visible(words))?;
        }
        return Ok(Exit::Clean);
    };
    match protocol.schemas().find(|(name, _)| name == wanted) {
        Some((name, _)) if arguments.plan => {
            match protocol.plan(name) {
                None => writeln!(
                    out,
                    "{} goes the fast way: one pass, and the slow way for whatever that is not sure of",
                    visible(name)
                )?,
                Some(reason) => writeln!(out, "{} goes the slow way: its schema has {reason}", visible(name))?,
            }
            Ok(Exit::Clean)
        }
        Some((_, schema)) => {
            writeln!(out, "{schema:#}")?;
            Ok(Exit::Clean)
        }
        None => {
            let near = nearest(wanted, protocol.schemas().map(|(name, _)| name));
            let help = near
                .map_or_else(|| "`sessionlint schema` lists them".to_owned(), |near| format!("did you mean {near}?"));
            Err(CliError::Message(format!("there is no event type {}; {help}", visible(wanted))))
        }
    }
}
