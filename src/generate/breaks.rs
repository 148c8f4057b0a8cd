//! Generates streams that break one rule: by an event that the tables forbid, by ending too early, or by an edit.

use sessionlint_core::finding::Finding;
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::Protocol;

use super::choices::{Choices, mix};
use super::edits::edit;
use super::plain::plain;
use super::planner::Planner;
use super::texts::Style;
use super::walk::{Stream, StreamOptions, Walk};

/// The most walks that are tried.
const MOST_WALKS: u32 = 200;
/// The most events that are proposed on all of these walks.
const MOST_PROPOSALS: usize = 20_000;
/// The number of events that may follow the forbidden one, before those that end the stream.
const MOST_BEHIND: usize = 6;
/// The number of events that are proposed at each step of a walk, and the number of edits of a stream.
const MOST_TRIES: usize = 60;
/// The number of streams that are edited.
const MOST_EDITED: u32 = 60;

/// Generates a stream that breaks this rule, and no other.
pub fn broken(protocol: &Protocol, rule: &str, options: &StreamOptions, tape: &[u32]) -> Option<Stream> {
    if let Some(framing) = Framing::named(rule) {
        return (0..MOST_EDITED).find_map(|number| {
            break_by_edit(protocol, framing, options, number, &mut Choices::new(&varied(tape, number)))
        });
    }
    let planner = Planner::new(protocol, options);
    if let Some(stream) = planner.broken(rule, tape) {
        return Some(stream);
    }
    let mut proposals = 0;
    (0..MOST_WALKS).find_map(|number| {
        if proposals > MOST_PROPOSALS {
            return None;
        }
        let mut walk = Walk::new(protocol, options, Style::Odd);
        let stream = break_by_event(&mut walk, rule, &mut Choices::new(&varied(tape, number)));
        proposals += walk.proposals();
        stream.and_then(|stream| if_only_finding(protocol, rule, stream))
    })
}

/// Returns the tape of another attempt.
pub fn varied(tape: &[u32], number: u32) -> Vec<u32> {
    tape.iter().map(|choice| mix(u64::from(*choice) << 32 | u64::from(number)) as u32).collect()
}

/// Returns the finding of a rule if it is the only one. A rule of the tables may tell that events were lost; a note that says what
/// was not judged after it breaks no other rule.
pub fn only_finding<'f>(findings: &'f [Finding], rule: &str) -> Option<&'f Finding> {
    let is_of_framing = Framing::named(rule).is_some();
    let mut telling = findings.iter().filter(|one| is_of_framing || !says_what_was_skipped(one));
    telling.next().filter(|one| *one.rule == *rule && telling.next().is_none())
}

/// Returns whether there is no finding but one of this rule.
pub fn is_only_finding(findings: &[Finding], rule: &str) -> bool {
    only_finding(findings, rule).is_some()
}

/// Returns whether a finding only says what could not be judged.
pub fn says_what_was_skipped(finding: &Finding) -> bool {
    *finding.rule == *Framing::CheckSkipped.name()
}

/// Returns the stream if it breaks the rule and nothing else.
pub fn if_only_finding(protocol: &Protocol, rule: &str, stream: Stream) -> Option<Stream> {
    let line = stream.line_of_only_finding(protocol, rule)?;
    Some(Stream { breaks: Some((line, rule.to_owned())), ..stream })
}

/// Breaks a rule by a forbidden event or by the end of the stream, wherever a random walk comes to one.
fn break_by_event(walk: &mut Walk<'_>, rule: &str, choices: &mut Choices<'_>) -> Option<Stream> {
    let mut is_late = false;
    for _ in 0..walk.options.events {
        if is_only_finding(&walk.checker.clone().finish().findings, rule) {
            return Some(walk.stream());
        }
        for _ in 0..MOST_TRIES {
            let Some((proposal, trial, findings)) = walk.wild_proposal(choices) else { continue };
            if is_only_finding(&findings, rule) {
                walk.take(proposal, trial);
                // Some events after it also test how judging continues.
                for _ in 0..choices.below(MOST_BEHIND) {
                    walk.step(choices);
                }
                return walk.close(choices).then(|| walk.stream());
            }
        }
        // Where a rule is broken already, and is reported later, no other step is legal.
        if is_late {
            return None;
        }
        is_late = choices.once_in(8) && walk.late_step(choices);
        if !is_late && !walk.step(choices) {
            return None;
        }
    }
    None
}

/// Breaks a rule by an edit of a legal stream: the plain one at first.
fn break_by_edit(
    protocol: &Protocol,
    rule: Framing,
    options: &StreamOptions,
    number: u32,
    choices: &mut Choices<'_>,
) -> Option<Stream> {
    let lines = if number.is_multiple_of(2) {
        plain(protocol, options, choices).lines
    } else {
        let mut walk = Walk::new(protocol, options, Style::Odd);
        for _ in 0..choices.below(12) {
            walk.step(choices);
        }
        if Planner::new(protocol, options).close(&mut walk, None, choices) { walk.lines } else { return None }
    };
    (0..MOST_TRIES).find_map(|_| {
        let mut lines = lines.clone();
        let cut_off = !edit(protocol, &mut lines, rule, choices)?;
        if_only_finding(protocol, rule.name(), Stream { lines, cut_off, breaks: None })
    })
}
