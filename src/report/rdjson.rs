//! reviewdog's diagnostic format, which becomes comments on a change.

use std::io::{self, Write};

use serde_json::json;
use sessionlint_core::finding::{Finding, Severity};
use sessionlint_core::protocol::Rulebook;

use super::detect::begins_with_line;
use super::inert::Syntax;
use super::markdown::code_span;
use super::{Format, Reporter, RunEnd, escape_markdown, json, plain_path, rule_page};

/// The format of reviewdog's diagnostics.
pub const FORMAT: Format = Format {
    name: "rdjson",
    about: "reviewdog's diagnostic format",
    syntax: Syntax::Json,
    recognises: |beginning| begins_with_line(beginning, BEGINNING, ""),
    reporter: |out, rules, _| Box::new(RdJson { out, rules, any: false, text: Vec::new() }),
};

const BEGINNING: &str = r#"{"source":{"name":"sessionlint"},"diagnostics":["#;

/// Writes one diagnostic per finding, as it is judged.
///
/// A diagnostic is about a whole line: columns of this format are counted in bytes, and those of places in characters.
/// Messages are shown as Markdown, so that what a recording says is in a code span.
struct RdJson<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    any: bool,
    /// Buffer for the diagnostic that is being written; kept to reuse its memory.
    text: Vec<u8>,
}

impl<W: Write> Reporter for RdJson<'_, W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn begin(&mut self) -> io::Result<()> {
        self.out.write_all(BEGINNING.as_bytes())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let (protocol, rule) = self.rules.of_finding(finding);
        let help = finding.help.as_deref().or(rule.map(|rule| rule.help.as_str())).unwrap_or_default();
        let mut code = json!({"value": &*finding.rule});
        if let Some(page) = rule_page(protocol, &finding.rule) {
            code["url"] = json!(page);
        }
        let diagnostic = json!({
            "message": format!("{}\n\n{}", code_span(&finding.message), escape_markdown(help)),
            "location": {
                "path": plain_path(finding.file.as_deref().unwrap_or("-")),
                "range": {"start": {"line": finding.place.line.max(1)}},
            },
            "severity": match finding.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Note => "INFO",
            },
            "code": code,
        });
        self.text.extend_from_slice(if std::mem::replace(&mut self.any, true) { b",\n" } else { b"\n" });
        json::write(&mut self.text, &diagnostic)?;
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn end(&mut self, _: &RunEnd<'_>) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}
