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
const MOST_LEAVES: usize = 63;
/// The longest event that a template keeps, in bytes.
const LONGEST: usize = 16 * 1024;

/// Positions in a text, in bytes: of the start of an event, and of the start and the end of each of its values that may
/// differ.
pub(crate) type Edges = [u32; 2 * (MOST_LEAVES + 1)];

/// Returns edges for [`Template::read`], which overwrites them.
pub(crate) fn new_edges() -> Box<Edges> {
    Box::new([0; 2 * (MOST_LEAVES + 1)])
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
    /// Where each of them starts and ends in `text`.
    places: Vec<(u32, u32)>,
    /// How often each of them changes.
    changes: Box<[Change]>,
    /// The number of events so far, modulo [`EPOCH`].
    events: u8,
    /// The position behind the last value that was read, in the last text that was tried.
    reached: usize,
    /// The captured fields that are the same in each event; the others are absent here.
    fields: Box<[Capture]>,
    /// The captured fields that are somewhere in the text.
    spans: Box<[FieldSpan]>,
    /// The captured arrays.
    items: Box<[Items]>,
    /// The undeclared names: the number of the node, the start and the end.
    unknown: Box<[(u16, Position, Position)]>,
    /// The start and the end of the event's type, with its quotes.
    type_span: (Position, Position),
    /// The number of objects and arrays inside one another, outside of the leaves.
    depth: usize,
    /// The keys, with quotes, that no leaf may have: of arrays whose items are captured.
    nested_keys: Box<[Box<[u8]>]>,
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

/// A value that differs from event to event. A string is read from behind its opening quote.
#[derive(Clone, Debug)]
enum Leaf {
    /// A string that is not constrained otherwise.
    Text {
        /// Whether it must not be empty.
        not_empty: bool,
    },
    /// A string with a constraint.
    Constrained(StringNode),
    /// A date-time.
    Time,
    /// A number.
    Number(Option<NumberNode>),
    /// An array in which nothing is captured, inside of so many objects and arrays. The walker reads it.
    Array(Option<Box<SchemaNode>>, usize),
}

/// A position in the text of an event: so many bytes behind one of its edges.
#[derive(Clone, Copy, Debug)]
struct Position {
    edge: u8,
    offset: u32,
}

impl Position {
    #[inline(always)]
    fn by(self, edges: &Edges) -> u32 {
        edges[usize::from(self.edge) % edges.len()] + self.offset
    }
}

/// A captured field that is somewhere in the text.
#[derive(Clone, Copy, Debug)]
struct FieldSpan {
    /// The index of the field among those of the event.
    field: usize,
    kind: FieldKind,
    start: Position,
    end: Position,
}

/// The kind of a captured field that has a range.
#[derive(Clone, Copy, Debug)]
enum FieldKind {
    Text,
    Number,
    Container,
}

impl Template {
    /// Returns whether an event begins like the others, up to the first value.
    #[inline]
    pub(crate) fn begins(&self, EventStart { text, at, .. }: EventStart<'_>) -> bool {
        let first = self.places.first().map_or(self.text.len() - PADDING.len(), |(start, _)| *start as usize);
        text.get(at..).is_some_and(|text| starts_with(text, &self.text[..first]))
    }

    /// Returns the position in the last text that was tried up to which it had to be read.
    pub(crate) fn reached(&self) -> usize {
        self.reached
    }

    /// Reads an event, and appends its captures. The event is on one line. Returns its end and the place of its type, with its quotes; `None` if it is not written like the
    /// others, with `captures` as before. The text must be valid UTF-8. `edges` is scratch space.
    #[inline(always)]
    pub(crate) fn read(
        &mut self,
        event: EventStart<'_>,
        memory: &mut Memory,
        captures: &mut Captures,
        edges: &mut Edges,
    ) -> Option<(usize, Range<usize>)> {
        let mark = captures.mark();
        let Some(end) = self.end_of(event, memory, captures, edges) else {
            captures.truncate(mark);
            return None;
        };
        captures.fields.extend_from_slice(&self.fields);
        let fields = &mut captures.fields[mark.field..];
        for FieldSpan { field, kind, start, end } in &self.spans {
            let (start, end) = (start.by(edges), end.by(edges));
            fields[*field] = match kind {
                FieldKind::Text => Capture::Text(start, end),
                FieldKind::Number => Capture::Number(start, end),
                FieldKind::Container => Capture::Container { start, end, is_whole: true },
            };
        }
        captures.items.extend_from_slice(&self.items);
        for (object, start, end) in &self.unknown {
            captures.unknown.push(UnknownKey { object: *object, start: start.by(edges), end: end.by(edges) });
        }
        let (from, to) = self.type_span;
        Some((end, from.by(edges) as usize..to.by(edges) as usize))
    }

    /// Returns the end of an event, and where its values are.
    #[inline(always)]
    fn end_of(
        &mut self,
        event: EventStart<'_>,
        memory: &mut Memory,
        captures: &mut Captures,
        edges: &mut Edges,
    ) -> Option<usize> {
        let EventStart { text, at, outer } = event;
        if outer + self.depth > MAX_DEPTH {
            return None;
        }
        edges[0] = at as u32;
        self.reached = at;
        self.events += 1;
        if self.events == EPOCH {
            self.events = 0;
            self.changes.fill(Change::Seldom);
        }
        let whole = self.text.len() - PADDING.len();
        // Positions behind which the two are still to be compared: in the text, and in the event that was kept.
        let (mut here, mut last) = (at, 0);
        let (mut leaf, mut is_new) = (0, false);
        let mut set = |leaf: usize, start: u32, end: u32| {
            edges[(2 * leaf + 1) % edges.len()] = start;
            edges[(2 * leaf + 2) % edges.len()] = end;
        };
        let behind = loop {
            let rest = text.get(here..)?;
            let start = if let (Some(Change::Often), Some((start, _))) = (self.changes.get(leaf), self.places.get(leaf))
            {
                let literal = self.text.get(last..*start as usize)?;
                if !starts_with(rest, literal) {
                    return None;
                }
                here + literal.len()
            } else {
                let same = common_prefix(rest, self.text.get(last..)?).min(whole - last);
                let differs = last + same;
                while let Some((start, end)) = self.places.get(leaf)
                    && (*end as usize) < differs
                {
                    let moved = |place: u32| place + here as u32 - last as u32;
                    set(leaf, moved(*start), moved(*end));
                    if self.changes[leaf] == Change::Once {
                        self.changes[leaf] = Change::Seldom;
                    }
                    leaf += 1;
                }
                let Some((start, _)) = self.places.get(leaf) else {
                    if differs < whole {
                        return None;
                    }
                    break here + same;
                };
                is_new |= self.changes[leaf] != Change::Often;
                self.changes[leaf] = match self.changes[leaf] {
                    Change::Seldom => Change::Once,
                    Change::Once | Change::Often => Change::Often,
                };
                (*start as usize).checked_sub(last).filter(|before| *before <= same)? + here
            };
            let kind = self.leaves.get(leaf)?;
            last = self.places[leaf].1 as usize;
            here = match kind {
                Leaf::Text { not_empty } => match string_rest(text, start).ok()? - 1 {
                    end if *not_empty && end == start => return None,
                    end => end,
                },
                Leaf::Time => start + date_time::usual_length(text.get(start..)?, &mut memory.last_minute)?,
                _ => self.rare_leaf(kind, text, start, outer, memory, captures).ok()?,
            };
            set(leaf, start as u32, here as u32);
            self.reached = here;
            leaf += 1;
        };
        let mut brace = behind;
        while let Some(b' ') = text.get(brace) {
            brace += 1;
        }
        if text.get(brace) != Some(&b'}') {
            return None;
        }
        // What often changes is not worth a copy.
        if is_new && behind - at <= LONGEST {
            self.keep(&text[at..behind], at, edges);
        }
        Some(brace + 1)
    }

    /// Keeps an event, without its last brace. It starts at `at`.
    #[inline(never)]
    fn keep(&mut self, event: &[u8], at: usize, edges: &Edges) {
        self.text.clear();
        self.text.extend_from_slice(event);
        self.text.extend_from_slice(&PADDING);
        for ((start, end), edges) in self.places.iter_mut().zip(edges[1..].as_chunks::<2>().0) {
            *start = edges[0] - at as u32;
            *end = edges[1] - at as u32;
        }
    }

    /// Returns the end of a value that is no simple string. Falls back on one that is not valid, or may not be.
    #[inline(never)]
    fn rare_leaf(
        &self,
        leaf: &Leaf,
        text: &[u8],
        at: usize,
        outer: usize,
        memory: &mut Memory,
        captures: &mut Captures,
    ) -> End {
        match leaf {
            Leaf::Text { .. } | Leaf::Time => Err(Fallback),
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
