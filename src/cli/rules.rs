//! `sessionlint rules`: lists the rules of a protocol.

use std::io::Write;

use serde_json::json;
use sessionlint_core::finding::Severity;
use sessionlint_core::protocol::Rule;
use sessionlint_core::text::visible;

use super::config::ProtocolArgument;
use super::console::standard_output;
use super::{CliError, Exit, TextOrJson};
use crate::config::NAME;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    protocol: ProtocolArgument,

    /// Format of the output
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (protocol, config) = arguments.protocol.load_one()?;
    let said = |rule: &Rule| config.as_ref()?.rule(&rule.name);
    let in_dialect = |rule: &Rule| protocol.severity_by_dialect(&rule.name);
    let severity = |rule: &Rule| match (said(rule), in_dialect(rule)) {
        (Some(said), _) => said.severity,
        (None, Some(severity)) => severity,
        (None, None) => rule.severity,
    };
    let dialect = |rule: &Rule| protocol.dialect().filter(|_| in_dialect(rule).is_some()).map(|one| &*one.name);
    let word = |severity: Option<Severity>| severity.map_or("off", Severity::as_str);
    let mut out = standard_output(arguments.format.syntax());
    match arguments.format {
        TextOrJson::Json => {
            let rules: Vec<_> = protocol
                .rules()
                .iter()
                .map(|rule| {
                    json!({
                        "rule": rule.name,
                        "severity": word(severity(rule)),
                        "default": word(rule.severity),
                        "dialect": dialect(rule),
                        "reason": said(rule).and_then(|said| said.reason.as_deref()),
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
                let reason = said(rule).and_then(|said| said.reason.as_deref());
                let reason = reason.map(|reason| format!(" ({NAME}: {})", visible(reason))).unwrap_or_default();
                let dialect = dialect(rule).map(|name| format!(" (dialect {})", visible(name))).unwrap_or_default();
                let (name, means) = (visible(&rule.name), visible(&rule.means));
                writeln!(out, "{name:width$}  {:7}  {means}{dialect}{reason}", word(severity(rule)))?;
            }
        }
    }
    Ok(Exit::Clean)
}
