//! A recording that was cut into files and is judged as one has the findings of the whole.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::{Finding, Options, Report};
use sessionlint_core::check::{FileQueue, JoinedChecker};
use sessionlint_core::event::Settings;

use crate::streams::{ALL, VALID, check, ndjson, protocol, session};

/// A finding: its rule, message, first byte and event, and the first bytes of its related places, in the whole recording.
type Said = (String, String, u64, Option<u64>, Vec<u64>);

/// Returns the findings with their places in the whole, which is cut into files at `cuts`.
fn in_whole(report: Report, cuts: &[usize]) -> Vec<Said> {
    let base = |file: Option<&Arc<str>>| {
        let number = file.and_then(|name| name.parse::<usize>().ok());
        number.map_or(0, |number| if number == 0 { 0 } else { cuts[number - 1] as u64 })
    };
    let said = |finding: Finding| {
        let own = base(finding.file.as_ref());
        let related = |related: &sessionlint::Related| {
            related.place.start + related.file.as_ref().map_or(own, |file| base(Some(file)))
        };
        let places = finding.related.iter().map(related).collect();
        (finding.rule.to_string(), finding.message, finding.place.start + own, finding.place.event, places)
    };
    report.findings.into_iter().map(said).collect()
}

/// Returns a checker of so many files, which are called by their numbers.
fn checker(files: usize) -> JoinedChecker {
    let names: Vec<Arc<str>> = (0..files).map(|number| number.to_string().into()).collect();
    JoinedChecker::new(protocol(), &Settings::new(protocol(), Options::default()), &names)
}

/// Judges a text as files that are its parts between `cuts`. Each comes in pieces of this size.
fn joined(text: &[u8], cuts: &[usize], piece: usize) -> Report {
    let ends: Vec<_> = cuts.iter().copied().chain([text.len()]).collect();
    let mut checker = checker(ends.len());
    let mut start = 0;
    for (number, end) in ends.into_iter().enumerate() {
        checker.begin(number);
        text[start..end].chunks(piece).for_each(|piece| checker.feed(piece));
        checker.end(None);
        start = end;
    }
    checker.finish()
}

/// Holds a text that is cut at `cuts` to the property.
fn is_judged_as_the_whole(text: &str, cuts: &[usize], piece: usize) -> Result<(), TestCaseError> {
    let mut whole = check(text.as_bytes(), &Options::default());
    let mut parts = joined(text.as_bytes(), cuts, piece);
    prop_assert_eq!(parts.summary.files, cuts.len() as u64 + 1);
    parts.summary.files = whole.summary.files;
    prop_assert_eq!(&parts.summary, &whole.summary, "cut at {:?}:\n{}", cuts, text);
    prop_assert_eq!(&parts.stats, &whole.stats);
    prop_assert_eq!(&parts.repeats, &whole.repeats);
    whole.findings.iter_mut().for_each(|finding| finding.file = None);
    prop_assert_eq!(in_whole(parts, cuts), in_whole(whole, &[]), "cut at {:?}:\n{}", cuts, text);
    Ok(())
}

/// Returns the offsets between the lines of a text, from behind the first line on.
fn between_lines(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < text.len()).collect()
}

#[test]
fn a_recording_of_the_corpus_cut_between_lines_has_the_same_findings() {
    for recording in ALL.iter() {
        let text = ndjson(&recording.events);
        for cut in between_lines(&text) {
            is_judged_as_the_whole(&text, &[cut], 1 << 16)
                .unwrap_or_else(|error| panic!("{}: {error}", recording.name));
        }
    }
}

#[test]
fn a_line_that_a_rotation_cut_is_put_together() {
    for recording in VALID.iter() {
        let text = ndjson(&recording.events);
        let Some(first) = between_lines(&text).first().copied() else { continue };
        for cut in (first..text.len()).step_by(7) {
            is_judged_as_the_whole(&text, &[cut], 50).unwrap_or_else(|error| panic!("{}: {error}", recording.name));
        }
    }
}

proptest! {
    #![proptest_config(crate::cases(500))]

    #[test]
    fn files_cut_between_lines_have_the_findings_of_the_whole(
        events in session(),
        cuts in prop::collection::vec(any::<Index>(), 1..4),
        piece in 1..3000_usize,
    ) {
        let text = ndjson(&events);
        let places = [&[0], &between_lines(&text)[..], &[text.len()]].concat();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| *cut.get(&places)).collect();
        cuts.sort_unstable();
        is_judged_as_the_whole(&text, &cuts, piece)?;
    }

    /// Events whose times ascend, each in any of three files: merged, they have the findings of the whole.
    #[test]
    fn files_merged_by_their_times_have_the_findings_of_the_whole(
        events in session(),
        owners in prop::collection::vec(0..3_usize, 1..40),
        piece in 1..3000_usize,
    ) {
        let mut lines = Vec::new();
        for (number, line) in ndjson(&events).split_inclusive('\n').enumerate() {
            let Some((before, rest)) = line.split_once("\"timestamp\":\"") else { return Err(TestCaseError::reject("it has no time")) };
            let Some((_, behind)) = rest.split_once('"') else { return Err(TestCaseError::reject("it has no time")) };
            let time = format!("2026-01-01T{:02}:{:02}:{:02}Z", number / 3600 % 24, number / 60 % 60, number % 60);
            lines.push(format!("{before}\"timestamp\":\"{time}\"{behind}"));
        }
        let owner = |line: usize| owners[line % owners.len()];
        let mut texts = [String::new(), String::new(), String::new()];
        lines.iter().enumerate().for_each(|(number, line)| texts[owner(number)].push_str(line));
        let mut checker = checker(3);
        let mut queues: Vec<_> = (0..3).map(|number| FileQueue::new(&checker, number)).collect();
        for (queue, text) in queues.iter_mut().zip(&texts) {
            text.as_bytes().chunks(piece).for_each(|piece| queue.feed(piece));
            queue.end(None);
        }
        while let Some(next) = (0..3).filter(|at| queues[*at].next_time().is_some()).min_by_key(|at| queues[*at].next_time()) {
            checker.take(&mut queues[next]);
        }
        queues.into_iter().for_each(|queue| checker.end_queue(queue));
        let rules = |report: Report| -> Vec<_> {
            report.findings.into_iter().map(|one| (one.rule, one.message, one.place.event, one.related.len())).collect()
        };
        let whole = check(lines.concat().as_bytes(), &Options::default());
        prop_assert_eq!(rules(checker.finish()), rules(whole), "{}", lines.concat());
    }
}
