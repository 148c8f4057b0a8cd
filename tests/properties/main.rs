//! Properties of every input, tested on many at random.
//!
//! A property that fails prints the smallest input that it found: add it as a test or a corpus file
//! when you fix the bug. `PROPTEST_CASES=20000 cargo test --release --test properties` looks harder.

mod any_input;
mod json;
mod losses;
mod same_findings;
mod short_way;
mod streams;

use proptest::test_runner::Config;

/// Sets this number of cases, unless the environment sets another.
fn cases(count: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { Config { cases: count, ..config } }
}
