//! A recording cannot inject anything into the formats for other tools.

use std::fs;

use serde_json::Value;

use super::hostile::recordings;
use super::program::{ERROR, Folder, text};
use super::said::{array, assert_is_sarif, of_github, of_gitlab, of_junit, of_sarif, parsed};

/// Text that is special in one format or another.
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
    // A reader of the report undoes the escapes, and gets the same name except for characters that control a terminal.
    let github = fs::read_to_string(folder.path().join("o/github")).expect("written");
    let shown = name.replace('\u{1b}', "␛").replace('\r', "␍").replace('\n', "␊").replace('\u{202e}', "\u{fffd}");
    assert_eq!(of_github(&github)[0].0, shown);
}
