//! What was found → findings: words, severities, counts.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, MOST_BYTES, Place, Related, Severity, Summary};
use crate::framing::Framing;
use crate::input::json::parse;
use crate::input::{EventNote, Frame, Landmarks};
use crate::machine::{EventLocator, Target, Verdict};
use crate::protocol::tables::EventType;
use crate::protocol::{Protocol, RuleId, framing};
use crate::schema::captures::{Capture, EventCaptures};
use crate::schema::{MOST_LISTED, Pointer};
use crate::text::count;

/// Says findings, and counts them.
#[derive(Clone)]
pub(crate) struct FindingLog {
    protocol: Protocol,
    file: Option<Arc<str>>,
    /// By rule; none: switched off.
    severities: Arc<[Option<Severity>]>,
    /// What was said and not taken yet.
    pub findings: Vec<Finding>,
    /// What was counted, apart from the findings of each rule.
    pub summary: Summary,
    /// Whether a rule spoke that is an error by itself.
    pub error: bool,
    /// How often each rule spoke.
    spoken: Vec<u64>,
}

/// What was counted, to be stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct FindingLogState {
    events: u64,
    skipped: u64,
    error: bool,
    /// The rules with findings, each with their number.
    spoken: Vec<(u16, u64)>,
}

/// What a finding says, before it knows its rule and place.
#[derive(Default)]
pub(crate) struct Details {
    /// What is wrong.
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
    /// The file, if it is not the one that is judged.
    pub file: Option<Arc<str>>,
}

impl FindingLog {
    /// Creates a log for the rules of a protocol, whose severities come in the order of its rules.
    pub(crate) fn new(protocol: &Protocol, severities: Arc<[Option<Severity>]>, file: Option<Arc<str>>) -> FindingLog {
        FindingLog {
            protocol: protocol.clone(),
            file,
            severities,
            findings: Vec::new(),
            summary: Summary { files: 1, ..Summary::default() },
            error: false,
            spoken: vec![0; protocol.rules().len()],
        }
    }

    /// Returns what was counted, to be stored. The findings are not in it.
    pub(crate) fn state(&self) -> FindingLogState {
        let Summary { events, skipped, .. } = self.summary;
        let spoken = self.spoken.iter().enumerate().filter(|(_, count)| **count > 0);
        let spoken = spoken.map(|(rule, count)| (rule as u16, *count)).collect();
        FindingLogState { events, skipped, error: self.error, spoken }
    }

    /// Goes on where the state was taken. Returns whether it could be in that state.
    pub(crate) fn restore(&mut self, state: FindingLogState) -> bool {
        let FindingLogState { events, skipped, error, spoken } = state;
        let counts = spoken.iter().map(|(_, count)| count).chain([&events, &skipped]);
        let is_sound = counts.into_iter().all(|count| *count < MOST_BYTES);
        (self.summary.events, self.summary.skipped, self.error) = (events, skipped, error);
        is_sound
            && spoken.into_iter().all(|(rule, count)| {
                self.spoken.get_mut(usize::from(rule)).is_some_and(|spoken| {
                    *spoken = count;
                    true
                })
            })
    }

    /// A rule's words with the facts in them, which may be taken away.
    pub(crate) fn message(&self, rule: RuleId, facts: &mut [(&'static str, String)]) -> String {
        self.message_of(rule, facts, "…")
    }

    /// The same for an event of this type.
    fn message_of(&self, rule: RuleId, facts: &mut [(&'static str, String)], event_type: &str) -> String {
        let mut rest = self.protocol.tables().rules[usize::from(rule.0)].says.as_str();
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

    /// The name of a rule and its severity, unless it is switched off.
    pub(crate) fn rule(&self, rule: RuleId) -> (&Arc<str>, Option<Severity>) {
        let index = usize::from(rule.0);
        (&self.protocol.tables().rules[index].name, self.severities[index])
    }

    /// Says a finding.
    pub(crate) fn say(&mut self, rule: RuleId, place: Place, said: Details) {
        let index = usize::from(rule.0);
        let words = &self.protocol.tables().rules[index];
        self.error |= words.severity == Some(Severity::Error);
        let Some(severity) = self.severities[index] else { return };
        self.spoken[index] += 1;
        self.findings.push(Finding {
            rule: words.name.clone(),
            severity,
            message: said.message,
            file: said.file.or_else(|| self.file.clone()),
            place,
            event_type: said.event_type,
            // Where a protocol has no streams, they have no names.
            stream: said.stream.filter(|stream| !stream.is_empty()),
            pointer: said.pointer,
            help: said.help,
            related: said.related,
            quote: said.quote,
            proposal: said.proposal,
        });
    }

    /// Counts further findings about an event of which as many are listed as a report may hold, and says how many they are.
    pub(crate) fn unlisted(
        &mut self,
        here: &EventContext<'_>,
        stream: Option<&Arc<str>>,
        rules: impl IntoIterator<Item = (RuleId, u64)>,
    ) {
        let mut unlisted = 0;
        for (rule, more) in rules.into_iter().filter(|(_, more)| *more > 0) {
            self.error |= self.protocol.tables().rules[usize::from(rule.0)].severity == Some(Severity::Error);
            if let (_, Some(_)) = self.rule(rule) {
                self.spoken[usize::from(rule.0)] += more;
                unlisted += more;
            }
        }
        if unlisted > 0 {
            let found =
                format!("{} about this event, which are counted and not listed", count(unlisted, "more finding"));
            let rule = framing(Framing::CheckSkipped);
            let help = Some("mend what is listed, and check again".into());
            let said = Details { message: self.message(rule, &mut [("found", found)]), help, ..here.said(stream) };
            self.say(rule, here.place(here.type_span.clone()), said);
        }
    }

    /// Everything that was counted, the findings that were said with it.
    pub(crate) fn summary(&mut self) -> Summary {
        let mut summary = std::mem::take(&mut self.summary);
        for (rule, count) in self.spoken.iter().enumerate().filter(|(_, count)| **count > 0) {
            if let (name, Some(severity)) = self.rule(RuleId(rule as u16)) {
                summary.count(name, severity, *count);
            }
        }
        summary
    }

    /// Says what the machine said about the event that stands here, which is of a known type if its fields were captured.
    pub(crate) fn verdicts(
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
            if matches!(verdict.at, Target::Earlier(..)) {
                self.earlier(verdict);
                continue;
            }
            let (pointer, part) = self.pointer(&verdict.at, event.map(|(event_type, _)| event_type));
            let captured = event.and_then(|(event_type, captured)| captured_at(&verdict.at, event_type, captured));
            let value = captured.or_else(|| {
                // Only what was not captured with its place has to be looked for.
                let text = here.frame.text;
                let tree = tree.get_or_insert_with(|| parse(text).ok()).as_ref()?;
                Some(tree.root.node_at(&here.span)?.at(text, &pointer.as_ref()?.0)?.span.clone())
            });
            let pointer = pointer.filter(|_| value.is_some()).map(|pointer| pointer.text());
            let span = match value {
                Some(value) if part > 0 => (value.start + part).min(value.end - 1)..value.end,
                Some(value) => value,
                None => here.type_span.clone(),
            };
            self.verdict(verdict, here.place(span), pointer, here.event_type.clone());
        }
        self.unlisted(here, stream.as_ref(), further.iter().map(|verdict| (verdict.rule, 1)));
    }

    /// Says what the machine said about a place of its own.
    pub(crate) fn earlier(&mut self, verdict: Verdict) {
        if let Target::Earlier(place, event_type) = &verdict.at {
            let (place, event_type) = ((**place).clone(), event_type.clone());
            self.verdict(verdict, place, None, event_type);
        }
    }

    fn verdict(&mut self, verdict: Verdict, place: Place, pointer: Option<String>, event_type: Arc<str>) {
        let mut facts = verdict.facts;
        let said = Details {
            message: self.message_of(verdict.rule, &mut facts, &event_type),
            pointer: pointer.map(Arc::from),
            event_type: Some(event_type),
            stream: Some(verdict.stream),
            related: verdict.related,
            ..Details::default()
        };
        self.say(verdict.rule, place, said);
    }

    /// The pointer of what a rule speaks about, and the byte of the value to start from.
    fn pointer<'e>(&'e self, at: &Target, event: Option<&'e EventType>) -> (Option<Cow<'e, Pointer>>, usize) {
        let of = |slot: &usize| event.map(|event| Cow::Borrowed(&event.slots[*slot]));
        match at {
            Target::Time => (self.protocol.tables().shape.time.as_ref().map(Cow::Borrowed), 0),
            Target::Slot(slot) => (of(slot), 0),
            Target::Part(slot, part) => (of(slot), *part + 1),
            Target::Item { array, index, slot } => {
                let array = event.map(|event| &event.arrays[*array]);
                let item = array.map(|array| array.at.child(&index.to_string()).join(&array.slots[*slot]));
                (item.map(Cow::Owned), 0)
            }
            Target::Type | Target::Earlier(..) => (None, 0),
        }
    }
}

/// Where a string or a number stands that was captured.
fn captured_at(at: &Target, event_type: &EventType, captured: EventCaptures<'_>) -> Option<Range<usize>> {
    let field = match at {
        Target::Time => event_type.time?,
        Target::Slot(slot) | Target::Part(slot, _) => *slot,
        Target::Item { array, index, slot } => {
            let width = event_type.arrays[*array].slots.len();
            captured.items[*array].first as usize + index * width + slot
        }
        Target::Type | Target::Earlier(..) => return None,
    };
    match captured.fields[field] {
        Capture::Text(start, end) => Some(start as usize - 1..end as usize + 1),
        Capture::Number(start, end) => Some(start as usize..end as usize),
        _ => None,
    }
}

/// An event and where it stands.
pub(crate) struct EventContext<'e> {
    /// The frame that it is in.
    pub frame: &'e Frame<'e>,
    /// The event, in its frame's text.
    pub span: Range<usize>,
    /// Its type.
    pub type_span: Range<usize>,
    /// 0-based, in the file; none: it is no event, and no record.
    pub number: Option<u64>,
    /// The name of its type.
    pub event_type: &'e Arc<str>,
    /// Whether places come with the text around them.
    pub excerpts: bool,
    /// The origins in the frame that were computed so far.
    pub landmarks: Landmarks,
}

impl EventContext<'_> {
    /// A range of the frame's text.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        self.frame.place_by(span, self.number, self.excerpts, &self.landmarks)
    }

    /// What every finding about this event says.
    pub(crate) fn said(&self, stream: Option<&Arc<str>>) -> Details {
        Details { event_type: Some(self.event_type.clone()), stream: stream.cloned(), ..Details::default() }
    }
}

impl EventLocator for EventContext<'_> {
    fn event_type(&self) -> &Arc<str> {
        self.event_type
    }

    fn note(&self, noted: &mut EventNote) {
        self.frame.note(&self.span, self.number, noted);
        if self.excerpts {
            self.frame.note_text(&self.span, &self.type_span, noted);
        }
    }

    fn event(&self) -> Place {
        let (span, number) = (self.span.clone(), self.number);
        if self.excerpts {
            self.frame.remembered(span, self.type_span.clone(), number)
        } else {
            self.frame.bare_place(span, number)
        }
    }

    fn part(&self, range: Range<usize>) -> Place {
        self.place(range)
    }
}
