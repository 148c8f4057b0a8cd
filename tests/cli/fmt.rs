//! `sessionlint fmt`, and `lint` with `--fix`, `--unsafe-fixes` and `--diff`: what is written, and what stays as it is.

use std::fs;

use super::program::{CLEAN, Folder, event};

/// An event with its keys in another order, and in its canonical form.
const LATE: &str = r#"{"timestamp":"2026-01-01t00:00:00Z","payload":{"session_id":"s","pending":false,"status_label":"idle"},"type":"session.status"}"#;
/// A turn without the idle status after it.
fn unended() -> String {
    let busy = event("session.status", r#"{"session_id":"s","pending":true,"status_label":"thinking"}"#);
    busy + &event("session.completed", r#"{"session_id":"s","final_message":"Hi"}"#)
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("it is there")
}

#[test]
fn a_named_file_without_events_is_said_to_have_none() {
    let folder =
        Folder::with(&[("clean.ndjson", CLEAN), ("junk.ndjson", "hello\nworld\n"), ("other.json", "{\"a\":1}\n")]);
    for options in ["", "--check", "--diff"] {
        for name in ["junk.ndjson", "other.json"] {
            let ran = folder.run(&format!("fmt {options} clean.ndjson {name}"));
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{options} {name}");
            assert!(
                ran.err.contains(&format!("{name} has nothing of the protocol, and is left as it is")),
                "{}",
                ran.err
            );
        }
    }
    assert_eq!(read(&folder, "junk.ndjson"), "hello\nworld\n");
    // In a folder, files of other kinds are expected.
    let found = folder.run("fmt --check .");
    assert_eq!((found.code, found.out.as_str(), found.err.as_str()), (0, "", ""));
}

#[test]
fn files_are_formatted_and_the_changes_are_reported() {
    let markdown = format!("# é\r\n\r\n- > ```jsonl\r\n  > {LATE}\r\n  > ```\r\n\r\nThe end");
    let folder = Folder::with(&[
        ("a.ndjson", LATE),
        ("b/c.json", &format!("[\n  {LATE}\n]\n")),
        ("b/clean.ndjson", CLEAN),
        ("package.json", "{\"version\": \"1\",\n \"name\": \"x\"}"),
        ("d.md", &markdown),
    ]);
    let ran = folder.run("fmt");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert_eq!(ran.err, "sessionlint: fixed 3 files: 3 × date-time, 3 × key order, 1 × line end\n");
    assert_eq!(read(&folder, "a.ndjson"), CLEAN);
    assert_eq!(read(&folder, "b/c.json"), format!("[\n  {}\n]\n", CLEAN.trim()));
    assert_eq!(read(&folder, "d.md"), markdown.replace(LATE, CLEAN.trim()));
    assert_eq!(read(&folder, "package.json"), "{\"version\": \"1\",\n \"name\": \"x\"}", "it is no fixture");
    let again = folder.run("fmt");
    assert_eq!((again.code, again.out.as_str(), again.err.as_str()), (0, "", ""));
}

#[test]
fn check_and_diff_change_nothing() {
    let folder = Folder::with(&[("a\x1b[31m.ndjson", LATE), ("b.ndjson", CLEAN)]);
    let name = "a\x1b[31m.ndjson";
    let listed = folder.run("fmt --check .");
    assert_eq!((listed.code, listed.out.as_str()), (1, "./a␛[31m.ndjson\n"));
    let shown = folder.run("fmt --diff . -q");
    let expected = format!(
        "--- ./a␛[31m.ndjson\n+++ ./a␛[31m.ndjson\n@@ -1 +1 @@\n-{LATE}\n\\ No newline at end of file\n+{CLEAN}"
    );
    assert_eq!((shown.code, shown.out.as_str(), shown.err.as_str()), (1, expected.as_str(), ""));
    let linted = folder.run("lint --diff . --no-config");
    assert_eq!(linted.code, 1, "{}", linted.err);
    assert!(linted.err.starts_with(&expected), "{}", linted.err);
    assert_eq!(read(&folder, name), LATE);
    assert_eq!(folder.run("fmt --check b.ndjson").code, 0);
    assert_eq!(folder.run("fmt --check --diff .").code, 2);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = Folder::new();
    let filtered = |arguments: &str, input: &str| {
        let ran = folder.run_with_input(arguments, input.as_bytes());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments}");
        ran.out
    };
    assert_eq!(filtered("fmt", LATE), CLEAN);
    assert_eq!(filtered("fmt -", &format!("broken {{\n{LATE}\n")), format!("broken {{\n{CLEAN}"));
    let pretty = CLEAN.trim().replace(",\"payload", ",\n \"payload");
    assert_eq!(filtered("fmt --stdin-name a.jsonl", &pretty), CLEAN);
    assert_eq!(filtered("fmt --stdin-name a.json", &pretty), format!("{pretty}\n"));
    let nothing = "data: {\"a\": 1}\n\n";
    let ran = folder.run_with_input("fmt", nothing.as_bytes());
    let said = "sessionlint: this text has nothing of the protocol, and is left as it is\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, nothing, said));
    assert_eq!(filtered("fmt -q", nothing), nothing);
    assert_eq!(filtered("fmt", ""), "");
    let checked = folder.run_with_input("fmt - --check --stdin-name b/x.ndjson", LATE.as_bytes());
    assert_eq!((checked.code, checked.out.as_str()), (1, "b/x.ndjson\n"));
    for refused in ["fmt - a", "fmt a --stdin-name b", "fmt - --stdin-name a.md"] {
        let ran = folder.run_with_input(refused, b"");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{refused}");
    }
    let records = "{\"agent_name\":\"a\", \"timestamp\":\"2026-01-01T00:00:00Z\"}\n";
    assert_eq!(
        filtered("fmt --stdin-name sessions.jsonl", records),
        "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"agent_name\":\"a\"}\n"
    );
}

#[test]
fn a_filter_leaves_alone_what_is_meant_to_be_broken() {
    let folder = Folder::with(&[("o.ndjson", LATE), ("o.ndjson.expected", "1\tmissing-field\n")]);
    let ran = folder.run_with_input("fmt --stdin-name o.ndjson", LATE.as_bytes());
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, LATE, ""));
    let ran = folder.run_with_input("fmt --stdin-name o.ndjson --check -v", LATE.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.starts_with("sessionlint: o.ndjson is left as it is: it is meant to be broken"), "{}", ran.err);
}

#[test]
fn a_text_with_an_event_in_it_keeps_its_layout() {
    let text = |event: &str| format!("Started.\n\n\n{event}\n\n\nThe end");
    let folder = Folder::with(&[("a.log", &text(LATE))]);
    assert_eq!(folder.run("fmt a.log").code, 0);
    assert_eq!(read(&folder, "a.log"), text(CLEAN.trim_end()));
}

#[test]
fn a_report_without_writing_is_about_the_files_as_they_are() {
    let text = LATE.replace(',', ", ") + "\n" + &unended();
    let folder = Folder::with(&[("a.ndjson", &text)]);
    let plain = folder.run("lint --format jsonl .");
    assert!(plain.out.contains("idle-missing") && plain.out.contains("not-canonical"), "{}", plain.out);
    for fixes in ["--fix", "--unsafe-fixes"] {
        let shown = folder.run(&format!("lint --format jsonl {fixes} --diff ."));
        assert_eq!((shown.code, shown.out.as_str()), (1, plain.out.as_str()), "{fixes}");
    }
    assert_eq!(read(&folder, "a.ndjson"), text);
}

#[test]
fn bytes_that_are_no_text_go_through() {
    let folder = Folder::new();
    let bytes = [b"\xFF\xFF {\n", LATE.as_bytes(), b"\n\0\x80"].concat();
    folder.write("a.log", &bytes);
    assert_eq!(folder.run("fmt a.log").code, 0);
    let new = fs::read(folder.path().join("a.log")).expect("it is there");
    assert_eq!(new, [b"\xFF\xFF {\n", CLEAN.as_bytes(), b"\0\x80"].concat());
}

#[test]
fn lint_mends_and_reports_what_is_left() {
    let text = unended() + LATE.replace("\"s\"", "\"t\"").as_str();
    let folder = Folder::with(&[("a.ndjson", &text)]);
    let found = folder.run("lint a.ndjson");
    assert_eq!(found.code, 1);
    assert!(found.out.contains("note[not-canonical] a.ndjson:3:"), "{}", found.out);

    let safe = folder.run("lint --fix a.ndjson");
    assert_eq!(safe.code, 1);
    assert!(safe.out.contains("error[idle-missing]") && !safe.out.contains("not-canonical"), "{}", safe.out);
    assert_eq!(safe.err, "sessionlint: fixed 1 file: 1 × date-time, 1 × key order, 1 × line end\n");

    let all = folder.run("lint --unsafe-fixes a.ndjson");
    assert_eq!(all.code, 0, "{}", all.out);
    assert_eq!(all.err, "sessionlint: fixed 1 file: 1 × idle-missing\n");
    let idle = event("session.status", r#"{"session_id":"s","pending":false,"status_label":"idle"}"#);
    assert_eq!(read(&folder, "a.ndjson"), unended() + &idle + &idle.replace("\"s\"", "\"t\""));
    assert_eq!(folder.run("lint --unsafe-fixes --diff a.ndjson").code, 0);
}

#[test]
fn what_is_meant_to_be_broken_is_left_alone() {
    let folder =
        Folder::with(&[("a.ndjson", &unended()), ("a.ndjson.expected", "2\tidle-missing\n"), ("b.ndjson", LATE)]);
    folder.write("b.ndjson.expected", "");
    let ran = folder.run("lint --unsafe-fixes -v .");
    assert_eq!(ran.code, 0, "{}", ran.out);
    let why = "is left as it is: it is meant to be broken, and what is expected counts its lines";
    assert_eq!(ran.err, format!("sessionlint: ./a.ndjson {why}\nsessionlint: ./b.ndjson {why}\n"));
    assert_eq!((read(&folder, "a.ndjson"), read(&folder, "b.ndjson")), (unended(), LATE.to_owned()));
    assert!(!ran.out.contains("not-canonical"), "{}", ran.out);
    assert_eq!(folder.run("lint --fix --update-expected .").code, 2);
    assert_eq!(folder.run("lint --fix -").code, 2);
}

#[test]
fn what_is_compressed_is_left_alone() {
    // Stored, not deflated: the header, one block, and the trailer, which this test does not need.
    let folder = Folder::new();
    let text = LATE.as_bytes();
    let length = (text.len() as u16).to_le_bytes();
    let inverse = (!(text.len() as u16)).to_le_bytes();
    let gzip = [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1][..], &length, &inverse, text].concat();
    folder.write("a.ndjson.gz", &gzip);
    let ran = folder.run("fmt -v a.ndjson.gz");
    assert_eq!(ran.err, "sessionlint: a.ndjson.gz is left as it is: it is compressed\n");
    assert_eq!(fs::read(folder.path().join("a.ndjson.gz")).expect("it is there"), gzip);
}

#[test]
fn a_block_that_cannot_be_put_back_is_left_alone() {
    // The lines of the quote do not begin the same way.
    let pretty = CLEAN.trim().replace(",\"payload", ",\n>\"payload");
    let folder = Folder::with(&[("a.md", &format!("> ```jsonl\n> {pretty}\n> ```\n"))]);
    let before = read(&folder, "a.md");
    assert_eq!(folder.run("fmt a.md").code, 0);
    assert_eq!(read(&folder, "a.md"), before);
    let linted = folder.run("lint --fail-on note a.md");
    assert_eq!((linted.code, linted.err.as_str()), (0, ""), "nor is it asked for: {}", linted.out);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn permissions_stay_and_nothing_is_left_beside_the_file() {
        let folder = Folder::with(&[("a.ndjson", LATE)]);
        let file = folder.path().join("a.ndjson");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("it is ours");
        assert_eq!(folder.run("fmt .").code, 0);
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_read_only_file_is_not_written() {
        let folder = Folder::with(&[("a.ndjson", LATE), ("b.ndjson", LATE)]);
        let file = folder.path().join("a.ndjson");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).expect("it is ours");
        let ran = folder.run("fmt .");
        assert_eq!(ran.code, 2);
        assert!(ran.err.starts_with("sessionlint: ./a.ndjson cannot be written: it is read-only\n"), "{}", ran.err);
        assert_eq!((read(&folder, "a.ndjson").as_str(), read(&folder, "b.ndjson").as_str()), (LATE, CLEAN));
    }

    #[test]
    fn a_link_is_followed_where_it_is_named_and_stays_one() {
        let folder = Folder::with(&[("tree/deep/a.ndjson", LATE), ("out.ndjson", LATE)]);
        let tree = folder.path().join("tree");
        symlink("deep/a.ndjson", tree.join("in.ndjson")).expect("a link");
        symlink("../out.ndjson", tree.join("out.ndjson")).expect("a link");
        assert_eq!(folder.run("fmt --check tree").out, "tree/deep/a.ndjson\n");
        let names = "tree/in.ndjson tree/out.ndjson";
        let listed = folder.run(&format!("fmt --check {names}"));
        assert_eq!((listed.code, listed.out), (1, names.replace(' ', "\n") + "\n"));
        assert_eq!(folder.run(&format!("fmt {names}")).code, 0);
        assert_eq!(
            (read(&folder, "tree/deep/a.ndjson").as_str(), read(&folder, "out.ndjson").as_str()),
            (CLEAN, CLEAN)
        );
        assert!(tree.join("in.ndjson").is_symlink() && tree.join("out.ndjson").is_symlink());
    }
}
