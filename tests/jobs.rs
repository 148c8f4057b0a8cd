//! The report is the same byte for byte, whatever the number of threads.

#[path = "built_program/mod.rs"]
mod built_program;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use built_program::built_program;

fn report(input: &str, jobs: &str, standard_input: &[u8]) -> (Option<i32>, Vec<u8>) {
    let mut child = built_program()
        .args(["check", input, "--jobs", jobs, "--all", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let bytes = standard_input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&bytes));
    let output = child.wait_with_output().expect("the program ends");
    // A program may close the pipe without reading its input.
    let _ = writer.join().expect("the writer ends");
    (output.status.code(), output.stdout)
}

fn same_for_any_number(input: &str, standard_input: &[u8]) {
    let one = report(input, "1", standard_input);
    assert!(one.1.len() > 100, "{input}: there is a report");
    for jobs in ["2", "3", "8"] {
        assert_eq!(report(input, jobs, standard_input), one, "{input} with {jobs} threads");
    }
}

/// Every line of the corpus's line-wise recordings, repeated: clean, broken and empty ones.
fn long_recording() -> Vec<u8> {
    fn collect(folder: &Path, lines: &mut Vec<u8>) {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                collect(&path, lines);
            } else if path.extension().is_some_and(|ending| ending == "ndjson") {
                lines.extend(fs::read(&path).expect("readable"));
                lines.extend(b"\n");
            }
        }
    }
    let mut lines = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"), &mut lines);
    lines.repeat(4)
}

#[test]
fn many_files_give_the_same_report() {
    same_for_any_number("corpus", b"");
}

#[test]
fn one_long_file_gives_the_same_report() {
    let path = std::env::temp_dir().join(format!("sessionlint-jobs-{}.ndjson", std::process::id()));
    fs::write(&path, long_recording()).expect("writable");
    same_for_any_number(&path.to_string_lossy(), b"");
    fs::remove_file(&path).expect("removable");
}

#[test]
fn standard_input_gives_the_same_report() {
    same_for_any_number("-", &long_recording());
}

#[test]
fn a_line_longer_than_any_block_gives_the_same_report() {
    let text = "x".repeat(3 << 20);
    let line = format!(
        r#"{{"type":"session.message.appended","timestamp":"2026-01-01T00:00:00Z","payload":{{"session_id":"s","message":{{"role":"user","content":"{text}"}}}}}}"#
    );
    let input = format!("{line}\n{{\"type\":1}}\n{line}\n{{\"type\":2}}\n{line}");
    same_for_any_number("-", input.as_bytes());
}
