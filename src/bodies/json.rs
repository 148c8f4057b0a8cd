//! Bodies in JSON.

use std::ops::Range;

use sessionlint_core::input::json::{Node, NodeKind, inner, parse, unescape_one, unescaped, unescaped_lossy};

use super::source::{Runs, Source};
use super::walk::{Found, Walker};

/// Walks a document. Returns what was found, with the range in the file of each string and its quotes; `None` if the text
/// is not one JSON text.
pub fn walk(source: &Source) -> Option<Walker<Range<usize>>> {
    let (text, head) = source.content();
    let tree = parse(text.as_bytes()).ok()?;
    let mut walker = Walker::new(true);
    walk_node(&tree.root, text.as_bytes(), head, &mut walker);
    Some(walker)
}

fn walk_node(node: &Node, text: &[u8], head: usize, walker: &mut Walker<Range<usize>>) {
    match &node.kind {
        NodeKind::String => {
            let value = || unescaped_lossy(inner(text, &node.span)).into_owned();
            walker.string(value, false, head + node.span.start..head + node.span.end);
        }
        NodeKind::Array(items) => {
            if walker.begin(true) {
                items.iter().for_each(|item| walk_node(item, text, head, walker));
                walker.end();
            }
        }
        NodeKind::Object(members) => {
            if walker.begin(false) {
                for member in members {
                    walker.key(&unescaped_lossy(inner(text, &member.key)));
                    walk_node(&member.value, text, head, walker);
                }
                walker.end();
            }
        }
        NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number => walker.other(),
    }
}

/// Returns the text of strings, one after another, and where each of its bytes stands.
pub fn text(source: &Source, found: &Found<Range<usize>>) -> (Vec<u8>, Runs) {
    let (mut out, mut runs) = (Vec::new(), Runs::default());
    for span in &found.pieces {
        let raw = inner(source.bytes(), span);
        let mut at = 0;
        while at < raw.len() {
            let plain = memchr::memchr(b'\\', &raw[at..]).unwrap_or(raw.len() - at);
            if plain > 0 {
                out.extend_from_slice(&raw[at..at + plain]);
                runs.add(plain, span.start + 1 + at);
                at += plain;
                continue;
            }
            let before = out.len();
            let length = unescape_one(raw, at, &mut out);
            runs.add_written(out.len() - before, span.start + 1 + at, length);
            at += length;
        }
    }
    (out, runs)
}

/// Returns the text of a string.
pub fn piece(source: &Source, span: &Range<usize>) -> Vec<u8> {
    unescaped(inner(source.bytes(), span)).into_owned()
}
