//! The checker that callers use: bytes in, findings out, whatever the protocol is about.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::check::StreamChecker;
use crate::event::{Options, Settings};
use crate::finding::{Finding, Report};
use crate::protocol::Protocol;
use crate::records::{IndexBuilder, RecordChecker, RecordOptions};
use crate::snapshot::{self, SnapshotError, SnapshotErrorKind};

/// Checks one input: streams of events, or stored records if the protocol is one of records.
///
/// It reads no files and no clock, and starts no threads. Of streams nothing is kept that grows with the length of the
/// input: memory grows with distinct streams, with the call ids of each, and with the text of open turns, each of which
/// [`Options`] bound. Stored records may name others that come later: they are kept, and judged by [`Checker::finish`].
///
/// ```
/// use sessionlint_core::{Checker, Options, Protocol};
///
/// let protocol = Protocol::builtin("session-events").expect("it is built in");
/// let mut checker = Checker::new(protocol, Options::default());
/// checker.feed(br#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#);
/// checker.feed(br#""payload":{"session_id":"ses_1","pending":"no","status_label":"idle"}}"#);
/// let report = checker.finish();
///
/// let finding = &report.findings[0];
/// assert_eq!(&*finding.rule, "wrong-type");
/// assert_eq!(finding.message, "`payload.pending` must be a boolean, but is the string \"no\"");
/// assert_eq!((finding.place.line, finding.place.column), (1, 103));
/// ```
#[derive(Clone)]
pub struct Checker {
    protocol: Protocol,
    settings: Arc<Settings>,
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Streams(Box<StreamChecker>),
    Records(Box<Records>),
}

/// Stored records, which are read twice.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Records {
    /// What was fed.
    bytes: Vec<u8>,
    /// The events, each with its row, one after the other.
    events: Vec<u8>,
    /// Where each of them ends, and its row.
    rows: Vec<(usize, u64)>,
}

impl Checker {
    /// Returns a checker for one input.
    pub fn new(protocol: &Protocol, options: Options) -> Checker {
        let file = options.file().cloned();
        let settings = Settings::new(protocol, options);
        let engine = match protocol.is_of_records() {
            false => Engine::Streams(Box::new(StreamChecker::new(protocol, &settings, file))),
            true => Engine::Records(Box::default()),
        };
        Checker { protocol: protocol.clone(), settings: settings.into(), engine }
    }

    /// Returns the state of the checker, as bytes that [`Checker::restore`] takes. They hold no findings: take these
    /// first. Nor do they hold the source text of earlier events, which later findings then refer to without showing it.
    ///
    /// ```
    /// use sessionlint_core::{Checker, Options, Protocol};
    ///
    /// let protocol = Protocol::builtin("session-events").expect("it is built in");
    /// let mut checker = Checker::new(protocol, Options::default());
    /// checker.event(br#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#, 1);
    /// let state = checker.snapshot();
    ///
    /// let restored = Checker::restore(protocol, Options::default(), &state).expect("the state is this checker's");
    /// assert_eq!(&*restored.finish().findings[0].rule, "turn-unfinished");
    /// assert!(Checker::restore(protocol, Options::default().with_fragment(true), &state).is_err());
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        match &self.engine {
            Engine::Streams(checker) => snapshot::write(&self.protocol, &self.settings, &checker.state()),
            Engine::Records(records) => snapshot::write(&self.protocol, &self.settings, records.as_ref()),
        }
    }

    /// Returns a checker that goes on where [`Checker::snapshot`] was called. The protocol and the options must be the
    /// same as then, but for the file's name and for whether there are excerpts.
    ///
    /// # Errors
    ///
    /// If the bytes are no snapshot, or one of another version of this crate, of another protocol, or of other options.
    /// Bytes that were made up do no harm: at worst they are a state that no input leads to.
    pub fn restore(protocol: &Protocol, options: Options, state: &[u8]) -> Result<Checker, SnapshotError> {
        let mut checker = Checker::new(protocol, options);
        match &mut checker.engine {
            Engine::Streams(streams) => {
                let state = snapshot::read(protocol, &checker.settings, state)?;
                let file = checker.settings.options().file().cloned();
                **streams = StreamChecker::restored(protocol, &checker.settings, file, state)
                    .ok_or(SnapshotError::of(SnapshotErrorKind::Damaged))?;
            }
            Engine::Records(records) => {
                **records = snapshot::read(protocol, &checker.settings, state)?;
                if !records.is_sound() {
                    return Err(SnapshotError::of(SnapshotErrorKind::Damaged));
                }
            }
        }
        Ok(checker)
    }

    /// Judges the next bytes of the input, decompressed. They may be cut anywhere, and as large as they come.
    pub fn feed(&mut self, bytes: &[u8]) {
        match &mut self.engine {
            Engine::Streams(checker) => checker.feed(bytes),
            Engine::Records(records) => records.bytes.extend_from_slice(bytes),
        }
    }

    /// Judges bytes that are one event (or one record), whatever line ends are in them. This is for events that do not
    /// come as one file, such as the rows of a table.
    ///
    /// `row` is the caller's own number of the event. The places of its findings have it, and so have the related places
    /// of later findings that refer to it; their lines, columns and bytes are counted within the event's own text.
    ///
    /// ```
    /// use sessionlint_core::{Checker, Options, Protocol};
    ///
    /// let mut checker = Checker::new(Protocol::builtin("session-events").expect("it is built in"), Options::default());
    /// let chunk = br#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:00Z",
    ///     "payload":{"session_id":"ses_1","text":"Hello","done":true}}"#;
    /// checker.event(chunk, 4711);
    ///
    /// let finding = &checker.take_findings()[0];
    /// assert_eq!((&*finding.rule, finding.place.row), ("turn-not-started", Some(4711)));
    /// ```
    pub fn event(&mut self, bytes: &[u8], row: u64) {
        match &mut self.engine {
            Engine::Streams(checker) => checker.event(bytes, row),
            Engine::Records(records) => {
                records.events.extend_from_slice(bytes);
                records.rows.push((records.events.len(), row));
            }
        }
    }

    /// Returns the findings since the last call. Those of stored records come from [`Checker::finish`] alone.
    #[must_use]
    pub fn take_findings(&mut self) -> Vec<Finding> {
        match &mut self.engine {
            Engine::Streams(checker) => std::mem::take(checker.findings()),
            Engine::Records(_) => Vec::new(),
        }
    }

    /// Ends the input, and returns what was not taken yet and the counts.
    pub fn finish(self) -> Report {
        self.end(None)
    }

    /// Ends an input whose rest cannot be read because its compressed form is damaged. `cause` says how.
    pub fn finish_damaged(self, cause: &str) -> Report {
        self.end(Some(cause))
    }

    fn end(self, damaged: Option<&str>) -> Report {
        match self.engine {
            Engine::Streams(checker) => checker.end(damaged).0,
            Engine::Records(records) => records.judge(&self.protocol, &self.settings, damaged),
        }
    }
}

impl Records {
    /// Whether they may be in this state after a restart.
    fn is_sound(&self) -> bool {
        let mut ends = self.rows.iter().map(|(end, _)| *end);
        ends.clone().is_sorted() && ends.next_back().unwrap_or(0) == self.events.len()
    }

    fn judge(&self, protocol: &Protocol, settings: &Settings, damaged: Option<&str>) -> Report {
        let bytes = &self.bytes;
        let file = settings.options().file().cloned();
        let record_options = RecordOptions::default();
        // A protocol that is not one of records has no such checker.
        let Some(mut builder) = IndexBuilder::new(protocol) else { return Report::default() };
        let mut indexer = builder.begin_file(settings, record_options.kind, file.clone());
        indexer.feed(bytes);
        self.each_event(|event, row| indexer.event(event, row));
        indexer.finish();
        let index = builder.build();
        let Some(mut checker) = RecordChecker::new(protocol, settings, record_options, file, &index) else {
            return Report::default();
        };
        checker.feed(bytes);
        self.each_event(|event, row| checker.event(event, row));
        checker.end(damaged)
    }

    fn each_event(&self, mut take: impl FnMut(&[u8], u64)) {
        let mut start = 0;
        for (end, row) in &self.rows {
            take(&self.events[start..*end], *row);
            start = *end;
        }
    }
}

/// Checks a whole input that is in memory.
///
/// ```
/// use sessionlint_core::{Options, Protocol, check};
///
/// let report = check(Protocol::builtin("session-events").expect("it is built in"), b"", Options::default());
/// assert_eq!(&*report.findings[0].rule, "empty-input");
/// ```
pub fn check(protocol: &Protocol, input: &[u8], options: Options) -> Report {
    let mut checker = Checker::new(protocol, options);
    checker.feed(input);
    checker.finish()
}
