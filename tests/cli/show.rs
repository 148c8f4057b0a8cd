//! `rules`, `explain` and `schema`: printing what the program knows.

use serde_json::Value;

use super::program::{Folder, keys, text};

fn all_rules() -> Vec<Value> {
    let ran = Folder::new().run("rules --format json");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    serde_json::from_str(&ran.out).expect("a list of rules")
}

#[test]
fn rules_are_listed_with_their_severities() {
    let rules = all_rules();
    for rule in &rules {
        assert_eq!(
            keys(rule),
            ["basis", "default", "dialect", "help", "means", "quotes", "reason", "rule", "says", "severity"]
        );
    }
    let severity = |name: &str| {
        let rule = rules.iter().find(|rule| rule["rule"] == name);
        text(&rule.unwrap_or_else(|| panic!("no rule {name}"))["severity"])
    };
    assert_eq!(severity("idle-missing"), "error");
    assert_eq!(severity("turn-empty"), "warning");
    assert_eq!(severity("unknown-field"), "note");

    let listed = Folder::new().run("rules").out;
    assert_eq!(listed.lines().count(), rules.len(), "one a line");
    for (line, rule) in listed.lines().zip(&rules) {
        let words: Vec<_> = line.split_whitespace().take(2).collect();
        assert_eq!(words, [text(&rule["rule"]), text(&rule["severity"])]);
    }
}

#[test]
fn severities_are_those_of_the_dialect() {
    let folder = Folder::new();
    let severity = |arguments: &str| {
        let listed = folder.run(arguments).out;
        let line = listed.lines().find(|line| line.starts_with("choice-role-again ")).expect("it is listed");
        line.split_once(' ').expect("a severity").1.trim_start().to_owned()
    };
    assert!(severity("rules --protocol openai-chat").starts_with("warning "));
    let own = severity("rules --protocol openai-chat --dialect openrouter");
    assert!(own.starts_with("off ") && own.ends_with(" (dialect openrouter)"), "{own}");
    // Only one protocol has this dialect.
    assert_eq!(severity("rules --dialect huggingface"), own.replace("openrouter", "huggingface"));
    let listed = folder.run("rules --format json --dialect huggingface").out;
    let rules: Vec<Value> = serde_json::from_str(&listed).expect("a list of rules");
    let rule = rules.iter().find(|rule| rule["rule"] == "choice-role-again").expect("it is listed");
    assert_eq!([&rule["severity"], &rule["default"], &rule["dialect"]], ["off", "warning", "huggingface"]);
    let other = rules.iter().find(|rule| rule["rule"] == "choice-unfinished").expect("it is listed");
    assert_eq!((&other["severity"], &other["dialect"]), (&other["default"], &Value::Null));
    let several = folder.run("rules --dialect openrouter");
    let words = "openai-chat and openai-responses have the dialect openrouter; name one with --protocol";
    assert!(several.code == 2 && several.err.contains(words), "{}", several.err);
    for name in ["output-not-streamed", "choice-role-again"] {
        let explained = folder.run(&format!("explain --dialect openrouter {name}")).out;
        assert!(explained.starts_with(&format!("{name} (off)\n")), "{explained}");
        assert!(explained.contains("Dialect:     off, by openrouter; without a dialect "), "{explained}");
    }
    assert!(!folder.run("explain choice-role-again").out.contains("Dialect:"));
    let without = folder.run("explain --dialect openrouter block-unfinished");
    let words =
        "the dialect openrouter does not hold here: all that was read is of anthropic-messages, which has no such";
    assert!(without.code == 2 && without.err.contains(words), "{} {}", without.code, without.err);
    assert!(without.out.starts_with("block-unfinished "), "{}", without.out);
    let configured = Folder::with(&[("sessionlint.toml", "version = 1\ndialect = \"openrouter\"\n")]);
    let explained = configured.run("explain block-unfinished");
    assert_eq!((explained.code, explained.err.as_str()), (0, ""), "the file is about its recordings");
}

#[test]
fn without_a_protocol_the_first_named_one_counts_and_explain_knows_all_built_in() {
    let chat = Folder::with(&[("sessionlint.toml", "version = 1\nprotocol = [\"openai-chat\", \"session-events\"]\n")]);
    assert!(chat.run("rules").out.contains("choice-unfinished "));
    assert!(chat.run("schema").out.starts_with("chat.completion.chunk "));
    assert!(!Folder::new().run("rules").out.contains("choice-unfinished "));
    for command in ["rules", "schema", "graph", "generate", "reconcile"] {
        let help: String = chat.run(&format!("{command} --help")).out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("[default: the first one in sessionlint.toml, or else session-events]"), "{help}");
    }
    for folder in [&chat, &Folder::new()] {
        let explained = folder.run("explain block-unfinished");
        assert!(explained.code == 0 && explained.out.contains("--protocol anthropic-messages"), "{}", explained.err);
    }
    assert_eq!(chat.run("explain --protocol openai-chat block-unfinished").code, 2, "it is not one of that protocol");
}

#[test]
fn a_type_is_searched_in_all_protocols_of_a_run() {
    let folder = Folder::new();
    for (name, own) in [("content_block_start", "anthropic-messages"), ("session.status", "session-events")] {
        let named = folder.run(&format!("schema --protocol {own} {name}"));
        assert!(named.code == 0 && named.out.starts_with('{'), "{}", named.err);
        assert_eq!(folder.run(&format!("schema {name}")).out, named.out);
        let plan = folder.run(&format!("schema --plan {name}"));
        assert!(plan.code == 0 && plan.out.starts_with(&format!("{name} takes the ")), "{}{}", plan.out, plan.err);
    }
    let several = folder.run("schema error");
    let words = "anthropic-messages, openai-chat and openai-responses have the type error; name one with --protocol";
    assert!(several.code == 2 && several.out.is_empty() && several.err.contains(words), "{}", several.err);
    let near = folder.run("schema content_block_starts");
    assert!(near.code == 2 && near.err.contains("did you mean content_block_start?"), "{}", near.err);
    let chat = Folder::with(&[("sessionlint.toml", "version = 1\nprotocol = [\"openai-chat\", \"session-events\"]\n")]);
    assert_eq!(chat.run("schema error").out, folder.run("schema error --protocol openai-chat").out);
    assert_eq!(chat.run("schema content_block_start").code, 2, "it is of no protocol of the file");
}

#[test]
fn every_rule_is_explained_with_an_example_that_breaks_it_and_one_that_keeps_it() {
    let folder = Folder::new();
    for rule in all_rules() {
        let name = text(&rule["rule"]);
        let ran = folder.run(&format!("explain {name}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "explain {name}");
        let title = format!("{name} ({})\n", text(&rule["severity"]));
        assert!(ran.out.starts_with(&title), "{}", ran.out);
        assert!(ran.out.contains(text(&rule["help"])), "{name} says what to do\n{}", ran.out);
        for quote in rule["quotes"].as_array().expect("a list") {
            // Within its quotation marks, those of the document are single ones.
            let quoted = format!("“{}”", text(quote).replace('“', "‘").replace('”', "’"));
            assert!(ran.out.contains(&quoted), "{name} quotes the document\n{}", ran.out);
        }
        if rule["basis"] == "upkeep" || name == "unknown-value" {
            // No recording of a built-in protocol can break this rule.
            continue;
        }
        let breaks = ran.out.find("\nThis breaks it").unwrap_or_else(|| panic!("explain {name}\n{}", ran.out));
        let keeps = ran.out.find("\nThis keeps it").unwrap_or_else(|| panic!("explain {name}\n{}", ran.out));
        assert!(breaks < keeps);
    }
}

#[test]
fn the_examples_of_an_explanation_do_what_it_says() {
    let folder = Folder::new();
    let explained = folder.run("explain turn-not-ended").out;
    let (_, rest) = explained.split_once("\nThis breaks it:\n").expect("an example");
    let (breaks, rest) = rest.split_once("\n\nThis keeps it:\n").expect("another");
    let (keeps, _) = rest.split_once("\n\n").expect("an end");
    folder.write("breaks", breaks.replace("\n  ", "\n").trim_start());
    folder.write("keeps", keeps.replace("\n  ", "\n").trim_start());
    let document = folder.json("breaks");
    assert_eq!(super::program::rules(&document), ["turn-not-ended"]);
    assert_eq!(folder.run("check --fail-on note keeps").code, 0);
}

#[test]
fn the_try_it_line_names_the_options_that_the_example_needs() {
    let ran = Folder::new().run("explain line-too-long");
    let (_, example) = ran.out.split_once("This breaks it, with ").expect("an example with an option");
    let (option, _) = example.split_once(':').expect("a colon");
    let try_it = ran.out.lines().last().unwrap_or_default();
    assert!(option.starts_with("--max-line-bytes ") && try_it.contains(option), "{}", ran.out);
}

#[test]
fn a_misspelt_rule_is_answered_with_the_nearest() {
    let folder = Folder::new();
    let ran = folder.run("explain idle-mising");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: there is no rule idle-mising; did you mean idle-missing?\n");
}

#[test]
fn schema_lists_the_nine_event_types_of_the_document() {
    let ran = Folder::new().run("schema");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let listed: Vec<_> = ran.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut expected = [
        "session.status",
        "session.message.appended",
        "session.stream.chunk",
        "session.tool.call.started",
        "session.tool.call.completed",
        "session.tool.results",
        "session.completed",
        "session.interrupted",
        "session.error",
    ];
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert!(ran.out.lines().all(|line| line.split_whitespace().count() > 3), "each with a few words\n{}", ran.out);
}

#[test]
fn schema_prints_the_schema_of_a_type() {
    let folder = Folder::new();
    let ran = folder.run("schema session.status");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let payload = &schema["properties"]["payload"];
    assert_eq!(payload["properties"]["pending"]["type"], "boolean");
    let mut required: Vec<_> = payload["required"].as_array().expect("a list").iter().map(text).collect();
    required.sort_unstable();
    assert_eq!(required, ["pending", "session_id", "status_label"]);

    let ran = folder.run("schema session.state");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: there is no event type session.state; did you mean session.status?\n");
}

#[test]
fn completions_know_the_commands_and_options() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = folder.run(&format!("completions {shell}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        for word in ["sessionlint", "check", "explain", "max-findings"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(folder.run("completions tcsh").code, 2);
}

#[test]
fn a_rule_that_several_protocols_have_otherwise_says_so() {
    let ran = Folder::new().run("explain call-id-twice");
    let other = "\nopenai-chat and openai-responses have other rules of this name, which --protocol NAME explains.\n";
    assert!(ran.out.ends_with(other), "{}", ran.out);
    let ran = Folder::new().run("explain call-id-twice --protocol openai-responses");
    assert!(ran.out.contains("two calls of a response") && !ran.out.contains("of this name"), "{}", ran.out);
    assert!(!Folder::new().run("explain invalid-json").out.contains("of this name"), "all say the same");
}
