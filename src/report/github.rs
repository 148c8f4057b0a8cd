//! Workflow commands of GitHub Actions: one annotation per finding.

use std::io::{self, Write};

use sessionlint_core::finding::{Finding, Severity};
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::visible;

use super::detect::begins_with_line;
use super::inert::Syntax;
use super::{FileEnd, Format, Reporter, RunEnd, plain_path};

/// The format of workflow commands.
pub const FORMAT: Format = Format {
    name: "github",
    about: "GitHub Actions workflow commands",
    syntax: Syntax::GitHubCommands,
    recognises: |beginning| {
        let commands = ["::error ", "::warning ", "::notice "];
        commands.iter().any(|command| begins_with_line(beginning, command, "title="))
    },
    reporter: |out, rules, _| Box::new(GitHub::new(out, rules)),
};

/// Writes one line per finding, as it is judged.
///
/// A command has the message, the related events and the help, separated by escaped line breaks. Text from a recording
/// goes through [`visible`], so that it cannot begin a line of its own.
pub struct GitHub<'p, W> {
    out: W,
    rules: Rulebook<'p>,
}

impl<'p, W: Write> GitHub<'p, W> {
    /// Writes to `out`.
    pub fn new(out: W, rules: Rulebook<'p>) -> GitHub<'p, W> {
        GitHub { out, rules }
    }
}

impl<W: Write> Reporter for GitHub<'_, W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let file = property(plain_path(finding.file.as_deref().unwrap_or("-")));
        let (line, column, rule) = (finding.place.line, finding.place.column, property(&finding.rule));
        let mut message = visible(&finding.message);
        for related in &finding.related {
            let file = related.file.as_deref().map(|file| format!("{}, ", visible(file))).unwrap_or_default();
            message.push_str(&format!("\n{file}line {}: {}", related.place.line, visible(&related.message)));
        }
        let rule_help = || self.rules.of_finding(finding).1.map(|rule| rule.help.as_str());
        if let Some(help) = finding.help.as_deref().or_else(rule_help) {
            message.push_str(&format!("\nhelp: {}", visible(help)));
        }
        let message = data(&message);
        writeln!(self.out, "::{command} file={file},line={line},col={column},title={rule}::{message}")
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        match end.unreadable {
            Some(error) => {
                let (file, error) = (property(plain_path(end.file)), data(&visible(&error.to_string())));
                writeln!(self.out, "::error file={file},title=sessionlint::{error}")
            }
            None => Ok(()),
        }
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        for error in end.unfound {
            writeln!(self.out, "::error title=sessionlint::{}", data(&visible(&error.to_string())))?;
        }
        if end.hidden > 0 {
            let more = sessionlint_core::text::count(end.hidden, "more finding");
            writeln!(self.out, "::notice title=sessionlint::{more} not shown (--max-findings)")?;
        }
        if let Some(words) = end.unselected.and_then(|unselected| unselected.words()) {
            writeln!(self.out, "::notice title=sessionlint::{words}")?;
        }
        if let Some(words) = end.completeness.words() {
            writeln!(self.out, "::warning title=sessionlint::{}", data(&visible(&words)))?;
        }
        self.out.flush()
    }
}

/// Escapes the message of a command, after its second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a command's property.
fn property(text: &str) -> String {
    data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}
