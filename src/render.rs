//! Renders reports as the program prints them, for callers of the library.

mod explanation;

use std::io::{self, Write};

pub use explanation::{Here, basis_words, write_explanation};
use serde::Serialize;
use sessionlint_core::protocol::{Protocol, Rulebook};
use sessionlint_core::{Report, UnknownName};

use crate::report::{
    Completeness, FileEnd, Human, InertWriter, Json, Reporter, RunEnd, Syntax, TextOptions, needed_protocol, write_json,
};

/// Methods of a [`Report`] that render it as the program prints it.
///
/// ```
/// use sessionlint::{Options, Protocol, ReportExt, TextOptions, check};
///
/// let protocol = Protocol::builtin("session-events").expect("it is built in");
/// let report = check(protocol, br#"{"type":"session.status"}"#, Options::default().with_file("session.ndjson"));
///
/// assert!(report.text(protocol, TextOptions::default()).contains("error[missing-field]"));
/// assert!(report.json().contains(r#""rule":"missing-field""#));
/// ```
pub trait ReportExt {
    /// Returns the report for people, as `--format human` prints it. `protocol` must be the protocol that judged. What
    /// comes from the recording is safe to show on a terminal.
    fn text(&self, protocol: &Protocol, options: TextOptions) -> String;

    /// Returns the report as one JSON document, as `--format json` prints it. Every character is escaped that a terminal
    /// could act on.
    fn json(&self) -> String;
}

impl ReportExt for Report {
    fn text(&self, protocol: &Protocol, options: TextOptions) -> String {
        let mut text = Vec::new();
        let written =
            write(self, &mut Human::new(InertWriter::new(&mut text, Syntax::Colored), Rulebook::of(protocol), options));
        into_text(written, text)
    }

    fn json(&self) -> String {
        let mut text = Vec::new();
        let written = write(self, &mut Json::new(InertWriter::new(&mut text, Syntax::Json)));
        into_text(written, text)
    }
}

/// Returns a value, such as a [`Finding`](sessionlint_core::Finding), as JSON on one line without a line end. Every
/// character is escaped that a terminal could act on. `--format jsonl` prints findings like this.
pub fn to_json(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let mut json = Vec::new();
    let written = write_json(&mut json, value);
    let written = written.and_then(|()| InertWriter::new(&mut text, Syntax::Json).write_all(&json));
    into_text(written, text)
}

/// Explains a rule as `sessionlint explain` does: its meaning, what to do, the words of the document, and examples. The
/// text is safe to show on a terminal.
///
/// ```
/// let protocol = sessionlint::Protocol::builtin("session-events").expect("it is built in");
/// assert!(sessionlint::explain(protocol, "idle-missing").expect("it exists").contains("What to do:"));
/// assert!(sessionlint::explain(protocol, "idle-mising").is_err());
/// ```
///
/// # Errors
///
/// If the protocol has no rule of this name.
pub fn explain(protocol: &Protocol, rule: &str) -> Result<String, UnknownName> {
    let rule = protocol.find_rule(rule)?;
    let mut text = Vec::new();
    let is_folder = !Protocol::builtin_names().any(|known| known == protocol.name());
    let here = Here { configured: None, protocol: needed_protocol(protocol).or(is_folder.then_some("DIR")) };
    let written = write_explanation(&mut InertWriter::new(&mut text, Syntax::Plain), protocol, rule, here);
    Ok(into_text(written, text))
}

fn write(report: &Report, reporter: &mut dyn Reporter) -> io::Result<()> {
    reporter.begin()?;
    let mut completeness = Completeness::default();
    for finding in &report.findings {
        completeness.add_finding(finding);
        reporter.finding(finding)?;
    }
    let file = report.findings.iter().find_map(|finding| finding.file.as_deref()).unwrap_or("-");
    reporter.file_end(&FileEnd { summary: Some(&report.summary), repeats: &report.repeats, ..FileEnd::of(file) })?;
    reporter.end(&RunEnd::of(&report.summary, &completeness, Default::default()))
}

/// Returns what was written; writing to memory does not fail.
fn into_text(written: io::Result<()>, text: Vec<u8>) -> String {
    match written {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => error.to_string(),
    }
}
