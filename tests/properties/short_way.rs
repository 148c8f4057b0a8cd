//! The short way through a step of the tables has the same findings as the long one.

use std::path::Path;
use std::sync::LazyLock;
use std::{fmt, fs};

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::generate::{StreamOptions, tape, wild};
use sessionlint::{Excerpt, Options, Protocol, Report};
use sessionlint_core::Checker;
use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::Settings;

/// The lines of a recording.
type Lines = Vec<Vec<u8>>;

/// A protocol, and what its recordings are made of.
struct Subject {
    protocol: &'static Protocol,
    /// The valid recordings of the corpus.
    valid: Vec<Lines>,
    /// The event types that have pieces of a text.
    pieces: &'static [&'static str],
    /// Parts of a line, each with what may stand there instead.
    replaced: &'static [(&'static str, &'static str)],
}

static SUBJECTS: LazyLock<[Subject; 4]> = LazyLock::new(|| {
    [
        Subject::new(
            "session-events",
            &["session.stream.chunk"],
            &[
                (r#""text":""#, r#""text":7,"also":""#),
                (r#""text":""#, r#""text":"\ude00"#),
                (r#""text":""#, r#""text":"\ud83d","also":""#),
                (r#""done":false"#, r#""done":true"#),
                (r#""done":false"#, r#""done":null"#),
                (r#""done":true"#, r#""done":false"#),
                (r#""pending":true"#, r#""pending":7"#),
                (r#""status_label":"idle""#, r#""status_label":null"#),
                (r#""status_label":"idle""#, r#""status_label":"busy""#),
                ("T", "X"),
                ("{", "["),
            ],
        ),
        Subject::new(
            "openai-chat",
            &["chat.completion.chunk"],
            &[
                (r#""index":0"#, r#""index":1"#),
                (r#""index":0"#, r#""index":"0""#),
                (r#""finish_reason":null"#, r#""finish_reason":"stop""#),
                (r#""finish_reason":null"#, r#""finish_reason":"tool_calls""#),
                (r#""delta":{"#, r#""delta":{"role":"assistant","#),
                (r#""content":""#, r#""content":null,"refusal":""#),
                (r#""content":""#, r#""content":"","also":""#),
                (r#""content":""#, r#""tool_calls":[{"index":0,"function":{"arguments":"1"}}],"also":""#),
                (r#""arguments":""#, r#""arguments":"\ud83d","also":""#),
                (r#""arguments":""#, r#""arguments":"\ude00"#),
                (r#""arguments":""#, r#""arguments":7,"also":""#),
                (r#""arguments":""#, r#""name":"again","arguments":""#),
                (r#""tool_calls":[{"index":0,"#, r#""tool_calls":[{"index":1,"#),
                (r#""tool_calls":["#, r#""tool_calls":[{"index":1,"function":{"arguments":"2"}},"#),
                (r#""choices":["#, r#""choices":[{"index":1,"delta":{},"finish_reason":null},"#),
                (r#""choices":["#, r#""choices":7,"also":["#),
                (r#""usage":null"#, r#""usage":{"completion_tokens":1,"prompt_tokens":1,"total_tokens":2}"#),
                (r#""object":"chat.completion.chunk","#, ""),
                (r#""id":"chatcmpl"#, r#""id":"other"#),
                (r#""created":1"#, r#""created":2"#),
                (r#""model":""#, r#""model":"\u0067"#),
                ("{", "["),
            ],
        ),
        Subject::new(
            "openai-responses",
            &["response.output_text.delta", "response.function_call_arguments.delta"],
            &[
                (r#""sequence_number":"#, r#""sequence_number":1"#),
                (r#""sequence_number":"#, r#""also":"#),
                (r#""sequence_number":"#, r#""sequence_number":0."#),
                (r#""output_index":0"#, r#""output_index":1"#),
                (r#""output_index":0"#, r#""output_index":null"#),
                (r#""content_index":0"#, r#""content_index":1"#),
                (r#""item_id":""#, r#""item_id":"x"#),
                (r#""delta":""#, r#""delta":"\ud83d","also":""#),
                (r#""delta":""#, r#""delta":"\ude00"#),
                (r#""delta":""#, r#""delta":7,"also":""#),
                (".delta", ".done"),
                ("output_text", "refusal"),
                ("{", "["),
            ],
        ),
        Subject::new(
            "anthropic-messages",
            &["content_block_delta"],
            &[
                (r#""index":0"#, r#""index":1"#),
                (r#""index":1"#, r#""index":0"#),
                (r#""index":0"#, r#""index":null"#),
                (r#""type":"text_delta","text":""#, r#""type":"input_json_delta","partial_json":""#),
                (r#""type":"input_json_delta""#, r#""type":"text_delta""#),
                (r#""type":"input_json_delta""#, r#""type":7"#),
                (r#""partial_json":""#, r#""partial_json":"\ud83d","also":""#),
                (r#""partial_json":""#, r#""partial_json":"\ude00"#),
                (r#""partial_json":""#, r#""partial_json":7,"also":""#),
                ("content_block_delta", "content_block_stop"),
                ("content_block_stop", "ping"),
                ("message_stop", "message_start"),
                ("{", "["),
            ],
        ),
    ]
});

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.protocol.name())
    }
}

impl Subject {
    fn new(name: &str, pieces: &'static [&'static str], replaced: &'static [(&'static str, &'static str)]) -> Subject {
        let protocol = Protocol::builtin(name).expect("it is built in");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name).join("valid");
        let files = fs::read_dir(folder).expect("the corpus is here").map(|file| file.expect("it is a file").path());
        let mut files: Vec<_> = files.collect();
        files.sort();
        let valid: Vec<Lines> = files.iter().filter_map(|file| lines_of(file)).collect();
        assert!(valid.len() > 10, "the corpus is here");
        Subject { protocol, valid, pieces, replaced }
    }
}

/// Returns the events of a file that has one a line; `None` for any other file.
fn lines_of(file: &Path) -> Option<Lines> {
    let before = match file.extension()?.to_str()? {
        "ndjson" => "",
        "sse" => "data: ",
        _ => return None,
    };
    let text = fs::read_to_string(file).ok()?;
    Some(text.lines().filter_map(|line| Some(line.strip_prefix(before)?.as_bytes().to_vec())).collect())
}

/// A change to a line of a recording.
#[derive(Clone, Debug)]
enum Damage {
    Lost,
    /// The line comes so many times more.
    Repeated(usize),
    /// The line comes after the next one.
    Late,
    /// The line comes once more, where the other one is.
    Again(Index),
    /// A part of the line, if it exists, is replaced by another.
    Replaced(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        1 => Just(Damage::Lost),
        2 => (1..5usize).prop_map(Damage::Repeated),
        1 => Just(Damage::Late),
        1 => any::<Index>().prop_map(Damage::Again),
        6 => any::<Index>().prop_map(Damage::Replaced),
    ]
}

fn damaged(mut lines: Lines, damages: &[(Index, Damage)], subject: &Subject) -> Lines {
    for (at, damage) in damages {
        if lines.len() < 2 {
            break;
        }
        let at = at.index(lines.len() - 1);
        match damage {
            Damage::Lost => drop(lines.remove(at)),
            Damage::Repeated(times) => drop(lines.splice(at..at, vec![lines[at].clone(); *times])),
            Damage::Late => lines.swap(at, at + 1),
            Damage::Again(to) => lines.insert(to.index(lines.len()), lines[at].clone()),
            Damage::Replaced(which) => {
                let line = String::from_utf8_lossy(&lines[at]).into_owned();
                // Most parts stand in few lines.
                let there: Vec<_> = subject.replaced.iter().filter(|(from, _)| line.contains(from)).collect();
                if !there.is_empty() {
                    let (from, to) = there[which.index(there.len())];
                    lines[at] = line.replacen(from, to, 1).into_bytes();
                }
            }
        }
    }
    lines
}

/// Numbers the events that have a sequence number anew.
fn renumbered(lines: Lines) -> Lines {
    const BEFORE: &str = r#""sequence_number":"#;
    let mut number = 0;
    let renumber = |line: Vec<u8>| {
        let line = String::from_utf8_lossy(&line).into_owned();
        let Some((before, after)) = line.split_once(BEFORE) else { return line.into_bytes() };
        number += 1;
        let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        format!("{before}{BEFORE}{number}{rest}").into_bytes()
    };
    lines.into_iter().map(renumber).collect()
}

fn report(subject: &Subject, recording: &[u8], options: &Options, short: bool) -> Report {
    let mut checker = StreamChecker::new(subject.protocol, &Settings::new(subject.protocol, options.clone()), None);
    if !short {
        checker.count_coverage();
    }
    checker.feed(recording);
    checker.finish()
}

fn options() -> impl Strategy<Value = Options> {
    (prop_oneof![3 => Just(false), 1 => Just(true)], any::<bool>(), prop_oneof![Just(20), Just(200), Just(1 << 20)])
        .prop_map(|(fragment, excerpts, text)| {
            Options::default().with_fragment(fragment).with_excerpts(excerpts).with_max_text_bytes(text)
        })
}

/// Makes a damaged recording of one of the protocols.
fn recordings() -> impl Strategy<Value = (&'static Subject, Lines)> {
    let damages = prop::collection::vec((any::<Index>(), damage()), 0..8);
    let streams = (any::<bool>(), any::<u64>(), any::<[Index; 2]>());
    (0..SUBJECTS.len(), streams, damages, any::<bool>()).prop_map(|(subject, stream, damages, renumber)| {
        let subject = &SUBJECTS[subject];
        let lines = match stream {
            (true, seed, _) => {
                let weights = subject.pieces.iter().map(|name| ((*name).to_owned(), 60)).collect();
                let knobs = StreamOptions { turns: 3, sessions: 2, events: 80, weights };
                wild(subject.protocol, &knobs, &tape(seed, 600)).lines
            }
            (false, _, which) => {
                which.iter().flat_map(|which| subject.valid[which.index(subject.valid.len())].clone()).collect()
            }
        };
        let lines = damaged(lines, &damages, subject);
        (subject, if renumber { renumbered(lines) } else { lines })
    })
}

/// Judges a recording, and stops and restores the checker before each line that is in `stops`. The findings have no
/// excerpts, because a snapshot does not include the text of earlier events.
fn stopped(subject: &Subject, lines: &[Vec<u8>], options: &Options, stops: &[Index]) -> Report {
    let mut checker = Checker::new(subject.protocol, options.clone());
    let mut findings = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if stops.iter().any(|stop| stop.index(lines.len()) == number) {
            findings.append(&mut checker.take_findings());
            let state = checker.snapshot();
            checker = Checker::restore(subject.protocol, options.clone(), &state).expect("it is this checker's");
        }
        checker.feed(line);
        checker.feed(b"\n");
    }
    let mut report = checker.finish();
    findings.append(&mut report.findings);
    report.findings = findings;
    for finding in &mut report.findings {
        finding.place.excerpt = Excerpt::default();
        for related in &mut finding.related {
            related.place = (*related.place).clone().with_excerpt(Excerpt::default()).into();
        }
    }
    report
}

proptest! {
    #![proptest_config(crate::cases(400))]

    #[test]
    fn the_short_way_finds_what_the_long_one_finds((subject, lines) in recordings(), options in options()) {
        let recording = lines.join(&b'\n');
        prop_assert_eq!(
            report(subject, &recording, &options, true),
            report(subject, &recording, &options, false),
            "{}", String::from_utf8_lossy(&recording)
        );
    }

    /// What a stream remembers of its last event is forgotten, and nothing else.
    #[test]
    fn a_stop_changes_nothing(
        (subject, lines) in recordings(),
        options in options(),
        stops in prop::collection::vec(any::<Index>(), 1..6),
    ) {
        prop_assert_eq!(
            stopped(subject, &lines, &options, &stops),
            stopped(subject, &lines, &options, &[]),
            "{}", String::from_utf8_lossy(&lines.join(&b'\n'))
        );
    }
}
