//! Measures the speed of the program as a whole, as ratios to two baselines on the same load: a Markdown table.
//!
//! Ratios, because megabytes per second depend on the machine and its other work as much as on the
//! program. The programs take turns, so that changes on the machine affect them alike.

mod baselines;
mod loads;
mod memory;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use baselines::Schemas;
use loads::{KINDS, Kind, Load};

/// Number of bytes that the baselines read at once, as the program does.
const BLOCK: usize = 256 * 1024;
const ROUNDS: usize = 5;
/// Number of runs on a file of one kilobyte; the kernel counts their time in hundredths of a second.
const SMALL_RUNS: u32 = 500;

fn main() {
    // Without it, this is `cargo test`, which only checks that the benchmark can be built.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let megabytes = match std::env::var("SESSIONLINT_LOAD_MB") {
        Ok(number) => number.parse().expect("SESSIONLINT_LOAD_MB is a whole number"),
        Err(_) => 50,
    };
    let schemas = Schemas::new();
    println!("Loads of {megabytes} MB, medians of {ROUNDS} rounds, {}.\n", machine());
    println!("| load | MB/s | to `IgnoredAny` | to `Value` + `jsonschema` | `--jobs 2` to `--jobs 1` | peak memory |");
    println!("|---|--:|--:|--:|--:|--:|");
    for kind in KINDS {
        println!("{}", row(kind, &kind.make(megabytes), &schemas));
    }
    let load = loads::one_kilobyte();
    if let Some(time) = processor_time(&load) {
        println!("\nA file of {:.1} kB takes {:.1} ms of processor time.", load.length as f64 / 1e3, time * 1e3);
    }
}

fn row(kind: Kind, load: &Load, schemas: &Schemas) -> String {
    // By program, a time for each round.
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        times[0].push(timed(|| run(kind, load, 1)));
        times[1].push(timed(|| baselines::syntax(load)));
        times[2].push(timed(|| schemas.validate(load)));
        times[3].push(timed(|| run(kind, load, 2)));
    }
    let [program, syntax, schema, two_jobs] = times;
    let speed = median(program.iter().map(|time| load.length as f64 / 1e6 / time));
    // Ratios of the times of one round, because the machine may be busier in the next.
    let ratio = |to: &[f64], of: &[f64]| median(to.iter().zip(of).map(|(to, of)| to / of));
    let memory = peak_memory(load).map_or_else(|| "–".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    format!(
        "| {} | {speed:.0} | {:.2} | {:.2} | {:.2} | {memory} |",
        kind.name,
        ratio(&syntax, &program),
        ratio(&schema, &program),
        ratio(&program, &two_jobs),
    )
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    black_box(work());
    started.elapsed().as_secs_f64()
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

/// Runs the program, and checks that it finds what it should.
fn run(kind: Kind, load: &Load, jobs: u32) {
    let status = start(load.path(), jobs).wait().expect("the program ends");
    assert_eq!(status.code(), Some(i32::from(!kind.conforms)), "{}", kind.name);
}

/// Returns the peak memory of the program, in bytes. It is a run of its own, because measuring takes time.
fn peak_memory(load: &Load) -> Option<u64> {
    memory::peak(start(load.path(), 1))
}

/// Returns the processor time of a run of the program on a load, including its start, in seconds.
fn processor_time(load: &Load) -> Option<f64> {
    let before = ticks_of_children()?;
    for _ in 0..SMALL_RUNS {
        let status = start(load.path(), 1).wait().expect("the program ends");
        assert!(status.success());
    }
    // Linux counts a hundred ticks per second for user space, whatever it does inside.
    Some((ticks_of_children()? - before) as f64 / 100.0 / f64::from(SMALL_RUNS))
}

/// Returns the processor time of all children that have ended.
fn ticks_of_children() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(|field| field.parse::<u64>().ok());
    ticks.sum()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{cores} cores of {}", name.map_or("an unknown processor", |(_, name)| name))
}
