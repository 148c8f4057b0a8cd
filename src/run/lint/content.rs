//! Loads a file into memory, with its expectation, and decides how its content is judged.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use sessionlint_core::event::Settings;
use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::records::{DETECTION_BYTES, RecordOptions};

use super::Worker;
use super::rewrite::FixedFile;
use super::selection::is_fixture_name;
use crate::compressed::{Decompressor, ReadError};
use crate::config::read;
use crate::lint::markdown::{Block, blocks};
use crate::lint::{
    self, Classification, Expectation, Fixture, FixtureSettings, MOST_FINDINGS, TOO_LARGE, TOO_LARGE_HELP, classify,
    classify_block, expectation, is_markdown,
};
use crate::run::paths::is_stream_name;
use crate::run::{BLOCK, Choice, JudgedBy, Progress, Target};

/// The largest file that is read, decompressed, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// The result of loading a file.
pub enum LoadOutcome {
    /// The content.
    File(Box<Content>),
    TooLarge,
    /// An expectation whose fixture does not exist; `None` if the rule is off.
    OrphanExpectation(Option<Box<Finding>>),
    Unreadable(io::Error),
}

/// The content of a file, and how it is judged.
pub struct Content {
    pub name: Arc<str>,
    pub text: Vec<u8>,
    damaged: Option<String>,
    pub is_compressed: bool,
    pub is_markdown: bool,
    /// The fenced blocks, if the file is Markdown.
    pub blocks: Vec<Block>,
    /// The classification of each block that may be a fixture, with the block's index; that of the whole file, with
    /// `None`, if it is not Markdown.
    pub classifications: Vec<(Option<usize>, Classification)>,
    /// The number of the protocol by which streams are judged.
    pub protocol: usize,
    pub settings: FixtureSettings,
    pub expectation: Option<Expectation>,
    /// The finding or the error about an expectation that cannot be read.
    pub expectation_problem: Option<Result<Finding, io::Error>>,
    /// Whether the caller named it.
    pub is_named: bool,
    /// The result of fixing the file, if it was to be fixed.
    pub fix_result: Option<FixedFile>,
}

/// A block or a whole file that may be a fixture.
pub struct Candidate<'c> {
    pub block: Option<&'c Block>,
    /// The fixture, or the reason why the candidate is skipped.
    pub fixture: Result<Fixture<'c>, lint::SkipReason>,
}

impl Content {
    /// Returns whether the file may be rewritten: it is not meant to be broken, and not compressed.
    pub fn may_be_rewritten(&self) -> bool {
        self.expectation.is_none() && self.expectation_problem.is_none() && !self.is_compressed
    }

    /// Returns all candidates, in the order of the file.
    pub fn candidates(&self) -> Vec<Candidate<'_>> {
        let all = self.classifications.iter().map(|(number, class)| {
            let block = number.map(|number| &self.blocks[number]);
            let fixture = class.kind.map(|kind| Fixture {
                file: &self.name,
                text: block.map_or(&self.text[..], |block| &block.text),
                damaged: self.damaged.as_deref().filter(|_| block.is_none()),
                block,
                kind,
                is_declared: class.is_declared,
                survey: &class.survey,
            });
            Candidate { block, fixture }
        });
        all.collect()
    }
}

impl<'w> Worker<'w, '_> {
    /// Loads a file.
    pub fn load(&self, number: usize) -> LoadOutcome {
        let target = &self.targets[number];
        let name = target.name();
        let is_named = match target {
            Target::StandardInput(_) => true,
            Target::File(path) => self.lint.named.contains(path),
        };
        if let Target::File(path) = target
            && let Some(fixture) = expectation::fixture_path(path)
            && !fixture.exists()
        {
            let severity = self.severity(number, Upkeep::ExpectationWithoutFixture);
            return LoadOutcome::OrphanExpectation(
                severity.map(|severity| expectation::fixture_missing(&name, &fixture, severity).into()),
            );
        }
        let (expectation_path, read) = match target {
            Target::StandardInput(_) => (None, Ok(())),
            // The fixture of a named expectation was not itself named, and may be anything.
            Target::File(path) => {
                (Some(expectation::path_for(path)), if is_named { Ok(()) } else { self.check_in_scope(path) })
            }
        };
        let InputBytes { text, damaged, is_compressed } = match read.and_then(|()| read_all(target, self.run.progress))
        {
            Ok(Some(read)) => read,
            Ok(None)
                if is_named
                    || expectation_path.is_some_and(|expectation_path| expectation_path.symlink_metadata().is_ok()) =>
            {
                return LoadOutcome::Unreadable(io::Error::other(format!("it is {TOO_LARGE}; {TOO_LARGE_HELP}")));
            }
            Ok(None) => return LoadOutcome::TooLarge,
            Err(cause) => return LoadOutcome::Unreadable(cause),
        };
        let path = Path::new(&*name);
        let is_markdown = is_markdown(path);
        let blocks = if is_markdown { blocks(&text) } else { Vec::new() };
        let by = self.choose(number, &text, &blocks);
        let mut content = Content {
            blocks,
            name,
            text,
            damaged,
            is_compressed,
            is_markdown,
            classifications: Vec::new(),
            protocol: self.linters.number(by.protocol),
            settings: self.default_settings(number, &by),
            expectation: None,
            expectation_problem: None,
            is_named,
            fix_result: None,
        };
        if let Target::File(path) = target {
            self.read_expectation(number, path, &by, &mut content);
        }
        content.classifications = self.classify(&content);
        LoadOutcome::File(Box::new(content))
    }

    /// Returns how a text is judged: by the protocol that its content tells, or in Markdown the first block that does.
    fn choose(&self, number: usize, text: &[u8], blocks: &[Block]) -> JudgedBy<'w> {
        let texts = blocks.iter().filter(|block| lint::has_fixture_language(block)).map(|block| &block.text[..]);
        let whole = blocks.is_empty().then_some(text);
        let told = texts.chain(whole).find_map(|text| {
            match self.run.choose(number, &text[..text.len().min(DETECTION_BYTES)]) {
                Choice::By(by) => Some(by),
                Choice::Unknown(_) | Choice::Ambiguous(..) => None,
            }
        });
        told.unwrap_or_else(|| self.run.usual(number))
    }

    pub fn classify(&self, content: &Content) -> Vec<(Option<usize>, Classification)> {
        let linter = self.linters.at(content.protocol);
        let Content { name, text, settings, .. } = content;
        if !content.is_markdown {
            // Somebody has emptied it: only streams have these names.
            let is_emptied = is_stream_name(Path::new(&**name)) && lint::is_blank(text);
            let is_fixture = content.is_named || content.expectation.is_some() || is_emptied;
            return vec![(None, classify(linter, text, name, settings, is_fixture))];
        }
        let candidates = content.blocks.iter().enumerate().filter(|(_, block)| lint::has_fixture_language(block));
        candidates.map(|(number, block)| (Some(number), classify_block(linter, block, name, settings))).collect()
    }

    /// Checks that a file that was not named is within the named paths, and is a regular file.
    fn check_in_scope(&self, path: &Path) -> io::Result<()> {
        if path.is_symlink() && !(self.lint.is_within)(path) {
            return Err(io::Error::other("it is a link that leads outside the named paths, or nowhere"));
        }
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        Ok(())
    }

    /// Reads the expectation of a file, and applies its options to the file's settings.
    fn read_expectation(&self, number: usize, path: &Path, by: &JudgedBy<'_>, content: &mut Content) {
        let file = expectation::path_for(path);
        let name: Arc<str> = file.to_string_lossy().into();
        let text = match self.check_in_scope(&file).and_then(|()| read(&file)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                let severity = self.severity(number, Upkeep::BrokenExpectation);
                content.expectation_problem =
                    severity.map(|severity| Ok(expectation::not_text(&name, &error.to_string(), severity)));
                return;
            }
            Err(error) => {
                content.expectation_problem = Some(Err(error));
                return;
            }
        };
        if !is_fixture_name(path) && !expectation::is_expectation(&text) {
            return;
        }
        let mut expectation = Expectation::read(name, text, self.lint.rules);
        match self.settings_with_args(number, by, expectation.args(), content.is_markdown) {
            Ok((settings, protocol)) => (content.settings, content.protocol) = (settings, protocol),
            Err(why) => expectation.reject_args(why),
        }
        // What is expected must be found, and what is found beside it must be seen.
        content.settings.most_findings += expectation.expected();
        content.expectation = Some(expectation);
    }

    /// Returns the settings of a file without an expectation.
    fn default_settings(&self, number: usize, by: &JudgedBy<'_>) -> FixtureSettings {
        let settings = &by.settings;
        let stored = self.run.stored;
        let records = stored.map_or_else(|| settings.clone(), |stored| (stored.settings)(number));
        FixtureSettings {
            streams: settings.clone(),
            records,
            record_options: stored.map_or_else(RecordOptions::default, |stored| stored.options),
            all_records: stored.is_some_and(|stored| stored.all),
            fragment: (self.lint.fragment)(number),
            most_findings: MOST_FINDINGS,
        }
    }

    /// Returns the settings of a file with an expectation, and the number of its protocol. They follow its options, and the file is judged as
    /// `sessionlint check` judges it, so that a broken stream is not classified as something else. Markdown blocks are
    /// still classified by their content.
    fn settings_with_args(
        &self,
        number: usize,
        by: &JudgedBy<'_>,
        args: &str,
        is_markdown: bool,
    ) -> Result<(FixtureSettings, usize), String> {
        let mut protocol = self.linters.number(by.protocol);
        let mut settings = self.default_settings(number, by);
        if !args.is_empty() {
            let parsed = (self.lint.parse_args)(number, args)?;
            let named = parsed.protocol.zip(self.run.candidates).map(|(named, candidates)| candidates.all[named].get());
            let own = named.unwrap_or(by.protocol);
            protocol = self.linters.number(own);
            let of_records = self.run.stored.and_then(|stored| stored.protocol.get()).unwrap_or(own);
            settings.records = Arc::new(Settings::new(of_records, parsed.options.clone()));
            settings.streams = Arc::new(Settings::new(own, parsed.options));
            (settings.record_options, settings.all_records) = (parsed.record_options, parsed.all_records);
        }
        let fragment = settings.streams.options().fragment();
        if !is_markdown || fragment {
            settings.fragment = Some(fragment);
        }
        Ok((settings, protocol))
    }
}

/// All bytes of an input, decompressed.
struct InputBytes {
    /// The decompressed text.
    text: Vec<u8>,
    /// The damage of the compressed form after the text, if any.
    damaged: Option<String>,
    is_compressed: bool,
}

/// Reads an input to its end; `None` if it is too large.
fn read_all(target: &Target, progress: &Progress) -> io::Result<Option<InputBytes>> {
    let source: Box<dyn Read> = match target {
        Target::StandardInput(_) => Box::new(io::stdin()),
        Target::File(path) => Box::new(File::open(path)?),
    };
    let mut reader = Decompressor::new(source)?;
    let is_compressed = !reader.is_plain();
    let (mut text, mut length) = (Vec::new(), 0);
    loop {
        // A file of the usual size takes two system calls.
        text.resize(length + BLOCK.min(MOST_BYTES + 1 - length), 0);
        match reader.read(&mut text[length..]) {
            Ok(0) => {
                text.truncate(length);
                return Ok(Some(InputBytes { text, damaged: None, is_compressed }));
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
                return Ok(Some(InputBytes { text, damaged: Some(cause), is_compressed }));
            }
            Err(ReadError::Unreadable(cause)) => return Err(cause),
        }
    }
}
