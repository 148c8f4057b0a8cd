//! The slow path: judges the events of which the fast path is not sure, from the tree of their frame.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::StreamJudge;
use crate::check::CoverageCounts;
use crate::event::event_checker::parse_frame;
use crate::event::finding_log::{Details, EventContext};
use crate::event::unknown_names::NameId;
use crate::event::{Event, MOST_UNKNOWN, record_options, stream_name, timestamp};
use crate::framing::Framing;
use crate::input::json::{NodeKind, Tree, ends_with_high, starts_with_low};
use crate::input::{Frame, InputFault, Landmarks};
use crate::machine::NoObserver;
use crate::protocol::tables::EventType;
use crate::protocol::texts::Append;
use crate::protocol::{Protocol, framing};
use crate::schema::captures::{Capture, Captures, UnknownKey};
use crate::schema::date_time::Stamp;
use crate::schema::{Pointer, SHOWN_CHARS, quoted};
use crate::text::did_you_mean;

impl StreamJudge {
    /// Judges a frame on the slow path, from its tree. `keys`: the unknown keys that the fast path found and could not
    /// count yet.
    pub(super) fn judge_on_slow_path(&mut self, protocol: &Protocol, frame: &Frame<'_>, keys: &[UnknownKey]) {
        // Each stream may end with one, so it is not parsed first.
        if let Some(id) = protocol.text_type(frame.text) {
            return self.judge_text(protocol, frame, id);
        }
        match parse_frame(frame) {
            Err(error) => self.judge_broken(protocol, frame, error),
            Ok(tree) => self.judge_tree(protocol, frame, &tree, keys),
        }
    }

    /// Reports a frame that is JSON but no event.
    #[cold]
    pub(super) fn report_no_event(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        tree: &Tree,
        span: Range<usize>,
        found: String,
    ) {
        let lost = !self.foreign.is_foreign(tree, frame.text);
        if !lost && frame.label.is_some_and(|label| self.is_of_another_kind(label)) {
            self.event_checker.log.summary.skipped += 1;
            return;
        }
        let events = self.event_checker.log.summary.events;
        if matches!(tree.root.kind, NodeKind::Number)
            && let Some(oddity) = self.lookalikes.recognise(frame, events, &[], &self.oddities)
        {
            return self.oddities.note(oddity, || frame.place(span, None));
        }
        if !lost && self.hold(frame) {
            return;
        }
        let (rule, place) = (Framing::NotAnEvent, frame.place(span, None));
        let help = record_options(&tree.root, frame.text).map(|options| {
            let help = &protocol.tables().rules[usize::from(framing(rule).0)].help;
            format!("{help}. If this is a stored record, check it with {options}").into()
        });
        self.report_fault(InputFault { rule, place, message: found, help, lost });
    }

    /// Judges an event on the slow path.
    pub(super) fn judge_event(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        tree: &Tree,
        event: &Event<'_>,
        keys: &[UnknownKey],
    ) {
        let (span, type_span) = (event.node.span.clone(), event.type_span.clone());
        self.judged = span.clone();
        let tables = protocol.tables();
        if let Some(id) = event.event_type {
            let event_type = &tables.events[id].name;
            let (number, excerpts) = (Some(self.next_event(id)), self.excerpts);
            let here =
                EventContext { frame, span, type_span, number, event_type, excerpts, landmarks: Landmarks::default() };
            return self.judge_known_type(protocol, &here, tree, event, id, keys);
        }
        let number = Some(self.event_checker.log.summary.events);
        self.event_checker.log.summary.events += 1;
        // Names come from the input: past the limit, new ones are counted together.
        let counts = &mut self.stats.by_type;
        let has_own_count = counts.len() < MOST_UNKNOWN || counts.contains_key(&*event.name);
        *counts.entry(if has_own_count { &*event.name } else { "(others)" }.to_owned()).or_default() += 1;
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
        self.judge_unknown_type(protocol, &here, tree, event);
    }

    /// Judges a frame that is an event of this type by its text.
    fn judge_text(&mut self, protocol: &Protocol, frame: &Frame<'_>, id: usize) {
        self.release(protocol);
        if self.is_text_of_other_protocol(protocol, frame.text, id) {
            self.event_checker.log.summary.skipped += 1;
            return;
        }
        let event_type = &protocol.tables().events[id];
        let start = frame.text.len() - frame.text.trim_ascii_start().len();
        let span = start..start + frame.text.trim_ascii().len();
        self.judged = span.clone();
        let here = EventContext {
            frame,
            type_span: span.clone(),
            span,
            number: Some(self.next_event(id)),
            event_type: &event_type.name,
            excerpts: self.excerpts,
            landmarks: Landmarks::default(),
        };
        if let Some(trace) = &mut self.trace {
            trace.begin_event(&here, Some(id), None, event_type.stream.is_none().then_some(&b""[..]));
        }
        let captures = Captures::of_nothing(event_type.slots.len(), event_type.arrays.len());
        self.judge_counted_order(protocol, &here, id, &captures, |_| ());
    }

    /// Judges the order of an event, and counts what it exercises if anything does: `count` counts what its own fields do.
    fn judge_counted_order(
        &mut self,
        protocol: &Protocol,
        here: &EventContext<'_>,
        id: usize,
        captures: &Captures,
        count: impl FnOnce(&mut CoverageCounts),
    ) {
        if let Some(mut trace) = self.trace.take() {
            self.judge_order(protocol, here, id, captures.all(), false, &mut *trace);
            self.trace = Some(trace);
            return;
        }
        match self.coverage.take() {
            None => self.judge_order(protocol, here, id, captures.all(), false, NoObserver),
            Some(mut coverage) => {
                count(&mut coverage);
                self.judge_order(protocol, here, id, captures.all(), false, &mut *coverage);
                self.coverage = Some(coverage);
            }
        }
    }

    /// Judges an event of a type that the protocol does not have.
    fn judge_unknown_type(&mut self, protocol: &Protocol, here: &EventContext<'_>, tree: &Tree, event: &Event<'_>) {
        let shape = &protocol.tables().shape;
        let text = here.frame.text;
        let field = |at: &Option<Pointer>| at.as_ref().map_or(Capture::Absent, |at| event.field(text, at));
        let name = match &shape.stream {
            Some(_) => stream_name(text, field(&shape.stream)),
            None => Some(Cow::Borrowed(&b""[..])),
        };
        if let Some(trace) = &mut self.trace {
            trace.begin_event(here, None, timestamp(text, field(&shape.time)).as_deref(), name.as_deref());
        }
        let stream = name.as_deref().map(|name| self.event_checker.shared_name(name));
        self.event_checker.report_surrogates_and_duplicates(here, tree, &event.wrapper, stream.as_ref(), |_| false);
        self.event_checker.report_replacements(here, event.node, stream.as_ref());
        let misspelt = self.trace_finder.near_type(protocol, here.event_type);
        let rule = if misspelt.is_some() { framing(Framing::MisspeltEvent) } else { protocol.tables().unknown };
        let id = NameId { rule, event_type: here.event_type.clone(), pointer: None, value: None };
        if self.event_checker.count_unknown(id, here, stream.as_ref()).0 {
            let near = misspelt.map(str::to_owned).or_else(|| protocol.suggested_event_type(here.event_type));
            let help = near.clone().filter(|_| misspelt.is_none()).map(|near| did_you_mean(near).into());
            let mut facts = [
                ("found", quoted(here.event_type, SHOWN_CHARS)),
                ("near", near.clone().unwrap_or_default()),
                ("event", here.event_type.to_string()),
            ];
            let message = self.event_checker.log.message(rule, &mut facts);
            let proposal = near.map(|near| serde_json::Value::String(near).to_string().into());
            let pointer = Some(shape.event_type.text().into());
            let details = Details { message, help, pointer, proposal, ..here.details(stream.as_ref()) };
            self.event_checker.log.report(rule, here.place(here.type_span.clone()), details);
        }
        if let Some(name) = &name {
            let time = timestamp(text, field(&shape.time));
            let time = time.as_deref().map(|written| Stamp { written, usual: false });
            let number = |at: &Pointer| match event.field(text, at) {
                Capture::Number(start, end) => Some(text[start as usize..end as usize].into()),
                _ => None,
            };
            self.machine.step_unknown(name, time, &number, here, &mut self.verdicts);
            self.event_checker.log.report_verdicts(&mut self.verdicts, here, None);
        }
    }

    /// Judges an event of a known type on the slow path.
    fn judge_known_type(
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
        if let Some(trace) = &mut self.trace {
            let shape = &protocol.tables().shape;
            let field = |at: &Pointer| event.field(text, at);
            let time = shape.time.as_ref().and_then(|at| timestamp(text, field(at)));
            let name = match &shape.stream {
                Some(at) => stream_name(text, field(at)),
                None => Some(Cow::Borrowed(&b""[..])),
            };
            trace.begin_event(here, Some(id), time.as_deref(), name.as_deref());
        }
        // Half a character at the edge of a piece of text may have its other half in the piece before or behind it.
        let appends = protocol.tables().texts.iter().flat_map(|text| &text.append[id]);
        let appends: Vec<_> = appends.filter(|append| !append.anew).collect();
        let edges = OnceCell::new();
        let at_edge = |span: &Range<usize>, captures: &Captures| {
            let half = &text[span.clone()];
            let Edges { starts, ends } = edges.get_or_init(|| Edges::of(&appends, event_type, captures));
            starts.contains(&span.start) && starts_with_low(half) || ends.contains(&span.end) && ends_with_high(half)
        };
        let captures = self.event_checker.judge(here, tree, event, id, keys, at_edge);
        let schema = &event_type.schema;
        let count = |coverage: &mut CoverageCounts| coverage.count_event(id, schema, event.node, text);
        self.judge_counted_order(protocol, here, id, &captures, count);
    }
}

/// Where the pieces of text in an event begin and end, as byte offsets.
struct Edges {
    starts: HashSet<usize>,
    ends: HashSet<usize>,
}

impl Edges {
    fn of(appends: &[&Append], event_type: &EventType, captures: &Captures) -> Edges {
        let mut edges = Edges { starts: HashSet::new(), ends: HashSet::new() };
        for append in appends {
            let (first, width, count) = match &append.each {
                None => (0, 0, 1),
                Some(each) => {
                    let items = captures.items[each.array];
                    (items.first as usize, event_type.arrays[each.array].slots.len(), items.count as usize)
                }
            };
            for item in 0..count {
                if let Some(piece) = captures.fields[first + item * width + append.slot].range() {
                    edges.starts.insert(piece.start);
                    edges.ends.insert(piece.end);
                }
            }
        }
        edges
    }
}
