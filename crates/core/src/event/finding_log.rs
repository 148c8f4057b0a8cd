//! Makes findings of faults and verdicts: fills in the rule's message, applies the caller's severities, and counts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::options::Severities;
use crate::finding::{Finding, MOST_BYTES, Place, Related, Severity, Summary};
use crate::framing::Framing;
use crate::input::json::parse_leniently;
use crate::input::{EventNote, FileNumber, Frame, Landmarks, place_in_file};
use crate::machine::{EventLocator, Target, Verdict, Wording};
use crate::protocol::tables::EventType;
use crate::protocol::{Protocol, RuleId, framing};
use crate::schema::captures::{Capture, EventCaptures};
use crate::schema::items::ItemSlot;
use crate::schema::{MOST_LISTED, Pointer};
use crate::text::count;

/// Collects the findings of one input, and counts them.
#[derive(Clone)]
pub(crate) struct FindingLog {
    protocol: Protocol,
    /// The name of the protocol, which each finding has.
    judged_by: Arc<str>,
    file: Option<Arc<str>>,
    /// The files of an input that has several.
    files: Vec<JoinedFile>,
    /// By rule; `None` switches it off.
    severities: Severities,
    /// The findings that were not taken yet.
    pub findings: Vec<Finding>,
    /// The counts of events and records; [`FindingLog::summary`] adds those of findings.
    pub summary: Summary,
    /// Whether a rule was broken that is an error before the caller's settings.
    pub has_error: bool,
    /// By rule: the number of its findings.
    counts: Vec<u64>,
}

/// One of the files of an input that has several.
#[derive(Clone)]
pub(crate) struct JoinedFile {
    pub name: Arc<str>,
    /// The length in bytes, as far as the file was read.
    pub length: u64,
}

/// The counts of a [`FindingLog`], for a snapshot.
#[derive(Serialize, Deserialize)]
pub(crate) struct FindingLogState {
    events: u64,
    skipped: u64,
    has_error: bool,
    /// The rules with findings, each with the number of its findings.
    counts: Vec<(u16, u64)>,
}

/// The contents of a finding, apart from its rule, severity and place. The fields are those of [`Finding`].
#[derive(Default)]
pub(crate) struct Details {
    pub message: String,
    /// What to do about it.
    pub help: Option<Cow<'static, str>>,
    /// The JSON Pointer of the value that the finding is about, in its event.
    pub pointer: Option<Arc<str>>,
    /// The name of the event's type.
    pub event_type: Option<Arc<str>>,
    /// The name of the event's stream.
    pub stream: Option<Arc<str>>,
    /// The earlier places that explain the finding.
    pub related: Vec<Related>,
    /// The sentence of the protocol's document that was violated.
    pub quote: Option<Arc<str>>,
    /// The JSON text that the help proposes.
    pub proposal: Option<Arc<str>>,
    /// The name of the file; `None` for the log's own.
    pub file: Option<Arc<str>>,
}

impl FindingLog {
    /// Returns an empty log for a file of this name.
    pub(crate) fn new(protocol: &Protocol, severities: Severities, file: Option<Arc<str>>) -> FindingLog {
        FindingLog {
            protocol: protocol.clone(),
            judged_by: protocol.name().into(),
            file,
            files: Vec::new(),
            severities,
            findings: Vec::new(),
            summary: Summary { files: 1, ..Summary::default() },
            has_error: false,
            counts: vec![0; protocol.rules().len()],
        }
    }

    /// Returns the counts, for a snapshot. The state does not include the findings.
    pub(crate) fn state(&self) -> FindingLogState {
        let Summary { events, skipped, .. } = self.summary;
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let counts = counts.map(|(rule, count)| (rule as u16, *count)).collect();
        FindingLogState { events, skipped, has_error: self.has_error, counts }
    }

    /// Continues from a state. Returns whether an input can lead to that state.
    #[must_use]
    pub(crate) fn restore(&mut self, state: FindingLogState) -> bool {
        let FindingLogState { events, skipped, has_error, counts } = state;
        let numbers = counts.iter().map(|(_, count)| count).chain([&events, &skipped]);
        let is_sound = numbers.into_iter().all(|count| *count < MOST_BYTES);
        (self.summary.events, self.summary.skipped, self.has_error) = (events, skipped, has_error);
        is_sound
            && counts.into_iter().all(|(rule, count)| {
                self.counts.get_mut(usize::from(rule)).is_some_and(|known| {
                    *known = count;
                    true
                })
            })
    }

    /// Returns the message of a rule with the facts filled in. The facts may be moved out.
    pub(crate) fn message(&self, rule: RuleId, facts: &mut [(&'static str, String)]) -> String {
        filled_in(&self.protocol.tables().rules[usize::from(rule.0)].says, facts, "…")
    }

    /// Returns the name of a rule and its severity; `None` if the rule is switched off.
    pub(crate) fn rule(&self, rule: RuleId) -> (&Arc<str>, Option<Severity>) {
        let index = usize::from(rule.0);
        (&self.protocol.tables().rules[index].name, self.severities.of(rule))
    }

    /// Adds a finding, unless its rule is switched off.
    pub(crate) fn report(&mut self, rule: RuleId, place: Place, details: Details) {
        let index = usize::from(rule.0);
        let words = &self.protocol.tables().rules[index];
        self.has_error |= words.severity == Some(Severity::Error);
        let Some(severity) = self.severities.of(rule) else { return };
        self.counts[index] += 1;
        let (event_type, pointer) = (details.event_type.as_deref(), details.pointer.as_deref());
        let dialects = || self.protocol.dialects_of_finding(rule, event_type, pointer);
        let help = match (severity > Severity::Note).then(dialects).flatten() {
            Some(dialects) => {
                let help = details.help.as_deref().unwrap_or(&words.help);
                let end = if help.ends_with('?') { "" } else { "." };
                Some(format!("{help}{end} {dialects}").into())
            }
            None => details.help,
        };
        let finding = Finding {
            rule: words.name.clone(),
            severity,
            message: details.message,
            protocol: Some(self.judged_by.clone()),
            file: details.file.or_else(|| self.file.clone()),
            place,
            event_type: details.event_type,
            // A protocol without streams has a single one, with an empty name.
            stream: details.stream.filter(|stream| !stream.is_empty()),
            pointer: details.pointer,
            help,
            related: details.related,
            quote: details.quote,
            proposal: details.proposal,
        };
        self.findings.push(if self.files.is_empty() { finding } else { self.in_files(finding) });
    }

    /// Reads the places from now on as those of several files that are one input.
    pub(crate) fn join(&mut self, names: &[Arc<str>]) {
        self.files = names.iter().map(|name| JoinedFile { name: name.clone(), length: 0 }).collect();
        self.summary.files = 0;
    }

    /// Counts a file of this length, in bytes.
    pub(crate) fn count_file(&mut self, file: FileNumber, length: u64) {
        if let Some(file) = self.files.get_mut(file.0) {
            file.length = length;
            self.summary.files += 1;
        }
    }

    /// Returns a finding with the places in the files that have them.
    #[cold]
    fn in_files(&self, finding: Finding) -> Finding {
        let file_of = |place: &Place| self.files.get(FileNumber::of(place).0);
        let in_file = |place: &Place| place_in_file(place, file_of(place).map_or(0, |file| file.length));
        let own = file_of(&finding.place).map(|file| file.name.clone());
        let related = finding.related.into_iter().map(|related| {
            let there = file_of(&related.place).map(|file| file.name.clone());
            let file = if there == own { None } else { there };
            Related { file, place: in_file(&related.place).into(), ..related }
        });
        let related = related.collect();
        let place = in_file(&finding.place);
        Finding { file: own, place, related, ..finding }
    }

    /// Counts the findings about an event beyond those that a report lists, and reports how many they are.
    pub(crate) fn count_unlisted(
        &mut self,
        here: &EventContext<'_>,
        stream: Option<&Arc<str>>,
        rules: impl IntoIterator<Item = (RuleId, u64)>,
        more: bool,
    ) {
        let mut unlisted = 0;
        for (rule, more) in rules.into_iter().filter(|(_, more)| *more > 0) {
            self.has_error |= self.protocol.tables().rules[usize::from(rule.0)].severity == Some(Severity::Error);
            if let (_, Some(_)) = self.rule(rule) {
                self.counts[usize::from(rule.0)] += more;
                unlisted += more;
            }
        }
        if unlisted > 0 || more {
            let are = if unlisted == 1 { "is" } else { "are" };
            let counted =
                || format!("{} about this event {are} counted but not listed", count(unlisted, "more finding"));
            let found = match (unlisted, more) {
                (_, false) => counted(),
                (0, true) => "this event has too many faults to be checked completely".to_owned(),
                (_, true) => format!("at least {}", counted()),
            };
            let rule = framing(Framing::CheckSkipped);
            let help = Some("fix what is listed first".into());
            let details =
                Details { message: self.message(rule, &mut [("found", found)]), help, ..here.details(stream) };
            self.report(rule, here.place(here.type_span.clone()), details);
        }
    }

    /// Returns all counts, including those of the findings.
    #[must_use]
    pub(crate) fn summary(&mut self) -> Summary {
        let mut summary = std::mem::take(&mut self.summary);
        for (rule, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if let (name, Some(severity)) = self.rule(RuleId(rule as u16)) {
                summary.count(name, severity, *count);
            }
        }
        summary
    }

    /// Reports the machine's verdicts on the event at `here`. `event`: its type and captured fields, if its type is
    /// known.
    pub(crate) fn report_verdicts(
        &mut self,
        verdicts: &mut Vec<Verdict>,
        here: &EventContext<'_>,
        event: Option<(&EventType, EventCaptures<'_>)>,
    ) {
        if verdicts.is_empty() {
            return;
        }
        let mut tree = None;
        let further = verdicts.split_off(verdicts.len().min(MOST_LISTED));
        let stream = further.first().map(|verdict| verdict.stream.clone());
        for verdict in verdicts.drain(..) {
            if matches!(verdict.at, Target::Earlier(..) | Target::EarlierField(..)) {
                self.report_earlier(verdict);
                continue;
            }
            let (pointer, part) = self.pointer(&verdict.at, event);
            let captured = event.and_then(|(event_type, captured)| captured_span(&verdict.at, event_type, captured));
            let value = captured.or_else(|| {
                // Only a value that was captured without its place requires a parse.
                let text = here.frame.text;
                let tree = tree.get_or_insert_with(|| parse_leniently(text).ok()).as_ref()?;
                let (event, path) = (tree.root.node_at(&here.span)?, &pointer.as_ref()?.0);
                let is_missing = matches!(verdict.at, Target::Missing(_) | Target::MissingInItem { .. });
                let lengths = if is_missing { 0..path.len() } else { path.len()..path.len() + 1 };
                let mut nodes = lengths.rev().filter_map(|length| event.at(text, &path[..length]));
                nodes.next().map(|node| node.span.clone())
            });
            let pointer = pointer.filter(|_| value.is_some()).map(|pointer| pointer.text().into());
            let span = match value {
                Some(value) if part > 0 => (value.start + part).min(value.end - 1)..value.end,
                Some(value) => value,
                None => here.type_span.clone(),
            };
            self.report_verdict(verdict, here.place(span), pointer, here.event_type.clone());
        }
        self.count_unlisted(here, stream.as_ref(), further.iter().map(|verdict| (verdict.rule, 1)), false);
    }

    /// Reports a verdict on an earlier event, whose place the machine remembered.
    pub(crate) fn report_earlier(&mut self, verdict: Verdict) {
        let (place, event_type, pointer) = match &verdict.at {
            Target::Earlier(place, event_type) => (place, event_type, None),
            Target::EarlierField(place, event_type, pointer) => (place, event_type, Some(pointer.clone())),
            _ => return,
        };
        let (place, event_type) = ((**place).clone(), event_type.clone());
        self.report_verdict(verdict, place, pointer, event_type);
    }

    /// Reports a verdict at this place.
    fn report_verdict(&mut self, verdict: Verdict, place: Place, pointer: Option<Arc<str>>, event_type: Arc<str>) {
        let mut facts = verdict.facts;
        let rule = &self.protocol.tables().rules[usize::from(verdict.rule.0)];
        let other = match verdict.wording {
            Wording::Likely => rule.likely.as_ref(),
            Wording::Again => rule.again.as_ref(),
            Wording::Usual | Wording::Help(_) => None,
        };
        let case = rule.case(&event_type);
        let case_says = case.and_then(|case| case.says.as_ref());
        let help = match (verdict.wording, other) {
            (Wording::Help(help), _) => Some(help.into()),
            (_, Some(other)) => Some(other.help.clone().into()),
            (_, None) => case.and_then(|case| Some(case.help.clone()?.into())),
        };
        let says = other.map(|words| &words.says).or(case_says).unwrap_or(&rule.says);
        let details = Details {
            message: filled_in(says, &mut facts, &event_type),
            help,
            quote: case.and_then(|case| Some(case.quotes.first()?.as_str().into())),
            pointer,
            event_type: Some(event_type),
            stream: Some(verdict.stream),
            related: verdict.related,
            ..Details::default()
        };
        self.report(verdict.rule, place, details);
    }

    /// Returns the pointer of a verdict's target, and the offset in its value, in bytes, at which the finding starts.
    fn pointer<'e>(
        &'e self,
        at: &Target,
        event: Option<(&'e EventType, EventCaptures<'_>)>,
    ) -> (Option<Cow<'e, Pointer>>, usize) {
        let of = |slot: &usize| event.map(|(event, _)| Cow::Borrowed(&event.slots[*slot]));
        match at {
            Target::Time => (self.protocol.tables().shape.time.as_ref().map(Cow::Borrowed), 0),
            Target::Slot(slot) | Target::Missing(slot) => (of(slot), 0),
            Target::Part(slot, part) => (of(slot), *part + 1),
            Target::Item { array, index, slot } | Target::MissingInItem { array, index, slot } => {
                (event.map(|(event, captured)| item_pointer(event, captured, (*array, *index), *slot)), 0)
            }
            Target::Member(object, name) => {
                (self.pointer(object, event).0.map(|object| Cow::Owned(object.child(name))), 0)
            }
            Target::Type | Target::Earlier(..) | Target::EarlierField(..) => (None, 0),
        }
    }
}

/// Returns a message for an event of this type, with the facts filled in. The facts may be moved out.
fn filled_in(says: &str, facts: &mut [(&'static str, String)], event_type: &str) -> String {
    let mut rest = says;
    if let ([("found", found)], "{found}") = (&mut *facts, rest) {
        return std::mem::take(found);
    }
    let mut message = String::with_capacity(120);
    while let Some((before, after)) = rest.split_once('{') {
        message.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        let unknown = if name == "event" { event_type } else { "…" };
        message.push_str(facts.iter().find(|(fact, _)| *fact == name).map_or(unknown, |(_, value)| value));
        rest = after;
    }
    message.push_str(rest);
    message
}

/// Returns the pointer of a field of an item, by the array and the number of the item among all that were captured of it.
fn item_pointer<'e>(
    event: &'e EventType,
    captured: EventCaptures<'_>,
    (array, index): (usize, usize),
    slot: usize,
) -> Cow<'e, Pointer> {
    let shape = &event.arrays[array];
    let first = captured.items.get(array).map_or(0, |items| items.first as usize) + index * shape.slots.len();
    let number = |slot: usize| match captured.fields.get(first + slot) {
        Some(Capture::Index(number)) => *number,
        _ => 0,
    };
    let (number, around) = if shape.is_nested() { (number(1), number(0)) } else { (index as u32, 0) };
    let outer = || Pointer(shape.parts().0.to_vec()).child(&around.to_string());
    match &shape.slots[slot] {
        ItemSlot::Inside(at) => Cow::Owned(shape.item(number, around).join(at)),
        ItemSlot::Event(slot) => Cow::Borrowed(&event.slots[*slot]),
        ItemSlot::Number => Cow::Owned(shape.item(number, around)),
        ItemSlot::Around(at) => Cow::Owned(outer().join(at)),
        ItemSlot::NumberAround => Cow::Owned(outer()),
    }
}

/// Returns the place of a captured string or number; `None` if the target is neither.
fn captured_span(at: &Target, event_type: &EventType, captured: EventCaptures<'_>) -> Option<Range<usize>> {
    let field = match at {
        Target::Time => event_type.time?,
        Target::Slot(slot) | Target::Part(slot, _) => *slot,
        Target::Item { array, index, slot } => match event_type.arrays[*array].slots[*slot] {
            ItemSlot::Event(slot) => slot,
            _ => captured.items[*array].first as usize + index * event_type.arrays[*array].slots.len() + slot,
        },
        Target::Missing(_)
        | Target::MissingInItem { .. }
        | Target::Member(..)
        | Target::Type
        | Target::Earlier(..)
        | Target::EarlierField(..) => return None,
    };
    match captured.fields[field] {
        Capture::Text(start, end) => Some(start as usize - 1..end as usize + 1),
        Capture::Number(start, end) => Some(start as usize..end as usize),
        _ => None,
    }
}

/// An event or record and its place.
pub(crate) struct EventContext<'e> {
    pub frame: &'e Frame<'e>,
    /// The place of the event, as a byte range of the frame's text.
    pub span: Range<usize>,
    /// The place of the event's type, as a byte range of the frame's text.
    pub type_span: Range<usize>,
    /// The number of the event in the file, 0-based; `None` for a container of records.
    pub number: Option<u64>,
    /// The name of its type.
    pub event_type: &'e Arc<str>,
    /// Whether places have excerpts of the source text.
    pub excerpts: bool,
    /// Known places in the frame, for frames in which many places are looked up.
    pub landmarks: Landmarks,
}

impl EventContext<'_> {
    /// Returns the place of a range of the frame's text.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        self.frame.place_by(span, self.number, self.excerpts, &self.landmarks)
    }

    /// Returns the details that every finding about this event has.
    pub(crate) fn details(&self, stream: Option<&Arc<str>>) -> Details {
        Details { event_type: Some(self.event_type.clone()), stream: stream.cloned(), ..Details::default() }
    }
}

impl EventLocator for EventContext<'_> {
    fn event_type(&self) -> &Arc<str> {
        self.event_type
    }

    fn note(&self, noted: &mut EventNote) {
        self.frame.note_event(&self.span, &self.type_span, self.number, self.excerpts, noted);
    }

    fn event(&self) -> Place {
        let (span, number) = (self.span.clone(), self.number);
        if self.excerpts {
            self.frame.remembered(span, self.type_span.clone(), number)
        } else {
            self.frame.bare_place(span, number)
        }
    }

    fn field(&self, pointer: &Pointer) -> Option<Place> {
        let text = self.frame.text;
        let tree = parse_leniently(text).ok()?;
        Some(self.place(tree.root.node_at(&self.span)?.at(text, &pointer.0)?.span.clone()))
    }

    fn text(&self) -> &[u8] {
        &self.frame.text[self.span.clone()]
    }

    fn part(&self, range: Range<usize>) -> Place {
        self.place(range)
    }
}
