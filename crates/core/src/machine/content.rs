//! What is kept of the fields of instances: single values, the text of short objects and arrays, and of long objects a digest
//! of each member, so that keeping one takes little memory however long its text is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field::{Container, Field, KeptValue, display_field, display_text, number, whole_number};
use crate::bytes::{Digest, lossy};
use crate::input::json::{Node, NodeKind, inner, parse_leniently, unescaped, unescaped_lossy};
use crate::schema::{SHOWN_CHARS, shortened};

/// The most bytes that are kept of the text of a member, beside its digest: enough to show it, and to repeat a short one.
const MOST_KEPT: usize = 256;

/// The number of characters that are shown before the first one in which two long values differ.
const SHOWN_BEFORE: usize = 20;

/// The most bytes of an object or array whose text is kept. Mostly the same text comes again, and need not be parsed.
const MOST_SHORT: usize = 2048;

/// A field that was kept to compare later ones with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kept {
    /// A single value.
    Value(KeptValue),
    /// The text of a short object or array.
    Short(Box<[u8]>),
    /// An object, by the names of its members. Of a name that it has twice, the last one.
    Object(BTreeMap<Box<str>, Digested>),
    /// An array.
    Array(Digested),
}

/// A JSON value, as far as it can be compared and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Digested {
    /// Two digests of its content: two values that have the same are taken for equal.
    digests: [u64; 2],
    /// The beginning of its text, without space between the tokens.
    text: Box<str>,
    /// Whether that is all of the text.
    is_all: bool,
}

/// How a field differs from what was kept.
#[derive(Debug, PartialEq)]
pub(crate) struct Difference {
    /// The first member, by name, that differs; `None` if the two differ as a whole.
    pub member: Option<Box<str>>,
    /// What was kept, for a message.
    pub kept: String,
    /// What was found, for a message.
    pub found: String,
}

impl Kept {
    /// Keeps a field's value; `None` if there is none to compare, or something in it cannot be read.
    pub(crate) fn of(field: Field<'_>) -> Option<Kept> {
        match field {
            Field::Container(container) => Kept::of_container(container),
            field => KeptValue::of(field).map(Kept::Value),
        }
    }

    /// Keeps an object or an array.
    pub(crate) fn of_container(container: Container<'_>) -> Option<Kept> {
        match container.raw {
            _ if !container.is_whole => None,
            text if text.len() <= MOST_SHORT => Some(Kept::Short(text.into())),
            text => Kept::digested(text),
        }
    }

    /// Returns the digests of an object or an array.
    fn digested(text: &[u8]) -> Option<Kept> {
        let tree = parse_leniently(text).ok()?;
        match &tree.root.kind {
            NodeKind::Object(members) => {
                let name = |key| unescaped_lossy(inner(text, key)).into();
                Some(Kept::Object(members.iter().map(|one| (name(&one.key), Digested::of(&one.value, text))).collect()))
            }
            _ => Some(Kept::Array(Digested::of(&tree.root, text))),
        }
    }

    /// Returns the digests of a short text; `None` for anything else.
    fn of_short(&self) -> Option<Kept> {
        match self {
            Kept::Short(text) => Kept::digested(text),
            _ => None,
        }
    }

    /// Returns how a field differs; `None` for one that is missing or cannot be read, as it contradicts nothing. `except`:
    /// the members of objects that may differ.
    pub(crate) fn difference(&self, field: Field<'_>, except: &[Box<str>]) -> Option<Difference> {
        match (self, field) {
            (_, Field::Absent | Field::Unreadable) => None,
            (Kept::Short(kept), Field::Container(Container { raw, .. })) if **kept == *raw => None,
            (_, Field::Container(container)) => self.difference_from(&Kept::of_container(container)?, except),
            (Kept::Value(kept), field) if kept.equals(field) => None,
            (kept, field) => Some(Difference { member: None, kept: kept.display(), found: display_field(field) }),
        }
    }

    /// Returns how something else that was kept differs.
    pub(crate) fn difference_from(&self, found: &Kept, except: &[Box<str>]) -> Option<Difference> {
        match (self, found) {
            (Kept::Short(kept), Kept::Short(found)) if kept == found => None,
            (Kept::Short(_), found) => self.of_short()?.difference_from(found, except),
            (kept, Kept::Short(_)) => kept.difference_from(&found.of_short()?, except),
            (Kept::Object(kept), Kept::Object(found)) => {
                let both = kept.iter().filter_map(|(name, kept)| Some((name, kept, found.get(name)?)));
                let mut differing = both.filter(|(name, kept, found)| !kept.equals(found) && !except.contains(name));
                let (name, kept, found) = differing.next()?;
                let [kept, found] =
                    kept.display_beside(found).map(|one| format!("{} = {one}", shortened(name, SHOWN_CHARS)));
                Some(Difference { member: Some(name.clone()), kept, found })
            }
            (Kept::Value(kept), Kept::Value(found)) if kept.equals(found.field()) => None,
            (Kept::Array(kept), Kept::Array(found)) if kept.equals(found) => None,
            (Kept::Array(kept), Kept::Array(found)) => {
                let [kept, found] = kept.display_beside(found);
                Some(Difference { member: None, kept, found })
            }
            (kept, found) => Some(Difference { member: None, kept: kept.display(), found: found.display() }),
        }
    }

    /// Returns the value as JSON, of an object the members whose text was kept; `None` if it was too long to be kept.
    pub(crate) fn value(&self) -> Option<Value> {
        match self {
            Kept::Value(value) => Some(value.value()),
            Kept::Short(_) => self.of_short()?.value(),
            Kept::Array(array) => array.value(),
            Kept::Object(members) => {
                let known = members.iter().filter_map(|(name, member)| Some((name.to_string(), member.value()?)));
                Some(Value::Object(known.collect()))
            }
        }
    }

    /// Returns the value if it is a whole number.
    pub(crate) fn whole(&self) -> Option<i128> {
        let Kept::Value(KeptValue::Number(digits)) = self else { return None };
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Returns whether a field of an event can have been kept like this.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Kept::Value(value) => value.is_sound(),
            Kept::Short(_) => self.of_short().is_some(),
            Kept::Object(_) | Kept::Array(_) => true,
        }
    }

    /// Formats the value for a message.
    fn display(&self) -> String {
        match self {
            Kept::Value(value) => value.display(),
            Kept::Short(_) => self.of_short().map_or_else(String::new, |kept| kept.display()),
            Kept::Object(_) => "an object".to_owned(),
            Kept::Array(array) => array.display(),
        }
    }
}

impl Digested {
    fn of(node: &Node, text: &[u8]) -> Digested {
        let mut content = Vec::new();
        write_content(node, text, &mut content);
        let [mut one, mut two] = [Digest::default(); 2];
        one.add(&content);
        // What comes first changes what all that follows does.
        two.add(b"another digest");
        two.add(&content);
        let (text, is_all) = beginning(&text[node.span.clone()]);
        Digested { digests: [one.value(), two.value()], text, is_all }
    }

    fn equals(&self, other: &Digested) -> bool {
        self.digests == other.digests
    }

    fn value(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok().filter(|_| self.is_all)
    }

    /// Formats two values that differ. Where they begin alike, they are shown from shortly before they part.
    fn display_beside(&self, other: &Digested) -> [String; 2] {
        let shown = [self.display(), other.display()];
        if shown[0] != shown[1] || self.text == other.text {
            return shown;
        }
        let alike = self.text.chars().zip(other.text.chars()).take_while(|(one, other)| one == other).count();
        let start = alike.saturating_sub(SHOWN_BEFORE);
        [self, other].map(|one| {
            let rest: String = one.text.chars().skip(start).collect();
            format!("…{}", shortened(&rest, SHOWN_CHARS))
        })
    }

    fn display(&self) -> String {
        match self.text.strip_prefix('"') {
            Some(string) => {
                let content = if self.is_all { string.strip_suffix('"').unwrap_or(string) } else { string };
                display_text(&unescaped(content.as_bytes()))
            }
            None => shortened(&self.text, SHOWN_CHARS).into_owned(),
        }
    }
}

/// Writes what a value is, whatever its spelling: numbers by value, texts unescaped, members in the order of their names.
fn write_content(node: &Node, text: &[u8], out: &mut Vec<u8>) {
    let write_bytes = |bytes: &[u8], out: &mut Vec<u8>| {
        out.extend((bytes.len() as u64).to_le_bytes());
        out.extend(bytes);
    };
    match &node.kind {
        NodeKind::Null => out.push(b'n'),
        NodeKind::Bool(value) => out.push(if *value { b't' } else { b'f' }),
        NodeKind::Number => {
            let raw = &text[node.span.clone()];
            // A large whole number may have the value of another one as a floating-point number.
            match whole_number(raw).filter(|whole| *whole as f64 as i64 != *whole) {
                Some(whole) => {
                    out.push(b'i');
                    out.extend(whole.to_le_bytes());
                }
                None => {
                    out.push(b'#');
                    // There is only one zero.
                    out.extend(number(raw).map_or(f64::NAN, |number| number + 0.0).to_bits().to_le_bytes());
                }
            }
        }
        NodeKind::String => {
            out.push(b'"');
            write_bytes(&unescaped(inner(text, &node.span)), out);
        }
        NodeKind::Array(items) => {
            out.push(b'[');
            items.iter().for_each(|item| write_content(item, text, out));
            out.push(b']');
        }
        NodeKind::Object(members) => {
            let named: BTreeMap<_, _> =
                members.iter().map(|member| (unescaped(inner(text, &member.key)), &member.value)).collect();
            out.push(b'{');
            for (name, value) in named {
                out.push(b',');
                write_bytes(&name, out);
                write_content(value, text, out);
            }
            out.push(b'}');
        }
    }
}

/// Returns the beginning of a JSON text without space between its tokens, and whether that is all of it.
fn beginning(raw: &[u8]) -> (Box<str>, bool) {
    let text = lossy(&raw[..raw.len().min(4 * MOST_KEPT)]);
    let mut short = String::with_capacity(text.len().min(MOST_KEPT));
    let mut rest = &*text;
    while let Some(first) = rest.bytes().next() {
        let (run, behind) = rest.split_at(if first == b'"' { end_of_string(rest) } else { end_of_tokens(rest) });
        let room = MOST_KEPT - short.len();
        if run.len() > room {
            let end = (0..=room).rev().find(|end| run.is_char_boundary(*end)).unwrap_or_default();
            short.push_str(&run[..end]);
            return (short.into(), false);
        }
        short.push_str(run);
        rest = behind.trim_start_matches(|c: char| c.is_ascii_whitespace());
    }
    (short.into(), text.len() >= raw.len())
}

/// Returns the offset behind a string at the start of a text, which may be cut off.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let ends = |byte: &u8| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    };
    let after_quote = &text.as_bytes()[1..];
    after_quote.iter().position(ends).map_or(text.len(), |at| at + 2)
}

/// Returns the offset of the next white space or string of a text.
fn end_of_tokens(text: &str) -> usize {
    text.bytes().position(|byte| byte == b'"' || byte.is_ascii_whitespace()).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Kept {
        Kept::of(Field::Container(Container { raw: text.as_bytes(), is_whole: true })).expect("it is JSON")
    }

    fn differing(one: &str, two: &str) -> Option<String> {
        let difference = kept(one).difference_from(&kept(two), &["free".into()])?;
        Some(format!("{} / {}", difference.kept, difference.found))
    }

    #[test]
    fn members_of_both_are_compared_by_content() {
        for (one, two) in [
            (r#"{"a":1,"b":"x"}"#, r#"{ "b" : "\u0078", "a" : 1.0 }"#),
            (r#"{"a":1}"#, r#"{"b":2}"#),
            (r#"{"a":{"x":1,"y":[1,2]}}"#, r#"{"a":{"y":[1,2.0],"x":1e0}}"#),
            (r#"{"a":-0,"free":1}"#, r#"{"a":0,"free":2}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("[1, {}]", "[1.0,{}]"),
            ("[9007199254740992]", "[9.007199254740992e15]"),
            ("[9007199254740993]", "[ 9007199254740993]"),
        ] {
            assert_eq!(differing(one, two), None, "{one} {two}");
        }
        for (one, two, words) in [
            (r#"{"b":1,"a":"x"}"#, r#"{"b":2,"a":"y"}"#, r#"a = "x" / a = "y""#),
            (r#"{"a":[1,2]}"#, r#"{"a":[2, 1]}"#, "a = [1,2] / a = [2,1]"),
            (r#"{"a":{}}"#, r#"{"a":[]}"#, "a = {} / a = []"),
            (r#"{"a":"1"}"#, r#"{"a":1}"#, r#"a = "1" / a = 1"#),
            (r#"{"a":null}"#, r#"{"a":false}"#, "a = null / a = false"),
            (r#"{"a":["x","y"]}"#, r#"{"a":["x\",\"y"]}"#, r#"a = ["x","y"] / a = ["x\",\"y"]"#),
            ("[1]", "[2]", "[1] / [2]"),
            ("{}", "[]", "an object / []"),
            // What is alike in all that would be shown is shown from where it parts.
            (
                r#"{"a":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello world"}]}"#,
                r#"{"a":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello"}]}"#,
                r#"a = …bs":[],"text":"Hello world"}] / a = …bs":[],"text":"Hello"}]"#,
            ),
            // Large whole numbers that no floating-point number tells apart.
            (r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#, "a = 9007199254740993 / a = 9007199254740992"),
            ("[-9007199254740993]", "[-9007199254740992]", "[-9007199254740993] / [-9007199254740992]"),
        ] {
            assert_eq!(differing(one, two).as_deref(), Some(words), "{one} {two}");
        }
    }

    /// It makes no difference whether the text was kept or its digests.
    #[test]
    fn short_and_long_texts_are_compared_alike() {
        let long = |text: &str| format!("{}{}", " ".repeat(MOST_SHORT), text);
        let texts = [r#"{"a":1,"b":"x"}"#, r#"{"b":"x","a":2}"#, r#"{"a":1.0}"#, "{}", "[1]", "[1.0]", "[2]"];
        for (one, two) in texts.iter().flat_map(|one| texts.map(|two| (*one, two))) {
            let expected = differing(&long(one), &long(two));
            for (one, two) in
                [(one.to_owned(), two.to_owned()), (one.to_owned(), long(two)), (long(one), two.to_owned())]
            {
                assert_eq!(differing(&one, &two), expected, "{one} {two}");
                let (raw, is_whole) = (two.as_bytes(), true);
                let difference = kept(&one).difference(Field::Container(Container { raw, is_whole }), &["free".into()]);
                assert_eq!(difference.is_some(), expected.is_some(), "{one} {two}");
            }
            assert_eq!(kept(one).value(), kept(&long(one)).value());
        }
        assert!(!Kept::Short(b"{\"a\":".as_slice().into()).is_sound());
    }

    #[test]
    fn a_long_member_is_shown_in_part_and_told_by_all_of_it() {
        let long = |last: &str| format!(r#"{{"a":"{}{last}","b":1}}"#, "é".repeat(5000));
        let words = differing(&long("x"), &long("y")).expect("they differ");
        assert!(words.starts_with("a = \"éé") && words.ends_with("é…\"") && words.len() < 300, "{words}");
        assert_eq!(differing(&long("x"), &long("x")), None);
        assert_eq!(kept(&long("x")).value(), Some(serde_json::json!({"b": 1})));
        assert_eq!(kept(r#"{"a": [1, "\\\" "]}"#).value(), Some(serde_json::json!({"a": [1, "\\\" "]})));
    }

    #[test]
    fn what_has_something_unreadable_inside_is_not_kept() {
        let container = Container { raw: br#"{"a":1}"#, is_whole: false };
        assert_eq!(Kept::of(Field::Container(container)), None);
        assert_eq!(kept(r#"{"a":2}"#).difference(Field::Container(container), &[]), None);
    }
}
