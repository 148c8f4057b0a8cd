//! The code quality report for GitLab: an array of issues.

use std::io::{self, Write};

use serde_json::json;
use sessionlint_core::finding::{Finding, Severity};
use sessionlint_core::text::visible;

use super::fingerprint::Fingerprints;
use super::inert::Syntax;
use super::{FileEnd, Format, Reporter, RunEnd, json, plain_path};

/// The format of code quality reports.
pub const FORMAT: Format = Format {
    name: "gitlab",
    about: "GitLab code quality report",
    syntax: Syntax::Json,
    recognises: |beginning| {
        let issue = beginning.starts_with("[\n{\"description\":\"") && beginning.contains(r#"","check_name":""#);
        issue || beginning == "[\n]\n"
    },
    reporter: |out, _, _| Box::new(GitLab::new(out)),
};

/// Writes one issue per finding, as it is judged.
pub struct GitLab<W> {
    out: W,
    fingerprints: Fingerprints,
    any: bool,
    /// Buffer for the issue that is being written; kept to reuse its memory.
    text: Vec<u8>,
}

impl<W: Write> GitLab<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> GitLab<W> {
        GitLab { out, fingerprints: Fingerprints::default(), any: false, text: Vec::new() }
    }
}

impl<W: Write> Reporter for GitLab<W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn begin(&mut self) -> io::Result<()> {
        self.out.write_all(b"[")
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let issue = json!({
            "description": visible(&finding.message),
            "check_name": &*finding.rule,
            "fingerprint": self.fingerprints.next(finding),
            "severity": match finding.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
                Severity::Note => "info",
            },
            "location": {
                "path": plain_path(finding.file.as_deref().unwrap_or("-")),
                "lines": {"begin": finding.place.line.max(1)},
            },
        });
        self.text.extend_from_slice(if std::mem::replace(&mut self.any, true) { b",\n" } else { b"\n" });
        json::write(&mut self.text, &issue)?;
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn file_end(&mut self, _: &FileEnd<'_>) -> io::Result<()> {
        self.fingerprints.next_file();
        Ok(())
    }

    fn end(&mut self, _: &RunEnd<'_>) -> io::Result<()> {
        self.out.write_all(b"\n]\n")?;
        self.out.flush()
    }
}
