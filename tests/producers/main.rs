//! The agents in `examples/agent` conform whatever the prompts and the transport, and each of their bugs is found by
//! the rule that their page names, on a prompt that triggers it and on no other.

mod agents;
#[path = "../built/mod.rs"]
mod built;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use sessionlint::{Options, Protocol, Wire, check};

use agents::{agents, request};

const PAGE: &str = include_str!("../../examples/agent/README.md");
const LONGEST_PROMPT: usize = 1 << 20;

/// Returns the findings of a stream, as rule and message, apart from the U+FFFD that a prompt of other bytes than UTF-8
/// becomes.
fn findings(stream: &[u8], wire: Wire) -> Vec<(String, String)> {
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let report = check(protocol, stream, Options::default().with_wire(Some(wire)));
    let findings = report.findings.into_iter().filter(|finding| &*finding.rule != "replacement-character");
    findings.map(|finding| (finding.rule.to_string(), finding.message)).collect()
}

fn rules(stream: &[u8], wire: Wire) -> BTreeSet<String> {
    findings(stream, wire).into_iter().map(|(rule, _)| rule).collect()
}

/// Arbitrary prompts: whole lines of any bytes.
fn prompts() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "hello",
        "  look  !read:notes\tnow ",
        "!a !b !c !d !e !f then !g",
        "sorry !bash:fail !fail and on",
        "crash",
        "so far crash not further",
        "!wait !wait",
        "! !: !!! :a !a:b:c",
        "Grüße, мир, 世界 🎉 e\u{301} \u{202e}abc\u{2028} !größe:ß !🎉",
        "data: x event: y \u{0} \u{1b}[31m \" \\ \u{7f}",
        r#"{"text":"one !read:notes\ntwo \u0000 \ud83c\udf89"}"#,
        r#"{"text":"half \ud83c"}"#,
        r#"{"text":7} {"text":"twice"}"#,
        r#"{"text":"first","text":"last","n":1e999}"#,
        r#"{"text":null,"type":"session.completed","payload":{}}"#,
    ];
    let mut prompts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    prompts.push(b"no \xff UTF-8 \xe2\x82".to_vec());
    prompts.push("[".repeat(100_000).into_bytes());
    prompts.push("word ".repeat(3_000).into_bytes());
    prompts.push("!t ".repeat(1_000).into_bytes());
    prompts.push(vec![b'a'; LONGEST_PROMPT]);
    prompts
}

#[test]
fn every_prompt_gives_a_stream_that_conforms_and_the_same_from_both() {
    for mut prompt in prompts() {
        let shown = String::from_utf8_lossy(&prompt[..prompt.len().min(60)]).into_owned();
        prompt.push(b'\n');
        let streams: Vec<_> = agents().iter().map(|agent| agent.output(&[], &prompt)).collect();
        for stream in &streams {
            assert_eq!(findings(stream, Wire::Ndjson), [], "{shown}");
            assert!(stream == &streams[0], "{shown}: the agents differ");
        }
    }
}

#[test]
fn a_prompt_that_is_too_long_is_refused_in_a_stream_that_conforms() {
    for agent in agents() {
        let stream = agent.output(&[], &vec![b'a'; LONGEST_PROMPT + 1]);
        assert_eq!(findings(&stream, Wire::Ndjson), [], "{agent:?}");
        assert!(String::from_utf8_lossy(&stream).contains("prompt_too_long"), "{agent:?}");
    }
}

#[test]
fn every_prompt_conforms_over_http() {
    for agent in agents() {
        let (_server, address) = agent.serve(&[]);
        // Without the bug, a prompt that triggers it is like any other.
        let innocent = bugs().into_iter().map(|bug| bug.shown_by.as_bytes().to_vec());
        for prompt in prompts().into_iter().chain(innocent) {
            let shown = String::from_utf8_lossy(&prompt[..prompt.len().min(60)]).into_owned();
            let (head, body) = request(&address, "POST", &prompt);
            assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("Content-Type: text/event-stream"), "{head}");
            assert_eq!(findings(&body, Wire::Sse), [], "{agent:?} {shown}");
        }
        let (head, _) = request(&address, "POST", &vec![b'a'; LONGEST_PROMPT + 1]);
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        let (head, _) = request(&address, "GET", b"");
        assert!(head.starts_with("HTTP/1.1 405 ") || head.starts_with("HTTP/1.1 501 "), "{head}");
    }
}

fn line(message: &Value) -> String {
    format!("{message}\n")
}

fn ask(id: u64, method: &str, text: &str) -> String {
    line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"text": text}}))
}

#[test]
fn a_conversation_conforms_and_every_request_is_answered() {
    let prompts: Vec<_> = prompts().into_iter().filter_map(|prompt| String::from_utf8(prompt).ok()).collect();
    // A line with a message may be as long as a prompt, but has more in it.
    let prompts: Vec<_> = prompts.iter().filter(|prompt| prompt.len() < LONGEST_PROMPT / 2).collect();
    // None of these is a valid request, or one that can be fulfilled.
    let hostile = [
        "nonsense",
        "[]",
        "null",
        r#"{"id":1e999,"method":"prompt","params":{"text":"x"}}"#,
        r#"{"id":99999999999999999999,"method":"prompt","params":{"text":"x"}}"#,
        r#"{"id":{},"method":"interrupt"}"#,
        r#"{"id":"\ud83c","method":"interrupt"}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"b","method":"vanish"}"#,
        r#"{"id":"c","method":"prompt","params":["x"]}"#,
        r#"{"id":"d","method":"prompt","params":{"text":7}}"#,
        &"[".repeat(100_000),
        &"a".repeat(LONGEST_PROMPT + 1),
    ];
    for agent in agents() {
        let mut talk = agent.start(&["--talk"]);
        for (id, prompt) in prompts.iter().enumerate() {
            talk.say(ask(id as u64, "prompt", prompt).as_bytes());
        }
        for bad in hostile {
            talk.say(format!("{bad}\n").as_bytes());
        }
        let stream = talk.rest();
        assert_eq!(findings(&stream, Wire::JsonRpc), [], "{agent:?}");
        let messages: Vec<Value> = stream
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line).expect("JSON"))
            .collect();
        let count = |key: &str| messages.iter().filter(|message| message.get(key).is_some()).count();
        assert_eq!((count("result"), count("error")), (prompts.len(), hostile.len()), "{agent:?}");
        let ends = ["session.completed", "session.error"];
        let ended = messages.iter().filter(|message| ends.iter().any(|end| message["params"]["type"] == *end)).count();
        assert_eq!(ended, prompts.len(), "{agent:?}");
    }
}

#[test]
fn a_turn_can_be_steered_and_interrupted_in_its_middle() {
    for agent in agents() {
        let mut talk = agent.start(&["--talk"]);
        let mut stream = Vec::new();
        talk.say(ask(1, "prompt", "one !wait two").as_bytes());
        stream.extend(talk.until("session.tool.call.started"));
        talk.say(ask(2, "steer", "three").as_bytes());
        stream.extend(talk.until(r#""final_message":"one three""#));
        stream.extend(talk.until("idle"));
        talk.say(ask(3, "steer", "late").as_bytes());
        stream.extend(talk.until(r#""id":3,"error""#));
        // The second prompt waits for its turn.
        talk.say(ask(4, "prompt", "!read !wait four").as_bytes());
        stream.extend(talk.until(r#""tool_name":"wait""#));
        talk.say(ask(5, "prompt", "five").as_bytes());
        talk.say(line(&json!({"id": 6, "method": "interrupt"})).as_bytes());
        stream.extend(talk.until("session.interrupted"));
        stream.extend(talk.rest());
        assert_eq!(findings(&stream, Wire::JsonRpc), [], "{agent:?}");
        let text = String::from_utf8(stream).expect("UTF-8");
        assert!(text.contains(r#""final_message":"five""#) && !text.contains("four\",\"done"), "{text}");
        assert_eq!(text.matches("session.interrupted").count(), 1, "{text}");
    }
}

/// A row of the page's table.
struct Bug {
    name: &'static str,
    shows_when: &'static str,
    rule: &'static str,
    shown_by: &'static str,
    hidden_by: &'static str,
}

fn bugs() -> Vec<Bug> {
    let (_, section) = PAGE.split_once("## The bugs").expect("the page lists them");
    let row = |line: &'static str| {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let ["", name, shows_when, rule, shown_by, hidden_by, ""] = cells[..] else { panic!("{line}") };
        Bug { name, shows_when, rule, shown_by, hidden_by }
    };
    let bugs: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).map(row).collect();
    assert_eq!(bugs.len(), 14);
    bugs
}

#[test]
fn the_agents_list_the_bugs_of_the_page() {
    let listed: String = bugs().iter().map(|bug| format!("{:<23}{}\n", bug.name, bug.shows_when)).collect();
    for agent in agents() {
        let list = agent.output(&["--bug", "list"], b"");
        assert_eq!(String::from_utf8_lossy(&list), listed, "{agent:?}");
    }
}

#[test]
fn each_bug_is_found_by_its_rule_where_it_shows_and_nothing_is_where_it_does_not() {
    for bug in bugs() {
        for agent in agents() {
            let arguments = ["--bug", bug.name];
            let hidden = agent.output(&arguments, bug.hidden_by.as_bytes());
            assert_eq!(findings(&hidden, Wire::Ndjson), [], "{agent:?} {}", bug.name);
            // This one does not end: see below.
            if bug.name != "hang" {
                let shown = agent.output(&arguments, bug.shown_by.as_bytes());
                let mut expected = BTreeSet::from([bug.rule.to_owned()]);
                if bug.name == "torn-line" {
                    // The rest of the line, and a note on what cannot be judged behind it.
                    expected.extend(["invalid-json", "check-skipped"].map(str::to_owned));
                }
                assert_eq!(rules(&shown, Wire::Ndjson), expected, "{agent:?} {}", bug.name);
            }
        }
    }
}

#[test]
fn the_hang_ends_only_when_it_is_killed() {
    let bug = bugs().into_iter().find(|bug| bug.name == "hang").expect("it is on the page");
    for agent in agents() {
        let mut hanging = agent.start(&["--bug", "hang"]);
        hanging.say(bug.shown_by.as_bytes());
        hanging.say(b"\n");
        // Both calls of the prompt have been started by now.
        let stream = hanging.until(r#""tool_name":"fail""#);
        assert!(hanging.hangs(Duration::from_millis(500)), "{agent:?}");
        drop(hanging);
        assert_eq!(rules(&stream, Wire::Ndjson), BTreeSet::from([bug.rule.to_owned()]), "{agent:?}");
    }
}

#[test]
fn bugs_show_over_http_and_in_conversations_too() {
    for agent in agents() {
        let (_server, address) = agent.serve(&["--bug", "torn-line"]);
        let (_, torn) = request(&address, "POST", b"!a !b !c");
        assert_eq!(
            rules(&torn, Wire::Sse),
            BTreeSet::from(["foreign-framing", "not-an-event", "check-skipped"].map(str::to_owned))
        );
        let (_, whole) = request(&address, "POST", b"!a !b");
        assert_eq!(findings(&whole, Wire::Sse), []);
        // The id is from another turn.
        let turns = [ask(1, "prompt", "!read"), ask(2, "prompt", "!read")].concat();
        let stream = agent.output(&["--talk", "--bug", "reused-id"], turns.as_bytes());
        assert_eq!(rules(&stream, Wire::JsonRpc), BTreeSet::from(["duplicate-tool-call".to_owned()]));
    }
}
