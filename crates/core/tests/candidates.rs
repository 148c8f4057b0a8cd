//! Inputs whose protocol is found by their events, and inputs with events of two protocols.

use sessionlint_core::event::{FoundProtocol, ProtocolSearch};
use sessionlint_core::protocol::LazyProtocol;
use sessionlint_core::{Options, Protocol, Report, check};

/// Returns the names of the protocols that are found in an input, fed in pieces of this many bytes.
fn found_in_pieces(text: &str, piece: usize) -> Vec<String> {
    let (candidates, options) = (LazyProtocol::builtin_streams(), Options::default());
    let mut search = ProtocolSearch::new(&candidates, &options);
    let _is_over = text.as_bytes().chunks(piece).any(|piece| search.feed(piece));
    let (found, so_far) = search.end();
    assert!(text.as_bytes().starts_with(&so_far), "what came so far is handed back");
    match found {
        FoundProtocol::One(number) => vec![candidates[number].name().to_owned()],
        FoundProtocol::Several(numbers) => numbers.iter().map(|number| candidates[*number].name().to_owned()).collect(),
    }
}

fn found(text: &str) -> Vec<String> {
    let found = found_in_pieces(text, text.len().max(1));
    assert_eq!(found_in_pieces(text, 7), found, "cut anywhere: {text}");
    found
}

const STATUS: &str = r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#;
const CHUNK: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}"#;
const START: &str = r#"{"type":"content_block_stop","index":0}"#;
const CREATED: &str = r#"{"type":"response.created","response":{"id":"r"}}"#;

#[test]
fn the_first_event_that_only_one_protocol_has_decides() {
    assert_eq!(found(STATUS), ["session-events"]);
    assert_eq!(found(&format!("data: {CHUNK}\n\ndata: [DONE]\n\n")), ["openai-chat"]);
    assert_eq!(found(&format!("event: content_block_stop\ndata: {START}\n\n")), ["anthropic-messages"]);
    assert_eq!(found(&format!("[{CREATED},\n{CREATED}]")), ["openai-responses"]);
    assert_eq!(found(&format!(r#"{{"jsonrpc":"2.0","method":"event","params":{STATUS}}}"#)), ["session-events"]);
    assert_eq!(found(&format!(r#"{{"event":"content_block_stop","data":{START}}}"#)), ["anthropic-messages"]);
}

/// Of a chunk under the name of a whole completion, nothing is wrong but its name. A completion is no chunk.
#[test]
fn an_event_under_a_wrong_name_is_of_the_protocol_that_has_all_the_rest() {
    let misnamed = CHUNK.replace("chat.completion.chunk", "chat.completion");
    let stream = format!("data: {misnamed}\n\ndata: [DONE]\n\n");
    assert_eq!(found(&stream), ["openai-chat"]);
    let report =
        check(Protocol::builtin("openai-chat").expect("it is built in"), stream.as_bytes(), Options::default());
    let [unknown, none] = &report.findings[..] else { panic!("{report:?}") };
    assert_eq!((&*unknown.rule, &*none.rule), ("unknown-event", "no-events"), "nothing was understood but [DONE]");
    assert!(none.message.ends_with(r#""chat.completion" is close to chat.completion.chunk"#), "{}", none.message);
    let whole = misnamed.replace("delta", "message");
    assert_eq!(found(&whole), Vec::<String>::new());
    let other = misnamed.replace(r#""choices":["#, r#""choices":["x","#);
    assert_eq!(found(&other), Vec::<String>::new());
}

#[test]
fn what_any_protocol_may_have_decides_nothing() {
    // A banner, a heartbeat by its name alone, and an error that three protocols know stand before the event that decides.
    let text =
        format!("Listening on port 8080\n{{\"type\":\"ping\"}}\n{{\"type\":\"error\",\"error\":{{}}}}\n{CREATED}\n");
    assert_eq!(found(&text), ["openai-responses"]);
    // Without that event, the input may be of any of those that have such an error.
    let text = "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"\"}}\n";
    assert_eq!(found(text), ["anthropic-messages", "openai-chat", "openai-responses"]);
    assert_eq!(found("data: [DONE]\n\n"), Vec::<String>::new());
}

#[test]
fn events_with_faults_decide_where_no_others_do() {
    assert_eq!(found("{\"type\":\"session.status\"}\n"), ["session-events"], "an event that lacks its members");
    assert_eq!(found("{\"type\":\"sessionStatus\",\"payload\":{}}\n"), ["session-events"], "a misspelt type");
    assert_eq!(found("{'type': 'session.status', 'payload': {}}\n"), ["session-events"], "a Python dict");
    assert_eq!(found(&format!("{{\"log\":{CHUNK}}}\n")), ["openai-chat"], "an event inside of something else");
    let torn = STATUS.replace("\"payload\":{", "\"error\" payload");
    assert_eq!(found(&format!("{torn}\n")), ["session-events"], "more names than those that others have, too");
    assert_eq!(found("{\"type\":\"message_stop\"}\n"), ["anthropic-messages"], "a type that has only its name");
}

#[test]
fn what_is_of_no_protocol_is_of_none() {
    for text in [
        "",
        "\n",
        "hello\n",
        "{\"type\":\"RUN_STARTED\",\"threadId\":\"t\"}\n",
        "[1,2]",
        "{\"name\":\"app\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}",
    ] {
        assert_eq!(found(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_search_is_bounded() {
    let noise = "{\"a\":1}\n";
    assert_eq!(found(&format!("{}{STATUS}\n", noise.repeat(1000))), ["session-events"], "within 64 KiB");
    let noise = "banner\n".repeat(10_000);
    assert_eq!(found_in_pieces(&format!("{noise}{STATUS}\n"), 4096), Vec::<String>::new());
    let (candidates, options) = (LazyProtocol::builtin_streams(), Options::default());
    let mut search = ProtocolSearch::new(&candidates, &options);
    let noise = "{\"a\":1}\n".repeat(64 * 1024 / 8);
    assert!(!search.feed(&noise.as_bytes()[..64 * 1024 - 1]), "an event may end here");
    assert!(search.feed(b"\n{\"a\":2}\n"), "64 KiB without an event end it");
    let mut search = ProtocolSearch::new(&candidates, &options);
    let endless = vec![b'{'; 1 << 20];
    assert_eq!((0..100).position(|_| search.feed(&endless)), Some(15), "no event is longer");
}

#[test]
fn an_event_may_be_longer_than_what_is_searched_for_others() {
    let long =
        format!(r#"{{"response":{{"id":"r","instructions":"{}"}},"type":"response.created"}}"#, "a".repeat(200_000));
    for text in
        [format!("{long}\n"), format!("data: {long}\n\n"), format!("[{long}]"), format!("banner\n{long}\n{long}\n")]
    {
        for piece in [1000, 70_000, text.len()] {
            assert_eq!(found_in_pieces(&text, piece), ["openai-responses"]);
        }
    }
    // A name alone does not decide, but tells more than nothing.
    let stop = format!(r#"{{"more":"{}","type":"message_stop"}}"#, "a".repeat(100_000));
    assert_eq!(found_in_pieces(&format!("{stop}\n"), 5000), ["anthropic-messages"]);
}

fn checked(protocol: &str, lines: &[&str]) -> Report {
    let protocol = Protocol::builtin(protocol).expect("it is built in");
    check(protocol, lines.join("\n").as_bytes(), Options::default())
}

fn rules(report: &Report) -> Vec<(u64, String)> {
    report.findings.iter().map(|finding| (finding.place.line, finding.rule.to_string())).collect()
}

#[test]
fn events_of_another_protocol_are_said_once_and_disturb_nothing() {
    let idle = STATUS.replace("true", "false").replace("thinking", "idle");
    let report = checked("session-events", &[&idle, CHUNK, START, CHUNK]);
    assert_eq!(rules(&report), [(2, "mixed-protocols".to_owned())]);
    let finding = &report.findings[0];
    assert_eq!(
        finding.message,
        "this event belongs to the openai-chat protocol instead of session-events, and was not checked"
    );
    assert_eq!((report.summary.events, report.summary.skipped), (1, 3));
    // Once its protocol was met, a name alone tells such an event.
    let stop = ["{\"type\":\"ping\"}", "{\"type\":\"message_stop\"}"];
    let report = checked("session-events", &[&idle, START, stop[0], stop[1]]);
    assert_eq!(rules(&report), [(2, "mixed-protocols".to_owned())]);
    assert_eq!(report.summary.skipped, 3);
    // One that comes before the input's own is said where it stands, too.
    let report = checked("session-events", &[CHUNK, &idle]);
    assert_eq!(rules(&report), [(1, "mixed-protocols".to_owned())]);
}

#[test]
fn an_input_of_another_protocol_is_said_to_be_one() {
    let report = checked("session-events", &[CHUNK, CHUNK]);
    assert_eq!(rules(&report), [(1, "no-events".to_owned())]);
    assert_eq!(
        report.findings[0].message,
        "there are no events of the session-events protocol in this input, only of the openai-chat protocol"
    );
}

#[test]
fn a_name_that_any_protocol_may_have_is_no_event_of_another() {
    let idle = STATUS.replace("true", "false").replace("thinking", "idle");
    let report = checked("session-events", &[&idle, "{\"type\":\"ping\",\"timestamp\":\"2026-01-01T00:00:00Z\"}"]);
    assert_eq!(rules(&report), [(2, "unknown-event".to_owned())]);
}

#[test]
fn an_input_whose_protocol_was_not_found_names_those_that_were_searched_for() {
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let report = check(protocol, b"{\"name\":\"app\"}\n", Options::default().with_undecided(true));
    assert_eq!(
        report.findings.iter().map(|finding| &*finding.message).next_back(),
        Some(
            "there are no events of any of the protocols session-events, anthropic-messages, openai-chat and \
             openai-responses in this input, only JSON without a string in `type`"
        )
    );
}

#[test]
fn the_text_that_ends_chunks_of_another_protocol_is_no_mistake_of_its_own() {
    const PING: &str = "{\"type\":\"ping\"}";
    let of = |protocol: &str, lines: &[&str]| {
        let found = rules(&checked(protocol, lines));
        found.into_iter().map(|(line, rule)| format!("{line} {rule}")).collect::<Vec<_>>()
    };
    assert_eq!(of("anthropic-messages", &[PING, CHUNK, "[DONE]"]), ["2 mixed-protocols"]);
    assert_eq!(of("anthropic-messages", &[PING, "[DONE]", CHUNK]), ["2 stray-done", "3 mixed-protocols"]);
    // What ends a stream in its own protocol does so behind events of others, too.
    let report = checked("openai-chat", &[CHUNK, START, "[DONE]"]);
    assert_eq!((report.summary.events, report.summary.skipped), (2, 1));
}
