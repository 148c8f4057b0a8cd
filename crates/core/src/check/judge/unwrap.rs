//! Judges the events that stand in what a logger, a gateway or an export wrote around them.

use std::borrow::Cow;

use super::StreamJudge;
use crate::event::event_checker::parse_frame;
use crate::event::finding_log::Details;
use crate::event::traces::Trace;
use crate::event::wrapping::{Contents, Wrapping, is_event_text};
use crate::event::{Event, NotAnEvent};
use crate::framing::Framing;
use crate::input::json::{Node, NodeKind, Tree, inner, unescaped_lossy};
use crate::input::{Frame, HeldFrame, Wire, offset_in_file};
use crate::protocol::{Protocol, framing};
use crate::schema::{SHOWN_CHARS, quoted};

/// The number of bytes at the start of an input in which it is found out where its events stand.
const MOST_SEARCHED: u64 = 64 * 1024;
/// The number of bytes of frames that are held until then.
pub(super) const MOST_HELD: usize = 64 * 1024;
/// The member of a message of JSON-RPC that says what kind of message it is.
const METHOD: &str = "method";
/// The number of methods that are remembered, and the most bytes of one.
pub(super) const MOST_METHODS: usize = 16;
const LONGEST_METHOD: usize = 200;

impl StreamJudge {
    /// Judges the events that stand in a frame, if it is none itself. Returns `false`, and judges nothing, if there are
    /// none.
    pub(super) fn judge_wrapped(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        tree: &Tree,
        found: &Result<Event<'_>, NotAnEvent>,
    ) -> bool {
        if self.is_inner || found.as_ref().is_ok_and(|event| event.event_type.is_some()) {
            return false;
        }
        if self.judge_at_known_places(protocol, frame, tree, found) {
            return true;
        }
        let Some(wrapping) = self.find_wrapping(protocol, frame, tree, found) else { return false };
        let Contents::Events(values) = wrapping.contents(protocol, &tree.root, frame.text) else { return false };
        self.note_method(tree, frame.text);
        self.wrapping = Some(wrapping);
        self.release(protocol);
        self.judge_values(protocol, frame, tree, &values);
        true
    }

    /// Judges what stands in a frame where its events are known to stand. Returns `false`, and judges nothing, if there is
    /// nothing that could be judged.
    fn judge_at_known_places(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        tree: &Tree,
        found: &Result<Event<'_>, NotAnEvent>,
    ) -> bool {
        let (root, text) = (&tree.root, frame.text);
        // Of messages, those of another method may have anything at the place of events.
        let is_message = matches!(found, Err(NotAnEvent::Message));
        let is_like_others = is_message && self.method_of_events(tree, text).is_some();
        let (mut is_plain, mut broken) = (false, None);
        for (index, wrapping) in self.known_wrappings.iter().chain(&self.wrapping).enumerate() {
            // Whether the events of this input are known to stand there, and not only those of some inputs.
            let is_certain = index < self.told_wrappings || index == self.known_wrappings.len();
            match wrapping.contents(protocol, root, text) {
                // What a wrapper of the protocol holds was found already, and is none of its events.
                Contents::Events(values) if found.as_ref().is_ok_and(|event| is_only(&values, event.node)) => {}
                Contents::Events(values) => {
                    let at = &protocol.tables().shape.event_type.0;
                    let is_known = |value: &&Node| {
                        let name = value.at(text, at).filter(|name| name.kind == NodeKind::String);
                        name.is_some_and(|name| {
                            protocol.named_type(&unescaped_lossy(inner(text, &name.span))).is_some()
                        })
                    };
                    if values.iter().any(is_known) {
                        self.note_method(tree, text);
                    }
                    self.judge_values(protocol, frame, tree, &values);
                    return true;
                }
                Contents::PlainText => is_plain = true,
                Contents::Others(values) if is_like_others || is_certain && !is_message => {
                    broken = broken.or(Some(values));
                }
                Contents::Others(_) | Contents::Nothing => {}
            }
        }
        match (is_plain, broken) {
            (true, _) => self.skip_message(frame, tree),
            (false, Some(values)) => self.judge_values(protocol, frame, tree, &values),
            (false, None) => return false,
        }
        true
    }

    /// Remembers the method of a message that carries an event.
    pub(super) fn note_method(&mut self, tree: &Tree, text: &[u8]) {
        if self.methods.len() < MOST_METHODS
            && let Some(method) = method(tree, text).filter(|method| method.len() <= LONGEST_METHOD)
        {
            self.methods.insert(method.into());
        }
    }

    /// Returns the method of a message that must carry an event, because others with this method do. One that has what
    /// leads to the event twice may carry it where it does not count.
    fn method_of_events<'t>(&self, tree: &Tree, text: &'t [u8]) -> Option<Cow<'t, str>> {
        let method = method(tree, text).filter(|method| self.methods.contains(&**method))?;
        self.repeated_wrapper(tree, text).is_none().then_some(method)
    }

    /// Skips a message without an event, unless its method is that of messages with events.
    pub(super) fn judge_message(&mut self, protocol: &Protocol, frame: &Frame<'_>, tree: &Tree) {
        match self.method_of_events(tree, frame.text) {
            Some(method) => {
                let method = quoted(&method, SHOWN_CHARS);
                let found = format!("it holds none, unlike other messages with the method {method}");
                self.report_no_event(protocol, frame, tree, tree.root.span.clone(), found);
            }
            None if tree.duplicate_keys.is_empty() && self.hold(frame) => {}
            None => self.skip_message(frame, tree),
        }
    }

    /// Holds a frame that cannot have been an event, or a message without one, until it is known where the events
    /// stand. Returns `false` if it must be judged now.
    pub(super) fn hold(&mut self, frame: &Frame<'_>) -> bool {
        let length: usize = self.held.iter().map(HeldFrame::length).sum();
        let is_early = offset_in_file(frame.origin(0).offset) < MOST_SEARCHED && length + frame.text.len() <= MOST_HELD;
        if self.is_inner || self.wrapping.is_some() || self.has_known_event() || !is_early {
            return false;
        }
        self.held.push(frame.held());
        true
    }

    /// Judges the frames that were held, now that it is known where the events stand.
    #[cold]
    pub(crate) fn release(&mut self, protocol: &Protocol) {
        if self.held.is_empty() {
            return;
        }
        let is_inner = std::mem::replace(&mut self.is_inner, true);
        for held in std::mem::take(&mut self.held) {
            let frame = held.frame();
            let is_judged = parse_frame(&frame).is_ok_and(|tree| {
                let found = Event::find(&tree.root, frame.text, protocol, self.wire == Some(Wire::JsonRpc));
                self.judge_at_known_places(protocol, &frame, &tree, &found)
            });
            if !is_judged {
                self.judge_on_slow_path(protocol, &frame, &[]);
            }
        }
        self.is_inner = is_inner;
    }

    /// Judges values of a frame as events. Strings have the events as their text.
    fn judge_values(&mut self, protocol: &Protocol, frame: &Frame<'_>, tree: &Tree, values: &[&Node]) {
        self.report_repeated_wrapper(frame, tree);
        let is_inner = std::mem::replace(&mut self.is_inner, true);
        let start = (0, frame.origin(0));
        for value in values {
            match is_event_text(protocol, value, frame.text) {
                true => self.judge_on_slow_path(protocol, &frame.content(&value.span).frame(), &[]),
                false => self.judge_on_slow_path(protocol, &frame.part(value.span.clone(), start).frame(), &[]),
            }
        }
        self.is_inner = is_inner;
    }

    /// Finds out where the events of the input stand, and reports it. Does nothing once an event was found, or behind the
    /// beginning of the input. Notes all other traces of the protocol.
    fn find_wrapping(
        &mut self,
        protocol: &Protocol,
        frame: &Frame<'_>,
        tree: &Tree,
        found: &Result<Event<'_>, NotAnEvent>,
    ) -> Option<Wrapping> {
        let is_early = offset_in_file(frame.origin(0).offset) < MOST_SEARCHED;
        if self.likeness.is_full() && !is_early || self.has_known_event() {
            return None;
        }
        let only_messages = self.wire == Some(Wire::JsonRpc);
        let trace = self.trace_finder.find(protocol, &tree.root, frame.text, only_messages);
        if let Some(Trace::Enclosed(enclosure)) = &trace
            && is_early
        {
            let rule = framing(Framing::WrappedEvents);
            let message = self.event_checker.log.message(rule, &mut [("found", enclosure.place())]);
            let place = frame.place(tree.root.span.clone(), None);
            self.event_checker.log.report(rule, place, Details { message, ..Details::default() });
            return Some(Wrapping::of(enclosure));
        }
        if !self.likeness.is_full() {
            self.likeness.add_value(protocol, frame.text, found, trace);
        }
        None
    }
}

/// Returns whether this is the only value.
fn is_only(values: &[&Node], value: &Node) -> bool {
    matches!(values, [only] if std::ptr::eq(*only, value))
}

/// Returns the method of a message.
fn method<'t>(tree: &Tree, text: &'t [u8]) -> Option<Cow<'t, str>> {
    let value = &tree.root.member(text, METHOD)?.value;
    (value.kind == NodeKind::String).then(|| unescaped_lossy(inner(text, &value.span)))
}
