//! The two paths agree on every line: random ones, and those that once told them apart.

use std::fs;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::{FastEvent, FastReader, first_line, paths_agree, reads_alike};
use crate::input::{Frame, Origin, Segment};
use crate::protocol::Protocol;
use crate::schema::captures::Captures;
use crate::schema::lowered::made;

static PROTOCOL: LazyLock<&Protocol> = LazyLock::new(|| Protocol::builtin("session-events").expect("it is built in"));

/// The built-in schemas use few keywords; the schema of this protocol uses all that are compiled.
static EVERY_KEYWORD: LazyLock<Protocol> = LazyLock::new(|| protocol("every-keyword"));

/// The schemas of this protocol have objects of several forms, values of several types, and conditions.
static UNIONS: LazyLock<Protocol> = LazyLock::new(|| protocol("unions"));

/// Returns a protocol among the data of the tests.
fn protocol(name: &str) -> Protocol {
    let folder = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(&folder).expect("the folder is there").map(|entry| {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
        (name, fs::read_to_string(&path).expect("it can be read"))
    });
    Protocol::from_files(&folder, files).expect("it is right")
}

/// The examples in the schemas, with their keys in the schema's order.
static EVENTS: LazyLock<Vec<(&Protocol, String)>> = LazyLock::new(|| {
    let of = |protocol: &'static Protocol| {
        protocol.schemas().map(move |(_, schema)| (protocol, schema["examples"][0].to_string()))
    };
    // Repeated until it is as frequent as all others together: it has as much to try.
    let made = (0..9).flat_map(|_| of(&EVERY_KEYWORD)).chain((0..5).flat_map(|_| of(&UNIONS)));
    let nested = (0..5).map(|_| (&*CHUNKS, CALLS.to_owned()));
    of(&PROTOCOL).chain(made).chain(nested).collect()
});

/// A protocol whose tables read the items of arrays in the items of another one.
static CHUNKS: LazyLock<Protocol> = LazyLock::new(|| Protocol::builtin("openai-chat").expect("it is built in").clone());

/// An event of that protocol with such items.
const CALLS: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\""}},{"index":1,"function":{"arguments":"}"}}]},"finish_reason":null},{"index":1,"delta":{"content":"x","tool_calls":[]},"finish_reason":"stop"}],"usage":null}"#;

/// Tokens that break parsers and schemas.
const TOKENS: [&str; 69] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\\",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "01",
    "1e400",
    "1E5",
    "-3.4e-06",
    "2e+100",
    "-1.9361264946837764e-7",
    "123456789012345678",
    "-0",
    "1.",
    "\"\"",
    "\"x\":1,",
    ",\"x\":1}",
    "\r\n",
    "\"type\":\"session.error\",",
    "\"session_id\":\"a\",",
    "\\u0061",
    "\\ud83d",
    "\\ude00",
    "\\ud83d\\ude00",
    "\\n",
    "\\x",
    "\u{1f642}",
    "\u{7f}",
    "\t",
    " ",
    "\n",
    "2026-02-29",
    "T24",
    ":60Z",
    "{\"a\":{\"a\":[]}}",
    "\"ok\":true,",
    "100",
    "99",
    "1.50",
    "-5",
    "6",
    "7.0",
    "\"green\"",
    "\"ths\"",
    "[]",
    "[1,2]",
    "{}",
    "\"é🙂\\n\"",
    "\"text\"",
    "\"image\"",
    "\"tool_use\"",
    "\"url\"",
    "\"speech\"",
    "\"failure\"",
    "\"type\":\"text\",",
    "\"type\":\"message\",",
    "\"kind\":\"todo\",",
    "{\"type\":\"text\"},",
    "\"secret_kind\":\"k\",",
    "\"tree\":{\"child\":{}},",
];

#[test]
fn the_documents_examples_take_the_fast_path() {
    for (protocol, event) in EVENTS.iter() {
        assert_eq!(paths_agree(protocol, event.as_bytes()), Ok(true), "{event}");
    }
}

#[test]
fn other_orders_spaces_and_unknown_keys_take_the_fast_path_too() {
    let event = "{ \"payload\" : {\"extra\":{\"a\":[1,2]},\"done\":true , \"text\":\"a\\n\\ud83d\\ude00\",\"session_id\":\"s\"},\n \
                 \"timestamp\":\"2026-01-01T00:00:00Z\", \"type\":\"session.stream.chunk\" }";
    assert_eq!(paths_agree(&PROTOCOL, event.as_bytes()), Ok(true));
}

/// Probabilities are as small and as long as these; some schemas set no bounds to them.
#[test]
fn numbers_with_many_digits_and_exponents_take_the_fast_path() {
    let event = |number: &str| CALLS.replace("\"content\":\"x\"", &format!("\"content\":\"x\",\"logprob\":{number}"));
    for number in ["-1.9361264946837764e-7", "-0.00007493430894101039", "2E+22", "0e0", "12345678901234567890.5"] {
        assert_eq!(paths_agree(&CHUNKS, event(number).as_bytes()), Ok(true), "{number}");
    }
    for number in ["1e400", "1e", "1e+", "1e-x", "01e1", "-e1"] {
        assert_eq!(paths_agree(&CHUNKS, event(number).as_bytes()), Ok(false), "{number}");
    }
}

/// Most numbers are counts, which a template reads in one block of bytes.
#[test]
fn a_number_that_changes_is_read_like_the_first_one() {
    let event = |number: &str| {
        let usage = format!("{{\"prompt_tokens\":{number},\"completion_tokens\":1,\"total_tokens\":2}}");
        CALLS.replace("\"usage\":null", &format!("\"usage\":{usage},\"service_tier\":null"))
    };
    let before = ["1", "2", "3", "4"].map(event);
    let before = before.each_ref().map(|event| event.as_bytes());
    let numbers = [
        "0",
        "7",
        "10",
        "123456789",
        "123456789012345",
        "1234567890123456",
        "1234567890123456789",
        "12345678901234567890",
    ];
    for number in
        numbers.into_iter().chain(["00", "01", "1.0", "1.5", "1e2", "1E400", "-1", "-0", "1x", "1:", "1;", "1/"])
    {
        assert_eq!(reads_alike(&CHUNKS, &before, event(number).as_bytes()), Ok(()), "{number}");
    }
}

/// The tables of this protocol read fields inside of actions that its schema leaves open.
#[test]
fn fields_that_no_schema_declares_are_read_on_the_fast_path() {
    let protocol = Protocol::builtin("openai-responses").expect("it is built in");
    for item in [
        r#"{"id":"w","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}}"#,
        r#"{"id":"s","type":"shell_call","status":"completed","call_id":"c","action":{"commands":["ls","pwd"],"max":1}}"#,
        r#"{"id":"s","type":"shell_call","status":"completed","call_id":"c","action":{"commands":"ls"}}"#,
        r#"{"id":"a","type":"apply_patch_call","status":"completed","call_id":"c","operation":{"type":"create_file","diff":"+x\n"}}"#,
    ] {
        let event = format!(
            "{{\"type\":\"response.output_item.done\",\"sequence_number\":6,\"output_index\":0,\"item\":{item}}}"
        );
        assert_eq!(paths_agree(protocol, event.as_bytes()), Ok(true), "{event}");
    }
}

/// Producers keep to the way in which they write, so that their second event of a type is read ahead like those in
/// the schema's order.
#[test]
fn the_way_in_which_a_producer_writes_is_learned() {
    let chunk = |text: &str| {
        [
            format!(
                r#"{{"payload":{{"done":true,"text":"{text}","session_id":"s"}},"timestamp":"2026-01-01T00:00:00Z","type":"session.stream.chunk"}}"#
            ),
            format!(
                r#"{{"timestamp":"2026-01-01T00:00:00Z","type":"session.stream.chunk","payload":{{"session_id":"s","text":"{text}","done":true}}}}"#
            ),
            format!(
                r#"{{"type": "session.stream.chunk", "timestamp": "2026-01-01T00:00:00Z", "payload": {{"session_id": "s", "text": "{text}", "done": true}}}}"#
            ),
        ]
    };
    fn read_ahead(reader: &mut FastReader, event: &str) -> Option<(FastEvent, Captures)> {
        let mut captures = Captures::default();
        let (_, event) = first_line::<false>(reader, format!("{event}\n").as_bytes(), 1000, &mut captures)?;
        Some((event, captures))
    }
    for (first, second) in chunk("one").into_iter().zip(chunk("two and more")) {
        let mut reader = FastReader::new(&PROTOCOL);
        assert!(read_ahead(&mut reader, &first).is_none(), "{first}");
        for _ in 0..2 {
            assert!(reader.read(first.as_bytes(), &mut Captures::default()).is_some());
        }
        let (event, captures) = read_ahead(&mut reader, &second).expect("its template was learned");
        let mut alone = Captures::default();
        assert_eq!(FastReader::new(&PROTOCOL).read(second.as_bytes(), &mut alone), Some(event));
        assert_eq!(captures, alone);
        // Another type in the same order, and a fault, are left to others.
        let other = second.replace("stream.chunk", "stream.chump");
        assert!(read_ahead(&mut reader, &other).is_none(), "{other}");
        assert!(read_ahead(&mut reader, &second.replace("true", "0")).is_none());
        // White space before the last brace tells an observer nothing.
        let padded = second.strip_suffix('}').map(|event| format!("{event}     }}")).expect("it is an object");
        assert!(read_ahead(&mut reader, &padded).is_some(), "{padded}");
    }
}

#[test]
fn keys_after_all_others_need_no_other_path() {
    let event = |more: &str, outside: &str| {
        format!(
            r#"{{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"s","text":"a","done":true{more}}}{outside}}}"#
        )
    };
    let is_read_ahead = |event: &str| {
        let (lines, mut reader) = (format!("{event}\n"), FastReader::new(&PROTOCOL));
        for _ in 0..2 {
            reader.read(event.as_bytes(), &mut Captures::default());
        }
        first_line::<false>(&mut reader, lines.as_bytes(), 1000, &mut Captures::default()).is_some()
    };
    for (more, outside) in
        [(r#","a":1"#, ""), ("", r#","b":{"c":[1,"2"]},"d":"e""#), (r#","a":null"#, r#","a":true"#), (r#", "a":1"#, "")]
    {
        let event = event(more, outside);
        assert_eq!((paths_agree(&PROTOCOL, event.as_bytes()), is_read_ahead(&event)), (Ok(true), true), "{event}");
    }
    // A repeated key, a newline, an escape: not read ahead, and no end of a line is missed.
    for (more, outside) in
        [(r#","text":"b""#, ""), (r#","a":1,"a":2"#, ""), ("", ",\"b\":[1,\n2]"), (r#","\u0061":1"#, "")]
    {
        let event = event(more, outside);
        assert!(paths_agree(&PROTOCOL, event.as_bytes()).is_ok() && !is_read_ahead(&event), "{event}");
    }
}

/// An array whose items are captured is not taken for one in which nothing is, where an event has none.
#[test]
fn an_event_without_items_tells_nothing_of_one_with_items() {
    let chunk = |calls: &str| {
        format!(
            r#"{{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{{"tool_calls":{calls}}},"finish_reason":null}}]}}"#
        )
    };
    let (none, one) = (chunk("[]"), chunk(r#"[{"index":0,"function":{"arguments":"{}"}}]"#));
    for (before, event) in [(&none, &one), (&one, &none), (&none, &none), (&one, &one)] {
        assert_eq!(reads_alike(&CHUNKS, &[before.as_bytes(), before.as_bytes()], event.as_bytes()), Ok(()));
    }
}

/// Events that begin alike, with long texts, and end in many ways do not have each of their ways tried.
#[test]
fn the_search_for_a_way_of_writing_is_bounded() {
    let event = |text: &str, way: usize| {
        format!(
            r#"{{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"s","text":"{text}","done":true,"way{way}":1}}}}"#
        )
    };
    let finds = |text: &str| {
        let mut reader = FastReader::new(&PROTOCOL);
        for way in 0..40 {
            for _ in 0..2 {
                reader.read(event("a", way).as_bytes(), &mut Captures::default());
            }
        }
        let lines = format!("{}\n", event(text, 20));
        first_line::<false>(&mut reader, lines.as_bytes(), 1 << 20, &mut Captures::default()).is_some()
    };
    assert!(finds("b"));
    assert!(!finds(&"b".repeat(10_000)));
}

/// A file comes in pieces: the message that is in two of them is read by itself.
#[test]
fn a_message_by_itself_is_read_like_those_before_it() {
    let message = |text: &str, behind: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"event","params":{{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"s","text":"{text}","done":false}}}}{behind}"#
        )
    };
    let mut reader = FastReader::new(&PROTOCOL);
    let mut read = |message: &str| {
        let segments = [Segment { at: 0, origin: Origin::START }];
        let mut captures = Captures::default();
        let event = reader.read_frame(&Frame::new(message.as_bytes(), &segments), &mut captures);
        assert_eq!(event.is_none(), captures == Captures::default(), "{message}");
        let event = event.map(|event| message[event.span].to_owned());
        let lines = format!("{message}\n");
        first_line::<false>(&mut reader, lines.as_bytes(), 1000, &mut captures);
        event
    };
    assert_eq!([read(&message("a", "}")), read(&message("a", "}"))], [None, None]);
    let (start, end) = ("{\"type\":\"session.stream.chunk\"", "\"text\":\"b\",\"done\":false}}");
    for behind in ["}", ",\"more\":1}"] {
        let event = read(&message("b", behind)).expect("it begins like the last one");
        assert!(event.starts_with(start) && event.ends_with(end), "{event}");
    }
    for other in [message("b", "} "), message("b", "}").replace("2.0", "1.0")] {
        assert_eq!(read(&other), None, "{other}");
    }
}

#[test]
fn the_usual_faults_are_judged_on_the_fast_path_too() {
    let chunk = |payload: &str| {
        format!(r#"{{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:00Z","payload":{payload}}}"#)
    };
    let results = |result: &str| {
        format!(
            r#"{{"type":"session.tool.results","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"s","results":[{{"tool_call_id":"a","ok":true,"output":""}},{result}]}}}}"#
        )
    };
    for faulty in [
        chunk(r#"{"session_id":"s","text":17,"done":"true"}"#),
        chunk(r#"{"session_id":"","text":"a"}"#),
        chunk(r#"{"sessionId":"s","text":"a","done":true}"#),
        chunk("[]"),
        chunk(r#"{"session_id":"s","text":"a","done":true}"#).replace('T', " "),
        results(r#"{"tool_call_id":1,"ok":"yes"}"#),
        results("null"),
    ] {
        assert_eq!(paths_agree(&PROTOCOL, faulty.as_bytes()), Ok(true), "{faulty}");
    }
}

/// An event with the same fault is read by a template, and no other event is taken for one: not with another fault, and
/// not without any.
#[test]
fn a_fault_is_learned_as_it_was_written() {
    let chunk = |session: &str, text: &str, done: &str| {
        format!(
            r#"{{"type":"session.stream.chunk","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"{session}","text":{text}{done}}}}}"#
        )
    };
    let results = |session: &str, ok: &str| {
        format!(
            r#"{{"type":"session.tool.results","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"{session}","results":[{{"tool_call_id":"a","ok":true,"output":""}},{{"tool_call_id":"b"{ok}}}]}}}}"#
        )
    };
    let events = |session: &str| {
        let done = r#","done":true"#;
        let chunks =
            [("17", done), ("18", done), ("\"a\"", ""), ("\"a\"", r#","done":0"#), ("\"a\"", done), ("17", "")];
        let chunks = chunks.map(|(text, done)| chunk(session, text, done)).into_iter();
        let days = ["2026-02-30", "2026-02-28"].map(|day| chunk(session, "\"a\"", done).replace("2026-01-01", day));
        let items = ["", r#","ok":7"#, r#","ok":true"#].map(|ok| results(session, ok));
        chunks.chain(days).chain(items).collect::<Vec<_>>()
    };
    for (learned, again) in events("s").iter().zip(events("another")) {
        let (mut reader, mut captures) = (FastReader::new(&PROTOCOL), Captures::default());
        for _ in 0..2 {
            reader.read(learned.as_bytes(), &mut Captures::default());
        }
        let line = first_line::<false>(&mut reader, format!("{again}\n").as_bytes(), 1000, &mut captures);
        let (_, event) = line.expect("its template was learned");
        let mut alone = Captures::default();
        assert_eq!(FastReader::new(&PROTOCOL).read(again.as_bytes(), &mut alone), Some(event));
        assert_eq!(captures, alone, "{again}");
        for event in events("another") {
            assert_eq!(reads_alike(&PROTOCOL, &[learned.as_bytes(), learned.as_bytes()], event.as_bytes()), Ok(()));
        }
    }
    // What is different in each event does not take the place of what is right.
    let mut reader = FastReader::new(&PROTOCOL);
    let right = chunk("s", "\"a\"", r#","done":true"#);
    for number in 0..5000 {
        let event = if number < 2 { right.clone() } else { chunk("s", &number.to_string(), "") };
        reader.read(event.as_bytes(), &mut Captures::default());
    }
    let lines = format!("{right}\n");
    // After so many that fit none, not each is tried.
    let mut is_read = || first_line::<false>(&mut reader, lines.as_bytes(), 1000, &mut Captures::default()).is_some();
    assert!((0..40).any(|_| is_read()));
}

#[test]
fn objects_of_several_forms_are_judged_on_the_fast_path() {
    let message = |part: &str| format!(r#"{{"type":"message","id":"m","content":[{part}]}}"#);
    for event in [
        message(r#"{"type":"text","text":"a"}"#),
        message(r#"{"text":"a","extra":[{"type":"image"}],"type":"text"}"#),
        // Faults: of the form that the object has, of the member that tells it, of what is no object.
        message(r#"{"type":"text","text":7}"#),
        message(r#"{"type":"image","source":{"kind":"url"}}"#),
        message(r#"{"type":"image"}"#),
        message(r#"{"type":7,"text":7},{"text":"a"},{},[],null"#),
        // An unknown value, and an unknown field in a form.
        message(r#"{"type":"sticker","text":7},{"type":"text","text":"a","size":1}"#),
        message(r#"{"type":"image","source":{"kind":"file","url":7}}"#),
        // Expected fields, and the same within another form.
        message(r#"{"type":"image","source":{"kind":"url","url":"u","more":1,"type":"text"},"more":1}"#),
        r#"{"type":"message","id":"m","content":null,"usage":null}"#.to_owned(),
        r#"{"type":"message","id":"m","content":7,"usage":{"output":1},"role":null}"#.to_owned(),
        r#"{"type":"message","id":"m","content":"a","usage":7,"role":7}"#.to_owned(),
        r#"{"type":"item","item":{"id":"i","kind":"speech"}}"#.to_owned(),
        r#"{"type":"item","item":{"id":"i","kind":"change","changes":[],"done":false,"version":3}}"#.to_owned(),
        r#"{"type":"item","item":{"id":"i","kind":"gesture","code":1}}"#.to_owned(),
        r#"{"type":"item","item":{"id":"i","kind":null,"changes":[{"path":"a"},{"path":1}]}}"#.to_owned(),
        r#"{"type":"end","outcome":"success"}"#.to_owned(),
        r#"{"type":"end","outcome":"failure","result":null,"shape":{"width":1},"labels":{"a":"b"}}"#.to_owned(),
    ] {
        assert_eq!(paths_agree(&UNIONS, event.as_bytes()), Ok(true), "{event}");
    }
    // What the crate must say, or what may be another word, is left to the slow path.
    for event in [
        message(r#"{"type":"te\u0078t","text":"a"}"#),
        message(r#"{"type":"image","source":{"kind":"base64","data":"?"}}"#),
        message(r#"{"type":"tool_use","id":"a","name":"n","input":{},"secret_kind":"k"}"#),
        message(r#"{"type":"text","type":"image","text":"a"}"#),
        message(r#"{"type":"text","text":"a","id":"b"}"#),
        r#"{"type":"end","outcome":"failure","result":null,"shape":{},"labels":{"a":1}}"#.to_owned(),
    ] {
        assert_eq!(paths_agree(&UNIONS, event.as_bytes()), Ok(false), "{event}");
    }
}

/// Makes a mutation: two positions, the kind of change, and a token.
fn mutation() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, u8, prop::sample::Index)> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5u8, any::<prop::sample::Index>())
}

/// Returns the number of mutants [default: 20,000]; `SESSIONLINT_MUTANTS` sets it for a long run by hand.
fn cases() -> u32 {
    std::env::var("SESSIONLINT_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000)
}

/// The number of faults is proportional to the number of bytes.
#[test]
fn the_paths_agree_on_an_event_of_many_faults() {
    for item in ["{}", "1", r#"{"ok":7,"tool_call_i":"a"}"#] {
        let items = vec![item; 3000].join(",");
        let event = format!(
            r#"{{"type":"session.tool.results","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"a","results":[{items}]}}}}"#
        );
        assert_eq!(paths_agree(&PROTOCOL, event.as_bytes()), Ok(true), "{item}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases() / 20))]
    #[test]
    fn the_paths_agree_on_any_schema(
        schema in made::schema(),
        values in prop::collection::vec(made::value(), 1..12),
    ) {
        const TABLES: &str = "name = \"made\"\nversion = \"1\"\n[event]\ntype = \"/type\"\nunknown = \"unknown-event\"\n\
            [[lifecycle]]\nname = \"state\"\nstates = [\"one\"]\n\
            [[lifecycle.row]]\non = \"made\"\ncell.else = \"=\"\n";
        let files = [("protocol.toml", TABLES.to_owned()), ("made.schema.json", made::document(schema).to_string())];
        let files = files.map(|(name, text)| (name.to_owned(), text));
        // A schema that nothing fits is refused.
        let Ok(protocol) = Protocol::from_files("made", files) else { return Ok(()) };
        let mut before = Vec::new();
        for value in values {
            let event = format!(r#"{{"type":"made","v":{value}}}"#);
            let agreed = paths_agree(&protocol, event.as_bytes());
            let (_, schema) = protocol.schemas().next().expect("there is one");
            prop_assert!(agreed.is_ok(), "{event}: {agreed:?} by {schema}");
            let earlier: Vec<_> = before.iter().map(String::as_bytes).collect();
            let alike = reads_alike(&protocol, &earlier, event.as_bytes());
            prop_assert!(alike.is_ok(), "{event} behind {before:?}: {alike:?} by {schema}");
            // Of one event nothing is learned.
            before.extend([event.clone(), event]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn the_two_paths_never_disagree(
        event in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let (protocol, event) = &EVENTS[event.index(EVENTS.len())];
        let mut text = event.clone().into_bytes();
        let mut half = text.clone();
        for (from, to, kind, token) in mutations {
            half.clone_from(&text);
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let near = to.min(from + 4);
            let token = TOKENS[token.index(TOKENS.len())].bytes();
            match kind {
                0 => drop(text.splice(from..near, token)),
                1 => drop(text.splice(from..from, token)),
                2 => drop(text.drain(from..near)),
                3 => {
                    let copy = text[from..to].to_vec();
                    drop(text.splice(to..to, copy));
                }
                _ => if let Some(byte) = text.get_mut(from) { *byte ^= 1 << (to % 8) },
            }
        }
        let agreed = paths_agree(protocol, &text);
        prop_assert!(agreed.is_ok(), "{}: {:?}", String::from_utf8_lossy(&text), agreed);
        // Templates of the event as it was, and of its neighbours among the mutants, fit no other.
        let alike = reads_alike(protocol, &[event.as_bytes(), event.as_bytes(), &half, event.as_bytes(), &half], &text);
        prop_assert!(alike.is_ok(), "{}: {:?}", String::from_utf8_lossy(&text), alike);
    }
}
