//! Examples show what the program really does.

use std::fs;

use super::page::{about_use, page, readme, root};
use super::program::{Example, run};

#[test]
fn console_examples_show_the_program_s_output() {
    let mut count = 0;
    for page in about_use() {
        for block in page.blocks("console") {
            let (command, expected) = block.text.split_once('\n').expect("a command and its output");
            let arguments = command.strip_prefix("$ sessionlint ").expect("a command of this program");
            let code = i32::from(expected.contains("error["));
            let (printed, ended) = run(Example::both().path(), arguments);
            assert_eq!((printed.as_str(), ended), (expected, code), "{}: {command}", page.path.display());
            count += 1;
        }
    }
    assert_eq!(count, 2, "the good stream and the bad one");
}

/// `docs/picture.py --check` compares colours and positions too.
#[test]
fn the_picture_has_the_words_that_the_program_prints() {
    let image = fs::read_to_string(root().join("docs/finding.svg")).expect("the image is there");
    let image = roxmltree::Document::parse(&image).expect("the image is XML");
    let lines = image.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    let drawn: Vec<String> = lines.map(|line| line.children().filter_map(|piece| piece.text()).collect()).collect();
    let (printed, _) = run(Example::both().path(), "check session.ndjson");
    let shown = format!("$ sessionlint check session.ndjson\n{printed}");
    // The image has positions instead of spaces between pieces.
    let dense = |line: &str| line.split_whitespace().collect::<String>();
    let drawn: Vec<_> = drawn.iter().map(|line| dense(line)).collect();
    assert_eq!(drawn, shown.lines().map(dense).collect::<Vec<_>>());
}

/// The table on how to read a finding quotes the finding.
#[test]
fn the_quoted_parts_of_the_finding_are_in_it() {
    let (printed, _) = run(Example::both().path(), "check session.ndjson");
    let section = readme().section("A good stream, and a bad one");
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| part"));
    let cells = rows.filter_map(|row| row.split('|').nth(2));
    let quotes = cells.filter_map(|cell| cell.split(['"', '`']).nth(1)).map(|quote| quote.trim_end_matches(" …"));
    let quotes: Vec<_> = quotes.collect();
    assert_eq!(quotes.len(), 6, "{quotes:?}");
    for quote in quotes {
        assert!(printed.contains(quote), "{quote}");
    }
}

#[test]
fn the_quick_start_works() {
    let start = readme().blocks("sh");
    let commands: Vec<_> = start.iter().flat_map(|block| block.text.lines()).collect();
    // The second one runs this very test.
    let expected = [
        "cargo run --release -- check corpus/session-events/valid",
        "cargo test",
        "cargo install --profile dist --path .",
        "sessionlint check FILE",
    ];
    assert_eq!(commands, expected);
    let (report, code) = run(root(), "check corpus/session-events/valid");
    assert_eq!(code, 0, "{report}");
    assert!(report.ends_with('\n') && report.lines().count() == 1, "the summary alone: {report}");
}

#[test]
fn the_bugs_of_the_readme_are_found() {
    let section = readme().section("Who needs it");
    let rules: Vec<_> = section.split('`').skip(1).step_by(2).collect();
    assert_eq!(rules, ["idle-missing", "unknown-tool-call", "final-message-mismatch"]);
    for rule in rules {
        let (report, code) = run(root(), &format!("check --format jsonl corpus/session-events/invalid/{rule}"));
        assert_eq!(code, 1, "{rule}");
        assert!(report.contains(&format!(r#""rule":"{rule}""#)), "{report}");
    }
}

/// The pages pass inputs to `OWNER/sessionlint@main`.
#[test]
fn the_action_takes_what_the_pages_give_it() {
    let action = fs::read_to_string(root().join("action.yml")).expect("the action is there");
    let (inputs, _) = action.split_once("\noutputs:\n").expect("inputs come before outputs");
    let mut count = 0;
    for block in about_use().iter().flat_map(|page| page.blocks("yaml")) {
        for step in block.text.split("OWNER/sessionlint@main\n").skip(1) {
            let (_, given) = step.split_once("with:").expect("the step has inputs");
            let (key, _) = given.trim_start_matches(['{', ' ', '\n']).split_once(':').expect("a key");
            assert!(inputs.contains(&format!("\n  {key}:\n")), "{key}");
            count += 1;
        }
    }
    assert_eq!(count, 2, "in the README and in docs/ci.md");
}

#[test]
fn the_configuration_is_valid() {
    let example = Example::both();
    let configurations = page("docs/configuration.md").blocks("toml");
    assert_eq!(configurations.len(), 1);
    example.write("sessionlint.toml", &configurations[0].text);
    let (rules, code) = run(example.path(), "rules");
    assert_eq!(code, 0, "{rules}");
    assert!(rules.contains("our consumers refuse fields"), "{rules}");
}

#[test]
fn the_expected_file_is_valid() {
    let example = Example::good();
    let good = fs::read_to_string(example.path().join("good.ndjson")).expect("readable");
    let mut lines: Vec<_> = good.lines().map(str::to_owned).collect();
    lines[2] = lines[2].replace("bash", &"b".repeat(100));
    assert!(lines.iter().enumerate().all(|(index, line)| (line.len() > 200) == (index == 2)));
    example.write("good.ndjson", &(lines.join("\n") + "\n"));
    let expectation = page("docs/fixtures.md").blocks("");
    assert_eq!(expectation.len(), 1);
    example.write("good.ndjson.expected", &expectation[0].text);
    let (report, code) = run(example.path(), "lint");
    assert_eq!(code, 0, "{report}");
    assert!(
        report.ends_with("0 errors, 0 warnings, 0 notes; checked against session-events; 1 finding as expected.\n"),
        "{report}"
    );
}

// The page is narrower than the code.
#[rustfmt::skip]
fn options_of_the_page(protocol: &sessionlint::Protocol) -> Result<sessionlint::Options, sessionlint::UnknownName> {
    use sessionlint::{Options, Severity};

    let options = Options::default()
        .with_file("session.ndjson")
        .with_fragment(true)
        .with_rule(protocol, "unknown-field", Some(Severity::Error))?;
    Ok(options)
}

#[test]
fn the_library_s_examples_compile_and_run() {
    let events = concat!(
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
        r#""payload":{"session_id":"s","pending":false,"status_label":"idle"}}"#,
    );
    let pieces = [&events.as_bytes()[..20], &events.as_bytes()[20..]];
    sessionlint::assert_conforms!(events);

    use sessionlint::{Checker, Options, Protocol};

    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let mut checker = Checker::new(protocol, Options::default());
    for piece in pieces {
        checker.feed(piece);
        for finding in checker.take_findings() {
            println!("{}: {}: {}", finding.place.line, finding.rule, finding.message);
        }
    }
    let report = checker.finish();
    println!("{} errors", report.summary.errors);
    assert_eq!(report.summary.errors, 0);
    assert!(options_of_the_page(protocol).is_ok_and(|options| options.fragment()));

    // The code that runs here is the code of the page, line by line.
    let here: Vec<_> = include_str!("examples.rs").lines().map(str::trim).collect();
    let blocks = page("docs/library.md").blocks("rust");
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        for line in block.text.lines().map(str::trim) {
            assert!(here.contains(&line), "{line}");
        }
    }
}
