//! Streams from seeds, as `sessionlint generate` makes them.

use sessionlint_core::check;
use sessionlint_core::event::Options;
use sessionlint_core::protocol::Protocol;

use super::{Stream, StreamOptions, illegal, legal, tape, wild};

/// The number of decisions of a stream, before its end.
const TAPE_LENGTH: usize = 4000;
/// The number of decisions per event of long streams, and the limit for the whole stream.
const DECISIONS_PER_EVENT: usize = 100;
const MAX_TAPE_LENGTH: usize = 10_000_000;
/// The number of attempts to generate a stream that breaks a rule on the given wire format.
const MAX_TRIES: u64 = 20;

/// Generates a legal stream. Returns `None` if the seed leads to no event at all.
pub fn legal_from_seed(protocol: &Protocol, options: &StreamOptions, seed: u64) -> Option<Stream> {
    let length = options.events.saturating_mul(DECISIONS_PER_EVENT).clamp(TAPE_LENGTH, MAX_TAPE_LENGTH);
    Some(legal(protocol, options, &tape(seed, length))).filter(|stream| !stream.lines.is_empty())
}

/// Generates a stream of events in any order, allowed or not.
pub fn wild_from_seed(protocol: &Protocol, options: &StreamOptions, seed: u64) -> Stream {
    wild(protocol, options, &tape(seed, TAPE_LENGTH))
}

/// Generates a stream with exactly one finding, of this rule, when `write` has written it. Returns the bytes, and the
/// line of the finding, 1-based; `None` if no such stream was found.
pub fn illegal_from_seed(
    protocol: &Protocol,
    rule: &str,
    options: &StreamOptions,
    seed: u64,
    write: impl Fn(&Stream) -> Vec<u8>,
) -> Option<(Vec<u8>, u64)> {
    (0..MAX_TRIES).find_map(|again| {
        let bytes = write(&illegal(protocol, rule, options, &tape(seed ^ again << 40, TAPE_LENGTH))?);
        let findings = check(protocol, &bytes, Options::default().with_excerpts(false)).findings;
        match findings.as_slice() {
            [one] if *one.rule == *rule => Some((bytes, one.place.line)),
            _ => None,
        }
    })
}
