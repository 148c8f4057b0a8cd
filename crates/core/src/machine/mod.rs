//! Judges the order of events: keeps the state of each stream, and takes one step over the tables for each event.
//!
//! The machine sees numbers and field values, never JSON text or files, and knows no protocol by name. Anything that
//! cannot be known (an unreadable field, a lost frame, a fragment) makes an instance *unsure*: its state is then a set
//! of possible states, and a rule is reported only if every possible state reports it. A false alarm is worse than a
//! missed finding.

mod by_key;
mod content;
mod contents;
mod end;
mod event_view;
mod field;
mod history;
mod instance;
mod key;
mod lifecycle_state;
mod likely;
mod mismatch_cause;
mod moves;
mod nested;
mod observer;
mod open_groups;
mod others;
mod repeat;
mod repetition;
mod rows;
mod series;
mod spoken;
mod step;
mod streamed_text;
mod streams;
mod text_store;
mod texts;
mod transition;
mod verdict;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::Related;
use crate::framing::Framing;
use crate::input::{EventNote, MOST_BYTES};
use crate::protocol::{Protocol, RuleId, Tables, framing};
use crate::schema::Pointer;
use crate::schema::captures::EventFields;
use crate::schema::date_time::{Stamp, side_by_side};
use end::OtherStream;
pub(crate) use event_view::{EventLocator, EventView};
pub use key::name_parts;
pub use observer::{CellId, Move};
pub(crate) use observer::{CellObserver, NoObserver};
pub(crate) use repeat::Repeat;
use repetition::{Newcomer, RecentEvents};
use step::Scratch;
use streams::{Stream, Streams, StreamsState};
pub(crate) use verdict::{Facts, Target, Verdict, Wording};
pub use views::InstanceView;

/// Bounds on the machine's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Maximum length of the text of one turn, in bytes. Longer texts are not compared.
    pub max_text_bytes: usize,
    /// Maximum number of streams kept at once. Beyond it, the longest idle one is forgotten.
    pub max_streams: usize,
    /// Whether events that come a second time are reported, and not judged again.
    pub finds_repetitions: bool,
}

/// The state of a [`Machine`], to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct MachineState {
    streams: StreamsState,
    losses: u64,
    forgotten: bool,
    opened: Vec<u64>,
    doubts: Doubts,
    recent: RecentEvents,
}

/// What follows from events that were lost: the rules that were silent because of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Doubts {
    /// Whether an event was lost.
    pub any: bool,
    /// The rules that some possible state reported and another one did not.
    pub silent: BTreeSet<RuleId>,
}

/// The state of all streams of one file.
#[derive(Clone)]
pub(crate) struct Machine {
    protocol: Protocol,
    limits: Limits,
    fragment: bool,
    streams: Streams,
    /// Number of losses so far; a stream that has not noted the latest one is unsure.
    losses: u64,
    /// Whether a stream was forgotten, so that a stream that opens may be one of those.
    forgotten: bool,
    recent: RecentEvents,
    scratch: Scratch,
    /// The streams that may lack the text of their last event.
    lacking: Vec<u32>,
}

impl Machine {
    /// Creates a machine without streams. `fragment`: the input may begin and end in the middle of a stream.
    pub(crate) fn new(protocol: &Protocol, limits: Limits, fragment: bool) -> Machine {
        Machine {
            protocol: protocol.clone(),
            limits,
            fragment,
            streams: Streams::default(),
            losses: 0,
            forgotten: false,
            recent: RecentEvents::default(),
            scratch: Scratch::new(protocol.tables(), limits.max_text_bytes),
            lacking: Vec::new(),
        }
    }

    /// Returns the state, to be stored.
    pub(crate) fn state(&self) -> MachineState {
        MachineState {
            streams: self.streams.state(),
            losses: self.losses,
            forgotten: self.forgotten,
            opened: self.scratch.opened.clone(),
            doubts: self.scratch.doubts.clone(),
            recent: self.recent.clone(),
        }
    }

    /// Continues from a stored state; returns `None` if no machine can be in that state.
    pub(crate) fn restore(mut self, state: MachineState) -> Option<Machine> {
        let MachineState { streams, losses, forgotten, opened, doubts, recent } = state;
        let counts = opened.iter().chain([&losses]).all(|count| *count < MOST_BYTES);
        let rules = self.protocol.rules().len();
        let known = doubts.silent.iter().all(|rule| usize::from(rule.0) < rules);
        if !(counts && known && recent.is_sound()) || opened.len() != self.scratch.opened.len() {
            return None;
        }
        self.scratch.doubts = doubts;
        self.recent = recent;
        self.streams = Streams::restored(streams, self.protocol.tables(), losses)?;
        (self.losses, self.forgotten, self.scratch.opened) = (losses, forgotten, opened);
        (self.streams.len() <= self.limits.max_streams.clamp(1, Streams::MOST)).then_some(self)
    }

    /// Notes that an event of an unknown stream was lost, which makes every stream unsure.
    pub(crate) fn note_loss(&mut self) {
        self.losses += 1;
        self.scratch.doubts.any = true;
    }

    /// Returns whether a series has told, since this was last asked, that events were lost.
    pub(crate) fn take_gap(&mut self) -> bool {
        std::mem::take(&mut self.scratch.gap)
    }

    /// Returns what follows from events that were lost.
    pub(crate) fn doubts(&self) -> &Doubts {
        &self.scratch.doubts
    }

    /// Returns the number of streams opened so far.
    pub(crate) fn stream_count(&self) -> u64 {
        self.streams.seen()
    }

    /// Returns the number of instances that each lifecycle opened, by the lifecycle's name.
    pub(crate) fn opened(&self) -> BTreeMap<String, u64> {
        let counted = self
            .protocol
            .tables()
            .lifecycles
            .iter()
            .zip(&self.scratch.opened)
            .filter(|(lifecycle, _)| lifecycle.opens.0 != 0);
        counted.map(|(lifecycle, opened)| (lifecycle.name.clone(), *opened)).collect()
    }

    /// Returns the text that a stream has sent so far, for each of the tables' texts; `None` if no piece came, or one
    /// may be missing.
    pub(crate) fn streamed(&self, stream: &[u8]) -> Vec<Option<String>> {
        match self.streams.live(stream) {
            Some(stream) => stream.texts.streamed(),
            None => self.protocol.tables().texts.iter().map(|_| None).collect(),
        }
    }

    /// Judges an event of a known type.
    pub(crate) fn step(
        &mut self,
        stream: &[u8],
        event: &EventView<'_>,
        mut observer: impl CellObserver,
        out: &mut Vec<Verdict>,
    ) {
        let index = self.enter(stream, event.locator, out);
        let tables = self.protocol.tables();
        let stream = self.streams.get(index, tables);
        stream.note_losses(self.losses, tables);
        let is_piece = tables.effects[event.event_type].is_piece;
        let may_be_equal = || tables.unchanged.iter().any(|unchanged| unchanged.event == event.event_type);
        let verdicts = out.len();
        let recent = self.limits.finds_repetitions.then_some(&self.recent);
        let Some((digest, is_earlier)) =
            admit(recent, stream, event.locator, (is_piece, may_be_equal), event.time, out)
        else {
            self.streams.touch(index, tables);
            return;
        };
        if event.time.is_some() && stream.last_is_timed {
            tables.times.iter().for_each(|rule| observer.ask(*rule));
        }
        if is_earlier {
            report_earlier_time(tables, stream, event.time, out);
        }
        step::apply(tables, stream, event, &mut self.scratch, observer, out);
        if out.len() > verdicts && digest != 0 && digest == stream.digest && breaks_order(tables, &out[verdicts..]) {
            out.truncate(verdicts);
            repetition::begin_doubles(stream, event.locator);
            self.streams.touch(index, tables);
            return;
        }
        leave(stream, event.locator, event.time);
        self.recent.keep(stream, digest, is_piece);
        self.streams.touch(index, tables);
    }

    /// Judges an event by the short path: one that is not earlier than its stream's last event, and repeats it, as most
    /// events do. Returns `false`, and changes nothing, if the event needs [`Machine::step`]. `raw_stream` is the stream's
    /// name as written in the JSON text, still escaped; `time` is `None` if events of its type have none.
    ///
    /// `note` notes the event's place, and returns whether its text must be [added](Machine::add_texts).
    #[inline(always)]
    pub(crate) fn step_repeat<F: EventFields>(
        &mut self,
        raw_stream: &[u8],
        event: &Repeat<'_, F>,
        time: Option<Stamp<'_>>,
        note: impl FnOnce(&mut EventNote) -> bool,
    ) -> bool {
        let Some(index) = self.streams.find(raw_stream) else { return false };
        let Some(stream) = self.streams.plain(index) else { return false };
        let (last, tables) = (stream.last_stamp(), self.protocol.tables());
        if stream.losses != self.losses
            || time.is_some_and(|time| !(stream.last_is_timed && time.is_not_before_usual(last)))
            || !stream.repeat.is_piece
            || !repeat::apply_repeat(tables, stream, event, &self.scratch)
        {
            return false;
        }
        stream.number = stream.number.wrapping_add(1);
        if let Some(time) = time {
            // Most are of one length, for which no call of `memcpy` is needed.
            match (<&mut [u8; 24]>::try_from(&mut *stream.last_time), <&[u8; 24]>::try_from(time.written)) {
                (Ok(last), Ok(time)) => *last = *time,
                _ => stream.last_time.copy_from_slice(time.written),
            }
        }
        if note(&mut stream.last) {
            self.lacking.push(index);
        }
        self.streams.touch(index, tables);
        true
    }

    /// Adds the texts of the last events of streams that lack them, before anything else than the short path needs them.
    /// `text` is a part of the file that has these events, from the byte at `offset` on.
    pub(crate) fn add_texts(&mut self, text: &[u8], offset: u64) {
        for index in self.lacking.drain(..) {
            if let Some(stream) = self.streams.plain(index) {
                stream.last.add_text(text, offset);
            }
        }
    }

    /// Judges an event of an unknown type, which advances time but moves no lifecycle.
    pub(crate) fn step_unknown(
        &mut self,
        stream: &[u8],
        time: Option<Stamp<'_>>,
        number: &dyn Fn(&Pointer) -> Option<Box<[u8]>>,
        locator: &dyn EventLocator,
        out: &mut Vec<Verdict>,
    ) {
        let index = self.enter(stream, locator, out);
        let tables = self.protocol.tables();
        let stream = self.streams.get(index, tables);
        stream.note_losses(self.losses, tables);
        let recent = self.limits.finds_repetitions.then_some(&self.recent);
        let Some((digest, is_earlier)) = admit(recent, stream, locator, (false, || true), time, out) else {
            self.streams.touch(index, tables);
            return;
        };
        if is_earlier {
            report_earlier_time(tables, stream, time, out);
        }
        stream.repeat.clear();
        stream.place_last_number();
        for (series, state) in tables.series.iter().zip(&mut stream.series) {
            if let Some(at) = &series.open_at {
                series::take_unknown(series, state, number(at), locator);
            }
        }
        leave(stream, locator, time);
        self.recent.keep(stream, digest, false);
        self.streams.touch(index, tables);
    }

    /// Reports the repetitions that go on to the end of the input.
    pub(crate) fn finish_repetitions(&mut self, out: &mut Vec<Verdict>) {
        for index in self.streams.live_by_last_event() {
            repetition::end(self.streams.get(index, self.protocol.tables()), out);
        }
    }

    /// Returns the index of the stream, opening it if it is new.
    fn enter(&mut self, name: &[u8], locator: &dyn EventLocator, out: &mut Vec<Verdict>) -> u32 {
        if let Some(index) = self.streams.find(name) {
            return index;
        }
        if self.streams.len() >= self.limits.max_streams.clamp(1, Streams::MOST)
            && let Some(name) = self.streams.forget_longest_idle()
            && !std::mem::replace(&mut self.forgotten, true)
        {
            let found = format!(
                "more than {} streams are open at once, so some mistakes are missed from here on, first in \"{name}\"",
                self.limits.max_streams
            );
            out.push(Verdict {
                rule: framing(Framing::CheckSkipped),
                stream: name,
                at: Target::Earlier(Arc::new(locator.event()), locator.event_type().clone()),
                related: Vec::new(),
                facts: vec![("found", found)],
                wording: Wording::Usual,
            });
        }
        let unsure = self.fragment || self.forgotten || self.losses > 0;
        self.streams.open(name, self.protocol.tables(), unsure, self.losses)
    }

    /// Returns the index of a stream with a single event, and the stream to which that probably belongs.
    fn other_streams(&mut self) -> Option<(u32, OtherStream)> {
        let [first, second] = self.streams.both()?;
        let tables = self.protocol.tables();
        [(first, second), (second, first)].into_iter().find_map(|(lone, other)| {
            let events = self.streams.get(lone, tables).number;
            Some((lone, OtherStream::of(events, self.streams.get(other, tables))?))
        })
    }

    /// Judges the end of every stream, in the order of their last events. `server_sent`: whether the input is server-sent
    /// events.
    pub(crate) fn finish<W: CellObserver>(&mut self, server_sent: bool, mut observer: W, out: &mut Vec<Verdict>) {
        if W::ACTIVE && !self.fragment {
            for stream in self.streams.packed(self.protocol.tables()).filter(|stream| stream.losses == self.losses) {
                observer::observe_end(&mut observer, self.protocol.tables(), &stream);
            }
        }
        let live = self.streams.live_by_last_event();
        let others = self.other_streams();
        for index in live {
            // The missing rest of a fragment, or a lost frame, may have completed the stream.
            if self.fragment {
                continue;
            }
            let losses = self.losses;
            let stream = self.streams.get(index, self.protocol.tables());
            if stream.losses != losses {
                let mut unsaid = Vec::new();
                end::judge_end(self.protocol.tables(), stream, None, server_sent, &mut unsaid);
                self.scratch.doubts.silent.extend(unsaid.into_iter().map(|verdict| verdict.rule));
                continue;
            }
            if self.scratch.doubts.any {
                end::note_silent(self.protocol.tables(), stream, server_sent, &mut self.scratch.doubts.silent);
            }
            if W::ACTIVE {
                observer::observe_end(&mut observer, self.protocol.tables(), stream);
            }
            let other = others.as_ref().filter(|(lone, _)| *lone == index).map(|(_, other)| other);
            end::judge_end(self.protocol.tables(), stream, other, server_sent, out);
            stream.texts.release(&stream.name, out);
        }
    }
}

/// Returns the digest of an event that is to be judged, or zero if it needs none, and whether the event is earlier than its
/// stream's last one; `None` if the event comes a second time. `recent`: `None` if that does not matter. `is_piece`, `may_be_equal`: see [`Newcomer`].
#[inline]
fn admit(
    recent: Option<&RecentEvents>,
    stream: &mut Stream,
    locator: &dyn EventLocator,
    (is_piece, may_be_equal): (bool, impl Fn() -> bool),
    time: Option<Stamp<'_>>,
    out: &mut Vec<Verdict>,
) -> Option<(u64, bool)> {
    let Some(recent) = recent else { return Some((0, repetition::is_earlier(stream, time))) };
    let is_repeating = stream.repetition.is_some();
    let digest = if is_piece && !is_repeating { 0 } else { repetition::digest_of_event(locator) };
    let is_earlier = repetition::is_earlier(stream, time);
    if is_repeating || !is_piece && (is_earlier || digest == stream.digest) {
        let event = Newcomer { is_piece, may_be_equal: may_be_equal(), time, is_earlier, locator };
        if recent.comes_again(stream, &event, digest, out) {
            return None;
        }
    }
    Some((digest, is_earlier))
}

/// Returns whether one of the verdicts is about more than an event that says the same again.
fn breaks_order(tables: &Tables, verdicts: &[Verdict]) -> bool {
    verdicts.iter().any(|verdict| !tables.unchanged.iter().any(|unchanged| unchanged.rule == verdict.rule))
}

/// Records the event as its stream's last one.
fn leave(stream: &mut Stream, locator: &dyn EventLocator, time: Option<Stamp<'_>>) {
    locator.note(&mut stream.last);
    if !Arc::ptr_eq(&stream.last_type, locator.event_type()) {
        stream.last_type = locator.event_type().clone();
    }
    stream.last_is_timed = time.is_some();
    if let Some(time) = time {
        stream.last_time.clear();
        stream.last_time.extend_from_slice(time.written);
        stream.last_time_is_usual = time.usual;
    }
}

/// Reports an event that is earlier than its stream's last timed event.
#[cold]
fn report_earlier_time(tables: &Tables, stream: &Stream, time: Option<Stamp<'_>>, out: &mut Vec<Verdict>) {
    let Some(now) = time else { return };
    let last = stream.last_stamp();
    // An event whose time could not be read may come between the two.
    let before =
        Related { message: "the session's previous event".into(), file: None, place: Arc::new(stream.last.place()) };
    let before = stream.last_is_timed.then_some(before);
    let (found, kept) = side_by_side(&now.to_string(), &last.to_string());
    for rule in &tables.times {
        out.push(Verdict {
            rule: *rule,
            stream: stream.name.clone(),
            at: Target::Time,
            related: before.clone().into_iter().collect(),
            facts: vec![("found", found.clone()), ("kept", kept.clone())],
            wording: Wording::Usual,
        });
    }
}
