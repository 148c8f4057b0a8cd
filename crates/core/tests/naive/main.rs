//! The engine against a naive reading of docs/protocol-language.md: an interpreter of tables, plain functions over lists of
//! events that share nothing with the engine, so that a mistake has to be made twice to go unnoticed.
//!
//! Small protocols, each with an alphabet of lines, are judged by both: all streams up to a length, and longer ones that are
//! drawn. `SESSIONLINT_SLOW=1` draws very many of them, or as many for each protocol as it says: `SESSIONLINT_SLOW=1000000`.

mod comparison;
mod instance;
mod interpreter;
mod known;
mod protocols;
mod reading;
mod tables;
mod texts;

use comparison::{Case, Runner};

/// How many streams are drawn for each protocol.
fn drawn() -> u64 {
    let wanted = std::env::var("SESSIONLINT_SLOW").unwrap_or_default();
    match wanted.parse() {
        Ok(0) => 2_000,
        Ok(1) => 400_000,
        Ok(count) => count,
        Err(_) if wanted.is_empty() => 2_000,
        Err(_) => 400_000,
    }
}

fn run(case: &Case) {
    let mut runner = Runner::new(case);
    let started = std::time::Instant::now();
    runner.compare_all(case.depth);
    runner.compare_drawn(drawn(), 1);
    println!(
        "{}: {} streams, {} findings, {:.1} s {:?}",
        case.name,
        runner.streams,
        runner.findings,
        started.elapsed().as_secs_f64(),
        runner.by_rule
    );
}

macro_rules! cases {
    ($($test:ident: $case:ident;)*) => {
        $(#[test]
        fn $test() {
            run(&protocols::$case);
        })*
    };
}

cases! {
    a_lifecycle_without_keys: PLAIN;
    a_lifecycle_within_another_one: WITHIN;
    instances_of_keys: KEYED;
    rows_that_when_tells_apart: WHEN;
    what_is_owned_and_kept: OWNED;
    texts: TEXT;
}

#[test]
fn ask() {
    let Ok(wanted) = std::env::var("ASK") else { return };
    let (name, lines) = wanted.split_once(':').unwrap();
    let case = [
        &protocols::PLAIN,
        &protocols::WITHIN,
        &protocols::KEYED,
        &protocols::OWNED,
        &protocols::WHEN,
        &protocols::TEXT,
    ]
    .into_iter()
    .find(|case| case.name == name)
    .unwrap();
    let mut runner = Runner::new(case);
    let fragment = lines.starts_with('f');
    let stream: Vec<usize> =
        lines.trim_start_matches('f').split(',').filter(|x| !x.is_empty()).map(|x| x.parse().unwrap()).collect();
    println!("{}", runner.show(&stream, fragment));
}
