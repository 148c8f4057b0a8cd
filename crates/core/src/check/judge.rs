//! Frame → schema → machine → findings.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::coverage::CoverageCounts;
use super::fast_reader::FastEvent;
use crate::event::event_checker::{EventChecker, SHOWN_CHARS, not_json, read, stream_of};
use crate::event::finding_log::{Details, EventContext, FindingLogState};
use crate::event::unknown_names::UnknownNames;
use crate::event::{Event, MOST_UNKNOWN, NotAnEvent, Settings, stream_name, timestamp};
use crate::finding::{Finding, MOST_BYTES, Place, Report, Stats};
use crate::framing::Framing;
use crate::input::json::Tree;
use crate::input::{Frame, Input, InputFault, Landmarks, Origin, Wire};
use crate::machine::{CellObserver, EventView, Limits, Machine, MachineState, NoObserver, Verdict};
use crate::protocol::{Protocol, framing};
use crate::schema::captures::{Capture, Captures, EventCaptures, UnknownKey};
use crate::schema::date_time::{LastMinute, Stamp, usual_length};
use crate::schema::{Faults, Pointer, quoted};
use crate::text::nearest;

/// How far a judge has come, to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StreamJudgeState {
    machine: MachineState,
    log: FindingLogState,
    unknown: UnknownNames,
    /// Events by type, of the types that the protocol does not have.
    unknown_types: BTreeMap<String, u64>,
    /// By event type: how many there were.
    events: Vec<u64>,
    whole: bool,
}

#[derive(Clone)]
pub(crate) struct StreamJudge {
    wire: Option<Wire>,
    /// What can be read of an event with faults; kept for its memory.
    readable: Captures,
    machine: Machine,
    verdicts: Vec<Verdict>,
    event_checker: EventChecker,
    stats: Stats,
    /// By event type: how many there were.
    events: Vec<u64>,
    /// Whether the input is whole, so that the ends of streams mean something.
    whole: bool,
    excerpts: bool,
    last_minute: LastMinute,
    /// What of the protocol is exercised, if that is counted.
    exercised: Option<Box<CoverageCounts>>,
}

impl StreamJudge {
    pub(crate) fn new(protocol: &Protocol, settings: &Settings, file: Option<Arc<str>>) -> StreamJudge {
        let options = settings.options();
        let limits = Limits { max_text_bytes: options.max_text_bytes(), max_streams: options.max_streams() };
        let event_types = protocol.tables().events.len();
        StreamJudge {
            wire: options.wire(),
            readable: Captures::default(),
            machine: Machine::new(protocol, limits, options.fragment()),
            verdicts: Vec::new(),
            event_checker: EventChecker::new(protocol, settings, file),
            stats: Stats::default(),
            events: vec![0; event_types],
            whole: true,
            excerpts: options.excerpts(),
            last_minute: LastMinute::default(),
            exercised: None,
        }
    }

    /// Returns how far it has come, to be stored. Findings that were not taken are not in it.
    pub(crate) fn state(&self) -> StreamJudgeState {
        StreamJudgeState {
            machine: self.machine.state(),
            log: self.event_checker.log.state(),
            unknown: self.event_checker.unknown.clone(),
            unknown_types: self.stats.by_type.clone(),
            events: self.events.clone(),
            whole: self.whole,
        }
    }

    /// Goes on where the state was taken. Returns `None` if no judge could be in that state.
    pub(crate) fn restore(mut self, protocol: &Protocol, state: StreamJudgeState) -> Option<StreamJudge> {
        let StreamJudgeState { machine, log, unknown, unknown_types, events, whole } = state;
        let counts = events.iter().chain(unknown_types.values()).all(|count| *count < MOST_BYTES);
        let is_sound = counts
            && events.len() == self.events.len()
            && unknown_types.len() <= MOST_UNKNOWN + 1
            && unknown.is_sound(events.len(), protocol.rules().len())
            && self.event_checker.log.restore(log);
        self.machine = self.machine.restore(machine)?;
        (self.event_checker.unknown, self.stats.by_type, self.events, self.whole) =
            (unknown, unknown_types, events, whole);
        is_sound.then_some(self)
    }

    /// Counts from here on what of the protocol is exercised, by the events that go the slow way.
    pub(crate) fn count_coverage(&mut self, protocol: &Protocol) {
        self.exercised = Some(Box::new(CoverageCounts::new(protocol.tables())));
    }

    pub(crate) fn findings(&mut self) -> &mut Vec<Finding> {
        &mut self.event_checker.log.findings
    }

    /// The text that a stream has sent so far, by the tables' texts.
    pub(crate) fn streamed(&self, stream: &str) -> Vec<Option<String>> {
        self.machine.streamed(stream.as_bytes())
    }

    /// How many instances each lifecycle opened, by its name.
    pub(crate) fn opened(&self) -> BTreeMap<String, u64> {
        self.machine.opened()
    }

    /// What cannot be a frame.
    pub(crate) fn broken(&mut self, broken: InputFault) {
        if broken.lost {
            self.machine.note_loss();
        }
        self.whole &= broken.rule != Framing::TruncatedLine;
        let rule = framing(broken.rule);
        let message = self.event_checker.log.message(rule, &mut [("found", broken.message)]);
        let help = broken.help.map(Into::into);
        self.event_checker.log.say(rule, broken.place, Details { message, help, ..Details::default() });
    }

    /// A frame that the fast way has seen: it judged it and captured its fields, as nearly all, or was not sure. `faults`:
    /// what is wrong with it, if that is in words already.
    pub(crate) fn examined<'p>(
        &mut self,
        protocol: &'p Protocol,
        frame: &Frame<'_>,
        judged: Option<&FastEvent>,
        captured: EventCaptures<'_>,
        faults: Option<Faults<'p>>,
    ) {
        match judged {
            Some(judged) if !captured.violations.is_empty() => self.faulty(protocol, frame, judged, captured, faults),
            Some(judged)
                if captured.unknown.is_empty()
                    || self.event_checker.unknown.count_known(judged.event_type, frame.text, captured.unknown) =>
            {
                self.valid(protocol, frame, judged, captured);
            }
            _ => self.slow(protocol, frame, captured.unknown),
        }
    }

    /// An event that the fast way found something wrong with.
    fn faulty<'p>(
        &mut self,
        protocol: &'p Protocol,
        frame: &Frame<'_>,
        judged: &FastEvent,
        captured: EventCaptures<'_>,
        faults: Option<Faults<'p>>,
    ) {
        let id = judged.event_type;
        let event_type = &protocol.tables().events[id];
        let text = frame.text;
        let mut captures = std::mem::take(&mut self.readable);
        captures.copy(captured);
        let Some(faults) = self.event_checker.faults_of((id, event_type), text, captured, faults, &mut captures) else {
            self.readable = captures;
            return self.slow(protocol, frame, captured.unknown);
        };
        let (span, type_span) = (0..text.len(), judged.type_span.clone());
        let (number, excerpts) = (Some(self.next_event(id)), self.excerpts);
        let here = EventContext {
            frame,
            span,
            type_span,
            number,
            event_type: &event_type.name,
            excerpts,
            landmarks: Landmarks::default(),
        };
        let stream = stream_of(text, event_type.stream, &captures.fields).map(|name| self.event_checker.name(&name));
        self.event_checker.say(&here, faults, stream.as_ref());
        self.order(protocol, &here, id, captures.all(), true, NoObserver);
        self.readable = captures;
    }

    /// `keys`: the unknown keys that the fast way found and could not count yet.
    fn slow(&mut self, protocol: &Protocol, frame: &Frame<'_>, keys: &[UnknownKey]) {
        let text = frame.text;
        match read(frame) {
            Err(fault) => self.broken(not_json(frame, fault)),
            Ok(tree) => match Event::find(&tree.root, text, protocol, self.wire == Some(Wire::JsonRpc)) {
                Ok(event) => self.event(protocol, frame, &tree, &event, keys),
                Err(NotAnEvent::Message) => self.event_checker.log.summary.skipped += 1,
                Err(NotAnEvent::Other(span, found)) => {
                    let place = frame.place(span, None);
                    self.broken(InputFault {
                        rule: Framing::NotAnEvent,
                        place,
                        message: found,
                        help: None,
                        lost: true,
                    });
                }
            },
        }
    }

    /// An event that the fast way found nothing wrong with.
    fn valid(&mut self, protocol: &Protocol, frame: &Frame<'_>, judged: &FastEvent, captured: EventCaptures<'_>) {
        let id = judged.event_type;
        let event_type = &protocol.tables().events[id];
        let (span, type_span) = (0..frame.text.len(), judged.type_span.clone());
        let here = EventContext {
            frame,
            span,
            type_span,
            number: Some(self.next_event(id)),
            event_type: &event_type.name,
            excerpts: self.excerpts,
            landmarks: Landmarks::default(),
        };
        if event_type.usual_time
            && let (Some(stream), Some(time)) = (event_type.stream, event_type.time)
            && let (Capture::Text(from, to), Capture::Text(start, end)) =
                (captured.fields[stream], captured.fields[time])
        {
            let written = &frame.text[start as usize..end as usize];
            let observed = EventView {
                event_type: id,
                text: frame.text,
                time: Some(Stamp { written, usual: true }),
                fields: captured.fields,
                items: captured.items,
                locator: &here,
            };
            if self.machine.step_repeat(&frame.text[from as usize..to as usize], &observed) {
                return;
            }
        }
        self.order(protocol, &here, id, captured, true, NoObserver);
    }

    fn next_event(&mut self, event_type: usize) -> u64 {
        self.events[event_type] += 1;
        self.event_checker.log.summary.events += 1;
        self.event_checker.log.summary.events - 1
    }

    fn event(&mut self, protocol: &Protocol, frame: &Frame<'_>, tree: &Tree, event: &Event<'_>, keys: &[UnknownKey]) {
        let (span, type_span) = (event.node.span.clone(), event.type_span.clone());
        let tables = protocol.tables();
        if let Some(id) = protocol.event_id(&event.name) {
            let event_type = &tables.events[id].name;
            let (number, excerpts) = (Some(self.next_event(id)), self.excerpts);
            let here =
                EventContext { frame, span, type_span, number, event_type, excerpts, landmarks: Landmarks::default() };
            return self.known(protocol, &here, tree, event, id, keys);
        }
        let number = Some(self.event_checker.log.summary.events);
        self.event_checker.log.summary.events += 1;
        // Names come from the input: past the limit, new ones are counted together.
        let counts = &mut self.stats.by_type;
        let told_apart = counts.len() < MOST_UNKNOWN || counts.contains_key(&*event.name);
        *counts.entry(if told_apart { &*event.name } else { "(others)" }.to_owned()).or_default() += 1;
        let event_type = Arc::from(&*event.name);
        let here = EventContext {
            frame,
            span,
            type_span,
            number,
            event_type: &event_type,
            excerpts: self.excerpts,
            landmarks: Landmarks::default(),
        };
        self.unknown(protocol, &here, tree, event);
    }

    fn unknown(&mut self, protocol: &Protocol, here: &EventContext<'_>, tree: &Tree, event: &Event<'_>) {
        let shape = &protocol.tables().shape;
        let text = here.frame.text;
        let field = |at: &Option<Pointer>| at.as_ref().map_or(Capture::Absent, |at| event.field(text, at));
        let name = match &shape.stream {
            Some(_) => stream_name(text, field(&shape.stream)),
            None => Some(Cow::Borrowed(&b""[..])),
        };
        let stream = name.as_deref().map(|name| self.event_checker.name(name));
        self.event_checker.surrogates_and_duplicates(here, tree, &event.wrapper, stream.as_ref(), |_| false);
        let rule = protocol.tables().unknown;
        if self.event_checker.is_first(rule, None, here, stream.as_ref()).0 {
            let known = protocol.tables().events.iter().map(|event| &*event.name);
            let near = nearest(here.event_type, known);
            let help = near.as_ref().map(|near| format!("did you mean {near}?").into());
            let proposal = near.map(|near| serde_json::Value::String(near).to_string().into());
            let mut facts = [("found", quoted(here.event_type, SHOWN_CHARS)), ("event", here.event_type.to_string())];
            let message = self.event_checker.log.message(rule, &mut facts);
            let pointer = Some(shape.event_type.text().into());
            let said = Details { message, help, pointer, proposal, ..here.said(stream.as_ref()) };
            self.event_checker.log.say(rule, here.place(here.type_span.clone()), said);
        }
        if let Some(name) = &name {
            let time = timestamp(text, field(&shape.time));
            let time = time.as_deref().map(|written| Stamp { written, usual: false });
            self.machine.step_unknown(name, time, here, &mut self.verdicts);
            self.event_checker.log.verdicts(&mut self.verdicts, here, None);
        }
    }

    fn known(
        &mut self,
        protocol: &Protocol,
        here: &EventContext<'_>,
        tree: &Tree,
        event: &Event<'_>,
        id: usize,
        keys: &[UnknownKey],
    ) {
        let event_type = &protocol.tables().events[id];
        let text = here.frame.text;
        // Half a character at the edge of a piece of text may have its other half in the next piece.
        let appends: Vec<_> = protocol.tables().texts.iter().filter_map(|text| text.append[id].as_ref()).collect();
        let at_edge = |span: &Range<usize>, captures: &Captures| {
            let mut pieces = appends.iter().filter_map(|append| captures.fields[append.slot].range());
            pieces.any(|piece| span.start == piece.start || span.end == piece.end)
        };
        let captures = self.event_checker.judge(here, tree, event, id, keys, at_edge);
        match self.exercised.take() {
            None => self.order(protocol, here, id, captures.all(), false, NoObserver),
            Some(mut exercised) => {
                exercised.event(id, &event_type.schema, event.node, text);
                self.order(protocol, here, id, captures.all(), false, &mut *exercised);
                self.exercised = Some(exercised);
            }
        }
    }

    /// Moves the tables by the event that was captured. The fast way accepts timestamps in the usual form only.
    fn order(
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
        // Where the schema lets an event leave its stream out, the event belongs to none.
        if event_type.stream.is_some_and(|slot| captured.fields[slot] == Capture::Absent) {
            return;
        }
        let Some(stream) = stream_of(text, event_type.stream, captured.fields) else { return self.machine.note_loss() };
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
        let observed =
            EventView { event_type: id, text, time, fields: captured.fields, items: captured.items, locator: here };
        self.machine.step(&stream, &observed, observer, &mut self.verdicts);
        self.event_checker.log.verdicts(&mut self.verdicts, here, Some((event_type, captured)));
    }

    /// Nothing is known of the input's end.
    pub(crate) fn cut(&mut self) {
        self.whole = false;
    }

    /// The compressed form of the input is damaged here.
    pub(crate) fn damaged(&mut self, at: Origin, cause: &str) {
        self.whole = false;
        self.broken(InputFault {
            rule: Framing::TruncatedInput,
            place: at.place(),
            message: cause.to_owned(),
            help: None,
            lost: true,
        });
    }

    pub(crate) fn finish(mut self, protocol: &Protocol, input: &Input) -> (Report, Option<Box<CoverageCounts>>) {
        if self.whole {
            match &mut self.exercised {
                None => self.machine.finish(NoObserver, &mut self.verdicts),
                Some(exercised) => self.machine.finish(&mut **exercised, &mut self.verdicts),
            }
            for verdict in std::mem::take(&mut self.verdicts) {
                self.event_checker.log.earlier(verdict);
            }
        }
        if self.whole && self.event_checker.log.summary.events == 0 && !self.event_checker.log.error {
            let rule = framing(if input.has_content() { Framing::NoEvents } else { Framing::EmptyInput });
            let message = self.event_checker.log.message(rule, &mut []);
            let place = Place { line: 1, column: 1, ..Place::default() };
            self.event_checker.log.say(rule, place, Details { message, ..Details::default() });
        }
        self.event_checker.log.summary.streams = self.machine.stream_count();
        self.stats.bytes = input.bytes();
        self.stats.opened = self.machine.opened();
        for (event, count) in protocol.tables().events.iter().zip(&self.events).filter(|(_, count)| **count > 0) {
            self.stats.by_type.insert(event.name.to_string(), *count);
        }
        (self.event_checker.finish(self.stats), self.exercised)
    }
}
