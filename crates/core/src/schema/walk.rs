//! The fast way: one pass over an event's text that judges it and captures its fields.
//!
//! It says "certainly fine", or what is certainly wrong, or nothing at all. Whatever it is not sure of (what is no JSON,
//! escapes in keys, long numbers, repeated keys, lone surrogates) is for the slow way to judge. The text must be valid
//! UTF-8.

mod faults;
mod further;

use std::ops::Range;

use super::captures::{Capture, Captures, Items, MOST_ARRAYS, Mark, UnknownKey, Violated};
use super::date_time::{self, LastMinute};
use super::program::{Leaf, Node, Program, StringNode, Taken, Types};
use super::tokens::{At, Unsure, colon, key, number, space, string_rest, usual_time, word};
use crate::bytes::starts_with;
use crate::input::json::MAX_DEPTH;
use faults::wrong_string;
use further::behind_further_keys;

/// The most keys of one object that the schema does not declare; they are compared with each other.
const MOST_FREE_KEYS: usize = 16;

/// Reads an event that starts as the flat program does and is written in the schema's order, or else any other.
/// The captures are appended, and what is wrong with it; none are left behind when it is not sure.
///
/// `in_order`: whether to try the flat program, whose beginning the text is known to start with. Gives whether that
/// was enough.
pub(crate) fn read(
    program: &Program,
    text: &[u8],
    in_order: bool,
    last_minute: &mut LastMinute,
    captures: &mut Captures,
) -> Result<bool, Unsure> {
    let mark = captures.mark();
    begin(program, captures);
    if in_order {
        if flat(program, text, captures, mark, last_minute) == Ok(text.len()) {
            return Ok(true);
        }
        captures.truncate(mark);
        begin(program, captures);
    }
    let mut walker = Walker::new(text, captures, mark, last_minute);
    let start = space(text, 0);
    match walker.value(&program.root, start).map(|end| space(text, end)) {
        Ok(end) if end == text.len() => Ok(false),
        _ => {
            captures.truncate(mark);
            Err(Unsure)
        }
    }
}

/// Reads the event that a text starts with, written in the schema's order and on one line; the text is known to start
/// as the flat program does, and goes on behind the event. Gives the event's end; where it is not sure,
/// captures may be left behind.
#[inline(always)]
pub(crate) fn read_start(program: &Program, text: &[u8], last_minute: &mut LastMinute, captures: &mut Captures) -> At {
    let mark = captures.mark();
    begin(program, captures);
    let end = flat(program, text, captures, mark, last_minute)?;
    // To the walker, white space may have line ends in it.
    let is_one_line = !program.walks || memchr::memchr(b'\n', &text[..end]).is_none();
    if is_one_line { Ok(end) } else { Err(Unsure) }
}

/// As many as most events have.
const ABSENT: [Capture; 16] = [Capture::Absent; 16];

#[inline(always)]
fn begin(program: &Program, captures: &mut Captures) {
    let (fields, items) = (captures.fields.len(), captures.items.len());
    match ABSENT.get(..program.slots) {
        Some(absent) => captures.fields.extend_from_slice(absent),
        None => captures.fields.resize(fields + program.slots, Capture::Absent),
    }
    if program.arrays > 0 {
        captures.items.resize(items + program.arrays, Items { readable: true, first: 0, count: 0 });
    }
}

/// The end of any value, whatever it is.
pub(crate) fn any_value(text: &[u8], at: usize) -> At {
    let (mut nothing, mut last_minute) = (Captures::default(), LastMinute::default());
    Walker::new(text, &mut nothing, Mark::default(), &mut last_minute).free(at)
}

/// Where the content of a string member of the outermost object stands, for finding an event's type without a tree.
pub(crate) fn string_member(text: &[u8], wanted: &[u8]) -> Option<Range<usize>> {
    let (mut nothing, mut last_minute) = (Captures::default(), LastMinute::default());
    let mut walker = Walker::new(text, &mut nothing, Mark::default(), &mut last_minute);
    walker.depth = 1;
    let mut at = space(text, 0);
    if text.get(at) != Some(&b'{') {
        return None;
    }
    at = space(text, at + 1);
    loop {
        let (name, end) = key(text, at).ok()?;
        let found = &text[name..end - 1] == wanted;
        at = colon(text, end).ok()?;
        if found && text.get(at) == Some(&b'"') {
            let end = string_rest(text, at + 1).ok()?;
            return Some(at + 1..end - 1);
        }
        at = walker.free(at).ok()?;
        at = space(text, at);
        if text.get(at) != Some(&b',') {
            return None;
        }
        at = space(text, at + 1);
    }
}

/// Reads an event by the flat program, from behind its beginning. This is where most events end: everything else stays
/// out of its way.
#[inline(always)]
fn flat(program: &Program, text: &[u8], captures: &mut Captures, mark: Mark, last_minute: &mut LastMinute) -> At {
    let mut at = program.beginning.len();
    for step in &program.steps {
        let (end, capture) = match &step.leaf {
            Leaf::Text { not_empty } => {
                let end = string_rest(text, at)? - 1;
                if *not_empty && end == at {
                    return Err(Unsure);
                }
                (end, Capture::Text(at as u32, end as u32))
            }
            Leaf::Time => {
                let rest = text.get(at..).ok_or(Unsure)?;
                let end = at + date_time::usual_length(rest, last_minute).ok_or(Unsure)?;
                (end, Capture::Text(at as u32, end as u32))
            }
            Leaf::Bool => {
                let value = text.get(at) == Some(&b't');
                (word(text, if value { b"true" } else { b"false" }, at)?, Capture::Bool(value))
            }
            Leaf::Value(node, depth) => {
                let mut walker = Walker::new(text, captures, mark, last_minute);
                walker.depth = *depth;
                let end = walker.value(node, at)?;
                at = match step.behind.end_in(text, end) {
                    Some(at) => at,
                    None => behind_further_keys(step, text, end, captures, last_minute)?,
                };
                continue;
            }
        };
        if let Some(slot) = step.slot {
            captures.fields[mark.field + usize::from(slot)] = capture;
        }
        at = match step.behind.end_in(text, end) {
            Some(at) => at,
            None => behind_further_keys(step, text, end, captures, last_minute)?,
        };
    }
    Ok(at)
}

struct Walker<'t, 'c> {
    text: &'t [u8],
    captures: &'c mut Captures,
    /// Where the event's captures start.
    base: usize,
    item_base: usize,
    /// Where the captures of the item that is being read start.
    item: usize,
    depth: usize,
    /// How many arrays it is inside of, and which item of each.
    arrays: usize,
    indices: [u32; MOST_ARRAYS],
    violation_base: usize,
    last_minute: &'c mut LastMinute,
}

impl<'t, 'c> Walker<'t, 'c> {
    fn new(text: &'t [u8], captures: &'c mut Captures, mark: Mark, last_minute: &'c mut LastMinute) -> Self {
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
            last_minute,
        }
    }

    #[inline]
    fn value(&mut self, node: &Node, at: usize) -> At {
        let (kind, capture, end) = match self.text.get(at) {
            Some(b'"') => {
                let end = match &node.string {
                    StringNode::Any => string_rest(self.text, at + 1)?,
                    StringNode::DateTime => match usual_time(self.text, at, self.last_minute) {
                        Ok(end) => end,
                        Err(Unsure) => self.other_time(node, at)?,
                    },
                    asked => {
                        let end = string_rest(self.text, at + 1)?;
                        if let Some(keyword) = wrong_string(asked, &self.text[at + 1..end - 1])? {
                            self.violated(node, at..end, Violated::Keyword(keyword))?;
                        }
                        end
                    }
                };
                (Types::STRING, Capture::Text(at as u32 + 1, end as u32 - 1), end)
            }
            Some(b'{') => (Types::OBJECT, Capture::Container, self.object(node, at)?),
            Some(b'[') => (Types::ARRAY, Capture::Container, self.array(node, at)?),
            Some(b't') => (Types::BOOL, Capture::Bool(true), word(self.text, b"true", at)?),
            Some(b'f') => (Types::BOOL, Capture::Bool(false), word(self.text, b"false", at)?),
            Some(b'n') => (Types::NULL, Capture::Null, word(self.text, b"null", at)?),
            Some(b'-' | b'0'..=b'9') => {
                let end = number(self.text, at)?;
                if let Some(bounds) = &node.number {
                    self.number(node, bounds, at..end)?;
                }
                (Types::NUMBER, Capture::Number(at as u32, end as u32), end)
            }
            _ => return Err(Unsure),
        };
        if !node.types.has(kind) {
            self.wrong_type(node, kind, at..end)?;
        }
        match node.taken {
            Taken::Nothing => {}
            Taken::Slot(slot) => self.captures.fields[self.base + usize::from(slot)] = capture,
            Taken::ItemSlot(slot) => self.captures.fields[self.item + usize::from(slot)] = capture,
        }
        Ok(end)
    }

    fn descend(&mut self) -> Result<(), Unsure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Unsure) } else { Ok(()) }
    }

    fn object(&mut self, value: &Node, at: usize) -> At {
        let Some(node) = value.object.as_deref() else { return self.free(at) };
        self.descend()?;
        let start_of_object = at;
        let mut seen = 0u64;
        let mut next = 0;
        let unknown = self.captures.unknown.len();
        let mut at = space(self.text, at + 1);
        if self.text.get(at) == Some(&b'}') {
            return self.end_of_object(value, node.required, start_of_object..at + 1);
        }
        loop {
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
                    (start, end, node.find(&self.text[start..end - 1], next))
                }
            };
            match found {
                Some(index) => {
                    if seen >> index & 1 == 1 {
                        return Err(Unsure);
                    }
                    seen |= 1 << index;
                    next = index + 1;
                    at = self.value(&node.properties[index].node, at)?;
                }
                None => {
                    if !node.open {
                        return Err(Unsure);
                    }
                    self.unknown_key(value.id, unknown, start..end - 1)?;
                    at = self.free(at)?;
                }
            }
            at = space(self.text, at);
            match self.text.get(at) {
                Some(b',') => at = space(self.text, at + 1),
                Some(b'}') => break,
                _ => return Err(Unsure),
            }
        }
        self.end_of_object(value, node.required & !seen, start_of_object..at + 1)
    }

    #[inline]
    fn end_of_object(&mut self, value: &Node, missing: u64, span: Range<usize>) -> At {
        self.depth -= 1;
        let end = span.end;
        if missing != 0 {
            self.violated(value, span, Violated::Required(missing))?;
        }
        Ok(end)
    }

    /// Takes note of a key that is not declared. `first`: where the notes of this object may start; those of objects
    /// inside of it have other numbers.
    fn unknown_key(&mut self, object: u16, first: usize, span: Range<usize>) -> Result<(), Unsure> {
        let name = &self.text[span.clone()];
        let same = |known: &&UnknownKey| known.object == object;
        let mut mine = self.captures.unknown[first..].iter().filter(same);
        let text = self.text;
        let repeated = mine.clone().any(|known| &text[known.start as usize..known.end as usize] == name);
        if repeated || mine.nth(MOST_FREE_KEYS - 1).is_some() {
            return Err(Unsure);
        }
        self.captures.unknown.push(UnknownKey { object, start: span.start as u32, end: span.end as u32 });
        Ok(())
    }

    fn array(&mut self, value: &Node, at: usize) -> At {
        let Some(node) = value.array.as_deref() else { return self.free(at) };
        self.descend()?;
        let start_of_array = at;
        self.arrays += 1;
        let outer = self.item;
        let first = self.captures.fields.len();
        let mut count = 0u64;
        let mut at = space(self.text, at + 1);
        if self.text.get(at) != Some(&b']') {
            loop {
                if let Some((_, slots)) = node.captured {
                    self.item = self.captures.fields.len();
                    self.captures.fields.resize(self.item + usize::from(slots), Capture::Absent);
                }
                if let Some(index) = self.indices.get_mut(self.arrays - 1) {
                    *index = count as u32;
                }
                at = match &node.items {
                    Some(items) => self.value(items, at)?,
                    None => self.free(at)?,
                };
                count += 1;
                at = space(self.text, at);
                match self.text.get(at) {
                    Some(b',') => at = space(self.text, at + 1),
                    Some(b']') => break,
                    _ => return Err(Unsure),
                }
            }
        }
        self.item = outer;
        self.depth -= 1;
        self.arrays -= 1;
        if !(node.least..=node.most).contains(&count) {
            let keyword = if count < node.least { "minItems" } else { "maxItems" };
            self.violated(value, start_of_array..at + 1, Violated::Keyword(keyword))?;
        }
        if let Some((array, _)) = node.captured {
            let first = (first - self.base) as u32;
            self.captures.items[self.item_base + usize::from(array)] =
                Items { readable: true, first, count: count as u32 };
        }
        Ok(at + 1)
    }

    /// The end of any value, whose keys nobody declares.
    fn free(&mut self, at: usize) -> At {
        match self.text.get(at) {
            Some(b'"') => string_rest(self.text, at + 1),
            Some(b'{') => self.free_object(at),
            Some(b'[') => self.free_array(at),
            Some(b't') => word(self.text, b"true", at),
            Some(b'f') => word(self.text, b"false", at),
            Some(b'n') => word(self.text, b"null", at),
            Some(b'-' | b'0'..=b'9') => number(self.text, at),
            _ => Err(Unsure),
        }
    }

    fn free_object(&mut self, at: usize) -> At {
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
                return Err(Unsure);
            }
            keys[count] = (start as u32, end as u32 - 1);
            count += 1;
            at = colon(self.text, end)?;
            at = self.free(at)?;
            at = space(self.text, at);
            match self.text.get(at) {
                Some(b',') => at = space(self.text, at + 1),
                Some(b'}') => break,
                _ => return Err(Unsure),
            }
        }
        self.depth -= 1;
        Ok(at + 1)
    }

    fn free_array(&mut self, at: usize) -> At {
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
                _ => return Err(Unsure),
            }
        }
        self.depth -= 1;
        Ok(at + 1)
    }
}
