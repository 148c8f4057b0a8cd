//! Fixes files in memory, before they are judged in their new state. The caller decides whether they are written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sessionlint_core::records::RecordIndex;

use super::Worker;
use super::content::Content;
use crate::lint::fix::Level;
use crate::lint::markdown::blocks;
use crate::lint::{Fixture, FixtureContext, MEANT_TO_BE_BROKEN};
use crate::run::Target;

/// The reason why a file with bodies of responses is left alone.
pub const HOLDS_RESPONSES: &str = "it holds responses, and what stands around them is not for this program to write";

/// Options for fixing files.
pub struct FixOptions<'m> {
    pub level: Level,
    /// Whether the fixed content replaces the file's, so that the report is about the fixed content.
    pub in_place: bool,
    /// Receives each file in its turn.
    pub report: &'m (dyn Fn(FixedFile) + Sync),
}

/// The result of fixing a file.
pub struct FixedFile {
    pub path: PathBuf,
    /// The change, or the reason why the file is left alone.
    pub result: Result<FileChange, &'static str>,
}

/// The content of a file before and after fixing it.
pub struct FileChange {
    pub before: Vec<u8>,
    pub after: Vec<u8>,
    /// Number of changes of each kind: formatting changes by their name, edits by the rule that they fix.
    pub applied: BTreeMap<Arc<str>, u64>,
}

impl Worker<'_, '_> {
    /// Fixes a file, if it is a fixture that may be rewritten and needs a change.
    pub fn fix(
        &self,
        fix: &FixOptions<'_>,
        number: usize,
        mut content: Box<Content>,
        index: &RecordIndex,
    ) -> Box<Content> {
        let Target::File(path) = &self.targets[number] else { return content };
        let is_fixture = content.candidates().iter().any(|one| one.fixture.is_ok());
        let refused = match &content {
            content if content.bodies.is_some() => Some(HOLDS_RESPONSES),
            _ if !is_fixture => return content,
            content if content.expectation.is_some() || content.expectation_problem.is_some() => {
                Some(MEANT_TO_BE_BROKEN)
            }
            content if content.is_compressed => Some("it is compressed"),
            _ => None,
        };
        let result = match refused {
            Some(why) => Err(why),
            None => match self.change(&content, fix.level, index) {
                Some(change) => Ok(change),
                None => return content,
            },
        };
        if let (Ok(change), true) = (&result, fix.in_place) {
            content.text.clone_from(&change.after);
            content.blocks = if content.is_markdown { blocks(&content.text) } else { Vec::new() };
            content.parts = self.parts(number, &content);
        }
        content.fix_result = Some(FixedFile { path: path.clone(), result });
        content
    }

    fn change(&self, content: &Content, level: Level, index: &RecordIndex) -> Option<FileChange> {
        let mut applied: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        // In Markdown, the lines of each block that changes; otherwise the whole file.
        let mut edits = Vec::new();
        for (part, fixture) in content.candidates().into_iter().filter_map(|one| Some((one.part, one.fixture.ok()?))) {
            let (linter, settings) = (self.linters.at(part.protocol), &part.settings);
            let own = self.block_index(&fixture, settings);
            let index = own.as_ref().unwrap_or(index);
            let kind = linter.judge(&fixture, settings, index).kind;
            let fixed = linter.fix(&FixtureContext { fixture: &fixture, settings, index, kind }, level);
            let Some(new) = fixed.bytes else { continue };
            let Some(edit) = replacement(content, &fixture, new) else { continue };
            edits.push(edit);
            for (what, count) in fixed.applied {
                *applied.entry(what).or_default() += count;
            }
        }
        let (mut after, mut at) = (Vec::with_capacity(content.text.len()), 0);
        for (range, new) in &edits {
            after.extend_from_slice(&content.text[at..range.start]);
            after.extend_from_slice(new);
            at = range.end;
        }
        after.extend_from_slice(&content.text[at..]);
        (!edits.is_empty()).then(|| FileChange { before: content.text.clone(), after, applied })
    }
}

/// Returns the bytes of the file that `new` replaces, and the replacement; `None` if a block cannot be put back.
pub fn replacement(
    content: &Content,
    fixture: &Fixture<'_>,
    new: Vec<u8>,
) -> Option<(std::ops::Range<usize>, Vec<u8>)> {
    if fixture.body.is_some() {
        return None;
    }
    let Some(block) = fixture.block else { return Some((0..content.text.len(), new)) };
    let (range, lines) = block.with_text(&content.text, &new)?;
    let after = [&content.text[..range.start], &lines, &content.text[range.end..]].concat();
    let number = content.blocks.iter().position(|other| std::ptr::eq(other, block))?;
    // Parsing the new file must give this block with its new text, and all others unchanged.
    let found = blocks(&after);
    let same = found.len() == content.blocks.len()
        && found.iter().zip(&content.blocks).enumerate().all(|(other, (found, before))| {
            found.info == before.info && found.text == if other == number { &new[..] } else { &before.text[..] }
        });
    same.then_some((range, lines))
}
