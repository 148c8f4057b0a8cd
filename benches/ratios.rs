//! Measures the speed of the program as a whole, as ratios to two baselines on the same load: a Markdown table.
//!
//! Ratios, because megabytes per second depend on the machine and its other work as much as on the
//! program. The programs take turns, so that changes on the machine affect them alike.

mod baselines;
mod loads;
mod memory;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use baselines::Schemas;
use loads::{KINDS, Kind, Load};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

const ROUNDS: usize = 7;
/// Number of runs on a file of one kilobyte.
const SMALL_RUNS: u32 = 500;
/// The argument that makes this program one of the baselines, so that these are whole programs too.
const BASELINE: &str = "--baseline";

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, option, name, paths @ ..] = &arguments[..]
        && option == BASELINE
    {
        return baseline(name, paths);
    }
    // Without it, this is `cargo test`, which only checks that the benchmark can be built.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let megabytes = match std::env::var("SESSIONLINT_LOAD_MB") {
        Ok(number) => number.parse().expect("SESSIONLINT_LOAD_MB is a whole number"),
        Err(_) => 50,
    };
    println!("Loads of {megabytes} MB, medians of {ROUNDS} rounds, {}.\n", machine());
    println!(
        "| load | MB/s | to `IgnoredAny` | to `Value` + `jsonschema` | `--jobs 2` in time | in CPU | peak memory |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for kind in KINDS {
        println!("{}", row(kind, &kind.make(megabytes)));
    }
    let load = loads::one_kilobyte();
    let begun = processor_time();
    for _ in 0..SMALL_RUNS {
        assert!(start(load.path(), 1).wait().expect("the program ends").success());
    }
    let spent = (processor_time() - begun) / f64::from(SMALL_RUNS);
    println!("\nA file of {:.1} kB takes {:.1} ms of processor time.", load.length as f64 / 1e3, spent * 1e3);
}

/// Runs a baseline over the lines of a load, and prints how many there were.
fn baseline(name: &str, paths: &[String]) {
    let schemas = (name == "schemas").then(Schemas::new);
    let count = |path: &String| match &schemas {
        Some(schemas) => schemas.validate(Path::new(path)),
        None => baselines::syntax(Path::new(path)),
    };
    println!("{}", paths.iter().map(count).sum::<u64>());
}

/// What a run of a program took, in seconds.
#[derive(Clone, Copy)]
struct Run {
    /// By the clock.
    time: f64,
    /// Of processors.
    processor: f64,
}

fn row(kind: Kind, load: &Load) -> String {
    verify(kind, load);
    // By program, a run for each round.
    let mut runs = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        runs[0].push(measured(|| check(kind, load, 1)));
        runs[1].push(measured(|| run_baseline("syntax", load)));
        runs[2].push(measured(|| run_baseline("schemas", load)));
        runs[3].push(measured(|| check(kind, load, 2)));
    }
    let [program, syntax, schemas, two_jobs] = runs;
    let speed = median(program.iter().map(|run| load.length as f64 / 1e6 / run.processor));
    // Ratios of the runs of one round, because the machine may be busier in the next.
    let ratio =
        |to: &[Run], of: &[Run], what: fn(&Run) -> f64| median(to.iter().zip(of).map(|(to, of)| what(to) / what(of)));
    let memory = peak_memory(load).map_or_else(|| "–".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    format!(
        "| {} | {speed:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {memory} |",
        kind.name,
        ratio(&syntax, &program, |run| run.processor),
        ratio(&schemas, &program, |run| run.processor),
        ratio(&program, &two_jobs, |run| run.time),
        ratio(&two_jobs, &program, |run| run.processor),
    )
}

fn measured(work: impl FnOnce()) -> Run {
    let (begun, processor) = (Instant::now(), processor_time());
    work();
    Run { time: begun.elapsed().as_secs_f64(), processor: processor_time() - processor }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn start(path: &Path, jobs: u32) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionlint"));
    command.args(["check", "--format", "jsonl", "--jobs", &jobs.to_string()]).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the program starts")
}

/// Runs the program, and checks its exit code.
fn check(kind: Kind, load: &Load, jobs: u32) {
    let status = start(load.path(), jobs).wait().expect("the program ends");
    assert_eq!(status.code(), Some(i32::from(!kind.conforms)), "{}", kind.name);
}

/// Runs a baseline, and checks that it read every event.
fn run_baseline(name: &str, load: &Load) {
    let mut command = Command::new(std::env::current_exe().expect("this program is a file"));
    let output = command.args([BASELINE, name]).args(&load.lines).output().expect("the baseline runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), load.events.to_string(), "{name}");
}

/// Checks that the program reads every event of a load, and finds faults where there are some, and nowhere else.
fn verify(kind: Kind, load: &Load) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionlint"));
    let command = command.args(["check", "--no-config", "--format", "json", "--max-findings", "1"]).arg(load.path());
    let output = command.output().expect("the program runs");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report is JSON");
    let count = |name: &str| document["summary"][name].as_u64().expect("a report counts");
    assert_eq!(count("events"), load.events, "{}", kind.name);
    assert_eq!(count("errors") + count("warnings") == 0, kind.conforms, "{}", kind.name);
}

/// Returns the peak memory of the program, in bytes. It is a run of its own, because measuring takes time.
fn peak_memory(load: &Load) -> Option<u64> {
    memory::peak(start(load.path(), 1))
}

/// Returns the processor time of all children that have ended, in seconds.
fn processor_time() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts");
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{cores} cores of {}", name.map_or("an unknown processor", |(_, name)| name))
}
