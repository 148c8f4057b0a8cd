//! Dialects: what a provider writes otherwise is no finding in its dialect, and a finding names the dialects that explain it.

use sessionlint_core::protocol::LazyProtocol;
use sessionlint_core::{Options, Protocol, ProtocolError, Report, check};

fn chat() -> &'static Protocol {
    Protocol::builtin("openai-chat").expect("it is built in")
}

fn rules(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| &*finding.rule).collect()
}

fn chunk(rest: &str) -> String {
    format!("data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",{rest}}}\n\n")
}

/// A stream that ends as those of OpenRouter do: the chunk with usage has a choice, with its role and its finish reason.
fn like_openrouter() -> String {
    let first = chunk(r#""choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]"#);
    let last = chunk(r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]"#);
    let usage = chunk(
        r#""choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#,
    );
    [&first, &last, &usage, "data: [DONE]\n\n"].concat()
}

#[test]
fn a_rule_that_is_off_in_a_dialect_finds_nothing_there() {
    let stream = like_openrouter();
    let report = check(chat(), stream.as_bytes(), Options::default());
    assert_eq!(rules(&report), ["choice-role-again", "usage-with-choices"]);
    let own = chat().in_dialect("openrouter").expect("there is one").expect("it has no mistakes");
    assert_eq!(rules(&check(&own, stream.as_bytes(), Options::default())), Vec::<&str>::new());
    // A setting of the caller's counts for more.
    let on = Options::default().with_rule(&own, "usage-with-choices", Some(sessionlint_core::Severity::Error));
    assert_eq!(rules(&check(&own, stream.as_bytes(), on.expect("the rule exists"))), ["usage-with-choices"]);
}

#[test]
fn a_finding_names_the_dialects_that_explain_it() {
    let report = check(chat(), like_openrouter().as_bytes(), Options::default());
    let help = |number: usize| report.findings[number].help.as_deref().unwrap_or_default();
    assert!(
        help(1).ends_with(
            ". If the stream comes from a known provider, such as Cerebras, Cline or DeepSeek, name the provider with --dialect"
        ),
        "{}",
        help(1)
    );
    assert!(
        help(0)
            .contains(". If the stream comes from a known provider, such as Hugging Face, OpenRouter or Perplexity, "),
        "{}",
        help(0)
    );
    let own = chat().in_dialect("xai").expect("there is one").expect("it has no mistakes");
    let report = check(&own, like_openrouter().as_bytes(), Options::default());
    assert!(report.findings.iter().all(|finding| finding.help.is_none()), "a dialect was chosen: {report:?}");
}

#[test]
fn a_schema_of_a_dialect_replaces_the_protocols() {
    let parts = r#""choices":[{"index":0,"delta":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},"finish_reason":null}]"#;
    let last = chunk(r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]"#);
    let stream = [&chunk(parts), &last, "data: [DONE]\n\n"].concat();
    let report = check(chat(), stream.as_bytes(), Options::default());
    assert_eq!(rules(&report), ["wrong-type"]);
    let help = report.findings[0].help.as_deref().unwrap_or_default();
    assert!(help.ends_with(". If the stream comes from Mistral, use --dialect mistral"), "{help}");
    let own = chat().in_dialect("mistral").expect("there is one").expect("it has no mistakes");
    assert_eq!(rules(&check(&own, stream.as_bytes(), Options::default())), Vec::<&str>::new());
    // What the dialect says of other things explains nothing: it demands a delta, and allows no such index, either.
    for (choices, rule) in [
        (r#""choices":[{"index":0,"finish_reason":null}]"#, "missing-field"),
        (
            r#""choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":-1,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null}]"#,
            "wrong-value",
        ),
        // Nor does what it says of something further inside.
        (r#""choices":null"#, "wrong-type"),
    ] {
        let report = check(chat(), chunk(choices).as_bytes(), Options::default());
        let found = report.findings.iter().find(|finding| &*finding.rule == rule).expect("it is found");
        assert!(!found.help.as_deref().unwrap_or_default().contains("Mistral"), "{found:?}");
    }
}

#[test]
fn every_dialect_of_every_built_in_protocol_compiles() {
    for protocol in LazyProtocol::builtin_streams().iter() {
        for dialect in protocol.get().dialects() {
            let own = protocol.in_dialect(&dialect.name).expect("it is listed");
            assert!(own.is_ok(), "{} of {}: {:?}", dialect.name, protocol.name(), own.err());
        }
    }
    assert!(chat().in_dialect("nobody").is_none());
}

const PROTOCOL: &str = r#"
name = "p"
version = "1"

[event]
type = "/type"
unknown = "unknown-event"

"#;
const SCHEMA: &str =
    r#"{"type":"object","required":["type"],"properties":{"type":{"const":"a"},"n":{"type":"integer"}}}"#;

/// Loads a folder with these tables and schemas of dialects. Returns its mistakes: file, line and message.
fn mistakes(tables: &str, schemas: &[(&str, &str)]) -> Vec<(String, u64, String)> {
    let files = [("protocol.toml", format!("{PROTOCOL}{tables}")), ("a.schema.json", SCHEMA.to_owned())];
    let own = schemas.iter().map(|(name, text)| (*name, (*text).to_owned()));
    let problems = |error: ProtocolError| -> Vec<_> {
        error.problems().iter().map(|one| (one.file().to_owned(), one.line(), one.message().to_owned())).collect()
    };
    Protocol::from_files("p", files.into_iter().chain(own)).err().map(problems).unwrap_or_default()
}

#[test]
fn mistakes_of_dialects_are_told_at_their_places() {
    let told = |file: &str, line: u64, message: &str| vec![(file.to_owned(), line, message.to_owned())];
    assert_eq!(mistakes("[dialect.x]\ntitle = \"X\"\nrules = { unknown-event = \"off\" }\n", &[]), []);
    assert_eq!(
        mistakes("[dialect.x]\ntitle = \"X\"\n", &[]),
        told("p/protocol.toml", 9, "the dialect x changes nothing")
    );
    assert_eq!(
        mistakes("[dialect.x]\ntitle = \"X\"\nrules = { unknown-events = \"off\" }\n", &[]),
        told("p/protocol.toml", 11, "there is no rule unknown-events")
    );
    assert_eq!(
        mistakes("[dialect.\"x y\"]\ntitle = \"X\"\nrules = { unknown-event = \"off\" }\n", &[]),
        told("p/protocol.toml", 9, "\"x y\" cannot be the name of a dialect")
    );
    let own = ("dialects/x/a.schema.json", SCHEMA);
    assert_eq!(mistakes("[dialect.x]\ntitle = \"X\"\n", &[own]), []);
    assert_eq!(
        mistakes("", &[own]),
        told("p/protocol.toml", 1, "the folder dialects/x has schemas, but there is no dialect of that name")
    );
    let broken =
        ("dialects/x/a.schema.json", r#"{"type":"object","properties":{"type":{"const":"a"},"n":{"type":"whole"}}}"#);
    let found = mistakes("[dialect.x]\ntitle = \"X\"\n", &[broken]);
    assert_eq!(
        found.iter().map(|(file, ..)| file.as_str()).collect::<Vec<_>>(),
        ["p/dialects/x/a.schema.json"],
        "{found:?}"
    );
}
