//! Conversations: the messages that are sent and awaited, and the mistakes in scripts.

use super::conversation::not_received;
use super::*;
use crate::drive::producer::Ending;

const SEND: &str = "[[step]]\nsend = { text = \"{{prompt}}\" }\n";

fn read(text: &str) -> Result<Script, FileError> {
    Script::parse(Path::new("talk.toml"), text)
}

/// Returns the messages about a script, each with the text that it points at.
fn mistakes(text: &str) -> Vec<(String, &str)> {
    let Err(FileError::Wrong { problems, .. }) = read(text) else { panic!("{text} is fine") };
    let at = |offset: usize| text[offset..].split(['\n', ',']).next().unwrap_or_default();
    problems.iter().map(|problem| (problem.to_string(), at(problem.offset))).collect()
}

/// Returns the only mistake of a script.
fn mistake(rest: &str) -> (String, String) {
    let text = format!("version = 1\n{rest}");
    let found = mistakes(&text);
    let [(message, at)] = found.as_slice() else { panic!("{text}\n{found:?}") };
    (message.clone(), (*at).to_owned())
}

#[test]
fn mistakes_are_found_at_their_places() {
    let expected = |rest: &str, message: &str, at: &str| {
        assert_eq!(mistake(rest), (message.to_owned(), at.to_owned()), "{rest}");
    };
    let after = |rest: &str| format!("{SEND}{rest}");
    let event = |rest: &str| format!("events.idle = {{ \"/type\" = \"x\" }}\n{SEND}[[step]]\n{rest}");
    expected("", "the script has no step", "version = 1");
    expected("step = 1", "`step` must be a list of tables, but is of the type integer", "1");
    expected("steps = 1\n[[step]]\nsend = '\"{{prompt}}\"'", "there is no key `steps` here", "steps = 1");
    expected(&format!("prompts = 0\n{SEND}"), "`prompts` must be a whole number from 1 to 100", "0");
    expected(&format!("prompts = 2\n{SEND}"), "prompt 2 of the input is in no message", "2");
    expected("[[step]]\nsend = { a = 1 }", "prompt 1 of the input is in no message", "version = 1");
    expected("[[step]]\nsend = { a = [\"{{promt}}\"] }", "there is no {{promt}} here", "\"{{promt}}\"] }");
    expected("[[step]]\nsend = { a = \"{{prompt:2}}\" }", "there is no {{prompt:2}} here", "\"{{prompt:2}}\" }");
    expected("[[step]]\nsend = \"[\\\"{{id\\\"]\"", "the two braces are not closed", "\"[\\\"{{id\\\"]\"");
    expected("[[step]]\nsend = { a = nan }", "JSON has no such number", "nan }");
    expected(&after("[[step]]\npause = \"5\""), "\"5\" is not a length of time", "\"5\"");
    expected(&after("[[step]]\npause = 5"), "`pause` must be a string, but is of the type integer", "5");
    expected(&after("[[step]]\nsnd = 1\npause = \"1s\""), "there is no key `snd` here", "snd = 1");
    expected(&after("[[step]]\n"), "this step does nothing", "[[step]]");
    expected(
        &after("[[step]]\npause = \"1s\"\nclose = true"),
        "this step has several things to do: pause, close",
        "[[step]]",
    );
    expected(
        &after("[[step]]\npause = \"1s\"\nwithin = \"1s\""),
        "`within` goes with `wait-for`, which this step does not have",
        "within = \"1s\"",
    );
    expected(&after("[[step]]\nclose = false"), "`close` is either true or left out", "false");
    expected(
        "[[step]]\nclose = true\n[[step]]\nsend = '\"{{prompt}}\"'",
        "nothing can be sent after `close`",
        "'\"{{prompt}}\"'",
    );
    expected(&after("[[step]]\nwait-for = \"answer\""), "no message before this step has an id", "\"answer\"");
    expected(
        &after("[[step]]\nwait-for = \"answer\"\nto = \"x\""),
        "no message before this step has the name \"x\"",
        "\"x\"",
    );
    expected(&event("wait-for = \"idel\""), "there is no event \"idel\"", "\"idel\"");
    expected(&event("wait-for = \"idle\"\nto = \"x\""), "only an answer is one to a message", "\"x\"");
    expected(&event("wait-for = \"idle\"\nunless = \"x\""), "there is no event \"x\"", "\"x\"");
    expected(&event("wait-for = \"idle\"\noptional = true"), "this step does not say how long it waits", "[[step]]");
    expected(
        &event("wait-for = \"idle\"\noptional = true\nwithin = \"1s\"\ntake = { a = \"/a\" }"),
        "nothing can be taken from something that is optional",
        "{ a = \"/a\" }",
    );
    expected(&event("wait-for = \"idle\"\ntake = { a = \"a\" }"), "\"a\" is not a JSON Pointer", "\"a\" }");
    expected(&event("wait-for = \"idle\"\ntake = { id = \"/a\" }"), "nothing can be taken as \"id\"", "id = \"/a\" }");
    expected(&format!("events.idle = {{}}\n{SEND}"), "the event `idle` has no mark to be known by", "{}");
    expected(&format!("events.idle = {{ type = \"x\" }}\n{SEND}"), "\"type\" is not a JSON Pointer", "type = \"x\" }");
    expected(
        &format!("events.answer = {{ \"/type\" = \"x\" }}\n{SEND}"),
        "an event cannot be named `answer`: that is waited for without an event",
        "answer = { \"/type\" = \"x\" }",
    );
}

#[test]
fn all_mistakes_are_reported_together_but_one_in_the_toml_alone() {
    let found = mistakes("prompts = \"2\"\n[[step]]\nsend = '{'\n[[step]]\nwait-for = \"answer\"\nwithin = \"soon\"\n");
    let messages: Vec<_> = found.iter().map(|(message, _)| message.split(':').next().unwrap_or_default()).collect();
    let expected = [
        "the file does not state the version of its format",
        "`prompts` must be a whole number from 1 to 100",
        "`send` is not JSON",
        "no message before this step has an id",
        "\"soon\" is not a length of time",
    ];
    assert_eq!(messages, expected);
    assert_eq!(mistakes("version = \n")[0].1, "");
    assert_eq!(mistakes("version = 2\n[[step]]\nsend = '\"{{prompt}}\"'")[0].0, "there is no version 2 of this file");
}

#[test]
fn a_missing_file_is_reported_as_unreadable() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Script::load(&folder.path().join("talk.toml")).expect_err("it is not there");
    assert!(error.to_string().contains("talk.toml cannot be read"), "{error}");
}

#[cfg(unix)]
mod talks {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    /// Carries out a script with a shell as the producer.
    fn talk_for(timeout: Duration, script: &str, shell: &str, input: &str) -> Execution {
        let script = read(&format!("version = 1\n{script}")).expect("the script is right");
        let command = ["sh", "-c", shell].map(OsString::from);
        let script = ScriptedProcess::new(script, &command, Bounds { timeout, max_bytes: 1 << 30 });
        script.run(input.as_bytes(), &StopFlag::default()).expect("the shell can be started")
    }

    fn talk(script: &str, shell: &str, input: &str) -> Execution {
        talk_for(Duration::from_secs(60), script, shell, input)
    }

    fn lines(played: &Execution) -> Vec<Value> {
        let lines = played.stream.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect()
    }

    const ASK: &str = "[[step]]\nsend = { id = \"{{id}}\", method = \"prompt\", text = \"{{prompt}}\" }\n";
    const EVENTS: &str = r#"
        [events]
        tool = { "/type" = "tool" }
        idle = { "/type" = "status", "/payload/pending" = false }
    "#;

    #[test]
    fn what_is_put_into_a_message_keeps_its_type_and_never_breaks_it() {
        let script = r#"
            prompts = 2
            [[step]]
            send = { id = "{{id}}", first = "{{ prompt }}", rest = "say: {{prompt:2}}!" }
            [[step]]
            wait-for = "answer"
            take = { session = "/result/session", list = "/result/list" }
            [[step]]
            send = '{"id": "m-{{id}}", "session": "{{session}}", "list": [null, "{{list}}"], "both": "{{session}} {{list}}"}'
        "#;
        let shell = r#"read -r a; printf '%s\n' '{"id":1,"result":{"session":"s\"7","list":[1,null]}}' "$a"; cat"#;
        let played = talk(script, shell, "a \"}} {{id}} \\\ntwo\nlines\n");
        assert_eq!(played.end, Ending::Completed);
        assert_eq!(played.wire, Some(Wire::JsonRpc));
        let lines = lines(&played);
        assert_eq!(lines[1], json!({"id": 1, "first": "a \"}} {{id}} \\", "rest": "say: two\nlines!"}));
        let last = json!({"id": "m-2", "session": "s\"7", "list": [null, [1, null]], "both": "s\"7 [1,null]"});
        assert_eq!(lines[2], last);
    }

    #[test]
    fn an_input_with_too_few_lines_has_empty_prompts() {
        let script = "prompts = 2\n[[step]]\nsend = '[\"{{prompt:1}}\", \"{{prompt:2}}\"]'";
        assert_eq!(lines(&talk(script, "cat", "one")), [json!(["one", ""])]);
        assert_eq!(lines(&talk(script, "cat", "")), [json!(["", ""])]);
    }

    #[test]
    fn values_of_toml_are_those_of_json() {
        let script = "[[step]]\nsend = [1_000, 0xff, -3, +4, 1.5, 1e3, true, 2026-01-02, \"{{prompt}}\", { a = {} }]";
        let expected = json!([1000, 255, -3, 4, 1.5, 1000.0, true, "2026-01-02", "é", {"a": {}}]);
        assert_eq!(lines(&talk(script, "cat", "é")), [expected]);
    }

    #[test]
    fn a_wait_in_vain_takes_nothing_from_the_next_one() {
        let in_vain = format!(
            "{EVENTS}{ASK}[[step]]\nwait-for = \"tool\"\noptional = true\nwithin = \"200ms\"\n\
             [[step]]\nwait-for = \"idle\"\n[[step]]\nsend = \"[2]\"\n"
        );
        let idle = r#"{"method":"event","params":{"type":"status","payload":{"pending":false}}}"#;
        let played = talk(&in_vain, &format!("read a; echo '{idle}'; cat"), "");
        assert_eq!((&played.end, &lines(&played)[1]), (&Ending::Completed, &json!([2])));
        // The `unless` event ends the wait at once, and is left for the next step.
        let unless = in_vain.replace("optional = true\nwithin = \"200ms\"", "unless = \"idle\"");
        let played = talk(&unless, &format!("read a; echo '{idle}'; cat"), "");
        assert_eq!((&played.end, &lines(&played)[1]), (&Ending::Completed, &json!([2])));
    }

    #[test]
    fn each_wait_looks_behind_the_event_that_the_last_one_found() {
        let script = |within: &str| {
            let wait = "[[step]]\nwait-for = \"idle\"\n";
            format!("{EVENTS}{ASK}{wait}{wait}within = \"{within}\"\n")
        };
        let idle = r#"{"type":"status","payload":{"pending":false}}"#;
        let hung = talk(&script("100ms"), &format!("echo '{idle}'; sleep 1000"), "");
        assert_eq!(hung.end, not_received("no event \"idle\" arrived within 100 ms".to_owned()));
        assert_eq!(talk(&script("60s"), &format!("echo '{idle}'; echo '{idle}'"), "").end, Ending::Completed);
        assert_eq!(talk(&script("60s"), &format!("echo '{idle}'; printf '%s' '{idle}'"), "").end, Ending::Completed);
    }

    #[test]
    fn a_message_can_be_sent_in_the_middle_of_a_turn() {
        let script = format!(
            "{EVENTS}{ASK}[[step]]\nwait-for = \"tool\"\n[[step]]\nsend = {{ id = \"{{{{id}}}}\", method = \"stop\" }}\n\
             [[step]]\nwait-for = \"answer\"\n[[step]]\nwait-for = \"idle\"\n"
        );
        // The tool runs until it receives `stop`. Responses may be late.
        let shell = r#"read a; echo '{"params":{"type":"tool"}}'; read b; printf '%s\n' "$b";
            echo '{"params":{"type":"status","payload":{"pending":false}}}'; echo '{"id":2,"result":{}}'; cat"#;
        let played = talk(&script, shell, "go");
        assert_eq!(played.end, Ending::Completed);
        assert_eq!(lines(&played)[1], json!({"id": 2, "method": "stop"}));
    }

    #[test]
    fn what_does_not_come_in_time_is_named() {
        let silent = "echo '{\"id\":7}'; sleep 1000";
        let waits = |more: &str| format!("{ASK}[[step]]\nwait-for = \"answer\"\n{more}");
        let late = talk(&waits("within = \"50ms\""), silent, "").end;
        assert_eq!(late, not_received("no answer to message 1 (prompt) arrived within 50 ms".to_owned()));
        let hung = |script: &str, end: fn(String) -> Ending, what: &str| {
            let played = talk_for(Duration::from_millis(400), script, silent, "");
            assert_eq!(played.end, end(what.to_owned()), "{script}");
        };
        let over = "no answer to message 1 (prompt) arrived before the 400 ms of the case were over";
        hung(&waits(""), not_received, over);
        hung(&waits("within = \"5s\"\noptional = true"), not_received, over);
        hung(&format!("{ASK}[[step]]\npause = \"5s\""), Ending::hung, "the conversation was not over after 400 ms");
        hung(ASK, Ending::hung, "its output was not closed after 400 ms");
    }

    #[test]
    fn a_producer_that_ends_early_crashed_if_something_was_still_to_come() {
        let waits = format!("{ASK}[[step]]\nwait-for = \"answer\"\n");
        let early = "it closed its output without sending the answer to message 1 (prompt)";
        assert_eq!(talk(&waits, "exit 0", "").end, Ending::Crashed(early.to_owned()));
        assert_eq!(talk(&waits, "exit 4", "").end, Ending::Crashed("it ended with exit code 4".to_owned()));
        let optional = format!("{waits}within = \"60s\"\noptional = true\n[[step]]\nsend = '1'\n");
        assert_eq!(talk(&optional, "exit 0", "").end, Ending::Completed);
        let takes = format!("{waits}take = {{ a = \"/result/a\" }}\n");
        let lacks = "the answer to message 1 (prompt) has nothing at /result/a";
        let answer = r#"read a; echo '{"id":1,"error":{}}'; cat"#;
        assert_eq!(talk(&takes, answer, "").end, Ending::Crashed(lacks.to_owned()));
    }

    #[test]
    fn an_answer_is_to_the_message_that_is_named_and_no_request() {
        let script = "
            [[step]]
            send = { id = \"{{id}}\", text = \"{{prompt}}\" }
            name = \"turn\"
            [[step]]
            send = { id = \"{{id}}\" }
            [[step]]
            wait-for = \"answer\"
            [[step]]
            wait-for = \"answer\"
            to = \"turn\"
            take = { a = \"/result\" }
            [[step]]
            send = '[\"{{a}}\"]'
        ";
        let shell = r#"read a; read b; echo '{"id":1,"method":"ask"}'; echo '{"id":2,"result":2}'; echo '{"id":1,"result":"one"}'; cat"#;
        let played = talk(script, shell, "");
        assert_eq!((&played.end, &lines(&played)[3]), (&Ending::Completed, &json!(["one"])));
    }

    #[test]
    fn input_can_be_closed_before_the_end_and_a_pause_keeps_nobody_from_writing() {
        let script =
            format!("{ASK}[[step]]\npause = \"50ms\"\n[[step]]\nclose = true\n[[step]]\nwait-for = \"answer\"\n");
        let shell = r#"head -c 2000000 /dev/zero; cat >/dev/null; echo; echo '{"id":1}'"#;
        assert_eq!(talk(&script, shell, "").end, Ending::Completed);
    }

    #[test]
    fn the_example_talks_to_the_example_agent() {
        let new_enough = ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"];
        let python = std::process::Command::new("python3").args(new_enough).status();
        if !python.is_ok_and(|status| status.success()) {
            use std::io::Write;
            let _ =
                writeln!(std::io::stderr(), "SKIPPED: there is no python3 (3.9 or later), so agent.py is not tested");
            return;
        }
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/agent");
        let script = Script::load(&examples.join("talk.toml")).expect("the example is right");
        assert_eq!(script.prompts(), 2);
        let command = ["python3".into(), examples.join("agent.py").into(), "--talk".into()];
        let script =
            ScriptedProcess::new(script, &command, Bounds { timeout: Duration::from_secs(60), max_bytes: 1 << 20 });
        for (input, has) in [
            ("one !wait two\nthree", &["session.interrupted", "\"final_message\":\"three\""][..]),
            ("hello\ncrash", &["\"final_message\":\"hello\"", "session.error"]),
            ("!fail\n!wait", &["session.completed"]),
            ("", &["session.completed"]),
        ] {
            let played = script.run(input.as_bytes(), &StopFlag::default()).expect("Python can be started");
            let text = String::from_utf8_lossy(&played.stream).into_owned();
            assert_eq!(played.end, Ending::Completed, "{input}: {text}");
            assert!(has.iter().all(|has| text.contains(has)), "{input}: {text}");
            let protocol = sessionlint_core::Protocol::builtin("session-events").expect("it is built in");
            let options = sessionlint_core::Options::default().with_wire(played.wire);
            assert_eq!(
                sessionlint_core::check(protocol, text.as_bytes(), options).findings.len(),
                0,
                "{input}: {text}"
            );
        }
    }
}
