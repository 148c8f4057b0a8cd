//! Parses reports as the tools do that they are meant for.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use super::program::{Folder, text};

/// A finding: file, line, column (0 in a format without columns), severity, rule.
pub type Said = (String, u64, u64, String, String);

pub fn said(file: &str, line: u64, column: u64, severity: &str, rule: &str) -> Said {
    (file.to_owned(), line, column, severity.to_owned(), rule.to_owned())
}

pub fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no array"))
}

pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

pub fn parsed(folder: &Folder, file: &str) -> Value {
    let text = fs::read_to_string(folder.path().join(file)).expect("the report is there");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub fn of_json(findings: &[Value]) -> Vec<Said> {
    let said_by = |finding: &Value| {
        let place = (number(&finding["line"]), number(&finding["column"]));
        said(text(&finding["file"]), place.0, place.1, text(&finding["severity"]), text(&finding["rule"]))
    };
    findings.iter().map(said_by).collect()
}

pub fn of_sarif(document: &Value) -> Vec<Said> {
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

pub fn of_gitlab(document: &Value) -> Vec<Said> {
    let said_by = |issue: &Value| {
        let severity = match text(&issue["severity"]) {
            "major" => "error",
            "minor" => "warning",
            "info" => "note",
            other => panic!("{other} is not a severity of this report"),
        };
        let place = &issue["location"];
        said(text(&place["path"]), number(&place["lines"]["begin"]), 0, severity, text(&issue["check_name"]))
    };
    array(document).iter().map(said_by).collect()
}

pub fn of_rdjson(document: &Value) -> Vec<Said> {
    let said_by = |diagnostic: &Value| {
        let severity = match text(&diagnostic["severity"]) {
            "ERROR" => "error",
            "WARNING" => "warning",
            "INFO" => "note",
            other => panic!("{other} is not a severity of this report"),
        };
        let place = &diagnostic["location"];
        let line = number(&place["range"]["start"]["line"]);
        said(text(&place["path"]), line, 0, severity, text(&diagnostic["code"]["value"]))
    };
    array(&document["diagnostics"]).iter().map(said_by).collect()
}

/// Undoes the escapes of a workflow command.
pub fn unescaped(text: &str) -> String {
    [("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")]
        .iter()
        .fold(text.to_owned(), |text, (escape, c)| text.replace(escape, c))
}

/// Parses commands; each line must be one, with these properties and no others, but the line that says that something
/// was not checked.
pub fn of_github(report: &str) -> Vec<Said> {
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
    let is_gap = |line: &&str| line.starts_with("::warning title=sessionlint::not everything was checked: ");
    report.lines().filter(|line| !is_gap(line)).map(said_by).collect()
}

/// Parses lines such as `severity[rule] file:line:column: …`.
pub fn of_line(line: &str) -> Option<Said> {
    let (severity, rest) = line.split_once('[')?;
    let (rule, rest) = rest.split_once("] ")?;
    let parts: Vec<_> = rest.splitn(4, ':').collect();
    Some(said(parts[0], parts[1].parse().ok()?, parts[2].parse().ok()?, severity, rule))
}

/// Parses lines such as `file:line:column: severity[rule]: …`; other lines are none of a finding.
pub fn of_short(report: &str) -> Vec<Said> {
    let said_by = |line: &str| {
        let (place, rest) = line.split_once(": ")?;
        let (severity, rest) = rest.split_once('[')?;
        let (rule, _) = rest.split_once("]: ")?;
        let mut parts = place.rsplitn(3, ':');
        let (column, at) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(said(parts.next()?, at, column, severity, rule))
    };
    report.lines().filter_map(said_by).collect()
}

/// Returns the suites' names and, for each, the cases' names with their outcomes.
pub fn of_junit(report: &str) -> Vec<(String, Vec<(String, &'static str)>)> {
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

pub fn junit_lines(report: &str) -> Vec<Said> {
    let document = roxmltree::Document::parse(report).expect("XML");
    let texts = document.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text());
    texts.flat_map(str::lines).filter_map(of_line).collect()
}

pub fn of_markdown(report: &str) -> Vec<Said> {
    let said_by = |line: &str| {
        let (severity, rest) = line.strip_prefix("- **")?.split_once("** `")?;
        let (rule, rest) = rest.split_once("` in `")?;
        let parts: Vec<_> = rest.split_once("`: ")?.0.split(':').collect();
        Some(said(parts[0], parts[1].parse().ok()?, parts[2].parse().ok()?, severity, rule))
    };
    report.lines().filter_map(said_by).collect()
}

pub static SARIF_SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sarif-2.1.0.schema.json");
    let schema = fs::read_to_string(path).expect("readable");
    // One pattern of the schema has a bracket that the dialect of JSON Schema requires to be escaped.
    let schema = schema.replace("{2}]?$", "{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    jsonschema::validator_for(&schema).expect("the published schema is one")
});

pub fn assert_is_sarif(document: &Value) {
    let errors: Vec<_> = SARIF_SCHEMA.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
