//! A file or a block → whether it is a fixture, and what kind of one.

use std::path::Path;
use std::sync::Arc;

use sessionlint_core::finding::{Finding, Severity};
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::text::{nearest, visible};

use super::fixture::{Linter, Manner};
use super::survey::Survey;
use super::{TOO_LARGE, Taken};
use crate::lint::markdown::Block;

/// The languages of blocks that may hold events or records.
const LANGUAGES: [&str; 4] = ["json", "jsonl", "ndjson", "sse"];
/// What the info string of a block may say of it: this, `=`, and one of the words.
const SAID: &str = "sessionlint";
const WORDS: [(&str, Said); 5] = [
    ("skip", Said::Skip),
    ("stream", Said::Taken(Taken::Stream)),
    ("fragment", Said::Taken(Taken::Fragment)),
    ("event", Said::Taken(Taken::Event)),
    ("records", Said::Taken(Taken::Records)),
];

/// What a block says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Skip,
    Taken(Taken),
}

/// Why something that was looked at is not linted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    NoEvent,
    Enclosed,
    NoBlock,
    Partial,
    Asked,
    TooLarge,
}

impl Skipped {
    /// The reason, as lists give it.
    pub fn words(self) -> &'static str {
        match self {
            Skipped::NoEvent => "no event of the protocol in it",
            Skipped::Enclosed => "its event types stand inside of something else, which is not read",
            Skipped::NoBlock => "no fenced block of json, jsonl, ndjson or sse in it",
            Skipped::Partial => "only a part of an event: it has an ellipsis or a comment",
            Skipped::Asked => "its info string says so",
            Skipped::TooLarge => TOO_LARGE,
        }
    }
}

/// Whether a file is Markdown, by its name. It may be compressed.
pub fn is_markdown(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
    [".md", ".markdown"].iter().any(|ending| name.len() > ending.len() && name.ends_with(ending))
}

/// Whether a block is of a language that is looked at.
pub fn is_looked_at(block: &Block) -> bool {
    LANGUAGES.contains(&block.language().as_str())
}

/// A file or a block, looked at.
pub struct Sorted {
    pub taken: Result<Taken, Skipped>,
    /// Whether that was said, so that the checker is not asked whether the first event begins a stream.
    pub is_said: bool,
    pub survey: Survey,
}

/// What a file is taken for. `must`: it is a fixture, whatever is in it.
pub fn sorted(linter: &Linter<'_>, text: &[u8], name: &str, manner: &Manner, must: bool) -> Sorted {
    let all = manner.all_records;
    let taken_for = |taken: Taken, survey: Survey, is_said: bool| {
        let taken = match survey.encloses {
            _ if must || survey.of_protocol => Ok(taken),
            true => Err(Skipped::Enclosed),
            false => Err(Skipped::NoEvent),
        };
        Sorted { taken, is_said, survey }
    };
    if all || linter.looks_like_records(text, name) {
        let survey = linter.survey(text, name, manner, Taken::Records);
        if all || must || survey.of_protocol {
            return taken_for(Taken::Records, survey, all);
        }
    }
    let survey = linter.survey(text, name, manner, Taken::Stream);
    taken_for(taken(&survey, manner.decided), survey, manner.decided.is_some())
}

/// What a block of Markdown is taken for; its info string decides.
pub fn sorted_block(linter: &Linter<'_>, block: &Block, name: &str, manner: &Manner) -> Sorted {
    match said(&block.info) {
        Some(Said::Skip) => Sorted { taken: Err(Skipped::Asked), is_said: true, survey: Survey::default() },
        Some(Said::Taken(taken)) => {
            let survey = linter.survey(&block.text, name, manner, taken);
            // Several events are none by itself.
            let is_several = taken == Taken::Event && survey.pieces > 1;
            Sorted { taken: Ok(if is_several { Taken::Fragment } else { taken }), is_said: true, survey }
        }
        None => match sorted(linter, &block.text, name, manner, false) {
            Sorted { survey, is_said, .. } if survey.broken && is_partial(&block.text) => {
                Sorted { taken: Err(Skipped::Partial), is_said, survey }
            }
            sorted => sorted,
        },
    }
}

/// Whether an input is one event, or begins a stream, is seen from the events alone; whether it can begin one, the
/// checker says.
fn taken(survey: &Survey, decided: Option<bool>) -> Taken {
    match decided {
        Some(false) => Taken::Stream,
        _ if survey.pieces == 1 => Taken::Event,
        Some(true) => Taken::Fragment,
        None => Taken::Stream,
    }
}

/// What the info string of a block says of it.
fn said(info: &str) -> Option<Said> {
    let said = word(info)?;
    WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(said)).map(|(_, said)| *said)
}

/// The word that the info string of a block has for it, known or not.
fn word(info: &str) -> Option<&str> {
    let words = info.split_ascii_whitespace().skip(1);
    words.filter_map(|word| word.strip_prefix(SAID)?.strip_prefix('=')).next()
}

/// That the info string of a block has a word that says nothing of it, if that is so.
pub fn unknown_word(block: &Block, file: &Arc<str>, severity: Severity) -> Option<Finding> {
    let word = word(&block.info).filter(|_| said(&block.info).is_none())?;
    let message = match word {
        "" => format!("no word stands behind `{SAID}=`"),
        word => format!("`{SAID}={}` says nothing of this block", visible(word)),
    };
    let nearest = nearest(&word.to_ascii_lowercase(), WORDS.iter().map(|(word, _)| *word));
    let place = block.place_of(&format!("{SAID}={word}"));
    let found = Finding::of_file(Upkeep::UnknownBlockWord.name(), severity, message, file, place);
    Some(Finding { help: nearest.map(|word| format!("did you mean {word}?").into()), ..found })
}

/// Whether something outside of strings says that this is not all: an ellipsis, or a comment.
fn is_partial(text: &[u8]) -> bool {
    let mut string = false;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        match byte {
            b'\\' if string => at += 1,
            b'"' => string = !string,
            // A string ends with its line, so that a torn one does not hide the rest.
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
        assert_eq!(said("json sessionlint=fragment"), Some(Said::Taken(Taken::Fragment)));
        assert_eq!(said("json title=x sessionlint=skip"), Some(Said::Skip));
        assert_eq!(said("json sessionlint=SKIP"), Some(Said::Skip));
        assert_eq!((word("json sessionlint"), said("json sessionlint=skipp")), (None, None));
        assert_eq!(said("sessionlint=skip"), None, "the first word is the language");
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
