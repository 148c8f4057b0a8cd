//! `sessionlint graph`.

use std::io::Write;

use clap::ValueEnum;

use super::config::ProtocolArgument;
use super::{Exit, Failure};
use crate::picture;
use crate::protocol::nearest;
use crate::report::visible;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Mermaid,
    Dot,
    Svg,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (protocol, _) = arguments.protocol.load_here()?;
    let graphs = picture::graphs(&protocol, arguments.lifecycle.as_deref());
    if let (Some(wanted), true) = (&arguments.lifecycle, graphs.is_empty()) {
        let known: Vec<_> = protocol.tables().lifecycles.iter().map(|lifecycle| lifecycle.name.as_str()).collect();
        let near = nearest(wanted, known.iter().copied());
        let help =
            near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
        return Err(Failure::Message(format!("there is no lifecycle {}; {}", visible(wanted), visible(&help))));
    }
    let mut drawn = String::new();
    let written = match arguments.format {
        Format::Mermaid => picture::mermaid(&mut drawn, &protocol, &graphs),
        Format::Dot => picture::dot(&mut drawn, &protocol, &graphs),
        Format::Svg => picture::svg(&mut drawn, &protocol, &graphs),
    };
    written.map_err(|error| Failure::Output(std::io::Error::other(error)))?;
    anstream::stdout().lock().write_all(drawn.as_bytes())?;
    Ok(Exit::Clean)
}
