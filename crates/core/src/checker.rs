//! The checker that callers use: bytes in, findings out, for streams of events and for stored records.

use std::fmt;
use std::ops::Range;
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
/// A checker reads no files and no clock, and starts no threads. For streams, its memory does not grow with the length
/// of the input: it grows with distinct streams, with the call ids of each, and with the text of open turns, all of
/// which [`Options`] limits. Stored records may refer to later ones, so the checker keeps them, and [`Checker::finish`]
/// judges them.
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

/// The part that judges the input.
#[derive(Clone)]
enum Engine {
    Streams(Box<StreamChecker>),
    Records(Box<BufferedRecords>),
}

/// The stored records of an input, kept because they are read twice.
#[derive(Clone, Default, Serialize, Deserialize)]
struct BufferedRecords {
    /// The bytes that were fed.
    bytes: Vec<u8>,
    /// The texts of the events that were passed one by one, concatenated.
    events: Vec<u8>,
    /// The end in `events` and the row of each event.
    rows: Vec<(usize, u64)>,
}

impl Checker {
    /// Returns a checker for one input.
    #[must_use]
    pub fn new(protocol: &Protocol, options: Options) -> Checker {
        let file = options.file().cloned();
        let settings = Settings::new(protocol, options);
        let engine = match protocol.is_of_records() {
            false => Engine::Streams(Box::new(StreamChecker::new(protocol, &settings, file))),
            true => Engine::Records(Box::default()),
        };
        Checker { protocol: protocol.clone(), settings: settings.into(), engine }
    }

    /// Returns the state of the checker, as bytes for [`Checker::restore`]. The state does not include findings: take
    /// them first. Nor does it include the source text of earlier events: findings after a restart refer to such events
    /// without an excerpt.
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

    /// Returns a checker that continues where [`Checker::snapshot`] was called. The protocol and the options must equal
    /// those of that checker, except for the name of the file and whether places have excerpts.
    ///
    /// # Errors
    ///
    /// If the bytes are not a snapshot, or the snapshot is of another version of this crate, of another protocol, or of
    /// other options. Forged bytes do no harm: at worst they are a state that no input leads to.
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

    /// Judges the next bytes of the decompressed input. The bytes may be cut anywhere, and be of any length.
    pub fn feed(&mut self, bytes: &[u8]) {
        match &mut self.engine {
            Engine::Streams(checker) => checker.feed(bytes),
            Engine::Records(records) => records.bytes.extend_from_slice(bytes),
        }
    }

    /// Judges bytes that are one event (or one record), whatever line ends they contain, for events that are not lines
    /// of a file, such as the rows of a table.
    ///
    /// `row` is the caller's own number for the event. The event's places have it, including the related places of
    /// later findings; their lines, columns and bytes count from the start of the event's own text.
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

    /// Judges several events like [`Checker::event`], which is faster than one by one. `text` has the events, in their
    /// order; each row is the range of its event in `text`, in bytes, and the caller's number for it.
    ///
    /// # Panics
    ///
    /// If a range is not one of `text`, or starts before the end of the range before.
    pub fn events(&mut self, text: &[u8], rows: impl IntoIterator<Item = (Range<usize>, u64)>) {
        match &mut self.engine {
            Engine::Streams(checker) => checker.events(text, rows),
            Engine::Records(_) => rows.into_iter().for_each(|(span, row)| self.event(&text[span], row)),
        }
    }

    /// Returns the findings since the last call. For stored records, only [`Checker::finish`] returns findings.
    #[must_use]
    pub fn take_findings(&mut self) -> Vec<Finding> {
        match &mut self.engine {
            Engine::Streams(checker) => std::mem::take(checker.findings()),
            Engine::Records(_) => Vec::new(),
        }
    }

    /// Ends the input, returns the findings that were not taken yet and the counts, and begins another input with the same
    /// options.
    ///
    /// The inputs are a set, such as the groups of a table: an event type or field that the protocol does not have is
    /// listed where it occurs first, and only counted, as a [`Repeat`](crate::Repeat), in the reports of later inputs.
    /// Nothing else is carried over. Each input of stored records is judged by itself.
    ///
    /// ```
    /// use sessionlint_core::{Checker, Options, Protocol};
    ///
    /// let protocol = Protocol::builtin("session-events").expect("it is built in");
    /// let mut checker = Checker::new(protocol, Options::default().with_fragment(true));
    /// let idle = br#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","note":1,
    ///     "payload":{"session_id":"ses_1","pending":false,"status_label":"idle"}}"#;
    /// checker.event(idle, 1);
    /// let first = checker.next_input();
    /// checker.event(idle, 2);
    /// let second = checker.next_input();
    ///
    /// assert_eq!(&*first.findings[0].rule, "unknown-field");
    /// assert_eq!((second.findings.len(), second.repeats[0].count, second.summary.notes), (0, 1, 1));
    /// ```
    pub fn next_input(&mut self) -> Report {
        match &mut self.engine {
            Engine::Streams(checker) => checker.next_input(&self.settings),
            Engine::Records(records) => std::mem::take(&mut **records).judge(&self.protocol, &self.settings, None),
        }
    }

    /// Ends the input, and returns the findings that were not taken yet and the counts.
    pub fn finish(self) -> Report {
        self.end(None)
    }

    /// Ends an input whose rest cannot be read because its compressed form is damaged. `cause`: the message of the
    /// finding about the damage.
    pub fn finish_damaged(self, cause: &str) -> Report {
        self.end(Some(cause))
    }

    /// Ends the input. `damaged`: the damage of its compressed form at this point, if any.
    fn end(self, damaged: Option<&str>) -> Report {
        match self.engine {
            Engine::Streams(checker) => checker.end(damaged).0,
            Engine::Records(records) => records.judge(&self.protocol, &self.settings, damaged),
        }
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker")
            .field("protocol", &self.protocol)
            .field("options", self.settings.options())
            .finish_non_exhaustive()
    }
}

impl BufferedRecords {
    /// Returns whether an input can lead to this state.
    fn is_sound(&self) -> bool {
        let mut ends = self.rows.iter().map(|(end, _)| *end);
        ends.clone().is_sorted() && ends.next_back().unwrap_or(0) == self.events.len()
    }

    /// Judges the records: reads them once for the index of records that others may refer to, and again for the
    /// findings.
    fn judge(&self, protocol: &Protocol, settings: &Settings, damaged: Option<&str>) -> Report {
        let bytes = &self.bytes;
        let file = settings.options().file().cloned();
        let record_options = RecordOptions::default();
        // Never `None`: the protocol is one of records.
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

    /// Passes the text and the row of each event to `visit`, in order.
    fn each_event(&self, mut visit: impl FnMut(&[u8], u64)) {
        let mut start = 0;
        for (end, row) in &self.rows {
            visit(&self.events[start..*end], *row);
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
