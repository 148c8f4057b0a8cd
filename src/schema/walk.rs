//! The fast way: one pass over an event's text that proves it valid and captures its fields.
//!
//! It says "certainly fine" or nothing at all. Whatever it is not sure of (escapes in keys, long numbers,
//! repeated keys, lone surrogates, anything wrong) is for the slow way to judge and to explain. The text
//! must be valid UTF-8.

use std::ops::Range;

use super::captures::{Capture, Captures, Items, Mark, UnknownKey};
use super::date_time::{self, LastMinute};
use super::judge::LONGEST_BOUNDED_NUMBER;
use super::program::{ArrayNode, Node, NumberNode, ObjectNode, Program, Step, StringNode, Taken, Types};
use super::tokens::{At, Unsure, colon, key, number, space, string, string_rest, usual_time, word};
use crate::bytes::{same, starts_with};
use crate::input::json::MAX_DEPTH;

/// The most keys of one object that the schema does not declare; they are compared with each other.
const MOST_FREE_KEYS: usize = 16;
/// Reads an event that starts as the flat program does and is written in the schema's order, or else any valid
/// one. The captures are appended; none are left behind when it is not sure.
///
/// `in_order`: whether to try the flat program, with whose first literal the text is known to start. Gives whether that
/// was enough.
pub fn read(
    program: &Program,
    text: &[u8],
    in_order: bool,
    last_minute: &mut LastMinute,
    captures: &mut Captures,
) -> Result<bool, Unsure> {
    let mark = captures.mark();
    begin(program, captures);
    if let ([Step::Literal(first), rest @ ..], true) = (program.steps.as_slice(), in_order) {
        if flat(rest, text, first.len(), captures, mark, last_minute) == Ok(text.len()) {
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

fn begin(program: &Program, captures: &mut Captures) {
    let (fields, items) = (captures.fields.len(), captures.items.len());
    captures.fields.resize(fields + program.slots, Capture::Absent);
    if program.arrays > 0 {
        captures.items.resize(items + program.arrays, Items { readable: true, first: 0, count: 0 });
    }
}

/// Where the content of a string member of the outermost object stands, for finding an event's type without a tree.
pub fn string_member(text: &[u8], wanted: &[u8]) -> Option<Range<usize>> {
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

/// Reads an event by the flat program. This is where most events end: everything else stays out of its way.
fn flat(
    steps: &[Step],
    text: &[u8],
    at: usize,
    captures: &mut Captures,
    mark: Mark,
    last_minute: &mut LastMinute,
) -> At {
    let mut at = at;
    for step in steps {
        let (end, slot, capture) = match step {
            Step::Literal(bytes) => {
                if !starts_with(text.get(at..).ok_or(Unsure)?, bytes) {
                    return Err(Unsure);
                }
                at += bytes.len();
                continue;
            }
            Step::Text { not_empty, slot } => {
                let end = string(text, at)?;
                if *not_empty && end == at + 2 {
                    return Err(Unsure);
                }
                (end, slot, Capture::Text(at as u32 + 1, end as u32 - 1))
            }
            Step::Time { slot } => {
                let end = usual_time(text, at, last_minute)?;
                (end, slot, Capture::Text(at as u32 + 1, end as u32 - 1))
            }
            Step::Bool { slot } => {
                let value = text.get(at) == Some(&b't');
                (word(text, if value { b"true" } else { b"false" }, at)?, slot, Capture::Bool(value))
            }
            Step::Value(node, depth) => {
                let mut walker = Walker::new(text, captures, mark, last_minute);
                walker.depth = *depth;
                at = walker.value(node, at)?;
                continue;
            }
        };
        if let Some(slot) = slot {
            captures.fields[mark.field + usize::from(*slot)] = capture;
        }
        at = end;
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
    last_minute: &'c mut LastMinute,
}

impl<'t, 'c> Walker<'t, 'c> {
    fn new(text: &'t [u8], captures: &'c mut Captures, mark: Mark, last_minute: &'c mut LastMinute) -> Self {
        Walker { text, captures, base: mark.field, item_base: mark.item, item: 0, depth: 0, last_minute }
    }

    #[inline]
    fn value(&mut self, node: &Node, at: usize) -> At {
        let (kind, capture, end) = match self.text.get(at) {
            Some(b'"') if node.string == StringNode::DateTime => {
                let end = usual_time(self.text, at, self.last_minute)?;
                (Types::STRING, Capture::Text(at as u32 + 1, end as u32 - 1), end)
            }
            Some(b'"') => {
                let end = string_rest(self.text, at + 1)?;
                self.check_string(&node.string, at + 1, end - 1)?;
                (Types::STRING, Capture::Text(at as u32 + 1, end as u32 - 1), end)
            }
            Some(b'{') => (Types::OBJECT, Capture::Container, self.object(node.object.as_deref(), at)?),
            Some(b'[') => (Types::ARRAY, Capture::Container, self.array(node.array.as_deref(), at)?),
            Some(b't') => (Types::BOOL, Capture::Bool(true), word(self.text, b"true", at)?),
            Some(b'f') => (Types::BOOL, Capture::Bool(false), word(self.text, b"false", at)?),
            Some(b'n') => (Types::NULL, Capture::Null, word(self.text, b"null", at)?),
            Some(b'-' | b'0'..=b'9') => {
                let end = number(self.text, at)?;
                if let Some(bounds) = &node.number {
                    check_number(bounds, &self.text[at..end])?;
                }
                (Types::NUMBER, Capture::Number(at as u32, end as u32), end)
            }
            _ => return Err(Unsure),
        };
        if !node.types.has(kind) {
            return Err(Unsure);
        }
        match node.taken {
            Taken::Nothing => {}
            Taken::Slot(slot) => self.captures.fields[self.base + usize::from(slot)] = capture,
            Taken::ItemSlot(slot) => self.captures.fields[self.item + usize::from(slot)] = capture,
        }
        Ok(end)
    }

    #[inline]
    fn check_string(&self, node: &StringNode, start: usize, end: usize) -> Result<(), Unsure> {
        let raw = &self.text[start..end];
        let fits = match node {
            StringNode::Any => true,
            StringNode::NotEmpty => !raw.is_empty(),
            StringNode::DateTime => date_time::usual_length(raw, &mut LastMinute::default()) == Some(raw.len()),
            StringNode::OneOf(words, _) => words.iter().any(|word| same(word, raw)),
            StringNode::Length { least, most } => {
                let characters = raw.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64;
                !raw.contains(&b'\\') && (*least..=*most).contains(&characters)
            }
        };
        if fits { Ok(()) } else { Err(Unsure) }
    }

    fn descend(&mut self) -> Result<(), Unsure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Unsure) } else { Ok(()) }
    }

    fn object(&mut self, node: Option<&ObjectNode>, at: usize) -> At {
        let Some(node) = node else { return self.free(at) };
        self.descend()?;
        let mut seen = 0u64;
        let mut next = 0;
        let unknown = self.captures.unknown.len();
        let mut at = space(self.text, at + 1);
        if self.text.get(at) == Some(&b'}') {
            self.depth -= 1;
            return if node.required == 0 { Ok(at + 1) } else { Err(Unsure) };
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
                    self.unknown_key(node, unknown, start, end - 1)?;
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
        self.depth -= 1;
        if node.required & !seen == 0 { Ok(at + 1) } else { Err(Unsure) }
    }

    /// Takes note of a key that is not declared. `first`: where the notes of this object may start; those of objects
    /// inside of it have other numbers.
    fn unknown_key(&mut self, node: &ObjectNode, first: usize, start: usize, end: usize) -> Result<(), Unsure> {
        let name = &self.text[start..end];
        let same = |known: &&UnknownKey| known.object == node.number;
        let mut mine = self.captures.unknown[first..].iter().filter(same);
        let text = self.text;
        let repeated = mine.clone().any(|known| &text[known.start as usize..known.end as usize] == name);
        if !node.open || repeated || mine.nth(MOST_FREE_KEYS - 1).is_some() {
            return Err(Unsure);
        }
        self.captures.unknown.push(UnknownKey { object: node.number, start: start as u32, end: end as u32 });
        Ok(())
    }

    fn array(&mut self, node: Option<&ArrayNode>, at: usize) -> At {
        let Some(node) = node else { return self.free(at) };
        self.descend()?;
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
        if !(node.least..=node.most).contains(&count) {
            return Err(Unsure);
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

fn check_number(bounds: &NumberNode, raw: &[u8]) -> Result<(), Unsure> {
    if raw.len() > LONGEST_BOUNDED_NUMBER || bounds.integer && raw.contains(&b'.') {
        return Err(Unsure);
    }
    let number: f64 = std::str::from_utf8(raw).ok().and_then(|text| text.parse().ok()).ok_or(Unsure)?;
    let fits =
        number >= bounds.least && number <= bounds.most && number > bounds.more_than && number < bounds.less_than;
    // An open bound is an infinity, which every number is on the right side of.
    if fits { Ok(()) } else { Err(Unsure) }
}
