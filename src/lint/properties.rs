//! Properties of the canonical form and of fixes that hold for every fixture.

use proptest::prelude::*;
use sessionlint_core::check;
use sessionlint_core::event::Options;
use sessionlint_core::input::json::{Node, NodeKind, inner, parse};
use sessionlint_core::input::{Piece, Wire};
use sessionlint_core::protocol::Protocol;

use super::canonical::{FixtureReader, canonical_form};
use super::fix::{Level, Tally, fix};
use crate::generate::{StreamOptions, breakable, illegal, legal, mutated, tape, wild};

fn protocol() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

/// Pseudo-random numbers from a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

/// Appends a value to `out` with its members in another order, with added white space, and with date-times in other
/// spellings.
fn scrambled(text: &[u8], node: &Node, numbers: &mut Numbers, spaces: &[&str], out: &mut String) {
    let raw = std::str::from_utf8(&text[node.span.clone()]).expect("what is made is text");
    let space = |numbers: &mut Numbers, out: &mut String| out.push_str(spaces[numbers.below(spaces.len())]);
    match &node.kind {
        NodeKind::Object(members) => {
            let mut rest: Vec<_> = members.iter().collect();
            out.push('{');
            for number in 0..members.len() {
                let member = rest.remove(numbers.below(rest.len()));
                out.push_str(if number > 0 { "," } else { "" });
                space(numbers, out);
                out.push_str(std::str::from_utf8(&text[member.key.clone()]).expect("text"));
                space(numbers, out);
                out.push(':');
                scrambled(text, &member.value, numbers, spaces, out);
            }
            space(numbers, out);
            out.push('}');
        }
        NodeKind::Array(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                out.push_str(if number > 0 { "," } else { "" });
                space(numbers, out);
                scrambled(text, item, numbers, spaces, out);
            }
            out.push(']');
        }
        NodeKind::String if raw.ends_with("Z\"") && raw.starts_with("\"20") && numbers.below(3) == 0 => {
            let spelt = raw.replace('T', ["T", "t"][numbers.below(2)]).replace('Z', ["z", "+00:00"][numbers.below(2)]);
            out.push_str(&spelt);
        }
        _ => out.push_str(raw),
    }
}

/// Returns the events of a stream in one of the wire forms: the name of a file, and its bytes.
fn written(lines: &[Vec<u8>], seed: u64) -> (&'static str, Vec<u8>) {
    let mut numbers = Numbers(seed);
    let end = ["\n", "\r\n"][numbers.below(2)];
    let form = numbers.below(6);
    let spaces: &[&str] = match form {
        1 | 2 | 5 => &["", " ", "\n  ", "\t"],
        _ => &["", "", " ", "\t"],
    };
    let events: Vec<_> = lines
        .iter()
        .map(|line| match parse(line) {
            Ok(tree) if tree.duplicate_keys.is_empty() && std::str::from_utf8(line).is_ok() => {
                let mut event = String::new();
                scrambled(line, &tree.root, &mut numbers, spaces, &mut event);
                event.into_bytes()
            }
            _ => line.clone(),
        })
        .collect();
    let joined = |before: &str, behind: &str| {
        events.iter().flat_map(|event| [before.as_bytes(), event, behind.as_bytes()].concat()).collect()
    };
    match form {
        0 => ("a.ndjson", joined(["", " "][numbers.below(2)], [end, &[end, end].concat()][numbers.below(2)])),
        1 => ("a.jsonl", joined("", end)),
        2 => ("a.json", [b"[", &events.join(&b",\n"[..])[..], b" ]"].concat()),
        3 => ("a.sse", joined("data: ", &[end, end].concat())),
        4 => ("a.ndjson", joined("{\"params\": ", &format!(",\"jsonrpc\":\"2.0\"}}{end}"))),
        _ => ("a.json", joined("", end)),
    }
}

fn reader(name: &str) -> FixtureReader<'static> {
    FixtureReader::of(protocol(), &Options::default(), name, None)
}

/// Returns the leaves of a frame with their paths, or the bytes of the frame if it is not JSON. Date-times are in their
/// canonical spelling.
fn leaves(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    fn collect(text: &[u8], node: &Node, path: &[u8], out: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        match &node.kind {
            NodeKind::Object(members) if !members.is_empty() => {
                for member in members {
                    collect(text, &member.value, &[path, b"/", inner(text, &member.key)].concat(), out);
                }
            }
            NodeKind::Array(items) if !items.is_empty() => {
                for (number, item) in items.iter().enumerate() {
                    collect(text, item, &[path, b"/", number.to_string().as_bytes()].concat(), out);
                }
            }
            NodeKind::Object(_) => out.push((path.to_vec(), b"{}".to_vec())),
            NodeKind::Array(_) => out.push((path.to_vec(), b"[]".to_vec())),
            _ if path.ends_with(b"/timestamp") => {
                let raw = String::from_utf8_lossy(&text[node.span.clone()]).to_uppercase().replace("+00:00\"", "Z\"");
                out.push((path.to_vec(), raw.into_bytes()));
            }
            _ => out.push((path.to_vec(), text[node.span.clone()].to_vec())),
        }
    }
    let mut out = Vec::new();
    match std::str::from_utf8(text).ok().and_then(|_| parse(text).ok()) {
        Some(tree) => collect(text, &tree.root, b"", &mut out),
        None => out.push((Vec::new(), text.to_vec())),
    }
    out.sort();
    out
}

/// Returns the leaves of each frame of a file.
fn all_leaves(reader: &FixtureReader<'_>, bytes: &[u8], wire: Wire) -> Vec<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut all = Vec::new();
    reader.pieces(bytes, wire, &mut |piece| {
        if let Piece::Frame(frame) = piece {
            all.push(leaves(frame.text));
        }
    });
    all
}

/// Asserts what must hold for every fixture. `readable`: whether each of its frames is JSON.
fn holds(name: &str, bytes: &[u8], readable: bool) {
    let reader = reader(name);
    // Events that are spelled alike in the end come a second time, word for word: each is judged here.
    let options = || Options::default().with_excerpts(false).with_severities([("repeated-events".to_owned(), None)]);
    let judge = |bytes: &[u8]| check(protocol(), bytes, options());
    let before = Tally::of(&judge(bytes));
    if let Some(canonical) = canonical_form(&reader, bytes) {
        let shown = String::from_utf8_lossy(&canonical.bytes).into_owned();
        assert!(super::canonical::canonical_form(&reader, &canonical.bytes).is_none(), "twice is once: {shown}");
        assert!(canonical.first.at.end <= bytes.len() && canonical.changes.counts().count() > 0);
        let (old, new) = (reader.wire_of(bytes), reader.wire_of(&canonical.bytes));
        assert!(all_leaves(&reader, bytes, old) == all_leaves(&reader, &canonical.bytes, new), "{shown}");
        if readable {
            assert_eq!(before, Tally::of(&judge(&canonical.bytes)), "{shown}");
        }
    }
    let safe = fix(&reader, &judge, bytes, Level::Safe).bytes.unwrap_or_else(|| bytes.to_vec());
    assert_eq!(Tally::of(&judge(&safe)), before);
    assert!(fix(&reader, &judge, &safe, Level::Safe).bytes.is_none());
    let mended = fix(&reader, &judge, bytes, Level::Unsafe);
    let by_rules = mended.applied.keys().any(|what| protocol().rule(what).is_some());
    let mended = mended.bytes.unwrap_or_else(|| bytes.to_vec());
    let after = Tally::of(&judge(&mended));
    assert!(if by_rules { after.is_better_than(&before) } else { after == before });
    let again = fix(&reader, &judge, &mended, Level::Unsafe);
    assert!(again.bytes.is_none(), "{}\n{:?}", String::from_utf8_lossy(&mended), again.applied);
}

const OPTIONS: fn() -> StreamOptions = || StreamOptions { events: 14, sessions: 2, ..StreamOptions::default() };

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn legal_streams_keep_their_meaning(seed: u64, form: u64) {
        let stream = legal(protocol(), &OPTIONS(), &tape(seed, 400));
        let (name, bytes) = written(&stream.lines, form);
        holds(name, &bytes, true);
    }

    #[test]
    fn wild_streams_keep_their_meaning(seed: u64, form: u64) {
        let stream = wild(protocol(), &OPTIONS(), &tape(seed, 400));
        let (name, bytes) = written(&stream.lines, form);
        holds(name, &bytes, true);
    }

    #[test]
    fn broken_streams_lose_nothing(seed: u64, form: u64, which: prop::sample::Index) {
        let rules: Vec<_> = breakable(protocol()).map(|rule| rule.name.clone()).collect();
        let rule = &rules[which.index(rules.len())];
        let legal = legal(protocol(), &OPTIONS(), &tape(seed, 400));
        let broken = mutated(protocol(), rule, &legal.lines, &tape(seed ^ 1, 400));
        if let Some(stream) = broken.or_else(|| illegal(protocol(), rule, &StreamOptions { events: 8, ..StreamOptions::default() }, &tape(seed, 200))) {
            let (name, bytes) = written(&stream.lines, form);
            holds(name, &bytes, false);
            holds("a.ndjson", &stream.ndjson(), false);
        }
    }

    #[test]
    fn what_was_damaged_loses_nothing(seed: u64, form: u64, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..5)) {
        let stream = legal(protocol(), &OPTIONS(), &tape(seed, 200));
        let (name, mut bytes) = written(&stream.lines, form);
        for (at, byte, how) in edits {
            if bytes.is_empty() { break }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\"{}[]:,\n\r \\"[usize::from(byte) % 11]),
            }
        }
        holds(name, &bytes, false);
    }

    #[test]
    fn any_bytes_come_through(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}:,\"a1 \r\n\u{feff}]{0,60}", which in 0usize..4) {
        let name = ["a.ndjson", "a.json", "a.sse", "a"][which];
        holds(name, &bytes, false);
        holds(name, text.as_bytes(), false);
        holds(name, format!("data: {text}").as_bytes(), false);
    }
}
