//! What is wrong with one event, or one record, by itself: its shape, its keys, its characters.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::slice;
use std::sync::Arc;

use super::Settings;
use super::finder::{Event, stream_name, unreadable};
use super::finding_log::{Details, EventContext, FindingLog};
use super::unknown_names::{MOST_UNKNOWN, Occurrence, UnknownNames};
use crate::bytes::lossy;
use crate::finding::{Related, Repeat, Report, Stats, without_indices};
use crate::framing::Framing;
use crate::input::json::{ParseError, ParseErrorKind, Tree, inner, parse, unescaped_lossy};
use crate::input::{Frame, InputFault};
use crate::protocol::tables::EventType;
use crate::protocol::{Protocol, RuleId, framing};
use crate::schema::captures::{Capture, Captures, EventCaptures, UnknownKey};
use crate::schema::{Fault, Faults, Judgment, MOST_LISTED, Pointer, explain, judge, quoted};

/// The most characters of a name that a message quotes.
pub(crate) const SHOWN_CHARS: usize = 60;

/// Judges each by itself, and says what is wrong.
#[derive(Clone)]
pub(crate) struct EventChecker {
    protocol: Protocol,
    pub log: FindingLog,
    pub unknown: UnknownNames,
    /// The name of the stream that was spoken of last.
    spoken_of: Arc<str>,
}

impl EventChecker {
    pub(crate) fn new(protocol: &Protocol, settings: &Settings, file: Option<Arc<str>>) -> EventChecker {
        let unknown = UnknownNames::new(protocol.tables().events.len());
        EventChecker {
            protocol: protocol.clone(),
            log: FindingLog::new(protocol, settings.severities().clone(), file),
            unknown,
            spoken_of: Arc::default(),
        }
    }

    /// The name of a stream as text, which one finding after the other shares.
    pub(crate) fn name(&mut self, name: &[u8]) -> Arc<str> {
        if self.spoken_of.as_bytes() != name {
            self.spoken_of = lossy(name).into();
        }
        self.spoken_of.clone()
    }

    /// What the fast way found wrong; its unknown keys are counted, and what has a fault is marked in `readable`. None: one
    /// of the keys is not known to be unknown yet, and the slow way must be taken. `in_words`: what was found wrong, if it is
    /// in words already.
    pub(crate) fn faults_of<'p>(
        &mut self,
        (id, event_type): (usize, &'p EventType),
        text: &[u8],
        captured: EventCaptures<'_>,
        in_words: Option<Faults<'p>>,
        readable: &mut Captures,
    ) -> Option<Faults<'p>> {
        let mut misspelt = HashSet::new();
        let faults = match in_words {
            Some(faults) => faults,
            None => explained(event_type, text, captured, &mut |fault| {
                misspelt.extend(misspelt_key(fault));
                unreadable(event_type, slice::from_ref(fault), readable);
            })?,
        };
        misspelt.extend(faults.listed.iter().filter_map(misspelt_key));
        unreadable(event_type, &faults.listed, readable);
        let is_misspelt = |key: &UnknownKey| misspelt.contains(&(key.start as usize));
        let unknown: Vec<_> = captured.unknown.iter().filter(|key| !is_misspelt(key)).copied().collect();
        (unknown.is_empty() || self.unknown.count_known(id, text, &unknown)).then_some(faults)
    }

    /// Judges the slow way, says what is wrong, and gives the fields that can be read.
    ///
    /// `keys`: the unknown keys that the fast way found and could not count yet. `at_edge`: whether half a character may
    /// have its other half elsewhere.
    pub(crate) fn judge(
        &mut self,
        here: &EventContext<'_>,
        tree: &Tree,
        event: &Event<'_>,
        id: usize,
        keys: &[UnknownKey],
        at_edge: impl Fn(&Range<usize>, &Captures) -> bool,
    ) -> Captures {
        let event_type = &self.protocol.tables().events[id];
        let text = here.frame.text;
        let (mut captures, mut misspelt) = (Captures::default(), HashSet::new());
        event.capture(text, event_type, &mut captures);
        let Judgment { faults, unknown } = judge(&event_type.schema, event.node, text, &mut |fault| {
            misspelt.extend(misspelt_key(fault));
            unreadable(event_type, slice::from_ref(fault), &mut captures);
        });
        misspelt.extend(faults.listed.iter().filter_map(misspelt_key));
        unreadable(event_type, &faults.listed, &mut captures);
        let stream = stream_of(text, event_type.stream, &captures.fields).map(|name| self.name(&name));
        let at_edge = |span: &Range<usize>| at_edge(span, &captures);
        self.surrogates_and_duplicates(here, tree, &event.wrapper, stream.as_ref(), at_edge);
        let found: HashMap<_, _> = keys.iter().map(|key| (key.start as usize, key)).collect();
        self.say(here, faults, stream.as_ref());
        for (key, pointer) in unknown {
            let start = key.start + 1;
            if !misspelt.contains(&start) {
                let number = self.unknown_field(here, key.clone(), &pointer, stream.as_ref());
                self.unknown.learn(id, found.get(&start).copied(), inner(text, &key), number);
            }
        }
        captures
    }

    /// Says what is wrong.
    pub(crate) fn say(&mut self, here: &EventContext<'_>, faults: Faults<'_>, stream: Option<&Arc<str>>) {
        let Faults { listed, unlisted } = faults;
        for fault in listed {
            let rule = framing(fault.rule);
            let said = Details {
                message: self.log.message(rule, &mut [("found", fault.message)]),
                help: fault.help,
                pointer: Some(fault.pointer.text.clone()),
                quote: fault.quote.map(Cow::into_owned),
                proposal: fault.proposal,
                ..here.said(stream)
            };
            self.log.say(rule, here.place(fault.span), said);
        }
        let unlisted = unlisted.into_iter().map(|(rule, count)| (framing(rule), count));
        self.log.unlisted(here, stream, unlisted);
    }

    pub(crate) fn surrogates_and_duplicates(
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
            let said = Details {
                message: self.log.message(rule, &mut [("key", quoted(&key, SHOWN_CHARS))]),
                pointer: pointer_to(tree, text, wrapper, again.start, &key).map(Arc::from),
                related: vec![Related { message: "it stands here first".into(), file: None, place }],
                ..here.said(stream)
            };
            self.log.say(rule, here.place(again.clone()), said);
        }
        let mut halves = tree.lone_surrogates.iter().filter(|span| !elsewhere(span));
        for span in halves.by_ref().take(MOST_LISTED) {
            let rule = half;
            let found = lossy(&text[span.clone()]).into_owned();
            let pointer = Pointer(tree.root.path_to(text, span.start));
            let said = Details {
                message: self.log.message(rule, &mut [("found", found)]),
                pointer: within_event(wrapper, &pointer).map(Arc::from),
                ..here.said(stream)
            };
            self.log.say(rule, here.place(span.clone()), said);
        }
        let repeated = tree.duplicate_keys.len().saturating_sub(MOST_LISTED);
        self.log.unlisted(here, stream, [(twice, repeated as u64), (half, halves.count() as u64)]);
    }

    /// Says that a field is unknown, if it is the first of its kind; gives the number that it is counted under.
    fn unknown_field(
        &mut self,
        here: &EventContext<'_>,
        key: Range<usize>,
        pointer: &Pointer,
        stream: Option<&Arc<str>>,
    ) -> Option<usize> {
        let rule = framing(Framing::UnknownField);
        let general = without_indices(&pointer.to_string());
        let (first, number) = self.is_first(rule, Some(general), here, stream);
        if first {
            let said = Details {
                message: self.log.message(rule, &mut [("key", format!("`{}`", pointer.dotted()))]),
                pointer: Some(pointer.text().into()),
                ..here.said(stream)
            };
            self.log.say(rule, here.place(key), said);
        }
        number
    }

    /// Whether this is the first time that a file has this unknown name, and the number that it is counted under.
    pub(crate) fn is_first(
        &mut self,
        rule: RuleId,
        pointer: Option<String>,
        here: &EventContext<'_>,
        stream: Option<&Arc<str>>,
    ) -> (bool, Option<usize>) {
        match self.unknown.count((rule, here.event_type.clone(), pointer)) {
            Occurrence::First(number) => (true, Some(number)),
            Occurrence::Again(number) => (false, Some(number)),
            Occurrence::TooMany { said: true } => (false, None),
            Occurrence::TooMany { said: false } => {
                let rule = framing(Framing::CheckSkipped);
                let found = format!(
                    "more than {MOST_UNKNOWN} different event types and fields are unknown: further ones are not reported"
                );
                let said = Details { message: self.log.message(rule, &mut [("found", found)]), ..here.said(stream) };
                self.log.say(rule, here.place(here.span.clone()), said);
                (false, None)
            }
        }
    }

    /// Everything that was found.
    pub(crate) fn finish(mut self, stats: Stats) -> Report {
        let (mut summary, mut repeats) = (self.log.summary(), Vec::new());
        for ((rule, event_type, pointer), count) in self.unknown.repeats() {
            let (name, severity) = self.log.rule(rule);
            if let Some(severity) = severity {
                summary.count(name, severity, count);
                repeats.push(Repeat { rule: name.clone(), event_type: Some(event_type), pointer, count });
            }
        }
        Report { findings: self.log.findings, repeats, summary, stats }
    }
}

/// What the fast way found wrong with an event, in words. `unlisted` is told of each fault beyond those that are listed.
pub(crate) fn explained<'p>(
    event_type: &'p EventType,
    text: &[u8],
    captured: EventCaptures<'_>,
    unlisted: &mut dyn FnMut(&Fault<'_>),
) -> Option<Faults<'p>> {
    let program = event_type.plan.as_ref().ok()?;
    Some(explain(event_type.schema.noun(), program, text, captured, unlisted))
}

/// Where a misspelt key starts, behind its quotation mark.
fn misspelt_key(fault: &Fault<'_>) -> Option<usize> {
    fault.misspelt.then_some(fault.span.start + 1)
}

/// The text of a frame that cannot be read.
pub(crate) fn not_json(frame: &Frame<'_>, fault: ParseError) -> InputFault {
    let rule = match fault.kind {
        ParseErrorKind::Incomplete if !frame.terminated => Framing::TruncatedLine,
        _ if std::str::from_utf8(frame.text).is_err() => Framing::InvalidUtf8,
        ParseErrorKind::Invalid | ParseErrorKind::Incomplete => Framing::InvalidJson,
        ParseErrorKind::TooDeep => Framing::TooDeep,
        ParseErrorKind::OutOfRange => Framing::NumberOutOfRange,
    };
    InputFault { rule, place: frame.place(fault.at, None), message: fault.message, help: None, lost: true }
}

/// The name of the stream that an event belongs to; none if it cannot be read.
pub(crate) fn stream_of<'t>(text: &'t [u8], slot: Option<usize>, fields: &[Capture]) -> Option<Cow<'t, [u8]>> {
    match slot {
        Some(slot) => stream_name(text, fields[slot]),
        None => Some(Cow::Borrowed(b"")),
    }
}

/// The tree of a frame.
pub fn read(frame: &Frame<'_>) -> Result<Tree, ParseError> {
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

/// The pointer of a key of the tree, from the event's root.
fn pointer_to(tree: &Tree, text: &[u8], wrapper: &Pointer, at: usize, key: &str) -> Option<String> {
    let mut path = tree.root.path_to(text, at);
    // The path goes on into the key's value where that starts at once; the key itself is what counts.
    if let Some(last) = path.iter().rposition(|segment| segment == key) {
        path.truncate(last + 1);
    }
    within_event(wrapper, &Pointer(path))
}

fn within_event(wrapper: &Pointer, pointer: &Pointer) -> Option<String> {
    let inside = pointer.0.strip_prefix(wrapper.0.as_slice())?;
    Some(Pointer(inside.to_vec()).to_string())
}
