//! Detects whether a file is a report of an earlier run, by its beginning. Only such a file may be replaced by the next
//! report.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Format;

/// Number of bytes read from a file: more than the first finding of any report takes.
const PREFIX_BYTES: u64 = 1 << 16;

/// Returns whether a file is a report in one of the formats. An empty file is one too, as some formats write nothing
/// if there are no findings.
///
/// # Errors
///
/// Returns an error if the file cannot be read.
pub fn is_report(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(PREFIX_BYTES).read_to_end(&mut beginning)?;
    let beginning = String::from_utf8_lossy(&beginning);
    Ok(beginning.is_empty() || Format::ALL.iter().any(|format| (format.recognises)(&beginning)))
}

/// Returns whether a text begins with `beginning`, and the line after that contains `name`.
pub fn begins_with_line(text: &str, beginning: &str, name: &str) -> bool {
    text.strip_prefix(beginning).is_some_and(|rest| rest.lines().next().is_some_and(|line| line.contains(name)))
}
