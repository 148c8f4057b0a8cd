//! What an input looks like in which no event of the protocol was found, in words that say what to do about it.

use serde::{Deserialize, Serialize};

use super::finder::{Event, NotAnEvent};
use super::traces::{Enclosure, Trace, names_event_type};
use crate::protocol::Protocol;
use crate::schema::{SHOWN_CHARS, quoted};
use crate::text::list;

/// The most frames that are looked into.
const MOST_FRAMES: u64 = 100;
/// The most types that are named.
const MOST_TYPES: usize = 3;

/// What an input looks like so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Likeness {
    /// The number of frames that were looked into.
    frames: u64,
    /// Whether a part that could not be read may have been an event: it names a type, or has all other fields.
    torn: bool,
    /// Whether a frame was JSON, and no event and no message.
    has_values: bool,
    /// Whether a frame without any other trace had the name of an event type in it.
    has_names: bool,
    /// Whether a frame was not JSON.
    has_text: bool,
    /// The first types of events, none of them known: those that are named, and one more that tells of others.
    types: Vec<String>,
    /// A type that is nearly a known one, and the known one.
    near: Option<(String, String)>,
    /// The place of events inside of something else.
    enclosure: Option<Enclosure>,
    /// The key under which a known type stands.
    other_key: Option<String>,
    /// The key of the part of an event that stands without the event.
    part: Option<String>,
    /// The name of another protocol that has an event of the input.
    other: Option<String>,
}

/// Words on an input without an event of the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LikenessWords {
    /// What was found.
    pub found: String,
    /// What to do; `None` if that is not known.
    pub help: Option<String>,
}

impl Likeness {
    /// Returns whether an input can lead to this state.
    pub(crate) fn is_sound(&self) -> bool {
        self.frames <= MOST_FRAMES && self.types.len() <= MOST_TYPES + 1
    }

    /// Returns whether a part that could not be read may have been an event.
    pub(crate) fn is_torn(&self) -> bool {
        self.torn
    }

    /// Returns whether enough was seen, so that nothing more needs to be added.
    pub(crate) fn is_full(&self) -> bool {
        self.frames >= MOST_FRAMES
    }

    /// Adds a frame that is JSON and no event of a known type, and the trace of the protocol in it. `found`: the event
    /// of an unknown type that it is, if it is one.
    pub(crate) fn add_value(
        &mut self,
        protocol: &Protocol,
        text: &[u8],
        found: &Result<Event<'_>, NotAnEvent>,
        trace: Option<Trace>,
    ) {
        self.has_names = self.has_names || trace.is_none() && names_event_type(protocol, text);
        self.frames = self.frames.saturating_add(1).min(MOST_FRAMES);
        match found {
            Ok(event) => {
                let name = shortened(&event.name);
                if self.types.len() <= MOST_TYPES && !self.types.contains(&name) {
                    self.types.push(name);
                }
            }
            Err(NotAnEvent::Message) => {}
            Err(NotAnEvent::Untyped | NotAnEvent::Other(..)) => {
                self.has_values = true;
                // An event that lost its type.
                self.torn |= trace == Some(Trace::Fields);
            }
        }
        match trace {
            Some(Trace::Near(name, near)) => {
                self.near.get_or_insert((shortened(&name), near));
            }
            Some(Trace::Enclosed(enclosure)) => {
                self.enclosure.get_or_insert(enclosure);
            }
            Some(Trace::OtherKey(key)) => {
                self.other_key.get_or_insert_with(|| shortened(&key));
            }
            Some(Trace::Part(key)) => {
                self.part.get_or_insert(key);
            }
            Some(Trace::Event | Trace::Fields) | None => {}
        }
    }

    /// Adds a frame that cannot be parsed. Returns whether it may have been an event.
    pub(crate) fn add_text(&mut self, protocol: &Protocol, text: &[u8]) -> bool {
        self.has_text = true;
        let may_be_event = names_event_type(protocol, text);
        self.torn |= may_be_event;
        may_be_event
    }

    /// Adds an event of another protocol, of this name.
    pub(crate) fn add_other(&mut self, protocol: &str) {
        self.other.get_or_insert_with(|| protocol.to_owned());
    }

    /// Adds a part of the input that was not even framed.
    pub(crate) fn add_loss(&mut self) {
        self.torn = true;
    }

    /// Returns the words for an input without an event of a known type. `sought`: the names of the protocols of which it has
    /// nothing, the one by which it was judged among them.
    pub(crate) fn words(&self, protocol: &Protocol, sought: &[String]) -> LikenessWords {
        let name = protocol.name();
        let of = match sought {
            [] | [_] => format!("the {name} protocol"),
            several => format!("any of the protocols {}", list(several)),
        };
        let none_of = format!("there are no events of {of} in this input");
        let words = |found: String, help: Option<String>| LikenessWords { found, help };
        let other_words = |other: &str| {
            words(format!("{none_of}, only of the {other} protocol"), Some(format!("check it with --protocol {other}")))
        };
        if let Some(other) = &self.other {
            return other_words(other);
        }
        if let Some((found, near)) = &self.near {
            let found = quoted(found, SHOWN_CHARS);
            let help = format!("spell each type exactly as the protocol does, such as {near}");
            return words(format!("{none_of}, but {found} is close to {near}"), Some(help));
        }
        if let Some(enclosure) = &self.enclosure {
            return words(format!("{none_of} except {}", enclosure.place()), Some(enclosure.help()));
        }
        let right = protocol.tables().shape.event_type.dotted();
        if let Some(key) = &self.other_key {
            let key = quoted(key, SHOWN_CHARS);
            let help = format!("write the type of each event into `{right}`");
            return words(format!("the types of the events are under the key {key} instead of `{right}`"), Some(help));
        }
        if let Some(part) = &self.part {
            let found = format!("this input has only the `{part}` of each event");
            return words(found, Some(format!("write the whole event, with its `{right}`")));
        }
        if self.has_names {
            let help = "write one event per line, with no other text or JSON around it".to_owned();
            let found = format!("{none_of}, but the names of its types occur in other values");
            return words(found, Some(help));
        }
        if let Some((found, whole)) =
            self.types.iter().find_map(|name| Some((name, protocol.event_type_ending_with(name)?)))
        {
            let found = quoted(found, SHOWN_CHARS);
            let help = format!("write each type in full, such as {whole}");
            return words(format!("{none_of}, but {found} is probably {whole} without its prefix"), Some(help));
        }
        if let Some(other) = self.types.iter().find_map(|name| other_protocol(protocol, name)) {
            return other_words(other);
        }
        if !self.types.is_empty() {
            let types: Vec<_> = self.types.iter().map(|name| quoted(name, SHOWN_CHARS)).collect();
            let types: Vec<_> = types.iter().map(String::as_str).collect();
            let types = match types.get(..MOST_TYPES) {
                Some(named) if named.len() < types.len() => format!("types {} and others", named.join(", ")),
                _ if types.len() == 1 => format!("type {}", types[0]),
                _ => format!("types {}", list(&types)),
            };
            let help = "name the protocol of the events with --protocol".to_owned();
            return words(format!("{none_of}, only of the {types}"), Some(help));
        }
        let help = Some("check that this is the right file".to_owned());
        match (self.has_values, self.has_text) {
            (true, _) => words(format!("{none_of}, only JSON without a string in `{right}`"), help),
            (false, true) => words(format!("{none_of}, only text that is not JSON"), help),
            (false, false) => words(none_of, None),
        }
    }
}

/// Returns the start of a name from the input, which may be long.
fn shortened(name: &str) -> String {
    name.chars().take(SHOWN_CHARS + 1).collect()
}

/// Returns the name of another built-in protocol that has an event type.
#[cfg(feature = "builtin")]
fn other_protocol(protocol: &Protocol, event_type: &str) -> Option<&'static str> {
    let has_type = |other: &Protocol| !other.is_of_records() && other.event_id(event_type).is_some();
    let mut others = Protocol::builtin_names().filter(|name| *name != protocol.name());
    others.find(|name| Protocol::builtin(name).is_some_and(has_type))
}

#[cfg(not(feature = "builtin"))]
fn other_protocol(_: &Protocol, _: &str) -> Option<&'static str> {
    None
}

impl Enclosure {
    /// Returns where the events are, as `they are` goes on.
    pub(crate) fn place(&self) -> String {
        let what = if self.is_text { "in JSON strings at" } else { "at" };
        match (self.path.is_empty(), self.path.contains(&None)) {
            (true, _) => "in JSON strings".to_owned(),
            (false, false) => format!("{what} the JSON Pointer {}", self.pointer()),
            (false, true) => format!("{what} {} (* is each item of an array)", self.pointer()),
        }
    }

    /// Returns the pointer to the events, in which `*` stands for each item of an array.
    fn pointer(&self) -> String {
        let segment = |key: &Option<String>| match key {
            Some(key) => format!("/{}", shortened(key).replace('~', "~0").replace('/', "~1")),
            None => "/*".to_owned(),
        };
        self.path.iter().map(segment).collect()
    }

    /// Returns how the events are judged where they stand, if their keys need no quotes.
    fn help(&self) -> String {
        let pointer = self.pointer();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.*".contains(&byte);
        match pointer.bytes().all(is_plain) && !pointer.contains('*') {
            true => format!("check with --unwrap {pointer}"),
            false => format!("check with --unwrap '{}'", pointer.replace('\'', "'\\''")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::traces::TraceFinder;
    use crate::input::json::parse;

    fn words(lines: &[&str]) -> LikenessWords {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let (mut likeness, mut finder) = (Likeness::default(), TraceFinder::default());
        for line in lines {
            let text = line.as_bytes();
            let Ok(tree) = parse(text) else {
                likeness.add_text(protocol, text);
                continue;
            };
            let event = Event::find(&tree.root, text, protocol, false);
            likeness.add_value(protocol, text, &event, finder.find(protocol, &tree.root, text, false));
        }
        assert!(likeness.is_sound());
        likeness.words(protocol, &[])
    }

    #[track_caller]
    fn assert_words(lines: &[&str], found: &str, help: Option<&str>) {
        let words = words(lines);
        assert_eq!(words.found, found);
        match help {
            Some(help) => assert!(words.help.as_deref().is_some_and(|own| own.contains(help)), "{words:?}"),
            None => assert_eq!(words.help, None),
        }
    }

    #[test]
    fn a_near_miss_is_named_with_the_type_that_was_meant() {
        assert_words(
            &[r#"{"type":"other"}"#, r#"{"type":"SESSION_STATUS"}"#],
            "there are no events of the session-events protocol in this input, but \"SESSION_STATUS\" is close to session.status",
            Some("such as session.status"),
        );
    }

    #[test]
    fn the_place_of_wrapped_events_is_named_with_the_option_that_judges_them_there() {
        assert_words(
            &[r#"{"log":"{\"type\":\"session.status\"}\n"}"#],
            "there are no events of the session-events protocol in this input except in JSON strings at the JSON Pointer /log",
            Some("check with --unwrap /log"),
        );
        assert_words(
            &[r#"{"data":{"events":[{"type":"session.status"}]}}"#],
            "there are no events of the session-events protocol in this input except at /data/events/* (* is each item of an array)",
            Some("--unwrap '/data/events/*'"),
        );
    }

    #[test]
    fn events_that_are_strings_are_said_to_be_some() {
        assert_words(
            &[r#""{\"type\":\"session.status\"}""#],
            "there are no events of the session-events protocol in this input except in JSON strings",
            Some("check with --unwrap"),
        );
    }

    #[test]
    fn a_key_of_a_recording_is_quoted_in_a_command() {
        let shell = "'/'\\'';id;'\\'''";
        for (key, quoted) in [("a b", "'/a b'"), ("$(id)", "'/$(id)'"), ("';id;'", shell), ("a-b", "/a-b")] {
            let words = words(&[&format!(r#"{{"{key}":{{"type":"session.status"}}}}"#)]);
            assert_eq!(words.help, Some(format!("check with --unwrap {quoted}")), "{key}");
        }
    }

    #[test]
    fn types_that_are_named_in_something_else_are_noticed() {
        assert_words(
            &[r#"{"attributes":[{"key":"event.name","value":{"stringValue":"session.status"}}]}"#],
            "there are no events of the session-events protocol in this input, but the names of its types occur in other values",
            Some("write one event per line"),
        );
    }

    #[test]
    fn a_part_of_an_event_without_the_event_is_known() {
        assert_words(
            &[r#"{"session_id":"s","pending":true,"status_label":"idle"}"#],
            "this input has only the `payload` of each event",
            Some("with its `type`"),
        );
    }

    #[test]
    fn another_key_and_a_missing_prefix_are_named() {
        assert_words(
            &[r#"{"event_type":"session.status"}"#],
            "the types of the events are under the key \"event_type\" instead of `type`",
            Some("into `type`"),
        );
        assert_words(
            &[r#"{"type":"tool_call_started"}"#],
            "there are no events of the session-events protocol in this input, but \"tool_call_started\" is probably session.tool.call.started without its prefix",
            Some("such as session.tool.call.started"),
        );
    }

    #[test]
    fn types_of_no_known_protocol_are_listed() {
        assert_words(
            &[r#"{"type":"a.b"}"#, r#"{"type":"a.b"}"#, r#"{"type":"c.d"}"#],
            "there are no events of the session-events protocol in this input, only of the types \"a.b\" and \"c.d\"",
            Some("with --protocol"),
        );
    }

    #[test]
    fn types_that_are_not_listed_are_said_to_be_others() {
        let types = |names: &[&str]| {
            let lines: Vec<_> = names.iter().map(|name| format!(r#"{{"type":"{name}"}}"#)).collect();
            words(&lines.iter().map(String::as_str).collect::<Vec<_>>()).found
        };
        let ends = |found: String, end: &str| assert!(found.ends_with(end), "{found}");
        ends(types(&["a.b"]), "only of the type \"a.b\"");
        ends(types(&["a", "b", "c", "a"]), "only of the types \"a\", \"b\" and \"c\"");
        ends(types(&["a", "b", "c", "d"]), "only of the types \"a\", \"b\", \"c\" and others");
        ends(types(&["a", "b", "c", "d", "e"]), "only of the types \"a\", \"b\", \"c\" and others");
    }

    #[test]
    fn what_is_no_event_at_all_is_said_so() {
        assert_words(
            &["hello", "world"],
            "there are no events of the session-events protocol in this input, only text that is not JSON",
            Some("the right file"),
        );
        assert_words(
            &["hello", r#"{"a":1}"#],
            "there are no events of the session-events protocol in this input, only JSON without a string in `type`",
            Some("the right file"),
        );
        assert_words(
            &[r#"{"jsonrpc":"2.0","id":1,"result":{}}"#],
            "there are no events of the session-events protocol in this input",
            None,
        );
    }

    #[test]
    fn types_of_another_built_in_protocol_are_known() {
        let own = Protocol::from_files(
            "own",
            [
                ("protocol.toml", "name = 'own'\nversion = '1'\n[event]\ntype = '/type'\nunknown = 'unknown-event'\n"),
                ("hello.schema.json", r#"{"type":"object","properties":{"type":{}}}"#),
            ],
        );
        let own = own.unwrap_or_else(|error| panic!("{error}"));
        let text = br#"{"type":"session.status"}"#;
        let tree = parse(text).expect("it is JSON");
        let mut likeness = Likeness::default();
        let event = Event::find(&tree.root, text, &own, false);
        likeness.add_value(&own, text, &event, TraceFinder::default().find(&own, &tree.root, text, false));
        let words = likeness.words(&own, &[]);
        assert_eq!(
            words.found,
            "there are no events of the own protocol in this input, only of the session-events protocol"
        );
        assert_eq!(words.help.as_deref(), Some("check it with --protocol session-events"));
    }
}
