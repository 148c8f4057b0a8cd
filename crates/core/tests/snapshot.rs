//! Tests of snapshots: a restored checker continues as if it had never stopped, and no bytes do harm.

use proptest::prelude::*;
use sessionlint_core::{Checker, Options, Protocol, Report, SnapshotErrorKind};

fn events() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

/// Lines of a recording that fill nearly every part of a state: two sessions, text with halves of characters, calls,
/// unknown names, a truncated line.
const LINES: [&str; 22] = [
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"a","pending":true,"status_label":"thinking"}}"#,
    r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:01Z","payload":{"session_id":"a","text":"Hel","done":false}}"#,
    r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:02.5Z","payload":{"session_id":"a","text":"l\ud83d","done":false}}"#,
    r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:03Z","payload":{"session_id":"a","text":"\ude00o","done":true,"extra":1}}"#,
    r#"{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:04Z","payload":{"session_id":"a","tool_call_id":"c1","tool_name":"bash","tool_input":{}}}"#,
    r#"{"type":"session.tool.call.started","timestamp":"2026-01-01T00:00:04Z","payload":{"session_id":"b","tool_call_id":"c1","tool_name":"b\u0061sh","tool_input":{}}}"#,
    r#"{"type":"session.tool.call.completed","timestamp":"2026-01-01T00:00:05Z","payload":{"session_id":"a","tool_call_id":"c1","tool_name":"other","ok":true,"duration_ms":1}}"#,
    r#"{"type":"session.tool.results","timestamp":"2026-01-01T00:00:06Z","payload":{"session_id":"a","results":[{"tool_call_id":"c1","tool_name":"bash","ok":true,"output":""},{"tool_call_id":"c2","ok":false,"output":1}]}}"#,
    r#"{"type":"session.custom","timestamp":"2026-01-01T00:00:06Z","payload":{"session_id":"a"}}"#,
    r#"{"type":"session.custom","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"a"}}"#,
    r#"{"type":"session.message.appended","timestamp":"2026-01-01T00:00:07+01:00","payload":{"session_id":"b","role":"user","content":"x"}}"#,
    r#"{"type":"session.completed","timestamp":"2026-01-01T00:00:08Z","payload":{"session_id":"a","final_message":"Hell😀o"}}"#,
    r#"{"type":"session.completed","timestamp":"2026-01-01T00:00:08Z","payload":{"session_id":"b","final_message":"No"}}"#,
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:09Z","payload":{"session_id":"a","pending":false,"status_label":"idle"}}"#,
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:09Z","payload":{"session_id":"b","pending":false,"status_label":"idle"}}"#,
    r#"{"type":"session.error","timestamp":"2026-01-01T00:00:10Z","payload":{"session_id":"b","message":"m","code":"c"}}"#,
    r#"{"type":"session.interrupted","timestamp":"2026-01-01T00:00:10Z","payload":{"session_id":"a"}}"#,
    r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:11Z","payload":{"session_id":"b","text":17,"done":false}}"#,
    r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:12Z","payload":{"session_id":"a","text":"é\n","done":false,"other":[]}}"#,
    r#"{"jsonrpc":"2.0","method":"ping"}"#,
    r#"{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00"#,
    "[]",
];

/// Returns the report with all findings but without excerpts, because a snapshot does not include the text of earlier
/// events.
fn found(mut findings: Vec<sessionlint_core::Finding>, mut report: Report) -> Report {
    findings.append(&mut report.findings);
    for related in findings.iter_mut().flat_map(|finding| &mut finding.related) {
        let mut place = (*related.place).clone();
        place.excerpt = Default::default();
        related.place = place.into();
    }
    findings.iter_mut().for_each(|finding| finding.place.excerpt = Default::default());
    report.findings = findings;
    report
}

/// Checks pieces, as events or as pieces of a file, and restarts the checker before each piece whose number is in
/// `stops`.
fn checked(options: &Options, pieces: &[&[u8]], as_events: bool, stops: &[usize]) -> Report {
    let mut checker = Checker::new(events(), options.clone());
    let mut findings = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        if stops.contains(&number) {
            findings.append(&mut checker.take_findings());
            let state = checker.snapshot();
            checker = Checker::restore(events(), options.clone(), &state).expect("it is this checker's");
            assert!(checker.snapshot() == state, "a restored checker has the state that it was restored from");
        }
        if as_events { checker.event(piece, number as u64) } else { checker.feed(piece) }
    }
    found(findings, checker.finish())
}

/// Makes lists of lines, in any order or in the order of the recording.
fn lines() -> impl Strategy<Value = Vec<&'static str>> {
    let any = prop::collection::vec(prop::sample::select(&LINES[..]), 1..40);
    let in_order = prop::sample::subsequence(&LINES[..], 10..=LINES.len());
    prop_oneof![any, in_order]
}

fn options() -> impl Strategy<Value = Options> {
    (any::<bool>(), prop_oneof![Just(8), Just(1 << 20)], 1..4usize, prop_oneof![Just(150), Just(1 << 20)]).prop_map(
        |(fragment, text, streams, line)| {
            let options = Options::default().with_fragment(fragment).with_max_text_bytes(text);
            options.with_max_streams(streams).with_max_line_bytes(line)
        },
    )
}

/// Returns the lines in one of the forms of input.
fn written(lines: &[&str], form: usize) -> Vec<u8> {
    match form {
        0 => lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
        1 => lines.iter().map(|line| format!("data: {line}\r\n\r\n")).collect(),
        _ => format!("[\n{}\n]", lines.join(",\n\n")),
    }
    .into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stop_between_events_changes_nothing(
        lines in lines(),
        options in options(),
        stops in prop::collection::vec(0..40usize, 0..6),
    ) {
        let events: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        prop_assert_eq!(checked(&options, &events, true, &stops), checked(&options, &events, true, &[]));
    }

    #[test]
    fn a_stop_anywhere_in_a_file_changes_nothing(
        lines in lines(),
        options in options(),
        form in 0..3usize,
        size in 1..400usize,
        stops in prop::collection::vec(0..40usize, 0..6),
    ) {
        let text = written(&lines, form);
        let pieces: Vec<_> = text.chunks(size).collect();
        prop_assert_eq!(checked(&options, &pieces, false, &stops), checked(&options, &pieces, false, &[]));
    }

    /// A snapshot that was edited behind its header is refused, or restores to a checker that works.
    #[test]
    fn edited_states_do_no_harm(
        lines in lines(),
        form in 0..3usize,
        kept in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..12),
        after in lines(),
    ) {
        let options = Options::default();
        let mut checker = Checker::new(events(), options.clone());
        let text = written(&lines, form);
        checker.feed(&text[..kept.index(text.len())]);
        lines.iter().for_each(|line| checker.event(line.as_bytes(), 5));
        let mut state = checker.snapshot();
        for (at, byte, kind) in edits {
            let at = 22 + at.index(state.len() - 22);
            match kind {
                0 => state.truncate(at.max(23)),
                1 => state.insert(at, byte),
                2 => state[at] = 0xFF,
                _ => state[at] = byte,
            }
        }
        if let Ok(mut checker) = Checker::restore(events(), options, &state) {
            after.iter().for_each(|line| checker.event(line.as_bytes(), 6));
            checker.feed(&text);
            let _ = checker.snapshot();
            let _ = checker.finish();
        }
    }
}

#[test]
fn a_state_of_another_checker_is_refused_with_the_reason() {
    let records = Protocol::builtin("session-records").expect("it is built in");
    let state = Checker::new(events(), Options::default()).snapshot();
    let refused = |protocol: &Protocol, options: Options, state: &[u8]| {
        Checker::restore(protocol, options, state).err().map(|error| error.kind())
    };
    let with = |at: usize| {
        let mut state = state.clone();
        state[at] ^= 1;
        state
    };
    assert_eq!(refused(events(), Options::default(), &state), None);
    assert_eq!(refused(events(), Options::default().with_file("x").with_excerpts(false), &state), None);
    assert_eq!(refused(records, Options::default(), &state), Some(SnapshotErrorKind::Protocol));
    for options in [
        Options::default().with_fragment(true),
        Options::default().with_max_streams(5),
        Options::default().with_rule(events(), "idle-missing", None).expect("there is such a rule"),
    ] {
        assert_eq!(refused(events(), options, &state), Some(SnapshotErrorKind::Options));
    }
    assert_eq!(refused(events(), Options::default(), &with(4)), Some(SnapshotErrorKind::Version));
    for damaged in [&[][..], &with(0), &state[..30], &[&state[..], b"x"].concat()] {
        assert_eq!(refused(events(), Options::default(), damaged), Some(SnapshotErrorKind::Damaged));
    }
}

#[test]
fn stored_records_are_restored_too() {
    let records = Protocol::builtin("session-records").expect("it is built in");
    let event = br#"{"timestamp":"2026-01-01T00:00:05Z","session_id":"s1","type":"sms"}"#;
    let session = br#"{"timestamp":"2026-01-01T00:00:10Z","session_id":"s1","conversation_id":"k","agent_name":"a"}"#;
    let mut checker = Checker::new(records, Options::default());
    checker.event(event, 1);
    let state = checker.snapshot();
    checker.event(session, 2);
    let mut restored = Checker::restore(records, Options::default(), &state).expect("it is this checker's");
    restored.event(session, 2);
    let report = restored.finish();
    assert_eq!(report.summary.records, 2);
    assert_eq!(report, checker.finish());
}

/// A protocol that fills every part of a state. It is not a built-in one, because those may change.
const TALK: &str = r#"
name = "talk"
version = "1"

[event]
type = "/type"
time = "/time"
stream = "/room"
unknown = "unknown-event"

[[lifecycle]]
name = "turn"
states = ["idle", "open"]
opens = "open"
entered = { open = "the turn began here" }

[[lifecycle.row]]
on = "begin"
cell.else = "open"

[[lifecycle.row]]
on = "end"
cell.else = "idle"

[[lifecycle.row]]
on = ["say", "ask"]
cell.else = "="

[[lifecycle]]
name = "question"
within = "turn"
states = ["absent", "asked"]
keyed = "stream"
opens = "asked"
entered = { asked = "it was asked here" }

[[lifecycle.row]]
on = "ask"
key = "/id"
same = [{ kept = "words", at = "/words", rule = "other-words" }]
keep = { words = "/words", whole = "/whole", parts = "/whole/parts" }
cell.else = "asked"

[[lifecycle]]
name = "word"
within = "question"
states = ["absent", "said"]
keyed = "parent"
opens = "said"

[[lifecycle.row]]
on = "ask"
key = ["/id", "/words"]
cell.else = "said"

[[text]]
name = "question"
within = "question"
key = "/id"
append = { on = "ask", at = "/words" }
json = { on = "end", key = [], is = "any", rule = "other-speech" }

[[series]]
within = "question"
key = "/id"
values = [{ on = "ask", at = "/words" }]
step = "same"
rule = "other-words"

[[text]]
name = "speech"
within = "turn"
began = "the speech began here"
append = { on = "say", at = "/words", after = { turn = "open" } }
whole = { on = "end", at = "/words", before = { turn = "open" }, rule = "other-speech" }

[rule.other-words]
severity = "error"
basis = "framing"
says = "it was {kept} and is {found}"
help = "ask the same"

[rule.other-speech]
severity = "error"
basis = "framing"
says = "it is not said so"
help = "say the same"
"#;

/// The stored form may change only together with its version; otherwise older states would be misread.
#[test]
fn the_version_changes_with_the_form() {
    let schema = r#"{"type":"object","properties":{"type":{"type":"string"},"time":{"type":"string","format":"date-time"},
        "room":{"type":"string"},"id":{"type":"string"},"words":{"type":"string"},"whole":{"type":"object","properties":{"parts":{"type":"array"}}}}}"#;
    let schemas = ["begin", "end", "say", "ask"].map(|event| (format!("{event}.schema.json"), schema));
    let files = schemas.into_iter().chain([("protocol.toml".to_owned(), TALK)]);
    let protocol = Protocol::from_files("talk", files).unwrap_or_else(|error| panic!("{error}"));
    let mut checker = Checker::new(&protocol, Options::default());
    for (row, event) in [
        r#"{"type":"begin","time":"2026-01-01T00:00:00Z","room":"a"}"#,
        r#"{"type":"ask","time":"2026-01-01T00:00:01Z","room":"a","id":"q","words":"why?","whole":{"why":null,"parts":[1]}}"#,
        r#"{"type":"say","time":"2026-01-01T00:00:02Z","room":"a","words":"beca\ud83d","unknown":1}"#,
        r#"{"type":"shout","time":"2026-01-01T00:00:02Z","room":"b"}"#,
        r#"{"type":"ask","time":"2026-01-01T00:00:01Z","room":"a","id":"q","words":"why not?"}"#,
    ]
    .iter()
    .enumerate()
    {
        checker.event(event.as_bytes(), row as u64);
    }
    checker.feed(b"data: {\n");
    let state = checker.snapshot();
    // The header before the state has digests, which change with the tables.
    let hash = state[22..]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!(
        (&state[4..6], hash),
        (&[12, 0][..], 4_855_640_561_193_030_338),
        "raise VERSION in snapshot.rs, and write down the new hash here"
    );
}
