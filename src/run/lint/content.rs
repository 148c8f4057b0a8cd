//! Loads a file into memory, with its expectation, and decides how its content is judged.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use sessionlint_core::event::Settings;
use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Upkeep;
use sessionlint_core::records::RecordOptions;

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
use crate::run::{BLOCK, Choice, ExpectationArgs, JudgedBy, Progress, Target};

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
    /// Each block, or body, that may be a fixture; or the whole file.
    pub parts: Vec<Part>,
    pub expectation: Option<Expectation>,
    /// How the expectation says that the file is judged; `None` if there is none that can be followed.
    declared: Option<Declared>,
    /// The finding or the error about an expectation that cannot be read.
    pub expectation_problem: Option<Result<Finding, io::Error>>,
    /// Whether the caller named it.
    pub is_named: bool,
    /// The result of fixing the file, if it was to be fixed.
    pub fix_result: Option<FixedFile>,
}

/// A part of a file that may be a fixture.
pub struct Part {
    /// The index of the block or the body; `None` for the whole file.
    pub number: Option<usize>,
    pub class: Classification,
    /// The number of the protocol by which its stream is judged.
    pub protocol: usize,
    pub settings: FixtureSettings,
}

/// How an expectation says that its file is judged.
struct Declared {
    /// Its options, if it has any.
    args: Option<ExpectationArgs>,
}

/// The bodies of a file, with their texts.
pub struct BodyTexts {
    pub held: HeldBodies,
    /// The text of each body, decompressed, and its damage.
    pub texts: Vec<(Vec<u8>, Option<String>)>,
}

/// A block, a body or a whole file that may be a fixture.
pub struct Candidate<'c> {
    pub part: &'c Part,
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
        let all = self.parts.iter().map(|part| {
            let (number, class) = (part.number, &part.class);
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
            Candidate { part, block, body, fixture }
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
            Target::File(path) => self.lint.named.contains(path),
            Target::StandardInput(_) | Target::Copy(..) => true,
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
            Target::StandardInput(_) | Target::Copy(..) => (None, Ok(())),
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
        let mut content = Content {
            blocks,
            name,
            text,
            damaged,
            is_compressed,
            is_markdown,
            bodies: None,
            parts: Vec::new(),
            expectation: None,
            declared: None,
            expectation_problem: None,
            is_named,
            fix_result: None,
        };
        if !is_markdown && !self.run.stored.is_some_and(|stored| stored.all) {
            content.bodies = self.bodies(number, &content);
        }
        if let Target::File(path) = target {
            self.read_expectation(number, path, &mut content);
        }
        content.parts = self.parts(number, &content);
        LoadOutcome::File(Box::new(content))
    }

    /// Returns the parts of a file that may be fixtures, each with the protocol that it tells itself. One that tells none is
    /// judged by that of the part before it, or else by the first that is told.
    pub fn parts(&self, number: usize, content: &Content) -> Vec<Part> {
        let is_candidate = |block: &Block| content.is_markdown && lint::has_fixture_language(block);
        let blocks = content.blocks.iter().enumerate().filter(|(_, block)| is_candidate(block));
        let blocks = blocks.map(|(number, block)| (Some(number), &block.text[..]));
        let bodies = content.bodies.iter().flat_map(|bodies| &bodies.texts).enumerate();
        let bodies = bodies.map(|(number, (text, _))| (Some(number), &text[..]));
        let whole = (!content.is_markdown && content.bodies.is_none()).then_some((None, &content.text[..]));
        let texts: Vec<_> = blocks.chain(bodies).chain(whole).collect();
        let told = |text: &[u8]| match self.run.choose(number, text) {
            Choice::By(by) => Some(by),
            Choice::Unknown(_) | Choice::Ambiguous(..) => None,
        };
        let told: Vec<_> = texts.iter().map(|(_, text)| told(text)).collect();
        let mut by = told.iter().flatten().next().cloned().unwrap_or_else(|| self.run.usual(number));
        let mut known: Vec<(usize, (usize, FixtureSettings))> = Vec::new();
        let each = texts.into_iter().zip(told).map(|((index, text), told)| {
            by = told.unwrap_or_else(|| by.clone());
            let (protocol, settings) = match known.iter().find(|(told, _)| *told == by.number) {
                Some((_, settings)) => settings.clone(),
                None => {
                    let settings = self.settings(number, &by, content);
                    known.push((by.number, settings.clone()));
                    settings
                }
            };
            let class = self.classify(content, index, text, protocol, &settings);
            Part { number: index, class, protocol, settings }
        });
        each.collect()
    }

    /// Classifies a part of a file.
    fn classify(
        &self,
        content: &Content,
        number: Option<usize>,
        text: &[u8],
        protocol: usize,
        settings: &FixtureSettings,
    ) -> Classification {
        let (linter, name) = (self.linters.at(protocol), &content.name);
        match number {
            Some(_) if content.bodies.is_some() => {
                let kind = if settings.fragment == Some(true) { FixtureKind::Fragment } else { FixtureKind::Stream };
                let survey = linter.survey(text, name, settings, kind);
                Classification { kind: Ok(kind), is_declared: true, survey }
            }
            Some(number) => classify_block(linter, &content.blocks[number], name, settings),
            None => {
                // Somebody has emptied it: only streams have these names.
                let is_emptied = is_stream_name(Path::new(&**name)) && lint::is_blank(text);
                let is_fixture = content.is_named || content.expectation.is_some() || is_emptied;
                classify(linter, text, name, settings, is_fixture)
            }
        }
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

    /// Reads the expectation of a file, and how it says that the file is judged.
    fn read_expectation(&self, number: usize, path: &Path, content: &mut Content) {
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
        let args = expectation.args();
        match (!args.is_empty()).then(|| (self.lint.parse_args)(number, args)).transpose() {
            Ok(args) => content.declared = Some(Declared { args }),
            Err(why) => expectation.reject_args(why),
        }
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

    /// Returns the number of the protocol by which a part of a file is judged that tells this one, and its settings. If the
    /// file has an expectation, they follow its options, and the file is judged as `sessionlint check` judges it, so that
    /// a broken stream is not classified as something else. Markdown blocks are still classified by their content.
    fn settings(&self, number: usize, by: &JudgedBy<'_>, content: &Content) -> (usize, FixtureSettings) {
        let mut protocol = by.number;
        let mut settings = self.default_settings(number, by);
        // What is expected must be found, and what is found beside it must be seen.
        settings.most_findings += content.expectation.as_ref().map_or(0, Expectation::expected);
        let Some(declared) = &content.declared else { return (protocol, settings) };
        if let Some(args) = &declared.args {
            let mut own = by.protocol;
            if let Some((named, candidates)) = args.protocol.zip(self.run.candidates) {
                (protocol, own) = (named, candidates.all[named].get());
            }
            let of_records = self.run.stored.and_then(|stored| stored.protocol.get()).unwrap_or(own);
            settings.records = Arc::new(Settings::new(of_records, args.options.clone()));
            settings.streams = Arc::new(Settings::new(own, args.options.clone()));
            (settings.record_options, settings.all_records) = (args.record_options, args.all_records);
        }
        let fragment = settings.streams.options().fragment();
        if !content.is_markdown || fragment {
            settings.fragment = Some(fragment);
        }
        (protocol, settings)
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
    let mut reader = Decompressor::new(target.open()?)?;
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
