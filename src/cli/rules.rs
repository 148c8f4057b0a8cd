//! `sessionlint rules`.

use std::io::Write;

use serde_json::json;

use super::{Exit, Failure, ProtocolArgument, TextOrJson};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    protocol: ProtocolArgument,

    /// What to print
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let protocol = arguments.protocol.load()?;
    let mut out = anstream::stdout().lock();
    match arguments.format {
        TextOrJson::Json => {
            let rules: Vec<_> = protocol
                .rules()
                .iter()
                .map(|rule| {
                    json!({
                        "rule": rule.name,
                        "severity": rule.severity.map_or("off", |severity| severity.as_str()),
                        "basis": rule.basis,
                        "means": rule.means,
                        "says": rule.says,
                        "help": rule.help,
                        "quotes": rule.quotes,
                    })
                })
                .collect();
            writeln!(out, "{:#}", json!(rules))?;
        }
        TextOrJson::Text => {
            let width = protocol.rules().iter().map(|rule| rule.name.len()).max().unwrap_or_default();
            for rule in protocol.rules() {
                let severity = rule.severity.map_or("off", |severity| severity.as_str());
                writeln!(out, "{:width$}  {severity:7}  {}", rule.name, rule.means)?;
            }
        }
    }
    Ok(Exit::Clean)
}
