//! Frame → schema → machine → findings.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Options;
use super::event::{Event, NotAnEvent, Reading};
use crate::finding::{Excerpt, Finding, Place, Related, Repeat, Report, Severity, Stats, Summary};
use crate::input::json::{Fault, FaultKind, Tree, inner, parse, unescaped_lossy};
use crate::input::{Broken, Frame, Input, Origin, Piece, Wire};
use crate::machine::{At, Limits, Machine, Observed, Verdict, framing};
use crate::protocol::{Framing, Protocol, RuleId, nearest};
use crate::schema::{Pointer, faults, unknown_fields};

/// How many different unknown event types and fields are told apart in one file.
const MOST_UNKNOWN: usize = 1000;

pub struct Judge<'p> {
    protocol: &'p Protocol,
    options: Options,
    /// By rule; none: switched off.
    severities: Vec<Option<Severity>>,
    machine: Machine<'p>,
    findings: Vec<Finding>,
    verdicts: Vec<Verdict>,
    summary: Summary,
    stats: Stats,
    repeats: BTreeMap<(RuleId, Arc<str>, Option<String>), u64>,
    /// Whether unknown names were given up because there are too many.
    too_many_unknown: bool,
    /// Whether the input is whole, so that the ends of streams mean something.
    whole: bool,
    /// Whether a rule spoke that is an error by itself.
    error: bool,
}

/// What a finding says, before it knows its rule and place.
#[derive(Default)]
struct Said {
    message: String,
    help: Option<String>,
    pointer: Option<String>,
    event_type: Option<Arc<str>>,
    stream: Option<Arc<str>>,
    related: Vec<Related>,
    quote: Option<Arc<str>>,
}

impl<'p> Judge<'p> {
    pub fn new(protocol: &'p Protocol, options: Options) -> Judge<'p> {
        let severity =
            |rule: &crate::protocol::Rule| options.severities.get(&*rule.name).copied().unwrap_or(rule.severity);
        let limits = Limits { max_text_bytes: options.max_text_bytes, max_streams: options.max_streams };
        Judge {
            protocol,
            severities: protocol.rules().iter().map(severity).collect(),
            machine: Machine::new(protocol.tables(), limits, options.fragment),
            options,
            findings: Vec::new(),
            verdicts: Vec::new(),
            summary: Summary { files: 1, ..Summary::default() },
            stats: Stats::default(),
            repeats: BTreeMap::new(),
            too_many_unknown: false,
            whole: true,
            error: false,
        }
    }

    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    pub fn piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Frame(frame) => self.frame(&frame),
            Piece::Broken(broken) => self.broken(broken),
        }
    }

    fn broken(&mut self, broken: Broken) {
        if broken.lost {
            self.machine.lose();
        }
        self.whole &= broken.rule != Framing::TruncatedLine;
        let facts = [("found", broken.message)];
        let message = self.message(framing(broken.rule), &facts);
        self.say(framing(broken.rule), broken.place, Said { message, ..Said::default() });
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        match read(frame) {
            Err(fault) => self.unreadable(frame, fault),
            Ok(tree) => {
                match Event::find(&tree.root, frame.text, self.protocol, self.options.wire == Some(Wire::JsonRpc)) {
                    Ok(event) => self.event(frame, &tree, &event),
                    Err(NotAnEvent::Message) => self.summary.skipped += 1,
                    Err(NotAnEvent::Other(span, found)) => {
                        let place = frame.place(span, None);
                        self.broken(Broken { rule: Framing::NotAnEvent, place, message: found, lost: true });
                    }
                }
            }
        }
    }

    fn unreadable(&mut self, frame: &Frame<'_>, fault: Fault) {
        let rule = match fault.kind {
            FaultKind::Incomplete if !frame.terminated => Framing::TruncatedLine,
            FaultKind::Invalid if std::str::from_utf8(frame.text).is_err() => Framing::InvalidUtf8,
            FaultKind::Invalid | FaultKind::Incomplete => Framing::InvalidJson,
            FaultKind::TooDeep => Framing::TooDeep,
            FaultKind::OutOfRange => Framing::NumberOutOfRange,
        };
        let place = frame.place(fault.at, None);
        self.broken(Broken { rule, place, message: fault.message, lost: true });
    }

    fn event(&mut self, frame: &Frame<'_>, tree: &Tree, event: &Event<'_>) {
        let number = self.summary.events;
        self.summary.events += 1;
        let known = self.protocol.event_id(&event.name);
        let event_type = match known {
            Some(id) => self.protocol.tables().events[id].name.clone(),
            None => Arc::from(&*event.name),
        };
        self.count_type(&event_type);
        let here = Here { frame, event, number, event_type };
        match known {
            Some(id) => self.known(&here, tree, id),
            None => self.unknown(&here, tree),
        }
    }

    fn count_type(&mut self, name: &str) {
        // Names come from the input: past the limit, new ones are counted together.
        let counts = &mut self.stats.by_type;
        let known = counts.contains_key(name) || counts.len() < MOST_UNKNOWN;
        *counts.entry(if known { name } else { "(others)" }.to_owned()).or_default() += 1;
    }

    fn unknown(&mut self, here: &Here<'_>, tree: &Tree) {
        let reading = Reading::unknown(here.event, here.frame.text, self.protocol);
        let stream = reading.stream.as_deref().map(text_of);
        self.surrogates_and_duplicates(here, tree, stream.as_ref(), |_| false);
        let rule = self.protocol.tables().unknown;
        if self.is_first(rule, &here.event_type, None, here, stream.as_ref()) {
            let known = self.protocol.tables().events.iter().map(|event| &*event.name);
            let help = nearest(&here.event_type, known).map(|near| format!("did you mean {near}?"));
            let message =
                self.message(rule, &[("found", quoted(&here.event_type)), ("event", here.event_type.to_string())]);
            let said = Said { message, help, pointer: Some(self.type_pointer()), ..here.said(stream.as_ref()) };
            self.say(rule, here.place(here.event.type_span.clone()), said);
        }
        if let Some(stream) = &reading.stream {
            let time = reading.time();
            self.machine.pass(stream, here.number, time, here, &mut self.verdicts);
            self.verdicts(here, None);
        }
    }

    fn known(&mut self, here: &Here<'_>, tree: &Tree, id: usize) {
        let protocol = self.protocol;
        let event_type = &protocol.tables().events[id];
        let text = here.frame.text;
        let faults = faults(&event_type.schema, here.event.node, text);
        let reading = Reading::known(here.event, text, protocol, id, &faults);
        let stream = reading.stream.as_deref().map(text_of);
        let appended = protocol.tables().texts.iter().filter_map(|text| text.append[id].as_ref()).map(|append| {
            let pointer = &event_type.slots[append.slot];
            here.event.node.at(text, &pointer.0).map_or(0..0, |node| node.span.clone())
        });
        // Half a character at the edge of a piece of text may have its other half in the next piece.
        let appended: Vec<_> = appended.filter(|_| reading.stream.is_some()).collect();
        let at_edge = |span: &Range<usize>| {
            appended.iter().any(|piece| span.start == piece.start + 1 || (piece.end > 0 && span.end == piece.end - 1))
        };
        self.surrogates_and_duplicates(here, tree, stream.as_ref(), at_edge);
        let misspelt: Vec<_> = faults.iter().filter(|fault| fault.misspelt).map(|fault| fault.span.clone()).collect();
        for fault in faults {
            let rule = framing(fault.rule);
            let said = Said {
                message: self.message(rule, &[("found", fault.message)]),
                help: fault.help,
                pointer: Some(fault.pointer.to_string()),
                quote: fault.quote.map(Arc::from),
                ..here.said(stream.as_ref())
            };
            self.say(rule, here.place(fault.span), said);
        }
        for (key, pointer) in unknown_fields(&event_type.schema, here.event.node, text) {
            if !misspelt.contains(&key) {
                self.unknown_field(here, key, &pointer, stream.as_ref());
            }
        }
        match &reading.stream {
            None => self.machine.lose(),
            Some(stream) => {
                let observed = Observed {
                    event_type: id,
                    number: here.number,
                    time: reading.time(),
                    slots: &reading.slots,
                    arrays: &reading.arrays,
                    places: here,
                };
                self.machine.step(stream, &observed, &mut self.verdicts);
                self.verdicts(here, Some(id));
            }
        }
    }

    fn surrogates_and_duplicates(
        &mut self,
        here: &Here<'_>,
        tree: &Tree,
        stream: Option<&Arc<str>>,
        elsewhere: impl Fn(&Range<usize>) -> bool,
    ) {
        let text = here.frame.text;
        for (first, again) in &tree.duplicate_keys {
            let rule = framing(Framing::DuplicateKey);
            let key = unescaped_lossy(inner(text, again));
            let related =
                Related { message: "it stands here first".into(), place: Arc::new(here.place(first.clone())) };
            let said = Said {
                message: self.message(rule, &[("key", quoted(&key))]),
                pointer: here.pointer_to(tree, again.start, &key),
                related: vec![related],
                ..here.said(stream)
            };
            self.say(rule, here.place(again.clone()), said);
        }
        for span in tree.lone_surrogates.iter().filter(|span| !elsewhere(span)) {
            let rule = framing(Framing::LoneSurrogate);
            let found = String::from_utf8_lossy(&text[span.clone()]).into_owned();
            let pointer = Pointer(tree.root.path_to(text, span.start));
            let said = Said {
                message: self.message(rule, &[("found", found)]),
                pointer: here.within_event(&pointer),
                ..here.said(stream)
            };
            self.say(rule, here.place(span.clone()), said);
        }
    }

    fn unknown_field(&mut self, here: &Here<'_>, key: Range<usize>, pointer: &Pointer, stream: Option<&Arc<str>>) {
        let rule = framing(Framing::UnknownField);
        let general: Vec<_> =
            pointer.0.iter().map(|segment| if is_index(segment) { "*" } else { segment }.to_owned()).collect();
        if self.is_first(rule, &here.event_type, Some(Pointer(general).to_string()), here, stream) {
            let said = Said {
                message: self.message(rule, &[("key", format!("`{}`", pointer.dotted()))]),
                pointer: Some(pointer.to_string()),
                ..here.said(stream)
            };
            self.say(rule, here.place(key), said);
        }
    }

    /// Whether this is the first time that a file has this unknown name; counts it otherwise.
    fn is_first(
        &mut self,
        rule: RuleId,
        event_type: &Arc<str>,
        pointer: Option<String>,
        here: &Here<'_>,
        stream: Option<&Arc<str>>,
    ) -> bool {
        let key = (rule, event_type.clone(), pointer);
        if let Some(count) = self.repeats.get_mut(&key) {
            *count += 1;
            return false;
        }
        if self.repeats.len() < MOST_UNKNOWN {
            self.repeats.insert(key, 0);
            return true;
        }
        if !std::mem::replace(&mut self.too_many_unknown, true) {
            let rule = framing(Framing::CheckSkipped);
            let found = format!(
                "more than {MOST_UNKNOWN} different event types and fields are unknown: further ones are not reported"
            );
            let said = Said { message: self.message(rule, &[("found", found)]), ..here.said(stream) };
            self.say(rule, here.place(here.event.node.span.clone()), said);
        }
        false
    }

    /// Turns what the machine said into findings.
    fn verdicts(&mut self, here: &Here<'_>, id: Option<usize>) {
        if self.verdicts.is_empty() {
            return;
        }
        for verdict in std::mem::take(&mut self.verdicts) {
            if let At::Earlier(place, event_type) = &verdict.at {
                let (place, event_type) = (place.clone(), event_type.clone());
                self.say_verdict(verdict, (*place).clone(), None, event_type);
                continue;
            }
            let tables = self.protocol.tables();
            let (pointer, part) = match &verdict.at {
                At::Time => (tables.shape.time.clone(), 0),
                At::Slot(slot) => (id.map(|id| tables.events[id].slots[*slot].clone()), 0),
                At::Part(slot, part) => (id.map(|id| tables.events[id].slots[*slot].clone()), *part + 1),
                At::Item { array, index, slot } => {
                    let array = id.map(|id| &tables.events[id].arrays[*array]);
                    (array.map(|array| array.at.child(&index.to_string()).join(&array.slots[*slot])), 0)
                }
                At::Type | At::Earlier(..) => (None, 0),
            };
            let node = pointer.as_ref().and_then(|pointer| here.event.node.at(here.frame.text, &pointer.0));
            let span = match node {
                Some(node) if part > 0 => (node.span.start + part).min(node.span.end - 1)..node.span.end,
                Some(node) => node.span.clone(),
                None => here.event.type_span.clone(),
            };
            let pointer = pointer.filter(|_| node.is_some()).map(|pointer| pointer.to_string());
            self.say_verdict(verdict, here.place(span), pointer, here.event_type.clone());
        }
    }

    fn say_verdict(&mut self, verdict: Verdict, place: Place, pointer: Option<String>, event_type: Arc<str>) {
        let mut facts = verdict.facts;
        facts.push(("event", event_type.to_string()));
        let said = Said {
            message: self.message(verdict.rule, &facts),
            help: None,
            pointer,
            event_type: Some(event_type),
            stream: Some(verdict.stream),
            related: verdict.related,
            quote: None,
        };
        self.say(verdict.rule, place, said);
    }

    /// A rule's words with the facts in them.
    fn message(&self, rule: RuleId, facts: &[(&'static str, String)]) -> String {
        let mut message = String::new();
        let mut rest = self.protocol.tables().rules[usize::from(rule.0)].says.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            message.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            message.push_str(facts.iter().find(|(fact, _)| *fact == name).map_or("…", |(_, value)| value));
            rest = after;
        }
        message.push_str(rest);
        message
    }

    fn say(&mut self, rule: RuleId, place: Place, said: Said) {
        let words = &self.protocol.tables().rules[usize::from(rule.0)];
        self.error |= words.severity == Some(Severity::Error);
        let Some(severity) = self.severities[usize::from(rule.0)] else { return };
        self.summary.count(&words.name, severity, 1);
        self.findings.push(Finding {
            rule: words.name.clone(),
            severity,
            message: said.message,
            file: self.options.file.clone(),
            place,
            event_type: said.event_type,
            stream: said.stream,
            pointer: said.pointer,
            help: said.help,
            related: said.related,
            quote: said.quote,
        });
    }

    fn type_pointer(&self) -> String {
        self.protocol.tables().shape.event_type.to_string()
    }

    /// The compressed form of the input is damaged here.
    pub fn damaged(&mut self, at: Origin, cause: &str) {
        self.whole = false;
        let place = Place {
            line: at.line,
            column: at.column,
            start: at.offset,
            end: at.offset,
            event: None,
            excerpt: Excerpt::default(),
        };
        let broken = Broken { rule: Framing::TruncatedInput, place, message: cause.to_owned(), lost: true };
        self.broken(broken);
    }

    pub fn finish(mut self, input: &Input) -> Report {
        if self.whole {
            let mut verdicts = Vec::new();
            self.machine.finish(&mut verdicts);
            for verdict in verdicts {
                if let At::Earlier(place, event_type) = &verdict.at {
                    let (place, event_type) = (place.clone(), event_type.clone());
                    self.say_verdict(verdict, (*place).clone(), None, event_type);
                }
            }
        }
        if self.whole && self.summary.events == 0 && !self.error {
            let rule = if input.has_content() { Framing::NoEvents } else { Framing::EmptyInput };
            let message = self.message(framing(rule), &[]);
            let place = Place { line: 1, column: 1, ..Place::default() };
            self.say(framing(rule), place, Said { message, ..Said::default() });
        }
        self.summary.streams = self.machine.streams();
        self.stats.bytes = input.bytes();
        self.stats.opened = self.machine.opened();
        let mut repeats = Vec::new();
        for ((rule, event_type, pointer), count) in std::mem::take(&mut self.repeats) {
            let name = &self.protocol.tables().rules[usize::from(rule.0)].name;
            if let Some(severity) = self.severities[usize::from(rule.0)].filter(|_| count > 0) {
                self.summary.count(name, severity, count);
                repeats.push(Repeat { rule: name.clone(), event_type: Some(event_type), pointer, count });
            }
        }
        Report { findings: self.findings, repeats, summary: self.summary, stats: self.stats }
    }
}

/// An event and where it stands.
struct Here<'e> {
    frame: &'e Frame<'e>,
    event: &'e Event<'e>,
    number: u64,
    event_type: Arc<str>,
}

impl Here<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        self.frame.place(span, Some(self.number))
    }

    fn said(&self, stream: Option<&Arc<str>>) -> Said {
        Said { event_type: Some(self.event_type.clone()), stream: stream.cloned(), ..Said::default() }
    }

    /// The pointer of a key of the tree, from the event's root.
    fn pointer_to(&self, tree: &Tree, at: usize, key: &str) -> Option<String> {
        let mut path = tree.root.path_to(self.frame.text, at);
        // The path goes on into the key's value where that starts at once; the key itself is what counts.
        if let Some(last) = path.iter().rposition(|segment| segment == key) {
            path.truncate(last + 1);
        }
        self.within_event(&Pointer(path))
    }

    fn within_event(&self, pointer: &Pointer) -> Option<String> {
        let inside = pointer.0.strip_prefix(self.event.wrapper.0.as_slice())?;
        Some(Pointer(inside.to_vec()).to_string())
    }
}

impl crate::machine::Places for Here<'_> {
    fn event_type(&self) -> Arc<str> {
        self.event_type.clone()
    }

    fn event(&self) -> Place {
        self.frame.remembered(self.event.node.span.clone(), self.event.type_span.clone(), Some(self.number))
    }

    fn part(&self, slot: usize, range: Range<usize>) -> Place {
        let start = self.event.text_starts.get(slot).copied().flatten().unwrap_or(self.event.node.span.start);
        self.place(start + range.start..start + range.end)
    }
}

fn read(frame: &Frame<'_>) -> Result<Tree, Fault> {
    match std::str::from_utf8(frame.text) {
        Ok(_) => parse(frame.text),
        Err(error) => {
            let start = error.valid_up_to();
            let end = error.error_len().map_or(frame.text.len(), |length| start + length);
            let cut_off = error.error_len().is_none();
            let kind = if cut_off { FaultKind::Incomplete } else { FaultKind::Invalid };
            Err(Fault { kind, at: start..end, message: "it stops in the middle of a character".to_owned() })
        }
    }
}

fn is_index(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn text_of(name: &[u8]) -> Arc<str> {
    String::from_utf8_lossy(name).into()
}

fn quoted(text: &str) -> String {
    let text = crate::schema::shortened(text, 60);
    serde_json::to_string(&text).unwrap_or(text)
}
