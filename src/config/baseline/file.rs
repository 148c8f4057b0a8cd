//! The file format of the baseline. Each entry is on a line of its own, so that a diff shows each finding that came or
//! went.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use sessionlint_core::Problem;
use sessionlint_core::finding::FindingKind;
use sessionlint_core::text::is_control;
use sessionlint_core::{toml_reader, toml_tables};
use toml::Spanned;

use super::Entry;
use crate::error::FileError;

/// The version of the file's format.
const VERSION: u64 = 1;
const HELP: &str = "sessionlint check PATHS --write-baseline FILE writes one; fix it, or delete it and write it again";

/// The entries of a baseline, by file and kind of finding.
pub type KnownFindings = BTreeMap<String, HashMap<FindingKind, Entry>>;

toml_tables! {
    /// The file as TOML.
    struct File {
        version: Spanned<u64> = required,
        findings: Vec<Spanned<Recorded>> = required,
    }

    /// An entry as TOML.
    struct Recorded {
        file: String = required,
        rule: String = required,
        event_type: Option<String> = optional("type"),
        pointer: Option<String> = optional,
        count: Spanned<u64> = required,
    }
}

/// Reads the text of the baseline at `path`. `written` normalizes the name of a recording to the form that the program
/// writes.
pub fn read(path: &Path, text: &str, written: impl Fn(String) -> String) -> Result<KnownFindings, FileError> {
    let file: File = toml_reader::read(text, HELP).map_err(|problems| FileError::new(path, text, problems))?;
    let mut problems = Vec::new();
    let mut problem = |span: Range<usize>, message: String| {
        problems.push(Problem { message, label: "here".to_owned(), span, help: HELP.to_owned() });
    };
    if *file.version.get_ref() != VERSION {
        let message = format!("this program reads version {VERSION} of a baseline, not {}", file.version.get_ref());
        problem(file.version.span(), message);
    }
    let mut known = KnownFindings::new();
    for recorded in file.findings {
        let span = recorded.span();
        let Recorded { file, rule, event_type, pointer, count } = recorded.into_inner();
        if *count.get_ref() == 0 {
            problem(count.span(), "this entry records no finding".to_owned());
        }
        let entry = Entry { count: count.into_inner(), span: span.clone(), ..Entry::default() };
        let kind = FindingKind { rule: rule.into(), event_type: event_type.map(Arc::from), pointer };
        if known.entry(written(file)).or_default().insert(kind, entry).is_some() {
            problem(span, "an earlier entry records the same".to_owned());
        }
    }
    if problems.is_empty() { Ok(known) } else { Err(FileError::new(path, text, problems)) }
}

/// The text before the entries, and after them.
pub const HEAD: &str = "# Known findings, which sessionlint does not report; it reports all others.\n\
    # Written by: sessionlint check PATHS --write-baseline FILE\n\
    version = 1\n\
    findings = [\n";
pub const FOOT: &str = "]\n";

/// Returns the line of an entry.
pub fn line(file: &str, kind: &FindingKind, count: u64) -> String {
    let mut line = String::from("    { file = ");
    string(&mut line, file);
    for (key, value) in
        [("rule", Some(&*kind.rule)), ("type", kind.event_type.as_deref()), ("pointer", kind.pointer.as_deref())]
    {
        if let Some(value) = value {
            line.push_str(&format!(", {key} = "));
            string(&mut line, value);
        }
    }
    line.push_str(&format!(", count = {count} }},\n"));
    line
}

/// Appends a TOML string on one line, with every character escaped that a terminal could act on.
fn string(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            _ if is_control(c) => line.push_str(&format!("\\U{:08X}", u32::from(c))),
            _ => line.push(c),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let text = "version = 1\nfindings = [\n  { file = 1, rule = \"r\", count = 1 },\n  7,\n\
            \x20 { file = \"a\", rlue = \"r\", count = -1 },\n]\nmore = true\n";
        let refused = read(Path::new("b.toml"), text, |file| file);
        let Err(FileError::Wrong { problems, .. }) = refused else { panic!("it has mistakes") };
        let at = |offset: usize| text[offset..].split(['\n', ' ', ',']).next().unwrap_or_default();
        let found: Vec<_> = problems.iter().map(|problem| (problem.to_string(), at(problem.offset))).collect();
        let expected = [
            ("`file` must be a string, but is of the type integer", "1"),
            ("`findings` must be a table, but is of the type integer", "7"),
            ("there is no key `rlue` here", "rlue"),
            ("`count` must be a whole number from 0 to 18446744073709551615", "-1"),
            ("there is no key `more` here", "more"),
        ];
        assert_eq!(found, expected.map(|(message, at)| (message.to_owned(), at)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            texts in prop::collection::vec(r#"(?s)([ -~]|[\x00-\x1f"\\]|é|🙂|\x7f|\u{9b}|\u{202e}|\u{e0001}){0,20}"#, 4),
            some in any::<[bool; 2]>(),
            count in 1..u64::from(u32::MAX),
        ) {
            let [file, rule, event_type, pointer] = [0, 1, 2, 3].map(|index| texts[index].as_str());
            let kind = FindingKind {
                rule: rule.into(),
                event_type: some[0].then(|| event_type.into()),
                pointer: some[1].then(|| pointer.to_owned()),
            };
            let line = line(file, &kind, count);
            prop_assert_eq!(line.matches('\n').count(), 1, "one line");
            let text = [HEAD, &line, FOOT].concat();
            let known = read(Path::new("b.toml"), &text, |file| file).expect("it was just written");
            prop_assert_eq!(known[file][&kind].count, count);
            prop_assert_eq!(&text[known[file][&kind].span.clone()], line.trim().trim_end_matches(','));
        }
    }
}
