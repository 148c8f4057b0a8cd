//! Explains a rule: what it means, what to do, the words of the document, and examples.

use std::io::{self, Write};

use sessionlint_core::finding::Severity;
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::{Basis, Example, Protocol, Rule, RuleCase};
use sessionlint_core::text::{count, in_quotes, visible};

/// How a rule holds where it is explained.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here<'h> {
    /// What a `sessionlint.toml` says of the rule, if it does.
    pub configured: Option<&'h str>,
    /// What `--protocol` has to be for `check` to use the protocol, if it must be given.
    pub protocol: Option<&'h str>,
}

/// Writes the explanation of a rule.
pub fn write_explanation(out: &mut impl Write, protocol: &Protocol, rule: &Rule, here: Here<'_>) -> io::Result<()> {
    let word = |severity: Option<Severity>| severity.map_or("off", Severity::as_str);
    let in_dialect = protocol.severity_by_dialect(&rule.name).zip(protocol.dialect());
    let severity = in_dialect.map_or(rule.severity, |(severity, _)| severity);
    writeln!(out, "{} ({})\n", visible(&rule.name), word(severity))?;
    writeln!(out, "It means:    {}", visible(&rule.means))?;
    writeln!(out, "What to do:  {}", visible(&rule.help))?;
    for RuleCase { on, help, .. } in &rule.cases {
        let (Some(first), Some(help)) = (on.first(), help) else { continue };
        let others = if on.len() > 1 { format!(" and {}", count(on.len() as u64 - 1, "other")) } else { String::new() };
        writeln!(out, "  of {}{others}: {}", visible(first), visible(help))?;
    }
    if let Some((severity, dialect)) = in_dialect {
        let (name, usual) = (visible(&dialect.name), word(rule.severity));
        writeln!(out, "Dialect:     {}, by {name}; without a dialect {usual}", word(severity))?;
    }
    if let Some(configured) = here.configured {
        writeln!(out, "Configured:  {configured}")?;
    }
    match rule.basis {
        Basis::Document => {
            writeln!(out, "The document ({}) says:", visible(protocol.source().unwrap_or(protocol.title())))?;
            for quote in &rule.quotes {
                writeln!(out, "  {}", in_quotes(&visible(quote)))?;
            }
        }
        _ => writeln!(out, "{}", basis_words(protocol, rule))?,
    }
    if let Some(example) = protocol.example(&rule.name) {
        write_example(out, protocol, rule, (example, here))?;
    }
    Ok(())
}

/// Returns what a rule rests on, in a sentence; empty if that is the document, which is quoted.
pub fn basis_words(protocol: &Protocol, rule: &Rule) -> String {
    match rule.basis {
        Basis::Framing if Framing::named(&rule.name).is_some() => {
            "It is about how streams are written and read; the document has no words for it.".to_owned()
        }
        Basis::Framing => format!("It quotes no document: the tables of {} say so.", visible(protocol.title())),
        Basis::Inference => format!(
            "It is an inference of those who wrote the rules of {}: no document says so.",
            visible(protocol.title())
        ),
        Basis::Upkeep => {
            "It is a rule of sessionlint itself, about what surrounds a stream: files, or the producer. No event breaks it."
                .to_owned()
        }
        Basis::Schema => {
            "It is based on the event's schema; a finding quotes what the document says about its field.".to_owned()
        }
        Basis::Document => String::new(),
    }
}

fn write_example(
    out: &mut impl Write,
    protocol: &Protocol,
    rule: &Rule,
    (example, here): (&Example, Here<'_>),
) -> io::Result<()> {
    let options = if example.args.is_empty() { String::new() } else { format!(", with {}", visible(&example.args)) };
    let escapes = if example.escapes { ", where \\xNN is a byte" } else { "" };
    for (words, text) in [("breaks it", &example.breaks), ("keeps it", &example.keeps)] {
        writeln!(out, "\nThis {words}{options}{escapes}:")?;
        match text.as_str() {
            "" => writeln!(out, "  (nothing at all)")?,
            _ => text.lines().try_for_each(|line| writeln!(out, "  {}", visible(line)))?,
        }
    }
    if example.escapes || !example.breaks.is_empty() && !example.breaks.ends_with('\n') {
        // An editor could not write these bytes.
        return Ok(());
    }
    if protocol.is_of_records() && rule.basis == Basis::Inference {
        // The example is two files: a stream, and records.
        return writeln!(
            out,
            "\nTry it: put the lines whose payload is an object into stream.ndjson and the others into records.ndjson, and \
             run `sessionlint reconcile stream.ndjson --records records.ndjson{}`.",
            if example.args.is_empty() { String::new() } else { format!(" {}", example.args) }
        );
    }
    let mut options = here.protocol.map_or_else(String::new, |name| format!(" --protocol {}", as_word(name)));
    if !example.args.is_empty() {
        options.push_str(&format!(" {}", example.args));
    }
    writeln!(out, "\nTry it: put the lines into a file and run `sessionlint check{options} FILE`.")
}

/// Returns a name as a word of a command line; what a shell could read otherwise is left to the reader.
fn as_word(name: &str) -> &str {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:+@".contains(c);
    if name.chars().all(is_plain) { name } else { "DIR" }
}
