//! Markdown: a summary of the run, such as a job of a CI service shows.

use std::io::{self, Write};

use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::{count, visible};

use super::{End, FileEnd, Reporter, baselined, linted, read};

/// The most findings that are shown.
const MOST_FINDINGS: usize = 20;
/// The most characters of one text that are shown.
const MOST_CHARACTERS: usize = 1000;

/// The counts, the rules by how often they spoke, and the first findings.
///
/// Findings are a list and no table: what is quoted stands in code spans, where nothing but backticks has a meaning,
/// but in a table a `|` would have one there too.
pub struct Markdown<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    /// The first findings, each a line.
    findings: Vec<String>,
    /// What was not checked, each a line.
    unread: Vec<String>,
}

impl<'p, W: Write> Markdown<'p, W> {
    /// Writes to `out`.
    pub fn new(out: W, rules: Rulebook<'p>) -> Markdown<'p, W> {
        Markdown { out, rules, findings: Vec::new(), unread: Vec::new() }
    }
}

impl<W: Write> Reporter for Markdown<'_, W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if self.findings.len() < MOST_FINDINGS {
            let Finding { rule, severity, message, place, .. } = finding;
            let file = finding.file.as_deref().unwrap_or("-");
            let place = code(&format!("{file}:{}:{}", place.line, place.column));
            self.findings.push(format!("- **{severity}** {} in {place}: {}", code(rule), code(message)));
        }
        Ok(())
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.unread.extend(end.unreadable.map(|error| format!("- {}", code(&error.to_string()))));
        Ok(())
    }

    fn end(&mut self, end: &End<'_>) -> io::Result<()> {
        let Markdown { out, rules, findings, unread } = self;
        let summary = end.summary;
        let counts = [(summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note")];
        let counts = counts.map(|(number, noun)| count(number, noun)).join(", ");
        writeln!(out, "## sessionlint: {counts}\n\n{}.", read(end))?;
        for more in linted(end).into_iter().chain(baselined(end)) {
            writeln!(out, "\n{}.", plain(&more))?;
        }
        if !summary.by_rule.is_empty() {
            writeln!(out, "\n| rule | findings | what is wrong |\n|---|---:|---|")?;
            let mut counts: Vec<_> = summary.by_rule.iter().collect();
            counts.sort_by_key(|(rule, count)| (std::cmp::Reverse(**count), *rule));
            for (rule, count) in counts {
                let means = rules.rule(rule).map_or("", |rule| rule.means.as_str());
                writeln!(out, "| {} | {count} | {} |", plain(rule), plain(means))?;
            }
        }
        let all = summary.errors + summary.warnings + summary.notes;
        let shown = findings.len() as u64;
        if shown > 0 {
            if shown < all {
                writeln!(out, "\n### The first {shown} of {all} findings\n")?;
            } else {
                writeln!(out, "\n### Findings\n")?;
            }
            findings.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        unread.extend(end.unfound.iter().map(|error| format!("- {}", code(&error.to_string()))));
        if !unread.is_empty() {
            writeln!(out, "\n### Not checked\n")?;
            unread.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        out.flush()
    }
}

/// Text as a code span on one line, which nothing in the text can end.
fn code(text: &str) -> String {
    let mut text = visible(text);
    if let Some((cut, _)) = text.char_indices().nth(MOST_CHARACTERS) {
        text.truncate(cut);
        text.push('…');
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // One space on each side belongs to the fences, not to the text.
    let space = if text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Words of a protocol as they are, also in a table.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in visible(text).chars() {
        match c {
            // No backslash: in a table, not every reader takes that back before it looks for cells.
            '&' | '<' | '>' | '|' | '@' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '\\' | '!' | ':' | '#' => {
                plain.push_str(&format!("&#{};", u32::from(c)));
            }
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_its_code_span() {
        for (text, expected) in [
            ("a", "`a`"),
            ("", "`  `"),
            ("`x` is", "`` `x` is ``"),
            ("a``b`c", "```a``b`c```"),
            ("a\n# b\r\n", "`a␊# b␍␊`"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(code(&"é".repeat(1001)), format!("`{}…`", "é".repeat(1000)));
    }

    #[test]
    fn words_of_a_protocol_are_no_markup() {
        assert_eq!(plain("a | `b` <c> _d_"), "a &#124; &#96;b&#96; &#60;c&#62; &#95;d&#95;");
    }
}
