//! JSON text → a tree that knows the byte range of every key and value.
//!
//! Strict RFC 8259; nothing is repaired. The tree has only byte ranges, which findings point at; the contents of
//! strings and numbers stay in the source text. Duplicate keys and lone surrogates, on which strict parsers disagree,
//! are collected beside the tree, because the event is still judged.

mod parser;
mod space;
mod string;

use std::ops::Range;

pub use parser::parse;
pub(crate) use parser::{parse_first, parse_leniently};
pub(crate) use space::{foreign_space_at, is_foreign_space, is_space, space_name, trim_end, trim_start};
pub(crate) use string::is_string_content;
pub use string::{ends_with_high, inner, starts_with_low, unescape_one, unescaped, unescaped_lossy};

/// The deepest nesting of arrays and objects that is parsed.
pub const MAX_DEPTH: usize = 127;

/// The most values that are parsed from one text. A value takes two bytes of text or more, and 48 bytes of a tree.
pub const MAX_VALUES: usize = 1 << 22;

/// A value of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The byte range of the value in the source text.
    pub span: Range<usize>,
    /// The type of the value, with the values inside it.
    pub kind: NodeKind,
}

/// The type of a value, with the values inside it.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, in the range of a 64-bit float.
    Number,
    /// A string. The node's span includes the quotes.
    String,
    /// An array, with its items.
    Array(Vec<Node>),
    /// An object, with its members in the order of the text, duplicates included.
    Object(Vec<Member>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The byte range of the key, with its quotes.
    pub key: Range<usize>,
    /// The value.
    pub value: Node,
}

/// A parsed text.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The outermost value.
    pub root: Node,
    /// The byte ranges of the first key of a name in its object, and of each later key of that name.
    pub duplicate_keys: Vec<(Range<usize>, Range<usize>)>,
    /// The byte ranges of `\uD800`–`\uDFFF` escapes without their other half.
    pub lone_surrogates: Vec<Range<usize>>,
    /// The byte ranges of `NaN`, `Infinity` and `-Infinity`, which strict JSON does not have.
    pub not_numbers: Vec<Range<usize>>,
    /// The byte range of the first white space between the tokens that strict JSON does not have.
    pub foreign_space: Option<Range<usize>>,
}

/// The reason why a text cannot be parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct ParseError {
    /// The kind of error.
    pub kind: ParseErrorKind,
    /// The byte range at fault; empty at the end of the text.
    pub at: Range<usize>,
    /// What was found and what was expected, to be read after "this is not JSON: ".
    pub message: String,
}

/// The kind of a [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The text is not JSON.
    Invalid,
    /// The text ends before the value does.
    Incomplete,
    /// The text has more than [`MAX_DEPTH`] arrays and objects inside one another.
    TooDeep,
    /// The text has a number outside the range of a 64-bit float.
    OutOfRange,
    /// The text has more than [`MAX_VALUES`] values.
    TooMany,
}

impl Node {
    /// Returns the members of an object; empty for any other value.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            NodeKind::Object(members) => members,
            _ => &[],
        }
    }

    /// Returns the member of an object with this unescaped name; the last one if there are several.
    pub fn member<'n>(&'n self, text: &[u8], name: &str) -> Option<&'n Member> {
        self.members().iter().rev().find(|member| *unescaped(inner(text, &member.key)) == *name.as_bytes())
    }

    /// Returns the node at the unescaped segments of a JSON Pointer.
    pub fn at<'n, S: AsRef<str>>(&'n self, text: &[u8], segments: &[S]) -> Option<&'n Node> {
        let mut node = self;
        for segment in segments {
            node = match &node.kind {
                NodeKind::Array(items) => items.get(array_index(segment.as_ref())?)?,
                _ => &node.member(text, segment.as_ref())?.value,
            };
        }
        Some(node)
    }

    /// Returns the node with exactly this byte range.
    pub fn node_at(&self, span: &Range<usize>) -> Option<&Node> {
        let mut node = self;
        while node.span != *span {
            node = match &node.kind {
                NodeKind::Array(items) => items.iter().find(|item| item.span.contains(&span.start))?,
                NodeKind::Object(members) => {
                    &members.iter().find(|member| member.value.span.contains(&span.start))?.value
                }
                _ => return None,
            };
        }
        Some(node)
    }

    /// Returns the JSON Pointer segments of the innermost value, or of the key's value, that has the byte at `at`.
    pub fn path_to(&self, text: &[u8], at: usize) -> Vec<String> {
        let mut path = Vec::new();
        let mut node = self;
        loop {
            // Children are in the order of the text.
            let next = match &node.kind {
                NodeKind::Array(items) => {
                    let index = items.partition_point(|item| item.span.end <= at);
                    items.get(index).filter(|item| item.span.start <= at).map(|item| (index.to_string(), item))
                }
                NodeKind::Object(members) => members
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

    /// Returns whether there are more than this many values in this one, itself included.
    pub(crate) fn has_more_values(&self, most: usize) -> bool {
        /// Returns how many more there may be; `None` if there are too many.
        fn rest(node: &Node, most: usize) -> Option<usize> {
            let most = most.checked_sub(1)?;
            match &node.kind {
                NodeKind::Array(items) => items.iter().try_fold(most, |most, item| rest(item, most)),
                NodeKind::Object(members) => members.iter().try_fold(most, |most, member| rest(&member.value, most)),
                _ => Some(most),
            }
        }
        rest(self, most).is_none()
    }

    /// Returns the type of the value with its article, as messages name it.
    pub fn article(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "null",
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Number => "a number",
            NodeKind::String => "a string",
            NodeKind::Array(_) => "an array",
            NodeKind::Object(_) => "an object",
        }
    }

    /// Converts the node to a [`serde_json::Value`]. Lone surrogates become U+FFFD; of duplicate keys, the last counts.
    pub fn to_value(&self, text: &[u8]) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            // NaN and Infinity are numbers of unknown size.
            NodeKind::Number => serde_json::from_slice(&text[self.span.clone()]).unwrap_or(Value::from(0)),
            NodeKind::String => Value::String(unescaped_lossy(inner(text, &self.span)).into_owned()),
            NodeKind::Array(items) => Value::Array(items.iter().map(|n| n.to_value(text)).collect()),
            NodeKind::Object(members) => Value::Object(
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

/// Parses a segment of a JSON Pointer as an array index, which has no leading zeros and no sign.
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
        assert_eq!(fault(br#"{"a" 1}"#).message, "expected `:`, found `1`");
        assert_eq!(fault(br#"{"a":"x"#).kind, ParseErrorKind::Incomplete);
        assert_eq!(fault(br#"{"a":tru"#).kind, ParseErrorKind::Incomplete);
        assert_eq!(fault(br#"{"a":trux"#).kind, ParseErrorKind::Invalid);
        assert_eq!(fault(b"[1e400]").kind, ParseErrorKind::OutOfRange);
        assert_eq!(fault("[é]".as_bytes()).at, 1..3);
        assert_eq!(fault(b"{} x").at, 3..4);
        assert_eq!(fault(b"[\x0C1]").message, "a form feed (U+000C) is not allowed here");
        for (text, at, name) in [
            (&b"{\x0B}"[..], 1..2, "a vertical tab (U+000B)"),
            (b"{\"a\"\xC2\xA0:1}", 4..6, "a no-break space (U+00A0)"),
            (b"{\"a\":\xEF\xBB\xBF1}", 5..8, "a byte-order mark (U+FEFF)"),
            (b"[1\xE3\x80\x80]", 2..5, "an ideographic space (U+3000)"),
            (b"[1]\x0C", 3..4, "a form feed (U+000C)"),
        ] {
            let found = fault(text);
            assert_eq!((found.at, found.message.split(" is not allowed here").next()), (at, Some(name)));
        }
        // In a string, a form feed is one of the characters that must be escaped.
        assert_eq!(
            fault(b"[\"\x0C\"]").message,
            "expected the rest of a string, found the control character U+000C, which must be escaped"
        );
        assert_eq!(fault(br#"["\u12x"]"#).message, "expected four hexadecimal digits after `\\u`, found `x`");
    }

    #[test]
    fn white_space_of_other_kinds_separates_tokens_for_lenient_readers() {
        let text = "\u{0C}{\u{A0}\"a\u{A0}\"\u{FEFF}:\u{0B}1\u{3000},\"b\":[\u{0C}]\u{0C}}\u{2028}".as_bytes();
        let tree = parse_leniently(text).expect("it can be read");
        assert_eq!(tree.foreign_space, Some(0..1));
        let names: Vec<_> =
            tree.root.members().iter().map(|member| unescaped_lossy(inner(text, &member.key))).collect();
        assert_eq!(names, ["a\u{A0}", "b"]);
        assert_eq!(parse(text).expect_err("strict").at, 0..1);
        assert_eq!(parse_leniently(b" [1] ").expect("valid").foreign_space, None);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| ["[".repeat(n), "]".repeat(n)].concat();
        assert!(parse(nested(127).as_bytes()).is_ok());
        assert_eq!(parse(nested(128).as_bytes()).expect_err("deep").kind, ParseErrorKind::TooDeep);
        assert_eq!(parse("[".repeat(100_000).as_bytes()).expect_err("deep").kind, ParseErrorKind::TooDeep);
    }

    proptest::proptest! {
        #[test]
        fn it_accepts_what_serde_json_accepts(text in r#"[\[\]{}:, "\\0-9a-fuetrl.E+-]{0,24}"#) {
            let ours = parse(text.as_bytes());
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (&ours, &theirs) {
                (Ok(tree), Ok(value)) => proptest::prop_assert_eq!(&tree.root.to_value(text.as_bytes()), value),
                // serde_json refuses lone surrogates; here they are collected for a rule of their own.
                (Ok(tree), Err(_)) => proptest::prop_assert!(!tree.lone_surrogates.is_empty()),
                (Err(_), Ok(_)) => proptest::prop_assert!(false, "refused: {ours:?}"),
                (Err(_), Err(_)) => {}
            }
        }
    }
}
