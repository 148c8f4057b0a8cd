//! Judges the frames of an input: passes each event to its schema, then to the machine, and collects the findings.

mod doubt;
mod fast_path;
mod known_surroundings;
mod mixed;
mod slow_path;
mod surroundings;
mod unwrap;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::coverage::CoverageCounts;
use super::fast_reader::FastEvent;
use super::trace::{Trace, TracedEvent};
use crate::event::event_checker::{EventChecker, stream_of};
use crate::event::finding_log::{Details, EventContext, FindingLogState};
use crate::event::foreign::ForeignFrames;
use crate::event::likeness::{Likeness, LikenessWords};
use crate::event::lookalikes::Lookalikes;
use crate::event::oddities::Oddities;
use crate::event::traces::TraceFinder;
use crate::event::unknown_names::UnknownNames;
use crate::event::wrapping::Wrapping;
use crate::event::{MOST_UNKNOWN, Settings, timestamp};
use crate::finding::{Finding, MOST_BYTES, Place, Report, Stats};
use crate::framing::Framing;
use crate::input::{FileNumber, Frame, HeldFrame, Input, InputFault, Origin, Wire};
use crate::machine::{CellObserver, EventView, InstanceView, Limits, Machine, MachineState, NoObserver, Verdict};
use crate::protocol::{LazyProtocol, Protocol, framing};
use crate::schema::Faults;
use crate::schema::captures::{Capture, Captures, EventCaptures};
use crate::schema::date_time::{LastMinute, Stamp, usual_length};
use doubt::{Doubt, DoubtCause};
pub(crate) use fast_path::EventLine;
use known_surroundings::KnownSurroundings;
use mixed::OtherEvent;
use unwrap::{MOST_HELD, MOST_METHODS};

/// The state of a [`StreamJudge`], for a snapshot.
#[derive(Serialize, Deserialize)]
pub(crate) struct StreamJudgeState {
    machine: MachineState,
    log: FindingLogState,
    unknown: UnknownNames,
    likeness: Likeness,
    /// The number of events of each type that the protocol does not have.
    unknown_types: BTreeMap<String, u64>,
    /// By event type: the number of events.
    events: Vec<u64>,
    whole: bool,
    torn: Option<u64>,
    doubt: Option<Doubt>,
    wrapping: Option<Wrapping>,
    methods: BTreeSet<Box<str>>,
    held: Vec<HeldFrame>,
    oddities: Oddities,
    lookalikes: Lookalikes,
    other: Option<OtherEvent>,
}

/// Judges the events of one input, in order.
#[derive(Clone)]
pub(crate) struct StreamJudge {
    wire: Option<Wire>,
    /// The captures of an event with faults; kept to reuse their memory.
    faulty_captures: Captures,
    machine: Machine,
    /// The machine's verdicts on one event; kept to reuse their memory.
    verdicts: Vec<Verdict>,
    event_checker: EventChecker,
    trace_finder: TraceFinder,
    /// What the input looks like, as long as no event of a known type was found.
    likeness: Likeness,
    stats: Stats,
    /// By event type: the number of events.
    events: Vec<u64>,
    /// Whether the input was read up to its end, so that streams that are unfinished there are findings.
    whole: bool,
    /// The number of events before the last frame that may be torn; `None` if its rest has been seen.
    torn: Option<u64>,
    /// Where judging became unsure, and why; `None` if it is not.
    doubt: Option<Doubt>,
    foreign: Arc<ForeignFrames>,
    /// Where the options and the protocol say that events may stand in what is around them.
    known_wrappings: Vec<Wrapping>,
    /// How many of these are from the options; they are the first.
    told_wrappings: usize,
    /// Where the events of this input stand, if that was found.
    wrapping: Option<Wrapping>,
    /// The methods of the messages of JSON-RPC that carried events.
    methods: BTreeSet<Box<str>>,
    /// Frames at the start that cannot have been events, and messages without events: they are judged once it is known
    /// where the events stand.
    held: Vec<HeldFrame>,
    /// Whether the frame being judged stands in another one.
    is_inner: bool,
    /// What was around events and needs no further look.
    surroundings: KnownSurroundings,
    /// The place in its frame of the last event that the slow path judged.
    judged: Range<usize>,
    oddities: Oddities,
    lookalikes: Lookalikes,
    /// The protocols whose events the input may have instead, or among its own.
    candidates: Arc<[LazyProtocol]>,
    /// The first event of another protocol.
    other: Option<OtherEvent>,
    /// The names of the protocols of which the input has nothing: its own, or all that were searched for.
    sought: Vec<String>,
    /// Whether places have excerpts of the source text.
    excerpts: bool,
    last_minute: LastMinute,
    /// The parts of the protocol that were exercised; `None` if they are not counted.
    coverage: Option<Box<CoverageCounts>>,
    /// The events that were judged; `None` if they are not kept.
    trace: Option<Box<Trace>>,
}

/// What is known of an input at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputFacts {
    /// Whether it had anything but white space.
    pub has_content: bool,
    /// Whether it was server-sent events.
    pub server_sent: bool,
    /// Its length.
    pub bytes: u64,
}

impl InputFacts {
    /// Returns the facts of an input so far.
    pub(crate) fn of(input: &Input) -> InputFacts {
        InputFacts { has_content: input.has_content(), server_sent: input.is_server_sent(), bytes: input.bytes() }
    }
}

/// What judging an input came to.
pub(crate) struct Judged {
    pub report: Report,
    /// The parts of the protocol that were exercised, if they were counted.
    pub coverage: Option<Box<CoverageCounts>>,
    /// The unknown event types, fields and values, for a later input of the same set.
    pub unknown: UnknownNames,
}

impl StreamJudge {
    /// Returns a judge for a file of this name.
    pub(crate) fn new(protocol: &Protocol, settings: &Settings, file: Option<Arc<str>>) -> StreamJudge {
        StreamJudge::with(protocol, settings, file, Arc::new(ForeignFrames::new(protocol)))
    }

    /// Returns a judge for another input, and keeps what does not depend on the input. What is around events does: the
    /// first look at it also tells the methods of messages with events.
    pub(crate) fn for_next_input(&self, protocol: &Protocol, settings: &Settings) -> StreamJudge {
        let file = settings.options().file().cloned();
        StreamJudge::with(protocol, settings, file, self.foreign.clone())
    }

    fn with(
        protocol: &Protocol,
        settings: &Settings,
        file: Option<Arc<str>>,
        foreign: Arc<ForeignFrames>,
    ) -> StreamJudge {
        let options = settings.options();
        let limits = Limits {
            max_text_bytes: options.max_text_bytes(),
            max_streams: options.max_streams(),
            // Where the rule is off, an event that comes a second time is judged like any other.
            finds_repetitions: settings.severity(protocol, Framing::RepeatedEvents.name()) != Some(None),
        };
        let event_types = protocol.tables().events.len();
        StreamJudge {
            wire: options.wire(),
            faulty_captures: Captures::default(),
            machine: Machine::new(protocol, limits, options.fragment()),
            verdicts: Vec::new(),
            event_checker: EventChecker::new(protocol, settings, file),
            trace_finder: TraceFinder::default(),
            likeness: Likeness::default(),
            stats: Stats::default(),
            events: vec![0; event_types],
            whole: true,
            torn: None,
            doubt: None,
            foreign,
            known_wrappings: options
                .unwrap()
                .iter()
                .chain(&protocol.tables().shape.unwrap)
                .map(Wrapping::new)
                .collect(),
            told_wrappings: options.unwrap().len(),
            wrapping: None,
            methods: BTreeSet::new(),
            held: Vec::new(),
            is_inner: false,
            surroundings: KnownSurroundings::default(),
            judged: 0..0,
            oddities: Oddities::default(),
            lookalikes: Lookalikes::default(),
            candidates: options.candidates(),
            other: None,
            sought: options.sought(protocol),
            excerpts: options.excerpts(),
            last_minute: LastMinute::default(),
            coverage: None,
            trace: None,
        }
    }

    /// Returns the judge's state, for a snapshot. It does not include the findings.
    pub(crate) fn state(&self) -> StreamJudgeState {
        StreamJudgeState {
            machine: self.machine.state(),
            log: self.event_checker.log.state(),
            unknown: self.event_checker.unknown.clone(),
            likeness: self.likeness.clone(),
            unknown_types: self.stats.by_type.clone(),
            events: self.events.clone(),
            whole: self.whole,
            torn: self.torn,
            doubt: self.doubt.clone(),
            wrapping: self.wrapping.clone(),
            methods: self.methods.clone(),
            held: self.held.clone(),
            oddities: self.oddities.clone(),
            lookalikes: self.lookalikes.clone(),
            other: self.other.clone(),
        }
    }

    /// Continues from a state. Returns `None` if no input leads to that state.
    #[must_use]
    pub(crate) fn restore(mut self, protocol: &Protocol, state: StreamJudgeState) -> Option<StreamJudge> {
        let StreamJudgeState { machine, log, unknown, likeness, unknown_types, events, .. } = state;
        let StreamJudgeState { whole, torn, doubt, oddities, lookalikes, wrapping, methods, held, other, .. } = state;
        let counts = events.iter().chain(unknown_types.values()).all(|count| *count < MOST_BYTES);
        let is_sound = counts
            && events.len() == self.events.len()
            && unknown_types.len() <= MOST_UNKNOWN + 1
            && doubt.as_ref().is_none_or(Doubt::is_sound)
            && methods.len() <= MOST_METHODS
            && held.iter().all(HeldFrame::is_sound)
            && held.iter().map(HeldFrame::length).sum::<usize>() <= MOST_HELD
            && oddities.is_sound()
            && unknown.is_sound(events.len(), protocol.rules().len())
            && likeness.is_sound()
            && other.as_ref().is_none_or(OtherEvent::is_sound)
            && self.event_checker.log.restore(log);
        self.machine = self.machine.restore(machine)?;
        self.likeness = likeness;
        (self.event_checker.unknown, self.stats.by_type, self.events) = (unknown, unknown_types, events);
        (self.whole, self.torn, self.doubt) = (whole, torn, doubt);
        (self.wrapping, self.methods, self.held) = (wrapping, methods, held);
        (self.oddities, self.lookalikes, self.other) = (oddities, lookalikes, other);
        is_sound.then_some(self)
    }

    /// Counts from now on the parts of the protocol that events on the slow path exercise.
    pub(crate) fn count_coverage(&mut self, protocol: &Protocol) {
        self.coverage = Some(Box::new(CoverageCounts::new(protocol.tables())));
    }

    /// Keeps from now on the events that are judged on the slow path.
    pub(crate) fn trace(&mut self) {
        self.trace = Some(Box::default());
    }

    /// Takes the events that were kept.
    pub(crate) fn traced(&mut self) -> Vec<TracedEvent> {
        self.trace.as_mut().map(|trace| std::mem::take(&mut trace.events)).unwrap_or_default()
    }

    /// Returns the findings that were not taken yet.
    pub(crate) fn findings(&mut self) -> &mut Vec<Finding> {
        &mut self.event_checker.log.findings
    }

    /// Returns the text that a stream has sent so far, by the protocol's texts.
    pub(crate) fn streamed(&self, stream: &str) -> Vec<Option<String>> {
        self.machine.streamed(stream.as_bytes())
    }

    /// Returns how an instance of a lifecycle stands.
    pub(crate) fn instance(&self, stream: &str, lifecycle: usize, key: &[Value]) -> Option<InstanceView> {
        self.machine.instance(stream.as_bytes(), lifecycle, key)
    }

    /// Returns what a stream has sent so far of the text of a key.
    pub(crate) fn text(&self, stream: &str, table: usize, key: &[Value]) -> Option<String> {
        self.machine.text(stream.as_bytes(), table, key)
    }

    /// Returns the value of a series that the next one follows.
    pub(crate) fn last_value(&self, stream: &str, series: usize, key: &[Value]) -> Option<Value> {
        self.machine.last_value(stream.as_bytes(), series, key)
    }

    /// Returns the number of instances that each lifecycle opened, by the lifecycle's name.
    pub(crate) fn opened(&self) -> BTreeMap<String, u64> {
        self.machine.opened()
    }

    /// Reports a part of the input that is not even a frame.
    pub(crate) fn report_unread(&mut self, fault: InputFault) {
        if fault.lost {
            self.likeness.add_loss();
        }
        self.report_fault(fault);
    }

    /// Reports a part of the input that cannot be read.
    pub(crate) fn report_fault(&mut self, fault: InputFault) {
        if fault.lost {
            self.note_loss(&fault.place);
        }
        self.whole &= fault.rule != Framing::TruncatedLine;
        let rule = framing(fault.rule);
        let message = self.event_checker.log.message(rule, &mut [("found", fault.message)]);
        let details = Details { message, help: fault.help, ..Details::default() };
        self.event_checker.log.report(rule, fault.place, details);
    }

    /// Judges a frame after the fast path, which captured the fields of nearly every event. `fast_event` is `None` if
    /// the fast path was not sure. `faults`: the faults of the event, if they are already in words.
    pub(crate) fn judge_frame<'p>(
        &mut self,
        protocol: &'p Protocol,
        frame: &Frame<'_>,
        fast_event: Option<&FastEvent>,
        captured: EventCaptures<'_>,
        faults: Option<Faults<'p>>,
    ) {
        let is_surrounded = fast_event.is_some_and(|event| event.span.len() < frame.text.len());
        if !self.held.is_empty() && fast_event.is_some() && !is_surrounded {
            self.release(protocol);
        }
        match fast_event {
            Some(fast_event) if is_surrounded && !self.surroundings.are_known(frame.text, &fast_event.span, None) => {
                self.judge_surrounded(protocol, frame, fast_event);
            }
            Some(fast_event) if !captured.violations.is_empty() && !is_surrounded => {
                self.judge_faulty(protocol, frame, fast_event, captured, faults)
            }
            Some(fast_event)
                if captured.violations.is_empty()
                    && (captured.unknown.is_empty()
                        || self.event_checker.unknown.count_learned(
                            fast_event.event_type,
                            frame.text,
                            captured.unknown,
                        )) =>
            {
                self.judge_valid(protocol, frame, fast_event, captured);
            }
            _ => self.judge_on_slow_path(protocol, frame, captured.unknown),
        }
    }

    /// Counts an event of this type, and returns its number in the file.
    fn next_event(&mut self, event_type: usize) -> u64 {
        self.events[event_type] += 1;
        self.event_checker.log.summary.events += 1;
        self.event_checker.log.summary.events - 1
    }

    /// Judges the order of events: lets the machine take a step for the captured event, and reports its verdicts.
    /// `fast`: whether the fast path captured the event; it accepts timestamps in the usual form only.
    fn judge_order(
        &mut self,
        protocol: &Protocol,
        here: &EventContext<'_>,
        id: usize,
        captured: EventCaptures<'_>,
        fast: bool,
        observer: impl CellObserver,
    ) {
        let event_type = &protocol.tables().events[id];
        let text = here.frame.text;
        // An event without its stream, where the schema permits that, belongs to no stream.
        if event_type.stream.is_some_and(|slot| captured.fields[slot] == Capture::Absent) {
            return;
        }
        let Some(stream) = stream_of(text, event_type.stream, captured.fields) else {
            return self.note_loss(&here.place(here.type_span.clone()));
        };
        let field = event_type.time.map(|slot| captured.fields[slot]);
        let time = match field {
            Some(Capture::Text(start, end)) if fast && event_type.usual_time => {
                Some(Cow::Borrowed(&text[start as usize..end as usize]))
            }
            Some(field) => timestamp(text, field),
            None => None,
        };
        let mut usual = |written: &[u8]| {
            fast && event_type.usual_time || usual_length(written, &mut self.last_minute) == Some(written.len())
        };
        let time = time.as_deref().map(|written| Stamp { written, usual: usual(written) });
        let view = EventView {
            event_type: id,
            text,
            time,
            fields: captured.fields,
            items: captured.items,
            arrays: &event_type.arrays,
            locator: here,
        };
        self.machine.step(&stream, &view, observer, &mut self.verdicts);
        if self.machine.take_gap() {
            self.doubt_from(DoubtCause::Gap, || here.place(here.type_span.clone()));
        }
        self.event_checker.log.report_verdicts(&mut self.verdicts, here, Some((event_type, captured)));
    }

    /// Treats the end of the input as unknown: nothing is reported about streams that are unfinished there.
    pub(crate) fn ignore_end(&mut self) {
        self.whole = false;
    }

    /// Judges several files as one input from now on, with these names.
    pub(crate) fn join(&mut self, names: &[Arc<str>]) {
        self.event_checker.log.join(names);
    }

    /// Ends one of several files, which has this length in bytes.
    pub(crate) fn end_file(&mut self, file: FileNumber, length: u64) {
        self.event_checker.log.count_file(file, length);
    }

    /// Goes on with another file, whatever was wrong with the end of the one before.
    pub(crate) fn go_on(&mut self) {
        self.whole = true;
    }

    /// Reports that a part of the input is missing before this place. `message`: what is missing.
    pub(crate) fn report_missing(&mut self, at: Origin, message: String) {
        self.doubt_from(DoubtCause::MissingFile, || at.place());
        let help = Some("find what is missing, and check again with it".into());
        self.report_fault(InputFault { rule: Framing::CheckSkipped, place: at.place(), message, help, lost: true });
    }

    /// Reports that the compressed form of the input is damaged at this place.
    pub(crate) fn report_damage(&mut self, at: Origin, cause: &str) {
        self.whole = false;
        self.report_fault(InputFault {
            rule: Framing::TruncatedInput,
            place: at.place(),
            message: cause.to_owned(),
            help: None,
            lost: true,
        });
    }

    /// Returns whether the input has had an event of a known type.
    fn has_known_event(&self) -> bool {
        self.events.iter().any(|count| *count > 0)
    }

    /// Reports that the input has no event of the protocol, and what it looks like.
    fn report_no_events(&mut self, protocol: &Protocol, has_content: bool) {
        let log = &self.event_checker.log;
        let (rule, LikenessWords { found, help }) = match has_content {
            true if self.likeness.is_torn() => return,
            true => (Framing::NoEvents, self.likeness.words(protocol, &self.sought)),
            // An event that was passed by itself and is blank has been reported.
            false if log.has_error => return,
            false => (Framing::EmptyInput, LikenessWords::default()),
        };
        let rule = framing(rule);
        let message = log.message(rule, &mut [("found", found)]);
        let place = Place { line: 1, column: 1, ..Place::default() };
        let details = Details { message, help: help.map(Into::into), ..Details::default() };
        self.event_checker.log.report(rule, place, details);
    }

    /// Reports no name from now on that was reported in an earlier input of the same set. `unknown`: the names there.
    pub(crate) fn know_names(&mut self, unknown: UnknownNames) {
        self.event_checker.unknown = unknown;
    }

    /// Ends the input.
    pub(crate) fn finish(mut self, protocol: &Protocol, input: InputFacts) -> Judged {
        let InputFacts { has_content, server_sent, bytes } = input;
        self.release(protocol);
        std::mem::take(&mut self.oddities).report(&mut self.event_checker.log);
        self.machine.finish_repetitions(&mut self.verdicts);
        for verdict in std::mem::take(&mut self.verdicts) {
            self.event_checker.log.report_earlier(verdict);
        }
        if self.whole {
            match &mut self.coverage {
                None => self.machine.finish(server_sent, NoObserver, &mut self.verdicts),
                Some(coverage) => self.machine.finish(server_sent, &mut **coverage, &mut self.verdicts),
            }
            for verdict in std::mem::take(&mut self.verdicts) {
                self.event_checker.log.report_earlier(verdict);
            }
        }
        self.report_doubt();
        // A text such as `[DONE]` alone does not show that any event was understood.
        let mut events = self.events.iter().zip(&protocol.tables().events);
        if events.any(|(count, event)| *count > 0 && !event.is_text()) {
            self.report_other_protocol(protocol);
        } else if self.whole {
            self.report_no_events(protocol, has_content);
        }
        self.event_checker.log.summary.streams = self.machine.stream_count();
        self.stats.bytes = bytes;
        self.stats.opened = self.machine.opened();
        for (event, count) in protocol.tables().events.iter().zip(&self.events).filter(|(_, count)| **count > 0) {
            self.stats.by_type.insert(event.name.to_string(), *count);
        }
        let (report, unknown) = self.event_checker.finish(self.stats);
        Judged { report, coverage: self.coverage, unknown }
    }
}
