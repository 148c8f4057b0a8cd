//! Measures checking many Events against their Sessions: a Markdown table of time and memory.
//!
//! The records are made here, the same bytes each time. All conform, and every Event names a Session, so that each is
//! looked up and compared.

mod memory;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const SESSIONS: usize = 10_000;
const EVENTS: usize = 100_000;
/// Number of records on a page.
const PAGE: usize = 1_000;
const ROUNDS: usize = 5;

fn main() {
    // Without it, this is `cargo test`, which only checks that the benchmark can be built.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let sessions: Vec<_> = (0..SESSIONS).map(session).collect();
    let events: Vec<_> = (0..EVENTS).map(event).collect();
    println!("{EVENTS} Events against {SESSIONS} Sessions, `--jobs 2`, medians of {ROUNDS} rounds.\n");
    println!("| form | MB | seconds | peak memory |\n|---|--:|--:|--:|");
    for (form, ending, write) in
        [("one a line", "ndjson", lines as fn(&[String]) -> String), ("pages of 1,000, one a line", "json", pages)]
    {
        let folder = tempfile::tempdir().expect("the folder for temporary files can be written");
        let mut length = 0;
        for (name, records) in [("sessions", &sessions), ("events", &events)] {
            let text = write(records);
            length += text.len();
            fs::write(folder.path().join(format!("{name}.{ending}")), text).expect("a file can be written");
        }
        let mut times: Vec<_> = (0..ROUNDS).map(|_| time(folder.path())).collect();
        times.sort_by(f64::total_cmp);
        let memory = peak_memory(folder.path());
        let memory = memory.map_or_else(|| "–".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6));
        println!("| {form} | {:.1} | {:.2} | {memory} |", length as f64 / 1e6, times[ROUNDS / 2]);
    }
}

/// Returns the time of a second of the year's first day.
fn at(second: usize) -> String {
    format!("2026-01-01T{:02}:{:02}:{:02}Z", second / 3600 % 24, second / 60 % 60, second % 60)
}

fn session(number: usize) -> String {
    format!(
        r#"{{"timestamp":"{}","session_id":"{number}","conversation_id":"c{number}","channel_manager_service":"hedy","channel_manager_type":"voice_sip_v1","channel_manager_sid":"sid-{number}","agent_id":"7","agent_name":"Reception","agent_type":"voice","agent_timezone":"America/New_York","prompt_id":"3","prompt_name":"Greeting","prompt_version":"12","duration":240.5,"session_label_id":null,"source":"+18042221111","target":"+18045550000","is_legacy":false,"is_test":false}}"#,
        at(number)
    )
}

fn event(number: usize) -> String {
    let session = number * 7 % SESSIONS;
    format!(
        r#"{{"timestamp":"{}","session_id":"{session}","conversation_id":"c{session}","source":"tool-call","source_id":"{number}","category":"automation","type":"phone-transfer","user_id":"+18042221111","description":"Transfer to phone number +18042221111","attributes":{{"attempt":{},"queue":"front desk"}}}}"#,
        at(session + 30),
        number % 3
    )
}

fn lines(records: &[String]) -> String {
    records.iter().fold(String::new(), |text, record| text + record + "\n")
}

fn pages(records: &[String]) -> String {
    let mut text = String::new();
    for (number, page) in records.chunks(PAGE).enumerate() {
        let items = page.join(",");
        writeln!(text, r#"{{"items":[{items}],"page":{number},"page_size":{PAGE}}}"#).expect("memory can be written");
    }
    text
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionlint"));
    command
        .args(["check", "--format", "human", "--complete", "--jobs", "2", "--rule", "event-after-session=warning"])
        .arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the program starts")
}

fn time(folder: &Path) -> f64 {
    let started = Instant::now();
    let status = start(folder).wait().expect("the program ends");
    assert!(status.success(), "all of them conform");
    started.elapsed().as_secs_f64()
}

/// Returns the peak memory of the program, in bytes. It is a run of its own, because measuring takes time.
fn peak_memory(folder: &Path) -> Option<u64> {
    memory::peak(start(folder))
}
