//! `--update-expected`.

use std::fs;

use super::program::{CLEAN, ERROR, Folder, OPEN, WARNING};

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("it is there")
}

#[test]
fn expectations_are_written_again_and_the_difference_is_shown() {
    let before = "# args: --wire ndjson\n# of the file\n1\tmissing-field\n# of the second\n2\twrong-type\n# the end\n";
    let folder = Folder::with(&[("a.ndjson", &[WARNING, ERROR].concat()), ("a.ndjson.expected", before)]);
    let ran = folder.run("lint --update-expected .");
    assert_eq!(ran.code, 0, "{}", ran.out);
    let after = "# args: --wire ndjson\n# of the file\n1\tlabel-contradicts-pending\n# of the second\n2\twrong-type\n# the end\n";
    assert_eq!(read(&folder, "a.ndjson.expected"), after);
    for line in ["--- ./a.ndjson.expected", "-1␉missing-field", "+1␉label-contradicts-pending", "1 expectation changed"]
    {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    let again = folder.run("lint --update-expected .");
    assert_eq!((again.code, again.err.as_str()), (0, "sessionlint: 0 expectations changed\n"));
    assert_eq!(folder.run("lint .").code, 0);
}

#[test]
fn a_file_that_is_true_is_not_touched() {
    let expected = "2\twrong-type\n1\tlabel-contradicts-pending";
    let folder = Folder::with(&[("a.ndjson", &[WARNING, ERROR].concat()), ("a.ndjson.expected", expected)]);
    let ran = folder.run("lint --update-expected .");
    assert_eq!((ran.code, ran.err.as_str()), (0, "sessionlint: 0 expectations changed\n"));
    assert_eq!(read(&folder, "a.ndjson.expected"), expected);
}

#[test]
fn nothing_expected_leaves_an_empty_file_and_a_hint() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("a.ndjson.expected", "1\twrong-type\n")]);
    let ran = folder.run("lint --update-expected .");
    assert_eq!((ran.code, read(&folder, "a.ndjson.expected").as_str()), (0, ""));
    assert!(ran.err.contains("nothing is expected any more in ./a.ndjson.expected"), "{}", ran.err);
}

#[test]
fn new_files_are_written_for_what_is_named_alone() {
    let folder = Folder::with(&[("a.ndjson", ERROR), ("clean.ndjson", CLEAN), ("two.ndjson", &[CLEAN, OPEN].concat())]);
    assert_eq!(folder.run("lint --update-expected .").code, 1);
    assert!(!folder.path().join("a.ndjson.expected").exists());
    let ran = folder.run("lint --update-expected a.ndjson clean.ndjson two.ndjson");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(read(&folder, "a.ndjson.expected"), "# args: --fragment\n1\twrong-type\n", "it is one event");
    assert_eq!(read(&folder, "two.ndjson.expected"), "2\tturn-unfinished\n");
    assert!(!folder.path().join("clean.ndjson.expected").exists());
    assert_eq!(folder.run("lint .").code, 0);
}

#[test]
fn what_is_broken_is_not_written_again() {
    let expected = "1\twrong-type\nwhat?\n";
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("a.ndjson.expected", expected)]);
    assert_eq!(folder.run("lint --update-expected .").code, 1);
    assert_eq!(read(&folder, "a.ndjson.expected"), expected);
}
