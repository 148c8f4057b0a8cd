//! What the walker takes note of where a value is not as its schema has it.

use std::ops::Range;

use super::Walker;
use crate::bytes::{holds, same};
use crate::schema::captures::{MOST_ARRAYS, Violated, Violation};
use crate::schema::date_time;
use crate::schema::program::{Node, NumberNode, StringNode};
use crate::schema::tokens::{At, Unsure, string_rest};

/// The longest number that is surely compared exactly, in bytes.
const LONGEST_BOUNDED_NUMBER: usize = 15;
/// The most that is wrong with one event. The slow way keeps twenty times as much of each as this one.
const MOST_VIOLATIONS: usize = 1 << 20;

impl Walker<'_, '_> {
    /// Takes note of something that is wrong.
    #[cold]
    pub(crate) fn violated(&mut self, node: &Node, span: Range<usize>, violated: Violated) -> Result<(), Unsure> {
        let count = self.captures.violations.len() - self.violation_base;
        if count >= MOST_VIOLATIONS || self.arrays > MOST_ARRAYS {
            return Err(Unsure);
        }
        let (node, start, end) = (node.id, span.start as u32, span.end as u32);
        let mut items = self.indices;
        items[self.arrays..].fill(0);
        self.captures.violations.push(Violation { node, violated, start, end, items });
        Ok(())
    }

    #[cold]
    pub(crate) fn wrong_type(&mut self, node: &Node, kind: u8, span: Range<usize>) -> Result<(), Unsure> {
        let keyword = match &node.string {
            StringNode::OneOf(_, keyword) if node.declared.has(kind) => keyword,
            _ => "type",
        };
        self.violated(node, span, Violated::Keyword(keyword))
    }

    /// The end of a string that is no date-time in the usual form. In another form it takes the slow way.
    #[cold]
    pub(crate) fn other_time(&mut self, node: &Node, at: usize) -> At {
        let end = string_rest(self.text, at + 1)?;
        let raw = &self.text[at + 1..end - 1];
        let written = std::str::from_utf8(raw).map_err(|_| Unsure)?;
        if holds(raw, b'\\') || date_time::parse(written).is_some() {
            return Err(Unsure);
        }
        self.violated(node, at..end, Violated::Keyword("format"))?;
        Ok(end)
    }

    pub(crate) fn number(&mut self, node: &Node, bounds: &NumberNode, span: Range<usize>) -> Result<(), Unsure> {
        let raw = &self.text[span.clone()];
        if raw.len() > LONGEST_BOUNDED_NUMBER || bounds.integer && raw.contains(&b'.') {
            return Err(Unsure);
        }
        let number: f64 = std::str::from_utf8(raw).ok().and_then(|text| text.parse().ok()).ok_or(Unsure)?;
        // An open bound is an infinity, which every number is on the right side of.
        let violated = [
            (number < bounds.least, "minimum"),
            (number > bounds.most, "maximum"),
            (number <= bounds.more_than, "exclusiveMinimum"),
            (number >= bounds.less_than, "exclusiveMaximum"),
        ];
        for (_, keyword) in violated.into_iter().filter(|(violated, _)| *violated) {
            self.violated(node, span.clone(), Violated::Keyword(keyword))?;
        }
        Ok(())
    }
}

/// The keyword that a string does not keep, which is in no usual form of a date-time.
#[inline]
pub(crate) fn wrong_string(asked: &StringNode, raw: &[u8]) -> Result<Option<&'static str>, Unsure> {
    match asked {
        StringNode::Any | StringNode::DateTime => Ok(None),
        StringNode::NotEmpty => Ok(raw.is_empty().then_some("minLength")),
        StringNode::OneOf(words, _) if words.iter().any(|word| same(word, raw)) => Ok(None),
        // What is escaped may be the same text all the same.
        StringNode::OneOf(..) | StringNode::Length { .. } if holds(raw, b'\\') => Err(Unsure),
        StringNode::OneOf(_, keyword) => Ok(Some(keyword)),
        StringNode::Length { least, most } => {
            let characters = raw.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64;
            Ok(match (characters < *least, characters > *most) {
                (true, _) => Some("minLength"),
                (_, true) => Some("maxLength"),
                _ => None,
            })
        }
    }
}
