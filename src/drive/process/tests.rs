//! Programs as they occur in practice: how they treat their pipes, and what they leave behind.
#![cfg(unix)]

use std::fs;
use std::iter::{once, repeat};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::drive::duration::in_words;
use crate::drive::interrupts::InterruptHandler;
use crate::drive::producer::Ending;

/// Longer than anything takes that does not hang.
const DEADLINE: Duration = Duration::from_secs(60);
/// The time limit for cases that hang.
const SHORT: Duration = Duration::from_millis(200);

fn play(script: &str, input: &[u8], timeout: Duration, max_bytes: u64) -> Execution {
    let command = ["sh", "-c", script].map(OsString::from);
    let played = Process::new(&command, Bounds { timeout, max_bytes }).run(input, &StopFlag::default());
    played.expect("the shell can be started")
}

fn played(script: &str, input: &[u8]) -> Execution {
    play(script, input, DEADLINE, 1 << 30)
}

fn crashed(how: &str) -> Ending {
    Ending::Crashed(how.to_owned())
}

/// Returns `true` if a group has a process that is alive, and not a zombie.
fn lives(group: &str) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        let listed = Command::new("ps").args(["-A", "-o", "pgid=,stat="]).output().expect("ps runs").stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        return listed.lines().any(|line| line.trim().starts_with(&format!("{group} ")) && !line.contains('Z'));
    }
    let processes = fs::read_dir("/proc").expect("it can be listed").flatten();
    processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok()).any(|stat| {
        // After the name in brackets: the state, the parent, the group.
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').take(3).collect();
        matches!(fields[..], [state, _, its] if its == group && state != "Z" && state != "X")
    })
}

/// Waits until a group has ended. It was killed before, but that may take a moment.
fn ends(group: &str) {
    assert!(group.parse::<u32>().is_ok(), "{group:?}");
    let begun = Instant::now();
    while lives(group) {
        assert!(begun.elapsed() < DEADLINE, "group {group} lives");
        thread::yield_now();
    }
}

fn first_line(stream: &[u8]) -> String {
    String::from_utf8_lossy(stream).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_input_goes_in_and_the_events_come_out() {
    let input = "a line\n".repeat(300_000).into_bytes();
    let played = played("cat", &input);
    assert_eq!(played.end, Ending::Completed);
    assert!(played.stream == input && played.wire.is_none() && played.diagnostics.is_empty());
}

#[test]
fn a_failure_comes_with_the_end_of_standard_error() {
    let failed = played("echo event; echo bad luck >&2; exit 3", b"");
    assert_eq!(failed.end, crashed("it ended with exit code 3"));
    assert_eq!((&*failed.stream, &*failed.diagnostics), (&b"event\n"[..], &b"bad luck\n"[..]));
    assert_eq!(played("kill -SEGV $$", b"").end, crashed("signal 11 (SIGSEGV) ended it"));
    assert_eq!(played("kill -9 $$", b"").end, crashed("signal 9 (SIGKILL) ended it"));
}

/// Runs a program that hangs with longer and longer time limits, until it had the time to print its group.
fn run_until_printed(play: impl Fn(Duration) -> Execution) -> (Duration, Execution) {
    let mut time = SHORT;
    loop {
        let played = play(time);
        if played.stream.contains(&b'\n') {
            return (time, played);
        }
        assert!(time < DEADLINE, "it says nothing: {played:?}");
        time *= 2;
    }
}

/// Checks that a program hangs in this way, and that nothing of it is left.
fn hangs(script: &str, how: &str) {
    let (time, hung) = run_until_printed(|time| play(script, b"", time, 1 << 30));
    assert_eq!(hung.end, Ending::hung(format!("{how} after {}", in_words(time))), "{script}");
    ends(&first_line(&hung.stream));
}

#[test]
fn what_never_ends_is_killed_when_its_time_is_over() {
    hangs("echo $$; sleep 1000", "its output was not closed");
    hangs("echo $$; exec >&-; sleep 1000", "its output was closed, but it had not ended");
    hangs("while :; do echo $$; done", "its output was not closed");
}

#[test]
fn what_it_started_does_not_outlive_it() {
    let (_, holds) = run_until_printed(|time| play("echo $$; sleep 1000 &", b"", time, 1 << 30));
    let Ending::Hung(hang) = holds.end else { panic!("{:?}", holds.end) };
    let what = "the command ended with exit code 0, but a process that it started still holds its output";
    assert!(hang.reason == what && hang.help.is_some(), "{hang:?}");
    ends(&first_line(&holds.stream));
    let holds_none = played("echo $$; sleep 1000 >/dev/null 2>&1 &", b"");
    assert_eq!(holds_none.end, Ending::Completed);
    ends(&first_line(&holds_none.stream));
    let holds_complaints = played("echo $$; sleep 1000 >/dev/null & exit 1", b"");
    assert_eq!(holds_complaints.end, crashed("it ended with exit code 1"));
    ends(&first_line(&holds_complaints.stream));
}

#[test]
fn no_more_is_kept_than_the_limit_allows() {
    let flood = play("yes", b"", DEADLINE, 100_000);
    assert_eq!((flood.end, flood.stream.len()), (Ending::Flooded(100_000), 100_000));
    let full = play("cat", &[b'x'; 100_000], DEADLINE, 100_000);
    assert_eq!((full.end, full.stream.len()), (Ending::Completed, 100_000));
    let complaints = played("head -c 5000000 /dev/zero >&2; echo last >&2; echo event", b"");
    assert_eq!((complaints.end, &*complaints.stream), (Ending::Completed, &b"event\n"[..]));
    assert!(complaints.diagnostics.len() == 4096 && complaints.diagnostics.ends_with(b"\0last\n"));
}

#[test]
fn it_may_read_its_input_when_it_wants_or_never() {
    let input = vec![b'x'; 8 << 20];
    assert_eq!(played("echo event", &input).end, Ending::Completed);
    assert_eq!(played("exec <&-; echo event", &input).end, Ending::Completed);
    assert_eq!(played("head -c 3 >/dev/null; echo event", &input).end, Ending::Completed);
    let late = played("head -c 1000000 /dev/zero; cat; head -c 1000000 /dev/zero", &input);
    assert_eq!((late.end, late.stream.len()), (Ending::Completed, (8 << 20) + 2_000_000));
}

#[test]
fn a_case_ends_when_the_run_is_stopped() {
    for script in ["echo $$; sleep 1000", "echo $$; exec >&-; sleep 1000", "while :; do echo $$; done"] {
        let command = ["sh", "-c", script].map(OsString::from);
        let process = Process::new(&command, Bounds { timeout: DEADLINE, max_bytes: 1 << 30 });
        let stopped_after = |time| {
            let stop = StopFlag::default();
            thread::scope(|scope| {
                let playing = scope.spawn(|| process.run(b"", &stop));
                thread::sleep(time);
                stop.set();
                playing.join().expect("no panic").expect("it can be started")
            })
        };
        let (_, stopped) = run_until_printed(stopped_after);
        assert_eq!(stopped.end, Ending::Stopped);
        ends(&first_line(&stopped.stream));
    }
}

#[test]
fn a_program_that_cannot_be_started_is_an_error() {
    let process = Process::new(&["no-such\u{1b}program".into()], Bounds { timeout: DEADLINE, max_bytes: 1 });
    let unplayable = process.run(b"", &StopFlag::default()).expect_err("there is no such program");
    let said = unplayable.to_string();
    assert!(said.starts_with("no-such␛program cannot be started: "), "{said}");
}

/// The environment variables for the program below: the file that it writes its producer's group to, and how it reacts
/// to signals.
const GROUP_FILE_VARIABLE: &str = "SESSIONLINT_TEST_GROUP";
const MODE_VARIABLE: &str = "SESSIONLINT_TEST_MANNER";

#[test]
#[ignore = "it is the program that the tests beside it interrupt"]
fn program_that_is_interrupted() {
    let (Some(file), Ok(mode)) = (std::env::var_os(GROUP_FILE_VARIABLE), std::env::var(MODE_VARIABLE)) else { return };
    let (heard, deaf) = (Arc::<StopFlag>::default(), StopFlag::default());
    let _interrupts = InterruptHandler::install(heard.clone()).expect("signals can be heard");
    let script = "echo $$ >\"$0.part\"; mv \"$0.part\" \"$0\"; sleep 1000";
    let command = ["sh".into(), "-c".into(), script.into(), file.clone()];
    let process = Process::new(&command, Bounds { timeout: DEADLINE, max_bytes: 1 });
    if mode == "panics" {
        thread::spawn(move || process.run(b"", &deaf).map(|played| played.end));
        written(Path::new(&file));
        panic!("as it is asked to");
    }
    let stop = if mode == "stops" { &*heard } else { &deaf };
    if mode == "stops later" {
        thread::scope(|scope| {
            let playing = scope.spawn(|| process.run(b"", &deaf).map(|played| played.end));
            while !heard.is_set() {
                thread::sleep(Duration::from_millis(5));
            }
            // Time for the signals that arrive together with the first.
            thread::sleep(SHORT);
            deaf.set();
            assert_eq!(playing.join().expect("no panic").expect("it can be started"), Ending::Stopped);
        });
        return;
    }
    assert_eq!(process.run(b"", stop).expect("it can be started").end, Ending::Stopped);
}

/// Waits until a file exists.
fn written(file: &Path) {
    let begun = Instant::now();
    while !file.exists() {
        assert!(begun.elapsed() < DEADLINE, "{} does not come", file.display());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs the program above in a shell, which may ignore signals, and sends it signals until it ends. Returns its exit
/// code or the signal that ended it, once its producer is gone.
fn interrupted(mode: &str, shell: &str, signals: impl IntoIterator<Item = Signal>) -> (Option<i32>, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("group");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell} exec \"$0\" \"$@\"")]);
    command.arg(std::env::current_exe().expect("this test is a file"));
    command.args(["--ignored", "--exact", "drive::process::tests::program_that_is_interrupted"]);
    command.env(GROUP_FILE_VARIABLE, &file).env(MODE_VARIABLE, mode).stdout(Stdio::null()).stderr(Stdio::null());
    let mut program = command.spawn().expect("it starts");
    written(&file);
    let (begun, mut signals) = (Instant::now(), signals.into_iter());
    let status = loop {
        if let Some(status) = program.try_wait().expect("it can be waited for") {
            break status;
        }
        assert!(begun.elapsed() < DEADLINE, "it does not end");
        if let Some(signal) = signals.next() {
            kill_process(Pid::from_child(&program), signal).expect("it is there");
        }
        thread::sleep(Duration::from_millis(20));
    };
    ends(fs::read_to_string(file).expect("the producer was started").trim());
    (status.code(), status.signal())
}

#[test]
fn the_first_signal_stops_the_run_and_the_second_ends_the_program() {
    assert_eq!(interrupted("stops", "", [Signal::TERM]), (Some(0), None));
    assert_eq!(interrupted("goes on", "", once(Signal::HUP).chain(repeat(Signal::TERM))), (None, Some(15)));
}

#[test]
fn signals_that_come_at_once_are_one() {
    assert_eq!(interrupted("stops later", "", [Signal::TERM, Signal::HUP, Signal::TERM]), (Some(0), None));
}

#[test]
fn a_panic_ends_what_other_threads_drive() {
    assert_eq!(interrupted("panics", "", []), (Some(101), None));
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_program_was_told_to_ignore_stops_nothing() {
    let signals = [Signal::HUP; 3].into_iter().chain(repeat(Signal::INT));
    assert_eq!(interrupted("goes on", "trap '' HUP;", signals), (None, Some(2)));
}
