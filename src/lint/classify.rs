//! Decides whether a file or a block is a fixture, and of which kind.

use std::path::Path;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sessionlint_core::finding::{Finding, Severity};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::text::{did_you_mean, nearest, visible};

use super::fixture::{FixtureSettings, Linter};
use super::survey::Survey;
use super::{FixtureKind, TOO_LARGE};
use crate::lint::markdown::Block;

/// The languages of blocks that may hold events or records.
const LANGUAGES: [&str; 4] = ["json", "jsonl", "ndjson", "sse"];
/// The key of a directive in the info string of a block; `=` and one of `WORDS` follow.
const DIRECTIVE: &str = "sessionlint";
const WORDS: [(&str, Directive); 5] = [
    ("skip", Directive::Skip),
    ("stream", Directive::Kind(FixtureKind::Stream)),
    ("fragment", Directive::Kind(FixtureKind::Fragment)),
    ("event", Directive::Kind(FixtureKind::Event)),
    ("records", Directive::Kind(FixtureKind::Records)),
];

/// A directive in the info string of a block: skip it, or treat it as a fixture of a certain kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Skip,
    Kind(FixtureKind),
}

/// The reason why an input is not linted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    NoEvent,
    Empty,
    Enclosed,
    NoBlock,
    Partial,
    InfoString,
    TooLarge,
}

impl SkipReason {
    /// Returns the text that listings use.
    pub fn label(self) -> &'static str {
        match self {
            SkipReason::NoEvent => "no event of the protocol in it",
            SkipReason::Empty => "nothing in it",
            SkipReason::Enclosed => "its event types are inside something else, which is not read",
            SkipReason::NoBlock => "no fenced block of json, jsonl, ndjson or sse in it",
            SkipReason::Partial => "only a part of an event: it has an ellipsis or a comment",
            SkipReason::InfoString => "its info string says so",
            SkipReason::TooLarge => TOO_LARGE,
        }
    }
}

impl Serialize for SkipReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

/// Returns whether a file is Markdown, possibly compressed, judging by its name.
pub fn is_markdown(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
    [".md", ".markdown"].iter().any(|ending| name.len() > ending.len() && name.ends_with(ending))
}

/// Returns whether a block is in a language that may hold events or records.
pub fn has_fixture_language(block: &Block) -> bool {
    LANGUAGES.contains(&block.language().as_str())
}

/// Returns whether there is nothing in a text but white space.
pub fn is_blank(text: &[u8]) -> bool {
    text.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(text).trim_ascii().is_empty()
}

/// The classification of a file or a block.
pub struct Classification {
    pub kind: Result<FixtureKind, SkipReason>,
    /// Whether the kind was declared; otherwise the checker decides whether the first event begins a stream.
    pub is_declared: bool,
    pub survey: Survey,
}

/// Classifies a text. `is_fixture`: it is a fixture whatever its content.
pub fn classify(
    linter: &Linter<'_>,
    text: &[u8],
    name: &str,
    settings: &FixtureSettings,
    is_fixture: bool,
) -> Classification {
    let all = settings.all_records;
    let classified_as = |kind: FixtureKind, survey: Survey, is_declared: bool| {
        let kind = match survey.encloses {
            _ if is_fixture || survey.of_protocol => Ok(kind),
            true => Err(SkipReason::Enclosed),
            false if is_blank(text) => Err(SkipReason::Empty),
            false => Err(SkipReason::NoEvent),
        };
        Classification { kind, is_declared, survey }
    };
    if all || linter.looks_like_records(text, name) {
        let survey = linter.survey(text, name, settings, FixtureKind::Records);
        if all || is_fixture || survey.of_protocol {
            return classified_as(FixtureKind::Records, survey, all);
        }
    }
    let survey = linter.survey(text, name, settings, FixtureKind::Stream);
    classified_as(kind_by_content(&survey, settings.fragment), survey, settings.fragment.is_some())
}

/// Classifies a Markdown block, by the directive in its info string if there is one.
pub fn classify_block(linter: &Linter<'_>, block: &Block, name: &str, settings: &FixtureSettings) -> Classification {
    match directive(&block.info) {
        Some(Directive::Skip) => {
            Classification { kind: Err(SkipReason::InfoString), is_declared: true, survey: Survey::default() }
        }
        Some(Directive::Kind(kind)) => {
            let survey = linter.survey(&block.text, name, settings, kind);
            // Several events are not a single event.
            let is_several = kind == FixtureKind::Event && survey.pieces > 1;
            Classification {
                kind: Ok(if is_several { FixtureKind::Fragment } else { kind }),
                is_declared: true,
                survey,
            }
        }
        None => match classify(linter, &block.text, name, settings, false) {
            Classification { survey, is_declared, .. } if survey.broken && is_partial(&block.text) => {
                Classification { kind: Err(SkipReason::Partial), is_declared, survey }
            }
            other => other,
        },
    }
}

/// Returns the kind of an input of events by their number and by `fragment`. Whether the first event can begin a stream
/// is decided later, by the checker.
fn kind_by_content(survey: &Survey, fragment: Option<bool>) -> FixtureKind {
    match fragment {
        Some(false) => FixtureKind::Stream,
        _ if survey.pieces == 1 => FixtureKind::Event,
        Some(true) => FixtureKind::Fragment,
        None => FixtureKind::Stream,
    }
}

/// Returns the directive in the info string of a block, if it has a valid one.
fn directive(info: &str) -> Option<Directive> {
    let found = directive_word(info)?;
    WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(found)).map(|(_, directive)| *directive)
}

/// Returns the word after `sessionlint=` in the info string of a block, known or not.
fn directive_word(info: &str) -> Option<&str> {
    let words = info.split_ascii_whitespace().skip(1);
    words.filter_map(|word| word.strip_prefix(DIRECTIVE)?.strip_prefix('=')).next()
}

/// Returns a finding if the info string of a block has an unknown `sessionlint=` word.
pub fn unknown_directive(block: &Block, file: &Arc<str>, severity: Severity) -> Option<Finding> {
    let word = directive_word(&block.info).filter(|_| directive(&block.info).is_none())?;
    let message = match word {
        "" => format!("there is no word after `{DIRECTIVE}=`"),
        word => format!("`{DIRECTIVE}={}` has an unknown word", visible(word)),
    };
    let nearest = nearest(&word.to_ascii_lowercase(), WORDS.iter().map(|(word, _)| *word));
    let place = block.place_of(&format!("{DIRECTIVE}={word}"));
    let found = Finding::of_file(Upkeep::UnknownBlockWord.name(), severity, message, file, place);
    Some(found.with_help(nearest.map(did_you_mean)))
}

/// Returns whether a text has an ellipsis or a comment outside of strings, so that it is not complete JSON.
fn is_partial(text: &[u8]) -> bool {
    let mut string = false;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        match byte {
            b'\\' if string => at += 1,
            b'"' => string = !string,
            // A string ends with its line at the latest, so that an unterminated one does not hide the rest.
            b'\n' => string = false,
            _ if string => {}
            b'#' => return true,
            _ if ["...", "…", "//", "/*"].iter().any(|mark| rest.starts_with(mark.as_bytes())) => return true,
            _ => {}
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_string_decides() {
        assert_eq!(directive("json sessionlint=fragment"), Some(Directive::Kind(FixtureKind::Fragment)));
        assert_eq!(directive("json title=x sessionlint=skip"), Some(Directive::Skip));
        assert_eq!(directive("json sessionlint=SKIP"), Some(Directive::Skip));
        assert_eq!((directive_word("json sessionlint"), directive("json sessionlint=skipp")), (None, None));
        assert_eq!(directive("sessionlint=skip"), None, "the first word is the language");
    }

    #[test]
    fn what_is_left_out_is_seen_outside_of_strings_alone() {
        for partial in [r#"{"a": ...}"#, "{…}", "{\n  // b\n}", r#"{"a": 1} # b"#, "/* */", "\"torn\n..."] {
            assert!(is_partial(partial.as_bytes()), "{partial}");
        }
        for whole in [r#"{"a": "... // # …"}"#, r#"["\"...", "\\"]"#, "{} / 2", ".."] {
            assert!(!is_partial(whole.as_bytes()), "{whole}");
        }
    }

    #[test]
    fn markdown_is_known_by_its_ending() {
        for name in ["a.md", "b/A.MARKDOWN", "a.md.gz", "a.b.markdown.zst"] {
            assert!(is_markdown(Path::new(name)), "{name}");
        }
        for name in ["md", ".md", "a.json", "a.md.json", ".md.gz"] {
            assert!(!is_markdown(Path::new(name)), "{name}");
        }
    }
}
