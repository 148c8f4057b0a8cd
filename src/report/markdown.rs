//! Markdown: a summary of the run, for the summary page of a CI job.

use std::io::{self, Write};

use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::{count, visible};

use super::inert::Syntax;
use super::{
    FileEnd, Format, GapReason, Reporter, RunEnd, capitalized, input_counts, lint_notes, shortened, uncounted_notes,
};

/// The format of summaries in Markdown.
pub const FORMAT: Format = Format {
    name: "markdown",
    about: "Markdown summary of the run",
    syntax: Syntax::Plain,
    recognises: |beginning| beginning.starts_with("## sessionlint: "),
    reporter: |out, rules, _| Box::new(Markdown::new(out, rules)),
};

/// Maximum number of findings that are listed.
const MOST_FINDINGS: usize = 20;
/// Maximum length of one text, in characters.
const MOST_CHARACTERS: usize = 1000;

/// Writes the counts, the rules by number of findings, and the first findings.
///
/// Findings are a list, not a table: quoted text is in code spans, where only backticks have a meaning, but within a
/// table a `|` would have one there too.
pub struct Markdown<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    /// The first findings, one line each.
    findings: Vec<String>,
    /// The inputs that were not checked, one line each.
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
            let place = code_span(&format!("{file}:{}:{}", place.line, place.column));
            self.findings.push(format!("- **{severity}** {} in {place}: {}", code_span(rule), code_span(message)));
        }
        Ok(())
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.unread.extend(end.unreadable.map(|error| format!("- {}", code_span(&error.to_string()))));
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        let Markdown { out, rules, findings, unread } = self;
        let summary = end.summary;
        let counts = [(summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note")];
        let counts = counts.map(|(number, noun)| count(number, noun)).join(", ");
        writeln!(out, "## sessionlint: {counts}\n\n{}.", input_counts(end))?;
        let left_out = end.left_out.and_then(|left_out| left_out.words());
        let notes = lint_notes(end).into_iter().chain(uncounted_notes(end)).chain(left_out);
        for more in notes.chain(end.completeness.words()) {
            writeln!(out, "\n{}.", escaped(&capitalized(&more)))?;
        }
        if !summary.by_rule.is_empty() {
            writeln!(out, "\n| rule | findings | what is wrong |\n|---|---:|---|")?;
            let mut counts: Vec<_> = summary.by_rule.iter().collect();
            counts.sort_by_key(|(rule, count)| (std::cmp::Reverse(**count), *rule));
            for (rule, count) in counts {
                let means = rules.rule(rule).map_or("", |rule| rule.means.as_str());
                writeln!(out, "| {} | {count} | {} |", escaped(rule), escaped(means))?;
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
        let passed_over = end.completeness.gaps().iter().filter(|gap| gap.reason == GapReason::PassedOver);
        unread.extend(passed_over.map(|gap| format!("- {}", code_span(&gap.line()))));
        unread.extend(end.unfound.iter().map(|error| format!("- {}", code_span(&error.to_string()))));
        if !unread.is_empty() {
            writeln!(out, "\n### Not checked\n")?;
            unread.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        out.flush()
    }
}

/// Returns a text as a code span on one line; nothing in the text can end the span.
pub fn code_span(text: &str) -> String {
    let text = shortened(visible(text), MOST_CHARACTERS);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // Markdown strips one space on each side of a code span.
    let space = if text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Escapes a text of a protocol so that it is shown literally, also in a table.
pub fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut escaped = String::new();
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        let after = characters.peek().copied().unwrap_or(' ');
        let is_markup = match c {
            '&' | '<' | '>' | '|' | '@' | '`' | '*' | '[' | ']' | '~' | '$' | '\\' | '!' | '#' => true,
            // Emphasis begins and ends beside words, not inside of them.
            '_' => !(before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric()),
            // An address or an emoji goes on after it.
            ':' => after != ' ',
            _ => false,
        };
        if is_markup {
            // Not by a backslash: some parsers split a table into cells before they process backslashes.
            escaped.push_str(&format!("&#{};", u32::from(c)));
        } else {
            escaped.push(c);
        }
        before = c;
    }
    escaped
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
            assert_eq!(code_span(text), expected);
        }
        assert_eq!(code_span(&"é".repeat(1001)), format!("`{}…`", "é".repeat(1000)));
    }

    #[test]
    fn words_of_a_protocol_are_no_markup() {
        for (text, expected) in [
            ("a | `b` <c> _d_", "a &#124; &#96;b&#96; &#60;c&#62; &#95;d&#95;"),
            ("a final_message: b", "a final_message: b"),
            ("https://e.test :tada:", "https&#58;//e.test &#58;tada:"),
            ("a\n# b", "a␊&#35; b"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
