//! JSON: a finding a line, or one document.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use super::{End, Reporter, is_control};
use crate::finding::Finding;

/// One finding a line, as it is judged; no summary.
pub struct Jsonl<W>(W);

impl<W: Write> Jsonl<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Jsonl<W> {
        Jsonl(out)
    }
}

impl<W: Write> Reporter for Jsonl<W> {
    fn finding(&mut self, finding: Finding) -> io::Result<()> {
        write(&mut self.0, &finding)?;
        self.0.write_all(b"\n")
    }

    fn end(&mut self, _: &End<'_>) -> io::Result<()> {
        self.0.flush()
    }
}

/// One document: `format`, `tool`, `findings`, then `summary` (and `stats`), because findings are written
/// as they are judged.
pub struct Json<W> {
    out: W,
    any: bool,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Json<W> {
        Json { out, any: false }
    }
}

impl<W: Write> Reporter for Json<W> {
    fn begin(&mut self) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        write!(self.out, r#"{{"format":1,"tool":{{"name":"sessionlint","version":"{version}"}},"findings":["#)
    }

    fn finding(&mut self, finding: Finding) -> io::Result<()> {
        let separator: &[u8] = if std::mem::replace(&mut self.any, true) { b",\n" } else { b"\n" };
        self.out.write_all(separator)?;
        write(&mut self.out, &finding)
    }

    fn end(&mut self, end: &End<'_>) -> io::Result<()> {
        self.out.write_all(b"\n],\"summary\":")?;
        write(&mut self.out, end.summary)?;
        if let Some(stats) = end.stats {
            self.out.write_all(b",\"stats\":")?;
            let seconds = end.elapsed.as_secs_f64();
            write(
                &mut self.out,
                &serde_json::json!({
                    "by_type": stats.by_type,
                    "streams": end.summary.streams,
                    "opened": stats.opened,
                    "bytes": stats.bytes,
                    "seconds": seconds,
                }),
            )?;
        }
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}

/// Writes a value on one line, with every character escaped that a terminal could act on.
fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, TerminalSafe)).map_err(io::Error::from)
}

struct TerminalSafe;

impl Formatter for TerminalSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all text is plain; only what is not must be looked at character by character.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(out, fragment);
        }
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
