//! Files that hold bodies of responses. Each body that is a stream of events is judged as a recording by itself.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::{self, Read};
use std::slice;
use std::sync::Arc;

use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, Settings, TraceSearch};
use sessionlint_core::finding::{Finding, Place, Report};
use sessionlint_core::framing::Framing;
use sessionlint_core::records::{DETECTION_BYTES, looks_like_records};
use sessionlint_core::text::count;

use super::files::Unit;
use super::records::{RecordSettings, ambiguous};
use super::{BLOCK, Choice, JudgedBy, Run, next_size};
use crate::bodies::{self, Body, Candidate, Container, Guess, MOST_BYTES, Source, TakenApart};
use crate::compressed::{self, Decompressor, ReadError};
use crate::report::BodyCounts;

/// The media types of streams.
const STREAM_TYPES: [&str; 6] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/stream+json",
];

/// The number of bytes in which a body that is no stream of server-sent events is searched for events.
const SEARCHED_BYTES: usize = 1 << 20;

/// The bodies of a file.
pub struct HeldBodies {
    pub source: Source,
    /// The bodies that are streams, in the order of the file.
    pub streams: Vec<Body>,
    /// The bodies that cannot be read, and how they are compressed.
    unread: Vec<(Body, String)>,
    pub counts: BodyCounts,
}

impl HeldBodies {
    /// Returns what is to be said of each body that cannot be read.
    pub fn unread_words(&self) -> impl Iterator<Item = String> {
        self.unread.iter().map(|(body, compression)| unread_words(body, compression))
    }

    /// Returns whether no body is a stream, nor may be one.
    pub fn is_without_streams(&self) -> bool {
        self.streams.is_empty() && self.unread.is_empty()
    }

    /// Returns what there is in place of streams, in words.
    pub fn words(&self) -> String {
        match self.counts.others {
            0 => "it holds no body of a response".to_owned(),
            1 => "it holds the body of a response, which is no stream of events".to_owned(),
            number => format!("it holds {}, none of them a stream of events", count(number, "response")),
        }
    }
}

fn unread_words(body: &Body, compression: &str) -> String {
    format!("{} is compressed with {compression}, which is not read", body.name)
}

/// Returns whether a target is searched for bodies: it is not, if the caller has said in which form it is,
/// or where the events are.
pub fn are_looked_for(run: &Run<'_>, number: usize) -> bool {
    let options = run.settings[number].options();
    options.wire().is_none() && options.unwrap().is_empty()
}

/// The result of [`take_apart`].
pub enum Taken {
    Bodies(Box<HeldBodies>),
    /// The input holds no bodies, and is unchanged.
    Unchanged(Box<dyn Read + Send>),
}

/// Takes an input apart that may hold bodies by its beginning.
///
/// # Errors
///
/// If the input cannot be read, or holds bodies for sure and cannot be taken apart.
pub fn take_apart(run: &Run<'_>, number: usize, guess: Guess, reader: Box<dyn Read + Send>) -> io::Result<Taken> {
    let mut reader = reader;
    let mut raw = Vec::new();
    (&mut reader).take(MOST_BYTES as u64 + 1).read_to_end(&mut raw)?;
    let is_compressed = compressed::is_compressed(&raw);
    let text = match (raw.len() > MOST_BYTES, is_compressed) {
        (true, _) => None,
        (false, true) => decompressed(&raw)?,
        (false, false) => Some(std::mem::take(&mut raw)),
    };
    let Some(text) = text else {
        if guess.is_sure {
            let most = MOST_BYTES >> 20;
            let words = format!("it holds responses and is larger than {most} MiB: it must be split to be checked");
            return Err(io::Error::other(words));
        }
        return Ok(Taken::Unchanged(Box::new(io::Cursor::new(raw).chain(reader))));
    };
    let unchanged = |text: Vec<u8>, raw: Vec<u8>| {
        Taken::Unchanged(Box::new(io::Cursor::new(if is_compressed { raw } else { text }).chain(reader)))
    };
    match bodies::take_apart(text, guess) {
        TakenApart::Broken(why) => Err(io::Error::other(why)),
        TakenApart::Other(text) => Ok(unchanged(text, raw)),
        TakenApart::Container(container) => Ok(match select(run, number, guess, *container) {
            Ok(held) => Taken::Bodies(Box::new(held)),
            Err(source) => unchanged(source.into_bytes(), raw),
        }),
    }
}

/// Returns the bodies in a text that was read already; `None` if it holds no stream as a body, or stored records.
pub fn in_text(run: &Run<'_>, number: usize, name: &str, text: &[u8]) -> Option<HeldBodies> {
    let beginning = &text[..text.len().min(DETECTION_BYTES)];
    let guess = bodies::guess(beginning).filter(|_| are_looked_for(run, number))?;
    let is_of_records =
        |stored: &RecordSettings<'_>| looks_like_records(beginning, name, run.protocol, || stored.protocol.get());
    if run.stored.as_ref().is_some_and(is_of_records) {
        return None;
    }
    let TakenApart::Container(container) = bodies::take_apart(text.to_vec(), guess) else { return None };
    let held = select(run, number, guess, *container).ok()?;
    (!held.streams.is_empty()).then_some(held)
}

/// Returns the decompressed text; `None` if it is too large or damaged.
fn decompressed(raw: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut reader = Decompressor::new(raw)?;
    let (mut text, mut block) = (Vec::new(), vec![0; BLOCK]);
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(Some(text)),
            Ok(count) if text.len() + count <= MOST_BYTES => text.extend_from_slice(&block[..count]),
            Ok(_) | Err(ReadError::Damaged(_)) => return Ok(None),
            Err(ReadError::Unreadable(cause)) => return Err(cause),
        }
    }
}

/// Selects the bodies that are streams. Returns the file if it is none with bodies: it holds events itself, or no stream
/// and nothing else by which it is known.
fn select(run: &Run<'_>, number: usize, guess: Guess, container: Container) -> Result<HeldBodies, Source> {
    let Container { source, candidates, responses, is_sure } = container;
    let mut held = HeldBodies { source, streams: Vec::new(), unread: Vec::new(), counts: BodyCounts::default() };
    let mut with_stream: Vec<usize> = Vec::new();
    for candidate in candidates {
        let Candidate { response, .. } = candidate;
        if let Some(name) = candidate.unread {
            held.unread.push((candidate.body, name));
        } else if is_stream(run, number, &candidate) {
            held.streams.push(candidate.body);
        } else {
            continue;
        }
        with_stream.extend(response);
    }
    with_stream.sort_unstable();
    with_stream.dedup();
    held.counts.judged = held.streams.len() as u64;
    held.counts.others = responses.saturating_sub(with_stream.len() as u64);
    // In YAML, the lines of a body look like those of a stream.
    let is_recording = || guess.is_json() && holds_events(run, number, &held.source, is_sure);
    if !is_sure && held.streams.is_empty() || is_recording() {
        return Err(held.source);
    }
    Ok(held)
}

/// Returns whether a file is a recording itself: its own values are events of the protocol, and not what is in its strings.
/// `has_responses`: it looks like no recording, so that a long event is not searched for in it.
fn holds_events(run: &Run<'_>, number: usize, source: &Source, has_responses: bool) -> bool {
    let bytes = source.bytes();
    let most = if has_responses { DETECTION_BYTES } else { bytes.len() };
    let protocol = run.choose(number, &bytes[..bytes.len().min(most)]).judged_by().protocol;
    let settings = Settings::new(protocol, Options::default());
    let mut checker = StreamChecker::new(protocol, &settings, None);
    checker.feed(bytes);
    let report = checker.finish();
    let is_wrapped = report.summary.by_rule.contains_key(Framing::WrappedEvents.name());
    !is_wrapped && report.stats.by_type.keys().any(|name| protocol.event_id(name).is_some())
}

/// Returns whether a body is a stream, if only the rest of one or a faulty one.
fn is_stream(run: &Run<'_>, number: usize, candidate: &Candidate) -> bool {
    let Candidate { body, is_known, .. } = candidate;
    let beginning = body.beginning(SEARCHED_BYTES);
    let is_declared = body.content_type.as_deref().is_some_and(|media_type| STREAM_TYPES.contains(&media_type));
    if *is_known && is_declared || bodies::is_server_sent(&beginning) {
        return true;
    }
    if bodies::is_one_object(&beginning) || !is_known && !bodies::has_json_lines(&beginning) {
        return false;
    }
    match run.choose(number, &beginning) {
        Choice::By(by) | Choice::Unknown(by) => TraceSearch::new(by.protocol, &by.settings).feed(&beginning),
        Choice::Ambiguous(..) => true,
    }
}

impl<'r> Run<'r> {
    /// Returns how the body of a response is judged.
    pub fn choose_body(&self, number: usize, body: &Body) -> Choice<'r> {
        let Ok(choice) = self.choose_from(number, |range| {
            let text = body.beginning(range.end);
            Ok::<_, Infallible>(text.get(range.start..).unwrap_or_default().to_vec())
        });
        choice
    }
}

impl Unit<'_, '_, '_> {
    /// Judges the bodies of a file.
    pub(super) fn bodies(&mut self, number: usize, file: Arc<str>, held: HeldBodies) -> bool {
        let HeldBodies { source, streams, unread, counts } = &held;
        let (mut total, mut judged) = (Report::default(), Vec::new());
        self.run.progress.add_bytes(source.bytes().len());
        for body in streams {
            let choice = self.run.choose_body(number, body);
            let (by, mut report) = match choice {
                Choice::Ambiguous(by, names) => {
                    let mut finding = ambiguous(&file, &by, &names);
                    body.shift(source, &mut finding);
                    (by, Report::new(vec![finding]))
                }
                choice => {
                    let by = choice.judged_by();
                    let Some(report) = self.body(&by, &file, source, body) else { return false };
                    (by, report)
                }
            };
            self.hold_back(&mut report.findings);
            total.repeats.append(&mut report.repeats);
            total.summary.add(&report.summary);
            total.stats.add(&report.stats);
            judged.push((by, report.stats));
        }
        for (body, compression) in unread {
            let message = unread_words(body, compression);
            let mut place = Place::of_file();
            body.point_at(source, &mut place);
            self.add_own(&mut total, number, &file, Framing::CheckSkipped, message, place);
        }
        if held.is_without_streams() {
            let message = format!("there is no event in this file: {}", held.words());
            self.add_own(&mut total, number, &file, Framing::NoEvents, message, Place::of_file());
        }
        total.summary.files = 1;
        let (usual, counts) = (self.run.usual(number), *counts);
        self.turn(|sink| {
            sink.outcome.bodies.add(counts);
            let mut counted = BTreeSet::new();
            for (by, stats) in &judged {
                // The file counts once for each protocol.
                let is_first = by.has_events(stats) && counted.insert(by.protocol.name());
                sink.count_judged(by, stats, u64::from(is_first));
            }
            sink.end(slice::from_ref(&file), total, |rule| usual.is_off(rule))
        })
    }

    /// Judges a body. Returns its report, whose first findings may have been reported already; `None` if the report cannot
    /// be written.
    fn body(&mut self, by: &JudgedBy<'_>, file: &Arc<str>, source: &Source, body: &Body) -> Option<Report> {
        let mut checker = self.checker(by, file);
        let mut reader = body.reader().ok()?;
        let mut size = BLOCK;
        let (mut report, exercised) = loop {
            match reader.read(&mut self.block[..size]) {
                Ok(0) => break checker.end(None),
                Ok(count) => checker.feed(&self.block[..count]),
                Err(ReadError::Damaged(cause)) => break checker.end(Some(&cause)),
                Err(ReadError::Unreadable(cause)) => break checker.end(Some(&cause.to_string())),
            }
            let findings = checker.findings();
            size = next_size(size, findings.len(), BLOCK);
            findings.iter_mut().for_each(|finding| body.shift(source, finding));
            self.hold_back(findings);
            if !self.report_if_due() {
                return None;
            }
        };
        report.findings.iter_mut().for_each(|finding| body.shift(source, finding));
        if exercised.is_some()
            && !self.turn(|sink| {
                sink.add_exercised(exercised);
                true
            })
        {
            return None;
        }
        Some(report)
    }

    /// Adds a finding about the file rather than about an event of it, unless its rule is off.
    fn add_own(
        &mut self,
        total: &mut Report,
        number: usize,
        file: &Arc<str>,
        rule: Framing,
        message: String,
        place: Place,
    ) {
        let Some(severity) = self.run.settings[number].severity(self.run.protocol, rule.name()).flatten() else {
            return;
        };
        total.summary.count(rule.name(), severity, 1);
        self.hold_back(&mut vec![Finding::of_file(rule.name(), severity, message, file, place)]);
    }
}
