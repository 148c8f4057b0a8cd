//! Properties of every file of records, tried on random ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::{IndexBuilder, RecordChecker, RecordOptions};
use crate::event::{Options, Settings};
use crate::finding::{Finding, Report, Severity};
use crate::protocol::Protocol;

/// Returns a configuration for `count` cases, or for the number that `PROPTEST_CASES` gives.
fn cases(count: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases: count, ..config } }
}

const TIME: &str = "2026-01-01T00:00:00Z";

fn protocol() -> &'static Protocol {
    Protocol::builtin("session-records").expect("it is built in")
}

fn options(kind: Option<&str>, complete: bool) -> RecordOptions {
    let id = |kind: &str| protocol().event_id(kind).expect("a kind");
    RecordOptions { kind: kind.map(id), complete }
}

/// Checks files that belong together, each fed in pieces of `piece` bytes.
fn judge(files: &[(&str, &[u8])], options: RecordOptions, piece: usize) -> Vec<Report> {
    judge_by(&settings(true), files, options, piece)
}

fn judge_with(files: &[(&str, &[u8])], options: RecordOptions, excerpts: bool) -> Vec<Report> {
    judge_by(&settings(excerpts), files, options, usize::MAX)
}

fn settings(excerpts: bool) -> Settings {
    let severities = BTreeMap::from([("event-after-session".to_owned(), Some(Severity::Warning))]);
    Settings::new(protocol(), Options::default().with_severities(severities).with_excerpts(excerpts))
}

fn judge_by(settings: &Settings, files: &[(&str, &[u8])], options: RecordOptions, piece: usize) -> Vec<Report> {
    let mut builder = IndexBuilder::new(protocol()).expect("it is one of records");
    for (name, bytes) in files {
        let mut file = builder.begin_file(settings, options.kind, Some(Arc::from(*name)));
        bytes.chunks(piece).for_each(|piece| file.feed(piece));
        file.finish();
    }
    let index = builder.build();
    let report = |(name, bytes): &(&str, &[u8])| {
        let checker = RecordChecker::new(protocol(), settings, options, Some(Arc::from(*name)), &index);
        let mut checker = checker.expect("it is one of records");
        let mut findings = Vec::new();
        for piece in bytes.chunks(piece) {
            checker.feed(piece);
            findings.append(checker.findings());
        }
        let mut report = checker.end(None);
        findings.append(&mut report.findings);
        Report { findings, ..report }
    };
    files.iter().map(report).collect()
}

/// Returns the findings of a record, apart from the U+FFFD that made-up texts have.
fn findings_of(kind: &str, record: &Value) -> Vec<Finding> {
    let report = judge(&[("x", record.to_string().as_bytes())], options(Some(kind), false), usize::MAX).remove(0);
    report.findings.into_iter().filter(|finding| &*finding.rule != "replacement-character").collect()
}

// ---- shapes -------------------------------------------------------------------------------------------

const KINDS: [&str; 3] = ["session", "event", "session-action"];

/// Returns the documented fields of a kind, each with the JSON type of its values.
fn fields(kind: &str) -> Vec<(String, String)> {
    let (_, schema) = protocol().schemas().find(|(name, _)| *name == kind).expect("a kind");
    let of = |(name, field): (&String, &Value)| {
        let types = &field["type"];
        (name.clone(), types[0].as_str().or(types.as_str()).expect("a type").to_owned())
    };
    schema["properties"].as_object().expect("fields").iter().map(of).collect()
}

/// Returns values of a field that no rule reports.
fn value(field: &str, of_type: &str) -> BoxedStrategy<Value> {
    match (field, of_type) {
        ("timestamp", _) => Just(json!(TIME)).boxed(),
        ("agent_timezone", _) => select(vec!["Europe/Berlin", "UTC", ""]).prop_map(Value::from).boxed(),
        // A string that no other field has.
        ("channel_manager_sid", _) => Just(json!("the manager's own")).boxed(),
        ("duration", _) => prop_oneof![(0.0..1e9).prop_map(Value::from), (0..1_000_000).prop_map(Value::from)].boxed(),
        (_, "string") => any::<String>().prop_map(Value::from).boxed(),
        (_, "boolean") => any::<bool>().prop_map(Value::from).boxed(),
        (_, "object") => any::<BTreeMap<String, i32>>().prop_map(|members| json!(members)).boxed(),
        _ => panic!("{field} has a type that this test does not know: {of_type}"),
    }
}

/// Returns records of a kind with every field that may occur together with the others.
fn record(kind: &'static str) -> impl Strategy<Value = Map<String, Value>> {
    let fields = fields(kind);
    let names: Vec<_> = fields.iter().map(|(name, _)| name.clone()).collect();
    let values: Vec<_> = fields.iter().map(|(name, of_type)| value(name, of_type)).collect();
    values.prop_map(move |values| {
        let mut record: Map<_, _> = names.iter().cloned().zip(values).collect();
        // A result and an error in one record are reported.
        if record.get("tool_result").is_some() {
            record.insert("tool_error".to_owned(), Value::Null);
        }
        record
    })
}

fn any_record() -> impl Strategy<Value = (&'static str, Map<String, Value>)> {
    select(KINDS.to_vec()).prop_flat_map(|kind| record(kind).prop_map(move |record| (kind, record)))
}

/// Returns values that no field of this type may have.
fn wrong(of_type: &str) -> Vec<Value> {
    let all = [json!("no"), json!(true), json!(-1.5), json!(7), json!({"a": 1}), json!([])];
    let fits = |value: &Value| match of_type {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        other => panic!("this test does not know the type {other}"),
    };
    all.into_iter().filter(|value| !fits(value)).collect()
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn any_field_but_the_timestamp_may_be_null_or_left_out((kind, whole) in any_record()) {
        prop_assert_eq!(findings_of(kind, &json!(whole)), []);
        for field in whole.keys() {
            let (mut null, mut without) = (whole.clone(), whole.clone());
            null.insert(field.clone(), Value::Null);
            without.remove(field);
            let found = [null, without].map(|record| findings_of(kind, &json!(record)));
            if field != "timestamp" {
                prop_assert_eq!(&found, &[[], []], "{} {}", kind, field);
                continue;
            }
            let rules = found.each_ref().map(|found| found.iter().map(|finding| &*finding.rule).collect::<Vec<_>>());
            prop_assert_eq!(rules, [vec!["wrong-type"], vec!["missing-field"]]);
        }
    }

    #[test]
    fn a_field_of_a_wrong_type_is_one_finding_that_points_at_it((kind, whole) in any_record()) {
        for (field, of_type) in fields(kind) {
            for value in wrong(&of_type) {
                let mut record = whole.clone();
                record.insert(field.clone(), value.clone());
                let found = findings_of(kind, &json!(record));
                let reported: Vec<_> =
                    found.iter().map(|finding| (&*finding.rule, finding.pointer.as_deref().unwrap_or_default())).collect();
                let pointer = format!("/{field}");
                prop_assert_eq!(reported, [("wrong-type", pointer.as_str())], "{}: {}", kind, value);
                let written = json!(record).to_string();
                let place = &found[0].place;
                prop_assert_eq!(&written[place.start as usize..place.end as usize], value.to_string());
            }
        }
    }
}

// ---- order --------------------------------------------------------------------------------------------

/// Times before, within and after the sessions, which begin on the hour.
const TIMES: [&str; 4] =
    ["2026-01-01T08:59:59Z", "2026-01-01T09:00:00Z", "2026-01-01T10:00:30+01:00", "2026-01-01T09:30:00.5Z"];

/// Returns sessions with the id `session`, or events of any session if it is `None`. `number`: their `source`.
fn related_record(number: usize, session: Option<&str>) -> impl Strategy<Value = Value> + use<> {
    let own = session.map(str::to_owned);
    let one_of = |words: &'static [Value]| select(words.to_vec());
    static IDS: [&str; 5] = ["a", "b", "c", "nobody", ""];
    static CONVERSATIONS: std::sync::LazyLock<Vec<Value>> =
        std::sync::LazyLock::new(|| vec![json!("x"), json!("y"), json!(""), Value::Null]);
    let durations = prop_oneof![Just(json!(60)), Just(json!(-1.5)), Just(Value::Null)];
    let of = (select(IDS.to_vec()), one_of(&CONVERSATIONS), select(TIMES.to_vec()), durations);
    of.prop_map(move |(id, conversation, time, duration)| {
        let mut record = json!({
            "source": format!("r{number}"),
            "timestamp": time,
            "session_id": own.as_deref().unwrap_or(id),
            "conversation_id": conversation,
        });
        if own.is_some() {
            record["duration"] = duration;
        }
        record
    })
}

fn sessions_and_events() -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    let sessions: Vec<_> = ["a", "b", "c"].iter().enumerate().map(|(n, id)| related_record(n, Some(id))).collect();
    let events: Vec<_> = (3..11).map(|number| related_record(number, None)).collect();
    (sessions, events)
}

/// Returns the findings without their places: the rule, the message, the record's `source`, and the `source` of the
/// record that the finding refers to.
fn sorted_findings(files: &[(&str, &[u8])]) -> Vec<(String, String, String, Option<String>)> {
    let source = |file: &str, at: u64| {
        let (_, bytes) = files.iter().find(|(name, _)| *name == file).expect("a file of these");
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        // A place is in a record: at its start or after its first field.
        let mark = "{\"source\":\"";
        let begin = text.char_indices().map(|(start, _)| start).filter(|start| text[*start..].starts_with(mark));
        let begin = begin.take_while(|start| *start as u64 <= at).last().expect("a record");
        text[begin + mark.len()..].split('"').next().expect("its name").to_owned()
    };
    let mut all = Vec::new();
    for finding in judge(files, options(None, true), usize::MAX).into_iter().flat_map(|report| report.findings) {
        let file = finding.file.as_deref().expect("a name");
        let related =
            finding.related.first().map(|other| source(other.file.as_deref().unwrap_or(file), other.place.start));
        let own = source(file, finding.place.start);
        all.push((finding.rule.to_string(), finding.message, own, related));
    }
    all.sort();
    all
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn the_order_of_files_and_records_changes_nothing(
        (sessions, events) in sessions_and_events(),
        turn in 0..8usize,
    ) {
        let bundle = json!({"sessions": sessions, "events": events}).to_string();
        let expected = sorted_findings(&[("x.json", bundle.as_bytes())]);
        let (mut other_sessions, mut other_events) = (sessions.clone(), events.clone());
        other_sessions.reverse();
        other_events.rotate_left(turn);
        let turned = json!({"events": other_events, "sessions": other_sessions}).to_string();
        prop_assert_eq!(sorted_findings(&[("x.json", turned.as_bytes())]), expected.clone(), "{}", turned);
        let (of_sessions, of_events) = (lines(&other_sessions), lines(&other_events));
        let page = json!({"items": other_events, "page": 0, "page_size": 25}).to_string();
        for of_events in [&of_events, &page] {
            let files = [("sessions.ndjson", of_sessions.as_bytes()), ("events.ndjson", of_events.as_bytes())];
            prop_assert_eq!(sorted_findings(&files), expected.clone());
            prop_assert_eq!(sorted_findings(&[files[1], files[0]]), expected.clone());
        }
    }
}

// ---- places -------------------------------------------------------------------------------------------

#[test]
fn another_record_is_named_with_its_file_only_where_that_is_another_one() {
    let session = r#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"a","duration":1}"#;
    let event = r#"{"timestamp":"2025-01-01T00:00:00Z","session_id":"a","type":"t"}"#;
    // A record of an unknown kind is counted too.
    let one = format!("{{\"timestamp\":\"{TIME}\"}}\n{session}\n{event}\n");
    for excerpts in [true, false] {
        let of_one = judge_with(&[("x", one.as_bytes())], options(None, false), excerpts).remove(0).findings;
        let [unknown, before] = &of_one[..] else { panic!("{of_one:?}") };
        assert_eq!((&*unknown.rule, &*before.rule), ("unknown-kind", "event-before-session"));
        assert_eq!((before.place.line, before.place.event), (3, Some(2)));
        let related = &before.related[0];
        assert_eq!((related.file.as_deref(), related.place.line, related.place.event), (None, 2, Some(1)));
    }
    let two = [("events.json", event.as_bytes()), ("sessions.json", session.as_bytes())];
    let of_two = judge(&two, options(None, false), usize::MAX).remove(0).findings;
    assert_eq!(of_two[0].related[0].file.as_deref(), Some("sessions.json"));
    assert_eq!(of_two[0].file.as_deref(), Some("events.json"));
}

#[test]
fn what_is_said_of_a_record_is_said_of_its_session() {
    // The second session takes the slow path, which must report the same.
    for session in [
        r#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"a","duration":"1"}"#,
        r#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"a","duration":"1","is_test":null,"is_test":null}"#,
    ] {
        let found = judge(&[("x", session.as_bytes())], options(None, false), usize::MAX).remove(0).findings;
        assert!(found.iter().any(|finding| &*finding.rule == "wrong-type"), "{found:?}");
        assert!(found.iter().all(|finding| finding.stream.as_deref() == Some("a")), "{found:?}");
    }
    let transcript = r#"{"session_id":7,"transcription":[],"actions":[{"timestamp":1,"tool_name":"t"}]}"#;
    let found = judge(&[("x", transcript.as_bytes())], options(None, false), usize::MAX).remove(0).findings;
    assert_eq!((found.len(), found[0].stream.as_deref()), (1, Some("7")));
}

#[test]
fn a_key_that_a_container_repeats_is_no_record_s() {
    let page = r#"{"items":[{"timestamp":"2026-01-01T00:00:00Z","duration":1}],"page":0,"page_size":1,"page":0}"#;
    let found = judge(&[("x", page.as_bytes())], options(None, false), usize::MAX).remove(0).findings;
    assert_eq!((found.len(), &*found[0].rule, found[0].pointer.as_deref()), (1, "duplicate-key", Some("/page")));
    assert_eq!((found[0].event_type.as_deref(), found[0].place.event), (Some("page"), None));
}

// ---- damage -------------------------------------------------------------------------------------------

/// Returns every file of the corpus of records that is shorter than 8,000 bytes.
fn corpus() -> Vec<Vec<u8>> {
    fn collect(folder: &Path, files: &mut Vec<Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("the corpus is here") {
            let path = entry.expect("readable").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
            if path.is_dir() {
                collect(&path, files);
            } else if !name.contains("expected") && !name.contains("options") && !name.ends_with(".gz") {
                files.push(fs::read(&path).expect("readable"));
            }
        }
    }
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/session-records"), &mut files);
    files.retain(|file| file.len() < 8_000);
    files.sort();
    files
}

/// Bytes that a failed test shows as text.
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Returns files of the corpus with some of their bytes changed, and perhaps cut.
fn damaged() -> impl Strategy<Value = Bytes> {
    let byte = prop_oneof![any::<u8>(), select(b"{}[]\",:\\u0d8\r\n \xEF\xBB\xBFdata".to_vec())];
    let changes = prop::collection::vec((any::<Index>(), byte), 0..6);
    (select(corpus()), changes, prop::option::of(any::<Index>())).prop_map(|(mut bytes, changes, cut)| {
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        Bytes(bytes)
    })
}

/// Returns whether bytes are JSON, or may be server-sent events, which are right without being JSON.
fn may_be_right(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    text.starts_with(b"data:")
        || serde_json::Deserializer::from_slice(text).into_iter::<Value>().all(|value| value.is_ok())
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn damaged_files_are_judged_and_never_passed_over(bytes in damaged(), piece in 1..200usize, kind in select(KINDS.to_vec())) {
        let bytes = bytes.0;
        for kind in [None, Some(kind)] {
            let report = judge(&[("x", &bytes)], options(kind, true), usize::MAX).remove(0);
            prop_assert_eq!(report.stats.bytes, bytes.len() as u64);
            if !may_be_right(&bytes) {
                prop_assert!(!report.findings.is_empty());
            }
            for place in report.findings.iter().flat_map(|finding| {
                std::iter::once(&finding.place).chain(finding.related.iter().map(|related| &*related.place))
            }) {
                prop_assert!(place.line >= 1 && place.column >= 1, "{:?}", place);
                prop_assert!(place.start <= place.end && place.end <= bytes.len() as u64, "{:?}", place);
                prop_assert!(place.event.is_none_or(|number| number < report.summary.records), "{:?}", place);
            }
            let in_pieces = judge(&[("x", &bytes)], options(kind, true), piece).remove(0);
            prop_assert_eq!(report, in_pieces);
        }
    }
}
