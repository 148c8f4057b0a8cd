//! Measures checking a load, compared with parsing it and with judging it by its schemas only.
//!
//! Runs in one process and with one thread, so that figures are steady enough to compare versions. The time of
//! the program as a whole is measured in `ratios.rs`.

mod baselines;
mod loads;

use std::fs::File;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Duration;

use baselines::Schemas;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use loads::{KINDS, Load};
use sessionlint::{Checker, Decompressor, Options, Protocol};

/// Large enough to be read in many blocks, and small enough for a run of a few minutes.
const MEGABYTES: usize = 16;
/// Number of bytes read at once, as the program does.
const BLOCK: usize = 256 * 1024;

fn throughput(criterion: &mut Criterion) {
    let schemas = Schemas::new();
    for kind in KINDS {
        let load = kind.make(MEGABYTES);
        let mut group = criterion.benchmark_group(kind.name);
        group.sampling_mode(SamplingMode::Flat).sample_size(10);
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
        group.throughput(Throughput::BytesDecimal(load.length));
        let check = if load.files.len() == 1 { check } else { run };
        assert_eq!(check(&load), kind.conforms, "{}", kind.name);
        group.bench_with_input(BenchmarkId::from_parameter("sessionlint"), &load, |bencher, load| {
            bencher.iter(|| check(black_box(load)));
        });
        group.bench_with_input(BenchmarkId::from_parameter("IgnoredAny"), &load, |bencher, load| {
            bencher.iter(|| load.lines.iter().map(|path| baselines::syntax(black_box(path))).sum::<u64>());
        });
        group.bench_with_input(BenchmarkId::from_parameter("Value + jsonschema"), &load, |bencher, load| {
            bencher.iter(|| load.lines.iter().map(|path| schemas.validate(black_box(path))).sum::<u64>());
        });
        group.finish();
    }
    let load = loads::one_kilobyte();
    criterion.bench_function("start, one kilobyte, end", |bencher| bencher.iter(|| run(black_box(&load))));
}

/// Checks a load of one file. Returns whether it conforms.
fn check(load: &Load) -> bool {
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    let mut checker = Checker::new(protocol, Options::default());
    let file = File::open(&load.files[0]).expect("a load can be opened");
    let mut reader = Decompressor::new(file).expect("a load can be read");
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block).expect("a load can be read") {
            0 => return checker.finish().summary.errors == 0,
            count => checker.feed(&block[..count]),
        }
        black_box(checker.take_findings());
    }
}

/// Runs the program on a load. Returns whether it conforms.
fn run(load: &Load) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionlint"));
    command.args(["check", "--jobs", "1", "--format", "jsonl"]).arg(load.path()).stdout(Stdio::null());
    command.status().expect("the program starts").success()
}

criterion_group!(benches, throughput);
criterion_main!(benches);
