//! The formats for other tools: they say the same as each other, keep to their schemas, and a recording cannot inject
//! anything into them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::hostile::recordings;
use super::program::{CLEAN, ERROR, Folder, NOTE, OPEN, WARNING, event, text};

/// File, line, column (0 where a format has none), severity, rule.
type Said = (String, u64, u64, String, String);

fn said(file: &str, line: u64, column: u64, severity: &str, rule: &str) -> Said {
    (file.to_owned(), line, column, severity.to_owned(), rule.to_owned())
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no array"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn parsed(folder: &Folder, file: &str) -> Value {
    let text = fs::read_to_string(folder.path().join(file)).expect("the report is there");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn of_json(findings: &[Value]) -> Vec<Said> {
    let said_by = |finding: &Value| {
        let place = (number(&finding["line"]), number(&finding["column"]));
        said(text(&finding["file"]), place.0, place.1, text(&finding["severity"]), text(&finding["rule"]))
    };
    findings.iter().map(said_by).collect()
}

fn of_sarif(document: &Value) -> Vec<Said> {
    let run = &document["runs"][0];
    let said_by = |result: &Value| {
        let rule = &run["tool"]["driver"]["rules"][number(&result["ruleIndex"]) as usize]["id"];
        assert_eq!(rule, &result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let (line, column) = (number(&place["region"]["startLine"]), number(&place["region"]["startColumn"]));
        said(text(&place["artifactLocation"]["uri"]), line, column, text(&result["level"]), text(rule))
    };
    array(&run["results"]).iter().map(said_by).collect()
}

fn of_gitlab(document: &Value) -> Vec<Said> {
    let said_by = |issue: &Value| {
        let severity = match text(&issue["severity"]) {
            "major" => "error",
            "minor" => "warning",
            "info" => "note",
            other => panic!("{other} is no severity of this report"),
        };
        let place = &issue["location"];
        said(text(&place["path"]), number(&place["lines"]["begin"]), 0, severity, text(&issue["check_name"]))
    };
    array(document).iter().map(said_by).collect()
}

/// Undoes the escapes of a workflow command.
fn unescaped(text: &str) -> String {
    [("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")]
        .iter()
        .fold(text.to_owned(), |text, (escape, c)| text.replace(escape, c))
}

/// Each line must be a command, with these properties and no others.
fn of_github(report: &str) -> Vec<Said> {
    let said_by = |line: &str| {
        let (command, rest) = line.strip_prefix("::").and_then(|rest| rest.split_once(' ')).expect("a command");
        let (properties, message) = rest.split_once("::").expect("a message");
        assert!(!message.is_empty(), "{line}");
        let properties: Vec<_> = properties.split(',').map(|part| part.split_once('=').expect("a value")).collect();
        let [("file", file), ("line", at), ("col", column), ("title", rule)] = properties[..] else {
            panic!("{line}");
        };
        let severity = if command == "notice" { "note" } else { command };
        let number = |text: &str| text.parse().expect("a number");
        said(&unescaped(file), number(at), number(column), severity, rule)
    };
    report.lines().map(said_by).collect()
}

/// What `severity[rule] file:line:column: …` says.
fn of_line(line: &str) -> Option<Said> {
    let (severity, rest) = line.split_once('[')?;
    let (rule, rest) = rest.split_once("] ")?;
    let parts: Vec<_> = rest.splitn(4, ':').collect();
    Some(said(parts[0], parts[1].parse().ok()?, parts[2].parse().ok()?, severity, rule))
}

/// The suites' names and, in each, the cases' names with what became of them.
fn of_junit(report: &str) -> Vec<(String, Vec<(String, &'static str)>)> {
    let document = roxmltree::Document::parse(report).unwrap_or_else(|error| panic!("{error}\n{report}"));
    let known = ["testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"];
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(known.contains(&node.tag_name().name()), "{node:?}");
    }
    let name = |node: roxmltree::Node<'_, '_>| node.attribute("name").expect("a name").to_owned();
    let suites = document.root_element().children().filter(roxmltree::Node::is_element);
    suites
        .map(|suite| {
            let cases = suite.children().filter(roxmltree::Node::is_element).map(|case| {
                let outcome = ["failure", "error", "skipped"]
                    .into_iter()
                    .find(|kind| case.children().any(|child| child.has_tag_name(*kind)));
                (name(case), outcome.unwrap_or("passed"))
            });
            (name(suite), cases.collect())
        })
        .collect()
}

fn junit_lines(report: &str) -> Vec<Said> {
    let document = roxmltree::Document::parse(report).expect("XML");
    let texts = document.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text());
    texts.flat_map(str::lines).filter_map(of_line).collect()
}

fn of_markdown(report: &str) -> Vec<Said> {
    let said_by = |line: &str| {
        let (severity, rest) = line.strip_prefix("- **")?.split_once("** `")?;
        let (rule, rest) = rest.split_once("` in `")?;
        let parts: Vec<_> = rest.split_once("`: ")?.0.split(':').collect();
        Some(said(parts[0], parts[1].parse().ok()?, parts[2].parse().ok()?, severity, rule))
    };
    report.lines().filter_map(said_by).collect()
}

const ALL: &str = "--format jsonl=o/jsonl --format sarif=o/sarif --format junit=o/junit --format github=o/github \
                   --format gitlab=o/gitlab --format markdown=o/markdown --format human=o/human";

#[test]
fn every_format_says_the_same() {
    // In CLEAN, 98 characters stand before the value of `pending`. `false,"status_label":` has 21, and `"idle"` and a
    // comma 7.
    assert_eq!(CLEAN.find("false"), Some(98));
    let folder = Folder::with(&[
        ("a b.log", &[CLEAN, ERROR, WARNING, NOTE, "{broken\n"].concat()),
        ("logs/empty.log", ""),
        ("logs/fine.log", CLEAN),
    ]);
    fs::create_dir(folder.path().join("o")).expect("writable");
    let mut command = folder.command(format!("check {ALL} --format json").split_whitespace());
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
    // The formats that are compared with the paths of a repository have none that begin with a dot.
    let as_given = renamed("./a b.log", &expected);
    let document: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(of_json(array(&document["findings"])), as_given);
    let lines: Vec<Value> = read("jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(of_json(&lines), as_given);
    assert_eq!(of_sarif(&parsed(&folder, "o/sarif")), renamed("a%20b.log", &expected));
    assert_eq!(of_github(&read("github")), expected);
    let without_columns: Vec<_> = expected.iter().cloned().map(|said| (said.0, said.1, 0, said.3, said.4)).collect();
    assert_eq!(of_gitlab(&parsed(&folder, "o/gitlab")), without_columns);
    assert_eq!(of_markdown(&read("markdown")), as_given);
    // In JUnit, a stream's findings stand together.
    let sorted = |said: &[Said]| said.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&junit_lines(&read("junit"))), sorted(&as_given));
    for (name, line, column, _, rule) in &as_given {
        let human = read("human");
        assert!(human.contains(&format!("[{rule}]")), "{human}");
        assert!(human.contains(&format!("{name}:{line}:{column}")), "{human}");
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

static SARIF_SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sarif-2.1.0.schema.json");
    let schema = fs::read_to_string(path).expect("readable");
    // The pattern for languages has a bracket that the dialect of JSON Schema's patterns wants escaped.
    let schema = schema.replace("{2}]?$", "{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    jsonschema::validator_for(&schema).expect("the published schema is one")
});

fn assert_is_sarif(document: &Value) {
    let errors: Vec<_> = SARIF_SCHEMA.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_document_that_is_not_sarif_is_not_taken_for_it() {
    let wrong =
        json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"level": "bad"}]}]});
    // Another level than there are, and no message.
    assert_eq!(SARIF_SCHEMA.iter_errors(&wrong).count(), 2);
}

#[test]
fn sarif_keeps_to_its_published_schema() {
    let folder = Folder::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events");
    let mut command = folder.command(["check", "--format=sarif", "--max-findings=200", "missing"]);
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
    assert_eq!(told, ["error", "note"], "what is missing, and what is not shown");

    folder.write("clean", CLEAN);
    let document: Value = serde_json::from_str(&folder.run("check --format sarif clean").out).expect("JSON");
    assert_is_sarif(&document);
    let run = &document["runs"][0];
    assert_eq!(run["results"], json!([]));
    assert_eq!(run["invocations"], json!([{"executionSuccessful": true, "toolExecutionNotifications": []}]));
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    // Every rule, with its words and the document's.
    let listed: Value = serde_json::from_str(&folder.run("rules --format json").out).expect("JSON");
    let rules = array(&run["tool"]["driver"]["rules"]);
    assert_eq!(rules.len(), array(&listed).len());
    let idle = rules.iter().find(|rule| rule["id"] == "idle-missing").expect("it is a rule");
    assert_eq!(idle["defaultConfiguration"], json!({"level": "error"}));
    assert!(text(&idle["help"]["text"]).contains("“session.status - Status changes to “idle”” — Session events"));
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
    // The whole first event, without its line end.
    let region = json!({"startLine": 1, "startColumn": 1, "byteOffset": 0, "byteLength": OPEN.len() - 1});
    assert_eq!(related["physicalLocation"], json!({"artifactLocation": {"uri": "a"}, "region": region}));
    // The value `false` of the last event.
    let region = &result["locations"][0]["physicalLocation"]["region"];
    let start = OPEN.len() + chunk.len() + 98;
    assert_eq!(region, &json!({"startLine": 3, "startColumn": 99, "byteOffset": start, "byteLength": 5}));
    assert_eq!(
        result["properties"],
        json!({"type": "session.status", "stream": "s", "pointer": "/payload/pending", "event": 2})
    );
}

#[test]
fn fingerprints_stay_when_lines_move_and_none_is_there_twice() {
    let one = [ERROR, ERROR, WARNING, NOTE].concat();
    let moved = [CLEAN, "\n", CLEAN, ERROR, CLEAN, ERROR, WARNING, NOTE].concat().replace("\"s\"", "\"other\"");
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
        ],
        "{}",
        ran.out
    );
    assert!(ran.out.contains("2 streams without findings"), "{}", ran.out);
    // What is not shown must not look as if it had passed.
    let cut = of_junit(&folder.run("check --format junit --max-findings 0 a").out);
    assert_eq!(cut[1], ("sessionlint".to_owned(), vec![case("(findings not shown)", "failure")]));
}

#[test]
fn github_is_told_what_was_not_read_and_what_is_not_shown() {
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
    assert_eq!(lines.len(), 3);
}

#[test]
fn markdown_counts_all_and_shows_the_first() {
    let folder = Folder::with(&[("a", &[ERROR.repeat(30), NOTE.repeat(2)].concat())]);
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

/// What one format or another gives a meaning to.
const EVIL: &str = "]]></failure><script>x</script>\u{1b}[31m\r\n::error file=x::y%0A::z\n| a | ``` `b` ](http://e.test) **c** \
                    \u{202e}\"' & <img src=x> {0} @d \u{fffe}\\| -->";

/// A line of Markdown without its code spans, as CommonMark finds them.
fn outside_of_code(line: &str) -> String {
    let run = |text: &str| text.bytes().take_while(|byte| *byte == b'`').count();
    let (mut outside, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let fence = run(&rest[at..]);
        let mut end = at + fence;
        loop {
            let next = rest[end..].find('`').unwrap_or_else(|| panic!("a code span without an end: {line}"));
            end += next;
            let length = run(&rest[end..]);
            end += length;
            if length == fence {
                break;
            }
        }
        rest = &rest[end..];
    }
    outside + rest
}

fn assert_markdown_is_safe(report: &str) {
    for line in report.lines() {
        let outside = outside_of_code(line);
        if line.starts_with('|') {
            assert_eq!(outside.matches('|').count(), 4, "{line}");
        } else {
            let known =
                ["", "## sessionlint: ", "### ", "- **", "1 file, "].iter().any(|start| outside.starts_with(start));
            assert!(known && !outside.contains(['<', '>', '[', ']', '|', '@', '\\', '&']), "{line}");
        }
    }
}

fn assert_nothing_is_injected(folder: &Folder, name: &str, what: &str) {
    let formats = "--format json --format sarif=o/sarif --format junit=o/junit --format github=o/github \
                   --format gitlab=o/gitlab --format markdown=o/markdown";
    let mut command = folder.command(format!("check {formats}").split_whitespace());
    command.arg(name);
    let ran = super::program::ran(command);
    let read = |name: &str| fs::read_to_string(folder.path().join("o").join(name)).expect("the report is there");
    let document: Value = serde_json::from_str(&ran.out).expect("JSON");
    let findings = array(&document["findings"]).len();
    assert!(findings > 0, "{what}");

    assert_eq!(of_github(&read("github")).len(), findings, "{what}");
    assert_eq!(of_gitlab(&parsed(folder, "o/gitlab")).len(), findings, "{what}");
    assert_eq!(of_junit(&read("junit")).len(), 1, "{what}: one suite");
    assert_markdown_is_safe(&read("markdown"));
    let list = read("markdown").lines().filter(|line| line.starts_with("- **")).count();
    assert_eq!(list, findings.min(20), "{what}");
    let sarif = parsed(folder, "o/sarif");
    assert_is_sarif(&sarif);
    assert_eq!(of_sarif(&sarif).len(), findings, "{what}");
    for result in array(&sarif["runs"][0]["results"]) {
        let message = text(&result["message"]["text"]);
        assert!(!message.contains("](") && !message.contains(" {0}"), "{what}: {message}");
        let uri = text(&result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]);
        assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)), "{uri}");
    }
}

#[test]
fn a_recording_cannot_inject_anything() {
    let escaped = serde_json::to_string(EVIL).expect("it is text");
    for (what, recording) in recordings(escaped.trim_matches('"')) {
        let folder = Folder::with(&[("a", &recording), ("o/x", "")]);
        assert_nothing_is_injected(&folder, "a", what);
    }
    let folder = Folder::with(&[("a", &format!("{EVIL}\n")), ("o/x", "")]);
    assert_nothing_is_injected(&folder, "a", "what is no JSON");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_s_name_cannot_inject_anything() {
    let name = EVIL.replace('/', "_");
    let folder = Folder::with(&[("o/x", "")]);
    folder.write(&name, ERROR);
    assert_nothing_is_injected(&folder, &name, "a name");
    // The escapes are undone by what reads the report, and the name is the same but for what a terminal acts on.
    let github = fs::read_to_string(folder.path().join("o/github")).expect("written");
    let shown = name.replace('\u{1b}', "␛").replace('\r', "␍").replace('\n', "␊").replace('\u{202e}', "\u{fffd}");
    assert_eq!(of_github(&github)[0].0, shown);
}
