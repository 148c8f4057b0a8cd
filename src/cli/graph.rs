//! `sessionlint graph`, and drawing for those that draw too.

use std::io::Write;

use clap::ValueEnum;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::{nearest, visible};

use super::config::ProtocolArgument;
use super::{Exit, Failure};
use crate::picture::{self, coverage::Coverage};

#[derive(clap::Args)]
pub struct Arguments {
    /// Draw this lifecycle alone
    #[arg(long, value_name = "NAME")]
    lifecycle: Option<String>,

    /// What to draw with; an SVG image needs no other program
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,

    #[command(flatten)]
    protocol: ProtocolArgument,
}

/// What to draw with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Mermaid,
    Dot,
    Svg,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (protocol, _) = arguments.protocol.load_here()?;
    if protocol.tables().lifecycles.is_empty() {
        let name = visible(protocol.name());
        let why = if protocol.is_of_records() { ": it is one of stored records, which have no order" } else { "" };
        return Err(Failure::Message(format!("the protocol {name} has no lifecycles to draw{why}")));
    }
    let drawn = draw(&protocol, arguments.lifecycle.as_deref(), arguments.format, None)?;
    anstream::stdout().lock().write_all(drawn.as_bytes())?;
    Ok(Exit::Clean)
}

/// Draws all lifecycles or one; with counts, if there are any.
pub fn draw(
    protocol: &Protocol,
    lifecycle: Option<&str>,
    format: Format,
    coverage: Option<&Coverage<'_>>,
) -> Result<String, Failure> {
    known_lifecycle(protocol, lifecycle)?;
    let graphs = picture::graphs(protocol, lifecycle, coverage);
    let mut drawn = String::new();
    let written = match format {
        Format::Mermaid => picture::mermaid(&mut drawn, protocol, &graphs),
        Format::Dot => picture::dot(&mut drawn, protocol, &graphs),
        Format::Svg => picture::svg(&mut drawn, protocol, &graphs),
    };
    written.map_err(|error| Failure::Output(std::io::Error::other(error)))?;
    Ok(drawn)
}

/// Refuses a name that no lifecycle has, with the nearest one.
pub fn known_lifecycle(protocol: &Protocol, name: Option<&str>) -> Result<(), Failure> {
    let known: Vec<_> = protocol.tables().lifecycles.iter().map(|lifecycle| lifecycle.name.as_str()).collect();
    if let Some(wanted) = name.filter(|name| !known.contains(name)) {
        let near = nearest(wanted, known.iter().copied());
        let help =
            near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
        return Err(Failure::Message(format!("there is no lifecycle {}; {}", visible(wanted), visible(&help))));
    }
    Ok(())
}
