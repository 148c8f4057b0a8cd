//! The checker of stored records: the second reading of a file, which turns its records and containers into findings.

use std::ops::Range;
use std::sync::Arc;

use super::classifier::{Classifier, FrameItem, OriginCursor};
use super::index::{FieldValue, RecordIndex};
use super::relations::{self, Record, RelationFault};
use crate::bytes::has_replacement;
use crate::event::Event;
use crate::event::Settings;
use crate::event::event_checker::{EventChecker, json_fault, parse_frame, stray_fault};
use crate::event::finding_log::{Details, EventContext};
use crate::event::oddities::Oddities;
use crate::finding::{Finding, Place, Report, Stats};
use crate::framing::Framing;
use crate::input::json::{Member, Node, NodeKind, Tree, parse};
use crate::input::{Frame, Input, InputFault, Landmarks, Piece};
use crate::protocol::records::Records;
use crate::protocol::{Protocol, RuleId, framing};
use crate::schema::captures::{Capture, Captures};
use crate::schema::program::Memory;
use crate::schema::walk;
use crate::schema::{describe_value, judge};

/// The caller's options for stored records.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordOptions {
    /// The kind of the records whose container does not name it, as a number among the event types; `None` if file
    /// names and fields decide.
    pub kind: Option<usize>,
    /// Whether all records are present: if so, a reference to a record that is missing is a finding.
    pub complete: bool,
}

/// Checks the stored records of one input.
pub struct RecordChecker<'p> {
    input: Input,
    frames: FrameChecker<'p>,
}

impl<'p> RecordChecker<'p> {
    /// Returns a checker for one file; `None` if the protocol is not one of records. `index`: the records that others
    /// may refer to, of this file and of the files that belong to it.
    pub fn new(
        protocol: &'p Protocol,
        settings: &Settings,
        record_options: RecordOptions,
        file: Option<Arc<str>>,
        index: &'p RecordIndex,
    ) -> Option<RecordChecker<'p>> {
        let records = protocol.tables().records.as_ref()?;
        let options = settings.options();
        let frames = FrameChecker {
            protocol,
            records,
            classifier: Classifier::new(protocol, records, record_options.kind, file.as_deref()),
            index,
            complete: record_options.complete,
            event_checker: EventChecker::new(protocol, settings, file.clone()),
            file,
            captures: Captures::default(),
            readable: Captures::default(),
            memories: vec![Memory::default(); protocol.tables().events.len()],
            counts: vec![0; protocol.tables().events.len()],
            unknown_kind_reported: false,
            has_pieces: false,
            excerpts: options.excerpts(),
            faults: Vec::new(),
            oddities: Oddities::default(),
        };
        Some(RecordChecker { input: Input::new(options.wire(), options.max_line_bytes()), frames })
    }

    /// Checks the next bytes of the decompressed input; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let frames = &mut self.frames;
        self.input.feed(bytes, &mut |piece| frames.piece(piece));
    }

    /// Checks bytes that are one record or one container of records. `row`: the caller's number for it, which the
    /// places of its findings have.
    pub fn event(&mut self, bytes: &[u8], row: u64) {
        let frames = &mut self.frames;
        self.input.event(bytes, row, &mut |piece| frames.piece(piece));
    }

    /// Returns the findings so far, for the caller to drain.
    pub fn findings(&mut self) -> &mut Vec<Finding> {
        &mut self.frames.event_checker.log.findings
    }

    /// Ends the input, and returns the remaining findings and the counts. `damaged`: the damage of the compressed form
    /// at this point, if any.
    pub fn end(mut self, damaged: Option<&str>) -> Report {
        let frames = &mut self.frames;
        match damaged {
            None => self.input.finish(&mut |piece| frames.piece(piece)),
            Some(cause) => {
                let place = self.input.position().place();
                frames.input_fault(InputFault {
                    rule: Framing::TruncatedInput,
                    place,
                    message: cause.to_owned(),
                    help: None,
                    lost: true,
                });
            }
        }
        self.frames.finish(&self.input, damaged.is_none())
    }
}

/// Checks the frames of one input.
struct FrameChecker<'p> {
    protocol: &'p Protocol,
    records: &'p Records,
    classifier: Classifier<'p>,
    index: &'p RecordIndex,
    complete: bool,
    file: Option<Arc<str>>,
    event_checker: EventChecker,
    /// The captured fields of one record, reused for each record to save allocations.
    captures: Captures,
    /// `captures` without the fields with faults, reused likewise.
    readable: Captures,
    /// By kind: what is remembered of its last records.
    memories: Vec<Memory>,
    /// Number of records of each kind.
    counts: Vec<u64>,
    /// Whether a record of an unknown kind has been reported.
    unknown_kind_reported: bool,
    /// Whether the input had any piece, readable or not.
    has_pieces: bool,
    /// Whether places have excerpts of the text.
    excerpts: bool,
    /// The faults of one record by the protocol's rules, reused for each record to save allocations.
    faults: Vec<RelationFault>,
    /// What is odd about the framing.
    oddities: Oddities,
}

impl<'p> FrameChecker<'p> {
    /// Checks the next piece of the input.
    fn piece(&mut self, piece: Piece<'_>) {
        self.has_pieces = true;
        match piece {
            Piece::Frame(frame) => self.frame(&frame),
            Piece::Fault(fault) => self.input_fault(fault),
            Piece::Stray(frame) => self.input_fault(stray_fault(&frame)),
            Piece::Odd(oddity, place) => self.oddities.note(oddity, || place),
        }
    }

    /// Reports a part of the input that cannot be read.
    fn input_fault(&mut self, fault: InputFault) {
        let rule = framing(fault.rule);
        let message = self.event_checker.log.message(rule, &mut [("found", fault.message)]);
        // Always explicit: reports default to the help of the run's protocol, which may be another one with other
        // words.
        let help = fault.help.unwrap_or_else(|| self.protocol.rules()[usize::from(rule.0)].help.clone().into());
        let help = Some(help);
        self.event_checker.log.report(rule, fault.place, Details { message, help, ..Details::default() });
    }

    /// Checks the items of a frame.
    fn frame(&mut self, frame: &Frame<'_>) {
        let tree = match parse_frame(frame) {
            Ok(tree) => tree,
            Err(fault) => return self.input_fault(json_fault(frame, fault)),
        };
        let mut items = Vec::new();
        self.classifier.classify(&tree.root, frame.text, &mut |item| items.push(item));
        let mut cursor = OriginCursor::new(frame);
        for item in &items {
            // The place of one of a million items must not cost a count of the lines of all items before it.
            let mut part = |node: &Node| frame.subframe(&node.span, cursor.origin(node.span.start));
            match item {
                FrameItem::Record { node, kind, session } => {
                    self.record(&part(node).frame(), *kind, session.as_ref());
                }
                FrameItem::UnknownKind { node, cause } => self.unknown_kind(&part(node).frame(), cause),
                FrameItem::NotAnObject(node) => self.not_an_object(&part(node).frame()),
                FrameItem::Event => self.event_checker.log.summary.skipped += 1,
                FrameItem::Container { node, id, .. } => self.container(frame, &part(node).frame(), node, *id),
            }
        }
        if !tree.duplicate_keys.is_empty() || !tree.lone_surrogates.is_empty() {
            self.container_keys(frame, &tree, &items);
        }
    }

    /// Reports repeated keys and lone surrogates in containers. Those in a record are reported with the record.
    fn container_keys(&mut self, frame: &Frame<'_>, tree: &Tree, items: &[FrameItem<'_>]) {
        let (mut records, mut containers) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                FrameItem::Container { node, id, .. } => containers.push((&node.span, *id)),
                FrameItem::Record { node, .. } | FrameItem::UnknownKind { node, .. } => records.push((&node.span, ())),
                _ => {}
            }
        }
        for container in &self.records.containers {
            let is_here =
                |at: usize| containing(&records, at).is_none() && containing(&containers, at) == Some(container.id);
            let tree = Tree {
                not_numbers: Vec::new(),
                foreign_space: None,
                root: tree.root.clone(),
                duplicate_keys: tree.duplicate_keys.iter().filter(|(_, again)| is_here(again.start)).cloned().collect(),
                lone_surrogates: tree.lone_surrogates.iter().filter(|span| is_here(span.start)).cloned().collect(),
            };
            let name = &self.protocol.tables().events[container.id].name;
            let here = EventContext { number: None, ..self.here(frame, name) };
            self.event_checker.report_surrogates_and_duplicates(&here, &tree, &Default::default(), None, |_| false);
        }
    }

    /// Returns the context of findings about a record or container that is the whole of `frame`.
    fn here<'e>(&self, frame: &'e Frame<'e>, name: &'e Arc<str>) -> EventContext<'e> {
        let (span, number) = (0..frame.text.len(), Some(self.event_checker.log.summary.records));
        let (excerpts, landmarks) = (self.excerpts, Landmarks::default());
        EventContext { frame, type_span: 0..0, span, number, event_type: name, excerpts, landmarks }
    }

    /// Adds a finding. `span`: its range in the frame.
    fn report(&mut self, frame: &Frame<'_>, span: Range<usize>, rule: RuleId, details: Details) {
        let place = if self.excerpts { frame.place(span, None) } else { frame.bare_place(span, None) };
        self.event_checker.log.report(rule, place, details);
    }

    /// Counts a record of an unknown kind, and reports the first one of the file.
    fn unknown_kind(&mut self, record: &Frame<'_>, cause: &str) {
        self.event_checker.log.summary.records += 1;
        if std::mem::replace(&mut self.unknown_kind_reported, true) {
            return;
        }
        let rule = self.records.unknown;
        let message = self.event_checker.log.message(rule, &mut [("found", cause.to_owned())]);
        self.report(record, 0..record.text.len(), rule, Details { message, ..Details::default() });
    }

    /// Reports a value that should be a record but is not an object.
    fn not_an_object(&mut self, value: &Frame<'_>) {
        let rule = framing(Framing::WrongType);
        let found = format!("a record must be an object, but this is {}", describe_value(value.text));
        let message = self.event_checker.log.message(rule, &mut [("found", found)]);
        self.report(value, 0..value.text.len(), rule, Details { message, ..Details::default() });
    }

    /// Judges a container without its items. `own`: the container as a frame by itself.
    fn container(&mut self, frame: &Frame<'_>, own: &Frame<'_>, node: &Node, id: usize) {
        let shape = &self.protocol.tables().events[id];
        let empty = |member: &Member| {
            let kind = match &member.value.kind {
                NodeKind::Array(_) => NodeKind::Array(Vec::new()),
                NodeKind::Object(_) => NodeKind::Object(Vec::new()),
                other => other.clone(),
            };
            Member { key: member.key.clone(), value: Node { span: member.value.span.clone(), kind } }
        };
        let members = node.members().iter().map(empty).collect();
        let shallow = Node { span: node.span.clone(), kind: NodeKind::Object(members) };
        let rule = self.records.broken;
        let faults = judge(&shape.schema, &shallow, frame.text, &mut |_| {});
        let (unlisted, more) = (faults.unlisted.values().sum(), faults.more);
        for fault in faults.listed {
            // What to send instead of it only helps where a member is missing.
            let help = match fault.rule {
                Framing::MissingField => None,
                other => Some(self.protocol.tables().rules[usize::from(framing(other).0)].help.clone().into()),
            };
            let details = Details {
                message: self.event_checker.log.message(rule, &mut [("found", fault.message)]),
                help: fault.help.or(help),
                pointer: Some(fault.pointer.text.clone()),
                event_type: Some(shape.name.clone()),
                ..Details::default()
            };
            let start = node.span.start;
            self.report(own, fault.span.start - start..fault.span.end - start, rule, details);
        }
        let here = self.here(frame, &shape.name);
        self.event_checker.log.count_unlisted(&here, None, [(rule, unlisted)], more);
    }

    /// Judges a record. `container_session`: the session that its container names.
    fn record(&mut self, frame: &Frame<'_>, kind: usize, container_session: Option<&Arc<str>>) {
        let protocol = self.protocol;
        let event_type = &protocol.tables().events[kind];
        let here = self.here(frame, &event_type.name);
        self.counts[kind] += 1;
        self.event_checker.log.summary.records += 1;
        let mut captures = std::mem::take(&mut self.captures);
        let mut readable = std::mem::take(&mut self.readable);
        captures.clear();
        let before = self.event_checker.log.findings.len();
        self.check_shape(&here, kind, &mut captures, &mut readable);
        let record = Record {
            text: frame.text,
            written: &captures.fields,
            readable: &readable.fields,
            start: frame.origin(0).offset,
            file: &self.file,
        };
        let mut faults = std::mem::take(&mut self.faults);
        relations::check(self.records, kind, &record, self.index, self.complete, &mut faults);
        let session: Option<Arc<str>> = match (container_session, event_type.stream) {
            (Some(session), _) => Some(session.clone()),
            (None, Some(slot)) => FieldValue::of(frame.text, captures.fields[slot]).map(|id| id.id().into()),
            (None, None) => None,
        };
        self.event_checker.log.summary.loose += u64::from(container_session.is_none() && event_type.stream.is_none());
        for mut fault in faults.drain(..) {
            let message = self.event_checker.log.message(fault.rule, &mut fault.facts);
            let pointer = Some(event_type.slots[fault.slot].text().into());
            let details = Details { message, pointer, related: fault.related, ..here.details(None) };
            let span = match captures.fields[fault.slot] {
                Capture::Text(start, end) => start as usize - 1..end as usize + 1,
                Capture::Number(start, end) => start as usize..end as usize,
                _ => here.span.clone(),
            };
            self.event_checker.log.report(fault.rule, here.place(span), details);
        }
        // Every finding about a record belongs to the record's session, which its container may name.
        for finding in &mut self.event_checker.log.findings[before..] {
            finding.stream = session.clone();
        }
        (self.captures, self.readable, self.faults) = (captures, readable, faults);
    }

    /// Judges the shape of a record. Sets `captures` to its fields, and `readable` to those without a fault.
    fn check_shape(&mut self, here: &EventContext<'_>, kind: usize, captures: &mut Captures, readable: &mut Captures) {
        let event_type = &self.protocol.tables().events[kind];
        let text = here.frame.text;
        let program = event_type.plan().ok().filter(|_| text.len() <= u32::MAX as usize);
        let program = program.filter(|_| !has_replacement(text));
        let sure = program.is_some_and(|program| {
            self.memories[kind].prepare(program);
            walk::read(program, text, &mut self.memories[kind], captures).is_ok()
        });
        readable.copy(captures.all());
        let faults = if sure {
            self.event_checker.fast_path_faults((kind, event_type), text, captures.all(), None, readable)
        } else {
            None
        };
        if let Some(faults) = faults {
            self.event_checker.report_faults(here, faults, None);
            return;
        }
        let keys = std::mem::take(&mut captures.unknown);
        captures.clear();
        // Never fails: the record was already parsed as a part of its frame.
        let Ok(tree) = parse(text) else { return };
        let event = Event::of(&tree.root, &event_type.name);
        event.capture(text, event_type, captures);
        *readable = self.event_checker.judge(here, &tree, &event, kind, &keys, |_, _| false);
    }

    /// Returns the report. `whole`: whether the input was read up to its end.
    fn finish(mut self, input: &Input, whole: bool) -> Report {
        std::mem::take(&mut self.oddities).report(&mut self.event_checker.log);
        // An empty list is valid, but an input of only comments, or only events of a stream, is not a list of records.
        let log = &self.event_checker.log;
        let only_events = log.summary.records == 0 && log.summary.skipped > 0 && !log.has_error;
        let nothing = match input.has_content() {
            false => Some(Framing::EmptyInput),
            true => (only_events || input.is_server_sent() && !self.has_pieces).then_some(Framing::NoEvents),
        };
        if let Some(rule) = nothing.filter(|_| whole) {
            let rule = framing(rule);
            let found = "there are no records in this input".to_owned();
            let message = self.event_checker.log.message(rule, &mut [("found", found)]);
            let place = Place { line: 1, column: 1, ..Place::default() };
            self.event_checker.log.report(rule, place, Details { message, ..Details::default() });
        }
        let mut stats = Stats { bytes: input.bytes(), ..Stats::default() };
        for (kind, count) in self.protocol.tables().events.iter().zip(&self.counts).filter(|(_, count)| **count > 0) {
            stats.by_type.insert(kind.name.to_string(), *count);
        }
        self.event_checker.finish(stats).0
    }
}

/// Returns the value of the range that contains a byte. The ranges are in ascending order and do not overlap.
fn containing<T: Copy>(ranges: &[(&Range<usize>, T)], at: usize) -> Option<T> {
    let before = ranges.partition_point(|(range, _)| range.start <= at);
    let (range, of) = ranges.get(before.checked_sub(1)?)?;
    (at < range.end).then_some(*of)
}
