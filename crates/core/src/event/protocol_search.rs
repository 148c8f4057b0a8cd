//! Finds the protocol of an input among several, by the names of its first events.

use super::traces::{Trace, TraceFinder, named_event_types};
use super::{Options, parse_frame};
use crate::input::json::Node;
use crate::input::{Input, Piece, Wire};
use crate::protocol::{LazyProtocol, Protocol, Recognition};

/// The number of bytes in which the first event must begin that decides.
const MOST_BYTES: usize = 64 * 1024;

/// The number of bytes in which that event must end.
const MOST_BYTES_OF_EVENT: usize = 16 << 20;

/// Finds the protocol of an input among several. The first event decides whose type, with all members that the type
/// requires, only one of them has. If none begins within the first 64 KiB, and ends within 16 MiB, what these have of
/// each protocol decides, such as events with faults; if that is equal, nothing does.
///
/// ```
/// use sessionlint_core::Options;
/// use sessionlint_core::event::{FoundProtocol, ProtocolSearch};
/// use sessionlint_core::protocol::LazyProtocol;
///
/// let (candidates, options) = (LazyProtocol::builtin_streams(), Options::default());
/// let mut search = ProtocolSearch::new(&candidates, &options);
/// assert!(!search.feed(b"data: {\"type\": \"error\"}\n\n"));
/// assert!(search.feed(b"data: {\"type\": \"content_block_stop\", \"index\": 0}\n\n"));
/// let (found, so_far) = search.end();
/// assert!(matches!(found, FoundProtocol::One(number) if candidates[number].name() == "anthropic-messages"));
/// assert!(so_far.starts_with(b"data: {\"type\": \"error\"}"));
/// ```
pub struct ProtocolSearch<'c> {
    input: Input,
    /// The bytes so far.
    seen: Vec<u8>,
    /// The number of those that were searched.
    searched: usize,
    state: SearchState<'c>,
}

struct SearchState<'c> {
    candidates: &'c [LazyProtocol],
    options: &'c Options,
    found: Option<usize>,
    /// Whether a frame has ended, or what stands in place of one, since this was reset.
    has_ended: bool,
}

/// What a [`ProtocolSearch`] has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundProtocol {
    /// The protocol of this number among the candidates.
    One(usize),
    /// The input may be of any of the protocols of these numbers, or of none if there are none.
    Several(Vec<usize>),
}

impl FoundProtocol {
    /// Returns the number of the protocol; `None` if there is not exactly one.
    pub fn one(&self) -> Option<usize> {
        match self {
            FoundProtocol::One(number) => Some(*number),
            FoundProtocol::Several(_) => None,
        }
    }
}

impl<'c> ProtocolSearch<'c> {
    /// Returns what the beginning of an input tells of its protocol, as if it were all of the input.
    pub fn of_beginning(candidates: &'c [LazyProtocol], options: &'c Options, beginning: &[u8]) -> FoundProtocol {
        let mut search = ProtocolSearch::new(candidates, options);
        search.feed(beginning);
        search.end().0
    }

    /// Returns a search of an input, which has the form and the wrappers that the options say. `candidates`: the protocols
    /// of streams.
    pub fn new(candidates: &'c [LazyProtocol], options: &'c Options) -> ProtocolSearch<'c> {
        let state = SearchState { candidates, options, found: None, has_ended: false };
        let input = Input::new(options.wire(), options.max_line_bytes());
        ProtocolSearch { input, seen: Vec::new(), searched: 0, state }
    }

    /// Searches the next bytes of the input, decompressed; they may be cut anywhere. Returns whether the search is over:
    /// nothing that follows changes what is found.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        self.seen.extend_from_slice(bytes);
        while !self.is_over() && self.searched < self.seen.len() {
            // Up to the limit, then as far as what begins before it goes on.
            let end = (self.searched / MOST_BYTES + 1) * MOST_BYTES;
            let piece = &self.seen[self.searched..end.min(self.seen.len())];
            self.searched += piece.len();
            self.input.feed(piece, &mut |piece| self.state.piece(piece));
            if self.searched == MOST_BYTES {
                self.state.has_ended = false;
            }
        }
        self.is_over()
    }

    fn is_over(&self) -> bool {
        self.state.is_over()
            || self.searched >= MOST_BYTES && self.state.has_ended
            || self.searched >= MOST_BYTES_OF_EVENT
    }

    /// Ends the search, at the end of the input or before it. Returns what was found, and the bytes so far, which are yet to
    /// be judged.
    pub fn end(mut self) -> (FoundProtocol, Vec<u8>) {
        if !self.is_over() {
            self.input.finish(&mut |piece| self.state.piece(piece));
        }
        let is_whole = self.state.has_ended || self.searched < MOST_BYTES;
        let searched = if is_whole { self.searched } else { MOST_BYTES };
        let found = match (self.state.found, self.state.candidates) {
            (Some(found), _) => FoundProtocol::One(found),
            (None, [_]) => FoundProtocol::One(0),
            (None, candidates) => by_traces(candidates, self.state.options, &self.seen[..searched]),
        };
        (found, self.seen)
    }
}

impl SearchState<'_> {
    fn is_over(&self) -> bool {
        self.found.is_some() || self.candidates.len() < 2
    }

    fn piece(&mut self, piece: Piece<'_>) {
        self.has_ended = true;
        let Piece::Frame(frame) = piece else { return };
        if self.is_over() {
            return;
        }
        let Ok(tree) = parse_frame(&frame) else { return };
        self.found = only_owner(self.candidates, &tree.root, frame.text, self.options);
    }
}

/// Returns the number of the only protocol that has the event in a frame.
fn only_owner(candidates: &[LazyProtocol], root: &Node, text: &[u8], options: &Options) -> Option<usize> {
    let recognise = |one: &LazyProtocol| one.type_names().recognise(root, text, options.unwrap());
    let mut owners = candidates.iter().enumerate().filter_map(|(number, one)| Some((number, recognise(one)?)));
    let (number, recognition) = owners.next()?;
    (recognition == Recognition::Sure && owners.next().is_none()).then_some(number)
}

/// What an input has of a protocol: the number of its events of known types, of those inside something else, and of what
/// only resembles events, such as their names in a text that cannot be read.
type Evidence = [u64; 3];

/// Finds the protocol of which the beginning of an input has most, where no event decides.
fn by_traces(candidates: &[LazyProtocol], options: &Options, beginning: &[u8]) -> FoundProtocol {
    let all: Vec<_> = candidates.iter().map(|one| evidence(one.get(), options, beginning)).collect();
    let most = all.iter().max().copied().unwrap_or_default();
    if most == Evidence::default() {
        return FoundProtocol::Several(Vec::new());
    }
    let first: Vec<_> = (0..all.len()).filter(|number| all[*number] == most).collect();
    match first[..] {
        [one] => FoundProtocol::One(one),
        _ => FoundProtocol::Several(first),
    }
}

fn evidence(protocol: &Protocol, options: &Options, beginning: &[u8]) -> Evidence {
    let only_messages = options.wire() == Some(Wire::JsonRpc);
    let (mut finder, mut evidence) = (TraceFinder::default(), Evidence::default());
    let mut look = |piece: Piece<'_>| {
        let (Piece::Frame(frame) | Piece::Stray(frame)) = piece else { return };
        let Ok(tree) = parse_frame(&frame) else {
            // A long name tells more than one like `error`, which many protocols have.
            evidence[2] += named_event_types(protocol, frame.text).map(|name| name.len() as u64).sum::<u64>();
            return;
        };
        let has = |name: &str| tree.root.member(frame.text, name).is_some();
        // The response to a request says nothing of events, whatever its error looks like.
        if has("jsonrpc") && !has("method") {
            return;
        }
        match finder.find(protocol, &tree.root, frame.text, only_messages) {
            Some(Trace::Event) => evidence[0] += 1,
            Some(Trace::Enclosed(_)) => evidence[1] += 1,
            Some(Trace::Near(..) | Trace::OtherKey(_) | Trace::Fields | Trace::Part(_)) => evidence[2] += 1,
            None => {}
        }
    };
    let mut input = Input::new(options.wire(), options.max_line_bytes());
    input.feed(beginning, &mut look);
    input.finish(&mut look);
    evidence
}
