//! `sessionlint check --follow`: a file is judged as it grows.

use std::fs::{self, OpenOptions};
use std::io::Write;

use super::program::{CLEAN, ERROR, Folder, OPEN, WARNING};
use super::running::Running;

fn follow(folder: &Folder, options: &str) -> Running {
    let options = options.split_whitespace();
    Running::start(folder.command(["check", "--follow", "--color", "never", "a.ndjson"].into_iter().chain(options)))
}

fn append(folder: &Folder, text: &str) {
    let mut file = OpenOptions::new().append(true).open(folder.path().join("a.ndjson")).expect("it is there");
    file.write_all(text.as_bytes()).expect("it can be written");
}

#[test]
fn what_is_written_is_judged_when_it_is_whole() {
    let folder = Folder::with(&[("a.ndjson", WARNING)]);
    let mut running = follow(&folder, "");
    running.out.until("warning[label-contradicts-pending]");
    let (half, other_half) = ERROR.split_at(60);
    append(&folder, half);
    append(&folder, other_half);
    running.out.until("error[wrong-type]");
    running.out.until("a.ndjson:2:");
    append(&folder, OPEN);
    append(&folder, WARNING);
    running.out.until("warning[label-contradicts-pending]");
    append(&folder, OPEN);
    running.signal("INT");
    let ran = running.end();
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert!(ran.out.contains("error[turn-unfinished]"), "the end of the file: {}", ran.out);
    assert!(!ran.out.contains("invalid-json"), "{}", ran.out);
    assert!(ran.out.contains("\n1 file, 5 events, 1 stream: "), "{}", ran.out);
}

#[test]
fn nothing_found_exits_0_and_a_half_line_is_judged_at_the_end() {
    let folder = Folder::with(&[("a.ndjson", WARNING)]);
    let mut running = follow(&folder, "");
    running.out.until("warning[label-contradicts-pending]");
    running.signal("TERM");
    let ran = running.end();
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(
        ran.out.ends_with("1 file, 1 event, 1 stream: 0 errors, 1 warning, 0 notes; checked against session-events.\n"),
        "{}",
        ran.out
    );

    append(&folder, &CLEAN[..40]);
    let mut running = follow(&folder, "-q");
    running.out.until("warning[label-contradicts-pending]");
    running.signal("INT");
    let ran = running.end();
    assert!(ran.code == 1 && ran.out.contains("error[truncated-line]"), "{}", ran.out);
    assert!(!ran.out.contains("1 file"), "{}", ran.out);
}

#[test]
fn a_truncated_file_is_read_anew() {
    let folder = Folder::with(&[("a.ndjson", &format!("{WARNING}{OPEN}"))]);
    let mut running = follow(&folder, "");
    running.out.until("a.ndjson:1:");
    folder.write("a.ndjson", ERROR);
    running.err.until("sessionlint: a.ndjson was truncated");
    running.out.until("error[wrong-type]");
    running.out.until("a.ndjson:1:");
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.code, 1);
    let summary = "2 files, 3 events, 2 streams: 1 error, 1 warning, 0 notes; checked against session-events.\n";
    assert!(ran.out.ends_with(summary), "how the turn went on was never read: {}", ran.out);
}

#[test]
fn a_file_in_the_place_of_another_is_read_from_its_beginning() {
    let folder = Folder::with(&[("a.ndjson", &format!("{WARNING}{OPEN}")), ("b.ndjson", &ERROR.repeat(2))]);
    let mut running = follow(&folder, "");
    running.out.until("a.ndjson:1:");
    fs::rename(folder.path().join("b.ndjson"), folder.path().join("a.ndjson")).expect("both are there");
    running.err.until("sessionlint: a.ndjson was replaced");
    // The first file has ended, and is judged as such.
    running.out.until("error[turn-unfinished]");
    running.out.until("a.ndjson:1:");
    running.out.until("a.ndjson:2:");
    fs::remove_file(folder.path().join("a.ndjson")).expect("it is there");
    running.err.until("sessionlint: a.ndjson is gone");
    folder.write("c.ndjson", WARNING);
    fs::rename(folder.path().join("c.ndjson"), folder.path().join("a.ndjson")).expect("it is there");
    running.err.until("sessionlint: a.ndjson was replaced");
    running.out.until("warning[label-contradicts-pending]");
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.ends_with(
            "3 files, 5 events, 3 streams: 3 errors, 2 warnings, 0 notes; checked against session-events.\n"
        ),
        "{}",
        ran.out
    );
}

#[test]
fn what_the_baseline_knows_is_known_of_each_file_in_the_place() {
    let folder = Folder::with(&[("a.ndjson", WARNING)]);
    assert_eq!(folder.run("check a.ndjson --write-baseline known.toml").code, 0);
    append(&folder, ERROR);
    folder.write("b.ndjson", format!("{WARNING}{ERROR}"));
    let mut running = follow(&folder, "--baseline known.toml");
    running.out.until("error[wrong-type]");
    fs::rename(folder.path().join("b.ndjson"), folder.path().join("a.ndjson")).expect("both are there");
    running.out.until("error[wrong-type]");
    running.signal("INT");
    let ran = running.end();
    let summary =
        "2 errors, 0 warnings, 0 notes; checked against session-events; 2 known findings are in the baseline.\n";
    assert!(ran.out.ends_with(summary), "{}", ran.out);
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let folder = Folder::with(&[
        ("a.ndjson", CLEAN),
        ("b.ndjson", CLEAN),
        ("c.ndjson.gz", CLEAN),
        ("records.json", r#"{"timestamp":"2026-01-01T00:00:00Z","agent_name":"a"}"#),
    ]);
    folder.write("d.ndjson", b"\x1f\x8b\x08\0");
    folder.write("e.ndjson", b"\x28\xb5\x2f\xfd\0");
    for (arguments, why) in [
        ("", "takes one file, not a folder"),
        ("-", "standard input is read as it arrives anyway"),
        ("a.ndjson b.ndjson", "takes one file, not several"),
        ("*.ndjson", "*.ndjson cannot be followed"),
        ("missing", "missing cannot be followed"),
        ("c.ndjson.gz", "it is compressed"),
        ("d.ndjson", "it is compressed"),
        ("e.ndjson", "it is compressed"),
        ("/dev/null", "only a file can be followed"),
        ("records.json", "stored records cannot be followed"),
        ("a.ndjson --kind session", "stored records cannot be followed"),
        ("a.ndjson --complete", "stored records cannot be followed"),
        ("a.ndjson --protocol session-records", "stored records cannot be followed"),
    ] {
        let ran = folder.run(&format!("check --follow {arguments}"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.contains(why), "{arguments}: {}", ran.err);
    }
}
