//! Learns a template from an event that was read.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{FieldAt, FieldKind, Layout, Position};
use super::{Change, LONGEST, Leaf, LeafKind, MOST_LEAVES, PADDING, RareLeaf, Template, has_key};
use crate::schema::captures::{Capture, Constraint, EventCaptures, Violation};
use crate::schema::program::{CaptureTarget, NumberNode, Program, RareNode, SchemaNode, StringNode, UnionNode};
use crate::schema::tokens::{colon, key, number, space, string_rest};
use crate::schema::walk::{any_value, string_member};

impl Template {
    /// Learns a template from an event, which is all of the text. The walker has read it. `type_span`: the place of its type,
    /// with its quotes; `captured`: its captures. Returns `None` if it cannot be learned: if it is on several lines or very
    /// long, has very many values, or values that the `jsonschema` crate judges, or if the event itself lacks a field, because
    /// no edge tells where it ends.
    ///
    /// A value with a violation stays, so that each event of the template has just these.
    #[cold]
    pub(crate) fn learn(
        program: &Program,
        text: &[u8],
        type_span: Range<usize>,
        captured: EventCaptures<'_>,
    ) -> Option<Template> {
        if text.len() > LONGEST || memchr::memchr2(b'\n', b'\r', text).is_some() {
            return None;
        }
        if captured.violations.iter().any(|violation| violation.end as usize == text.len()) {
            return None;
        }
        let mut learner = Learner {
            text,
            captured: captured.fields.iter().filter_map(|field| field.span()).collect(),
            violations: captured.violations,
            nested_keys: program.nested.iter().map(|nested| nested.key.clone()).collect(),
            words: Vec::new(),
            leaves: Vec::new(),
            depth: 0,
            deepest: 0,
        };
        learner.words.push(type_span.start + 1..type_span.end - 1);
        let end = learner.value(Some(&program.root), 0)?;
        let Learner { leaves, deepest, nested_keys, .. } = learner;
        let before_brace = text.strip_suffix(b"}").filter(|_| end == text.len())?.trim_ascii_end();
        let (places, kinds): (Vec<_>, Vec<_>) = leaves.into_iter().unzip();
        let field_at = |capture: &Capture| {
            let kind = match capture {
                Capture::Text(..) => FieldKind::Text,
                Capture::Number(..) => FieldKind::Number,
                Capture::Container { is_whole: true, .. } => FieldKind::Container,
                Capture::Container { .. } | Capture::Unreadable => return None,
                Capture::Absent | Capture::Null | Capture::Bool(_) | Capture::Index(_) => {
                    return Some(FieldAt::Fixed(*capture));
                }
            };
            let (start, end) = by_edges(&places, capture.span()?)?;
            Some(FieldAt::Span(kind, start, end))
        };
        let unknown = captured.unknown.iter().map(|name| {
            let (start, end) = by_edges(&places, name.start as usize..name.end as usize)?;
            Some((name.object, start, end))
        });
        let violations = captured.violations.iter().map(|violation| {
            let (start, end) = by_edges(&places, violation.start as usize..violation.end as usize)?;
            Some((*violation, start, end))
        });
        let layout = Layout {
            fields: captured.fields.iter().map(field_at).collect::<Option<_>>()?,
            items: captured.items.into(),
            unknown: unknown.collect::<Option<_>>()?,
            violations: violations.collect::<Option<_>>()?,
            type_span: by_edges(&places, type_span)?,
        };
        let ends = [0].into_iter().chain(places.iter().map(|place| place.end));
        let leaf = |((place, kind), last): ((&Range<usize>, LeafKind), usize)| {
            let (before, length) = ((place.start - last) as u32, place.len() as u32);
            Leaf { kind, before, length, change: Change::Seldom }
        };
        let leaves = places.iter().zip(kinds).zip(ends).map(leaf).collect();
        let behind = before_brace.len().checked_sub(places.last().map_or(0, |place| place.end))?;
        Some(Template {
            text: [before_brace, &PADDING].concat(),
            leaves,
            behind,
            events: 0,
            tried: 0,
            depth: deepest,
            nested_keys,
            layout: Arc::new(layout),
        })
    }
}

/// Returns the start and the end of a range of the text by the edges of the leaves, whose places are given; `None` if one of
/// them is inside of a leaf.
fn by_edges(places: &[Range<usize>], span: Range<usize>) -> Option<(Position, Position)> {
    if let Some(leaf) = places.iter().position(|place| *place == span) {
        let edge = |edge: usize| Position { edge: edge as u8, offset: 0 };
        return Some((edge(2 * leaf + 1), edge(2 * leaf + 2)));
    }
    let position = |at: usize| {
        let behind = places.iter().take_while(|place| place.end <= at).count();
        let is_between = places.get(behind).is_none_or(|next| at <= next.start);
        let start = behind.checked_sub(1).map_or(0, |last| places[last].end);
        is_between.then_some(Position { edge: 2 * behind as u8, offset: (at - start) as u32 })
    };
    Some((position(span.start)?, position(span.end)?))
}

/// The state of [`Template::learn`].
struct Learner<'t> {
    text: &'t [u8],
    /// The ranges of the captured fields.
    captured: Vec<Range<usize>>,
    /// What is wrong with the event.
    violations: &'t [Violation],
    /// The keys, with quotes, of the arrays in the items of others whose items are captured: the nodes know nothing of them.
    nested_keys: Box<[Box<[u8]>]>,
    /// The strings, without quotes, that decide how others are read: that of the event's type, and those that tell the
    /// forms of unions. They stay.
    words: Vec<Range<usize>>,
    /// The values that differ, with their ranges.
    leaves: Vec<(Range<usize>, LeafKind)>,
    /// The number of objects and arrays around the value that is being read.
    depth: usize,
    /// The greatest such number so far.
    deepest: usize,
}

impl Learner<'_> {
    /// Learns a value, and returns its end. `node` is `None` for a value without a schema.
    fn value(&mut self, node: Option<&SchemaNode>, at: usize) -> Option<usize> {
        if node.is_some_and(|node| matches!(node.rare.as_deref(), Some(RareNode::Foreign(_)))) {
            return None;
        }
        if let Some(end) = self.end_of_faulty(at) {
            return Some(end);
        }
        match self.text.get(at)? {
            b'"' => self.string(node, at),
            b'{' => self.object(node, at),
            b'[' => self.array(node, at),
            b'-' | b'0'..=b'9' => {
                let end = number(self.text, at).ok()?;
                let bounds = node.and_then(|node| node.number.clone());
                let allows_counts = bounds.as_ref().is_none_or(NumberNode::allows_counts);
                self.rare_leaf(at..end, RareLeaf::Number(bounds, allows_counts))
            }
            _ => any_value(self.text, at).ok(),
        }
    }

    /// Returns the end of the value here if it violates a keyword: another value may violate another one, or none.
    fn end_of_faulty(&self, at: usize) -> Option<usize> {
        let is_here = |violation: &&Violation| {
            violation.start as usize == at && matches!(violation.constraint, Constraint::Keyword(_))
        };
        self.violations.iter().find(is_here).map(|violation| violation.end as usize)
    }

    /// Adds a value that differs, and returns its end.
    fn leaf(&mut self, span: Range<usize>, leaf: LeafKind) -> Option<usize> {
        let end = span.end;
        self.leaves.push((span, leaf));
        (self.leaves.len() <= MOST_LEAVES).then_some(end)
    }

    fn rare_leaf(&mut self, span: Range<usize>, leaf: RareLeaf) -> Option<usize> {
        self.leaf(span, LeafKind::Rare(Box::new(leaf)))
    }

    fn string(&mut self, node: Option<&SchemaNode>, at: usize) -> Option<usize> {
        let end = string_rest(self.text, at + 1).ok()?;
        let inner = at + 1..end - 1;
        let leaf = match node.map_or(&StringNode::Any, |node| &node.string) {
            _ if self.words.contains(&inner) => return Some(end),
            StringNode::OneOf(..) => return Some(end),
            StringNode::Any => LeafKind::Text { not_empty: false },
            StringNode::NotEmpty => LeafKind::Text { not_empty: true },
            StringNode::DateTime => LeafKind::Time,
            constraint @ StringNode::Length { .. } => {
                LeafKind::Rare(Box::new(RareLeaf::Constrained(constraint.clone())))
            }
        };
        self.leaf(inner, leaf).map(|_| end)
    }

    fn object(&mut self, node: Option<&SchemaNode>, at: usize) -> Option<usize> {
        let node = match node {
            Some(node) if node.object.is_none() => match node.rare.as_deref() {
                Some(RareNode::Union(union)) => {
                    let form = self.form(union, at)?;
                    return self.object(Some(form), at);
                }
                Some(RareNode::ExpectsMore(inner)) => Some(inner),
                Some(RareNode::Foreign(_)) => return None,
                Some(RareNode::Hides) | None => None,
            },
            other => other,
        };
        let declared = node.and_then(|node| node.object.as_deref());
        self.enter();
        let mut at = space(self.text, at + 1);
        while self.text.get(at)? != &b'}' {
            let (start, end) = key(self.text, at).ok()?;
            let name = &self.text[start..end - 1];
            let property = declared.and_then(|object| Some(&object.properties[object.find(name)?].node));
            let value = colon(self.text, end).ok()?;
            // Its items are captured, also where an event has none.
            let is_nested = self.nested_keys.iter().any(|key| **key == self.text[start - 1..end]);
            at = match self.text.get(value)? {
                b'[' if is_nested => self.items(property, value)?,
                _ => self.value(property, value)?,
            };
            at = self.behind_member(at)?;
        }
        self.depth -= 1;
        Some(at + 1)
    }

    /// Returns the form that an object has by a union, and notes the string that tells it.
    fn form<'n>(&mut self, union: &'n UnionNode, at: usize) -> Option<&'n SchemaNode> {
        let object = &self.text[at..any_value(self.text, at).ok()?];
        let Some(word) = string_member(object, &union.key) else { return Some(&union.otherwise) };
        let raw = &object[word.clone()];
        self.words.push(at + word.start..at + word.end);
        Some(union.arm(raw).unwrap_or(&union.otherwise))
    }

    fn array(&mut self, node: Option<&SchemaNode>, at: usize) -> Option<usize> {
        let end = any_value(self.text, at).ok()?;
        let is_inside = |span: &Range<usize>| at < span.start && span.end < end;
        let is_faulty = self.violations.iter().any(|one| is_inside(&(one.start as usize..one.end as usize)));
        let captures = is_faulty || node.is_some_and(captures_items) || self.captured.iter().any(is_inside);
        if !captures && !has_key(&self.text[at..end], &self.nested_keys) {
            // The array itself may be captured, but not by the walker.
            let of_leaf = |node: &SchemaNode| SchemaNode { target: CaptureTarget::None, ..node.clone() };
            return self.rare_leaf(at..end, RareLeaf::Array(node.map(of_leaf), self.depth));
        }
        self.items(node, at)
    }

    /// Learns an array by its items: the events of the template have as many.
    fn items(&mut self, node: Option<&SchemaNode>, at: usize) -> Option<usize> {
        let array = node.and_then(|node| node.array.as_deref());
        self.enter();
        let mut at = space(self.text, at + 1);
        let mut index = 0;
        while self.text.get(at)? != &b']' {
            at = self.value(array.and_then(|array| array.item(index)), at)?;
            at = self.behind_member(at)?;
            index += 1;
        }
        self.depth -= 1;
        Some(at + 1)
    }

    fn enter(&mut self) {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
    }

    /// Returns the start of what follows a member of an object or an item of an array: another one, or the end.
    fn behind_member(&self, at: usize) -> Option<usize> {
        let at = space(self.text, at);
        Some(if self.text.get(at)? == &b',' { space(self.text, at + 1) } else { at })
    }
}

/// Returns whether something is captured in the items of an array, for some array of this node.
fn captures_items(node: &SchemaNode) -> bool {
    node.array.as_ref().is_some_and(|array| {
        array.captured.is_some()
            || array.items.iter().chain(array.single.iter().map(|(_, item)| item)).any(captures_something)
    })
}

/// Returns whether a value of this node, or something inside of it, is captured.
fn captures_something(node: &SchemaNode) -> bool {
    let in_object = |object: &SchemaNode| {
        object.object.as_ref().is_some_and(|object| object.properties.iter().any(|one| captures_something(&one.node)))
    };
    let in_forms = match node.rare.as_deref() {
        Some(RareNode::Union(union)) => {
            union.arms.iter().any(captures_something) || captures_something(&union.otherwise)
        }
        Some(RareNode::ExpectsMore(inner)) => captures_something(inner),
        Some(RareNode::Hides | RareNode::Foreign(_)) => true,
        None => false,
    };
    node.target != CaptureTarget::None || in_object(node) || in_forms || captures_items(node)
}
