//! `sessionlint graph`, and drawing for other subcommands.

use std::io::Write;

use clap::ValueEnum;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::{nearest, visible};

use super::config::ProtocolArgument;
use super::console::standard_output;
use super::{CliError, Exit};
use crate::picture::{self, UsualMoves, View};
use crate::report::Syntax;

#[derive(clap::Args)]
pub struct Arguments {
    /// Draw only this lifecycle
    #[arg(long, value_name = "NAME")]
    lifecycle: Option<String>,

    /// Format of the picture; SVG needs no other program
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,

    /// Also draw what breaks a rule, and the states that only follow a broken rule
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    protocol: ProtocolArgument,
}

/// The format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Mermaid,
    Dot,
    Svg,
}

impl Format {
    /// Returns how a picture says what must not act on the program or the service that shows it.
    pub fn syntax(self) -> Syntax {
        match self {
            Format::Mermaid | Format::Dot => Syntax::Plain,
            Format::Svg => Syntax::Xml,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (protocol, _) = arguments.protocol.load_one()?;
    if protocol.tables().lifecycles.is_empty() {
        let name = visible(protocol.name());
        let why = if protocol.is_of_records() { ": it is one of stored records, which have no order" } else { "" };
        return Err(CliError::Message(format!("the protocol {name} has no lifecycles to draw{why}")));
    }
    check_lifecycle(&protocol, arguments.lifecycle.as_deref())?;
    let usual = if arguments.all { None } else { Some(UsualMoves::of(&protocol)) };
    let view = usual.as_ref().map_or(View::All, View::Legal);
    let drawn = draw(&protocol, arguments.lifecycle.as_deref(), arguments.format, view)?;
    let mut out = standard_output(arguments.format.syntax());
    out.write_all(drawn.as_bytes()).and_then(|()| out.flush())?;
    Ok(Exit::Clean)
}

/// Draws all lifecycles, or the named one.
pub fn draw(protocol: &Protocol, lifecycle: Option<&str>, format: Format, view: View<'_>) -> Result<String, CliError> {
    check_lifecycle(protocol, lifecycle)?;
    let graphs = picture::graphs(protocol, lifecycle, view);
    let mut drawn = String::new();
    let written = match format {
        Format::Mermaid => picture::mermaid(&mut drawn, protocol, &graphs),
        Format::Dot => picture::dot(&mut drawn, protocol, &graphs),
        Format::Svg => picture::svg(&mut drawn, protocol, &graphs),
    };
    written.map_err(|error| CliError::Output(std::io::Error::other(error)))?;
    Ok(drawn)
}

/// Fails if no lifecycle has this name, and proposes the nearest name.
pub fn check_lifecycle(protocol: &Protocol, name: Option<&str>) -> Result<(), CliError> {
    let known: Vec<_> = protocol.tables().lifecycles.iter().map(|lifecycle| lifecycle.name.as_str()).collect();
    if let Some(wanted) = name.filter(|name| !known.contains(name)) {
        let near = nearest(wanted, known.iter().copied());
        let help =
            near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
        return Err(CliError::Message(format!("there is no lifecycle {}; {}", visible(wanted), visible(&help))));
    }
    Ok(())
}
