//! JSON Pointers (RFC 6901).

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A pointer into an event, as its unescaped segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(pub Vec<String>);

impl Pointer {
    /// Reads a pointer such as `/payload/session_id`; the empty text is the whole event.
    pub fn parse(text: &str) -> Option<Pointer> {
        if text.is_empty() {
            return Some(Pointer::default());
        }
        let segments = text.strip_prefix('/')?.split('/');
        Some(Pointer(segments.map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// The pointer as RFC 6901 writes it.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.0.iter().map(|segment| segment.len() + 1).sum());
        for segment in &self.0 {
            text.push('/');
            if segment.contains(['~', '/']) {
                text.push_str(&segment.replace('~', "~0").replace('/', "~1"));
            } else {
                text.push_str(segment);
            }
        }
        text
    }

    /// The pointer of a member or item of what this one points at.
    pub fn child(&self, segment: &str) -> Pointer {
        let mut segments = self.0.clone();
        segments.push(segment.to_owned());
        Pointer(segments)
    }

    /// The pointer that starts with this one and goes on with `other`.
    pub fn join(&self, other: &Pointer) -> Pointer {
        Pointer(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Whether `other` is this one, or inside of it.
    pub fn holds(&self, other: &Pointer) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The way the document names a field: `payload.results[0].ok`.
    pub fn dotted(&self) -> String {
        let mut text = String::new();
        for (index, segment) in self.0.iter().enumerate() {
            if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
                text.extend(["[", segment, "]"]);
            } else {
                text.extend([if index > 0 { "." } else { "" }, segment]);
            }
        }
        text
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A pointer that findings are told with, and the texts of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pointer: Pointer,
    /// As [`Pointer::text`] gives it.
    pub text: Arc<str>,
    /// As [`Pointer::dotted`] gives it.
    pub dotted: Arc<str>,
}

impl From<Pointer> for Written {
    fn from(pointer: Pointer) -> Written {
        Written { text: pointer.text().into(), dotted: pointer.dotted().into(), pointer }
    }
}

impl Deref for Written {
    type Target = Pointer;

    fn deref(&self) -> &Pointer {
        &self.pointer
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn pointers_are_read_and_written_alike() {
        for text in ["", "/a", "/a/0/b~1c~0d", "/"] {
            assert_eq!(Pointer::parse(text).expect("valid").to_string(), text);
        }
        assert_eq!(Pointer::parse("a"), None);
        assert_eq!(Pointer::parse("/payload/results/0/ok").expect("valid").dotted(), "payload.results[0].ok");
    }
}
