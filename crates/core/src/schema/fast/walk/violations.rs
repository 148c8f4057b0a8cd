//! The violations that the walker captures. All of this is rare, and kept out of the walker's inlined code.

use std::ops::Range;

use super::Walker;
use crate::bytes::{contains, count_characters, equal};
use crate::schema::captures::{Constraint, MOST_ARRAYS, MOST_VIOLATIONS, Violation};
use crate::schema::date_time;
use crate::schema::program::{LONGEST_BOUNDED_NUMBER, NumberNode, SchemaNode, StringNode};
use crate::schema::tokens::{End, Fallback, string_rest};

impl Walker<'_, '_> {
    /// Returns whether no more violations are captured from the event, whose fields then cannot be used.
    #[inline]
    pub(crate) fn has_most_violations(&self) -> bool {
        self.captures.violations.len() - self.violation_base >= MOST_VIOLATIONS
    }

    /// Captures a violation by the value at `span`, unless the event has very many.
    #[cold]
    pub(crate) fn capture_violation(
        &mut self,
        node: &SchemaNode,
        span: Range<usize>,
        constraint: Constraint,
    ) -> Result<(), Fallback> {
        if self.arrays > MOST_ARRAYS {
            return Err(Fallback);
        }
        if self.has_most_violations() {
            return Ok(());
        }
        let (node, start, end) = (node.id, span.start as u32, span.end as u32);
        let mut items = self.indices;
        items[self.arrays..].fill(0);
        self.captures.violations.push(Violation { node, constraint, start, end, items });
        Ok(())
    }

    /// Captures the violation by a value whose type the node does not allow, unless something else is to be said of it;
    /// `kind` is the bit of its type.
    #[cold]
    pub(crate) fn not_allowed(&mut self, node: &SchemaNode, kind: u8, span: Range<usize>) -> Result<(), Fallback> {
        if self.decide_otherwise(node, kind, span.clone())? {
            return Ok(());
        }
        let keyword = match &node.string {
            StringNode::OneOf(_, keyword) if node.declared.has(kind) => keyword,
            _ => "type",
        };
        self.capture_violation(node, span, Constraint::Keyword(keyword))
    }

    /// Returns the end of a string that is not a date-time in the usual form, and captures the violation if it is not a
    /// date-time at all. Falls back on a date-time in another form.
    #[cold]
    pub(crate) fn unusual_time(&mut self, node: &SchemaNode, at: usize) -> End {
        let end = string_rest(self.text, at + 1)?;
        let raw = &self.text[at + 1..end - 1];
        let written = std::str::from_utf8(raw).map_err(|_| Fallback)?;
        if contains(raw, b'\\') || date_time::parse(written).is_some() {
            return Err(Fallback);
        }
        self.capture_violation(node, at..end, Constraint::Keyword("format"))?;
        Ok(end)
    }

    /// Captures the violations by a number, given the bounds of its node.
    pub(crate) fn check_bounds(
        &mut self,
        node: &SchemaNode,
        bounds: &NumberNode,
        span: Range<usize>,
    ) -> Result<(), Fallback> {
        let raw = &self.text[span.clone()];
        let has_exponent = contains(raw, b'e') || contains(raw, b'E');
        if raw.len() > LONGEST_BOUNDED_NUMBER || has_exponent || bounds.integer && raw.contains(&b'.') {
            return Err(Fallback);
        }
        let number: f64 = std::str::from_utf8(raw).ok().and_then(|text| text.parse().ok()).ok_or(Fallback)?;
        for keyword in bounds.violated_bounds(number) {
            self.capture_violation(node, span.clone(), Constraint::Keyword(keyword))?;
        }
        if let Some(listed) = &bounds.listed {
            match &node.string {
                _ if raw.contains(&b'.') => return Err(Fallback),
                StringNode::OneOf(_, keyword) if !listed.contains(&number) => {
                    self.capture_violation(node, span, Constraint::Keyword(keyword))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the keyword that a string violates, given its raw content; `None` if it violates none. The format
/// `date-time` is not judged here.
#[inline]
pub(crate) fn violated_keyword(constraint: &StringNode, raw: &[u8]) -> Result<Option<&'static str>, Fallback> {
    match constraint {
        StringNode::Any | StringNode::DateTime => Ok(None),
        StringNode::NotEmpty => Ok(raw.is_empty().then_some("minLength")),
        StringNode::OneOf(words, _) if words.iter().any(|word| equal(word, raw)) => Ok(None),
        // With its escapes resolved, the text may be one of the words, or of another length.
        StringNode::OneOf(..) | StringNode::Length { .. } if contains(raw, b'\\') => Err(Fallback),
        StringNode::OneOf(_, keyword) => Ok(Some(keyword)),
        StringNode::Length { least, most } => {
            let characters = count_characters(raw);
            Ok(match (characters < *least, characters > *most) {
                (true, _) => Some("minLength"),
                (_, true) => Some("maxLength"),
                _ => None,
            })
        }
    }
}
