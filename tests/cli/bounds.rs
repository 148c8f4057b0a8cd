//! No input takes the machine: what a small file may grow to is judged within a limit of memory, and in time that grows
//! with what there is to read.

use super::program::{CLEAN, Folder, OPEN, Ran, event, ran, rules, text};

/// The address space that the program gets, in kilobytes. A tenth of it is code and stacks.
const ADDRESS_SPACE: usize = 900_000;

/// Runs the program within the limit, by one thread, with arguments separated by white space.
fn run_within_limit(folder: &Folder, arguments: &str) -> Ran {
    let program = folder.command(arguments.split_whitespace());
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(folder.path()).args(["-c", &format!("ulimit -v {ADDRESS_SPACE} && exec \"$0\" \"$@\"")]);
    shell.arg(program.get_program()).args(program.get_args());
    ran(shell)
}

fn json_within_limit(folder: &Folder, arguments: &str) -> serde_json::Value {
    let ran = run_within_limit(folder, &format!("check --jobs 1 --format json {arguments}"));
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}{}", ran.out, ran.err))
}

/// Returns an event with this many results, and a member before them.
fn results(result: &str, count: usize, before: &str) -> String {
    let all = vec![result; count].join(",");
    event("session.tool.results", &format!(r#"{{"session_id":"s",{before}"results":[{all}]}}"#))
}

#[test]
fn an_event_of_faults_alone_is_not_kept_fault_by_fault() {
    let folder = Folder::with(&[("a", &(results("{}", 2_000_000, "") + OPEN))]);
    let report = json_within_limit(&folder, "a");
    assert_eq!(report["summary"]["events"], 2);
    let listed = rules(&report).into_iter().filter(|rule| *rule == "missing-field").count();
    assert_eq!(listed, 1000);
    // Each of the first 131,072 results lacks four members.
    assert_eq!(report["summary"]["by_rule"]["missing-field"], 4 * 131_072);
    let findings = report["findings"].as_array().expect("findings").iter();
    let skipped: Vec<_> = findings.filter(|finding| finding["rule"] == "check-skipped").collect();
    assert_eq!(
        text(&skipped[0]["message"]),
        "at least 523288 more findings about this event are counted but not listed"
    );
}

#[test]
fn a_large_event_of_faults_is_judged_within_the_limit_on_the_slow_path_too() {
    // An escape in a key takes an event off the fast path.
    let folder = Folder::with(&[("a", &(results("{}", 1_000_000, r#""\u0061":1,"#) + OPEN))]);
    let report = json_within_limit(&folder, "a");
    assert_eq!(report["summary"]["events"], 2);
    assert_eq!(report["summary"]["by_rule"]["missing-field"], 1);
    let findings = report["findings"].as_array().expect("findings").iter();
    let mut skipped = findings.filter(|finding| finding["rule"] == "check-skipped");
    assert_eq!(
        text(&skipped.next().expect("one is skipped")["message"]),
        "this event has too many faults to be checked completely"
    );
}

#[test]
fn a_large_event_without_a_fault_is_judged_on_the_slow_path_too() {
    let many = vec!["0"; 1_000_000].join(",");
    let valid = results(r#"{"tool_call_id":"c","tool_name":"t","ok":true,"output":{}}"#, 1, r#""\u0061":1,"#);
    let valid = valid.replace(r#""output":{}"#, &format!(r#""output":{{"k":[{many}]}}"#));
    let folder = Folder::with(&[("a", &(OPEN.to_owned() + &valid))]);
    let report = json_within_limit(&folder, "a --rule turn-unfinished=off");
    assert_eq!(rules(&report), ["unknown-field", "unknown-tool-call"]);
}

#[test]
fn a_line_of_more_values_than_can_be_kept_is_reported_and_lost() {
    let many = vec!["0"; 5_000_000].join(",");
    let folder = Folder::with(&[("a", &(event("session.error", &format!(r#"{{"\u0061":[{many}]}}"#)) + OPEN))]);
    let report = json_within_limit(&folder, "a");
    assert_eq!(rules(&report)[0], "line-too-long");
    let first = &report["findings"][0];
    assert_eq!(text(&first["message"]), "this line has more than 4194304 values and was not read");
    assert_eq!(text(&first["help"]), "send the data in several events");
    assert_eq!(report["summary"]["events"], 1);
}

#[test]
fn very_many_calls_and_errors_in_turn_are_judged_to_their_end() {
    let call = |number| {
        let ids = format!(r#""session_id":"s","tool_call_id":"{number}","tool_name":"t""#);
        let error = format!(r#"{{"session_id":"s","error":"e{number}","code":"c"}}"#);
        event("session.tool.call.started", &format!(r#"{{{ids},"tool_input":{{}}}}"#)) + &event("session.error", &error)
    };
    let calls: String = (0..50_000).map(call).collect();
    let lost = "{\"type\":\"session.tool.call.completed\"}\n";
    let folder = Folder::with(&[("a", &(OPEN.to_owned() + &calls)), ("b", &[OPEN, lost, &calls].concat())]);
    let report = folder.json("a b");
    assert_eq!(report["summary"]["events"], 4 * 50_000 + 3);
    assert_eq!(rules(&report), ["missing-field", "missing-field", "check-skipped"]);
}

#[test]
fn no_limit_is_too_large_for_any_form() {
    let data = format!("data: {CLEAN}\n");
    let wide: Vec<u8> = CLEAN.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder = Folder::with(&[("lines", CLEAN), ("sse", &data), ("value", &format!("[{CLEAN}]"))]);
    folder.write("wide", wide);
    for limit in [u64::MAX, u64::MAX - 1, 1 << 63] {
        let limits = format!("--max-line-bytes {limit} --max-text-bytes {limit} --max-streams {limit}");
        for file in ["lines", "sse", "value", "wide"] {
            let ran = folder.run(&format!("check {limits} {file}"));
            assert!(ran.code < 2 && ran.out.contains("1 event"), "{limit}, {file}: {}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn a_mistake_far_along_a_line_is_shown_at_its_column() {
    let patterns: Vec<_> = (0..10_000).map(|number| format!("\"f{number:05}\"")).collect();
    let config = format!("version = 1\nexclude = [{}, 3]\n", patterns.join(","));
    let folder = Folder::with(&[("a", CLEAN), ("sessionlint.toml", &config)]);
    let ran = folder.run("check a");
    assert_eq!(ran.code, 2, "{}", ran.err);
    // 11 characters, then 10,000 patterns of 8 and a comma between two, a comma and a space.
    assert!(ran.err.contains("sessionlint.toml:2:90013"), "{}", ran.err);
    assert!(ran.err.contains("\"f09999\", 3]") && ran.err.len() < 5000, "{}", ran.err);
}

#[test]
fn of_very_many_mistakes_in_a_file_the_first_are_shown() {
    let states: Vec<_> = (0..5000).map(|number| format!("\"s{number}\"")).collect();
    let protocol = format!(
        "version = \"1\"\nname = \"p\"\n[event]\ntype = \"/type\"\nunknown = \"unknown-event\"\n[[lifecycle]]\nname = \"l\"\nstates = [{}]\n",
        states.join(",")
    );
    let folder = Folder::with(&[("a", CLEAN), ("p/protocol.toml", &protocol), ("p/e.schema.json", "{}")]);
    let ran = folder.run("check --protocol p a");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(ran.err.matches(" × ").count(), 1 + 100, "the headline, and the first hundred");
    assert!(ran.err.len() < 200_000, "{} bytes", ran.err.len());
}

#[test]
fn what_is_no_regular_file_of_a_protocol_is_not_read() {
    for (name, target) in [("protocol.toml", "/dev/zero"), ("e.schema.json", "/dev/zero"), ("document.md", "pipe")] {
        let folder = Folder::with(&[("a", CLEAN), ("p/protocol.toml", ""), ("p/e.schema.json", "{}")]);
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("p/pipe")).status();
        assert!(made.is_ok_and(|status| status.success()), "a pipe can be made");
        let _ = std::fs::remove_file(folder.path().join("p").join(name));
        std::os::unix::fs::symlink(target, folder.path().join("p").join(name)).expect("a link can be made");
        let ran = run_within_limit(&folder, "check --protocol p a");
        assert_eq!(ran.code, 2, "{name}: {}", ran.err);
        assert!(ran.err.contains(name) && ran.err.contains("not a regular file"), "{name}: {}", ran.err);
    }
    let folder = Folder::with(&[("a", CLEAN), ("p/e.schema.json", "{}")]);
    folder.write("p/protocol.toml", vec![b'\n'; (16 << 20) + 1]);
    let ran = folder.run("check --protocol p a");
    assert!(ran.code == 2 && ran.err.contains("larger than 16 MiB"), "{}", ran.err);
}

#[test]
fn a_pattern_that_takes_too_long_is_said_to_be_skipped() {
    let protocol = r#"
        name = "p"
        version = "1"
        [event]
        type = "/type"
        unknown = "unknown-event"
        [[lifecycle]]
        name = "l"
        states = ["a", "b"]
        [[lifecycle.row]]
        on = "e"
        cell.a = "b"
        cell.else = "="
    "#;
    let schema = |pattern: &str| {
        format!(
            r#"{{"type":"object","properties":{{"type":{{"const":"e"}},"x":{{"type":"string","pattern":"{pattern}"}}}}}}"#
        )
    };
    let event = format!("{{\"type\":\"e\",\"x\":\"{}!\"}}\n", "a".repeat(40));
    for (pattern, found) in [(r"^(?:(a+)\\1?)+$", "check-skipped"), ("^a+$", "wrong-value")] {
        let files = [("a", &*event), ("p/protocol.toml", protocol), ("p/e.schema.json", &schema(pattern))];
        assert_eq!(rules(&Folder::with(&files).json("--protocol p a")), [found], "{pattern}");
    }
}

#[test]
fn an_event_is_not_copied_for_each_alternative_that_does_not_fit() {
    let folder = Folder::new();
    assert_eq!(folder.run("init --protocol p").code, 0);
    let schema = std::fs::read_to_string(folder.path().join("p/run.output.schema.json")).expect("the starter has it");
    let mut schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    schema["properties"]["text"] = serde_json::json!({ "oneOf": vec![serde_json::json!({ "type": "string" }); 200] });
    folder.write("p/run.output.schema.json", schema.to_string());
    let started = r#"{"type":"run.started","time":"2026-01-01T00:00:00Z","run_id":"a"}"#;
    let many = vec!["0"; 120_000].join(",");
    let output = format!(r#"{{"type":"run.output","time":"2026-01-01T00:00:01Z","run_id":"a","text":[{many}]}}"#);
    folder.write("a", format!("{started}\n{output}\n"));
    let report = json_within_limit(&folder, "--protocol p --fragment a");
    assert_eq!(report["summary"]["by_rule"]["wrong-value"], 1, "{}", report["findings"]);
    assert!(text(&report["findings"][0]["message"]).starts_with("the event does not match its schema"), "{report}");
}
