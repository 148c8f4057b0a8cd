//! Where the captures of the events of a template are.

use std::ops::Range;
use std::sync::Arc;

use super::{EDGES, Edges};
use crate::schema::captures::{Capture, Captures, EventFields, Items, UnknownKey, Violation};

/// Where the captures of the events of a template are, by the edges of their values.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The captured fields.
    pub(super) fields: Box<[FieldAt]>,
    /// The captured arrays.
    pub(super) items: Box<[Items]>,
    /// The undeclared names: the number of the node, the start and the end.
    pub(super) unknown: Box<[(u16, Position, Position)]>,
    /// The violations, each with its start and its end, which replace those that it has.
    pub(super) violations: Box<[(Violation, Position, Position)]>,
    /// The start and the end of the event's type, with its quotes.
    pub(super) type_span: (Position, Position),
}

/// A position in the text of an event: so many bytes behind one of its edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    pub(super) edge: u8,
    pub(super) offset: u32,
}

impl Position {
    #[inline(always)]
    fn by(self, edges: &Edges) -> u32 {
        edges[usize::from(self.edge) % EDGES] + self.offset
    }
}

/// Where a captured field is.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldAt {
    /// Nowhere in the text: it is the same in each event.
    Fixed(Capture),
    /// In the text.
    Span(FieldKind, Position, Position),
}

/// The kind of a captured field that has a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FieldKind {
    Text,
    Number,
    Container,
}

/// Where a field is that may differ from event to event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct VaryingField {
    pub kind: FieldKind,
    start: Position,
    end: Position,
}

impl VaryingField {
    /// Returns whether the field is one of the values that may differ, and not around some.
    pub(crate) fn is_value(&self) -> bool {
        // Before the edges of the values is that of the event.
        self.start.edge % 2 == 1
    }
}

impl FieldAt {
    #[inline(always)]
    fn by(self, edges: &Edges) -> Capture {
        match self {
            FieldAt::Fixed(capture) => capture,
            FieldAt::Span(kind, start, end) => {
                let (start, end) = (start.by(edges), end.by(edges));
                match kind {
                    FieldKind::Text => Capture::Text(start, end),
                    FieldKind::Number => Capture::Number(start, end),
                    FieldKind::Container => Capture::Container { start, end, is_whole: true },
                }
            }
        }
    }
}

/// An event that was read by a template.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'r> {
    pub layout: &'r Arc<Layout>,
    pub edges: &'r Edges,
}

impl Layout {
    /// Returns whether the events have violations, which are the same in each.
    #[inline(always)]
    pub(crate) fn has_violations(&self) -> bool {
        !self.violations.is_empty()
    }

    /// Returns where a field is, if it may differ from event to event.
    pub(crate) fn varying(&self, field: usize) -> Option<VaryingField> {
        match *self.fields.get(field)? {
            // What is between two edges is a value; anything else stays.
            FieldAt::Span(kind, start, end) if start.edge != end.edge => Some(VaryingField { kind, start, end }),
            _ => None,
        }
    }

    /// Returns the length of the event up to the end of its type, with the quote; `None` if a value that differs comes before
    /// that.
    pub(super) fn end_of_first_type(&self) -> Option<usize> {
        let (_, Position { edge, offset }) = self.type_span;
        (edge == 0).then_some(offset as usize)
    }
}

impl Reading<'_> {
    /// Returns what stands in a field. `text`: that of the event.
    #[inline(always)]
    pub(crate) fn value<'t>(&self, field: &VaryingField, text: &'t [u8]) -> &'t [u8] {
        &text[field.start.by(self.edges) as usize..field.end.by(self.edges) as usize]
    }

    /// Returns the place of the event's type, with its quotes.
    #[inline(always)]
    pub(crate) fn type_span(&self) -> Range<usize> {
        let (start, end) = self.layout.type_span;
        start.by(self.edges) as usize..end.by(self.edges) as usize
    }

    /// Returns whether the event has undeclared names.
    #[inline(always)]
    pub(crate) fn has_unknown(&self) -> bool {
        !self.layout.unknown.is_empty()
    }

    /// Returns the undeclared names.
    #[inline(always)]
    pub(crate) fn unknown(&self) -> impl Iterator<Item = UnknownKey> {
        let key = |(object, start, end): &(u16, Position, Position)| UnknownKey {
            object: *object,
            start: start.by(self.edges),
            end: end.by(self.edges),
        };
        self.layout.unknown.iter().map(key)
    }

    /// Returns whether the event has violations.
    #[inline(always)]
    pub(crate) fn has_violations(&self) -> bool {
        self.layout.has_violations()
    }

    /// Appends the captures of the event.
    pub(crate) fn capture(&self, captures: &mut Captures) {
        captures.fields.extend(self.layout.fields.iter().map(|field| field.by(self.edges)));
        captures.items.extend_from_slice(&self.layout.items);
        captures.unknown.extend(self.unknown());
        let violation = |(violation, start, end): &(Violation, Position, Position)| Violation {
            start: start.by(self.edges),
            end: end.by(self.edges),
            ..*violation
        };
        captures.violations.extend(self.layout.violations.iter().map(violation));
    }
}

impl EventFields for Reading<'_> {
    #[inline(always)]
    fn field(&self, at: usize) -> Option<Capture> {
        self.layout.fields.get(at).map(|field| field.by(self.edges))
    }

    fn items(&self) -> &[Items] {
        &self.layout.items
    }

    #[inline(always)]
    fn reading(&self) -> Option<Reading<'_>> {
        Some(*self)
    }
}
