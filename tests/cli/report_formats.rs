//! The formats for other tools: they agree with each other, and conform to their schemas.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::every_format::every_format;
use super::program::{CLEAN, ERROR, Folder, NOTE, OPEN, WARNING, event, text};
use super::said::{
    SARIF_SCHEMA, Said, array, assert_is_sarif, junit_lines, of_github, of_gitlab, of_json, of_junit, of_markdown,
    of_rdjson, of_sarif, of_short, parsed, said,
};

#[test]
fn every_format_says_the_same() {
    // In CLEAN, there are 98 characters before the value of `pending`. `false,"status_label":` has 21, and `"idle"` and
    // a comma 7.
    assert_eq!(CLEAN.find("false"), Some(98));
    let folder = Folder::with(&[
        ("a b.log", &[CLEAN, ERROR, WARNING, NOTE, "{broken\n"].concat()),
        ("logs/empty.log", ""),
        ("logs/fine.log", CLEAN),
    ]);
    fs::create_dir(folder.path().join("o")).expect("writable");
    let formats = every_format().into_iter().map(|format| format!("--format={format}=o/{format}"));
    let mut command = folder.command(["check".to_owned()].into_iter().chain(formats));
    command.args(["./a b.log", "logs/empty.log", "logs/fine.log"]);
    let ran = super::program::ran(command);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));

    let file = "a b.log";
    let expected = vec![
        said(file, 2, 99, "error", "wrong-type"),
        said(file, 3, 120, "warning", "label-contradicts-pending"),
        said(file, 4, 127, "note", "unknown-field"),
        said(file, 5, 2, "error", "invalid-json"),
        said("logs/empty.log", 1, 1, "error", "empty-input"),
    ];
    let renamed = |name: &str, said: &[Said]| -> Vec<Said> {
        said.iter()
            .cloned()
            .map(|said| if said.0 == file { (name.to_owned(), said.1, said.2, said.3, said.4) } else { said })
            .collect()
    };
    let read = |name: &str| fs::read_to_string(folder.path().join("o").join(name)).expect("the report is there");
    // In the formats that are compared with the paths of a repository, no path begins with a dot.
    let as_given = renamed("./a b.log", &expected);
    let without_columns: Vec<_> = expected.iter().cloned().map(|said| (said.0, said.1, 0, said.3, said.4)).collect();
    let sorted = |said: Vec<Said>| said.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    for format in every_format() {
        let report = read(&format);
        let (found, expected) = match format.as_str() {
            "json" => (of_json(array(&parsed(&folder, "o/json")["findings"])), as_given.clone()),
            "jsonl" => {
                let lines: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
                (of_json(&lines), as_given.clone())
            }
            "sarif" => (of_sarif(&parsed(&folder, "o/sarif")), renamed("a%20b.log", &expected)),
            "github" => (of_github(&report), expected.clone()),
            "gitlab" => (of_gitlab(&parsed(&folder, "o/gitlab")), without_columns.clone()),
            "rdjson" => (of_rdjson(&parsed(&folder, "o/rdjson")), without_columns.clone()),
            "markdown" => (of_markdown(&report), as_given.clone()),
            "short" | "agent" => (of_short(&report), as_given.clone()),
            // In JUnit, the findings of a stream are together.
            "junit" => (sorted(junit_lines(&report)), sorted(as_given.clone())),
            "human" => {
                for (name, line, column, _, rule) in &as_given {
                    assert!(report.contains(&format!("[{rule}]")), "{report}");
                    assert!(report.contains(&format!("{name}:{line}:{column}")), "{report}");
                }
                continue;
            }
            other => panic!("nothing reads a report in the format {other}: add a reader to tests/cli/said.rs"),
        };
        assert_eq!(found, expected, "{format}");
    }
}

#[test]
fn a_report_shows_the_source_text_if_its_format_does_whatever_the_others_do() {
    let folder = Folder::with(&[("a", ERROR)]);
    let alone = folder.run("check a");
    assert!(alone.out.contains("\"pending\":\"no\""), "{}", alone.out);
    let together = folder.run("check --format jsonl --format human=human --format sarif=sarif a");
    assert_eq!(fs::read_to_string(folder.path().join("human")).expect("written"), alone.out);
    assert_eq!(together.out, folder.run("check --format jsonl a").out);
}

#[test]
fn a_document_that_is_not_sarif_is_not_taken_for_it() {
    let wrong =
        json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"level": "bad"}]}]});
    // A level that does not exist, and no message.
    assert_eq!(SARIF_SCHEMA.iter_errors(&wrong).count(), 2);
}

#[test]
fn sarif_keeps_to_its_published_schema() {
    let folder = Folder::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events");
    let mut command = folder.command(["check", "--no-config", "--format=sarif", "--max-findings=200", "missing"]);
    command.arg(&corpus);
    let ran = super::program::ran(command);
    assert_eq!(ran.code, 2, "something is missing");
    let document: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_is_sarif(&document);
    let run = &document["runs"][0];
    assert_eq!(array(&run["results"]).len(), 200);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let told: Vec<_> =
        array(&invocation["toolExecutionNotifications"]).iter().map(|note| text(&note["level"])).collect();
    assert_eq!(told[..3], ["error", "note", "warning"], "what is missing, what is not shown, and that this is not all");
    // The corpus has files that are no streams, so that a search of the folder passes them over, and counts them.
    let (last, passed_over) = told[3..].split_last().expect("the count");
    assert!(*last == "note" && !passed_over.is_empty(), "{told:?}");
    assert!(passed_over.iter().all(|level| *level == "warning"), "{told:?}");
    assert_eq!(invocation["properties"]["complete"], false);

    folder.write("clean", CLEAN);
    let document: Value = serde_json::from_str(&folder.run("check --format sarif clean").out).expect("JSON");
    assert_is_sarif(&document);
    let run = &document["runs"][0];
    assert_eq!(run["results"], json!([]));
    let invocation =
        json!({"executionSuccessful": true, "toolExecutionNotifications": [], "properties": {"complete": true}});
    assert_eq!(run["invocations"], json!([invocation]));
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    // Every rule that the run could have reported, by whichever protocol, with its text and its quotes.
    let rules = array(&run["tool"]["driver"]["rules"]);
    let named: BTreeSet<_> = rules.iter().map(|rule| text(&rule["id"]).to_owned()).collect();
    let of_protocol = |protocol: &str| -> Vec<String> {
        let listed = folder.run(&format!("rules --format json --protocol {protocol}")).out;
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        array(&listed).iter().map(|rule| text(&rule["rule"]).to_owned()).collect()
    };
    let listed: BTreeSet<_> =
        ["session-events", "session-records", "anthropic-messages", "openai-chat", "openai-responses"]
            .into_iter()
            .flat_map(of_protocol)
            .collect();
    assert_eq!(named, listed);
    assert_eq!(rules.len(), named.len(), "each once");
    let idle = rules.iter().find(|rule| rule["id"] == "idle-missing").expect("it is a rule");
    assert_eq!(idle["defaultConfiguration"], json!({"level": "error"}));
    assert!(text(&idle["help"]["text"]).contains("“8. session.status - Status changes to “idle”” — Session events"));
}

#[test]
fn sarif_has_the_places_that_explain_and_the_same_bytes_as_json() {
    let chunk = event("session.stream.chunk", r#"{"session_id":"s","text":"Hi","done":true}"#);
    let folder = Folder::with(&[("a", &format!("{OPEN}{chunk}{CLEAN}"))]);
    let document: Value = serde_json::from_str(&folder.run("check --format sarif a").out).expect("JSON");
    let result = &document["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "turn-not-ended");
    let related = &result["relatedLocations"][0];
    assert_eq!(related["message"], json!({"text": "the turn began here"}));
    // The whole first event, without its line end, all of which an excerpt shows only if it is short.
    let mut region = related["physicalLocation"]["region"].clone();
    let (end_line, end_column) = (region["endLine"].take(), region["endColumn"].take());
    assert_eq!(end_line.is_null(), end_column.is_null());
    for (key, value) in [("startLine", 1), ("startColumn", 1), ("byteOffset", 0), ("byteLength", OPEN.len() - 1)] {
        assert_eq!(region[key], value, "{key}");
    }
    assert_eq!(related["physicalLocation"]["artifactLocation"], json!({"uri": "a"}));
    // The value `false` of the last event.
    let region = &result["locations"][0]["physicalLocation"]["region"];
    let start = OPEN.len() + chunk.len() + 98;
    let end = json!({"startLine": 3, "startColumn": 99, "endLine": 3, "endColumn": 104, "byteOffset": start, "byteLength": 5});
    assert_eq!(region, &end);
    assert_eq!(
        result["properties"],
        json!({"type": "session.status", "stream": "s", "pointer": "/payload/pending", "event": 2})
    );
}

#[test]
fn sarif_says_where_a_region_ends_in_characters_and_only_where_it_knows() {
    // The value is a string of three characters, é and an emoji among them, in quotes.
    let odd = ERROR.replace(r#""no""#, "\"né🙂\"");
    // This one is a list over two lines, of which an excerpt has the first.
    let over_lines = ERROR.replace(r#""no""#, "[1,\n2]");
    let folder = Folder::with(&[("odd", &odd), ("lines.json", &over_lines)]);
    let region = |file: &str| {
        let document: Value =
            serde_json::from_str(&folder.run(&format!("check --format sarif {file}")).out).expect("JSON");
        assert_is_sarif(&document);
        document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].clone()
    };
    let odd = region("odd");
    assert_eq!((&odd["startColumn"], &odd["endLine"], &odd["endColumn"]), (&json!(99), &json!(1), &json!(104)));
    assert_eq!(odd["byteLength"], 9);
    let lines = region("lines.json");
    assert_eq!((&lines["startLine"], &lines["startColumn"], &lines["byteLength"]), (&json!(1), &json!(99), &json!(6)));
    assert_eq!((&lines["endLine"], &lines["endColumn"]), (&Value::Null, &Value::Null));
}

#[test]
fn rules_lead_to_their_pages_if_the_protocol_has_an_address_for_them() {
    let folder = Folder::with(&[("a", ERROR)]);
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/session-events");
    for file in fs::read_dir(schemas).expect("it is there") {
        let file = file.expect("readable");
        folder.write(Path::new("p").join(file.file_name()), fs::read(file.path()).expect("readable"));
    }
    let document = |format: &str| -> Value {
        serde_json::from_str(&folder.run(&format!("check --protocol p --format {format} a")).out).expect("JSON")
    };
    let rules = |sarif: &Value| array(&sarif["runs"][0]["tool"]["driver"]["rules"]).to_vec();
    assert!(rules(&document("sarif")).iter().all(|rule| rule["helpUri"].is_null()));
    assert_eq!(document("rdjson")["diagnostics"][0]["code"], json!({"value": "wrong-type"}));

    let tables = fs::read_to_string(folder.path().join("p/protocol.toml")).expect("readable");
    folder.write("p/protocol.toml", format!("rule-pages = \"https://example.com/rules?v=1&rule=\"\n{tables}"));
    let sarif = document("sarif");
    assert_is_sarif(&sarif);
    for rule in rules(&sarif) {
        assert_eq!(rule["helpUri"], format!("https://example.com/rules?v=1&rule={}", text(&rule["id"])));
    }
    let code = json!({"value": "wrong-type", "url": "https://example.com/rules?v=1&rule=wrong-type"});
    assert_eq!(document("rdjson")["diagnostics"][0]["code"], code);
}

#[test]
fn rdjson_has_the_keys_of_its_published_schema() {
    let folder = Folder::with(&[("./a", ERROR), ("clean", CLEAN)]);
    let document: Value = serde_json::from_str(&folder.run("check --format rdjson ./a").out).expect("JSON");
    let diagnostic = &document["diagnostics"][0];
    let help = folder.run("explain wrong-type").out;
    let (_, help) = help.split_once("What to do:  ").expect("the help");
    let message = "`` `payload.pending` must be a boolean, but is the string \"no\" ``";
    let (first, second) = text(&diagnostic["message"]).split_once("\n\n").expect("a message and help");
    assert_eq!(first, message);
    assert!(help.starts_with(&second.replace("&#96;", "`")), "{second}");
    assert_eq!(diagnostic["location"], json!({"path": "a", "range": {"start": {"line": 1}}}));
    assert_eq!((&diagnostic["severity"], &document["source"]), (&json!("ERROR"), &json!({"name": "sessionlint"})));
    let clean: Value = serde_json::from_str(&folder.run("check --format rdjson clean").out).expect("JSON");
    assert_eq!(clean, json!({"source": {"name": "sessionlint"}, "diagnostics": []}));
}

#[test]
fn fingerprints_stay_when_lines_move_and_none_is_there_twice() {
    let one = [ERROR, ERROR, WARNING, NOTE].concat();
    let moved = [CLEAN, "\n", &CLEAN.replace("idle", "ready"), ERROR, CLEAN, ERROR, WARNING, NOTE]
        .concat()
        .replace("\"s\"", "\"other\"");
    let prints = |recording: &str| {
        let folder = Folder::with(&[("a", recording)]);
        let ran = folder.run("check --format gitlab --format sarif=sarif a");
        let issues: Value = serde_json::from_str(&ran.out).expect("JSON");
        let issues: Vec<_> = array(&issues).iter().map(|issue| text(&issue["fingerprint"]).to_owned()).collect();
        let sarif = parsed(&folder, "sarif");
        let of_result = |result: &Value| text(&result["partialFingerprints"]["finding/v1"]).to_owned();
        assert_eq!(issues, array(&sarif["runs"][0]["results"]).iter().map(of_result).collect::<Vec<_>>());
        issues
    };
    let first = prints(&one);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(first, prints(&moved));
}

/// The stream of a protocol without names is the file's, and has the file's findings.
#[test]
fn junit_says_of_no_stream_without_a_name_that_it_has_no_findings() {
    let start = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#;
    let folder = Folder::with(&[("a", &format!("{start}\n"))]);
    let ran = folder.run("check --format junit a");
    let cases = vec![("(file)".to_owned(), "failure")];
    assert_eq!(of_junit(&ran.out), [("a".to_owned(), cases)], "{}", ran.out);
}

#[test]
fn junit_has_a_suite_for_each_file_and_a_case_for_each_stream() {
    let of = |line: &str, stream: &str| line.replace("\"s\"", &format!("\"{stream}\""));
    let chunk = event("session.stream.chunk", r#"{"session_id":"long","text":"Hello","done":true}"#);
    let done = event("session.completed", r#"{"session_id":"long","final_message":"Bye"}"#);
    let long = [of(OPEN, "long"), chunk, done, of(CLEAN, "long")].concat();
    let folder = Folder::with(&[
        ("a", &[&of(ERROR, "bad"), &of(NOTE, "noted"), CLEAN, &of(CLEAN, "t"), "{broken\n"].concat()),
        ("b", &long),
        ("c", CLEAN),
        ("d", ""),
    ]);
    let ran = folder.run("check --format junit --max-text-bytes 4 a b c d missing");
    assert_eq!(ran.code, 2);
    let case = |name: &str, outcome| (name.to_owned(), outcome);
    assert_eq!(
        of_junit(&ran.out),
        [
            (
                "a".to_owned(),
                vec![
                    case("bad", "failure"),
                    case("noted", "passed"),
                    case("(file)", "failure"),
                    case("(every other stream)", "passed")
                ]
            ),
            ("b".to_owned(), vec![case("long (check-skipped)", "skipped"), case("long", "passed")]),
            ("c".to_owned(), vec![case("(every stream)", "passed")]),
            ("d".to_owned(), vec![case("(file)", "failure")]),
            ("missing".to_owned(), vec![case("(reading)", "error")]),
            ("sessionlint".to_owned(), vec![case("(complete)", "skipped")]),
        ],
        "{}",
        ran.out
    );
    assert!(ran.out.contains("2 streams without findings"), "{}", ran.out);
    // A failure says what to do, once for each rule.
    let explained = folder.run("explain wrong-type").out;
    let (_, help) = explained.split_once("What to do:  ").expect("the help");
    let help = format!("  help: {}", help.lines().next().expect("a line"));
    folder.write("twice", of(ERROR, "bad").repeat(2));
    let report = folder.run("check --format junit twice").out;
    let document = roxmltree::Document::parse(&report).expect("XML");
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("a failure");
    let lines: Vec<_> = failure.text().expect("a text").lines().filter(|line| line.starts_with("  help: ")).collect();
    assert_eq!(lines, [help]);
    // A finding that is not shown must not look as if its stream had passed.
    folder.write("noted", [NOTE, CLEAN].concat());
    let cut = of_junit(&folder.run("check --format junit --max-findings 1 a noted c").out);
    let not_shown = |outcome| case("(findings not shown)", outcome);
    assert_eq!(
        cut.into_iter().map(|(_, cases)| cases).collect::<Vec<_>>(),
        [
            vec![case("bad", "failure"), not_shown("failure")],
            vec![not_shown("skipped")],
            vec![case("(every stream)", "passed")],
        ]
    );
}

#[test]
fn github_reports_what_was_not_read_and_what_is_not_shown() {
    let folder = Folder::with(&[("a", &ERROR.repeat(3))]);
    let ran = folder.run("check --format github --max-findings 1 a missing");
    let lines: Vec<_> = ran.out.lines().collect();
    let help = "%0Ahelp: ";
    assert!(
        lines[0].starts_with("::error file=a,line=1,col=99,title=wrong-type::`payload.pending` must be"),
        "{}",
        ran.out
    );
    assert!(lines[0].contains(help), "{}", ran.out);
    assert!(lines[1].starts_with("::error file=missing,title=sessionlint::missing: "), "{}", ran.out);
    assert_eq!(lines[2], "::notice title=sessionlint::2 more findings not shown (--max-findings)");
    assert_eq!(lines[3], "::warning title=sessionlint::not everything was checked: 1 input not read");
    assert_eq!(lines.len(), 4);
}

#[test]
fn markdown_counts_all_and_shows_the_first() {
    let folder =
        Folder::with(&[("a", &[ERROR.repeat(30), NOTE.to_owned(), NOTE.replace("\"idle\"", "\"ready\"")].concat())]);
    let report = folder.run("check --format markdown a missing").out;
    assert!(report.starts_with("## sessionlint: 30 errors, 0 warnings, 2 notes\n\n1 file, 32 events, 1 stream.\n"));
    let rows: Vec<_> = report.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows[2].starts_with("| wrong-type | 30 | ") && rows[3].starts_with("| unknown-field | 2 | "), "{report}");
    assert!(report.contains("### The first 20 of 32 findings\n"), "{report}");
    assert_eq!(of_markdown(&report).len(), 20);
    assert!(report.contains("### Not checked\n\n- `missing: "), "{report}");

    folder.write("clean", CLEAN);
    let report = folder.run("check --format markdown clean").out;
    assert_eq!(report, "## sessionlint: 0 errors, 0 warnings, 0 notes\n\n1 file, 1 event, 1 stream.\n");
}

#[test]
fn the_formats_do_not_depend_on_the_number_of_threads() {
    let folder = Folder::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for format in every_format() {
        let report = |jobs: &str| {
            let mut command = folder.command(["check", "--max-findings=150", "--format", &format, "--jobs", jobs]);
            command.arg(&corpus);
            super::program::ran(command).out
        };
        assert_eq!(report("1"), report("8"), "{format}");
    }
}

/// How a report shows inputs that were not checked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unchecked {
    Named,
    Counted,
    /// The format has no place for them, for this reason.
    NoPlace(&'static str),
}

/// A report must not be silent about what was not checked or not shown. Where a format has no place for it, this table
/// says so.
#[test]
fn every_format_shows_what_it_left_out() {
    let folder = Folder::with(&[("a.log", &[ERROR, ERROR].concat())]);
    for format in every_format() {
        let (unchecked, counts_hidden_findings) = match format.as_str() {
            // Standard error, which is read beside it, names the inputs.
            "human" | "short" | "agent" => (Unchecked::Counted, true),
            "sarif" | "junit" | "github" => (Unchecked::Named, true),
            // Its heading says how many of the findings are below.
            "markdown" => (Unchecked::Named, false),
            // The summary counts every finding, and names what was not read.
            "json" | "jsonl" => (Unchecked::Named, false),
            "gitlab" | "rdjson" => {
                (Unchecked::NoPlace("every entry is a finding at a line of a file of the repository"), false)
            }
            other => {
                panic!("say here how {other} shows inputs that were not checked, and if it counts hidden findings")
            }
        };
        // People and services that show a report to people see no exit code, so those formats have a place for all.
        let may_be_silent = ["gitlab", "rdjson"].contains(&&*format);
        assert!(may_be_silent || !matches!(unchecked, Unchecked::NoPlace(_)), "{format}: {unchecked:?}");
        let report = |arguments: &[&str]| {
            let option = format!("--format={format}");
            super::program::ran(folder.command(["check", &option].iter().chain(arguments))).out
        };
        let whole = report(&["a.log"]);
        assert!(whole.contains("but is"), "{format} does not show the message: {whole}");
        // A file, and a pattern that matches none.
        for input in ["not-there.log", "gone-*.log"] {
            let report = report(&["a.log", input]);
            assert_eq!(report.contains(input), unchecked == Unchecked::Named, "{format}: {report}");
            let counted = report.contains("; 1 input could not be checked");
            assert_eq!(counted, unchecked == Unchecked::Counted, "{format}: {report}");
        }
        let hidden = report(&["--max-findings=1", "a.log"]).contains("1 more finding not shown");
        assert_eq!(hidden, counts_hidden_findings, "{format}");
    }
}
