//! Unwelcome files: too large, damaged, unreadable, or with names and contents that would control a terminal.

use std::fs;
use std::path::Path;

use super::every_format::every_format;
use super::program::{CLEAN, ERROR, Folder};
use super::{kinds, linted, told};

/// A recording of the corpus.
fn corpus(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events/valid").join(name);
    fs::read(path).expect("the corpus is here")
}

#[test]
fn what_is_too_large_is_named_and_where_to_turn() {
    let folder = Folder::with(&[("a.json", CLEAN)]);
    folder.write("large.ndjson", vec![b' '; (16 << 20) + 1]);
    let ran = folder.run("lint .");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let words =
        "./large.ndjson is larger than 16 MiB and was not linted; `sessionlint check` takes recordings of any size";
    assert!(ran.out.contains(words), "{}", ran.out);
    let (document, _) = linted(&folder, ".");
    assert_eq!((kinds(&document), &document["linted"]["too_large"][0]), ([0, 0, 1, 0, 1], &"./large.ndjson".into()));
}

#[test]
fn what_was_to_be_judged_and_is_too_large_is_unreadable() {
    let folder = Folder::with(&[("here/a.json", CLEAN)]);
    folder.write("here/large.ndjson", vec![b' '; (16 << 20) + 1]);
    let words = "it is larger than 16 MiB; `sessionlint check` takes recordings of any size";
    for arguments in ["lint -q", "lint --format jsonl", "lint --format junit", "fmt --check"] {
        let ran = folder.run(&format!("{arguments} here/large.ndjson"));
        assert_eq!(ran.code, 2, "{arguments}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("here/large.ndjson") && ran.err.contains(words), "{arguments}: {}", ran.err);
    }
    assert_eq!(folder.run("lint here").code, 0);
    folder.write("here/large.ndjson.expected", "1\twrong-type\n");
    let ran = folder.run("lint here");
    assert!(ran.code == 2 && ran.err.contains(words), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_read() {
    let pipe = |folder: &Folder, name: &str| {
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status();
        assert!(made.is_ok_and(|status| status.success()), "a pipe can be made");
    };
    let folder = Folder::with(&[("a.json", ERROR)]);
    pipe(&folder, "a.json.expected");
    for command in ["lint .", "lint --update-expected a.json", "fmt ."] {
        let ran = folder.run(command);
        assert_eq!(ran.code, 2, "{command}: {}", ran.out);
        assert!(ran.err.contains("a.json.expected") && ran.err.contains("it is not a regular file"), "{}", ran.err);
    }
    let folder = Folder::with(&[("a.txt.expected", "1\twrong-type\n")]);
    pipe(&folder, "a.txt");
    let ran = folder.run("lint .");
    assert!(ran.code == 2 && ran.err.contains("a.txt") && ran.err.contains("not a regular file"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn an_expectation_that_leads_out_is_not_read() {
    let secret = "password: hunter2\n";
    let folder =
        Folder::with(&[("here/a.json", ERROR), ("secret", secret), ("here/b.txt.expected", "1\twrong-type\n")]);
    std::os::unix::fs::symlink("../secret", folder.path().join("here/a.json.expected")).expect("a link can be made");
    std::os::unix::fs::symlink("../secret", folder.path().join("here/b.txt")).expect("a link can be made");
    for command in ["lint here", "lint --update-expected here", "lint --update-expected here/a.json", "fmt here"] {
        let ran = folder.run(command);
        assert_eq!(ran.code, 2, "{command}: {}", ran.out);
        assert!(ran.err.contains("a link that leads outside the named paths"), "{command}: {}", ran.err);
        assert!(!(ran.out + &ran.err).contains("hunter2"), "{command}");
        assert_eq!(fs::read_to_string(folder.path().join("secret")).expect("it is there"), secret, "{command}");
    }
}

#[test]
fn compressed_fixtures_are_fixtures() {
    let folder = Folder::new();
    folder.write("a.ndjson.gz", corpus("compressed.ndjson.gz"));
    folder.write("b.ndjson.zst", corpus("compressed.ndjson.zst"));
    let (document, code) = linted(&folder, "--rule duplicate-fixture=off .");
    assert_eq!((kinds(&document), told(&document), code), ([2, 0, 0, 0, 0], Vec::new(), 0), "{document}");
    let whole = corpus("compressed.ndjson.gz");
    folder.write("a.ndjson.gz", &whole[..whole.len() - 9]);
    folder.write("a.ndjson.gz.expected", "# args: --rule turn-unfinished=off\n");
    let (document, code) = linted(&folder, "a.ndjson.gz");
    assert_eq!(code, 1);
    assert!(told(&document).iter().any(|told| told.ends_with("truncated-input")), "{document}");
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_linted() {
    let folder = Folder::with(&[("a.json", ERROR)]);
    let ran = folder.run("lint --format jsonl missing.json a.json");
    assert_eq!((ran.code, ran.out.lines().count()), (2, 2), "the finding, and what was not read: {}", ran.out);
    assert!(ran.err.contains("missing.json"), "{}", ran.err);
    fs::create_dir(folder.path().join("a.json.expected")).expect("a folder can be made");
    let ran = folder.run("lint --format jsonl .");
    assert_eq!((ran.code, ran.out.lines().count()), (2, 2), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("a.json.expected"), "{}", ran.err);
    let ran = Folder::new().run("lint");
    assert!(ran.code == 2 && ran.err.contains(".md .markdown"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let folder = Folder::with(&[("elsewhere/a.json", ERROR), ("here/b.json", CLEAN)]);
    std::os::unix::fs::symlink("../elsewhere/a.json", folder.path().join("here/a.json")).expect("a link can be made");
    assert_eq!(kinds(&linted(&folder, "here").0), [0, 0, 1, 0, 0]);
    assert_eq!(linted(&folder, "here/a.json").1, 1, "one that is named is");
}

#[cfg(unix)]
#[test]
fn names_and_contents_do_nothing_to_a_terminal() {
    let name = "a\u{1b}[2J\u{202e}b";
    let page = format!("```json \u{1b}[2J\n{}```\n", ERROR.replace("\"no\"", "\"\u{202e}no\""));
    let folder = Folder::with(&[
        (&format!("{name}.md"), page.as_str()),
        (&format!("{name}.json"), CLEAN),
        (&format!("{name}.json.expected"), "1\twrong\u{1b}[2J-type\n"),
        (&format!("{name}.ndjson"), ERROR),
        (&format!("{name}.ndjson.expected"), "# \u{1b}[2J\n"),
        (&format!("gone{name}.json.expected"), "1\twrong-type\n"),
    ]);
    let reports = every_format().into_iter().map(|format| format!("--format {format}"));
    for arguments in ["-v", "-v --update-expected"].map(str::to_owned).into_iter().chain(reports) {
        let ran = folder.run(&format!("lint --color never {arguments} ."));
        let said = [ran.out, ran.err].concat();
        assert!(said.contains("[2J"), "{arguments}: {said}");
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{arguments}: {said:?}");
    }
}
