//! `sessionlint schema`: prints the JSON Schema of an event type, or of the program's own reports.

use std::collections::BTreeSet;
use std::io::Write;

use clap::ValueEnum;
use sessionlint_core::protocol::LazyProtocol;
use sessionlint_core::text::{list, nearest, visible};
use sessionlint_schemas::{REPORT_LINE_SCHEMA, REPORT_SCHEMA};

use super::config::ProtocolArgument;
use super::console::standard_output;
use super::{CliError, Exit};
use crate::report::Syntax;

#[derive(clap::Args)]
pub struct Arguments {
    /// Event type, such as session.status [default: list the types]
    #[arg(value_name = "TYPE")]
    event_type: Option<String>,

    /// Print whether events of the type are checked in one pass, and which fields are not, and why
    #[arg(long, requires = "event_type")]
    plan: bool,

    /// Print the JSON Schema of a report: of the document of --format json, or of a line of --format jsonl
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["event_type", "plan"])]
    report: Option<ReportForm>,

    #[command(flatten)]
    protocol: ProtocolArgument,
}

/// A form of reports for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportForm {
    Json,
    Jsonl,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    // A list and a plan are text, a schema is JSON.
    let is_schema = arguments.report.is_some() || arguments.event_type.is_some() && !arguments.plan;
    let mut out = standard_output(if is_schema { Syntax::Json } else { Syntax::Plain });
    if let Some(form) = arguments.report {
        let schema = match form {
            ReportForm::Json => REPORT_SCHEMA,
            ReportForm::Jsonl => REPORT_LINE_SCHEMA,
        };
        out.write_all(schema.as_bytes()).and_then(|()| out.flush())?;
        return Ok(Exit::Clean);
    }
    let Some(wanted) = &arguments.event_type else {
        let (protocol, _) = arguments.protocol.load_one()?;
        for (name, schema) in protocol.schemas() {
            let words = schema.get("description").and_then(|words| words.as_str()).unwrap_or_default();
            writeln!(out, "{:30} {}", visible(name), visible(words))?;
        }
        return Ok(Exit::Clean);
    };
    let (protocol, _) = match arguments.protocol.names_dialect() {
        true => arguments.protocol.load_one()?,
        false => arguments.protocol.load_here()?,
    };
    let has_type = |one: &&LazyProtocol| one.get().schemas().any(|(name, _)| name == wanted);
    let having: Vec<_> = protocol.all().iter().filter(has_type).map(LazyProtocol::get).collect();
    let names: BTreeSet<_> = having.iter().map(|one| visible(one.name())).collect();
    if names.len() > 1 {
        let (names, wanted) = (Vec::from_iter(names), visible(wanted));
        return Err(CliError::Message(format!("{} have the type {wanted}; name one with --protocol", list(&names))));
    }
    let found = having.first().and_then(|one| Some((one, one.schemas().find(|(name, _)| name == wanted)?)));
    match found {
        Some((protocol, (name, _))) if arguments.plan => {
            match protocol.plan(name) {
                None => {
                    let path = "takes the fast path: one pass, with the slow path for whatever it cannot decide";
                    writeln!(out, "{} {path}", visible(name))?;
                    for (at, reason) in protocol.left_out_of_plan(name) {
                        writeln!(out, "  {} is judged as a whole: {}", visible(&at), visible(reason))?;
                    }
                }
                Some(reason) => writeln!(out, "{} takes the slow path: {reason}", visible(name))?,
            }
            Ok(Exit::Clean)
        }
        Some((_, (_, schema))) => {
            writeln!(out, "{schema:#}")?;
            Ok(Exit::Clean)
        }
        None => {
            let all = protocol.all().iter().flat_map(|one| one.get().schemas().map(|(name, _)| name));
            let near = nearest(wanted, all);
            let help = near
                .map_or_else(|| "`sessionlint schema` lists them".to_owned(), |near| format!("did you mean {near}?"));
            Err(CliError::Message(format!("there is no event type {}; {help}", visible(wanted))))
        }
    }
}
