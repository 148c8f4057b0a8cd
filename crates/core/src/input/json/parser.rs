//! JSON text → a tree, or where and why it is not JSON.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use crate::bytes::{contains, equal, skip_plain};

use super::space::{character_at, foreign_space_at, is_space, space_name};
use super::string::{code_unit, inner, is_high, is_low, unescaped};
use super::{MAX_DEPTH, MAX_VALUES, Member, Node, NodeKind, ParseError, ParseErrorKind, Tree};

/// The most keys of an object that are compared pairwise to find duplicates; with more, a hash map is faster.
const FEW_MEMBERS: usize = 16;

/// Parses one JSON text, which must be valid UTF-8.
///
/// # Errors
///
/// Returns where and why the text is not JSON, is nested deeper than [`MAX_DEPTH`], has more than [`MAX_VALUES`] values,
/// or has a number outside the range of a 64-bit float.
pub fn parse(text: &[u8]) -> Result<Tree, ParseError> {
    Parser::new(text, false).whole()
}

/// Parses one JSON text like [`parse`], but takes `NaN`, `Infinity` and `-Infinity` for numbers, as many writers do, and
/// characters that look like white space for it.
///
/// # Errors
///
/// Like those of [`parse`].
pub(crate) fn parse_leniently(text: &[u8]) -> Result<Tree, ParseError> {
    Parser::new(text, true).whole()
}

/// A fault in the object that [`parse_first`] was to parse.
pub(crate) struct FirstFault {
    pub error: ParseError,
    /// The byte range of the last whole object inside it.
    pub last_object: Option<Range<usize>>,
}

/// Parses the object that starts at `start`, whatever follows it, as [`parse_leniently`] does.
///
/// # Errors
///
/// Like those of [`parse`].
pub(crate) fn parse_first(text: &[u8], start: usize) -> Result<Tree, FirstFault> {
    let mut parser = Parser { at: start, ..Parser::new(text, true) };
    match parser.value() {
        Ok(root) => Ok(parser.tree(root)),
        Err(error) => Err(FirstFault { error, last_object: parser.last_object }),
    }
}

impl<'t> Parser<'t> {
    fn new(text: &'t [u8], lenient: bool) -> Parser<'t> {
        Parser {
            text,
            lenient,
            at: 0,
            depth: 0,
            values: 0,
            last_object: None,
            duplicate_keys: Vec::new(),
            lone_surrogates: Vec::new(),
            not_numbers: Vec::new(),
            foreign_space: None,
        }
    }

    /// Returns the tree of what was parsed.
    fn tree(self, root: Node) -> Tree {
        let Parser { duplicate_keys, lone_surrogates, not_numbers, foreign_space, .. } = self;
        Tree { root, duplicate_keys, lone_surrogates, not_numbers, foreign_space }
    }

    /// Parses the whole text.
    fn whole(mut self) -> Result<Tree, ParseError> {
        let text = self.text;
        let parser = &mut self;
        parser.space();
        let root = parser.value()?;
        parser.space();
        if parser.at < text.len() {
            if let Some(error) = parser.foreign_space_error() {
                return Err(error);
            }
            let end = text[parser.at..].iter().position(|b| b.is_ascii_whitespace());
            let end = end.map_or(text.len(), |n| parser.at + n);
            return Err(ParseError {
                kind: ParseErrorKind::Invalid,
                at: parser.at..end,
                message: "the value is complete, but more text follows it".to_owned(),
            });
        }
        Ok(self.tree(root))
    }
}

/// The state of [`parse`]. Each method for a token starts at `at` and leaves `at` behind the token.
struct Parser<'t> {
    text: &'t [u8],
    /// Whether NaN and Infinity are numbers, and what looks like white space is some.
    lenient: bool,
    /// The offset of the next byte.
    at: usize,
    /// The number of arrays and objects around the next byte.
    depth: usize,
    /// The number of values so far.
    values: usize,
    /// The byte range of the last whole object.
    last_object: Option<Range<usize>>,
    duplicate_keys: Vec<(Range<usize>, Range<usize>)>,
    lone_surrogates: Vec<Range<usize>>,
    not_numbers: Vec<Range<usize>>,
    foreign_space: Option<Range<usize>>,
}

impl Parser<'_> {
    /// Skips white space.
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        if self.lenient && self.text.get(self.at).is_some_and(|byte| *byte > b'}' || *byte < b' ') {
            self.skip_foreign_space();
        }
    }

    /// Skips what looks like white space, together with white space, if the next character is such.
    #[cold]
    fn skip_foreign_space(&mut self) {
        let start = self.at;
        let Some(first) = foreign_space_at(self.text, start) else { return };
        self.foreign_space.get_or_insert(start..start + first.len_utf8());
        loop {
            match foreign_space_at(self.text, self.at) {
                Some(character) => self.at += character.len_utf8(),
                None if self.text.get(self.at).is_some_and(is_space) => self.at += 1,
                None => return,
            }
        }
    }

    /// Returns the error that something stands between two tokens that only looks like white space; `None` if nothing does.
    fn foreign_space_error(&self) -> Option<ParseError> {
        let space = foreign_space_at(self.text, self.at)?;
        Some(ParseError {
            kind: ParseErrorKind::Invalid,
            at: self.at..self.at + space.len_utf8(),
            message: format!("{} is not allowed here", space_name(space)),
        })
    }

    /// Returns the error that the next byte is not the start of the token `what`.
    fn expected_token(&self, what: &str) -> ParseError {
        self.foreign_space_error().unwrap_or_else(|| self.expected(what))
    }

    /// Returns the error that the next byte is not the start of `what`.
    fn expected(&self, what: &str) -> ParseError {
        let Some(&byte) = self.text.get(self.at) else {
            return ParseError {
                kind: ParseErrorKind::Incomplete,
                at: self.at..self.at,
                message: format!("expected {what}, but it ends here"),
            };
        };
        let rest = &self.text[self.at..];
        let length = character_at(rest, 0).map_or(1, char::len_utf8);
        let found = match byte {
            b'\n' | b'\r' => "the end of the line".to_owned(),
            0..=0x1F => format!("the control character U+{byte:04X}"),
            _ => format!("`{}`", String::from_utf8_lossy(&rest[..length])),
        };
        ParseError {
            kind: ParseErrorKind::Invalid,
            at: self.at..self.at + length,
            message: format!("expected {what}, found {found}"),
        }
    }

    /// Parses a value.
    fn value(&mut self) -> Result<Node, ParseError> {
        let start = self.at;
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(self.too_many());
        }
        let kind = match self.text.get(self.at) {
            Some(b'{') => {
                let kind = self.object()?;
                self.last_object = Some(start..self.at);
                kind
            }
            Some(b'[') => self.array()?,
            Some(b'"') => {
                self.string()?;
                NodeKind::String
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                NodeKind::Number
            }
            Some(b't') => self.word("true", NodeKind::Bool(true))?,
            Some(b'f') => self.word("false", NodeKind::Bool(false))?,
            Some(b'n') => self.word("null", NodeKind::Null)?,
            Some(b'N' | b'I') if self.not_a_number() => NodeKind::Number,
            _ => return Err(self.expected_token("a value")),
        };
        Ok(Node { span: start..self.at, kind })
    }

    /// Returns the error that the text has too many values.
    #[cold]
    fn too_many(&self) -> ParseError {
        ParseError {
            kind: ParseErrorKind::TooMany,
            at: self.at..self.at + 1,
            message: format!("this line has more than {MAX_VALUES} values and was not read"),
        }
    }

    /// Parses `word`, which is a value of this kind.
    fn word(&mut self, word: &str, kind: NodeKind) -> Result<NodeKind, ParseError> {
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

    /// Parses a number that JSON does not have, if it is one and they are allowed.
    fn not_a_number(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let word = [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter().find(|word| rest.starts_with(word));
        let Some(word) = word.filter(|_| self.lenient) else { return false };
        self.not_numbers.push(self.at..self.at + word.len());
        self.at += word.len();
        true
    }

    /// Enters an array or an object, and skips white space.
    fn descend(&mut self) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ParseError {
                kind: ParseErrorKind::TooDeep,
                at: self.at..self.at + 1,
                message: format!("arrays and objects are nested more than {MAX_DEPTH} levels deep"),
            });
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Leaves an array or an object.
    fn ascend(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Parses an array.
    fn array(&mut self) -> Result<NodeKind, ParseError> {
        self.descend()?;
        let mut items = Vec::new();
        if self.text.get(self.at) == Some(&b']') {
            self.ascend();
            return Ok(NodeKind::Array(items));
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
                    return Ok(NodeKind::Array(items));
                }
                _ => return Err(self.expected_token("`,` or `]`")),
            }
        }
    }

    /// Parses an object.
    fn object(&mut self) -> Result<NodeKind, ParseError> {
        self.descend()?;
        let mut members: Vec<Member> = Vec::new();
        if self.text.get(self.at) == Some(&b'}') {
            self.ascend();
            return Ok(NodeKind::Object(members));
        }
        loop {
            if self.text.get(self.at) != Some(&b'"') {
                return Err(self.expected_token("a key in double quotes"));
            }
            let key = self.at;
            self.string()?;
            let key = key..self.at;
            self.space();
            if self.text.get(self.at) != Some(&b':') {
                return Err(self.expected_token("`:`"));
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
                    return Ok(NodeKind::Object(members));
                }
                _ => return Err(self.expected_token("`,` or `}`")),
            }
        }
    }

    /// Collects the duplicate keys of an object.
    fn find_duplicates(&mut self, members: &[Member]) {
        if members.len() <= FEW_MEMBERS {
            let plain = |member: &Member| !contains(inner(self.text, &member.key), b'\\');
            let same_key =
                |one: &Member, other: &Member| equal(inner(self.text, &one.key), inner(self.text, &other.key));
            let mut later = members.iter().enumerate();
            if later.all(|(index, member)| plain(member) && !members[..index].iter().any(|one| same_key(one, member))) {
                return;
            }
        }
        let mut seen: HashMap<Cow<'_, [u8]>, &Range<usize>> = HashMap::with_capacity(members.len());
        for member in members {
            match seen.entry(unescaped(inner(self.text, &member.key))) {
                Entry::Occupied(first) => self.duplicate_keys.push(((*first.get()).clone(), member.key.clone())),
                Entry::Vacant(new) => {
                    new.insert(&member.key);
                }
            }
        }
    }

    /// Parses a string.
    fn string(&mut self) -> Result<(), ParseError> {
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(byte @ 0..=0x1F) => {
                    let mut error = self.expected("the rest of a string");
                    if !matches!(byte, b'\n' | b'\r') {
                        error.message.push_str(", which must be escaped");
                    }
                    return Err(error);
                }
                Some(_) => self.at = skip_plain(self.text, self.at),
                None => {
                    let message = "it stops here, in the middle of a string".to_owned();
                    return Err(ParseError { kind: ParseErrorKind::Incomplete, at: self.at..self.at, message });
                }
            }
        }
    }

    /// Parses an escape, and collects it if it is a lone surrogate.
    fn escape(&mut self) -> Result<(), ParseError> {
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

    /// Parses a number.
    fn number(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        if self.text[self.at] == b'-' {
            if self.not_a_number() {
                return Ok(());
            }
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
        Err(ParseError {
            kind: ParseErrorKind::OutOfRange,
            at: start..self.at,
            message: "this number is out of range for a 64-bit floating-point number".to_owned(),
        })
    }

    /// Parses any number of digits.
    fn digits(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    /// Parses one digit or more.
    fn some_digits(&mut self) -> Result<(), ParseError> {
        if !self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            return Err(self.expected("a digit"));
        }
        self.digits();
        Ok(())
    }
}
