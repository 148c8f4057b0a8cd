//! Prints the rules of a protocol as a Markdown table, for pages about the protocol.

use std::fmt::{self, Write as _};

use sessionlint_core::protocol::{Basis, Protocol, Rule};

use crate::report::escape_markdown;

/// Writes the rules that an input can break. The rules of the program itself are the same for every protocol, and about
/// other files.
pub fn write_rules(out: &mut String, protocol: &Protocol) -> fmt::Result {
    writeln!(out, "| rule | severity | what is wrong | rests on |\n|---|---|---|---|")?;
    for rule in protocol.rules().iter().filter(|rule| rule.basis != Basis::Upkeep) {
        let severity = rule.severity.map_or("off", |severity| severity.as_str());
        let (name, means) = (escape_markdown(&rule.name), escape_markdown(&rule.means));
        writeln!(out, "| {name} | {severity} | {means} | {} |", foundation(rule))?;
    }
    Ok(())
}

/// Returns what a rule rests on: the quotes from the document if there are any.
fn foundation(rule: &Rule) -> String {
    match rule.basis {
        Basis::Document => {
            let quotes: Vec<_> = rule.quotes.iter().map(|quote| format!("“{}”", escape_markdown(quote))).collect();
            quotes.join(" · ")
        }
        Basis::Schema => "the schema".to_owned(),
        Basis::Inference => "inference".to_owned(),
        Basis::Framing => "framing".to_owned(),
        Basis::Upkeep => "upkeep".to_owned(),
    }
}
