//! How producers are driven and inputs are made.

use super::program::{Folder, ran};
use super::{PROMPTS, agent};

#[test]
fn a_server_is_asked_over_http() {
    let folder = Folder::new();
    let (_server, address) = agent().serve(&["--bug", "no-idle"]);
    let url = format!("http://{address}/");
    let options = ["fuzz", "--url", &url, "--header", "Authorization: Bearer secret", "--inputs", PROMPTS];
    let ran_here = ran(folder.command([&options[..], &["--cases", "100", "--stop-after", "1"]].concat()));
    assert_eq!(ran_here.code, 1, "{}{}", ran_here.out, ran_here.err);
    let failures = folder.failures();
    assert_eq!(failures.iter().map(|(rule, input)| (&**rule, input.len())).collect::<Vec<_>>(), [("idle-missing", 2)]);
    let kept = &folder.kept()[0];
    assert!(kept.join("stream.sse").is_file());
    for file in std::fs::read_dir(kept).expect("readable") {
        let text = std::fs::read(file.expect("readable").path()).expect("readable");
        assert!(!String::from_utf8_lossy(&text).contains("secret"), "the values of headers are nowhere");
    }
    let without = folder.run("fuzz --replay sessionlint-failures");
    assert_eq!(without.code, 2);
    assert!(without.err.contains("the header Authorization, whose value is not saved"), "{}", without.err);
    let again = folder.command(["fuzz", "--replay", "sessionlint-failures", "--header", "Authorization: Bearer other"]);
    assert_eq!(ran(again).code, 1);
}

/// Two turns, one after the other: nothing depends on how fast either side is.
const TALK: &str = r#"
version = 1
prompts = 2

[events]
idle = { "/type" = "session.status", "/payload/pending" = false }

[[step]]
send = { jsonrpc = "2.0", id = "{{id}}", method = "prompt", params = { text = "{{prompt:1}}" } }

[[step]]
wait-for = "idle"

[[step]]
send = { jsonrpc = "2.0", id = "{{id}}", method = "prompt", params = { text = "{{prompt:2}}" } }
"#;

#[test]
fn a_conversation_has_as_many_prompts_as_its_script_says() {
    let folder = Folder::with(&[("talk.toml", TALK)]);
    let options = ["--script", "talk.toml", "--inputs", PROMPTS, "--cases", "200", "--stop-after", "1"];
    let ran = folder.fuzz(&options, &agent(), &["--talk", "--bug", "after-completion"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let failures = folder.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    let (rule, input) = &failures[0];
    assert_eq!(rule, "event-after-turn");
    assert!(["\n?", "?\n"].contains(&input.as_str()), "two prompts, one of them a question: {input:?}");
    let line = input.find('?').expect("it is there") + 1;
    assert!(ran.out.contains(&format!("/input\n  {line} │ ?\n")), "the line that says something is shown: {}", ran.out);
    assert!(folder.kept()[0].join("stream.jsonl").is_file());
    assert_eq!(folder.run("fuzz --replay sessionlint-failures").code, 1);
    assert_eq!(folder.fuzz(&["--script", "talk.toml", "--cases", "60"], &agent(), &["--talk"]).code, 0);
}

#[test]
fn the_same_seed_finds_the_same_whatever_the_number_of_jobs() {
    let found = |jobs: &str| {
        let folder = Folder::new();
        let options = ["--inputs", PROMPTS, "--cases", "150", "--seed", "3", "--jobs", jobs];
        assert_eq!(folder.fuzz(&options, &agent(), &["--bug", "camel-case"]).code, 1);
        folder.failures()
    };
    let one = found("1");
    assert!(one.len() > 1, "the bug shows in several ways: {one:?}");
    assert_eq!(one, found("2"));
}

#[test]
fn what_cannot_be_played_is_reported() {
    let folder = Folder::new();
    let missing = ran(folder.command(["fuzz", "--", "./no-such-producer"]));
    assert_eq!((missing.code, missing.out.as_str()), (2, ""));
    assert!(missing.err.contains("./no-such-producer cannot be started: "), "{}", missing.err);
    // The port was in use a moment ago, and is closed now.
    let (server, address) = agent().serve(&[]);
    drop(server);
    let gone = folder.run(&format!("fuzz --url http://{address}/"));
    assert_eq!(gone.code, 2);
    assert!(gone.err.contains("cannot be reached"), "{}", gone.err);
    let nothing = folder.run("fuzz");
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("give its command after --"), "{}", nothing.err);
    let header = folder.fuzz(&["--header", "A: b"], &agent(), &[]);
    assert_eq!(header.code, 2);
    assert!(header.err.contains("--header is for requests"), "{}", header.err);
    let none = folder.fuzz(&["--stop-after", "0"], &agent(), &[]);
    assert!(none.code == 2 && none.err.contains("it must be a whole number, at least 1"), "{}", none.err);
    for wrong in ["--timeout 5", "--time 0x", "--cases 0", "--inputs missing", "--input-schema missing"] {
        let options: Vec<_> = wrong.split(' ').collect();
        let ran = folder.fuzz(&options, &agent(), &[]);
        assert_eq!(ran.code, 2, "{wrong}");
        assert!(!ran.err.is_empty(), "{wrong}");
    }
}

#[cfg(unix)]
#[test]
fn inputs_are_made_by_a_schema_and_stay_valid_when_they_are_shrunk() {
    use super::program::CLEAN;
    let schema = r#"{"type": "object", "required": ["id", "text"], "properties": {
        "id": {"type": "integer", "minimum": 1}, "text": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}}, "deep": {"type": "object"}}}"#;
    let folder = Folder::with(&[("schema.json", schema), ("clean.ndjson", CLEAN)]);
    // The schema fails where there are tags.
    let script = r#"cat clean.ndjson; if grep -q '"tags":\["'; then exit 3; fi"#;
    let ran = folder.fuzz_shell(&["--input-schema", "schema.json", "--cases", "200"], script);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let failures = folder.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].0, "producer-crash");
    let input: serde_json::Value = serde_json::from_str(&failures[0].1).expect("JSON");
    assert_eq!(input, serde_json::json!({"id": 1, "text": "", "tags": [""]}));
}
