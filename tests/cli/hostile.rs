//! Recordings are hostile: their contents must not control a terminal.

use std::ffi::OsStr;

use serde_json::Value;

use super::every_format::every_format;
use super::program::{Folder, OPEN, Ran, event, ran, rules, text};

/// Sequences that a terminal acts on, or that change how text around them is shown: an escape sequence that clears
/// the screen, a bell, a carriage return, a delete, a C1 control, bidirectional overrides and isolates, a character
/// of zero width, a line separator, a tag.
pub const HOSTILE: &str =
    "\u{1b}[2J\u{7}\r\u{8}\u{7f}\u{9b}31m\u{85}\u{202e}\u{2066}\u{61c}\u{200b}\u{2028}\u{feff}\u{e0041}";

/// The characters of `HOSTILE` that JSON text may contain unescaped.
fn as_it_is() -> String {
    HOSTILE.chars().filter(|c| *c >= ' ').collect()
}

/// All of `HOSTILE` in JSON escapes.
fn escaped() -> String {
    let mut units = [0; 2];
    let escape = |c: char| c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    HOSTILE.chars().map(escape).collect()
}

fn is_harmless(c: char) -> bool {
    c == '\n' || !(c.is_control() || HOSTILE.chars().any(|hostile| hostile == c && !hostile.is_ascii_graphic()))
}

pub fn assert_harmless(ran: &Ran, what: &str) {
    for (name, text) in [("standard output", &ran.out), ("standard error", &ran.err)] {
        if let Some(c) = text.chars().find(|c| !is_harmless(*c)) {
            let line = text.lines().find(|line| line.contains(c)).unwrap_or_default();
            panic!("{what}: U+{:04X} reached {name}:\n{}", u32::from(c), line.escape_debug());
        }
    }
}

/// Returns every way to print the contents of a recording, each without colours of its own.
fn ways() -> Vec<String> {
    let more = ["--all", "--stats", "--format json --stats"].map(str::to_owned);
    let formats = every_format().into_iter().map(|format| format!("--format {format}"));
    formats.chain(more).map(|options| format!("check --color never {options}")).collect()
}

/// Runs the program as if on a terminal: otherwise, escape sequences would be removed from some output, and
/// the test would not see them.
fn run<A: AsRef<OsStr>>(folder: &Folder, arguments: &str, names: &[A]) -> Ran {
    let arguments = arguments.split_whitespace().map(OsStr::new);
    let mut command = folder.command(arguments.chain(names.iter().map(AsRef::as_ref)));
    command.env("CLICOLOR_FORCE", "1");
    ran(command)
}

/// Recordings with `evil` in every part that a finding can quote.
pub fn recordings(evil: &str) -> Vec<(&'static str, String)> {
    let call = |event_name: &str, id: &str, tool: &str, rest: &str| {
        event(event_name, &format!(r#"{{"session_id":"s","tool_call_id":"{id}","tool_name":"{tool}",{rest}}}"#))
    };
    let started = |id: &str, tool: &str| call("session.tool.call.started", id, tool, r#""tool_input":{}"#);
    let completed =
        |id: &str, tool: &str| call("session.tool.call.completed", id, tool, r#""ok":true,"duration_ms":1"#);
    let chunk =
        |text: &str| event("session.stream.chunk", &format!(r#"{{"session_id":"s","text":"{text}","done":true}}"#));
    let done = |text: &str| event("session.completed", &format!(r#"{{"session_id":"s","final_message":"{text}"}}"#));
    let status = |members: &str| event("session.status", &format!(r#"{{"session_id":"s",{members}}}"#));
    let open = OPEN.to_owned();
    vec![
        ("an unknown type", event(&format!("session.{evil}"), "{}")),
        ("a key", status(&format!(r#""pending":false,"status_label":"idle","{evil}":1"#))),
        ("a key that stands twice", status(&format!(r#""pending":false,"status_label":"idle","{evil}":1,"{evil}":2"#))),
        ("a misspelt key", status(&format!(r#""pending":false,"statusLabel{evil}":"idle""#))),
        ("a value of a wrong type", status(&format!(r#""pending":"{evil}","status_label":"idle""#))),
        (
            "a wrong value",
            event(
                "session.message.appended",
                &format!(r#"{{"session_id":"s","message":{{"role":"{evil}","content":"{evil}"}}}}"#),
            ),
        ),
        ("a label", status(&format!(r#""pending":false,"status_label":"thinking","x":"{evil}""#))),
        (
            "a stamp",
            status(r#""pending":false,"status_label":"idle""#).replace("00:00:00Z", &format!("00:00:00Z{evil}")),
        ),
        ("a session", event("session.error", &format!(r#"{{"session_id":"{evil}","error":"","code":""}}"#))),
        (
            "a call's id",
            [open.clone(), started(evil, "t"), started(evil, "t"), completed(&format!("x{evil}"), "t")].concat(),
        ),
        ("a tool", [open.clone(), started("c", evil), completed("c", &format!("{evil}x"))].concat()),
        ("streamed text", [open.clone(), chunk(&format!("a{evil}b")), done(&format!("a{evil}c"))].concat()),
        ("streamed text that differs at once", [open, chunk(evil), done(&format!("x{evil}"))].concat()),
        ("half a character", status(&format!(r#""pending":false,"status_label":"{evil}\ud83d""#))),
        ("what is no event", format!("[\"{evil}\"]\n{{\"type\":[\"{evil}\"]}}\n{{\"{evil}\":1}}\n")),
        (
            "JSON-RPC",
            format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"{evil}\",\"params\":{}}}\n",
                event("session.error", &format!(r#"{{"{evil}":1}}"#)).trim_end()
            ),
        ),
    ]
}

#[test]
fn what_json_lets_stand_in_a_string_is_shown_harmless() {
    let ways = ways();
    // A finding that is not an error, in the form of one format or another.
    let found = ["warning", "note", "notice", "minor", "info", "WARNING", "INFO"];
    for evil in [as_it_is(), escaped()] {
        for (what, recording) in recordings(&evil) {
            let folder = Folder::with(&[("a", &recording)]);
            for way in &ways {
                let ran = run(&folder, way, &["a"]);
                assert!(ran.code > 0 || found.iter().any(|word| ran.out.contains(word)), "{what}: {}", ran.out);
                assert_harmless(&ran, &format!("{what}, {way}"));
            }
        }
    }
}

#[test]
fn what_is_no_json_is_shown_harmless() {
    let ways = ways();
    let mut broken = recordings(HOSTILE);
    broken.extend([
        ("a line of a log", format!("{HOSTILE}\n")),
        ("a cut line", format!("{{\"type\":\"{HOSTILE}")),
        ("server-sent events", format!("event: {HOSTILE}\ndata: {HOSTILE}\n\n: {HOSTILE}\n\n")),
        ("a number", "{\"type\":\"x\",\"n\":1\u{9b}}\n".to_owned()),
    ]);
    for (what, recording) in broken {
        let folder = Folder::with(&[("a", &recording)]);
        for way in &ways {
            assert_harmless(&run(&folder, way, &["a"]), &format!("{what}, {way}"));
            assert_harmless(&run(&folder, way, &["--wire", "json", "a"]), &format!("{what}, {way}, as JSON"));
        }
    }
    // Bytes that are not UTF-8 come out as valid text.
    let folder = Folder::new();
    folder.write("a", b"{\"type\":\"\xff\xfe\x9b31m\x1b\"}\n\xc2\n");
    for way in &ways {
        assert_harmless(&run(&folder, way, &["a"]), way);
    }
}

#[test]
fn json_keeps_what_it_makes_harmless() {
    let folder = Folder::with(&[("a", &event(&format!("session.{}", escaped()), "{}"))]);
    let document = folder.json("a");
    assert_eq!(document["findings"][0]["type"], format!("session.{HOSTILE}"));
    assert_eq!(folder.json("--stats a")["stats"]["by_type"][format!("session.{HOSTILE}")], 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_s_name_is_shown_harmless() {
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new();
    let ways = ways();
    let name = format!("{HOSTILE}.ndjson");
    for content in ["", "{broken\n", &event("custom.tick", "{}"), &event("session.error", "{}"), OPEN] {
        folder.write(&name, content);
        for way in &ways {
            assert_harmless(&run(&folder, way, &[&name]), &format!("{way} with its name"));
            assert_harmless(&run(&folder, way, &["."]), &format!("{way} of its folder"));
        }
    }
    // Names that are not UTF-8, of files and of nothing at all.
    folder.write(OsStr::from_bytes(b"\xff\x9b31m.ndjson"), "");
    assert_harmless(&run(&folder, "check --color never", &["."]), "a name that is no UTF-8");
    let missing = [OsStr::from_bytes(b"\xff\x9b31m\x1b]0;title\x07"), OsStr::new("\u{1b}c\u{202e}")];
    let missing = run(&folder, "check --color never", &missing);
    assert_eq!(missing.code, 2);
    assert_harmless(&missing, "missing files");
}

#[test]
fn what_the_caller_names_is_shown_harmless() {
    // The caller may be a script that passes names on.
    let folder = Folder::with(&[("a", "")]);
    let setting = format!("--rule={HOSTILE}=off");
    let severity = format!("--rule=idle-missing={HOSTILE}");
    let pattern = format!("{HOSTILE}[");
    for (arguments, name) in [
        ("check", pattern.as_str()),
        ("check a", &setting),
        ("check a", &severity),
        ("check a --protocol", HOSTILE),
        ("explain", HOSTILE),
        ("schema", HOSTILE),
    ] {
        let ran = run(&folder, arguments, &[name]);
        assert_eq!(ran.code, 2, "{arguments} {name:?}");
        assert_harmless(&ran, arguments);
    }
}

#[test]
fn an_event_with_very_many_mistakes_is_judged_to_its_end() {
    // Comparing every mistake with all others, or with all members, would take all day.
    let many = |item: &str, count: usize| vec![item; count].join(",");
    let results = format!(r#"{{"session_id":"s","results":[{}]}}"#, many(r#"{"more":1}"#, 50_000));
    let twice = format!(r#"{{"session_id":"s","error":"e","code":"c",{}}}"#, many(r#""k":1"#, 50_000));
    let recording = OPEN.to_owned() + &event("session.tool.results", &results) + &event("session.error", &twice);
    let folder = Folder::with(&[("a", &recording)]);
    let report = folder.json("--max-findings 1 a");
    assert_eq!(report["summary"]["by_rule"]["missing-field"], 4 * 50_000);
    assert_eq!(report["summary"]["by_rule"]["duplicate-key"], 50_000 - 1);
    assert_eq!(report["summary"]["by_rule"]["unknown-field"], 2 * 50_000);
}

#[test]
fn of_very_many_mistakes_in_an_event_the_first_are_listed_and_all_are_counted() {
    let results = |items: Vec<String>| {
        event("session.tool.results", &format!(r#"{{"session_id":"s","results":[{}]}}"#, items.join(",")))
    };
    let many = |item: &str| vec![item.to_owned(); 1500];
    let unknown = |id| format!(r#"{{"tool_call_id":"{id}","tool_name":"t","ok":true,"output":{{}}}}"#);
    let error = |members: String| event("session.error", &format!(r#"{{"session_id":"s","code":"c",{members}}}"#));
    let recording = [
        OPEN.to_owned(),
        results((0..1500).map(unknown).collect()),
        results(many("{}")),
        error(format!(r#""error":"e",{}"#, many(r#""k":1"#).join(","))),
        error(format!(r#""error":"{}""#, many(r"\ud800").concat())),
    ];
    let folder = Folder::with(&[("a", &recording.concat())]);
    let report = folder.json("a");
    let all = [
        ("unknown-tool-call", 1500),
        ("missing-field", 4 * 1500),
        ("duplicate-key", 1500 - 1),
        ("lone-surrogate", 1500),
        ("check-skipped", 4),
    ];
    for (rule, all) in all {
        assert_eq!(report["summary"]["by_rule"][rule], all, "{rule}");
        let listed = rules(&report).into_iter().filter(|listed| *listed == rule).count();
        assert_eq!(listed, all.min(1000), "{rule}");
    }
    let findings = report["findings"].as_array().expect("findings").iter();
    let skipped = findings.filter(|finding| finding["rule"] == "check-skipped");
    let words: Vec<_> = skipped.map(|finding| text(&finding["message"])).collect();
    let more = |count| format!("{count} more findings about this event are counted but not listed");
    assert_eq!(words, [500, 5000, 499, 500].map(more));
}

#[test]
fn what_is_not_listed_fails_the_run_all_the_same() {
    let wrong = vec![r#"{"tool_call_id":1,"tool_name":1,"ok":1,"output":1}"#; 1500].join(",");
    let results = format!(r#"{{"session_id":"s","results":[{wrong},{{}}]}}"#);
    let folder = Folder::with(&[("a", &(OPEN.to_owned() + &event("session.tool.results", &results)))]);
    // The only error is the last one.
    assert_eq!(folder.run("check a --rule wrong-type=note --rule turn-unfinished=off").code, 1);
    let off = "--rule wrong-type=off --rule missing-field=off --rule turn-unfinished=off";
    let report = folder.json(&format!("a {off}"));
    assert_eq!(report["findings"], Value::Array(Vec::new()), "where the rules are off, nothing is left out");
}

#[test]
fn a_stream_with_very_many_calls_and_losses_is_judged_to_its_end() {
    let call = |number| {
        let ids = format!(r#""session_id":"s","tool_call_id":"{number}","tool_name":"t""#);
        let started = event("session.tool.call.started", &format!(r#"{{{ids},"tool_input":{{}}}}"#));
        started + "{\"type\":\"session.tool.call.completed\"}\n"
    };
    let folder = Folder::with(&[("a", &(0..50_000).map(call).collect::<String>())]);
    let report = folder.json("--max-findings 1 a");
    assert_eq!(report["summary"]["by_rule"]["missing-field"], 2 * 50_000);
    assert_eq!(report["summary"]["events"], 2 * 50_000);
}
