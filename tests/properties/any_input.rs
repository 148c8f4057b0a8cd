//! Properties of every input, whatever it is.

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::{Checker, Options, Place, Report, Severity, Wire};

use crate::streams::{Bytes, check, damaged_file, options, protocol};

/// Bytes of no form at all, with a good share of those that are special to readers.
fn arbitrary_bytes() -> impl Strategy<Value = Bytes> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(&b"{}[]\",:\\u0d8\r\n \xEF\xBB\xBFdata"[..])];
    prop::collection::vec(byte, 0..300).prop_map(Bytes)
}

/// Returns the place of a byte, counted in the plainest way. `returns`: a carriage return alone ends a line too,
/// as it does in server-sent events.
fn counted(text: &str, start: usize, returns: bool) -> (u64, u64) {
    let (mut line, mut column) = (1, 1);
    for (at, c) in text.char_indices().take_while(|(at, _)| *at < start) {
        let alone = returns && c == '\r' && !text[at + 1..].starts_with('\n');
        if c == '\n' || alone {
            (line, column) = (line + 1, 1);
        } else if (at, c) != (0, '\u{FEFF}') {
            column += 1;
        }
    }
    (line, column)
}

/// Events that are passed together have the findings of events that are passed one by one.
fn together_as_one_by_one(texts: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let mut one_by_one = Checker::new(protocol(), Options::default());
    let mut together = Checker::new(protocol(), Options::default());
    let (mut all, mut rows) = (Vec::new(), Vec::new());
    for (row, text) in (7..).zip(texts) {
        one_by_one.event(text, row);
        let start = all.len();
        all.extend_from_slice(text);
        rows.push((start..all.len(), row));
    }
    together.events(&all, rows);
    prop_assert_eq!(together.finish(), one_by_one.finish());
    Ok(())
}

fn place_is_in_the_input(place: &Place, input: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(place.line >= 1 && place.column >= 1, "lines and columns start at 1: {place:?}");
    prop_assert!(place.start <= place.end && place.end <= input.len() as u64, "{place:?} of {}", input.len());
    let excerpt = &place.excerpt;
    prop_assert!(excerpt.text.get(excerpt.mark.clone()).is_some(), "the mark is a part of the excerpt: {place:?}");
    let Ok(text) = std::str::from_utf8(input) else { return Ok(()) };
    // In UTF-16, characters have other lengths; a property of its own compares the places.
    if input.iter().take(4).any(|byte| *byte == 0) {
        return Ok(());
    }
    let start = place.start as usize;
    prop_assert!(text.is_char_boundary(start), "a place starts with a character: {place:?}");
    let places = [counted(text, start, false), counted(text, start, true)];
    prop_assert!(places.contains(&(place.line, place.column)), "{places:?} would be right: {place:?}");
    if !excerpt.text.is_empty() {
        prop_assert!(excerpt.column <= place.column, "the excerpt holds the start of the place: {place:?}");
        let before = (place.column - excerpt.column) as usize;
        let at = text[..start].char_indices().rev().take(before).last().map_or(start, |(at, _)| at);
        // The content of a string is shown with its escapes decoded.
        if input.contains(&b'\\') && !text[at..].starts_with(&excerpt.text) {
            return Ok(());
        }
        prop_assert!(text[at..].starts_with(&excerpt.text), "the excerpt stands in its column: {place:?}");
        let marked = at + excerpt.mark.start..at + excerpt.mark.end;
        prop_assert!(start <= marked.start && marked.end <= place.end as usize, "a part is marked: {place:?}");
    }
    Ok(())
}

fn report_is_sound(input: &[u8], report: &Report) -> Result<(), TestCaseError> {
    for finding in &report.findings {
        for place in std::iter::once(&finding.place).chain(finding.related.iter().map(|related| &*related.place)) {
            place_is_in_the_input(place, input)?;
            prop_assert!(place.event.is_none_or(|event| event < report.summary.events), "it is an event of the file");
        }
        prop_assert!(!finding.message.trim().is_empty(), "a finding has words");
    }
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let repeats = report.repeats.iter().filter(|repeat| &*repeat.rule == "misspelt-event").map(|repeat| repeat.count);
    let all = errors as u64 + repeats.sum::<u64>();
    prop_assert_eq!(report.summary.errors, all, "no other error is a repeat, and all are counted");
    if report.summary.events == 0 {
        prop_assert!(errors > 0, "an input without events is never passed over in silence");
    }
    prop_assert_eq!(report.stats.bytes, input.len() as u64);
    Ok(())
}

/// The pieces in which an input comes.
#[derive(Clone, Debug)]
enum Cuts {
    Bytewise,
    Pieces(usize),
    At(Vec<Index>),
}

fn cuts() -> impl Strategy<Value = Cuts> {
    prop_oneof![
        Just(Cuts::Bytewise),
        (2..100usize).prop_map(Cuts::Pieces),
        prop::collection::vec(any::<Index>(), 0..8).prop_map(Cuts::At),
    ]
}

impl Cuts {
    fn pieces<'b>(&self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        match self {
            Cuts::Bytewise => bytes.chunks(1).collect(),
            Cuts::Pieces(length) => bytes.chunks(*length).collect(),
            Cuts::At(places) => {
                let mut places: Vec<_> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
                places.push(bytes.len());
                places.sort_unstable();
                let mut start = 0;
                let piece = |end: usize| &bytes[std::mem::replace(&mut start, end)..end];
                places.into_iter().map(piece).collect()
            }
        }
    }
}

/// Returns the report of an input that comes in pieces, with its findings taken after each.
fn check_in_pieces(pieces: &[&[u8]], options: &Options) -> Report {
    let mut checker = Checker::new(protocol(), options.clone());
    let mut findings = Vec::new();
    for piece in pieces {
        checker.feed(piece);
        findings.append(&mut checker.take_findings());
    }
    let mut report = checker.finish();
    findings.append(&mut report.findings);
    report.findings = findings;
    report
}

/// Compares the findings one by one, so that a failure shows the first that differs.
fn reports_are_equal(a: &Report, b: &Report) -> Result<(), TestCaseError> {
    for (a, b) in a.findings.iter().zip(&b.findings) {
        prop_assert_eq!(a, b);
    }
    prop_assert_eq!(a, b);
    Ok(())
}

/// Inputs that are too rare at random, each of which was judged wrongly once.
#[test]
fn inputs_that_were_stumbled_over_get_a_sound_report() {
    let insides_of_characters = [&b"{\"a\":\""[..], &[0x80; 300], b"\"}\n"].concat();
    let inputs: [&[u8]; 7] = [
        &insides_of_characters,
        b"{\"type\":\"a line that is longer than the limit\"}\r\n{}\r\n",
        b"{\"type\"\n:\"over two lines\"}\n{\"type\":\"on one line\"}\n",
        b"\xEF\xBB\xBF{\n\"type\":\"behind a byte-order mark\"}\n",
        "data: {\ndata: \"type\": \"è\"}\n\n\"no field of an event: é\"\n".as_bytes(),
        "{\"type\":\"ééééééééééééééééééééé".as_bytes(),
        b"",
    ];
    let limits = (1..60).chain([Options::default().max_line_bytes()]);
    for max_line_bytes in limits {
        for wire in std::iter::once(None).chain(Wire::ALL.iter().map(|(_, wire)| Some(*wire))) {
            let options = Options::default().with_wire(wire).with_max_line_bytes(max_line_bytes);
            for input in inputs {
                let report = check(input, &options);
                let sound = report_is_sound(input, &report);
                let equal = reports_are_equal(&check_in_pieces(&Cuts::Bytewise.pieces(input), &options), &report);
                let result = sound.and(equal);
                result
                    .unwrap_or_else(|error| panic!("{error}\n{:?} with {options:?}", input.escape_ascii().to_string()));
            }
        }
    }
}

proptest! {
    #![proptest_config(crate::cases(1500))]

    #[test]
    fn bytes_of_no_form_get_a_sound_report(input in arbitrary_bytes(), options in options(), cuts in cuts()) {
        let report = check(&input.0, &options);
        report_is_sound(&input.0, &report)?;
        reports_are_equal(&check_in_pieces(&cuts.pieces(&input.0), &options), &report)?;
    }

    #[test]
    fn damaged_recordings_get_a_sound_report(input in damaged_file(), options in options()) {
        report_is_sound(&input.0, &check(&input.0, &options))?;
    }

    #[test]
    fn findings_do_not_depend_on_how_the_bytes_come_in(input in damaged_file(), options in options(), cuts in cuts()) {
        let report = check(&input.0, &options);
        reports_are_equal(&check_in_pieces(&cuts.pieces(&input.0), &options), &report)?;
    }

    #[test]
    fn events_together_have_the_findings_of_events_one_by_one(input in damaged_file()) {
        let lines: Vec<_> = input.0.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        together_as_one_by_one(&lines)?;
    }

    #[test]
    fn events_may_be_cut_within_characters(input in damaged_file(), cuts in cuts()) {
        let pieces: Vec<_> = cuts.pieces(&input.0).into_iter().map(<[u8]>::to_vec).collect();
        together_as_one_by_one(&pieces)?;
    }
}
