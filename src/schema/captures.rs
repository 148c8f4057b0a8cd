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

/// A key that a schema does not declare: the number of the object's schema, and where it stands between its
/// quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    pub object: u16,
    pub start: u32,
    pub end: u32,
}

/// What was captured of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures {
    pub fields: Vec<Capture>,
    pub items: Vec<Items>,
    pub unknown: Vec<UnknownKey>,
}

/// Where in [`Captures`] one event's are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    pub field: usize,
    pub item: usize,
    pub unknown: usize,
}

/// What was captured of one event.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'c> {
    pub fields: &'c [Capture],
    pub items: &'c [Items],
    pub unknown: &'c [UnknownKey],
}

impl Captures {
    /// What was captured between two marks.
    pub fn between(&self, start: Mark, end: Mark) -> Captured<'_> {
        Captured {
            fields: &self.fields[start.field..end.field],
            items: &self.items[start.item..end.item],
            unknown: &self.unknown[start.unknown..end.unknown],
        }
    }

    /// All of it, where that is one event's.
    pub fn all(&self) -> Captured<'_> {
        Captured { fields: &self.fields, items: &self.items, unknown: &self.unknown }
    }

    pub fn clear(&mut self) {
        self.truncate(Mark::default());
    }

    /// The end of what there is, where the next event's captures will start.
    pub fn mark(&self) -> Mark {
        Mark { field: self.fields.len(), item: self.items.len(), unknown: self.unknown.len() }
    }

    /// Forgets what came after a mark.
    pub fn truncate(&mut self, mark: Mark) {
        self.fields.truncate(mark.field);
        self.items.truncate(mark.item);
        self.unknown.truncate(mark.unknown);
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
