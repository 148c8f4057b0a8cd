//! The protocol of each input, found by its events, and dialects.

use super::program::{CLEAN, ERROR, Folder, counts, ran, rules, text};

const CHAT: &str = concat!(
    r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    "\n\ndata: [DONE]\n\n",
);

/// A stream of Anthropic's whose block is not finished.
const MESSAGE: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#,
    "\n\nevent: content_block_start\n",
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1}}"#,
    "\n\nevent: message_stop\n",
    r#"data: {"type":"message_stop"}"#,
    "\n\n",
);

/// As OpenRouter writes it: the chunk with usage has a choice.
fn openrouter() -> String {
    let usage = r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
    CHAT.replace("data: [DONE]", &format!("{usage}\n\ndata: [DONE]"))
}

#[test]
fn each_file_is_judged_by_its_own_protocol_and_the_summary_says_which() {
    let folder = Folder::with(&[("a.sse", CHAT), ("b.sse", MESSAGE), ("c.ndjson", CLEAN), ("d.ndjson", CLEAN)]);
    for jobs in ["1", "2"] {
        let ran = folder.run(&format!("check --jobs {jobs} ."));
        assert_eq!((ran.code, ran.err.as_str()), (1, ""));
        assert!(ran.out.contains("error[block-unfinished] ./b.sse:8:54"), "{}", ran.out);
        let summary = "4 files, 9 events, 4 streams: 1 error, 0 warnings, 0 notes; \
                       checked against anthropic-messages (1 file), openai-chat (1 file) and session-events (2 files).";
        assert!(ran.out.contains(summary), "{}", ran.out);
    }
    let document = folder.json(".");
    assert_eq!(
        document["protocols"],
        serde_json::json!({"anthropic-messages": 1, "openai-chat": 1, "session-events": 2})
    );
    // The help and the quotes of a finding are those of its own protocol.
    let explained = folder.run("explain block-unfinished");
    assert!(explained.code == 0 && explained.out.contains("anthropic-messages"), "{}{}", explained.out, explained.err);
    let named = folder.run("check --protocol openai-chat a.sse");
    assert!(named.code == 0 && named.out.ends_with("0 notes.\n"), "{}", named.out);
}

#[test]
fn what_has_events_of_no_protocol_or_of_several_fails() {
    let error = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let folder = Folder::with(&[("none", "{\"type\":\"RUN_STARTED\"}\n"), ("several", error)]);
    let none = folder.run("check none");
    assert_eq!(none.code, 2);
    assert!(none.out.contains("any of the protocols session-events,"), "{}", none.out);
    assert!(none.err.contains("there is no event of any of the protocols session-events,"), "{}", none.err);
    let document = folder.json("several");
    assert_eq!(rules(&document), ["no-events"]);
    assert_eq!(
        text(&document["findings"][0]["message"]),
        "this input was not checked, because several protocols fit it: anthropic-messages, openai-chat and openai-responses"
    );
    assert_eq!(folder.run("check several").code, 2);
    assert!(!folder.run("check --protocol anthropic-messages several").out.contains("no-events"), "it is named");
}

/// What is piped in tells its protocol as a file does.
#[test]
fn coverage_and_view_find_the_protocol_of_standard_input() {
    let folder = Folder::with(&[("b.sse", MESSAGE)]);
    let coverage = folder.run_with_input("coverage -", MESSAGE.as_bytes());
    let named = folder.run("coverage --protocol anthropic-messages b.sse");
    assert_eq!((coverage.code, &coverage.out), (0, &named.out), "{}", coverage.err);
    let view = folder.run_with_input("view - --out -", MESSAGE.as_bytes());
    assert!(view.code == 0 && view.out.contains(r#""protocol":{"name":"anthropic-messages""#), "{}", view.err);
    assert!(view.out.contains(r#""rule":"block-unfinished""#) && view.out.contains(r#""files":["-"]"#), "{}", view.out);
    let unclear = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    for command in ["coverage -", "view - --out -"] {
        let ran = folder.run_with_input(command, unclear.as_bytes());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        let words = "the events of - fit several protocols: anthropic-messages, openai-chat and openai-responses";
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn the_first_event_may_be_long() {
    // Its `type` comes last, and what stands in it looks like what files with responses have.
    let long = format!(
        r#"{{"response":{{"id":"r","object":"response","instructions":"data: {}"}},"sequence_number":0,"type":"response.created"}}"#,
        "a".repeat(300_000)
    );
    let lines = format!("{long}\n");
    let folder = Folder::with(&[("a.ndjson", &lines), ("one.json", &long), ("a.sse", &format!("data: {long}\n\n"))]);
    for name in ["a.ndjson", "one.json", "a.sse", "."] {
        let found = folder.json(name)["protocols"].clone();
        let files = if name == "." { 3 } else { 1 };
        assert_eq!(found, serde_json::json!({"openai-responses": files}), "{name}");
    }
    let piped = folder.run_with_input("coverage -", lines.as_bytes());
    assert!(piped.code == 0 && piped.out.contains("openai-responses"), "{}{}", piped.out, piped.err);
}

/// A dialect that no input's protocol has would be a wish that nobody has heard.
#[test]
fn a_dialect_that_holds_for_nothing_is_said() {
    let folder = Folder::with(&[("chat.sse", CHAT), ("b.sse", MESSAGE), ("toml/c.ndjson", CLEAN)]);
    for command in ["check", "lint", "coverage", "view --out -", "fmt --check", "mutate --out broken"] {
        let ran = folder.run(&format!("{command} --dialect xai b.sse"));
        let words =
            "the dialect xai does not hold here: all that was read is of anthropic-messages, which has no such dialect";
        assert!(ran.code == 2 && ran.err.contains(words), "{command}: {} {}", ran.code, ran.err);
        if command.starts_with("mutate") {
            continue;
        }
        let own = folder.run(&format!("{command} --dialect xai chat.sse"));
        assert!(own.code == 0 && !own.err.contains("dialect"), "{command}: {}", own.err);
    }
    let piped = folder.run_with_input("check --dialect xai -", MESSAGE.as_bytes());
    assert!(piped.code == 2 && piped.err.contains("is of anthropic-messages,"), "{}", piped.err);
    let both = folder.run("check --fail-on never --dialect xai chat.sse b.sse");
    let words =
        "the dialect xai does not hold here: some of what was read is of anthropic-messages, which has no such dialect";
    assert!(both.code == 0 && both.err.contains(words), "{}", both.err);
    // A file holds for what is below it, now or later.
    folder.write("toml/sessionlint.toml", "version = 1\ndialect = \"xai\"\n");
    let below = folder.run("check toml");
    assert!(below.code == 0 && below.err.contains("is of session-events,"), "{}", below.err);
    folder.write("toml/chat.sse", CHAT);
    assert_eq!(folder.run("check toml").err, "");
}

#[test]
fn a_file_with_nothing_of_a_protocol_makes_a_run_incomplete() {
    let folder = Folder::with(&[("none.ndjson", "{\"type\":\"RUN_STARTED\"}\n"), ("c.ndjson", CLEAN)]);
    let document = folder.json("none.ndjson c.ndjson");
    assert_eq!(
        (rules(&document), &document["complete"]),
        (vec!["unknown-event", "no-events"], &false.into()),
        "{document}"
    );
    assert_eq!(document["incomplete"][0]["reason"], "no-events");
    assert_eq!(document["incomplete"][0]["file"], "none.ndjson");
    assert_eq!(folder.json("c.ndjson")["complete"], true);
}

#[test]
fn a_live_stream_is_judged_from_its_first_event_on_once_that_tells_its_protocol() {
    let folder = Folder::with(&[("b.sse", MESSAGE)]);
    let mut command = folder.command(["tap", "--", "cat", "b.sse"]);
    command.current_dir(folder.path());
    let tapped = ran(command);
    assert_eq!((tapped.code, tapped.out.as_str()), (1, MESSAGE));
    assert!(tapped.err.contains("error[block-unfinished] -:8:54"), "{}", tapped.err);
    assert!(tapped.err.ends_with("checked against anthropic-messages.\n"), "{}", tapped.err);
}

#[test]
fn a_configuration_names_protocols_to_search_and_those_of_some_files() {
    let folder = Folder::with(&[("a.sse", CHAT), ("logs/b.sse", MESSAGE), ("c.ndjson", CLEAN)]);
    folder.write("sessionlint.toml", "version = 1\nprotocol = [\"openai-chat\", \"session-events\"]\n");
    let document = folder.json("a.sse c.ndjson");
    assert_eq!(document["protocols"], serde_json::json!({"openai-chat": 1, "session-events": 1}));
    assert_eq!(folder.run("check logs/b.sse").code, 2, "it is none of these");
    folder.write(
        "sessionlint.toml",
        "version = 1\nprotocol = \"openai-chat\"\n\n[[override]]\nfiles = [\"logs/\"]\nprotocol = \"anthropic-messages\"\n",
    );
    let document = folder.json("a.sse logs/b.sse");
    assert_eq!(rules(&document), ["block-unfinished"]);
    for (line, told) in [
        ("protocol = []", "this list names no protocol"),
        ("protocol = [\"session-events\", \"nothing\"]", "there is no protocol and no folder nothing"),
        ("protocol = [\"session-events\", \"session-records\"]", "session-records is for stored records"),
        ("dialect = \"opnrouter\"", "opnrouter is not a dialect"),
    ] {
        folder.write("sessionlint.toml", format!("version = 1\n{line}\n"));
        let ran = folder.run("check a.sse");
        assert!(
            ran.code == 2 && ran.err.contains(told) && ran.err.contains("sessionlint.toml:2:"),
            "{line}: {}",
            ran.err
        );
    }
}

#[test]
fn a_dialect_is_chosen_for_all_files_or_for_some() {
    let folder = Folder::with(&[("router/a.sse", &openrouter()), ("b.sse", &openrouter())]);
    let found = folder.run("check .");
    assert_eq!(found.out.matches("warning[usage-with-choices]").count(), 2, "{}", found.out);
    assert!(found.out.contains("--dialect"), "{}", found.out);
    assert_eq!(counts(&folder.json("--dialect openrouter .")), [0, 0, 0]);
    folder.write("sessionlint.toml", "version = 1\n[[override]]\nfiles = [\"router/\"]\ndialect = \"openrouter\"\n");
    let document = folder.json(".");
    assert_eq!(rules(&document), ["usage-with-choices"]);
    assert_eq!(text(&document["findings"][0]["file"]), "./b.sse");
    // A protocol that is named twice is one.
    folder.write("sessionlint.toml", "version = 1\nprotocol = [\"openai-chat\", \"openai-chat\"]\n");
    assert_eq!(rules(&folder.json("b.sse")), ["usage-with-choices"]);
    let wrong = folder.run("check --dialect opnrouter .");
    assert!(wrong.code == 2 && wrong.err.contains("did you mean openrouter?"), "{}", wrong.err);
}

#[test]
fn a_schema_of_a_dialect_holds_for_lint_as_for_check() {
    let parts = CHAT.replace("\"content\":\"Hi\"", "\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]");
    let folder = Folder::with(&[("a.sse", &parts)]);
    assert!(folder.run("lint a.sse").out.contains("error[wrong-type]"), "{}", folder.run("lint a.sse").out);
    folder.write("sessionlint.toml", "version = 1\n[[override]]\nfiles = [\"*.sse\"]\ndialect = \"mistral\"\n");
    for command in ["check a.sse", "lint a.sse"] {
        let ran = folder.run(command);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command}: {}", ran.out);
    }
}

#[test]
fn events_of_another_protocol_make_a_run_incomplete() {
    let chunk = CHAT.lines().next().expect("it has lines").trim_start_matches("data: ");
    let folder = Folder::with(&[("a.ndjson", &format!("{CLEAN}{chunk}\n"))]);
    let document = folder.json("a.ndjson");
    assert_eq!((rules(&document), document["complete"].as_bool()), (vec!["mixed-protocols"], Some(false)));
    assert_eq!(folder.run("check --fail-on-incomplete a.ndjson").code, 1);
}

#[test]
fn the_other_subcommands_follow() {
    let folder = Folder::with(&[("a.sse", CHAT), ("e.ndjson", ERROR)]);
    let measured = folder.run("coverage a.sse");
    assert!(measured.code == 0 && measured.out.contains("chat.completion.chunk"), "{}{}", measured.out, measured.err);
    let several = folder.run("coverage a.sse e.ndjson");
    assert!(
        several.code == 2 && several.err.contains("take the recordings of each protocol by themselves"),
        "{}",
        several.err
    );
    let linted = folder.run("lint a.sse");
    assert_eq!((linted.code, linted.err.as_str()), (0, ""), "{}", linted.out);
    let broken = CHAT.replace("\"index\":0,\"delta\":{}", "\"index\":\"0\",\"delta\":{}");
    folder.write("b.sse", broken);
    let linted = folder.run("lint b.sse");
    assert!(linted.code == 1 && linted.out.contains("error[wrong-type]"), "{}{}", linted.out, linted.err);
    let fuzzed = folder.run("fuzz --cases 1 -q -- cat b.sse");
    assert!(fuzzed.code == 1 && fuzzed.out.contains("wrong-type"), "{}{}", fuzzed.out, fuzzed.err);
}
