//! Expectations of fixtures that are broken on purpose.

use super::program::{CLEAN, ERROR, Folder, NOTE, OPEN, text};
use super::{as_expected, kinds, linted, told};

fn with(fixture: &str, expected: &str) -> Folder {
    Folder::with(&[("a.ndjson", fixture), ("a.ndjson.expected", expected)])
}

#[test]
fn what_is_expected_is_no_failure() {
    let folder = with(&[CLEAN, ERROR].concat(), "2\twrong-type\n");
    let (document, code) = linted(&folder, ".");
    assert_eq!((told(&document), as_expected(&document), code), (Vec::new(), 1, 0));
    let human = folder.run("lint .").out;
    let counts = "1 stream, 0 fragments, 0 single events, 0 fixtures of records: 0 errors, 0 warnings, 0 notes; checked against session-events; 1 finding as expected.\n";
    assert_eq!(human, counts);
}

#[test]
fn what_is_missing_is_said_at_its_line_and_what_is_more_stands() {
    let folder = with(&[CLEAN, ERROR].concat(), "# why\n\n1\twrong-type\n");
    let (document, code) = linted(&folder, ".");
    let expected = ["./a.ndjson:2:99 wrong-type", "./a.ndjson.expected:3:1 expected-finding-missing"];
    assert_eq!((told(&document), as_expected(&document), code), (expected.map(str::to_owned).to_vec(), 0, 1));
    let message = "expected wrong-type on line 1 of ./a.ndjson, found nothing";
    assert_eq!(text(&document["findings"][1]["message"]), message);
    folder.write("a.ndjson.expected", "2\tmissing-field\n");
    let message = "expected missing-field on line 2 of ./a.ndjson, found wrong-type";
    assert_eq!(text(&linted(&folder, ".").0["findings"][1]["message"]), message);
}

#[test]
fn a_line_that_stands_twice_is_expected_twice() {
    let folder = with(ERROR, "1\twrong-type\n1\twrong-type\n");
    let (document, _) = linted(&folder, ".");
    assert_eq!(told(&document), ["./a.ndjson.expected:2:1 expected-finding-missing"]);
    let message = "expected wrong-type twice on line 1 of ./a.ndjson, found it once";
    assert_eq!(text(&document["findings"][0]["message"]), message);
    assert_eq!(as_expected(&document), 1);
}

#[test]
fn notes_count_for_the_rules_that_are_listed() {
    let (document, code) = linted(&with(NOTE, ""), "--fail-on note .");
    assert_eq!((told(&document), as_expected(&document), code), (Vec::new(), 0, 0));
    let (document, code) = linted(&with(NOTE, "1\tunknown-field\n"), "--fail-on note .");
    assert_eq!((told(&document), as_expected(&document), code), (Vec::new(), 1, 0));
    let two = [NOTE, &NOTE.replace("shade", "tint")].concat();
    let (document, code) = linted(&with(&two, "1\tunknown-field\n"), "--fail-on note .");
    assert_eq!((told(&document).len(), code), (1, 1), "{document}");
}

#[test]
fn options_say_how_a_fixture_is_judged_and_without_them_it_is_as_check_does() {
    assert_eq!(told(&linted(&with(OPEN, ""), ".").0), ["./a.ndjson:1:1 turn-unfinished"]);
    for (args, findings) in [
        ("--fragment", 0),
        ("--rule turn-unfinished=off", 0),
        ("--rule turn-unfinished=note", 0),
        ("--max-line-bytes 20", 1),
        // The line is no event, and no event is left.
        ("--wire sse", 2),
        ("--protocol session-events", 1),
    ] {
        let (document, _) = linted(&with(OPEN, &format!("# args: {args}\n")), ".");
        let rules = told(&document);
        assert_eq!(rules.len(), findings, "{args}: {rules:?}");
        assert!(rules.iter().all(|told| told.starts_with("./a.ndjson:")), "{args}: {rules:?}");
    }
    assert_eq!(kinds(&linted(&with(OPEN, "# args: --kind session\n"), ".").0), [0, 0, 0, 1, 0]);
}

#[test]
fn options_that_nobody_understands_are_told_alone() {
    for args in ["--fragmnt", "--wire xml", "--max-line-bytes many", "--rule nothing=off", "--protocol x", "--kind x"] {
        let (document, code) = linted(&with(ERROR, &format!("# args: {args}\n9\twrong-type\n")), ".");
        let expected = vec!["./a.ndjson.expected:1:1 broken-expectation".to_owned()];
        assert_eq!((told(&document), code), (expected, 1), "{args}: {document}");
    }
}

#[test]
fn mistakes_in_an_expectation_are_findings_in_it() {
    let folder = with(ERROR, "1\twrong-type\n1 wrong-type\nx\twrong-type\n1\twrong-tpye\n");
    let (document, code) = linted(&folder, ".");
    let expected = [(2, 1), (3, 1), (4, 3)];
    let expected = expected.map(|(line, column)| format!("./a.ndjson.expected:{line}:{column} broken-expectation"));
    assert_eq!((told(&document), as_expected(&document), code), (expected.to_vec(), 1, 1));
    assert_eq!(text(&document["findings"][2]["help"]), "did you mean wrong-type?");
    folder.write("a.ndjson.expected", b"1\twrong-type\n\xFF\n");
    let expected = ["./a.ndjson:1:99 wrong-type", "./a.ndjson.expected:1:1 broken-expectation"];
    assert_eq!(told(&linted(&folder, ".").0), expected);
}

#[test]
fn an_expectation_without_its_fixture_is_reported() {
    let folder = Folder::with(&[
        ("gone.json.expected", "1\twrong-type\n"),
        ("gone.txt.expected", "# args: --fragment\n"),
        ("other.out.expected", "42 rows\n"),
        ("expected", "1\twrong-type\n"),
        ("a.json", CLEAN),
    ]);
    let (document, code) = linted(&folder, ".");
    let expected =
        ["./gone.json.expected:1:1 expectation-without-fixture", "./gone.txt.expected:1:1 expectation-without-fixture"];
    assert_eq!((told(&document), code), (expected.map(str::to_owned).to_vec(), 0));
    assert_eq!(linted(&folder, "--fail-on warning .").1, 1);
}

#[test]
fn a_fixture_of_any_ending_has_its_expectation() {
    let folder = Folder::with(&[
        ("a.txt", ERROR),
        ("a.txt.expected", "1\twrong-type\n"),
        ("b.sql", "SELECT 1"),
        ("b.sql.expected", "1\n"),
    ]);
    let (document, code) = linted(&folder, ".");
    assert_eq!((kinds(&document), as_expected(&document), code), ([1, 0, 0, 0, 0], 1, 0), "{document}");
    assert_eq!(linted(&folder, "a.txt.expected").1, 0, "it stands for its fixture");
}

#[test]
fn lines_are_those_of_a_page() {
    let page = format!("# A\n\n```json\n{ERROR}```\n\n```json\n{CLEAN}```\n");
    let folder = Folder::with(&[("page.md", &page), ("page.md.expected", "4\twrong-type\n")]);
    let (document, code) = linted(&folder, ".");
    assert_eq!((kinds(&document), as_expected(&document), code), ([0, 0, 2, 0, 0], 1, 0), "{document}");
}

#[test]
fn every_finding_is_seen_however_many_are_expected() {
    let expected: String = (1..=10_000).map(|line| format!("{line}\tinvalid-json\n")).collect();
    let folder = with(&"{broken\n".repeat(10_050), &(expected + "# none has an event\n1\tno-events\n"));
    let (document, code) = linted(&folder, ".");
    assert_eq!((as_expected(&document), code), (10_001, 1));
    let told = told(&document);
    assert_eq!((told.len(), told[0].as_str()), (50, "./a.ndjson:10001:2 invalid-json"));
}

#[test]
fn very_many_lines_that_are_not_found_are_reported_each() {
    // Comparing each with all others, or counting the lines before each, would take all day.
    let folder = with(CLEAN, &"1\twrong-type\n".repeat(200_000));
    let (document, _) = linted(&folder, "--max-findings 1 .");
    assert_eq!(document["summary"]["by_rule"]["expected-finding-missing"], 200_000);
}
