//! Values that few schemas have: objects of several forms, objects that are expected to have more than is declared, and
//! what only the `jsonschema` crate can judge. All of this is kept out of the walker's inlined code.

use std::ops::Range;

use super::Walker;
use crate::bytes::{contains, equal};
use crate::schema::captures::UnknownKey;
use crate::schema::program::{ForeignSchema, RareNode, SchemaNode, UnionNode};
use crate::schema::tokens::{End, Fallback, colon, key, space, string_rest};

impl Walker<'_, '_> {
    /// Reads and judges an object or an array for which the node has no constraint of its own, and returns its end.
    #[inline]
    pub(super) fn unconstrained(&mut self, value: &SchemaNode, at: usize) -> End {
        match value.rare.as_deref() {
            None => self.free(at),
            Some(rare) => self.rare(rare, at),
        }
    }

    #[inline(never)]
    fn rare(&mut self, rare: &RareNode, at: usize) -> End {
        let is_object = self.text.get(at) == Some(&b'{');
        match rare {
            RareNode::Hides => Err(Fallback),
            RareNode::Union(union) if is_object => self.union(union, at),
            RareNode::ExpectsMore(inner) if is_object => {
                let before = self.captures.unknown.len();
                let end = self.object(inner, at)?;
                self.forget_unknown_keys(inner.id, before);
                Ok(end)
            }
            // A foreign value is judged when its type turns out not to be allowed.
            RareNode::Union(_) | RareNode::ExpectsMore(_) | RareNode::Foreign(_) => self.free(at),
        }
    }

    /// Removes the unknown keys of an object, of which none is at a lower index than `first`.
    fn forget_unknown_keys(&mut self, object: u16, first: usize) {
        self.captures.unknown.extract_if(first.., |key| key.object == object).for_each(drop);
    }

    /// Reads and judges an object of several forms, and returns its end.
    fn union(&mut self, union: &UnionNode, at: usize) -> End {
        let word = self.string_of(&union.key, at)?;
        if let Some(word) = &word {
            let raw = &self.text[word.clone()];
            if let Some(arm) = union.arm(raw) {
                return self.value(arm, at);
            }
            // With its escapes resolved, it may be one of them.
            if contains(raw, b'\\') {
                return Err(Fallback);
            }
        }
        let before = self.captures.unknown.len();
        let end = self.value(&union.otherwise, at)?;
        if union.is_closed {
            self.forget_unknown_keys(union.otherwise.id, before);
            if let Some(Range { start, end }) = word {
                let (start, end) = (start as u32, end as u32);
                self.captures.unknown.push(UnknownKey { object: union.member, start, end });
            }
        }
        Ok(end)
    }

    /// Returns the byte range of the string, without quotes, that a member of an object has; `None` if there is no such
    /// member, or if it has another value. `at`: the position of the object.
    pub(super) fn string_of(&mut self, member: &[u8], at: usize) -> Result<Option<Range<usize>>, Fallback> {
        self.descend()?;
        let mut at = space(self.text, at + 1);
        let mut found = None;
        while self.text.get(at) != Some(&b'}') {
            let (start, end) = key(self.text, at)?;
            at = colon(self.text, end)?;
            if equal(&self.text[start..end - 1], member) {
                if self.text.get(at) == Some(&b'"') {
                    found = Some(at + 1..string_rest(self.text, at + 1)? - 1);
                }
                break;
            }
            at = self.free(at)?;
            at = space(self.text, at);
            match self.text.get(at) {
                Some(b',') => at = space(self.text, at + 1),
                Some(b'}') => break,
                _ => return Err(Fallback),
            }
        }
        self.depth -= 1;
        Ok(found)
    }

    /// Decides on a value whose type the node does not allow, where that is no violation of `type`, `const` or `enum`.
    /// Returns whether it is decided.
    pub(super) fn decide_otherwise(
        &mut self,
        node: &SchemaNode,
        kind: u8,
        span: Range<usize>,
    ) -> Result<bool, Fallback> {
        if let Some(RareNode::Foreign(foreign)) = node.rare.as_deref() {
            return self.judge_foreign(foreign.as_deref(), span).map(|()| true);
        }
        // What is no array has no items.
        let has_items = node.array.as_ref().is_some_and(|array| array.captured.is_some());
        Ok(has_items && node.declared.has(kind))
    }

    /// Lets the `jsonschema` crate judge a value. Falls back if that is not known to be valid.
    fn judge_foreign(&mut self, schema: Option<&ForeignSchema>, span: Range<usize>) -> Result<(), Fallback> {
        let schema = schema.ok_or(Fallback)?;
        let value = serde_json::from_slice(&self.text[span]).map_err(|_| Fallback)?;
        if schema.allows(&value) { Ok(()) } else { Err(Fallback) }
    }
}
