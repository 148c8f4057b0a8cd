//! One pass over an event's text that judges it and captures its fields.
//!
//! Its verdict is certain: the event is valid, or these are all its violations. Where it cannot decide (invalid JSON,
//! escapes in keys, long numbers, repeated keys, lone surrogates), it returns [`Fallback`], and the slow path judges
//! the event. The text must be valid UTF-8.

mod events;
mod rare;
mod violations;

use std::ops::Range;

use super::nested;
use super::program::{CaptureTarget, END_OF_OBJECT, Memory, SchemaNode, StringNode, TypeSet};
use super::tokens::{End, Fallback, colon, key, number, space, string_rest, usual_time, word};
use crate::bytes::starts_with;
use crate::input::json::MAX_DEPTH;
use crate::schema::captures::{Capture, CaptureMark, Captures, Constraint, Items, MOST_ARRAYS, UnknownKey};
pub(crate) use events::read;
pub(crate) use violations::violated_keyword;

/// The most undeclared keys of one object. They are compared pairwise to find repeated ones, so more take the slow
/// path.
const MOST_FREE_KEYS: usize = 16;

/// Returns the capture of an array or object; what is wrong inside of it is not known yet.
#[inline]
fn container(span: Range<usize>) -> Capture {
    Capture::Container { start: span.start as u32, end: span.end as u32, is_whole: true }
}

/// Returns the end of any JSON value.
pub(crate) fn any_value(text: &[u8], at: usize) -> End {
    let (mut nothing, mut memory) = (Captures::default(), Memory::default());
    Walker::new(text, &mut nothing, CaptureMark::default(), &mut memory).free(at)
}

/// Reads an array in which nothing is captured, inside of so many objects and arrays, and returns its end. Falls back if
/// something is to be said of it, and if it is on several lines. `node` is `None` for an array without a schema.
#[inline(never)]
pub(crate) fn array(node: Option<&SchemaNode>, text: &[u8], at: usize, depth: usize, memory: &mut Memory) -> End {
    if text.get(at) != Some(&b'[') {
        return Err(Fallback);
    }
    let mut found = Captures::default();
    let mut walker = Walker::new(text, &mut found, CaptureMark::default(), memory);
    walker.depth = depth;
    let end = match node {
        Some(node) => walker.value(node, at)?,
        None => walker.free(at)?,
    };
    let is_silent = found.unknown.is_empty() && found.violations.is_empty();
    // To the walker, white space may have line ends in it. A carriage return alone ends a line of server-sent events.
    if is_silent && memchr::memchr2(b'\n', b'\r', &text[at..end]).is_none() { Ok(end) } else { Err(Fallback) }
}

/// Returns the byte range of the content of a string member of the outermost object: the type of an event, without
/// building a tree. `None` if there is no such member, or if it cannot be found by the fast path.
pub(crate) fn string_member(text: &[u8], wanted: &[u8]) -> Option<Range<usize>> {
    let (mut nothing, mut memory) = (Captures::default(), Memory::default());
    let start = space(text, 0);
    if text.get(start) != Some(&b'{') {
        return None;
    }
    Walker::new(text, &mut nothing, CaptureMark::default(), &mut memory).string_of(wanted, start).ok()?
}

/// A reader of values by their schema nodes.
struct Walker<'t, 'c> {
    text: &'t [u8],
    captures: &'c mut Captures,
    /// The start of the event's captures in [`Captures::fields`].
    base: usize,
    /// The start of the event's arrays in [`Captures::items`].
    item_base: usize,
    /// The start of the captures of the item that is being read, in [`Captures::fields`].
    item: usize,
    /// The number of objects and arrays around the value that is being read.
    depth: usize,
    /// The number of arrays around the value that is being read.
    arrays: usize,
    /// The index of the item in each of these arrays, from the outermost.
    indices: [u32; MOST_ARRAYS],
    /// The start of the event's violations in [`Captures::violations`].
    violation_base: usize,
    memory: &'c mut Memory,
}

impl<'t, 'c> Walker<'t, 'c> {
    /// Creates a walker for the event whose captures start at `mark`.
    fn new(text: &'t [u8], captures: &'c mut Captures, mark: CaptureMark, memory: &'c mut Memory) -> Self {
        Walker {
            text,
            captures,
            base: mark.field,
            item_base: mark.item,
            item: 0,
            depth: 0,
            arrays: 0,
            indices: [0; MOST_ARRAYS],
            violation_base: mark.violation,
            memory,
        }
    }

    /// Reads and judges one value, and returns its end.
    #[inline]
    fn value(&mut self, node: &SchemaNode, at: usize) -> End {
        let (kind, capture, end) = match self.text.get(at) {
            Some(b'"') => {
                let end = match &node.string {
                    StringNode::Any => string_rest(self.text, at + 1)?,
                    StringNode::DateTime => match usual_time(self.text, at, &mut self.memory.last_minute) {
                        Ok(end) => end,
                        Err(Fallback) => self.unusual_time(node, at)?,
                    },
                    constraint => {
                        let end = string_rest(self.text, at + 1)?;
                        if let Some(keyword) = violated_keyword(constraint, &self.text[at + 1..end - 1])? {
                            self.capture_violation(node, at..end, Constraint::Keyword(keyword))?;
                        }
                        end
                    }
                };
                (TypeSet::STRING, Capture::Text(at as u32 + 1, end as u32 - 1), end)
            }
            Some(b'{') => {
                let end = self.object(node, at)?;
                (TypeSet::OBJECT, container(at..end), end)
            }
            Some(b'[') => {
                let end = self.array(node, at)?;
                (TypeSet::ARRAY, container(at..end), end)
            }
            Some(b't') => (TypeSet::TRUE, Capture::Bool(true), word(self.text, b"true", at)?),
            Some(b'f') => (TypeSet::FALSE, Capture::Bool(false), word(self.text, b"false", at)?),
            Some(b'n') => (TypeSet::NULL, Capture::Null, word(self.text, b"null", at)?),
            Some(b'-' | b'0'..=b'9') => {
                let end = number(self.text, at)?;
                if let Some(bounds) = &node.number {
                    self.check_bounds(node, bounds, at..end)?;
                }
                (TypeSet::NUMBER, Capture::Number(at as u32, end as u32), end)
            }
            _ => return Err(Fallback),
        };
        if !node.types.has(kind) {
            self.not_allowed(node, kind, at..end)?;
        }
        match node.target {
            CaptureTarget::None => {}
            CaptureTarget::Slot(slot) => self.captures.fields[self.base + usize::from(slot)] = capture,
            CaptureTarget::ItemSlot(slot) => self.captures.fields[self.item + usize::from(slot)] = capture,
        }
        Ok(end)
    }

    /// Enters an object or an array.
    fn descend(&mut self) -> Result<(), Fallback> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Fallback) } else { Ok(()) }
    }

    /// Reads and judges an object, and returns its end.
    fn object(&mut self, value: &SchemaNode, at: usize) -> End {
        let Some(node) = value.object.as_deref() else { return self.unconstrained(value, at) };
        self.descend()?;
        let start_of_object = at;
        let mut seen = 0u64;
        // The entry for what is expected next.
        let mut entry = node.first_order;
        let unknown = self.captures.unknown.len();
        let mut at = space(self.text, at + 1);
        if self.text.get(at) == Some(&b'}') {
            self.memory.order[entry] = END_OF_OBJECT;
            return self.end_of_object(value, node.required, start_of_object..at + 1);
        }
        loop {
            let next = usize::from(self.memory.order[entry]);
            let expected =
                node.properties.get(next).filter(|property| starts_with(&self.text[at..], &property.written));
            let (start, end, found) = match expected {
                Some(property) => {
                    let end = at + property.written.len();
                    let start = at + 1;
                    at = space(self.text, end);
                    (start, end - 1, Some(next))
                }
                None => {
                    let (start, end) = key(self.text, at)?;
                    at = colon(self.text, end)?;
                    let found = node.find(&self.text[start..end - 1]);
                    if let Some(index) = found {
                        self.memory.order[entry] = index as u8;
                    }
                    (start, end, found)
                }
            };
            match found {
                Some(index) => {
                    if seen >> index & 1 == 1 {
                        return Err(Fallback);
                    }
                    seen |= 1 << index;
                    entry = node.first_order + index + 1;
                    at = self.value(&node.properties[index].node, at)?;
                }
                None => {
                    let name = &self.text[start..end - 1];
                    if !node.open || node.watched.iter().any(|watched| **watched == *name) {
                        return Err(Fallback);
                    }
                    self.capture_unknown_key(value.id, unknown, start..end - 1)?;
                    at = self.free(at)?;
                }
            }
            at = space(self.text, at);
            match self.text.get(at) {
                Some(b',') => at = space(self.text, at + 1),
                Some(b'}') => break,
                _ => return Err(Fallback),
            }
        }
        self.memory.order[entry] = END_OF_OBJECT;
        if node.lacks_dependent(seen) {
            return Err(Fallback);
        }
        self.end_of_object(value, node.required & !seen, start_of_object..at + 1)
    }

    /// Leaves an object, and returns its end. `missing` are the required properties that it lacks, as bits.
    #[inline]
    fn end_of_object(&mut self, value: &SchemaNode, missing: u64, span: Range<usize>) -> End {
        self.depth -= 1;
        let end = span.end;
        if missing != 0 {
            self.capture_violation(value, span, Constraint::Required(missing))?;
        }
        Ok(end)
    }

    /// Captures a key that is not declared. The unknown keys of this object start no earlier than at the index `first`;
    /// among them may be those of objects inside of it, which have other node numbers.
    fn capture_unknown_key(&mut self, object: u16, first: usize, span: Range<usize>) -> Result<(), Fallback> {
        let name = &self.text[span.clone()];
        let same_object = |known: &&UnknownKey| known.object == object;
        let mut others = self.captures.unknown[first..].iter().filter(same_object);
        let text = self.text;
        let repeated = others.clone().any(|known| &text[known.start as usize..known.end as usize] == name);
        if repeated || others.nth(MOST_FREE_KEYS - 1).is_some() {
            return Err(Fallback);
        }
        self.captures.unknown.push(UnknownKey { object, start: span.start as u32, end: span.end as u32 });
        Ok(())
    }

    /// Reads and judges an array, and returns its end.
    fn array(&mut self, value: &SchemaNode, at: usize) -> End {
        let Some(node) = value.array.as_deref() else { return self.unconstrained(value, at) };
        self.descend()?;
        let start_of_array = at;
        self.arrays += 1;
        let outer = self.item;
        let first = self.captures.fields.len();
        let mut count = 0u64;
        let mut at = space(self.text, at + 1);
        if self.text.get(at) != Some(&b']') {
            loop {
                if let Some((_, slots)) = node.captured
                    && (count == 0 || !self.has_most_violations())
                {
                    self.item = self.captures.fields.len();
                    self.captures.fields.resize(self.item + usize::from(slots), Capture::Absent);
                }
                if let Some(index) = self.indices.get_mut(self.arrays - 1) {
                    *index = count as u32;
                }
                at = match node.item(count) {
                    Some(items) => self.value(items, at)?,
                    None => self.free(at)?,
                };
                count += 1;
                at = space(self.text, at);
                match self.text.get(at) {
                    Some(b',') => at = space(self.text, at + 1),
                    Some(b']') => break,
                    _ => return Err(Fallback),
                }
            }
        }
        self.item = outer;
        self.depth -= 1;
        self.arrays -= 1;
        if !(node.least..=node.most).contains(&count) {
            let keyword = if count < node.least { "minItems" } else { "maxItems" };
            self.capture_violation(value, start_of_array..at + 1, Constraint::Keyword(keyword))?;
        }
        if let Some((array, _)) = node.captured {
            let first = (first - self.base) as u32;
            self.captures.items[self.item_base + usize::from(array)] =
                Items { readable: true, first, count: count as u32 };
        }
        Ok(at + 1)
    }

    /// Returns the end of a value that has no schema.
    fn free(&mut self, at: usize) -> End {
        match self.text.get(at) {
            Some(b'"') => string_rest(self.text, at + 1),
            Some(b'{') => self.free_object(at),
            Some(b'[') => self.free_array(at),
            Some(b't') => word(self.text, b"true", at),
            Some(b'f') => word(self.text, b"false", at),
            Some(b'n') => word(self.text, b"null", at),
            Some(b'-' | b'0'..=b'9') => number(self.text, at),
            _ => Err(Fallback),
        }
    }

    /// Returns the end of an object that has no schema.
    fn free_object(&mut self, at: usize) -> End {
        self.descend()?;
        let mut keys = [(0u32, 0u32); MOST_FREE_KEYS];
        let mut count = 0;
        let mut at = space(self.text, at + 1);
        if self.text.get(at) == Some(&b'}') {
            self.depth -= 1;
            return Ok(at + 1);
        }
        loop {
            let (start, end) = key(self.text, at)?;
            let name = &self.text[start..end - 1];
            let repeated = keys[..count].iter().any(|(from, to)| &self.text[*from as usize..*to as usize] == name);
            if repeated || count == MOST_FREE_KEYS {
                return Err(Fallback);
            }
            keys[count] = (start as u32, end as u32 - 1);
            count += 1;
            at = colon(self.text, end)?;
            at = self.free(at)?;
            at = space(self.text, at);
            match self.text.get(at) {
                Some(b',') => at = space(self.text, at + 1),
                Some(b'}') => break,
                _ => return Err(Fallback),
            }
        }
        self.depth -= 1;
        Ok(at + 1)
    }

    /// Returns the end of an array that has no schema.
    fn free_array(&mut self, at: usize) -> End {
        self.descend()?;
        let mut at = space(self.text, at + 1);
        if self.text.get(at) == Some(&b']') {
            self.depth -= 1;
            return Ok(at + 1);
        }
        loop {
            at = self.free(at)?;
            at = space(self.text, at);
            match self.text.get(at) {
                Some(b',') => at = space(self.text, at + 1),
                Some(b']') => break,
                _ => return Err(Fallback),
            }
        }
        self.depth -= 1;
        Ok(at + 1)
    }
}
