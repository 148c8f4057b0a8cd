//! Templates: what the events have in common that are written alike.
//!
//! Producers keep to their ways: from one event of a kind to the next, the keys, their order, the white space and most
//! words stay, and only texts and numbers differ. A template knows which they are. It is learned from one event that the
//! walker has read (`learn`). An event that is the same but for these values is valid if they are: which keys it has, what
//! type each value has, and which form of a union was chosen is in what stays.

mod learn;

use std::ops::Range;

use super::program::{Memory, NumberNode, SchemaNode, StringNode};
use super::tokens::{End, Fallback, number, string_rest};
use super::walk::{array, violated_keyword};
use crate::bytes::{common_prefix, starts_with};
use crate::input::json::MAX_DEPTH;
use crate::schema::captures::{Capture, Captures, Items, UnknownKey};
use crate::schema::date_time;

/// The most values of one template.
const MOST_LEAVES: usize = 64;
/// The longest event that a template keeps, in bytes.
const LONGEST: usize = 16 * 1024;

/// Where the values of an event stand in a text, in bytes.
pub(crate) type Places = [(u32, u32); MOST_LEAVES];

/// Returns places for [`Template::read`], which overwrites them.
pub(crate) fn new_places() -> Box<Places> {
    Box::new([(0, 0); MOST_LEAVES])
}

/// Events that are written alike.
///
/// What stays is not kept by itself, but as the last of these events: the next one is compared with it from value to value,
/// and also skips the values that are the same.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The last event, without the last brace. Some producers put white space of random length before that, so that the
    /// length of an event tells nothing to those who watch an encrypted connection. [`PADDING`] follows.
    text: Vec<u8>,
    /// The values that may differ.
    leaves: Box<[Leaf]>,
    /// Where they stand in `text`.
    places: Vec<(u32, u32)>,
    /// The captured fields that are the same in each event; the others are absent here.
    fields: Box<[Capture]>,
    /// The captured fields that are somewhere in the text.
    spans: Box<[FieldSpan]>,
    /// The captured arrays.
    items: Box<[Items]>,
    /// The undeclared names: the number of the node, and the place of the name.
    unknown: Box<[(u16, Span)]>,
    /// The place of the event's type, with its quotes.
    type_span: Span,
    /// The number of objects and arrays inside one another, outside of the leaves.
    depth: usize,
    /// The keys, with quotes, that no leaf may have: of arrays whose items are captured.
    nested_keys: Box<[Box<[u8]>]>,
}

/// What follows the text of a template, so that all of it is compared in whole blocks.
const PADDING: [u8; 16] = [0; 16];

/// A value that differs from event to event. A string is read from behind its opening quote.
#[derive(Clone, Debug)]
enum Leaf {
    /// Any string.
    Text,
    /// A string with a constraint.
    Constrained(StringNode),
    /// A date-time.
    Time,
    /// A number.
    Number(Option<NumberNode>),
    /// An array in which nothing is captured, inside of so many objects and arrays. The walker reads it.
    Array(Option<Box<SchemaNode>>, usize),
}

/// A position in the text of an event: so many bytes behind the start of the event, or behind the end of a leaf.
#[derive(Clone, Copy, Debug)]
struct Edge {
    /// The number of the leaf, from 1; 0 for the start of the event.
    behind: u32,
    offset: u32,
}

/// A range in the text of an event.
#[derive(Clone, Copy, Debug)]
enum Span {
    /// That of the leaf with this number, from 0.
    Leaf(u32),
    /// Any other.
    Between(Edge, Edge),
}

impl Span {
    #[inline]
    fn at(self, start: u32, places: &Places) -> (u32, u32) {
        let position = |edge: Edge| match edge.behind.checked_sub(1) {
            None => start + edge.offset,
            Some(leaf) => places[leaf as usize % MOST_LEAVES].1 + edge.offset,
        };
        match self {
            Span::Leaf(leaf) => places[leaf as usize % MOST_LEAVES],
            Span::Between(start, end) => (position(start), position(end)),
        }
    }
}

/// A captured field that is somewhere in the text.
#[derive(Clone, Copy, Debug)]
struct FieldSpan {
    /// The index of the field among those of the event.
    field: usize,
    kind: FieldKind,
    span: Span,
}

/// The kind of a captured field that has a range.
#[derive(Clone, Copy, Debug)]
enum FieldKind {
    Text,
    Number,
    Container,
}

impl Template {
    /// Returns whether an event at this position begins like the last of these, up to the first value.
    #[inline]
    pub(crate) fn begins(&self, text: &[u8], at: usize) -> bool {
        let first = self.places.first().map_or(self.text.len() - PADDING.len(), |(start, _)| *start as usize);
        text.get(at..).is_some_and(|text| starts_with(text, &self.text[..first]))
    }

    /// Reads the event at a position of a text, inside of `outer` objects and arrays, and appends its captures. The event
    /// is on one line. Returns its end and the place of its type, with its quotes; `None` if it is not written like the
    /// others, with `captures` as before. The text must be valid UTF-8. `places` is scratch space.
    #[inline]
    pub(crate) fn read(
        &mut self,
        text: &[u8],
        at: usize,
        outer: usize,
        memory: &mut Memory,
        captures: &mut Captures,
        places: &mut Places,
    ) -> Option<(usize, Range<usize>)> {
        let mark = captures.mark();
        let Some(end) = self.end_of(text, at, outer, memory, captures, places) else {
            captures.truncate(mark);
            return None;
        };
        let start = at as u32;
        captures.fields.extend_from_slice(&self.fields);
        let fields = &mut captures.fields[mark.field..];
        for FieldSpan { field, kind, span } in &self.spans {
            let (start, end) = span.at(start, places);
            fields[*field] = match kind {
                FieldKind::Text => Capture::Text(start, end),
                FieldKind::Number => Capture::Number(start, end),
                FieldKind::Container => Capture::Container { start, end, is_whole: true },
            };
        }
        captures.items.extend_from_slice(&self.items);
        for (object, span) in &self.unknown {
            let (start, end) = span.at(start, places);
            captures.unknown.push(UnknownKey { object: *object, start, end });
        }
        let (from, to) = self.type_span.at(start, places);
        Some((end, from as usize..to as usize))
    }

    /// Returns the end of the event at a position, and where its values are; keeps it as the last one.
    #[inline(always)]
    fn end_of(
        &mut self,
        text: &[u8],
        at: usize,
        outer: usize,
        memory: &mut Memory,
        captures: &mut Captures,
        places: &mut Places,
    ) -> Option<usize> {
        if outer + self.depth > MAX_DEPTH {
            return None;
        }
        let whole = self.text.len() - PADDING.len();
        // Positions behind which the two are still to be compared: in the text, and in the last event.
        let (mut here, mut last) = (at, 0);
        let mut leaf = 0;
        let behind = loop {
            let same = common_prefix(text.get(here..)?, &self.text[last..]).min(whole - last);
            let differs = last + same;
            while let Some((start, end)) = self.places.get(leaf)
                && (*end as usize) < differs
            {
                let moved = |place: u32| place + here as u32 - last as u32;
                places[leaf % MOST_LEAVES] = (moved(*start), moved(*end));
                leaf += 1;
            }
            let Some((start, end)) = self.places.get(leaf) else {
                if differs < whole {
                    return None;
                }
                break here + same;
            };
            let start = (*start as usize).checked_sub(last).filter(|before| *before <= same)? + here;
            last = *end as usize;
            here = self.leaf(&self.leaves[leaf], text, start, outer, memory, captures).ok()?;
            places[leaf % MOST_LEAVES] = (start as u32, here as u32);
            leaf += 1;
        };
        let mut brace = behind;
        while let Some(b' ') = text.get(brace) {
            brace += 1;
        }
        if text.get(brace) != Some(&b'}') {
            return None;
        }
        self.keep(&text[at..behind], at, places);
        Some(brace + 1)
    }

    /// Keeps an event, without its last brace, as the last one. It starts at `at`.
    #[inline]
    fn keep(&mut self, event: &[u8], at: usize, places: &Places) {
        if event.len() > LONGEST {
            return;
        }
        self.text.clear();
        self.text.extend_from_slice(event);
        self.text.extend_from_slice(&PADDING);
        for (old, (start, end)) in self.places.iter_mut().zip(places) {
            *old = (start - at as u32, end - at as u32);
        }
    }

    /// Returns the end of the value at a position, which is a string's closing quote. Falls back on a value that is not
    /// valid, or may not be.
    #[inline(always)]
    fn leaf(
        &self,
        leaf: &Leaf,
        text: &[u8],
        at: usize,
        outer: usize,
        memory: &mut Memory,
        captures: &mut Captures,
    ) -> End {
        match leaf {
            Leaf::Text => string_rest(text, at).map(|end| end - 1),
            Leaf::Time => {
                let rest = text.get(at..).ok_or(Fallback)?;
                date_time::usual_length(rest, &mut memory.last_minute).map(|length| at + length).ok_or(Fallback)
            }
            Leaf::Constrained(constraint) => {
                let end = string_rest(text, at)? - 1;
                if violated_keyword(constraint, &text[at..end])?.is_none() { Ok(end) } else { Err(Fallback) }
            }
            Leaf::Number(bounds) => {
                if !matches!(text.get(at), Some(b'-' | b'0'..=b'9')) {
                    return Err(Fallback);
                }
                let end = number(text, at)?;
                let is_met = bounds.as_ref().is_none_or(|bounds| bounds.is_met(&text[at..end]));
                if is_met { Ok(end) } else { Err(Fallback) }
            }
            Leaf::Array(node, depth) => {
                let end = array(node.as_deref(), text, at, outer + depth, memory, captures)?;
                if has_key(&text[at..end], &self.nested_keys) { Err(Fallback) } else { Ok(end) }
            }
        }
    }
}

/// Returns whether a value has one of these keys somewhere, or a string that looks like it.
fn has_key(value: &[u8], keys: &[Box<[u8]>]) -> bool {
    keys.iter().any(|key| memchr::memmem::find(value, key).is_some())
}
