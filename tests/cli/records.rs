//! Stored records beside streams, in folders, in every form, and in every report.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::every_format::every_format;
use super::program::{CLEAN, ERROR, Folder, counts, files, ran, rules};
use super::said::{array, assert_is_sarif, of_junit, of_sarif, parsed};

/// A session, and an event that came a minute before it: event-before-session, one warning.
const SESSION: &str =
    r#"{"timestamp":"2026-01-01T09:00:00Z","session_id":"s1","conversation_id":"c1","agent_name":"a","duration":60}"#;
const EARLY: &str = r#"{"timestamp":"2026-01-01T08:59:00Z","session_id":"s1","category":"automation"}"#;
/// An event of a session that is not here: orphan-event, with --complete only.
const ORPHAN: &str = r#"{"timestamp":"2026-01-01T09:00:01Z","session_id":"s2","category":"automation"}"#;
/// One error: conversation-mismatch.
const ELSEWHERE: &str =
    r#"{"timestamp":"2026-01-01T09:00:01Z","session_id":"s1","conversation_id":"c2","category":"automation"}"#;
/// An action, which names no session.
const ACTION: &str = r#"{"timestamp":"2026-01-01T09:00:02Z","tool_name":"bash","tool_result":"total 24"}"#;
/// Nothing in it shows its kind.
const UNTOLD: &str = r#"{"timestamp":"2026-01-01T09:00:00Z","session_id":"s1"}"#;

fn page(records: &[&str]) -> String {
    format!(r#"{{"items":[{}],"page":0,"page_size":25}}"#, records.join(","))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

/// Which members a container must have is no advice on the type of one that it has.
#[test]
fn the_help_for_a_container_is_about_what_is_wrong_with_it() {
    let help = |text: &str| {
        let folder = Folder::with(&[("sessions.json", text)]);
        let ran = folder.run("check sessions.json --format json");
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        report["findings"][0]["help"].as_str().unwrap_or_default().to_owned()
    };
    let of_a_type = r#"{"items":[],"page":0,"page_size":25,"total_pages":"1"}"#;
    assert_eq!(help(of_a_type), "send the type that the protocol requires");
    // The document has no help where the rule's own is meant.
    assert_eq!(help(r#"{"items":[],"page":0}"#), "");
}

#[test]
fn one_cause_in_several_kinds_names_the_kinds_of_records() {
    let records = "{\"timestamp\":\"20240116T123456Z\",\"duration\":0}\n{\"timestamp\":\"20240116T123456Z\",\"category\":\"a\"}\n";
    let folder = Folder::with(&[("two.ndjson", records)]);
    let ran = folder.run("check --protocol session-records two.ndjson");
    assert!(ran.out.contains("  in records of the kinds session, event\n"), "{}", ran.out);
}

#[test]
fn streams_and_records_are_checked_side_by_side() {
    let folder = Folder::with(&[
        ("in/a.ndjson", ERROR),
        ("in/b.ndjson", CLEAN),
        ("in/session.json", &SESSION.replace("60", "-1")),
        ("in/mixed.ndjson", &format!("{SESSION}\n{CLEAN}{EARLY}\n")),
    ]);
    let document = folder.json("in");
    assert_eq!(rules(&document), ["wrong-type", "event-before-session", "negative-duration"]);
    assert_eq!(files(&document), ["in/a.ndjson", "in/mixed.ndjson", "in/session.json"]);
    let summary = &document["summary"];
    let of = |key: &str| summary[key].as_u64().expect("a number");
    assert_eq!([of("files"), of("events"), of("records"), of("skipped"), of("loose")], [4, 2, 3, 1, 0]);
    let said = folder.run("check in").out;
    let end = "4 files, 2 events, 2 streams, 3 records: 1 error, 2 warnings, 0 notes; 1 event or message skipped that carries no record; checked against session-events.\n";
    assert!(said.ends_with(end), "{said}");
}

#[test]
fn the_files_of_a_folder_belong_together_in_any_form() {
    let page = page(&[EARLY, ORPHAN]);
    for (name, events) in [
        ("events.ndjson", format!("{EARLY}\n{ORPHAN}\n").into_bytes()),
        ("events.json", format!("[{EARLY},\n{ORPHAN}]").into_bytes()),
        ("events.json.gz", gzip(&page)),
        ("events.page.json", page.clone().into_bytes()),
    ] {
        let folder = Folder::with(&[("export/sessions.json", SESSION), ("export/actions.ndjson", ACTION)]);
        folder.write(format!("export/{name}"), events);
        let document = folder.json("export");
        assert_eq!(rules(&document), ["event-before-session"], "{name}");
        assert_eq!(files(&document), [format!("export/{name}")]);
        assert_eq!(document["findings"][0]["related"][0]["file"], "export/sessions.json");
        assert_eq!(document["findings"][0]["related"][0]["event"], 0);
        assert_eq!(document["findings"][0]["stream"], "s1");
        assert_eq!(document["summary"]["loose"], 1, "the action names no session");
        assert_eq!(rules(&folder.json("export --complete")), ["event-before-session", "orphan-event"], "{name}");
        // On its own, a file knows no session.
        assert_eq!(rules(&folder.json(&format!("export/{name}"))), [""; 0]);
    }
    // Files with other names or in other folders are on their own.
    let folder = Folder::with(&[("in/sessions.json", SESSION), ("in/some-events.json", EARLY), ("events.json", EARLY)]);
    assert_eq!(rules(&folder.json(".")), [""; 0]);
}

#[test]
fn the_caller_says_the_kind_where_nothing_tells() {
    let folder = Folder::with(&[("x.json", UNTOLD), ("page.json", &page(&[UNTOLD, UNTOLD]))]);
    let ran = folder.run("check x.json --protocol session-records");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("error[unknown-kind]") && ran.out.contains("--kind session"), "{}", ran.out);
    for kind in ["session", "event", "session-action"] {
        assert_eq!(folder.run(&format!("check x.json page.json --kind {kind}")).code, 0, "{kind}: {}", ran.out);
    }
    let ran = folder.run("check x.json --kind page");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: page is not a kind of record; there are session-action, session, event\n");
    let hostile = ran_with(&folder, &["check", "x.json", "--kind", "\u{1b}[2J"]);
    assert!(hostile.err.contains("␛[2J is not a kind of record"), "{}", hostile.err);
    let ran = folder.run("check x.json --kind event --protocol session-events");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: --kind goes with stored records, but this protocol is for events\n");
}

/// What looks like a record, but is judged as an event, says how it is judged as a record.
#[test]
fn a_record_in_a_stream_says_how_it_is_checked() {
    let help = |text: &str| {
        let folder = Folder::with(&[("x.ndjson", text)]);
        let document = folder.json("x.ndjson");
        // Alone, it is no event at all.
        let rules = rules(&document);
        assert!([&["not-an-event"][..], &["not-an-event", "no-events"]].contains(&&rules[..]), "{text}: {rules:?}");
        document["findings"][0]["help"].as_str().map(str::to_owned)
    };
    let told = |kinds: &str| {
        let help = "send each event as a JSON object with a string in the field `type`. If this is a stored record, check it \
                    with --protocol session-records, and";
        Some(format!("{help} {kinds} if nothing tells its kind"))
    };
    let time = r#""timestamp":"2026-01-01T09:00:00Z""#;
    assert_eq!(help(UNTOLD), told("--kind session or --kind event"));
    assert_eq!(help(&format!(r#"{{{time},"source":"tool-call"}}"#)), told("--kind session or --kind event"));
    assert_eq!(help(&format!(r#"{{{time},"type":null,"session_id":"s1"}}"#)), told("--kind event"));
    // Behind an event the file is a stream, though the record tells its kind; and escapes do not tell.
    assert_eq!(help(&format!("{CLEAN}{ACTION}\n")), told("--kind session-action"));
    assert_eq!(help(&format!(r#"{{{time},"us\u0065r_id":"+18042221111"}}"#)), told("--kind event"));
    assert_eq!(help(&format!("data: {UNTOLD}\n\n")), told("--kind session or --kind event"));
    // None of these looks like a record: they have the help of the rule.
    for text in [
        format!("{{{time}}}"),
        format!(r#"{{{time},"level":"info","msg":"started"}}"#),
        r#"{"session_id":"s1"}"#.to_owned(),
        format!(r#"{{{time},"session_id":"s1","payload":{{"session_id":"s1"}}}}"#),
        format!("7\n{CLEAN}"),
    ] {
        assert_eq!(help(&text), None, "{text}");
    }
    // What the help says is what works.
    let folder = Folder::with(&[("x.ndjson", UNTOLD)]);
    assert_eq!(rules(&folder.json("--protocol session-records --kind session x.ndjson")), [""; 0]);
}

fn ran_with(folder: &Folder, arguments: &[&str]) -> super::program::Ran {
    ran(folder.command(arguments))
}

#[test]
fn standard_input_is_read_twice_compressed_or_not() {
    let folder = Folder::new();
    let lines = format!("{EARLY}\n{SESSION}\n");
    for input in [lines.clone().into_bytes(), gzip(&lines)] {
        let ran = folder.run_with_input("check - --format json", &input);
        let document: Value = serde_json::from_str(&ran.out).expect("JSON");
        assert_eq!((rules(&document), files(&document)), (vec!["event-before-session"], vec!["-"]));
        assert_eq!(document["findings"][0]["related"][0]["line"], 2, "the session comes later");
        assert_eq!(document["findings"][0]["related"][0]["file"], Value::Null, "the finding's own file");
    }
}

#[test]
fn every_report_names_the_other_file() {
    let folder = Folder::with(&[("in/events.json", EARLY), ("in/sessions.json", SESSION), ("o/x", "")]);
    let formats = "--format human=o/human --format sarif=o/sarif --format junit=o/junit --format github=o/github \
                   --format gitlab=o/gitlab --format markdown=o/markdown --format json";
    let ran = folder.run(&format!("check in {formats}"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "a warning alone");
    let document: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(document["findings"][0]["related"][0]["file"], "in/sessions.json");
    let read = |name: &str| fs::read_to_string(folder.path().join("o").join(name)).expect("the report is there");
    let human = read("human");
    let (session, event) = (human.find("┌ in/sessions.json\n"), human.find("┌ in/events.json\n"));
    assert!(session.is_some() && session < event, "both, and the finding's own last\n{human}");
    assert!(human.starts_with("warning[event-before-session] in/events.json:1:14"), "{human}");
    assert!(human.contains("the session's record"), "{human}");
    let sarif = parsed(&folder, "o/sarif");
    assert_is_sarif(&sarif);
    assert_eq!(of_sarif(&sarif).len(), 1);
    let related = &sarif["runs"][0]["results"][0]["relatedLocations"][0]["physicalLocation"];
    assert_eq!(related["artifactLocation"]["uri"], "in/sessions.json");
    assert!(read("github").contains("%0Ain/sessions.json, line 1: the session's record"), "{}", read("github"));
    assert!(read("junit").contains("in/sessions.json:1:1: the session"), "{}", read("junit"));
    let suites = of_junit(&read("junit"));
    assert_eq!(suites[0], ("in/events.json".to_owned(), vec![("s1".to_owned(), "failure")]));
    assert_eq!(array(&parsed(&folder, "o/gitlab")).len(), 1);
    assert!(read("markdown").contains("| event-before-session | 1 | "), "{}", read("markdown"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_name_of_another_file_can_inject_nothing() {
    let evil = "\u{1b}[31m\u{202e}\n::error title=x::y %0A](z)";
    let folder = Folder::new();
    folder.write(format!("{evil}/events.json"), EARLY);
    folder.write(format!("{evil}/sessions.json"), SESSION);
    for way in every_format() {
        let mut command = folder.command(["check", ".", "--color", "never", "--format", &way]);
        command.env("CLICOLOR_FORCE", "1");
        let ran = ran(command);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{way}");
        let harmless = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(ran.out.chars().all(harmless), "{way}: {}", ran.out.escape_debug());
        if way == "github" {
            assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
        }
    }
}

#[test]
fn severities_of_record_rules_can_be_set() {
    let folder = Folder::with(&[("in/events.json", EARLY), ("in/sessions.json", &SESSION.replace("60", "-1"))]);
    assert_eq!(counts(&folder.json("in")), [0, 2, 0]);
    assert_eq!(counts(&folder.json("in --rule negative-duration=error --rule event-before-session=off")), [1, 0, 0]);
    folder.write(
        "in/sessionlint.toml",
        "version = 1\nrules.negative-duration = \"off\"\n[[override]]\nfiles = [\"events.*\"]\nrules.event-before-session = \"error\"\n",
    );
    assert_eq!(counts(&folder.json("in")), [1, 0, 0]);
    folder.write("in/sessionlint.toml", "version = 1\nrules.negative-duratoin = \"off\"\n");
    let ran = folder.run("check in");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("did you mean negative-duration?"), "{}", ran.err);
    let explained = folder.run("explain negative-duration").out;
    assert!(explained.contains("“Duration of the session in seconds”"), "{explained}");
}

#[test]
fn a_baseline_holds_findings_of_records_back() {
    let folder = Folder::with(&[("in/events.json", &page(&[EARLY, ELSEWHERE])), ("in/sessions.json", SESSION)]);
    assert_eq!(folder.run("check in").code, 1);
    assert_eq!(folder.run("check in --write-baseline known.toml").code, 0);
    let document = folder.json("in --baseline known.toml");
    assert_eq!((rules(&document), &document["summary"]["baselined"]), (vec![], &Value::from(2)));
    folder.write("in/events.json", page(&[EARLY, ELSEWHERE, ELSEWHERE]));
    assert_eq!(rules(&folder.json("in --baseline known.toml")), ["conversation-mismatch"], "what is new is reported");
    folder.write("in/events.json", page(&[EARLY]));
    assert_eq!(rules(&folder.json("in --baseline known.toml")), ["stale-baseline"], "what was mended is told");
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let folder = Folder::new();
    for number in 0..20 {
        folder.write(format!("in/{number:02}/events.ndjson"), format!("{EARLY}\n{ELSEWHERE}\n{{broken\n").repeat(100));
        folder.write(format!("in/{number:02}/sessions.json"), page(&[SESSION, SESSION]));
        folder.write(format!("in/{number:02}/stream.ndjson"), ERROR.repeat(5));
    }
    for way in ["--format json", "--format human --color never", "--format sarif"] {
        let report = |jobs: u32| folder.run(&format!("check in {way} --jobs {jobs}")).out;
        let one = report(1);
        assert!(one.contains("conversation-mismatch") && one.contains("duplicate-session"), "{way}");
        for jobs in [2, 7] {
            assert!(report(jobs) == one, "{way} with {jobs} threads");
        }
    }
}

#[test]
fn too_many_unknown_fields_are_reported() {
    let fields: String = (0..1001).map(|number| format!(",\"k{number}\":1")).collect();
    let folder = Folder::with(&[("x.json", &SESSION.replace('}', &format!("{fields}}}")))]);
    let document = folder.json("x.json");
    let rules = rules(&document);
    assert_eq!((rules.len(), rules.last()), (1001, Some(&"check-skipped")));
}

#[test]
fn the_protocol_of_records_is_printed_and_what_is_about_streams_says_so() {
    let folder = Folder::new();
    let ran = folder.run("protocol session-records");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for line in [
        "session-records: Stored session records, version 1",
        "  time    /timestamp",
        "  times may be 1 s apart",
        "  with an object at /payload it is the event of a stream",
        "  a record of a kind that nothing tells: ✗ unknown-kind",
        "    a file named *action*",
        "    a record with tool_name, tool_request, tool_result or tool_error",
        "    an object with transcription or session_id and actions",
        "    items: records of one kind",
        "    or the files of a folder that are named after its lists",
        "    sessions: session",
        "  one that is not as its schema says: ✗ broken-container",
        "  session /channel_manager_sid is the same as /session_id: ✗ sid-equals-session-id",
        "  session /duration is below 0: ✗ negative-duration",
        "  session /agent_timezone is not the name of a time zone: ✗ unknown-timezone",
        "  session /session_id is that of an earlier session: ✗ duplicate-session",
        "  session-action /tool_error is there beside /tool_result: ✗ result-and-error",
        "  event /session_id is the /session_id of a session",
        "    there is none, and all records are there: ✗ orphan-event",
        "    /conversation_id is not its /conversation_id: ✗ conversation-mismatch",
        "    /timestamp is before its /timestamp: ✗ event-before-session",
        "    /timestamp is after its /timestamp and /duration seconds: ✗ event-after-session",
    ] {
        assert!(ran.out.lines().any(|printed| printed == line), "{line}\n{}", ran.out);
    }
    assert!(!ran.out.contains("event types"), "{}", ran.out);

    let ran = folder.run("graph --protocol session-records");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let said = "sessionlint: the protocol session-records has no lifecycles to draw: it is one of stored records, \
                which have no order\n";
    assert_eq!(ran.err, said);
    folder.write("x.json", SESSION);
    let ran = folder.run("coverage x.json --protocol session-records");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let said = "sessionlint: coverage is measured for streams of events, but the protocol session-records is for stored records\n";
    assert_eq!(ran.err, said);
}

#[test]
fn a_stream_that_is_said_to_be_records_does_not_pass() {
    let folder = Folder::with(&[("a.ndjson", CLEAN)]);
    let document = folder.json("--protocol session-records a.ndjson");
    assert_eq!(rules(&document), ["no-events"]);
}

#[test]
fn an_empty_list_is_told_by_the_name_of_its_file() {
    let folder = Folder::with(&[("sessions.json", "[]\n"), ("list.json", "[]\n")]);
    assert_eq!(rules(&folder.json("sessions.json")), [""; 0]);
    assert_eq!(rules(&folder.json("list.json")), ["no-events"]);
}
