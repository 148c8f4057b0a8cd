//! Judges the events that stand in what a logger, a gateway or an export wrote around them.

use super::StreamJudge;
use crate::event::event_checker::parse_frame;
use crate::event::finding_log::Details;
use crate::event::traces::Trace;
use crate::event::wrapping::{Contents, Wrapping, is_object_text};
use crate::event::{Event, NotAnEvent};
use crate::framing::Framing;
use crate::input::json::{Node, Tree};
use crate::input::{Frame, HeldFrame, Wire, offset_in_file};
use crate::protocol::{Protocol, framing};

/// The number of bytes at the start of an input in which it is found out where its events stand.
const MOST_SEARCHED: u64 = 64 * 1024;
/// The number of bytes of frames that are held until then.
pub(super) const MOST_HELD: usize = 64 * 1024;

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
        let mut is_plain = false;
        for wrapping in self.known_wrappings.iter().chain(&self.wrapping) {
            match wrapping.contents(protocol, &tree.root, frame.text) {
                // What a wrapper of the protocol holds was found already, and is none of its events.
                Contents::Events(values) if found.as_ref().is_ok_and(|event| is_only(&values, event.node)) => {}
                Contents::Events(values) => {
                    self.report_repeated_wrapper(frame, tree);
                    self.judge_values(protocol, frame, &values);
                    return true;
                }
                Contents::PlainText => is_plain = true,
                Contents::Nothing => {}
            }
        }
        if is_plain {
            self.skip_message(frame, tree);
            return true;
        }
        let Some(wrapping) = self.find_wrapping(protocol, frame, tree, found) else { return false };
        let Contents::Events(values) = wrapping.contents(protocol, &tree.root, frame.text) else { return false };
        self.wrapping = Some(wrapping);
        self.release(protocol);
        self.report_repeated_wrapper(frame, tree);
        self.judge_values(protocol, frame, &values);
        true
    }

    /// Holds a frame that cannot have been an event until it is known whether the events stand in such frames. Returns
    /// `false` if it must be judged now.
    pub(super) fn hold(&mut self, frame: &Frame<'_>) -> bool {
        let length: usize = self.held.iter().map(HeldFrame::length).sum();
        let is_early = offset_in_file(frame.origin(0).offset) < MOST_SEARCHED && length + frame.text.len() <= MOST_HELD;
        if self.is_inner || self.wrapping.is_some() || self.has_known_event() || !is_early {
            return false;
        }
        self.held.push(frame.held());
        true
    }

    /// Judges the frames that were held. Those with other text where the events stand are none, and are counted.
    #[cold]
    pub(crate) fn release(&mut self, protocol: &Protocol) {
        if self.held.is_empty() {
            return;
        }
        let is_inner = std::mem::replace(&mut self.is_inner, true);
        for held in std::mem::take(&mut self.held) {
            let frame = held.frame();
            let is_plain = self.wrapping.as_ref().is_some_and(|wrapping| {
                parse_frame(&frame)
                    .is_ok_and(|tree| wrapping.contents(protocol, &tree.root, frame.text) == Contents::PlainText)
            });
            match is_plain {
                true => self.event_checker.log.summary.skipped += 1,
                false => self.judge_on_slow_path(protocol, &frame, &[]),
            }
        }
        self.is_inner = is_inner;
    }

    /// Judges values of a frame as events. Strings have the events as their text.
    fn judge_values(&mut self, protocol: &Protocol, frame: &Frame<'_>, values: &[&Node]) {
        self.is_inner = true;
        let start = (0, frame.origin(0));
        for value in values {
            match is_object_text(value, frame.text) {
                true => self.judge_on_slow_path(protocol, &frame.content(&value.span).frame(), &[]),
                false => self.judge_on_slow_path(protocol, &frame.part(value.span.clone(), start).frame(), &[]),
            }
        }
        self.is_inner = false;
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
