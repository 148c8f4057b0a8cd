//! Detects whether a file is a report of an earlier run, by its beginning. Only such a file may be replaced by the next
//! report.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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
    Ok(begins_report(&String::from_utf8_lossy(&beginning)))
}

fn begins_report(text: &str) -> bool {
    text.is_empty() || is_document(text) || is_jsonl(text) || is_gitlab(text) || is_human(text)
}

/// Returns whether a text begins with a JSON, SARIF, JUnit or Markdown report of sessionlint, or with a command for
/// GitHub; all of these name their tool or have a fixed form.
fn is_document(text: &str) -> bool {
    let holds = |beginning: &str, name: &str| {
        text.strip_prefix(beginning).is_some_and(|rest| rest.lines().next().is_some_and(|line| line.contains(name)))
    };
    let commands = ["::error ", "::warning ", "::notice "];
    text.starts_with(r#"{"format":1,"tool":{"name":"sessionlint","#)
        || holds(r#"{"$schema":"#, r#""runs":[{"tool":{"driver":{"name":"sessionlint","#)
        || holds("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", r#"<testsuites name="sessionlint""#)
        || text.starts_with("## sessionlint: ")
        || commands.iter().any(|command| holds(command, "title="))
}

fn is_jsonl(text: &str) -> bool {
    let behind_rule = text.strip_prefix(r#"{"rule":""#).and_then(|rest| Some(rest.split_once('"')?.1));
    behind_rule.is_some_and(|rest| rest.starts_with(r#","severity":""#) && rest.contains(r#"","message":""#))
}

fn is_gitlab(text: &str) -> bool {
    text == "[\n]\n" || text.starts_with("[\n{\"description\":\"") && text.contains(r#"","check_name":""#)
}

/// Returns whether a text begins with a finding or the counts of the report for people, coloured or not.
fn is_human(text: &str) -> bool {
    let plain = anstream::adapter::strip_str(text).to_string();
    let line = plain.trim_start_matches(|c: char| c.is_whitespace() || "×⚠☞".contains(c));
    let line = line.lines().next().unwrap_or_default();
    let names_a_rule = ["error[", "warning[", "note["].iter().any(|severity| {
        let name = line.strip_prefix(severity).and_then(|rest| rest.split_once(']'));
        name.is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
    });
    let counted = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let counts =
        [" file, ", " files, ", " stream, ", " streams, ", " more finding not shown", " more findings not shown"];
    names_a_rule || counted != line && counts.iter().any(|words| counted.starts_with(words))
}
