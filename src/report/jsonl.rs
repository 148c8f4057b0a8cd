//! JSON: one finding per line.

use std::io::{self, Write};

use sessionlint_core::finding::Finding;

use super::inert::Syntax;
use super::json::{write, write_finding};
use super::{Format, Reporter, RunEnd};

/// The format of JSON findings, one per line.
pub const FORMAT: Format = Format {
    name: "jsonl",
    about: "One JSON object per finding, one per line",
    syntax: Syntax::Json,
    recognises,
    reporter: |out, _, _| Box::new(Jsonl::new(out)),
};

fn recognises(beginning: &str) -> bool {
    let behind_rule = beginning.strip_prefix(r#"{"rule":""#).and_then(|rest| Some(rest.split_once('"')?.1));
    behind_rule.is_some_and(|rest| rest.starts_with(r#","severity":""#) && rest.contains(r#"","message":""#))
}

/// Writes one finding per line, as it is judged; no summary. A run that is not complete ends with one line more.
pub struct Jsonl<W> {
    out: W,
    /// Buffer for the finding that is being written; kept to reuse its memory.
    text: Vec<u8>,
}

impl<W: Write> Jsonl<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Jsonl<W> {
        Jsonl { out, text: Vec::new() }
    }
}

impl<W: Write> Reporter for Jsonl<W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        write_finding(&mut self.text, finding);
        self.text.push(b'\n');
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        if !end.completeness.is_complete() {
            let line = serde_json::json!({"complete": false, "incomplete": end.completeness.gaps()});
            write(&mut self.text, &line)?;
            self.text.push(b'\n');
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        self.out.flush()
    }
}
