//! JSON Pointers (RFC 6901).

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A JSON Pointer into an event, as its unescaped segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(pub Vec<String>);

impl Pointer {
    /// The most segments of a pointer: no value that is read is further inside.
    const MOST: usize = 1000;

    /// Parses a pointer such as `/payload/session_id`; the empty text is the whole event. `None` if any other text does
    /// not start with `/`, or if it is longer than any that leads to a value.
    pub fn parse(text: &str) -> Option<Pointer> {
        if text.is_empty() {
            return Some(Pointer::default());
        }
        if text.bytes().filter(|byte| *byte == b'/').count() > Pointer::MOST {
            return None;
        }
        let segments = text.strip_prefix('/')?.split('/');
        Some(Pointer(segments.map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// Returns the pointer in the notation of RFC 6901.
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

    /// Returns the pointer of a member or an item of the value at this pointer.
    pub fn child(&self, segment: &str) -> Pointer {
        let mut segments = self.0.clone();
        segments.push(segment.to_owned());
        Pointer(segments)
    }

    /// Returns the pointer that applies `other` to the value at this pointer.
    pub fn join(&self, other: &Pointer) -> Pointer {
        Pointer(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Returns the pointer to the object or array around the value; `None` if this is the root.
    pub fn parent(&self) -> Option<Pointer> {
        self.0.split_last().map(|(_, around)| Pointer(around.to_vec()))
    }

    /// Returns whether `other` points at the value at this pointer, or inside it.
    pub fn contains(&self, other: &Pointer) -> bool {
        // Compared from the end: pointers into one event begin alike.
        other.0.get(..self.0.len()).is_some_and(|start| start.iter().rev().eq(self.0.iter().rev()))
    }

    /// Returns the name of the field in the notation that specifications use: `payload.results[0].ok`. An empty name is
    /// `payload[""]`.
    pub fn dotted(&self) -> String {
        let mut text = String::new();
        for (index, segment) in self.0.iter().enumerate() {
            if segment.is_empty() {
                text.push_str("[\"\"]");
            } else if segment.bytes().all(|byte| byte.is_ascii_digit()) {
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

/// A pointer with its texts, which many findings share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenderedPointer {
    pointer: Pointer,
    /// The result of [`Pointer::text`].
    pub text: Arc<str>,
    /// The result of [`Pointer::dotted`].
    pub dotted: Arc<str>,
}

impl From<Pointer> for RenderedPointer {
    fn from(pointer: Pointer) -> RenderedPointer {
        RenderedPointer { text: pointer.text().into(), dotted: pointer.dotted().into(), pointer }
    }
}

impl Deref for RenderedPointer {
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
        assert_eq!(Pointer::parse("/payload/").expect("valid").dotted(), "payload[\"\"]");
    }
}
