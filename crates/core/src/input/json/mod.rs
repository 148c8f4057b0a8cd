//! JSON text → a tree that knows where every key and value stands.
//!
//! Strict RFC 8259, nothing is repaired. A tree is made only for what a finding may have to point at;
//! the values themselves stay in the source text. What strict parsers disagree on (duplicate keys, lone
//! surrogates) is collected beside the tree, because the event is still judged.

mod parser;
mod text;

use std::ops::Range;

pub use parser::parse;
pub(crate) use text::is_string_content;
pub use text::{ends_with_high, inner, starts_with_low, unescape_one, unescaped, unescaped_lossy};

/// The deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 127;

/// A value and where it stands, as a byte range of the source text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Number,
    /// The span holds the quotes too.
    String,
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Where the key stands, quotes included.
    pub key: Range<usize>,
    pub value: Node,
}

/// A parsed text.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    pub root: Node,
    /// Keys that stand a second time in their object: the earlier key and the later one.
    pub duplicate_keys: Vec<(Range<usize>, Range<usize>)>,
    /// `\uD800`–`\uDFFF` escapes without their other half.
    pub lone_surrogates: Vec<Range<usize>>,
}

/// Why a text cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    /// Where; empty at the end of the text.
    pub at: Range<usize>,
    /// What is wrong, to be read after "this is not JSON: ".
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Not JSON.
    Invalid,
    /// The text stops before the value does.
    Incomplete,
    /// More than [`MAX_DEPTH`] arrays and objects inside each other.
    TooDeep,
    /// A number that no 64-bit float can hold.
    OutOfRange,
}

impl Node {
    /// The members of this, if it is an object.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// The member of this object with this (unescaped) name; the last one, if there are several.
    pub fn member<'n>(&'n self, text: &[u8], name: &str) -> Option<&'n Member> {
        self.members().iter().rev().find(|member| *unescaped(inner(text, &member.key)) == *name.as_bytes())
    }

    /// The node at a JSON Pointer's segments.
    pub fn at<'n, S: AsRef<str>>(&'n self, text: &[u8], segments: &[S]) -> Option<&'n Node> {
        let mut node = self;
        for segment in segments {
            node = match &node.kind {
                Kind::Array(items) => items.get(array_index(segment.as_ref())?)?,
                _ => &node.member(text, segment.as_ref())?.value,
            };
        }
        Some(node)
    }

    /// The node that stands at just these bytes.
    pub fn node_at(&self, span: &Range<usize>) -> Option<&Node> {
        let mut node = self;
        while node.span != *span {
            node = match &node.kind {
                Kind::Array(items) => items.iter().find(|item| item.span.contains(&span.start))?,
                Kind::Object(members) => &members.iter().find(|member| member.value.span.contains(&span.start))?.value,
                _ => return None,
            };
        }
        Some(node)
    }

    /// The JSON Pointer segments of the innermost key or value that stands at a byte of the text.
    pub fn path_to(&self, text: &[u8], at: usize) -> Vec<String> {
        let mut path = Vec::new();
        let mut node = self;
        loop {
            // Children stand in the order of the text.
            let next = match &node.kind {
                Kind::Array(items) => {
                    let index = items.partition_point(|item| item.span.end <= at);
                    items.get(index).filter(|item| item.span.start <= at).map(|item| (index.to_string(), item))
                }
                Kind::Object(members) => members
                    .get(members.partition_point(|member| member.value.span.end <= at))
                    .filter(|member| member.key.start <= at)
                    .map(|member| (unescaped_lossy(inner(text, &member.key)).into_owned(), &member.value)),
                _ => None,
            };
            let Some((segment, child)) = next else { return path };
            path.push(segment);
            node = child;
        }
    }

    /// What this is, in a word with its article, as messages say it.
    pub fn article(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
        }
    }

    /// The value for judging. Lone surrogates become U+FFFD.
    pub fn to_value(&self, text: &[u8]) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number => serde_json::from_slice(&text[self.span.clone()]).unwrap_or(Value::Null),
            Kind::String => Value::String(unescaped_lossy(inner(text, &self.span)).into_owned()),
            Kind::Array(items) => Value::Array(items.iter().map(|n| n.to_value(text)).collect()),
            Kind::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|member| {
                        let name = unescaped_lossy(inner(text, &member.key)).into_owned();
                        (name, member.value.to_value(text))
                    })
                    .collect(),
            ),
        }
    }
}

fn array_index(segment: &str) -> Option<usize> {
    let plain = segment == "0" || !segment.starts_with(['0', '+']);
    if plain { segment.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_where_it_stands() {
        let text = br#" {"a": [1, {"b": "x"}]} "#;
        let tree = parse(text).expect("valid");
        let b = tree.root.at(text, &["a", "1", "b"]).expect("there");
        assert_eq!(&text[b.span.clone()], br#""x""#);
        assert_eq!(tree.root.at(text, &["a", "01"]), None);
    }

    #[test]
    fn a_repeated_key_is_noticed_however_it_is_escaped() {
        let text = br#"{"a":1,"\u0061":2}"#;
        let tree = parse(text).expect("valid");
        assert_eq!(tree.duplicate_keys, [(1..4, 7..15)]);
        let last = tree.root.at(text, &["a"]).expect("there");
        assert_eq!(&text[last.span.clone()], b"2");
    }

    #[test]
    fn halves_of_a_surrogate_pair_are_known() {
        let raw = br"\ud83d\ude00";
        assert_eq!(&*unescaped(raw), "😀".as_bytes());
        assert!(ends_with_high(br"x\ud83d") && !ends_with_high(br"x\\ud83d") && !ends_with_high(raw));
        assert!(starts_with_low(br"\ude00x") && !starts_with_low(raw));
        assert_eq!(parse(br#""\ude00 \ud83d""#).expect("valid").lone_surrogates, [1..7, 8..14]);
        assert_eq!(unescaped_lossy(br"a\ud83db"), "a\u{FFFD}b");
    }

    #[test]
    fn faults_say_what_stands_there_and_what_was_expected() {
        let fault = |text: &[u8]| parse(text).expect_err("broken");
        assert_eq!(fault(br#"{"a" 1}"#).message, "`1` stands here, where `:` is expected");
        assert_eq!(fault(br#"{"a":"x"#).kind, FaultKind::Incomplete);
        assert_eq!(fault(br#"{"a":tru"#).kind, FaultKind::Incomplete);
        assert_eq!(fault(br#"{"a":trux"#).kind, FaultKind::Invalid);
        assert_eq!(fault(b"[1e400]").kind, FaultKind::OutOfRange);
        assert_eq!(fault("[é]".as_bytes()).at, 1..3);
        assert_eq!(fault(b"{} x").at, 3..4);
        assert_eq!(
            fault(br#"["\u12x"]"#).message,
            "`x` stands here, where four hexadecimal digits after `\\u` is expected"
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| ["[".repeat(n), "]".repeat(n)].concat();
        assert!(parse(nested(127).as_bytes()).is_ok());
        assert_eq!(parse(nested(128).as_bytes()).expect_err("deep").kind, FaultKind::TooDeep);
        assert_eq!(parse("[".repeat(100_000).as_bytes()).expect_err("deep").kind, FaultKind::TooDeep);
    }

    proptest::proptest! {
        #[test]
        fn it_accepts_what_serde_json_accepts(text in r#"[\[\]{}:, "\\0-9a-fuetrl.E+-]{0,24}"#) {
            let ours = parse(text.as_bytes());
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (&ours, &theirs) {
                (Ok(tree), Ok(value)) => proptest::prop_assert_eq!(&tree.root.to_value(text.as_bytes()), value),
                // serde_json refuses lone surrogates; here they are a warning of their own.
                (Ok(tree), Err(_)) => proptest::prop_assert!(!tree.lone_surrogates.is_empty()),
                (Err(_), Ok(_)) => proptest::prop_assert!(false, "refused: {ours:?}"),
                (Err(_), Err(_)) => {}
            }
        }
    }
}
