//! Recognises events that come a second time, byte for byte: a part of a stream that was sent or written again, or lines
//! that were written twice.
//!
//! What comes again is not judged, so that nothing is said that only follows from it. An event of the same bytes need not
//! be such a one: pieces of a text may be equal, and a status may be said again. So only two signs count. An event that is
//! stamped earlier than its stream's last one and equals an earlier one begins a *replay*; the events behind it belong to
//! it as long as they are the ones that followed then. An event that equals the one right before it and breaks a rule, or
//! has a time that is finer than seconds, is a *double*, and where one is, every other event may be.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::streams::Stream;
use super::{EventLocator, Target, Verdict, Wording, framing};
use crate::bytes::Digest;
use crate::finding::Related;
use crate::framing::Framing;
use crate::input::{EventNote, MOST_BYTES};
use crate::schema::date_time::{self, Stamp};

/// The number of events of a file, counted from the last one, that a replay may begin with. Pieces of text are not counted.
const MOST_KEPT: usize = 512;
/// The number of bytes at an event's start that are compared if the event is longer than this and [`TAIL`] together.
const HEAD: usize = 256;
/// The number of bytes at its end that are compared.
const TAIL: usize = 64;

/// An event that may come again.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// The digest of its bytes.
    digest: u64,
    /// The number of its stream in the file.
    stream: u64,
    /// Its number in the stream.
    number: u64,
    note: EventNote,
}

/// The last events of a file, apart from pieces of text.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct RecentEvents(VecDeque<Kept>);

/// Events of a stream that come a second time.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Repetition {
    kind: Kind,
    /// The number of events that came again.
    count: u64,
    /// The number of the first of them in the stream, and its place and type.
    first: u64,
    note: EventNote,
    event_type: Arc<str>,
    /// The number of the event that came again first, and its place.
    original: u64,
    original_note: EventNote,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Kind {
    /// The events from one on come again, in their order.
    Replay {
        /// The number of the event that comes again next.
        next: u64,
    },
    /// Events come twice, one behind the other.
    Doubles {
        /// Whether the last event came twice already.
        is_double: bool,
    },
}

/// An event at the door of its stream.
pub(crate) struct Newcomer<'e> {
    /// Whether it is a piece of a text.
    pub is_piece: bool,
    /// Whether to say the same again is no mistake of its type, or one with a rule of its own.
    pub may_be_equal: bool,
    pub time: Option<Stamp<'e>>,
    /// Whether it is earlier than the stream's last event.
    pub is_earlier: bool,
    pub locator: &'e dyn EventLocator,
}

impl RecentEvents {
    /// Returns whether the events can be those of a file; those that were stored may be made up.
    pub(crate) fn is_sound(&self) -> bool {
        self.0.len() <= MOST_KEPT && self.0.iter().all(|kept| kept.number < MOST_BYTES && kept.note.is_sound())
    }

    /// Keeps the stream's last event, in case it comes again. `digest`: that of the event.
    pub(crate) fn keep(&mut self, stream: &mut Stream, digest: u64, is_piece: bool) {
        stream.number += 1;
        stream.digest = digest;
        if stream.repetition.is_some() {
            // The short path does not look for what comes again.
            stream.repeat.clear();
        }
        if is_piece {
            return;
        }
        match self.0.len() {
            0 => self.0.reserve(MOST_KEPT),
            MOST_KEPT => drop(self.0.pop_front()),
            _ => {}
        }
        let note = stream.last.without_text();
        self.0.push_back(Kept { digest, stream: stream.serial, number: stream.number, note });
    }

    /// Returns the last event of the stream that has this digest.
    fn last_of(&self, stream: &Stream, digest: u64) -> Option<&Kept> {
        self.0.iter().rev().find(|kept| kept.digest == digest && kept.stream == stream.serial)
    }

    /// Returns the event of the stream that has this number.
    fn numbered(&self, stream: &Stream, number: u64) -> Option<&Kept> {
        self.0.iter().find(|kept| kept.number == number && kept.stream == stream.serial)
    }

    /// Returns whether the event comes a second time, so that it must not be judged. `digest`: that of the event, unless it
    /// is a piece of text of which none is needed.
    #[cold]
    pub(crate) fn comes_again(
        &self,
        stream: &mut Stream,
        event: &Newcomer<'_>,
        digest: u64,
        out: &mut Vec<Verdict>,
    ) -> bool {
        let equals_last = digest != 0 && stream.digest == digest;
        match stream.repetition.as_mut().map(|repetition| repetition.kind) {
            Some(Kind::Replay { next }) => {
                let original = self.numbered(stream, next);
                let is_next = match (event.is_piece, original) {
                    (true, None) => true,
                    (false, Some(kept)) => kept.digest == digest,
                    _ => false,
                };
                let is_earlier = event.is_earlier || event.time.is_some_and(|now| now.written == stream.last_time);
                if let Some(repetition) = &mut stream.repetition
                    && is_next
                    && is_earlier
                    && next < repetition.first
                {
                    repetition.kind = Kind::Replay { next: next + 1 };
                    repetition.count += 1;
                    stream.number += 1;
                    return true;
                }
                end(stream, out);
            }
            Some(Kind::Doubles { is_double }) => {
                if let Some(repetition) = &mut stream.repetition
                    && equals_last
                    && !(event.is_piece && is_double)
                {
                    repetition.kind = Kind::Doubles { is_double: true };
                    repetition.count += 1;
                    stream.number += 1;
                    return true;
                }
                match &mut stream.repetition {
                    Some(repetition) if is_double => repetition.kind = Kind::Doubles { is_double: false },
                    _ => end(stream, out),
                }
            }
            None => {}
        }
        if event.is_piece || stream.repetition.is_some() {
            return false;
        }
        if event.is_earlier
            && let Some(kept) = self.last_of(stream, digest)
        {
            let (kind, original, note) = (Kind::Replay { next: kept.number + 1 }, kept.number, kept.note.clone());
            stream.number += 1;
            begin(stream, kind, event.locator, original, note);
            return true;
        }
        if equals_last && !event.may_be_equal && event.time.is_some_and(is_finer_than_seconds) {
            begin_doubles(stream, event.locator);
            return true;
        }
        false
    }
}

/// Begins a repetition with the event that equals the stream's last one.
#[cold]
pub(crate) fn begin_doubles(stream: &mut Stream, locator: &dyn EventLocator) {
    let (original, note) = (stream.number, stream.last.clone());
    stream.number += 1;
    begin(stream, Kind::Doubles { is_double: true }, locator, original, note);
}

fn begin(stream: &mut Stream, kind: Kind, locator: &dyn EventLocator, original: u64, original_note: EventNote) {
    let mut note = EventNote::default();
    locator.note(&mut note);
    let (first, event_type) = (stream.number, locator.event_type().clone());
    stream.repeat.clear();
    stream.repetition = Some(Box::new(Repetition { kind, count: 1, first, note, event_type, original, original_note }));
}

/// Reports the stream's repetition, if there is one.
#[cold]
pub(crate) fn end(stream: &mut Stream, out: &mut Vec<Verdict>) {
    let Some(repetition) = stream.repetition.take() else { return };
    let Repetition { kind, count, first, note, event_type, original, original_note } = *repetition;
    let found = match (kind, count) {
        (_, 1) => format!("event {first} of this stream repeats event {original} word for word"),
        (Kind::Replay { .. }, _) => {
            let (last, last_original) = (first + count - 1, original + count - 1);
            format!("events {first} to {last} of this stream repeat events {original} to {last_original} word for word")
        }
        (Kind::Doubles { .. }, _) => {
            format!("{count} events of this stream were each sent twice in a row")
        }
    };
    let message = match kind {
        _ if count == 1 => "the event was first sent here",
        Kind::Replay { .. } => "the first copy of these events begins here",
        Kind::Doubles { .. } => "the first event was sent here",
    };
    out.push(Verdict {
        rule: framing(Framing::RepeatedEvents),
        stream: stream.name.clone(),
        at: Target::Earlier(Arc::new(note.place()), event_type),
        related: vec![Related::new(message, original_note.place())],
        facts: vec![("found", found)],
        wording: Wording::Usual,
    });
}

impl Repetition {
    /// Returns whether a stream can have it; one that was stored may be made up.
    pub(crate) fn is_sound(&self) -> bool {
        let next = match self.kind {
            Kind::Replay { next } => next,
            Kind::Doubles { .. } => 0,
        };
        [self.count, self.first, self.original, next].into_iter().all(|number| number < MOST_BYTES)
            && self.note.is_sound()
            && self.original_note.is_sound()
    }
}

/// Returns the digest of an event; it is not zero.
pub(crate) fn digest_of_event(locator: &dyn EventLocator) -> u64 {
    let text = locator.text();
    let mut digest = Digest::default();
    if text.len() > HEAD + TAIL {
        digest.add(&(text.len() as u64).to_le_bytes());
        digest.add(&text[..HEAD]);
        digest.add(&text[text.len() - TAIL..]);
    } else {
        digest.add(text);
    }
    digest.value().max(1)
}

/// Returns whether a time has a fraction of a second that is not zero.
fn is_finer_than_seconds(time: Stamp<'_>) -> bool {
    let behind = time.written.iter().skip_while(|byte| **byte != b'.').skip(1);
    behind.take_while(|byte| byte.is_ascii_digit()).any(|digit| *digit != b'0')
}

/// Returns whether an event is earlier than its stream's last timed event.
pub(crate) fn is_earlier(stream: &Stream, time: Option<Stamp<'_>>) -> bool {
    let last = stream.last_stamp();
    time.is_some_and(|now| !last.written.is_empty() && date_time::is_after(last, now))
}
