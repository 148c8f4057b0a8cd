//! Files that are mended in memory, before they are judged as they will be. Whether they are written is the caller's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sessionlint_core::records::Known;

use super::Worker;
use super::look::Content;
use crate::lint::fix::Level;
use crate::lint::markdown::blocks;
use crate::lint::{Fixture, MEANT_TO_BE_BROKEN, Mending as OfFixture};
use crate::run::Target;

/// How files are mended.
pub struct Mending<'m> {
    pub level: Level,
    /// Whether files become what they are mended to, so that this is what is reported.
    pub writes: bool,
    /// Is told of each file in its turn.
    pub tell: &'m (dyn Fn(Mended) + Sync),
}

/// What became of a file.
pub struct Mended {
    pub path: PathBuf,
    pub result: Result<Change, &'static str>,
}

/// What a file was, and what it becomes.
pub struct Change {
    pub before: Vec<u8>,
    pub after: Vec<u8>,
    /// What was done, and how often.
    pub applied: BTreeMap<Arc<str>, u64>,
}

impl Worker<'_, '_> {
    /// Mends a file, if it is to be mended and needs to be.
    pub fn mend(&self, mending: &Mending<'_>, number: usize, mut content: Box<Content>, known: &Known) -> Box<Content> {
        let Target::File(path) = &self.targets[number] else { return content };
        let is_fixture = content.all().iter().any(|one| one.fixture.is_ok());
        let refused = match &content {
            _ if !is_fixture => return content,
            content if content.expectation.is_some() || content.unread.is_some() => Some(MEANT_TO_BE_BROKEN),
            content if content.is_compressed => Some("it is compressed"),
            _ => None,
        };
        let result = match refused {
            Some(why) => Err(why),
            None => match self.changed(&content, mending.level, known) {
                Some(change) => Ok(change),
                None => return content,
            },
        };
        if let (Ok(change), true) = (&result, mending.writes) {
            content.text.clone_from(&change.after);
            content.blocks = if content.is_markdown { blocks(&content.text) } else { Vec::new() };
            content.sorted = self.sort(&content);
        }
        content.mended = Some(Mended { path: path.clone(), result });
        content
    }

    fn changed(&self, content: &Content, level: Level, known: &Known) -> Option<Change> {
        let mut applied: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        // Of Markdown, the lines of each block that changes; else the whole file.
        let mut edits = Vec::new();
        for fixture in content.all().into_iter().filter_map(|one| one.fixture.ok()) {
            let own = self.own(&fixture, &content.manner);
            let known = own.as_ref().unwrap_or(known);
            let taken = self.linter.judge(&fixture, &content.manner, known).taken;
            let of_fixture = OfFixture { fixture: &fixture, manner: &content.manner, known, taken };
            let fixed = self.linter.mended(&of_fixture, level);
            let Some(new) = fixed.bytes else { continue };
            let Some(edit) = edit(content, &fixture, new) else { continue };
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
        (!edits.is_empty()).then(|| Change { before: content.text.clone(), after, applied })
    }
}

/// What takes the place of which bytes of the file; none where a block cannot be put back.
pub fn edit(content: &Content, fixture: &Fixture<'_>, new: Vec<u8>) -> Option<(std::ops::Range<usize>, Vec<u8>)> {
    let Some(block) = fixture.block else { return Some((0..content.text.len(), new)) };
    let (range, lines) = block.with_text(&content.text, &new)?;
    let after = [&content.text[..range.start], &lines, &content.text[range.end..]].concat();
    let number = content.blocks.iter().position(|other| std::ptr::eq(other, block))?;
    // What reads the file must find it there, and the others as they were.
    let found = blocks(&after);
    let same = found.len() == content.blocks.len()
        && found.iter().zip(&content.blocks).enumerate().all(|(other, (found, before))| {
            found.info == before.info && found.text == if other == number { &new[..] } else { &before.text[..] }
        });
    same.then_some((range, lines))
}
