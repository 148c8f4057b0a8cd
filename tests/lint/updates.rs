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
    assert!(ran.err.contains("nothing is expected any longer in ./a.ndjson.expected"), "{}", ran.err);
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
    let ran = folder.run("lint --update-expected .");
    let why = "sessionlint: ./a.ndjson.expected is left as it is: fix its broken lines first\n";
    assert_eq!((ran.code, ran.err), (1, format!("{why}sessionlint: 0 expectations changed\n")));
    assert_eq!(read(&folder, "a.ndjson.expected"), expected);
}

#[test]
fn options_that_were_given_are_written() {
    let folder =
        Folder::with(&[("a.ndjson", ERROR), ("b.ndjson", ERROR), ("b.ndjson.expected", "#args:--wire=ndjson\n# b\n")]);
    let ran = folder.run("lint --update-expected --max-line-bytes 120 --wire json -q a.ndjson b.ndjson");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let options = "--fragment --wire json --max-line-bytes 120";
    assert_eq!(read(&folder, "a.ndjson.expected"), format!("# args: {options}\n1\tline-too-long\n"));
    let options = "--wire=ndjson --max-line-bytes 120";
    assert_eq!(read(&folder, "b.ndjson.expected"), format!("# args: {options}\n# b\n1\tline-too-long\n"));
    assert_eq!(folder.run("lint .").code, 0);
}

#[test]
fn nobody_elses_file_is_replaced_by_a_new_one() {
    let folder = Folder::with(&[("a.sql", ERROR), ("a.sql.expected", "42 rows\n")]);
    let ran = folder.run("lint --update-expected a.sql");
    assert!(ran.code == 2 && ran.err.starts_with("sessionlint: a.sql.expected cannot be written"), "{}", ran.err);
    assert_eq!(read(&folder, "a.sql.expected"), "42 rows\n");
}

#[cfg(unix)]
#[test]
fn files_are_written_as_fixes_are() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::with(&[
        ("a.ndjson", ERROR),
        ("real", "1\tmissing-field\n"),
        ("b.ndjson", &[CLEAN, ERROR].concat()),
        ("b.ndjson.expected", "2\tmissing-field\n"),
    ]);
    let mode = |name: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    symlink("real", folder.path().join("a.ndjson.expected")).expect("a link can be made");
    mode("real", 0o640);
    mode("b.ndjson.expected", 0o444);
    let ran = folder.run("lint --update-expected .");
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("./b.ndjson.expected cannot be written: it is read-only\n"), "{}", ran.err);
    assert!(ran.err.ends_with("sessionlint: 1 expectation changed\n"), "{}", ran.err);
    assert_eq!(
        (read(&folder, "real").as_str(), read(&folder, "b.ndjson.expected").as_str()),
        ("1\twrong-type\n", "2\tmissing-field\n")
    );
    assert!(folder.path().join("a.ndjson.expected").is_symlink());
    assert_eq!(fs::metadata(folder.path().join("real")).expect("it is there").permissions().mode() & 0o777, 0o640);
}
