//! JSON: a finding a line, or one document.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use super::{End, Reporter, is_control};
use crate::finding::Finding;

/// One finding a line, as it is judged; no summary.
pub struct Jsonl<W> {
    out: W,
    /// The finding that is being written; kept for its memory.
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

    fn finding(&mut self, finding: Finding) -> io::Result<()> {
        write(&mut self.text, &finding)?;
        self.text.push(b'\n');
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn end(&mut self, _: &End<'_>) -> io::Result<()> {
        self.out.flush()
    }
}

/// One document: `format`, `tool`, `findings`, then `summary` (and `stats`), because findings are written
/// as they are judged.
pub struct Json<W> {
    out: W,
    any: bool,
    text: Vec<u8>,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Json<W> {
        Json { out, any: false, text: Vec::new() }
    }
}

impl<W: Write> Reporter for Json<W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn begin(&mut self) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        write!(self.out, r#"{{"format":1,"tool":{{"name":"sessionlint","version":"{version}"}},"findings":["#)
    }

    fn finding(&mut self, finding: Finding) -> io::Result<()> {
        let separator: &[u8] = if std::mem::replace(&mut self.any, true) { b",\n" } else { b"\n" };
        self.text.extend_from_slice(separator);
        write(&mut self.text, &finding)?;
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn end(&mut self, end: &End<'_>) -> io::Result<()> {
        self.out.write_all(b"\n],\"summary\":")?;
        write(&mut self.text, end.summary)?;
        if let Some(stats) = end.stats {
            self.text.extend_from_slice(b",\"stats\":");
            let seconds = end.elapsed.as_secs_f64();
            write(
                &mut self.text,
                &serde_json::json!({
                    "by_type": stats.by_type,
                    "streams": end.summary.streams,
                    "opened": stats.opened,
                    "bytes": stats.bytes,
                    "seconds": seconds,
                }),
            )?;
        }
        self.text.extend_from_slice(b"}\n");
        self.out.write_all(&self.text)?;
        self.out.flush()
    }
}

/// Appends a value on one line, with every character escaped that a terminal could act on.
fn write(out: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    let start = out.len();
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    // Beyond ASCII's own, which JSON escapes, only these bytes can belong to such a character.
    if out[start..].iter().any(|byte| *byte >= 0x7F) {
        out.truncate(start);
        value.serialize(&mut serde_json::Serializer::with_formatter(out, TerminalSafe)).map_err(io::Error::from)?;
    }
    Ok(())
}

struct TerminalSafe;

impl Formatter for TerminalSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_control(*c)) {
            CompactFormatter.write_string_fragment(out, &rest[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(out, rest)
    }
}
