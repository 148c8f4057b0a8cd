//! Mutates an existing recording so that it breaks one rule.

use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::Protocol;

use super::breaks::is_only_finding;
use super::choices::Choices;
use super::edits::edit;
use super::recording::Recording;
use super::walk::Stream;

/// The most mutations that are tried.
const MOST_TRIES: usize = 400;

/// Returns the recording with an event left out, doubled, moved or changed, so that it has exactly one finding, of this
/// rule; `None` if no such mutation was found.
pub fn mutated(protocol: &Protocol, rule: &str, lines: &[Vec<u8>], tape: &[u32]) -> Option<Stream> {
    let framing = Framing::ALL.into_iter().find(|framing| framing.name() == rule);
    let mut choices = Choices::new(tape);
    let recording = Recording::new(protocol, rule, lines);
    (0..MOST_TRIES).find_map(|_| {
        let mut stream = Stream { lines: lines.to_vec(), ..Stream::default() };
        match framing {
            Some(framing) => stream.cut_off = !edit(protocol, &mut stream.lines, framing, &mut choices)?,
            // What the tables propose, and what they do not think of, in turn.
            None if choices.once_in(2) => stream.lines = recording.changed(&mut choices)?,
            None => change(&mut stream.lines, &recording, lines, &mut choices)?,
        }
        let (findings, line) = stream.findings(protocol, rule);
        let line = line?;
        is_only_finding(&findings, rule).then(|| Stream { breaks: Some((line, rule.to_owned())), ..stream })
    })
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
