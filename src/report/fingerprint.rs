//! Fingerprints that identify a finding across runs, for tools that compare runs.

use std::collections::HashMap;

#[cfg(feature = "proptest")]
use sessionlint_core::finding::FindingKind;
use sessionlint_core::finding::{Finding, without_index};

use super::plain_path;

/// Maximum number of kinds of findings that get counters of their own, so that memory does not grow with the recording.
const MOST_KINDS: usize = 1 << 16;

/// Computes the fingerprints of findings, for one file at a time.
///
/// A fingerprint is made of the rule, the file, the event's type, the pointer without array indices, the words of the
/// message outside its quotes, and the number of earlier findings that have all these in common. So it stays the same
/// when lines move, and when a recording is made again with other ids.
#[derive(Debug, Default)]
pub struct Fingerprints {
    /// Number of findings of each kind so far.
    counts: HashMap<u128, u64>,
}

impl Fingerprints {
    /// Begins the next file.
    pub fn next_file(&mut self) {
        self.counts.clear();
    }

    /// Returns the fingerprint of the next finding, in hexadecimal digits.
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

/// Returns a fingerprint of a kind of finding, the same in every file, in eight hexadecimal digits.
#[cfg(feature = "proptest")]
pub fn kind_fingerprint(kind: &FindingKind) -> String {
    let mut hash = Hash::new();
    hash.part(&kind.rule);
    hash.part(kind.event_type.as_deref().unwrap_or_default());
    hash.part(kind.pointer.as_deref().unwrap_or_default());
    format!("{:08x}", hash.0 as u32)
}

/// Returns the words of a message before its first and after its last quotation mark, cut at numbers. A quote may
/// contain quotation marks itself.
fn unquoted(message: &str) -> impl Iterator<Item = &str> {
    let (before, after) = match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) => (&message[..first], &message[last + 1..]),
        _ => (message, ""),
    };
    let words = |text| str::split(text, |c: char| c.is_ascii_digit()).filter(|words| !words.is_empty());
    words(before).chain(words(after))
}

/// FNV-1a in 128 bits. The hash must be the same in every version and on every machine.
#[derive(Clone, Debug)]
struct Hash(u128);

impl Hash {
    fn new() -> Hash {
        Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    /// Adds a part and a byte that ends it.
    fn part(&mut self, text: &str) {
        // UTF-8 text never contains this byte.
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
        let place = Place::new(line, 1, 0..0);
        let mut finding =
            Finding::of_file("wrong-type", Severity::Error, message.to_owned(), &"a.ndjson".into(), place);
        finding.event_type = Some("session.status".into());
        finding.pointer = Some(pointer.into());
        finding
    }

    fn with(edit: impl Fn(&mut Finding), message: &str, line: u64, pointer: &str) -> Finding {
        let mut finding = finding(message, line, pointer);
        edit(&mut finding);
        finding
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
            with(|it| it.rule = "wrong-value".into(), "`x` of call \"c1\" is 5", 3, "/payload/results/0"),
            with(|it| it.file = Some("b".into()), "`x` of call \"c1\" is 5", 3, "/payload/results/0"),
        ] {
            assert_ne!(same, first(&other), "{other:?}");
        }
        let dotted = with(|it| it.file = Some("./a.ndjson".into()), "`x` of call \"\" is 5", 1, "/payload/results/1");
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
