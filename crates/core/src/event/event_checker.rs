//! Judges one event or one record by itself: its shape, its keys and its characters.
//!
//! A fault that both paths can find becomes the same finding, whichever of them found it.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::slice;
use std::sync::Arc;

use super::Settings;
use super::capturing::mark_unreadable;
use super::finder::{Event, stream_name};
use super::finding_log::{Details, EventContext, FindingLog};
use super::replacement::{self, Replaced};
use super::unknown_names::{MOST_UNKNOWN, NameId, Occurrence, UnknownNames};
use crate::bytes::lossy;
use crate::finding::{Related, Repeat, Report, Stats, without_indices};
use crate::framing::Framing;
use crate::input::json::{Node, ParseError, ParseErrorKind, Tree, inner, parse, unescaped_lossy};
use crate::input::{Frame, InputFault};
use crate::protocol::tables::EventType;
use crate::protocol::{Protocol, framing};
use crate::schema::captures::{Capture, Captures, EventCaptures, MOST_VIOLATIONS, UnknownKey};
use crate::schema::{
    Fault, Faults, MOST_LISTED, Pointer, SHOWN_CHARS, UnknownName, Wordings, explain, judge, quoted, unknown_names,
};

/// Judges each event or record by itself, and reports its findings.
#[derive(Clone)]
pub(crate) struct EventChecker {
    protocol: Protocol,
    pub log: FindingLog,
    /// The unknown event types, fields and values of the file.
    pub unknown: UnknownNames,
    /// The name of the last stream; findings about one stream share it.
    last_stream: Arc<str>,
    /// By event type: the wordings of the last faults that the fast path found.
    wordings: Vec<Wordings>,
}

impl EventChecker {
    /// Returns a checker for a file of this name.
    pub(crate) fn new(protocol: &Protocol, settings: &Settings, file: Option<Arc<str>>) -> EventChecker {
        let event_types = protocol.tables().events.len();
        let unknown = UnknownNames::new(event_types);
        EventChecker {
            protocol: protocol.clone(),
            log: FindingLog::new(protocol, settings.severities().clone(), file),
            unknown,
            last_stream: Arc::default(),
            wordings: vec![Wordings::default(); event_types],
        }
    }

    /// Returns the name of a stream as text, shared with the previous call if that was for the same stream.
    pub(crate) fn shared_name(&mut self, name: &[u8]) -> Arc<str> {
        if self.last_stream.as_bytes() != name {
            self.last_stream = lossy(name).into();
        }
        self.last_stream.clone()
    }

    /// Returns the faults that the fast path found in an event, counts the event's unknown keys, and marks the fields
    /// with a fault in `readable`. Returns `None` if one of the keys has not been learned yet: the event must then take
    /// the slow path. `explained`: the faults, if they are already in words.
    #[must_use]
    pub(crate) fn fast_path_faults<'p>(
        &mut self,
        (id, event_type): (usize, &'p EventType),
        text: &[u8],
        captured: EventCaptures<'_>,
        explained: Option<Faults<'p>>,
        readable: &mut Captures,
    ) -> Option<Faults<'p>> {
        let mut named = BTreeSet::new();
        if captured.violations.len() >= MOST_VIOLATIONS {
            // The violations that were not captured may be anywhere.
            readable.make_unreadable();
        }
        let faults = match explained {
            Some(faults) => faults,
            None => explain_violations(event_type, text, captured, &mut self.wordings[id], &mut |fault| {
                named.extend(named_keys(fault));
                mark_unreadable(event_type, slice::from_ref(fault), readable);
            })?,
        };
        named.extend(faults.listed.iter().flat_map(named_keys));
        mark_unreadable(event_type, &faults.listed, readable);
        let is_named = |key: &UnknownKey| named.contains(&(key.start as usize));
        let unknown: Vec<_> = captured.unknown.iter().filter(|key| !is_named(key)).copied().collect();
        (unknown.is_empty() || self.unknown.count_learned(id, text, &unknown)).then_some(faults)
    }

    /// Judges an event on the slow path, reports its findings, and returns the fields that can be read.
    ///
    /// `keys`: the unknown keys that the fast path found and could not count yet. `at_edge`: whether a lone surrogate
    /// is at the edge of a text, so that its other half may be in another event.
    pub(crate) fn judge(
        &mut self,
        here: &EventContext<'_>,
        tree: &Tree,
        event: &Event<'_>,
        id: usize,
        keys: &[UnknownKey],
        at_edge: impl Fn(&Range<usize>, &Captures) -> bool,
    ) -> Captures {
        let protocol = self.protocol.clone();
        let event_type = &protocol.tables().events[id];
        let text = here.frame.text;
        let (mut captures, mut named) = (Captures::default(), BTreeSet::new());
        event.capture(text, event_type, &mut captures);
        let faults = judge(&event_type.schema, event.node, text, &mut |fault| {
            named.extend(named_keys(fault));
            mark_unreadable(event_type, slice::from_ref(fault), &mut captures);
        });
        if faults.more {
            captures.make_unreadable();
        }
        named.extend(faults.listed.iter().flat_map(named_keys));
        mark_unreadable(event_type, &faults.listed, &mut captures);
        let stream = stream_of(text, event_type.stream, &captures.fields).map(|name| self.shared_name(&name));
        let at_edge = |span: &Range<usize>| at_edge(span, &captures);
        self.report_surrogates_and_duplicates(here, tree, &event.wrapper, stream.as_ref(), at_edge);
        self.report_replacements(here, event.node, stream.as_ref());
        let fast_keys: HashMap<_, _> = keys.iter().map(|key| (key.start as usize, key)).collect();
        self.report_faults(here, faults, stream.as_ref());
        unknown_names(&event_type.schema, event.node, text, &mut |kind, name, pointer| {
            let start = name.start + 1;
            if !named.contains(&start) {
                let number = self.report_unknown_name(here, kind, name.clone(), pointer, stream.as_ref());
                self.unknown.learn(id, fast_keys.get(&start).copied(), inner(text, &name), number);
            }
        });
        captures
    }

    /// Reports the faults of an event, and counts those beyond the limit of a report.
    pub(crate) fn report_faults(&mut self, here: &EventContext<'_>, faults: Faults<'_>, stream: Option<&Arc<str>>) {
        let Faults { listed, unlisted, more } = faults;
        for fault in listed {
            let rule = framing(fault.rule);
            let details = Details {
                message: self.log.message(rule, &mut [("found", fault.message)]),
                help: fault.help,
                pointer: Some(fault.pointer.text.clone()),
                quote: fault.quote.map(Cow::into_owned),
                proposal: fault.proposal,
                ..here.details(stream)
            };
            self.log.report(rule, here.place(fault.span), details);
        }
        if more || !unlisted.is_empty() {
            let unlisted = unlisted.into_iter().map(|(rule, count)| (framing(rule), count));
            self.log.count_unlisted(here, stream, unlisted, more);
        }
    }

    /// Reports repeated keys and lone surrogates. `elsewhere`: whether the other half of a lone surrogate may be in
    /// another event, which makes it none.
    pub(crate) fn report_surrogates_and_duplicates(
        &mut self,
        here: &EventContext<'_>,
        tree: &Tree,
        wrapper: &Pointer,
        stream: Option<&Arc<str>>,
        elsewhere: impl Fn(&Range<usize>) -> bool,
    ) {
        let text = here.frame.text;
        let (twice, half) = (framing(Framing::DuplicateKey), framing(Framing::LoneSurrogate));
        for (first, again) in tree.duplicate_keys.iter().take(MOST_LISTED) {
            let rule = twice;
            let key = unescaped_lossy(inner(text, again));
            let place = Arc::new(here.place(first.clone()));
            let details = Details {
                message: self.log.message(rule, &mut [("key", quoted(&key, SHOWN_CHARS))]),
                pointer: pointer_to(tree, text, wrapper, again.start, &key).map(Arc::from),
                related: vec![Related { message: "it first occurs here".into(), file: None, place }],
                ..here.details(stream)
            };
            self.log.report(rule, here.place(again.clone()), details);
        }
        let mut halves = tree.lone_surrogates.iter().filter(|span| !elsewhere(span));
        for span in halves.by_ref().take(MOST_LISTED) {
            let rule = half;
            let found = lossy(&text[span.clone()]).into_owned();
            let pointer = Pointer(tree.root.path_to(text, span.start));
            let details = Details {
                message: self.log.message(rule, &mut [("found", found)]),
                pointer: within_event(wrapper, &pointer).map(Arc::from),
                ..here.details(stream)
            };
            self.log.report(rule, here.place(span.clone()), details);
        }
        let repeated = tree.duplicate_keys.len().saturating_sub(MOST_LISTED);
        self.log.count_unlisted(here, stream, [(twice, repeated as u64), (half, halves.count() as u64)], false);
    }

    /// Counts the strings and keys of an event with U+FFFD, and reports each that is the first of its kind.
    pub(crate) fn report_replacements(&mut self, here: &EventContext<'_>, event: &Node, stream: Option<&Arc<str>>) {
        replacement::find_in(event, here.frame.text, &mut |replaced, pointer, at| {
            let rule = framing(Framing::ReplacementCharacter);
            let general = without_indices(&pointer.to_string());
            let id = NameId { rule, event_type: here.event_type.clone(), pointer: Some(general), value: None };
            if self.count_unknown(id, here, stream).0 {
                let key = match (replaced, pointer.parent()) {
                    (Replaced::Value, _) => format!("`{}`", pointer.dotted()),
                    (Replaced::Key, Some(object)) if !object.0.is_empty() => format!("a key of `{}`", object.dotted()),
                    (Replaced::Key, _) => "a key".to_owned(),
                };
                let details = Details {
                    message: self.log.message(rule, &mut [("key", key)]),
                    pointer: Some(pointer.text().into()),
                    ..here.details(stream)
                };
                self.log.report(rule, here.place(at), details);
            }
        });
    }

    /// Counts an unknown name, and reports it if it is the first of its kind. `name`: its place, with its quotes. Returns
    /// the number under which it is counted.
    fn report_unknown_name(
        &mut self,
        here: &EventContext<'_>,
        kind: UnknownName,
        name: Range<usize>,
        pointer: &Pointer,
        stream: Option<&Arc<str>>,
    ) -> Option<usize> {
        let (rule, value) = match kind {
            UnknownName::Field => (framing(Framing::UnknownField), None),
            UnknownName::Value => {
                let value = unescaped_lossy(inner(here.frame.text, &name));
                (framing(Framing::UnknownValue), Some(quoted(&value, SHOWN_CHARS)))
            }
        };
        let general = without_indices(&pointer.to_string());
        let id = NameId { rule, event_type: here.event_type.clone(), pointer: Some(general), value: value.clone() };
        let (first, number) = self.count_unknown(id, here, stream);
        if first {
            let mut facts = [("key", format!("`{}`", pointer.dotted())), ("found", value.unwrap_or_default())];
            let details = Details {
                message: self.log.message(rule, &mut facts),
                pointer: Some(pointer.text().into()),
                ..here.details(stream)
            };
            self.log.report(rule, here.place(name), details);
        }
        number
    }

    /// Counts an unknown name, or a field that is reported once as such a name is. Returns whether it is the first of
    /// its kind, and the number under which it is counted. Reports once that there are too many to tell apart. The rules
    /// of such names are those of [`Protocol::lists_first_only`].
    pub(crate) fn count_unknown(
        &mut self,
        id: NameId,
        here: &EventContext<'_>,
        stream: Option<&Arc<str>>,
    ) -> (bool, Option<usize>) {
        match self.unknown.count(id) {
            Occurrence::First(number) => (true, Some(number)),
            Occurrence::Again(number) => (false, Some(number)),
            Occurrence::TooMany { reported: true } => (false, None),
            Occurrence::TooMany { reported: false } => {
                let rule = framing(Framing::CheckSkipped);
                let found = format!(
                    "only the first {MOST_UNKNOWN} event types and fields that are unknown or contain U+FFFD are reported"
                );
                let details =
                    Details { message: self.log.message(rule, &mut [("found", found)]), ..here.details(stream) };
                self.log.report(rule, here.place(here.span.clone()), details);
                (false, None)
            }
        }
    }

    /// Returns the report: the findings, the repeats of unknown names, and the counts. Also returns the unknown names,
    /// for a later input of the same set.
    pub(crate) fn finish(mut self, stats: Stats) -> (Report, UnknownNames) {
        let (mut summary, mut repeats) = (self.log.summary(), Vec::new());
        for (NameId { rule, event_type, pointer, .. }, count) in self.unknown.take_repeats() {
            let (name, severity) = self.log.rule(*rule);
            let Some(severity) = severity else { continue };
            summary.count(name, severity, count);
            let (rule, event_type, pointer) = (name.clone(), Some(event_type.clone()), pointer.clone());
            match repeats.last_mut() {
                // Different values at one place are findings of one kind.
                Some(Repeat { rule: last, event_type: of, pointer: at, count: total })
                    if (&*last, &*of, &*at) == (&rule, &event_type, &pointer) =>
                {
                    *total += count;
                }
                _ => repeats.push(Repeat { rule, event_type, pointer, count }),
            }
        }
        (Report { findings: self.log.findings, repeats, summary, stats }, self.unknown)
    }
}

/// Returns the faults that the fast path found in an event, in words; `None` if the event's type has no program.
/// `wordings`: those of the last faults of the type. `unlisted` receives each fault beyond those that are listed.
pub(crate) fn explain_violations<'p>(
    event_type: &'p EventType,
    text: &[u8],
    captured: EventCaptures<'_>,
    wordings: &mut Wordings,
    unlisted: &mut dyn FnMut(&Fault<'_>),
) -> Option<Faults<'p>> {
    let program = event_type.plan().ok()?;
    Some(explain(event_type.schema.noun(), program, text, captured, wordings, unlisted))
}

/// Returns the starts of the undeclared keys that the message of a fault names, after their quotation marks.
fn named_keys(fault: &Fault<'_>) -> impl Iterator<Item = usize> {
    fault.named.iter().map(|start| start + 1)
}

/// Returns the fault of a frame that is not JSON.
pub(crate) fn json_fault(frame: &Frame<'_>, fault: ParseError) -> InputFault {
    let rule = match fault.kind {
        ParseErrorKind::Incomplete if !frame.terminated => Framing::TruncatedLine,
        _ if std::str::from_utf8(frame.text).is_err() => Framing::InvalidUtf8,
        ParseErrorKind::Invalid | ParseErrorKind::Incomplete => Framing::InvalidJson,
        ParseErrorKind::TooDeep => Framing::TooDeep,
        ParseErrorKind::OutOfRange => Framing::NumberOutOfRange,
        ParseErrorKind::TooMany => Framing::LineTooLong,
    };
    let help = (fault.kind == ParseErrorKind::TooMany).then(|| "send the data in several events".into());
    InputFault { rule, place: frame.place(fault.at, None), message: fault.message, help, lost: true }
}

/// Returns the fault of a line that is no field of a server-sent event.
pub(crate) fn stray_fault(frame: &Frame<'_>) -> InputFault {
    InputFault {
        rule: Framing::NotAnEvent,
        place: frame.place(0..frame.text.len(), None),
        message: "this line is not a field of a server-sent event".to_owned(),
        help: Some("begin each line of an event with `data: `".into()),
        lost: true,
    }
}

/// Returns the name of the stream that an event belongs to; `None` if the name cannot be read. A protocol without
/// streams has a single one, with an empty name.
pub(crate) fn stream_of<'t>(text: &'t [u8], slot: Option<usize>, fields: &[Capture]) -> Option<Cow<'t, [u8]>> {
    match slot {
        Some(slot) => stream_name(text, fields[slot]),
        None => Some(Cow::Borrowed(b"")),
    }
}

/// Parses a frame into a tree.
///
/// # Errors
///
/// If the frame is not JSON, or not UTF-8. The place of the error is a byte range of the frame's text.
pub fn parse_frame(frame: &Frame<'_>) -> Result<Tree, ParseError> {
    if frame.utf8 {
        return parse(frame.text);
    }
    match std::str::from_utf8(frame.text) {
        Ok(_) => parse(frame.text),
        Err(error) => {
            let start = error.valid_up_to();
            let end = error.error_len().map_or(frame.text.len(), |length| start + length);
            let cut_off = error.error_len().is_none();
            let kind = if cut_off { ParseErrorKind::Incomplete } else { ParseErrorKind::Invalid };
            Err(ParseError { kind, at: start..end, message: "it stops in the middle of a character".to_owned() })
        }
    }
}

/// Returns the pointer of a key of the tree, from the event's root; `None` if the key is outside the event.
fn pointer_to(tree: &Tree, text: &[u8], wrapper: &Pointer, at: usize, key: &str) -> Option<String> {
    let mut path = tree.root.path_to(text, at);
    // The path may go on into the key's value; the pointer must end at the key.
    if let Some(last) = path.iter().rposition(|segment| segment == key) {
        path.truncate(last + 1);
    }
    within_event(wrapper, &Pointer(path))
}

/// Returns a pointer from the frame's root as one from the event's root; `None` if it points outside the event.
fn within_event(wrapper: &Pointer, pointer: &Pointer) -> Option<String> {
    let inside = pointer.0.strip_prefix(wrapper.0.as_slice())?;
    Some(Pointer(inside.to_vec()).to_string())
}
