//! The texts of a stream: for each table of the protocol one, or one for each key.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Verdict;
use super::by_key::{ByKey, Known};
use super::key::take_under;
use super::streamed_text::{BufferPool, TextState};
use crate::protocol::texts::Text;

/// The texts of a stream, by the number of their table.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Texts(Vec<TextsOf>);

/// The texts of one table.
#[derive(Clone, Serialize, Deserialize)]
enum TextsOf {
    /// One, without a key.
    Single(TextState),
    /// One for each key.
    Keyed(KeyedTexts),
}

/// The texts of one table with keys.
#[derive(Clone, Default, Serialize, Deserialize)]
struct KeyedTexts {
    texts: ByKey<TextState>,
    /// Number of bytes of all of them.
    bytes: usize,
    /// For each entry of the table that looks at texts as JSON: the keys of those that have changed since.
    changed: Vec<BTreeSet<Box<[u8]>>>,
}

impl KeyedTexts {
    /// Returns the text of a key; one that was given up since it was last looked at has no bytes any more.
    fn get(&mut self, key: &[u8]) -> &mut TextState {
        let before = self.texts.last(key).map_or(0, TextState::len);
        let text = self.texts.get(key);
        self.bytes = (self.bytes + text.len()).saturating_sub(before);
        text
    }
}

impl Known for TextState {
    fn unknown() -> TextState {
        let mut state = TextState::default();
        state.make_incomplete();
        state
    }
}

impl Texts {
    pub(crate) fn new(tables: &[Text]) -> Texts {
        let of_table = |text: &Text| match text.key_parts {
            0 => TextsOf::Single(TextState::default()),
            _ => TextsOf::Keyed(KeyedTexts {
                changed: vec![BTreeSet::new(); text.json_entries],
                ..KeyedTexts::default()
            }),
        };
        Texts(tables.iter().map(of_table).collect())
    }

    /// Returns the text of a key, which is empty if texts of the table have none.
    pub(crate) fn get(&mut self, table: usize, key: &[u8]) -> &mut TextState {
        match &mut self.0[table] {
            TextsOf::Single(text) => text,
            TextsOf::Keyed(keyed) => keyed.get(key),
        }
    }

    /// Returns the text of a key in a table with keys, if something came of it.
    pub(crate) fn of_key(&self, table: usize, key: &[u8]) -> Option<&TextState> {
        match self.0.get(table)? {
            TextsOf::Single(_) => None,
            TextsOf::Keyed(keyed) => keyed.texts.peek(key),
        }
    }

    /// Appends a piece to the text of a key that an event before has added to, where the texts of the table may have
    /// `limit` bytes together. Returns `false`, and changes nothing, if the piece needs more; see
    /// [`TextState::append_simple`].
    #[inline]
    pub(crate) fn append_simple(&mut self, table: usize, key: &[u8], piece: &[u8], limit: usize) -> bool {
        let (text, bytes) = match &mut self.0[table] {
            TextsOf::Single(text) => (text, None),
            TextsOf::Keyed(KeyedTexts { texts, bytes, .. }) => match texts.peek_mut(key) {
                Some(text) => (text, Some(bytes)),
                None => return false,
            },
        };
        let before = text.len();
        let others = bytes.as_ref().map_or(0, |bytes| bytes.saturating_sub(before));
        let is_simple = text.append_simple(piece, limit.saturating_sub(others));
        if let Some(bytes) = bytes {
            *bytes += text.len() - before;
        }
        is_simple
    }

    /// Changes the text of a key.
    pub(crate) fn change<R>(&mut self, table: usize, key: &[u8], change: impl FnOnce(&mut TextState) -> R) -> R {
        match &mut self.0[table] {
            TextsOf::Single(text) => change(text),
            TextsOf::Keyed(keyed) => {
                let text = keyed.get(key);
                let before = text.len();
                let result = change(text);
                let after = text.len();
                keyed.bytes = (keyed.bytes + after).saturating_sub(before);
                result
            }
        }
    }

    /// Notes that a piece or a whole came of the text of a key: what looks at texts as JSON looks at it again.
    pub(crate) fn note_change(&mut self, table: usize, key: &[u8]) {
        if let TextsOf::Keyed(KeyedTexts { changed, .. }) = &mut self.0[table] {
            for changed in changed.iter_mut().filter(|changed| !changed.contains(key)) {
                changed.insert(key.into());
            }
        }
    }

    /// Returns how long the text of a key may become, where the texts of a table may have `limit` bytes together.
    pub(crate) fn room(&mut self, table: usize, key: &[u8], limit: usize) -> usize {
        match &mut self.0[table] {
            TextsOf::Single(_) => limit,
            TextsOf::Keyed(keyed) => {
                let own = keyed.get(key).len();
                limit.saturating_sub(keyed.bytes.saturating_sub(own))
            }
        }
    }

    /// Returns the keys of the texts that begin with this one and have changed since they were last returned for an entry of
    /// their table.
    pub(crate) fn take_changed(&mut self, table: usize, entry: usize, prefix: &[u8]) -> Vec<Box<[u8]>> {
        let TextsOf::Keyed(KeyedTexts { changed, .. }) = &mut self.0[table] else { return vec![Box::default()] };
        let Some(changed) = changed.get_mut(entry) else { return Vec::new() };
        take_under(changed, prefix)
    }

    /// Empties the texts of an instance that opened; see [`ByKey::reset`]. Halves of characters at their ends are reported.
    pub(crate) fn reset(&mut self, table: usize, parent: &[u8], mut end: impl FnMut(&mut TextState)) {
        match &mut self.0[table] {
            TextsOf::Single(text) => end(text),
            TextsOf::Keyed(KeyedTexts { texts, bytes, changed }) => {
                for changed in changed {
                    take_under(changed, parent);
                }
                for mut text in texts.reset(parent) {
                    *bytes = bytes.saturating_sub(text.len());
                    end(&mut text);
                }
            }
        }
    }

    /// Gives up the texts of an instance that may have opened.
    pub(crate) fn doubt(&mut self, table: usize, parent: &[u8]) {
        match &mut self.0[table] {
            TextsOf::Single(text) => text.make_incomplete(),
            TextsOf::Keyed(keyed) => keyed.texts.doubt(parent),
        }
    }

    /// Gives up the texts whose keys begin with this one, because an event of theirs was misunderstood.
    pub(crate) fn give_up(&mut self, table: usize, key: &[u8]) {
        match &mut self.0[table] {
            TextsOf::Single(text) => text.make_incomplete(),
            TextsOf::Keyed(KeyedTexts { texts, bytes, .. }) => {
                for text in texts.give_up(key) {
                    *bytes = bytes.saturating_sub(text.len());
                }
            }
        }
    }

    /// Gives up all texts of a table, because pieces may be missing.
    pub(crate) fn lose(&mut self, table: usize) {
        match &mut self.0[table] {
            TextsOf::Single(text) => text.make_incomplete(),
            TextsOf::Keyed(KeyedTexts { texts, bytes, changed }) => {
                texts.lose();
                changed.iter_mut().for_each(BTreeSet::clear);
                *bytes = 0;
            }
        }
    }

    /// Gives up all texts, because events were lost.
    pub(crate) fn lose_all(&mut self) {
        (0..self.0.len()).for_each(|table| self.lose(table));
    }

    /// Reports the halves of characters at the ends of texts, because the stream ends.
    pub(crate) fn release(&mut self, stream: &std::sync::Arc<str>, out: &mut Vec<Verdict>) {
        for texts in &mut self.0 {
            match texts {
                TextsOf::Single(text) => out.extend(text.release(stream)),
                TextsOf::Keyed(keyed) => keyed.texts.values_mut().for_each(|text| out.extend(text.release(stream))),
            }
        }
    }

    /// Returns what has been sent of each table's text; `None` if nothing was, if a piece may be missing, or if there is one
    /// for each key.
    pub(crate) fn streamed(&self) -> Vec<Option<String>> {
        let streamed = |texts: &TextsOf| match texts {
            TextsOf::Single(text) => text.streamed(),
            TextsOf::Keyed(_) => None,
        };
        self.0.iter().map(streamed).collect()
    }

    /// Returns whether all texts are empty.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.0.iter().all(|texts| match texts {
            TextsOf::Single(text) => text.is_at_rest(),
            TextsOf::Keyed(keyed) => keyed.texts.values().all(TextState::is_at_rest),
        })
    }

    /// Returns whether texts can be in this state; those that were stored may be made up.
    pub(crate) fn is_sound(&self, tables: &[Text]) -> bool {
        self.0.len() == tables.len()
            && self.0.iter().zip(tables).all(|(texts, table)| match texts {
                TextsOf::Single(text) => table.key_parts == 0 && text.is_sound(),
                TextsOf::Keyed(KeyedTexts { texts, bytes, changed }) => {
                    table.key_parts > 0
                        && changed.len() == table.json_entries
                        && texts.values().all(TextState::is_sound)
                        && texts.values().map(TextState::len).sum::<usize>() == *bytes
                }
            })
    }
}

/// Returns a text to its first state, and reports half a character at its end.
pub(crate) fn end_text(
    text: &mut TextState,
    stream: &std::sync::Arc<str>,
    buffers: &mut BufferPool,
    out: &mut Vec<Verdict>,
) {
    out.extend(text.release(stream));
    text.reset(buffers);
}
