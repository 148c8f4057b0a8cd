//! Reports written to files: `--format FORMAT=FILE`.

use std::fs;
use std::process::Stdio;

use super::every_format::every_format;
use super::program::{CLEAN, ERROR, Folder, NOTE, Ran, WARNING, ran};

/// A report of an earlier run.
const OLD: &str = "## sessionlint: no findings\n";

/// Returns the names of all entries of a folder.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("readable");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("readable").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("readable")
}

#[test]
fn a_file_has_what_standard_output_would_have() {
    let folder = Folder::with(&[("a", ERROR), ("clean", CLEAN)]);
    for format in every_format() {
        for (file, code) in [("a", 1), ("clean", 0)] {
            let to_file = folder.run(&format!("check --format {format}=report {file}"));
            assert_eq!((to_file.code, to_file.out.as_str(), to_file.err.as_str()), (code, "", ""), "{format}");
            let printed = folder.run(&format!("check --format {format} {file}"));
            assert_eq!((printed.code, printed.out), (code, read(&folder, "report")), "{format}");
        }
    }
    assert_eq!(names(&folder), ["a", "clean", "report"], "nothing else is left behind");
}

#[cfg(unix)]
#[test]
fn a_report_is_as_readable_as_any_new_file_and_a_link_stays_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::with(&[("a", ERROR), ("real", OLD)]);
    symlink("real", folder.path().join("link")).expect("a link can be made");
    assert_eq!(folder.run("check --format jsonl=link --format json=new a").code, 1);
    assert!(read(&folder, "real").starts_with("{\"rule\""));
    assert!(fs::symlink_metadata(folder.path().join("link")).expect("it is there").is_symlink());
    folder.write("other", "");
    let mode = |name: &str| fs::metadata(folder.path().join(name)).expect("it is there").permissions().mode();
    assert_eq!(mode("new"), mode("other"));
    // A device is written to, not replaced.
    assert_eq!(folder.run("check --format json=/dev/null a").code, 1);
    assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
}

#[test]
fn wrong_use_is_said_and_changes_nothing() {
    let folder = Folder::with(&[("a", ERROR), ("folder/x", ""), ("old", OLD)]);
    for (arguments, says) in [
        ("--format json --format sarif", "only one report can go to standard output"),
        ("--format human --format human", "only one report"),
        ("--format json=old --format sarif=./old", "can hold one report only"),
        ("--format json=new --format sarif=folder/../new", "can hold one report only"),
        ("--format json=folder", "is a folder"),
        ("--format json=old --format sarif=nowhere/new", "nowhere/new cannot be written"),
        ("--format json=old --format sarif=a", "a is to be checked"),
        ("--format json=-", "for standard output, write json alone"),
        ("--format json=", "there must be the name of a file"),
        ("--format sarf=old", "did you mean sarif?"),
        (
            "--format xml",
            &format!(
                "xml is not a format; there are {}\n",
                every_format().iter().map(String::as_str).chain(["html"]).collect::<Vec<_>>().join(", ")
            ),
        ),
        ("--format json=old --rule no-such-rule=off", "there is no rule"),
    ] {
        let ran = folder.run(&format!("check {arguments} a"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.contains(says), "{arguments}: {}", ran.err);
    }
    assert_eq!(names(&folder), ["a", "folder", "old"]);
    assert_eq!((read(&folder, "a").as_str(), read(&folder, "old").as_str()), (ERROR, OLD));
}

#[test]
fn a_report_does_not_replace_the_file_that_says_how_to_check() {
    let folder = Folder::with(&[("a", ERROR), ("sessionlint.toml", "version = 1\n"), ("other.toml", "version = 1\n")]);
    for arguments in ["--format json=sessionlint.toml a", "--format json=./other.toml --config other.toml a"] {
        let ran = folder.run(&format!("check {arguments}"));
        assert_eq!(ran.code, 2, "{arguments}");
        assert!(ran.err.contains("is a configuration file, so no report can go there"), "{arguments}: {}", ran.err);
    }
    assert_eq!(read(&folder, "sessionlint.toml"), "version = 1\n");
    assert_eq!(read(&folder, "other.toml"), "version = 1\n");
}

#[test]
fn what_keeps_a_report_from_being_written_is_said_without_the_name_of_a_temporary_file() {
    let folder = Folder::with(&[("a", ERROR)]);
    let ran = folder.run("check --format json=nowhere/report a");
    assert!(ran.err.starts_with("sessionlint: nowhere/report cannot be written: "), "{}", ran.err);
    assert!(!ran.err.contains(".tmp"), "{}", ran.err);
}

#[test]
fn the_report_of_the_last_run_is_not_checked() {
    let folder = Folder::with(&[("a.ndjson", ERROR)]);
    for _ in 0..2 {
        let ran = folder.run("check . --format json=report.json");
        assert_eq!((ran.code, ran.err.as_str()), (1, ""));
        assert!(read(&folder, "report.json").contains("\"summary\":{\"files\":1,"));
    }
}

#[test]
fn a_report_of_any_format_is_known_as_one_in_the_next_run() {
    for format in every_format() {
        for recording in [ERROR, WARNING, NOTE, CLEAN] {
            let folder = Folder::with(&[("a.ndjson", recording)]);
            for options in ["", "--color always", "--max-findings 0", "--all"] {
                for _ in 0..2 {
                    let ran = folder.run(&format!("check . --format {format}=report.log {options}"));
                    assert_eq!(ran.err, "", "{format} {options} of {recording}");
                    assert_eq!(ran.code, i32::from(recording == ERROR), "{format} {options} of {recording}");
                }
            }
        }
    }
}

#[test]
fn no_report_goes_to_a_recording_that_was_found() {
    // The logs are a compiler's, in its long and its short form; the last file only quotes a finding.
    let recordings = [
        ("rec/a.ndjson", ERROR),
        ("rec/b.ndjson", CLEAN),
        ("rec/c.log", "error[E0308]: mismatched\n"),
        ("rec/d.log", "src/main.rs:1:2: error[E0308]: mismatched\n"),
        ("rec/e.json", "{\"said\": \"a:1:1: error[wrong-type]: x\"}\n"),
    ];
    let folder = Folder::with(&recordings);
    for (path, file) in [
        ("rec", "rec/b.ndjson"),
        ("rec/*.ndjson", "rec/../rec/a.ndjson"),
        (".", "rec/c.log"),
        (".", "rec/d.log"),
        (".", "rec/e.json"),
    ] {
        for format in ["json", "human"] {
            let ran = folder.run(&format!("check {path} --format json=new --format {format}={file}"));
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{file}");
            let says = format!("refusing to overwrite {file}: it is not an earlier report");
            assert!(ran.err.contains(&says), "{}", ran.err);
        }
    }
    for (name, text) in recordings {
        assert_eq!(read(&folder, name), text);
    }
    assert_eq!(names(&folder), ["rec"], "nothing is written");
}

#[test]
fn what_cannot_be_read_is_no_reason_to_have_no_report() {
    let folder = Folder::with(&[("a", ERROR)]);
    let ran = folder.run("check --format jsonl=report a missing");
    assert_eq!(ran.code, 2);
    assert!(read(&folder, "report").contains("wrong-type"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_fails_leaves_the_old_file_and_nothing_beside_it() {
    let folder = Folder::with(&[("a", &ERROR.repeat(3000)), ("report", OLD)]);
    let mut command = folder.command(["check", "--format=json", "--format=sarif=report", "a"]);
    command.stdout(fs::File::options().write(true).open("/dev/full").expect("Linux has it"));
    let ran = ran(command);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("cannot be written"), "{}", ran.err);
    assert_eq!((read(&folder, "report").as_str(), names(&folder)), (OLD, vec!["a".to_owned(), "report".to_owned()]));
}

#[test]
fn a_file_is_complete_although_the_reader_of_standard_output_goes_away() {
    let folder = Folder::with(&[("a", &ERROR.repeat(3000))]);
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = folder.command(["check", "--format=json", "--format=jsonl=report", "a"]);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(command);
    let ran = Ran::from(child.wait_with_output().expect("the program ends"));
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert_eq!(read(&folder, "report").lines().count(), 3000);
}

#[test]
fn a_file_that_is_no_report_is_not_overwritten() {
    let files = [("README.md", "# A project\n"), ("package.json", "{\"name\": \"app\"}\n"), ("photo.png", "\u{89}PNG")];
    let folder = Folder::with(&[("a", ERROR), ("records", "[]")]);
    for (file, text) in files {
        folder.write(file, text);
        for format in every_format() {
            let to_file = format!("--format {format}={file}");
            for command in [
                format!("check a {to_file}"),
                format!("lint a {to_file}"),
                format!("reconcile a --records records {to_file}"),
                format!("tap {to_file} -- true"),
                format!("fuzz {to_file} -- true"),
            ] {
                let ran = folder.run(&command);
                assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command}");
                let says = format!("sessionlint: refusing to overwrite {file}: it is not an earlier report; ");
                assert!(ran.err.starts_with(&says), "{command}: {}", ran.err);
            }
        }
        assert_eq!(read(&folder, file), text);
    }
}

/// A signal removes what is half written.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_leaves_no_temporary_file_behind() {
    use rustix::process::{Pid, Signal, kill_process};

    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = Folder::new();
        let mut command = folder.command(["check", "-", "--format", "json=report", "--format", "junit=other"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program starts");
        // It waits for its input, with both reports begun.
        let _input = child.stdin.take();
        let begun = std::time::Instant::now();
        while names(&folder).len() < 2 {
            assert!(begun.elapsed().as_secs() < 60, "no report is begun");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // The files are listed before the handler is there, or after.
        std::thread::sleep(std::time::Duration::from_millis(300));
        kill_process(Pid::from_child(&child), signal).expect("it is there");
        let status = child.wait().expect("it ends");
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(status.signal(), Some(signal.as_raw()), "it ends as it would without");
        assert_eq!(names(&folder), [""; 0]);
    }
}
