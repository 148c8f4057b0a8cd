//! Cuts a text that is not JSON into what it is made of: whole objects, the beginnings of objects that break off, and
//! other text.

use std::ops::Range;

use super::json::{ParseErrorKind, Tree, parse_first};

/// A piece of a text that is not JSON.
pub(crate) enum Shard {
    /// A whole object. Its tree has byte ranges of the whole text.
    Object {
        tree: Tree,
        /// Whether an object breaks off before it, of which it may be a part.
        behind_torn: bool,
    },
    /// The beginning of an object that breaks off.
    Torn(Range<usize>),
    /// Anything else, with the white space between the other pieces.
    Text(Range<usize>),
}

/// The pieces of a text, in order. Takes time linear in the length of the text.
pub(crate) struct Shards<'t> {
    text: &'t [u8],
    /// The start of the next piece.
    at: usize,
    /// The object that the next piece is.
    next: Option<Tree>,
    /// Whether an object broke off.
    torn: bool,
}

impl<'t> Shards<'t> {
    /// Cuts a text, which must be valid UTF-8 from its first brace on.
    pub(crate) fn of(text: &'t [u8]) -> Shards<'t> {
        Shards { text, at: 0, next: None, torn: false }
    }

    /// Returns the piece of a whole object, after which the next one begins.
    fn object(&mut self, tree: Tree) -> Shard {
        let span = tree.root.span.clone();
        self.at = self.at.max(span.end);
        // What is followed by punctuation is a part of the object that breaks off.
        let is_inside =
            matches!(self.text[span.end..].trim_ascii_start().first(), Some(b',' | b'}' | b']' | b':' | b'"'));
        if self.torn && is_inside { Shard::Text(span) } else { Shard::Object { tree, behind_torn: self.torn } }
    }

    /// Returns whether an object can begin with the brace at `start`.
    fn may_begin(&self, start: usize) -> bool {
        matches!(self.text[start + 1..].trim_ascii_start().first(), None | Some(b'"' | b'}'))
    }

    /// Returns the brace with which another object begins behind `start`, if the object there has a fault at `fault`.
    fn glued(&self, start: usize, fault: usize) -> Option<usize> {
        let text = self.text;
        // Behind the middle of a string, the first quote of the next object ends the string, and its first key is the
        // fault.
        let before = text[..fault.min(text.len())].trim_ascii_end();
        let before = before.strip_suffix(b"\"").unwrap_or(before).trim_ascii_end();
        let is_brace = |at: &usize| *at > start && text.get(*at) == Some(&b'{');
        let behind_string = before.len().checked_sub(1).filter(is_brace);
        let here = Some(fault).filter(is_brace);
        let later = || memchr::memchr(b'{', text.get(fault.max(start + 1)..)?).map(|at| fault.max(start + 1) + at);
        here.or(behind_string).or_else(later)
    }
}

impl Iterator for Shards<'_> {
    type Item = Shard;

    fn next(&mut self) -> Option<Shard> {
        if let Some(tree) = self.next.take() {
            return Some(self.object(tree));
        }
        let (at, end) = (self.at, self.text.len());
        let rest = self.text.get(at..).filter(|rest| !rest.is_empty())?;
        let Some(start) = memchr::memchr(b'{', rest).map(|brace| at + brace) else {
            self.at = end;
            return Some(Shard::Text(at..end));
        };
        if start > at {
            self.at = start;
            return Some(Shard::Text(at..start));
        }
        if !self.may_begin(start) {
            self.at = start + 1;
            return Some(Shard::Text(start..start + 1));
        }
        let fault = match parse_first(self.text, start) {
            Ok(tree) => return Some(self.object(tree)),
            Err(fault) => fault,
        };
        self.torn = true;
        if fault.error.kind == ParseErrorKind::Incomplete {
            self.at = end;
            let last = fault.last_object.filter(|last| last.end == self.text.trim_ascii_end().len());
            let Some(last) = last.filter(|last| last.start > start) else { return Some(Shard::Torn(start..end)) };
            self.next = parse_first(self.text, last.start).ok();
            return Some(Shard::Torn(start..last.start));
        }
        self.at = self.glued(start, fault.error.at.start).unwrap_or(end);
        Some(Shard::Torn(start..self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the pieces: `=` before a whole object, `?` before one that may be a part of one that breaks off, `~`
    /// before that one.
    fn cut(text: &str) -> Vec<String> {
        let piece = |shard| match shard {
            Shard::Object { tree, behind_torn } => {
                format!("{}{}", if behind_torn { "?" } else { "=" }, &text[tree.root.span])
            }
            Shard::Torn(span) => format!("~{}", &text[span]),
            Shard::Text(span) => text[span].to_owned(),
        };
        Shards::of(text.as_bytes()).map(piece).collect()
    }

    #[test]
    fn whole_objects_are_found_among_other_text() {
        assert_eq!(cut(r#"{"a":1}{"b":2} {"c":3}"#), [r#"={"a":1}"#, r#"={"b":2}"#, " ", r#"={"c":3}"#]);
        assert_eq!(cut(r#"12:00 INFO {"a":{"b":1}} done"#), ["12:00 INFO ", r#"={"a":{"b":1}}"#, " done"]);
        assert_eq!(cut(r#"ctx={a} {"a":1}"#), ["ctx=", "{", "a} ", r#"={"a":1}"#]);
        assert_eq!(cut(r#"{"a":x,"b":{"c":1}}"#), [r#"~{"a":x,"b":"#, r#"{"c":1}"#, "}"]);
        assert_eq!(cut("no brace"), ["no brace"]);
    }

    #[test]
    fn an_object_that_breaks_off_anywhere_does_not_swallow_the_next() {
        let whole = r#"{"a\n":"b\u00e9{}","c":[1.5e1,true,null,{"d":[]}],"e":{"f":-1}}"#;
        let next = r#"{ "type":"x","y":"{z"}"#;
        for end in 1..whole.len() {
            let found = cut(&format!("{}{next}", &whole[..end]));
            let last = found.last().expect("there are pieces");
            // A brace alone is not the beginning of an object yet.
            let mark = if end == 1 { "=" } else { "?" };
            assert_eq!(*last, format!("{mark}{next}"), "{end}: {found:?}");
        }
    }

    #[test]
    fn a_text_of_braces_takes_linear_time() {
        for piece in ["{", "{\"a\":", "{}", "{\"", "[{", "{\"a\":{}", "{ "] {
            let text = piece.repeat(200_000);
            let covered: usize = Shards::of(text.as_bytes())
                .map(|shard| match shard {
                    Shard::Object { tree, .. } => tree.root.span.len(),
                    Shard::Torn(span) | Shard::Text(span) => span.len(),
                })
                .sum();
            assert_eq!(covered, text.len(), "{piece}");
        }
    }
}
