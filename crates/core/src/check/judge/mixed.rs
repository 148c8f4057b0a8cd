//! Events of another protocol among those of the input's own.

use serde::{Deserialize, Serialize};

use super::StreamJudge;
use crate::event::finding_log::Details;
use crate::finding::Place;
use crate::framing::Framing;
use crate::input::Frame;
use crate::input::json::Tree;
use crate::protocol::{LazyProtocol, Protocol, Recognition, framing};

/// The first event of another protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OtherEvent {
    /// The name of its protocol.
    protocol: String,
    place: Place,
    /// Whether it was reported.
    is_reported: bool,
}

impl OtherEvent {
    /// Returns whether an input can lead to this state.
    pub(super) fn is_sound(&self) -> bool {
        self.place.is_sound()
    }
}

impl StreamJudge {
    /// Returns whether a frame that holds no event of the protocol holds one of another. The first is reported once the
    /// input has had an event of its own. Where it has none, [`Framing::NoEvents`] names the protocol.
    pub(super) fn is_of_other_protocol(&mut self, protocol: &Protocol, frame: &Frame<'_>, tree: &Tree) -> bool {
        let is_other = |one: &&LazyProtocol| {
            let recognise = || one.type_names().recognise(&tree.root, frame.text, &protocol.tables().shape.unwrap);
            one.name() != protocol.name()
                && match recognise() {
                    Some(Recognition::Sure) => true,
                    // A name alone is enough for an event of the protocol that was met already.
                    Some(Recognition::ByName) => self.other.as_ref().is_some_and(|met| met.protocol == one.name()),
                    None => false,
                }
        };
        let Some(other) = self.candidates.iter().find(is_other) else { return false };
        self.event_checker.log.summary.skipped += 1;
        if self.other.is_none() {
            self.likeness.add_other(other.name());
            let place = frame.place(tree.root.span.clone(), None);
            self.other = Some(OtherEvent { protocol: other.name().to_owned(), place, is_reported: false });
        }
        if self.has_known_event() {
            self.report_other_protocol(protocol);
        }
        true
    }

    /// Returns whether a text that is an event of this type belongs to the events of another protocol that came before
    /// it: it is one there, and nothing but a mistake in the input's own.
    pub(super) fn is_text_of_other_protocol(&self, protocol: &Protocol, text: &[u8], id: usize) -> bool {
        let Some(met) = &self.other else { return false };
        let mut rows = protocol.tables().lifecycles.iter().flat_map(|lifecycle| &lifecycle.rows[id]);
        rows.any(|row| row.when.is_empty() && row.cells.iter().all(|cell| cell.rule.is_some()))
            && self.candidates.iter().any(|one| one.name() == met.protocol && one.get().text_type(text).is_some())
    }

    /// Reports the first event of another protocol, unless that was done.
    pub(super) fn report_other_protocol(&mut self, protocol: &Protocol) {
        let Some(event) = self.other.as_mut().filter(|event| !event.is_reported) else { return };
        event.is_reported = true;
        let (other, own) = (&event.protocol, protocol.name());
        let found = format!("this event belongs to the {other} protocol instead of {own}, and was not checked");
        let rule = framing(Framing::MixedProtocols);
        let message = self.event_checker.log.message(rule, &mut [("found", found)]);
        let details = Details { message, ..Details::default() };
        self.event_checker.log.report(rule, event.place.clone(), details);
    }
}
