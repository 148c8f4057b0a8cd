//! The fields that the tables read, as byte ranges of an event's text. Both ways of judging an event fill
//! the same buffers, which are used again for the next event.

use std::ops::Range;

/// A field of an event, as far as it can be read. Ranges are bytes of the frame's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capture {
    /// It is not there, and need not be.
    #[default]
    Absent,
    /// It is missing or wrong.
    Unreadable,
    Null,
    Bool(bool),
    /// As it is written.
    Number(u32, u32),
    /// What stands between the quotes, still escaped.
    Text(u32, u32),
    /// An array or an object.
    Container,
}

/// The items of an array, each with the same number of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items {
    /// Whether the array could be read.
    pub readable: bool,
    /// Where the fields of the first item are.
    pub first: u32,
    /// How many items there are.
    pub count: u32,
}

/// A key that a schema does not declare: the number of the object's node in the program, and where it stands between
/// its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    pub object: u16,
    pub start: u32,
    pub end: u32,
}

/// How many arrays in each other are told apart where something is wrong in them.
pub(crate) const MOST_ARRAYS: usize = 3;

/// A value that is not as its schema has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The number of the value's node in the program.
    pub node: u16,
    pub violated: Violated,
    /// Where the value stands.
    pub start: u32,
    pub end: u32,
    /// Which items of arrays it is inside of, from the outermost.
    pub items: [u32; MOST_ARRAYS],
}

/// What of a schema a value does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violated {
    /// These required properties, as bits.
    Required(u64),
    /// The keyword of this name.
    Keyword(&'static str),
}

/// What was captured of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures {
    pub fields: Vec<Capture>,
    pub items: Vec<Items>,
    pub unknown: Vec<UnknownKey>,
    /// What is wrong, if the events are not valid.
    pub violations: Vec<Violation>,
}

/// Where in [`Captures`] one event's are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    pub field: usize,
    pub item: usize,
    pub unknown: usize,
    pub violation: usize,
}

/// What was captured of one event.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'c> {
    pub fields: &'c [Capture],
    pub items: &'c [Items],
    pub unknown: &'c [UnknownKey],
    pub violations: &'c [Violation],
}

impl Captures {
    /// What was captured between two marks.
    #[inline]
    pub fn between(&self, start: Mark, end: Mark) -> Captured<'_> {
        Captured {
            fields: &self.fields[start.field..end.field],
            items: &self.items[start.item..end.item],
            unknown: &self.unknown[start.unknown..end.unknown],
            violations: &self.violations[start.violation..end.violation],
        }
    }

    /// All of it, where that is one event's.
    pub fn all(&self) -> Captured<'_> {
        Captured { fields: &self.fields, items: &self.items, unknown: &self.unknown, violations: &self.violations }
    }

    /// Makes this the captures of one event, without its unknown keys and what is wrong with it.
    pub fn copy(&mut self, captured: Captured<'_>) {
        self.clear();
        self.fields.extend_from_slice(captured.fields);
        self.items.extend_from_slice(captured.items);
    }

    #[inline]
    pub fn clear(&mut self) {
        // What is captured can be dropped without a look at it.
        self.fields.clear();
        self.items.clear();
        self.unknown.clear();
        self.violations.clear();
    }

    /// The end of what there is, where the next event's captures will start.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark {
            field: self.fields.len(),
            item: self.items.len(),
            unknown: self.unknown.len(),
            violation: self.violations.len(),
        }
    }

    /// Forgets what came after a mark.
    pub fn truncate(&mut self, mark: Mark) {
        self.fields.truncate(mark.field);
        self.items.truncate(mark.item);
        self.unknown.truncate(mark.unknown);
        self.violations.truncate(mark.violation);
    }
}

impl Capture {
    /// The bytes that a string or a number stands at.
    pub fn range(self) -> Option<Range<usize>> {
        match self {
            Capture::Number(start, end) | Capture::Text(start, end) => Some(start as usize..end as usize),
            _ => None,
        }
    }
}
