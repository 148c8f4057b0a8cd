//! Judges the events of which the fast path is sure.

use std::num::NonZeroU64;
use std::ops::Range;

use super::StreamJudge;
use crate::check::fast_reader::FastEvent;
use crate::event::event_checker::stream_of;
use crate::event::finding_log::EventContext;
use crate::input::{EventAt, EventNote, Frame, Landmarks, Origin, Segment};
use crate::machine::{NoObserver, Repeat};
use crate::protocol::Protocol;
use crate::schema::Faults;
use crate::schema::captures::{Capture, Captures, EventCaptures, EventFields};
use crate::schema::date_time::Stamp;
use crate::schema::template::Reading;

/// A line with an event, or its data if it is a server-sent event, which stands in the file as it is.
pub(crate) struct EventLine<'t> {
    pub text: &'t [u8],
    /// The origin of the text.
    pub origin: Origin,
    /// The place of the event, as a byte range of the text: it may stand inside of a message.
    pub span: Range<usize>,
    /// The origin of the event.
    pub at: Origin,
    /// The number of what is around the event, if its reader gave it one.
    pub surroundings: Option<NonZeroU64>,
    /// The caller's row for the event, if it is not a part of a file.
    pub row: Option<u64>,
    pub server_sent: bool,
}

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

    /// Judges an event that was read by a template, in `source`, a part of the file that begins at a byte offset. `captures`
    /// is scratch space.
    ///
    /// Nothing may need the text of the event before [`StreamJudge::leave_source`] was called.
    #[inline(always)]
    pub(crate) fn judge_reading(
        &mut self,
        protocol: &Protocol,
        line: &EventLine<'_>,
        (event_type, reading): (usize, Reading<'_>),
        source: (&[u8], u64),
        captures: &mut Captures,
    ) {
        let EventLine { text, span, surroundings, .. } = line;
        let is_repeat = !reading.has_violations()
            && self.held.is_empty()
            && (span.len() == text.len() || self.surroundings.are_known(text, span, *surroundings))
            && (!reading.has_unknown() || self.event_checker.unknown.know_layout(event_type, text, &reading))
            && self.judge_repeat(protocol, line, event_type, &reading);
        if !is_repeat {
            self.judge_other(protocol, line, (event_type, reading), source, captures);
        } else if reading.has_unknown() {
            self.event_checker.unknown.count_layout();
        }
    }

    /// Judges an event that was read by a template, and is not for the machine's short path.
    #[inline(never)]
    fn judge_other(
        &mut self,
        protocol: &Protocol,
        line: &EventLine<'_>,
        (event_type, reading): (usize, Reading<'_>),
        source: (&[u8], u64),
        captures: &mut Captures,
    ) {
        let EventLine { text, ref span, origin, row, server_sent, .. } = *line;
        self.leave_source(source);
        captures.clear();
        reading.capture(captures);
        let fast_event = FastEvent { event_type, span: span.clone(), type_span: reading.type_span() };
        let segments = [Segment { at: 0, origin }];
        let frame = Frame { utf8: true, row, server_sent, ..Frame::new(text, &segments) };
        self.judge_frame(protocol, &frame, Some(&fast_event), captures.all(), None);
    }

    /// Keeps what is still needed of a part of the file, which begins at a byte offset, before it is gone.
    #[inline]
    pub(crate) fn leave_source(&mut self, (text, offset): (&[u8], u64)) {
        self.machine.add_texts(text, offset);
    }

    /// Judges a valid event by the machine's short path. Returns `false`, and judges nothing, if that is not for it.
    #[inline(always)]
    fn judge_repeat(&mut self, protocol: &Protocol, line: &EventLine<'_>, id: usize, fields: &Reading<'_>) -> bool {
        // The origin is not copied: it was written just now, in parts, and a copy of the whole would have to wait for these.
        let EventLine { text, span, at: origin, row, .. } = line;
        let event_type = &protocol.tables().events[id];
        // One that is not there, or is written as nobody does, is not for this path.
        let inside = |slot: usize| match fields.field(slot) {
            Some(Capture::Text(start, end)) => Some(&text[start as usize..end as usize]),
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
        let (number, excerpts) = (self.event_checker.log.summary.events, self.excerpts);
        let repeat = Repeat { event_type: id, text, fields };
        let note = |noted: &mut EventNote| {
            let type_span = fields.type_span();
            let mark = type_span.start - span.start..type_span.end - span.start;
            noted.place_at(EventAt { origin: *origin, length: span.len(), mark, number, row: *row }, excerpts)
        };
        let is_repeat = self.machine.step_repeat(stream, &repeat, time, note);
        if is_repeat {
            self.next_event(id);
        }
        is_repeat
    }
}
