//! Keeps what could not be read apart from what cannot have been an event, and says which rules are silent since.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::StreamJudge;
use crate::event::finding_log::Details;
use crate::event::foreign::ForeignFrames;
use crate::finding::Place;
use crate::framing::Framing;
use crate::input::Frame;
use crate::input::json::ParseError;
use crate::input::shards::{Shard, Shards};
use crate::protocol::framing;
use crate::text::list;

/// Where judging became unsure, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Doubt {
    cause: DoubtCause,
    place: Arc<Place>,
}

/// Why judging is unsure.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum DoubtCause {
    /// What may be an event could not be read.
    Unread,
    /// A file is missing before this one.
    MissingFile,
    /// A series has told that events before this one are missing.
    Gap,
}

impl Doubt {
    /// Returns whether an input can have the place.
    pub(super) fn is_sound(&self) -> bool {
        self.place.is_sound()
    }
}

impl StreamJudge {
    /// Notes that an event may have been lost at this place, which makes judging unsure.
    #[cold]
    pub(super) fn note_loss(&mut self, place: &Place) {
        self.machine.note_loss();
        self.doubt_from(DoubtCause::Unread, || place.clone());
    }

    /// Notes why judging is unsure from a place on, unless it already is.
    pub(super) fn doubt_from(&mut self, cause: DoubtCause, place: impl FnOnce() -> Place) {
        self.doubt.get_or_insert_with(|| Doubt { cause, place: Arc::new(place()) });
    }

    /// Reports a frame that is not JSON and holds no events.
    #[cold]
    pub(super) fn report_unreadable(&mut self, frame: &Frame<'_>, error: ParseError) {
        let (text, events) = (frame.text, self.event_checker.log.summary.events);
        let follows_torn = self.torn == Some(events);
        let lost = self.may_be_lost(text);
        if let Some(oddity) = self.lookalikes.recognise(frame, events, self.foreign.envelope(), &self.oddities) {
            let place = frame.place(0..text.len(), None);
            if lost || oddity.loses() {
                self.note_loss(&place);
            }
            return self.oddities.note(oddity, || place);
        }
        if follows_torn && ForeignFrames::is_foreign_text(text) {
            // The rest of the frame before it, which has been reported.
            return self.note_loss(&frame.bare_place(0..text.len(), None));
        }
        let fault = self.unreadable_fault(frame, error, lost);
        self.report_fault(fault);
    }

    /// Returns whether a text that is not JSON may be an event, or the rest of a torn one.
    fn may_be_lost(&mut self, text: &[u8]) -> bool {
        let events = self.event_checker.log.summary.events;
        if !ForeignFrames::is_foreign_text(text) {
            if self.has_only_foreign_objects(text) {
                return false;
            }
            self.torn = Some(events);
            return true;
        }
        match self.torn {
            Some(before) if before == events => true,
            // The rest of an event that another writer cut in two ends with the event's brace.
            Some(_) if memchr::memchr(b'}', text).is_some() => {
                self.torn = None;
                true
            }
            _ => false,
        }
    }

    /// Returns whether the objects in a text are whole, and none of them can have been an event: a log line that ends with
    /// an object is as foreign as one without.
    fn has_only_foreign_objects(&self, text: &[u8]) -> bool {
        std::str::from_utf8(text).is_ok()
            && Shards::of(text).all(|shard| match shard {
                Shard::Object { tree, .. } => self.foreign.is_foreign(&tree, text),
                Shard::Torn(_) => false,
                Shard::Text(span) => ForeignFrames::is_foreign_text(&text[span]),
            })
    }

    /// Reports which rules were silent because an event could not be read.
    pub(super) fn report_doubt(&mut self) {
        let Some(Doubt { cause, place }) = self.doubt.take() else { return };
        let silent = &self.machine.doubts().silent;
        if silent.is_empty() {
            return;
        }
        let log = &mut self.event_checker.log;
        let names: Vec<_> =
            silent.iter().map(|rule| log.rule(*rule)).filter(|(_, severity)| severity.is_some()).collect();
        let names: Vec<_> = names.into_iter().map(|(name, _)| &**name).collect();
        if names.is_empty() {
            return;
        }
        let rules = match names.as_slice() {
            [name] => format!("the rule {name} may miss mistakes from here on"),
            _ => format!("these rules may miss mistakes from here on: {}", list(&names)),
        };
        let find = "find the missing events, and check again";
        let (found, help) = match cause {
            DoubtCause::MissingFile => ("events may be missing before this file", find),
            DoubtCause::Gap => ("events before this one are missing", find),
            DoubtCause::Unread => ("this line could not be checked", "correct this line, and check again"),
        };
        let found = format!("{found}, so {rules}");
        let rule = framing(Framing::CheckSkipped);
        let message = log.message(rule, &mut [("found", found)]);
        let help = Some(help.into());
        log.report(rule, (*place).clone(), Details { message, help, ..Details::default() });
    }
}
