//! A compiled schema against a tree: everything that is wrong with an event that the fast way was not sure of.
//!
//! The fast way only says yes; this says what is wrong and where, from the same compiled schema. Where it is not sure
//! (numbers that it would have to compare exactly, repeated keys), the `jsonschema` crate judges instead, as it does for schemas that
//! are not compiled. The tests hold the two to each other.

use std::borrow::Cow;
use std::ops::Range;

use super::Pointer;
use super::date_time;
use super::program::{Node as Schema, NumberNode, ObjectNode, Program, StringNode, Types};
use crate::input::json::{Kind, Member, Node, Tree, inner, unescaped, unescaped_lossy};

/// The longest number that is surely compared exactly, in bytes.
pub const LONGEST_BOUNDED_NUMBER: usize = 15;

/// What is wrong with an event.
#[derive(Debug, Default)]
pub struct Judged<'p, 't> {
    pub violations: Vec<Violation<'p, 't>>,
    /// The keys that the schema does not declare, in the order of the text: where each stands, and its pointer.
    pub unknown: Vec<(Range<usize>, Pointer)>,
}

/// A value that is not as its schema has it.
#[derive(Debug)]
pub struct Violation<'p, 't> {
    pub pointer: Pointer,
    pub node: &'t Node,
    pub schema: &'p Schema,
    pub violated: Violated<'t>,
}

/// What of a schema a value does not keep.
#[derive(Clone, Debug, PartialEq)]
pub enum Violated<'t> {
    /// One or more of the required properties.
    Required,
    /// A property that must not be there.
    Forbidden(Cow<'t, str>),
    /// The keyword of this name.
    Keyword(&'static str),
}

/// Judges an event of the tree; none where that takes more exactness than there is here.
pub fn judge<'p, 't>(program: &'p Program, tree: &Tree, event: &'t Node, text: &'t [u8]) -> Option<Judged<'p, 't>> {
    if !tree.duplicate_keys.is_empty() {
        return None;
    }
    let mut judge = Judge { text, path: Vec::new(), unsure: false, judged: Judged::default() };
    judge.value(&program.root, event);
    (!judge.unsure).then_some(judge.judged)
}

struct Judge<'p, 't> {
    text: &'t [u8],
    path: Vec<Segment<'t>>,
    unsure: bool,
    judged: Judged<'p, 't>,
}

enum Segment<'t> {
    /// Still escaped.
    Key(&'t [u8]),
    Index(usize),
}

impl<'p, 't> Judge<'p, 't> {
    fn pointer(&self) -> Pointer {
        let segment = |segment: &Segment<'_>| match segment {
            Segment::Key(raw) => unescaped_lossy(raw).into_owned(),
            Segment::Index(index) => index.to_string(),
        };
        Pointer(self.path.iter().map(segment).collect())
    }

    fn violated(&mut self, schema: &'p Schema, node: &'t Node, violated: Violated<'t>) {
        self.judged.violations.push(Violation { pointer: self.pointer(), node, schema, violated });
    }

    fn value(&mut self, schema: &'p Schema, node: &'t Node) {
        let kind = match node.kind {
            Kind::Null => Types::NULL,
            Kind::Bool(_) => Types::BOOL,
            Kind::Number => Types::NUMBER,
            Kind::String => Types::STRING,
            Kind::Array(_) => Types::ARRAY,
            Kind::Object(_) => Types::OBJECT,
        };
        if !schema.declared.has(kind) {
            return self.violated(schema, node, Violated::Keyword("type"));
        }
        match &node.kind {
            Kind::String => self.string(schema, node),
            Kind::Number => {
                if let Some(bounds) = &schema.number {
                    self.number(schema, bounds, node);
                }
            }
            Kind::Array(items) => {
                if let Some(array) = &schema.array {
                    let count = items.len() as u64;
                    if count < array.least {
                        self.violated(schema, node, Violated::Keyword("minItems"));
                    }
                    if count > array.most {
                        self.violated(schema, node, Violated::Keyword("maxItems"));
                    }
                    for (index, item) in items.iter().enumerate() {
                        let Some(schema) = &array.items else { break };
                        self.path.push(Segment::Index(index));
                        self.value(schema, item);
                        self.path.pop();
                    }
                }
            }
            Kind::Object(members) => {
                if let Some(object) = &schema.object {
                    self.object(schema, object, node, members);
                }
            }
            Kind::Null | Kind::Bool(_) => {}
        }
        if let (StringNode::OneOf(_, keyword), false) = (&schema.string, kind == Types::STRING) {
            self.violated(schema, node, Violated::Keyword(keyword));
        }
    }

    fn string(&mut self, schema: &'p Schema, node: &'t Node) {
        let raw = inner(self.text, &node.span);
        let keyword = match &schema.string {
            StringNode::Any => return,
            StringNode::NotEmpty => raw.is_empty().then_some("minLength"),
            StringNode::DateTime => date_time::parse(&unescaped_lossy(raw)).is_none().then_some("format"),
            StringNode::OneOf(words, keyword) => {
                let text = unescaped(raw);
                (!words.iter().any(|word| **word == *text)).then_some(*keyword)
            }
            StringNode::Length { least, most } => {
                let characters = unescaped_lossy(raw).chars().count() as u64;
                match (characters < *least, characters > *most) {
                    (true, _) => Some("minLength"),
                    (_, true) => Some("maxLength"),
                    _ => None,
                }
            }
        };
        if let Some(keyword) = keyword {
            self.violated(schema, node, Violated::Keyword(keyword));
        }
    }

    fn number(&mut self, schema: &'p Schema, bounds: &NumberNode, node: &'t Node) {
        let raw = &self.text[node.span.clone()];
        let exact = raw.len() <= LONGEST_BOUNDED_NUMBER && !raw.iter().any(|byte| matches!(byte, b'e' | b'E'));
        let number = std::str::from_utf8(raw).ok().and_then(|text| text.parse::<f64>().ok());
        let Some(number) = number.filter(|_| exact && !(bounds.integer && raw.contains(&b'.'))) else {
            self.unsure = true;
            return;
        };
        let violated = [
            (number < bounds.least, "minimum"),
            (number > bounds.most, "maximum"),
            (number <= bounds.more_than, "exclusiveMinimum"),
            (number >= bounds.less_than, "exclusiveMaximum"),
        ];
        for (_, keyword) in violated.into_iter().filter(|(violated, _)| *violated) {
            self.violated(schema, node, Violated::Keyword(keyword));
        }
    }

    fn object(&mut self, schema: &'p Schema, object: &'p ObjectNode, node: &'t Node, members: &'t [Member]) {
        let (mut seen, mut next) = (0u64, 0);
        for member in members {
            let name = unescaped(inner(self.text, &member.key));
            match object.find(&name, next) {
                Some(index) => {
                    seen |= 1 << index;
                    next = index + 1;
                    self.path.push(Segment::Key(inner(self.text, &member.key)));
                    self.value(&object.properties[index].node, &member.value);
                    self.path.pop();
                }
                None => self.undeclared(schema, object.open, node, member),
            }
        }
        if object.required & !seen != 0 {
            self.violated(schema, node, Violated::Required);
        }
    }

    fn undeclared(&mut self, schema: &'p Schema, open: bool, node: &'t Node, member: &'t Member) {
        let name = unescaped_lossy(inner(self.text, &member.key));
        if open {
            let mut pointer = self.pointer();
            pointer.0.push(name.into_owned());
            self.judged.unknown.push((member.key.clone(), pointer));
        } else {
            self.violated(schema, node, Violated::Forbidden(name));
        }
    }
}
