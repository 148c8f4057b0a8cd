//! The search of a whole input for anything of a protocol, before the input is judged.

use std::fmt;

use super::finder::Event;
use super::likeness::Likeness;
use super::traces::TraceFinder;
use super::{Settings, parse_frame};
use crate::framing::Framing;
use crate::input::{Frame, Input, Piece, Wire};
use crate::protocol::Protocol;

/// Searches an input for traces of a protocol: an event of a known type or nearly one, wherever it stands, or an
/// object with the fields that every event has. A file of a folder that has none of them is no recording.
///
/// Memory does not grow with the input.
///
/// ```
/// use sessionlint_core::event::{Options, SearchResult, Settings, TraceSearch};
/// use sessionlint_core::Protocol;
///
/// let protocol = Protocol::builtin("session-events").expect("it is built in");
/// let settings = Settings::new(protocol, Options::default());
/// let mut search = TraceSearch::new(protocol, &settings);
/// assert!(!search.feed(br#"{"name": "app", "type": "module"}"#));
/// assert!(matches!(search.finish(), SearchResult::Foreign(looks) if looks.contains("only of the type \"module\"")));
/// ```
pub struct TraceSearch<'p> {
    input: Input,
    state: SearchState<'p>,
}

#[derive(Debug)]
struct SearchState<'p> {
    protocol: &'p Protocol,
    only_messages: bool,
    finder: TraceFinder,
    likeness: Likeness,
    /// The names of the protocols that are searched for.
    sought: Vec<String>,
    is_found: bool,
}

/// The result of a [`TraceSearch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchResult {
    /// The input has something of the protocol.
    Found,
    /// The input is empty, apart from white space.
    Empty,
    /// The input has nothing of the protocol: what it looks like, in a sentence.
    Foreign(String),
}

impl fmt::Debug for TraceSearch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSearch").field("state", &self.state).finish_non_exhaustive()
    }
}

impl<'p> TraceSearch<'p> {
    /// Returns a search of an input. The settings are those by which it will be judged.
    pub fn new(protocol: &'p Protocol, settings: &Settings) -> TraceSearch<'p> {
        let options = settings.options();
        let state = SearchState {
            protocol,
            only_messages: options.wire() == Some(Wire::JsonRpc),
            finder: TraceFinder::default(),
            likeness: Likeness::default(),
            sought: options.sought(protocol),
            is_found: false,
        };
        TraceSearch { input: Input::new(options.wire(), options.max_line_bytes()), state }
    }

    /// Searches the next bytes of the input, decompressed; they may be cut anywhere. Returns whether a trace has been
    /// found so far: then the rest need not be searched.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        if !self.state.is_found {
            self.input.feed(bytes, &mut |piece| self.state.piece(piece));
        }
        self.state.is_found
    }

    /// Ends the input, and returns what was found.
    pub fn finish(mut self) -> SearchResult {
        if !self.state.is_found {
            self.input.finish(&mut |piece| self.state.piece(piece));
        }
        let SearchState { protocol, likeness, sought, is_found, .. } = &self.state;
        match is_found {
            true => SearchResult::Found,
            false if !self.input.has_content() => SearchResult::Empty,
            false => SearchResult::Foreign(likeness.words(protocol, sought).found),
        }
    }
}

impl SearchState<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        match piece {
            _ if self.is_found => {}
            Piece::Frame(frame) => self.frame(&frame),
            Piece::Stray(frame) => self.is_found = self.likeness.add_text(self.protocol, frame.text),
            Piece::Odd(..) => {}
            // What is too long to be read may be anything; it is for the check to say so.
            Piece::Fault(fault) => self.is_found = fault.rule == Framing::LineTooLong,
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let (protocol, text) = (self.protocol, frame.text);
        let Ok(tree) = parse_frame(frame) else {
            self.is_found = self.likeness.add_text(protocol, text);
            return;
        };
        self.is_found = self.finder.find(protocol, &tree.root, text, self.only_messages).is_some();
        let event = Event::find(&tree.root, text, protocol, self.only_messages);
        self.likeness.add_value(protocol, text, &event, None);
    }
}
