//! JSON text → a tree that knows where every key and value stands.
//!
//! Strict RFC 8259, nothing is repaired. A tree is made only for what a finding may have to point at;
//! the values themselves stay in the source text. What strict parsers disagree on (duplicate keys, lone
//! surrogates) is collected beside the tree, because the event is still judged.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

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
    /// The member of this object with this (unescaped) name; the last one, if there are several.
    pub fn member<'n>(&'n self, text: &[u8], name: &str) -> Option<&'n Member> {
        match &self.kind {
            Kind::Object(members) => {
                members.iter().rev().find(|member| *unescaped(inner(text, &member.key)) == *name.as_bytes())
            }
            _ => None,
        }
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
            let next = match &node.kind {
                Kind::Array(items) => items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| item.span.contains(&at))
                    .map(|(index, item)| (index.to_string(), item)),
                Kind::Object(members) => members
                    .iter()
                    .find(|member| (member.key.start..member.value.span.end).contains(&at))
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

/// What stands between the quotes of a string that stands at `span`.
pub fn inner<'t>(text: &'t [u8], span: &Range<usize>) -> &'t [u8] {
    &text[span.start + 1..span.end - 1]
}

/// Raw string content → its text. A lone surrogate becomes the three bytes that UTF-8 would give it if
/// it could (WTF-8), so that the halves of a pair can be compared.
pub fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        at += unescape_one(raw, at, &mut out);
    }
    Cow::Owned(out)
}

/// Appends what stands at `at` in raw string content and says how many raw bytes that was.
pub fn unescape_one(raw: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    if raw[at] != b'\\' {
        out.push(raw[at]);
        return 1;
    }
    let simple = match raw.get(at + 1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'u') => {
            let Some(unit) = code_unit(raw, at) else {
                out.push(b'\\');
                return 1;
            };
            if is_high(unit)
                && let Some(low) = code_unit(raw, at + 6)
                && is_low(low)
            {
                let code = 0x10000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                push_code(out, code);
                return 12;
            }
            push_code(out, u32::from(unit));
            return 6;
        }
        Some(other) => *other,
        None => b'\\',
    };
    out.push(simple);
    2
}

fn push_code(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        // A lone surrogate: three bytes, as UTF-8 would encode the number.
        None => out.extend_from_slice(&[
            0xE0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3F) as u8,
            0x80 | (code & 0x3F) as u8,
        ]),
    }
}

/// Raw string content → text, lone surrogates replaced.
pub fn unescaped_lossy(raw: &[u8]) -> Cow<'_, str> {
    match unescaped(raw) {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
            Ok(text) => text,
            // The three bytes of a lone surrogate are three faults to UTF-8, but one character here.
            Err(error) => String::from_utf8_lossy(error.as_bytes()).replace("\u{FFFD}\u{FFFD}\u{FFFD}", "\u{FFFD}"),
        }),
    }
}

/// The UTF-16 unit of a `\uXXXX` escape at `at`.
fn code_unit(raw: &[u8], at: usize) -> Option<u16> {
    let digits = raw.get(at..at + 6)?;
    if digits[0] != b'\\' || digits[1] != b'u' || !digits[2..].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
}

fn is_high(unit: u16) -> bool {
    (0xD800..0xDC00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xDC00..0xE000).contains(&unit)
}

/// Whether raw string content starts with the low half of a surrogate pair.
pub fn starts_with_low(raw: &[u8]) -> bool {
    code_unit(raw, 0).is_some_and(is_low)
}

/// Whether raw string content ends with the high half of a surrogate pair.
pub fn ends_with_high(raw: &[u8]) -> bool {
    let Some(at) = raw.len().checked_sub(6) else {
        return false;
    };
    // An even run of backslashes before it leaves the escape's own one unescaped.
    let before = raw[..at].iter().rev().take_while(|&&b| b == b'\\').count();
    before % 2 == 0 && code_unit(raw, at).is_some_and(is_high)
}

/// Reads one JSON text, which must be valid UTF-8.
pub fn parse(text: &[u8]) -> Result<Tree, Fault> {
    let mut parser = Parser { text, at: 0, depth: 0, duplicate_keys: Vec::new(), lone_surrogates: Vec::new() };
    parser.space();
    let root = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        let end = text[parser.at..].iter().position(|b| b.is_ascii_whitespace());
        let end = end.map_or(text.len(), |n| parser.at + n);
        return Err(Fault {
            kind: FaultKind::Invalid,
            at: parser.at..end,
            message: "the value is complete, yet more text follows it".to_owned(),
        });
    }
    Ok(Tree { root, duplicate_keys: parser.duplicate_keys, lone_surrogates: parser.lone_surrogates })
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    duplicate_keys: Vec<(Range<usize>, Range<usize>)>,
    lone_surrogates: Vec<Range<usize>>,
}

impl Parser<'_> {
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// A fault at the current place: what was found there, and what was expected.
    fn expected(&self, what: &str) -> Fault {
        let Some(&byte) = self.text.get(self.at) else {
            return Fault {
                kind: FaultKind::Incomplete,
                at: self.at..self.at,
                message: format!("it stops here, where {what} is expected"),
            };
        };
        let rest = &self.text[self.at..];
        let length = match std::str::from_utf8(&rest[..rest.len().min(4)]) {
            Ok(text) => text.chars().next().map_or(1, char::len_utf8),
            Err(error) if error.valid_up_to() > 0 => std::str::from_utf8(&rest[..error.valid_up_to()])
                .ok()
                .and_then(|text| text.chars().next())
                .map_or(1, char::len_utf8),
            Err(_) => 1,
        };
        let found = match byte {
            b'\n' | b'\r' => "the line ends here".to_owned(),
            0..=0x1F => format!("the control character U+{byte:04X} stands here"),
            _ => format!("`{}` stands here", String::from_utf8_lossy(&rest[..length])),
        };
        Fault {
            kind: FaultKind::Invalid,
            at: self.at..self.at + length,
            message: format!("{found}, where {what} is expected"),
        }
    }

    fn value(&mut self) -> Result<Node, Fault> {
        let start = self.at;
        let kind = match self.text.get(self.at) {
            Some(b'{') => self.object()?,
            Some(b'[') => self.array()?,
            Some(b'"') => {
                self.string()?;
                Kind::String
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(self.expected("a value")),
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, Fault> {
        let rest = &self.text[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(kind);
        }
        if word.as_bytes().starts_with(rest) {
            self.at = self.text.len();
        }
        Err(self.expected("a value"))
    }

    fn descend(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault {
                kind: FaultKind::TooDeep,
                at: self.at..self.at + 1,
                message: format!("arrays and objects stand more than {MAX_DEPTH} deep in each other"),
            });
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn ascend(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn array(&mut self) -> Result<Kind, Fault> {
        self.descend()?;
        let mut items = Vec::new();
        if self.text.get(self.at) == Some(&b']') {
            self.ascend();
            return Ok(Kind::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            match self.text.get(self.at) {
                Some(b',') => {
                    self.at += 1;
                    self.space();
                }
                Some(b']') => {
                    self.ascend();
                    return Ok(Kind::Array(items));
                }
                _ => return Err(self.expected("`,` or `]`")),
            }
        }
    }

    fn object(&mut self) -> Result<Kind, Fault> {
        self.descend()?;
        let mut members: Vec<Member> = Vec::new();
        if self.text.get(self.at) == Some(&b'}') {
            self.ascend();
            return Ok(Kind::Object(members));
        }
        loop {
            if self.text.get(self.at) != Some(&b'"') {
                return Err(self.expected("a key in double quotes"));
            }
            let key = self.at;
            self.string()?;
            let key = key..self.at;
            self.space();
            if self.text.get(self.at) != Some(&b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            self.space();
            let value = self.value()?;
            members.push(Member { key, value });
            self.space();
            match self.text.get(self.at) {
                Some(b',') => {
                    self.at += 1;
                    self.space();
                }
                Some(b'}') => {
                    self.ascend();
                    self.find_duplicates(&members);
                    return Ok(Kind::Object(members));
                }
                _ => return Err(self.expected("`,` or `}`")),
            }
        }
    }

    fn find_duplicates(&mut self, members: &[Member]) {
        let mut seen: HashSet<Cow<'_, [u8]>> = HashSet::with_capacity(members.len());
        for member in members {
            let name = unescaped(inner(self.text, &member.key));
            if seen.contains(&name) {
                let first = members.iter().find(|m| unescaped(inner(self.text, &m.key)) == name);
                let first = first.map_or(member.key.clone(), |m| m.key.clone());
                self.duplicate_keys.push((first, member.key.clone()));
            } else {
                seen.insert(name);
            }
        }
    }

    fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..=0x1F) => return Err(self.expected("the rest of a string, with control characters escaped,")),
                Some(_) => self.at += 1,
                None => return Err(self.expected("the rest of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        match self.text.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {}
            _ => {
                self.at += 1;
                return Err(self.expected(r#"one of `"`, `\`, `/`, `b`, `f`, `n`, `r`, `t`, `u` after a backslash"#));
            }
        }
        let Some(unit) = code_unit(self.text, start) else {
            self.at += 2;
            while self.text.get(self.at).is_some_and(u8::is_ascii_hexdigit) {
                self.at += 1;
            }
            return Err(self.expected("four hexadecimal digits after `\\u`"));
        };
        self.at += 6;
        if is_high(unit) && code_unit(self.text, self.at).is_some_and(is_low) {
            self.at += 6;
        } else if is_high(unit) || is_low(unit) {
            self.lone_surrogates.push(start..self.at);
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.text[self.at] == b'-' {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.expected("a digit")),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        let digits = &self.text[start..self.at];
        let in_range =
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<f64>().ok()).is_some_and(f64::is_finite);
        if in_range {
            return Ok(());
        }
        Err(Fault {
            kind: FaultKind::OutOfRange,
            at: start..self.at,
            message: "this number is larger than a 64-bit floating-point number can hold".to_owned(),
        })
    }

    fn digits(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        if !self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            return Err(self.expected("a digit"));
        }
        self.digits();
        Ok(())
    }
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
