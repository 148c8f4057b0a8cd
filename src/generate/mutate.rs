//! Mutates an existing recording so that it breaks one rule.

use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::finding::Finding;
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::Protocol;

use super::breaks::{is_only_finding, only_finding};
use super::choices::Choices;
use super::edits::edit;
use super::recording::Recording;
use super::renumber::Counters;
use super::walk::Stream;

/// The most mutations that are tried.
const MOST_TRIES: usize = 400;
/// The most bytes that are judged: each mutation of a long recording takes long.
const MOST_BYTES: usize = 8 << 20;
/// The number of bytes that are judged before it is seen whether the mutation breaks another rule.
const PIECE: usize = 4096;

/// Returns the recording with an event left out, doubled, moved or changed, so that it breaks this rule, and no
/// other, as the lines that it consists of; `None` if no such mutation was found. The search ends after a number of
/// mutations, and of a long recording after fewer.
pub fn mutated(protocol: &Protocol, rule: &str, lines: &[Vec<u8>], tape: &[u32]) -> Option<Stream> {
    let framing = Framing::named(rule);
    let mut choices = Choices::new(tape);
    let recording = Recording::new(protocol, rule, lines);
    let judge = Judge { protocol, settings: Settings::new(protocol, Options::default().with_excerpts(false)), rule };
    let counters = Counters::beside(protocol, rule);
    let mut bytes_left = MOST_BYTES;
    (0..MOST_TRIES).find_map(|_| {
        if bytes_left == 0 {
            return None;
        }
        let mut stream = Stream::default();
        match framing {
            Some(framing) => {
                stream.lines = lines.to_vec();
                stream.cut_off = !edit(protocol, &mut stream.lines, framing, &mut choices)?;
            }
            // What the tables propose, and what they do not think of, in turn.
            None if choices.once_in(2) => stream.lines = recording.changed(&mut choices)?,
            None => {
                stream.lines = lines.to_vec();
                change(&mut stream.lines, &recording, lines, &mut choices)?;
            }
        }
        // An edit of the framing may be about the numbers.
        if framing.is_none() && !counters.is_empty() {
            bytes_left = bytes_left.saturating_sub(stream.lines.iter().map(Vec::len).sum());
            counters.renumber(&mut stream.lines, &judge.settings);
        }
        let line = judge.line_of_only_finding(&stream, &mut bytes_left)?;
        Some(Stream { breaks: Some((line, rule.to_owned())), ..stream })
    })
}

/// Judges mutations that are to break one rule.
struct Judge<'j> {
    protocol: &'j Protocol,
    settings: Settings,
    rule: &'j str,
}

impl Judge<'_> {
    /// Returns the line of the only finding of a mutation; `None` unless there is one, of the rule. Judges no more than has to
    /// be known for that.
    fn line_of_only_finding(&self, stream: &Stream, bytes_left: &mut usize) -> Option<u64> {
        let mut checker = StreamChecker::new(self.protocol, &self.settings, None);
        let is_other = |findings: &[Finding]| !findings.is_empty() && !is_only_finding(findings, self.rule);
        for piece in stream.ndjson().chunks(PIECE) {
            *bytes_left = bytes_left.saturating_sub(piece.len());
            checker.feed(piece);
            if is_other(checker.findings()) {
                return None;
            }
        }
        Some(only_finding(&checker.finish().findings, self.rule)?.place.line)
    }
}

/// Changes the order, the number or a value of the events. `of`: the original recording.
fn change(
    lines: &mut Vec<Vec<u8>>,
    recording: &Recording<'_>,
    of: &[Vec<u8>],
    choices: &mut Choices<'_>,
) -> Option<()> {
    let number = choices.below(lines.len());
    match choices.below(7) {
        0 => drop(lines.remove(number)),
        1 => lines.insert(number + 1, of.get(number)?.clone()),
        2 => lines.truncate(number.max(1)),
        3 if number + 1 < lines.len() => lines.swap(number, number + 1),
        4 => {
            // Consecutive events.
            let end = (number + 1 + choices.below(4)).min(lines.len());
            drop(lines.drain(number..end));
        }
        5 => {
            let other = choices.below(of.len());
            lines.insert(number, of.get(other)?.clone());
        }
        _ => *lines = recording.with_mixed_member(choices)?,
    }
    (!lines.is_empty()).then_some(())
}
