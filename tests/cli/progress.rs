//! The progress bar is for people at a terminal; nothing else ever sees it.

use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::program::{CLEAN, ERROR, Folder, Ran};

#[test]
fn work_that_takes_long_writes_nothing_to_standard_error_that_is_no_terminal() {
    let folder = Folder::new();
    let mut command = folder.command(["check", "-"]);
    command.env_remove("CI").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it was asked for");
    pipe.write_all(CLEAN.as_bytes()).expect("the program reads");
    // This takes longer than the bar waits before it appears.
    thread::sleep(Duration::from_millis(2300));
    pipe.write_all(ERROR.as_bytes()).expect("the program reads");
    drop(pipe);
    let ran = Ran::from(child.wait_with_output().expect("the program ends"));
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert!(
        ran.out
            .ends_with("1 file, 2 events, 1 stream: 1 error, 0 warnings, 0 notes; checked against session-events.\n"),
        "{}",
        ran.out
    );
}
