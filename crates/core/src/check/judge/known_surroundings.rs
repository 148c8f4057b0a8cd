//! What is around the events of messages, such as those of JSON-RPC: most messages of an input differ in nothing else
//! than the event, so their surroundings are judged once.

use std::num::NonZeroU64;
use std::ops::Range;

use crate::bytes::equal;

/// The number of surroundings that are remembered.
const MOST_KNOWN: usize = 16;

/// The surroundings of events about which there is nothing to say.
#[derive(Clone, Default)]
pub(crate) struct KnownSurroundings {
    known: Vec<Surroundings>,
    /// The index of those of the last message.
    last: usize,
    /// The number of the last ones that have one.
    number: Option<NonZeroU64>,
}

/// The text of a message before its event and behind it.
#[derive(Clone)]
struct Surroundings {
    before: Box<[u8]>,
    behind: Box<[u8]>,
}

impl Surroundings {
    fn are_of(&self, text: &[u8], event: &Range<usize>) -> bool {
        equal(&self.before, &text[..event.start]) && equal(&self.behind, &text[event.end..])
    }
}

impl KnownSurroundings {
    /// Returns whether there is nothing to say about what is around the event at this place of a message. `number`: that of
    /// its surroundings, if the reader of the message gave them one.
    #[inline]
    pub(crate) fn are_known(&mut self, text: &[u8], event: &Range<usize>, number: Option<NonZeroU64>) -> bool {
        number.is_some() && number == self.number || self.find(text, event, number)
    }

    #[inline(never)]
    fn find(&mut self, text: &[u8], event: &Range<usize>, number: Option<NonZeroU64>) -> bool {
        let is_last = self.known.get(self.last).is_some_and(|last| last.are_of(text, event));
        if !is_last {
            let Some(index) = self.known.iter().position(|known| known.are_of(text, event)) else { return false };
            self.last = index;
        }
        self.number = number.or(self.number);
        true
    }

    /// Remembers that there is nothing to say about what is around the event at this place of a message.
    pub(crate) fn remember(&mut self, text: &[u8], event: &Range<usize>) {
        if self.known.len() == MOST_KNOWN {
            self.known.remove(0);
        }
        self.known.push(Surroundings { before: text[..event.start].into(), behind: text[event.end..].into() });
        self.last = self.known.len() - 1;
    }
}
