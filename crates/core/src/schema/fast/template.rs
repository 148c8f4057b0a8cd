//! Templates: what the events have in common that are written alike.
//!
//! Producers keep to their ways: from one event of a kind to the next, the keys, their order, the white space and most
//! words stay, and only texts and numbers differ. A template knows which they are. It is learned from one event that the
//! walker has read (`learn`). An event that is the same but for these values is valid if they are: which keys it has, what
//! type each value has, and which form of a union was chosen is in what stays. A value with a fault stays, too, so that all
//! events of a template have the same faults.

mod layout;
mod learn;

use std::sync::Arc;

use super::program::{Memory, NumberNode, SchemaNode, StringNode};
use super::tokens::{End, Fallback, count, number, string_rest};
use super::walk::{array, violated_keyword};
use crate::bytes::{Digest, common_prefix, start_alike};
use crate::input::json::MAX_DEPTH;
use crate::schema::date_time;
pub(crate) use layout::{FieldKind, Layout, Reading, VaryingField};

/// The most values of one template.
const MOST_LEAVES: usize = 63;
/// The longest event that a template keeps, in bytes.
const LONGEST: usize = 16 * 1024;

/// Positions in a text, in bytes: of the start of an event, and of the start and the end of each of its values that may
/// differ.
///
/// There is room for one more, so that every index can be masked.
pub(crate) type Edges = [u32; EDGES];

/// The number of edges for which there is room: a power of two.
pub(crate) const EDGES: usize = 2 * (MOST_LEAVES + 1);

/// Returns edges for [`Template::read`], which overwrites them.
pub(crate) fn new_edges() -> Box<Edges> {
    Box::new([0; EDGES])
}

/// Where an event starts: in which text, at which position, and inside of how many objects and arrays.
#[derive(Clone, Copy)]
pub(crate) struct EventStart<'t> {
    pub text: &'t [u8],
    pub at: usize,
    pub outer: usize,
}

/// Events that are written alike.
///
/// What stays is not kept by itself, but as one of these events: another one is compared with it from value to value, and
/// values that are the same are skipped, too.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// An event, without the last brace. Some producers put white space of random length before that, so that the
    /// length of an event tells nothing to those who watch an encrypted connection. [`PADDING`] follows.
    text: Vec<u8>,
    /// The values that may differ.
    leaves: Box<[Leaf]>,
    /// The number of bytes behind the last of them.
    behind: usize,
    /// The number of events so far, modulo [`EPOCH`].
    events: u8,
    /// The number of values of the last event that was tried on that are as in all events.
    tried: usize,
    /// The number of objects and arrays inside one another, outside of the leaves.
    depth: usize,
    /// The keys, with quotes, that no leaf may have: of arrays whose items are captured.
    nested_keys: Box<[Box<[u8]>]>,
    /// Where the captured fields are.
    pub layout: Arc<Layout>,
}

/// The number of events after which what is known of changes is forgotten.
const EPOCH: u8 = 250;

/// How often a value changes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    /// It was the same in the last event.
    Seldom,
    /// It was another one in the last event.
    Once,
    /// It was another one in two events in a row: it is read without comparing it.
    Often,
}

/// What follows the text of a template, so that all of it is compared in whole blocks.
const PADDING: [u8; 16] = [0; 16];

/// A value that differs from event to event.
#[derive(Clone, Debug)]
struct Leaf {
    kind: LeafKind,
    /// The number of bytes between the value before it, or the start of the event, and this one. A string starts behind its
    /// opening quote.
    before: u32,
    /// The length of the value in the event that was kept, in bytes.
    length: u32,
    change: Change,
}

/// What a value that differs may be.
#[derive(Clone, Debug)]
enum LeafKind {
    /// A string that is not constrained otherwise.
    Text {
        /// Whether it must not be empty.
        not_empty: bool,
    },
    /// A date-time.
    Time,
    /// Anything else.
    Rare(Box<RareLeaf>),
}

/// A value that is no simple string.
#[derive(Clone, Debug)]
enum RareLeaf {
    /// A string with a constraint.
    Constrained(StringNode),
    /// A number, and whether the constraint allows all [counts](count), as most do.
    Number(Option<NumberNode>, bool),
    /// An array in which nothing is captured, inside of so many objects and arrays. The walker reads it.
    Array(Option<SchemaNode>, usize),
}

impl Template {
    /// Returns what each of the events begins with: up to the end of its type, or to the first value if that comes earlier.
    pub(crate) fn beginning(&self) -> &[u8] {
        let first = self.leaves.first().map_or(self.behind, |leaf| leaf.before as usize);
        &self.text[..self.layout.end_of_first_type().map_or(first, |end| first.min(end))]
    }

    /// Returns the number of edges of an event.
    #[inline(always)]
    pub(crate) fn edges(&self) -> usize {
        1 + 2 * self.leaves.len()
    }

    /// Returns how many values of the event that was last [tried on](Template::try_on) are like those of the others: behind them,
    /// it differs in what stands before the next one, or in that.
    pub(crate) fn tried(&self) -> usize {
        self.tried
    }

    /// Returns digests of what an event must be up to each of its values, and up to its end: where two templates have the
    /// same one, no event differs from one of them up to there and not from the other.
    pub(crate) fn prefixes(&self) -> Box<[u64]> {
        let mut digest = Digest::default();
        let mut at = 0;
        let mut prefix = |before: usize, length: usize, kind: &str| {
            digest.add(&self.text[at..at + before]);
            digest.add(kind.as_bytes());
            at += before + length;
            digest.value()
        };
        let of_leaf = |leaf: &Leaf| prefix(leaf.before as usize, leaf.length as usize, &format!("{:?}", leaf.kind));
        let mut prefixes: Vec<u64> = self.leaves.iter().map(of_leaf).collect();
        prefixes.push(prefix(self.behind, 0, ""));
        prefixes.into()
    }

    /// Reads an event on one line, and returns its end; `None` if it is not written like the others. The text must be valid
    /// UTF-8. `edges` receives where its values are, which the [layout](Template::layout) refers to.
    #[inline(never)]
    pub(crate) fn read(&mut self, event: EventStart<'_>, memory: &mut Memory, edges: &mut Edges) -> Option<usize> {
        self.read_and_note::<false>(event, memory, edges)
    }

    /// Reads an event like [`Template::read`], and notes how far it fits: how many values were [tried](Template::tried).
    #[inline(never)]
    pub(crate) fn try_on(&mut self, event: EventStart<'_>, memory: &mut Memory, edges: &mut Edges) -> Option<usize> {
        self.read_and_note::<true>(event, memory, edges)
    }

    #[inline(always)]
    fn read_and_note<const NOTES: bool>(
        &mut self,
        event: EventStart<'_>,
        memory: &mut Memory,
        edges: &mut Edges,
    ) -> Option<usize> {
        let EventStart { text, at, outer } = event;
        if outer + self.depth > MAX_DEPTH {
            return None;
        }
        self.begin_event();
        let (first, edges_of_leaves) = edges.split_first_mut()?;
        *first = at as u32;
        // What is left to be read of both: of this event, and of the one that was kept. Their first bytes, of this number,
        // are known to be the same.
        let (mut rest, mut kept, mut same) = (text.get(at..)?, &*self.text, 0);
        let (mut here, mut is_new) = (at, false);
        if NOTES {
            self.tried = 0;
        }
        for (leaf, edges) in self.leaves.iter_mut().zip(edges_of_leaves.as_chunks_mut::<2>().0) {
            let before = leaf.before as usize;
            let both = before + leaf.length as usize;
            if leaf.change == Change::Often {
                if same < before && !start_alike(rest, kept, before) {
                    return None;
                }
            } else {
                if same == 0 {
                    same = length_in_common(rest, kept);
                }
                if same > both {
                    *edges = [(here + before) as u32, (here + both) as u32];
                    (rest, kept) = (rest.get(both..)?, kept.get(both..)?);
                    here += both;
                    same -= both;
                    if leaf.change == Change::Once {
                        leaf.change = Change::Seldom;
                    }
                    if NOTES {
                        self.tried += 1;
                    }
                    continue;
                }
                if same < before {
                    return None;
                }
                is_new = true;
                leaf.change = if leaf.change == Change::Seldom { Change::Once } else { Change::Often };
            }
            rest = rest.get(before..)?;
            let length = match &leaf.kind {
                LeafKind::Text { not_empty } => match string_rest(rest, 0).ok()? - 1 {
                    0 if *not_empty => return None,
                    length => length,
                },
                LeafKind::Time => date_time::usual_length(rest, &mut memory.last_minute)?,
                LeafKind::Rare(leaf) => leaf.length(rest, outer, &self.nested_keys, memory).ok()?,
            };
            here += before;
            let start = here;
            here += length;
            *edges = [start as u32, here as u32];
            (rest, kept, same) = (rest.get(length..)?, kept.get(both..)?, 0);
            if NOTES {
                self.tried += 1;
            }
        }
        if same < self.behind && !start_alike(rest, kept, self.behind) {
            return None;
        }
        let behind = here + self.behind;
        let mut brace = behind;
        while let Some(b' ') = text.get(brace) {
            brace += 1;
        }
        if text.get(brace) != Some(&b'}') {
            return None;
        }
        // What often changes is not worth a copy.
        if is_new && behind - at <= LONGEST {
            self.keep(&text[at..behind], edges);
        }
        Some(brace + 1)
    }

    /// Counts an event.
    #[inline(always)]
    fn begin_event(&mut self) {
        self.events += 1;
        if self.events == EPOCH {
            self.events = 0;
            self.leaves.iter_mut().for_each(|leaf| leaf.change = Change::Seldom);
        }
    }

    /// Keeps an event, without its last brace.
    #[inline(never)]
    fn keep(&mut self, event: &[u8], edges: &Edges) {
        self.text.clear();
        self.text.extend_from_slice(event);
        self.text.extend_from_slice(&PADDING);
        for (leaf, [start, end]) in self.leaves.iter_mut().zip(edges[1..].as_chunks::<2>().0) {
            leaf.length = end - start;
        }
    }
}

impl RareLeaf {
    /// Returns the length of the value, with which the text begins. Falls back on one that is not valid, or may not be.
    /// `nested_keys`: see [`Template::nested_keys`].
    #[inline(never)]
    fn length(&self, text: &[u8], outer: usize, nested_keys: &[Box<[u8]>], memory: &mut Memory) -> End {
        match self {
            RareLeaf::Constrained(constraint) => {
                let end = string_rest(text, 0)? - 1;
                if violated_keyword(constraint, &text[..end])?.is_none() { Ok(end) } else { Err(Fallback) }
            }
            RareLeaf::Number(bounds, allows_counts) => {
                if let Some(end) = count(text).filter(|_| *allows_counts) {
                    return Ok(end);
                }
                if !matches!(text.first(), Some(b'-' | b'0'..=b'9')) {
                    return Err(Fallback);
                }
                let end = number(text, 0)?;
                let is_met = bounds.as_ref().is_none_or(|bounds| bounds.is_met(&text[..end]));
                if is_met { Ok(end) } else { Err(Fallback) }
            }
            RareLeaf::Array(node, depth) => {
                let end = array(node.as_ref(), text, 0, outer + depth, memory)?;
                if has_key(&text[..end], nested_keys) { Err(Fallback) } else { Ok(end) }
            }
        }
    }
}

/// Like [`common_prefix`], which is not inlined where it is needed less often than not.
#[inline(never)]
fn length_in_common(one: &[u8], other: &[u8]) -> usize {
    common_prefix(one, other)
}

/// Returns whether a value has one of these keys somewhere, or a string that looks like it.
fn has_key(value: &[u8], keys: &[Box<[u8]>]) -> bool {
    keys.iter().any(|key| memchr::memmem::find(value, key).is_some())
}
