//! What makes a finding the same one in the next run, for tools that compare runs.

use std::collections::HashMap;

#[cfg(feature = "proptest")]
use sessionlint_core::finding::Kind;
use sessionlint_core::finding::{Finding, without_index};

use super::plain_path;

/// More kinds of findings than this are not told apart, so that memory does not grow with the recording.
const MOST_KINDS: usize = 1 << 16;

/// Gives findings fingerprints, each file's by themselves.
///
/// A fingerprint is made of the rule, the file, the event's type, the pointer without array indices and the words of
/// the message without what it quotes, and of how many findings had all these in common before. So it stays when
/// lines move, and when a recording is made anew with other ids.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// How many findings there were of each kind.
    counts: HashMap<u128, u64>,
}

impl Fingerprints {
    /// The next file begins.
    pub fn next_file(&mut self) {
        self.counts.clear();
    }

    /// The fingerprint of the next finding, in hexadecimal digits.
    pub fn next(&mut self, finding: &Finding) -> String {
        let mut kind = Hash::new();
        kind.part(&finding.rule);
        kind.part(plain_path(finding.file.as_deref().unwrap_or("-")));
        let rest = kind.clone();
        kind.part(finding.event_type.as_deref().unwrap_or_default());
        for segment in finding.pointer.as_deref().unwrap_or_default().split('/') {
            kind.part(without_index(segment));
        }
        for words in unquoted(&finding.message) {
            kind.part(words);
        }
        if self.counts.len() >= MOST_KINDS && !self.counts.contains_key(&kind.0) {
            kind = rest;
        }
        let count = self.counts.entry(kind.0).or_default();
        *count += 1;
        kind.part(&count.to_string());
        format!("{:032x}", kind.0)
    }
}

/// What makes findings of one kind the same in any file, in eight hexadecimal digits.
#[cfg(feature = "proptest")]
pub fn of_kind(kind: &Kind) -> String {
    let mut hash = Hash::new();
    hash.part(&kind.rule);
    hash.part(kind.event_type.as_deref().unwrap_or_default());
    hash.part(kind.pointer.as_deref().unwrap_or_default());
    format!("{:08x}", hash.0 as u32)
}

/// A message's words before and after what it quotes, cut at numbers. What is quoted may hold quotation marks itself.
fn unquoted(message: &str) -> impl Iterator<Item = &str> {
    let (before, after) = match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) => (&message[..first], &message[last + 1..]),
        _ => (message, ""),
    };
    let words = |text| str::split(text, |c: char| c.is_ascii_digit()).filter(|words| !words.is_empty());
    words(before).chain(words(after))
}

/// FNV-1a in 128 bits: it must be the same in every version and on every machine.
#[derive(Clone, Debug)]
struct Hash(u128);

impl Hash {
    fn new() -> Hash {
        Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    /// Adds a part, and its end.
    fn part(&mut self, text: &str) {
        // No UTF-8 text has this byte.
        for byte in text.bytes().chain([0xFF]) {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

#[cfg(test)]
mod tests {
    use sessionlint_core::finding::{Place, Severity};

    use super::*;

    fn finding(message: &str, line: u64, pointer: &str) -> Finding {
        Finding {
            rule: "wrong-type".into(),
            severity: Severity::Error,
            message: message.to_owned(),
            file: Some("a.ndjson".into()),
            place: Place { line, ..Place::default() },
            event_type: Some("session.status".into()),
            stream: None,
            pointer: Some(pointer.into()),
            help: None,
            related: Vec::new(),
            quote: None,
            proposal: None,
        }
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // The hash of "a" alone, from the authors' test vectors.
        let mut hash = Hash::new();
        hash.0 = (hash.0 ^ u128::from(b'a')).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        assert_eq!(hash.0, 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn a_fingerprint_stays_when_lines_ids_and_indices_change_and_only_then() {
        let first = |finding: &Finding| Fingerprints::default().next(finding);
        let same = first(&finding("`x` of call \"c1\" is 5", 3, "/payload/results/0"));
        assert_eq!(same, first(&finding("`x` of call \"an \"other\"\" is 17", 80, "/payload/results/12")));
        for other in [
            finding("`y` of call \"c1\" is 5", 3, "/payload/results/0"),
            finding("`x` of call \"c1\" is 5", 3, "/payload/result/0"),
            Finding { rule: "wrong-value".into(), ..finding("`x` of call \"c1\" is 5", 3, "/payload/results/0") },
            Finding { file: Some("b".into()), ..finding("`x` of call \"c1\" is 5", 3, "/payload/results/0") },
        ] {
            assert_ne!(same, first(&other), "{other:?}");
        }
        let dotted =
            Finding { file: Some("./a.ndjson".into()), ..finding("`x` of call \"\" is 5", 1, "/payload/results/1") };
        assert_eq!(same, first(&dotted), "the same file by another name");
    }

    #[test]
    fn findings_of_one_kind_are_told_apart_by_their_number_in_the_file() {
        let mut prints = Fingerprints::default();
        let one = finding("m", 1, "/payload");
        let (first, second) = (prints.next(&one), prints.next(&one));
        assert_ne!(first, second);
        prints.next_file();
        assert_eq!((first, second), (prints.next(&one), prints.next(&one)));
    }
}
