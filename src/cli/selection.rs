//! `--only` and `--stream`: the findings that count.

use sessionlint_core::protocol::Rulebook;

use super::{CliError, find_rule};
use crate::run::Selection;

/// Arguments that select findings.
#[derive(clap::Args)]
pub struct SelectionArguments {
    /// Count only findings of this rule; repeat for several. Everything is checked all the same
    #[arg(long, value_name = "RULE", value_delimiter = ',', conflicts_with = "write_baseline")]
    only: Vec<String>,

    /// Count only findings of this stream, by its id
    #[arg(long, value_name = "ID", conflicts_with = "write_baseline")]
    stream: Option<String>,
}

impl SelectionArguments {
    /// Returns the selection.
    ///
    /// # Errors
    ///
    /// Fails if there is no rule of a name.
    pub fn selection(&self, rules: Rulebook<'_>) -> Result<Selection, CliError> {
        let names = self.only.iter().map(|name| Ok(find_rule(rules, name)?.1.name.to_string()));
        Ok(Selection { rules: names.collect::<Result<_, CliError>>()?, stream: self.stream.clone() })
    }

    /// Returns the stream that is selected, if it is one.
    pub fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }
}
