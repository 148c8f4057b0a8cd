//! The JSON Schemas of the program's own reports hold for what it prints, and say all of it.

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::program::{CLEAN, ERROR, Folder, ran};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Returns the schema that the program prints.
fn schema(form: &str) -> Value {
    let ran = Folder::new().run(&format!("schema --report {form}"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema), "{form}");
    schema
}

/// Forbids keys that a schema does not name. The published schema allows them, since a later version may add some.
fn forbid_others(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") && object.get("type") != Some(&json!("string")) {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(forbid_others);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_others),
        _ => {}
    }
}

fn strict(form: &str) -> Validator {
    let mut schema = schema(form);
    forbid_others(&mut schema);
    jsonschema::validator_for(&schema).expect("it compiles")
}

fn assert_valid(validator: &Validator, document: &Value, what: &str) {
    let errors: Vec<_> =
        validator.iter_errors(document).take(5).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// Runs that print each key of the document: their arguments, and the key that no other run has.
const RUNS: [(&str, &str); 10] = [
    ("check --stats r long missing", "stats"),
    ("check --max-line-bytes 150 r long", "incomplete"),
    ("check --only unknown-field r", "unselected"),
    ("check --baseline known.toml r/b.ndjson", "findings"),
    ("check --join r", "left_out"),
    ("check bodies.har", "bodies"),
    ("lint --verbose r", "linted"),
    ("reconcile r/turn.ndjson --records records.json", "reconciled"),
    ("tap -- cat r/b.ndjson", "summary"),
    ("check records.json", "tool"),
];

#[test]
fn the_whole_corpus_gives_documents_and_lines_that_the_schemas_allow() {
    let (document, line) = (strict("json"), strict("jsonl"));
    let folder = Folder::new();
    let report = |format: &str, options: &[&str]| {
        let mut command = folder.command(["check", "--no-config", "--format", format]);
        command.args(options).arg(corpus());
        ran(command).out
    };
    for options in [&[][..], &["--fragment"], &["--complete", "--max-streams", "1", "--max-text-bytes", "4"]] {
        let whole: Value = serde_json::from_str(&report("json", options)).expect("JSON");
        assert!(whole["findings"].as_array().is_some_and(|findings| findings.len() > 500), "{options:?}");
        assert_valid(&document, &whole, &format!("{options:?}"));
        for text in report("jsonl", options).lines() {
            assert_valid(&line, &serde_json::from_str(text).expect("JSON"), text);
        }
    }
}

#[test]
fn each_run_that_adds_keys_gives_a_document_that_the_schema_allows() {
    let document = strict("json");
    let folder = Folder::with(&[
        ("r/b.ndjson", ERROR),
        ("r/evals.jsonl", "{\"input\":1}\n"),
        ("r/turn.ndjson", CLEAN),
        ("r/page.md", "# A page\n"),
        ("long", &format!("{CLEAN}{}", CLEAN.replace("idle", &"x".repeat(200)))),
        ("bodies.har", r#"{"log":{"entries":[{"request":{},"response":{"content":{"text":"data: {}\n\n"}}}]}}"#),
        ("records.json", r#"{"session_id":"s","transcription":[],"actions":[]}"#),
    ]);
    assert_eq!(folder.run("check --write-baseline known.toml r/b.ndjson").code, 0);
    for (arguments, key) in RUNS {
        // Behind two dashes, options belong to the producer.
        let ran = folder.run(&arguments.replacen(' ', " --format json=out ", 1));
        assert!(ran.code < 3, "{arguments}: {}", ran.err);
        let text =
            std::fs::read_to_string(folder.path().join("out")).unwrap_or_else(|_| panic!("{arguments}: {}", ran.err));
        let report: Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(report[key], Value::Null, "{arguments}");
        assert_valid(&document, &report, arguments);
    }
}

#[test]
fn the_schemas_refuse_what_no_report_says() {
    let folder = Folder::with(&[("a", ERROR)]);
    let validator = strict("json");
    let edited = |edit: fn(&mut Value)| {
        let mut document = folder.json("a");
        edit(&mut document);
        validator.is_valid(&document)
    };
    assert!(edited(|_| {}));
    let edits: [fn(&mut Value); 6] = [
        |it| it["findings"][0]["severity"] = json!("fatal"),
        |it| it["findings"][0]["line"] = json!(0),
        |it| it["findings"][0]["new"] = json!(1),
        |it| it["format"] = json!(2),
        |it| it["summary"]["by_rule"]["wrong-type"] = json!("1"),
        |it| drop(it.as_object_mut().expect("a document").remove("complete")),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        assert!(!edited(edit), "edit {number}");
    }
    assert!(!strict("jsonl").is_valid(&json!({"complete": true, "incomplete": []})));
}

#[test]
fn both_schemas_have_the_same_finding_and_the_program_prints_the_files_of_the_repository() {
    let (document, line) = (schema("json"), schema("jsonl"));
    for name in ["finding", "related", "gap"] {
        assert_eq!(document["$defs"][name], line["$defs"][name], "{name}");
    }
    let of_files = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
        serde_json::from_str::<Value>(&std::fs::read_to_string(path).expect("readable")).expect("JSON")
    };
    // The number in the name is the version of the form.
    let version = &Folder::with(&[("a", CLEAN)]).json("a")["format"];
    assert_eq!(of_files(&format!("report-{version}.schema.json")), document);
    assert_eq!(of_files(&format!("report-line-{version}.schema.json")), line);
    let refused = Folder::new().run("schema --report json session.status");
    assert_eq!(refused.code, 2);
}
