//! The table of report formats. What a format is, its own file says.

use std::io::{BufWriter, Write};

use sessionlint_core::protocol::Rulebook;

use super::inert::Syntax;
use super::{
    Reporter, TextOptions, agent, github, gitlab, human, json, jsonl, junit, markdown, rdjson, sarif, short, statistics,
};

/// The destination of a report: an [`InertWriter`](super::InertWriter) in the syntax of its format.
pub type Destination = BufWriter<Box<dyn Write + Send>>;

/// A format of reports.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The name, as `--format` takes it.
    pub name: &'static str,
    /// A description of the format, for the program's help.
    pub about: &'static str,
    /// How a report in this format says what must not act on the program or the service that shows it.
    pub syntax: Syntax,
    /// Returns whether a text is the beginning of a report in this format. An empty text need not be recognised.
    pub recognises: fn(&str) -> bool,
    /// Creates a reporter that writes in this format.
    pub reporter: for<'p> fn(Destination, Rulebook<'p>, TextOptions) -> Box<dyn Reporter + Send + 'p>,
}

impl Format {
    /// The format of a report for which none was chosen.
    pub const DEFAULT: &'static Format = &human::FORMAT;

    /// The format of a report for which none was chosen, if a coding agent runs the program.
    pub const FOR_AGENTS: &'static Format = &agent::FORMAT;

    /// The counts alone.
    pub const STATISTICS: &'static Format = &statistics::FORMAT;

    /// Every format, in the order in which help lists them.
    pub const ALL: &'static [&'static Format] = &[
        &human::FORMAT,
        &short::FORMAT,
        &agent::FORMAT,
        &json::FORMAT,
        &jsonl::FORMAT,
        &sarif::FORMAT,
        &junit::FORMAT,
        &github::FORMAT,
        &gitlab::FORMAT,
        &rdjson::FORMAT,
        &markdown::FORMAT,
    ];

    /// Returns the format of this name.
    pub fn named(name: &str) -> Option<&'static Format> {
        Format::ALL.iter().copied().find(|format| format.name == name)
    }
}
