//! The fields that the tables read, as byte ranges of an event's text.
//!
//! Both paths fill these buffers, which are cleared and filled again for the next event.

use std::ops::Range;

use super::Pointer;
use super::template::Reading;
use crate::input::json::{Node, NodeKind};

/// The value of a field of an event, as far as it can be read. Pairs of numbers are the start and the end of a byte
/// range of the frame's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capture {
    /// The event does not have the field, and need not have it.
    #[default]
    Absent,
    /// The field is missing or invalid.
    Unreadable,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: the range of its digits.
    Number(u32, u32),
    /// The number of an item in its array.
    Index(u32),
    /// A string: the range between its quotes, where it is still escaped.
    Text(u32, u32),
    /// An array or an object.
    Container {
        /// The start of its range.
        start: u32,
        /// The end of its range.
        end: u32,
        /// Whether it was found to be as its schema says, with all that is in it.
        is_whole: bool,
    },
}

/// The items of an array, each with an equal number of captured fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items {
    /// Whether the array could be read.
    pub readable: bool,
    /// The index of the first item's first field in [`EventCaptures::fields`]; the others follow item by item.
    pub first: u32,
    /// The number of items.
    pub count: u32,
}

/// A key that a schema does not declare, or a string that chooses none of the arms of a union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// The number of the object's node in the program; of a string, that of its own node.
    pub object: u16,
    /// The byte offset behind the opening quote.
    pub start: u32,
    /// The byte offset of the closing quote.
    pub end: u32,
}

/// The most arrays inside one another for which a violation has the indices of the items.
pub(crate) const MOST_ARRAYS: usize = 3;

/// The most violations that are captured from one event. An event with as many has perhaps more.
pub(crate) const MOST_VIOLATIONS: usize = 1 << 17;

/// A value that violates its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The number of the value's node in the program.
    pub node: u16,
    /// The violated part of the schema.
    pub constraint: Constraint,
    /// The byte offset of the value.
    pub start: u32,
    /// The byte offset behind the value.
    pub end: u32,
    /// The indices of the items of arrays that the value is inside of, from the outermost; the rest is zeros.
    pub items: [u32; MOST_ARRAYS],
}

/// A part of a schema that a value violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// The required properties that are missing, as bits by their index in the object's node.
    Required(u64),
    /// The keyword with this name.
    Keyword(&'static str),
}

/// The captures of one or several events, one event behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures {
    /// The fields: for each event its slots, and behind them the slots of the items of its arrays.
    pub fields: Vec<Capture>,
    /// The arrays whose items have captured fields.
    pub items: Vec<Items>,
    /// The keys and strings that no schema knows; only the fast path captures them.
    pub unknown: Vec<UnknownKey>,
    /// The violations, at most [`MOST_VIOLATIONS`] of an event; only the fast path captures them.
    pub violations: Vec<Violation>,
}

/// A boundary between two events in [`Captures`]: an index into each of its vectors.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaptureMark {
    /// The index into [`Captures::fields`].
    pub field: usize,
    /// The index into [`Captures::items`].
    pub item: usize,
    /// The index into [`Captures::unknown`].
    pub unknown: usize,
    /// The index into [`Captures::violations`].
    pub violation: usize,
}

/// The captures of one event; the fields are those of [`Captures`].
#[derive(Clone, Copy, Debug)]
pub struct EventCaptures<'c> {
    /// The event's slots, and behind them the slots of the items of its arrays.
    pub fields: &'c [Capture],
    /// The event's arrays, in the order of the program.
    pub items: &'c [Items],
    /// The event's keys and strings that its schema does not know.
    pub unknown: &'c [UnknownKey],
    /// The event's violations.
    pub violations: &'c [Violation],
}

/// The captured fields of one event, whether they are kept or made on demand.
pub(crate) trait EventFields {
    /// Returns a field by its index among those of the event; `None` if there is none.
    fn field(&self, at: usize) -> Option<Capture>;
    /// Returns the event's arrays, in the order of the program.
    fn items(&self) -> &[Items];
    /// Returns how a template read the event, if one did.
    fn reading(&self) -> Option<Reading<'_>>;
}

impl Captures {
    /// Returns the captures of the event between two marks.
    #[inline]
    pub fn between(&self, start: CaptureMark, end: CaptureMark) -> EventCaptures<'_> {
        EventCaptures {
            fields: &self.fields[start.field..end.field],
            items: &self.items[start.item..end.item],
            unknown: &self.unknown[start.unknown..end.unknown],
            violations: &self.violations[start.violation..end.violation],
        }
    }

    /// Returns the captures of an event that has none of these fields and arrays.
    pub(crate) fn of_nothing(fields: usize, arrays: usize) -> Captures {
        let items = Items { readable: true, first: 0, count: 0 };
        Captures { fields: vec![Capture::Absent; fields], items: vec![items; arrays], ..Captures::default() }
    }

    /// Returns all captures, which must be those of one event.
    pub fn all(&self) -> EventCaptures<'_> {
        EventCaptures { fields: &self.fields, items: &self.items, unknown: &self.unknown, violations: &self.violations }
    }

    /// Replaces all captures by the fields and items of one event, without its unknown keys and violations.
    pub fn copy(&mut self, captured: EventCaptures<'_>) {
        self.clear();
        self.fields.extend_from_slice(captured.fields);
        self.items.extend_from_slice(captured.items);
    }

    /// Makes every field and every array unreadable.
    pub fn make_unreadable(&mut self) {
        self.fields.fill(Capture::Unreadable);
        for items in &mut self.items {
            (items.readable, items.count) = (false, 0);
        }
    }

    /// Removes all captures.
    #[inline]
    pub fn clear(&mut self) {
        // None of these types needs to be dropped, so this only sets the lengths.
        self.fields.clear();
        self.items.clear();
        self.unknown.clear();
        self.violations.clear();
    }

    /// Returns the mark at the end, where the next event's captures will start.
    #[inline]
    pub fn mark(&self) -> CaptureMark {
        CaptureMark {
            field: self.fields.len(),
            item: self.items.len(),
            unknown: self.unknown.len(),
            violation: self.violations.len(),
        }
    }

    /// Removes the captures after a mark.
    pub fn truncate(&mut self, mark: CaptureMark) {
        self.fields.truncate(mark.field);
        self.items.truncate(mark.item);
        self.unknown.truncate(mark.unknown);
        self.violations.truncate(mark.violation);
    }
}

impl Capture {
    /// Captures the field at a pointer of a value.
    pub(crate) fn of(node: &Node, text: &[u8], at: &Pointer) -> Capture {
        let Some(node) = node.at(text, &at.0) else { return Capture::Absent };
        let (start, end) = (node.span.start as u32, node.span.end as u32);
        match node.kind {
            NodeKind::Null => Capture::Null,
            NodeKind::Bool(value) => Capture::Bool(value),
            NodeKind::Number => Capture::Number(start, end),
            NodeKind::String => Capture::Text(start + 1, end - 1),
            NodeKind::Array(_) | NodeKind::Object(_) => Capture::Container { start, end, is_whole: true },
        }
    }

    /// Returns the capture where its text begins so many bytes further on.
    pub(crate) fn moved(self, by: u32) -> Capture {
        match self {
            Capture::Number(start, end) => Capture::Number(start + by, end + by),
            Capture::Text(start, end) => Capture::Text(start + by, end + by),
            Capture::Container { start, end, is_whole } => {
                Capture::Container { start: start + by, end: end + by, is_whole }
            }
            Capture::Absent | Capture::Unreadable | Capture::Null | Capture::Bool(_) | Capture::Index(_) => self,
        }
    }

    /// Returns the byte range of what stands in the text: of a number, of a string between its quotes, of an array or of an
    /// object; `None` for any other capture.
    #[inline]
    pub(crate) fn span(self) -> Option<Range<usize>> {
        match self {
            Capture::Container { start, end, .. } => Some(start as usize..end as usize),
            other => other.range(),
        }
    }

    /// Returns the byte range of a number, or of a string between its quotes; `None` for any other capture.
    #[inline]
    pub fn range(self) -> Option<Range<usize>> {
        match self {
            Capture::Number(start, end) | Capture::Text(start, end) => Some(start as usize..end as usize),
            _ => None,
        }
    }
}
