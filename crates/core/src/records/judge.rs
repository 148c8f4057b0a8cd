//! Records → findings.

use std::ops::Range;
use std::sync::Arc;

use super::known::{Known, Value};
use super::relations::{self, Record};
use super::sort::{Cursor, Found, Sorter};
use crate::event::Event;
use crate::event::Settings;
use crate::event::alone::{Alone, not_json, read};
use crate::event::voice::{Here, Said};
use crate::finding::{Finding, Place, Report, Stats};
use crate::framing::Framing;
use crate::input::json::{Kind, Member, Node, Tree, parse};
use crate::input::{Broken, Frame, Input, Landmarks, Piece};
use crate::protocol::records::Records;
use crate::protocol::{Protocol, RuleId, framing};
use crate::schema::captures::{Capture, Captures};
use crate::schema::date_time::LastMinute;
use crate::schema::walk;
use crate::schema::{judge, shown};

/// What the caller says of records.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// The kind of those whose container does not tell it.
    pub kind: Option<usize>,
    /// All records are there: one that is named and is not there is missing.
    pub complete: bool,
}

/// Judges the records of one input.
pub struct RecordChecker<'p> {
    input: Input,
    judge: Judge<'p>,
}

impl<'p> RecordChecker<'p> {
    /// A checker for one file. `known`: what it and those that belong to it hold that may be named. None: the protocol is
    /// not one of records.
    pub fn new(
        protocol: &'p Protocol,
        settings: &Settings,
        asked: Asked,
        file: Option<Arc<str>>,
        known: &'p Known,
    ) -> Option<RecordChecker<'p>> {
        let records = protocol.tables().records.as_ref()?;
        let options = settings.options();
        let judge = Judge {
            protocol,
            records,
            sorter: Sorter::new(protocol, records, asked.kind, file.as_deref()),
            known,
            complete: asked.complete,
            alone: Alone::new(protocol, settings, file.clone()),
            file,
            captures: Captures::default(),
            readable: Captures::default(),
            last_minute: LastMinute::default(),
            counts: vec![0; protocol.tables().events.len()],
            unknown_said: false,
            anything: false,
            excerpts: options.excerpts(),
            said: Vec::new(),
        };
        Some(RecordChecker { input: Input::new(options.wire(), options.max_line_bytes()), judge })
    }

    /// Judges the next bytes of the input, decompressed; they may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        let judge = &mut self.judge;
        self.input.feed(bytes, &mut |piece| judge.piece(piece));
    }

    /// Judges bytes that are one record, or a container of records. `row` is the caller's number of it, which places have.
    pub fn event(&mut self, bytes: &[u8], row: u64) {
        let judge = &mut self.judge;
        self.input.event(bytes, row, &mut |piece| judge.piece(piece));
    }

    /// The findings that were not taken yet.
    pub fn findings(&mut self) -> &mut Vec<Finding> {
        &mut self.judge.alone.voice.findings
    }

    /// Ends the input; `damaged` says how its compressed form is damaged here.
    pub fn end(mut self, damaged: Option<&str>) -> Report {
        let judge = &mut self.judge;
        match damaged {
            None => self.input.finish(&mut |piece| judge.piece(piece)),
            Some(cause) => {
                let place = self.input.position().place();
                judge.broken(Broken {
                    rule: Framing::TruncatedInput,
                    place,
                    message: cause.to_owned(),
                    help: None,
                    lost: true,
                });
            }
        }
        self.judge.finish(&self.input, damaged.is_none())
    }
}

struct Judge<'p> {
    protocol: &'p Protocol,
    records: &'p Records,
    sorter: Sorter<'p>,
    known: &'p Known,
    complete: bool,
    file: Option<Arc<str>>,
    alone: Alone,
    /// Of one record; kept for their memory.
    captures: Captures,
    readable: Captures,
    last_minute: LastMinute,
    /// By kind: how many records there were.
    counts: Vec<u64>,
    unknown_said: bool,
    /// Whether anything came that may have been a record.
    anything: bool,
    excerpts: bool,
    /// What the rules say of one record; kept for its memory.
    said: Vec<relations::Said>,
}

impl<'p> Judge<'p> {
    fn piece(&mut self, piece: Piece<'_>) {
        self.anything = true;
        match piece {
            Piece::Frame(frame) => self.frame(&frame),
            Piece::Broken(broken) => self.broken(broken),
        }
    }

    fn broken(&mut self, broken: Broken) {
        let rule = framing(broken.rule);
        let message = self.alone.voice.message(rule, &mut [("found", broken.message)]);
        // The protocol of the other files of a run may have other words for it.
        let help = broken.help.unwrap_or(&self.protocol.rules()[usize::from(rule.0)].help);
        let help = Some(help.to_owned().into());
        self.alone.voice.say(rule, broken.place, Said { message, help, ..Said::default() });
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let tree = match read(frame) {
            Ok(tree) => tree,
            Err(fault) => return self.broken(not_json(frame, fault)),
        };
        let mut found = Vec::new();
        self.sorter.sort(&tree.root, frame.text, &mut |one| found.push(one));
        let mut cursor = Cursor::new(frame);
        for one in &found {
            // What is said of one of a million items must not count the lines of all before it.
            let mut part = |node: &Node| frame.part(&node.span, cursor.origin(node.span.start));
            match one {
                Found::Record { node, kind, within } => self.record(&part(node).frame(), *kind, within.as_ref()),
                Found::UnknownKind { node, why } => self.unknown_kind(&part(node).frame(), why),
                Found::NoRecord(node) => self.no_record(&part(node).frame()),
                Found::Event => self.alone.voice.summary.skipped += 1,
                Found::Container { node, id, .. } => self.container(frame, &part(node).frame(), node, *id),
            }
        }
        if !tree.duplicate_keys.is_empty() || !tree.lone_surrogates.is_empty() {
            self.outside(frame, &tree, &found);
        }
    }

    /// Repeated keys and half characters of containers. A record speaks of its own.
    fn outside(&mut self, frame: &Frame<'_>, tree: &Tree, found: &[Found<'_>]) {
        let (mut records, mut containers) = (Vec::new(), Vec::new());
        for one in found {
            match one {
                Found::Container { node, id, .. } => containers.push((&node.span, *id)),
                Found::Record { node, .. } | Found::UnknownKind { node, .. } => records.push((&node.span, ())),
                _ => {}
            }
        }
        for container in &self.records.containers {
            let is_here = |at: usize| around(&records, at).is_none() && around(&containers, at) == Some(container.id);
            let tree = Tree {
                root: tree.root.clone(),
                duplicate_keys: tree.duplicate_keys.iter().filter(|(_, again)| is_here(again.start)).cloned().collect(),
                lone_surrogates: tree.lone_surrogates.iter().filter(|span| is_here(span.start)).cloned().collect(),
            };
            let name = &self.protocol.tables().events[container.id].name;
            let here = Here { number: None, ..self.here(frame, name) };
            self.alone.surrogates_and_duplicates(&here, &tree, &Default::default(), None, |_| false);
        }
    }

    fn here<'e>(&self, frame: &'e Frame<'e>, name: &'e Arc<str>) -> Here<'e> {
        let (span, number) = (0..frame.text.len(), Some(self.alone.voice.summary.records));
        let (excerpts, landmarks) = (self.excerpts, Landmarks::default());
        Here { frame, type_span: 0..0, span, number, event_type: name, excerpts, landmarks }
    }

    fn say(&mut self, frame: &Frame<'_>, span: Range<usize>, rule: RuleId, said: Said) {
        let place = if self.excerpts { frame.place(span, None) } else { frame.bare_place(span, None) };
        self.alone.voice.say(rule, place, said);
    }

    /// The first record of a file of which nothing tells the kind.
    fn unknown_kind(&mut self, record: &Frame<'_>, why: &str) {
        self.alone.voice.summary.records += 1;
        if std::mem::replace(&mut self.unknown_said, true) {
            return;
        }
        let rule = self.records.unknown;
        let message = self.alone.voice.message(rule, &mut [("found", why.to_owned())]);
        self.say(record, 0..record.text.len(), rule, Said { message, ..Said::default() });
    }

    fn no_record(&mut self, value: &Frame<'_>) {
        let rule = framing(Framing::WrongType);
        let found = format!("a record must be an object, but this is {}", shown(value.text));
        let message = self.alone.voice.message(rule, &mut [("found", found)]);
        self.say(value, 0..value.text.len(), rule, Said { message, ..Said::default() });
    }

    /// A container is judged without what it holds. `own`: the container alone.
    fn container(&mut self, frame: &Frame<'_>, own: &Frame<'_>, node: &Node, id: usize) {
        let shape = &self.protocol.tables().events[id];
        let empty = |member: &Member| {
            let kind = match &member.value.kind {
                Kind::Array(_) => Kind::Array(Vec::new()),
                Kind::Object(_) => Kind::Object(Vec::new()),
                other => other.clone(),
            };
            Member { key: member.key.clone(), value: Node { span: member.value.span.clone(), kind } }
        };
        let members = node.members().iter().map(empty).collect();
        let shallow = Node { span: node.span.clone(), kind: Kind::Object(members) };
        let rule = self.records.broken;
        let faults = judge(&shape.schema, &shallow, frame.text, &mut |_| {}).faults;
        let unlisted = faults.unlisted.values().sum();
        for fault in faults.listed {
            let said = Said {
                message: self.alone.voice.message(rule, &mut [("found", fault.message)]),
                help: fault.help,
                pointer: Some(fault.pointer.text.clone()),
                event_type: Some(shape.name.clone()),
                ..Said::default()
            };
            let start = node.span.start;
            self.say(own, fault.span.start - start..fault.span.end - start, rule, said);
        }
        let here = self.here(frame, &shape.name);
        self.alone.voice.unlisted(&here, None, [(rule, unlisted)]);
    }

    fn record(&mut self, frame: &Frame<'_>, kind: usize, within: Option<&Arc<str>>) {
        let protocol = self.protocol;
        let event_type = &protocol.tables().events[kind];
        let here = self.here(frame, &event_type.name);
        self.counts[kind] += 1;
        self.alone.voice.summary.records += 1;
        let mut captures = std::mem::take(&mut self.captures);
        let mut readable = std::mem::take(&mut self.readable);
        captures.clear();
        let before = self.alone.voice.findings.len();
        self.shape(&here, kind, &mut captures, &mut readable);
        let record = Record {
            text: frame.text,
            written: &captures.fields,
            readable: &readable.fields,
            start: frame.origin(0).offset,
            file: &self.file,
        };
        let mut said = std::mem::take(&mut self.said);
        relations::ask(self.records, kind, &record, self.known, self.complete, &mut said);
        let session: Option<Arc<str>> = match (within, event_type.stream) {
            (Some(session), _) => Some(session.clone()),
            (None, Some(slot)) => Value::of(frame.text, captures.fields[slot]).map(|id| id.id().into()),
            (None, None) => None,
        };
        self.alone.voice.summary.loose += u64::from(within.is_none() && event_type.stream.is_none());
        for mut one in said.drain(..) {
            let message = self.alone.voice.message(one.rule, &mut one.facts);
            let pointer = Some(event_type.slots[one.slot].text().into());
            let said = Said { message, pointer, related: one.related, ..here.said(None) };
            let span = match captures.fields[one.slot] {
                Capture::Text(start, end) => start as usize - 1..end as usize + 1,
                Capture::Number(start, end) => start as usize..end as usize,
                _ => here.span.clone(),
            };
            self.alone.voice.say(one.rule, here.place(span), said);
        }
        // Everything that is said of a record is said of its session, which its container may know.
        for finding in &mut self.alone.voice.findings[before..] {
            finding.stream = session.clone();
        }
        (self.captures, self.readable, self.said) = (captures, readable, said);
    }

    /// Judges the shape of a record; gives its fields as they are written, and those of them that have no fault.
    fn shape(&mut self, here: &Here<'_>, kind: usize, captures: &mut Captures, readable: &mut Captures) {
        let event_type = &self.protocol.tables().events[kind];
        let text = here.frame.text;
        let program = event_type.plan.as_ref().ok().filter(|_| text.len() <= u32::MAX as usize);
        let sure =
            program.is_some_and(|program| walk::read(program, text, false, &mut self.last_minute, captures).is_ok());
        readable.copy(captures.all());
        let faults =
            if sure { self.alone.faults_of((kind, event_type), text, captures.all(), None, readable) } else { None };
        if let Some(faults) = faults {
            self.alone.say(here, faults, None);
            return;
        }
        let keys = std::mem::take(&mut captures.unknown);
        captures.clear();
        // It was read before, as a part of its frame.
        let Ok(tree) = parse(text) else { return };
        let event = Event::of(&tree.root, &event_type.name);
        event.capture(text, event_type, captures);
        *readable = self.alone.judge(here, &tree, &event, kind, &keys, |_, _| false);
    }

    fn finish(mut self, input: &Input, whole: bool) -> Report {
        // An empty list is no mistake, but comments alone are no list, and neither are the events of a stream.
        let voice = &self.alone.voice;
        let only_events = voice.summary.records == 0 && voice.summary.skipped > 0 && !voice.error;
        let nothing = match input.has_content() {
            false => Some(Framing::EmptyInput),
            true => (only_events || input.is_server_sent() && !self.anything).then_some(Framing::NoEvents),
        };
        if let Some(rule) = nothing.filter(|_| whole) {
            let rule = framing(rule);
            let message = self.alone.voice.message(rule, &mut []);
            let place = Place { line: 1, column: 1, ..Place::default() };
            self.alone.voice.say(rule, place, Said { message, ..Said::default() });
        }
        let mut stats = Stats { bytes: input.bytes(), ..Stats::default() };
        for (kind, count) in self.protocol.tables().events.iter().zip(&self.counts).filter(|(_, count)| **count > 0) {
            stats.by_type.insert(kind.name.to_string(), *count);
        }
        self.alone.finish(stats)
    }
}

/// What belongs to the range that a byte is in, of ranges that stand one after the other.
fn around<T: Copy>(ranges: &[(&Range<usize>, T)], at: usize) -> Option<T> {
    let before = ranges.partition_point(|(range, _)| range.start <= at);
    let (range, of) = ranges.get(before.checked_sub(1)?)?;
    (at < range.end).then_some(*of)
}
