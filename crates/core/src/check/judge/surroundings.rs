//! Finds the events that stand among other text in a frame that is not JSON, and judges each at its place.

use std::ops::Range;

use super::StreamJudge;
use crate::check::fast_reader::FastEvent;
use crate::event::event_checker::{json_fault, parse_frame, stray_fault};
use crate::event::finding_log::Details;
use crate::event::foreign::ForeignFrames;
use crate::event::{Event, NotAnEvent};
use crate::finding::{Place, Related};
use crate::framing::Framing;
use crate::input::json::{
    ParseError, ParseErrorKind, Tree, foreign_space_at, inner, is_foreign_space, parse, parse_leniently,
    unescaped_lossy,
};
use crate::input::shards::{Shard, Shards};
use crate::input::{Frame, InputFault, Label, Oddity, Segment, Wire};
use crate::protocol::{Protocol, framing};
use crate::schema::captures::UnknownKey;
use crate::schema::{SHOWN_CHARS, quoted};

/// The byte-order mark in UTF-8.
const MARK: &[u8] = crate::input::BYTE_ORDER_MARK;

impl StreamJudge {
    /// Counts one more line that has this oddity.
    #[cold]
    pub(crate) fn note_oddity(&mut self, oddity: Oddity, place: Place) {
        if oddity.loses() {
            self.note_loss(&place);
        }
        self.oddities.note(oddity, || place);
    }

    /// Judges a frame that is not JSON: the events in it, if there are some.
    #[cold]
    pub(super) fn judge_broken(&mut self, protocol: &Protocol, frame: &Frame<'_>, error: ParseError) {
        self.release(protocol);
        if error.kind == ParseErrorKind::TooMany {
            return self.report_fault(json_fault(frame, error));
        }
        if is_foreign_space_alone(frame.text) {
            return self.note_foreign_space(frame, 0);
        }
        let stripped = frame.without_escapes();
        let has_events = match &stripped {
            Some(stripped) => self.judge_enclosed(protocol, &stripped.frame(), Some(Oddity::Escapes)),
            None => self.judge_enclosed(protocol, frame, None),
        };
        if !has_events {
            self.likeness.add_text(protocol, frame.text);
            self.report_unreadable(frame, error);
        }
    }

    /// Judges the events among other text. Returns `false`, and does nothing, if there are none. `stripped`: what was
    /// taken out of the text before.
    fn judge_enclosed(&mut self, protocol: &Protocol, frame: &Frame<'_>, stripped: Option<Oddity>) -> bool {
        let text = frame.text;
        if std::str::from_utf8(text).is_ok()
            && let Ok(tree) = parse_leniently(text)
        {
            if let Some(oddity) = stripped {
                self.oddities.note(oddity, || frame.place(0..text.len(), None));
            }
            self.judge_tree(protocol, frame, &tree, &[]);
            return true;
        }
        let Some(first) = memchr::memchr(b'{', text) else { return false };
        if std::str::from_utf8(&text[first..]).is_err() {
            return false;
        }
        let mut enclosing = Enclosing::default();
        for shard in Shards::of(text) {
            match shard {
                Shard::Object { tree, behind_torn } => {
                    enclosing.add_object(self.is_event(protocol, &tree, text, behind_torn))
                }
                Shard::Torn(_) => enclosing.torn = true,
                Shard::Text(span) => enclosing.add_text(&text[span]),
            }
        }
        if enclosing.events == 0 {
            return false;
        }
        self.oddities.note(enclosing.oddity(stripped, frame.origin(0).column > 1), || frame.place(0..text.len(), None));
        self.judge_shards(protocol, frame);
        true
    }

    /// Judges each event among other text at its place.
    fn judge_shards(&mut self, protocol: &Protocol, frame: &Frame<'_>) {
        let text = frame.text;
        let mut known = (0, frame.origin(0));
        let mut last_torn = None;
        for shard in Shards::of(text) {
            last_torn = None;
            match shard {
                Shard::Text(_) => {}
                Shard::Torn(span) => {
                    self.note_loss(&frame.bare_place(span.clone(), None));
                    last_torn = Some(span);
                }
                Shard::Object { tree, behind_torn } => {
                    let span = tree.root.span.clone();
                    if behind_torn && !self.is_event(protocol, &tree, text, behind_torn) {
                        continue;
                    }
                    let part = frame.part(span.clone(), known);
                    let inner = Frame { utf8: true, ..part.frame() };
                    known = (span.start, inner.segments[0].origin);
                    match parse_leniently(inner.text) {
                        Ok(tree) => self.judge_tree(protocol, &inner, &tree, &[]),
                        Err(error) => self.report_fault(json_fault(&inner, error)),
                    }
                }
            }
        }
        if let Some(span) = last_torn {
            self.torn = Some(self.event_checker.log.summary.events);
            // The input stops in the middle of an event.
            if !frame.terminated
                && let Err(error) = parse(&text[span.clone()])
            {
                let part = frame.part(span, known);
                let inner = Frame { terminated: false, ..part.frame() };
                self.report_fault(json_fault(&inner, error));
            }
        }
    }

    /// Returns whether an object is an event, or a message that may carry one. `doubtful`: whether the object may be a
    /// part of another one that breaks off; then only an event of a known type with all members of one counts.
    fn is_event(&self, protocol: &Protocol, tree: &Tree, text: &[u8], doubtful: bool) -> bool {
        match Event::find(&tree.root, text, protocol, self.wire == Some(Wire::JsonRpc)) {
            Ok(event) if doubtful => event.event_type.is_some() && self.foreign.has_whole_envelope(event.node, text),
            Ok(_) => true,
            Err(NotAnEvent::Message) => !doubtful,
            Err(NotAnEvent::Untyped | NotAnEvent::Other(..)) => false,
        }
    }

    /// Judges a frame that is JSON, except perhaps for its numbers. `keys`: the unknown keys that the fast path found and
    /// could not count yet.
    pub(super) fn judge_tree(&mut self, protocol: &Protocol, frame: &Frame<'_>, tree: &Tree, keys: &[UnknownKey]) {
        if let Some(first) = tree.not_numbers.first() {
            self.oddities.note(Oddity::NotANumber, || frame.place(first.clone(), None));
        }
        if let Some(span) = &tree.foreign_space {
            self.note_foreign_space(frame, span.start);
        }
        let text = frame.text;
        let found = Event::find(&tree.root, text, protocol, self.wire == Some(Wire::JsonRpc));
        if self.judge_wrapped(protocol, frame, tree, &found) {
            return;
        }
        let is_known = |event: &Event<'_>| event.event_type.is_some();
        if found.as_ref().is_ok_and(|event| is_known(event) && !event.wrapper.0.is_empty()) {
            self.note_method(tree, text);
        }
        if !self.held.is_empty() && found.is_ok() {
            self.release(protocol);
        }
        if !found.as_ref().is_ok_and(is_known) && self.is_of_other_protocol(protocol, frame, tree) {
            return;
        }
        match found {
            Ok(event) => self.judge_event(protocol, frame, tree, &event, keys),
            Err(reason) => match reason.explain(&tree.root, text, protocol) {
                None => self.judge_message(protocol, frame, tree),
                Some((span, found)) => self.report_no_event(protocol, frame, tree, span, found),
            },
        }
    }

    /// Counts one more line with a character that stands as white space although JSON does not allow it there.
    fn note_foreign_space(&mut self, frame: &Frame<'_>, at: usize) {
        let Some(space) = foreign_space_at(frame.text, at) else { return };
        let oddity = if at == 0 && frame.text.starts_with(MARK) { Oddity::ByteOrderMark } else { Oddity::Space(space) };
        self.oddities.note(oddity, || frame.place(at..at + space.len_utf8(), None));
    }

    /// Returns the keys of a member of a frame that leads to its events and stands twice.
    pub(super) fn repeated_wrapper<'t>(&self, tree: &'t Tree, text: &[u8]) -> Option<&'t (Range<usize>, Range<usize>)> {
        let leads_to_events = |key: &Range<usize>| {
            let name = unescaped_lossy(inner(text, key));
            self.known_wrappings.iter().chain(&self.wrapping).any(|wrapping| wrapping.begins_with(&name))
                && tree.root.members().iter().any(|member| member.key == *key)
        };
        tree.duplicate_keys.iter().find(|(_, again)| leads_to_events(again))
    }

    /// Reports a member of a frame that leads to its events and stands twice: the one that does not count may have held
    /// other events. Returns its place.
    pub(super) fn report_repeated_wrapper(&mut self, frame: &Frame<'_>, tree: &Tree) -> Option<Place> {
        let (first, again) = self.repeated_wrapper(tree, frame.text)?;
        let (rule, place) = (framing(Framing::DuplicateKey), frame.place(again.clone(), None));
        let key = quoted(&unescaped_lossy(inner(frame.text, again)), SHOWN_CHARS);
        let message = self.event_checker.log.message(rule, &mut [("key", key)]);
        let related = vec![Related::new("it first occurs here", frame.place(first.clone(), None))];
        self.event_checker.log.report(rule, place.clone(), Details { message, related, ..Details::default() });
        Some(place)
    }

    /// Skips a frame that carries events elsewhere, but has none here.
    pub(super) fn skip_message(&mut self, frame: &Frame<'_>, tree: &Tree) {
        self.event_checker.log.summary.skipped += 1;
        if let Some(place) = self.report_repeated_wrapper(frame, tree) {
            self.note_loss(&place);
        }
    }

    /// Judges a line of server-sent events that is no field of one: clients pass over it.
    #[cold]
    pub(crate) fn judge_stray(&mut self, frame: &Frame<'_>) {
        let events = self.event_checker.log.summary.events;
        let is_foreign = ForeignFrames::is_foreign_text(frame.text);
        // Here, what looks like a line of YAML is a field that the standard does not know.
        let oddity = self.lookalikes.recognise(frame, events, &[], &self.oddities);
        if let Some(oddity) = oddity.filter(|oddity| *oddity != Oddity::Yaml) {
            return self.oddities.note(oddity, || frame.place(0..frame.text.len(), None));
        }
        if is_foreign && is_field(frame.text) {
            return;
        }
        let may_be_event = || parse_frame(frame).map_or(true, |tree| !self.foreign.is_foreign(&tree, frame.text));
        let lost = !is_foreign && may_be_event();
        self.report_fault(InputFault { lost, ..stray_fault(frame) });
    }

    /// Reports the name of a server-sent event that is that of another event type than its data has.
    #[cold]
    pub(crate) fn check_label(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        label: Option<&Label>,
        fast_event: Option<&FastEvent>,
    ) {
        // Where clients go by the name, it has to be there; elsewhere, another name may be the sender's own affair.
        let is_required = protocol.tables().shape.event_field;
        if label.is_none() && !is_required {
            return;
        }
        let contradicts = |name: &str| match label {
            Some(label) => name.as_bytes() != label.name && (is_required || self.foreign.is_near_type(&label.name)),
            None => true,
        };
        let contradicts = match fast_event {
            Some(fast_event) => contradicts(&protocol.tables().events[fast_event.event_type].name),
            None => parse_frame(frame).is_ok_and(|tree| {
                let event = Event::find(&tree.root, frame.text, protocol, self.wire == Some(Wire::JsonRpc));
                event.is_ok_and(|event| contradicts(&event.name))
            }),
        };
        let Some(label) = label else {
            if contradicts {
                self.oddities.note(Oddity::NoName, || frame.place(0..frame.text.len(), None));
            }
            return;
        };
        if contradicts {
            let segments = [Segment { at: 0, origin: label.origin }];
            let name = Frame { wide: frame.wide, ..Frame::new(&label.name, &segments) };
            self.oddities.note(Oddity::OtherName, || name.place(0..label.name.len(), None));
        }
    }

    /// Returns whether a server-sent event that cannot have been one of the protocol is of another kind by its name.
    pub(super) fn is_of_another_kind(&self, label: &Label) -> bool {
        let lower = label.name.to_ascii_lowercase();
        !label.name.is_empty()
            && !self.foreign.is_near_type(&label.name)
            && memchr::memmem::find(&lower, b"error").is_none()
    }

    /// Returns the fault of a frame that holds no event; `rule` of it may be that of a cut-off event.
    pub(super) fn unreadable_fault(&self, frame: &Frame<'_>, error: ParseError, lost: bool) -> InputFault {
        let fault = InputFault { lost, ..json_fault(frame, error) };
        let is_syntax = matches!(fault.rule, Framing::InvalidJson | Framing::TruncatedLine);
        if !lost && is_syntax && ForeignFrames::is_foreign_text(frame.text) {
            let place = frame.place(0..frame.text.len(), None);
            // Only a text that a caller passed by itself can be empty.
            let is_empty = frame.text.is_empty();
            let message = if is_empty { "it is empty" } else { "this line is plain text, not an event" }.to_owned();
            return InputFault { rule: Framing::InvalidJson, place, message, ..fault };
        }
        match fault.rule {
            // Nothing of an event was cut off here.
            Framing::TruncatedLine if !lost => InputFault { rule: Framing::InvalidJson, ..fault },
            _ => fault,
        }
    }
}

/// Returns whether a text has nothing but white space, some of which is none to JSON.
fn is_foreign_space_alone(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        let is_space = |character: char| character.is_whitespace() || is_foreign_space(character);
        text.starts_with(is_foreign_space) && text.chars().all(is_space)
    })
}

/// Returns whether a line is a field that the standard does not know: clients pass over it.
fn is_field(line: &[u8]) -> bool {
    let name = &line[..memchr::memchr(b':', line).unwrap_or(0)];
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}

/// What stands around the events of a frame.
#[derive(Default)]
struct Enclosing {
    events: usize,
    objects: usize,
    torn: bool,
    /// The text before the first object.
    before: Vec<u8>,
    /// The text behind it.
    behind: Vec<u8>,
}

impl Enclosing {
    /// The most bytes of text that are kept, in each place.
    const MOST: usize = 4096;

    fn add_object(&mut self, is_event: bool) {
        self.objects += 1;
        self.events += usize::from(is_event);
    }

    fn add_text(&mut self, text: &[u8]) {
        let kept = if self.objects == 0 { &mut self.before } else { &mut self.behind };
        let room = Enclosing::MOST.saturating_sub(kept.len());
        kept.extend_from_slice(&text[..text.len().min(room)]);
    }

    /// Returns what stands around the events. `stripped`: what was taken out of the text before. `in_field`: whether the
    /// text is the value of a field.
    fn oddity(&self, stripped: Option<Oddity>, in_field: bool) -> Oddity {
        let (before, behind) = (self.before.trim_ascii(), self.behind.trim_ascii());
        let has = |words: &[u8]| {
            [before, behind].iter().any(|text| memchr::memmem::find(&text.to_ascii_lowercase(), words).is_some())
        };
        let consists_of =
            |byte: u8| [before, behind].concat().iter().all(|found| *found == byte || found.is_ascii_whitespace());
        if self.torn {
            Oddity::TornWrite
        } else if before.is_empty() && behind.is_empty() {
            stripped.unwrap_or(Oddity::NoLineFeed)
        } else if consists_of(0) {
            Oddity::ZeroBytes
        } else if consists_of(b',') {
            Oddity::Comma
        } else if before == MARK && behind.is_empty() {
            Oddity::ByteOrderMark
        } else if has(b"content-length:") {
            Oddity::ContentLength
        } else if before.starts_with(b"data:") {
            if in_field { Oddity::DataTwice } else { Oddity::SseField }
        } else if before.is_empty() {
            Oddity::TextBehind
        } else {
            Oddity::LogPrefix
        }
    }
}
