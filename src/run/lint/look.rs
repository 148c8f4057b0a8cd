//! A file → what is in it, and how that is to be judged. It is read into memory as a whole.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use sessionlint_core::event::Settings;
use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::records::Asked;

use super::Worker;
use super::found::is_fixture_name;
use super::mend::Mended;
use crate::compressed::{Decompressed, ReadError};
use crate::config::read;
use crate::lint::markdown::{Block, blocks};
use crate::lint::{
    self, Expectation, Fixture, Manner, Sorted, TOO_LARGE, TOO_LARGE_HELP, expected, is_markdown, sorted, sorted_block,
};
use crate::run::{BLOCK, Progress, Target};

/// The largest file that is read, decompressed, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// A file, looked at.
pub enum Looked {
    /// What is in it.
    File(Box<Content>),
    TooLarge,
    /// An expectation whose fixture is not there.
    Alone(Option<Box<Finding>>),
    Unreadable(io::Error),
}

/// What is in a file.
pub struct Content {
    pub name: Arc<str>,
    pub text: Vec<u8>,
    damaged: Option<String>,
    pub is_compressed: bool,
    pub is_markdown: bool,
    /// Of Markdown.
    pub blocks: Vec<Block>,
    /// Of each block that is looked at its number, or of the file as a whole.
    pub sorted: Vec<(Option<usize>, Sorted)>,
    pub manner: Manner,
    pub expectation: Option<Expectation>,
    /// What is wrong with an expectation that cannot be read.
    pub unread: Option<Result<Finding, io::Error>>,
    /// Whether the caller named it.
    pub is_named: bool,
    /// What was done to it, if it was to be mended.
    pub mended: Option<Mended>,
}

/// One of the fixtures of a file, or what is none.
pub struct One<'c> {
    pub block: Option<&'c Block>,
    /// None: it is skipped, and why.
    pub fixture: Result<Fixture<'c>, lint::Skipped>,
}

impl Content {
    /// Whether somebody may write it again: it is not meant to be broken, and stands in its file as it is.
    pub fn may_be_mended(&self) -> bool {
        self.expectation.is_none() && self.unread.is_none() && !self.is_compressed
    }

    /// Everything that was looked at, in the order of the file.
    pub fn all(&self) -> Vec<One<'_>> {
        let all = self.sorted.iter().map(|(number, sorted)| {
            let block = number.map(|number| &self.blocks[number]);
            let fixture = sorted.taken.map(|taken| Fixture {
                file: &self.name,
                text: block.map_or(&self.text[..], |block| &block.text),
                damaged: self.damaged.as_deref().filter(|_| block.is_none()),
                block,
                taken,
                is_said: sorted.is_said,
                survey: &sorted.survey,
            });
            One { block, fixture }
        });
        all.collect()
    }
}

impl Worker<'_, '_> {
    /// Looks at a file.
    pub fn look(&self, number: usize) -> Looked {
        let target = &self.targets[number];
        let name = target.name();
        let is_named = match target {
            Target::StandardInput => true,
            Target::File(path) => self.lint.named.contains(path),
        };
        if let Target::File(path) = target
            && let Some(fixture) = expected::fixture_of(path)
            && !fixture.exists()
        {
            let severity = self.severity(number, Upkeep::ExpectationWithoutFixture);
            return Looked::Alone(severity.map(|severity| expected::without_fixture(&name, &fixture, severity).into()));
        }
        let (beside, read) = match target {
            Target::StandardInput => (None, Ok(())),
            // What stands beside an expectation was not named, and may be anything.
            Target::File(path) => (Some(expected::beside(path)), if is_named { Ok(()) } else { self.is_ours(path) }),
        };
        let Whole { text, damaged, is_compressed } = match read.and_then(|()| whole(target, self.run.progress)) {
            Ok(Some(read)) => read,
            Ok(None) if is_named || beside.is_some_and(|beside| beside.symlink_metadata().is_ok()) => {
                return Looked::Unreadable(io::Error::other(format!("it is {TOO_LARGE}; {TOO_LARGE_HELP}")));
            }
            Ok(None) => return Looked::TooLarge,
            Err(cause) => return Looked::Unreadable(cause),
        };
        let path = Path::new(&*name);
        let is_markdown = is_markdown(path);
        let mut content = Content {
            blocks: if is_markdown { blocks(&text) } else { Vec::new() },
            name,
            text,
            damaged,
            is_compressed,
            is_markdown,
            sorted: Vec::new(),
            manner: self.usual(number),
            expectation: None,
            unread: None,
            is_named,
            mended: None,
        };
        if let Target::File(path) = target {
            self.expect(number, path, &mut content);
        }
        content.sorted = self.sort(&content);
        Looked::File(Box::new(content))
    }

    pub fn sort(&self, content: &Content) -> Vec<(Option<usize>, Sorted)> {
        let Content { name, text, manner, .. } = content;
        if !content.is_markdown {
            let must = content.is_named || content.expectation.is_some();
            return vec![(None, sorted(self.linter, text, name, manner, must))];
        }
        let looked_at = content.blocks.iter().enumerate().filter(|(_, block)| lint::is_looked_at(block));
        looked_at.map(|(number, block)| (Some(number), sorted_block(self.linter, block, name, manner))).collect()
    }

    /// Whether a file that was not named is one of what was named, and can be read to an end.
    fn is_ours(&self, path: &Path) -> io::Result<()> {
        if path.is_symlink() && !(self.lint.within)(path) {
            return Err(io::Error::other("it is a link that leads out of what is named, or nowhere"));
        }
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(())
    }

    /// Reads what is expected of a file, and judges it by the options that stand there.
    fn expect(&self, number: usize, path: &Path, content: &mut Content) {
        let file = expected::beside(path);
        let name: Arc<str> = file.to_string_lossy().into();
        let text = match self.is_ours(&file).and_then(|()| read(&file)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                let severity = self.severity(number, Upkeep::BrokenExpectation);
                content.unread = severity.map(|severity| Ok(expected::no_text(&name, &error.to_string(), severity)));
                return;
            }
            Err(error) => {
                content.unread = Some(Err(error));
                return;
            }
        };
        if !is_fixture_name(path) && !expected::is_expectation(&text) {
            return;
        }
        let mut expectation = Expectation::read(name, text, self.lint.rules);
        match self.manner(number, expectation.args(), content.is_markdown) {
            Ok(manner) => content.manner = manner,
            Err(why) => expectation.refuse_args(why),
        }
        content.expectation = Some(expectation);
    }

    /// How a file is judged of which nothing is expected.
    fn usual(&self, number: usize) -> Manner {
        let settings = &self.run.settings[number];
        let stored = self.run.stored;
        let of_records = stored.map_or_else(|| settings.clone(), |stored| (stored.settings)(number));
        Manner {
            settings: settings.clone(),
            of_records,
            asked: stored.map_or_else(Asked::default, |stored| stored.asked),
            all_records: stored.is_some_and(|stored| stored.all),
            decided: (self.lint.decided)(number),
        }
    }

    /// How a file is judged of which something is expected: by these options, and as `sessionlint check` does it, so that
    /// what is broken in it is not taken for what it is. Blocks of Markdown are still what they hold.
    fn manner(&self, number: usize, args: &str, is_markdown: bool) -> Result<Manner, String> {
        let mut manner = self.usual(number);
        if !args.is_empty() {
            let told = (self.lint.told)(number, args)?;
            let protocol = self.run.stored.and_then(|stored| stored.protocol.get()).unwrap_or(self.run.protocol);
            manner.of_records = Arc::new(Settings::new(protocol, told.options.clone()));
            manner.settings = Arc::new(Settings::new(self.run.protocol, told.options));
            (manner.asked, manner.all_records) = (told.asked, told.all_records);
        }
        let fragment = manner.settings.options().fragment;
        if !is_markdown || fragment {
            manner.decided = Some(fragment);
        }
        Ok(manner)
    }
}

/// All bytes of an input.
struct Whole {
    /// Decompressed.
    text: Vec<u8>,
    /// How its compressed form is damaged behind them.
    damaged: Option<String>,
    is_compressed: bool,
}

/// Reads an input. None: it is too large.
fn whole(target: &Target, progress: &Progress) -> io::Result<Option<Whole>> {
    let source: Box<dyn Read> = match target {
        Target::StandardInput => Box::new(io::stdin()),
        Target::File(path) => Box::new(File::open(path)?),
    };
    let mut reader = Decompressed::new(source)?;
    let is_compressed = !reader.is_plain();
    let (mut text, mut length) = (Vec::new(), 0);
    loop {
        // A file of the usual size is read with two calls of the system.
        text.resize(length + BLOCK.min(MOST_BYTES + 1 - length), 0);
        match reader.read(&mut text[length..]) {
            Ok(0) => {
                text.truncate(length);
                return Ok(Some(Whole { text, damaged: None, is_compressed }));
            }
            Ok(count) => {
                progress.add_bytes(count);
                length += count;
                if length > MOST_BYTES {
                    return Ok(None);
                }
            }
            Err(ReadError::Damaged(cause)) => {
                text.truncate(length);
                return Ok(Some(Whole { text, damaged: Some(cause), is_compressed }));
            }
            Err(ReadError::Unreadable(cause)) => return Err(cause),
        }
    }
}
