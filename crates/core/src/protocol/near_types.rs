//! The event type that a name was probably meant to be.
//!
//! A name that only resembles a type may be an extension of its producer's own (`session.state` beside
//! `session.status`). So a near miss has the same letters, or the same words with a slip in them. A name is suggested for one
//! that is further off if each of its words is like one of the known ones.

use std::collections::HashMap;

use super::Protocol;
use crate::text::{FoldedName, nearest};

/// The longest name that is compared, in bytes: no event type is that long.
const MOST_BYTES: usize = 200;
/// The letters of a word for each edit that it may have.
const LETTERS_PER_EDIT: usize = 5;
/// Likewise of a word of a name that is only suggested.
const LETTERS_PER_SUGGESTED_EDIT: usize = 3;
/// The shortest word that another one may prolong, in letters, and by how many at most: `start` and `started`.
const STEM_LETTERS: usize = 4;
const ENDING_LETTERS: usize = 2;
/// The most names that a cache holds.
const MOST_CACHED: usize = 1000;

impl Protocol {
    /// Returns the event type that a name nearly is; `None` if it is none, or is one itself.
    ///
    /// Case and separators do not matter (`SESSION_STATUS`, `sessionStatus`), nor a slip in a word
    /// (`session.stream.chunck`) or another ending of it (`session.complete`).
    ///
    /// ```
    /// use sessionlint_core::Protocol;
    ///
    /// let protocol = Protocol::builtin("session-events").expect("it is built in");
    /// assert_eq!(protocol.near_event_type("SESSION_STATUS"), Some("session.status"));
    /// assert_eq!(protocol.near_event_type("session.state"), None);
    /// assert_eq!(protocol.near_event_type("session.status"), None);
    /// ```
    pub fn near_event_type(&self, name: &str) -> Option<&str> {
        self.near_event_id(name).map(|id| &*self.tables().events[id].name)
    }

    /// Returns the number of the event type that a name nearly is, like [`Protocol::near_event_type`].
    fn near_event_id(&self, name: &str) -> Option<usize> {
        if name.len() > MOST_BYTES || self.named_type(name).is_some() {
            return None;
        }
        let (letters, words) = (FoldedName::letters(name), words(name));
        let near = |known: &str| {
            let known_letters = FoldedName::letters(known);
            let same = letters.count() > 0 && letters.distance(&known_letters, 0).is_some();
            let most = letters.count().max(known_letters.count());
            let distance = || letters.distance(&known_letters, most).unwrap_or(most);
            if same { Some(0) } else { have_slips(&words, &self::words(known)).then(distance) }
        };
        let events = self.tables().events.iter().enumerate().filter(|(_, event)| !event.is_text());
        events.filter_map(|(id, event)| Some((near(&event.name)?, id))).min().map(|(_, id)| id)
    }

    /// Returns the event type that may be suggested for a name that is none: the nearest of those in which each word of the
    /// name, or all but one, has one like it.
    pub(crate) fn suggested_event_type(&self, name: &str) -> Option<String> {
        if name.len() > MOST_BYTES {
            return None;
        }
        let words = words(name);
        let names = self.tables().events.iter().map(|event| &*event.name);
        nearest(name, names.filter(|known| are_alike(&words, &self::words(known))))
    }

    /// Returns the event type that ends with the words of a name, as one does whose first words were left out.
    pub(crate) fn event_type_ending_with(&self, name: &str) -> Option<&str> {
        let tail = words(name);
        let ends = |known: &&str| {
            let known = words(known);
            known.len() > tail.len() && known.ends_with(&tail)
        };
        let names = self.tables().events.iter().map(|event| &*event.name);
        names.filter(|_| !tail.is_empty() && name.len() <= MOST_BYTES).find(ends)
    }
}

/// Returns the words of a name, in lower case: they end at other characters than letters and digits, and before a
/// capital.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && before_is_small {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before_is_small = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Returns the number of words of a name.
pub(crate) fn word_count(name: &str) -> usize {
    words(name).len()
}

/// Returns whether words are the known ones, with slips in at most two of them, and at least one as it is.
fn have_slips(words: &[String], known: &[String]) -> bool {
    let different = words.iter().zip(known).filter(|(word, known)| word != known);
    words.len() == known.len()
        && different.clone().count() <= 2
        && different.clone().count() < words.len()
        && different.into_iter().all(|(word, known)| is_slip(word, known))
}

/// Returns whether words are like the known ones, of which one may be missing, or one too many. The order is the same.
fn are_alike(words: &[String], known: &[String]) -> bool {
    let (few, many) = if words.len() < known.len() { (words, known) } else { (known, words) };
    let mut rest = many.iter();
    many.len() <= few.len() + 1 && few.iter().all(|word| rest.any(|other| is_like(word, other)))
}

/// Returns whether two words differ in few of their letters.
fn is_like(word: &str, other: &str) -> bool {
    let (word, other) = (FoldedName::lower_case(word), FoldedName::lower_case(other));
    word.distance(&other, word.count().max(other.count()) / LETTERS_PER_SUGGESTED_EDIT).is_some()
}

/// Returns whether a word is a known one with a slip, or with another ending.
fn is_slip(word: &str, known: &str) -> bool {
    let (stem, whole) = if word.len() < known.len() { (word, known) } else { (known, word) };
    let ending = whole.strip_prefix(stem).map(|ending| ending.chars().count());
    if ending.is_some_and(|ending| ending <= ENDING_LETTERS && stem.chars().count() >= STEM_LETTERS) {
        return true;
    }
    let most = known.chars().count() / LETTERS_PER_EDIT;
    FoldedName::lower_case(word).distance(&FoldedName::lower_case(known), most).is_some()
}

/// The near event types of the names that an input has, each found once: an input may have one name in every event.
#[derive(Clone, Debug, Default)]
pub(crate) struct NearTypes(HashMap<Box<str>, Option<usize>>);

impl NearTypes {
    /// Returns what [`Protocol::near_event_type`] returns.
    pub(crate) fn find<'p>(&mut self, protocol: &'p Protocol, name: &str) -> Option<&'p str> {
        let id = match self.0.get(name) {
            Some(found) => *found,
            None => {
                let found = protocol.near_event_id(name);
                if self.0.len() < MOST_CACHED {
                    self.0.insert(name.into(), found);
                }
                found
            }
        };
        id.map(|id| &*protocol.tables().events[id].name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_into_words() {
        for (name, expected) in [
            ("session.tool_call/started", "session tool call started"),
            ("sessionToolCall", "session tool call"),
            ("SESSION_STATUS", "session status"),
            ("v2Chunk", "v2 chunk"),
            ("..a--b..", "a b"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn a_slip_and_another_spelling_are_near_and_a_name_of_its_own_is_not() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        for (name, expected) in [
            ("session.stream.chunck", "session.stream.chunk"),
            ("session.stream.chunks", "session.stream.chunk"),
            ("session.sttaus", "session.status"),
            ("SESSION_STATUS", "session.status"),
            ("SESSION.TOOL.CALL.STARTED", "session.tool.call.started"),
            ("session_status", "session.status"),
            ("session-status", "session.status"),
            ("session/status", "session.status"),
            ("sessionStatus", "session.status"),
            ("SessionStatus", "session.status"),
            ("sessionstatus", "session.status"),
            (" session.status ", "session.status"),
            ("session.complete", "session.completed"),
            ("session.interrupt", "session.interrupted"),
            ("session.tool.call.start", "session.tool.call.started"),
            ("session.tool_call.complete", "session.tool.call.completed"),
            ("session.tool.result", "session.tool.results"),
            ("session.errors", "session.error"),
            ("sesion.message.append", "session.message.appended"),
        ] {
            assert_eq!(protocol.near_event_type(name), Some(expected), "{name}");
        }
        for name in [
            "session.status",
            "session.state",
            "session.usage",
            "session.started",
            "session.tool.call.progress",
            "session.stream",
            "session.status.changed",
            "status",
            "message_start",
            "user.message",
            "error",
            "",
            "…",
            &"session.status".repeat(100),
        ] {
            assert_eq!(protocol.near_event_type(name), None, "{name}");
        }
    }

    /// Three letters of a word are few in a whole name, and half of the word.
    #[test]
    fn a_name_is_suggested_only_where_each_of_its_words_is_like_one() {
        let file = |name: &str| {
            let schema =
                format!(r#"{{"type":"object","required":["type"],"properties":{{"type":{{"const":"{name}"}}}}}}"#);
            (format!("{name}.schema.json"), schema)
        };
        let tables = "name = 'jobs'\nversion = '1'\n[event]\ntype = '/type'\nunknown = 'unknown-event'\n";
        let mut files = vec![("protocol.toml".to_owned(), tables.to_owned())];
        files.extend(["job.closed", "job.opened", "job.output.piece", "session.status"].map(file));
        let protocol = Protocol::from_files("jobs", files).unwrap_or_else(|error| panic!("{error}"));
        for (name, expected) in [
            ("job.paused", None),
            ("job.moved", None),
            ("job.open", Some("job.opened")),
            ("job.clsoedd", Some("job.closed")),
            ("session.state", Some("session.status")),
            ("job.outputs", None),
            ("job.output.peece", Some("job.output.piece")),
            ("output.piece", Some("job.output.piece")),
            ("progress", None),
            ("", None),
        ] {
            assert_eq!(protocol.suggested_event_type(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_name_of_one_word_is_near_only_in_another_case() {
        let protocol = Protocol::from_files(
            "short",
            [
                (
                    "protocol.toml",
                    "name = 'short'\nversion = '1'\n[event]\ntype = '/type'\nunknown = 'unknown-event'\n",
                ),
                (
                    "delta.schema.json",
                    "{\"type\":\"object\",\"required\":[\"type\"],\"properties\":{\"type\":{\"const\":\"delta\"}}}",
                ),
            ],
        );
        let protocol = protocol.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(protocol.near_event_type("DELTA"), Some("delta"));
        assert_eq!(protocol.near_event_type("delts"), None, "short names differ by little");
    }

    #[test]
    fn a_type_without_its_first_words_is_known_by_its_last() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        assert_eq!(protocol.event_type_ending_with("tool_call_started"), Some("session.tool.call.started"));
        assert_eq!(protocol.event_type_ending_with("status"), Some("session.status"));
        assert_eq!(protocol.event_type_ending_with("session.status"), None);
        assert_eq!(protocol.event_type_ending_with("."), None);
    }

    #[test]
    fn the_cache_says_what_the_protocol_says() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let mut near = NearTypes::default();
        for _ in 0..2 {
            assert_eq!(near.find(protocol, "SESSION_STATUS"), Some("session.status"));
            assert_eq!(near.find(protocol, "other"), None);
        }
        (0..2 * MOST_CACHED).for_each(|number| assert_eq!(near.find(protocol, &format!("other {number}")), None));
        assert_eq!(near.0.len(), MOST_CACHED, "names come from the input");
    }
}
