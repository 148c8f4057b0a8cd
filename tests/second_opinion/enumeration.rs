//! Every sequence over an alphabet, judged by the engine and by the second reading.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sessionlint::{Checker, Options, Protocol};

use crate::events::completed;
use crate::reading::{Event, Finding, Reading, What};
use crate::{slow, wire};

/// One in this many of the longest sequences is judged by default. It is a prime, and no alphabet has a multiple of it as
/// its length, so the sample contains every symbol in every place.
const SAMPLE: usize = 11;

/// A letter of an alphabet: an event, except for the parts that depend on its position.
#[derive(Clone)]
pub struct Symbol {
    session: &'static str,
    /// Offset of the timestamp; without it, each event is a second later than the one before.
    off: i64,
    draft: Draft,
}

#[derive(Clone)]
enum Draft {
    Is(What),
    /// The letter of its line, so that no two texts are the same.
    Chunk {
        done: bool,
    },
    /// The text that its session has streamed, as the second reading knows it.
    Completed(Saying),
}

#[derive(Clone, Copy)]
pub enum Saying {
    Whole,
    SinceFirstCut,
    SinceLastCut,
    /// The whole on odd lines, the text since the last cut on even ones.
    WholeOrSinceLastCut,
    /// Distinguishes a place that cuts the text from one that does not.
    LastChunk,
}

impl Symbol {
    fn event(&self, line: usize, before: &[Event], reading: &Reading) -> Event {
        let session = self.session;
        let what = match &self.draft {
            Draft::Is(what) => what.clone(),
            Draft::Chunk { done } => What::StreamChunk { text: &"abcdefgh"[line - 1..line], done: *done },
            Draft::Completed(saying) => {
                let texts = reading.texts(session);
                let whole = texts[0];
                let since_last_cut = texts[texts.len() - 1];
                completed(match saying {
                    Saying::Whole => whole,
                    Saying::SinceFirstCut => texts.get(1).copied().unwrap_or(whole),
                    Saying::SinceLastCut => since_last_cut,
                    Saying::WholeOrSinceLastCut if line % 2 == 1 => whole,
                    Saying::WholeOrSinceLastCut => since_last_cut,
                    Saying::LastChunk => last_chunk(before, session),
                })
            }
        };
        let stamp = self.off + i64::try_from(line).expect("files are short here");
        Event { session, stamp, what }
    }

    pub fn off(mut self, seconds: i64) -> Symbol {
        self.off = seconds;
        self
    }

    pub fn of(mut self, session: &'static str) -> Symbol {
        self.session = session;
        self
    }
}

fn last_chunk(before: &[Event], session: &str) -> &'static str {
    let mut latest_first = before.iter().rev();
    latest_first
        .find_map(|event| match event.what {
            What::StreamChunk { text, .. } if event.session == session => Some(text),
            _ => None,
        })
        .unwrap_or("")
}

pub fn is(what: What) -> Symbol {
    draft(Draft::Is(what))
}

pub fn chunk(done: bool) -> Symbol {
    draft(Draft::Chunk { done })
}

pub fn completed_with(saying: Saying) -> Symbol {
    draft(Draft::Completed(saying))
}

fn draft(draft: Draft) -> Symbol {
    Symbol { session: "ses_one", off: 0, draft }
}

/// The results of one worker.
struct Tally<'a> {
    alphabet: &'a [Symbol],
    length: usize,
    /// One in this many sequences is judged.
    sample: usize,
    events: Vec<Event>,
    file: String,
    sequences: usize,
    rules: BTreeSet<&'static str>,
    disagreement: Option<String>,
}

impl Tally<'_> {
    /// Judges the sequences of the length that continue the events so far with the symbol at `place` in the alphabet.
    /// `number` is the position of the events so far among all sequences of their length, in alphabetical order.
    fn go_on_with(&mut self, place: usize, number: usize, reading: &Reading) {
        let number = number * self.alphabet.len() + place;
        if self.events.len() + 1 == self.length && !number.is_multiple_of(self.sample) {
            return;
        }
        let symbol = &self.alphabet[place];
        let event = symbol.event(self.events.len() + 1, &self.events, reading);
        let mut reading = reading.clone();
        reading.judge(&event);
        let file_before = self.file.len();
        wire::write_line(&event, &mut self.file);
        self.events.push(event);
        if self.events.len() == self.length {
            self.compare(&reading);
        } else {
            for next in 0..self.alphabet.len() {
                if self.disagreement.is_none() {
                    self.go_on_with(next, number, &reading);
                }
            }
        }
        self.events.pop();
        self.file.truncate(file_before);
    }

    fn compare(&mut self, reading: &Reading) {
        let expected = reading.findings_at_end();
        self.sequences += 1;
        self.rules.extend(expected.iter().map(|&(_, rule)| rule));

        let protocol = Protocol::builtin("session-events").expect("the protocol is built in");
        let mut checker = Checker::new(protocol, Options::default());
        checker.feed(self.file.as_bytes());
        let report = checker.finish();
        let said = report.findings.iter().map(|f| (f.place.line, &*f.rule));
        if !said.clone().eq(expected.iter().copied()) {
            let said: Vec<(u64, &str)> = said.collect();
            self.disagreement = Some(self.describe(&expected, &said));
        }
    }

    fn describe(&self, expected: &[Finding], said: &[(u64, &str)]) -> String {
        let events: Vec<String> = self.events.iter().map(wire::in_words).collect();
        let mut words = "engine and second reading disagree on\n".to_owned();
        for (number, event) in (1..).zip(events) {
            words += &format!("  {number}. {event}\n");
        }
        words += &format!("the second reading says {}\n", list(expected));
        words += &format!("the engine says         {}\n", list(said));
        words + "as a file:\n" + &self.file
    }
}

fn list(findings: &[(u64, &str)]) -> String {
    if findings.is_empty() {
        return "nothing".to_owned();
    }
    let each = findings.iter().map(|(line, rule)| format!("{line}: {rule}"));
    each.collect::<Vec<_>>().join(", ")
}

/// Judges all sequences of 1 to `longest` symbols, the short ones first, so that the disagreement that is
/// shown is one of the shortest. Most sequences are of the longest length: of those, an evenly spread sample is judged
/// unless all are asked for. `reached` are rules that must have been broken on the way: otherwise
/// the alphabet would be too poor to show anything.
pub fn judge_all(name: &str, alphabet: &[Symbol], longest: usize, reached: &[&str]) {
    let symbols = alphabet.len();
    assert!(!symbols.is_multiple_of(SAMPLE), "the sample contains every symbol in every place");
    let all = format!("second_opinion: all {symbols}^{longest} sequences of {name}");
    let part = format!("second_opinion: one in {SAMPLE} of the {symbols}^{longest} sequences of {name}");
    slow::tell(&all, &part);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut rules = BTreeSet::new();
    for length in 1..=longest {
        let sample = if length == longest && !slow::is_asked_for() { SAMPLE } else { 1 };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut tally = Tally {
                alphabet,
                length,
                sample,
                events: Vec::new(),
                file: String::new(),
                sequences: 0,
                rules: BTreeSet::new(),
                disagreement: None,
            };
            let mut place = 0;
            while tally.disagreement.is_none() {
                place = next.fetch_add(1, Ordering::Relaxed);
                if place >= alphabet.len() {
                    break;
                }
                tally.go_on_with(place, 0, &Reading::default());
            }
            (place, tally)
        };
        let tallies: Vec<(usize, Tally)> = thread::scope(|scope| {
            let started: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let joined = started.into_iter().map(|worker| worker.join());
            joined.map(|it| it.expect("a worker panicked")).collect()
        });
        let mut sequences = 0;
        let mut disagreements = Vec::new();
        for (place, tally) in tallies {
            sequences += tally.sequences;
            rules.extend(tally.rules);
            disagreements.extend(tally.disagreement.map(|words| (place, words)));
        }
        // The first in the alphabet's order, so that it is always the same one.
        if let Some((_, words)) = disagreements.into_iter().min() {
            panic!("{words}\n(the second reading is in tests/second_opinion/tables.rs and reading.rs)");
        }
        let expected = symbols.pow(length as u32).div_ceil(sample);
        assert_eq!(sequences, expected, "sequences of length {length} were left out");
    }
    for rule in reached {
        assert!(rules.contains(rule), "{rule} never came up");
    }
}
