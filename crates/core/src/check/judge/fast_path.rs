//! Judges the events of which the fast path is sure.

use super::StreamJudge;
use crate::check::fast_reader::FastEvent;
use crate::event::event_checker::stream_of;
use crate::event::finding_log::EventContext;
use crate::input::{EventNote, Frame, Landmarks, Origin};
use crate::machine::{NoObserver, Repeat};
use crate::protocol::Protocol;
use crate::schema::Faults;
use crate::schema::captures::{Capture, Captures, EventCaptures, Items};
use crate::schema::date_time::Stamp;

impl StreamJudge {
    /// Judges a message with an event inside, where the fast path has not read what is around the event. Remembers it, if
    /// there is nothing to say about it.
    #[cold]
    pub(super) fn judge_surrounded(&mut self, protocol: &Protocol, frame: &Frame<'_>, fast_event: &FastEvent) {
        let said = |judge: &StreamJudge| {
            let log = &judge.event_checker.log;
            (log.findings.len(), log.summary.events, log.summary.skipped, judge.oddities.count())
        };
        let (findings, events, skipped, oddities) = said(self);
        self.judge_on_slow_path(protocol, frame, &[]);
        if said(self) == (findings, events + 1, skipped, oddities) && self.judged == fast_event.span {
            self.surroundings.remember(frame.text, &fast_event.span);
        }
    }

    /// Judges an event in which the fast path found faults.
    pub(super) fn judge_faulty<'p>(
        &mut self,
        protocol: &'p Protocol,
        frame: &Frame<'_>,
        fast_event: &FastEvent,
        captured: EventCaptures<'_>,
        faults: Option<Faults<'p>>,
    ) {
        let id = fast_event.event_type;
        let event_type = &protocol.tables().events[id];
        let text = frame.text;
        let mut captures = std::mem::take(&mut self.faulty_captures);
        captures.copy(captured);
        let Some(faults) = self.event_checker.fast_path_faults((id, event_type), text, captured, faults, &mut captures)
        else {
            self.faulty_captures = captures;
            return self.judge_on_slow_path(protocol, frame, captured.unknown);
        };
        let (span, type_span) = (0..text.len(), fast_event.type_span.clone());
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
        let stream =
            stream_of(text, event_type.stream, &captures.fields).map(|name| self.event_checker.shared_name(&name));
        self.event_checker.report_faults(&here, faults, stream.as_ref());
        self.judge_order(protocol, &here, id, captures.all(), true, NoObserver);
        self.faulty_captures = captures;
    }

    /// Judges an event in which the fast path found no fault.
    pub(super) fn judge_valid(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        fast_event: &FastEvent,
        captured: EventCaptures<'_>,
    ) {
        let captures = (captured.fields, captured.items);
        if self.judge_repeat(protocol, frame, || frame.origin(fast_event.span.start), fast_event, captures) {
            return;
        }
        let id = fast_event.event_type;
        let event_type = &protocol.tables().events[id];
        let (span, type_span) = (fast_event.span.clone(), fast_event.type_span.clone());
        let here = EventContext {
            frame,
            span,
            type_span,
            number: Some(self.next_event(id)),
            event_type: &event_type.name,
            excerpts: self.excerpts,
            landmarks: Landmarks::default(),
        };
        self.judge_order(protocol, &here, id, captured, true, NoObserver);
    }

    /// Judges a line whose event has no fault and no unknown key, and repeats its stream's last event, as nearly every line
    /// does. Returns `false`, and judges nothing, for any other line. `origin`: that of the event.
    #[inline(always)]
    pub(crate) fn judge_usual(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        origin: Origin,
        fast_event: &FastEvent,
        captures: &Captures,
    ) -> bool {
        captures.violations.is_empty()
            && captures.unknown.is_empty()
            && self.held.is_empty()
            && (fast_event.span.len() == frame.text.len() || self.surroundings.are_known(frame.text, &fast_event.span))
            && self.judge_repeat(protocol, frame, || origin, fast_event, (&captures.fields, &captures.items))
    }

    /// Judges a valid event by the machine's short path. Returns `false`, and judges nothing, if that is not for it.
    #[inline(always)]
    fn judge_repeat(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        origin: impl FnOnce() -> Origin,
        fast_event: &FastEvent,
        (fields, items): (&[Capture], &[Items]),
    ) -> bool {
        let FastEvent { event_type: id, span, type_span } = fast_event;
        let event_type = &protocol.tables().events[*id];
        let (text, excerpts) = (frame.text, self.excerpts);
        // One that is not there, or is written as nobody does, is not for this path.
        let inside = |slot: usize| match fields[slot] {
            Capture::Text(start, end) => Some(&text[start as usize..end as usize]),
            _ => None,
        };
        let Some(stream) = event_type.stream.map_or(Some(&b""[..]), inside) else { return false };
        let time = match event_type.time {
            None => None,
            Some(slot) => match inside(slot).filter(|_| event_type.usual_time) {
                Some(written) => Some(Stamp { written, usual: true }),
                None => return false,
            },
        };
        let number = self.event_checker.log.summary.events;
        let repeat = Repeat { event_type: *id, text, fields, items };
        let note = |noted: &mut EventNote| {
            frame.note_event(origin(), span, type_span, Some(number), excerpts, noted);
        };
        let is_repeat = self.machine.step_repeat(stream, &repeat, time, note);
        if is_repeat {
            self.next_event(*id);
        }
        is_repeat
    }
}
