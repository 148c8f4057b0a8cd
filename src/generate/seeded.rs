//! Streams from seeds, as `sessionlint generate` makes them.

use sessionlint_core::check;
use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::machine::CellId;
use sessionlint_core::protocol::Protocol;

use super::breaks::only_finding;
use super::choices::Choices;
use super::goals::{Goal, goals_of};
use super::planner::Planner;
use super::walk::speaks_of_sse;
use super::{Stream, StreamOptions, illegal, legal, plain, reasons, tape, wild};

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

/// Generates a plain stream: a short conversation with ordinary ids and texts, which passes the states of the protocol's
/// lifecycles in their usual order. Returns `None` if none was found.
pub fn plain_from_seed(protocol: &Protocol, options: &StreamOptions, seed: u64) -> Option<Stream> {
    let tape = tape(seed, TAPE_LENGTH);
    Some(plain::best_plain(protocol, options, &mut Choices::new(&tape))).filter(|stream| !stream.lines.is_empty())
}

/// Generates a stream of events in any order, allowed or not.
pub fn wild_from_seed(protocol: &Protocol, options: &StreamOptions, seed: u64) -> Stream {
    wild(protocol, options, &tape(seed, TAPE_LENGTH))
}

/// Generates a stream that takes one of these cells, and keeps all rules if it can.
///
/// # Errors
///
/// Returns why there is none, if none was found.
pub fn covering_from_seed(
    protocol: &Protocol,
    cells: &[CellId],
    options: &StreamOptions,
    seed: u64,
) -> Result<Stream, String> {
    let goals: Vec<Goal> = cells.iter().filter_map(|cell| Goal::cell(protocol.tables(), *cell)).collect();
    let settings = Settings::new(protocol, Options::default().with_excerpts(false));
    let takes = |stream: &Stream| {
        let mut checker = StreamChecker::new(protocol, &settings, None);
        checker.count_coverage();
        checker.feed(&if speaks_of_sse(protocol) { stream.server_sent(protocol) } else { stream.ndjson() });
        let (_, exercised) = checker.end(None);
        exercised.is_some_and(|counts| cells.iter().any(|cell| counts.cell_count(cell) > 0))
    };
    let tape = tape(seed, TAPE_LENGTH);
    let stream = [false, true].into_iter().find_map(|may_break| {
        Planner::with(protocol, options, may_break).covering(&goals, &tape, |stream| takes(stream))
    });
    stream.ok_or_else(|| reasons::why_not(protocol, options, &goals, true))
}

/// Generates a stream that breaks this rule, and no other, when `write` has written it. Returns the bytes, and the
/// line of the finding, 1-based; `None` if no such stream was found.
pub fn illegal_from_seed(
    protocol: &Protocol,
    rule: &str,
    options: &StreamOptions,
    seed: u64,
    write: impl Fn(&Stream) -> Vec<u8>,
) -> Option<(Vec<u8>, u64)> {
    for again in 0..MAX_TRIES {
        let bytes = write(&illegal(protocol, rule, options, &tape(seed ^ again << 40, TAPE_LENGTH))?);
        let findings = check(protocol, &bytes, Options::default().with_excerpts(false)).findings;
        if let Some(one) = only_finding(&findings, rule) {
            return Some((bytes, one.place.line));
        }
    }
    None
}

/// Returns why no stream was found that breaks a rule and nothing else.
pub fn why_unbroken(protocol: &Protocol, rule: &str, options: &StreamOptions) -> String {
    reasons::why_not(protocol, options, &goals_of(protocol, rule), false)
}
