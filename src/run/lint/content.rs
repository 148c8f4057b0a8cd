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
use crate::bodies::{Body, Source};
use crate::compressed::{Decompressor, ReadError};
use crate::config::read;
use crate::lint::markdown::{Block, blocks};
use crate::lint::{
    self, Classification, Expectation, Fixture, FixtureKind, FixtureSettings, MOST_FINDINGS, TOO_LARGE, TOO_LARGE_HELP,
    classify, classify_block, expectation, is_markdown,
};
use crate::run::bodies::{self, HeldBodies};
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
    /// The bodies of responses that are streams, if the file holds such.
    pub bodies: Option<Box<BodyTexts>>,
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

/// The bodies of a file, with their texts.
pub struct BodyTexts {
    pub held: HeldBodies,
    /// The text of each body, decompressed, and its damage.
    pub texts: Vec<(Vec<u8>, Option<String>)>,
}

/// A block, a body or a whole file that may be a fixture.
pub struct Candidate<'c> {
    pub block: Option<&'c Block>,
    pub body: Option<(&'c Body, &'c Source)>,
    /// The fixture, or the reason why the candidate is skipped.
    pub fixture: Result<Fixture<'c>, lint::SkipReason>,
}

impl Content {
    /// Returns whether the file may be rewritten: it is not meant to be broken, and not compressed.
    pub fn may_be_rewritten(&self) -> bool {
        let is_plain = !self.is_compressed && self.bodies.is_none();
        self.expectation.is_none() && self.expectation_problem.is_none() && is_plain
    }

    /// Returns all candidates, in the order of the file.
    pub fn candidates(&self) -> Vec<Candidate<'_>> {
        let all = self.classifications.iter().map(|(number, class)| {
            let of_body = number.zip(self.bodies.as_deref());
            let block = number.filter(|_| of_body.is_none()).map(|number| &self.blocks[number]);
            let body = of_body.map(|(number, bodies)| (&bodies.held.streams[number], &bodies.held.source));
            let (text, damaged) = match of_body {
                Some((number, bodies)) => (&bodies.texts[number].0[..], bodies.texts[number].1.as_deref()),
                None => {
                    let text = block.map_or(&self.text[..], |block| &block.text);
                    (text, self.damaged.as_deref().filter(|_| block.is_none()))
                }
            };
            let fixture = class.kind.map(|kind| Fixture {
                file: &self.name,
                text,
                damaged,
                block,
                body,
                kind,
                is_declared: class.is_declared,
                survey: &class.survey,
            });
            Candidate { block, body, fixture }
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
        let usual = self.run.usual(number);
        let mut content = Content {
            blocks,
            name,
            text,
            damaged,
            is_compressed,
            is_markdown,
            bodies: None,
            classifications: Vec::new(),
            protocol: usual.number,
            settings: self.default_settings(number, &usual),
            expectation: None,
            expectation_problem: None,
            is_named,
            fix_result: None,
        };
        if !is_markdown && !content.settings.all_records {
            content.bodies = self.bodies(number, &content);
        }
        let by = self.choose(number, &content);
        content.protocol = by.number;
        content.settings = self.default_settings(number, &by);
        if let Target::File(path) = target {
            self.read_expectation(number, path, &by, &mut content);
        }
        content.classifications = self.classify(&content);
        LoadOutcome::File(Box::new(content))
    }

    /// Returns how a file is judged: by the protocol that its content tells, or the first of its blocks or bodies that does.
    fn choose(&self, number: usize, content: &Content) -> JudgedBy<'w> {
        let blocks = content.blocks.iter().filter(|block| lint::has_fixture_language(block));
        let bodies = content.bodies.iter().flat_map(|bodies| &bodies.texts).map(|(text, _)| &text[..]);
        let texts = blocks.map(|block| &block.text[..]).chain(bodies);
        let whole = (content.blocks.is_empty() && content.bodies.is_none()).then_some(&content.text[..]);
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
        if let Some(bodies) = &content.bodies {
            let kind = if settings.fragment == Some(true) { FixtureKind::Fragment } else { FixtureKind::Stream };
            let class = |(text, _): &(Vec<u8>, _)| Classification {
                kind: Ok(kind),
                is_declared: true,
                survey: linter.survey(text, name, settings, kind),
            };
            return bodies.texts.iter().map(class).enumerate().map(|(number, class)| (Some(number), class)).collect();
        }
        if !content.is_markdown {
            // Somebody has emptied it: only streams have these names.
            let is_emptied = is_stream_name(Path::new(&**name)) && lint::is_blank(text);
            let is_fixture = content.is_named || content.expectation.is_some() || is_emptied;
            return vec![(None, classify(linter, text, name, settings, is_fixture))];
        }
        let candidates = content.blocks.iter().enumerate().filter(|(_, block)| lint::has_fixture_language(block));
        candidates.map(|(number, block)| (Some(number), classify_block(linter, block, name, settings))).collect()
    }

    /// Returns the bodies in a file; `None` if none of them is a stream, or the file holds none.
    fn bodies(&self, number: usize, content: &Content) -> Option<Box<BodyTexts>> {
        let held = bodies::in_text(self.run, number, &content.name, &content.text)?;
        let texts = held.streams.iter().map(|body| {
            let (mut text, mut block) = (Vec::new(), vec![0; BLOCK]);
            let mut reader = body.reader().ok()?;
            loop {
                match reader.read(&mut block) {
                    Ok(0) => return Some((text, None)),
                    Ok(count) if text.len() + count <= MOST_BYTES => text.extend_from_slice(&block[..count]),
                    Ok(_) => return Some((text, Some(format!("the body is {TOO_LARGE}, and its rest is not linted")))),
                    Err(cause) => return Some((text, Some(cause.to_string()))),
                }
            }
        });
        let texts = texts.collect::<Option<Vec<_>>>()?;
        Some(Box::new(BodyTexts { held, texts }))
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
        let mut protocol = by.number;
        let mut settings = self.default_settings(number, by);
        if !args.is_empty() {
            let parsed = (self.lint.parse_args)(number, args)?;
            let mut own = by.protocol;
            if let Some((named, candidates)) = parsed.protocol.zip(self.run.candidates) {
                (protocol, own) = (named, candidates.all[named].get());
            }
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
