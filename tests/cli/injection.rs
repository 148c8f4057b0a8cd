//! A recording cannot inject anything into the formats for other tools.

use std::fs;

use serde_json::Value;

use super::every_format::every_format;
use super::hostile::recordings;
use super::program::{ERROR, Folder, text};
use super::said::{array, assert_is_sarif, of_github, of_gitlab, of_junit, of_rdjson, of_sarif, of_short, parsed};

/// Text that is special in one format or another.
pub const EVIL: &str = "]]></failure><script>x</script>\u{1b}[31m\r\n::error file=x::y%0A::z\n| a | ``` `b` ](http://e.test) **c** \
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
    let formats = every_format().into_iter().map(|format| format!("--format={format}=o/{format}"));
    let mut command = folder.command(["check".to_owned()].into_iter().chain(formats));
    command.arg(name);
    let ran = super::program::ran(command);
    assert!(ran.err.is_empty() || ran.err.starts_with("sessionlint: nothing was checked: "), "{what}: {}", ran.err);
    let document = parsed(folder, "o/json");
    let findings = array(&document["findings"]).len();
    assert!(findings > 0, "{what}");
    // A line more says that something was not checked.
    let gap = usize::from(document["complete"] == false);

    for format in every_format() {
        let report = fs::read_to_string(folder.path().join("o").join(&format)).expect("the report is there");
        match format.as_str() {
            // Text for people; tests/cli/hostile.rs is about it.
            "human" => {}
            // It was read above.
            "json" => {}
            "jsonl" => assert_eq!(report.lines().count(), findings + gap, "{what}"),
            "github" => assert_eq!(of_github(&report).len(), findings, "{what}"),
            "gitlab" => assert_eq!(of_gitlab(&parsed(folder, "o/gitlab")).len(), findings, "{what}"),
            "rdjson" => {
                let document = parsed(folder, "o/rdjson");
                assert_eq!(of_rdjson(&document).len(), findings, "{what}");
                for diagnostic in array(&document["diagnostics"]) {
                    // The message is one code span, and the help has no markup.
                    let (message, help) = text(&diagnostic["message"]).split_once("\n\n").expect("both");
                    assert_eq!(outside_of_code(message).trim(), "", "{what}: {message}");
                    assert!(!help.contains(['<', '>', '[', ']', '|', '@', '`', '*', '!']), "{what}: {help}");
                }
            }
            "junit" => assert_eq!(of_junit(&report).len(), 1 + gap, "{what}: one suite, and one for the gap"),
            // In this format, a line is a finding, or one of the few at the end.
            "short" => {
                assert_eq!(of_short(&report).len(), findings, "{what}");
                let others = report.lines().skip(findings).collect::<Vec<_>>();
                assert!(others.len() < 4 && !report.contains('\u{1b}'), "{what}: {others:?}");
            }
            "agent" => {
                assert_eq!(of_short(&report).len(), findings.min(50), "{what}");
                let list = report.split("\n\n").nth(1).expect("the findings are behind the counts");
                let listed = list.lines().filter(|line| !line.starts_with("… and "));
                assert_eq!(listed.count(), findings.min(50), "{what}: each is one line");
                assert!(!report.contains('\u{1b}'), "{what}");
            }
            "markdown" => {
                assert_markdown_is_safe(&report);
                let list = report.lines().filter(|line| line.starts_with("- **")).count();
                assert_eq!(list, findings.min(20), "{what}");
            }
            "sarif" => assert_sarif_is_safe(&parsed(folder, "o/sarif"), findings, what),
            other => panic!("nothing tests what a hostile text could do in the format {other}: add that here"),
        }
    }
}

fn assert_sarif_is_safe(sarif: &Value, findings: usize, what: &str) {
    assert_is_sarif(sarif);
    assert_eq!(of_sarif(sarif).len(), findings, "{what}");
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
    // A reader of the report undoes the escapes, and gets the same name except for characters that control a terminal.
    let github = fs::read_to_string(folder.path().join("o/github")).expect("written");
    let shown = name.replace('\u{1b}', "␛").replace('\r', "␍").replace('\n', "␊").replace('\u{202e}', "\u{fffd}");
    assert_eq!(of_github(&github)[0].0, shown);
}
