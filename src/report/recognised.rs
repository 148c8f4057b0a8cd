//! Whether a file is a report of an earlier run, by how it begins: one that is may be replaced by the next report.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// How much of a file is looked at, in bytes: more than the first finding of any report.
const LOOKED_AT: u64 = 1 << 16;

/// Whether a file is a report in one of the formats, or empty, as the reports of some are where nothing was found.
///
/// # Errors
///
/// When it cannot be read.
pub fn is_report(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(LOOKED_AT).read_to_end(&mut beginning)?;
    Ok(begins_a_report(&String::from_utf8_lossy(&beginning)))
}

fn begins_a_report(text: &str) -> bool {
    text.is_empty() || is_document(text) || is_finding_a_line(text) || is_for_gitlab(text) || is_for_people(text)
}

/// JSON, SARIF, JUnit XML, Markdown and the commands for GitHub say of themselves whose they are.
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

fn is_finding_a_line(text: &str) -> bool {
    let behind_rule = text.strip_prefix(r#"{"rule":""#).and_then(|rest| Some(rest.split_once('"')?.1));
    behind_rule.is_some_and(|rest| rest.starts_with(r#","severity":""#) && rest.contains(r#"","message":""#))
}

fn is_for_gitlab(text: &str) -> bool {
    text == "[\n]\n" || text.starts_with("[\n{\"description\":\"") && text.contains(r#"","check_name":""#)
}

/// A finding or the counts, coloured or not.
fn is_for_people(text: &str) -> bool {
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
