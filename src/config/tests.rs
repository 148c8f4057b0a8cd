//! The template of `sessionlint init`, the JSON Schema, and the program's reader agree with each other.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use sessionlint_core::protocol::Protocol;

use super::file::{KEYS, OVERRIDE_KEYS, RULE_KEYS};
use super::*;

/// Returns the template with every key switched on.
fn switched_on() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') && !key.is_empty() => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    TEMPLATE.lines().map(line).collect()
}

fn read(text: &str) -> Result<Config, FileError> {
    file::read(Path::new(NAME), text)
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

/// Returns whether a TOML text fits the schema.
fn fits(text: &str) -> bool {
    let value: Value = toml::from_str(text).expect("TOML");
    jsonschema::validator_for(&schema()).expect("a schema").is_valid(&value)
}

/// Returns the messages about the mistakes in a text, each with the word at its place.
fn mistakes(text: &str) -> Vec<(String, String)> {
    let Err(FileError::Wrong { problems, .. }) = read(text) else { panic!("{text} is fine") };
    let at = |offset: usize| text[offset..].split(['\n', ' ', '=', ']']).next().unwrap_or_default().to_owned();
    problems.iter().map(|problem| (problem.to_string(), at(problem.offset))).collect()
}

#[test]
fn the_template_loads_as_it_is_and_says_nothing() {
    let config = read(TEMPLATE).expect("it is right");
    assert!(config.protocols.is_empty() && config.fail_on.is_none() && config.baseline.is_none());
    assert!(config.rules.is_empty() && config.overrides.is_empty());
    assert!(fits(TEMPLATE));
}

#[test]
fn the_template_has_every_key_and_loads_with_all_of_them() {
    let text = switched_on();
    let config = read(&text).expect("it is right");
    config
        .check_rules(Rulebook::of(Protocol::builtin("session-events").expect("it is built in")))
        .expect("its rules are known");
    assert!(fits(&text));
    let table: toml::Table = toml::from_str(&text).expect("TOML");
    let keys = |table: &toml::Table| table.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(&table), KEYS.map(str::to_owned).into());
    let first = table["override"][0].as_table().expect("a table");
    assert_eq!(keys(first), OVERRIDE_KEYS.map(str::to_owned).into());
    let rule = table["rules"]["unknown-field"].as_table().expect("a table");
    assert_eq!(keys(rule), RULE_KEYS.map(str::to_owned).into());
}

#[test]
fn the_schema_has_the_words_of_the_program() {
    let schema = schema();
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let one_override = &schema["properties"]["override"]["items"]["properties"];
    assert_eq!(keys(&schema["properties"]), KEYS.map(str::to_owned).into());
    assert_eq!(keys(one_override), OVERRIDE_KEYS.map(str::to_owned).into());
    let rule = &schema["$defs"]["rules"]["additionalProperties"]["anyOf"][1]["properties"];
    assert_eq!(keys(rule), RULE_KEYS.map(str::to_owned).into());
    assert_eq!(schema["$defs"]["severity"]["enum"], json!(SEVERITIES.map(|(word, _)| word)));
    assert_eq!(schema["properties"]["fail-on"]["enum"], json!(FAIL_ON.map(|(word, _)| word)));
    assert_eq!(one_override["wire"]["enum"], json!(Wire::ALL.map(|(word, _)| word)));
    assert_eq!(schema["properties"]["version"]["const"], json!(VERSION));
}

#[test]
fn the_schema_and_the_program_refuse_the_same() {
    for wrong in [
        "",
        "version = 2",
        "version = \"1\"",
        "version = 1\nprotcol = \"x\"",
        "version = 1\nprotocol = 1",
        "version = 1\nprotocol = \"\"",
        "version = 1\nfail-on = \"off\"",
        "version = 1\nexclude = \"x\"",
        "version = 1\nexclude = [1]",
        "version = 1\nrules = []",
        "version = 1\nrules.x = \"never\"",
        "version = 1\nrules.x = true",
        "version = 1\nrules.x = { reason = \"y\" }",
        "version = 1\nrules.x = { severity = \"note\", why = \"y\" }",
        "version = 1\nrules.x = { severity = \"note\", reason = 1 }",
        "version = 1\noverride = { files = [\"x\"] }",
        "version = 1\n[[override]]",
        "version = 1\n[[override]]\nfiles = []",
        "version = 1\n[[override]]\nfiles = [\"x\"]",
        "version = 1\n[[override]]\nfiles = [\"x\"]\nfragment = \"yes\"",
        "version = 1\n[[override]]\nfiles = [\"x\"]\nwire = \"morse\"",
        "version = 1\n[[override]]\nfiles = [\"x\"]\nfail-on = \"note\"",
    ] {
        assert!(read(wrong).is_err(), "the program takes {wrong:?}");
        assert!(!fits(wrong), "the schema takes {wrong:?}");
    }
}

#[test]
fn every_mistake_is_told_at_its_place() {
    let text = "version = 1\nprotcol = \"x\"\nfail-on = \"erorr\"\nexclude = [\"a[\"]\n[rules]\nx = 5\n\
                [[override]]\nfiles = [\"y\"]\nfragmnet = true\n";
    let expected = [
        ("there is no key `protcol` here", "protcol"),
        ("`fail-on` cannot be \"erorr\"", "\"erorr\""),
        ("\"a[\" is not a valid pattern: unclosed character class", "\"a[\""),
        ("`x` must be a string, but is of the type integer", "5"),
        ("there is no key `fragmnet` here", "fragmnet"),
    ];
    let found = mistakes(text);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((message, at), (words, place)) in found.iter().zip(expected) {
        assert!(message.starts_with(words), "{message}");
        assert_eq!(at, place, "{message}");
    }
}

#[test]
fn an_exception_from_nothing_is_a_mistake() {
    let found = mistakes("version = 1\nexclude = [\"!keep.log\", \"*.log\"]\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.starts_with("\"!keep.log\" is an exception to nothing"), "{found:?}");
    assert!(read("version = 1\nexclude = [\"*.log\", \"!keep.log\"]\n").is_ok());
}

#[test]
fn a_rule_that_the_protocol_lacks_is_told_wherever_it_stands() {
    let text =
        "version = 1\nrules.idle-mising = \"off\"\n[[override]]\nfiles = [\"x\"]\nrules.nothing-like-it = \"off\"\n";
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let refused = read(text).expect("by itself it is right").check_rules(Rulebook::of(protocol));
    let Err(FileError::Wrong { problems, .. }) = refused else { panic!("it has no such rules") };
    let offsets: Vec<_> = problems.iter().map(|problem| problem.offset).collect();
    assert_eq!(offsets, [text.find("idle-").expect("there"), text.find("nothing-").expect("there")]);
}

#[test]
fn later_overrides_win_key_by_key_and_what_is_given_wins_over_all() {
    let text = "version = 1\nrules.a = \"note\"\nrules.b = \"note\"\nrules.c = \"note\"\n\
        [[override]]\nfiles = [\"x\"]\nfragment = true\nwire = \"sse\"\nrules.b = \"off\"\nrules.c = \"off\"\n\
        [[override]]\nfiles = [\"x\"]\nwire = \"json\"\nrules.c = \"error\"\n";
    let config = read(text).expect("it is right");
    let severities = |options: &Options| ["a", "b", "c"].map(|rule| options.severities().get(rule).copied());
    let (note, off, error) = (Some(Some(Severity::Note)), Some(None), Some(Some(Severity::Error)));

    let none = config.merge(&Options::default(), &[]);
    assert_eq!((none.fragment(), none.wire(), severities(&none)), (false, None, [note, note, note]));
    let both = config.merge(&Options::default(), &[0, 1]);
    assert_eq!((both.fragment(), both.wire(), severities(&both)), (true, Some(Wire::Json), [note, off, error]));
    let given = Options::default().with_wire(Some(Wire::Ndjson)).with_severities([("c".to_owned(), None)]);
    let all = config.merge(&given, &[0, 1]);
    assert_eq!((all.fragment(), all.wire(), severities(&all)), (true, Some(Wire::Ndjson), [note, off, off]));
}
