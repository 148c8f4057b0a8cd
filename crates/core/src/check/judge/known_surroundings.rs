//! What is around the events of messages, such as those of JSON-RPC: most messages of an input differ in nothing else
//! than the event, so their surroundings are judged once.

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
    /// Returns whether there is nothing to say about what is around the event at this place of a message.
    #[inline]
    pub(crate) fn are_known(&mut self, text: &[u8], event: &Range<usize>) -> bool {
        if self.known.get(self.last).is_some_and(|last| last.are_of(text, event)) {
            return true;
        }
        match self.known.iter().position(|known| known.are_of(text, event)) {
            Some(index) => {
                self.last = index;
                true
            }
            None => false,
        }
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
